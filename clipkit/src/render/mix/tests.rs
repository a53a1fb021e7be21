use std::f64::consts::PI;
use std::path::{Path, PathBuf};

use super::*;
use crate::av;
use crate::error::{Error, ErrorKind};
use crate::model::{
    Censored, ContentId, Crop, FrameRate, Layout, Media, MediaRef, Output, PlanSource, Rect, Scene, Score, Sound, Span, Timeline, Timestamp,
};
use crate::render::clip_audio::{ClipAudio, PartOfSound};
use crate::render::loudness::Dynamics;
use crate::testing::make_media;

const RATE: f64 = 48_000.0;

fn made(folder: &tempfile::TempDir, name: &str, sound: &str, codec: &str) -> PathBuf {
    let file = folder.path().join(name);
    make_media(&file, &format!("-f lavfi -i {sound} {codec}"));
    file
}

/// A tone as 48 kHz stereo, uncompressed.
fn tone(folder: &tempfile::TempDir, name: &str, level: f64, hertz: f64, secs: f64) -> PathBuf {
    made(folder, name, &format!("aevalsrc={level}*sin(2*PI*{hertz}*t):s=48000:d={secs}"), "-ac 1 -c:a pcm_f32le")
}

fn plan(media: &Media, secs: f64, change: impl FnOnce(&mut ClipPlan)) -> ClipPlan {
    let span = Span::secs(0.0, secs).unwrap();
    let source = PlanSource::new(MediaRef::new(media.path.to_string_lossy(), ContentId::new("test", "")), 64, 64, span.end());
    let scenes = vec![Scene::new(span, Layout::Fill { crop: Crop::still(Rect::FULL) })];
    let mut plan = ClipPlan::new(source, span, "", Score::default(), scenes, Output::h264(64, 64, FrameRate::new(30, 1)));
    change(&mut plan);
    plan.validate().unwrap();
    plan
}

fn probed(path: &Path) -> Media {
    av::probe(&Context::new(), path, ContentId::new("test", "")).unwrap()
}

/// The left channel of the clip, the same in two passes.
fn heard(media: &Media, plan: &ClipPlan) -> Result<Vec<f32>, Error> {
    let cx = Context::new();
    let timeline = Timeline::of(&[crate::model::Piece::new(plan.span)]);
    let whole = PartOfSound::whole((timeline.end().secs() * RATE).round() as u64);
    let mut audio = ClipAudio::open(&cx, Some(media), &timeline, Mixer::open(&cx, plan)?, whole)?;
    let mut passes: Vec<Vec<f32>> = Vec::new();
    for _ in 0..2 {
        let mut samples = Vec::new();
        audio.process(Dynamics::default(), &mut |frame| {
            samples.extend_from_slice(frame.plane::<f32>(0));
            Ok(())
        })?;
        passes.push(samples);
    }
    let differs = passes[0].iter().zip(&passes[1]).position(|(one, other)| one != other);
    assert_eq!((differs, passes[0].len()), (None, passes[1].len()), "two passes differ: {:?}", plan.sound);
    assert!(audio.faults().is_empty(), "{:?}", audio.faults());
    assert_eq!(passes[0].len(), (plan.span.end().secs() * RATE).round() as usize);
    Ok(passes.swap_remove(0))
}

fn music(file: &Path, change: impl FnOnce(&mut Sound)) -> Sound {
    let mut sound = Sound::new(file.to_string_lossy());
    change(&mut sound);
    sound
}

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

fn steepest(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn a_sound_is_added_to_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let media = probed(&made(&folder, "voice.mov", "anoisesrc=c=white:a=0.2:d=10:r=48000:seed=7", "-ac 1 -c:a pcm_f32le"));
    let file = made(&folder, "music.wav", "anoisesrc=c=white:a=0.3:d=4:r=48000:seed=9", "-ac 2 -c:a pcm_f32le");
    let bare = heard(&media, &plan(&media, 8.0, |_| {})).unwrap();
    let alone = heard(&probed(&file), &plan(&media, 4.0, |_| {})).unwrap();
    let with = heard(
        &media,
        &plan(&media, 8.0, |plan| {
            plan.sound = vec![music(&file, |it| {
                (it.span, it.offset, it.gain) = (Span::secs(2.5, 4.5).ok(), Timestamp::from_secs(1.0), -6.0);
            })];
        }),
    )
    .unwrap();
    let gain = factor(-6.0) as f32;
    for (n, (with, bare)) in with.iter().zip(&bare).enumerate() {
        let at = n as f64 / RATE;
        if (2.52..4.48).contains(&at) {
            let due = bare + alone[n - 72_000] * gain;
            assert!((with - due).abs() < 1e-5, "at {at}: {with} instead of {due}");
        } else if !(2.5..4.5).contains(&at) {
            assert!((with - bare).abs() < 1e-6, "at {at}");
        }
    }
}

#[test]
fn music_sinks_under_a_voice_and_rises_after_it() {
    let folder = tempfile::tempdir().unwrap();
    // A voice from 3 to 6 s and from 9 to 11 s, with syllables, over quiet noise.
    let syllables = "0.4*sin(2*PI*300*t)*abs(sin(2*PI*3*t))*(between(t\\,3\\,6)+between(t\\,9\\,11))+0.0005*sin(2*PI*77*t)";
    let media = probed(&made(&folder, "voice.mov", &format!("aevalsrc={syllables}:s=48000:d=14"), "-ac 1 -c:a pcm_f32le"));
    let file = tone(&folder, "music.wav", 0.1, 2000.0, 20.0);
    for duck in [6.0, 12.0, 20.0] {
        let found = heard(&media, &plan(&media, 14.0, |plan| plan.sound = vec![music(&file, |it| it.duck = duck)])).unwrap();
        let level = |from: f64, to: f64| amplitude(&found, 2000.0, from, to);
        let full = level(1.0, 2.5);
        for (from, to) in [(3.1, 3.4), (4.0, 5.0), (5.6, 5.9), (9.2, 10.8)] {
            let lower = decibels(full / level(from, to));
            assert!((lower - duck).abs() < 0.2, "{from} to {to}: {lower:.2} dB instead of {duck}");
        }
        for (from, to) in [(0.5, 1.0), (7.2, 8.6), (12.2, 13.5)] {
            assert!(decibels(full / level(from, to)).abs() < 0.2, "{from} to {to}");
        }
        // It has sunk when the voice starts and takes its time to rise.
        assert!((decibels(full / level(6.4, 6.45)) - duck / 1.4).abs() < duck / 3.0, "{}", decibels(full / level(6.4, 6.45)));
    }
}

#[test]
fn a_loop_has_no_click_whether_it_is_kept_or_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let silent = probed(&made(&folder, "silent.mov", "anullsrc=r=48000:cl=mono:d=30", "-c:a pcm_f32le"));
    // Lengths at which the tone ends at any phase. The long one is not kept in memory.
    for secs in [0.7137, 3.3331, 11.1117] {
        let file = tone(&folder, &format!("loop{secs}.wav"), 0.5, 220.0, secs);
        let found = heard(&silent, &plan(&silent, 30.0, |plan| plan.sound = vec![music(&file, |it| it.repeat = true)])).unwrap();
        let slope = 0.5 * 2.0 * PI as f32 * 220.0 / RATE as f32;
        assert!(steepest(&found) < 1.3 * slope, "{secs}: a step of {} instead of {slope}", steepest(&found));
        let period = (secs * RATE).round() as usize - seams::FADE;
        for (n, pair) in found[1000..28 * 48_000 - period].iter().zip(&found[1000 + period..]).enumerate() {
            if (n + 1000) % period >= 2 * seams::FADE {
                assert!((pair.0 - pair.1).abs() < 1e-4, "{secs}: at {n}");
            }
        }
    }
}

#[test]
fn compressed_files_are_the_same_in_each_pass() {
    let folder = tempfile::tempdir().unwrap();
    let silent = probed(&made(&folder, "silent.mov", "anullsrc=r=48000:cl=mono:d=16", "-c:a pcm_f32le"));
    let sound = "sine=frequency=441:sample_rate=44100:duration=13";
    for (name, codec) in [
        ("a.mp3", "-ac 2 -b:a 128k"),
        ("a.m4a", "-ac 1 -b:a 96k"),
        ("a.flac", "-ac 2"),
        ("a.ogg", "-ac 2 -ar 48000 -c:a libopus -b:a 96k"),
        ("a.mkv", "-ac 6 -c:a ac3 -b:a 384k"),
    ] {
        let file = made(&folder, name, sound, codec);
        for offset in [0.0, 2.5] {
            let repeated = music(&file, |it| (it.offset, it.repeat) = (Timestamp::from_secs(offset), true));
            let found = heard(&silent, &plan(&silent, 16.0, |plan| plan.sound = vec![repeated])).unwrap();
            let (early, late) = (amplitude(&found, 441.0, 1.0, 3.0), amplitude(&found, 441.0, 13.4, 15.4));
            assert!(early > 0.03 && decibels(early / late).abs() < 0.3, "{name} from {offset}: {early}, {late}");
        }
    }
}

#[test]
fn a_censored_word_is_silent_or_a_beep_and_music_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let media = probed(&tone(&folder, "voice.mov", 0.4, 300.0, 8.0));
    let file = tone(&folder, "music.wav", 0.05, 5000.0, 10.0);
    let censored = plan(&media, 8.0, |plan| {
        plan.censored = vec![
            Censored::new(Span::secs(2.0, 2.5).unwrap(), CensorSound::Mute),
            Censored::new(Span::secs(5.0, 5.5).unwrap(), CensorSound::Beep),
        ];
        plan.sound = vec![music(&file, |_| {})];
    });
    let found = heard(&media, &censored).unwrap();
    let voice = amplitude(&found, 300.0, 3.0, 4.0);
    for (from, to) in [(2.0, 2.5), (5.0, 5.5)] {
        assert!(decibels(amplitude(&found, 300.0, from, to) / voice) < -80.0);
    }
    let beep = amplitude(&found, 1000.0, 5.0, 5.5);
    assert!((decibels(beep / voice) + 6.0).abs() < 0.1, "{}", decibels(beep / voice));
    assert!(amplitude(&found, 1000.0, 2.0, 2.5) < 1e-4 && amplitude(&found, 1000.0, 6.0, 7.0) < 1e-4);
    let level = |from: f64, to: f64| amplitude(&found, 5000.0, from, to);
    assert!(decibels(level(2.0, 2.5) / level(3.0, 3.5)).abs() < 0.01 && decibels(level(5.0, 5.5) / level(3.0, 3.5)).abs() < 0.01);
    // Words around it are whole, and nothing clicks.
    assert!((amplitude(&found, 300.0, 1.9, 1.99) / voice - 1.0).abs() < 0.01);
    let mute = heard(&media, &plan(&media, 8.0, |plan| plan.censored.clone_from(&censored.censored))).unwrap();
    let steepest_tone = 0.4 * 2.0 * PI as f32 * 300.0 / RATE as f32 + 0.2 * 2.0 * PI as f32 * 1000.0 / RATE as f32;
    assert!(steepest(&mute) < steepest_tone, "{}", steepest(&mute));
}

#[test]
fn music_plays_alone_where_the_source_has_no_sound() {
    let folder = tempfile::tempdir().unwrap();
    let media = probed(&made(&folder, "mute.mp4", "testsrc2=s=64x64:r=30:d=5", "-c:v libx264"));
    let file = tone(&folder, "music.wav", 0.3, 440.0, 2.0);
    let found =
        heard(&media, &plan(&media, 5.0, |plan| plan.sound = vec![music(&file, |it| (it.duck, it.fade_out) = (12.0, 0.5))])).unwrap();
    // One channel becomes two of -3 dB.
    assert!((amplitude(&found, 440.0, 0.5, 1.4) - 0.212).abs() < 0.005, "{}", amplitude(&found, 440.0, 0.5, 1.4));
    // The fade ends where the file does.
    assert!(amplitude(&found, 440.0, 1.9, 1.99) < 0.02 && amplitude(&found, 440.0, 2.1, 4.9) < 1e-6);
}

#[test]
fn a_file_that_cannot_play_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let media = probed(&tone(&folder, "voice.mov", 0.4, 300.0, 3.0));
    let text = folder.path().join("text.mp3");
    std::fs::write(&text, "not a sound").unwrap();
    let pictures = made(&folder, "mute.mp4", "testsrc2=s=64x64:r=30:d=1", "-c:v libx264");
    let (short, tiny) = (tone(&folder, "short.wav", 0.3, 440.0, 2.0), tone(&folder, "tiny.wav", 0.3, 440.0, 0.015));
    let damaged = folder.path().join("damaged.wav");
    std::fs::write(&damaged, &std::fs::read(&short).unwrap()[..90]).unwrap();
    for (file, change, kind, message) in [
        (folder.path().join("missing.mp3"), (|_| {}) as fn(&mut Sound), ErrorKind::NotFound, "does not exist"),
        (text, |_| {}, ErrorKind::InvalidInput, ""),
        (pictures, |_| {}, ErrorKind::InvalidInput, "has no sound"),
        (short.clone(), |it| it.offset = Timestamp::from_secs(2.5), ErrorKind::InvalidInput, "lasts 0:02.000"),
        (tiny, |it| it.repeat = true, ErrorKind::InvalidInput, "at least 20 ms"),
        (folder.path().to_owned(), |_| {}, ErrorKind::InvalidInput, "a folder"),
    ] {
        let broken = plan(&media, 3.0, |plan| plan.sound = vec![music(&short, |_| {}), music(&file, change)]);
        let error = heard(&media, &broken).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().starts_with("sound[1]: ") && error.message().contains(message), "{error}");
        assert!(error.advice().is_some(), "{error}");
    }
    // A file that is cut off plays as far as it goes, or says that nothing is there.
    match heard(&media, &plan(&media, 3.0, |plan| plan.sound = vec![music(&damaged, |_| {})])) {
        Ok(found) => assert_eq!(found.len(), 3 * 48_000),
        Err(error) => assert!(error.message().starts_with("sound[0]: "), "{error}"),
    }
}
