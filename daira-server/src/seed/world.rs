//! The demo world as plain data: people, follows, posts, comments and reactions, without any id of the platform.
//!
//! In: [`WorldOptions`]. Out: [`World`], from which everything is read as iterators. What is stored is compact (the
//! people, 8 bytes a follow, 12 bytes a post); texts, comments and reactions are worded when they are asked for, and
//! come out the same every time.

use super::draw::{Draw, Stream, short, wide};
use super::graph::Graph;
use super::people::{self, Person};
use super::schedule::{self, Plan};
use super::talk::{Comment, Reaction, Stage};
use super::voice::{Catalogue, Friend, Line, Page, PostKind, Script, Topic};

/// What kind of world is wanted. The same options give the same world, on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorldOptions {
    /// How many people. A thousand follow 95 others each on average, ten thousand 130.
    pub people: u32,
    /// How many posts, over the last eight days.
    pub posts: u32,
    /// Where all choices come from.
    pub seed: u64,
}

/// A post of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its number, from 0; the oldest post comes first.
    pub index: u32,
    /// Who wrote it.
    pub author: u32,
    /// When, in seconds before now.
    pub at: u32,
    /// What it is for.
    pub kind: PostKind,
    /// What it is about.
    pub topic: Topic,
    /// How it is written.
    pub script: Script,
    /// The number of the line it was made from: two posts of one line are alike.
    pub line: u16,
    /// What it says.
    pub text: String,
}

/// A planned world.
#[derive(Debug)]
pub struct World {
    seed: u64,
    people: Vec<Person>,
    graph: Graph,
    catalogue: Catalogue,
    plans: Vec<Plan>,
}

impl World {
    /// The time of day in Cairo, in seconds after midnight, that the world calls "now": 22:30.
    ///
    /// Who brings the world into a store and wants mornings to be mornings counts back from the last 22:30 in Cairo;
    /// who wants the newest post to be new counts back from the present moment.
    pub const NOW_OF_DAY: u32 = schedule::NOW_OF_DAY;

    /// Plans a world: a few seconds for ten thousand people and two hundred thousand posts.
    pub fn plan(options: &WorldOptions) -> Self {
        let people = people::draw(wide(options.people), options.seed);
        let communities: Vec<u32> = people.iter().map(|person| person.community).collect();
        let popularity: Vec<usize> = people.iter().map(|person| person.popularity).collect();
        let graph = Graph::draw(&communities, &popularity, options.seed);
        let catalogue = Catalogue::new();
        let plans = schedule::draw(&people, &graph, &catalogue, wide(options.posts), options.seed);
        Self { seed: options.seed, people, graph, catalogue, plans }
    }

    /// Everybody, by number.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Who follows whom.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// All `(follower, followee)` pairs, ordered; nobody follows themselves, no pair comes twice.
    pub fn follows(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.graph.edges()
    }

    /// How many posts there are.
    pub fn post_count(&self) -> usize {
        self.plans.len()
    }

    /// All posts, oldest first.
    pub fn posts(&self) -> impl Iterator<Item = Post> + '_ {
        (0..).zip(&self.plans).filter_map(|(index, plan)| self.word(index, *plan))
    }

    /// All comments, post by post; what is answered comes before its answer.
    pub fn comments(&self) -> impl Iterator<Item = Comment> + '_ {
        let mut first = 0;
        self.stages().flat_map(move |stage| {
            let comments = stage.comments(first);
            first += short(comments.len());
            comments
        })
    }

    /// All reactions, post by post; one per person and post.
    pub fn reactions(&self) -> impl Iterator<Item = Reaction> + '_ {
        self.stages().flat_map(Stage::reactions)
    }

    fn stages(&self) -> impl Iterator<Item = Stage<'_>> {
        (0..).zip(&self.plans).filter_map(|(post, &plan)| {
            let (topic, line) = self.catalogue.line(plan.line)?;
            let (people, graph, seed) = (self.people.as_slice(), &self.graph, self.seed);
            Some(Stage { people, graph, seed, post, plan, topic, kind: line.kind, solemn: line.is_solemn() })
        })
    }

    fn word(&self, index: u32, plan: Plan) -> Option<Post> {
        let (topic, line): (Topic, &Line) = self.catalogue.line(plan.line)?;
        let author = self.people.get(wide(plan.author))?;
        let mut draw = Draw::new(self.seed, Stream::Text(index));
        let friend = draw.pick(self.graph.following(plan.author)).and_then(|&friend| self.people.get(wide(friend)));
        let friend = friend.map(|friend| Friend { gender: friend.gender, handle: &friend.handle });
        let text = Page::new(author.writer(), friend, topic, draw).post(line);
        let Plan { author, before, line: number } = plan;
        Some(Post { index, author, at: before, kind: line.kind, topic, script: line.script, line: number, text })
    }
}
