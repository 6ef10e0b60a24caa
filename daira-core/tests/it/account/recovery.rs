//! Changing the password, losing it, and moving to another address.

use daira_core::account::ChangePassword;
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
    async fn deliver(&self) -> Vec<(String, String)> {
        let before = self.mail.messages().len();
        let group = Group { name: "mail", topics: &["daira.account.v1"], rebuilds: true };
        while let Some(batch) = self.ports.bus.next(group, "test", 1_000).await.unwrap() {
            for delivered in batch.events() {
                if let Event::MailDue(due) = &delivered.event {
                    self.accounts.deliver_mailing(ChallengeId::from_raw(due.mailing_id)).await.unwrap();
                }
            }
            batch.commit().await.unwrap();
        }
        let sent = self.mail.messages();
        sent[before..].iter().map(|mail| (mail.to.expose().to_owned(), mail.subject.clone())).collect()
    }

    /// The token of the latest mail.
    fn token(&self) -> Secret {
        let mails = self.mail.messages();
        let text = mails.last().unwrap().text.expose();
        Secret::new(text.split_whitespace().find(|word| word.starts_with("drp_")).expect("a token"))
    }

    async fn enter(&self, name: &str, password: &str) -> Result<LoggedIn> {
        let input = LogIn { password: Secret::new(password), ..logging_in(name) };
        self.accounts.log_in(&Client::default(), input, None).await
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
    assert!(is_invalid(world.accounts.refresh(&there.tokens.refresh).await));
    assert_eq!(told(world.enter("mona", PASSWORD).await).0, Some(AccountRefusal::CredentialsInvalid));
    assert!(world.enter("mona", NEW).await.is_ok());
    assert_eq!(
        world.deliver().await,
        [("mona@example.com".to_owned(), "كلمة السر بتاعتك على دايرة اتغيّرت".to_owned())]
    );
    assert!(world.audit().contains(&"account.password_changed".to_owned()));
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
    assert!(token.expose().len() >= 40, "128 bits and more");
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
    world.set_state(mona.member, daira_core::account::AccountState::Deleted).await;
    assert_eq!(told(world.reset(&token, "a third good one").await).0, refused);
}

#[tokio::test]
async fn security_07_asking_for_a_new_password_tells_nothing_of_an_address() {
    let world = world();
    world.join("mona").await;
    assert_eq!(world.request("mona@example.com").await.unwrap(), world.request("nobody@example.com").await.unwrap());
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
    assert_eq!((asked, world.deliver().await.len()), (5, 5));
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

    let challenge = ask("Mona@new.example", PASSWORD).await.unwrap();
    assert_eq!(
        world.deliver().await,
        [("mona@new.example".to_owned(), "كود تأكيد إيميلك الجديد على دايرة".to_owned())]
    );
    let refused = (Some(AccountRefusal::CodeInvalid), Some("code"));
    assert_eq!(told(confirm(challenge, world.wrong_code(challenge)).await), refused);
    assert!(world.enter("mona", PASSWORD).await.is_ok(), "nothing changes before the code is given");
    confirm(challenge, world.code(challenge)).await.unwrap();
    assert_eq!(told(confirm(challenge, world.code(challenge)).await), refused, "it works once");
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
    assert_eq!(told(confirm(&omar, free, world.code(free)).await).0, refused, "it is another's");
    for _ in 0..5 {
        assert_eq!(told(confirm(&mona, free, world.wrong_code(free)).await).0, refused);
    }
    assert_eq!(told(confirm(&mona, free, world.code(free)).await).0, refused, "after five wrong ones none is right");
}

#[tokio::test]
async fn mails_that_lapsed_or_were_used_are_not_sent() {
    let world = world();
    world.join("mona").await;
    world.request("mona@example.com").await.unwrap();
    world.advance(world.ports.settings.code_life);
    assert!(world.deliver().await.is_empty());
    let nothing = ChallengeId::from_raw(1);
    assert!(!world.accounts.deliver_mailing(nothing).await.unwrap());
}
