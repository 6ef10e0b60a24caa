//! The schema, put together, and its SDL.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::{Data, Pos, Response};
use async_trait::async_trait;

use super::mutation::Mutation;
use super::query::Query;
use super::refusal::GraphqlRefusal;
use super::scope::Live;
use super::subscription::Subscription;

/// The schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Puts the schema together. What is missing from it is not suggested to whoever guesses.
pub fn build() -> Schema {
    Schema::build(Query, Mutation::default(), Subscription).disable_suggestions().finish()
}

/// The same for subscriptions: each event is executed in a scope of its own, within this time.
pub(super) fn build_live(timeout: Duration) -> Schema {
    let live = Schema::build(Query, Mutation::default(), Subscription).disable_suggestions();
    live.extension(ByEvent(timeout)).finish()
}

/// Gives every event of a subscription a scope of its own: nothing that was read for one is kept for the next.
#[derive(Debug, Clone, Copy)]
struct ByEvent(Duration);

impl ExtensionFactory for ByEvent {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait]
impl Extension for ByEvent {
    async fn execute(&self, ctx: &ExtensionContext<'_>, name: Option<&str>, next: NextExecute<'_>) -> Response {
        let mut data = Data::default();
        if let Ok(live) = ctx.data::<Live>() {
            data.insert(live.scope());
        }
        let executed = tokio::time::timeout(self.0, next.run_with_data(ctx, name, data)).await;
        executed.unwrap_or_else(|_| {
            let error = daira_core::Error::from(GraphqlRefusal::TimedOut);
            Response::from_errors(vec![async_graphql::Error::from(error).into_server_error(Pos::default())])
        })
    }
}

/// The schema as clients read it, one trailing newline.
pub fn sdl() -> String {
    let sdl = build().sdl();
    format!("{}\n", sdl.trim_end())
}
