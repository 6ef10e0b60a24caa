//! Addresses of Redis: which way it is set up, and where.

use daira_core::error::{Error, ErrorKind, Result};
use redis::{ConnectionInfo, IntoConnectionInfo};

/// How Redis is set up, and where its parts are.
#[derive(Debug)]
pub(super) enum Address {
    /// One server.
    One(Box<ConnectionInfo>),
    /// Sentinels, the name of the master that they watch, and how to log in there.
    Sentinel { sentinels: Vec<ConnectionInfo>, master: String, login: Login },
    /// Nodes of a cluster.
    Cluster { nodes: Vec<ConnectionInfo>, login: Login },
}

/// A name and a password, as far as they are wanted.
#[derive(Default)]
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

impl core::fmt::Debug for Login {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Login(…)")
    }
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// With what is wrong with it; the address itself, which may hold a password, is not repeated.
    pub(super) fn read(text: &str) -> Result<Self> {
        if let Some(rest) = text.strip_prefix("redis+cluster://") {
            let (login, hosts) = split_login(rest)?;
            return Ok(Self::Cluster { nodes: all(hosts)?, login });
        }
        if let Some(rest) = text.strip_prefix("redis+sentinel://") {
            let (login, rest) = split_login(rest)?;
            let (hosts, master) = rest.split_once('/').filter(|(_, master)| !master.is_empty()).ok_or_else(|| {
                wrong(
                    "after the sentinels comes the name of the master that they watch: redis+sentinel://host:port/name",
                )
            })?;
            return Ok(Self::Sentinel { sentinels: all(hosts)?, master: master.to_owned(), login });
        }
        if text.starts_with("rediss://") {
            return Err(wrong("TLS is not built in: put redis://host:port behind a tunnel or a private network"));
        }
        let info = text.into_connection_info();
        info.map(|info| Self::One(Box::new(info))).map_err(|_| wrong("redis://host:port[/database] was expected"))
    }
}

/// The log-in before the hosts, read as in any other URL, and what comes behind it.
fn split_login(rest: &str) -> Result<(Login, &str)> {
    let Some((login, rest)) = rest.rsplit_once('@') else { return Ok((Login::default(), rest)) };
    let info = format!("redis://{login}@host").into_connection_info();
    let info = info.map_err(|_| wrong("user:password@host:port was expected, percent-encoded"))?;
    let settings = info.redis_settings();
    let login =
        Login { user: settings.username().map(str::to_owned), password: settings.password().map(str::to_owned) };
    Ok((login, rest))
}

fn all(hosts: &str) -> Result<Vec<ConnectionInfo>> {
    let read = |host: &str| format!("redis://{host}").into_connection_info();
    hosts.split(',').map(|host| read(host).map_err(|_| wrong("host:port,host:port was expected"))).collect()
}

fn wrong(told: &'static str) -> Error {
    Error::new(ErrorKind::Internal, "redis.address").with_source(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_set_it_up_has_an_address() {
        assert!(matches!(Address::read("redis://127.0.0.1:6379/3").unwrap(), Address::One(_)));
        let Address::Cluster { nodes, login } = Address::read("redis+cluster://u:p%40ss@a:1,b:2,c:3").unwrap() else {
            panic!("no cluster");
        };
        assert_eq!((nodes.len(), login.user.as_deref(), login.password.as_deref()), (3, Some("u"), Some("p@ss")));
        let Address::Sentinel { sentinels, master, login } =
            Address::read("redis+sentinel://:p@a:1,b:2/daira").unwrap()
        else {
            panic!("no sentinels");
        };
        assert_eq!((sentinels.len(), master.as_str(), login.user), (2, "daira", None));
    }

    #[test]
    fn what_is_no_address_is_told_without_its_password() {
        for text in [
            "",
            "127.0.0.1:6379",
            "http://user:hunter2@host",
            "redis+sentinel://:hunter2@host:1",
            "redis+sentinel://host:1/",
            "redis+cluster://:hunter2@host:notaport",
            "rediss://:hunter2@host:1",
        ] {
            let error = Address::read(text).unwrap_err();
            let cause = core::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains("host:port") && !cause.contains("hunter2"), "{text}: {cause}");
        }
    }
}
