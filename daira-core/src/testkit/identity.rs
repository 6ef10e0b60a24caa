//! The kit of [`IdentityProviders`].

use std::sync::Arc;

use async_trait::async_trait;

use crate::account::Identity;
use crate::memory::MemoryIdentities;
use crate::port::{AuthorizationAnswer, AuthorizationRequest, IdentityClaims, IdentityProviders};
use crate::secret::Secret;
use crate::time::Timestamp;

super::kit! { $
    /// Runs the [`identity`](crate::testkit::identity) kit on an adapter: `identity_kit!(name, identities)`.
    identity_kit, "identity", single {
        identity: a_code_says_who_it_is, a_code_works_once, a_code_is_for_its_request, a_code_is_its_providers,
            a_fresh_proof_says_when_it_was, garbage_is_no_code, a_provider_that_is_not_set_up_is_none;
    }
}

/// A browser, and somebody who agrees to everything.
#[async_trait]
pub trait Browser: Send + Sync {
    /// Goes to an address of a provider, as the person with this subject, whose address it knows as `<subject>@example.com`;
    /// answers the state and the answer that it comes back
    /// with.
    async fn agree(&self, url: &str, subject: &str) -> (Secret, AuthorizationAnswer);
}

#[async_trait]
impl Browser for Arc<MemoryIdentities> {
    async fn agree(&self, url: &str, subject: &str) -> (Secret, AuthorizationAnswer) {
        let identity = Identity { issuer: String::new(), subject: subject.to_owned() };
        let email = Some(format!("{subject}@example.com"));
        let claims = IdentityClaims { identity, email, name: None, authenticated_at: Some(Timestamp::EPOCH) };
        MemoryIdentities::agree(self, url, &claims).unwrap()
    }
}

/// What the kit is run on.
pub struct Identities {
    /// The adapter under test, with two providers that have at least one address to come back to.
    pub providers: Arc<dyn IdentityProviders>,
    /// A browser that reaches both.
    pub browser: Box<dyn Browser>,
}

impl core::fmt::Debug for Identities {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Identities")
    }
}

impl Identities {
    fn request(&self, provider: usize, name: &str) -> AuthorizationRequest {
        let provider = &self.providers.providers()[provider];
        let text = |what: &str| Secret::new(format!("{what}-{name}-of-at-least-forty-three-characters-as-one-wants"));
        AuthorizationRequest {
            provider: provider.name.clone(),
            redirect: provider.redirects[0].clone(),
            state: text("state"),
            nonce: text("nonce"),
            verifier: text("verifier"),
            fresh: false,
        }
    }

    async fn gone(&self, request: &AuthorizationRequest, subject: &str) -> AuthorizationAnswer {
        let url = self.providers.authorization_url(request).await.unwrap();
        let (state, answer) = self.browser.agree(&url, subject).await;
        assert_eq!(state, request.state, "it comes back as it went");
        answer
    }

    async fn redeemed(&self, request: &AuthorizationRequest, answer: &AuthorizationAnswer) -> Option<IdentityClaims> {
        self.providers.redeem(request, answer).await.unwrap()
    }
}

/// A code is exchanged for who brought it: by the same name each time, at its own issuer.
pub async fn a_code_says_who_it_is(identities: &Identities) {
    let (here, there) = (identities.request(0, "a"), identities.request(1, "b"));
    let [issuer, other] = [0, 1].map(|at| identities.providers.providers()[at].issuer.clone());
    let first = identities.redeemed(&here, &identities.gone(&here, "mona").await).await.unwrap();
    assert_eq!(first.identity, Identity { issuer, subject: "mona".to_owned() });
    assert_eq!(first.email.as_deref(), Some("mona@example.com"));
    let request = identities.request(0, "c");
    let again = identities.redeemed(&request, &identities.gone(&request, "mona").await).await.unwrap();
    assert_eq!(again.identity, first.identity);
    let elsewhere = identities.redeemed(&there, &identities.gone(&there, "mona").await).await.unwrap();
    assert_eq!(elsewhere.identity.issuer, other);
}

/// A code that was exchanged is none any more.
pub async fn a_code_works_once(identities: &Identities) {
    let request = identities.request(0, "a");
    let answer = identities.gone(&request, "mona").await;
    assert!(identities.redeemed(&request, &answer).await.is_some());
    assert_eq!(identities.redeemed(&request, &answer).await, None);
}

/// A code of one request is none for another: it takes the verifier, the nonce and the address that it was asked for with.
pub async fn a_code_is_for_its_request(identities: &Identities) {
    let (asked, other) = (identities.request(0, "a"), identities.request(0, "b"));
    let elsewhere = "https://elsewhere.example/back".to_owned();
    for request in [
        AuthorizationRequest { verifier: other.verifier.clone(), ..asked.clone() },
        AuthorizationRequest { nonce: other.nonce.clone(), ..asked.clone() },
        AuthorizationRequest { redirect: elsewhere, ..asked.clone() },
    ] {
        let answer = identities.gone(&asked, "mona").await;
        assert_eq!(identities.redeemed(&request, &answer).await, None, "{request:?}");
    }
}

/// An answer of another provider is none, whether it says so or not.
pub async fn a_code_is_its_providers(identities: &Identities) {
    let request = identities.request(0, "a");
    let answer = identities.gone(&request, "mona").await;
    let issuer = Some(identities.providers.providers()[1].issuer.clone());
    let mixed = AuthorizationAnswer { issuer, ..answer.clone() };
    assert_eq!(identities.redeemed(&request, &mixed).await, None);
    let there = identities.request(1, "a");
    let theirs = AuthorizationAnswer { issuer: None, ..identities.gone(&there, "mona").await };
    assert_eq!(identities.redeemed(&request, &theirs).await, None);
}

/// Who has to prove themselves anew comes back with when they did.
pub async fn a_fresh_proof_says_when_it_was(identities: &Identities) {
    let request = AuthorizationRequest { fresh: true, ..identities.request(0, "a") };
    let claims = identities.redeemed(&request, &identities.gone(&request, "mona").await).await.unwrap();
    assert!(claims.authenticated_at.is_some());
}

/// What is no code is refused, whatever it is.
pub async fn garbage_is_no_code(identities: &Identities) {
    let request = identities.request(0, "a");
    for text in ["", "x", "\u{0}", "a&grant_type=password", "../../token", &"a".repeat(4_000)] {
        let answer = AuthorizationAnswer { code: Secret::new(text), issuer: None };
        assert_eq!(identities.redeemed(&request, &answer).await, None, "{text:?}");
    }
}

/// Nobody is sent to a provider that is not set up.
pub async fn a_provider_that_is_not_set_up_is_none(identities: &Identities) {
    let request = AuthorizationRequest { provider: "nobody".to_owned(), ..identities.request(0, "a") };
    assert!(identities.providers.authorization_url(&request).await.unwrap_err().is_refusal());
    let answer = AuthorizationAnswer { code: Secret::new("x"), issuer: None };
    assert!(identities.providers.redeem(&request, &answer).await.unwrap_err().is_refusal());
}
