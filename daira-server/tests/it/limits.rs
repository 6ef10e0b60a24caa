//! What is too much is refused before it is executed.

use axum::http::StatusCode;
use daira_server::graphql::GraphqlSettings;
use daira_server::http::HttpSettings;
use serde_json::json;

use crate::harness::Stage;

async fn refused(stage: &Stage, document: &str) -> String {
    let reply = stage.ask(document).await;
    assert!(reply.status.is_client_error(), "{}", reply.text);
    assert!(reply.text.len() < 1_024 && reply.json().get("data").is_none());
    reply.code()
}

#[tokio::test]
async fn security_62_documents_have_limits() {
    let stage = Stage::new();
    let deep = "{ node(id: \"x\") { ... on Post { ".to_owned()
        + &"author { posts { edges { node { ".repeat(4)
        + "id"
        + &" } } } }".repeat(4)
        + " } } }";
    for (document, code) in [
        (format!("{{ me {{ __typename }} }} # {}", "ع".repeat(15_000)), "graphql.too_long"),
        (format!("{{ {} }}", "__typename ".repeat(1_000)), "graphql.too_many_tokens"),
        (
            format!(
                "{{ {} }}",
                ["a", "b", "c", "d"]
                    .map(|a| format!("{a}1: __typename {a}2: __typename {a}3: __typename {a}4: __typename "))
                    .concat()
            ),
            "graphql.too_many_aliases",
        ),
        (format!("{{ __typename {} }}", "@include(if: true) ".repeat(51)), "graphql.too_many_directives"),
        (deep, "graphql.too_deep"),
        (
            "{ homeFeed(first: 100) { edges { node { comments(first: 100) { edges { node { id } } } } } } }".to_owned(),
            "graphql.too_complex",
        ),
        (
            "{ me { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }".to_owned(),
            "graphql.fragment_cycle",
        ),
        ("{".repeat(5_000), "graphql.too_deep"),
        ("[".repeat(14_000), "graphql.too_deep"),
    ] {
        assert_eq!(refused(&stage, &document).await, code, "{}", document.chars().take(120).collect::<String>());
    }
}

#[tokio::test]
async fn variables_count_for_the_size_of_a_page() {
    let stage = Stage::new();
    let document =
        "query ($n: Int) { homeFeed(first: $n) { edges { node { comments(first: $n) { edges { node { id } } } } } } }";
    let reply = stage.ask_with(None, document, json!({ "n": 100 })).await;
    assert_eq!(reply.code(), "graphql.too_complex");
    let reply = stage.ask_with(None, document, json!({ "n": 5 })).await;
    assert_eq!(reply.code(), "auth.required", "small enough to be executed");
}

#[tokio::test]
async fn security_63_ten_thousand_typenames_are_refused() {
    let stage = Stage::new();
    let document = format!("{{ {} }}", "__typename ".repeat(10_000));
    assert_eq!(refused(&stage, &document).await, "graphql.too_long");
}

#[tokio::test]
async fn security_62_a_fragment_bomb_is_refused() {
    let stage = Stage::new();
    let spread = |n| format!(" fragment F{n} on Profile {{ {} }}", format!("...F{} ", n + 1).repeat(10));
    let ends = "{ me { profile { ...F0 } } } fragment F20 on Profile { id }".to_owned();
    let bomb: String = [ends].into_iter().chain((0..20).map(spread)).collect();
    assert_eq!(refused(&stage, &bomb).await, "graphql.too_complex");
}

#[tokio::test]
async fn security_64_batches_are_off_and_bounded() {
    let batch = |n: usize| format!("[{}]", vec![r#"{"query":"{ __typename }"}"#; n].join(","));
    let reply = Stage::new().post(batch(2)).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "graphql.batch_off"));
    let graphql = GraphqlSettings { batch: 10, ..GraphqlSettings::default() };
    let stage = Stage::with(HttpSettings { graphql, ..HttpSettings::default() });
    let reply = stage.post(batch(10)).await;
    assert_eq!((reply.status, reply.json().as_array().map(Vec::len)), (StatusCode::OK, Some(10)));
    assert_eq!(stage.post(batch(11)).await.code(), "graphql.batch_size");
    // Fifteen thousand characters and five thousand points each are not five times as much in a batch of five: what counts
    // per operation also counts for each of them.
    let mixed = format!(r#"[{{"query":"{{ __typename }}"}},{{"query":"{{ {} }}"}}]"#, "__typename ".repeat(1_000));
    let reply = stage.post(mixed).await;
    assert_eq!(reply.json()[1]["errors"][0]["extensions"]["code"], "graphql.too_many_tokens");
}

#[tokio::test]
async fn security_64_sensitive_mutations_cannot_be_repeated() {
    let log_in = |alias: &str| {
        format!(r#"{alias}: logIn(input: {{ email: "a@example.com", password: "x" }}) {{ userErrors {{ code }} }}"#)
    };
    let stage = Stage::new();
    let twice = format!("mutation {{ {} {} }}", log_in("a"), log_in("b"));
    assert_eq!(refused(&stage, &twice).await, "graphql.repeated");
    let hidden = format!("mutation {{ ...A {} }} fragment A on Mutation {{ {} }}", log_in("b"), log_in("a"));
    assert_eq!(refused(&stage, &hidden).await, "graphql.repeated");
    let graphql = GraphqlSettings { batch: 10, ..GraphqlSettings::default() };
    let stage = Stage::with(HttpSettings { graphql, ..HttpSettings::default() });
    let one = json!({ "query": format!("mutation {{ {} }}", log_in("a")) });
    let reply = stage.post(json!([one, one]).to_string()).await;
    for n in 0..2 {
        assert_eq!(reply.json()[n]["errors"][0]["extensions"]["code"], "graphql.repeated");
    }
}

#[tokio::test]
async fn security_67_introspection_is_off_for_strangers_in_production() {
    let stage = Stage::new();
    for document in [
        "{ __schema { queryType { name } } }",
        "{ a: __type(name: \"Post\") { name } }",
        "{ ...F } fragment F on Query { __schema { queryType { name } } }",
    ] {
        let reply = stage.ask(document).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (StatusCode::FORBIDDEN, "graphql.introspection_off"),
            "{document}"
        );
    }
    let mona = stage.join("mona").await;
    assert_eq!(stage.ask_as(&mona, "{ __schema { queryType { name } } }").await.status, StatusCode::OK);
    let development = Stage::with(HttpSettings::development());
    assert_eq!(development.ask("{ __schema { queryType { name } } }").await.status, StatusCode::OK);
}

#[tokio::test]
async fn security_67_guesses_get_no_suggestions() {
    let reply = Stage::new().ask("{ homeFed { edges { cursor } } me { profil { handel } } }").await;
    assert!(reply.status.is_client_error());
    assert!(!reply.text.to_lowercase().contains("did you mean") && !reply.text.contains("homeFeed"), "{}", reply.text);
}
