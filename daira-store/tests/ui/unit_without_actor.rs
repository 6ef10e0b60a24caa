//! A unit of work cannot be made by hand, nor opened without an actor.

fn main() {
    let _: daira_store::postgres::PgUnit = todo!();
    let _ = daira_core::port::Store::begin;
    async fn open(store: &dyn daira_core::port::Store) {
        let _ = store.begin().await;
    }
}
