use std::sync::mpsc;

use super::*;
use crate::error::{Error, Recovery};
use crate::jobs::{
    Claim, Decision, Engine, Held, Job, JobFilter, JobRecord, JobState, Jobs, NewTask, Records, Serving, Standing, Step, TaskFilter,
    TaskId, TaskState, contract, records_tests,
};

#[allow(dead_code)]
#[path = "../../../tests/it/redis_server.rs"]
mod server;
use server::RedisServer;

const LEASE: Duration = Duration::from_secs(30);

/// Opens queues with a prefix each, from outside of the runtime of the test.
fn opener(server: &RedisServer) -> Box<contract::Open> {
    let (url, files) = (server.url(), server.files());
    Box::new(move |name| {
        let (url, files, name) = (url.clone(), files.clone(), name.to_owned());
        let runtime = tokio::runtime::Handle::current();
        let (sender, opened) = mpsc::channel();
        runtime.spawn(async move { sender.send(Redis::connect(&url, files, &name).await) });
        Ok(Arc::new(tokio::task::block_in_place(|| opened.recv()).unwrap()?))
    })
}

async fn connect(server: &RedisServer) -> Redis {
    Redis::connect(&server.url(), server.files().join("jobs"), "clipkit").await.unwrap()
}

fn new(job: &str, step: Step) -> NewTask {
    NewTask::new(TaskId::new(job.parse().unwrap(), step))
}

fn asking(queue: &str) -> Claim {
    Claim::new("w", vec![Serving::new(queue)], LEASE)
}

async fn states(engine: &Redis) -> Vec<TaskState> {
    Engine::list(engine, &TaskFilter::default()).await.unwrap().iter().map(|task| task.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_the_contract() {
    let server = RedisServer::start();
    contract::all(&opener(&server)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_neither_loses_nor_doubles_ten_thousand_tasks_of_four_workers() {
    let server = RedisServer::start();
    let measured = contract::many_tasks(&opener(&server), 10_000, 4).await.unwrap();
    println!("{measured:?}");
    // Nothing is left of the turns and counts of what is done.
    assert_eq!(server.ask(&["EXISTS", "many:fetch:ck:run", "many:fetch:ck:p", "many:fetch:ck:lease", "many:fetch:active"]), "0");
    assert_eq!(server.ask(&["ZCARD", "many:fetch:completed"]), "10000");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_is_killed_keeps_tasks_and_their_times() {
    let mut server = RedisServer::start();
    let engine = connect(&server).await;
    let mut later = new("b", Step::Fetch);
    let due = SystemTime::now() + Duration::from_secs(3);
    later.not_before = Some(due);
    engine.add(&[new("a", Step::Fetch), later]).await.unwrap();
    let held = engine.claim(&asking("fetch")).await.unwrap().unwrap().held;
    // What is not on disk yet would be lost.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    server.kill();
    let error = engine.claim(&asking("fetch")).await.unwrap_err();
    assert!(matches!(error.recovery(), Recovery::Retry { .. }) && error.kind() == ErrorKind::Io, "{error:?}");
    assert!(error.to_string().contains(&server.url()), "{error}");
    server.run();
    assert_eq!(engine.heartbeat(std::slice::from_ref(&held), LEASE).await.unwrap(), [Standing::Held]);
    assert!(engine.complete(&held, &[]).await.unwrap());
    assert_eq!(states(&engine).await, [TaskState::Done, TaskState::Delayed]);
    while engine.claim(&asking("fetch")).await.unwrap().is_none() {
        assert!(SystemTime::now() < due + Duration::from_secs(2), "the delayed task did not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(SystemTime::now() >= due, "the delayed task started before its time");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_redis_that_lost_its_data_are_put_back() {
    let server = RedisServer::start();
    let jobs = Jobs::redis(&server.url(), server.files()).await.unwrap();
    let mut job = Job::new("talk.mp4");
    job.user = "ann".into();
    let (kept, other) = (jobs.submit(job.clone()).await.unwrap(), jobs.submit(job).await.unwrap());
    assert!(jobs.cancel(&other).await.unwrap());
    let before = jobs.list(&JobFilter::default()).await.unwrap();
    let redis = connect(&server).await;
    let old = redis.claim(&asking("fetch")).await.unwrap().unwrap().held;
    assert_eq!(redis.recover().await.unwrap(), 0);
    assert_eq!(server.ask(&["FLUSHALL"]), "OK");
    assert_eq!(redis.heartbeat(std::slice::from_ref(&old), LEASE).await.unwrap(), [Standing::Lost]);
    assert_eq!(redis.recover().await.unwrap(), 2);
    assert_eq!(redis.recover().await.unwrap(), 0);
    let ids = |jobs: &[crate::jobs::JobStatus]| jobs.iter().map(|job| (job.id.clone(), job.user.clone())).collect::<Vec<_>>();
    let after = jobs.list(&JobFilter::default()).await.unwrap();
    assert_eq!((ids(&after), after[0].state), (ids(&before), JobState::Cancelled));
    let open = redis.open_jobs("ann").await.unwrap();
    assert_eq!((open.all, open.of_user), (1, 1));
    // A claim from before does not count, though the numbers begin anew.
    redis.add(&[new(kept.as_str(), Step::Fetch)]).await.unwrap();
    let again = redis.claim(&asking("fetch")).await.unwrap().unwrap().held;
    assert!(again.id == old.id && again.fence > old.fence, "{again:?} after {old:?}");
    assert!(!redis.complete(&old, &[]).await.unwrap());
    assert!(jobs.remove(&other).await.unwrap());
    assert_eq!(server.ask(&["FLUSHALL"]), "OK");
    assert_eq!(redis.recover().await.unwrap(), 1, "a removed job came back");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_in_redis_end_once_and_events_are_replayed_from_any_number() {
    let server = RedisServer::start();
    let store = connect(&server).await;
    records_tests::end_once_and_are_replayed(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_listed_page_by_page_the_newest_first() {
    let server = RedisServer::start();
    let store = connect(&server).await;
    for n in 0..450 {
        let mut job = Job::new("talk.mp4");
        job.user = if n % 100 == 0 { "ann" } else { "bob" }.into();
        store.create(&JobRecord { id: format!("job{n}").parse().unwrap(), job, created: None, end: None }).await.unwrap();
    }
    let names = async |filter: JobFilter| {
        let found = Records::list(&store, &filter).await.unwrap();
        found.iter().map(|record| record.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(JobFilter::default()).await.len(), 450);
    let of_ann = JobFilter { user: Some("ann".into()), ..JobFilter::default() };
    assert_eq!(names(of_ann).await, ["job400", "job300", "job200", "job100", "job0"]);
    let next = JobFilter { before: Some("job2".parse().unwrap()), most: Some(5), ..JobFilter::default() };
    assert_eq!(names(next).await, ["job1", "job0"]);
}

/// BullMQ's own worker and producer, in the crate of its maintainers.
#[tokio::test(flavor = "multi_thread")]
async fn queues_are_those_of_bullmq() {
    let server = RedisServer::start();
    let engine = connect(&server).await;
    let mut high = new("high", Step::Fetch);
    high.priority = 5;
    let mut later = new("later", Step::Fetch);
    later.not_before = Some(SystemTime::now() + Duration::from_secs(3600));
    engine.add(&[new("low", Step::Fetch), high, later]).await.unwrap();
    let queue = engine.queue("fetch").await.unwrap();
    let job = queue.get_job("high.fetch").await.unwrap().unwrap();
    assert_eq!((job.name(), job.data()), ("fetch", &serde_json::json!("high:fetch")));

    // A producer adds tasks: with its jobId, in a way of its own, and with a time.
    queue.add("fetch", serde_json::json!("other:fetch")).job_id("other.fetch").await.unwrap();
    queue.add("fetch", serde_json::json!({"video": "talk.mp4"})).job_id("wrong").await.unwrap();
    let held = engine.claim(&asking("fetch")).await.unwrap().unwrap().held;
    assert_eq!(held.id.job().as_str(), "high");
    assert_eq!(states(&engine).await, [TaskState::Waiting, TaskState::Active, TaskState::Delayed, TaskState::Waiting]);
    assert!(server.ask(&["HGET", "clipkit:fetch:wrong", "failedReason"]).contains("jobId"));
    assert!(engine.complete(&held, &[]).await.unwrap());

    // Its worker takes what is next, and the state is known here.
    let mut options = bullmq::WorkerOptions::default();
    options.connection.url = server.url();
    options.prefix = "clipkit".into();
    let serve = |job: bullmq::Job, _| async move { Ok(job.data().clone()) };
    let worker = bullmq::Worker::with_options("fetch", serve, options).await.unwrap();
    let begun = std::time::Instant::now();
    let done = [TaskState::Done, TaskState::Done, TaskState::Delayed, TaskState::Done];
    while states(&engine).await != done {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", states(&engine).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    worker.close(5000).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_cannot_be_used_is_refused_without_its_password() {
    let server = RedisServer::with(&["--requirepass", "open sesame"]);
    let with = |user: &str| server.url().replace("redis://", &format!("redis://{user}@"));
    let refused = async |url: &str, prefix: &str| {
        let error = Redis::connect(url, server.files(), prefix).await.unwrap_err();
        assert!(!format!("{error:?}{error}").contains("sesam"), "{error:?}");
        error
    };
    let error = refused(&with(":closed%20sesam"), "clipkit").await;
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains(&server.url()), "{error}");
    assert_eq!(refused(&server.url(), "clipkit").await.kind(), ErrorKind::Denied);
    for prefix in ["", "a:b", "a b", &"a".repeat(65)] {
        assert_eq!(refused(&with(":open%20sesame"), prefix).await.kind(), ErrorKind::Config);
    }
    let redis = Redis::connect(&with(":open%20sesame"), server.files(), "clipkit").await.unwrap();
    assert!(!format!("{redis:?}").contains("sesame"));
    redis.pause("fetch").await.unwrap();
    assert_eq!(redis.paused().await.unwrap(), ["fetch"]);
    let mut set = redis::cmd("SET");
    redis.ask::<()>("test", set.arg(redis.queue_key("fetch", "wait")).arg("text")).await.unwrap();
    let error = redis.claim(&asking("fetch")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("WRONGTYPE"), "{error:?}");

    let down = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refused(&format!("redis://:sesam@{down}"), "clipkit").await;
    assert!(error.kind() == ErrorKind::Io && matches!(error.recovery(), Recovery::Retry { .. }), "{error:?}");
    assert!(error.to_string().contains(&down.to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_others_remove_or_put_back_stop_no_queue() {
    let server = RedisServer::start();
    let engine = connect(&server).await;
    engine.add(&[new("gone", Step::Fetch), new("kept", Step::Fetch), new("back", Step::Fetch)]).await.unwrap();
    let queue = engine.queue("fetch").await.unwrap();
    queue.remove("gone.fetch").await.unwrap();
    let kept = engine.claim(&asking("fetch")).await.unwrap().unwrap().held;
    assert_eq!(kept.id.job().as_str(), "kept");
    let back = engine.claim(&asking("fetch")).await.unwrap().unwrap().held;
    // As BullMQ does with a job whose lock is gone.
    server.ask(&["LREM", "clipkit:fetch:active", "1", "back.fetch"]);
    server.ask(&["RPUSH", "clipkit:fetch:wait", "back.fetch"]);
    let again = engine.claim(&asking("fetch")).await.unwrap().unwrap();
    assert_eq!((again.held.id.job().as_str(), again.attempt), ("back", 2));
    assert!(!engine.complete(&back, &[]).await.unwrap());
    assert!(engine.fail(&again.held, &Error::cancelled().report(), Decision::Dead).await.unwrap());
    assert!(engine.complete(&Held::new(kept.id.clone(), kept.fence), &[]).await.unwrap());
    assert_eq!(states(&engine).await, [TaskState::Done, TaskState::Dead]);
    assert_eq!(server.ask(&["LLEN", "clipkit:fetch:active"]), "0");
}
