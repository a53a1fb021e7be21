use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ort::session::Session;
use ort::value::Tensor;

use super::Transcriber;
use super::chunks::{Chunk, Cutting, chunks, place};
use super::ctc::Alphabet;
use super::words::repair;
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Transcript, Word};
use crate::onnx::{self, RuntimeOptions};

/// Attention grows with the square of the length, and people breathe within twenty seconds.
const STRETCHES: Cutting = Cutting { length: 20.0, search: 5.0, overlap: 1.0 };
/// Where exports put the model, best first.
const FILES: [&str; 4] = ["model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx"];
const VOCABULARY: &str = "vocab.json";

/// Transcribes on this machine, by a speech model in ONNX that hears letters: wav2vec 2.0, HuBERT, WavLM or MMS with a CTC head, as Hugging
/// Face Optimum exports them (`model.onnx` with `input_values` and `logits`, and `vocab.json`).
///
/// No model comes with clipkit or is downloaded: give the folder of one for your language. Such models give exact word times but no
/// punctuation and no capitals, so clips begin and end at pauses. Tested with models made for the tests, whose inputs and outputs are the same;
/// how well a published model hears was not measured.
#[derive(Clone, Debug)]
pub struct LocalTranscriber {
    model: Arc<Model>,
}

#[derive(Debug)]
struct Model {
    session: Mutex<Session>,
    input: String,
    alphabet: Alphabet,
    folder: PathBuf,
}

impl LocalTranscriber {
    /// Opens the model in `folder`. `ErrorKind::Unavailable` where there is no ONNX Runtime on this machine.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let refuse = |what: String| unusable(folder, what);
        let [file, vocabulary] = LocalTranscriber::files(folder)?;
        let text = std::fs::read_to_string(&vocabulary).map_err(|error| Error::io(&vocabulary, "read the model's letters", error))?;
        let alphabet = Alphabet::from_json(&text).map_err(|what| refuse(format!("{VOCABULARY} is not a CTC vocabulary: {what}")))?;
        let session = onnx::open(&file, &RuntimeOptions { library: None, threads: 0 })?;
        let [input] = session.inputs() else { return Err(refuse("the model takes more than a waveform".into())) };
        let input = input.name().to_owned();
        Ok(LocalTranscriber { model: Arc::new(Model { session: Mutex::new(session), input, alphabet, folder: folder.to_owned() }) })
    }

    /// The files that decide what is heard: the model and its vocabulary.
    pub(crate) fn files(folder: &Path) -> Result<[PathBuf; 2]> {
        let model = FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        let model = model.ok_or_else(|| unusable(folder, format!("there is no {} in this folder", FILES[0])))?;
        Ok([model, folder.join(VOCABULARY)])
    }
}

fn unusable(folder: &Path, what: String) -> Error {
    Error::new(ErrorKind::InvalidInput, what)
        .with_path(folder)
        .with_advice("give the folder of a CTC speech model in ONNX: model.onnx and vocab.json")
}

impl Model {
    /// The words of one stretch, timed from its start.
    fn hear(&self, samples: Vec<f32>) -> Result<Vec<Word>> {
        let seconds = samples.len() as f64 / f64::from(av::SPEECH_RATE);
        let failed =
            |error: ort::Error| Error::new(ErrorKind::Contract, format!("the speech model failed: {error}")).with_path(&self.folder);
        let count = samples.len();
        let tensor = Tensor::from_array(([1, count], normalised(samples))).map_err(failed)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs![self.input.as_str() => tensor]).map_err(failed)?;
        let unfit =
            |what: &str| Error::new(ErrorKind::InvalidInput, format!("this is not a CTC speech model: {what}")).with_path(&self.folder);
        let output = outputs.values().next().ok_or_else(|| unfit("it has no output"))?;
        let (shape, scores) = output.try_extract_tensor::<f32>().map_err(failed)?;
        match shape[..] {
            [1, rows, columns] if usize::try_from(columns) == Ok(self.alphabet.len()) && rows > 0 => {
                Ok(self.alphabet.words(scores, seconds / rows as f64))
            }
            _ => Err(unfit(&format!("its output has the shape {shape:?}, its vocabulary {} letters", self.alphabet.len()))),
        }
    }
}

/// Mean 0 and variance 1, as these models were trained.
fn normalised(mut samples: Vec<f32>) -> Vec<f32> {
    let count = samples.len().max(1) as f64;
    let mean = samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / count;
    let variance = samples.iter().map(|sample| (f64::from(*sample) - mean).powi(2)).sum::<f64>() / count;
    let scale = 1.0 / (variance + 1e-7).sqrt();
    samples.iter_mut().for_each(|sample| *sample = ((f64::from(*sample) - mean) * scale) as f32);
    samples
}

#[async_trait]
impl Transcriber for LocalTranscriber {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let (model, media) = (self.model.clone(), media.clone());
        cx.blocking(move |cx| {
            let levels = av::speech_levels(cx, &media)?;
            let chunks: Vec<Chunk> = chunks(&levels, media.duration, &STRETCHES);
            let mut words = Vec::new();
            for (n, chunk) in chunks.iter().enumerate() {
                cx.check()?;
                let samples = av::speech_samples(cx, &media, chunk.sent)?;
                // Less than a frame or two holds no word, and models refuse it.
                if samples.len() > av::SPEECH_RATE as usize / 10 {
                    words.extend(place(*chunk, n + 1 == chunks.len(), model.hear(samples)?));
                }
                cx.progress((n + 1) as f64 / chunks.len() as f64);
            }
            let name = model.folder.file_name().map_or_else(|| "a local model".into(), |name| name.to_string_lossy().into_owned());
            Ok(Transcript { language: None, origin: name, words: repair(words, media.duration)? })
        })
        .await
    }
}
