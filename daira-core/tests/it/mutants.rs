//! Every kit fails on an adapter that breaks a promise: a kit that passes on a mutant proves nothing.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use daira_core::memory::{
    HmacHasher, HmacSigner, ManualClock, MemoryAuthenticator, MemoryBlobs, MemoryCache, MemoryIdentities,
    MemoryLimiter, MemoryPasskeys, MemoryPresence, MemoryPubSub, RandomIds, WallClock,
};
use daira_core::port::{BlobStore, Clock, IdSource, PasswordHasher, Ports, Provider};
use daira_core::secret::Key;
use daira_core::testkit::cache::Caches;
use daira_core::testkit::identity::Identities;
use daira_core::testkit::limiter::Limiters;
use daira_core::testkit::mutant::{
    BlobFault, BusFault, CacheFault, CredulousIdentities, CredulousPasskeys, DeafHasher, FrozenIds, HastyClock,
    LimiterFault, MaintenanceFault, MutantBlobs, MutantBus, MutantCache, MutantLimiter, MutantMaintenance,
    MutantPresence, MutantPubSub, MutantStore, PresenceFault, PubSubFault, StoreFault, TimelessSigner,
};
use daira_core::testkit::passkey::Passkeys;
use daira_core::testkit::presence::Rooms;
use daira_core::testkit::pubsub::Nodes;
use daira_core::testkit::signer::Signers;
use daira_core::testkit::{
    blob, bus, cache, clock, hasher, identity, ids, law, limiter, maintenance, passkey, presence, pubsub, signer, store,
};
use daira_core::time::Timestamp;
use futures_util::FutureExt;

/// Asserts that a case fails. The message it fails with is printed by the panic hook; that is meant.
async fn fails(case: impl Future<Output = ()>) -> bool {
    AssertUnwindSafe(case).catch_unwind().await.is_err()
}

fn memory() -> Ports {
    Ports::in_memory_at(Arc::new(ManualClock::default()), 1)
}

fn broken(fault: StoreFault) -> Ports {
    let ports = memory();
    Ports { store: Arc::new(MutantStore::new(ports.store.clone(), fault)), ..ports }
}

#[tokio::test]
async fn the_store_kit_notices_every_fault() {
    for fault in StoreFault::ALL {
        let ports = &broken(fault);
        let noticed = match fault {
            StoreFault::ForgetsRollback => fails(store::unit::a_dropped_unit_leaves_nothing(ports)).await,
            StoreFault::LosesCommits | StoreFault::StaleReads => {
                fails(store::unit::a_commit_is_seen_at_once(ports)).await
            }
            StoreFault::BlindToBlocks => fails(store::visibility::standing_and_blocks_hide_posts(ports)).await,
            StoreFault::NoRowSecurity => {
                fails(store::account::others_change_nothing(&broken(fault))).await
                    && fails(Box::pin(store::visibility::row_security_decides_the_class(&broken(fault)))).await
                    && fails(store::edges::only_the_ends_write_an_edge(&broken(fault))).await
                    && fails(store::counter::counters_are_the_platforms(&broken(fault))).await
            }
            StoreFault::ForgetsKeys => fails(store::journal::a_repeated_request_has_one_effect(ports)).await,
            StoreFault::LastWriterWins => fails(store::post::a_stale_edit_is_refused(ports)).await,
            StoreFault::CountsTwice => fails(store::counter::deltas_add_up(ports)).await,
            StoreFault::FiltersAfterThePage => fails(store::search::handles_page_by_bytes(ports)).await,
        };
        assert!(noticed, "nothing noticed {fault:?}");
    }
}

#[tokio::test]
async fn the_law_notices_a_store_that_is_blind_to_blocks_or_without_row_security() {
    for fault in [StoreFault::BlindToBlocks, StoreFault::NoRowSecurity] {
        let ports = broken(fault);
        let law = async { assert!(law::check(&ports, 2_026, 20_000).await.pairs > 0) };
        assert!(fails(law).await, "nothing noticed {fault:?}");
    }
}

#[tokio::test]
async fn the_bus_kit_notices_every_fault() {
    let broken = |fault| {
        let ports = memory();
        Ports { bus: Arc::new(MutantBus::new(ports.bus.clone(), ports.store.clone(), fault)), ..ports }
    };
    for fault in BusFault::ALL {
        let ports = &broken(fault);
        let noticed = match fault {
            BusFault::RepeatsDelivery => fails(bus::effects_and_position_are_one(ports)).await,
            BusFault::LosesEvents | BusFault::ReversesOrder => {
                fails(bus::events_arrive_whole_and_in_order(ports)).await
            }
            BusFault::LosesPosition => fails(bus::a_dropped_batch_comes_again(ports)).await,
            BusFault::LosesLetters => fails(bus::a_dead_letter_keeps_all_of_it(ports)).await,
            BusFault::KeepsFailedEffects => fails(bus::a_failure_is_rolled_back_alone(ports)).await,
        };
        assert!(noticed, "nothing noticed {fault:?}");
    }
}

#[tokio::test]
async fn the_maintenance_kit_notices_every_fault() {
    for fault in MaintenanceFault::ALL {
        let ports = memory();
        let ports = &Ports { maintenance: Arc::new(MutantMaintenance::new(ports.maintenance.clone(), fault)), ..ports };
        let noticed = match fault {
            MaintenanceFault::MakesTooFew => fails(maintenance::partitions_are_made_ahead(ports)).await,
            MaintenanceFault::ForgetsOutstanding => {
                fails(maintenance::a_snapshot_holds_what_is_outstanding(ports)).await
            }
            MaintenanceFault::RepeatsPosts => fails(maintenance::pushed_posts_go_by_id(ports)).await,
            MaintenanceFault::KeepsForAll => fails(maintenance::a_living_owner_keeps_the_job(ports)).await,
            MaintenanceFault::GivesToAll | MaintenanceFault::EndsForAll => {
                fails(maintenance::a_job_is_run_by_one(ports)).await
            }
        };
        assert!(noticed, "nothing noticed {fault:?}");
    }
}

#[tokio::test]
async fn the_blob_kit_notices_every_fault() {
    for fault in BlobFault::ALL {
        let blobs: Arc<dyn BlobStore> = Arc::new(MutantBlobs::new(Arc::new(MemoryBlobs::default()), fault));
        let noticed = match fault {
            BlobFault::OffByOne => fails(blob::ranges_are_cut_to_the_blob(&blobs)).await,
            BlobFault::TakesAnyKey => fails(blob::keys_that_could_climb_are_refused(&blobs)).await,
            BlobFault::KeepsDeleted => fails(blob::a_blob_goes_once(&blobs)).await,
            BlobFault::LeavesTails => fails(blob::a_blob_is_replaced_whole(&blobs)).await,
        };
        assert!(noticed, "nothing noticed {fault:?}");
    }
}

#[tokio::test]
async fn the_limiter_kit_notices_every_fault() {
    let sound = || MemoryLimiter::new(Arc::new(ManualClock::default()));
    for fault in LimiterFault::ALL {
        let clock = Arc::new(ManualClock::default());
        let broken = MutantLimiter::new(Arc::new(MemoryLimiter::new(clock.clone())), fault);
        let limiters = &Limiters::alone(Arc::new(broken), clock);
        let noticed = match fault {
            LimiterFault::OneForAll => fails(limiter::limits_and_subjects_are_apart(limiters)).await,
            LimiterFault::IgnoresCost => fails(limiter::costs_add_up(limiters)).await,
            LimiterFault::ShortWait => fails(limiter::coming_when_told_is_enough(limiters)).await,
            LimiterFault::Windows => fails(limiter::an_edge_of_time_doubles_nothing(limiters)).await,
            LimiterFault::GoesOn => fails(limiter::the_first_refusal_ends_it(limiters)).await,
        };
        assert!(noticed, "nothing noticed {fault:?}");
    }
    let apart =
        &Limiters { limiter: Arc::new(sound()), other: Arc::new(sound()), clock: Arc::new(ManualClock::default()) };
    assert!(fails(limiter::two_nodes_count_together(apart)).await);
}

#[tokio::test]
async fn the_pubsub_kit_notices_every_fault() {
    for fault in PubSubFault::ALL {
        let here = Arc::new(MemoryPubSub::default());
        let nodes = &Nodes { one: Arc::new(MutantPubSub::new(here.clone(), fault)), other: here };
        let noticed = match fault {
            PubSubFault::OneTopic => fails(pubsub::topics_are_apart(nodes)).await,
            PubSubFault::TellsTwice => fails(pubsub::what_is_told_is_heard_by_all(nodes)).await,
            PubSubFault::Reverses | PubSubFault::LosesEmpty => {
                fails(pubsub::bytes_arrive_as_they_were_in_order(nodes)).await
            }
            PubSubFault::Cuts => fails(pubsub::too_much_is_refused(nodes)).await,
        };
        assert!(noticed, "nothing noticed {fault:?}");
    }
    let apart = || Arc::new(MemoryPubSub::default());
    assert!(fails(pubsub::nodes_hear_each_other(&Nodes { one: apart(), other: apart() })).await);
}

#[tokio::test]
async fn the_cache_kit_notices_every_fault() {
    for fault in CacheFault::ALL {
        let clock = Arc::new(ManualClock::default());
        let inner = Arc::new(MemoryCache::new(clock.clone(), 4 << 20));
        let one = Arc::new(MutantCache::new(inner, fault));
        let caches = &Caches { one: one.clone(), other: one, clock };
        let noticed = match fault {
            CacheFault::IgnoresStamps | CacheFault::KeepsForgotten => {
                fails(cache::nothing_from_before_a_change_is_kept(caches)).await
            }
            CacheFault::NeverEnds => fails(cache::its_time_ends(caches)).await,
            CacheFault::MixesLayouts => fails(cache::kinds_layouts_and_things_are_apart(caches)).await,
            CacheFault::Sorts => fails(cache::many_are_found_in_their_order(caches)).await,
            CacheFault::Cuts => fails(cache::too_much_is_refused(caches)).await,
        };
        assert!(noticed, "nothing noticed {fault:?}");
    }
}

#[tokio::test]
async fn the_presence_kit_notices_every_fault() {
    for fault in PresenceFault::ALL {
        let clock = Arc::new(ManualClock::default());
        let inner = Arc::new(MemoryPresence::new(clock.clone()));
        let one = Arc::new(MutantPresence::new(inner, fault));
        let rooms = &Rooms { one: one.clone(), other: one, clock };
        let noticed = match fault {
            PresenceFault::OneNode => fails(presence::who_left_one_node_may_be_on_another(rooms)).await,
            PresenceFault::NeverEnds => fails(presence::a_node_that_died_is_forgotten(rooms)).await,
            PresenceFault::KeepsWhoLeft => fails(presence::whoever_is_said_is_there_until_they_leave(rooms)).await,
            PresenceFault::OnlyTheFirst => fails(presence::many_are_asked_for_at_once(rooms)).await,
        };
        assert!(noticed, "nothing noticed {fault:?}");
    }
}

#[tokio::test]
async fn the_small_kits_notice_their_faults() {
    let hasher: Arc<dyn PasswordHasher> = Arc::new(DeafHasher(Arc::new(HmacHasher::new(Arc::new(RandomIds), 1))));
    assert!(fails(hasher::every_character_counts(&hasher)).await);
    let sealed = || Arc::new(HmacSigner::new(Key::new([1; 32])));
    let timeless = TimelessSigner(sealed(), Timestamp::from_seconds(1_795_456_800));
    assert!(fails(signer::a_token_ends(&Signers { signer: Arc::new(timeless), other: sealed() })).await);
    assert!(fails(signer::another_keys_token_does_not_hold(&Signers { signer: sealed(), other: sealed() })).await);
    let device = || Box::new(MemoryAuthenticator::new(&RandomIds));
    let credulous = CredulousPasskeys(Arc::new(MemoryPasskeys::new(Arc::new(RandomIds))));
    let passkeys = &Passkeys { verifier: Arc::new(credulous), device: device(), other: device() };
    assert!(fails(passkey::a_copy_is_noticed(passkeys)).await && fails(passkey::garbage_is_no_answer(passkeys)).await);
    let provider = |name: &str| Provider {
        name: name.to_owned(),
        issuer: format!("https://{name}.example"),
        redirects: vec!["https://app.example/back".to_owned()],
    };
    for case in 0..3 {
        let memory = Arc::new(MemoryIdentities::new(vec![provider("one"), provider("other")]));
        let credulous = Arc::new(CredulousIdentities::new(memory.clone()));
        let identities = &Identities { providers: credulous, browser: Box::new(memory) };
        assert!(match case {
            0 => fails(identity::a_code_works_once(identities)).await,
            1 => fails(identity::a_code_is_for_its_request(identities)).await,
            _ => fails(identity::a_code_is_its_providers(identities)).await,
        });
    }
    let hasty: Arc<dyn Clock> = Arc::new(HastyClock(Arc::new(WallClock)));
    assert!(fails(clock::sleeping_takes_its_time(&hasty)).await);
    let frozen: Arc<dyn IdSource> = Arc::new(FrozenIds);
    assert!(fails(ids::draws_differ(&frozen)).await && fails(ids::shards_spread(&frozen)).await);
}
