//! What nodes tell each other, over `NOTIFY` of PostgreSQL: for platforms of a few nodes without Redis. Every node hears
//! everything and hands on what somebody listens to.

use async_trait::async_trait;
use bytes::Bytes;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::memory::MemoryPubSub;
use daira_core::port::{MAX_SIGNAL, PubSub, Subscription, Topic};
use daira_core::secret::Secret;
use data_encoding::BASE64_NOPAD;

use super::error::fault;
use super::listen::{Notice, listen};
use super::store::PgStore;

/// Where messages go: `number topic base64`. The number keeps two of one call apart, of which PostgreSQL would make one.
const CHANNEL: &str = "daira_signal";

/// Messages of all nodes on one PostgreSQL. Cloning is cheap: clones reach the same listeners. [`attend`](Self::attend) must
/// run beside it: what is told is heard through there only.
#[derive(Debug, Clone)]
pub struct PgPubSub {
    store: PgStore,
    here: MemoryPubSub,
}

impl PgPubSub {
    /// Over the connections of a store.
    pub fn new(store: &PgStore) -> Self {
        Self { store: store.clone(), here: MemoryPubSub::default() }
    }

    /// Listens until dropped. `url` leads to the server itself, past any pooler.
    pub async fn attend(&self, url: &Secret) {
        let hear = |notice: Notice<'_>| match notice {
            Notice::Told(notice) => self.hear(notice),
            Notice::Gap => self.here.tell_gaps(),
        };
        listen(url, CHANNEL, hear).await;
    }

    fn hear(&self, notice: &str) {
        let mut parts = notice.splitn(3, ' ').skip(1);
        if let (Some(topic), Some(message)) = (parts.next(), parts.next())
            && let (Ok(topic), Ok(message)) = (topic.parse(), BASE64_NOPAD.decode(message.as_bytes()))
        {
            self.here.deliver(topic, &message.into());
        }
    }
}

#[async_trait]
impl PubSub for PgPubSub {
    async fn publish(&self, messages: &[(Topic, Bytes)]) -> Result<()> {
        if messages.iter().any(|(_, message)| message.len() > MAX_SIGNAL) {
            return Err(Error::new(ErrorKind::Internal, "pubsub.too_large"));
        }
        if messages.is_empty() {
            return Ok(());
        }
        let notice =
            |(n, (topic, message)): (usize, &(Topic, Bytes))| format!("{n} {topic} {}", BASE64_NOPAD.encode(message));
        let notices: Vec<String> = messages.iter().enumerate().map(notice).collect();
        let told = sqlx::query("select count(pg_notify($1, notice)) from unnest($2::text[]) notice")
            .bind(CHANNEL)
            .bind(notices);
        told.execute(self.store.app_pool()).await.map(drop).map_err(|e| fault("pubsub.publish", e))
    }

    async fn subscribe(&self, topic: Topic) -> Box<dyn Subscription> {
        self.here.listen(topic)
    }
}
