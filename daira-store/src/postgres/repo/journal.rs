//! The event log, idempotency keys and the audit trail, written with the effect they speak of.

use async_trait::async_trait;
use daira_core::actor::Actor;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::event::{Event, lane};
use daira_core::id::Id;
use daira_core::idempotency::{Claim, Keyed, MAX_RESULT};
use daira_core::port::store::{AuditRecord, Journal};

use super::super::error::corrupt;
use super::super::unit::PgUnit;
use super::rows::stored;

/// The name under which an actor stands in keys and in the audit trail; the same as SQL's `daira.who()`.
fn who(actor: &Actor) -> String {
    match actor {
        Actor::Anonymous => "anonymous".to_owned(),
        Actor::Member(member) | Actor::Staff(member) => member.profile.raw().to_string(),
        Actor::System(name) => format!("system:{name}"),
    }
}

#[async_trait]
impl Journal for PgUnit {
    async fn append(&mut self, events: &[Event]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let lanes: Vec<i16> = events.iter().map(|e| lane(e.key())).collect();
        let keys: Vec<i64> = events.iter().map(Event::key).collect();
        let topics: Vec<String> = events.iter().map(|e| e.topic().to_owned()).collect();
        let kinds: Vec<String> = events.iter().map(|e| e.kind().to_owned()).collect();
        let payloads: Vec<Vec<u8>> = events.iter().map(Event::encode).collect();
        // Ids are handed out in the order of the rows, and that is the order of the events.
        let done = sqlx::query!(
            "insert into daira.event (lane, key, topic, kind, payload)
             select e.lane, e.key, e.topic, e.kind, e.payload
             from unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::bytea[]) with ordinality
                  e (lane, key, topic, kind, payload, place)
             order by e.place",
            &lanes,
            &keys,
            &topics,
            &kinds,
            &payloads
        )
        .execute(self.connection())
        .await;
        self.check("event.append", done).map(drop)
    }

    async fn claim(&mut self, keyed: &Keyed) -> Result<Claim> {
        let name = who(self.actor());
        let found = sqlx::query!(
            r#"select outcome as "outcome!", stored from daira.claim_key($1, $2, $3, $4)"#,
            name,
            keyed.operation,
            keyed.key.as_str(),
            &keyed.request[..]
        )
        .fetch_one(self.connection())
        .await;
        let row = self.check("idempotency.claim", found)?;
        match (row.outcome, row.stored) {
            (0, _) => Ok(Claim::Fresh),
            (1, Some(result)) => Ok(Claim::Replay(result)),
            (2, _) => Ok(Claim::InFlight),
            (3, _) => Ok(Claim::Reused),
            (other, _) => Err(corrupt("idempotency.claim", other.to_string())),
        }
    }

    async fn remember(&mut self, keyed: &Keyed, result: &[u8]) -> Result<()> {
        if result.len() > MAX_RESULT {
            return Err(Error::new(ErrorKind::Internal, "idempotency.remember"));
        }
        let name = who(self.actor());
        let done = sqlx::query!(
            "insert into daira.idempotency (who, operation, key, request, result) values ($1, $2, $3, $4, $5)",
            name,
            keyed.operation,
            keyed.key.as_str(),
            &keyed.request[..],
            result
        )
        .execute(self.connection())
        .await;
        self.check("idempotency.remember", done).map(drop)
    }

    async fn audit(&mut self, record: &AuditRecord) -> Result<()> {
        let name = who(self.actor());
        let done = sqlx::query!(
            "insert into daira.audit (at, who, action, subject, detail) values ($1, $2, $3, $4, $5)",
            stored(record.at),
            name,
            record.action,
            record.subject,
            record.detail
        )
        .execute(self.connection())
        .await;
        self.check("audit.append", done).map(drop)
    }
}
