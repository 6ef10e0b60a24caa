//! The in-memory adapters under every conformance kit, and the law over random worlds.

use std::sync::Arc;

use daira_core::memory::{
    FallbackLimiter, HmacHasher, HmacSigner, ManualClock, MemoryAuthenticator, MemoryBlobs, MemoryCache,
    MemoryIdentities, MemoryLimiter, MemoryPasskeys, MemoryPresence, MemoryPubSub, RandomIds, SeededIds, WallClock,
};
use daira_core::port::{BlobStore, Clock, IdSource, PasswordHasher, Ports, Provider};
use daira_core::secret::Key;
use daira_core::testkit::cache::Caches;
use daira_core::testkit::identity::Identities;
use daira_core::testkit::law;
use daira_core::testkit::limiter::Limiters;
use daira_core::testkit::passkey::Passkeys;
use daira_core::testkit::presence::Rooms;
use daira_core::testkit::pubsub::Nodes;
use daira_core::testkit::signer::Signers;

fn memory() -> Ports {
    Ports::in_memory_at(Arc::new(ManualClock::default()), 1)
}

fn sealed() -> Signers {
    let [signer, other] = [1, 2].map(|n| HmacSigner::new(Key::new([n; 32])));
    Signers { signer: Arc::new(signer), other: Arc::new(other) }
}

fn counted() -> Limiters {
    let clock = Arc::new(ManualClock::default());
    Limiters::alone(Arc::new(MemoryLimiter::new(clock.clone())), clock)
}

daira_core::store_kit!(memory_store, memory());
daira_core::bus_kit!(memory_bus, memory());
daira_core::maintenance_kit!(memory_maintenance, memory());
daira_core::blob_kit!(memory_blobs, Arc::new(MemoryBlobs::default()) as Arc<dyn BlobStore>);
daira_core::clock_kit!(manual_clock, Arc::new(ManualClock::default()) as Arc<dyn Clock>);
daira_core::clock_kit!(wall_clock, Arc::new(WallClock) as Arc<dyn Clock>);
daira_core::ids_kit!(random_ids, Arc::new(RandomIds) as Arc<dyn IdSource>);
daira_core::ids_kit!(seeded_ids, Arc::new(SeededIds::new(1)) as Arc<dyn IdSource>);
daira_core::hasher_kit!(hmac_hasher, Arc::new(HmacHasher::new(Arc::new(RandomIds), 3)) as Arc<dyn PasswordHasher>);
fn counted_afar() -> Limiters {
    let clock = Arc::new(ManualClock::default());
    let afar = Arc::new(MemoryLimiter::new(clock.clone()));
    let node = || Arc::new(FallbackLimiter::new(afar.clone(), clock.clone()));
    Limiters { limiter: node(), other: node(), clock: clock.clone() }
}

daira_core::limiter_kit!(memory_limiter, counted());
daira_core::limiter_kit!(fallback_limiter, counted_afar());
fn keeping() -> Caches {
    let clock = Arc::new(ManualClock::default());
    let one = Arc::new(MemoryCache::new(clock.clone(), 4 << 20));
    Caches { one: one.clone(), other: one, clock }
}

daira_core::cache_kit!(memory_cache, keeping());
fn meeting() -> Rooms {
    let clock = Arc::new(ManualClock::default());
    let one = Arc::new(MemoryPresence::new(clock.clone()));
    Rooms { one: one.clone(), other: one, clock }
}

daira_core::presence_kit!(memory_presence, meeting());

fn talking() -> Nodes {
    let here = MemoryPubSub::default();
    Nodes { one: Arc::new(here.clone()), other: Arc::new(here) }
}

daira_core::pubsub_kit!(memory_pubsub, talking());
daira_core::signer_kit!(hmac_signer, sealed());

fn keyed() -> Passkeys {
    let device = || Box::new(MemoryAuthenticator::new(&RandomIds));
    Passkeys { verifier: Arc::new(MemoryPasskeys::new(Arc::new(RandomIds))), device: device(), other: device() }
}

daira_core::passkey_kit!(memory_passkeys, keyed());

fn elsewhere() -> Identities {
    let provider = |name: &str| Provider {
        name: name.to_owned(),
        issuer: format!("https://{name}.example"),
        redirects: vec!["https://app.example/back".to_owned()],
    };
    let memory = Arc::new(MemoryIdentities::new(vec![provider("one"), provider("other")]));
    Identities { providers: memory.clone(), browser: Box::new(memory) }
}

daira_core::identity_kit!(memory_identities, elsewhere());

#[cfg(feature = "credential")]
#[cfg(test)]
mod credential {
    use daira_core::credential::{JwtSigner, generate_signing_key};

    use super::*;

    fn signed() -> Signers {
        let [signer, other] = [1, 2].map(|seed| {
            let key = generate_signing_key(&SeededIds::new(seed));
            JwtSigner::new("https://daira.example", "daira", &key).expect("a generated key is one")
        });
        Signers { signer: Arc::new(signer), other: Arc::new(other) }
    }

    daira_core::signer_kit!(jwt_signer, signed());
}

/// The same store on the machine's clock and with real randomness: nothing rests on either.
mod at_large {
    use super::*;
    daira_core::store_kit!(memory_store_at_large, Ports::in_memory());
    daira_core::bus_kit!(memory_bus_at_large, Ports::in_memory());
}

#[tokio::test]
async fn the_law_holds_in_memory() {
    let tally = law::check(&memory(), 2_026, 100_000).await;
    println!("law memory {tally:?}");
    assert!(tally.pairs >= 100_000 && tally.towns > 5);
}
