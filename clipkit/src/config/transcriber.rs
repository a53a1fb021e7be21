use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::or_a_cache;
use crate::error::Result;
use crate::layer::{LayerConfig, WithLayers};
use crate::transcribe::{AutoTranscriber, AutoTranscriberOptions, Captions, LazySpeechModel, OpenAiTranscriber, SpeechModel, Transcriber};

/// The kinds of transcribers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TranscriberConfig {
    /// Captions next to the video or inside it, else the API if a key or a server is configured,
    /// else a local speech model if one is found, else an error that lists these ways. If the API
    /// fails, the local model may be the fallback: [`Degrade`](crate::Degrade).
    Auto(AutoTranscriberOptions),
    /// An existing transcript: [`Captions`].
    Captions(Captions),
    /// A Whisper-style API: [`OpenAiTranscriber`].
    Openai(OpenAiTranscriber),
    /// A local speech model: [`LocalTranscriber`](crate::stage::LocalTranscriber).
    Local(SpeechModel),
}

impl Default for TranscriberConfig {
    fn default() -> Self {
        TranscriberConfig::Auto(AutoTranscriberOptions::default())
    }
}

impl TranscriberConfig {
    /// Builds the transcriber inside these layers. `None` means a cache around an API or a model,
    /// and no layers around captions.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Transcriber>> {
        match self {
            TranscriberConfig::Auto(AutoTranscriberOptions { captions, openai, model }) => {
                let api = api(openai, layers)?;
                let model = SpeechModel::new(model.clone(), openai.language.clone());
                let local = local(&model, layers)?;
                Ok(Arc::new(AutoTranscriber { captions: captions.clone(), server: openai.server.clone(), api, local }))
            }
            TranscriberConfig::Captions(captions) => {
                let captions: Arc<dyn Transcriber> = Arc::new(captions.clone());
                captions.with_layers(layers.unwrap_or_default())
            }
            TranscriberConfig::Openai(transcriber) => api(transcriber, layers),
            TranscriberConfig::Local(model) => Ok(Arc::new(local(model, layers)?)),
        }
    }
}

fn api(transcriber: &OpenAiTranscriber, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Transcriber>> {
    transcriber.server.layers.iter().try_for_each(LayerConfig::check_around_requests)?;
    let transcriber: Arc<dyn Transcriber> = Arc::new(transcriber.clone());
    transcriber.with_layers(&or_a_cache(layers))
}

fn local(model: &SpeechModel, layers: Option<&[LayerConfig]>) -> Result<LazySpeechModel> {
    let layers = or_a_cache(layers);
    layers.iter().try_for_each(LayerConfig::check)?;
    let wrap = move |transcriber: Arc<dyn Transcriber>| transcriber.with_layers(&layers);
    Ok(LazySpeechModel::new(model.clone(), Arc::new(wrap)))
}
