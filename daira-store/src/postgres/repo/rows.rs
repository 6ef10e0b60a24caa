//! Stored values and models: times, codes, and the rows that several repositories read.

use daira_core::account::{
    Account, AccountState, Contact, Email, MailingKind, Phone, Profile, ProfileKind, Session, Standing,
};
use daira_core::comment::Comment;
use daira_core::error::Result;
use daira_core::hashtag::Tag;
use daira_core::id::{AccountId, AppId, CircleId, Id, MediaId, PostId, ProfileId, SessionId};
use daira_core::locale::Locale;
use daira_core::oauth::{Granted, Scopes};
use daira_core::place::Place;
use daira_core::post::{Attachment, Delivery, MediaKind, Post, ReplyRule, Visibility};
use daira_core::reaction::ReactionKind;
use daira_core::text::{Handle, TagKey};
use daira_core::time::{Date, Timestamp};
use time::OffsetDateTime;

use super::super::error::corrupt;

/// An instant as the driver takes it; what lies outside its years is moved to their ends.
pub(super) fn stored(at: Timestamp) -> OffsetDateTime {
    let nanos = i128::from(at.as_micros()) * 1000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(if nanos < 0 {
        time::Date::MIN.midnight().assume_utc()
    } else {
        time::Date::MAX.midnight().assume_utc()
    })
}

/// A stored instant.
pub(super) fn instant(at: OffsetDateTime) -> Timestamp {
    Timestamp::from_micros(i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX))
}

/// A date as the driver takes it.
pub(super) fn stored_date(date: Date) -> Result<time::Date> {
    let (year, month, day) = date.parts();
    let month = time::Month::try_from(month).map_err(|e| corrupt("store.date", e.to_string()))?;
    time::Date::from_calendar_date(i32::from(year), month, day).map_err(|e| corrupt("store.date", e.to_string()))
}

/// A stored date.
pub(super) fn date(stored: time::Date) -> Result<Date> {
    let year = i16::try_from(stored.year()).map_err(|e| corrupt("store.date", e.to_string()))?;
    Date::new(year, u8::from(stored.month()), stored.day()).ok_or_else(|| corrupt("store.date", stored.to_string()))
}

/// Raw numbers of ids, for array parameters.
pub(super) fn raws<I: Id>(ids: &[I]) -> Vec<i64> {
    ids.iter().map(|id| id.raw()).collect()
}

/// A list for a nullable array column, where nothing is null.
pub(super) fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

/// How many rows a chunk may have, as SQL counts.
pub(super) fn limit(of: u32) -> i64 {
    i64::from(of)
}

pub(super) fn handle(stored: &str) -> Result<Handle> {
    Handle::existing(stored).map_err(|e| corrupt("store.handle", e.to_string()))
}

pub(super) fn locale(tag: &str) -> Result<Locale> {
    Locale::from_tag(tag).ok_or_else(|| corrupt("store.locale", tag))
}

pub(super) fn reaction_kind(code: i16) -> Result<ReactionKind> {
    ReactionKind::from_code(code).ok_or_else(|| corrupt("store.reaction", code.to_string()))
}

/// An account's state as its code and the end of a suspension.
pub(super) fn state_code(state: AccountState) -> (i16, Option<OffsetDateTime>) {
    match state {
        AccountState::Active => (0, None),
        AccountState::Restricted => (1, None),
        AccountState::Suspended(until) => (2, Some(stored(until))),
        AccountState::Deactivated => (3, None),
        AccountState::Deleted => (4, None),
        AccountState::Banned => (5, None),
    }
}

pub(super) fn state(code: i16, until: Option<OffsetDateTime>) -> Result<AccountState> {
    match (code, until) {
        (0, None) => Ok(AccountState::Active),
        (1, None) => Ok(AccountState::Restricted),
        (2, Some(until)) => Ok(AccountState::Suspended(instant(until))),
        (3, None) => Ok(AccountState::Deactivated),
        (4, None) => Ok(AccountState::Deleted),
        (5, None) => Ok(AccountState::Banned),
        _ => Err(corrupt("store.account_state", code.to_string())),
    }
}

pub(super) fn mailing_code(kind: MailingKind) -> i16 {
    match kind {
        MailingKind::PasswordReset => 0,
        MailingKind::NewEmail => 1,
        MailingKind::PasswordChanged => 2,
        MailingKind::EmailChanged => 3,
        MailingKind::SecondFactorOn => 4,
        MailingKind::SecondFactorOff => 5,
        MailingKind::RecoveryCodeUsed => 6,
        MailingKind::RecoveryCodesRenewed => 7,
        MailingKind::PasskeyAdded => 8,
        MailingKind::PasskeyRemoved => 9,
        MailingKind::PasskeyCopied => 10,
        MailingKind::Sanctioned => 17,
        MailingKind::SanctionLifted => 18,
        MailingKind::TakenDown => 19,
        MailingKind::DeletionAsked => 14,
        MailingKind::Erased => 15,
        MailingKind::AppConnected => 20,
        MailingKind::LogInCode => 11,
        MailingKind::NewPhone => 12,
        MailingKind::PhoneChanged => 13,
        MailingKind::ExportReady => 16,
        MailingKind::IdentityLinked => 30,
        MailingKind::IdentityUnlinked => 31,
    }
}

pub(super) fn mailing_kind(code: i16) -> Result<MailingKind> {
    match code {
        0 => Ok(MailingKind::PasswordReset),
        1 => Ok(MailingKind::NewEmail),
        2 => Ok(MailingKind::PasswordChanged),
        3 => Ok(MailingKind::EmailChanged),
        4 => Ok(MailingKind::SecondFactorOn),
        5 => Ok(MailingKind::SecondFactorOff),
        6 => Ok(MailingKind::RecoveryCodeUsed),
        7 => Ok(MailingKind::RecoveryCodesRenewed),
        8 => Ok(MailingKind::PasskeyAdded),
        9 => Ok(MailingKind::PasskeyRemoved),
        10 => Ok(MailingKind::PasskeyCopied),
        17 => Ok(MailingKind::Sanctioned),
        18 => Ok(MailingKind::SanctionLifted),
        19 => Ok(MailingKind::TakenDown),
        14 => Ok(MailingKind::DeletionAsked),
        15 => Ok(MailingKind::Erased),
        20 => Ok(MailingKind::AppConnected),
        11 => Ok(MailingKind::LogInCode),
        12 => Ok(MailingKind::NewPhone),
        13 => Ok(MailingKind::PhoneChanged),
        16 => Ok(MailingKind::ExportReady),
        30 => Ok(MailingKind::IdentityLinked),
        31 => Ok(MailingKind::IdentityUnlinked),
        _ => Err(corrupt("store.mailing", code.to_string())),
    }
}

/// What a mailing goes to.
pub(super) fn contact(email: Option<String>, phone: Option<String>) -> Result<Contact> {
    match (email, phone) {
        (Some(email), None) => Ok(Email::from_stored(email).into()),
        (None, Some(phone)) => Ok(Phone::from_stored(phone).into()),
        _ => Err(corrupt("store.mailing", "it goes to nobody, or to two")),
    }
}

pub(super) fn kind_code(kind: ProfileKind) -> i16 {
    match kind {
        ProfileKind::Regular => 0,
        ProfileKind::Creator => 1,
        ProfileKind::VerifiedCreator => 2,
        ProfileKind::Brand => 3,
    }
}

fn profile_kind(code: i16) -> Result<ProfileKind> {
    match code {
        0 => Ok(ProfileKind::Regular),
        1 => Ok(ProfileKind::Creator),
        2 => Ok(ProfileKind::VerifiedCreator),
        3 => Ok(ProfileKind::Brand),
        _ => Err(corrupt("store.profile_kind", code.to_string())),
    }
}

pub(super) fn standing_code(standing: Standing) -> i16 {
    match standing {
        Standing::Live => 0,
        Standing::Hidden => 1,
        Standing::Gone => 2,
    }
}

pub(super) fn standing(code: i16) -> Result<Standing> {
    match code {
        0 => Ok(Standing::Live),
        1 => Ok(Standing::Hidden),
        2 => Ok(Standing::Gone),
        _ => Err(corrupt("store.standing", code.to_string())),
    }
}

/// A visibility as its code and the circle it may name.
pub(super) fn visibility_code(visibility: Visibility) -> (i16, Option<i64>) {
    match visibility {
        Visibility::Public => (1, None),
        Visibility::Followers => (2, None),
        Visibility::Circle(circle) => (3, Some(circle.raw())),
        Visibility::Mentioned => (4, None),
        Visibility::Private => (5, None),
        Visibility::Unlisted => (6, None),
    }
}

fn visibility(code: i16, circle: Option<i64>) -> Result<Visibility> {
    match (code, circle) {
        (1, _) => Ok(Visibility::Public),
        (2, _) => Ok(Visibility::Followers),
        (3, Some(circle)) => Ok(Visibility::Circle(CircleId::from_raw(circle))),
        (4, _) => Ok(Visibility::Mentioned),
        (5, _) => Ok(Visibility::Private),
        (6, _) => Ok(Visibility::Unlisted),
        _ => Err(corrupt("store.visibility", code.to_string())),
    }
}

pub(super) fn replies_code(rule: ReplyRule) -> i16 {
    match rule {
        ReplyRule::Everyone => 1,
        ReplyRule::Followers => 2,
        ReplyRule::Following => 3,
        ReplyRule::Mentioned => 4,
        ReplyRule::Nobody => 5,
    }
}

fn replies(code: i16) -> Result<ReplyRule> {
    match code {
        1 => Ok(ReplyRule::Everyone),
        2 => Ok(ReplyRule::Followers),
        3 => Ok(ReplyRule::Following),
        4 => Ok(ReplyRule::Mentioned),
        5 => Ok(ReplyRule::Nobody),
        _ => Err(corrupt("store.reply_rule", code.to_string())),
    }
}

pub(super) fn delivery_code(delivery: Delivery) -> i16 {
    match delivery {
        Delivery::Push => 1,
        Delivery::Pull => 2,
    }
}

fn delivery(code: i16) -> Result<Delivery> {
    match code {
        1 => Ok(Delivery::Push),
        2 => Ok(Delivery::Pull),
        _ => Err(corrupt("store.delivery", code.to_string())),
    }
}

pub(super) fn media_code(kind: MediaKind) -> i16 {
    i16::from(kind == MediaKind::Image)
}

pub(super) fn media_kind(code: i16) -> Result<MediaKind> {
    match code {
        0 => Ok(MediaKind::Text),
        1 => Ok(MediaKind::Image),
        _ => Err(corrupt("store.media_kind", code.to_string())),
    }
}

/// A row of `profile`, or of the author's columns beside a post or a comment.
pub(super) struct ProfileRow {
    pub(super) id: i64,
    pub(super) account: i64,
    pub(super) handle: String,
    pub(super) name: String,
    pub(super) bio: String,
    pub(super) links: Vec<String>,
    pub(super) avatar: Option<i64>,
    pub(super) kind: i16,
    pub(super) private: bool,
    pub(super) standing: i16,
    pub(super) created_at: OffsetDateTime,
    pub(super) version: i32,
}

impl TryFrom<ProfileRow> for Profile {
    type Error = daira_core::Error;

    fn try_from(row: ProfileRow) -> Result<Self> {
        Ok(Self {
            id: ProfileId::from_raw(row.id),
            account: AccountId::from_raw(row.account),
            handle: handle(&row.handle)?,
            name: row.name,
            bio: row.bio,
            links: row.links,
            avatar: row.avatar.map(MediaId::from_raw),
            kind: profile_kind(row.kind)?,
            private: row.private,
            standing: standing(row.standing)?,
            created_at: instant(row.created_at),
            version: row.version,
        })
    }
}

/// A row of `account`.
pub(super) struct AccountRow {
    pub(super) id: i64,
    pub(super) email: String,
    pub(super) state: i16,
    pub(super) suspended_until: Option<OffsetDateTime>,
    pub(super) leaving_at: Option<OffsetDateTime>,
    pub(super) birth_date: time::Date,
    pub(super) locale: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) version: i32,
}

impl TryFrom<AccountRow> for Account {
    type Error = daira_core::Error;

    fn try_from(row: AccountRow) -> Result<Self> {
        Ok(Self {
            id: AccountId::from_raw(row.id),
            email: Email::from_stored(row.email),
            state: state(row.state, row.suspended_until)?,
            leaving_at: row.leaving_at.map(instant),
            birth_date: date(row.birth_date)?,
            locale: locale(&row.locale)?,
            created_at: instant(row.created_at),
            version: row.version,
        })
    }
}

/// A row of `session`.
pub(super) struct SessionRow {
    pub(super) id: i64,
    pub(super) account: i64,
    pub(super) profile: i64,
    pub(super) device: String,
    pub(super) salt: Vec<u8>,
    pub(super) generation: i32,
    pub(super) seen_generation: i32,
    pub(super) rotated_at: OffsetDateTime,
    pub(super) created_at: OffsetDateTime,
    pub(super) proven_at: Option<OffsetDateTime>,
    pub(super) last_used_at: OffsetDateTime,
    pub(super) expires_at: OffsetDateTime,
    pub(super) revoked_at: Option<OffsetDateTime>,
    pub(super) app: Option<i64>,
    pub(super) scopes: Option<i32>,
    pub(super) place: Option<String>,
    pub(super) known_device: bool,
}

impl TryFrom<SessionRow> for Session {
    type Error = daira_core::Error;

    fn try_from(row: SessionRow) -> Result<Self> {
        Ok(Self {
            id: SessionId::from_raw(row.id),
            account: AccountId::from_raw(row.account),
            profile: ProfileId::from_raw(row.profile),
            device: row.device,
            salt: row.salt.try_into().map_err(|_| corrupt("store.session", "a salt of another length"))?,
            generation: row.generation,
            seen_generation: row.seen_generation,
            rotated_at: instant(row.rotated_at),
            created_at: instant(row.created_at),
            proven_at: instant(row.proven_at.unwrap_or(row.created_at)),
            last_used_at: instant(row.last_used_at),
            expires_at: instant(row.expires_at),
            revoked_at: row.revoked_at.map(instant),
            granted: row
                .app
                .zip(row.scopes)
                .map(|(app, scopes)| Granted { app: AppId::from_raw(app), scopes: Scopes::from_stored(scopes) }),
            place: row.place.as_deref().and_then(Place::from_code),
            known_device: row.known_device,
        })
    }
}

/// A row of `post`.
pub(super) struct PostRow {
    pub(super) id: i64,
    pub(super) author: i64,
    pub(super) text: String,
    pub(super) visibility: i16,
    pub(super) circle: Option<i64>,
    pub(super) replies: i16,
    pub(super) delivery: i16,
    pub(super) version: i32,
    pub(super) warning: Option<String>,
    pub(super) edited_at: Option<OffsetDateTime>,
    pub(super) deleted_at: Option<OffsetDateTime>,
    pub(super) media: Option<Vec<i64>>,
    pub(super) alts: Option<Vec<String>>,
    pub(super) mentions: Option<Vec<i64>>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) spellings: Option<Vec<String>>,
}

impl TryFrom<PostRow> for Post {
    type Error = daira_core::Error;

    fn try_from(row: PostRow) -> Result<Self> {
        let pictures = row.media.unwrap_or_default().into_iter().zip(row.alts.unwrap_or_default());
        let tags = row.tags.unwrap_or_default().into_iter().zip(row.spellings.unwrap_or_default());
        Ok(Self {
            id: PostId::from_raw(row.id),
            author: ProfileId::from_raw(row.author),
            text: row.text,
            visibility: visibility(row.visibility, row.circle)?,
            replies: replies(row.replies)?,
            media: pictures.map(|(media, alt)| Attachment { media: MediaId::from_raw(media), alt }).collect(),
            mentions: row.mentions.unwrap_or_default().into_iter().map(ProfileId::from_raw).collect(),
            tags: tags.map(|(key, spelling)| Tag { key: TagKey::from_stored(key), spelling }).collect(),
            warning: row.warning,
            delivery: delivery(row.delivery)?,
            edited_at: row.edited_at.map(instant),
            deleted_at: row.deleted_at.map(instant),
            version: row.version,
        })
    }
}

/// A row of `comment`.
pub(super) struct CommentRow {
    pub(super) id: i64,
    pub(super) post: i64,
    pub(super) parent: Option<i64>,
    pub(super) author: i64,
    pub(super) depth: i16,
    pub(super) version: i32,
    pub(super) edited_at: Option<OffsetDateTime>,
    pub(super) deleted_at: Option<OffsetDateTime>,
    pub(super) text: String,
}

impl TryFrom<CommentRow> for Comment {
    type Error = daira_core::Error;

    fn try_from(row: CommentRow) -> Result<Self> {
        Ok(Self {
            id: Id::from_raw(row.id),
            post: Id::from_raw(row.post),
            parent: row.parent.map(Id::from_raw),
            depth: u8::try_from(row.depth).map_err(|_| corrupt("store.comment", row.depth.to_string()))?,
            author: Id::from_raw(row.author),
            text: row.text,
            edited_at: row.edited_at.map(instant),
            deleted_at: row.deleted_at.map(instant),
            version: row.version,
        })
    }
}

/// Turns rows into models.
pub(super) fn models<R, M: TryFrom<R, Error = daira_core::Error>>(rows: Vec<R>) -> Result<Vec<M>> {
    rows.into_iter().map(M::try_from).collect()
}

/// `query_as!` under one of the three locks: the statement is checked in each form.
macro_rules! locked {
    ($lock:expr, $row:ty, $sql:literal, $connection:expr $(, $argument:expr)*) => {
        match $lock {
            daira_core::port::store::Lock::None => sqlx::query_as!($row, $sql $(, $argument)*).fetch_optional($connection).await,
            daira_core::port::store::Lock::Share => sqlx::query_as!($row, $sql + " for share" $(, $argument)*).fetch_optional($connection).await,
            daira_core::port::store::Lock::Update => sqlx::query_as!($row, $sql + " for no key update" $(, $argument)*).fetch_optional($connection).await,
        }
    };
}
pub(super) use locked;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_to_the_microsecond_and_extremes_do_not_panic() {
        for micros in [0, 1, -1, 1_800_000_000_123_456] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(instant(stored(at)), at);
        }
        let _ = (stored(Timestamp::from_micros(i64::MIN)), stored(Timestamp::from_micros(i64::MAX)));
    }

    #[test]
    fn codes_come_back() {
        for kind in [ProfileKind::Regular, ProfileKind::Creator, ProfileKind::VerifiedCreator, ProfileKind::Brand] {
            assert_eq!(profile_kind(kind_code(kind)).unwrap(), kind);
        }
        for one in [Standing::Live, Standing::Hidden, Standing::Gone] {
            assert_eq!(standing(standing_code(one)).unwrap(), one);
        }
        let circle = Visibility::Circle(CircleId::from_raw(7));
        for one in [
            Visibility::Public,
            Visibility::Followers,
            circle,
            Visibility::Mentioned,
            Visibility::Private,
            Visibility::Unlisted,
        ] {
            let (code, circle) = visibility_code(one);
            assert_eq!(visibility(code, circle).unwrap(), one);
        }
        for rule in
            [ReplyRule::Everyone, ReplyRule::Followers, ReplyRule::Following, ReplyRule::Mentioned, ReplyRule::Nobody]
        {
            assert_eq!(replies(replies_code(rule)).unwrap(), rule);
        }
        for one in [Delivery::Push, Delivery::Pull] {
            assert_eq!(delivery(delivery_code(one)).unwrap(), one);
        }
        for one in [MediaKind::Text, MediaKind::Image] {
            assert_eq!(media_kind(media_code(one)).unwrap(), one);
        }
        let until = Timestamp::from_seconds(5);
        for one in [
            AccountState::Active,
            AccountState::Restricted,
            AccountState::Suspended(until),
            AccountState::Deactivated,
            AccountState::Deleted,
            AccountState::Banned,
        ] {
            let (code, until) = state_code(one);
            assert_eq!(state(code, until).unwrap(), one);
        }
        assert!(
            profile_kind(9).is_err() && standing(9).is_err() && visibility(3, None).is_err() && state(2, None).is_err()
        );
    }
}
