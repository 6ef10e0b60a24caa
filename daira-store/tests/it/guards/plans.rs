//! How the planner reads every statement of the store under row security: by key, in the days it has to, at a price close to
//! that of no row security at all.
//!
//! The statements are the ones that were checked when the crate was built (`.sqlx`); each is prepared and planned once for all
//! values, as connections of a pool do, for a reader who follows five thousand people.

use std::sync::{Arc, Mutex};

use daira_store::postgres::testing::Server;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::{FORBIDDEN, Guarded, attempt};

const FOLLOWS: i64 = 5_000;

/// Tables that are cut by age.
const PARTITIONED: [&str; 7] =
    ["inbox", "page_served", "feed_session", "notification", "idempotency", "audit", "event"];

/// A statement and the types of its parameters.
struct Statement {
    text: String,
    types: Vec<String>,
}

impl Statement {
    fn all() -> Vec<Self> {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx")).unwrap();
        let read = folder.map(|file| {
            let kept: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            let types = kept["describe"]["parameters"]["Left"].as_array().unwrap();
            Self {
                text: kept["query"].as_str().unwrap().to_owned(),
                types: types.iter().map(|t| t.as_str().unwrap().to_owned()).collect(),
            }
        });
        read.collect()
    }

    fn with(text: &str) -> Self {
        let mut found: Vec<Self> = Self::all().into_iter().filter(|s| s.text.contains(text)).collect();
        assert_eq!(found.len(), 1, "one statement has {text}");
        found.remove(0)
    }

    /// Whether it looks at rows of a table, and does not only write some.
    fn reads(&self, table: &str) -> bool {
        let words: Vec<&str> = self.text.split(|c: char| c.is_whitespace() || "();,".contains(c)).collect();
        let name = format!("daira.{table}");
        words.windows(2).any(|w| w[1] == name && ["from", "join", "using", "update"].contains(&w[0]))
    }

    /// A value for each parameter: numbers are the reader's id, which is of today, so that they do for an id of a post too.
    fn values(&self, reader: i64) -> String {
        let value = |kind: &String| match kind.as_str() {
            "Int8" => reader.to_string(),
            "Int2" => "1".to_owned(),
            "Int4" => "8".to_owned(),
            "Float8" => "0.5".to_owned(),
            "Bool" => "false".to_owned(),
            "Timestamptz" | "Date" => "now()".to_owned(),
            "Int8Array" => format!("'{{{reader}}}'::bigint[]"),
            "Text" => "'m'".to_owned(),
            "Bytea" => "'\\x00'".to_owned(),
            "Jsonb" => "'[]'".to_owned(),
            array if array.ends_with("Array") => "'{}'".to_owned(),
            other => panic!("a value for {other}"),
        };
        self.types.iter().map(value).collect::<Vec<_>>().join(", ")
    }

    /// What prepares it, and what explains it for some values.
    fn explaining(&self, how: &str, values: &str) -> (String, String) {
        let types: Vec<String> = self.types.iter().map(|t| t.replace("Array", "[]")).collect();
        let listed = |of: &str| if of.is_empty() { String::new() } else { format!("({of})") };
        let prepare = format!("prepare one {} as {}", listed(&types.join(", ")), self.text);
        (prepare, format!("explain ({how}) execute one {}", listed(values)))
    }

    async fn explain(&self, db: &mut PgConnection, how: &str, values: &str) -> Vec<String> {
        let (prepare, sql) = self.explaining(how, values);
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *db).await.unwrap();
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut *db).await.unwrap();
        sqlx::raw_sql("deallocate one").execute(db).await.unwrap();
        rows.iter().map(|row| sqlx::Row::get(row, 0)).collect()
    }
}

/// A world of some size, written past row security; answers the reader, and their account.
async fn crowd(guarded: &Guarded) -> (i64, i64) {
    let reader = guarded.world.person("reader").await;
    let (me, account) = (daira_core::id::Id::raw(reader.id), daira_core::id::Id::raw(reader.account));
    let fill = format!(
        "insert into daira.account (id, email, birth_date, locale, created_at, version)
             select n, 'p' || n || '@example.com', '1999-04-25', 'ar', now(), 1 from generate_series(1, 6000) n;
         insert into daira.profile (id, account, handle, name, bio, links, private, created_at, version)
             select n, n, 'person' || n, 'p', '', '{{}}', n % 10 = 0, now(), 1 from generate_series(1, 6000) n;
         insert into daira.follow select {me}, n, now() - interval '1 hour' from generate_series(1, {FOLLOWS}) n;
         insert into daira.follow select n, n % 50 + 1, now() from generate_series(1000, 6000) n;
         insert into daira.block (blocker, blocked, blocked_account, at) select {me}, n, n, now() from generate_series(5500, 5600) n;
         insert into daira.post (id, author, visibility, replies, delivery, kind, version, text)
             select daira.id_floor(now() - n * interval '20 s') + n, n % 6000 + 1, case when n % 4 = 0 then 2 else 1 end, 1,
                    case when n % 6000 < 20 then 2 else 1 end, 0, 1, 'كلام' from generate_series(1, 30000) n;
         insert into daira.pull_author select author, max(id) from daira.post where delivery = 2 group by author;
         insert into daira.inbox select {me}, p.id, p.author, 1, 0, now() from daira.post p
             where p.delivery = 1 and p.author <= {FOLLOWS} and p.id >= daira.id_floor(now() - interval '8 days');
         insert into daira.inbox select f.follower, p.id, p.author, 1, 0, now() from daira.post p join daira.follow f on f.followee = p.author
             where p.author <= 50 and f.follower <> {me} and p.id >= daira.id_floor(now() - interval '8 days');
         insert into daira.post_counter (post, reactions) select id, id % 9 from daira.post;
         insert into daira.comment (id, post, author, depth, version, text)
             select id + 1, id, author, 1, 1, 'رد' from daira.post where id % 3 = 0;
         insert into daira.reaction select id, false, author % 600 + 1, 1, now() from daira.post;
         insert into daira.affinity select {me}, n, 1, now() from generate_series(1, 500) n;
         insert into daira.card_change (xid, id) select (n / 3)::text::xid8, n from generate_series(1, 20000) n;
         analyze"
    );
    let mut admin = guarded.admin().await;
    guarded.ports.maintenance.ensure_partitions(guarded.world.now(), 60).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&mut admin).await.unwrap();
    (me, account)
}

async fn speak(db: &mut PgConnection, (me, account): (i64, i64)) {
    let set = format!("set daira.profile = '{me}'; set daira.account = '{account}'; set search_path = pg_catalog");
    sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut *db).await.unwrap();
    let plan = "set plan_cache_mode = force_generic_plan; set jit = off; set random_page_cost = 1.1";
    sqlx::raw_sql(plan).execute(db).await.unwrap();
}

async fn security_56_58_statements_go_by_key_and_leave_other_days_out(server: Server) {
    let guarded = Guarded::new(server).await;
    let who = crowd(&guarded).await;
    let (mut app, mut worker, mut admin) = (guarded.app().await, guarded.worker().await, guarded.admin().await);
    for db in [&mut app, &mut worker] {
        speak(db, who).await;
    }
    let far = far(&mut admin).await;
    let (mut hashed, mut unpruned, mut on_days) = (Vec::new(), Vec::new(), 0);
    for statement in Statement::all() {
        let values = statement.values(who.0);
        // The planner says who may run it: the role that serves people, or the one of consumers and jobs.
        let serves = allowed(&mut app, &statement, &values).await;
        let db = if serves { &mut app } else { &mut worker };
        let plan = statement.explain(db, "costs off", &values).await;
        if serves && plan.iter().any(|line| line.contains("hashed SubPlan")) {
            hashed.push(format!("{}\n{}", statement.text, plan.join("\n")));
        }
        if let Some(table) = PARTITIONED.iter().find(|table| statement.reads(table)) {
            on_days += 1;
            if !is_pruned(&plan, table, &far) {
                unpruned.push(format!("{}\n{}", statement.text, plan.join("\n")));
            }
        }
    }
    assert!(hashed.is_empty(), "hashes somebody's whole list:\n{}", hashed.join("\n\n"));
    assert!(unpruned.is_empty(), "looks at days it need not:\n{}", unpruned.join("\n\n"));
    assert!(on_days >= 9, "{on_days} statements read tables that are cut by age");
}

/// How the partitions of a day and a month are named that no statement has to look at.
async fn far(admin: &mut PgConnection) -> [String; 2] {
    let far = "select to_char(now() + interval '40 days', 'YYYYMMDD'), to_char(now() + interval '40 days', 'YYYYMM')";
    let (day, month) = sqlx::query_as(far).fetch_one(admin).await.unwrap();
    [day, month]
}

/// Whether a plan leaves out days of a table when it starts, and the far ones among them.
fn is_pruned<L: AsRef<str>>(plan: &[L], table: &str, far: &[String]) -> bool {
    let mut lines = plan.iter().map(AsRef::as_ref);
    let removed = lines.clone().any(|line| line.contains("Subplans Removed"));
    let touched =
        lines.any(|line| line.contains("Scan") && far.iter().any(|name| line.contains(&format!(" {table}_{name} "))));
    removed && !touched
}

/// Functions of a first page hide their statements from the planner's caller: the server is asked to tell the plan of each
/// as it runs.
async fn security_56_58_so_do_the_statements_inside_functions(server: Server) {
    let guarded = Guarded::new(server).await;
    let (me, account) = crowd(&guarded).await;
    let mut admin = guarded.admin().await;
    let far = far(&mut admin).await;
    let telling = format!(
        "load 'auto_explain';
         set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_level = 'notice';
         set role daira_app; set search_path = pg_catalog; set jit = off; set random_page_cost = 1.1;
         set plan_cache_mode = force_generic_plan; set daira.profile = '{me}'; set daira.account = '{account}'"
    );
    sqlx::raw_sql(AssertSqlSafe(telling)).execute(&mut admin).await.unwrap();
    let (notices, _told) = Notices::heard();
    // With all ties, with none because they are too many, and with those that are kept; then with no counters kept, with those of some
    // posts and of all.
    for (known, most, counters) in [
        ("null", 50_000, "null"),
        ("null", 5_000, "c.post"),
        ("-1", 5_000, "c.post"),
        ("s.version", 5_000, "null"),
        ("s.version", 5_000, "0"),
    ] {
        let page = format!(
            "select daira.cards({me}, {account}, n.posts[1:24], case when {known} is not null then n.version end)
             from (select version from daira.home_sources({me}, {account}, 0, 1, null, 1, null, 1, null, null, 5000, null, null)) s,
                  (select c.post, c.xid || ':' || c.xid || ':' as snapshot from daira.post_counter c order by c.post desc limit 1) c,
                  daira.home_sources({me}, {account}, daira.id_floor(now() - interval '8 days'), daira.id_floor(now()), now(), 76,
                                     now() - interval '2 days', 24, {known}, array[20, 21], {most}, c.snapshot, {counters}) n"
        );
        let cards = sqlx::raw_sql(AssertSqlSafe(page)).fetch_all(&mut admin).await.unwrap();
        assert_eq!(cards.len(), 24, "known: {known}, most: {most}");
    }
    let told = notices.taken();
    let plans: Vec<Vec<&str>> = told.iter().map(|plan| plan.lines().collect()).collect();
    for table in ["inbox", "page_served"] {
        let of: Vec<_> =
            plans.iter().filter(|plan| plan.iter().any(|l| l.contains(&format!("daira.{table} ")))).collect();
        assert!(!of.is_empty(), "no plan of {table} was told: {told:#?}");
        assert!(of.iter().all(|plan| is_pruned(plan, table, &far)), "looks at days of {table} it need not: {of:#?}");
    }
    assert!(told.iter().any(|plan| plan.contains("post_counter_changed")), "no counters that changed were looked for");
    let whole = ["post", "follow", "profile", "post_counter", "affinity", "reaction", "card_change"]
        .map(|t| format!("Seq Scan on {t} "));
    for plan in &told {
        assert!(!plan.contains("hashed SubPlan"), "hashes somebody's whole list:\n{plan}");
        assert!(!whole.iter().any(|scan| plan.contains(scan)), "reads a whole table:\n{plan}");
    }
}

/// Hears what the server tells on connections of this thread.
#[derive(Clone, Default)]
struct Notices(Arc<Mutex<Vec<String>>>);

impl Notices {
    fn heard() -> (Self, tracing::subscriber::DefaultGuard) {
        let notices = Self::default();
        (notices.clone(), tracing::subscriber::set_default(notices))
    }

    fn taken(&self) -> Vec<String> {
        core::mem::take(&mut self.0.lock().unwrap())
    }
}

impl tracing::Subscriber for Notices {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "sqlx::postgres::notice"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut |field: &tracing::field::Field, value: &dyn core::fmt::Debug| {
            if field.name() == "message" {
                self.0.lock().unwrap().push(format!("{value:?}").replace("\\n", "\n"));
            }
        });
    }
}

/// Whether a role has the rights that a statement takes.
async fn allowed(db: &mut PgConnection, statement: &Statement, values: &str) -> bool {
    let (prepare, explain) = statement.explaining("costs off", values);
    let answer = attempt(db, &format!("{prepare}; {explain}")).await;
    attempt(db, "deallocate all").await.unwrap();
    assert!(answer.is_ok() || answer == Err(FORBIDDEN.to_owned()), "{answer:?}: {}", statement.text);
    answer.is_ok()
}

/// What a plan says it touched.
fn buffers(plan: &[String]) -> f64 {
    let line =
        plan.iter().find(|line| line.trim_start().starts_with("Buffers: ")).unwrap_or_else(|| panic!("{plan:#?}"));
    line.split_whitespace().filter_map(|word| word.split_once('=')).filter_map(|(_, n)| n.parse::<f64>().ok()).sum()
}

/// What a page's sources and its cards cost with and without row security, and that its sources cost no more the further an
/// inbox reaches back.
async fn security_56_a_feed_costs_about_what_it_does_without_row_security(server: Server) {
    let guarded = Guarded::new(server).await;
    let who = crowd(&guarded).await;
    let (mut app, mut admin) = (guarded.app().await, guarded.admin().await);
    for db in [&mut app, &mut admin] {
        speak(db, who).await;
    }
    let page: Vec<i64> =
        sqlx::query_scalar("select post from daira.inbox where profile = $1 order by post desc limit 20")
            .bind(who.0)
            .fetch_all(&mut admin)
            .await
            .unwrap();
    let ids = page.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let (me, account, most) = (who.0, who.1, "daira.id_floor(now() + interval '1 minute')");
    let cards = Statement::with("from daira.cards(");
    // As of which version the reader's ties are, and no version.
    let version = "select coalesce(bit_xor(version), 0) from daira.tie_version where profile in (0, $1)";
    let version: i64 = sqlx::query_scalar(version).bind(me).fetch_one(&mut admin).await.unwrap();
    for known in ["null".to_owned(), version.to_string()] {
        let values = format!("{me}, {account}, '{{{ids}}}', {known}");
        let (guarded, free) = (cost(&cards, &mut app, &values).await, cost(&cards, &mut admin, &values).await);
        assert!(guarded > 0.0 && guarded <= free * 1.5, "buffers with and without row security: {guarded} {free}");
    }

    let sources = Statement::with("from daira.home_sources(");
    let mut costs = Vec::new();
    // With ties that are too many, and with kept ones.
    for (days, known) in [(1, -1), (8, -1), (1, version), (8, version)] {
        let since = format!("daira.id_floor(now() - interval '{days} days')");
        let values = format!(
            "{me}, {account}, {since}, {most}, null, 76, now() - interval '3 days', 8, {known}, '{{20, 21}}', 5000, \
             pg_current_snapshot()::text, null"
        );
        costs.push((cost(&sources, &mut app, &values).await, cost(&sources, &mut admin, &values).await));
    }
    for (guarded, free) in &costs {
        assert!(*guarded > 0.0 && *guarded <= free * 1.5, "buffers with and without row security: {costs:?}");
    }
    assert!(costs[3].0 <= costs[2].0 * 1.1, "buffers of a day and of eight: {costs:?}");
    assert!(costs[1].0 <= costs[0].0 * 1.1, "buffers of a day and of eight: {costs:?}");
}

/// The buffers that a statement touches once everything is warm.
async fn cost(statement: &Statement, db: &mut PgConnection, values: &str) -> f64 {
    statement.explain(db, "analyze", values).await;
    buffers(&statement.explain(db, "analyze, buffers, costs off, timing off, summary off", values).await)
}

on_each_server!(
    security_56_58_statements_go_by_key_and_leave_other_days_out,
    security_56_58_so_do_the_statements_inside_functions,
    security_56_a_feed_costs_about_what_it_does_without_row_security,
);
