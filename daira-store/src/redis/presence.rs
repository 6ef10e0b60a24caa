//! Who is there, on any node.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use daira_core::id::ProfileId;
use daira_core::port::{Clock, Node, Presence};
use futures_util::future::try_join_all;
use redis::{RedisResult, Script, ScriptInvocation, ToRedisArgs};

use super::Redis;
use super::connection::Wire;
use super::optional::Optional;

/// How many answers are waited for at a time.
const TOGETHER: usize = 256;

/// A profile's nodes with when their word ends, in milliseconds by Redis's own clock. The key goes when the last of them does.
const BEAT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last + 0))
return 1
";

const LEAVE: &str = "return redis.call('ZREM', KEYS[1], ARGV[1])";

const PRESENT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZCOUNT', KEYS[1], string.format('(%.0f', now), '+inf')
";

/// Presence of all nodes on one Redis. While it is away nobody is there.
#[derive(Debug, Clone)]
pub struct RedisPresence {
    redis: Optional,
    beat: Script,
    leave: Script,
    present: Script,
}

impl RedisPresence {
    /// Over this connection.
    pub fn new(redis: Redis, clock: Arc<dyn Clock>) -> Self {
        let redis = Optional::new(redis, clock, "presence");
        Self { redis, beat: Script::new(BEAT), leave: Script::new(LEAVE), present: Script::new(PRESENT) }
    }

    /// Runs a script for each of these; all are written before the first answer is waited for.
    async fn each<A: ToRedisArgs>(&self, script: &Script, profiles: &[ProfileId], args: &[A]) -> Option<Vec<u64>> {
        let calls: Vec<ScriptInvocation<'_>> = profiles
            .iter()
            .map(|profile| {
                let mut call = script.key(format!("{}presence:{{{profile}}}", self.redis.redis.prefix()));
                for arg in args {
                    call.arg(arg);
                }
                call
            })
            .collect();
        let run = async |wire: Wire, _| try_join_all(calls.iter().map(|call| invoke(&wire, call))).await;
        self.redis.ask(run).await
    }
}

async fn invoke(wire: &Wire, call: &ScriptInvocation<'_>) -> RedisResult<u64> {
    match wire {
        Wire::One(one) => call.invoke_async(&mut one.clone()).await,
        Wire::Cluster(cluster) => call.invoke_async(&mut cluster.clone()).await,
    }
}

#[async_trait]
impl Presence for RedisPresence {
    async fn beat(&self, node: Node, profiles: &[ProfileId], life: Duration) {
        let life = life.as_millis().to_string().into_bytes();
        for some in profiles.chunks(TOGETHER) {
            // What is not said now is said with the next beat.
            if self.each(&self.beat, some, &[node.0.as_slice(), &life]).await.is_none() {
                return;
            }
        }
    }

    async fn leave(&self, node: Node, profiles: &[ProfileId]) {
        for some in profiles.chunks(TOGETHER) {
            // Whoever cannot leave is gone when their beat has ended.
            if self.each(&self.leave, some, &[node.0.as_slice()]).await.is_none() {
                return;
            }
        }
    }

    async fn present(&self, profiles: &[ProfileId]) -> Vec<ProfileId> {
        let asked: BTreeSet<ProfileId> = profiles.iter().copied().collect();
        let asked: Vec<ProfileId> = asked.into_iter().collect();
        if asked.is_empty() {
            return asked;
        }
        let nodes = self.each::<&[u8]>(&self.present, &asked, &[]).await.unwrap_or_default();
        asked.into_iter().zip(nodes).filter(|(_, nodes)| *nodes > 0).map(|(profile, _)| profile).collect()
    }
}
