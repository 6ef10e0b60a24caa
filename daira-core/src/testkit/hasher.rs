//! The kit of [`PasswordHasher`].

use std::sync::Arc;

use crate::port::PasswordHasher;
use crate::secret::Secret;

super::kit! { $
    /// Runs the [`hasher`](crate::testkit::hasher) kit on an adapter: `hasher_kit!(name, hasher)`.
    hasher_kit, "hasher", single {
        hasher: a_password_is_known_again, every_character_counts, two_hashes_of_one_password_differ, nobody_has_no_password,
            an_own_hash_is_up_to_date, garbage_is_no_hash;
    }
}

const PASSWORD: &str = "kahwa sada 3al nil";

/// A password verifies against its own hash, which does not hold it, whatever script it is in.
pub async fn a_password_is_known_again(hasher: &Arc<dyn PasswordHasher>) {
    for password in [PASSWORD, "كلمة السر بتاعتي ☕️", &"long ".repeat(40), "with\0zero\0bytes"] {
        let password = Secret::new(password);
        let hash = hasher.hash(&password).await.unwrap();
        assert!(hasher.verify(&password, Some(&hash)).await.unwrap());
        assert!(!hash.contains(password.expose()) && hash.len() <= 1_024);
    }
}

/// Any other password is another, however alike: also in what lies behind a zero byte or far at the end.
pub async fn every_character_counts(hasher: &Arc<dyn PasswordHasher>) {
    let long = "x".repeat(200);
    for (right, wrong) in [
        (PASSWORD, "kahwa sada 3al niL"),
        (PASSWORD, "kahwa sada 3al nil "),
        (PASSWORD, ""),
        ("with\0one", "with\0two"),
        (&format!("{long}1"), &format!("{long}2")),
    ] {
        let hash = hasher.hash(&Secret::new(right)).await.unwrap();
        assert!(!hasher.verify(&Secret::new(wrong), Some(&hash)).await.unwrap());
    }
}

/// Every hash has a salt of its own.
pub async fn two_hashes_of_one_password_differ(hasher: &Arc<dyn PasswordHasher>) {
    let password = Secret::new(PASSWORD);
    assert_ne!(hasher.hash(&password).await.unwrap(), hasher.hash(&password).await.unwrap());
}

/// Without a hash nothing verifies, the empty password included.
pub async fn nobody_has_no_password(hasher: &Arc<dyn PasswordHasher>) {
    for password in [PASSWORD, ""] {
        assert!(!hasher.verify(&Secret::new(password), None).await.unwrap());
    }
}

/// What the hasher makes today it does not call outdated; a hash of an unknown kind it does.
pub async fn an_own_hash_is_up_to_date(hasher: &Arc<dyn PasswordHasher>) {
    assert!(!hasher.is_outdated(&hasher.hash(&Secret::new(PASSWORD)).await.unwrap()));
    assert!(hasher.is_outdated("$md5$5f4dcc3b5aa765d61d8327deb882cf99"));
}

/// A stored string that is no hash verifies nothing and does not panic.
pub async fn garbage_is_no_hash(hasher: &Arc<dyn PasswordHasher>) {
    let hash = hasher.hash(&Secret::new(PASSWORD)).await.unwrap();
    let cut = hash.get(..hash.len() - 4).unwrap();
    for garbage in ["", "$", "$$$$", "plain", PASSWORD, "$argon2id$v=19$m=99999999999$$", "مش هاش", cut] {
        assert!(!matches!(hasher.verify(&Secret::new(PASSWORD), Some(garbage)).await, Ok(true)), "{garbage:?}");
    }
}
