//! Joining, sessions and profiles end to end, on a clock that the tests move. Names that begin with `security_` or `failure_`
//! are listed in the project's documents.

mod apps;
mod bearer;
mod blobs;
mod codes;
mod exports;
mod faces;
mod identity;
mod joining;
#[cfg(feature = "credential")]
mod keys;
mod leaving;
mod limits;
mod passes;
mod passkey;
mod phone;
mod profile;
mod records;
mod recovery;
mod repeats;
mod second_factor;
mod sessions;
mod staff;
mod trust;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use daira_core::account::{AccountRefusal, AccountService, Entry, LogIn, LoggedIn, Register, VerifyEmail, token};
use daira_core::actor::{Actor, Client, Member};
use daira_core::error::{Error, RefusalEnum, Result};
use daira_core::id::ChallengeId;
use daira_core::locale::Locale;
use daira_core::memory::{ManualClock, MemoryBus, MemoryMail, MemoryPhone, MemoryStore};
use daira_core::port::store::{Access, Lock};
use daira_core::port::{Clock, Group, Ports, ReadView, Store, UnitOfWork};
use daira_core::secret::Secret;
use daira_core::time::Timestamp;
use futures_util::future::BoxFuture;

const PASSWORD: &str = "kahwa sada 3al nil";

/// One platform in memory and one node on it.
struct World {
    clock: Arc<ManualClock>,
    store: MemoryStore,
    mail: Arc<MemoryMail>,
    phone: Arc<MemoryPhone>,
    ports: Ports,
    accounts: AccountService,
}

fn world() -> World {
    world_with(|_| ())
}

fn world_with(change: impl FnOnce(&mut Ports)) -> World {
    let (clock, mail, phone) =
        (Arc::new(ManualClock::default()), Arc::<MemoryMail>::default(), Arc::<MemoryPhone>::default());
    let base = Ports::in_memory_at(clock.clone(), 7);
    let store = MemoryStore::new(clock.clone(), &base.settings);
    let mut ports = Ports {
        store: Arc::new(store.clone()),
        bus: Arc::new(MemoryBus::new(&store)),
        mail: mail.clone(),
        phone: phone.clone(),
        ..base
    };
    change(&mut ports);
    let accounts = AccountService::new(ports.clone());
    World { clock, store, mail, phone, ports, accounts }
}

fn registering(name: &str) -> Register {
    Register {
        email: format!("{name}@example.com"),
        password: Secret::new(PASSWORD),
        handle: name.to_owned(),
        name: "منى علي".to_owned(),
        birth_date: "1999-04-25".to_owned(),
        locale: Locale::Ar,
    }
}

fn logging_in(name: &str) -> LogIn {
    LogIn { email: format!("{name}@example.com"), password: Secret::new(PASSWORD), device: "Firefox".to_owned() }
}

/// What the right password let in at once.
fn entered(entry: Result<Entry>) -> Result<LoggedIn> {
    entry.map(|entry| entry.logged_in().expect("no second factor"))
}

fn actor(person: &LoggedIn) -> Actor {
    Actor::Member(person.member)
}

impl World {
    fn code(&self, registration: ChallengeId) -> Secret {
        token::code(&self.ports.keys.challenge, registration)
    }

    fn wrong_code(&self, registration: ChallengeId) -> Secret {
        let right: u32 = self.code(registration).expose().parse().unwrap();
        Secret::new(format!("{:06}", (right + 1) % 1_000_000))
    }

    async fn verify(&self, registration: ChallengeId, code: Secret) -> Result<LoggedIn> {
        self.accounts
            .verify_email(
                &Client::default(),
                VerifyEmail { registration, code, device: "Firefox on Android".to_owned() },
            )
            .await
    }

    /// Somebody who joined, with the session that came with it.
    async fn join(&self, name: &str) -> LoggedIn {
        let registration = self.accounts.register(&Client::default(), registering(name), None).await.unwrap();
        self.verify(registration, self.code(registration)).await.unwrap()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Changes the truth behind the services' back.
    async fn change<T, F>(&self, member: Member, body: F) -> T
    where
        T: Send,
        F: for<'u> FnOnce(&'u mut dyn UnitOfWork) -> BoxFuture<'u, Result<T>>,
    {
        let mut unit = self.ports.store.begin(&Actor::Member(member)).await.unwrap();
        let value = body(unit.as_mut()).await.unwrap();
        unit.commit().await.unwrap();
        value
    }

    async fn set_state(&self, member: Member, state: daira_core::account::AccountState) {
        self.change(member, move |unit| {
            Box::pin(async move {
                let accounts = unit.accounts();
                let mut account = accounts.account(member.account, Lock::None).await?.unwrap();
                account.state = state;
                account.version += 1;
                accounts.update_account(&account).await?;
                let mut profile = accounts.profile(member.profile, Lock::None).await?.unwrap();
                profile.standing = state.standing();
                profile.version += 1;
                accounts.update_profile(&profile).await
            })
        })
        .await;
    }

    /// The types of all events of accounts and the graph so far, in order.
    async fn events(&self, reader: &'static str) -> Vec<String> {
        let group = Group { name: reader, topics: &["daira.account.v1", "daira.graph.v1"], rebuilds: true };
        let mut seen = Vec::new();
        while let Some(batch) = self.ports.bus.next(group, "test", 1_000).await.unwrap() {
            seen.extend(batch.events().iter().map(|e| (e.envelope.id, e.envelope.kind.to_owned())));
            batch.commit().await.unwrap();
        }
        seen.sort();
        seen.into_iter().map(|(_, kind)| kind.trim_start_matches("daira.").to_owned()).collect()
    }

    /// Actions of the audit trail, with their details.
    fn audit(&self) -> Vec<String> {
        let line = |r: daira_core::port::store::AuditRecord| format!("{} {}", r.action, r.detail).trim().to_owned();
        self.store.audit_trail().into_iter().map(|(_, record)| line(record)).collect()
    }
}

/// What a call was refused with.
fn refusal<T, R: RefusalEnum>(outcome: Result<T>) -> R {
    let error: Error = outcome.err().expect("a refusal");
    error.refusal().unwrap_or_else(|| panic!("another refusal: {error:?}"))
}

fn is_invalid<T>(outcome: Result<T>) -> bool {
    refusal::<T, AccountRefusal>(outcome) == AccountRefusal::TokenInvalid
}

/// A store where something happens just before a unit of work begins.
struct Meanwhile {
    inner: MemoryStore,
    /// How many units begin before, and what happens then.
    then: Mutex<(usize, Option<BoxFuture<'static, ()>>)>,
}

#[async_trait]
impl Store for Meanwhile {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        let due = {
            let mut then = self.then.lock().unwrap();
            if then.0 == 0 {
                then.1.take()
            } else {
                then.0 -= 1;
                None
            }
        };
        if let Some(due) = due {
            due.await;
        }
        self.inner.begin(actor).await
    }

    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>> {
        self.inner.read(actor, access).await
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }
}
