//! Providers of identities in memory: each sends whoever a test says back with a code, without a browser.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use form_urlencoded::Serializer;

use crate::error::{Error, Result};
use crate::port::{AuthorizationAnswer, AuthorizationRequest, IdentityClaims, IdentityProviders, Provider};
use crate::secret::Secret;

/// Providers that know whoever they are told of.
#[derive(Debug, Default)]
pub struct MemoryIdentities {
    providers: Vec<Provider>,
    known: Mutex<Known>,
}

/// What was asked for by its state, and what was answered by its code.
#[derive(Debug, Default)]
struct Known {
    asked: BTreeMap<String, AuthorizationRequest>,
    codes: BTreeMap<String, (AuthorizationRequest, IdentityClaims)>,
}

impl MemoryIdentities {
    /// These.
    pub fn new(providers: Vec<Provider>) -> Self {
        Self { providers, known: Mutex::default() }
    }

    /// What a browser comes back with that was sent to an address, when its owner is this person and agrees: the state, and the
    /// answer. The issuer is the provider's own, whatever the claims say.
    pub fn agree(&self, url: &str, who: &IdentityClaims) -> Option<(Secret, AuthorizationAnswer)> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let query = url.split_once('?')?.1;
        let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state")?.1.into_owned();
        let request = known.asked.get(&state)?.clone();
        let mut claims = who.clone();
        let provider = self.providers.iter().find(|one| one.name == request.provider)?;
        claims.identity.issuer.clone_from(&provider.issuer);
        let code = format!("code-{}", known.codes.len());
        let answer = AuthorizationAnswer { code: Secret::new(&code), issuer: Some(claims.identity.issuer.clone()) };
        known.codes.insert(code, (request, claims));
        Some((Secret::new(state), answer))
    }
}

#[async_trait]
impl IdentityProviders for MemoryIdentities {
    fn providers(&self) -> &[Provider] {
        &self.providers
    }

    async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String> {
        let provider = self.providers.iter().find(|one| one.name == request.provider).ok_or_else(Error::not_found)?;
        let state = request.state.expose().to_owned();
        let query = Serializer::new(String::new()).append_pair("state", &state).finish();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).asked.insert(state, request.clone());
        Ok(format!("{}/authorize?{query}", provider.issuer))
    }

    async fn redeem(
        &self,
        request: &AuthorizationRequest,
        answer: &AuthorizationAnswer,
    ) -> Result<Option<IdentityClaims>> {
        let provider = self.providers.iter().find(|one| one.name == request.provider).ok_or_else(Error::not_found)?;
        if answer.issuer.as_ref().is_some_and(|issuer| *issuer != provider.issuer) {
            return Ok(None);
        }
        let spent = self.known.lock().unwrap_or_else(PoisonError::into_inner).codes.remove(answer.code.expose());
        let texts = |of: &AuthorizationRequest| {
            let secrets = [&of.state, &of.nonce, &of.verifier].map(|text| text.expose().to_owned());
            (of.provider.clone(), of.redirect.clone(), secrets)
        };
        Ok(spent.filter(|(asked, _)| texts(asked) == texts(request)).map(|(_, claims)| claims))
    }
}
