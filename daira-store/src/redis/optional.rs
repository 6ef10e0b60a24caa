//! Redis for what can be done without: whoever asks waits for a moment at most, and while it is away nobody does.

use core::time::Duration;
use std::sync::Arc;

use daira_core::circuit::{Circuit, Passage};
use daira_core::port::Clock;
use redis::RedisResult;

use super::Redis;
use super::connection::Wire;

/// How long somebody waits for what they can do without.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);
/// How long the one waits who tries whether Redis is there again: as long as connecting anew may take.
const TRIAL: Duration = Duration::from_secs(2);

/// A Redis that may be away. Cloning is cheap; clones find out together.
#[derive(Debug, Clone)]
pub(super) struct Optional {
    pub(super) redis: Redis,
    circuit: Arc<Circuit>,
    /// What it is for, in the log.
    purpose: &'static str,
}

impl Optional {
    pub(super) fn new(redis: Redis, clock: Arc<dyn Clock>, purpose: &'static str) -> Self {
        Self { redis, circuit: Arc::new(Circuit::new(clock)), purpose }
    }

    /// Asks it, unless it is to be left alone; nothing where it does not answer in time.
    pub(super) async fn ask<T>(&self, work: impl AsyncFnOnce(Wire, u64) -> RedisResult<T>) -> Option<T> {
        let patience = match self.circuit.ask() {
            Passage::Whole => PATIENCE,
            Passage::Trial => TRIAL,
            Passage::Open => return None,
        };
        match tokio::time::timeout(patience, self.redis.with(work)).await {
            Ok(Ok(answer)) => {
                if self.circuit.answered() {
                    tracing::info!(purpose = self.purpose, "Redis is there again");
                }
                Some(answer)
            }
            Ok(Err(error)) => self.away(&error),
            Err(late) => self.away(&late),
        }
    }

    fn away<T>(&self, error: &dyn core::fmt::Display) -> Option<T> {
        if self.circuit.failed() {
            tracing::warn!(%error, purpose = self.purpose, "Redis is away: this node does without it for now");
        }
        None
    }
}
