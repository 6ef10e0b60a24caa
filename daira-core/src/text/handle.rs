//! A handle: the `@name` under which a profile is found. Raw input in, a [`Handle`] or a [`TextError`] out.
//!
//! Handles are `a`–`z`, digits, `_` and `.`, so no look-alike from another script, no invisible character and no bidi
//! control can get in. Two handles are the same when their lower-case letters are: `salma.m` and `salmam` are two people,
//! and uniqueness is the store's unique index on [`Handle::as_str`]. What merely *looks* the same is compared by
//! [`Handle::skeleton`]: it keeps names of the house out of reach and lets staff spot impostors, and it refuses no one
//! else, because ordinary names meet there (`ali`, `al.i`, `a11`).

use std::fmt;

use super::TextError;

/// The fewest characters of a handle.
pub const MIN_HANDLE: usize = 3;

/// The most characters of a handle.
pub const MAX_HANDLE: usize = 30;

/// Names nobody may take: roles and voices of the house, and words that stand in addresses.
const RESERVED: &str = "
    about abuse account accounts admin administrator ads all anonymous api apps assets auth billing blog bot
    business careers channel contact copyright daira daira.app daira.help daira.news daira.official
    daira.safety daira.security daira.support daira.team deleted dev developer developers docs download
    everyone explore faq feed feedback followers ftp graphiql graphql grpc health help helpdesk home
    hostmaster http https inbox info invite jobs legal livez localhost login logout mail mailer.daemon media
    messages metrics mod moderation moderator moderators news noreply notifications null oauth official owner
    password payments police postmaster press privacy readyz register report root rules safety search
    security server service settings signin signup staff static status store sudo superuser support sysadmin
    system tag tags team terms trust undefined upload user users verification verified verify webmaster www
";

/// A valid handle in lower case: 3–30 of `a-z 0-9 _ .`, with at least one letter or digit, no dot at either end and no two
/// dots in a row.
///
/// ```
/// use daira_core::text::{Handle, TextError};
///
/// assert_eq!(Handle::new("Nour_El.Din")?.as_str(), "nour_el.din");
/// assert_eq!(Handle::new("Supp0rt"), Err(TextError::ReservedHandle));
/// # Ok::<(), TextError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(String);

impl Handle {
    /// A handle that somebody wants to take: valid, and not one of the house's names nor a look-alike of one.
    ///
    /// # Errors
    /// [`TextError::ReservedHandle`], and what [`Handle::existing`] refuses.
    pub fn new(input: &str) -> Result<Self, TextError> {
        let handle = Self::existing(input)?;
        let skeleton = handle.skeleton();
        if RESERVED.split_ascii_whitespace().any(|reserved| skeleton_of(reserved) == skeleton) {
            return Err(TextError::ReservedHandle);
        }
        Ok(handle)
    }

    /// A handle that somebody may already have, to look up or to read from the store: valid, reserved or not.
    ///
    /// # Errors
    /// [`TextError::ForbiddenCharacter`], [`TextError::TooShort`], [`TextError::TooLong`], [`TextError::MisplacedDot`] or
    /// [`TextError::NoLetter`].
    pub fn existing(input: &str) -> Result<Self, TextError> {
        if let Some(c) = input.chars().find(|&c| !is_handle_char(c)) {
            return Err(TextError::ForbiddenCharacter(c));
        }
        // All ASCII from here on: bytes, characters and graphemes are the same.
        let actual = input.len();
        if actual < MIN_HANDLE {
            return Err(TextError::TooShort { min: MIN_HANDLE, actual });
        }
        if actual > MAX_HANDLE {
            return Err(TextError::TooLong { max: MAX_HANDLE, actual });
        }
        if input.starts_with('.') || input.ends_with('.') || input.contains("..") {
            return Err(TextError::MisplacedDot);
        }
        if !input.contains(|c: char| c.is_ascii_alphanumeric()) {
            return Err(TextError::NoLetter);
        }
        Ok(Self(input.to_ascii_lowercase()))
    }

    /// The handle in lower case, without `@`: what is stored, compared and unique.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the handle looks like at a glance, for staff who search for impostors; equal skeletons, similar looks. Dots and
    /// underscores are dropped; `0` is `o`; `1` and `i` are `l`; `rn` is `m`; `vv` is `w`.
    ///
    /// ```
    /// # use daira_core::text::Handle;
    /// assert_eq!(Handle::new("mo_salah")?.skeleton(), Handle::new("rno.sa1ah")?.skeleton());
    /// # Ok::<(), daira_core::text::TextError>(())
    /// ```
    pub fn skeleton(&self) -> String {
        skeleton_of(&self.0)
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the character may stand in a handle as it is typed.
pub(super) fn is_handle_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

fn skeleton_of(handle: &str) -> String {
    handle.replace(['.', '_'], "").replace('0', "o").replace(['1', 'i'], "l").replace("rn", "m").replace("vv", "w")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::samples::any_text;

    #[test]
    fn security_16_plain_handles_may_be_taken() {
        for handle in [
            "abc",
            "a.b",
            "a_b",
            "_abc_",
            "7oda",
            "123",
            "a.b.c.d",
            "__a",
            "a__b",
            "a._.b",
            "mo.salah10",
            "MohamedSalah",
            "abcdefghijklmnopqrstuvwxyz0123",
            "x_.y",
        ] {
            assert_eq!(Handle::new(handle).map(|h| h.to_string()), Ok(handle.to_ascii_lowercase()));
        }
    }

    #[test]
    fn security_16_look_alikes_and_invisible_characters_are_refused() {
        use TextError::{ForbiddenCharacter, MisplacedDot, NoLetter, TooLong, TooShort};
        for (handle, error) in [
            ("", TooShort { min: 3, actual: 0 }),
            ("ab", TooShort { min: 3, actual: 2 }),
            ("abcdefghijklmnopqrstuvwxyz01234", TooLong { max: 30, actual: 31 }),
            (".abc", MisplacedDot),
            ("abc.", MisplacedDot),
            ("a..b", MisplacedDot),
            ("...", MisplacedDot),
            ("___", NoLetter),
            ("_._", NoLetter),
            ("@abc", ForbiddenCharacter('@')),
            ("a b", ForbiddenCharacter(' ')),
            (" abc", ForbiddenCharacter(' ')),
            ("abc\n", ForbiddenCharacter('\n')),
            ("a-b", ForbiddenCharacter('-')),
            ("a/b", ForbiddenCharacter('/')),
            ("a%00b", ForbiddenCharacter('%')),
            ("abc\0", ForbiddenCharacter('\0')),
            ("dаira", ForbiddenCharacter('\u{430}')), // Cyrillic а
            ("sa\u{131}ma", ForbiddenCharacter('\u{131}')),
            ("\u{212A}arim", ForbiddenCharacter('\u{212A}')), // Kelvin sign, lower case k
            ("ａｂｃ", ForbiddenCharacter('ａ')),
            ("josé", ForbiddenCharacter('é')),
            ("دائرة", ForbiddenCharacter('د')),
            ("abc١", ForbiddenCharacter('١')),
            ("ab\u{640}c", ForbiddenCharacter('\u{640}')),
            ("ab\u{200D}c", ForbiddenCharacter('\u{200D}')),
            ("ab\u{200B}c", ForbiddenCharacter('\u{200B}')),
            ("abc\u{202E}", ForbiddenCharacter('\u{202E}')),
            ("abc\u{301}", ForbiddenCharacter('\u{301}')),
            ("abc👍", ForbiddenCharacter('👍')),
        ] {
            assert_eq!(Handle::new(handle), Err(error), "{handle:?}");
            assert_eq!(Handle::existing(handle), Err(error), "{handle:?}");
        }
    }

    #[test]
    fn security_16_the_house_keeps_its_names() {
        for reserved in RESERVED.split_ascii_whitespace() {
            assert_eq!(Handle::new(reserved), Err(TextError::ReservedHandle), "{reserved}");
            assert_eq!(Handle::existing(reserved).unwrap().as_str(), reserved);
        }
        for look_alike in
            ["ADMIN", "adm1n", "a.d.m.i.n", "_daira_", "da1ra", "dalra", "r00t", "rnoderator", "vvebmaster", "sUpp0rt_"]
        {
            assert_eq!(Handle::new(look_alike), Err(TextError::ReservedHandle), "{look_alike}");
        }
        for free in ["admiral", "daira_fan", "rooted", "supporters_of_ahly", "systemofadown"] {
            assert!(Handle::new(free).is_ok(), "{free}");
        }
        assert!(RESERVED.split_ascii_whitespace().is_sorted());
    }

    #[test]
    fn security_16_case_makes_no_other_handle_and_a_dot_does() {
        assert_ne!(Handle::new("salma.m"), Handle::new("salmam"));
        assert_eq!(Handle::new("SALMA"), Handle::new("salma"));
    }

    proptest! {
        #[test]
        fn whatever_passes_is_plain_and_stable(input in prop_oneof![any_text(), "[a-zA-Z0-9_.]{0,33}"]) {
            if let Ok(handle) = Handle::existing(&input) {
                prop_assert!((MIN_HANDLE..=MAX_HANDLE).contains(&handle.as_str().len()));
                prop_assert!(handle.as_str().bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.')));
                prop_assert_eq!(Handle::existing(handle.as_str()), Ok(handle.clone()));
                prop_assert_eq!(Handle::existing(&input.to_uppercase()), Ok(handle));
            }
        }
    }
}
