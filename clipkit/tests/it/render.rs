use crate::support::with;
use std::path::{Path, PathBuf};

use clipkit::model::{
    ClipPlan, Crop, CropKey, FrameRate, Layout, Media, MediaRef, Output, PlanSource, Rect, Scene, Score, Span, Timestamp,
};
use clipkit::stage::{FfmpegRenderer, FileSource, Renderer, Source};
use clipkit::{Context, ErrorKind};

use crate::fakes::media;
use crate::support::{ffmpeg, ffmpeg_complaints, luma_frames, probe_json, samples, testdata, videos};

pub(crate) async fn fetch(path: &Path) -> Media {
    FileSource::new().fetch(&Context::new(), &path.to_string_lossy()).await.unwrap()
}

/// A plan with the largest possible window in the middle.
pub(crate) fn centred(media: &Media, span: Span, (width, height): (u32, u32)) -> ClipPlan {
    let (source_width, source_height) = media.require_video().unwrap().display_size();
    let wanted = f64::from(width) / f64::from(height);
    let given = f64::from(source_width) / f64::from(source_height);
    let (w, h) = if given > wanted { (wanted / given, 1.0) } else { (1.0, given / wanted) };
    let crop = Crop::still(Rect::new((1.0 - w) / 2.0, (1.0 - h) / 2.0, w, h));
    with(
        ClipPlan::new(
            PlanSource::new(MediaRef::new(media.path.to_string_lossy(), media.id.clone()), source_width, source_height, media.duration),
            span,
            "A title",
            Score::of(50.0),
            vec![Scene::new(span.since(span.start()), Layout::Fill { crop })],
            Output::h264(width, height, FrameRate::new(30, 1)),
        ),
        |it| it.reason = "A reason.".into(),
    )
}

pub(crate) fn made(folder: &tempfile::TempDir, name: &str, arguments: &str) -> PathBuf {
    let path = folder.path().join(name);
    ffmpeg(&format!("{arguments} {}", path.display()));
    path
}

#[tokio::test]
async fn a_frame_rate_that_ffmpeg_cannot_hold_is_an_invalid_plan() {
    let mut plan = centred(&media(), Span::secs(1.0, 2.0).unwrap(), (270, 480));
    plan.output.frame_rate = FrameRate { num: i32::MAX as u32, den: i32::MAX as u32 / 30 };
    plan.validate().unwrap();
    for (num, den) in [(1 << 31, 1 << 26), (u32::MAX, u32::MAX / 30), (30, 0), (1, 1 << 31)] {
        plan.output.frame_rate = FrameRate { num, den };
        for error in [plan.validate().unwrap_err(), FfmpegRenderer::new().render(&Context::new(), &plan).await.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::InvalidPlan, "{num}/{den}: {error}");
            assert!(error.to_string().contains("output.frame_rate"), "{num}/{den}: {error}");
        }
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn every_video_renders_as_planned() {
    let mut rendered = 0;
    for path in videos(&testdata().join("media")) {
        let cx = Context::new();
        let media = match FileSource::new().fetch(&cx, &path.to_string_lossy()).await {
            Ok(media) => media,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
                assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
                continue;
            }
        };
        if media.video.is_none() {
            assert_eq!(media.require_video().unwrap_err().kind(), ErrorKind::InvalidInput);
            continue;
        }
        let start = if media.duration.secs() > 6.0 { 2.3 } else { 0.0 };
        let length = (media.duration.secs() - start).min(1.5);
        let plan = centred(&media, Span::secs(start, start + length).unwrap(), (270, 480));
        let clip = FfmpegRenderer::new().render(&cx, &plan).await.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let found = probe_json(&clip.video);
        let [video, audio] = found["streams"].as_array().unwrap().as_slice() else { panic!("{found}") };
        for (key, value) in
            [("codec_name", "h264"), ("profile", "High"), ("pix_fmt", "yuv420p"), ("color_space", "bt709"), ("start_time", "0.000000")]
        {
            assert_eq!(video[key], value, "{}: {key}", path.display());
        }
        for (key, value) in [("codec_name", "aac"), ("sample_rate", "48000"), ("start_time", "0.000000")] {
            assert_eq!(audio[key], value, "{}: {key}", path.display());
        }
        assert_eq!((&video["width"], &video["height"], &audio["channels"]), (&270.into(), &480.into(), &2.into()));
        assert_eq!(video["nb_frames"], plan.frames().to_string(), "{}", path.display());
        for stream in [video, audio] {
            let lasts: f64 = stream["duration"].as_str().unwrap().parse().unwrap();
            assert!((lasts - length).abs() <= 1.0 / 30.0 + 1e-3, "{}: {lasts} s, not {length} s", path.display());
        }
        assert!(image::open(&clip.cover).is_ok_and(|cover| (cover.width(), cover.height()) == (270, 480)));
        rendered += 1;
    }
    assert!(rendered > 80, "only {rendered} videos found");
}

#[tokio::test]
async fn sound_and_picture_stay_together() {
    let folder = tempfile::tempdir().unwrap();
    // A flash and a beep at 5 s, in a file whose video starts late.
    let source = made(
        &folder,
        "flash.mkv",
        "-f lavfi -i color=black:s=320x180:r=25:d=8,drawbox=c=white:t=fill:enable='between(t,5,5.4)' \
         -f lavfi -i aevalsrc='sin(2000*PI*t)*between(t,5,5.4)':s=48000:d=8 -c:v libx264 -preset ultrafast -g 250 -c:a pcm_s16le",
    );
    let media = fetch(&source).await;
    let cx = Context::new();
    let plan = centred(&media, Span::secs(3.711, 7.5).unwrap(), (90, 160));
    let clip = FfmpegRenderer::new().render(&cx, &plan).await.unwrap();
    let flash = luma_frames(&clip.video, 90, 160).iter().position(|frame| mean(frame) > 128.0).unwrap() as f64 / 30.0;
    let beep = samples(&clip.video).iter().position(|sample| sample.abs() > 0.05).unwrap() as f64 / 48_000.0;
    assert!((flash - (5.0 - 3.711)).abs() <= 1.0 / 30.0 + 0.001, "the flash is at {flash}");
    assert!((beep - (5.0 - 3.711)).abs() <= 0.01, "the beep is at {beep}");
}

#[tokio::test]
async fn the_window_follows_its_path_and_jumps_on_the_frame() {
    let folder = tempfile::tempdir().unwrap();
    // The brightness identifies a column: 16 at the left edge, 235 at the right.
    let source = made(
        &folder,
        "ramp.mp4",
        "-f lavfi -i color=gray:s=640x360:r=30:d=4,format=yuv420p,geq=lum='16+219*X/W':cb=128:cr=128 -c:v libx264 -preset ultrafast -crf 5",
    );
    let media = fetch(&source).await;
    let mut plan = centred(&media, Span::secs(0.5, 3.5).unwrap(), (180, 320));
    let (width, height) = (0.316_406, 1.0);
    let key = |at, x| CropKey { at: Timestamp::from_secs(at), x, y: 0.0 };
    let scene = |start, end, path| Scene::new(Span::secs(start, end).unwrap(), Layout::Fill { crop: Crop::new(width, height, path) });
    plan.scenes = vec![scene(0.0, 2.0, vec![key(0.0, 0.0), key(1.0, 0.6)]), scene(2.0, 3.0, vec![key(2.0, 0.1)])];
    plan.output.crf = 5;
    let cx = Context::new();
    let clip = FfmpegRenderer::new().render(&cx, &plan).await.unwrap();
    let frames = luma_frames(&clip.video, 180, 320);
    assert_eq!(frames.len(), 90);
    for (n, frame) in frames.iter().enumerate() {
        let at = n as f64 / 30.0;
        let x = if at >= 2.0 { 0.1 } else { 0.6 * at.min(1.0) };
        let expected = 16.0 + 219.0 * (x + width / 2.0);
        // The window moves in steps of two stored pixels.
        assert!((mean(frame) - expected).abs() < 219.0 * 2.0 / 640.0 + 1.0, "frame {n}: {} instead of {expected}", mean(frame));
    }
}

#[tokio::test]
async fn a_clip_can_be_entered_at_every_key_frame() {
    let folder = tempfile::tempdir().unwrap();
    let source = made(&folder, "busy.mp4", "-f lavfi -i testsrc2=s=640x360:r=30:d=9 -c:v libx264 -preset ultrafast");
    let media = fetch(&source).await;
    let cx = Context::new();
    let mut plan = centred(&media, Span::secs(0.0, 9.0).unwrap(), (270, 480));
    plan.output.preset = clipkit::model::X264Preset::Medium;
    let clip = FfmpegRenderer::new().render(&cx, &plan).await.unwrap();
    for second in [2, 4, 6, 8] {
        let complaints = ffmpeg_complaints(&format!("-ss {second} -i {} -f null -", clip.video.display()));
        assert!(complaints.is_empty(), "from {second} s: {complaints}");
    }
}

#[tokio::test]
async fn a_picture_that_ends_early_stands_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let source =
        made(&folder, "short.mp4", "-f lavfi -i color=red:s=320x180:r=25:d=2 -f lavfi -i sine=d=6 -c:v libx264 -preset ultrafast -c:a aac");
    let media = fetch(&source).await;
    let cx = Context::new();
    let plan = centred(&media, Span::secs(1.0, 5.0).unwrap(), (90, 160));
    let clip = FfmpegRenderer::new().render(&cx, &plan).await.unwrap();
    assert_eq!(clip.frames, 120);
    assert!(cx.warnings().iter().any(|warning| warning.message.contains("last frame is repeated")), "{:?}", cx.warnings());
}

#[tokio::test]
async fn cancelling_stops_within_a_second_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let source = made(&folder, "long.mp4", "-f lavfi -i testsrc2=s=1920x1080:r=30:d=20 -c:v libx264 -preset ultrafast");
    let media = fetch(&source).await;
    let out = folder.path().join("out");
    let cx = Context::builder().scratch_in(&out).build();
    let mut plan = centred(&media, Span::secs(0.0, 20.0).unwrap(), (1080, 1920));
    plan.output.preset = clipkit::model::X264Preset::Slow;
    let (work, token) = (cx.clone(), cx.clone());
    let task = tokio::spawn(async move { FfmpegRenderer::new().render(&work, &plan).await });
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    let asked = std::time::Instant::now();
    token.cancel();
    let error = task.await.unwrap().unwrap_err();
    assert!(asked.elapsed().as_secs_f64() < 1.0, "it took {:?}", asked.elapsed());
    assert!(error.is_cancelled());
    drop((cx, token));
    assert!(!out.exists());
}

pub(crate) fn mean(frame: &[u8]) -> f64 {
    frame.iter().map(|value| f64::from(*value)).sum::<f64>() / frame.len() as f64
}
