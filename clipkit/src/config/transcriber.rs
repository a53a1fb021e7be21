use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::or_a_cache;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::layer::{LayerConfig, WithLayers};
use crate::model::{Media, Transcript};
use crate::models::ModelStore;
use crate::openai::OpenAiServer;
use crate::transcribe::{Captions, LocalTranscriber, OpenAiTranscriber, Transcriber};

/// How words and their times are found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TranscriberConfig {
    /// Captions beside the video or inside it; else the API, where a key or a server is set; else a speech model on this machine, where one
    /// is found; else an error that says what to do.
    #[default]
    Auto,
    /// A transcript that exists already: [`Captions`].
    Captions {
        /// The transcript; none looks beside the video and inside it.
        #[serde(default)]
        file: Option<PathBuf>,
    },
    /// A Whisper-style API: [`OpenAiTranscriber`].
    Openai(OpenAiTranscriber),
    /// A speech model on this machine: [`LocalTranscriber`].
    Local {
        /// The model's folder; none is `speech` in the folder of `CLIPKIT_MODELS`, else in the cache.
        #[serde(default)]
        model: Option<PathBuf>,
    },
}

impl TranscriberConfig {
    /// The transcriber inside these layers; none stands for a cache around an API or a model, and for no layer around captions.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Transcriber>> {
        let captions = |captions: Captions| -> Arc<dyn Transcriber> { Arc::new(captions) };
        match self {
            TranscriberConfig::Auto => {
                Ok(Arc::new(AutoTranscriber { api: openai(&OpenAiTranscriber::default(), layers)?, local: Local::new(None, layers)? }))
            }
            TranscriberConfig::Captions { file: None } => captions(Captions::auto()).with_layers(layers.unwrap_or_default()),
            TranscriberConfig::Captions { file: Some(file) } => captions(Captions::file(file)).with_layers(layers.unwrap_or_default()),
            TranscriberConfig::Openai(transcriber) => openai(transcriber, layers),
            TranscriberConfig::Local { model } => Ok(Arc::new(Local::new(model.clone(), layers)?)),
        }
    }
}

fn openai(transcriber: &OpenAiTranscriber, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Transcriber>> {
    let transcriber: Arc<dyn Transcriber> = Arc::new(transcriber.clone());
    transcriber.with_layers(&or_a_cache(layers))
}

/// Captions where there are some. That there are none is no failure, so what comes next takes over without a warning.
struct AutoTranscriber {
    api: Arc<dyn Transcriber>,
    local: Local,
}

#[async_trait]
impl Transcriber for AutoTranscriber {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let none = match Captions::auto().transcribe(cx, media).await {
            Err(error) if error.kind() == ErrorKind::NoTranscript => error,
            answer => return answer,
        };
        if OpenAiServer::default().is_configured() {
            self.api.transcribe(cx, media).await
        } else if ModelStore::new().find_speech().is_some() {
            self.local.transcribe(cx, media).await
        } else {
            Err(none)
        }
    }
}

/// A local model, found when it is first needed.
struct Local {
    model: Option<PathBuf>,
    layers: Vec<LayerConfig>,
    found: OnceCell<Arc<dyn Transcriber>>,
}

impl Local {
    fn new(model: Option<PathBuf>, layers: Option<&[LayerConfig]>) -> Result<Self> {
        let layers = or_a_cache(layers);
        layers.iter().try_for_each(LayerConfig::check)?;
        Ok(Local { model, layers, found: OnceCell::new() })
    }

    async fn find(&self, cx: &Context) -> Result<Arc<dyn Transcriber>> {
        let folder = self.model.clone().or_else(|| ModelStore::new().find_speech()).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "there is no speech model on this machine")
                .with_advice("give a model's folder, or put one into CLIPKIT_MODELS as speech/ (model.onnx, vocab.json)")
        })?;
        let unopened = cx
            .blocking(move |_| {
                let fingerprint = LocalTranscriber::fingerprint_of(&folder)?;
                Ok(Arc::new(Unopened { folder, fingerprint }) as Arc<dyn Transcriber>)
            })
            .await?;
        unopened.with_layers(&self.layers)
    }
}

#[async_trait]
impl Transcriber for Local {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        self.found.get_or_try_init(|| self.find(cx)).await?.transcribe(cx, media).await
    }
}

/// A local model that is opened when it has something to hear: what was heard before needs none of its hundreds of megabytes.
struct Unopened {
    folder: PathBuf,
    fingerprint: String,
}

#[async_trait]
impl Transcriber for Unopened {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let folder = self.folder.clone();
        let model = cx.blocking(move |_| LocalTranscriber::load(folder)).await?;
        model.transcribe(cx, media).await
    }

    fn fingerprint(&self) -> Option<String> {
        Some(self.fingerprint.clone())
    }
}
