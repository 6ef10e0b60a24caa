//! Conformance kits: what every adapter of a port must do, as functions over the port, and random worlds.
//!
//! A **kit** is a list of cases. `CASES` names them, every case is a `pub async fn` that panics when the adapter breaks the
//! port's contract, and a macro turns the list into one `#[tokio::test]` per case for an adapter of yours:
//!
//! ```
//! use std::sync::Arc;
//!
//! use daira_core::memory::{ManualClock, MemoryBlobs};
//! use daira_core::port::{BlobStore, Ports};
//!
//! daira_core::store_kit!(memory_store, Ports::in_memory_at(Arc::new(ManualClock::default()), 1));
//! daira_core::blob_kit!(memory_blobs, Arc::new(MemoryBlobs::default()) as Arc<dyn BlobStore>);
//! # fn main() {}
//! ```
//!
//! The expression is evaluated anew in every test, inside an async function, so it may `.await`. It gives the subject, or
//! the subject and a guard that lives as long as the test: `(ports, database)`. Two cases never share a subject. The crate
//! needs `tokio` with `macros` and `rt`. Each test prints `conformance <port> <adapter> <case>`, so that a runner can count
//! what really ran.
//!
//! | kit | subject |
//! |---|---|
//! | [`store`] (`store_kit!`) | [`Ports`](crate::port::Ports): the store, with a clock and ids that suit it |
//! | [`bus`] (`bus_kit!`) | [`Ports`](crate::port::Ports): the bus, over the log of the store |
//! | [`maintenance`] (`maintenance_kit!`) | [`Ports`](crate::port::Ports): the same with what keeps it in shape |
//! | [`blob`] (`blob_kit!`) | `Arc<dyn BlobStore>` |
//! | [`cache`] (`cache_kit!`) | [`cache::Caches`]: one to test, and the same as another node has it |
//! | [`clock`] (`clock_kit!`), [`ids`] (`ids_kit!`) | `Arc<dyn Clock>`, `Arc<dyn IdSource>` |
//! | [`hasher`] (`hasher_kit!`) | `Arc<dyn PasswordHasher>` |
//! | [`identity`] (`identity_kit!`) | [`identity::Identities`]: one to test, and a browser that goes to its providers |
//! | [`limiter`] (`limiter_kit!`) | [`limiter::Limiters`]: one to test, and the same as another node sees it |
//! | [`passkey`] (`passkey_kit!`) | [`passkey::Passkeys`]: one to test, and two devices that answer it |
//! | [`presence`] (`presence_kit!`) | [`presence::Rooms`]: one to test, and the same as another node has it |
//! | [`pubsub`] (`pubsub_kit!`) | [`pubsub::Nodes`]: one to test, and the same as another node has it |
//! | [`signer`] (`signer_kit!`) | [`signer::Signers`]: one to test, and one with another key |
//!
//! Beside the kits: [`fixture`] puts small worlds into a store, [`law`] holds a store to the law of visibility over random
//! worlds, and [`mutant`] has adapters with one deliberate fault each, to show that the kits notice.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::unused_async,
    reason = "a kit reports by panicking, as a test does, and its cases look alike whether their port waits or not"
)]

pub mod blob;
pub mod bus;
pub mod cache;
pub mod clock;
pub mod fixture;
pub mod hasher;
pub mod identity;
pub mod ids;
pub mod law;
pub mod limiter;
pub mod maintenance;
pub mod mutant;
pub mod passkey;
pub mod presence;
pub mod pubsub;
pub mod signer;
pub mod store;
mod turns;

/// The kits that are one file, where the macros find them.
#[doc(hidden)]
pub mod single {
    pub use super::{
        blob, bus, cache, clock, hasher, identity, ids, limiter, maintenance, passkey, presence, pubsub, signer,
    };
}

/// Declares a kit: its list of cases by file, and the macro that turns it into tests.
macro_rules! kit {
    // `$` must come in from outside: it cannot be written in a macro that writes a macro.
    ($d:tt $(#[$doc:meta])* $name:ident, $port:literal, $root:ident {
        $($module:ident: $($case:ident),* $(,)?;)*
    }) => {
        /// Every case, as `file::case`.
        pub const CASES: &[&str] = &[$($(concat!(stringify!($module), "::", stringify!($case)),)*)*];

        $(#[$doc])*
        #[macro_export]
        macro_rules! $name {
            ($d adapter:ident, $d setup:expr) => {
                mod $d adapter {
                    use super::*;
                    $(mod $module {
                        use super::*;
                        $(#[tokio::test]
                        async fn $case() {
                            println!(concat!("conformance ", $port, " {} ", stringify!($module), "::", stringify!($case)), stringify!($d adapter));
                            let subject = $d setup;
                            $d crate::testkit::$root::$module::$case($d crate::testkit::Subject::subject(&subject)).await;
                        })*
                    })*
                }
            };
        }
    };
}
pub(crate) use kit;

/// What a kit is run on: the subject itself, or the subject and a guard that must outlive the test.
pub trait Subject<T: ?Sized> {
    /// The subject.
    fn subject(&self) -> &T;
}

impl<T> Subject<T> for T {
    fn subject(&self) -> &T {
        self
    }
}

impl<T, G> Subject<T> for (T, G) {
    fn subject(&self) -> &T {
        &self.0
    }
}

/// Lets other tasks run once: cases that race go on in turns even where nothing ever waits.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    core::future::poll_fn(|context| {
        if core::mem::replace(&mut yielded, true) {
            return core::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        core::task::Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    /// A case that is written and not listed would never run.
    #[test]
    fn every_case_is_listed() {
        for (file, source, cases) in [
            ("account", include_str!("store/account.rs"), super::store::CASES),
            ("audit", include_str!("store/audit.rs"), super::store::CASES),
            ("breach", include_str!("store/breach.rs"), super::store::CASES),
            ("comment", include_str!("store/comment.rs"), super::store::CASES),
            ("consent", include_str!("store/consent.rs"), super::store::CASES),
            ("counter", include_str!("store/counter.rs"), super::store::CASES),
            ("edges", include_str!("store/edges.rs"), super::store::CASES),
            ("export", include_str!("store/export.rs"), super::store::CASES),
            ("factor", include_str!("store/factor.rs"), super::store::CASES),
            ("feed", include_str!("store/feed.rs"), super::store::CASES),
            ("identity", include_str!("store/identity.rs"), super::store::CASES),
            ("inbox", include_str!("store/inbox.rs"), super::store::CASES),
            ("journal", include_str!("store/journal.rs"), super::store::CASES),
            ("lists", include_str!("store/lists.rs"), super::store::CASES),
            ("media", include_str!("store/media.rs"), super::store::CASES),
            ("notification", include_str!("store/notification.rs"), super::store::CASES),
            ("people", include_str!("store/people.rs"), super::store::CASES),
            ("post", include_str!("store/post.rs"), super::store::CASES),
            ("race", include_str!("store/race.rs"), super::store::CASES),
            ("reaction", include_str!("store/reaction.rs"), super::store::CASES),
            ("search", include_str!("store/search.rs"), super::store::CASES),
            ("unit", include_str!("store/unit.rs"), super::store::CASES),
            ("visibility", include_str!("store/visibility.rs"), super::store::CASES),
            ("bus", include_str!("bus.rs"), super::bus::CASES),
            ("blob", include_str!("blob.rs"), super::blob::CASES),
            ("cache", include_str!("cache.rs"), super::cache::CASES),
            ("clock", include_str!("clock.rs"), super::clock::CASES),
            ("hasher", include_str!("hasher.rs"), super::hasher::CASES),
            ("identity", include_str!("identity.rs"), super::identity::CASES),
            ("ids", include_str!("ids.rs"), super::ids::CASES),
            ("limiter", include_str!("limiter.rs"), super::limiter::CASES),
            ("maintenance", include_str!("maintenance.rs"), super::maintenance::CASES),
            ("passkey", include_str!("passkey.rs"), super::passkey::CASES),
            ("presence", include_str!("presence.rs"), super::presence::CASES),
            ("pubsub", include_str!("pubsub.rs"), super::pubsub::CASES),
            ("signer", include_str!("signer.rs"), super::signer::CASES),
        ] {
            let written = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
            let written: std::collections::BTreeSet<String> = written.map(|case| format!("{file}::{case}")).collect();
            let listed = cases.iter().filter(|case| case.starts_with(&format!("{file}::")));
            let listed: std::collections::BTreeSet<String> = listed.map(|case| (*case).to_owned()).collect();
            assert_eq!(written, listed, "cases of {file}");
        }
    }
}
