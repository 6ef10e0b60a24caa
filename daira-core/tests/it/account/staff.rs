//! Staff end to end: who may what, in which session, on whom; and what it does to people and content.

use daira_core::account::factor::{self, SECRET};
use daira_core::account::{AccountState, Due, ProfileKind, Standing};
use daira_core::error::CommonRefusal;
use daira_core::id::{Id, PostId, ProfileId, SessionId};
use daira_core::idempotency::IdempotencyKey;
use daira_core::post::{CreatePost, PostService};
use daira_core::staff::{
    LookUp, Measure, Permission, PersonName, PrivateField, Reason, Reference, StaffRefusal, StaffRole, StaffService,
    Target, Why,
};

use super::*;

const OPERATOR: Actor = Actor::System("cli");

/// A platform with its staff.
pub(super) struct Office {
    pub(super) world: World,
    pub(super) staff: StaffService,
    posts: PostService,
}

pub(super) fn why(reason: Reason) -> Why {
    Why { reason, reference: Some(Reference::new("T-1").unwrap()) }
}

fn code<T: core::fmt::Debug>(outcome: Result<T>) -> &'static str {
    outcome.map_or_else(|error| error.refused_as().code, |_| "done")
}

pub(super) fn office() -> Office {
    let world = world();
    let staff = StaffService::new(world.ports.clone(), world.accounts.clone());
    let posts = PostService::new(world.ports.clone());
    Office { world, staff, posts }
}

impl Office {
    /// Makes somebody staff, as an operator does.
    async fn appoint(&self, person: &LoggedIn, role: Option<StaffRole>) -> Result<()> {
        self.staff.set_role(&OPERATOR, person.member.profile, role, &why(Reason::Staffing), None).await
    }

    /// Sets up a second factor, and proves it on the session.
    async fn guard(&self, person: &LoggedIn) -> [u8; SECRET] {
        let accounts = &self.world.accounts;
        let enrolment = accounts.begin_authenticator(&actor(person)).await.unwrap();
        let secret: [u8; SECRET] =
            data_encoding::BASE32_NOPAD.decode(enrolment.secret.expose().as_bytes()).unwrap().try_into().unwrap();
        let digits = || factor::digits(&secret, self.world.clock.now().as_seconds() / 30);
        accounts.confirm_authenticator(&actor(person), &digits()).await.unwrap();
        self.world.advance(Duration::from_mins(1));
        let proved = accounts.reauthenticate(&actor(person), &Secret::new(PASSWORD), Some(&digits())).await;
        proved.unwrap();
        secret
    }

    /// Somebody of the staff whose role counts.
    pub(super) async fn hire(&self, name: &str, role: StaffRole) -> Actor {
        let person = self.world.join(name).await;
        self.guard(&person).await;
        self.appoint(&person, Some(role)).await.unwrap();
        actor(&person)
    }

    async fn state(&self, person: &LoggedIn) -> AccountState {
        let mut unit = self.world.ports.store.begin(&OPERATOR).await.unwrap();
        unit.accounts().account(person.member.account, Lock::None).await.unwrap().unwrap().state
    }

    pub(super) async fn post(&self, author: &LoggedIn) -> PostId {
        self.world.advance(Duration::from_secs(1));
        self.posts.create(&actor(author), &CreatePost::public("كلام"), None).await.unwrap()
    }

    async fn sees(&self, viewer: &Actor, post: PostId) -> bool {
        let mut view = self.world.ports.store.read(viewer, Access::Read).await.unwrap();
        self.posts.get(view.as_mut(), post).await.is_ok()
    }

    async fn sees_person(&self, viewer: &Actor, person: &LoggedIn) -> bool {
        let mut view = self.world.ports.store.read(viewer, Access::Read).await.unwrap();
        !view.accounts().profiles(&[person.member.profile]).await.unwrap().is_empty()
    }

    /// The texts of mails that were due since this was last asked.
    async fn sent(&self) -> Vec<String> {
        let before = self.world.mail.messages().len();
        let group = Group { name: "mail", topics: &["daira.account.v1"], rebuilds: true };
        let mut due = Vec::new();
        while let Some(batch) = self.world.ports.bus.next(group, "test", 1_000).await.unwrap() {
            due.extend(batch.events().iter().filter_map(|delivered| match &delivered.event {
                daira_core::event::Event::MailDue(due) => Some(ChallengeId::from_raw(due.mailing_id)),
                _ => None,
            }));
            batch.commit().await.unwrap();
        }
        for mailing in due {
            self.world.accounts.deliver(Due::Mailing(mailing)).await.unwrap();
        }
        self.world.mail.messages()[before..].iter().map(|mail| mail.text.expose().to_owned()).collect()
    }

    /// Lines of the audit trail about somebody or something: who, what, and the detail.
    fn lines(&self, subject: i64) -> Vec<(String, &'static str, String)> {
        let trail = self.world.store.audit_trail().into_iter();
        let about = trail.filter(|(_, record)| record.subject == subject && record.action.starts_with("staff."));
        about.map(|(who, record)| (who, record.action, record.detail)).collect()
    }

    fn look(whom: ProfileId, fields: &[PrivateField]) -> LookUp {
        LookUp { whom: PersonName::Profile(whom), fields: fields.to_vec(), why: why(Reason::Report) }
    }
}

#[tokio::test]
async fn security_14_nobody_is_staff_until_an_operator_says_so() {
    let office = office();
    let mona = office.world.join("mona").await;
    office.guard(&mona).await;
    assert_eq!(office.staff.own_role(&actor(&mona)).await.unwrap(), None);
    assert!(office.staff.list(&OPERATOR).await.unwrap().is_empty(), "there is no default account");
    for permission in Permission::ALL {
        assert_eq!(code(office.staff.admit(&actor(&mona), *permission).await), "staff.not_allowed");
    }
    let (admin, why) = (Some(StaffRole::Admin), why(Reason::Staffing));
    office.staff.set_role_by_email(&OPERATOR, "Mona@Example.com", admin, &why).await.unwrap();
    assert_eq!(office.staff.own_role(&actor(&mona)).await.unwrap(), Some(StaffRole::Admin));
    assert!(office.staff.admit(&actor(&mona), Permission::SetRole).await.is_ok());
    let [(who, action, detail)] = &office.lines(mona.member.account.raw())[..] else { panic!("one line") };
    assert_eq!((who.as_str(), *action), ("system:cli", "staff.role_set"));
    assert_eq!(detail, "from=none to=admin reason=staffing case=T-1");
    let nobody = office.staff.set_role_by_email(&OPERATOR, "nobody@example.com", admin, &why).await;
    assert_eq!(code(nobody), CommonRefusal::NotFound.code());
}

#[tokio::test]
async fn a_role_counts_only_where_a_second_factor_was_proved_and_ends_with_it() {
    let office = office();
    let mona = office.world.join("mona").await;
    let me = actor(&mona);
    office.appoint(&mona, Some(StaffRole::Admin)).await.unwrap();
    let admitted = async |who: &Actor| code(office.staff.admit(who, Permission::LookUp).await);
    assert_eq!(admitted(&me).await, StaffRefusal::FactorMissing.code());
    office.guard(&mona).await;
    assert_eq!(admitted(&me).await, "done");
    let accounts = &office.world.accounts;
    assert!(accounts.remove_authenticator(&me, None).await.unwrap());
    assert_eq!(admitted(&me).await, StaffRefusal::FactorMissing.code(), "the last factor took the power with it");
    // A new one counts from the next proof on.
    let enrolment = accounts.begin_authenticator(&me).await.unwrap();
    let secret: [u8; SECRET] =
        data_encoding::BASE32_NOPAD.decode(enrolment.secret.expose().as_bytes()).unwrap().try_into().unwrap();
    let digits = || factor::digits(&secret, office.world.clock.now().as_seconds() / 30);
    accounts.confirm_authenticator(&me, &digits()).await.unwrap();
    assert_eq!(admitted(&me).await, AccountRefusal::ProofNeeded.code());
    office.world.advance(Duration::from_mins(1));
    accounts.reauthenticate(&me, &Secret::new(PASSWORD), Some(&digits())).await.unwrap();
    assert_eq!(admitted(&me).await, "done");
}

#[tokio::test]
async fn a_role_that_is_taken_away_is_worth_nothing_at_once() {
    let office = office();
    let boss = office.hire("omar.boss", StaffRole::Admin).await;
    let mona = office.world.join("mona").await;
    let ali = office.hire("nour", StaffRole::Moderator).await;
    let key = || Some(IdempotencyKey::new("once").unwrap());
    let whom = mona.member.profile;
    office.staff.sanction(&ali, whom, Measure::Restrict, &why(Reason::Spam), key()).await.unwrap();
    office.staff.set_role(&boss, ali.profile().unwrap(), None, &why(Reason::Staffing), None).await.unwrap();
    let again = office.staff.sanction(&ali, whom, Measure::Restrict, &why(Reason::Spam), key()).await;
    assert_eq!(code(again), "staff.not_allowed", "a key is no way around it");
    assert_eq!(code(office.staff.look_up(&ali, &Office::look(whom, &[])).await), "staff.not_allowed");
}

#[tokio::test]
async fn nobody_changes_their_own_role_and_the_last_admin_stays() {
    let office = office();
    let boss = office.hire("omar.boss", StaffRole::Admin).await;
    let other = office.hire("karim", StaffRole::Admin).await;
    let set = async |who: &Actor, whom: &Actor, role| {
        code(office.staff.set_role(who, whom.profile().unwrap(), role, &why(Reason::Staffing), None).await)
    };
    for role in [None, Some(StaffRole::Moderator), Some(StaffRole::Admin)] {
        assert_eq!(set(&boss, &boss, role).await, StaffRefusal::OutOfReach.code());
    }
    assert_eq!(set(&boss, &other, Some(StaffRole::Moderator)).await, "done");
    assert_eq!(set(&other, &boss, None).await, "staff.not_allowed");
    assert_eq!(set(&OPERATOR, &boss, None).await, StaffRefusal::LastAdmin.code());
    assert_eq!(set(&OPERATOR, &boss, Some(StaffRole::Moderator)).await, StaffRefusal::LastAdmin.code());
    assert_eq!(set(&boss, &other, Some(StaffRole::Admin)).await, "done");
    assert_eq!(set(&OPERATOR, &boss, None).await, "done");
    let list = office.staff.list(&other).await.unwrap();
    assert_eq!(
        list.iter().map(|(member, face)| (member.role, face.handle.as_str())).collect::<Vec<_>>(),
        [(StaffRole::Admin, "karim")]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_admins_who_take_each_other_away_leave_one() {
    for _ in 0..8 {
        let office = office();
        let (a, b) = (office.hire("a.one", StaffRole::Admin).await, office.hire("b.two", StaffRole::Admin).await);
        let mut firing = tokio::task::JoinSet::new();
        for (who, whom) in [(a.clone(), b.clone()), (b, a)] {
            let staff = office.staff.clone();
            firing.spawn(async move {
                staff.set_role(&who, whom.profile().unwrap(), None, &why(Reason::Staffing), None).await.is_ok()
            });
        }
        let fired = firing.join_all().await;
        assert_eq!(fired.iter().filter(|done| **done).count(), 1, "{fired:?}");
        assert_eq!(office.staff.list(&OPERATOR).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn security_29_security_44_staff_see_private_data_with_a_reason_and_each_look_is_written_down() {
    let office = office();
    let (mona, mask) = {
        let mona = office.world.join("mona").await;
        office.world.advance(Duration::from_secs(1));
        let mask = office.world.accounts.create_profile(&actor(&mona), "maskita", "قناع", None).await.unwrap();
        (mona, mask)
    };
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let moderator = office.hire("hana", StaffRole::Moderator).await;
    let account = mona.member.account.raw();
    let before = office.lines(account).len();
    let plain = office.staff.look_up(&moderator, &Office::look(mona.member.profile, &[])).await.unwrap();
    assert_eq!((plain.profile.handle.as_str(), plain.state, plain.email), ("mona", AccountState::Active, None));
    assert!(plain.faces.is_none() && plain.sessions.is_none() && plain.birth_date.is_none() && plain.guards.is_none());
    for field in PrivateField::ALL {
        let looked = office.staff.look_up(&moderator, &Office::look(mona.member.profile, &[*field])).await;
        let allowed = field.is_of(StaffRole::Moderator.into());
        assert_eq!(code(looked), if allowed { "done" } else { "staff.not_allowed" }, "{field:?}");
    }
    let by_mail = |email: &str| LookUp { whom: PersonName::Email(email.to_owned()), ..Office::look(mask, &[]) };
    assert_eq!(code(office.staff.look_up(&moderator, &by_mail("mona@example.com")).await), "staff.not_allowed");
    let whole = office.staff.look_up(&senior, &Office::look(mask, PrivateField::ALL)).await.unwrap();
    assert_eq!(whole.email.as_ref().map(daira_core::account::Email::as_str), Some("mona@example.com"));
    assert_eq!((whole.profile.id, whole.faces.unwrap().len(), whole.sessions.unwrap().len()), (mask, 2, 1));
    assert!(whole.birth_date.is_some() && !whole.guards.unwrap().authenticator && whole.sanction.is_none());
    let found = office.staff.look_up(&senior, &by_mail("MONA@example.com")).await.unwrap();
    assert_eq!(found.profile.id, mona.member.profile, "the oldest face");
    let lines = office.lines(account);
    assert_eq!(lines.len() - before, 4, "refused looks saw nothing: {lines:?}");
    let (who, action, detail) = &lines[lines.len() - 2];
    assert_eq!((who, *action), (&senior.profile().unwrap().to_string(), "staff.looked_up"));
    assert_eq!(detail, "fields=email,birth_date,faces,sessions,second_factor,sanction reason=report case=T-1");
    // Whom nobody found was looked for all the same.
    assert_eq!(
        code(office.staff.look_up(&senior, &by_mail("nobody@example.com")).await),
        CommonRefusal::NotFound.code()
    );
    assert_eq!(office.lines(0).last().unwrap().2, "fields=email reason=report case=T-1");
    assert!(!office.world.store.audit_trail().iter().any(|(_, record)| record.detail.contains('@')));
}

#[tokio::test]
async fn security_28_a_suspension_ends_every_session_at_once_and_says_until_when() {
    let office = office();
    let accounts = &office.world.accounts;
    let mona = office.world.join("mona").await;
    let mask = accounts.create_profile(&actor(&mona), "maskita", "قناع", None).await.unwrap();
    let (masked, mask_tokens) = accounts.switch_profile(&actor(&mona), mask, "", None).await.unwrap();
    let post = office.post(&mona).await;
    let moderator = office.hire("hana", StaffRole::Moderator).await;
    accounts.poll_revocations().await.unwrap();
    let pass = accounts.admit(&mona.tokens.access).await.unwrap();
    assert!(office.sees(&moderator, post).await && office.sees_person(&moderator, &mona).await);

    let until = office.world.clock.now() + Duration::from_hours(7 * 24);
    office.staff.sanction(&moderator, mask, Measure::Suspend(until), &why(Reason::Hate), None).await.unwrap();
    for access in [&mona.tokens.access, &mask_tokens.access] {
        assert_eq!(code(accounts.authenticate(access).await), "auth.token_invalid");
    }
    assert_eq!(code(accounts.check(&pass).await), "auth.session_ended", "what is open closes with the right code");
    for refresh in [&mona.tokens.refresh, &mask_tokens.refresh] {
        assert_eq!(code(accounts.refresh(&Client::default(), refresh).await), "auth.token_invalid");
    }
    // Another node learns it by its next poll.
    let other = AccountService::new(office.world.ports.clone());
    other.poll_revocations().await.unwrap();
    assert_eq!(code(other.authenticate(&mona.tokens.access).await), "auth.token_invalid");
    assert!(!office.sees(&moderator, post).await && !office.sees_person(&moderator, &mona).await);

    // Only who proves the password hears of it, and until when.
    let wrong = LogIn { password: Secret::new("shai bel na3na3"), ..logging_in("mona") };
    assert_eq!(code(accounts.log_in(&Client::default(), wrong, None).await), "auth.invalid_credentials");
    let refused = accounts.log_in(&Client::default(), logging_in("mona"), None).await.unwrap_err();
    assert_eq!(refused.refused_as().code, "auth.suspended");
    assert_eq!(refused.retry_after(), Some(until.since(office.world.clock.now())));
    assert!(office.world.events("e").await.contains(&"account.v1.state_changed".to_owned()));
    let (_, action, detail) = office.lines(mona.member.account.raw()).pop().unwrap();
    assert_eq!(action, "staff.sanctioned");
    assert_eq!(detail, format!("from=active to=suspended until={until} reason=hate case=T-1"));

    // It ends by itself, to the second.
    office.world.advance(Duration::from_hours(7 * 24));
    let back = entered(accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    assert_eq!(back.member.account, masked.account);
    assert_eq!(office.state(&mona).await, AccountState::Active);
    assert!(office.sees(&moderator, post).await && office.sees_person(&moderator, &mona).await);
    assert_eq!(office.staff.own_sanction(&actor(&back)).await.unwrap(), None);
}

#[tokio::test]
async fn a_suspension_that_is_over_is_lifted_for_others_too() {
    let office = office();
    let mona = office.world.join("mona").await;
    let moderator = office.hire("hana", StaffRole::Moderator).await;
    let until = office.world.clock.now() + Duration::from_hours(1);
    let whom = mona.member.profile;
    office.staff.sanction(&moderator, whom, Measure::Suspend(until), &why(Reason::Spam), None).await.unwrap();
    assert_eq!(office.staff.lift_what_is_over(10).await.unwrap(), 0);
    office.world.advance(Duration::from_hours(1));
    assert_eq!(office.staff.lift_what_is_over(10).await.unwrap(), 1);
    assert_eq!((office.state(&mona).await, office.sees_person(&moderator, &mona).await), (AccountState::Active, true));
    assert_eq!(office.staff.lift_what_is_over(10).await.unwrap(), 0);
}

#[tokio::test]
async fn a_restricted_account_reads_and_a_banned_one_is_out_for_good() {
    let office = office();
    let mona = office.world.join("mona").await;
    let moderator = office.hire("hana", StaffRole::Moderator).await;
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let (me, whom) = (actor(&mona), mona.member.profile);
    let measure = async |who: &Actor, measure| {
        code(office.staff.sanction(who, whom, measure, &why(Reason::Harassment), None).await)
    };
    assert_eq!(measure(&moderator, Measure::Restrict).await, "done");
    assert!(office.world.accounts.authenticate(&mona.tokens.access).await.is_ok(), "may read");
    let write = office.posts.create(&me, &CreatePost::public("كلام"), None).await;
    assert_eq!(code(write), "post.restricted");
    let told = office.staff.own_sanction(&me).await.unwrap().unwrap();
    assert_eq!((told.why.reason, told.by), (Reason::Harassment, moderator.profile()));
    assert_eq!(measure(&moderator, Measure::Ban).await, "staff.not_allowed");
    let far = office.world.clock.now() + Duration::from_hours(400 * 24);
    assert_eq!(measure(&moderator, Measure::Suspend(far)).await, StaffRefusal::UntilInvalid.code());
    assert_eq!(measure(&senior, Measure::Ban).await, "done");
    assert_eq!(measure(&moderator, Measure::Restrict).await, "staff.not_allowed", "what a senior did stays");
    assert_eq!(code(office.staff.lift(&moderator, whom, &why(Reason::Appeal), None).await), "staff.not_allowed");
    let banned = office.world.accounts.log_in(&Client::default(), logging_in("mona"), None).await;
    assert_eq!(code(banned), "auth.banned");
    office.staff.lift(&senior, whom, &why(Reason::Appeal), None).await.unwrap();
    assert!(entered(office.world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).is_ok());
    assert_eq!(office.state(&mona).await, AccountState::Active);
}

#[tokio::test]
async fn who_slept_before_a_ban_sleeps_after_it() {
    let office = office();
    let mona = office.world.join("mona").await;
    office.world.set_state(mona.member, AccountState::Deactivated).await;
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let whom = mona.member.profile;
    for measure in [Measure::Restrict, Measure::Ban] {
        office.staff.sanction(&senior, whom, measure, &why(Reason::Other), None).await.unwrap();
    }
    office.staff.lift(&senior, whom, &why(Reason::Appeal), None).await.unwrap();
    assert_eq!(office.state(&mona).await, AccountState::Deactivated);
    assert!(!office.sees_person(&senior, &mona).await);
}

#[tokio::test]
async fn who_sleeps_is_shown_by_no_measure_and_wakes_by_coming_in() {
    let office = office();
    let mona = office.world.join("mona").await;
    office.world.accounts.log_out(&actor(&mona)).await.unwrap();
    office.world.set_state(mona.member, AccountState::Deactivated).await;
    let (moderator, whom) = (office.hire("hana", StaffRole::Moderator).await, mona.member.profile);
    let restrict = async || office.staff.sanction(&moderator, whom, Measure::Restrict, &why(Reason::Spam), None).await;
    restrict().await.unwrap();
    assert!(!office.sees_person(&moderator, &mona).await, "restricted, and asleep as before");
    office.staff.lift(&moderator, whom, &why(Reason::Appeal), None).await.unwrap();
    assert_eq!(office.state(&mona).await, AccountState::Deactivated);
    restrict().await.unwrap();
    entered(office.world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    assert!(office.sees_person(&moderator, &mona).await, "its owner is back");
    assert_eq!(office.state(&mona).await, AccountState::Restricted);
    office.staff.lift(&moderator, whom, &why(Reason::Appeal), None).await.unwrap();
    assert_eq!(office.state(&mona).await, AccountState::Active, "nobody puts it to sleep again");
}

#[tokio::test]
async fn what_a_senior_did_is_neither_shortened_nor_lifted_from_below() {
    let office = office();
    let mona = office.world.join("mona").await;
    let moderator = office.hire("hana", StaffRole::Moderator).await;
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let (whom, now) = (mona.member.profile, office.world.clock.now());
    let suspend = async |who: &Actor, days: u64| {
        let until = now + Duration::from_hours(24 * days);
        code(office.staff.sanction(who, whom, Measure::Suspend(until), &why(Reason::Hate), None).await)
    };
    assert_eq!(suspend(&moderator, 1).await, "done");
    assert_eq!(suspend(&moderator, 2).await, "done", "their own they may change");
    assert_eq!(suspend(&senior, 300).await, "done");
    assert_eq!(suspend(&moderator, 1).await, StaffRefusal::OutOfReach.code());
    let lifted = office.staff.lift(&moderator, whom, &why(Reason::Appeal), None).await;
    assert_eq!(code(lifted), StaffRefusal::OutOfReach.code());
    office.staff.lift(&senior, whom, &why(Reason::Appeal), None).await.unwrap();
}

#[tokio::test]
async fn staff_act_on_nobody_of_their_rank_nor_on_themselves() {
    let office = office();
    let moderator = office.hire("hana", StaffRole::Moderator).await;
    let (senior, boss) =
        (office.hire("salma", StaffRole::SeniorModerator).await, office.hire("omar.boss", StaffRole::Admin).await);
    let second = office.hire("tarek", StaffRole::Admin).await;
    let restrict = async |who: &Actor, whom: &Actor| {
        let whom = whom.profile().unwrap();
        code(office.staff.sanction(who, whom, Measure::Restrict, &why(Reason::Other), None).await)
    };
    for (who, whom) in
        [(&moderator, &senior), (&moderator, &moderator), (&senior, &boss), (&boss, &second), (&boss, &boss)]
    {
        assert_eq!(restrict(who, whom).await, StaffRefusal::OutOfReach.code());
    }
    assert_eq!(restrict(&boss, &senior).await, "done");
    assert_eq!(
        code(office.staff.admit(&senior, Permission::LookUp).await),
        "staff.not_allowed",
        "restricted staff act on nobody"
    );
}

#[tokio::test]
async fn security_29_staff_end_sessions_of_others() {
    let office = office();
    let accounts = &office.world.accounts;
    let mona = office.world.join("mona").await;
    let second = entered(accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    let ali = office.world.join("nour").await;
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let end = async |session: Option<SessionId>| {
        office.staff.end_sessions(&senior, mona.member.profile, session, &why(Reason::Safety), None).await
    };
    assert_eq!(code(end(Some(ali.member.session)).await), CommonRefusal::NotFound.code(), "another's");
    assert_eq!(end(Some(second.member.session)).await.unwrap(), 1);
    assert_eq!(end(Some(second.member.session)).await.unwrap(), 0);
    assert!(accounts.authenticate(&second.tokens.access).await.is_err());
    assert!(accounts.authenticate(&mona.tokens.access).await.is_ok());
    assert_eq!(end(None).await.unwrap(), 1);
    assert!(accounts.authenticate(&mona.tokens.access).await.is_err());
    assert!(accounts.authenticate(&ali.tokens.access).await.is_ok());
}

#[tokio::test]
async fn security_39_a_post_that_is_taken_down_is_its_authors_alone_and_comes_back_whole() {
    let office = office();
    let (mona, ali) = (office.world.join("mona").await, office.world.join("nour").await);
    let post = office.post(&mona).await;
    let moderator = office.hire("hana", StaffRole::Moderator).await;
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let target = Target::Post(post);
    for _ in 0..2 {
        office.staff.take_down(&moderator, target, &why(Reason::Hate), None).await.unwrap();
    }
    assert!(office.sees(&actor(&mona), post).await);
    for stranger in [actor(&ali), moderator.clone(), Actor::Anonymous] {
        assert!(!office.sees(&stranger, post).await, "{stranger:?}");
    }
    let told = office.staff.own_takedowns(&actor(&mona)).await.unwrap();
    assert_eq!(told.iter().map(|t| (t.target, t.why.reason)).collect::<Vec<_>>(), [(target, Reason::Hate)]);
    assert!(office.staff.own_takedowns(&actor(&ali)).await.unwrap().is_empty());
    assert_eq!(code(office.staff.put_back(&moderator, target, &why(Reason::Appeal), None).await), "staff.not_allowed");
    for _ in 0..2 {
        office.staff.put_back(&senior, target, &why(Reason::Appeal), None).await.unwrap();
    }
    assert!(
        office.sees(&actor(&ali), post).await && office.staff.own_takedowns(&actor(&mona)).await.unwrap().is_empty()
    );
    let actions: Vec<_> = office.lines(post.raw()).into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(actions, ["staff.taken_down", "staff.put_back"], "twice is once");
    let missing = Target::Post(PostId::from_raw(77));
    assert_eq!(
        code(office.staff.take_down(&moderator, missing, &why(Reason::Hate), None).await),
        CommonRefusal::NotFound.code()
    );
}

#[tokio::test]
async fn what_is_down_counts_nowhere_whatever_its_author_does_meanwhile() {
    let office = office();
    let mona = office.world.join("mona").await;
    let post = office.post(&mona).await;
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let me = actor(&mona);
    office.staff.take_down(&senior, Target::Post(post), &why(Reason::Spam), None).await.unwrap();
    office.posts.delete(&me, post, None).await.unwrap();
    office.posts.restore(&me, post, None).await.unwrap();
    office.posts.delete(&me, post, None).await.unwrap();
    office.staff.put_back(&senior, Target::Post(post), &why(Reason::Appeal), None).await.unwrap();
    office.posts.restore(&me, post, None).await.unwrap();
    let group = Group { name: "count", topics: &["daira.post.v1"], rebuilds: true };
    let mut opened = Vec::new();
    while let Some(batch) = office.world.ports.bus.next(group, "test", 1_000).await.unwrap() {
        for delivered in batch.events() {
            use daira_core::event::Event;
            opened.push(match &delivered.event {
                Event::PostCreated(e) => i32::from(e.open),
                Event::PostRestored(e) => i32::from(e.open),
                Event::PostPutBack(e) => i32::from(e.open),
                Event::PostDeleted(e) => -i32::from(e.open),
                Event::PostTakenDown(e) => -i32::from(e.open),
                other => panic!("{other:?}"),
            });
        }
        batch.commit().await.unwrap();
    }
    assert_eq!(opened, [1, -1, 0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn security_39_a_name_and_a_picture_go_and_come_back() {
    let office = office();
    let mona = office.world.join("mona").await;
    let (me, id) = (actor(&mona), mona.member.profile);
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let profile = async || {
        let mut view = office.world.ports.store.read(&senior, Access::Read).await.unwrap();
        view.accounts().profiles(&[id]).await.unwrap().pop().unwrap()
    };
    let take = async |target| code(office.staff.take_down(&senior, target, &why(Reason::Impersonation), None).await);
    let back = async |target| code(office.staff.put_back(&senior, target, &why(Reason::Appeal), None).await);
    assert_eq!(take(Target::Picture(id)).await, StaffRefusal::NothingThere.code());
    assert_eq!((take(Target::Name(id)).await, profile().await.name.as_str()), ("done", "mona"));
    assert_eq!(take(Target::Name(id)).await, "done", "nothing more to do");
    assert_eq!((back(Target::Name(id)).await, profile().await.name.as_str()), ("done", "منى علي"));
    assert_eq!(take(Target::Name(id)).await, "done");
    let rename = daira_core::account::UpdateProfile { name: Some("منى تاني".to_owned()), ..Default::default() };
    office.world.accounts.update_profile(&me, rename, None).await.unwrap();
    assert_eq!((back(Target::Name(id)).await, profile().await.name.as_str()), ("done", "منى تاني"), "hers by now");
    assert_eq!(profile().await.standing, Standing::Live);
}

#[tokio::test]
async fn security_36_only_an_admin_says_that_somebody_is_verified() {
    let office = office();
    let mona = office.world.join("mona").await;
    let (senior, boss) =
        (office.hire("salma", StaffRole::SeniorModerator).await, office.hire("omar.boss", StaffRole::Admin).await);
    let set = async |who: &Actor| {
        let kind = ProfileKind::VerifiedCreator;
        code(office.staff.set_kind(who, mona.member.profile, kind, &why(Reason::Staffing), None).await)
    };
    assert_eq!((set(&actor(&mona)).await, set(&senior).await), ("staff.not_allowed", "staff.not_allowed"));
    assert_eq!((set(&boss).await, set(&boss).await), ("done", "done"));
    let mut view = office.world.ports.store.read(&Actor::Anonymous, Access::Read).await.unwrap();
    let profile = view.accounts().profiles(&[mona.member.profile]).await.unwrap().pop().unwrap();
    assert_eq!(profile.kind, ProfileKind::VerifiedCreator);
    assert_eq!(office.lines(mona.member.profile.raw()).len(), 1);
}

#[tokio::test]
async fn notices_tell_what_was_done_and_why() {
    let office = office();
    let mona = office.world.join("mona").await;
    let post = office.post(&mona).await;
    let senior = office.hire("salma", StaffRole::SeniorModerator).await;
    let whom = mona.member.profile;
    office.sent().await;
    office.staff.take_down(&senior, Target::Post(post), &why(Reason::Hate), None).await.unwrap();
    office.staff.sanction(&senior, whom, Measure::Ban, &why(Reason::Hate), None).await.unwrap();
    let told = office.sent().await;
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|text| text.contains("خطاب كراهية")), "{told:?}");
    office.staff.lift(&senior, whom, &why(Reason::Appeal), None).await.unwrap();
    assert_eq!(office.sent().await.len(), 1);
}
