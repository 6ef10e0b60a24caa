//! The log of breaches, which the worker's role alone reads and writes.

use async_trait::async_trait;
use daira_core::error::{Error, Result};
use daira_core::id::{BreachId, Id, ProfileId};
use daira_core::port::store::{BreachRepository, Lock};
use daira_core::record::{Breach, BreachNote, BreachStep};
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::error::corrupt;
use super::super::unit::PgUnit;
use super::rows::{instant, limit, locked, models, stored};

struct BreachRow {
    id: i64,
    known_at: OffsetDateTime,
    opened_at: OffsetDateTime,
    reported_at: Option<OffsetDateTime>,
    closed_at: Option<OffsetDateTime>,
}

struct NoteRow {
    breach: i64,
    at: OffsetDateTime,
    by_profile: Option<i64>,
    step: i16,
    text: String,
}

impl From<BreachRow> for Breach {
    fn from(row: BreachRow) -> Self {
        Self {
            id: BreachId::from_raw(row.id),
            known_at: instant(row.known_at),
            opened_at: instant(row.opened_at),
            reported_at: row.reported_at.map(instant),
            closed_at: row.closed_at.map(instant),
        }
    }
}

impl TryFrom<NoteRow> for BreachNote {
    type Error = Error;

    fn try_from(row: NoteRow) -> Result<Self> {
        Ok(Self {
            breach: BreachId::from_raw(row.breach),
            at: instant(row.at),
            by: row.by_profile.map(ProfileId::from_raw),
            step: BreachStep::from_number(row.step).ok_or_else(|| corrupt("store.breach", row.step.to_string()))?,
            text: row.text,
        })
    }
}

#[async_trait]
impl BreachRepository for PgUnit {
    async fn insert_breach(&mut self, breach: &Breach) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.breach (id, known_at, opened_at, reported_at, closed_at) values ($1, $2, $3, $4, $5)",
            breach.id.raw(),
            stored(breach.known_at),
            stored(breach.opened_at),
            breach.reported_at.map(stored),
            breach.closed_at.map(stored)
        )
        .execute(self.connection())
        .await;
        self.check("breach.insert", done).map(drop)
    }

    async fn breach(&mut self, id: BreachId, lock: Lock) -> Result<Option<Breach>> {
        let found = locked!(
            lock,
            BreachRow,
            "select id, known_at, opened_at, reported_at, closed_at from daira.breach where id = $1",
            self.connection(),
            id.raw()
        );
        Ok(self.check("breach.load", found)?.map(Breach::from))
    }

    async fn update_breach(&mut self, breach: &Breach) -> Result<()> {
        let done = sqlx::query!(
            "update daira.breach set reported_at = $2, closed_at = $3 where id = $1",
            breach.id.raw(),
            breach.reported_at.map(stored),
            breach.closed_at.map(stored)
        )
        .execute(self.connection())
        .await;
        self.check("breach.update", done).map(drop)
    }

    async fn breaches(&mut self, open_only: bool) -> Result<Vec<Breach>> {
        let found = sqlx::query_as!(
            BreachRow,
            "select id, known_at, opened_at, reported_at, closed_at from daira.breach
             where not $1 or closed_at is null order by known_at, id",
            open_only
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("breach.list", found)?.into_iter().map(Breach::from).collect())
    }

    async fn purge_breaches(&mut self, before: Timestamp, most: u32) -> Result<u64> {
        let done = sqlx::query!(
            "delete from daira.breach where id in (select id from daira.breach where closed_at < $1 limit $2)",
            stored(before),
            limit(most)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("breach.purge", done)?.rows_affected())
    }

    async fn add_breach_note(&mut self, note: &BreachNote) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.breach_note (breach, at, by_profile, step, text) values ($1, $2, $3, $4, $5)",
            note.breach.raw(),
            stored(note.at),
            note.by.map(Id::raw),
            note.step.number(),
            note.text
        )
        .execute(self.connection())
        .await;
        self.check("breach.note", done).map(drop)
    }

    async fn breach_notes(&mut self, id: BreachId) -> Result<Vec<BreachNote>> {
        let found = sqlx::query_as!(
            NoteRow,
            "select breach, at, by_profile, step, text from daira.breach_note where breach = $1 order by number",
            id.raw()
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("breach.notes", found)?)
    }
}
