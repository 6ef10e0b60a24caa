//! Delivery to people outside the platform: adapters of the [`Channel`](daira_core::port::Channel) and
//! [`PhoneChannel`](daira_core::port::PhoneChannel) ports.

#[cfg(feature = "mail")]
mod compose;
#[cfg(feature = "mail")]
mod folder_mail;
#[cfg(feature = "phone")]
mod phone;
#[cfg(feature = "mail")]
mod smtp_mail;

#[cfg(feature = "mail")]
pub use folder_mail::FolderMail;
#[cfg(feature = "phone")]
pub use phone::{FlashCall, FolderPhone, Sms, WhatsApp};
#[cfg(feature = "mail")]
pub use smtp_mail::SmtpMail;
