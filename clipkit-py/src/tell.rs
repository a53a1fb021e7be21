//! One thread that tells Python: events, log records and ends of calls arrive in the order in which they happened, and no thread that
//! decodes or encodes ever waits for the interpreter.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

type Message = Box<dyn FnOnce(Python<'_>) + Send>;

static TELL: OnceLock<Sender<Message>> = OnceLock::new();

/// Has `message` run with the interpreter attached, after those before it. Nothing happens once the interpreter is ending.
pub(crate) fn tell(message: impl FnOnce(Python<'_>) + Send + 'static) {
    let sender = TELL.get_or_init(|| {
        let (sender, receiver) = channel();
        // Without a thread nobody is told; the runtime, made before, would have failed first.
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

/// Threads of ours that run Python code hold it for reading; whoever ends the interpreter holds it for writing, for ever.
static OPEN: RwLock<()> = RwLock::new(());
/// How long the end of the interpreter waits for Python code that runs in our threads.
const LAST_CALL: Duration = Duration::from_secs(5);

/// Does `work` with the interpreter attached, on a thread of ours. An ending interpreter ends, in most versions, each thread that wants
/// it, in a way that no Rust code on that thread survives: from then on this waits instead, as long as the process still lasts.
pub(crate) fn attached<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _open = OPEN.read().unwrap_or_else(PoisonError::into_inner);
    Python::try_attach(work)
}

/// Keeps our threads from the interpreter, when none of them is in it any more.
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
