//! Apps of others, what people let them do, and codes on their way.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::{AccountId, AppId, ChallengeId, ProfileId, SessionId};
use crate::oauth::{App, Code, ConnectedApp, Grant};
use crate::time::Timestamp;

/// Changes apps of others and what they were let do. A member reaches only what is their own account's.
#[async_trait]
pub trait AppRepository: Send {
    /// Inserts an app of the actor's own account.
    async fn insert_app(&mut self, app: &App) -> Result<()>;
    /// Loads an app, deleted or not. Open to an anonymous actor, by id only.
    async fn app(&mut self, id: AppId) -> Result<Option<App>>;
    /// Loads an app that is not deleted, while whoever registered it may come in. Open to an anonymous actor, by id only.
    async fn living_app(&mut self, id: AppId, now: Timestamp) -> Result<Option<App>>;
    /// Stores a changed app whose version is one above the stored one; else `Stale`.
    async fn update_app(&mut self, app: &App) -> Result<()>;
    /// How many apps of an account are not deleted. Who decides on it holds the account's lock.
    async fn app_count(&mut self, owner: AccountId) -> Result<usize>;

    /// What a profile lets an app do, locked for update.
    async fn grant(&mut self, profile: ProfileId, app: AppId) -> Result<Option<Grant>>;
    /// Stores what a profile lets an app do, for the first time or anew.
    async fn put_grant(&mut self, grant: &Grant) -> Result<()>;
    /// Removes what a profile lets an app do; says whether it was there.
    async fn delete_grant(&mut self, profile: ProfileId, app: AppId) -> Result<bool>;
    /// Removes what all profiles of an account let apps do; answers which.
    async fn delete_grants(&mut self, account: AccountId) -> Result<Vec<(ProfileId, AppId)>>;
    /// What profiles let apps do that are deleted, or whose owner's account is, of one owner or of all, in order of app and
    /// profile, after one that was answered before, at most `limit`. For the platform's own actors only.
    async fn dead_grants(
        &mut self,
        owner: Option<AccountId>,
        after: Option<(AppId, ProfileId)>,
        limit: u32,
    ) -> Result<Vec<Grant>>;
    /// Revokes an app's living sessions of a profile of an account; answers which.
    async fn revoke_granted(
        &mut self,
        account: AccountId,
        profile: ProfileId,
        app: AppId,
        at: Timestamp,
    ) -> Result<Vec<SessionId>>;

    /// Keeps a code.
    async fn insert_code(&mut self, code: &Code) -> Result<()>;
    /// Loads a code, spent or not, and locks it for update. Open to an anonymous actor, by id only.
    async fn code(&mut self, id: ChallengeId) -> Result<Option<Code>>;
    /// Notes the session that a code was exchanged for; `Stale` where it was exchanged before.
    async fn spend_code(&mut self, id: ChallengeId, session: SessionId) -> Result<()>;
    /// Removes codes that lapsed before an instant, at most `limit`; answers how many went.
    async fn purge_codes(&mut self, before: Timestamp, limit: u32) -> Result<u64>;
}

/// Looks at apps of others.
#[async_trait]
pub trait AppReads: Send {
    /// The actor's own apps that are not deleted, oldest first.
    async fn own_apps(&mut self) -> Result<Vec<App>>;
    /// The apps that the actor's account lets act as any of its profiles, newest first.
    async fn connected_apps(&mut self) -> Result<Vec<ConnectedApp>>;
}
