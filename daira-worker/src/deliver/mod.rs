//! Delivery to people outside the platform: adapters of the [`Channel`](daira_core::port::Channel) port.

mod folder_mail;

pub use folder_mail::FolderMail;
