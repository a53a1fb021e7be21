//! `make bench`: the cost of analysis (shots, faces and speakers) relative to encoding the same
//! clips, and the peak memory of a whole run, for the source and for an hour of it.
//!
//! The source is `CLIPKIT_BENCH_VIDEO`. The face detector's model comes from `CLIPKIT_MODELS` or
//! from the download folder. Without a model, the motion tracker is measured, and the bench prints
//! so.

#![allow(clippy::unwrap_used, clippy::panic)] // A failing bench panics.

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
/// The first argument of a process that only runs the pipeline, for measuring its memory.
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
    // Measures memory first: on Linux, a child's peak memory starts with that of its parent.
    memory(&video, folder.path());
    runtime.block_on(analysis(&video));
}

/// The tracker that a run would use, and a description of what it tracks.
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
    // As many threads as a pipeline uses.
    let cx = Context::new().with_threads(cores());
    let mut pairs = Vec::new();
    for plan in plans(&media, ROUNDS) {
        let tracking = Tracking::new(media.clone(), plan.span);
        let handle = tokio::runtime::Handle::current();
        let pair = tokio::task::block_in_place(|| {
            let looking = measure(Who::Process, || drop(handle.block_on(tracker.track(&cx, &tracking)).unwrap()));
            (looking, measure(Who::Process, || drop(handle.block_on(render(std::slice::from_ref(&plan), 1)))))
        });
        pairs.push(pair);
    }
    report("analysis", ["analysis", "encode"], &pairs);
}

/// Runs the pipeline in child processes and prints the peak memory of each.
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
    // With the malloc settings of the `clipkit` command, and with the defaults of the C library.
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
        // SAFETY: the call fills `usage`, which is plain data. Nobody else waits for this child.
        let (status, usage) = unsafe {
            let (mut status, mut usage) = (0, std::mem::zeroed::<libc::rusage>());
            assert_eq!(libc::wait4(child.id() as libc::pid_t, &raw mut status, 0, &raw mut usage), child.id() as libc::pid_t);
            (status, usage)
        };
        assert_eq!(status, 0, "the run of {} failed", video.display());
        // The unit is KiB on Linux and bytes on macOS.
        let unit = if cfg!(target_os = "macos") { 1.0 } else { 1024.0 };
        println!("memory       {name}: {:.0} MB at most", usage.ru_maxrss as f64 * unit / 1e6);
    }
}

/// Makes four clips of a video, with a generated transcript that covers all of it.
async fn run(video: &Path, out: &Path) {
    let media = media(video).await;
    let words: Vec<(String, f64, f64)> = (0..(media.duration.secs() * 2.0) as u32)
        .map(|n| (if n % 12 == 11 { format!("word{n}.") } else { format!("word{n}") }, f64::from(n) / 2.0, f64::from(n) / 2.0 + 0.4))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let transcript = folder.path().join("words.json");
    std::fs::write(&transcript, serde_json::to_string(&words).unwrap()).unwrap();
    let (tracker, _) = tracker().await;
    let mut options = ClipOptions::default();
    options.clips = 4;
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
