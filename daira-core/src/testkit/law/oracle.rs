//! Who sees what, from the product's rules: plain questions to plain lists, no policy and no store.

use super::town::{Thing, Town};
use crate::account::AccountState;
use crate::id::ProfileId;
use crate::post::{Post, ReplyRule, Visibility};
use crate::staff::Target;

/// Whether a viewer, or somebody who is not logged in, sees a thing now.
pub fn visible(town: &Town, viewer: Option<ProfileId>, thing: Thing) -> bool {
    match thing {
        Thing::Profile(id) => sees_person(town, viewer, id),
        Thing::Post(id) => sees_post(town, viewer, town.post(id)),
        Thing::Comment(id) => {
            let comment = town.comment(id);
            let down = town.is_down(Target::Comment(id)) && viewer != Some(comment.author);
            comment.deleted_at.is_none()
                && !down
                && sees_post(town, viewer, town.post(comment.post))
                && sees_person(town, viewer, comment.author)
        }
    }
}

/// Whether a viewer may comment on a post.
pub fn may_answer(town: &Town, viewer: ProfileId, post: &Post) -> bool {
    let chosen = match post.replies {
        ReplyRule::Everyone => true,
        ReplyRule::Followers => follows(town, viewer, post.author),
        ReplyRule::Following => follows(town, post.author, viewer),
        ReplyRule::Mentioned => post.mentions.contains(&viewer),
        ReplyRule::Nobody => false,
    };
    sees_post(town, Some(viewer), post) && (viewer == post.author || chosen)
}

/// Whether a viewer may ever learn that a post exists: the half of the law that row security is held to.
pub fn may_ever_learn(town: &Town, viewer: Option<ProfileId>, post: &Post) -> bool {
    if viewer == Some(post.author) {
        return true;
    }
    post.deleted_at.is_none()
        && !town.is_down(Target::Post(post.id))
        && match (post.visibility, viewer) {
            (Visibility::Public | Visibility::Unlisted, _) => true,
            (_, None) | (Visibility::Private, _) => false,
            (Visibility::Followers, Some(me)) => follows(town, me, post.author),
            (Visibility::Circle(id), Some(me)) => {
                town.circles.iter().any(|(circle, members)| circle.id == id && members.contains(&me))
            }
            (Visibility::Mentioned, Some(me)) => post.mentions.contains(&me),
        }
}

/// A person is seen by themselves, under whichever face, and by others while they are about and nobody shut out anybody.
fn sees_person(town: &Town, viewer: Option<ProfileId>, person: ProfileId) -> bool {
    let root = town.profile(person).account;
    let own = viewer.is_some_and(|me| town.profile(me).account == root);
    let state = town.accounts.iter().find(|a| a.id == root).map(|a| a.state);
    let about = matches!(state, Some(AccountState::Active | AccountState::Restricted));
    own || (about && !viewer.is_some_and(|me| shut_out(town, me, person)))
}

/// A block hides the blocker from every face of the person who was blocked, and the blocked face from the blocker.
fn shut_out(town: &Town, me: ProfileId, other: ProfileId) -> bool {
    let account = town.profile(me).account;
    town.blocks.iter().any(|block| {
        let aims_at_me = block.blocker == other && town.profile(block.blocked).account == account;
        aims_at_me || (block.blocker == me && block.blocked == other)
    })
}

fn follows(town: &Town, follower: ProfileId, followee: ProfileId) -> bool {
    town.follows.iter().any(|follow| follow.follower == follower && follow.followee == followee)
}

fn sees_post(town: &Town, viewer: Option<ProfileId>, post: &Post) -> bool {
    if post.deleted_at.is_some() {
        return false;
    }
    if viewer == Some(post.author) {
        return true;
    }
    // What a private person shows to all is for their followers; circles and mentions are chosen person by person.
    let chosen = matches!(post.visibility, Visibility::Circle(_) | Visibility::Mentioned);
    let follower = viewer.is_some_and(|me| follows(town, me, post.author));
    let open = !town.profile(post.author).private || follower || chosen;
    open && may_ever_learn(town, viewer, post) && sees_person(town, viewer, post.author)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::port::Ports;

    fn town() -> Town {
        Town::draw(11, 0, &Ports::in_memory())
    }

    #[test]
    fn a_town_has_everything_that_the_law_is_about() {
        let town = town();
        let seen = |viewer, thing| visible(&town, viewer, thing);
        let posts = town.posts.iter().map(|p| Thing::Post(p.id));
        let (public, hidden): (Vec<_>, Vec<_>) = posts.partition(|post| seen(None, *post));
        assert!(public.len() > 20 && hidden.len() > 20);
        assert!(town.takedowns.len() > 10);
        assert!(town.profiles.iter().any(|p| p.private) && town.posts.iter().any(|p| p.deleted_at.is_some()));
        let faces = |p: &crate::account::Profile| town.profiles.iter().filter(|o| o.account == p.account).count();
        assert!(town.profiles.iter().any(|p| faces(p) > 1));
    }

    #[test]
    fn a_block_is_felt_by_every_face() {
        let mut town = town();
        town.blocks.clear();
        town.accounts.iter_mut().for_each(|a| a.state = AccountState::Active);
        let masked = town
            .profiles
            .iter()
            .find(|p| town.profiles.iter().any(|o| o.account == p.account && o.id != p.id))
            .unwrap()
            .clone();
        let mask = town.profiles.iter().find(|o| o.account == masked.account && o.id != masked.id).unwrap().id;
        let blocker = town.profiles.iter().find(|p| p.account != masked.account).unwrap().id;
        let at = crate::time::Timestamp::from_micros(blocker.raw());
        town.blocks.push(crate::graph::Block { blocker, blocked: masked.id, blocked_account: masked.account, at });
        let seen = |viewer, person| visible(&town, Some(viewer), Thing::Profile(person));
        assert!(!seen(masked.id, blocker) && !seen(mask, blocker) && !seen(blocker, masked.id) && seen(blocker, mask));
        assert!(visible(&town, None, Thing::Profile(blocker)));
    }
}
