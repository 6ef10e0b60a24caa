//! The PostgreSQL adapters: DAIRA's relational truth.
//!
//! ```text
//! Store::begin(&Actor) ─┐                          ┌─ repositories (tables; row security decides on classes)
//! Store::read(&Actor) ──┴─ one batch: begin + who ─┴─ page queries (visible_… views: the whole policy)
//! ```
//!
//! There is no other way to a connection: the pools are private to [`PgStore`], and both ways say who asks, in the
//! transaction's opening batch and for this transaction alone. Two roles serve the program, `daira_app` for people and
//! `daira_worker` for the platform's own actors; neither owns anything, neither bypasses row security.
//!
//! Where to look: `store` (pools), `wire` (what statements go through), `hosts`, `watch` and `tenure` (which
//! server is the primary, and for how long), `replica` (reads that may lag),
//! `opening` (transactions that leave nothing behind), `unit` and `view` (one transaction each), `repo` (the statements, one file for
//! each port), `error` (what the database's answers mean), [`bootstrap`](Bootstrap) (roles, database, migrations),
//! [`gate`] (proof that the guards are up), [`data_map`] (what is kept of people), [`cluster`] (a private server of our own). The schema is in `migrations/`.

mod backfill;
mod bootstrap;
pub mod bus;
mod cards;
pub mod cluster;
mod config;
mod counts;
pub mod data_map;
mod error;
mod export_plan;
pub mod gate;
mod hosts;
mod listen;
mod maintenance;
mod opening;
mod pools;
mod pubsub;
mod questions;
mod replica;
mod repo;
mod shared;
mod store;
mod tenure;
#[cfg(feature = "testing")]
pub mod testing;
mod ties;
mod unit;
mod view;
mod watch;
mod wire;

pub use bootstrap::{Bootstrap, SchemaState, migrate, migrate_to, schema_state};
pub use bus::{BusSettings, PgBus};
pub use config::PgStoreConfig;
pub use maintenance::PgMaintenance;
pub use pools::{PoolState, WAIT_BOUNDS, Waits};
pub use pubsub::PgPubSub;
pub use store::PgStore;
pub use watch::Watch;

/// Nobody gets at a connection but through a unit of work or a read view, and both say who asks:
///
/// ```no_run
/// # use daira_core::{Actor, port::{Store, store::Access}};
/// # async fn example(store: daira_store::postgres::PgStore, actor: &Actor) -> daira_core::Result<()> {
/// let (unit, view) = (store.begin(actor).await?, store.read(actor, Access::Read).await?);
/// # Ok(()) }
/// ```
///
/// The pools are out of reach:
///
/// ```compile_fail,E0616
/// # async fn example(store: daira_store::postgres::PgStore) {
/// let pool = store.app;
/// # }
/// ```
/// ```compile_fail,E0624
/// # async fn example(store: daira_store::postgres::PgStore) {
/// let pool = store.worker_pool();
/// # }
/// ```
/// ```compile_fail,E0624
/// # async fn example(store: daira_store::postgres::PgStore, actor: &daira_core::Actor) {
/// let transaction = store.open(actor, "begin").await;
/// # }
/// ```
///
/// A unit is not opened without an actor, nor made by hand:
///
/// ```compile_fail,E0061
/// # use daira_core::port::Store;
/// # async fn example(store: daira_store::postgres::PgStore) {
/// let unit = store.begin().await;
/// # }
/// ```
/// ```compile_fail,E0432
/// use daira_store::postgres::PgUnit;
/// ```
#[cfg(doctest)]
fn security_50_pools_are_out_of_reach() {}
