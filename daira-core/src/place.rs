//! Where something came from, as coarsely as it may be known: a country and a governorate, never a point.
//!
//! A network address comes in (by the port [`Places`](crate::port::Places)), codes of ISO 3166 go out; the address is kept nowhere.

use crate::locale::Locale;

/// A country, and a part of it where that is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    country: [u8; 2],
    /// Filled up with zeros; all of them when it is not known.
    region: [u8; 3],
}

impl Place {
    /// Of the codes of ISO 3166-1 and 3166-2, for instance `EG` and `ALX`; nothing for what are none. A part that is none is
    /// left out.
    pub fn new(country: &str, region: Option<&str>) -> Option<Self> {
        let country: [u8; 2] = country.as_bytes().try_into().ok()?;
        if !country.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        let part = |code: &str| {
            let mut region = [0; 3];
            let plain =
                (1..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            region.get_mut(..code.len()).filter(|_| plain)?.copy_from_slice(code.as_bytes());
            Some(region)
        };
        Some(Self { country, region: region.and_then(part).unwrap_or_default() })
    }

    /// Reads what [`Display`](core::fmt::Display) wrote.
    pub fn from_code(code: &str) -> Option<Self> {
        match code.split_once('-') {
            Some((country, region)) => Self::new(country, Some(region)).filter(|place| !place.region().is_empty()),
            None => Self::new(code, None),
        }
    }

    /// The country's code.
    pub fn country(&self) -> &str {
        text(&self.country)
    }

    /// The code of the part, or nothing.
    pub fn region(&self) -> &str {
        text(&self.region)
    }

    /// What it is called: the governorate in Egypt, elsewhere the country's code.
    pub fn name(&self, locale: Locale) -> &str {
        let governorate = GOVERNORATES.iter().find(|(code, _, _)| self.country() == "EG" && *code == self.region());
        match governorate {
            Some((_, ar, en)) => locale.pick(ar, en),
            None if self.country() == "EG" => locale.pick("مصر", "Egypt"),
            None => self.country(),
        }
    }
}

/// Only ASCII comes in.
fn text(code: &[u8]) -> &str {
    core::str::from_utf8(code).unwrap_or_default().trim_end_matches('\0')
}

/// The code: `EG-ALX`, or `EG`.
impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.country())?;
        if self.region().is_empty() { Ok(()) } else { write!(f, "-{}", self.region()) }
    }
}

/// Where somebody was stands in no log.
impl core::fmt::Debug for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Place(…)")
    }
}

/// The 27 governorates by their codes of ISO 3166-2.
const GOVERNORATES: [(&str, &str, &str); 27] = [
    ("ALX", "الإسكندرية", "Alexandria"),
    ("ASN", "أسوان", "Aswan"),
    ("AST", "أسيوط", "Asyut"),
    ("BA", "البحر الأحمر", "Red Sea"),
    ("BH", "البحيرة", "Beheira"),
    ("BNS", "بني سويف", "Beni Suef"),
    ("C", "القاهرة", "Cairo"),
    ("DK", "الدقهلية", "Dakahlia"),
    ("DT", "دمياط", "Damietta"),
    ("FYM", "الفيوم", "Faiyum"),
    ("GH", "الغربية", "Gharbia"),
    ("GZ", "الجيزة", "Giza"),
    ("IS", "الإسماعيلية", "Ismailia"),
    ("JS", "جنوب سيناء", "South Sinai"),
    ("KB", "القليوبية", "Qalyubia"),
    ("KFS", "كفر الشيخ", "Kafr El Sheikh"),
    ("KN", "قنا", "Qena"),
    ("LX", "الأقصر", "Luxor"),
    ("MN", "المنيا", "Minya"),
    ("MNF", "المنوفية", "Monufia"),
    ("MT", "مطروح", "Matrouh"),
    ("PTS", "بورسعيد", "Port Said"),
    ("SHG", "سوهاج", "Sohag"),
    ("SHR", "الشرقية", "Sharqia"),
    ("SIN", "شمال سيناء", "North Sinai"),
    ("SUZ", "السويس", "Suez"),
    ("WAD", "الوادي الجديد", "New Valley"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back_and_nothing_else_does() {
        for code in ["EG", "EG-ALX", "EG-C", "SA-01", "US-NY"] {
            assert_eq!(Place::from_code(code).unwrap().to_string(), code);
        }
        for none in
            ["", "E", "eg", "EGY", "EG-", "EG-alx", "EG-ALXX", "EG-ا", "EG-A-B", "30.04,31.23", &"E".repeat(100_000)]
        {
            assert_eq!(Place::from_code(none), None, "{none}");
        }
        assert_eq!(Place::new("EG", Some("nonsense")), Place::new("EG", None), "a part that is none is left out");
    }

    #[test]
    fn places_have_names_in_both_languages() {
        let name = |code: &str, locale| Place::from_code(code).unwrap().name(locale).to_owned();
        assert_eq!((name("EG-ALX", Locale::Ar), name("EG-ALX", Locale::En)), ("الإسكندرية".into(), "Alexandria".into()));
        assert_eq!((name("EG", Locale::Ar), name("EG-XXX", Locale::En)), ("مصر".into(), "Egypt".into()));
        assert_eq!((name("SA-01", Locale::En), name("US", Locale::Ar)), ("SA".into(), "US".into()));
        let mut codes: Vec<&str> = GOVERNORATES.iter().map(|(code, _, _)| *code).collect();
        codes.dedup();
        assert!(codes.is_sorted() && codes.len() == 27);
        assert!(!format!("{:?}", Place::from_code("EG-C")).contains("EG"));
    }
}
