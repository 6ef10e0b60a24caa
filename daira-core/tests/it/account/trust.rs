//! What staff did weighs on how far somebody is trusted, until it is taken back.

use daira_core::staff::{Measure, Reason, StaffRole, Target};

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
