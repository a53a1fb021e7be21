//! `clipkit worker`: does the steps of jobs.

use clipkit::Result;
use clipkit::jobs::{Worker, WorkerOptions};

use super::args::WorkerArgs;
use super::interrupt::Interrupt;
use super::output::note;
use super::{jobs, limits};

/// Works until an interrupt, after which running steps may end within 10 s. A second interrupt ends
/// the process at once.
pub(crate) async fn run(args: WorkerArgs, interrupt: &Interrupt) -> Result<()> {
    let jobs = jobs::open(args.database, true).await?;
    let mut options = WorkerOptions::default();
    (options.stages, options.lease, options.until_idle) = (args.stages, args.lease, args.until_idle);
    options.limits.extend(args.limit);
    options.rates.extend(args.rate);
    let cx = limits::builder().build();
    let worker = Worker::new(jobs).options(options).run(&cx);
    tokio::pin!(worker);
    tokio::select! {
        biased;
        ended = &mut worker => ended,
        () = interrupt.asked() => {
            note("stopping: running steps end or are handed back");
            cx.cancel();
            worker.await
        }
    }
}
