//! The Redis adapters on real servers, in each way that Redis is set up, and with the wire cut.

mod cache;
mod limiter;
mod presence;
mod pubsub;
mod wire;

use daira_core::memory::RandomIds;
use daira_core::port::IdSource;
use daira_store::redis::Redis;
use tokio::sync::RwLock;

/// How Redis is set up, by the variable that says where.
const ONE: &str = "DAIRA_TEST_REDIS";
const SENTINEL: &str = "DAIRA_TEST_REDIS_SENTINEL";
const CLUSTER: &str = "DAIRA_TEST_REDIS_CLUSTER";

/// Keys that no other test uses.
fn prefix() -> String {
    let ids: &dyn IdSource = &RandomIds;
    format!("t{:016x}:", u64::from_be_bytes(ids.bytes()))
}

async fn connect(address: &str, prefix: &str) -> Redis {
    let redis = Redis::at(address, prefix).unwrap();
    redis.ready().await.unwrap();
    redis
}

/// Held by whoever upsets a server that is shared, and shared by those who need it as it is.
static UPSET: RwLock<()> = RwLock::const_new(());
