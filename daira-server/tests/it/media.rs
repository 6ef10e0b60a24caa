//! The way of a picture over a listening server: in from one person's phone, out to those who may see it, and to nobody
//! else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use daira_core::memory::ManualClock;
use daira_server::http::HttpSettings;
use serde_json::{Value, json};

use crate::client::{Answer, photo, picture, send};
use crate::harness::{Person, Stage};

/// A server that listens, on a clock that the test moves.
struct Server {
    stage: Stage,
    clock: Arc<ManualClock>,
    address: SocketAddr,
}

const POST: &str =
    "edges { node { text media { alt picture { id alt width height blurhash variants { name url contentType } } } } }";

impl Server {
    async fn start() -> Self {
        Self::with(HttpSettings::default()).await
    }

    async fn with(settings: HttpSettings) -> Self {
        let clock = Arc::new(ManualClock::default());
        let stage = Stage::at(clock.clone(), settings);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = stage.router.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { stage, clock, address }
    }

    async fn send(&self, line: String, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Answer {
        let address = self.address;
        let sent = tokio::task::spawn_blocking(move || {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            send(address, &line, &headers, &body)
        });
        sent.await.unwrap()
    }

    async fn upload(&self, who: &Person, query: &str, kind: &str, body: Vec<u8>) -> Answer {
        let headers = vec![("authorization", format!("Bearer {}", who.token)), ("content-type", kind.to_owned())];
        self.send(format!("POST /upload{query}"), headers, body).await
    }

    async fn get(&self, url: &str, headers: Vec<(&'static str, String)>) -> Answer {
        self.send(format!("GET {url}"), headers, Vec::new()).await
    }

    async fn status(&self, url: &str) -> u16 {
        self.get(url, Vec::new()).await.status
    }

    /// The first post of somebody's home feed.
    async fn first_at_home(&self, who: &Person) -> Value {
        let reply = self.stage.ask_as(who, &format!("{{ homeFeed(first: 5) {{ {POST} }} }}")).await;
        reply.data("/homeFeed/edges/0/node")
    }
}

fn variant<'a>(picture: &'a Value, name: &str) -> &'a str {
    let variants = picture["variants"].as_array().unwrap();
    variants.iter().find(|variant| variant["name"] == name).unwrap()["url"].as_str().unwrap()
}

/// Markers of metadata in JPEG and WebP, and what only the original held.
fn holds_metadata(bytes: &[u8]) -> bool {
    let markers: [&[u8]; 5] = [b"Exif", b"EXIF", b"XMP ", b"\xff\xe1", b"ICCP"];
    markers.iter().any(|marker| bytes.windows(marker.len()).any(|w| w == *marker))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_104_a_photo_goes_from_a_phone_to_a_followers_feed_without_its_place() {
    let server = Server::start().await;
    let stage = &server.stage;
    let (mona, karim) = (stage.join("mona").await, stage.join("karim").await);
    stage.done(Some(&karim), "follow", json!({ "profileId": mona.id }), "clientMutationId").await;

    let original = photo();
    assert!(holds_metadata(&original));
    let answer = server.upload(&mona, "?alt=%D8%A7%D9%84%D9%86%D9%8A%D9%84", "image/jpeg", original).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    let uploaded = answer.json();
    assert_eq!((uploaded["width"].as_u64(), uploaded["height"].as_u64()), (Some(32), Some(64)), "set upright");
    assert_eq!(uploaded["alt"], "النيل");
    assert!(uploaded["id"].as_str().unwrap().starts_with("med_") && uploaded["blurhash"].as_str().unwrap().len() > 6);
    assert_eq!(server.status(variant(&uploaded, "thumb-160.webp")).await, 200, "its owner looks at it before posting");

    let input = json!({ "text": "على الكورنيش", "media": [{ "mediaId": uploaded["id"] }] });
    let post = stage.publish(&mona, input).await;
    stage.settle().await;
    let shown = server.first_at_home(&karim).await;
    let shown = &shown["media"][0];
    assert_eq!((&shown["alt"], &shown["picture"]["id"]), (&json!("النيل"), &uploaded["id"]));
    for (name, kind) in [("feed-1080.webp", "image/webp"), ("feed-480.jpg", "image/jpeg")] {
        let url = variant(&shown["picture"], name);
        assert!(!url.contains('?'), "everybody may see it");
        let got = server.get(url, Vec::new()).await;
        assert_eq!((got.status, got.header("content-type")), (200, Some(kind)));
        assert!(!holds_metadata(&got.body), "{name}");
        let drawn = image::load_from_memory(&got.body).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (32, 64));
    }

    let url = variant(&shown["picture"], "feed-480.webp");
    let signed = variant(&uploaded, "feed-480.webp");
    stage.done(Some(&mona), "deletePost", json!({ "postId": post }), "postId").await;
    for gone in [url, signed] {
        assert_eq!(server.status(gone).await, 404, "deleted means gone: {gone}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_105_what_goes_out_runs_nothing_and_is_kept_by_those_who_may() {
    let server = Server::start().await;
    let mona = server.stage.join("mona").await;
    let uploaded = server.upload(&mona, "", "image/png", picture(image::ImageFormat::Png)).await.json();
    server.stage.publish(&mona, json!({ "media": [{ "mediaId": uploaded["id"], "alt": "موجة" }] })).await;
    let url = format!("/media/{}/feed-480.webp", uploaded["id"].as_str().unwrap());
    let whole = server.get(&url, Vec::new()).await;
    let headers = [
        ("content-type", "image/webp"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
        ("cache-control", "public, max-age=86400"),
        ("accept-ranges", "bytes"),
        ("cross-origin-resource-policy", "cross-origin"),
    ];
    for (name, value) in headers {
        assert_eq!(whole.header(name), Some(value), "{name}");
    }
    assert!(whole.header("content-disposition").unwrap().starts_with("inline; filename=\"med_"));
    let tag = whole.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"'), "strong: {tag}");

    let known = server.get(&url, vec![("if-none-match", tag.clone())]).await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(tag.as_str())));
    let part = server.get(&url, vec![("range", "bytes=4-7".to_owned())]).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &whole.body[4..8]));
    assert_eq!(part.header("content-range").unwrap(), format!("bytes 4-7/{}", whole.body.len()));
    assert_eq!(server.get(&url, vec![("range", "bytes=99999999-".to_owned())]).await.status, 416);
    let head = server.send(format!("HEAD {url}"), Vec::new(), Vec::new()).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length").unwrap(), whole.body.len().to_string());
    assert_eq!(server.send(format!("DELETE {url}"), Vec::new(), Vec::new()).await.status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_106_a_private_picture_is_for_its_readers_and_for_a_while() {
    let server = Server::start().await;
    let stage = &server.stage;
    let (mona, karim, tarek) = (stage.join("mona").await, stage.join("karim").await, stage.join("tarek").await);
    stage.done(Some(&karim), "follow", json!({ "profileId": mona.id }), "clientMutationId").await;
    let uploaded = server.upload(&mona, "", "image/png", picture(image::ImageFormat::Png)).await.json();
    let input = json!({ "visibility": "FOLLOWERS", "media": [{ "mediaId": uploaded["id"], "alt": "ليكم بس" }] });
    stage.publish(&mona, input).await;
    stage.settle().await;

    let plain = format!("/media/{}/feed-480.webp", uploaded["id"].as_str().unwrap());
    let missing = server.get(&plain.replace("med_", "med_0"), Vec::new()).await;
    let refused = server.get(&plain, Vec::new()).await;
    let without_instance = |answer: &Answer| {
        let mut body = answer.json();
        body.as_object_mut().unwrap().remove("instance");
        (answer.status, answer.header("cache-control").map(str::to_owned), body)
    };
    assert_eq!(without_instance(&refused), without_instance(&missing), "one answer for all that is not to be had");
    assert_eq!(refused.status, 404);

    let picture = server.first_at_home(&karim).await["media"][0]["picture"].clone();
    let url = variant(&picture, "feed-480.webp").to_owned();
    let got = server.get(&url, Vec::new()).await;
    assert_eq!((got.status, got.header("cache-control")), (200, Some("private, no-cache")));
    let node = "query ($id: ID!) { node(id: $id) { id } }";
    let reply = stage.ask_with(Some(&tarek), node, json!({ "id": uploaded["id"] })).await;
    assert_eq!((reply.status, reply.data("/node")), (StatusCode::OK, Value::Null), "a stranger is shown no address");

    let (head, sig) = url.split_once("&sig=").unwrap();
    for forged in [
        head.to_owned(),
        format!("{head}&sig="),
        format!("{head}&sig={}", "A".repeat(32)),
        format!("{plain}?exp=99999999999&sig={sig}"),
        format!("{plain}?exp=x&sig={sig}"),
        format!("{plain}?sig={sig}"),
        url.replace("feed-480", "feed-1080"),
        format!("{url}&sig={sig}"),
    ] {
        assert_eq!(server.status(&forged).await, 404, "{forged}");
    }

    stage.done(Some(&mona), "removeFollower", json!({ "profileId": karim.id }), "clientMutationId").await;
    assert_eq!(server.status(&url).await, 404, "no follower any more, no picture any more");
    stage.done(Some(&karim), "follow", json!({ "profileId": mona.id }), "clientMutationId").await;
    assert_eq!(server.status(&url).await, 200);
    server.clock.advance(Duration::from_hours(2));
    assert_eq!(server.status(&url).await, 404, "its time is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_avatar_is_everybodys_until_it_is_replaced() {
    let server = Server::start().await;
    let stage = &server.stage;
    let mona = stage.join("mona").await;
    let mut urls = Vec::new();
    for format in [image::ImageFormat::Png, image::ImageFormat::WebP] {
        let answer = server.upload(&mona, "?purpose=avatar", format.to_mime_type(), picture(format)).await;
        let uploaded = answer.json();
        let input = json!({ "avatarId": uploaded["id"] });
        let selection = "profile { avatar { variants { name url width height } } }";
        let payload = stage.done(Some(&mona), "updateProfile", input, selection).await;
        let avatar = &payload["profile"]["avatar"];
        let names: Vec<_> =
            avatar["variants"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["avatar-96.webp", "avatar-96.jpg", "avatar-320.webp", "avatar-320.jpg"]);
        let url = variant(avatar, "avatar-96.webp").to_owned();
        assert_eq!(server.status(&url).await, 200);
        urls.push(url);
    }
    assert_eq!((server.status(&urls[0]).await, server.status(&urls[1]).await), (404, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_another_length_than_announced_is_no_picture() {
    let settings = HttpSettings { upload_timeout: Duration::from_secs(2), ..HttpSettings::default() };
    let server = Server::with(settings).await;
    let mona = server.stage.join("mona").await;
    let png = picture(image::ImageFormat::Png);
    for (announced, (status, code)) in
        [(png.len() + 100, (408, "http.too_slow")), (png.len() - 30, (400, "media.broken"))]
    {
        let headers = vec![
            ("authorization", format!("Bearer {}", mona.token)),
            ("content-type", "image/png".to_owned()),
            ("content-length", announced.to_string()),
        ];
        let answer = server.send("POST /upload".to_owned(), headers, png.clone()).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{announced}");
    }
    assert_eq!(server.upload(&mona, "", "image/png", png).await.status, 201);
}

#[tokio::test]
async fn the_console_is_not_there_yet() {
    let stage = Stage::new();
    for path in ["/admin", "/admin/", "/admin/users"] {
        assert_eq!(stage.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
