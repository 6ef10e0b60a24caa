//! Nobody gets at a connection but through a unit of work or a read view, which say who asks.

async fn around_the_guards(store: daira_store::postgres::PgStore) {
    let _ = store.app;
    let _ = store.worker_pool();
    let _ = store.open_on(&todo!(), "begin", &daira_core::Actor::Anonymous).await;
}

fn main() {}
