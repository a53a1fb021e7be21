//! Small tasks through the queue in Redis, against a bare BullMQ worker of the same crate: four
//! processes each, one task at a time. `cargo bench --bench queues`; needs `redis-server`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A failing bench panics.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clipkit::jobs::{Claim, Engine, NewTask, Redis, Serving, Step, TaskId};

const TASKS: usize = 10_000;
const PROCESSES: usize = 4;
const ROUNDS: usize = 3;
const LEASE: Duration = Duration::from_secs(60);

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["clipkit", url, folder, prefix] => runtime.block_on(serve(url, folder, prefix)),
        ["bullmq", url, prefix] => runtime.block_on(serve_bare(url, prefix)),
        _ => runtime.block_on(measure()),
    }
}

async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"])
        .args(["--maxmemory-policy", "noeviction", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn();
    let Ok(mut server) = server else {
        println!("SKIPPED queues: redis-server is not installed");
        return;
    };
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (url, files) = (format!("redis://127.0.0.1:{port}"), folder.path().join("files"));
    for round in 0..ROUNDS {
        let prefix = format!("clipkit{round}");
        let engine = Redis::connect(&url, &files, &prefix).await.unwrap();
        let task = |n: usize| {
            let mut task = NewTask::new(TaskId::new(format!("job{n}").parse().unwrap(), Step::Fetch));
            (task.user, task.priority) = (format!("user{}", n % 7), i32::try_from(n % 3).unwrap());
            task
        };
        engine.add(&(0..TASKS).map(task).collect::<Vec<_>>()).await.unwrap();
        let (seconds, said) = of_processes(&["clipkit", &url, files.to_str().unwrap(), &prefix]);
        let mut claims: Vec<u64> = said.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(claims.len(), TASKS, "tasks were lost or doubled");
        claims.sort_unstable();
        let at = |share: usize| claims[(claims.len() - 1) * share / 100];
        println!(
            "clipkit: {:.0} tasks a second, a claim takes {} us (median), {} us (99 of 100), at most {} us",
            TASKS as f64 / seconds,
            at(50),
            at(99),
            at(100)
        );

        let prefix = format!("bare{round}");
        let queue = bullmq::Queue::with_options("fetch", queue_options(&url, &prefix)).await.unwrap();
        for n in 0..TASKS {
            // As many priorities.
            let priority = u32::try_from(1 + n % 3).unwrap();
            queue
                .add("fetch", serde_json::json!(format!("job{n}:fetch")))
                .job_id(format!("job{n}.fetch"))
                .priority(priority)
                .await
                .unwrap();
        }
        let (seconds, said) = of_processes(&["bullmq", &url, &prefix]);
        assert_eq!(said.lines().map(|line| line.parse::<usize>().unwrap()).sum::<usize>(), TASKS);
        println!("bare BullMQ: {:.0} tasks a second", TASKS as f64 / seconds);
    }
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Runs this program in several processes, which begin when all are there; answers with the time
/// from then to the last task, and what they printed.
fn of_processes(arguments: &[&str]) -> (f64, String) {
    use std::io::{BufRead, BufReader, Read, Write};
    let start =
        || Command::new(std::env::current_exe().unwrap()).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut workers: Vec<Child> = (0..PROCESSES).map(|_| start()).collect();
    let mut outputs: Vec<_> = workers.iter_mut().map(|worker| BufReader::new(worker.stdout.take().unwrap())).collect();
    for output in &mut outputs {
        output.read_line(&mut String::new()).unwrap();
    }
    let begun = Instant::now();
    for worker in &mut workers {
        worker.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let (mut longest, mut all) = (0.0_f64, String::new());
    for output in &mut outputs {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
        longest = longest.max(begun.elapsed().as_secs_f64());
        output.read_to_string(&mut all).unwrap();
    }
    for worker in &mut workers {
        assert!(worker.wait().unwrap().success());
    }
    (longest, all)
}

/// Tells that the worker is ready, and waits for the start.
fn ready() {
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

async fn serve(url: &str, folder: &str, prefix: &str) {
    let engine = Redis::connect(url, folder, prefix).await.unwrap();
    let asked = Claim::new(std::process::id().to_string(), vec![Serving::new("fetch")], LEASE);
    ready();
    let mut times = Vec::new();
    loop {
        let begun = Instant::now();
        let Some(task) = engine.claim(&asked).await.unwrap() else { break };
        times.push(begun.elapsed().as_micros());
        assert!(engine.complete(&task.held, &[]).await.unwrap());
    }
    println!("done");
    times.iter().for_each(|time| println!("{time}"));
}

async fn serve_bare(url: &str, prefix: &str) {
    let done = Arc::new(AtomicUsize::new(0));
    let count = done.clone();
    let serve = move |_: bullmq::Job, _| {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok(serde_json::Value::Null) }
    };
    let mut options = bullmq::WorkerOptions::default();
    options.connection.url = url.to_owned();
    (options.prefix, options.autorun) = (prefix.to_owned(), false);
    let worker = bullmq::Worker::with_options("fetch", serve, options).await.unwrap();
    let queue = bullmq::Queue::with_options("fetch", queue_options(url, prefix)).await.unwrap();
    ready();
    worker.run().await.unwrap();
    // Its worker does not tell that a queue is empty to all: so it is asked for, a little late.
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let counts = queue.get_job_counts().await.unwrap();
        if counts.completed as usize >= TASKS {
            break;
        }
    }
    println!("done");
    println!("{}", done.load(Ordering::Relaxed));
    worker.close(1000).await.unwrap();
}

fn queue_options(url: &str, prefix: &str) -> bullmq::QueueOptions {
    let mut options = bullmq::QueueOptions::default();
    options.connection.url = url.to_owned();
    options.prefix = prefix.to_owned();
    options
}
