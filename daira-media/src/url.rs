//! Addresses of pictures: lasting for what everybody may see; signed, ending and made out to one reader for everything
//! else.
//!
//! The reader is part of the signature, so that whoever fetches is let in by what that reader may see at that moment: a
//! block, a deletion, a circle left end an address at once. Nobody else can read the reader out of it.

use core::time::Duration;

use daira_core::id::{Id, MediaId, ProfileId};
use daira_core::secret::Key;
use daira_core::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;

/// Makes and checks addresses of the form `/media/{id}/{variant}?exp=…&sig=…`.
#[derive(Debug, Clone)]
pub struct MediaUrls {
    key: Key,
    mask: Key,
    base: String,
    life: Duration,
}

const TAG: usize = 16;

impl MediaUrls {
    /// With the key of this purpose, below an address such as `https://media.example`.
    pub fn new(key: Key, base: impl Into<String>) -> Self {
        Self { mask: key.derive("reader"), key, base: base.into(), life: Duration::from_hours(1) }
    }

    /// The lasting address; it works only while everybody may see the picture.
    pub fn public(&self, media: MediaId, variant: &str) -> String {
        format!("{}/media/{media}/{variant}", self.base)
    }

    /// An address that works until it ends, between one and two hours from now, and only while its reader may see the
    /// picture. The end is a full hour, so that the same picture keeps its address, and its place in caches, for a while.
    pub fn signed(&self, media: MediaId, variant: &str, reader: ProfileId, now: Timestamp) -> String {
        let hour = i64::try_from(self.life.as_secs()).unwrap_or(3600).max(1);
        let end = (now.as_seconds().div_euclid(hour) + 2) * hour;
        let mut seal = self.tag(media, variant, end, reader).to_vec();
        seal.extend_from_slice(&self.masked(&seal, reader.raw()).to_be_bytes());
        format!("{}/media/{media}/{variant}?exp={end}&sig={}", self.base, BASE64URL_NOPAD.encode(&seal))
    }

    /// Whom a signature that holds now was made out to.
    pub fn verify(
        &self,
        media: MediaId,
        variant: &str,
        end: i64,
        signature: &str,
        now: Timestamp,
    ) -> Option<ProfileId> {
        let seal = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        let (tag, reader) = seal.split_first_chunk::<TAG>()?;
        let reader = ProfileId::from_raw(self.masked(tag, i64::from_be_bytes(reader.try_into().ok()?)));
        let holds =
            self.key.verify(&parts(&media.to_string(), variant, &end.to_be_bytes(), &reader.raw().to_be_bytes()), tag);
        (holds && now.as_seconds() < end).then_some(reader)
    }

    fn tag(&self, media: MediaId, variant: &str, end: i64, reader: ProfileId) -> [u8; TAG] {
        let tag = self.key.tag(&parts(&media.to_string(), variant, &end.to_be_bytes(), &reader.raw().to_be_bytes()));
        let mut short = [0; TAG];
        short.iter_mut().zip(tag).for_each(|(to, from)| *to = from);
        short
    }

    /// Hides a reader, or shows him again: a synthetic initialisation vector (RFC 5297 in miniature), the tag being the
    /// vector.
    fn masked(&self, tag: &[u8], reader: i64) -> i64 {
        reader ^ self.mask.tag(&[tag]).first_chunk().map_or(0, |mask| i64::from_be_bytes(*mask))
    }
}

fn parts<'a>(media: &'a str, variant: &'a str, end: &'a [u8; 8], reader: &'a [u8; 8]) -> [&'a [u8]; 4] {
    [media.as_bytes(), variant.as_bytes(), end, reader]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_picture_its_reader_and_its_time() {
        let urls = MediaUrls::new(Key::new([5; 32]), "http://x");
        let (media, now) = (MediaId::from_raw(77), Timestamp::from_seconds(1_795_000_000));
        let (mona, ali) = (ProfileId::from_raw(8), ProfileId::from_raw(9));
        let url = urls.signed(media, "feed-480.webp", mona, now);
        let (_, query) = url.split_once("?exp=").unwrap();
        let (end, sig) = query.split_once("&sig=").unwrap();
        let end: i64 = end.parse().unwrap();
        let of = |media, variant, end, sig, now| urls.verify(media, variant, end, sig, now);
        assert_eq!(of(media, "feed-480.webp", end, sig, now), Some(mona));
        assert_eq!(of(media, "feed-480.webp", end, sig, Timestamp::from_seconds(end - 1)), Some(mona));
        assert_eq!(of(media, "feed-480.webp", end, sig, Timestamp::from_seconds(end)), None, "over");
        assert_eq!(of(media, "feed-1080.webp", end, sig, now), None);
        assert_eq!(of(MediaId::from_raw(78), "feed-480.webp", end, sig, now), None);
        assert_eq!(of(media, "feed-480.webp", end + 1, sig, now), None);
        for bad in ["", "ؤ", "AAAA", &sig[..22], &format!("{sig}AA"), &"A".repeat(32), &"A".repeat(10_000)] {
            assert_eq!(of(media, "feed-480.webp", end, bad, now), None, "{bad:.20}");
        }
        assert_eq!(MediaUrls::new(Key::new([6; 32]), "").verify(media, "feed-480.webp", end, sig, now), None);
        let other = urls.signed(media, "feed-480.webp", ali, now);
        assert_ne!(url, other);
        assert_eq!(url, urls.signed(media, "feed-480.webp", mona, now), "caches find it again");
    }

    #[test]
    fn any_changed_bit_ends_a_signature_and_none_tells_its_reader() {
        let urls = MediaUrls::new(Key::new([5; 32]), "");
        let (media, now) = (MediaId::from_raw(77), Timestamp::from_seconds(1_795_000_000));
        let url = urls.signed(media, "v", ProfileId::from_raw(0x0102_0304_0506_0708), now);
        let (head, sig) = url.split_once("&sig=").unwrap();
        let end: i64 = head.split_once("?exp=").unwrap().1.parse().unwrap();
        let seal = BASE64URL_NOPAD.decode(sig.as_bytes()).unwrap();
        assert!(!seal.windows(4).any(|w| w == [1, 2, 3, 4] || w == [5, 6, 7, 8]));
        for bit in 0..seal.len() * 8 {
            let mut changed = seal.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(urls.verify(media, "v", end, &BASE64URL_NOPAD.encode(&changed), now), None, "{bit}");
        }
    }
}
