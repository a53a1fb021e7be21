//! Ctrl-C: the first asks the work to stop, the second ends the process.

use std::future::Future;
use std::time::Duration;

use clipkit::{Context, Error, ErrorKind, Result};
use tokio_util::sync::CancellationToken;

/// How long work may take to stop before it is left alone; the pipeline itself stops sooner.
const PATIENCE: Duration = Duration::from_millis(800);
/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Whether someone asked this process to end.
#[derive(Clone)]
pub(crate) struct Interrupt {
    token: CancellationToken,
}

impl Interrupt {
    /// Listens for Ctrl-C and for requests to terminate.
    pub(crate) fn watch() -> Result<Self> {
        let refused = |error: std::io::Error| Error::new(ErrorKind::Io, format!("cannot listen for Ctrl-C: {error}"));
        let mut signals = Signals::new().map_err(refused)?;
        let token = CancellationToken::new();
        let asked = token.clone();
        tokio::spawn(async move {
            signals.next().await;
            asked.cancel();
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
        Ok(Interrupt { token })
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits for work that runs under `cx`; stops it where someone asks to.
    pub(crate) async fn guard<T>(&self, cx: &Context, work: impl Future<Output = Result<T>>) -> Result<T> {
        let stop = async {
            self.token.cancelled().await;
            cx.cancel();
            tokio::time::sleep(PATIENCE).await;
        };
        tokio::select! {
            biased;
            answer = work => answer,
            () = stop => Err(Error::cancelled()),
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        // Cannot fail after the first call, and then there is nothing to wait for.
        let _ = tokio::signal::ctrl_c().await;
    }
}
