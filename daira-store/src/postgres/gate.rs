//! Proof that the guards are up: questions to the catalogue whose every answer is a hole.
//!
//! Row security is only as good as what surrounds it: one table without it, one view that runs as its owner, one grant
//! too many, and a private row is readable. The tests run these checks after the migrations; `doctor` runs them on a
//! live installation.

use core::fmt;

use daira_core::error::Result;
use sqlx::{Connection as _, Row as _};

use super::error::fault;
use super::hosts::Hosts;

/// Something that lets somebody past a guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What must hold.
    pub rule: &'static str,
    /// What breaks it.
    pub object: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.object)
    }
}

/// Each rule with the query for what breaks it.
const RULES: &[(&str, &str)] = &[
    (
        "the program's roles exist",
        "select wanted from unnest(array['daira_owner', 'daira_app', 'daira_worker', 'daira_reader', 'daira_backup']) wanted
         where not exists (select from pg_roles where rolname = wanted)",
    ),
    (
        "no role of the program is above row security or makes roles and databases",
        "select rolname::text from pg_roles
         where rolname in ('daira_app', 'daira_worker', 'daira_reader', 'daira_owner') and (rolsuper or rolbypassrls or rolcreaterole or rolreplication)",
    ),
    (
        "the roles that own nothing cannot become one that does",
        "select a.rolname || ' is in ' || b.rolname from pg_roles a, pg_roles b
         where a.rolname in ('daira_app', 'daira_worker') and a.oid <> b.oid
           and b.rolname <> 'public' and pg_has_role(a.oid, b.oid, 'member')",
    ),
    (
        "the roles that programs log in with own nothing",
        "select c.relname::text from pg_class c where c.relowner in (select oid from pg_roles where rolname in ('daira_app', 'daira_worker'))
         union all
         select p.proname::text from pg_proc p where p.proowner in (select oid from pg_roles where rolname in ('daira_app', 'daira_worker'))",
    ),
    (
        "row security is enabled and forced on every table and partition",
        "select c.relname::text from pg_class c
         where c.relnamespace = 'daira'::regnamespace and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)",
    ),
    (
        "nobody is granted a partition but who dumps",
        "select c.relname || ' to ' || coalesce(r.rolname, 'public')
         from pg_class c cross join lateral aclexplode(c.relacl) g left join pg_roles r on r.oid = g.grantee
         where c.relnamespace = 'daira'::regnamespace and c.relispartition and c.relkind = 'r'
           and g.grantee <> c.relowner and coalesce(r.rolname, 'public') <> 'daira_backup'",
    ),
    (
        "nobody is granted what row security does not stop",
        "select c.relname || ': ' || g.privilege_type || ' to ' || coalesce(r.rolname, 'public')
         from pg_class c cross join lateral aclexplode(c.relacl) g left join pg_roles r on r.oid = g.grantee
         where c.relnamespace = 'daira'::regnamespace and g.grantee <> c.relowner
           and g.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')",
    ),
    (
        "the public is granted nothing",
        "select c.relname::text from pg_class c cross join lateral aclexplode(c.relacl) g
         where c.relnamespace = 'daira'::regnamespace and g.grantee = 0
         union all
         select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace = 'daira'::regnamespace
           and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g where g.grantee = 0)",
    ),
    (
        "no role of the program makes objects",
        "select r.rolname || ' in ' || n.nspname from pg_roles r, pg_namespace n
         where r.rolname in ('daira_app', 'daira_worker') and n.nspname in ('daira', 'public') and has_schema_privilege(r.oid, n.oid, 'CREATE')",
    ),
    (
        "functions that run as their owner pin their search path",
        "select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace = 'daira'::regnamespace and p.prosecdef
           and not exists (select from unnest(p.proconfig) s where s like 'search_path=pg_catalog%')",
    ),
    (
        "functions that run as their owner belong to a role that cannot bypass row security",
        "select p.oid::regprocedure::text from pg_proc p join pg_roles r on r.oid = p.proowner
         where p.pronamespace = 'daira'::regnamespace and p.prosecdef and (r.rolsuper or r.rolbypassrls)",
    ),
    (
        "views run as who asks",
        "select c.relname::text from pg_class c
         where c.relnamespace = 'daira'::regnamespace and c.relkind = 'v' and not coalesce('security_invoker=true' = any (c.reloptions), false)",
    ),
    (
        "no materialized view is readable by who serves people",
        "select c.relname::text from pg_class c
         where c.relnamespace = 'daira'::regnamespace and c.relkind = 'm' and has_table_privilege('daira_app', c.oid, 'SELECT')",
    ),
    (
        "what happened is not changed",
        "select c.relname || ': ' || r.rolname || ' may ' || p
         from pg_class c, pg_roles r, unnest(array['UPDATE', 'DELETE']) p
         where c.relnamespace = 'daira'::regnamespace and c.relname in ('audit', 'event', 'idempotency', 'notification', 'page_served')
           and r.rolname in ('daira_app', 'daira_worker')
           and (has_table_privilege(r.oid, c.oid, p) or (p = 'UPDATE' and has_any_column_privilege(r.oid, c.oid, p)))",
    ),
    (
        "rows do not change their owner",
        "select c.relname || '.' || a.attname
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = 'daira'::regnamespace and c.relkind in ('r', 'p')
           and a.attname in ('id', 'account', 'author', 'owner', 'follower', 'followee', 'blocker', 'blocked', 'muter', 'muted', 'member', 'by',
                             'viewer', 'recipient')
           and has_column_privilege('daira_app', c.oid, a.attnum, 'UPDATE')",
    ),
    (
        "no partition takes what fits nowhere else, and no foreign key points at a partitioned table",
        "select p.partrelid::regclass::text from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
         where c.relnamespace = 'daira'::regnamespace and p.partdefid <> 0
         union all
         select k.conname::text from pg_constraint k join pg_class c on c.oid = k.confrelid
         where k.contype = 'f' and c.relnamespace = 'daira'::regnamespace and c.relkind = 'p'",
    ),
];

/// Looks for holes in an installation, as any role that may log in to its database.
///
/// # Errors
/// [`ErrorKind::Unavailable`](daira_core::error::ErrorKind::Unavailable) when nobody answers.
pub async fn inspect(url: &str) -> Result<Vec<Finding>> {
    const OPERATION: &str = "gate.inspect";
    let (_, mut connection) = Hosts::parse(url, "gate.address")?.primary().await.map_err(|e| fault(OPERATION, e))?;
    let mut findings = Vec::new();
    for (rule, breaks) in RULES.iter().copied() {
        // Without a prepared statement, so that it can be asked through a pooler as well.
        for row in sqlx::raw_sql(breaks).fetch_all(&mut connection).await.map_err(|e| fault(OPERATION, e))? {
            let object = row.try_get(0).map_err(|e| fault(OPERATION, e))?;
            findings.push(Finding { rule, object });
        }
    }
    connection.close().await.map_err(|e| fault(OPERATION, e))?;
    Ok(findings)
}
