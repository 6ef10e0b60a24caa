//! Prefix search: ranges on ordered keys.

use super::{all_pages, last_page, world};
use crate::account::AccountState;
use crate::actor::Actor;
use crate::page::Limit;
use crate::port::Ports;
use crate::testkit::fixture::{Draft, Fixture, Writing, limit};
use crate::text::TagKey;

async fn handles(world: &Fixture, viewer: &Actor, prefix: &str) -> Vec<String> {
    let page = world.view(viewer).await.search().handles(prefix, None, limit(100)).await.unwrap();
    last_page(page).into_iter().map(|p| p.handle.as_str().to_owned()).collect()
}

/// A handle is found by its beginning and nothing else; no character of a prefix means more than itself.
pub async fn handles_begin_with_the_prefix(ports: &Ports) {
    let world = world(ports);
    for handle in ["mona", "mona.ali", "mona_ali", "monaxali", "mon", "moza", "amona"] {
        world.person(handle).await;
    }
    let anonymous = Actor::Anonymous;
    assert_eq!(handles(&world, &anonymous, "mona").await, ["mona", "mona.ali", "mona_ali", "monaxali"]);
    assert_eq!(handles(&world, &anonymous, "mona_").await, ["mona_ali"], "no wildcard");
    assert_eq!(handles(&world, &anonymous, "mona.").await, ["mona.ali"]);
    assert_eq!(handles(&world, &anonymous, "mon").await.len(), 5);
    for nothing in ["%", "monb", "منى", "mona.ali.x", "\u{10FFFF}"] {
        assert!(handles(&world, &anonymous, nothing).await.is_empty(), "{nothing}");
    }
}

/// Handles go on after a handle, in the order of their bytes whatever the language of the system.
pub async fn handles_page_by_bytes(ports: &Ports) {
    let world = world(ports);
    let mut expected = ["zz", "z_", "z.", "z0", "z9", "za", "z_a", "z.a"].map(|h| format!("{h}{h}x")).to_vec();
    for handle in &expected {
        world.person(handle.as_str()).await;
    }
    expected.sort_unstable();
    let mut view = world.view(&Actor::Anonymous).await;
    let search = view.search();
    let all =
        all_pages!(|after, size| search.handles("z", Option::<String>::as_deref(&after), size).await.unwrap(), |p| p
            .handle
            .as_str()
            .to_owned());
    assert_eq!(all.iter().map(|p| p.handle.as_str()).collect::<Vec<_>>(), expected);
}

/// People hidden from the viewer are not found, and do not make a page shorter.
pub async fn hidden_people_are_not_found(ports: &Ports) {
    let world = world(ports);
    let (mona, eve) = (world.person("mona").await, world.person("eve").await);
    world.person(Draft::new("mona.asleep").state(AccountState::Deactivated)).await;
    world.person(Draft::new("mona.gone").state(AccountState::Deleted)).await;
    world.person(Draft::new("mona.private").private()).await;
    world.block(&mona, &eve).await;
    assert_eq!(handles(&world, &Actor::Anonymous, "mona").await, ["mona", "mona.private"]);
    assert_eq!(handles(&world, &eve.actor(), "mona").await, ["mona.private"]);
    let page = world.view(&Actor::Anonymous).await.search().handles("mona", None, limit(2)).await.unwrap();
    assert_eq!((page.items.len(), page.has_next), (2, false));
}

/// Tags are found by the beginning of their key and come in the spelling of their first use.
pub async fn tags_begin_with_the_prefix(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    for spelling in ["الأهلي", "أهلاوي", "cairo", "cairo2026", "CairoMarathon", "أسوان"] {
        world.post(&mona, Writing::new("1").tag(spelling)).await;
    }
    let mut view = world.view(&Actor::Anonymous).await;
    let found = last_page(view.search().tags("cairo", None, Limit::DEFAULT).await.unwrap());
    let spellings: Vec<&str> = found.iter().map(|t| t.spelling.as_str()).collect();
    assert_eq!(spellings, ["cairo", "cairo2026", "CairoMarathon"]);
    let prefix = TagKey::new("أهل").unwrap();
    let search = view.search();
    let all = all_pages!(
        |after, size| search.tags(prefix.as_str(), Option::<String>::as_deref(&after), size).await.unwrap(),
        |t| t.key.as_str().to_owned()
    );
    assert_eq!(all.len(), 2);
    assert!(all.windows(2).all(|w| w[0].key.as_str().as_bytes() < w[1].key.as_str().as_bytes()));
    assert!(view.search().tags("giza", None, Limit::DEFAULT).await.unwrap().items.is_empty());
}
