//! Who may see and reach whom: pure decisions over a profile's state and the edges between two people.

use super::{FollowOutcome, Relation};
use crate::account::{Profile, Standing};

/// Whether two profiles are faces of one person: nobody follows, blocks or mutes themselves, under whatever face.
pub fn same_person(one: &Profile, other: &Profile) -> bool {
    one.account == other.account
}

/// Whether a reader sees a profile at all. `own` when it is the reader's own; `relation` is seen from the reader.
pub fn sees(own: bool, standing: Standing, relation: &Relation) -> bool {
    own || (standing == Standing::Live && !relation.blocked())
}

/// Whether a reader sees whom a profile follows and who follows it: a private one keeps that for itself and its followers.
pub fn sees_lists(own: bool, profile: &Profile, relation: &Relation) -> bool {
    own || (sees(own, profile.standing, relation) && (!profile.private || relation.follows))
}

/// What following a profile comes to, for somebody who sees it. An approved follow outlives the profile's turning private.
pub fn follow(private: bool, relation: &Relation) -> FollowOutcome {
    match (relation.follows, private, relation.requested) {
        (true, ..) => FollowOutcome::AlreadyFollowing,
        (false, false, _) => FollowOutcome::Following,
        (false, true, false) => FollowOutcome::Requested,
        (false, true, true) => FollowOutcome::AlreadyRequested,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{AccountId, Id, ProfileId};
    use crate::text::Handle;
    use crate::time::Timestamp;

    fn profile(private: bool, standing: Standing) -> Profile {
        Profile {
            id: ProfileId::from_raw(1),
            account: AccountId::from_raw(1),
            handle: Handle::existing("mona").unwrap(),
            name: "منى".to_owned(),
            bio: String::new(),
            links: Vec::new(),
            avatar: None,
            kind: crate::account::ProfileKind::Regular,
            private,
            standing,
            created_at: Timestamp::EPOCH,
            version: 1,
        }
    }

    fn any_standing() -> impl Strategy<Value = Standing> {
        proptest::sample::select(vec![Standing::Live, Standing::Hidden, Standing::Gone])
    }

    fn any_relation() -> impl Strategy<Value = Relation> {
        any::<[bool; 6]>().prop_map(|[follows, followed_by, requested, requested_by, blocks, blocked_by]| Relation {
            follows,
            followed_by,
            requested,
            requested_by,
            blocks,
            blocked_by,
            ..Relation::default()
        })
    }

    #[test]
    fn faces_of_one_person_are_the_same_person() {
        let mut other = profile(false, Standing::Live);
        other.id = ProfileId::from_raw(2);
        assert!(same_person(&profile(true, Standing::Live), &other));
        other.account = AccountId::from_raw(2);
        assert!(!same_person(&profile(true, Standing::Live), &other));
    }

    proptest! {
        #[test]
        fn a_block_either_way_hides_everything(private: bool, standing in any_standing(), relation in any_relation()) {
            let profile = profile(private, standing);
            for blocked in [Relation { blocks: true, ..relation }, Relation { blocked_by: true, ..relation }] {
                prop_assert!(!sees(false, standing, &blocked) && !sees_lists(false, &profile, &blocked));
            }
        }

        #[test]
        fn lifting_a_block_or_following_never_hides(private: bool, standing in any_standing(), relation in any_relation()) {
            let profile = profile(private, standing);
            let unblocked = Relation { blocks: false, blocked_by: false, ..relation };
            let following = Relation { follows: true, ..relation };
            for more in [unblocked, following] {
                prop_assert!(sees(false, standing, &more) >= sees(false, standing, &relation));
                prop_assert!(sees_lists(false, &profile, &more) >= sees_lists(false, &profile, &relation));
            }
        }

        #[test]
        fn lists_are_seen_only_with_the_profile(own: bool, private: bool, standing in any_standing(), relation in any_relation()) {
            prop_assert!(sees(own, standing, &relation) >= sees_lists(own, &profile(private, standing), &relation));
            prop_assert!(sees(true, standing, &relation), "one always sees oneself");
        }

        #[test]
        fn following_twice_changes_nothing(private: bool, relation in any_relation()) {
            let after = match follow(private, &relation) {
                FollowOutcome::Following => Relation { follows: true, requested: false, ..relation },
                FollowOutcome::Requested => Relation { requested: true, ..relation },
                _ => relation,
            };
            prop_assert!(matches!(follow(private, &after), FollowOutcome::AlreadyFollowing | FollowOutcome::AlreadyRequested));
            prop_assert!(private || after.follows, "an open profile is never merely asked");
        }
    }
}
