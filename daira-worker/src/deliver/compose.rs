//! A message as a mail of the internet.

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Mail};

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::Message;

/// Reads the sender of all mails, `Name <name@host>`; the name may be in any script.
pub(super) fn sender(from: &str) -> Result<Mailbox> {
    let (name, address) = match from.trim().strip_suffix('>').and_then(|inner| inner.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"').to_owned()), address),
        None => (None, from.trim()),
    };
    let address = address.parse().map_err(|error| Error::new(ErrorKind::Internal, "mail.from").with_source(error))?;
    Ok(Mailbox::new(name.filter(|name| !name.is_empty()), address))
}

/// The mail, in seven bits whatever its script. The host of the message's id is the sender's.
pub(super) fn mail(from: &Mailbox, message: &Message) -> Result<Mail> {
    Mail::builder()
        .from(from.clone())
        .to(message.to.expose().parse().map_err(|_| Error::new(ErrorKind::Corrupt, "mail.address"))?)
        .subject(&message.subject)
        .message_id(Some(format!("<{}@{}>", message.key, from.email.domain())))
        .header(ContentType::TEXT_PLAIN)
        .body(message.text.expose().to_owned())
        .map_err(|error| Error::new(ErrorKind::Internal, "mail.compose").with_source(error))
}
