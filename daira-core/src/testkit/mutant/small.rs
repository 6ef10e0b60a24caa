//! Faults of the small ports.

use core::ops::Range;
use core::time::Duration;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;
use crate::id::{AccountId, Id, ProfileId};
use crate::port::{
    AuthorizationAnswer, AuthorizationRequest, BlobMeta, BlobStore, Bucket, Cache, CacheKey, Cached, Ceremony, Charge,
    Claims, Clock, IdClaims, IdSource, IdentityClaims, IdentityProviders, MAX_CACHED, MAX_SIGNAL, Node,
    PasskeyVerifier, PasswordHasher, Presence, Provider, PubSub, PublicKey, PublicPart, RateLimiter, Signed, Stamp,
    Subject, Subscription, TokenSigner, Topic,
};
use crate::secret::Secret;
use crate::time::Timestamp;

/// What a blob store gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlobFault {
    /// A range ends one byte too late.
    OffByOne,
    /// Any key will do.
    TakesAnyKey,
    /// What was deleted can still be read.
    KeepsDeleted,
    /// A shorter blob leaves the tail of the longer one before it.
    LeavesTails,
}

impl BlobFault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OffByOne, Self::TakesAnyKey, Self::KeepsDeleted, Self::LeavesTails];
}

/// A blob store with a fault.
pub struct MutantBlobs {
    inner: Arc<dyn BlobStore>,
    fault: BlobFault,
}

impl core::fmt::Debug for MutantBlobs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MutantBlobs").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl MutantBlobs {
    /// Breaks a blob store.
    pub fn new(inner: Arc<dyn BlobStore>, fault: BlobFault) -> Self {
        Self { inner, fault }
    }

    fn key<'k>(&self, key: &'k str) -> &'k str {
        let good = crate::port::check_blob_key(key).is_ok();
        if self.fault == BlobFault::TakesAnyKey && !good { "any" } else { key }
    }
}

#[async_trait]
impl BlobStore for MutantBlobs {
    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<()> {
        let mut bytes = bytes.to_vec();
        if self.fault == BlobFault::LeavesTails
            && let Some(before) = self.inner.get(key, None).await?
        {
            bytes.extend(before.into_iter().skip(bytes.len()));
        }
        self.inner.put(self.key(key), content_type, bytes.into()).await
    }
    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<Bytes>> {
        let late = u64::from(self.fault == BlobFault::OffByOne);
        let range = range.map(|range| range.start..range.end.saturating_add(late));
        self.inner.get(self.key(key), range).await
    }
    async fn head(&self, key: &str) -> Result<Option<BlobMeta>> {
        self.inner.head(self.key(key)).await
    }
    async fn delete(&self, key: &str) -> Result<bool> {
        if self.fault == BlobFault::KeepsDeleted {
            return Ok(self.inner.head(key).await?.is_some());
        }
        self.inner.delete(self.key(key)).await
    }
}

/// A hasher that does not listen: any password is right.
pub struct DeafHasher(
    /// The hasher that listens.
    pub Arc<dyn PasswordHasher>,
);

impl core::fmt::Debug for DeafHasher {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DeafHasher")
    }
}

#[async_trait]
impl PasswordHasher for DeafHasher {
    async fn hash(&self, password: &Secret) -> Result<String> {
        self.0.hash(password).await
    }
    async fn verify(&self, _: &Secret, hash: Option<&str>) -> Result<bool> {
        Ok(hash.is_some())
    }
    fn is_outdated(&self, hash: &str) -> bool {
        self.0.is_outdated(hash)
    }
}

/// A signer for whom no token ever ends.
pub struct TimelessSigner(
    /// The signer that keeps the time.
    pub Arc<dyn TokenSigner>,
    /// When all time stands still.
    pub Timestamp,
);

impl core::fmt::Debug for TimelessSigner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TimelessSigner")
    }
}

impl TokenSigner for TimelessSigner {
    fn sign(&self, claims: &Claims) -> Result<String> {
        self.0.sign(claims)
    }
    fn sign_id(&self, claims: &IdClaims) -> Result<String> {
        self.0.sign_id(claims)
    }
    fn verify(&self, token: &str, _: Timestamp) -> Result<Claims> {
        self.0.verify(token, self.1)
    }
    fn public_keys(&self) -> Vec<PublicKey> {
        self.0.public_keys()
    }
}

/// A clock whose sleepers wake at once.
pub struct HastyClock(
    /// The clock that lets them sleep.
    pub Arc<dyn Clock>,
);

impl core::fmt::Debug for HastyClock {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("HastyClock")
    }
}

#[async_trait]
impl Clock for HastyClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    async fn sleep(&self, _: Duration) {}
}

/// A source of randomness that always draws the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrozenIds;

impl IdSource for FrozenIds {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

/// What somebody who tells gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PubSubFault {
    /// Everything is about the same.
    OneTopic,
    /// Everything is told twice.
    TellsTwice,
    /// The last is told first.
    Reverses,
    /// What is empty is not told.
    LosesEmpty,
    /// What is too large is cut.
    Cuts,
}

impl PubSubFault {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::OneTopic, Self::TellsTwice, Self::Reverses, Self::LosesEmpty, Self::Cuts];
}

/// Messages with a fault.
pub struct MutantPubSub {
    inner: Arc<dyn PubSub>,
    fault: PubSubFault,
}

impl core::fmt::Debug for MutantPubSub {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MutantPubSub").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl MutantPubSub {
    /// Breaks it.
    pub fn new(inner: Arc<dyn PubSub>, fault: PubSubFault) -> Self {
        Self { inner, fault }
    }
}

#[async_trait]
impl PubSub for MutantPubSub {
    async fn publish(&self, messages: &[(Topic, Bytes)]) -> Result<()> {
        let mut messages = messages.to_vec();
        match self.fault {
            PubSubFault::OneTopic => {
                let one = Topic::Notifications(ProfileId::from_raw(1));
                for (topic, _) in &mut messages {
                    *topic = one;
                }
            }
            PubSubFault::TellsTwice => {
                messages = messages.iter().flat_map(|told| [told.clone(), told.clone()]).collect();
            }
            PubSubFault::Reverses => messages.reverse(),
            PubSubFault::LosesEmpty => messages.retain(|(_, message)| !message.is_empty()),
            PubSubFault::Cuts => {
                for (_, message) in &mut messages {
                    message.truncate(MAX_SIGNAL);
                }
            }
        }
        self.inner.publish(&messages).await
    }
    async fn subscribe(&self, topic: Topic) -> Box<dyn Subscription> {
        self.inner.subscribe(topic).await
    }
}

/// What a cache gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheFault {
    /// What was read before a change is kept after it.
    IgnoresStamps,
    /// Nothing is forgotten.
    KeepsForgotten,
    /// Nothing grows old.
    NeverEnds,
    /// Another layout of the same thing is the same.
    MixesLayouts,
    /// Answers come in the order of the keys' names.
    Sorts,
    /// What is too large is kept without its end.
    Cuts,
}

impl CacheFault {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::IgnoresStamps, Self::KeepsForgotten, Self::NeverEnds, Self::MixesLayouts, Self::Sorts, Self::Cuts];
}

/// A cache with a fault.
pub struct MutantCache {
    inner: Arc<dyn Cache>,
    fault: CacheFault,
}

impl core::fmt::Debug for MutantCache {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MutantCache").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl MutantCache {
    /// Breaks a cache.
    pub fn new(inner: Arc<dyn Cache>, fault: CacheFault) -> Self {
        Self { inner, fault }
    }

    fn keys(&self, keys: &[CacheKey]) -> Vec<CacheKey> {
        let mut keys = keys.to_vec();
        match self.fault {
            CacheFault::MixesLayouts => {
                for key in &mut keys {
                    let name: Vec<&str> = key.name().split(':').collect();
                    *key = CacheKey::named(&[name[0], name[2]].join(":"));
                }
            }
            CacheFault::Sorts => keys.sort(),
            _ => {}
        }
        keys
    }
}

#[async_trait]
impl Cache for MutantCache {
    async fn get(&self, keys: &[CacheKey]) -> Vec<Cached> {
        self.inner.get(&self.keys(keys)).await
    }
    async fn put(&self, key: &CacheKey, stamp: Stamp, mut value: Bytes, mut life: Duration) -> Result<bool> {
        let keys = self.keys(core::slice::from_ref(key));
        let mut stamp = stamp;
        match self.fault {
            CacheFault::IgnoresStamps => stamp = self.inner.get(&keys).await[0].stamp.unwrap_or(stamp),
            CacheFault::NeverEnds => life = Duration::from_hours(1_000),
            CacheFault::Cuts => value.truncate(MAX_CACHED),
            _ => {}
        }
        self.inner.put(&keys[0], stamp, value, life).await
    }
    async fn forget(&self, keys: &[CacheKey]) {
        if self.fault != CacheFault::KeepsForgotten {
            self.inner.forget(&self.keys(keys)).await;
        }
    }
}

/// What a presence gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PresenceFault {
    /// Whoever leaves one node has left all.
    OneNode,
    /// A dead node's word holds for good.
    NeverEnds,
    /// Nobody leaves.
    KeepsWhoLeft,
    /// Only the first of a beat counts.
    OnlyTheFirst,
}

impl PresenceFault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OneNode, Self::NeverEnds, Self::KeepsWhoLeft, Self::OnlyTheFirst];
}

/// A presence with a fault.
pub struct MutantPresence {
    inner: Arc<dyn Presence>,
    fault: PresenceFault,
}

impl core::fmt::Debug for MutantPresence {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MutantPresence").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl MutantPresence {
    /// Breaks a presence.
    pub fn new(inner: Arc<dyn Presence>, fault: PresenceFault) -> Self {
        Self { inner, fault }
    }

    fn node(&self, node: Node) -> Node {
        if self.fault == PresenceFault::OneNode { Node([0; 8]) } else { node }
    }
}

#[async_trait]
impl Presence for MutantPresence {
    async fn beat(&self, node: Node, profiles: &[ProfileId], life: Duration) {
        let life = if self.fault == PresenceFault::NeverEnds { life * 100_000 } else { life };
        let only = if self.fault == PresenceFault::OnlyTheFirst { 1 } else { usize::MAX };
        self.inner.beat(self.node(node), profiles.get(..only.min(profiles.len())).unwrap_or_default(), life).await;
    }
    async fn leave(&self, node: Node, profiles: &[ProfileId]) {
        if self.fault != PresenceFault::KeepsWhoLeft {
            self.inner.leave(self.node(node), profiles).await;
        }
    }
    async fn present(&self, profiles: &[ProfileId]) -> Vec<ProfileId> {
        self.inner.present(profiles).await
    }
}

/// What a limiter gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimiterFault {
    /// Everybody is one.
    OneForAll,
    /// Whatever it costs, it costs one.
    IgnoresCost,
    /// It says to wait half as long as it takes.
    ShortWait,
    /// A refusal does not end it.
    GoesOn,
    /// Whoever was refused has nothing until all of it is there again, as if time had windows.
    Windows,
}

impl LimiterFault {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::OneForAll, Self::IgnoresCost, Self::ShortWait, Self::GoesOn, Self::Windows];
}

/// A limiter with a fault.
pub struct MutantLimiter {
    inner: Arc<dyn RateLimiter>,
    fault: LimiterFault,
}

impl core::fmt::Debug for MutantLimiter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MutantLimiter").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl MutantLimiter {
    /// Breaks a limiter.
    pub fn new(inner: Arc<dyn RateLimiter>, fault: LimiterFault) -> Self {
        Self { inner, fault }
    }
}

#[async_trait]
impl RateLimiter for MutantLimiter {
    async fn charge(&self, charges: &[Charge]) -> Result<Vec<Bucket>> {
        let mut charges = charges.to_vec();
        for charge in &mut charges {
            match self.fault {
                LimiterFault::OneForAll => charge.subject = Subject::Account(AccountId::from_raw(0)),
                LimiterFault::IgnoresCost => charge.cost = 1,
                LimiterFault::ShortWait | LimiterFault::GoesOn | LimiterFault::Windows => {}
            }
        }
        if self.fault != LimiterFault::GoesOn {
            let mut buckets = self.inner.charge(&charges).await?;
            for bucket in &mut buckets {
                match self.fault {
                    LimiterFault::ShortWait => bucket.wait /= 2,
                    LimiterFault::Windows if bucket.is_refused() => bucket.full_in = bucket.quota.capacity(),
                    _ => {}
                }
            }
            return Ok(buckets);
        }
        let mut buckets = Vec::new();
        for charge in &charges {
            buckets.extend(self.inner.charge(core::slice::from_ref(charge)).await?);
        }
        Ok(buckets)
    }
}

/// Providers of identities that take whatever the code was asked for with, and again, for what they said first.
pub struct CredulousIdentities {
    /// The providers that do not.
    pub inner: Arc<dyn IdentityProviders>,
    said: Mutex<Option<(AuthorizationRequest, Option<IdentityClaims>)>>,
}

impl CredulousIdentities {
    /// Over providers that are right.
    pub fn new(inner: Arc<dyn IdentityProviders>) -> Self {
        Self { inner, said: Mutex::default() }
    }
}

impl core::fmt::Debug for CredulousIdentities {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CredulousIdentities")
    }
}

#[async_trait]
impl IdentityProviders for CredulousIdentities {
    fn providers(&self) -> &[Provider] {
        self.inner.providers()
    }
    async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String> {
        *self.said.lock().unwrap() = Some((request.clone(), None));
        self.inner.authorization_url(request).await
    }
    async fn redeem(&self, _: &AuthorizationRequest, answer: &AuthorizationAnswer) -> Result<Option<IdentityClaims>> {
        let Some((asked, said)) = self.said.lock().unwrap().clone() else { return Ok(None) };
        if said.is_some() {
            return Ok(said);
        }
        let trusting = AuthorizationAnswer { issuer: None, ..answer.clone() };
        let claims = self.inner.redeem(&asked, &trusting).await?;
        *self.said.lock().unwrap() = Some((asked, claims.clone()));
        Ok(claims)
    }
}

/// A verifier of passkeys that believes whatever it is told.
pub struct CredulousPasskeys(
    /// The verifier that does not.
    pub Arc<dyn PasskeyVerifier>,
);

impl core::fmt::Debug for CredulousPasskeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CredulousPasskeys")
    }
}

impl PasskeyVerifier for CredulousPasskeys {
    fn begin_registration(&self, user: &[u8; 16], name: &str, known: &[PublicPart]) -> Result<Ceremony> {
        self.0.begin_registration(user, name, known)
    }
    fn finish_registration(&self, state: &[u8], answer: &Secret) -> Result<Option<PublicPart>> {
        self.0.finish_registration(state, answer)
    }
    fn begin_signature(&self, known: &[PublicPart]) -> Result<Ceremony> {
        self.0.begin_signature(known)
    }
    fn signer_of(&self, answer: &Secret) -> Option<(Vec<u8>, Option<[u8; 16]>)> {
        self.0.signer_of(answer)
    }
    fn finish_signature(&self, _: &[u8], passkey: &PublicPart, _: &Secret) -> Result<Signed> {
        Ok(Signed::Good(passkey.clone()))
    }
}
