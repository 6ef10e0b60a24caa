//! Every statement that the store sends, as it is sent.

use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// A log of statements; it hears what runs on the thread that it was opened on.
#[derive(Debug, Clone, Default)]
pub(super) struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// Opens a log, until the guard is dropped.
    pub(super) fn open() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing_subscriber::registry().with(log.clone()).set_default();
        (log, guard)
    }

    /// What was sent since this was asked last, each on one line.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[derive(Default)]
struct Text {
    summary: String,
    statement: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.statement = value.to_owned(),
            _ => {}
        }
    }
    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        // A short statement is its own summary.
        let statement = if text.statement.is_empty() { text.summary } else { text.statement };
        self.0.lock().unwrap().push(statement.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}
