//! Registering apps, changing them, giving them another secret, deleting them. An app is its owner's alone; anybody may learn what
//! it is called, for they are asked about it.

use super::super::request::is_redirect;
use super::super::{App, OauthRefusal, code};
use super::OauthService;
use super::consent::shut_out;
use crate::account::service::{DRAWS, audit, is_taken, out_of_draws};
use crate::account::{AccountRefusal, AccountService};
use crate::actor::{Actor, Member};
use crate::checks::{Writing, acting, keyed};
use crate::error::{Error, Result};
use crate::id::{AccountId, AppId};
use crate::idempotency::IdempotencyKey;
use crate::port::UnitOfWork;
use crate::port::store::{Access, Lock};
use crate::secret::Secret;
use crate::text::Bounds;
use crate::time::Timestamp;

/// How many apps an account may have, and addresses an app.
const MOST: usize = 20;
const REDIRECTS: usize = 10;

/// Who shuts dead apps out.
const CLOSER: Actor = Actor::System("close-apps");
/// How many profiles are looked up at once.
const CHUNK: u32 = 200;

const NAME: Writing<OauthRefusal> = Writing {
    field: "name",
    bounds: Bounds::line(1, 60),
    empty: OauthRefusal::NameInvalid,
    too_long: OauthRefusal::NameInvalid,
    forbidden: OauthRefusal::ForbiddenCharacter,
};

/// What its owner says of an app.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// What people see it as.
    pub name: String,
    /// Where answers may be sent.
    pub redirects: Vec<String>,
}

/// An app, and its secret where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredApp {
    /// The app.
    pub app: App,
    /// To be kept by the app; it is told this once.
    pub secret: Option<Secret>,
}

impl AppSettings {
    fn check(self) -> Result<Self> {
        let name = NAME.check(&self.name)?;
        let fine = (1..=REDIRECTS).contains(&self.redirects.len()) && self.redirects.iter().all(|one| is_redirect(one));
        if !fine {
            return Err(Error::from(OauthRefusal::RedirectsInvalid).on_field("redirectUris"));
        }
        Ok(Self { name, redirects: self.redirects })
    }
}

impl OauthService {
    /// Registers an app. One that is confidential has a secret, which is told this once.
    ///
    /// # Errors
    /// [`OauthRefusal::NameInvalid`], [`OauthRefusal::ForbiddenCharacter`], [`OauthRefusal::RedirectsInvalid`],
    /// [`OauthRefusal::AppsFull`], [`AccountRefusal::Restricted`].
    pub async fn register_app(
        &self,
        actor: &Actor,
        settings: AppSettings,
        confidential: bool,
        key: Option<IdempotencyKey>,
    ) -> Result<RegisteredApp> {
        let member = *actor.member()?;
        let AppSettings { name, redirects } = &settings.check()?;
        let keyed = keyed("oauth.register_app", key, &(name, redirects, confidential));
        for _ in 0..DRAWS {
            let now = self.ports.clock.now();
            // A shard of its own: an id that anybody sees has nothing in common with any face.
            let id: AppId = self.ports.ids.draw(now, self.ports.ids.shard());
            let outcome = self
                .ports
                .transact_once(actor, keyed.as_ref(), |mut unit| {
                    Box::pin(async move {
                        let unit = &mut *unit;
                        // Locked, so that two requests do not both find room for the last.
                        unit.accounts().account(member.account, Lock::Update).await?;
                        acting(unit, &member, now, AccountRefusal::Restricted).await?;
                        if unit.apps().app_count(member.account).await? >= MOST {
                            return Err(OauthRefusal::AppsFull.into());
                        }
                        let app = App {
                            id,
                            owner: member.account,
                            name: name.clone(),
                            redirects: redirects.clone(),
                            confidential,
                            secret: 1,
                            created_at: now,
                            deleted_at: None,
                            version: 1,
                        };
                        unit.apps().insert_app(&app).await?;
                        audit(unit, "app.registered", id, "", now).await?;
                        Ok(id)
                    })
                })
                .await;
            if !is_taken(&outcome) {
                return self.with_secret(member, outcome?).await;
            }
        }
        Err(out_of_draws())
    }

    /// Changes what an app is called and where it is answered.
    ///
    /// # Errors
    /// Those of [`register_app`](Self::register_app); not found for another's app.
    pub async fn update_app(
        &self,
        actor: &Actor,
        id: AppId,
        settings: AppSettings,
        key: Option<IdempotencyKey>,
    ) -> Result<App> {
        let AppSettings { name, redirects } = &settings.check()?;
        let keyed = keyed("oauth.update_app", key, &(id, name, redirects));
        let change = |app: App, _| Ok(App { name: name.clone(), redirects: redirects.clone(), ..app });
        self.change_app(actor, id, keyed, "app.updated", change).await?;
        self.own_app(*actor.member()?, id).await
    }

    /// Draws another secret; the one before is worth nothing from now on.
    ///
    /// # Errors
    /// Not found for another's app; [`OauthRefusal::NoSecret`].
    pub async fn rotate_secret(&self, actor: &Actor, id: AppId, key: Option<IdempotencyKey>) -> Result<RegisteredApp> {
        let keyed = keyed("oauth.rotate_secret", key, &id);
        let change = |app: App, _| {
            if app.confidential {
                Ok(App { secret: app.secret.saturating_add(1), ..app })
            } else {
                Err(OauthRefusal::NoSecret.into())
            }
        };
        self.change_app(actor, id, keyed, "app.secret_rotated", change).await?;
        self.with_secret(*actor.member()?, id).await
    }

    /// Deletes an app: it gets no tokens any more, and is shut out of all profiles by [`close_dead_apps`] within a minute.
    ///
    /// # Errors
    /// Not found for another's app.
    pub async fn delete_app(&self, actor: &Actor, id: AppId, key: Option<IdempotencyKey>) -> Result<()> {
        let keyed = keyed("oauth.delete_app", key, &id);
        self.change_app(actor, id, keyed, "app.deleted", |app, now| Ok(App { deleted_at: Some(now), ..app })).await
    }

    /// The actor's own apps, oldest first.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn apps(&self, actor: &Actor) -> Result<Vec<App>> {
        actor.member()?;
        self.ports.store.read(actor, Access::Read).await?.apps().own_apps().await
    }

    async fn change_app(
        &self,
        actor: &Actor,
        id: AppId,
        keyed: Option<crate::idempotency::Keyed>,
        action: &'static str,
        change: impl Fn(App, Timestamp) -> Result<App> + Send + Sync,
    ) -> Result<()> {
        let (member, now, change) = (*actor.member()?, self.ports.clock.now(), &change);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    // Locked, for what is found is written back whole.
                    unit.accounts().account(member.account, Lock::Update).await?;
                    let app = own(unit, member, id).await?;
                    let version = app.version + 1;
                    unit.apps().update_app(&App { version, ..change(app, now)? }).await?;
                    audit(unit, action, id, "", now).await
                })
            })
            .await
    }

    async fn own_app(&self, member: Member, id: AppId) -> Result<App> {
        let mut unit = self.ports.store.begin(&Actor::Member(member)).await?;
        own(unit.as_mut(), member, id).await
    }

    async fn with_secret(&self, member: Member, id: AppId) -> Result<RegisteredApp> {
        let app = self.own_app(member, id).await?;
        Ok(RegisteredApp { secret: code::secret(&self.ports.keys.oauth, &app), app })
    }
}

/// Shuts apps that are deleted, and those of accounts that are, of one owner or of all, out of every profile that let them in,
/// which ends their sessions; answers out of how many. One that cannot be shut out holds up no other.
///
/// # Errors
/// The store's; what was done before stays.
pub async fn close_dead_apps(accounts: &AccountService, owner: Option<AccountId>) -> Result<usize> {
    let ports = &accounts.ports;
    let (mut closed, mut after, mut failed) = (0, None, None);
    loop {
        let dead = ports.store.begin(&CLOSER).await?.apps().dead_grants(owner, after, CHUNK).await?;
        let Some(last) = dead.last() else { return failed.map_or(Ok(closed), Err) };
        after = Some((last.app, last.profile));
        for grant in &dead {
            let now = ports.clock.now();
            let ended = ports.transact(&CLOSER, |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    unit.accounts().account(grant.account, Lock::Update).await?;
                    shut_out(unit, (grant.account, grant.profile), grant.app, now, |_| "app_deleted").await
                })
            });
            match ended.await {
                Ok(ended) => {
                    closed += usize::from(ended.is_some());
                    accounts.tell_ended(&ended.unwrap_or_default(), now).await;
                }
                Err(error) => {
                    tracing::error!(app = %grant.app, ?error, "a deleted app could not be shut out and will be tried again");
                    failed = Some(error);
                }
            }
        }
    }
}

async fn own(unit: &mut dyn UnitOfWork, member: Member, id: AppId) -> Result<App> {
    let found = unit.apps().app(id).await?;
    found.filter(|app| app.owner == member.account && app.deleted_at.is_none()).ok_or_else(Error::not_found)
}
