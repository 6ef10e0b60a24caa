//! Deliveries to people outside the platform. Only the platform's own role reaches the table.

use async_trait::async_trait;
use daira_core::account::{Delivery, Due};
use daira_core::error::Result;
use daira_core::id::{ChallengeId, Id, SessionId};
use daira_core::port::store::DeliveryRepository;
use daira_core::time::Timestamp;

use super::super::error::corrupt;
use super::super::unit::PgUnit;
use super::rows::{instant, limit, stored};

#[async_trait]
impl DeliveryRepository for PgUnit {
    async fn put_delivery(&mut self, due: Due, at: Timestamp) -> Result<()> {
        let (kind, subject) = key(due);
        let done = sqlx::query!(
            "insert into daira.delivery (kind, subject, tries, since, at) values ($1, $2, 0, $3, $3) on conflict do nothing",
            kind,
            subject,
            stored(at),
        )
        .execute(self.connection())
        .await;
        self.check("delivery.put", done).map(drop)
    }

    async fn take_deliveries(&mut self, now: Timestamp, until: Timestamp, most: u32) -> Result<Vec<Delivery>> {
        let found = sqlx::query!(
            "with due as materialized (
                 select kind, subject, at from daira.delivery where at <= $1 order by at, kind, subject limit $3
                 for update skip locked
             )
             update daira.delivery d set tries = d.tries + 1, at = $2 from due
             where d.kind = due.kind and d.subject = due.subject
             returning d.kind, d.subject, d.tries, d.since, due.at as due_since",
            stored(now),
            stored(until),
            limit(most),
        )
        .fetch_all(self.connection())
        .await;
        let mut rows = self.check("delivery.take", found)?;
        rows.sort_by_key(|row| (row.due_since, row.kind, row.subject));
        let taken = |kind, subject, tries: i16, since| {
            Ok(Delivery { due: due(kind, subject)?, tries: tries.unsigned_abs(), since: instant(since), at: until })
        };
        rows.into_iter().map(|row| taken(row.kind, row.subject, row.tries, row.since)).collect()
    }

    async fn postpone_delivery(&mut self, due: Due, at: Timestamp) -> Result<()> {
        let (kind, subject) = key(due);
        let done = sqlx::query!(
            "update daira.delivery set at = $3 where kind = $1 and subject = $2",
            kind,
            subject,
            stored(at)
        )
        .execute(self.connection())
        .await;
        self.check("delivery.postpone", done).map(drop)
    }

    async fn delete_delivery(&mut self, due: Due) -> Result<()> {
        let (kind, subject) = key(due);
        let done = sqlx::query!("delete from daira.delivery where kind = $1 and subject = $2", kind, subject)
            .execute(self.connection())
            .await;
        self.check("delivery.delete", done).map(drop)
    }
}

fn key(due: Due) -> (i16, i64) {
    match due {
        Due::Registration(id) => (0, id.raw()),
        Due::Mailing(id) => (1, id.raw()),
        Due::CopyNotice(session) => (2, session.raw()),
        Due::DeviceNotice(session) => (3, session.raw()),
    }
}

fn due(kind: i16, subject: i64) -> Result<Due> {
    match kind {
        0 => Ok(Due::Registration(ChallengeId::from_raw(subject))),
        1 => Ok(Due::Mailing(ChallengeId::from_raw(subject))),
        2 => Ok(Due::CopyNotice(SessionId::from_raw(subject))),
        3 => Ok(Due::DeviceNotice(SessionId::from_raw(subject))),
        _ => Err(corrupt("store.delivery", kind.to_string())),
    }
}
