//! A whole pipeline as one JSON document, for the command line and the bindings.

mod any_stage;
mod schema;
mod scorer;
mod tracker;
mod transcriber;

pub use any_stage::AnyStage;
pub use schema::json_schemas;
pub use scorer::ScorerConfig;
pub use tracker::TrackerConfig;
pub use transcriber::TranscriberConfig;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
#[cfg(doc)]
use crate::layer::StageExt;
use crate::layer::{Cache, LayerConfig, Retry, WithLayers};
use crate::model::Stage;
use crate::pipeline::{ClipOptions, Pipeline, PipelineBuilder};
use crate::publish::{Folder, Instagram, ObjectStorePublisher, Publisher, TikTok, Webhook, YouTube};
use crate::render::{FfmpegRenderer, Renderer};
use crate::source::{AutoSource, FileSource, HttpSource, ObjectStoreSource, Source, YtDlp};

/// The stages of a pipeline and their options. Every field has a default; unknown fields are
/// rejected.
///
/// ```
/// let config = clipkit::PipelineConfig::from_json(r#"{
///     "tracker": {"kind": "center"},
///     "publishers": [{"kind": "folder", "path": "clips"}],
///     "options": {"clips": 4, "min": 20, "captions": "pop"}
/// }"#)?;
/// # assert_eq!(config.options.clips, 4);
/// # Ok::<(), clipkit::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PipelineConfig {
    /// The source. Default: `auto`.
    pub source: SourceConfig,
    /// The transcriber. Default: `auto`.
    pub transcriber: TranscriberConfig,
    /// The scorer. Default: `auto`.
    pub scorer: ScorerConfig,
    /// The tracker. Default: `auto`.
    pub tracker: TrackerConfig,
    /// The renderer. Default: `ffmpeg`.
    pub renderer: RendererConfig,
    /// The publishers. Every clip goes to each of them. Default: the folder `clips`.
    pub publishers: Vec<PublisherConfig>,
    /// The layers around each stage, innermost first: `{"transcribe": [{"retry": {}}, {"cache":
    /// {}}]}`. The order matters, see [`StageExt`]. Default: a cache in the user's cache folder for
    /// stages that use a model or an API, a retry for publishers to servers, and no layers for
    /// others. A list replaces the default, so `{"track": []}` tracks every span again.
    ///
    /// Layers also apply to stages that are set in a builder. The fallback of a stage
    /// ([`ClipOptions::degrade`]) is outside its layers and is not cached. Layers around the single
    /// requests to a server, by default a retry, are in
    /// [`OpenAiServer::layers`](crate::stage::OpenAiServer::layers).
    pub layers: BTreeMap<Stage, Vec<LayerConfig>>,
    /// The cache for speech maps (the spans in which somebody speaks in a medium). Default: the
    /// user's cache folder. `null` means memory only.
    pub speech_cache: Option<Cache>,
    /// Which clips are made, and how many.
    pub options: ClipOptions,
}

/// The kinds of sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SourceConfig {
    /// Files, objects, URLs of media files, and pages that yt-dlp knows, by the form of the
    /// address: [`AutoSource`].
    Auto(Box<AutoSource>),
    /// Files on this machine: [`FileSource`].
    File(FileSource),
    /// Media files on HTTP servers: [`HttpSource`].
    Http(HttpSource),
    /// Media in object stores: [`ObjectStoreSource`].
    ObjectStore(ObjectStoreSource),
    /// Videos on the platforms that yt-dlp knows: [`YtDlp`].
    #[serde(rename = "ytdlp")]
    YtDlp(YtDlp),
}

impl Default for SourceConfig {
    fn default() -> Self {
        SourceConfig::Auto(Box::default())
    }
}

/// The kinds of renderers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RendererConfig {
    /// The FFmpeg libraries: [`FfmpegRenderer`]. If it has no size, [`ClipOptions::aspect`] decides
    /// the size.
    Ffmpeg(FfmpegRenderer),
}

impl Default for RendererConfig {
    fn default() -> Self {
        RendererConfig::Ffmpeg(FfmpegRenderer::default())
    }
}

/// The kinds of publishers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PublisherConfig {
    /// A folder on this machine: [`Folder`].
    Folder(Folder),
    /// An object store: [`ObjectStorePublisher`].
    ObjectStore(ObjectStorePublisher),
    /// A server of the user's own: [`Webhook`].
    Webhook(Webhook),
    /// A channel on YouTube: [`YouTube`].
    #[serde(rename = "youtube")]
    YouTube(YouTube),
    /// An account on TikTok: [`TikTok`].
    #[serde(rename = "tiktok")]
    TikTok(TikTok),
    /// An account on Instagram: [`Instagram`].
    Instagram(Instagram),
}

impl Default for PublisherConfig {
    fn default() -> Self {
        PublisherConfig::Folder(Folder::new("clips"))
    }
}

impl Default for PipelineConfig {
    fn default() -> Self {
        PipelineConfig {
            source: SourceConfig::default(),
            transcriber: TranscriberConfig::default(),
            scorer: ScorerConfig::default(),
            tracker: TrackerConfig::default(),
            renderer: RendererConfig::default(),
            publishers: vec![PublisherConfig::default()],
            layers: BTreeMap::new(),
            speech_cache: Some(Cache::of_the_user()),
            options: ClipOptions::default(),
        }
    }
}

impl PipelineConfig {
    /// Parses a document.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the text is not valid JSON or contains unknown fields or kinds.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|error| Error::new(ErrorKind::Config, format!("this is not a pipeline's configuration: {error}")))
    }
}

impl Pipeline {
    /// Builds the pipeline that a document describes. If the document asks for a model, it may be
    /// downloaded under `cx`.
    pub async fn from_config(cx: &Context, config: &PipelineConfig) -> Result<Pipeline> {
        Pipeline::builder().complete(cx, config).await
    }
}

impl PipelineBuilder {
    /// Builds the pipeline from the stages of this builder and, for those not set, from the
    /// document. Options and layers come from the document. If the document asks for a model, it
    /// may be downloaded under `cx`.
    pub async fn complete(mut self, cx: &Context, config: &PipelineConfig) -> Result<Pipeline> {
        if config.layers.contains_key(&Stage::Plan) {
            return Err(Error::new(ErrorKind::Config, "plans are made by no stage, so nothing goes around it")
                .with_advice("name source, transcribe, score, track, render or publish"));
        }
        let layers = |stage| config.layers.get(&stage).map(Vec::as_slice);
        // Layers named in the document apply to every stage. Default layers apply only to stages
        // from the document.
        macro_rules! complete {
            ($($field:ident, $stage:ident: $built:expr),* $(,)?) => {
                $(self.$field = Some(match self.$field.take() {
                    Some(given) => given.with_layers(layers(Stage::$stage).unwrap_or_default())?,
                    None => $built,
                });)*
            };
        }
        complete! {
            source, Source: config.source.build(layers(Stage::Source))?,
            transcriber, Transcribe: config.transcriber.build(layers(Stage::Transcribe))?,
            scorer, Score: config.scorer.build(layers(Stage::Score))?,
            tracker, Track: config.tracker.build(cx, layers(Stage::Track)).await?,
            renderer, Render: config.renderer.build(layers(Stage::Render))?,
        }
        let around = layers(Stage::Publish);
        self.publishers = if self.publishers.is_empty() {
            config.publishers.iter().map(|publisher| publisher.build(around)).collect::<Result<_>>()?
        } else {
            let given = std::mem::take(&mut self.publishers).into_iter();
            given.map(|publisher| publisher.with_layers(around.unwrap_or_default())).collect::<Result<_>>()?
        };
        self.speech_cache(config.speech_cache.clone()).options(config.options.clone()).build()
    }
}

impl SourceConfig {
    /// Builds the source inside these layers. `None` means no layers.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Source>> {
        let source: Arc<dyn Source> = match self {
            SourceConfig::Auto(source) => Arc::new((**source).clone()),
            SourceConfig::File(source) => Arc::new(*source),
            SourceConfig::Http(source) => Arc::new(source.clone()),
            SourceConfig::ObjectStore(source) => Arc::new(source.clone()),
            SourceConfig::YtDlp(source) => Arc::new(source.clone()),
        };
        source.with_layers(layers.unwrap_or_default())
    }
}

impl RendererConfig {
    /// Builds the renderer inside these layers. `None` means no layers.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Renderer>> {
        let renderer: Arc<dyn Renderer> = match self {
            RendererConfig::Ffmpeg(renderer) => Arc::new(*renderer),
        };
        renderer.with_layers(layers.unwrap_or_default())
    }
}

impl PublisherConfig {
    /// Builds the publisher inside these layers. `None` means a [`Retry`] for publishers to
    /// servers, and no layers for others.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Publisher>> {
        let retry = [LayerConfig::Retry(Retry::default())];
        let (publisher, usual): (Arc<dyn Publisher>, &[LayerConfig]) = match self {
            PublisherConfig::Folder(folder) => (Arc::new(folder.clone()), &[]),
            PublisherConfig::ObjectStore(store) => {
                store.check()?;
                (Arc::new(store.clone()), &[])
            }
            PublisherConfig::Webhook(webhook) => {
                webhook.check()?;
                (Arc::new(webhook.clone()), &retry)
            }
            PublisherConfig::YouTube(youtube) => {
                youtube.check()?;
                (Arc::new(youtube.clone()), &retry)
            }
            PublisherConfig::TikTok(tiktok) => {
                tiktok.check()?;
                (Arc::new(tiktok.clone()), &retry)
            }
            PublisherConfig::Instagram(instagram) => {
                instagram.check()?;
                (Arc::new(instagram.clone()), &retry)
            }
        };
        publisher.with_layers(layers.unwrap_or(usual))
    }
}

/// The layers, or by default a cache. For stages that are slow or cost money.
fn or_a_cache(layers: Option<&[LayerConfig]>) -> Vec<LayerConfig> {
    layers.map_or_else(|| vec![LayerConfig::Cache(Cache::of_the_user())], <[LayerConfig]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::OpenAiScorer;
    use crate::track::FaceModel;
    use crate::transcribe::Captions;

    #[test]
    fn a_document_reads_back_and_refuses_what_it_does_not_know() {
        let config = PipelineConfig {
            transcriber: TranscriberConfig::Captions(Captions::file("talk.vtt")),
            tracker: TrackerConfig::Onnx(FaceModel::default()),
            ..PipelineConfig::default()
        };
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(PipelineConfig::from_json(&text).unwrap(), config);
        assert_eq!(PipelineConfig::from_json("{}").unwrap(), PipelineConfig::default());
        let judged =
            PipelineConfig::from_json(r#"{"scorer": {"kind": "openai", "model": "m", "server": {"base_url": "http://[::1]/v1"}}}"#);
        assert!(matches!(judged.unwrap().scorer, ScorerConfig::Openai(OpenAiScorer { model, .. }) if model == "m"));
        let transcriber = |json: &str| PipelineConfig::from_json(&format!(r#"{{"transcriber": {json}}}"#)).unwrap().transcriber;
        assert_eq!(transcriber(r#"{"kind": "auto"}"#), TranscriberConfig::default());
        let hinted = transcriber(r#"{"kind": "auto", "openai": {"language": "de", "prompt": "Łódź"}}"#);
        assert!(matches!(hinted, TranscriberConfig::Auto(auto) if auto.openai.language.as_deref() == Some("de")));
        let cached = transcriber(r#"{"kind": "openai", "server": {"layers": [{"retry": {}}, {"cache": {}}]}}"#);
        assert!(cached.build(None).err().unwrap().to_string().contains("around the stage"));
        let error = PipelineConfig::from_json(r#"{"scorer": {"kind": "oracle"}}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("`heuristic`"), "{error}");
    }
}
