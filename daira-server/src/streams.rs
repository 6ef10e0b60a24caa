//! What all transports that stream have in common: places for streams, and the way to somebody who may be slow.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daira_core::Actor;
use daira_core::error::Result;
use daira_core::port::Subject;
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio_stream::wrappers::ReceiverStream;

use crate::http::HttpRefusal;

/// How long somebody may take to read what they were sent before they are dropped.
pub(crate) const SLOWEST: Duration = Duration::from_secs(10);

/// How many streams there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// On this node.
    pub all: usize,
    /// Of one account.
    pub member: usize,
    /// Of those who are not logged in, from one network address. All of them together have a quarter of the node's.
    pub address: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { all: 10_000, member: 20, address: 500 }
    }
}

/// The places for streams. Cloning is cheap; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Streams(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    limits: StreamLimits,
    open: Mutex<Open>,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    /// Of those who are not logged in.
    strangers: usize,
    by: HashMap<Subject, usize>,
}

/// A stream's place, until dropped.
#[derive(Debug)]
pub(crate) struct Place {
    streams: Streams,
    subject: Option<Subject>,
    is_stranger: bool,
}

impl Streams {
    /// With so many places.
    pub fn new(limits: StreamLimits) -> Self {
        Self(Arc::new(Inner { limits, ..Inner::default() }))
    }

    /// Makes it known to a registry how many there are.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("streams_open", "Open connections and calls that stream", self.0.gauge.clone());
    }

    /// Returns when there are none left.
    pub(crate) async fn ended(&self) {
        while self.0.gauge.get() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A place for a stream of somebody.
    ///
    /// # Errors
    /// `http.too_many_streams`.
    pub(crate) fn enter(&self, actor: &Actor, address: Option<IpAddr>) -> Result<Place> {
        let inner = &*self.0;
        let (subject, most) = match (actor, address) {
            (Actor::Member(member), _) => (Some(Subject::Account(member.account)), inner.limits.member),
            (_, Some(address)) => (Some(Subject::address(address)), inner.limits.address),
            (_, None) => (None, usize::MAX),
        };
        let mut open = inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        let held = subject.and_then(|subject| open.by.get(&subject)).copied().unwrap_or(0);
        let is_stranger = !matches!(actor, Actor::Member(_));
        let is_full = open.all >= inner.limits.all || (is_stranger && open.strangers >= inner.limits.all.div_ceil(4));
        if is_full || held >= most {
            return Err(HttpRefusal::TooManyStreams.into());
        }
        open.all += 1;
        open.strangers += usize::from(is_stranger);
        if let Some(subject) = subject {
            open.by.insert(subject, held + 1);
        }
        inner.gauge.inc();
        Ok(Place { streams: self.clone(), subject, is_stranger })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let inner = &*self.streams.0;
        let mut open = inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        open.strangers -= usize::from(self.is_stranger);
        if let Some(subject) = self.subject {
            let left = open.by.get(&subject).map_or(0, |held| held - 1);
            if left == 0 {
                open.by.remove(&subject);
            } else {
                open.by.insert(subject, left);
            }
        }
        inner.gauge.dec();
    }
}

/// Gives items to a transport one by one. Nothing is buffered: whoever takes longer than [`SLOWEST`] for one is dropped, with
/// their place and all that the stream holds; the last of what they are given is then nothing.
pub(crate) fn give<T: Send + 'static>(
    mut items: impl Stream<Item = T> + Send + Unpin + 'static,
    place: Place,
) -> BoxStream<'static, Option<T>> {
    let (to, from) = tokio::sync::mpsc::channel(1);
    let (is_slow, was_slow) = tokio::sync::oneshot::channel();
    let giving = async move {
        let _place = place;
        loop {
            let item = tokio::select! {
                () = to.closed() => return,
                item = items.next() => item,
            };
            let Some(item) = item else { return };
            match tokio::time::timeout(SLOWEST, to.send(item)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => {
                    // Whoever reads it is not there to be told otherwise.
                    let _ = is_slow.send(());
                    return;
                }
            }
        }
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends with its stream or its reader, and streams end when the server drains"
    )]
    tokio::spawn(giving);
    let end = stream::once(was_slow).filter_map(|slow| ready(slow.ok().map(|()| None)));
    ReceiverStream::new(from).map(Some).chain(end).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use daira_core::actor::Member;
    use daira_core::id::{AccountId, Id, ProfileId, SessionId};

    fn member(account: i64) -> Actor {
        let [profile, session] = [2, 3];
        Actor::Member(Member {
            account: AccountId::from_raw(account),
            profile: ProfileId::from_raw(profile),
            session: SessionId::from_raw(session),
        })
    }

    #[test]
    fn places_are_counted_by_account_and_address_and_given_back() {
        let streams = Streams::new(StreamLimits { all: 5, member: 2, address: 1 });
        let from = |n| Some(IpAddr::from([192, 0, 2, n]));
        let held = [streams.enter(&member(1), from(1)).unwrap(), streams.enter(&member(1), from(2)).unwrap()];
        assert!(streams.enter(&member(1), from(3)).is_err(), "from wherever they come");
        let other = streams.enter(&member(2), from(1)).unwrap();
        let stranger = streams.enter(&Actor::Anonymous, from(1)).unwrap();
        assert!(streams.enter(&Actor::Anonymous, from(1)).is_err());
        let last = streams.enter(&Actor::Anonymous, None).unwrap();
        assert!(streams.enter(&member(3), None).is_err(), "the house is full");
        drop(other);
        assert!(streams.enter(&Actor::Anonymous, None).is_err(), "strangers have a quarter of it");
        let other = streams.enter(&member(2), None).unwrap();
        drop((held, other, stranger, last));
        assert_eq!(streams.0.gauge.get(), 0);
        assert!(streams.0.open.lock().unwrap().by.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_slow_is_dropped_and_whoever_left_is_noticed() {
        let streams = Streams::default();
        let place = || streams.enter(&member(1), None).unwrap();
        let mut quick = give(Box::pin(stream::iter(0..100)), place());
        for n in 0..100 {
            assert_eq!(quick.next().await, Some(Some(n)));
        }
        assert_eq!(quick.next().await, None);
        let slow = give(Box::pin(stream::iter(0..)), place());
        let left = give(Box::pin(stream::pending::<()>()), place());
        drop(left);
        tokio::time::sleep(SLOWEST * 2).await;
        assert_eq!(streams.0.gauge.get(), 0);
        assert_eq!(slow.collect::<Vec<_>>().await, [Some(0), None], "what was on its way, and that there was more");
    }
}
