//! Exports on their way, and the rows that they are made of.

use core::time::Duration;

use bytes::Bytes;

use super::{failure, world};
use crate::account::AccountService;
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::locale::Locale;
use crate::port::Ports;
use crate::record::{Export, ExportPart, ExportService, ExportState};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person, Writing};

fn asked(world: &Fixture, person: &Person) -> Export {
    let now = world.tick();
    Export {
        id: world.draw(),
        account: person.account,
        requested_at: now,
        state: ExportState::Building,
        stage: 0,
        after: String::new(),
        parts: 0,
        bytes: 0,
        tries: 0,
        turn: 0,
        until: now,
        ready_at: None,
        expires_at: None,
        locale: Locale::Ar,
    }
}

async fn insert(world: &Fixture, person: &Person) -> Export {
    let export = asked(world, person);
    let mut unit = world.unit(&person.actor()).await;
    unit.exports().insert_export(&export).await.unwrap();
    unit.commit().await.unwrap();
    export
}

async fn take(world: &Fixture) -> Option<Export> {
    let now = world.now();
    let mut unit = world.unit(&PLATFORM).await;
    let taken = unit.exports().take_export(now, now + Duration::from_mins(5)).await.unwrap();
    unit.commit().await.unwrap();
    taken
}

fn part(export: &Export, n: u32) -> ExportPart {
    ExportPart {
        export: export.id,
        account: export.account,
        n,
        file: "post.jsonl".to_owned(),
        key: format!("export/{}/{n:08}", export.id),
        // Larger than any number of 32 bits.
        bytes: 3 << 31,
        rows: 2,
        sha256: [7; 32],
    }
}

/// An export is taken by one, moves on piece by piece, and is ready, over and forgotten in the end.
pub async fn an_export_goes_its_way(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let export = insert(&world, &mona).await;
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(failure(unit.exports().insert_export(&asked(&world, &mona)).await), ErrorKind::Conflict("export_open"));
    drop(unit);
    let taken = take(&world).await.unwrap();
    assert_eq!((taken.id, taken.turn, taken.tries), (export.id, 1, 1));
    assert_eq!(take(&world).await, None, "somebody is at it");
    let moved =
        Export { stage: 2, after: "{\"id\": 7}".to_owned(), parts: 1, bytes: 3 << 31, tries: 0, ..taken.clone() };
    let late = Export { turn: 0, ..moved.clone() };
    let mut unit = world.unit(&PLATFORM).await;
    assert!(!unit.exports().advance_export(&late, Some(&part(&export, 9))).await.unwrap(), "an older turn");
    assert!(unit.exports().advance_export(&moved, Some(&part(&export, 0))).await.unwrap());
    unit.commit().await.unwrap();
    let over = world.now() + Duration::from_hours(1);
    let ready = Export {
        state: ExportState::Ready,
        parts: 2,
        ready_at: Some(world.tick()),
        expires_at: Some(over),
        ..moved.clone()
    };
    let mut unit = world.unit(&PLATFORM).await;
    assert!(unit.exports().advance_export(&ready, Some(&part(&export, 1))).await.unwrap());
    unit.commit().await.unwrap();
    let mut unit = world.unit(&PLATFORM).await;
    assert!(!unit.exports().advance_export(&ready, None).await.unwrap(), "it is ready");
    assert_eq!(unit.exports().exports_over(world.now(), None, 10).await.unwrap(), []);
    assert_eq!(unit.exports().exports_over(over, None, 10).await.unwrap(), core::slice::from_ref(&ready));
    assert_eq!(unit.exports().exports_over(over, Some(export.id), 10).await.unwrap(), []);
    drop(unit);
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.exports().export(export.id).await.unwrap(), Some(ready.clone()));
    assert_eq!(unit.exports().export_parts(export.id, 0, 10).await.unwrap(), [part(&export, 0), part(&export, 1)]);
    assert_eq!(unit.exports().export_parts(export.id, 1, 10).await.unwrap(), [part(&export, 1)]);
    assert_eq!(unit.exports().export_parts(export.id, 0, 1).await.unwrap(), [part(&export, 0)]);
    drop(unit);
    let second = insert(&world, &mona).await;
    let mut unit = world.unit(&PLATFORM).await;
    unit.exports().remove_export(export.id).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&PLATFORM).await;
    let gone = Export { state: ExportState::Gone, parts: 0, bytes: 0, ..ready };
    assert_eq!(unit.exports().exports(mona.account, 10).await.unwrap(), [second.clone(), gone]);
    assert_eq!(unit.exports().export_parts(export.id, 0, 10).await.unwrap(), []);
    assert_eq!(unit.exports().exports_over(over, None, 10).await.unwrap(), []);
    assert_eq!(unit.exports().forget_exports(export.requested_at, 10).await.unwrap(), 0);
    assert_eq!(unit.exports().forget_exports(world.now(), 10).await.unwrap(), 1, "one is being built");
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.exports().exports(mona.account, 10).await.unwrap(), [second]);
}

/// Nobody asks for somebody else's, sees one, or builds one.
pub async fn an_export_is_its_owners(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let export = insert(&world, &mona).await;
    let taken = take(&world).await.unwrap();
    let moved = Export { parts: 1, ..taken };
    let mut unit = world.unit(&PLATFORM).await;
    assert!(unit.exports().advance_export(&moved, Some(&part(&export, 0))).await.unwrap());
    unit.commit().await.unwrap();
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert_eq!(unit.exports().export(export.id).await.unwrap(), None, "{stranger:?}");
        assert_eq!(unit.exports().export_parts(export.id, 0, 10).await.unwrap(), [], "{stranger:?}");
        assert!(!matches!(unit.exports().exports(mona.account, 10).await, Ok(list) if !list.is_empty()));
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        let forged = Export { account: mona.account, ..asked(&world, &mona) };
        assert!(unit.exports().insert_export(&forged).await.is_err(), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.exports().take_export(world.now(), world.now()).await.is_err(), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        let rows = unit.exports().export_rows("post", mona.account, "", 10).await;
        assert!(!matches!(rows, Ok(rows) if !rows.is_empty()), "{stranger:?}");
    }
}

/// Rows of every kind come in pages, once each, of all faces of a person and of nobody else.
pub async fn rows_are_ones_own_and_come_once(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let face = world.person(Draft::new("mona.work").face_of(&mona)).await;
    let mut texts = Vec::new();
    for at in 0..5 {
        let text = format!("صباح الخير {at}");
        world.post(if at % 2 == 0 { &mona } else { &face }, Writing::new(text.clone())).await;
        texts.push(text);
    }
    let gone = world.post(&mona, "اتمسح").await;
    world.delete(&gone).await;
    world.post(&ali, "بتاع حد تاني").await;
    world.follow(&mona, &ali).await;
    world.follow(&ali, &mona).await;
    let mut unit = world.unit(&PLATFORM).await;
    let mut kinds = 0;
    for kind in unit.exports().export_kinds() {
        let (mut rows, mut after) = (Vec::new(), String::new());
        loop {
            let page = unit.exports().export_rows(kind, mona.account, &after, 2).await.unwrap();
            let more = page.len() == 2;
            after = page.last().map(|row| row.mark.clone()).unwrap_or_default();
            rows.extend(page);
            if !more {
                break;
            }
        }
        let all = unit.exports().export_rows(kind, mona.account, "", 100).await.unwrap();
        assert_eq!(rows, all, "{kind}: pages are the whole list");
        kinds += usize::from(!all.is_empty());
        let lines: Vec<String> = all.into_iter().map(|row| row.json).collect();
        assert!(lines.iter().all(|line| !line.contains('\n') && !line.contains("بتاع حد تاني")), "{kind}");
        assert!(lines.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|l| l.is_object())));
        match kind {
            "post" => {
                assert_eq!(lines.len(), 6, "deleted ones are kept, so they are handed out");
                assert!(texts.iter().all(|text| lines.iter().any(|line| line.contains(text))), "{lines:?}");
            }
            "profile" => assert_eq!(lines.len(), 2),
            "account" => assert!(lines.len() == 1 && lines[0].contains("mona@"), "{lines:?}"),
            "follow" => assert!(lines.len() == 1 && lines[0].contains(&ali.id.to_string()), "{lines:?}"),
            _ => {}
        }
        let account = i128::from(crate::id::Id::raw(mona.account)).to_string();
        assert!(lines.iter().all(|line| !line.contains(&account)), "{kind}: the account's number is never shown");
    }
    assert!(kinds >= 4, "{kinds} kinds have rows");
}

/// A worker that is killed leaves an export that the next one goes on from; files are whole, and gone after their time.
pub async fn an_export_is_gone_on_with(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    for at in 0..3 {
        world.post(&mona, Writing::new(format!("بوست {at}"))).await;
    }
    let media = world.picture(&mona).await;
    let picture = Bytes::from(vec![7; 10_000]);
    for variant in &media.variants {
        ports.blobs.put(&variant.key, &variant.content_type, picture.clone()).await.unwrap();
    }
    let exports = ExportService::new(ports.clone(), AccountService::new(ports.clone()));
    let export = insert(&world, &mona).await;
    // Killed after every piece, with a piece left behind that no row knows of.
    let mut turns = 0;
    loop {
        let mut unit = world.unit(&PLATFORM).await;
        let now = unit.exports().export(export.id).await.unwrap().unwrap();
        drop(unit);
        if now.state != ExportState::Building {
            break;
        }
        let key = format!("export/{}/{:08}", export.id, now.parts);
        ports.blobs.put(&key, "application/octet-stream", Bytes::from_static(b"half a piece")).await.unwrap();
        let steps = core::sync::atomic::AtomicU32::new(0);
        let stop = || steps.fetch_add(1, core::sync::atomic::Ordering::SeqCst) >= 3;
        let later = Ports { clock: later_clock(&world, turns), ..ports.clone() };
        let worker = ExportService::new(later.clone(), AccountService::new(later));
        assert!(worker.build_next(stop).await.unwrap(), "somebody goes on with it");
        turns += 1;
        assert!(turns < 100);
    }
    assert!(turns > 3, "{turns} workers");
    let files = exports.files(&mona.actor(), export.id).await.unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names.last(), Some(&"index.json"));
    assert!(names.contains(&"post.jsonl") && names.contains(&"profile.jsonl"), "{names:?}");
    assert_eq!(
        files.iter().filter(|file| file.name.starts_with("media/") && file.bytes == 10_000).count(),
        media.variants.len()
    );
    let posts = files.iter().find(|file| file.name == "post.jsonl").unwrap();
    assert_eq!(posts.rows, 3);
}

/// A clock that is ahead of the world's, so that what a killed worker held is free.
fn later_clock(world: &Fixture, turns: u32) -> std::sync::Arc<dyn crate::port::Clock> {
    std::sync::Arc::new(crate::memory::ManualClock::new(world.now() + Duration::from_mins(6) * (turns + 1)))
}
