//! The main job from end to end: join, follow, post, read the feed, and everything around it.

use axum::http::StatusCode;
use axum::http::header;
use serde_json::{Value, json};

use crate::harness::{Stage, json_request};

#[tokio::test]
async fn somebody_joins_follows_and_reads_what_is_posted() {
    let stage = Stage::new();
    let (mona, omar) = (stage.join("mona").await, stage.join("omar.s").await);
    let outcome = stage
        .done(Some(&omar), "follow", json!({ "profileId": mona.id }), "outcome profile { relation { follows } }")
        .await;
    assert_eq!(
        (outcome["outcome"].as_str(), outcome["profile"]["relation"]["follows"].as_bool()),
        (Some("FOLLOWING"), Some(true))
    );
    let post = stage.publish(&mona, json!({ "text": "صباح الخير يا #اسكندرية 3ala el ba7r ya @omar.s" })).await;
    stage.settle().await;

    let feed = "{ homeFeed(first: 20) { asOf edges { cursor node { id text visibility author { handle name counters { followers } } \
                counters { reactions comments } viewerReaction hashtags { name key } mentions { handle } media { alt } } } \
                pageInfo { hasNextPage hasPreviousPage endCursor } } }";
    let reply = stage.ask_as(&omar, feed).await;
    assert_eq!(reply.json().get("errors"), None);
    let node = reply.data("/homeFeed/edges/0/node");
    assert_eq!(node["id"], post);
    assert_eq!(node["text"], "صباح الخير يا #اسكندرية 3ala el ba7r ya @omar.s");
    assert_eq!(node["author"], json!({ "handle": "mona", "name": "mona الاسكندراني", "counters": { "followers": 1 } }));
    assert_eq!(
        (node["hashtags"][0]["name"].as_str(), node["mentions"][0]["handle"].as_str()),
        (Some("اسكندرية"), Some("omar.s"))
    );

    let payload = stage
        .done(Some(&omar), "react", json!({ "subjectId": post, "kind": "LOVE" }), "changed post { viewerReaction }")
        .await;
    assert_eq!(payload["post"]["viewerReaction"], "LOVE");
    let comment = stage
        .done(Some(&omar), "comment", json!({ "postId": post, "text": "صباح النور" }), "comment { id depth text }")
        .await;
    let answer = json!({ "postId": post, "parentId": comment["comment"]["id"], "text": "نوّرت" });
    let answer = stage.done(Some(&mona), "comment", answer, "comment { depth parent { id } }").await;
    assert_eq!(
        (answer["comment"]["depth"].as_i64(), &answer["comment"]["parent"]["id"]),
        (Some(2), &comment["comment"]["id"])
    );
    stage.settle().await;

    let thread = "query ($id: ID!) { post(id: $id) { counters { reactions comments } reactions { edges { kind node { handle } } } \
                  comments(order: TOP) { edges { node { text counters { replies } replies { edges { node { text author { handle } } } } } } } } }";
    let reply = stage.ask_with(Some(&mona), thread, json!({ "id": post })).await;
    assert_eq!(reply.data("/post/counters"), json!({ "reactions": 1, "comments": 2 }));
    assert_eq!(reply.data("/post/reactions/edges/0"), json!({ "kind": "LOVE", "node": { "handle": "omar.s" } }));
    assert_eq!(reply.data("/post/comments/edges/0/node/replies/edges/0/node/text"), "نوّرت");

    let lines = stage.ask_as(&mona, "{ me { unreadNotifications } notifications { edges { node { kind text isUnread actors { handle } post { id } } } } }").await;
    let kinds: Vec<Value> = lines
        .data("/notifications/edges")
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"]["kind"].clone())
        .collect();
    assert_eq!(lines.data("/me/unreadNotifications"), kinds.len(), "{kinds:?}");
    assert!(
        kinds.contains(&json!("FOLLOWED")) && kinds.contains(&json!("REACTED")) && kinds.contains(&json!("COMMENTED")),
        "{kinds:?}"
    );
    let read = stage.done(Some(&mona), "markNotificationsRead", json!({}), "unread").await;
    assert_eq!(read["unread"], 0);

    let why = stage.ask_with(Some(&omar), "query ($id: ID!) { whyThis(post: $id) { source score sentences parts { part by } ar: sentences(language: AR) } }", json!({ "id": post })).await;
    assert_eq!(why.data("/whyThis/source"), "FOLLOW");
    assert!(why.data("/whyThis/sentences/0").as_str().unwrap().starts_with("You follow"));
    assert!(why.data("/whyThis/ar/0").as_str().unwrap().contains("متابع"));
    let told: f64 =
        why.data("/whyThis/parts").as_array().unwrap().iter().map(|part| part["by"].as_f64().unwrap()).sum();
    assert!((told - why.data("/whyThis/score").as_f64().unwrap()).abs() < 1e-6);

    let tag = stage.ask(r##"{ hashtag(tag: "#الإسكندرية") { name posts { edges { node { id } } } } }"##).await;
    assert_eq!(tag.data("/hashtag/posts/edges/0/node/id"), post);
    let found = stage.ask(r#"{ search(query: "mon") { edges { cursor node { __typename ... on Profile { handle } ... on Hashtag { name } } } } }"#).await;
    assert_eq!(found.data("/search/edges/0/node"), json!({ "__typename": "Profile", "handle": "mona" }));
    let found = stage
        .ask(r#"{ search(query: "اسكند", types: [HASHTAG]) { edges { node { ... on Hashtag { name } } } } }"#)
        .await;
    assert_eq!(found.data("/search/edges/0/node/name"), "اسكندرية");
}

#[tokio::test]
async fn feeds_are_paged_without_repeating_or_skipping() {
    let stage = Stage::new();
    let (mona, omar) = (stage.join("mona").await, stage.join("omar").await);
    stage.done(Some(&omar), "follow", json!({ "profileId": mona.id }), "outcome").await;
    let mut posts = Vec::new();
    for n in 0..7 {
        posts.push(stage.publish(&mona, json!({ "text": format!("بوست رقم {n}") })).await);
    }
    stage.settle().await;
    for feed in ["homeFeed", "followingFeed"] {
        let document = format!(
            "query ($after: String) {{ {feed}(first: 3, after: $after) {{ edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
        );
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let reply = stage.ask_with(Some(&omar), &document, json!({ "after": after })).await;
            let page = reply.data(&format!("/{feed}"));
            let edges = page["edges"].as_array().unwrap();
            seen.extend(edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()));
            assert_eq!(page["pageInfo"]["hasPreviousPage"].as_bool(), Some(!after.is_null()));
            assert_eq!(page["pageInfo"]["startCursor"], edges[0]["cursor"]);
            after = page["pageInfo"]["endCursor"].clone();
            assert_eq!(after, edges[edges.len() - 1]["cursor"]);
            // Something new between two pages moves nothing.
            stage.publish(&mona, json!({ "text": "جديد", "visibility": "FOLLOWERS" })).await;
            stage.settle().await;
            if page["pageInfo"]["hasNextPage"] == false || seen.len() > 10 {
                break;
            }
        }
        seen.sort();
        let mut expected = posts.clone();
        expected.sort();
        if feed == "homeFeed" {
            assert_eq!(seen, expected);
        } else {
            seen.dedup();
            assert!(expected.iter().all(|post| seen.contains(post)));
        }
        let stolen = stage.ask_with(Some(&mona), &document, json!({ "after": after })).await;
        assert_eq!(stolen.code(), "page.cursor", "a cursor is its reader's alone");
    }
    let as_of = stage.ask_as(&omar, "{ homeFeed { asOf } }").await.data("/homeFeed/asOf");
    stage.publish(&mona, json!({ "text": "لسه نازل" })).await;
    stage.settle().await;
    let reply = stage
        .ask_with(Some(&omar), "query ($since: DateTime!) { newPostsCount(since: $since) }", json!({ "since": as_of }))
        .await;
    assert_eq!(reply.data("/newPostsCount"), 1);
}

#[tokio::test]
async fn sessions_are_refreshed_listed_and_ended_at_once() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let log_in = json!({ "email": "mona@example.com", "password": "kahraba nour shams", "device": "Phone" });
    let phone = stage.done(None, "logIn", log_in, "tokens { accessToken refreshToken } profile { id }").await;
    assert_eq!(phone["profile"]["id"], mona.id);
    let refreshed = stage
        .done(None, "refreshSession", json!({ "refreshToken": mona.refresh }), "tokens { accessToken refreshToken }")
        .await;
    assert_ne!(refreshed["tokens"]["refreshToken"], mona.refresh);

    let reply = stage
        .ask_as(
            &mona,
            "{ sessions { id device isCurrent } me { account { email language state } profiles { handle } } }",
        )
        .await;
    let sessions = reply.data("/sessions");
    let devices: Vec<&str> =
        sessions.as_array().unwrap().iter().map(|session| session["device"].as_str().unwrap()).collect();
    assert_eq!(devices, ["Phone", "Test"]);
    assert_eq!((sessions[0]["isCurrent"].as_bool(), sessions[1]["isCurrent"].as_bool()), (Some(false), Some(true)));
    assert_eq!(reply.data("/me/account"), json!({ "email": "mona@example.com", "language": "AR", "state": "ACTIVE" }));

    stage.done(Some(&mona), "revokeSession", json!({ "sessionId": sessions[0]["id"] }), "sessionId").await;
    let mut request = json_request(phone["tokens"]["accessToken"].as_str(), r#"{"query":"{ me { profile { id } } }"}"#);
    request.headers_mut().insert(header::ACCEPT_LANGUAGE, "en".parse().unwrap());
    let reply = stage.send(request).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.token_invalid"));

    let reply = stage.ask_as(&mona, "mutation { logOut { loggedOut userErrors { code } } }").await;
    assert_eq!(reply.data("/logOut/loggedOut"), true);
    assert_eq!(stage.ask_as(&mona, "{ me { profile { id } } }").await.status, StatusCode::UNAUTHORIZED);
    let spent =
        stage.tried(None, "refreshSession", json!({ "refreshToken": mona.refresh }), "tokens { accessToken }").await;
    assert_eq!((spent["userErrors"][0]["code"].as_str(), &spent["tokens"]), (Some("auth.token_invalid"), &Value::Null));
}

#[tokio::test]
async fn posts_are_edited_deleted_and_restored() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let post = stage.publish(&mona, json!({ "text": "أول نسخة" })).await;
    let edit = json!({ "postId": post, "text": "تاني نسخة", "version": 1 });
    let edited = stage
        .done(Some(&mona), "editPost", edit.clone(), "post { text version editedAt revisions { text version } }")
        .await;
    assert_eq!(edited["post"]["revisions"], json!([{ "text": "أول نسخة", "version": 1 }]));
    let late = stage.tried(
        Some(&mona),
        "editPost",
        json!({ "postId": post, "text": "تالت", "version": 1 }),
        "clientMutationId",
    );
    let late = late.await["userErrors"][0].clone();
    assert_eq!((late["code"].as_str(), &late["currentVersion"]), (Some("common.stale"), &json!(2)), "{late}");
    stage.done(Some(&mona), "deletePost", json!({ "postId": post }), "postId").await;
    let reply = stage
        .ask_with(
            Some(&mona),
            "query ($id: ID!) { post(id: $id) { id } me { deletedPosts { edges { node { id text } } } } }",
            json!({ "id": post }),
        )
        .await;
    assert_eq!((reply.data("/post"), reply.data("/me/deletedPosts/edges/0/node/id")), (Value::Null, json!(post)));
    let back = stage.done(Some(&mona), "restorePost", json!({ "postId": post }), "post { id text }").await;
    assert_eq!(back["post"]["text"], "تاني نسخة");
    let too_long = json!({ "text": "ط".repeat(2_201) });
    let payload = stage.tried(Some(&mona), "createPost", too_long, "post { id }").await;
    let message = "A post has up to 2,200 characters.";
    assert_eq!(
        payload["userErrors"],
        json!([{ "code": "post.too_long", "field": "text", "message": message, "retryAfter": null, "currentVersion": null }])
    );
}

#[tokio::test]
async fn a_private_profile_approves_and_a_circle_sees_what_is_for_it() {
    let stage = Stage::new();
    let (mona, omar) = (stage.join("mona").await, stage.join("omar").await);
    stage
        .done(
            Some(&mona),
            "updateProfile",
            json!({ "isPrivate": true, "bio": "من بحري", "links": ["https://example.com"] }),
            "profile { isPrivate }",
        )
        .await;
    let asked = stage.done(Some(&omar), "follow", json!({ "profileId": mona.id }), "outcome").await;
    assert_eq!(asked["outcome"], "REQUESTED");
    let reply = stage.ask_as(&mona, "{ me { followRequests { edges { node { handle } since } } } }").await;
    assert_eq!(reply.data("/me/followRequests/edges/0/node/handle"), "omar");
    let approved = stage
        .done(
            Some(&mona),
            "approveFollow",
            json!({ "profileId": omar.id }),
            "changed profile { relation { followedBy } }",
        )
        .await;
    assert_eq!(approved["profile"]["relation"]["followedBy"], true);

    let circle =
        stage.done(Some(&mona), "createCircle", json!({ "name": "شلة بحري" }), "circle { id }").await["circle"]["id"]
            .clone();
    let post = stage.publish(&mona, json!({ "text": "للشلة", "visibility": "CIRCLE", "circleId": circle })).await;
    let sees = |id: String| {
        let (stage, omar) = (&stage, &omar);
        async move {
            stage
                .ask_with(Some(omar), "query ($id: ID!) { post(id: $id) { visibility circleId } }", json!({ "id": id }))
                .await
                .data("/post")
        }
    };
    assert_eq!(sees(post.clone()).await, Value::Null);
    stage
        .done(
            Some(&mona),
            "addToCircle",
            json!({ "circleId": circle, "profileId": omar.id }),
            "circle { members { edges { node { handle } } } }",
        )
        .await;
    assert_eq!(
        sees(post.clone()).await,
        json!({ "visibility": "CIRCLE", "circleId": null }),
        "which circle, its members do not learn"
    );
    stage.done(Some(&mona), "removeFromCircle", json!({ "circleId": circle, "profileId": omar.id }), "changed").await;
    assert_eq!(sees(post).await, Value::Null);

    stage.done(Some(&mona), "block", json!({ "profileId": omar.id }), "changed").await;
    let reply = stage.ask_as(&omar, r#"{ profile(handle: "mona") { id } }"#).await;
    assert_eq!(reply.data("/profile"), Value::Null);
    let reply =
        stage.ask_as(&mona, r#"{ profile(handle: "omar") { id } me { blocks { edges { node { handle } } } } }"#).await;
    assert_eq!((reply.data("/profile"), reply.data("/me/blocks/edges/0/node/handle")), (Value::Null, json!("omar")));
    stage.done(Some(&mona), "unblock", json!({ "profileId": omar.id }), "changed").await;
    stage
        .done(
            Some(&mona),
            "mute",
            json!({ "profileId": omar.id, "stories": false }),
            "profile { relation { mutesPosts mutesStories } }",
        )
        .await;
    let reply = stage
        .ask_as(&mona, "{ me { mutes { edges { node { handle relation { mutesPosts mutesStories } } } } } }")
        .await;
    assert_eq!(reply.data("/me/mutes/edges/0/node/relation"), json!({ "mutesPosts": true, "mutesStories": false }));
}

#[tokio::test]
async fn a_repeated_request_has_one_effect() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let input = json!({ "text": "مرة واحدة بس", "idempotencyKey": "k-1", "clientMutationId": "c-1" });
    let first = stage.done(Some(&mona), "createPost", input.clone(), "post { id } clientMutationId").await;
    let again = stage.done(Some(&mona), "createPost", input, "post { id } clientMutationId").await;
    assert_eq!(first, again);
    assert_eq!(first["clientMutationId"], "c-1");
    assert_eq!(
        stage.refused(&mona, "createPost", json!({ "text": "حاجة تانية", "idempotencyKey": "k-1" })).await,
        "idempotency.key_reused"
    );
    assert_eq!(
        stage.refused(&mona, "createPost", json!({ "text": "x", "idempotencyKey": "مفتاح" })).await,
        "idempotency.key_invalid"
    );

    let document =
        json!({ "query": "mutation { createPost(input: { text: \"بالهيدر\" }) { post { id } } }" }).to_string();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut request = json_request(Some(&mona.token), document.clone());
        request.headers_mut().insert("idempotency-key", "\"k-2\"".parse().unwrap());
        ids.push(stage.send(request).await.data("/createPost/post/id"));
    }
    assert_eq!(ids[0], ids[1]);
    let reply = stage.ask_as(&mona, "{ me { profile { posts { edges { node { text } } } } } }").await;
    assert_eq!(reply.data("/me/profile/posts/edges").as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn strangers_are_told_to_log_in_and_learn_nothing_by_logging_in() {
    let stage = Stage::new();
    stage.join("mona").await;
    for document in [
        "{ homeFeed { asOf } }",
        "{ notifications { edges { cursor } } }",
        "{ sessions { id } }",
        "mutation { createPost(input: { text: \"x\" }) { post { id } } }",
    ] {
        let reply = stage.ask(document).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::OK, "auth.required"), "{document}");
    }
    assert_eq!(stage.ask("{ me { profile { id } } }").await.data("/me"), Value::Null);

    let mut answers = Vec::new();
    for (email, password) in [("mona@example.com", "wrong password"), ("nobody@example.com", "wrong password")] {
        let document = format!(
            r#"mutation {{ logIn(input: {{ email: "{email}", password: "{password}" }}) {{ tokens {{ accessToken }} userErrors {{ code message field }} }} }}"#
        );
        let mut request = json_request(None, json!({ "query": document }).to_string());
        request.headers_mut().insert("x-request-id", "same".parse().unwrap());
        let reply = stage.send(request).await;
        answers.push((reply.status, reply.text.clone(), format!("{:?}", reply.headers)));
    }
    assert_eq!(answers[0], answers[1], "an unknown address and a wrong password look alike");

    let (taken, free) =
        (stage.register("layla", "mona@example.com").await, stage.register("hany", "hany@example.com").await);
    assert_eq!((taken.len(), &taken[..4]), (free.len(), &free[..4]), "a taken and a free address look alike");
}
