//! Changing the password, losing it, and moving to another address.

use daira_core::account::{AccountState, ChangePassword, Due};
use daira_core::event::Event;
use daira_core::id::Id;
use daira_core::idempotency::IdempotencyKey;
use daira_core::port::LimitRefusal;

use super::*;

const NEW: &str = "fasolia beida w ta3m";

fn changing(current: &str, new: &str) -> ChangePassword {
    ChangePassword { current: Secret::new(current), new: Secret::new(new) }
}

/// What was refused, and the field that it is about.
fn told<T: core::fmt::Debug>(outcome: Result<T>) -> (Option<AccountRefusal>, Option<&'static str>) {
    let error = outcome.unwrap_err();
    (error.refusal(), error.field())
}

impl World {
    /// Sends the mails that are due since this was last asked: to whom, and with what subject.
    pub(super) async fn deliver(&self) -> Vec<(String, String)> {
        let before = self.mail.messages().len();
        let group = Group { name: "mail", topics: &["daira.account.v1"], rebuilds: true };
        let mut due = Vec::new();
        while let Some(batch) = self.ports.bus.next(group, "test", 1_000).await.unwrap() {
            due.extend(batch.events().iter().filter_map(|delivered| match &delivered.event {
                Event::MailDue(due) => Some(ChallengeId::from_raw(due.mailing_id)),
                _ => None,
            }));
            batch.commit().await.unwrap();
        }
        for mailing in due {
            self.accounts.deliver(Due::Mailing(mailing)).await.unwrap();
        }
        let sent = self.mail.messages();
        sent[before..].iter().map(|mail| (mail.to.expose().to_owned(), mail.subject.clone())).collect()
    }

    async fn platform(&self) -> Box<dyn UnitOfWork> {
        self.ports.store.begin(&Actor::System("test")).await.unwrap()
    }

    /// The token of the latest mail.
    fn token(&self) -> Secret {
        let mails = self.mail.messages();
        let text = mails.last().unwrap().text.expose();
        Secret::new(text.split_whitespace().find(|word| word.starts_with("drp_")).expect("a token"))
    }

    /// The digits of the latest mail.
    fn digits(&self) -> Secret {
        let mails = self.mail.messages();
        let text = mails.last().unwrap().text.expose();
        let digits = text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6);
        Secret::new(digits.expect("a code"))
    }

    async fn enter(&self, name: &str, password: &str) -> Result<LoggedIn> {
        let input = LogIn { password: Secret::new(password), ..logging_in(name) };
        entered(self.accounts.log_in(&Client::default(), input, None).await)
    }

    async fn request(&self, email: &str) -> Result<()> {
        self.accounts.request_password_reset(&Client::default(), email, Locale::Ar, None).await
    }

    async fn reset(&self, token: &Secret, new: &str) -> Result<()> {
        self.accounts.reset_password(&Client::default(), token, &Secret::new(new)).await
    }

    async fn lives(&self, person: &LoggedIn) -> bool {
        self.accounts.authenticate(&person.tokens.access).await.is_ok()
    }
}

#[tokio::test]
async fn security_10_a_new_password_takes_the_old_one_and_ends_all_other_sessions() {
    let world = world();
    let here = world.join("mona").await;
    let there = world.enter("mona", PASSWORD).await.unwrap();
    let change = |current, new| {
        let (world, actor, input) = (&world, actor(&here), changing(current, new));
        async move { world.accounts.change_password(&actor, &input, None).await }
    };
    let wrong = told(change("shai bel na3na3", NEW).await);
    assert_eq!(wrong, (Some(AccountRefusal::CredentialsInvalid), Some("currentPassword")));
    for (bad, refusal) in [
        ("short", AccountRefusal::PasswordShort),
        ("password1234", AccountRefusal::PasswordCommon),
        ("mona mona mona", AccountRefusal::PasswordCommon),
    ] {
        assert_eq!(told(change(PASSWORD, bad).await), (Some(refusal), Some("password")), "{bad}");
    }
    assert!(world.lives(&there).await && world.deliver().await.is_empty(), "nothing changed so far");

    assert_eq!(change(PASSWORD, NEW).await.unwrap(), 1);
    assert!(world.lives(&here).await && !world.lives(&there).await);
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &there.tokens.refresh).await));
    assert_eq!(told(world.enter("mona", PASSWORD).await).0, Some(AccountRefusal::CredentialsInvalid));
    assert!(world.enter("mona", NEW).await.is_ok());
    assert_eq!(
        world.deliver().await,
        [("mona@example.com".to_owned(), "كلمة السر بتاعتك على دايرة اتغيّرت".to_owned())]
    );
    assert!(world.audit().contains(&"account.password_changed changed".to_owned()));
    assert!(world.audit().contains(&"session.revoked password_changed".to_owned()));
}

#[tokio::test]
async fn a_repeated_change_is_one_change() {
    let world = world();
    let mona = world.join("mona").await;
    world.enter("mona", PASSWORD).await.unwrap();
    let key = || Some(IdempotencyKey::new("change-1").unwrap());
    let change = |input: ChangePassword, key| {
        let (world, actor) = (&world, actor(&mona));
        async move { world.accounts.change_password(&actor, &input, key).await }
    };
    assert_eq!(change(changing(PASSWORD, NEW), key()).await.unwrap(), 1);
    assert_eq!(change(changing(PASSWORD, NEW), key()).await.unwrap(), 1, "its answer was lost");
    let refused = Some(AccountRefusal::CredentialsInvalid);
    assert_eq!(told(change(changing(PASSWORD, NEW), None).await).0, refused, "without a key it is another request");
    let other = Some(IdempotencyKey::new("change-2").unwrap());
    assert_eq!(told(change(changing(PASSWORD, NEW), other).await).0, refused);
    assert_eq!(told(change(changing(PASSWORD, "another good one"), key()).await).0, refused);
    assert_eq!(world.deliver().await.len(), 1);
}

#[tokio::test]
async fn whoever_took_a_session_over_cannot_guess_the_password() {
    let world = world();
    let mona = world.join("mona").await;
    let mut refusals = Vec::new();
    for n in 0..12 {
        let input = changing(&format!("guess number {n}"), NEW);
        let error = world.accounts.change_password(&actor(&mona), &input, None).await.unwrap_err();
        refusals.push(error.refusal() == Some(LimitRefusal::Reached));
    }
    assert_eq!(refusals.iter().filter(|reached| !**reached).count(), 10);
}

#[tokio::test]
async fn security_11_a_lost_password_is_replaced_by_mail_once() {
    let world = world();
    let mona = world.join("mona").await;
    world.request(" Mona@example.com ").await.unwrap();
    let sent = world.deliver().await;
    assert_eq!(sent, [("mona@example.com".to_owned(), "اختار كلمة سر جديدة لحسابك على دايرة".to_owned())]);
    let token = world.token();
    assert!(token.expose().len() >= 50, "256 bits and the mailing's id");
    let refused = (Some(AccountRefusal::ResetInvalid), Some("token"));
    for bad in ["", "drp_", "drp_AAAA", &token.expose()[..50], &token.expose().replace("drp_", "drt_")] {
        assert_eq!(told(world.reset(&Secret::new(bad), NEW).await), refused, "{bad}");
    }
    assert_eq!(told(world.reset(&token, "short").await).0, Some(AccountRefusal::PasswordShort));
    assert!(world.lives(&mona).await);

    world.reset(&token, NEW).await.unwrap();
    assert!(!world.lives(&mona).await, "whoever had it is out");
    assert!(world.enter("mona", PASSWORD).await.is_err() && world.enter("mona", NEW).await.is_ok());
    assert_eq!(told(world.reset(&token, "a third good one").await), refused, "it works once");
    assert_eq!(world.deliver().await.len(), 1, "the owner is told");
}

#[tokio::test]
async fn security_11_a_token_ends_with_time_and_with_the_password_it_was_made_for() {
    let world = world();
    let mona = world.join("mona").await;
    let refused = Some(AccountRefusal::ResetInvalid);
    world.request("mona@example.com").await.unwrap();
    world.deliver().await;
    let late = world.token();
    world.advance(world.ports.settings.code_life);
    assert_eq!(told(world.reset(&late, NEW).await).0, refused);

    world.request("mona@example.com").await.unwrap();
    world.deliver().await;
    let stale = world.token();
    world.accounts.change_password(&actor(&mona), &changing(PASSWORD, NEW), None).await.unwrap();
    assert_eq!(told(world.reset(&stale, "a third good one").await).0, refused);

    world.request("mona@example.com").await.unwrap();
    world.deliver().await;
    let token = world.token();
    world.set_state(mona.member, AccountState::Deleted).await;
    assert_eq!(told(world.reset(&token, "a third good one").await).0, refused);
}

#[tokio::test]
async fn security_07_asking_for_a_new_password_tells_nothing_of_an_address() {
    let world = world();
    world.join("mona").await;
    assert!(world.request("mona@example.com").await.is_ok() && world.request("nobody@example.com").await.is_ok());
    assert_eq!(told(world.request("no address").await).0, Some(AccountRefusal::EmailInvalid));
    let sent = world.deliver().await;
    let nobody = ("nobody@example.com".to_owned(), "مفيش حساب على دايرة بالإيميل ده".to_owned());
    assert!(sent.len() == 2 && sent.contains(&nobody), "the mail tells: {sent:?}");
}

#[tokio::test]
async fn security_09_mails_for_new_passwords_are_limited_per_inbox() {
    let world = world();
    let mut asked = 0;
    for n in 0..40_u8 {
        let client = Client { address: Some([203, 0, 113, n].into()), known_device: None };
        let email = format!("mona+{n}@example.com");
        asked += u8::from(world.accounts.request_password_reset(&client, &email, Locale::En, None).await.is_ok());
    }
    assert_eq!((asked, world.deliver().await.len()), (40, 5), "all of them go to one inbox of a stranger");
    world.join("omar").await;
    let mut asked = 0;
    for _ in 0..10 {
        asked += u8::from(world.request("omar@example.com").await.is_ok());
    }
    assert_eq!((asked, world.deliver().await.len()), (5, 5), "the owner gets what they ask for, and not without end");
}

#[tokio::test]
async fn security_12_an_address_is_changed_with_the_password_and_the_old_one_is_told() {
    let world = world();
    let mona = world.join("mona").await;
    let ask = |email: &'static str, password: &'static str| {
        let (world, actor) = (&world, actor(&mona));
        async move { world.accounts.change_email(&actor, email, &Secret::new(password), None).await }
    };
    let confirm = |challenge, code: Secret| {
        let (world, actor) = (&world, actor(&mona));
        async move { world.accounts.confirm_email(&actor, &Client::default(), challenge, &code).await }
    };
    assert_eq!(told(ask("no address", PASSWORD).await).0, Some(AccountRefusal::EmailInvalid));
    let wrong = told(ask("mona@new.example", "shai bel na3na3").await);
    assert_eq!(wrong, (Some(AccountRefusal::CredentialsInvalid), Some("currentPassword")));

    assert_eq!(
        told(ask("mona@example.com", PASSWORD).await).0,
        Some(AccountRefusal::EmailInvalid),
        "it is there already"
    );
    let challenge = ask("Mona@new.example", PASSWORD).await.unwrap();
    let due = ("mona@new.example".to_owned(), "كود تأكيد إيميلك الجديد على دايرة".to_owned());
    assert_eq!(world.deliver().await, [due]);
    let (digits, refused) = (world.digits(), (Some(AccountRefusal::CodeInvalid), Some("code")));
    let wrong: u32 = digits.expose().parse().unwrap();
    assert_eq!(told(confirm(challenge, Secret::new(format!("{:06}", (wrong + 1) % 1_000_000))).await), refused);
    assert!(world.enter("mona", PASSWORD).await.is_ok(), "nothing changes before the code is given");
    confirm(challenge, digits.clone()).await.unwrap();
    assert_eq!(told(confirm(challenge, digits).await), refused, "it works once");
    assert_eq!(world.deliver().await, [("mona@example.com".to_owned(), "إيميل حسابك على دايرة اتغيّر".to_owned())]);
    assert!(world.enter("mona", PASSWORD).await.is_err());
    let input = LogIn { email: "mona@new.example".to_owned(), ..logging_in("mona") };
    assert!(world.accounts.log_in(&Client::default(), input, None).await.is_ok());
    assert!(world.audit().contains(&"account.email_changed".to_owned()));
}

#[tokio::test]
async fn security_07_a_taken_address_looks_free_to_who_wants_it() {
    let world = world();
    let (mona, omar) = (world.join("mona").await, world.join("omar").await);
    let taken =
        world.accounts.change_email(&actor(&mona), "omar@example.com", &Secret::new(PASSWORD), None).await.unwrap();
    assert_eq!(world.deliver().await, [("omar@example.com".to_owned(), "حد حاول يستخدم إيميلك على دايرة".to_owned())]);
    let confirm = |person: &LoggedIn, challenge, code: Secret| {
        let (world, actor) = (&world, actor(person));
        async move { world.accounts.confirm_email(&actor, &Client::default(), challenge, &code).await }
    };
    let refused = Some(AccountRefusal::CodeInvalid);
    assert_eq!(told(confirm(&mona, taken, world.code(taken)).await).0, refused, "even with the code");

    let free =
        world.accounts.change_email(&actor(&mona), "mona@new.example", &Secret::new(PASSWORD), None).await.unwrap();
    world.deliver().await;
    let digits = world.digits();
    assert_eq!(told(confirm(&omar, free, digits.clone()).await).0, refused, "it is another's");
    for n in 0..5 {
        let wrong = (digits.expose().parse::<u32>().unwrap() + 1 + n) % 1_000_000;
        assert_eq!(told(confirm(&mona, free, Secret::new(format!("{wrong:06}"))).await).0, refused);
    }
    assert_eq!(told(confirm(&mona, free, digits).await).0, refused, "after five wrong ones none is right");
}

#[tokio::test]
async fn security_12_a_new_password_or_another_move_ends_a_pending_one() {
    let world = world();
    let mona = world.join("mona").await;
    let ask = async |email: &str, password: &str| {
        let (current, actor) = (Secret::new(password), actor(&mona));
        let challenge = world.accounts.change_email(&actor, email, &current, None).await.unwrap();
        world.deliver().await;
        (challenge, world.digits())
    };
    let confirm = async |(challenge, digits): (ChallengeId, Secret)| {
        world.accounts.confirm_email(&actor(&mona), &Client::default(), challenge, &digits).await
    };
    let pending = ask("mona@evil.example", PASSWORD).await;
    world.accounts.change_password(&actor(&mona), &changing(PASSWORD, NEW), None).await.unwrap();
    assert_eq!(told(confirm(pending).await).0, Some(AccountRefusal::CodeInvalid));
    let (one, other) = (ask("mona@one.example", NEW).await, ask("mona@other.example", NEW).await);
    confirm(one).await.unwrap();
    assert_eq!(told(confirm(other).await).0, Some(AccountRefusal::CodeInvalid));
}

#[tokio::test]
async fn a_token_sent_to_an_address_ends_when_the_account_moves_away() {
    let world = world();
    let mona = world.join("mona").await;
    world.request("mona@example.com").await.unwrap();
    world.deliver().await;
    let token = world.token();
    let current = Secret::new(PASSWORD);
    let challenge = world.accounts.change_email(&actor(&mona), "mona@new.example", &current, None).await.unwrap();
    world.deliver().await;
    let client = Client::default();
    world.accounts.confirm_email(&actor(&mona), &client, challenge, &world.digits()).await.unwrap();
    assert_eq!(told(world.reset(&token, NEW).await).0, Some(AccountRefusal::ResetInvalid));
}

#[tokio::test]
async fn nobody_is_warned_of_their_own_move() {
    let world = world();
    let mona = world.join("mona").await;
    let current = Secret::new(PASSWORD);
    let me = actor(&mona);
    let ask = || world.accounts.change_email(&me, "mona@new.example", &current, None);
    let first = ask().await.unwrap();
    world.deliver().await;
    let digits = world.digits();
    ask().await.unwrap();
    world.accounts.confirm_email(&actor(&mona), &Client::default(), first, &digits).await.unwrap();
    let old = ("mona@example.com".to_owned(), "إيميل حسابك على دايرة اتغيّر".to_owned());
    assert_eq!(world.deliver().await, [old], "the second code is about nothing any more");
}

#[tokio::test]
async fn a_notice_is_sent_however_late_and_then_its_address_goes() {
    let world = world();
    let mona = world.join("mona").await;
    world.accounts.change_password(&actor(&mona), &changing(PASSWORD, NEW), None).await.unwrap();
    world.advance(Duration::from_hours(6 * 24));
    assert_eq!(world.deliver().await.len(), 1);
    let mut unit = world.platform().await;
    let later = world.clock.now() + Duration::from_hours(1_000);
    assert_eq!(unit.accounts().purge_mailings(later, 100).await.unwrap(), 0);
}

#[tokio::test]
async fn a_password_is_replaced_in_any_state_but_the_last() {
    let world = world();
    let mona = world.join("mona").await;
    let until = world.clock.now() + Duration::from_hours(1);
    let states = [AccountState::Restricted, AccountState::Suspended(until), AccountState::Deactivated];
    for (n, state) in states.into_iter().enumerate() {
        world.set_state(mona.member, state).await;
        world.request("mona@example.com").await.unwrap();
        world.deliver().await;
        let token = world.token();
        world.reset(&token, &format!("{NEW} {n}")).await.unwrap();
        world.deliver().await;
    }
    assert!(world.enter("mona", &format!("{NEW} 2")).await.is_ok(), "and logging in wakes the account");
    world.set_state(mona.member, AccountState::Deleted).await;
    world.request("mona@example.com").await.unwrap();
    let nobody = "مفيش حساب على دايرة بالإيميل ده".to_owned();
    assert!(world.deliver().await.iter().any(|(_, subject)| *subject == nobody), "who is gone is nobody");
}

#[tokio::test]
async fn the_owner_is_told_of_a_copied_token() {
    let world = world();
    let mona = world.join("mona").await;
    assert!(world.accounts.deliver(Due::CopyNotice(mona.member.session)).await.unwrap());
    let mail = world.mail.messages().pop().unwrap();
    assert_eq!((mail.to.expose(), mail.key.as_str()), ("mona@example.com", mona.member.session.to_string().as_str()));
    let nobody = daira_core::id::SessionId::from_raw(1);
    assert!(!world.accounts.deliver(Due::CopyNotice(nobody)).await.unwrap());
}

#[tokio::test]
async fn mails_that_lapsed_or_were_used_are_not_sent() {
    let world = world();
    world.join("mona").await;
    world.request("mona@example.com").await.unwrap();
    world.advance(world.ports.settings.code_life);
    assert!(world.deliver().await.is_empty());
    let nothing = ChallengeId::from_raw(1);
    assert!(!world.accounts.deliver(Due::Mailing(nothing)).await.unwrap());
}
