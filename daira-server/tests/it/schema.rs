//! The schema itself: described throughout, nothing private on public types, every text bounded.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use daira_server::graphql::schema::sdl;
use serde_json::{Value, json};

use crate::harness::Stage;
use crate::introspection::{Schema, list, name, named};

#[test]
fn the_schema_is_the_one_in_the_documentation() {
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api/schema.graphql")).unwrap();
    assert!(kept == sdl(), "the schema changed: run `cargo xtask codegen schema` and look at the difference");
}

#[tokio::test]
async fn every_type_field_and_argument_is_described() {
    let mut bare = Vec::new();
    let builtin = ["String", "Int", "Float", "Boolean", "ID"];
    for ty in Schema::read().await.types.iter().filter(|ty| !builtin.contains(&name(ty))) {
        let mut check = |value: &Value, path: String| {
            if value["description"].as_str().unwrap_or_default().is_empty() {
                bare.push(path);
            }
        };
        check(ty, name(ty).to_owned());
        for field in list(ty, "fields") {
            check(field, format!("{}.{}", name(ty), name(field)));
            for argument in list(field, "args") {
                check(argument, format!("{}.{}({})", name(ty), name(field), name(argument)));
            }
        }
        for part in list(ty, "inputFields").iter().chain(list(ty, "enumValues")) {
            check(part, format!("{}.{}", name(ty), name(part)));
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

/// What clients change things with.
const MUTATIONS: &[&str] = &[
    "register",
    "verifyEmail",
    "logIn",
    "refreshSession",
    "logOut",
    "changePassword",
    "requestPasswordReset",
    "resetPassword",
    "changeEmail",
    "confirmEmail",
    "verifySecondFactor",
    "reauthenticate",
    "beginAuthenticator",
    "confirmAuthenticator",
    "removeAuthenticator",
    "renewRecoveryCodes",
    "registerApp",
    "updateApp",
    "rotateAppSecret",
    "deleteApp",
    "authorizeApp",
    "disconnectApp",
    "beginPasskey",
    "addPasskey",
    "renamePasskey",
    "removePasskey",
    "beginPasskeyLogIn",
    "logInWithPasskey",
    "beginPasskeyProof",
    "proveWithPasskey",
    "beginProvider",
    "logInWithProvider",
    "joinWithProvider",
    "linkProvider",
    "unlinkProvider",
    "proveWithProvider",
    "setPassword",
    "requestLogInCode",
    "logInWithCode",
    "changePhone",
    "confirmPhone",
    "removePhone",
    "requestDeletion",
    "cancelDeletion",
    "setConsent",
    "requestExport",
    "revokeSession",
    "revokeOtherSessions",
    "updateProfile",
    "changeHandle",
    "createProfile",
    "switchProfile",
    "follow",
    "unfollow",
    "approveFollow",
    "refuseFollow",
    "removeFollower",
    "block",
    "unblock",
    "mute",
    "createCircle",
    "renameCircle",
    "deleteCircle",
    "addToCircle",
    "removeFromCircle",
    "createPost",
    "editPost",
    "deletePost",
    "restorePost",
    "comment",
    "editComment",
    "deleteComment",
    "react",
    "unreact",
    "markNotificationsRead",
    "lookUpPerson",
    "sanctionPerson",
    "liftSanction",
    "endPersonSessions",
    "takeDown",
    "putBack",
    "appoint",
    "presentProfile",
];

#[tokio::test]
async fn names_that_others_rely_on_are_there() {
    let types = Schema::read().await.types;
    let fields = |of: &str| -> BTreeSet<String> {
        let ty = types.iter().find(|ty| name(ty) == of).unwrap();
        list(ty, "fields").iter().map(|field| name(field).to_owned()).collect()
    };
    let (query, mutation) = (fields("Query"), fields("Mutation"));
    for wanted in MUTATIONS {
        assert!(mutation.contains(*wanted), "{wanted}");
    }
    for wanted in [
        "me",
        "appRequest",
        "node",
        "nodes",
        "profile",
        "post",
        "homeFeed",
        "followingFeed",
        "newPostsCount",
        "whyThis",
        "hashtag",
        "search",
        "notifications",
        "sessions",
        "staff",
    ] {
        assert!(query.contains(wanted), "{wanted}");
    }
}

#[tokio::test]
async fn mutations_take_an_input_and_answer_a_payload_with_user_errors() {
    let types = Schema::read().await.types;
    let find = |wanted: &str| types.iter().find(|ty| name(ty) == wanted).unwrap();
    for field in list(find("Mutation"), "fields") {
        let [input] = list(field, "args") else { panic!("{} takes more than an input", name(field)) };
        assert_eq!(name(input), "input");
        let inputs: Vec<&str> = list(find(named(&input["type"])), "inputFields").iter().map(name).collect();
        assert!(inputs.contains(&"idempotencyKey") && inputs.contains(&"clientMutationId"), "{}", name(field));
        assert!(named(&field["type"]).ends_with("Payload") && field["type"]["kind"] == "OBJECT", "{}", name(field));
        let answers: Vec<&str> = list(find(named(&field["type"])), "fields").iter().map(name).collect();
        assert!(answers.contains(&"userErrors") && answers.contains(&"clientMutationId"), "{}", name(field));
    }
}

#[tokio::test]
async fn security_35_private_fields_are_reached_through_me_alone() {
    let types = Schema::read().await.types;
    let private = ["email", "phone", "ip", "birthDate", "deviceId", "accountId", "passwordHash", "device", "salt"];
    let mut holders = BTreeMap::new();
    for ty in types.iter().filter(|ty| ty["kind"] == "OBJECT") {
        for field in list(ty, "fields").iter().filter(|field| private.contains(&name(field))) {
            holders.entry(name(ty).to_owned()).or_insert_with(Vec::new).push(name(field).to_owned());
        }
    }
    let expected = BTreeMap::from([
        ("OwnAccount".to_owned(), vec!["email".to_owned(), "phone".to_owned(), "birthDate".to_owned()]),
        ("Session".to_owned(), vec!["device".to_owned()]),
        ("Person".to_owned(), vec!["email".to_owned(), "birthDate".to_owned()]),
        ("PersonSession".to_owned(), vec!["device".to_owned()]),
        // What a provider says of who just came from it; nobody here is found by it.
        ("Newcomer".to_owned(), vec!["email".to_owned()]),
    ]);
    assert_eq!(holders, expected);
    // Whatever leads to the account, wherever it hangs in the schema.
    let mut ways = Vec::new();
    for ty in &types {
        let private = ["OwnAccount", "Viewer", "Person", "PersonSession"];
        for field in list(ty, "fields").iter().filter(|field| private.contains(&named(&field["type"]))) {
            ways.push(format!("{}.{}", name(ty), name(field)));
        }
    }
    ways.sort_unstable();
    // Staff see those of others in the answer to a look, which is written down, and nowhere else.
    assert_eq!(ways, ["LookUpPersonPayload.person", "Person.sessions", "Query.me", "Viewer.account"]);
    assert!(!sdl().to_lowercase().contains("accountid") && !types.iter().any(|ty| name(ty) == "Account"));
}

#[tokio::test]
async fn security_42_every_text_in_the_schema_is_bounded() {
    let schema = Schema::read().await;
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let mut tried = 0;
    // Just below the bound on variables, and far beyond the one on bodies.
    for size in [70_000, 1_000_000] {
        for aim in schema.aims(&["String", "ID", "DateTime"], &json!("م".repeat(size / 2))) {
            tried += 1;
            let reply = stage.ask_with(Some(&mona), &aim.document, aim.variables).await;
            let at = format!("{} {}", aim.at, reply.text.chars().take(300).collect::<String>());
            assert!(reply.status == StatusCode::OK || reply.status.is_client_error(), "{at}");
            assert!(!reply.text.contains("common.internal") && reply.text.len() < 4_096, "{at}");
            if aim.document.starts_with("mutation") {
                let (root, _) = aim.at.split_once('.').unwrap();
                let body = reply.json();
                let refused = body.pointer(&format!("/data/{root}/userErrors/0/code")).is_some();
                assert!(refused || body.get("errors").is_some() || body.get("code").is_some(), "taken: {at}");
            }
        }
    }
    assert!(tried > 150, "{tried}");
}
