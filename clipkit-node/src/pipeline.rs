//! The stages, put together.

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;
use serde::Deserialize;

use clipkit::layer::WithLayers;
use clipkit::model::{ClipPlan, Stage as StageName};
use clipkit::{Error, ErrorKind, PipelineConfig, RankedPlan, Result};

use crate::context::Context;
use crate::document::{Document, Text, read};
use crate::error::exception;
use crate::stage::{AnyStage, Stage};

/// A pipeline to be: its document, and the stages that were given in place of those that it describes.
#[napi]
#[derive(Clone, Default)]
pub struct PipelineBuilder {
    config: PipelineConfig,
    given: Vec<AnyStage>,
}

#[napi]
impl PipelineBuilder {
    /// From a pipeline's document; unknown fields are refused.
    #[napi(constructor)]
    pub fn new(config: String) -> napi::Result<Self> {
        let config = PipelineConfig::from_json(&config).map_err(exception)?;
        Ok(PipelineBuilder { config, given: Vec::new() })
    }

    /// Takes a stage in place of the one that the document describes.
    #[napi]
    pub fn give(&mut self, stage: &Stage) {
        self.given.push(stage.any.clone());
    }

    /// The stage of one kind that the document describes.
    #[napi]
    pub fn stage<'env>(&self, env: &'env Env, cx: &Context, kind: String) -> napi::Result<PromiseRaw<'env, Stage>> {
        let (builder, cx) = (self.clone(), cx.cx.clone());
        env.spawn_future(async move { builder.described(&cx, &kind).await.map(|any| Stage { any }).map_err(exception) })
    }

    /// The pipeline. A model may be downloaded, if the document asks for one.
    #[napi]
    pub fn build<'env>(&self, env: &'env Env, cx: &Context) -> napi::Result<PromiseRaw<'env, Pipeline>> {
        let (builder, cx) = (self.clone(), cx.cx.clone());
        env.spawn_future(async move { builder.pipeline(&cx).await.map(|pipeline| Pipeline { pipeline }).map_err(exception) })
    }
}

impl PipelineBuilder {
    /// The stage of one kind that the document describes, for whoever wants it alone.
    async fn described(&self, cx: &clipkit::Context, kind: &str) -> Result<AnyStage> {
        let config = &self.config;
        let layers = |stage| config.layers.get(&stage).map(Vec::as_slice);
        Ok(match kind {
            "source" => AnyStage::Source(config.source.build(layers(StageName::Source))?),
            "transcriber" => AnyStage::Transcriber(config.transcriber.build(layers(StageName::Transcribe))?),
            "scorer" => AnyStage::Scorer(config.scorer.build(layers(StageName::Score))?),
            "tracker" => AnyStage::Tracker(config.tracker.build(cx, layers(StageName::Track)).await?),
            "renderer" => AnyStage::Renderer(config.renderer.build(layers(StageName::Render))?),
            "publisher" => AnyStage::Publisher(config.publisher.build(layers(StageName::Publish))?),
            other => return Err(Error::new(ErrorKind::Config, format!("there is no kind of stage {other:?}"))),
        })
    }

    /// What the document says of a stage's layers holds for one that was given, too.
    async fn pipeline(self, cx: &clipkit::Context) -> Result<clipkit::Pipeline> {
        let layers = |stage| self.config.layers.get(&stage).map(Vec::as_slice).unwrap_or_default();
        let builder = self.given.iter().try_fold(clipkit::Pipeline::builder(), |builder, given| {
            Ok(match given.clone() {
                AnyStage::Source(stage) => builder.source(stage.with_layers(layers(StageName::Source))?),
                AnyStage::Transcriber(stage) => builder.transcriber(stage.with_layers(layers(StageName::Transcribe))?),
                AnyStage::Scorer(stage) => builder.scorer(stage.with_layers(layers(StageName::Score))?),
                AnyStage::Tracker(stage) => builder.tracker(stage.with_layers(layers(StageName::Track))?),
                AnyStage::Renderer(stage) => builder.renderer(stage.with_layers(layers(StageName::Render))?),
                AnyStage::Publisher(stage) => builder.publisher(stage.with_layers(layers(StageName::Publish))?),
            })
        });
        builder?.complete(cx, &self.config).await
    }
}

/// A pipeline.
#[napi]
pub struct Pipeline {
    pipeline: clipkit::Pipeline,
}

#[napi]
impl Pipeline {
    /// The folder that the names in a manifest are relative to.
    #[napi(getter)]
    pub fn staging(&self) -> Option<String> {
        self.pipeline.staging().map(|folder| folder.to_string_lossy().into_owned())
    }

    /// Answers a manifest.
    #[napi]
    pub fn run<'env>(&self, env: &'env Env, cx: &Context, input: String) -> napi::Result<PromiseRaw<'env, Document>> {
        let (pipeline, cx) = (self.pipeline.clone(), cx.cx.clone());
        env.spawn_future(
            async move { pipeline.run_with(&cx, &input).await.and_then(|manifest| Document::of(&manifest)).map_err(exception) },
        )
    }

    /// Answers what is planned.
    #[napi]
    pub fn plan<'env>(&self, env: &'env Env, cx: &Context, input: String) -> napi::Result<PromiseRaw<'env, Document>> {
        let (pipeline, cx) = (self.pipeline.clone(), cx.cx.clone());
        env.spawn_future(async move { pipeline.plan_with(&cx, &input).await.and_then(|planned| Document::of(&planned)).map_err(exception) })
    }

    /// Takes plans with their ranks, answers a manifest.
    #[napi]
    pub fn render<'env>(&self, env: &'env Env, cx: &Context, plans: &mut Text) -> napi::Result<PromiseRaw<'env, Document>> {
        let (pipeline, cx, plans) = (self.pipeline.clone(), cx.cx.clone(), plans.take());
        env.spawn_future(async move {
            let render = async {
                let plans = read_plans(&plans)?;
                pipeline.render_with(&cx, &plans).await.and_then(|manifest| Document::of(&manifest))
            };
            render.await.map_err(exception)
        })
    }
}

/// A plan whose version is looked at before its fields.
#[derive(Deserialize)]
struct Ranked {
    rank: usize,
    plan: serde_json::Value,
}

fn read_plans(text: &str) -> Result<Vec<RankedPlan>> {
    let plans: Vec<Ranked> = read(ErrorKind::InvalidPlan, "a list of plans", text)?;
    plans.into_iter().map(|Ranked { rank, plan }| Ok(RankedPlan { rank, plan: ClipPlan::from_json(&plan.to_string())? })).collect()
}
