#![doc = include_str!("../README.md")]
//!
//! A transport reads who asks and what for, calls a use case, and shows its answer or its
//! refusal. What all transports share is in [`state`].
//!
//! | module | is about |
//! |---|---|
//! | [`http`] | routes, layers, GraphQL over HTTP, health, metrics |
//! | [`graphql`] | documents and their limits, the engine, the schema |
//! | [`grpc`] | `daira.account.v1`, `daira.post.v1`, `daira.feed.v1` |
//! | [`door`] | how much anybody may ask for |
//! | [`app`] | the server put together: started, drained, closed |
//! | [`seed`] | the demo world |
//! | [`streams`] | places for streams, and readers that are slow |
//! | [`state`] | the use cases, and what the HTTP side keeps for all requests |

pub mod app;
pub mod door;
pub mod graphql;
pub mod grpc;
pub mod http;
pub mod seed;
pub mod state;
pub mod streams;
