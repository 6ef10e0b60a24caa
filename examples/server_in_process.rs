//! A server for the tests of the client examples: in memory, on ports of its own, with somebody on it who posted.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use daira_core::memory::MemoryMail;
use daira_core::port::store::Access;
use daira_core::port::{ReadView, Store, UnitOfWork};
use daira_core::post::{CreatePost, PostService};
use daira_core::testkit::fixture::Fixture;
use daira_core::{Actor, Ports};
use daira_feed::FeedSettings;
use daira_server::grpc::Grpc;
use daira_server::http::{HttpSettings, router};
use daira_server::state::{AppState, Services};
use daira_worker::{Runner, consume};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A server that is gone with this value.
pub(crate) struct Server {
    /// Where it listens, by transport.
    urls: [(&'static str, String); 2],
    mail: Arc<MemoryMail>,
    runner: Arc<Runner>,
    _serving: JoinSet<Result<()>>,
}

/// A store whose readers see what the consumers made of everything before.
struct Settled(Arc<dyn Store>, Arc<Runner>);

#[async_trait]
impl Store for Settled {
    async fn begin(&self, actor: &Actor) -> daira_core::Result<Box<dyn UnitOfWork>> {
        self.0.begin(actor).await
    }
    async fn read(&self, actor: &Actor, access: Access) -> daira_core::Result<Box<dyn ReadView>> {
        self.1.run_until_idle().await?;
        self.0.read(actor, access).await
    }
    async fn ping(&self) -> daira_core::Result<()> {
        self.0.ping().await
    }
}

/// Starts it.
pub(crate) async fn start() -> Server {
    let mail = Arc::new(MemoryMail::default());
    let plain = Ports { mail: mail.clone(), ..Ports::in_memory() };
    let author = Box::pin(Fixture::new(plain.clone()).person("mona.adel")).await.actor();
    for text in ["صباح الفل", "صباح الفل تاني", "صباح الفل للمرة التالتة"] {
        let post = CreatePost::public(text);
        Box::pin(PostService::new(plain.clone()).create(&author, &post, None)).await.unwrap();
    }
    let runner = Arc::new(consume::all(Runner::new(plain.clone()), &plain));
    let ports = Ports { store: Arc::new(Settled(plain.store.clone(), runner.clone())), ..plain };
    let services = Services::new(&ports, FeedSettings::default(), "");
    let mut registry = prometheus_client::registry::Registry::default();
    let state = AppState::new(ports.clone(), services.clone(), HttpSettings::default(), &mut registry);
    let calls = Grpc::new(ports, services).measured_by(&mut registry);
    let (http, grpc) = (listener().await, listener().await);
    let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let (http_url, grpc_url) = (url(&http), url(&grpc));
    let mut serving = JoinSet::new();
    serving.spawn(async move { Ok(axum::serve(http, router(state, Arc::new(registry))).await?) });
    serving.spawn(calls.serve(grpc, Duration::from_secs(30), CancellationToken::new()));
    Server { urls: [("http", http_url), ("grpc", grpc_url)], mail, runner, _serving: serving }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

impl Server {
    /// Where a transport listens.
    pub(crate) fn url(&self, transport: &str) -> &str {
        self.urls.iter().find(|(name, _)| *name == transport).map(|(_, url)| url.as_str()).expect("a transport")
    }

    /// Reads the code of the latest mail to an address.
    pub(crate) fn mailed(&self) -> impl AsyncFnOnce(&str) -> Result<String> {
        async |email: &str| {
            self.runner.run_until_idle().await?;
            let messages = self.mail.messages();
            let message = messages.iter().rev().find(|message| message.to.expose() == email).context("no mail")?;
            let mut runs = message.text.expose().split(|c: char| !c.is_ascii_digit());
            Ok(runs.find(|run| run.len() == 6).context("no code in the mail")?.to_owned())
        }
    }
}
