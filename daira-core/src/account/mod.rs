//! Accounts: joining, proving who one is, sessions, and the public profile.
//!
//! `model` holds the types, `policy` the pure decisions, `service` the use cases. Beside them: `password` says which
//! passwords are good enough, `factor` what second factors take, `passkey` what is kept of passkeys, `token` computes refresh
//! tokens and e-mail codes, `mail` and `notice` compose, and `directory` remembers on each node which sessions live.
//!
//! ```text
//! register ──▶ mail with a code ──▶ verify_email ─┐
//!                                      log_in ────┼──▶ Tokens { access, refresh }
//!                log_in ──▶ verify_second_factor ─┤
//!                                      refresh ───┘        │         └──▶ refresh, each spent once
//!                                                          └──▶ authenticate ──▶ Actor
//! request_password_reset ──▶ mail with a token ──▶ reset_password ──▶ all sessions ended, notice by mail
//! switch_profile ──▶ Tokens of another face of the same account
//! request_log_in_code ──▶ mail or message with a code ──▶ log_in_with_code ──▶ Tokens
//! change_phone ──▶ message with a code ──▶ confirm_phone ──▶ notice by mail and to the old number
//! request_deletion ──▶ notice by mail, all sessions ended ──▶ log_in, cancel_deletion │ erase_due, once the grace is over
//! begin_identity ──▶ browser at a provider ──▶ log_in_with_identity ──▶ Tokens │ a ticket ──▶ join_with_identity ──▶ mail with a code
//! change_email ──▶ mail with a code to the new address ──▶ confirm_email ──▶ notice to the old one
//! ```

mod bearer;
mod delivery;
mod directory;
pub mod factor;
mod identity;
pub mod mail;
mod model;
mod notice;
mod passkey;
pub mod password;
mod phone;
pub mod policy;
pub(crate) mod service;
pub mod sms;
pub mod token;

pub use crate::checks::acting;
pub(crate) use bearer::{bearer_at_hand, forget_bearers};
pub use delivery::{Delivery, Due};
pub use directory::{Freshness, POLL_EVERY, SessionDirectory};
pub use factor::{Authenticator, SecondFactor};
pub use identity::{Identity, LinkedIdentity};
pub(crate) use model::Origin;
pub use model::{
    Account, AccountState, Email, Mailing, MailingKind, Profile, ProfileCounters, ProfileKind, Registration, Session,
    Standing, StoredCredential,
};
pub use passkey::{CeremonyKind, Passkey, PendingCeremony, StoredPasskey};
pub use phone::{Contact, Phone, VerifiedPhone};
pub use service::{
    AccountService, AddedPasskey, BeginIdentity, BegunCeremony, BegunIdentity, ChangePassword, Enrolment, Entry,
    FactorStatus, IdentityAnswer, IdentityEntry, IdentityPurpose, JoinWithIdentity, LogIn, LogInWithCode, LoggedIn,
    MAX_FACES, Me, NewIdentity, Pass, Register, Tokens, UpdateProfile, VerifyEmail, Waited, WaysIn,
};
pub(crate) use service::{audit, end_all, end_session, send, taken};

crate::refusals! {
    /// Why something about an account was refused.
    pub enum AccountRefusal {
        /// Not an e-mail address.
        EmailInvalid = "account.email_invalid", Invalid, "This is not a valid e-mail address.", "الإيميل ده مش صحيح.";
        /// Not the number of a mobile phone.
        PhoneInvalid = "account.phone_invalid", Invalid, "This is not a valid mobile number.", "رقم الموبايل ده مش صحيح.";
        /// The number is of a country that no codes are sent to.
        PhoneAbroad = "account.phone_abroad", Invalid, "We do not send codes to numbers of this country yet.", "لسه مش بنبعت أكواد لأرقام البلد دي.";
        /// The handle breaks a rule.
        HandleInvalid = "account.handle_invalid", Invalid, "A handle has 3 to 30 letters a–z, digits, dots or underscores.", "اليوزر من ٣ لـ ٣٠ حرف إنجليزي أو رقم أو نقطة أو _.";
        /// The handle is taken or reserved.
        HandleTaken = "account.handle_taken", Conflict, "This handle is taken.", "اليوزر ده محجوز.";
        /// The display name is empty or too long.
        NameInvalid = "account.name_invalid", Invalid, "The name must have 1 to 100 characters.", "الاسم لازم يكون من حرف لـ ١٠٠ حرف.";
        /// The bio is too long.
        BioInvalid = "account.bio_invalid", Invalid, "The bio may have up to 500 characters.", "النبذة أقصاها ٥٠٠ حرف.";
        /// A name, a bio or a device name holds characters that could disguise it.
        ForbiddenCharacter = "account.forbidden_character", Invalid, "The text holds characters that are not allowed.", "النص فيه رموز مش مسموح بيها.";
        /// Too many links, or one that is no http(s) address.
        LinksInvalid = "account.links_invalid", Invalid, "Up to five links, each a web address.", "خمس لينكات بالكتير، وكل واحد عنوان صحيح.";
        /// Under the minimum age.
        TooYoung = "account.too_young", Forbidden, "You are too young to join.", "لسه سنك صغير على الانضمام.";
        /// Not a date of birth.
        BirthDateInvalid = "account.birth_date_invalid", Invalid, "This is not a valid date of birth.", "تاريخ الميلاد مش صحيح.";
        /// The password is too short.
        PasswordShort = "account.password_short", Invalid, "The password needs at least 10 characters.", "كلمة السر أقلها ١٠ حروف.";
        /// The password is too long to hash safely.
        PasswordLong = "account.password_long", Invalid, "The password is too long.", "كلمة السر طويلة زيادة.";
        /// The password is one of the well-known ones, or built from the person's own names.
        PasswordCommon = "account.password_common", Invalid, "This password is too easy to guess.", "كلمة السر دي سهل تتخمّن.";
        /// The code does not match, the registration lapsed or never was.
        CodeInvalid = "account.code_invalid", Invalid, "This code is wrong or has expired.", "الكود غلط أو وقته خلص.";
        /// The token of a mail that lets choose a new password is wrong, spent or lapsed, or the password was changed since.
        ResetInvalid = "account.reset_invalid", Invalid, "This mail is no longer valid; please ask for a new one.", "الرسالة دي مابقتش صالحة؛ اطلب واحدة جديدة.";
        /// Wrong identifier or password; which, is not told.
        CredentialsInvalid = "auth.invalid_credentials", Unauthenticated, "E-mail, number or password is wrong.", "الإيميل أو الرقم أو كلمة السر غلط.";
        /// A log-in that waits for its second factor lapsed, was answered, or never was.
        ChallengeInvalid = "auth.challenge_invalid", Unauthenticated, "This log-in has expired; please start again.", "الدخول ده وقته خلص؛ ابدأ من الأول.";
        /// The account has a second factor, and it was not given.
        SecondFactorNeeded = "auth.second_factor_needed", Invalid, "Enter the code of your authenticator app as well.", "اكتب كمان الكود اللي في تطبيق الأكواد.";
        /// What was asked for takes a proof of who one is that is not old.
        ProofNeeded = "auth.proof_needed", Forbidden, "Please prove once more that it is you.", "أكّد تاني إن ده إنت.";
        /// There is a second factor already.
        SecondFactorSet = "account.second_factor_set", Conflict, "Your account has a second factor already.", "حسابك عليه تأكيد بخطوتين بالفعل.";
        /// An answer that no passkey of the account signed.
        PasskeyInvalid = "auth.passkey_invalid", Unauthenticated, "This passkey did not work.", "مفتاح المرور ده مانفعش.";
        /// The passkey is known already.
        PasskeyTaken = "account.passkey_taken", Conflict, "This passkey is already set up.", "مفتاح المرور ده متسجّل بالفعل.";
        /// The account has as many passkeys as it may.
        PasskeysFull = "account.passkeys_full", Conflict, "You have twenty passkeys already; remove one first.", "عندك عشرين مفتاح مرور بالفعل؛ امسح واحد الأول.";
        /// What came back from a provider was not made by it, for us, for this log-in and now, or was used before.
        IdentityInvalid = "auth.identity_invalid", Unauthenticated, "This sign-in did not work; please start again.", "الدخول ده مانفعش؛ ابدأ من الأول.";
        /// A provider that is not set up, or that would send people elsewhere than it may.
        ProviderUnknown = "account.provider_unknown", Invalid, "This way to sign in is not available here.", "طريقة الدخول دي مش متاحة هنا.";
        /// The identity opens another account.
        IdentityTaken = "account.identity_taken", Conflict, "This sign-in belongs to another DAIRA account.", "طريقة الدخول دي بتاعة حساب تاني على دايرة.";
        /// The account is linked with that provider already.
        IdentitySet = "account.identity_set", Conflict, "Your account is linked with this provider already; unlink it first.", "حسابك مربوط بالطريقة دي بالفعل؛ فك الربط الأول.";
        /// Nothing would be left that lets the owner in.
        LastWayIn = "account.last_way_in", Conflict, "This is the last way into your account; set a password first.", "دي آخر طريقة تدخل بيها حسابك؛ اعمل كلمة سر الأول.";
        /// There is a password already, which is changed by giving it.
        PasswordSet = "account.password_set", Conflict, "Your account has a password already.", "حسابك ليه كلمة سر بالفعل.";
        /// There is no second factor.
        SecondFactorMissing = "account.second_factor_missing", Conflict, "Your account has no second factor.", "حسابك مش عليه تأكيد بخطوتين.";
        /// The account may not be used now.
        Suspended = "auth.suspended", Forbidden, "This account is suspended.", "الحساب ده موقوف.";
        /// The account may not be used any more.
        Banned = "auth.banned", Forbidden, "This account is banned.", "الحساب ده محظور نهائيًا.";
        /// An access or refresh token that does not hold.
        TokenInvalid = "auth.token_invalid", Unauthenticated, "Please log in again.", "سجّل دخولك تاني.";
        /// The session behind a token that still holds was ended.
        SessionEnded = "auth.session_ended", Unauthenticated, "You have been logged out.", "اتسجّل خروجك.";
        /// A picture that is not the person's own, or belongs to a post.
        AvatarInvalid = "account.avatar_invalid", Invalid, "Choose one of your own pictures.", "اختار صورة من صورك إنت.";
        /// The account is restricted and cannot do this now.
        Restricted = "account.restricted", Forbidden, "Your account cannot do this for now.", "حسابك مش هيقدر يعمل ده دلوقتي.";
        /// The account is about to be erased, at its owner's wish.
        Leaving = "account.leaving", Forbidden, "Your account is about to be deleted; keep it first.", "حسابك هيتحذف؛ الغي الحذف الأول.";
        /// The account has as many faces as it may.
        TooManyProfiles = "account.too_many_profiles", Conflict, "You have as many profiles as you may.", "وصلت لأكبر عدد بروفايلات مسموح بيه.";
        /// The device name is too long.
        DeviceInvalid = "account.device_invalid", Invalid, "The device name may have up to 100 characters.", "اسم الجهاز أقصاه ١٠٠ حرف.";
    }
}
