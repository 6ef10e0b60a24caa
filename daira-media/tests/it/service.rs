//! Uploads and who may fetch them, over the in-memory ports.

use bytes::Bytes;
use daira_core::Actor;
use daira_core::id::MediaId;
use daira_core::port::Ports;
use daira_core::port::store::Access;
use daira_core::post::{Attachment, CreatePost, PostService, ReplyRule, Visibility};
use daira_core::testkit::fixture::{Fixture, Person};
use daira_media::image::Purpose;
use daira_media::{MediaRefusal, MediaService, Upload};

fn png() -> Bytes {
    let mut out = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(300, 200, image::Rgb([10, 120, 200]));
    picture.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner().into()
}

async fn post(ports: &Ports, author: &Person, media: MediaId, visibility: Visibility) -> daira_core::id::PostId {
    let attached = Attachment { media, alt: "النيل".to_owned() };
    let input = CreatePost {
        text: String::new(),
        visibility,
        replies: ReplyRule::Everyone,
        media: vec![attached],
        warning: None,
    };
    PostService::new(ports.clone()).create(&author.actor(), &input, None).await.unwrap()
}

#[tokio::test]
async fn everybodys_picture_is_fetched_plainly_until_its_post_is_deleted() {
    let ports = Ports::in_memory();
    let mona = Fixture::new(ports.clone()).person("mona").await;
    let media = MediaService::new(ports.clone(), "http://media.test");
    let id = media.upload(&mona.actor(), Upload { purpose: Purpose::Post, bytes: png() }).await.unwrap();
    assert!(media.fetch(id, "feed-480.webp", None).await.is_err(), "it hangs on nothing yet");

    let post = post(&ports, &mona, id, Visibility::Public).await;
    let fetched = media.fetch(id, "feed-480.webp", None).await.unwrap();
    assert!(fetched.public && fetched.content_type == "image/webp");

    PostService::new(ports.clone()).delete(&mona.actor(), post, None).await.unwrap();
    assert!(media.fetch(id, "feed-480.webp", None).await.is_err(), "gone with its post");
}

#[tokio::test]
async fn a_private_picture_needs_a_signature_that_holds() {
    let ports = Ports::in_memory();
    let mona = Fixture::new(ports.clone()).person("mona").await;
    let media = MediaService::new(ports.clone(), "http://media.test");
    let id = media.upload(&mona.actor(), Upload { purpose: Purpose::Post, bytes: png() }).await.unwrap();
    post(&ports, &mona, id, Visibility::Followers).await;
    assert!(media.fetch(id, "feed-480.webp", None).await.is_err());

    let mut view = ports.store.read(&mona.actor(), Access::Read).await.unwrap();
    let stored = view.media().media(&[id]).await.unwrap().pop().unwrap();
    let address = media.addresses(&stored, false).into_iter().find(|(v, _)| v.name == "feed-480.webp").unwrap().1;
    let (_, query) = address.split_once("?exp=").unwrap();
    let (end, sig) = query.split_once("&sig=").unwrap();
    let end: i64 = end.parse().unwrap();
    let fetched = media.fetch(id, "feed-480.webp", Some((end, sig))).await.unwrap();
    assert!(!fetched.public, "no cache keeps it");
    let forged = media.fetch(id, "feed-1080.webp", Some((end, sig))).await.unwrap_err();
    assert_eq!(forged.refusal(), Some(MediaRefusal::UrlInvalid));
}

#[tokio::test]
async fn strangers_and_garbage_are_refused() {
    let ports = Ports::in_memory();
    let mona = Fixture::new(ports.clone()).person("mona").await;
    let media = MediaService::new(ports, "http://media.test");
    let upload = |bytes| Upload { purpose: Purpose::Avatar, bytes };
    assert!(media.upload(&Actor::Anonymous, upload(png())).await.is_err());
    let refused = media.upload(&mona.actor(), upload(Bytes::from_static(b"<svg/>"))).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(MediaRefusal::Unsupported));
    let huge = Bytes::from(vec![0xff; 21 * 1024 * 1024]);
    assert_eq!(media.upload(&mona.actor(), upload(huge)).await.unwrap_err().refusal(), Some(MediaRefusal::TooLarge));
}
