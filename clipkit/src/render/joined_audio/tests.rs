use super::*;
use crate::av;
use crate::context::Context;
use crate::model::{ContentId, Media, Piece, Span};
use crate::render::clip_audio::ClipAudio;
use crate::render::loudness::Dynamics;
use crate::testing::make_media;

/// A source of 48 kHz audio, uncompressed.
fn source(folder: &tempfile::TempDir, name: &str, sound: &str) -> Media {
    let file = folder.path().join(name);
    make_media(&file, &format!("-f lavfi -i {sound} -ac 1 -c:a pcm_f32le"));
    av::probe(&Context::new(), &file, ContentId::new("test", "")).unwrap()
}

/// The left channel.
fn heard(media: &Media, pieces: &[Piece]) -> Vec<f32> {
    let timeline = Timeline::of(pieces);
    let whole = PartOfSound::whole((timeline.end().secs() * 48_000.0).round() as u64);
    let mut audio = ClipAudio::open(&Context::new(), Some(media), &timeline, None, whole).unwrap();
    let mut passes: Vec<Vec<f32>> = Vec::new();
    for _ in 0..2 {
        let mut samples = Vec::new();
        audio
            .process(Dynamics::default(), &mut |frame| {
                samples.extend_from_slice(frame.plane::<f32>(0));
                Ok(())
            })
            .unwrap();
        passes.push(samples);
    }
    assert!(passes[0] == passes[1] && audio.faults().is_empty(), "{:?}", audio.faults());
    passes.swap_remove(0)
}

fn piece(start: f64, end: f64) -> Piece {
    Piece::new(Span::secs(start, end).unwrap())
}

/// Pieces of uneven lengths with uneven gaps, some of them backwards.
fn many(count: usize) -> Vec<Piece> {
    let mut at = 0.31;
    let mut pieces: Vec<Piece> = (0..count)
        .map(|n| {
            let start: f64 = at + 0.003 + (n * 37 % 11) as f64 * 0.0171;
            at = start + 0.05 + (n * 53 % 7) as f64 * 0.0137;
            piece(start, at)
        })
        .collect();
    pieces.rotate_left(count / 3);
    pieces
}

#[test]
fn joined_audio_is_the_source_to_the_sample_but_for_the_crossfades() {
    let folder = tempfile::tempdir().unwrap();
    let media = source(&folder, "noise.mov", "anoisesrc=c=white:a=0.5:d=60:r=48000:seed=7");
    let whole = heard(&media, &[piece(0.0, 60.0)]);
    for joins in [1, 2, 20, 200] {
        let pieces = many(joins + 1);
        let found = heard(&media, &pieces);
        let timeline = Timeline::of(&pieces);
        assert_eq!(found.len(), (timeline.end().secs() * 48_000.0).round() as usize, "{joins}");
        for (n, placed) in timeline.pieces().iter().enumerate() {
            let [from, to, origin] =
                [placed.clip.start(), placed.clip.end(), placed.source.start()].map(|at| (at.secs() * 48_000.0).round() as usize);
            // The clip's ends are faded for 480 samples, joins for 240 on each side.
            let margin = |end: bool| if end { 480 } else { 240 };
            let (from_margin, to_margin) = (margin(n == 0), margin(n == joins));
            let (from, to, origin) = (from + from_margin, to - to_margin, origin + from_margin);
            let off = found[from..to].iter().zip(&whole[origin..]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-6, "{joins} joins, piece {n}: {off}");
        }
    }
}

#[test]
fn a_join_does_not_click_and_a_cut_that_removes_nothing_is_inaudible() {
    let folder = tempfile::tempdir().unwrap();
    let media = source(&folder, "tone.mov", "aevalsrc=0.5*sin(2*PI*200*t):s=48000:d=30");
    // Joins at opposite phases: without a fade, a step of up to 1.
    let pieces: Vec<Piece> = (0..20).map(|n| piece(f64::from(n) + 0.1, f64::from(n) + 0.601_25)).collect();
    let found = heard(&media, &pieces);
    let step = found.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    let tone = 0.5 * 2.0 * std::f32::consts::PI * 200.0 / 48_000.0;
    assert!(step < 1.1 * tone, "{step} of {tone}");
    let peak = found.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    assert!(peak < 0.501, "{peak}");

    let plain = heard(&media, &[piece(1.0, 5.0)]);
    // The same stretch, cut where the speed changes by nothing that is heard.
    let cut = heard(&media, &[piece(1.0, 3.0), piece(3.0, 5.0)]);
    assert_eq!(plain, cut);
}

#[test]
fn silence_stands_for_audio_that_ends_early_or_starts_late() {
    let folder = tempfile::tempdir().unwrap();
    let media = source(&folder, "short.mov", "aevalsrc=0.5*sin(2*PI*200*t):s=48000:d=2");
    let found = heard(&media, &[piece(1.0, 3.0), piece(0.0, 1.0), piece(5.0, 6.0)]);
    assert_eq!(found.len(), 4 * 48_000);
    let peak =
        |from: f64, to: f64| found[(from * 48_000.0) as usize..(to * 48_000.0) as usize].iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    // One channel becomes two of -3 dB.
    assert!(peak(0.1, 0.9) > 0.35 && peak(2.1, 2.9) > 0.35);
    assert!(peak(1.01, 1.99) < 1e-3 && peak(3.01, 3.99) < 1e-3, "{} {}", peak(1.01, 1.99), peak(3.01, 3.99));

    // The sound starts 1.5 s after the picture.
    let file = folder.path().join("late.mkv");
    let inputs = format!("-f lavfi -i color=s=64x64:r=10:d=4 -itsoffset 1.5 -i {}", media.path.display());
    make_media(&file, &format!("{inputs} -map 0:v -map 1:a -c:v libx264 -c:a pcm_f32le"));
    let late = av::probe(&Context::new(), &file, ContentId::new("test", "")).unwrap();
    let found = heard(&late, &[piece(0.2, 2.2), piece(2.0, 3.0), piece(0.0, 1.2)]);
    assert_eq!(found.len(), (4.2 * 48_000.0) as usize);
    let peak =
        |from: f64, to: f64| found[(from * 48_000.0) as usize..(to * 48_000.0) as usize].iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    assert!(peak(0.02, 1.29) < 1e-3 && peak(1.32, 2.99) > 0.35 && peak(3.01, 4.18) < 1e-3, "{} {}", peak(0.02, 1.29), peak(3.01, 4.18));
}

#[test]
fn another_speed_keeps_pitch_and_places() {
    let folder = tempfile::tempdir().unwrap();
    // A burst of 300 Hz every second over a quiet tone of 200 Hz.
    let clicks = "aevalsrc=0.05*sin(2*PI*200*t)+0.8*sin(2*PI*300*t)*lt(mod(t\\,1)\\,0.02):s=48000:d=40";
    let media = source(&folder, "clicks.mov", clicks);
    for speed in [0.5, 0.8, 1.25, 1.6, 2.0] {
        let pieces = [piece(2.5, 4.5), piece(10.5, 16.5).at_speed(speed), piece(20.5, 22.5)];
        let found = heard(&media, &pieces);
        let timeline = Timeline::of(&pieces);
        assert_eq!(found.len(), (timeline.end().secs() * 48_000.0).round() as usize);
        for second in [3.0, 4.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 21.0, 22.0] {
            let due = timeline.clip_times(Timestamp::from_secs(second)).next().unwrap().secs();
            let near = &found[((due - 0.25) * 48_000.0) as usize..((due + 0.2) * 48_000.0) as usize];
            let click = near.iter().position(|sample| sample.abs() > 0.25).unwrap_or_else(|| panic!("{speed}: no click near {due}"));
            let off = click as f64 / 48_000.0 - 0.25;
            println!("speed {speed}, second {second}: {off:+.4} s");
            // Within a frame of 30 per second.
            assert!(off.abs() < 1.0 / 30.0, "speed {speed}: the click at {due} is {off:+.4} s off");
        }
        // Between clicks, the tone crosses zero as often as in the source.
        let from = timeline.clip_times(Timestamp::from_secs(12.2)).next().unwrap().secs();
        let part = &found[(from * 48_000.0) as usize..][..(0.3 * 48_000.0) as usize];
        let crossings = part.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((58..=62).contains(&crossings), "{speed}: {crossings} periods in 0.3 s");
    }
}
