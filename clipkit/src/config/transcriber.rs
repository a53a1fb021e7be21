use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::or_a_cache;
use crate::error::Result;
use crate::layer::{LayerConfig, WithLayers};
use crate::transcribe::{AutoTranscriber, AutoTranscriberOptions, Captions, LazySpeechModel, OpenAiTranscriber, SpeechModel, Transcriber};

/// How words and their times are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TranscriberConfig {
    /// Captions beside the video or inside it; else the API, where a key or a server is set; else a
    /// speech model on this machine, where one is found; else an error that lists the ways. Where
    /// the API fails, the speech model may stand in: [`Degrade`](crate::Degrade).
    Auto(AutoTranscriberOptions),
    /// A transcript that exists already: [`Captions`].
    Captions(Captions),
    /// A Whisper-style API: [`OpenAiTranscriber`].
    Openai(OpenAiTranscriber),
    /// A speech model on this machine: [`LocalTranscriber`](crate::stage::LocalTranscriber).
    Local(SpeechModel),
}

impl Default for TranscriberConfig {
    fn default() -> Self {
        TranscriberConfig::Auto(AutoTranscriberOptions::default())
    }
}

impl TranscriberConfig {
    /// The transcriber inside these layers. `None` means a cache around an API or a model, and no
    /// layers around captions.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Transcriber>> {
        match self {
            TranscriberConfig::Auto(AutoTranscriberOptions { openai, model }) => {
                let api = api(openai, layers)?;
                let model = SpeechModel::new(model.clone(), openai.language.clone());
                let local = local(&model, layers)?;
                Ok(Arc::new(AutoTranscriber { server: openai.server.clone(), api, local }))
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
