//! What the guards in front of every request cost, in one process: a token seen for the first time and again, a limit, a decision
//! of the policy, and a password beside them: `cargo run --release -p daira-core --all-features --example guards`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daira_core::Ports;
use daira_core::account::{AccountService, Session, Standing};
use daira_core::actor::Member;
use daira_core::credential::{Argon2id, Argon2idCost, JwtSigner, generate_signing_key};
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::memory::RandomIds;
use daira_core::port::{Charge, Claims, Quota, Subject};
use daira_core::post::{Audience, Post, policy};
use daira_core::secret::Secret;
use daira_core::testkit::fixture::Fixture;
use daira_core::time::Timestamp;

/// What something took each time, and the most that it is meant to take.
struct Figure {
    what: &'static str,
    each: Duration,
    goal: Option<Duration>,
}

/// The median over rounds of the mean within one.
fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

async fn timed<F: Future<Output = Result<()>>>(rounds: u32, each: u32, work: impl Fn(u32) -> F) -> Result<Duration> {
    let mut taken = Vec::new();
    for round in 0..rounds {
        let start = Instant::now();
        for n in 0..each {
            work(round * each + n).await?;
        }
        taken.push(start.elapsed() / each);
    }
    Ok(median(taken))
}

/// Somebody who is logged in, and a post.
struct Stage {
    ports: Ports,
    key: Secret,
    member: Member,
    post: Post,
}

impl Stage {
    async fn new() -> Result<Self> {
        let key = generate_signing_key(&RandomIds);
        let mut ports = Ports::in_memory();
        ports.signer = Arc::new(JwtSigner::new("daira", "daira", &key)?);
        let world = Fixture::new(ports.clone());
        let person = world.person("mona").await;
        let (member, now) = (person.member(), ports.clock.now());
        let mut unit = world.unit(&person.actor()).await;
        unit.accounts().insert_session(&session(member, now)).await?;
        unit.commit().await?;
        Ok(Self { post: world.written(&person, "صباح الخير"), ports, key, member })
    }

    /// One of the member's access tokens; each number another.
    fn token(&self, number: u32) -> Result<Secret> {
        let now = Timestamp::from_seconds(self.ports.clock.now().as_seconds());
        let claims = Claims {
            profile: self.member.profile,
            session: self.member.session,
            generation: 1,
            granted: None,
            issued_at: now - Duration::from_secs(u64::from(number % 60)),
            expires_at: now + Duration::from_mins(15) - Duration::from_secs(u64::from(number / 60)),
        };
        Ok(Secret::new(self.ports.signer.sign(&claims)?))
    }
}

fn session(member: Member, now: Timestamp) -> Session {
    Session {
        id: member.session,
        account: member.account,
        profile: member.profile,
        device: String::new(),
        salt: [7; 16],
        generation: 1,
        seen_generation: 0,
        rotated_at: now,
        created_at: now,
        proven_at: now,
        last_used_at: now,
        expires_at: now + Duration::from_hours(24),
        revoked_at: None,
        granted: None,
        place: None,
        known_device: true,
    }
}

async fn measure(rounds: u32, each: u32, cost: Argon2idCost) -> Result<Vec<Figure>> {
    let stage = &Stage::new().await?;
    let few = each.min(500);
    let tokens: &Vec<Secret> = &(0..few).map(|n| stage.token(n)).collect::<Result<_>>()?;
    let micros = |micros| Some(Duration::from_micros(micros));

    let first = timed(rounds, few, async |n| {
        // A node that has seen nothing yet; made with every token, it is in the figure.
        let signer = Arc::new(JwtSigner::new("daira", "daira", &stage.key)?);
        let node = AccountService::new(Ports { signer, ..stage.ports.clone() });
        node.admit(nth(tokens, n)?).await.map(drop)
    });
    let first = Figure { what: "access token, seen for the first time", each: first.await?, goal: micros(250) };

    let node = &AccountService::new(stage.ports.clone());
    node.poll_revocations().await?;
    let again = timed(rounds, each, async |_| node.admit(nth(tokens, 0)?).await.map(drop)).await?;
    let again = Figure { what: "access token, seen before", each: again, goal: micros(2) };

    let quota = Quota::a_minute(u32::MAX);
    let address = IpAddr::from([41, 0, 0, 1]);
    let limit = timed(rounds, each, async |n| {
        let subject = Subject::address(IpAddr::from((u128::from(n % 4_096) << 64).to_be_bytes()));
        let charges = [("address", Subject::address(address)), ("other", subject)];
        let charges = charges.map(|(limit, subject)| Charge { limit, subject, quota, cost: 1, strict: false });
        stage.ports.limiter.admit(&charges).await
    });
    let limit = Figure { what: "two limits in the process", each: limit.await?, goal: micros(2) };

    let post = &stage.post;
    let decide = timed(rounds, each, async |n| {
        let reader = std::hint::black_box(audience(n));
        std::hint::black_box(policy::sees(std::hint::black_box(post), &reader) && policy::may_reply(post, &reader));
        Ok(())
    });
    let decide = Figure { what: "may this reader see and answer this post", each: decide.await?, goal: micros(1) };

    let scheme = &Argon2id::new(cost)?;
    let stored = &scheme.hash(&Secret::new("kahwa sada 3al nil"), [7; 16])?;
    let password = timed(rounds, 1, async |_| scheme.verify(&Secret::new("shai"), Some(stored)).map(drop)).await?;
    let password = Figure { what: "password, Argon2id alone", each: password, goal: None };
    Ok(vec![first, again, limit, decide, password])
}

fn nth(tokens: &[Secret], n: u32) -> Result<&Secret> {
    let at = usize::try_from(n).unwrap_or_default() % tokens.len().max(1);
    tokens.get(at).ok_or_else(|| Error::new(ErrorKind::Internal, "guards.token"))
}

fn audience(n: u32) -> Audience {
    Audience {
        is_author: false,
        standing: Standing::Live,
        private: n & 1 == 1,
        follows: n & 2 == 2,
        followed_by: n & 4 == 4,
        in_circle: false,
        mentioned: n & 8 == 8,
        blocked: n & 16 == 16,
        taken_down: false,
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    for Figure { what, each, goal } in measure(7, 20_000, Argon2idCost::default()).await? {
        let goal = goal.map_or_else(String::new, |goal| format!("(at most {goal:?})"));
        println!("{what:<45} {each:>12.3?} {goal}");
    }
    Ok(())
}

#[tokio::test]
async fn runs() {
    let figures = measure(2, 50, Argon2idCost { memory_kib: 64, passes: 1, lanes: 1 }).await.unwrap();
    assert_eq!(figures.len(), 5);
}
