//! Apps of others, what profiles let them do, codes on their way.

use core::time::Duration;

use super::{failure, world};
use crate::account::{Account, AccountState, Session};
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::oauth::{App, Code, Grant, Granted, Scopes};
use crate::port::Ports;
use crate::port::store::Lock;
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person};
use crate::time::Timestamp;

fn app(world: &Fixture, owner: &Person) -> App {
    App {
        id: world.draw(),
        owner: owner.account,
        name: "مواعيد القطر".to_owned(),
        redirects: vec!["https://trains.example/cb".to_owned(), "com.example.trains:/cb".to_owned()],
        confidential: true,
        secret: 1,
        created_at: world.tick(),
        deleted_at: None,
        version: 1,
    }
}

async fn keep(world: &Fixture, owner: &Person, app: &App) {
    let mut unit = world.unit(&owner.actor()).await;
    unit.apps().insert_app(app).await.unwrap();
    unit.commit().await.unwrap();
}

fn grant(world: &Fixture, person: &Person, app: &App) -> Grant {
    let scopes = Scopes::OPENID.with(Scopes::READ_FEED);
    Grant { app: app.id, profile: person.id, account: person.account, scopes, created_at: world.tick() }
}

async fn let_in(world: &Fixture, person: &Person, grant: &Grant) {
    let mut unit = world.unit(&person.actor()).await;
    unit.apps().put_grant(grant).await.unwrap();
    unit.commit().await.unwrap();
}

/// An app is kept, changed under its version, found by anybody by its id, and no longer listed once it is deleted.
pub async fn an_app_comes_back_whole(ports: &Ports) {
    let world = world(ports);
    let (mona, omar) = (world.person("mona").await, world.person("omar").await);
    let (first, second) = (app(&world, &mona), app(&world, &mona));
    keep(&world, &mona, &first).await;
    keep(&world, &mona, &second).await;
    let listed = async |actor: Actor| world.view(&actor).await.apps().own_apps().await.unwrap();
    assert_eq!(listed(mona.actor()).await, [first.clone(), second.clone()]);
    assert!(listed(omar.actor()).await.is_empty() && listed(Actor::Anonymous).await.is_empty());
    let changed = App { name: "قطر".to_owned(), secret: 2, version: 2, ..first.clone() };
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.apps().app_count(mona.account).await.unwrap(), 2);
    unit.apps().update_app(&changed).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(failure(unit.apps().update_app(&changed).await), ErrorKind::Stale);
    drop(unit);
    for actor in [omar.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&actor).await;
        assert_eq!(unit.apps().app(changed.id).await.unwrap(), Some(changed.clone()));
    }
    let deleted = App { deleted_at: Some(world.tick()), version: 3, ..changed };
    let mut unit = world.unit(&mona.actor()).await;
    unit.apps().update_app(&deleted).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.apps().app_count(mona.account).await.unwrap(), 1);
    assert_eq!(unit.apps().app(deleted.id).await.unwrap(), Some(deleted));
    drop(unit);
    assert_eq!(listed(mona.actor()).await, [second]);
}

/// An app is let in while it is not deleted and whoever registered it may come in.
pub async fn an_app_lives_with_its_owner(ports: &Ports) {
    let world = world(ports);
    let (now, until) = (world.tick(), world.tick() + Duration::from_hours(1));
    let living = async |app: &App, at| world.unit(&Actor::Anonymous).await.apps().living_app(app.id, at).await.unwrap();
    for (name, state, lives) in [
        ("active", AccountState::Active, true),
        ("restricted", AccountState::Restricted, true),
        ("asleep", AccountState::Deactivated, true),
        ("suspended", AccountState::Suspended(until), false),
        ("banned", AccountState::Banned, false),
        ("gone", AccountState::Deleted, false),
    ] {
        let owner = world.person(Draft::new(name).state(state)).await;
        let hers = app(&world, &owner);
        keep(&world, &owner, &hers).await;
        assert_eq!(living(&hers, now).await, Some(hers.clone()).filter(|_| lives), "{name}");
        let over = matches!(state, AccountState::Suspended(_));
        assert_eq!(living(&hers, until).await.is_some(), lives || over, "{name}");
        let mut unit = world.unit(&owner.actor()).await;
        unit.apps().update_app(&App { deleted_at: Some(now), version: 2, ..hers.clone() }).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(living(&hers, until).await, None);
    }
}

/// Nobody registers or changes an app in somebody else's name.
pub async fn an_app_is_its_owners(ports: &Ports) {
    let world = world(ports);
    let (mona, omar) = (world.person("mona").await, world.person("omar").await);
    let hers = app(&world, &mona);
    keep(&world, &mona, &hers).await;
    for stranger in [omar.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(unit.apps().insert_app(&app(&world, &mona)).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        let stolen = App { redirects: vec!["https://evil.example".to_owned()], version: 2, ..hers.clone() };
        assert!(unit.apps().update_app(&stolen).await.is_err());
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.apps().app(hers.id).await.unwrap(), Some(hers));
}

/// What a face lets an app do is that face's alone, and its account's to see and to take back.
pub async fn a_grant_is_for_one_face(ports: &Ports) {
    let world = world(ports);
    let (mona, omar) = (world.person("mona").await, world.person("omar").await);
    let work = world.person(Draft::new("mona.work").face_of(&mona)).await;
    let trains = app(&world, &omar);
    keep(&world, &omar, &trains).await;
    let (hers, of_work) = (grant(&world, &mona, &trains), grant(&world, &work, &trains));
    let_in(&world, &mona, &hers).await;
    let wider = Grant { scopes: hers.scopes.with(Scopes::WRITE_POSTS), ..hers.clone() };
    let_in(&world, &mona, &wider).await;
    let_in(&world, &work, &of_work).await;
    let connected = world.view(&mona.actor()).await.apps().connected_apps().await.unwrap();
    let grants: Vec<Grant> = connected.iter().map(|one| one.grant.clone()).collect();
    assert_eq!((grants, connected[0].name.as_str()), (vec![of_work.clone(), wider.clone()], trains.name.as_str()));
    for stranger in [omar.actor(), Actor::Anonymous] {
        assert!(world.view(&stranger).await.apps().connected_apps().await.unwrap().is_empty());
        let mut unit = world.unit(&stranger).await;
        assert_eq!(unit.apps().grant(mona.id, trains.id).await.unwrap(), None);
        assert!(!matches!(unit.apps().delete_grant(mona.id, trains.id).await, Ok(true)));
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.apps().put_grant(&wider).await.is_err());
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert!(unit.apps().delete_grant(mona.id, trains.id).await.unwrap());
    assert!(!unit.apps().delete_grant(mona.id, trains.id).await.unwrap());
    assert_eq!(unit.apps().grant(work.id, trains.id).await.unwrap(), Some(of_work), "the other goes on");
    unit.commit().await.unwrap();
}

/// What is let in of apps that are deleted, or whose owner's account is, in order and page by page; of one owner or of all.
pub async fn grants_of_dead_apps_are_found(ports: &Ports) {
    let world = world(ports);
    let (mona, omar, nour) = (world.person("mona").await, world.person("omar").await, world.person("nour").await);
    let (trains, stays, news) = (app(&world, &omar), app(&world, &omar), app(&world, &nour));
    for (owner, app) in [(&omar, &trains), (&omar, &stays), (&nour, &news)] {
        keep(&world, owner, app).await;
    }
    let mut dead = Vec::new();
    for (person, app) in [(&mona, &trains), (&mona, &stays), (&mona, &news), (&nour, &trains)] {
        let grant = grant(&world, person, app);
        let_in(&world, person, &grant).await;
        if app.id != stays.id {
            dead.push(grant);
        }
    }
    dead.sort_by_key(|grant| (grant.app, grant.profile));
    let found =
        async |owner, after, limit| world.unit(&PLATFORM).await.apps().dead_grants(owner, after, limit).await.unwrap();
    assert_eq!(found(None, None, 10).await, []);
    let mut unit = world.unit(&omar.actor()).await;
    let gone = App { deleted_at: Some(world.tick()), version: 2, ..trains.clone() };
    unit.apps().update_app(&gone).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&PLATFORM).await;
    let account = unit.accounts().account(nour.account, Lock::Update).await.unwrap().unwrap();
    let account = Account { state: AccountState::Deleted, version: account.version + 1, ..account };
    unit.accounts().update_account(&account).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(found(None, None, 10).await, dead);
    let mut after = None;
    for one in &dead {
        assert_eq!(found(None, after, 1).await, core::slice::from_ref(one));
        after = Some((one.app, one.profile));
    }
    assert_eq!(found(None, after, 1).await, []);
    for (owner, app) in [(&omar, &trains), (&nour, &news)] {
        let of_app: Vec<Grant> = dead.iter().filter(|grant| grant.app == app.id).cloned().collect();
        assert_eq!(found(Some(owner.account), None, 10).await, of_app);
    }
    let asked = world.unit(&Actor::Anonymous).await.apps().dead_grants(None, None, 10).await;
    assert!(!matches!(asked, Ok(found) if !found.is_empty()), "for the platform alone");
}

fn session(world: &Fixture, person: &Person, granted: Option<Granted>) -> Session {
    let now = world.tick();
    Session {
        id: world.draw(),
        account: person.account,
        profile: person.id,
        device: "app".to_owned(),
        salt: [3; 16],
        generation: 1,
        seen_generation: 0,
        rotated_at: now,
        created_at: now,
        proven_at: now,
        last_used_at: now,
        expires_at: now + Duration::from_hours(1),
        revoked_at: None,
        granted,
        place: None,
        known_device: true,
    }
}

/// Sessions of an app are listed nowhere, and end with what they were let do: those of that app and face alone.
pub async fn sessions_of_an_app_end_together(ports: &Ports) {
    let world = world(ports);
    let (mona, omar) = (world.person("mona").await, world.person("omar").await);
    let work = world.person(Draft::new("mona.work").face_of(&mona)).await;
    let (trains, other) = (app(&world, &omar), app(&world, &omar));
    keep(&world, &omar, &trains).await;
    keep(&world, &omar, &other).await;
    let granted = |app: &App| Some(Granted { app: app.id, scopes: Scopes::READ_FEED });
    let [one, two] = [(); 2].map(|()| session(&world, &mona, granted(&trains)));
    let (house, elsewhere) = (session(&world, &mona, None), session(&world, &mona, granted(&other)));
    let of_work = session(&world, &work, granted(&trains));
    let mut unit = world.unit(&mona.actor()).await;
    for session in [&one, &two, &house, &elsewhere, &of_work] {
        unit.accounts().insert_session(session).await.unwrap();
    }
    assert_eq!(unit.accounts().session(one.id).await.unwrap(), Some(one.clone()));
    unit.commit().await.unwrap();
    let listed = world.view(&mona.actor()).await.accounts().own_sessions(world.now()).await.unwrap();
    assert_eq!(listed, [house]);
    let mut unit = world.unit(&omar.actor()).await;
    let none = unit.apps().revoke_granted(mona.account, mona.id, trains.id, world.now()).await;
    assert!(none.is_err() || none.is_ok_and(|ended| ended.is_empty()), "nobody else's to end");
    drop(unit);
    let mut unit = world.unit(&mona.actor()).await;
    let mut ended = unit.apps().revoke_granted(mona.account, mona.id, trains.id, world.now()).await.unwrap();
    ended.sort();
    let mut expected = [one.id, two.id];
    expected.sort();
    assert_eq!(ended, expected);
    assert!(unit.apps().revoke_granted(mona.account, mona.id, trains.id, world.now()).await.unwrap().is_empty());
    unit.commit().await.unwrap();
}

fn code(world: &Fixture, person: &Person, app: &App, expires_at: Timestamp) -> Code {
    Code {
        id: world.draw(),
        app: app.id,
        account: person.account,
        profile: person.id,
        scopes: Scopes::OPENID,
        redirect: "https://trains.example/cb".to_owned(),
        challenge: [9; 32],
        nonce: Some("n".to_owned()),
        agreed_on: world.draw(),
        proven_at: world.now(),
        expires_at,
        session: None,
    }
}

/// A code is found by its id, exchanged once, by its owner alone, and goes when it lapsed.
pub async fn a_code_is_exchanged_once(ports: &Ports) {
    let world = world(ports);
    let (mona, omar) = (world.person("mona").await, world.person("omar").await);
    let trains = app(&world, &omar);
    keep(&world, &omar, &trains).await;
    let end = world.now() + Duration::from_mins(1);
    let (hers, session) = (code(&world, &mona, &trains, end), world.draw());
    let mut unit = world.unit(&omar.actor()).await;
    assert!(unit.apps().insert_code(&hers).await.is_err(), "not in her name");
    drop(unit);
    let mut unit = world.unit(&mona.actor()).await;
    unit.apps().insert_code(&hers).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&Actor::Anonymous).await;
    assert_eq!(unit.apps().code(hers.id).await.unwrap(), Some(hers.clone()));
    drop(unit);
    let mut unit = world.unit(&omar.actor()).await;
    assert!(unit.apps().spend_code(hers.id, session).await.is_err());
    drop(unit);
    let mut unit = world.unit(&mona.actor()).await;
    unit.apps().spend_code(hers.id, session).await.unwrap();
    assert_eq!(failure(unit.apps().spend_code(hers.id, session).await), ErrorKind::Stale);
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.apps().code(hers.id).await.unwrap(), Some(Code { session: Some(session), ..hers }));
    // Loading locks: what is dropped lets go a moment later only, and what is locked is not purged.
    unit.rollback().await.unwrap();
    for (before, gone) in [(end, 0), (end + Duration::from_secs(1), 1)] {
        let mut unit = world.unit(&PLATFORM).await;
        assert_eq!(unit.apps().purge_codes(before, 10).await.unwrap(), gone);
        unit.commit().await.unwrap();
    }
}
