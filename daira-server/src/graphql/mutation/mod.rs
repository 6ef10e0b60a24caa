//! What can be changed, one subject a file.

mod account;
mod app;
mod circle;
mod comment;
mod graph;
mod identity;
mod leaving;
mod notification;
mod passkey;
mod phone;
mod post;
mod profile;
mod reaction;
mod record;
mod recovery;
mod second_factor;
mod session;
mod staff;

use async_graphql::MergedObject;

/// What can be changed. Every mutation takes one `input` and answers a payload with `userErrors`.
#[derive(Debug, MergedObject, Default)]
pub struct Mutation(
    account::AccountMutation,
    session::SessionMutation,
    recovery::RecoveryMutation,
    second_factor::SecondFactorMutation,
    passkey::PasskeyMutation,
    identity::IdentityMutation,
    app::AppMutation,
    phone::PhoneMutation,
    leaving::LeavingMutation,
    profile::ProfileMutation,
    graph::GraphMutation,
    circle::CircleMutation,
    post::PostMutation,
    comment::CommentMutation,
    reaction::ReactionMutation,
    notification::NotificationMutation,
    record::RecordMutation,
    staff::StaffMutation,
);
