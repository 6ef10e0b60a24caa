//! CloudEvents 1.0 in binary mode: the attributes that travel beside a payload.

use crate::time::Timestamp;

/// The CloudEvents attributes of an event, as headers `ce_*` beside the protobuf payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The event's id in the log; unique and stable through re-delivery.
    pub id: i64,
    /// Its type, for instance `daira.post.v1.created`.
    pub kind: &'static str,
    /// The raw id of its aggregate.
    pub key: i64,
    /// When it was appended.
    pub time: Timestamp,
}

impl Envelope {
    /// The headers, in the order in which CloudEvents lists the attributes.
    ///
    /// ```
    /// use daira_core::event::Envelope;
    /// use daira_core::time::Timestamp;
    /// let envelope = Envelope { id: 7, kind: "daira.post.v1.created", key: 42, time: Timestamp::EPOCH };
    /// let headers = envelope.headers();
    /// assert_eq!(headers[0], ("ce_specversion", "1.0".to_owned()));
    /// assert_eq!(headers[1], ("ce_id", "7".to_owned()));
    /// ```
    pub fn headers(&self) -> [(&'static str, String); 7] {
        [
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", self.id.to_string()),
            ("ce_source", "/daira".to_owned()),
            ("ce_type", self.kind.to_owned()),
            ("ce_subject", self.key.to_string()),
            ("ce_time", self.time.to_string()),
            ("content-type", "application/protobuf".to_owned()),
        ]
    }
}
