//! Reaching a post inside a unit of work, so that what was decided on it holds until the unit ends, and finding out whom a
//! text may mention.

use super::{Audience, Post, policy};
use crate::account::Profile;
use crate::error::{Error, Result};
use crate::graph::reach;
use crate::id::{PostId, ProfileId};
use crate::port::UnitOfWork;
use crate::port::store::Lock;
use crate::text::{Handle, entities};

/// A post that `me` sees, with what decided it. Until the unit ends it is neither deleted nor edited, nobody blocks between
/// `me` and its author, and the edges that made it visible stand.
///
/// # Errors
/// Not found for a post that is missing, deleted or hidden.
pub(crate) async fn seen_post(unit: &mut dyn UnitOfWork, me: &Profile, id: PostId) -> Result<(Post, Audience)> {
    let post = unit.posts().post(id, Lock::Share).await?.ok_or_else(Error::not_found)?;
    if post.author != me.id {
        let author = unit.accounts().profile(post.author, Lock::None).await?.ok_or_else(Error::not_found)?;
        unit.graph().lock_pair(me, &author, false).await?;
    }
    let audience = unit.posts().audience(&post, me.id).await?;
    if policy::sees(&post, &audience) { Ok((post, audience)) } else { Err(Error::not_found()) }
}

/// The profiles that a text of `me` mentions, by id. A handle that is nobody's, or of somebody hidden from `me`, stays plain
/// text; until the unit ends nobody blocks between `me` and those mentioned.
pub(super) async fn mentioned(unit: &mut dyn UnitOfWork, me: &Profile, text: &str) -> Result<Vec<ProfileId>> {
    let handles: Vec<Handle> = entities(text).handles().into_iter().cloned().collect();
    if handles.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = unit.accounts().profiles_by_handle(&handles).await?;
    // By id: two units that take several pairs take them in the same order.
    found.sort_unstable();
    found.dedup();
    let mut within_reach = Vec::with_capacity(found.len());
    for id in found {
        if reach(unit, me, id).await?.is_some() {
            within_reach.push(id);
        }
    }
    Ok(within_reach)
}
