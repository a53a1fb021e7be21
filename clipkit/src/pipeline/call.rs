use std::future::Future;
use std::time::Duration;

use crate::context::{Context, Event};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Stage;

/// The time a stage has to stop after a cancel. Then it is abandoned, so that a run ends within a
/// second.
const STOP_TIMEOUT: Duration = Duration::from_millis(700);

/// Runs one stage on its own task and waits for it. Events and errors carry the stage, and the clip
/// of `cx`. Returns even if the stage hangs, panics or ignores a cancel.
pub(super) async fn call<T, F>(cx: &Context, stage: Stage, work: impl FnOnce(Context) -> F) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let cx = cx.for_stage(stage);
    cx.check()?;
    let clip = cx.clip();
    cx.emit(&Event::Started { stage, clip });
    // Cancelled on drop, so that threads stop that work for a dropped call.
    let child = CancelOnDrop(cx.child());
    let mut task = AbortOnDrop(tokio::spawn(work(child.0.clone())));
    let timeout = async {
        cx.cancelled().await;
        tokio::time::sleep(STOP_TIMEOUT).await;
    };
    let answer = tokio::select! {
        biased;
        answer = &mut task.0 => answer.unwrap_or_else(|_| Err(Error::new(ErrorKind::Contract, format!("the {stage} stage panicked")))),
        () = timeout => Err(Error::cancelled()),
    };
    match answer {
        // An error after a cancel counts as cancelled.
        Err(error) if cx.is_cancelled() && !error.is_cancelled() => Err(cx.label(Error::cancelled().with_source(error))),
        Err(error) => Err(cx.label(error)),
        Ok(answer) => {
            cx.emit(&Event::Finished { stage, clip });
            Ok(answer)
        }
    }
}

/// Aborts a task when the waiting future is dropped.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct CancelOnDrop(Context);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
