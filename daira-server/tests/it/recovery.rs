//! Passwords and addresses over both transports: with what the mail holds, and what is over when it is done.

use daira_core::proto::account::v1::{
    ChangeEmailRequest, ChangePasswordRequest, ConfirmEmailRequest, RequestPasswordResetRequest, ResetPasswordRequest,
};
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::json;
use tonic::Code;

use crate::grpc::{LONG, by, clients, reason};
use crate::harness::Stage;
use crate::real::Real;

const OLD: &str = "kahraba nour shams";
const NEW: &str = "fasolia beida w ta3m";

/// The token in the latest mail to an address.
fn token_for(stage: &Stage, email: &str) -> String {
    let text = stage.mail_for(email);
    text.split_whitespace().find(|word| word.starts_with("drp_")).expect("a token in the mail").to_owned()
}

#[tokio::test]
async fn a_lost_password_is_replaced_and_whoever_was_in_is_out() {
    a_lost_password(&Stage::new()).await;
}

#[tokio::test]
async fn a_lost_password_is_replaced_on_postgresql() {
    a_lost_password(&*Real::on(Server::Pg18, HttpSettings::default()).await).await;
}

async fn a_lost_password(stage: &Stage) {
    let mona = stage.join("mona").await;
    let asked = stage.done(None, "requestPasswordReset", json!({ "email": "mona@example.com" }), "sent").await;
    let nobody = stage.done(None, "requestPasswordReset", json!({ "email": "nobody@example.com" }), "sent").await;
    assert_eq!(asked, nobody, "the mail tells");
    stage.settle().await;
    let input = json!({ "token": token_for(stage, "mona@example.com"), "password": NEW });
    stage.done(None, "resetPassword", input.clone(), "changed").await;
    assert_eq!(
        stage.ask_as(&mona, "{ me { profile { id } } }").await.code(),
        "auth.token_invalid",
        "at once, on this node"
    );
    let again = stage.tried(None, "resetPassword", input, "changed").await;
    assert_eq!(
        (&again["userErrors"][0]["code"], &again["userErrors"][0]["field"]),
        (&json!("account.reset_invalid"), &json!("token"))
    );
    stage.settle().await;
    assert!(stage.mail_for("mona@example.com").contains("اتغيّرت"), "the owner is told");
    let log_in = |password: &str| json!({ "email": "mona@example.com", "password": password });
    stage.done(None, "logIn", log_in(NEW), "profile { handle }").await;
    let old = stage.tried(None, "logIn", log_in(OLD), "profile { handle }").await;
    assert_eq!(old["userErrors"][0]["code"], "auth.invalid_credentials");
}

#[tokio::test]
async fn security_15_nobody_sets_a_password_but_its_owner() {
    let stage = Stage::new();
    let (mona, omar) = (stage.join("mona").await, stage.join("omar").await);
    let change = json!({ "currentPassword": OLD, "password": NEW });
    let payload = stage.done(Some(&mona), "changePassword", change, "endedSessions").await;
    assert_eq!(payload["endedSessions"], 0);
    assert_eq!(stage.ask_as(&mona, "{ me { profile { id } } }").await.status, 200, "who changes it stays");
    let change = json!({ "currentPassword": NEW, "password": "a third good one" });
    let refused = stage.tried(Some(&omar), "changePassword", change, "endedSessions").await;
    assert_eq!(refused["userErrors"][0]["field"], "currentPassword");
}

#[tokio::test]
async fn security_25_the_owner_is_told_when_a_copy_of_a_token_ends_their_session() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let tokens = "tokens { accessToken refreshToken }";
    let refresh =
        async |token: &str| stage.tried(None, "refreshSession", json!({ "refreshToken": token }), tokens).await;
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let second = text(&refresh(&mona.refresh).await["tokens"]["refreshToken"]);
    let third = refresh(&second).await["tokens"].clone();
    for token in [&mona.refresh, &text(&third["refreshToken"])] {
        assert_eq!(refresh(token).await["userErrors"][0]["code"], "auth.token_invalid");
    }
    stage.settle().await;
    assert!(stage.mail_for("mona@example.com").contains("نسخة قديمة"), "{}", stage.mail_for("mona@example.com"));
}

#[tokio::test]
async fn the_same_over_grpc() {
    over_grpc(&Stage::new()).await;
}

#[tokio::test]
async fn the_same_over_grpc_on_postgresql() {
    over_grpc(&*Real::on(Server::Pg15, HttpSettings::default()).await).await;
}

async fn over_grpc(stage: &Stage) {
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let mut accounts = clients(&server).await.accounts;

    let (email, current_password) = ("mona@new.example".to_owned(), OLD.to_owned());
    let wish = ChangeEmailRequest { email: email.clone(), current_password, ..Default::default() };
    let challenge_id = accounts.change_email(by(&mona, wish)).await.unwrap().into_inner().challenge_id;
    stage.settle().await;
    let confirm = |code: &str| ConfirmEmailRequest {
        challenge_id: challenge_id.clone(),
        code: code.to_owned(),
        ..Default::default()
    };
    let wrong = accounts.confirm_email(by(&mona, confirm("12"))).await.unwrap_err();
    assert_eq!((wrong.code(), reason(&wrong).as_str()), (Code::InvalidArgument, "account.code_invalid"));
    accounts.confirm_email(by(&mona, confirm(&stage.code_for(&email)))).await.unwrap();
    stage.settle().await;
    assert!(stage.mail_for("mona@example.com").contains("مابقاش"), "the old address is told");

    let wish = |current: &str, new: &str| ChangePasswordRequest {
        current_password: current.to_owned(),
        password: new.to_owned(),
        ..Default::default()
    };
    let wrong = accounts.change_password(by(&mona, wish("shai bel na3na3", NEW))).await.unwrap_err();
    assert_eq!((wrong.code(), reason(&wrong).as_str()), (Code::Unauthenticated, "auth.invalid_credentials"));
    assert_eq!(accounts.change_password(by(&mona, wish(OLD, NEW))).await.unwrap().into_inner().ended_sessions, 0);

    accounts
        .request_password_reset(RequestPasswordResetRequest { email: email.clone(), ..Default::default() })
        .await
        .unwrap();
    stage.settle().await;
    let reset =
        ResetPasswordRequest { token: token_for(stage, &email), password: OLD.to_owned(), ..Default::default() };
    accounts.reset_password(reset.clone()).await.unwrap();
    let again = accounts.reset_password(reset).await.unwrap_err();
    assert_eq!((again.code(), reason(&again).as_str()), (Code::InvalidArgument, "account.reset_invalid"));
}
