//! Other people's private things look like what does not exist, by whatever way they are asked for.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Person, Stage};

/// A mutation, and its input for the id of something.
type Attempt = (&'static str, fn(&str) -> Value);

/// Things of one person that another must not see, by kind.
async fn private_things(stage: &Stage, owner: &Person) -> Vec<(&'static str, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let circle = text(
        &stage.done(Some(owner), "createCircle", json!({ "name": "قرايب" }), "circle { id }").await["circle"]["id"],
    );
    let session = text(&stage.ask_as(owner, "{ sessions { id } }").await.data("/sessions/0/id"));
    let for_circle =
        stage.publish(owner, json!({ "text": "للدايرة #سر", "visibility": "CIRCLE", "circleId": circle })).await;
    let private = stage.publish(owner, json!({ "text": "ليا لوحدي #سر", "visibility": "PRIVATE" })).await;
    let followers = stage.publish(owner, json!({ "text": "للمتابعين #سر", "visibility": "FOLLOWERS" })).await;
    let mentioned = stage.publish(owner, json!({ "text": "للمذكورين #سر", "visibility": "MENTIONED" })).await;
    let deleted = stage.publish(owner, json!({ "text": "اتمسح #سر" })).await;
    stage.done(Some(owner), "deletePost", json!({ "postId": deleted }), "postId").await;
    let comment =
        stage.done(Some(owner), "comment", json!({ "postId": private, "text": "ملحوظة" }), "comment { id }").await;
    vec![
        ("Circle", circle),
        ("Session", session),
        ("Post", for_circle),
        ("Post", private),
        ("Post", followers),
        ("Post", mentioned),
        ("Post", deleted),
        ("Comment", text(&comment["comment"]["id"])),
    ]
}

#[tokio::test]
async fn foreign_objects_look_missing_by_every_way() {
    let stage = Stage::new();
    let (owner, other) = (stage.join("nadia.m").await, stage.join("tarek").await);
    let things = private_things(&stage, &owner).await;
    stage.settle().await;
    for reader in [None, Some(&other)] {
        for (kind, id) in &things {
            let reply = stage
                .ask_with(
                    reader,
                    "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } post(id: $id) { id } }",
                    json!({ "id": id }),
                )
                .await;
            assert_eq!(reply.json(), json!({ "data": { "node": null, "nodes": [null], "post": null } }), "{kind} {id}");
        }
        let lists = "{ profile(handle: \"nadia.m\") { posts { edges { node { id } } } } hashtag(tag: \"سر\") { posts { edges { node { id } } } } }";
        let reply = stage.ask_with(reader, lists, json!({})).await;
        for (kind, id) in &things {
            assert!(!reply.text.contains(id.as_str()), "{kind} {id} is in a list");
        }
    }
    for (_, id) in things.iter().filter(|(kind, _)| *kind == "Post").filter(|(_, id)| id != &things[6].1) {
        let reply =
            stage.ask_with(Some(&owner), "query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(reply.data("/node/id"), *id, "its owner sees it");
    }
}

#[tokio::test]
async fn changing_foreign_objects_is_answered_like_missing_ones() {
    let stage = Stage::new();
    let (owner, other) = (stage.join("nadia.m").await, stage.join("tarek").await);
    let things = private_things(&stage, &owner).await;
    let missing = |kind: &str| {
        format!(
            "{}_0000000000001",
            match kind {
                "Circle" => "cir",
                "Session" => "ses",
                "Post" => "pst",
                _ => "cmt",
            }
        )
    };
    for (kind, id) in &things {
        let attempts: Vec<Attempt> = match *kind {
            "Circle" => vec![
                ("deleteCircle", |id| json!({ "circleId": id })),
                ("addToCircle", |id| json!({ "circleId": id, "profileId": "prf_0000000000001" })),
            ],
            "Session" => vec![("revokeSession", |id| json!({ "sessionId": id }))],
            "Post" => vec![
                ("editPost", |id| json!({ "postId": id, "text": "بتاعي" })),
                ("deletePost", |id| json!({ "postId": id })),
                ("restorePost", |id| json!({ "postId": id })),
                ("comment", |id| json!({ "postId": id, "text": "أهلاً" })),
                ("react", |id| json!({ "subjectId": id })),
            ],
            _ => vec![
                ("editComment", |id| json!({ "commentId": id, "text": "بتاعي" })),
                ("deleteComment", |id| json!({ "commentId": id })),
                ("react", |id| json!({ "subjectId": id })),
            ],
        };
        for (mutation, input) in attempts {
            let foreign = stage.tried(Some(&other), mutation, input(id), "clientMutationId").await;
            let absent = stage.tried(Some(&other), mutation, input(&missing(kind)), "clientMutationId").await;
            assert_eq!(foreign, absent, "{mutation} {kind}");
            assert_eq!(foreign["userErrors"][0]["code"], "common.not_found", "{mutation} {kind}");
        }
    }
}

#[tokio::test]
async fn global_ids_are_not_trusted() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let post = stage.publish(&mona, json!({ "text": "أهلاً" })).await;
    let digits = post.strip_prefix("pst_").unwrap();
    let mut ids: Vec<String> = ["prf", "cmt", "cir", "ses", "med", "acc", "chl", "fss", "xxx"]
        .iter()
        .map(|prefix| format!("{prefix}_{digits}"))
        .collect();
    ids.extend([
        post.to_uppercase(),
        format!("{post}0"),
        format!(" {post}"),
        post.replace('_', "-"),
        "pst_".to_owned(),
        String::new(),
        "pst_zzzzzzzzzzzzz".to_owned(),
    ]);
    ids.extend([
        "UG9zdDox".to_owned(),
        "1".to_owned(),
        "../../etc/passwd".to_owned(),
        "pst_' or 1=1 --".to_owned(),
        "خ".repeat(1_000),
    ]);
    for id in ids {
        let reply = stage
            .ask_with(
                Some(&mona),
                "query ($id: ID!) { node(id: $id) { id } post(id: $id) { id } }",
                json!({ "id": id }),
            )
            .await;
        assert_eq!(
            (reply.status, reply.json()),
            (StatusCode::OK, json!({ "data": { "node": null, "post": null } })),
            "{id}"
        );
    }
    let all: Vec<&str> = vec![&post; 100];
    let reply = stage
        .ask_with(None, "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", json!({ "ids": all }))
        .await;
    assert_eq!(reply.data("/nodes/99"), json!({ "__typename": "Post", "id": post }));
    let reply = stage
        .ask_with(None, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": vec![&post; 101] }))
        .await;
    assert_eq!(reply.code(), "page.size");
    let missing = json!({ "ids": [post, "pst_0000000000001", mona.id] });
    let reply = stage.ask_with(None, "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", missing).await;
    assert_eq!(reply.data("/nodes"), json!([{ "__typename": "Post" }, null, { "__typename": "Profile" }]));
}

#[tokio::test]
async fn inputs_take_no_unknown_and_no_server_set_fields() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    for field in ["authorId", "role", "verified", "counters", "createdAt", "delivery", "id"] {
        let document =
            format!("mutation {{ createPost(input: {{ text: \"x\", {field}: \"1\" }}) {{ post {{ id }} }} }}");
        assert_eq!(stage.ask_as(&mona, &document).await.code(), "graphql.invalid", "{field}");
        let variables = json!({ "input": { "text": "x", field: "1" } });
        let document = "mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id } } }";
        assert_eq!(
            stage.ask_with(Some(&mona), document, variables).await.code(),
            "graphql.invalid",
            "{field} by variable"
        );
    }
    let variables = json!({ "input": { "name": "منى", "kind": "VERIFIED_CREATOR" } });
    let document = "mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { profile { id } } }";
    assert_eq!(stage.ask_with(Some(&mona), document, variables).await.code(), "graphql.invalid");
}
