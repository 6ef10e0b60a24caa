//! Who may see a post and who may answer it: pure decisions, the law that the stores are held to.

use super::{Audience, Post, ReplyRule, Visibility};
use crate::account::Standing;

/// The half of the decision that row security answers as well: whether a reader may ever learn this post. Both
/// guards give the same answer here.
pub fn within_class(post: &Post, reader: &Audience) -> bool {
    if reader.is_author {
        return true;
    }
    if post.deleted_at.is_some() {
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
    let open = !reader.private || reader.follows || matches!(post.visibility, Visibility::Mentioned | Visibility::Circle(_));
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
