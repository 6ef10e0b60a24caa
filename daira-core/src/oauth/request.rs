//! What an app asks for, as it stands in the address that it sends a browser to (RFC 6749 §4.1.1, RFC 7636, `OpenID` Connect
//! Core §3.1.2), and the addresses that it is answered at.
//!
//! Two questions come before all others: is there such an app, and did it register the address? While one of them is open, nobody
//! is sent anywhere. Whatever else is wrong is told to the app there.

use core::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use form_urlencoded::{Serializer, parse};

use super::OauthRefusal;
use super::model::App;
use super::scope::Scopes;
use crate::error::Result;
use crate::id::AppId;

/// The longest request, and the longest texts in it, in bytes.
const MAX_REQUEST: usize = 4_096;
const MAX_STATE: usize = 1_024;
const MAX_NONCE: usize = 256;
/// The longest address, in bytes.
const MAX_REDIRECT: usize = 500;

/// A request that a person may be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The app.
    pub app: App,
    /// Where it is answered.
    pub redirect: String,
    /// What it wants to do.
    pub scopes: Scopes,
    /// What it knows its own request by.
    pub state: Option<String>,
    /// The SHA-256 of what it will show.
    pub challenge: [u8; 32],
    /// What it wants to find in the ID token.
    pub nonce: Option<String>,
    /// How long ago the person may have proved themselves.
    pub max_age: Option<Duration>,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The person is to be asked.
    Person(Box<Request>),
    /// The app is told what is wrong with it, at this address.
    App(String),
}

/// The parameters of a request.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn read(query: &str) -> Result<Self> {
        if query.len() > MAX_REQUEST {
            return Err(OauthRefusal::RequestInvalid.into());
        }
        // One that is empty counts as left out.
        let pairs = parse(query.as_bytes()).into_owned().filter(|(_, value)| !value.is_empty());
        Ok(Self(pairs.collect()))
    }

    /// A parameter; nothing where it comes twice.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(found, _)| found == name);
        let one = found.next()?;
        found.next().is_none().then_some(one.1.as_str())
    }

    fn has_twice(&self) -> bool {
        self.0.iter().enumerate().any(|(at, (name, _))| self.0.iter().skip(at + 1).any(|(other, _)| other == name))
    }

    /// The app that it names.
    pub(super) fn app(&self) -> Result<AppId> {
        let named = self.get("client_id").and_then(|id| id.parse().ok());
        Ok(named.ok_or(OauthRefusal::AppUnknown)?)
    }

    /// Judges all of it.
    ///
    /// # Errors
    /// [`OauthRefusal::RedirectUnknown`]: nobody may be sent anywhere.
    pub(super) fn judge(&self, app: App, issuer: &str, with_openid: bool) -> Result<Asked> {
        let redirect = self.get("redirect_uri").ok_or(OauthRefusal::RedirectUnknown)?.to_owned();
        if !app.redirects.iter().any(|registered| is_same(registered, &redirect)) {
            return Err(OauthRefusal::RedirectUnknown.into());
        }
        let state = self.get("state").map(str::to_owned);
        let refuse = |error: &str| Asked::App(answer(&redirect, &[("error", error)], state.as_deref(), issuer));
        Ok(match self.wrong(state.as_deref()) {
            Some(error) => refuse(error),
            None => match self.scopes().filter(|scopes| with_openid || !scopes.contains(Scopes::OPENID)) {
                None => refuse("invalid_scope"),
                Some(scopes) => match (self.challenge(), self.max_age()) {
                    (Some(challenge), Ok(max_age)) => {
                        let nonce = self.get("nonce").map(str::to_owned);
                        Asked::Person(Box::new(Request { app, redirect, scopes, state, challenge, nonce, max_age }))
                    }
                    _ => refuse("invalid_request"),
                },
            },
        })
    }

    fn wrong(&self, state: Option<&str>) -> Option<&'static str> {
        let is_long = |text: Option<&str>, most: usize| text.is_some_and(|text| text.len() > most);
        if self.has_twice() || is_long(state, MAX_STATE) || is_long(self.get("nonce"), MAX_NONCE) {
            return Some("invalid_request");
        }
        match (self.get("response_type"), self.get("response_mode").unwrap_or("query")) {
            (Some("code"), "query") => {}
            (Some("code") | None, _) => return Some("invalid_request"),
            (Some(_), _) => return Some("unsupported_response_type"),
        }
        if self.get("request").is_some() {
            return Some("request_not_supported");
        }
        if self.get("request_uri").is_some() {
            return Some("request_uri_not_supported");
        }
        // The consent page is another client's, and nobody can be let in without it.
        let prompts: Vec<&str> = self.get("prompt").unwrap_or_default().split(' ').collect();
        prompts.contains(&"none").then_some("interaction_required")
    }

    fn scopes(&self) -> Option<Scopes> {
        Scopes::parse(self.get("scope")?).filter(|scopes| *scopes != Scopes::NONE)
    }

    fn challenge(&self) -> Option<[u8; 32]> {
        let text = self.get("code_challenge").filter(|_| self.get("code_challenge_method") == Some("S256"))?;
        (text.len() == 43).then(|| BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok())?
    }

    fn max_age(&self) -> Result<Option<Duration>, core::num::ParseIntError> {
        // Who must log in anew for this proves themselves anew.
        let again = self.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|one| one == "login"));
        let asked = self.get("max_age").map(|seconds| seconds.parse().map(Duration::from_secs)).transpose()?;
        Ok(if again { Some(Duration::ZERO) } else { asked })
    }
}

/// The address that an app is answered at: its own with the answer, its state and who answers (RFC 9207), so that it cannot take
/// the answer of one for that of another.
pub(super) fn answer(redirect: &str, pairs: &[(&str, &str)], state: Option<&str>, issuer: &str) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(pairs);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", issuer);
    let joint = if redirect.contains('?') { '&' } else { '?' };
    format!("{redirect}{joint}{}", query.finish())
}

/// Whether answers may be sent to an address: one with `https`, one of the machine that the app runs on, or one of a scheme of
/// the app's own, which has a dot in it (RFC 8252).
pub(super) fn is_redirect(address: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"#<>\\^`{|}*".contains(&b);
    if address.len() > MAX_REDIRECT || !address.bytes().all(plain) {
        return false;
    }
    let Some((scheme, rest)) = address.split_once(':') else { return false };
    let host = |rest: &str| {
        let authority = rest.strip_prefix("//")?.split(['/', '?']).next()?.to_owned();
        (!authority.is_empty() && !authority.contains('@')).then_some(authority)
    };
    match scheme {
        "https" => host(rest).is_some_and(|host| !host.starts_with(':')),
        "http" => host(rest).is_some_and(|host| is_this_machine(&host)),
        own => {
            let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".+-".contains(&b);
            own.contains('.')
                && own.starts_with(|c: char| c.is_ascii_lowercase())
                && own.bytes().all(good)
                && rest.starts_with('/')
        }
    }
}

fn is_this_machine(authority: &str) -> bool {
    ["127.0.0.1", "[::1]", "localhost"].iter().any(|host| {
        let port = authority.strip_prefix(host);
        port.is_some_and(|port| {
            port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

/// Whether an address is the registered one: the same to the byte, but for the port of an app on a person's own machine, which it
/// cannot choose before (RFC 8252 §7.3).
pub(super) fn is_same(registered: &str, address: &str) -> bool {
    registered == address
        || without_port(registered).is_some_and(|one| without_port(address).is_some_and(|other| one == other))
}

fn without_port(address: &str) -> Option<(&str, &str)> {
    let rest = address.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]"].into_iter().find(|host| rest.starts_with(host))?;
    let rest = rest.strip_prefix(host)?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (port, path) = rest.split_at_checked(end)?;
    is_this_machine(&format!("{host}{port}")).then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccountId, Id};
    use crate::time::Timestamp;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const GOOD: &str = "client_id=app_0000000000007&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code\
        &scope=openid+read%3Afeed&state=s%26t&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

    fn judged(query: &str) -> Result<Asked> {
        let app = App {
            id: AppId::from_raw(7),
            owner: AccountId::from_raw(1),
            name: "تطبيق".to_owned(),
            redirects: vec!["https://app.example/cb".to_owned(), "https://app.example/cb?x=1".to_owned()],
            confidential: false,
            secret: 1,
            created_at: Timestamp::EPOCH,
            deleted_at: None,
            version: 1,
        };
        Parameters::read(query)?.judge(app, "https://daira.example", true)
    }

    #[test]
    fn a_whole_request_is_for_the_person() {
        let Asked::Person(request) = judged(GOOD).unwrap() else { panic!("refused") };
        assert_eq!(request.scopes, Scopes::OPENID.with(Scopes::READ_FEED));
        assert_eq!((request.state.as_deref(), request.nonce, request.max_age), (Some("s&t"), None, None));
        let Asked::Person(request) = judged(&format!("{GOOD}&nonce=n&prompt=login+consent")).unwrap() else { panic!() };
        assert_eq!((request.nonce.as_deref(), request.max_age), (Some("n"), Some(Duration::ZERO)));
    }

    #[test]
    fn nobody_is_sent_to_an_address_that_was_not_registered() {
        for evil in [
            "https%3A%2F%2Fevil.example%2Fcb",
            "https%3A%2F%2Fapp.example%2Fcb%2F",
            "https%3A%2F%2Fapp.example%2Fcb%2F..%2Fx",
            "https%3A%2F%2Fapp.example%2FCB",
            "https%3A%2F%2Fapp.example%2Fcb%3Fx%3D1%26y%3D2",
            "https%3A%2F%2Fapp.example%2Fcb%23x",
            "https%3A%2F%2Fapp.example%40evil.example%2Fcb",
            "https%3A%2F%2Fapp.example.evil.example%2Fcb",
            "http%3A%2F%2Fapp.example%2Fcb",
            "javascript%3Aalert(1)",
            "",
        ] {
            let query = GOOD.replace("https%3A%2F%2Fapp.example%2Fcb", evil);
            assert_eq!(judged(&query).unwrap_err().refusal(), Some(OauthRefusal::RedirectUnknown), "{evil}");
        }
        let twice = format!("{GOOD}&redirect_uri=https%3A%2F%2Fevil.example");
        assert_eq!(judged(&twice).unwrap_err().refusal(), Some(OauthRefusal::RedirectUnknown));
    }

    #[test]
    fn what_is_wrong_is_told_to_the_app_with_its_state_and_who_tells_it() {
        let told = |query: &str| match judged(query).unwrap() {
            Asked::App(address) => address,
            Asked::Person(_) => panic!("{query} is taken"),
        };
        let (method, challenge) = ("code_challenge_method=S256", format!("code_challenge={CHALLENGE}"));
        for (query, error) in [
            (GOOD.replace("=code&", "=token&"), "unsupported_response_type"),
            (GOOD.replace("response_type=code", ""), "invalid_request"),
            (GOOD.replace(method, "code_challenge_method=plain"), "invalid_request"),
            (GOOD.replace(method, ""), "invalid_request"),
            (GOOD.replace(&challenge, ""), "invalid_request"),
            (GOOD.replace(CHALLENGE, "short"), "invalid_request"),
            (GOOD.replace("read%3Afeed", "admin"), "invalid_scope"),
            (GOOD.replace("scope=openid+read%3Afeed", "scope="), "invalid_scope"),
            (format!("{GOOD}&scope=openid"), "invalid_request"),
            (format!("{GOOD}&prompt=none"), "interaction_required"),
            (format!("{GOOD}&response_mode=fragment"), "invalid_request"),
            (format!("{GOOD}&request=x"), "request_not_supported"),
            (format!("{GOOD}&request_uri=https://x"), "request_uri_not_supported"),
            (format!("{GOOD}&max_age=soon"), "invalid_request"),
            (format!("{GOOD}&nonce={}", "n".repeat(257)), "invalid_request"),
        ] {
            let expected = format!("https://app.example/cb?error={error}&state=s%26t&iss=https%3A%2F%2Fdaira.example");
            assert_eq!(told(&query), expected, "{query}");
        }
        let with_query = GOOD.replace("app.example%2Fcb", "app.example%2Fcb%3Fx%3D1");
        assert!(told(&format!("{with_query}&prompt=none")).starts_with("https://app.example/cb?x=1&error="));
        assert!(judged(&format!("{GOOD}&x={}", "y".repeat(5_000))).is_err(), "too long to be read");
    }

    #[test]
    fn addresses_are_secure_of_this_machine_or_of_the_apps_own_scheme() {
        for good in [
            "https://app.example/cb",
            "https://app.example:8443/cb?x=1",
            "http://127.0.0.1/cb",
            "http://localhost:3000/cb",
            "http://[::1]:9/cb",
            "com.example.app:/cb",
        ] {
            assert!(is_redirect(good), "{good}");
        }
        for bad in [
            "",
            "app.example/cb",
            "http://app.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:x/cb",
            "https://user@app.example/cb",
            "https:///cb",
            "https://app.example/cb#x",
            "https://*.app.example/cb",
            "https://app.example/c b",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/cb",
            "com.example.app:cb",
            &format!("https://app.example/{}", "x".repeat(500)),
        ] {
            assert!(!is_redirect(bad), "{bad}");
        }
    }

    #[test]
    fn the_port_of_this_machine_is_free_and_nothing_else_is() {
        assert!(is_same("http://127.0.0.1/cb", "http://127.0.0.1:51234/cb"));
        assert!(is_same("http://[::1]:1/cb", "http://[::1]:2/cb"));
        for (registered, address) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:51234/other"),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://[::1]/cb"),
            ("http://localhost/cb", "http://localhost:51234/cb"),
            ("https://app.example/cb", "https://app.example:444/cb"),
        ] {
            assert!(!is_same(registered, address), "{address}");
        }
    }
}
