//! A whole pipeline as one JSON document, the same for the command line and every language.

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
use crate::layer::{Cache, LayerConfig, WithLayers};
use crate::model::Stage;
use crate::pipeline::{ClipOptions, Pipeline, PipelineBuilder};
use crate::publish::{Folder, Publisher};
use crate::render::{FfmpegRenderer, Renderer};
use crate::source::{FileSource, Source};

/// Which stage does what, and what is asked of them. Everything has a default; unknown fields are refused.
///
/// ```
/// let config = clipkit::PipelineConfig::from_json(r#"{
///     "tracker": {"kind": "center"},
///     "publisher": {"kind": "folder", "path": "clips"},
///     "options": {"clips": 4, "min": 20, "captions": "pop"}
/// }"#)?;
/// # assert_eq!(config.options.clips, 4);
/// # Ok::<(), clipkit::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PipelineConfig {
    /// Where videos come from. Default `file`.
    pub source: SourceConfig,
    /// How words and their times are found. Default `auto`.
    pub transcriber: TranscriberConfig,
    /// How spans are chosen. Default `auto`.
    pub scorer: ScorerConfig,
    /// How faces and shots are found. Default `auto`.
    pub tracker: TrackerConfig,
    /// How plans become files. Default `ffmpeg`.
    pub renderer: RendererConfig,
    /// Where clips are published: every clip goes to each of them. Default: the folder `clips`.
    pub publishers: Vec<PublisherConfig>,
    /// What goes around each stage, the first of a list next to it: `{"transcribe": [{"retry": {}}, {"cache": {}}]}`. The order matters: see
    /// [`StageExt`]. By default, what a model or an API answers is cached in the user's cache folder, and nothing else has layers; a list takes
    /// the default's place, so `{"track": []}` looks at every span anew.
    ///
    /// They go around the stages that are given to a builder, too. What may stand in for a stage
    /// ([`ClipOptions::degrade`]) is outside its layers, and is not cached. What a server limits
    /// stands around its requests, by default a retry:
    /// [`OpenAiServer::layers`](crate::stage::OpenAiServer::layers).
    pub layers: BTreeMap<Stage, Vec<LayerConfig>>,
    /// Where speech maps (where somebody speaks in a medium) are kept. Default: the user's cache
    /// folder. `null`: in memory only.
    pub speech_cache: Option<Cache>,
    /// What clips are made, and how many.
    pub options: ClipOptions,
}

/// Where videos come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SourceConfig {
    /// Files on this machine: [`FileSource`].
    File(FileSource),
}

impl Default for SourceConfig {
    fn default() -> Self {
        SourceConfig::File(FileSource::default())
    }
}

/// How plans become files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RendererConfig {
    /// The FFmpeg libraries: [`FfmpegRenderer`]. Where it names no size, the size comes from
    /// [`ClipOptions::aspect`].
    Ffmpeg(FfmpegRenderer),
}

impl Default for RendererConfig {
    fn default() -> Self {
        RendererConfig::Ffmpeg(FfmpegRenderer::default())
    }
}

/// Where clips go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PublisherConfig {
    /// A folder on this machine: [`Folder`].
    Folder(Folder),
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
    /// Reads a document, refusing unknown fields and kinds.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|error| Error::new(ErrorKind::Config, format!("this is not a pipeline's configuration: {error}")))
    }
}

impl Pipeline {
    /// The pipeline that a document describes. Under `cx` a model may be downloaded, if the document asks for one.
    pub async fn from_config(cx: &Context, config: &PipelineConfig) -> Result<Pipeline> {
        Pipeline::builder().complete(cx, config).await
    }
}

impl PipelineBuilder {
    /// The pipeline of the stages that were given inside the document's layers, and for the others, and the options, of what a document describes. Under `cx` a
    /// model may be downloaded, if the document asks for one.
    pub async fn complete(mut self, cx: &Context, config: &PipelineConfig) -> Result<Pipeline> {
        if config.layers.contains_key(&Stage::Plan) {
            return Err(Error::new(ErrorKind::Config, "plans are made by no stage, so nothing goes around it")
                .with_advice("name source, transcribe, score, track, render or publish"));
        }
        let layers = |stage| config.layers.get(&stage).map(Vec::as_slice);
        // Layers that are named go around a stage wherever it comes from. A default layer goes
        // around the document's stages alone.
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
    /// The source inside these layers. `None` means no layers.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Source>> {
        let source: Arc<dyn Source> = match self {
            SourceConfig::File(source) => Arc::new(*source),
        };
        source.with_layers(layers.unwrap_or_default())
    }
}

impl RendererConfig {
    /// The renderer inside these layers. `None` means no layers.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Renderer>> {
        let renderer: Arc<dyn Renderer> = match self {
            RendererConfig::Ffmpeg(renderer) => Arc::new(*renderer),
        };
        renderer.with_layers(layers.unwrap_or_default())
    }
}

impl PublisherConfig {
    /// The publisher inside these layers. `None` means no layers.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Publisher>> {
        let publisher: Arc<dyn Publisher> = match self {
            PublisherConfig::Folder(folder) => Arc::new(folder.clone()),
        };
        publisher.with_layers(layers.unwrap_or_default())
    }
}

/// What goes around work that takes minutes or money, where nobody says otherwise.
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
