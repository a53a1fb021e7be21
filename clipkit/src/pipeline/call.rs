use std::future::Future;
use std::time::Duration;

use crate::context::{Context, Event};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Stage;

/// How long a stage may take to stop after a cancel. After that it is abandoned, so that a run ends
/// within a second.
const GRACE: Duration = Duration::from_millis(700);

/// Runs one stage on a task of its own and waits for it, under the stage and clip that `cx` speaks
/// for. It answers even where the stage hangs, panics or ignores a cancel.
pub(super) async fn call<T, F>(cx: &Context, stage: Stage, work: impl FnOnce(Context) -> F) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let cx = cx.for_stage(stage);
    cx.check()?;
    let clip = cx.clip();
    cx.emit(&Event::Started { stage, clip });
    // Threads that still work for a call that was dropped stop.
    let child = CancelOnDrop(cx.child());
    let mut task = AbortOnDrop(tokio::spawn(work(child.0.clone())));
    let too_long = async {
        cx.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let answer = tokio::select! {
        biased;
        answer = &mut task.0 => answer.unwrap_or_else(|_| Err(Error::new(ErrorKind::Contract, format!("the {stage} stage panicked")))),
        () = too_long => Err(Error::cancelled()),
    };
    match answer {
        // What failed because of the cancel has not failed by itself.
        Err(error) if cx.is_cancelled() && !error.is_cancelled() => Err(cx.label(Error::cancelled().with_source(error))),
        Err(error) => Err(cx.label(error)),
        Ok(answer) => {
            cx.emit(&Event::Finished { stage, clip });
            Ok(answer)
        }
    }
}

/// A task that ends with whoever waits for it.
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
