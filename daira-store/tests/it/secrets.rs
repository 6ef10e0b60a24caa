//! What somebody who holds a copy of the database holds: nothing that logs in.

use std::sync::Arc;

use daira_core::Ports;
use daira_core::account::{AccountService, LogIn, Register, VerifyEmail, factor, token};
use daira_core::actor::{Actor, Client};
use daira_core::credential::{Argon2id, Argon2idCost};
use daira_core::error::Result;
use daira_core::id::ChallengeId;
use daira_core::idempotency::IdempotencyKey;
use daira_core::locale::Locale;
use daira_core::memory::WallClock;
use daira_core::port::PasswordHasher;
use daira_core::secret::Secret;
use daira_store::postgres::testing::{Server, TestDatabase};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

const PASSWORD: &str = "kahraba nour shams";

/// Argon2id at its lowest cost, on the thread that asks.
struct Cheap(Argon2id);

#[async_trait::async_trait]
impl PasswordHasher for Cheap {
    async fn hash(&self, password: &Secret) -> Result<String> {
        self.0.hash(password, [7; 16])
    }

    async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool> {
        self.0.verify(password, hash)
    }

    fn is_outdated(&self, hash: &str) -> bool {
        self.0.is_outdated(hash)
    }
}

async fn ports(database: &TestDatabase) -> Ports {
    let cost = Argon2idCost { memory_kib: 64, passes: 1, lanes: 1 };
    Ports {
        store: Arc::new(database.store().await.unwrap()),
        hasher: Arc::new(Cheap(Argon2id::new(cost).unwrap())),
        ..Ports::in_memory_at(Arc::new(WallClock), 7)
    }
}

fn registering(name: &str) -> Register {
    Register {
        email: format!("{name}@example.com"),
        password: Secret::new(PASSWORD),
        handle: name.to_owned(),
        name: "منى".to_owned(),
        birth_date: "1999-04-25".to_owned(),
        locale: Locale::Ar,
    }
}

/// Every row of every table of ours, as text; whoever reads it is held back by no policy.
async fn dump(database: &TestDatabase) -> Vec<(String, String)> {
    let mut connection = PgConnection::connect(&database.admin_url()).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c where c.relnamespace = 'daira'::regnamespace and c.relkind = 'r'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let select = AssertSqlSafe(format!("select t::text from {table} t"));
        let found: Vec<String> = sqlx::query_scalar(select).fetch_all(&mut connection).await.unwrap();
        rows.extend(found.into_iter().map(|row| (table.clone(), row)));
    }
    rows
}

#[tokio::test]
async fn security_30_a_copy_of_the_database_opens_nothing() {
    for server in [Server::Pg15, Server::Pg18] {
        let database = server.database().await.unwrap();
        let ports = ports(&database).await;
        let accounts = AccountService::new(ports.clone());
        let key = |text| Some(IdempotencyKey::new(text).unwrap());
        let code = |registration: ChallengeId| token::code(&ports.keys.challenge, registration);

        let waiting = accounts.register(&Client::default(), registering("layla"), key("wait")).await.unwrap();
        let registration = accounts.register(&Client::default(), registering("mona"), key("join")).await.unwrap();
        let joined = VerifyEmail { registration, code: code(registration), device: "Phone".to_owned() };
        let first = accounts.verify_email(&Client::default(), joined).await.unwrap();
        let input = || LogIn {
            email: "mona@example.com".to_owned(),
            password: Secret::new(PASSWORD),
            device: "Tablet".to_owned(),
        };
        let second = accounts.log_in(&Client::default(), input(), key("in")).await.unwrap().logged_in().unwrap();
        let again = accounts.log_in(&Client::default(), input(), key("in")).await.unwrap().logged_in().unwrap();
        assert_eq!(again.member, second.member, "the key finds the session, computed anew");
        let renewed = accounts.refresh(&Client::default(), &first.tokens.refresh).await.unwrap();
        assert_eq!(accounts.authenticate(&renewed.access).await.unwrap(), Actor::Member(first.member));

        let me = &Actor::Member(first.member);
        let begun = accounts.begin_authenticator(me).await.unwrap();
        let secret = BASE32_NOPAD.decode(begun.secret.expose().as_bytes()).unwrap();
        let step = ports.clock.now().as_seconds() / 30;
        let digits = factor::digits(secret.as_slice().try_into().unwrap(), step);
        let codes = accounts.confirm_authenticator(me, &digits).await.unwrap();

        let mut secrets = vec![PASSWORD.to_owned(), begun.secret.expose().to_owned(), HEXLOWER.encode(&secret)];
        for code in &codes {
            let bytes = BASE32_NOPAD.decode(code.expose().replace('-', "").to_ascii_uppercase().as_bytes()).unwrap();
            secrets.extend([code.expose().to_owned(), HEXLOWER.encode(&bytes)]);
        }
        secrets.extend([waiting, registration].map(|id| code(id).expose().to_owned()));
        for tokens in [&first.tokens, &second.tokens, &renewed] {
            secrets.extend([&tokens.access, &tokens.refresh].map(|token| token.expose().to_owned()));
            let bytes = BASE64URL_NOPAD.decode(tokens.refresh.expose().trim_start_matches("drt_").as_bytes()).unwrap();
            secrets.push(HEXLOWER.encode(&bytes[bytes.len() - 32..]));
        }
        let rows = dump(&database).await;
        assert!(rows.iter().any(|(_, row)| row.contains("mona@example.com")), "the dump holds what there is");
        for secret in &secrets {
            // A code is so short that it could stand inside any number; as a word of its own it may not.
            let is_in = |row: &str| match secret.len() {
                6 => row.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == secret),
                _ => row.contains(secret.as_str()),
            };
            let found = rows.iter().find(|(_, row)| is_in(row));
            assert!(found.is_none(), "a secret of {} characters stands in {}", secret.len(), found.unwrap().0);
        }
    }
}

#[tokio::test]
async fn security_14_a_fresh_database_lets_nobody_in() {
    for server in [Server::Pg15, Server::Pg18] {
        let database = server.database().await.unwrap();
        let accounts = AccountService::new(ports(&database).await);
        for name in ["admin", "administrator", "root", "daira", "postgres", "moderator", "support", "test", "demo"] {
            for host in ["example.com", "daira.example", "localhost.localdomain"] {
                for password in [name, "", "password", "changeme", "admin", "123456", "daira"] {
                    let (email, password) = (format!("{name}@{host}"), Secret::new(password));
                    let device = String::new();
                    let error =
                        accounts.log_in(&Client::default(), LogIn { email, password, device }, None).await.unwrap_err();
                    assert_eq!(error.refused_as().code, "auth.invalid_credentials");
                }
            }
        }
        let rows = dump(&database).await;
        let people = ["daira.account", "daira.profile", "daira.credential", "daira.session"];
        assert!(rows.iter().all(|(table, _)| !people.contains(&table.as_str())), "nobody is there");
    }
}
