//! Passages whose sound or picture is missing in the source, from the file to the ranking.

#![allow(clippy::unwrap_used)] // Helpers of tests fail as tests do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clipkit::model::{Candidate, Stage, Transcript, WarningKind, Word};
use clipkit::prelude::*;

use crate::fakes::{Fake, candidate};
use crate::support::{ffmpeg, loudness, samples, with};

/// Notes, which the built-in voice detector takes for speech.
const NOTES: &str = "aevalsrc='0.2*exp(-3*mod(t,0.4))*(sin(2*PI*220*t)+0.5*sin(4*PI*220*t)+0.3*sin(6*PI*220*t))':s=48000:d=60";

fn video(folder: &tempfile::TempDir, name: &str, picture: f64, sound: &str) -> PathBuf {
    let path = folder.path().join(name);
    ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=128x72:r=10:d={picture} -f lavfi -i {sound} -c:v libx264 -preset ultrafast -c:a aac {}",
        path.display()
    ));
    path
}

/// The candidates of a video in which a word is said every half second, in their order, and the
/// warnings.
async fn chosen(path: &Path) -> (Vec<Candidate>, Vec<(Option<usize>, String)>) {
    let mut fake = Fake::new();
    fake.transcript =
        Arc::new(|_, _| Ok(Transcript::new((0..120).map(|n| Word::new("word", f64::from(n) / 2.0, f64::from(n) / 2.0 + 0.4)).collect())));
    fake.candidates = Arc::new(|_, _| Ok(vec![candidate(2.0, 18.0, 90.0), candidate(22.0, 38.0, 80.0), candidate(42.0, 58.0, 70.0)]));
    let options = with(ClipOptions::default(), |it| it.snap = false);
    let pipeline = fake.builder().source(FileSource::new()).options(options).build().unwrap();
    let cx = Context::builder().environment(Environment::default()).build();
    let media = pipeline.fetch(&cx, path.to_str().unwrap()).await.unwrap();
    let transcript = pipeline.transcribe(&cx, &media).await.unwrap();
    let candidates = pipeline.choose(&cx, &media, &transcript).await.unwrap();
    let warnings = cx.warnings();
    assert!(warnings.iter().all(|warning| warning.kind == WarningKind::InputLost && warning.stage == Stage::Score), "{warnings:?}");
    (candidates, warnings.into_iter().map(|warning| (warning.clip, warning.message)).collect())
}

fn order(candidates: &[Candidate]) -> Vec<f64> {
    candidates.iter().map(|candidate| candidate.span.start().secs()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passage_with_a_silent_stretch_is_ranked_lower_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = video(&folder, "silent.mp4", 60.0, &format!("{NOTES},volume=0:enable='between(t,5,11)'"));
    let (candidates, warnings) = chosen(&path).await;
    assert_eq!(order(&candidates), [22.0, 42.0, 2.0]);
    assert!(candidates[2].score.total < 70.0, "{:?}", candidates[2].score);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].0 == Some(3) && warnings[0].1.contains("silent from 0:05"), "{warnings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passage_beyond_the_end_of_the_picture_or_the_sound_is_ranked_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = video(&folder, "picture.mp4", 15.0, NOTES);
    let (candidates, warnings) = chosen(&path).await;
    assert_eq!(order(&candidates), [2.0, 22.0, 42.0]);
    let totals: Vec<f64> = candidates.iter().map(|candidate| candidate.score.total.round()).collect();
    assert!(totals[0] > 70.0 && totals[0] < 90.0 && totals[1..] == [16.0, 14.0], "{totals:?}");
    assert!(warnings.len() == 3 && warnings.iter().all(|(_, message)| message.contains("no picture")), "{warnings:?}");

    let path = video(&folder, "sound.mp4", 60.0, &NOTES.replace("d=60", "d=40"));
    let (candidates, warnings) = chosen(&path).await;
    assert_eq!(order(&candidates), [2.0, 22.0, 42.0]);
    assert!(candidates[2].score.total < 20.0 && warnings.len() == 1 && warnings[0].1.contains("silent from 0:42"), "{warnings:?}");
    let whole = video(&folder, "whole.mp4", 60.0, NOTES);
    assert_eq!(chosen(&whole).await.1, []);
}

/// A broadcast whose sound changes from stereo to mono: it is heard to the end.
#[tokio::test(flavor = "multi_thread")]
async fn sound_that_changes_its_format_stays_in_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    let part = |name: &str, channels: u32, rate: u32| {
        let path = folder.path().join(name);
        ffmpeg(&format!(
            "-f lavfi -i testsrc2=s=128x72:r=10:d=3 -f lavfi -i {} -t 3 -ac {channels} -ar {rate} -c:v libx264 -preset ultrafast -c:a aac {}",
            NOTES,
            path.display()
        ));
        path.display().to_string()
    };
    let list = folder.path().join("list.txt");
    let parts = [part("1.ts", 2, 48_000), part("2.ts", 1, 48_000), part("3.ts", 2, 44_100)];
    std::fs::write(&list, parts.iter().map(|part| format!("file '{part}'\n")).collect::<String>()).unwrap();
    let path = folder.path().join("broadcast.ts");
    ffmpeg(&format!("-f concat -safe 0 -i {} -c copy {}", list.display(), path.display()));
    let media = crate::render::fetch(&path).await;
    let plan = crate::render::centred(&media, Span::secs(0.0, 9.0).unwrap(), (64, 64));
    let cx = Context::new();
    let clip = FfmpegRenderer::new().render(&cx, &plan).await.unwrap();
    let heard = samples(&clip.video);
    for second in 0..9 {
        let part = &heard[second * 48_000..((second + 1) * 48_000).min(heard.len())];
        let peak = part.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak > 0.05, "second {second}: {peak}");
    }
    assert!(loudness(&clip.video).0 > -20.0 && cx.warnings().is_empty(), "{:?}", cx.warnings());
}
