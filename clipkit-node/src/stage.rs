//! The six kinds of stage as one class, so that layers and calls are written once.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use clipkit::stage::{
    Captions, CenterTracker, FaceTracker, FfmpegRenderer, FileSource, Folder, Heuristic, LocalTranscriber, MotionTracker, OnnxTracker,
    OnnxTrackerOptions, OpenAiScorer, OpenAiServer, OpenAiTranscriber, Publisher, Renderer, Scorer, Source, StageExt, Transcriber,
};
use clipkit::weights::WeightsStore;
use clipkit::{Error, ErrorKind, Result};

use crate::context::Context;
use crate::document::{Document, Text, read};
use crate::error::{HostErrors, exception};
use crate::host::{Dispatch, Facts, HostStage};
use crate::layer::Layer;

#[derive(Clone)]
pub(crate) enum AnyStage {
    Source(Arc<dyn Source>),
    Transcriber(Arc<dyn Transcriber>),
    Scorer(Arc<dyn Scorer>),
    Tracker(Arc<dyn FaceTracker>),
    Renderer(Arc<dyn Renderer>),
    Publisher(Arc<dyn Publisher>),
}

/// A stage, built in or written in JavaScript, with what stands around it.
#[napi]
pub struct Stage {
    pub(crate) any: AnyStage,
}

#[napi]
impl Stage {
    /// A built-in stage by the name of its class, with its options as JSON.
    #[napi(factory)]
    pub fn builtin(name: String, options: String) -> napi::Result<Self> {
        built_in(&name, &options).map(|any| Stage { any }).map_err(exception)
    }

    /// A face detector: a model's name or the path of its file. It is downloaded if it is missing.
    #[napi]
    pub fn load_onnx<'env>(env: &'env Env, cx: &Context, model: String, options: String) -> napi::Result<PromiseRaw<'env, Stage>> {
        let cx = cx.cx.for_stage(clipkit::model::Stage::Track);
        env.spawn_future(async move {
            let load = async {
                let options: OnnxTrackerOptions = settings("OnnxTracker", &options)?;
                let path = WeightsStore::new().resolve(&cx, &model).await?;
                cx.blocking(move |_| OnnxTracker::with_options(path, options)).await
            };
            load.await.map(|tracker| Stage { any: AnyStage::Tracker(Arc::new(tracker)) }).map_err(exception)
        })
    }

    /// A speech model by its folder.
    #[napi]
    pub fn load_speech<'env>(env: &'env Env, cx: &Context, folder: String) -> napi::Result<PromiseRaw<'env, Stage>> {
        let cx = cx.cx.for_stage(clipkit::model::Stage::Transcribe);
        env.spawn_future(async move {
            let loaded = cx.blocking(move |_| LocalTranscriber::load(folder)).await;
            loaded.map(|transcriber| Stage { any: AnyStage::Transcriber(Arc::new(transcriber)) }).map_err(exception)
        })
    }

    /// A stage in JavaScript. `facts` is what it says of itself, as JSON.
    #[napi(factory)]
    pub fn host(
        kind: String,
        #[napi(ts_arg_type = "(call: Call) => void")] dispatch: Dispatch,
        errors: &HostErrors,
        facts: String,
    ) -> napi::Result<Self> {
        let facts: Facts = read(ErrorKind::Config, "what a stage says of itself", &facts).map_err(exception)?;
        let stage = Arc::new(HostStage { dispatch, errors: errors.clone(), facts });
        let any = match kind.as_str() {
            "source" => AnyStage::Source(stage),
            "transcriber" => AnyStage::Transcriber(stage),
            "scorer" => AnyStage::Scorer(stage),
            "tracker" => AnyStage::Tracker(stage),
            "renderer" => AnyStage::Renderer(stage),
            "publisher" => AnyStage::Publisher(stage),
            other => return Err(exception(Error::new(ErrorKind::Config, format!("there is no kind of stage {other:?}")))),
        };
        Ok(Stage { any })
    }

    /// `source`, `transcriber` ...
    #[napi(getter)]
    pub fn kind(&self) -> &'static str {
        self.any.kind()
    }

    /// What decides its answers besides the input; none where that cannot be said, or where no cache asks.
    #[napi(getter)]
    pub fn fingerprint(&self) -> Option<String> {
        match &self.any {
            AnyStage::Transcriber(stage) => stage.fingerprint(),
            AnyStage::Scorer(stage) => stage.fingerprint(),
            AnyStage::Tracker(stage) => stage.fingerprint(),
            _ => None,
        }
    }

    /// Columns and rows that a renderer was set up for.
    #[napi(getter)]
    pub fn size(&self) -> Option<Vec<u32>> {
        match &self.any {
            AnyStage::Renderer(stage) => stage.size().map(|(width, height)| vec![width, height]),
            _ => None,
        }
    }

    /// The folder on whose file system a publisher wants clips to be rendered.
    #[napi(getter)]
    pub fn staging(&self) -> Option<String> {
        match &self.any {
            AnyStage::Publisher(stage) => stage.staging().map(|folder| folder.to_string_lossy().into_owned()),
            _ => None,
        }
    }

    /// This stage inside a layer.
    #[napi]
    pub fn layer(&self, layer: &Layer) -> napi::Result<Stage> {
        layer.around(self.any.clone()).map(|any| Stage { any }).map_err(exception)
    }

    /// This stage, and another where it fails.
    #[napi]
    pub fn or(&self, other: &Stage) -> napi::Result<Stage> {
        self.any.clone().or(other.any.clone()).map(|any| Stage { any }).map_err(exception)
    }

    /// Calls the stage's one method.
    #[napi]
    pub fn call<'env>(&self, env: &'env Env, cx: &Context, input: &mut Text) -> napi::Result<PromiseRaw<'env, Document>> {
        let (stage, cx, input) = (self.any.clone(), cx.cx.clone(), input.take());
        env.spawn_future(async move { stage.call(&cx, &input).await.map_err(exception) })
    }

    /// Tells a publisher what a run made.
    #[napi]
    pub fn conclude<'env>(&self, env: &'env Env, cx: &Context, manifest: &mut Text) -> napi::Result<PromiseRaw<'env, ()>> {
        let (stage, cx, manifest) = (self.any.clone(), cx.cx.clone(), manifest.take());
        env.spawn_future(async move {
            match stage {
                AnyStage::Publisher(publisher) => publisher.conclude(&cx, &given("a manifest", &manifest).map_err(exception)?).await,
                _ => Ok(()),
            }
            .map_err(exception)
        })
    }
}

fn built_in(name: &str, options: &str) -> Result<AnyStage> {
    Ok(match name {
        "FileSource" => AnyStage::Source(Arc::new(settings::<FileSource>(name, options)?)),
        "Captions" => AnyStage::Transcriber(Arc::new(settings::<Captions>(name, options)?)),
        "OpenAiTranscriber" => {
            let mut stage: OpenAiTranscriber = settings(name, &without_key(options)?)?;
            stage.server = with_key(stage.server, options);
            AnyStage::Transcriber(Arc::new(stage))
        }
        "Heuristic" => AnyStage::Scorer(Arc::new(settings::<Heuristic>(name, options)?)),
        "OpenAiScorer" => {
            let mut stage: OpenAiScorer = settings(name, &without_key(options)?)?;
            stage.server = with_key(stage.server, options);
            AnyStage::Scorer(Arc::new(stage))
        }
        "MotionTracker" => AnyStage::Tracker(Arc::new(MotionTracker::default())),
        "CenterTracker" => AnyStage::Tracker(Arc::new(CenterTracker)),
        "FfmpegRenderer" => AnyStage::Renderer(Arc::new(settings::<FfmpegRenderer>(name, options)?)),
        "Folder" => AnyStage::Publisher(Arc::new(folder(settings(name, options)?))),
        _ => return Err(Error::new(ErrorKind::Config, format!("there is no built-in stage {name:?}"))),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderOptions {
    path: String,
    #[serde(default)]
    keep_others: bool,
}

fn folder(FolderOptions { path, keep_others }: FolderOptions) -> Folder {
    if keep_others { Folder::new(path).keep_others() } else { Folder::new(path) }
}

fn settings<T: DeserializeOwned>(class: &str, json: &str) -> Result<T> {
    read(ErrorKind::Config, &format!("what {class} can be set up with"), json)
}

fn given<T: DeserializeOwned>(what: &str, json: &str) -> Result<T> {
    read(ErrorKind::InvalidInput, what, json)
}

/// A key is no part of a stage's document, so that none is ever written; a program hands it over with the options all the same.
fn without_key(options: &str) -> Result<String> {
    let mut options: serde_json::Value = settings("the stage", options)?;
    if let Some(server) = options.get_mut("server").and_then(serde_json::Value::as_object_mut) {
        server.remove("api_key");
    }
    Ok(options.to_string())
}

fn with_key(server: OpenAiServer, options: &str) -> OpenAiServer {
    #[derive(Deserialize)]
    struct Given {
        server: Option<Server>,
    }
    #[derive(Deserialize)]
    struct Server {
        api_key: Option<String>,
    }
    let api_key = serde_json::from_str::<Given>(options).ok().and_then(|given| given.server?.api_key);
    OpenAiServer { api_key: api_key.or(server.api_key), ..server }
}

impl AnyStage {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            AnyStage::Source(_) => "source",
            AnyStage::Transcriber(_) => "transcriber",
            AnyStage::Scorer(_) => "scorer",
            AnyStage::Tracker(_) => "tracker",
            AnyStage::Renderer(_) => "renderer",
            AnyStage::Publisher(_) => "publisher",
        }
    }

    fn stage(&self) -> clipkit::model::Stage {
        match self {
            AnyStage::Source(_) => clipkit::model::Stage::Source,
            AnyStage::Transcriber(_) => clipkit::model::Stage::Transcribe,
            AnyStage::Scorer(_) => clipkit::model::Stage::Score,
            AnyStage::Tracker(_) => clipkit::model::Stage::Track,
            AnyStage::Renderer(_) => clipkit::model::Stage::Render,
            AnyStage::Publisher(_) => clipkit::model::Stage::Publish,
        }
    }

    fn or(self, other: AnyStage) -> Result<AnyStage> {
        use AnyStage::{Publisher, Renderer, Scorer, Source, Tracker, Transcriber};
        Ok(match (self, other) {
            (Source(one), Source(other)) => Source(Arc::new(one.or(other))),
            (Transcriber(one), Transcriber(other)) => Transcriber(Arc::new(one.or(other))),
            (Scorer(one), Scorer(other)) => Scorer(Arc::new(one.or(other))),
            (Tracker(one), Tracker(other)) => Tracker(Arc::new(one.or(other))),
            (Renderer(one), Renderer(other)) => Renderer(Arc::new(one.or(other))),
            (Publisher(one), Publisher(other)) => Publisher(Arc::new(one.or(other))),
            (one, other) => {
                return Err(Error::new(ErrorKind::Config, format!("a {} cannot stand in for a {}", other.kind(), one.kind())));
            }
        })
    }

    /// Reads the input, calls the stage and writes its answer.
    async fn call(&self, cx: &clipkit::Context, input: &str) -> Result<Document> {
        // Alone, it speaks for itself; inside another stage, for that one.
        let cx = if cx.stage().is_none() { &cx.for_stage(self.stage()) } else { cx };
        cx.check()?;
        let answer = match self {
            AnyStage::Source(stage) => {
                let uri: String = given("an address", input)?;
                stage.fetch(cx, &uri).await.and_then(|media| Document::of(&media))
            }
            AnyStage::Transcriber(stage) => stage.transcribe(cx, &given("media", input)?).await.and_then(|words| Document::of(&words)),
            AnyStage::Scorer(stage) => stage.score(cx, &given("a scoring", input)?).await.and_then(|spans| Document::of(&spans)),
            AnyStage::Tracker(stage) => stage.track(cx, &given("a tracking", input)?).await.and_then(|tracks| Document::of(&tracks)),
            AnyStage::Renderer(stage) => {
                stage.render(cx, &read(ErrorKind::InvalidPlan, "a plan", input)?).await.and_then(|clip| Document::of(&clip))
            }
            AnyStage::Publisher(stage) => stage.publish(cx, &given("a post", input)?).await.and_then(|receipt| Document::of(&receipt)),
        };
        answer.map_err(|error| error.with_stage(self.stage()))
    }
}
