//! Use cases of posts: publishing, editing with history, deleting and restoring. Each is one unit of work with its event.
//!
//! Missing posts and those of others get the same answer. Reading has a file of its own, as has the check of what is handed
//! in.

mod content;
mod read;

pub use content::alt_text;

use super::reach::mentioned;
use super::{Attachment, Delivery, Post, PostRefusal, ReplyRule, Revision, Visibility, policy};
use crate::account::Profile;
use crate::actor::Actor;
use crate::checks::{acting, based_on, keyed};
use crate::error::{Error, Result};
use crate::hashtag::tags_of;
use crate::id::{Id, MediaId, PostId, ProfileId};
use crate::idempotency::IdempotencyKey;
use crate::port::store::{CounterField, Lock};
use crate::port::{Ports, UnitOfWork};
use crate::proto::event::v1;
use crate::staff::Target;

/// A post to publish.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CreatePost {
    /// What it says, up to 2,200 characters; beside pictures it may be empty.
    pub text: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Who may comment.
    pub replies: ReplyRule,
    /// Up to ten of the author's uploads that hang on nothing yet.
    pub media: Vec<Attachment>,
    /// A warning to show first, up to 200 characters; an empty one is none.
    pub warning: Option<String>,
}

impl CreatePost {
    /// Words for everybody, which everybody may comment on.
    pub fn public(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            visibility: Visibility::Public,
            replies: ReplyRule::Everyone,
            media: Vec::new(),
            warning: None,
        }
    }
}

/// What a post is to be from now on. Its pictures stay.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EditPost {
    /// What it says, up to 2,200 characters; beside pictures it may be empty.
    pub text: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Who may comment.
    pub replies: ReplyRule,
    /// A warning to show first, up to 200 characters; an empty one is none.
    pub warning: Option<String>,
    /// The version that the edit is based on; with none the edit goes on top of whatever is there.
    pub version: Option<i32>,
}

/// Posts. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct PostService {
    ports: Ports,
}

impl PostService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Publishes a post. Mentions of people who do not exist, or who are hidden from the author, stay plain text.
    ///
    /// # Errors
    /// [`PostRefusal`].
    pub async fn create(&self, actor: &Actor, input: &CreatePost, key: Option<IdempotencyKey>) -> Result<PostId> {
        let member = *actor.member()?;
        let keyed = keyed("post.create", key, input);
        let media = &content::media(&input.media)?;
        let text = &content::text(&input.text, !media.is_empty())?;
        let warning = &content::warning(input.warning.as_deref())?;
        let ports = &self.ports;
        ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = ports.clock.now();
                    let me = acting(&mut *unit, &member, now, PostRefusal::Restricted).await?;
                    own_circle(&mut *unit, &me, input.visibility).await?;
                    let attached: Vec<MediaId> = media.iter().map(|attachment| attachment.media).collect();
                    let media = take_media(&mut *unit, &me, media).await?;
                    let post = Post {
                        id: ports.ids.draw(now, me.id.shard()),
                        author: me.id,
                        text: text.clone(),
                        visibility: input.visibility,
                        replies: input.replies,
                        media,
                        mentions: mentioned(ports, &mut *unit, &me, text).await?,
                        tags: tags_of(text),
                        warning: warning.clone(),
                        delivery: delivery(&mut *unit, me.id, ports.settings.pull_threshold).await?,
                        edited_at: None,
                        deleted_at: None,
                        version: 1,
                    };
                    unit.posts().insert(&post).await?;
                    if !attached.is_empty() {
                        unit.media().attach(&attached, Some(post.id)).await?;
                    }
                    let event = v1::PostCreated {
                        post_id: post.id.raw(),
                        author_id: me.id.raw(),
                        mentioned_ids: raw(&post.mentions),
                        pull: post.delivery == Delivery::Pull,
                        open: post.visibility.is_open(),
                    };
                    unit.journal().append(&[event.into()]).await?;
                    Ok(post.id)
                })
            })
            .await
    }

    /// Changes the own post. What it said before goes into its history; an edit that changes nothing leaves no trace.
    ///
    /// # Errors
    /// [`PostRefusal`], [`CommonRefusal::Stale`](crate::error::CommonRefusal) when it is based on another version, and not found for a post that is
    /// deleted or somebody else's.
    pub async fn edit(&self, actor: &Actor, id: PostId, input: &EditPost, key: Option<IdempotencyKey>) -> Result<()> {
        let member = *actor.member()?;
        let keyed = keyed("post.edit", key, &(id, input));
        let warning = &content::warning(input.warning.as_deref())?;
        let ports = &self.ports;
        ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = ports.clock.now();
                    let me = acting(&mut *unit, &member, now, PostRefusal::Restricted).await?;
                    let before = own_post(&mut *unit, me.id, id).await?;
                    if before.deleted_at.is_some() {
                        return Err(Error::not_found());
                    }
                    based_on(input.version, before.version)?;
                    let mut after = before.clone();
                    after.text = content::text(&input.text, !before.media.is_empty())?;
                    (after.visibility, after.replies) = (input.visibility, input.replies);
                    after.warning.clone_from(warning);
                    if after == before {
                        return Ok(());
                    }
                    if after.visibility != before.visibility {
                        own_circle(&mut *unit, &me, after.visibility).await?;
                    }
                    if after.text != before.text {
                        after.mentions = mentioned(ports, &mut *unit, &me, &after.text).await?;
                        after.tags = tags_of(&after.text);
                    }
                    let reworded = after.text != before.text || after.warning != before.warning;
                    let revision = reworded.then(|| Revision {
                        post: id,
                        version: before.version,
                        text: before.text.clone(),
                        warning: before.warning.clone(),
                        replaced_at: now,
                    });
                    if reworded {
                        after.edited_at = Some(now);
                    }
                    after.version += 1;
                    unit.posts().update(&after, revision.as_ref()).await?;
                    let mut newly = after.mentions.clone();
                    newly.retain(|mention| !before.mentions.contains(mention));
                    let opened = i32::from(after.visibility.is_open()) - i32::from(before.visibility.is_open());
                    let event = v1::PostEdited {
                        post_id: id.raw(),
                        author_id: me.id.raw(),
                        newly_mentioned_ids: raw(&newly),
                        visibility_changed: policy::audience_changed(&before, &after),
                        opened: if is_down(&mut *unit, id).await? { 0 } else { opened },
                    };
                    unit.journal().append(&[event.into()]).await
                })
            })
            .await
    }

    /// Deletes the own post; until [`restore_window`](crate::settings::Settings::restore_window) is over it can be restored.
    /// Deleting it again changes nothing.
    ///
    /// # Errors
    /// Not found for a post that is gone or somebody else's.
    pub async fn delete(&self, actor: &Actor, id: PostId, key: Option<IdempotencyKey>) -> Result<()> {
        let me = actor.member()?.profile;
        let keyed = keyed("post.delete", key, &id);
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let post = own_post(&mut *unit, me, id).await?;
                    if post.deleted_at.is_some() {
                        return Ok(());
                    }
                    let version = post.version + 1;
                    let deleted = Post { deleted_at: Some(clock.now()), version, ..post };
                    unit.posts().update(&deleted, None).await?;
                    let open = deleted.visibility.is_open() && !is_down(&mut *unit, id).await?;
                    let event = v1::PostDeleted { post_id: id.raw(), author_id: me.raw(), open };
                    unit.journal().append(&[event.into()]).await
                })
            })
            .await
    }

    /// Brings the own deleted post back, delivered as a post published now would be. Restoring a living one changes nothing.
    ///
    /// # Errors
    /// [`PostRefusal::RestoreLate`], [`PostRefusal::Restricted`], and not found for a post that is gone or somebody else's.
    pub async fn restore(&self, actor: &Actor, id: PostId, key: Option<IdempotencyKey>) -> Result<()> {
        let member = *actor.member()?;
        let keyed = keyed("post.restore", key, &id);
        let ports = &self.ports;
        ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = ports.clock.now();
                    let me = acting(&mut *unit, &member, now, PostRefusal::Restricted).await?;
                    let post = own_post(&mut *unit, me.id, id).await?;
                    let Some(deleted_at) = post.deleted_at else { return Ok(()) };
                    if !policy::restorable(deleted_at, now, ports.settings.restore_window) {
                        return Err(PostRefusal::RestoreLate.into());
                    }
                    let delivery = delivery(&mut *unit, me.id, ports.settings.pull_threshold).await?;
                    let version = post.version + 1;
                    unit.posts().update(&Post { deleted_at: None, delivery, version, ..post.clone() }, None).await?;
                    let open = post.visibility.is_open() && !is_down(&mut *unit, id).await?;
                    let pull = delivery == Delivery::Pull;
                    let event = v1::PostRestored { post_id: id.raw(), author_id: me.id.raw(), pull, open };
                    unit.journal().append(&[event.into()]).await
                })
            })
            .await
    }
}

/// Whether staff took the own post down, which is locked already: then it counts nowhere.
async fn is_down(unit: &mut dyn UnitOfWork, id: PostId) -> Result<bool> {
    Ok(unit.staff().takedown(Target::Post(id)).await?.is_some())
}

/// The author's own post, deleted or not, locked to be changed.
async fn own_post(unit: &mut dyn UnitOfWork, me: ProfileId, id: PostId) -> Result<Post> {
    let post = unit.posts().post(id, Lock::Update).await?;
    post.filter(|post| post.author == me).ok_or_else(Error::not_found)
}

/// Refuses a circle that is not the author's; one that is stays until the unit ends.
async fn own_circle(unit: &mut dyn UnitOfWork, me: &Profile, visibility: Visibility) -> Result<()> {
    let Visibility::Circle(id) = visibility else { return Ok(()) };
    match unit.graph().circle(id, Lock::Share).await? {
        Some(circle) if circle.owner == me.id => Ok(()),
        _ => Err(Error::from(PostRefusal::CircleUnknown).on_field("visibility")),
    }
}

/// Locks pictures that the author uploaded and nothing uses yet. One that the post does not describe keeps the description
/// that it was uploaded with.
async fn take_media(unit: &mut dyn UnitOfWork, me: &Profile, wanted: &[Attachment]) -> Result<Vec<Attachment>> {
    let mut taken = wanted.to_vec();
    if taken.is_empty() {
        return Ok(taken);
    }
    let ids: Vec<MediaId> = taken.iter().map(|attachment| attachment.media).collect();
    let found = unit.media().lock(&ids).await?;
    for attachment in &mut taken {
        let free = found.iter().find(|media| media.id == attachment.media && media.owner == me.id && !media.attached);
        let free = free.ok_or_else(|| Error::from(PostRefusal::MediaUnavailable).on_field("media"))?;
        if attachment.alt.is_empty() {
            attachment.alt.clone_from(&free.alt);
        }
    }
    Ok(taken)
}

/// How a post that the author publishes now reaches its readers.
async fn delivery(unit: &mut dyn UnitOfWork, author: ProfileId, pull_threshold: i64) -> Result<Delivery> {
    let followers = unit.counters().value(CounterField::ProfileFollowers, author.raw()).await?;
    Ok(policy::delivery(followers, pull_threshold))
}

fn raw(profiles: &[ProfileId]) -> Vec<i64> {
    profiles.iter().map(|profile| profile.raw()).collect()
}
