//! One thread that delivers messages to Python. Events, log records and results arrive in order,
//! and no thread that decodes or encodes waits for the interpreter.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

type Message = Box<dyn FnOnce(Python<'_>) + Send>;

static TELL: OnceLock<Sender<Message>> = OnceLock::new();

/// Runs `message` with the interpreter attached, after the earlier messages. Does nothing while the
/// interpreter ends.
pub(crate) fn tell(message: impl FnOnce(Python<'_>) + Send + 'static) {
    let sender = TELL.get_or_init(|| {
        let (sender, receiver) = channel();
        // Where no thread can be started, the runtime has failed before.
        let _ = std::thread::Builder::new().name("clipkit-tell".into()).spawn(move || listen(&receiver));
        sender
    });
    let _ = sender.send(Box::new(message));
}

fn listen(receiver: &Receiver<Message>) {
    while let Ok(first) = receiver.recv() {
        let told = attached(|py| {
            first(py);
            receiver.try_iter().take(100).for_each(|message| message(py));
        });
        if told.is_none() {
            return;
        }
    }
}

/// Threads that run Python code hold a read lock. The end of the interpreter takes the write lock
/// and never releases it.
static OPEN: RwLock<()> = RwLock::new(());
/// How long the end of the interpreter waits for Python code on threads of this module.
const LAST_CALL: Duration = Duration::from_secs(5);

/// Runs `work` with the interpreter attached, on a thread of this module. While the interpreter
/// ends, most Python versions terminate each thread that attaches, and Rust code does not survive
/// that. From then on this blocks until the process exits.
pub(crate) fn attached<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _open = OPEN.read().unwrap_or_else(PoisonError::into_inner);
    Python::try_attach(work)
}

/// Waits until no thread of this module runs Python code, and keeps them from doing so again.
pub(crate) fn close() {
    let begun = Instant::now();
    while begun.elapsed() < LAST_CALL {
        if let Ok(closed) = OPEN.try_write() {
            std::mem::forget(closed);
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
