//! The server's transports: in process over everything in memory, over PostgreSQL, and driven by clients of others; its
//! program over a private PostgreSQL; the platform over real servers; and both programs, killed and started again.

#[cfg(test)]
mod apps;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod client;
#[cfg(test)]
mod e2e;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod graphiql;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod health;
#[cfg(test)]
mod http;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod introspection;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod masks;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod media;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod persisted;
#[cfg(test)]
mod phones;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod program;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod real;
#[cfg(test)]
mod records;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod schema_changes;
#[cfg(test)]
mod second_factor;
#[cfg(test)]
mod seed;
#[cfg(test)]
mod staff;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod upload;
#[cfg(test)]
mod web;
