//! A whole pipeline as one JSON document, the same for the command line and every language.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::layer::{Cache, LayerConfig, StageExt, WithLayers};
use crate::model::{Media, Stage, Tracks, Transcript};
use crate::models::{Model, ModelStore};
use crate::openai::OpenAiServer;
use crate::pipeline::{ClipOptions, Pipeline, PipelineBuilder};
use crate::publish::{Folder, Publisher};
use crate::render::{FfmpegRenderer, Renderer};
use crate::score::{Heuristic, OpenAiScorer, Scorer};
use crate::source::{FileSource, Source};
use crate::track::{CenterTracker, FaceTracker, MotionTracker, OnnxTracker, Tracking};
use crate::transcribe::{Captions, LocalTranscriber, OpenAiTranscriber, Transcriber};

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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Where clips go. Default: the folder `clips`.
    pub publisher: PublisherConfig,
    /// What goes around each stage, the first of a list next to it: `{"transcribe": [{"retry": {}}, {"cache": {}}]}`. The order matters: see
    /// [`StageExt`]. By default, what a model or an API answers is cached in the user's cache folder, and nothing else has layers; a list takes
    /// the default's place, so `{"track": []}` looks at every span anew.
    ///
    /// What steps in for a stage stands outside its layers: captions before an API, the heuristic after one, the crop in the middle.
    pub layers: BTreeMap<Stage, Vec<LayerConfig>>,
    /// What clips are made, and how many.
    pub options: ClipOptions,
}

/// Where videos come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SourceConfig {
    /// Files on this machine: [`FileSource`].
    #[default]
    File,
}

/// How words and their times are found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// How spans are chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ScorerConfig {
    /// A language model where a key or a server is set, and the heuristic where it fails; else the heuristic.
    #[default]
    Auto,
    /// Rules over the words: [`Heuristic`].
    Heuristic,
    /// A language model behind an API, and the heuristic where it fails: [`OpenAiScorer`].
    Openai(OpenAiScorer),
}

/// How faces and shots are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TrackerConfig {
    /// A model as for `onnx`; where it or the library it needs cannot be had, a warning and what `motion` does.
    Auto {
        /// A model's name or the path of its file; none is the default face detector.
        #[serde(default)]
        model: Option<String>,
    },
    /// A model, downloaded if it is missing: [`OnnxTracker`]. That it cannot be had is an error.
    Onnx {
        /// A model's name or the path of its file; none is the default face detector.
        #[serde(default)]
        model: Option<String>,
    },
    /// What moves is followed, without any model: [`MotionTracker`], and the crop in the middle where it fails.
    Motion,
    /// No looking, and the crop in the middle: [`CenterTracker`].
    Center,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        TrackerConfig::Auto { model: None }
    }
}

/// How plans become files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RendererConfig {
    /// The FFmpeg libraries: [`FfmpegRenderer`]. The size comes from [`ClipOptions::aspect`].
    #[default]
    Ffmpeg,
}

/// Where clips go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PublisherConfig {
    /// A folder on this machine: [`Folder`].
    Folder {
        /// The folder, made if it is missing.
        path: PathBuf,
        /// Whether an existing manifest keeps its other clips: [`Folder::keep_others`]. Default no.
        #[serde(default)]
        keep_others: bool,
    },
}

impl Default for PublisherConfig {
    fn default() -> Self {
        PublisherConfig::Folder { path: "clips".into(), keep_others: false }
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
    /// The pipeline of the stages that were given, and for the others, and the options, of what a document describes. Under `cx` a
    /// model may be downloaded, if the document asks for one.
    pub async fn complete(mut self, cx: &Context, config: &PipelineConfig) -> Result<Pipeline> {
        if config.layers.contains_key(&Stage::Plan) {
            return Err(Error::new(ErrorKind::Config, "plans are made by no stage, so nothing goes around it")
                .with_advice("name source, transcribe, score, track, render or publish"));
        }
        let layers = |stage| config.layers.get(&stage).map(Vec::as_slice);
        macro_rules! complete {
            ($($stage:ident: $built:expr),* $(,)?) => {
                $(if self.$stage.is_none() {
                    self = self.$stage($built);
                })*
            };
        }
        complete! {
            source: config.source.build(layers(Stage::Source))?,
            transcriber: config.transcriber.build(layers(Stage::Transcribe))?,
            scorer: config.scorer.build(layers(Stage::Score))?,
            tracker: config.tracker.build(cx, layers(Stage::Track)).await?,
            renderer: config.renderer.build(layers(Stage::Render))?,
            publisher: config.publisher.build(layers(Stage::Publish))?,
        }
        self.options(config.options.clone())
            .build()
    }
}

impl SourceConfig {
    /// The source inside these layers; none stands for none.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Source>> {
        let source: Arc<dyn Source> = match self {
            SourceConfig::File => Arc::new(FileSource::new()),
        };
        source.with_layers(layers.unwrap_or_default())
    }
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

impl ScorerConfig {
    /// The scorer inside these layers; none stands for a cache around an API, and for no layer around the heuristic.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Scorer>> {
        let judged = |scorer: OpenAiScorer| -> Result<Arc<dyn Scorer>> {
            let scorer: Arc<dyn Scorer> = Arc::new(scorer);
            Ok(Arc::new(scorer.with_layers(&or_a_cache(layers))?.or(Heuristic::default())))
        };
        match self {
            ScorerConfig::Auto if OpenAiServer::default().is_configured() => judged(OpenAiScorer::default()),
            ScorerConfig::Openai(scorer) => judged(scorer.clone()),
            ScorerConfig::Auto | ScorerConfig::Heuristic => {
                let heuristic: Arc<dyn Scorer> = Arc::new(Heuristic::default());
                heuristic.with_layers(layers.unwrap_or_default())
            }
        }
    }
}

impl TrackerConfig {
    /// The tracker inside these layers; none stands for a cache around a model. For `onnx` after a download, if the model is missing.
    pub async fn build(&self, cx: &Context, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn FaceTracker>> {
        match self {
            TrackerConfig::Auto { model } => {
                let layers = or_a_cache(layers);
                layers.iter().try_for_each(LayerConfig::check)?;
                Ok(Arc::new(AutoTracker { model: named(model), layers, loaded: OnceCell::new() }))
            }
            TrackerConfig::Onnx { model } => load(cx, &named(model)).await?.with_layers(&or_a_cache(layers)),
            TrackerConfig::Motion => {
                let tracker: Arc<dyn FaceTracker> = Arc::new(MotionTracker::default().or(CenterTracker));
                tracker.with_layers(layers.unwrap_or_default())
            }
            TrackerConfig::Center => {
                let tracker: Arc<dyn FaceTracker> = Arc::new(CenterTracker);
                tracker.with_layers(layers.unwrap_or_default())
            }
        }
    }
}

impl RendererConfig {
    /// The renderer inside these layers; none stands for none.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Renderer>> {
        let renderer: Arc<dyn Renderer> = match self {
            RendererConfig::Ffmpeg => Arc::new(FfmpegRenderer::default()),
        };
        renderer.with_layers(layers.unwrap_or_default())
    }
}

impl PublisherConfig {
    /// The publisher inside these layers; none stands for none.
    pub fn build(&self, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn Publisher>> {
        let publisher: Arc<dyn Publisher> = match self {
            PublisherConfig::Folder { path, keep_others: true } => Arc::new(Folder::new(path).keep_others()),
            PublisherConfig::Folder { path, keep_others: false } => Arc::new(Folder::new(path)),
        };
        publisher.with_layers(layers.unwrap_or_default())
    }
}

/// What goes around work that takes minutes or money, where nobody says otherwise.
fn or_a_cache(layers: Option<&[LayerConfig]>) -> Vec<LayerConfig> {
    layers.map_or_else(|| vec![LayerConfig::Cache(Cache::of_the_user())], <[LayerConfig]>::to_vec)
}

fn named(model: &Option<String>) -> String {
    model.clone().unwrap_or_else(|| Model::DEFAULT_FACE_DETECTOR.to_owned())
}

async fn load(cx: &Context, model: &str) -> Result<Arc<dyn FaceTracker>> {
    let path = ModelStore::new().resolve(cx, model).await?;
    cx.blocking(move |_| Ok(Arc::new(OnnxTracker::load(path)?) as Arc<dyn FaceTracker>)).await
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

/// Looks for faces where a model can be had, and says once a run where it cannot. The model is looked for when the first span is tracked,
/// so that a run that ends before needs none.
struct AutoTracker {
    model: String,
    layers: Vec<LayerConfig>,
    loaded: OnceCell<Result<Arc<dyn FaceTracker>, String>>,
}

#[async_trait]
impl FaceTracker for AutoTracker {
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let attempt = || async {
            match load(cx, &self.model).await {
                Ok(tracker) => {
                    let tracker = tracker.with_layers(&self.layers)?.or(MotionTracker::default()).or(CenterTracker);
                    Ok(Ok(Arc::new(tracker) as Arc<dyn FaceTracker>))
                }
                Err(error) if error.is_cancelled() => Err(error),
                Err(error) => Ok(Err(error.to_string())),
            }
        };
        match self.loaded.get_or_try_init(attempt).await? {
            Ok(tracker) => tracker.track(cx, tracking).await,
            Err(reason) => {
                cx.warn_once(format!("no faces are looked for: {reason}; the crop follows what moves"));
                MotionTracker::default().or(CenterTracker).track(cx, tracking).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_reads_back_and_refuses_what_it_does_not_know() {
        let config = PipelineConfig {
            transcriber: TranscriberConfig::Captions { file: Some("talk.vtt".into()) },
            tracker: TrackerConfig::Onnx { model: None },
            ..PipelineConfig::default()
        };
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(PipelineConfig::from_json(&text).unwrap(), config);
        assert_eq!(PipelineConfig::from_json("{}").unwrap(), PipelineConfig::default());
        let judged =
            PipelineConfig::from_json(r#"{"scorer": {"kind": "openai", "model": "m", "server": {"base_url": "http://[::1]/v1"}}}"#);
        assert!(matches!(judged.unwrap().scorer, ScorerConfig::Openai(OpenAiScorer { model, .. }) if model == "m"));
        let error = PipelineConfig::from_json(r#"{"scorer": {"kind": "oracle"}}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("`heuristic`"), "{error}");
    }

    #[tokio::test]
    async fn where_no_model_can_be_had_auto_warns_once_and_onnx_fails() {
        let nowhere = Some("no/such/model.onnx".to_owned());
        let cx = Context::new();
        let error = TrackerConfig::Onnx { model: nowhere.clone() }.build(&cx, None).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let auto = TrackerConfig::Auto { model: nowhere }.build(&cx, None).await.unwrap();
        let media = crate::model::Media {
            path: "talk.mp4".into(),
            id: crate::model::ContentId::new("none", ""),
            container: String::new(),
            duration: crate::model::Timestamp::ZERO,
            video: None,
            audio: Vec::new(),
            subtitles: Vec::new(),
        };
        let tracking = Tracking { media, span: crate::model::Span::secs(0.0, 1.0).unwrap() };
        for rank in 1..=3 {
            assert_eq!(auto.track(&cx.for_clip(rank), &tracking).await.unwrap(), Tracks::default());
        }
        // Nor can what moves be followed: there is no picture.
        let (run, clips): (Vec<_>, Vec<_>) = cx.warnings().into_iter().partition(|warning| warning.clip.is_none());
        let [warning] = &run[..] else { panic!("{run:?}") };
        assert!(warning.message.contains("no/such/model.onnx"), "{}", warning.message);
        assert_eq!(clips.len(), 3);
        assert!(clips.iter().all(|warning| warning.message.ends_with("going on with CenterTracker")), "{clips:?}");
    }
}
