//! Hashtag keys: one [`TagKey`] for all the spellings of a tag. The tag as typed in, the key out; the spelling that is
//! shown stays with the post.

use std::fmt;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::TextError;
use super::chars::is_joiner;
use super::clean::BYTES_PER_GRAPHEME;
use super::fold::fold;

/// The most graphemes of a hashtag, without the `#`, and of its key.
pub const MAX_TAG: usize = 64;

/// Stems with ال of their own, folded: what begins with one keeps its ال. الله (اللهم …), ألبوم, ألعاب, ألماني(ا), ألباني(ا),
/// ألوان, إلكتروني, إلغاء, إلزام, آلهة, and verbal nouns of roots in ل (التزام, التهاب, التحاق, التفات, التباس).
const STEMS_IN_AL: &[&str] = &[
    "الله",
    "البوم",
    "العاب",
    "الماني",
    "الباني",
    "الوان",
    "الكترو",
    "الغاء",
    "الزام",
    "الهه",
    "التزام",
    "التهاب",
    "التحاق",
    "التفات",
    "التباس",
];

/// Words with ال of their own that other words with an article begin like (اليسا and اليسار), folded: a tag that is just the
/// word keeps its ال. الآن, آلاء, ألفت, ألحان, ألماس, إلهام, إلهي, إلياس, إليسا, إليك, التقاء, التماس.
const WORDS_IN_AL: &[&str] =
    &["الان", "الاء", "الفت", "الحان", "الماس", "الهام", "الهي", "الياس", "اليسا", "اليك", "التقاء", "التماس"];

/// The canonical key of a hashtag: folded letters, marks and digits, at least one letter, at most [`MAX_TAG`] graphemes.
///
/// Spelling is folded ([`fold()`]), underscores and joiners go (`#كأس_العالم` = `#كأسالعالم`), and so does a leading article:
///
/// - **Arabic ال** goes when two letters or more follow (`#الأهلي` = `#أهلي`). It stays in words that begin like an article
///   and have none, of which a list holds the common ones (الله, ألعاب, إلهام …). A word missing there still has one
///   key for all its spellings; it only shares it with the word without ال.
/// - **Latin el, al** begin far too many words (`#elephant`, `#alo`), so they go on evidence alone: an underscore
///   (`#el_ahly`, `#AL_AHLY`) or a hump (`#ElAhly`, `#alAhly`). `#elahly` has no evidence and keeps its own key;
///   [`TagKey::search_prefixes`] bridges the two for people who type.
///
/// Arabic and Latin spellings of one name have different keys here.
///
/// A key is made from a tag as typed, never from another key.
///
/// ```
/// use daira_core::text::TagKey;
///
/// assert_eq!(TagKey::new("#ElAhly")?, TagKey::new("Al_Ahly")?);
/// assert_eq!(TagKey::new("#الأهلي")?, TagKey::new("#الاهلى")?);
/// assert_eq!(TagKey::new("#elephant")?.as_str(), "elephant");
/// # Ok::<(), daira_core::text::TextError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagKey(String);

impl TagKey {
    /// The key of a tag, given with or without its `#` (or full-width `＃`).
    ///
    /// # Errors
    /// [`TextError::ForbiddenCharacter`] for what cannot stand in a tag, [`TextError::NoLetter`] for `#123`,
    /// [`TextError::TooLong`] and [`TextError::TooManyBytes`].
    pub fn new(tag: &str) -> Result<Self, TextError> {
        let body = without_hash(tag);
        let max = MAX_TAG * BYTES_PER_GRAPHEME;
        if body.len() > max {
            return Err(TextError::TooManyBytes { max, actual: body.len() });
        }
        if let Some(c) = body.chars().find(|&c| !is_tag_char(c)) {
            return Err(TextError::ForbiddenCharacter(c));
        }
        if !body.contains(char::is_alphabetic) {
            return Err(TextError::NoLetter);
        }
        let key = without_arabic_article(&letters(without_latin_article(body))).to_owned();
        if !key.contains(char::is_alphabetic) {
            return Err(TextError::NoLetter);
        }
        let actual = body.graphemes(true).count().max(key.graphemes(true).count());
        if actual > MAX_TAG {
            return Err(TextError::TooLong { max: MAX_TAG, actual });
        }
        Ok(Self(key))
    }

    /// A key that [`TagKey::new`] made before and a store has kept.
    pub fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The key, for an index that sorts by bytes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginnings of keys to look for while somebody is typing a tag: the letters as typed and, where those may begin
    /// with an article, the letters behind it. At most three, the likeliest first; none when nothing usable was typed.
    ///
    /// ```
    /// # use daira_core::text::TagKey;
    /// assert_eq!(TagKey::search_prefixes("#elah"), ["elah", "ah"]);
    /// assert_eq!(TagKey::search_prefixes("الأه"), ["اه", "الاه"]);
    /// ```
    pub fn search_prefixes(typed: &str) -> Vec<String> {
        let body = without_hash(typed.trim());
        if body.len() > MAX_TAG * BYTES_PER_GRAPHEME || !body.chars().all(is_tag_char) {
            return Vec::new();
        }
        let all = letters(body);
        let key = without_arabic_article(&letters(without_latin_article(body))).to_owned();
        let bare =
            ["ال", "el", "al"].iter().find_map(|article| all.strip_prefix(article)).unwrap_or_default().to_owned();
        let mut prefixes = vec![key];
        for other in [all, bare] {
            if !prefixes.contains(&other) {
                prefixes.push(other);
            }
        }
        prefixes.retain(|prefix| !prefix.is_empty());
        prefixes
    }
}

impl fmt::Display for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the character may stand in a hashtag behind its first: letters, digits and marks of every script, underscores,
/// joiners.
pub(super) fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_joiner(c) || is_combining_mark(c)
}

fn without_hash(tag: &str) -> &str {
    tag.strip_prefix(['#', '＃']).unwrap_or(tag)
}

/// The folded letters, marks and digits.
fn letters(body: &str) -> String {
    let mut folded = fold(body).into_string();
    folded.retain(|c| c.is_alphanumeric() || is_combining_mark(c));
    folded
}

/// Takes off a Latin article that an underscore or a hump gives away.
fn without_latin_article(body: &str) -> &str {
    let body = body.trim_start_matches('_');
    let Some(rest) = body.strip_prefix(['e', 'E', 'a', 'A']).and_then(|rest| rest.strip_prefix(['l', 'L'])) else {
        return body;
    };
    let hump = body.get(1..2) == Some("l") && rest.starts_with(char::is_uppercase);
    let name = rest.trim_start_matches('_');
    if (hump || name.len() < rest.len()) && is_a_name(name) { name } else { body }
}

/// What is left behind a Latin article: two letters or digits, one of them a letter.
fn is_a_name(rest: &str) -> bool {
    rest.chars().filter(|c| c.is_alphanumeric()).nth(1).is_some() && rest.contains(char::is_alphabetic)
}

/// Takes the Arabic article off folded letters.
fn without_arabic_article(letters: &str) -> &str {
    match letters.strip_prefix("ال") {
        Some(rest)
            if rest.chars().take(2).filter(|c| c.is_alphabetic()).count() == 2
                && !WORDS_IN_AL.contains(&letters)
                && !STEMS_IN_AL.iter().any(|stem| letters.starts_with(stem)) =>
        {
            rest
        }
        _ => letters,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::samples::any_text;

    fn key(tag: &str) -> String {
        TagKey::new(tag).unwrap_or_else(|error| panic!("{tag}: {error}")).to_string()
    }

    #[test]
    fn one_key_for_the_spellings_of_a_tag() {
        for group in [
            &["#ElAhly", "#Al_Ahly", "#AlAhly", "#el_ahly", "#Ahly", "#AHLY", "＃ＡＨＬＹ", "#EL__Ahly", "#elAhly"][..],
            &["#الأهلي", "#الاهلي", "#الأهلى", "#أهلي", "#الأهْلِي", "#الأهـــلي", "#ﺍﻷﻫﻠﻲ", "#الاهلی"],
            &["#كأس_العالم", "#كاس_العالم", "#كأسالعالم", "#کأس\u{200C}العالم", "#الكأس_العالم"],
            &["#الإسكندرية", "#الاسكندريه", "#إسكندرية", "#_الإسكندرية_"],
            &["#ألعاب", "#العاب", "#الألعاب"],
            &["#الله_أكبر", "#اللهأكبر", "#ﷲ_أكبر", "#ٱللَّهُ_أَكْبَر"],
            &["#ألمانيا_الغربية", "#المانيا_الغربيه", "#المانياالغربية"],
            &["#ثورة_٢٥_يناير", "#ثورة25يناير", "#ثوره_۲۵_يناير"],
            &["#Café_Riche", "#cafe_riche", "#CafeRiche"],
            &["#mo7amed_sala7", "#Mo7amedSala7"],
        ] {
            for tag in group {
                assert_eq!(key(tag), key(group[0]), "{tag} against {}", group[0]);
            }
        }
    }

    #[test]
    fn words_stay_whole() {
        for (tag, kept) in [
            ("#elephant", "elephant"),
            ("#alo", "alo"),
            ("#ELEPHANT", "elephant"),
            ("#Alexandria", "alexandria"),
            ("#ElonMusk", "elonmusk"),
            ("#elahly", "elahly"),
            ("#al", "al"),
            ("#El_A", "ela"),
            ("#al_2020", "al2020"),
            ("#الله", "الله"),
            ("#اللهم", "اللهم"),
            ("#ألم", "الم"),
            ("#ألو", "الو"),
            ("#الآن", "الان"),
            ("#إلهي", "الهي"),
            ("#ألبوم_جديد", "البومجديد"),
            ("#التهاب", "التهاب"),
            ("#إليسا", "اليسا"),
            ("#ال_2024", "ال2024"),
            ("#ماله", "ماله"),
        ] {
            assert_eq!(key(tag), kept, "{tag}");
        }
        assert_eq!(key("#الحب"), "حب");
        assert_eq!(key("#التاريخ"), "تاريخ");
        for with_article in
            ["#الانتخابات", "#الأفلام", "#الياسمين", "#التقاعد", "#المانجو", "#اليسار", "#الفتح", "#التقاليد"]
        {
            assert_eq!(key(with_article), key(&with_article.replacen("ال", "", 1)));
        }
    }

    #[test]
    fn near_misses_have_keys_of_their_own() {
        for (one, other) in [
            ("#عمر", "#عمرو"),
            ("#مترو", "#متر"),
            ("#نور", "#نورا"),
            ("#zamalek", "#malek"),
            ("#maadi", "#mahdi"),
            ("#حرم", "#هرم"),
            ("#سعر", "#شعر"),
            ("#2011_مصر", "#2013_مصر"),
            ("#اللهجة", "#لهجة"),
            ("#elsa", "#sa"),
            ("#alaa", "#aa"),
        ] {
            assert_ne!(key(one), key(other));
        }
    }

    #[test]
    fn refused() {
        use TextError::{ForbiddenCharacter, NoLetter, TooLong, TooManyBytes};
        for (tag, error) in [
            ("", NoLetter),
            ("#", NoLetter),
            ("#123", NoLetter),
            ("#١٢٣", NoLetter),
            ("#___", NoLetter),
            ("#ـ", NoLetter),
            ("##a", ForbiddenCharacter('#')),
            ("#a b", ForbiddenCharacter(' ')),
            ("#a-b", ForbiddenCharacter('-')),
            ("#مصر،", ForbiddenCharacter('،')),
            ("#a\u{202E}", ForbiddenCharacter('\u{202E}')),
            ("#👍", ForbiddenCharacter('👍')),
        ] {
            assert_eq!(TagKey::new(tag), Err(error), "{tag:?}");
        }
        assert!(TagKey::new(&"ب".repeat(64)).is_ok());
        assert_eq!(TagKey::new(&"ب".repeat(65)), Err(TooLong { max: 64, actual: 65 }));
        assert_eq!(TagKey::new(&"ﷺ".repeat(5)), Err(TooLong { max: 64, actual: 75 }));
        assert_eq!(TagKey::new(&"ب".repeat(2_000)), Err(TooManyBytes { max: 2_048, actual: 4_000 }));
    }

    #[test]
    fn finds_tags_while_they_are_typed() {
        for typed in ["#ElAhl", "elahl", "alahl", "el_ahl", "Ahl"] {
            assert!(
                TagKey::search_prefixes(typed).iter().any(|prefix| key("#ElAhly").starts_with(prefix.as_str())),
                "{typed}"
            );
        }
        assert_eq!(TagKey::search_prefixes("الا"), ["الا", "ا"]);
        assert_eq!(TagKey::search_prefixes("العاب"), ["العاب", "عاب"]);
        assert_eq!(TagKey::search_prefixes("el"), ["el"]);
        assert_eq!(TagKey::search_prefixes("2024"), ["2024"]);
        for nothing in ["", "#", "_", "a b", "ـ"] {
            assert!(TagKey::search_prefixes(nothing).is_empty(), "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn keys_are_canonical(text in any_text()) {
            if let Ok(key) = TagKey::new(&text) {
                prop_assert_eq!(fold(key.as_str()).into_string(), key.as_str());
                prop_assert!(key.as_str().chars().all(is_tag_char) && !key.as_str().contains('_'));
                prop_assert!(key.as_str().graphemes(true).count() <= MAX_TAG);
                prop_assert_eq!(TagKey::new(&format!("#{}", without_hash(&text))), Ok(key));
            }
        }

        #[test]
        fn spelling_and_underscores_do_not_matter(word in "[ابتثجحخدذرزسشصضطظعغفقكلمنهويأإآىةؤئ]{1,12}", cut in 0..12_usize) {
            let plain = key(&word);
            let at = word.char_indices().nth(cut).map_or(word.len(), |(at, _)| at);
            let (head, tail) = word.split_at(at);
            for variant in [fold(&word).into_string(), format!("{head}_{tail}"), format!("{head}\u{64E}ـ{tail}")] {
                prop_assert_eq!(key(&variant), plain.clone());
            }
        }

        #[test]
        fn what_is_typed_so_far_finds_the_tag(
            tag in prop_oneof!["(El|Al_|el|al|E)?[a-z]{3,9}", "(ال|أل|إل|ا)?[اأهيوكلمنةب]{3,9}"],
            typed in 4..12_usize) {
            let begun: String = tag.chars().take(typed).collect();
            let key = key(&tag);
            prop_assert!(TagKey::search_prefixes(&begun).iter().any(|prefix| key.starts_with(prefix.as_str())), "{} {}", begun, key);
        }
    }
}
