//! Layouts and moving windows, checked in the rendered file.

use std::path::{Path, PathBuf};

use clipkit::Context;
use clipkit::model::{ClipPlan, Crop, CropKey, Half, Layout, Pane, Rect, RenderedClip, Scene, Span, Speaking, Timestamp};
use clipkit::stage::{FfmpegRenderer, Renderer};

use crate::render::{centred, fetch, made};
use crate::support::{ffmpeg_bytes, luma_frames};

const WIDTH: usize = 180;
const HEIGHT: usize = 320;

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const GREEN: [u8; 3] = [0, 255, 0];
/// The highlight of the speaker in a clip without captions.
const ACCENT: [u8; 3] = [255, 214, 10];

/// Red on the left, blue on the right, green in the middle fifth.
const BANDS: &str = "-f lavfi -i color=red:s=640x360:r=30:d=4,drawbox=x=384:w=256:c=blue:t=fill,drawbox=x=256:w=128:c=lime:t=fill,\
                     scale=out_color_matrix=bt709:out_range=tv,format=yuv420p -colorspace bt709 -c:v libx264 -preset ultrafast -crf 4";

fn red() -> Crop {
    Crop::still(Rect::new(0.05, 0.1, 0.25, 0.8))
}

fn blue() -> Crop {
    Crop::still(Rect::new(0.7, 0.1, 0.25, 0.8))
}

async fn rendered(source: &Path, scenes: &[(f64, Layout)], seconds: f64) -> RenderedClip {
    let media = fetch(source).await;
    let mut plan = centred(&media, Span::secs(0.0, seconds).unwrap(), (WIDTH as u32, HEIGHT as u32));
    let ends = scenes.iter().skip(1).map(|(start, _)| *start).chain([seconds]);
    let scene = |((start, layout), end): (&(f64, Layout), f64)| Scene::new(Span::secs(*start, end).unwrap(), layout.clone());
    plan.scenes = scenes.iter().zip(ends).map(scene).collect();
    render(plan).await
}

async fn render(mut plan: ClipPlan) -> RenderedClip {
    plan.output.crf = 4;
    let cx = Context::new();
    let mut clip = FfmpegRenderer::new().render(&cx, &plan).await.unwrap();
    assert!(cx.warnings().is_empty(), "{:?}", cx.warnings());
    // The scratch folder is removed with the context.
    let kept = Path::new(&plan.source.media.uri).with_extension(format!("{}.mp4", plan.output.width));
    std::fs::copy(&clip.video, &kept).unwrap();
    let cover = kept.with_extension("jpg");
    std::fs::copy(&clip.cover, &cover).unwrap();
    (clip.video, clip.cover) = (kept, cover);
    clip
}

type Frame = Vec<[u8; 3]>;

fn rgb_frames(file: &Path) -> Vec<Frame> {
    let bytes = ffmpeg_bytes(file, "-an -fps_mode passthrough -sws_flags accurate_rnd+full_chroma_int -f rawvideo -pix_fmt rgb24 -");
    bytes.chunks(WIDTH * HEIGHT * 3).map(|frame| frame.as_chunks::<3>().0.to_vec()).collect()
}

fn is(frame: &Frame, x: usize, y: usize, color: [u8; 3]) -> bool {
    frame[y * WIDTH + x].iter().zip(color).all(|(a, b)| a.abs_diff(b) < 24)
}

fn assert_is(frame: &Frame, (x, y): (usize, usize), color: [u8; 3]) {
    assert!(is(frame, x, y, color), "at {x} {y} is {:?}, not {color:?}", frame[y * WIDTH + x]);
}

#[tokio::test]
async fn a_split_shows_two_windows_and_marks_who_speaks_from_the_frame_on() {
    let folder = tempfile::tempdir().unwrap();
    let source = made(&folder, "bands.mp4", BANDS);
    let says = |from, half| Speaking { from: Timestamp::from_secs(from), half };
    let speaking = vec![says(0.5, Some(Half::Top)), says(1.0, Some(Half::Bottom)), says(1.5, None)];
    let clip = rendered(&source, &[(0.0, Layout::Split { top: red(), bottom: blue(), speaking })], 2.0).await;
    let frames = rgb_frames(&clip.video);
    assert_eq!(frames.len(), 60);
    for (n, frame) in frames.iter().enumerate() {
        for (place, color) in [((90, 80), RED), ((90, 156), RED), ((90, 163), BLUE), ((90, 240), BLUE)] {
            assert_is(frame, place, color);
        }
        let rim = |y: usize| is(frame, 90, y, ACCENT) && is(frame, 0, y + 80, ACCENT) && is(frame, 179, y + 80, ACCENT);
        assert_eq!((rim(0), rim(160)), ((15..30).contains(&n), (30..45).contains(&n)), "frame {n}");
    }
    // The cover is the frame at half a second, with the same colours.
    let cover = image::open(&clip.cover).unwrap().to_rgb8();
    for (x, y, color) in [(90, 80, RED), (90, 240, BLUE), (90, 0, ACCENT)] {
        let shown = cover.get_pixel(x, y).0;
        assert!(shown.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 30), "{x} {y}: {shown:?}");
    }
}

#[tokio::test]
async fn a_fitted_window_stands_before_its_own_blur() {
    let folder = tempfile::tempdir().unwrap();
    // Stripes are sharp in the window and invisible in the blur.
    let source = made(
        &folder,
        "stripes.mp4",
        "-f lavfi -i color=gray:s=640x360:r=30:d=1,format=yuv420p,geq=lum='40+180*gt(mod(X,8),3)':cb=128:cr=90 -colorspace bt709 \
         -c:v libx264 -preset ultrafast -crf 4",
    );
    let place = Rect::new(0.0, 0.25, 1.0, 0.316_406);
    let pane = Pane { crop: Crop::still(Rect::FULL), place };
    let clip = rendered(&source, &[(0.0, Layout::Fit { pane })], 1.0).await;
    let (top, bottom) = (80, 80 + 102);
    for frame in luma_frames(&clip.video, WIDTH, HEIGHT) {
        let spread = |y: usize| {
            let row = &frame[y * WIDTH..(y + 1) * WIDTH];
            row.iter().max().unwrap() - row.iter().min().unwrap()
        };
        for y in (top..bottom).step_by(9) {
            assert!(spread(y) > 100, "row {y} is blurred: {}", spread(y));
        }
        for y in (0..top - 1).chain(bottom + 1..HEIGHT).step_by(7) {
            assert!(spread(y) < 24, "row {y} is not blurred: {}", spread(y));
        }
        // Half the brightness of the stripes, whose mean is 130; black is 16.
        assert!(frame[10 * WIDTH + 90].abs_diff(73) < 12, "{}", frame[10 * WIDTH + 90]);
    }
    let [_, green, _] = rgb_frames(&clip.video)[10][10 * WIDTH + 90];
    assert!(green > 70, "the blur keeps its colour: {green}");
}

#[tokio::test]
async fn an_inset_lies_before_the_screen_with_round_corners() {
    let folder = tempfile::tempdir().unwrap();
    let source = made(&folder, "bands.mp4", BANDS);
    let screen = Pane { crop: red(), place: Rect::new(0.0, 0.125, 1.0, 0.5) };
    let inset = Pane { crop: blue(), place: Rect::new(0.5, 0.5, 0.4, 0.375) };
    let clip = rendered(&source, &[(0.0, Layout::Pip { screen, inset })], 0.5).await;
    for frame in rgb_frames(&clip.video) {
        // The screen fills rows 40 to 200, the inset columns 90 to 162 of rows 160 to 280.
        for (place, color) in
            [((90, 45), RED), ((40, 195), RED), ((126, 170), BLUE), ((96, 220), BLUE), ((155, 220), BLUE), ((126, 272), BLUE)]
        {
            assert_is(&frame, place, color);
        }
        for place in [(88, 170), (164, 170), (90, 160)] {
            assert_is(&frame, place, RED);
        }
        assert!(frame[161 * WIDTH + 126].iter().all(|value| *value > 150), "a rim: {:?}", frame[161 * WIDTH + 126]);
        for y in [10, 300] {
            let [red, green, blue] = frame[y * WIDTH + 40];
            assert!((60..180).contains(&red) && green < 40 && blue < 40, "a dark red: {:?}", frame[y * WIDTH + 40]);
        }
    }
}

#[tokio::test]
async fn layouts_change_on_the_frame() {
    let folder = tempfile::tempdir().unwrap();
    let source = made(&folder, "bands.mp4", BANDS);
    let fill = |x| Layout::Fill { crop: Crop::still(Rect::new(x, 0.0, 0.1, 0.316)) };
    let split = Layout::Split { top: blue(), bottom: red(), speaking: Vec::new() };
    let fit = Layout::Fit { pane: Pane { crop: Crop::still(Rect::FULL), place: Rect::new(0.0, 0.342, 1.0, 0.316_406) } };
    let moving = Layout::Fill {
        crop: Crop::new(0.1, 0.316, [(1.2, 0.0), (1.5, 0.04)].map(|(at, x)| CropKey { at: Timestamp::from_secs(at), x, y: 0.1 }).to_vec()),
    };
    let scenes = [(0.0, fill(0.1)), (0.3, split), (0.5, fit), (0.9, fill(0.45)), (1.2, moving)];
    let clip = rendered(&source, &scenes, 1.5).await;
    // The colours at the top, in the middle and at the bottom distinguish the layouts.
    let seen = |frame: &Frame| [20, 170, 300].map(|y| [RED, BLUE, GREEN].iter().position(|color| is(frame, 90, y, *color)));
    let expected = |n: usize| match n {
        0..9 | 36.. => [Some(0); 3],
        9..15 => [Some(1), Some(0), Some(0)],
        15..27 => [None, Some(2), None],
        _ => [Some(2); 3],
    };
    for (n, frame) in rgb_frames(&clip.video).iter().enumerate() {
        assert_eq!(seen(frame), expected(n), "frame {n}");
    }
}

/// The position of an edge from dark to bright in a row, in pixels from the left, computed from the
/// sum of the dark part.
fn edge(row: &[u8]) -> f64 {
    let (low, high) = (f64::from(row[0]), f64::from(row[row.len() - 1]));
    row.iter().map(|value| (high - f64::from(*value)) / (high - low)).sum()
}

/// The largest deviation of the edge from a movement of `step` pixels per frame.
fn unevenness(edges: &[f64], step: f64) -> f64 {
    let offsets: Vec<f64> = edges.iter().enumerate().map(|(n, edge)| edge + step * n as f64).collect();
    let mean = offsets.iter().sum::<f64>() / offsets.len() as f64;
    offsets.iter().map(|offset| (offset - mean).abs()).fold(0.0, f64::max)
}

#[tokio::test]
async fn a_slow_pan_moves_evenly_in_brightness_and_colour() {
    let folder = tempfile::tempdir().unwrap();
    let draw = "color=gray:s=640x360:r=30:d=2,format=yuv420p,geq=lum='60+120*gt(X,330)':cb='90+80*gt(X,165)':cr=128";
    let turned = "color=gray:s=360x640:r=30:d=2,format=yuv420p,geq=lum='60+120*gt(Y,330)':cb='90+80*gt(Y,165)':cr=128";
    let encode = "-c:v libx264 -preset ultrafast -crf 2";
    let sources = [
        // Without conversion, with a conversion of the colours first, and with a rotation first.
        made(&folder, "plain.mp4", &format!("-f lavfi -i {draw} -colorspace bt709 {encode}")),
        made(&folder, "matrix.mp4", &format!("-f lavfi -i {draw} -colorspace smpte170m {encode}")),
        turned_file(&folder, &format!("-f lavfi -i {turned} -colorspace bt709 {encode}")),
    ];
    for source in sources {
        // 0.3 source pixels per frame, in a window of 202.5 pixels that is scaled to 180.
        let (per_frame, width) = (0.3, 0.316_406);
        let (from, to) = (0.35, 0.35 + 0.3 * 58.0 / 640.0);
        let key = |at, x| CropKey { at: Timestamp::from_secs(at), x, y: 0.0 };
        let path = vec![key(0.0, from), key(58.0 / 30.0, to)];
        let clip = rendered(&source, &[(0.0, Layout::Fill { crop: Crop::new(width, 1.0, path) })], 58.0 / 30.0).await;
        let planes = ffmpeg_bytes(&clip.video, "-an -fps_mode passthrough -f rawvideo -pix_fmt yuv420p -");
        let (luma, chroma): (Vec<f64>, Vec<f64>) = (planes.chunks(WIDTH * HEIGHT * 3 / 2))
            .map(|frame| {
                let row = WIDTH * HEIGHT + (HEIGHT / 4) * WIDTH / 2;
                (edge(&frame[HEIGHT / 2 * WIDTH..][..WIDTH]), edge(&frame[row..][..WIDTH / 2]))
            })
            .unzip();
        let step = per_frame * WIDTH as f64 / (width * 640.0);
        assert_eq!(luma.len(), 58);
        let (bright, colour) = (unevenness(&luma, step), unevenness(&chroma, step / 2.0));
        assert!(bright < 0.1, "{}: brightness is {bright:.3} pixels off", source.display());
        assert!(colour < 0.1, "{}: colour is {colour:.3} pixels off", source.display());
        // The edge is first 331 pixels from the left, plus or minus half a sample of the ramp.
        let expected = (331.0 - from * 640.0) * WIDTH as f64 / (width * 640.0);
        assert!((luma[0] - expected).abs() < 0.3, "{}: {} instead of {expected}", source.display(), luma[0]);
    }
}

/// A file whose metadata rotates it by 90 degrees.
fn turned_file(folder: &tempfile::TempDir, arguments: &str) -> PathBuf {
    let flat = made(folder, "flat.mp4", arguments);
    made(folder, "turned.mp4", &format!("-i {} -c copy -metadata:s:v rotate=90", flat.display()))
}

#[tokio::test]
async fn a_moving_window_shows_what_a_standing_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = [
        ("plain", "yuv420p", "-colorspace bt709"),
        ("standard", "yuv420p", "-colorspace smpte170m"),
        ("full", "yuvj420p", "-colorspace bt709 -color_range pc"),
        ("wide", "yuv422p", "-colorspace bt709"),
        ("whole", "yuv444p", "-colorspace bt709"),
        ("deep", "yuv420p10le", "-colorspace bt709"),
    ];
    for (name, format, flags) in kinds {
        let drawn = format!("-f lavfi -i testsrc2=s=642x362:r=30:d=0.2 -pix_fmt {format} {flags} -c:v libx264 -preset ultrafast -crf 2");
        let source = made(&folder, &format!("{name}.mp4"), &drawn);
        // On the grid to which a static window is aligned.
        let crop = Crop::still(Rect::new(100.0 / 642.0, 20.0 / 362.0, 180.0 / 642.0, 320.0 / 362.0));
        let mut moved = crop.clone();
        moved.path.push(CropKey { at: Timestamp::from_secs(0.2), x: crop.path[0].x + 1e-7, y: crop.path[0].y });
        for layout in [Layout::Fill { crop: moved.clone() }, Layout::Fit { pane: Pane { crop: crop.clone(), place: Rect::FULL } }] {
            let still = rgb_frames(&rendered(&source, &[(0.0, Layout::Fill { crop: crop.clone() })], 0.2).await.video);
            let drawn = rgb_frames(&rendered(&source, &[(0.0, layout)], 0.2).await.video);
            let (mut sum, mut count) = (0, 0);
            for (a, b) in still.iter().flatten().flatten().zip(drawn.iter().flatten().flatten()) {
                (sum, count) = (sum + u64::from(a.abs_diff(*b)), count + 1);
            }
            let mean = sum as f64 / f64::from(count);
            assert!(mean < 1.5, "{name}: {mean:.2} levels apart");
        }
    }
}

#[tokio::test]
async fn interlaced_pictures_show_no_stripes() {
    let folder = tempfile::tempdir().unwrap();
    // Bars that move 12 pixels from field to field.
    let source = made(
        &folder,
        "fields.mkv",
        "-f lavfi -i color=gray:s=640x360:r=50:d=1,format=yuv420p,geq=lum='40+160*lt(mod(X-12*N,96),48)':cb=128:cr=128,\
         tinterlace=interleave_top -flags +ilme+ildct -colorspace bt709 -c:v mpeg2video -q:v 2",
    );
    let crop = Crop::still(Rect::new(0.3, 0.05, 180.0 / 640.0, 320.0 / 360.0));
    let clip = rendered(&source, &[(0.0, Layout::Fill { crop })], 0.9).await;
    // The deviation of rows from the mean of their neighbours.
    let stripes = |frame: &[u8], width: usize| {
        let rows: Vec<&[u8]> = frame.chunks(width).collect();
        let away = |rows: &[&[u8]]| -> f64 {
            let pixels = rows[0].iter().zip(rows[1]).zip(rows[2]);
            pixels.map(|((a, b), c)| (2.0 * f64::from(*b) - f64::from(*a) - f64::from(*c)).abs()).sum::<f64>() / width as f64
        };
        rows.windows(3).map(away).sum::<f64>() / rows.len() as f64
    };
    let stored = luma_frames(&source, 640, 360);
    assert!(stripes(&stored[5], 640) > 40.0, "the source has no stripes: {}", stripes(&stored[5], 640));
    let frames = luma_frames(&clip.video, WIDTH, HEIGHT);
    assert_eq!(frames.len(), 27);
    // The first frame has no predecessor, so its edges are interpolated.
    for (n, frame) in frames.iter().enumerate().skip(2) {
        assert!(stripes(frame, WIDTH) < 8.0, "frame {n} has stripes: {}", stripes(frame, WIDTH));
    }
    // The bars move 24 pixels per frame in one direction, and no frame lasts longer than 50 ms.
    let bar = |frame: &[u8]| frame[160 * WIDTH..][..96].iter().map(|value| f64::from(*value)).collect::<Vec<_>>();
    for pair in frames.windows(3) {
        let moved: f64 = bar(&pair[0]).iter().zip(bar(&pair[2])).map(|(a, b)| (a - b).abs()).sum();
        assert!(moved > 1000.0, "the picture stands");
    }
}

#[tokio::test]
async fn key_frames_of_the_source_are_not_forced_on_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing moves, so the encoder does not insert a key frame, either.
    let source = made(&folder, "intra.mp4", "-f lavfi -i smptebars=s=640x360:r=30:d=2 -c:v libx264 -preset ultrafast -g 1");
    let clip = rendered(&source, &[(0.0, Layout::Fill { crop: red() })], 2.0).await;
    let packets = crate::support::key_frames(&clip.video);
    assert_eq!(packets, [true].into_iter().chain([false; 59]).collect::<Vec<_>>());
}
