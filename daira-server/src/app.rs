//! The server put together: ports, use cases, transports, and what runs beside them; started, drained, closed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use daira_feed::{FeedSettings, PageRecorder};
use daira_worker::backends::Backends;
use daira_worker::config::{Config, Environment};
use daira_worker::program;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::grpc::Grpc;
use crate::http::{self, HttpSettings};
use crate::state::{AppState, Services};

/// How often pages served are written.
const WRITE_PAGES_EVERY: Duration = Duration::from_secs(1);
/// How many such writes it takes until impressions are written, too.
const FLUSH_EVERY: u64 = 10;

/// Serves until `shutdown`, then drains.
///
/// # Errors
/// With a sentence for the operator: what happened, why, and what to do.
pub async fn serve(config: Config, shutdown: CancellationToken) -> Result<()> {
    // Both ports first: nothing is started for a server that cannot listen.
    let http = listen("http.listen", config.http.listen).await?;
    let grpc = listen("grpc.listen", config.grpc.listen).await?;
    let backends = Backends::connect(&config).await?;
    let ports = backends.ports.clone();
    let services = Services::new(&ports, FeedSettings::default(), config.public_url());
    let mut registry = Registry::default();
    backends.measured_by(&mut registry);
    let mut runner = config.workers.in_server.then(|| program::runner(&ports, &config));
    runner = runner.map(|r| r.measured_by(&mut registry));
    let state = AppState::new(ports.clone(), services.clone(), http_settings(&config), &mut registry);
    let calls = Grpc::new(ports.clone(), services.clone()).behind(&config.http.trusted_proxies);
    let calls = calls.streaming_in(&state.streams);
    let calls = calls.measured_by(&mut registry);
    services.accounts.poll_revocations().await.context("the list of revoked sessions cannot be loaded")?;

    // What serves stops first; what it rests on stops when that is done.
    let (serving, resting) = (CancellationToken::new(), CancellationToken::new());
    let mut front = JoinSet::new();
    let mut behind = JoinSet::new();
    let (accounts, stop) = (services.accounts.clone(), resting.clone());
    behind.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = accounts.keep_up() => {}
        }
    });
    behind.spawn(flush_pages(services.feed.recorder().clone(), ports.clone(), resting.clone()));
    if let Some(runner) = runner {
        let stop = resting.clone();
        behind.spawn(async move { runner.run(stop).await });
    }
    let timeout = Duration::from_secs(config.http.timeout_seconds);
    let (lifecycle, streams) = (state.lifecycle.clone(), state.streams.clone());
    let router = http::router(state, Arc::new(registry));
    let stop = serving.clone();
    front.spawn(async move {
        let served = axum::serve(http, router.into_make_service_with_connect_info::<std::net::SocketAddr>());
        served.with_graceful_shutdown(stop.cancelled_owned()).await.context("serving HTTP")
    });
    front.spawn(calls.serve(grpc, timeout, serving.clone()));
    lifecycle.ready();
    tracing::info!(http = %config.http.listen, grpc = %config.grpc.listen, "the server is running");

    let attending = backends.attend(resting.clone());
    let drained = async {
        tokio::select! {
            () = shutdown.cancelled() => {}
            // A transport that ends by itself has failed.
            Some(ended) = front.join_next() => ended.context("a transport crashed")??,
        }
        lifecycle.drain();
        serving.cancel();
        let all = async {
            while front.join_next().await.is_some() {}
            // Connections that were upgraded are no requests any more, and still have something to say.
            streams.ended().await;
        };
        if tokio::time::timeout(Duration::from_secs(config.workers.drain_seconds), all).await.is_err() {
            tracing::warn!("requests did not finish in time and are cut off");
        }
        front.shutdown().await;
        resting.cancel();
        while behind.join_next().await.is_some() {}
        anyhow::Ok(())
    };
    let (attended, drained) = tokio::join!(attending, drained);
    resting.cancel();
    backends.close().await?;
    attended?;
    drained
}

async fn listen(setting: &str, address: std::net::SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: is another server running there? choose another address with {setting}")
    })
}

fn http_settings(config: &Config) -> HttpSettings {
    let development = config.environment == Environment::Development;
    let mut settings = if development { HttpSettings::development() } else { HttpSettings::default() };
    settings.origins = [&config.http.cors_origins[..], &config.http.web_origins[..]].concat();
    settings.web_origins.clone_from(&config.http.web_origins);
    settings.proxies.clone_from(&config.http.trusted_proxies);
    settings.consent_page.clone_from(&config.http.consent_page);
    settings.request_timeout = Duration::from_secs(config.http.timeout_seconds);
    settings.concurrency = config.http.concurrency;
    settings.streams.all = config.http.streams;
    settings.streams.member = config.http.streams_per_account;
    // One operation is no batch.
    settings.graphql.batch = if config.http.batch > 1 { config.http.batch } else { 0 };
    settings.graphql.timeout = settings.request_timeout;
    settings
}

async fn flush_pages(recorder: Arc<PageRecorder>, ports: daira_core::Ports, stop: CancellationToken) {
    for turn in 1_u64.. {
        let stopping = tokio::time::timeout(WRITE_PAGES_EVERY, stop.cancelled()).await.is_ok();
        let everything = stopping || turn.is_multiple_of(FLUSH_EVERY);
        let written = if everything { recorder.flush(&ports).await } else { recorder.write_pages(&ports).await };
        if let Err(error) = written {
            tracing::warn!(?error, "pages served could not be written and wait for the next time");
        }
        if stopping {
            return;
        }
    }
}
