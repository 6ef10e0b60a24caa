//! What the in-memory tables hold: the models themselves where they are rows, and small rows of their own where the
//! relational schema has a table without a model. Index numbers are constants beside the row they belong to.

use super::table::{IndexKey, Row, UniqueKey};
use crate::account::{
    Account, Delivery, Due, Identity, LinkedIdentity, Mailing, Passkey, PendingCeremony, Profile, Registration,
    SecondFactor, Session, Standing, VerifiedPhone,
};
use crate::actor::Actor;
use crate::comment::Comment;
use crate::graph::{Block, Circle, Follow, Mute};
use crate::hashtag::Hashtag;
use crate::id::{
    AccountId, AppId, BreachId, ChallengeId, CircleId, CommentId, ExportId, FeedSessionId, Id, MediaId, PasskeyId,
    PostId, ProfileId, SessionId,
};
use crate::idempotency::Keyed;
use crate::media::Media;
use crate::notification::Notification;
use crate::oauth::{App, Code, Grant};
use crate::port::store::{Affinity, AuditRecord, CounterField, HandleHolder, InboxReason, PageServed};
use crate::post::{Post, Revision};
use crate::reaction::{Reaction, Target};
use crate::record::{Breach, BreachNote, Consent, Export, ExportPart, Purpose, Seal};
use crate::staff::{Sanction, StaffMember, Strike, Takedown};
use crate::text::{Handle, TagKey};
use crate::time::Timestamp;

/// Rows whose key is one of their fields, with the indexes they are listed by.
macro_rules! rows {
    ($($row:ty: $key:ty = |$this:ident| $of:expr $(, version $version:ident)? $(, unique [$(($name:literal, $unique:expr)),*])? $(, index [$($index:expr),*])?;)*) => {
        $(impl Row for $row {
            type Key = $key;
            $(const UNIQUE: &'static [UniqueKey<Self>] = &[$(($name, $unique)),*];)?
            $(const INDEXES: &'static [fn(&Self) -> IndexKey] = &[$($index),*];)?
            fn key(&self) -> $key {
                let $this = self;
                $of
            }
            $(fn version(&self) -> i32 {
                self.$version
            })?
        })*
    };
}

/// Profiles, sessions, passkeys, identities, strikes, consents, apps and what they were let do by account; notes by breach.
pub(crate) const OF_ACCOUNT: usize = 0;
/// Edges by their near end, circles by owner, inbox rows by (profile, author).
pub(crate) const FROM: usize = 0;
/// Edges by their far end, inbox rows by post.
pub(crate) const TO: usize = 1;
/// Blocks by (blocker, blocked account).
pub(crate) const BLOCKED_ACCOUNT: usize = 2;
/// Posts by author.
pub(crate) const BY_AUTHOR: usize = 0;
/// Comments by (post, parent or zero).
pub(crate) const ANSWERS: usize = 0;
/// Comments by post, media by post.
pub(crate) const OF_POST: usize = 1;
/// Reactions by target.
pub(crate) const ON_TARGET: usize = 0;
/// Notifications by recipient, pages by viewer, media and takedowns by owner.
pub(crate) const OF_PROFILE: usize = 0;

/// An identity as one text; no issuer has a line feed in it.
pub(crate) fn identity_name(identity: &Identity) -> String {
    format!("{}\n{}", identity.issuer, identity.subject)
}

rows! {
    Registration: ChallengeId = |r| r.id;
    Mailing: ChallengeId = |m| m.id;
    Delivery: Due = |d| d.due;
    VerifiedPhone: AccountId = |p| p.account, unique [("phone_number", |p| Some(p.number.as_str().to_owned()))];
    Account: AccountId = |a| a.id, version version, unique [("account_email", |a| Some(a.email.as_str().to_owned()))];
    Password: AccountId = |p| p.account;
    SecondFactor: AccountId = |f| f.account;
    Passkey: PasskeyId = |p| p.id, unique [("passkey_credential", |p| Some(data_encoding::HEXLOWER.encode(&p.public.credential)))],
        index [|p| (p.account.raw(), 0)];
    LinkedIdentity: (AccountId, String) = |i| (i.account, i.identity.issuer.clone()),
        unique [("identity_subject", |i| Some(identity_name(&i.identity)))], index [|i| (i.account.raw(), 0)];
    PendingCeremony: ChallengeId = |c| c.id;
    App: AppId = |a| a.id, version version, index [|a| (a.owner.raw(), 0)];
    Grant: (ProfileId, AppId) = |g| (g.profile, g.app), index [|g| (g.account.raw(), 0)];
    Code: ChallengeId = |c| c.id;
    Profile: ProfileId = |p| p.id, version version,
        unique [("handle", |p| (p.standing != Standing::Gone).then(|| p.handle.as_str().to_owned()))],
        index [|p| (p.account.raw(), 0)];
    Quiet: ProfileId = |q| q.profile;
    HeldHandle: Handle = |h| h.handle.clone();
    Session: SessionId = |s| s.id, index [|s| (s.account.raw(), 0)];
    Follow: (ProfileId, ProfileId) = |f| (f.follower, f.followee),
        index [|f| (f.follower.raw(), 0), |f| (f.followee.raw(), 0)];
    Block: (ProfileId, ProfileId) = |b| (b.blocker, b.blocked),
        index [|b| (b.blocker.raw(), 0), |b| (b.blocked.raw(), 0), |b| (b.blocker.raw(), b.blocked_account.raw())];
    Mute: (ProfileId, ProfileId) = |m| (m.muter, m.muted), index [|m| (m.muter.raw(), 0)];
    Circle: CircleId = |c| c.id, version version, index [|c| (c.owner.raw(), 0)];
    CircleMember: (CircleId, ProfileId) = |m| (m.circle, m.member), index [|m| (m.circle.raw(), 0)];
    Post: PostId = |p| p.id, version version, index [|p| (p.author.raw(), 0)];
    Revision: (PostId, i32) = |r| (r.post, r.version), index [|r| (r.post.raw(), 0)];
    Hashtag: TagKey = |t| t.key.clone();
    PostTag: (TagKey, PostId) = |t| (t.tag.clone(), t.post);
    Comment: CommentId = |c| c.id, version version,
        index [|c| (c.post.raw(), c.parent.map_or(0, Id::raw)), |c| (c.post.raw(), 0)];
    Reaction: (ProfileId, Target) = |r| (r.by, r.target), index [|r| target_key(r.target)];
    Media: MediaId = |m| m.id, index [|m| (m.owner.raw(), 0), |m| (m.post.map_or(0, Id::raw), 0)];
    Notification: (ProfileId, i64) = |n| (n.recipient, n.event), index [|n| (n.recipient.raw(), 0)];
    ReadMarker: ProfileId = |m| m.profile;
    InboxRow: (ProfileId, PostId) = |i| (i.profile, i.post),
        index [|i| (i.profile.raw(), i.author.raw()), |i| (i.post.raw(), 0)];
    AffinityRow: (ProfileId, ProfileId) = |a| (a.viewer, a.author);
    FrozenList: FeedSessionId = |f| f.session;
    Page: (ProfileId, i64) = |p| (p.page.viewer, p.number), index [|p| (p.page.viewer.raw(), 0)];
    Counter: (CounterField, i64) = |c| (c.field, c.subject);
    StaffMember: AccountId = |s| s.account;
    Sanction: AccountId = |s| s.account;
    Strike: (AccountId, Timestamp, Option<crate::staff::Target>) = |s| (s.account, s.at, s.what), index [|s| (s.account.raw(), 0)];
    Takedown: crate::staff::Target = |t| t.target, index [|t| (t.owner.raw(), 0)];
    Logged: i64 = |l| l.id;
    Position: (String, i16) = |p| (p.group.clone(), p.lane);
    Letter: (String, i64) = |l| (l.group.clone(), l.event);
    StoredKey: KeyName = |k| k.name.clone();
    AuditLine: i64 = |a| a.number;
    Seal: i64 = |s| s.n;
    Consent: (AccountId, Purpose, Timestamp) = |c| (c.account, c.purpose, c.at), index [|c| (c.account.raw(), 0)];
    Export: ExportId = |e| e.id;
    ExportPart: (ExportId, u32) = |p| (p.export, p.n);
    Breach: BreachId = |b| b.id;
    NumberedNote: (BreachId, i64) = |n| (n.note.breach, n.number), index [|n| (n.note.breach.raw(), 0)];
}

/// The index value of a reaction's target: posts and comments draw ids from the same range, so the kind is part of it.
pub(crate) fn target_key(target: Target) -> IndexKey {
    match target {
        Target::Post(id) => (id.raw(), 0),
        Target::Comment(id) => (id.raw(), 1),
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Password {
    pub(crate) account: AccountId,
    pub(crate) hash: String,
}

#[derive(Debug, Clone)]
pub(crate) struct HeldHandle {
    pub(crate) handle: Handle,
    pub(crate) holder: HandleHolder,
}

#[derive(Debug, Clone)]
pub(crate) struct CircleMember {
    pub(crate) circle: CircleId,
    pub(crate) member: ProfileId,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct PostTag {
    pub(crate) tag: TagKey,
    pub(crate) post: PostId,
}

/// A profile that shows nobody when it is active.
#[derive(Debug, Clone)]
pub(crate) struct Quiet {
    pub(crate) profile: ProfileId,
}

#[derive(Debug, Clone)]
pub(crate) struct ReadMarker {
    pub(crate) profile: ProfileId,
    pub(crate) up_to: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct InboxRow {
    pub(crate) profile: ProfileId,
    pub(crate) post: PostId,
    pub(crate) author: ProfileId,
    pub(crate) reason: InboxReason,
    pub(crate) delivered_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct AffinityRow {
    pub(crate) viewer: ProfileId,
    pub(crate) author: ProfileId,
    pub(crate) affinity: Affinity,
}

#[derive(Debug, Clone)]
pub(crate) struct FrozenList {
    pub(crate) session: FeedSessionId,
    pub(crate) viewer: ProfileId,
    pub(crate) list: Vec<(PostId, Vec<u8>)>,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) number: i64,
    pub(crate) page: PageServed,
}

#[derive(Debug, Clone)]
pub(crate) struct Counter {
    pub(crate) field: CounterField,
    pub(crate) subject: i64,
    pub(crate) value: i64,
}

/// A line of the event log; ids are dense and in the order of commits.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) id: i64,
    pub(crate) kind: &'static str,
    pub(crate) topic: &'static str,
    pub(crate) key: i64,
    pub(crate) payload: Vec<u8>,
    pub(crate) at: Timestamp,
}

/// The last event of a lane that a group is through with.
#[derive(Debug, Clone)]
pub(crate) struct Position {
    pub(crate) group: String,
    pub(crate) lane: i16,
    pub(crate) event: i64,
}

/// An event that a group could not process, or that waits: behind one of its key that is not parked, or, with none left,
/// to be delivered again.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) group: String,
    pub(crate) event: i64,
    pub(crate) key: i64,
    pub(crate) reason: String,
    pub(crate) parked: bool,
    pub(crate) attempts: u16,
    pub(crate) at: Timestamp,
}

/// An idempotency key's full name: whose, of which operation, which.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyName(String, &'static str, String);

impl KeyName {
    pub(crate) fn new(actor: &Actor, keyed: &Keyed) -> Self {
        Self(actor_name(actor), keyed.operation, keyed.key.as_str().to_owned())
    }

    /// Whose it is.
    pub(crate) fn who(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone)]
pub(crate) struct StoredKey {
    pub(crate) name: KeyName,
    pub(crate) request: [u8; 32],
    pub(crate) result: Vec<u8>,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct AuditLine {
    pub(crate) number: i64,
    pub(crate) actor: String,
    pub(crate) record: AuditRecord,
}

/// A note of a breach with its place.
#[derive(Debug, Clone)]
pub(crate) struct NumberedNote {
    pub(crate) number: i64,
    pub(crate) note: BreachNote,
}

/// An actor's name in the audit trail and in idempotency keys.
pub(crate) fn actor_name(actor: &Actor) -> String {
    match actor {
        Actor::Anonymous => "anonymous".to_owned(),
        Actor::Member(member) | Actor::Staff(member) => member.profile.to_string(),
        Actor::System(name) => format!("system:{name}"),
    }
}
