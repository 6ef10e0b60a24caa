//! Posts, their history and tags: the reading half.

use std::sync::Arc;

use async_trait::async_trait;
use daira_core::actor::Member;
use daira_core::error::Result;
use daira_core::hashtag::Hashtag;
use daira_core::id::{Id, PostId, ProfileId};
use daira_core::page::{Limit, Page};
use daira_core::port::store::{Candidate, PostReads};
use daira_core::post::{Post, PostCard, PostCounters, Revision};
use daira_core::text::TagKey;
use daira_core::time::Timestamp;
use sqlx::PgExecutor;
use sqlx::postgres::PgConnection;
use time::OffsetDateTime;

use super::super::error::fault;
use super::super::questions::Question;
use super::super::shared::Shared;
use super::super::store::PgStore;
use super::super::ties::Kept;
use super::super::view::PgView;
use super::rows::{PostRow, ProfileRow, instant, models, raws, reaction_kind, stored};

/// A page of ids from one id more than wanted.
pub(super) fn id_page(ids: Vec<i64>, limit: Limit) -> Page<PostId> {
    Page::cut(ids.into_iter().map(PostId::from_raw).collect(), limit)
}

/// The id that a list newest first goes on below: above all ids at its start.
pub(super) fn below(after: Option<PostId>) -> i64 {
    after.map_or(i64::MAX, Id::raw)
}

/// Posts with all that is shown of them, as far as the one who asks may see them: one statement, which says itself who asks.
/// While the reader's ties are those of the version named, no block is looked for, and no counters are.
async fn cards(
    connection: impl PgExecutor<'_>,
    me: Option<Member>,
    ids: &[i64],
    ties: Option<i64>,
) -> sqlx::Result<Read> {
    let rows = sqlx::query!(
        r#"select id as "id!", author as "author!", text as "text!", visibility as "visibility!", circle, replies as "replies!",
                  delivery as "delivery!", version as "version!", warning, edited_at, media, alts, mentions, tags, spellings,
                  author_account as "author_account!", author_handle as "author_handle!", author_name as "author_name!",
                  author_bio as "author_bio!", author_links as "author_links!", author_avatar, author_kind as "author_kind!",
                  author_private as "author_private!", author_standing as "author_standing!",
                  author_created_at as "author_created_at!", author_version as "author_version!",
                  reactions as "reactions!", comments as "comments!", viewer_reaction, server as "server!"
           from daira.cards($1, $2, $3, $4)"#,
        me.map(|me| me.profile.raw()),
        me.map(|me| me.account.raw()),
        ids,
        ties
    )
    .fetch_all(connection)
    .await?;
    let server = rows.first().map(|row| row.server);
    let cards = rows.into_iter().map(|row| {
        let author = ProfileRow {
            id: row.author,
            account: row.author_account,
            handle: row.author_handle,
            name: row.author_name,
            bio: row.author_bio,
            links: row.author_links,
            avatar: row.author_avatar,
            kind: row.author_kind,
            private: row.author_private,
            standing: row.author_standing,
            created_at: row.author_created_at,
            version: row.author_version,
        };
        let post = PostRow {
            id: row.id,
            author: row.author,
            text: row.text,
            visibility: row.visibility,
            circle: row.circle,
            replies: row.replies,
            delivery: row.delivery,
            version: row.version,
            warning: row.warning,
            edited_at: row.edited_at,
            deleted_at: None,
            media: row.media,
            alts: row.alts,
            mentions: row.mentions,
            tags: row.tags,
            spellings: row.spellings,
        };
        Ok(PostCard {
            post: Arc::new(post.try_into()?),
            author: Arc::new(author.try_into()?),
            counters: PostCounters { reactions: row.reactions, comments: row.comments },
            viewer_reaction: row.viewer_reaction.map(reaction_kind).transpose()?,
        })
    });
    Ok(Read { cards: cards.collect(), server })
}

/// Cards as they were read, and the run of a server that they are from.
struct Read {
    cards: Result<Vec<PostCard>>,
    server: Option<OffsetDateTime>,
}

/// [`cards`] of candidates as a question.
struct Cards {
    me: Member,
    ids: Vec<i64>,
    ties: Option<i64>,
}

impl Question for Cards {
    type Answer = Read;

    async fn ask(&self, connection: &mut PgConnection) -> sqlx::Result<Self::Answer> {
        cards(connection, Some(self.me), &self.ids, self.ties).await
    }
}

impl PgStore {
    /// The cards of candidates, with any counters and reactions where those are found along, outside of any transaction.
    pub(in crate::postgres) async fn cards_at_once(&self, me: Member, of: &[Candidate]) -> Result<Vec<PostCard>> {
        // These may be other ties than those by which the candidates were found.
        let Shared { ties, cards: kept, .. } = self.shared();
        let ties = match ties.of(me.profile.raw()) {
            Some(Kept::Ties(ties)) => Some(ties),
            Some(Kept::TooMany(_)) | None => None,
        };
        let blocked = |author: i64| ties.as_ref().is_some_and(|ties| ties.blocked(author));
        let (mut cards, mut ids) = (Vec::with_capacity(of.len()), Vec::new());
        for candidate in of.iter().filter(|c| !blocked(c.author.raw())) {
            let post = candidate.post.raw();
            let own = candidate.author == me.profile;
            match candidate.along.and_then(|_| if own { kept.of_own(post) } else { kept.of(post) }) {
                Some((post, author)) => {
                    cards.push(PostCard { post, author, counters: PostCounters::default(), viewer_reaction: None });
                }
                None => ids.push(post),
            }
        }
        if ids.is_empty() {
            return Ok(cards);
        }
        let turn = kept.turn();
        let question = Cards { me, ids, ties: ties.as_ref().map(|ties| ties.version) };
        let Read { cards: read, server } = self.questions().ask(&question).await.map_err(|e| fault("post.cards", e))?;
        let read = read?;
        if let Some(server) = server {
            let (own, others): (Vec<_>, Vec<_>) = read.iter().cloned().partition(|card| card.post.author == me.profile);
            kept.keep(turn, server, &others);
            kept.keep_own(turn, server, &own);
        }
        cards.extend(read);
        Ok(cards)
    }
}

#[async_trait]
impl PostReads for PgView {
    async fn cards(&mut self, ids: &[PostId]) -> Result<Vec<PostCard>> {
        let me = self.member();
        cards(self.connection(), me, &raws(ids), None).await.map_err(|e| fault("post.cards", e))?.cards
    }

    async fn by_author(&mut self, author: ProfileId, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let ids = sqlx::query_scalar!(
            r#"select id as "id!" from daira.visible_post where author = $1 and id < $2 order by id desc limit $3"#,
            author.raw(),
            below(after),
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("post.by_author", e))?;
        Ok(id_page(ids, limit))
    }

    async fn by_tag(&mut self, tag: &TagKey, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let ids = sqlx::query_scalar!(
            r#"select t.post as "post!"
               from daira.post_tag t
               where t.tag = $1 and t.post < $2
                 and exists (select from daira.visible_post p where p.id = t.post and p.visibility = 1 offset 0)
               order by t.post desc
               limit $3"#,
            tag.as_str(),
            below(after),
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("post.by_tag", e))?;
        Ok(id_page(ids, limit))
    }

    async fn tag(&mut self, tag: &TagKey) -> Result<Option<Hashtag>> {
        let spelling = sqlx::query_scalar!("select spelling from daira.hashtag where key = $1", tag.as_str())
            .fetch_optional(self.connection())
            .await
            .map_err(|e| fault("hashtag.load", e))?;
        Ok(spelling.map(|spelling| Hashtag { key: tag.clone(), spelling }))
    }

    async fn revisions(&mut self, post: PostId) -> Result<Vec<Revision>> {
        let rows = sqlx::query!(
            "select version, text, warning, replaced_at
             from daira.post_revision
             where post = $1 and (select exists (select from daira.visible_post where id = $1))
             order by version desc
             limit 100",
            post.raw()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("post.revisions", e))?;
        let revisions = rows.into_iter().map(|row| Revision {
            post,
            version: row.version,
            text: row.text,
            warning: row.warning,
            replaced_at: instant(row.replaced_at),
        });
        Ok(revisions.collect())
    }

    async fn own_deleted(&mut self, since: Timestamp, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let Some(me) = self.me() else { return Ok(Page::empty()) };
        let ids = sqlx::query_scalar!(
            "select id from daira.post where author = $1 and deleted_at >= $2 and id < $3 order by id desc limit $4",
            me.raw(),
            stored(since),
            below(after),
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("post.own_deleted", e))?;
        Ok(id_page(ids, limit))
    }

    async fn own_deleted_posts(&mut self, ids: &[PostId]) -> Result<Vec<Post>> {
        let Some(me) = self.me() else { return Ok(Vec::new()) };
        let rows = sqlx::query_as!(
            PostRow,
            "select id, author, text, visibility, circle, replies, delivery, version, warning, edited_at, deleted_at, media, alts,
                    mentions, tags, spellings
             from daira.post where id = any($1) and author = $2 and deleted_at is not null",
            &raws(ids),
            me.raw()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("post.own_deleted", e))?;
        models(rows)
    }
}
