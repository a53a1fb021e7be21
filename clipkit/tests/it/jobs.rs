//! Jobs and workers in one process, with fake stages.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use clipkit::jobs::{Job, JobFilter, JobId, JobState, JobStatus, Jobs, JobsOptions, Step, TaskId, Worker, WorkerOptions};
use clipkit::prelude::*;
use clipkit::stage::AnyStage;
use clipkit::{Degrade, ErrorKind, Recovery};
use tempfile::TempDir;

use crate::fakes::Fake;
use crate::support::with;

/// A folder with jobs, and fake stages whose files exist.
struct Desk {
    folder: TempDir,
    jobs: Jobs,
    fake: Fake,
}

impl Desk {
    async fn new() -> Self {
        Desk::with(quick()).await
    }

    async fn with(options: JobsOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let jobs = Jobs::open_with(folder.path().join("jobs.db"), options).await.unwrap();
        let video = folder.path().join("talk.mp4");
        std::fs::write(&video, "a talk").unwrap();
        let mut fake = Fake::new();
        fake.media = Arc::new(move |_, _| {
            let known = crate::fakes::media();
            let id = ContentId::new("blake3", &"0".repeat(64));
            let media = with(Media::new(&video, id), |it| {
                it.duration = known.duration;
                it.video = known.video.clone();
                it.stamp = Some(clipkit::model::FileStamp::of(&std::fs::metadata(&video).unwrap()));
            });
            Ok(media)
        });
        fake.clip = Arc::new(|cx, plan| {
            let file = cx.scratch()?.join(format!("{}.mp4", plan.id()));
            let cover = file.with_extension("jpg");
            std::fs::write(&file, plan.to_json()?).unwrap();
            std::fs::write(&cover, "cover").unwrap();
            Ok(RenderedClip::new(file, cover, plan.output.frame_rate.frame_start(plan.frames()), plan.frames()))
        });
        Desk { folder, jobs, fake }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn job(&self) -> Job {
        let mut job = Job::new("talk.mp4");
        job.stages = ["source", "transcriber", "scorer", "tracker", "renderer", "publisher"].map(String::from).into();
        job.config.speech_cache = None;
        job.config.options.snap = false;
        job
    }

    fn worker(&self, options: WorkerOptions) -> Worker {
        worker(&self.jobs, &self.fake, options)
    }

    /// Works until no job is open.
    async fn finish(&self) {
        let cx = Context::new();
        let work = self.worker(until_idle()).run(&cx);
        tokio::time::timeout(Duration::from_secs(20), work).await.expect("the jobs do not end").unwrap();
    }

    async fn status(&self, id: &JobId) -> JobStatus {
        self.jobs.get(id).await.unwrap().unwrap()
    }

    fn calls(&self, stage: &str) -> usize {
        self.fake.calls.lock().unwrap().iter().filter(|call| *call == stage).count()
    }
}

fn quick() -> JobsOptions {
    with(JobsOptions::default(), |it| {
        it.policy.first_wait = Duration::from_millis(20);
        it.min_free = 0;
    })
}

fn until_idle() -> WorkerOptions {
    with(WorkerOptions::default(), |it| it.until_idle = true)
}

fn worker(jobs: &Jobs, fake: &Fake, options: WorkerOptions) -> Worker {
    let fake = Arc::new(fake.clone());
    Worker::new(jobs.clone())
        .options(options)
        .stage("source", AnyStage::Source(fake.clone()))
        .stage("transcriber", AnyStage::Transcriber(fake.clone()))
        .stage("scorer", AnyStage::Scorer(fake.clone()))
        .stage("tracker", AnyStage::Tracker(fake.clone()))
        .stage("renderer", AnyStage::Renderer(fake.clone()))
        .stage("publisher", AnyStage::Publisher(fake))
}

fn running(worker: Worker, cx: &Context) -> tokio::task::JoinHandle<Result<()>> {
    let cx = cx.clone();
    tokio::spawn(async move { worker.run(&cx).await })
}

fn down() -> Error {
    Error::new(ErrorKind::Network, "down").with_recovery(Recovery::Retry { after: None })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_becomes_published_clips_with_events_and_a_manifest() {
    let desk = Desk::new().await;
    let id = desk.jobs.submit(desk.job()).await.unwrap();
    assert_eq!(desk.status(&id).await.state, JobState::Waiting);
    desk.finish().await;
    let job = desk.status(&id).await;
    assert_eq!((job.state, &job.error), (JobState::Done, &None));
    let manifest = job.manifest.unwrap();
    assert_eq!(
        manifest.clips.iter().map(|clip| (clip.rank, clip.file.as_str())).collect::<Vec<_>>(),
        [(1, "1.mp4"), (2, "2.mp4"), (3, "3.mp4")]
    );
    assert_eq!(*desk.fake.concluded.lock().unwrap(), [manifest]);
    assert_eq!((job.tasks, job.tasks_done), (3 + 3 * 3 + 1, 13));
    for (stage, calls) in [("source", 1), ("transcribe", 1), ("score", 1), ("track", 3), ("render", 3), ("publish", 3), ("conclude", 1)] {
        assert_eq!(desk.calls(stage), calls, "{stage}");
    }
    let events = desk.jobs.events(&id, 0).await.unwrap();
    assert!(events.is_sorted_by(|a, b| a.number < b.number));
    let of = |kind: &str| events.iter().filter(|event| event.event["event"] == kind).count();
    assert_eq!((of("clip"), of("ended"), of("failed")), (3, 1, 0));
    let late = desk.jobs.events(&id, events[4].number).await.unwrap();
    assert_eq!(late, events[5..]);
    // Nothing is left in scratch space.
    let scratch = desk.folder.path().join("jobs.db.files/scratch");
    assert_eq!(std::fs::read_dir(scratch).map_or(0, Iterator::count), 0);

    assert!(desk.jobs.remove(&id).await.unwrap());
    assert!(desk.jobs.get(&id).await.unwrap().is_none() && !desk.jobs.remove(&id).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_tried_again_and_one_clips_failure_is_its_own() {
    let mut desk = Desk::new().await;
    let (scored, tracked) = (Arc::new(AtomicUsize::new(0)), desk.fake.tracks.clone());
    let (count, answer) = (scored.clone(), desk.fake.candidates.clone());
    desk.fake.candidates =
        Arc::new(move |cx, scoring| if count.fetch_add(1, Ordering::SeqCst) < 2 { Err(down()) } else { answer(cx, scoring) });
    desk.fake.tracks = Arc::new(move |cx, tracking| match cx.clip() {
        Some(2) => Err(Error::new(ErrorKind::Decode, "damaged")),
        _ => tracked(cx, tracking),
    });
    let id = desk.jobs.submit(desk.job()).await.unwrap();
    desk.finish().await;
    let job = desk.status(&id).await;
    assert_eq!((job.state, scored.load(Ordering::SeqCst)), (JobState::Done, 3));
    let manifest = job.manifest.unwrap();
    assert_eq!(manifest.clips.iter().map(|clip| clip.rank).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(manifest.failed.iter().map(|clip| (clip.rank, clip.error.message.as_str())).collect::<Vec<_>>(), [(2, "damaged")]);

    // The dead letter, replayed when the cause is gone, completes the job.
    let dead = desk.jobs.dead_letters().await.unwrap();
    assert_eq!(dead.iter().map(|task| task.id.step()).collect::<Vec<_>>(), [Step::Track(2)]);
    desk.fake.tracks = Arc::new(|_, _| Ok(Tracks::default()));
    assert!(desk.jobs.replay(&dead[0].id).await.unwrap());
    desk.finish().await;
    let job = desk.status(&id).await;
    assert_eq!((job.state, job.manifest.unwrap().clips.len(), desk.calls("publish")), (JobState::Done, 3, 3));
    assert!(!desk.jobs.replay(&TaskId::new(id, Step::Fetch)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_comes_on_the_last_attempt_only() {
    let mut desk = Desk::new().await;
    desk.fake.candidates = Arc::new(|_, _| Err(down()));
    let mut job = desk.job();
    job.config.options.degrade = Some(Degrade::ALWAYS);
    let id = desk.jobs.submit(job.clone()).await.unwrap();
    desk.finish().await;
    let status = desk.status(&id).await;
    // Two attempts, then the last one: itself, and once more with a stand-in.
    assert_eq!((status.state, desk.calls("score")), (JobState::Done, 4), "{:?}", status.error);
    let manifest = status.manifest.unwrap();
    assert!(manifest.warnings.iter().any(|warning| warning.message.contains("the heuristic chooses")), "{:?}", manifest.warnings);

    job.config.options.degrade = Some(Degrade::NEVER);
    let id = desk.jobs.submit(job).await.unwrap();
    desk.finish().await;
    let status = desk.status(&id).await;
    assert_eq!((status.state, status.error.unwrap().message.as_str()), (JobState::Failed, "down"));
    assert!(desk.jobs.retry(&id).await.unwrap());
    desk.fake.candidates = Fake::new().candidates;
    desk.finish().await;
    assert_eq!(desk.status(&id).await.state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_found_is_a_result() {
    let mut desk = Desk::new().await;
    desk.fake.candidates = Arc::new(|_, _| Ok(Vec::new()));
    let id = desk.jobs.submit(desk.job()).await.unwrap();
    desk.finish().await;
    let job = desk.status(&id).await;
    assert_eq!((job.state, job.error.unwrap().kind, desk.calls("score")), (JobState::Done, ErrorKind::NothingFound, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_stops_a_running_step_within_a_second_and_the_rest_does_not_run() {
    let mut desk = Desk::new().await;
    desk.fake.render_takes = Duration::from_secs(60);
    let id = desk.jobs.submit(desk.job()).await.unwrap();
    let other = desk.jobs.submit(with(desk.job(), |job| job.not_before = Some(SystemTime::now() + Duration::from_secs(60)))).await.unwrap();
    assert_eq!(desk.status(&other).await.state, JobState::Delayed);
    let worker = running(desk.worker(until_idle()), &Context::new());
    while desk.fake.rendering.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(desk.jobs.cancel(&id).await.unwrap() && desk.jobs.cancel(&other).await.unwrap());
    let asked = Instant::now();
    worker.await.unwrap().unwrap();
    // The fake ignores cancellation, so that the pipeline abandons it.
    assert!(asked.elapsed() < Duration::from_millis(1300), "{:?}", asked.elapsed());
    assert_eq!((desk.status(&id).await.state, desk.calls("publish")), (JobState::Cancelled, 0));
    assert!(!desk.jobs.cancel(&id).await.unwrap());
    desk.fake.render_takes = Duration::ZERO;
    assert!(desk.jobs.retry(&id).await.unwrap());
    desk.finish().await;
    assert_eq!((desk.status(&id).await.state, desk.calls("transcribe")), (JobState::Done, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_asked_to_stop_hands_back_and_another_goes_on() {
    let mut desk = Desk::new().await;
    desk.fake.render_takes = Duration::from_secs(60);
    let id = desk.jobs.submit(desk.job()).await.unwrap();
    let cx = Context::new();
    let options = with(WorkerOptions::default(), |it| it.grace = Duration::from_millis(200));
    let worker = running(desk.worker(options), &cx);
    while desk.fake.rendering.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let asked = Instant::now();
    cx.cancel();
    worker.await.unwrap().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!(desk.status(&id).await.state, JobState::Active);
    desk.fake.render_takes = Duration::ZERO;
    // The lease of 30 s is not waited for, and no attempt was used up.
    desk.finish().await;
    assert_eq!((desk.status(&id).await.state, desk.calls("score"), desk.calls("track")), (JobState::Done, 1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_without_progress_is_stopped_counted_and_the_worker_ends() {
    let mut desk = Desk::new().await;
    desk.fake.render_takes = Duration::from_secs(60);
    let id = desk.jobs.submit(desk.job()).await.unwrap();
    let options = with(WorkerOptions::default(), |it| it.stall = [("render".to_owned(), 0.3)].into());
    let ended = tokio::time::timeout(Duration::from_secs(10), desk.worker(options).run(&Context::new())).await.unwrap();
    let error = ended.unwrap_err();
    assert_eq!((error.kind(), error.message().contains("hangs")), (ErrorKind::TimedOut, true), "{error}");
    let failed = desk.jobs.events(&id, 0).await.unwrap().into_iter().find(|event| event.event["event"] == "failed").unwrap();
    assert_eq!((&failed.event["task"], &failed.event["attempt"]), (&"render".into(), &1.into()), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_jobs_of_one_video_share_what_known_stages_make() {
    let desk = Desk::new().await;
    // The built-in scorer and tracker have a fingerprint; the fakes have none.
    let shared = |user: &str| {
        with(desk.job(), |job| {
            job.user = user.into();
            job.stages.retain(|stage| stage != "scorer" && stage != "tracker");
            job.config.scorer = clipkit::config::ScorerConfig::Heuristic(Heuristic::default());
            job.config.tracker = clipkit::config::TrackerConfig::Center;
            job.config.layers = [(clipkit::model::Stage::Track, Vec::new()), (clipkit::model::Stage::Score, Vec::new())].into();
        })
    };
    let ids = [desk.jobs.submit(shared("ann")).await.unwrap(), desk.jobs.submit(shared("bob")).await.unwrap()];
    desk.finish().await;
    let mut scored = 0;
    for id in &ids {
        let job = desk.status(id).await;
        assert_eq!(job.state, JobState::Done, "{:?}", job.error);
        let events = desk.jobs.events(id, 0).await.unwrap();
        scored += events.iter().filter(|event| event.event["event"] == "finished" && event.event["stage"] == "score").count();
    }
    assert_eq!(scored, 1, "both jobs scored");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_rebuilt_from_what_is_stored() {
    let desk = Desk::new().await;
    let ids = [desk.jobs.submit(desk.job()).await.unwrap(), desk.jobs.submit(desk.job()).await.unwrap()];
    // The first job stops after scoring; then all its tasks are lost.
    let cx = Context::new();
    let part = with(WorkerOptions::default(), |it| it.stages = ["fetch", "transcribe", "score"].map(String::from).into());
    let worker = running(desk.worker(part), &cx);
    while desk.calls("score") < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    cx.cancel();
    worker.await.unwrap().unwrap();
    for id in &ids {
        desk.jobs.engine().cancel(id).await.unwrap();
        for task in desk.jobs.engine().list(&clipkit::jobs::TaskFilter::of_job(id)).await.unwrap() {
            assert!(desk.jobs.engine().remove(&task.id).await.unwrap());
        }
    }
    desk.finish().await;
    for id in &ids {
        assert_eq!(desk.status(id).await.state, JobState::Done);
    }
    assert_eq!((desk.calls("source"), desk.calls("score"), desk.calls("publish")), (2, 2, 6));
}

#[tokio::test]
async fn submissions_are_checked_limited_and_idempotent() {
    let desk = Desk::with(with(quick(), |it| (it.most_open, it.most_open_per_user) = (4, 2))).await;
    let of = |user: &str, key: Option<&str>| {
        with(Job::new("talk.mp4"), |job| {
            job.user = user.into();
            job.idempotency_key = key.map(str::to_owned);
        })
    };
    let first = desk.jobs.submit(of("ann", Some("1"))).await.unwrap();
    assert_eq!(desk.jobs.submit(of("ann", Some("1"))).await.unwrap(), first);
    let reused = with(of("ann", Some("1")), |job| job.priority = 3);
    assert_eq!(desk.jobs.submit(reused).await.unwrap_err().kind(), ErrorKind::Config);
    let other = desk.jobs.submit(of("bob", Some("1"))).await.unwrap();
    assert_ne!(other, first);
    desk.jobs.submit(of("ann", None)).await.unwrap();
    let refused = desk.jobs.submit(of("ann", None)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RateLimited);
    assert!(matches!(refused.recovery(), Recovery::Retry { after: Some(_) }), "{refused}");
    assert_eq!(desk.jobs.submit(of("ann", Some("1"))).await.unwrap(), first, "a known key is never refused");
    desk.jobs.submit(of("cy", None)).await.unwrap();
    assert!(desk.jobs.submit(of("dee", None)).await.unwrap_err().message().contains("full"));
    let mine = with(JobFilter::default(), |filter| filter.user = Some("ann".into()));
    let jobs = desk.jobs.list(&mine).await.unwrap();
    assert_eq!(jobs.len(), 2);
    assert!(jobs.iter().all(|job| std::path::Path::new(&job.uri).is_absolute()), "{jobs:?}");
    assert_eq!(desk.jobs.remove(&first).await.unwrap_err().kind(), ErrorKind::Config, "it has not ended");

    for hostile in ["", " ", "a\0b", &"x".repeat(10_000)] {
        assert_eq!(desk.jobs.submit(Job::new(hostile)).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let impossible = with(Job::new("talk.mp4"), |job| job.config.options.clips = 0);
    assert_eq!(desk.jobs.submit(impossible).await.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(desk.jobs.pause("dance").await.unwrap_err().kind(), ErrorKind::Config);
    let full = Desk::with(with(quick(), |it| it.min_free = u64::MAX)).await;
    let error = full.jobs.submit(Job::new("talk.mp4")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Io && matches!(error.recovery(), Recovery::Retry { after: Some(_) }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_bounded_and_a_job_for_another_worker_waits() {
    let desk = Desk::with(with(quick(), |it| it.keep_done = 1)).await;
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        ids.insert(desk.jobs.submit(desk.job()).await.unwrap());
        desk.finish().await;
    }
    // The next worker removes all but the latest.
    desk.finish().await;
    let kept = desk.jobs.list(&JobFilter::default()).await.unwrap();
    assert_eq!(kept.iter().map(|job| &job.id).collect::<Vec<_>>(), [ids.last().unwrap()]);

    let id = desk.jobs.submit(with(desk.job(), |job| job.stages.push("elsewhere".into()))).await.unwrap();
    let cx = Context::new();
    let worker = running(desk.worker(WorkerOptions::default()), &cx);
    tokio::time::sleep(Duration::from_millis(700)).await;
    cx.cancel();
    worker.await.unwrap().unwrap();
    assert!(!desk.status(&id).await.state.is_over());
    assert!(!desk.out().exists());
}
