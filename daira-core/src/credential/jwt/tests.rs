//! Forged, broken and stale tokens against the signer: each must be refused, quickly and without a fault.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::id::{Id, Shard, compose};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Repeats one byte: keys that differ by it.
struct Dull(u8);

impl IdSource for Dull {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

fn key(byte: u8) -> Secret {
    generate_signing_key(&Dull(byte))
}

fn signer() -> JwtSigner {
    JwtSigner::new("https://daira.test", "daira-api", &key(1)).unwrap()
}

fn claims() -> Claims {
    let raw = compose(NOW, Shard::from_random(5), 9);
    Claims {
        profile: ProfileId::from_raw(raw),
        session: SessionId::from_raw(raw + 1),
        generation: 3,
        granted: None,
        issued_at: NOW,
        expires_at: NOW + Duration::from_mins(15),
    }
}

fn head() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": signer().kid})
}

fn body() -> Value {
    json!({
        "iss": "https://daira.test", "aud": "daira-api", "sub": claims().profile.to_string(), "sid": claims().session.to_string(),
        "gen": 3, "iat": NOW.as_seconds(), "exp": NOW.as_seconds() + 900,
    })
}

fn with(mut object: Value, member: &str, value: Value) -> Value {
    object[member] = value;
    object
}

fn without(mut object: Value, member: &str) -> Value {
    object.as_object_mut().unwrap().remove(member);
    object
}

fn message(head: &str, body: &str) -> String {
    format!("{}.{}", BASE64URL_NOPAD.encode(head.as_bytes()), BASE64URL_NOPAD.encode(body.as_bytes()))
}

/// Signs any two texts with the signer's own key: only what the texts say can be wrong with them.
fn forge_text(head: &str, body: &str) -> String {
    let message = message(head, body);
    let signing = EncodingKey::from_ed_pem(key(1).expose().as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &signing, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

fn forge(head: &Value, body: &Value) -> String {
    forge_text(&head.to_string(), &body.to_string())
}

fn holds(token: &str) -> bool {
    verdict(&signer(), token, NOW)
}

fn verdict(signer: &JwtSigner, token: &str, now: Timestamp) -> bool {
    match signer.verify(token, now) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.refusal(), Some(AccountRefusal::TokenInvalid), "{error:?}");
            false
        }
    }
}

#[test]
fn a_token_says_what_was_signed() {
    let token = signer().sign(&claims()).unwrap();
    assert_eq!(signer().verify(&token, NOW).unwrap(), claims());
    assert!(holds(&forge(&head(), &body())), "the forger's baseline holds, so what follows fails for its own reason");
    assert!(!format!("{:?}", signer()).contains("PRIVATE"));
}

#[test]
fn security_17_only_the_configured_algorithm_is_believed() {
    let unsigned =
        |alg: &str| format!("{}.", message(&with(head(), "alg", json!(alg)).to_string(), &body().to_string()));
    for alg in ["none", "None", "NONE", "nOnE", "", "EdDSA"] {
        assert!(!holds(&unsigned(alg)), "{alg}");
    }
    for alg in ["HS256", "ES256", "RS256", "eddsa", "Ed25519"] {
        assert!(!holds(&forge(&with(head(), "alg", json!(alg)), &body())), "{alg}");
    }
    assert!(!holds(&forge(&without(head(), "alg"), &body())));
    assert!(!holds(&forge(&with(head(), "alg", json!(["EdDSA"])), &body())));
}

#[test]
fn security_18_the_public_key_is_no_shared_secret() {
    let message = message(&with(head(), "alg", json!("HS256")).to_string(), &body().to_string());
    let public = signer().public_key();
    for secret in [public.as_bytes(), public.trim_end().as_bytes(), &signer().public] {
        let secret = EncodingKey::from_secret(secret);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, Algorithm::HS256).unwrap();
        assert!(!holds(&format!("{message}.{signature}")));
    }
}

#[test]
fn security_19_keys_inside_a_token_are_ignored() {
    let stranger = JwtSigner::new("https://daira.test", "daira-api", &key(2)).unwrap();
    let jwk =
        json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64URL_NOPAD.encode(&stranger.public), "kid": stranger.kid});
    let signing = EncodingKey::from_ed_pem(key(2).expose().as_bytes()).unwrap();
    for (member, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/c")),
        ("x5c", json!(["AAAA"])),
    ] {
        for kid in [&stranger.kid, &signer().kid] {
            let head = with(with(head(), member, value.clone()), "kid", json!(kid));
            let message = message(&head.to_string(), &body().to_string());
            let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &signing, Algorithm::EdDSA).unwrap();
            assert!(!holds(&format!("{message}.{signature}")), "{member}");
        }
        assert!(holds(&forge(&with(head(), member, value), &body())), "{member}: ignored, not obeyed");
    }
}

#[test]
fn security_20_the_name_of_a_key_is_looked_up_and_nothing_else() {
    let long = "k".repeat(10_000);
    for kid in
        ["", "../../../../dev/null", "' OR 1=1 --", "x' UNION SELECT 'key", "\u{0}", "🔑", &long, &"k".repeat(65)]
    {
        assert!(!holds(&forge(&with(head(), "kid", json!(kid)), &body())), "{kid}");
    }
    assert!(!holds(&forge(&without(head(), "kid"), &body())));
    assert!(!holds(&forge(&with(head(), "kid", json!(1)), &body())));
}

#[test]
fn an_extension_that_must_be_understood_is_refused() {
    assert!(!holds(&forge(&with(head(), "crit", json!(["b64"])), &body())));
}

#[test]
fn security_21_every_claim_is_required_and_must_be_ours() {
    for claim in ["iss", "aud", "sub", "sid", "gen", "iat", "exp"] {
        assert!(!holds(&forge(&head(), &without(body(), claim))), "{claim} missing");
        assert!(!holds(&forge(&head(), &with(body(), claim, Value::Null))), "{claim} null");
    }
    for (claim, value) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("another-api")),
        ("aud", json!(["daira-api", "another-api"])),
        ("sub", json!("acc_0000000000001")),
        ("sub", json!(claims().session.to_string())),
        ("sid", json!("1")),
        ("exp", json!("1800000900")),
        ("exp", json!(1e300)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(-1)),
        ("iat", json!(i64::MIN)),
        ("gen", json!(i64::MAX)),
        ("nbf", json!("soon")),
    ] {
        assert!(!holds(&forge(&head(), &with(body(), claim, value.clone()))), "{claim} {value}");
    }
}

#[test]
fn security_21_times_are_compared_with_the_given_clock_and_a_bounded_leeway() {
    let generous = signer().with_leeway(Duration::from_hours(1));
    let token = signer().sign(&claims()).unwrap();
    let at = |seconds: i64| Timestamp::from_seconds(NOW.as_seconds() + seconds);
    assert!(verdict(&signer(), &token, at(929)) && !verdict(&signer(), &token, at(930)));
    assert!(verdict(&generous, &token, at(959)) && !verdict(&generous, &token, at(960)), "never more than a minute");
    let strict = signer().with_leeway(Duration::ZERO);
    assert!(verdict(&strict, &token, at(899)) && !verdict(&strict, &token, at(900)));
    assert!(
        !verdict(&strict, &token, at(900)) && verdict(&strict, &token, at(0)),
        "a remembered token lapses like any other"
    );
    let later = forge(&head(), &with(body(), "nbf", json!(NOW.as_seconds() + 100)));
    assert!(
        !verdict(&strict, &later, at(99)) && verdict(&strict, &later, at(100)) && !verdict(&strict, &later, at(99))
    );
    assert!(
        !verdict(&strict, &token, Timestamp::from_micros(i64::MAX))
            && verdict(&strict, &token, Timestamp::from_micros(i64::MIN))
    );
}

#[test]
fn security_22_only_access_tokens_are_access_tokens() {
    for typ in ["JWT", "rt+jwt", "AT+JWT", "", "at+jwt "] {
        assert!(!holds(&forge(&with(head(), "typ", json!(typ)), &body())), "{typ}");
    }
    assert!(!holds(&forge(&without(head(), "typ"), &body())));
    let refresh = crate::account::token::seal(&crate::secret::Key::new([3; 32]), claims().session, 3, &[9; 16]);
    assert!(!holds(refresh.expose()), "a refresh token is none");
}

#[test]
fn security_23_two_keys_are_valid_at_once() {
    let old_token = signer().sign(&claims()).unwrap();
    let rotated = || JwtSigner::new("https://daira.test", "daira-api", &key(2)).unwrap();
    assert!(!verdict(&rotated(), &old_token, NOW));
    let by_private = rotated().also_accepting(&key(1)).unwrap();
    let by_public = rotated().also_accepting(&Secret::new(signer().public_key())).unwrap();
    for both in [by_private, by_public] {
        let new_token = both.sign(&claims()).unwrap();
        assert!(verdict(&both, &old_token, NOW) && verdict(&both, &new_token, NOW));
        assert!(!holds(&new_token), "the old node does not know the new key yet");
    }
}

#[test]
fn security_24_signatures_that_are_none_are_refused() {
    let (head, body) = (head().to_string(), body().to_string());
    let message = message(&head, &body);
    for signature in ["", "A", "AAAA", &"A".repeat(86), &"A".repeat(85), &"A".repeat(2_000), "!!!!", "=", "ب"] {
        assert!(!holds(&format!("{message}.{signature}")), "{signature}");
    }
    let token = forge_text(&head, &body);
    let signature = token.rsplit_once('.').unwrap().1;
    for broken in [
        format!("{token}="),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!(" {token}"),
        format!("{token}\n"),
        token.replace('.', ".."),
        token.replace('.', ""),
        signature.to_owned(),
        String::new(),
        "..".to_owned(),
        ".".to_owned(),
        "Bearer x".to_owned(),
    ] {
        assert!(!holds(&broken), "{broken}");
    }
}

#[test]
fn security_24_an_object_that_names_a_member_twice_is_refused() {
    let twice = |object: &Value, member: &str| {
        let text = object.to_string();
        format!("{{\"{member}\":{},{}", object[member], &text[1..])
    };
    for member in ["alg", "typ", "kid"] {
        assert!(!holds(&forge_text(&twice(&head(), member), &body().to_string())), "{member}");
    }
    for member in ["iss", "aud", "sub", "sid", "gen", "iat", "exp"] {
        assert!(!holds(&forge_text(&head().to_string(), &twice(&body(), member))), "{member}");
    }
    for text in ["", "null", "[]", "{}", "{", "\"x\"", "{\"alg\":\"EdDSA\"}", "\u{FEFF}{}"] {
        assert!(
            !holds(&forge_text(text, &body().to_string())) && !holds(&forge_text(&head().to_string(), text)),
            "{text}"
        );
    }
}

/// Nothing of a token that is longer than any of ours is decoded or hashed: however good, it is refused by its length alone.
#[test]
fn security_24_a_huge_token_is_not_even_looked_at() {
    let padded = |length: usize| forge(&with(head(), "pad", json!("x".repeat(length))), &body());
    assert!(holds(&padded(1_000)), "what is not understood is ignored");
    let longer = padded(MAX_TOKEN);
    assert!(longer.len() > MAX_TOKEN && !holds(&longer));
    let [head, body] = [head(), body()].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()));
    for huge in [
        "A".repeat(1 << 20),
        format!("{}.{}.{}", "A".repeat(1 << 19), "A".repeat(1 << 19), "A".repeat(86)),
        ".".repeat(1 << 20),
        format!("{head}.{body}.{}", "A".repeat(1 << 20)),
        padded(1 << 20),
    ] {
        assert!(!holds(&huge));
    }
}

#[test]
fn a_key_of_another_kind_is_named_and_not_used() {
    let rsa_like =
        "-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEA\n-----END PRIVATE KEY-----\n";
    for pem in ["", "secret", rsa_like, &signer().public_key()] {
        let error = JwtSigner::new("i", "a", &Secret::new(pem)).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Internal, "credential.signing_key"));
    }
    assert!(
        signer().also_accepting(&Secret::new("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")).is_err()
    );
}

proptest! {
    #[test]
    fn any_change_is_noticed(at in any::<prop::sample::Index>(), byte in 0x21..0x7f_u8) {
        let mut token = signer().sign(&claims()).unwrap().into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != byte);
        token[at] = byte;
        prop_assert!(!holds(&String::from_utf8(token).unwrap()));
    }

    #[test]
    fn no_text_is_a_fault(text in any::<String>(), head in any::<String>(), body in any::<String>()) {
        prop_assert!(!holds(&text));
        prop_assert!(!holds(&forge_text(&head, &body)));
    }
}
