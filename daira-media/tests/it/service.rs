//! Uploads and who may fetch them, over the in-memory ports.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use daira_core::Actor;
use daira_core::account::{AccountRefusal, AccountState};
use daira_core::error::{CommonRefusal, Error, ErrorKind, Result};
use daira_core::id::{MediaId, PostId};
use daira_core::idempotency::IdempotencyKey;
use daira_core::media::Media;
use daira_core::memory::{ManualClock, MemoryBlobs};
use daira_core::port::{BlobMeta, BlobStore, BlobStoreExt, Ports};
use daira_core::post::{Attachment, CreatePost, PostRefusal, PostService, Visibility};
use daira_core::testkit::fixture::{Draft, Fixture, Person};
use daira_media::image::Purpose;
use daira_media::{MediaRefusal, MediaService, Upload};

fn png(shade: u8) -> Bytes {
    let mut out = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(300, 200, image::Rgb([shade, 120, 200]));
    picture.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner().into()
}

fn upload(bytes: Bytes) -> Upload {
    Upload { purpose: Purpose::Post, content_type: None, alt: "النيل".to_owned(), bytes }
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

/// People, their pictures and a clock that the test moves.
struct World {
    ports: Ports,
    clock: Arc<ManualClock>,
    people: Fixture,
    media: MediaService,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let ports = Ports::in_memory_at(clock.clone(), 7);
        let media = MediaService::new(ports.clone(), "http://media.test");
        Self { people: Fixture::new(ports.clone()), ports, clock, media }
    }

    async fn upload(&self, who: &Person) -> Media {
        self.media.upload(&who.actor(), upload(png(10)), None).await.unwrap()
    }

    async fn post(&self, author: &Person, media: MediaId, visibility: Visibility) -> PostId {
        let media = vec![Attachment { media, alt: String::new() }];
        let input = CreatePost { visibility, media, ..CreatePost::public("") };
        PostService::new(self.ports.clone()).create(&author.actor(), &input, None).await.unwrap()
    }

    /// The signature of one rendition's address, as somebody is shown it.
    fn signature(&self, media: &Media, reader: &Person) -> (i64, String) {
        let addresses = self.media.addresses(media, false, Some(reader.id));
        let address = addresses.into_iter().find(|(v, _)| v.name == "feed-480.webp").unwrap().1;
        let (_, query) = address.split_once("?exp=").unwrap();
        let (end, sig) = query.split_once("&sig=").unwrap();
        (end.parse().unwrap(), sig.to_owned())
    }

    /// Whether the address works now.
    async fn works(&self, media: &Media, (end, sig): &(i64, String)) -> bool {
        match self.media.find(media.id, "feed-480.webp", Some((*end, sig))).await {
            Ok(found) => {
                assert!(!found.public, "no shared cache keeps it");
                true
            }
            Err(error) => {
                assert_eq!(error.refusal(), Some(CommonRefusal::NotFound), "one answer for all");
                false
            }
        }
    }

    async fn works_plainly(&self, media: &Media) -> bool {
        self.media.find(media.id, "feed-480.webp", None).await.is_ok()
    }
}

#[tokio::test]
async fn everybodys_picture_is_fetched_plainly_until_its_post_is_deleted() {
    let world = World::new();
    let mona = world.people.person("mona").await;
    let picture = world.upload(&mona).await;
    assert!(!world.works_plainly(&picture).await, "it hangs on nothing yet");

    let post = world.post(&mona, picture.id, Visibility::Public).await;
    let found = world.media.find(picture.id, "feed-480.webp", None).await.unwrap();
    assert!(found.public && found.variant.content_type == "image/webp");
    let whole = world.media.read(&found, None).await.unwrap();
    assert_eq!(whole.len() as u64, found.variant.bytes);
    assert_eq!(world.media.read(&found, Some(4..8)).await.unwrap(), whole.slice(4..8));
    assert!(world.media.find(picture.id, "feed-480.gif", None).await.is_err());
    assert!(world.media.addresses(&picture, true, Some(mona.id)).iter().all(|(_, url)| !url.contains("sig=")));

    let signature = world.signature(&picture, &mona);
    assert!(world.works(&picture, &signature).await);
    PostService::new(world.ports.clone()).delete(&mona.actor(), post, None).await.unwrap();
    assert!(!world.works_plainly(&picture).await, "gone with its post");
    assert!(!world.works(&picture, &signature).await, "for its owner, too");
    PostService::new(world.ports.clone()).restore(&mona.actor(), post, None).await.unwrap();
    assert!(world.works_plainly(&picture).await);
}

#[tokio::test]
async fn security_106_an_address_ends_and_asks_each_time_what_its_reader_may_see() {
    let world = World::new();
    let (mona, ali) = (world.people.person("mona").await, world.people.person("ali").await);
    world.people.follow(&ali, &mona).await;
    let picture = world.upload(&mona).await;
    let own = world.signature(&picture, &mona);
    assert!(world.works(&picture, &own).await, "an own upload is looked at before it is posted");
    world.post(&mona, picture.id, Visibility::Followers).await;
    assert!(!world.works_plainly(&picture).await);

    let signature = world.signature(&picture, &ali);
    assert!(world.works(&picture, &signature).await);
    let (end, sig) = &signature;
    assert!(world.media.find(picture.id, "feed-1080.webp", Some((*end, sig))).await.is_err(), "another rendition");
    assert!(!world.works(&picture, &(end + 3600, sig.clone())).await, "a longer life");
    world.people.block(&mona, &ali).await;
    assert!(!world.works(&picture, &signature).await, "shut out at once");

    let nour = world.people.person("nour").await;
    let stranger = world.signature(&picture, &nour);
    assert!(!world.works(&picture, &stranger).await, "being shown an address is no right");

    world.clock.advance(Duration::from_mins(59));
    assert!(world.works(&picture, &own).await);
    world.clock.advance(Duration::from_mins(62));
    assert!(!world.works(&picture, &own).await, "over");
}

#[tokio::test]
async fn people_who_are_gone_see_nothing() {
    let world = World::new();
    let mona = world.people.person("mona").await;
    let picture = world.upload(&mona).await;
    let signature = world.signature(&picture, &mona);
    world.people.change(&mona, |profile| profile.standing = daira_core::account::Standing::Hidden).await;
    assert!(!world.works(&picture, &signature).await);
}

#[tokio::test]
async fn strangers_and_garbage_are_refused() {
    let world = World::new();
    let mona = world.people.person("mona").await;
    assert!(world.media.upload(&Actor::Anonymous, upload(png(1)), None).await.is_err());
    let huge = Bytes::from(vec![0xff; world.media.limits().bytes + 1]);
    let lying = Upload { content_type: Some("image/jpeg".to_owned()), ..upload(png(1)) };
    for (upload, refusal) in [
        (upload(Bytes::from_static(b"<svg/>")), MediaRefusal::Unsupported),
        (upload(huge), MediaRefusal::TooLarge),
        (lying, MediaRefusal::Mismatch),
    ] {
        let refused = world.media.upload(&mona.actor(), upload, None).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(refusal));
    }
    let wordy = Upload { alt: "و".repeat(1_001), ..upload(png(1)) };
    let refused = world.media.upload(&mona.actor(), wordy, None).await.unwrap_err();
    assert_eq!((refused.refusal(), refused.field()), (Some(PostRefusal::LabelTooLong), Some("alt")));
}

#[tokio::test]
async fn a_restricted_account_uploads_nothing() {
    let world = World::new();
    let mona = world.people.person(Draft::new("mona").state(AccountState::Restricted)).await;
    let refused = world.media.upload(&mona.actor(), upload(png(1)), None).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(AccountRefusal::Restricted));
}

#[tokio::test]
async fn an_upload_repeated_under_its_key_is_one_upload() {
    let world = World::new();
    let mona = world.people.person("mona").await;
    let first = world.media.upload(&mona.actor(), upload(png(1)), Some(key("k"))).await.unwrap();
    let again = world.media.upload(&mona.actor(), upload(png(1)), Some(key("k"))).await.unwrap();
    assert_eq!(first, again);
    let other = world.media.upload(&mona.actor(), upload(png(2)), Some(key("k"))).await.unwrap_err();
    assert_eq!(other.refusal(), Some(CommonRefusal::KeyReused));
    let avatar = Upload { purpose: Purpose::Avatar, ..upload(png(1)) };
    assert!(
        world.media.upload(&mona.actor(), avatar, Some(key("k"))).await.is_err(),
        "another purpose is another request"
    );
    assert_ne!(world.upload(&mona).await.id, world.upload(&mona).await.id, "without a key each is one of its own");
}

/// Fails its third put, as a disk that fills up would.
struct Filling(MemoryBlobs, AtomicU32);

#[async_trait]
impl BlobStore for Filling {
    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<()> {
        if self.1.fetch_add(1, Ordering::SeqCst) == 2 {
            return Err(Error::new(ErrorKind::Unavailable, "blob.put"));
        }
        self.0.put(key, content_type, bytes).await
    }
    async fn get(&self, key: &str, range: Option<core::ops::Range<u64>>) -> Result<Option<Bytes>> {
        self.0.get(key, range).await
    }
    async fn head(&self, key: &str) -> Result<Option<BlobMeta>> {
        self.0.head(key).await
    }
    async fn delete(&self, key: &str) -> Result<bool> {
        self.0.delete(key).await
    }
}

#[tokio::test]
async fn an_upload_that_broke_off_is_completed_by_its_repetition() {
    let base = Ports::in_memory();
    let ports = Ports { blobs: Arc::new(Filling(MemoryBlobs::default(), AtomicU32::new(0))), ..base };
    let mona = Fixture::new(ports.clone()).person("mona").await;
    let media = MediaService::new(ports.clone(), "");
    let broken = media.upload(&mona.actor(), upload(png(1)), Some(key("k"))).await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::Unavailable);
    let whole = media.upload(&mona.actor(), upload(png(1)), Some(key("k"))).await.unwrap();
    for variant in &whole.variants {
        assert!(ports.blobs.exists(&variant.key).await.unwrap(), "{}", variant.name);
    }
}

#[test]
fn purposes_have_names() {
    for purpose in [Purpose::Avatar, Purpose::Post] {
        assert_eq!(Purpose::named(purpose.name()), Some(purpose));
    }
    assert_eq!(Purpose::named("story"), None);
}
