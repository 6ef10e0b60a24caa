//! What is let go after how long, in one table, and letting it go: in units of bounded size, so that nobody waits for one.
//!
//! What is cut by age falls with its day or month (`daira.partitioning`): inboxes after 9 days, frozen feeds and idempotency
//! keys after 2, pages served after 4, notifications after 6 months, the event log after 3 days. Here is the rest.

use core::time::Duration;

use super::{AuditService, ExportService};
use crate::account::AccountService;
use crate::actor::Actor;
use crate::error::Result;
use crate::port::{Ports, UnitOfWork};
use crate::settings::Settings;
use crate::time::Timestamp;

/// How many rows one unit removes.
const CHUNK: u32 = 200;
const DAY: Duration = Duration::from_hours(24);

/// Who lets go.
const KEEPER: Actor = Actor::System("retention");

macro_rules! kept {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, |$settings:ident| $keep:expr;)*) => {
        /// What is let go after a time.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kept { $($(#[doc = $doc])* $name,)* }

        impl Kept {
            /// All of it, in the order in which it goes.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its stable name.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How long it is kept after it has served.
            pub fn keep(self, settings: &Settings) -> Duration {
                match self { $(Self::$name => { let $settings = settings; $keep })* }
            }
        }
    };
}

kept! {
    /// Deleted posts, with what hangs on them: while they can be restored.
    DeletedPosts = "deleted_posts", |settings| settings.restore_window;
    /// Registrations whose code is not valid any more.
    Registrations = "registrations", |_settings| Duration::ZERO;
    /// Mails and messages, and what their codes can do: until they lapse.
    Mailings = "mailings", |_settings| Duration::ZERO;
    /// What passkeys were asked to sign: until it lapses.
    Ceremonies = "ceremonies", |_settings| Duration::ZERO;
    /// Codes of apps: for a while, so that a copy is noticed.
    AppCodes = "app_codes", |settings| Duration::from_hours(1) * u32::from(settings.retention.app_code_hours);
    /// Ended sessions: for a while, so that a copy of their token is noticed.
    EndedSessions = "ended_sessions", |settings| DAY * u32::from(settings.retention.session_days);
    /// Pictures that hang on nothing, with their files.
    Uploads = "uploads", |settings| Duration::from_hours(1) * u32::from(settings.retention.upload_hours);
    /// Exports that were to be had, with their files: their time stands in them.
    Exports = "exports", |_settings| Duration::ZERO;
    /// That there was an export.
    ExportRecords = "export_records", |settings| DAY * u32::from(settings.retention.export_record_days);
    /// Closed breaches.
    Breaches = "breaches", |settings| DAY * u32::from(settings.retention.breach_days);
    /// Months of the audit trail; the seals stay.
    AuditTrail = "audit_trail", |settings| 30 * DAY * u32::from(settings.retention.audit_months);
}

/// Lets go of what is past its time. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct RetentionService {
    ports: Ports,
}

impl RetentionService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Lets go of one kind until nothing is left that is past its time; answers how much went.
    ///
    /// # Errors
    /// The store's and the blob store's; what went before is gone.
    pub async fn let_go(&self, what: Kept) -> Result<u64> {
        match what {
            Kept::AuditTrail => return AuditService::new(self.ports.clone()).let_go().await.map(u64::from),
            Kept::Exports => {
                let accounts = AccountService::new(self.ports.clone());
                return ExportService::new(self.ports.clone(), accounts).remove_over().await;
            }
            _ => {}
        }
        let before = self.ports.clock.now() - what.keep(&self.ports.settings);
        let mut gone = 0;
        loop {
            let removed = self
                .ports
                .transact(&KEEPER, |mut unit| Box::pin(async move { self.remove(&mut *unit, what, before).await }));
            let removed = removed.await?;
            gone += removed;
            if removed < u64::from(CHUNK) {
                return Ok(gone);
            }
        }
    }

    async fn remove(&self, unit: &mut dyn UnitOfWork, what: Kept, before: Timestamp) -> Result<u64> {
        match what {
            Kept::DeletedPosts => Ok(unit.posts().purge(before, CHUNK).await?.len() as u64),
            Kept::Registrations => unit.accounts().purge_registrations(before, CHUNK).await,
            Kept::Mailings => unit.accounts().purge_mailings(before, CHUNK).await,
            Kept::Ceremonies => unit.factors().purge_ceremonies(before, CHUNK).await,
            Kept::AppCodes => unit.apps().purge_codes(before, CHUNK).await,
            Kept::EndedSessions => unit.accounts().purge_sessions(before, CHUNK).await,
            Kept::Uploads => {
                // The blobs while their rows are locked: nobody can take such a picture meanwhile, and whatever is killed when, a
                // blob without a row is never left behind.
                let swept = unit.media().sweep(before, CHUNK).await?;
                for variant in swept.iter().flat_map(|media| &media.variants) {
                    self.ports.blobs.delete(&variant.key).await?;
                }
                Ok(swept.len() as u64)
            }
            Kept::ExportRecords => unit.exports().forget_exports(before, CHUNK).await,
            Kept::Breaches => unit.breaches().purge_breaches(before, CHUNK).await,
            Kept::Exports | Kept::AuditTrail => Ok(0),
        }
    }
}
