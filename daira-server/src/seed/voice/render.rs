//! Fills a line in for one writer: chooses the forms of gender, the slots and the numbers, then lets the writer's
//! habits finish it.
//!
//! In: a [`Line`] or a [`Remark`](super::Remark), a [`Writer`], perhaps a [`Friend`]. Out: the text.

use super::super::draw::Draw;
use super::super::names;
use super::super::places::{Both, Governorate, in_script};
use super::quirks::{Quirks, emoji, nods, openings, trails};
use super::slots::slot;
use super::{Gender, Line, PostKind, Remark, Script, Topic};

/// Below this many characters a post may get an opening, a nod or a trailing word.
const SHORT: usize = 160;

/// What the words need to know about the person who writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) gender: Gender,
    pub(crate) quirks: &'a Quirks,
    pub(crate) home: &'a Governorate,
    /// Where in `home.areas` the person lives.
    pub(crate) area: usize,
    /// Chooses what belongs to the person: club, cat, trade, college.
    pub(crate) traits: u64,
}

/// The person spoken to or called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Friend<'a> {
    pub(crate) gender: Gender,
    pub(crate) handle: &'a str,
}

/// A text in the making.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    writer: Writer<'a>,
    friend: Option<Friend<'a>>,
    topic: Topic,
    script: Script,
    draw: Draw,
    /// The fillers chosen so far, by the name in the braces.
    chosen: Vec<(&'static str, &'static str)>,
    /// The numbers chosen so far, by their range: a range that comes twice is one number.
    numbers: Vec<(&'static str, usize)>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(writer: Writer<'a>, friend: Option<Friend<'a>>, topic: Topic, draw: Draw) -> Self {
        Self { writer, friend, topic, script: Script::Masry, draw, chosen: Vec::new(), numbers: Vec::new() }
    }

    /// The text of a post.
    pub(crate) fn post(mut self, line: &Line) -> String {
        self.script = line.script;
        let mut body = self.fill(line.text);
        if !line.text.contains('\n') && body.chars().count() < SHORT {
            body = self.opened(body, line.kind);
            self.trail(&mut body, line.kind);
        }
        let bare = !body.chars().any(is_emoji);
        if bare && self.draw.percent(32) {
            body.push(' ');
            body.push_str(self.writer.quirks.favourite(emoji(line.kind), &mut self.draw));
        } else {
            self.writer.quirks.end(&mut body);
        }
        self.tag(&mut body, line.kind);
        self.writer.quirks.spell(&body, self.script, &mut self.draw)
    }

    /// The text of a comment.
    pub(crate) fn comment(mut self, remark: &Remark) -> String {
        self.script = remark.script;
        let mut body = self.fill(remark.text);
        self.writer.quirks.end(&mut body);
        self.writer.quirks.spell(&body, self.script, &mut self.draw)
    }

    /// A text without decoration, as it stands in a profile.
    pub(crate) fn plain(mut self, script: Script, text: &'static str) -> String {
        self.script = script;
        self.fill(text)
    }

    /// Puts an opening before a body that does not have one of its own.
    fn opened(&mut self, body: String, kind: PostKind) -> String {
        let head: String = body.chars().take(26).collect();
        let has_own = head.contains([':', '"', '؟', '?', '!', '@'])
            || ["يا ", "ya ", "لو ", "الل", "سؤال", "حد "].iter().any(|own| head.starts_with(own));
        let calls = ["جماعة", "يا ناس", "gama3a", "guys"].iter().any(|call| body.contains(call));
        if has_own || calls || !self.draw.percent(24) {
            return body;
        }
        match self.draw.word(openings(kind, self.script)) {
            "" => body,
            opening => format!("{} {body}", self.fill(opening)),
        }
    }

    /// Lets a short body trail off, or nods to a friend.
    fn trail(&mut self, body: &mut String, kind: PostKind) {
        let plain = matches!(kind, PostKind::Say | PostKind::Joke | PostKind::Vent | PostKind::Show | PostKind::Joy);
        let ends_in_word = body.chars().next_back().is_some_and(char::is_alphabetic);
        if !plain || !ends_in_word || body.contains('#') {
            return;
        }
        if matches!(kind, PostKind::Say | PostKind::Vent) && self.draw.percent(9) {
            body.push_str(self.writer.quirks.favourite(trails(self.script), &mut self.draw));
        } else if self.friend.is_some() && !body.contains('@') && self.draw.percent(6) {
            let nod = self.draw.word(nods(kind, self.script));
            let nod = self.fill(nod);
            body.push_str(self.draw.word(&[" ", "\n"]));
            body.push_str(&nod);
        }
    }

    /// Adds one or two hashtags, more often where people look for an audience.
    fn tag(&mut self, body: &mut String, kind: PostKind) {
        let likely = match kind {
            PostKind::Promo => 70,
            PostKind::Lost | PostKind::Show => 38,
            PostKind::Verse => 25,
            PostKind::Ask | PostKind::Poll => 8,
            _ => 15,
        };
        if body.contains('#') || !self.draw.percent(likely) {
            return;
        }
        let first = self.hashtag();
        body.push_str(self.draw.word(&[" ", "\n"]));
        body.push_str(first);
        let second = self.hashtag();
        if second != first && self.draw.percent(25) {
            body.push(' ');
            body.push_str(second);
        }
    }

    fn hashtag(&mut self) -> &'static str {
        let (arabic, latin) = self.topic.tags();
        let arabic_letters = match self.script {
            Script::Masry => self.draw.percent(88),
            Script::Mixed => self.draw.percent(50),
            Script::Arabizi | Script::English => self.draw.percent(8),
        };
        self.draw.word(if arabic_letters { arabic } else { latin })
    }

    /// Reads the signs of a text.
    fn fill(&mut self, text: &'static str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        self.fill_into(text, &mut out);
        out
    }

    fn fill_into(&mut self, text: &'static str, out: &mut String) {
        let mut rest = text;
        while let Some((plain, sign, inside, after)) = next_sign(rest) {
            out.push_str(plain);
            match sign {
                '[' => {
                    let choices: Vec<&'static str> = inside.split('/').collect();
                    let choice = self.draw.word(&choices);
                    self.fill_into(choice, out);
                }
                '<' => out.push_str(by_gender(inside, self.friend.map_or(Gender::Male, |friend| friend.gender))),
                _ if inside.contains('|') => out.push_str(by_gender(inside, self.writer.gender)),
                _ => self.hole(inside, out),
            }
            rest = after;
        }
        out.push_str(rest);
    }

    /// Fills `{…}` that is not a choice of gender.
    fn hole(&mut self, name: &'static str, out: &mut String) {
        if let Some((low, high, step)) = range(name) {
            let known = self.numbers.iter().find(|(range, _)| *range == name).map(|(_, number)| *number);
            let number = known.unwrap_or_else(|| low + step * self.draw.below((high - low) / step + 1));
            self.numbers.push((name, number));
            out.push_str(&number.to_string());
        } else if name == "mention" {
            match self.friend {
                Some(friend) => {
                    out.push('@');
                    out.push_str(friend.handle);
                }
                None => out.push_str(in_script(("صحابي", "my friends"), self.script)),
            }
        } else {
            out.push_str(self.filler(name));
        }
    }

    fn filler(&mut self, name: &'static str) -> &'static str {
        if let Some((_, word)) = self.chosen.iter().find(|(known, _)| *known == name) {
            return word;
        }
        let mut word = self.choose(name);
        // `{dish2}` must differ from `{dish}`; a few draws are enough.
        for _ in 0..8 {
            if !self.chosen.iter().any(|(_, known)| *known == word) {
                break;
            }
            word = self.choose(name);
        }
        self.chosen.push((name, word));
        word
    }

    fn choose(&mut self, name: &'static str) -> &'static str {
        let Writer { home, area, .. } = self.writer;
        match name.trim_end_matches('2') {
            "gov" => in_script(home.city, self.script),
            "area" => home.areas.get(area).map_or("", |&area| in_script(area, self.script)),
            "spot" => {
                // Somewhere else than home.
                let away = area + 1 + self.draw.below(home.areas.len().saturating_sub(1));
                let place = away.checked_rem(home.areas.len()).and_then(|index| home.areas.get(index));
                place.map_or("", |&place| in_script(place, self.script))
            }
            "mname" => self.name(names::MEN),
            "fname" => self.name(names::WOMEN),
            "surname" => self.name(names::SURNAMES),
            "market" if home.is_greater_cairo() => self.pick_slot("market-cairo"),
            "market" if home.is_alexandria() => self.pick_slot("market-alexandria"),
            "tag" => self.hashtag(),
            plain => self.pick_slot(plain),
        }
    }

    fn name(&mut self, list: &[Both]) -> &'static str {
        self.draw.pick(list).map_or("", |&both| in_script(both, self.script))
    }

    fn pick_slot(&mut self, name: &str) -> &'static str {
        let Some(slot) = slot(name) else { return "" };
        let fillers = slot.fillers(self.script);
        match slot.own {
            Some(trait_number) => {
                let index = usize::try_from((self.writer.traits >> (trait_number * 8)) & 0xff).unwrap_or(0);
                index.checked_rem(fillers.len()).and_then(|index| fillers.get(index)).copied().unwrap_or_default()
            }
            None => self.draw.word(fillers),
        }
    }
}

/// Splits a text at its first sign: what is before, the opening bracket, what is inside, what is after.
fn next_sign(text: &'static str) -> Option<(&'static str, char, &'static str, &'static str)> {
    let start = text.find(['{', '<', '['])?;
    let (plain, tail) = text.split_at(start);
    let (sign, close) = match tail.chars().next()? {
        '{' => ('{', '}'),
        '<' => ('<', '>'),
        _ => ('[', ']'),
    };
    let (inside, after) = tail.get(1..)?.split_once(close)?;
    Some((plain, sign, inside, after))
}

fn by_gender(forms: &'static str, gender: Gender) -> &'static str {
    let (male, female) = forms.split_once('|').unwrap_or((forms, forms));
    if gender == Gender::Male { male } else { female }
}

/// Reads `low-high` or `low-high:step`.
fn range(text: &str) -> Option<(usize, usize, usize)> {
    let (low, high) = text.split_once('-')?;
    let (high, step) = high.split_once(':').unwrap_or((high, "1"));
    let (low, high, step) = (low.parse().ok()?, high.parse().ok()?, step.parse().ok()?);
    (low <= high && step > 0).then_some((low, high, step))
}

fn is_emoji(letter: char) -> bool {
    matches!(letter, '\u{2600}'..='\u{27bf}' | '\u{1f300}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::super::super::draw::Stream;
    use super::super::super::places::GOVERNORATES;
    use super::super::{Catalogue, PostKind, Purpose, for_anybody, of_interest, remarks};
    use super::*;

    const PURPOSES: [Purpose; 6] =
        [Purpose::Mood, Purpose::Topic, Purpose::Call, Purpose::Thanks, Purpose::Details, Purpose::Agrees];
    const KINDS: [PostKind; 12] = [
        PostKind::Say,
        PostKind::Joy,
        PostKind::Vent,
        PostKind::Ask,
        PostKind::Poll,
        PostKind::Invite,
        PostKind::Tip,
        PostKind::Joke,
        PostKind::Promo,
        PostKind::Lost,
        PostKind::Verse,
        PostKind::Show,
    ];

    /// Calls `check` with pages of men and women of several towns.
    fn pages(mut check: impl FnMut(&dyn Fn() -> Page<'static>, Gender)) {
        let mut draw = Draw::new(5, Stream::People);
        for round in 0..6_usize {
            let quirks: &'static Quirks = Box::leak(Box::new(Quirks::draw(&mut draw)));
            let gender = if round % 2 == 0 { Gender::Male } else { Gender::Female };
            let home = &GOVERNORATES[round * 3 % GOVERNORATES.len()];
            let writer = Writer { gender, quirks, home, area: round % home.areas.len(), traits: 0x0102_0304 << round };
            let friend = Friend { gender, handle: "mona.adel" };
            check(&|| Page::new(writer, Some(friend), Topic::Food, Draw::new(round as u64, Stream::Posts)), gender);
        }
    }

    fn no_signs_left(text: &str, source: &str) {
        assert!(!text.contains(['{', '}', '<', '>', '[', ']', '|']), "{source} gives {text}");
        assert!(!text.contains("  ") && !text.contains(" ،") && !text.is_empty(), "{source} gives {text:?}");
    }

    #[test]
    fn every_line_can_be_read_for_everybody() {
        let catalogue = Catalogue::new();
        pages(|page, _| {
            for (_, line) in catalogue.lines() {
                no_signs_left(&page().post(line), line.text);
            }
            for topic in Topic::all() {
                for kind in KINDS {
                    for remark in PURPOSES.into_iter().flat_map(|purpose| remarks(purpose, kind, topic)) {
                        no_signs_left(&page().comment(remark), remark.text);
                    }
                }
                for script in Script::ALL {
                    no_signs_left(&page().plain(script, of_interest(topic, script)), of_interest(topic, script));
                    for text in for_anybody(script) {
                        no_signs_left(&page().plain(script, text), text);
                    }
                }
            }
        });
    }

    #[test]
    fn every_hole_has_a_filler() {
        let catalogue = Catalogue::new();
        pages(|page, _| {
            for (_, line) in catalogue.lines() {
                for hole in line.text.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                    if !hole.contains('|') {
                        for script in Script::ALL {
                            let mut page = page();
                            page.script = script;
                            let mut out = String::new();
                            page.hole(hole, &mut out);
                            assert!(!out.is_empty(), "{{{hole}}} in {}", line.text);
                        }
                    }
                }
            }
        });
    }

    #[test]
    fn there_is_enough_to_say() {
        let catalogue = Catalogue::new();
        let texts: std::collections::HashSet<&str> = catalogue.lines().map(|(_, line)| line.text).collect();
        assert_eq!(texts.len(), catalogue.len(), "a line is written twice");
        assert!(texts.len() >= 800, "{}", texts.len());
        let mut said = std::collections::HashSet::new();
        for topic in Topic::all() {
            for kind in KINDS {
                said.extend(PURPOSES.into_iter().flat_map(|purpose| remarks(purpose, kind, topic)).map(|it| it.text));
                assert!(remarks(Purpose::Mood, kind, topic).len() >= 10, "{kind:?}");
            }
            for script in Script::ALL {
                let lines = catalogue.numbers(Catalogue::cell(topic, script)).len();
                assert!(lines >= 3, "{topic:?} in {script:?}: {lines}");
            }
        }
        assert!(said.len() >= 300, "{}", said.len());
    }

    #[test]
    fn gender_is_respected() {
        pages(|page, gender| {
            let male = gender == Gender::Male;
            let text = page().plain(Script::Masry, "أنا {تعبان|تعبانة} و<تعالى|تعالي>");
            assert_eq!(text, if male { "أنا تعبان وتعالى" } else { "أنا تعبانة وتعالي" });
        });
    }

    #[test]
    fn a_slot_is_remembered_and_its_second_differs() {
        pages(|page, _| {
            let text = page().plain(Script::Masry, "{dish}={dish}={dish2}={3-9}={3-9}");
            let parts: Vec<&str> = text.split('=').collect();
            assert_eq!(parts[0], parts[1]);
            assert_ne!(parts[0], parts[2]);
            assert_eq!(parts[3], parts[4]);
            assert!((3..=9).contains(&parts[3].parse::<u32>().unwrap()));
        });
        assert_eq!(range("50-200:25"), Some((50, 200, 25)));
        assert_eq!([range("9-3"), range("3-9:0"), range("dish"), range("3-x")], [None; 4]);
    }
}
