//! 7: idempotency that covers one way in, or only the quiet case.

use std::collections::BTreeSet;
use std::sync::Arc;

use daira_core::memory::MemoryMail;
use daira_server::graphql::schema::sdl;
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::{Value, json};

use crate::harness::{Person, Stage};
use crate::platform::{Platform, on_each_server};

/// Mutations whose nature gives them one effect: they change nothing the second time, and store no answer because it would
/// hold a secret.
const BY_NATURE: [&str; 6] =
    ["verifyEmail", "logIn", "refreshSession", "logOut", "revokeSession", "revokeOtherSessions"];

/// Something done under a key: by whom, what, and another request that must not pass under the same key.
struct Case<'a> {
    who: Option<&'a Person>,
    name: &'static str,
    input: Value,
    other: Value,
    selection: &'static str,
}

async fn platform(server: Server) -> (Platform, Stage) {
    let mail = Arc::new(MemoryMail::default());
    let platform = Platform::with(server, |ports| ports.mail = mail.clone()).await;
    let stage = Stage::on(HttpSettings::default(), platform.ports.clone(), mail);
    (platform, stage)
}

fn with_key(input: &Value, key: &str) -> Value {
    let mut input = input.clone();
    input["idempotencyKey"] = key.into();
    input
}

/// Things of Mona's that the cases are about: two circles, two posts, two comments; and edges between the people.
async fn things(stage: &Stage, mona: &Person, people: &[Person; 5]) -> [[String; 2]; 3] {
    let [closed, omar, sara, tarek, hany] = people;
    stage.done(Some(closed), "updateProfile", json!({ "isPrivate": true }), "profile { isPrivate }").await;
    for (who, whom) in [(mona, closed), (tarek, closed), (hany, closed), (tarek, omar), (sara, omar)] {
        stage.done(Some(who), "follow", json!({ "profileId": whom.id }), "outcome").await;
    }
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let circle = async |name: &str| {
        let made = stage.done(Some(mona), "createCircle", json!({ "name": name }), "circle { id }").await;
        id(&made["circle"])
    };
    let posts =
        [stage.publish(mona, json!({ "text": "واحد" })).await, stage.publish(mona, json!({ "text": "اتنين" })).await];
    let comment = async |text: &str| {
        let said = json!({ "postId": posts[0], "text": text });
        id(&stage.done(Some(mona), "comment", said, "comment { id }").await["comment"])
    };
    let comments = [comment("تمام").await, comment("جميل").await];
    [[circle("شلة").await, circle("جيران").await], posts, comments]
}

/// Every case in an order in which each finds what it needs.
fn cases<'a>(mona: &'a Person, people: &'a [Person; 5], things: &[[String; 2]; 3]) -> Vec<Case<'a>> {
    let [closed, omar, sara, tarek, hany] = people;
    let [circles, posts, comments] = things;
    let (circle, post, comment) = (&circles[0], &posts[0], &comments[0]);
    let of = |person: &Person| json!({ "profileId": person.id });
    let case = |name, input, other, selection| Case { who: Some(mona), name, input, other, selection };
    let by = |who, name, input, other| Case { who: Some(who), name, input, other, selection: "changed" };
    let newcomer = |handle: &str| {
        json!({
            "email": format!("{handle}@example.com"), "password": "kahraba nour shams", "handle": handle, "name": handle,
            "birthDate": "1999-03-21", "language": "AR",
        })
    };
    vec![
        Case {
            who: None,
            name: "register",
            input: newcomer("badr"),
            other: newcomer("badr2"),
            selection: "registrationId",
        },
        case("updateProfile", json!({ "bio": "من بحري" }), json!({ "bio": "من قبلي" }), "profile { bio }"),
        case("changeHandle", json!({ "handle": "mona.b" }), json!({ "handle": "mona.c" }), "profile { handle }"),
        case("follow", of(omar), of(sara), "outcome"),
        by(mona, "unfollow", of(omar), of(sara)),
        by(mona, "cancelFollowRequest", of(closed), of(omar)),
        by(closed, "approveFollow", of(tarek), of(hany)),
        by(closed, "refuseFollow", of(hany), of(tarek)),
        by(omar, "removeFollower", of(tarek), of(sara)),
        by(mona, "block", of(hany), of(tarek)),
        by(mona, "unblock", of(hany), of(tarek)),
        by(mona, "mute", of(omar), of(sara)),
        case("createCircle", json!({ "name": "زمايل" }), json!({ "name": "قرايب" }), "circle { id name }"),
        case(
            "renameCircle",
            json!({ "circleId": circle, "name": "الشلة" }),
            json!({ "circleId": circle, "name": "x" }),
            "circle { name }",
        ),
        case(
            "addToCircle",
            json!({ "circleId": circle, "profileId": omar.id }),
            json!({ "circleId": circle, "profileId": sara.id }),
            "circle { id }",
        ),
        case(
            "removeFromCircle",
            json!({ "circleId": circle, "profileId": omar.id }),
            json!({ "circleId": circle, "profileId": sara.id }),
            "circle { id }",
        ),
        case("deleteCircle", json!({ "circleId": circle }), json!({ "circleId": circles[1] }), "circleId"),
        case("createPost", json!({ "text": "صباح الخير" }), json!({ "text": "مساء الخير" }), "post { id text }"),
        case(
            "editPost",
            json!({ "postId": post, "text": "أول" }),
            json!({ "postId": post, "text": "تاني" }),
            "post { text version }",
        ),
        case(
            "comment",
            json!({ "postId": post, "text": "حلو" }),
            json!({ "postId": post, "text": "وحش" }),
            "comment { id text }",
        ),
        case(
            "editComment",
            json!({ "commentId": comment, "text": "تمام جداً" }),
            json!({ "commentId": comment, "text": "نص نص" }),
            "comment { text }",
        ),
        case("deleteComment", json!({ "commentId": comment }), json!({ "commentId": comments[1] }), "clientMutationId"),
        case(
            "react",
            json!({ "subjectId": post, "kind": "LOVE" }),
            json!({ "subjectId": post, "kind": "SAD" }),
            "clientMutationId",
        ),
        case("unreact", json!({ "subjectId": post }), json!({ "subjectId": posts[1] }), "clientMutationId"),
        case("deletePost", json!({ "postId": post }), json!({ "postId": posts[1] }), "postId"),
        case("restorePost", json!({ "postId": post }), json!({ "postId": posts[1] }), "post { id }"),
        case(
            "markNotificationsRead",
            json!({ "upTo": "2026-01-01T00:00:00Z" }),
            json!({ "upTo": "2026-01-02T00:00:00Z" }),
            "clientMutationId",
        ),
    ]
}

async fn failure_07_every_mutation_has_one_effect_under_a_key(server: Server) {
    let (platform, stage) = platform(server).await;
    let mona = stage.join("mona").await;
    let mut people = Vec::new();
    for handle in ["closed", "omar", "sara", "tarek", "hany"] {
        people.push(stage.join(handle).await);
    }
    let people: [Person; 5] = people.try_into().unwrap();
    let cases = cases(&mona, &people, &things(&stage, &mona, &people).await);
    let schema = sdl();
    let mutations = schema.split("type Mutation {").nth(1).unwrap().split("\n}").next().unwrap();
    let declared: BTreeSet<&str> = mutations
        .lines()
        .filter_map(|line| line.strip_prefix('\t')?.split_once('(').map(|(name, _)| name))
        .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric()))
        .collect();
    let tried: BTreeSet<&str> = cases.iter().map(|case| case.name).chain(BY_NATURE).collect();
    assert_eq!(tried, declared, "every mutation of the schema is in this test");

    let mut db = platform.superuser().await;
    for Case { who, name, input, other, selection } in cases {
        let key = format!("key-of-{name}");
        let first = stage.done(who, name, with_key(&input, &key), selection).await;
        let count = "select count(*) from daira.event";
        let before: i64 = sqlx::query_scalar(count).fetch_one(&mut db).await.unwrap();
        let again = stage.done(who, name, with_key(&input, &key), selection).await;
        assert_eq!(first, again, "{name}: the same answer");
        let refused = stage.tried(who, name, with_key(&other, &key), "clientMutationId").await;
        assert_eq!(refused["userErrors"][0]["code"], "idempotency.key_reused", "{name} under a key of another request");
        let after: i64 = sqlx::query_scalar(count).fetch_one(&mut db).await.unwrap();
        assert_eq!(before, after, "{name}: nothing happened again");
        if let Some(somebody) = who {
            let stranger = people.iter().find(|person| person.id != somebody.id).unwrap();
            let theirs = stage.tried(Some(stranger), name, with_key(&input, &key), "clientMutationId").await;
            assert_ne!(
                theirs["userErrors"][0]["code"], "idempotency.key_reused",
                "{name}: a key belongs to whoever uses it"
            );
        }
    }
}

async fn failure_07_fifty_at_once_are_one(server: Server) {
    let (platform, stage) = platform(server).await;
    let mona = stage.join("mona").await;
    let input = with_key(&json!({ "text": "مرة واحدة" }), "fifty");
    let answers = futures_util::future::join_all(
        (0..50).map(|_| stage.tried(Some(&mona), "createPost", input.clone(), "post { id }")),
    )
    .await;
    let mut ids = BTreeSet::new();
    for answer in answers {
        match answer["post"]["id"].as_str() {
            Some(id) => _ = ids.insert(id.to_owned()),
            None => assert_eq!(answer["userErrors"][0]["code"], "idempotency.in_flight", "{answer}"),
        }
    }
    assert_eq!(ids.len(), 1);
    let mut db = platform.superuser().await;
    assert_eq!(sqlx::query_scalar::<_, i64>("select count(*) from daira.post").fetch_one(&mut db).await.unwrap(), 1);

    // While a request of this key is under way, another is told so at once instead of waiting for it.
    let me = sqlx::query_scalar::<_, i64>("select id from daira.profile where handle = 'mona'")
        .fetch_one(&mut db)
        .await
        .unwrap();
    let lock = "select pg_advisory_lock(hashtextextended($1 || chr(31) || 'post.create' || chr(31) || 'busy', 1))";
    sqlx::query(lock).bind(me.to_string()).execute(&mut db).await.unwrap();
    let busy = with_key(&json!({ "text": "كمان مرة" }), "busy");
    assert_eq!(stage.refused(&mona, "createPost", busy.clone()).await, "idempotency.in_flight");
    sqlx::query("select pg_advisory_unlock_all()").execute(&mut db).await.unwrap();
    stage.done(Some(&mona), "createPost", busy, "post { id }").await;

    // A refusal is not kept: what was wrong then may be right now.
    let empty = with_key(&json!({ "text": "" }), "refused");
    stage.refused(&mona, "createPost", empty).await;
    stage
        .done(Some(&mona), "createPost", with_key(&json!({ "text": "دلوقتي فيه كلام" }), "refused"), "post { id }")
        .await;
}

on_each_server!(failure_07_every_mutation_has_one_effect_under_a_key, failure_07_fifty_at_once_are_one);
