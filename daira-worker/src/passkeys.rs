//! Passkeys as browsers and phones make them (`WebAuthn` level 3), checked by `webauthn-rs`: options and answers are the JSON of
//! `navigator.credentials`. Owners are verified by their authenticators always; attestation is not asked for.

use core::fmt;

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{Ceremony, PasskeyVerifier, PublicPart, Signed};
use daira_core::secret::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url,
    Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};
use webauthn_rs_proto::{AllowCredentials, ResidentKeyRequirement};

/// The longest answer that is looked at, in bytes.
const LONGEST: usize = 32 * 1024;

/// Checks passkeys for one domain.
pub struct WebauthnPasskeys {
    webauthn: Webauthn,
}

impl fmt::Debug for WebauthnPasskeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebauthnPasskeys")
            .field("origins", &self.webauthn.get_allowed_origins())
            .finish_non_exhaustive()
    }
}

/// What a ceremony keeps.
#[derive(serde::Serialize, serde::Deserialize)]
enum State {
    Making(PasskeyRegistration),
    Signing(DiscoverableAuthentication),
}

impl WebauthnPasskeys {
    /// For a domain, and the origins below it that may ask: `daira.example`, `https://daira.example`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when no origin is given, or one is not below the domain.
    pub fn new(domain: &str, origins: &[String]) -> Result<Self> {
        let wrong = |source: String| Error::new(ErrorKind::Internal, "passkeys.settings").with_source(source);
        let origins: Vec<Url> = origins
            .iter()
            .map(|origin| Url::parse(origin).map_err(|error| wrong(format!("{origin}: {error}"))))
            .collect::<Result<_>>()?;
        let (first, more) = origins.split_first().ok_or_else(|| wrong("no origin".to_owned()))?;
        let builder =
            WebauthnBuilder::new(domain, first).map_err(|error| wrong(format!("{first} for {domain}: {error}")))?;
        let builder = more.iter().fold(builder.rp_name("DAIRA"), WebauthnBuilder::append_allowed_origin);
        let webauthn = builder.build().map_err(|error| wrong(error.to_string()))?;
        Ok(Self { webauthn })
    }
}

/// The host of an address, if it is a name.
pub fn host_of(address: &str) -> Option<String> {
    Url::parse(address).ok()?.domain().map(str::to_owned)
}

fn fault(operation: &'static str, error: WebauthnError) -> Error {
    Error::new(ErrorKind::Internal, operation).with_source(error)
}

fn written<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::new(ErrorKind::Internal, "passkeys.write").with_source(error))
}

fn text<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::new(ErrorKind::Internal, "passkeys.write").with_source(error))
}

fn kept<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::new(ErrorKind::Corrupt, "passkeys.read").with_source(error))
}

fn passkeys(known: &[PublicPart]) -> Result<Vec<Passkey>> {
    known.iter().map(|public| kept(&public.key)).collect()
}

fn public(passkey: &Passkey) -> Result<PublicPart> {
    Ok(PublicPart { credential: passkey.cred_id().clone(), key: written(passkey)? })
}

/// An answer, if it is one.
fn read<T: DeserializeOwned>(answer: &Secret) -> Option<T> {
    let text = answer.expose();
    (text.len() <= LONGEST).then(|| serde_json::from_str(text).ok()).flatten()
}

impl PasskeyVerifier for WebauthnPasskeys {
    fn begin_registration(&self, user: &[u8; 16], name: &str, known: &[PublicPart]) -> Result<Ceremony> {
        let known = passkeys(known)?.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let user = Uuid::from_bytes(*user);
        let begun = self.webauthn.start_passkey_registration(user, name, name, Some(known));
        let (mut options, state) = begun.map_err(|error| fault("passkeys.begin_registration", error))?;
        // Kept by the authenticator, so that it can log in without a name.
        let wanted = options.public_key.authenticator_selection.get_or_insert_default();
        wanted.resident_key = Some(ResidentKeyRequirement::Required);
        wanted.require_resident_key = true;
        Ok(Ceremony { options: text(&options)?, state: written(&State::Making(state))? })
    }

    fn finish_registration(&self, state: &[u8], answer: &Secret) -> Result<Option<PublicPart>> {
        let State::Making(state) = kept(state)? else { return Ok(None) };
        let Some(answer) = read::<RegisterPublicKeyCredential>(answer) else { return Ok(None) };
        match self.webauthn.finish_passkey_registration(&answer, &state) {
            Ok(passkey) => public(&passkey).map(Some),
            Err(error) => {
                tracing::debug!(%error, "a passkey was not made");
                Ok(None)
            }
        }
    }

    fn begin_signature(&self, known: &[PublicPart]) -> Result<Ceremony> {
        let begun = self.webauthn.start_discoverable_authentication();
        let (mut options, state) = begun.map_err(|error| fault("passkeys.begin_signature", error))?;
        let named = |passkey: &PublicPart| AllowCredentials {
            type_: "public-key".to_owned(),
            id: passkey.credential.clone(),
            transports: None,
        };
        options.public_key.allow_credentials = known.iter().map(named).collect();
        // Whether it is asked for in a field or in a window is the client's to choose.
        options.mediation = None;
        Ok(Ceremony { options: text(&options)?, state: written(&State::Signing(state))? })
    }

    fn signer_of(&self, answer: &Secret) -> Option<(Vec<u8>, Option<[u8; 16]>)> {
        let answer: PublicKeyCredential = read(answer)?;
        let user = answer.get_user_unique_id().and_then(|user| user.try_into().ok());
        Some((answer.get_credential_id().to_vec(), user))
    }

    fn finish_signature(&self, state: &[u8], passkey: &PublicPart, answer: &Secret) -> Result<Signed> {
        let Some(answer) = read::<PublicKeyCredential>(answer) else { return Ok(Signed::Bad) };
        let mut key: Passkey = kept(&passkey.key)?;
        if answer.get_credential_id() != passkey.credential || key.cred_id().as_ref() != passkey.credential {
            return Ok(Signed::Bad);
        }
        // Checked against what is kept of it now, not as it was when it was asked: so copies are noticed.
        let State::Signing(state) = kept(state)? else { return Ok(Signed::Bad) };
        let checked = self.webauthn.finish_discoverable_authentication_v2(&answer, state, &key);
        match checked {
            Ok(result) if !result.user_verified() => Ok(Signed::Bad),
            Ok(result) => {
                if key.update_credential(&result).is_none() {
                    return Ok(Signed::Bad);
                }
                Ok(Signed::Good(public(&key)?))
            }
            Err(WebauthnError::CredentialPossibleCompromise) => Ok(Signed::Copied),
            Err(error) => {
                tracing::debug!(%error, "an answer was not signed by its passkey");
                Ok(Signed::Bad)
            }
        }
    }
}
