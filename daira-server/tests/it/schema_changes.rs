//! Changes of the schema as `graphql-inspector` judges them: what would break a client that works today is noticed.

use std::path::Path;

use daira_server::graphql::schema::sdl;

use crate::programs::{node, said};

/// The schema as it is published.
const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api/schema.graphql");

#[tokio::test]
async fn security_76_a_breaking_change_of_the_schema_is_noticed() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (before, after) = (folder.join("before.graphql"), folder.join("after.graphql"));
    let today = sdl();
    std::fs::write(&after, &today).unwrap();
    let output = node(&["schema.mjs", PUBLISHED, after.to_str().unwrap()]).await;
    assert!(said(&output).ends_with(" 0 breaking\n"), "what is published must go on working: {}", said(&output));
    std::fs::write(&before, &today).unwrap();
    let change = |from: &str, to: &str| {
        assert!(today.contains(from), "{from} is not in the schema");
        today.replacen(from, to, 1)
    };
    for (changed, breaking, told) in [
        (today.clone(), false, "0 changes"),
        (format!("{today}\nextend type Query {{ later: String }}"), false, "Field 'later' was added"),
        (change("viewerReaction: ReactionKind", "mood: ReactionKind"), true, "Field 'viewerReaction' was removed"),
        (change("first: Int", "first: Int!"), true, "Type for argument 'first'"),
        (change("\tUNLISTED\n", "\tHIDDEN\n"), true, "Enum value 'UNLISTED' was removed"),
        (change("\ttext: String!\n", "\ttext: String\n"), true, "changed type from 'String!' to 'String'"),
    ] {
        std::fs::write(&after, changed).unwrap();
        let output = node(&["schema.mjs", before.to_str().unwrap(), after.to_str().unwrap()]).await;
        let report = said(&output);
        assert_eq!(output.status.code(), Some(i32::from(breaking)), "{report}");
        assert!(report.contains(told), "{told} is not in {report}");
    }
}
