//! Shared parts of the benches: a source, plans, measurement, and the comparison of two programs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A failing bench panics.

mod turns;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clipkit::Context;
use clipkit::model::{
    CaptionStyle, CaptionTrack, ClipPlan, Crop, Cue, CueWord, Layout, Media, MediaRef, Output, PlanSource, Platform, Rect, RenderedClip,
    Scene, Score, Span, Timestamp,
};
use clipkit::stage::{FfmpegRenderer, FileSource, Renderer, Source};

pub use turns::{ChildCost, in_turns};

/// The length of the clips in seconds.
pub const SECONDS: f64 = 10.0;
/// Captions per second, of four words each.
const CUES_PER_SEC: f64 = 2.0;

/// The cost of an operation, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Wall-clock time.
    pub wall: f64,
    /// User CPU time.
    pub user: f64,
}

/// The processes whose CPU time is measured.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// This process.
    Process,
    /// Its terminated child processes.
    Children,
}

/// The path of the source video, from `CLIPKIT_BENCH_VIDEO`.
pub fn source() -> PathBuf {
    match std::env::var_os("CLIPKIT_BENCH_VIDEO") {
        Some(video) => PathBuf::from(video),
        None => panic!("CLIPKIT_BENCH_VIDEO names no video: `make bench` takes a sample talk where it does not"),
    }
}

/// Probes a file.
pub async fn media(video: &Path) -> Media {
    FileSource::new().fetch(&Context::new(), &video.to_string_lossy()).await.unwrap()
}

/// Plans of `count` evenly spaced clips. They start slightly before a frame, so that both programs
/// cut at the same frame.
pub fn plans(media: &Media, count: u32) -> Vec<ClipPlan> {
    let video = media.require_video().unwrap();
    let (first, fps) = (video.start.secs(), video.frame_rate.fps());
    let on_a_frame = |at: f64| ((at - first) * fps).ceil() / fps + first - 0.000_4;
    let start = |n: u32| on_a_frame(1.0 + f64::from(n) * (media.duration.secs() - SECONDS - 2.0) / f64::from(count));
    (0..count).map(|n| plan(media, start(n), SECONDS)).collect()
}

/// Prints medians and the range of the ratio.
pub fn report(name: &str, [first, second]: [&str; 2], pairs: &[(Cost, Cost)]) {
    let spread = |of: &dyn Fn(&(Cost, Cost)) -> f64| {
        let mut values: Vec<f64> = pairs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        (values[0], values[values.len() / 2], values[values.len() - 1])
    };
    for (what, of) in [("wall", (|cost| cost.wall) as fn(&Cost) -> f64), ("user", |cost| cost.user)] {
        let (low, middle, high) = spread(&|(a, b)| of(a) / of(b));
        let (_, a, _) = spread(&|pair| of(&pair.0));
        let (_, b, _) = spread(&|pair| of(&pair.1));
        println!("{name:16} {what}: {first} {a:6.2} s, {second} {b:6.2} s, ratio {middle:.3} ({low:.3} to {high:.3})");
    }
}

/// Runs `work` and returns its cost.
pub fn measure(who: Who, work: impl FnOnce()) -> Cost {
    let whose = match who {
        Who::Process => libc::RUSAGE_SELF,
        Who::Children => libc::RUSAGE_CHILDREN,
    };
    let user = || {
        // SAFETY: `usage` is plain data that the call fills.
        let usage = unsafe {
            let mut usage = std::mem::zeroed::<libc::rusage>();
            libc::getrusage(whose, &mut usage);
            usage
        };
        user_seconds(&usage)
    };
    let (begun, before) = (Instant::now(), user());
    work();
    Cost { wall: begun.elapsed().as_secs_f64(), user: user() - before }
}

fn user_seconds(usage: &libc::rusage) -> f64 {
    usage.ru_utime.tv_sec as f64 + usage.ru_utime.tv_usec as f64 / 1e6
}

/// The number of processor cores.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Renders `plans`, `jobs` of them concurrently. The clips exist as long as the context.
pub async fn render(plans: &[ClipPlan], jobs: usize) -> (Context, Vec<RenderedClip>) {
    use futures::StreamExt;
    let cx = Context::new();
    let renderer = FfmpegRenderer::new();
    let clips = futures::stream::iter(plans)
        .map(|plan| {
            let cx = cx.with_threads(cores().div_ceil(jobs));
            async move { renderer.render(&cx, plan).await.unwrap() }
        })
        .buffer_unordered(jobs)
        .collect()
        .await;
    (cx, clips)
}

/// The plan of a clip of this length in seconds, with captions.
pub fn plan(media: &Media, start: f64, seconds: f64) -> ClipPlan {
    let video = media.require_video().unwrap();
    let (width, height) = video.display_size();
    // Aligned to pairs of pixels, as the `ffmpeg` command crops.
    let pairs = |part: f64| (part * f64::from(width) / 2.0).round() * 2.0 / f64::from(width);
    let window = pairs(9.0 / 16.0 * f64::from(height) / f64::from(width));
    let span = Span::secs(start, start + seconds).unwrap();
    let cues = (0..(seconds * CUES_PER_SEC) as usize)
        .map(|n| {
            let at = |part: usize| (n * 4 + part) as f64 / (4.0 * CUES_PER_SEC);
            let word = |part: usize| CueWord::new(format!("word{part}"), Span::secs(at(part), at(part + 1)).unwrap());
            Cue::new(Span::secs(at(0), at(4)).unwrap(), (0..4).map(word).collect())
        })
        .collect();
    let mut plan = ClipPlan::new(
        PlanSource::new(MediaRef::new(media.path.to_string_lossy(), media.id.clone()), width, height, media.duration),
        span,
        "bench",
        Score::of(1.0),
        vec![Scene::new(span.since(span.start()), Layout::Fill { crop: Crop::still(Rect::new(pairs(0.3), 0.0, window, 1.0)) })],
        Output::h264(1080, 1920, video.frame_rate),
    );
    let safe_area = Platform::Generic.safe_area(clipkit::model::Aspect::Vertical);
    plan.captions = Some(CaptionTrack::new(CaptionStyle::karaoke(), safe_area, cues));
    plan
}

/// Runs the `ffmpeg` command that makes the same clip, with these scale flags, and writes `out`.
///
/// The crop window follows the plan: `sendcmd` moves it frame by frame. The window's size is that of
/// the first scene; of a layout with several panes, it is the first pane. Captions are drawn if the
/// plan has them.
pub fn command(plan: &ClipPlan, flags: &str, out: &Path) {
    let (source_width, source_height) = (f64::from(plan.source.width), f64::from(plan.source.height));
    let even = |value: f64| (value / 2.0).round() as u32 * 2;
    let crop = plan.scenes[0].layout.panes()[0].0;
    let (width, height) = (even(crop.width * source_width), (crop.height * source_height / 2.0).floor() as u32 * 2);
    let windows = windows(plan).map(|(at, window)| {
        let limit = |value: f64, size: f64, source: f64| even(value * source).min(even(source - size));
        (at, limit(window.x, width.into(), source_width), limit(window.y, height.into(), source_height))
    });
    let (moves, captions) = (out.with_file_name("moves.txt"), out.with_file_name("captions.ass"));
    let (mut lines, mut last) = (String::new(), None);
    for (at, x, y) in windows {
        if last.replace((x, y)) != Some((x, y)) {
            lines.push_str(&format!("{at:.4} crop x {x}, crop y {y};\n"));
        }
    }
    std::fs::write(&moves, lines).unwrap();
    let mut filters =
        format!("sendcmd=f={},crop={width}:{height}:0:0,scale={}:{}:flags={flags}", moves.display(), plan.output.width, plan.output.height);
    if let Some(track) = &plan.captions {
        std::fs::write(&captions, track.to_ass(plan.output.width, plan.output.height)).unwrap();
        filters.push_str(&format!(",ass={}", captions.display()));
    }
    let seconds = plan.span.duration().as_secs_f64().to_string();
    let output = &plan.output;
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-ss", &plan.span.start().secs().to_string(), "-t", &seconds, "-i"])
        .arg(&plan.source.media.uri)
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
        .arg(out)
        .status()
        .unwrap();
    assert!(status.success());
}

/// The first pane's crop window at each frame of the clip, half a frame before it is due.
fn windows(plan: &ClipPlan) -> impl Iterator<Item = (f64, Rect)> + '_ {
    let fps = plan.output.frame_rate.fps();
    let frames = (plan.span.duration().as_secs_f64() * fps).ceil() as usize;
    (0..frames).map(move |frame| {
        let at = frame as f64 / fps;
        let scene = plan.scenes.iter().rev().find(|scene| scene.span.start().secs() <= at + 0.5 / fps).unwrap_or(&plan.scenes[0]);
        ((at - 0.5 / fps).max(0.0), scene.layout.panes()[0].0.at(Timestamp::from_secs(at)))
    })
}
