//! The embedded cluster: a private PostgreSQL that DAIRA sets up, starts, watches and stops in a folder of its own, so
//! that one command runs everything on a laptop with nothing configured.
//!
//! In goes a [`ClusterConfig`] (a folder and a few wishes); out comes a [`Cluster`], whose [`ConnectionFacts`] say how
//! to connect. It is the real server from the system's packages, never a substitute.
//!
//! ```no_run
//! # async fn demo() -> Result<(), daira_store::postgres::cluster::ClusterError> {
//! use daira_store::postgres::cluster::{Cluster, ClusterConfig};
//!
//! let cluster = Cluster::ensure(ClusterConfig::new("data/postgres")).await?;
//! println!("socket in {}", cluster.facts().socket_dir().display());
//! cluster.shutdown().await?; // stops it, unless another process still uses it
//! # Ok(()) }
//! ```
//!
//! Rules that hold at any moment, whatever is killed:
//! - **One server.** Setting up, starting and stopping happen under an exclusive file lock, and a live server is
//!   adopted, not doubled.
//! - **It runs while it is used.** Every process that uses it holds a shared file lock; the last to leave stops it. The
//!   kernel releases the locks of a killed process, so nobody has to own the server and nothing goes stale: whoever
//!   comes next adopts it and becomes responsible for it.
//! - **Nothing is lost.** A killed server recovers from its log at the next start; an unfinished set-up is never taken
//!   for a cluster; files that look damaged or foreign are left alone, with an error that says what to do.
//! - **Nobody else gets in.** A Unix socket in a folder of mode 0700, passwords by SCRAM, no TCP port; the server does
//!   not inherit our environment; under root it runs as an unprivileged user and we never write into its folders.
//!
//! Where to look: `handle` (the whole story), `layout` (what lies where), `binaries` (finding PostgreSQL), `process`
//! (set up, start, stop), `postmaster` (is it alive), `account` (as which user), `lock`, `config`, `facts`, `error`.

mod account;
mod binaries;
mod config;
mod error;
mod facts;
mod handle;
mod layout;
mod lock;
mod postmaster;
mod process;

pub use binaries::{Binaries, MINIMUM_MAJOR};
pub use config::ClusterConfig;
pub use error::ClusterError;
pub use facts::ConnectionFacts;
pub use handle::{Cluster, Departure};
