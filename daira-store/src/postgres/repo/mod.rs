//! The repositories and page queries, one file for each port of `daira_core::port::store`.
//!
//! Every statement is checked against the schema when the crate is compiled (from `.sqlx` where no database is at hand).
//! Reads go through the `visible_…` views, the one home of the visibility policy in SQL; repositories read the tables, so
//! they get what row security lets through.

mod account;
mod account_reads;
mod app;
mod audit;
mod breach;
mod comment;
mod consent;
mod counter;
mod delivery;
mod erasure;
mod export;
mod factor;
mod feed;
mod feed_reads;
mod graph;
mod graph_reads;
mod journal;
mod media;
mod notification;
mod phone;
mod post;
mod post_reads;
mod reaction;
mod rows;
mod search;
mod sources;
mod staff;
