//! The worker put together as its program does it: from a configuration to real adapters on a real PostgreSQL.

use std::path::Path;
use std::time::Duration;

use daira_core::account::{AccountService, Register, VerifyEmail, token};
use daira_core::actor::{Actor, Client};
use daira_core::locale::Locale;
use daira_core::secret::Secret;
use daira_store::postgres::testing::{Server, TestDatabase};
use daira_worker::backends::{Backends, Level, diagnose};
use daira_worker::config::{Config, SecretText};
use daira_worker::program;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

fn secret(text: &str) -> SecretText {
    serde_json::from_value(text.into()).unwrap()
}

fn config(database: &TestDatabase, data: &Path) -> Config {
    let mut config = Config::default();
    data.clone_into(&mut config.data);
    config.database.url = Some(secret(&database.config().app_url));
    config.database.worker_url = Some(secret(&database.config().worker_url));
    config
}

fn registering(name: &str) -> Register {
    Register {
        email: format!("{name}@example.com"),
        password: Secret::new("kahwa sada 3al nil"),
        handle: name.to_owned(),
        name: "منى علي".to_owned(),
        birth_date: "1999-04-25".to_owned(),
        locale: Locale::Ar,
    }
}

/// The first mail in a folder, once its head is there.
async fn mail(folder: &Path) -> String {
    for _ in 0..3_000 {
        let found = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let written =
            found.filter_map(|path| std::fs::read_to_string(path).ok()).find(|text| text.contains("\r\n\r\n"));
        if let Some(mail) = written {
            return mail;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no mail within a minute");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_configuration_to_a_mail_and_a_log_in_and_to_an_orderly_end() {
    let (database, data) = (Server::Pg15.database().await.unwrap(), tempfile::tempdir().unwrap());
    Box::pin(join_and_log_in(config(&database, data.path()), data.path())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_a_pooler_all_is_the_same_but_for_a_way_past_it() {
    let (database, data) = (Server::Pg15.database().await.unwrap(), tempfile::tempdir().unwrap());
    let mut config = config(&database, data.path());
    let pooled = database.pooled().unwrap();
    config.database.direct_url = config.database.worker_url.take();
    config.database.url = Some(secret(&pooled.app_url));
    config.database.worker_url = Some(secret(&pooled.worker_url));
    config.database.statement_cache = 0;
    let found = diagnose(&config).await;
    assert!(found.iter().all(|finding| finding.level != Level::Fail), "{found:?}");
    Box::pin(join_and_log_in(config, data.path())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_several_servers_all_is_the_same() {
    let (database, data) = (Server::Primary15.database().await.unwrap(), tempfile::tempdir().unwrap());
    let mut config = config(&database, data.path());
    let replica = database.replica(Server::Primary15).unwrap();
    let host = |url: &str| url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    for url in [&mut config.database.url, &mut config.database.worker_url] {
        let alone = url.as_ref().unwrap().expose().to_owned();
        let primary = host(&alone);
        *url = Some(secret(&alone.replace(&primary, &format!("{},{primary}", host(&replica)))));
    }
    config.database.replica_url = Some(secret(&replica));
    for _ in 0..3_000 {
        let found = diagnose(&config).await;
        assert!(found.iter().all(|finding| finding.level != Level::Fail), "{found:?}");
        // The replica may not have been told of the database yet.
        if found.iter().any(|finding| finding.check == "replica" && finding.level == Level::Ok) {
            return Box::pin(join_and_log_in(config, data.path())).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the replica never answers");
}

/// What tells how far the replica is behind.
const BEHIND: &str = "daira_database_replica_behind_seconds ";

/// All that is measured of the backends.
fn shown(backends: &Backends) -> String {
    let (mut registry, mut shown) = (Registry::default(), String::new());
    backends.measured_by(&mut registry);
    prometheus_client::encoding::text::encode(&mut shown, &registry).unwrap();
    shown
}

/// Joins, with a mail that a consumer sends, logs in, and starts once more.
async fn join_and_log_in(config: Config, data: &Path) {
    let backends = Backends::connect(&config).await.unwrap();
    let accounts = AccountService::new(backends.ports.clone());
    let stop = CancellationToken::new();
    let work = async {
        let registration = accounts.register(&Client::default(), registering("mona"), None).await.unwrap();
        let mail = mail(&config.mail_folder()).await;
        assert!(mail.contains("To: mona@example.com") && mail.contains("no-reply@daira.example"), "{mail}");
        let code = token::code(&backends.ports.keys.challenge, registration);
        let joined = accounts
            .verify_email(&Client::default(), VerifyEmail { registration, code, device: String::new() })
            .await
            .unwrap();
        // A replica is measured by what attends, which takes a moment.
        for _ in 0..600 {
            if config.database.replica_url.is_none() || shown(&backends).contains(BEHIND) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
        joined
    };
    let runner = program::runner(&backends.ports, &config);
    let (joined, attended, ()) = tokio::join!(work, backends.attend(stop.clone()), runner.run(stop.clone()));
    attended.unwrap();
    let shown = shown(&backends);
    for line in [
        "daira_database_connections_max{pool=\"app\"} 16\n",
        "daira_database_connections{pool=\"app\",state=\"used\"} ",
        "daira_database_wait_seconds_bucket{le=\"+Inf\",pool=\"worker\"} ",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert_eq!(shown.contains(BEHIND), config.database.replica_url.is_some(), "{shown}");
    backends.close().await.unwrap();

    // Another process finds the same secret in the data folder.
    let next = Backends::connect(&config).await.unwrap();
    let accounts = AccountService::new(next.ports.clone());
    assert_eq!(accounts.authenticate(&joined.tokens.access).await.unwrap(), Actor::Member(joined.member));
    next.close().await.unwrap();

    std::fs::write(data.join("secret"), "not sixty-four digits").unwrap();
    let told = format!("{:#}", Backends::connect(&config).await.unwrap_err());
    assert!(told.contains("does not hold 64 hexadecimal digits"), "{told}");
}

#[tokio::test]
async fn what_cannot_be_connected_is_told_in_a_sentence() {
    let data = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.data = data.path().to_owned();
    // Nobody listens on the first port there is.
    config.database.url = Some(secret("postgres://daira_app:x@127.0.0.1:1/daira"));
    config.database.worker_url = config.database.url.clone();
    let told = format!("{:#}", Backends::connect(&config).await.unwrap_err());
    assert!(told.contains("the database cannot be reached"), "{told}");

    let file = data.path().join("a file");
    std::fs::write(&file, "").unwrap();
    config.data = file.join("below");
    let told = format!("{:#}", Backends::connect(&config).await.unwrap_err());
    assert!(told.contains("the data folder") && told.contains("cannot be made"), "{told}");
    let told = format!("{:#}", Backends::migrate(&config, None).await.unwrap_err());
    assert!(told.contains("database.owner_url"), "{told}");
}
