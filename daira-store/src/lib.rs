//! DAIRA store.

#[cfg(feature = "postgres")]
pub mod postgres;
