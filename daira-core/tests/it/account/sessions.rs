//! Logging in, refreshing under races and lost answers, and ending sessions everywhere at once.

use std::net::IpAddr;

use daira_core::account::{AccountState, Due, Session, Standing, Tokens};
use daira_core::error::CommonRefusal;
use daira_core::memory::HmacHasher;
use daira_core::place::Place;
use daira_core::port::{PasswordHasher, Places};
use tokio::task::JoinSet;

use super::*;

/// Hashes as the memory adapter does, writes down what it was asked, and calls such hashes outdated as it is told.
struct Watched {
    inner: HmacHasher,
    asked: Mutex<Vec<bool>>,
    outdated: &'static str,
    on_verify: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Watched {
    fn new(ports: &Ports, outdated: &'static str) -> Arc<Self> {
        let inner = HmacHasher::new(ports.ids.clone(), 1);
        Arc::new(Self { inner, asked: Mutex::default(), outdated, on_verify: Mutex::default() })
    }
}

#[async_trait]
impl PasswordHasher for Watched {
    async fn hash(&self, password: &Secret) -> Result<String> {
        self.inner.hash(password).await
    }

    async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool> {
        self.asked.lock().unwrap().push(hash.is_some());
        let outcome = self.inner.verify(password, hash).await;
        let meanwhile = self.on_verify.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        outcome
    }

    fn is_outdated(&self, hash: &str) -> bool {
        !self.outdated.is_empty() && hash.contains(self.outdated)
    }
}

fn watched_world(outdated: &'static str) -> (World, Arc<Watched>) {
    let mut hasher = None;
    let world = world_with(|ports| {
        let watched = Watched::new(ports, outdated);
        ports.hasher = watched.clone();
        hasher = Some(watched);
    });
    (world, hasher.unwrap())
}

#[tokio::test]
async fn security_05_an_unknown_email_answers_like_a_wrong_password() {
    let world = world();
    world.join("mona").await;
    let wrong = LogIn { password: Secret::new("shai bel na3na3"), ..logging_in("mona") };
    let unknown = logging_in("nour");
    let malformed = LogIn { email: "no address".to_owned(), ..logging_in("mona") };
    let endless = LogIn { password: Secret::new("x".repeat(100_000)), ..logging_in("mona") };
    let mut answers = Vec::new();
    for input in [wrong, unknown, malformed, endless] {
        let error = world.accounts.log_in(&Client::default(), input, None).await.unwrap_err();
        answers.push((error.refused_as().code, error.to_string(), error.field(), error.retry_after()));
    }
    assert!(
        answers.iter().all(|answer| answer == &answers[0] && answer.0 == "auth.invalid_credentials"),
        "{answers:?}"
    );
    assert_eq!(world.audit(), ["account.registered"]);
}

#[tokio::test]
async fn security_06_every_refused_log_in_costs_one_check() {
    let (world, hasher) = watched_world("");
    world.join("mona").await;
    let wrong = LogIn { password: Secret::new("shai bel na3na3"), ..logging_in("mona") };
    let malformed = LogIn { email: "no address".to_owned(), ..logging_in("mona") };
    let endless = LogIn { password: Secret::new("x".repeat(100_000)), ..logging_in("mona") };
    for input in [wrong, logging_in("nour"), malformed, endless] {
        assert!(world.accounts.log_in(&Client::default(), input, None).await.is_err());
    }
    assert_eq!(*hasher.asked.lock().unwrap(), [true, false, false, true], "against a hash, or against the decoy");
}

#[tokio::test]
async fn an_outdated_hash_is_replaced_at_the_next_log_in() {
    let (world, _) = watched_world("i=1$");
    let mona = world.join("mona").await;
    let stored = || world.change(mona.member, |unit| Box::pin(unit.accounts().password_hash(mona.member.account)));
    let before = stored().await;
    entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    assert_ne!(stored().await, before);
    assert_eq!(world.audit(), ["account.registered", "account.password_upgraded", "account.log_in"]);
    entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_log_ins_that_upgrade_the_hash_all_succeed() {
    let (world, _) = watched_world("i=1$");
    world.join("mona").await;
    let mut racing = JoinSet::new();
    for _ in 0..3 {
        let accounts = world.accounts.clone();
        racing.spawn(async move { accounts.log_in(&Client::default(), logging_in("mona"), None).await });
    }
    assert!(racing.join_all().await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_password_that_changes_under_a_log_in_lets_nobody_in() {
    let (world, hasher) = watched_world("");
    let mona = world.join("mona").await;
    let (store, member) = (world.store.clone(), mona.member);
    let new_hash = hasher.hash(&Secret::new("shai bel na3na3")).await.unwrap();
    *hasher.on_verify.lock().unwrap() = Some(Box::pin(async move {
        let mut unit = store.begin(&Actor::Member(member)).await.unwrap();
        unit.accounts().set_password_hash(member.account, &new_hash).await.unwrap();
        unit.commit().await.unwrap();
    }));
    let outcome = world.accounts.log_in(&Client::default(), logging_in("mona"), None).await;
    assert_eq!(refusal::<_, AccountRefusal>(outcome), AccountRefusal::CredentialsInvalid);
    assert_eq!(world.accounts.sessions(&actor(&mona)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn states_decide_who_gets_in() {
    let world = world();
    let mona = world.join("mona").await;
    let client = Client::default();
    let log_in = async || entered(world.accounts.log_in(&client, logging_in("mona"), None).await);
    let later = world.clock.now() + Duration::from_hours(1);

    world.set_state(mona.member, AccountState::Suspended(later)).await;
    assert_eq!(refusal::<_, AccountRefusal>(log_in().await), AccountRefusal::Suspended);
    let wrong = LogIn { password: Secret::new("shai bel na3na3"), ..logging_in("mona") };
    assert_eq!(
        refusal::<_, AccountRefusal>(world.accounts.log_in(&Client::default(), wrong, None).await),
        AccountRefusal::CredentialsInvalid,
        "only its owner learns"
    );
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &mona.tokens.refresh).await));
    assert!(is_invalid(world.accounts.authenticate(&mona.tokens.access).await));
    world.advance(Duration::from_hours(1));
    log_in().await.unwrap();

    world.set_state(mona.member, AccountState::Deactivated).await;
    let back = log_in().await.unwrap();
    let me = world.accounts.me(&actor(&back)).await.unwrap();
    assert_eq!((me.account.state, me.profiles[0].standing), (AccountState::Active, Standing::Live));
    assert!(world.audit().contains(&"account.woken".to_owned()));

    world.set_state(mona.member, AccountState::Restricted).await;
    log_in().await.unwrap();
    world.set_state(mona.member, AccountState::Deleted).await;
    assert_eq!(refusal::<_, AccountRefusal>(log_in().await), AccountRefusal::CredentialsInvalid);
}

/// Both tokens work.
async fn works(world: &World, tokens: &Tokens) -> bool {
    world.accounts.authenticate(&tokens.access).await.is_ok()
        && world.accounts.refresh(&Client::default(), &tokens.refresh).await.is_ok()
}

#[tokio::test]
async fn security_25_a_spent_token_that_comes_back_ends_the_session() {
    let world = world();
    let a = world.join("mona").await.tokens;
    let b = world.accounts.refresh(&Client::default(), &a.refresh).await.unwrap();
    let c = world.accounts.refresh(&Client::default(), &b.refresh).await.unwrap();
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &a.refresh).await));
    for tokens in [&a, &b, &c] {
        assert!(is_invalid(world.accounts.refresh(&Client::default(), &tokens.refresh).await));
        assert!(is_invalid(world.accounts.authenticate(&tokens.access).await), "at once, not when it expires");
    }
    assert!(world.audit().contains(&"session.revoked refresh_reused".to_owned()));
    assert_eq!(world.events("a").await.last().unwrap(), "account.v1.session_revoked");
}

#[tokio::test]
async fn security_25_the_last_token_is_forgiven_only_briefly_once_its_successor_is_used() {
    let world = world();
    let a = world.join("mona").await.tokens;
    let b = world.accounts.refresh(&Client::default(), &a.refresh).await.unwrap();
    world.accounts.authenticate(&b.access).await.unwrap();
    world.clock.set(world.clock.now() + world.ports.settings.refresh_grace - Duration::from_micros(1));
    assert_eq!(world.accounts.refresh(&Client::default(), &a.refresh).await.unwrap().refresh, b.refresh);
    world.advance(Duration::from_micros(1));
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &a.refresh).await));
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &b.refresh).await));
}

#[tokio::test]
async fn security_26_a_repeated_refresh_gives_the_same_living_pair() {
    let world = world();
    let a = world.join("mona").await.tokens;
    let b = world.accounts.refresh(&Client::default(), &a.refresh).await.unwrap();
    let again = world.accounts.refresh(&Client::default(), &a.refresh).await.unwrap();
    assert_eq!((&again.refresh, again.session_expires_at), (&b.refresh, b.session_expires_at));
    world.accounts.authenticate(&again.access).await.unwrap();
    let c = world.accounts.refresh(&Client::default(), &again.refresh).await.unwrap();
    assert_ne!(c.refresh, b.refresh);
    assert!(works(&world, &c).await, "one branch, and it goes on");
}

#[tokio::test]
async fn failure_08_a_lost_answer_logs_nobody_out() {
    let world = world();
    let a = world.join("mona").await.tokens;
    let lost = world.accounts.refresh(&Client::default(), &a.refresh).await.unwrap();
    for _ in 0..2 {
        world.advance(Duration::from_hours(24 * 20));
        let again = world.accounts.refresh(&Client::default(), &a.refresh).await.unwrap();
        assert_eq!(again.refresh, lost.refresh, "one living branch, however often the answer is lost");
    }
    let again = world.accounts.refresh(&Client::default(), &a.refresh).await.unwrap();
    assert!(works(&world, &again).await);
    assert!(
        is_invalid(world.accounts.refresh(&Client::default(), &a.refresh).await),
        "used and long past, it is a copy"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failure_08_racing_refreshes_leave_one_living_branch() {
    let world = world();
    let mut living = world.join("mona").await.tokens.refresh;
    for _ in 0..20 {
        let mut racing = JoinSet::new();
        for _ in 0..10 {
            let (accounts, token) = (world.accounts.clone(), living.clone());
            racing.spawn(async move {
                let tokens = accounts.refresh(&Client::default(), &token).await?;
                accounts.authenticate(&tokens.access).await.map(|_| tokens.refresh)
            });
        }
        let next: Vec<Secret> = racing.join_all().await.into_iter().map(Result::unwrap).collect();
        assert!(next.iter().all(|token| *token == next[0] && *token != living));
        living = next[0].clone();
    }
    assert_eq!(world.audit(), ["account.registered"]);
}

/// Knows two networks.
struct Map;

impl Places for Map {
    fn place(&self, address: IpAddr) -> Option<Place> {
        match address {
            IpAddr::V4(v4) if v4.octets()[0] == 41 => Place::from_code("EG-ALX"),
            IpAddr::V4(v4) if v4.octets()[0] == 156 => Place::from_code("EG-C"),
            _ => None,
        }
    }
}

#[tokio::test]
async fn security_32_a_device_that_is_not_known_is_told_and_locks_nobody_out() {
    let world = world_with(|ports| ports.places = Arc::new(Map));
    let mona = world.join("mona").await;
    let at =
        |address: &str, known_device: Option<Secret>| Client { address: Some(address.parse().unwrap()), known_device };
    let log_in =
        async |client: &Client| entered(world.accounts.log_in(client, logging_in("mona"), None).await).unwrap();
    let list = async || world.accounts.sessions(&actor(&mona)).await.unwrap();
    assert!(list().await[0].known_device, "the first one is hers");
    assert!(!world.events("a").await.iter().any(|event| event.ends_with("device_seen")));

    world.advance(Duration::from_secs(1));
    let strange = log_in(&at("41.0.0.1", None)).await;
    assert!(world.accounts.authenticate(&strange.tokens.access).await.is_ok(), "nobody is kept out");
    let shown = |session: &Session| (session.place.map(|place| place.to_string()), session.known_device);
    assert_eq!(shown(&list().await[0]), (Some("EG-ALX".to_owned()), false));
    assert_eq!(world.events("b").await.iter().filter(|event| event.ends_with("device_seen")).count(), 1);
    assert!(world.accounts.deliver(Due::DeviceNotice(strange.member.session)).await.unwrap());
    let mail = world.mail.messages().pop().unwrap();
    assert_eq!((mail.to.expose(), mail.subject.as_str()), ("mona@example.com", "دخول جديد على حسابك على دايرة"));
    assert!(mail.text.expose().contains("الإسكندرية") && !mail.text.expose().contains("41.0.0.1"));

    world.advance(Duration::from_secs(1));
    let known = log_in(&at("9.9.9.9", Some(strange.device))).await;
    assert_eq!(shown(&list().await[0]), (None, true));
    assert_eq!(world.events("c").await.iter().filter(|event| event.ends_with("device_seen")).count(), 1);
    let (refresh, gone) = (&known.tokens.refresh, at("9.9.9.9", None));
    let next = world.accounts.refresh(&at("156.1.1.1", None), refresh).await.unwrap();
    assert_eq!(shown(&list().await[0]).0.as_deref(), Some("EG-C"), "where it was used last");
    world.accounts.refresh(&gone, &next.refresh).await.unwrap();
    assert_eq!(shown(&list().await[0]).0.as_deref(), Some("EG-C"), "what is not known takes nothing away");
}

#[tokio::test]
async fn security_27_sessions_end_by_idling_and_by_age() {
    let world = world();
    let settings = world.ports.settings.clone();
    let idle = world.join("mona").await.tokens;
    world.advance(settings.session_idle);
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &idle.refresh).await));

    let began = world.clock.now();
    let mut tokens = entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap().tokens;
    while world.clock.now() + Duration::from_hours(24 * 50) < began + settings.session_life {
        world.advance(Duration::from_hours(24 * 50));
        tokens = world.accounts.refresh(&Client::default(), &tokens.refresh).await.unwrap();
    }
    assert_eq!(tokens.session_expires_at, began + settings.session_life);
    world.clock.set(began + settings.session_life - Duration::from_mins(1));
    let last = world.accounts.refresh(&Client::default(), &tokens.refresh).await.unwrap();
    assert!(last.access_expires_at <= began + settings.session_life, "no access token outlives its session");
    world.clock.set(began + settings.session_life);
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &last.refresh).await));
}

#[tokio::test]
async fn security_22_each_token_is_refused_in_the_others_place() {
    let world = world();
    let mona = world.join("mona").await;
    let Tokens { access, refresh, .. } = &mona.tokens;
    assert!(
        is_invalid(world.accounts.refresh(&Client::default(), access).await)
            && is_invalid(world.accounts.authenticate(refresh).await)
    );
    let salt = [0; 16];
    let forged = token::seal(&world.ports.keys.refresh, mona.member.session, 1, &salt);
    let foreign = token::seal(&daira_core::secret::Key::new([9; 32]), mona.member.session, 1, &salt);
    for token in [forged, foreign, Secret::new(""), Secret::new("drt_"), Secret::new("x".repeat(1 << 20))] {
        assert!(is_invalid(world.accounts.refresh(&Client::default(), &token).await));
    }
    assert!(works(&world, &mona.tokens).await, "a forgery ends nothing");
}

#[tokio::test]
async fn security_30_no_row_and_no_debug_text_holds_a_token() {
    let world = world();
    let mona = world.join("mona").await;
    let rows = world.accounts.sessions(&actor(&mona)).await.unwrap();
    let shown = format!("{rows:?} {mona:?} {:?} {:?}", logging_in("mona"), registering("mona"));
    for secret in [&mona.tokens.access, &mona.tokens.refresh] {
        assert!(!shown.contains(secret.expose()) && !shown.contains(&secret.expose()[20..40]));
    }
    assert!(!shown.contains(PASSWORD));
}

#[tokio::test]
async fn security_29_people_see_and_end_their_own_sessions_only() {
    let world = world();
    let (mona, nour) = (world.join("mona").await, world.join("nour").await);
    world.advance(Duration::from_secs(1));
    let phone = entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    let listed: Vec<_> = world.accounts.sessions(&actor(&mona)).await.unwrap().into_iter().map(|s| s.id).collect();
    assert_eq!(listed, [phone.member.session, mona.member.session], "newest first");

    let foreign = world.accounts.revoke_session(&actor(&nour), phone.member.session, None).await.unwrap_err();
    let none =
        world.accounts.revoke_session(&actor(&nour), "ses_0000000000001".parse().unwrap(), None).await.unwrap_err();
    assert_eq!((foreign.refused_as(), foreign.to_string()), (none.refused_as(), none.to_string()));
    assert!(world.accounts.authenticate(&phone.tokens.access).await.is_ok());

    for _ in 0..2 {
        world.accounts.revoke_session(&actor(&mona), phone.member.session, None).await.unwrap();
    }
    assert!(is_invalid(world.accounts.authenticate(&phone.tokens.access).await));
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &phone.tokens.refresh).await));

    let (tablet, laptop) = (
        entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap(),
        entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap(),
    );
    assert_eq!(world.accounts.revoke_other_sessions(&actor(&laptop), None).await.unwrap(), 2);
    for gone in [&mona, &tablet] {
        assert!(is_invalid(world.accounts.refresh(&Client::default(), &gone.tokens.refresh).await));
    }
    assert!(works(&world, &laptop.tokens).await && works(&world, &nour.tokens).await);

    for _ in 0..2 {
        world.accounts.log_out(&actor(&laptop)).await.unwrap();
    }
    assert!(is_invalid(world.accounts.authenticate(&laptop.tokens.access).await));
    let reasons: Vec<_> = world.audit().into_iter().filter(|a| a.starts_with("session.revoked")).collect();
    assert_eq!(
        reasons,
        ["session.revoked revoked", "session.revoked revoked", "session.revoked revoked", "session.revoked log_out"]
    );
    assert_eq!(world.events("a").await.iter().filter(|e| e.ends_with("session_revoked")).count(), 4);
    assert!(
        world.accounts.log_out(&Actor::Anonymous).await.is_err()
            && world.accounts.sessions(&Actor::Anonymous).await.is_err()
    );
}

#[tokio::test]
async fn security_28_a_revocation_reaches_other_nodes_with_their_next_poll() {
    let world = world();
    let mona = world.join("mona").await;
    let other = AccountService::new(world.ports.clone());
    other.poll_revocations().await.unwrap();
    other.authenticate(&mona.tokens.access).await.unwrap();
    world.accounts.log_out(&actor(&mona)).await.unwrap();
    assert!(other.authenticate(&mona.tokens.access).await.is_ok(), "remembered, and nothing was polled yet");
    world.advance(daira_core::account::POLL_EVERY);
    other.poll_revocations().await.unwrap();
    assert!(is_invalid(other.authenticate(&mona.tokens.access).await));
}

#[tokio::test]
async fn security_28_a_node_that_cannot_poll_asks_and_then_lets_nobody_in() {
    let world = world();
    let mona = world.join("mona").await;
    let other = AccountService::new(world.ports.clone());
    other.poll_revocations().await.unwrap();
    other.authenticate(&mona.tokens.access).await.unwrap();
    world.accounts.log_out(&actor(&mona)).await.unwrap();
    world.advance(Duration::from_millis(1_001));
    assert!(is_invalid(other.authenticate(&mona.tokens.access).await), "it asks instead of remembering");

    let nour = world.join("nour").await;
    world.advance(Duration::from_secs(4));
    let blind = other.authenticate(&nour.tokens.access).await;
    assert_eq!(refusal::<_, CommonRefusal>(blind), CommonRefusal::Unavailable);
    other.poll_revocations().await.unwrap();
    assert!(other.authenticate(&nour.tokens.access).await.is_ok());
    assert!(is_invalid(other.authenticate(&mona.tokens.access).await), "what happened meanwhile was caught up with");
}

#[tokio::test]
async fn a_known_revocation_is_refused_without_a_question() {
    let world = world();
    let mona = world.join("mona").await;
    let store = Arc::new(Meanwhile { inner: world.store.clone(), then: Mutex::new((100, None)) });
    let other = AccountService::new(Ports { store: store.clone(), ..world.ports.clone() });
    let questions = || 100 - store.then.lock().unwrap().0;
    other.poll_revocations().await.unwrap();
    for _ in 0..5 {
        other.authenticate(&mona.tokens.access).await.unwrap();
    }
    assert_eq!(questions(), 1, "the first use is noted, then it is remembered");
    world.accounts.log_out(&actor(&mona)).await.unwrap();
    other.poll_revocations().await.unwrap();
    assert!(is_invalid(other.authenticate(&mona.tokens.access).await));
    assert_eq!(questions(), 1);
}

#[tokio::test]
async fn a_node_that_starts_late_knows_older_revocations() {
    let world = world();
    let mona = world.join("mona").await;
    world.accounts.log_out(&actor(&mona)).await.unwrap();
    world.advance(Duration::from_mins(10));
    let late = AccountService::new(world.ports.clone());
    late.poll_revocations().await.unwrap();
    assert!(late.directory().is_revoked(mona.member.session));
    world.advance(Duration::from_hours(1));
    late.poll_revocations().await.unwrap();
    assert!(!late.directory().is_revoked(mona.member.session), "forgotten when no token can be left");
    assert!(is_invalid(late.authenticate(&mona.tokens.access).await));
}

#[tokio::test]
async fn a_remembered_session_still_notes_the_first_use_of_a_new_token() {
    let world = world();
    let a = world.join("mona").await;
    world.accounts.poll_revocations().await.unwrap();
    world.accounts.authenticate(&a.tokens.access).await.unwrap();
    let b = world.accounts.refresh(&Client::default(), &a.tokens.refresh).await.unwrap();
    world.accounts.authenticate(&b.access).await.unwrap();
    let [session] = world.accounts.sessions(&actor(&a)).await.unwrap().try_into().unwrap();
    assert_eq!((session.generation, session.seen_generation), (2, 2));
    world.advance(world.ports.settings.refresh_grace);
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &a.tokens.refresh).await));
}

#[tokio::test]
async fn whoever_holds_a_refresh_token_alone_can_log_out_with_it() {
    let world = world();
    let (mona, nour) = (world.join("mona").await, world.join("nour").await);
    let next = world.accounts.refresh(&Client::default(), &mona.tokens.refresh).await.unwrap();
    for none in
        [Secret::new("drt_"), Secret::new(format!("{}A", nour.tokens.refresh.expose())), mona.tokens.access.clone()]
    {
        world.accounts.log_out_with(&none).await.unwrap();
    }
    assert!(works(&world, &nour.tokens).await, "what is no token ends nothing");
    for _ in 0..2 {
        world.accounts.log_out_with(&mona.tokens.refresh).await.unwrap();
    }
    assert!(is_invalid(world.accounts.authenticate(&next.access).await), "the spent one will do");
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &next.refresh).await));
}
