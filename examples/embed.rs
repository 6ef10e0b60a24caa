//! The libraries embedded in one process, in memory: two people, a follow, a post, and the feed it arrives in.

use daira_core::account::{AccountService, Register, VerifyEmail, token};
use daira_core::actor::{Actor, Client};
use daira_core::graph::GraphService;
use daira_core::locale::Locale;
use daira_core::page::Limit;
use daira_core::post::{CreatePost, PostService};
use daira_core::secret::Secret;
use daira_core::{Ports, Result};
use daira_feed::{FeedService, FeedSettings};
use daira_worker::{Runner, consume};

async fn join(ports: &Ports, handle: &str) -> Result<Actor> {
    let accounts = AccountService::new(ports.clone());
    let wish = Register {
        email: format!("{handle}@example.com"),
        password: Secret::new("3ala ahwet el me3allem"),
        handle: handle.to_owned(),
        name: handle.to_owned(),
        birth_date: "1999-04-25".to_owned(),
        locale: Locale::Ar,
    };
    let registration = accounts.register(&Client::default(), wish, None).await?;
    // People get this code by mail; we hold the key that it is derived with.
    let code = token::code(&ports.keys.challenge, registration);
    let joined =
        accounts.verify_email(&Client::default(), VerifyEmail { registration, code, device: String::new() }).await?;
    Ok(Actor::Member(joined.member))
}

#[tokio::main]
async fn main() -> Result<()> {
    let ports = Ports::in_memory();
    let (mona, ali) = (join(&ports, "mona.adel").await?, join(&ports, "ali_hassan").await?);
    GraphService::new(ports.clone()).follow(&ali, mona.member()?.profile, None).await?;
    let post = CreatePost::public("3ayez arou7 el ahly, مين جاي معايا؟ #الأهلي");
    PostService::new(ports.clone()).create(&mona, &post, None).await?;
    consume::all(Runner::new(ports.clone()), &ports).run_until_idle().await?;
    let page = FeedService::new(ports, FeedSettings::default()).home(&ali, Limit::DEFAULT, None).await?;
    for item in &page.items {
        println!("@{}: {}", item.card.author.handle, item.card.post.text);
    }
    assert_eq!(page.items.len(), 1, "the post arrived");
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
