//! Second factors: setting one up, logging in with it, proving oneself once more, and taking it away.

use daira_core::account::factor::{self, SECRET, Waiting};
use daira_core::account::{AccountState, ChangePassword, FactorStatus};
use daira_core::idempotency::IdempotencyKey;
use daira_core::port::LimitRefusal;

use super::*;

/// Somebody with an app that computes digits.
pub(super) struct Guarded {
    pub(super) person: LoggedIn,
    pub(super) secret: [u8; SECRET],
    codes: Vec<Secret>,
}

/// What was refused, and the field that it is about.
fn told<T: core::fmt::Debug>(outcome: Result<T>) -> (Option<AccountRefusal>, Option<&'static str>) {
    let error = outcome.unwrap_err();
    (error.refusal(), error.field())
}

fn waits(entry: Result<Entry>) -> Secret {
    match entry.unwrap() {
        Entry::Waits(waited) => waited.challenge,
        Entry::In(_) => panic!("nothing was asked for"),
    }
}

fn bytes(secret: &Secret) -> [u8; SECRET] {
    data_encoding::BASE32_NOPAD.decode(secret.expose().as_bytes()).unwrap().try_into().unwrap()
}

impl World {
    fn now_digits(&self, secret: &[u8; SECRET]) -> Secret {
        factor::digits(secret, self.clock.now().as_seconds() / 30)
    }

    /// The digits of the next half minute; those before are good for nothing any more.
    pub(super) fn next_digits(&self, secret: &[u8; SECRET]) -> Secret {
        self.advance(Duration::from_secs(30));
        self.now_digits(secret)
    }

    pub(super) async fn guard(&self, name: &str) -> Guarded {
        let person = self.join(name).await;
        let enrolment = self.accounts.begin_authenticator(&actor(&person)).await.unwrap();
        let secret = bytes(&enrolment.secret);
        let codes = self.accounts.confirm_authenticator(&actor(&person), &self.now_digits(&secret)).await.unwrap();
        Guarded { person, secret, codes }
    }

    async fn first_step(&self, name: &str) -> Secret {
        waits(self.accounts.log_in(&Client::default(), logging_in(name), None).await)
    }

    pub(super) async fn second_step(&self, challenge: &Secret, code: &Secret) -> Result<LoggedIn> {
        self.accounts.verify_second_factor(&Client::default(), challenge, code).await
    }

    async fn prove(&self, guarded: &Guarded, code: Option<&Secret>) -> Result<Timestamp> {
        self.accounts.reauthenticate(&actor(&guarded.person), &Secret::new(PASSWORD), code).await
    }

    async fn status(&self, guarded: &Guarded) -> FactorStatus {
        self.accounts.second_factor(&actor(&guarded.person)).await.unwrap()
    }

    fn audited(&self, action: &str) -> usize {
        self.audit().iter().filter(|line| *line == action).count()
    }
}

#[tokio::test]
async fn security_13_logging_in_takes_both_steps_once_one_is_set_up() {
    let world = world();
    let mona = world.guard("mona").await;
    assert_eq!(
        world.status(&mona).await,
        FactorStatus { authenticator_since: Some(world.clock.now()), passkeys: 0, recovery_codes: 10 }
    );
    let challenge = world.first_step("mona").await;
    assert_eq!(world.accounts.sessions(&actor(&mona.person)).await.unwrap().len(), 1, "no session has begun");
    assert!(
        world.accounts.authenticate(&challenge).await.is_err()
            && world.accounts.refresh(&Client::default(), &challenge).await.is_err()
    );
    let wrong = (Some(AccountRefusal::CodeInvalid), Some("code"));
    for bad in ["", "000000x", "12345", "abcd-efgh-ijkl-mnop", &"1".repeat(100_000)] {
        assert_eq!(
            told(world.second_step(&challenge, &Secret::new(bad)).await),
            wrong,
            "{}",
            &bad[..bad.len().min(20)]
        );
    }
    assert_eq!(
        told(world.second_step(&challenge, &world.now_digits(&mona.secret)).await),
        wrong,
        "confirmed with these"
    );
    let inside = world.second_step(&challenge, &world.next_digits(&mona.secret)).await.unwrap();
    assert!(world.accounts.authenticate(&inside.tokens.access).await.is_ok());
    assert_eq!(inside.member.profile, mona.person.member.profile);
    let again = world.second_step(&challenge, &world.now_digits(&mona.secret)).await;
    assert_eq!(told(again), wrong, "the same digits never again");
    let wrong = LogIn { password: Secret::new("shai bel na3na3"), ..logging_in("mona") };
    let refused = told(world.accounts.log_in(&Client::default(), wrong, None).await);
    assert_eq!(refused.0, Some(AccountRefusal::CredentialsInvalid), "without the password no second step is shown");
}

#[tokio::test]
async fn security_13_many_at_once_with_the_same_digits_are_one() {
    let world = world();
    let mona = world.guard("mona").await;
    let challenge = world.first_step("mona").await;
    let digits = world.next_digits(&mona.secret);
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (accounts, challenge, digits) = (world.accounts.clone(), challenge.clone(), digits.clone());
        racing.spawn(async move { accounts.verify_second_factor(&Client::default(), &challenge, &digits).await });
    }
    let entered = racing.join_all().await.into_iter().flatten().count();
    assert_eq!(entered, 1);
}

#[tokio::test]
async fn a_waiting_log_in_ends_with_time_password_state_and_the_factor_itself() {
    let world = world();
    let mona = world.guard("mona").await;
    let ended = (Some(AccountRefusal::ChallengeInvalid), Some("challenge"));
    for none in ["", "dsf_", "dsf_AAAA", "drt_AAAA", mona.person.tokens.refresh.expose()] {
        assert_eq!(told(world.second_step(&Secret::new(none), &mona.codes[0]).await), ended, "{none}");
    }
    let late = world.first_step("mona").await;
    world.advance(world.ports.settings.second_factor_life);
    assert_eq!(told(world.second_step(&late, &mona.codes[0]).await), ended);

    let waiting = world.first_step("mona").await;
    world.set_state(mona.person.member, AccountState::Suspended(world.clock.now() + Duration::from_mins(1))).await;
    let refused = told(world.second_step(&waiting, &mona.codes[0]).await);
    assert_eq!(refused.0, Some(AccountRefusal::Suspended));
    world.set_state(mona.person.member, AccountState::Active).await;

    let stale = world.first_step("mona").await;
    world.prove(&mona, Some(&mona.codes[1])).await.unwrap();
    let change = ChangePassword { current: Secret::new(PASSWORD), new: Secret::new("fasolia beida w ta3m") };
    world.accounts.change_password(&actor(&mona.person), &change, None).await.unwrap();
    assert_eq!(told(world.second_step(&stale, &mona.codes[0]).await), ended);

    let input = LogIn { password: change.new, ..logging_in("mona") };
    let last = waits(world.accounts.log_in(&Client::default(), input, None).await);
    assert!(world.accounts.remove_authenticator(&actor(&mona.person), None).await.unwrap());
    assert_eq!(told(world.second_step(&last, &mona.codes[0]).await), ended, "what it waited for is gone");
}

#[tokio::test]
async fn security_13_each_recovery_code_lets_in_once_and_the_owner_is_told() {
    let world = world();
    let mona = world.guard("mona").await;
    assert_eq!(mona.codes.len(), 10);
    let challenge = world.first_step("mona").await;
    let typed = Secret::new(mona.codes[3].expose().to_uppercase().replace('-', " "));
    assert!(world.second_step(&challenge, &typed).await.is_ok());
    assert_eq!(told(world.second_step(&challenge, &mona.codes[3]).await).0, Some(AccountRefusal::CodeInvalid));
    assert_eq!(world.status(&mona).await.recovery_codes, 9);
    assert_eq!(world.audited("account.recovery_code_used"), 1);
    let renewed = world.accounts.renew_recovery_codes(&actor(&mona.person)).await.unwrap();
    assert_eq!(
        told(world.second_step(&challenge, &mona.codes[0]).await).0,
        Some(AccountRefusal::CodeInvalid),
        "old ones"
    );
    assert!(world.second_step(&challenge, &renewed[0]).await.is_ok());
    let subjects: Vec<String> = world.deliver().await.into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(
        subjects,
        [
            "التأكيد بخطوتين اشتغل على حسابك على دايرة",
            "كود طوارئ من حسابك على دايرة اتستخدم",
            "أكواد الطوارئ بتاعة حسابك على دايرة اتغيّرت",
            "كود طوارئ من حسابك على دايرة اتستخدم",
        ]
    );
}

#[tokio::test]
async fn an_app_is_set_up_by_its_digits_and_shown_the_same_until_then() {
    let world = world();
    let person = world.join("mona").await;
    let (world, mona, life) = (&world, &actor(&person), world.ports.settings.code_life);
    let begin = || world.accounts.begin_authenticator(mona);
    let confirm = |code: Secret| async move { world.accounts.confirm_authenticator(mona, &code).await };
    assert_eq!(told(confirm(Secret::new("123456")).await), (Some(AccountRefusal::CodeInvalid), Some("code")));
    let first = begin().await.unwrap();
    assert_eq!(begin().await.unwrap(), first, "its answer was lost");
    assert!(first.address.expose().contains(first.secret.expose()) && first.secret.expose().len() == 32);
    assert!(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await.unwrap().logged_in().is_some());
    world.advance(life);
    world.accounts.reauthenticate(mona, &Secret::new(PASSWORD), None).await.unwrap();
    let late = world.now_digits(&bytes(&first.secret));
    assert_eq!(told(confirm(late).await).0, Some(AccountRefusal::CodeInvalid), "it was shown too long ago");
    let second = begin().await.unwrap();
    assert_ne!(second.secret, first.secret);
    let renew = world.accounts.renew_recovery_codes(mona).await;
    assert_eq!(told(renew).0, Some(AccountRefusal::SecondFactorMissing));
    assert!(!world.accounts.remove_authenticator(mona, None).await.unwrap(), "nothing guards the account yet");
    assert_eq!(confirm(world.now_digits(&bytes(&second.secret))).await.unwrap().len(), 10);
    assert_eq!(told(begin().await).0, Some(AccountRefusal::SecondFactorSet));
    let again = confirm(world.next_digits(&bytes(&second.secret))).await;
    assert_eq!(told(again).0, Some(AccountRefusal::SecondFactorSet));
}

#[tokio::test]
async fn security_12_what_guards_an_account_is_changed_with_a_fresh_proof_only() {
    let world = world();
    let mona = world.guard("mona").await;
    let me = &actor(&mona.person);
    world.advance(world.ports.settings.proof_life);
    let needed = Some(AccountRefusal::ProofNeeded);
    let change = ChangePassword { current: Secret::new(PASSWORD), new: Secret::new("fasolia beida w ta3m") };
    assert_eq!(told(world.accounts.remove_authenticator(me, None).await).0, needed);
    assert_eq!(told(world.accounts.renew_recovery_codes(me).await).0, needed);
    assert_eq!(told(world.accounts.begin_authenticator(me).await).0, needed);
    assert_eq!(told(world.accounts.confirm_authenticator(me, &world.now_digits(&mona.secret)).await).0, needed);
    assert_eq!(told(world.accounts.change_password(me, &change, None).await).0, needed, "the password is not enough");
    assert_eq!(told(world.accounts.change_email(me, "m@new.example", &change.current, None).await).0, needed);

    let wrong = world.accounts.reauthenticate(me, &Secret::new("shai bel na3na3"), Some(&mona.codes[0])).await;
    assert_eq!(told(wrong), (Some(AccountRefusal::CredentialsInvalid), Some("password")));
    assert_eq!(told(world.prove(&mona, None).await), (Some(AccountRefusal::SecondFactorNeeded), Some("code")));
    let bad = Secret::new("000000x");
    assert_eq!(told(world.prove(&mona, Some(&bad)).await), (Some(AccountRefusal::CodeInvalid), Some("code")));
    assert_eq!(told(world.accounts.remove_authenticator(me, None).await).0, needed, "nothing was proved so far");
    let until = world.prove(&mona, Some(&world.now_digits(&mona.secret))).await.unwrap();
    assert_eq!(until, world.clock.now() + world.ports.settings.proof_life);
    assert!(world.accounts.change_email(me, "m@new.example", &change.current, None).await.is_ok());
    assert!(world.accounts.change_password(me, &change, None).await.is_ok());
    let key = || Some(IdempotencyKey::new("off").unwrap());
    assert!(world.accounts.remove_authenticator(me, key()).await.unwrap());
    assert!(world.accounts.remove_authenticator(me, key()).await.unwrap(), "its answer was lost");
    assert!(!world.accounts.remove_authenticator(me, None).await.unwrap());
    let input = LogIn { password: change.new, ..logging_in("mona") };
    assert!(world.accounts.log_in(&Client::default(), input, None).await.unwrap().logged_in().is_some());
    assert_eq!((world.audited("account.second_factor_on"), world.audited("account.second_factor_off")), (1, 1));
}

#[tokio::test]
async fn the_first_guard_ends_every_session_that_began_without() {
    let world = world();
    let mona = world.join("mona").await;
    let copied = entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    let enrolment = world.accounts.begin_authenticator(&actor(&mona)).await.unwrap();
    let digits = world.now_digits(&bytes(&enrolment.secret));
    assert!(world.accounts.authenticate(&copied.tokens.access).await.is_ok(), "nothing is guarded yet");
    world.accounts.confirm_authenticator(&actor(&mona), &digits).await.unwrap();
    assert!(world.accounts.authenticate(&copied.tokens.access).await.is_err());
    assert!(world.accounts.authenticate(&mona.tokens.access).await.is_ok(), "who set it up stays");
}

#[tokio::test]
async fn a_proof_is_one_sessions_alone() {
    let world = world();
    let mona = world.guard("mona").await;
    let other = world.second_step(&world.first_step("mona").await, &mona.codes[0]).await.unwrap();
    world.advance(world.ports.settings.proof_life);
    world.prove(&mona, Some(&mona.codes[1])).await.unwrap();
    let refused = told(world.accounts.remove_authenticator(&actor(&other), None).await);
    assert_eq!(refused.0, Some(AccountRefusal::ProofNeeded));
    assert!(world.accounts.remove_authenticator(&actor(&mona.person), None).await.unwrap());
}

#[tokio::test]
async fn security_08_second_factors_are_not_guessed_and_a_known_device_stays_in() {
    let world = world();
    let mona = world.guard("mona").await;
    let challenge = &world.first_step("mona").await;
    let guess = |n: u8| {
        let (world, client) = (&world, Client { address: Some([203, 0, 113, n].into()), known_device: None });
        async move {
            let error =
                world.accounts.verify_second_factor(&client, challenge, &Secret::new("000000x")).await.unwrap_err();
            error.refusal() == Some(LimitRefusal::Reached)
        }
    };
    let mut stopped = 0;
    for n in 0..20 {
        stopped += u8::from(guess(n).await);
    }
    assert_eq!(stopped, 10, "from however many places");
    let refused = world.second_step(challenge, &mona.codes[0]).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(LimitRefusal::Reached), "the right one neither");
    let known = Client { address: None, known_device: Some(mona.person.device.clone()) };
    assert!(world.accounts.verify_second_factor(&known, challenge, &mona.codes[0]).await.is_ok());

    let mut tried = 0;
    while world.prove(&mona, Some(challenge)).await.unwrap_err().refusal() == Some(AccountRefusal::CodeInvalid) {
        tried += 1;
    }
    assert_eq!(tried, 9, "nor on a session that somebody took over: setting the app up was a try");
}

#[tokio::test]
async fn a_repeated_first_step_waits_again_and_sleep_ends_with_the_second() {
    let world = world();
    let mona = world.guard("mona").await;
    world.set_state(mona.person.member, AccountState::Deactivated).await;
    let (client, key) = (&Client::default(), IdempotencyKey::new("in").unwrap());
    let first = || world.accounts.log_in(client, logging_in("mona"), Some(key.clone()));
    let (one, other) = (waits(first().await), waits(first().await));
    assert_ne!(one, other);
    let factor = &world.ports.keys.factor;
    assert_eq!(Waiting::open(factor, &one, world.clock.now()), Waiting::open(factor, &other, world.clock.now()));
    assert_eq!(world.audited("account.woken"), 0);
    assert!(world.second_step(&one, &mona.codes[0]).await.is_ok());
    assert_eq!(world.audited("account.woken"), 1);
}
