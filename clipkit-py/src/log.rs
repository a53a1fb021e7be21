//! Log records of the crate, for the logger `clipkit` of Python's `logging`.

use std::fmt::Write;
use std::sync::atomic::{AtomicU8, Ordering};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::tell::tell;

/// The effective level of the logger, as Python's number.
static LEVEL: AtomicU8 = AtomicU8::new(u8::MAX);

/// Sends log records to Python, unless the process has another subscriber.
pub(crate) fn to_python() {
    let _ = tracing::subscriber::set_global_default(ToPython);
}

/// Reads the logger's level again. Each call does so when it begins, as the interpreter is
/// attached.
pub(crate) fn set_level(py: Python<'_>) {
    let level = || py.import("logging")?.getattr("getLogger")?.call1(("clipkit",))?.call_method0("getEffectiveLevel")?.extract::<u8>();
    LEVEL.store(level().unwrap_or(u8::MAX), Ordering::Relaxed);
}

struct ToPython;

impl Subscriber for ToPython {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("clipkit") && number(metadata.level()) >= LEVEL.load(Ordering::Relaxed)
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The level may change, the targets do not.
        if metadata.is_event() && metadata.target().starts_with("clipkit") { Interest::sometimes() } else { Interest::never() }
    }

    fn event(&self, event: &Event<'_>) {
        let (level, mut line) = (number(event.metadata().level()), Line::default());
        event.record(&mut line);
        tell(move |py| {
            let logged = || {
                let logger = py.import("logging")?.getattr("getLogger")?.call1(("clipkit",))?;
                logger.call_method1("log", (level, "%s", format!("{}{}", line.message, line.fields)))
            };
            if let Err(error) = logged() {
                error.write_unraisable(py, None);
            }
        });
    }

    // Spans are not logged.
    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

/// Python's number of a level. `TRACE`, which Python does not have, is 5.
fn number(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
