//! The kit of [`IdSource`].

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::id::{Id, PostId, Shard};
use crate::port::IdSource;
use crate::time::Timestamp;

super::kit! { $
    /// Runs the [`ids`](crate::testkit::ids) kit on an adapter: `ids_kit!(name, ids)`.
    ids_kit, "ids", single {
        ids: every_byte_is_filled, draws_differ, ids_tell_time_and_shard, shards_spread;
    }
}

/// A buffer of any length is filled to its last byte.
pub async fn every_byte_is_filled(ids: &Arc<dyn IdSource>) {
    for length in [0, 1, 31, 32, 33, 100] {
        let mut ever = vec![0_u8; length];
        for _ in 0..64 {
            let mut buffer = vec![0; length];
            ids.fill(&mut buffer);
            ever.iter_mut().zip(buffer).for_each(|(ever, byte)| *ever |= byte);
        }
        assert!(ever.iter().all(|byte| *byte != 0), "{length} bytes");
    }
}

/// No two draws are the same, and no byte is likelier than another.
pub async fn draws_differ(ids: &Arc<dyn IdSource>) {
    let mut seen = BTreeSet::new();
    let mut counts = [0_u32; 256];
    for _ in 0..2_000 {
        let bytes: [u8; 16] = ids.bytes();
        for byte in bytes {
            counts[usize::from(byte)] += 1;
        }
        assert!(seen.insert(bytes));
    }
    assert!(counts.iter().all(|n| (60..200).contains(n)), "125 of each, more or less: {counts:?}");
}

/// A drawn id says when it was drawn and whose shard it is on.
pub async fn ids_tell_time_and_shard(ids: &Arc<dyn IdSource>) {
    let (at, shard) = (Timestamp::from_micros(1_800_000_000_123_000), Shard::from_random(777));
    let drawn: BTreeSet<PostId> = (0..50).map(|_| ids.draw(at, shard)).collect();
    assert!(drawn.iter().all(|id| id.at() == at && id.shard() == shard));
    assert!(drawn.len() > 40, "they begin at random in each millisecond");
}

/// New profiles fall on all shards.
pub async fn shards_spread(ids: &Arc<dyn IdSource>) {
    let shards: BTreeSet<u16> = (0..20_000).map(|_| ids.shard().get()).collect();
    assert_eq!(shards.len(), usize::from(Shard::COUNT));
}
