//! What an export holds, made of the data map: of every table with rows that are somebody's own, the columns that say something
//! of them. Secrets, counters and bookkeeping stay here, and so do numbers of accounts, of whoever; other people stand in it by the
//! public ids of their faces alone.
//!
//! A table that is added to the map has to be added to [`KEYS`] or, with a reason, to [`LEFT_OUT`]: a test holds that.

use std::sync::OnceLock;

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{
    AppId, CircleId, CommentId, ExportId, FeedSessionId, Id, MediaId, PasskeyId, PostId, ProfileId, SessionId,
};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

use super::data_map::{self, Link, Table};

/// Tables whose rows are handed out, each with the columns that order the rows of one person.
const KEYS: &[(&str, &[&str])] = &[
    ("account", &["id"]),
    ("phone", &["account"]),
    ("second_factor", &["account"]),
    ("passkey", &["id"]),
    ("identity", &["issuer"]),
    ("session", &["id"]),
    ("profile", &["id"]),
    ("handle", &["handle"]),
    ("consent", &["account", "purpose", "at"]),
    ("post", &["id"]),
    ("post_revision", &["post", "version"]),
    ("comment", &["id"]),
    ("reaction", &["by", "on_comment", "target"]),
    ("media", &["id"]),
    ("follow", &["follower", "followee"]),
    ("follow_request", &["follower", "followee"]),
    ("block", &["blocker", "blocked"]),
    ("mute", &["muter", "muted"]),
    ("circle", &["id"]),
    ("circle_member", &["circle", "member"]),
    ("notification", &["recipient", "event", "at"]),
    ("notification_marker", &["profile"]),
    ("inbox", &["profile", "post"]),
    ("affinity", &["viewer", "author"]),
    ("page_served", &["viewer", "at"]),
    ("feed_session", &["session"]),
    ("app", &["id"]),
    ("app_grant", &["profile", "app"]),
    ("sanction", &["account"]),
    ("takedown", &["kind", "subject"]),
    ("strike", &["account", "at", "kind", "subject"]),
    ("staff", &["account"]),
    ("export", &["id"]),
    ("audit", &["id"]),
];

/// What is somebody's own and not handed out, and why: whole tables, or `table.column`.
const LEFT_OUT: &[(&str, &str)] = &[
    ("credential", "a secret alone"),
    ("registration", "it is of somebody who has no account yet, and lapses in minutes"),
    ("mailing", "what is in it are addresses that stand elsewhere, and it lapses in minutes"),
    ("delivery", "bookkeeping of mails on their way"),
    ("ceremony", "a secret alone, for minutes"),
    ("app_code", "a secret on its way, for a day; what was agreed to stands in app_grant"),
    ("tie_version", "a number that says that something changed"),
    ("post_changed", "which posts changed; the posts stand in post"),
    ("pull_author", "how posts are delivered"),
    ("post_tag", "the tags of posts stand in post"),
    ("post_counter", "how often others did something"),
    ("comment_counter", "how often others did something"),
    ("profile_counter", "how often others did something"),
    ("idempotency", "digests of requests, for two days"),
    ("export_part", "the pieces of what is handed out"),
    ("sanction.by_profile", "who of the staff did it"),
    ("takedown.by_profile", "who of the staff did it"),
    ("audit.subject", "numbers of accounts and sessions are never shown"),
];

/// Classes of columns that say something of a person.
const PERSONAL: [&str; 7] = ["identity", "contact", "content", "relation", "activity", "choice", "status"];

/// One kind of rows.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its name: that of the table.
    pub(super) name: &'static str,
    /// What is asked for the first rows, and after a mark. Parameters: the account, its faces, their ids as texts, how many, the
    /// mark.
    pub(super) statements: [String; 2],
}

/// All kinds, in the order in which they are handed out.
pub(super) fn kinds() -> Result<&'static [Kind]> {
    static KINDS: OnceLock<core::result::Result<Vec<Kind>, String>> = OnceLock::new();
    let made = KINDS.get_or_init(|| {
        let tables = data_map::tables()?;
        let kind = |(name, keys): &(&'static str, &[&str])| {
            let table = tables.iter().find(|table| table.name == *name).ok_or(format!("the map has no {name}"))?;
            Ok(Kind { name, statements: [statement(table, keys, false), statement(table, keys, true)] })
        };
        KEYS.iter().map(kind).collect()
    });
    made.as_deref().map_err(|why| Error::new(ErrorKind::Internal, "export.plan").with_source(why.clone()))
}

fn is_left_out(table: &str, column: &str) -> bool {
    LEFT_OUT.iter().any(|(what, _)| *what == table || *what == format!("{table}.{column}"))
}

/// The columns of a table that are handed out.
fn columns(table: &Table) -> Vec<&'static str> {
    let is_account = |name: &str| table.links().any(|link| link.kind == "account" && link.column == name);
    let own_id = |name: &str| name == "id" && !matches!(table.name, "account" | "audit");
    let told = |name: &str| matches!((table.name, name), ("reaction", "on_comment") | ("takedown" | "strike", "kind"));
    let columns = table.columns.iter().filter(|column| {
        (PERSONAL.contains(&column.class) || own_id(column.name) || told(column.name))
            && !is_account(column.name)
            && !is_left_out(table.name, column.name)
    });
    columns.map(|column| column.name).collect()
}

/// By which of its links a row is somebody's own; of the audit trail only what they did themselves.
fn owned(table: &Table) -> String {
    let by = |link: &Link| match link.kind {
        "account" => Some(format!("t.{} = $1", link.column)),
        "profile" => Some(format!("t.{} = any ($2)", link.column)),
        "who" => Some(format!("t.{} = any ($3)", link.column)),
        "post" => {
            Some(format!("t.{} = any (array(select p.id from daira.post p where p.author = any ($2)))", link.column))
        }
        _ => None,
    };
    let links = table.owners.iter().filter(|link| table.name != "audit" || link.kind == "who");
    // A session and a grant are a profile's and its account's: by the account they are found whole.
    let all: Vec<Link> = links.copied().collect();
    let account = all.iter().find(|link| link.kind == "account").copied();
    let chosen = account.map_or(all, |account| vec![account]);
    let conditions: Vec<String> = chosen.iter().filter_map(by).collect();
    if conditions.is_empty() { "false".to_owned() } else { conditions.join(" or ") }
}

fn statement(table: &Table, keys: &[&str], after: bool) -> String {
    let name = table.name;
    let object = |columns: &[&str]| {
        let pairs: Vec<String> = columns.iter().map(|column| format!("'{column}', t.{column}")).collect();
        format!("jsonb_build_object({})::text", pairs.join(", "))
    };
    let listed = |alias: &str| keys.iter().map(|key| format!("{alias}.{key}")).collect::<Vec<_>>().join(", ");
    let (from, and) = if after {
        let mark = format!(", jsonb_populate_record(null::daira.{name}, $5::jsonb) a");
        (mark, format!("and ({}) > ({})", listed("t"), listed("a")))
    } else {
        (String::new(), "and $5::text is not null".to_owned())
    };
    format!(
        "select {}, {} from daira.{name} t{from}
         where $1::bigint is not null and $2::bigint[] is not null and $3::text[] is not null and ({}) {and}
         order by {} limit $4",
        object(keys),
        object(&columns(table)),
        owned(table),
        listed("t")
    )
}

/// A row as its owner reads it: ids in their public form, nothing of where blobs lie.
pub(super) fn readable(kind: &str, row: &mut Map<String, Value>) {
    match kind {
        "reaction" => {
            let on_comment = row.remove("on_comment").is_some_and(|on| on == Value::Bool(true));
            name(row, "target", if on_comment { comment } else { post });
        }
        "strike" if row.get("kind").and_then(Value::as_i64) == Some(0) => {
            // It was about the account, which has no public number.
            row.remove("kind");
            row.remove("subject");
        }
        "takedown" | "strike" => {
            let as_what = match row.remove("kind").as_ref().and_then(Value::as_i64) {
                Some(1) => post,
                Some(2) => comment,
                _ => profile,
            };
            name(row, "subject", as_what);
        }
        "media" => {
            for variant in row.get_mut("variants").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(variant) = variant.as_object_mut() {
                    variant.remove("key");
                }
            }
        }
        "page_served" => {
            let posts = row
                .get("posts")
                .and_then(Value::as_str)
                .and_then(|hex| HEXLOWER.decode(hex.strip_prefix("\\x")?.as_bytes()).ok());
            if let Some(posts) = posts {
                let ids = posts.chunks_exact(8).filter_map(|id| id.try_into().ok()).map(i64::from_be_bytes);
                row.insert("posts".to_owned(), ids.map(|id| Value::String(post(id))).collect());
            }
        }
        _ => {}
    }
    let columns: Vec<String> = row.keys().cloned().collect();
    for column in columns {
        if let Some(public) = public(kind, &column) {
            name(row, &column, public);
        }
    }
}

/// Puts the public form in the place of a number, or of each number of a list.
fn name(row: &mut Map<String, Value>, column: &str, public: fn(i64) -> String) {
    let one = |value: &Value| value.as_i64().map(|id| Value::String(public(id)));
    if let Some(value) = row.get_mut(column) {
        let named = match value.as_array() {
            Some(list) => list.iter().map(one).collect::<Option<Vec<Value>>>().map(Value::Array),
            None => one(value),
        };
        if let Some(named) = named {
            *value = named;
        }
    }
}

fn of<I: Id>(id: i64) -> String {
    I::from_raw(id).to_string()
}

fn post(id: i64) -> String {
    of::<PostId>(id)
}

fn comment(id: i64) -> String {
    of::<CommentId>(id)
}

fn profile(id: i64) -> String {
    of::<ProfileId>(id)
}

/// What a column's numbers are ids of.
fn public(kind: &str, column: &str) -> Option<fn(i64) -> String> {
    Some(match (kind, column) {
        ("post", "id") | (_, "post") | ("feed_session", "posts") => post,
        ("comment", "id") | (_, "comment" | "parent") => comment,
        ("profile", "id")
        | (
            _,
            "profile" | "author" | "follower" | "followee" | "blocker" | "blocked" | "muter" | "muted" | "owner"
            | "member" | "by" | "viewer" | "recipient" | "actor" | "mentions",
        ) => profile,
        ("session", "id") => of::<SessionId>,
        ("feed_session", "session") => of::<FeedSessionId>,
        ("passkey", "id") => of::<PasskeyId>,
        ("media", "id") | (_, "media" | "avatar") => of::<MediaId>,
        ("circle", "id") | (_, "circle") => of::<CircleId>,
        ("app", "id") | (_, "app") => of::<AppId>,
        ("export", "id") => of::<ExportId>,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_map_says_is_somebodys_is_in_an_export_or_left_out_for_a_reason() {
        let tables = data_map::tables().unwrap();
        let keys = |name: &str| KEYS.iter().find(|(table, _)| *table == name).map(|(_, keys)| *keys);
        for table in tables.iter().filter(|table| !table.owners.is_empty()) {
            let Some(keys) = keys(table.name) else {
                assert!(LEFT_OUT.iter().any(|(what, _)| *what == table.name), "{} is in no export", table.name);
                continue;
            };
            let there = columns(table);
            let is_account = |name: &str| table.links().any(|link| link.kind == "account" && link.column == name);
            for column in table.columns.iter().filter(|column| PERSONAL.contains(&column.class)) {
                let is_in =
                    there.contains(&column.name) || is_account(column.name) || is_left_out(table.name, column.name);
                assert!(is_in, "{}.{} is in no export", table.name, column.name);
            }
            assert!(keys.iter().all(|key| table.columns.iter().any(|column| column.name == *key)), "{}", table.name);
            assert!(!owned(table).contains("false"), "{} is found by nothing", table.name);
        }
        for (name, _) in KEYS {
            assert!(tables.iter().any(|table| table.name == *name && !table.owners.is_empty()), "{name} is nobody's");
        }
        for (what, _) in LEFT_OUT {
            let (name, column) = what.split_once('.').unwrap_or((what, ""));
            let table = tables.iter().find(|table| table.name == name).unwrap();
            assert!(column.is_empty() || table.columns.iter().any(|c| c.name == column), "there is no {what}");
        }
    }

    #[test]
    fn no_secret_and_no_account_is_in_an_export() {
        for table in data_map::tables().unwrap() {
            let Some((_, keys)) = KEYS.iter().find(|(name, _)| *name == table.name) else { continue };
            let there = columns(&table);
            for column in table.columns.iter().filter(|column| column.class == "secret") {
                assert!(
                    !there.contains(&column.name) && !keys.contains(&column.name),
                    "{}.{}",
                    table.name,
                    column.name
                );
            }
            for link in table.links().filter(|link| link.kind == "account") {
                assert!(!there.contains(&link.column), "{}.{}", table.name, link.column);
            }
        }
    }

    #[test]
    fn rows_are_readable() {
        let read = |kind: &str, row: Value| {
            let Value::Object(mut row) = row else { panic!("an object") };
            readable(kind, &mut row);
            Value::Object(row)
        };
        let zeros = "0000000000007";
        let post = format!("pst_{zeros}");
        assert_eq!(
            read("post", serde_json::json!({ "id": 7, "mentions": [7], "circle": null, "text": "كلام" })),
            serde_json::json!({ "id": post, "mentions": [format!("prf_{zeros}")], "circle": null, "text": "كلام" })
        );
        assert_eq!(
            read("reaction", serde_json::json!({ "target": 7, "on_comment": true, "by": 7 })),
            serde_json::json!({ "target": format!("cmt_{zeros}"), "by": format!("prf_{zeros}") })
        );
        let served = read("page_served", serde_json::json!({ "posts": "\\x00000000000000070000000000000007" }));
        assert_eq!(served, serde_json::json!({ "posts": [post, post] }));
        let picture = read("media", serde_json::json!({ "variants": [{ "name": "a", "key": "m/a" }] }));
        assert_eq!(picture, serde_json::json!({ "variants": [{ "name": "a" }] }));
    }
}
