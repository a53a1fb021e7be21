//! Music under a voice and censored words in rendered clips, measured in the files.

use std::f64::consts::PI;
use std::path::Path;
use std::process::Command;

use clipkit::model::{CensorSound, Censored, ClipPlan, Limits, Sound, Span, WarningKind};
use clipkit::stage::{FfmpegRenderer, Renderer};
use clipkit::{Context, ErrorKind};

use crate::render::{centred, fetch, made};
use crate::support::{loudness, samples, with};

const RATE: f64 = 48_000.0;
/// The frequency of the music, above those of the voice.
const MUSIC: f64 = 6000.0;

/// The amplitude of a frequency in a stretch of the clip (Goertzel's algorithm).
fn amplitude(samples: &[f32], hertz: f64, from: f64, to: f64) -> f64 {
    let part = &samples[(from * RATE) as usize..(to * RATE) as usize];
    let turn = 2.0 * (2.0 * PI * hertz / RATE).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in part {
        (last, before) = (f64::from(*sample) + turn * last - before, last);
    }
    (last * last + before * before - turn * last * before).max(0.0).sqrt() * 2.0 / part.len() as f64
}

fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

/// A video of 20 s: a voice from 4 to about 8 s and from 13 s to about 16 s, low-passed at 4 kHz.
fn talk(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let voice = folder.path().join("voice.wav");
    let text = "The first clock in the town was wrong for thirty years, and nobody noticed it until the trains came.";
    let spoken = Command::new("espeak-ng").args(["-s", "150", "-w"]).arg(&voice).arg(text).status();
    assert!(spoken.unwrap().success());
    let graph = "[1:a]atrim=0:4,lowpass=4000,asplit[a][b];[a]adelay=4000[first];[b]atrim=0:3,adelay=13000[second];\
                 [first][second]amix=inputs=2:normalize=0,apad=whole_dur=20[voice]";
    made(
        folder,
        "talk.mkv",
        &format!(
            "-f lavfi -i testsrc2=s=160x90:r=30:d=20 -i {} -filter_complex {graph} -map 0:v -map [voice] -c:v libx264 -preset ultrafast \
             -c:a pcm_s16le -t 20",
            voice.display()
        ),
    )
}

async fn planned(path: &Path) -> ClipPlan {
    let media = fetch(path).await;
    with(centred(&media, Span::secs(0.0, 20.0).unwrap(), (64, 64)), |plan| plan.output.audio_bitrate = 256_000)
}

async fn rendered(plan: &ClipPlan) -> Vec<f32> {
    let cx = Context::new();
    let clip = FfmpegRenderer::new().render(&cx, plan).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(cx.warnings().is_empty(), "{:?}", cx.warnings());
    if let Some(target) = plan.output.loudness {
        let (integrated, true_peak) = loudness(&clip.video);
        assert!((integrated - target.integrated).abs() <= 0.5, "{integrated} LUFS");
        assert!(true_peak <= target.true_peak + 0.1, "{true_peak} dBTP");
    }
    samples(&clip.video)
}

#[tokio::test]
async fn music_ducks_under_the_voice_fades_and_has_the_loudness_of_the_platforms() {
    let folder = tempfile::tempdir().unwrap();
    let talk = talk(&folder);
    // Shorter than the clip, so that it starts again.
    let music = made(&folder, "music.mp3", &format!("-f lavfi -i aevalsrc=0.25*sin(2*PI*{MUSIC}*t):s=48000:d=5.31 -b:a 192k"));
    let plain = planned(&talk).await;
    for duck in [6.0, 12.0] {
        let plan = with(plain.clone(), |plan| {
            let bed = with(Sound::new(music.to_string_lossy()), |it| {
                (it.gain, it.repeat, it.duck) = (-6.0, true, duck);
                (it.fade_in, it.fade_out) = (2.0, 3.0);
            });
            plan.sound = vec![bed];
        });
        assert_ne!(plan.id(), plain.id());
        let heard = rendered(&plan).await;
        let level = |from: f64, to: f64| amplitude(&heard, MUSIC, from, to);
        let full = level(9.6, 12.0);
        for (from, to) in [(4.5, 5.5), (5.5, 6.5), (6.5, 7.5), (13.5, 14.5), (14.5, 15.5)] {
            let lower = decibels(full / level(from, to));
            println!("duck {duck}, {from} to {to} s: {lower:.2} dB");
            assert!((lower - duck).abs() < 1.0, "duck {duck}, {from} to {to} s: {lower:.2} dB");
        }
        // Halves of the fades, in amplitude.
        let (half_in, half_out) = (decibels(level(0.9, 1.1) / full), decibels(level(18.4, 18.6) / full));
        assert!((half_in + 6.0).abs() < 1.0 && (half_out + 6.0).abs() < 1.0, "fades: {half_in:.2} dB, {half_out:.2} dB");
        assert!(level(0.0, 0.1) < full * 0.05 && level(19.9, 20.0) < full * 0.05);
    }
    // Without a loudness, the mix stays below full scale.
    let loud = with(plain, |plan| {
        plan.output.loudness = None;
        plan.sound = vec![with(Sound::new(music.to_string_lossy()), |it| (it.gain, it.repeat) = (14.0, true))];
    });
    // Both channels are the same; ffmpeg adds each with a factor of 0.707 to one.
    let peak = rendered(&loud).await.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs())) / std::f32::consts::SQRT_2;
    assert!((0.7..1.0).contains(&peak), "{peak}");
}

#[tokio::test]
async fn a_censored_word_is_not_heard_in_the_file_and_the_file_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let talk = talk(&folder);
    let stretch = |with: CensorSound| vec![Censored::new(Span::secs(5.0, 6.2).unwrap(), with)];
    let power = |samples: &[f32]| samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64;
    let part = |heard: &[f32]| power(&heard[(5.05 * RATE) as usize..(6.15 * RATE) as usize]);
    let plain = planned(&talk).await;
    let open = rendered(&plain).await;
    // The check of the file finds lost sound, and a muted word is not lost.
    let mute = rendered(&with(plain.clone(), |plan| plan.censored = stretch(CensorSound::Mute))).await;
    assert!(part(&open) > 1e-3 && part(&mute) < 1e-9, "{} {}", part(&open), part(&mute));
    let beep = rendered(&with(plain, |plan| plan.censored = stretch(CensorSound::Beep))).await;
    let tone = amplitude(&beep, 1000.0, 5.1, 6.1);
    assert!((tone * tone / 2.0 / part(&beep) - 1.0).abs() < 0.02, "nothing but the tone");
    let below = decibels((part(&beep) / part(&open)).sqrt());
    println!("the beep is {below:+.1} dB of the voice");
    assert!(below.abs() < 6.0, "{below}");
}

#[tokio::test]
async fn a_missing_file_and_too_many_sounds_are_refused_and_a_changed_file_leaves_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let talk = talk(&folder);
    let plain = planned(&talk).await;
    let missing = with(plain.clone(), |plan| plan.sound = vec![Sound::new("no/such/music.mp3")]);
    let error = FfmpegRenderer::new().render(&Context::new(), &missing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.to_string().contains("no/such/music.mp3: sound[0]") && error.to_string().contains("remove_sound"), "{error}");

    let strict = Context::builder().limits(Limits::strict()).build();
    let many = with(plain.clone(), |plan| plan.sound = vec![Sound::new("music.mp3"); 17]);
    let error = FfmpegRenderer::new().render(&strict, &many).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().contains("plan_sounds is 16"), "{error}");

    let music = made(&folder, "music.wav", "-f lavfi -i sine=d=3");
    let id = serde_json::json!(format!("blake3:{}", "0".repeat(64)));
    let changed = with(plain.clone(), |plan| {
        plan.span = Span::secs(4.0, 6.0).unwrap();
        plan.scenes[0].span = Span::secs(0.0, 2.0).unwrap();
        plan.sound = vec![with(Sound::new(music.to_string_lossy()), |it| it.id = serde_json::from_value(id).unwrap())];
    });
    let cx = Context::new();
    FfmpegRenderer::new().render(&cx, &changed).await.unwrap();
    assert_eq!(cx.warnings()[0].kind, WarningKind::SourceChanged, "{:?}", cx.warnings());
    // The file's place does not count if its content is known.
    let moved = with(changed.clone(), |plan| plan.sound[0].file = "elsewhere.wav".into());
    assert_eq!(moved.id(), changed.id());
    assert_eq!(ClipPlan::from_json(&changed.to_json().unwrap()).unwrap(), changed);
    // A plan without sounds reads and identifies as before there were any.
    assert!(!plain.to_json().unwrap().contains("sound") && !plain.to_json().unwrap().contains("censored"));
}
