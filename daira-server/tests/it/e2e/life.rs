//! The programs' life: begun at once, sharing one PostgreSQL, stopped, found again.

use daira_store::postgres::cluster::{Cluster, Departure};
use serde_json::json;

use super::platform::{Platform, cluster_config};
use crate::streaming::socket::Socket;

/// The worker makes the notification, and the server tells who watches: by the database, without Redis.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_worker_made_is_told_by_the_server() {
    let platform = Platform::start(&[]).await;
    let client = platform.client();
    let (mona, omar) = (platform.join(&client, "mona").await, platform.join(&client, "omar").await);
    let mut socket = Socket::with(platform.http(), &mona.token).await;
    socket.subscribe("a", "subscription { notificationAdded { kind actors { handle } } }").await;
    client.insist(Some(&omar.token), "follow", "ProfileActionInput", &json!({ "profileId": mona.id }), "outcome").await;
    let told = socket.hear().await;
    let line = json!({ "kind": "FOLLOWED", "actors": [{ "handle": omar.handle }] });
    assert_eq!(told["payload"]["data"]["notificationAdded"], line, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_programs_share_one_postgres_and_a_second_start_keeps_the_data() {
    let mut platform = Platform::start(&[]).await;
    let client = platform.client();
    let (mona, omar) = (platform.join(&client, "mona").await, platform.join(&client, "omar").await);
    client.insist(Some(&omar.token), "follow", "ProfileActionInput", &json!({ "profileId": mona.id }), "outcome").await;
    let post = json!({ "text": "صباح الفل يا جماعة" });
    client.insist(Some(&mona.token), "createPost", "CreatePostInput", &post, "post { id }").await;
    let began = std::time::Instant::now();
    while client.whole_feed(&omar).await.unwrap() != ["صباح الفل يا جماعة"] {
        assert!(began.elapsed() < super::platform::PATIENCE, "the post did not arrive");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(platform.postmasters(), 1);
    // A third process attaches, and leaves without taking anything along.
    let third = Cluster::ensure(cluster_config(&platform.data())).await.unwrap();
    assert_eq!(third.pid().map(i32::unsigned_abs), platform.postgres());
    assert_eq!(third.shutdown().await.unwrap(), Departure::LeftRunning);

    let (server, worker) = platform.stop().await;
    assert!(server.success() && worker.success(), "server {server}, worker {worker}");
    assert_eq!((platform.postmasters(), platform.postgres()), (0, None), "stopped in order by the last to leave");
    platform.start_again().await;
    assert_eq!(client.whole_feed(&omar).await.unwrap(), ["صباح الفل يا جماعة"], "tokens and posts are good as before");
}
