//! Roles, reasons, sanctions and takedowns.

use core::fmt;

use super::StaffRefusal;
use crate::error::{Error, Result};
use crate::id::{AccountId, ChallengeId, CommentId, Id, PostId, ProfileId};
use crate::locale::Locale;
use crate::time::Timestamp;

/// What somebody of the staff is. Later ones stand above earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum StaffRole {
    /// Acts on content and people for a while.
    Moderator,
    /// Acts for good, sees private data and undoes what others did.
    SeniorModerator,
    /// Makes others staff.
    Admin,
}

impl StaffRole {
    /// All of them, from below.
    pub const ALL: [Self; 3] = [Self::Moderator, Self::SeniorModerator, Self::Admin];

    /// The stored number; append-only.
    pub const fn code(self) -> i16 {
        match self {
            Self::Moderator => 1,
            Self::SeniorModerator => 2,
            Self::Admin => 3,
        }
    }

    /// The role with a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// The name in commands and in the audit trail.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Moderator => "moderator",
            Self::SeniorModerator => "senior_moderator",
            Self::Admin => "admin",
        }
    }

    /// The role with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The reasons there are, each with its stored number, its code, and how it is told in English and in Arabic.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $en:literal, $ar:literal;)*) => {
        /// Why staff do something: a code, so that nothing about a person stands in the audit trail.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stored number; append-only.
            pub const fn number(self) -> i16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The code in events and in the audit trail.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How it is told to the person, to stand behind "because of".
            pub fn text(self, locale: Locale) -> &'static str {
                match self { $(Self::$name => locale.pick($ar, $en),)* }
            }
        }
    };
}

reasons! {
    /// Violence, or threats of it.
    Violence = 1, "violence", "violence or threats", "عنف أو تهديد";
    /// Hatred of people for what they are.
    Hate = 2, "hate", "hate speech", "خطاب كراهية";
    /// Harassment.
    Harassment = 3, "harassment", "harassment", "مضايقة أو تحرّش";
    /// Sexual content.
    Sexual = 4, "sexual", "sexual content", "محتوى جنسي";
    /// What harms children.
    ChildSafety = 5, "child_safety", "child safety", "سلامة الأطفال";
    /// What is untrue and does harm.
    Misinformation = 6, "misinformation", "misinformation", "معلومات مضللة";
    /// Goods that may not be sold.
    IllegalGoods = 7, "illegal_goods", "illegal goods", "بضاعة ممنوعة";
    /// Spam.
    Spam = 8, "spam", "spam", "سبام";
    /// What belongs to others.
    IntellectualProperty = 9, "intellectual_property", "intellectual property", "حقوق ملكية";
    /// Self-harm.
    SelfHarm = 10, "self_harm", "content about self-harm", "محتوى عن إيذاء النفس";
    /// Somebody who is not who they say.
    Impersonation = 11, "impersonation", "impersonation", "انتحال شخصية";
    /// Something else against the rules.
    Other = 12, "other", "a breach of our rules", "مخالفة لقواعدنا";
    /// A report is looked into.
    Report = 13, "report", "a report", "بلاغ";
    /// An appeal is decided.
    Appeal = 14, "appeal", "an appeal", "تظلّم";
    /// The person asked for help.
    Support = 15, "support", "a request for help", "طلب مساعدة";
    /// An account or the platform is in danger.
    Safety = 16, "safety", "the safety of an account", "تأمين الحساب";
    /// An authority asked, with right.
    Legal = 17, "legal", "a legal order", "أمر قانوني";
    /// Who works for us changed.
    Staffing = 18, "staffing", "a change of our staff", "تغيير في الفريق";
}

impl Reason {
    /// The reason with a stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.number() == number)
    }

    /// The reason with a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

/// What names a case elsewhere, such as a ticket: 1 to 64 letters, digits and `-._:/#`. No free text, which could hold
/// something about a person.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Reference(String);

impl Reference {
    /// Checks one.
    ///
    /// # Errors
    /// [`StaffRefusal::ReferenceInvalid`].
    pub fn new(text: &str) -> Result<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/#".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::from(StaffRefusal::ReferenceInvalid).on_field("reference"))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why something is done.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Why {
    /// For what reason.
    pub reason: Reason,
    /// In which case.
    pub reference: Option<Reference>,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reason={}", self.reason.code())?;
        self.reference.as_ref().map_or(Ok(()), |reference| write!(f, " case={}", reference.as_str()))
    }
}

/// Somebody of the staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StaffMember {
    /// Who.
    pub account: AccountId,
    /// What they are.
    pub role: StaffRole,
    /// Since when.
    pub since: Timestamp,
}

/// What was done to an account, as long as its state says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanction {
    /// The account.
    pub account: AccountId,
    /// The face that somebody of the staff did it as; nobody's when the platform itself did.
    pub by: Option<ProfileId>,
    /// What that one was among the staff then.
    pub rank: Option<StaffRole>,
    /// Why.
    pub why: Why,
    /// When.
    pub at: Timestamp,
    /// Whether its owner had put the account to sleep before.
    pub asleep: bool,
}

/// That staff acted against an account: it weighs on the account's [trust](crate::trust) for a while, unless it is taken back.
/// It outlives what was done and what it was done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Strike {
    /// The account.
    pub account: AccountId,
    /// What of it was taken down; nothing where the account itself was restricted, suspended or banned.
    pub what: Option<Target>,
    /// When.
    pub at: Timestamp,
    /// What whoever did it was among the staff then; nothing where the platform itself did.
    pub rank: Option<StaffRole>,
}

/// What a strike was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Struck {
    /// An account itself.
    Account(AccountId),
    /// Content, whoever's it was, and whether or not it is still there.
    Content(Target),
}

/// What can be taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Target {
    /// A post.
    Post(PostId),
    /// A comment.
    Comment(CommentId),
    /// A profile's display name.
    Name(ProfileId),
    /// A profile's picture.
    Picture(ProfileId),
}

impl Target {
    /// The stored number of its kind, and the raw id; append-only.
    pub fn code(self) -> (i16, i64) {
        match self {
            Self::Post(id) => (1, id.raw()),
            Self::Comment(id) => (2, id.raw()),
            Self::Name(id) => (3, id.raw()),
            Self::Picture(id) => (4, id.raw()),
        }
    }

    /// The target with a stored number and a raw id.
    pub fn from_code(kind: i16, id: i64) -> Option<Self> {
        Some(match kind {
            1 => Self::Post(PostId::from_raw(id)),
            2 => Self::Comment(CommentId::from_raw(id)),
            3 => Self::Name(ProfileId::from_raw(id)),
            4 => Self::Picture(ProfileId::from_raw(id)),
            _ => return None,
        })
    }

    /// The name of its kind in the audit trail.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Post(_) => "post",
            Self::Comment(_) => "comment",
            Self::Name(_) => "name",
            Self::Picture(_) => "picture",
        }
    }
}

/// That something was taken down: it is hidden from everybody but its owner until it is put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takedown {
    /// What.
    pub target: Target,
    /// Whose.
    pub owner: ProfileId,
    /// The face that somebody of the staff did it as; nobody's when the platform itself did.
    pub by: Option<ProfileId>,
    /// Why.
    pub why: Why,
    /// When.
    pub at: Timestamp,
    /// What stood in a profile before, to be put back: the name, or the picture's raw id.
    pub kept: Option<String>,
    /// The mail that tells its owner.
    pub notice: ChallengeId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for role in StaffRole::ALL {
            assert_eq!(StaffRole::from_code(role.code()), Some(role));
            assert_eq!(StaffRole::from_name(role.name()), Some(role));
        }
        assert_eq!(StaffRole::from_code(0).or(StaffRole::from_name("root")), None);
        assert!(Reason::ALL.iter().all(|reason| Reason::from_number(reason.number()) == Some(*reason)));
        assert!(Reason::ALL.iter().all(|reason| Reason::from_code(reason.code()) == Some(*reason)));
        assert_eq!(Reason::from_number(0), None);
        let profile = ProfileId::from_raw(7);
        let targets = [
            Target::Post(PostId::from_raw(7)),
            Target::Comment(CommentId::from_raw(7)),
            Target::Name(profile),
            Target::Picture(profile),
        ];
        for target in targets {
            let (kind, id) = target.code();
            assert_eq!(Target::from_code(kind, id), Some(target));
        }
        assert_eq!(Target::from_code(9, 7), None);
    }

    #[test]
    fn a_reference_holds_no_free_text() {
        assert_eq!(Reference::new("CASE-12/3#a").unwrap().as_str(), "CASE-12/3#a");
        for bad in ["", "mona@example.com", "two words", "قضية", &"a".repeat(65)] {
            assert_eq!(Reference::new(bad).unwrap_err().refusal(), Some(StaffRefusal::ReferenceInvalid), "{bad}");
        }
        let why = Why { reason: Reason::Hate, reference: Some(Reference::new("T-1").unwrap()) };
        assert_eq!(why.to_string(), "reason=hate case=T-1");
        assert_eq!(Why { reference: None, ..why }.to_string(), "reason=hate");
    }
}
