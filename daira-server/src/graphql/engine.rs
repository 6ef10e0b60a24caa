//! Runs GraphQL operations: finds the document, checks it, executes it in time, and answers.

use std::future::ready;
use std::sync::Arc;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{Request, Response, Value, Variables};
use daira_core::account::Pass;
use daira_core::idempotency::IdempotencyKey;
use daira_core::{Actor, Ports};
use futures_util::stream::{self, BoxStream, StreamExt};

use super::answer::{Answer, kind_name};
use super::complete::complete;
use super::document::{Checked, RecentDocuments, Refused, Shape, check};
use super::persisted::Persisted;
use super::refusal::GraphqlRefusal;
use super::schema::{self, Schema};
use super::scope::Live;
use super::settings::{GraphqlSettings, Limits};
use crate::door;
use crate::http::{HttpSettings, RequestContext};
use crate::state::Services;

/// One operation as it was asked for.
#[derive(Debug, Default)]
pub struct Operation {
    /// The document.
    pub text: Option<String>,
    /// Which of its operations.
    pub name: Option<String>,
    /// The values of its variables.
    pub variables: Variables,
    /// The SHA-256 of the document, in hexadecimal digits.
    pub hash: Option<String>,
}

/// Who asks for operations, and how.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who, and what they may.
    pub pass: Pass,
    /// The request's id and language.
    pub context: RequestContext,
    /// A key for its mutations.
    pub key: Option<IdempotencyKey>,
    /// Whether nothing may be changed: the method promises so.
    pub safe: bool,
    /// Whether more than one answer can be sent.
    pub streams: bool,
}

/// The operations of one request, each checked or refused.
#[derive(Debug)]
pub(crate) struct Asked {
    operations: Vec<Result<Prepared, Refused>>,
    /// What executing them costs, in points.
    pub(crate) cost: u32,
}

impl Asked {
    /// Whether it is answered more than once.
    pub(crate) fn goes_on(&self) -> bool {
        self.operations.iter().flatten().any(|operation| operation.checked.kind == OperationType::Subscription)
    }
}

/// Runs operations against the schema.
pub struct Engine {
    schema: Schema,
    live: Schema,
    shape: Arc<Shape>,
    persisted: Persisted,
    recent: RecentDocuments,
    settings: GraphqlSettings,
    development: bool,
    ports: Ports,
    services: Arc<Services>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// An operation that may be executed.
#[derive(Debug)]
struct Prepared {
    document: Arc<ExecutableDocument>,
    name: Option<String>,
    variables: Variables,
    checked: Checked,
}

impl Engine {
    /// Over these ports and use cases.
    pub fn new(ports: &Ports, services: &Arc<Services>, settings: &HttpSettings) -> Self {
        let schema = schema::build();
        Self {
            shape: Arc::new(Shape::read(&schema.sdl())),
            live: schema::build_live(settings.graphql.timeout),
            schema,
            persisted: Persisted::new(&settings.graphql.documents),
            recent: RecentDocuments::default(),
            settings: settings.graphql.clone(),
            development: settings.development,
            ports: ports.clone(),
            services: Arc::clone(services),
        }
    }

    /// Checks operations of one request and tells their price.
    pub(crate) fn check(&self, caller: &Caller, operations: Vec<Operation>) -> Asked {
        let mut operations: Vec<_> = operations.into_iter().map(|operation| self.prepare(caller, operation)).collect();
        let guesses: usize = operations.iter().flatten().map(|operation| operation.checked.guesses).sum();
        let price = |operation: &Result<Prepared, Refused>| {
            operation.as_ref().map_or(door::REFUSED, |fit| u32::try_from(fit.checked.cost).unwrap_or(u32::MAX))
        };
        let cost = operations.iter().map(price).fold(0, u32::saturating_add);
        if guesses > 1 {
            for operation in &mut operations {
                if operation.as_ref().is_ok_and(|operation| operation.checked.guesses > 0) {
                    *operation = Err(GraphqlRefusal::Repeated.into());
                }
            }
        }
        Asked { operations, cost }
    }

    /// Answers checked operations, one after the other.
    pub(crate) async fn answer(&self, caller: &Caller, asked: Asked) -> Vec<Answer> {
        let Asked { operations, .. } = asked;
        let mut answers = Vec::with_capacity(operations.len());
        for operation in operations {
            answers.push(match operation {
                Ok(operation) => self.execute(caller, operation).await,
                Err(refused) => Answer::refused(&refused, &caller.context),
            });
        }
        answers
    }

    /// Finds and checks the document.
    fn prepare(&self, caller: &Caller, operation: Operation) -> Result<Prepared, Refused> {
        let Operation { text, name, variables, hash } = operation;
        let text = self.persisted.find(text, hash.as_deref())?;
        if variables.values().any(|value| is_too_long(value, &self.settings.limits)) {
            return Err(GraphqlRefusal::VariableTooLong.into());
        }
        let limits = &self.settings.limits;
        let document = self.recent.read(Arc::clone(&text), limits)?;
        let checked = check(&document, name.as_deref(), &variables, &self.shape, limits, self.development)?;
        if checked.kind == OperationType::Subscription && !caller.streams {
            return Err(GraphqlRefusal::Subscription.into());
        }
        if checked.kind == OperationType::Mutation && caller.safe {
            return Err(GraphqlRefusal::MutationOverGet.into());
        }
        if checked.introspects && !self.development && *caller.pass.actor() == Actor::Anonymous {
            return Err(GraphqlRefusal::IntrospectionOff.into());
        }
        self.persisted.remember(&text, hash.as_deref());
        Ok(Prepared { document, name, variables, checked })
    }

    async fn execute(&self, caller: &Caller, operation: Prepared) -> Answer {
        let Prepared { document, name, variables, checked } = operation;
        let kind = kind_name(checked.kind);
        if let Err(error) = caller.pass.may(checked.needs) {
            return Answer { kind, ..Answer::failed(&error, &caller.context) };
        }
        let scope = self.live(caller).scope();
        let request = request(&document, name.as_ref(), variables).data(scope);
        // Dropping the execution drops its view or unit with it, and the store stops working on it.
        match tokio::time::timeout(self.settings.timeout, self.schema.execute(request)).await {
            Ok(mut response) => {
                completed(&mut response, &document, name.as_deref(), &self.shape);
                Answer::executed(&response, kind, &caller.context)
            }
            Err(_) => Answer { kind, ..Answer::refused(&GraphqlRefusal::TimedOut.into(), &caller.context) },
        }
    }

    /// Answers one checked operation as often as there is something to answer: a query or mutation once, a subscription for
    /// each event.
    pub(crate) async fn stream(&self, caller: &Caller, asked: Asked) -> BoxStream<'static, Answer> {
        let Asked { operations, .. } = asked;
        match operations.into_iter().next() {
            Some(Ok(operation)) if operation.checked.kind == OperationType::Subscription => {
                match caller.pass.may(operation.checked.needs) {
                    Ok(()) => self.subscribe(caller, operation),
                    Err(error) => stream::once(ready(Answer::failed(&error, &caller.context))).boxed(),
                }
            }
            Some(Ok(operation)) => {
                let answer = self.execute(caller, operation).await;
                stream::once(ready(answer)).boxed()
            }
            Some(Err(refused)) => stream::once(ready(Answer::refused(&refused, &caller.context))).boxed(),
            None => stream::empty().boxed(),
        }
    }

    fn subscribe(&self, caller: &Caller, operation: Prepared) -> BoxStream<'static, Answer> {
        let Prepared { document, name, variables, checked } = operation;
        let live = self.live(caller);
        let request = request(&document, name.as_ref(), variables).data(live.scope()).data(live);
        let (shape, context, kind) = (Arc::clone(&self.shape), caller.context.clone(), kind_name(checked.kind));
        // Whoever is told things as they happen is there.
        let here = self.services.activity.enter(&caller.pass);
        let answers = self.live.execute_stream(request).map(move |mut response| {
            let _here = &here;
            completed(&mut response, &document, name.as_deref(), &shape);
            Answer::executed(&response, kind, &context)
        });
        answers.boxed()
    }

    fn live(&self, caller: &Caller) -> Live {
        Live {
            actor: caller.pass.actor().clone(),
            locale: caller.context.locale,
            address: caller.context.address,
            key: caller.key.clone(),
            services: Arc::clone(&self.services),
            store: Arc::clone(&self.ports.store),
            clock: Arc::clone(&self.ports.clock),
        }
    }
}

fn request(document: &ExecutableDocument, name: Option<&String>, variables: Variables) -> Request {
    let mut request = Request::new(String::new()).variables(variables);
    request.operation_name = name.cloned();
    request.set_parsed_query(document.clone());
    request
}

fn completed(response: &mut Response, document: &ExecutableDocument, name: Option<&str>, shape: &Shape) {
    if response.errors.iter().all(|error| error.path.is_empty()) {
        return;
    }
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) => operations.values().next(),
    };
    if let Some(operation) = operation {
        let paths = response.errors.iter().filter(|e| !e.path.is_empty()).map(|error| error.path.as_slice());
        complete(&mut response.data, paths, document, &operation.node, shape);
    }
}

/// Whether a value holds a string or list that is longer than any field takes.
fn is_too_long(value: &Value, limits: &Limits) -> bool {
    match value {
        Value::String(text) => text.len() > limits.variable,
        Value::List(items) => items.len() > limits.items || items.iter().any(|item| is_too_long(item, limits)),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.len() > limits.variable || is_too_long(value, limits))
        }
        _ => false,
    }
}
