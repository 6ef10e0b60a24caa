//! Between the kernel's types and the contracts' messages.

use daira_core::account::{Passkey, Profile, ProfileCounters, Tokens};
use daira_core::actor::Actor;
use daira_core::error::{CommonRefusal, Error, Result};
use daira_core::post::{Attachment, PostCard, ReplyRule, Visibility};
use daira_core::proto::{account::v1 as account, post::v1 as post};
use daira_core::reaction::ReactionKind;
use daira_core::secret::Secret;

use super::caller::id;

pub(super) fn profile(profile: &Profile, counters: ProfileCounters) -> account::Profile {
    account::Profile {
        id: profile.id.to_string(),
        handle: profile.handle.as_str().to_owned(),
        name: profile.name.clone(),
        bio: profile.bio.clone(),
        links: profile.links.clone(),
        private: profile.private,
        posts: counters.posts,
        followers: counters.followers,
        following: counters.following,
        created_at: profile.created_at.to_string(),
    }
}

pub(super) fn tokens(tokens: &Tokens) -> account::Tokens {
    account::Tokens {
        access_token: tokens.access.expose().to_owned(),
        refresh_token: tokens.refresh.expose().to_owned(),
        access_expires_at: tokens.access_expires_at.to_string(),
    }
}

pub(super) fn passkey(passkey: &Passkey) -> account::Passkey {
    account::Passkey {
        id: passkey.id.to_string(),
        name: passkey.name.clone(),
        created_at: passkey.created_at.to_string(),
        last_used_at: passkey.used_at.map(|at| at.to_string()).unwrap_or_default(),
    }
}

/// Codes, to be shown this once.
pub(super) fn texts(codes: &[Secret]) -> Vec<String> {
    codes.iter().map(|code| code.expose().to_owned()).collect()
}

/// A post for a reader; only its author learns which circle it is for.
pub(super) fn post(card: &PostCard, reader: &Actor, counters: ProfileCounters) -> post::Post {
    let (kind, circle) = match card.post.visibility {
        Visibility::Public => (post::Visibility::Public, None),
        Visibility::Followers => (post::Visibility::Followers, None),
        Visibility::Circle(circle) => (post::Visibility::Circle, Some(circle)),
        Visibility::Mentioned => (post::Visibility::Mentioned, None),
        Visibility::Private => (post::Visibility::Private, None),
        Visibility::Unlisted => (post::Visibility::Unlisted, None),
    };
    let own = reader.profile() == Some(card.post.author);
    post::Post {
        id: card.post.id.to_string(),
        author: Some(profile(&card.author, counters)),
        text: card.post.text.clone(),
        visibility: kind.into(),
        circle_id: circle.filter(|_| own).map(|c| c.to_string()).unwrap_or_default(),
        replies: match card.post.replies {
            ReplyRule::Everyone => post::ReplyRule::Everyone,
            ReplyRule::Followers => post::ReplyRule::Followers,
            ReplyRule::Following => post::ReplyRule::Following,
            ReplyRule::Mentioned => post::ReplyRule::Mentioned,
            ReplyRule::Nobody => post::ReplyRule::Nobody,
        }
        .into(),
        media: card
            .post
            .media
            .iter()
            .map(|a| post::Attachment { media_id: a.media.to_string(), alt: a.alt.clone() })
            .collect(),
        warning: card.post.warning.clone().unwrap_or_default(),
        reactions: card.counters.reactions,
        comments: card.counters.comments,
        viewer_reaction: card.viewer_reaction.map_or(post::ReactionKind::Unspecified, reaction_out).into(),
        created_at: card.post.created_at().to_string(),
        edited_at: card.post.edited_at.map(|t| t.to_string()).unwrap_or_default(),
        version: card.post.version,
    }
}

pub(super) fn visibility(kind: i32, circle: &str) -> Result<Visibility> {
    let kind = post::Visibility::try_from(kind).map_err(|_| Error::from(CommonRefusal::Id).on_field("visibility"))?;
    Ok(match kind {
        post::Visibility::Unspecified | post::Visibility::Public => Visibility::Public,
        post::Visibility::Followers => Visibility::Followers,
        post::Visibility::Circle => Visibility::Circle(id(circle, "circle_id")?),
        post::Visibility::Mentioned => Visibility::Mentioned,
        post::Visibility::Private => Visibility::Private,
        post::Visibility::Unlisted => Visibility::Unlisted,
    })
}

pub(super) fn replies(rule: i32) -> Result<ReplyRule> {
    let rule = post::ReplyRule::try_from(rule).map_err(|_| Error::from(CommonRefusal::Id).on_field("replies"))?;
    Ok(match rule {
        post::ReplyRule::Unspecified | post::ReplyRule::Everyone => ReplyRule::Everyone,
        post::ReplyRule::Followers => ReplyRule::Followers,
        post::ReplyRule::Following => ReplyRule::Following,
        post::ReplyRule::Mentioned => ReplyRule::Mentioned,
        post::ReplyRule::Nobody => ReplyRule::Nobody,
    })
}

pub(super) fn attachments(media: Vec<post::Attachment>) -> Result<Vec<Attachment>> {
    media.into_iter().map(|a| Ok(Attachment { media: id(&a.media_id, "media.media_id")?, alt: a.alt })).collect()
}

/// The kind of a reaction; nothing takes it back.
pub(super) fn reaction(kind: i32) -> Result<Option<ReactionKind>> {
    let kind = post::ReactionKind::try_from(kind).map_err(|_| Error::from(CommonRefusal::Id).on_field("kind"))?;
    Ok(match kind {
        post::ReactionKind::Unspecified => None,
        post::ReactionKind::Like => Some(ReactionKind::Like),
        post::ReactionKind::Love => Some(ReactionKind::Love),
        post::ReactionKind::Laugh => Some(ReactionKind::Laugh),
        post::ReactionKind::Sad => Some(ReactionKind::Sad),
        post::ReactionKind::Angry => Some(ReactionKind::Angry),
    })
}

fn reaction_out(kind: ReactionKind) -> post::ReactionKind {
    match kind {
        ReactionKind::Like => post::ReactionKind::Like,
        ReactionKind::Love => post::ReactionKind::Love,
        ReactionKind::Laugh => post::ReactionKind::Laugh,
        ReactionKind::Sad => post::ReactionKind::Sad,
        ReactionKind::Angry => post::ReactionKind::Angry,
        _ => post::ReactionKind::Unspecified,
    }
}
