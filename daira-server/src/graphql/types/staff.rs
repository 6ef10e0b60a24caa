//! What staff see, and what the owner of an account sees of what staff did. Which private field a role may see is decided by the
//! kernel's table: what is not in the answer of the use case is null here.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use daira_core::staff::{self, PersonFile, StaffMember};

use super::me::OwnAccountState;
use super::profile::Profile;
use super::scalar::DateTime;
use crate::graphql::scope::InScope;

/// What somebody of the staff is. Later ones stand above earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "staff::StaffRole")]
pub enum StaffRole {
    /// Acts on content and people for a while.
    Moderator,
    /// Acts for good, sees private data and undoes what others did.
    SeniorModerator,
    /// Makes others staff.
    Admin,
}

/// Why staff do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "staff::Reason")]
pub enum StaffReason {
    /// Violence, or threats of it.
    Violence,
    /// Hatred of people for what they are.
    Hate,
    /// Harassment.
    Harassment,
    /// Sexual content.
    Sexual,
    /// What harms children.
    ChildSafety,
    /// What is untrue and does harm.
    Misinformation,
    /// Goods that may not be sold.
    IllegalGoods,
    /// Spam.
    Spam,
    /// What belongs to others.
    IntellectualProperty,
    /// Self-harm.
    SelfHarm,
    /// Somebody who is not who they say.
    Impersonation,
    /// Something else against the rules.
    Other,
    /// A report is looked into.
    Report,
    /// An appeal is decided.
    Appeal,
    /// The person asked for help.
    Support,
    /// An account or the platform is in danger.
    Safety,
    /// An authority asked, with right.
    Legal,
    /// Who works for us changed.
    Staffing,
}

/// What is private of a person, and shown to staff on wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "staff::PrivateField")]
pub enum PrivateField {
    /// The e-mail address.
    Email,
    /// When the person was born.
    BirthDate,
    /// All faces of the person, which nothing else links.
    Faces,
    /// Where the person is logged in.
    Sessions,
    /// What guards the account besides its password.
    SecondFactor,
    /// Which sanction holds, why, and by whom.
    Sanction,
}

/// What can be taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum TakedownKind {
    /// A post.
    Post,
    /// A comment.
    Comment,
    /// A profile's display name.
    Name,
    /// A profile's picture.
    Picture,
}

impl TakedownKind {
    /// The target of this kind with an id, when it is an id of that kind.
    pub(in crate::graphql) fn target(self, id: &ID) -> daira_core::Result<staff::Target> {
        use crate::graphql::input::id as of;
        Ok(match self {
            Self::Post => staff::Target::Post(of(id, "targetId")?),
            Self::Comment => staff::Target::Comment(of(id, "targetId")?),
            Self::Name => staff::Target::Name(of(id, "targetId")?),
            Self::Picture => staff::Target::Picture(of(id, "targetId")?),
        })
    }
}

/// What staff did to the account.
#[derive(SimpleObject)]
pub(crate) struct Sanction {
    /// Why.
    reason: StaffReason,
    /// When.
    at: DateTime,
}

impl From<staff::Sanction> for Sanction {
    fn from(sanction: staff::Sanction) -> Self {
        Self { reason: sanction.why.reason.into(), at: sanction.at.into() }
    }
}

/// Something of the reader's own that staff took down: nobody else sees it until it is put back.
#[derive(SimpleObject)]
pub(crate) struct Takedown {
    /// What it is.
    kind: TakedownKind,
    /// The id of the post or the comment, or of the profile whose name or picture it was.
    target_id: ID,
    /// Why.
    reason: StaffReason,
    /// When.
    at: DateTime,
}

impl From<staff::Takedown> for Takedown {
    fn from(takedown: staff::Takedown) -> Self {
        let (kind, target) = match takedown.target {
            staff::Target::Post(id) => (TakedownKind::Post, id.to_string()),
            staff::Target::Comment(id) => (TakedownKind::Comment, id.to_string()),
            staff::Target::Name(id) => (TakedownKind::Name, id.to_string()),
            staff::Target::Picture(id) => (TakedownKind::Picture, id.to_string()),
        };
        Self { kind, target_id: target.into(), reason: takedown.why.reason.into(), at: takedown.at.into() }
    }
}

/// Somebody of the staff.
pub(crate) struct StaffEntry {
    member: StaffMember,
    profile: std::sync::Arc<daira_core::account::Profile>,
}

impl From<(StaffMember, daira_core::account::Profile)> for StaffEntry {
    fn from((member, profile): (StaffMember, daira_core::account::Profile)) -> Self {
        Self { member, profile: profile.into() }
    }
}

/// Somebody of the staff.
#[Object]
impl StaffEntry {
    /// Their oldest face.
    async fn profile(&self) -> Profile {
        Profile::Alone(self.profile.clone())
    }

    /// What they are.
    async fn role(&self) -> StaffRole {
        self.member.role.into()
    }

    /// Since when.
    async fn since(&self) -> DateTime {
        self.member.since.into()
    }
}

/// A place where somebody is logged in, as staff see it.
#[derive(SimpleObject)]
pub(crate) struct PersonSession {
    /// Its id, for `endPersonSessions`.
    id: ID,
    /// What it is shown as, for instance "Firefox on Android".
    device: String,
    /// When it began.
    created_at: DateTime,
    /// When it was last refreshed or used.
    last_used_at: DateTime,
}

/// What guards somebody's account besides its password.
#[derive(SimpleObject)]
pub(crate) struct PersonGuards {
    /// Whether digits of an app are asked for.
    authenticator: bool,
    /// How many passkeys there are.
    passkeys: i64,
}

/// Somebody as staff see them. A private field is null unless it was asked for.
pub(crate) struct Person(pub(in crate::graphql) PersonFile);

/// Somebody as staff see them. A private field is null unless it was asked for; each look is written down.
#[Object]
impl Person {
    /// The face that was meant; by an address, the oldest.
    async fn profile(&self) -> Profile {
        Profile::Alone(self.0.profile.clone().into())
    }

    /// What the account is allowed at present.
    async fn state(&self) -> OwnAccountState {
        self.0.state.into()
    }

    /// When a suspension ends.
    async fn suspended_until(&self) -> Option<DateTime> {
        match self.0.state {
            daira_core::account::AccountState::Suspended(until) => Some(until.into()),
            _ => None,
        }
    }

    /// When the person joined.
    async fn joined_at(&self) -> DateTime {
        self.0.joined_at.into()
    }

    /// What they are among the staff.
    async fn role(&self) -> Option<StaffRole> {
        self.0.role.map(Into::into)
    }

    /// The e-mail address.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_ref().map(daira_core::account::Email::as_str)
    }

    /// The date of birth, for instance `2001-09-30`.
    async fn birth_date(&self) -> Option<String> {
        self.0.birth_date.map(|date| date.to_string())
    }

    /// All faces of the person, oldest first.
    async fn faces(&self) -> Option<Vec<Profile>> {
        let faces = self.0.faces.clone()?;
        Some(faces.into_iter().map(|face| Profile::Alone(face.into())).collect())
    }

    /// Where the person is logged in, newest first.
    async fn sessions(&self) -> Option<Vec<PersonSession>> {
        let shown = |session: &daira_core::account::Session| PersonSession {
            id: session.id.to_string().into(),
            device: session.device.clone(),
            created_at: session.created_at.into(),
            last_used_at: session.last_used_at.into(),
        };
        Some(self.0.sessions.as_ref()?.iter().map(shown).collect())
    }

    /// What guards the account besides its password.
    async fn guards(&self) -> Option<PersonGuards> {
        let guards = self.0.guards?;
        let passkeys = i64::try_from(guards.passkeys).unwrap_or(i64::MAX);
        Some(PersonGuards { authenticator: guards.authenticator, passkeys })
    }

    /// What was done to the account, while it holds.
    async fn sanction(&self) -> Option<Sanction> {
        self.0.sanction.clone().map(Into::into)
    }
}

/// What staff can ask. Everybody else gets `staff.not_allowed`.
pub(crate) struct Staff;

/// What staff can ask. Everybody else gets `staff.not_allowed`, and whoever did not prove a second factor on the session is told so.
#[Object]
impl Staff {
    /// Who is staff, by rank from above.
    async fn members(&self, ctx: &Context<'_>) -> Result<Option<Vec<StaffEntry>>> {
        let scope = ctx.scope();
        let members = scope.services.staff.list(&scope.actor).await?;
        Ok(Some(members.into_iter().map(Into::into).collect()))
    }
}
