//! The people: who they are, where they live, what they care about and how they write.
//!
//! In: how many, and the seed. Out: [`Person`]s, grouped in communities of one interest and one governorate. A person
//! is coherent: two or three interests, a main script, one neighbourhood, one club, one cat.

use std::collections::HashSet;

use super::draw::{Draw, Stream, Weighted, short};
use super::graph::popularity;
use super::names::{MEN, SURNAMES, WOMEN};
use super::places::{Both, GOVERNORATES, Governorate};
use super::voice::{Gender, Page, Quirks, Script, Topic, Writer, for_anybody, of_interest};

/// A member of the demo world.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their number, from 0.
    pub index: u32,
    /// What their profile is titled: a name in Arabic or Latin letters, or both.
    pub name: String,
    /// Their handle: 3–30 of `a-z 0-9 _ .`, unique in the world.
    pub handle: String,
    /// A line or two about themselves; may be empty.
    pub bio: String,
    /// The language their app speaks: `ar` or `en`.
    pub locale: &'static str,
    /// Where they live, in Arabic.
    pub governorate: &'static str,
    /// Man or woman.
    pub gender: Gender,
    /// What they care about, most first.
    pub interests: [Topic; 3],
    /// The script they mostly write in.
    pub script: Script,
    /// The circle of interest and governorate they belong to, from 0.
    pub community: u32,
    /// How often they post, as a weight against the others'.
    pub activity: usize,
    /// How likely a stranger follows them, as a weight against the others'.
    pub(crate) popularity: usize,
    home: usize,
    area: usize,
    traits: u64,
    quirks: Quirks,
}

impl Person {
    /// What the texts need to know about them.
    pub(crate) fn writer(&self) -> Writer<'_> {
        Writer {
            gender: self.gender,
            quirks: &self.quirks,
            home: home(self.home),
            area: self.area,
            traits: self.traits,
        }
    }

    /// True when the metro and the Ring Road are theirs.
    pub(crate) fn lives_in_greater_cairo(&self) -> bool {
        home(self.home).is_greater_cairo()
    }
}

fn home(index: usize) -> &'static Governorate {
    let [first, ..] = &GOVERNORATES;
    GOVERNORATES.get(index).unwrap_or(first)
}

/// How many people a community has, about: 140 in a small world, 190 among ten thousand.
fn community_size(people: usize) -> usize {
    140 + people / 200
}

/// Draws everybody.
pub(crate) fn draw(people: usize, seed: u64) -> Vec<Person> {
    let mut draw = Draw::new(seed, Stream::People);
    let homes = Weighted::new(GOVERNORATES.iter().map(|governorate| governorate.weight));
    let circles = communities((people / community_size(people)).max(1), &homes, &mut draw);
    // A few communities are large.
    let sizes = Weighted::new((0..circles.len()).map(|rank| 1_000 / (rank + 4)));
    let mut taken = HashSet::new();
    let popularity = popularity(people, &mut draw);
    (0..)
        .zip(popularity)
        .map(|(index, popularity)| {
            let community = sizes.draw(&mut draw);
            let circle = circles.get(community).copied().unwrap_or_default();
            person(index, short(community), circle, popularity, &homes, &mut taken, &mut draw)
        })
        .collect()
}

/// What the members of a community share.
#[derive(Debug, Clone, Copy, Default)]
struct Circle {
    /// Where in [`Topic::INTERESTS`].
    interest: usize,
    home: usize,
}

fn communities(count: usize, homes: &Weighted, draw: &mut Draw) -> Vec<Circle> {
    let mut interests: Vec<usize> = (0..Topic::INTERESTS.len()).collect();
    draw.shuffle(&mut interests);
    let alexandria = GOVERNORATES.iter().position(Governorate::is_alexandria).unwrap_or(0);
    interests
        .into_iter()
        .cycle()
        .take(count)
        .map(|interest| {
            let drawn = homes.draw(draw);
            let local = Topic::INTERESTS.get(interest) == Some(&Topic::Alexandria);
            Circle { interest, home: if local { alexandria } else { drawn } }
        })
        .collect()
}

fn person(
    index: u32,
    community: u32,
    circle: Circle,
    popularity: usize,
    homes: &Weighted,
    taken: &mut HashSet<String>,
    draw: &mut Draw,
) -> Person {
    let gender = if draw.percent(50) { Gender::Male } else { Gender::Female };
    let home_index = if draw.percent(65) { circle.home } else { homes.draw(draw) };
    let script = match draw.below(100) {
        0..45 => Script::Masry,
        45..75 => Script::Arabizi,
        75..90 => Script::English,
        _ => Script::Mixed,
    };
    let first = draw.pick(if gender == Gender::Male { MEN } else { WOMEN }).copied().unwrap_or_default();
    let last = draw.pick(SURNAMES).copied().unwrap_or_default();
    let mut person = Person {
        index,
        name: display_name(first, last, script, draw),
        handle: handle(first.1, last.1, index, taken, draw),
        bio: String::new(),
        locale: if draw.percent(english_apps(script)) { "en" } else { "ar" },
        governorate: home(home_index).name.0,
        gender,
        interests: interests(circle.interest, home_index, draw),
        script,
        community,
        // Those who are followed post more, but not in step.
        activity: (popularity.isqrt() * draw.between(50, 250)).max(1),
        popularity,
        home: home_index,
        area: draw.below(home(home_index).areas.len()),
        traits: (0..8).fold(0, |traits, _| (traits << 8) | draw.below(256) as u64),
        quirks: Quirks::draw(draw),
    };
    person.bio = bio(&person, draw);
    person
}

/// How many percent of the writers of a script set their app to English.
const fn english_apps(script: Script) -> usize {
    match script {
        Script::Masry => 3,
        Script::Arabizi => 35,
        Script::English => 85,
        Script::Mixed => 45,
    }
}

fn interests(shared: usize, home_index: usize, draw: &mut Draw) -> [Topic; 3] {
    let local = home(home_index).is_alexandria();
    let first = if draw.percent(60) { shared } else { draw.below(Topic::INTERESTS.len()) };
    let mut chosen: Vec<Topic> = Vec::with_capacity(3);
    let mut next = Topic::INTERESTS.get(first).copied();
    loop {
        if let Some(topic) = next
            && !chosen.contains(&topic)
            && (local || topic != Topic::Alexandria)
        {
            chosen.push(topic);
        }
        if let [first, second, third] = chosen.as_slice() {
            return [*first, *second, *third];
        }
        let home_town = local && draw.percent(45);
        next = if home_town { Some(Topic::Alexandria) } else { draw.pick(&Topic::INTERESTS).copied() };
    }
}

fn display_name(first: Both, last: Both, script: Script, draw: &mut Draw) -> String {
    let arabic = match script {
        Script::Masry => draw.percent(88),
        Script::Mixed => draw.percent(50),
        Script::Arabizi | Script::English => draw.percent(15),
    };
    let (mine, other) = if arabic { ((first.0, last.0), first.1) } else { ((first.1, last.1), first.0) };
    match draw.below(100) {
        0..70 => format!("{} {}", mine.0, mine.1),
        70..78 => mine.0.to_owned(),
        78..86 => format!("{} | {other}", mine.0),
        86..94 => format!("{} {}", mine.0, draw.word(&["🌸", "⚽", "☕", "🌙", "📸", "🎧", "🌊", "✨"])),
        _ if arabic => format!("{} {} ❤️", mine.0, mine.1),
        _ => format!("{} {}.", mine.0, mine.1.chars().next().unwrap_or('A')),
    }
}

/// A handle nobody has yet.
fn handle(first: &str, last: &str, index: u32, taken: &mut HashSet<String>, draw: &mut Draw) -> String {
    let (first, last) = (first.to_ascii_lowercase(), last.to_ascii_lowercase());
    let initial: String = last.chars().take(1).collect();
    let year = 1_985 + draw.below(24);
    let wish = match draw.below(8) {
        0 => format!("{first}.{last}"),
        1 => format!("{first}_{last}"),
        2 => format!("{first}{last}"),
        3 => format!("{first}{}", year % 100),
        4 => format!("{first}.{initial}{}", draw.below(100)),
        5 => format!("{first}_{initial}_"),
        6 => format!("{last}.{first}"),
        _ => format!("{first}.{last}{year}"),
    };
    // The index makes any name free.
    let free = if taken.contains(&wish) { format!("{first}_{last}{index}") } else { wish };
    taken.insert(free.clone());
    free
}

fn bio(person: &Person, draw: &mut Draw) -> String {
    let script = if person.script == Script::Mixed && draw.percent(40) { Script::English } else { person.script };
    let [first, second, _] = person.interests;
    let mut parts = Vec::new();
    for (likely, text) in [
        (75, of_interest(first, script)),
        (35, of_interest(second, script)),
        (45, draw.word(for_anybody(person.script))),
    ] {
        if draw.percent(likely) {
            let page = Page::new(person.writer(), None, first, Draw::new(person.traits, Stream::People));
            parts.push(page.plain(script, text));
        }
    }
    parts.join(draw.word(&[" | ", "\n", " • ", ". "]))
}
