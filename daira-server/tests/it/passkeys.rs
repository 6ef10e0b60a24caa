//! Passkeys over both transports.

use daira_core::memory::{MemoryAuthenticator, RandomIds};
use daira_core::proto::account::v1::{
    AddPasskeyRequest, BeginPasskeyLogInRequest, BeginPasskeyProofRequest, BeginPasskeyRequest, ListPasskeysRequest,
    LogInWithPasskeyRequest, ProveWithPasskeyRequest, RemovePasskeyRequest, RenamePasskeyRequest,
};
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::{Value, json};
use tonic::Code;

use crate::grpc::{LONG, by, clients, reason};
use crate::harness::Stage;
use crate::real::Real;

const BEGUN: &str = "ceremony options expiresAt";
const ENTERED: &str = "tokens { accessToken } profile { id } deviceToken";

fn answered(begun: &Value, answer: impl FnOnce(&str) -> daira_core::secret::Secret) -> Value {
    json!({ "ceremony": begun["ceremony"], "answer": answer(begun["options"].as_str().unwrap()).expose() })
}

#[tokio::test]
async fn a_passkey_is_made_used_named_and_removed() {
    made_used_and_removed(&Stage::new()).await;
}

#[tokio::test]
async fn a_passkey_is_made_used_named_and_removed_on_postgresql() {
    made_used_and_removed(&*Real::on(Server::Pg15, HttpSettings::default()).await).await;
}

async fn made_used_and_removed(stage: &Stage) {
    let (mona, phone) = (stage.join("mona").await, MemoryAuthenticator::new(&RandomIds));
    let begun = stage.done(Some(&mona), "beginPasskey", json!({}), BEGUN).await;
    let mut input = answered(&begun, |options| phone.create(options));
    input["name"] = json!("موبايل منى");
    let added = stage.done(Some(&mona), "addPasskey", input.clone(), "passkey { id name } recoveryCodes").await;
    assert_eq!(added["recoveryCodes"].as_array().unwrap().len(), 10);
    let again = stage.refused(&mona, "addPasskey", input).await;
    assert_eq!(again, "auth.challenge_invalid");
    let id = added["passkey"]["id"].clone();

    let begun = stage.done(None, "beginPasskeyLogIn", json!({}), BEGUN).await;
    let input = answered(&begun, |options| phone.sign(options));
    let inside = stage.done(None, "logInWithPasskey", input.clone(), ENTERED).await;
    assert_eq!(inside["profile"]["id"], mona.id);
    let again = stage.tried(None, "logInWithPasskey", input, ENTERED).await;
    assert_eq!((&again["userErrors"][0]["code"], &again["tokens"]), (&json!("auth.challenge_invalid"), &Value::Null));

    let log_in = json!({ "email": "mona@example.com", "password": "kahraba nour shams" });
    let first = stage
        .done(None, "logIn", log_in, "tokens { accessToken } secondFactor { challenge passkey authenticator }")
        .await;
    assert_eq!((&first["tokens"], &first["secondFactor"]["passkey"]), (&Value::Null, &json!(true)));
    let with = json!({ "challenge": first["secondFactor"]["challenge"] });
    let begun = stage.done(None, "beginPasskeyLogIn", with, BEGUN).await;
    let input = answered(&begun, |options| phone.sign(options));
    stage.done(None, "logInWithPasskey", input, ENTERED).await;

    let begun = stage.done(Some(&mona), "beginPasskeyProof", json!({}), BEGUN).await;
    let input = answered(&begun, |options| phone.sign(options));
    let proved = stage.done(Some(&mona), "proveWithPasskey", input, "provenUntil").await;
    assert!(proved["provenUntil"].is_string());
    stage.done(Some(&mona), "renamePasskey", json!({ "passkeyId": id, "name": "تليفون" }), "passkeyId").await;
    let mine =
        stage.ask_as(&mona, "{ me { passkeys { id name createdAt lastUsedAt } secondFactor { passkeys } } }").await;
    assert_eq!(mine.data("/me/passkeys/0/name"), "تليفون");
    assert!(mine.data("/me/passkeys/0/lastUsedAt").is_string() && mine.data("/me/secondFactor/passkeys") == 1);
    stage.done(Some(&mona), "removePasskey", json!({ "passkeyId": id }), "passkeyId").await;
    assert_eq!(stage.ask_as(&mona, "{ me { passkeys { id } } }").await.data("/me/passkeys"), json!([]));
    stage.settle().await;
    assert!(stage.mail_for("mona@example.com").contains("اتمسح مفتاح مرور"), "the owner is told");
}

#[tokio::test]
async fn passkeys_over_grpc() {
    let stage = Stage::new();
    let (mona, phone) = (stage.join("mona").await, MemoryAuthenticator::new(&RandomIds));
    let server = stage.grpc(LONG).await;
    let mut accounts = clients(&server).await.accounts;
    let begun = accounts.begin_passkey(by(&mona, BeginPasskeyRequest::default())).await.unwrap().into_inner();
    let add = AddPasskeyRequest {
        ceremony: begun.ceremony,
        answer: phone.create(&begun.options).expose().to_owned(),
        name: "phone".to_owned(),
        ..Default::default()
    };
    let added = accounts.add_passkey(by(&mona, add)).await.unwrap().into_inner();
    assert_eq!(added.recovery_codes.len(), 10);
    let passkey_id = added.passkey.unwrap().id;

    let begun = accounts.begin_passkey_log_in(BeginPasskeyLogInRequest::default()).await.unwrap().into_inner();
    let (ceremony, answer) = (begun.ceremony, phone.sign(&begun.options).expose().to_owned());
    let log_in = LogInWithPasskeyRequest { ceremony, answer, ..Default::default() };
    assert_eq!(accounts.log_in_with_passkey(log_in.clone()).await.unwrap().into_inner().profile_id, mona.id);
    let again = accounts.log_in_with_passkey(log_in).await.unwrap_err();
    assert_eq!((again.code(), reason(&again)), (Code::Unauthenticated, "auth.challenge_invalid".to_owned()));

    let begun =
        accounts.begin_passkey_proof(by(&mona, BeginPasskeyProofRequest::default())).await.unwrap().into_inner();
    let (ceremony, answer) = (begun.ceremony, phone.sign(&begun.options).expose().to_owned());
    let prove = ProveWithPasskeyRequest { ceremony, answer, ..Default::default() };
    assert!(!accounts.prove_with_passkey(by(&mona, prove)).await.unwrap().into_inner().proven_until.is_empty());
    let name = "تليفون".to_owned();
    let rename = RenamePasskeyRequest { passkey_id: passkey_id.clone(), name: name.clone(), ..Default::default() };
    accounts.rename_passkey(by(&mona, rename)).await.unwrap();
    let listed = accounts.list_passkeys(by(&mona, ListPasskeysRequest {})).await.unwrap().into_inner().passkeys;
    assert_eq!((listed.len(), &listed[0].name, &listed[0].id), (1, &name, &passkey_id));
    let remove = RemovePasskeyRequest { passkey_id, ..Default::default() };
    accounts.remove_passkey(by(&mona, remove)).await.unwrap();
    assert!(accounts.list_passkeys(by(&mona, ListPasskeysRequest {})).await.unwrap().into_inner().passkeys.is_empty());
}
