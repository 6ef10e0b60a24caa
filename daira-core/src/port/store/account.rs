//! Accounts, profiles, handles, credentials and sessions.

use async_trait::async_trait;

use super::Lock;
use crate::account::{
    Account, Email, Identity, Mailing, Phone, Profile, ProfileCounters, Registration, Session, StoredCredential,
    StoredPasskey, VerifiedPhone,
};
use crate::actor::Member;
use crate::error::Result;
use crate::id::{AccountId, ChallengeId, ProfileId, SessionId};
use crate::text::Handle;
use crate::time::Timestamp;
use crate::trust::TrustFacts;

/// Who holds a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandleHolder {
    /// A living profile, until it lets go.
    Profile(ProfileId),
    /// A registration that was not completed yet, until the instant.
    Registration(ChallengeId, Timestamp),
    /// A former owner, who alone may take it back before the instant.
    Former(ProfileId, Timestamp),
}

/// Changes people.
#[async_trait]
pub trait AccountRepository: Send {
    /// Keeps a registration until its e-mail is verified. Open to an anonymous actor.
    async fn insert_registration(&mut self, registration: &Registration) -> Result<()>;
    /// Loads a registration and locks it for update. Open to an anonymous actor, by id only.
    async fn registration(&mut self, id: ChallengeId) -> Result<Option<Registration>>;
    /// Stores the number of wrong tries. Open to an anonymous actor.
    async fn set_attempts(&mut self, id: ChallengeId, attempts: u16) -> Result<()>;
    /// Removes a registration that is completed.
    async fn delete_registration(&mut self, id: ChallengeId) -> Result<()>;
    /// Removes registrations that ended before an instant, at most `limit`; answers how many went.
    async fn purge_registrations(&mut self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Keeps a mail that is due: one of the actor's own account, or anybody's of no account.
    async fn insert_mailing(&mut self, mailing: &Mailing) -> Result<()>;
    /// Loads a mailing and locks it for update, by id only: one of the actor's own account, or anybody's of no account.
    async fn mailing(&mut self, id: ChallengeId) -> Result<Option<Mailing>>;
    /// Counts a wrong code for such a mailing.
    async fn count_attempt(&mut self, id: ChallengeId) -> Result<()>;
    /// Removes such a mailing, which has served.
    async fn delete_mailing(&mut self, id: ChallengeId) -> Result<()>;
    /// Removes mailings that lapsed before an instant, at most `limit`; answers how many went.
    async fn purge_mailings(&mut self, before: Timestamp, limit: u32) -> Result<u64>;
    /// Removes sessions that were revoked or ran out before an instant, at most `limit`; answers how many. For the platform's own
    /// actors only.
    async fn purge_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Inserts an account with its password hash. A taken e-mail is `Conflict("account_email")`.
    async fn insert_account(&mut self, account: &Account, password_hash: &str) -> Result<()>;
    /// Loads the actor's own account.
    async fn account(&mut self, id: AccountId, lock: Lock) -> Result<Option<Account>>;
    /// Loads an account by its e-mail. For the platform's own actors only.
    async fn account_by_email(&mut self, email: &Email) -> Result<Option<Account>>;
    /// Stores a changed account whose version is one above the stored one; else `Stale`.
    async fn update_account(&mut self, account: &Account) -> Result<()>;
    /// The account's password hash.
    async fn password_hash(&mut self, account: AccountId) -> Result<Option<String>>;
    /// Replaces the account's password hash.
    async fn set_password_hash(&mut self, account: AccountId, hash: &str) -> Result<()>;

    /// Inserts a profile. A handle that another face bears which is not gone is `Conflict("handle")`.
    async fn insert_profile(&mut self, profile: &Profile) -> Result<()>;
    /// The faces of the actor's own account that are not gone, in any order.
    async fn faces(&mut self, account: AccountId) -> Result<Vec<ProfileId>>;
    /// Loads a profile, whatever its standing.
    async fn profile(&mut self, id: ProfileId, lock: Lock) -> Result<Option<Profile>>;
    /// Stores a changed profile whose version is one above the stored one; else `Stale`.
    async fn update_profile(&mut self, profile: &Profile) -> Result<()>;
    /// Sets whether a profile lets others see that it is active; from the start it does.
    async fn set_shows_activity(&mut self, profile: ProfileId, shows: bool) -> Result<()>;
    /// The profiles behind these handles; unknown handles are left out.
    async fn profiles_by_handle(&mut self, handles: &[Handle]) -> Result<Vec<ProfileId>>;
    /// Takes a handle for a holder, if it is free at `now`: never held, lapsed, or held by the same holder (a
    /// registration's hold passes to the profile that it names by `for_registration`). Says whether it did.
    async fn claim_handle(
        &mut self,
        handle: &Handle,
        holder: HandleHolder,
        for_registration: Option<ChallengeId>,
        now: Timestamp,
    ) -> Result<bool>;

    /// Inserts a session.
    async fn insert_session(&mut self, session: &Session) -> Result<()>;
    /// Loads a session and locks it for update. Open to an anonymous actor, by id only.
    async fn session(&mut self, id: SessionId) -> Result<Option<Session>>;
    /// Stores a session's changing parts. Open to an anonymous actor, by id only.
    async fn update_session(&mut self, session: &Session) -> Result<()>;
    /// Notes that the owner of one of the actor's own sessions proved themselves on it; `Stale` for another's.
    async fn prove_session(&mut self, id: SessionId, at: Timestamp) -> Result<()>;
    /// Revokes the account's living sessions but one, or of those only the ones of the log-in at an instant; answers which.
    async fn revoke_sessions(
        &mut self,
        account: AccountId,
        keep: Option<SessionId>,
        of_log_in: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Vec<SessionId>>;
    /// Resolves the session of an access token to its member, if session and account are living at `now`; notes that this
    /// generation's token has been seen. A generation that was never issued resolves to nobody. Open to an anonymous actor.
    async fn resolve_session(&mut self, id: SessionId, generation: i32, now: Timestamp) -> Result<Option<Member>>;
    /// What an account's trust is made of, with the strikes since an instant. Open to every actor: the account comes from a session.
    async fn trust_facts(&mut self, account: AccountId, since: Timestamp) -> Result<Option<TrustFacts>>;
}

/// Looks at people.
#[async_trait]
pub trait AccountReads: Send {
    /// What a log-in needs to know of an e-mail: of the faces the oldest that is not gone. Open to an anonymous actor.
    async fn credential_by_email(&mut self, email: &Email) -> Result<Option<StoredCredential>>;
    /// The same of a phone number.
    async fn credential_by_phone(&mut self, phone: &Phone) -> Result<Option<StoredCredential>>;
    /// The same of an identity at a provider.
    async fn credential_by_identity(&mut self, identity: &Identity) -> Result<Option<StoredCredential>>;
    /// The passkey with this credential, and the oldest face of its account that is not gone. Open to an anonymous actor.
    async fn passkey_by_credential(&mut self, credential: &[u8]) -> Result<Option<StoredPasskey>>;
    /// The actor's own account.
    async fn own_account(&mut self) -> Result<Option<Account>>;
    /// The number of the actor's own account.
    async fn own_phone(&mut self) -> Result<Option<VerifiedPhone>>;
    /// The actor's living sessions over all profiles of the account, without those of apps of others, newest first.
    async fn own_sessions(&mut self, now: Timestamp) -> Result<Vec<Session>>;
    /// All profiles of the actor's account.
    async fn own_profiles(&mut self) -> Result<Vec<Profile>>;
    /// Whether the acting profile lets others see that it is active; no for who has none.
    async fn shows_activity(&mut self) -> Result<bool>;
    /// The visible ones among these profiles, in any order.
    async fn profiles(&mut self, ids: &[ProfileId]) -> Result<Vec<Profile>>;
    /// The visible profile with this handle.
    async fn profile_by_handle(&mut self, handle: &Handle) -> Result<Option<Profile>>;
    /// Counters of the visible ones among these profiles, in any order; absent means zero.
    async fn profile_counters(&mut self, ids: &[ProfileId]) -> Result<Vec<(ProfileId, ProfileCounters)>>;
    /// Sessions revoked at or after an instant, for every node's revocation list. Open to an anonymous actor.
    async fn revoked_since(&mut self, since: Timestamp) -> Result<Vec<(SessionId, Timestamp)>>;
}
