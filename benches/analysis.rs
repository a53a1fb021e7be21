//! `make bench`: the cost of analysis (shots, faces and speakers) relative to encoding the same
//! clips, and the peak memory of a whole run, for the source and for an hour of it.
//!
//! The source is `CLIPKIT_BENCH_VIDEO`. The models of the face detector and of who speaks come from
//! `CLIPKIT_MODELS` or from the download folder. Without a face detector, the motion tracker is
//! measured, and the bench prints so. With the argument `analysis`, the memory is left out.

#![allow(clippy::unwrap_used, clippy::panic)] // A failing bench panics.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use clipkit::stage::{
    Captions, CenterTracker, FaceModel, FaceTracker, FfmpegRenderer, FileSource, Folder, Heuristic, MotionTracker, OnnxTracker, StageExt,
    Tracking,
};
use clipkit::weights::{Weights, WeightsStore};
use clipkit::{ClipOptions, Context, Pipeline};
use clipkit_benches::{Cost, Who, cores, measure, media, plans, render, report, source};

/// Evenly spaced over the source, so that their mean is that of the source.
const CLIPS: u32 = 8;
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
    if !arguments.iter().any(|argument| argument.as_os_str() == "analysis") {
        // Measures memory first: on Linux, a child's peak memory starts with that of its parent.
        memory(&video, folder.path());
    }
    runtime.block_on(analysis(&video));
}

/// The trackers that are measured: the one that a run would use, and the same without a model of
/// who speaks, if the first has one. With a description of what is tracked.
struct Trackers {
    used: Arc<dyn FaceTracker>,
    without_speaker: Option<Arc<dyn FaceTracker>>,
    name: String,
}

async fn trackers() -> Trackers {
    let faces = FaceModel::default().load(&Context::new()).await;
    let with_fallback = |tracker: OnnxTracker| Arc::new(tracker.or(CenterTracker)) as Arc<dyn FaceTracker>;
    let store = WeightsStore::new();
    match faces {
        Ok(tracker) if store.find_active_speaker().is_some() => {
            let detector = store.resolve(&Context::new(), Weights::DEFAULT_FACE_DETECTOR).await.unwrap();
            let without_speaker = Some(with_fallback(OnnxTracker::load(detector).unwrap()));
            Trackers { used: with_fallback(tracker), without_speaker, name: "faces and who speaks".into() }
        }
        Ok(tracker) => Trackers { used: with_fallback(tracker), without_speaker: None, name: "faces".into() },
        Err(error) => {
            let name = format!("motion, as faces cannot be: {error}");
            Trackers { used: Arc::new(MotionTracker::default().or(CenterTracker)), without_speaker: None, name }
        }
    }
}

/// Measures tracking and encoding of clips in turn, and how much of the former tells who speaks.
async fn analysis(video: &Path) {
    let media = media(video).await;
    let Trackers { used, without_speaker, name } = trackers().await;
    println!("analysis of {} looks for {name}", video.display());
    // As many threads as a pipeline uses.
    let cx = Context::new().with_threads(cores());
    let (mut pairs, mut speaker) = (Vec::new(), Vec::new());
    for plan in plans(&media, CLIPS) {
        let tracking = Tracking::new(media.clone(), plan.span);
        let handle = tokio::runtime::Handle::current();
        let track = |tracker: &dyn FaceTracker| measure(Who::Process, || drop(handle.block_on(tracker.track(&cx, &tracking)).unwrap()));
        tokio::task::block_in_place(|| {
            let analysis = track(&*used);
            let encode = measure(Who::Process, || drop(handle.block_on(render(std::slice::from_ref(&plan), 1))));
            pairs.push((analysis, encode));
            if let Some(tracker) = &without_speaker {
                let plain = track(&**tracker);
                speaker.push((Cost { wall: analysis.wall - plain.wall, user: analysis.user - plain.user }, encode));
            }
        });
    }
    report("analysis", ["analysis", "encode"], &pairs);
    total("analysis", &pairs);
    if without_speaker.is_some() {
        report("who speaks", ["speaker", "encode"], &speaker);
        total("who speaks", &speaker);
    }
}

/// Prints the ratio of all clips together.
fn total(name: &str, pairs: &[(Cost, Cost)]) {
    let (part, encode) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0.user, sum.1 + pair.1.user));
    println!("{name:16} user, {} clips together: ratio {:.3}", pairs.len(), part / encode);
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
    let command = [("MALLOC_MMAP_THRESHOLD_", "65536")];
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
    let tracker = trackers().await.used;
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
