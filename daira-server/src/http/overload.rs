//! How much is worked on at once: so many requests, so many more in a short queue, and 503 with `Retry-After` for the rest.
//!
//! Health and metrics do not pass through here: whoever watches the server must be heard when it is busiest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::context::RequestContext;
use super::problem::problem;
use super::refusal::HttpRefusal;
use super::settings::HttpSettings;
use crate::state::AppState;

/// The places to work at, and the queue for them.
#[derive(Debug, Clone)]
pub struct Capacity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    places: Semaphore,
    waiting: AtomicUsize,
    queue: usize,
    patience: Duration,
}

/// Leaves the queue when dropped, whether its turn came or its client went away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Capacity {
    /// So many places, with the queue that the settings say.
    pub fn new(places: usize, settings: &HttpSettings) -> Self {
        Self(Arc::new(Inner {
            places: Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS)),
            waiting: AtomicUsize::new(0),
            queue: settings.queue,
            patience: settings.queue_patience,
        }))
    }

    /// A place to work at, or nothing when the queue is full or too slow.
    pub(super) async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        let inner = &*self.0;
        if let Ok(place) = inner.places.try_acquire() {
            return Some(place);
        }
        let ahead = inner.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&inner.waiting);
        if ahead >= inner.queue {
            return None;
        }
        tokio::time::timeout(inner.patience, inner.places.acquire()).await.ok()?.ok()
    }
}

/// Works on a request when there is a place, and gives it up when it takes too long.
pub(super) async fn guard(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    request: Request,
    next: Next,
) -> Response {
    let Some(_place) = state.capacity.enter().await else {
        return problem(HttpRefusal::Overloaded, &context);
    };
    match tokio::time::timeout(state.settings.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => problem(HttpRefusal::TimedOut, &context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(concurrency: usize, queue: usize) -> Capacity {
        let queue_patience = Duration::from_millis(50);
        Capacity::new(concurrency, &HttpSettings { queue, queue_patience, ..HttpSettings::default() })
    }

    #[tokio::test]
    async fn a_full_house_sends_away_and_a_free_place_is_taken() {
        let house = capacity(1, 1);
        let place = house.enter().await.unwrap();
        let (second, third) = tokio::join!(house.enter(), house.enter());
        assert!(second.is_none() && third.is_none(), "one waited in vain, one found the queue full");
        let ((), second) = tokio::join!(async { drop(place) }, house.enter());
        assert!(second.is_some());
        assert_eq!(house.0.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn no_queue_means_no_waiting() {
        let house = capacity(1, 0);
        let _place = house.enter().await.unwrap();
        assert!(house.enter().await.is_none());
    }
}
