//! Where a network address is.

use core::net::IpAddr;

use crate::place::Place;

/// Says where an address is, from what is at hand: it asks nobody, and keeps nothing of the address.
pub trait Places: Send + Sync {
    /// The place; nothing where it is not known.
    fn place(&self, address: IpAddr) -> Option<Place>;
}

/// Knows no place at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPlaces;

impl Places for NoPlaces {
    fn place(&self, _: IpAddr) -> Option<Place> {
        None
    }
}
