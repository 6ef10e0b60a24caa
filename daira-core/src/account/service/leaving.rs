//! Leaving: asking to be erased, staying after all, and the erasure itself once the grace is over.
//!
//! Whoever asks is gone for everybody else at once: all faces hidden, all sessions and apps out. The account itself is whole
//! until the grace is over, so that logging in and saying so brings everything back. The account's lock orders all of it:
//! who stays in the last moment stays, or comes too late.
//!
//! An erasure begins by marking the account deleted, which nothing takes back, and goes on in portions, each a unit of its
//! own with its events. It may be cut off anywhere: what is left is found by the next run. It waits for an export that is being built.

use std::sync::{Mutex, PoisonError};

use super::super::{Account, AccountRefusal, AccountState, Email, MailingKind, forget_bearers, policy};
use super::{AccountService, audit, end_all, send, taken};
use crate::actor::Actor;
use crate::checks::keyed;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::id::{AccountId, Id, SessionId};
use crate::idempotency::IdempotencyKey;
use crate::oauth::close_dead_apps;
use crate::port::UnitOfWork;
use crate::port::store::{Erased, Gone, Lock};
use crate::proto::event::v1;
use crate::reaction::Target;
use crate::record::ExportService;
use crate::staff::Why;
use crate::time::Timestamp;

/// Who erases.
const ERASER: Actor = Actor::System("erase-accounts");
/// How many rows one unit removes: the files of so many pictures go while it is open.
const PORTION: u32 = 100;
/// How many accounts are looked up at once.
const DUE: u32 = 200;

impl AccountService {
    /// Asks to have the account erased once the grace is over; answers when. All sessions end, the one that asks included,
    /// and apps of others are shut out. Asking again changes nothing.
    ///
    /// # Errors
    /// [`AccountRefusal::ProofNeeded`].
    pub async fn request_deletion(&self, actor: &Actor, key: Option<IdempotencyKey>) -> Result<Timestamp> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let keyed = keyed("account.request_deletion", key, &());
        let told = &Mutex::new(Vec::new());
        let asked = self.ports.transact_once(actor, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let account = self.proved_owner(unit, member, now).await?;
                let (at, ended) = self.leave(unit, account, now, "").await?;
                *told.lock().unwrap_or_else(PoisonError::into_inner) = ended;
                Ok(at)
            })
        });
        let at = asked.await?;
        self.tell_ended(&taken(told), now).await;
        Ok(at)
    }

    /// The same on behalf of somebody who cannot come in, or what takes it back: for an operator whom its owner asked, and who
    /// knows that it was them. Answers when the account is erased, if it is.
    ///
    /// # Errors
    /// Not found for an address that nobody has.
    pub async fn decide_deletion(
        &self,
        operator: &Actor,
        email: &str,
        wanted: bool,
        why: &Why,
    ) -> Result<Option<Timestamp>> {
        let Actor::System(_) = operator else { return Err(Error::not_found()) };
        let (email, now, why) = (&Email::new(email)?, self.ports.clock.now(), &why.to_string());
        let decided = self.ports.transact(operator, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let found = unit.accounts().account_by_email(email).await?.ok_or_else(Error::not_found)?;
                let found = unit.accounts().account(found.id, Lock::Update).await?;
                let living = |account: &Account| account.state != AccountState::Deleted;
                let account = found.filter(living).ok_or_else(Error::not_found)?;
                if wanted {
                    let (at, ended) = self.leave(unit, account, now, why).await?;
                    return Ok((Some(at), ended));
                }
                stay(unit, account, now, why).await?;
                Ok((None, Vec::new()))
            })
        });
        let (at, ended) = decided.await?;
        self.tell_ended(&ended, now).await;
        Ok(at)
    }

    /// Hides an account whose time is counted from now on, or goes on; answers when it is over, and which sessions ended.
    async fn leave(
        &self,
        unit: &mut dyn UnitOfWork,
        account: Account,
        now: Timestamp,
        why: &str,
    ) -> Result<(Timestamp, Vec<SessionId>)> {
        if let Some(at) = account.leaving_at {
            return Ok((at, Vec::new()));
        }
        let mut at = now + self.ports.settings.deletion_grace;
        if let AccountState::Suspended(until) = account.state {
            at = policy::postponed(at, until);
        }
        let account = change(unit, Account { leaving_at: Some(at), ..account }).await?;
        for (profile, app) in unit.apps().delete_grants(account.id).await? {
            let event = v1::AppDisconnected { profile_id: profile.raw(), app_id: app.raw() };
            unit.journal().append(&[event.into()]).await?;
        }
        let ended = end_all(unit, account.id, None, None, now, |_| "leaving").await?;
        audit(unit, "account.deletion_asked", account.id, why, now).await?;
        let notice = self.mailing(MailingKind::DeletionAsked, account.email, Some(account.id), account.locale);
        send(unit, &notice).await?;
        Ok((at, ended))
    }

    /// Stays after all: everything is as it was before it was asked for, but the sessions and apps that ended. Where nothing was
    /// asked for, nothing changes.
    ///
    /// # Errors
    /// [`AccountRefusal::TokenInvalid`] when it is too late.
    pub async fn cancel_deletion(&self, actor: &Actor, key: Option<IdempotencyKey>) -> Result<()> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let keyed = keyed("account.cancel_deletion", key, &());
        let stayed = self.ports.transact_once(actor, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let account = unit.accounts().account(member.account, Lock::Update).await?;
                let account = account.filter(|account| account.state != AccountState::Deleted);
                let account = account.ok_or(AccountRefusal::TokenInvalid)?;
                stay(unit, account, now, "").await
            })
        });
        stayed.await
    }

    /// Erases all accounts whose grace is over; answers how many are gone. One that cannot be erased holds up nobody else, and
    /// is tried again by the next run.
    ///
    /// # Errors
    /// The store's and the blob store's.
    pub async fn erase_due(&self) -> Result<usize> {
        let (now, mut after) = (self.ports.clock.now(), None);
        let (mut erased, mut failed) = (0, None);
        loop {
            let due = self.ports.store.begin(&ERASER).await?.erasures().due(now, after, DUE).await?;
            let Some(last) = due.last() else { return failed.map_or(Ok(erased), Err) };
            after = Some(*last);
            for (_, account) in due {
                match self.erase(account).await {
                    Ok(gone) => erased += usize::from(gone),
                    Err(error) => {
                        tracing::error!(%account, ?error, "an account could not be erased and will be tried again");
                        failed = Some(error);
                    }
                }
            }
        }
    }

    /// Erases an account, or goes on where its erasure was cut off; nothing happens to one whose owner stayed.
    async fn erase(&self, account: AccountId) -> Result<bool> {
        if !self.doom(account).await? {
            return Ok(false);
        }
        let ports = &self.ports;
        // Whoever let in an app of theirs is told, before it is gone with them.
        close_dead_apps(self, Some(account)).await?;
        if !ExportService::new(self.ports.clone(), self.clone()).remove_all(account).await? {
            return Ok(false);
        }
        loop {
            let portion = ports.transact(&ERASER, |mut unit| {
                Box::pin(async move {
                    let (unit, now) = (&mut *unit, ports.clock.now());
                    let Erased { gone, done } = unit.erasures().erase(account, PORTION, now).await?;
                    // While their rows are locked: whatever is killed when, no blob is left behind without a row.
                    for variant in gone.iter().flat_map(Gone::variants) {
                        ports.blobs.delete(&variant.key).await?;
                    }
                    let events: Vec<Event> = gone.iter().filter_map(|one| told(one, now)).collect();
                    unit.journal().append(&events).await?;
                    // Whoever finds nothing any more erased nothing.
                    if gone.iter().any(|one| matches!(one, Gone::Face(_))) {
                        audit(unit, "account.erased", account, "", now).await?;
                    }
                    Ok(done)
                })
            });
            if portion.await? {
                return Ok(true);
            }
        }
    }

    /// Looks again whether an account is to be erased, under its lock, and shuts it for good; answers whether it is.
    async fn doom(&self, id: AccountId) -> Result<bool> {
        let now = self.ports.clock.now();
        let ended = self.ports.transact(&ERASER, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let account = unit.accounts().account(id, Lock::Update).await?;
                let is_due = |account: &Account| account.leaving_at.is_some_and(|at| at <= now);
                let Some(account) = account.filter(is_due) else { return Ok(None) };
                if account.state == AccountState::Deleted {
                    return Ok(Some((Vec::<SessionId>::new(), Vec::new())));
                }
                let ended = end_all(unit, id, None, None, now, |_| "erased").await?;
                // Nobody's by then: it outlives the account, and goes when it is sent.
                let goodbye = self.mailing(MailingKind::Erased, account.email.clone(), None, account.locale);
                let mut handles = Vec::new();
                for face in unit.accounts().faces(id).await? {
                    handles.extend(unit.accounts().profile(face, Lock::None).await?.map(|face| face.handle));
                }
                change(unit, Account { state: AccountState::Deleted, ..account }).await?;
                audit(unit, "account.erasing", id, "", now).await?;
                send(unit, &goodbye).await?;
                Ok(Some((ended, handles)))
            })
        });
        let Some((ended, handles)) = ended.await? else { return Ok(false) };
        self.tell_ended(&ended, now).await;
        forget_bearers(&self.ports, &handles.iter().collect::<Vec<_>>()).await;
        Ok(true)
    }
}

/// Brings back an account that was to be erased.
async fn stay(unit: &mut dyn UnitOfWork, account: Account, now: Timestamp, why: &str) -> Result<()> {
    if account.leaving_at.is_none() {
        return Ok(());
    }
    let account = change(unit, Account { leaving_at: None, ..account }).await?;
    audit(unit, "account.deletion_cancelled", account.id, why, now).await
}

/// Stores a changed account and brings its faces to the standing that goes with it.
async fn change(unit: &mut dyn UnitOfWork, account: Account) -> Result<Account> {
    let account = Account { version: account.version + 1, ..account };
    unit.accounts().update_account(&account).await?;
    for face in unit.accounts().faces(account.id).await? {
        let Some(mut face) = unit.accounts().profile(face, Lock::Update).await? else { continue };
        if face.standing != account.standing() {
            face.standing = account.standing();
            face.version += 1;
            unit.accounts().update_profile(&face).await?;
            unit.journal().append(&[v1::ProfileChanged { profile_id: face.id.raw() }.into()]).await?;
        }
    }
    Ok(account)
}

/// The event of something that went.
fn told(gone: &Gone, now: Timestamp) -> Option<Event> {
    Some(match *gone {
        Gone::Follow { follower, followee } => {
            v1::Unfollowed { follower_id: follower.raw(), followee_id: followee.raw() }.into()
        }
        Gone::Block { blocker, blocked } => {
            v1::Unblocked { blocker_id: blocker.raw(), blocked_id: blocked.raw() }.into()
        }
        Gone::Reaction { by, target, owner, kind } => v1::ReactionRemoved {
            by_id: by.raw(),
            target: Some(match target {
                Target::Post(id) => v1::reaction_removed::Target::PostId(id.raw()),
                Target::Comment(id) => v1::reaction_removed::Target::CommentId(id.raw()),
            }),
            target_author_id: owner.map_or(0, Id::raw),
            previous: kind.code().into(),
        }
        .into(),
        Gone::Comment { id, post, parent, author, uncounted } => v1::CommentDeleted {
            comment_id: id.raw(),
            post_id: post.raw(),
            parent_id: parent.map_or(0, Id::raw),
            author_id: author.raw(),
            uncounted,
        }
        .into(),
        Gone::Post { id, author, open } => v1::PostDeleted { post_id: id.raw(), author_id: author.raw(), open }.into(),
        Gone::Picture(_) => return None,
        Gone::Face(profile) => v1::ProfileErased { profile_id: profile.raw(), at_micros: now.as_micros() }.into(),
    })
}
