//! The own profile: what can be changed, by whom, and what opening up does.

use daira_core::account::{AccountState, UpdateProfile};
use daira_core::error::CommonRefusal;
use daira_core::graph::{Block, FollowOutcome, GraphService};
use daira_core::id::{Id, MediaId, PostId};
use daira_core::idempotency::IdempotencyKey;
use daira_core::media::Media;
use daira_core::page::Limit;

use super::*;

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

impl World {
    async fn picture(&self, person: &LoggedIn, number: i64, post: Option<PostId>) -> MediaId {
        let media = Media {
            id: MediaId::from_raw(number),
            owner: person.member.profile,
            width: 640,
            height: 640,
            blurhash: "LEHV6nWB2yk8pyo0adR*.7kCMdnj".to_owned(),
            alt: String::new(),
            variants: Vec::new(),
            post,
            attached: post.is_some(),
            created_at: self.clock.now(),
        };
        let id = media.id;
        self.change(person.member, move |unit| Box::pin(async move { unit.media().insert(&media).await })).await;
        id
    }

    async fn profile(&self, person: &LoggedIn) -> daira_core::account::Profile {
        self.accounts.me(&actor(person)).await.unwrap().profiles.remove(0)
    }

    async fn set_private(&self, person: &LoggedIn, private: bool) {
        let change = UpdateProfile { private: Some(private), ..UpdateProfile::default() };
        self.accounts.update_profile(&actor(person), change, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_profile_changes_where_it_is_told_to() {
    let world = world();
    let mona = world.join("mona").await;
    let picture = world.picture(&mona, 1, None).await;
    let change = UpdateProfile {
        name: Some(" منى ".to_owned()),
        bio: Some("قهوة وبحر".to_owned()),
        links: Some(vec!["https://example.com/mona".to_owned()]),
        avatar: Some(Some(picture)),
        private: Some(true),
        shows_activity: None,
        version: Some(1),
    };
    for _ in 0..2 {
        world.accounts.update_profile(&actor(&mona), change.clone(), Some(key("k1"))).await.unwrap();
    }
    let profile = world.profile(&mona).await;
    assert_eq!(
        (profile.name.as_str(), profile.bio.as_str(), profile.avatar, profile.private),
        ("منى", "قهوة وبحر", Some(picture), true)
    );
    assert_eq!(
        (profile.links.as_slice(), profile.version),
        (["https://example.com/mona".to_owned()].as_slice(), 2),
        "once"
    );

    let late = UpdateProfile { bio: Some(String::new()), version: Some(1), ..UpdateProfile::default() };
    let late = world.accounts.update_profile(&actor(&mona), late, None).await.unwrap_err();
    assert_eq!((late.refusal(), late.version()), (Some(CommonRefusal::Stale), Some(2)));
    let nothing = UpdateProfile::default();
    world.accounts.update_profile(&actor(&mona), nothing, None).await.unwrap();
    assert_eq!(world.profile(&mona).await, profile);
    let bare = UpdateProfile {
        avatar: Some(None),
        bio: Some(String::new()),
        links: Some(Vec::new()),
        ..UpdateProfile::default()
    };
    world.accounts.update_profile(&actor(&mona), bare, None).await.unwrap();
    let profile = world.profile(&mona).await;
    assert!(profile.avatar.is_none() && profile.bio.is_empty() && profile.links.is_empty() && profile.private);
    assert_eq!(world.events("a").await.iter().filter(|e| e.ends_with("profile_changed")).count(), 2);
}

#[tokio::test]
async fn a_picture_replaced_as_avatar_is_free_again() {
    let world = world();
    let mona = world.join("mona").await;
    let [one, two] = [world.picture(&mona, 1, None).await, world.picture(&mona, 2, None).await];
    let mut free = Vec::new();
    for avatar in [Some(one), Some(one), Some(two), None] {
        let change = UpdateProfile { avatar: Some(avatar), ..UpdateProfile::default() };
        world.accounts.update_profile(&actor(&mona), change, None).await.unwrap();
        let mut view = world.ports.store.read(&actor(&mona), Access::Read).await.unwrap();
        let mut found = view.media().media(&[one, two]).await.unwrap();
        found.sort_by_key(|media| media.id);
        free.push(found.iter().map(|media| !media.attached).collect::<Vec<_>>());
    }
    assert_eq!(free, [[false, true], [false, true], [true, false], [true, true]]);
}

#[tokio::test]
async fn only_an_own_free_picture_becomes_the_avatar() {
    let world = world();
    let (mona, nour) = (world.join("mona").await, world.join("nour").await);
    let foreign = world.picture(&nour, 1, None).await;
    let posted = world.picture(&mona, 2, Some(PostId::from_raw(5))).await;
    for picture in [foreign, posted, MediaId::from_raw(3)] {
        let change =
            UpdateProfile { avatar: Some(Some(picture)), name: Some("م".to_owned()), ..UpdateProfile::default() };
        let error = world.accounts.update_profile(&actor(&mona), change, None).await.unwrap_err();
        assert_eq!((error.refusal(), error.field()), (Some(AccountRefusal::AvatarInvalid), Some("avatar")));
    }
    assert_eq!(world.profile(&mona).await.name, "منى علي", "nothing of a refused change stays");
}

#[tokio::test]
async fn bad_texts_are_named_with_their_field() {
    let world = world();
    let mona = world.join("mona").await;
    let none = UpdateProfile::default;
    for (change, refusal, field) in [
        (UpdateProfile { name: Some("\u{200B}".to_owned()), ..none() }, AccountRefusal::NameInvalid, "name"),
        (UpdateProfile { name: Some("م\u{202E}ى".to_owned()), ..none() }, AccountRefusal::ForbiddenCharacter, "name"),
        (UpdateProfile { bio: Some("ب".repeat(501)), ..none() }, AccountRefusal::BioInvalid, "bio"),
        (UpdateProfile { bio: Some("ب\u{0}".to_owned()), ..none() }, AccountRefusal::ForbiddenCharacter, "bio"),
        (
            UpdateProfile { links: Some(vec!["javascript:alert(1)".to_owned()]), ..none() },
            AccountRefusal::LinksInvalid,
            "links",
        ),
        (
            UpdateProfile { links: Some(vec!["https://a.com".to_owned(); 6]), ..none() },
            AccountRefusal::LinksInvalid,
            "links",
        ),
    ] {
        let error = world.accounts.update_profile(&actor(&mona), change, None).await.unwrap_err();
        assert_eq!((error.refusal(), error.field()), (Some(refusal), Some(field)));
    }
}

#[tokio::test]
async fn a_restricted_account_changes_nothing() {
    let world = world();
    let mona = world.join("mona").await;
    world.set_state(mona.member, AccountState::Restricted).await;
    let change = UpdateProfile { name: Some("م".to_owned()), ..UpdateProfile::default() };
    let outcome = world.accounts.update_profile(&actor(&mona), change, None).await;
    assert_eq!(refusal::<_, AccountRefusal>(outcome), AccountRefusal::Restricted);
    assert_eq!(
        refusal::<_, AccountRefusal>(world.accounts.change_handle(&actor(&mona), "mona.ali", None).await),
        AccountRefusal::Restricted
    );
    let anonymous = world.accounts.update_profile(&Actor::Anonymous, UpdateProfile::default(), None).await.unwrap_err();
    assert_eq!(anonymous.refused_as().code, "auth.required");
}

#[tokio::test]
async fn opening_up_accepts_everybody_who_asks_and_nobody_who_is_blocked() {
    let world = world();
    let graph = GraphService::new(world.ports.clone());
    let mona = world.join("mona").await;
    world.set_private(&mona, true).await;
    let mut asking = Vec::new();
    for n in 0..130 {
        let person = world.join(&format!("fan{n}")).await;
        assert_eq!(graph.follow(&actor(&person), mona.member.profile, None).await.unwrap(), FollowOutcome::Requested);
        asking.push(person);
    }
    let blocked = asking.pop().unwrap();
    graph.block(&actor(&blocked), mona.member.profile, None).await.unwrap();
    world.set_private(&mona, false).await;
    let mut view = world.ports.store.read(&actor(&mona), Access::Read).await.unwrap();
    assert!(view.graph().requests(None, Limit::DEFAULT).await.unwrap().items.is_empty());
    for person in &asking {
        let [(_, relation)] = view.graph().relations(&[person.member.profile]).await.unwrap().try_into().unwrap();
        assert!(relation.followed_by && !relation.requested_by);
    }
    assert!(!follows(&world, &blocked, &mona).await);
    assert_eq!(world.events("a").await.iter().filter(|e| *e == "graph.v1.followed").count(), 129);
    world.set_private(&mona, false).await;
    assert_eq!(
        world.events("b").await.iter().filter(|e| *e == "graph.v1.followed").count(),
        129,
        "repeating it adds nothing"
    );
}

async fn follows(world: &World, follower: &LoggedIn, followee: &LoggedIn) -> bool {
    let (follower, followee) = (follower.member.profile, followee.member.profile);
    let mut unit = world.ports.store.begin(&Actor::System("test")).await.unwrap();
    let from = unit.accounts().profile(follower, Lock::None).await.unwrap().unwrap();
    let to = unit.accounts().profile(followee, Lock::None).await.unwrap().unwrap();
    unit.graph().relation(&from, &to).await.unwrap().follows
}

#[tokio::test]
async fn a_block_made_while_a_profile_opens_up_is_not_missed() {
    let world = world();
    let graph = GraphService::new(world.ports.clone());
    let (mona, fan, stranger) = (world.join("mona").await, world.join("fan").await, world.join("stranger").await);
    world.set_private(&mona, true).await;
    for person in [&fan, &stranger] {
        graph.follow(&actor(person), mona.member.profile, None).await.unwrap();
    }
    let (store, owner, out) = (world.store.clone(), mona.member, stranger.member);
    let block = Box::pin(async move {
        let mut unit = store.begin(&Actor::Member(owner)).await.unwrap();
        let (blocker, blocked) = (owner.profile, out.profile);
        let block = Block { blocker, blocked, blocked_account: out.account, at: daira_core::time::Timestamp::EPOCH };
        assert!(unit.graph().insert_block(&block).await.unwrap());
        unit.commit().await.unwrap();
    });
    // The first unit opens the profile; the requests are listed; then the block comes, and then they are accepted.
    let store = Arc::new(Meanwhile { inner: world.store.clone(), then: Mutex::new((1, Some(block))) });
    let accounts = AccountService::new(Ports { store, ..world.ports.clone() });
    let open = UpdateProfile { private: Some(false), ..UpdateProfile::default() };
    accounts.update_profile(&actor(&mona), open, None).await.unwrap();
    assert!(follows(&world, &fan, &mona).await && !follows(&world, &stranger, &mona).await);
}

#[tokio::test]
async fn a_former_handle_stays_reserved_for_its_owner() {
    let world = world();
    let (mona, nour) = (world.join("mona").await, world.join("nour").await);
    let change = |person: &LoggedIn, handle: &'static str| {
        let (accounts, actor) = (world.accounts.clone(), actor(person));
        async move { accounts.change_handle(&actor, handle, None).await }
    };
    let taken = |outcome| refusal::<_, AccountRefusal>(outcome) == AccountRefusal::HandleTaken;
    assert!(taken(change(&nour, "mona").await) && taken(change(&nour, "support").await));
    assert_eq!(refusal::<_, AccountRefusal>(change(&nour, "نور").await), AccountRefusal::HandleInvalid);

    change(&mona, "Mona.Ali").await.unwrap();
    assert_eq!(world.profile(&mona).await.handle.as_str(), "mona.ali");
    assert!(taken(change(&nour, "mona").await), "reserved");
    change(&mona, "mona").await.unwrap();
    assert!(taken(change(&nour, "mona").await) && taken(change(&nour, "mona.ali").await));
    change(&mona, "mona.ali").await.unwrap();
    world.advance(world.ports.settings.handle_reserved);
    change(&nour, "mona").await.unwrap();
    assert!(taken(change(&mona, "mona").await));
    assert_eq!(world.audit().iter().filter(|a| *a == "account.handle_changed").count(), 4);
    change(&nour, "mona").await.unwrap();
    assert_eq!(world.profile(&nour).await.version, 2, "taking the own handle changes nothing");
}

#[tokio::test]
async fn a_key_covers_one_change() {
    let world = world();
    let mona = world.join("mona").await;
    for _ in 0..2 {
        world.accounts.change_handle(&actor(&mona), "mona.ali", Some(key("k1"))).await.unwrap();
    }
    let other = world.accounts.change_handle(&actor(&mona), "mona.two", Some(key("k1"))).await;
    assert_eq!(refusal::<_, CommonRefusal>(other), CommonRefusal::KeyReused);
    let keep = UpdateProfile::default();
    let remove = UpdateProfile { avatar: Some(None), ..UpdateProfile::default() };
    world.accounts.update_profile(&actor(&mona), keep, Some(key("k2"))).await.unwrap();
    let outcome = world.accounts.update_profile(&actor(&mona), remove, Some(key("k2"))).await;
    assert_eq!(
        refusal::<_, CommonRefusal>(outcome),
        CommonRefusal::KeyReused,
        "keeping a picture and removing it differ"
    );
}
