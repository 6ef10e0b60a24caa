//! What a text refers to: [`entities`] finds mentions, hashtags and links, with their byte ranges, in one pass.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use super::chars::{is_arabic, is_invisible, is_joiner};
use super::handle::{Handle, is_handle_char};
use super::tag::{TagKey, is_tag_char};

/// Hashtags taken from one text.
pub const MAX_HASHTAGS: usize = 30;

/// Mentions taken from one text.
pub const MAX_MENTIONS: usize = 50;

/// Links taken from one text.
pub const MAX_LINKS: usize = 50;

/// Bytes of the longest link.
pub const MAX_LINK_BYTES: usize = 2_048;

/// One thing a text refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Its bytes in the text, `@` or `#` included.
    pub range: Range<usize>,
}

/// What a stretch of text refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntityKind {
    /// A profile, which may or may not exist.
    Mention(Handle),
    /// A hashtag, by its key.
    Hashtag(TagKey),
    /// A web address; the text itself is the address.
    Link,
}

/// Everything a text refers to, in the order of the text, without overlaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entities {
    /// What was found.
    pub items: Vec<Entity>,
    /// How many more there were beyond the limits.
    pub ignored: usize,
}

impl Entities {
    /// The handles mentioned, each once, in the order of their first mention.
    pub fn handles(&self) -> Vec<&Handle> {
        distinct(self.items.iter().filter_map(|item| match &item.kind {
            EntityKind::Mention(handle) => Some(handle),
            _ => None,
        }))
    }

    /// The keys of the hashtags, each once, in the order of their first use.
    pub fn tags(&self) -> Vec<&TagKey> {
        distinct(self.items.iter().filter_map(|item| match &item.kind {
            EntityKind::Hashtag(key) => Some(key),
            _ => None,
        }))
    }
}

/// At most a few dozen, so a scan of what is there beats a set.
fn distinct<'a, T: PartialEq>(items: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    items.fold(Vec::new(), |mut seen, item| {
        if !seen.contains(&item) {
            seen.push(item);
        }
        seen
    })
}

/// Finds mentions, hashtags and links.
///
/// # Rules
/// - Mentions and hashtags begin at the start, after white space, punctuation or an Arabic letter (`و@salma`, `في#مصر`),
///   not within a Latin word or an address: `a@b.com`, `C#`, `&#39;`, `medium.com/@x` hold none. A tag may follow right upon
///   another (`#مصر#القاهرة`).
/// - A **mention** is `@` and a valid [`Handle`]; dots at its end belong to the sentence. `@user@host` is not one.
/// - A **hashtag** is `#` or `＃` and letters, digits, marks, underscores with at least one letter and a [`TagKey`]; it ends
///   at punctuation by itself.
/// - A **link** is `http://` or `https://` and a host with a dot. It ends at white space, quotes, angle brackets or Arabic
///   punctuation; sentence punctuation and unmatched brackets at its end stay outside. A link with user information
///   (`https://bank.com@evil.example`) is not made clickable: it deceives about its host.
/// - The first [`MAX_MENTIONS`], [`MAX_HASHTAGS`] and [`MAX_LINKS`] count; [`Entities::ignored`] says how many were left out.
///
/// ```
/// use daira_core::text::{EntityKind, entities};
///
/// let text = "شوفوا @Karim.W، هنا: https://example.com/a_(b). #الأهلي؟";
/// let shown: Vec<_> = entities(text).items.iter().map(|item| &text[item.range.clone()]).collect();
/// assert_eq!(shown, ["@Karim.W", "https://example.com/a_(b)", "#الأهلي"]);
/// ```
pub fn entities(text: &str) -> Entities {
    let mut found = Entities::default();
    let (mut mentions, mut hashtags, mut links) = (0, 0, 0);
    let mut after_tag = 0;
    let mut at = 0;
    // Bytes, because `#`, `@` and `h` are never part of another character in UTF-8.
    while let Some(&byte) = text.as_bytes().get(at) {
        let rest = text.get(at..).unwrap_or_default();
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        let sigil = match byte {
            b'#' | b'@' => 1,
            0xEF if rest.starts_with(['＃', '＠']) => '＃'.len_utf8(),
            b'h' | b'H' => 0,
            _ => {
                at += 1;
                continue;
            }
        };
        let (kind, length) = if sigil == 0 {
            link(rest, before)
        } else {
            let name = rest.get(sigil..).unwrap_or_default();
            let opens = opens(before) || (at == after_tag && at > 0);
            if rest.starts_with(['#', '＃']) { hashtag(name, opens) } else { mention(name, opens) }
        };
        let end = at + (sigil + length).max(1);
        if let Some(kind) = kind {
            let (count, max) = match kind {
                EntityKind::Mention(_) => (&mut mentions, MAX_MENTIONS),
                EntityKind::Hashtag(_) => {
                    after_tag = end;
                    (&mut hashtags, MAX_HASHTAGS)
                }
                EntityKind::Link => (&mut links, MAX_LINKS),
            };
            if *count < max {
                *count += 1;
                found.items.push(Entity { kind, range: at..end });
            } else {
                found.ignored += 1;
            }
        }
        at = end;
    }
    found
}

/// Whether a mention or a hashtag may begin after this character.
fn opens(before: Option<char>) -> bool {
    before.is_none_or(|c| {
        (is_arabic(c) || !c.is_alphanumeric())
            && !matches!(c, '_' | '&' | '/' | '#' | '@' | '＃' | '＠' | '+' | '%' | '=')
    })
}

// Each of the following looks at what begins at a sign and returns what it is, if anything, and how many bytes it looked at
// and nothing else can begin in; so every byte is looked at a bounded number of times.

/// `name` is what follows the `@`.
fn mention(name: &str, opens: bool) -> (Option<EntityKind>, usize) {
    let run = name.find(|c| !is_handle_char(c)).unwrap_or(name.len());
    let word = name.get(..run).unwrap_or_default();
    let word = word.find("..").and_then(|end| word.get(..end)).unwrap_or(word);
    let word = word.strip_suffix('.').unwrap_or(word);
    let after = name.get(word.len()..).and_then(|after| after.chars().next());
    let ends = after.is_none_or(|c| {
        (is_arabic(c) || !c.is_alphanumeric()) && !matches!(c, '@' | '＠') && !is_joiner(c) && !is_combining_mark(c)
    });
    match Handle::existing(word) {
        Ok(handle) if opens && ends => (Some(EntityKind::Mention(handle)), word.len()),
        _ => (None, run),
    }
}

/// `name` is what follows the `#`.
fn hashtag(name: &str, opens: bool) -> (Option<EntityKind>, usize) {
    let length = name.find(|c| !is_tag_char(c)).unwrap_or(name.len());
    let tag = name.get(..length).unwrap_or_default();
    let starts = tag.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let key = if opens && starts { TagKey::new(tag).ok() } else { None };
    (key.map(EntityKind::Hashtag), length)
}

/// `rest` begins with the `h` of a possible `http`.
fn link(rest: &str, before: Option<char>) -> (Option<EntityKind>, usize) {
    let begins_with = |scheme: &&str| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let Some(scheme) = ["http://", "https://"].into_iter().find(begins_with) else {
        return (None, 0);
    };
    let run = rest.find(ends_link).unwrap_or(rest.len());
    let address = trim_link(rest.get(..run).unwrap_or_default());
    let opens = before.is_none_or(|c| is_arabic(c) || !c.is_alphanumeric());
    let authority = address.get(scheme.len()..).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    if opens && address.len() <= MAX_LINK_BYTES && is_host(authority) {
        (Some(EntityKind::Link), address.len())
    } else {
        (None, run)
    }
}

fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || (is_invisible(c) && !is_joiner(c) && !is_combining_mark(c))
        || matches!(c, '<' | '>' | '"' | '`' | '«' | '»' | '“' | '”' | '،' | '؛' | '؟' | '۔')
}

/// Leaves the punctuation of the sentence outside: stops, quotes, and brackets that the address does not open.
fn trim_link(address: &str) -> &str {
    let count = |wanted: char| address.matches(wanted).count();
    let mut unmatched =
        [('(', ')'), ('[', ']'), ('{', '}')].map(|(open, close)| (close, count(close).saturating_sub(count(open))));
    address.trim_end_matches(|c| match unmatched.iter_mut().find(|(close, _)| *close == c) {
        Some((_, 0)) => false,
        Some((_, surplus)) => {
            *surplus -= 1;
            true
        }
        None => matches!(c, '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '’' | '…' | '*'),
    })
}

/// Two labels or more of letters, digits and hyphens, and perhaps a port.
fn is_host(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let label = |label: &str| {
        label.starts_with(char::is_alphanumeric)
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || is_combining_mark(c))
    };
    host.contains('.') && host.split('.').all(label) && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::samples::{any_text, is_linear_on_hostile_text};

    /// What was found, as it stands in the text.
    fn shown(text: &str) -> Vec<&str> {
        entities(text).items.into_iter().map(|item| &text[item.range]).collect()
    }

    fn finds(cases: &[(&str, &[&str])]) {
        for (text, expected) in cases {
            assert_eq!(shown(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn mentions() {
        finds(&[
            ("@salma", &["@salma"]),
            ("يا @Salma.M، تعالي", &["@Salma.M"]),
            ("و@ahmed و(@mona_s) \"@nour\"؟", &["@ahmed", "@mona_s", "@nour"]),
            ("@ahmed@mona", &[]),
            ("شكرا @ahmed. @mona... @x..y @ali!", &["@ahmed", "@mona", "@ali"]),
            ("@ahmedشكرا", &["@ahmed"]),
            ("＠salma", &["＠salma"]),
            ("me@example.com, a.b+c@x.org, mailto:x_@y.com a%40@b.com", &[]),
            ("@user@mastodon.social medium.com/@user @@user", &[]),
            ("@ab @.abc @abcdefghijklmnopqrstuvwxyz01234 @ahméd @abc\u{301}", &[]),
            ("@admin", &["@admin"]),
        ]);
        assert_eq!(
            entities("@Mona @mona @MONA @ali").handles().iter().map(|h| h.as_str()).collect::<Vec<_>>(),
            ["mona", "ali"]
        );
    }

    #[test]
    fn hashtags() {
        finds(&[
            ("#مصر", &["#مصر"]),
            ("ماتش #الأهلي، و #الزمالك؛ مين #هيكسب؟", &["#الأهلي", "#الزمالك", "#هيكسب"]),
            ("#مصر#القاهرة في#الجيزة", &["#مصر", "#القاهرة", "#الجيزة"]),
            (
                "＃tag #ElAhly! #7ob #2024_goals #كأس_العالم_٢٠٣٠.",
                &["＃tag", "#ElAhly", "#7ob", "#2024_goals", "#كأس_العالم_٢٠٣٠"],
            ),
            ("#مُحَمَّد #می\u{200C}خواهم #café", &["#مُحَمَّد", "#می\u{200C}خواهم", "#café"]),
            ("#123 #١٢٣ #_ # #! ##x C# a#b &#39; x/#y #️⃣ #️⃣مصر", &[]),
            ("(#a)(#b)[#c]", &["#a", "#b", "#c"]),
            ("#Let's", &["#Let"]),
        ]);
        assert_eq!(shown(&format!("#{}", "ب".repeat(65))), [""; 0]);
        assert_eq!(
            entities("#ElAhly #Al_Ahly #zamalek").tags().iter().map(|t| t.as_str()).collect::<Vec<_>>(),
            ["ahly", "zamalek"]
        );
    }

    #[test]
    fn links() {
        finds(&[
            ("https://example.com", &["https://example.com"]),
            ("شوفhttps://example.com/مصر؟ و(http://a.eg/b)", &["https://example.com/مصر", "http://a.eg/b"]),
            ("HTTP://Example.COM:8080/a?b=c&d#e.", &["HTTP://Example.COM:8080/a?b=c&d#e"]),
            (
                "https://ar.wikipedia.org/wiki/مصر_(توضيح)), «https://x.com/@user#tag»",
                &["https://ar.wikipedia.org/wiki/مصر_(توضيح)", "https://x.com/@user#tag"],
            ),
            ("https://x.com،#مصر", &["https://x.com", "#مصر"]),
            ("https://مصر.مصر/صفحة", &["https://مصر.مصر/صفحة"]),
            ("https://bank.com@evil.example/ https://user:pw@x.com https://bank.com@2130706433/", &[]),
            (
                "http:// https://. https://localhost ftp://x.com xhttps://x.com https://a..b https://-a.com https://a.b:x/ hhttp",
                &[],
            ),
        ]);
        assert_eq!(shown(&format!("https://a.eg/{}", "x".repeat(2_035))).len(), 1);
        assert_eq!(shown(&format!("https://a.eg/{} #b", "x".repeat(2_036))), ["#b"]);
    }

    #[test]
    fn counts_are_bounded_and_the_surplus_is_told() {
        let text = "#ab @abc https://a.eg ".repeat(60);
        let found = entities(&text);
        assert_eq!(found.items.len(), MAX_HASHTAGS + MAX_MENTIONS + MAX_LINKS);
        assert_eq!(found.ignored, 30 + 10 + 10);
        assert_eq!((found.tags().len(), found.handles().len()), (1, 1));
    }

    #[test]
    fn hostile_text_takes_linear_time() {
        is_linear_on_hostile_text(|text| drop(entities(text)));
    }

    proptest! {
        #[test]
        fn ranges_are_slices_in_order_and_mean_what_they_say(text in any_text()) {
            let found = entities(&text);
            let mut last = 0;
            for Entity { kind, range } in found.items {
                prop_assert!(last <= range.start && range.start < range.end);
                last = range.end;
                let shown = text.get(range).expect("character boundaries");
                match kind {
                    EntityKind::Mention(handle) => prop_assert_eq!(Handle::existing(shown.trim_start_matches(['@', '＠'])), Ok(handle)),
                    EntityKind::Hashtag(key) => prop_assert_eq!(TagKey::new(shown), Ok(key)),
                    EntityKind::Link => prop_assert!(shown.to_ascii_lowercase().starts_with("http")),
                }
            }
        }

        #[test]
        fn addresses_of_mail_mention_nobody(local in "[a-z0-9][a-z0-9._+]{0,20}", host in "[a-z]{3,12}", top in "[a-z]{2,5}") {
            let local = local.trim_end_matches('.');
            let found = entities(&format!("{local}@{host}.{top}"));
            prop_assert_eq!(found.handles().len(), 0);
        }

        #[test]
        fn what_stands_between_spaces_is_found(handle in "[a-z0-9][a-z0-9_]{2,29}", tag in "[a-zابتثجحخدذرزسشصضطظعغفقكلمنهوي]{1,20}", tail in "[ .,،؛؟!]{0,3}") {
            let text = format!("يا @{handle}{tail} #{tag}{tail}");
            let (mention, hashtag) = (format!("@{handle}"), format!("#{tag}"));
            prop_assert_eq!(shown(&text), [mention.as_str(), hashtag.as_str()]);
        }
    }
}
