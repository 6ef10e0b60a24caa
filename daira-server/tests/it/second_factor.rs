//! Second factors over both transports: set up, asked for, proved once more, taken away.

use daira_core::account::factor::{self, SECRET};
use daira_core::proto::account::v1::{
    BeginAuthenticatorRequest, ConfirmAuthenticatorRequest, GetSecondFactorRequest, LogInRequest,
    ReauthenticateRequest, RemoveAuthenticatorRequest, RenewRecoveryCodesRequest, VerifySecondFactorRequest,
};
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::{Value, json};
use tonic::Code;

use crate::grpc::{LONG, by, clients, reason};
use crate::harness::Stage;
use crate::real::Real;

const PASSWORD: &str = "kahraba nour shams";

/// Digits that are good now and were not taken yet: what was taken by then were those of the present half minute.
fn next(stage: &Stage, secret: &[u8; SECRET]) -> String {
    factor::digits(secret, stage.ports.clock.now().as_seconds() / 30 + 1).expose().to_owned()
}

fn log_in() -> Value {
    json!({ "email": "mona@example.com", "password": PASSWORD, "device": "Phone" })
}

#[tokio::test]
async fn a_second_factor_is_set_up_asked_for_and_taken_away() {
    set_up_and_taken_away(&Stage::new()).await;
}

#[tokio::test]
async fn a_second_factor_is_set_up_asked_for_and_taken_away_on_postgresql() {
    set_up_and_taken_away(&*Real::on(Server::Pg18, HttpSettings::default()).await).await;
}

async fn set_up_and_taken_away(stage: &Stage) {
    let mona = stage.join("mona").await;
    let guards = "{ me { secondFactor { authenticatorSince recoveryCodesLeft } } }";
    let none = json!({ "authenticatorSince": null, "recoveryCodesLeft": 0 });
    assert_eq!(stage.ask_as(&mona, guards).await.data("/me/secondFactor"), none);
    let secret = stage.guard(&mona).await;
    assert_eq!(stage.ask_as(&mona, guards).await.data("/me/secondFactor/recoveryCodesLeft"), 10);

    let entered = "tokens { accessToken } profile { id } deviceToken";
    let first = stage.done(None, "logIn", log_in(), &format!("secondFactor {{ challenge expiresAt }} {entered}")).await;
    assert_eq!(
        (&first["tokens"], &first["profile"], &first["deviceToken"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let challenge = first["secondFactor"]["challenge"].clone();
    let with = |code: &str| json!({ "challenge": challenge, "code": code });
    let wrong = stage.tried(None, "verifySecondFactor", with("000000x"), entered).await;
    let told = json!({ "code": "account.code_invalid", "field": "code", "message": "This code is wrong or has expired.", "retryAfter": null, "currentVersion": null });
    assert_eq!((&wrong["userErrors"][0], &wrong["tokens"]), (&told, &Value::Null));
    let digits = next(stage, &secret);
    let inside = stage.done(None, "verifySecondFactor", with(&digits), entered).await;
    assert_eq!(inside["profile"]["id"], mona.id);
    assert!(inside["tokens"]["accessToken"].is_string() && inside["deviceToken"].is_string());
    let again = stage.tried(None, "verifySecondFactor", with(&digits), entered).await;
    assert_eq!(again["userErrors"][0], told, "once");

    let renewed = stage.done(Some(&mona), "renewRecoveryCodes", json!({}), "recoveryCodes").await;
    let code = renewed["recoveryCodes"][0].as_str().unwrap();
    let proof = json!({ "password": PASSWORD });
    let needed = stage.refused(&mona, "reauthenticate", proof.clone()).await;
    assert_eq!(needed, "auth.second_factor_needed");
    let proof = json!({ "password": PASSWORD, "code": code });
    let proved = stage.done(Some(&mona), "reauthenticate", proof, "provenUntil").await;
    assert!(proved["provenUntil"].is_string());
    let gone = stage.done(Some(&mona), "removeAuthenticator", json!({}), "changed").await;
    assert_eq!(gone["changed"], true);
    stage.settle().await;
    assert!(stage.mail_for("mona@example.com").contains("بكلمة السر بس"), "the owner is told");
    let plain = stage.done(None, "logIn", log_in(), entered).await;
    assert!(plain["tokens"]["accessToken"].is_string());
}

#[tokio::test]
async fn a_second_factor_over_grpc() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let mut accounts = clients(&server).await.accounts;
    let begun =
        accounts.begin_authenticator(by(&mona, BeginAuthenticatorRequest::default())).await.unwrap().into_inner();
    assert!(begun.address.starts_with("otpauth://totp/DAIRA:mona%40example.com?secret="));
    let secret = data_encoding::BASE32_NOPAD.decode(begun.secret.as_bytes()).unwrap().try_into().unwrap();
    let digits = factor::digits(&secret, stage.ports.clock.now().as_seconds() / 30).expose().to_owned();
    let confirm = ConfirmAuthenticatorRequest { code: digits, ..Default::default() };
    let codes = accounts.confirm_authenticator(by(&mona, confirm)).await.unwrap().into_inner().recovery_codes;
    assert_eq!(codes.len(), 10);
    let status = accounts.get_second_factor(by(&mona, GetSecondFactorRequest {})).await.unwrap().into_inner();
    assert!(status.recovery_codes_left == 10 && !status.authenticator_since.is_empty());

    let input =
        LogInRequest { email: "mona@example.com".to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    let first = accounts.log_in(input).await.unwrap().into_inner();
    assert!(first.tokens.is_none() && first.profile_id.is_empty() && first.device_token.is_empty());
    let challenge = first.second_factor.unwrap().challenge;
    let with = |code: &str| VerifySecondFactorRequest {
        challenge: challenge.clone(),
        code: code.to_owned(),
        ..Default::default()
    };
    let refused = accounts.verify_second_factor(with("000000x")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::InvalidArgument, "account.code_invalid".to_owned()));
    let inside = accounts.verify_second_factor(with(&codes[0])).await.unwrap().into_inner();
    assert_eq!(inside.profile_id, mona.id);
    let made_up = VerifySecondFactorRequest { challenge: "dsf_AAAA".to_owned(), ..with(&codes[1]) };
    let refused = accounts.verify_second_factor(made_up).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::Unauthenticated, "auth.challenge_invalid".to_owned()));

    let renewed = accounts.renew_recovery_codes(by(&mona, RenewRecoveryCodesRequest::default())).await.unwrap();
    let code = renewed.into_inner().recovery_codes[0].clone();
    let proof = ReauthenticateRequest { password: PASSWORD.to_owned(), code, ..Default::default() };
    assert!(!accounts.reauthenticate(by(&mona, proof)).await.unwrap().into_inner().proven_until.is_empty());
    let gone = accounts.remove_authenticator(by(&mona, RemoveAuthenticatorRequest::default())).await.unwrap();
    assert!(gone.into_inner().changed);
}
