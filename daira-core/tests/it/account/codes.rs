//! Logging in with a code that was sent: to a mailbox, to a phone, to nobody.

use daira_core::account::{AccountState, ChangePassword, Due, LogInWithCode};
use daira_core::idempotency::IdempotencyKey;
use daira_core::port::{LimitRefusal, Quota};

use super::phone::{NUMBER, told};
use super::*;

const WRONG: (Option<AccountRefusal>, Option<&str>) = (Some(AccountRefusal::CodeInvalid), Some("code"));

impl World {
    async fn ask(&self, to: &str) -> ChallengeId {
        self.accounts.request_log_in_code(&Client::default(), to, Locale::En, None).await.unwrap()
    }

    async fn come(&self, challenge: ChallengeId, code: &Secret) -> Result<Entry> {
        let input = LogInWithCode { challenge, code: code.clone(), device: "Nokia".to_owned() };
        self.accounts.log_in_with_code(&Client::default(), &input).await
    }

    /// The digits of the latest mail.
    fn mailed(&self) -> Secret {
        let mails = self.mail.messages();
        let text = mails.last().unwrap().text.expose();
        Secret::new(text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).expect("a code"))
    }
}

#[tokio::test]
async fn security_13_a_sent_code_lets_in_once_by_mail_and_by_phone() {
    let world = world();
    let mona = world.join("mona").await;
    world.give(&mona, NUMBER).await;
    for to in ["Mona@Example.com", "٠١٠٠ ١٢٣ ٤٥٦٧"] {
        let challenge = world.ask(to).await;
        let texts = world.text().await;
        let code = if to.contains('@') { world.mailed() } else { world.sent_to(NUMBER) };
        assert_eq!(texts.len(), usize::from(!to.contains('@')));
        let arabic = code.expose().bytes().map(|b| char::from_u32(0x660 + u32::from(b - b'0')).unwrap());
        let inside = entered(world.come(challenge, &Secret::new(arabic.collect::<String>())).await).unwrap();
        assert_eq!(inside.member.profile, mona.member.profile);
        assert!(world.accounts.authenticate(&inside.tokens.access).await.is_ok());
        assert_eq!(told(world.come(challenge, &code).await), WRONG, "once");
        let sessions = world.accounts.sessions(&actor(&inside)).await.unwrap();
        assert!(sessions.iter().any(|one| one.id == inside.member.session && one.device == "Nokia"));
        if !to.contains('@') {
            // A number may have been passed on: having it changes no other way in.
            let other = world.accounts.change_phone(&actor(&inside), "01112345678", None).await;
            assert_eq!(refusal::<_, AccountRefusal>(other), AccountRefusal::ProofNeeded);
        }
    }
    assert_eq!(world.audit().iter().filter(|line| *line == "account.code_used").count(), 2);
}

#[tokio::test]
async fn security_13_many_at_once_with_the_same_code_are_one() {
    let world = world();
    world.join("mona").await;
    let challenge = world.ask("mona@example.com").await;
    world.deliver().await;
    let code = world.mailed();
    let many = futures_util::future::join_all((0..20).map(|_| world.come(challenge, &code))).await;
    assert_eq!(many.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(many.into_iter().filter(Result::is_err).all(|outcome| told(outcome) == WRONG));
}

#[tokio::test]
async fn security_08_strangers_use_up_neither_codes_nor_tries_of_a_known_device() {
    let world = world_with(|ports| ports.settings_mut().limits.code_recipient = Quota::an_hour(3));
    world.join("mona").await;
    let before = entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    let hers = Client { known_device: Some(before.device), ..Client::default() };
    let to = "mona@example.com";
    let ask = async |client: &Client| world.accounts.request_log_in_code(client, to, Locale::En, None).await;
    while ask(&Client::default()).await.is_ok() {}
    assert_eq!(refusal::<_, LimitRefusal>(ask(&Client::default()).await), LimitRefusal::Reached);
    let challenge = ask(&hers).await.unwrap();
    world.deliver().await;
    let code = world.mailed();
    let come = async |client: &Client, code: &Secret| {
        let input = LogInWithCode { challenge, code: code.clone(), device: String::new() };
        world.accounts.log_in_with_code(client, &input).await
    };
    for _ in 0..3 {
        assert_eq!(told(come(&Client::default(), &Secret::new("x")).await), WRONG);
    }
    assert_eq!(refusal::<_, LimitRefusal>(come(&Client::default(), &code).await), LimitRefusal::Reached);
    assert!(entered(come(&hers, &code).await).is_ok());
}

#[tokio::test]
async fn a_country_gets_so_many_messages_and_the_rest_waits() {
    let world = world_with(|ports| ports.settings_mut().limits.phone_country = Quota::a_minute(1));
    for (name, number) in [("mona", NUMBER), ("nour", "01112345678")] {
        let person = world.join(name).await;
        let due = Due::Mailing(world.accounts.change_phone(&actor(&person), number, None).await.unwrap());
        let now = world.clock.now();
        let mut unit = world.ports.store.begin(&Actor::System("test")).await.unwrap();
        unit.deliveries().put_delivery(due, now).await.unwrap();
        unit.commit().await.unwrap();
    }
    for (done, sent) in [(1, 1), (0, 1)] {
        assert_eq!(world.accounts.deliver_due().await.unwrap(), done);
        assert_eq!(world.phone.texts().len(), sent);
    }
    world.advance(Duration::from_mins(1));
    assert_eq!(world.accounts.deliver_due().await.unwrap(), 1);
    assert_eq!(world.phone.texts().len(), 2);
}

#[tokio::test]
async fn security_13_a_sent_code_bears_few_tries_and_a_short_life() {
    let world = world();
    world.join("mona").await;
    let challenge = world.ask("mona@example.com").await;
    world.deliver().await;
    let code = world.mailed();
    for bad in ["", "not it", "0000000", "12345", &"1".repeat(100_000)] {
        assert_eq!(told(world.come(challenge, &Secret::new(bad)).await), WRONG);
    }
    assert_eq!(told(world.come(challenge, &code).await), WRONG, "it bore five");
    let late = world.ask("mona@example.com").await;
    world.deliver().await;
    world.advance(world.ports.settings.code_life);
    assert_eq!(told(world.come(late, &world.mailed()).await), WRONG);
    assert_eq!(told(world.come(daira_core::id::Id::from_raw(1), &code).await), WRONG);
}

#[tokio::test]
async fn security_13_many_codes_bear_few_tries_together() {
    let world = world();
    world.join("mona").await;
    let mut tries = 0;
    let over = loop {
        let challenge = world.ask("mona@example.com").await;
        let wrong = async || world.come(challenge, &Secret::new("none")).await.unwrap_err();
        let refused = async |error: Error| error.refusal() == Some(LimitRefusal::Reached);
        for _ in 0..4 {
            if refused(wrong().await).await {
                break;
            }
            tries += 1;
        }
        if refused(wrong().await).await {
            break tries;
        }
        tries += 1;
        world.advance(Duration::from_mins(15));
    };
    assert!((30..=60).contains(&over), "{over} in a day");
}

#[tokio::test]
async fn security_05_security_07_asking_for_a_code_tells_nothing_of_who_has_an_account() {
    let world = world();
    let mona = world.join("mona").await;
    world.give(&mona, NUMBER).await;
    world.events("before").await;
    let asked = [
        world.ask("mona@example.com").await,
        world.ask("nobody@example.com").await,
        world.ask(NUMBER).await,
        world.ask("01112345678").await,
    ];
    assert!(asked.iter().all(|challenge| challenge.to_string().len() == asked[0].to_string().len()));
    assert_eq!(world.events("before").await, ["account.v1.mail_due"; 4], "the same is written for each");
    let mails = world.mail.messages().len();
    let texts = world.text().await;
    assert_eq!((world.mail.messages().len() - mails, texts.len()), (1, 1), "nobody is sent nothing");
    // A wrong code is wrong for the same reason everywhere, however often it is tried.
    for _ in 0..7 {
        let mut said = Vec::new();
        for challenge in asked {
            said.push(world.come(challenge, &Secret::new("1")).await.unwrap_err().to_string());
        }
        assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
    }
    // What a code for nobody would be lets nobody in.
    let nobody = world.ask("01112345678").await;
    let none = daira_core::id::Id::from_raw(0);
    let digits = token::log_in_code(&world.ports.keys.challenge, nobody, none, "+201112345678", "");
    assert_eq!(told(world.come(nobody, &digits).await), WRONG);
}

#[tokio::test]
async fn a_code_ends_with_the_password_and_with_the_number_it_was_made_for() {
    let world = world();
    let mona = world.join("mona").await;
    world.give(&mona, NUMBER).await;
    let (mailed, sent) = (world.ask("mona@example.com").await, world.ask(NUMBER).await);
    world.text().await;
    let (in_mail, in_text) = (world.mailed(), world.sent_to(NUMBER));
    world.accounts.remove_phone(&actor(&mona), None).await.unwrap();
    assert_eq!(told(world.come(sent, &in_text).await), WRONG, "the number is nobody's");
    let input = ChangePassword { current: Secret::new(PASSWORD), new: Secret::new("fasolia beida w ta3m") };
    world.accounts.change_password(&actor(&mona), &input, None).await.unwrap();
    assert_eq!(told(world.come(mailed, &in_mail).await), WRONG);
}

#[tokio::test]
async fn an_account_with_a_second_factor_takes_it_besides_the_code() {
    let world = world();
    let mona = world.guard("mona").await;
    let challenge = world.ask("mona@example.com").await;
    world.deliver().await;
    let code = world.mailed();
    let Entry::Waits(waited) = world.come(challenge, &code).await.unwrap() else { panic!("it lets in at once") };
    assert_eq!(told(world.come(challenge, &code).await), WRONG, "the code is spent all the same");
    let inside = world.second_step(&waited.challenge, &world.next_digits(&mona.secret)).await.unwrap();
    assert_eq!(inside.member.profile, mona.person.member.profile);
}

#[tokio::test]
async fn states_count_for_codes_as_for_passwords() {
    let world = world();
    let mona = world.join("mona").await;
    let until = world.clock.now() + Duration::from_hours(1);
    world.set_state(mona.member, AccountState::Suspended(until)).await;
    let challenge = world.ask("mona@example.com").await;
    world.deliver().await;
    let right = world.mailed();
    assert_eq!(told(world.come(challenge, &Secret::new("1")).await), WRONG, "told to who proved it alone");
    assert_eq!(told(world.come(challenge, &right).await).0, Some(AccountRefusal::Suspended));
    world.set_state(mona.member, AccountState::Deactivated).await;
    entered(world.come(challenge, &right).await).unwrap();
    assert_eq!(world.accounts.me(&actor(&mona)).await.unwrap().account.state, AccountState::Active, "it wakes");
    world.set_state(mona.member, AccountState::Deleted).await;
    world.ask("mona@example.com").await;
    assert!(world.deliver().await.is_empty(), "who is gone is nobody");
}

#[tokio::test]
async fn security_09_nobody_is_sent_codes_to_log_in_without_end() {
    let world = world();
    let mona = world.join("mona").await;
    world.give(&mona, NUMBER).await;
    let from = |n: u8| Client { address: Some([203, 0, 113, n].into()), known_device: None };
    let mut taken = [0, 0];
    for n in 0..20 {
        let mailbox = if n % 2 == 0 { "mona@example.com".to_owned() } else { format!("MONA+{n}@example.com") };
        let number = if n % 2 == 0 { NUMBER } else { "+٢٠١٠٠١٢٣٤٥٦٧" };
        for (at, to) in [mailbox.as_str(), number].into_iter().enumerate() {
            match world.accounts.request_log_in_code(&from(n), to, Locale::Ar, None).await {
                Ok(_) => taken[at] += 1,
                Err(error) => assert_eq!(error.refusal(), Some(LimitRefusal::Reached)),
            }
        }
    }
    // One of the number's went into proving it.
    assert_eq!(taken, [5, 4]);
    let mut everybody = 0;
    for n in 0..100 {
        let to = format!("p{n}@example.com");
        let asked = world.accounts.request_log_in_code(&from(200), &to, Locale::Ar, None).await;
        everybody += usize::from(asked.is_ok());
    }
    assert_eq!(everybody, 60, "nor can one place ask for everybody");
}

#[tokio::test]
async fn who_asks_again_is_reached_another_way_and_a_repeat_asks_once() {
    let world = world();
    let mona = world.join("mona").await;
    world.give(&mona, NUMBER).await;
    world.advance(world.ports.settings.code_life * 2);
    let key = IdempotencyKey::new("k").unwrap();
    let mut challenges = std::collections::HashSet::new();
    for _ in 0..2 {
        let key = Some(key.clone());
        let asked = world.accounts.request_log_in_code(&Client::default(), NUMBER, Locale::Ar, key).await;
        challenges.insert(asked.unwrap());
    }
    assert_eq!(challenges.len(), 1);
    assert_eq!(world.text().await.iter().map(|text| text.again).collect::<Vec<_>>(), [0]);
    world.ask(NUMBER).await;
    assert_eq!(world.text().await.iter().map(|text| text.again).collect::<Vec<_>>(), [1]);
    let abroad = world.accounts.request_log_in_code(&Client::default(), "+12025550123", Locale::Ar, None).await;
    assert_eq!(told(abroad), (Some(AccountRefusal::PhoneAbroad), Some("phone")));
}
