//! Every mutation minds its idempotency key: the same request again has the same answer, another one is refused.

use std::collections::BTreeSet;

use daira_server::http::HttpSettings;
use serde_json::{Value, json};

use crate::harness::{Person, Stage, json_request};

/// What a client proves with is used up or renewed by the request itself, and so is its own key.
const OWN_KEYS: [&str; 18] = [
    "verifyEmail",
    "refreshSession",
    "logOut",
    "resetPassword",
    "confirmEmail",
    "verifySecondFactor",
    "reauthenticate",
    "beginAuthenticator",
    "confirmAuthenticator",
    "renewRecoveryCodes",
    "beginPasskey",
    "addPasskey",
    "beginPasskeyLogIn",
    "logInWithPasskey",
    "beginPasskeyProof",
    "proveWithPasskey",
    "logInWithCode",
    "confirmPhone",
];

/// What everybody here joins with.
const PASSWORD: &str = "kahraba nour shams";

/// Some mutation, as its client would send it.
struct Change<'a> {
    who: Option<&'a Person>,
    name: &'static str,
    input: Value,
    /// The same mutation about something else.
    other: Value,
    selection: &'static str,
}

const PERSON: &str = "changed profile { id }";
const CIRCLE: &str = "changed circle { id name }";
const REACTION: &str = "changed post { id }";

fn with(input: &Value, member: &str, value: Value) -> Value {
    let mut input = input.clone();
    input[member] = value;
    input
}

/// Sends a mutation twice under one key, and another one of its kind under the same; answers what it answered.
async fn answered_again(stage: &Stage, change: Change<'_>) -> Value {
    let Change { who, name, input, other, selection } = change;
    let input = keyed(&input, "k");
    let first = stage.done(who, name, input.clone(), selection).await;
    let again = stage.done(who, name, input.clone(), selection).await;
    assert_eq!(first, again, "{name}");
    if !other.is_null() {
        let other = keyed(&other, "k");
        let payload = stage.tried(who, name, other, "clientMutationId").await;
        assert_eq!(payload["userErrors"][0]["code"], "idempotency.key_reused", "{name}");
    }
    first
}

/// What has to do with phones.
fn phones(who: Option<&Person>) -> [Change<'_>; 3] {
    let number = |text: &str| json!({ "phone": text });
    let change = |who, name, input, other, selection| Change { who, name, input, other, selection };
    [
        change(None, "requestLogInCode", number("01001234567"), number("01212345678"), "challengeId"),
        change(who, "changePhone", number("01001234567"), number("01112345678"), "challengeId"),
        change(who, "removePhone", json!({}), Value::Null, "changed"),
    ]
}

/// An input under a key.
pub(crate) fn keyed(input: &Value, key: &str) -> Value {
    with(input, "idempotencyKey", json!(key))
}

/// Name and input type of every mutation, with the names of the fields that the type has.
async fn mutations() -> Vec<(String, String, Vec<Value>)> {
    let stage = Stage::with(HttpSettings::development());
    let types = stage
        .ask(
            "{ __schema { mutationType { fields { name args { type { name ofType { name } } } } } \
             types { name inputFields { name type { kind name ofType { kind name ofType { kind name } } } } enumValues { name } } } }",
        )
        .await;
    let schema = types.data("/__schema");
    let all = schema["types"].as_array().unwrap();
    let fields = schema["mutationType"]["fields"].as_array().unwrap().iter().map(|field| {
        let ty = &field["args"][0]["type"];
        let ty = ty["name"].as_str().or(ty["ofType"]["name"].as_str()).unwrap().to_owned();
        let found = all.iter().find(|found| found["name"] == ty.as_str()).unwrap();
        (field["name"].as_str().unwrap().to_owned(), ty, found["inputFields"].as_array().unwrap().clone())
    });
    fields.collect()
}

#[tokio::test]
async fn security_84_every_mutation_takes_a_key_and_refuses_one_that_is_none() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    for (name, ty, fields) in mutations().await {
        assert!(fields.iter().any(|field| field["name"] == "idempotencyKey"), "{name} takes no key");
        for bad in ["", "مفتاح", "two words", &"k".repeat(129)] {
            let mut input = json!({ "idempotencyKey": bad });
            for field in fields.iter().filter(|field| field["type"]["kind"] == "NON_NULL") {
                let value = if field["type"]["ofType"]["name"] == "ID" { json!(mona.id) } else { json!("x") };
                input[field["name"].as_str().unwrap()] = value;
            }
            let document = format!("mutation ($input: {ty}!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}");
            let reply = stage.ask_with(Some(&mona), &document, json!({ "input": input })).await;
            let code = reply.data(&format!("/{name}/userErrors/0/code"));
            assert_eq!(code, "idempotency.key_invalid", "{name} {bad:?}");
        }
    }
}

#[tokio::test]
async fn security_84_every_mutation_answers_again_what_it_answered() {
    every_mutation_answers_again(&Stage::new()).await;
}

/// Sends every mutation twice under one key, and another one of its kind under the same.
pub(crate) async fn every_mutation_answers_again(stage: &Stage) {
    let [mona, omar, layla] = [stage.join("mona").await, stage.join("omar").await, stage.join("layla").await];
    let to = |person: &Person| json!({ "profileId": person.id });
    let log_in = |device: &str| json!({ "email": "omar@example.com", "password": PASSWORD, "device": device });
    let hany = json!({ "email": "hany@example.com", "handle": "hany", "name": "هاني", "birthDate": "1999-03-21" });
    let register = with(&hany, "password", json!(PASSWORD));
    let mut told = BTreeSet::new();
    let mut twice = async |change: Change<'_>| -> Value {
        told.insert(change.name.to_owned());
        answered_again(stage, change).await
    };
    macro_rules! twice {
        ($who:expr, $name:literal, $input:expr, $other:expr, $selection:expr) => {
            twice(Change { who: $who, name: $name, input: $input, other: $other, selection: $selection }).await
        };
    }

    let (me, him, her) = (Some(&mona), Some(&omar), Some(&layla));
    let other = with(&register, "password", json!("shams nour kahraba"));
    twice!(None, "register", register.clone(), other, "registrationId");
    let tokens = "tokens { refreshToken } profile { id }";
    twice!(None, "logIn", log_in("Phone"), log_in("Tablet"), tokens);
    let reply = stage.ask_as(&omar, "{ sessions { id device } }").await;
    assert_eq!(reply.data("/sessions").as_array().unwrap().len(), 2, "one more session, not two");
    let [phone, first] = [0, 1].map(|n| reply.data(&format!("/sessions/{n}/id")));
    twice!(him, "revokeSession", json!({ "sessionId": phone }), json!({ "sessionId": first }), "sessionId");
    stage.done(None, "logIn", log_in("Laptop"), tokens).await;
    twice!(him, "revokeOtherSessions", json!({}), Value::Null, "count");
    let reset = |email: &str| json!({ "email": email });
    twice!(None, "requestPasswordReset", reset("hany@example.com"), reset("x@example.com"), "sent");
    let change = json!({ "currentPassword": PASSWORD, "password": "shams nour kahraba" });
    twice!(her, "changePassword", change, Value::Null, "endedSessions");
    let moving = |email: &str| with(&reset(email), "currentPassword", json!(PASSWORD));
    twice!(me, "changeEmail", moving("a@new.example"), moving("b@new.example"), "challengeId");

    stage.guard(&omar).await;
    twice!(him, "removeAuthenticator", json!({}), Value::Null, "changed");
    let passkey = stage.passkey(&mona).await;
    let naming = |name: &str| json!({ "passkeyId": passkey, "name": name });
    twice!(me, "renamePasskey", naming("موبايل"), naming("تابلت"), "passkeyId");
    let removing = |passkey: Value| json!({ "passkeyId": passkey });
    twice!(me, "removePasskey", removing(passkey.clone()), removing("psk_0000000000001".into()), "passkeyId");
    for change in phones(me) {
        twice(change).await;
    }

    twice!(me, "updateProfile", json!({ "name": "منى علي" }), json!({ "name": "منى" }), "profile { name }");
    let handle = |text: &str| json!({ "handle": text });
    twice!(her, "changeHandle", handle("layla.two"), handle("layla.six"), "profile { handle }");
    let called = |handle: &str| json!({ "handle": handle, "name": "ظل" });
    twice!(her, "createProfile", called("zell.one"), called("zell.two"), "profile { handle }");
    let faces = stage.ask_as(&layla, "{ me { profiles { id } } }").await.data("/me/profiles");
    let face = |at: usize| json!({ "profileId": faces[at]["id"] });
    twice!(her, "switchProfile", face(1), face(0), "tokens { refreshToken } profile { id }");
    twice!(him, "follow", to(&mona), to(&layla), "outcome");
    twice!(him, "unfollow", to(&mona), to(&layla), PERSON);
    stage.done(me, "updateProfile", json!({ "isPrivate": true }), "profile { isPrivate }").await;
    stage.done(her, "follow", to(&mona), "outcome").await;
    stage.done(him, "follow", keyed(&to(&mona), "again"), "outcome").await;
    twice!(me, "approveFollow", to(&layla), to(&omar), PERSON);
    twice!(me, "refuseFollow", to(&omar), to(&layla), PERSON);
    twice!(me, "removeFollower", to(&layla), to(&omar), PERSON);
    stage.done(her, "follow", keyed(&to(&mona), "again"), "outcome").await;
    twice!(her, "cancelFollowRequest", to(&mona), to(&omar), PERSON);
    twice!(me, "mute", to(&layla), to(&omar), "profile { id }");
    twice!(me, "block", to(&layla), to(&omar), PERSON);
    twice!(me, "unblock", to(&layla), to(&omar), PERSON);

    let circle = twice!(me, "createCircle", json!({ "name": "الشلة" }), json!({ "name": "العيلة" }), "circle { id }");
    let circle = circle["circle"]["id"].clone();
    let naming = |name: &str| json!({ "circleId": circle, "name": name });
    twice!(me, "renameCircle", naming("الشلة كلها"), naming("غيرها"), CIRCLE);
    let member = |person: &Person| json!({ "circleId": circle, "profileId": person.id });
    twice!(me, "addToCircle", member(&omar), member(&layla), CIRCLE);
    twice!(me, "removeFromCircle", member(&omar), member(&layla), CIRCLE);
    twice!(me, "deleteCircle", json!({ "circleId": circle }), json!({ "circleId": "cir_0000000000001" }), "circleId");

    let post = twice!(him, "createPost", json!({ "text": "أول" }), json!({ "text": "تاني" }), "post { id }");
    let post = post["post"]["id"].clone();
    let saying = |text: &str| json!({ "postId": post, "text": text });
    twice!(him, "editPost", saying("أول وتاني"), saying("تالت"), "post { text version }");
    let comment = twice!(her, "comment", saying("تعليق"), saying("غيره"), "comment { id }")["comment"]["id"].clone();
    let changing = |text: &str| json!({ "commentId": comment, "text": text });
    twice!(her, "editComment", changing("تعليق متعدّل"), changing("تالت"), "comment { text }");
    let about = |kind: &str| json!({ "subjectId": post, "kind": kind });
    twice!(her, "react", about("LOVE"), about("SAD"), REACTION);
    twice!(her, "unreact", json!({ "subjectId": post }), json!({ "subjectId": comment }), REACTION);
    let gone = |id: &Value| json!({ "commentId": id });
    twice!(her, "deleteComment", gone(&comment), gone(&json!("cmt_0000000000001")), "commentId");
    let another = stage.publish(&omar, json!({ "text": "غيره" })).await;
    let other = json!({ "postId": another });
    twice!(him, "deletePost", json!({ "postId": post }), other.clone(), "postId");
    twice!(him, "restorePost", json!({ "postId": post }), other, "post { id text }");
    twice!(him, "markNotificationsRead", json!({}), json!({ "upTo": "2026-01-01T00:00:00Z" }), "unread");

    let all: BTreeSet<String> = mutations().await.into_iter().map(|(name, ..)| name).collect();
    told.extend(OWN_KEYS.map(str::to_owned));
    assert_eq!(told, all);
}

#[tokio::test]
async fn what_proves_somebody_is_its_own_key() {
    let stage = Stage::new();
    let registration = stage.register("mona", "mona@example.com").await;
    stage.settle().await;
    let code = stage.code_for("mona@example.com");
    let input = json!({ "registrationId": registration, "code": code, "idempotencyKey": "k" });
    let tokens = "tokens { accessToken refreshToken }";
    let first = stage.done(None, "verifyEmail", input.clone(), tokens).await;
    let again = stage.tried(None, "verifyEmail", input, tokens).await;
    assert_eq!(again["userErrors"][0]["code"], "account.code_invalid");

    let refresh = json!({ "refreshToken": first["tokens"]["refreshToken"], "idempotencyKey": "k" });
    let next = stage.done(None, "refreshSession", refresh.clone(), tokens).await;
    let again = stage.done(None, "refreshSession", refresh, tokens).await;
    assert_eq!(again["tokens"]["refreshToken"], next["tokens"]["refreshToken"]);

    let token = next["tokens"]["accessToken"].as_str().unwrap();
    let out = json!({ "query": "mutation { logOut(input: { idempotencyKey: \"k\" }) { loggedOut } }" }).to_string();
    let ended = stage.send(json_request(Some(token), out.clone())).await;
    assert_eq!(ended.data("/logOut/loggedOut"), true);
    assert_eq!(stage.send(json_request(Some(token), out)).await.code(), "auth.token_invalid");
}

#[tokio::test]
async fn security_84_a_repeated_answer_is_shown_as_it_may_be_seen_today() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let input = json!({ "text": "لسه موجود", "idempotencyKey": "k" });
    let first = stage.done(Some(&mona), "createPost", input.clone(), "post { id text }").await;
    let id = first["post"]["id"].clone();
    stage.done(Some(&mona), "editPost", json!({ "postId": id, "text": "اتغيّر" }), "post { id }").await;
    let again = stage.done(Some(&mona), "createPost", input.clone(), "post { id text }").await;
    assert_eq!(again["post"], json!({ "id": id, "text": "اتغيّر" }));
    stage.done(Some(&mona), "deletePost", json!({ "postId": id }), "postId").await;
    let gone = stage.done(Some(&mona), "createPost", input, "post { id text }").await;
    assert_eq!(gone["post"], Value::Null, "nothing is published a second time");
}
