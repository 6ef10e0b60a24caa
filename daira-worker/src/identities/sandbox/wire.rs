//! As much of HTTP/1.1 as the sandbox speaks: one request a connection.

use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;
use url::form_urlencoded::parse;

/// The longest request that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// What is asked for.
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    /// The client and its secret.
    pub(super) basic: Option<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What is answered; nothing where nobody ever is.
pub(super) struct Reply(Option<(u16, Option<String>, String)>);

impl Reply {
    pub(super) fn json(value: &Value) -> Self {
        Self(Some((200, None, value.to_string())))
    }
    pub(super) fn text(text: String) -> Self {
        Self(Some((200, None, text)))
    }
    pub(super) fn status(status: u16) -> Self {
        Self(Some((status, None, String::new())))
    }
    pub(super) fn refused(status: u16, error: &str) -> Self {
        Self(Some((status, None, serde_json::json!({ "error": error }).to_string())))
    }
    pub(super) fn redirect(to: String) -> Self {
        Self(Some((302, Some(to), String::new())))
    }
    pub(super) fn never() -> Self {
        Self(None)
    }
}

/// Answers whoever comes, until it is dropped.
pub(super) async fn serve(listener: TcpListener, answer: impl Fn(Asked) -> Reply + Send + Sync + 'static) {
    let (answer, mut open) = (Arc::new(answer), JoinSet::new());
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let answer = answer.clone();
        open.spawn(async move {
            // Whoever hangs up has what they wanted.
            let _ = served(stream, answer.as_ref()).await;
        });
        while open.try_join_next().is_some() {}
    }
}

async fn served(mut stream: TcpStream, answer: &(impl Fn(Asked) -> Reply + Send + Sync)) -> Result<()> {
    let asked = read(&mut stream).await?;
    let Some((status, location, body)) = answer(asked).0 else { return core::future::pending().await };
    let location = location.map(|to| format!("location: {to}\r\n")).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status} Sandbox\r\n{location}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

fn broken() -> Error {
    Error::other("no request")
}

async fn read(stream: &mut TcpStream) -> Result<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if bytes.len() > LONGEST || stream.read_buf(&mut bytes).await? == 0 {
            return Err(broken());
        }
    };
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let header = |wanted: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim().to_owned())
    };
    let length = header("content-length").map_or(Ok(0), |text| text.parse::<usize>()).map_err(|_| broken())?;
    while bytes.len() < end + length.min(LONGEST) {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(broken());
        }
    }
    let target = head.split(' ').nth(1).ok_or_else(broken)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let basic = header("authorization").and_then(|text| {
        let pair = BASE64.decode(text.strip_prefix("Basic ")?.as_bytes()).ok()?;
        let (id, secret) =
            core::str::from_utf8(&pair).ok()?.split_once(':').map(|(a, b)| (a.to_owned(), b.to_owned()))?;
        let plain = |text: &str| parse(text.as_bytes()).next().map_or_else(String::new, |(name, _)| name.into_owned());
        Some((plain(&id), plain(&secret)))
    });
    let body = bytes.get(end..).unwrap_or_default().to_vec();
    Ok(Asked { path: path.to_owned(), query: parse(query.as_bytes()).into_owned().collect(), basic, body })
}

/// Where an address sends a browser.
pub(super) async fn location_of(url: &str) -> Result<String> {
    let url = Url::parse(url).map_err(Error::other)?;
    let address = (url.host_str().ok_or_else(broken)?, url.port_or_known_default().ok_or_else(broken)?);
    let mut stream = TcpStream::connect(address).await?;
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: {}\r\n\r\n", address.0).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let found = answer.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned);
    found.ok_or_else(|| Error::other(answer))
}
