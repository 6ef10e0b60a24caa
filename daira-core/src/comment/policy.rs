//! Who may answer what, how deep, and who may take an answer away: pure decisions.

use super::{Comment, CommentRefusal, MAX_DEPTH};
use crate::account::Standing;
use crate::error::{Error, Result};
use crate::graph::Relation;
use crate::id::ProfileId;
use crate::post::{Audience, Post, policy};

/// Whether a reader of the post may answer it, or a comment under it.
///
/// # Errors
/// Not found when they do not even see the post; [`CommentRefusal::NotAllowed`] when its author limits who may answer.
pub fn may_answer(post: &Post, reader: &Audience) -> Result<()> {
    if !policy::sees(post, reader) {
        return Err(Error::not_found());
    }
    if policy::may_reply(post, reader) { Ok(()) } else { Err(CommentRefusal::NotAllowed.into()) }
}

/// Whether a reader of the post sees a comment under it. `own` when it is the reader's own; `standing` is its author's, and
/// `relation` how the reader stands to them.
pub fn sees(comment: &Comment, own: bool, standing: Standing, relation: &Relation) -> bool {
    comment.deleted_at.is_none() && crate::graph::policy::sees(own, standing, relation)
}

/// The depth of an answer to a comment, or to the post itself.
///
/// # Errors
/// [`CommentRefusal::TooDeep`] below [`MAX_DEPTH`].
pub fn depth_under(parent: Option<&Comment>) -> Result<u8> {
    match parent.map_or(0, |parent| parent.depth) {
        depth if depth < MAX_DEPTH => Ok(depth + 1),
        _ => Err(CommentRefusal::TooDeep.into()),
    }
}

/// Whether somebody may delete a comment: who wrote it, and the author of the post.
pub fn may_delete(by: ProfileId, comment: &Comment, post_author: ProfileId) -> bool {
    by == comment.author || by == post_author
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{CommentId, Id, PostId};
    use crate::time::Timestamp;

    fn comment(depth: u8) -> Comment {
        Comment {
            id: CommentId::from_raw(1),
            post: PostId::from_raw(1),
            parent: None,
            depth,
            author: ProfileId::from_raw(7),
            text: "تمام".to_owned(),
            edited_at: None,
            deleted_at: None,
            version: 1,
        }
    }

    #[test]
    fn branches_end_at_the_tenth_level() {
        assert_eq!(depth_under(None).unwrap(), 1);
        assert_eq!(depth_under(Some(&comment(9))).unwrap(), 10);
        for depth in [10, 11, u8::MAX] {
            assert_eq!(depth_under(Some(&comment(depth))).unwrap_err().refusal(), Some(CommentRefusal::TooDeep));
        }
    }

    #[test]
    fn two_people_may_delete() {
        let [writer, host, guest] = [7, 8, 9].map(ProfileId::from_raw);
        assert!(may_delete(writer, &comment(1), host) && may_delete(host, &comment(1), host));
        assert!(!may_delete(guest, &comment(1), host));
    }

    proptest! {
        #[test]
        fn blocks_and_deletion_hide_and_nothing_else_brings_back(own: bool, blocks: bool, blocked_by: bool, follows: bool) {
            let relation = Relation { follows, blocks, blocked_by, ..Relation::default() };
            let deleted = Comment { deleted_at: Some(Timestamp::EPOCH), ..comment(1) };
            prop_assert!(!sees(&deleted, own, Standing::Live, &relation));
            prop_assert_eq!(sees(&comment(1), false, Standing::Live, &relation), !blocks && !blocked_by);
            prop_assert!(!sees(&comment(1), false, Standing::Hidden, &relation));
            prop_assert!(sees(&comment(1), true, Standing::Live, &relation));
        }
    }
}
