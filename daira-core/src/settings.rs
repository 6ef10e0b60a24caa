//! The product's numbers that an operator may set; the defaults are the product's rules.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::port::Quota;
use crate::record::TextVersions;

/// Numbers of the product that an operator may set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Authors with at least this many followers are pulled at read time instead of pushed to inboxes.
    pub pull_threshold: i64,
    /// How many days an inbox row lives; whole partitions are dropped after it.
    pub inbox_days: u16,
    /// How many recent posts a new follower gets from the followed author.
    pub backfill_posts: u16,
    /// How long an access token is valid.
    pub access_token_life: Duration,
    /// How long somebody is still shown as active after the node that said so died.
    pub activity_life: Duration,
    /// A session ends when it is not refreshed for this long.
    pub session_idle: Duration,
    /// A session ends this long after it began, whatever happens.
    pub session_life: Duration,
    /// How long a spent refresh token may be replayed when its answer was lost or raced.
    pub refresh_grace: Duration,
    /// How long an e-mail code is valid.
    pub code_life: Duration,
    /// How many wrong codes a challenge bears.
    pub code_attempts: u16,
    /// How long a log-in waits for its second factor.
    pub second_factor_life: Duration,
    /// For how long somebody who proved themselves on a session may change how the account is reached and guarded.
    pub proof_life: Duration,
    /// How long an old handle stays reserved for its former owner.
    pub handle_reserved: Duration,
    /// How long an account can be kept after its owner asked to have it erased.
    pub deletion_grace: Duration,
    /// How long a softly deleted post can be restored before it is purged.
    pub restore_window: Duration,
    /// The codes of countries whose numbers codes are sent to; sending abroad is what fraud with codes lives on.
    pub phone_countries: Vec<u16>,
    /// The youngest age that may register, in years.
    pub minimum_age: i32,
    /// The versions of the texts that people consent to.
    pub texts: TextVersions,
    /// What is kept for how long.
    pub retention: Retention,
    /// What is kept of answers, and for how long.
    pub cache: CacheSettings,
    /// How often things may be done.
    pub limits: Limits,
}

/// What is kept of answers that are asked for often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CacheSettings {
    /// What each process keeps at most, in MiB.
    pub near_mib: u32,
    /// How long it is kept whose a handle is, in seconds. It is verified whenever it is used.
    pub handle_seconds: u32,
    /// How long it is kept that a handle is nobody's, in seconds: as long may somebody new stay unfound on another node whose message was
    /// lost.
    pub no_handle_seconds: u32,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { near_mib: 16, handle_seconds: 300, no_handle_seconds: 10 }
    }
}

/// What is kept for how long after it has served. What falls with the partitions of its table has its time there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Retention {
    /// Whole months of the audit trail, besides the present one.
    pub audit_months: u16,
    /// Days that an ended session is kept for, so that a copy of its token is still noticed.
    pub session_days: u16,
    /// Hours that a used code of an app is kept for, so that a copy of it is still noticed.
    pub app_code_hours: u16,
    /// Hours that an upload may hang on nothing.
    pub upload_hours: u16,
    /// Days that an export can be downloaded.
    pub export_days: u16,
    /// Days after which it is forgotten that there was an export.
    pub export_record_days: u16,
    /// Days that a closed breach stays in the log.
    pub breach_days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            audit_months: 36,
            session_days: 30,
            app_code_hours: 24,
            upload_hours: 24,
            export_days: 7,
            export_record_days: 90,
            breach_days: 5 * 365,
        }
    }
}

/// How often things may be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Points that one account may spend. A GraphQL document costs what its fields and pages cost, a gRPC call 100, an
    /// upload 500.
    pub member: Quota,
    /// Points that all strangers at one network address may spend together. Many people share one: mobile operators have
    /// few to give.
    pub address: Quota,
    /// Tries of passwords from one network address.
    pub log_in_address: Quota,
    /// Tries of passwords for one e-mail address from devices that nobody logged in on.
    pub log_in_account: Quota,
    /// Tries of passwords on one device that somebody logged in on before.
    pub log_in_device: Quota,
    /// Tries of second factors for one account from devices that nobody logged in on, and as many on each of the others.
    pub second_factor: Quota,
    /// Wishes to join from one network address.
    pub join_address: Quota,
    /// Tries of mailed codes from one network address.
    pub code_address: Quota,
    /// Tries of all codes to log in with that are sent to one address or number.
    pub code_recipient: Quota,
    /// Tries of the password and of second factors on all devices of one account that are logged in.
    pub proof_account: Quota,
    /// Moves of one account to another of its faces.
    pub switch_account: Quota,
    /// Times that one account may let apps of others in.
    pub authorize_account: Quota,
    /// Exports that one account may ask for.
    pub export_account: Quota,
    /// Mails that strangers can have sent to one e-mail address.
    pub mail_recipient: Quota,
    /// How many people one account may follow or ask to follow, at full trust; a new account a fifth of it.
    pub follows: Quota,
    /// How often one account may comment, at full trust; a new account a fifth of it.
    pub comments: Quota,
    /// Codes that can be sent to one phone number, and that one account can have sent.
    pub phone_recipient: Quota,
    /// Codes that go to the phones of one country, by its code; what is more waits, and lapses in time.
    pub phone_country: Quota,
}

impl Default for Limits {
    fn default() -> Self {
        let quarter = Duration::from_mins(15);
        Self {
            member: Quota::a_minute(60_000),
            address: Quota::a_minute(120_000),
            log_in_address: Quota::new(120, quarter),
            log_in_account: Quota::new(10, quarter),
            log_in_device: Quota::new(10, quarter),
            second_factor: Quota::new(10, quarter),
            join_address: Quota::an_hour(60),
            code_address: Quota::an_hour(240),
            code_recipient: Quota::new(30, Duration::from_hours(24)),
            proof_account: Quota::new(30, quarter),
            switch_account: Quota::an_hour(120),
            authorize_account: Quota::an_hour(120),
            follows: Quota::a_day(500),
            comments: Quota::a_minute(60),
            export_account: Quota::new(3, Duration::from_hours(24)),
            mail_recipient: Quota::an_hour(5),
            phone_recipient: Quota::an_hour(5),
            phone_country: Quota::an_hour(5_000),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pull_threshold: 10_000,
            inbox_days: 8,
            backfill_posts: 100,
            access_token_life: Duration::from_mins(15),
            activity_life: Duration::from_secs(45),
            session_idle: Duration::from_hours(60 * 24),
            session_life: Duration::from_hours(365 * 24),
            refresh_grace: Duration::from_secs(10),
            code_life: Duration::from_mins(15),
            code_attempts: 5,
            second_factor_life: Duration::from_mins(10),
            proof_life: Duration::from_mins(10),
            handle_reserved: Duration::from_hours(30 * 24),
            deletion_grace: Duration::from_hours(30 * 24),
            restore_window: Duration::from_hours(30 * 24),
            phone_countries: vec![20],
            minimum_age: 13,
            texts: TextVersions::default(),
            retention: Retention::default(),
            cache: CacheSettings::default(),
            limits: Limits::default(),
        }
    }
}
