//! What the catalogue says: roles, tables, rights and functions.

use daira_core::actor::Actor;
use daira_core::port::store::AuditRecord;
use daira_store::postgres::testing::Server;
use sqlx::PgConnection;

use super::{FORBIDDEN, Guarded, attempt, count};

async fn names(db: &mut PgConnection, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(db).await.unwrap()
}

async fn security_44_the_audit_trail_only_grows(server: Server) {
    let guarded = Guarded::new(server).await;
    let mona = guarded.world.person("mona").await;
    let record = AuditRecord { action: "test.done", subject: 7, detail: "why".to_owned(), at: guarded.world.now() };
    for actor in [mona.actor(), Actor::System("test")] {
        let mut unit = guarded.world.unit(&actor).await;
        unit.journal().audit(&record).await.unwrap();
        unit.commit().await.unwrap();
    }
    let mut admin = guarded.admin().await;
    let partition: String = sqlx::query_scalar("select tableoid::regclass::text from daira.audit limit 1")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    for mut db in [guarded.speaking(&mona).await, guarded.worker().await] {
        for table in ["daira.audit", &partition] {
            for sql in [
                format!("update {table} set detail = 'nothing'"),
                format!("delete from {table}"),
                format!("truncate {table}"),
                format!("drop table {table}"),
                format!("alter table {table} disable row level security"),
            ] {
                assert_eq!(attempt(&mut db, &sql).await, Err(FORBIDDEN.to_owned()), "{sql}");
            }
        }
    }
    let mut liar = guarded.speaking(&mona).await;
    let forged = "insert into daira.audit (at, who, action, subject, detail) values (now(), 'system:test', 'x', 1, '')";
    assert_eq!(attempt(&mut liar, forged).await, Err(FORBIDDEN.to_owned()), "nobody signs for somebody else");
    assert_eq!(attempt(&mut liar, "select * from daira.audit").await, Err(FORBIDDEN.to_owned()));
    assert_eq!(count(&mut admin, "daira.audit where action = 'test.done' and detail = 'why'").await, 2);
}

async fn security_45_the_programs_roles_bypass_nothing(server: Server) {
    let guarded = Guarded::new(server).await;
    for mut db in [guarded.app().await, guarded.worker().await] {
        let above = names(
            &mut db,
            "select rolname::text from pg_roles
             where pg_has_role(current_user, oid, 'member')
               and (rolname <> current_user or rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)",
        );
        assert_eq!(above.await, [""; 0]);
        let owned = names(
            &mut db,
            "select relname::text from pg_class where relowner = current_user::regrole
             union all select proname::text from pg_proc where proowner = current_user::regrole
             union all select nspname::text from pg_namespace where nspowner = current_user::regrole
             union all select datname::text from pg_database where datdba = current_user::regrole",
        );
        assert_eq!(owned.await, [""; 0]);
        for role in ["daira_owner", "daira_reader", "daira_backup", "postgres"] {
            let become_it = attempt(&mut db, &format!("set role {role}")).await;
            assert_eq!(become_it, Err(FORBIDDEN.to_owned()), "{role}");
        }
        let around = attempt(&mut db, "set row_security = off; select * from daira.post").await;
        assert_eq!(around, Err(FORBIDDEN.to_owned()), "row security cannot be left out");
    }
}

async fn security_46_every_table_and_partition_is_under_row_security(server: Server) {
    let guarded = Guarded::new(server).await;
    let mut admin = guarded.admin().await;
    let naked = "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 where c.relkind in ('r', 'p') and n.nspname = 'daira' and not (c.relrowsecurity and c.relforcerowsecurity)";
    assert_eq!(names(&mut admin, naked).await, [""; 0]);
    let partitions = "pg_class c where c.relispartition and c.relkind = 'r' and c.relnamespace = 'daira'::regnamespace";
    let before = count(&mut admin, partitions).await;
    // Those that are made later as well.
    guarded.ports.maintenance.ensure_partitions(guarded.world.now(), 40).await.unwrap();
    assert!(count(&mut admin, partitions).await > before && before > 20);
    assert_eq!(names(&mut admin, naked).await, [""; 0]);
    let all =
        names(&mut admin, "select c.oid::regclass::text from pg_class c where c.relispartition and c.relkind = 'r'");
    for partition in all.await {
        for mut db in [guarded.app().await, guarded.worker().await] {
            let read = attempt(&mut db, &format!("select * from {partition}")).await;
            assert_eq!(read, Err(FORBIDDEN.to_owned()), "{partition} by itself");
        }
    }
}

async fn security_53_nobody_is_granted_what_row_security_does_not_stop(server: Server) {
    let guarded = Guarded::new(server).await;
    let mut admin = guarded.admin().await;
    let held = names(
        &mut admin,
        "select r || ' may ' || p || ' ' || c.relname
         from pg_class c, unnest(array['daira_app', 'daira_worker', 'daira_reader']) r,
              unnest(array['TRUNCATE', 'REFERENCES', 'TRIGGER']) p
         where c.relnamespace = 'daira'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and has_table_privilege(r, c.oid, p)
         union all
         select r || ' makes things in ' || n.nspname from pg_namespace n, unnest(array['daira_app', 'daira_worker']) r
         where n.nspname in ('daira', 'public') and has_schema_privilege(r, n.oid, 'CREATE')",
    );
    assert_eq!(held.await, [""; 0]);
    for mut db in [guarded.app().await, guarded.worker().await] {
        for sql in [
            "truncate daira.post",
            "create table daira.mine (x int)",
            "create table public.mine (x int)",
            "create temporary table mine (x int)",
            "create trigger t before insert on daira.post execute function pg_catalog.tsvector_update_trigger()",
            "create policy all_mine on daira.post using (true)",
            "create schema mine",
        ] {
            assert_eq!(attempt(&mut db, sql).await, Err(FORBIDDEN.to_owned()), "{sql}");
        }
    }
}

async fn security_54_views_and_functions_let_nobody_past(server: Server) {
    let guarded = Guarded::new(server).await;
    let mut admin = guarded.admin().await;
    let views = names(
        &mut admin,
        "select c.relname::text from pg_class c
         where c.relnamespace = 'daira'::regnamespace and c.relkind = 'v' and 'security_invoker=true' = any (c.reloptions) order by 1",
    );
    assert_eq!(views.await, ["standing_post", "visible_comment", "visible_post", "visible_profile"]);
    let strange = names(
        &mut admin,
        "select c.relname::text from pg_class c where c.relnamespace = 'daira'::regnamespace
           and (c.relkind = 'm' or (c.relkind = 'v' and not coalesce('security_invoker=true' = any (c.reloptions), false)))
         union all
         select p.oid::regprocedure::text from pg_proc p join pg_roles r on r.oid = p.proowner
         where p.pronamespace = 'daira'::regnamespace and p.prosecdef
           and (r.rolsuper or r.rolbypassrls or not exists (select from unnest(p.proconfig) s where s = 'search_path=pg_catalog, pg_temp'))",
    );
    assert_eq!(strange.await, [""; 0]);
    // Names that are looked up cannot be put in the way of a definer function.
    let mona = guarded.world.person("mona").await;
    let mut eve = guarded.app().await;
    let sql = format!(
        "set search_path = pg_temp, public; select * from daira.session_by_id({})",
        daira_core::id::Id::raw(mona.session)
    );
    assert_eq!(attempt(&mut eve, &sql).await, Ok(0));
}

on_each_server!(
    security_44_the_audit_trail_only_grows,
    security_45_the_programs_roles_bypass_nothing,
    security_46_every_table_and_partition_is_under_row_security,
    security_53_nobody_is_granted_what_row_security_does_not_stop,
    security_54_views_and_functions_let_nobody_past,
);
