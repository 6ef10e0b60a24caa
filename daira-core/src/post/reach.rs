//! Reaching a post inside a unit of work, so that what was decided on it holds until the unit ends, and finding out whom a
//! text may mention.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::{Audience, Post, policy};
use crate::account::{Profile, bearer_at_hand};
use crate::error::{Error, Result};
use crate::graph::reach;
use crate::id::{PostId, ProfileId};
use crate::port::store::Lock;
use crate::port::{Ports, UnitOfWork};
use crate::text::entities;

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
pub(super) async fn mentioned(
    ports: &Ports,
    unit: &mut dyn UnitOfWork,
    me: &Profile,
    text: &str,
) -> Result<Vec<ProfileId>> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for handle in entities(text).handles() {
        match bearer_at_hand(ports, handle) {
            Some(bearer) => known.push((bearer, handle.clone())),
            None => unknown.push(handle.clone()),
        }
    }
    let (mut seen, mut within_reach) = (BTreeMap::new(), BTreeSet::new());
    while !(known.is_empty() && unknown.is_empty()) {
        let found = if unknown.is_empty() { Vec::new() } else { unit.accounts().profiles_by_handle(&unknown).await? };
        unknown.clear();
        // By id: two units that take several pairs take them in the same order.
        let ids: BTreeSet<ProfileId> = known.iter().map(|(id, _)| *id).chain(found.iter().copied()).collect();
        for id in ids {
            if let Entry::Vacant(unseen) = seen.entry(id) {
                unseen.insert(reach(unit, me, id).await?.map(|(profile, _)| profile));
            }
        }
        within_reach.extend(found.into_iter().filter(|id| matches!(seen.get(id), Some(Some(_)))));
        for (id, handle) in known.drain(..) {
            match seen.get(&id) {
                Some(Some(profile)) if profile.handle == handle => drop(within_reach.insert(id)),
                // What is kept may be of a moment ago: whose it is now is asked once more.
                _ => unknown.push(handle),
            }
        }
    }
    Ok(within_reach.into_iter().collect())
}
