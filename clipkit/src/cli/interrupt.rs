//! Ctrl-C: the first one cancels the work, the second one ends the process.

use std::future::Future;
use std::time::Duration;

use clipkit::{Context, Error, ErrorKind, Result};
use tokio_util::sync::CancellationToken;

use super::exit;

/// The time that cancelled work has to stop before it is abandoned. The pipeline stops earlier.
const STOP_TIMEOUT: Duration = Duration::from_millis(800);
/// The exit code of a process that was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Tells whether an interrupt was requested.
#[derive(Clone)]
pub(crate) struct Interrupt {
    token: CancellationToken,
}

impl Interrupt {
    /// Listens for Ctrl-C and termination signals.
    pub(crate) fn watch() -> Result<Self> {
        let refused = |error: std::io::Error| Error::new(ErrorKind::Io, format!("cannot listen for Ctrl-C: {error}"));
        let mut signals = Signals::new().map_err(refused)?;
        let token = CancellationToken::new();
        let asked = token.clone();
        tokio::spawn(async move {
            signals.next().await;
            asked.cancel();
            signals.next().await;
            exit::at_once(INTERRUPTED);
        });
        Ok(Interrupt { token })
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits for an interrupt.
    pub(crate) async fn asked(&self) {
        self.token.cancelled().await;
    }

    /// Waits for work that runs under `cx`, and cancels it on an interrupt.
    pub(crate) async fn guard<T>(&self, cx: &Context, work: impl Future<Output = Result<T>>) -> Result<T> {
        let stop = async {
            self.token.cancelled().await;
            cx.cancel();
            tokio::time::sleep(STOP_TIMEOUT).await;
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
        // Only the first call can fail; then no signal can be awaited.
        let _ = tokio::signal::ctrl_c().await;
    }
}
