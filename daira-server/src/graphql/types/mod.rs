//! The types of the schema, one subject a file. Each wraps what a use case or a read view gave and shows what is public.

pub(super) mod app;
pub(super) mod circle;
pub(super) mod comment;
pub(super) mod feed;
pub(super) mod hashtag;
pub(super) mod identity;
pub(super) mod me;
pub(super) mod media;
pub(super) mod node;
pub(super) mod notification;
pub(super) mod post;
pub(super) mod profile;
pub(super) mod reaction;
pub(super) mod record;
pub(super) mod scalar;
pub(super) mod search;
pub(super) mod staff;
