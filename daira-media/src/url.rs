//! Addresses of pictures: lasting for what everybody may see, signed and ending for everything else.

use core::time::Duration;

use daira_core::id::MediaId;
use daira_core::secret::Key;
use daira_core::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;

/// Makes and checks addresses of the form `/media/{id}/{variant}?exp=…&sig=…`.
#[derive(Debug, Clone)]
pub struct MediaUrls {
    key: Key,
    base: String,
    life: Duration,
}

const TAG: usize = 16;

impl MediaUrls {
    /// With the key of this purpose, below an address such as `https://media.example`.
    pub fn new(key: Key, base: impl Into<String>) -> Self {
        Self { key, base: base.into(), life: Duration::from_hours(1) }
    }

    /// The lasting address; it works only while everybody may see the picture.
    pub fn public(&self, media: MediaId, variant: &str) -> String {
        format!("{}/media/{media}/{variant}", self.base)
    }

    /// An address that works for everybody who has it until it ends, between one and two hours from now. The end is a
    /// full hour, so that the same picture keeps its address, and its place in caches, for a while.
    pub fn signed(&self, media: MediaId, variant: &str, now: Timestamp) -> String {
        let hour = i64::try_from(self.life.as_secs()).unwrap_or(3600).max(1);
        let end = (now.as_seconds().div_euclid(hour) + 2) * hour;
        let tag = self.key.tag(&[media.to_string().as_bytes(), variant.as_bytes(), &end.to_be_bytes()]);
        let tag = BASE64URL_NOPAD.encode(tag.get(..TAG).unwrap_or(&tag));
        format!("{}/media/{media}/{variant}?exp={end}&sig={tag}", self.base)
    }

    /// Whether a signature holds now.
    pub fn verify(&self, media: MediaId, variant: &str, end: i64, signature: &str, now: Timestamp) -> bool {
        let Ok(tag) = BASE64URL_NOPAD.decode(signature.as_bytes()) else { return false };
        now.as_seconds() < end
            && tag.len() == TAG
            && self.key.verify(&[media.to_string().as_bytes(), variant.as_bytes(), &end.to_be_bytes()], &tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daira_core::id::Id;

    #[test]
    fn a_signature_holds_for_its_picture_and_its_time() {
        let urls = MediaUrls::new(Key::new([5; 32]), "http://x");
        let (media, now) = (MediaId::from_raw(77), Timestamp::from_seconds(1_795_000_000));
        let url = urls.signed(media, "feed-480.webp", now);
        let (_, query) = url.split_once("?exp=").unwrap();
        let (end, sig) = query.split_once("&sig=").unwrap();
        let end: i64 = end.parse().unwrap();
        assert!(urls.verify(media, "feed-480.webp", end, sig, now));
        assert!(!urls.verify(media, "feed-1080.webp", end, sig, now));
        assert!(!urls.verify(MediaId::from_raw(78), "feed-480.webp", end, sig, now));
        assert!(!urls.verify(media, "feed-480.webp", end + 1, sig, now));
        assert!(
            !urls.verify(media, "feed-480.webp", end, "", now) && !urls.verify(media, "feed-480.webp", end, "ؤ", now)
        );
        assert!(!urls.verify(media, "feed-480.webp", end, sig, Timestamp::from_seconds(end)));
    }
}
