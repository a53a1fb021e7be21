//! Pipelines and their steps.

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;
use serde::{Deserialize, Serialize};

use clipkit::model::{Candidate, ClipPlan, Media, Post, Stage as StageName, Tracks, Transcript};
use clipkit::stage::{AnyStage, Target, Tracking};
use clipkit::{ErrorKind, PipelineConfig, RankedPlan, Result};

use crate::context::Context;
use crate::document::{Document, Text, read};
use crate::error::exception;
use crate::stage::Stage;

/// A pipeline's configuration, and the stages that replace configured ones.
#[napi]
#[derive(Clone, Default)]
pub struct PipelineBuilder {
    config: PipelineConfig,
    given: Vec<AnyStage>,
}

#[napi]
impl PipelineBuilder {
    /// Reads a `PipelineConfig`. Unknown fields are refused.
    #[napi(constructor)]
    pub fn new(config: String) -> napi::Result<Self> {
        let config = PipelineConfig::from_json(&config).map_err(exception)?;
        Ok(PipelineBuilder { config, given: Vec::new() })
    }

    /// Replaces the configured stage of this kind. A publisher is added to those given before.
    #[napi]
    pub fn give(&mut self, stage: &Stage) {
        self.given.push(stage.any.clone());
    }

    /// The configured stage of one kind (`source`, `transcribe` ...).
    #[napi]
    pub fn stage<'env>(&self, env: &'env Env, cx: &Context, kind: String) -> napi::Result<PromiseRaw<'env, Stage>> {
        let (config, cx) = (self.config.clone(), cx.cx.clone());
        let kind = stage_name(kind).map_err(exception)?;
        env.spawn_future(async move { AnyStage::from_config(&cx, kind, &config).await.map(|any| Stage { any }).map_err(exception) })
    }

    /// Builds the pipeline. A model may be downloaded, if the configuration names one.
    #[napi]
    pub fn build<'env>(&self, env: &'env Env, cx: &Context) -> napi::Result<PromiseRaw<'env, Pipeline>> {
        let (PipelineBuilder { config, given }, cx) = (self.clone(), cx.cx.clone());
        env.spawn_future(async move {
            let builder = given.into_iter().fold(clipkit::Pipeline::builder(), |builder, stage| stage.give(builder));
            builder.complete(&cx, &config).await.map(|pipeline| Pipeline { pipeline }).map_err(exception)
        })
    }
}

/// A stage's kind by its name.
pub(crate) fn stage_name(name: String) -> Result<StageName> {
    read(ErrorKind::Config, "a kind of stage", &serde_json::Value::from(name).to_string())
}

/// A pipeline. Each method takes and returns documents; a path or an address is a string.
#[napi]
pub struct Pipeline {
    pipeline: clipkit::Pipeline,
}

#[derive(Deserialize)]
struct Choosing {
    media: Media,
    transcript: Transcript,
}

#[derive(Deserialize)]
struct Planning {
    media: Media,
    transcript: Transcript,
    candidate: Candidate,
    tracks: Tracks,
}

#[derive(Deserialize)]
struct Publishing {
    target: Target,
    post: Post,
}

/// A plan as JSON: `ClipPlan::from_json` checks the version before it reads the fields.
#[derive(Deserialize)]
struct Ranked {
    rank: usize,
    plan: serde_json::Value,
}

impl Ranked {
    fn plan(self) -> Result<RankedPlan> {
        Ok(RankedPlan::new(self.rank, ClipPlan::from_json(&self.plan.to_string())?))
    }
}

type Answer<'env> = napi::Result<PromiseRaw<'env, Document>>;

#[napi]
impl Pipeline {
    /// The folder that the names in a manifest are relative to.
    #[napi(getter)]
    pub fn staging(&self) -> Option<String> {
        self.pipeline.staging().map(|folder| folder.to_string_lossy().into_owned())
    }

    /// The publishers' targets, as JSON.
    #[napi]
    pub fn targets(&self) -> String {
        serde_json::to_string(&self.pipeline.targets()).unwrap_or_default()
    }

    /// Returns a manifest.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn run<'env>(&self, env: &'env Env, cx: &Context, uri: String) -> Answer<'env> {
        self.step(env, cx, |pipeline, cx| async move { pipeline.run_with(&cx, &uri).await })
    }

    /// Returns media, plans and warnings.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn plan_all<'env>(&self, env: &'env Env, cx: &Context, uri: String) -> Answer<'env> {
        self.step(env, cx, |pipeline, cx| async move { pipeline.plan_all_with(&cx, &uri).await })
    }

    /// Takes the picture, `keep` or `reframe`, and returns a plan.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn plan_whole<'env>(&self, env: &'env Env, cx: &Context, uri: String, picture: String) -> Answer<'env> {
        self.step(env, cx, |pipeline, cx| async move {
            let picture = read(ErrorKind::Config, "a picture: keep or reframe", &serde_json::Value::String(picture).to_string())?;
            pipeline.plan_whole(&cx, &uri, picture).await
        })
    }

    /// Takes a list of `{rank, plan}`, returns a manifest.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn render_all<'env>(&self, env: &'env Env, cx: &Context, plans: &mut Text) -> Answer<'env> {
        let plans = plans.take();
        self.step(env, cx, |pipeline, cx| async move {
            let plans: Vec<Ranked> = read(ErrorKind::InvalidPlan, "a list of plans", &plans)?;
            let plans = plans.into_iter().map(Ranked::plan).collect::<Result<Vec<_>>>()?;
            pipeline.render_all_with(&cx, &plans).await
        })
    }

    /// Returns a media.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn fetch<'env>(&self, env: &'env Env, cx: &Context, uri: String) -> Answer<'env> {
        self.step(env, cx, |pipeline, cx| async move { pipeline.fetch(&cx, &uri).await })
    }

    /// Takes a media, returns a transcript.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn transcribe<'env>(&self, env: &'env Env, cx: &Context, media: &mut Text) -> Answer<'env> {
        let media = media.take();
        self.step(env, cx, |pipeline, cx| async move { pipeline.transcribe(&cx, &read(ErrorKind::InvalidInput, "a media", &media)?).await })
    }

    /// Takes `{media, transcript}`, returns candidates.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn choose<'env>(&self, env: &'env Env, cx: &Context, input: &mut Text) -> Answer<'env> {
        let input = input.take();
        self.step(env, cx, |pipeline, cx| async move {
            let Choosing { media, transcript } = read(ErrorKind::InvalidInput, "a media and a transcript", &input)?;
            pipeline.choose(&cx, &media, &transcript).await
        })
    }

    /// Takes media, returns a speech map.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn listen<'env>(&self, env: &'env Env, cx: &Context, media: &mut Text) -> Answer<'env> {
        let media = media.take();
        self.step(env, cx, |pipeline, cx| async move {
            let media: Media = read(ErrorKind::InvalidInput, "media", &media)?;
            pipeline.listen(&cx, &media).await.map(|map| (*map).clone())
        })
    }

    /// Takes `{media, span}`, returns tracks.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn track<'env>(&self, env: &'env Env, cx: &Context, input: &mut Text) -> Answer<'env> {
        let input = input.take();
        self.step(env, cx, |pipeline, cx| async move {
            let Tracking { media, span, .. } = read(ErrorKind::InvalidInput, "a media and a span", &input)?;
            pipeline.track(&cx, &media, span).await
        })
    }

    /// Takes `{media, transcript, candidate, tracks}`, returns a plan.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn plan<'env>(&self, env: &'env Env, cx: &Context, input: &mut Text) -> Answer<'env> {
        let input = input.take();
        self.step(env, cx, |pipeline, cx| async move {
            let Planning { media, transcript, candidate, tracks } = read(ErrorKind::InvalidInput, "the input of a plan", &input)?;
            pipeline.plan(&cx, &media, &transcript, &candidate, &tracks).await
        })
    }

    /// Takes a plan, returns a rendered clip, whose files are in the context's scratch space.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn render<'env>(&self, env: &'env Env, cx: &Context, plan: &mut Text) -> Answer<'env> {
        let plan = plan.take();
        self.step(env, cx, |pipeline, cx| async move { pipeline.render(&cx, &ClipPlan::from_json(&plan)?).await })
    }

    /// Takes `{rank, plan}`, returns a post, whose files are in the context's scratch space.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn render_post<'env>(&self, env: &'env Env, cx: &Context, input: &mut Text) -> Answer<'env> {
        let input = input.take();
        self.step(env, cx, |pipeline, cx| async move {
            let RankedPlan { rank, plan, .. } = read::<Ranked>(ErrorKind::InvalidPlan, "a plan with its rank", &input)?.plan()?;
            pipeline.render_post(&cx.for_clip(rank), rank, &plan).await
        })
    }

    /// Takes a post, returns a receipt.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn publish<'env>(&self, env: &'env Env, cx: &Context, post: &mut Text) -> Answer<'env> {
        let post = post.take();
        self.step(env, cx, |pipeline, cx| async move {
            let post: Post = read(ErrorKind::InvalidInput, "a post", &post)?;
            pipeline.publish(&cx.for_clip(post.rank), &post).await
        })
    }

    /// Takes `{target, post}`, returns a receipt.
    #[napi(ts_return_type = "Promise<Document>")]
    pub fn publish_to<'env>(&self, env: &'env Env, cx: &Context, input: &mut Text) -> Answer<'env> {
        let input = input.take();
        self.step(env, cx, |pipeline, cx| async move {
            let Publishing { target, post } = read(ErrorKind::InvalidInput, "a target and a post", &input)?;
            pipeline.publish_to(&cx.for_clip(post.rank), &target, &post).await
        })
    }
}

impl Pipeline {
    /// Calls the pipeline and converts its answer.
    fn step<'env, T, F>(&self, env: &'env Env, cx: &Context, call: impl FnOnce(clipkit::Pipeline, clipkit::Context) -> F) -> Answer<'env>
    where
        T: Serialize + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let answer = call(self.pipeline.clone(), cx.cx.clone());
        env.spawn_future(async move { answer.await.and_then(|answer| Document::of(&answer)).map_err(exception) })
    }
}
