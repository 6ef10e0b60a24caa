//! Passwords and addresses against one another: one token is spent once, an old password lets nobody in beside its end, and
//! an address has one account.

use daira_core::account::{
    AccountRefusal, AccountService, ChangePassword, Email, Entry, LogIn, LoggedIn, Mailing, MailingKind, VerifyEmail,
    factor, token,
};
use daira_core::actor::{Actor, Client};
use daira_core::id::{AppId, ChallengeId};
use daira_core::oauth::{AppSettings, Client as App, Issued, OauthRefusal, OauthService};
use daira_core::port::Ports;
use daira_core::testkit::fixture::PLATFORM;

use tokio::task::JoinSet;

use super::*;

pub(super) const OLD: &str = "kahwa sada 3al nil";
const NEW: &str = "fasolia beida w ta3m";
const ISSUER: &str = "https://daira.example";
const REDIRECT: &str = "https://trains.example/cb";

/// Somebody who joined with a password.
pub(super) async fn join(ports: &Ports, name: &str) -> LoggedIn {
    let accounts = AccountService::new(ports.clone());
    let wish = Register {
        email: format!("{name}@example.com"),
        password: Secret::new(OLD),
        handle: name.to_owned(),
        name: "نادية".to_owned(),
        birth_date: "1999-04-25".to_owned(),
        locale: Locale::Ar,
    };
    let registration = accounts.register(&Client::default(), wish, None).await.unwrap();
    let code = token::code(&ports.keys.challenge, registration);
    let proof = VerifyEmail { registration, code, device: String::new() };
    accounts.verify_email(&Client::default(), proof).await.unwrap()
}

pub(super) async fn log_in(ports: Ports, name: &str, password: &str) -> Result<LoggedIn> {
    let input = LogIn { email: format!("{name}@example.com"), password: Secret::new(password), device: String::new() };
    let entry = AccountService::new(ports).log_in(&Client::default(), input, None).await?;
    Ok(entry.logged_in().expect("no second factor"))
}

async fn change(ports: Ports, person: &LoggedIn) -> Result<u32> {
    let input = ChangePassword { current: Secret::new(OLD), new: Secret::new(NEW) };
    AccountService::new(ports).change_password(&Actor::Member(person.member), &input, None).await
}

/// The token of a mail that somebody asked for.
async fn lost(ports: &Ports, name: &str, person: &LoggedIn) -> Secret {
    let now = ports.clock.now();
    let mailing = Mailing {
        id: ports.ids.draw(now, ports.ids.shard()),
        kind: MailingKind::PasswordReset,
        to: Email::new(&format!("{name}@example.com")).unwrap().into(),
        account: None,
        locale: Locale::Ar,
        attempts: 0,
        created_at: now,
        expires_at: now + ports.settings.code_life,
    };
    let mut unit = ports.store.begin(&PLATFORM).await.unwrap();
    unit.accounts().insert_mailing(&mailing).await.unwrap();
    let hash = unit.accounts().password_hash(person.member.account).await.unwrap().unwrap();
    unit.commit().await.unwrap();
    token::reset(&ports.keys.reset, mailing.id, person.member.account, &hash)
}

async fn reset(ports: Ports, token: &Secret, new: &str) -> Result<()> {
    AccountService::new(ports).reset_password(&Client::default(), token, &Secret::new(new)).await
}

async fn one_token_for_two(server: Server) {
    let (ports, _database) = ports(server).await;
    let mona = join(&ports, "mona").await;
    let token = &lost(&ports, "mona", &mona).await;
    let (one, other, overtaken) = meet(
        &ports,
        async |ports| reset(ports, token, NEW).await,
        async |ports| reset(ports, token, "a third one").await,
    )
    .await;
    assert!(one.is_ok() && !overtaken, "{one:?}");
    assert_eq!(other.unwrap_err().refusal(), Some(AccountRefusal::ResetInvalid));
    assert!(log_in(ports.clone(), "mona", NEW).await.is_ok());
}

async fn a_new_password_and_a_log_in_with_the_old_one(server: Server) {
    for change_first in [true, false] {
        let (ports, _database) = ports(server).await;
        let mona = join(&ports, "mona").await;
        let enter = async |ports| log_in(ports, "mona", OLD).await;
        let replace = async |ports| change(ports, &mona).await;
        let entered = if change_first {
            let (changed, entered, overtaken) = meet(&ports, replace, enter).await;
            assert!(changed.is_ok() && !overtaken);
            entered
        } else {
            let (entered, changed, overtaken) = meet(&ports, enter, replace).await;
            assert!(!overtaken);
            assert_eq!(changed.unwrap(), 1, "the session that began before ends");
            entered
        };
        match entered {
            Ok(entered) => {
                assert!(!change_first);
                let outcome = AccountService::new(ports.clone()).authenticate(&entered.tokens.access).await;
                assert_eq!(outcome.unwrap_err().refusal(), Some(AccountRefusal::TokenInvalid));
            }
            Err(error) => assert_eq!((change_first, error.refusal()), (true, Some(AccountRefusal::CredentialsInvalid))),
        }
    }
}

async fn a_reset_and_a_change(server: Server) {
    for reset_first in [true, false] {
        let (ports, _database) = ports(server).await;
        let mona = join(&ports, "mona").await;
        let token = &lost(&ports, "mona", &mona).await;
        let by_mail = async |ports| reset(ports, token, "a third good one").await.map(drop);
        let by_hand = async |ports| change(ports, &mona).await.map(drop);
        let (one, other, _) =
            if reset_first { meet(&ports, by_mail, by_hand).await } else { meet(&ports, by_hand, by_mail).await };
        assert!(one.is_ok(), "{one:?}");
        // It was made for a password that is gone.
        let expected = if reset_first { AccountRefusal::CredentialsInvalid } else { AccountRefusal::ResetInvalid };
        assert_eq!(other.unwrap_err().refusal(), Some(expected));
    }
}

async fn one_address_for_two_accounts(server: Server) {
    let (ports, _database) = ports(server).await;
    let (mona, omar) = (join(&ports, "mona").await, join(&ports, "omar").await);
    let accounts = AccountService::new(ports.clone());
    let (reading, mut challenges) = (Arc::clone(&ports.store), Vec::new());
    for person in [&mona, &omar] {
        let (actor, current) = (Actor::Member(person.member), Secret::new(OLD));
        challenges.push(accounts.change_email(&actor, "wanted@example.com", &current, None).await.unwrap());
    }
    let confirm = async |ports: Ports, person: &LoggedIn, challenge: ChallengeId| {
        let actor = Actor::Member(person.member);
        let code = {
            let mut unit = reading.begin(&actor).await?;
            let account = unit.accounts().account(person.member.account, Lock::None).await?.unwrap();
            let hash = unit.accounts().password_hash(account.id).await?.unwrap();
            token::email_code(&ports.keys.challenge, challenge, account.email.as_str(), &hash)
        };
        AccountService::new(ports).confirm_email(&actor, &Client::default(), challenge, &code).await
    };
    let (one, other, overtaken) = meet(
        &ports,
        async |ports| confirm(ports, &mona, challenges[0]).await,
        async |ports| confirm(ports, &omar, challenges[1]).await,
    )
    .await;
    assert!(one.is_ok() && !overtaken, "{one:?}");
    assert_eq!(other.unwrap_err().refusal(), Some(AccountRefusal::CodeInvalid));
}

/// Digits of somebody's app, which was set up just now, and the log-in that waits for them.
async fn waiting(ports: &Ports, name: &str) -> (Secret, Secret) {
    let (person, accounts) = (join(ports, name).await, AccountService::new(ports.clone()));
    let me = Actor::Member(person.member);
    let begun = accounts.begin_authenticator(&me).await.unwrap();
    let secret = data_encoding::BASE32_NOPAD.decode(begun.secret.expose().as_bytes()).unwrap();
    let secret = secret.as_slice().try_into().unwrap();
    // The digits before confirm, those after are left: both are good now.
    let step = ports.clock.now().as_seconds() / 30;
    accounts.confirm_authenticator(&me, &factor::digits(secret, step)).await.unwrap();
    let input = LogIn { email: format!("{name}@example.com"), password: Secret::new(OLD), device: String::new() };
    let Entry::Waits(waited) = accounts.log_in(&Client::default(), input, None).await.unwrap() else {
        panic!("nothing was asked for");
    };
    (waited.challenge, factor::digits(secret, step + 1))
}

async fn one_code_for_two_log_ins(server: Server) {
    let (ports, _database) = ports(server).await;
    let (challenge, digits) = &waiting(&ports, "mona").await;
    let enter =
        async |ports| AccountService::new(ports).verify_second_factor(&Client::default(), challenge, digits).await;
    let (one, other, overtaken) = meet(&ports, enter, enter).await;
    assert!(one.is_ok() && !overtaken, "{one:?}");
    assert_eq!(other.unwrap_err().refusal(), Some(AccountRefusal::CodeInvalid));
}

async fn fifty_refreshes_of_one_token(server: Server) {
    let (ports, _database) = ports(server).await;
    let mona = join(&ports, "mona").await;
    let accounts = AccountService::new(ports.clone());
    let mut racing = JoinSet::new();
    for _ in 0..50 {
        let (accounts, token) = (accounts.clone(), mona.tokens.refresh.clone());
        racing.spawn(async move { accounts.refresh(&Client::default(), &token).await });
    }
    let answers: Vec<_> = racing.join_all().await.into_iter().map(Result::unwrap).collect();
    let next = &answers[0];
    assert!(answers.iter().all(|tokens| tokens.refresh == next.refresh), "one living branch");
    assert!(accounts.authenticate(&next.access).await.is_ok(), "nobody is logged out");
    let last = accounts.refresh(&Client::default(), &next.refresh).await.unwrap();
    let is_over = |outcome: Result<_>| outcome.is_err_and(|e| e.refusal() == Some(AccountRefusal::TokenInvalid));
    assert!(
        is_over(accounts.refresh(&Client::default(), &mona.tokens.refresh).await.map(drop)),
        "a copy that comes back"
    );
    assert!(is_over(accounts.refresh(&Client::default(), &last.refresh).await.map(drop)), "ends the session for both");
    assert!(is_over(accounts.authenticate(&last.access).await.map(drop)));
}

/// An app that somebody registered, and the code it got from somebody who let it in.
async fn coded(ports: &Ports, person: &LoggedIn) -> (App, AppId, Secret) {
    let (oauth, me) = (OauthService::new(AccountService::new(ports.clone()), ISSUER), Actor::Member(person.member));
    let settings = AppSettings { name: "قطر".to_owned(), redirects: vec![REDIRECT.to_owned()] };
    let made = oauth.register_app(&me, settings, true, None).await.unwrap();
    let id = made.app.id;
    let query = format!(
        "response_type=code&client_id={id}&redirect_uri={REDIRECT}&scope=read:feed&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    let to = oauth.authorize(&me, &query, None).await.unwrap();
    let code = Secret::new(to.split_once("code=").unwrap().1.split('&').next().unwrap());
    (App { id: id.to_string(), secret: made.secret, from: Client::default() }, id, code)
}

async fn exchange(ports: Ports, app: &App, code: &Secret) -> Result<Issued> {
    let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    OauthService::new(AccountService::new(ports), ISSUER).exchange(app, code, REDIRECT, &verifier).await
}

/// Whoever comes second finds it spent, and takes from the first what it gave.
async fn one_code_of_an_app_for_two(server: Server) {
    let (ports, _database) = ports(server).await;
    let mona = join(&ports, "mona").await;
    let (app, _, code) = &coded(&ports, &mona).await;
    let enter = async |ports| exchange(ports, app, code).await;
    let (one, other, overtaken) = meet(&ports, enter, enter).await;
    assert!(!overtaken, "{one:?}");
    assert_eq!(other.unwrap_err().refusal(), Some(OauthRefusal::GrantInvalid));
    let outcome = AccountService::new(ports.clone()).admit(&one.unwrap().access).await;
    assert_eq!(outcome.unwrap_err().refusal(), Some(AccountRefusal::TokenInvalid));
}

/// An app that is shut out gets nothing for a code of before, in whichever order they come.
async fn shutting_out_and_an_exchange(server: Server) {
    let (ports, _database) = ports(server).await;
    let mona = join(&ports, "mona").await;
    let me = &Actor::Member(mona.member);
    let out = async |ports: Ports, id| {
        OauthService::new(AccountService::new(ports), ISSUER).disconnect(me, id, None, None).await
    };
    let lives = async |issued: Issued| AccountService::new(ports.clone()).admit(&issued.access).await.is_ok();
    let (app, id, code) = &coded(&ports, &mona).await;
    let (issued, done, overtaken) =
        meet(&ports, async |ports| exchange(ports, app, code).await, async |ports| out(ports, *id).await).await;
    assert!(done.unwrap() && !overtaken && !lives(issued.unwrap()).await, "what was given ends");
    let (app, id, code) = &coded(&ports, &mona).await;
    let (done, issued, overtaken) =
        meet(&ports, async |ports| out(ports, *id).await, async |ports| exchange(ports, app, code).await).await;
    assert!(done.unwrap() && !overtaken);
    assert_eq!(issued.unwrap_err().refusal(), Some(OauthRefusal::GrantInvalid));
}

on_each_server!(
    one_code_of_an_app_for_two,
    shutting_out_and_an_exchange,
    one_token_for_two,
    a_new_password_and_a_log_in_with_the_old_one,
    a_reset_and_a_change,
    one_address_for_two_accounts,
    one_code_for_two_log_ins,
    fifty_refreshes_of_one_token,
);
