//! The own account and profile: looking at them, changing what others see, changing the handle.

use std::sync::{Mutex, PoisonError};

use super::super::{Account, AccountRefusal, Profile, forget_bearers};
use super::{AccountService, audit};
use crate::actor::{Actor, Member};
use crate::checks::{Writing, acting, based_on, keyed};
use crate::error::{Error, Result};
use crate::graph::{Edge, Follow, reach};
use crate::id::{Id, MediaId, ProfileId};
use crate::idempotency::IdempotencyKey;
use crate::page::Limit;
use crate::port::UnitOfWork;
use crate::port::store::{Access, EdgeKey, HandleHolder, Lock};
use crate::proto::event::v1;
use crate::text::{Bounds, EntityKind, Handle, TextError, clean, entities};
use crate::time::Timestamp;

const MAX_NAME: usize = 100;
const MAX_BIO: usize = 500;
const MAX_LINKS: usize = 5;
const MAX_LINK_BYTES: usize = 500;

/// A display name.
pub(super) const NAME: Writing<AccountRefusal> = Writing {
    field: "name",
    bounds: Bounds::line(1, MAX_NAME),
    empty: AccountRefusal::NameInvalid,
    too_long: AccountRefusal::NameInvalid,
    forbidden: AccountRefusal::ForbiddenCharacter,
};

const BIO: Writing<AccountRefusal> = Writing {
    field: "bio",
    bounds: Bounds::paragraphs(0, MAX_BIO),
    empty: AccountRefusal::BioInvalid,
    too_long: AccountRefusal::BioInvalid,
    ..NAME
};

/// The actor's own account and its faces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The private root.
    pub account: Account,
    /// Its profiles, oldest first.
    pub profiles: Vec<Profile>,
}

/// What to change of the own profile; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct UpdateProfile {
    /// The display name.
    pub name: Option<String>,
    /// What the profile says of itself.
    pub bio: Option<String>,
    /// All links, in order.
    pub links: Option<Vec<String>>,
    /// The picture; `Some(None)` takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<Option<MediaId>>,
    /// Whether followers need approval. Opening up accepts everybody who asks.
    pub private: Option<bool>,
    /// Whether those whom the profile follows may see that it is active. Not part of what has a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shows_activity: Option<bool>,
    /// The version that the change is based on; with none it goes on top of whatever is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
}

impl AccountService {
    /// The actor's own account and profiles.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn me(&self, actor: &Actor) -> Result<Me> {
        actor.member()?;
        let mut view = self.ports.store.read(actor, Access::Read).await?;
        let account = view.accounts().own_account().await?.ok_or_else(Error::not_found)?;
        Ok(Me { account, profiles: view.accounts().own_profiles().await? })
    }

    /// Changes what others see of the acting profile.
    ///
    /// # Errors
    /// The [`AccountRefusal`]s about name, bio, links and picture, with their field; [`AccountRefusal::Restricted`].
    pub async fn update_profile(
        &self,
        actor: &Actor,
        input: UpdateProfile,
        key: Option<IdempotencyKey>,
    ) -> Result<ProfileId> {
        let member = *actor.member()?;
        let keyed = keyed("account.update_profile", key, &input);
        let change = &UpdateProfile {
            name: input.name.as_deref().map(|name| NAME.check(name)).transpose()?,
            bio: input.bio.as_deref().map(|bio| BIO.check(bio)).transpose()?,
            links: input.links.as_deref().map(links).transpose()?,
            ..input
        };
        let clock = &self.ports.clock;
        let profile = self
            .ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let profile = own_locked(unit, &member, clock.now()).await?;
                    based_on(change.version, profile.version)?;
                    let mut changed = profile.clone();
                    apply(unit, &mut changed, change).await?;
                    if changed != profile {
                        store(unit, changed).await?;
                    }
                    if let Some(shows) = change.shows_activity {
                        unit.accounts().set_shows_activity(profile.id, shows).await?;
                    }
                    Ok(profile.id)
                })
            })
            .await?;
        if change.private == Some(false) {
            self.accept_requests(actor, &member).await?;
        }
        Ok(profile)
    }

    /// Accepts everybody who asks to follow the acting profile, a page a unit: none can join the queue any more, since the
    /// profile is open. What a fault leaves standing the next call accepts.
    async fn accept_requests(&self, actor: &Actor, member: &Member) -> Result<()> {
        let clock = &self.ports.clock;
        let limit = Limit::new(i64::from(Limit::MAX))?;
        let mut after = None;
        loop {
            let page = self.ports.store.read(actor, Access::Read).await?.graph().requests(after, limit).await?;
            let edges = page.items.as_slice();
            let open = self
                .ports
                .transact(actor, |mut unit| {
                    Box::pin(async move { accept_page(&mut *unit, member, edges, clock.now()).await })
                })
                .await?;
            after = page.items.last().map(EdgeKey::of);
            if !open || !page.has_next {
                return Ok(());
            }
        }
    }

    /// Takes a new handle for the acting profile. The old one stays reserved for it for a while.
    ///
    /// # Errors
    /// [`AccountRefusal::HandleInvalid`], [`AccountRefusal::HandleTaken`], [`AccountRefusal::Restricted`].
    pub async fn change_handle(&self, actor: &Actor, handle: &str, key: Option<IdempotencyKey>) -> Result<ProfileId> {
        let member = *actor.member()?;
        let handle = &new_handle(handle)?;
        let keyed = keyed("account.change_handle", key, &handle.as_str());
        let (clock, reserved) = (&self.ports.clock, self.ports.settings.handle_reserved);
        let former = &Mutex::new(None);
        let id = self
            .ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let (unit, now) = (&mut *unit, clock.now());
                    let mut profile = own_locked(unit, &member, now).await?;
                    let id = profile.id;
                    if profile.handle == *handle {
                        return Ok(id);
                    }
                    *former.lock().unwrap_or_else(PoisonError::into_inner) = Some(profile.handle.clone());
                    if !unit.accounts().claim_handle(handle, HandleHolder::Profile(id), None, now).await? {
                        return Err(Error::from(AccountRefusal::HandleTaken).on_field("handle"));
                    }
                    let reserved = HandleHolder::Former(id, now + reserved);
                    unit.accounts().claim_handle(&profile.handle, reserved, None, now).await?;
                    profile.handle = handle.clone();
                    store(unit, profile).await?;
                    audit(unit, "account.handle_changed", id, "", now).await?;
                    Ok(id)
                })
            })
            .await?;
        let former = former.lock().unwrap_or_else(PoisonError::into_inner).take();
        let both: Vec<&Handle> = former.iter().chain([handle]).collect();
        forget_bearers(&self.ports, &both).await;
        Ok(id)
    }
}

/// The acting profile, locked for a change that others will see.
async fn own_locked(unit: &mut dyn UnitOfWork, member: &Member, now: Timestamp) -> Result<Profile> {
    let profile = acting(unit, member, now, AccountRefusal::Restricted).await?;
    unit.accounts().profile(profile.id, Lock::Update).await?.ok_or_else(Error::not_found)
}

async fn store(unit: &mut dyn UnitOfWork, profile: Profile) -> Result<()> {
    let profile = Profile { version: profile.version + 1, ..profile };
    unit.accounts().update_profile(&profile).await?;
    unit.journal().append(&[v1::ProfileChanged { profile_id: profile.id.raw() }.into()]).await
}

/// Applies a change whose texts are checked; the picture is looked at here.
async fn apply(unit: &mut dyn UnitOfWork, profile: &mut Profile, change: &UpdateProfile) -> Result<()> {
    let UpdateProfile { name, bio, links, avatar, private, shows_activity: _, version: _ } = change.clone();
    profile.name = name.unwrap_or_else(|| core::mem::take(&mut profile.name));
    profile.bio = bio.unwrap_or_else(|| core::mem::take(&mut profile.bio));
    profile.links = links.unwrap_or_else(|| core::mem::take(&mut profile.links));
    profile.private = private.unwrap_or(profile.private);
    match avatar {
        Some(avatar) if avatar != profile.avatar => change_avatar(unit, profile, avatar).await,
        _ => Ok(()),
    }
}

/// Takes one of the own uploads that nothing uses; the picture before is free to be swept.
async fn change_avatar(unit: &mut dyn UnitOfWork, profile: &mut Profile, avatar: Option<MediaId>) -> Result<()> {
    if let Some(picture) = avatar {
        let found = unit.media().lock(&[picture]).await?;
        if !found.iter().any(|m| m.id == picture && m.owner == profile.id && !m.attached) {
            return Err(Error::from(AccountRefusal::AvatarInvalid).on_field("avatar"));
        }
        unit.media().attach(&[picture], None).await?;
    }
    if let Some(before) = profile.avatar {
        unit.media().detach(&[before]).await?;
    }
    profile.avatar = avatar;
    Ok(())
}

/// Accepts the requests of one page; `false` when the profile closed again meanwhile.
async fn accept_page(unit: &mut dyn UnitOfWork, member: &Member, requests: &[Edge], now: Timestamp) -> Result<bool> {
    let me = unit.accounts().profile(member.profile, Lock::Share).await?.ok_or_else(Error::not_found)?;
    if me.private {
        return Ok(false);
    }
    for request in requests {
        // The pair is locked first and the request looked at afterwards: no block made meanwhile is missed.
        let Some((requester, relation)) = reach(unit, &me, request.profile).await? else { continue };
        if !relation.requested_by {
            continue;
        }
        let follow = Follow { follower: requester.id, followee: me.id, at: now };
        let is_new = unit.graph().insert_follow(&follow).await?;
        unit.graph().delete_request(requester.id, me.id).await?;
        if is_new {
            let event = v1::Followed {
                follower_id: requester.id.raw(),
                followee_id: me.id.raw(),
                at_micros: now.as_micros(),
                approved: true,
            };
            unit.journal().append(&[event.into()]).await?;
        }
    }
    Ok(true)
}

/// A handle that may be taken newly; names of the house are as good as taken.
pub(super) fn new_handle(input: &str) -> Result<Handle> {
    Handle::new(input).map_err(|error| {
        let refusal = if error == TextError::ReservedHandle {
            AccountRefusal::HandleTaken
        } else {
            AccountRefusal::HandleInvalid
        };
        Error::from(refusal).on_field("handle")
    })
}

/// Links as they are kept: each must be what a post would make clickable, and nothing else.
fn links(input: &[String]) -> Result<Vec<String>> {
    let refuse = || Error::from(AccountRefusal::LinksInvalid).on_field("links");
    let is_link = |text: &str| matches!(entities(text).items.as_slice(), [item] if item.kind == EntityKind::Link && item.range == (0..text.len()));
    if input.len() > MAX_LINKS {
        return Err(refuse());
    }
    let checked = input.iter().map(|link| {
        let link = clean(link, Bounds::line(1, MAX_LINK_BYTES)).map_err(|_| refuse())?;
        if link.len() <= MAX_LINK_BYTES && is_link(&link) { Ok(link) } else { Err(refuse()) }
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Locale;

    #[test]
    fn links_are_web_addresses_that_tell_their_host() {
        let one = |link: &str| links(&[link.to_owned()]);
        assert_eq!(one(" https://example.com/a_(b)?q=ا ").unwrap(), ["https://example.com/a_(b)?q=ا"]);
        assert!(one("http://موقع.مصر/").is_ok());
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "javascript:alert(1)",
            "https://",
            "https://localhost",
            "https://bank.com@evil.example",
            "https://a.com https://b.com",
            "see https://a.com",
            "https://a.com.",
            "https://a.com/\u{202E}",
            "data:text/html,x",
            "#tag",
        ] {
            assert!(one(bad).is_err(), "{bad}");
        }
        assert!(one(&format!("https://example.com/{}", "a".repeat(500))).is_err());
        assert!(links(&vec!["https://a.com".to_owned(); 6]).is_err() && links(&[]).unwrap().is_empty());
    }

    #[test]
    fn texts_are_bounded() {
        let name = |input: &str| NAME.check(input).map_err(|e| e.refusal().unwrap());
        assert_eq!(name(" منى علي ").unwrap(), "منى علي");
        for bad in ["", "\u{200B}", &"م".repeat(101)] {
            assert_eq!(name(bad), Err(AccountRefusal::NameInvalid), "{bad:?}");
        }
        for bad in ["a\nb", "من\u{0}ى", "\u{202E}evil", "منى\u{2067}"] {
            assert_eq!(name(bad), Err(AccountRefusal::ForbiddenCharacter), "{bad:?}");
        }
        let told = NAME.check("\u{202E}evil").unwrap_err();
        let line = told.refused_as();
        assert_eq!((line.code, told.field()), ("account.forbidden_character", Some("name")));
        assert_eq!(line.text(Locale::En), "The text holds characters that are not allowed.");
        assert_eq!(line.text(Locale::Ar), "النص فيه رموز مش مسموح بيها.");
        let bio = |input: &str| BIO.check(input);
        assert!(bio("").is_ok() && bio(&"م".repeat(500)).is_ok() && bio(&"م".repeat(501)).is_err());
        let refusal = |handle| new_handle(handle).err().and_then(|e| e.refusal());
        assert_eq!(refusal("admin"), Some(AccountRefusal::HandleTaken));
        assert_eq!(refusal("منى"), Some(AccountRefusal::HandleInvalid));
    }
}
