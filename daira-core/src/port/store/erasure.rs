//! Erasing accounts: which are due, and everything of theirs, a portion at a time.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::{AccountId, CommentId, PostId, ProfileId};
use crate::media::{Media, Variant};
use crate::reaction::{ReactionKind, Target};
use crate::time::Timestamp;

/// Something that went and that others may have counted, kept or seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// A follow, from either end.
    Follow {
        /// Who followed.
        follower: ProfileId,
        /// Whom.
        followee: ProfileId,
    },
    /// A block, from either side.
    Block {
        /// Who shut out.
        blocker: ProfileId,
        /// Whom.
        blocked: ProfileId,
    },
    /// A reaction that a face gave.
    Reaction {
        /// The face.
        by: ProfileId,
        /// What it was given to.
        target: Target,
        /// Who made that, where it is still there.
        owner: Option<ProfileId>,
        /// Which it was.
        kind: ReactionKind,
    },
    /// A comment of a face; where answers of others hang on it a row without text and author stays.
    Comment {
        /// Its id.
        id: CommentId,
        /// The post it stood under.
        post: PostId,
        /// What it answered.
        parent: Option<CommentId>,
        /// Who wrote it.
        author: ProfileId,
        /// Whether it counted nowhere any more, because it was deleted or taken down before.
        uncounted: bool,
    },
    /// A post of a face, with all that hung on it.
    Post {
        /// Its id.
        id: PostId,
        /// Who wrote it.
        author: ProfileId,
        /// Whether it lived, was open, and was not taken down.
        open: bool,
    },
    /// A picture; its blobs are still there.
    Picture(Media),
    /// A face, after everything else of it.
    Face(ProfileId),
}

impl Gone {
    /// The blobs that have to go with it.
    pub fn variants(&self) -> &[Variant] {
        match self {
            Self::Picture(media) => &media.variants,
            _ => &[],
        }
    }
}

/// One portion of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erased {
    /// What went that others are told of.
    pub gone: Vec<Gone>,
    /// Whether nothing is left, the account included.
    pub done: bool,
}

/// Erases accounts. For the platform's own actors only.
#[async_trait]
pub trait ErasureRepository: Send {
    /// Accounts that were to be erased by an instant, and since when, those that wait longest first, at most `limit`, after one
    /// that was answered before.
    async fn due(
        &mut self,
        now: Timestamp,
        after: Option<(Timestamp, AccountId)>,
        limit: u32,
    ) -> Result<Vec<(Timestamp, AccountId)>>;

    /// Removes a portion of what is an account's: at most `limit` rows of one kind, with what hangs on each. What names it in
    /// rows of others goes as well; audit lines stay. Called again and again, each time in a unit of its own, until it is done;
    /// a portion that was taken back is found again. Of an account that is not there nothing is left.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::error::ErrorKind::Internal) for an account that is not deleted.
    async fn erase(&mut self, account: AccountId, limit: u32, now: Timestamp) -> Result<Erased>;
}
