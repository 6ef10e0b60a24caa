//! The product's numbers that an operator may set; the defaults are the product's rules.

use core::time::Duration;

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
    /// How long an old handle stays reserved for its former owner.
    pub handle_reserved: Duration,
    /// How long a softly deleted post can be restored before it is purged.
    pub restore_window: Duration,
    /// The youngest age that may register, in years.
    pub minimum_age: i32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pull_threshold: 10_000,
            inbox_days: 8,
            backfill_posts: 100,
            access_token_life: Duration::from_mins(15),
            session_idle: Duration::from_hours(60 * 24),
            session_life: Duration::from_hours(365 * 24),
            refresh_grace: Duration::from_secs(10),
            code_life: Duration::from_mins(15),
            code_attempts: 5,
            handle_reserved: Duration::from_hours(30 * 24),
            restore_window: Duration::from_hours(30 * 24),
            minimum_age: 13,
        }
    }
}
