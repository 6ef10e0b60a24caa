//! Delivery to people outside the platform: adapters of the [`Channel`](daira_core::port::Channel) port.

mod compose;
mod folder_mail;
mod smtp_mail;

pub use folder_mail::FolderMail;
pub use smtp_mail::SmtpMail;
