//! Second factors, passkeys and identities at providers.

use async_trait::async_trait;

use crate::account::{LinkedIdentity, Passkey, PendingCeremony, SecondFactor};
use crate::error::Result;
use crate::id::{AccountId, ChallengeId, PasskeyId};
use crate::time::Timestamp;

/// Changes what guards accounts besides their passwords, and what lets in in their place. A member reaches only their own account's.
#[async_trait]
pub trait FactorRepository: Send {
    /// The account's second factor, locked for update, with the number of its passkeys; nothing where there never was one. Who
    /// decides on its absence holds the account's lock.
    async fn second_factor(&mut self, account: AccountId) -> Result<Option<SecondFactor>>;
    /// Stores the account's second factor, the first or a changed one; how many passkeys there are is not its to say.
    async fn put_second_factor(&mut self, factor: &SecondFactor) -> Result<()>;
    /// Removes the account's second factor; says whether there was one.
    async fn delete_second_factor(&mut self, account: AccountId) -> Result<bool>;

    /// The account's passkeys, oldest first.
    async fn passkeys(&mut self, account: AccountId) -> Result<Vec<Passkey>>;
    /// One of the account's passkeys, locked for update.
    async fn passkey(&mut self, account: AccountId, id: PasskeyId) -> Result<Option<Passkey>>;
    /// Inserts a passkey. One whose credential is known is `Conflict("passkey_credential")`.
    async fn insert_passkey(&mut self, passkey: &Passkey) -> Result<()>;
    /// Stores a passkey's key, name and last use; `Stale` where it is not the account's.
    async fn update_passkey(&mut self, passkey: &Passkey) -> Result<()>;
    /// Removes one of the account's passkeys; says whether it was there.
    async fn delete_passkey(&mut self, account: AccountId, id: PasskeyId) -> Result<bool>;

    /// The account's identities at providers, locked for update, the oldest first.
    async fn identities(&mut self, account: AccountId) -> Result<Vec<LinkedIdentity>>;
    /// Links an identity. One that opens an account already is `Conflict("identity_subject")`, a second one of an issuer
    /// `Conflict("identity_issuer")`.
    async fn insert_identity(&mut self, linked: &LinkedIdentity) -> Result<()>;
    /// Notes that somebody came in by an identity of the account; `Stale` where it is not the account's.
    async fn use_identity(&mut self, account: AccountId, issuer: &str, at: Timestamp) -> Result<()>;
    /// Unlinks the account's identity of an issuer; says whether it was there.
    async fn delete_identity(&mut self, account: AccountId, issuer: &str) -> Result<bool>;

    /// Keeps a ceremony: one of the actor's own account, or anybody's of no account.
    async fn insert_ceremony(&mut self, ceremony: &PendingCeremony) -> Result<()>;
    /// Takes a ceremony out, so that nobody else gets it. Open to an anonymous actor, by id only.
    async fn take_ceremony(&mut self, id: ChallengeId) -> Result<Option<PendingCeremony>>;
    /// Removes ceremonies that lapsed before an instant, at most `limit`; answers how many went.
    async fn purge_ceremonies(&mut self, before: Timestamp, limit: u32) -> Result<u64>;
}
