//! A picture that changes its size midway: each part keeps its shapes, and a shot starts there.

#![allow(clippy::unwrap_used)] // Helpers of tests fail as tests do.

use std::path::{Path, PathBuf};

use clipkit::Context;
use clipkit::model::{ClipPlan, Crop, Layout, Pane, Rect, Scene, Span, Timestamp};
use clipkit::stage::{FaceTracker, FfmpegRenderer, MotionTracker, Renderer, Tracking};

use crate::render::{centred, fetch};
use crate::support::{ffmpeg, luma_frames, with};

const SIZE: (usize, usize) = (180, 320);
/// The seconds of each part.
const PART: f64 = 2.0;

/// A video of two parts of these sizes.
fn joined(folder: &tempfile::TempDir, name: &str, sizes: [(u32, u32); 2]) -> PathBuf {
    parts(folder, name, sizes.map(|size| (size, (1, 1))))
}

/// A video of two parts of these sizes and pixel aspects, each with a white rectangle in the middle
/// of a grey picture that is displayed as a square of 100 pixels.
fn parts(folder: &tempfile::TempDir, name: &str, shapes: [((u32, u32), (u32, u32)); 2]) -> PathBuf {
    let parts: Vec<String> = (0..)
        .zip(shapes)
        .map(|(n, ((width, height), (wide, high)))| {
            let part = folder.path().join(format!("{name}.{n}.ts"));
            let side = 100 * high / wide;
            let (x, y) = (width / 2 - side / 2, height / 2 - 50);
            ffmpeg(&format!(
                "-f lavfi -i color=0x505050:s={width}x{height}:r=30:d={PART},drawbox=x={x}:y={y}:w={side}:h=100:c=white:t=fill,setsar={wide}/{high},format=yuv420p \
                 -f lavfi -i sine=d={PART}:r=48000 -colorspace bt709 -c:v libx264 -preset ultrafast -crf 8 -g 30 -c:a aac {}",
                part.display()
            ));
            part.display().to_string()
        })
        .collect();
    let list = folder.path().join(format!("{name}.txt"));
    std::fs::write(&list, parts.iter().map(|part| format!("file '{part}'\n")).collect::<String>()).unwrap();
    let path = folder.path().join(name);
    ffmpeg(&format!("-f concat -safe 0 -i {} -c copy {}", list.display(), path.display()));
    path
}

/// Width and height in pixels of what is white in a frame, below which the caption would be.
fn square(frame: &[u8]) -> (usize, usize) {
    let white = |x: usize, y: usize| frame[y * SIZE.0 + x] > 180;
    let columns: Vec<usize> = (0..SIZE.0).filter(|x| (0..SIZE.1).any(|y| white(*x, y))).collect();
    let rows: Vec<usize> = (0..SIZE.1).filter(|y| (0..SIZE.0).any(|x| white(x, *y))).collect();
    let extent = |of: &[usize]| of.last().map_or(0, |last| last - of[0] + 1);
    (extent(&columns), extent(&rows))
}

async fn frames(plan: &ClipPlan) -> Vec<Vec<u8>> {
    let cx = Context::new();
    let clip = FfmpegRenderer::new().render(&cx, plan).await.unwrap_or_else(|error| panic!("{error}"));
    if let Some(folder) = std::env::var_os("CLIPKIT_KEEP_SHAPES") {
        std::fs::copy(&clip.video, Path::new(&folder).join(Path::new(&plan.source.media.uri).file_name().unwrap())).unwrap();
    }
    luma_frames(&clip.video, SIZE.0, SIZE.1)
}

async fn whole(path: &Path) -> ClipPlan {
    let media = fetch(path).await;
    assert!((media.duration.secs() - 2.0 * PART).abs() < 0.2, "{}", media.duration);
    let plan = centred(&media, Span::secs(0.0, 2.0 * PART).unwrap(), (SIZE.0 as u32, SIZE.1 as u32));
    with(plan, |plan| plan.output.loudness = None)
}

#[tokio::test]
async fn each_part_keeps_its_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let (wide, high) = ((640, 360), (360, 640));
    for (name, sizes) in
        [("turned.ts", [wide, high]), ("turned.mkv", [wide, high]), ("back.ts", [high, wide]), ("larger.ts", [wide, (1280, 720)])]
    {
        let path = joined(&folder, name, sizes);
        let frames = frames(&whole(&path).await).await;
        assert_eq!(frames.len(), 120, "{name}");
        for (n, frame) in frames.iter().enumerate() {
            let (width, height) = square(frame);
            assert!(width > 12 && width.abs_diff(height) <= 3, "{name}, frame {n}: {width}x{height}");
            // A window on the picture has no black around it.
            assert!(frame[SIZE.0 / 2] > 50 && frame[(SIZE.1 - 1) * SIZE.0 + SIZE.0 / 2] > 50, "{name}, frame {n} has bars");
        }
    }
}

#[tokio::test]
async fn a_broadcast_that_changes_its_pixel_aspect_keeps_its_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let path = parts(&folder, "pixels.ts", [((720, 576), (64, 45)), ((720, 576), (16, 15))]);
    for (n, frame) in frames(&whole(&path).await).await.iter().enumerate() {
        let (width, height) = square(frame);
        assert!(width > 12 && width.abs_diff(height) <= 3, "frame {n}: {width}x{height}");
    }
}

#[tokio::test]
async fn a_fitted_picture_is_whole_in_both_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = joined(&folder, "fitted.ts", [(640, 360), (360, 640)]);
    let place = Rect::new(0.0, 0.341_8, 1.0, 0.316_4);
    let pane = Pane { crop: Crop::still(Rect::FULL), place };
    let scenes = vec![Scene::new(Span::secs(0.0, 2.0 * PART).unwrap(), Layout::Fit { pane })];
    let frames = frames(&with(whole(&path).await, |plan| plan.scenes = scenes)).await;
    // 100 pixels of 640 on a width of 180, and 100 pixels of 360.
    for (n, expected) in [(15, 28_usize), (45, 28), (75, 50), (110, 50)] {
        let (width, height) = square(&frames[n]);
        assert!(width.abs_diff(expected) <= 3 && height.abs_diff(expected) <= 3, "frame {n}: {width}x{height}");
    }
}

#[tokio::test]
async fn a_shot_starts_where_the_size_changes() {
    let folder = tempfile::tempdir().unwrap();
    let square = (1, 1);
    for (name, shapes) in [
        ("turned.ts", [((640, 360), square), ((360, 640), square)]),
        ("larger.mkv", [((640, 360), square), ((1280, 720), square)]),
        ("pixels.ts", [((720, 576), (64, 45)), ((720, 576), (16, 15))]),
    ] {
        let media = fetch(&parts(&folder, name, shapes)).await;
        let span = Span::between(Timestamp::ZERO, media.duration);
        let tracks = MotionTracker::default().track(&Context::new(), &Tracking::new(media, span)).await.unwrap();
        let starts: Vec<f64> = tracks.shots.iter().map(|shot| shot.span.start().secs()).collect();
        assert!(starts.len() == 2 && (starts[1] - PART).abs() < 0.1, "{name}: {starts:?}");
    }
}
