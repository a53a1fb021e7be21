//! One thread that tells Python: events, log records and ends of calls arrive in the order in which they happened, and no thread that
//! decodes or encodes ever waits for the interpreter.

use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};

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
        let told = Python::try_attach(|py| {
            first(py);
            receiver.try_iter().take(100).for_each(|message| message(py));
        });
        if told.is_none() {
            return;
        }
    }
}
