//! Logs: JSON lines for machines or pretty ones for the eye, always in UTC, to standard error. Whatever a value holds, it
//! begins no line and moves no cursor.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{ConfigError, Log, LogFormat, colours};

/// Libraries that write down what people send and receive when they are let say more than this, whatever the filter says.
const INDISCREET: [&str; 2] = ["tungstenite", "lettre"];

/// Starts logging for the process; call it once, first thing.
///
/// # Errors
/// When the filter cannot be understood.
pub fn init(log: &Log) -> Result<(), ConfigError> {
    // A second call, as in tests that start two servers in one process, keeps the first subscriber.
    let _first_wins = subscriber(log, std::io::stderr, colours(std::io::stderr().is_terminal()))?.try_init();
    Ok(())
}

fn subscriber(
    log: &Log,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
    coloured: bool,
) -> Result<Box<dyn Subscriber + Send + Sync>, ConfigError> {
    // What is said of such a library in particular is left out, or it would count for more than what is said of it here.
    let about_others = |part: &&str| !INDISCREET.iter().any(|library| part.trim_start().starts_with(library));
    let wanted: Vec<&str> = log.filter.split(',').filter(about_others).collect();
    let mut filter =
        EnvFilter::try_new(wanted.join(",")).map_err(|e| ConfigError::new(format!("setting log.filter: {e}")))?;
    for library in INDISCREET {
        let directive = format!("{library}=info").parse();
        filter = filter.add_directive(directive.map_err(|e| ConfigError::new(format!("{library}: {e}")))?);
    }
    let base = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(coloured)
        .with_timer(SystemTime);
    Ok(match log.format {
        LogFormat::Json => {
            Box::new(base.json().flatten_event(true).with_current_span(true).with_span_list(false).finish())
        }
        LogFormat::Pretty => {
            let fields = debug_fn(|writer, field, value| {
                let text = escaped(&format!("{value:?}"));
                if field.name() == "message" { write!(writer, "{text}") } else { write!(writer, "{field}={text}") }
            });
            Box::new(base.with_target(false).fmt_fields(fields.delimited(" ")).finish())
        }
    })
}

/// The text with its control characters spelled out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() { out.extend(character.escape_default()) } else { out.push(character) }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn security_128_no_text_of_a_person_begins_a_line_of_its_own() {
        let text = "منى\r\n{\"level\":\"ERROR\",\"message\":\"forged\"}\u{1b}[2J";
        for format in [LogFormat::Json, LogFormat::Pretty] {
            let lines = Lines::default();
            let writer = lines.clone();
            let log = Log { format, ..Log::default() };
            tracing::subscriber::with_default(subscriber(&log, move || writer.clone(), false).unwrap(), || {
                let span = tracing::info_span!("request", name = text, shown = %text);
                span.in_scope(|| tracing::warn!(name = text, shown = %text, all = ?vec![text], "{text}"));
            });
            let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert_eq!(said.trim_end_matches('\n').lines().count(), 1, "{format:?}: {said}");
            assert!(said.contains("منى") && !said.contains(['\r', '\u{1b}']), "{format:?}: {said}");
            if format == LogFormat::Json {
                let line: serde_json::Value = serde_json::from_str(&said).unwrap();
                assert_eq!((line["level"].as_str(), line["message"].as_str()), (Some("WARN"), Some(text)));
                assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "UTC");
            }
        }
        for filter in ["trace", "tungstenite=trace", "tungstenite::protocol=trace"] {
            let lines = Lines::default();
            let writer = lines.clone();
            let log = Log { filter: filter.to_owned(), ..Log::default() };
            tracing::subscriber::with_default(subscriber(&log, move || writer.clone(), false).unwrap(), || {
                tracing::trace!(target: "tungstenite::protocol", "Received message سر");
                tracing::warn!(target: "tungstenite::protocol", "broken");
            });
            let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert!(!said.contains("سر") && said.contains("broken"), "{filter}: {said}");
        }
        assert!(subscriber(&Log { filter: "a=b=c".to_owned(), ..Log::default() }, std::io::sink, false).is_err());
    }
}
