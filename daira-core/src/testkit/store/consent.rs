//! What people consented to.

use super::world;
use crate::actor::Actor;
use crate::port::Ports;
use crate::record::{Consent, Consented, Purpose, TextVersions, purpose};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person};

async fn said(world: &Fixture, person: &Person, purpose: Purpose, given: bool, version: u16) -> Consent {
    let consent = Consent { account: person.account, purpose, given, version, at: world.tick() };
    let mut unit = world.unit(&person.actor()).await;
    unit.consents().add_consent(&consent).await.unwrap();
    unit.commit().await.unwrap();
    consent
}

/// All that was said stays, and the latest counts, for every face of a person.
pub async fn consents_are_a_history(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let face = world.person(Draft::new("mona.work").face_of(&mona)).await;
    let first = said(&world, &mona, Purpose::Analytics, true, 1).await;
    let other = said(&world, &mona, Purpose::MarketingMail, true, 1).await;
    let back = said(&world, &face, Purpose::Analytics, false, 1).await;
    let again = said(&world, &mona, Purpose::Analytics, true, 2).await;
    for who in [mona.actor(), face.actor(), PLATFORM] {
        let mut unit = world.unit(&who).await;
        assert_eq!(unit.consents().consents(mona.account).await.unwrap(), [again, back, other, first]);
        let latest = unit.consents().latest_consent(mona.account, Purpose::Analytics).await.unwrap();
        assert_eq!(latest, Some(again));
        assert_eq!(unit.consents().latest_consent(mona.account, Purpose::Terms).await.unwrap(), None);
    }
}

/// Who processes finds a consent while it stands.
pub async fn processing_takes_a_standing_consent(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    for (given, version) in [(true, 1), (false, 1), (true, 2)] {
        said(&world, &mona, Purpose::Analytics, given, version).await;
        let texts = TextVersions { analytics: version, ..TextVersions::default() };
        let mut unit = world.unit(&PLATFORM).await;
        let found = Consented::<purpose::Analytics>::of(unit.as_mut(), mona.account, &texts).await.unwrap();
        assert_eq!(found.map(|found| (found.account(), found.version())), given.then_some((mona.account, version)));
        let other = Consented::<purpose::PersonalisedAds>::of(unit.as_mut(), mona.account, &texts).await.unwrap();
        assert!(other.is_none());
        let nobody = Consented::<purpose::Analytics>::of(unit.as_mut(), world.draw(), &texts).await.unwrap();
        assert!(nobody.is_none());
        let newer = TextVersions { analytics: version + 1, ..texts };
        let old = Consented::<purpose::Analytics>::of(unit.as_mut(), mona.account, &newer).await.unwrap();
        assert!(old.is_none(), "there is another text by now");
    }
}

/// Nobody reads or says anything for somebody else.
pub async fn consents_are_their_owners(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let hers = said(&world, &mona, Purpose::Analytics, true, 1).await;
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.consents().consents(mona.account).await, Ok(list) if !list.is_empty()), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        let found = unit.consents().latest_consent(mona.account, Purpose::Analytics).await;
        assert!(!matches!(found, Ok(Some(_))), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        let forged = Consent { given: false, at: world.tick(), ..hers };
        assert!(unit.consents().add_consent(&forged).await.is_err(), "{stranger:?}");
    }
}
