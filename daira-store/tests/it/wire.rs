//! Wires to servers that tests may cut, slow down and silence.

use core::time::Duration;
use std::net::TcpListener;

use serde_json::json;

#[expect(clippy::disallowed_methods, reason = "tests find their servers in the environment")]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests by `cargo xtask test`"))
}

/// A proxy of Toxiproxy's in front of a server.
pub(crate) struct Wire {
    api: String,
    name: String,
    pub(crate) address: String,
}

impl Wire {
    pub(crate) async fn to(upstream: &str) -> Self {
        let api = variable("DAIRA_TEST_TOXIPROXY");
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let name = address.replace(':', "-");
        let wire = Self { api, name, address };
        wire.tell("/proxies", json!({ "name": wire.name, "listen": wire.address, "upstream": upstream })).await;
        wire
    }

    async fn tell(&self, path: &str, what: serde_json::Value) {
        let reply = reqwest::Client::new().post(format!("{}{path}", self.api)).json(&what).send().await.unwrap();
        assert!(reply.status().is_success(), "{}", reply.text().await.unwrap());
    }

    pub(crate) async fn set_whole(&self, whole: bool) {
        self.tell(&format!("/proxies/{}", self.name), json!({ "enabled": whole })).await;
    }

    /// Nothing comes through any more, and no end is told of; or what is new does again.
    pub(crate) async fn fall_silent(&self, silent: bool) {
        if silent {
            let toxic = json!({ "name": "silence", "type": "timeout", "attributes": { "timeout": 0 } });
            return self.tell(&format!("/proxies/{}/toxics", self.name), toxic).await;
        }
        self.mend("silence").await;
    }

    /// Answers take this long from now on.
    pub(crate) async fn slow_down(&self, by: Duration) {
        let toxic = json!({ "name": "slowness", "type": "latency", "attributes": { "latency": by.as_millis() } });
        self.tell(&format!("/proxies/{}/toxics", self.name), toxic).await;
    }

    /// Takes back what was done to it.
    pub(crate) async fn mend(&self, what: &str) {
        let path = format!("{}/proxies/{}/toxics/{what}", self.api, self.name);
        assert!(reqwest::Client::new().delete(path).send().await.unwrap().status().is_success());
    }
}
