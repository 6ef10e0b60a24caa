//! The schema itself: described throughout, nothing private on public types, every text bounded.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use daira_server::graphql::schema::sdl;
use daira_server::http::HttpSettings;
use serde_json::{Value, json};

use crate::harness::Stage;

const INTROSPECTION: &str = "{ __schema { types { kind name description \
     fields { name description type { ...T } args { name description type { ...T } } } \
     inputFields { name description type { ...T } } enumValues { name description } } } } \
     fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

async fn types() -> Vec<Value> {
    let stage = Stage::with(HttpSettings::development());
    let reply = stage.ask(INTROSPECTION).await;
    let types = reply.data("/__schema/types");
    types.as_array().unwrap().iter().filter(|ty| !name(ty).starts_with("__")).cloned().collect()
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn named(ty: &Value) -> &str {
    if ty["ofType"].is_null() { name(ty) } else { named(&ty["ofType"]) }
}

#[test]
fn the_schema_is_the_one_in_the_documentation() {
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api/schema.graphql")).unwrap();
    assert!(kept == sdl(), "the schema changed: run `cargo xtask codegen schema` and look at the difference");
}

#[tokio::test]
async fn every_type_field_and_argument_is_described() {
    let mut bare = Vec::new();
    let builtin = ["String", "Int", "Float", "Boolean", "ID"];
    for ty in types().await.iter().filter(|ty| !builtin.contains(&name(ty))) {
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

#[tokio::test]
async fn names_that_others_rely_on_are_there() {
    let types = types().await;
    let fields = |of: &str| -> BTreeSet<String> {
        let ty = types.iter().find(|ty| name(ty) == of).unwrap();
        list(ty, "fields").iter().map(|field| name(field).to_owned()).collect()
    };
    let (query, mutation) = (fields("Query"), fields("Mutation"));
    for wanted in [
        "register",
        "verifyEmail",
        "logIn",
        "refreshSession",
        "logOut",
        "revokeSession",
        "revokeOtherSessions",
        "updateProfile",
        "changeHandle",
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
    ] {
        assert!(mutation.contains(wanted), "{wanted}");
    }
    for wanted in [
        "me",
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
    ] {
        assert!(query.contains(wanted), "{wanted}");
    }
}

#[tokio::test]
async fn mutations_take_an_input_and_answer_a_payload_with_user_errors() {
    let types = types().await;
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
async fn private_fields_are_reached_through_me_alone() {
    let types = types().await;
    let private = ["email", "phone", "ip", "birthDate", "deviceId", "accountId", "passwordHash", "device", "salt"];
    let mut holders = BTreeMap::new();
    for ty in types.iter().filter(|ty| ty["kind"] == "OBJECT") {
        for field in list(ty, "fields").iter().filter(|field| private.contains(&name(field))) {
            holders.entry(name(ty).to_owned()).or_insert_with(Vec::new).push(name(field).to_owned());
        }
    }
    let expected = BTreeMap::from([
        ("OwnAccount".to_owned(), vec!["email".to_owned(), "birthDate".to_owned()]),
        ("Session".to_owned(), vec!["device".to_owned()]),
    ]);
    assert_eq!(holders, expected);
    // Whatever leads to the account, wherever it hangs in the schema.
    let mut ways = Vec::new();
    for ty in &types {
        for field in list(ty, "fields").iter().filter(|field| ["OwnAccount", "Viewer"].contains(&named(&field["type"])))
        {
            ways.push(format!("{}.{}", name(ty), name(field)));
        }
    }
    assert_eq!(ways, ["Query.me", "Viewer.account"]);
    assert!(!sdl().to_lowercase().contains("accountid") && !types.iter().any(|ty| name(ty) == "Account"));
}

/// A literal for a required argument or input field that the test does not aim at.
fn filler(ty: &Value, types: &[Value]) -> Value {
    match named(ty) {
        "ID" => json!("pst_0000000000001"),
        "DateTime" => json!("2026-01-01T00:00:00Z"),
        "Int" => json!(1),
        "Boolean" => json!(true),
        "String" => json!("x"),
        other => {
            let ty = types.iter().find(|ty| name(ty) == other).unwrap();
            match ty["kind"].as_str() {
                Some("ENUM") => json!(name(&list(ty, "enumValues")[0])),
                _ => input_with(ty, types, None),
            }
        }
    }
}

/// An input object with its required fields, and one field set to something.
fn input_with(ty: &Value, types: &[Value], aimed: Option<(&str, &Value)>) -> Value {
    let mut object = serde_json::Map::new();
    for field in list(ty, "inputFields") {
        match aimed {
            Some((wanted, value)) if wanted == name(field) => drop(object.insert(wanted.to_owned(), value.clone())),
            _ if field["type"]["kind"] == "NON_NULL" => {
                drop(object.insert(name(field).to_owned(), filler(&field["type"], types)));
            }
            _ => {}
        }
    }
    Value::Object(object)
}

fn written(ty: &Value) -> String {
    match ty["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&ty["ofType"])),
        Some("LIST") => format!("[{}]", written(&ty["ofType"])),
        _ => name(ty).to_owned(),
    }
}

#[tokio::test]
async fn every_text_in_the_schema_is_bounded() {
    let types = types().await;
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let find = |wanted: &str| types.iter().find(|ty| name(ty) == wanted).unwrap();
    let is_text = |ty: &Value| matches!(named(ty), "String" | "ID" | "DateTime");
    let wrap = |ty: &Value, text: &str| if written(ty).starts_with('[') { json!([text]) } else { json!(text) };
    let mut tried = 0;
    for (root, operation) in [("Query", "query"), ("Mutation", "mutation")] {
        for field in list(find(root), "fields") {
            let mut aims: Vec<Value> = Vec::new();
            // Just below the bound on variables, and far beyond the one on bodies.
            for size in [70_000, 1_000_000] {
                let text = "م".repeat(size / 2);
                for argument in list(field, "args") {
                    let ty = &argument["type"];
                    let mut others = serde_json::Map::new();
                    for other in list(field, "args")
                        .iter()
                        .filter(|other| name(other) != name(argument) && other["type"]["kind"] == "NON_NULL")
                    {
                        others.insert(name(other).to_owned(), filler(&other["type"], &types));
                    }
                    let mut aim = |value: Value| {
                        let mut variables = others.clone();
                        variables.insert(name(argument).to_owned(), value);
                        aims.push(Value::Object(variables));
                    };
                    if is_text(ty) {
                        aim(wrap(ty, &text));
                    } else if find(named(ty))["kind"] == "INPUT_OBJECT" {
                        for inner in list(find(named(ty)), "inputFields").iter().filter(|inner| is_text(&inner["type"]))
                        {
                            aim(input_with(find(named(ty)), &types, Some((name(inner), &wrap(&inner["type"], &text)))));
                        }
                    }
                }
            }
            let signature: Vec<String> =
                list(field, "args").iter().map(|a| format!("${}: {}", name(a), written(&a["type"]))).collect();
            let passed: Vec<String> = list(field, "args").iter().map(|a| format!("{0}: ${0}", name(a))).collect();
            let selection = match find(named(&field["type"]))["kind"].as_str() {
                Some("SCALAR") => "",
                _ if root == "Mutation" => "{ userErrors { code } }",
                _ => "{ __typename }",
            };
            for variables in aims {
                tried += 1;
                let document = format!(
                    "{operation} ({}) {{ {}({}) {selection} }}",
                    signature.join(", "),
                    name(field),
                    passed.join(", ")
                );
                let reply = stage.ask_with(Some(&mona), &document, variables).await;
                let at = format!("{root}.{} {}", name(field), reply.text.chars().take(300).collect::<String>());
                assert!(reply.status == StatusCode::OK || reply.status.is_client_error(), "{at}");
                assert!(!reply.text.contains("common.internal") && reply.text.len() < 4_096, "{at}");
                if root == "Mutation" {
                    let user_error = reply.json().pointer(&format!("/data/{}/userErrors/0/code", name(field))).cloned();
                    assert!(
                        user_error.is_some()
                            || reply.json().get("errors").is_some()
                            || reply.json().get("code").is_some(),
                        "taken: {at}"
                    );
                }
            }
        }
    }
    assert!(tried > 150, "{tried}");
}
