//! A broad life of somebody over the programs as they are shipped, at the most talkative level of their logs, and of
//! PostgreSQL's: afterwards no line anywhere holds anything of that person, and nothing they sent made a line of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use super::platform::Platform;
use crate::client::send;
use crate::programs::{grpcurl, run};
use crate::streaming::socket::Socket;

const PASSWORD: &str = "kahraba nour shams";
const WRONG: &str = "3omry mahansa elkelma";
const ADDRESS: &str = "203.0.113.77";
/// What would be a line of the log if anything let it.
const FORGED: &str =
    "x\r\n{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"ERROR\",\"message\":\"forged by a person\"}\r\n";

/// Somebody as a browser behind a proxy.
struct Browser<'a> {
    platform: &'a Platform,
    token: Option<String>,
}

impl Browser<'_> {
    fn send(&self, what: &str, kind: &str, body: &[u8]) -> Value {
        let bearer = format!("Bearer {}", self.token.as_deref().unwrap_or_default());
        let mut headers =
            vec![("content-type", kind), ("x-forwarded-for", ADDRESS), ("user-agent", "Nokia {\"level\":\"ERROR\"}")];
        if self.token.is_some() {
            headers.push(("authorization", &bearer));
        }
        let answer = send(self.platform.http(), what, &headers, body);
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    }

    fn ask(&self, document: &str, variables: &Value) -> Value {
        let body = json!({ "query": document, "variables": variables }).to_string();
        self.send("POST /graphql", "application/json", body.as_bytes())
    }

    fn change(&self, name: &str, input_type: &str, input: &Value, selection: &str) -> Value {
        let document = format!(
            "mutation ($input: {input_type}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code }} }} }}"
        );
        self.ask(&document, &json!({ "input": input }))["data"][name].clone()
    }
}

/// Lives; answers what no log may hold, each by what it is.
async fn live(platform: &Platform) -> BTreeMap<&'static str, String> {
    let client = platform.client();
    let friend = platform.join(&client, "karim.friend").await;
    let mona = platform.join(&client, "mona.private").await;
    let end = |token: &str| token[token.len() - 24..].to_owned();
    let mut browser = Browser { platform, token: None };
    let entering = |password: &str, device: &str| json!({ "email": "mona.private@example.com", "password": password, "device": device });
    browser.change("logIn", "LogIn", &entering(WRONG, "Nokia"), "tokens { accessToken }");
    browser.change("logIn", "LogIn", &entering(PASSWORD, FORGED), "tokens { accessToken }");
    let entered =
        browser.change("logIn", "LogIn", &entering(PASSWORD, "Galaxy of Mona"), "tokens { accessToken refreshToken }");
    let token = |name: &str| entered["tokens"][name].as_str().unwrap_or_else(|| panic!("{entered}")).to_owned();
    let (access, refresh) = (token("accessToken"), token("refreshToken"));
    let renewed = browser.change(
        "refreshSession",
        "RefreshSession",
        &json!({ "refreshToken": refresh }),
        "tokens { accessToken refreshToken }",
    );
    let (next, spare) = (
        renewed["tokens"]["accessToken"].as_str().unwrap().to_owned(),
        renewed["tokens"]["refreshToken"].as_str().unwrap().to_owned(),
    );
    let registering = json!({ "email": "other.private@example.com", "password": PASSWORD, "handle": FORGED, "name": FORGED, "birthDate": "1999-03-21" });
    browser.change("register", "Register", &registering, "registrationId");
    browser.change(
        "requestPasswordReset",
        "RequestPasswordReset",
        &json!({ "email": "mona.private@example.com" }),
        "sent",
    );
    browser.change(
        "requestLogInCode",
        "RequestLogInCode",
        &json!({ "email": "mona.private@example.com" }),
        "challengeId",
    );
    browser.token = Some(next.clone());
    let bio = json!({ "name": "منى السرّية", "bio": "كلام عني محدش يعرفه" });
    browser.change("updateProfile", "UpdateProfile", &bio, "profile { name }");
    let post = browser.change(
        "createPost",
        "CreatePost",
        &json!({ "text": "بوست مكتوب فيه سر", "visibility": "FOLLOWERS" }),
        "post { id }",
    );
    let post = post["post"]["id"].clone();
    browser.change("editPost", "EditPost", &json!({ "postId": post, "text": "بوست متعدّل فيه سر" }), "post { id }");
    browser.change("comment", "Comment", &json!({ "postId": post, "text": "تعليق فيه سر" }), "comment { id }");
    browser.change("react", "React", &json!({ "subjectId": post, "kind": "LOVE" }), "changed");
    browser.change("createPost", "CreatePost", &json!({ "text": FORGED.repeat(400) }), "post { id }");
    browser.change("follow", "ProfileAction", &json!({ "profileId": friend.id }), "outcome");
    browser.change("createCircle", "CreateCircle", &json!({ "name": "شلة سرية جداً" }), "circle { id }");
    browser.change("changePhone", "ChangePhone", &json!({ "phone": "01001234567" }), "challengeId");
    browser.change(
        "setConsent",
        "SetConsent",
        &json!({ "purpose": "ANALYTICS", "version": 1, "given": true }),
        "consents { given }",
    );
    browser.change("requestExport", "RequestExport", &json!({}), "exportId");
    browser.ask("{ me { account { email phone birthDate } } homeFeed { edges { node { text } } } }", &Value::Null);
    browser.ask("query ($q: String!) { search(query: $q) { edges { cursor } } }", &json!({ "q": "بدوّر على حد سر" }));
    say_nonsense(platform, &browser, &next);
    call(platform, &next).await;
    let mut socket = Socket::with(platform.http(), &next).await;
    socket.subscribe("a", "subscription { notificationAdded { kind } }").await;
    client
        .insist(Some(&friend.token), "follow", "ProfileActionInput", &json!({ "profileId": mona.id }), "outcome")
        .await;
    socket.hear().await;
    socket.subscribe("b", &format!("subscription {{ x(text: \"{FORGED}\") }}").replace(['\r', '\n'], "\\n")).await;
    browser.change(
        "changePassword",
        "ChangePassword",
        &json!({ "currentPassword": PASSWORD, "password": "shams nour kahraba gdida" }),
        "endedSessions",
    );
    // A spent token, and one that was ended.
    browser.token = None;
    browser.change("refreshSession", "RefreshSession", &json!({ "refreshToken": refresh }), "tokens { accessToken }");
    BTreeMap::from([
        ("mail", "mona.private@example".to_owned()),
        ("another mail", "other.private@example".to_owned()),
        ("phone", "1001234567".to_owned()),
        ("password", PASSWORD.to_owned()),
        ("wrong password", WRONG.to_owned()),
        ("new password", "shams nour kahraba gdida".to_owned()),
        ("first token", end(&mona.token)),
        ("access token", end(&access)),
        ("renewed token", end(&next)),
        ("refresh token", end(&refresh)),
        ("living refresh token", end(&spare)),
        ("texts and names", "سر".to_owned()),
        ("bio", "محدش يعرفه".to_owned()),
        ("device", "Galaxy of Mona".to_owned()),
        ("birth date", "1999-03-21".to_owned()),
        ("address", ADDRESS.to_owned()),
        ("hash", "$argon2".to_owned()),
    ])
}

/// What is no request, or hardly any, with what people type in it.
fn say_nonsense(platform: &Platform, browser: &Browser<'_>, next: &str) {
    // Documents that are none, with what people type in them.
    browser
        .ask(&format!("{{ logIn(password: \"{PASSWORD}\", x: {FORGED}"), &json!({ "q": "mona.private@example.com" }));
    browser.send(
        "POST /graphql",
        "application/json",
        format!("{{\"query\": \"mona.private@example.com {PASSWORD}").as_bytes(),
    );
    browser.send(
        &format!("GET /%0d%0a%7B%22level%22:%22ERROR%22%7D?access_token={next}&email=mona.private@example.com"),
        "text/plain",
        b"",
    );
    browser.send("POST /upload?alt=mona.private@example.com", "image/png", "صورة مش صورة".as_bytes());
    let form = format!("grant_type=password&username=mona.private@example.com&password={PASSWORD}&client_id={FORGED}");
    browser.send("POST /oauth/token", "application/x-www-form-urlencoded", form.as_bytes());
    raw(platform, &format!("GET /livez HTTP/1.1\r\nhost: x\r\nuser-agent: Nokia\n{FORGED}\r\n\r\n"));
    raw(
        platform,
        &format!(
            "GET /livez HTTP/1.1\r\nhost: x\r\nx-request-id: {FORGED}\r\nauthorization: Bearer {next}\r\nconnection: close\r\n\r\n"
        ),
    );
    raw(platform, &format!("mona.private@example.com {PASSWORD}\r\n\r\n"));
}

/// Calls over gRPC.
async fn call(platform: &Platform, next: &str) {
    let bearer = format!("authorization: Bearer {next}");
    let called = ["-plaintext", "-H", &bearer, "-H", "x-forwarded-for: 203.0.113.77", "-d"];
    for (what, service) in [
        (json!({ "text": "بوست تاني فيه سر" }), "daira.post.v1.PostService/CreatePost"),
        (json!({ "email": "mona.private@example.com", "password": WRONG }), "daira.account.v1.AccountService/LogIn"),
    ] {
        let what = what.to_string();
        let arguments = [&called[..], &[&what, platform.grpc(), service]].concat();
        run(&grpcurl(), &arguments).await;
    }
}

/// Says something that is no HTTP, or hardly any.
fn raw(platform: &Platform, request: &str) {
    let mut stream = TcpStream::connect(platform.http()).unwrap();
    stream.set_read_timeout(Some(super::platform::PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    // A connection that is broken off is an answer as well.
    let _ = stream.read_to_end(&mut answer);
}

/// The codes that went out, which stand in mails and messages alone.
fn codes(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    let codes = texts.flat_map(|text| {
        let words: Vec<String> = text.split(|c: char| !c.is_ascii_digit()).map(str::to_owned).collect();
        words.into_iter().filter(|word| word.len() == 6)
    });
    codes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn security_31_security_128_no_log_holds_anything_of_a_person_and_nobody_forges_a_line() {
    let settings = [
        ("DAIRA_LOG__FILTER", "trace"),
        ("DAIRA_LOG__FORMAT", "json"),
        ("DAIRA_HTTP__TRUSTED_PROXIES", "[\"127.0.0.0/8\"]"),
    ];
    let mut platform = Platform::start(&settings).await;
    let secrets = live(&platform).await;
    let mailed = codes(&platform.data().join("mail"));
    assert!(mailed.len() >= 3, "codes went out: {mailed:?}");
    platform.stop().await;

    let logs = platform.logs();
    let ours: Vec<&String> = logs.iter().filter(|(name, _)| name.starts_with("daira-")).map(|(_, text)| text).collect();
    assert_eq!(ours.len(), 2, "server and worker");
    let mut lines = 0;
    for line in ours.iter().flat_map(|text| text.lines()) {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(parsed["timestamp"].is_string() && parsed["level"].is_string(), "{line}");
        assert_ne!(parsed["message"], "forged by a person", "{line}");
        lines += 1;
    }
    assert!(lines > 1_000, "it was talkative: {lines} lines");
    assert!(ours.iter().any(|text| text.contains("log-in refused")), "what happened is told");
    let mut found = Vec::new();
    for (log, text) in &logs {
        for (what, secret) in &secrets {
            if let Some(line) = text.lines().find(|line| line.contains(secret.as_str())) {
                found.push(format!("{what} in {log}: {}", line.chars().take(600).collect::<String>()));
            }
        }
        for code in &mailed {
            // In quotes or between spaces: numbers of other things may look like one.
            let told = [format!("\"{code}\""), format!(" {code} "), format!("\\\"{code}\\\"")];
            if let Some(line) = text.lines().find(|line| told.iter().any(|told| line.contains(told.as_str()))) {
                found.push(format!("a code in {log}: {}", line.chars().take(600).collect::<String>()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
