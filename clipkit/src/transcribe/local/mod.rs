//! Transcription on this machine, with ONNX speech models.

mod ctc;
mod ctc_decoder;
mod transducer;
mod transducer_decoder;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::Transcriber;
use super::chunks::{ChunkOptions, chunks, merge};
use super::speech_activity::detect_speech;
use super::words::repair;
use crate::av;
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Span, Timestamp, Transcript, Word};
use crate::onnx::{self, RuntimeOptions};

use ctc::CtcModel;
use transducer::TransducerModel;

/// The cost of attention grows with the square of the length, and speech has a pause within 20
/// seconds.
const CHUNKS: ChunkOptions = ChunkOptions { length: 20.0, search: 5.0, overlap: 1.0 };

/// Transcribes on this machine with a speech model in ONNX. The files in its folder decide the
/// kind:
///
/// - **Parakeet TDT** and other NeMo transducers, in the layout of the project *onnx-asr* and its
///   models on Hugging Face: `encoder-model.onnx`, `decoder_joint-model.onnx`, `nemo128.onnx` (or
///   `nemo80.onnx`) and `vocab.txt`. 8-bit files (`encoder-model.int8.onnx` ...) are used if the
///   full ones are missing. These models return punctuation, capitals and word times, so they suit
///   captions best.
/// - **wav2vec 2.0, HuBERT, WavLM or MMS** with a CTC head, as Hugging Face Optimum exports them:
///   `model.onnx` (`input_values`, `logits`) and `vocab.json`. These models return exact word
///   times, but neither punctuation nor capitals, so clips start and end at pauses.
///
/// [`WeightsStore::fetch`](crate::weights::WeightsStore::fetch) downloads Parakeet TDT 0.6B v3
/// ([`Weights::DEFAULT_SPEECH`](crate::weights::Weights::DEFAULT_SPEECH)). The tests use small
/// models with the same inputs and outputs; accuracy and speed with published weights are not
/// verified. Audio without speech is skipped.
#[derive(Clone, Debug)]
pub struct LocalTranscriber {
    model: Arc<Mutex<Model>>,
    folder: PathBuf,
    fingerprint: String,
    language: Option<String>,
}

#[derive(Debug)]
enum Model {
    Ctc(CtcModel),
    Transducer(TransducerModel),
}

impl LocalTranscriber {
    /// Opens the model in `folder`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if there is no ONNX Runtime on this machine,
    /// [`ErrorKind::InvalidInput`] if the folder holds no speech model of a known kind.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        let files = Files::find(folder.as_ref())?;
        let options = RuntimeOptions { library: None, threads: 0 };
        let model = match files.kind {
            Kind::Ctc => Model::Ctc(CtcModel::load(&files, &options)?),
            Kind::Transducer => Model::Transducer(TransducerModel::load(&files, &options)?),
        };
        let fingerprint = LocalTranscriber::fingerprint_of(&files.folder)?;
        Ok(LocalTranscriber { model: Arc::new(Mutex::new(model)), folder: files.folder, fingerprint, language: None })
    }

    /// Sets the spoken language as ISO 639-1 (`en`), which these models do not return. It becomes
    /// the transcript's language.
    #[must_use]
    pub fn with_language(mut self, language: Option<String>) -> Self {
        self.language = language;
        self
    }

    /// The fingerprint of the model in `folder`, without opening it. Networks and vocabulary decide
    /// it.
    pub(crate) fn fingerprint_of(folder: &Path) -> Result<String> {
        let Files { model, vocabulary, features, joint, .. } = Files::find(folder)?;
        let files: Vec<PathBuf> = [Some(model), Some(vocabulary), features, joint].into_iter().flatten().collect();
        Ok(format!("local 1 {}", onnx::fingerprint(&files)?))
    }

    fn recognize(&self, cx: &Context, samples: Vec<f32>) -> Result<Vec<Word>> {
        match &mut *self.model.lock().unwrap_or_else(PoisonError::into_inner) {
            Model::Ctc(model) => model.recognize(samples, &self.folder),
            Model::Transducer(model) => model.recognize(cx, samples, &self.folder),
        }
    }
}

enum Kind {
    Ctc,
    Transducer,
}

/// A model's files.
struct Files {
    kind: Kind,
    folder: PathBuf,
    /// The network, or the encoder of several networks.
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
                ..files(Kind::Transducer, model, "vocab.txt")
            });
        }
        match first(&["model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx"]) {
            Some(model) => Ok(files(Kind::Ctc, model, "vocab.json")),
            None => Err(unusable(folder, "this folder contains neither encoder-model.onnx nor model.onnx")),
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
        let activity = detect_speech(cx, media).await?;
        let (this, media) = (self.clone(), media.clone());
        cx.blocking(move |cx| {
            let chunks = chunks(&activity.cut_costs(), Span::between(Timestamp::ZERO, media.duration), &CHUNKS);
            let mut recognized = Vec::new();
            for (n, chunk) in chunks.iter().enumerate() {
                cx.check()?;
                let mut words = Vec::new();
                if activity.may_contain_speech(chunk.sent) {
                    let samples = av::speech_samples(cx, &media, chunk.sent)?;
                    // Models reject less than a few frames; a tenth of a second holds no word.
                    if samples.len() > av::SPEECH_RATE as usize / 10 {
                        words = this.recognize(cx, samples)?;
                    }
                }
                recognized.push((*chunk, words));
                cx.progress((n + 1) as f64 / chunks.len() as f64);
            }
            let name = this.folder.file_name().map_or_else(|| "a local model".into(), |name| name.to_string_lossy().into_owned());
            let words = repair(activity.trim(cx, merge(recognized)), media.duration, cx.limits())?;
            Ok(Transcript { language: this.language, origin: name, words, ..Transcript::default() })
        })
        .await
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        Some(format!("{} {}", self.fingerprint, self.language.as_deref().unwrap_or("-")))
    }
}
