//! Requests over loopback: a few connections that are kept alive, each asking again as soon as it has its answer.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// No more requests than this in one run, whatever the time.
const MAX_REQUESTS: usize = 200_000;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; 256 << 10] })
    }

    /// Sends a request and gives the answer's status and body.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request)?;
        let (mut filled, mut head) = (0, None);
        loop {
            let free = self.buffer.get_mut(filled..).filter(|free| !free.is_empty()).context("too long an answer")?;
            let read = self.stream.read(free)?;
            ensure!(read > 0, "the connection was closed");
            filled += read;
            let so_far = self.buffer.get(..filled).unwrap_or_default();
            if head.is_none() {
                head = parse(so_far)?;
            }
            if let Some((status, from, length)) = head
                && filled >= from + length
            {
                return Ok((status, self.buffer.get(from..from + length).unwrap_or_default()));
            }
        }
    }
}

/// Status, where the body begins, and its length, once the whole head is there.
fn parse(answer: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Ok(Some((status, end + 4, length.context("an answer without a length")?)))
}

/// A request, ready to be sent.
pub(super) fn request(address: SocketAddr, method: &str, path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: application/json\r\n\
         {token}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What is asked, and how.
pub(super) struct Load {
    /// The requests, taken in turn, with the address they go to.
    pub(super) asks: Vec<(SocketAddr, Vec<u8>)>,
    pub(super) connections: usize,
}

/// How it went.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    pub(super) requests: u64,
    pub(super) took: Duration,
    /// Ascending.
    pub(super) latencies: Vec<Duration>,
    pub(super) bytes: u64,
    /// How often each of the requests was sent.
    pub(super) by_ask: Vec<u64>,
}

impl Measured {
    /// The latency that so many of a hundred requests stay below.
    pub(super) fn percentile(&self, of_hundred: usize) -> Duration {
        let at = self.latencies.len().saturating_sub(1) * of_hundred / 100;
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

impl Load {
    /// Asks for so long. An answer that is not 200, or holds errors, ends everything.
    pub(super) fn run(&self, time: Duration) -> Result<Measured> {
        ensure!(!self.asks.is_empty(), "nothing to ask");
        let next = AtomicUsize::new(0);
        let began = Instant::now();
        let parts: Vec<Result<Measured>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..self.connections).map(|_| scope.spawn(|| self.connection(&next, began + time))).collect();
            threads.into_iter().map(|t| t.join().unwrap_or_else(|_| bail!("a connection's thread panicked"))).collect()
        });
        let mut all = Measured { took: began.elapsed(), by_ask: vec![0; self.asks.len()], ..Measured::default() };
        for part in parts {
            let part = part?;
            all.requests += part.requests;
            all.bytes += part.bytes;
            all.latencies.extend(part.latencies);
            for (sum, more) in all.by_ask.iter_mut().zip(part.by_ask) {
                *sum += more;
            }
        }
        all.latencies.sort_unstable();
        Ok(all)
    }

    fn connection(&self, next: &AtomicUsize, until: Instant) -> Result<Measured> {
        let mut part = Measured { by_ask: vec![0; self.asks.len()], ..Measured::default() };
        let mut connection = None;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= MAX_REQUESTS || Instant::now() >= until {
                return Ok(part);
            }
            let at = number % self.asks.len();
            let (address, request) = self.asks.get(at).context("no such request")?;
            let connection = match &mut connection {
                Some(open) => open,
                none => none.insert(Connection::open(*address)?),
            };
            let began = Instant::now();
            let (status, body) = connection.ask(request)?;
            part.latencies.push(began.elapsed());
            if status != 200 || is_wrong(body) {
                bail!("answered with {status}: {}", String::from_utf8_lossy(body.get(..500).unwrap_or(body)));
            }
            part.requests += 1;
            part.bytes += body.len() as u64;
            if let Some(count) = part.by_ask.get_mut(at) {
                *count += 1;
            }
        }
    }
}

/// Errors come before data in our answers.
fn is_wrong(body: &[u8]) -> bool {
    !body.starts_with(b"{\"data\":{")
}

/// Sends one request over a connection of its own.
pub(super) fn once(address: SocketAddr, request: &[u8]) -> Result<(u16, Value)> {
    let mut connection = Connection::open(address)?;
    let (status, body) = connection.ask(request)?;
    Ok((status, serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_once_they_are_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nvary: accept\r\n\r\nhello";
        assert_eq!(parse(answer).unwrap(), Some((200, answer.len() - 5, 12)));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\ncontent-").unwrap(), None);
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn percentiles_are_taken_from_what_there_is() {
        let latencies = (1..=200).map(Duration::from_millis).collect();
        let measured = Measured { latencies, ..Measured::default() };
        assert_eq!([50, 99].map(|p| measured.percentile(p).as_millis()), [100, 198]);
        assert_eq!(Measured::default().percentile(99), Duration::ZERO);
    }
}
