//! The six kinds of stages as one Python object, and what goes around it.

use std::path::PathBuf;
use std::sync::Arc;

use clipkit::layer::{LayerConfig, WithLayers};
use clipkit::stage::{
    Captions, CenterTracker, FaceTracker, FfmpegRenderer, FileSource, Folder, Heuristic, LocalTranscriber, MotionTracker, OnnxTracker,
    OnnxTrackerOptions, OpenAiScorer, OpenAiTranscriber, Publisher, Renderer, Scorer, Source, StageExt, Transcriber,
};
use clipkit::{Error, ErrorKind, PipelineConfig};
use pyo3::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::context::{self, Context};
use crate::convert;
use crate::error::raise;
use crate::host::Host;
use crate::runtime::{self, Work};

/// A stage of one of the six kinds.
#[derive(Clone)]
pub(crate) enum Any {
    Source(Arc<dyn Source>),
    Transcriber(Arc<dyn Transcriber>),
    Scorer(Arc<dyn Scorer>),
    Tracker(Arc<dyn FaceTracker>),
    Renderer(Arc<dyn Renderer>),
    Publisher(Arc<dyn Publisher>),
}

/// A stage: built in, a Python object, or either inside layers.
#[pyclass(frozen, module = "clipkit._clipkit")]
pub(crate) struct Stage {
    pub(crate) any: Any,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaptionsOptions {
    file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderOptions {
    path: PathBuf,
    #[serde(default)]
    keep_others: bool,
}

#[pymethods]
impl Stage {
    /// A stage that the crate has, by its name there, with its options. Models are opened here.
    #[staticmethod]
    #[pyo3(signature = (name, options, *, model = None, api_key = None))]
    fn built_in(py: Python<'_>, name: &str, options: &Bound<'_, PyAny>, model: Option<PathBuf>, api_key: Option<String>) -> PyResult<Self> {
        fn with<T: DeserializeOwned>(options: &Bound<'_, PyAny>) -> PyResult<T> {
            convert::setting(options, "a setting of this stage")
        }
        let model = || model.ok_or_else(|| raise(py, &Error::new(ErrorKind::Config, format!("{name} needs a model"))));
        Ok(Stage {
            any: match name {
                "FileSource" => Any::Source(Arc::new(with::<FileSource>(options)?)),
                "Captions" => Any::Transcriber(Arc::new(match with::<CaptionsOptions>(options)?.file {
                    Some(file) => Captions::file(file),
                    None => Captions::auto(),
                })),
                "OpenAiTranscriber" => {
                    let mut stage: OpenAiTranscriber = with(options)?;
                    // A key stands in no document.
                    stage.server.api_key = api_key;
                    Any::Transcriber(Arc::new(stage))
                }
                "LocalTranscriber" => {
                    let model = model()?;
                    let opened = py.detach(|| LocalTranscriber::load(model));
                    Any::Transcriber(Arc::new(opened.map_err(|error| raise(py, &error))?))
                }
                "Heuristic" => Any::Scorer(Arc::new(with::<Heuristic>(options)?)),
                "OpenAiScorer" => {
                    let mut stage: OpenAiScorer = with(options)?;
                    // A key stands in no document.
                    stage.server.api_key = api_key;
                    Any::Scorer(Arc::new(stage))
                }
                "OnnxTracker" => {
                    let (model, options) = (model()?, with::<OnnxTrackerOptions>(options)?);
                    let opened = py.detach(|| OnnxTracker::with_options(model, options));
                    Any::Tracker(Arc::new(opened.map_err(|error| raise(py, &error))?))
                }
                "MotionTracker" => Any::Tracker(Arc::new(MotionTracker::default())),
                "CenterTracker" => Any::Tracker(Arc::new(CenterTracker)),
                "FfmpegRenderer" => Any::Renderer(Arc::new(with::<FfmpegRenderer>(options)?)),
                "Folder" => {
                    let FolderOptions { path, keep_others } = with(options)?;
                    let folder = Folder::new(path);
                    Any::Publisher(Arc::new(if keep_others { folder.keep_others() } else { folder }))
                }
                _ => return Err(raise(py, &Error::new(ErrorKind::Config, format!("there is no stage {name}")))),
            },
        })
    }

    /// The stage of a kind, by its method, that a pipeline's configuration describes. Built for a call, since it may download a model.
    #[staticmethod]
    fn start_config(py: Python<'_>, call: Py<PyAny>, cx: &Context, method: String, config: &Bound<'_, PyAny>) -> PyResult<Work> {
        let config: PipelineConfig = convert::setting(config, "a pipeline's configuration")?;
        let cx = context::of_call(cx, &call, py);
        let under = cx.clone();
        let work = async move {
            let layers = |stage| config.layers.get(&stage).map(Vec::as_slice);
            use clipkit::model::Stage::{Publish, Render, Score, Source, Track, Transcribe};
            Ok(match method.as_str() {
                "fetch" => Any::Source(config.source.build(layers(Source))?),
                "transcribe" => Any::Transcriber(config.transcriber.build(layers(Transcribe))?),
                "score" => Any::Scorer(config.scorer.build(layers(Score))?),
                "track" => Any::Tracker(config.tracker.build(&under, layers(Track)).await?),
                "render" => Any::Renderer(config.renderer.build(layers(Render))?),
                _ => Any::Publisher(config.publisher.build(layers(Publish))?),
            })
        };
        runtime::start(py, call, cx, work, |py, any| Ok(Py::new(py, Stage { any })?.into_any()))
    }

    /// A Python object as a stage; `method` says of which kind.
    #[staticmethod]
    fn host(object: &Bound<'_, PyAny>, method: &str) -> PyResult<Self> {
        let host = Arc::new(Host::new(object)?);
        Ok(Stage {
            any: match method {
                "fetch" => Any::Source(host),
                "transcribe" => Any::Transcriber(host),
                "score" => Any::Scorer(host),
                "track" => Any::Tracker(host),
                "render" => Any::Renderer(host),
                _ => Any::Publisher(host),
            },
        })
    }

    /// The stage inside layers, the first of them next to it.
    fn layer(&self, py: Python<'_>, layers: &Bound<'_, PyAny>) -> PyResult<Self> {
        let layers: Vec<LayerConfig> = convert::setting(layers, "a layer")?;
        let layered = match self.any.clone() {
            Any::Source(stage) => stage.with_layers(&layers).map(Any::Source),
            Any::Transcriber(stage) => stage.with_layers(&layers).map(Any::Transcriber),
            Any::Scorer(stage) => stage.with_layers(&layers).map(Any::Scorer),
            Any::Tracker(stage) => stage.with_layers(&layers).map(Any::Tracker),
            Any::Renderer(stage) => stage.with_layers(&layers).map(Any::Renderer),
            Any::Publisher(stage) => stage.with_layers(&layers).map(Any::Publisher),
        };
        Ok(Stage { any: layered.map_err(|error| raise(py, &error))? })
    }

    /// The stage, and another in its place where it fails.
    fn or_(&self, py: Python<'_>, other: &Stage) -> PyResult<Self> {
        let any = match (self.any.clone(), other.any.clone()) {
            (Any::Source(first), Any::Source(second)) => Any::Source(Arc::new(first.or(second))),
            (Any::Transcriber(first), Any::Transcriber(second)) => Any::Transcriber(Arc::new(first.or(second))),
            (Any::Scorer(first), Any::Scorer(second)) => Any::Scorer(Arc::new(first.or(second))),
            (Any::Tracker(first), Any::Tracker(second)) => Any::Tracker(Arc::new(first.or(second))),
            (Any::Renderer(first), Any::Renderer(second)) => Any::Renderer(Arc::new(first.or(second))),
            (Any::Publisher(first), Any::Publisher(second)) => Any::Publisher(Arc::new(first.or(second))),
            _ => return Err(raise(py, &Error::new(ErrorKind::Config, "a stage's stand-in is of another kind"))),
        };
        Ok(Stage { any })
    }

    /// Does the stage's work for a call, under its context.
    fn start(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, input: &Bound<'_, PyAny>) -> PyResult<Work> {
        macro_rules! start {
            ($stage:ident, $named:ident, $method:ident, $input:expr, $class:literal) => {{
                let (stage, cx) = ($stage.clone(), context::of_call(cx, &call, py).for_stage(clipkit::model::Stage::$named));
                let input = $input;
                let under = cx.clone();
                let work = async move { stage.$method(&under, &input).await };
                runtime::start(py, call, cx, work, |py, answer| convert::to_python(py, $class, &answer))
            }};
        }
        match &self.any {
            Any::Source(stage) => start!(stage, Source, fetch, convert::setting::<String>(input, "a path or an address")?, "Media"),
            Any::Transcriber(stage) => start!(stage, Transcribe, transcribe, convert::setting(input, "a Media")?, "Transcript"),
            Any::Scorer(stage) => start!(stage, Score, score, convert::setting(input, "a Scoring")?, "Candidate"),
            Any::Tracker(stage) => start!(stage, Track, track, convert::setting(input, "a Tracking")?, "Tracks"),
            Any::Renderer(stage) => start!(stage, Render, render, convert::plan(input)?, "Clip"),
            Any::Publisher(stage) => start!(stage, Publish, publish, convert::setting(input, "a Post")?, "Receipt"),
        }
    }
}
