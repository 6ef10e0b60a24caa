//! People and hashtags by their beginnings, page after page.

use daira_core::account::AccountState;
use daira_core::page::{Connection, Limit};
use daira_core::testkit::fixture::{Draft, Fixture, Writing};
use daira_core::{Actor, Ports};
use daira_search::{Hit, Kinds, SearchService};

struct Town {
    world: Fixture,
    search: SearchService,
}

impl Town {
    /// Six people, and tags with and without their articles.
    async fn new() -> Self {
        let ports = Ports::in_memory();
        let world = Fixture::new(ports.clone());
        let mona = world.person("mona").await;
        for handle in ["mon.a", "monem", "mourad", "ahly_fan", "elahly"] {
            world.person(handle).await;
        }
        let tags = ["mona_lisa", "الأهلي", "اهلا", "ElAhly", "ahlan", "monument"];
        for tag in tags {
            world.post(&mona, Writing::new(format!("#{tag}")).tag(tag)).await;
        }
        Self { search: SearchService::new(ports), world }
    }

    async fn page(&self, query: &str, kinds: Kinds, size: i64, after: Option<&str>) -> Connection<Hit> {
        self.search.search(&Actor::Anonymous, query, kinds, Limit::new(size).unwrap(), after).await.unwrap()
    }

    /// Everything that a query finds, in pages of this size.
    async fn all(&self, query: &str, kinds: Kinds, size: i64) -> Vec<String> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.page(query, kinds, size, after.as_deref()).await;
            assert!(page.items.len() == usize::try_from(size).unwrap() || !page.has_next, "a page is full or the last");
            after = page.next().map(ToOwned::to_owned);
            found.extend(page.into_nodes().into_iter().map(|hit| match hit {
                Hit::Profile(profile) => format!("@{}", profile.handle.as_str()),
                Hit::Hashtag(tag) => format!("#{}", tag.spelling),
                other => panic!("{other:?}"),
            }));
            if after.is_none() {
                return found;
            }
        }
    }
}

#[tokio::test]
async fn people_come_first_then_tags_and_pages_are_the_whole() {
    let town = Town::new().await;
    let expected = ["@mon.a", "@mona", "@monem", "#mona_lisa", "#monument"];
    for size in 1..=6 {
        assert_eq!(town.all("Mon", Kinds::ALL, size).await, expected, "pages of {size}");
    }
    assert_eq!(town.all("@mon", Kinds::ALL, 2).await, expected[..3]);
    assert_eq!(town.all("#mon", Kinds::ALL, 2).await, expected[3..]);
    assert_eq!(town.all("mon", Kinds { profiles: true, hashtags: false }, 2).await, expected[..3]);
    assert_eq!(town.all("mon", Kinds { profiles: false, hashtags: true }, 2).await, expected[3..]);
    assert!(town.all("zamalek", Kinds::ALL, 5).await.is_empty());
    assert!(town.all("قهوة", Kinds::ALL, 5).await.is_empty());
}

#[tokio::test]
async fn spellings_and_articles_lead_to_one_tag_shown_once() {
    let town = Town::new().await;
    for typed in ["الأهل", "الاهل", "أهل", "#الأهـل"] {
        let found = town.all(typed, Kinds::ALL, 1).await;
        assert_eq!(found.iter().filter(|hit| *hit == "#الأهلي").count(), 1, "{typed}: {found:?}");
    }
    let found = town.all("elah", Kinds::ALL, 2).await;
    assert_eq!(found[0], "@elahly");
    assert_eq!(found.iter().filter(|hit| *hit == "#ElAhly").count(), 1, "{found:?}");
}

#[tokio::test]
async fn hidden_people_are_not_found_and_cursors_belong_to_their_query() {
    let town = Town::new().await;
    town.world
        .person(
            Draft::new("monasuspended")
                .state(AccountState::Suspended(town.world.now() + core::time::Duration::from_hours(1))),
        )
        .await;
    assert_eq!(town.all("@mona", Kinds::ALL, 9).await, ["@mona"]);
    let first = town.page("mon", Kinds::ALL, 2, None).await;
    let cursor = first.next().unwrap();
    for (query, after) in [("mo", cursor), ("mon", "x"), ("mon", ""), ("mon", &cursor[1..])] {
        let refused = town.search.search(&Actor::Anonymous, query, Kinds::ALL, Limit::DEFAULT, Some(after)).await;
        assert_eq!(refused.unwrap_err().operation(), "page.cursor", "{query} {after}");
    }
    for (query, code) in [("", "search.empty"), ("@", "search.empty"), (&*"م".repeat(300), "search.too_long")] {
        let refused = town.search.search(&Actor::Anonymous, query, Kinds::ALL, Limit::DEFAULT, None).await.unwrap_err();
        assert_eq!((refused.operation(), refused.field()), (code, Some("query")));
    }
}
