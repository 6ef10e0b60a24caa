//! Posts, their history and tags: the writing half.

use async_trait::async_trait;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{Id, PostId, ProfileId, floor};
use daira_core::port::store::{Lock, PostRepository};
use daira_core::post::{Audience, Delivery, Post, Revision, Visibility};
use daira_core::time::Timestamp;

use super::super::unit::PgUnit;
use super::rows::{
    PostRow, delivery_code, limit, locked, media_code, raws, replies_code, some, standing, stored, visibility_code,
};

/// A post's lists as columns: null where there is nothing.
struct Lists {
    media: Option<Vec<i64>>,
    alts: Option<Vec<String>>,
    mentions: Option<Vec<i64>>,
    tags: Option<Vec<String>>,
    spellings: Option<Vec<String>>,
}

impl Lists {
    fn of(post: &Post) -> Self {
        Self {
            media: some(post.media.iter().map(|m| m.media.raw()).collect()),
            alts: some(post.media.iter().map(|m| m.alt.clone()).collect()),
            mentions: some(raws(&post.mentions)),
            tags: some(post.tags.iter().map(|t| t.key.as_str().to_owned()).collect()),
            spellings: some(post.tags.iter().map(|t| t.spelling.clone()).collect()),
        }
    }
}

impl PgUnit {
    /// Brings the lists of tags in line with a post; unknown tags are created with the spelling used here. Only what is
    /// public stands in a list or makes a tag known.
    async fn retag(&mut self, post: &Post, lists: &Lists, was_there: bool) -> Result<()> {
        let none = (Vec::new(), Vec::new());
        let (tags, spellings) = match (&lists.tags, &lists.spellings) {
            (Some(tags), Some(spellings)) if post.visibility == Visibility::Public => (tags, spellings),
            _ => (&none.0, &none.1),
        };
        if was_there {
            let done =
                sqlx::query!("delete from daira.post_tag where post = $1 and tag <> all($2)", post.id.raw(), &tags[..])
                    .execute(self.connection())
                    .await;
            self.check("post.tags", done)?;
        }
        if tags.is_empty() {
            return Ok(());
        }
        // In one order, so that two posts with the same new tags do not wait for each other.
        let done = sqlx::query!(
            r#"insert into daira.hashtag (key, spelling)
               select distinct on (t.key collate "C") t.key, t.spelling
               from unnest($1::text[], $2::text[]) t (key, spelling) order by t.key collate "C"
               on conflict do nothing"#,
            tags,
            spellings
        )
        .execute(self.connection())
        .await;
        self.check("post.tags", done)?;
        let done = sqlx::query!(
            "insert into daira.post_tag (tag, post) select tag, $2 from unnest($1::text[]) tag on conflict do nothing",
            tags,
            post.id.raw()
        )
        .execute(self.connection())
        .await;
        self.check("post.tags", done)?;
        Ok(())
    }
}

impl PgUnit {
    /// Removes posts with all that hangs on them; their pictures are free to be swept.
    pub(super) async fn remove_posts(&mut self, operation: &'static str, doomed: &[i64]) -> Result<()> {
        if doomed.is_empty() {
            return Ok(());
        }
        let done = sqlx::query!(
            "delete from daira.reaction where not on_comment and target = any($1)
                 or on_comment and target = any(array(select id from daira.comment where post = any($1)))",
            doomed
        )
        .execute(self.connection())
        .await;
        self.check(operation, done)?;
        let done = sqlx::query!(
            "delete from daira.comment_counter where comment in (select id from daira.comment where post = any($1))",
            doomed
        )
        .execute(self.connection())
        .await;
        self.check(operation, done)?;
        let done = sqlx::query!("delete from daira.post_counter where post = any($1)", doomed)
            .execute(self.connection())
            .await;
        self.check(operation, done)?;
        let done = sqlx::query!("update daira.media set post = null, attached = false where post = any($1)", doomed)
            .execute(self.connection())
            .await;
        self.check(operation, done)?;
        // Inboxes do not reach back so far, unless somebody purges sooner than the product does.
        let (first, last) = (doomed.iter().min().copied(), doomed.iter().max().copied());
        let done = sqlx::query!(
            "delete from daira.inbox where post = any($1) and post between $2 and $3",
            doomed,
            first,
            last
        )
        .execute(self.connection())
        .await;
        self.check(operation, done)?;
        let done = sqlx::query!(
            "delete from daira.takedown where kind = 1 and subject = any($1)
                 or kind = 2 and subject = any(array(select id from daira.comment where post = any($1)))",
            doomed
        )
        .execute(self.connection())
        .await;
        self.check(operation, done)?;
        // Comments, history and places in tags go with it by their foreign keys; notifications of a post that is gone are
        // passed over by readers and dropped with their month.
        let done = sqlx::query!("delete from daira.post where id = any($1)", doomed).execute(self.connection()).await;
        self.check(operation, done)?;
        Ok(())
    }
}

#[async_trait]
impl PostRepository for PgUnit {
    async fn insert(&mut self, post: &Post) -> Result<()> {
        let (visibility, circle) = visibility_code(post.visibility);
        let lists = Lists::of(post);
        let done = sqlx::query!(
            "insert into daira.post (id, author, visibility, replies, delivery, kind, version, circle, edited_at, deleted_at, text,
                 warning, media, alts, mentions, tags, spellings)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
            post.id.raw(),
            post.author.raw(),
            visibility,
            replies_code(post.replies),
            delivery_code(post.delivery),
            media_code(post.media_kind()),
            post.version,
            circle,
            post.edited_at.map(stored),
            post.deleted_at.map(stored),
            post.text,
            post.warning,
            lists.media.as_deref(),
            lists.alts.as_deref(),
            lists.mentions.as_deref(),
            lists.tags.as_deref(),
            lists.spellings.as_deref(),
        )
        .execute(self.connection())
        .await;
        self.check("post.insert", done)?;
        if post.delivery == Delivery::Pull {
            let done = sqlx::query!(
                "insert into daira.pull_author as a (author, latest) values ($1, $2)
                 on conflict (author) do update set latest = greatest(a.latest, excluded.latest)",
                post.author.raw(),
                post.id.raw()
            )
            .execute(self.connection())
            .await;
            self.check("post.pull_author", done)?;
        }
        self.retag(post, &lists, false).await
    }

    async fn post(&mut self, id: PostId, lock: Lock) -> Result<Option<Post>> {
        let found = locked!(
            lock,
            PostRow,
            "select id, author, text, visibility, circle, replies, delivery, version, warning, edited_at, deleted_at, media, alts,
                    mentions, tags, spellings
             from daira.post where id = $1",
            self.connection(),
            id.raw()
        );
        self.check("post.load", found)?.map(Post::try_from).transpose()
    }

    async fn update(&mut self, post: &Post, before: Option<&Revision>) -> Result<()> {
        let (visibility, circle) = visibility_code(post.visibility);
        let lists = Lists::of(post);
        let done = sqlx::query_scalar!(
            r#"update daira.post p
               set visibility = $2, replies = $3, kind = $4, version = $5, circle = $6, edited_at = $7, deleted_at = $8, text = $9,
                   warning = $10, media = $11, alts = $12, mentions = $13, tags = $14, spellings = $15
               from (select id, visibility, circle, mentions, deleted_at from daira.post where id = $1 for no key update) b
               where p.id = b.id and p.version = $5 - 1
               returning (b.visibility, b.circle, b.mentions, b.deleted_at is null)
                         is distinct from (p.visibility, p.circle, p.mentions, p.deleted_at is null) as "changed!""#,
            post.id.raw(),
            visibility,
            replies_code(post.replies),
            media_code(post.media_kind()),
            post.version,
            circle,
            post.edited_at.map(stored),
            post.deleted_at.map(stored),
            post.text,
            post.warning,
            lists.media.as_deref(),
            lists.alts.as_deref(),
            lists.mentions.as_deref(),
            lists.tags.as_deref(),
            lists.spellings.as_deref(),
        )
        .fetch_optional(self.connection())
        .await;
        let changed = self.check("post.update", done)?.ok_or_else(|| Error::new(ErrorKind::Stale, "post.update"))?;
        if changed {
            let done =
                sqlx::query!("insert into daira.post_changed (post) values ($1) on conflict do nothing", post.id.raw())
                    .execute(self.connection())
                    .await;
            self.check("post.changed", done)?;
        }
        if let Some(before) = before {
            let done = sqlx::query!(
                "insert into daira.post_revision (post, version, text, warning, replaced_at) values ($1, $2, $3, $4, $5)",
                before.post.raw(),
                before.version,
                before.text,
                before.warning,
                stored(before.replaced_at)
            )
            .execute(self.connection())
            .await;
            self.check("post.revision", done)?;
        }
        self.retag(post, &lists, true).await
    }

    async fn audience(&mut self, post: &Post, viewer: ProfileId) -> Result<Audience> {
        let (visibility, circle) = visibility_code(post.visibility);
        // Each edge that is there is locked, so that it stays; that no block comes is guarded by the pair's lock.
        let found = sqlx::query!(
            r#"with author as (select private, standing from daira.profile where id = $1 for share),
                    follows as (select from daira.follow where follower = $2 and followee = $1 for share),
                    followed_by as (select from daira.follow where follower = $1 and followee = $2 for share),
                    in_circle as (select from daira.circle_member where circle = $3 and member = $2 for share)
               select a.private as "private!", a.standing as "standing!",
                      exists (select from follows) as "follows!",
                      exists (select from followed_by) as "followed_by!",
                      exists (select from in_circle) as "in_circle!",
                      (exists (select from daira.block where blocker = $2 and blocked = $1)
                       or exists (select from daira.block b join daira.profile v on v.account = b.blocked_account
                                  where b.blocker = $1 and v.id = $2)) as "blocked!"
               from author a"#,
            post.author.raw(),
            viewer.raw(),
            circle.filter(|_| visibility == 3),
        )
        .fetch_optional(self.connection())
        .await;
        let Some(row) = self.check("post.audience", found)? else {
            return Ok(Audience { standing: daira_core::account::Standing::Gone, ..Audience::default() });
        };
        Ok(Audience {
            is_author: post.author == viewer,
            standing: standing(row.standing)?,
            private: row.private,
            follows: row.follows,
            followed_by: row.followed_by,
            in_circle: row.in_circle,
            mentioned: post.mentions.contains(&viewer),
            blocked: row.blocked,
            // Row security hid it from all but its author.
            taken_down: false,
        })
    }

    async fn purge(&mut self, before: Timestamp, rows: u32) -> Result<Vec<PostId>> {
        const OPERATION: &str = "post.purge";
        let doomed = sqlx::query_scalar!(
            "select id from daira.post where deleted_at < $1 order by deleted_at, id limit $2 for update skip locked",
            stored(before),
            limit(rows)
        )
        .fetch_all(self.connection())
        .await;
        let doomed = self.check(OPERATION, doomed)?;
        self.remove_posts(OPERATION, &doomed).await?;
        let done = sqlx::query!(
            "delete from daira.post_changed where post < $1 and post < daira.id_floor(now() - interval '10 days')",
            floor(before)
        )
        .execute(self.connection())
        .await;
        self.check(OPERATION, done)?;
        Ok(doomed.into_iter().map(PostId::from_raw).collect())
    }
}
