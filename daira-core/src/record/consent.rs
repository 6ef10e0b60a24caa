//! What people consented to: for which purpose, to which version of its text, when, and when they took it back.
//!
//! Whoever processes something for a purpose holds a [`Consented`] of it, and there is no way to one but to look it up in the
//! unit of work that does the processing, where the account is held: who takes their consent back waits for that unit, and the
//! next one finds none.
//!
//! ```
//! # use daira_core::{Ports, Result, id::AccountId, record::{Consented, purpose}};
//! async fn count_visit(consent: Consented<purpose::Analytics>) { let _ = consent.account(); }
//!
//! # async fn example(ports: &Ports, account: AccountId) -> Result<()> {
//! let (job, texts) = (daira_core::Actor::System("analytics"), &ports.settings.texts);
//! ports.transact(&job, |mut unit| Box::pin(async move {
//!     if let Some(consent) = Consented::<purpose::Analytics>::of(&mut *unit, account, texts).await? {
//!         count_visit(consent).await;
//!     }
//!     Ok(())
//! })).await
//! # }
//! ```
//!
//! It cannot be made by hand, and consent to one purpose is none to another:
//!
//! ```compile_fail,E0451
//! # use daira_core::{id::{AccountId, Id}, record::{Consented, purpose}};
//! let forged = Consented::<purpose::Analytics> { account: AccountId::from_raw(1), version: 1, purpose: core::marker::PhantomData };
//! ```
//! ```compile_fail,E0308
//! # use daira_core::record::{Consented, purpose};
//! fn count_visit(consent: Consented<purpose::Analytics>) {}
//! fn example(consent: Consented<purpose::MarketingMail>) { count_visit(consent) }
//! ```

use core::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::RecordRefusal;
use crate::account::{AccountRefusal, audit};
use crate::actor::Actor;
use crate::checks::keyed;
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::idempotency::IdempotencyKey;
use crate::port::store::Lock;
use crate::port::{Ports, UnitOfWork};
use crate::time::Timestamp;

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:ident, $needed:literal;)*) => {
        /// What consent is asked for. Numbers and codes are for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Purpose { $($(#[$doc])* $name,)* }

        impl Purpose {
            /// All of them, in order.
            pub const ALL: [Self; [$($number),*].len()] = [$(Self::$name),*];

            /// Its stored number.
            pub const fn number(self) -> i16 {
                match self { $(Self::$name => $number,)* }
            }

            /// Its stable name.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => stringify!($code),)* }
            }

            /// Whether an account rests on it: given by joining, taken back by leaving.
            pub const fn is_needed(self) -> bool {
                match self { $(Self::$name => $needed,)* }
            }
        }

        /// The versions of the texts in force, by purpose. A text that changes gets the next number; whoever agreed to an
        /// older one is asked again.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        #[non_exhaustive]
        pub struct TextVersions { $($(#[$doc])* pub $code: u16,)* }

        impl Default for TextVersions {
            fn default() -> Self {
                Self { $($code: 1,)* }
            }
        }

        impl TextVersions {
            /// The version in force.
            pub const fn of(&self, purpose: Purpose) -> u16 {
                match purpose { $(Purpose::$name => self.$code,)* }
            }
        }

        /// Each purpose as a type.
        pub mod purpose {
            use super::Purpose;

            /// A purpose as a type.
            pub trait Purposed: Send + Sync + 'static {
                /// The purpose.
                const PURPOSE: Purpose;
            }

            $(
                $(#[$doc])*
                #[derive(Debug, Clone, Copy)]
                pub enum $name {}

                impl Purposed for $name {
                    const PURPOSE: Purpose = Purpose::$name;
                }
            )*
        }
    };
}

purposes! {
    /// The terms of use.
    Terms = 1, terms, true;
    /// The privacy notice.
    PrivacyNotice = 2, privacy_notice, true;
    /// Measuring how the product is used.
    Analytics = 3, analytics, false;
    /// Choosing advertisements by what somebody does and likes.
    PersonalisedAds = 4, personalised_ads, false;
    /// Mail about news and offers.
    MarketingMail = 5, marketing_mail, false;
    /// Suggestions by where somebody is.
    LocationSuggestions = 6, location_suggestions, false;
}

impl Purpose {
    /// The one with a stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.number() == number)
    }

    /// The one with a stable name.
    ///
    /// # Errors
    /// [`RecordRefusal::PurposeUnknown`].
    pub fn from_code(code: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|purpose| purpose.code() == code);
        found.ok_or_else(|| Error::from(RecordRefusal::PurposeUnknown).on_field("purpose"))
    }
}

/// One entry of the history, which only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// Whose.
    pub account: AccountId,
    /// For what.
    pub purpose: Purpose,
    /// Given, or taken back.
    pub given: bool,
    /// The version of the text that they had before them.
    pub version: u16,
    /// When.
    pub at: Timestamp,
}

/// How a purpose stands for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentState {
    /// The purpose.
    pub purpose: Purpose,
    /// The version of the text in force.
    pub current: u16,
    /// Whether processing for it may happen now: given, and to the text in force.
    pub given: bool,
    /// All that was said, newest first.
    pub history: Vec<Consent>,
}

/// What somebody says of one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SetConsent {
    /// The purpose's number.
    number: i16,
    /// The version of the text they have before them.
    version: u16,
    /// Given, or taken back.
    given: bool,
}

impl SetConsent {
    /// Gives or takes back consent to a version of a purpose's text.
    pub fn new(purpose: Purpose, version: u16, given: bool) -> Self {
        Self { number: purpose.number(), version, given }
    }
}

/// Proof that somebody consents to a purpose in the text in force. It holds in the unit of work that it was looked up in and
/// is not kept for another.
#[derive(Debug)]
pub struct Consented<P> {
    account: AccountId,
    version: u16,
    purpose: PhantomData<fn() -> P>,
}

impl<P: purpose::Purposed> Consented<P> {
    /// Looks it up, and holds the account until the unit ends, so that it cannot be taken back meanwhile.
    ///
    /// # Errors
    /// The store's.
    pub async fn of(unit: &mut dyn UnitOfWork, account: AccountId, texts: &TextVersions) -> Result<Option<Self>> {
        if unit.accounts().account(account, Lock::Share).await?.is_none() {
            return Ok(None);
        }
        let latest = unit.consents().latest_consent(account, P::PURPOSE).await?;
        let given = latest.filter(|consent| consent.given && consent.version == texts.of(P::PURPOSE));
        Ok(given.map(|consent| Self { account, version: consent.version, purpose: PhantomData }))
    }

    /// Who consents.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// To which version of the text: the one in force when it was looked up.
    pub fn version(&self) -> u16 {
        self.version
    }
}

/// What people say of purposes. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct ConsentService {
    ports: Ports,
}

impl ConsentService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// How every purpose stands for the person who asks, over all their faces.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn consents(&self, actor: &Actor) -> Result<Vec<ConsentState>> {
        let account = actor.member()?.account;
        let mut unit = self.ports.store.begin(actor).await?;
        let history = unit.consents().consents(account).await?;
        unit.rollback().await?;
        Ok(Purpose::ALL.into_iter().map(|purpose| self.state(purpose, &history)).collect())
    }

    fn state(&self, purpose: Purpose, history: &[Consent]) -> ConsentState {
        let history: Vec<Consent> = history.iter().filter(|consent| consent.purpose == purpose).copied().collect();
        let current = self.ports.settings.texts.of(purpose);
        let given = history.first().is_some_and(|latest| latest.given && latest.version == current);
        ConsentState { purpose, current, given, history }
    }

    /// Gives and takes back consent. What changes nothing is not written down again.
    ///
    /// # Errors
    /// [`RecordRefusal::Unclear`], [`RecordRefusal::Needed`] for taking back what the account rests on,
    /// [`RecordRefusal::TextChanged`] for agreeing to a text that is not in force.
    pub async fn set_consents(&self, actor: &Actor, said: &[SetConsent], key: Option<IdempotencyKey>) -> Result<()> {
        let account = actor.member()?.account;
        let keyed = keyed("consent.set", key, &said);
        let clear = !said.is_empty()
            && (1..said.len()).all(|at| said.iter().take(at).all(|s| Some(s.number) != said.get(at).map(|s| s.number)));
        if !clear {
            return Err(Error::from(RecordRefusal::Unclear).on_field("consents"));
        }
        let (texts, clock) = (&self.ports.settings.texts, &self.ports.clock);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    // Who relies on a consent holds the account: it is taken back when they are done.
                    unit.accounts().account(account, Lock::Update).await?.ok_or(AccountRefusal::TokenInvalid)?;
                    let now = clock.now();
                    for said in said {
                        let purpose = Purpose::from_number(said.number).ok_or(RecordRefusal::PurposeUnknown)?;
                        let latest = unit.consents().latest_consent(account, purpose).await?;
                        if !said.given && purpose.is_needed() {
                            return Err(RecordRefusal::Needed.into());
                        }
                        if said.given && said.version != texts.of(purpose) {
                            return Err(Error::from(RecordRefusal::TextChanged).on_field("version"));
                        }
                        let same =
                            |was: &Consent| was.given == said.given && (!said.given || was.version == said.version);
                        if latest.as_ref().map_or(!said.given, same) {
                            continue;
                        }
                        // What is taken back is what was given.
                        let version =
                            if said.given { said.version } else { latest.map_or(said.version, |was| was.version) };
                        let at = latest.map_or(now, |was| now.max(was.at + core::time::Duration::from_micros(1)));
                        unit.consents()
                            .add_consent(&Consent { account, purpose, given: said.given, version, at })
                            .await?;
                        let action = if said.given { "consent.given" } else { "consent.withdrawn" };
                        audit(unit, action, account, &format!("{} {version}", purpose.code()), now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// Notes what somebody agrees to by joining.
pub(crate) async fn join(
    unit: &mut dyn UnitOfWork,
    account: AccountId,
    texts: &TextVersions,
    at: Timestamp,
) -> Result<()> {
    for purpose in Purpose::ALL.into_iter().filter(|purpose| purpose.is_needed()) {
        let consent = Consent { account, purpose, given: true, version: texts.of(purpose), at };
        unit.consents().add_consent(&consent).await?;
    }
    Ok(())
}
