//! The local transcriber, on a speech model that this test writes: it hears two tones as the letters A and B, and a third as the space.

use std::path::Path;

use clipkit::{Context, ErrorKind, FileSource, LocalTranscriber, Source, Transcriber};

use crate::support::ffmpeg;

/// Samples a second, and the columns' tones: A, B and the space.
const RATE: f64 = 16_000.0;
const TONES: [f64; 3] = [500.0, 1000.0, 2000.0];
/// As wav2vec 2.0: a row every 20 ms, each from 25 ms of sound.
const WINDOW: usize = 400;
const STRIDE: i64 = 320;
/// What a tone must reach to be heard at all.
const BLANK: f32 = 3000.0;

/// Protocol buffers, as far as an ONNX file needs them (onnx.proto3).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value as u64);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u64, message: Message) -> Self {
        self.bytes(field, &message.0)
    }
}

fn node(kind: &str, inputs: &[&str], output: &str, attributes: Vec<Message>) -> Message {
    let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input)).text(2, output).text(4, kind);
    attributes.into_iter().fold(node, |node, attribute| node.message(5, attribute))
}

fn integers(name: &str, values: &[i64]) -> Message {
    values.iter().fold(Message::default().text(1, name), |attribute, value| attribute.int(8, *value)).int(20, 7)
}

fn tensor(name: &str, shape: &[i64], kind: i64, raw: Vec<u8>) -> Message {
    shape.iter().fold(Message::default(), |tensor, side| tensor.int(1, *side)).int(2, kind).text(8, name).bytes(9, &raw)
}

fn floats(name: &str, shape: &[i64], values: impl IntoIterator<Item = f32>) -> Message {
    tensor(name, shape, 1, values.into_iter().flat_map(f32::to_le_bytes).collect())
}

/// A value of floats whose sides are not fixed.
fn value(name: &str, sides: usize) -> Message {
    let side = |n: usize| Message::default().text(2, &format!("side{n}"));
    let shape = (0..sides).fold(Message::default(), |shape, n| shape.message(1, side(n)));
    let kind = Message::default().message(1, Message::default().int(1, 1).message(2, shape));
    Message::default().text(1, name).message(2, kind)
}

/// Correlates the sound with each tone's sine and cosine, squares, adds the two, and compares with the blank.
fn write_model(folder: &Path) {
    let wave = |n: usize, tone: f64, phase: f64| ((n as f64 / RATE * tone + phase) * std::f64::consts::TAU).sin() as f32;
    let kernels =
        TONES.iter().flat_map(|tone| [0.0, 0.25].into_iter().flat_map(move |phase| (0..WINDOW).map(move |n| wave(n, *tone, phase))));
    let sums = (0..4).flat_map(|row: usize| (0..6).map(move |column: usize| if row > 0 && column / 2 == row - 1 { 1.0f32 } else { 0.0 }));
    let graph = [
        node("Unsqueeze", &["input_values", "axis"], "wave", vec![]),
        node("Conv", &["wave", "tones"], "heard", vec![integers("strides", &[STRIDE])]),
        node("Mul", &["heard", "heard"], "power", vec![]),
        node("Conv", &["power", "sums", "bias"], "columns", vec![]),
        node("Transpose", &["columns"], "logits", vec![integers("perm", &[0, 2, 1])]),
    ]
    .into_iter()
    .fold(Message::default(), |graph, node| graph.message(1, node))
    .text(2, "tones")
    .message(5, tensor("axis", &[1], 7, 1i64.to_le_bytes().to_vec()))
    .message(5, floats("tones", &[6, 1, WINDOW as i64], kernels))
    .message(5, floats("sums", &[4, 6, 1], sums))
    .message(5, floats("bias", &[4], [BLANK, 0.0, 0.0, 0.0]))
    .message(11, value("input_values", 2))
    .message(12, value("logits", 3));
    let model = Message::default().int(1, 8).message(7, graph).message(8, Message::default().text(1, "").int(2, 13));
    std::fs::write(folder.join("model.onnx"), model.0).unwrap();
    std::fs::write(folder.join("vocab.json"), r#"{"<pad>": 0, "A": 1, "B": 2, "|": 3}"#).unwrap();
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"] // And the ONNX Runtime, which comes with it.
async fn a_local_model_hears_words_and_when() {
    let folder = tempfile::tempdir().unwrap();
    write_model(folder.path());
    // "ab" at 0.5 s, the space's tone, "ba" at 1.4 s; then "b" at 31 s, in another stretch.
    let said =
        [(500, 0.5, 0.7), (1000, 0.8, 1.0), (2000, 1.1, 1.3), (1000, 1.4, 1.6), (500, 1.7, 1.9), (2000, 2.0, 2.2), (1000, 31.0, 31.2)];
    let sound = said.map(|(tone, from, to)| format!("sin({tone}*2*PI*t)*between(t,{from},{to})")).join("+");
    let file = folder.path().join("talk.mp4");
    ffmpeg(&format!(
        "-f lavfi -i color=blue:s=64x64:r=5:d=40 -f lavfi -i aevalsrc='{sound}':s=48000:d=40 -c:v libx264 -c:a aac -b:a 192k {}",
        file.display()
    ));
    let media = FileSource::new().fetch(&Context::new(), &file.to_string_lossy()).await.unwrap();
    let transcript = LocalTranscriber::load(folder.path()).unwrap().transcribe(&Context::new(), &media).await.unwrap();
    let heard: Vec<&str> = transcript.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(heard, ["ab", "ba", "b"], "{transcript:?}");
    for (word, (start, end)) in transcript.words.iter().zip([(0.5, 1.0), (1.4, 1.9), (31.0, 31.2)]) {
        assert!((word.start.secs() - start).abs() < 0.05 && (word.end.secs() - end).abs() < 0.05, "{word:?}");
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
    assert_eq!(refused("model.onnx"), ErrorKind::InvalidInput);
    std::fs::write(folder.path().join("model.onnx"), "not a model").unwrap();
    assert_eq!(refused("vocab.json"), ErrorKind::NotFound);
    std::fs::write(folder.path().join("vocab.json"), r#"{"a": 1}"#).unwrap();
    assert_eq!(refused("not a CTC vocabulary"), ErrorKind::InvalidInput);
}
