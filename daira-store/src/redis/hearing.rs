//! What Redis sends unasked, handed to those who listen in this process.

use std::sync::Arc;

use bytes::Bytes;
use daira_core::memory::MemoryPubSub;
use daira_core::port::Topic;
use redis::aio::{AsyncPushSender, SendError};
use redis::{PushInfo, PushKind, Value};
use tokio::sync::Notify;

/// What is heard on the connection. Cloning is cheap: clones are one.
#[derive(Debug, Clone)]
pub(super) struct Hearing {
    /// Those who listen here.
    pub(super) here: MemoryPubSub,
    /// Told when a connection, or what was asked for on it, was lost.
    pub(super) lost: Arc<Notify>,
    prefix: Arc<str>,
}

impl Hearing {
    /// Of channels whose names begin with a prefix.
    pub(super) fn below(prefix: &str) -> Self {
        Self { here: MemoryPubSub::default(), lost: Arc::default(), prefix: prefix.into() }
    }

    /// The channel of a topic.
    pub(super) fn channel(&self, topic: Topic) -> String {
        format!("{}{topic}", self.prefix)
    }

    fn topic(&self, channel: &[u8]) -> Option<Topic> {
        core::str::from_utf8(channel).ok()?.strip_prefix(&*self.prefix)?.parse().ok()
    }
}

impl AsyncPushSender for Hearing {
    fn send(&self, push: PushInfo) -> Result<(), SendError> {
        match (push.kind, push.data.as_slice()) {
            (PushKind::Message | PushKind::SMessage, [Value::BulkString(channel), Value::BulkString(message)]) => {
                if let Some(topic) = self.topic(channel) {
                    self.here.deliver(topic, &Bytes::copy_from_slice(message));
                }
            }
            // A slot that moves takes its listeners' subscriptions with it; what we left ourselves nobody listens to.
            (PushKind::SUnsubscribe, [Value::BulkString(channel), ..])
                if self.topic(channel).is_some_and(|topic| self.here.is_heard(topic)) =>
            {
                self.lost.notify_one();
            }
            (PushKind::Disconnection, _) => self.lost.notify_one(),
            _ => {}
        }
        Ok(())
    }
}
