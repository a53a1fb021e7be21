//! `make bench`: clipkit's renderer against the `ffmpeg` command that does the same crop, scale, captions and encode.
//!
//! Both run in turns from one process, so that what else the machine does falls on both; only their ratio means something. The source is
//! `CLIPKIT_BENCH_VIDEO`, or a picture that ffmpeg draws.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clipkit::{
    CaptionStyle, CaptionTrack, ClipPlan, Context, Crop, Cue, CueWord, FfmpegRenderer, FileSource, Layout, Media, Output, PlanSource,
    Platform, Rect, Renderer, Scene, Score, Source, Span,
};

const ROUNDS: usize = 5;
const SECONDS: f64 = 10.0;

/// What a piece of work cost.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    user: f64,
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let video = std::env::var_os("CLIPKIT_BENCH_VIDEO").map_or_else(|| draw(folder.path()), PathBuf::from);
    let media = runtime.block_on(FileSource::new().fetch(&Context::new(), &video.to_string_lossy())).unwrap();
    let starts: Vec<f64> = (0..8).map(|n| 1.0 + f64::from(n) * (media.duration.secs() - SECONDS - 2.0) / 8.0).collect();
    let plans: Vec<ClipPlan> = starts.iter().map(|start| plan(&media, *start)).collect();

    println!(
        "{} ({} columns, {:.0} s), clips of {SECONDS} s, {ROUNDS} rounds",
        video.display(),
        plans[0].source.width,
        media.duration.secs()
    );
    let mut one = Vec::new();
    for round in 0..ROUNDS {
        let plan = &plans[round % plans.len()];
        let ours = measure(libc::RUSAGE_SELF, || runtime.block_on(ours(std::slice::from_ref(plan), 1)));
        let theirs = measure(libc::RUSAGE_CHILDREN, || command(plan, folder.path()));
        one.push((ours, theirs));
    }
    report("one clip", &one);
    let ours = measure(libc::RUSAGE_SELF, || runtime.block_on(ours(&plans, 2)));
    let theirs = measure(libc::RUSAGE_CHILDREN, || plans.iter().for_each(|plan| command(plan, folder.path())));
    report("eight clips", &[(ours, theirs)]);
}

/// Prints medians, and the ratio's range.
fn report(name: &str, pairs: &[(Cost, Cost)]) {
    let spread = |of: &dyn Fn(&(Cost, Cost)) -> f64| {
        let mut values: Vec<f64> = pairs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        (values[0], values[values.len() / 2], values[values.len() - 1])
    };
    for (what, of) in [("wall", (|cost| cost.wall) as fn(&Cost) -> f64), ("user", |cost| cost.user)] {
        let (low, middle, high) = spread(&|(ours, theirs)| of(ours) / of(theirs));
        let (_, ours, _) = spread(&|pair| of(&pair.0));
        let (_, theirs, _) = spread(&|pair| of(&pair.1));
        println!("{name:12} {what}: clipkit {ours:6.2} s, ffmpeg {theirs:6.2} s, ratio {middle:.2} ({low:.2} to {high:.2})");
    }
}

fn measure(whose: libc::c_int, work: impl FnOnce()) -> Cost {
    let user = || {
        // SAFETY: `usage` is plain data that the call fills.
        let usage = unsafe {
            let mut usage = std::mem::zeroed::<libc::rusage>();
            libc::getrusage(whose, &mut usage);
            usage
        };
        usage.ru_utime.tv_sec as f64 + usage.ru_utime.tv_usec as f64 / 1e6
    };
    let (begun, before) = (Instant::now(), user());
    work();
    Cost { wall: begun.elapsed().as_secs_f64(), user: user() - before }
}

/// Renders `plans`, `jobs` side by side.
async fn ours(plans: &[ClipPlan], jobs: usize) {
    use futures::StreamExt;
    let cx = Context::new();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let renderer = FfmpegRenderer::new();
    futures::stream::iter(plans)
        .map(|plan| {
            let cx = cx.with_threads(cores.div_ceil(jobs));
            async move { renderer.render(&cx, plan).await.unwrap() }
        })
        .buffer_unordered(jobs)
        .collect::<Vec<_>>()
        .await;
}

/// The `ffmpeg` command for the same clip.
fn command(plan: &ClipPlan, folder: &Path) {
    let Layout::Fill { crop } = &plan.scenes[0].layout else { unreachable!("this bench plans one window") };
    let (x, width) = (crop.path[0].x * f64::from(plan.source.width), crop.width * f64::from(plan.source.width));
    let even = |value: f64| (value / 2.0).round() as u32 * 2;
    let captions = folder.join("captions.ass");
    std::fs::write(&captions, plan.captions.as_ref().unwrap().to_ass(plan.output.width, plan.output.height)).unwrap();
    let filters = format!(
        "crop={}:{}:{}:0,scale={}:{}:flags=bicubic,ass={}",
        even(width),
        plan.source.height,
        even(x),
        plan.output.width,
        plan.output.height,
        captions.display()
    );
    let output = &plan.output;
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-ss", &plan.span.start().secs().to_string(), "-t", &SECONDS.to_string(), "-i"])
        .arg(&plan.source.path)
        .args(["-vf", &filters, "-r", &format!("{}/{}", output.frame_rate.num, output.frame_rate.den)])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            output.preset.name(),
            "-crf",
            &output.crf.to_string(),
            "-profile:v",
            "high",
            "-pix_fmt",
            "yuv420p",
        ])
        .args(["-g", &(output.frame_rate.fps() * 2.0).round().to_string()])
        .args(["-c:a", "aac", "-b:a", &output.audio_bitrate.to_string(), "-ar", "48000", "-ac", "2", "-movflags", "+faststart"])
        .arg(folder.join("theirs.mp4"))
        .status()
        .unwrap();
    assert!(status.success());
}

fn plan(media: &Media, start: f64) -> ClipPlan {
    let video = media.require_video().unwrap();
    let (width, height) = video.display_size();
    let window = 9.0 / 16.0 * f64::from(height) / f64::from(width);
    let span = Span::secs(start, start + SECONDS).unwrap();
    let cues = (0..20)
        .map(|n| {
            let at = |part: usize| (n * 4 + part) as f64 * SECONDS / 80.0;
            let word = |part: usize| CueWord::new(format!("word{part}"), Span::secs(at(part), at(part + 1)).unwrap());
            Cue::new(Span::secs(at(0), at(4)).unwrap(), (0..4).map(word).collect())
        })
        .collect();
    ClipPlan {
        version: ClipPlan::VERSION,
        source: PlanSource { path: media.path.clone(), id: media.id.clone(), width, height, duration: media.duration },
        span,
        title: "bench".into(),
        reason: String::new(),
        hook_line: None,
        score: Score::of(1.0),
        shots: Vec::new(),
        faces: Vec::new(),
        subjects: Vec::new(),
        scenes: vec![Scene {
            span: span.since(span.start()),
            layout: Layout::Fill { crop: Crop::still(Rect::new(0.3, 0.0, window, 1.0)) },
        }],
        hook: None,
        captions: Some(CaptionTrack {
            style: CaptionStyle::karaoke(),
            safe_area: Platform::Generic.safe_area(clipkit::Aspect::Vertical),
            cues,
        }),
        output: Output::h264(1080, 1920, video.frame_rate),
    }
}

/// Two minutes of 1080p with motion and detail everywhere.
fn draw(folder: &Path) -> PathBuf {
    let path = folder.join("source.mp4");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "mandelbrot=s=1920x1080:r=25", "-f", "lavfi", "-i", "sine=f=300"])
        .args(["-t", "120", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    path
}
