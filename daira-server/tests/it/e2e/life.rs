//! The programs' life: started, found again, shared, stopped; and what they say when they cannot start.

use std::net::TcpListener;
use std::process::Output;

use daira_store::postgres::cluster::{Cluster, Departure};
use serde_json::json;

use super::platform::{Platform, cluster_config, folder, free_address, program};

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

/// Runs the server until it ends by itself, which it must, and answers what it said.
async fn fails(settings: &[(&str, String)]) -> (std::path::PathBuf, String) {
    let folder = folder();
    let settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut command = tokio::process::Command::from(program("daira-server", &folder, &settings));
    let Output { status, stderr, .. } =
        tokio::time::timeout(super::platform::PATIENCE, command.kill_on_drop(true).output()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(1));
    let said = String::from_utf8(stderr).unwrap();
    (folder, said)
}

#[tokio::test]
async fn a_server_that_cannot_start_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (settings, told) in [
        (
            vec![("DAIRA_HTTP__LISTEN", taken.clone()), ("DAIRA_GRPC__LISTEN", free_address().to_string())],
            "http.listen",
        ),
        (
            vec![("DAIRA_GRPC__LISTEN", taken.clone()), ("DAIRA_HTTP__LISTEN", free_address().to_string())],
            "grpc.listen",
        ),
        (vec![("DAIRA_HTTP__LISTN", taken)], "listn"),
        (vec![("DATABASE_URL", "postgres://daira_app@127.0.0.1:1/daira".into())], "database.worker_url"),
        (vec![("DAIRA_SECRET", "abc".into())], "64 hexadecimal digits"),
    ] {
        let (folder, said) = fails(&settings).await;
        assert!(said.starts_with("error: ") && said.contains(told), "{settings:?}: {said}");
        assert!(!folder.join("data/postgres").exists(), "nothing is set up for a server that cannot run");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
