//! Registrations, accounts, handles, credentials and sessions.

use core::time::Duration;

use super::{failure, world};
use crate::account::{AccountState, Mailing, MailingKind, Registration, Session, StoredCredential};
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::id::{AccountId, ChallengeId};
use crate::locale::Locale;
use crate::place::Place;
use crate::port::Ports;
use crate::port::store::{HandleHolder, Lock};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person, put_profile};
use crate::text::Handle;
use crate::time::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);

fn registration(world: &Fixture, name: &str, expires_at: Timestamp) -> Registration {
    let account = world.account(&Draft::new(name));
    Registration {
        id: world.draw(),
        email: account.email,
        password_hash: "$none$".to_owned(),
        identity: None,
        handle: Handle::existing(name).unwrap(),
        name: "منى علي".to_owned(),
        birth_date: account.birth_date,
        locale: account.locale,
        attempts: 0,
        created_at: account.created_at,
        expires_at,
    }
}

fn session(world: &Fixture, person: &Person) -> Session {
    let at = world.tick();
    Session {
        id: world.draw(),
        account: person.account,
        profile: person.id,
        device: "Firefox على أندرويد".to_owned(),
        salt: [7; 16],
        generation: 3,
        seen_generation: 1,
        rotated_at: at,
        created_at: at,
        proven_at: at,
        last_used_at: at,
        expires_at: world.now() + MINUTE,
        revoked_at: None,
        granted: None,
        place: Place::from_code("EG-ALX"),
        known_device: false,
    }
}

async fn keep(world: &Fixture, person: &Person, session: &Session) {
    let mut unit = world.unit(&person.actor()).await;
    unit.accounts().insert_session(session).await.unwrap();
    unit.commit().await.unwrap();
}

/// Faces that are gone count no more, and nobody else's do.
pub async fn faces_of_an_account_are_counted(ports: &Ports) {
    let world = world(ports);
    let mona = world.person(Draft::new("mona")).await;
    let other = world.person(Draft::new("karim")).await;
    let mask = world.person(Draft::new("zell").face_of(&mona)).await;
    let faces = async |of: &Person| world.unit(&of.actor()).await.accounts().faces(of.account).await.unwrap().len();
    assert_eq!((faces(&mona).await, faces(&mask).await, faces(&other).await), (2, 2, 1));
    let mut unit = world.unit(&mask.actor()).await;
    let gone = unit.accounts().profile(mask.id, Lock::Update).await.unwrap().unwrap();
    let gone = crate::account::Profile { standing: crate::account::Standing::Gone, version: gone.version + 1, ..gone };
    unit.accounts().update_profile(&gone).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(faces(&mona).await, 1);
}

/// A registration is kept, found by its id alone, counts wrong tries and goes; all without anybody logged in.
pub async fn a_registration_waits_and_goes(ports: &Ports) {
    let world = world(ports);
    let wanted = registration(&world, "mona", world.now() + MINUTE);
    let mut unit = world.unit(&Actor::Anonymous).await;
    unit.accounts().insert_registration(&wanted).await.unwrap();
    unit.commit().await.unwrap();

    let mut unit = world.unit(&Actor::Anonymous).await;
    assert_eq!(unit.accounts().registration(wanted.id).await.unwrap().as_ref(), Some(&wanted));
    assert_eq!(unit.accounts().registration(world.draw::<ChallengeId>()).await.unwrap(), None);
    unit.accounts().set_attempts(wanted.id, 2).await.unwrap();
    unit.commit().await.unwrap();

    let mut unit = world.unit(&Actor::Anonymous).await;
    assert_eq!(unit.accounts().registration(wanted.id).await.unwrap().unwrap().attempts, 2);
    unit.accounts().delete_registration(wanted.id).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&Actor::Anonymous).await;
    assert_eq!(unit.accounts().registration(wanted.id).await.unwrap(), None);
}

/// What lapsed before an instant is removed, at most so many at once; what lives stays.
pub async fn lapsed_registrations_are_purged(ports: &Ports) {
    let world = world(ports);
    let ends = [world.now() - MINUTE * 3, world.now() - MINUTE * 2, world.now() + MINUTE];
    let mut all = Vec::new();
    for (n, ends) in ends.into_iter().enumerate() {
        all.push(registration(&world, &format!("mona{n}"), ends));
    }
    let mut unit = world.unit(&PLATFORM).await;
    for registration in &all {
        unit.accounts().insert_registration(registration).await.unwrap();
    }
    unit.commit().await.unwrap();
    for expected in [1, 1, 0] {
        let mut unit = world.unit(&PLATFORM).await;
        assert_eq!(unit.accounts().purge_registrations(world.now() - MINUTE, 1).await.unwrap(), expected);
        unit.commit().await.unwrap();
    }
    let mut unit = world.unit(&PLATFORM).await;
    assert!(unit.accounts().registration(all[2].id).await.unwrap().is_some());
    assert!(unit.accounts().registration(all[0].id).await.unwrap().is_none());
}

fn mailing(world: &Fixture, kind: MailingKind, account: Option<AccountId>, expires_at: Timestamp) -> Mailing {
    let email = world.account(&Draft::new("mona")).email;
    let (id, created_at) = (world.draw(), world.now());
    Mailing { id, kind, to: email.into(), account, locale: Locale::En, attempts: 0, created_at, expires_at }
}

/// A mail that is due is kept whole, found by its id alone by who it belongs to, counts wrong codes and goes. One that
/// belongs to no account is anybody's.
pub async fn a_mailing_waits_and_goes(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let end = world.now() + MINUTE;
    for (kind, account) in [
        (MailingKind::PasswordReset, None),
        (MailingKind::NewEmail, Some(mona.account)),
        (MailingKind::PasswordChanged, Some(mona.account)),
        (MailingKind::EmailChanged, Some(mona.account)),
    ] {
        let actor = if account.is_some() { mona.actor() } else { Actor::Anonymous };
        let due = mailing(&world, kind, account, end);
        let mut unit = world.unit(&actor).await;
        unit.accounts().insert_mailing(&due).await.unwrap();
        unit.commit().await.unwrap();

        let mut unit = world.unit(&actor).await;
        assert_eq!(unit.accounts().mailing(due.id).await.unwrap().as_ref(), Some(&due));
        assert_eq!(unit.accounts().mailing(world.draw::<ChallengeId>()).await.unwrap(), None);
        unit.accounts().count_attempt(due.id).await.unwrap();
        unit.accounts().count_attempt(due.id).await.unwrap();
        unit.commit().await.unwrap();

        let mut unit = world.unit(&PLATFORM).await;
        assert_eq!(unit.accounts().mailing(due.id).await.unwrap().unwrap().attempts, 2);
        assert_eq!(failure(unit.accounts().insert_mailing(&due).await), ErrorKind::IdCollision);
        drop(unit);
        let mut unit = world.unit(&actor).await;
        unit.accounts().delete_mailing(due.id).await.unwrap();
        unit.commit().await.unwrap();
        let mut unit = world.unit(&PLATFORM).await;
        assert_eq!(unit.accounts().mailing(due.id).await.unwrap(), None);
    }
}

/// Nobody has mail sent about somebody else's account, looks at it, counts it down or takes it away.
pub async fn a_mailing_is_for_ones_own_account(ports: &Ports) {
    let world = world(ports);
    let (mona, omar) = (world.person("mona").await, world.person("omar").await);
    let foreign = mailing(&world, MailingKind::PasswordChanged, Some(omar.account), world.now() + MINUTE);
    for actor in [mona.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&actor).await;
        assert!(unit.accounts().insert_mailing(&foreign).await.is_err(), "{actor:?}");
    }
    let mut unit = world.unit(&omar.actor()).await;
    unit.accounts().insert_mailing(&foreign).await.unwrap();
    unit.commit().await.unwrap();
    for actor in [mona.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&actor).await;
        assert_eq!(unit.accounts().mailing(foreign.id).await.unwrap(), None, "{actor:?}");
        unit.accounts().count_attempt(foreign.id).await.unwrap();
        unit.accounts().delete_mailing(foreign.id).await.unwrap();
        unit.commit().await.unwrap();
    }
    let mut unit = world.unit(&omar.actor()).await;
    assert_eq!(unit.accounts().mailing(foreign.id).await.unwrap(), Some(foreign));
}

/// What lapsed before an instant is removed, at most so many at once; what lives stays.
pub async fn lapsed_mailings_are_purged(ports: &Ports) {
    let world = world(ports);
    let ends = [world.now() - MINUTE * 3, world.now() - MINUTE * 2, world.now() + MINUTE];
    let all = ends.map(|end| mailing(&world, MailingKind::PasswordReset, None, end));
    let mut unit = world.unit(&PLATFORM).await;
    for mailing in &all {
        unit.accounts().insert_mailing(mailing).await.unwrap();
    }
    unit.commit().await.unwrap();
    for expected in [1, 1, 0] {
        let mut unit = world.unit(&PLATFORM).await;
        assert_eq!(unit.accounts().purge_mailings(world.now() - MINUTE, 1).await.unwrap(), expected);
        unit.commit().await.unwrap();
    }
    let mut unit = world.unit(&PLATFORM).await;
    assert!(unit.accounts().mailing(all[2].id).await.unwrap().is_some());
    assert!(unit.accounts().mailing(all[0].id).await.unwrap().is_none());
}

/// A taken e-mail is a conflict that names its key; a unit of its own with another e-mail goes through.
pub async fn an_email_has_one_account(ports: &Ports) {
    let world = world(ports);
    let draft = Draft::new("mona");
    let (first, second) = (world.account(&draft), world.account(&draft));
    let mut unit = world.unit(&PLATFORM).await;
    unit.accounts().insert_account(&first, "$none$").await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&PLATFORM).await;
    let taken = unit.accounts().insert_account(&second, "$none$").await;
    assert_eq!(failure(taken), ErrorKind::Conflict("account_email"));
    drop(unit);
    let mut unit = world.unit(&PLATFORM).await;
    let found = unit.accounts().account_by_email(&first.email).await.unwrap();
    assert_eq!(found.as_ref(), Some(&first));
    assert_eq!(unit.accounts().account(second.id, Lock::None).await.unwrap(), None);
}

/// An id that is taken is told apart from every other conflict: the unit is run again with another.
pub async fn an_id_is_given_once(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let mut account = world.account(&Draft::new("sara"));
    account.id = mona.account;
    let mut unit = world.unit(&PLATFORM).await;
    let result = unit.accounts().insert_account(&account, "$none$").await;
    assert_eq!(failure(result), ErrorKind::IdCollision);
    drop(unit);
    let mut profile = world.face(&Draft::new("sara"), mona.account);
    profile.id = mona.id;
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(failure(unit.accounts().insert_profile(&profile).await), ErrorKind::IdCollision);
    drop(unit);
    let session = session(&world, &mona);
    keep(&world, &mona, &session).await;
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(failure(unit.accounts().insert_session(&session).await), ErrorKind::IdCollision);
}

/// No two faces that are not gone share a handle; a gone one gives it back.
pub async fn a_handle_has_one_living_face(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let other = world.face(&Draft::new("mona"), mona.account);
    let mut unit = world.unit(&PLATFORM).await;
    let taken = unit.accounts().insert_profile(&other).await;
    assert_eq!(failure(taken), ErrorKind::Conflict("handle"));
    drop(unit);
    world.change(&mona, |profile| profile.standing = crate::account::Standing::Gone).await;
    let mut unit = world.unit(&PLATFORM).await;
    unit.accounts().insert_profile(&other).await.unwrap();
    unit.commit().await.unwrap();
}

/// An update counts only when it is one version above what is stored.
pub async fn a_version_is_updated_once(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let mut unit = world.unit(&mona.actor()).await;
    let account = unit.accounts().account(mona.account, Lock::Update).await.unwrap().unwrap();
    let changed = crate::account::Account { state: AccountState::Deactivated, version: 2, ..account.clone() };
    unit.accounts().update_account(&changed).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(failure(unit.accounts().update_account(&changed).await), ErrorKind::Stale);
    drop(unit);
    let mut profile = mona.profile.clone();
    (profile.name, profile.links, profile.version) = ("منى".to_owned(), vec!["https://example.com/أ".to_owned()], 2);
    let mut unit = world.unit(&mona.actor()).await;
    unit.accounts().update_profile(&profile).await.unwrap();
    unit.commit().await.unwrap();
    for version in [1, 2, 4] {
        let mut unit = world.unit(&mona.actor()).await;
        let stale = crate::account::Profile { version, ..profile.clone() };
        assert_eq!(failure(unit.accounts().update_profile(&stale).await), ErrorKind::Stale, "version {version}");
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.accounts().profile(mona.id, Lock::None).await.unwrap(), Some(profile));
    assert_eq!(unit.accounts().account(mona.account, Lock::Share).await.unwrap(), Some(changed));
}

/// An account is loaded by its owner and by the platform; e-mails are looked up by the platform alone.
pub async fn a_member_loads_only_their_account(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let email = world.account(&Draft::new("mona")).email;
    let mut unit = world.unit(&mona.actor()).await;
    assert!(unit.accounts().account(mona.account, Lock::None).await.unwrap().is_some());
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert_eq!(unit.accounts().account(mona.account, Lock::None).await.unwrap(), None);
        assert!(!matches!(unit.accounts().account_by_email(&email).await, Ok(Some(_))));
        let mut view = world.view(&stranger).await;
        assert!(view.accounts().own_account().await.unwrap().is_none_or(|own| own.id == ali.account));
    }
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.accounts().account_by_email(&email).await.unwrap().map(|a| a.id), Some(mona.account));
}

/// A handle is held by one at a time: a profile until it lets go, a registration until it lapses or becomes a profile, a
/// former owner for a while.
pub async fn handles_are_held_passed_on_and_freed(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let (now, later) = (world.now(), world.now() + MINUTE);
    let [one, two]: [ChallengeId; 2] = [world.draw(), world.draw()];
    let claim = async |actor: &Actor, handle: &str, holder, from, at| {
        let mut unit = world.unit(actor).await;
        let handle = Handle::existing(handle).unwrap();
        let taken = unit.accounts().claim_handle(&handle, holder, from, at).await.unwrap();
        unit.commit().await.unwrap();
        taken
    };
    let nobody = Actor::Anonymous;
    let registered = |id| HandleHolder::Registration(id, later);
    assert!(!claim(&nobody, "mona", registered(one), None, now).await, "held by a profile");
    assert!(claim(&nobody, "soad", registered(one), None, now).await);
    assert!(!claim(&nobody, "soad", registered(two), None, now).await, "held by a registration");
    assert!(claim(&nobody, "soad", registered(one), None, now).await, "by the same holder again");
    assert!(!claim(&ali.actor(), "soad", HandleHolder::Profile(ali.id), None, now).await);
    assert!(!claim(&ali.actor(), "soad", HandleHolder::Profile(ali.id), Some(two), now).await, "another registration");
    assert!(
        claim(&ali.actor(), "soad", HandleHolder::Profile(ali.id), Some(one), now).await,
        "it passes to its profile"
    );
    assert!(claim(&nobody, "nada", registered(two), None, now).await);
    assert!(claim(&ali.actor(), "nada", HandleHolder::Profile(ali.id), None, later).await, "a registration lapses");
    assert!(claim(&ali.actor(), "ali", HandleHolder::Former(ali.id, later), None, now).await, "let go");
    assert!(!claim(&mona.actor(), "ali", HandleHolder::Profile(mona.id), None, now).await, "reserved");
    assert!(claim(&ali.actor(), "ali", HandleHolder::Profile(ali.id), None, now).await, "taken back");
    assert!(claim(&ali.actor(), "ali", HandleHolder::Former(ali.id, later), None, now).await);
    assert!(claim(&mona.actor(), "ali", HandleHolder::Profile(mona.id), None, later).await, "reserved no longer");
    let mut unit = world.unit(&ali.actor()).await;
    let free = Handle::existing("somebody").unwrap();
    let stolen = unit.accounts().claim_handle(&free, HandleHolder::Profile(mona.id), None, now).await;
    assert!(!matches!(stolen, Ok(true)), "nobody claims a handle for another's profile");
}

/// A session stands for its member while it and the account live, and notes the newest generation seen in use.
pub async fn a_session_is_resolved_while_it_lives(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let until = world.now() + MINUTE;
    let sami = world.person(Draft::new("sami").state(AccountState::Suspended(until))).await;
    let living = session(&world, &mona);
    let over = Session { id: world.draw(), expires_at: world.now(), ..living.clone() };
    let revoked = Session { id: world.draw(), revoked_at: Some(world.now()), ..living.clone() };
    let shut_out = Session { expires_at: until + MINUTE, ..session(&world, &sami) };
    for session in [&living, &over, &revoked] {
        keep(&world, &mona, session).await;
    }
    keep(&world, &sami, &shut_out).await;

    let resolve = async |session: &Session, generation, at| {
        let mut unit = world.unit(&Actor::Anonymous).await;
        let member = unit.accounts().resolve_session(session.id, generation, at).await.unwrap();
        unit.commit().await.unwrap();
        member
    };
    let now = world.now();
    let member = resolve(&living, 2, now).await.unwrap();
    assert_eq!((member.account, member.profile, member.session), (mona.account, mona.id, living.id));
    assert_eq!(resolve(&living, 4, now).await, None, "a generation that never was");
    for ended in [&over, &revoked] {
        assert_eq!(resolve(ended, 1, now).await, None);
    }
    assert_eq!(resolve(&shut_out, 1, now).await, None);
    assert!(resolve(&shut_out, 1, until).await.is_some(), "a suspension ends");
    assert!(resolve(&living, 1, now).await.is_some(), "an older access token still holds");

    let mut unit = world.unit(&Actor::Anonymous).await;
    let seen = unit.accounts().session(living.id).await.unwrap().unwrap();
    assert_eq!((seen.seen_generation, seen.generation, seen.salt), (2, 3, living.salt));
    let next = Session { generation: 4, rotated_at: now, ..seen };
    unit.accounts().update_session(&next).await.unwrap();
    unit.commit().await.unwrap();
    assert!(resolve(&next, 4, now).await.is_some());
}

/// Revoking ends the living sessions of an account but one, over all its faces, and every node can learn of it.
pub async fn sessions_are_revoked_but_one(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let face = world.person(Draft::new("mona.work").face_of(&mona)).await;
    let ali = world.person("ali").await;
    let [old, kept] = [session(&world, &mona), session(&world, &mona)];
    let (other, foreign) = (session(&world, &face), session(&world, &ali));
    for (person, session) in [(&mona, &old), (&mona, &kept), (&face, &other), (&ali, &foreign)] {
        keep(&world, person, session).await;
    }
    let own = world.view(&mona.actor()).await.accounts().own_sessions(world.now()).await.unwrap();
    assert_eq!(own.iter().map(|s| s.id).collect::<Vec<_>>(), [other.id, kept.id, old.id], "newest first, all faces");

    let at = world.now();
    let mut unit = world.unit(&mona.actor()).await;
    let mut gone = unit.accounts().revoke_sessions(mona.account, Some(kept.id), None, at).await.unwrap();
    assert_eq!(unit.accounts().revoke_sessions(mona.account, Some(kept.id), None, at).await.unwrap(), []);
    unit.commit().await.unwrap();
    gone.sort_unstable();
    assert_eq!(gone, [old.id, other.id]);
    let own = world.view(&mona.actor()).await.accounts().own_sessions(at).await.unwrap();
    assert_eq!(own.iter().map(|s| s.id).collect::<Vec<_>>(), [kept.id]);
    let mut view = world.view(&Actor::Anonymous).await;
    let mut told = view.accounts().revoked_since(at).await.unwrap();
    told.sort_unstable();
    assert_eq!(told, [(old.id, at), (other.id, at)]);
    assert_eq!(view.accounts().revoked_since(at + Duration::from_micros(1)).await.unwrap(), []);
    let mut unit = world.unit(&mona.actor()).await;
    let elsewhere = unit.accounts().revoke_sessions(mona.account, None, Some(old.created_at), at).await.unwrap();
    assert_eq!(elsewhere, [], "of that log-in nothing is left");
    let here = unit.accounts().revoke_sessions(mona.account, None, Some(kept.created_at), at).await.unwrap();
    assert_eq!(here, [kept.id]);
    drop(unit);
    let mut unit = world.unit(&ali.actor()).await;
    let stolen = unit.accounts().revoke_sessions(mona.account, None, None, at).await;
    assert!(stolen.is_err() || stolen.is_ok_and(|gone| gone.is_empty()), "one ends only one's own sessions");
}

/// A log-in learns the hash, the state and the oldest face of an e-mail; nothing of an unknown one.
pub async fn a_credential_names_the_oldest_face(ports: &Ports) {
    let world = world(ports);
    let mona = world.person(Draft::new("mona").state(AccountState::Restricted)).await;
    world.person(Draft::new("mona.work").face_of(&mona)).await;
    let (known, unknown) = (world.account(&Draft::new("mona")).email, world.account(&Draft::new("sara")).email);
    let mut view = world.view(&Actor::Anonymous).await;
    let expected = StoredCredential {
        account: mona.account,
        profile: mona.id,
        password_hash: "$none$".to_owned(),
        state: AccountState::Restricted,
    };
    assert_eq!(view.accounts().credential_by_email(&known).await.unwrap(), Some(expected));
    assert_eq!(view.accounts().credential_by_email(&unknown).await.unwrap(), None);
}

/// A password hash is read and replaced by its owner.
pub async fn a_password_is_replaced(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.accounts().password_hash(mona.account).await.unwrap().as_deref(), Some("$none$"));
    unit.accounts().set_password_hash(mona.account, "$other$").await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.accounts().password_hash(mona.account).await.unwrap().as_deref(), Some("$other$"));
}

/// Nobody changes, or reads the secrets of, somebody else's account.
pub async fn others_change_nothing(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let mut account = world.account(&Draft::new("mona"));
    (account.id, account.version, account.state) = (mona.account, 2, AccountState::Deleted);
    let mut profile = mona.profile.clone();
    (profile.name, profile.version) = ("مش منى".to_owned(), 2);

    let mut unit = world.unit(&ali.actor()).await;
    assert!(unit.accounts().update_account(&account).await.is_err());
    drop(unit);
    let mut unit = world.unit(&ali.actor()).await;
    assert!(unit.accounts().update_profile(&profile).await.is_err());
    drop(unit);
    let mut unit = world.unit(&ali.actor()).await;
    assert!(put_profile(&mut *unit, &world.face(&Draft::new("fake"), mona.account)).await.is_err());
    drop(unit);
    let mut unit = world.unit(&ali.actor()).await;
    assert!(unit.accounts().insert_session(&session(&world, &mona)).await.is_err());
    drop(unit);
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.accounts().password_hash(mona.account).await, Ok(Some(_))));
        drop(unit);
        // Whether it is an error or silence is the adapter's; that nothing happened is everybody's.
        let mut unit = world.unit(&stranger).await;
        if unit.accounts().set_password_hash(mona.account, "$mine$").await.is_ok() {
            unit.commit().await.unwrap();
        }
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.accounts().password_hash(mona.account).await.unwrap().as_deref(), Some("$none$"));
    assert_eq!(unit.accounts().profile(mona.id, Lock::None).await.unwrap(), Some(mona.profile));
    assert_eq!(
        unit.accounts().account(mona.account, Lock::None).await.unwrap().map(|a| a.state),
        Some(AccountState::Active)
    );
}

/// That somebody proved themselves is noted on their own session, is kept through refreshes, and is noted by nobody else.
pub async fn a_proof_is_noted_by_its_owner(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let began = session(&world, &mona);
    keep(&world, &mona, &began).await;
    let later = began.created_at + MINUTE;
    let mut unit = world.unit(&mona.actor()).await;
    unit.accounts().prove_session(began.id, later).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&Actor::Anonymous).await;
    unit.accounts().update_session(&Session { generation: 4, ..began.clone() }).await.unwrap();
    unit.commit().await.unwrap();
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert_eq!(failure(unit.accounts().prove_session(began.id, later + MINUTE).await), ErrorKind::Stale);
    }
    let mut unit = world.unit(&mona.actor()).await;
    let stored = unit.accounts().session(began.id).await.unwrap().unwrap();
    assert_eq!((stored.proven_at, stored.created_at, stored.generation), (later, began.created_at, 4));
    let own = world.view(&mona.actor()).await.accounts().own_sessions(world.now()).await.unwrap();
    assert_eq!(own.iter().map(|s| s.proven_at).collect::<Vec<_>>(), [later]);
}

/// Sessions that ended before an instant are removed, a bounded number at once; living ones stay.
pub async fn ended_sessions_are_purged(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let [revoked, expired, living] = [session(&world, &mona), session(&world, &mona), session(&world, &ali)];
    let at = world.now();
    let expired = Session { expires_at: at, ..expired };
    for (person, session) in [(&mona, &revoked), (&mona, &expired), (&ali, &living)] {
        keep(&world, person, session).await;
    }
    let mut unit = world.unit(&mona.actor()).await;
    unit.accounts().revoke_sessions(mona.account, Some(expired.id), None, at).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.accounts().purge_sessions(at, 10).await.unwrap(), 0, "to the last instant");
    let after = at + Duration::from_micros(1);
    assert_eq!(unit.accounts().purge_sessions(after, 1).await.unwrap(), 1);
    assert_eq!(unit.accounts().purge_sessions(after, 10).await.unwrap(), 1);
    assert_eq!(unit.accounts().purge_sessions(after, 10).await.unwrap(), 0);
    assert!(unit.accounts().session(living.id).await.unwrap().is_some());
    unit.commit().await.unwrap();
    let mut unit = world.unit(&ali.actor()).await;
    assert!(!matches!(unit.accounts().purge_sessions(after + Duration::from_hours(99_999), 10).await, Ok(1..)));
}
