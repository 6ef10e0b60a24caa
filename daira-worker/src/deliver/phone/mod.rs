//! Ways to phones: flash calls, WhatsApp and text messages, each by the wire format of a provider, and a folder for building.
//!
//! A provider is told nothing but the number and the code or the words. Of what it answers, numbers alone go into the log:
//! sentences of theirs repeat the number.

mod flash_call;
mod folder;
mod post;
mod sms;
mod whatsapp;

pub use flash_call::FlashCall;
pub use folder::FolderPhone;
pub use sms::Sms;
pub use whatsapp::WhatsApp;

use daira_core::error::{Error, ErrorKind};

/// A refusal for now, with what the operator is told.
fn away(told: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unavailable, "phone.send").with_source(told.into())
}
