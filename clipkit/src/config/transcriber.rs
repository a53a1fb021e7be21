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
use crate::transcribe::{Captions, LocalTranscriber, OpenAiTranscriber, Transcriber};
use crate::weights::{Weights, WeightsStore};

/// How words and their times are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TranscriberConfig {
    /// Captions beside the video or inside it; else the API, where a key or a server is set; else a speech model on this machine, where one
    /// is found, which also steps in, with a warning, where the API fails; else an error that lists the ways.
    Auto {
        /// How the API is asked, if it comes to that.
        #[serde(default)]
        openai: OpenAiTranscriber,
        /// The local model's folder; none is `speech` in the folder of `CLIPKIT_MODELS`, else in the cache, else
        /// [`Weights::DEFAULT_SPEECH`] where it was downloaded.
        #[serde(default)]
        model: Option<PathBuf>,
    },
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
        /// The model's folder, or the name of a known one, which is downloaded if it is missing. None is the folder that `auto` would take, else
        /// [`Weights::DEFAULT_SPEECH`].
        #[serde(default)]
        model: Option<PathBuf>,
        /// The language that is spoken, as ISO 639-1 (`en`), for what comes after: such models find it out or know but one, and do not say it.
        #[serde(default)]
        language: Option<String>,
    },
}

impl Default for TranscriberConfig {
    fn default() -> Self {
        TranscriberConfig::Auto { openai: OpenAiTranscriber::default(), model: None }
    }
}

impl TranscriberConfig {
    /// The transcriber inside these layers; none stands for a cache around an API or a model, and for no layer around captions.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Transcriber>> {
        let captions = |captions: Captions| -> Arc<dyn Transcriber> { Arc::new(captions) };
        match self {
            TranscriberConfig::Auto { openai, model } => Ok(Arc::new(AutoTranscriber {
                has_api: openai.server.is_configured(),
                api: api(openai, layers)?,
                local: Local::new(model.clone(), openai.language.clone(), layers)?,
            })),
            TranscriberConfig::Captions { file: None } => captions(Captions::auto()).with_layers(layers.unwrap_or_default()),
            TranscriberConfig::Captions { file: Some(file) } => captions(Captions::file(file)).with_layers(layers.unwrap_or_default()),
            TranscriberConfig::Openai(transcriber) => api(transcriber, layers),
            TranscriberConfig::Local { model, language } => Ok(Arc::new(Local::new(model.clone(), language.clone(), layers)?)),
        }
    }
}

fn api(transcriber: &OpenAiTranscriber, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Transcriber>> {
    transcriber.server.layers.iter().try_for_each(LayerConfig::check_around_requests)?;
    let transcriber: Arc<dyn Transcriber> = Arc::new(transcriber.clone());
    transcriber.with_layers(&or_a_cache(layers))
}

/// Captions where there are some. That there are none is no failure, so what comes next takes over without a warning.
struct AutoTranscriber {
    has_api: bool,
    api: Arc<dyn Transcriber>,
    local: Local,
}

#[async_trait]
impl Transcriber for AutoTranscriber {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        match Captions::auto().transcribe(cx, media).await {
            Err(error) if error.kind() == ErrorKind::NoTranscript => {}
            answer => return answer,
        }
        if !self.has_api && !self.local.is_here() {
            return Err(no_way(media));
        }
        if !self.has_api {
            return self.local.transcribe(cx, media).await;
        }
        match self.api.transcribe(cx, media).await {
            Err(error) if !error.is_cancelled() && error.kind() != ErrorKind::NoTranscript && self.local.is_here() => {
                cx.warn(format!("{error}; going on with the speech model on this machine"));
                self.local.transcribe(cx, media).await
            }
            answer => answer,
        }
    }
}

/// What can be done about a video without a transcript.
fn no_way(media: &Media) -> Error {
    let stem = media.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    // As long as it is fit for a line of advice.
    let stem = stem.filter(|stem| stem.chars().count() <= 60 && !stem.contains(char::is_control)).unwrap_or_else(|| "talk".into());
    let captions = format!("give its captions (--transcript FILE, or {stem}.srt or {stem}.vtt beside it)");
    // There is no source yet that brings a platform's captions along.
    let platform = format!("save those of the platform it comes from (yt-dlp --write-auto-subs makes {stem}.en.vtt)");
    let api = "set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own";
    let local = format!("get a speech model (clipkit models fetch {}, or a folder with --transcriber-model)", Weights::DEFAULT_SPEECH);
    Error::new(ErrorKind::NoTranscript, "nothing says what is spoken in this video, and there is nothing to transcribe it with")
        .with_path(&media.path)
        .with_advice(format!("four ways: {captions}; {platform}; {api}; {local}"))
}

/// A local model, found when it is first needed.
struct Local {
    model: Option<PathBuf>,
    language: Option<String>,
    layers: Vec<LayerConfig>,
    found: OnceCell<Arc<dyn Transcriber>>,
}

impl Local {
    fn new(model: Option<PathBuf>, language: Option<String>, layers: Option<&[LayerConfig]>) -> Result<Self> {
        let layers = or_a_cache(layers);
        layers.iter().try_for_each(LayerConfig::check)?;
        Ok(Local { model, language, layers, found: OnceCell::new() })
    }

    /// Whether a model was named, or is found on this machine.
    fn is_here(&self) -> bool {
        self.model.is_some() || WeightsStore::new().find_speech().is_some()
    }

    async fn find(&self, cx: &Context) -> Result<Arc<dyn Transcriber>> {
        let store = WeightsStore::new();
        let folder = match (&self.model, store.find_speech()) {
            (None, Some(found)) => found,
            (named, _) => {
                let named = named.as_deref().map_or(Weights::DEFAULT_SPEECH.into(), |path| path.to_string_lossy());
                store.resolve(cx, &named).await?
            }
        };
        let language = self.language.clone();
        let unopened = cx
            .blocking(move |_| {
                let fingerprint = LocalTranscriber::fingerprint_of(&folder)?;
                Ok(Arc::new(Unopened { folder, language, fingerprint }) as Arc<dyn Transcriber>)
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
    language: Option<String>,
    fingerprint: String,
}

#[async_trait]
impl Transcriber for Unopened {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let folder = self.folder.clone();
        let model = cx.blocking(move |_| LocalTranscriber::load(folder)).await?;
        let transcript = model.transcribe(cx, media).await?;
        Ok(Transcript { language: transcript.language.or_else(|| self.language.clone()), ..transcript })
    }

    fn fingerprint(&self) -> Option<String> {
        Some(format!("{} {:?}", self.fingerprint, self.language))
    }
}
