//! Ways into an account against one another: one is left, and one that is gone lets nobody in.

use daira_core::account::{
    AccountRefusal, AccountService, BeginIdentity, Identity, IdentityAnswer, IdentityEntry, IdentityPurpose,
    LinkedIdentity, password,
};
use daira_core::actor::{Actor, Client, Member};
use daira_core::memory::MemoryIdentities;
use daira_core::port::{IdentityClaims, Provider};

use super::identity::join;
use super::*;

const APP: &str = "example.daira:/in";
const NAMES: [&str; 2] = ["one", "other"];

fn issuer(name: &str) -> String {
    format!("https://{name}.example")
}

/// Ports with two providers, and somebody who is linked with both and has no password.
async fn linked(server: Server) -> (Ports, TestDatabase, Arc<MemoryIdentities>, Member) {
    let (mut ports, database) = ports(server).await;
    let provider =
        |name: &str| Provider { name: name.to_owned(), issuer: issuer(name), redirects: vec![APP.to_owned()] };
    let identities = Arc::new(MemoryIdentities::new(NAMES.map(provider).to_vec()));
    ports.identities = identities.clone();
    let mona = join(&ports, "mona").await.member;
    let mut unit = ports.store.begin(&Actor::Member(mona)).await.unwrap();
    for name in NAMES {
        let identity = Identity { issuer: issuer(name), subject: "7".to_owned() };
        let linked = LinkedIdentity { account: mona.account, identity, linked_at: ports.clock.now(), used_at: None };
        unit.factors().insert_identity(&linked).await.unwrap();
    }
    unit.accounts().set_password_hash(mona.account, &password::none([7; 16])).await.unwrap();
    unit.commit().await.unwrap();
    (ports, database, identities, mona)
}

async fn unlink(ports: Ports, whose: Member, name: &str) -> Result<()> {
    AccountService::new(ports).unlink_identity(&Actor::Member(whose), &issuer(name), None).await
}

async fn two_unlinks_leave_a_way_in(server: Server) {
    let (ports, _database, _, mona) = linked(server).await;
    let (one, other, overtaken) =
        meet(&ports, async |ports| unlink(ports, mona, "one").await, async |ports| unlink(ports, mona, "other").await)
            .await;
    assert!(one.is_ok() && !overtaken, "{one:?}");
    assert_eq!(other.unwrap_err().refusal(), Some(AccountRefusal::LastWayIn));
    let left = AccountService::new(ports).ways_in(&Actor::Member(mona)).await.unwrap().identities;
    assert_eq!(left.iter().map(|one| one.identity.issuer.as_str()).collect::<Vec<_>>(), [issuer("other")]);
}

async fn an_unlink_and_a_log_in(server: Server) {
    let (ports, _database, identities, mona) = linked(server).await;
    let accounts = AccountService::new(ports.clone());
    let wish = BeginIdentity {
        provider: "one".to_owned(),
        redirect: APP.to_owned(),
        purpose: IdentityPurpose::LogIn,
        device: String::new(),
        replaces: None,
    };
    let begun = accounts.begin_identity(&Actor::Anonymous, &Client::default(), &wish).await.unwrap();
    let identity = Identity { issuer: issuer("one"), subject: "7".to_owned() };
    let claims = IdentityClaims { identity, email: None, name: None, authenticated_at: None };
    let (state, answer) = identities.agree(begun.url.expose(), &claims).unwrap();
    let answer = &IdentityAnswer { ceremony: begun.ceremony, state, code: answer.code, issuer: answer.issuer };
    let (unlinked, entry, overtaken) = meet(
        &ports,
        async |ports| unlink(ports, mona, "one").await,
        async |ports| AccountService::new(ports).log_in_with_identity(&Client::default(), answer).await,
    )
    .await;
    assert!(unlinked.is_ok() && !overtaken, "{unlinked:?}");
    assert!(matches!(entry.unwrap(), IdentityEntry::New(_)), "it waited, looked again, and opens nothing");
}

on_each_server!(two_unlinks_leave_a_way_in, an_unlink_and_a_log_in,);
