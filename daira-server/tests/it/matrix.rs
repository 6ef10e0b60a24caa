//! Other people's private things by every way that the schema has; the ways are generated from it.

use std::collections::BTreeSet;

use daira_core::secret::Secret;
use daira_media::Upload;
use daira_media::image::Purpose;
use daira_server::graphql::{GraphqlSettings, Limits};
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::{Value, json};

use crate::harness::{Person, Stage};
use crate::introspection::Schema;
use crate::real::Real;

/// The smallest sound picture.
const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mMQaPgARAwQCgAmjgYBBYtWyAAAAABJRU5ErkJggg==";

/// A word of private texts, and nowhere else.
const WORD: &str = "زمردة";

/// Fields that differ from one moment or request to the next.
const UNSTEADY: [&str; 8] =
    ["cursor", "startCursor", "endCursor", "asOf", "lastUsedAt", "expiresAt", "requestId", "url"];

/// Things that one person may know, by kind, and texts in them.
struct Secrets {
    things: Vec<(&'static str, String)>,
    texts: Vec<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn upload(stage: &Stage, owner: &Person) -> String {
    let actor = stage.state.services.accounts.authenticate(&Secret::new(owner.token.as_str())).await.unwrap();
    let bytes = data_encoding::BASE64.decode(PICTURE.as_bytes()).unwrap().into();
    let media = &stage.state.services.media;
    let upload = Upload { purpose: Purpose::Post, content_type: None, alt: String::new(), bytes };
    media.upload(&actor, upload, None).await.unwrap().id.to_string()
}

/// Private things of every kind, made by somebody whom the reader neither follows nor blocks.
async fn secrets(stage: &Stage, owner: &Person) -> Secrets {
    let made = stage.done(Some(owner), "createCircle", json!({ "name": format!("شلة {WORD}") }), "circle { id }").await;
    let circle = text(&made["circle"]["id"]);
    let (hanging, loose) = (upload(stage, owner).await, upload(stage, owner).await);
    let write = async |more: Value| {
        let mut input = json!({ "text": format!("سر {WORD} #{WORD}") });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        stage.publish(owner, input).await
    };
    let private = write(json!({ "visibility": "PRIVATE", "media": [{ "mediaId": hanging, "alt": WORD }] })).await;
    let mut things = vec![
        ("Circle", circle.clone()),
        ("Post", private.clone()),
        ("Post", write(json!({ "visibility": "CIRCLE", "circleId": circle })).await),
        ("Post", write(json!({ "visibility": "FOLLOWERS" })).await),
        ("Post", write(json!({ "visibility": "MENTIONED" })).await),
        ("Picture", hanging),
        ("Picture", loose),
    ];
    // It was public for a moment, and a tag that was public once stays known.
    let deleted = write(json!({ "text": format!("اتمسح {WORD}") })).await;
    stage.done(Some(owner), "deletePost", json!({ "postId": deleted }), "postId").await;
    things.push(("Post", deleted));
    let input = json!({ "postId": private, "text": format!("ملحوظة {WORD}") });
    let comment = stage.done(Some(owner), "comment", input, "comment { id }").await;
    things.push(("Comment", text(&comment["comment"]["id"])));
    stage.done(Some(owner), "react", json!({ "subjectId": private, "kind": "LOVE" }), "changed").await;
    let log_in =
        json!({ "email": "nadia@example.com", "password": "kahraba nour shams", "device": format!("جهاز {WORD}") });
    stage.done(None, "logIn", log_in, "tokens { accessToken }").await;
    things.push(("Session", text(&stage.ask_as(owner, "{ sessions { id } }").await.data("/sessions/0/id"))));
    stage.settle().await;
    Secrets { things, texts: vec![WORD.to_owned(), "nadia@example.com".to_owned()] }
}

/// Documents that ask for everything the schema leads to from every root field, given what everybody knows.
pub(crate) fn everything(schema: &Schema, owner: &Person, public: &str) -> Vec<String> {
    let known = |name: &str| match name {
        "node" => vec![format!("(id: \"{}\")", owner.id), format!("(id: \"{public}\")")],
        "nodes" => vec![format!("(ids: [\"{}\", \"{public}\"])", owner.id)],
        "profile" => vec!["(handle: \"nadia\")".to_owned()],
        "post" => vec![format!("(id: \"{public}\")")],
        "whyThis" => vec![format!("(post: \"{public}\")")],
        "hashtag" => vec![format!("(tag: \"{WORD}\")"), "(tag: \"صباح\")".to_owned()],
        "search" => vec![format!("(query: \"{WORD}\")"), "(query: \"nad\")".to_owned(), "(query: \"صب\")".to_owned()],
        "appRequest" => vec!["(request: \"client_id=app_0000000000001\")".to_owned()],
        "newPostsCount" => vec!["(since: \"2026-01-01T00:00:00Z\")".to_owned()],
        "me" | "providers" | "staff" | "homeFeed" | "followingFeed" | "notifications" | "sessions" => {
            vec![String::new()]
        }
        other => panic!("say here what to ask the new field {other} for"),
    };
    let mut documents = Vec::new();
    for field in crate::introspection::list(schema.find("Query"), "fields") {
        let name = crate::introspection::name(field);
        let target = crate::introspection::named(&field["type"]);
        let below = match schema.find(target)["kind"].as_str() {
            Some("SCALAR") => String::new(),
            _ => format!("{{ {} }}", schema.everything(target, 7, &UNSTEADY)),
        };
        documents.extend(known(name).into_iter().map(|arguments| format!("{{ {name}{arguments} {below} }}")));
    }
    documents
}

/// What a reader is answered to all of it. With as much at once as it takes: the bounds have tests of their own.
pub(crate) async fn answers(stage: &Stage, who: Option<&Person>, documents: &[String]) -> Vec<String> {
    let mut answers = Vec::new();
    for document in documents {
        let reply = stage.ask_with(who, document, json!({})).await;
        let refused = reply.json().pointer("/errors/0/extensions/code").cloned().unwrap_or_default();
        let codes = ["auth.required", "common.not_found", "staff.not_allowed", "oauth.app_unknown"];
        let expected: Vec<Value> = codes.iter().map(|code| json!(code)).chain([Value::Null]).collect();
        assert!(expected.contains(&refused), "{document}: {}", reply.text);
        answers.push(without_request_id(&reply.text));
    }
    answers
}

fn without_request_id(text: &str) -> String {
    let (mut body, id) = (serde_json::from_str::<Value>(text).unwrap(), "requestId");
    for error in body["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"].as_object_mut().unwrap().remove(id);
    }
    body.to_string()
}

pub(crate) fn settings() -> HttpSettings {
    let much = 1_000_000;
    let limits = Limits {
        characters: much,
        tokens: much,
        aliases: much,
        depth: 64,
        complexity: usize::MAX,
        ..Limits::default()
    };
    HttpSettings {
        graphql: GraphqlSettings { limits, ..GraphqlSettings::default() },
        max_body: 4 * much,
        ..HttpSettings::default()
    }
}

/// The law: whatever the schema leads to, others are answered the same whether private things exist or not.
async fn nothing_tells_of_private_things(stage: &Stage) {
    let schema = Schema::read().await;
    let (owner, other) = (stage.join("nadia").await, stage.join("tarek").await);
    let public = stage.publish(&owner, json!({ "text": "صباح الخير #صباح" })).await;
    stage.settle().await;
    let documents = everything(&schema, &owner, &public);
    let before = [answers(stage, None, &documents).await, answers(stage, Some(&other), &documents).await];
    let secrets = secrets(stage, &owner).await;
    let after = [answers(stage, None, &documents).await, answers(stage, Some(&other), &documents).await];
    for (before, after) in before.iter().flatten().zip(after.iter().flatten()) {
        assert_eq!(before, after);
    }
    let told = after.concat().concat();
    for secret in secrets.texts.iter().chain(secrets.things.iter().map(|(_, id)| id)) {
        assert!(!told.contains(secret.as_str()), "{secret} is told");
    }
    // The net is not empty: their owner is told them by the same documents.
    let own = answers(stage, Some(&owner), &documents).await.concat();
    for secret in &secrets.texts {
        assert!(own.contains(secret.as_str()), "not even the owner is told {secret}");
    }
    every_argument_takes_foreign_ids_for_missing_ones(stage, &schema, &other, &secrets).await;
}

/// Every argument and input field that takes an id is given the id of a private thing, and one that nothing has.
async fn every_argument_takes_foreign_ids_for_missing_ones(
    stage: &Stage,
    schema: &Schema,
    other: &Person,
    secrets: &Secrets,
) {
    let kinds: BTreeSet<&str> = secrets.things.iter().map(|(kind, _)| *kind).collect();
    let mut wanted: BTreeSet<&str> = schema.possible("Node").into_iter().collect();
    // A profile is hidden by a block alone: it has a test of its own.
    wanted.remove("Profile");
    assert_eq!(kinds, wanted, "every kind of thing in the schema is tried");
    let mut tried = 0;
    for reader in [None, Some(other)] {
        for (kind, id) in &secrets.things {
            let missing = format!("{}_0000000000001", id.split('_').next().unwrap());
            for (mut foreign, mut absent) in
                schema.aims(&["ID"], &json!(id)).into_iter().zip(schema.aims(&["ID"], &json!(missing)))
            {
                // A circle counts only where it is the audience.
                for aim in [&mut foreign, &mut absent].into_iter().filter(|aim| aim.at.ends_with("circleId")) {
                    if let Some(input) =
                        aim.variables["input"].as_object_mut().filter(|input| input.contains_key("text"))
                    {
                        input.insert("visibility".to_owned(), json!("CIRCLE"));
                    }
                }
                let at = format!("{kind} {id} as {} for {reader:?}", foreign.at);
                let foreign = stage.ask_with(reader, &foreign.document, foreign.variables).await;
                let absent = stage.ask_with(reader, &absent.document, absent.variables).await;
                let (foreign, absent) = (without_request_id(&foreign.text), without_request_id(&absent.text));
                assert_eq!(foreign.replace(id.as_str(), "ID"), absent.replace(&missing, "ID"), "{at}");
                assert!(!foreign.contains("common.internal"), "{at}: {foreign}");
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "{tried}");
}

#[tokio::test]
async fn security_34_security_35_private_things_do_not_show_by_any_way_in_memory() {
    nothing_tells_of_private_things(&Stage::with(settings())).await;
}

#[tokio::test]
async fn security_34_security_35_private_things_do_not_show_by_any_way_in_postgresql() {
    let real = Real::on(Server::Pg18, settings()).await;
    nothing_tells_of_private_things(&real).await;
}

#[tokio::test]
async fn security_34_a_profile_that_blocks_the_reader_looks_missing_by_every_argument() {
    let (schema, stage) = (Schema::read().await, Stage::with(settings()));
    let (owner, other) = (stage.join("nadia").await, stage.join("tarek").await);
    stage.done(Some(&owner), "block", json!({ "profileId": other.id }), "changed").await;
    let missing = "prf_0000000000001";
    let both = schema.aims(&["ID"], &json!(owner.id)).into_iter().zip(schema.aims(&["ID"], &json!(missing)));
    for (foreign, absent) in both {
        let at = foreign.at.clone();
        let foreign = stage.ask_with(Some(&other), &foreign.document, foreign.variables).await;
        let absent = stage.ask_with(Some(&other), &absent.document, absent.variables).await;
        let (foreign, absent) = (without_request_id(&foreign.text), without_request_id(&absent.text));
        assert_eq!(foreign.replace(&owner.id, "ID"), absent.replace(missing, "ID"), "{at}");
    }
    let reply = stage
        .ask_as(&other, "{ profile(handle: \"nadia\") { id } search(query: \"nadia\") { edges { cursor } } }")
        .await;
    assert_eq!(reply.json(), json!({ "data": { "profile": null, "search": { "edges": [] } } }));
}

#[tokio::test]
async fn security_37_whoever_is_nobody_may_change_nothing_but_join_and_log_in() {
    let (schema, stage) = (Schema::read().await, Stage::new());
    let open = [
        "register",
        "verifyEmail",
        "logIn",
        "verifySecondFactor",
        "beginPasskeyLogIn",
        "logInWithPasskey",
        "requestLogInCode",
        "logInWithCode",
        "beginProvider",
        "logInWithProvider",
        "joinWithProvider",
        "refreshSession",
        "requestPasswordReset",
        "resetPassword",
    ];
    for field in crate::introspection::list(schema.find("Mutation"), "fields") {
        let name = crate::introspection::name(field);
        // With ids of the right kinds, so that it is not for them that it is refused.
        let mut aims = schema.aims(&["String"], &json!("x")).into_iter();
        let aim = aims.find(|aim| aim.at.starts_with(&format!("{name}.")));
        let aim = aim.unwrap_or_else(|| panic!("{name} cannot be asked"));
        let reply = stage.ask_with(None, &aim.document, aim.variables).await;
        let code = reply.json().pointer("/errors/0/extensions/code").cloned();
        assert_eq!(code == Some(json!("auth.required")), !open.contains(&name), "{name}: {}", reply.text);
    }
    // What only staff may do is asked of the same doors: there is no route of theirs.
    for path in ["/admin", "/admin/", "/admin/accounts"] {
        assert_eq!(stage.get(path).await.status, axum::http::StatusCode::NOT_FOUND, "{path}");
    }
}
