//! Apps of others: let in, given tokens, shut out; and what RFC 9700 says that is tried with them.

use daira_core::account::Pass;
use daira_core::id::AppId;
use daira_core::idempotency::IdempotencyKey;
use daira_core::memory::RandomIds;
use daira_core::oauth::{
    AppSettings, Client as App, Issued, OauthRefusal, OauthService, RegisteredApp, Scopes, close_dead_apps,
};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::*;

const ISSUER: &str = "https://daira.example";
const REDIRECT: &str = "https://trains.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A world with an app in it, and its owner.
struct Stage {
    world: World,
    oauth: OauthService,
    owner: LoggedIn,
    trains: RegisteredApp,
}

fn settings(name: &str) -> AppSettings {
    AppSettings { name: name.to_owned(), redirects: vec![REDIRECT.to_owned()] }
}

async fn stage() -> Stage {
    let world = world();
    let oauth = OauthService::new(world.accounts.clone(), ISSUER);
    let owner = world.join("nour").await;
    let trains = oauth.register_app(&actor(&owner), settings("مواعيد القطر"), true, None).await.unwrap();
    Stage { world, oauth, owner, trains }
}

fn request(app: AppId, scope: &str) -> String {
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(VERIFIER));
    format!(
        "response_type=code&client_id={app}&redirect_uri={REDIRECT}&scope={scope}&state=xyz\
         &code_challenge={challenge}&code_challenge_method=S256"
    )
}

fn client(app: &RegisteredApp) -> App {
    App { id: app.app.id.to_string(), secret: app.secret.clone(), from: Client::default() }
}

fn code_in(redirect: &str) -> Secret {
    let rest = redirect.split_once("code=").unwrap_or_else(|| panic!("no code in {redirect}")).1;
    Secret::new(rest.split('&').next().unwrap())
}

fn verifier() -> Secret {
    Secret::new(VERIFIER)
}

impl Stage {
    /// The code that the app gets when somebody lets it in.
    async fn code(&self, person: &LoggedIn, scope: &str) -> Secret {
        let redirect = self.oauth.authorize(&actor(person), &request(self.trains.app.id, scope), None).await.unwrap();
        assert!(redirect.starts_with(REDIRECT) && redirect.contains("state=xyz"));
        code_in(&redirect)
    }

    async fn exchange(&self, code: &Secret) -> Result<Issued> {
        self.oauth.exchange(&client(&self.trains), code, REDIRECT, &verifier()).await
    }

    async fn let_in(&self, person: &LoggedIn, scope: &str) -> Issued {
        self.exchange(&self.code(person, scope).await).await.unwrap()
    }

    async fn another(&self) -> RegisteredApp {
        self.oauth.register_app(&actor(&self.owner), settings("غيره"), true, None).await.unwrap()
    }

    /// Whether an access token of an app lets in.
    async fn lives(&self, access: &Secret) -> bool {
        self.world.accounts.admit(access).await.is_ok()
    }
}

#[tokio::test]
async fn an_app_acts_as_one_profile_within_what_it_was_given() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let issued = stage.let_in(&mona, "read:feed+write:posts+offline_access").await;
    let pass = stage.world.accounts.admit(&issued.access).await.unwrap();
    assert_eq!(pass.actor().profile(), Some(mona.member.profile));
    assert!(pass.may(Scopes::NONE).is_ok() && pass.may(Scopes::READ_FEED.with(Scopes::WRITE_POSTS)).is_ok());
    for more in [Scopes::NOTIFICATIONS, Scopes::CLOSED, Scopes::READ_FEED.with(Scopes::WRITE_FOLLOWS)] {
        assert_eq!(refusal::<_, OauthRefusal>(pass.may(more)), OauthRefusal::ScopeMissing);
    }
    let naked = stage.world.accounts.authenticate(&issued.access).await;
    assert_eq!(refusal::<_, OauthRefusal>(naked), OauthRefusal::ScopeMissing, "who asks no scope lets no app in");
    let house = stage.world.accounts.admit(&mona.tokens.access).await.unwrap();
    assert!(house.may(Scopes::CLOSED).is_ok() && house.granted().is_none());
    let enter = |pass| stage.world.ports.activity.enter(pass).is_some();
    assert!(
        enter(&house) && !enter(&pass) && !enter(&Pass::ANONYMOUS),
        "who listens is there, an app says nothing of it"
    );

    let next = stage.oauth.refresh(&client(&stage.trains), issued.refresh.as_ref().unwrap(), None).await.unwrap();
    assert_eq!((next.scopes, stage.lives(&next.access).await), (issued.scopes, true));
    assert_eq!(stage.world.accounts.sessions(&actor(&mona)).await.unwrap().len(), 1, "it is no device of hers");
    let connected = stage.oauth.connected_apps(&actor(&mona)).await.unwrap();
    assert_eq!((connected.len(), connected[0].grant.scopes), (1, issued.scopes));
    let seen = stage.world.events("apps").await;
    assert!(seen.contains(&"account.v1.app_connected".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn without_staying_connected_there_is_no_refresh_and_the_session_is_short() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let issued = stage.let_in(&mona, "read:feed").await;
    assert_eq!((issued.refresh.is_none(), issued.id_token.is_none()), (true, true));
    stage.world.advance(stage.world.ports.settings.access_token_life);
    assert!(!stage.lives(&issued.access).await);
}

#[tokio::test]
async fn consent_is_remembered_and_told_once() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let ask = async |scope: &str| stage.oauth.asked(&actor(&mona), &request(stage.trains.app.id, scope)).await.unwrap();
    assert!(!ask("read:feed").await.1);
    stage.code(&mona, "read:feed").await;
    stage.code(&mona, "read:feed").await;
    assert!(ask("read:feed").await.1 && !ask("read:feed+write:posts").await.1);
    let told = |lines: Vec<String>| lines.iter().filter(|line| line.starts_with("app.connected")).count();
    assert_eq!(told(stage.world.audit()), 1);
    stage.code(&mona, "write:posts").await;
    assert_eq!(told(stage.world.audit()), 2, "more is told again");
    assert!(ask("read:feed+write:posts").await.1);
    let (asked, _) = ask("read:feed").await;
    let refused = stage.oauth.refusal(&asked);
    assert_eq!(refused, format!("{REDIRECT}?error=access_denied&state=xyz&iss=https%3A%2F%2Fdaira.example"));
}

#[tokio::test]
async fn letting_in_twice_under_a_key_is_once() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let (key, query) = (IdempotencyKey::new("k").unwrap(), request(stage.trains.app.id, "read:feed"));
    let first = stage.oauth.authorize(&actor(&mona), &query, Some(key.clone())).await.unwrap();
    assert_eq!(stage.oauth.authorize(&actor(&mona), &query, Some(key)).await.unwrap(), first);
}

#[tokio::test]
async fn security_25_a_code_is_good_once_and_a_copy_ends_what_it_gave() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let before = stage.let_in(&mona, "read:feed").await;
    let code = stage.code(&mona, "read:feed+offline_access").await;
    let issued = stage.exchange(&code).await.unwrap();
    assert_eq!(refusal::<_, OauthRefusal>(stage.exchange(&code).await), OauthRefusal::GrantInvalid);
    assert!(!stage.lives(&issued.access).await && stage.lives(&before.access).await, "what it gave, and no more");
    let refresh = stage.oauth.refresh(&client(&stage.trains), issued.refresh.as_ref().unwrap(), None).await;
    assert_eq!(refusal::<_, OauthRefusal>(refresh), OauthRefusal::GrantInvalid);
    assert_eq!(
        refusal::<_, OauthRefusal>(stage.exchange(&code).await),
        OauthRefusal::GrantInvalid,
        "as often as it comes"
    );
    assert!(stage.exchange(&stage.code(&mona, "read:feed").await).await.is_ok(), "an answer may have been lost");
    assert!(stage.world.accounts.authenticate(&mona.tokens.access).await.is_ok(), "and stays logged in herself");
}

#[tokio::test]
async fn security_25_a_code_is_for_its_app_address_verifier_and_minute() {
    let stage = stage().await;
    let (mona, other) = (stage.world.join("mona").await, stage.another().await);
    let code = stage.code(&mona, "read:feed").await;
    let invalid = |outcome: Result<Issued>| assert_eq!(refusal::<_, OauthRefusal>(outcome), OauthRefusal::GrantInvalid);
    let trains = client(&stage.trains);
    invalid(stage.oauth.exchange(&client(&other), &code, REDIRECT, &verifier()).await);
    invalid(stage.oauth.exchange(&trains, &code, "https://trains.example/cb2", &verifier()).await);
    let guess = Secret::new("x".repeat(43));
    invalid(stage.oauth.exchange(&trains, &code, REDIRECT, &guess).await);
    let challenge = Secret::new(BASE64URL_NOPAD.encode(&Sha256::digest(VERIFIER)));
    invalid(stage.oauth.exchange(&trains, &code, REDIRECT, &challenge).await);
    invalid(stage.oauth.exchange(&trains, &code, REDIRECT, &Secret::new("")).await);
    let text = code.expose();
    let bent = if text.ends_with('A') { "B" } else { "A" };
    for forged in [format!("{}{bent}", &text[..text.len() - 8]), format!("{}{bent}BBBBBBB", &text[..text.len() - 8])] {
        invalid(stage.oauth.exchange(&trains, &Secret::new(forged), REDIRECT, &verifier()).await);
    }
    assert!(stage.exchange(&code).await.is_ok(), "none of that spent it");
    let late = stage.code(&mona, "read:feed").await;
    stage.world.advance(Duration::from_mins(1));
    invalid(stage.exchange(&late).await);
}

#[tokio::test]
async fn security_25_refresh_tokens_of_apps_are_spent_and_a_copy_ends_the_grant() {
    let stage = stage().await;
    let (mona, trains) = (stage.world.join("mona").await, client(&stage.trains));
    let first = stage.let_in(&mona, "read:feed+offline_access").await;
    let second_device = stage.let_in(&mona, "read:feed+offline_access").await;
    let spent = first.refresh.unwrap();
    let next = stage.oauth.refresh(&trains, &spent, None).await.unwrap();
    let again = stage.oauth.refresh(&trains, &spent, None).await.unwrap();
    assert_eq!(next.refresh, again.refresh, "a lost answer is forgiven");
    assert!(stage.lives(&next.access).await);
    stage.world.advance(Duration::from_mins(1));
    let copy = stage.oauth.refresh(&trains, &spent, None).await;
    assert_eq!(refusal::<_, OauthRefusal>(copy), OauthRefusal::GrantInvalid);
    assert!(!stage.lives(&next.access).await && !stage.lives(&second_device.access).await);
    assert!(stage.oauth.connected_apps(&actor(&mona)).await.unwrap().is_empty());
    let lines = stage.world.audit();
    assert!(lines.contains(&"session.revoked refresh_reused".to_owned()), "its owner is told: {lines:?}");
}

#[tokio::test]
async fn security_22_tokens_of_apps_and_of_the_house_do_not_stand_for_each_other() {
    let stage = stage().await;
    let (mona, trains, other) = (stage.world.join("mona").await, client(&stage.trains), stage.another().await);
    let issued = stage.let_in(&mona, "read:feed+offline_access").await;
    let refresh = issued.refresh.unwrap();
    assert!(is_invalid(stage.world.accounts.refresh(&Client::default(), &refresh).await), "an app's in the house");
    for (who, token) in [(&client(&other), &refresh), (&trains, &mona.tokens.refresh), (&trains, &issued.access)] {
        let outcome = stage.oauth.refresh(who, token, None).await;
        assert_eq!(refusal::<_, OauthRefusal>(outcome), OauthRefusal::GrantInvalid);
    }
    stage.world.accounts.log_out_with(&refresh).await.unwrap();
    assert!(stage.lives(&issued.access).await, "nor is it logged out there");
    stage.oauth.revoke(&client(&other), &refresh).await.unwrap();
    stage.oauth.revoke(&trains, &mona.tokens.refresh).await.unwrap();
    stage.oauth.revoke(&trains, &mona.tokens.access).await.unwrap();
    assert!(stage.lives(&issued.access).await && stage.lives(&mona.tokens.access).await, "nobody ends another's");
    assert!(stage.oauth.refresh(&trains, &refresh, None).await.is_ok());
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_and_never_for_more() {
    let stage = stage().await;
    let (mona, trains) = (stage.world.join("mona").await, client(&stage.trains));
    stage.let_in(&mona, "write:posts").await;
    let issued = stage.let_in(&mona, "read:feed+notifications+offline_access").await;
    let refresh = issued.refresh.unwrap();
    for more in ["read:feed write:posts", "write:posts", "nonsense"] {
        let outcome = stage.oauth.refresh(&trains, &refresh, Some(more)).await;
        assert_eq!(refusal::<_, OauthRefusal>(outcome), OauthRefusal::ScopeInvalid, "{more}: consent is no token");
    }
    let less = stage.oauth.refresh(&trains, &refresh, Some("read:feed")).await.unwrap();
    let pass = stage.world.accounts.admit(&less.access).await.unwrap();
    assert!(pass.may(Scopes::READ_FEED).is_ok() && pass.may(Scopes::NOTIFICATIONS).is_err());
    let whole = stage.oauth.refresh(&trains, less.refresh.as_ref().unwrap(), None).await.unwrap();
    assert_eq!(whole.scopes, issued.scopes, "less was for that token alone");
}

#[tokio::test]
async fn security_28_shutting_an_app_out_ends_its_tokens_at_once_on_every_node() {
    let stage = stage().await;
    let (mona, omar) = (stage.world.join("mona").await, stage.world.join("omar").await);
    let [hers, his] = [stage.let_in(&mona, "read:feed+offline_access").await, stage.let_in(&omar, "read:feed").await];
    let node = AccountService::new(stage.world.ports.clone());
    node.poll_revocations().await.unwrap();
    let pass = node.admit(&hers.access).await.unwrap();
    let app = stage.trains.app.id;
    assert!(!stage.oauth.disconnect(&actor(&omar), app, Some(mona.member.profile), None).await.unwrap_or(false));
    assert!(stage.lives(&hers.access).await, "not his to shut out");
    assert!(stage.oauth.disconnect(&actor(&mona), app, None, None).await.unwrap());
    assert!(!stage.oauth.disconnect(&actor(&mona), app, None, None).await.unwrap());
    assert!(!stage.lives(&hers.access).await && stage.lives(&his.access).await);
    node.poll_revocations().await.unwrap();
    let over = node.check(&pass).await;
    assert_eq!(refusal::<_, AccountRefusal>(over), AccountRefusal::SessionEnded, "what it holds open is closed");
    let again = stage.oauth.refresh(&client(&stage.trains), &hers.refresh.unwrap(), None).await;
    assert_eq!(refusal::<_, OauthRefusal>(again), OauthRefusal::GrantInvalid);
    let code = stage.code(&mona, "read:feed").await;
    stage.oauth.disconnect(&actor(&mona), app, None, None).await.unwrap();
    assert_eq!(refusal::<_, OauthRefusal>(stage.exchange(&code).await), OauthRefusal::GrantInvalid, "nor a code");
}

#[tokio::test]
async fn whatever_ends_all_sessions_ends_those_of_apps() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let first = stage.let_in(&mona, "read:feed+offline_access").await;
    let phone = stage.world.accounts.log_in(&Client::default(), logging_in("mona"), None).await;
    let phone = entered(phone).unwrap();
    stage.world.accounts.revoke_other_sessions(&actor(&mona), None).await.unwrap();
    assert!(!stage.lives(&first.access).await);
    let query = request(stage.trains.app.id, "read:feed");
    let ended = stage.oauth.authorize(&actor(&phone), &query, None).await;
    assert_eq!(refusal::<_, AccountRefusal>(ended), AccountRefusal::SessionEnded, "what has ended lets nobody in");
    let phone = stage.world.accounts.log_in(&Client::default(), logging_in("mona"), None).await;
    let code = stage.code(&entered(phone).unwrap(), "read:feed").await;
    stage.world.accounts.revoke_other_sessions(&actor(&mona), None).await.unwrap();
    let late = stage.exchange(&code).await;
    assert_eq!(refusal::<_, OauthRefusal>(late), OauthRefusal::GrantInvalid, "nor does a code that it agreed to");
    let second = stage.let_in(&mona, "read:feed+offline_access").await;
    let code = stage.code(&mona, "read:feed").await;
    let later = stage.world.ports.clock.now() + Duration::from_hours(1);
    stage.world.set_state(mona.member, daira_core::account::AccountState::Suspended(later)).await;
    assert!(!stage.lives(&second.access).await);
    assert_eq!(refusal::<_, OauthRefusal>(stage.exchange(&code).await), OauthRefusal::GrantInvalid);
    let again = stage.oauth.refresh(&client(&stage.trains), &second.refresh.unwrap(), None).await;
    assert_eq!(refusal::<_, OauthRefusal>(again), OauthRefusal::GrantInvalid);
}

#[tokio::test]
async fn two_faces_are_two_strangers_to_an_app() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let shade = stage.world.accounts.create_profile(&actor(&mona), "zell", "ظل", None).await.unwrap();
    let (as_shade, _) = stage.world.accounts.switch_profile(&actor(&mona), shade, "", None).await.unwrap();
    let one = stage.let_in(&mona, "read:feed+offline_access").await;
    let query = request(stage.trains.app.id, "read:feed");
    let (_, agreed) = stage.oauth.asked(&Actor::Member(as_shade), &query).await.unwrap();
    assert!(!agreed, "what one face agreed to, the other did not");
    let redirect = stage.oauth.authorize(&Actor::Member(as_shade), &query, None).await.unwrap();
    let two = stage.exchange(&code_in(&redirect)).await.unwrap();
    let trains = client(&stage.trains);
    let seen = async |issued: &Issued| stage.oauth.introspect(&trains, &issued.access).await.unwrap().unwrap().profile;
    assert_eq!((seen(&one).await, seen(&two).await), (mona.member.profile, shade));
    assert_eq!(stage.oauth.connected_apps(&actor(&mona)).await.unwrap().len(), 2, "their owner sees both");
    assert!(stage.oauth.disconnect(&actor(&mona), stage.trains.app.id, Some(shade), None).await.unwrap());
    assert!(stage.lives(&one.access).await && !stage.lives(&two.access).await);
}

#[tokio::test]
async fn an_app_proves_itself_by_its_latest_secret_and_is_its_owners() {
    let stage = stage().await;
    let (mona, owner) = (stage.world.join("mona").await, actor(&stage.owner));
    let (app, old) = (stage.trains.app.id, client(&stage.trains));
    let other = stage.another().await;
    for wrong in [None, Some(Secret::new("das_x")), other.secret.clone()] {
        let outcome = stage.oauth.introspect(&App { secret: wrong, ..old.clone() }, &mona.tokens.access).await;
        assert_eq!(refusal::<_, OauthRefusal>(outcome), OauthRefusal::ClientInvalid);
    }
    for (name, refused) in [("", OauthRefusal::NameInvalid), ("a\u{202e}b", OauthRefusal::ForbiddenCharacter)] {
        let outcome = stage.oauth.update_app(&owner, app, settings(name), None).await;
        assert_eq!(refusal::<_, OauthRefusal>(outcome), refused);
    }
    let nowhere = AppSettings { name: "x".to_owned(), redirects: vec!["http://trains.example/cb".to_owned()] };
    let outcome = stage.oauth.register_app(&owner, nowhere, false, None).await;
    assert_eq!(refusal::<_, OauthRefusal>(outcome), OauthRefusal::RedirectsInvalid);
    assert!(stage.oauth.rotate_secret(&actor(&mona), app, None).await.is_err(), "hers alone");
    let fresh = stage.oauth.rotate_secret(&owner, app, None).await.unwrap();
    let code = stage.code(&mona, "read:feed").await;
    let outcome = stage.oauth.exchange(&old, &code, REDIRECT, &verifier()).await;
    assert_eq!(refusal::<_, OauthRefusal>(outcome), OauthRefusal::ClientInvalid);
    let issued = stage.oauth.exchange(&client(&fresh), &code, REDIRECT, &verifier()).await.unwrap();
    let public = stage.oauth.register_app(&owner, settings("موبايل"), false, None).await.unwrap();
    assert_eq!(public.secret, None);
    let rotated = stage.oauth.rotate_secret(&owner, public.app.id, None).await;
    assert_eq!(refusal::<_, OauthRefusal>(rotated), OauthRefusal::NoSecret);
    let asks = stage.oauth.introspect(&client(&public), &issued.access).await;
    assert_eq!(refusal::<_, OauthRefusal>(asks), OauthRefusal::ClientInvalid, "anybody could say to be it");
    assert_eq!(stage.oauth.introspect(&client(&other), &issued.access).await.unwrap(), None, "not its own");
    stage.oauth.delete_app(&owner, app, None).await.unwrap();
    let outcome = stage.oauth.request(&request(app, "read:feed")).await;
    assert_eq!(refusal::<_, OauthRefusal>(outcome), OauthRefusal::AppUnknown);
    assert_eq!(stage.oauth.apps(&owner).await.unwrap().len(), 2);
}

#[tokio::test]
async fn tokens_are_looked_into_and_given_back_by_their_app() {
    let stage = stage().await;
    let (mona, trains) = (stage.world.join("mona").await, client(&stage.trains));
    let issued = stage.let_in(&mona, "read:feed+offline_access").await;
    let refresh = issued.refresh.unwrap();
    for token in [&issued.access, &refresh] {
        let seen = stage.oauth.introspect(&trains, token).await.unwrap().unwrap();
        assert_eq!((seen.profile, seen.scopes), (mona.member.profile, issued.scopes));
    }
    for none in [&mona.tokens.access, &mona.tokens.refresh, &Secret::new("drt_"), &Secret::new("")] {
        assert_eq!(stage.oauth.introspect(&trains, none).await.unwrap(), None);
        stage.oauth.revoke(&trains, none).await.unwrap();
    }
    stage.oauth.revoke(&trains, &refresh).await.unwrap();
    for token in [&issued.access, &refresh] {
        assert_eq!(stage.oauth.introspect(&trains, token).await.unwrap(), None);
    }
    assert_eq!(stage.oauth.connected_apps(&actor(&mona)).await.unwrap().len(), 1, "what she agreed to stays");
}

#[tokio::test]
async fn an_app_may_want_a_fresh_proof_and_the_restricted_let_nobody_in() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    stage.world.advance(Duration::from_mins(5));
    let query = |more: &str| format!("{}{more}", request(stage.trains.app.id, "read:feed"));
    for more in ["&max_age=60", "&prompt=login"] {
        let outcome = stage.oauth.authorize(&actor(&mona), &query(more), None).await;
        assert_eq!(refusal::<_, AccountRefusal>(outcome), AccountRefusal::ProofNeeded, "{more}");
    }
    stage.oauth.authorize(&actor(&mona), &query("&max_age=600"), None).await.unwrap();
    stage.world.accounts.reauthenticate(&actor(&mona), &Secret::new(PASSWORD), None).await.unwrap();
    stage.oauth.authorize(&actor(&mona), &query("&prompt=login"), None).await.unwrap();
    stage.world.set_state(mona.member, daira_core::account::AccountState::Restricted).await;
    let outcome = stage.oauth.authorize(&actor(&mona), &query(""), None).await;
    assert_eq!(refusal::<_, AccountRefusal>(outcome), AccountRefusal::Restricted);
    let stranger = stage.oauth.authorize(&Actor::Anonymous, &query(""), None).await;
    assert!(stranger.is_err());
}

#[tokio::test]
async fn an_app_that_would_stay_takes_a_fresh_proof_once() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let phone = stage.oauth.register_app(&actor(&stage.owner), settings("موبايل"), false, None).await.unwrap();
    stage.world.advance(stage.world.ports.settings.proof_life);
    let ask = async |app: AppId| {
        let query = request(app, "read:feed+offline_access");
        stage.oauth.authorize(&actor(&mona), &query, None).await
    };
    for app in [stage.trains.app.id, phone.app.id] {
        assert_eq!(refusal::<_, AccountRefusal>(ask(app).await), AccountRefusal::ProofNeeded);
    }
    stage.world.accounts.reauthenticate(&actor(&mona), &Secret::new(PASSWORD), None).await.unwrap();
    for app in [stage.trains.app.id, phone.app.id] {
        ask(app).await.unwrap();
    }
    stage.world.advance(stage.world.ports.settings.proof_life);
    ask(stage.trains.app.id).await.unwrap();
    assert_eq!(
        refusal::<_, AccountRefusal>(ask(phone.app.id).await),
        AccountRefusal::ProofNeeded,
        "it proves nothing itself"
    );
    let asked = stage.oauth.asked(&actor(&mona), &request(phone.app.id, "read:feed")).await.unwrap();
    assert!(!asked.1, "so somebody is asked each time");
}

#[tokio::test]
async fn the_apps_of_somebody_who_is_shut_out_are_let_in_no_more() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let issued = stage.let_in(&mona, "read:feed+offline_access").await;
    stage.world.set_state(stage.owner.member, daira_core::account::AccountState::Banned).await;
    let query = request(stage.trains.app.id, "read:feed");
    assert_eq!(refusal::<_, OauthRefusal>(stage.oauth.request(&query).await), OauthRefusal::AppUnknown);
    let refresh = issued.refresh.unwrap();
    let outcome = stage.oauth.refresh(&client(&stage.trains), &refresh, None).await;
    assert_eq!(refusal::<_, OauthRefusal>(outcome), OauthRefusal::ClientInvalid);
    assert_eq!(
        stage.oauth.connected_apps(&actor(&mona)).await.unwrap().len(),
        1,
        "to be shut out by whoever let it in"
    );
}

#[cfg(feature = "credential")]
#[tokio::test]
async fn a_deleted_app_and_one_of_an_erased_owner_are_shut_out_and_that_is_told() {
    let stage = stage().await;
    let mona = stage.world.join("mona").await;
    let issued = stage.let_in(&mona, "read:feed+offline_access").await;
    assert_eq!(close_dead_apps(&stage.world.accounts, None).await.unwrap(), 0);
    stage.oauth.delete_app(&actor(&stage.owner), stage.trains.app.id, None).await.unwrap();
    assert_eq!(close_dead_apps(&stage.world.accounts, None).await.unwrap(), 1);
    assert!(!stage.lives(&issued.access).await);
    assert!(stage.oauth.connected_apps(&actor(&mona)).await.unwrap().is_empty());
    let told = |seen: &[String]| seen.iter().filter(|event| *event == "account.v1.app_disconnected").count();
    assert_eq!(told(&stage.world.events("apps").await), 1);

    let stage = self::stage().await;
    let mona = stage.world.join("mona").await;
    stage.let_in(&mona, "read:feed+offline_access").await;
    stage.world.accounts.request_deletion(&actor(&stage.owner), None).await.unwrap();
    stage.world.advance(stage.world.grace());
    assert_eq!(stage.world.accounts.erase_due().await.unwrap(), 1);
    assert!(stage.oauth.connected_apps(&actor(&mona)).await.unwrap().is_empty());
    assert_eq!(told(&stage.world.events("apps").await), 1);
}

#[tokio::test]
async fn security_22_an_id_token_opens_nothing_and_names_its_app_and_nonce() {
    use daira_core::credential::{JwtSigner, generate_signing_key};
    let key = generate_signing_key(&RandomIds);
    let world = world_with(|ports| ports.signer = Arc::new(JwtSigner::new("daira", "daira", &key).unwrap()));
    let oauth = OauthService::new(world.accounts.clone(), ISSUER);
    let mona = world.join("mona").await;
    let trains = oauth.register_app(&actor(&mona), settings("قطر"), true, None).await.unwrap();
    let query = format!("{}&nonce=n-1", request(trains.app.id, "openid+read:profile"));
    let redirect = oauth.authorize(&actor(&mona), &query, None).await.unwrap();
    let issued = oauth.exchange(&client(&trains), &code_in(&redirect), REDIRECT, &verifier()).await.unwrap();
    let id_token = issued.id_token.unwrap();
    assert!(is_invalid(world.accounts.admit(&id_token).await));
    let body = id_token.expose().split('.').nth(1).unwrap().to_owned();
    let body = String::from_utf8(BASE64URL_NOPAD.decode(body.as_bytes()).unwrap()).unwrap();
    for part in
        [format!("\"aud\":\"{}\"", trains.app.id), format!("\"iss\":\"{ISSUER}\""), "\"nonce\":\"n-1\"".to_owned()]
    {
        assert!(body.contains(&part), "{part} in {body}");
    }
    let pass = world.accounts.admit(&issued.access).await.unwrap();
    let info = oauth.user_info(&pass).await.unwrap();
    assert_eq!((info.profile, info.shown.unwrap().handle.as_str()), (mona.member.profile, "mona"));
}
