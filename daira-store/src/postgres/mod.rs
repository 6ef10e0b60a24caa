//! The PostgreSQL adapters: DAIRA's relational truth.

pub mod cluster;
