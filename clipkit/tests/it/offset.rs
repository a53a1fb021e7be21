//! Captions that are early or late by a constant time, which the voice shows.

#![allow(clippy::unwrap_used)] // Helpers of tests fail as tests do.

use std::fs;
use std::path::{Path, PathBuf};

use clipkit::model::{Media, Transcript, Warning, WarningKind};
use clipkit::stage::{CaptionOffset, Captions, Transcriber};
use clipkit::{Context, Environment, Error, ErrorKind};

use crate::render::fetch;
use crate::support::ffmpeg;

/// Phrases of uneven length with uneven pauses, up to `secs` seconds.
fn phrases(secs: f64) -> Vec<(f64, f64)> {
    let (mut phrases, mut at, mut n) = (Vec::new(), 0.7, 1_u64);
    while at + 5.0 < secs {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = |shift: u32| ((n >> shift) % 1000) as f64 / 1000.0;
        let end = at + 1.2 + 2.8 * part(30);
        phrases.push((at, end));
        at = end + 0.5 + 1.2 * part(45);
    }
    phrases
}

/// A video in which notes, which the built-in detector takes for a voice, sound in these phrases.
fn talk(folder: &tempfile::TempDir, name: &str, phrases: &[(f64, f64)], secs: f64) -> PathBuf {
    let path = folder.path().join(name);
    let open: Vec<String> = phrases.iter().map(|(from, to)| format!("between(t,{from:.3},{to:.3})")).collect();
    let notes = "0.2*exp(-3*mod(t,0.4))*(sin(2*PI*220*t)+0.5*sin(4*PI*220*t)+0.3*sin(6*PI*220*t))";
    ffmpeg(&format!(
        "-f lavfi -i color=s=64x64:r=5:d={secs} -f lavfi -i aevalsrc='({})*{notes}':s=16000:d={secs} -c:v libx264 -preset ultrafast -c:a aac {}",
        open.join("+"),
        path.display()
    ));
    path
}

/// A caption file of the phrases, moved by `by` seconds.
fn captions(folder: &Path, name: &str, phrases: &[(f64, f64)], by: f64) {
    let clock = |at: f64| {
        let millis = ((at + by) * 1000.0).round() as u64;
        format!("{:02}:{:02}:{:02},{:03}", millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60, millis % 1000)
    };
    let cue = |(n, (from, to)): (usize, &(f64, f64))| format!("{n}\n{} --> {}\nphrase number {n}\n\n", clock(*from), clock(*to));
    fs::write(folder.join(name), (1..).zip(phrases).map(cue).collect::<String>()).unwrap();
}

async fn read(captions: Captions, media: &Media) -> (Result<Transcript, Error>, Vec<Warning>) {
    let cx = Context::builder().environment(Environment::default()).build();
    (captions.transcribe(&cx, media).await, cx.warnings())
}

fn starts(transcript: &Transcript) -> Vec<f64> {
    transcript.words.iter().filter(|word| word.text == "phrase").map(|word| word.start.secs()).collect()
}

#[tokio::test]
async fn captions_that_are_an_hour_late_are_moved_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let all = phrases(80.0);
    let path = talk(&folder, "talk.mp4", &all, 80.0);
    captions(folder.path(), "talk.srt", &all, 3600.0);
    let media = fetch(&path).await;

    let (transcript, warnings) = read(Captions::auto().offset(CaptionOffset::Auto), &media).await;
    let found = starts(&transcript.unwrap());
    assert_eq!(found.len(), all.len());
    assert!(found.iter().zip(&all).all(|(found, (exact, _))| (found - exact).abs() < 0.01), "{found:?}");
    assert_eq!(warnings.iter().map(|warning| warning.kind).collect::<Vec<_>>(), [WarningKind::Repaired], "{warnings:?}");
    assert!(warnings[0].message.contains("3600.00 s late") && warnings[0].message.contains("--offset -3600"), "{warnings:?}");

    // Not asked for, it is offered: beside the video, and as the file that was given.
    let (answer, warnings) = read(Captions::auto(), &media).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NoTranscript);
    assert!(warnings.len() == 1 && warnings[0].message.contains("--offset -3600 "), "{warnings:?}");
    let (answer, _) = read(Captions::file(folder.path().join("talk.srt")), &media).await;
    let error = answer.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.advice().unwrap().contains("--offset -3600 "), "{error}");
}

#[tokio::test]
async fn a_trimmed_video_is_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let all = phrases(200.0);
    // The video begins 61.4 s later and ends earlier.
    let inside: Vec<(f64, f64)> =
        all.iter().map(|(from, to)| ((from - 61.4).max(0.0), (to - 61.4).min(90.0))).filter(|(from, to)| to > from).collect();
    let path = talk(&folder, "talk.mp4", &inside, 90.0);
    captions(folder.path(), "talk.srt", &all, 0.0);
    let media = fetch(&path).await;
    let (transcript, warnings) = read(Captions::auto(), &media).await;
    assert!(transcript.is_ok());
    let offered = warnings.iter().find(|warning| warning.message.contains("--offset auto")).unwrap_or_else(|| panic!("{warnings:?}"));
    assert!(offered.message.contains("--offset -61."), "{offered:?}");

    let (transcript, warnings) = read(Captions::auto().offset(CaptionOffset::Auto), &media).await;
    let found = starts(&transcript.unwrap());
    let due: Vec<f64> = inside.iter().map(|(from, _)| *from).filter(|from| *from > 0.5).collect();
    let off = due.iter().map(|due| found.iter().map(|found| (found - due).abs()).fold(f64::INFINITY, f64::min)).fold(0.0, f64::max);
    assert!(off < 0.2, "{off} s: {found:?} {due:?}");
    assert!(warnings.iter().any(|warning| warning.message.contains("they are moved")), "{warnings:?}");
}

#[tokio::test]
async fn captions_that_fit_or_belong_to_something_else_stay() {
    let folder = tempfile::tempdir().unwrap();
    let all = phrases(60.0);
    let path = talk(&folder, "talk.mp4", &all, 60.0);
    captions(folder.path(), "talk.srt", &all, 0.0);
    let media = fetch(&path).await;
    let (transcript, warnings) = read(Captions::auto().offset(CaptionOffset::Auto), &media).await;
    assert!(starts(&transcript.unwrap()).iter().zip(&all).all(|(found, (exact, _))| (found - exact).abs() < 0.01));
    assert!(warnings.is_empty(), "{warnings:?}");

    // Even cues without a relation to the sound.
    let other: Vec<(f64, f64)> = (0..14).map(|n| (f64::from(n) * 4.0, f64::from(n) * 4.0 + 3.0)).collect();
    captions(folder.path(), "other.srt", &other, 0.0);
    let (transcript, warnings) = read(Captions::file(folder.path().join("other.srt")).offset(CaptionOffset::Auto), &media).await;
    assert!(starts(&transcript.unwrap()).iter().zip(&other).all(|(found, (exact, _))| (found - exact).abs() < 0.01));
    assert!(warnings.len() == 1 && warnings[0].message.contains("shows no offset"), "{warnings:?}");
}
