//! Requests to servers of others: encrypted unless they are on this machine, within a time, with an answer of a bounded size, and
//! sent on to nowhere else.

use core::net::IpAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioExecutor;
use tower::Service;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;

pub(crate) type Body = Full<Bytes>;

/// Sends requests.
#[derive(Clone)]
pub(crate) struct Outgoing {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Body>,
    patience: Duration,
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Outgoing {
    /// To whatever the operator named, waiting so long for an answer.
    #[cfg(feature = "phone")]
    pub(crate) fn new(patience: Duration) -> Self {
        Self::over(Resolver { inner: GaiResolver::new(), inside: None }, patience)
    }

    /// To one host that the operator named, and besides to nobody inside a private network.
    #[cfg(feature = "identities")]
    pub(crate) fn beside(host: &str, patience: Duration) -> Self {
        Self::over(Resolver { inner: GaiResolver::new(), inside: Some(host.into()) }, patience)
    }

    fn over(resolver: Resolver, patience: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        let builder = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1();
        Self { client: Client::builder(TokioExecutor::new()).build(builder.wrap_connector(http)), patience }
    }

    /// Waits this long for an answer.
    #[cfg(feature = "phone")]
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a request; fails with what is wrong with the server, without its address.
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Answer, &'static str> {
        let answered = async {
            let response = self.client.request(request).await.map_err(|_| "the provider cannot be reached")?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
            let body = body.map_err(|_| "the provider's answer broke off, or has no end")?.to_bytes();
            Ok(Answer { status, body })
        };
        tokio::time::timeout(self.patience, answered).await.unwrap_or(Err("no answer in time"))
    }
}

/// An address that may be asked: encrypted, or on this machine; fails with what is wrong with it, without repeating it.
pub(crate) fn address(url: &str) -> Result<Uri, &'static str> {
    let url: Uri = url.parse().map_err(|_| "its address is none")?;
    let host = host_of(&url).ok_or("its address names no host")?;
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme_str() {
        Some("https") => Ok(url),
        Some("http") if is_here => Ok(url),
        _ => Err("its address takes `https://`"),
    }
}

/// The host of an address, without the brackets of a number.
pub(crate) fn host_of(url: &Uri) -> Option<&str> {
    url.host().map(|host| host.trim_matches(['[', ']']))
}

/// Whether a number is of a host that anybody can reach: not of this machine, and not of a private network.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            let is_special = v4.is_loopback() || v4.is_link_local() || v4.is_broadcast() || v4.is_documentation();
            !(v4.is_private()
                || is_special
                || is_shared
                || a == 0
                || a >= 224
                || (a == 192 && b == 0)
                || (a == 198 && b & 0xfe == 18))
        }
        // Global unicast, without the numbers that stand for IPv4 ones (NAT64 is outside of it, 6to4 and Teredo are not).
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            a & 0xe000 == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8))
        }
    }
}

/// Looks names up, and leaves out what is inside a private network unless the name is that of the one host that may be there.
#[derive(Clone)]
struct Resolver {
    inner: GaiResolver,
    inside: Option<Arc<str>>,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<core::net::SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let is_bound = self.inside.as_ref().is_some_and(|inside| !inside.eq_ignore_ascii_case(name.as_str()));
        let found = self.inner.call(name);
        Box::pin(async move {
            let may_be_asked = |at: &core::net::SocketAddr| !is_bound || is_public(at.ip());
            Ok(found.await?.filter(may_be_asked).collect::<Vec<_>>().into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encrypted_or_here() {
        for good in ["https://id.example/x", "http://127.0.0.1:9/", "http://[::1]:9", "http://localhost/a"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["http://id.example", "ftp://127.0.0.1/", "id.example", "", "https://", "file:///etc/passwd", "\n"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn security_108_numbers_of_private_networks_are_told_from_public_ones() {
        for public in ["8.8.8.8", "41.32.0.1", "2a00:1450::1", "100.63.0.1", "172.32.0.1", "198.17.0.1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:0:1::",
            "2001:db8::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[tokio::test]
    async fn security_108_a_name_that_leads_inside_leads_nowhere() {
        let look_up = async |inside: Option<&str>| {
            let mut resolver = Resolver { inner: GaiResolver::new(), inside: inside.map(Into::into) };
            resolver.call("localhost".parse().unwrap()).await.unwrap().count()
        };
        assert!(look_up(None).await > 0 && look_up(Some("LOCALHOST")).await > 0);
        assert_eq!(look_up(Some("id.example")).await, 0);
    }
}
