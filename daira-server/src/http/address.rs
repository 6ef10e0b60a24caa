//! The network address of a client, as far as it can be believed.
//!
//! `X-Forwarded-For` is a list that every proxy adds to at its end, and whose beginning anybody can make up. It is read from
//! the end, and only as long as what wrote it is one of our own proxies: the first address that is not is the client's.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;
use tonic::transport::server::TcpConnectInfo;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client behind a request; none when the request did not come over a network.
pub(crate) fn client_address(extensions: &Extensions, headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let http = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let peer = http.or_else(|| extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr))?;
    let mut client = peer.ip().to_canonical();
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut told = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    while proxies.iter().any(|proxy| proxy.contains(&client)) {
        // What a proxy of ours wrote is an address; anything else ends what can be believed.
        let Some(next) = told.next().and_then(address) else { break };
        client = next;
    }
    Some(client)
}

/// An address as proxies write it, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4_000)));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let proxies = ["10.0.0.0/8", "2001:db8:aa::/48"].map(|net| net.parse().unwrap());
        client_address(&extensions, &headers, &proxies).unwrap().to_string()
    }

    #[test]
    fn security_80_only_our_own_proxies_are_believed() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9", "anybody can send the header");
        assert_eq!(client("10.1.2.3", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            client("10.1.2.3", &["192.0.2.66, 198.51.100.1"]),
            "198.51.100.1",
            "what is in front may be made up"
        );
        assert_eq!(client("10.1.2.3", &["192.0.2.66, 198.51.100.1, 10.9.9.9"]), "198.51.100.1", "two proxies of ours");
        assert_eq!(client("10.1.2.3", &["192.0.2.66", "198.51.100.1"]), "198.51.100.1", "in several lines");
        assert_eq!(client("2001:db8:aa::1", &["2001:db8:bb::7"]), "2001:db8:bb::7");
        assert_eq!(client("::ffff:10.1.2.3", &["[2001:db8:bb::7]:443"]), "2001:db8:bb::7");
        assert_eq!(client("10.1.2.3", &["198.51.100.1:5555"]), "198.51.100.1");
        for nothing in ["", "unknown", "198.51.100.1, localhost", "999.1.1.1", ",", "\t"] {
            assert_eq!(client("10.1.2.3", &[nothing]), "10.1.2.3", "{nothing:?}");
        }
        assert_eq!(client("10.1.2.3", &[&"10.0.0.1,".repeat(1_000)]), "10.1.2.3");
    }

    #[test]
    fn without_a_network_there_is_no_address() {
        assert_eq!(client_address(&Extensions::new(), &HeaderMap::new(), &[]), None);
    }
}
