//! kill -9 of server, worker and PostgreSQL while people post: whatever was acknowledged is there, once, in every follower's
//! feed, and the counters say what the rows say.
//!
//! `cargo xtask chaos --rounds N` runs this test with more rounds than the one of the suite.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::PgConnection;
use tokio::task::JoinSet;

use super::client::{Client, Person};
use super::platform::{PATIENCE, Platform};

/// How many people take part. The first is followed by all others and, with the threshold below, looked up; the next two
/// are followed by fewer, and delivered.
const PEOPLE: usize = 8;
const PULL_THRESHOLD: &str = "7";
/// How many acknowledgements must come after a blow before the next one falls.
const BETWEEN_BLOWS: usize = 40;

/// Everything that was acknowledged.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Texts by author.
    posts: Vec<(usize, String)>,
    ids: Vec<String>,
    reactions: usize,
    comments: usize,
}

impl Acknowledged {
    fn all(&self) -> usize {
        self.posts.len() + self.reactions + self.comments
    }
}

/// The people, what they got acknowledged, and who still posts.
struct Load {
    people: Vec<Person>,
    client: Client,
    said: Mutex<Acknowledged>,
    stop: AtomicBool,
    /// How often a program gave up by itself and was started again.
    restarted: AtomicUsize,
}

impl Load {
    fn acknowledged(&self) -> usize {
        self.said.lock().unwrap().all()
    }

    /// One person posts, reacts and comments until told to stop; each request is repeated until it is acknowledged.
    async fn person(self: Arc<Self>, who: usize, round: usize) {
        let me = self.people[who].clone();
        for number in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let text = format!("{} · الجولة {round} · بوست {number}", me.handle);
            let key = format!("{}-{round}-{number}", me.handle);
            let input = json!({ "text": text, "idempotencyKey": key });
            let made =
                self.client.insist(Some(&me.token), "createPost", "CreatePostInput", &input, "post { id }").await;
            let id = made["post"]["id"].as_str().unwrap().to_owned();
            let target = {
                let mut said = self.said.lock().unwrap();
                said.posts.push((who, text));
                said.ids.push(id);
                // Somebody's, from the middle of what there is: several people meet there.
                said.ids[said.ids.len() / 2].clone()
            };
            let input = json!({ "subjectId": target, "kind": "LOVE" });
            self.client.insist(Some(&me.token), "react", "ReactInput", &input, "clientMutationId").await;
            self.said.lock().unwrap().reactions += 1;
            let input = json!({ "postId": target, "text": "يا سلام", "idempotencyKey": key });
            self.client.insist(Some(&me.token), "comment", "CommentInput", &input, "clientMutationId").await;
            self.said.lock().unwrap().comments += 1;
        }
    }

    /// Whom a person follows: everybody follows the first, and about half of the others.
    fn follows(who: usize) -> impl Iterator<Item = usize> {
        (0..PEOPLE).filter(move |other| *other != who && (*other == 0 || (who + other).is_multiple_of(2)))
    }

    /// What must be in a person's feed: each text with how often.
    fn expected(&self, who: usize) -> BTreeMap<String, usize> {
        let said = self.said.lock().unwrap();
        let read = |author: usize| author == who || Self::follows(who).any(|followed| followed == author);
        said.posts.iter().filter(|(author, _)| read(*author)).map(|(_, text)| (text.clone(), 1)).collect()
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> Result<(), String>) {
    let began = Instant::now();
    loop {
        match holds().await {
            Ok(()) => return,
            Err(why) => assert!(began.elapsed() < PATIENCE, "{what}: {why}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until so much more was acknowledged; answers how long that took.
async fn progress(platform: &mut Platform, load: &Load) -> Duration {
    let (began, before) = (Instant::now(), load.acknowledged());
    until("people are acknowledged again", async || {
        load.restarted.fetch_add(platform.watch(), Ordering::SeqCst);
        let more = load.acknowledged() - before;
        if more >= BETWEEN_BLOWS { Ok(()) } else { Err(format!("{more} so far")) }
    })
    .await;
    began.elapsed()
}

async fn new_postmaster(platform: &mut Platform, load: &Load, killed: u32) {
    until("PostgreSQL comes back", async || {
        load.restarted.fetch_add(platform.watch(), Ordering::SeqCst);
        match platform.postgres() {
            Some(pid) if pid != killed => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// The feed of each holds what was acknowledged, once.
async fn feeds_are_whole(load: &Load) {
    for who in 0..PEOPLE {
        let expected = load.expected(who);
        until("the feed holds everything once", async || {
            let mut found: BTreeMap<String, usize> = BTreeMap::new();
            for text in load.client.whole_feed(&load.people[who]).await? {
                *found.entry(text).or_default() += 1;
            }
            let twice = found.iter().find(|(_, times)| **times > 1);
            assert!(twice.is_none(), "{} reads a post twice: {twice:?}", load.people[who].handle);
            let unknown = found.keys().find(|text| !expected.contains_key(*text));
            assert!(unknown.is_none(), "{} reads what nobody posted: {unknown:?}", load.people[who].handle);
            if found == expected { Ok(()) } else { Err(format!("{} of {}", found.len(), expected.len())) }
        })
        .await;
    }
}

/// How many counters differ from the rows that they count.
async fn drifted(db: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select (select count(*) from daira.profile p left join daira.profile_counter c on c.profile = p.id
                 where coalesce(c.posts, 0) <> (select count(*) from daira.post x where x.author = p.id)
                    or coalesce(c.followers, 0) <> (select count(*) from daira.follow f where f.followee = p.id)
                    or coalesce(c.following, 0) <> (select count(*) from daira.follow f where f.follower = p.id))
              + (select count(*) from daira.post p left join daira.post_counter c on c.post = p.id
                 where coalesce(c.reactions, 0) <> (select count(*) from daira.reaction r where r.target = p.id and not r.on_comment)
                    or coalesce(c.comments, 0) <> (select count(*) from daira.comment k where k.post = p.id))",
    )
    .fetch_one(db)
    .await
    .unwrap()
}

async fn counters_equal_the_rows(platform: &Platform, load: &Load) {
    let mut db = platform.superuser().await;
    let (posts, comments): (i64, i64) =
        sqlx::query_as("select (select count(*) from daira.post), (select count(*) from daira.comment)")
            .fetch_one(&mut db)
            .await
            .unwrap();
    {
        let said = load.said.lock().unwrap();
        assert_eq!(
            (posts, comments),
            (i64::try_from(said.posts.len()).unwrap(), i64::try_from(said.comments).unwrap()),
            "acknowledged is stored, once"
        );
    }
    until("counters equal the rows", async || match drifted(&mut db).await {
        0 => Ok(()),
        off => Err(format!("{off} are off")),
    })
    .await;
    let dead: i64 = sqlx::query_scalar("select count(*) from daira.dead_letter").fetch_one(&mut db).await.unwrap();
    assert_eq!(dead, 0, "no event was given up");
}

/// One round: load, a blow to each program and one to all at once, then the reckoning. Answers a line of the report.
async fn round(platform: &mut Platform, load: &Arc<Load>, number: usize) -> String {
    load.stop.store(false, Ordering::SeqCst);
    let before = load.acknowledged();
    let mut working: JoinSet<()> = (0..PEOPLE).map(|who| Arc::clone(load).person(who, number)).collect();
    progress(platform, load).await;
    platform.kill_server();
    let server = progress(platform, load).await;
    platform.kill_worker();
    let worker = progress(platform, load).await;
    let killed = platform.kill_postgres();
    new_postmaster(platform, load, killed).await;
    let postgres = progress(platform, load).await;
    let killed = platform.kill_all();
    new_postmaster(platform, load, killed).await;
    let all = progress(platform, load).await;
    assert_eq!(platform.postmasters(), 1, "one PostgreSQL, however many looked after it");
    load.stop.store(true, Ordering::SeqCst);
    while let Some(ended) = working.join_next().await {
        ended.unwrap();
    }
    feeds_are_whole(load).await;
    counters_equal_the_rows(platform, load).await;
    let secs = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    format!(
        "round {number}: {} acknowledged; {BETWEEN_BLOWS} more came after the death of the server in {}, worker {}, PostgreSQL {}, all three {}",
        load.acknowledged() - before,
        secs(server),
        secs(worker),
        secs(postgres),
        secs(all)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn security_83_what_was_acknowledged_survives_kill_9() {
    let rounds =
        std::env::var_os("DAIRA_TEST_CHAOS_ROUNDS").map_or(1, |rounds| rounds.to_str().unwrap().parse().unwrap());
    let mut platform = Platform::start(&[("DAIRA_PRODUCT__PULL_THRESHOLD", PULL_THRESHOLD)]).await;
    let client = platform.client();
    let mut people = Vec::new();
    for who in 0..PEOPLE {
        people.push(platform.join(&client, &format!("person.{who}")).await);
    }
    for who in 0..PEOPLE {
        for followed in Load::follows(who) {
            let input = json!({ "profileId": people[followed].id });
            client.insist(Some(&people[who].token), "follow", "ProfileActionInput", &input, "outcome").await;
        }
    }
    let mut db = platform.superuser().await;
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value: String =
            sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(&mut db).await.unwrap();
        assert_eq!(value, "on", "{setting}: what is acknowledged is on the disk, as the programs set it by themselves");
    }
    // Whether an author is looked up is decided by a counter: it must have counted the followers.
    until("followers are counted", async || match drifted(&mut db).await {
        0 => Ok(()),
        off => Err(format!("{off} are off")),
    })
    .await;
    drop(db);
    let load = Arc::new(Load {
        people,
        client,
        said: Mutex::default(),
        stop: AtomicBool::new(false),
        restarted: AtomicUsize::new(0),
    });
    let mut report = String::from("\nkill -9 under load\n");
    for number in 1..=rounds {
        let line = round(&mut platform, &load, number).await;
        println!("{line}");
        writeln!(report, "  {line}").unwrap();
    }
    let (pull, push): (i64, i64) = sqlx::query_as(
        "select count(*) filter (where delivery = 2), count(*) filter (where delivery = 1) from daira.post",
    )
    .fetch_one(&mut platform.superuser().await)
    .await
    .unwrap();
    assert!(pull > 0 && push > 0, "{pull} looked up, {push} delivered: both ways are under test");
    let (server, worker) = platform.stop().await;
    assert!(server.success() && worker.success(), "server {server}, worker {worker}");
    assert_eq!(platform.postmasters(), 0, "the last to leave stopped PostgreSQL");
    let said = load.said.lock().unwrap();
    println!(
        "{report}  every one of {} posts is in its author's and every follower's feed once ({pull} looked up, {push} delivered);\n  \
         counters equal the rows after {} reactions and {} comments; {} requests had to be repeated, \
         {} programs began while PostgreSQL was dying and had to be started again",
        said.posts.len(),
        said.reactions,
        said.comments,
        load.client.repeated.load(Ordering::SeqCst),
        load.restarted.load(Ordering::SeqCst)
    );
}
