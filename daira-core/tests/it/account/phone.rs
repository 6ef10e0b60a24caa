//! The phone number of an account: its first one, another one, none.

use daira_core::account::Phone;
use daira_core::idempotency::IdempotencyKey;
use daira_core::port::{LimitRefusal, Text};

use super::*;

pub(super) const NUMBER: &str = "01001234567";
const OTHER: &str = "٠١١ ١٢٣٤ ٥٦٧٨";
const CHANGED: &str = "رقم الموبايل بتاع حسابك على دايرة اتغيّر";

/// What was refused, and the field that it is about.
pub(super) fn told<T: core::fmt::Debug>(outcome: Result<T>) -> (Option<AccountRefusal>, Option<&'static str>) {
    let error = outcome.unwrap_err();
    (error.refusal(), error.field())
}

impl World {
    /// Sends what is due; what went to phones.
    pub(super) async fn text(&self) -> Vec<Text> {
        let before = self.phone.texts().len();
        self.deliver().await;
        self.phone.texts()[before..].to_vec()
    }

    /// The digits that the latest message to a number holds.
    pub(super) fn sent_to(&self, number: &str) -> Secret {
        let number = Phone::new(number).unwrap();
        let texts = self.phone.texts();
        let text = texts.iter().rev().find(|text| text.to.expose() == number.as_str()).expect("a message");
        text.code.clone().expect("a code")
    }

    async fn confirm(&self, person: &LoggedIn, challenge: ChallengeId, code: &Secret) -> Result<()> {
        self.accounts.confirm_phone(&actor(person), &Client::default(), challenge, code).await
    }

    /// Gives somebody a number.
    pub(super) async fn give(&self, person: &LoggedIn, number: &str) {
        let challenge = self.accounts.change_phone(&actor(person), number, None).await.unwrap();
        self.text().await;
        self.confirm(person, challenge, &self.sent_to(number)).await.unwrap();
        self.deliver().await;
    }

    async fn hash_of(&self, person: &LoggedIn) -> String {
        let mut unit = self.ports.store.begin(&actor(person)).await.unwrap();
        unit.accounts().password_hash(person.member.account).await.unwrap().unwrap()
    }

    async fn number(&self, person: &LoggedIn) -> Option<String> {
        self.accounts.phone(&actor(person)).await.unwrap().map(|phone| phone.number.as_str().to_owned())
    }
}

#[tokio::test]
async fn security_12_a_number_takes_a_fresh_proof_and_a_code_and_the_old_one_is_told() {
    let world = world();
    let mona = world.join("mona").await;
    let challenge = world.accounts.change_phone(&actor(&mona), NUMBER, None).await.unwrap();
    let [text] = world.text().await.try_into().unwrap();
    assert_eq!((text.to.expose(), text.again, text.locale), ("+201001234567", 0, Locale::Ar));
    assert!(text.words.expose().contains(world.sent_to(NUMBER).expose()));
    assert_eq!(world.number(&mona).await, None, "nothing has changed yet");
    world.confirm(&mona, challenge, &world.sent_to(NUMBER)).await.unwrap();
    assert_eq!(world.number(&mona).await.as_deref(), Some("+201001234567"));
    assert_eq!(world.deliver().await, [("mona@example.com".to_owned(), CHANGED.to_owned())]);

    world.advance(world.ports.settings.proof_life);
    let needed = (Some(AccountRefusal::ProofNeeded), None);
    assert_eq!(told(world.accounts.change_phone(&actor(&mona), OTHER, None).await), needed);
    assert_eq!(told(world.accounts.remove_phone(&actor(&mona), None).await), needed);
    world.accounts.reauthenticate(&actor(&mona), &Secret::new(PASSWORD), None).await.unwrap();
    let next = world.accounts.change_phone(&actor(&mona), OTHER, None).await.unwrap();
    world.text().await;
    world.advance(world.ports.settings.proof_life);
    assert_eq!(told(world.confirm(&mona, next, &world.sent_to(OTHER)).await), needed, "nor is it completed without");
    world.accounts.reauthenticate(&actor(&mona), &Secret::new(PASSWORD), None).await.unwrap();
    world.confirm(&mona, next, &world.sent_to(OTHER)).await.unwrap();
    let [notice] = world.text().await.try_into().unwrap();
    assert!(notice.to.expose() == "+201001234567" && notice.code.is_none(), "the old number is told");
    assert_eq!(world.mail.messages().last().unwrap().subject, CHANGED);
    assert_eq!(world.number(&mona).await.as_deref(), Some("+201112345678"));

    assert!(world.accounts.remove_phone(&actor(&mona), None).await.unwrap());
    assert!(!world.accounts.remove_phone(&actor(&mona), None).await.unwrap());
    assert_eq!(world.text().await[0].to.expose(), "+201112345678");
    assert_eq!(world.number(&mona).await, None);
    let audit = world.audit();
    let count = |action: &str| audit.iter().filter(|line| *line == action).count();
    assert_eq!((count("account.phone_changed"), count("account.phone_removed")), (2, 1));
    assert!(!audit.iter().any(|line| line.contains("20")), "{audit:?}");
}

#[tokio::test]
async fn security_07_a_number_that_somebody_has_looks_free_to_who_wants_it() {
    let world = world();
    let (mona, nour) = (world.join("mona").await, world.join("nour").await);
    world.give(&mona, NUMBER).await;
    let taken = world.accounts.change_phone(&actor(&nour), NUMBER, None).await.unwrap();
    let free = world.accounts.change_phone(&actor(&nour), OTHER, None).await.unwrap();
    assert_eq!(taken.to_string().len(), free.to_string().len());
    let [text] = world.text().await.try_into().unwrap();
    assert_eq!(text.to.expose(), "+201112345678", "and mona hears nothing");
    let wrong = (Some(AccountRefusal::CodeInvalid), Some("code"));
    // Even the right digits, which nobody was sent.
    let hash = world.hash_of(&nour).await;
    let digits = token::phone_code(&world.ports.keys.challenge, taken, "+201001234567", None, &hash);
    assert_eq!(told(world.confirm(&nour, taken, &digits).await), wrong);
    assert_eq!(told(world.confirm(&nour, free, &Secret::new("000000x")).await), wrong);
    assert_eq!(world.number(&mona).await.as_deref(), Some("+201001234567"));

    world.accounts.remove_phone(&actor(&mona), None).await.unwrap();
    world.give(&nour, NUMBER).await;
    assert_eq!(world.number(&nour).await.as_deref(), Some("+201001234567"), "who let go of it has it no more");
}

#[tokio::test]
async fn security_12_a_new_password_or_another_number_ends_a_pending_one() {
    let world = world();
    let mona = world.join("mona").await;
    let first = world.accounts.change_phone(&actor(&mona), NUMBER, None).await.unwrap();
    world.text().await;
    let digits = world.sent_to(NUMBER);
    world.give(&mona, OTHER).await;
    let wrong = (Some(AccountRefusal::CodeInvalid), Some("code"));
    assert_eq!(told(world.confirm(&mona, first, &digits).await), wrong);
    let next = world.accounts.change_phone(&actor(&mona), NUMBER, None).await.unwrap();
    world.text().await;
    let input = daira_core::account::ChangePassword {
        current: Secret::new(PASSWORD),
        new: Secret::new("fasolia beida w ta3m"),
    };
    world.accounts.change_password(&actor(&mona), &input, None).await.unwrap();
    assert_eq!(told(world.confirm(&mona, next, &world.sent_to(NUMBER)).await), wrong);
}

#[tokio::test]
async fn security_13_a_number_bears_few_wrong_codes_and_is_anothers_never() {
    let world = world();
    let (mona, nour) = (world.join("mona").await, world.join("nour").await);
    let challenge = world.accounts.change_phone(&actor(&mona), NUMBER, None).await.unwrap();
    world.text().await;
    let right = world.sent_to(NUMBER);
    assert!(world.confirm(&nour, challenge, &right).await.is_err(), "somebody else's");
    for _ in 0..5 {
        assert!(world.confirm(&mona, challenge, &Secret::new("not it")).await.is_err());
    }
    assert!(world.confirm(&mona, challenge, &right).await.is_err(), "it bore five");
    let late = world.accounts.change_phone(&actor(&mona), NUMBER, None).await.unwrap();
    assert_eq!(world.text().await[0].again, 1);
    world.advance(world.ports.settings.code_life);
    world.accounts.reauthenticate(&actor(&mona), &Secret::new(PASSWORD), None).await.unwrap();
    assert!(world.confirm(&mona, late, &world.sent_to(NUMBER)).await.is_err());
}

#[tokio::test]
async fn what_is_no_number_or_not_served_is_refused_and_a_repeat_is_one() {
    let world = world();
    let mona = world.join("mona").await;
    let change = async |number: &str| told(world.accounts.change_phone(&actor(&mona), number, None).await);
    assert_eq!(change("19777").await, (Some(AccountRefusal::PhoneInvalid), Some("phone")));
    assert_eq!(change("+1 202 555 0123").await, (Some(AccountRefusal::PhoneAbroad), Some("phone")));
    world.give(&mona, NUMBER).await;
    assert_eq!(change("+20 100 123 4567").await, (Some(AccountRefusal::PhoneInvalid), Some("phone")), "it has it");
    let key = IdempotencyKey::new("k").unwrap();
    let first = world.accounts.change_phone(&actor(&mona), OTHER, Some(key.clone())).await.unwrap();
    let again = world.accounts.change_phone(&actor(&mona), OTHER, Some(key)).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(world.text().await.len(), 1);
    assert!(world.accounts.change_phone(&Actor::Anonymous, OTHER, None).await.is_err());
}

#[tokio::test]
async fn security_09_no_number_and_no_account_is_sent_codes_without_end() {
    let world = world();
    let mona = world.join("mona").await;
    for n in 0..8 {
        let number = format!("0100123456{n}");
        let outcome = world.accounts.change_phone(&actor(&mona), &number, None).await;
        assert_eq!(outcome.is_ok(), n < 5, "{n}");
        if let Err(error) = outcome {
            assert_eq!(error.refusal(), Some(LimitRefusal::Reached));
        }
    }
    assert_eq!(world.text().await.len(), 5);
    // However many accounts want the same one.
    let mut sent = 0;
    for n in 0..8 {
        let person = world.join(&format!("person{n}")).await;
        sent += usize::from(world.accounts.change_phone(&actor(&person), "01287654321", None).await.is_ok());
    }
    assert_eq!(sent, 5);
}

#[tokio::test]
async fn somebody_logs_in_with_number_and_password() {
    let world = world();
    let mona = world.join("mona").await;
    world.give(&mona, NUMBER).await;
    let with = |number: &str, password: &str| LogIn {
        email: number.to_owned(),
        password: Secret::new(password),
        device: String::new(),
    };
    for typed in [NUMBER, "+20 100 123 4567", "٠١٠٠١٢٣٤٥٦٧"] {
        let inside = entered(world.accounts.log_in(&Client::default(), with(typed, PASSWORD), None).await).unwrap();
        assert_eq!(inside.member.profile, mona.member.profile);
    }
    let wrong = world.accounts.log_in(&Client::default(), with(NUMBER, "shai bel na3na3"), None).await.unwrap_err();
    for nobodys in [OTHER, "0100123456", "19777", "not a number"] {
        let nobody = world.accounts.log_in(&Client::default(), with(nobodys, PASSWORD), None).await.unwrap_err();
        assert_eq!((nobody.to_string(), nobody.field()), (wrong.to_string(), wrong.field()), "security_05");
    }
}

#[tokio::test]
async fn security_08_tries_by_number_are_limited_however_it_is_spelt() {
    let world = world();
    let mona = world.join("mona").await;
    world.give(&mona, NUMBER).await;
    let mut tried = 0;
    for n in 0..20_u8 {
        let email = if n % 2 == 0 { NUMBER } else { "+٢٠ ١٠٠ ١٢٣ ٤٥٦٧" }.to_owned();
        let input = LogIn { email, password: Secret::new("shai bel na3na3"), device: String::new() };
        let client = Client { address: Some([203, 0, 113, n].into()), known_device: None };
        let error = world.accounts.log_in(&client, input, None).await.unwrap_err();
        tried += u8::from(error.refusal() == Some(AccountRefusal::CredentialsInvalid));
    }
    assert_eq!(tried, 10);
}
