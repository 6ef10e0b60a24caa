//! The third-party audit of GraphQL over HTTP, run against a listening server.

use daira_server::http::HttpSettings;

use crate::harness::Stage;
use crate::programs::{node, said};

#[tokio::test]
async fn security_71_the_graphql_http_audit_finds_nothing() {
    // Some audits ask for a type of the schema, which in production is for members only.
    for settings in [HttpSettings::development(), HttpSettings::default()] {
        let stage = Stage::with(settings);
        let member = stage.join("mona").await;
        let token = if stage.state.settings.development { "" } else { member.token.as_str() };
        let listening = stage.http().await;
        let url = format!("http://{}/graphql", listening.address);
        let output = node(&["audit.mjs", &url, token]).await;
        let report = said(&output);
        assert!(output.status.success(), "{report}");
        assert!(report.contains("0 errors, 0 warnings"), "{report}");
    }
}
