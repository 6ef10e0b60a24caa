//! What is one transaction, broken at every point: the effect, its event, and the key of the request.

use daira_core::actor::Actor;
use daira_core::error::Result;
use daira_core::event::Event;
use daira_core::id::Id as _;
use daira_core::idempotency::{Claim, IdempotencyKey, Keyed};
use daira_core::port::UnitOfWork;
use daira_core::post::Post;
use daira_core::proto::event::v1;
use daira_store::postgres::testing::Server;
use sqlx::PgConnection;

use super::{Guarded, count};

/// Where a unit breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    AfterClaim,
    AfterEffect,
    AfterEvent,
    AfterKey,
    Nowhere,
}

/// How it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// Its process goes away.
    Dropped,
    /// The server ends its connection.
    Cut,
    /// A statement fails.
    Failed,
}

const CUT: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                   where datname = current_database() and usename = 'daira_app' and state = 'idle in transaction'";

/// A unit that holds a key nobody has used. An adapter may take a moment to undo the unit before.
async fn claimed(guarded: &Guarded, actor: &Actor, keyed: &Keyed) -> Box<dyn UnitOfWork> {
    loop {
        let mut unit = guarded.world.unit(actor).await;
        match unit.journal().claim(keyed).await.unwrap() {
            Claim::Fresh => return unit,
            Claim::InFlight => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

/// Writes a post, its event and the key's result, and breaks at a point. Tells how the commit went, if it came to that.
async fn write(
    mut unit: Box<dyn UnitOfWork>,
    admin: &mut PgConnection,
    keyed: &Keyed,
    post: &Post,
    (point, blow): (Point, Blow),
) -> Option<Result<()>> {
    let (post_id, author_id) = (post.id.raw(), post.author.raw());
    for step in [Point::AfterClaim, Point::AfterEffect, Point::AfterEvent, Point::AfterKey] {
        let event: Event = v1::PostCreated { post_id, author_id, ..v1::PostCreated::default() }.into();
        match step {
            Point::AfterEffect => unit.posts().insert(post).await.unwrap(),
            Point::AfterEvent => unit.journal().append(&[event]).await.unwrap(),
            Point::AfterKey => unit.journal().remember(keyed, b"done").await.unwrap(),
            Point::AfterClaim | Point::Nowhere => {}
        }
        if step == point {
            match blow {
                Blow::Dropped => return None,
                Blow::Cut => assert!(sqlx::query_scalar::<_, i64>(CUT).fetch_one(&mut *admin).await.unwrap() > 0),
                Blow::Failed => {
                    let unstorable = Post { text: "\0".to_owned(), ..post.clone() };
                    assert!(unit.posts().insert(&unstorable).await.is_err());
                }
            }
            break;
        }
    }
    Some(unit.commit().await)
}

async fn security_85_86_effect_event_and_key_are_one(server: Server) {
    let guarded = Guarded::new(server).await;
    let mut admin = guarded.admin().await;
    let mona = guarded.world.person("mona").await;
    let actor: Actor = mona.actor();
    let mut done = 0;
    for point in [Point::AfterClaim, Point::AfterEffect, Point::AfterEvent, Point::AfterKey] {
        for blow in [Blow::Dropped, Blow::Cut, Blow::Failed] {
            let key = IdempotencyKey::new(format!("{point:?}-{blow:?}")).unwrap();
            let keyed = Keyed::new("test.write", key, &"one");
            // The key is free after the broken try, so that the second has the one effect.
            for (try_, held) in [((point, blow), false), ((Point::Nowhere, blow), true)] {
                let post = guarded.world.written(&mona, "مرة");
                let unit = claimed(&guarded, &actor, &keyed).await;
                let outcome = write(unit, &mut admin, &keyed, &post, try_).await;
                assert_eq!(matches!(outcome, Some(Ok(()))), held, "{point:?} {blow:?}: {outcome:?}");
                done += i64::from(held);
                for trace in ["daira.post", "daira.event where topic = 'daira.post.v1'", "daira.idempotency"] {
                    assert_eq!(count(&mut admin, trace).await, done, "{trace} after {point:?} {blow:?}");
                }
            }
            let again = guarded.world.unit(&actor).await.journal().claim(&keyed).await.unwrap();
            assert_eq!(again, Claim::Replay(b"done".to_vec()));
        }
    }
}

on_each_server!(security_85_86_effect_event_and_key_are_one);
