//! Exports end to end in memory: asking, building, downloading, and their end.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use daira_core::Actor;
use daira_core::account::AccountRefusal;
use daira_core::error::{CommonRefusal, Result};
use daira_core::id::{ExportId, Id as _};
use daira_core::idempotency::IdempotencyKey;
use daira_core::port::LimitRefusal;
use daira_core::post::{CreatePost, Delivery, Post, PostService, ReplyRule, Visibility};
use daira_core::record::{ExportRefusal, ExportService, ExportState, PIECE};
use futures_util::FutureExt as _;

use super::blobs::world_with_faulty_blobs;
use super::{World, actor, refusal, world};

fn exports(world: &World) -> ExportService {
    ExportService::new(world.ports.clone(), world.accounts.clone())
}

async fn whole(exports: &ExportService, person: &Actor, id: ExportId, file: &str) -> Result<Vec<u8>> {
    let open = exports.open(person, id, file).await?;
    let mut all = Vec::new();
    for (key, range) in open.pieces(0..open.bytes) {
        all.extend_from_slice(&exports.read(&key, range).await?);
    }
    Ok(all)
}

async fn state(exports: &ExportService, person: &Actor) -> ExportState {
    exports.exports(person).await.unwrap()[0].state
}

#[tokio::test]
async fn everything_about_somebody_is_handed_to_them() {
    let world = world();
    let mona = world.join("mona").await;
    let omar = actor(&world.join("omar").await);
    PostService::new(world.ports.clone())
        .create(&actor(&mona), &CreatePost::public("مساء الفل يا جماعة"), None)
        .await
        .unwrap();
    let exports = exports(&world);
    let id = exports.request(&actor(&mona), None).await.unwrap();
    assert_eq!(refusal::<_, CommonRefusal>(exports.files(&actor(&mona), id).await), CommonRefusal::NotFound, "not yet");
    assert!(exports.build_next(|| false).await.unwrap());
    assert!(!exports.build_next(|| false).await.unwrap(), "there is no more to build");
    let told = [("mona@example.com".to_owned(), "نسخة بياناتك على دايرة جاهزة".to_owned())];
    assert_eq!(world.deliver().await, told);
    let posts = String::from_utf8(whole(&exports, &actor(&mona), id, "post.jsonl").await.unwrap()).unwrap();
    assert!(posts.contains("مساء الفل يا جماعة") && posts.lines().count() == 1, "{posts}");
    let index: serde_json::Value =
        serde_json::from_slice(&whole(&exports, &actor(&mona), id, "index.json").await.unwrap()).unwrap();
    let files = index["files"].as_array().unwrap();
    let post = files.iter().find(|file| file["name"] == "post.jsonl").unwrap();
    assert_eq!((post["bytes"].as_u64(), post["rows"].as_u64()), (Some(posts.len() as u64), Some(1)));
    // Nobody else's, whoever asks.
    for stranger in [omar, Actor::Anonymous] {
        assert!(exports.files(&stranger, id).await.is_err());
        assert!(exports.open(&stranger, id, "post.jsonl").await.is_err());
    }
    assert_eq!(
        refusal::<_, CommonRefusal>(exports.open(&actor(&mona), id, "../secret").await),
        CommonRefusal::NotFound
    );
    // Downloading takes a fresh proof, and is written down.
    world.advance(Duration::from_hours(1));
    let opened = exports.open(&actor(&mona), id, "post.jsonl").await;
    assert_eq!(refusal::<_, AccountRefusal>(opened), AccountRefusal::ProofNeeded);
    let audited: Vec<String> = world.audit().into_iter().filter(|line| line.starts_with("export.")).collect();
    assert_eq!(audited, ["export.requested", "export.ready", "export.downloaded", "export.downloaded"]);
}

#[tokio::test]
async fn an_export_is_asked_for_once_at_a_time_and_not_too_often() {
    let world = world();
    let mona = actor(&world.join("mona").await);
    let exports = exports(&world);
    let key = || Some(IdempotencyKey::new("k").unwrap());
    let id = exports.request(&mona, key()).await.unwrap();
    assert_eq!(exports.request(&mona, key()).await.unwrap(), id, "the same wish again");
    assert_eq!(refusal::<_, ExportRefusal>(exports.request(&mona, None).await), ExportRefusal::Running);
    for _ in 0..2 {
        assert!(exports.build_next(|| false).await.unwrap());
        exports.request(&mona, None).await.unwrap();
    }
    assert!(exports.build_next(|| false).await.unwrap());
    assert_eq!(refusal::<_, LimitRefusal>(exports.request(&mona, None).await), LimitRefusal::Reached);
    world.advance(Duration::from_hours(1));
    assert_eq!(refusal::<_, AccountRefusal>(exports.request(&mona, None).await), AccountRefusal::ProofNeeded);
}

#[tokio::test]
async fn exports_go_with_their_account_and_an_erasure_waits_for_one_that_is_being_built() {
    let world = world();
    let mona = world.join("mona").await;
    let exports = exports(&world);
    let id = exports.request(&actor(&mona), None).await.unwrap();
    exports.build_next(|| false).await.unwrap();
    let key = exports.open(&actor(&mona), id, "account.jsonl").await.unwrap().pieces(0..9).remove(0).0;
    exports.request(&actor(&mona), None).await.unwrap();
    world.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    world.advance(world.ports.settings.deletion_grace);
    let (now, minute) = (world.ports.clock.now(), Duration::from_mins(1));
    let mut unit = world.ports.store.begin(&Actor::System("export")).await.unwrap();
    assert!(unit.exports().take_export(now, now + minute).await.unwrap().is_some());
    unit.commit().await.unwrap();
    assert_eq!(world.accounts.erase_due().await.unwrap(), 0, "somebody is at it");
    world.advance(minute);
    assert!(exports.build_next(|| false).await.unwrap(), "and finds that it is nobody's any more");
    assert_eq!(world.accounts.erase_due().await.unwrap(), 1);
    assert_eq!(world.ports.blobs.head(&key).await.unwrap(), None);
    assert!(!exports.build_next(|| false).await.unwrap());
}

#[tokio::test]
async fn an_export_goes_after_its_days() {
    let world = world();
    let mona = actor(&world.join("mona").await);
    let exports = exports(&world);
    let id = exports.request(&mona, None).await.unwrap();
    exports.build_next(|| false).await.unwrap();
    let key = exports.open(&mona, id, "account.jsonl").await.unwrap().pieces(0..9).remove(0).0;
    assert_eq!(exports.remove_over().await.unwrap(), 0);
    world.advance(Duration::from_hours(7 * 24));
    assert!(exports.files(&mona, id).await.is_err(), "to the second");
    assert!(world.ports.blobs.head(&key).await.unwrap().is_some());
    assert_eq!((exports.remove_over().await.unwrap(), exports.remove_over().await.unwrap()), (1, 0));
    assert_eq!(world.ports.blobs.head(&key).await.unwrap(), None);
    assert_eq!(state(&exports, &mona).await, ExportState::Gone);
}

#[tokio::test]
async fn pieces_are_bounded_and_make_whole_files() {
    let (world, blobs) = world_with_faulty_blobs();
    let mona = world.join("mona").await;
    let text = "كلام كتير ".repeat(400);
    // As many as do not fit into two pieces.
    let many = 2 * PIECE / text.len() + 50;
    for at in 0..many {
        let born = world.ports.clock.now() + Duration::from_millis(at as u64);
        let post = Post {
            id: world.ports.ids.draw(born, mona.member.profile.shard()),
            author: mona.member.profile,
            text: text.clone(),
            visibility: Visibility::Public,
            replies: ReplyRule::Everyone,
            media: Vec::new(),
            mentions: Vec::new(),
            tags: Vec::new(),
            warning: None,
            delivery: Delivery::Push,
            edited_at: None,
            deleted_at: None,
            version: 1,
        };
        let mut unit = world.ports.store.begin(&Actor::System("test")).await.unwrap();
        unit.posts().insert(&post).await.unwrap();
        unit.commit().await.unwrap();
    }
    let mona = actor(&mona);
    let exports = exports(&world);
    let id = exports.request(&mona, None).await.unwrap();
    assert!(exports.build_next(|| false).await.unwrap());
    let whole = whole(&exports, &mona, id, "post.jsonl").await.unwrap();
    assert!(whole.len() > 2 * PIECE);
    assert_eq!(whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), many);
    assert!(blobs.largest.load(SeqCst) <= PIECE);
    let open = exports.open(&mona, id, "post.jsonl").await.unwrap();
    assert!(open.pieces(0..open.bytes).len() >= 3);
    let middle = PIECE as u64 - 5..PIECE as u64 + 5;
    let mut over = Vec::new();
    for (key, range) in open.pieces(middle.clone()) {
        over.extend_from_slice(&exports.read(&key, range).await.unwrap());
    }
    assert_eq!(over, whole[PIECE - 5..PIECE + 5], "a range over the border of two pieces");
}

#[tokio::test]
async fn what_fails_too_often_is_given_up() {
    let (world, blobs) = world_with_faulty_blobs();
    blobs.refuses.store(true, SeqCst);
    let mona = actor(&world.join("mona").await);
    let exports = exports(&world);
    exports.request(&mona, None).await.unwrap();
    for _ in 0..10 {
        assert!(exports.build_next(|| false).await.is_err());
        assert!(!exports.build_next(|| false).await.unwrap(), "it rests for a while");
        world.advance(Duration::from_mins(5));
    }
    assert_eq!(state(&exports, &mona).await, ExportState::Building);
    assert!(exports.build_next(|| false).await.unwrap());
    assert_eq!(state(&exports, &mona).await, ExportState::GivenUp);
    let (other, karim) = (exports.clone(), actor(&world.join("karim").await));
    other.request(&karim, None).await.unwrap();
    blobs.refuses.store(false, SeqCst);
    assert!(other.build_next(|| false).await.unwrap());
    world.advance(Duration::from_hours(24 * 30));
    blobs.stuck.store(1, SeqCst);
    let error = exports.remove_over().await.unwrap_err();
    assert_eq!(error.operation(), "blob.delete");
    let states = [state(&exports, &mona).await, state(&exports, &karim).await];
    assert_eq!(states, [ExportState::GivenUp, ExportState::Gone], "what cannot be removed holds up no other");
    assert_eq!(exports.remove_over().await.unwrap(), 1);
    assert_eq!(state(&exports, &mona).await, ExportState::Gone);
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_of_a_piece_leaves_nothing_half() {
    let (world, blobs) = world_with_faulty_blobs();
    let mona = actor(&world.join("mona").await);
    PostService::new(world.ports.clone()).create(&mona, &CreatePost::public("كلام يوصل كله"), None).await.unwrap();
    let exports = exports(&world);
    let id = exports.request(&mona, None).await.unwrap();
    for killed in 0.. {
        blobs.puts.store(1, SeqCst);
        let done = exports.build_next(|| false).now_or_never();
        if state(&exports, &mona).await == ExportState::Ready {
            break;
        }
        assert!(done.is_none() && killed < 20, "killed {killed} times");
        assert!(!exports.build_next(|| false).await.unwrap(), "its turn is not over");
        world.advance(Duration::from_mins(5));
        let spent = exports.exports(&mona).await.unwrap()[0].clone();
        assert!(spent.tries <= 1, "each got on by a piece");
    }
    world.advance(Duration::from_mins(1));
    let mona = actor(
        &super::entered(
            world.accounts.log_in(&daira_core::actor::Client::default(), super::logging_in("mona"), None).await,
        )
        .unwrap(),
    );
    let posts = whole(&exports, &mona, id, "post.jsonl").await.unwrap();
    let post: serde_json::Value = serde_json::from_slice(&posts).unwrap();
    assert_eq!(post["text"], "كلام يوصل كله");
}
