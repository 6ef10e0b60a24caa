//! The keys that other services check access tokens with, as a JSON Web Key Set (RFC 7517, 8037).
//!
//! While keys are changed, those that are to sign next and signed before are in it, so that whoever fetches it once in a few
//! minutes believes every token that the server does. It tells whose a token is and until when; that its session lives only
//! the server knows.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use daira_core::port::PublicKey;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use crate::state::AppState;

/// The set of keys, to be kept for five minutes.
pub(super) async fn keys(State(state): State<AppState>) -> Response {
    let key = |key: PublicKey| {
        let x = BASE64URL_NOPAD.encode(&key.ed25519);
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id, "x": x })
    };
    let keys: Vec<_> = state.ports.signer.public_keys().into_iter().map(key).collect();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    (headers, json!({ "keys": keys }).to_string()).into_response()
}
