//! The keys that sign access tokens change while people are logged in.

use daira_core::credential::{JwtSigner, generate_signing_key};
use daira_core::port::IdSource;

use super::*;

/// Draws one byte all the time, so that keys differ by it.
struct Dull(u8);

impl IdSource for Dull {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

fn signer(key: u8) -> JwtSigner {
    JwtSigner::new("https://daira.test", "daira", &generate_signing_key(&Dull(key))).unwrap()
}

#[tokio::test]
async fn security_23_an_old_key_is_retired_and_nobody_is_logged_out() {
    let world = world_with(|ports| ports.signer = Arc::new(signer(1)));
    let node = |signer| AccountService::new(Ports { signer: Arc::new(signer), ..world.ports.clone() });
    let mona = world.join("mona").await;

    let both = node(signer(2).also_accepting(&generate_signing_key(&Dull(1))).unwrap());
    assert_eq!(both.authenticate(&mona.tokens.access).await.unwrap(), actor(&mona), "the old key's token still holds");
    let renewed = both.refresh(&Client::default(), &mona.tokens.refresh).await.unwrap();
    assert_eq!(both.authenticate(&renewed.access).await.unwrap(), actor(&mona), "and so does the new key's");

    let retired = node(signer(2));
    assert!(is_invalid(retired.authenticate(&mona.tokens.access).await), "the old key is worth nothing");
    assert_eq!(retired.authenticate(&renewed.access).await.unwrap(), actor(&mona));
    // Somebody who was away all the while holds a token of the old key, and the refresh token that goes with it.
    let nour = world.join("nour").await;
    assert!(is_invalid(retired.authenticate(&nour.tokens.access).await));
    let back = retired.refresh(&Client::default(), &nour.tokens.refresh).await.unwrap();
    assert_eq!(retired.authenticate(&back.access).await.unwrap(), actor(&nour));
}
