//! Beginning a transaction on a pooled connection, so that nothing of it stays behind when its caller gives up.
//!
//! The driver counts a transaction once its opening was answered, and rolls back what it has counted. An opening that is
//! dropped before the answer (a client hung up, a time limit struck) would therefore leave its transaction open on the
//! connection, with the actor that it was opened for, and the pool would hand both to whoever comes next. Here an opening
//! that is given up is brought to its end in the background, and the transaction is then dropped like any other; with the tenure of
//! its server that ends, too, and its connection is closed with all others.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::time::Instant;

use futures_util::future::BoxFuture;
use sqlx::{PgPool, Postgres, SqlSafeStr, Transaction};

use super::pools::Waiting;
use super::tenure::Tenure;

type Begun = sqlx::Result<Transaction<'static, Postgres>>;

/// Begins a transaction with a statement, or several in one batch, of which the first is `begin`.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where transactions begin; who may call it is decided by the store and the bus"
)]
pub(super) async fn begin(pool: &PgPool, tenure: &Tenure, waiting: &Waiting, statement: impl SqlSafeStr) -> Begun {
    let statement = statement.into_sql_str();
    let since = Instant::now();
    let connection = tenure.bound(pool.acquire()).await;
    waiting.waited(since.elapsed());
    let connection = connection?;
    let tenure = tenure.clone();
    let opening = async move { tenure.bound(Transaction::begin(connection, Some(statement))).await };
    Opening(Some(Box::pin(opening))).await
}

/// An opening under way.
struct Opening(Option<BoxFuture<'static, Begun>>);

impl Future for Opening {
    type Output = Begun;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Begun> {
        let Some(opening) = &mut self.0 else { return Poll::Pending };
        let begun = ready!(opening.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(begun)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and the server rolls back.
        if let (Some(opening), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(opening);
        }
    }
}
