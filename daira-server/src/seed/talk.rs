//! What happens under the posts: comments, answers and reactions, drawn post by post.
//!
//! In: the world's people, graph and one planned post. Out: [`Comment`]s and [`Reaction`]s of that post. Nothing is
//! stored: every post has its own stream of randomness, so its talk is the same whenever it is asked for.

use super::draw::{Draw, Stream, short, wide};
use super::graph::Graph;
use super::people::Person;
use super::schedule::{Plan, script_of};
use super::voice::{Friend, Page, PostKind, Purpose, Remark, Script, Topic, remarks};

/// A comment of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its number, from 0, in the order of [`World::comments`](super::World::comments).
    pub index: u32,
    /// The number of the post it stands under.
    pub post: u32,
    /// The number of the comment it answers; a lower number, under the same post.
    pub parent: Option<u32>,
    /// Who wrote it.
    pub author: u32,
    /// When, in seconds before now; later than what it answers.
    pub at: u32,
    /// What it says.
    pub text: String,
}

/// How somebody reacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the five reactions of the product, by their names")]
pub enum ReactionKind {
    Like,
    Love,
    Laugh,
    Sad,
    Angry,
}

/// A reaction to a post; one per person and post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaction {
    /// The number of the post.
    pub post: u32,
    /// Who reacts.
    pub person: u32,
    /// How.
    pub kind: ReactionKind,
    /// When, in seconds before now.
    pub at: u32,
}

/// One post, and all that its talk is drawn from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) people: &'a [Person],
    pub(crate) graph: &'a Graph,
    pub(crate) seed: u64,
    /// The number of the post.
    pub(crate) post: u32,
    pub(crate) plan: Plan,
    pub(crate) topic: Topic,
    pub(crate) kind: PostKind,
    /// A long story or poem: nobody laughs under it.
    pub(crate) solemn: bool,
}

impl<'a> Stage<'a> {
    /// The reactions to the post.
    pub(crate) fn reactions(self) -> Vec<Reaction> {
        let mut draw = Draw::new(self.seed, Stream::Reactions(self.post));
        let people = self.audience(self.heat(&mut draw, 4, 44), &mut draw);
        let react = |person| {
            let kind = reaction(self.kind, &mut draw);
            Reaction { post: self.post, person, kind, at: later(self.plan.before, &mut draw) }
        };
        people.into_iter().map(react).collect()
    }

    /// The comments under the post, every answer after what it answers; numbered from `first`.
    pub(crate) fn comments(self, first: u32) -> Vec<Comment> {
        let mut draw = Draw::new(self.seed, Stream::Comments(self.post));
        let count = self.heat(&mut draw, 1, 7);
        let mut thread = Thread { stage: self, first, used: Vec::new(), comments: Vec::new(), draw };
        for person in self.audience(count, &mut thread.draw) {
            thread.comment(person);
        }
        thread.comments
    }

    /// How many people take part: between a `base` for a quiet post and much more for one whose author is known,
    /// times luck. One post in ten takes off.
    fn heat(&self, draw: &mut Draw, base: usize, fame: usize) -> usize {
        let followers = self.graph.followers(self.plan.author).len();
        let known = (followers * 100 / (self.people.len() / 4 + 1).min(600)).min(100);
        let luck = draw.below(1_000);
        // From 0 for most to 230 percent for the lucky.
        let luck = (25_000 / (luck + 100)).saturating_sub(20);
        let times = (base * 100 + fame * known) * luck;
        (times + draw.below(10_000)) / 10_000
    }

    /// So many different people, mostly followers of the author, never the author.
    fn audience(&self, count: usize, draw: &mut Draw) -> Vec<u32> {
        let followers = self.graph.followers(self.plan.author);
        let mut chosen = Vec::new();
        for _ in 0..count * 2 {
            if chosen.len() == count {
                break;
            }
            let stranger = draw.percent(12);
            let person =
                if stranger { Some(short(draw.below(self.people.len()))) } else { draw.pick(followers).copied() };
            if let Some(person) = person
                && person != self.plan.author
                && !chosen.contains(&person)
            {
                chosen.push(person);
            }
        }
        chosen
    }

    fn person(&self, index: u32) -> Option<&'a Person> {
        self.people.get(wide(index))
    }
}

/// Seconds before now of something that follows something `before` seconds before now: soon mostly, within two days.
fn later(before: u32, draw: &mut Draw) -> u32 {
    let longest = before.min(48 * 3_600);
    let luck = u64::from(short(draw.below(1_000)));
    let delay = u64::from(longest) * luck * luck * luck / 1_000_000_000;
    let delay = u32::try_from(delay).unwrap_or(longest) + 20 + short(draw.below(40));
    before.saturating_sub(delay.min(before))
}

fn reaction(kind: PostKind, draw: &mut Draw) -> ReactionKind {
    // Percent of like, love, laugh and sad; the rest is angry.
    let (like, love, laugh, sad) = match kind {
        PostKind::Joy | PostKind::Show => (48, 48, 4, 0),
        PostKind::Verse => (45, 45, 0, 10),
        PostKind::Joke => (24, 8, 68, 0),
        PostKind::Vent => (40, 4, 34, 16),
        PostKind::Lost => (48, 12, 0, 40),
        PostKind::Say => (52, 34, 12, 2),
        PostKind::Ask | PostKind::Poll | PostKind::Invite | PostKind::Tip | PostKind::Promo => (74, 20, 6, 0),
    };
    match draw.below(100) {
        point if point < like => ReactionKind::Like,
        point if point < like + love => ReactionKind::Love,
        point if point < like + love + laugh => ReactionKind::Laugh,
        point if point < like + love + laugh + sad => ReactionKind::Sad,
        _ => ReactionKind::Angry,
    }
}

/// The comments of one post in the making.
struct Thread<'a> {
    stage: Stage<'a>,
    first: u32,
    /// What has been said under this post.
    used: Vec<&'static str>,
    comments: Vec<Comment>,
    draw: Draw,
}

impl<'a> Thread<'a> {
    /// A comment of `person`, and what follows from it.
    fn comment(&mut self, person: u32) {
        let Some(author) = self.stage.person(self.stage.plan.author) else { return };
        let Some(writer) = self.stage.person(person) else { return };
        let purpose = match self.draw.below(100) {
            0..58 => Purpose::Mood,
            58..88 => Purpose::Topic,
            _ => Purpose::Call,
        };
        let friend = self.draw.pick(self.stage.graph.following(person)).and_then(|&friend| self.stage.person(friend));
        let (purpose, to) = match friend {
            Some(friend) if purpose == Purpose::Call && friend.index != author.index => (purpose, friend),
            _ if purpose == Purpose::Call => (Purpose::Mood, author),
            _ => (purpose, author),
        };
        let same_gender = writer.gender == to.gender;
        let Some(remark) = self.remark(purpose, writer.script, same_gender) else { return };
        let at = later(self.stage.plan.before, &mut self.draw);
        let Some(index) = self.say(writer, to, &remark, None, at) else { return };
        if purpose == Purpose::Call || !self.draw.percent(34) {
            return;
        }
        let asked = remark.text.contains(['؟', '?']);
        let answer = if asked && !matches!(self.stage.kind, PostKind::Joy | PostKind::Joke | PostKind::Vent) {
            Purpose::Details
        } else if matches!(self.stage.kind, PostKind::Joke | PostKind::Vent | PostKind::Poll)
            || remark.laughs() && self.stage.kind == PostKind::Say
        {
            Purpose::Agrees
        } else {
            Purpose::Thanks
        };
        // People answer in the script they were spoken to in.
        if let Some(remark) = self.remark(answer, remark.script, same_gender) {
            let at = later(at, &mut self.draw);
            self.say(author, writer, &remark, Some(index), at);
        }
    }

    /// Something that fits and has not been said under this post, in the writer's script or one they also use.
    fn remark(&mut self, purpose: Purpose, main: Script, same_gender: bool) -> Option<Remark> {
        let Stage { kind, topic, solemn, .. } = self.stage;
        let script = script_of(main, &mut self.draw);
        let purposes: &[Purpose] =
            if purpose == Purpose::Topic { &[Purpose::Topic, Purpose::Mood] } else { &[purpose] };
        for purpose in purposes {
            let fresh: Vec<&Remark> = remarks(*purpose, kind, topic)
                .iter()
                .filter(|remark| remark.script == script && remark.fits(kind, same_gender))
                .filter(|remark| !(solemn && remark.laughs() || self.used.contains(&remark.text)))
                .collect();
            if let Some(remark) = self.draw.pick(&fresh) {
                return Some(**remark);
            }
        }
        None
    }

    fn say(
        &mut self,
        writer: &'a Person,
        to: &'a Person,
        remark: &Remark,
        parent: Option<u32>,
        at: u32,
    ) -> Option<u32> {
        let friend = Friend { gender: to.gender, handle: &to.handle };
        let wording = Draw::new(u64::from(writer.index) ^ self.stage.seed, Stream::Comments(self.stage.post));
        let text = Page::new(writer.writer(), Some(friend), self.stage.topic, wording).comment(remark);
        self.used.push(remark.text);
        let index = self.first.checked_add(short(self.comments.len()))?;
        self.comments.push(Comment { index, post: self.stage.post, parent, author: writer.index, at, text });
        Some(index)
    }
}
