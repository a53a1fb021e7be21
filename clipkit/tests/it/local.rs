//! The local transcriber with generated speech models. The first recognises two tones as the
//! letters A and B, and a third as the space; the second recognises three tones as word pieces.

use std::path::Path;

use clipkit::model::Media;
use clipkit::stage::{FileSource, LocalTranscriber, Source, Transcriber};
use clipkit::{Context, ErrorKind};

use crate::onnx::{FLOAT, INT32, INT64, Message, floats, integer, integers, longs, node, value, write};
use crate::support::ffmpeg;

/// The sample rate, and the tones of the columns: A, B and the space.
const RATE: f64 = 16_000.0;
const TONES: [f64; 3] = [500.0, 1000.0, 2000.0];
/// As in wav2vec 2.0: one row every 20 ms, each from 25 ms of audio.
const WINDOW: usize = 400;
const STRIDE: i64 = 320;
/// The minimum power of a recognised tone.
const BLANK: f32 = 3000.0;

/// The sine and cosine of each tone, as convolution kernels.
fn tones() -> Message {
    let wave = |n: usize, tone: f64, phase: f64| ((n as f64 / RATE * tone + phase) * std::f64::consts::TAU).sin() as f32;
    let kernels =
        TONES.iter().flat_map(|tone| [0.0, 0.25].into_iter().flat_map(move |phase| (0..WINDOW).map(move |n| wave(n, *tone, phase))));
    floats("tones", &[6, 1, WINDOW as i64], kernels)
}

/// Adds the power of sine and cosine of each tone, for the columns from `first` on.
fn sums(columns: usize, first: usize) -> Message {
    let one = |row: usize, column: usize| if row >= first && column / 2 == row - first { 1.0f32 } else { 0.0 };
    floats("sums", &[columns as i64, 6, 1], (0..columns).flat_map(|row| (0..6).map(move |column| one(row, column))))
}

/// Convolves the audio with the sine and cosine of each tone, squares and adds both, and compares
/// with the blank.
pub(crate) fn write_ctc_model(folder: &Path) {
    write(
        &folder.join("model.onnx"),
        vec![
            node("Unsqueeze", &["input_values", "axis"], "wave", vec![]),
            node("Conv", &["wave", "tones"], "heard", vec![integers("strides", &[STRIDE])]),
            node("Mul", &["heard", "heard"], "power", vec![]),
            node("Conv", &["power", "sums", "bias"], "columns", vec![]),
            node("Transpose", &["columns"], "logits", vec![integers("perm", &[0, 2, 1])]),
        ],
        vec![longs("axis", &[1]), tones(), sums(4, 1), floats("bias", &[4], [BLANK, 0.0, 0.0, 0.0])],
        vec![value("input_values", FLOAT, &[0, 0])],
        vec![value("logits", FLOAT, &[0, 0, 0])],
    );
    std::fs::write(folder.join("vocab.json"), r#"{"<pad>": 0, "A": 1, "B": 2, "|": 3}"#).unwrap();
}

/// A transducer in the format of NeMo's export: features every 10 ms, frames of eight features, and
/// a decoder that does not repeat a piece and emits nothing after four pieces, which its state
/// counts.
fn write_transducer(folder: &Path) {
    write(
        &folder.join("nemo128.onnx"),
        vec![
            node("Unsqueeze", &["waveforms", "axis"], "wave", vec![]),
            node("Conv", &["wave", "tones"], "heard", vec![integers("strides", &[160])]),
            node("Mul", &["heard", "heard"], "power", vec![]),
            node("Conv", &["power", "sums"], "features", vec![]),
            node("Shape", &["features"], "shape", vec![]),
            node("Gather", &["shape", "last"], "features_lens", vec![]),
        ],
        vec![longs("axis", &[1]), longs("last", &[2]), tones(), sums(3, 0)],
        vec![value("waveforms", FLOAT, &[0, 0]), value("waveforms_lens", INT64, &[0])],
        vec![value("features", FLOAT, &[0, 3, 0]), value("features_lens", INT64, &[0])],
    );
    write(
        &folder.join("encoder-model.onnx"),
        vec![
            node(
                "AveragePool",
                &["audio_signal"],
                "outputs",
                vec![integers("kernel_shape", &[8]), integers("strides", &[8]), integer("ceil_mode", 1)],
            ),
            node("Shape", &["outputs"], "shape", vec![]),
            node("Gather", &["shape", "last"], "encoded_lengths", vec![]),
        ],
        vec![longs("last", &[2])],
        vec![value("audio_signal", FLOAT, &[0, 3, 0]), value("length", INT64, &[0])],
        vec![value("outputs", FLOAT, &[0, 3, 0]), value("encoded_lengths", INT64, &[0])],
    );
    const NEVER: f32 = 1e9;
    let columns = |one: fn(usize, usize) -> f32, rows: usize| (0..rows).flat_map(move |row| (0..4).map(move |column| one(row, column)));
    write(
        &folder.join("decoder_joint-model.onnx"),
        vec![
            node("Transpose", &["encoder_outputs"], "frame", vec![integers("perm", &[0, 2, 1])]),
            node("MatMul", &["frame", "pieces"], "heard", vec![]),
            node("Add", &["heard", "blank"], "scores", vec![]),
            node("Gather", &["repeated", "targets"], "again", vec![]),
            node("Sub", &["scores", "again"], "new", vec![]),
            node("Sub", &["input_states_1", "most"], "over", vec![]),
            node("Relu", &["over"], "tired", vec![]),
            node("MatMul", &["tired", "silence"], "silenced", vec![]),
            node("Add", &["new", "silenced"], "tokens", vec![]),
            node("Concat", &["tokens", "durations"], "all", vec![integer("axis", 2)]),
            node("Unsqueeze", &["all", "axis"], "outputs", vec![]),
            node("Add", &["input_states_1", "one"], "output_states_1", vec![]),
            node("Identity", &["input_states_2"], "output_states_2", vec![]),
        ],
        vec![
            longs("axis", &[1]),
            floats("pieces", &[3, 4], columns(|row, column| if row == column { 1.0 } else { 0.0 }, 3)),
            floats("blank", &[4], [0.0, 0.0, 0.0, BLANK]),
            floats("repeated", &[4, 4], columns(|row, column| if row == column && row < 3 { NEVER } else { 0.0 }, 4)),
            floats("most", &[1], [3.0]),
            floats("silence", &[2, 4], columns(|row, column| if row == 0 && column == 3 { NEVER } else { 0.0 }, 2)),
            floats("durations", &[1, 1, 5], [0.0, 1.0, 0.0, 0.0, 0.0]),
            floats("one", &[1], [1.0]),
        ],
        vec![
            value("encoder_outputs", FLOAT, &[0, 3, 0]),
            value("targets", INT32, &[0, 0]),
            value("target_length", INT32, &[0]),
            value("input_states_1", FLOAT, &[1, 0, 2]),
            value("input_states_2", FLOAT, &[1, 0, 2]),
        ],
        vec![
            value("outputs", FLOAT, &[0, 0, 0, 9]),
            value("output_states_1", FLOAT, &[1, 0, 2]),
            value("output_states_2", FLOAT, &[1, 0, 2]),
        ],
    );
    std::fs::write(folder.join("vocab.txt"), "\u{2581}go 0\n\u{2581}the 1\nre 2\n<blk> 3\n").unwrap();
}

/// A video with tones in the given intervals, in seconds.
async fn tones_in(folder: &Path, said: &[(u32, f64, f64)]) -> Media {
    let sound: Vec<String> = said.iter().map(|(tone, from, to)| format!("sin({tone}*2*PI*t)*between(t,{from},{to})")).collect();
    let file = folder.join("talk.mp4");
    ffmpeg(&format!(
        "-f lavfi -i color=blue:s=64x64:r=5:d=40 -f lavfi -i aevalsrc='{}':s=48000:d=40 -c:v libx264 -c:a aac -b:a 192k {}",
        sound.join("+"),
        file.display()
    ));
    FileSource::new().fetch(&Context::new(), &file.to_string_lossy()).await.unwrap()
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"] // And the ONNX Runtime, which comes with it.
async fn a_local_model_hears_words_and_when() {
    let folder = tempfile::tempdir().unwrap();
    write_ctc_model(folder.path());
    // "ab" at 0.5 s, the tone of the space, "ba" at 1.4 s; then "b" at 31 s, in another segment.
    let said =
        [(500, 0.5, 0.7), (1000, 0.8, 1.0), (2000, 1.1, 1.3), (1000, 1.4, 1.6), (500, 1.7, 1.9), (2000, 2.0, 2.2), (1000, 31.0, 31.2)];
    let media = tones_in(folder.path(), &said).await;
    let transcript = LocalTranscriber::load(folder.path()).unwrap().transcribe(&Context::new(), &media).await.unwrap();
    let heard: Vec<&str> = transcript.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(heard, ["ab", "ba", "b"], "{transcript:?}");
    for (word, (start, end)) in transcript.words.iter().zip([(0.5, 1.0), (1.4, 1.9), (31.0, 31.2)]) {
        assert!((word.start.secs() - start).abs() < 0.05 && (word.end.secs() - end).abs() < 0.05, "{word:?}");
    }
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"] // And the ONNX Runtime, which comes with it.
async fn a_transducer_hears_pieces_of_words_and_forgets_between_stretches() {
    let folder = tempfile::tempdir().unwrap();
    write_transducer(folder.path());
    // "the" "re", "go", "the", and a fifth piece that the model does not emit; then "go" "re" in
    // another segment.
    let said = [
        (1000, 0.48, 0.72),
        (2000, 0.8, 1.04),
        (500, 2.0, 2.24),
        (1000, 3.2, 3.52),
        (500, 4.0, 4.24),
        (500, 31.04, 31.28),
        (2000, 31.36, 31.6),
    ];
    let media = tones_in(folder.path(), &said).await;
    let transcript = LocalTranscriber::load(folder.path()).unwrap().transcribe(&Context::new(), &media).await.unwrap();
    let heard: Vec<&str> = transcript.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(heard, ["there", "go", "the", "gore"], "{transcript:?}");
    for (word, start) in transcript.words.iter().zip([0.48, 2.0, 3.2, 31.04]) {
        assert!((word.start.secs() - start).abs() <= 0.1, "{word:?}");
    }
}

#[test]
fn a_folder_without_a_speech_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |says: &str| {
        let error = LocalTranscriber::load(folder.path()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        error.kind()
    };
    assert_eq!(refused("neither encoder-model.onnx nor model.onnx"), ErrorKind::InvalidInput);
    std::fs::write(folder.path().join("model.onnx"), "not a model").unwrap();
    assert_eq!(refused("vocab.json"), ErrorKind::NotFound);
    std::fs::write(folder.path().join("vocab.json"), r#"{"a": 1}"#).unwrap();
    assert_eq!(refused("not a CTC vocabulary"), ErrorKind::InvalidInput);
    std::fs::write(folder.path().join("encoder-model.onnx"), "not a model").unwrap();
    assert_eq!(refused("vocab.txt"), ErrorKind::NotFound);
    std::fs::write(folder.path().join("vocab.txt"), "a 0\n").unwrap();
    assert_eq!(refused("has no blank token"), ErrorKind::InvalidInput);
    std::fs::write(folder.path().join("vocab.txt"), "<blk> 0\n").unwrap();
    assert_eq!(refused("nemo128.onnx"), ErrorKind::InvalidInput);
}
