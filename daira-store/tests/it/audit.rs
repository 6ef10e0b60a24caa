//! The audit trail under the hands of somebody who owns the database: whatever they change, the command that checks it says so,
//! and where.

use std::time::Duration;

use daira_core::Ports;
use daira_core::memory::ManualClock;
use daira_core::port::Clock;
use daira_core::port::store::AuditRecord;
use daira_core::record::{AuditBreak, AuditService, Head, Month};
use daira_core::testkit::fixture::{Fixture, Person};
use daira_store::postgres::testing::{Server, TestDatabase};
use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::conformance::ports;

struct Trail {
    world: Fixture,
    ports: Ports,
    audit: AuditService,
    database: TestDatabase,
    admin: PgConnection,
    mona: Person,
    /// The first seal, noted elsewhere.
    noted: Head,
}

impl Trail {
    async fn new(server: Server) -> Self {
        Box::pin(Self::sealed(server)).await
    }

    /// Two seals over three lines each.
    async fn sealed(server: Server) -> Self {
        let (ports, database) = ports(server).await;
        let world = Fixture::new(ports.clone());
        let mona = world.person("mona").await;
        let audit = AuditService::new(ports.clone());
        let admin = PgConnection::connect(&database.admin_url()).await.unwrap();
        let noted = Head { n: 0, tag: [0; 32] };
        let mut trail = Self { world, ports, audit, database, admin, mona, noted };
        trail.lines(3).await;
        // A number that is drawn by somebody who never commits.
        trail.tamper("select nextval(pg_get_serial_sequence('daira.audit', 'id'))").await;
        trail.noted = trail.audit.seal().await.unwrap().unwrap();
        trail.lines(3).await;
        trail.audit.seal().await.unwrap();
        assert_eq!(trail.breaks().await, []);
        trail
    }

    async fn lines(&self, how_many: usize) {
        for _ in 0..how_many {
            let at = self.world.tick();
            let record = AuditRecord { action: "test.done", subject: 7, detail: at.to_string(), at };
            let mut unit = self.world.unit(&self.mona.actor()).await;
            unit.journal().audit(&record).await.unwrap();
            unit.commit().await.unwrap();
        }
    }

    async fn breaks(&self) -> Vec<AuditBreak> {
        self.audit.verify(Some(self.noted)).await.unwrap().breaks
    }

    async fn tamper(&mut self, sql: &str) {
        let sql = format!("set session_replication_role = replica; {sql}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.admin).await.unwrap();
    }

    async fn ids(&mut self) -> Vec<i64> {
        sqlx::query_scalar("select id from daira.audit order by id").fetch_all(&mut self.admin).await.unwrap()
    }
}

async fn security_44_a_changed_line_is_found(server: Server) {
    for change in [
        "detail = 'nothing'",
        "who = 'system:cli'",
        "subject = 8",
        "at = at - interval '1 microsecond'",
        "action = 'x'",
    ] {
        let mut trail = Trail::new(server).await;
        let ids = trail.ids().await;
        trail.tamper(&format!("update daira.audit set {change} where id = {}", ids[4])).await;
        assert_eq!(trail.breaks().await, [AuditBreak::LinesChanged { n: 2, first: ids[3], last: ids[5] }], "{change}");
    }
}

async fn security_44_a_removed_line_is_found(server: Server) {
    let mut trail = Trail::new(server).await;
    let ids = trail.ids().await;
    trail.tamper(&format!("delete from daira.audit where id = {}", ids[1])).await;
    assert_eq!(trail.breaks().await, [AuditBreak::LineMissing { n: 1, line: ids[1] }]);
}

async fn security_44_lines_that_changed_places_are_found(server: Server) {
    let mut trail = Trail::new(server).await;
    let ids = trail.ids().await;
    let (one, other) = (ids[1], ids[4]);
    let swap = format!(
        "update daira.audit a set at = b.at, detail = b.detail from daira.audit b
         where (a.id, b.id) in (({one}, {other}), ({other}, {one}))"
    );
    trail.tamper(&swap).await;
    let first = AuditBreak::LinesChanged { n: 1, first: ids[0], last: ids[2] };
    let second = AuditBreak::LinesChanged { n: 2, first: ids[3], last: ids[5] };
    assert_eq!(trail.breaks().await, [first, second]);
}

async fn security_44_a_forged_seal_is_found(server: Server) {
    // Taken from another seal, made up, or made to fit a line that was changed.
    for forgery in
        ["digest = decode(repeat('ab', 32), 'hex')", "tag = decode(repeat('ab', 32), 'hex')", "at = now()", "lines = 2"]
    {
        let mut trail = Trail::new(server).await;
        trail.tamper(&format!("update daira.audit_seal set {forgery} where n = 2")).await;
        assert_eq!(trail.breaks().await, [AuditBreak::SealForged { n: 2 }], "{forgery}");
    }
    let mut trail = Trail::new(server).await;
    trail.tamper("delete from daira.audit_seal where n = 1").await;
    let breaks = trail.breaks().await;
    assert_eq!(breaks[0], AuditBreak::SealMissing { n: 1 });
    assert!(breaks.contains(&AuditBreak::HeadMissing { n: 1 }), "{breaks:?}");
    // All of the end cut off, lines and seals: only what was noted elsewhere tells.
    let mut trail = Trail::new(server).await;
    let noted = trail.audit.seal().await.unwrap();
    let ids = trail.ids().await;
    trail
        .tamper(&format!("delete from daira.audit_seal where n = 2; delete from daira.audit where id >= {}", ids[3]))
        .await;
    assert_eq!(trail.breaks().await, []);
    assert_eq!(trail.audit.verify(noted).await.unwrap().breaks, [AuditBreak::HeadMissing { n: 2 }]);
}

async fn security_44_a_line_that_comes_long_after_is_found(server: Server) {
    let mut trail = Trail::new(server).await;
    let ids = trail.ids().await;
    let clock = std::sync::Arc::new(ManualClock::default());
    clock.set(trail.world.now() + Duration::from_hours(2));
    let later = AuditService::new(Ports { clock, ..trail.ports.clone() });
    assert_eq!(later.verify(None).await.unwrap().breaks, []);
    let late = ids[2] + 1;
    let sql = format!(
        "insert into daira.audit (id, at, who, action, subject, detail) overriding system value
         values ({late}, now(), 'system:cli', 'test.done', 7, '')"
    );
    trail.tamper(&sql).await;
    assert_eq!(later.verify(None).await.unwrap().breaks, [AuditBreak::LineAdded { line: late }]);
}

async fn security_44_the_programs_add_seals_and_change_none(server: Server) {
    let trail = Trail::new(server).await;
    let config = trail.database.config();
    for (role, url) in [("app", config.app_url), ("worker", config.worker_url)] {
        let mut db = PgConnection::connect(&url).await.unwrap();
        for sql in [
            "update daira.audit_seal set lines = 0",
            "delete from daira.audit_seal",
            "truncate daira.audit_seal",
            "update daira.audit set detail = ''",
            "delete from daira.audit",
        ] {
            let refused = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut db).await.unwrap_err();
            let code = refused.as_database_error().and_then(DatabaseError::code).unwrap_or_default().into_owned();
            assert_eq!(code, "42501", "{role}: {sql}");
        }
        let month = Month::of(trail.world.now());
        let gone = sqlx::query_scalar::<_, bool>(AssertSqlSafe(format!("select daira.drop_audit('{month}-01')")));
        assert!(!gone.fetch_one(&mut db).await.unwrap_or(false), "{role} drops nothing that no seal lets go");
    }
}

async fn a_month_is_let_go_and_its_seal_stays(server: Server) {
    let mut trail = Trail::new(server).await;
    let months: i64 = sqlx::query_scalar("select count(*) from pg_inherits where inhparent = 'daira.audit'::regclass")
        .fetch_one(&mut trail.admin)
        .await
        .unwrap();
    let clock = std::sync::Arc::new(ManualClock::default());
    clock.set(trail.world.now() + Duration::from_hours(24 * 40));
    let mut ports = Ports { clock: clock.clone(), ..trail.ports.clone() };
    ports.settings_mut().retention.audit_months = 0;
    let later = AuditService::new(ports);
    let gone = later.let_go().await.unwrap();
    assert!(gone >= 1 && i64::from(gone) <= months, "{gone} of {months}");
    let verdict = later.verify(Some(trail.noted)).await.unwrap();
    assert_eq!((verdict.breaks, verdict.lines), (vec![], 0));
    assert!(verdict.let_go.contains(&Month::of(trail.world.now())));
    assert_eq!(trail.ids().await, [0_i64; 0]);
    assert!(clock.now() > trail.world.now());
}

async fn sealers_stand_in_a_queue_and_writers_do_not(server: Server) {
    let trail = Trail::new(server).await;
    let mut sealing = trail.world.unit(&daira_core::Actor::System("seal-audit")).await;
    sealing.audits().last_seal().await.unwrap();
    // A writer goes past somebody who is sealing; a second sealer waits and then finds what the first one left.
    trail.lines(1).await;
    let audit = trail.audit.clone();
    let mut second = JoinSet::new();
    second.spawn(async move { audit.seal().await });
    sealing.commit().await.unwrap();
    assert_eq!(second.join_next().await.unwrap().unwrap().unwrap().unwrap().n, 3);
    assert_eq!(trail.breaks().await, []);
}

async fn lines_are_found_by_their_ids(server: Server) {
    let mut trail = Trail::new(server).await;
    let missing: Vec<String> = sqlx::query_scalar(
        "select i.inhrelid::regclass::text from pg_inherits i where i.inhparent = 'daira.audit'::regclass
           and not exists (select from pg_index x where x.indrelid = i.inhrelid and pg_get_indexdef(x.indexrelid) like '%(id)')",
    )
    .fetch_all(&mut trail.admin)
    .await
    .unwrap();
    assert_eq!(missing, [""; 0], "months that were empty have the index");
    trail.ports.maintenance.ensure_partitions(trail.world.now(), 90).await.unwrap();
    let later: i64 =
        sqlx::query_scalar("select count(*) from pg_inherits i where i.inhparent = 'daira.audit_id'::regclass")
            .fetch_one(&mut trail.admin)
            .await
            .unwrap();
    assert!(later >= 4, "those that are made later as well: {later}");
}

on_each_server!(
    security_44_a_changed_line_is_found,
    security_44_a_removed_line_is_found,
    security_44_lines_that_changed_places_are_found,
    security_44_a_forged_seal_is_found,
    security_44_a_line_that_comes_long_after_is_found,
    security_44_the_programs_add_seals_and_change_none,
    a_month_is_let_go_and_its_seal_stays,
    sealers_stand_in_a_queue_and_writers_do_not,
    lines_are_found_by_their_ids,
);
