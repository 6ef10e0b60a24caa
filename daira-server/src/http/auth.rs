//! Who asks: the `Authorization` header turned into an actor.

use axum::http::{HeaderMap, header};
use daira_core::Actor;
use daira_core::account::{AccountRefusal, AccountService};
use daira_core::error::{Error, Result};
use daira_core::secret::Secret;

/// No token that we issue is longer.
const MAX_TOKEN: usize = 4_096;

/// The actor that the headers prove; anonymous without a header.
///
/// # Errors
/// `auth.token_invalid` for any header that is not one living bearer token: somebody who means to be logged in must not
/// be answered as a stranger.
pub async fn authenticate(accounts: &AccountService, headers: &HeaderMap) -> Result<Actor> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(Actor::Anonymous) };
    let token = value.to_str().ok().and_then(bearer).filter(|_| values.next().is_none());
    let token = token.ok_or_else(|| Error::from(AccountRefusal::TokenInvalid))?;
    accounts.authenticate(&Secret::new(token)).await
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim_matches(' ');
    let well_formed = !token.is_empty() && token.len() <= MAX_TOKEN && token.bytes().all(|b| b.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && well_formed).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_tokens_are_read() {
        assert_eq!(bearer("Bearer abc.def"), Some("abc.def"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "abc", &format!("Bearer {}", "a".repeat(5_000))]
        {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }
}
