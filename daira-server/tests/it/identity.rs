//! Who somebody is, at the doors: forged tokens, what refusals tell, and what gets into the logs.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use daira_core::Ports;
use daira_core::credential::{JwtSigner, generate_signing_key};
use daira_core::memory::{MemoryMail, RandomIds, WallClock};
use daira_core::proto::account::v1::account_service_server::AccountService;
use daira_core::proto::account::v1::{ListSessionsRequest, LogInRequest, RegisterRequest};
use daira_server::grpc::Grpc;
use daira_server::http::HttpSettings;
use daira_server::state::Services;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::harness::{Person, Reply, Stage, json_request};

const PASSWORD: &str = "kahraba nour shams";

fn grpc(stage: &Stage) -> Grpc {
    Grpc::new(stage.ports.clone(), Services::clone(&stage.state.services))
}

/// Signs what it is told to with the server's own key.
struct Forger {
    key: EncodingKey,
    public: String,
    head: Value,
    body: Value,
}

/// A server with signed tokens, somebody on it, and what is needed to forge her tokens.
async fn forgery() -> (Stage, Person, Forger) {
    let pem = generate_signing_key(&RandomIds);
    let signer = JwtSigner::new("https://daira.test", "daira", &pem).unwrap();
    let public = signer.public_key();
    let mail = Arc::new(MemoryMail::default());
    let ports = Ports { signer: Arc::new(signer), mail: mail.clone(), ..Ports::in_memory_at(Arc::new(WallClock), 7) };
    let stage = Stage::on(HttpSettings::default(), ports, mail);
    let mona = stage.join("mona").await;
    let parts: Vec<Value> = mona
        .token
        .split('.')
        .take(2)
        .map(|part| serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap())
        .collect();
    let [head, body] = parts.try_into().unwrap();
    let key = EncodingKey::from_ed_pem(pem.expose().as_bytes()).unwrap();
    (stage, mona, Forger { key, public, head, body })
}

fn encoded(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

impl Forger {
    fn texts(&self, head: &str, body: &str) -> String {
        Self::signed(head, body, &self.key, Algorithm::EdDSA)
    }

    fn signed(head: &str, body: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
        let message = format!("{}.{}", encoded(head), encoded(body));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// A token with one member of its head otherwise.
    fn head(&self, member: &str, value: Value) -> String {
        let mut head = self.head.clone();
        head[member] = value;
        self.texts(&head.to_string(), &self.body.to_string())
    }

    /// A token with one member of its body otherwise.
    fn body(&self, member: &str, value: Value) -> String {
        let mut body = self.body.clone();
        body[member] = value;
        self.texts(&self.head.to_string(), &body.to_string())
    }

    /// A token without one member of its body.
    fn without(&self, member: &str) -> String {
        let mut body = self.body.clone();
        body.as_object_mut().unwrap().remove(member).expect("a member");
        self.texts(&self.head.to_string(), &body.to_string())
    }
}

/// Both doors refuse each of these as somebody who has to log in, and repeat nothing of it.
async fn refused(stage: &Stage, tokens: impl IntoIterator<Item = String>) {
    let grpc = grpc(stage);
    for token in tokens {
        let shown: String = token.chars().take(200).collect();
        let reply = stage.send(json_request(Some(&token), r#"{"query":"{ me { profile { id } } }"}"#)).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.token_invalid"), "{shown}");
        assert!(token.len() < 20 || !reply.text.contains(&token[..20]), "{shown}");
        let mut request = tonic::Request::new(ListSessionsRequest {});
        let bearer = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        request.metadata_mut().insert("authorization", bearer);
        let status = grpc.list_sessions(request).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{shown}");
    }
}

#[tokio::test]
async fn security_17_a_token_of_another_algorithm_is_refused() {
    let (stage, mona, forger) = forgery().await;
    let good = forger.head("typ", json!("at+jwt"));
    let reply = stage.send(json_request(Some(&good), r#"{"query":"{ me { profile { id } } }"}"#)).await;
    assert_eq!(reply.data("/me/profile/id"), mona.id, "the forger's baseline is believed");

    let unsigned = ["none", "None", "NONE", "nOnE", "", "EdDSA", "HS256"].map(|alg| {
        let mut head = forger.head.clone();
        head["alg"] = json!(alg);
        format!("{}.{}.", encoded(&head.to_string()), encoded(&forger.body.to_string()))
    });
    refused(&stage, unsigned).await;
    let other =
        ["HS256", "HS512", "RS256", "ES256", "PS256", "eddsa", "Ed25519"].map(|alg| forger.head("alg", json!(alg)));
    refused(&stage, other).await;
}

#[tokio::test]
async fn security_18_a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let (stage, _, forger) = forgery().await;
    let mut head = forger.head.clone();
    head["alg"] = json!("HS256");
    let raw = forger.public.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let forged = [forger.public.as_str(), forger.public.trim_end(), &raw].map(|secret| {
        let secret = EncodingKey::from_secret(secret.as_bytes());
        Forger::signed(&head.to_string(), &forger.body.to_string(), &secret, Algorithm::HS256)
    });
    refused(&stage, forged).await;
}

#[tokio::test]
async fn security_19_a_key_that_a_token_brings_along_is_not_used() {
    let (stage, _, forger) = forgery().await;
    let stranger = generate_signing_key(&RandomIds);
    let x = {
        let signer = JwtSigner::new("https://daira.test", "daira", &stranger).unwrap();
        let der = data_encoding::BASE64.decode(signer.public_key().lines().nth(1).unwrap().as_bytes()).unwrap();
        BASE64URL_NOPAD.encode(&der[der.len() - 32..])
    };
    let key = EncodingKey::from_ed_pem(stranger.expose().as_bytes()).unwrap();
    let forged = [
        ("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": forger.head["kid"] })),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
    ]
    .map(|(member, value)| {
        let mut head = forger.head.clone();
        head[member] = value;
        Forger::signed(&head.to_string(), &forger.body.to_string(), &key, Algorithm::EdDSA)
    });
    refused(&stage, forged).await;
}

#[tokio::test]
async fn security_20_the_name_of_a_key_leads_nowhere_else() {
    let (stage, _, forger) = forgery().await;
    let long = "k".repeat(10_000);
    let kids =
        ["", "../../../../../../dev/null", "/etc/passwd", "' OR '1'='1", "x' UNION SELECT 'AAAA", "\u{0}", &long];
    let mut forged = kids.map(|kid| forger.head("kid", json!(kid))).to_vec();
    forged.extend([json!(null), json!(0), json!(["a"])].map(|kid| forger.head("kid", kid)));
    refused(&stage, forged).await;
}

#[tokio::test]
async fn security_21_a_token_of_another_time_place_or_purpose_is_refused() {
    let (stage, _, forger) = forgery().await;
    let now = forger.body["iat"].as_i64().unwrap();
    refused(&stage, ["exp", "iss", "aud", "sub", "sid", "gen", "iat"].map(|member| forger.without(member))).await;
    let forged = [
        ("exp", json!(now - 61)),
        ("exp", json!("never")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("nbf", json!(now + 3_600)),
        ("iss", json!("https://evil.example")),
        ("aud", json!("another")),
        ("aud", json!(["daira", "another"])),
        ("sub", json!("pro_0000000000001")),
        ("sid", json!("ses_0000000000001")),
    ]
    .map(|(member, value)| forger.body(member, value));
    refused(&stage, forged).await;
}

#[tokio::test]
async fn security_22_a_refresh_token_opens_no_door() {
    let (stage, mona, forger) = forgery().await;
    refused(&stage, [mona.refresh.clone(), forger.head("typ", json!("JWT")), forger.head("typ", json!("rt+jwt"))])
        .await;
    let swapped =
        stage.tried(None, "refreshSession", json!({ "refreshToken": mona.token }), "tokens { accessToken }").await;
    assert_eq!((&swapped["tokens"], &swapped["userErrors"][0]["code"]), (&Value::Null, &json!("auth.token_invalid")));
}

#[tokio::test]
async fn security_24_signatures_and_forms_that_are_none_are_refused() {
    let (stage, _, forger) = forgery().await;
    let (head, body) = (forger.head.to_string(), forger.body.to_string());
    let message = format!("{}.{}", encoded(&head), encoded(&body));
    let good = forger.texts(&head, &body);
    // All zeros is what a verifier that computes without looking takes for anybody's signature.
    let zeros = BASE64URL_NOPAD.encode(&[0; 64]);
    let mut forged: Vec<String> = [zeros.as_str(), "", "A", "====", "!!!!", &"A".repeat(85)]
        .iter()
        .map(|end| format!("{message}.{end}"))
        .collect();
    forged.extend([
        format!("{good}="),
        format!("{good}.{good}"),
        good.replace('.', ""),
        good.replace('.', ".."),
        ".".to_owned(),
        "..".to_owned(),
        "A".repeat(1 << 20),
        format!("{message}.{}", "A".repeat(1 << 20)),
    ]);
    for (member, text) in [("alg", &head), ("kid", &head)] {
        let twice = format!("{{\"{member}\":{},{}", forger.head[member], &text[1..]);
        forged.push(forger.texts(&twice, &body));
    }
    for member in ["sub", "sid", "exp", "aud"] {
        let twice = format!("{{\"{member}\":{},{}", forger.body[member], &body[1..]);
        forged.push(forger.texts(&head, &twice));
    }
    forged.extend(["null", "[]", "{}", "{", "\u{FEFF}{}"].map(|text| forger.texts(text, &body)));
    forged.extend(["null", "[]", "{}", "{"].map(|text| forger.texts(&head, text)));
    refused(&stage, forged).await;
}

#[tokio::test]
async fn a_header_that_is_no_one_bearer_token_is_refused() {
    let (stage, mona, _) = forgery().await;
    for value in ["", "Bearer", "Bearer ", "Basic bW9uYTp4", "Bearer a b", "Token abc"] {
        let mut request = json_request(None, r#"{"query":"{ __typename }"}"#);
        request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        assert_eq!(stage.send(request).await.status, StatusCode::UNAUTHORIZED, "{value}");
    }
    let mut twice = json_request(Some(&mona.token), r#"{"query":"{ __typename }"}"#);
    twice.headers_mut().append(header::AUTHORIZATION, format!("Bearer {}", mona.token).parse().unwrap());
    assert_eq!(stage.send(twice).await.status, StatusCode::UNAUTHORIZED);
}

/// All that a client sees of an answer, when both were asked under the same request id.
fn face(reply: &Reply) -> (StatusCode, String, String) {
    (reply.status, format!("{:?}", reply.headers), reply.text.clone())
}

async fn named(stage: &Stage, document: &str, input: Value) -> Reply {
    let body = json!({ "query": document, "variables": { "input": input } }).to_string();
    let mut request = json_request(None, body);
    request.headers_mut().insert("x-request-id", "same".parse().unwrap());
    stage.send(request).await
}

fn told(status: &Status) -> (Code, String, Vec<u8>) {
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

#[tokio::test]
async fn security_05_an_unknown_address_is_answered_to_the_byte_like_a_wrong_password() {
    let stage = Stage::new();
    stage.join("mona").await;
    let document = "mutation ($input: LogInInput!) { logIn(input: $input) { tokens { accessToken } profile { id } userErrors { code field message } } }";
    let wrong = json!({ "email": "mona@example.com", "password": "shai bel na3na3" });
    let expected = face(&named(&stage, document, wrong).await);
    assert!(expected.2.contains("auth.invalid_credentials"), "{}", expected.2);
    for email in ["nobody@example.com", "no address", "", "MONA@example.org"] {
        for password in [PASSWORD, "", &"x".repeat(2_000)] {
            let reply = named(&stage, document, json!({ "email": email, "password": password })).await;
            assert_eq!(face(&reply), expected, "{email}");
        }
    }
    let grpc = grpc(&stage);
    let log_in = |email: &str| {
        let request =
            LogInRequest { email: email.to_owned(), password: "wrong wrong".to_owned(), ..Default::default() };
        grpc.log_in(tonic::Request::new(request))
    };
    let (known, unknown) = (log_in("mona@example.com").await.unwrap_err(), log_in("x@example.com").await.unwrap_err());
    assert_eq!(told(&known), told(&unknown));
}

#[tokio::test]
async fn security_07_registering_with_a_taken_address_is_answered_like_a_free_one() {
    let stage = Stage::new();
    stage.join("mona").await;
    let document = "mutation ($input: RegisterInput!) { register(input: $input) { registrationId userErrors { code field message } } }";
    let mut faces = Vec::new();
    for (handle, email) in [("layla", "mona@example.com"), ("hany", "hany@example.com")] {
        let input = json!({
            "email": email, "password": PASSWORD, "handle": handle, "name": "اسم", "birthDate": "1999-03-21",
        });
        let reply = named(&stage, document, input).await;
        let id = reply.data("/register/registrationId").as_str().unwrap().to_owned();
        let (status, headers, body) = face(&reply);
        faces.push((status, headers, body.replace(&id, "…"), id.len()));
    }
    assert_eq!(faces[0], faces[1]);
    let grpc = grpc(&stage);
    for (handle, email) in [("layla.2", "mona@example.com"), ("hany.2", "hany@example.com")] {
        let request = RegisterRequest {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            handle: handle.to_owned(),
            name: "اسم".to_owned(),
            birth_date: "1999-03-21".to_owned(),
            ..Default::default()
        };
        let answer = grpc.register(tonic::Request::new(request)).await.unwrap();
        assert!(answer.metadata().is_empty() && answer.get_ref().registration_id.len() == faces[0].3, "{email}");
    }
}

/// Takes down what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn security_31_no_log_and_no_error_holds_a_secret() {
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || written.clone())
        .finish();
    let _here = tracing::subscriber::set_default(subscriber);

    let (stage, mona, forger) = forgery().await;
    let code = stage.code_for("mona@example.com");
    let mut answers = Vec::new();
    // Refused, accepted, spent twice, broken: whatever may make somebody write a line about it.
    let log_in = |password: &str| json!({ "email": "mona@example.com", "password": password, "device": "Phone" });
    stage.tried(None, "logIn", log_in("3omry mahansa"), "tokens { accessToken }").await;
    let phone = stage.done(None, "logIn", log_in(PASSWORD), "tokens { accessToken refreshToken }").await;
    let renewed =
        stage.done(None, "refreshSession", json!({ "refreshToken": mona.refresh }), "tokens { refreshToken }").await;
    let next = renewed["tokens"]["refreshToken"].clone();
    stage.done(None, "refreshSession", json!({ "refreshToken": next }), "tokens { refreshToken }").await;
    let secret = stage.guard(&mona).await;
    let held = stage.done(None, "logIn", log_in(PASSWORD), "secondFactor { challenge }").await;
    let challenge = held["secondFactor"]["challenge"].as_str().unwrap();
    for code in ["3azzouz-3azz-ouz3-azzo", challenge] {
        let input = json!({ "challenge": challenge, "code": code });
        stage.tried(None, "verifySecondFactor", input, "tokens { accessToken }").await;
    }
    stage.tried(None, "refreshSession", json!({ "refreshToken": mona.refresh }), "tokens { refreshToken }").await;
    let forged = forger.head("alg", json!("none"));
    answers.push(stage.send(json_request(Some(&forged), r#"{"query":"{ me { profile { id } } }"}"#)).await);
    answers.push(stage.ask(&format!("mutation {{ logIn(input: {{ password: \"{PASSWORD}\" }}) {{ x }} }}")).await);
    answers.push(stage.ask(&format!("{{ logIn(code: {code}, token: \"{}\" ", mona.token)).await);
    answers.push(stage.post(json!({ "query": PASSWORD, "variables": mona.refresh }).to_string()).await);
    let in_the_address =
        format!("/graphql?query=%7B%20me%20%7B%20profile%20%7B%20id%20%7D%20%7D%20%7D&access_token={}", mona.token);
    let by_address = stage.send(Request::get(in_the_address).body(Body::empty()).unwrap()).await;
    assert_eq!(by_address.data("/me"), Value::Null, "a token in an address is no token");
    answers.push(by_address);
    let grpc = grpc(&stage);
    let wrong = LogInRequest {
        email: "mona@example.com".to_owned(),
        password: "3omry mahansa".to_owned(),
        ..Default::default()
    };
    let status = grpc.log_in(tonic::Request::new(wrong)).await.unwrap_err();

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("log-in refused") && logged.contains("spent refresh token"), "the log was taken down");
    let told: Vec<String> = answers.iter().map(|reply| format!("{:?} {}", reply.headers, reply.text)).collect();
    let everything = [logged, told.join("\n"), format!("{status:?}")].join("\n");
    let tokens = [mona.token.as_str(), &mona.refresh, &forged]
        .into_iter()
        .chain(["accessToken", "refreshToken"].map(|name| phone["tokens"][name].as_str().unwrap()))
        .chain([next.as_str().unwrap(), challenge]);
    // The last part of a token is what makes it one; its first letters all tokens have in common.
    let ends = tokens.map(|token| token[token.len() - 24..].to_owned());
    let app = data_encoding::BASE32_NOPAD.encode(&secret);
    let typed = [PASSWORD, "3omry mahansa", "mona@example.com", "3azzouz-3azz-ouz3-azzo", &app];
    let secrets = ends.chain(typed.map(str::to_owned));
    for secret in secrets {
        assert!(!everything.contains(&secret), "{secret} was written down");
    }
    let a_word = everything.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == code);
    assert!(!a_word, "the code was written down");
}

/// Another service checks our tokens with a library of its own and the keys that we publish.
#[tokio::test]
async fn tokens_can_be_checked_with_the_published_keys() {
    let [old, new] = [generate_signing_key(&RandomIds), generate_signing_key(&RandomIds)];
    let signer = JwtSigner::new("https://daira.test", "daira", &old).unwrap().also_accepting(&new).unwrap();
    let mail = Arc::new(MemoryMail::default());
    let ports = Ports { signer: Arc::new(signer), mail: mail.clone(), ..Ports::in_memory_at(Arc::new(WallClock), 7) };
    let stage = Stage::on(HttpSettings::default(), ports, mail);
    let mona = stage.join("mona").await;
    let reply = stage.get("/.well-known/jwks.json").await;
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/jwk-set+json");
    assert_eq!(reply.headers[header::CACHE_CONTROL], "public, max-age=300");
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&reply.text).unwrap();
    assert_eq!(keys.keys.len(), 2, "the key that is to sign next is there before it signs");
    let kid = jsonwebtoken::decode_header(&mona.token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut wanted = jsonwebtoken::Validation::new(Algorithm::EdDSA);
    wanted.set_audience(&["daira"]);
    wanted.set_issuer(&["https://daira.test"]);
    let claims = jsonwebtoken::decode::<Value>(&mona.token, &key, &wanted).unwrap().claims;
    assert_eq!(claims["sub"], mona.id.as_str());
    assert!(!reply.text.contains("\"d\""), "nothing private is published");
    // Where only the server can check its tokens, there is nothing to publish.
    let sealed = Stage::new().get("/.well-known/jwks.json").await;
    assert_eq!(sealed.json(), json!({ "keys": [] }));
}
