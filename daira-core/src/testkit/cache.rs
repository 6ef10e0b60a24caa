//! The kit of [`Cache`].

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use crate::port::{Cache, CacheKey, Cached, Clock, MAX_CACHED, Stamp};

super::kit! { $
    /// Runs the [`cache`](crate::testkit::cache) kit on an adapter: `cache_kit!(name, caches)`.
    cache_kit, "cache", single {
        cache: what_is_put_is_found, a_stamp_is_good_once, nothing_from_before_a_change_is_kept,
            a_value_is_replaced_by_who_saw_it, its_time_ends, too_much_is_refused, kinds_layouts_and_things_are_apart,
            many_are_found_in_their_order, nodes_share_what_is_kept, of_many_who_put_one_does, nothing_can_be_forgotten;
    }
}

/// How long what is to stay is kept.
const LONG: Duration = Duration::from_hours(1);

/// What the kit is run on. Nobody else uses their keys.
#[derive(Clone)]
pub struct Caches {
    /// The adapter under test.
    pub one: Arc<dyn Cache>,
    /// The same as another node has it; the same again where there is only one node.
    pub other: Arc<dyn Cache>,
    /// A clock that what is kept grows older by.
    pub clock: Arc<dyn Clock>,
}

impl core::fmt::Debug for Caches {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Caches")
    }
}

fn key(id: &str) -> CacheKey {
    CacheKey::new("kit", 1, id).unwrap()
}

async fn look(cache: &Arc<dyn Cache>, key: &CacheKey) -> Cached {
    let mut found = cache.get(core::slice::from_ref(key)).await;
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// The stamp of a key that nothing is kept under.
async fn missed(cache: &Arc<dyn Cache>, key: &CacheKey) -> Stamp {
    let found = look(cache, key).await;
    assert_eq!(found.value, None);
    found.stamp.unwrap()
}

async fn put(cache: &Arc<dyn Cache>, key: &CacheKey, value: &Bytes) -> bool {
    let stamp = look(cache, key).await.stamp.unwrap();
    cache.put(key, stamp, value.clone(), LONG).await.unwrap()
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// Empty, every byte, and the largest.
pub async fn what_is_put_is_found(caches: &Caches) {
    let values = [Bytes::new(), (0..=255).collect(), vec![7; MAX_CACHED].into(), text("أهلا\r\n\0")];
    for (n, value) in values.iter().enumerate() {
        let key = key(&n.to_string());
        assert!(put(&caches.one, &key, value).await);
        assert_eq!(look(&caches.one, &key).await.value.as_ref(), Some(value));
    }
}

/// All who miss get the same stamp, and the first who puts with it does.
pub async fn a_stamp_is_good_once(caches: &Caches) {
    let key = key("a");
    let stamp = missed(&caches.one, &key).await;
    assert_eq!(missed(&caches.other, &key).await, stamp);
    assert!(caches.one.put(&key, stamp, text("first"), LONG).await.unwrap());
    assert!(!caches.other.put(&key, stamp, text("second"), LONG).await.unwrap());
    assert_eq!(look(&caches.one, &key).await.value, Some(text("first")));
    assert!(!caches.one.put(&key, Stamp([9; 16]), text("third"), LONG).await.unwrap());
    assert!(!caches.one.put(&self::key("b"), Stamp([9; 16]), text("x"), LONG).await.unwrap(), "never looked at");
}

/// Whoever asked the truth before a change keeps nothing after it, on whichever node they are.
pub async fn nothing_from_before_a_change_is_kept(caches: &Caches) {
    let key = &key("a");
    let before = missed(&caches.one, key).await;
    caches.other.forget(core::slice::from_ref(key)).await;
    assert!(!caches.one.put(key, before, text("old"), LONG).await.unwrap());
    let after = missed(&caches.one, key).await;
    assert!(!caches.one.put(key, before, text("old"), LONG).await.unwrap(), "another one looks meanwhile");
    assert!(caches.one.put(key, after, text("new"), LONG).await.unwrap());
    caches.one.forget(core::slice::from_ref(key)).await;
    assert_eq!(look(&caches.other, key).await.value, None);
    assert_eq!(look(&caches.one, key).await.value, None);
}

/// A value is replaced by whoever saw it, unless it was forgotten or replaced since.
pub async fn a_value_is_replaced_by_who_saw_it(caches: &Caches) {
    let key = &key("a");
    assert!(put(&caches.one, key, &text("one")).await);
    let seen = look(&caches.other, key).await;
    assert_eq!(seen, look(&caches.one, key).await);
    let stamp = seen.stamp.unwrap();
    assert!(caches.other.put(key, stamp, text("two"), LONG).await.unwrap());
    assert!(!caches.one.put(key, stamp, text("three"), LONG).await.unwrap());
    let seen = look(&caches.one, key).await;
    assert_eq!(seen.value, Some(text("two")));
    caches.other.forget(core::slice::from_ref(key)).await;
    assert!(!caches.one.put(key, seen.stamp.unwrap(), text("four"), LONG).await.unwrap());
    assert_eq!(look(&caches.one, key).await.value, None);
}

/// A value goes when its life is over and not before; one without a life is not kept.
pub async fn its_time_ends(caches: &Caches) {
    let (short, long) = (&key("short"), &key("long"));
    let stamps = [missed(&caches.one, short).await, missed(&caches.one, long).await];
    assert!(caches.one.put(short, stamps[0], text("x"), Duration::from_millis(300)).await.unwrap());
    assert!(caches.one.put(long, stamps[1], text("y"), LONG).await.unwrap());
    for _ in 0..100 {
        if look(&caches.one, short).await.value.is_none() {
            break;
        }
        caches.clock.sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(look(&caches.one, short).await.value, None);
    assert_eq!(look(&caches.one, long).await.value, Some(text("y")));
    let none = &key("none");
    let stamp = missed(&caches.one, none).await;
    caches.one.put(none, stamp, text("z"), Duration::ZERO).await.unwrap();
    assert_eq!(look(&caches.one, none).await.value, None);
}

/// A value has a size that every adapter can carry.
pub async fn too_much_is_refused(caches: &Caches) {
    let key = &key("a");
    let stamp = missed(&caches.one, key).await;
    assert!(caches.one.put(key, stamp, vec![0; MAX_CACHED + 1].into(), LONG).await.is_err());
    assert_eq!(missed(&caches.one, key).await, stamp, "nothing was changed");
}

/// Another layout reads nothing of the one before it.
pub async fn kinds_layouts_and_things_are_apart(caches: &Caches) {
    let keys = [("kit", 1, "a"), ("kit", 2, "a"), ("kit", 12, "a"), ("tik", 1, "a"), ("kit", 1, "b"), ("kit", 1, "2a")];
    for (n, (kind, version, id)) in keys.into_iter().enumerate() {
        let key = &CacheKey::new(kind, version, id).unwrap();
        let stamp = missed(&caches.one, key).await;
        assert!(caches.one.put(key, stamp, vec![u8::try_from(n).unwrap()].into(), LONG).await.unwrap());
    }
    caches.one.forget(&[key("b")]).await;
    for (n, (kind, version, id)) in keys.into_iter().enumerate() {
        let found = look(&caches.one, &CacheKey::new(kind, version, id).unwrap()).await.value;
        assert_eq!(found, (id != "b").then(|| vec![u8::try_from(n).unwrap()].into()));
    }
}

/// Many keys at once, some of which nothing is kept under, one of them twice.
pub async fn many_are_found_in_their_order(caches: &Caches) {
    let keys: Vec<_> = (0..200).map(|n| key(&n.to_string())).collect();
    let even =
        keys.iter().step_by(2).map(|key| async { assert!(put(&caches.one, key, &key.name().to_owned().into()).await) });
    join_all(even).await;
    let asked: Vec<_> = keys.iter().rev().chain(&keys[4..5]).cloned().collect();
    let found = caches.one.get(&asked).await;
    assert_eq!(found.len(), asked.len());
    for (key, found) in asked.iter().zip(found) {
        let kept = keys.iter().position(|other| other == key).unwrap().is_multiple_of(2);
        assert_eq!(found.value, kept.then(|| key.name().to_owned().into()));
        assert!(found.stamp.is_some());
    }
    assert!(caches.one.get(&[]).await.is_empty());
    caches.one.forget(&keys).await;
    assert!(caches.one.get(&keys).await.iter().all(|found| found.value.is_none()));
}

/// What one node keeps another one finds.
pub async fn nodes_share_what_is_kept(caches: &Caches) {
    assert!(put(&caches.one, &key("a"), &text("here")).await);
    assert_eq!(look(&caches.other, &key("a")).await.value, Some(text("here")));
    assert!(put(&caches.other, &key("b"), &text("there")).await);
    assert_eq!(look(&caches.one, &key("b")).await.value, Some(text("there")));
}

/// Of all who put with one stamp exactly one does.
pub async fn of_many_who_put_one_does(caches: &Caches) {
    let key = &key("a");
    let stamp = missed(&caches.one, key).await;
    let put = |n: u8| async move {
        let cache = if n.is_multiple_of(2) { &caches.one } else { &caches.other };
        cache.put(key, stamp, vec![n].into(), LONG).await.unwrap()
    };
    let done = join_all((0..40).map(put)).await;
    let winners: Vec<_> = (0_u8..).zip(done).filter(|(_, done)| *done).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(look(&caches.one, key).await.value, Some(vec![winners[0].0].into()));
}

/// Forgetting what is not there, or nothing at all.
pub async fn nothing_can_be_forgotten(caches: &Caches) {
    caches.one.forget(&[]).await;
    caches.one.forget(&[key("a"), key("a")]).await;
    assert_eq!(look(&caches.one, &key("a")).await.value, None);
}
