//! The kit of [`BlobStore`].

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join;

use crate::port::{BlobMeta, BlobStore, BlobStoreExt};

super::kit! { $
    /// Runs the [`blob`](crate::testkit::blob) kit on an adapter: `blob_kit!(name, blobs)`.
    blob_kit, "blob", single {
        blob: a_blob_comes_back, a_blob_is_replaced_whole, ranges_are_cut_to_the_blob, a_blob_goes_once,
            what_was_never_put_is_not_there, keys_that_could_climb_are_refused, keys_do_not_touch_each_other,
            a_large_blob_keeps_every_byte;
    }
}

type Blobs = Arc<dyn BlobStore>;

async fn put(blobs: &Blobs, key: &str, bytes: &[u8]) {
    blobs.put(key, "image/webp", Bytes::copy_from_slice(bytes)).await.unwrap();
}

async fn get(blobs: &Blobs, key: &str) -> Option<Vec<u8>> {
    blobs.get(key, None).await.unwrap().map(|bytes| bytes.to_vec())
}

/// Bytes and media type come back as they were put, for every byte and for none at all.
pub async fn a_blob_comes_back(blobs: &Blobs) {
    let every: Vec<u8> = (0..=255).collect();
    for (key, bytes, content_type) in [
        ("a", &every[..], "image/webp"),
        ("m/0c5h2m9k1v3q8/feed-480.webp", b"x", "image/jpeg"),
        ("e_m.p-ty/0", b"", "text/plain; charset=utf-8"),
    ] {
        blobs.put(key, content_type, Bytes::copy_from_slice(bytes)).await.unwrap();
        assert_eq!(get(blobs, key).await.as_deref(), Some(bytes));
        let meta = BlobMeta { bytes: bytes.len() as u64, content_type: content_type.to_owned() };
        assert_eq!(blobs.head(key).await.unwrap(), Some(meta));
        assert!(blobs.exists(key).await.unwrap());
    }
}

/// A second put replaces all of the first, shorter or longer; a reader sees one or the other.
pub async fn a_blob_is_replaced_whole(blobs: &Blobs) {
    let (long, short) = (vec![b'l'; 200_000], vec![b's'; 10]);
    put(blobs, "k", &long).await;
    for next in [&short, &long, &short, &long] {
        let (seen, ()) = join(get(blobs, "k"), put(blobs, "k", next)).await;
        let seen = seen.unwrap();
        assert!(seen == long || seen == short, "a mixture of {} bytes", seen.len());
        assert_eq!(get(blobs, "k").await.as_ref(), Some(next));
        assert_eq!(blobs.head("k").await.unwrap().unwrap().bytes, next.len() as u64);
    }
    blobs.put("k", "image/jpeg", Bytes::from_static(b"j")).await.unwrap();
    assert_eq!(blobs.head("k").await.unwrap().unwrap().content_type, "image/jpeg");
}

/// A range gives what it covers of the blob, and is empty beyond it.
pub async fn ranges_are_cut_to_the_blob(blobs: &Blobs) {
    put(blobs, "k", b"0123456789").await;
    for (start, end, expected) in [
        (0, 10, "0123456789"),
        (0, 1, "0"),
        (3, 6, "345"),
        (9, 10, "9"),
        (7, 1_000, "789"),
        (0, u64::MAX, "0123456789"),
        (5, 5, ""),
        (10, 11, ""),
        (u64::MAX - 1, u64::MAX, ""),
    ] {
        let part = blobs.get("k", Some(start..end)).await.unwrap().unwrap();
        assert_eq!(part, expected.as_bytes(), "{start}..{end}");
    }
    assert_eq!(blobs.get("unknown", Some(0..1)).await.unwrap(), None);
}

/// A blob is deleted once, and may come again.
pub async fn a_blob_goes_once(blobs: &Blobs) {
    put(blobs, "d/k", b"1").await;
    assert!(blobs.delete("d/k").await.unwrap());
    assert!(!blobs.delete("d/k").await.unwrap());
    assert_eq!((get(blobs, "d/k").await, blobs.head("d/k").await.unwrap()), (None, None));
    put(blobs, "d/k", b"2").await;
    assert_eq!(get(blobs, "d/k").await.as_deref(), Some(&b"2"[..]));
}

/// What was never put is not there: also not the beginning of a key that is.
pub async fn what_was_never_put_is_not_there(blobs: &Blobs) {
    put(blobs, "a/b/c", b"1").await;
    for key in ["a", "a/b", "a/b/d", "c"] {
        assert_eq!((get(blobs, key).await, blobs.head(key).await.unwrap()), (None, None), "{key}");
        assert!(!blobs.exists(key).await.unwrap() && !blobs.delete(key).await.unwrap());
    }
    assert!(blobs.exists("a/b/c").await.unwrap());
}

/// A key that could lead out of the store, or mean something to a file system or an address, is refused by every method.
pub async fn keys_that_could_climb_are_refused(blobs: &Blobs) {
    let long = "k".repeat(201);
    for key in [
        "",
        "/",
        "/etc/passwd",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/..",
        "a/.",
        "./a",
        "A",
        "a b",
        "a\0b",
        "a\\b",
        "a%2fb",
        "أ",
        "a?b",
        "a#b",
        "a:b",
        "~",
        "a*",
        "a\n",
        long.as_str(),
    ] {
        assert!(blobs.put(key, "text/plain", Bytes::from_static(b"x")).await.is_err(), "put {key:?}");
        assert!(blobs.get(key, None).await.is_err(), "get {key:?}");
        assert!(blobs.head(key).await.is_err(), "head {key:?}");
        assert!(blobs.delete(key).await.is_err(), "delete {key:?}");
    }
    for key in [&"k".repeat(200), "...", "..a", "-", "_", "a.b.c", "0"] {
        put(blobs, key, b"x").await;
        assert!(blobs.exists(key).await.unwrap(), "{key:?}");
    }
}

/// Keys that look alike are different blobs.
pub async fn keys_do_not_touch_each_other(blobs: &Blobs) {
    let keys = ["a.b", "a-b", "a_b", "a/b", "ab", "a.b.meta", "a.b.json", "a.b.tmp"];
    for key in keys {
        put(blobs, key, key.as_bytes()).await;
    }
    assert!(blobs.delete("a-b").await.unwrap());
    for key in keys {
        assert_eq!(get(blobs, key).await, (key != "a-b").then(|| key.as_bytes().to_vec()), "{key}");
    }
}

/// Several megabytes come back byte for byte, also in parts.
pub async fn a_large_blob_keeps_every_byte(blobs: &Blobs) {
    let large: Vec<u8> =
        (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes().into_iter().take(1)).collect();
    put(blobs, "large", &large).await;
    assert!(get(blobs, "large").await.as_deref() == Some(&large[..]));
    let part = blobs.get("large", Some(1_234_567..2_345_678)).await.unwrap().unwrap();
    assert!(part == large[1_234_567..2_345_678]);
}
