//! Who is asking: the first argument of every use case and the key of row security.

use crate::error::Result;
use crate::id::{AccountId, ProfileId, SessionId};

/// A logged-in person, acting through one of their profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Member {
    /// The private root. It is in no API answer and in no token.
    pub account: AccountId,
    /// The public face they act as.
    pub profile: ProfileId,
    /// The session, one per profile and device.
    pub session: SessionId,
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Nobody in particular: sees what is public.
    Anonymous,
    /// A logged-in person.
    Member(Member),
    /// A part of the platform itself, such as a consumer; its name is for the audit trail.
    System(&'static str),
}

crate::refusals! {
    /// Why an actor was not let in.
    pub enum ActorRefusal {
        /// Nobody is logged in.
        LogInFirst = "auth.required", Unauthenticated, "Please log in first.", "سجّل دخولك الأول.";
    }
}

impl Actor {
    /// The member, or the refusal to log in first.
    ///
    /// # Errors
    /// [`ActorRefusal::LogInFirst`] for everybody else.
    pub fn member(&self) -> Result<&Member> {
        match self {
            Self::Member(member) => Ok(member),
            Self::Anonymous | Self::System(_) => Err(ActorRefusal::LogInFirst.into()),
        }
    }

    /// The profile acting, if a member acts.
    pub fn profile(&self) -> Option<ProfileId> {
        self.member().ok().map(|m| m.profile)
    }
}
