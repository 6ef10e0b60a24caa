//! Two faces of one person, as others see them: nothing tells that one person is behind both, and what is done to the person is
//! done to both.

use std::sync::Arc;

use axum::http::StatusCode;
use daira_core::Ports;
use daira_core::memory::{MemoryMail, WallClock};
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::{Value, json};

use crate::harness::{Person, Stage, in_memory};
use crate::introspection::Schema;
use crate::matrix::{answers, everything, settings};
use crate::real::Real;

const TOKENS: &str = "tokens { accessToken refreshToken } profile { id }";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Another face of somebody, who acts as it.
async fn face(stage: &Stage, of: &Person, handle: &str) -> Person {
    let input = json!({ "handle": handle, "name": format!("{handle} بوش تاني") });
    let made = stage.done(Some(of), "createProfile", input, "profile { id }").await;
    let id = text(&made["profile"]["id"]);
    let moved = stage.done(Some(of), "switchProfile", json!({ "profileId": id, "device": "Test" }), TOKENS).await;
    assert_eq!(moved["profile"]["id"], id.as_str());
    let token = |name: &str| text(&moved["tokens"][name]);
    Person { id, token: token("accessToken"), refresh: token("refreshToken") }
}

/// Whoever knows one face is told of the other by no answer that the schema has.
async fn faces_are_strangers(stage: &Stage) {
    let schema = Schema::read().await;
    let [nadia, tarek, sara] = [stage.join("nadia").await, stage.join("tarek").await, stage.join("sara").await];
    let zell = face(stage, &nadia, "zell").await;
    let post = stage.publish(&nadia, json!({ "text": "صباح الخير #صباح" })).await;
    let shadow = stage.publish(&zell, json!({ "text": "مساء الخير #مساء" })).await;
    // Each has a follower of their own, and answers them.
    for (face, post, follower) in [(&nadia, &post, &tarek), (&zell, &shadow, &sara)] {
        stage.done(Some(follower), "follow", json!({ "profileId": face.id }), "outcome").await;
        stage.done(Some(face), "follow", json!({ "profileId": follower.id }), "outcome").await;
        let comment = json!({ "postId": post, "text": "منور" });
        stage.done(Some(follower), "comment", comment.clone(), "clientMutationId").await;
        stage.done(Some(face), "comment", comment, "clientMutationId").await;
        stage.done(Some(face), "react", json!({ "subjectId": post, "kind": "LOVE" }), "clientMutationId").await;
        let theirs = stage.publish(follower, json!({ "text": "أي حاجة" })).await;
        stage.done(Some(face), "react", json!({ "subjectId": theirs, "kind": "LOVE" }), "clientMutationId").await;
    }
    stage.settle().await;
    let about_nadia = everything(&schema, &nadia, &post);
    let swap = |document: &String| {
        let swapped = document.replace(&nadia.id, &zell.id).replace(&post, &shadow).replace("nadia", "zell");
        swapped.replace("صباح", "مساء").replace("\"nad\"", "\"zel\"").replace("\"صب\"", "\"مس\"")
    };
    let about_zell: Vec<String> = about_nadia.iter().map(swap).collect();
    let of_nadia = [nadia.id.as_str(), post.as_str(), "nadia", "nadia@example.com"];
    let of_zell = [zell.id.as_str(), shadow.as_str(), "zell", "nadia@example.com"];
    for (documents, reader, own, others) in [
        (&about_nadia, Some(&tarek), &of_nadia[..3], &of_zell[..]),
        (&about_nadia, None, &of_nadia[..3], &of_zell[..]),
        (&about_zell, Some(&sara), &of_zell[..3], &of_nadia[..]),
        (&about_zell, None, &of_zell[..3], &of_nadia[..]),
    ] {
        let told = answers(stage, reader, documents).await;
        for found in own {
            assert!(told.concat().contains(found), "the net is empty: {found} is not told");
        }
        // The home feed shows what is popular, to everybody and of anybody.
        let of_one = |(document, _): &(&String, &String)| !document.starts_with("{ homeFeed");
        for (document, told) in documents.iter().zip(&told).filter(of_one) {
            for leak in others.iter().chain(&["acc_"]) {
                let document: String = document.chars().take(60).collect();
                assert!(!told.contains(leak), "{leak} is told to {reader:?} by {document}: {told}");
            }
        }
    }
    // A token says nothing but whose face it is of and which session.
    let said = |person: &Person| stage.ports.signer.verify(&person.token, stage.ports.clock.now()).unwrap();
    let (nadias, zells) = (said(&nadia), said(&zell));
    assert_ne!(nadias.session, zells.session);
    assert_eq!([nadias.profile.to_string(), zells.profile.to_string()], [nadia.id, zell.id]);
}

#[tokio::test]
async fn no_answer_links_two_faces_in_memory() {
    faces_are_strangers(&Stage::with(settings())).await;
}

#[tokio::test]
async fn no_answer_links_two_faces_in_postgresql() {
    let real = Real::on(Server::Pg18, settings()).await;
    faces_are_strangers(&real).await;
}

#[tokio::test]
async fn a_block_holds_for_every_face_and_tells_of_none() {
    let stage = Stage::new();
    let [nadia, tarek] = [stage.join("nadia").await, stage.join("tarek").await];
    let zell = face(&stage, &nadia, "zell").await;
    let post = stage.publish(&tarek, json!({ "text": "بيتنا" })).await;
    stage.done(Some(&tarek), "block", json!({ "profileId": nadia.id }), "changed").await;
    for blocked in [&nadia, &zell] {
        let ask = format!("{{ profile(handle: \"tarek\") {{ id }} post(id: \"{post}\") {{ id }} }}");
        let seen = stage.ask_as(blocked, &ask);
        assert_eq!(seen.await.json()["data"], json!({ "profile": null, "post": null }));
        assert_eq!(stage.refused(blocked, "follow", json!({ "profileId": tarek.id })).await, "common.not_found");
    }
    let unlinked = stage
        .ask_as(&tarek, "{ zell: profile(handle: \"zell\") { id } nadia: profile(handle: \"nadia\") { id } }")
        .await;
    assert_eq!(unlinked.data("/zell/id"), json!(zell.id), "the blocker's view of a face that is not linked stays");
    // Not even by asking for what only one of them wrote.
    assert_eq!(stage.ask_as(&zell, "{ homeFeed { edges { node { id } } } }").await.data("/homeFeed/edges"), json!([]));
}

/// What one may ask for counts for the person, not for the face.
#[tokio::test]
async fn limits_hold_for_all_faces_together() {
    let mail = Arc::new(MemoryMail::default());
    let mut ports = Ports { mail: mail.clone(), ..in_memory(Arc::new(WallClock)) };
    // So slow to be full again that nothing comes back while this runs.
    ports.settings_mut().limits.member = "100000/1d".parse().unwrap();
    let stage = Stage::on(HttpSettings::default(), ports, mail);
    let nadia = stage.join("nadia").await;
    let zell = face(&stage, &nadia, "zell").await;
    let left = async |who: &Person| {
        let reply = stage.ask_as(who, "{ me { profile { id } } }").await;
        assert_eq!(reply.status, StatusCode::OK);
        let told = reply.headers["ratelimit"].to_str().unwrap().to_owned();
        let left = told.split(';').find_map(|part| part.strip_prefix("r=")).unwrap().parse::<i64>();
        left.unwrap()
    };
    let (before, by_mask, after) = (left(&nadia).await, left(&zell).await, left(&nadia).await);
    assert!(by_mask < before && after < by_mask, "{before} {by_mask} {after}");
}
