//! 3: one job for each follower, and again for each deletion.

use std::time::{Duration, Instant};

use daira_core::id::{Id as _, PostId};
use daira_core::testkit::fixture::Person;
use daira_store::postgres::testing::Server;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::statements::Statements;
use crate::platform::{Platform, on_each_server};

/// Gives somebody many followers; an edge needs nobody at its other end.
async fn crowd(db: &mut PgConnection, author: &Person, count: i64) {
    sqlx::query("insert into daira.follow (follower, followee, at) select n, $1, now() from generate_series(1, $2) n")
        .bind(author.id.raw())
        .bind(count)
        .execute(db)
        .await
        .unwrap();
}

async fn rows(db: &mut PgConnection, post: PostId) -> i64 {
    sqlx::query_scalar("select count(*) from daira.inbox where post = $1").bind(post.raw()).fetch_one(db).await.unwrap()
}

fn sent(statements: &[String], begins: &str) -> usize {
    statements.iter().filter(|statement| statement.contains(begins)).count()
}

async fn failure_03_a_fan_out_and_a_deletion_cost_a_statement_for_a_thousand(server: Server) {
    let platform = Platform::new(server).await;
    let mut db = platform.superuser().await;
    let (star, reader) = (platform.world.person("star").await, platform.world.person("reader").await);
    crowd(&mut db, &star, 2_499).await;
    platform.world.follow(&reader, &star).await;
    let post = platform.publish(&star, "يا صباح الخير ياللي معانا").await;
    let (log, _guard) = Statements::open();
    platform.settle().await;
    let statements = log.take();
    assert_eq!(rows(&mut db, post).await, 2_500);
    assert_eq!(sent(&statements, "insert into daira.inbox"), 3, "2,500 followers in chunks of 1,000: {statements:#?}");

    platform.posts().delete(&star.actor(), post, None).await.unwrap();
    assert_eq!(rows(&mut db, post).await, 2_500, "nobody has swept yet");
    assert!(platform.following(&reader, 20).await.is_empty(), "and nobody reads it any more");
    log.take();
    platform.settle().await;
    let statements = log.take();
    assert_eq!(rows(&mut db, post).await, 0);
    assert!(sent(&statements, "delete from daira.inbox") <= 3, "{statements:#?}");
}

async fn failure_03_a_fan_out_that_hangs_holds_up_its_lanes_only(server: Server) {
    let platform = Platform::new(server).await;
    let (loud, quiet, reader) = (
        platform.world.person("loud").await,
        platform.world.person("quiet").await,
        platform.world.person("reader").await,
    );
    platform.follow(&reader, &loud).await;
    platform.follow(&reader, &quiet).await;
    platform.settle().await;
    let hanging = platform.publish(&loud, "بوست كبير").await;
    // Somebody holds the very row that its delivery wants.
    let mut holder = platform.superuser().await;
    let mut held = holder.begin().await.unwrap();
    sqlx::query("insert into daira.inbox (profile, post, author, reason, kind, at) values ($1, $2, $3, 1, 0, now())")
        .bind(reader.id.raw())
        .bind(hanging.raw())
        .bind(loud.id.raw())
        .execute(&mut *held)
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let mut running: JoinSet<()> = (0..2).map(|_| platform.runner().run(stop.clone())).collect();
    let mut published = Vec::new();
    for number in 0..32 {
        published.push(platform.publish(&quiet, &format!("بوست صغير {number}")).await);
    }
    let began = Instant::now();
    let arrived = loop {
        let arrived = platform.following(&reader, 50).await;
        if arrived.len() >= 8 {
            break arrived;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{} of 32 arrived beside the one that hangs", arrived.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(!arrived.contains(&hanging));
    held.rollback().await.unwrap();
    stop.cancel();
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    platform.settle().await;
    published.push(hanging);
    published.sort_unstable_by(|left, right| right.cmp(left));
    assert_eq!(platform.following(&reader, 50).await, published);
}

on_each_server!(
    failure_03_a_fan_out_and_a_deletion_cost_a_statement_for_a_thousand,
    failure_03_a_fan_out_that_hangs_holds_up_its_lanes_only,
);
