//! Who bears a handle: asked for every profile page that is opened by its address, by strangers most of all, and for handles that
//! nobody has.
//!
//! What is kept says nothing of who may see whom: whoever uses it loads the profile under the policy, and looks whether it still bears the
//! handle. So a handle that changed hands shows at once, whatever is kept. Only that a handle is *nobody's* is taken for true without
//! another look, and kept for some seconds.

use bytes::Bytes;

use super::{AccountService, Profile};
use crate::actor::Actor;
use crate::error::Result;
use crate::id::{Id, ProfileId};
use crate::port::{CacheKey, Ports, ReadView};
use crate::read_through::Lives;
use crate::text::Handle;

/// The layout: an id as a big-endian 64-bit number.
const VERSION: u16 = 1;

fn key(handle: &Handle) -> Result<CacheKey> {
    CacheKey::new("handle", VERSION, handle.as_str())
}

/// What is no id is as good as nobody's: a look at the truth follows when it ends.
fn read(bytes: &Bytes) -> Option<ProfileId> {
    Some(ProfileId::from_raw(i64::from_be_bytes(bytes.as_ref().try_into().ok()?)))
}

/// Who bears a handle by what this process keeps; nothing waits, and `None` is also what it does not know. To be verified.
pub(crate) fn bearer_at_hand(ports: &Ports, handle: &Handle) -> Option<ProfileId> {
    ports.kept.near(&key(handle).ok()?)?.as_ref().and_then(read)
}

/// Forgets who bears these handles, on all nodes: to be called when it has changed and is committed.
pub(crate) async fn forget_bearers(ports: &Ports, handles: &[&Handle]) {
    let keys: Vec<_> = handles.iter().filter_map(|handle| key(handle).ok()).collect();
    ports.kept.forget(&keys).await;
}

impl AccountService {
    /// Whether somebody bears a handle, and if it is kept in this process, who; nothing waits. The inner `None` is nobody. The
    /// profile must be looked at: it may bear another handle by now.
    pub fn bearer_at_hand(&self, handle: &Handle) -> Option<Option<ProfileId>> {
        Some(self.ports.kept.near(&key(handle).ok()?)?.as_ref().and_then(read))
    }

    /// The profile that bears a handle, seen or not, erased ones aside; see [`bearer_at_hand`](Self::bearer_at_hand). It takes a
    /// connection of its own where it is not kept: do not hold one.
    ///
    /// # Errors
    /// The store's.
    pub async fn bearer(&self, handle: &Handle) -> Result<Option<ProfileId>> {
        let settings = &self.ports.settings.cache;
        let seconds = |seconds: u32| core::time::Duration::from_secs(seconds.into());
        let lives = Lives { found: seconds(settings.handle_seconds), missing: seconds(settings.no_handle_seconds) };
        let (store, wanted) = (self.ports.store.clone(), [handle.clone()]);
        let load = async move {
            // Anybody may ask this, and it is asked of the primary.
            let found = store.begin(&Actor::Anonymous).await?.accounts().profiles_by_handle(&wanted).await?;
            Ok(found.first().map(|id| id.raw().to_be_bytes().to_vec().into()))
        };
        Ok(self.ports.kept.get(&key(handle)?, lives, load).await?.as_ref().and_then(read))
    }

    /// The profile with a handle, as the reader of this view may see it, where `bearer` is what [`bearer`](Self::bearer) answered.
    ///
    /// # Errors
    /// The store's.
    pub async fn profile_of(
        &self,
        view: &mut dyn ReadView,
        handle: &Handle,
        bearer: ProfileId,
    ) -> Result<Option<Profile>> {
        match view.accounts().profiles(&[bearer]).await?.pop() {
            Some(profile) if profile.handle == *handle => Ok(Some(profile)),
            // Hidden from the reader, or it bears another one by now.
            _ => view.accounts().profile_by_handle(handle).await,
        }
    }
}
