//! GraphQL over WebSocket: the protocol `graphql-transport-ws`, for subscriptions and for everything else.
//!
//! ```text
//! upgrade ─▶ connection_init {authorization} ─▶ connection_ack ─▶ subscribe {id, query} ─▶ next … ─▶ complete
//!            4408 after 3 s, 4403 for a token that does not hold     4401 before the ack, 4409 for a second of an id
//! ```
//!
//! A connection is one task. It reads one message at a time, holds nothing for a client that does not listen, and looks
//! four times a second whether its client's session still lives. No cookie counts here: whoever connects shows a token, so
//! that a page of another origin can do nothing in somebody's name.

mod message;

use std::task::Poll;
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use daira_core::Actor;
use daira_core::account::{AccountRefusal, POLL_EVERY, Pass};
use daira_core::error::Error;
use daira_core::locale::Locale;
use futures_util::future::{poll_fn, ready};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::message::{Close, Said, ack, complete, error, next, pong};
use super::auth::{admit, admit_bearer};
use super::context::RequestContext;
use super::graphql;
use super::incoming::Parameters;
use super::metrics::Outcome;
use super::problem::problem;
use super::refusal::HttpRefusal;
use crate::door::{self, Left};
use crate::graphql::{Answer, Caller, GraphqlRefusal};
use crate::state::AppState;
use crate::streams::{Place, SLOWEST};

/// The protocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to say who it is.
const INIT_WITHIN: Duration = Duration::from_secs(3);
/// How often somebody who says nothing is asked whether they are there, and after how many such times they are gone.
const PING_EVERY: Duration = Duration::from_secs(25);
const GONE_AFTER: Duration = Duration::from_mins(1);
/// How long somebody who is not logged in may ask for nothing.
const STRANGERS_IDLE: Duration = Duration::from_mins(1);
/// How long what runs may take when the server goes.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// The most operations at once on one connection.
const MOST_OPERATIONS: usize = 16;

/// Whether a request wants to become a WebSocket.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Turns a request into a connection, if its page may.
pub(super) fn upgrade(
    state: &AppState,
    context: &RequestContext,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !may_connect(headers, &state.settings.origins) {
        return problem(HttpRefusal::Origin, context);
    }
    let upgrade = upgrade.protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return problem(HttpRefusal::Subprotocol, context);
    }
    let place = match state.streams.enter(&Actor::Anonymous, context.address) {
        Ok(place) => place,
        Err(error) => return problem(error, context),
    };
    let (state, context, headers) = (state.clone(), context.clone(), headers.clone());
    let most = state.settings.max_body;
    upgrade.max_message_size(most).max_frame_size(most).on_upgrade(move |socket| async move {
        let mut connection = Connection::new(state, context, headers, place, socket);
        let close = connection.run().await;
        connection.close(close).await;
    })
}

/// Whether a page of this origin may connect: no page at all, one of this server's own host, or one that is allowed.
pub(super) fn may_connect(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let is_own =
        own.is_some_and(|own| origin.split_once("://").is_some_and(|(_, host)| host.eq_ignore_ascii_case(own)));
    is_own || origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin))
}

/// An operation that is being answered.
struct Operation {
    id: String,
    answers: BoxStream<'static, Answer>,
    answered: bool,
    /// Whether it goes on until it is ended.
    goes_on: bool,
}

struct Connection {
    state: AppState,
    context: RequestContext,
    headers: HeaderMap,
    place: Place,
    socket: WebSocket,
    /// Who it is, once that was said.
    pass: Option<Pass>,
    operations: Vec<Operation>,
    /// Whose turn it is among the operations.
    turn: usize,
    opened: Instant,
    asked: Instant,
    heard: Instant,
    pinged: Instant,
}

/// How a connection ends: nothing is said to somebody who left.
type Ended = Option<(Close, String)>;

fn ends<T>(close: Close) -> Result<T, Ended> {
    Err(Some((close, String::new())))
}

impl Connection {
    fn new(state: AppState, context: RequestContext, headers: HeaderMap, place: Place, socket: WebSocket) -> Self {
        let now = Instant::now();
        Self {
            state,
            context,
            headers,
            place,
            socket,
            pass: None,
            operations: Vec::new(),
            turn: 0,
            opened: now,
            asked: now,
            heard: now,
            pinged: now,
        }
    }

    async fn run(&mut self) -> Ended {
        let mut ticks = interval(POLL_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let draining = self.state.lifecycle.draining();
        loop {
            let step = tokio::select! {
                biased;
                () = draining.cancelled() => {
                    let _ = timeout(FINISH_WITHIN, self.finish()).await;
                    ends(Close::Restart)
                }
                _ = ticks.tick() => self.look().await,
                said = self.socket.recv() => match said {
                    Some(Ok(said)) => self.take(said).await,
                    Some(Err(error)) if is_too_large(&error) => ends(Close::TooLarge),
                    // Not as the protocol of the wire wants it; the library has closed it then.
                    Some(Err(_)) | None => Err(None),
                },
                (at, answer) = answers(&mut self.operations, self.turn) => {
                    self.turn = at + 1;
                    self.pass_on(at, answer).await
                }
            };
            if let Err(ended) = step {
                return ended;
            }
        }
    }

    /// Lets what is answered once be answered; whatever goes on is cut off.
    async fn finish(&mut self) {
        self.operations.retain(|operation| !operation.goes_on);
        while !self.operations.is_empty() {
            let (at, answer) = answers(&mut self.operations, 0).await;
            if self.pass_on(at, answer).await.is_err() {
                return;
            }
        }
    }

    /// What has to be looked at from time to time.
    async fn look(&mut self) -> Result<(), Ended> {
        let Some(pass) = &self.pass else {
            return if self.opened.elapsed() > INIT_WITHIN { ends(Close::InitTimeout) } else { Ok(()) };
        };
        if let Err(error) = self.state.services.accounts.check(pass).await {
            return ends(close_for(&error));
        }
        if self.heard.elapsed() > GONE_AFTER {
            return Err(None);
        }
        let is_idle = self.operations.is_empty() && self.asked.elapsed() > STRANGERS_IDLE;
        if is_idle && *pass.actor() == Actor::Anonymous {
            return ends(Close::Later);
        }
        if self.heard.elapsed().min(self.pinged.elapsed()) > PING_EVERY {
            self.pinged = Instant::now();
            self.send(Message::Ping(bytes::Bytes::new())).await?;
        }
        Ok(())
    }

    async fn take(&mut self, said: Message) -> Result<(), Ended> {
        self.heard = Instant::now();
        let text = match said {
            Message::Text(text) => text,
            Message::Binary(_) => return ends(Close::Invalid),
            Message::Close(_) => return Err(None),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        match Said::read(&text) {
            None => ends(Close::Invalid),
            Some(Said::Ping) => self.send(pong()).await,
            Some(Said::Pong) => Ok(()),
            Some(Said::ConnectionInit { .. }) if self.pass.is_some() => ends(Close::SecondInit),
            Some(Said::ConnectionInit { payload }) => self.init(payload.unwrap_or_default()).await,
            Some(Said::Subscribe { id, payload }) => self.subscribe(id, payload).await,
            Some(Said::Complete { id }) => {
                self.operations.retain(|operation| operation.id != id);
                Ok(())
            }
        }
    }

    /// Learns who it is: by what was said, or else by the headers of the upgrade.
    async fn init(&mut self, init: message::Init) -> Result<(), Ended> {
        let accounts = &self.state.services.accounts;
        let admitted = match &init.authorization {
            Some(bearer) => admit_bearer(accounts, bearer).await,
            None => admit(accounts, &self.headers).await,
        };
        let pass = match admitted {
            Ok(pass) => pass,
            Err(error) => {
                // Whoever tries tokens pays for it, as everywhere; where it ends anyway nobody needs to be told what is left.
                self.state.door.charge(&Pass::ANONYMOUS, self.context.address, door::REFUSED).await;
                let lapsed = error.refused_as().code == AccountRefusal::TokenInvalid.code();
                return ends(if lapsed { Close::Forbidden } else { Close::Later });
            }
        };
        if let Some(wish) = &init.accept_language {
            self.context.locale = Locale::negotiate(wish);
        }
        if *pass.actor() != Actor::Anonymous {
            match self.state.streams.enter(pass.actor(), self.context.address) {
                Ok(place) => self.place = place,
                Err(_) => return ends(Close::Later),
            }
        }
        self.pass = Some(pass);
        self.send(ack()).await
    }

    async fn subscribe(&mut self, id: String, parameters: Parameters) -> Result<(), Ended> {
        let Some(pass) = &self.pass else { return ends(Close::Unauthorized) };
        self.asked = Instant::now();
        if self.operations.iter().any(|operation| operation.id == id) {
            return Err(Some((Close::Duplicate, id)));
        }
        if self.operations.len() >= MOST_OPERATIONS {
            let refused = Answer::failed(&GraphqlRefusal::TooManyOperations.into(), &self.context);
            return self.send(error(&id, &refused)).await;
        }
        let context = RequestContext::again(&self.context, self.state.ports.ids.as_ref());
        let caller = Caller { pass: pass.clone(), context, key: None, safe: false, streams: true };
        let checked = self.state.graphql.check(&caller, vec![parameters.into()]);
        let left = self.state.door.charge(&caller.pass, self.context.address, checked.cost).await;
        if let Some(Err(limit)) = left.map(Left::check) {
            return self.send(error(&id, &Answer::failed(&limit, &caller.context))).await;
        }
        let goes_on = checked.goes_on();
        let state = self.state.clone();
        // Even what is answered once is answered beside what else was asked for, in a place as any other request has.
        let answers = async move {
            let place = state.capacity.enter().await;
            if place.is_none() {
                let refused = Answer::failed(&HttpRefusal::Overloaded.into(), &caller.context);
                return stream::once(ready(refused)).boxed();
            }
            graphql::answers(&state, &caller, checked).await
        };
        let answers = stream::once(answers).flatten().boxed();
        self.operations.push(Operation { id, answers, answered: false, goes_on });
        Ok(())
    }

    /// Passes on what an operation has to say, or that it has said everything.
    async fn pass_on(&mut self, at: usize, answer: Option<Answer>) -> Result<(), Ended> {
        let Some(operation) = self.operations.get_mut(at) else { return Ok(()) };
        let Some(answer) = answer else {
            let operation = self.operations.swap_remove(at);
            return self.send(complete(&operation.id)).await;
        };
        let is_refused = !operation.answered && answer.outcome == Outcome::Refused;
        if !operation.answered {
            self.state.metrics.operation(answer.kind, answer.outcome);
        }
        operation.answered = true;
        if is_refused {
            let operation = self.operations.swap_remove(at);
            return self.send(error(&operation.id, &answer)).await;
        }
        let message = next(&operation.id, &answer);
        self.send(message).await
    }

    /// Sends a message; whoever does not take it in time is dropped.
    async fn send(&mut self, message: Message) -> Result<(), Ended> {
        match timeout(SLOWEST, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => ends(Close::Later),
        }
    }

    /// Says why it ends, and waits a moment for the client to have heard.
    async fn close(&mut self, ended: Ended) {
        self.operations.clear();
        let Some((close, of)) = ended else { return };
        let goodbye = async {
            if self.socket.send(close.frame(&of)).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        // Whoever does not answer is left.
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }
}

/// The next answer of any operation, in turn: which one, and nothing when it has said everything.
async fn answers(operations: &mut [Operation], turn: usize) -> (usize, Option<Answer>) {
    poll_fn(|context| {
        let many = operations.len();
        for at in (0..many).map(|n| (turn + n) % many) {
            if let Some(operation) = operations.get_mut(at)
                && let Poll::Ready(answer) = operation.answers.poll_next_unpin(context)
            {
                return Poll::Ready((at, answer));
            }
        }
        Poll::Pending
    })
    .await
}

/// Whether a message was larger than what is taken.
fn is_too_large(error: &axum::Error) -> bool {
    let told = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    told.contains("Space limit exceeded")
}

/// How a connection is closed whose pass does not let in any more.
fn close_for(error: &Error) -> Close {
    match error.refused_as().code {
        code if code == AccountRefusal::SessionEnded.code() => Close::Unauthorized,
        code if code == AccountRefusal::TokenInvalid.code() => Close::Forbidden,
        _ => Close::Later,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn pages_of_other_origins_stay_out() {
        let ask = |origin: Option<&'static str>, allowed: &[&str]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("api.daira.example:8000"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            may_connect(&headers, &allowed.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert!(ask(None, &[]), "no page at all");
        assert!(ask(Some("https://api.daira.example:8000"), &[]));
        assert!(ask(Some("https://daira.example"), &["https://daira.example"]));
        assert!(ask(Some("https://evil.example"), &["*"]));
        for evil in ["https://evil.example", "null", "https://daira.example.evil.example", "https://api.daira.example"]
        {
            assert!(!ask(Some(evil), &["https://daira.example"]), "{evil}");
        }
    }
}
