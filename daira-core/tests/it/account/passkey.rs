//! Passkeys: making them, logging in with them alone and after the password, proving oneself with them, and losing them.

use daira_core::account::{AccountState, AddedPasskey, BegunCeremony};
use daira_core::error::CommonRefusal;
use daira_core::idempotency::IdempotencyKey;
use daira_core::memory::{MemoryAuthenticator, RandomIds};

use super::*;

fn device() -> MemoryAuthenticator {
    MemoryAuthenticator::new(&RandomIds)
}

/// What was refused, and the field that it is about.
fn told<T: core::fmt::Debug>(outcome: Result<T>) -> (Option<AccountRefusal>, Option<&'static str>) {
    let error = outcome.unwrap_err();
    (error.refusal(), error.field())
}

const INVALID: (Option<AccountRefusal>, Option<&'static str>) = (Some(AccountRefusal::PasskeyInvalid), Some("answer"));
const LAPSED: (Option<AccountRefusal>, Option<&'static str>) =
    (Some(AccountRefusal::ChallengeInvalid), Some("ceremony"));

impl World {
    async fn make(&self, person: &LoggedIn, device: &MemoryAuthenticator, name: &str) -> Result<AddedPasskey> {
        let begun = self.accounts.begin_passkey(&actor(person)).await?;
        let answer = device.create(&begun.options);
        self.accounts.add_passkey(&actor(person), &begun.ceremony, &answer, name).await
    }

    async fn begin(&self, challenge: Option<&Secret>) -> Result<BegunCeremony> {
        self.accounts.begin_passkey_log_in(&Client::default(), challenge).await
    }

    async fn answer(&self, ceremony: &Secret, answer: &Secret) -> Result<LoggedIn> {
        self.accounts.log_in_with_passkey(&Client::default(), ceremony, answer, "Phone").await
    }

    async fn sign_in(&self, device: &MemoryAuthenticator) -> Result<LoggedIn> {
        let begun = self.begin(None).await?;
        self.answer(&begun.ceremony, &device.sign(&begun.options)).await
    }

    async fn first(&self, name: &str) -> Entry {
        self.accounts.log_in(&Client::default(), logging_in(name), None).await.unwrap()
    }
}

#[tokio::test]
async fn a_passkey_lets_in_alone_and_is_asked_for_after_the_password() {
    let world = world();
    let mona = world.join("mona").await;
    let phone = device();
    let added = world.make(&mona, &phone, " موبايل منى ").await.unwrap();
    assert_eq!((added.passkey.name.as_str(), added.recovery_codes.len()), ("موبايل منى", 10));
    let inside = world.sign_in(&phone).await.unwrap();
    assert_eq!(inside.member.profile, mona.member.profile);
    assert!(world.accounts.authenticate(&inside.tokens.access).await.is_ok());
    let kept = &world.accounts.passkeys(&actor(&mona)).await.unwrap()[0];
    assert_eq!(kept.used_at, Some(world.clock.now()));

    let Entry::Waits(waited) = world.first("mona").await else { panic!("the password alone let in") };
    assert_eq!((waited.passkey, waited.authenticator), (true, false));
    let begun = world.begin(Some(&waited.challenge)).await.unwrap();
    assert!(begun.options.contains(&data_encoding::HEXLOWER.encode(&kept.public.credential)), "it is named");
    assert!(world.answer(&begun.ceremony, &phone.sign(&begun.options)).await.is_ok());
    let lost = &added.recovery_codes[0];
    let by_code = world.accounts.verify_second_factor(&Client::default(), &waited.challenge, lost).await;
    assert!(by_code.is_ok(), "who lost it has recovery codes");
    let made_up = told(world.begin(Some(&Secret::new("dsf_AAAA"))).await);
    assert_eq!(made_up, (Some(AccountRefusal::ChallengeInvalid), Some("challenge")));
}

#[tokio::test]
async fn security_13_a_ceremony_takes_one_answer_right_or_wrong() {
    let world = world();
    let (mona, omar) = (world.join("mona").await, world.join("omar").await);
    let (hers, his) = (device(), device());
    world.make(&mona, &hers, "hers").await.unwrap();
    world.make(&omar, &his, "his").await.unwrap();
    let begun = world.begin(None).await.unwrap();
    let answer = hers.sign(&begun.options);
    assert!(world.answer(&begun.ceremony, &answer).await.is_ok());
    assert_eq!(told(world.answer(&begun.ceremony, &answer).await), LAPSED, "a replay");
    let begun = world.begin(None).await.unwrap();
    assert_eq!(told(world.answer(&begun.ceremony, &answer).await), INVALID, "signed for another ceremony");
    let right = hers.sign(&begun.options);
    assert_eq!(told(world.answer(&begun.ceremony, &right).await), LAPSED, "one answer, right or wrong");

    let begun = world.begin(None).await.unwrap();
    world.advance(Duration::from_mins(10));
    assert_eq!(told(world.answer(&begun.ceremony, &hers.sign(&begun.options)).await), LAPSED, "too late");
    for none in ["", "dpk_", "dpk_AAAA", mona.tokens.refresh.expose()] {
        assert_eq!(told(world.answer(&Secret::new(none), &answer).await), LAPSED, "{none}");
    }
    for garbage in ["", "{}", "null", &"[".repeat(10_000)] {
        let begun = world.begin(None).await.unwrap();
        assert_eq!(told(world.answer(&begun.ceremony, &Secret::new(garbage)).await), INVALID);
    }
    let stranger = told(world.sign_in(&device()).await);
    assert_eq!(stranger, INVALID, "a passkey that nobody made here");
}

#[tokio::test]
async fn an_answer_is_for_what_was_asked_and_of_whom() {
    let world = world();
    let (mona, omar) = (world.join("mona").await, world.join("omar").await);
    let (hers, his) = (device(), device());
    world.make(&mona, &hers, "hers").await.unwrap();
    world.make(&omar, &his, "his").await.unwrap();
    let Entry::Waits(waited) = world.first("mona").await else { panic!("the password alone let in") };
    let begun = world.begin(Some(&waited.challenge)).await.unwrap();
    assert_eq!(told(world.answer(&begun.ceremony, &his.sign(&begun.options)).await), INVALID, "his after her password");

    let proof = world.accounts.begin_passkey_proof(&actor(&mona)).await.unwrap();
    assert_eq!(told(world.answer(&proof.ceremony, &hers.sign(&proof.options)).await), LAPSED, "a proof is no log-in");
    let entry = world.begin(None).await.unwrap();
    let prove = |ceremony: Secret, answer: Secret| {
        let (world, actor) = (&world, actor(&mona));
        async move { world.accounts.prove_with_passkey(&actor, &ceremony, &answer).await }
    };
    assert_eq!(told(prove(entry.ceremony, hers.sign(&entry.options)).await), LAPSED, "a log-in is no proof");
    let proof = world.accounts.begin_passkey_proof(&actor(&mona)).await.unwrap();
    assert_eq!(told(prove(proof.ceremony, his.sign(&proof.options)).await), INVALID);
    let foreign = world.accounts.begin_passkey_proof(&actor(&omar)).await.unwrap();
    assert_eq!(told(prove(foreign.ceremony, hers.sign(&foreign.options)).await), LAPSED);

    let making = world.accounts.begin_passkey(&actor(&omar)).await.unwrap();
    let answer = device().create(&making.options);
    let stolen = world.accounts.add_passkey(&actor(&mona), &making.ceremony, &answer, "x").await;
    assert_eq!(told(stolen), LAPSED, "nobody makes a passkey of a ceremony that another began");
}

#[tokio::test]
async fn a_copy_of_a_passkey_is_refused_and_its_owner_told() {
    let world = world();
    let mona = world.join("mona").await;
    let phone = device();
    world.make(&mona, &phone, "phone").await.unwrap();
    let (early, late) = (world.begin(None).await.unwrap(), world.begin(None).await.unwrap());
    let (before, after) = (phone.sign(&early.options), phone.sign(&late.options));
    assert!(world.answer(&late.ceremony, &after).await.is_ok());
    assert_eq!(told(world.answer(&early.ceremony, &before).await), INVALID);
    assert!(world.audit().contains(&"account.passkey_copied".to_owned()));
    let subjects: Vec<String> = world.deliver().await.into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(subjects, ["مفتاح مرور جديد على حسابك على دايرة", "حد استخدم نسخة من مفتاح مرور بتاعك على دايرة"]);
}

#[tokio::test]
async fn security_12_passkeys_are_made_and_removed_with_a_fresh_proof_only() {
    let world = world();
    let mona = world.join("mona").await;
    let (me, phone) = (&actor(&mona), device());
    let added = world.make(&mona, &phone, "phone").await.unwrap().passkey;
    world.advance(world.ports.settings.proof_life);
    let needed = (Some(AccountRefusal::ProofNeeded), None);
    assert_eq!(told(world.accounts.begin_passkey(me).await), needed);
    assert_eq!(told(world.accounts.remove_passkey(me, added.id, None).await), needed);
    let alone = world.accounts.reauthenticate(me, &Secret::new(PASSWORD), None).await;
    assert_eq!(told(alone).0, Some(AccountRefusal::SecondFactorNeeded), "the password is not enough");

    let proof = world.accounts.begin_passkey_proof(me).await.unwrap();
    world.accounts.prove_with_passkey(me, &proof.ceremony, &phone.sign(&proof.options)).await.unwrap();
    assert_eq!(told(world.make(&mona, &phone, "again").await).0, Some(AccountRefusal::PasskeyTaken));
    assert_eq!(told(world.make(&mona, &device(), "").await), (Some(AccountRefusal::NameInvalid), Some("name")));
    let key = || Some(IdempotencyKey::new("k").unwrap());
    world.accounts.rename_passkey(me, added.id, "تليفون", key()).await.unwrap();
    world.accounts.rename_passkey(me, added.id, "تليفون", key()).await.unwrap();
    assert_eq!(world.accounts.passkeys(me).await.unwrap()[0].name, "تليفون");
    let omar = world.join("omar").await;
    let foreign = world.accounts.remove_passkey(&actor(&omar), added.id, None).await;
    assert_eq!(refusal::<_, CommonRefusal>(foreign), CommonRefusal::NotFound);
    world.accounts.remove_passkey(me, added.id, key()).await.unwrap();
    world.accounts.remove_passkey(me, added.id, key()).await.unwrap();
    assert_eq!(told(world.sign_in(&phone).await), INVALID);
    assert!(matches!(world.first("mona").await, Entry::In(_)), "nothing guards the account any more");
    assert_eq!(world.accounts.second_factor(me).await.unwrap().recovery_codes, 0);
}

#[tokio::test]
async fn passkeys_and_an_app_guard_together() {
    let world = world();
    let mona = world.join("mona").await;
    let (me, phone) = (&actor(&mona), device());
    let added = world.make(&mona, &phone, "phone").await.unwrap();
    let second = world.make(&mona, &device(), "tablet").await.unwrap();
    assert!(second.recovery_codes.is_empty(), "there are some already");
    let begun = world.accounts.begin_authenticator(me).await.unwrap();
    let secret = data_encoding::BASE32_NOPAD.decode(begun.secret.expose().as_bytes()).unwrap();
    let digits =
        daira_core::account::factor::digits(secret.as_slice().try_into().unwrap(), world.clock.now().as_seconds() / 30);
    assert!(world.accounts.confirm_authenticator(me, &digits).await.unwrap().is_empty());
    assert!(world.accounts.remove_authenticator(me, None).await.unwrap());
    let status = world.accounts.second_factor(me).await.unwrap();
    assert_eq!((status.authenticator_since, status.passkeys, status.recovery_codes), (None, 2, 10));
    let Entry::Waits(waited) = world.first("mona").await else { panic!("passkeys guard the account still") };
    let code = &added.recovery_codes[5];
    assert!(world.accounts.verify_second_factor(&Client::default(), &waited.challenge, code).await.is_ok());
}

#[tokio::test]
async fn an_account_has_at_most_twenty_passkeys_and_states_decide() {
    let world = world();
    let mona = world.join("mona").await;
    let phone = device();
    world.make(&mona, &phone, "1").await.unwrap();
    for n in 2..=20 {
        world.make(&mona, &device(), &n.to_string()).await.unwrap();
    }
    assert_eq!(told(world.make(&mona, &device(), "21").await).0, Some(AccountRefusal::PasskeysFull));
    let later = world.clock.now() + Duration::from_hours(1);
    world.set_state(mona.member, AccountState::Suspended(later)).await;
    assert_eq!(told(world.sign_in(&phone).await).0, Some(AccountRefusal::Suspended));
    world.set_state(mona.member, AccountState::Deactivated).await;
    assert!(world.sign_in(&phone).await.is_ok());
    assert!(world.audit().contains(&"account.woken".to_owned()), "logging in wakes it");
}
