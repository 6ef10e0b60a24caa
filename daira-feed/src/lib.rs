#![doc = include_str!("../README.md")]

pub mod cursor;
pub mod explain;
pub mod rank;
mod recorder;
mod service;
mod settings;

pub use recorder::PageRecorder;
pub use service::{FeedItem, FeedPage, FeedRefusal, FeedService};
pub use settings::FeedSettings;
