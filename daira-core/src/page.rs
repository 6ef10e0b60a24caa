//! Pages: keyset only, never an offset.
//!
//! A list is asked for with a [`Limit`] and a place to go on from, and answers a [`Page`]. A repository fetches one item
//! more than asked; [`Page::cut`] drops it and so knows whether there is more. What a client holds is an opaque,
//! signed, versioned text made by [`Cursors`]: it opens only for the list it was made for.

use data_encoding::BASE64URL_NOPAD;

use crate::error::{CommonRefusal, Result};
use crate::secret::Key;

/// How many items a page holds, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit(u8);

impl Limit {
    /// The largest page.
    pub const MAX: u8 = 100;
    /// What a list gives when nothing is asked.
    pub const DEFAULT: Self = Self(20);

    /// Checks a wanted size.
    ///
    /// # Errors
    /// [`CommonRefusal::PageSize`] outside 1 to 100.
    pub fn new(size: i64) -> Result<Self> {
        match u8::try_from(size) {
            Ok(size @ 1..=Self::MAX) => Ok(Self(size)),
            _ => Err(crate::Error::from(CommonRefusal::PageSize).on_field("first")),
        }
    }

    /// The size.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }

    /// One more than the size: what a repository fetches to learn whether there is more.
    pub fn fetch(self) -> i64 {
        i64::from(self.0) + 1
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Whether the list goes on after them.
    pub has_next: bool,
}

impl<T> Page<T> {
    /// A page with nothing before or after it.
    pub fn empty() -> Self {
        Self { items: Vec::new(), has_next: false }
    }

    /// Cuts a page from up to one item more than asked for.
    pub fn cut(mut items: Vec<T>, limit: Limit) -> Self {
        let has_next = items.len() > limit.get();
        items.truncate(limit.get());
        Self { items, has_next }
    }

    /// The same page of other things.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), has_next: self.has_next }
    }

    /// The page as a client gets it: each item with the sealed cursor to go on after it. `position` gives the numbers that
    /// [`Cursors::after`] will answer for the same list.
    pub fn connect<const N: usize>(
        self,
        cursors: &Cursors,
        list: &str,
        position: impl Fn(&T) -> [i64; N],
    ) -> Connection<T> {
        let seal = |item: T| {
            let cursor = cursors.seal_numbers(list, &position(&item));
            (item, cursor)
        };
        Connection { items: self.items.into_iter().map(seal).collect(), has_next: self.has_next }
    }
}

/// One page of a list as a client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection<T> {
    /// The items in the list's order, each with the cursor to go on after it.
    pub items: Vec<(T, String)>,
    /// Whether the list goes on after them.
    pub has_next: bool,
}

impl<T> Connection<T> {
    /// The cursor of the next page, if there is one.
    pub fn next(&self) -> Option<&str> {
        self.items.last().filter(|_| self.has_next).map(|(_, cursor)| cursor.as_str())
    }

    /// The items alone.
    pub fn into_nodes(self) -> Vec<T> {
        self.items.into_iter().map(|(item, _)| item).collect()
    }
}

/// Seals and opens the opaque cursors that clients carry from page to page.
#[derive(Debug, Clone)]
pub struct Cursors {
    key: Key,
}

const VERSION: u8 = 1;
const TAG: usize = 16;
/// No cursor is longer than this many characters; anything longer is refused unread.
pub const MAX_CURSOR: usize = 4096;

impl Cursors {
    /// With the key of this purpose.
    pub fn new(key: Key) -> Self {
        Self { key }
    }

    /// Seals a position of the list named `list` (for instance `followers` and the profile's id).
    pub fn seal(&self, list: &str, position: &[u8]) -> String {
        let mut out = Vec::with_capacity(1 + TAG + position.len());
        out.push(VERSION);
        out.extend_from_slice(position);
        let tag = self.key.tag(&[list.as_bytes(), &out]);
        out.extend(tag.into_iter().take(TAG));
        BASE64URL_NOPAD.encode(&out)
    }

    /// Opens a cursor of the list named `list`.
    ///
    /// # Errors
    /// [`CommonRefusal::Cursor`] when it was changed, belongs to another list or is not a cursor at all.
    pub fn open(&self, list: &str, cursor: &str) -> Result<Vec<u8>> {
        let refuse = || crate::Error::from(CommonRefusal::Cursor).on_field("after");
        if cursor.len() > MAX_CURSOR {
            return Err(refuse());
        }
        let mut bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| refuse())?;
        let body = bytes.len().checked_sub(TAG).filter(|n| *n >= 1).ok_or_else(refuse)?;
        let tag = bytes.split_off(body);
        if bytes.first() != Some(&VERSION) || !self.key.verify(&[list.as_bytes(), &bytes], &tag) {
            return Err(refuse());
        }
        bytes.remove(0);
        Ok(bytes)
    }

    /// Seals a position that is one number, such as the last item's id.
    pub fn seal_number(&self, list: &str, number: i64) -> String {
        self.seal_numbers(list, &[number])
    }

    /// Opens a position that is one number.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_number(&self, list: &str, cursor: &str) -> Result<i64> {
        self.open_numbers(list, cursor).map(|[number]| number)
    }

    /// Seals a position made of numbers, such as an instant and an id.
    pub fn seal_numbers(&self, list: &str, numbers: &[i64]) -> String {
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
        self.seal(list, &bytes)
    }

    /// Opens a position made of `N` numbers.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the position has another shape.
    pub fn open_numbers<const N: usize>(&self, list: &str, cursor: &str) -> Result<[i64; N]> {
        self.open_list(list, cursor)?
            .try_into()
            .map_err(|_| crate::Error::from(CommonRefusal::Cursor).on_field("after"))
    }

    /// Opens the cursor that a list is asked to go on after, if it is not asked from its beginning.
    ///
    /// # Errors
    /// As [`open_numbers`](Self::open_numbers).
    pub fn after<const N: usize>(&self, list: &str, cursor: Option<&str>) -> Result<Option<[i64; N]>> {
        cursor.map(|cursor| self.open_numbers(list, cursor)).transpose()
    }

    /// Opens a position made of any count of numbers.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_list(&self, list: &str, cursor: &str) -> Result<Vec<i64>> {
        let bytes = self.open(list, cursor)?;
        let (numbers, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(crate::Error::from(CommonRefusal::Cursor).on_field("after"));
        }
        Ok(numbers.iter().map(|n| i64::from_be_bytes(*n)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cursors() -> Cursors {
        Cursors::new(Key::new([1; 32]))
    }

    #[test]
    fn a_cursor_opens_only_its_own_list() {
        let sealed = cursors().seal_number("followers/prf_1", 42);
        assert_eq!(cursors().open_number("followers/prf_1", &sealed).unwrap(), 42);
        assert!(cursors().open_number("followers/prf_2", &sealed).is_err());
        assert!(Cursors::new(Key::new([2; 32])).open_number("followers/prf_1", &sealed).is_err());
    }

    #[test]
    fn a_connection_hands_out_the_place_after_each_item() {
        let page = Page { items: vec![30, 20, 10], has_next: true };
        let connection = page.connect(&cursors(), "l", |n| [*n, -*n]);
        assert_eq!(cursors().after("l", connection.next()).unwrap(), Some([10, -10]));
        assert_eq!(cursors().after("l", Some(&connection.items[0].1)).unwrap(), Some([30, -30]));
        assert_eq!(cursors().after::<2>("l", None).unwrap(), None);
        assert!(cursors().after::<1>("l", connection.next()).is_err(), "another shape of position");
        assert_eq!(Connection { has_next: false, ..connection.clone() }.next(), None);
        assert_eq!(connection.into_nodes(), [30, 20, 10]);
    }

    #[test]
    fn sizes_are_bounded() {
        assert!(
            Limit::new(0).is_err()
                && Limit::new(101).is_err()
                && Limit::new(-1).is_err()
                && Limit::new(i64::MAX).is_err()
        );
        let page = Page::cut(vec![1, 2, 3], Limit::new(2).unwrap());
        assert_eq!(page, Page { items: vec![1, 2], has_next: true });
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_noticed(body in proptest::collection::vec(any::<u8>(), 0..40), at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let sealed = cursors().seal("l", &body);
            let mut raw = BASE64URL_NOPAD.decode(sealed.as_bytes()).unwrap();
            let at = at.index(raw.len());
            raw[at] ^= 1 << bit;
            prop_assert!(cursors().open("l", &BASE64URL_NOPAD.encode(&raw)).is_err());
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = cursors().open("l", &text);
        }
    }
}
