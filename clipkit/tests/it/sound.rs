//! The audio of a clip: its loudness, its ends, and unchanged parts. `ffmpeg` is the reference.

use crate::support::with;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clipkit::config::{PipelineConfig, SourceConfig, TrackerConfig};
use clipkit::model::{
    Candidate, ClipPlan, Crop, Layout, Loudness, Media, Rect, RenderedClip, Scene, Score, Span, Timestamp, Tracks, Transcript, WarningKind,
};
use clipkit::plan::{PlanInput, PlanOptions, plan};
use clipkit::stage::{FfmpegRenderer, FileSource, Renderer};
use clipkit::{ClipOptions, Context, ErrorKind, Pipeline};

use crate::render::{centred, fetch};
use crate::support::{ffmpeg, loudness, samples, testdata};

/// A video with this audio and a small picture.
fn video(folder: &tempfile::TempDir, name: &str, sound: &str) -> PathBuf {
    let path = folder.path().join(name);
    ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=64x64:r=30 {sound} -c:v libx264 -preset ultrafast -c:a pcm_s16le -shortest {}",
        path.display()
    ));
    path
}

/// A plan with the whole picture, scaled down.
async fn planned(path: &Path, span: Option<Span>) -> ClipPlan {
    let media = fetch(path).await;
    let span = span.unwrap_or(Span::between(Timestamp::ZERO, media.duration));
    let scenes = vec![Scene::new(span.since(span.start()), Layout::Fill { crop: Crop::still(Rect::FULL) })];
    with(centred(&media, span, (64, 64)), |it| it.scenes = scenes)
}

async fn rendered(plan: &ClipPlan) -> (RenderedClip, Context) {
    let cx = Context::new();
    let clip = FfmpegRenderer::new().render(&cx, plan).await.unwrap_or_else(|error| panic!("{}: {error}", plan.source.media.uri));
    (clip, cx)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn real_speech_has_the_loudness_of_the_platforms() {
    let folder = tempfile::tempdir().unwrap();
    let speech = testdata().join("media/speech");
    let mut heard = 0;
    for entry in std::fs::read_dir(speech).unwrap() {
        let file = entry.unwrap().path();
        if file.file_name().unwrap().to_string_lossy().starts_with("LICENSE") {
            continue;
        }
        let name = format!("{}.mkv", file.file_name().unwrap().to_string_lossy());
        let source = video(&folder, &name, &format!("-t 20 -i {}", file.display()));
        let plan = planned(&source, None).await;
        let (clip, cx) = rendered(&plan).await;
        let (before, after) = (loudness(&source), loudness(&clip.video));
        println!("{name}: {before:?} -> {after:?} {:?}", cx.warnings().iter().map(|warning| &warning.message).collect::<Vec<_>>());
        let quiet = cx.warnings().iter().any(|warning| warning.message.contains("very quiet"));
        assert!((after.0 + 14.0).abs() <= 0.5 || (quiet && after.0 < -14.0), "{name}: {after:?}");
        assert!(after.1 <= -0.9, "{name}: {after:?}");
        heard += 1;
    }
    assert!(heard >= 13, "only {heard} files");
}

fn to_db(level: f32) -> f32 {
    20.0 * level.abs().max(1e-9).log10()
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

#[tokio::test]
async fn noise_tones_and_bursts_are_brought_to_the_target_and_held_below_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sound) in [
        ("pink.mkv", "-f lavfi -i anoisesrc=c=pink:a=0.3:d=5:r=48000"),
        ("loud.mkv", "-f lavfi -i anoisesrc=c=pink:a=1:d=5:r=44100"),
        // A quiet voice with knocks that are 19 dB louder.
        ("knocks.mkv", "-f lavfi -i aevalsrc=0.1*sin(700*t)*abs(sin(3*t))+0.9*sin(1900*t)*lt(mod(t\\,1.3)\\,0.004):s=48000:d=5"),
    ] {
        let source = video(&folder, name, sound);
        let (clip, _cx) = rendered(&planned(&source, None).await).await;
        let (integrated, true_peak) = loudness(&clip.video);
        // AAC reduces pure noise by half a decibel.
        assert!((integrated + 14.0).abs() <= 1.0, "{name}: {integrated} LUFS");
        assert!(true_peak <= -0.9, "{name}: {true_peak} dBTP");
    }
}

#[tokio::test]
async fn silence_and_room_noise_are_not_raised_and_whispers_only_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let silent = video(&folder, "silent.mkv", "-f lavfi -i anullsrc=r=48000:cl=mono -t 4");
    let (clip, cx) = rendered(&planned(&silent, None).await).await;
    assert!(to_db(peak(&samples(&clip.video))) < -80.0 && cx.warnings().is_empty(), "{:?}", cx.warnings());

    let room = video(&folder, "room.mkv", "-f lavfi -i anoisesrc=c=pink:a=0.005:d=4:r=48000");
    let (clip, cx) = rendered(&planned(&room, None).await).await;
    let (before, after) = (loudness(&room), loudness(&clip.video));
    assert!(before.0 < -50.0 && (after.0 - before.0).abs() < 1.0, "{before:?} -> {after:?}");
    assert!(cx.warnings().is_empty(), "{:?}", cx.warnings());

    let whisper = video(&folder, "whisper.mkv", "-f lavfi -i anoisesrc=c=pink:a=0.025:d=4:r=48000");
    let (clip, cx) = rendered(&planned(&whisper, None).await).await;
    let (before, after) = (loudness(&whisper), loudness(&clip.video));
    assert!((-50.0..-40.0).contains(&before.0) && (after.0 - before.0 - 20.0).abs() < 1.0, "{before:?} -> {after:?}");
    assert!(cx.warnings()[0].message.contains("very quiet"), "{:?}", cx.warnings());

    let path = folder.path().join("mute.mp4");
    ffmpeg(&format!("-f lavfi -i testsrc2=s=64x64:r=30:d=3 -c:v libx264 -preset ultrafast {}", path.display()));
    let (clip, _cx) = rendered(&planned(&path, None).await).await;
    assert!(peak(&samples(&clip.video)) == 0.0);
}

#[tokio::test]
async fn a_plan_can_leave_the_sound_as_it_is_and_old_plans_do() {
    let folder = tempfile::tempdir().unwrap();
    let source = video(&folder, "pink.mkv", "-f lavfi -i anoisesrc=c=pink:a=0.3:d=4:r=48000");
    let mut plan = planned(&source, None).await;
    plan.output.loudness = None;
    let (clip, _cx) = rendered(&plan).await;
    let (before, after) = (loudness(&source), loudness(&clip.video));
    assert!((after.0 - before.0).abs() < 1.0, "{before:?} -> {after:?}");
    let old = plan.to_json().unwrap();
    assert!(!old.contains("loudness"));
    assert_eq!(ClipPlan::from_json(&old).unwrap().output.loudness, None);

    plan.output.loudness = Some(Loudness { integrated: -23.0, true_peak: -3.0 });
    assert_eq!(ClipPlan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
    let (clip, _cx) = rendered(&plan).await;
    assert!((loudness(&clip.video).0 + 23.0).abs() < 1.0);
    for (integrated, true_peak) in [(f64::NAN, -1.0), (-14.0, f64::NAN), (0.0, -1.0), (-14.0, 3.0), (-90.0, -1.0)] {
        plan.output.loudness = Some(Loudness { integrated, true_peak });
        assert!(plan.validate().unwrap_err().to_string().contains("output.loudness"));
    }
}

#[tokio::test]
async fn a_clip_comes_and_goes_without_a_click() {
    let folder = tempfile::tempdir().unwrap();
    let source = video(&folder, "tone.mkv", "-f lavfi -i aevalsrc='0.5*sin(2*PI*1000*t+1)':s=48000:d=5");
    let mut plan = planned(&source, Some(Span::secs(1.00037, 3.20037).unwrap())).await;
    plan.output.loudness = None;
    plan.output.audio_bitrate = 320_000;
    let (clip, _cx) = rendered(&plan).await;
    let heard = samples(&clip.video);
    let whole = (2.2 * 48_000.0) as usize;
    assert!(heard.len() >= whole && heard.len() < whole + 1024, "{} samples", heard.len());
    // In the middle, the tone is unchanged; at the ends, it follows a linear ramp of 480 samples,
    // up to AAC noise.
    assert!((peak(&heard[2400..whole - 2400]) - 0.5).abs() < 0.02);
    for n in (0..480).step_by(48) {
        let ramp = 0.5 * (n as f32 + 48.0) / 480.0;
        let (rising, falling) = (peak(&heard[n..n + 48]), peak(&heard[whole - n - 48..whole - n]));
        assert!((rising - ramp).abs() < 0.04 && (falling - ramp).abs() < 0.04, "{n}: {rising} and {falling}, not {ramp}");
    }
    assert!(peak(&heard[..4]) < 0.02 && peak(&heard[whole - 4..]) < 0.03, "{} {}", peak(&heard[..4]), peak(&heard[whole - 4..]));
    // No step between samples exceeds that of the tone.
    let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(step < 0.5 * 2.0 * std::f32::consts::PI * 1000.0 / 48_000.0 * 1.2, "{step}");
}

#[tokio::test]
async fn holding_peaks_down_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A voice far below a burst at 2 s, which makes the limiter work hard.
    let sound = "-f lavfi -i aevalsrc=0.02*sin(900*t)+0.95*sin(6000*t)*between(t\\,2\\,2.02):s=48000:d=4";
    let source = video(&folder, "burst.mkv", sound);
    let (clip, _cx) = rendered(&planned(&source, Some(Span::secs(0.0, 4.0).unwrap())).await).await;
    let heard = samples(&clip.video);
    let burst = heard.iter().position(|sample| sample.abs() > 0.5).unwrap() as f64 / 48_000.0;
    assert!((burst - 2.0).abs() < 0.002, "the burst is at {burst}");
    let level = |from: usize| peak(&heard[from..from + 4800]);
    assert!((to_db(level(48_000)) - to_db(level(144_000))).abs() < 0.5, "the voice is pumped");
    assert_eq!(heard.len().div_ceil(1024), (4 * 48_000usize).div_ceil(1024));
}

#[tokio::test]
async fn odd_pictures_and_sounds_pass_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    for (name, picture, sound, crf) in [
        ("black.mkv", "color=black:s=64x64:r=30", "anullsrc=r=48000", 20),
        ("still.mkv", "testsrc=s=320x180:r=1", "sine=f=12000:r=48000", 20),
        ("coarse.mkv", "testsrc2=s=320x180:r=25", "anoisesrc=c=white:a=0.9:r=48000", 51),
        ("noise.mkv", "nullsrc=s=320x180:r=30,geq=random(1)*255:128:128", "anoisesrc=c=violet:r=22050", 30),
        ("fade.mkv", "color=white:s=320x180:r=60,fade=out:0:120", "aevalsrc=exp(-4*t)*sin(3000*t):s=8000", 35),
        ("flash.mkv", "color=black:s=320x180:r=30,geq=lum='255*mod(N,2)':cb=128:cr=128", "aevalsrc=lt(mod(t\\,0.5)\\,0.0001):s=48000", 23),
        ("right.mkv", "testsrc2=s=320x180:r=30", "aevalsrc=0|0.5*sin(2000*t):s=48000", 20),
        ("opposed.mkv", "testsrc2=s=320x180:r=30", "aevalsrc=0.5*sin(2000*t)|-0.5*sin(2000*t):s=48000", 20),
    ] {
        let path = folder.path().join(name);
        let codecs = "-c:v libx264 -preset ultrafast -qp 10 -c:a pcm_s16le";
        ffmpeg(&format!("-f lavfi -i {picture} -f lavfi -i {sound} -t 5 {codecs} {}", path.display()));
        let mut plan = planned(&path, None).await;
        (plan.output.crf, plan.output.width, plan.output.height) = (crf, 320, 180);
        let (_, cx) = rendered(&plan).await;
        // Also if AAC adds peaks, as with loud white noise: only the audio is encoded again.
        let again = cx.warnings().into_iter().find(|warning| warning.message.contains("again"));
        assert!(again.is_none(), "{name}: {again:?}");
        for length in [0.02, 0.35] {
            let mut short = plan.clone();
            short.span = Span::secs(1.0, 1.0 + length).unwrap();
            short.scenes[0].span = short.span.since(short.span.start());
            rendered(&short).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn ends_inside_a_word_move_to_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let speech = testdata().join("media/speech/jfk.wav");
    let path = folder.path().join("jfk.mkv");
    ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=64x64:r=30 -i {} -shortest -c:v libx264 -preset ultrafast -c:a pcm_s16le {}",
        speech.display(),
        path.display()
    ));
    let mut fake = crate::fakes::Fake::new();
    fake.transcript = std::sync::Arc::new(|_, _| Ok(Transcript::default()));
    fake.candidates = std::sync::Arc::new(|_, _| Ok(vec![crate::fakes::candidate(3.5, 4.25, 50.0)]));
    let options = |snap| {
        with(ClipOptions::default(), |it| {
            it.min = Duration::from_millis(500);
            it.snap = snap;
            it.captions = None;
        })
    };
    let plan = |snap| {
        let fake = fake.clone();
        let uri = path.to_str().unwrap().to_owned();
        async move {
            let planned = fake.builder().source(FileSource::new()).options(options(snap)).build().unwrap().plan_all(&uri).await.unwrap();
            planned.plans[0].plan.span
        }
    };
    let asked = Span::secs(3.5, 4.25).unwrap();
    assert_eq!(plan(false).await, asked);
    let snapped = plan(true).await;
    let heard = samples(&speech);
    // The maximum level within 20 ms around a cut.
    let cut = |at: Timestamp| to_db(peak(&heard[((at.secs() - 0.01) * 48_000.0) as usize..((at.secs() + 0.01) * 48_000.0) as usize]));
    println!("{asked}: {} {} -> {snapped}: {} {}", cut(asked.start()), cut(asked.end()), cut(snapped.start()), cut(snapped.end()));
    assert!(cut(asked.start()) > -20.0 && cut(asked.end()) > -20.0);
    assert!(cut(snapped.start()) < -30.0 && cut(snapped.end()) < -30.0);
}

/// A video with three audio tracks: the first as given, then noise, then notes, which the built-in
/// voice detector takes for speech.
fn with_three_tracks(folder: &tempfile::TempDir, first: &str) -> PathBuf {
    let path = folder.path().join("tracks.mkv");
    let notes = "aevalsrc=0.2*exp(-3*mod(t\\,0.4))*(sin(2*PI*220*t)+0.5*sin(4*PI*220*t)+0.3*sin(6*PI*220*t)):s=48000";
    ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=64x64:r=30 -f lavfi -i {first} -f lavfi -i anoisesrc=a=0.05:r=48000:seed=1 -f lavfi -i {notes} \
         -map 0 -map 1 -map 2 -map 3 -t 60 -c:v libx264 -preset ultrafast -c:a aac -metadata:s:a:2 language=deu -disposition:a:0 default {}",
        path.display()
    ));
    path
}

async fn fetched(cx: &Context, file: &Path, track: Option<usize>) -> clipkit::Result<Media> {
    let mut config = PipelineConfig::default();
    config.source = SourceConfig::File(FileSource::new());
    config.tracker = TrackerConfig::Center;
    config.options.audio_track = track.and_then(std::num::NonZero::new);
    Pipeline::from_config(cx, &config).await?.fetch(cx, file.to_str().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_default_track_gives_way_to_one_with_speech() {
    let folder = tempfile::tempdir().unwrap();
    let source = with_three_tracks(&folder, "anullsrc=r=48000:cl=mono");
    let cx = Context::builder().environment(clipkit::Environment::default()).build();
    let media = fetched(&cx, &source, None).await.unwrap();
    assert_eq!((media.audio.len(), media.audio_track), (3, Some(2)));
    let warnings = cx.warnings();
    assert_eq!(warnings.iter().map(|warning| warning.kind).collect::<Vec<_>>(), [WarningKind::Track]);
    assert!(warnings[0].message.contains("track 1 (aac), is silent"), "{warnings:?}");
    assert!(warnings[0].message.contains("track 3 (aac, deu) is used"), "{warnings:?}");
    // The plan names the track, and the clip has its sound.
    let span = Span::secs(10.0, 14.0).unwrap();
    let (transcript, tracks, candidate) =
        (Transcript::default(), Tracks::default(), Candidate::new(span, Score::of(50.0), "Notes", "heard"));
    let options = with(PlanOptions::default(), |it| (it.size, it.loudness) = ((64, 64), None));
    let plan = plan(&PlanInput::new(&media, &transcript, &tracks, &candidate), &options).unwrap().0;
    assert_eq!(plan.source.audio_track, Some(2));
    let (clip, _cx) = rendered(&plan).await;
    assert!(loudness(&clip.video).0 > -40.0);
    let silent = with(plan.clone(), |it| it.source.audio_track = None);
    assert_ne!(silent.id(), plan.id());
    let (clip, _cx) = rendered(&silent).await;
    assert!(samples(&clip.video).iter().all(|sample| sample.abs() < 0.001));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_track_stays_where_it_is_heard_and_a_track_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let source = with_three_tracks(&folder, "sine=f=440:r=48000");
    let fetch = async |track: Option<usize>| {
        let cx = Context::builder().environment(clipkit::Environment::default()).build();
        (fetched(&cx, &source, track).await, cx.warnings())
    };
    let (media, warnings) = fetch(None).await;
    assert_eq!((media.unwrap().audio_track, warnings), (None, vec![]));
    assert_eq!(fetch(Some(2)).await.0.unwrap().audio_track, Some(1));
    let error = fetch(Some(4)).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no audio track 4: the file has 3"), "{error}");
}
