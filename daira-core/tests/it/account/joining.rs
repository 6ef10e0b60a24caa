//! Registrations: what they tell, what they hold, and that a code is worth one account.

use daira_core::account::{AccountState, Due};
use daira_core::error::CommonRefusal;
use daira_core::idempotency::IdempotencyKey;
use tokio::task::JoinSet;

use super::*;

#[tokio::test]
async fn a_registration_becomes_an_account_by_its_code() {
    let world = world();
    let registration = world.accounts.register(&Client::default(), registering("mona"), None).await.unwrap();
    assert!(world.accounts.deliver(Due::Registration(registration)).await.unwrap());
    let mail = world.mail.messages().pop().unwrap();
    let code = world.code(registration);
    assert!(mail.to.expose() == "mona@example.com" && mail.text.expose().contains(code.expose()));

    let mona = world.verify(registration, code).await.unwrap();
    let me = world.accounts.me(&actor(&mona)).await.unwrap();
    assert_eq!(
        (me.account.id, me.account.state, me.account.email.as_str()),
        (mona.member.account, AccountState::Active, "mona@example.com")
    );
    let [profile] = me.profiles.as_slice() else { panic!("one face") };
    assert_eq!((profile.id, profile.handle.as_str(), profile.name.as_str()), (mona.member.profile, "mona", "منى علي"));
    assert_eq!(world.accounts.authenticate(&mona.tokens.access).await.unwrap(), actor(&mona));
    assert_eq!(world.accounts.sessions(&actor(&mona)).await.unwrap()[0].device, "Firefox on Android");
    assert_eq!(world.events("a").await, ["account.v1.registration_opened", "account.v1.profile_created"]);
    assert_eq!(world.audit(), ["account.registered"]);
    let logged = entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    assert_eq!(logged.member.profile, mona.member.profile);
}

#[tokio::test]
async fn security_07_registering_tells_nothing_of_an_email() {
    let world = world();
    let mona = world.join("mona").await;
    let again = Register { handle: "mona.two".to_owned(), ..registering("mona") };
    let taken = world.accounts.register(&Client::default(), again, None).await.unwrap();
    let free = world.accounts.register(&Client::default(), registering("nour"), None).await.unwrap();
    assert_eq!(taken.to_string().len(), free.to_string().len());
    for registration in [taken, free] {
        assert!(world.accounts.deliver(Due::Registration(registration)).await.unwrap());
    }
    let [notice, code] = world.mail.messages().try_into().unwrap();
    assert!(
        notice.text.expose().contains("عندك حساب بالفعل") && !notice.text.expose().contains(world.code(taken).expose())
    );
    assert!(code.text.expose().contains(world.code(free).expose()));
    // Even the right code answers like a wrong one.
    let late = world.verify(taken, world.code(taken)).await.unwrap_err();
    let wrong = world.verify(taken, world.wrong_code(taken)).await.unwrap_err();
    assert_eq!(
        (late.refusal(), late.to_string(), late.field()),
        (Some(AccountRefusal::CodeInvalid), wrong.to_string(), wrong.field())
    );
    assert_eq!(world.accounts.me(&actor(&mona)).await.unwrap().profiles.len(), 1);
}

#[tokio::test]
async fn no_mail_goes_out_for_a_registration_that_is_over() {
    let world = world();
    let lapsed = world.accounts.register(&Client::default(), registering("mona"), None).await.unwrap();
    world.advance(world.ports.settings.code_life);
    assert!(!world.accounts.deliver(Due::Registration(lapsed)).await.unwrap());
    let done = world.accounts.register(&Client::default(), registering("nour"), None).await.unwrap();
    world.verify(done, world.code(done)).await.unwrap();
    assert!(!world.accounts.deliver(Due::Registration(done)).await.unwrap());
    assert!(world.mail.messages().is_empty());
}

#[tokio::test]
async fn security_13_a_code_bears_few_tries_and_one_success() {
    let world = world();
    let code_invalid = |outcome| refusal::<_, AccountRefusal>(outcome) == AccountRefusal::CodeInvalid;
    let guessed = world.accounts.register(&Client::default(), registering("mona"), None).await.unwrap();
    for _ in 0..world.ports.settings.code_attempts {
        assert!(code_invalid(world.verify(guessed, world.wrong_code(guessed)).await));
    }
    assert!(
        code_invalid(world.verify(guessed, world.code(guessed)).await),
        "the tries were counted although they were refused"
    );

    let near = world.accounts.register(&Client::default(), registering("nour"), None).await.unwrap();
    for _ in 1..world.ports.settings.code_attempts {
        assert!(code_invalid(world.verify(near, world.wrong_code(near)).await));
    }
    world.verify(near, world.code(near)).await.unwrap();
    assert!(code_invalid(world.verify(near, world.code(near)).await), "a code works once");

    let late = world.accounts.register(&Client::default(), registering("salma"), None).await.unwrap();
    world.advance(world.ports.settings.code_life);
    assert!(code_invalid(world.verify(late, world.code(late)).await));
    let unknown = "chl_0000000000001".parse().unwrap();
    assert!(code_invalid(world.verify(unknown, world.code(unknown)).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_verifications_make_one_account() {
    let world = world();
    let one = world.accounts.register(&Client::default(), registering("mona"), None).await.unwrap();
    let other = world
        .accounts
        .register(&Client::default(), Register { handle: "mona.two".to_owned(), ..registering("mona") }, None)
        .await
        .unwrap();
    let mut racing = JoinSet::new();
    for n in 0..10 {
        let registration = if n % 2 == 0 { one } else { other };
        let (accounts, code) = (world.accounts.clone(), world.code(registration));
        racing.spawn(async move {
            accounts.verify_email(&Client::default(), VerifyEmail { registration, code, device: String::new() }).await
        });
    }
    let outcomes = racing.join_all().await;
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(refusal::<_, AccountRefusal>(refused), AccountRefusal::CodeInvalid);
    }
    assert_eq!(world.events("a").await.iter().filter(|e| e.ends_with("profile_created")).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_guesses_are_all_counted() {
    let world = world();
    let registration = world.accounts.register(&Client::default(), registering("mona"), None).await.unwrap();
    let mut racing = JoinSet::new();
    for _ in 0..world.ports.settings.code_attempts {
        let (accounts, code) = (world.accounts.clone(), world.wrong_code(registration));
        racing.spawn(async move {
            accounts.verify_email(&Client::default(), VerifyEmail { registration, code, device: String::new() }).await
        });
    }
    assert!(racing.join_all().await.iter().all(Result::is_err));
    assert!(world.verify(registration, world.code(registration)).await.is_err());
}

#[tokio::test]
async fn a_registration_holds_its_handle_for_a_while() {
    let world = world();
    let taken = |outcome| refusal::<ChallengeId, AccountRefusal>(outcome) == AccountRefusal::HandleTaken;
    let rival = || Register { handle: "Mona".to_owned(), ..registering("nour") };
    let first = world.accounts.register(&Client::default(), registering("mona"), None).await.unwrap();
    assert!(taken(world.accounts.register(&Client::default(), rival(), None).await));
    world.advance(world.ports.settings.code_life);
    let second = world.accounts.register(&Client::default(), rival(), None).await.unwrap();
    assert!(world.verify(first, world.code(first)).await.is_err());
    world.verify(second, world.code(second)).await.unwrap();
    world.advance(Duration::from_hours(24 * 365));
    assert!(
        taken(world.accounts.register(&Client::default(), registering("mona"), None).await),
        "a profile holds its handle for good"
    );
    assert!(taken(
        world
            .accounts
            .register(&Client::default(), Register { handle: "admin".to_owned(), ..registering("mona") }, None)
            .await
    ));
}

#[tokio::test]
async fn under_a_key_a_lost_answer_can_be_asked_for_again() {
    let world = world();
    let key = || Some(IdempotencyKey::new("c5d1").unwrap());
    let first = world.accounts.register(&Client::default(), registering("mona"), key()).await.unwrap();
    assert_eq!(
        world.accounts.register(&Client::default(), registering("mona"), key()).await.unwrap(),
        first,
        "instead of a taken handle"
    );
    let other_password = Register { password: Secret::new("shai bel na3na3"), ..registering("mona") };
    assert_eq!(
        refusal::<_, CommonRefusal>(world.accounts.register(&Client::default(), other_password, key()).await),
        CommonRefusal::KeyReused
    );
    assert_eq!(world.events("a").await.len(), 1);
}

#[tokio::test]
async fn bad_input_is_named_with_its_field() {
    type Spoil = fn(&mut Register);
    let world = world();
    let cases: [(Spoil, AccountRefusal, &str); 13] = [
        (|r| r.email = "منى@example.com".to_owned(), AccountRefusal::EmailInvalid, "email"),
        (|r| r.email = "x".repeat(1 << 20), AccountRefusal::EmailInvalid, "email"),
        (|r| r.handle = "مني".to_owned(), AccountRefusal::HandleInvalid, "handle"),
        (|r| r.handle = "a..b".to_owned(), AccountRefusal::HandleInvalid, "handle"),
        (|r| r.name = "\u{202E}evil".to_owned(), AccountRefusal::ForbiddenCharacter, "name"),
        (|r| r.name = "من\u{0}ى".to_owned(), AccountRefusal::ForbiddenCharacter, "name"),
        (|r| r.name = "م".repeat(101), AccountRefusal::NameInvalid, "name"),
        (|r| r.birth_date = "1999-02-30".to_owned(), AccountRefusal::BirthDateInvalid, "birthDate"),
        (|r| r.birth_date = "2030-01-01".to_owned(), AccountRefusal::BirthDateInvalid, "birthDate"),
        (|r| r.birth_date = "2013-11-24".to_owned(), AccountRefusal::TooYoung, "birthDate"),
        (|r| r.password = Secret::new("قصيرة"), AccountRefusal::PasswordShort, "password"),
        (|r| r.password = Secret::new("x".repeat(1 << 20)), AccountRefusal::PasswordLong, "password"),
        (|r| r.password = Secret::new("mona likes tea"), AccountRefusal::PasswordCommon, "password"),
    ];
    for (spoil, expected, field) in cases {
        let mut input = registering("mona");
        spoil(&mut input);
        let error = world.accounts.register(&Client::default(), input, None).await.unwrap_err();
        assert_eq!((error.refusal(), error.field()), (Some(expected), Some(field)));
    }
    let registration = world.accounts.register(&Client::default(), registering("mona"), None).await.unwrap();
    let loud = VerifyEmail { registration, code: world.code(registration), device: "a\nb".to_owned() };
    let refused = refusal::<_, AccountRefusal>(world.accounts.verify_email(&Client::default(), loud).await);
    assert_eq!(refused, AccountRefusal::ForbiddenCharacter);
    assert!(world.verify(registration, world.code(registration)).await.is_ok(), "a bad device name costs no try");
}
