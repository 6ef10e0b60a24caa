//! How much anybody may ask of the server, by whichever transport.
//!
//! Every request has a price in points: a GraphQL document what its fields and pages cost, anything else a fixed one.
//! Whoever is logged in pays from their account, whatever device or address they come from; strangers pay from their network
//! address. Limits of single use cases (tries of passwords, mails) are the use cases' own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use daira_core::Ports;
use daira_core::account::Pass;
use daira_core::actor::Actor;
use daira_core::error::Result;
use daira_core::port::{Bucket, Charge, Quota, RateLimiter, Subject};

/// The price of a request that was refused before its worth was known, of a call over gRPC, and of an upload.
pub(crate) const REFUSED: u32 = 50;
pub(crate) const CALL: u32 = 100;
pub(crate) const UPLOAD: u32 = 500;

pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts what is asked for. Cloning is cheap; clones count together.
#[derive(Clone)]
pub struct Door {
    limiter: Arc<dyn RateLimiter>,
    member: Quota,
    address: Quota,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("member", &self.member).field("address", &self.address).finish_non_exhaustive()
    }
}

/// What is left to whoever asked, for the answer's headers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    policy: &'static str,
    bucket: Bucket,
}

impl Door {
    /// Over these ports, with the limits of their settings.
    pub fn new(ports: &Ports) -> Self {
        let limits = &ports.settings.limits;
        Self { limiter: Arc::clone(&ports.limiter), member: limits.member, address: limits.address }
    }

    /// Takes the price of a request; whoever is trusted little has less to pay with. Nothing for somebody who is not logged in and comes from nowhere. When nobody can say
    /// how much was asked for already, everybody is let in: limits protect the service, not the other way round.
    pub(crate) async fn charge(&self, payer: &Pass, address: Option<IpAddr>, cost: u32) -> Option<Left> {
        let (policy, subject, quota) = match (payer.actor(), address) {
            (Actor::Member(member), _) => {
                ("member", Subject::Account(member.account), payer.trust().of_work(self.member))
            }
            (_, Some(address)) => ("address", Subject::address(address), self.address),
            (_, None) => return None,
        };
        let limit = if policy == "member" { "door.member" } else { "door.address" };
        match self.limiter.charge(&[Charge { limit, subject, quota, cost, strict: false }]).await {
            Ok(buckets) => buckets.first().map(|bucket| Left { policy, bucket: *bucket }),
            Err(error) => {
                tracing::warn!(operation = error.operation(), "limits could not be counted");
                None
            }
        }
    }
}

impl Left {
    /// Refuses who asked for more than was there.
    ///
    /// # Errors
    /// `limit.reached`, with when to come again.
    pub(crate) fn check(self) -> Result<()> {
        self.bucket.check().map(drop)
    }

    /// Tells what is left, as `draft-ietf-httpapi-ratelimit-headers` has it: `RateLimit-Policy: "member";q=60000;w=60` and
    /// `RateLimit: "member";r=59750;t=1`, where `t` is when all of it is there again.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Self { policy, bucket } = self;
        let (burst, window) = (bucket.quota.burst(), seconds(bucket.quota.period()));
        let (left, full_in) = (bucket.remaining(), seconds(bucket.full_in));
        for (name, value) in [
            (RATE_LIMIT_POLICY, format!("\"{policy}\";q={burst};w={window}")),
            (RATE_LIMIT, format!("\"{policy}\";r={left};t={full_in}")),
        ] {
            // Digits and quotes are always a header's value.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
