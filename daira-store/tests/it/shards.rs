//! The way past one machine: an id says its owner's shard, so databases can each hold some shards, under the ids that the
//! things have had from birth. Here one person's things move from a database to another, of another version at that.

use std::collections::BTreeMap;
use std::sync::Arc;

use daira_core::id::{Id, Shard};
use daira_core::port::Ports;
use daira_core::testkit::fixture::{Fixture, Person};
use daira_store::postgres::testing::{Server, TestDatabase};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::conformance::ports;

/// Tables of what a profile owns, parents first, and the column whose shard is the owner's.
const OWNED: &[(&str, &str)] = &[("account", "id"), ("profile", "id"), ("post", "author"), ("post_counter", "post")];

/// Copies all rows of a shard; each keeps its id.
async fn move_shard(from: &TestDatabase, to: &TestDatabase, of: i64, accounts: &[i64]) {
    let mut from = PgConnection::connect(&from.admin_url()).await.unwrap();
    let mut to = PgConnection::connect(&to.admin_url()).await.unwrap();
    // Rows arrive whole, counters among them, and what they refer to on other shards stays there.
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut to).await.unwrap();
    for (table, column) in OWNED {
        let which = if *table == "account" { "id = any($2)" } else { "(%c >> 12) & 1023 = $1 and $2 is not null" };
        let read = format!(
            "select coalesce(json_agg(t), '[]')::text from daira.{table} t where {}",
            which.replace("%c", column)
        );
        let rows: String =
            sqlx::query_scalar(AssertSqlSafe(read)).bind(of).bind(accounts).fetch_one(&mut from).await.unwrap();
        let columns = "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                       where attrelid = ('daira.' || $1)::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
        let columns: String = sqlx::query_scalar(columns).bind(table).fetch_one(&mut from).await.unwrap();
        let write = format!(
            "insert into daira.{table} ({columns}) select {columns} from json_populate_recordset(null::daira.{table}, $1::json)"
        );
        sqlx::query(AssertSqlSafe(write)).bind(rows).execute(&mut to).await.unwrap();
    }
}

fn shard(of: impl Id) -> u16 {
    of.shard().get()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_databases_hold_two_shards_under_the_ids_of_birth() {
    let (here, old) = ports(Server::Pg15).await;
    let (there, new) = ports(Server::Pg18).await;
    let world = Fixture::new(here.clone());
    // Two people of two shards.
    let mona = world.person("mona").await;
    let mut others: Vec<Person> = Vec::new();
    for n in 0.. {
        others.push(world.person(format!("someone{n}").as_str()).await);
        if shard(others[n].id) != shard(mona.id) {
            break;
        }
    }
    let ali = others.last().unwrap();
    let (hers, his) = (world.post(&mona, "من شارد منى").await, world.post(ali, "من شارد علي").await);
    assert_eq!(shard(hers.id), shard(mona.id), "what one owns is on one's shard");
    assert_eq!(shard(his.id), shard(ali.id));
    let before = world.cards(&mona.actor(), &[hers.id]).await;

    move_shard(&old, &new, i64::from(shard(mona.id)), &[mona.account.raw()]).await;
    let beyond = Fixture::new(there.clone());
    assert_eq!(beyond.cards(&mona.actor(), &[hers.id]).await, before, "the same card under the same id");
    assert!(beyond.cards(&mona.actor(), &[his.id]).await.is_empty(), "others' are elsewhere");

    // Whoever has an id knows where to ask, without any directory.
    let place: BTreeMap<u16, Arc<Ports>> = [(shard(mona.id), Arc::new(there)), (shard(ali.id), Arc::new(here))].into();
    for (person, post) in [(&mona, &hers), (ali, &his)] {
        let world = Fixture::new((*place[&shard(post.id)]).clone());
        assert_eq!(world.cards(&person.actor(), &[post.id]).await[0].post.id, post.id);
        // And life goes on there.
        let next = world.post(person, "بعد النقل").await;
        assert_eq!(shard(next.id), shard(person.id));
        assert!(world.sees(&person.actor(), &next).await);
    }
    assert!(u32::from(shard(mona.id)) < u32::from(Shard::COUNT));
}
