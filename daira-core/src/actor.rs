//! Who is asking: the first argument of every use case and the key of row security.

use core::net::IpAddr;

use crate::error::Result;
use crate::id::{AccountId, ProfileId, SessionId};
use crate::secret::Secret;

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

/// What a stranger asks with, as far as the transport knows. Nothing of it is proof, and nothing of it is logged.
#[derive(Clone, Default)]
pub struct Client {
    /// The network address that limits count by; without one they do not.
    pub address: Option<IpAddr>,
    /// What an earlier log-in on the same device answered as its token.
    pub known_device: Option<Secret>,
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Client(…)")
    }
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
    /// The platform, in the name of somebody of its staff whose right is being checked in the same unit. Only the use cases
    /// of [`staff`](crate::staff) open one; nobody who comes in is one.
    Staff(Member),
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
            Self::Anonymous | Self::System(_) | Self::Staff(_) => Err(ActorRefusal::LogInFirst.into()),
        }
    }

    /// The profile acting, if a member acts.
    pub fn profile(&self) -> Option<ProfileId> {
        self.member().ok().map(|m| m.profile)
    }
}
