//! What staff did weighs on how far somebody is trusted, until it is taken back.

use daira_core::post::PostService;
use daira_core::record::{Kept, RetentionService};
use daira_core::staff::{Measure, Reason, StaffRefusal, StaffRole, Target};

use super::staff::{office, why};
use super::*;

#[tokio::test]
async fn what_staff_do_weighs_on_trust_until_it_is_taken_back() {
    let office = office();
    let mona = office.world.join("mona").await;
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let (whom, hate) = (mona.member.profile, why(Reason::Hate));
    let trust = async || {
        let node = AccountService::new(office.world.ports.clone());
        node.admit(&mona.tokens.access).await.unwrap().trust().thousandths()
    };
    let whole = trust().await;
    let post = Target::Post(office.post(&mona).await);
    for _ in 0..2 {
        office.staff.take_down(&senior, post, &hate, None).await.unwrap();
    }
    assert_eq!(trust().await, whole * 3 / 5, "once");
    office.staff.put_back(&senior, post, &why(Reason::Appeal), None).await.unwrap();
    assert_eq!(trust().await, whole);
    for _ in 0..2 {
        office.world.advance(Duration::from_secs(1));
        office.staff.sanction(&senior, whom, Measure::Restrict, &hate, None).await.unwrap();
    }
    assert_eq!(trust().await, whole * 3 / 5, "one offence, whatever becomes of it");
    office.staff.lift(&senior, whom, &why(Reason::Support), None).await.unwrap();
    assert_eq!(trust().await, whole * 3 / 5, "over, and not forgotten");
    office.world.advance(Duration::from_secs(1));
    office.staff.sanction(&senior, whom, Measure::Restrict, &hate, None).await.unwrap();
    office.staff.lift(&senior, whom, &why(Reason::Appeal), None).await.unwrap();
    assert_eq!(trust().await, whole * 3 / 5, "the second was wrong");
}

#[tokio::test]
async fn what_is_over_or_gone_is_taken_back_all_the_same() {
    let office = office();
    let mona = office.world.join("mona").await;
    let (moderator, senior) =
        (office.hire("nour", StaffRole::Moderator).await, office.hire("salma", StaffRole::SeniorModerator).await);
    let (whom, hate, appeal) = (mona.member.profile, why(Reason::Hate), why(Reason::Appeal));
    let strikes = async || {
        let mut unit = office.world.ports.store.begin(&Actor::System("test")).await.unwrap();
        let since = office.world.ports.clock.now() - daira_core::trust::STRIKE_LIFE;
        unit.accounts().trust_facts(mona.member.account, since).await.unwrap().unwrap().strikes
    };
    let until = office.world.ports.clock.now() + Duration::from_hours(24);
    office.staff.sanction(&senior, whom, Measure::Suspend(until), &hate, None).await.unwrap();
    office.world.advance(Duration::from_hours(25));
    assert_eq!(office.staff.lift_what_is_over(10).await.unwrap(), 1);
    assert_eq!(strikes().await, 1);
    office.staff.lift(&senior, whom, &why(Reason::Support), None).await.unwrap();
    assert_eq!(strikes().await, 1, "nobody said that it was wrong");
    let refused = office.staff.lift(&moderator, whom, &appeal, None).await;
    assert_eq!(refusal::<_, StaffRefusal>(refused), StaffRefusal::OutOfReach, "a senior did it");
    office.staff.lift(&senior, whom, &appeal, None).await.unwrap();
    assert_eq!(strikes().await, 0);
    office.staff.lift(&senior, whom, &appeal, None).await.unwrap();

    // One that its owner ended by coming back leaves its row behind, which a back-fill would make a strike of again.
    let until = office.world.ports.clock.now() + Duration::from_hours(24);
    office.staff.sanction(&senior, whom, Measure::Suspend(until), &hate, None).await.unwrap();
    office.world.advance(Duration::from_hours(25));
    entered(office.world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    let refused = office.staff.lift(&moderator, whom, &appeal, None).await;
    assert_eq!(refusal::<_, StaffRefusal>(refused), StaffRefusal::OutOfReach);
    office.staff.lift(&senior, whom, &appeal, None).await.unwrap();
    let mut unit = office.world.ports.store.begin(&Actor::System("test")).await.unwrap();
    assert_eq!((strikes().await, unit.staff().sanction(mona.member.account).await.unwrap()), (0, None));
    drop(unit);

    let post = office.post(&mona).await;
    office.staff.take_down(&senior, Target::Post(post), &hate, None).await.unwrap();
    let refused = office.staff.put_back(&moderator, Target::Post(post), &appeal, None).await;
    assert!(refused.is_err(), "a senior took it down");
    PostService::new(office.world.ports.clone()).delete(&actor(&mona), post, None).await.unwrap();
    office.world.advance(Duration::from_hours(24 * 40));
    let purged = RetentionService::new(office.world.ports.clone()).let_go(Kept::DeletedPosts).await.unwrap();
    assert_eq!((purged, strikes().await), (1, 1));
    office.staff.put_back(&senior, Target::Post(post), &appeal, None).await.unwrap();
    assert_eq!(strikes().await, 0);
    let lines = office.world.audit();
    assert_eq!(lines.iter().filter(|line| line.starts_with("staff.strike_taken_back ")).count(), 3, "{lines:?}");
}
