//! Leaving over every transport, and a person of the demo world of whom nothing is left.

use std::sync::Arc;
use std::time::Duration;

use daira_core::account::{AccountService, LogIn};
use daira_core::actor::{Actor, Client};
use daira_core::memory::MemoryMail;
use daira_core::proto::account::v1::{CancelDeletionRequest, RequestDeletionRequest};
use daira_core::secret::Secret;
use daira_core::time::Timestamp;
use daira_server::seed::{self, World, WorldOptions};
use daira_store::postgres::data_map::tables;
use daira_store::postgres::testing::Server;
use daira_worker::job::{self, EraseAccounts};
use daira_worker::runner::Job as _;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use tonic::Code;

use crate::grpc::{LONG, by, clients, reason};
use crate::harness::{Person, Stage};
use crate::platform::{Platform, on_each_server};

const PASSWORD: &str = "kahraba nour shams";

impl Stage {
    async fn back(&self, handle: &str) -> Person {
        let input = json!({ "email": format!("{handle}@example.com"), "password": PASSWORD });
        let selection = "tokens { accessToken refreshToken } profile { id } leavingAt";
        let inside = self.done(None, "logIn", input, selection).await;
        assert!(inside["profile"].is_null() && inside["leavingAt"].is_string(), "{inside}");
        let text = |path: &str| inside.pointer(path).and_then(Value::as_str).unwrap().to_owned();
        Person { id: String::new(), token: text("/tokens/accessToken"), refresh: text("/tokens/refreshToken") }
    }

    async fn shows(&self, viewer: &Person, whom: &Person) -> bool {
        let asked = format!("{{ node(id: \"{}\") {{ id }} profile(handle: \"mona\") {{ id }} }}", whom.id);
        let reply = self.ask_as(viewer, &asked).await;
        assert_eq!(reply.data("/node").is_null(), reply.data("/profile").is_null());
        !reply.data("/node").is_null()
    }
}

#[tokio::test]
async fn somebody_leaves_and_comes_back() {
    let stage = Stage::new();
    let (mona, omar) = (stage.join("mona").await, stage.join("omar").await);
    let post = stage.publish(&mona, json!({ "text": "صباح الخير" })).await;
    let asked = stage.done(Some(&mona), "requestDeletion", json!({ "idempotencyKey": "k" }), "leavingAt").await;
    let at = Timestamp::parse(asked["leavingAt"].as_str().unwrap()).unwrap();
    stage.settle().await;
    assert!(stage.mail_for("mona@example.com").contains("طلبت حذف حسابك"));
    assert_eq!(stage.ask_as(&mona, "{ me { profile { id } } }").await.code(), "auth.token_invalid");
    assert!(!stage.shows(&omar, &mona).await);
    assert!(stage.ask_as(&omar, &format!("{{ post(id: \"{post}\") {{ id }} }}")).await.data("/post").is_null());

    let back = stage.back("mona").await;
    let own = stage.ask_as(&back, "{ me { profile { id } account { leavingAt state } } }").await;
    assert_eq!(own.data("/me/account/leavingAt"), at.to_string());
    assert_eq!(own.data("/me/profile/id"), mona.id.as_str());
    assert_eq!(stage.refused(&back, "createPost", json!({ "text": "لسه هنا" })).await, "account.leaving");
    for _ in 0..2 {
        let kept = stage.done(Some(&back), "cancelDeletion", json!({ "idempotencyKey": "k" }), "kept").await;
        assert_eq!(kept["kept"], true);
    }
    assert!(stage.ask_as(&back, "{ me { account { leavingAt } } }").await.data("/me/account/leavingAt").is_null());
    assert!(stage.shows(&omar, &mona).await);
}

#[tokio::test]
async fn programs_leave_and_stay_over_grpc() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let mut accounts = clients(&server).await.accounts;
    let asked = accounts.request_deletion(by(&mona, RequestDeletionRequest::default())).await.unwrap().into_inner();
    assert!(Timestamp::parse(&asked.leaving_at).is_ok());
    let refused = accounts.cancel_deletion(by(&mona, CancelDeletionRequest::default())).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "auth.token_invalid"));
    let back = stage.back("mona").await;
    accounts.cancel_deletion(by(&back, CancelDeletionRequest::default())).await.unwrap();
    assert!(stage.ask_as(&back, "{ me { account { leavingAt } } }").await.data("/me/account/leavingAt").is_null());
}

/// The columns in which one of some texts or numbers stands.
async fn standing_in(db: &mut PgConnection, texts: &[String], ids: &[i64]) -> Vec<(&'static str, &'static str)> {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let mut wanted: Vec<String> = texts.iter().flat_map(|text| [text.clone(), hex(text.as_bytes())]).collect();
    wanted.extend(ids.iter().flat_map(|id| [id.to_string(), hex(&id.to_be_bytes())]));
    let mut found = Vec::new();
    for table in tables().unwrap().iter().filter(|table| table.erasure != "none") {
        for column in &table.columns {
            let sql = format!(
                "select exists (select from daira.\"{}\" t cross join unnest($1::text[]) w where position(w in t.\"{}\"::text) > 0)",
                table.name, column.name
            );
            if sqlx::query_scalar(AssertSqlSafe(sql)).bind(&wanted).fetch_one(&mut *db).await.unwrap() {
                found.push((table.name, column.name));
            }
        }
    }
    found
}

async fn nothing_of_a_person_of_the_demo_world_is_left(server: Server) {
    let mail = Arc::new(MemoryMail::default());
    let given = mail.clone();
    let platform = Platform::with(server, move |ports| {
        ports.settings_mut().deletion_grace = Duration::ZERO;
        ports.mail = given;
    })
    .await;
    let world = World::plan(&WorldOptions { people: 40, posts: 200, seed: 5 });
    seed::load(&platform.ports, &world, |_, _, _| {}).await.unwrap();
    platform.settle().await;
    let mut db = platform.superuser().await;
    // Who wrote posts and comments, reacted and follows: as much as anybody does.
    let (account, profile, handle, name, email): (i64, i64, String, String, String) = sqlx::query_as(
        "select a.id, p.id, p.handle, p.name, a.email from daira.profile p join daira.account a on a.id = p.account
         order by least((select count(*) from daira.post o where o.author = p.id), (select count(*) from daira.comment c where c.author = p.id),
                        (select count(*) from daira.reaction r where r.by = p.id), (select count(*) from daira.follow f where f.followee = p.id)) desc
         limit 1",
    )
    .fetch_one(&mut db)
    .await
    .unwrap();
    let posts: Vec<i64> = sqlx::query_scalar("select id from daira.post where author = $1")
        .bind(profile)
        .fetch_all(&mut db)
        .await
        .unwrap();
    let (texts, mut ids) = (vec![email.clone(), handle, name], vec![account, profile]);
    ids.extend(&posts);
    let before = standing_in(&mut db, &texts, &ids).await;
    for place in
        [("post", "author"), ("comment", "author"), ("reaction", "by"), ("follow", "followee"), ("inbox", "author")]
    {
        assert!(before.contains(&place), "{place:?} of {before:?}");
    }

    let accounts = AccountService::new(platform.ports.clone());
    let log_in = LogIn { email, password: Secret::new(seed::PASSWORD), device: "Firefox".to_owned() };
    let inside = accounts.log_in(&Client::default(), log_in, None).await.unwrap().logged_in().unwrap();
    accounts.request_deletion(&Actor::Member(inside.member), None).await.unwrap();
    platform.settle().await;
    EraseAccounts.run(&platform.ports).await.unwrap();
    platform.settle().await;
    job::reconcile(&platform.ports).await.unwrap();
    assert_eq!(mail.messages().len(), 3, "of the log-in, a notice, and a goodbye");

    let map = tables().unwrap();
    let stays = |(table, column): &(&str, &str)| {
        let of = map.iter().find(|other| other.name == *table).unwrap();
        of.columns.iter().any(|other| other.name == *column && ["keep", "fall"].contains(&other.erasure))
    };
    let left: Vec<_> = standing_in(&mut db, &[], &ids).await.into_iter().filter(|place| !stays(place)).collect();
    assert_eq!(left, [], "of what stands for them");
    let left: Vec<_> = standing_in(&mut db, &texts, &[]).await;
    // Others may be called alike, or write the word.
    let of_others = [("profile", "name"), ("post", "text"), ("comment", "text"), ("profile", "bio")];
    let left: Vec<_> = left.into_iter().filter(|place| !of_others.contains(place)).collect();
    assert_eq!(left, [], "of what they are called");
    // Counters of those who stay are what the rows say.
    assert_eq!(job::reconcile(&platform.ports).await.unwrap(), 0);
    let off: i64 = sqlx::query_scalar(
        "select count(*) from daira.profile_counter c
         where c.followers <> (select count(*) from daira.follow f where f.followee = c.profile)
            or c.following <> (select count(*) from daira.follow f where f.follower = c.profile)",
    )
    .fetch_one(&mut db)
    .await
    .unwrap();
    assert_eq!(off, 0);
}

on_each_server!(nothing_of_a_person_of_the_demo_world_is_left);
