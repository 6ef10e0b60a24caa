//! The one table that every in-memory repository is made of.
//!
//! Rows lie in a persistent tree ordered by primary key, so that cloning a table is one reference count and a changed
//! clone shares what it did not touch. Beside them lie the unique keys, named as the constraints of the relational
//! schema are, and plain indexes on pairs of numbers. Rows come in and go out by value; nothing here knows who asks.

use core::ops::RangeFrom;
use std::collections::BTreeSet;

use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use crate::error::{Error, ErrorKind, Result};
use crate::page::{Limit, Page};

/// What an index orders by: raw ids, or one and zero.
pub(crate) type IndexKey = (i64, i64);

/// A unique key: its constraint's name, and its value in a row, nothing when it does not apply.
pub(crate) type UniqueKey<R> = (&'static str, fn(&R) -> Option<String>);

/// A row of a [`Table`]: its key and what else it is found by.
pub(crate) trait Row: Clone + Send + Sync + 'static {
    /// The primary key.
    type Key: Ord + Clone + Send + Sync + 'static;
    /// Unique keys beside the primary one.
    const UNIQUE: &'static [UniqueKey<Self>] = &[];
    /// Plain indexes, named by their place in this list.
    const INDEXES: &'static [fn(&Self) -> IndexKey] = &[];
    /// The primary key.
    fn key(&self) -> Self::Key;
    /// For optimistic locking; rows without one are replaced as they are.
    fn version(&self) -> i32 {
        0
    }
}

type Places<K> = RedBlackTreeMapSync<(usize, IndexKey), RedBlackTreeSetSync<K>>;

/// See the [module](self).
#[derive(Clone)]
pub(crate) struct Table<R: Row> {
    rows: RedBlackTreeMapSync<R::Key, R>,
    taken: RedBlackTreeMapSync<(&'static str, String), R::Key>,
    places: Places<R::Key>,
}

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Self {
            rows: RedBlackTreeMapSync::new_sync(),
            taken: RedBlackTreeMapSync::new_sync(),
            places: Places::new_sync(),
        }
    }
}

impl<R: Row> Table<R> {
    /// The row with this key.
    pub(crate) fn get(&self, key: &R::Key) -> Option<&R> {
        self.rows.get(key)
    }

    /// Whether there is a row with this key.
    pub(crate) fn has(&self, key: &R::Key) -> bool {
        self.rows.contains_key(key)
    }

    /// All rows, by key.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &R> {
        self.rows.values()
    }

    /// Rows from a key on, by key.
    pub(crate) fn from(&self, key: R::Key) -> impl DoubleEndedIterator<Item = &R> {
        self.rows.range::<R::Key, RangeFrom<R::Key>>(key..).map(|(_, row)| row)
    }

    /// The last row by key.
    pub(crate) fn last(&self) -> Option<&R> {
        self.rows.last().map(|(_, row)| row)
    }

    /// Rows under one value of an index, by key.
    pub(crate) fn by(&self, index: usize, value: IndexKey) -> impl DoubleEndedIterator<Item = &R> {
        self.places.get(&(index, value)).into_iter().flat_map(|keys| keys.iter()).filter_map(|key| self.rows.get(key))
    }

    /// How many rows are under one value of an index.
    pub(crate) fn count(&self, index: usize, value: IndexKey) -> i64 {
        self.places.get(&(index, value)).map_or(0, |keys| i64::try_from(keys.size()).unwrap_or(i64::MAX))
    }

    /// The row that holds a unique key.
    pub(crate) fn holder(&self, constraint: &'static str, value: &str) -> Option<&R> {
        self.rows.get(self.taken.get(&(constraint, value.to_owned()))?)
    }

    /// Inserts a row under a freshly drawn id.
    ///
    /// # Errors
    /// [`ErrorKind::IdCollision`] when the id is taken, [`ErrorKind::Conflict`] when a unique key is.
    pub(crate) fn insert(&mut self, row: R, operation: &'static str) -> Result<()> {
        if self.has(&row.key()) {
            return Err(Error::new(ErrorKind::IdCollision, operation));
        }
        self.put(row, operation).map(drop)
    }

    /// Inserts a row unless its key is there; says whether it did.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when another unique key is taken.
    pub(crate) fn add(&mut self, row: R, operation: &'static str) -> Result<bool> {
        if self.has(&row.key()) {
            return Ok(false);
        }
        self.put(row, operation).map(|_| true)
    }

    /// Replaces a row whose version is one below the new one's.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] when there is no such row, [`ErrorKind::Conflict`] when a unique key is taken.
    pub(crate) fn update(&mut self, row: R, operation: &'static str) -> Result<()> {
        match self.get(&row.key()) {
            Some(stored) if stored.version() + 1 == row.version() => self.put(row, operation).map(drop),
            _ => Err(Error::new(ErrorKind::Stale, operation)),
        }
    }

    /// Sets a row and answers what stood there before.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when another row holds one of its unique keys.
    pub(crate) fn put(&mut self, row: R, operation: &'static str) -> Result<Option<R>> {
        let key = row.key();
        for (name, of) in R::UNIQUE {
            if let Some(value) = of(&row)
                && self.taken.get(&(*name, value)).is_some_and(|holder| *holder != key)
            {
                return Err(Error::new(ErrorKind::Conflict(name), operation));
            }
        }
        let before = self.remove(&key);
        for (name, of) in R::UNIQUE {
            if let Some(value) = of(&row) {
                self.taken.insert_mut((*name, value), key.clone());
            }
        }
        for (index, of) in R::INDEXES.iter().enumerate() {
            let place = (index, of(&row));
            let mut keys = self.places.get(&place).cloned().unwrap_or_else(RedBlackTreeSetSync::new_sync);
            keys.insert_mut(key.clone());
            self.places.insert_mut(place, keys);
        }
        self.rows.insert_mut(key, row);
        Ok(before)
    }

    /// Takes a row away and answers it.
    pub(crate) fn remove(&mut self, key: &R::Key) -> Option<R> {
        let row = self.rows.get(key)?.clone();
        for (name, of) in R::UNIQUE {
            if let Some(value) = of(&row) {
                self.taken.remove_mut(&(*name, value));
            }
        }
        for (index, of) in R::INDEXES.iter().enumerate() {
            let place = (index, of(&row));
            let mut keys = self.places.get(&place).cloned().unwrap_or_else(RedBlackTreeSetSync::new_sync);
            keys.remove_mut(key);
            if keys.is_empty() {
                self.places.remove_mut(&place);
            } else {
                self.places.insert_mut(place, keys);
            }
        }
        self.rows.remove_mut(key);
        Some(row)
    }

    /// Takes away all rows under one value of an index and answers them.
    pub(crate) fn take_by(&mut self, index: usize, value: IndexKey) -> Vec<R> {
        let keys: Vec<R::Key> = self.by(index, value).map(Row::key).collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }

    /// Takes away at most `limit` of the rows that a test finds, by key, and answers them.
    pub(crate) fn take(&mut self, limit: usize, test: impl Fn(&R) -> bool) -> Vec<R> {
        let keys: Vec<R::Key> = self.iter().filter(|row| test(row)).take(limit).map(Row::key).collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }
}

/// The ids asked for, each once.
pub(crate) fn each<I: Ord + Copy>(ids: &[I]) -> impl Iterator<Item = I> {
    ids.iter().copied().collect::<BTreeSet<I>>().into_iter()
}

/// Cuts a page from rows in the list's order, going on after a position in it.
#[expect(clippy::needless_pass_by_value, reason = "positions are a number or two, made for the call")]
pub(crate) fn page<T, P: Ord>(
    rows: impl Iterator<Item = T>,
    after: Option<P>,
    limit: Limit,
    position: impl Fn(&T) -> P,
) -> Page<T> {
    let wanted = rows.filter(|row| after.as_ref().is_none_or(|after| position(row) > *after));
    Page::cut(wanted.take(limit.get() + 1).collect(), limit)
}

#[cfg(test)]
mod tests {
    use core::cmp::Reverse;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Kite {
        id: i64,
        colour: &'static str,
        owner: i64,
        version: i32,
    }

    impl Row for Kite {
        type Key = i64;
        const UNIQUE: &'static [UniqueKey<Self>] =
            &[("kite_colour", |k| (k.colour != "plain").then(|| k.colour.to_owned()))];
        const INDEXES: &'static [fn(&Self) -> IndexKey] = &[|k| (k.owner, 0)];
        fn key(&self) -> i64 {
            self.id
        }
        fn version(&self) -> i32 {
            self.version
        }
    }

    fn kite(id: i64, colour: &'static str, owner: i64, version: i32) -> Kite {
        Kite { id, colour, owner, version }
    }

    #[test]
    fn keys_are_unique_and_move_with_their_row() {
        let mut table = Table::default();
        table.insert(kite(1, "red", 7, 1), "kite.insert").unwrap();
        assert_eq!(table.insert(kite(1, "blue", 7, 1), "k").unwrap_err().kind(), ErrorKind::IdCollision);
        assert_eq!(table.insert(kite(2, "red", 7, 1), "k").unwrap_err().kind(), ErrorKind::Conflict("kite_colour"));
        assert!(table.insert(kite(3, "plain", 7, 1), "k").and(table.insert(kite(4, "plain", 8, 1), "k")).is_ok());
        assert_eq!(table.update(kite(1, "green", 7, 3), "k").unwrap_err().kind(), ErrorKind::Stale);
        table.update(kite(1, "green", 8, 2), "k").unwrap();
        assert_eq!(table.holder("kite_colour", "green").map(|k| k.id), Some(1));
        assert!(table.holder("kite_colour", "red").is_none(), "the old key is free again");
        assert_eq!(table.by(0, (8, 0)).map(|k| k.id).collect::<Vec<_>>(), [1, 4]);
        assert_eq!((table.count(0, (7, 0)), table.count(0, (9, 0))), (1, 0));
    }

    #[test]
    fn a_clone_does_not_feel_later_changes() {
        let mut table = Table::default();
        table.insert(kite(1, "red", 7, 1), "k").unwrap();
        let before = table.clone();
        assert!(table.remove(&1).is_some() && table.remove(&1).is_none());
        assert!(before.has(&1) && !table.has(&1) && before.count(0, (7, 0)) == 1);
    }

    #[test]
    fn pages_go_on_after_a_position_in_either_direction() {
        let mut table = Table::default();
        for id in 1..=5 {
            table.insert(kite(id, "plain", 7, 1), "k").unwrap();
        }
        let two = Limit::new(2).unwrap();
        let up = page(table.iter(), Some(2), two, |k| k.id);
        assert_eq!((up.items.iter().map(|k| k.id).collect::<Vec<_>>(), up.has_next), (vec![3, 4], true));
        let down = page(table.iter().rev(), Some(Reverse(3)), two, |k| Reverse(k.id));
        assert_eq!((down.items.iter().map(|k| k.id).collect::<Vec<_>>(), down.has_next), (vec![2, 1], false));
        assert_eq!(table.take(2, |k| k.id > 1).len(), 2);
        assert_eq!(table.from(4).map(|k| k.id).collect::<Vec<_>>(), [4, 5]);
    }
}
