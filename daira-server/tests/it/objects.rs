//! What comes from outside is not trusted: ids that are none, fields that only the server sets.

use axum::http::StatusCode;
use serde_json::json;

use crate::harness::Stage;

#[tokio::test]
async fn security_43_global_ids_are_not_trusted() {
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
async fn security_36_inputs_take_no_unknown_and_no_server_set_fields() {
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
