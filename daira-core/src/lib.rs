#![doc = include_str!("../README.md")]
//!
//! **How to read it.** A business module is always the same four files: `model` (types with checked constructors),
//! `policy` (pure decisions, no async), `service` (use cases, one unit of work each) and the module head. Services take
//! the [`Actor`] first and reach the world only through [`port::Ports`], a struct of shared traits that an embedder fills
//! and may replace one by one.
//!
//! | module | is about |
//! |---|---|
//! | [`id`], [`time`], [`page`], [`error`], [`text`], [`locale`] | the vocabulary |
//! | [`actor`], [`idempotency`], [`secret`], [`settings`] | who asks, how often, with what keys and numbers |
//! | [`port`] | what the kernel needs from the world |
//! | [`event`], [`proto`] | what happened, as others read it |
//! | [`account`], [`graph`], [`post`], [`comment`], [`reaction`], [`hashtag`], [`notification`], [`media`], [`staff`], [`oauth`], [`record`] | the business |
//! | [`memory`] | adapters of every port in memory, for embedding and tests |
//! | `testkit` (feature) | conformance kits that any adapter must pass |
//! | `credential` (feature) | Argon2id password hashing and signed tokens |

pub mod account;
pub mod activity;
pub mod actor;
mod checks;
pub mod circuit;
pub mod comment;
pub mod error;
pub mod event;
pub mod graph;
pub mod hashtag;
pub mod id;
pub mod idempotency;
pub mod locale;
pub mod media;
pub mod memory;
pub mod notification;
pub mod oauth;
pub mod page;
pub mod place;
pub mod port;
pub mod post;
pub mod proto;
pub mod reaction;
pub mod read_through;
mod recent;
pub mod record;
pub mod secret;
pub mod settings;
pub mod staff;
pub mod text;
pub mod time;
pub mod trust;

#[cfg(feature = "credential")]
pub mod credential;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use actor::Actor;
pub use error::{Error, Result};
pub use port::Ports;
