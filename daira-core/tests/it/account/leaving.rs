//! Leaving: gone at once, back within the grace, erased after it, whatever comes in between.

use std::sync::atomic::Ordering::SeqCst;

use daira_core::account::{AccountState, Standing};
use daira_core::id::Id;
use daira_core::idempotency::IdempotencyKey;
use daira_core::oauth::{AppSettings, OauthService};
use daira_core::port::BlobStore as _;
use daira_core::post::{CreatePost, PostService};
use daira_core::staff::{Measure, Reason, StaffRole};

use super::blobs::world_with_faulty_blobs;
use super::staff::{office, why};
use super::*;

const ASKED: &str = "حسابك على دايرة هيتحذف";
const GOODBYE: &str = "حسابك على دايرة اتحذف";
const MOMENT: Duration = Duration::from_micros(1);

impl World {
    pub(super) fn grace(&self) -> Duration {
        self.ports.settings.deletion_grace
    }

    async fn sees(&self, viewer: &LoggedIn, person: &LoggedIn) -> bool {
        let mut view = self.ports.store.read(&actor(viewer), Access::Read).await.unwrap();
        !view.accounts().profiles(&[person.member.profile]).await.unwrap().is_empty()
    }

    async fn again(&self, name: &str) -> Result<LoggedIn> {
        entered(self.accounts.log_in(&Client::default(), logging_in(name), None).await)
    }

    async fn leaving_at(&self, person: &LoggedIn) -> Option<Timestamp> {
        self.accounts.me(&actor(person)).await.unwrap().account.leaving_at
    }
}

#[tokio::test]
async fn who_leaves_is_gone_at_once_and_can_come_back_whole() {
    let world = world();
    let (mona, ali) = (world.join("mona").await, world.join("karim").await);
    let mask = world.accounts.create_profile(&actor(&mona), "zell", "ظل", None).await.unwrap();
    let (_, tokens) = world.accounts.switch_profile(&actor(&mona), mask, "Firefox", None).await.unwrap();
    let posts = PostService::new(world.ports.clone());
    let post = posts.create(&actor(&mona), &CreatePost::public("صباح الخير"), None).await.unwrap();
    let at = world.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    assert_eq!(at, world.clock.now() + world.grace());
    for token in [&mona.tokens.access, &tokens.access] {
        assert!(world.accounts.authenticate(token).await.is_err(), "all faces are out");
    }
    assert!(world.accounts.refresh(&Client::default(), &mona.tokens.refresh).await.is_err());
    assert!(!world.sees(&ali, &mona).await);
    let mut view = world.ports.store.read(&actor(&ali), Access::Read).await.unwrap();
    assert!(view.accounts().profiles(&[mask]).await.unwrap().is_empty());
    assert!(posts.get(view.as_mut(), post).await.is_err(), "and so is what they wrote");
    let day = at.in_cairo();
    assert_eq!(world.deliver().await, [("mona@example.com".to_owned(), ASKED.to_owned())]);
    let told = world.mail.messages().pop().unwrap();
    assert!(told.text.expose().contains(&format!("{}-{:02}-{:02}", day.year, day.month, day.day)));

    let back = world.again("mona").await.unwrap();
    assert_eq!(world.leaving_at(&back).await, Some(at), "logging in alone keeps nobody");
    let refused = posts.create(&actor(&back), &CreatePost::public("لسه هنا"), None).await;
    assert_eq!(refusal::<_, AccountRefusal>(refused), AccountRefusal::Leaving);
    assert!(!world.sees(&ali, &mona).await);
    world.accounts.cancel_deletion(&actor(&back), None).await.unwrap();
    world.accounts.cancel_deletion(&actor(&back), None).await.unwrap();
    assert_eq!(world.leaving_at(&back).await, None);
    assert!(world.sees(&ali, &mona).await);
    let mut view = world.ports.store.read(&actor(&ali), Access::Read).await.unwrap();
    assert_eq!(view.accounts().profiles(&[mask]).await.unwrap()[0].standing, Standing::Live);
    assert!(posts.get(view.as_mut(), post).await.is_ok());
    world.advance(world.grace() * 2);
    assert_eq!(world.accounts.erase_due().await.unwrap(), 0);
    let trail = world.audit();
    for line in ["account.deletion_asked", "session.revoked leaving", "account.deletion_cancelled"] {
        assert!(trail.iter().any(|other| other == line), "{line}: {trail:?}");
    }
}

#[tokio::test]
async fn leaving_takes_a_fresh_proof_and_is_asked_for_once() {
    let world = world();
    let mona = world.join("mona").await;
    world.advance(world.ports.settings.proof_life);
    let refused = world.accounts.request_deletion(&actor(&mona), None).await;
    assert_eq!(refusal::<_, AccountRefusal>(refused), AccountRefusal::ProofNeeded);
    world.accounts.reauthenticate(&actor(&mona), &Secret::new(PASSWORD), None).await.unwrap();
    let key = || Some(IdempotencyKey::new("leave").unwrap());
    let at = world.accounts.request_deletion(&actor(&mona), key()).await.unwrap();
    world.advance(Duration::from_hours(1));
    assert_eq!(world.accounts.request_deletion(&actor(&mona), key()).await.unwrap(), at, "its answer was lost");
    let back = world.again("mona").await.unwrap();
    let again = world.accounts.request_deletion(&actor(&back), None).await.unwrap();
    assert_eq!(again, at, "asking again does not put it off");
    assert!(world.accounts.authenticate(&back.tokens.access).await.is_ok());
    assert_eq!(world.deliver().await.len(), 1);
}

#[tokio::test]
async fn apps_are_shut_out_of_who_leaves() {
    let world = world();
    let (nour, mona) = (world.join("nour").await, world.join("mona").await);
    let oauth = OauthService::new(world.accounts.clone(), "https://daira.example");
    let settings = AppSettings { name: "قطر".to_owned(), redirects: vec!["https://trains.example/cb".to_owned()] };
    let app = oauth.register_app(&actor(&nour), settings, true, None).await.unwrap().app.id;
    let request = format!(
        "response_type=code&client_id={app}&redirect_uri=https://trains.example/cb&scope=read:feed&state=x\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    );
    oauth.authorize(&actor(&mona), &request, None).await.unwrap();
    assert_eq!(oauth.connected_apps(&actor(&mona)).await.unwrap().len(), 1);
    world.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    let back = world.again("mona").await.unwrap();
    assert!(oauth.connected_apps(&actor(&back)).await.unwrap().is_empty());
    assert!(world.events("apps").await.contains(&"account.v1.app_disconnected".to_owned()));
}

#[tokio::test]
async fn an_erasure_comes_when_the_grace_is_over_and_says_goodbye() {
    let world = world();
    let (mona, ali) = (world.join("mona").await, world.join("karim").await);
    world.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    world.deliver().await;
    world.advance(world.grace().saturating_sub(MOMENT));
    assert_eq!(world.accounts.erase_due().await.unwrap(), 0);
    let late = world.again("mona").await.unwrap();
    world.advance(MOMENT);
    assert_eq!(world.accounts.erase_due().await.unwrap(), 1);
    assert_eq!(world.accounts.erase_due().await.unwrap(), 0);
    assert!(is_invalid(world.accounts.cancel_deletion(&actor(&late), None).await), "too late");
    assert!(world.accounts.authenticate(&late.tokens.access).await.is_err());
    let refused = world.again("mona").await;
    assert_eq!(refusal::<_, AccountRefusal>(refused), AccountRefusal::CredentialsInvalid);
    assert_eq!(world.deliver().await, [("mona@example.com".to_owned(), GOODBYE.to_owned())], "sent without an account");
    assert!(!world.sees(&ali, &mona).await);
    assert_eq!(world.events("erased").await.last().unwrap(), "account.v1.erased");
    let subject = mona.member.account.raw();
    let lines = world.store.audit_trail().into_iter().filter(|(_, record)| record.subject == subject);
    let actions: Vec<&str> = lines.map(|(_, record)| record.action).collect();
    assert!(actions.ends_with(&["account.erasing", "account.erased"]), "the trail stays: {actions:?}");
    // Handle and address are free.
    let other = world.join("mona").await;
    assert_ne!(other.member.account, mona.member.account);
}

#[tokio::test]
async fn who_stays_while_an_erasure_is_about_to_begin_stays() {
    let inner = world();
    let mona = inner.join("mona").await;
    inner.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    inner.advance(inner.grace());
    let back = inner.again("mona").await.unwrap();
    let accounts = inner.accounts.clone();
    let stays = actor(&back);
    // Found to be due by the first unit, and kept before the second, which holds the lock.
    let then = async move { accounts.cancel_deletion(&stays, None).await.unwrap() };
    let store = Meanwhile { inner: inner.store.clone(), then: Mutex::new((1, Some(Box::pin(then)))) };
    let eraser = AccountService::new(Ports { store: Arc::new(store), ..inner.ports.clone() });
    assert_eq!(eraser.erase_due().await.unwrap(), 0);
    assert_eq!(inner.leaving_at(&back).await, None);
    assert!(inner.accounts.authenticate(&back.tokens.access).await.is_ok());
}

#[tokio::test]
async fn staff_take_nobody_the_right_to_leave_or_to_stay() {
    let office = office();
    let (world, staff, why) = (&office.world, &office.staff, &why(Reason::Spam));
    let admin = &office.hire("nour", StaffRole::Admin).await;
    let (mona, ali) = (world.join("mona").await, world.join("karim").await);
    let at = world.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    world.advance(world.grace().saturating_sub(Duration::from_hours(1)));
    let until = world.clock.now() + Duration::from_hours(7 * 24);
    staff.sanction(admin, mona.member.profile, Measure::Suspend(until), why, None).await.unwrap();
    world.advance(at.since(world.clock.now()));
    assert_eq!(world.accounts.erase_due().await.unwrap(), 0, "who is shut out could not stay");
    world.advance(until.since(world.clock.now()));
    assert_eq!(staff.lift_what_is_over(10).await.unwrap(), 1);
    assert!(!world.sees(&ali, &mona).await, "lifting a suspension does not bring back who leaves");
    let back = world.again("mona").await.unwrap();
    assert_eq!(world.leaving_at(&back).await, Some(until + Duration::from_hours(7 * 24)));
    world.accounts.cancel_deletion(&actor(&back), None).await.unwrap();
    assert!(world.sees(&ali, &mona).await);
    // Whoever is banned is erased all the same, if they asked before.
    world.accounts.request_deletion(&actor(&back), None).await.unwrap();
    staff.sanction(admin, mona.member.profile, Measure::Ban, why, None).await.unwrap();
    world.advance(world.grace());
    assert_eq!(world.accounts.erase_due().await.unwrap(), 1);
}

#[tokio::test]
async fn a_sanction_lasts_whoever_leaves_and_stays() {
    let office = office();
    let world = &office.world;
    let admin = office.hire("nour", StaffRole::Admin).await;
    let mona = world.join("mona").await;
    let measure = Measure::Restrict;
    office.staff.sanction(&admin, mona.member.profile, measure, &why(Reason::Spam), None).await.unwrap();
    world.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    let back = world.again("mona").await.unwrap();
    world.accounts.cancel_deletion(&actor(&back), None).await.unwrap();
    assert_eq!(world.accounts.me(&actor(&back)).await.unwrap().account.state, AccountState::Restricted);
}

#[tokio::test]
async fn who_cannot_come_in_leaves_by_an_operator() {
    let office = office();
    let (world, why) = (&office.world, why(Reason::Other));
    let admin = &office.hire("nour", StaffRole::Admin).await;
    let (mona, karim) = (world.join("mona").await, world.join("karim").await);
    let (hour, email) = (Duration::from_hours(1), "mona@example.com");
    office.staff.sanction(admin, mona.member.profile, Measure::Ban, &why, None).await.unwrap();
    let operator = Actor::System("cli");
    let decide = |wanted| world.accounts.decide_deletion(&operator, email, wanted, &why);
    let at = decide(true).await.unwrap();
    assert_eq!(at, Some(world.clock.now() + world.grace()));
    world.advance(hour);
    assert_eq!(decide(true).await.unwrap(), at, "asked for again it is not put off");
    assert_eq!(decide(false).await.unwrap(), None);
    world.advance(world.grace());
    assert_eq!(world.accounts.erase_due().await.unwrap(), 0);
    // A suspension that outlasts the grace leaves a week to come back.
    let until = world.clock.now() + Duration::from_hours(29 * 24);
    office.staff.sanction(admin, karim.member.profile, Measure::Suspend(until), &why, None).await.unwrap();
    let at = world.accounts.decide_deletion(&operator, "karim@example.com", true, &why).await.unwrap();
    assert_eq!(at, Some(until + Duration::from_hours(7 * 24)));
    let refused = world.accounts.decide_deletion(&operator, "nobody@example.com", true, &why).await;
    assert_eq!(refused.unwrap_err().refused_as().code, "common.not_found");
    let refused = world.accounts.decide_deletion(&actor(&karim), email, true, &why).await;
    assert_eq!(refused.unwrap_err().refused_as().code, "common.not_found", "nobody decides it for another");
    decide(true).await.unwrap();
    world.advance(world.grace());
    assert_eq!(world.accounts.erase_due().await.unwrap(), 1);
    world.advance(Duration::from_hours(6 * 24));
    assert_eq!(world.accounts.erase_due().await.unwrap(), 1);
    assert!(decide(true).await.is_err());
    assert!(world.audit().iter().any(|line| line.starts_with("account.deletion_asked reason=other")));
}

#[tokio::test]
async fn an_erasure_that_was_cut_off_goes_on_and_holds_up_nobody() {
    let (world, blobs) = world_with_faulty_blobs();
    blobs.stuck.store(1, SeqCst);
    let (mona, ali) = (world.join("mona").await, world.join("karim").await);
    let (now, owner) = (world.clock.now(), mona.member.profile);
    let picture = daira_core::media::Media {
        id: world.ports.ids.draw(now, owner.shard()),
        owner,
        width: 4,
        height: 3,
        blurhash: String::new(),
        alt: "القلعة".to_owned(),
        variants: vec![daira_core::media::Variant {
            name: "feed-480.webp".to_owned(),
            key: "img/aa/1".to_owned(),
            content_type: "image/webp".to_owned(),
            width: 4,
            height: 3,
            bytes: 1,
        }],
        post: None,
        attached: false,
        created_at: now,
    };
    blobs.put("img/aa/1", "image/webp", bytes::Bytes::from_static(b"x")).await.unwrap();
    world.change(mona.member, move |unit| Box::pin(async move { unit.media().insert(&picture).await })).await;
    world.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    world.accounts.request_deletion(&actor(&ali), None).await.unwrap();
    world.advance(world.grace());
    let error = world.accounts.erase_due().await.unwrap_err();
    assert_eq!(error.operation(), "blob.delete");
    assert!(blobs.head("img/aa/1").await.unwrap().is_some());
    assert_eq!(world.audit().iter().filter(|line| *line == "account.erased").count(), 1, "the other one went");
    assert_eq!(world.accounts.erase_due().await.unwrap(), 1);
    assert!(blobs.head("img/aa/1").await.unwrap().is_none());
    assert_eq!(world.audit().iter().filter(|line| *line == "account.erasing").count(), 2, "each began once");
    world.deliver().await;
    assert_eq!(world.mail.messages().iter().filter(|mail| mail.subject == GOODBYE).count(), 2);
}
