//! What is due to people outside and cannot be handed over: it is tried again alone, holds up nobody, and has an end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use daira_core::account::AccountService;
use daira_core::actor::{Actor, Client};
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::locale::Locale;
use daira_core::memory::ManualClock;
use daira_core::port::{Channel, Clock, Handed, Message, Ports};
use daira_core::testkit::fixture::Fixture;
use daira_worker::consume::Mail;
use daira_worker::job::Deliver;
use daira_worker::{Job, Runner};
use tokio::sync::Notify;

/// What a post office says to an address: refusals for now, or one for good.
#[derive(Debug, Clone, Copy)]
enum Says {
    Away(u32),
    Never,
    Silent,
}

/// Takes mails as it is told to.
#[derive(Debug, Default)]
struct Office {
    says: Mutex<HashMap<String, Says>>,
    /// Everything that was handed to it.
    tried: Mutex<Vec<Message>>,
    taken: Mutex<Vec<Message>>,
    /// Ends the silence of one.
    speaks: Notify,
}

#[async_trait]
impl Channel for Office {
    async fn send(&self, message: &Message) -> Result<Handed> {
        self.tried.lock().unwrap().push(message.clone());
        let is_silent = matches!(self.says.lock().unwrap().get(message.to.expose()), Some(Says::Silent));
        if is_silent {
            self.speaks.notified().await;
        }
        let mut says = self.says.lock().unwrap();
        match says.get_mut(message.to.expose()) {
            Some(Says::Never) => return Ok(Handed::Refused("SMTP 550".to_owned())),
            Some(Says::Away(left)) if *left > 0 => {
                *left -= 1;
                return Err(Error::new(ErrorKind::Unavailable, "test.away"));
            }
            _ => {}
        }
        self.taken.lock().unwrap().push(message.clone());
        Ok(Handed::Over)
    }
}

impl Office {
    fn says(&self, to: &str, what: Says) {
        self.says.lock().unwrap().insert(to.to_owned(), what);
    }

    fn to(messages: &Mutex<Vec<Message>>) -> Vec<String> {
        messages.lock().unwrap().iter().map(|message| message.to.expose().to_owned()).collect()
    }
}

struct Town {
    clock: Arc<ManualClock>,
    ports: Ports,
    office: Arc<Office>,
    accounts: AccountService,
    runner: Runner,
}

/// Somebody for each name, whose mail goes through the office.
async fn town(names: &[&str]) -> Town {
    let (clock, office) = (Arc::new(ManualClock::default()), Arc::new(Office::default()));
    let ports = Ports { mail: office.clone(), ..Ports::in_memory_at(clock.clone(), 7) };
    let world = Fixture::new(ports.clone());
    for name in names {
        world.person(*name).await;
    }
    let runner = Runner::new(ports.clone()).consumer(Mail::new(&ports));
    Town { clock, office, accounts: AccountService::new(ports.clone()), runner, ports }
}

impl Town {
    async fn lose_password(&self, name: &str) {
        let email = format!("{name}@example.com");
        self.accounts.request_password_reset(&Client::default(), &email, Locale::Ar, None).await.unwrap();
    }

    /// How many deliveries are left, due or not.
    async fn left(&self) -> usize {
        let later = self.clock.now() + Duration::from_hours(1_000);
        let mut unit = self.ports.store.begin(&Actor::System("test")).await.unwrap();
        unit.deliveries().take_deliveries(later, later, 1_000).await.unwrap().len()
    }
}

#[tokio::test]
async fn one_who_cannot_be_reached_holds_up_nobody() {
    let town = town(&["mona", "omar", "nour"]).await;
    town.office.says("omar@example.com", Says::Away(3));
    for name in ["mona", "omar", "nour"] {
        town.lose_password(name).await;
    }
    town.runner.run_until_idle().await.unwrap();
    let mut at_once = Office::to(&town.office.taken);
    at_once.sort();
    assert_eq!(at_once, ["mona@example.com", "nour@example.com"]);
    assert!(town.ports.bus.dead_letters("mail", None, 10).await.unwrap().is_empty());
    assert_eq!(town.left().await, 1, "and nothing else is tried again");

    Deliver.run(&town.ports).await.unwrap();
    assert_eq!(Office::to(&town.office.tried).len(), 3, "not before its time");
    for pause in [7, 13, 25] {
        town.clock.advance(Duration::from_secs(pause));
        Deliver.run(&town.ports).await.unwrap();
    }
    assert_eq!(Office::to(&town.office.taken)[2..], ["omar@example.com"]);
    assert_eq!(town.left().await, 0);
    let tried = town.office.tried.lock().unwrap();
    let to_omar: Vec<_> = tried.iter().filter(|message| message.to.expose() == "omar@example.com").collect();
    assert!(to_omar.len() == 4 && to_omar.iter().all(|message| message.key == to_omar[0].key));
    assert!(to_omar.iter().all(|message| message.text.expose().contains("drp_")), "made anew each time");
}

#[tokio::test]
async fn one_who_does_not_answer_holds_up_nobody_but_what_goes_there() {
    let names: Vec<String> = (0..40).map(|n| format!("mona{n}")).collect();
    let town = town(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    town.office.says("mona0@example.com", Says::Silent);
    for name in ["mona0"].into_iter().chain(names.iter().map(String::as_str)) {
        town.lose_password(name).await;
    }
    let all_else = async {
        while Office::to(&town.office.taken).len() < 39 {
            tokio::task::yield_now().await;
        }
        assert!(!Office::to(&town.office.taken).contains(&"mona0@example.com".to_owned()));
        assert_eq!(Office::to(&town.office.tried).iter().filter(|to| *to == "mona0@example.com").count(), 1);
        town.office.says("mona0@example.com", Says::Away(0));
        town.office.speaks.notify_one();
    };
    let (ran, ()) = tokio::join!(town.runner.run_until_idle(), all_else);
    ran.unwrap();
    assert_eq!(Office::to(&town.office.taken)[39..], ["mona0@example.com", "mona0@example.com"]);
}

#[tokio::test]
async fn what_is_refused_for_good_is_tried_once() {
    let town = town(&["mona"]).await;
    town.office.says("mona@example.com", Says::Never);
    town.lose_password("mona").await;
    town.runner.run_until_idle().await.unwrap();
    town.clock.advance(Duration::from_mins(5));
    Deliver.run(&town.ports).await.unwrap();
    assert_eq!(Office::to(&town.office.tried).len(), 1);
    assert_eq!(town.left().await, 0);
}

#[tokio::test]
async fn what_lapsed_meanwhile_is_not_sent_any_more() {
    let town = town(&["mona"]).await;
    town.office.says("mona@example.com", Says::Away(1));
    town.lose_password("mona").await;
    town.runner.run_until_idle().await.unwrap();
    town.clock.advance(town.ports.settings.code_life);
    Deliver.run(&town.ports).await.unwrap();
    assert_eq!((Office::to(&town.office.tried).len(), town.left().await), (1, 0));
}

#[tokio::test]
async fn a_stranger_who_cannot_be_reached_counts_as_one_mail() {
    let town = town(&[]).await;
    town.office.says("nobody@example.com", Says::Away(5));
    town.lose_password("nobody").await;
    town.runner.run_until_idle().await.unwrap();
    for _ in 0..6 {
        town.clock.advance(Duration::from_mins(2));
        Deliver.run(&town.ports).await.unwrap();
    }
    assert_eq!(Office::to(&town.office.taken), ["nobody@example.com"], "a try more is no mail more");
}

#[tokio::test]
async fn what_dies_with_its_sender_comes_again() {
    let town = town(&["mona"]).await;
    town.lose_password("mona").await;
    // Somebody takes it, and is never heard of again.
    town.office.says("mona@example.com", Says::Away(1));
    town.runner.run_until_idle().await.unwrap();
    town.clock.advance(Duration::from_mins(1));
    let now = town.clock.now();
    let taken = town.ports.transact(&Actor::System("test"), |mut unit| {
        Box::pin(async move { unit.deliveries().take_deliveries(now, now + Duration::from_mins(3), 8).await })
    });
    assert_eq!(taken.await.unwrap().len(), 1);
    Deliver.run(&town.ports).await.unwrap();
    assert!(Office::to(&town.office.taken).is_empty(), "it is somebody's");
    town.clock.advance(Duration::from_mins(3));
    Deliver.run(&town.ports).await.unwrap();
    assert_eq!(Office::to(&town.office.taken), ["mona@example.com"]);
}

#[tokio::test]
async fn while_nothing_goes_through_few_are_tried_at_a_time() {
    let names: Vec<String> = (0..40).map(|n| format!("mona{n}")).collect();
    let town = town(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for name in &names {
        town.office.says(&format!("{name}@example.com"), Says::Away(1));
        town.lose_password(name).await;
    }
    town.runner.run_until_idle().await.unwrap();
    assert_eq!(Office::to(&town.office.tried).len(), 16, "the others wait for the way to be open");
    for _ in 0..5 {
        town.clock.advance(Duration::from_secs(7));
        Deliver.run(&town.ports).await.unwrap();
    }
    assert_eq!((Office::to(&town.office.taken).len(), town.left().await), (40, 0));
}
