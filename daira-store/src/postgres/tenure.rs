//! A server's time as the primary. When it ends, whatever still waits for that server is given up: a server that died without a
//! word would be waited for until the operating system gives up, which takes a quarter of an hour or for ever.

use core::future::Future;
use core::pin::Pin;

use futures_util::future::{Either, select};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use sqlx::{Error, Result};
use tokio_util::sync::CancellationToken;

/// Goes on until it is ended. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Tenure(CancellationToken);

impl Tenure {
    /// Another server takes over.
    pub(super) fn end(&self) {
        self.0.cancel();
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Does something on a connection to the server, which fails when the tenure ends before.
    pub(super) async fn bound<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match select(core::pin::pin!(work), core::pin::pin!(self.0.cancelled())).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(over()),
        }
    }

    /// The steps of a statement, and a failure when the tenure ends before the last.
    pub(super) fn steps<'e, T: 'e>(&'e self, mut steps: BoxStream<'e, Result<T>>) -> BoxStream<'e, Result<T>> {
        let mut end: Pin<Box<_>> = Box::pin(self.0.cancelled());
        let next = move |context: &mut core::task::Context<'_>| {
            let step = steps.poll_next_unpin(context);
            if step.is_pending() { end.poll_unpin(context).map(|()| Some(Err(over()))) } else { step }
        };
        stream::poll_fn(next).boxed()
    }
}

fn over() -> Error {
    Error::Io(std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "another server is the primary now"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_is_given_up_when_it_ends_and_what_is_there_is_not() {
        let tenure = Tenure::default();
        assert_eq!(tenure.bound(async { Ok(1) }).await.unwrap(), 1);
        let mut steps = tenure.steps(stream::iter([Ok(1)]).chain(stream::pending()).boxed());
        assert_eq!(steps.next().await.unwrap().unwrap(), 1);
        let held = tenure.clone();
        let waiting = async { tokio::join!(held.bound(core::future::pending::<Result<()>>()), steps.next()) };
        let ((one, two), ()) = tokio::join!(waiting, async { tenure.end() });
        assert!(matches!((one, two), (Err(Error::Io(_)), Some(Err(Error::Io(_))))));
        assert!(held.is_over());
    }
}
