//! The operator's commands, on a private PostgreSQL.

use daira_store::postgres::testing::Server;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::program::{Ended, Installation};

fn level(findings: &str, check: &str) -> String {
    let findings: Value = serde_json::from_str(findings).unwrap_or_else(|error| panic!("{error}: {findings}"));
    let found = findings.as_array().unwrap().iter().filter(|finding| finding["check"] == check);
    // The worst of several.
    let levels = found.map(|finding| finding["level"].as_str().unwrap().to_owned());
    levels.max_by_key(|level| ["ok", "warn", "fail"].iter().position(|known| known == level)).unwrap()
}

#[test]
fn every_command_explains_itself_with_examples() {
    let here = Installation::new();
    for command in [
        &["--help"][..],
        &["serve", "--help"],
        &["migrate", "--help"],
        &["seed", "--help"],
        &["doctor", "--help"],
        &["dlq", "--help"],
        &["admin", "--help"],
        &["counters", "rebuild", "--help"],
        &["backfill", "--help"],
        &["config", "--help"],
    ] {
        let out = here.done(command);
        assert!(out.contains("Examples:\n  ") && !out.contains('\u{1b}'), "{command:?}: {out}");
    }
    let unknown = here.run(&["dlq", "bury"]);
    assert_eq!((unknown.code, unknown.out.as_str()), (2, ""));
    assert!(!here.data().exists(), "nobody was asked to make anything");
}

#[test]
fn security_45_doctor_finds_what_is_wrong() {
    let here = Installation::new();
    let fresh = here.run(&["doctor", "--json"]);
    assert_eq!(fresh.code, 0, "{}", fresh.err);
    assert_eq!((level(&fresh.out, "data folder"), level(&fresh.out, "PostgreSQL")), ("warn".into(), "ok".into()));
    assert!(!here.data().exists(), "looking makes nothing");

    here.done(&["migrate"]);
    let well = here.run(&["doctor", "--json"]);
    assert_eq!(well.code, 0, "{}{}", well.out, well.err);
    for check in [
        "settings",
        "data folder",
        "PostgreSQL",
        "schema",
        "role of the server",
        "role of the worker",
        "partitions",
        "event log",
        "dead letters",
        "audit trail",
        "breaches",
    ] {
        assert_eq!(level(&well.out, check), "ok", "{check}: {}", well.out);
    }
    let shown = here.done(&["doctor"]);
    assert!(shown.lines().all(|line| line.starts_with("ok    ") || line.starts_with("warn  ")), "{shown}");
    assert!(shown.contains("schema") && !shown.contains('\u{1b}'), "no colours in a pipe: {shown}");

    for (harm, mend, check) in [
        ("alter role daira_app bypassrls", "alter role daira_app nobypassrls", "role of the server"),
        ("grant daira_owner to daira_worker", "revoke daira_owner from daira_worker", "role of the worker"),
        (
            "alter table daira.post no force row level security",
            "alter table daira.post force row level security",
            "role of the server",
        ),
        (
            "insert into public._sqlx_migrations values (9999, 'later', now(), true, '', 0)",
            "delete from public._sqlx_migrations where version = 9999",
            "schema",
        ),
    ] {
        here.sql(harm);
        let ill = here.run(&["doctor", "--json"]);
        assert_eq!((ill.code, level(&ill.out, check)), (1, "fail".to_owned()), "{harm}: {}", ill.out);
        here.sql(mend);
    }

    let mut unknown = here.command(&["doctor"]);
    unknown.env("DAIRA_HTTP__LISTN", "127.0.0.1:1");
    let unknown = Ended::of(unknown);
    assert!(unknown.code == 1 && unknown.out.contains("FAIL  settings") && unknown.out.contains("DAIRA_HTTP__LISTN"));
    let mut away = here.command(&["doctor", "--json"]);
    let nobody = "postgres://daira_app:secret@127.0.0.1:1/daira";
    away.env("DATABASE_URL", nobody).env("DAIRA_DATABASE__WORKER_URL", nobody);
    let away = Ended::of(away);
    assert_eq!((away.code, level(&away.out, "database")), (1, "fail".to_owned()), "{}", away.out);
    assert!(!away.out.contains("secret@"), "no password is told");
}

#[test]
fn security_44_an_operator_checks_the_audit_trail_and_is_told_where_it_breaks() {
    let here = Installation::new();
    here.done(&["migrate"]);
    let fresh = here.done(&["admin", "audit", "verify"]);
    assert!(fresh.contains("checked 0 seals over 0 lines") && fresh.contains("there is no seal yet"), "{fresh}");
    here.done(&["admin", "list"]);
    assert!(here.done(&["admin", "audit", "verify"]).contains("1 lines wait to be sealed"));
    let server = here.serve();
    server.until("sealed", || server.said().contains("the audit trail is sealed"));
    server.stop();
    let sound = here.done(&["admin", "audit", "verify"]);
    assert!(sound.contains("checked 1 seals over 1 lines"), "{sound}");
    let seal = sound.lines().last().unwrap().strip_prefix("last seal ").unwrap().to_owned();
    here.done(&["admin", "audit", "verify", "--noted", &seal]);
    let other = here.run(&["admin", "audit", "verify", "--noted", &seal.replace("1:", "2:")]);
    assert!(other.code == 1 && other.out.contains("BROKEN: seal 2 is not the one that was noted"), "{other:?}");
    here.sql("update daira.audit set who = 'system:somebody else'");
    let broken = here.run(&["admin", "audit", "verify"]);
    assert!(broken.code == 1 && broken.out.contains("BROKEN: of lines"), "{broken:?}");
    assert!(broken.err.contains("broken in one place"), "{broken:?}");
    assert_eq!(here.run(&["admin", "audit", "verify", "--noted", "x"]).code, 2);
}

#[test]
fn a_breach_is_kept_by_operators_and_its_clock_is_told() {
    let here = Installation::new();
    here.done(&["migrate"]);
    assert_eq!(here.done(&["admin", "breach", "list"]), "there are no breaches\n");
    let opened = here.done(&["admin", "breach", "open", "--text", "نسخة كانت مفتوحة"]);
    assert!(opened.contains("71 hours left") || opened.contains("72 hours left"), "{opened}");
    let id = opened.split(' ').next().unwrap().to_owned();
    here.done(&["admin", "breach", "note", &id, "--text", "closed\nat noon"]);
    let ill = here.run(&["admin", "breach", "note", &id, "--text", ""]);
    assert!(ill.code == 1 && ill.err.contains("1 to 2,000 characters"), "{ill:?}");
    assert_eq!(level(&here.run(&["doctor", "--json"]).out, "breaches"), "ok");
    here.sql("update daira.breach set known_at = known_at - interval '50 hours'");
    assert_eq!(level(&here.run(&["doctor", "--json"]).out, "breaches"), "warn");
    here.sql("update daira.breach set known_at = known_at - interval '50 hours'");
    let late = here.run(&["doctor", "--json"]);
    assert_eq!((late.code, level(&late.out, "breaches")), (1, "fail".to_owned()));
    let listed = here.done(&["admin", "breach", "list"]);
    assert!(listed.contains("OVERDUE") && !listed.contains('\u{1b}') && listed.lines().count() == 3, "{listed}");
    here.done(&["admin", "breach", "report", &id, "--text", "case 4711"]);
    assert_eq!(here.run(&["admin", "breach", "report", &id, "--text", "again"]).code, 1);
    assert_eq!(level(&here.run(&["doctor", "--json"]).out, "breaches"), "ok");
    here.done(&["admin", "breach", "close", &id, "--text", "everybody was told"]);
    assert_eq!(here.done(&["admin", "breach", "list"]), "there are no breaches\n");
    assert!(here.done(&["admin", "breach", "list", "--all"]).contains("closed 2"));
    assert_eq!(here.number("select count(*) from daira.audit where action like 'breach.%' and who = 'system:cli'"), 8);
}

#[test]
fn security_91_dead_letters_are_listed_shown_replayed_and_dropped() {
    let here = Installation::new();
    here.done(&["migrate"]);
    assert_eq!(here.done(&["dlq", "list"]), "there are no dead letters\n");
    here.sql(
        "insert into daira.consumer_group (name, topics, rebuilds) values ('fan-out', '{}', true), ('counters', '{}', true);
         insert into daira.dead_letter (grp, id, lane, key, topic, kind, payload, event_at, attempts, reason, parked, at) values
         ('fan-out', 7, 0, 70, 'daira.post.v1', 'daira.post.v1.deleted', '', now(), 8, E'mona wrote\\n{\"level\":\"error\"}\\x1b[2J', false, now()),
         ('fan-out', 8, 0, 70, 'daira.post.v1', 'daira.post.v1.deleted', '', now(), 0, 'waits for 7', true, now()),
         ('counters', 9, 0, 90, 'daira.post.v1', 'daira.post.v1.nobody_knows', 'x', now(), 8, 'unknown', false, now())",
    );
    let listed = here.done(&["dlq", "list"]);
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "one line each, whatever a reason holds: {listed:?}");
    assert!(lines[0].contains("fan-out") && lines[0].contains(" dead ") && lines[1].contains(" waits "), "{listed}");
    assert!(!listed.contains('\u{1b}') && lines[0].contains("mona wrote\\n"), "{listed:?}");
    let one: Value = serde_json::from_str(&here.done(&["dlq", "list", "--group", "counters", "--json"])).unwrap();
    assert_eq!((one.as_array().unwrap().len(), &one[0]["event"], &one[0]["payload"]), (1, &9.into(), &"78".into()));
    let shown: Value = serde_json::from_str(&here.done(&["dlq", "show", "fan-out", "7"])).unwrap();
    assert!(shown["holds"].as_str().unwrap().contains("PostDeleted"), "{shown}");

    for (command, told) in [
        (&["dlq", "list", "--group", "nobody"][..], "there are: fan-out, counters, notifications, mail"),
        (&["dlq", "show", "fan-out", "6"], "fan-out has no dead letter 6"),
        (&["dlq", "replay", "fan-out", "8"], "8 waits already"),
        (&["dlq", "drop", "counters", "9"], "add --yes"),
        (&["dlq", "drop", "fan-out", "8", "--yes"], "only waits behind"),
    ] {
        let refused = here.run(command);
        assert!(refused.code == 1 && refused.err.contains(told), "{command:?}: {}", refused.err);
    }
    assert_eq!(here.run(&["dlq", "replay", "fan-out"]).code, 2, "one, or all");

    assert!(here.done(&["dlq", "drop", "counters", "9", "--yes"]).contains("was dropped"));
    assert!(here.done(&["dlq", "replay", "fan-out", "--all"]).starts_with("1 events"));
    let left = here.done(&["dlq", "list"]);
    assert!(left.lines().count() == 2 && left.lines().all(|line| line.contains(" waits ")), "{left}");
}

#[test]
fn back_fills_are_listed_paused_and_run() {
    let here = Installation::new();
    let listed = here.done(&["backfill", "list"]);
    assert!(listed.lines().count() > 0 && listed.lines().all(|line| line.contains("  running  0 rows  ")), "{listed}");
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(here.done(&["backfill", "pause", names[0]]), format!("{} waits\n", names[0]));
    let run = here.done(&["backfill", "run"]);
    assert!(run.contains(&format!("{} is done: 0 rows", names[1])), "{run}");
    assert!(run.ends_with(&format!("paused or somebody else is at them: {}\n", names[0])), "{run}");
    assert!(here.done(&["backfill", "list"]).contains(&format!("{}  paused", names[0])));
    assert_eq!(here.done(&["backfill", "resume", names[0]]), format!("{} goes on\n", names[0]));
    assert!(here.done(&["backfill", "run"]).ends_with("nothing is left to be filled in\n"));
    let refused = here.run(&["backfill", "pause", "nothing"]);
    assert!(refused.code == 1 && refused.err.contains("there is no back-fill nothing"), "{}", refused.err);
}

#[test]
fn security_90_counters_are_rebuilt_from_the_rows() {
    let here = Installation::new();
    let out = here.done(&["seed", "--people", "12", "--posts", "60"]);
    assert!(out.starts_with("log in as ") && !out.contains('\u{1b}'), "{out}");
    assert_eq!(here.done(&["seed", "--people", "12", "--posts", "60", "--if-empty"]), "");
    let followers = "select coalesce(sum(followers), 0)::bigint from daira.profile_counter";
    let truth = here.number(followers);
    assert!(truth > 0 && truth == here.number("select count(*) from daira.follow"));
    here.sql("update daira.profile_counter set followers = followers + 5 where profile in (select profile from daira.profile_counter order by profile limit 3)");
    let rebuilt = here.done(&["counters", "rebuild"]);
    assert_eq!(rebuilt, "3 counters were off and have been corrected\n");
    assert_eq!(here.number(followers), truth);
    assert!(here.done(&["counters", "rebuild"]).starts_with("0 counters"));
}

#[test]
fn security_14_the_first_admin_is_made_by_an_operator() {
    let here = Installation::new();
    let out = here.done(&["seed", "--people", "12", "--posts", "20"]);
    let email =
        out.split_whitespace().find(|word| word.contains('@')).unwrap().trim_matches(|c: char| ",.;".contains(c));
    assert_eq!(here.done(&["admin", "list"]), "nobody is staff\n");
    let grant = |more: &[&str]| here.run(&[&["admin", "grant", email, "admin"], more].concat());
    for (more, code, told) in [
        (&[][..], 2, "--reason"),
        (&["--reason", "OPS-1"], 1, "add --yes"),
        (&["--reason", "mona asked me", "--yes"], 1, "A reference has"),
    ] {
        let refused = grant(more);
        assert!(refused.code == code && refused.err.contains(told), "{more:?}: {}", refused.err);
    }
    assert_eq!(here.number("select count(*) from daira.staff"), 0);
    let done = grant(&["--reason", "OPS-1", "--yes"]);
    assert!(done.code == 0 && done.out.contains("admin"), "{}{}", done.out, done.err);
    assert!(here.done(&["admin", "list"]).starts_with("admin "));
    let line = "select count(*) from daira.audit where who = 'system:cli' and action = 'staff.role_set'
                and detail = 'from=none to=admin reason=staffing case=OPS-1'";
    assert_eq!(here.number(line), 1);
    let last = here.run(&["admin", "revoke", email, "--reason", "OPS-2", "--yes"]);
    assert!(last.code == 1 && last.err.contains("The last admin has to stay"), "{}", last.err);
    let nobody = here.run(&["admin", "grant", "nobody@example.com", "admin", "--reason", "OPS-3", "--yes"]);
    assert!(nobody.code == 1 && nobody.err.contains("does not exist"), "{}", nobody.err);
    assert_eq!(here.done(&["admin", "permissions"]), daira_core::staff::permission::markdown());
}

#[test]
fn a_dry_run_changes_nothing() {
    let here = Installation::new();
    let plan = here.done(&["migrate", "--dry-run"]);
    assert!(plan.lines().count() >= 4 && plan.starts_with("would run 0001 foundation\n"), "{plan}");
    assert!(!here.data().join("postgres").exists());
    let done = here.done(&["migrate"]);
    assert_eq!(done.replace("running", "would run"), plan);
    for command in [&["migrate", "--dry-run"][..], &["migrate"]] {
        assert_eq!(here.done(command), "the database has this program's schema\n");
    }
}

#[tokio::test]
async fn a_server_of_ones_own_is_looked_at_like_the_private_one() {
    for server in [Server::Pg15, Server::Pg18] {
        let (here, database) = (Installation::new(), server.database().await.unwrap());
        let run = |arguments: &[&str]| {
            let mut command = here.command(arguments);
            command
                .env("DATABASE_URL", &database.config().app_url)
                .env("DAIRA_DATABASE__WORKER_URL", &database.config().worker_url)
                .env("DAIRA_DATABASE__OWNER_URL", database.admin_url());
            Ended::of(command)
        };
        let well = run(&["doctor", "--json"]);
        assert_eq!(well.code, 0, "{}{}", well.out, well.err);
        for check in ["PostgreSQL", "schema", "role of the server", "role of the worker", "partitions"] {
            assert_eq!(level(&well.out, check), "ok", "{check}: {}", well.out);
        }
        assert_eq!(run(&["migrate", "--dry-run"]).out, "the database has this program's schema\n");
        assert_eq!(run(&["counters", "rebuild"]).out, "0 counters were off and have been corrected\n");

        let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
        for (change, told) in [
            (
                "insert into public._sqlx_migrations values (9999, 'later', now(), true, '', 0)",
                "is newer than this program",
            ),
            ("delete from public._sqlx_migrations where version in (4, 9999)", "run `daira-server migrate`"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(change)).execute(&mut admin).await.unwrap();
            let refused = run(&["serve"]);
            assert!(refused.code == 1 && refused.err.contains(told), "{change}: {}", refused.err);
            assert_eq!(level(&run(&["doctor", "--json"]).out, "schema"), "fail");
        }
        assert!(run(&["migrate", "--dry-run"]).out.starts_with("would run 0004 "));
        assert_eq!(run(&["migrate", "--dry-run", "--to", "3"]).out, "");
        let unknown = run(&["migrate", "--to", "9999"]);
        assert!(unknown.code == 1 && unknown.err.contains("no migration 9999"), "{}", unknown.err);
    }
}
