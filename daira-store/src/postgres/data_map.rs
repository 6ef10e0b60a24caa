//! The data map: of every column of every table what it is, whose it is, why and how long it is kept, and what erasing an
//! account does with it. Out of `data_map.txt`, whose head says how its lines are read.
//!
//! The page `docs/DATA.md`, the tests that hold the map against the catalogue and against an erasure, and whoever hands a
//! person what is kept of them read it here. Nothing but the standard library is used, for the generator of the page
//! compiles this file by itself.

/// The map as it is written.
const TEXT: &str = include_str!("data_map.txt");

/// What may be known of a column.
const CLASSES: [&str; 11] =
    ["identity", "contact", "secret", "content", "relation", "activity", "choice", "status", "id", "technical", "none"];
/// What erasing an account may do with rows.
const ERASURES: [&str; 5] = ["delete", "keep", "fall", "blank", "none"];
/// What a column that leads to somebody may hold.
const KINDS: [&str; 10] =
    ["account", "profile", "who", "email", "session", "post", "comment", "circle", "mailing", "app"];

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name in the schema `daira`.
    pub name: &'static str,
    /// By what a row is somebody's own; nothing for rows that are nobody's.
    pub owners: Vec<Link>,
    /// By what somebody else's row names a person.
    pub named: Vec<Link>,
    /// What erasing an account does with its rows: `delete`, `keep`, `fall`, `blank` or `none`.
    pub erasure: &'static str,
    /// Why it is kept.
    pub why: &'static str,
    /// For how long.
    pub until: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A column by which a row leads to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// What the column holds: `account`, `profile`, `who`, `email`, or the row that this one hangs on.
    pub kind: &'static str,
    /// The column.
    pub column: &'static str,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub class: &'static str,
    /// What erasing an account does with it.
    pub erasure: &'static str,
}

impl Table {
    /// A row's own links and those by which it names somebody.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        self.owners.iter().chain(&self.named).copied()
    }
}

/// All tables, in the map's order.
///
/// # Errors
/// The line that is none, for a map that was written wrongly.
pub fn tables() -> Result<Vec<Table>, String> {
    parse(TEXT)
}

fn parse(text: &'static str) -> Result<Vec<Table>, String> {
    let mut tables: Vec<Table> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let parsed = match line.strip_prefix('[') {
            Some(head) => table(head).map(|table| tables.push(table)),
            None => tables.last_mut().and_then(|table| {
                let column = column(line, table.erasure)?;
                table.columns.push(column);
                Some(())
            }),
        };
        parsed.ok_or_else(|| format!("the data map has a line that says nothing: {line}"))?;
    }
    Ok(tables)
}

fn table(head: &'static str) -> Option<Table> {
    let (name, rest) = head.split_once(']')?;
    let parts: Vec<&'static str> = rest.split('|').map(str::trim).collect();
    let [owners, named, erasure, why, until] = *parts.as_slice() else { return None };
    let erasure = ERASURES.into_iter().find(|known| *known == erasure)?;
    Some(Table { name, owners: links(owners)?, named: links(named)?, erasure, why, until, columns: Vec::new() })
}

fn links(text: &'static str) -> Option<Vec<Link>> {
    let words = text.split_whitespace().filter(|word| *word != "-");
    let link = |word: &'static str| {
        let (kind, column) = word.split_once(':')?;
        Some(Link { kind: KINDS.into_iter().find(|known| *known == kind)?, column })
    };
    words.map(link).collect()
}

fn column(line: &'static str, usual: &'static str) -> Option<Column> {
    let words: Vec<&'static str> = line.split_whitespace().collect();
    let (name, class, erasure) = match *words.as_slice() {
        [name, class] => (name, class, usual),
        [name, class, erasure] => (name, class, erasure),
        _ => return None,
    };
    let class = CLASSES.into_iter().find(|known| *known == class)?;
    let erasure = ERASURES.into_iter().find(|known| *known == erasure)?;
    Some(Column { name, class, erasure })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_is_read_whole() {
        let tables = tables().unwrap();
        let mut names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert!(names.len() == all && all > 50, "a table stands twice, or is not there");
        for table in &tables {
            let has = |name: &str| table.columns.iter().any(|column| column.name == name);
            assert!(table.links().all(|link| has(link.column)), "{} leads by a column that it has not", table.name);
            assert!(!table.why.is_empty() && !table.until.is_empty() && !table.columns.is_empty(), "{}", table.name);
            let is_ours = table.erasure == "none";
            assert!(table.columns.iter().all(|column| (column.class == "none") == is_ours), "{}", table.name);
        }
    }

    #[test]
    fn lines_that_say_nothing_are_refused() {
        for bad in [
            "id id",
            "[t] account:id | - | delete | why",
            "[t] account:id | - | burn | why | until",
            "[t] person:id | - | delete | why | until",
            "[t] account:id | - | delete | why | until\nid wonder",
            "[t] account:id | - | delete | why | until\nid id delete now",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
