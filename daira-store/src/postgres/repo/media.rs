//! Uploaded pictures.

use async_trait::async_trait;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{Id, MediaId, PostId, ProfileId};
use daira_core::media::{Media, Variant};
use daira_core::port::store::{MediaReads, MediaRepository};
use daira_core::time::Timestamp;
use sqlx::types::Json;
use time::OffsetDateTime;

use super::super::error::{corrupt, fault};
use super::super::unit::PgUnit;
use super::super::view::PgView;
use super::rows::{instant, limit, models, raws, stored};

/// A row of `media`.
pub(super) struct MediaRow {
    pub(super) id: i64,
    pub(super) owner: i64,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) blurhash: String,
    pub(super) alt: String,
    pub(super) variants: Json<Vec<Variant>>,
    pub(super) post: Option<i64>,
    pub(super) attached: bool,
    pub(super) created_at: OffsetDateTime,
}

impl TryFrom<MediaRow> for Media {
    type Error = Error;

    fn try_from(row: MediaRow) -> Result<Self> {
        let side = |pixels: i32| u32::try_from(pixels).map_err(|e| corrupt("store.media", e.to_string()));
        Ok(Self {
            id: MediaId::from_raw(row.id),
            owner: ProfileId::from_raw(row.owner),
            width: side(row.width)?,
            height: side(row.height)?,
            blurhash: row.blurhash,
            alt: row.alt,
            variants: row.variants.0,
            post: row.post.map(PostId::from_raw),
            attached: row.attached,
            created_at: instant(row.created_at),
        })
    }
}

/// A side of a picture as stored.
fn side(pixels: u32) -> Result<i32> {
    i32::try_from(pixels).map_err(|e| Error::new(ErrorKind::Internal, "media.insert").with_source(e))
}

#[async_trait]
impl MediaRepository for PgUnit {
    async fn insert(&mut self, media: &Media) -> Result<()> {
        let variants = serde_json::to_value(&media.variants)
            .map_err(|e| Error::new(ErrorKind::Internal, "media.insert").with_source(e))?;
        let done = sqlx::query!(
            "insert into daira.media (id, owner, width, height, blurhash, alt, variants, post, attached, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            media.id.raw(),
            media.owner.raw(),
            side(media.width)?,
            side(media.height)?,
            media.blurhash,
            media.alt,
            variants,
            media.post.map(Id::raw),
            media.attached,
            stored(media.created_at),
        )
        .execute(self.connection())
        .await;
        self.check("media.insert", done).map(drop)
    }

    async fn lock(&mut self, ids: &[MediaId]) -> Result<Vec<Media>> {
        // UPDATE's policy lets through only what is one's own.
        let rows = sqlx::query_as!(
            MediaRow,
            r#"select id, owner, width, height, blurhash, alt, variants as "variants: Json<Vec<Variant>>", post, attached, created_at
               from daira.media where id = any($1) order by id for no key update"#,
            &raws(ids)
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("media.lock", rows)?)
    }

    async fn attach(&mut self, ids: &[MediaId], to: Option<PostId>) -> Result<()> {
        let done = sqlx::query!(
            "update daira.media set post = $2, attached = true where id = any($1)",
            &raws(ids),
            to.map(Id::raw)
        )
        .execute(self.connection())
        .await;
        self.check("media.attach", done).map(drop)
    }

    async fn detach(&mut self, ids: &[MediaId]) -> Result<()> {
        let done = sqlx::query!("update daira.media set post = null, attached = false where id = any($1)", &raws(ids))
            .execute(self.connection())
            .await;
        self.check("media.detach", done).map(drop)
    }

    async fn sweep(&mut self, before: Timestamp, rows: u32) -> Result<Vec<Media>> {
        let swept = sqlx::query_as!(
            MediaRow,
            r#"with due as materialized (
                   select id from daira.media where not attached and created_at < $1 order by created_at, id limit $2 for update skip locked
               )
               delete from daira.media m using due where m.id = due.id
               returning m.id, m.owner, m.width, m.height, m.blurhash, m.alt, m.variants as "variants: Json<Vec<Variant>>", m.post, m.attached, m.created_at"#,
            stored(before),
            limit(rows)
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("media.sweep", swept)?)
    }
}

#[async_trait]
impl MediaReads for PgView {
    async fn media(&mut self, ids: &[MediaId]) -> Result<Vec<Media>> {
        let rows = sqlx::query_as!(
            MediaRow,
            r#"select m.id, m.owner, m.width, m.height, m.blurhash, m.alt, m.variants as "variants: Json<Vec<Variant>>", m.post, m.attached, m.created_at
               from daira.media m
               where m.id = any($1)
                 and (m.owner = (select daira.me())
                      or (select daira.is_platform())
                      or (m.post is not null and exists (select from daira.visible_post p where p.id = m.post offset 0))
                      or exists (select from daira.visible_profile p where p.id = m.owner and p.avatar = m.id offset 0))"#,
            &raws(ids)
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("media.load", e))?;
        models(rows)
    }
}
