//! Speech models on this machine.

mod alphabet;
mod letters;
mod pieces;
mod transducer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::Transcriber;
use super::chunks::{Cutting, chunks, stitch};
use super::listen::hear;
use super::words::repair;
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Span, Timestamp, Transcript, Word};
use crate::onnx::{self, RuntimeOptions};

use letters::Letters;
use pieces::Pieces;

/// Attention grows with the square of the length, and people breathe within twenty seconds.
const STRETCHES: Cutting = Cutting { length: 20.0, search: 5.0, overlap: 1.0 };

/// Transcribes on this machine, by a speech model in ONNX. The folder says which kind it is:
///
/// - **Parakeet TDT** and other NeMo transducers, as the project *onnx-asr* and its models on Hugging Face lay them out: `encoder-model.onnx`,
///   `decoder_joint-model.onnx`, `nemo128.onnx` (or `nemo80.onnx`) and `vocab.txt`; 8-bit files (`encoder-model.int8.onnx` ...) serve
///   where the full ones are missing. They give punctuation, capitals and the time of every word: the best there is for captions.
/// - **wav2vec 2.0, HuBERT, WavLM or MMS** with a CTC head, as Hugging Face Optimum exports them: `model.onnx` (`input_values`, `logits`)
///   and `vocab.json`. They give exact word times but no punctuation and no capitals, so clips begin and end at pauses.
///
/// Parakeet TDT 0.6B v3 can be had by [`WeightsStore::fetch`](crate::weights::WeightsStore::fetch) ([`Model::DEFAULT_SPEECH`](crate::Model::DEFAULT_SPEECH));
/// for another, give its folder. Both kinds are tested with models made for the tests, whose inputs and outputs are the same; with published
/// weights nothing was verified: not how well they hear, nor how fast. Stretches without a voice are not looked at.
#[derive(Clone, Debug)]
pub struct LocalTranscriber {
    model: Arc<Mutex<Model>>,
    folder: PathBuf,
    fingerprint: String,
}

#[derive(Debug)]
enum Model {
    Letters(Letters),
    Pieces(Pieces),
}

impl LocalTranscriber {
    /// Opens the model in `folder`. `ErrorKind::Unavailable` where there is no ONNX Runtime on this machine.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        let files = Files::find(folder.as_ref())?;
        let options = RuntimeOptions { library: None, threads: 0 };
        let model = match files.kind {
            Kind::Letters => Model::Letters(Letters::load(&files, &options)?),
            Kind::Pieces => Model::Pieces(Pieces::load(&files, &options)?),
        };
        let fingerprint = LocalTranscriber::fingerprint_of(&files.folder)?;
        Ok(LocalTranscriber { model: Arc::new(Mutex::new(model)), folder: files.folder, fingerprint })
    }

    /// What the model in `folder` would say of itself, without opening it: the networks and the vocabulary decide what is heard.
    pub(crate) fn fingerprint_of(folder: &Path) -> Result<String> {
        let Files { model, vocabulary, features, joint, .. } = Files::find(folder)?;
        let files: Vec<PathBuf> = [Some(model), Some(vocabulary), features, joint].into_iter().flatten().collect();
        Ok(format!("local 1 {}", onnx::fingerprint(&files)?))
    }

    fn hear(&self, cx: &Context, samples: Vec<f32>) -> Result<Vec<Word>> {
        match &mut *self.model.lock().unwrap_or_else(PoisonError::into_inner) {
            Model::Letters(model) => model.hear(samples, &self.folder),
            Model::Pieces(model) => model.hear(cx, samples, &self.folder),
        }
    }
}

enum Kind {
    Letters,
    Pieces,
}

/// A model's files.
struct Files {
    kind: Kind,
    folder: PathBuf,
    /// The network, or the first of several that is large.
    model: PathBuf,
    vocabulary: PathBuf,
    features: Option<PathBuf>,
    joint: Option<PathBuf>,
}

impl Files {
    fn find(folder: &Path) -> Result<Files> {
        let first = |names: &[&str]| names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        let files = |kind, model, vocabulary: &str| Files {
            kind,
            folder: folder.to_owned(),
            model,
            vocabulary: folder.join(vocabulary),
            features: None,
            joint: None,
        };
        if let Some(model) = first(&["encoder-model.onnx", "encoder-model.int8.onnx"]) {
            return Ok(Files {
                features: first(&["nemo128.onnx", "nemo80.onnx"]),
                joint: first(&["decoder_joint-model.onnx", "decoder_joint-model.int8.onnx"]),
                ..files(Kind::Pieces, model, "vocab.txt")
            });
        }
        match first(&["model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx"]) {
            Some(model) => Ok(files(Kind::Letters, model, "vocab.json")),
            None => Err(unusable(folder, "there is neither encoder-model.onnx nor model.onnx in this folder")),
        }
    }

    fn read_vocabulary(&self) -> Result<String> {
        std::fs::read_to_string(&self.vocabulary).map_err(|error| Error::io(&self.vocabulary, "read the model's vocabulary", error))
    }

    fn unusable(&self, what: impl Into<String>) -> Error {
        unusable(&self.folder, what)
    }
}

fn unusable(folder: &Path, what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, what).with_path(folder).with_advice(
        "give the folder of a speech model in ONNX: Parakeet (encoder-model.onnx, decoder_joint-model.onnx, nemo128.onnx, vocab.txt) or \
         CTC (model.onnx, vocab.json)",
    )
}

fn failed(folder: &Path, error: &ort::Error) -> Error {
    Error::new(ErrorKind::Contract, format!("the speech model failed: {error}")).with_path(folder)
}

#[async_trait]
impl Transcriber for LocalTranscriber {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let (this, media) = (self.clone(), media.clone());
        cx.blocking(move |cx| {
            let heard = hear(cx, &media)?;
            let chunks = chunks(&heard.restlessness(), Span::between(Timestamp::ZERO, media.duration), &STRETCHES);
            let mut answers = Vec::new();
            for (n, chunk) in chunks.iter().enumerate() {
                cx.check()?;
                let mut words = Vec::new();
                if heard.is_worth_hearing(chunk.sent) {
                    let samples = av::speech_samples(cx, &media, chunk.sent)?;
                    // Less than a frame or two holds no word, and models refuse it.
                    if samples.len() > av::SPEECH_RATE as usize / 10 {
                        words = this.hear(cx, samples)?;
                    }
                }
                answers.push((*chunk, words));
                cx.progress((n + 1) as f64 / chunks.len() as f64);
            }
            let name = this.folder.file_name().map_or_else(|| "a local model".into(), |name| name.to_string_lossy().into_owned());
            let words = repair(heard.trim(cx, stitch(answers)), media.duration)?;
            Ok(Transcript { language: None, origin: name, words })
        })
        .await
    }

    fn fingerprint(&self) -> Option<String> {
        Some(self.fingerprint.clone())
    }
}
