//! Who may see a post and who may answer it: pure decisions, the law that the stores are held to.

use core::time::Duration;

use super::{Audience, Delivery, Post, ReplyRule, Visibility};
use crate::account::Standing;
use crate::time::Timestamp;

/// The half of the decision that row security answers as well: whether a reader may ever learn this post. Both
/// guards give the same answer here.
pub fn within_class(post: &Post, reader: &Audience) -> bool {
    if reader.is_author {
        return true;
    }
    if post.deleted_at.is_some() || reader.taken_down {
        return false;
    }
    match post.visibility {
        Visibility::Public | Visibility::Unlisted => true,
        Visibility::Followers => reader.follows,
        Visibility::Circle(_) => reader.in_circle,
        Visibility::Mentioned => reader.mentioned,
        Visibility::Private => false,
    }
}

/// Whether a reader sees a post now. A deleted post is seen by nobody: its author finds it among the deleted ones.
pub fn sees(post: &Post, reader: &Audience) -> bool {
    if post.deleted_at.is_some() || !within_class(post, reader) {
        return false;
    }
    if reader.is_author {
        return true;
    }
    let open =
        !reader.private || reader.follows || matches!(post.visibility, Visibility::Mentioned | Visibility::Circle(_));
    reader.standing == Standing::Live && !reader.blocked && open
}

/// Whether a reader may comment on a post that they see.
pub fn may_reply(post: &Post, reader: &Audience) -> bool {
    sees(post, reader)
        && (reader.is_author
            || match post.replies {
                ReplyRule::Everyone => true,
                ReplyRule::Followers => reader.follows,
                ReplyRule::Following => reader.followed_by,
                ReplyRule::Mentioned => reader.mentioned,
                ReplyRule::Nobody => false,
            })
}

/// How a post published now reaches its readers.
pub fn delivery(followers: i64, pull_threshold: i64) -> Delivery {
    if followers >= pull_threshold { Delivery::Pull } else { Delivery::Push }
}

/// Whether an edit changed who may see the post: another class, or other people mentioned in a post for the mentioned.
pub fn audience_changed(before: &Post, after: &Post) -> bool {
    before.visibility != after.visibility
        || (after.visibility == Visibility::Mentioned && !same_people(&before.mentions, &after.mentions))
}

fn same_people(one: &[crate::id::ProfileId], other: &[crate::id::ProfileId]) -> bool {
    one.iter().all(|id| other.contains(id)) && other.iter().all(|id| one.contains(id))
}

/// Whether a post deleted at an instant can still be restored.
pub fn restorable(deleted_at: Timestamp, now: Timestamp, window: Duration) -> bool {
    now.since(deleted_at) <= window
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;

    use super::*;
    use crate::id::{CircleId, Id, PostId, ProfileId};

    fn any_visibility() -> impl Strategy<Value = Visibility> {
        use Visibility::{Circle, Followers, Mentioned, Private, Public, Unlisted};
        proptest::sample::select(vec![Public, Followers, Circle(CircleId::from_raw(1)), Mentioned, Private, Unlisted])
    }

    fn any_replies() -> impl Strategy<Value = ReplyRule> {
        use ReplyRule::{Everyone, Followers, Following, Mentioned, Nobody};
        proptest::sample::select(vec![Everyone, Followers, Following, Mentioned, Nobody])
    }

    fn any_post() -> impl Strategy<Value = Post> {
        (any_visibility(), any_replies(), proptest::bool::weighted(0.1)).prop_map(|(visibility, replies, deleted)| {
            Post {
                id: PostId::from_raw(1),
                author: ProfileId::from_raw(1),
                text: "أهلاً".to_owned(),
                visibility,
                replies,
                media: Vec::new(),
                mentions: Vec::new(),
                tags: Vec::new(),
                warning: None,
                delivery: Delivery::Push,
                edited_at: None,
                deleted_at: deleted.then_some(Timestamp::from_seconds(1)),
                version: 1,
            }
        })
    }

    /// A reader who is not the author.
    fn any_reader() -> impl Strategy<Value = Audience> {
        let standing = proptest::sample::select(vec![Standing::Live, Standing::Live, Standing::Hidden, Standing::Gone]);
        (standing, any::<[bool; 6]>()).prop_map(
            |(standing, [private, follows, followed_by, in_circle, mentioned, blocked])| Audience {
                is_author: false,
                standing,
                private,
                follows,
                followed_by,
                in_circle,
                mentioned,
                blocked,
                taken_down: false,
            },
        )
    }

    /// A living post of some class.
    fn post_for(visibility: Visibility) -> Post {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        Post { visibility, deleted_at: None, ..any_post().new_tree(&mut runner).unwrap().current() }
    }

    fn author() -> Audience {
        Audience { is_author: true, ..Audience::default() }
    }

    proptest! {
        #[test]
        fn a_block_a_hidden_author_a_takedown_or_a_deletion_hides(post in any_post(), reader in any_reader()) {
            for shut_out in [
                Audience { blocked: true, ..reader },
                Audience { standing: Standing::Hidden, ..reader },
                Audience { standing: Standing::Gone, ..reader },
                Audience { taken_down: true, ..reader },
            ] {
                prop_assert!(!sees(&post, &shut_out));
            }
            let deleted = Post { deleted_at: Some(Timestamp::from_seconds(2)), ..post };
            prop_assert!(!sees(&deleted, &reader) && !sees(&deleted, &author()));
        }

        #[test]
        fn coming_closer_never_hides(post in any_post(), reader in any_reader()) {
            for closer in [
                Audience { follows: true, ..reader },
                Audience { in_circle: true, ..reader },
                Audience { mentioned: true, ..reader },
                Audience { followed_by: true, ..reader },
                Audience { blocked: false, ..reader },
                Audience { private: false, ..reader },
                Audience { standing: Standing::Live, ..reader },
            ] {
                prop_assert!(sees(&post, &closer) >= sees(&post, &reader));
                prop_assert!(may_reply(&post, &closer) >= may_reply(&post, &reader));
                prop_assert!(within_class(&post, &closer) >= within_class(&post, &reader));
            }
        }

        #[test]
        fn policy_is_within_row_security_and_replies_within_policy(post in any_post(), reader in any_reader()) {
            prop_assert!(within_class(&post, &reader) >= sees(&post, &reader));
            prop_assert!(sees(&post, &reader) >= may_reply(&post, &reader));
        }

        #[test]
        fn for_a_live_stranger_of_an_open_author_class_decides_alone(post in any_post(), reader in any_reader()) {
            let reader = Audience { standing: Standing::Live, private: false, blocked: false, ..reader };
            prop_assert_eq!(sees(&post, &reader), within_class(&post, &reader));
        }

        #[test]
        fn authors_see_and_answer_whatever_lives(post in any_post()) {
            let living = Post { deleted_at: None, ..post };
            prop_assert!(sees(&living, &author()) && may_reply(&living, &author()));
        }
    }

    #[test]
    fn each_class_opens_to_its_own_key_only() {
        let stranger = Audience::default();
        let circle = Visibility::Circle(CircleId::from_raw(1));
        for (visibility, key) in [
            (Visibility::Followers, Audience { follows: true, ..stranger }),
            (circle, Audience { in_circle: true, ..stranger }),
            (Visibility::Mentioned, Audience { mentioned: true, ..stranger }),
        ] {
            assert!(!sees(&post_for(visibility), &stranger) && sees(&post_for(visibility), &key), "{visibility:?}");
        }
        assert!(sees(&post_for(Visibility::Public), &stranger) && sees(&post_for(Visibility::Unlisted), &stranger));
        assert!(!sees(
            &post_for(Visibility::Private),
            &Audience { follows: true, in_circle: true, mentioned: true, ..stranger }
        ));
        let behind_approval = Audience { private: true, ..stranger };
        assert!(!sees(&post_for(Visibility::Public), &behind_approval));
        assert!(sees(&post_for(Visibility::Mentioned), &Audience { mentioned: true, ..behind_approval }));
    }

    #[test]
    fn audiences_change_by_class_or_by_those_mentioned() {
        let [a, b] = [1, 2].map(ProfileId::from_raw);
        let with = |visibility, mentions: &[ProfileId]| Post {
            visibility,
            mentions: mentions.to_vec(),
            ..post_for(visibility)
        };
        assert!(!audience_changed(&with(Visibility::Mentioned, &[a, b]), &with(Visibility::Mentioned, &[b, a])));
        assert!(audience_changed(&with(Visibility::Mentioned, &[a, b]), &with(Visibility::Mentioned, &[a])));
        assert!(audience_changed(&with(Visibility::Mentioned, &[a]), &with(Visibility::Mentioned, &[a, b])));
        assert!(!audience_changed(&with(Visibility::Public, &[a]), &with(Visibility::Public, &[b])));
        assert!(audience_changed(&with(Visibility::Public, &[]), &with(Visibility::Followers, &[])));
    }

    #[test]
    fn thresholds_and_windows_include_their_edge() {
        assert_eq!((delivery(9_999, 10_000), delivery(10_000, 10_000)), (Delivery::Push, Delivery::Pull));
        let (deleted, window) = (Timestamp::from_seconds(100), Duration::from_secs(50));
        assert!(restorable(deleted, Timestamp::from_seconds(150), window));
        assert!(!restorable(deleted, Timestamp::from_micros(150_000_001), window));
    }
}
