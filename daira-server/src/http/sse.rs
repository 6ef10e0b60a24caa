//! GraphQL over server-sent events, one connection for each operation: `next` for each answer, `complete` at the end.
//!
//! For clients that cannot open a WebSocket, or need nothing else: a POST as any other, with `Accept: text/event-stream`.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use daira_core::account::Pass;
use futures_util::stream::{self, StreamExt};

use super::compress::Plain;
use super::graphql::answers;
use crate::graphql::{Answer, Asked, Caller};
use crate::state::AppState;
use crate::streams::{Place, give};

/// How often something is sent when there is nothing to say, so that no proxy hangs up.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Answers one checked operation for as long as there is something to answer, its client's pass is valid, and the server
/// runs.
pub(super) async fn respond(state: &AppState, caller: Caller, pass: Pass, asked: Asked, place: Place) -> Response {
    let answers = answers(state, &caller, asked).await.map(Ok);
    let mut first = true;
    let metrics = state.metrics.clone();
    let context = caller.context.clone();
    let events = state.services.accounts.while_valid(pass, answers).map(move |answer| {
        let answer = answer.unwrap_or_else(|error| Answer::failed(&error, &context));
        if std::mem::take(&mut first) {
            metrics.operation(answer.kind, answer.outcome);
        }
        let body = String::from_utf8(answer.body).unwrap_or_default();
        Event::default().event("next").data(body)
    });
    let end = stream::once(async { Event::default().event("complete").data("") });
    // A server that goes breaks off, after which clients come again; `complete` would be the end for them.
    let events = events.chain(end).take_until(state.lifecycle.draining().cancelled_owned());
    let events = give(events.boxed(), place).filter_map(|event| async { event.map(Ok::<_, Infallible>) });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.extensions_mut().insert(Plain);
    response
}
