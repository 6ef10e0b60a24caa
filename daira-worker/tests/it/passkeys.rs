//! Real passkeys: what an authenticator in software signs, as a browser would send it.

use std::sync::{Arc, Mutex};

use daira_core::port::PasskeyVerifier;
use daira_core::secret::Secret;
use daira_core::testkit::passkey::{Authenticator, Passkeys};
use daira_worker::passkeys::{WebauthnPasskeys, host_of};
use serde_json::{Value, json};
use webauthn_authenticator_rs::WebauthnAuthenticator;
use webauthn_authenticator_rs::prelude::Url;
use webauthn_authenticator_rs::softpasskey::SoftPasskey;

const ORIGIN: &str = "https://daira.example";

/// An authenticator in software behind a browser. It keeps no passkeys by itself, so the browser does that for it.
struct Soft {
    device: Mutex<(SoftPasskey, Value, Value)>,
    origin: Url,
}

impl Soft {
    fn at(origin: &str) -> Self {
        let device = Mutex::new((SoftPasskey::new(true), Value::Null, Value::Null));
        Self { device, origin: Url::parse(origin).unwrap() }
    }
}

impl Authenticator for Soft {
    fn create(&self, options: &str) -> Secret {
        let mut device = self.device.lock().unwrap();
        let mut options: Value = serde_json::from_str(options).unwrap();
        let wanted = &mut options["publicKey"]["authenticatorSelection"];
        assert_eq!((&wanted["residentKey"], &wanted["requireResidentKey"]), (&json!("required"), &json!(true)));
        assert_eq!(wanted["userVerification"], "required");
        wanted["requireResidentKey"] = json!(false);
        device.2 = options["publicKey"]["user"]["id"].clone();
        let made = device.0.do_registration(self.origin.clone(), serde_json::from_value(options).unwrap()).unwrap();
        let made = serde_json::to_value(made).unwrap();
        device.1 = made["rawId"].clone();
        Secret::new(made.to_string())
    }

    fn sign(&self, options: &str) -> Secret {
        let mut device = self.device.lock().unwrap();
        let mut options: Value = serde_json::from_str(options).unwrap();
        assert_eq!(
            (&options["publicKey"]["userVerification"], &options["mediation"]),
            (&json!("required"), &Value::Null)
        );
        let named = options["publicKey"]["allowCredentials"].as_array().unwrap();
        assert!(named.is_empty() || named.iter().any(|one| one["id"] == device.1), "it is asked for");
        options["publicKey"]["allowCredentials"] = json!([{ "type": "public-key", "id": device.1 }]);
        let signed = device.0.do_authentication(self.origin.clone(), serde_json::from_value(options).unwrap()).unwrap();
        let mut signed = serde_json::to_value(signed).unwrap();
        signed["response"]["userHandle"] = device.2.clone();
        Secret::new(signed.to_string())
    }
}

fn verifier() -> WebauthnPasskeys {
    WebauthnPasskeys::new("daira.example", &[ORIGIN.to_owned(), "https://app.daira.example".to_owned()]).unwrap()
}

fn passkeys() -> Passkeys {
    let device = || Box::new(Soft::at(ORIGIN));
    Passkeys { verifier: Arc::new(verifier()), device: device(), other: device() }
}

daira_core::passkey_kit!(webauthn_passkeys, passkeys());

#[test]
fn another_origin_is_refused_and_a_named_one_is_not() {
    let verifier = verifier();
    let begun = verifier.begin_registration(&[7; 16], "mona@example.com", &[]).unwrap();
    let app = Soft::at("https://app.daira.example");
    let made = verifier.finish_registration(&begun.state, &app.create(&begun.options)).unwrap();
    assert!(made.is_some(), "an origin of ours");
    for origin in ["https://evil.daira.example", "https://daira.example:8443"] {
        let begun = verifier.begin_registration(&[7; 16], "mona@example.com", &[]).unwrap();
        let answer = Soft::at(origin).create(&begun.options);
        assert_eq!(verifier.finish_registration(&begun.state, &answer).unwrap(), None, "{origin}");
    }
}

#[test]
fn an_owner_who_was_not_verified_is_nobody() {
    let verifier = verifier();
    let begun = verifier.begin_registration(&[7; 16], "mona@example.com", &[]).unwrap();
    let device = Soft::at(ORIGIN);
    let lax = begun.options.replace("\"userVerification\":\"required\"", "\"userVerification\":\"discouraged\"");
    let mut options: Value = serde_json::from_str(&lax).unwrap();
    options["publicKey"]["authenticatorSelection"]["requireResidentKey"] = json!(false);
    let made = device
        .device
        .lock()
        .unwrap()
        .0
        .do_registration(device.origin.clone(), serde_json::from_value(options).unwrap())
        .unwrap();
    let answer = Secret::new(serde_json::to_string(&made).unwrap());
    assert_eq!(verifier.finish_registration(&begun.state, &answer).unwrap(), None);
}

#[test]
fn a_domain_and_its_origins_must_fit() {
    for (domain, origins) in [
        ("daira.example", vec![]),
        ("daira.example", vec!["no address".to_owned()]),
        ("daira.example", vec!["https://other.example".to_owned()]),
        ("127.0.0.1", vec!["http://127.0.0.1:8000".to_owned()]),
    ] {
        assert!(WebauthnPasskeys::new(domain, &origins).is_err(), "{domain} {origins:?}");
    }
    assert_eq!(host_of("https://daira.example/x").as_deref(), Some("daira.example"));
    assert_eq!((host_of("http://127.0.0.1:8000"), host_of("nothing")), (None, None));
}
