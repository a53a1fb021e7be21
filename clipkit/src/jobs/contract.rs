//! The contract of [`Engine`] as tests that any engine can run.
//!
//! Each function is a test. It takes an [`Open`], makes a queue of its own, and panics with a
//! message where the engine breaks the contract. [`all`] runs every test but [`many_tasks`]. The
//! tests use real time and take some seconds together.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::{Claim, Claimed, Decision, Engine, Held, JobId, NewTask, Rate, Serving, Standing, Step, Task, TaskFilter, TaskId, TaskState};
use crate::error::{Error, ErrorKind, ErrorReport, Result};

/// Opens a handle to the queue with a name. The same name is the same queue; a new name is an empty
/// one.
pub type Open = dyn Fn(&str) -> Result<Arc<dyn Engine>> + Send + Sync;

const LEASE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);

/// Runs every test but [`many_tasks`].
pub async fn all(open: &Open) -> Result<()> {
    late_results_are_refused(open).await?;
    a_task_that_kills_its_worker_is_dead_after_its_attempts(open).await?;
    successors_come_with_the_completion_and_once(open).await?;
    dropped_calls_leave_nothing_half_done(open).await?;
    priorities_come_in_order(open).await?;
    delays_are_wall_clock_times_that_survive_a_restart(open).await?;
    users_take_turns(open).await?;
    a_paused_queue_gives_no_task(open).await?;
    cancelled_tasks_do_not_run_and_have_no_successors(open).await?;
    dead_letters_are_listed_replayed_and_removed(open).await?;
    a_rate_holds_over_all_workers(open).await?;
    limits_hold_over_all_workers(open).await?;
    exclusive_tasks_run_one_after_the_other(open).await?;
    waits_that_do_not_count_use_up_no_attempt(open).await
}

fn task(job: &str, step: Step) -> Result<NewTask> {
    Ok(NewTask::new(TaskId::new(job.parse()?, step)))
}

fn asking(worker: &str, queue: &str, lease: Duration) -> Claim {
    Claim::new(worker, vec![Serving::new(queue)], lease)
}

async fn claim(engine: &dyn Engine, queue: &str) -> Result<Option<Claimed>> {
    engine.claim(&asking("contract", queue, LEASE)).await
}

/// Claims a task that must be there.
async fn claimed(engine: &dyn Engine, claim: &Claim) -> Result<Claimed> {
    let found = engine.claim(claim).await?;
    found.ok_or_else(|| Error::new(ErrorKind::Contract, format!("there is a task, and {claim:?} got none")))
}

async fn job_of_next(engine: &dyn Engine, queue: &str) -> Result<String> {
    Ok(claim(engine, queue).await?.map(|task| task.held.id.job().to_string()).unwrap_or_default())
}

async fn only(engine: &dyn Engine, job: &str) -> Result<Task> {
    let mut tasks = engine.list(&TaskFilter::of_job(&job.parse()?)).await?;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    tasks.pop().ok_or_else(Error::cancelled)
}

fn report() -> ErrorReport {
    ErrorReport::new(ErrorKind::Network, "down")
}

/// A worker that was stopped beyond its lease writes nothing back.
pub async fn late_results_are_refused(open: &Open) -> Result<()> {
    let (first, second) = (open("late")?, open("late")?);
    first.add(&[task("a", Step::Fetch)?]).await?;
    let stopped = claimed(&*first, &asking("stopped", "fetch", SHORT)).await?;
    assert!(claim(&*second, "fetch").await?.is_none(), "a leased task was given away");
    tokio::time::sleep(SHORT / 2).await;
    assert_eq!(first.heartbeat(std::slice::from_ref(&stopped.held), SHORT).await?, [Standing::Held]);
    tokio::time::sleep(SHORT * 2).await;
    let other = claimed(&*second, &asking("other", "fetch", LEASE)).await?;
    assert!(other.held.fence > stopped.held.fence && other.attempt == 2, "{other:?}");
    assert_eq!(first.heartbeat(std::slice::from_ref(&stopped.held), LEASE).await?, [Standing::Lost]);
    assert!(!first.complete(&stopped.held, &[task("a", Step::Transcribe)?]).await?, "a late result was taken");
    assert!(!first.fail(&stopped.held, &report(), Decision::Dead).await?, "a late error was taken");
    assert!(claim(&*first, "transcribe").await?.is_none(), "a late result has successors");
    assert!(second.complete(&other.held, &[task("a", Step::Transcribe)?]).await?);
    assert!(!second.complete(&other.held, &[]).await?, "a task was completed twice");
    assert!(claim(&*first, "transcribe").await?.is_some());
    Ok(())
}

/// Attempts are counted at the claim.
pub async fn a_task_that_kills_its_worker_is_dead_after_its_attempts(open: &Open) -> Result<()> {
    let engine = open("killer")?;
    engine.add(&[task("killer", Step::Fetch)?, task("neighbour", Step::Fetch)?]).await?;
    let mut starts = 0;
    let begun = Instant::now();
    while only(&*engine, "killer").await?.state != TaskState::Dead && begun.elapsed() < SHORT * 20 {
        match engine.claim(&asking("w", "fetch", SHORT / 4)).await? {
            Some(task) if task.held.id.job().as_str() == "neighbour" => assert!(engine.complete(&task.held, &[]).await?),
            Some(_) => starts += 1,
            None => tokio::time::sleep(SHORT / 10).await,
        }
    }
    let killer = only(&*engine, "killer").await?;
    assert_eq!((killer.state, killer.starts, starts), (TaskState::Dead, 3, 3), "{killer:?}");
    assert!(killer.error.is_some());
    assert_eq!(only(&*engine, "neighbour").await?.state, TaskState::Done);
    Ok(())
}

/// Successors are added with the completion, and known tasks are left alone.
pub async fn successors_come_with_the_completion_and_once(open: &Open) -> Result<()> {
    let engine = open("successors")?;
    assert_eq!(engine.add(&[task("a", Step::Score)?, task("a", Step::Score)?]).await?, 1);
    let held = claimed(&*engine, &asking("w", "score", LEASE)).await?.held;
    assert_eq!(engine.add(&[task("a", Step::Score)?]).await?, 0);
    let clips = [task("a", Step::Track(1))?, task("a", Step::Track(2))?];
    assert!(engine.complete(&held, &clips).await?);
    assert_eq!(engine.add(&clips).await?, 0, "successors were added twice");
    let states: Vec<TaskState> = engine.list(&TaskFilter::default()).await?.iter().map(|task| task.state).collect();
    assert_eq!(states, [TaskState::Done, TaskState::Waiting, TaskState::Waiting]);
    Ok(())
}

/// A caller that goes away leaves the whole effect of its call or none.
pub async fn dropped_calls_leave_nothing_half_done(open: &Open) -> Result<()> {
    let engine = open("dropped")?;
    for n in 0..20 {
        let job = format!("job{n}");
        engine.add(&[task(&job, Step::Score)?]).await?;
        let held = claimed(&*engine, &asking("w", "score", LEASE)).await?.held;
        let clips = [task(&job, Step::Track(1))?, task(&job, Step::Track(2))?];
        let _ = tokio::time::timeout(Duration::from_micros(n * 20), engine.complete(&held, &clips)).await;
        // What a dropped call began may still be under way.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut states: Vec<TaskState> = engine.list(&TaskFilter::of_job(&job.parse()?)).await?.iter().map(|task| task.state).collect();
        states.sort_unstable();
        let (whole, none) = ([TaskState::Waiting, TaskState::Waiting, TaskState::Done], [TaskState::Active]);
        assert!(states == whole || states == none, "{states:?}");
        if states == none {
            assert!(engine.complete(&held, &clips).await?, "the task was lost");
        }
    }
    Ok(())
}

/// Higher priorities first, then the oldest.
pub async fn priorities_come_in_order(open: &Open) -> Result<()> {
    let engine = open("priorities")?;
    for (job, priority) in [("low", -5), ("first", 0), ("high", 7), ("second", 0), ("higher", 8)] {
        let mut task = task(job, Step::Fetch)?;
        task.priority = priority;
        engine.add(&[task]).await?;
    }
    for expected in ["higher", "high", "first", "second", "low", ""] {
        assert_eq!(job_of_next(&*engine, "fetch").await?, expected);
    }
    Ok(())
}

/// A task with a due time starts then, also if the queue is opened anew meanwhile.
pub async fn delays_are_wall_clock_times_that_survive_a_restart(open: &Open) -> Result<()> {
    let due = SystemTime::now() + SHORT * 3;
    {
        let engine = open("delays")?;
        let mut late = task("late", Step::Fetch)?;
        late.not_before = Some(due);
        late.priority = 9;
        engine.add(&[late, task("now", Step::Fetch)?]).await?;
        assert_eq!(job_of_next(&*engine, "fetch").await?, "now");
        assert_eq!(only(&*engine, "late").await?.state, TaskState::Delayed);
    }
    let engine = open("delays")?;
    loop {
        let found = claim(&*engine, "fetch").await?;
        let late = SystemTime::now().duration_since(due);
        match found {
            Some(_) => {
                assert!(late.is_ok(), "the task started before its time");
                return Ok(());
            }
            None => assert!(late.unwrap_or_default() < Duration::from_secs(1), "the task did not start at its time"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// One user's many tasks do not starve another user's one.
pub async fn users_take_turns(open: &Open) -> Result<()> {
    let engine = open("users")?;
    let of = |user: &str, job: String| -> Result<NewTask> {
        let mut task = task(&job, Step::Fetch)?;
        task.user = user.into();
        Ok(task)
    };
    engine.add(&(0..500).map(|n| of("ann", format!("ann{n}"))).collect::<Result<Vec<_>>>()?).await?;
    assert_eq!(job_of_next(&*engine, "fetch").await?, "ann0");
    engine.add(&[of("bob", "bob0".into())?, of("bob", "bob1".into())?, of("cy", "cy0".into())?]).await?;
    let mut order = Vec::new();
    for _ in 0..7 {
        let task = claimed(&*engine, &asking("w", "fetch", LEASE)).await?;
        order.push(task.held.id.job().to_string());
        engine.complete(&task.held, &[]).await?;
    }
    // Ann has a running task, so that the others come first.
    assert_eq!(order, ["bob0", "cy0", "bob1", "ann1", "ann2", "ann3", "ann4"]);
    Ok(())
}

/// A paused queue gives no task; others do.
pub async fn a_paused_queue_gives_no_task(open: &Open) -> Result<()> {
    let (engine, other) = (open("paused")?, open("paused")?);
    engine.add(&[task("a", Step::Fetch)?, task("a", Step::Score)?]).await?;
    engine.pause("fetch").await?;
    engine.pause("fetch").await?;
    assert_eq!(other.paused().await?, ["fetch"]);
    assert!(claim(&*other, "fetch").await?.is_none());
    assert!(claim(&*other, "score").await?.is_some());
    other.resume("fetch").await?;
    assert!(engine.paused().await?.is_empty());
    assert!(claim(&*engine, "fetch").await?.is_some());
    Ok(())
}

/// Cancelling concerns waiting, delayed and running tasks.
pub async fn cancelled_tasks_do_not_run_and_have_no_successors(open: &Open) -> Result<()> {
    let engine = open("cancelled")?;
    let mut delayed = task("a", Step::Track(2))?;
    delayed.not_before = Some(SystemTime::now() + LEASE);
    engine.add(&[task("a", Step::Track(1))?]).await?;
    let running = claimed(&*engine, &asking("w", "track", LEASE)).await?.held;
    engine.add(&[task("a", Step::Track(3))?, delayed, task("b", Step::Track(1))?]).await?;
    assert_eq!(engine.cancel(&"a".parse::<JobId>()?).await?, 3);
    assert_eq!(job_of_next(&*engine, "track").await?, "b");
    assert!(claim(&*engine, "track").await?.is_none());
    assert_eq!(engine.heartbeat(std::slice::from_ref(&running), LEASE).await?, [Standing::Cancelled]);
    assert!(engine.complete(&running, &[task("a", Step::Render(1))?]).await?);
    assert!(claim(&*engine, "render").await?.is_none(), "a cancelled task has successors");
    let tasks = engine.list(&TaskFilter::of_job(&"a".parse()?)).await?;
    assert!(tasks.len() == 3 && tasks.iter().all(|task| task.state == TaskState::Cancelled), "{tasks:?}");
    assert_eq!(engine.cancel(&"a".parse::<JobId>()?).await?, 0);
    Ok(())
}

/// Dead letters keep their error, and run again only if they are replayed.
pub async fn dead_letters_are_listed_replayed_and_removed(open: &Open) -> Result<()> {
    let engine = open("dead")?;
    engine.add(&[task("a", Step::Fetch)?]).await?;
    let id = TaskId::new("a".parse()?, Step::Fetch);
    assert!(!engine.replay(&id).await? && !engine.remove(&id).await?, "a waiting task is no dead letter");
    let task = claimed(&*engine, &asking("w", "fetch", LEASE)).await?;
    assert!(engine.fail(&task.held, &report(), Decision::Dead).await?);
    assert!(claim(&*engine, "fetch").await?.is_none());
    let dead = engine.list(&TaskFilter::in_state(TaskState::Dead)).await?;
    assert!(matches!(&dead[..], [Task { error: Some(error), .. }] if *error == report()), "{dead:?}");
    assert!(engine.replay(&id).await?);
    let again = claimed(&*engine, &asking("w", "fetch", LEASE)).await?;
    assert_eq!(again.attempt, 1, "a replayed task has all its attempts");
    assert!(again.held.fence > task.held.fence, "a fence came twice");
    engine.fail(&again.held, &report(), Decision::Dead).await?;
    assert!(engine.remove(&id).await? && !engine.remove(&id).await?);
    assert!(engine.list(&TaskFilter::default()).await?.is_empty());
    Ok(())
}

/// In any period, no more tasks start than the rate allows.
pub async fn a_rate_holds_over_all_workers(open: &Open) -> Result<()> {
    let workers = [open("rate")?, open("rate")?, open("rate")?];
    let rate = Rate { starts: 5, per: Duration::from_millis(600) };
    workers[0].add(&(0..12).map(|n| task(&format!("job{n}"), Step::Transcribe)).collect::<Result<Vec<_>>>()?).await?;
    let mut serving = Serving::new("transcribe");
    serving.rate = Some(rate);
    let asked = Claim::new("w", vec![serving], LEASE);
    let mut starts: Vec<Instant> = Vec::new();
    let begun = Instant::now();
    while starts.len() < 12 && begun.elapsed() < Duration::from_secs(10) {
        for worker in &workers {
            if let Some(task) = worker.claim(&asked).await? {
                starts.push(Instant::now());
                worker.complete(&task.held, &[]).await?;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(starts.len(), 12);
    // The caller sees a start a little after it was counted.
    let slack = Duration::from_millis(50);
    for window in starts.windows(6) {
        assert!(window[5] - window[0] + slack >= rate.per, "6 starts within {:?}", window[5] - window[0]);
    }
    Ok(())
}

/// Limits of a queue and of its lanes.
pub async fn limits_hold_over_all_workers(open: &Open) -> Result<()> {
    let (one, other) = (open("limits")?, open("limits")?);
    for n in 0..6 {
        let mut task = task(&format!("job{n}"), Step::Publish(1, 0))?;
        task.lane = if n < 4 { "videos" } else { "folder" }.into();
        one.add(&[task]).await?;
    }
    let mut serving = Serving::new("publish");
    (serving.per_lane, serving.running) = (Some(2), Some(3));
    let asked = Claim::new("w", vec![serving], LEASE);
    let mut jobs = Vec::new();
    for engine in [&one, &other, &one] {
        jobs.push(claimed(&**engine, &asked).await?.held);
    }
    let names: Vec<&str> = jobs.iter().map(|held| held.id.job().as_str()).collect();
    assert_eq!(names, ["job0", "job1", "job4"], "2 of a lane, then the other lane");
    assert!(other.claim(&asked).await?.is_none(), "a fourth task runs");
    assert!(one.complete(&jobs[0], &[]).await?);
    assert_eq!(claimed(&*other, &asked).await?.held.id.job().as_str(), "job2");
    Ok(())
}

/// Of the tasks with the same exclusive value, one runs at a time.
pub async fn exclusive_tasks_run_one_after_the_other(open: &Open) -> Result<()> {
    let engine = open("exclusive")?;
    let alone = |job: &str| -> Result<NewTask> {
        let mut task = task(job, Step::Fetch)?;
        task.exclusive = Some("one video".into());
        Ok(task)
    };
    engine.add(&[alone("a")?, alone("b")?, task("c", Step::Fetch)?]).await?;
    let first = claimed(&*engine, &asking("w", "fetch", LEASE)).await?;
    assert_eq!((first.held.id.job().as_str(), &*job_of_next(&*engine, "fetch").await?), ("a", "c"));
    assert!(claim(&*engine, "fetch").await?.is_none());
    engine.complete(&first.held, &[]).await?;
    assert_eq!(job_of_next(&*engine, "fetch").await?, "b");
    Ok(())
}

/// Attempts that do not count are given back, and those that count are not.
pub async fn waits_that_do_not_count_use_up_no_attempt(open: &Open) -> Result<()> {
    let engine = open("waits")?;
    engine.add(&[task("a", Step::Fetch)?]).await?;
    for (counts, attempt) in [(false, 1), (false, 1), (true, 1), (true, 2), (false, 3), (true, 3)] {
        let task = claimed(&*engine, &asking("w", "fetch", LEASE)).await?;
        assert_eq!(task.attempt, attempt);
        let decision = Decision::Later { at: SystemTime::now(), counts };
        assert!(engine.fail(&task.held, &report(), decision).await?);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let task = only(&*engine, "a").await?;
    assert_eq!((task.attempts, task.starts), (3, 6));
    Ok(())
}

/// What [`many_tasks`] measured.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Throughput {
    /// Tasks a second, from claim to completion.
    pub per_second: f64,
    /// The median time of a claim.
    pub claim_p50: Duration,
    /// The 99th percentile.
    pub claim_p99: Duration,
    /// The longest claim.
    pub claim_max: Duration,
}

/// `count` tasks of several users and priorities, served by `workers` workers with a handle each.
/// None is lost, and none is given out twice.
pub async fn many_tasks(open: &Open, count: usize, workers: usize) -> Result<Throughput> {
    let engine = open("many")?;
    let mut tasks = Vec::new();
    for n in 0..count {
        let mut task = task(&format!("job{n}"), Step::Fetch)?;
        (task.user, task.priority) = (format!("user{}", n % 7), i32::try_from(n % 3).unwrap_or(0));
        tasks.push(task);
    }
    for batch in tasks.chunks(500) {
        engine.add(batch).await?;
    }
    let begun = Instant::now();
    let mut running = Vec::new();
    for worker in 0..workers {
        let engine = open("many")?;
        running.push(tokio::spawn(async move {
            let asked = asking(&format!("worker{worker}"), "fetch", LEASE);
            let (mut done, mut times) = (Vec::new(), Vec::new());
            loop {
                let begun = Instant::now();
                let Some(Claimed { held, .. }) = engine.claim(&asked).await? else { break };
                times.push(begun.elapsed());
                assert!(engine.complete(&held, &[]).await?, "{held:?} was lost");
                done.push(held);
            }
            Ok::<_, Error>((done, times))
        }));
    }
    let (mut seen, mut times) = (HashMap::new(), Vec::new());
    for worker in running {
        let (done, taken) = worker.await.map_err(|join| Error::new(ErrorKind::Contract, "a worker panicked").with_source(join))??;
        times.extend(taken);
        for Held { id, .. } in done {
            *seen.entry(id).or_insert(0) += 1;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(seen.len(), count, "tasks were lost");
    assert!(seen.values().all(|times| *times == 1), "tasks were given out twice");
    assert!(engine.list(&TaskFilter::default()).await?.iter().all(|task| task.state == TaskState::Done && task.starts == 1));
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).or(times.last()).copied().unwrap_or_default();
    Ok(Throughput { per_second: count as f64 / seconds, claim_p50: at(0.5), claim_p99: at(0.99), claim_max: at(1.0) })
}
