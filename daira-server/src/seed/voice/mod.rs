//! The voice of the demo world: what people write, in Masry, Arabizi, English and a mixture.
//!
//! The texts are lines with holes, one file a topic under `topics`, and remarks for the comments under `replies`.
//! `render` fills a line in for one person; `slots` holds the fillers. The signs of a line:
//!
//! | sign | reads as |
//! |---|---|
//! | `{dish}` | a filler of that slot in the line's script; the same slot twice gives the same filler, `{dish2}` another |
//! | `{تعبان\|تعبانة}` | what fits a man, what fits a woman: the person who writes |
//! | `<تعالى\|تعالي>` | the same for the person spoken to |
//! | `[a/b/c]` | any of them |
//! | `{3-9}`, `{50-200:25}` | a number of the range, in steps |
//!
//! To add a line, add it to its topic file: it gets the next number in the [`Catalogue`] and takes part at once.

mod bios;
mod quirks;
mod render;
mod replies;
mod slots;
mod topics;

pub(crate) use bios::{for_anybody, of_interest};
pub(crate) use quirks::Quirks;
pub(crate) use render::{Friend, Page, Writer};
pub(crate) use replies::{Purpose, Remark, remarks};

/// How a person writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Script {
    /// Egyptian Arabic in Arabic letters.
    Masry,
    /// Egyptian Arabic in Latin letters and digits.
    Arabizi,
    /// English.
    English,
    /// Arabic and English in one sentence.
    Mixed,
}

impl Script {
    /// All scripts, in the order of the tables that are indexed by script.
    pub const ALL: [Self; 4] = [Self::Masry, Self::Arabizi, Self::English, Self::Mixed];
}

/// What a post is for; it decides how others answer and react.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PostKind {
    /// A thought, a scene, a memory.
    Say,
    /// Good news.
    Joy,
    /// A complaint.
    Vent,
    /// A request for help, an address, a recommendation.
    Ask,
    /// A question of opinion.
    Poll,
    /// A call to come along: a match, a film, a ride.
    Invite,
    /// A piece of advice.
    Tip,
    /// A joke.
    Joke,
    /// A small business offers something.
    Promo,
    /// Something or somebody is lost or found.
    Lost,
    /// A short poem.
    Verse,
    /// A caption: the picture or film is the point.
    Show,
}

/// What a post is about, and what a person is interested in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it; `tags` shows each in both scripts")]
pub enum Topic {
    Daily,
    Transport,
    Asking,
    Street,
    Weather,
    Football,
    Food,
    Study,
    Work,
    Weddings,
    Ramadan,
    Sahel,
    Alexandria,
    Tech,
    Photo,
    Jokes,
    Shop,
    Verse,
    Music,
    Cinema,
    Reels,
    Coffee,
    Bargains,
    Cats,
}

impl Topic {
    /// What everybody writes about now and then.
    pub(crate) const COMMON: [Self; 5] = [Self::Daily, Self::Transport, Self::Asking, Self::Street, Self::Weather];

    /// What only those write about who are interested.
    pub(crate) const INTERESTS: [Self; 19] = [
        Self::Football,
        Self::Food,
        Self::Study,
        Self::Work,
        Self::Weddings,
        Self::Ramadan,
        Self::Sahel,
        Self::Alexandria,
        Self::Tech,
        Self::Photo,
        Self::Jokes,
        Self::Shop,
        Self::Verse,
        Self::Music,
        Self::Cinema,
        Self::Reels,
        Self::Coffee,
        Self::Bargains,
        Self::Cats,
    ];

    /// How many topics there are.
    pub(crate) const COUNT: usize = Self::COMMON.len() + Self::INTERESTS.len();

    /// All topics, in declaration order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::COMMON.into_iter().chain(Self::INTERESTS)
    }

    /// Its place in tables indexed by topic.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// Hashtags people put under it: in Arabic letters, in Latin letters.
    pub(crate) const fn tags(self) -> (&'static [&'static str], &'static [&'static str]) {
        slots::tags(self)
    }
}

/// When in the day a line may be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// From 6 to 11.
    Morning,
    /// From 22 to 5.
    Night,
}

/// Man or woman, as the grammar needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gender {
    /// He.
    Male,
    /// She.
    Female,
}

/// One post to be filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) script: Script,
    pub(crate) kind: PostKind,
    pub(crate) text: &'static str,
    when: When,
    cairo: bool,
    gender: Option<Gender>,
}

impl Line {
    const fn new(script: Script, kind: PostKind, text: &'static str) -> Self {
        Self { script, kind, text, when: When::Always, cairo: false, gender: None }
    }

    /// Only in the morning.
    const fn morning(mut self) -> Self {
        self.when = When::Morning;
        self
    }

    /// Only late in the evening and at night.
    const fn night(mut self) -> Self {
        self.when = When::Night;
        self
    }

    /// Only by people of Greater Cairo.
    const fn cairo(mut self) -> Self {
        self.cairo = true;
        self
    }

    /// Only by women.
    const fn female(mut self) -> Self {
        self.gender = Some(Gender::Female);
        self
    }

    /// True for a long story or poem: nobody laughs under it.
    pub(crate) fn is_solemn(&self) -> bool {
        matches!(self.kind, PostKind::Say | PostKind::Verse) && self.text.len() > 500
    }

    /// True when this person may write it at this hour (0–23, Cairo).
    pub(crate) fn fits(&self, gender: Gender, lives_in_cairo: bool, hour: u32) -> bool {
        let time = match self.when {
            When::Always => true,
            When::Morning => (6..11).contains(&hour),
            When::Night => !(5..22).contains(&hour),
        };
        time && (lives_in_cairo || !self.cairo) && self.gender.is_none_or(|only| only == gender)
    }
}

const fn ar(kind: PostKind, text: &'static str) -> Line {
    Line::new(Script::Masry, kind, text)
}

const fn az(kind: PostKind, text: &'static str) -> Line {
    Line::new(Script::Arabizi, kind, text)
}

const fn en(kind: PostKind, text: &'static str) -> Line {
    Line::new(Script::English, kind, text)
}

const fn mx(kind: PostKind, text: &'static str) -> Line {
    Line::new(Script::Mixed, kind, text)
}

/// All lines, numbered, and sorted into cells of one topic and script.
#[derive(Debug)]
pub(crate) struct Catalogue {
    lines: Vec<(Topic, &'static Line)>,
    cells: Vec<Vec<u16>>,
}

impl Catalogue {
    pub(crate) fn new() -> Self {
        let lines: Vec<_> =
            Topic::all().flat_map(|topic| topics::lines(topic).iter().map(move |line| (topic, line))).collect();
        let mut cells = vec![Vec::new(); Topic::COUNT * Script::ALL.len()];
        for (number, (topic, line)) in (0..).zip(&lines) {
            if let Some(cell) = cells.get_mut(Self::cell(*topic, line.script)) {
                cell.push(number);
            }
        }
        Self { lines, cells }
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// All lines with their topics, in the order of their numbers.
    #[cfg(test)]
    fn lines(&self) -> impl Iterator<Item = (Topic, &'static Line)> + '_ {
        self.lines.iter().copied()
    }

    /// Where [`Self::numbers`] finds the lines of a topic and script.
    pub(crate) const fn cell(topic: Topic, script: Script) -> usize {
        topic.index() * Script::ALL.len() + script as usize
    }

    /// The numbers of the lines of a cell.
    pub(crate) fn numbers(&self, cell: usize) -> &[u16] {
        self.cells.get(cell).map_or(&[], Vec::as_slice)
    }

    /// The line of that number with its topic.
    pub(crate) fn line(&self, number: u16) -> Option<(Topic, &'static Line)> {
        self.lines.get(usize::from(number)).copied()
    }
}
