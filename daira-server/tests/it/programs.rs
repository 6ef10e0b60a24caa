//! Programs of others that tests drive the server with. `cargo xtask services up` gets them and says where they are; one
//! that is missing fails the test that needs it.

use std::process::{Command, Output};

use tokio::sync::OnceCell;

/// The folder of the scripts, and of the Node packages they use.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

/// `grpcurl`.
pub(crate) fn grpcurl() -> String {
    found("DAIRA_TEST_GRPCURL")
}

/// A Python with gRPC.
pub(crate) fn python() -> String {
    found("DAIRA_TEST_GRPC_PYTHON")
}

/// Chromium or its like.
pub(crate) fn browser() -> String {
    found("DAIRA_TEST_BROWSER")
}

#[expect(clippy::disallowed_methods, reason = "tests find their tools in the environment")]
pub(crate) fn found(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set; `cargo xtask services up` gets what tests need"))
}

/// Runs a program in the folder of the scripts, to its end; what it prints is in the answer.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(SCRIPTS);
    // Local calls go to no proxy, and Python writes no files beside its scripts.
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    output.unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"))
}

/// Runs one of the scripts with Node; its packages are installed first, once for all tests.
pub(crate) async fn node(arguments: &[&str]) -> Output {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let install = async || {
        let installed = run("npm", &["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).await;
        assert!(installed.status.success(), "{}", said(&installed));
    };
    INSTALLED.get_or_init(install).await;
    run("node", arguments).await
}

/// All that a program printed.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
