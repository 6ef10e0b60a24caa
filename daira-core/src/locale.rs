//! The languages the platform speaks to people in.

/// A language of interface texts. Arabic is the default: this is an Egyptian product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// Arabic of Egypt (`ar-EG`).
    #[default]
    Ar,
    /// English.
    En,
}

impl Locale {
    /// The tag as it is stored and sent: `ar` or `en`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Ar => "ar",
            Self::En => "en",
        }
    }

    /// Reads a stored tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag {
            "ar" => Some(Self::Ar),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// Chooses from an `Accept-Language` header: the first range that begins with `ar` or `en`, weights respected.
    ///
    /// ```
    /// use daira_core::locale::Locale;
    /// assert_eq!(Locale::negotiate("fr, en-GB;q=0.8, ar;q=0.9"), Locale::Ar);
    /// assert_eq!(Locale::negotiate("en"), Locale::En);
    /// assert_eq!(Locale::negotiate(""), Locale::Ar);
    /// ```
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best: Option<(f32, Self)> = None;
        for range in accept_language.split(',').take(32) {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let weight = parts.find_map(|p| p.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            let primary = tag.split(['-', '_']).next().unwrap_or_default();
            if let Some(locale) = Self::from_tag(&primary.to_ascii_lowercase())
                && weight > 0.0
                && best.is_none_or(|(w, _)| weight > w)
            {
                best = Some((weight, locale));
            }
        }
        best.map_or_else(Self::default, |(_, locale)| locale)
    }

    /// Picks the text of this language.
    pub fn pick<'a>(self, ar: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ar => ar,
            Self::En => en,
        }
    }
}
