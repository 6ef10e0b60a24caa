//! The whole truth as one value, and what a viewer may see of it.
//!
//! Cloning a [`World`] costs a few reference counts; a unit of work changes its own clone. Every visibility decision of
//! the in-memory adapters is made here, from the rows and the one policy.

use super::rows::{
    ANSWERS, AffinityRow, AuditLine, BLOCKED_ACCOUNT, CircleMember, Counter, FROM, FrozenList, HeldHandle, InboxRow,
    Letter, Logged, NumberedNote, Page, Password, Position, PostTag, Quiet, ReadMarker, StoredKey,
};
use super::table::Table;
use crate::account::{
    Account, Delivery, LinkedIdentity, Mailing, Passkey, PendingCeremony, Profile, ProfileCounters, Registration,
    SecondFactor, Session, Standing, VerifiedPhone,
};
use crate::actor::Actor;
use crate::comment::{self, Comment, CommentCounters};
use crate::graph::{self, Block, Circle, Follow, Mute, Relation};
use crate::hashtag::Hashtag;
use crate::id::{AccountId, CommentId, Id, PostId, ProfileId};
use crate::media::Media;
use crate::notification::Notification;
use crate::oauth::{App, Code, Grant};
use crate::port::store::CounterField;
use crate::post::{Audience, Post, PostCounters, Revision, Visibility, policy};
use crate::reaction::{Reaction, Target};
use crate::record::{Breach, Consent, Export, ExportPart, Seal};
use crate::staff::{self, Sanction, StaffMember, Strike, Takedown};

#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) registrations: Table<Registration>,
    pub(crate) factors: Table<SecondFactor>,
    pub(crate) passkeys: Table<Passkey>,
    pub(crate) identities: Table<LinkedIdentity>,
    pub(crate) ceremonies: Table<PendingCeremony>,
    pub(crate) apps: Table<App>,
    pub(crate) grants: Table<Grant>,
    pub(crate) codes: Table<Code>,
    pub(crate) mailings: Table<Mailing>,
    pub(crate) deliveries: Table<Delivery>,
    pub(crate) phones: Table<VerifiedPhone>,
    pub(crate) accounts: Table<Account>,
    pub(crate) passwords: Table<Password>,
    pub(crate) profiles: Table<Profile>,
    pub(crate) quiet: Table<Quiet>,
    pub(crate) handles: Table<HeldHandle>,
    pub(crate) sessions: Table<Session>,
    pub(crate) follows: Table<Follow>,
    pub(crate) requests: Table<Follow>,
    pub(crate) blocks: Table<Block>,
    pub(crate) mutes: Table<Mute>,
    pub(crate) circles: Table<Circle>,
    pub(crate) circle_members: Table<CircleMember>,
    pub(crate) posts: Table<Post>,
    pub(crate) revisions: Table<Revision>,
    pub(crate) hashtags: Table<Hashtag>,
    pub(crate) post_tags: Table<PostTag>,
    pub(crate) comments: Table<Comment>,
    pub(crate) reactions: Table<Reaction>,
    pub(crate) media: Table<Media>,
    pub(crate) notifications: Table<Notification>,
    pub(crate) markers: Table<ReadMarker>,
    pub(crate) inbox: Table<InboxRow>,
    pub(crate) affinities: Table<AffinityRow>,
    pub(crate) frozen: Table<FrozenList>,
    pub(crate) pages: Table<Page>,
    pub(crate) counters: Table<Counter>,
    pub(crate) keys: Table<StoredKey>,
    pub(crate) audit: Table<AuditLine>,
    pub(crate) seals: Table<Seal>,
    pub(crate) consents: Table<Consent>,
    pub(crate) exports: Table<Export>,
    pub(crate) export_parts: Table<ExportPart>,
    pub(crate) breaches: Table<Breach>,
    pub(crate) breach_notes: Table<NumberedNote>,
    pub(crate) staff: Table<StaffMember>,
    pub(crate) sanctions: Table<Sanction>,
    pub(crate) strikes: Table<Strike>,
    pub(crate) takedowns: Table<Takedown>,
    pub(crate) log: Table<Logged>,
    pub(crate) positions: Table<Position>,
    pub(crate) letters: Table<Letter>,
}

/// Who looks: a face and the account behind it, nobody, or a part of the platform.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Viewer {
    Nobody,
    Face(ProfileId, AccountId),
    System,
}

impl Viewer {
    pub(crate) fn of(actor: &Actor) -> Self {
        match actor {
            Actor::Anonymous => Self::Nobody,
            Actor::Member(member) => Self::Face(member.profile, member.account),
            Actor::System(_) | Actor::Staff(_) => Self::System,
        }
    }

    pub(crate) fn profile(self) -> Option<ProfileId> {
        match self {
            Self::Face(profile, _) => Some(profile),
            Self::Nobody | Self::System => None,
        }
    }

    /// Whether this is the profile itself, or a part of the platform, which reads as everybody's self.
    pub(crate) fn is(self, profile: ProfileId) -> bool {
        matches!(self, Self::System) || self.profile() == Some(profile)
    }
}

impl World {
    /// Whether a profile shuts out the person behind another.
    fn shuts_out(&self, blocker: ProfileId, account: AccountId) -> bool {
        self.blocks.count(BLOCKED_ACCOUNT, (blocker.raw(), account.raw())) > 0
    }

    pub(crate) fn follows(&self, follower: ProfileId, followee: ProfileId) -> bool {
        self.follows.has(&(follower, followee))
    }

    /// How two profiles stand to each other, seen from the first.
    pub(crate) fn relation(&self, from: &Profile, to: &Profile) -> Relation {
        let mute = self.mutes.get(&(from.id, to.id));
        Relation {
            follows: self.follows(from.id, to.id),
            followed_by: self.follows(to.id, from.id),
            requested: self.requests.has(&(from.id, to.id)),
            requested_by: self.requests.has(&(to.id, from.id)),
            blocks: self.blocks.has(&(from.id, to.id)),
            blocked_by: self.shuts_out(to.id, from.account),
            mutes_posts: mute.is_some_and(|m| m.posts),
            mutes_stories: mute.is_some_and(|m| m.stories),
            mutes_notifications: mute.is_some_and(|m| m.notifications),
        }
    }

    /// Whether a viewer and a profile are hidden from each other by a block.
    pub(crate) fn hidden(&self, viewer: Viewer, profile: ProfileId) -> bool {
        let Viewer::Face(face, account) = viewer else { return false };
        self.shuts_out(profile, account) || self.blocks.has(&(face, profile))
    }

    /// Whether a profile is one of the viewer's own faces, and how the viewer stands to it.
    fn stands_to(&self, viewer: Viewer, profile: &Profile) -> (bool, Relation) {
        let face = viewer.profile().and_then(|me| self.profiles.get(&me));
        let own = face.map_or(matches!(viewer, Viewer::System), |me| me.account == profile.account);
        (own, face.map(|me| self.relation(me, profile)).unwrap_or_default())
    }

    /// Whether a viewer sees a person at all.
    pub(crate) fn sees_profile(&self, viewer: Viewer, profile: &Profile) -> bool {
        let (own, relation) = self.stands_to(viewer, profile);
        graph::policy::sees(own, profile.standing, &relation)
    }

    /// The visible profile with an id.
    pub(crate) fn seen_profile(&self, viewer: Viewer, id: ProfileId) -> Option<&Profile> {
        self.profiles.get(&id).filter(|profile| self.sees_profile(viewer, profile))
    }

    /// Whether a viewer may look at whom a profile follows and who follows it.
    pub(crate) fn sees_edges(&self, viewer: Viewer, of: ProfileId) -> bool {
        self.profiles.get(&of).is_some_and(|profile| {
            let (own, relation) = self.stands_to(viewer, profile);
            graph::policy::sees_lists(own, profile, &relation)
        })
    }

    /// What decides whether a viewer may see a post. A part of the platform reads as its author does.
    pub(crate) fn audience(&self, viewer: Viewer, post: &Post) -> Audience {
        let author = self.profiles.get(&post.author);
        let edge = |test: &dyn Fn(ProfileId) -> bool| viewer.profile().is_some_and(test);
        Audience {
            is_author: viewer.is(post.author),
            standing: author.map_or(Standing::Gone, |a| a.standing),
            private: author.is_some_and(|a| a.private),
            follows: edge(&|me| self.follows(me, post.author)),
            followed_by: edge(&|me| self.follows(post.author, me)),
            in_circle: edge(&|me| match post.visibility {
                Visibility::Circle(circle) => self.circle_members.has(&(circle, me)),
                _ => false,
            }),
            mentioned: edge(&|me| post.mentions.contains(&me)),
            blocked: self.hidden(viewer, post.author),
            taken_down: self.takedowns.has(&staff::Target::Post(post.id)),
        }
    }

    /// The post with an id, if the viewer sees it now.
    pub(crate) fn seen_post(&self, viewer: Viewer, id: PostId) -> Option<&Post> {
        self.posts.get(&id).filter(|post| policy::sees(post, &self.audience(viewer, post)))
    }

    /// The post with an id, if row security would let it through.
    pub(crate) fn post_in_class(&self, viewer: Viewer, id: PostId) -> Option<&Post> {
        self.posts.get(&id).filter(|post| policy::within_class(post, &self.audience(viewer, post)))
    }

    /// The living comment with an id, if the viewer sees it: its post and its own author.
    pub(crate) fn seen_comment(&self, viewer: Viewer, id: CommentId) -> Option<&Comment> {
        let comment = self.comments.get(&id)?;
        let author = self.profiles.get(&comment.author)?;
        let (own, relation) = self.stands_to(viewer, author);
        let seen = comment::policy::sees(comment, own, author.standing, &relation);
        let hidden = self.taken_down(viewer, comment);
        (seen && !hidden && self.seen_post(viewer, comment.post).is_some()).then_some(comment)
    }

    /// Whether a comment was taken down, for everybody but its writer.
    pub(crate) fn taken_down(&self, viewer: Viewer, comment: &Comment) -> bool {
        !viewer.is(comment.author) && self.takedowns.has(&staff::Target::Comment(comment.id))
    }

    /// Whether a viewer sees what a reaction is given to.
    pub(crate) fn sees_target(&self, viewer: Viewer, target: Target) -> bool {
        match target {
            Target::Post(id) => self.seen_post(viewer, id).is_some(),
            Target::Comment(id) => self.seen_comment(viewer, id).is_some(),
        }
    }

    /// The viewer's own reaction to a target.
    pub(crate) fn own_reaction(&self, viewer: Viewer, target: Target) -> Option<crate::reaction::ReactionKind> {
        self.reactions.get(&(viewer.profile()?, target)).map(|r| r.kind)
    }

    /// Whether living answers hang on a comment, at any depth: then it stays as a tombstone when it is deleted.
    pub(crate) fn holds_answers(&self, comment: &Comment) -> bool {
        let mut answers = self.comments.by(ANSWERS, (comment.post.raw(), comment.id.raw()));
        answers.any(|answer| answer.deleted_at.is_none() || self.holds_answers(answer))
    }

    pub(crate) fn counter(&self, field: CounterField, subject: i64) -> i64 {
        self.counters.get(&(field, subject)).map_or(0, |c| c.value)
    }

    pub(crate) fn profile_counters(&self, id: ProfileId) -> ProfileCounters {
        ProfileCounters {
            posts: self.counter(CounterField::ProfilePosts, id.raw()),
            followers: self.counter(CounterField::ProfileFollowers, id.raw()),
            following: self.counter(CounterField::ProfileFollowing, id.raw()),
        }
    }

    pub(crate) fn post_counters(&self, id: PostId) -> PostCounters {
        PostCounters {
            reactions: self.counter(CounterField::PostReactions, id.raw()),
            comments: self.counter(CounterField::PostComments, id.raw()),
        }
    }

    pub(crate) fn comment_counters(&self, id: CommentId) -> CommentCounters {
        CommentCounters {
            reactions: self.counter(CounterField::CommentReactions, id.raw()),
            replies: self.counter(CounterField::CommentReplies, id.raw()),
        }
    }

    /// The profiles whose own edges go out from this one.
    pub(crate) fn followees(&self, of: ProfileId) -> impl Iterator<Item = &Follow> {
        self.follows.by(FROM, (of.raw(), 0))
    }
}
