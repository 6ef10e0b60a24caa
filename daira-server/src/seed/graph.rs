//! Who follows whom: a directed graph with hubs, communities and mutual friends.
//!
//! In: the community of every person and the seed. Out: [`Graph`], both directions of every edge in compressed rows
//! (4 bytes an edge and direction).
//!
//! Shape. Out-degrees follow a Pareto law of exponent 2 (`minimum / sqrt(1 - u)`), cut at a third of the population.
//! Every follow is one of three: inside the own community (about two in five, some of them answered by a follow back),
//! a friend of a friend (closing triangles), or anyone, drawn by a Zipf popularity that gives a few people most of the
//! attention.

use std::collections::HashSet;

use super::draw::{Draw, Stream, Weighted, short, wide};

/// The edges of one direction: row `i` holds the neighbours of person `i`, ascending.
#[derive(Debug, Clone, Default)]
struct Rows {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Rows {
    fn new(lists: &[Vec<u32>]) -> Self {
        let mut rows = Self { starts: vec![0], items: Vec::with_capacity(lists.iter().map(Vec::len).sum()) };
        for list in lists {
            rows.items.extend(list);
            rows.starts.push(short(rows.items.len()));
        }
        rows
    }

    fn row(&self, index: u32) -> &[u32] {
        let edge = |at: usize| self.starts.get(at).map_or(0, |&start| wide(start));
        self.items.get(edge(wide(index))..edge(wide(index) + 1)).unwrap_or_default()
    }
}

/// The follow graph of a world.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    following: Rows,
    followers: Rows,
}

impl Graph {
    /// Draws the graph of `communities.len()` people; `communities[i]` is the community of person `i`, and
    /// `popularity[i]` their share of the attention of strangers.
    pub(crate) fn draw(communities: &[u32], popularity: &[usize], seed: u64) -> Self {
        let mut draw = Draw::new(seed, Stream::Graph);
        let circles = Circles::new(communities, popularity);
        let mut sketch = Sketch::new(communities.len(), &mut draw);
        let mut order: Vec<u32> = (0..short(communities.len())).collect();
        draw.shuffle(&mut order);
        for &person in &order {
            // Small worlds run out of strangers: the attempts are bounded, so a budget may stay unspent.
            for _ in 0..sketch.budget(person) * 4 {
                if sketch.is_full(person) {
                    break;
                }
                let roll = draw.below(100);
                if roll < 44 {
                    let neighbour = circles.neighbour(person, &mut draw);
                    if sketch.follow(person, neighbour) && draw.percent(20) && !sketch.is_full(neighbour) {
                        sketch.follow(neighbour, person);
                    }
                } else if roll < 58 {
                    if let Some(friend) = sketch.friend_of_friend(person, &mut draw) {
                        sketch.follow(person, friend);
                    }
                } else {
                    sketch.follow(person, circles.anyone(&mut draw));
                }
            }
        }
        sketch.finish()
    }

    /// Whom `person` follows, ascending.
    pub fn following(&self, person: u32) -> &[u32] {
        self.following.row(person)
    }

    /// Who follows `person`, ascending.
    pub fn followers(&self, person: u32) -> &[u32] {
        self.followers.row(person)
    }

    /// True when `follower` follows `followee`.
    pub fn follows(&self, follower: u32, followee: u32) -> bool {
        self.following(follower).binary_search(&followee).is_ok()
    }

    /// Every `(follower, followee)` pair, ordered.
    pub fn edges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let people = short(self.following.starts.len().saturating_sub(1));
        (0..people).flat_map(|person| self.following(person).iter().map(move |&followee| (person, followee)))
    }

    /// How many follows there are.
    pub fn len(&self) -> usize {
        self.following.items.len()
    }

    /// True when nobody follows anybody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How many people somebody follows on average, in a world of `people`: 85 of a thousand, 130 of ten thousand.
fn mean_following(people: usize) -> usize {
    if people <= 1_000 { people * 85 / 1_000 + 5 } else { (90 + (people - 1_000) / 300).min(250) }
}

/// The urns that followees are drawn from.
struct Circles<'a> {
    communities: &'a [u32],
    members: Vec<Vec<u32>>,
    inside: Vec<Weighted>,
    world: Weighted,
}

impl<'a> Circles<'a> {
    fn new(communities: &'a [u32], popularity: &[usize]) -> Self {
        let count = communities.iter().max().map_or(0, |&last| wide(last) + 1);
        let mut members = vec![Vec::new(); count];
        let mut weights = vec![Vec::new(); count];
        for ((person, &community), &weight) in (0..).zip(communities).zip(popularity) {
            if let (Some(list), Some(row)) = (members.get_mut(wide(community)), weights.get_mut(wide(community))) {
                list.push(person);
                // Among neighbours fame counts for less than among strangers.
                row.push(weight.isqrt());
            }
        }
        let inside = weights.into_iter().map(Weighted::new).collect();
        Self { communities, members, inside, world: Weighted::new(popularity.iter().copied()) }
    }

    fn neighbour(&self, person: u32, draw: &mut Draw) -> u32 {
        let community = self.communities.get(wide(person)).map_or(0, |&community| wide(community));
        let index = self.inside.get(community).map_or(0, |urn| urn.draw(draw));
        self.members.get(community).and_then(|list| list.get(index)).copied().unwrap_or(person)
    }

    fn anyone(&self, draw: &mut Draw) -> u32 {
        short(self.world.draw(draw))
    }
}

/// The graph while it grows.
struct Sketch {
    budgets: Vec<u32>,
    out: Vec<Vec<u32>>,
    seen: HashSet<(u32, u32)>,
}

impl Sketch {
    fn new(people: usize, draw: &mut Draw) -> Self {
        let cap = f64::from(short(people / 3));
        // The mean of the uncut law is twice its minimum; the cut and the cap take a little of it.
        let minimum = f64::from(short(mean_following(people))) * 0.56;
        let budgets = (0..people).map(|_| whole((minimum / (1.0 - draw.unit()).sqrt()).min(cap))).collect();
        Self { budgets, out: vec![Vec::new(); people], seen: HashSet::new() }
    }

    fn budget(&self, person: u32) -> u32 {
        self.budgets.get(wide(person)).copied().unwrap_or(0)
    }

    fn list(&self, person: u32) -> &[u32] {
        self.out.get(wide(person)).map_or(&[], Vec::as_slice)
    }

    fn is_full(&self, person: u32) -> bool {
        self.list(person).len() >= wide(self.budget(person))
    }

    /// Adds the edge, unless it is there already or leads back to its start.
    fn follow(&mut self, follower: u32, followee: u32) -> bool {
        if follower == followee || !self.seen.insert((follower, followee)) {
            return false;
        }
        if let Some(list) = self.out.get_mut(wide(follower)) {
            list.push(followee);
        }
        true
    }

    fn friend_of_friend(&self, person: u32, draw: &mut Draw) -> Option<u32> {
        let friend = *draw.pick(self.list(person))?;
        draw.pick(self.list(friend)).copied()
    }

    fn finish(mut self) -> Graph {
        let mut back = vec![Vec::new(); self.out.len()];
        for (follower, list) in (0..).zip(&mut self.out) {
            list.sort_unstable();
            for &followee in list.iter() {
                if let Some(row) = back.get_mut(wide(followee)) {
                    row.push(follower);
                }
            }
        }
        Graph { following: Rows::new(&self.out), followers: Rows::new(&back) }
    }
}

/// The whole part of a small non-negative number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "out-degrees are small and positive")]
fn whole(number: f64) -> u32 {
    number as u32
}

/// Popularity by a Zipf law over a random ranking: the head takes most, the tail keeps a base.
pub(crate) fn popularity(people: usize, draw: &mut Draw) -> Vec<usize> {
    let mut ranks: Vec<usize> = (0..people).collect();
    draw.shuffle(&mut ranks);
    let base = 2_500_000 / people.max(1);
    ranks.into_iter().map(|rank| 800_000 / (rank + 4).pow(3).isqrt() + base).collect()
}
