//! A pipeline: stages that Python gave, and a document's for the others.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clipkit::config::TrackerConfig;
use clipkit::{PipelineBuilder, PipelineConfig, RankedPlan};
use pyo3::prelude::*;
use tokio::sync::OnceCell;

use crate::context::{self, Context};
use crate::convert;
use crate::error::raise;
use crate::runtime::{self, Work};
use crate::stage::{Any, Stage};

/// Six stages and what is asked of them.
#[pyclass(frozen, module = "clipkit._clipkit")]
pub(crate) struct Pipeline {
    parts: Arc<Parts>,
}

struct Parts {
    given: Vec<Any>,
    config: PipelineConfig,
    built: OnceCell<clipkit::Pipeline>,
}

impl Parts {
    /// The pipeline, built when it is first needed: a document may ask for a model that has to be downloaded.
    async fn pipeline(&self, cx: &clipkit::Context) -> clipkit::Result<&clipkit::Pipeline> {
        let build = || async {
            let given = self.given.iter().cloned().fold(clipkit::Pipeline::builder(), with);
            given.complete(cx, &self.config).await
        };
        self.built.get_or_try_init(build).await
    }
}

fn with(builder: PipelineBuilder, stage: Any) -> PipelineBuilder {
    match stage {
        Any::Source(stage) => builder.source(stage),
        Any::Transcriber(stage) => builder.transcriber(stage),
        Any::Scorer(stage) => builder.scorer(stage),
        Any::Tracker(stage) => builder.tracker(stage),
        Any::Renderer(stage) => builder.renderer(stage),
        Any::Publisher(stage) => builder.publisher(stage),
    }
}

#[pymethods]
impl Pipeline {
    /// Stages, and a configuration for what they leave open.
    #[new]
    fn new(py: Python<'_>, stages: Vec<Py<Stage>>, config: &Bound<'_, PyAny>) -> PyResult<Self> {
        let given: Vec<Any> = stages.iter().map(|stage| stage.get().any.clone()).collect();
        let config: PipelineConfig = convert::setting(config, "a pipeline's configuration")?;
        let downloads = matches!(config.tracker, TrackerConfig::Onnx { .. }) && !given.iter().any(|stage| matches!(stage, Any::Tracker(_)));
        let parts = Parts { given, config, built: OnceCell::new() };
        if !downloads {
            // Nothing is waited for, and what is wrong with the settings is said here.
            let runtime = runtime::runtime().map_err(|error| raise(py, &error))?;
            py.detach(|| runtime.block_on(parts.pipeline(&clipkit::Context::new())).map(drop)).map_err(|error| raise(py, &error))?;
        }
        Ok(Pipeline { parts: Arc::new(parts) })
    }

    /// The folder that a manifest's names are relative to, where the publisher has one.
    fn folder(&self) -> Option<PathBuf> {
        self.parts.built.get()?.staging().map(Path::to_owned)
    }

    /// Makes clips of a video.
    fn start_run(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, uri: &Bound<'_, PyAny>) -> PyResult<Work> {
        let (parts, cx, uri) =
            (self.parts.clone(), context::of_call(cx, &call, py), convert::setting::<String>(uri, "a path or an address")?);
        let under = cx.clone();
        let work = async move { parts.pipeline(&under).await?.run_with(&under, &uri).await };
        runtime::start(py, call, cx, work, |py, made| convert::to_python(py, "Manifest", &made))
    }

    /// Plans clips of a video and makes none.
    fn start_plan(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, uri: &Bound<'_, PyAny>) -> PyResult<Work> {
        let (parts, cx, uri) =
            (self.parts.clone(), context::of_call(cx, &call, py), convert::setting::<String>(uri, "a path or an address")?);
        let under = cx.clone();
        let work = async move { parts.pipeline(&under).await?.plan_with(&under, &uri).await };
        runtime::start(py, call, cx, work, |py, planned| convert::to_python(py, "Planned", &planned))
    }

    /// Makes the clips that plans describe, each of its rank.
    fn start_render(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        ranks: Vec<usize>,
        plans: Vec<Bound<'_, PyAny>>,
    ) -> PyResult<Work> {
        let plans = plans.iter().map(convert::plan).collect::<PyResult<Vec<_>>>()?;
        let plans: Vec<RankedPlan> = ranks.into_iter().zip(plans).map(|(rank, plan)| RankedPlan { rank, plan }).collect();
        let (parts, cx) = (self.parts.clone(), context::of_call(cx, &call, py));
        let under = cx.clone();
        let work = async move { parts.pipeline(&under).await?.render_with(&under, &plans).await };
        runtime::start(py, call, cx, work, |py, made| convert::to_python(py, "Manifest", &made))
    }
}
