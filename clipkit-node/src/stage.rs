//! Stages of the six kinds as one class.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;

use clipkit::config::PublisherConfig;
use clipkit::model::Stage as StageName;
use clipkit::stage::AnyStage;
use clipkit::{Environment, Error, ErrorKind};

use crate::context::Context;
use crate::document::{Document, Text, read};
use crate::error::{HostErrors, exception};
use crate::host::{Dispatch, Facts, HostStage};
use crate::layer::Layer;
use crate::pipeline::stage_name;

/// A stage: a built-in one or one in JavaScript, inside its layers.
#[napi]
pub struct Stage {
    pub(crate) any: AnyStage,
}

#[napi]
impl Stage {
    /// A built-in stage by its class name and its options as JSON, for stages that need no model.
    #[napi(factory)]
    pub fn builtin(name: String, options: String) -> napi::Result<Self> {
        let options = read(ErrorKind::Config, "a stage's options", &options).map_err(exception)?;
        AnyStage::without_model(&name, options).map(|any| Stage { any }).map_err(exception)
    }

    /// The same for stages that load a model. A model that is missing is downloaded.
    #[napi]
    pub fn load<'env>(env: &'env Env, cx: &Context, name: String, options: String) -> napi::Result<PromiseRaw<'env, Stage>> {
        let cx = cx.cx.clone();
        let options = read(ErrorKind::Config, "a stage's options", &options).map_err(exception)?;
        env.spawn_future(async move { AnyStage::built_in(&cx, &name, options).await.map(|any| Stage { any }).map_err(exception) })
    }

    /// The publisher that a `PublisherConfig` describes, without layers.
    #[napi(factory)]
    pub fn publisher(config: String) -> napi::Result<Self> {
        let config: PublisherConfig = read(ErrorKind::Config, "a publisher", &config).map_err(exception)?;
        config.build(None).map(|publisher| Stage { any: AnyStage::Publisher(publisher) }).map_err(exception)
    }

    /// A stage in JavaScript. `kind` is a stage's name (`source`, `transcribe` ...), `facts` are
    /// its properties as JSON.
    #[napi(factory)]
    pub fn host(
        kind: String,
        #[napi(ts_arg_type = "(call: Call) => void")] dispatch: Dispatch,
        errors: &HostErrors,
        facts: String,
    ) -> napi::Result<Self> {
        let kind = stage_name(kind).map_err(exception)?;
        let facts: Facts = read(ErrorKind::Config, "a stage's properties", &facts).map_err(exception)?;
        let stage = Arc::new(HostStage { dispatch, errors: errors.clone(), facts });
        let any = match kind {
            StageName::Source => AnyStage::Source(stage),
            StageName::Transcribe => AnyStage::Transcriber(stage),
            StageName::Score => AnyStage::Scorer(stage),
            StageName::Track => AnyStage::Tracker(stage),
            StageName::Render => AnyStage::Renderer(stage),
            StageName::Publish => AnyStage::Publisher(stage),
            other => return Err(exception(Error::new(ErrorKind::Config, format!("{other} is not done by a stage")))),
        };
        Ok(Stage { any })
    }

    /// What its answers depend on besides the input. `None` where it is not known, or for a stage
    /// that cannot be cached.
    #[napi(getter)]
    pub fn fingerprint(&self) -> Option<String> {
        self.any.fingerprint(&Environment::from_process())
    }

    /// The columns and rows that a renderer was set up for.
    #[napi(getter)]
    pub fn size(&self) -> Option<Vec<u32>> {
        self.any.size().map(|(width, height)| vec![width, height])
    }

    /// The folder on whose file system a publisher wants clips to be rendered.
    #[napi(getter)]
    pub fn staging(&self) -> Option<String> {
        self.any.staging().map(|folder| folder.to_string_lossy().into_owned())
    }

    /// A publisher's target, as JSON.
    #[napi(getter)]
    pub fn target(&self) -> Option<String> {
        self.any.target().and_then(|target| serde_json::to_string(&target).ok())
    }

    /// Whether the stage inside the layers is one of clipkit's own.
    #[napi(getter)]
    pub fn is_builtin(&self) -> bool {
        match &self.any {
            AnyStage::Scorer(stage) => stage.is_builtin(),
            AnyStage::Tracker(stage) => stage.is_builtin(),
            AnyStage::Renderer(stage) => stage.is_builtin(),
            _ => false,
        }
    }

    /// This stage inside a layer.
    #[napi]
    pub fn layer(&self, layer: &Layer) -> napi::Result<Stage> {
        self.any.clone().with_layer(&layer.layer).map(|any| Stage { any }).map_err(exception)
    }

    /// This stage, with `other` as its fallback.
    #[napi]
    pub fn or(&self, other: &Stage) -> napi::Result<Stage> {
        self.any.clone().or(other.any.clone()).map(|any| Stage { any }).map_err(exception)
    }

    /// Calls the stage's one method.
    #[napi]
    pub fn call<'env>(&self, env: &'env Env, cx: &Context, input: &mut Text) -> napi::Result<PromiseRaw<'env, Document>> {
        let (stage, cx, input) = (self.any.clone(), cx.cx.clone(), input.take());
        env.spawn_future(async move { stage.call(&cx, &input).await.map(Document::from_json).map_err(exception) })
    }

    /// Gives a publisher the manifest of a run.
    #[napi]
    pub fn conclude<'env>(&self, env: &'env Env, cx: &Context, manifest: &mut Text) -> napi::Result<PromiseRaw<'env, ()>> {
        let (stage, cx, manifest) = (self.any.clone(), cx.cx.clone(), manifest.take());
        env.spawn_future(async move {
            let AnyStage::Publisher(publisher) = stage else { return Ok(()) };
            let manifest = read(ErrorKind::InvalidInput, "a manifest", &manifest).map_err(exception)?;
            publisher.conclude(&cx, &manifest).await.map_err(exception)
        })
    }
}
