//! Who asks: the `Authorization` header turned into an actor.

use axum::http::{HeaderMap, header};
use daira_core::account::{AccountRefusal, AccountService, Pass};
use daira_core::error::{Error, Result};
use daira_core::secret::Secret;

/// No token that we issue is longer.
const MAX_TOKEN: usize = 4_096;

/// Who the headers prove to be; anonymous without a header.
///
/// # Errors
/// `auth.token_invalid` for any header that is not one living bearer token: somebody who means to be logged in must not
/// be answered as a stranger.
pub async fn admit(accounts: &AccountService, headers: &HeaderMap) -> Result<Pass> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(Pass::ANONYMOUS) };
    let value = value.to_str().ok().filter(|_| values.next().is_none());
    admit_bearer(accounts, value.unwrap_or_default()).await
}

/// Who the value of such a header proves to be.
///
/// # Errors
/// `auth.token_invalid` for what is not one living bearer token.
pub(super) async fn admit_bearer(accounts: &AccountService, value: &str) -> Result<Pass> {
    let token = bearer(value).ok_or_else(|| Error::from(AccountRefusal::TokenInvalid))?;
    accounts.admit(&Secret::new(token)).await
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
