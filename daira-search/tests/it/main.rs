//! Search as people use it, over the in-memory store.

#[cfg(test)]
mod search;
