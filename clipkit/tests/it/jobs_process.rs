//! Jobs done by processes that are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clipkit::config::{PublisherConfig, RendererConfig, ScorerConfig, TrackerConfig, TranscriberConfig};
use clipkit::jobs::{Job, Jobs, JobsOptions, RedisOptions};
use clipkit::model::{Stage, X264Preset};
use clipkit::stage::{Captions, FfmpegRenderer, Folder, Heuristic};
use serde_json::Value;

use crate::cli::{Desk, TALK};
use crate::redis_server::RedisServer;
use crate::support::probe_json;

/// A worker that is killed uses up an attempt.
const ATTEMPTS: u32 = 30;

/// A desk, and the Redis with its queue. Without one, the queue is a file.
pub(crate) struct Place {
    desk: Desk,
    redis: Option<RedisServer>,
}

impl Place {
    pub(crate) fn of_file(desk: Desk) -> Self {
        Place { desk, redis: None }
    }

    fn of_redis(desk: Desk) -> Self {
        Place { desk, redis: Some(RedisServer::start()) }
    }
}

impl std::ops::Deref for Place {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

pub(crate) fn command(desk: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clipkit"));
    command.args(arguments).stdin(Stdio::null()).current_dir(desk.path("."));
    for variable in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "CLIPKIT_MODELS", "CLIPKIT_CACHE", "CLIPKIT_MEDIA"] {
        command.env_remove(variable);
    }
    command.env("XDG_CACHE_HOME", desk.path("cache"));
    match &desk.redis {
        Some(redis) => command.env("CLIPKIT_REDIS_URL", redis.url()),
        None => command.env_remove("CLIPKIT_REDIS_URL"),
    };
    command
}

pub(crate) fn jobs(desk: &Place, arguments: &[&str]) -> (i32, String, String) {
    let output = command(desk, &[&["jobs"], arguments].concat()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn worker(desk: &Place, more: &[&str]) -> Child {
    let attempts = ATTEMPTS.to_string();
    let arguments = ["worker", "--until-idle", "--attempts", &attempts, "--lease", "2s", "--rate", "transcribe=0", "--limit", "track=2"];
    command(desk, &[&arguments, more].concat()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Submits a job whose clips are small and quick to make.
pub(crate) fn submit(desk: &Place, video: &str, out: &str) -> String {
    let mut job = Job::new(desk.path(video));
    job.publish = vec![PublisherConfig::Folder(Folder::new(desk.path(out)))];
    let config = &mut job.config;
    config.transcriber = TranscriberConfig::Captions(Captions::auto());
    config.scorer = ScorerConfig::Heuristic(Heuristic::default());
    config.tracker = TrackerConfig::Center;
    config.renderer = RendererConfig::Ffmpeg(FfmpegRenderer::vertical(180, 320));
    config.layers = [Stage::Transcribe, Stage::Score, Stage::Track].map(|stage| (stage, Vec::new())).into();
    config.speech_cache = None;
    let options = &mut config.options;
    (options.clips, options.min, options.max) = (2, Duration::from_secs(5), Duration::from_secs(9));
    (options.captions, options.preset) = (None, X264Preset::Ultrafast);
    let mut options = JobsOptions::default();
    options.policy.attempts = ATTEMPTS;
    let submitted = async {
        let jobs = match &desk.redis {
            Some(redis) => {
                let mut with = RedisOptions::default();
                with.jobs = options;
                Jobs::redis_with(&redis.url(), desk.path("jobs.db.files"), with).await?
            }
            None => Jobs::open_with(desk.path("jobs.db"), options).await?,
        };
        jobs.submit(job).await
    };
    tokio::runtime::Runtime::new().unwrap().block_on(submitted).unwrap().to_string()
}

/// Makes a video and its words, with content of its own, so that no work is shared. Returns the
/// names of both files.
pub(crate) fn another_talk(desk: &Place, n: usize) -> [String; 2] {
    let names = [format!("talk{n}.mp4"), format!("talk{n}.words.json")];
    let mut bytes = std::fs::read(desk.path("talk.mp4")).unwrap();
    // A box that players skip, at the end.
    bytes.extend([&[0, 0, 0, 12], &b"free"[..], &u32::try_from(n).unwrap().to_be_bytes()].concat());
    std::fs::write(desk.path(&names[0]), bytes).unwrap();
    desk.words(&names[1], TALK);
    names
}

fn events(desk: &Place, id: &str) -> Vec<Value> {
    let (_, stdout, _) = jobs(desk, &["watch", id, "--json"]);
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Kills workers at random moments over a run of several jobs, and checks what came of it.
fn survives(mut desk: Place, count: usize, kills: usize, seconds: u64) {
    let mut submitted = Vec::new();
    for n in 0..count {
        let [video, _] = another_talk(&desk, n);
        submitted.push((submit(&desk, &video, &format!("out{n}")), format!("out{n}")));
    }
    let random = fastrand::Rng::new();
    println!("seed {}", random.get_seed());
    let mut random = random;
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut killed = 0;
    loop {
        let mut child = worker(&desk, &[]);
        // The first worker is killed early, so that on a fast machine one is killed at all.
        let wait = Duration::from_millis(random.u64(if killed == 0 { 100..500 } else { 200..3000 }));
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if killed < kills && begun.elapsed() > wait {
                // SIGKILL.
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                if let Some(redis) = &mut desk.redis {
                    match killed % 3 {
                        // Its data on disk is up to a second old.
                        1 => redis.kill(),
                        2 => assert_eq!(redis.ask(&["FLUSHALL"]), "OK"),
                        _ => {}
                    }
                    if killed % 3 == 1 {
                        redis.run();
                    }
                }
                break None;
            }
            assert!(Instant::now() < deadline, "the jobs do not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        if let Some(status) = status {
            assert!(status.success(), "{status}");
            break;
        }
    }
    println!("{killed} workers were killed");
    assert!(killed > 0);
    for (id, out) in &submitted {
        let (code, stdout, stderr) = jobs(&desk, &["show", id, "--json"]);
        assert_eq!(code, 0, "{stderr}");
        let job: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(job["state"], "done", "{job}");
        let clips = job["manifest"]["clips"].as_array().unwrap();
        assert!(!clips.is_empty() && job["manifest"]["failed"] == serde_json::json!([]), "{job}");
        // Each clip once, whole, and nothing else.
        let named: BTreeSet<String> = clips
            .iter()
            .flat_map(|clip| ["file", "plan", "cover"].map(|name| clip[name].as_str().unwrap().to_owned()))
            .chain(["clips.json".to_owned()])
            .collect();
        let present: BTreeSet<String> = desk.files(out).into_iter().collect();
        // A process that dies while it copies leaves a hidden temporary file.
        assert_eq!(present.iter().filter(|name| !name.starts_with(".clipkit-")).cloned().collect::<BTreeSet<_>>(), named);
        for clip in clips {
            let probed = probe_json(Path::new(&desk.path(&format!("{out}/{}", clip["file"].as_str().unwrap()))));
            let length: f64 = probed["format"]["duration"].as_str().unwrap().parse().unwrap();
            assert!((4.0..11.0).contains(&length), "{probed}");
        }
        nothing_stored_was_made_again(&events(&desk, id));
    }
    let (_, dead, _) = jobs(&desk, &["dead"]);
    assert_eq!(dead, "");
}

/// After a task was followed by the next one, its stage does not start again.
fn nothing_stored_was_made_again(events: &[Value]) {
    let order = ["source", "transcribe", "score", "track", "render", "publish"];
    let mut reached: BTreeMap<u64, usize> = BTreeMap::new();
    for event in events.iter().filter(|event| event["event"] == "started" || event["event"] == "finished") {
        let Some(stage) = order.iter().position(|stage| event["stage"] == *stage) else { continue };
        let clip = event["clip"].as_u64().unwrap_or(0);
        // A clip's stages come after those of the whole video.
        let whole = reached.get(&0).copied().unwrap_or(0);
        let known = reached.get(&clip).copied().unwrap_or(whole);
        assert!(stage >= known, "{event} after {}", order[known]);
        reached.insert(clip, stage);
    }
}

/// `make soak` kills 50 workers over 20 jobs.
#[test]
fn jobs_survive_workers_that_are_killed() {
    survive(Place::of_file(Desk::with_talk(24)));
}

/// Redis is killed, too, and its data are removed.
#[test]
fn jobs_survive_workers_that_are_killed_and_a_redis_that_loses_its_data() {
    survive(Place::of_redis(Desk::with_talk(24)));
}

fn survive(desk: Place) {
    match std::env::var_os("CLIPKIT_SOAK") {
        Some(_) => survives(desk, 20, 50, 3000),
        None => survives(desk, 3, 6, 240),
    }
}

#[test]
fn jobs_are_shown_cancelled_and_retried_on_the_command_line() {
    let desk = Place::of_file(Desk::new());
    let (code, _, stderr) = jobs(&desk, &["list"]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("jobs.db"), "{stderr}");
    are_shown_cancelled_and_retried(desk);
}

#[test]
fn jobs_in_redis_are_shown_cancelled_and_retried_on_the_command_line() {
    let desk = Place::of_redis(Desk::new());
    let (code, _, stderr) = jobs(&desk, &["list", "--redis", "redis://:secret@127.0.0.1:1"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("127.0.0.1:1") && !stderr.contains("secret"), "{stderr}");
    are_shown_cancelled_and_retried(desk);
}

fn are_shown_cancelled_and_retried(desk: Place) {
    let (code, stdout, stderr) = jobs(
        &desk,
        &["submit", "missing.mp4", "--out", "clips", "--key", "one", "--priority", "-3", "--user", "ann", "--not-before", "1h"],
    );
    assert_eq!(code, 0, "{stderr}");
    let id = stdout.trim();
    let again = jobs(&desk, &["submit", "missing.mp4", "--out", "clips", "--key", "one", "--priority", "7"]);
    assert_eq!((again.0, again.1.trim() == id), (0, false), "another user's key is another job");
    let (code, stdout, _) = jobs(&desk, &["list", "--user", "ann", "--open"]);
    assert!(code == 0 && stdout.lines().count() == 1 && stdout.contains(id) && stdout.contains("delayed"), "{stdout}");
    let (code, stdout, _) = jobs(&desk, &["cancel", id]);
    assert_eq!((code, stdout.trim()), (0, format!("{id} cancelled").as_str()));
    let (code, stdout, _) = jobs(&desk, &["retry", id]);
    assert_eq!((code, stdout.trim()), (0, format!("{id} runs again").as_str()));

    let status = command(&desk, &["worker", "--until-idle"]).stderr(Stdio::null()).status().unwrap();
    assert!(status.success());
    let (code, stdout, stderr) = jobs(&desk, &["watch", id]);
    assert_eq!(code, 3, "{stdout}{stderr}");
    assert!(stdout.contains("failed") && stderr.contains("missing.mp4"), "{stdout}{stderr}");
    let (_, dead, _) = jobs(&desk, &["dead", "--db", "jobs.db"]);
    assert!(dead.contains(&format!("{id}:fetch")), "{dead}");
    let (_, stdout, _) = jobs(&desk, &["dead", "--discard", &format!("{id}:fetch")]);
    assert!(stdout.contains("removed"), "{stdout}");
    assert_eq!(jobs(&desk, &["remove", id]).0, 0);
    assert_eq!(jobs(&desk, &["show", id]).0, 3);
    for wrong in [&["show", "../x"][..], &["pause", "dance"], &["submit", "a.mp4", "--out", "x", "--plan-only"]] {
        assert_eq!(jobs(&desk, wrong).0, 2, "{wrong:?}");
    }
    let status = command(&desk, &["worker", "--stages", "dance"]).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn a_worker_that_is_terminated_stops_in_order() {
    terminated(Place::of_file(Desk::new()));
}

#[test]
fn a_worker_of_redis_that_is_terminated_stops_in_order() {
    terminated(Place::of_redis(Desk::new()));
}

fn terminated(desk: Place) {
    assert_eq!(jobs(&desk, &["submit", "missing.mp4", "--out", "clips", "--not-before", "1h"]).0, 0);
    let mut child = command(&desk, &["worker"]).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert!(status.success() && asked.elapsed() < Duration::from_secs(2), "{status} after {:?}", asked.elapsed());
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Stops a worker outside of its transactions: a stopped process keeps the lock of the database.
fn stop(desk: &Place, worker: &Child) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        assert!(Instant::now() < deadline, "the database stays locked");
        signal(worker, "-STOP");
        // A write that fails while the database is locked.
        if jobs(desk, &["resume", "publish"]).0 == 0 {
            return;
        }
        signal(worker, "-CONT");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A worker that was stopped beyond its lease, and goes on when another one has done its work.
#[test]
fn the_late_result_of_a_stopped_worker_is_refused() {
    late(Place::of_file(Desk::with_talk(24)));
}

#[test]
fn the_late_result_of_a_stopped_worker_of_redis_is_refused() {
    late(Place::of_redis(Desk::with_talk(24)));
}

fn late(desk: Place) {
    let id = submit(&desk, "talk.mp4", "out");
    // It does not publish: a stopped publisher keeps its folder, and others wait for it.
    let mut stopped = worker(&desk, &["--stages", "fetch,transcribe,score,track,render"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !desk.files("jobs.db.files/clips").iter().any(|name| !name.starts_with('.')) {
        assert!(Instant::now() < deadline && stopped.try_wait().unwrap().is_none(), "no clip was rendered");
        std::thread::sleep(Duration::from_millis(20));
    }
    stop(&desk, &stopped);
    assert!(worker(&desk, &[]).wait().unwrap().success());
    let (_, shown, _) = jobs(&desk, &["show", &id, "--json"]);
    let (_, text, _) = jobs(&desk, &["show", &id]);
    assert!(["\n  transcribe ", "\n  render ", "\n  publish "].iter().all(|stage| text.contains(stage)), "{text}");
    signal(&stopped, "-CONT");
    assert!(stopped.wait().unwrap().success());
    let job: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&job["state"], job["manifest"]["clips"].as_array().unwrap().len()), (&"done".into(), 2), "{job}");
    assert_eq!(jobs(&desk, &["show", &id, "--json"]).1, shown, "the late worker changed the job");
    let ended = events(&desk, &id).iter().filter(|event| event["event"] == "ended").count();
    let clips = desk.files("out").iter().filter(|name| name.ends_with(".mp4")).count();
    assert_eq!((ended, clips), (1, 2));
    a_clip_is_listed_and_edited(&desk, &id);
}

fn a_clip_is_listed_and_edited(desk: &Place, id: &str) {
    let (code, shown, stderr) = jobs(desk, &["clips", id]);
    assert_eq!((code, shown.lines().count()), (0, 2), "{shown}{stderr}");
    assert!(shown.contains(".mp4"), "{shown}");
    let op = r#"{"op": "title", "title": "A new title"}"#;
    let (code, changes, stderr) = jobs(desk, &["edit", id, "1", "--op", op, "--dry-run"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(serde_json::from_str::<Value>(&changes).unwrap()["steps"].is_array(), "{changes}");
    assert_eq!(jobs(desk, &["clips", id]).1, shown, "a dry run changed the plan");
    assert_eq!(jobs(desk, &["edit", id, "1", "--op", op]).0, 0);
    assert!(worker(desk, &[]).wait().unwrap().success());
    let (_, clips, _) = jobs(desk, &["clips", id, "--json"]);
    let clips: Vec<Value> = clips.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&clips[0]["plan"]["title"], &clips[0]["tasks"][0]["state"]), (&"A new title".into(), &"done".into()), "{clips:?}");
    assert_eq!(jobs(desk, &["edit", id, "1", "--op", "{}"]).0, 2);
    let (code, _, stderr) = jobs(desk, &["link", id, "1", "--valid", "1m"]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("object store"), "{stderr}");
}
