//! Leaving against logging in, and an erasure against staying in the last moment and against another.

use daira_core::account::{AccountRefusal, AccountService, LoggedIn};
use daira_core::actor::Actor;
use daira_core::port::Ports;
use daira_core::time::Timestamp;
use sqlx::{Connection as _, PgConnection};

use super::identity::{OLD, join, log_in};
use super::*;

async fn leave(ports: Ports, person: &LoggedIn) -> Result<Timestamp> {
    AccountService::new(ports).request_deletion(&Actor::Member(person.member), None).await
}

async fn a_log_in_and_a_wish_to_leave(server: Server) {
    for leaves_first in [true, false] {
        let (ports, _database) = ports(server).await;
        let mona = join(&ports, "mona").await;
        let enter = async |ports| log_in(ports, "mona", OLD).await;
        let go = async |ports| leave(ports, &mona).await;
        let (entered, left) = if leaves_first {
            let (left, entered, overtaken) = meet(&ports, go, enter).await;
            assert!(!overtaken);
            (entered, left)
        } else {
            let (entered, left, overtaken) = meet(&ports, enter, go).await;
            assert!(!overtaken);
            (entered, left)
        };
        assert!(left.is_ok());
        let accounts = AccountService::new(ports.clone());
        let entered = entered.unwrap();
        // What began before ends with all the others; what began after is there to stay after all.
        let lives = accounts.authenticate(&entered.tokens.access).await.is_ok();
        assert_eq!(lives, leaves_first);
        let back = log_in(ports.clone(), "mona", OLD).await.unwrap();
        assert!(accounts.me(&Actor::Member(back.member)).await.unwrap().account.leaving_at.is_some());
    }
}

/// An account whose time has come, and whose owner stays in that very moment.
async fn staying_and_being_erased(server: Server) {
    for stays_first in [true, false] {
        let (ports, database) = ports(server).await;
        let mona = join(&ports, "mona").await;
        leave(ports.clone(), &mona).await.unwrap();
        let back = log_in(ports.clone(), "mona", OLD).await.unwrap();
        let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
        sqlx::raw_sql("update daira.account set leaving_at = now() - interval '1 hour'")
            .execute(&mut admin)
            .await
            .unwrap();
        let actor = &Actor::Member(back.member);
        let stay = async |ports: Ports| AccountService::new(ports).cancel_deletion(actor, None).await;
        let erase = async |ports: Ports| AccountService::new(ports).erase_due().await;
        let accounts = AccountService::new(ports.clone());
        if stays_first {
            let (stayed, erased, overtaken) = meet(&ports, stay, erase).await;
            assert!(stayed.is_ok() && !overtaken, "{stayed:?}");
            assert_eq!(erased.unwrap(), 0, "it looked again");
            assert!(accounts.authenticate(&back.tokens.access).await.is_ok());
        } else {
            let (erased, stayed, overtaken) = meet(&ports, erase, stay).await;
            assert_eq!((erased.unwrap(), overtaken), (1, false));
            assert_eq!(stayed.unwrap_err().refusal(), Some(AccountRefusal::TokenInvalid), "too late");
            assert!(accounts.authenticate(&back.tokens.access).await.is_err());
        }
    }
}

/// Two runs at once erase an account once.
async fn two_erasures_of_one_account(server: Server) {
    let (ports, database) = ports(server).await;
    let mona = join(&ports, "mona").await;
    leave(ports.clone(), &mona).await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    sqlx::raw_sql("update daira.account set leaving_at = now() - interval '1 hour'").execute(&mut admin).await.unwrap();
    let erase = async |ports: Ports| AccountService::new(ports).erase_due().await;
    let (one, other, _) = meet(&ports, erase, erase).await;
    assert!(one.unwrap() + other.unwrap() >= 1);
    let count = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql);
    let left = count("select count(*) from daira.account").fetch_one(&mut admin).await.unwrap();
    let told =
        count("select count(*) from daira.event where kind = 'daira.account.v1.erased'").fetch_one(&mut admin).await;
    let lines = count("select count(*) from daira.audit where action = 'account.erased'").fetch_one(&mut admin).await;
    let mails = count("select count(*) from daira.mailing where kind = 15").fetch_one(&mut admin).await.unwrap();
    assert_eq!((left, told.unwrap(), lines.unwrap(), mails), (0, 1, 1, 1));
}

on_each_server!(a_log_in_and_a_wish_to_leave, staying_and_being_erased, two_erasures_of_one_account,);
