//! The store's tests against real servers, in one program.

#[cfg(test)]
#[cfg(feature = "postgres")]
mod cluster;
