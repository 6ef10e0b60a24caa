//! Every mutation minds its idempotency key: the same request again has the same answer, another one is refused.

use std::collections::BTreeSet;

use daira_core::staff::StaffRole;
use daira_server::http::HttpSettings;
use serde_json::{Value, json};

use crate::harness::{Person, Stage, json_request};

/// What a client proves with is used up or renewed by the request itself, and so is its own key; a look changes nothing.
const OWN_KEYS: [&str; 24] = [
    "lookUpPerson",
    "requestDeletion",
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
    "beginProvider",
    "logInWithProvider",
    "linkProvider",
    "proveWithProvider",
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

/// What has to do with phones, with staying, and with what is kept of somebody.
fn phones(who: Option<&Person>) -> [Change<'_>; 6] {
    let number = |text: &str| json!({ "phone": text });
    let saying = |given: bool| json!({ "purpose": "ANALYTICS", "version": 1, "given": given });
    let change = |who, name, input, other, selection| Change { who, name, input, other, selection };
    [
        change(None, "requestLogInCode", number("01001234567"), number("01212345678"), "challengeId"),
        change(who, "changePhone", number("01001234567"), number("01112345678"), "challengeId"),
        change(who, "removePhone", json!({}), Value::Null, "changed"),
        change(who, "cancelDeletion", json!({}), Value::Null, "kept"),
        change(who, "setConsent", saying(true), saying(false), "consents { purpose given }"),
        change(who, "requestExport", json!({}), Value::Null, "exportId"),
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
        let mut fields = found["inputFields"].as_array().unwrap().clone();
        for field in &mut fields {
            let named = field["type"]["ofType"]["name"].clone();
            let listed = all.iter().find(|ty| ty["name"] == named && !ty["enumValues"].is_null());
            field["word"] = listed.map_or_else(|| json!("x"), |ty| ty["enumValues"][0]["name"].clone());
        }
        (field["name"].as_str().unwrap().to_owned(), ty, fields)
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
                let value = match field["type"]["ofType"]["name"].as_str() {
                    Some("ID") => json!(mona.id),
                    Some("Boolean") => json!(true),
                    Some("Int") => json!(1),
                    _ => field["word"].clone(),
                };
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
    told.extend(staff_answer_again(stage).await);
    told.extend(providers_answer_again(stage).await);
    told.extend(apps_answer_again(stage, &mona).await.into_iter().chain(OWN_KEYS.map(str::to_owned)));
    assert_eq!(told, all);
}

/// The same for what staff do; answers what that was.
async fn staff_answer_again(stage: &Stage) -> BTreeSet<String> {
    let boss = stage.hire("omda", StaffRole::Admin).await;
    let (one, two) = (stage.join("sayed").await, stage.join("ramy").await);
    let post = stage.publish(&one, json!({ "text": "كلام" })).await;
    let about = |person: &Person| json!({ "profileId": person.id, "reason": "SPAM" });
    let measure = |name: &str| with(&about(&one), "measure", json!(name));
    let rank = |name: &str| with(&about(&two), "rank", json!(name));
    let presented = |name: &str| with(&about(&one), "presentedAs", json!(name));
    let target = |kind: &str, id: &str| json!({ "kind": kind, "targetId": id, "reason": "HATE" });
    let again = [
        ("sanctionPerson", measure("RESTRICT"), measure("BAN"), "profileId"),
        ("liftSanction", about(&one), about(&two), "profileId"),
        ("endPersonSessions", about(&two), about(&one), "count"),
        ("takeDown", target("POST", &post), target("NAME", &one.id), "targetId"),
        ("putBack", target("POST", &post), target("NAME", &one.id), "targetId"),
        ("appoint", rank("MODERATOR"), rank("ADMIN"), "profileId"),
        ("presentProfile", presented("BRAND"), presented("CREATOR"), "profile { kind }"),
    ];
    let mut told = BTreeSet::new();
    for (name, input, other, selection) in again {
        let first = stage.done(Some(&boss), name, keyed(&input, "k"), selection).await;
        assert_eq!(stage.done(Some(&boss), name, keyed(&input, "k"), selection).await, first, "{name}");
        let payload = stage.tried(Some(&boss), name, keyed(&other, "k"), "clientMutationId").await;
        assert_eq!(payload["userErrors"][0]["code"], "idempotency.key_reused", "{name}");
        told.insert(name.to_owned());
    }
    told
}

/// The same for who comes from a provider; answers the names of the mutations.
async fn providers_answer_again(stage: &Stage) -> [String; 3] {
    let ticket = stage.newcomer("hala").await;
    let form = |handle: &str| json!({ "ticket": ticket, "handle": handle, "name": "هالة", "birthDate": "1999-03-21" });
    let change = |who, name, input, other, selection| Change { who, name, input, other, selection };
    let joining = change(None, "joinWithProvider", form("hala"), form("hala.two"), "registrationId");
    let joined = answered_again(stage, joining).await;
    stage.settle().await;
    let proof = json!({ "registrationId": joined["registrationId"], "code": stage.code_for("hala@example.com") });
    let inside = stage.done(None, "verifyEmail", proof, "tokens { accessToken } profile { id }").await;
    let of = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, token) = (of(&inside["profile"]["id"]), of(&inside["tokens"]["accessToken"]));
    let hala = &Person { id, token, refresh: String::new() };
    let password = |text: &str| json!({ "password": text });
    let setting =
        change(Some(hala), "setPassword", password(PASSWORD), password("shams nour kahraba"), "endedSessions");
    answered_again(stage, setting).await;
    let of = |issuer: &str| json!({ "issuer": issuer });
    let (memory, other) = (of("https://memory.example"), of("https://other.example"));
    answered_again(stage, change(Some(hala), "unlinkProvider", memory, other, "issuer")).await;
    ["joinWithProvider", "setPassword", "unlinkProvider"].map(str::to_owned)
}

/// The same for apps of others; answers the names of the mutations.
async fn apps_answer_again(stage: &Stage, mona: &Person) -> Vec<String> {
    let mut told = Vec::new();
    let mut twice = async |name: &str, input: Value, other: Value, selection: &str| {
        told.push(name.to_owned());
        let input = keyed(&input, "app");
        let first = stage.done(Some(mona), name, input.clone(), selection).await;
        assert_eq!(stage.done(Some(mona), name, input, selection).await, first, "{name}");
        let reused = stage.refused(mona, name, keyed(&other, "app")).await;
        assert_eq!(reused, "idempotency.key_reused", "{name}");
        first
    };
    let called = |name: &str| json!({ "name": name, "redirectUris": ["https://trains.example/cb"] });
    let new = |name: &str| with(&called(name), "isConfidential", json!(true));
    let first = twice("registerApp", new("قطر"), new("مترو"), "app { id } secret").await;
    let app = first["app"]["id"].clone();
    let of = |input: Value| with(&input, "appId", app.clone());
    twice("updateApp", of(called("قطر مصر")), of(called("مترو")), "app { name }").await;
    let request = |scope: &str| {
        let (app, challenge) = (app.as_str().unwrap(), "A".repeat(43));
        json!({ "request": format!(
            "client_id={app}&redirect_uri=https://trains.example/cb&response_type=code&scope={scope}\
             &code_challenge={challenge}&code_challenge_method=S256"
        ) })
    };
    twice("authorizeApp", request("read:feed"), request("write:posts"), "redirectTo").await;
    let none = json!({ "appId": "app_0000000000001" });
    twice("disconnectApp", of(json!({})), none.clone(), "changed").await;
    twice("rotateAppSecret", of(json!({})), none.clone(), "secret").await;
    twice("deleteApp", of(json!({})), none, "appId").await;
    told
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
