//! A client that says exactly what it is told to, over a connection of its own, and pictures to send with it.

use std::fmt::Write as _;
use std::io::{Cursor, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &'_ &str| line.split_once(':').is_some_and(|(n, _)| n.eq_ignore_ascii_case(name));
        self.head.lines().find(named)?.split_once(':').map(|(_, value)| value.trim())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, String::from_utf8_lossy(&self.body)))
    }
}

/// Sends a request line, headers and a body as they are, and reads the answer.
pub(crate) fn send(to: SocketAddr, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    try_send(to, line, headers, body).unwrap_or_else(|error| panic!("no answer to {line}: {error}"))
}

/// The same where there may be no answer.
pub(crate) fn try_send(to: SocketAddr, line: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<Answer> {
    let mut head = format!("{line} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        write!(head, "content-length: {}\r\n", body.len()).unwrap();
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(to)?;
    stream.write_all(head.as_bytes())?;
    // A server that refuses early does not read on.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else {
        return Err(ended.err().unwrap_or_else(|| std::io::ErrorKind::UnexpectedEof.into()));
    };
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, head, body: answer.split_off(end + 4) })
}

/// A photo as a phone takes it: 64 × 32 pixels, to be turned by 90 degrees, with the place where it was taken.
pub(crate) fn photo() -> Vec<u8> {
    let picture =
        image::RgbImage::from_fn(64, 32, |x, y| image::Rgb([x.to_le_bytes()[0] * 4, y.to_le_bytes()[0] * 8, 90]));
    let mut plain = Cursor::new(Vec::new());
    picture.write_to(&mut plain, image::ImageFormat::Jpeg).unwrap();
    let plain = plain.into_inner();
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &count.to_be_bytes(), &value].concat()
    };
    // Two tables of entries: the picture's (two of 12 bytes, from 8 on), and the place's (from 38 on, values from 68 on).
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x02".to_vec();
    exif.extend(entry(0x0112, 3, 1, [0, 6, 0, 0]));
    exif.extend(entry(0x8825, 4, 1, [0, 0, 0, 38]));
    exif.extend([0; 4]);
    exif.extend([0, 2]);
    exif.extend(entry(1, 2, 2, *b"N\0\0\0"));
    exif.extend(entry(2, 5, 3, [0, 0, 0, 68]));
    exif.extend([0; 4]);
    for part in [30u32, 1, 2, 1, 40, 1] {
        exif.extend(part.to_be_bytes());
    }
    let length = u16::try_from(exif.len() + 2).unwrap();
    [&plain[..2], &[0xff, 0xe1], &length.to_be_bytes(), &exif, &plain[2..]].concat()
}

/// A picture of plain colour.
pub(crate) fn picture(format: image::ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(40, 30, image::Rgb([12, 90, 200])).write_to(&mut out, format).unwrap();
    out.into_inner()
}
