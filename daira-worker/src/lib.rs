#![doc = include_str!("../README.md")]

pub mod consume;
pub mod job;
pub mod runner;

#[cfg(feature = "backends")]
pub mod backends;
#[cfg(feature = "backends")]
pub mod config;
#[cfg(any(feature = "mail", feature = "phone"))]
pub mod deliver;
#[cfg(feature = "credential")]
pub mod hasher;
#[cfg(feature = "identities")]
pub mod identities;
#[cfg(any(feature = "phone", feature = "identities"))]
mod outgoing;
#[cfg(feature = "passkeys")]
pub mod passkeys;
#[cfg(feature = "places")]
pub mod places;
#[cfg(feature = "backends")]
pub mod program;
#[cfg(feature = "backends")]
pub mod telemetry;

pub use runner::{Consumer, Job, Runner, RunnerSettings};
