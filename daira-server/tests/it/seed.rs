//! The demo world is loaded by a bulk path; here what it wrote is done again by the use cases and the consumers, in another
//! database, and the two are compared table by table.
//!
//! What may differ is written down here: the ids; the moments at which consumers worked (`at` of inboxes and notifications,
//! and with it how far affinities had decayed); that a bio came by a second request; and what only requests leave behind
//! (registrations, sessions, the event log and its bookkeeping).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use daira_core::account::{AccountService, Due, Register, UpdateProfile, VerifyEmail};
use daira_core::actor::{Actor, Client, Member};
use daira_core::comment::CommentService;
use daira_core::graph::GraphService;
use daira_core::id::{AccountId, CommentId, Id, PostId, ProfileId, SessionId};
use daira_core::locale::Locale;
use daira_core::memory::{ManualClock, MemoryMail};
use daira_core::port::Clock as _;
use daira_core::post::{CreatePost, PostService};
use daira_core::reaction::{ReactionKind, ReactionService, Target};
use daira_core::secret::Secret;
use daira_core::time::Timestamp;
use daira_server::seed::{self, World, WorldOptions};
use daira_store::postgres::testing::Server;
use daira_worker::job;
use sqlx::PgConnection;

use crate::platform::{Platform, on_each_server};

/// What is compared: a name, and a query whose rows name people by handle and things by author and birth.
fn tables() -> Vec<(&'static str, String)> {
    let person = |id: &str| format!("(select handle from daira.profile where id = {id})");
    let post = |id: &str| {
        format!(
            "(select y.handle || ' ' || daira.id_at(x.id) from daira.post x join daira.profile y on y.id = x.author where x.id = {id})"
        )
    };
    let comment = |id: &str| {
        format!(
            "(select y.handle || ' ' || daira.id_at(x.id) from daira.comment x join daira.profile y on y.id = x.author where x.id = {id})"
        )
    };
    let people = |ids: &str| {
        format!("(select array_agg({} order by n) from unnest({ids}) with ordinality u (id, n))", person("u.id"))
    };
    vec![
        (
            "account",
            "select a.email, a.state, a.birth_date, a.locale, a.created_at, a.version,
                    (select count(*) from daira.credential c where c.account = a.id) as credentials from daira.account a"
                .to_owned(),
        ),
        (
            "profile",
            "select p.handle, p.name, p.bio, p.links, p.avatar, p.kind, p.private, p.standing, p.created_at, a.email
             from daira.profile p join daira.account a on a.id = p.account"
                .to_owned(),
        ),
        ("handle", format!("select h.handle, {}, h.registration, h.until from daira.handle h", person("h.profile"))),
        ("follow", format!("select {}, {}, f.at from daira.follow f", person("f.follower"), person("f.followee"))),
        (
            "post",
            format!(
                "select {}, p.visibility, p.replies, p.delivery, p.kind, p.version, p.circle, p.edited_at, p.deleted_at, p.text,
                        p.warning, p.media, p.alts, {}, p.tags, p.spellings, (p.id >> 12) & 1023 = (p.author >> 12) & 1023 as home
                 from daira.post p",
                post("p.id"),
                people("p.mentions")
            ),
        ),
        ("post_changed", format!("select {} from daira.post_changed c", post("c.post"))),
        ("post_revision", "select r.post from daira.post_revision r".to_owned()),
        ("pull_author", format!("select {}, {} from daira.pull_author a", person("a.author"), post("a.latest"))),
        ("hashtag", "select key, spelling from daira.hashtag".to_owned()),
        ("post_tag", format!("select t.tag, {} from daira.post_tag t", post("t.post"))),
        (
            "comment",
            format!(
                "select {}, {}, {}, c.depth, c.version, c.edited_at, c.deleted_at, c.text from daira.comment c",
                comment("c.id"),
                post("c.post"),
                comment("c.parent")
            ),
        ),
        ("reaction", format!("select {}, r.on_comment, {}, r.kind, r.at from daira.reaction r", post("r.target"), person("r.by"))),
        (
            "profile_counter",
            format!("select {}, c.posts, c.followers, c.following from daira.profile_counter c", person("c.profile")),
        ),
        ("post_counter", format!("select {}, c.reactions, c.comments, c.impressions from daira.post_counter c", post("c.post"))),
        ("comment_counter", format!("select {}, c.reactions, c.replies from daira.comment_counter c", comment("c.comment"))),
        (
            "inbox",
            format!("select {}, {}, {}, i.reason, i.kind from daira.inbox i", person("i.profile"), post("i.post"), person("i.author")),
        ),
        (
            "notification",
            format!(
                "select {}, {}, {}, {}, n.kind from daira.notification n",
                person("n.recipient"),
                person("n.actor"),
                post("n.post"),
                comment("n.comment")
            ),
        ),
        ("affinity", format!("select {}, {} from daira.affinity a", person("a.viewer"), person("a.author"))),
        ("media", "select id from daira.media".to_owned()),
    ]
}

async fn rows(db: &mut PgConnection, query: &str) -> Vec<String> {
    // A query of this file.
    let query = sqlx::AssertSqlSafe(format!("select t::text from ({query}) t order by 1"));
    sqlx::query_scalar(query).fetch_all(db).await.unwrap()
}

/// The sums of affinity, against what the rows say: each interaction, decayed from when it happened, or as it came.
const AFFINITIES: &str = "
    select a.sum, sum(i.weight * 0.5 ^ (extract(epoch from a.at - i.at)::double precision / 1209600)), sum(i.weight)
    from daira.affinity a
    join (select follower as viewer, followee as author, 0.5::double precision as weight, at from daira.follow
          union all
          select r.by, p.author, 0.15, r.at from daira.reaction r join daira.post p on p.id = r.target
          union all
          select c.author, p.author, 0.4, daira.id_at(c.id) from daira.comment c join daira.post p on p.id = c.post) i
      on i.viewer = a.viewer and i.author = a.author
    group by a.viewer, a.author, a.sum, a.at";

/// Does by the use cases what the rows of a loaded database say.
struct Again<'a> {
    platform: &'a Platform,
    loaded: PgConnection,
    made: PgConnection,
    clock: Arc<ManualClock>,
    mail: Arc<MemoryMail>,
    people: HashMap<i64, (Actor, ProfileId)>,
}

impl Again<'_> {
    fn at(&self, micros: i64) {
        self.clock.set(Timestamp::from_micros(micros));
    }

    async fn people(&mut self) {
        let accounts = AccountService::new(self.platform.ports.clone());
        let people: Vec<(i64, String, String, String, String, String, i64)> = sqlx::query_as(
            "select p.id, p.handle, p.name, p.bio, a.email, a.locale, (extract(epoch from p.created_at) * 1000000)::bigint
             from daira.profile p join daira.account a on a.id = p.account order by p.id",
        )
        .fetch_all(&mut self.loaded)
        .await
        .unwrap();
        for (id, handle, name, bio, email, locale, born) in people {
            self.at(born);
            let register = Register {
                email: email.clone(),
                password: Secret::new(seed::PASSWORD),
                handle,
                name,
                birth_date: "1996-04-25".to_owned(),
                locale: Locale::from_tag(&locale).unwrap(),
            };
            let registration = accounts.register(&Client::default(), register, None).await.unwrap();
            assert!(accounts.deliver(Due::Registration(registration)).await.unwrap());
            let messages = self.mail.messages();
            let mail = messages.iter().rev().find(|mail| mail.to.expose() == email).unwrap();
            let code = mail.text.expose().split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).unwrap();
            let verify = VerifyEmail { registration, code: Secret::new(code), device: "Nokia".to_owned() };
            accounts.verify_email(&Client::default(), verify).await.unwrap();
            let (profile, account, session): (i64, i64, i64) = sqlx::query_as(
                "select p.id, p.account, s.id from daira.profile p join daira.session s on s.profile = p.id
                 join daira.account a on a.id = p.account where a.email = $1",
            )
            .bind(&email)
            .fetch_one(&mut self.made)
            .await
            .unwrap();
            let (profile, account) = (ProfileId::from_raw(profile), AccountId::from_raw(account));
            let actor = Actor::Member(Member { account, profile, session: SessionId::from_raw(session) });
            let bio = UpdateProfile { bio: Some(bio), ..UpdateProfile::default() };
            accounts.update_profile(&actor, bio, None).await.unwrap();
            self.people.insert(id, (actor, profile));
        }
    }

    async fn follows(&mut self) {
        let graph = GraphService::new(self.platform.ports.clone());
        let follows: Vec<(i64, i64, i64)> = sqlx::query_as(
            "select follower, followee, (extract(epoch from at) * 1000000)::bigint from daira.follow order by at",
        )
        .fetch_all(&mut self.loaded)
        .await
        .unwrap();
        for (follower, followee, at) in follows {
            self.at(at);
            graph.follow(&self.people[&follower].0, self.people[&followee].1, None).await.unwrap();
        }
    }

    async fn posts(&mut self) -> HashMap<i64, PostId> {
        let service = PostService::new(self.platform.ports.clone());
        let mut made = HashMap::new();
        let posts: Vec<(i64, i64, String)> = sqlx::query_as("select id, author, text from daira.post order by id")
            .fetch_all(&mut self.loaded)
            .await
            .unwrap();
        for (id, author, text) in posts {
            self.at(PostId::from_raw(id).at().as_micros());
            made.insert(id, service.create(&self.people[&author].0, &CreatePost::public(&text), None).await.unwrap());
        }
        made
    }

    async fn talk(&mut self, posts: &HashMap<i64, PostId>) {
        let service = CommentService::new(self.platform.ports.clone());
        let mut made: HashMap<i64, CommentId> = HashMap::new();
        let comments: Vec<(i64, i64, Option<i64>, i64, String)> =
            sqlx::query_as("select id, post, parent, author, text from daira.comment order by depth, id")
                .fetch_all(&mut self.loaded)
                .await
                .unwrap();
        for (id, post, parent, author, text) in comments {
            self.at(CommentId::from_raw(id).at().as_micros());
            let parent = parent.map(|parent| made[&parent]);
            let (author, _) = &self.people[&author];
            made.insert(id, service.create(author, posts[&post], parent, &text, None).await.unwrap());
        }
        let service = ReactionService::new(self.platform.ports.clone());
        let reactions: Vec<(i64, i64, i16, i64)> =
            sqlx::query_as("select target, by, kind, (extract(epoch from at) * 1000000)::bigint from daira.reaction")
                .fetch_all(&mut self.loaded)
                .await
                .unwrap();
        for (target, by, kind, at) in reactions {
            self.at(at);
            let (kind, target) = (ReactionKind::from_code(kind).unwrap(), Target::Post(posts[&target]));
            service.react(&self.people[&by].0, target, kind, None).await.unwrap();
        }
    }
}

async fn the_bulk_path_equals_the_use_cases(server: Server) {
    let clock = Arc::new(ManualClock::new(daira_core::memory::WallClock.now()));
    let mail = Arc::new(MemoryMail::default());
    let arrange = |ports: &mut daira_core::Ports| {
        ports.clock = clock.clone();
        ports.mail = mail.clone();
        ports.settings_mut().pull_threshold = 8;
    };
    let (bulk, again) = (Platform::with(server, arrange).await, Platform::with(server, arrange).await);
    let world = World::plan(&WorldOptions { people: 24, posts: 80, seed: 5 });
    let loaded = seed::load(&bulk.ports, &world, |_, _, _| {}).await.unwrap();
    assert_eq!((loaded.people.len(), loaded.posts.len()), (24, 80));
    assert!(seed::is_loaded(&bulk.ports, &world).await.unwrap());

    let now = clock.now();
    let mut replay = Again {
        platform: &again,
        loaded: bulk.superuser().await,
        made: again.superuser().await,
        clock: clock.clone(),
        mail: mail.clone(),
        people: HashMap::new(),
    };
    replay.people().await;
    replay.follows().await;
    // Whether an author is looked up is decided by how many followers are counted.
    again.settle().await;
    let posts = replay.posts().await;
    again.settle().await;
    replay.talk(&posts).await;
    again.settle().await;
    clock.set(now);

    let (mut one, mut other) = (bulk.superuser().await, again.superuser().await);
    let mut counts = BTreeMap::new();
    for (table, query) in tables() {
        let (bulk, again) = (rows(&mut one, &query).await, rows(&mut other, &query).await);
        counts.insert(table, bulk.len());
        let differs = bulk.iter().zip(&again).find(|(left, right)| left != right);
        assert!(bulk == again, "{table}: {} and {} rows; {differs:#?}", bulk.len(), again.len());
    }
    for table in [
        "post",
        "post_tag",
        "comment",
        "reaction",
        "inbox",
        "notification",
        "affinity",
        "pull_author",
        "comment_counter",
    ] {
        assert!(counts[table] > 0, "nothing to compare in {table}: {counts:?}");
    }
    let decayed: Vec<(f64, f64, f64)> = sqlx::query_as(AFFINITIES).fetch_all(&mut one).await.unwrap();
    assert_eq!(decayed.len(), counts["affinity"]);
    assert!(decayed.iter().all(|(sum, decayed, _)| (sum - decayed).abs() < 1e-6), "{decayed:?}");
    let fresh: Vec<(f64, f64, f64)> = sqlx::query_as(AFFINITIES).fetch_all(&mut other).await.unwrap();
    assert!(fresh.iter().all(|(sum, _, came)| (sum - came).abs() < 1e-3), "{fresh:?}");

    // Nothing is off, so the reconciler has nothing to correct.
    let before = rows(&mut one, &tables()[12].1).await;
    job::reconcile(&bulk.ports).await.unwrap();
    assert_eq!(rows(&mut one, &tables()[12].1).await, before);
}

on_each_server!(the_bulk_path_equals_the_use_cases);
