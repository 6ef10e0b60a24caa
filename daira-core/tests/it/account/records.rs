//! Consents, breaches and the audit trail's chain, end to end in memory.

use std::time::Duration;

use daira_core::Actor;
use daira_core::idempotency::IdempotencyKey;
use daira_core::record::{
    AuditService, BreachService, BreachStep, ConsentService, Consented, Month, Purpose, RecordRefusal, SetConsent,
    purpose,
};
use daira_core::staff::StaffRefusal;

use super::{World, actor, refusal, world, world_with};

const OPERATOR: Actor = Actor::System("cli");

fn given(purpose: Purpose) -> SetConsent {
    SetConsent::new(purpose, 1, true)
}

async fn may_count(world: &World, member: daira_core::actor::Member) -> bool {
    let mut unit = world.ports.store.begin(&Actor::System("analytics")).await.unwrap();
    let texts = &world.ports.settings.texts;
    Consented::<purpose::Analytics>::of(unit.as_mut(), member.account, texts).await.unwrap().is_some()
}

#[tokio::test]
async fn joining_consents_to_what_an_account_rests_on_and_nothing_else() {
    let world = world_with(|ports| ports.settings_mut().texts.terms = 3);
    let mona = world.join("mona").await;
    let consents = ConsentService::new(world.ports.clone());
    let states = consents.consents(&actor(&mona)).await.unwrap();
    let told: Vec<_> = states.iter().map(|state| (state.purpose.code(), state.given, state.current)).collect();
    assert_eq!(
        told,
        [
            ("terms", true, 3),
            ("privacy_notice", true, 1),
            ("analytics", false, 1),
            ("personalised_ads", false, 1),
            ("marketing_mail", false, 1),
            ("location_suggestions", false, 1),
        ]
    );
    assert_eq!(states[0].history.iter().map(|one| (one.version, one.given)).collect::<Vec<_>>(), [(3, true)]);
    assert!(consents.consents(&Actor::Anonymous).await.is_err());
}

#[tokio::test]
async fn withdrawing_a_consent_stops_what_rests_on_it() {
    let world = world();
    let (mona, ali) = (world.join("mona").await, world.join("karim").await);
    let consents = ConsentService::new(world.ports.clone());
    assert!(!may_count(&world, mona.member).await, "nobody consents by saying nothing");
    consents.set_consents(&actor(&mona), &[given(Purpose::Analytics)], None).await.unwrap();
    assert!(may_count(&world, mona.member).await && !may_count(&world, ali.member).await);
    world.advance(Duration::from_secs(1));
    let back = [SetConsent::new(Purpose::Analytics, 1, false)];
    consents.set_consents(&actor(&mona), &back, None).await.unwrap();
    assert!(!may_count(&world, mona.member).await);
    // Said again it is no news; nor is taking back what was never given.
    consents.set_consents(&actor(&mona), &back, None).await.unwrap();
    consents.set_consents(&actor(&ali), &back, None).await.unwrap();
    let states = consents.consents(&actor(&mona)).await.unwrap();
    assert_eq!(states[2].history.iter().map(|one| one.given).collect::<Vec<_>>(), [false, true]);
    let audited: Vec<String> = world.audit().into_iter().filter(|line| line.starts_with("consent.")).collect();
    assert_eq!(audited, ["consent.given analytics 1", "consent.withdrawn analytics 1"]);
}

#[tokio::test]
async fn a_consent_is_to_the_text_in_force() {
    let world = world_with(|ports| ports.settings_mut().texts.analytics = 2);
    let mona = world.join("mona").await;
    let consents = ConsentService::new(world.ports.clone());
    let set = async |said: &[SetConsent]| consents.set_consents(&actor(&mona), said, None).await;
    assert_eq!(refusal::<_, RecordRefusal>(set(&[given(Purpose::Analytics)]).await), RecordRefusal::TextChanged);
    let needed = [SetConsent::new(Purpose::Terms, 1, false)];
    assert_eq!(refusal::<_, RecordRefusal>(set(&needed).await), RecordRefusal::Needed);
    let twice = [given(Purpose::MarketingMail), given(Purpose::MarketingMail)];
    assert_eq!(refusal::<_, RecordRefusal>(set(&twice).await), RecordRefusal::Unclear);
    assert_eq!(refusal::<_, RecordRefusal>(set(&[]).await), RecordRefusal::Unclear);
    // One that is refused takes all with it.
    let mixed = [given(Purpose::MarketingMail), given(Purpose::Analytics)];
    assert!(set(&mixed).await.is_err());
    assert!(!consents.consents(&actor(&mona)).await.unwrap()[4].given);
    assert!(Purpose::from_code("mind_reading").is_err());
}

#[tokio::test]
async fn consents_said_twice_under_a_key_are_said_once() {
    let world = world();
    let mona = world.join("mona").await;
    let consents = ConsentService::new(world.ports.clone());
    let key = || Some(IdempotencyKey::new("k").unwrap());
    let said = [given(Purpose::MarketingMail)];
    consents.set_consents(&actor(&mona), &said, key()).await.unwrap();
    let back = [SetConsent::new(Purpose::MarketingMail, 1, false)];
    consents.set_consents(&actor(&mona), &back, None).await.unwrap();
    consents.set_consents(&actor(&mona), &said, key()).await.unwrap();
    assert!(!consents.consents(&actor(&mona)).await.unwrap()[4].given, "the key was used before");
    assert!(consents.set_consents(&actor(&mona), &back, key()).await.is_err(), "for something else");
}

#[tokio::test]
async fn the_clock_of_a_breach_runs_for_72_hours() {
    let world = world();
    let breaches = BreachService::new(world.ports.clone());
    let known = world.ports.clock.now();
    world.advance(Duration::from_hours(10));
    let breach = breaches.open(&OPERATOR, known, "نسخة من الداتا كانت مفتوحة").await.unwrap();
    assert_eq!(breach.due_at(), known + Duration::from_hours(72));
    assert_eq!(breaches.least_left().await.unwrap(), Some(Duration::from_hours(62)));
    breaches.note(&OPERATOR, breach.id, "closed at 12:40").await.unwrap();
    world.advance(Duration::from_hours(62));
    assert_eq!(breaches.least_left().await.unwrap(), Some(Duration::ZERO), "over, and still to be reported");
    let reported = breaches.report(&OPERATOR, breach.id, "PDPC-77").await.unwrap();
    assert_eq!(reported.left(world.ports.clock.now()), None);
    assert_eq!(breaches.least_left().await.unwrap(), None);
    let again = breaches.report(&OPERATOR, breach.id, "PDPC-78").await;
    assert_eq!(refusal::<_, RecordRefusal>(again), RecordRefusal::BreachReported);
    breaches.close(&OPERATOR, breach.id, "everybody was told").await.unwrap();
    let after = breaches.note(&OPERATOR, breach.id, "more").await;
    assert_eq!(refusal::<_, RecordRefusal>(after), RecordRefusal::BreachClosed);
    assert!(breaches.list(&OPERATOR, true).await.unwrap().is_empty());
    let list = breaches.list(&OPERATOR, false).await.unwrap();
    let steps: Vec<BreachStep> = list[0].1.iter().map(|note| note.step).collect();
    assert_eq!(steps, BreachStep::ALL);
    let audited: Vec<String> = world.audit().into_iter().filter(|line| line.starts_with("breach.")).collect();
    let listed = "breach.listed";
    assert_eq!(audited, ["breach.opened", "breach.noted", "breach.reported", "breach.closed", listed, listed]);
}

#[tokio::test]
async fn breaches_are_for_staff_and_say_when_they_became_known() {
    let world = world();
    let mona = world.join("mona").await;
    let breaches = BreachService::new(world.ports.clone());
    let now = world.ports.clock.now();
    let opened = breaches.open(&actor(&mona), now, "x").await;
    assert_eq!(refusal::<_, StaffRefusal>(opened), StaffRefusal::NotAllowed);
    assert!(
        breaches.list(&actor(&mona), false).await.is_err() && breaches.open(&Actor::Anonymous, now, "x").await.is_err()
    );
    let early = breaches.open(&OPERATOR, now + Duration::from_secs(1), "x").await;
    assert_eq!(refusal::<_, RecordRefusal>(early), RecordRefusal::BreachTime);
    let empty = breaches.open(&OPERATOR, now, " \u{202e}").await;
    assert_eq!(refusal::<_, RecordRefusal>(empty), RecordRefusal::BreachText);
}

#[tokio::test]
async fn old_months_of_the_trail_go_and_leave_their_seal() {
    let world = world_with(|ports| ports.settings_mut().retention.audit_months = 1);
    let audit = AuditService::new(world.ports.clone());
    world.join("mona").await;
    let first = Month::of(world.ports.clock.now());
    audit.seal().await.unwrap();
    world.advance(Duration::from_hours(24 * 31));
    world.join("karim").await;
    assert_eq!(audit.let_go().await.unwrap(), 0, "not yet");
    world.advance(Duration::from_hours(24 * 31));
    let noted = audit.seal().await.unwrap();
    assert_eq!(audit.let_go().await.unwrap(), 1);
    assert_eq!(audit.let_go().await.unwrap(), 0);
    assert_eq!(world.audit(), ["account.registered"], "of the second one");
    let verdict = audit.verify(noted).await.unwrap();
    assert_eq!((verdict.seals, verdict.lines, verdict.let_go, verdict.breaks), (3, 1, vec![first], vec![]));
    // What is not sealed does not go.
    world.advance(Duration::from_hours(24 * 70));
    world.join("omar").await;
    world.advance(Duration::from_hours(24 * 70));
    assert_eq!(audit.let_go().await.unwrap(), 1, "only the second one's");
}
