//! Shot and face detection in real footage. The ONNX Runtime library must be installed, or
//! `ORT_DYLIB_PATH` must name it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clipkit::model::{ShotContent, Span, Stage, Timestamp, Tracks};
use clipkit::stage::{CenterTracker, FaceTracker, FileSource, MotionTracker, OnnxTracker, OnnxTrackerOptions, Source, StageExt, Tracking};
use clipkit::{Context, ErrorKind, Event};

use crate::support::{ffmpeg, testdata};

fn tracker() -> OnnxTracker {
    OnnxTracker::load(testdata().join("models/ultraface/version-RFB-320.onnx")).unwrap()
}

async fn whole_file(path: &str) -> Tracking {
    let file = testdata().join("media").join(path);
    let media = FileSource::new().fetch(&Context::new(), file.to_str().unwrap()).await.unwrap();
    let span = Span::between(Timestamp::ZERO, media.duration);
    Tracking::new(media, span)
}

async fn look(path: &str) -> Tracks {
    tracker().track(&Context::new(), &whole_file(path).await).await.unwrap()
}

/// The start of each shot after the first, in seconds.
fn cuts(tracks: &Tracks) -> Vec<f64> {
    tracks.shots.iter().skip(1).map(|shot| shot.span.start().secs()).collect()
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn cuts_are_found_to_the_frame() {
    // From annotations/derived/ground_truth.json. Those of the second file are on its own clock, as
    // the source's timeline is.
    for (file, expected, frame) in
        [("derived/hard_cuts.mp4", &[3.0, 5.4, 7.4, 10.6][..], 0.04), ("faces/short_hamilton_clip.mp4", &[1.511, 3.580, 7.884][..], 0.0334)]
    {
        let found = cuts(&look(file).await);
        assert_eq!(found.len(), expected.len(), "{file}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= frame + 0.001, "{file}: {found} is not {expected}");
        }
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn what_is_no_cut_is_none() {
    for file in ["pyscenedetect/fades.mp4", "derived/two_person_turns.mp4", "moviepy/chaplin.mp4", "faces/musetalk_sun.mp4"] {
        let found = cuts(&look(file).await);
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn of_two_people_the_one_who_speaks_moves_the_mouth() {
    let tracks = look("derived/two_person_turns.mp4").await;
    assert_eq!(tracks.faces.len(), 2);
    for face in &tracks.faces {
        let left = face.samples[0].rect.center().0 < 0.5;
        let mean = |from: f64, to: f64| {
            let inside: Vec<f64> =
                face.samples.iter().filter(|sample| (from..to).contains(&sample.at.secs())).map(|sample| sample.mouth).collect();
            inside.iter().sum::<f64>() / inside.len() as f64
        };
        let (first, second) = (mean(0.3, 7.9), mean(8.3, 15.9));
        let (speaks, listens) = if left { (first, second) } else { (second, first) };
        assert!(speaks > 0.05 && listens < 0.02, "left {left}: speaking {speaks:.3}, listening {listens:.3}");
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn a_turned_picture_is_seen_as_displayed() {
    // Stored upright, upside down, and mirrored and rotated.
    for file in [
        "faces/latentsync_demo1.mp4",
        "androidx/mp4_sample_rotate_and_reflect.mp4",
        "androidx/mp4_internal_emulator_transformer_output_180_rotated.mp4",
    ] {
        let tracking = whole_file(file).await;
        let tracks = tracker().track(&Context::new(), &tracking).await.unwrap();
        let (width, height) = tracking.media.require_video().unwrap().display_size();
        assert_eq!(tracks.faces.len(), 1, "{file}");
        for sample in tracks.faces.iter().flat_map(|face| &face.samples) {
            let shape = sample.rect.width * f64::from(width) / (sample.rect.height * f64::from(height));
            assert!((0.5..1.5).contains(&shape), "{file}: {sample:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn people_from_behind_have_no_faces() {
    let mut tracking = whole_file("intel/one-by-one-person-detection.mp4").await;
    tracking.span = Span::secs(20.0, 50.0).unwrap();
    let tracks = tracker().track(&Context::new(), &tracking).await.unwrap();
    assert_eq!(tracks.faces, []);
    assert_eq!(tracks.shots.first().map(|shot| shot.span.start()), Some(tracking.span.start()));
    assert_eq!(tracks.shots.last().map(|shot| shot.span.end()), Some(tracking.span.end()));
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn a_span_in_the_middle_sees_what_the_whole_file_does() {
    let mut tracking = whole_file("derived/hard_cuts.mp4").await;
    tracking.span = Span::secs(5.02, 8.0).unwrap();
    let tracks = tracker().track(&Context::new(), &tracking).await.unwrap();
    let found = cuts(&tracks);
    assert!(found.len() == 2 && (found[0] - 5.4).abs() < 0.041 && (found[1] - 7.4).abs() < 0.041, "{found:?}");
    for face in &tracks.faces {
        assert!(tracks.shots.iter().any(|shot| face.samples.iter().all(|sample| shot.span.contains(sample.at))));
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn tracking_tells_how_far_it_is_and_stops_when_asked() {
    let tracking = whole_file("intel/one-by-one-person-detection.mp4").await;
    let heard = Arc::new(AtomicUsize::new(0));
    let counter = heard.clone();
    let cx = Context::builder()
        .on_event(move |event| {
            if matches!(event, Event::Progress { stage: Stage::Track, .. }) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        })
        .build()
        .for_stage(Stage::Track);
    let canceller = cx.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        canceller.cancel();
    });
    let started = Instant::now();
    let error = tracker().track(&cx, &tracking).await.unwrap_err();
    assert!(error.is_cancelled() && error.stage() == Some(Stage::Track), "{error:?}");
    assert!(started.elapsed() < Duration::from_millis(1500), "{:?}", started.elapsed());
    assert!(heard.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_missing_model_and_odd_options_are_told_apart() {
    let refuse = |options: serde_json::Value| {
        let options: OnnxTrackerOptions = serde_json::from_value(options).unwrap();
        OnnxTracker::with_options("/nowhere/model.onnx", options).unwrap_err().kind()
    };
    assert_eq!(refuse(serde_json::json!({ "samples_per_second": 0.0 })), ErrorKind::Config);
    assert_eq!(refuse(serde_json::json!({ "confidence": 1.5 })), ErrorKind::Config);
    assert_eq!(refuse(serde_json::json!({ "library": "/nowhere/libonnxruntime.so" })), ErrorKind::Unavailable);
    assert!(serde_json::from_value::<OnnxTrackerOptions>(serde_json::json!({ "sample": 3 })).is_err());
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn where_tracking_fails_the_crop_stays_in_the_middle() {
    let mut tracking = whole_file("derived/hard_cuts.mp4").await;
    tracking.media.path = Path::new("/nowhere/gone.mp4").to_owned();
    let cx = Context::new();
    let either = tracker().or(MotionTracker::default()).or(CenterTracker);
    assert_eq!(either.track(&cx, &tracking).await.unwrap(), Tracks::default());
    let [from_faces, from_motion] = &cx.warnings()[..] else { panic!("{:?}", cx.warnings()) };
    assert!(from_faces.message.contains("gone.mp4") && from_faces.message.contains("MotionTracker"), "{}", from_faces.message);
    assert!(from_motion.message.contains("gone.mp4") && from_motion.message.contains("CenterTracker"), "{}", from_motion.message);
}

async fn moving(file: &Path) -> Tracks {
    let cx = Context::new();
    let media = FileSource::new().fetch(&cx, file.to_str().unwrap()).await.unwrap();
    let span = Span::between(Timestamp::ZERO, media.duration);
    MotionTracker::default().track(&cx, &Tracking::new(media, span)).await.unwrap()
}

/// A large detailed image, from which camera frames are cut.
fn draw_wide(folder: &Path) -> String {
    let file = folder.join("wide.png");
    ffmpeg(&format!("-f lavfi -i mandelbrot=s=1920x240:start_scale=0.3:start_x=-0.75:start_y=0.1 -frames:v 1 {}", file.display()));
    format!("-loop 1 -r 25 -i {}", file.display())
}

const H264: &str = "-r 25 -c:v libx264 -preset ultrafast -crf 20 -pix_fmt yuv420p";

#[tokio::test]
async fn whips_flashes_exposure_and_dissolves_are_no_cuts() {
    let folder = tempfile::tempdir().unwrap();
    let wide = draw_wide(folder.path());
    // Frames of 426 x 240 that pan over 2.5 frame widths in the given number of frames.
    let whip = |frames: u32| format!("crop=426:240:x='1060*clip((n-25)/{frames},0,1)':y=0");
    let white = |frames: u32| format!("drawbox=c=white:t=fill:enable='between(n,30,{})'", 29 + frames);
    let cases = [
        ("a whip pan in 4 frames", whip(4)),
        ("a whip pan in 6 frames", whip(6)),
        ("a whip pan in 12 frames", whip(12)),
        ("a blurred whip pan", "crop=426:240:x='1060*clip((n-100)/24,0,1)':y=0,tmix=frames=4,framestep=4,setpts=N/25/TB".to_owned()),
        ("a flash of 1 frame", format!("crop=426:240:400:0,{}", white(1))),
        ("a flash of 3 frames", format!("crop=426:240:400:0,{}", white(3))),
        ("a flash of 1 frame in a pan", format!("crop=426:240:x='100+14*n':y=0,{}", white(1))),
        ("a flash of 3 frames in a pan", format!("crop=426:240:x='100+14*n':y=0,{}", white(3))),
        ("a step of exposure", "crop=426:240:400:0,eq=brightness='if(gte(n,30),0.25,0)':eval=frame".to_owned()),
        ("a step of exposure in a pan", "crop=426:240:x='200+3*n':y=0,eq=gamma='if(gte(n,30),1.8,1)':eval=frame".to_owned()),
        ("a fade to black", "crop=426:240:400:0,fade=out:20:10".to_owned()),
    ];
    for (name, filter) in cases {
        let file = folder.path().join("shot.mp4");
        ffmpeg(&format!("{wide} -vf {filter} -t 2.4 {H264} {}", file.display()));
        let found = cuts(&moving(&file).await);
        assert!(found.is_empty(), "{name}: {found:?}");
    }
    let file = folder.path().join("dissolve.mp4");
    let dissolve = "[0]crop=426:240:100:0[a];[1]crop=426:240:1300:0[b];[a][b]xfade=duration=0.6:offset=0.8";
    ffmpeg(&format!("-t 2 {wide} -t 2 {wide} -filter_complex {dissolve} -t 2.4 {H264} {}", file.display()));
    assert_eq!(cuts(&moving(&file).await), [0.0; 0], "a dissolve");
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_pan_is_found_to_the_frame() {
    let folder = tempfile::tempdir().unwrap();
    let (wide, file) = (draw_wide(folder.path()), folder.path().join("cut.mp4"));
    let cut = "[0]crop=426:240:x='100+7*n':y=0[a];[1]crop=426:240:x='1200+7*n':y=0[b];[a][b]concat";
    ffmpeg(&format!("-t 1.2 {wide} -t 1.2 {wide} -filter_complex {cut} {H264} {}", file.display()));
    let found = cuts(&moving(&file).await);
    assert!(matches!(found[..], [at] if (at - 1.2).abs() < 0.041), "{found:?}");
}

#[tokio::test]
async fn slides_and_a_screen_recording_are_screens() {
    let folder = tempfile::tempdir().unwrap();
    let words = |color: &str, left: u32, rows: &[(u32, f64)]| {
        let boxes = rows.iter().flat_map(|&(y, from)| {
            (0..7).map(move |n| format!(",drawbox={}:{y}:{}:22:c={color}:t=fill:enable='gte(t,{from})'", left + 95 * n, 60 + 10 * (n % 3)))
        });
        boxes.collect::<String>()
    };
    let slide = format!("drawbox=0:0:1280:90:c=0x2050a0:t=fill{}", words("0x202020", 100, &[(180, 0.0), (260, 0.0), (340, 2.0)]));
    let editor = format!(
        "drawbox=0:0:260:720:c=0x30304a:t=fill,drawbox=0:0:1280:40:c=0x505068:t=fill{}",
        words("0xc0c0e0", 300, &[(80, 0.0), (120, 0.0), (160, 0.0), (200, 0.0), (240, 1.5), (280, 3.0)])
    );
    // A moving picture in the corner represents a webcam.
    let webcam = format!("[0]{slide}[s];[1]hue=H=t:b=sin(t*3)[c];[s][c]overlay=W-w-20:H-h-20");
    let cases = [
        ("slide", "-f lavfi -i color=0xf4f4f4:s=1280x720:r=25", slide.as_str()),
        ("editor", "-f lavfi -i color=0x1e1e2e:s=1280x720:r=25", editor.as_str()),
        ("slide with a webcam", "-f lavfi -i color=0xf4f4f4:s=1280x720:r=25 -f lavfi -i testsrc2=s=240x180:r=25", webcam.as_str()),
    ];
    for (name, inputs, filter) in cases {
        let file = folder.path().join("screen.mp4");
        ffmpeg(&format!("{inputs} -filter_complex {filter} -t 5 {H264} {}", file.display()));
        let tracks = moving(&file).await;
        assert!(tracks.shots.iter().all(|shot| shot.content == ShotContent::Screen), "{name}: {:?}", tracks.shots);
        assert_eq!(tracks.subjects, [], "{name}");
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn what_a_camera_saw_is_no_screen() {
    for folder in ["faces", "derived", "intel", "moviepy", "grid"] {
        let mut files: Vec<_> =
            std::fs::read_dir(testdata().join("media").join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ["mp4", "mkv", "webm"].iter().any(|video| ending == *video)));
        for file in files {
            let media = FileSource::new().fetch(&Context::new(), file.to_str().unwrap()).await.unwrap();
            let span = Span::between(Timestamp::ZERO, media.duration.min(Timestamp::from_secs(8.0)));
            let tracks = MotionTracker::default().track(&Context::new(), &Tracking::new(media, span)).await.unwrap();
            let camera = tracks.shots.iter().all(|shot| shot.content == ShotContent::Camera);
            assert!(camera, "{}: {:?}", file.display(), tracks.shots);
        }
    }
}

/// The fraction of samples, five per second, at which the center of the speaking face is in a 9:16
/// window around the position that `at` returns.
fn held(truth: &serde_json::Value, at: impl Fn(f64) -> Option<f64>) -> f64 {
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let size = truth["size"].as_array().unwrap();
    let half = number(&size[1]) / number(&size[0]) * 9.0 / 16.0 / 2.0;
    let (mut inside, mut all) = (0.0, 0.0);
    for shot in truth["shots"].as_array().unwrap() {
        let (start, end) = (number(&shot["start"]), number(&shot["end"]));
        for t in (0..).map(|n| start + 0.1 + f64::from(n) * 0.2).take_while(|&t| t < end) {
            let speaks = |face: &&serde_json::Value| {
                face["speaking"].as_array().unwrap().iter().any(|turn| (number(&turn[0])..number(&turn[1])).contains(&t))
            };
            let Some(face) = shot["faces"].as_array().unwrap().iter().find(speaks) else { continue };
            let path: Vec<[f64; 3]> = face["path"].as_array().unwrap().iter().map(|point| [0, 1, 3].map(|n| number(&point[n]))).collect();
            let next = path.partition_point(|point| point[0] <= t).clamp(1, path.len().max(2) - 1);
            let (from, to) = (path[next - 1], *path.get(next).unwrap_or(&path[next - 1]));
            let part = ((t - from[0]) / (to[0] - from[0]).max(1e-9)).clamp(0.0, 1.0);
            let middle = from[1] + (to[1] - from[1]) * part + from[2] / 2.0;
            let window = at(t).unwrap_or(0.5).clamp(half, 1.0 - half);
            all += 1.0;
            inside += if (window - middle).abs() <= half { 1.0 } else { 0.0 };
        }
    }
    inside / all
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn following_what_moves_holds_a_speaker_far_better_than_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let script = testdata().join("tools/make_talk.py");
    let made = std::process::Command::new("python3")
        .arg(&script)
        .arg(folder.path())
        .args(["--minutes", "1.6", "--seed", "2", "--size", "960x540"])
        .status();
    assert!(made.unwrap().success(), "{} failed: it needs ffmpeg on the PATH", script.display());
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.path().join("truth.json")).unwrap()).unwrap();
    let file = folder.path().join("talk.mp4");
    let media = FileSource::new().fetch(&Context::new(), file.to_str().unwrap()).await.unwrap();
    // The ground truth counts from the first frame.
    let start = media.require_video().unwrap().start.secs();
    let tracks = moving(&file).await;
    let (found, expected) = (cuts(&tracks), truth["cuts"].as_array().unwrap());
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - start - expected.as_f64().unwrap()).abs() < 0.041, "{found} is not {expected}");
    }
    assert!(tracks.shots.iter().all(|shot| shot.content == ShotContent::Camera));
    let subject = |t: f64| {
        let at = Timestamp::from_secs(t + start);
        let shot = tracks.shots.iter().find(|shot| shot.span.contains(at))?;
        let samples = tracks.subjects.iter().flat_map(|subject| &subject.samples).filter(|sample| shot.span.contains(sample.at));
        samples.min_by_key(|sample| sample.at.since(at).micros().abs()).map(|sample| sample.rect.center().0)
    };
    let (motion, middle) = (held(&truth, subject), held(&truth, |_| None));
    println!("the speaking face's middle is in the window: motion {:.1} %, middle {:.1} %", 100.0 * motion, 100.0 * middle);
    assert!(motion >= 0.93 && motion > middle + 0.4, "motion {motion:.3}, middle {middle:.3}");
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn where_no_face_is_seen_what_moves_is_the_subject() {
    let mut tracking = whole_file("intel/one-by-one-person-detection.mp4").await;
    tracking.span = Span::secs(20.0, 40.0).unwrap();
    let tracks = tracker().track(&Context::new(), &tracking).await.unwrap();
    assert!(tracks.faces.is_empty() && !tracks.subjects.is_empty(), "{tracks:?}");
    for sample in tracks.subjects.iter().flat_map(|subject| &subject.samples) {
        assert!(tracking.span.contains(sample.at), "{sample:?}");
    }
}
