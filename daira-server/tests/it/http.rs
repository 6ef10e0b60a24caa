//! GraphQL over HTTP: methods, media types, statuses, headers.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use daira_server::graphql::GraphqlSettings;
use daira_server::http::HttpSettings;
use futures_util::stream;
use serde_json::json;

use crate::harness::{Stage, json_request};

const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

#[tokio::test]
async fn security_66_a_mutation_over_get_is_405() {
    let stage = Stage::new();
    for document in ["mutation{logOut{loggedOut}}", "query+Q{me{__typename}}mutation+M{__typename}&operationName=M"] {
        let reply = stage.get(&format!("/graphql?query={}", document.replace('{', "%7B").replace('}', "%7D"))).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{document}");
        assert_eq!(reply.headers[header::ALLOW], "POST");
        assert_eq!(reply.code(), "graphql.mutation_over_get");
    }
}

#[tokio::test]
async fn queries_come_by_get_unless_turned_off() {
    let reply = Stage::new().get("/graphql?query=%7B__typename%7D").await;
    assert_eq!((reply.status, reply.data("/__typename")), (StatusCode::OK, json!("Query")));
    let graphql = GraphqlSettings { get: false, ..GraphqlSettings::default() };
    let reply =
        Stage::with(HttpSettings { graphql, ..HttpSettings::default() }).get("/graphql?query=%7B__typename%7D").await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.headers[header::ALLOW], "POST");
}

#[tokio::test]
async fn other_methods_are_405_and_say_what_is_allowed() {
    let stage = Stage::new();
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
        let request = Request::builder().method(&method).uri("/graphql").body(Body::empty()).unwrap();
        let reply = stage.send(request).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(reply.headers[header::ALLOW], "GET, POST");
    }
    let reply = stage.send(Request::post("/livez").body(Body::empty()).unwrap()).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "http.method_not_allowed"));
    assert!(reply.headers[header::ALLOW].to_str().unwrap().contains("GET"));
}

#[tokio::test]
async fn security_66_only_json_is_taken_by_post() {
    let stage = Stage::new();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ] {
        let request =
            Request::post("/graphql").header(header::CONTENT_TYPE, content_type).body(TYPENAME.into()).unwrap();
        let reply = stage.send(request).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "http.unsupported_media"),
            "{content_type}"
        );
    }
    let reply = stage.send(Request::post("/graphql").body(TYPENAME.into()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn the_answer_has_the_accepted_type_or_there_is_none() {
    let stage = Stage::new();
    let ask = |accept: &'static str| {
        let mut request = json_request(None, TYPENAME);
        request.headers_mut().insert(header::ACCEPT, accept.parse().unwrap());
        stage.send(request)
    };
    for (accept, expected) in [
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
    ] {
        let reply = ask(accept).await;
        assert_eq!((reply.status, reply.headers[header::CONTENT_TYPE].to_str().unwrap()), (StatusCode::OK, expected));
    }
    let reply = ask("text/html").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_ACCEPTABLE, "http.not_acceptable"));
}

#[tokio::test]
async fn a_refused_document_is_400_and_has_no_data() {
    let stage = Stage::new();
    for (document, variables, code) in [
        ("{", json!({}), "graphql.syntax"),
        ("{ nothing }", json!({}), "graphql.invalid"),
        ("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": null }), "graphql.invalid"),
        ("query ($id: ID!) { node(id: $id) { id } }", json!({}), "graphql.invalid"),
        ("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": { "a": 1 } }), "graphql.invalid"),
    ] {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let reply = stage.post(body.clone()).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, code), "{document}");
        assert_eq!(reply.json().get("data"), None);
        // Who asks for the older type by name gets its convention.
        let mut request = json_request(None, body);
        request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
        let reply = stage.send(request).await;
        assert_eq!((reply.status, reply.json().get("data")), (StatusCode::OK, None), "{document}");
    }
}

#[tokio::test]
async fn security_65_a_body_beyond_the_limit_is_413() {
    let stage = Stage::new();
    let reply = stage.post("x".repeat(256 * 1024 + 1)).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "http.too_large"));
    // A gigabyte without a length: it is cut off as soon as it is too much.
    let chunk = bytes::Bytes::from(vec![b'x'; 64 * 1024]);
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&sent);
    let body = Body::from_stream(stream::iter((0..16_384).map(move |_| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok::<_, std::io::Error>(chunk.clone())
    })));
    let reply = stage.post(body).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(sent.load(std::sync::atomic::Ordering::SeqCst) < 10, "nothing more is read");
}

#[tokio::test]
async fn a_body_that_never_comes_is_408() {
    let settings = HttpSettings { body_timeout: std::time::Duration::from_millis(50), ..HttpSettings::default() };
    let body = Body::from_stream(stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let reply = Stage::with(settings).post(body).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::REQUEST_TIMEOUT, "http.too_slow"));
}

#[tokio::test]
async fn an_invalid_token_is_401_and_never_a_stranger() {
    let stage = Stage::new();
    for header_value in ["Bearer nonsense", "Bearer ", "Basic bW9uYTpzZWNyZXQ=", "nonsense"] {
        let mut request = json_request(None, TYPENAME);
        request.headers_mut().insert(header::AUTHORIZATION, header_value.parse().unwrap());
        let reply = stage.send(request).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (StatusCode::UNAUTHORIZED, "auth.token_invalid"),
            "{header_value}"
        );
        assert!(reply.headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Bearer"));
    }
}

#[tokio::test]
async fn every_answer_carries_its_request_id_and_safe_headers() {
    let stage = Stage::new();
    for path in ["/graphql?query=%7B__typename%7D", "/livez", "/metrics", "/nowhere", "/admin"] {
        let request = Request::get(path).header("x-request-id", "test-42").body(Body::empty()).unwrap();
        let reply = stage.send(request).await;
        assert_eq!(reply.headers["x-request-id"], "test-42", "{path}");
        assert_eq!(reply.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(reply.headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
    }
    let request = Request::get("/livez").header("x-request-id", "<script>").body(Body::empty()).unwrap();
    let drawn = stage.send(request).await.headers["x-request-id"].to_str().unwrap().to_owned();
    assert!(drawn.len() == 16 && drawn.bytes().all(|b| b.is_ascii_hexdigit()), "{drawn}");
}

#[tokio::test]
async fn what_is_nowhere_is_a_404_problem() {
    let stage = Stage::new();
    for path in ["/nowhere", "/admin", "/"] {
        let reply = stage.get(path).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "http.not_found"), "{path}");
        assert_eq!(reply.headers[header::CONTENT_TYPE], "application/problem+json");
        let body = reply.json();
        assert_eq!(
            (body["type"].as_str(), body["status"].as_u64()),
            (Some("urn:daira:problem:http.not_found"), Some(404))
        );
        let id = reply.headers["x-request-id"].to_str().unwrap();
        assert_eq!(body["instance"], format!("urn:daira:request:{id}"));
    }
}

#[tokio::test]
async fn security_68_graphiql_is_served_in_development_only() {
    let page = || Request::get("/graphql").header(header::ACCEPT, "text/html,*/*;q=0.8").body(Body::empty()).unwrap();
    let production = Stage::new();
    assert_eq!(production.send(page()).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(production.get("/graphql/assets/graphiql.min.js").await.status, StatusCode::NOT_FOUND);
    let development = Stage::with(HttpSettings::development());
    let reply = development.send(page()).await;
    assert_eq!(
        (reply.status, reply.headers[header::CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::OK, "text/html; charset=utf-8")
    );
    let policy = reply.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(!reply.text.contains("http://") && !reply.text.contains("https://"), "nothing comes from elsewhere");
    for file in reply.text.split('"').filter(|part| part.starts_with("/graphql/assets/")) {
        assert_eq!(development.get(file).await.status, StatusCode::OK, "{file}");
    }
    assert_eq!(development.get("/graphql/assets/..%2Findex.html").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pages_of_other_origins_may_call_only_when_allowed() {
    let preflight = || {
        Request::builder()
            .method(Method::OPTIONS)
            .uri("/graphql")
            .header(header::ORIGIN, "https://friend.example")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,content-type")
            .body(Body::empty())
            .unwrap()
    };
    let reply = Stage::new().send(preflight()).await;
    assert_eq!(reply.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
    let origins = vec!["https://friend.example".to_owned()];
    let reply = Stage::with(HttpSettings { origins, ..HttpSettings::default() }).send(preflight()).await;
    assert_eq!(reply.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://friend.example");
    assert_eq!(reply.headers.get(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), None);
}

#[tokio::test]
async fn long_answers_shrink_but_never_those_of_mutations() {
    let stage = Stage::with(HttpSettings::development());
    let ask = |document: &str| {
        let mut request = json_request(None, json!({ "query": document }).to_string());
        request.headers_mut().insert(header::ACCEPT_ENCODING, "gzip".parse().unwrap());
        stage.router.clone().oneshot_response(request)
    };
    let introspection = "{ __schema { types { name description } } }";
    assert_eq!(ask(introspection).await.headers().get(header::CONTENT_ENCODING).unwrap(), "gzip");
    let input = format!("{{ registrationId: \"x\", code: \"1\", clientMutationId: \"{}\" }}", "a".repeat(200));
    let many = (0..8).map(|n| {
        format!(
            "m{n}: logOut(input: {{ clientMutationId: \"{}\" }}) {{ clientMutationId userErrors {{ message }} }}",
            "b".repeat(200)
        )
    });
    let mutation =
        format!("mutation {{ verifyEmail(input: {input}) {{ clientMutationId }} {} }}", many.collect::<String>());
    assert_eq!(ask(&mutation).await.headers().get(header::CONTENT_ENCODING), None);
}

/// A response with its body still encoded.
trait OneshotResponse {
    async fn oneshot_response(self, request: Request<Body>) -> axum::response::Response;
}

impl OneshotResponse for axum::Router {
    async fn oneshot_response(self, request: Request<Body>) -> axum::response::Response {
        tower::ServiceExt::oneshot(self, request).await.unwrap()
    }
}
