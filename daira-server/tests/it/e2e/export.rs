//! Everything about somebody, asked for, built by the worker and read by a program that knows nothing of ours.

use serde_json::{Value, json};

use super::platform::Platform;
use crate::programs::{python, run, said};

#[tokio::test(flavor = "multi_thread")]
async fn everything_about_somebody_is_downloaded_and_read_by_a_foreign_client() {
    let platform = Platform::start(&[]).await;
    let client = platform.client();
    let (mona, omar) = (platform.join(&client, "mona").await, platform.join(&client, "omar").await);
    let say = async |who: &super::client::Person, text: &str| {
        client.insist(Some(&who.token), "createPost", "CreatePostInput", &json!({ "text": text }), "post { id }").await
    };
    let post = say(&mona, "صباح الفل يا جماعة، 3ayez arou7 el-sa7el ☀️").await;
    let other = say(&omar, "كلام عمر لنفسه").await;
    let comment = json!({ "postId": other["post"]["id"], "text": "منوّر يا عمر" });
    client.insist(Some(&mona.token), "comment", "CommentInput", &comment, "comment { id }").await;
    client.insist(Some(&mona.token), "follow", "ProfileActionInput", &json!({ "profileId": omar.id }), "outcome").await;
    let consent = json!({ "purpose": "MARKETING_MAIL", "version": 1, "given": true });
    client.insist(Some(&mona.token), "setConsent", "SetConsentInput", &consent, "consents { given }").await;

    let output = run(&python(), &["export.py", &platform.http().to_string(), &mona.token]).await;
    assert!(output.status.success(), "{}", said(&output));
    let had: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines = &had["lines"];
    assert_eq!(lines["post"][0]["text"], "صباح الفل يا جماعة، 3ayez arou7 el-sa7el ☀️");
    assert_eq!(lines["post"][0]["id"], post["post"]["id"]);
    assert_eq!(lines["comment"][0]["text"], "منوّر يا عمر");
    assert_eq!((&lines["follow"][0]["follower"], &lines["follow"][0]["followee"]), (&json!(mona.id), &json!(omar.id)));
    assert_eq!(lines["account"][0]["email"], "mona@example.com");
    assert_eq!(lines["session"][0]["device"], "Nokia");
    assert_eq!(lines["consent"].as_array().unwrap().len(), 3, "what joining took, and what she said");
    assert!(lines["audit"].as_array().unwrap().iter().any(|line| line["action"] == "account.registered"), "{had}");
    let text = had.to_string();
    for secret in ["كلام عمر لنفسه", "omar@example.com", "argon2", "salt", "secret"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let mails = std::fs::read_dir(platform.data().join("mail")).unwrap().filter_map(Result::ok);
    let told = mails
        .filter_map(|mail| std::fs::read_to_string(mail.path()).ok())
        .filter(|mail| mail.contains("Your DAIRA data is ready"));
    assert_eq!(told.count(), 1);
}
