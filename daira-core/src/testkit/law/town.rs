//! A random world as plain lists, and its way into a store.

use core::fmt::Write as _;
use core::time::Duration;

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::account::{Account, AccountState, Profile};
use crate::comment::Comment;
use crate::graph::{Block, Circle, Follow};
use crate::id::{CommentId, Id, PostId, ProfileId};
use crate::port::Ports;
use crate::post::{Post, ReplyRule, Visibility};
use crate::staff::{Takedown, Target};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person, Writing, put_profile};

/// What can be seen or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    /// A person's face.
    Profile(ProfileId),
    /// A post.
    Post(PostId),
    /// A comment.
    Comment(CommentId),
}

/// A random world. Lists are in the order in which things were made.
#[derive(Debug, Clone)]
pub struct Town {
    /// The seed and the number of the town.
    pub origin: (u64, u64),
    /// The people behind the faces.
    pub accounts: Vec<Account>,
    /// Their faces.
    pub profiles: Vec<Profile>,
    /// Who follows whom.
    pub follows: Vec<Follow>,
    /// Who shut out whom.
    pub blocks: Vec<Block>,
    /// Circles with their members.
    pub circles: Vec<(Circle, Vec<ProfileId>)>,
    /// Posts.
    pub posts: Vec<Post>,
    /// Comments.
    pub comments: Vec<Comment>,
    /// What staff took down of posts and comments.
    pub takedowns: Vec<Takedown>,
}

const PEOPLE: usize = 14;
const POSTS_EACH: usize = 8;
const COMMENTS: usize = 120;

impl Town {
    /// Draws the town of a seed and a number; ids and times come from the ports, so that any adapter can take them.
    pub fn draw(seed: u64, number: u64, ports: &Ports) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let fixture = Fixture::new(ports.clone());
        let mut town = Self {
            origin: (seed, number),
            accounts: Vec::new(),
            profiles: Vec::new(),
            follows: Vec::new(),
            blocks: Vec::new(),
            circles: Vec::new(),
            posts: Vec::new(),
            comments: Vec::new(),
            takedowns: Vec::new(),
        };
        town.draw_people(&mut rng, &fixture);
        town.draw_edges(&mut rng, &fixture);
        town.draw_posts(&mut rng, &fixture);
        town.draw_comments(&mut rng, &fixture);
        town.draw_takedowns(&mut rng, &fixture);
        town
    }

    fn draw_people(&mut self, rng: &mut ChaCha8Rng, fixture: &Fixture) {
        let until = fixture.now() + Duration::from_hours(1);
        for n in 0..PEOPLE {
            let state = match rng.random_range(0..11) {
                0 => AccountState::Deactivated,
                1 => AccountState::Suspended(until),
                2 => AccountState::Deleted,
                3 => AccountState::Restricted,
                4 => AccountState::Banned,
                _ => AccountState::Active,
            };
            let (seed, number) = self.origin;
            let draft = Draft::new(format!("p{n}.{number}.{}", seed % 1_000_000)).state(state);
            let account = fixture.account(&draft);
            // The first two people have masks in every town; of the others some have.
            let masked = n < 2 || rng.random_bool(0.3);
            for face in 0..=usize::from(masked) {
                let draft = Draft::new(format!("p{n}{}.{number}.{}", ["", "m"][face], seed % 1_000_000)).state(state);
                let draft = if rng.random_bool(0.35) { draft.private() } else { draft };
                self.profiles.push(fixture.face(&draft, account.id));
            }
            self.accounts.push(account);
        }
    }

    fn draw_edges(&mut self, rng: &mut ChaCha8Rng, fixture: &Fixture) {
        for one in &self.profiles {
            for other in self.profiles.iter().filter(|other| other.account != one.account) {
                if rng.random_bool(0.3) {
                    self.follows.push(Follow { follower: one.id, followee: other.id, at: fixture.tick() });
                }
                if rng.random_bool(0.07) {
                    let (blocker, blocked, at) = (one.id, other.id, fixture.tick());
                    self.blocks.push(Block { blocker, blocked, blocked_account: other.account, at });
                }
            }
            for n in 0..rng.random_range(1..=2) {
                let (name, created_at) = (format!("دايرة {n}"), fixture.tick());
                let circle = Circle { id: fixture.draw(), owner: one.id, name, created_at, version: 1 };
                let others = self.profiles.iter().filter(|other| other.id != one.id);
                let members = others.filter(|_| rng.random_bool(0.25)).map(|other| other.id).collect();
                self.circles.push((circle, members));
            }
        }
    }

    fn draw_posts(&mut self, rng: &mut ChaCha8Rng, fixture: &Fixture) {
        const RULES: [ReplyRule; 5] =
            [ReplyRule::Everyone, ReplyRule::Followers, ReplyRule::Following, ReplyRule::Mentioned, ReplyRule::Nobody];
        for author in &self.profiles {
            let circles: Vec<_> =
                self.circles.iter().filter(|(c, _)| c.owner == author.id).map(|(c, _)| c.id).collect();
            for n in 0..POSTS_EACH {
                let visibility = match n % 6 {
                    0 => Visibility::Public,
                    1 => Visibility::Followers,
                    2 => Visibility::Circle(*circles.choose(rng).unwrap()),
                    3 => Visibility::Mentioned,
                    4 => Visibility::Unlisted,
                    _ => Visibility::Private,
                };
                let mut writing = Writing::new("كلام").visible(visibility).replies(*RULES.choose(rng).unwrap());
                for other in self.profiles.iter().filter(|other| other.id != author.id) {
                    if rng.random_bool(0.2) {
                        writing = writing.mention(&person(other));
                    }
                }
                let mut post = fixture.written(&person(author), writing);
                post.deleted_at = rng.random_bool(0.1).then(|| fixture.tick());
                self.posts.push(post);
            }
        }
    }

    fn draw_comments(&mut self, rng: &mut ChaCha8Rng, fixture: &Fixture) {
        for _ in 0..COMMENTS {
            let author = person(self.profiles.choose(rng).unwrap());
            let post = self.posts.choose(rng).unwrap();
            let under: Vec<&Comment> = self.comments.iter().filter(|c| c.post == post.id && c.depth < 10).collect();
            let parent = under.choose(rng).copied().filter(|_| rng.random_bool(0.5));
            let mut comment = fixture.said(&author, post, parent, "رد");
            comment.deleted_at = rng.random_bool(0.15).then(|| fixture.tick());
            self.comments.push(comment);
        }
    }

    fn draw_takedowns(&mut self, rng: &mut ChaCha8Rng, fixture: &Fixture) {
        let posts = self.posts.iter().map(|post| (Target::Post(post.id), post.author));
        let comments = self.comments.iter().map(|comment| (Target::Comment(comment.id), comment.author));
        for (target, owner) in posts.chain(comments) {
            if rng.random_bool(0.1) {
                self.takedowns.push(fixture.takedown(target, owner));
            }
        }
    }

    /// Puts all of it into the store of some ports, in one unit of the platform's own, and delivers the posts.
    pub async fn load(&self, ports: &Ports) {
        let load = ports.transact(&PLATFORM, |mut unit| {
            Box::pin(async move {
                for account in &self.accounts {
                    unit.accounts().insert_account(account, "$none$").await?;
                }
                for profile in &self.profiles {
                    put_profile(&mut *unit, profile).await?;
                }
                for follow in &self.follows {
                    unit.graph().insert_follow(follow).await?;
                }
                for block in &self.blocks {
                    unit.graph().insert_block(block).await?;
                }
                for (circle, members) in &self.circles {
                    unit.graph().insert_circle(circle).await?;
                    for member in members {
                        unit.graph().insert_circle_member(circle.id, *member, circle.created_at).await?;
                    }
                }
                for post in &self.posts {
                    unit.posts().insert(post).await?;
                }
                for comment in &self.comments {
                    unit.comments().insert(comment).await?;
                }
                for takedown in &self.takedowns {
                    unit.staff().take_down(takedown).await?;
                }
                let at = ports.clock.now();
                for post in &self.posts {
                    let mut from = None;
                    while let Some(next) = unit.feed().deliver(post.id, from, u32::MAX, at).await?.next {
                        from = Some(next);
                    }
                }
                Ok(())
            })
        });
        load.await.unwrap();
    }

    /// Who can look: nobody in particular, and every face whose account can be logged in to.
    pub fn viewers(&self) -> Vec<Option<ProfileId>> {
        let living = |p: &&Profile| {
            let state = self.accounts.iter().find(|a| a.id == p.account).map(|a| a.state);
            matches!(state, Some(AccountState::Active | AccountState::Restricted))
        };
        core::iter::once(None).chain(self.profiles.iter().filter(living).map(|p| Some(p.id))).collect()
    }

    /// Everything there is to see.
    pub fn things(&self) -> impl Iterator<Item = Thing> {
        let profiles = self.profiles.iter().map(|p| Thing::Profile(p.id));
        let posts = self.posts.iter().map(|p| Thing::Post(p.id));
        profiles.chain(posts).chain(self.comments.iter().map(|c| Thing::Comment(c.id)))
    }

    /// Whether staff took something down.
    pub(super) fn is_down(&self, target: Target) -> bool {
        self.takedowns.iter().any(|takedown| takedown.target == target)
    }

    pub(super) fn profile(&self, id: ProfileId) -> &Profile {
        self.profiles.iter().find(|p| p.id == id).unwrap()
    }

    pub(super) fn post(&self, id: PostId) -> &Post {
        let at = self.posts.binary_search_by_key(&id, |p| p.id).unwrap();
        &self.posts[at]
    }

    pub(super) fn comment(&self, id: CommentId) -> &Comment {
        let at = self.comments.binary_search_by_key(&id, |c| c.id).unwrap();
        &self.comments[at]
    }

    /// All that bears on a viewer and a thing, in words.
    pub(super) fn explain(&self, viewer: Option<ProfileId>, thing: Thing) -> String {
        let mut text = format!("town {:?}, viewer {viewer:?}, {thing:?}\n", self.origin);
        let author = match thing {
            Thing::Profile(id) => id,
            Thing::Post(id) => self.post(id).author,
            Thing::Comment(id) => self.comment(id).author,
        };
        let post = match thing {
            Thing::Post(id) => Some(self.post(id)),
            Thing::Comment(id) => Some(self.post(self.comment(id).post)),
            Thing::Profile(_) => None,
        };
        let people = [viewer, Some(author), post.map(|p| p.author)];
        for id in people.into_iter().flatten() {
            let face = self.profile(id);
            let state = self.accounts.iter().find(|a| a.id == face.account).map(|a| a.state);
            let _ = writeln!(text, "  {id}: account {}, private {}, {state:?}", face.account, face.private);
        }
        if let Some(post) = post {
            let _ = writeln!(text, "  {post:?}");
        }
        if let Thing::Comment(id) = thing {
            let _ = writeln!(text, "  {:?}", self.comment(id));
        }
        for takedown in &self.takedowns {
            if Some(takedown.target) == post.map(|p| Target::Post(p.id)) {
                let _ = writeln!(text, "  {:?} was taken down", takedown.target);
            }
        }
        let concerns = |id: &ProfileId| people.contains(&Some(*id));
        for follow in self.follows.iter().filter(|f| concerns(&f.follower) && concerns(&f.followee)) {
            let _ = writeln!(text, "  {} follows {}", follow.follower, follow.followee);
        }
        for block in self.blocks.iter().filter(|b| concerns(&b.blocker)) {
            let _ = writeln!(text, "  {} blocks {} of {}", block.blocker, block.blocked, block.blocked_account);
        }
        for (circle, members) in self.circles.iter().filter(|(_, m)| viewer.is_some_and(|v| m.contains(&v))) {
            let _ = writeln!(text, "  the viewer is in {} of {} ({} members)", circle.id, circle.owner, members.len());
        }
        text
    }
}

/// A face as the fixture knows people.
fn person(profile: &Profile) -> Person {
    let session = crate::id::SessionId::from_raw(0);
    Person { account: profile.account, id: profile.id, session, profile: profile.clone() }
}
