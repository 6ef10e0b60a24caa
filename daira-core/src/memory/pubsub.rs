//! Messages within one process. Adapters that reach other nodes deliver into one of these what they hear from them.

use core::future::poll_fn;
use core::task::{Poll, Waker};
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, select};

use crate::error::{Error, ErrorKind, Result};
use crate::port::{Heard, MAX_SIGNAL, PubSub, Subscription, Topic};

/// How many messages wait for a listener before it is told of a gap instead.
const WAITING: usize = 64;

/// Messages of one process. Cloning is cheap: clones reach the same listeners.
#[derive(Clone, Default)]
pub struct MemoryPubSub {
    listeners: Arc<Mutex<HashMap<Topic, Vec<Weak<Mailbox>>>>>,
}

impl core::fmt::Debug for MemoryPubSub {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MemoryPubSub").field("topics", &self.listeners().len()).finish()
    }
}

/// What waits for one listener.
#[derive(Default)]
struct Mailbox(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Bytes>,
    gap: bool,
    listener: Option<Waker>,
}

impl Mailbox {
    fn put(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut waiting);
        if let Some(listener) = waiting.listener.take() {
            listener.wake();
        }
    }
}

impl MemoryPubSub {
    /// Hands a message to those who listen here.
    pub fn deliver(&self, topic: Topic, message: &Bytes) {
        self.each(topic, |waiting| {
            if waiting.messages.len() < WAITING {
                waiting.messages.push_back(message.clone());
            } else {
                waiting.messages.clear();
                waiting.gap = true;
            }
        });
    }

    /// Tells those who listen to a topic here that messages may have been lost.
    pub fn tell_gap(&self, topic: Topic) {
        self.each(topic, |waiting| waiting.gap = true);
    }

    /// The same to everybody who listens here.
    pub fn tell_gaps(&self) {
        for topic in self.topics() {
            self.tell_gap(topic);
        }
    }

    /// What somebody listens to here.
    pub fn topics(&self) -> Vec<Topic> {
        self.listeners().keys().copied().collect()
    }

    /// Whether somebody listens to a topic here.
    pub fn is_heard(&self, topic: Topic) -> bool {
        self.listeners().contains_key(&topic)
    }

    /// Listens here.
    pub fn listen(&self, topic: Topic) -> Box<dyn Subscription> {
        let mailbox = Arc::<Mailbox>::default();
        let mut listeners = self.listeners();
        listeners.entry(topic).or_default().push(Arc::downgrade(&mailbox));
        Box::new(Listener { mailbox, topic, of: self.clone() })
    }

    fn each(&self, topic: Topic, change: impl Fn(&mut Waiting)) {
        let boxes = self.listeners().get(&topic).cloned().unwrap_or_default();
        for mailbox in boxes.iter().filter_map(Weak::upgrade) {
            mailbox.put(&change);
        }
    }

    fn listeners(&self) -> MutexGuard<'_, HashMap<Topic, Vec<Weak<Mailbox>>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PubSub for MemoryPubSub {
    async fn publish(&self, messages: &[(Topic, Bytes)]) -> Result<()> {
        if messages.iter().any(|(_, message)| message.len() > MAX_SIGNAL) {
            return Err(Error::new(ErrorKind::Internal, "pubsub.too_large"));
        }
        for (topic, message) in messages {
            self.deliver(*topic, message);
        }
        Ok(())
    }

    async fn subscribe(&self, topic: Topic) -> Box<dyn Subscription> {
        self.listen(topic)
    }
}

struct Listener {
    mailbox: Arc<Mailbox>,
    topic: Topic,
    of: MemoryPubSub,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listeners = self.of.listeners();
        let Some(boxes) = listeners.get_mut(&self.topic) else { return };
        boxes.retain(|mailbox| !core::ptr::eq(mailbox.as_ptr(), Arc::as_ptr(&self.mailbox)));
        if boxes.is_empty() {
            listeners.remove(&self.topic);
        }
    }
}

#[async_trait]
impl Subscription for Listener {
    async fn next(&mut self, patience: Duration) -> Heard {
        let heard = poll_fn(|context| {
            let mut waiting = self.mailbox.0.lock().unwrap_or_else(PoisonError::into_inner);
            // A gap first: what is looked at after it holds what waits behind it as well.
            if core::mem::take(&mut waiting.gap) {
                return Poll::Ready(Heard::Gap);
            }
            if let Some(message) = waiting.messages.pop_front() {
                return Poll::Ready(Heard::Message(message));
            }
            waiting.listener = Some(context.waker().clone());
            Poll::Pending
        });
        match select(heard, futures_timer::Delay::new(patience)).await {
            Either::Left((heard, _)) => heard,
            Either::Right(_) => Heard::Silence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Id, ProfileId};

    #[test]
    fn nothing_is_kept_of_those_who_left() {
        let here = MemoryPubSub::default();
        let topic = |n| Topic::Notifications(ProfileId::from_raw(n));
        let stays = here.listen(topic(0));
        for n in 0..1_000 {
            drop(here.listen(topic(n)));
        }
        assert_eq!((here.topics(), here.is_heard(topic(1))), (vec![topic(0)], false));
        drop(stays);
        assert!(here.listeners().is_empty());
    }
}
