//! Providers of identities over the wire: a sandbox that is right passes the kit, and whatever it does wrong lets nobody in.

use std::sync::Arc;
use std::time::Duration;

use daira_core::account::Identity;
use daira_core::memory::{ManualClock, RandomIds};
use daira_core::port::{AuthorizationAnswer, AuthorizationRequest, IdentityClaims, IdentityProviders};
use daira_core::secret::Secret;
use daira_core::testkit::identity::{Browser, Identities};
use daira_worker::identities::OidcProviders;
use daira_worker::identities::sandbox::{Forgery, Manners, Place, Sandbox, Trouble};
use serde_json::json;

const BACK: &str = "https://daira.example/back";

struct World {
    clock: Arc<ManualClock>,
    one: Arc<Sandbox>,
    other: Arc<Sandbox>,
    providers: OidcProviders,
}

async fn world() -> World {
    let clock = Arc::new(ManualClock::default());
    let start = async || Arc::new(Sandbox::start(clock.clone(), Arc::new(RandomIds)).await.unwrap());
    let (one, other) = (start().await, start().await);
    let registrations =
        vec![one.registration("one", &[BACK]), other.registration("other", &["https://daira.example/other"])];
    let providers = OidcProviders::new(registrations, &(clock.clone() as _)).unwrap();
    World { clock, one, other, providers }
}

/// Somebody's browser, which reaches both.
struct Both(Arc<Sandbox>, Arc<Sandbox>);

#[async_trait::async_trait]
impl Browser for Both {
    async fn agree(&self, url: &str, subject: &str) -> (Secret, AuthorizationAnswer) {
        let at = if url.starts_with(self.0.issuer()) { &self.0 } else { &self.1 };
        at.agree(url, subject).await.unwrap()
    }
}

async fn identities() -> Identities {
    let World { one, other, providers, .. } = world().await;
    Identities { providers: Arc::new(providers), browser: Box::new(Both(one, other)) }
}

daira_core::identity_kit!(oidc_providers, identities().await);

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        provider: "one".to_owned(),
        redirect: BACK.to_owned(),
        state: Secret::new("state"),
        nonce: Secret::new("nonce"),
        verifier: Secret::new("a verifier of at least forty-three characters, as wanted"),
        fresh: false,
    }
}

impl World {
    async fn come(&self) -> daira_core::Result<Option<IdentityClaims>> {
        let url = self.providers.authorization_url(&request()).await?;
        let (_, answer) = self.one.agree(&url, "mona").await.unwrap();
        self.providers.redeem(&request(), &answer).await
    }
}

#[tokio::test]
async fn every_algorithm_of_ours_and_every_next_key_is_believed() {
    let world = world().await;
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        world.one.sign_by(algorithm);
        world.one.rotate();
        let claims = world.come().await.unwrap().unwrap();
        assert_eq!(claims.identity, Identity { issuer: world.one.issuer().to_owned(), subject: "mona".to_owned() });
        assert_eq!(claims.name.as_deref(), Some("منى علي"));
        // Looked for once a minute at most.
        world.clock.advance(Duration::from_mins(1));
    }
}

#[tokio::test]
async fn security_17_18_21_a_forged_token_lets_nobody_in() {
    let world = world().await;
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        world.one.sign_by(algorithm);
        world.one.rotate();
        world.clock.advance(Duration::from_mins(1));
        for forgery in [
            Forgery::Issuer,
            Forgery::Audience,
            Forgery::Party,
            Forgery::NoParty,
            Forgery::Nonce,
            Forgery::NoNonce,
            Forgery::Expired,
            Forgery::Old,
            Forgery::Early,
            Forgery::AccessToken,
            Forgery::Unsigned,
            Forgery::SharedSecret,
            Forgery::UnknownKey,
            Forgery::Doubled,
            Forgery::Long,
        ] {
            world.one.behave(Manners { forgery: Some(forgery), ..Manners::default() });
            let outcome = world.come().await;
            // A doubled member may also be no token at all.
            assert!(matches!(outcome, Ok(None)), "{algorithm} {forgery:?}: {outcome:?}");
            world.one.behave(Manners::default());
            assert!(world.come().await.unwrap().is_some(), "{algorithm} after {forgery:?}");
        }
    }
    world.one.sign_by("EdDSA");
    world.one.rotate();
    world.clock.advance(Duration::from_mins(1));
    world.one.behave(Manners { forgery: Some(Forgery::ForeignKey), ..Manners::default() });
    assert!(matches!(world.come().await, Ok(None)));
    world.one.behave(Manners { forgery: Some(Forgery::Numbers), ..Manners::default() });
    let claims = world.come().await.unwrap().unwrap();
    assert_eq!(claims.authenticated_at, None, "no instant that there is");
}

#[tokio::test]
async fn security_21_an_answer_that_does_not_say_whose_it_is_is_none_where_it_always_does() {
    let world = world().await;
    world.one.behave(Manners { is_silent: true, ..Manners::default() });
    assert!(matches!(world.come().await, Ok(None)), "it promised to");
    let world = self::world().await;
    let says = json!({ "authorization_response_iss_parameter_supported": false }).as_object().unwrap().clone();
    world.one.behave(Manners { is_silent: true, says, ..Manners::default() });
    assert!(world.come().await.unwrap().is_some(), "older providers do not");
    let url = world.providers.authorization_url(&request()).await.unwrap();
    let (_, answer) = world.one.agree(&url, "mona").await.unwrap();
    let mixed = AuthorizationAnswer { issuer: Some(world.other.issuer().to_owned()), ..answer };
    assert!(matches!(world.providers.redeem(&request(), &mixed).await, Ok(None)));
}

#[tokio::test]
async fn what_a_provider_does_not_vouch_for_is_not_told() {
    let world = world().await;
    world.one.behave(Manners { is_unsure: true, hides_when: true, ..Manners::default() });
    let claims = world.come().await.unwrap().unwrap();
    assert_eq!((claims.email, claims.authenticated_at), (None, None));
}

#[tokio::test]
async fn a_provider_in_trouble_is_told_from_a_refusal() {
    for place in [Place::Document, Place::Keys, Place::Tokens] {
        let troubles = [500, 503, 429, 404, 200].map(Trouble::Status);
        for trouble in troubles.into_iter().chain([Trouble::Endless, Trouble::Garbage, Trouble::Redirect]) {
            let world = world().await;
            world.one.behave(Manners { trouble: Some((place, trouble)), ..Manners::default() });
            let error = world.come().await.expect_err(&format!("{place:?} {trouble:?}"));
            assert_eq!(error.kind(), daira_core::error::ErrorKind::Unavailable, "{place:?} {trouble:?}: {error:?}");
            // It is asked again, after a moment.
            world.one.behave(Manners::default());
            world.clock.advance(Duration::from_secs(5));
            assert!(world.come().await.unwrap().is_some(), "{place:?} {trouble:?}");
        }
    }
    let world = world().await;
    world.one.behave(Manners { trouble: Some((Place::Tokens, Trouble::Status(400))), ..Manners::default() });
    assert!(world.come().await.is_err(), "a refusal without a reason is about us");
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_a_provider_that_hangs_does_not_wait_as_well() {
    let world = world().await;
    world.one.behave(Manners { trouble: Some((Place::Document, Trouble::Hang)), ..Manners::default() });
    let request = request();
    let tries = (0..50).map(|_| world.providers.authorization_url(&request));
    let outcomes = futures_util::future::join_all(tries).await;
    assert!(outcomes.iter().all(Result::is_err));
    assert_eq!(world.one.asked("/.well-known/openid-configuration"), 1, "one asked for all of them");
}

#[tokio::test]
async fn security_108_a_provider_that_lies_about_itself_is_asked_nothing() {
    let inside = "http://10.0.0.7/token";
    for (member, value) in [
        ("issuer", "https://other.example"),
        ("issuer", "http://127.0.0.1:1"),
        ("token_endpoint", inside),
        ("token_endpoint", "https://169.254.169.254/latest"),
        ("jwks_uri", "https://[fd00::1]/keys"),
        ("jwks_uri", "https://localhost/keys"),
        ("token_endpoint", "file:///etc/passwd"),
        ("authorization_endpoint", "javascript:alert(1)"),
    ] {
        let world = world().await;
        let says = json!({ member: value }).as_object().unwrap().clone();
        world.one.behave(Manners { says, ..Manners::default() });
        assert!(world.providers.authorization_url(&request()).await.is_err(), "{member} {value}");
        assert_eq!(world.one.asked("/token") + world.one.asked("/keys"), 0);
    }
}

#[tokio::test]
async fn a_provider_is_asked_no_more_than_it_has_to_be() {
    let world = world().await;
    let (document, keys) = ("/.well-known/openid-configuration", "/keys");
    for _ in 0..5 {
        world.come().await.unwrap().unwrap();
    }
    assert_eq!((world.one.asked(document), world.one.asked(keys)), (1, 1));
    // Tokens with keys that nobody knows have it asked once a minute.
    world.one.behave(Manners { forgery: Some(Forgery::UnknownKey), ..Manners::default() });
    world.clock.advance(Duration::from_mins(2));
    for _ in 0..5 {
        assert!(world.come().await.unwrap().is_none());
    }
    assert_eq!(world.one.asked(keys), 2);
    world.one.behave(Manners::default());
    world.clock.advance(Duration::from_hours(1));
    world.come().await.unwrap().unwrap();
    assert_eq!((world.one.asked(document), world.one.asked(keys)), (2, 3), "and anew after an hour");
}

#[tokio::test]
async fn who_has_to_prove_themselves_is_sent_to() {
    let world = world().await;
    let url = world.providers.authorization_url(&AuthorizationRequest { fresh: true, ..request() }).await.unwrap();
    assert!(url.contains("prompt=login") && url.contains("max_age=0") && url.contains("code_challenge_method=S256"));
    assert!(
        !url.contains("verifier") && !world.providers.authorization_url(&request()).await.unwrap().contains("prompt")
    );
}

#[tokio::test]
async fn settings_that_cannot_be_meant_are_refused() {
    let world = world().await;
    let clock = world.clock.clone() as Arc<dyn daira_core::port::Clock>;
    let with = |issuer: &str| {
        let mut registration = world.one.registration("one", &[BACK]);
        issuer.clone_into(&mut registration.provider.issuer);
        registration
    };
    for bad in ["http://id.example", "id.example", "https://id.example/?x", "https://id.example/#x", ""] {
        assert!(OidcProviders::new(vec![with(bad)], &clock).is_err(), "{bad}");
    }
    let twice = vec![with("https://id.example"), with("https://other.example")];
    assert!(OidcProviders::new(twice, &clock).is_err(), "one name");
    let shared = vec![world.one.registration("one", &[BACK]), world.other.registration("other", &[BACK])];
    assert!(OidcProviders::new(shared, &clock).is_err(), "one address to come back to");
}
