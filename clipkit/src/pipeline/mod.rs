//! Connects the stages: from an address to published clips.

mod ahead;
mod builder;
mod call;
mod check;
mod clip;
mod degrade;
#[cfg(test)]
mod framing_tests;
#[cfg(feature = "jobs")]
mod identity;
mod locate;
mod options;
mod passage;
mod posts;
mod run;
mod steps;
mod whole;

pub use builder::PipelineBuilder;
pub use clip::{Clipping, clip};
pub use degrade::{Degrade, StandIn};
pub use options::ClipOptions;
pub use whole::WholePicture;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Event};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Candidate, ClipPlan, FailedClip, Limit, Manifest, ManifestClip, Media, PlanSource, Span, Stage, Transcript, Usage, Warning, WarningKind,
};
use crate::plan;
use crate::publish::Publisher;
use crate::render::Renderer;
use crate::score::{ScoreOptions, Scorer};
use crate::source::{Announcement, Source};
use crate::track::FaceTracker;
use crate::transcribe::Transcriber;

use crate::speech::SpeechMaps;
use run::Run;

/// Six stages and their options, built by [`Pipeline::builder`]. It is cheap to clone, and one
/// pipeline can run many times, also concurrently.
///
/// - [`run`](Pipeline::run) runs all steps: [`fetch`](Pipeline::fetch),
///   [`transcribe`](Pipeline::transcribe), [`choose`](Pipeline::choose),
///   [`track`](Pipeline::track), [`plan`](Pipeline::plan), [`render`](Pipeline::render) and
///   [`publish`](Pipeline::publish). Each step can also be called on its own; it takes documents
///   and returns a document.
/// - A run needs a tokio runtime with time enabled. Each stage call runs on its own task. Clips run
///   concurrently: while one is rendered, the next one is tracked and planned.
/// - If a built-in stage fails, a run falls back as [`Degrade`] specifies and leaves a [`Warning`].
///   If a stage written by the user fails, the run returns its error. A clip that fails does not
///   affect the others ([`Manifest::failed`]). If all clips fail, the run returns the error of the
///   first one.
/// - Cancelling the [`Context`] or dropping the future ends a run within a second. Published clips
///   stay; incomplete files are removed.
/// - The output of the stages is checked. Output that breaks the contract of the stage is repaired
///   or left out, with a warning.
#[derive(Clone)]
pub struct Pipeline {
    stages: Arc<Stages>,
    options: Arc<ClipOptions>,
    degrade: Degrade,
}

struct Stages {
    source: Arc<dyn Source>,
    transcriber: Arc<dyn Transcriber>,
    scorer: Arc<dyn Scorer>,
    tracker: Arc<dyn FaceTracker>,
    renderer: Arc<dyn Renderer>,
    publishers: Vec<Arc<dyn Publisher>>,
    speech: Arc<SpeechMaps>,
}

/// The result of [`Pipeline::plan_all`]: the clips that would be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Planned {
    /// The input.
    pub media: Media,
    /// One plan per clip, best first.
    pub plans: Vec<RankedPlan>,
    /// The clips that could not be planned, best first, each with its error.
    #[serde(default)]
    pub failed: Vec<FailedClip>,
    /// The warnings of the run. [`Warning::clip`] is the rank of the clip that a warning concerns.
    pub warnings: Vec<Warning>,
    /// The usage and cost of paid models.
    pub usage: Vec<Usage>,
}

/// A plan and its rank, which is part of its files' names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RankedPlan {
    /// The rank, from 1.
    pub rank: usize,
    /// The plan.
    pub plan: ClipPlan,
}

impl RankedPlan {
    /// Makes a plan with a rank, which counts from 1.
    pub fn new(rank: usize, plan: ClipPlan) -> Self {
        RankedPlan { rank, plan }
    }
}

/// The state of a run before the work on single clips.
struct Chosen {
    media: Media,
    transcript: Transcript,
    candidates: Vec<Candidate>,
}

/// A clip to work on: its rank, span and title, and the input of the work.
struct Job<I> {
    rank: usize,
    span: Span,
    title: String,
    input: I,
}

impl Pipeline {
    /// Returns a builder. Every stage must be set; options have defaults.
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::default()
    }

    /// The options.
    pub fn options(&self) -> &ClipOptions {
        &self.options
    }

    /// The folder that the file names in a manifest are relative to, if the first publisher writes
    /// into a folder.
    pub fn staging(&self) -> Option<&Path> {
        self.stages.publishers.first()?.staging()
    }

    /// Makes clips of the video at `uri`, which the source interprets, and publishes them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NothingFound`], with the reason, if nothing is worth a clip. Else the first
    /// error of a stage that has no fallback, or of the first clip if all clips fail.
    pub async fn run(&self, uri: &str) -> Result<Manifest> {
        self.run_with(&Context::new(), uri).await
    }

    /// [`run`](Pipeline::run) under a context, which sets events, cancellation and scratch space.
    pub async fn run_with(&self, cx: &Context, uri: &str) -> Result<Manifest> {
        let (this, run) = self.begin(cx)?;
        let chosen = this.find(&run, uri).await?;
        let work = |rank, candidate| {
            let (this, run, chosen) = (&this, &run, &chosen);
            async move {
                let plan = this.plan_clip(run, rank, chosen, candidate).await?;
                this.make_clip(run, rank, &plan).await
            }
        };
        let (clips, failed) = this.each_clip(&run, in_order(&chosen.candidates), work).await?;
        this.conclude(&run, plan::source_of(&chosen.media)?, clips, failed).await
    }

    /// Plans clips of the video at `uri` without rendering them.
    pub async fn plan_all(&self, uri: &str) -> Result<Planned> {
        self.plan_all_with(&Context::new(), uri).await
    }

    /// [`plan_all`](Pipeline::plan_all) under a context.
    pub async fn plan_all_with(&self, cx: &Context, uri: &str) -> Result<Planned> {
        let (this, run) = self.begin(cx)?;
        let chosen = this.find(&run, uri).await?;
        let work = |rank, candidate| {
            let (this, run, chosen) = (&this, &run, &chosen);
            async move { Ok(RankedPlan { rank, plan: this.plan_clip(run, rank, chosen, candidate).await? }) }
        };
        let (plans, failed) = this.each_clip(&run, in_order(&chosen.candidates), work).await?;
        Ok(Planned { media: chosen.media, plans, failed, warnings: run.cx().warnings(), usage: run.cx().usage() })
    }

    /// Renders plans and publishes the clips. Options that a plan fixes (lengths, captions, size)
    /// have no effect.
    pub async fn render_all(&self, plans: &[RankedPlan]) -> Result<Manifest> {
        self.render_all_with(&Context::new(), plans).await
    }

    /// [`render_all`](Pipeline::render_all) under a context.
    pub async fn render_all_with(&self, cx: &Context, plans: &[RankedPlan]) -> Result<Manifest> {
        cx.limits().check(Limit::Clips, plans.len() as u64)?;
        let (this, run) = self.begin(cx)?;
        let Some(first) = plans.first() else {
            return Err(Error::new(ErrorKind::NothingFound, "there is no plan to render"));
        };
        let jobs = plans.iter().map(|ranked| Job {
            rank: ranked.rank,
            span: ranked.plan.span,
            title: ranked.plan.title.clone(),
            input: &ranked.plan,
        });
        let work = |rank, plan| {
            let (this, run) = (&this, &run);
            async move { this.make_clip(run, rank, plan).await }
        };
        let (clips, failed) = this.each_clip(&run, jobs.collect(), work).await?;
        this.conclude(&run, first.plan.source.clone(), clips, failed).await
    }

    /// Starts a run. The returned pipeline has the fallback policy of a run.
    fn begin(&self, cx: &Context) -> Result<(Pipeline, Run)> {
        let run = Run::new(cx, self.staging(), &self.options.at_once, self.options.concurrent());
        run.cx().limit(self.options.max_cost);
        run.cx().check()?;
        Ok((Pipeline { degrade: self.options.degrade.unwrap_or_default(), ..self.clone() }, run))
    }

    /// Runs the steps that read the whole video: fetch, transcribe and choose. If the source has
    /// captions before the media, these are transcribed and scored while the media come in. Speech
    /// detection runs concurrently with transcription and scoring.
    async fn find(&self, run: &Run, uri: &str) -> Result<Chosen> {
        self.options.check_limits(run.cx().limits())?;
        let (announcement, announced) = Announcement::channel();
        let fetched = async {
            let told = announcement.clone();
            let media = run.step(Stage::Source, None, |cx| async move { self.fetch(&cx.sharing(told), uri).await }).await;
            announcement.close();
            media
        };
        let (media, ahead) = futures::future::try_join(fetched, self.ahead(run, announced)).await?;
        let known = ahead.and_then(|ahead| ahead.for_media(self, run, &media));
        let words = async {
            if let Some(known) = known {
                return Ok(known);
            }
            let media = &media;
            let transcript = run.step(Stage::Transcribe, None, |cx| async move { self.transcribe(&cx, media).await }).await?;
            let said = &transcript;
            let candidates = run.step(Stage::Score, None, |cx| async move { self.candidates(&cx, media, said).await }).await?;
            Ok((transcript, candidates))
        };
        let voices = async { self.speech(run.cx(), &media).await };
        let ((transcript, candidates), _) = futures::future::try_join(words, voices).await?;
        let candidates = self.snapped(run.cx(), &media, &transcript, candidates).await?;
        let candidates = self.weighed(run.cx(), &media, &transcript, candidates).await?;
        run.cx().emit(&Event::Planned { clips: candidates.len() });
        Ok(Chosen { media, transcript, candidates })
    }

    /// Runs `work` for all clips, several of them concurrently. Returns results and failures, each
    /// in order of rank. If all clips fail, returns the error of the first one.
    async fn each_clip<I, T, F>(&self, run: &Run, jobs: Vec<Job<I>>, work: impl Fn(usize, I) -> F) -> Result<(Vec<T>, Vec<FailedClip>)>
    where
        F: Future<Output = Result<T>>,
    {
        let work = &work;
        // While some clips are rendered, as many others are analysed or published.
        let in_flight = (self.options.concurrent() * 2).min(jobs.len()).max(1);
        let mut answers: Vec<(usize, Span, String, Result<T>)> = futures::stream::iter(
            jobs.into_iter().map(|Job { rank, span, title, input }| async move { (rank, span, title, work(rank, input).await) }),
        )
        .buffer_unordered(in_flight)
        .collect()
        .await;
        run.cx().check()?;
        answers.sort_by_key(|(rank, ..)| *rank);
        let (mut made, mut failed, mut first) = (Vec::new(), Vec::new(), None);
        for (rank, span, title, answer) in answers {
            match answer {
                Ok(clip) => made.push(clip),
                Err(error) => {
                    let stage = error.stage().unwrap_or(Stage::Render);
                    tracing::error!(%stage, clip = rank, "the clip at {span} was not made: {error}");
                    failed.push(FailedClip::new(rank, span, title, error.clone().with_stage(stage).report()));
                    first.get_or_insert(error);
                }
            }
        }
        match first {
            Some(error) if made.is_empty() => Err(error),
            _ => Ok((made, failed)),
        }
    }

    /// Tracks, frames and captions one clip.
    async fn plan_clip(&self, run: &Run, rank: usize, chosen: &Chosen, candidate: &Candidate) -> Result<ClipPlan> {
        let _permit = run.analyse().await?;
        let Chosen { media, transcript, .. } = chosen;
        let clip = Some(rank);
        let tracks = &run.step(Stage::Track, clip, |cx| async move { self.track(&cx, media, candidate.span).await }).await?;
        run.step(Stage::Plan, clip, |cx| async move { self.plan(&cx, media, transcript, candidate, tracks).await }).await
    }

    /// Renders and publishes one clip.
    async fn make_clip(&self, run: &Run, rank: usize, plan: &ClipPlan) -> Result<ManifestClip> {
        let permit = run.render().await?;
        let rendered = run.step(Stage::Render, Some(rank), |cx| async move { self.rendered(&cx, plan).await }).await;
        drop(permit);
        let (clip, plan) = rendered?;
        let post = posts::post(&run.context_of(Some(rank)), rank, &plan, &clip)?;
        let mut published = self.publish_clip(run, &plan, &post).await?;
        published.folder = self.staging().map(Path::to_owned);
        published.warnings = run.warnings_of(rank);
        run.cx().emit(&Event::Clip(Box::new(published.clone())));
        Ok(published)
    }

    /// Builds the manifest and passes it to the publishers.
    async fn conclude(&self, run: &Run, source: PlanSource, clips: Vec<ManifestClip>, failed: Vec<FailedClip>) -> Result<Manifest> {
        let in_clips: Vec<Warning> = clips.iter().flat_map(|clip| clip.warnings.iter().cloned()).collect();
        let of_the_run = || run.cx().warnings().into_iter().filter(|warning| !in_clips.contains(warning)).collect();
        let mut manifest = Manifest::new(source);
        (manifest.clips, manifest.failed, manifest.warnings) = (clips, failed, of_the_run());
        (manifest.timings, manifest.usage) = (run.timing(), run.cx().usage());
        for publisher in &self.stages.publishers {
            let (told, publisher) = (manifest.clone(), publisher.clone());
            let concluded = run
                .step(Stage::Publish, None, |cx| async move {
                    call::call(&cx, Stage::Publish, |cx| async move { publisher.conclude(&cx, &told).await }).await
                })
                .await;
            match concluded {
                Err(error) if error.is_cancelled() => return Err(error),
                // The clips are published, so their receipts must be returned.
                Err(error) => run
                    .speaking_for(Stage::Publish, None)
                    .warn_of(WarningKind::Publish, format!("the manifest could not be published: {error}")),
                Ok(()) => {}
            }
        }
        manifest.warnings = of_the_run();
        Ok(manifest)
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Jobs for the candidates, which are sorted by rank.
fn in_order(candidates: &[Candidate]) -> Vec<Job<&Candidate>> {
    let job = |(n, candidate): (usize, _)| {
        let &Candidate { span, ref title, .. } = candidate;
        Job { rank: n + 1, span, title: title.clone(), input: candidate }
    };
    candidates.iter().enumerate().map(job).collect()
}

/// The error for a run without clips, with the reason.
fn nothing_found(media: &Media, transcript: &Transcript, options: &ScoreOptions, answered: usize) -> Error {
    let (min, max) = (options.min.as_secs_f64(), options.max.as_secs_f64());
    let words = transcript.words.len();
    let (reason, advice) = if answered > 0 {
        (format!("none of the {answered} spans that the scorer chose can be used"), "see the warnings")
    } else if words == 0 {
        ("nothing is said in this video".to_owned(), "check the transcript")
    } else if media.duration.secs() < min {
        (
            format!("this video lasts {:.1} s, less than the {min} s of the shortest clip", media.duration.secs()),
            "ask for shorter clips (--min)",
        )
    } else {
        let many = if words == 1 { "word that is" } else { "words that are" };
        (
            format!("no stretch of {min} to {max} s stands on its own among the {words} {many} said in {}", media.duration),
            "ask for shorter clips (--min) or check the transcript",
        )
    };
    Error::new(ErrorKind::NothingFound, format!("nothing worth a clip was found: {reason}"))
        .with_path(&media.path)
        .with_stage(Stage::Score)
        .with_advice(advice)
}
