//! A pipeline: the stages that Python gives, and a configuration for the others.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clipkit::config::TrackerConfig;
use clipkit::model::{Candidate, ClipPlan, Media, Post, Span, Tracks, Transcript};
use clipkit::stage::{AnyStage, Target};
use clipkit::{PipelineConfig, RankedPlan};
use pyo3::prelude::*;
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::context::{self, Context};
use crate::convert;
use crate::error::raise;
use crate::runtime::{self, Work};
use crate::stage::Stage;

/// Six stages and their options.
#[pyclass(frozen, module = "clipkit._clipkit")]
pub(crate) struct Pipeline {
    parts: Arc<Parts>,
}

struct Parts {
    given: Vec<AnyStage>,
    config: PipelineConfig,
    built: OnceCell<clipkit::Pipeline>,
}

impl Parts {
    /// The pipeline. It is built by the first call, because a configuration may ask for a model
    /// that has to be downloaded.
    async fn pipeline(&self, cx: &clipkit::Context) -> clipkit::Result<&clipkit::Pipeline> {
        let build = || async {
            let given = self.given.iter().cloned().fold(clipkit::Pipeline::builder(), |builder, stage| stage.give(builder));
            given.complete(cx, &self.config).await
        };
        self.built.get_or_try_init(build).await
    }
}

impl Pipeline {
    /// Starts one call on the pipeline. Its answer becomes an object of the Python class `class`.
    fn start<T, F>(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        class: &'static str,
        work: impl FnOnce(clipkit::Pipeline, clipkit::Context) -> F + Send + 'static,
    ) -> PyResult<Work>
    where
        T: Serialize + Send + 'static,
        F: Future<Output = clipkit::Result<T>> + Send + 'static,
    {
        let (parts, cx) = (self.parts.clone(), context::of_call(cx, &call, py));
        let under = cx.clone();
        let work = async move {
            let pipeline = parts.pipeline(&under).await?.clone();
            work(pipeline, under).await
        };
        runtime::start(py, call, cx, work, move |py, answer| convert::to_python(py, class, &answer))
    }
}

#[pymethods]
impl Pipeline {
    /// A pipeline of these stages. The configuration says what the other stages and the options
    /// are.
    #[new]
    fn new(py: Python<'_>, stages: Vec<Py<Stage>>, config: &Bound<'_, PyAny>) -> PyResult<Self> {
        let given: Vec<AnyStage> = stages.iter().map(|stage| stage.get().any.clone()).collect();
        let config: PipelineConfig = convert::setting(config, "a pipeline's configuration")?;
        let tracks = given.iter().any(|stage| stage.kind() == clipkit::model::Stage::Track);
        let downloads = matches!(config.tracker, TrackerConfig::Onnx(_)) && !tracks;
        let parts = Parts { given, config, built: OnceCell::new() };
        if !downloads {
            // Nothing blocks here, so a wrong setting is an error of the constructor.
            let runtime = runtime::runtime().map_err(|error| raise(py, &error))?;
            py.detach(|| runtime.block_on(parts.pipeline(&clipkit::Context::new())).map(drop)).map_err(|error| raise(py, &error))?;
        }
        Ok(Pipeline { parts: Arc::new(parts) })
    }

    /// The folder that the names in a manifest are relative to.
    fn staging(&self) -> Option<PathBuf> {
        self.parts.built.get()?.staging().map(Path::to_owned)
    }

    /// Makes clips of a video and publishes them.
    fn start_run(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, uri: &Bound<'_, PyAny>) -> PyResult<Work> {
        let uri = convert::uri(uri)?;
        self.start(py, call, cx, "Manifest", |pipeline, cx| async move { pipeline.run_with(&cx, &uri).await })
    }

    /// Plans clips of a video.
    fn start_plan_all(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, uri: &Bound<'_, PyAny>) -> PyResult<Work> {
        let uri = convert::uri(uri)?;
        self.start(py, call, cx, "Planned", |pipeline, cx| async move { pipeline.plan_all_with(&cx, &uri).await })
    }

    /// Plans a whole video as one clip.
    fn start_plan_whole(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        uri: &Bound<'_, PyAny>,
        picture: &Bound<'_, PyAny>,
    ) -> PyResult<Work> {
        let (uri, picture) = (convert::uri(uri)?, convert::setting(picture, "keep or reframe")?);
        self.start(py, call, cx, "ClipPlan", move |pipeline, cx| async move { pipeline.plan_whole(&cx, &uri, picture).await })
    }

    /// Renders plans, each with its rank, and publishes the clips.
    fn start_render_all(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        ranks: Vec<usize>,
        plans: Vec<Bound<'_, PyAny>>,
    ) -> PyResult<Work> {
        let plans = plans.iter().map(convert::plan).collect::<PyResult<Vec<_>>>()?;
        let plans: Vec<RankedPlan> = ranks.into_iter().zip(plans).map(|(rank, plan)| RankedPlan::new(rank, plan)).collect();
        self.start(py, call, cx, "Manifest", |pipeline, cx| async move { pipeline.render_all_with(&cx, &plans).await })
    }

    /// The step `fetch`.
    fn start_fetch(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, uri: &Bound<'_, PyAny>) -> PyResult<Work> {
        let uri = convert::uri(uri)?;
        self.start(py, call, cx, "Media", |pipeline, cx| async move { pipeline.fetch(&cx, &uri).await })
    }

    /// The step `transcribe`.
    fn start_transcribe(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, media: &Bound<'_, PyAny>) -> PyResult<Work> {
        let media: Media = convert::document(media, "a Media")?;
        self.start(py, call, cx, "Transcript", |pipeline, cx| async move { pipeline.transcribe(&cx, &media).await })
    }

    /// The step `choose`.
    fn start_choose(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        media: &Bound<'_, PyAny>,
        transcript: &Bound<'_, PyAny>,
    ) -> PyResult<Work> {
        let media: Media = convert::document(media, "a Media")?;
        let transcript: Transcript = convert::document(transcript, "a Transcript")?;
        self.start(py, call, cx, "Candidate", |pipeline, cx| async move { pipeline.choose(&cx, &media, &transcript).await })
    }

    /// The step `listen`.
    fn start_listen(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, media: &Bound<'_, PyAny>) -> PyResult<Work> {
        let media: Media = convert::document(media, "a Media")?;
        self.start(
            py,
            call,
            cx,
            "SpeechMap",
            move |pipeline, cx| async move { pipeline.listen(&cx, &media).await.map(|map| (*map).clone()) },
        )
    }

    /// The step `track`.
    fn start_track(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        media: &Bound<'_, PyAny>,
        span: &Bound<'_, PyAny>,
    ) -> PyResult<Work> {
        let media: Media = convert::document(media, "a Media")?;
        let span: Span = convert::document(span, "a Span")?;
        self.start(py, call, cx, "Tracks", move |pipeline, cx| async move { pipeline.track(&cx, &media, span).await })
    }

    /// The step `plan`; `known` holds the media, the transcript, the candidate and the tracks.
    fn start_plan(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, known: [Bound<'_, PyAny>; 4]) -> PyResult<Work> {
        let [media, transcript, candidate, tracks] = &known;
        let media: Media = convert::document(media, "a Media")?;
        let transcript: Transcript = convert::document(transcript, "a Transcript")?;
        let candidate: Candidate = convert::document(candidate, "a Candidate")?;
        let tracks: Tracks = convert::document(tracks, "a Tracks")?;
        self.start(
            py,
            call,
            cx,
            "ClipPlan",
            |pipeline, cx| async move { pipeline.plan(&cx, &media, &transcript, &candidate, &tracks).await },
        )
    }

    /// The step `render`.
    fn start_render(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, plan: &Bound<'_, PyAny>) -> PyResult<Work> {
        let plan: ClipPlan = convert::plan(plan)?;
        self.start(py, call, cx, "RenderedClip", |pipeline, cx| async move { pipeline.render(&cx, &plan).await })
    }

    /// The step `render`, answering the clip's post.
    fn start_render_post(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, rank: usize, plan: &Bound<'_, PyAny>) -> PyResult<Work> {
        let plan: ClipPlan = convert::plan(plan)?;
        self.start(py, call, cx, "Post", move |pipeline, cx| async move { pipeline.render_post(&cx, rank, &plan).await })
    }

    /// The step `publish`, to the pipeline's one target.
    fn start_publish(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context, post: &Bound<'_, PyAny>) -> PyResult<Work> {
        let post: Post = convert::document(post, "a Post")?;
        self.start(py, call, cx, "Receipt", |pipeline, cx| async move { pipeline.publish(&cx, &post).await })
    }

    /// The step `publish`, to one of the pipeline's targets.
    fn start_publish_to(
        &self,
        py: Python<'_>,
        call: Py<PyAny>,
        cx: &Context,
        target: &Bound<'_, PyAny>,
        post: &Bound<'_, PyAny>,
    ) -> PyResult<Work> {
        let target: Target = convert::target(target)?;
        let post: Post = convert::document(post, "a Post")?;
        self.start(py, call, cx, "Receipt", |pipeline, cx| async move { pipeline.publish_to(&cx, &target, &post).await })
    }

    /// Where the pipeline publishes.
    fn start_targets(&self, py: Python<'_>, call: Py<PyAny>, cx: &Context) -> PyResult<Work> {
        self.start(py, call, cx, "Target", |pipeline, _| async move { Ok(pipeline.targets()) })
    }
}
