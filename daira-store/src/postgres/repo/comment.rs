//! Comments: a tree under each post.

use async_trait::async_trait;
use daira_core::comment::{Comment, CommentCard, CommentCounters};
use daira_core::error::Result;
use daira_core::id::{CommentId, Id, PostId};
use daira_core::page::{Limit, Page};
use daira_core::port::store::{CommentReads, CommentRepository, Lock};
use time::OffsetDateTime;

use super::super::error::fault;
use super::super::unit::PgUnit;
use super::super::view::PgView;
use super::rows::{CommentRow, ProfileRow, locked, raws, reaction_kind, stored};

#[async_trait]
impl CommentRepository for PgUnit {
    async fn insert(&mut self, comment: &Comment) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.comment (id, post, parent, author, depth, version, edited_at, deleted_at, text)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            comment.id.raw(),
            comment.post.raw(),
            comment.parent.map(Id::raw),
            comment.author.raw(),
            i16::from(comment.depth),
            comment.version,
            comment.edited_at.map(stored),
            comment.deleted_at.map(stored),
            comment.text,
        )
        .execute(self.connection())
        .await;
        self.check("comment.insert", done).map(drop)
    }

    async fn comment(&mut self, id: CommentId, lock: Lock) -> Result<Option<Comment>> {
        let found = locked!(
            lock,
            CommentRow,
            r#"select id, post, parent, coalesce(author, 0) as "author!", depth, version, edited_at, deleted_at, text
               from daira.comment where id = $1"#,
            self.connection(),
            id.raw()
        );
        self.check("comment.load", found)?.map(Comment::try_from).transpose()
    }

    async fn update(&mut self, comment: &Comment) -> Result<()> {
        let done = sqlx::query!(
            "update daira.comment set version = $2, edited_at = $3, deleted_at = $4, text = $5 where id = $1 and version = $2 - 1",
            comment.id.raw(),
            comment.version,
            comment.edited_at.map(stored),
            comment.deleted_at.map(stored),
            comment.text,
        )
        .execute(self.connection())
        .await;
        self.check_version("comment.update", done)
    }
}

/// A comment with all a reader gets; without an author it is a tombstone.
struct CardRow {
    id: i64,
    post: i64,
    parent: Option<i64>,
    author: i64,
    depth: i16,
    version: i32,
    edited_at: Option<OffsetDateTime>,
    deleted_at: Option<OffsetDateTime>,
    text: String,
    author_account: Option<i64>,
    author_handle: Option<String>,
    author_name: Option<String>,
    author_bio: Option<String>,
    author_links: Option<Vec<String>>,
    author_avatar: Option<i64>,
    author_kind: Option<i16>,
    author_private: Option<bool>,
    author_standing: Option<i16>,
    author_created_at: Option<OffsetDateTime>,
    author_version: Option<i32>,
    reactions: Option<i64>,
    replies: Option<i64>,
    viewer_reaction: Option<i16>,
}

impl TryFrom<CardRow> for CommentCard {
    type Error = daira_core::Error;

    fn try_from(row: CardRow) -> Result<Self> {
        let author = match (row.author_account, row.author_created_at) {
            (Some(account), Some(created_at)) if row.deleted_at.is_none() => {
                let profile = ProfileRow {
                    id: row.author,
                    account,
                    handle: row.author_handle.unwrap_or_default(),
                    name: row.author_name.unwrap_or_default(),
                    bio: row.author_bio.unwrap_or_default(),
                    links: row.author_links.unwrap_or_default(),
                    avatar: row.author_avatar,
                    kind: row.author_kind.unwrap_or_default(),
                    private: row.author_private.unwrap_or_default(),
                    standing: row.author_standing.unwrap_or_default(),
                    created_at,
                    version: row.author_version.unwrap_or_default(),
                };
                Some(profile.try_into()?)
            }
            _ => None,
        };
        let comment = CommentRow {
            id: row.id,
            post: row.post,
            parent: row.parent,
            author: row.author,
            depth: row.depth,
            version: row.version,
            edited_at: row.edited_at,
            deleted_at: row.deleted_at,
            text: row.text,
        };
        Ok(Self {
            comment: comment.try_into()?,
            author,
            counters: CommentCounters {
                reactions: row.reactions.unwrap_or_default(),
                replies: row.replies.unwrap_or_default(),
            },
            viewer_reaction: row.viewer_reaction.map(reaction_kind).transpose()?,
        })
    }
}

/// A page of answers as cards; `$1` is the reader. Their order comes from the index or from the counters alone; who is shown
/// is asked of one after the other, until the page is full. A comment is here when it lives and its author is visible, or
/// when it is deleted and living answers hang on it, at any depth: then as a tombstone.
///
/// Row security lets an index decide only by what is plainly the column, so answers to the post and answers to a comment
/// are two statements.
macro_rules! answers {
    ($connection:expr, $me:expr, $post:expr, $parent:expr, $which:literal, $order:literal, $more:expr, $limit:expr) => {
        match $parent {
            None::<i64> => {
                answers!(@page $connection, $me, $post, $parent, "c.parent is null and $3::bigint is null", $which, $order, $more, $limit)
            }
            Some(_) => answers!(@page $connection, $me, $post, $parent, "c.parent = $3", $which, $order, $more, $limit),
        }
    };
    (@page $connection:expr, $me:expr, $post:expr, $parent:expr, $under:literal, $which:literal, $order:literal, $more:expr, $limit:expr) => {
        sqlx::query_as!(
            CardRow,
            r#"select c.id as "id!", c.post as "post!", c.parent, coalesce(c.author, 0) as "author!", c.depth as "depth!", c.version as "version!",
                      c.edited_at, c.deleted_at, case when c.deleted_at is null then c.text else '' end as "text!",
                      a.account as "author_account?", a.handle as "author_handle?", a.name as "author_name?", a.bio as "author_bio?",
                      a.links as "author_links?", a.avatar as "author_avatar?", a.kind as "author_kind?",
                      a.private as "author_private?", a.standing as "author_standing?", a.created_at as "author_created_at?",
                      a.version as "author_version?", c.reactions as "reactions?", c.replies as "replies?",
                      case when c.deleted_at is null then r.kind end as "viewer_reaction?"
               from (select c.*, n.reactions, n.replies, coalesce(n.reactions, 0) as score
                     from daira.comment c
                     left join lateral (
                         select n.reactions, n.replies from daira.comment_counter n where n.comment = c.id offset 0) n on true
                     where c.post = $2 and "# + $under + " and " + $which + "
                       and (select exists (select from daira.visible_post where id = $2))
                     order by " + $order + r#") c
               left join lateral (
                   select a.* from daira.visible_profile a where a.id = c.author and c.deleted_at is null offset 0) a on true
               left join lateral (
                   select r.kind from daira.reaction r where r.target = c.id and r.on_comment and r.by = $1 offset 0) r on true
               where a.id is not null or (c.deleted_at is not null and exists (
                   with recursive below as (
                       select d.id, d.deleted_at from daira.comment d where d.parent = c.id
                       union all
                       select d.id, d.deleted_at from below b join daira.comment d on d.parent = b.id where b.deleted_at is not null
                   )
                   select from below where deleted_at is null))
               order by "# + $order + " limit $5",
            $me,
            $post,
            $parent,
            $more,
            $limit
        )
        .fetch_all($connection)
        .await
    };
}

#[async_trait]
impl CommentReads for PgView {
    async fn cards(&mut self, ids: &[CommentId]) -> Result<Vec<CommentCard>> {
        let me = self.me().map(Id::raw);
        let rows = sqlx::query_as!(
            CardRow,
            r#"select c.id as "id!", c.post as "post!", c.parent, c.author as "author!", c.depth as "depth!", c.version as "version!",
                      c.edited_at, c.deleted_at, c.text as "text!",
                      c.author_account, c.author_handle, c.author_name, c.author_bio, c.author_links, c.author_avatar,
                      c.author_kind, c.author_private, c.author_standing, c.author_created_at, c.author_version,
                      n.reactions as "reactions?", n.replies as "replies?", r.kind as "viewer_reaction?"
               from daira.visible_comment c
               left join daira.comment_counter n on n.comment = c.id
               left join daira.reaction r on r.target = c.id and r.on_comment and r.by = $2
               where c.id = any($1)"#,
            &raws(ids),
            me
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("comment.cards", e))?;
        rows.into_iter().map(CommentCard::try_from).collect()
    }

    async fn newest(
        &mut self,
        post: PostId,
        parent: Option<CommentId>,
        after: Option<CommentId>,
        limit: Limit,
    ) -> Result<Page<CommentCard>> {
        let me = self.me().map(Id::raw);
        let rows = answers!(
            self.connection(),
            me,
            post.raw(),
            parent.map(Id::raw),
            "c.id < $4",
            "c.id desc",
            after.map_or(i64::MAX, Id::raw),
            limit.fetch()
        )
        .map_err(|e| fault("comment.newest", e))?;
        let cards = rows.into_iter().map(CommentCard::try_from).collect::<Result<_>>()?;
        Ok(Page::cut(cards, limit))
    }

    async fn top(
        &mut self,
        post: PostId,
        parent: Option<CommentId>,
        shown: &[CommentId],
        limit: Limit,
    ) -> Result<Page<CommentCard>> {
        let me = self.me().map(Id::raw);
        let rows = answers!(
            self.connection(),
            me,
            post.raw(),
            parent.map(Id::raw),
            "c.id <> all($4)",
            "score desc, c.id desc",
            &raws(shown),
            limit.fetch()
        )
        .map_err(|e| fault("comment.top", e))?;
        let cards = rows.into_iter().map(CommentCard::try_from).collect::<Result<_>>()?;
        Ok(Page::cut(cards, limit))
    }
}
