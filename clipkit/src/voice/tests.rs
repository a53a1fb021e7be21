use super::*;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::testing::testdata;

/// Samples that the `ffmpeg` command generated or decoded: mono, 16 kHz.
fn sound(arguments: &[&str]) -> Vec<f32> {
    let output =
        Command::new("ffmpeg").args(["-v", "error"]).args(arguments).args(["-ac", "1", "-ar", "16000", "-f", "f32le", "-"]).output();
    let output = output.expect("these tests need ffmpeg on the PATH");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
}

fn drawn(filter: &str) -> Vec<f32> {
    sound(&["-f", "lavfi", "-i", filter, "-t", "5"])
}

fn detected(samples: &[f32], start: f64) -> VoiceActivity {
    let mut detector = EarshotStream::new(Timestamp::from_secs(start));
    detector.push(samples);
    detector.finish()
}

/// Noise of several colours, hum, a click track, and constant tones.
const NO_SPEECH: [&str; 9] = [
    "anullsrc=r=16000:cl=mono",
    "anoisesrc=c=white:a=0.01:r=16000:s=1",
    "anoisesrc=c=white:a=0.1:r=16000:s=1",
    "anoisesrc=c=white:a=0.5:r=16000:s=1",
    "anoisesrc=c=pink:a=0.5:r=16000:s=1",
    "anoisesrc=c=brown:a=0.1:r=16000:s=1",
    "aevalsrc=0.05*sin(2*PI*50*t)+0.02*sin(2*PI*150*t)+0.001*(random(0)*2-1):s=16000",
    "aevalsrc=0.6*exp(-20*mod(t\\,0.5))*sin(2*PI*60*t)+0.1*exp(-60*mod(t+0.25\\,0.5))*(random(0)*2-1):s=16000",
    "aevalsrc=0.15*(sin(2*PI*220*t)+sin(2*PI*277*t)+sin(2*PI*330*t)):s=16000",
];
/// Notes with overtones that begin and fade: the generated sound that is most like a voice.
const MELODY: &str = "aevalsrc=0.2*exp(-3*mod(t\\,0.4))*(sin(2*PI*220*pow(2\\,floor(mod(t*2.5\\,8))/12)*t)\
    +0.5*sin(4*PI*220*pow(2\\,floor(mod(t*2.5\\,8))/12)*t)+0.3*sin(6*PI*220*pow(2\\,floor(mod(t*2.5\\,8))/12)*t)):s=16000";

#[test]
fn silence_and_noise_are_not_speech() {
    assert_eq!(detected(&[], 0.0).spans(), []);
    for filter in NO_SPEECH {
        assert_eq!(detected(&drawn(filter), 0.0).spans(), [], "{filter}");
    }
}

#[test]
fn invalid_samples_are_not_speech() {
    let broken = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, 0.0];
    let voice = detected(&broken.repeat(4000), 0.0);
    assert!(voice.probabilities.iter().all(|probability| (0.0..=1.0).contains(probability)));
    let silent = detected(&vec![f32::NAN; 5 * RATE], 0.0);
    assert_eq!(silent.spans(), []);
}

/// The spans for given probabilities, each repeated so many times.
fn spans_of(probabilities: &[(f32, usize)]) -> Vec<(f64, f64)> {
    let probabilities = probabilities.iter().flat_map(|&(probability, count)| vec![probability; count]).collect();
    let voice = VoiceActivity { start: Timestamp::from_secs(5.0), window: 0.016, thresholds: EARSHOT, probabilities };
    voice.spans().iter().map(|span| (span.start().secs(), span.end().secs())).collect()
}

#[test]
fn speech_starts_above_one_threshold_and_extends_to_another() {
    let close = |spans: Vec<(f64, f64)>, expected: &[(f64, f64)]| {
        assert_eq!(spans.len(), expected.len(), "{spans:?}");
        for ((start, end), (from, to)) in spans.iter().zip(expected) {
            assert!((start - from).abs() < 1e-6 && (end - to).abs() < 1e-6, "{spans:?}");
        }
    };
    // One window is subtracted for the latency.
    close(spans_of(&[(0.1, 100), (0.6, 10), (0.9, 10), (0.5, 10), (0.1, 50)]), &[(6.584, 7.064)]);
    // The high threshold is never reached.
    close(spans_of(&[(0.1, 100), (0.84, 500), (0.1, 50)]), &[]);
    // A breath belongs to the span, a pause does not. A span may extend to the end.
    close(spans_of(&[(0.9, 101), (0.1, 10), (0.9, 90), (0.1, 20), (0.9, 20)]), &[(5.0, 8.2), (8.52, 8.84)]);
    // A click.
    close(spans_of(&[(0.1, 50), (0.95, 5), (0.1, 50)]), &[]);
}

proptest! {
    #[test]
    fn the_result_does_not_depend_on_the_pieces(
        samples in prop::collection::vec(-1.0..1.0_f32, 0..4000), piece in 1..700usize, start in 0.0..100.0_f64,
    ) {
        let whole = detected(&samples, start);
        let mut detector = EarshotStream::new(Timestamp::from_secs(start));
        samples.chunks(piece).for_each(|piece| detector.push(piece));
        let voice = detector.finish();
        prop_assert_eq!(&voice.probabilities, &whole.probabilities);
        prop_assert_eq!(voice.probabilities.len(), samples.len().div_ceil(WINDOW));
    }

    #[test]
    fn spans_are_in_order_separate_and_inside_the_sound(
        probabilities in prop::collection::vec(0.0..1.0_f32, 0..600), start in 0.0..100.0_f64, silero in any::<bool>(),
    ) {
        let (window, thresholds) = if silero { (0.032, SILERO) } else { (0.016, EARSHOT) };
        let end = Timestamp::from_secs(start).plus(probabilities.len() as f64 * window);
        let voice = VoiceActivity { start: Timestamp::from_secs(start), window, thresholds, probabilities };
        let spans = voice.spans();
        prop_assert!(spans.windows(2).all(|pair| pair[1].start().since(pair[0].end()).secs() >= MIN_GAP));
        for span in spans {
            prop_assert!(span.start() >= voice.start && span.end() <= end && span.duration().as_secs_f64() >= MIN_DURATION);
        }
    }
}

fn the_model() -> PathBuf {
    testdata().join("models/silero-vad/silero_vad.onnx")
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn the_network_is_opened_once_and_keeps_no_state_of_another_recording() {
    let path = the_model();
    let silero = Silero::shared(&path).unwrap();
    assert!(std::sync::Arc::ptr_eq(&silero, &Silero::shared(&path).unwrap()));
    // The recording's first words are spoken after six seconds.
    let (speech, noise) = (recording("speech/pyannote_sample_2spk.wav").split_off(7 * RATE), drawn(NO_SPEECH[3]));
    let alone = |samples: &[f32]| {
        let mut stream = SileroStream::new(silero.clone(), Timestamp::ZERO);
        stream.push(samples).unwrap();
        stream.finish().unwrap().probabilities
    };
    let [mut one, mut other] = [SileroStream::new(silero.clone(), Timestamp::ZERO), SileroStream::new(silero.clone(), Timestamp::ZERO)];
    for (a, b) in speech.chunks(700).zip(noise.chunks(700)) {
        one.push(a).unwrap();
        other.push(b).unwrap();
    }
    let detected = one.finish().unwrap().probabilities;
    assert_eq!(detected, alone(&speech[..speech.len().min(noise.len().div_ceil(700) * 700)]));
    assert!(detected.iter().any(|probability| *probability > 0.5) && other.finish().unwrap().probabilities == alone(&noise));
}

fn recording(name: &str) -> Vec<f32> {
    sound(&["-i", testdata().join("media").join(name).to_str().unwrap()])
}

/// The spans of both networks.
fn by_both(samples: &[f32]) -> [Vec<Span>; 2] {
    let mut silero = SileroStream::new(Silero::shared(&the_model()).unwrap(), Timestamp::ZERO);
    // In pieces that are no multiple of a window.
    samples.chunks(801).for_each(|piece| silero.push(piece).unwrap());
    [detected(samples, 0.0).spans(), silero.finish().unwrap().spans()]
}

/// The annotated speech of a recording in an RTTM `file`, in seconds.
fn marked(file: &str, recording: &str) -> Vec<(f64, f64)> {
    let text = std::fs::read_to_string(testdata().join("annotations/diarization").join(file)).unwrap();
    let lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>()).filter(|fields| fields[1] == recording);
    let times = lines.map(|fields| [3, 4].map(|n| fields[n].parse::<f64>().unwrap()));
    times.map(|[start, length]| (start, start + length)).collect()
}

/// The share of annotated speech that was missed, and the share of the rest that was taken for
/// speech, in per cent.
fn missed_and_false(spans: &[Span], marked: &[(f64, f64)], seconds: f64) -> (f64, f64) {
    let (mut missed, mut speech, mut wrong, mut rest) = (0, 0, 0, 0);
    for n in 0..(seconds * 100.0) as usize {
        let at = n as f64 / 100.0;
        let found = spans.iter().any(|span| span.contains(Timestamp::from_secs(at)));
        if marked.iter().any(|&(start, end)| (start..end).contains(&at)) {
            speech += 1;
            missed += usize::from(!found);
        } else {
            rest += 1;
            wrong += usize::from(found);
        }
    }
    let percent = |part: usize, of: usize| 100.0 * part as f64 / of.max(1) as f64;
    (percent(missed, speech), percent(wrong, rest))
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn annotated_speech_is_detected() {
    // The meeting's annotations include speech that is hardly audible. Both networks miss about a
    // third.
    let files = [
        ("speech/pyannote_sample_2spk.wav", "pyannote_sample_2spk.rttm", "sample", [(4.0, 4.0), (4.0, 4.0)]),
        ("speech/pyannote_dev00_ami.wav", "debug.development.rttm", "dev00", [(50.0, 15.0), (40.0, 5.0)]),
    ];
    for (name, marks, label, limits) in files {
        let samples = recording(name);
        let (marks, seconds) = (marked(marks, label), samples.len() as f64 / RATE as f64);
        for (spans, limit) in by_both(&samples).iter().zip(limits) {
            let (missed, wrong) = missed_and_false(spans, &marks, seconds);
            println!("{name}: missed {missed:.1} %, false {wrong:.1} %");
            assert!(missed <= limit.0 && wrong <= limit.1, "{name}: {missed:.1} % and {wrong:.1} %");
        }
    }
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn speech_starts_and_ends_within_a_tenth_of_a_second() {
    // The alignment of the GRID corpus: 25 000 units per second, silence before "set" and after
    // "soon".
    let text = std::fs::read_to_string(testdata().join("annotations/grid/id2_vcd_swwp2s.align")).unwrap();
    let times: Vec<f64> = text.lines().map(|line| line.split(' ').next().unwrap().parse::<f64>().unwrap() / 25_000.0).collect();
    let (start, end) = (times[1], *times.last().unwrap());
    for spans in by_both(&recording("grid/id2_vcd_swwp2s.mpg")) {
        let (first, last) = (spans.first().unwrap().start().secs(), spans.last().unwrap().end().secs());
        println!("{first:.3} to {last:.3}, marked {start:.3} to {end:.3}");
        assert!((first - start).abs() < 0.1 && (last - end).abs() < 0.1, "{spans:?}");
    }
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn silero_does_not_take_music_for_speech() {
    let part = |spans: &[Span], samples: &[f32]| {
        let voiced = spans.iter().fold(0.0, |sum, span| sum + span.duration().as_secs_f64());
        100.0 * voiced * RATE as f64 / samples.len() as f64
    };
    let recorded = ["moviepy/chaplin.mp4", "moviepy/big_buck_bunny_432_433.webm", "faces/liveportrait_driving_d14.mp4"];
    // One short note of the melody may be taken for speech.
    let sounds = recorded.iter().map(|name| (*name, recording(name), 2.0)).chain([("melody", drawn(MELODY), 4.0)]);
    for (name, samples, most) in sounds {
        let [earshot, silero] = by_both(&samples).map(|spans| part(&spans, &samples));
        println!("{name}: Earshot takes {earshot:.0} % for speech, Silero {silero:.0} %");
        assert!(silero <= most, "{name}: {silero} %");
    }
    for filter in NO_SPEECH {
        let [_, silero] = by_both(&drawn(filter));
        assert_eq!(silero, [], "{filter}");
    }
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn another_model_is_refused_with_advice() {
    let path: &Path = &testdata().join("models/ultraface/version-RFB-320.onnx");
    let error = Silero::open(path).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("silero_vad.onnx"), "{error}");
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn detection_ends_when_the_run_is_cancelled() {
    let cx = Context::new();
    cx.cancel();
    assert!(detect_voice(&cx, Timestamp::ZERO, &vec![0.0; RATE]).unwrap_err().is_cancelled());
}
