//! How often strangers may try, and that it locks nobody out.

use daira_core::account::Due;
use daira_core::port::LimitRefusal;

use super::*;

fn from(n: u8) -> Client {
    Client { address: Some([203, 0, 113, n].into()), known_device: None }
}

fn wrong(name: &str) -> LogIn {
    LogIn { password: Secret::new("shai bel na3na3"), ..logging_in(name) }
}

/// Whether something was refused because it came too often; then it says when to come again.
fn too_often<T: core::fmt::Debug>(outcome: Result<T>) -> bool {
    let Err(error) = outcome else { return false };
    let reached = error.refusal() == Some(LimitRefusal::Reached);
    assert!(!reached || error.retry_after().is_some_and(|wait| !wait.is_zero()));
    reached
}

#[tokio::test]
async fn security_08_strangers_are_stopped_and_cannot_lock_the_owner_out() {
    let world = world();
    let mona = world.join("mona").await;
    let mut tried = 0;
    for n in 0..50 {
        if !too_often(world.accounts.log_in(&from(n), wrong("mona"), None).await) {
            tried += 1;
        }
    }
    assert_eq!(tried, 10, "fifty addresses are no more than one");
    assert!(
        too_often(world.accounts.log_in(&from(200), logging_in("mona"), None).await),
        "whoever guesses now learns nothing"
    );

    let own = Client { known_device: Some(mona.device.clone()), ..from(1) };
    let back = entered(world.accounts.log_in(&own, logging_in("mona"), None).await).unwrap();
    // Named anew it would have ten tries more.
    let own = Client { known_device: Some(back.device), ..from(1) };
    for _ in 0..9 {
        assert!(!too_often(world.accounts.log_in(&own, wrong("mona"), None).await));
    }
    assert!(too_often(world.accounts.log_in(&own, wrong("mona"), None).await), "a stolen device has few tries, too");
    world.advance(Duration::from_mins(2));
    assert!(world.accounts.log_in(&own, logging_in("mona"), None).await.is_ok());
}

#[tokio::test]
async fn security_08_a_device_is_known_to_its_own_address_alone() {
    let world = world();
    let (mona, _) = (world.join("mona").await, world.join("nour").await);
    let foreign = Client { known_device: Some(mona.device), ..from(1) };
    for _ in 0..10 {
        assert!(!too_often(world.accounts.log_in(&foreign, wrong("nour"), None).await));
    }
    assert!(too_often(world.accounts.log_in(&foreign, wrong("nour"), None).await));
    let made_up = Client { known_device: Some(Secret::new("ddt_AAAA")), ..from(2) };
    assert!(too_often(world.accounts.log_in(&made_up, wrong("nour"), None).await));
}

#[tokio::test]
async fn security_08_one_address_cannot_try_everybody() {
    let world = world();
    let mut tried = 0;
    for n in 0..200 {
        if !too_often(world.accounts.log_in(&from(1), wrong(&format!("somebody{n}")), None).await) {
            tried += 1;
        }
    }
    assert_eq!(tried, 120);
    assert!(!too_often(world.accounts.log_in(&from(2), wrong("somebody199"), None).await), "others are not touched");
}

#[tokio::test]
async fn security_08_a_neighbour_behind_the_same_address_keeps_no_known_device_out() {
    let world = world();
    let mona = world.join("mona").await;
    while !too_often(world.accounts.log_in(&from(1), wrong("nobody"), None).await) {
        world.advance(Duration::from_millis(1));
    }
    let own = Client { known_device: Some(mona.device), ..from(1) };
    assert!(world.accounts.log_in(&own, logging_in("mona"), None).await.is_ok());
}

#[tokio::test]
async fn security_08_known_and_unknown_addresses_are_counted_alike() {
    let world = world();
    world.join("mona").await;
    let mut told = Vec::new();
    for name in ["mona", "nobody"] {
        let mut outcomes = Vec::new();
        for n in 0..12 {
            let error = world.accounts.log_in(&from(n), wrong(name), None).await.unwrap_err();
            outcomes.push((error.refused_as().code, error.retry_after()));
        }
        told.push(outcomes);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn security_09_nobody_is_sent_mail_without_end() {
    let world = world();
    let mut opened = Vec::new();
    world.join("nour").await;
    for n in 0..40 {
        // Refused for its handle, it sends no mail and costs none.
        let taken = Register { handle: "nour".to_owned(), ..registering("mona") };
        let refused = world.accounts.register(&from(n), taken, None).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(AccountRefusal::HandleTaken));
        let email = if n % 2 == 0 { " Mona@Example.com".to_owned() } else { format!("mona+{n}@example.com") };
        let wish = Register { handle: format!("mona.{n}"), email, ..registering("mona") };
        match world.accounts.register(&from(n), wish, None).await {
            Ok(registration) => opened.push(registration),
            Err(error) => assert_eq!(error.refusal(), Some(LimitRefusal::Reached)),
        }
    }
    assert_eq!(opened.len(), 5);
    for registration in opened {
        world.accounts.deliver(Due::Registration(registration)).await.unwrap();
    }
    assert_eq!(world.mail.messages().len(), 5);
    assert!(!too_often(world.accounts.register(&from(1), registering("hany"), None).await));
}

#[tokio::test]
async fn codes_cannot_be_tried_without_end_from_one_address() {
    let world = world();
    let mut tried = 0;
    for _ in 0..300 {
        let registration = world.ports.ids.draw(world.clock.now(), world.ports.ids.shard());
        let input = VerifyEmail { registration, code: Secret::new("123456"), device: String::new() };
        if !too_often(world.accounts.verify_email(&from(1), input).await) {
            tried += 1;
        }
    }
    assert_eq!(tried, 240);
}
