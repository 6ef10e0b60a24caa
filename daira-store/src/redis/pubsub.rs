//! What nodes tell each other, over Redis: `PUBLISH` on one server, sharded `SPUBLISH` in a cluster. Redis keeps no message,
//! so whatever happens to the wire in between is told as a gap.

use core::time::Duration;
use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{MAX_SIGNAL, PubSub, Subscription, Topic};
use futures_util::future::try_join_all;
use redis::RedisResult;
use tokio::sync::Mutex;

use super::connection::Wire;
use super::{Redis, fault};

/// How often a connection is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many channels are asked for before the answers are waited for.
const TOGETHER: usize = 256;

/// Messages of all nodes on one Redis. Cloning is cheap: clones reach the same listeners. [`attend`](Self::attend) must run
/// beside it.
#[derive(Debug, Clone)]
pub struct RedisPubSub {
    redis: Redis,
    /// What Redis was asked to send. Held while it is asked, so that one task does not leave what another just joined.
    asked: Arc<Mutex<Asked>>,
}

/// The channels asked for on a connection.
#[derive(Debug, Default)]
struct Asked {
    on: u64,
    topics: HashSet<Topic>,
}

impl RedisPubSub {
    /// Over this connection.
    pub fn new(redis: Redis) -> Self {
        Self { redis, asked: Arc::default() }
    }

    /// Looks after the connection until dropped: when it is lost it is made anew, asked for the same as before, and whoever
    /// listens is told of the gap, when it opens and when it has closed.
    pub async fn attend(&self) {
        let hearing = self.redis.hearing();
        let mut away = false;
        loop {
            let lost = tokio::time::timeout(LOOK_EVERY, hearing.lost.notified()).await.is_ok();
            if lost {
                self.asked.lock().await.topics.clear();
            }
            match self.tune().await {
                Ok(()) => away = false,
                // Once: whoever looks again and again at the truth would wear it out just when it is needed.
                Err(error) if !away => {
                    away = true;
                    tracing::warn!(%error, "Redis cannot be listened to for now");
                    hearing.here.tell_gaps();
                }
                Err(_) => {}
            }
        }
    }

    /// Asks Redis for what somebody listens to here, and for nothing else.
    async fn tune(&self) -> RedisResult<()> {
        let mut asked = self.asked.lock().await;
        let asked = &mut *asked;
        let hearing = self.redis.hearing();
        let tune = async |wire: Wire, which| {
            asked.meet(which);
            let wanted: HashSet<_> = hearing.here.topics().into_iter().collect();
            let join: Vec<_> = wanted.difference(&asked.topics).copied().collect();
            let leave: Vec<_> = asked.topics.difference(&wanted).copied().collect();
            if join.is_empty() && leave.is_empty() {
                // Whoever only listens would never notice that nobody speaks any more.
                wire.is_alive().await?;
            }
            for topics in join.chunks(TOGETHER) {
                try_join_all(topics.iter().map(|topic| wire.listen(hearing.channel(*topic)))).await?;
                asked.topics.extend(topics);
                // What was said before, nobody heard.
                for topic in topics {
                    hearing.here.tell_gap(*topic);
                }
            }
            for topic in leave {
                wire.leave(hearing.channel(topic)).await?;
                asked.topics.remove(&topic);
            }
            Ok(())
        };
        self.redis.with(tune).await
    }

    /// Asks Redis for one topic more.
    async fn join(&self, topic: Topic) -> RedisResult<()> {
        let mut asked = self.asked.lock().await;
        let asked = &mut *asked;
        let join = async |wire: Wire, which| {
            if asked.on == which && asked.topics.contains(&topic) {
                return Ok(());
            }
            // Other topics of a new connection are for whoever attends.
            wire.listen(self.redis.hearing().channel(topic)).await?;
            asked.meet(which);
            asked.topics.insert(topic);
            Ok(())
        };
        self.redis.with(join).await
    }
}

impl Asked {
    /// On a new connection nothing was asked for yet.
    fn meet(&mut self, connection: u64) {
        if self.on != connection {
            *self = Self { on: connection, topics: HashSet::new() };
        }
    }
}

impl Wire {
    async fn listen(&self, channel: String) -> RedisResult<()> {
        match self {
            Self::One(one) => one.clone().subscribe(channel).await,
            Self::Cluster(cluster) => cluster.clone().ssubscribe(channel).await,
        }
    }

    async fn leave(&self, channel: String) -> RedisResult<()> {
        match self {
            Self::One(one) => one.clone().unsubscribe(channel).await,
            Self::Cluster(cluster) => cluster.clone().sunsubscribe(channel).await,
        }
    }

    async fn is_alive(&self) -> RedisResult<()> {
        match self {
            Self::One(one) => redis::cmd("PING").query_async(&mut one.clone()).await,
            // A cluster's connection looks after its nodes itself.
            Self::Cluster(_) => Ok(()),
        }
    }

    async fn tell(&self, channel: String, message: &[u8]) -> RedisResult<()> {
        let name = match self {
            Self::One(_) => "PUBLISH",
            Self::Cluster(_) => "SPUBLISH",
        };
        self.ask(redis::cmd(name).arg(channel).arg(message)).await
    }
}

#[async_trait]
impl PubSub for RedisPubSub {
    async fn publish(&self, messages: &[(Topic, Bytes)]) -> Result<()> {
        if messages.iter().any(|(_, message)| message.len() > MAX_SIGNAL) {
            return Err(Error::new(ErrorKind::Internal, "pubsub.too_large"));
        }
        if messages.is_empty() {
            return Ok(());
        }
        let hearing = self.redis.hearing();
        // All of them are written before the first answer is waited for, in order.
        let tell = async |wire: Wire, _| {
            let all = messages.iter().map(|(topic, message)| wire.tell(hearing.channel(*topic), message));
            try_join_all(all).await.map(drop)
        };
        self.redis.with(tell).await.map_err(fault("redis.publish"))
    }

    async fn subscribe(&self, topic: Topic) -> Box<dyn Subscription> {
        let here = &self.redis.hearing().here;
        let listener = here.listen(topic);
        if !matches!(tokio::time::timeout(LOOK_EVERY, self.join(topic)).await, Ok(Ok(()))) {
            // Whoever attends asks again.
            here.tell_gap(topic);
        }
        listener
    }
}
