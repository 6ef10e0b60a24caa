//! Phone numbers and codes to log in with, as clients see them.

use serde_json::{Value, json};

use crate::harness::{Person, Stage};

const NUMBER: &str = "+201001234567";

/// Gives somebody the number.
async fn give(stage: &Stage, person: &Person) {
    let asked = stage.done(Some(person), "changePhone", json!({ "phone": "٠١٠٠ ١٢٣ ٤٥٦٧" }), "challengeId").await;
    stage.settle().await;
    let input = json!({ "challengeId": asked["challengeId"], "code": stage.code_at(NUMBER) });
    assert_eq!(stage.done(Some(person), "confirmPhone", input, "changed").await["changed"], true);
    stage.settle().await;
}

async fn ask(stage: &Stage, input: Value) -> Value {
    stage.done(None, "requestLogInCode", input, "challengeId").await["challengeId"].clone()
}

const TOKENS: &str = "tokens { accessToken } profile { id } secondFactor { challenge }";

#[tokio::test]
async fn somebody_gets_a_number_logs_in_with_it_and_lets_go_of_it() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    give(&stage, &mona).await;
    let own = stage.ask_as(&mona, "{ me { account { email phone } } }").await;
    assert_eq!(own.data("/me/account/phone"), NUMBER);
    assert!(stage.mail_for("mona@example.com").contains("رقم الموبايل"), "she is told");

    let with_password = json!({ "phone": "0100 123 4567", "password": "kahraba nour shams" });
    let inside = stage.done(None, "logIn", with_password, TOKENS).await;
    assert_eq!(inside["profile"]["id"], mona.id.as_str());

    let challenge = ask(&stage, json!({ "phone": "01001234567", "language": "EN" })).await;
    stage.settle().await;
    let code = stage.code_at(NUMBER);
    let input = json!({ "challengeId": challenge, "code": code, "device": "Nokia" });
    let inside = stage.done(None, "logInWithCode", input.clone(), TOKENS).await;
    assert_eq!(inside["profile"]["id"], mona.id.as_str());
    let again = stage.tried(None, "logInWithCode", input, TOKENS).await;
    assert_eq!(again["userErrors"][0]["code"], "account.code_invalid");

    let challenge = ask(&stage, json!({ "email": "mona@example.com" })).await;
    stage.settle().await;
    let input = json!({ "challengeId": challenge, "code": stage.code_for("mona@example.com") });
    assert_eq!(stage.done(None, "logInWithCode", input, TOKENS).await["profile"]["id"], mona.id.as_str());

    let gone = stage.done(Some(&mona), "removePhone", json!({}), "changed").await;
    assert_eq!(gone["changed"], true);
    let own = stage.ask_as(&mona, "{ me { account { phone } } }").await;
    assert_eq!(own.data("/me/account/phone"), Value::Null);
}

#[tokio::test]
async fn security_05_a_number_or_an_address_that_nobody_has_is_answered_to_the_byte_alike() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    give(&stage, &mona).await;
    let mut answers = Vec::new();
    let texts = stage.texts();
    for input in [
        json!({ "phone": NUMBER }),
        json!({ "phone": "01112345678" }),
        json!({ "email": "mona@example.com" }),
        json!({ "email": "nobody@example.com" }),
    ] {
        let document = "mutation ($input: RequestLogInCodeInput!) { requestLogInCode(input: $input) { challengeId userErrors { code } } }";
        let reply = stage.ask_with(None, document, json!({ "input": input })).await;
        let challenge = reply.data("/requestLogInCode/challengeId");
        let asked = reply.text.replace(challenge.as_str().unwrap(), "CHALLENGE");
        let document = "mutation ($input: LogInWithCodeInput!) { logInWithCode(input: $input) { tokens { accessToken } userErrors { code message field } } }";
        let wrong = json!({ "input": { "challengeId": challenge, "code": "not it" } });
        let tried = stage.ask_with(None, document, wrong).await;
        answers.push((reply.status, asked, tried.status, tried.text));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    stage.settle().await;
    assert_eq!(stage.texts() - texts, 1, "nothing goes to a number that nobody has");
}

#[tokio::test]
async fn one_way_to_be_reached_is_named_and_no_more() {
    let stage = Stage::new();
    let both = json!({ "email": "mona@example.com", "phone": NUMBER });
    for input in [json!({}), both] {
        let refused = stage.tried(None, "requestLogInCode", input.clone(), "challengeId").await;
        assert_eq!(refused["userErrors"][0]["code"], "account.email_invalid", "{input}");
        let mut log_in = input;
        log_in["password"] = json!("kahraba nour shams");
        let refused = stage.tried(None, "logIn", log_in, TOKENS).await;
        assert_eq!(refused["userErrors"][0]["code"], "account.email_invalid");
    }
    let mona = stage.join("mona").await;
    for (number, code) in [("19777", "account.phone_invalid"), ("+12025550123", "account.phone_abroad")] {
        assert_eq!(stage.refused(&mona, "changePhone", json!({ "phone": number })).await, code);
        let refused = stage.tried(None, "requestLogInCode", json!({ "phone": number }), "challengeId").await;
        assert_eq!(
            (&refused["userErrors"][0]["code"], &refused["userErrors"][0]["field"]),
            (&code.into(), &"phone".into())
        );
    }
}
