//! Stages of the six kinds as one Python class.

use std::sync::Arc;

use clipkit::PipelineConfig;
use clipkit::config::PublisherConfig;
use clipkit::layer::LayerConfig;
use clipkit::model;
use clipkit::stage::AnyStage;
use pyo3::prelude::*;
use serde_json::Value;

use crate::context::{self, Context};
use crate::convert;
use crate::error::raise;
use crate::host::Host;
use crate::runtime::{self, Work};

/// A stage: built in, a Python object, or either inside layers.
#[pyclass(frozen, module = "clipkit._clipkit")]
pub(crate) struct Stage {
    pub(crate) any: AnyStage,
}

#[pymethods]
impl Stage {
    /// A built-in stage without a model, by the name of its type, with its options.
    #[staticmethod]
    fn built_in(py: Python<'_>, name: &str, options: &Bound<'_, PyAny>) -> PyResult<Self> {
        let stage = AnyStage::without_model(name, convert::setting(options, "a setting of this stage")?);
        Ok(Stage { any: stage.map_err(|error| raise(py, &error))? })
    }

    /// Opens a built-in stage that has a model, by the name of its type, with its options.
    #[staticmethod]
    fn start_built_in(py: Python<'_>, call: Py<PyAny>, cx: &Context, name: String, options: &Bound<'_, PyAny>) -> PyResult<Work> {
        let options: Value = convert::setting(options, "a setting of this stage")?;
        start(py, call, cx, |cx| async move { AnyStage::built_in(&cx, &name, options).await })
    }

    /// Builds the stage of a kind that a pipeline's configuration describes. A model may be
    /// downloaded.
    #[staticmethod]
    fn start_config(py: Python<'_>, call: Py<PyAny>, cx: &Context, kind: &Bound<'_, PyAny>, config: &Bound<'_, PyAny>) -> PyResult<Work> {
        let kind: model::Stage = convert::setting(kind, "a stage's kind")?;
        let config: PipelineConfig = convert::setting(config, "a pipeline's configuration")?;
        start(py, call, cx, move |cx| async move { AnyStage::from_config(&cx, kind, &config).await })
    }

    /// The publisher that a configuration describes.
    #[staticmethod]
    fn publisher(py: Python<'_>, config: &Bound<'_, PyAny>) -> PyResult<Self> {
        let config: PublisherConfig = convert::setting(config, "a publisher's configuration")?;
        Ok(Stage { any: AnyStage::Publisher(config.build(None).map_err(|error| raise(py, &error))?) })
    }

    /// A Python object as a stage of a kind.
    #[staticmethod]
    fn host(object: &Bound<'_, PyAny>, kind: &Bound<'_, PyAny>) -> PyResult<Self> {
        let host = Arc::new(Host::new(object)?);
        Ok(Stage {
            any: match convert::setting(kind, "a stage's kind")? {
                model::Stage::Source => AnyStage::Source(host),
                model::Stage::Transcribe => AnyStage::Transcriber(host),
                model::Stage::Score => AnyStage::Scorer(host),
                model::Stage::Track => AnyStage::Tracker(host),
                model::Stage::Render => AnyStage::Renderer(host),
                model::Stage::Publish => AnyStage::Publisher(host),
                other => return Err(pyo3::exceptions::PyValueError::new_err(format!("no stage has the kind {other}"))),
            },
        })
    }

    /// The stage inside layers. The first layer is the innermost.
    fn layer(&self, py: Python<'_>, layers: &Bound<'_, PyAny>) -> PyResult<Self> {
        let layers: Vec<LayerConfig> = convert::setting(layers, "a layer")?;
        let any = self.any.clone().with_layers(&layers);
        Ok(Stage { any: any.map_err(|error| raise(py, &error))? })
    }

    /// The stage, with another one as its fallback.
    fn or_(&self, py: Python<'_>, other: &Stage) -> PyResult<Self> {
        let any = self.any.clone().or(other.any.clone());
        Ok(Stage { any: any.map_err(|error| raise(py, &error))? })
    }

    /// Calls the stage with its input.
    fn start(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, input: &Bound<'_, PyAny>) -> PyResult<Work> {
        let class = match self.any.kind() {
            model::Stage::Source => "Media",
            model::Stage::Transcribe => "Transcript",
            model::Stage::Score => "Candidate",
            model::Stage::Track => "Tracks",
            model::Stage::Render => "RenderedClip",
            _ => "Receipt",
        };
        let (stage, input) = (self.any.clone(), convert::dump(input)?);
        let cx = context::of_call(cx, &call, py);
        let under = cx.clone();
        let work = async move { stage.call(&under, &input).await };
        runtime::start(py, call, cx, work, move |py, answer| convert::load(py, class, &answer))
    }
}

/// Starts work that makes a stage.
fn start<F>(py: Python<'_>, call: Py<PyAny>, cx: &Context, make: impl FnOnce(clipkit::Context) -> F) -> PyResult<Work>
where
    F: Future<Output = clipkit::Result<AnyStage>> + Send + 'static,
{
    let cx = context::of_call(cx, &call, py);
    let work = make(cx.clone());
    runtime::start(py, call, cx, work, |py, any| Ok(Py::new(py, Stage { any })?.into_any()))
}
