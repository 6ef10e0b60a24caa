//! A wire through Toxiproxy.

use std::net::TcpListener;

use daira_core::memory::RandomIds;
use daira_core::port::IdSource;
use serde_json::json;

use super::variable;

/// A proxy of Toxiproxy's in front of a server.
pub(super) struct Wire {
    api: String,
    name: String,
    pub(super) address: String,
}

impl Wire {
    pub(super) async fn to(upstream: &str) -> Self {
        let api = variable("DAIRA_TEST_TOXIPROXY");
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let ids: &dyn IdSource = &RandomIds;
        let name = format!("mail{:016x}", u64::from_be_bytes(ids.bytes()));
        let wire = Self { api, name, address };
        wire.tell("/proxies", json!({ "name": wire.name, "listen": wire.address, "upstream": upstream })).await;
        wire
    }

    async fn tell(&self, path: &str, what: serde_json::Value) {
        let reply = reqwest::Client::new().post(format!("{}{path}", self.api)).json(&what).send().await.unwrap();
        assert!(reply.status().is_success(), "{}", reply.text().await.unwrap());
    }

    pub(super) async fn set_whole(&self, whole: bool) {
        self.tell(&format!("/proxies/{}", self.name), json!({ "enabled": whole })).await;
    }

    /// Nothing comes through any more, and no end is told of; or what is new does again.
    pub(super) async fn fall_silent(&self, silent: bool) {
        if silent {
            let toxic = json!({ "name": "silence", "type": "timeout", "attributes": { "timeout": 0 } });
            return self.tell(&format!("/proxies/{}/toxics", self.name), toxic).await;
        }
        let path = format!("{}/proxies/{}/toxics/silence", self.api, self.name);
        assert!(reqwest::Client::new().delete(path).send().await.unwrap().status().is_success());
    }
}
