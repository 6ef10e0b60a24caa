//! 13: unread counts that are kept apart from what they count get stuck.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daira_core::graph::GraphService;
use daira_core::notification::{GroupPosition, NotificationGroup, NotificationService};
use daira_core::page::Limit;
use daira_core::port::store::Access;
use daira_core::reaction::{ReactionKind, ReactionService, Target};
use daira_core::testkit::fixture::Person;
use daira_store::postgres::testing::Server;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::platform::{Platform, on_each_server};

/// The badge and the list that it stands on, out of one snapshot.
async fn seen(platform: &Platform, reader: &Person) -> (i64, Vec<NotificationGroup>) {
    let mut view = platform.ports.store.read(&reader.actor(), Access::Read).await.unwrap();
    let unread = view.notifications().unread().await.unwrap();
    let position = GroupPosition { as_of: platform.ports.clock.now() + Duration::from_hours(1), after: None };
    let groups = view.notifications().groups(position, Limit::new(100).unwrap()).await.unwrap();
    (unread, groups.items)
}

fn told(groups: &[NotificationGroup]) -> i64 {
    groups.iter().map(|group| i64::from(group.unread)).sum()
}

async fn failure_13_unread_is_what_the_list_says_at_every_moment(server: Server) {
    let platform = Platform::new(server).await;
    let (mona, fans) = (platform.world.person("mona").await, platform.people("fan", 8).await);
    let (one, two) = (platform.publish(&mona, "أول").await, platform.publish(&mona, "تاني").await);
    let reactions = ReactionService::new(platform.ports.clone());
    let stop = CancellationToken::new();
    let mut running = JoinSet::from_iter([platform.runner().run(stop.clone())]);
    let busy = AtomicBool::new(true);
    let act = async {
        for _ in 0..3 {
            for fan in &fans {
                for post in [one, two] {
                    reactions.react(&fan.actor(), Target::Post(post), ReactionKind::Like, None).await.unwrap();
                }
                reactions.unreact(&fan.actor(), Target::Post(one), None).await.unwrap();
            }
        }
        busy.store(false, Ordering::SeqCst);
    };
    let look = async {
        while busy.load(Ordering::SeqCst) {
            let (unread, groups) = seen(&platform, &mona).await;
            assert_eq!(unread, told(&groups), "{groups:?}");
        }
    };
    tokio::join!(act, look);
    stop.cancel();
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    platform.settle().await;
    let (_, groups) = seen(&platform, &mona).await;
    assert_eq!(
        groups.iter().map(|group| (group.post, group.count)).collect::<Vec<_>>(),
        [(Some(two), 8)],
        "likes of the first were taken back"
    );

    let notifications = NotificationService::new(platform.ports.clone());
    notifications.mark_read(&mona.actor(), None, None).await.unwrap();
    let (unread, groups) = seen(&platform, &mona).await;
    assert_eq!((unread, told(&groups)), (0, 0), "the marker moved, and the badge with it");
    reactions.react(&fans[0].actor(), Target::Post(one), ReactionKind::Sad, None).await.unwrap();
    platform.settle().await;
    let (unread, groups) = seen(&platform, &mona).await;
    assert_eq!((unread, told(&groups)), (1, 1));
    // What is over is over: no count is left behind, however it ended.
    GraphService::new(platform.ports.clone()).block(&mona.actor(), fans[0].id, None).await.unwrap();
    let (unread, groups) = seen(&platform, &mona).await;
    assert_eq!((unread, told(&groups)), (0, 0));

    let mut db = platform.superuser().await;
    let stored: Vec<String> = sqlx::query_scalar(
        "select table_name || '.' || column_name from information_schema.columns
         where table_schema = 'daira' and column_name ~ '(unread|badge)'",
    )
    .fetch_all(&mut db)
    .await
    .unwrap();
    assert!(stored.is_empty(), "{stored:?}");
}

on_each_server!(failure_13_unread_is_what_the_list_says_at_every_moment);
