//! The servers that one address names, `postgres://role:…@one:5432,two:5432/daira`: one of them is the primary, and which one may
//! change. The driver knows addresses of one server only, so they are taken apart here.

use core::time::Duration;

use daira_core::error::{Error, ErrorKind, Result};
use futures_util::future::{BoxFuture, FutureExt as _, select_ok};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Row as _};

/// How long a server may take to say whether it is the primary.
const PATIENCE: Duration = Duration::from_secs(2);

/// How to connect to each of the servers, in the order of the address; never empty.
#[derive(Clone)]
pub(super) struct Hosts {
    first: PgConnectOptions,
    others: Vec<PgConnectOptions>,
}

impl Hosts {
    /// Takes an address apart.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for one that is none. The parser's message may hold a password, so it is not passed on.
    pub(super) fn parse(url: &str, operation: &'static str) -> Result<Self> {
        let each: Option<Vec<PgConnectOptions>> = split(url).iter().map(|url| url.parse().ok()).collect();
        let mut each = each.unwrap_or_default().into_iter();
        match each.next() {
            Some(first) => Ok(Self { first, others: each.collect() }),
            None => Err(Error::new(ErrorKind::Internal, operation)),
        }
    }

    /// With something changed in how each is connected to.
    pub(super) fn map(self, change: impl Fn(PgConnectOptions) -> PgConnectOptions) -> Self {
        Self { first: change(self.first), others: self.others.into_iter().map(change).collect() }
    }

    /// The server that is named first.
    pub(super) fn first(&self) -> &PgConnectOptions {
        &self.first
    }

    /// Whether the primary may be on another one.
    pub(super) fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// A connection to the primary, and how it was made. Of several, all are asked at once; of one, whatever it is.
    pub(super) async fn primary(&self) -> sqlx::Result<(PgConnectOptions, PgConnection)> {
        if !self.are_several() {
            return Ok((self.first.clone(), PgConnection::connect_with(&self.first).await?));
        }
        let asked = core::iter::once(&self.first).chain(&self.others);
        let asked: Vec<BoxFuture<'_, sqlx::Result<_>>> = asked.map(|host| ask(host).boxed()).collect();
        Ok(select_ok(asked).await?.0)
    }
}

/// A connection to a server, if it takes writes.
async fn ask(host: &PgConnectOptions) -> sqlx::Result<(PgConnectOptions, PgConnection)> {
    let asking = async {
        let mut connection = PgConnection::connect_with(host).await?;
        if about(&mut connection).await?.is_primary {
            Ok((host.clone(), connection))
        } else {
            Err(sqlx::Error::Io(std::io::Error::other("the server is a replica")))
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.map_err(|_| sqlx::Error::PoolTimedOut)?
}

/// What a server says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct About {
    /// Whether it takes writes.
    pub(super) is_primary: bool,
    /// When it was started, as it writes that.
    pub(super) started: String,
}

/// Asks a server about itself.
pub(super) async fn about(connection: &mut PgConnection) -> sqlx::Result<About> {
    let asked = "select not pg_is_in_recovery(), pg_postmaster_start_time()::text";
    let told = sqlx::raw_sql(asked).fetch_one(connection).await?;
    Ok(About { is_primary: told.try_get(0)?, started: told.try_get(1)? })
}

/// The address of each server that an address names.
fn split(url: &str) -> Vec<String> {
    let whole = || vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return whole() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (who, hosts) = authority.rsplit_once('@').map_or(("", authority), |(who, hosts)| (who, hosts));
    let at = if who.is_empty() { "" } else { "@" };
    hosts.split(',').map(|host| format!("{scheme}://{who}{at}{host}{path}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_one_server_or_several() {
        for (url, each) in [
            (
                "postgres://app:a,b%40c@one/daira?sslmode=require",
                &["postgres://app:a,b%40c@one/daira?sslmode=require"][..],
            ),
            (
                "postgres://app:x@one:5432,[::1]:5433,three/daira?a=b,c",
                &[
                    "postgres://app:x@one:5432/daira?a=b,c",
                    "postgres://app:x@[::1]:5433/daira?a=b,c",
                    "postgres://app:x@three/daira?a=b,c",
                ],
            ),
            ("postgres:///daira?host=/run/postgresql", &["postgres:///daira?host=/run/postgresql"]),
            ("nowhere", &["nowhere"]),
        ] {
            assert_eq!(split(url), each, "{url}");
        }
        let hosts = Hosts::parse("postgres://app:x@one:1,two:2/daira", "test").unwrap();
        assert_eq!((hosts.first().get_host(), hosts.first().get_port()), ("one", 1));
        assert_eq!((hosts.others[0].get_host(), hosts.others[0].get_port()), ("two", 2));
        assert!(hosts.are_several());
        let refused = Hosts::parse("postgres://app:hunter2@one:1,two:port/daira", "test").map(drop).unwrap_err();
        assert!(!format!("{refused:?}").contains("hunter"));
    }
}
