//! Exports on their way, and the rows that they are made of. What those are is in `export_plan`, out of the data map.

use async_trait::async_trait;
use daira_core::error::{Error, Result};
use daira_core::id::{AccountId, ExportId, Id, MediaId};
use daira_core::media::Variant;
use daira_core::port::store::ExportRepository;
use daira_core::record::{Export, ExportFile, ExportPart, ExportRow, ExportState};
use daira_core::time::Timestamp;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::super::error::{corrupt, fault};
use super::super::export_plan::{kinds, readable};
use super::super::unit::PgUnit;
use super::rows::{instant, limit, locale, models, stored};

struct ExportRecord {
    id: i64,
    account: i64,
    requested_at: OffsetDateTime,
    state: i16,
    stage: i16,
    after: String,
    parts: i32,
    bytes: i64,
    tries: i16,
    turn: i32,
    until: OffsetDateTime,
    ready_at: Option<OffsetDateTime>,
    expires_at: Option<OffsetDateTime>,
    locale: String,
}

struct PartRecord {
    export: i64,
    account: i64,
    n: i32,
    file: String,
    key: String,
    bytes: i64,
    rows: i64,
    sha256: Vec<u8>,
}

/// A number that is not negative.
fn whole<F: ToString + Copy, T: TryFrom<F>>(number: F) -> Result<T> {
    T::try_from(number).map_err(|_| corrupt("store.export", number.to_string()))
}

impl TryFrom<ExportRecord> for Export {
    type Error = Error;

    fn try_from(row: ExportRecord) -> Result<Self> {
        Ok(Self {
            id: ExportId::from_raw(row.id),
            account: AccountId::from_raw(row.account),
            requested_at: instant(row.requested_at),
            state: ExportState::from_number(row.state).ok_or_else(|| corrupt("store.export", row.state.to_string()))?,
            stage: whole(row.stage)?,
            after: row.after,
            parts: whole(row.parts)?,
            bytes: whole(row.bytes)?,
            tries: whole(row.tries)?,
            turn: whole(row.turn)?,
            until: instant(row.until),
            ready_at: row.ready_at.map(instant),
            expires_at: row.expires_at.map(instant),
            locale: locale(&row.locale)?,
        })
    }
}

impl TryFrom<PartRecord> for ExportPart {
    type Error = Error;

    fn try_from(row: PartRecord) -> Result<Self> {
        Ok(Self {
            export: ExportId::from_raw(row.export),
            account: AccountId::from_raw(row.account),
            n: whole(row.n)?,
            file: row.file,
            key: row.key,
            bytes: whole(row.bytes)?,
            rows: whole(row.rows)?,
            sha256: row.sha256.try_into().map_err(|_| corrupt("store.export", "a digest of another length"))?,
        })
    }
}

#[async_trait]
impl ExportRepository for PgUnit {
    async fn insert_export(&mut self, export: &Export) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.export (id, account, requested_at, state, until, locale) values ($1, $2, $3, $4, $5, $6)",
            export.id.raw(),
            export.account.raw(),
            stored(export.requested_at),
            export.state.number(),
            stored(export.until),
            export.locale.tag()
        )
        .execute(self.connection())
        .await;
        self.check("export.insert", done).map(drop)
    }

    async fn export(&mut self, id: ExportId) -> Result<Option<Export>> {
        let found = sqlx::query_as!(ExportRecord, "select * from daira.export where id = $1", id.raw())
            .fetch_optional(self.connection())
            .await;
        self.check("export.load", found)?.map(Export::try_from).transpose()
    }

    async fn exports(&mut self, account: AccountId, most: u32) -> Result<Vec<Export>> {
        let found = sqlx::query_as!(
            ExportRecord,
            "select * from daira.export where account = $1 order by id desc limit $2",
            account.raw(),
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("export.list", found)?)
    }

    async fn export_parts(&mut self, id: ExportId, from: u32, most: u32) -> Result<Vec<ExportPart>> {
        let found = sqlx::query_as!(
            PartRecord,
            "select export, account, n, file, key, bytes, rows, sha256 from daira.export_part
             where export = $1 and n >= $2 order by n limit $3",
            id.raw(),
            i32::try_from(from).unwrap_or(i32::MAX),
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("export.parts", found)?)
    }

    async fn take_export(&mut self, now: Timestamp, until: Timestamp) -> Result<Option<Export>> {
        let found = sqlx::query_as!(
            ExportRecord,
            "update daira.export set turn = turn + 1, tries = tries + 1, until = $2
             where id = (select id from daira.export where state = 1 and until <= $1 order by until, id limit 1
                         for no key update skip locked)
             returning *",
            stored(now),
            stored(until)
        )
        .fetch_optional(self.connection())
        .await;
        self.check("export.take", found)?.map(Export::try_from).transpose()
    }

    async fn advance_export(&mut self, export: &Export, part: Option<&ExportPart>) -> Result<bool> {
        let moved = sqlx::query!(
            "update daira.export
             set state = $3, stage = $4, after = $5, parts = $6, bytes = $7, tries = $8, until = $9, ready_at = $10, expires_at = $11
             where id = $1 and turn = $2 and state = 1",
            export.id.raw(),
            i32::try_from(export.turn).unwrap_or(i32::MAX),
            export.state.number(),
            i16::try_from(export.stage).unwrap_or(i16::MAX),
            export.after,
            i32::try_from(export.parts).unwrap_or(i32::MAX),
            i64::try_from(export.bytes).unwrap_or(i64::MAX),
            i16::try_from(export.tries).unwrap_or(i16::MAX),
            stored(export.until),
            export.ready_at.map(stored),
            export.expires_at.map(stored)
        )
        .execute(self.connection())
        .await;
        if self.check("export.advance", moved)?.rows_affected() == 0 {
            return Ok(false);
        }
        let Some(part) = part else { return Ok(true) };
        let done = sqlx::query!(
            "insert into daira.export_part (export, account, n, file, key, bytes, rows, sha256)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            part.export.raw(),
            part.account.raw(),
            i32::try_from(part.n).unwrap_or(i32::MAX),
            part.file,
            part.key,
            i64::try_from(part.bytes).unwrap_or(i64::MAX),
            i64::try_from(part.rows).unwrap_or(i64::MAX),
            &part.sha256[..]
        )
        .execute(self.connection())
        .await;
        self.check("export.part", done).map(|_| true)
    }

    async fn exports_over(&mut self, now: Timestamp, after: Option<ExportId>, most: u32) -> Result<Vec<Export>> {
        let found = sqlx::query_as!(
            ExportRecord,
            "select * from daira.export where state in (2, 3) and expires_at <= $1 and id > $2 order by id limit $3",
            stored(now),
            after.map_or(0, Id::raw),
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("export.over", found)?)
    }

    async fn remove_export(&mut self, id: ExportId) -> Result<()> {
        let done =
            sqlx::query!("delete from daira.export_part where export = $1", id.raw()).execute(self.connection()).await;
        self.check("export.remove", done)?;
        let done = sqlx::query!("update daira.export set state = 4, parts = 0, bytes = 0 where id = $1", id.raw())
            .execute(self.connection())
            .await;
        self.check("export.remove", done).map(drop)
    }

    async fn forget_exports(&mut self, before: Timestamp, most: u32) -> Result<u64> {
        let done = sqlx::query!(
            "delete from daira.export where id in (
                 select id from daira.export where state = 4 and requested_at < $1 limit $2 for update skip locked)",
            stored(before),
            limit(most)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("export.forget", done)?.rows_affected())
    }

    fn export_kinds(&self) -> Vec<&'static str> {
        // A map that cannot be read has no kinds; asking for rows of any says so.
        kinds().map(|kinds| kinds.iter().map(|kind| kind.name).collect()).unwrap_or_default()
    }

    async fn export_rows(&mut self, kind: &str, account: AccountId, after: &str, most: u32) -> Result<Vec<ExportRow>> {
        const OPERATION: &str = "export.rows";
        let found = kinds()?.iter().find(|one| one.name == kind);
        let [first, next] = &found.ok_or_else(|| corrupt(OPERATION, kind))?.statements;
        let faces = sqlx::query_scalar!("select id from daira.profile where account = $1", account.raw())
            .fetch_all(self.connection())
            .await;
        let faces = self.check(OPERATION, faces)?;
        let names: Vec<String> = faces.iter().map(i64::to_string).collect();
        // Made of words of the map alone.
        let sql = if after.is_empty() { first } else { next };
        let rows = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(account.raw())
            .bind(&faces)
            .bind(&names)
            .bind(limit(most))
            .bind(after)
            .fetch_all(self.connection())
            .await;
        let mut read = Vec::new();
        for row in self.check(OPERATION, rows)? {
            let mark = row.try_get(0).map_err(|e| fault(OPERATION, e))?;
            let json: String = row.try_get(1).map_err(|e| fault(OPERATION, e))?;
            let mut object = serde_json::from_str(&json).map_err(|e| corrupt(OPERATION, e.to_string()))?;
            readable(kind, &mut object);
            read.push(ExportRow { mark, json: serde_json::Value::Object(object).to_string() });
        }
        Ok(read)
    }

    async fn export_files(&mut self, account: AccountId, after: &str, most: u32) -> Result<Vec<ExportFile>> {
        const OPERATION: &str = "export.files";
        let (from, name) = after.split_once(' ').unwrap_or(("0", ""));
        let from: i64 = from.parse().map_err(|_| corrupt(OPERATION, after))?;
        let found = sqlx::query!(
            r#"select m.id, v.variant as "variant!" from daira.media m
               cross join lateral jsonb_array_elements(m.variants) v (variant)
               where m.owner in (select id from daira.profile where account = $1)
                 and (m.id, v.variant ->> 'name' collate "C") > ($2, $3)
               order by m.id, v.variant ->> 'name' collate "C" limit $4"#,
            account.raw(),
            from,
            name,
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        let mut files = Vec::new();
        for row in self.check(OPERATION, found)? {
            let variant: Variant =
                serde_json::from_value(row.variant).map_err(|e| corrupt(OPERATION, e.to_string()))?;
            files.push(ExportFile {
                mark: format!("{} {}", row.id, variant.name),
                name: format!("media/{}-{}", MediaId::from_raw(row.id), variant.name),
                key: variant.key,
            });
        }
        Ok(files)
    }
}
