//! Staff, what they did to accounts, and what they took down.

use async_trait::async_trait;

use super::Lock;
use crate::account::{Profile, Session};
use crate::error::Result;
use crate::id::{AccountId, ChallengeId};
use crate::staff::{Sanction, StaffMember, StaffRole, Strike, Struck, Takedown, Target};
use crate::time::Timestamp;

/// Changes what is staff's. All of it is for the platform's own actors only, but what says otherwise.
#[async_trait]
pub trait StaffRepository: Send {
    /// What an account is among the staff, if it is.
    async fn role(&mut self, account: AccountId, lock: Lock) -> Result<Option<StaffRole>>;
    /// The staff, all of them, by rank from above and by time.
    async fn staff(&mut self) -> Result<Vec<StaffMember>>;
    /// The admins, locked for update in one order, so that none of two goes while the other does.
    async fn admins(&mut self) -> Result<Vec<AccountId>>;
    /// Makes an account staff, or something else among them.
    async fn put_role(&mut self, member: &StaffMember) -> Result<()>;
    /// Takes an account from the staff; says whether it was.
    async fn remove_role(&mut self, account: AccountId) -> Result<bool>;

    /// The faces of an account that are not gone, oldest first.
    async fn faces_of(&mut self, account: AccountId) -> Result<Vec<Profile>>;
    /// The living sessions of an account, newest first.
    async fn sessions_of(&mut self, account: AccountId, now: Timestamp) -> Result<Vec<Session>>;

    /// What was done to an account last.
    async fn sanction(&mut self, account: AccountId) -> Result<Option<Sanction>>;
    /// Keeps what is done to an account, in the place of what was before.
    async fn put_sanction(&mut self, sanction: &Sanction) -> Result<()>;
    /// Forgets it; says whether there was something.
    async fn remove_sanction(&mut self, account: AccountId) -> Result<bool>;
    /// Keeps a strike; one that is there already stays.
    async fn put_strike(&mut self, strike: &Strike) -> Result<()>;
    /// The latest strike that there was for something, as far as it was not taken back.
    async fn latest_strike(&mut self, of: Struck) -> Result<Option<Strike>>;
    /// Forgets a strike, found by its account, what it was for and when; says whether it was there.
    async fn remove_strike(&mut self, strike: &Strike) -> Result<bool>;
    /// Accounts whose suspension ended before an instant, at most `limit`.
    async fn suspensions_over(&mut self, now: Timestamp, limit: u32) -> Result<Vec<AccountId>>;

    /// Hides a post or a comment, and keeps why; of a profile's name or picture only the latter. One that is taken down
    /// already is `Conflict("takedown")`.
    async fn take_down(&mut self, takedown: &Takedown) -> Result<()>;
    /// Shows it again, and forgets the takedown; says whether there was one.
    async fn put_back(&mut self, target: Target) -> Result<bool>;
    /// A takedown, locked with the other parts of the unit by what it hides. Open to its owner.
    async fn takedown(&mut self, target: Target) -> Result<Option<Takedown>>;
    /// The takedown that a mail is to tell of.
    async fn takedown_told_by(&mut self, notice: ChallengeId) -> Result<Option<Takedown>>;
}

/// Looks at what staff did, as its owner may.
#[async_trait]
pub trait StaffReads: Send {
    /// What the actor is among the staff.
    async fn own_role(&mut self) -> Result<Option<StaffRole>>;
    /// What was done to the actor's account last.
    async fn own_sanction(&mut self) -> Result<Option<Sanction>>;
    /// What was taken down of the acting profile's, newest first, at most a hundred.
    async fn own_takedowns(&mut self) -> Result<Vec<Takedown>>;
}
