//! 15, its folding part: a search that knows one language, and analysis that differs between stores.

use daira_core::Ports;
use daira_core::page::Limit;
use daira_core::port::store::Access;
use daira_core::post::{CreatePost, PostService};
use daira_core::testkit::fixture::Fixture;
use daira_core::text::{TagKey, fold};
use daira_store::postgres::testing::Server;

use crate::platform::{Platform, on_each_server};

/// Spellings that are one tag each.
const TAGS: [&[&str]; 5] = [
    &["#الأهلي", "#الاهلى", "#الأهـلي", "#ألاهلي"],
    &["#ElAhly", "#Al_Ahly", "#El_Ahly"],
    &["#مدرسة", "#مدرسه", "#مَدرَسة"],
    &["#٢٠٢٦سنة", "#2026سنه"],
    &["#قهوة_بلدي", "#قهوه_بلدى"],
];

/// The tags that a prefix finds, and how many posts each spelling of a tag leads to.
async fn answers(ports: &Ports) -> Vec<String> {
    let world = Fixture::new(ports.clone());
    let mona = world.person("mona").await;
    let service = PostService::new(ports.clone());
    for spelling in TAGS.concat() {
        service.create(&mona.actor(), &CreatePost::public(format!("كلام {spelling}")), None).await.unwrap();
    }
    let mut view = ports.store.read(&mona.actor(), Access::Read).await.unwrap();
    let mut told = Vec::new();
    for spellings in TAGS {
        for spelling in spellings {
            let key = TagKey::new(spelling).unwrap();
            let tag = view.posts().tag(&key).await.unwrap().unwrap_or_else(|| panic!("{spelling} leads nowhere"));
            let page = view.posts().by_tag(&key, None, Limit::new(20).unwrap()).await.unwrap();
            assert_eq!(
                (page.items.len(), tag.spelling.as_str()),
                (spellings.len(), spellings[0].trim_start_matches('#')),
                "{spelling}"
            );
            told.push(format!("{spelling} {} {}", key.as_str(), tag.spelling));
        }
    }
    for typed in ["#الا", "مدر", "#2026", "ElA", "قهوه_"] {
        for prefix in TagKey::search_prefixes(typed) {
            let found = view.search().tags(&prefix, None, Limit::new(20).unwrap()).await.unwrap();
            told.extend(found.items.iter().map(|tag| format!("{typed} {prefix} {}", tag.spelling)));
        }
    }
    told
}

async fn failure_15_folding_is_the_same_in_memory_and_in_postgres(server: Server) {
    let platform = Platform::new(server).await;
    let stored = answers(&platform.ports).await;
    assert_eq!(stored, answers(&Ports::in_memory()).await);
    assert!(stored.iter().any(|line| line.starts_with("مدر ")), "{stored:?}");
    // The keys are folded by this library alone, and sorted by bytes: no server's idea of a language enters.
    let mut db = platform.superuser().await;
    let collation: String = sqlx::query_scalar(
        "select collation_name::text from information_schema.columns
         where table_schema = 'daira' and table_name = 'hashtag' and column_name = 'key'",
    )
    .fetch_one(&mut db)
    .await
    .unwrap();
    assert_eq!(collation, "C");
    let keys: Vec<String> = sqlx::query_scalar("select key from daira.hashtag").fetch_all(&mut db).await.unwrap();
    assert!(keys.iter().all(|key| fold(key).as_str() == key), "{keys:?}");
}

/// A match in folded text is marked on exactly the letters that were written.
#[test]
fn failure_15_the_way_back_to_the_original_is_exact() {
    for (original, word, marked) in [
        ("روحت إسْكِنْدِرِيَّة امبارح", "اسكندريه", "إسْكِنْدِرِيَّة"),
        ("قهـــوة مظبوطة", "قهوه", "قهـــوة"),
        ("سنة ٢٠٢٦ كانت", "2026", "٢٠٢٦"),
        ("Café ELZAMALEK ⚽", "cafe", "Café"),
        ("ﷲ أكبر", "الله", "ﷲ"),
    ] {
        let folded = fold(original);
        let at = folded.as_str().find(word).unwrap_or_else(|| panic!("{word} is not in {}", folded.as_str()));
        assert_eq!(&original[folded.original_range(at..at + word.len())], marked);
        assert_eq!(&original[folded.original_range(0..folded.as_str().len())], original.trim());
    }
}

on_each_server!(failure_15_folding_is_the_same_in_memory_and_in_postgres);
