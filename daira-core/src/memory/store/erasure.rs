//! Erasing accounts in memory: portion by portion what others are told of, then everything else at once.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::rows::{ANSWERS, OF_ACCOUNT, ON_TARGET, target_key};
use super::world::World;
use super::{MemoryUnit, denied};
use crate::account::{Account, AccountState, Contact, MailingKind};
use crate::comment::Comment;
use crate::error::Result;
use crate::id::{AccountId, Id, ProfileId};
use crate::port::store::{CounterField, Erased, ErasureRepository, Gone, HandleHolder};
use crate::reaction::Target;
use crate::staff;
use crate::time::Timestamp;

#[async_trait]
impl ErasureRepository for MemoryUnit {
    async fn due(
        &mut self,
        now: Timestamp,
        after: Option<(Timestamp, AccountId)>,
        limit: u32,
    ) -> Result<Vec<(Timestamp, AccountId)>> {
        self.platform_only()?;
        let mut due: Vec<(Timestamp, AccountId)> = self
            .world
            .accounts
            .iter()
            .filter_map(|a| Some((a.leaving_at?, a.id)))
            .filter(|one| one.0 <= now && Some(*one) > after)
            .collect();
        due.sort_unstable();
        due.truncate(limit as usize);
        Ok(due)
    }

    async fn erase(&mut self, account: AccountId, limit: u32, now: Timestamp) -> Result<Erased> {
        self.platform_only()?;
        let Some(account) = self.world.accounts.get(&account).cloned() else {
            return Ok(Erased { gone: Vec::new(), done: true });
        };
        if account.state != AccountState::Deleted {
            return Err(denied());
        }
        let world = self.change();
        let faces: BTreeSet<ProfileId> =
            world.profiles.by(OF_ACCOUNT, (account.id.raw(), 0)).map(|face| face.id).collect();
        let gone = world.erase_told(&faces, limit as usize, now)?;
        if !gone.is_empty() {
            return Ok(Erased { gone, done: false });
        }
        world.erase_rest(&account, &faces);
        Ok(Erased { gone: faces.into_iter().map(Gone::Face).collect(), done: true })
    }
}

impl World {
    /// What others are told of: the first kind of which there is something.
    fn erase_told(&mut self, faces: &BTreeSet<ProfileId>, limit: usize, now: Timestamp) -> Result<Vec<Gone>> {
        let mine = |face: ProfileId| faces.contains(&face);
        let follows = self.follows.take(limit, |f| mine(f.follower) || mine(f.followee));
        let blocks = self.blocks.take(limit, |b| mine(b.blocker) || mine(b.blocked));
        let reactions = self.reactions.take(limit, |r| mine(r.by));
        let mut gone: Vec<Gone> =
            follows.iter().map(|f| Gone::Follow { follower: f.follower, followee: f.followee }).collect();
        gone.extend(blocks.iter().map(|b| Gone::Block { blocker: b.blocker, blocked: b.blocked }));
        gone.extend(reactions.iter().map(|r| {
            let owner = match r.target {
                Target::Post(id) => self.posts.get(&id).map(|post| post.author),
                Target::Comment(id) => self.comments.get(&id).map(|comment| comment.author),
            };
            Gone::Reaction { by: r.by, target: r.target, owner, kind: r.kind }
        }));
        if !gone.is_empty() {
            return Ok(gone);
        }
        // The deepest first, so that what hangs on them is gone before.
        let deepest = self.comments.iter().filter(|c| mine(c.author)).map(|c| c.depth).max();
        if let Some(deepest) = deepest {
            let comments = self.comments.take(limit, |c| mine(c.author) && c.depth == deepest);
            for comment in &comments {
                gone.push(self.erase_comment(comment, now)?);
            }
            return Ok(gone);
        }
        for post in self.posts.take(limit, |p| mine(p.author)) {
            let down = self.takedowns.has(&staff::Target::Post(post.id));
            self.purge_post(&post)?;
            let open = post.deleted_at.is_none() && post.visibility.is_open() && !down;
            gone.push(Gone::Post { id: post.id, author: post.author, open });
        }
        if gone.is_empty() {
            gone.extend(self.media.take(limit, |m| mine(m.owner)).into_iter().map(Gone::Picture));
        }
        Ok(gone)
    }

    /// Removes a comment, or leaves it without text and author where answers hang on it.
    fn erase_comment(&mut self, comment: &Comment, now: Timestamp) -> Result<Gone> {
        let uncounted = comment.deleted_at.is_some();
        let down = self.takedowns.remove(&staff::Target::Comment(comment.id)).is_some();
        let Comment { id, post, parent, author, version, .. } = *comment;
        if self.comments.count(ANSWERS, (post.raw(), id.raw())) > 0 {
            let deleted_at = comment.deleted_at.or(Some(now));
            let nobodys = Comment {
                author: ProfileId::from_raw(0),
                text: String::new(),
                edited_at: None,
                deleted_at,
                version: version + 1,
                ..comment.clone()
            };
            self.comments.put(nobodys, "erasure.comment")?;
        } else {
            self.reactions.take_by(ON_TARGET, target_key(Target::Comment(id)));
            for field in [CounterField::CommentReactions, CounterField::CommentReplies] {
                self.counters.remove(&(field, id.raw()));
            }
        }
        Ok(Gone::Comment { id, post, parent, author, uncounted: uncounted || down })
    }

    /// Everything else, the account last.
    fn erase_rest(&mut self, account: &Account, faces: &BTreeSet<ProfileId>) {
        let mine = |face: ProfileId| faces.contains(&face);
        let all = usize::MAX;
        self.requests.take(all, |r| mine(r.follower) || mine(r.followee));
        self.mutes.take(all, |m| mine(m.muter) || mine(m.muted));
        let circles = self.circles.take(all, |c| mine(c.owner));
        let drawn: BTreeSet<_> = circles.iter().map(|c| c.id).collect();
        self.circle_members.take(all, |m| mine(m.member) || drawn.contains(&m.circle));
        self.notifications.take(all, |n| mine(n.recipient) || mine(n.actor));
        self.markers.take(all, |m| mine(m.profile));
        self.quiet.take(all, |q| mine(q.profile));
        self.inbox.take(all, |i| mine(i.profile) || mine(i.author));
        self.affinities.take(all, |a| mine(a.viewer) || mine(a.author));
        self.frozen.take(all, |f| mine(f.viewer));
        self.pages.take(all, |p| mine(p.page.viewer));
        self.takedowns.take(all, |t| mine(t.owner));
        let of_faces = [CounterField::ProfilePosts, CounterField::ProfileFollowers, CounterField::ProfileFollowing];
        self.counters.take(all, |c| of_faces.contains(&c.field) && mine(ProfileId::from_raw(c.subject)));
        let names: BTreeSet<String> = faces.iter().map(ToString::to_string).collect();
        self.keys.take(all, |key| names.contains(key.name.who()));
        self.handles.take(all, |held| match held.holder {
            HandleHolder::Profile(face) | HandleHolder::Former(face, _) => mine(face),
            HandleHolder::Registration(..) => false,
        });
        let id = account.id;
        let number = self.phones.remove(&id).map(|phone| phone.number);
        let reached = |to: &Contact| match to {
            Contact::Email(email) => *email == account.email,
            Contact::Phone(phone) => number.as_ref() == Some(phone),
        };
        self.registrations.take(all, |r| r.email == account.email);
        self.mailings.take(all, |m| {
            m.account == Some(id) || (m.account.is_none() && m.kind != MailingKind::Erased && reached(&m.to))
        });
        let apps: BTreeSet<_> = self.apps.take(all, |a| a.owner == id).iter().map(|app| app.id).collect();
        self.grants.take(all, |g| g.account == id || apps.contains(&g.app));
        self.codes.take(all, |c| c.account == id || apps.contains(&c.app));
        self.ceremonies.take(all, |c| c.account == Some(id));
        self.identities.take_by(OF_ACCOUNT, (id.raw(), 0));
        self.passkeys.take_by(OF_ACCOUNT, (id.raw(), 0));
        self.sessions.take_by(OF_ACCOUNT, (id.raw(), 0));
        self.factors.remove(&id);
        self.staff.remove(&id);
        self.sanctions.remove(&id);
        self.consents.take(all, |c| c.account == id);
        self.exports.take(all, |e| e.account == id);
        self.export_parts.take(all, |p| p.account == id);
        self.strikes.take_by(OF_ACCOUNT, (id.raw(), 0));
        self.passwords.remove(&id);
        self.profiles.take_by(OF_ACCOUNT, (id.raw(), 0));
        self.accounts.remove(&id);
    }
}
