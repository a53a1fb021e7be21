//! Clips of several pieces: every frame and every sample of the source can be told apart.

use std::path::{Path, PathBuf};

use clipkit::model::{ClipPlan, Crop, FrameRate, Layout, Limits, Piece, Rect, RenderedClip, Scene, Span, Timestamp};
use clipkit::stage::{FfmpegRenderer, Renderer};
use clipkit::{Context, ErrorKind};

use crate::render::{centred, fetch};
use crate::support::{ffmpeg, luma_frames, probe_json, samples, with};

const SIZE: (usize, usize) = (128, 64);
/// The number of the frame is drawn in so many blocks, the lowest bit first.
const BITS: usize = 13;
const RATE: f64 = 30.0;

/// A source of `secs` seconds: each frame shows its number in binary, and the sound is noise, so
/// that any stretch of it is found again.
pub(crate) fn counted(folder: &tempfile::TempDir, name: &str, secs: u32, codecs: &str) -> PathBuf {
    let path = folder.path().join(name);
    let picture = format!(
        "color=black:s={}x{}:r=30:d={secs},format=yuv420p,geq=lum='if(mod(floor(N/pow(2,floor(X/8))),2)*lt(X,{}),200,40)':cb=128:cr=128",
        SIZE.0,
        SIZE.1,
        BITS * 8
    );
    ffmpeg(&format!(
        "-f lavfi -i {picture} -f lavfi -i anoisesrc=c=pink:a=0.4:d={secs}:r=48000:seed=5 {codecs} -shortest {}",
        path.display()
    ));
    path
}

pub(crate) async fn planned(path: &Path, pieces: Vec<Piece>) -> ClipPlan {
    let media = fetch(path).await;
    let plan = centred(&media, Span::between(Timestamp::ZERO, media.duration), (SIZE.0 as u32, SIZE.1 as u32));
    with(plan, |plan| {
        plan.pieces = pieces;
        plan.output.loudness = None;
        plan.output.audio_bitrate = 320_000;
        plan.output.crf = 12;
        plan.output.frame_rate = FrameRate::new(30, 1);
        let all = Span::between(Timestamp::ZERO, plan.timeline().end());
        plan.scenes = vec![Scene::new(all, Layout::Fill { crop: Crop::still(Rect::FULL) })];
    })
}

pub(crate) async fn rendered(plan: &ClipPlan) -> (RenderedClip, Context) {
    let cx = Context::new();
    let clip = FfmpegRenderer::new().render(&cx, plan).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(cx.warnings().is_empty(), "{:?}", cx.warnings());
    (clip, cx)
}

/// The numbers that the frames show.
pub(crate) fn numbers(file: &Path) -> Vec<usize> {
    let number = |frame: &Vec<u8>| {
        let bit = |n: usize| usize::from(frame[SIZE.0 * (SIZE.1 / 2) + n * 8 + 4] > 120) << n;
        (0..BITS).map(bit).sum()
    };
    luma_frames(file, SIZE.0, SIZE.1).iter().map(number).collect()
}

/// Pieces of uneven lengths and gaps: most near each other, some far, some backwards.
pub(crate) fn many(joins: usize) -> Vec<Piece> {
    let mut at = 0.4;
    let mut pieces: Vec<Piece> = (0..=joins)
        .map(|n| {
            let gap = if n % 23 == 11 { 4.1 } else { 0.021 + (n * 37 % 11) as f64 * 0.0373 };
            let start = at + gap;
            at = start + 0.11 + (n * 53 % 7) as f64 * 0.0291;
            Piece::new(Span::secs(start, at).unwrap())
        })
        .collect();
    pieces.rotate_left(joins / 3);
    pieces
}

/// The frame that a source at 30 frames per second shows at a time.
fn shown(at: Timestamp) -> usize {
    ((at.secs() + 0.0005) * RATE).floor() as usize
}

/// The offset in samples, up to 40, at which a stretch of the clip is most like the source.
pub(crate) fn offset(clip: &[f32], source: &[f32], at: usize, from: usize, count: usize) -> (i64, f64) {
    let fit = |shift: i64| {
        let start = (from as i64 + shift) as usize;
        let (a, b) = (&clip[at..at + count], &source[start..start + count]);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    (-40..=40).map(|shift| (shift, fit(shift))).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

#[tokio::test]
async fn joins_are_exact_to_the_frame_and_to_the_sample_and_nothing_drifts() {
    let folder = tempfile::tempdir().unwrap();
    let codecs = "-c:v libx264 -preset ultrafast -qp 12 -bf 2 -g 60 -c:a pcm_s16le";
    let source = counted(&folder, "counted.mov", 130, codecs);
    let whole = samples(&source);
    for joins in [2, 20, 200] {
        let plan = planned(&source, many(joins)).await;
        let timeline = plan.timeline();
        assert_eq!(timeline.joins().count(), joins);
        let (clip, _cx) = rendered(&plan).await;
        let frames = numbers(&clip.video);
        assert_eq!((frames.len() as u64, clip.frames), (timeline.frames(plan.output.frame_rate), plan.frames()));
        for (n, &found) in frames.iter().enumerate() {
            let clip_time = Timestamp::from_secs(n as f64 / RATE);
            let piece = timeline.pieces()[timeline.index_at(clip_time.plus(0.0005))];
            assert_eq!(found, shown(piece.source_time(clip_time)), "{joins} joins: frame {n} at {clip_time} of {piece:?}");
        }
        let heard = samples(&clip.video);
        let wanted = timeline.end().secs() * 48_000.0;
        assert!((heard.len() as f64 - wanted).abs() < 1025.0, "{} samples, not {wanted}", heard.len());
        for (n, piece) in timeline.pieces().iter().enumerate() {
            let sample = |at: Timestamp| (at.secs() * 48_000.0).round() as usize;
            // Without the crossfades.
            let (from, to) = (sample(piece.clip.start()) + 480, sample(piece.clip.end()) - 480);
            let (off, fit) = offset(&heard, &whole, from, sample(piece.source.start()) + 480, to - from);
            assert!(off == 0 && fit > 0.95, "{joins} joins: piece {n} is {off} samples off ({fit:.3})");
        }
        let streams = probe_json(&clip.video);
        let lasts = |kind: &str| {
            let stream = streams["streams"].as_array().unwrap().iter().find(|stream| stream["codec_type"] == kind).unwrap();
            stream["duration"].as_str().unwrap().parse::<f64>().unwrap()
        };
        assert!((lasts("video") - lasts("audio")).abs() <= 1.0 / RATE + 0.022, "{} {}", lasts("video"), lasts("audio"));
        if let Some(kept) = std::env::var_os("CLIPKIT_KEEP") {
            std::fs::copy(&clip.video, Path::new(&kept).join(format!("pieces-{joins}.mp4"))).unwrap();
        }
    }
}

#[tokio::test]
async fn other_speeds_show_the_frames_of_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let source = counted(&folder, "counted.mkv", 30, "-c:v libx264 -preset ultrafast -qp 12 -c:a pcm_s16le");
    let piece = |start: f64, end: f64| Piece::new(Span::secs(start, end).unwrap());
    let pieces = vec![piece(2.0, 4.0), piece(10.0, 13.0).at_speed(2.0), piece(5.0, 6.0).at_speed(0.5), piece(20.0, 22.0).at_speed(1.25)];
    let plan = planned(&source, pieces).await;
    let (clip, _cx) = rendered(&plan).await;
    let timeline = plan.timeline();
    assert_eq!(clip.frames, 30 * 2 + 45 + 60 + 48);
    for (n, found) in numbers(&clip.video).into_iter().enumerate() {
        let clip_time = Timestamp::from_secs(n as f64 / RATE);
        let piece = timeline.pieces()[timeline.index_at(clip_time.plus(0.0005))];
        assert_eq!(found, shown(piece.source_time(clip_time)), "frame {n} at {clip_time} of {piece:?}");
    }
}

#[tokio::test]
async fn one_piece_in_a_list_is_the_clip_without_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let source = counted(&folder, "counted.mp4", 8, "-c:v libx264 -preset ultrafast -qp 12 -c:a aac");
    let span = Span::secs(1.5, 5.5).unwrap();
    let listed = with(planned(&source, vec![Piece::new(span)]).await, |plan| plan.span = span);
    let plain = with(listed.clone(), |plan| plan.pieces.clear());
    assert_eq!(listed.id(), plain.id());
    let (a, b) = (rendered(&listed).await, rendered(&plain).await);
    assert_eq!(std::fs::read(&a.0.video).unwrap(), std::fs::read(&b.0.video).unwrap());
}

#[tokio::test]
async fn pieces_that_cannot_be_played_are_refused() {
    let plan = centred(&crate::fakes::media(), Span::secs(10.0, 20.0).unwrap(), (64, 64));
    let piece = |start: f64, end: f64| Piece::new(Span::secs(start, end).unwrap());
    for (pieces, what) in [
        (vec![piece(9.0, 19.0)], "leaves the plan's span"),
        (vec![piece(10.0, 15.0).at_speed(3.0)], "speed is 3; give 0.5 to 2"),
        (vec![piece(10.0, 15.0).at_speed(f64::NAN)], "speed"),
        (vec![piece(10.0, 20.0), piece(11.0, 11.02)], "at least 40 ms"),
        (vec![piece(10.0, 15.0)], "scenes end at"),
    ] {
        let error = with(plan.clone(), |plan| plan.pieces = pieces).validate().unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
    let many = with(plan.clone(), |plan| plan.pieces = vec![piece(10.0, 20.0); 10_001]);
    let error = many.check_limits(&Limits::default()).unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge && error.to_string().contains("10001 entries; the limit plan_pieces is 10000"), "{error}");
    let good = with(plan, |plan| plan.pieces = vec![piece(15.0, 20.0), piece(10.0, 15.0)]);
    let text = good.to_json().unwrap();
    assert_eq!(ClipPlan::from_json(&text).unwrap(), good);
    assert!(text.contains("\"pieces\"") && !text.contains("speed"));
}
