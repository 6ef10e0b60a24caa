//! Taking content down, and putting it back. What is down is hidden from everybody but its owner, who sees that and why; it
//! counts nowhere until it is back.

use super::super::{Permission, StaffRefusal, Strike, Struck, Takedown, Target, Why, policy};
use super::people::take_back;
use super::{Acting, StaffService, allowed, named, within_reach};
use crate::account::{MailingKind, Profile, audit, send};
use crate::actor::Actor;
use crate::checks::keyed;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::id::{Id, MediaId, ProfileId};
use crate::idempotency::IdempotencyKey;
use crate::port::UnitOfWork;
use crate::port::store::Lock;
use crate::proto::event::v1;

/// What is about to be taken down: whose it is, what a profile showed, and what is to be said of it.
struct Found {
    owner: ProfileId,
    kept: Option<String>,
    event: Event,
}

impl StaffService {
    /// Takes something down. What is down already stays so; a name or a picture that its owner chose since goes, too. The owner is
    /// told by mail, with the reason.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit), [`StaffRefusal::OutOfReach`], [`StaffRefusal::NothingThere`], not found.
    pub async fn take_down(&self, actor: &Actor, target: Target, why: &Why, key: Option<IdempotencyKey>) -> Result<()> {
        self.admit(actor, Permission::TakeDown).await?;
        let keyed = keyed("staff.take_down", key, &(target, why));
        let (now, by) = (self.ports.clock.now(), actor.profile());
        let staff = &named(actor)?;
        let done = self.ports.transact_once(staff, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let acting = allowed(unit, actor, Permission::TakeDown).await?;
                let Some(Found { owner, kept, event }) = hide(unit, acting, target).await? else { return Ok(()) };
                let face = unit.accounts().profile(owner, Lock::None).await?.ok_or_else(Error::not_found)?;
                let account = unit.accounts().account(face.account, Lock::None).await?.ok_or_else(Error::not_found)?;
                let notice =
                    self.accounts.mailing(MailingKind::TakenDown, account.email, Some(account.id), account.locale);
                let takedown = Takedown { target, owner, by, why: why.clone(), at: now, kept, notice: notice.id };
                unit.staff().take_down(&takedown).await?;
                let rank = acting.map(|(_, role)| role);
                unit.staff().put_strike(&Strike { account: account.id, what: Some(target), at: now, rank }).await?;
                unit.journal().append(&[event]).await?;
                audit_target(unit, "staff.taken_down", target, why, now).await?;
                send(unit, &notice).await
            })
        });
        done.await
    }

    /// Puts back what was taken down, with its counts. A name or a picture comes back unless its owner has another by now. It
    /// weighs on its owner no more, also where there is nothing to put back any more; of a name or a picture that was taken down
    /// more than once the latest. What is not down stays as it is.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit), [`StaffRefusal::OutOfReach`] also for what somebody above took down.
    pub async fn put_back(&self, actor: &Actor, target: Target, why: &Why, key: Option<IdempotencyKey>) -> Result<()> {
        self.admit(actor, Permission::PutBack).await?;
        let keyed = keyed("staff.put_back", key, &(target, why));
        let now = self.ports.clock.now();
        let staff = &named(actor)?;
        let done = self.ports.transact_once(staff, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let acting = allowed(unit, actor, Permission::PutBack).await?;
                // What it hides is locked first, in the order of whoever takes it down.
                lock(unit, target).await?;
                let strike = unit.staff().latest_strike(Struck::Content(target)).await?;
                policy::may_undo(acting, strike.and_then(|strike| strike.rank))?;
                let Some(takedown) = unit.staff().takedown(target).await? else {
                    let Some(strike) = strike else { return Ok(()) };
                    within_reach(unit, acting, strike.account).await?;
                    if unit.staff().remove_strike(&strike).await? {
                        audit_target(unit, "staff.strike_taken_back", target, why, now).await?;
                    }
                    return Ok(());
                };
                reach_owner(unit, acting, takedown.owner).await?;
                let event = show(unit, &takedown).await?;
                unit.staff().put_back(target).await?;
                // After the takedown is gone: a back-fill makes a strike of what it finds, and holds it meanwhile.
                take_back(unit, Struck::Content(target), |strike| strike.at == takedown.at).await?;
                if let Some(event) = event {
                    unit.journal().append(&[event]).await?;
                }
                audit_target(unit, "staff.put_back", target, why, now).await
            })
        });
        done.await
    }
}

async fn audit_target(
    unit: &mut dyn UnitOfWork,
    action: &'static str,
    target: Target,
    why: &Why,
    at: crate::time::Timestamp,
) -> Result<()> {
    let detail = format!("what={} {why}", target.name());
    match target {
        Target::Post(id) => audit(unit, action, id, &detail, at).await,
        Target::Comment(id) => audit(unit, action, id, &detail, at).await,
        Target::Name(id) | Target::Picture(id) => audit(unit, action, id, &detail, at).await,
    }
}

/// Locks what is to go and takes out of a profile what stands there; nothing when it is down already.
async fn hide(unit: &mut dyn UnitOfWork, acting: Acting, target: Target) -> Result<Option<Found>> {
    match target {
        Target::Post(id) => {
            let post = unit.posts().post(id, Lock::Update).await?.filter(|post| post.deleted_at.is_none());
            let post = post.ok_or_else(Error::not_found)?;
            reach_owner(unit, acting, post.author).await?;
            if unit.staff().takedown(target).await?.is_some() {
                return Ok(None);
            }
            let (post_id, author_id) = (id.raw(), post.author.raw());
            let event = v1::PostTakenDown { post_id, author_id, open: post.visibility.is_open() };
            Ok(Some(Found { owner: post.author, kept: None, event: event.into() }))
        }
        Target::Comment(id) => {
            let comment = unit.comments().comment(id, Lock::Update).await?;
            let comment = comment.filter(|c| c.deleted_at.is_none()).ok_or_else(Error::not_found)?;
            reach_owner(unit, acting, comment.author).await?;
            if unit.staff().takedown(target).await?.is_some() {
                return Ok(None);
            }
            let event = v1::CommentTakenDown {
                comment_id: id.raw(),
                post_id: comment.post.raw(),
                parent_id: comment.parent.map_or(0, Id::raw),
                author_id: comment.author.raw(),
            };
            Ok(Some(Found { owner: comment.author, kept: None, event: event.into() }))
        }
        Target::Name(id) | Target::Picture(id) => {
            let profile = unit.accounts().profile(id, Lock::Update).await?.ok_or_else(Error::not_found)?;
            within_reach(unit, acting, profile.account).await?;
            let down = unit.staff().takedown(target).await?;
            let (kept, emptied) = match target {
                Target::Name(_) => {
                    let bare = profile.handle.as_str().to_owned();
                    let kept = (profile.name != bare).then(|| profile.name.clone());
                    (kept, Profile { name: bare, ..profile })
                }
                _ => (profile.avatar.map(|picture| picture.raw().to_string()), Profile { avatar: None, ..profile }),
            };
            let Some(kept) = kept else {
                return if down.is_some() { Ok(None) } else { Err(StaffRefusal::NothingThere.into()) };
            };
            if let Some(before) = down {
                // The owner chose another since: that goes now, and what went before is not coming back.
                let_go(unit, &before).await?;
                unit.staff().put_back(target).await?;
            }
            store(unit, emptied).await?;
            let event = v1::ProfileChanged { profile_id: id.raw() };
            Ok(Some(Found { owner: id, kept: Some(kept), event: event.into() }))
        }
    }
}

/// Locks what may be hidden, if it is there.
async fn lock(unit: &mut dyn UnitOfWork, target: Target) -> Result<()> {
    match target {
        Target::Post(id) => unit.posts().post(id, Lock::Update).await.map(drop),
        Target::Comment(id) => unit.comments().comment(id, Lock::Update).await.map(drop),
        Target::Name(id) | Target::Picture(id) => unit.accounts().profile(id, Lock::Update).await.map(drop),
    }
}

/// Locks what is to come back and puts into a profile what stood there; answers what is to be said of it.
async fn show(unit: &mut dyn UnitOfWork, takedown: &Takedown) -> Result<Option<Event>> {
    match takedown.target {
        Target::Post(id) => {
            let Some(post) = unit.posts().post(id, Lock::Update).await? else { return Ok(None) };
            let open = post.deleted_at.is_none() && post.visibility.is_open();
            Ok(Some(v1::PostPutBack { post_id: id.raw(), author_id: post.author.raw(), open }.into()))
        }
        Target::Comment(id) => {
            let comment = unit.comments().comment(id, Lock::Update).await?;
            let Some(comment) = comment.filter(|comment| comment.deleted_at.is_none()) else { return Ok(None) };
            let event = v1::CommentPutBack {
                comment_id: id.raw(),
                post_id: comment.post.raw(),
                parent_id: comment.parent.map_or(0, Id::raw),
                author_id: comment.author.raw(),
            };
            Ok(Some(event.into()))
        }
        Target::Name(id) | Target::Picture(id) => {
            let profile = unit.accounts().profile(id, Lock::Update).await?.ok_or_else(Error::not_found)?;
            let kept = takedown.kept.clone();
            let whole = match (takedown.target, kept) {
                (Target::Name(_), Some(name)) if profile.name == profile.handle.as_str() => Profile { name, ..profile },
                (Target::Picture(_), Some(_)) if profile.avatar.is_none() => {
                    Profile { avatar: picture(takedown), ..profile }
                }
                _ => {
                    let_go(unit, takedown).await?;
                    return Ok(None);
                }
            };
            store(unit, whole).await?;
            Ok(Some(v1::ProfileChanged { profile_id: id.raw() }.into()))
        }
    }
}

/// A picture that will not come back is free to be swept.
async fn let_go(unit: &mut dyn UnitOfWork, takedown: &Takedown) -> Result<()> {
    match picture(takedown) {
        Some(picture) => unit.media().detach(&[picture]).await,
        None => Ok(()),
    }
}

fn picture(takedown: &Takedown) -> Option<MediaId> {
    let kept = takedown.kept.as_ref().filter(|_| matches!(takedown.target, Target::Picture(_)))?;
    kept.parse().ok().map(MediaId::from_raw)
}

async fn reach_owner(unit: &mut dyn UnitOfWork, acting: Acting, owner: ProfileId) -> Result<()> {
    let face = unit.accounts().profile(owner, Lock::None).await?.ok_or_else(Error::not_found)?;
    within_reach(unit, acting, face.account).await
}

async fn store(unit: &mut dyn UnitOfWork, profile: Profile) -> Result<()> {
    let profile = Profile { version: profile.version + 1, ..profile };
    unit.accounts().update_profile(&profile).await
}
