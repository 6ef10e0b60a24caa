//! The messages of `graphql-transport-ws`, and the codes that a connection is closed with.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use serde_json::value::RawValue;

use crate::graphql::Answer;
use crate::http::incoming::Parameters;

/// The longest id of an operation.
const MAX_ID: usize = 128;

/// What a client says.
#[derive(Debug, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    /// Who it is.
    ConnectionInit {
        #[serde(default)]
        payload: Option<Init>,
    },
    /// Whether somebody is there.
    Ping,
    /// That it is there.
    Pong,
    /// An operation that it wants answered.
    Subscribe { id: String, payload: Parameters },
    /// That it wants no more answers.
    Complete { id: String },
}

/// Who a client is.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Init {
    /// As the header of that name: `Bearer …`.
    #[serde(alias = "Authorization")]
    pub(super) authorization: Option<String>,
    /// As the header of that name.
    #[serde(alias = "Accept-Language")]
    pub(super) accept_language: Option<String>,
}

impl Said {
    /// Reads a message; nothing for what is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let said: Self = serde_json::from_str(text).ok()?;
        let is_id = |id: &str| (1..=MAX_ID).contains(&id.len());
        match &said {
            Self::Subscribe { id, .. } | Self::Complete { id } if !is_id(id) => None,
            _ => Some(said),
        }
    }
}

/// Why a connection is closed: the protocol's codes where it has one, else those of RFC 6455 after which clients come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The client said what is no message.
    Invalid,
    /// It asked before it said who it is, or its session has ended.
    Unauthorized,
    /// Its token does not hold (any more): a new one may.
    Forbidden,
    /// It did not say who it is in time.
    InitTimeout,
    /// It asked twice under one id.
    Duplicate,
    /// It said twice who it is.
    SecondInit,
    /// What it said is larger than any request may be.
    TooLarge,
    /// It does not listen, says nothing, or the server cannot tell which sessions live: it may come again.
    Later,
    /// The server goes.
    Restart,
}

impl Close {
    /// The frame that says so; `of` is the operation it is about.
    pub(super) fn frame(self, of: &str) -> Message {
        let (code, reason) = match self {
            Self::Invalid => (4400, "Invalid message".into()),
            Self::Unauthorized => (4401, "Unauthorized".into()),
            Self::Forbidden => (4403, "Forbidden".into()),
            Self::InitTimeout => (4408, "Connection initialisation timeout".into()),
            Self::Duplicate => (4409, duplicate(of)),
            Self::SecondInit => (4429, "Too many initialisation requests".into()),
            Self::TooLarge => (1009, "Message too big".into()),
            Self::Later => (1013, "Try again later".into()),
            Self::Restart => (1012, "Service restart".into()),
        };
        Message::Close(Some(CloseFrame { code, reason }))
    }
}

/// A reason holds 123 bytes at most.
fn duplicate(id: &str) -> Utf8Bytes {
    let id = id.get(..id.floor_char_boundary(80)).unwrap_or_default();
    format!("Subscriber for {id} already exists").into()
}

#[derive(serde::Serialize)]
struct Told<'a> {
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
}

fn told(kind: &str, id: Option<&str>, payload: Option<&RawValue>) -> Message {
    // Texts always serialise.
    let text = serde_json::to_string(&Told { r#type: kind, id, payload }).unwrap_or_default();
    Message::Text(text.into())
}

/// The client is known and may ask.
pub(super) fn ack() -> Message {
    told("connection_ack", None, None)
}

/// Somebody is there.
pub(super) fn pong() -> Message {
    told("pong", None, None)
}

/// One answer to an operation.
pub(super) fn next(id: &str, answer: &Answer) -> Message {
    let payload = serde_json::from_slice::<&RawValue>(&answer.body).ok();
    told("next", Some(id), payload)
}

/// An operation that was refused before there was anything to answer: its errors alone.
pub(super) fn error(id: &str, answer: &Answer) -> Message {
    #[derive(serde::Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        errors: Option<&'a RawValue>,
    }
    let errors = serde_json::from_slice::<Body<'_>>(&answer.body).ok().and_then(|body| body.errors);
    told("error", Some(id), errors)
}

/// There are no more answers.
pub(super) fn complete(id: &str) -> Message {
    told("complete", Some(id), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_are_read() {
        for good in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"connection_init","payload":{"authorization":"Bearer x","other":[1]}}"#,
            r#"{"type":"ping","payload":{"a":1}}"#,
            r#"{"type":"pong"}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#,
            r#"{"type":"complete","id":"1"}"#,
        ] {
            assert!(Said::read(good).is_some(), "{good}");
        }
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "x".repeat(129));
        for bad in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"type":"start","id":"1"}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            long.as_str(),
        ] {
            assert!(Said::read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn reasons_fit_their_frame() {
        for id in ["1".repeat(128), "ع".repeat(64)] {
            let Message::Close(Some(frame)) = Close::Duplicate.frame(&id) else { panic!("no close") };
            assert!(frame.code == 4409 && frame.reason.len() <= 123, "{}", frame.reason);
        }
    }
}
