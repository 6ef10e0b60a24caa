//! The audit trail as a chain. The worker's role reads lines and adds seals; it changes neither.

use async_trait::async_trait;
use daira_core::error::{Error, Result};
use daira_core::port::store::AuditRepository;
use daira_core::record::{AuditLine, Month, Seal};
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::error::corrupt;
use super::super::unit::PgUnit;
use super::rows::{instant, limit, models, stored};

/// The lock that sealers stand in a queue for.
const LOCK: i64 = 0x0064_6169_7373;

struct SealRow {
    n: i64,
    at: OffsetDateTime,
    month: time::Date,
    ids: String,
    lines: i32,
    digest: Vec<u8>,
    before: Vec<u8>,
    tag: Vec<u8>,
}

struct LineRow {
    id: i64,
    at: OffsetDateTime,
    who: String,
    action: String,
    subject: i64,
    detail: String,
}

impl TryFrom<SealRow> for Seal {
    type Error = Error;

    fn try_from(row: SealRow) -> Result<Self> {
        let hash = |bytes: Vec<u8>| bytes.try_into().map_err(|_| corrupt("store.seal", "a hash of another length"));
        Ok(Self {
            n: row.n,
            at: instant(row.at),
            month: month(row.month)?,
            ids: row.ids.parse().map_err(|e: daira_core::record::NoLineIds| corrupt("store.seal", e.to_string()))?,
            lines: u32::try_from(row.lines).map_err(|e| corrupt("store.seal", e.to_string()))?,
            digest: hash(row.digest)?,
            before: hash(row.before)?,
            tag: hash(row.tag)?,
        })
    }
}

impl From<LineRow> for AuditLine {
    fn from(row: LineRow) -> Self {
        let LineRow { id, at, who, action, subject, detail } = row;
        Self { id, at: instant(at), who, action, subject, detail }
    }
}

fn month(first: time::Date) -> Result<Month> {
    let year = i16::try_from(first.year()).ok();
    let number = i8::try_from(u8::from(first.month())).ok();
    let month = year.zip(number).and_then(|(year, number)| Month::new(year, number));
    month.ok_or_else(|| corrupt("store.month", first.to_string()))
}

fn first_day(month: Month) -> Result<time::Date> {
    let (year, number) = month.parts();
    let date = time::Month::try_from(number.unsigned_abs())
        .and_then(|month| time::Date::from_calendar_date(i32::from(year), month, 1));
    date.map_err(|e| corrupt("store.month", e.to_string()))
}

/// A month as the stretch of time that the trail is cut by.
fn bounds(month: Month) -> Result<(OffsetDateTime, OffsetDateTime)> {
    let first = first_day(month)?;
    // No month has more than 31 days, and none that follows is over before the 32nd day.
    let next = (first + time::Duration::days(31)).replace_day(1).map_err(|e| corrupt("store.month", e.to_string()))?;
    Ok((first.midnight().assume_utc(), next.midnight().assume_utc()))
}

fn count(of: i64) -> u64 {
    u64::try_from(of).unwrap_or(0)
}

#[async_trait]
impl AuditRepository for PgUnit {
    async fn last_seal(&mut self) -> Result<Option<Seal>> {
        // Of its own, so that what the last holder committed is in the snapshot of the next.
        let locked = sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(self.connection()).await;
        self.check("audit.lock", locked)?;
        let found = sqlx::query_as!(
            SealRow,
            r#"select n, at, month, ids::text as "ids!", lines, digest, before, tag
               from daira.audit_seal order by n desc limit 1"#
        )
        .fetch_optional(self.connection())
        .await;
        self.check("audit.last_seal", found)?.map(Seal::try_from).transpose()
    }

    async fn settled(&mut self, before: Timestamp) -> Result<i64> {
        let found = sqlx::query_scalar!(
            r#"select coalesce(max(last), 0) as "last!" from daira.audit_seal where at < $1"#,
            stored(before)
        )
        .fetch_one(self.connection())
        .await;
        self.check("audit.settled", found)
    }

    async fn unsealed(&mut self, month: Month, settled: i64, most: u32) -> Result<Vec<AuditLine>> {
        let (from, to) = bounds(month)?;
        let found = sqlx::query_as!(
            LineRow,
            "select a.id, a.at, a.who, a.action, a.subject, a.detail
             from daira.audit a
             where a.at >= $1 and a.at < $2 and a.id > $3
               and not exists (select from daira.audit_seal s where s.ids @> a.id and s.last > $3)
             order by a.id limit $4",
            from,
            to,
            settled,
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("audit.unsealed", found)?.into_iter().map(AuditLine::from).collect())
    }

    async fn count_waiting(&mut self, month: Month, settled: i64) -> Result<u64> {
        let (from, to) = bounds(month)?;
        let found = sqlx::query_scalar!(
            r#"select count(*) as "count!" from daira.audit a
               where a.at >= $1 and a.at < $2 and a.id > $3
                 and not exists (select from daira.audit_seal s where s.ids @> a.id and s.last > $3)"#,
            from,
            to,
            settled
        )
        .fetch_one(self.connection())
        .await;
        self.check("audit.waiting", found).map(count)
    }

    async fn strays(&mut self, month: Month, settled: i64, most: u32) -> Result<Vec<i64>> {
        let (from, to) = bounds(month)?;
        let found = sqlx::query_scalar!(
            "select a.id from daira.audit a
             where a.at >= $1 and a.at < $2 and a.id <= $3
               and not exists (select from daira.audit_seal s where s.ids @> a.id)
             order by a.id limit $4",
            from,
            to,
            settled,
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        self.check("audit.strays", found)
    }

    async fn append_seal(&mut self, seal: &Seal) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.audit_seal (n, at, month, ids, last, lines, digest, before, tag)
             values ($1, $2, $3, $4::text::int8multirange, $5, $6, $7, $8, $9)",
            seal.n,
            stored(seal.at),
            first_day(seal.month)?,
            seal.ids.to_string(),
            seal.ids.last().unwrap_or(0),
            i32::try_from(seal.lines).unwrap_or(i32::MAX),
            &seal.digest[..],
            &seal.before[..],
            &seal.tag[..]
        )
        .execute(self.connection())
        .await;
        self.check("audit.seal", done).map(drop)
    }

    async fn seals(&mut self, after: i64, most: u32) -> Result<Vec<Seal>> {
        let found = sqlx::query_as!(
            SealRow,
            r#"select n, at, month, ids::text as "ids!", lines, digest, before, tag
               from daira.audit_seal where n > $1 order by n limit $2"#,
            after,
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("audit.seals", found)?)
    }

    async fn lines_of(&mut self, seal: &Seal) -> Result<Vec<AuditLine>> {
        let (from, to) = bounds(seal.month)?;
        let found = sqlx::query_as!(
            LineRow,
            "select a.id, a.at, a.who, a.action, a.subject, a.detail
             from unnest($1::text::int8multirange) stretch
             join daira.audit a on a.id >= lower(stretch) and a.id < upper(stretch) and a.at >= $2 and a.at < $3
             order by a.id",
            seal.ids.to_string(),
            from,
            to
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("audit.lines", found)?.into_iter().map(AuditLine::from).collect())
    }

    async fn months(&mut self) -> Result<Vec<Month>> {
        let found = sqlx::query_scalar!(
            r#"select to_date(substr(c.relname, 7), 'YYYYMM') as "month!"
               from pg_inherits i join pg_class c on c.oid = i.inhrelid
               where i.inhparent = 'daira.audit'::regclass order by 1"#
        )
        .fetch_all(self.connection())
        .await;
        self.check("audit.months", found)?.into_iter().map(month).collect()
    }

    async fn count_lines(&mut self, month: Month) -> Result<u64> {
        let (from, to) = bounds(month)?;
        let found =
            sqlx::query_scalar!(r#"select count(*) as "count!" from daira.audit where at >= $1 and at < $2"#, from, to)
                .fetch_one(self.connection())
                .await;
        self.check("audit.count", found).map(count)
    }

    async fn count_sealed(&mut self, month: Month) -> Result<u64> {
        let found = sqlx::query_scalar!(
            r#"select coalesce(sum(lines), 0)::bigint as "count!" from daira.audit_seal where month = $1"#,
            first_day(month)?
        )
        .fetch_one(self.connection())
        .await;
        self.check("audit.count_sealed", found).map(count)
    }

    async fn is_let_go(&mut self, month: Month) -> Result<bool> {
        let found = sqlx::query_scalar!(
            r#"select exists (select from daira.audit_seal where month = $1 and isempty(ids)) as "gone!""#,
            first_day(month)?
        )
        .fetch_one(self.connection())
        .await;
        self.check("audit.is_let_go", found)
    }

    async fn drop_month(&mut self, month: Month) -> Result<bool> {
        let done = sqlx::query_scalar!(r#"select daira.drop_audit($1) as "gone!""#, first_day(month)?)
            .fetch_one(self.connection())
            .await;
        self.check("audit.drop", done)
    }
}
