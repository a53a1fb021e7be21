//! `make bench`: what looking for shots, faces and the speaker costs, beside encoding the same clips; and how much memory a whole run takes,
//! for a source of four minutes and one of an hour.
//!
//! The source is `CLIPKIT_BENCH_VIDEO`. Faces are looked for with the model in `CLIPKIT_MODELS`, or the one
//! that was downloaded; where there is none, what moves is followed instead, and the bench says so.

#![allow(clippy::unwrap_used, clippy::panic)] // A bench that cannot go on stops.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use clipkit::stage::{
    Captions, CenterTracker, FaceTracker, FfmpegRenderer, FileSource, Folder, Heuristic, MotionTracker, OnnxTracker, StageExt, Tracking,
};
use clipkit::weights::{Weights, WeightsStore};
use clipkit::{ClipOptions, Context, Pipeline};
use clipkit_benches::{Who, cores, measure, media, plans, render, report, source};

const ROUNDS: u32 = 3;
/// The second argument of a process that only runs the pipeline, so that its memory can be read.
const RUN: &str = "--run-pipeline";

fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().map(PathBuf::from).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let [_, mode, video, out] = &arguments[..]
        && mode.as_os_str() == RUN
    {
        return runtime.block_on(run(video, out));
    }
    let folder = tempfile::tempdir().unwrap();
    let video = source();
    // Memory first: to Linux, a child has had what its parent had when it began.
    memory(&video, folder.path());
    runtime.block_on(analysis(&video));
}

/// The tracker that a run would use, and what it looks for.
async fn tracker() -> (Arc<dyn FaceTracker>, String) {
    let model = WeightsStore::new().resolve(&Context::new(), Weights::DEFAULT_FACE_DETECTOR).await;
    match model.and_then(OnnxTracker::load) {
        Ok(tracker) => (Arc::new(tracker.or(CenterTracker)), "faces".into()),
        Err(error) => (Arc::new(MotionTracker::default().or(CenterTracker)), format!("motion, as faces cannot be: {error}")),
    }
}

async fn analysis(video: &Path) {
    let media = media(video).await;
    let (tracker, name) = tracker().await;
    println!("analysis of {} looks for {name}", video.display());
    // As a pipeline shares the machine out.
    let cx = Context::new().with_threads(cores());
    let mut pairs = Vec::new();
    for plan in plans(&media, ROUNDS) {
        let tracking = Tracking { media: media.clone(), span: plan.span };
        let handle = tokio::runtime::Handle::current();
        let pair = tokio::task::block_in_place(|| {
            let looking = measure(Who::Us, || drop(handle.block_on(tracker.track(&cx, &tracking)).unwrap()));
            (looking, measure(Who::Us, || drop(handle.block_on(render(std::slice::from_ref(&plan), 1)))))
        });
        pairs.push(pair);
    }
    report("analysis", ["analysis", "encode"], &pairs);
}

/// Runs the pipeline in processes of their own and reads the most memory that each had.
#[allow(clippy::zombie_processes)] // `wait4` waits for it.
fn memory(video: &Path, folder: &Path) {
    let hour = folder.join("hour.mp4");
    let looped = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-stream_loop", "-1", "-i"])
        .arg(video)
        .args(["-t", "3600", "-c", "copy"])
        .arg(&hour)
        .status()
        .unwrap();
    assert!(looped.success());
    // As the `clipkit` command sets the C library up, and as it is in a process that leaves it alone.
    let command = [("MALLOC_MMAP_THRESHOLD_", "262144")];
    for (name, video, set) in [
        ("as it is", video, &command[..]),
        ("an hour", &hour, &command),
        ("as it is, malloc left alone", video, &[]),
        ("an hour, malloc left alone", &hour, &[]),
    ] {
        let out = folder.join("clips");
        let exe = std::env::current_exe().unwrap();
        let child = Command::new(exe).arg(RUN).arg(video).arg(&out).envs(set.iter().copied()).stdout(Stdio::null()).spawn().unwrap();
        // SAFETY: `usage` is plain data that the call fills, for a child of ours that nobody else waits for.
        let (status, usage) = unsafe {
            let (mut status, mut usage) = (0, std::mem::zeroed::<libc::rusage>());
            assert_eq!(libc::wait4(child.id() as libc::pid_t, &raw mut status, 0, &raw mut usage), child.id() as libc::pid_t);
            (status, usage)
        };
        assert_eq!(status, 0, "the run of {} failed", video.display());
        // Linux counts in KiB, macOS in bytes.
        let unit = if cfg!(target_os = "macos") { 1.0 } else { 1024.0 };
        println!("memory       {name}: {:.0} MB at most", usage.ru_maxrss as f64 * unit / 1e6);
    }
}

/// Four clips of a video, in which somebody says something all the time.
async fn run(video: &Path, out: &Path) {
    let media = media(video).await;
    let words: Vec<(String, f64, f64)> = (0..(media.duration.secs() * 2.0) as u32)
        .map(|n| (if n % 12 == 11 { format!("word{n}.") } else { format!("word{n}") }, f64::from(n) / 2.0, f64::from(n) / 2.0 + 0.4))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let transcript = folder.path().join("words.json");
    std::fs::write(&transcript, serde_json::to_string(&words).unwrap()).unwrap();
    let (tracker, _) = tracker().await;
    let options = ClipOptions { clips: 4, ..ClipOptions::default() };
    let pipeline = Pipeline::builder()
        .source(FileSource::new())
        .transcriber(Captions::file(transcript))
        .scorer(Heuristic::default())
        .tracker(tracker)
        .renderer(FfmpegRenderer::vertical(1080, 1920))
        .publisher(Folder::new(out))
        .options(options)
        .build()
        .unwrap();
    let manifest = pipeline.run(&video.to_string_lossy()).await.unwrap();
    assert!(!manifest.clips.is_empty());
}
