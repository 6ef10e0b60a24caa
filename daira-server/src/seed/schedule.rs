//! Who posts which line, when: so that nobody meets the same line twice in a screenful of feed.
//!
//! In: people, graph and catalogue. Out: [`Plan`]s, oldest first.
//!
//! The law: among any [`WINDOW`] posts that follow each other in somebody's following feed (own posts included), or in
//! somebody's profile, no line occurs twice. Every feed and profile keeps the set of lines of its last posts; a post
//! may use only lines that none of its readers has in that set. An author for whom no line is left lets another author
//! post. Above [`STRICT_PEOPLE`] people the law cannot be kept — an author followed by thousands meets every line in
//! some window — and the line that the fewest readers have just met is taken.

use super::draw::{Draw, Stream, Weighted, short, wide};
use super::graph::Graph;
use super::people::Person;
use super::voice::{Catalogue, Script, Topic};

/// How many posts in a row must differ.
pub(crate) const WINDOW: usize = 50;

/// Up to this many people the law is kept.
pub(crate) const STRICT_PEOPLE: usize = 2_000;

/// How many days the posts are spread over.
pub(crate) const DAYS: u32 = 8;

/// The time of day in Cairo that the plan calls "now": 22:30, the middle of the evening peak.
pub(crate) const NOW_OF_DAY: u32 = 22 * HOUR + 30 * 60;

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

/// How busy each hour of a Cairo day is, from midnight.
const RHYTHM: [usize; 24] = [8, 5, 3, 2, 1, 1, 2, 3, 4, 5, 5, 5, 6, 6, 6, 6, 6, 7, 8, 9, 10, 12, 13, 11];

/// An author rests this long between two posts.
const REST: u32 = 15 * 60;

/// How many authors are asked before the law is bent.
const ASKED: usize = 12;

/// How many readers are looked at to find the line that disturbs least.
const SAMPLE: usize = 64;

/// A post before it is worded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) author: u32,
    /// Seconds before now.
    pub(crate) before: u32,
    /// The number of its line in the catalogue.
    pub(crate) line: u16,
}

/// Draws `posts` posts, oldest first.
pub(crate) fn draw(people: &[Person], graph: &Graph, catalogue: &Catalogue, posts: usize, seed: u64) -> Vec<Plan> {
    if people.is_empty() {
        return Vec::new();
    }
    let mut desk = Desk {
        people,
        graph,
        catalogue,
        authors: Weighted::new(people.iter().map(|person| person.activity)),
        windows: Windows::new(people.len(), catalogue.len()),
        last: vec![u32::MAX; people.len()],
        draw: Draw::new(seed, Stream::Posts),
    };
    let mut times = times(posts, &mut desk.draw);
    times.sort_unstable_by(|left, right| right.cmp(left));
    times.into_iter().map(|before| desk.plan(before)).collect()
}

/// Seconds before now, following the day's rhythm.
fn times(posts: usize, draw: &mut Draw) -> Vec<u32> {
    let hours = Weighted::new(RHYTHM);
    (0..posts)
        .map(|_| {
            let of_day = short(hours.draw(draw)) * HOUR + short(draw.below(wide(HOUR)));
            (NOW_OF_DAY + DAY - of_day) % DAY + DAY * short(draw.below(wide(DAYS)))
        })
        .collect()
}

/// The hour in Cairo, so many seconds before now.
pub(crate) const fn hour_of(before: u32) -> u32 {
    (NOW_OF_DAY + DAY - before % DAY) % DAY / HOUR
}

struct Desk<'a> {
    people: &'a [Person],
    graph: &'a Graph,
    catalogue: &'a Catalogue,
    authors: Weighted,
    windows: Windows,
    /// When each person posted last, in seconds before now.
    last: Vec<u32>,
    draw: Draw,
}

impl Desk<'_> {
    fn plan(&mut self, before: u32) -> Plan {
        let strict = self.people.len() <= STRICT_PEOPLE;
        let mut asked = 0;
        let (author, line) = loop {
            let author = self.author(before);
            self.windows.gather(author, self.graph.followers(author));
            if let Some(line) = self.free_line(author, before) {
                break (author, line);
            }
            asked += 1;
            if !strict || asked == ASKED {
                break (author, self.least_seen(author, before));
            }
        };
        self.windows.add(author, self.graph.followers(author), line);
        if let Some(last) = self.last.get_mut(wide(author)) {
            *last = before;
        }
        Plan { author, before, line }
    }

    /// An author who is not just back from posting, if there is one.
    fn author(&mut self, before: u32) -> u32 {
        let mut author = 0;
        for _ in 0..4 {
            author = short(self.authors.draw(&mut self.draw));
            let rested = self.last.get(wide(author)).is_none_or(|&last| last.saturating_sub(before) >= REST);
            if rested {
                break;
            }
        }
        author
    }

    /// A line that no reader has just met. The script matters more than the topic: a person is known by it.
    fn free_line(&mut self, author: u32, before: u32) -> Option<u16> {
        let person = self.people.get(wide(author))?;
        let script = script_of(person.script, &mut self.draw);
        for _ in 0..5 {
            let topic = topic_of(person, &mut self.draw);
            let free: Vec<u16> =
                self.usable(person, topic, script, before).filter(|&line| self.windows.is_free(line)).collect();
            if let Some(&line) = self.draw.pick(&free) {
                return Some(line);
            }
        }
        for script in [script, person.script].into_iter().chain(second_scripts(person.script)) {
            let free: Vec<u16> = topics_of(person)
                .flat_map(|topic| self.usable(person, topic, script, before))
                .filter(|&line| self.windows.is_free(line))
                .collect();
            if let Some(&line) = self.draw.pick(&free) {
                return Some(line);
            }
        }
        None
    }

    /// The line in the author's script that the fewest of some readers have just met.
    fn least_seen(&mut self, author: u32, before: u32) -> u16 {
        let Some(person) = self.people.get(wide(author)) else { return 0 };
        let followers = self.graph.followers(author);
        let readers: Vec<u32> = (0..SAMPLE).filter_map(|_| self.draw.pick(followers).copied()).collect();
        let mut lines: Vec<u16> =
            topics_of(person).flat_map(|topic| self.usable(person, topic, person.script, before)).collect();
        self.draw.shuffle(&mut lines);
        lines
            .into_iter()
            .min_by_key(|&line| {
                let others = readers.iter().filter(|&&reader| self.windows.has(List::Following, reader, line)).count();
                others + SAMPLE * usize::from(self.windows.has(List::Profile, author, line))
            })
            .unwrap_or(0)
    }

    fn usable<'a>(
        &'a self,
        person: &'a Person,
        topic: Topic,
        script: Script,
        before: u32,
    ) -> impl Iterator<Item = u16> + 'a {
        let (cairo, hour) = (person.lives_in_greater_cairo(), hour_of(before));
        self.catalogue.numbers(Catalogue::cell(topic, script)).iter().copied().filter(move |&number| {
            self.catalogue.line(number).is_some_and(|(_, line)| line.fits(person.gender, cairo, hour))
        })
    }
}

/// Three quarters of what people write is about their interests.
fn topic_of(person: &Person, draw: &mut Draw) -> Topic {
    let [first, second, third] = person.interests;
    match draw.below(100) {
        0..38 => first,
        38..60 => second,
        60..75 => third,
        _ => draw.pick(&Topic::COMMON).copied().unwrap_or(Topic::Daily),
    }
}

/// All a person writes about.
fn topics_of(person: &Person) -> impl Iterator<Item = Topic> {
    person.interests.into_iter().chain(Topic::COMMON)
}

/// What a person falls back on when there is nothing left to say in the main script.
const fn second_scripts(main: Script) -> [Script; 2] {
    match main {
        Script::Masry | Script::English => [Script::Mixed, Script::Arabizi],
        Script::Arabizi => [Script::Mixed, Script::Masry],
        Script::Mixed => [Script::Masry, Script::English],
    }
}

/// A person's main script mostly; the others as people do.
pub(crate) fn script_of(main: Script, draw: &mut Draw) -> Script {
    // Percent of Masry, Arabizi and English; the rest is mixed.
    let (masry, arabizi, english) = match main {
        Script::Masry => (84, 3, 2),
        Script::Arabizi => (8, 75, 5),
        Script::English => (3, 5, 78),
        Script::Mixed => (24, 14, 14),
    };
    match draw.below(100) {
        point if point < masry => Script::Masry,
        point if point < masry + arabizi => Script::Arabizi,
        point if point < masry + arabizi + english => Script::English,
        _ => Script::Mixed,
    }
}

/// What the last posts of every list were made from: as a ring to forget the oldest, and as a bit set to ask quickly.
///
/// Everybody has three lists: the feed of those they follow, the same with their own posts between (in which fewer of
/// the others' posts fit a window), and their profile.
struct Windows {
    words: usize,
    bits: Vec<u64>,
    rings: Vec<u16>,
    heads: Vec<u8>,
    /// What the readers gathered last have just met.
    met: Vec<u64>,
}

#[derive(Clone, Copy)]
enum List {
    Following,
    Home,
    Profile,
}

const LISTS: usize = 3;

/// A post and the `WINDOW - 1` before it must differ.
const KEPT: u8 = 49;
const _: () = assert!(KEPT as usize == WINDOW - 1, "the ring holds what a new post is compared with");
const EMPTY: u16 = u16::MAX;

impl Windows {
    fn new(people: usize, lines: usize) -> Self {
        let (lists, words) = (LISTS * people, lines.div_ceil(64));
        Self {
            words,
            bits: vec![0; lists * words],
            rings: vec![EMPTY; lists * usize::from(KEPT)],
            heads: vec![0; lists],
            met: vec![0; words],
        }
    }

    const fn row(list: List, person: u32) -> usize {
        person as usize * LISTS + list as usize
    }

    fn set(&self, row: usize) -> &[u64] {
        let start = row * self.words;
        self.bits.get(start..start + self.words).unwrap_or_default()
    }

    /// The rows in which a post of this author would stand.
    fn rows(author: u32, followers: &[u32]) -> impl Iterator<Item = usize> + '_ {
        let own = [Self::row(List::Home, author), Self::row(List::Profile, author)];
        let readers =
            followers.iter().flat_map(|&reader| [List::Following, List::Home].map(|list| Self::row(list, reader)));
        readers.chain(own)
    }

    /// Gathers what all who would see a post of this author have just met.
    fn gather(&mut self, author: u32, followers: &[u32]) {
        let mut met = std::mem::take(&mut self.met);
        met.fill(0);
        for row in Self::rows(author, followers) {
            for (all, word) in met.iter_mut().zip(self.set(row)) {
                *all |= word;
            }
        }
        self.met = met;
    }

    /// True when nobody gathered has met the line.
    fn is_free(&self, line: u16) -> bool {
        !bit(&self.met, line)
    }

    fn has(&self, list: List, person: u32, line: u16) -> bool {
        bit(self.set(Self::row(list, person)), line)
    }

    fn add(&mut self, author: u32, followers: &[u32], line: u16) {
        Self::rows(author, followers).for_each(|row| self.push(row, line));
    }

    fn push(&mut self, row: usize, line: u16) {
        let Some(head) = self.heads.get_mut(row) else { return };
        let at = row * usize::from(KEPT) + usize::from(*head);
        *head = (*head + 1) % KEPT;
        let Some(place) = self.rings.get_mut(at) else { return };
        let oldest = std::mem::replace(place, line);
        let start = row * self.words;
        if oldest != EMPTY
            && let Some(word) = self.bits.get_mut(start + usize::from(oldest / 64))
        {
            *word &= !(1 << (oldest % 64));
        }
        if let Some(word) = self.bits.get_mut(start + usize::from(line / 64)) {
            *word |= 1 << (line % 64);
        }
    }
}

fn bit(words: &[u64], line: u16) -> bool {
    words.get(usize::from(line / 64)).is_some_and(|word| word >> (line % 64) & 1 == 1)
}
