//! The third-party audit of GraphQL over HTTP, run against a listening server.

use std::process::{Command, Output};

use daira_server::http::HttpSettings;
use tokio::net::TcpListener;

use crate::harness::Stage;

/// Runs a program in the audit's folder.
async fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/audit"));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    output.unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"))
}

#[tokio::test]
async fn graphql_http_audit() {
    let installed = run("npm", &["ci", "--no-audit", "--no-fund"]).await;
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    // Some audits ask for a type of the schema, which in production is for members only.
    for settings in [HttpSettings::development(), HttpSettings::default()] {
        let stage = Stage::with(settings);
        let member = stage.join("mona").await;
        let token = if stage.state.settings.development { "" } else { member.token.as_str() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        let server = axum::serve(listener, stage.router.clone());
        let arguments = ["audit.mjs", url.as_str(), token];
        let output = tokio::select! {
            ended = server.into_future() => panic!("the server ended: {ended:?}"),
            output = run("node", &arguments) => output,
        };
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{report}");
        assert!(report.contains("0 errors, 0 warnings"), "{report}");
    }
}
