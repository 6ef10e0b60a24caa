//! What comes in at `/upload`: forms and bodies, repeated, too large, too many, and with bad intentions.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use daira_server::http::HttpSettings;
use image::ImageFormat;
use serde_json::Value;

use crate::client::picture;
use crate::harness::{Person, Reply, Stage};

fn request(who: Option<&Person>, kind: &str) -> axum::http::request::Builder {
    let request = Request::post("/upload").header(header::CONTENT_TYPE, kind);
    match who {
        Some(person) => request.header(header::AUTHORIZATION, format!("Bearer {}", person.token)),
        None => request,
    }
}

async fn upload(stage: &Stage, who: &Person, kind: &str, body: impl Into<Body>) -> Reply {
    stage.send(request(Some(who), kind).body(body.into()).unwrap()).await
}

/// A form of fields: name, media type, bytes.
fn form(fields: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, kind, bytes) in fields {
        let head = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"../../x.php\"\r\n");
        body.extend(head.as_bytes());
        if !kind.is_empty() {
            body.extend(format!("content-type: {kind}\r\n").as_bytes());
        }
        body.extend(b"\r\n");
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    body
}

const FORM: &str = "multipart/form-data; boundary=edge";

#[tokio::test]
async fn a_form_is_taken_like_a_body() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let png = picture(ImageFormat::Png);
    let fields: [(&str, &str, &[u8]); 3] =
        [("alt", "", "قطة".as_bytes()), ("purpose", "", b"avatar"), ("file", "image/png", &png)];
    let reply = upload(&stage, &mona, FORM, form(&fields)).await;
    assert_eq!((reply.status, reply.json()["alt"].as_str()), (StatusCode::CREATED, Some("قطة")), "{}", reply.text);
    assert_eq!(reply.json()["variants"][0]["name"], "avatar-96.webp");
    let mut large = Vec::new();
    // More than the two megabytes that the framework takes unasked.
    image::RgbImage::from_fn(1_200, 1_000, |x, y| {
        image::Rgb((x * 7919 + y * 104_729).wrapping_mul(2_654_435_761).to_le_bytes()[..3].try_into().unwrap())
    })
    .write_to(&mut std::io::Cursor::new(&mut large), ImageFormat::Png)
    .unwrap();
    assert!(large.len() > 3_000_000);
    let reply = upload(&stage, &mona, FORM, form(&[("file", "image/png", &large)])).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);

    for (fields, code) in [
        (vec![], "http.malformed"),
        (vec![("alt", "", &b"x"[..])], "http.malformed"),
        (vec![("file", "image/png", &png), ("file", "image/png", &png)], "http.malformed"),
        (vec![("owner", "", b"somebody"), ("file", "image/png", &png)], "http.malformed"),
        (vec![("purpose", "", b"story"), ("file", "image/png", &png)], "http.malformed"),
        (vec![("file", "image/svg+xml", &png)], "media.unsupported"),
        (vec![("file", "", &png)], "media.unsupported"),
        (vec![("file", "image/jpeg", &png)], "media.mismatch"),
    ] {
        assert_eq!(upload(&stage, &mona, FORM, form(&fields)).await.code(), code, "{}", fields.len());
    }
    let cut = form(&[("file", "image/png", &png)]);
    assert_eq!(upload(&stage, &mona, FORM, cut[..cut.len() - 20].to_vec()).await.code(), "http.malformed");
    assert_eq!(upload(&stage, &mona, "multipart/form-data;", cut).await.code(), "http.malformed");
}

#[tokio::test]
async fn nothing_is_read_for_strangers_and_for_kinds_that_are_not_taken() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    // A body that ends the test if anybody reads it.
    let unread = || {
        Body::from_stream(futures_util::stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> { panic!("read") },
        ))
    };
    let reply = stage.send(request(None, "image/png").body(unread()).unwrap()).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.required"));
    for kind in ["image/svg+xml", "text/html", "application/json", "application/x-www-form-urlencoded", "image/tiff"] {
        let reply = upload(&stage, &mona, kind, unread()).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media.unsupported"));
    }
    let announced = request(Some(&mona), "image/png").header(header::CONTENT_LENGTH, 21 * 1024 * 1024);
    let reply = stage.send(announced.body(unread()).unwrap()).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "media.too_large"));
    let twice = Request::post("/upload?alt=a&alt=b").body(unread()).unwrap();
    assert_eq!(stage.send(twice).await.code(), "http.malformed");
}

#[tokio::test]
async fn what_comes_without_an_end_is_cut_off_at_the_limit() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let read = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = read.clone();
    let piece = Bytes::from(vec![0xff; 64 * 1024]);
    let endless = futures_util::stream::repeat_with(move || {
        counted.fetch_add(64 * 1024, std::sync::atomic::Ordering::SeqCst);
        Ok::<_, std::io::Error>(piece.clone())
    });
    let reply = upload(&stage, &mona, "image/jpeg", Body::from_stream(endless)).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "media.too_large"));
    let read = read.load(std::sync::atomic::Ordering::SeqCst);
    assert!((20 * 1024 * 1024..21 * 1024 * 1024).contains(&read), "{read}");
}

#[tokio::test]
async fn security_99_hostile_files_are_refused_or_drawn_anew() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let png = picture(ImageFormat::Png);
    let mut sky = png[..16].to_vec();
    sky.extend([0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    sky.extend(&png[24..]);
    let gif = picture(ImageFormat::Gif);
    for (what, kind, body, code) in [
        ("a header of 65,535²", "image/png", sky, "media."),
        ("truncated", "image/png", png[..png.len() / 2].to_vec(), "media.broken"),
        ("JavaScript in a GIF", "image/gif", b"GIF89a/*\x01\x00\x01\x00*/=1;alert(1)//".to_vec(), "media.broken"),
        (
            "SVG",
            "image/png",
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec(),
            "media.unsupported",
        ),
        ("HTML", "image/jpeg", b"<!doctype html><script>alert(1)</script>".to_vec(), "media.unsupported"),
        ("nothing", "image/png", Vec::new(), "media.empty"),
        ("another kind", "image/jpeg", gif.clone(), "media.mismatch"),
    ] {
        let reply = upload(&stage, &mona, kind, body).await;
        assert!(
            reply.status.is_client_error() && reply.code().starts_with(code),
            "{what}: {} {}",
            reply.status,
            reply.text
        );
    }
    let mut polyglot = gif;
    polyglot.extend(b"<script>alert(1)</script>");
    let reply = upload(&stage, &mona, "image/gif", polyglot).await;
    assert_eq!(reply.status, StatusCode::CREATED, "a picture with something behind it: {}", reply.text);
    let url = reply.json()["variants"][0]["url"].as_str().unwrap().to_owned();
    let fetched = stage.router.clone();
    let answer = tower::ServiceExt::oneshot(fetched, Request::get(url).body(Body::empty()).unwrap()).await.unwrap();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    assert!(!bytes.windows(8).any(|w| w == b"<script>"), "drawn anew");
}

#[tokio::test]
async fn of_moving_pictures_the_first_is_kept() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let mut moving = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut moving);
        for shade in [10, 200, 90] {
            let frame = image::RgbaImage::from_pixel(20, 10, image::Rgba([shade, 0, 0, 255]));
            encoder.encode_frame(image::Frame::new(frame)).unwrap();
        }
    }
    let reply = upload(&stage, &mona, "image/gif", moving).await;
    assert_eq!((reply.status, reply.json()["width"].as_u64()), (StatusCode::CREATED, Some(20)));
}

#[tokio::test]
async fn a_repeated_upload_is_one_upload() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let mut ids = Vec::new();
    for format in [ImageFormat::Png, ImageFormat::Png, ImageFormat::WebP] {
        let keyed = request(Some(&mona), format.to_mime_type()).header("idempotency-key", "\"k-1\"");
        let reply = stage.send(keyed.body(picture(format).into()).unwrap()).await;
        ids.push(reply.json().get("id").cloned().unwrap_or(Value::String(reply.json()["code"].to_string())));
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[2], "\"idempotency.key_reused\"");
}

#[tokio::test]
async fn few_are_taken_in_at_once_and_slow_ones_are_cut_off() {
    let settings =
        HttpSettings { uploads: 1, queue: 0, upload_timeout: Duration::from_millis(300), ..HttpSettings::default() };
    let stage = Stage::with(settings);
    let mona = stage.join("mona").await;
    let slow = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
    let (slow, second) = tokio::join!(
        upload(&stage, &mona, "image/png", slow),
        upload(&stage, &mona, "image/png", picture(ImageFormat::Png))
    );
    assert_eq!((slow.status, slow.code().as_str()), (StatusCode::REQUEST_TIMEOUT, "http.too_slow"));
    assert_eq!((second.status, second.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "http.overloaded"));
    assert!(second.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(upload(&stage, &mona, "image/png", picture(ImageFormat::Png)).await.status, StatusCode::CREATED);
}
