use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::{Captions, LocalTranscriber, OpenAiTranscriber, Transcriber};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Transcript, WarningKind};
use crate::openai::OpenAiServer;
use crate::weights::{Weights, WeightsStore};

/// The options of [`TranscriberConfig::Auto`](crate::config::TranscriberConfig).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AutoTranscriberOptions {
    /// How captions beside the video and inside it are read.
    #[serde(skip_serializing_if = "Captions::is_default")]
    pub captions: Captions,
    /// The transcriber for a Whisper-style API.
    pub openai: OpenAiTranscriber,
    /// The folder of the local model. Default: `speech` in the folder of `CLIPKIT_MODELS`, else in
    /// the cache folder, else [`Weights::DEFAULT_SPEECH`] if it is on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<PathBuf>,
}

/// The speech model of a [`LocalTranscriber`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SpeechModel {
    /// The model's folder, or the id of known weights, which are downloaded if they are missing.
    /// Default: the folder that `auto` uses, else [`Weights::DEFAULT_SPEECH`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<PathBuf>,
    /// The spoken language as ISO 639-1 (`en`), for models that do not return it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl SpeechModel {
    /// A model by its folder or id. `None` means the default.
    pub fn new(model: Option<PathBuf>, language: Option<String>) -> Self {
        SpeechModel { model, language }
    }

    /// Opens the model, which is downloaded if it is a known one and missing.
    ///
    /// # Errors
    ///
    /// Those of [`WeightsStore::resolve`] and [`LocalTranscriber::load`].
    pub async fn load(&self, cx: &Context) -> Result<LocalTranscriber> {
        let (folder, language) = (self.folder(cx).await?, self.language.clone());
        cx.blocking(move |_| Ok(LocalTranscriber::load(folder)?.with_language(language))).await
    }

    /// The model's folder on this machine.
    async fn folder(&self, cx: &Context) -> Result<PathBuf> {
        let store = WeightsStore::from_environment(cx.environment());
        match (&self.model, store.find_speech()) {
            (None, Some(found)) => Ok(found),
            (named, _) => {
                let named = named.as_deref().map_or(Weights::DEFAULT_SPEECH.into(), |path| path.to_string_lossy());
                store.resolve(cx, &named).await
            }
        }
    }
}

/// Puts layers around a transcriber.
pub(crate) type Wrap = Arc<dyn Fn(Arc<dyn Transcriber>) -> Result<Arc<dyn Transcriber>> + Send + Sync>;

/// Uses captions if there are any, else the API if it is configured, else a local model if one is
/// found. Otherwise the error lists these ways. The context's environment decides whether the API
/// is configured.
pub(crate) struct AutoTranscriber {
    pub(crate) captions: Captions,
    /// The server of `api`.
    pub(crate) server: OpenAiServer,
    pub(crate) api: Arc<dyn Transcriber>,
    pub(crate) local: LazySpeechModel,
}

#[async_trait]
impl Transcriber for AutoTranscriber {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        match self.captions.transcribe(cx, media).await {
            // Most videos have no captions, so this leaves no warning.
            Err(error) if error.kind() == ErrorKind::NoTranscript => {}
            answer => return answer,
        }
        if !self.server.is_configured_in(cx.environment()) {
            return if self.local.is_here(cx) { self.local.transcribe(cx, media).await } else { Err(no_way(media)) };
        }
        match self.api.transcribe(cx, media).await {
            Err(error)
                if cx.may_stand_in() && !error.is_cancelled() && error.kind() != ErrorKind::NoTranscript && self.local.is_here(cx) =>
            {
                cx.warn_of(WarningKind::StandIn, format!("{error}; the speech model on this machine transcribes"));
                self.local.transcribe(cx, media).await
            }
            answer => answer,
        }
    }

    fn reads_captions(&self) -> bool {
        self.captions.reads_captions()
    }
}

/// The error for a video without captions where nothing can transcribe. Its advice lists the ways.
fn no_way(media: &Media) -> Error {
    let stem = media.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    // Uses the stem only if it fits into a line of advice.
    let stem = stem.filter(|stem| stem.chars().count() <= 60 && !stem.contains(char::is_control)).unwrap_or_else(|| "talk".into());
    let captions = format!("give its captions (--transcript FILE, or {stem}.srt or {stem}.vtt beside it)");
    let platform = format!("save those of the platform it comes from (yt-dlp --write-auto-subs makes {stem}.en.vtt)");
    let api = "set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own";
    let local = format!("get a speech model (clipkit models fetch {}, or a folder with --transcriber-model)", Weights::DEFAULT_SPEECH);
    Error::new(ErrorKind::NoTranscript, "there is no transcript of this video, and nothing to make one with")
        .with_path(&media.path)
        .with_advice(format!("four ways: {captions}; {platform}; {api}; {local}"))
}

/// A local model that is searched for when it is first needed.
pub(crate) struct LazySpeechModel {
    model: SpeechModel,
    wrap: Wrap,
    found: OnceCell<Arc<dyn Transcriber>>,
}

impl LazySpeechModel {
    pub(crate) fn new(model: SpeechModel, wrap: Wrap) -> Self {
        LazySpeechModel { model, wrap, found: OnceCell::new() }
    }

    /// Whether a model was given, or is found on this machine.
    fn is_here(&self, cx: &Context) -> bool {
        self.model.model.is_some() || WeightsStore::from_environment(cx.environment()).find_speech().is_some()
    }

    async fn find(&self, cx: &Context) -> Result<Arc<dyn Transcriber>> {
        let folder = self.model.folder(cx).await?;
        let language = self.model.language.clone();
        let unopened = cx.blocking(move |_| {
            let fingerprint = LocalTranscriber::fingerprint_of(&folder)?;
            Ok(Arc::new(Unopened { folder, language, fingerprint }) as Arc<dyn Transcriber>)
        });
        (self.wrap)(unopened.await?)
    }
}

#[async_trait]
impl Transcriber for LazySpeechModel {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        self.found.get_or_try_init(|| self.find(cx)).await?.transcribe(cx, media).await
    }
}

/// A local model that is opened on its first use. If the transcript is cached, its hundreds of
/// megabytes are never loaded.
struct Unopened {
    folder: PathBuf,
    language: Option<String>,
    fingerprint: String,
}

#[async_trait]
impl Transcriber for Unopened {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let (folder, language) = (self.folder.clone(), self.language.clone());
        let model = cx.blocking(move |_| Ok(LocalTranscriber::load(folder)?.with_language(language))).await?;
        model.transcribe(cx, media).await
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        Some(format!("{} {}", self.fingerprint, self.language.as_deref().unwrap_or("-")))
    }
}
