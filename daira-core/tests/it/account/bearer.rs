//! Whose a handle is, while that is kept: changes show, and nothing that is kept shows what is hidden.

use daira_core::graph::GraphService;
use daira_core::id::ProfileId;
use daira_core::post::{CreatePost, PostService, ReplyRule, Visibility};
use daira_core::text::Handle;
use tokio::task::{JoinSet, yield_now};

use super::*;

fn handle(text: &str) -> Handle {
    Handle::existing(text).unwrap()
}

/// A node that keeps things, and what looks after it.
async fn keeping() -> (World, JoinSet<()>) {
    let (world, mut tasks) = (world(), JoinSet::new());
    let kept = world.ports.kept.clone();
    tasks.spawn(async move { kept.attend().await });
    yield_now().await;
    (world, tasks)
}

impl World {
    async fn bearer(&self, text: &str) -> Option<ProfileId> {
        let found = self.accounts.bearer(&handle(text)).await.unwrap();
        assert_eq!(self.accounts.bearer_at_hand(&handle(text)), Some(found), "it is kept");
        found
    }

    /// What a reader sees under a handle.
    async fn seen(&self, reader: &Actor, text: &str) -> Option<ProfileId> {
        let bearer = self.accounts.bearer(&handle(text)).await.unwrap()?;
        let mut view = self.ports.store.read(reader, Access::Read).await.unwrap();
        let found = self.accounts.profile_of(view.as_mut(), &handle(text), bearer).await.unwrap()?;
        assert_eq!(found.handle, handle(text));
        Some(found.id)
    }

    /// Gives somebody another handle behind the back of what is kept, as if no message had come.
    async fn rename_unheard(&self, person: &LoggedIn, to: &str) {
        let (id, to) = (person.member.profile, handle(to));
        self.change(person.member, move |unit| {
            Box::pin(async move {
                let mut profile = unit.accounts().profile(id, Lock::Update).await?.unwrap();
                profile.handle = to;
                profile.version += 1;
                unit.accounts().update_profile(&profile).await
            })
        })
        .await;
    }

    async fn mentions(&self, author: &LoggedIn, text: &str) -> Vec<ProfileId> {
        let posts = PostService::new(self.ports.clone());
        let post = CreatePost {
            text: text.to_owned(),
            visibility: Visibility::Public,
            replies: ReplyRule::Everyone,
            media: Vec::new(),
            warning: None,
        };
        let id = posts.create(&actor(author), &post, None).await.unwrap();
        let mut view = self.ports.store.read(&actor(author), Access::Read).await.unwrap();
        posts.get(view.as_mut(), id).await.unwrap().post.mentions.clone()
    }
}

#[tokio::test]
async fn a_handle_is_found_as_soon_as_somebody_has_it() {
    let (world, _tasks) = keeping().await;
    assert_eq!(world.bearer("mona").await, None);
    let mona = world.join("mona").await;
    assert_eq!(world.bearer("mona").await, Some(mona.member.profile));

    assert_eq!((world.bearer("mona.writes").await, world.bearer("mona.two").await), (None, None));
    let second = world.accounts.create_profile(&actor(&mona), "mona.two", "منى", None).await.unwrap();
    assert_eq!(world.bearer("mona.two").await, Some(second));

    world.accounts.change_handle(&actor(&mona), "mona.writes", None).await.unwrap();
    assert_eq!(world.bearer("mona.writes").await, Some(mona.member.profile));
    assert_eq!(world.bearer("mona").await, None);
}

#[tokio::test]
async fn a_handle_that_changed_hands_unheard_shows_whose_it_is() {
    let (world, _tasks) = keeping().await;
    let [mona, ali, reader] = [world.join("mona").await, world.join("karim").await, world.join("sara").await];
    let ids = [mona.member.profile, ali.member.profile];
    for name in ["mona", "karim"] {
        assert!(world.bearer(name).await.is_some());
    }
    world.rename_unheard(&mona, "mona.new").await;
    world.rename_unheard(&ali, "mona").await;
    assert_eq!(world.bearer("mona").await, Some(ids[0]), "what is kept is of before");
    for stranger in [&Actor::Anonymous, &actor(&reader)] {
        assert_eq!(world.seen(stranger, "mona").await, Some(ids[1]));
        assert_eq!(world.seen(stranger, "karim").await, None);
    }
    // A text of both: nobody is taken for who they were, and nobody is lost.
    assert_eq!(world.mentions(&reader, "يا @mona ويا @karim").await, [ids[1]]);
    let mut both = ids;
    both.sort_unstable();
    assert_eq!(world.mentions(&reader, "يا @mona ويا @mona.new").await, both);
}

#[tokio::test]
async fn what_is_kept_shows_nobody_who_is_hidden() {
    let (world, _tasks) = keeping().await;
    let [mona, ali] = [world.join("mona").await, world.join("karim").await];
    assert_eq!(world.seen(&actor(&ali), "mona").await, Some(mona.member.profile));
    assert_eq!(world.mentions(&ali, "يا @mona").await, [mona.member.profile]);
    GraphService::new(world.ports.clone()).block(&actor(&mona), ali.member.profile, None).await.unwrap();
    assert_eq!(world.bearer("mona").await, Some(mona.member.profile), "it is kept");
    assert_eq!(world.seen(&actor(&ali), "mona").await, None);
    assert_eq!(world.mentions(&ali, "يا @mona").await, [] as [ProfileId; 0]);
    assert_eq!(world.seen(&Actor::Anonymous, "mona").await, Some(mona.member.profile));
    world.set_state(mona.member, daira_core::account::AccountState::Banned).await;
    assert_eq!(world.seen(&Actor::Anonymous, "mona").await, None);
}

#[tokio::test]
async fn nothing_is_kept_of_who_is_erased() {
    let (world, _tasks) = keeping().await;
    let mona = world.join("mona").await;
    assert!(world.bearer("mona").await.is_some());
    world.accounts.request_deletion(&actor(&mona), None).await.unwrap();
    assert_eq!(world.seen(&Actor::Anonymous, "mona").await, None, "hidden at once");
    world.advance(world.ports.settings.deletion_grace);
    assert_eq!(world.accounts.erase_due().await.unwrap(), 1);
    assert_eq!(world.bearer("mona").await, None);
    world.advance(Duration::from_hours(1));
    let other = world.join("mona").await;
    assert_eq!(world.seen(&Actor::Anonymous, "mona").await, Some(other.member.profile));
}
