//! The stages, put together: from an address to published clips.

mod builder;
mod check;
mod clip;
#[cfg(test)]
mod framing_tests;
mod options;
mod planning;
mod run;

pub use builder::PipelineBuilder;
pub use clip::{Clipping, clip};
pub use options::ClipOptions;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::av;
use crate::context::{Context, Event};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{
    Candidate, Clip, ClipPlan, Manifest, ManifestClip, Media, PlanSource, Post, Span, Stage, Timestamp, Tracks, Transcript, Usage, Warning,
};
use crate::plan::snap;
use crate::publish::Publisher;
use crate::render::Renderer;
use crate::score::{Heuristic, ScoreOptions, Scorer, Scoring};
use crate::source::Source;
use crate::track::{FaceTracker, Tracking};
use crate::transcribe::Transcriber;
use crate::voice;

use run::Run;

/// Six stages and what is asked of them. Made by [`Pipeline::builder`]; cheap to clone, and one pipeline may run many times, also at once.
///
/// - A run needs a tokio runtime with time enabled. Stages run on tasks of their own, clips side by side.
/// - Only source, transcript, decoder, encoder and publisher can fail a run. A scorer that fails is replaced by [`Heuristic`]; what else
///   fails gives a plainer clip; both leave a [`Warning`]. A clip that fails does not fail the others; where all do, the first one's error
///   is the run's.
/// - Cancelling the [`Context`], or dropping the future, ends a run within a second, whatever its stages do. Clips that were published stay;
///   nothing half made does.
/// - What the stages answer is checked against their contracts. What breaks them is repaired or left out, with a warning.
#[derive(Clone)]
pub struct Pipeline {
    stages: Arc<Stages>,
    options: Arc<ClipOptions>,
}

struct Stages {
    source: Arc<dyn Source>,
    transcriber: Arc<dyn Transcriber>,
    scorer: Arc<dyn Scorer>,
    tracker: Arc<dyn FaceTracker>,
    renderer: Arc<dyn Renderer>,
    publisher: Arc<dyn Publisher>,
}

/// What [`Pipeline::plan`] answers: the clips that would be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// The input.
    pub media: Media,
    /// One plan a clip, best first. A rank is missing where a plan could not be made.
    pub plans: Vec<RankedPlan>,
    /// What went less well than asked; a clip's rank stands in [`Warning::clip`].
    pub warnings: Vec<Warning>,
    /// What was asked of paid models, and what it cost.
    pub usage: Vec<Usage>,
}

/// A plan and its place in the ranking, which numbers its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RankedPlan {
    /// The place, from 1.
    pub rank: usize,
    /// The plan.
    pub plan: ClipPlan,
}

/// What is known of a video before its clips are worked on.
struct Chosen {
    media: Media,
    transcript: Transcript,
    candidates: Vec<Candidate>,
}

impl Pipeline {
    /// A builder. Every stage must be given; options have defaults.
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::default()
    }

    /// What is asked of the stages.
    pub fn options(&self) -> &ClipOptions {
        &self.options
    }

    /// The folder that the names in a manifest are relative to, where the publisher puts clips into one.
    pub fn staging(&self) -> Option<&Path> {
        self.stages.publisher.staging()
    }

    /// Makes clips of the video at `uri`, which the source understands, and hands them to the publisher.
    ///
    /// Nothing worth a clip is an error of kind [`ErrorKind::NothingFound`] that says why.
    pub async fn run(&self, uri: &str) -> Result<Manifest> {
        self.run_with(&Context::new(), uri).await
    }

    /// The same, under a context: events, cancellation, scratch space.
    pub async fn run_with(&self, cx: &Context, uri: &str) -> Result<Manifest> {
        let run = self.begin(cx);
        let chosen = self.choose(&run, uri).await?;
        run.cx().emit(&Event::Planned { clips: chosen.candidates.len() });
        let clips = self
            .each_clip(&run, in_order(&chosen.candidates), |rank, candidate| {
                let (run, chosen) = (&run, &chosen);
                async move {
                    let plan = self.plan_clip(run, rank, chosen, candidate).await?;
                    self.make_clip(run, RankedPlan { rank, plan }).await
                }
            })
            .await?;
        self.conclude(&run, planning::source_of(&chosen.media)?, clips).await
    }

    /// Plans clips of the video at `uri` and makes none.
    pub async fn plan(&self, uri: &str) -> Result<Planned> {
        self.plan_with(&Context::new(), uri).await
    }

    /// The same, under a context.
    pub async fn plan_with(&self, cx: &Context, uri: &str) -> Result<Planned> {
        let run = self.begin(cx);
        let chosen = self.choose(&run, uri).await?;
        run.cx().emit(&Event::Planned { clips: chosen.candidates.len() });
        let plans = self
            .each_clip(&run, in_order(&chosen.candidates), |rank, candidate| {
                let (run, chosen) = (&run, &chosen);
                async move { Ok(RankedPlan { rank, plan: self.plan_clip(run, rank, chosen, candidate).await? }) }
            })
            .await?;
        Ok(Planned { media: chosen.media, plans, warnings: run.cx().warnings(), usage: run.cx().usage() })
    }

    /// Makes the clips that plans describe, and hands them to the publisher. Options of this pipeline that a plan settles (lengths,
    /// captions, size) do not matter any more.
    pub async fn render(&self, plans: &[RankedPlan]) -> Result<Manifest> {
        self.render_with(&Context::new(), plans).await
    }

    /// The same, under a context.
    pub async fn render_with(&self, cx: &Context, plans: &[RankedPlan]) -> Result<Manifest> {
        let run = self.begin(cx);
        let Some(first) = plans.first() else {
            return Err(Error::new(ErrorKind::NothingFound, "there is no plan to render"));
        };
        run.cx().emit(&Event::Planned { clips: plans.len() });
        // Several plans of one file: it is looked at once.
        let sources: HashMap<&Path, OnceCell<Media>> =
            plans.iter().map(|ranked| (ranked.plan.source.path.as_path(), OnceCell::new())).collect();
        let all = plans.iter().map(|ranked| (ranked.rank, ranked.plan.span, ranked)).collect();
        let clips = self
            .each_clip(&run, all, |rank, ranked| {
                let (run, media) = (&run, sources.get(ranked.plan.source.path.as_path()));
                async move {
                    ranked.plan.validate()?;
                    if let Some(media) = media {
                        let media = media
                            .get_or_try_init(|| self.fetch(run, Some(rank), ranked.plan.source.path.to_string_lossy().into_owned()))
                            .await?;
                        same_source(run, rank, &ranked.plan, media);
                    }
                    self.make_clip(run, ranked.clone()).await
                }
            })
            .await?;
        self.conclude(&run, first.plan.source.clone(), clips).await
    }

    fn begin(&self, cx: &Context) -> Run {
        let run = Run::new(cx, self.stages.publisher.staging(), &self.options.at_once);
        run.cx().limit(self.options.max_cost);
        run
    }

    async fn fetch(&self, run: &Run, clip: Option<usize>, at: String) -> Result<Media> {
        let source = self.stages.source.clone();
        run.stage(Stage::Source, clip, |cx| async move { usable(source.fetch(&cx, &at).await?) }).await
    }

    /// Source, transcriber and scorer: everything that looks at the whole video.
    async fn choose(&self, run: &Run, uri: &str) -> Result<Chosen> {
        let media = self.fetch(run, None, uri.to_owned()).await?;
        let (transcriber, of) = (self.stages.transcriber.clone(), media.clone());
        let transcript = run.stage(Stage::Transcribe, None, |cx| async move { transcriber.transcribe(&cx, &of).await }).await?;
        let transcript = check::transcript(&run.speaking_for(Stage::Transcribe, None), transcript, media.duration);

        let options = self.options.scoring();
        let scorer = self.stages.scorer.clone();
        let scoring = Scoring { media: Some(media.clone()), transcript: transcript.clone(), options: options.clone() };
        let asked = scoring.clone();
        let answer = match run.stage(Stage::Score, None, |cx| async move { scorer.score(&cx, &asked).await }).await {
            Err(error) if !matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Config | ErrorKind::NothingFound) => {
                run.speaking_for(Stage::Score, None).warn(format!("the scorer failed: {error}; the heuristic chooses the spans"));
                run.stage(Stage::Score, None, |cx| async move { Heuristic::default().score(&cx, &scoring).await }).await?
            }
            answer => answer?,
        };
        let answered = answer.len();
        let candidates = check::candidates(&run.speaking_for(Stage::Score, None), answer, &options, media.duration);
        if candidates.is_empty() {
            return Err(nothing_found(&media, &transcript, &options, answered));
        }
        Ok(Chosen { media, transcript, candidates })
    }

    /// Works on all clips, a few side by side. Answers what was made, in order of rank; what failed leaves a warning.
    async fn each_clip<I, T, F>(&self, run: &Run, clips: Vec<(usize, Span, I)>, work: impl Fn(usize, I) -> F) -> Result<Vec<T>>
    where
        F: Future<Output = Result<T>>,
    {
        let work = &work;
        let side_by_side = self.options.side_by_side().min(clips.len());
        run.share_cores(side_by_side);
        let mut answers: Vec<(usize, Result<T>)> = futures::stream::iter(clips.into_iter().map(|(rank, span, clip)| async move {
            let answer = work(rank, clip).await;
            if let Err(error) = &answer
                && !error.is_cancelled()
            {
                let stage = error.stage().unwrap_or(Stage::Render);
                run.speaking_for(stage, Some(rank)).warn(format!("the clip at {span} was not made: {error}"));
            }
            (rank, answer)
        }))
        .buffer_unordered(side_by_side.max(1))
        .collect()
        .await;
        run.cx().check()?;
        answers.sort_by_key(|(rank, _)| *rank);
        let (made, failed): (Vec<_>, Vec<_>) = answers.into_iter().map(|(_, answer)| answer).partition(Result::is_ok);
        match failed.into_iter().find_map(Result::err) {
            Some(first) if made.is_empty() => Err(first),
            _ => Ok(made.into_iter().filter_map(Result::ok).collect()),
        }
    }

    /// Finds the ends of one clip, tracks, frames and captions it.
    async fn plan_clip(&self, run: &Run, rank: usize, chosen: &Chosen, candidate: &Candidate) -> Result<ClipPlan> {
        let voice = self.hear_clip(run, rank, chosen, candidate).await?;
        let candidate = &Candidate { span: self.ends(chosen, candidate.span, &voice), ..candidate.clone() };
        let voice: Vec<Span> = voice.iter().filter_map(|heard| heard.intersection(candidate.span)).collect();
        let tracks = self.track_clip(run, rank, chosen, candidate).await?;
        let (media, transcript, candidate) = (chosen.media.clone(), chosen.transcript.clone(), candidate.clone());
        let options = self.options.clone();
        let size = self.stages.renderer.size().unwrap_or(options.aspect.size());
        run.stage(Stage::Plan, Some(rank), |cx| async move {
            cx.blocking(move |cx| {
                let known = planning::Known { media: &media, transcript: &transcript, tracks: &tracks, voice: &voice };
                planning::plan(cx, &known, &candidate, &options, size)
            })
            .await
        })
        .await
    }

    /// The span with its ends moved to where they cut no word, where that is asked for.
    fn ends(&self, chosen: &Chosen, span: Span, voice: &[Span]) -> Span {
        if !self.options.snap {
            return span;
        }
        let others: Vec<Span> = chosen.candidates.iter().map(|other| other.span).filter(|other| *other != span).collect();
        let video = Span::between(Timestamp::ZERO, chosen.media.duration);
        let around = snap::Around { words: &chosen.transcript.words, voice, others: &others, video };
        snap::snap(span, &around, self.options.min, self.options.max + check::LENGTH_LEEWAY)
    }

    /// What the tracker sees; nothing, with a warning, where it fails.
    async fn track_clip(&self, run: &Run, rank: usize, chosen: &Chosen, candidate: &Candidate) -> Result<Tracks> {
        let (tracker, span) = (self.stages.tracker.clone(), candidate.span);
        let tracking = Tracking { media: chosen.media.clone(), span };
        let cx = run.speaking_for(Stage::Track, Some(rank));
        match run.stage(Stage::Track, Some(rank), |cx| async move { tracker.track(&cx, &tracking).await }).await {
            Ok(tracks) => Ok(check::tracks(&cx, tracks, span)),
            Err(error) if error.is_cancelled() => Err(error),
            Err(error) => {
                cx.warn(format!("no faces could be looked for: {error}; the crop stays in the middle"));
                Ok(Tracks::default())
            }
        }
    }

    /// Where a voice is heard in the clip and around its ends; nowhere, with a warning, where its sound cannot be read.
    async fn hear_clip(&self, run: &Run, rank: usize, chosen: &Chosen, candidate: &Candidate) -> Result<Vec<Span>> {
        if chosen.media.audio.is_empty() {
            return Ok(Vec::new());
        }
        let (media, (start, end)) = (chosen.media.clone(), (candidate.span.start(), candidate.span.end()));
        let span = Span::between(start.plus(-snap::HEARD_SECS).max(Timestamp::ZERO), end.plus(snap::HEARD_SECS));
        let heard = run.stage(Stage::Plan, Some(rank), |cx| async move {
            cx.blocking(move |cx| {
                let samples = av::speech_samples(cx, &media, span)?;
                Ok(voice::hear(cx, span.start(), &samples)?.spans())
            })
            .await
        });
        match heard.await {
            Err(error) if !error.is_cancelled() => {
                run.speaking_for(Stage::Plan, Some(rank)).warn(format!("the sound could not be listened to: {error}"));
                Ok(Vec::new())
            }
            heard => heard,
        }
    }

    /// Renders and publishes one clip.
    async fn make_clip(&self, run: &Run, ranked: RankedPlan) -> Result<ManifestClip> {
        let RankedPlan { rank, plan } = ranked;
        let (plan, clip) = match self.render_clip(run, rank, &plan).await {
            // A file that was made and is not as planned was rendered again already.
            Err(error)
                if matches!(error.kind(), ErrorKind::Encode | ErrorKind::Unavailable)
                    && *error.recovery() != Recovery::Reencode
                    && plan.captions.is_some() =>
            {
                // Captions need fonts and a text library besides the encoder. If they were not the reason, the first error stands.
                let plain = ClipPlan { captions: None, ..plan };
                let Ok(clip) = self.render_clip(run, rank, &plain).await else { return Err(error) };
                let cx = run.speaking_for(Stage::Render, Some(rank));
                cx.warn(format!("captions could not be drawn: {error}; the clip is made without them"));
                (plain, clip)
            }
            clip => (plan, clip?),
        };
        let (publisher, post) = (self.stages.publisher.clone(), Post { rank, clip, plan });
        let sent = post.clone();
        let receipt = run.stage(Stage::Publish, Some(rank), |cx| async move { publisher.publish(&cx, &sent).await }).await?;
        let clip = ManifestClip {
            file: receipt.file,
            plan: receipt.plan,
            cover: receipt.cover,
            span: post.plan.span,
            score: post.plan.score,
            title: post.plan.title,
            reason: post.plan.reason,
            hook_line: post.plan.hook_line,
            warnings: run.warnings_of(rank),
            folder: self.staging().map(Path::to_owned),
        };
        run.cx().emit(&Event::Clip(clip.clone()));
        Ok(clip)
    }

    async fn render_clip(&self, run: &Run, rank: usize, plan: &ClipPlan) -> Result<Clip> {
        let (renderer, plan) = (self.stages.renderer.clone(), plan.clone());
        run.stage(Stage::Render, Some(rank), |cx| async move { renderer.render(&cx, &plan).await }).await
    }

    /// Sums the run up and tells the publisher.
    async fn conclude(&self, run: &Run, source: PlanSource, clips: Vec<ManifestClip>) -> Result<Manifest> {
        let in_clips: Vec<Warning> = clips.iter().flat_map(|clip| clip.warnings.iter().cloned()).collect();
        let warnings = run.cx().warnings().into_iter().filter(|warning| !in_clips.contains(warning)).collect();
        let manifest = Manifest { version: Manifest::VERSION, source, clips, warnings, timings: run.timing(), usage: run.cx().usage() };
        let (publisher, told) = (self.stages.publisher.clone(), manifest.clone());
        run.stage(Stage::Publish, None, |cx| async move { publisher.conclude(&cx, &told).await }).await?;
        Ok(manifest)
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Candidates stand in order of rank.
fn in_order(candidates: &[Candidate]) -> Vec<(usize, Span, &Candidate)> {
    candidates.iter().enumerate().map(|(n, candidate)| (n + 1, candidate.span, candidate)).collect()
}

/// Refuses what no clip can be cut from.
fn usable(media: Media) -> Result<Media> {
    let (width, height) = media.require_video()?.display_size();
    if media.duration <= Timestamp::ZERO || width == 0 || height == 0 {
        return Err(Error::new(ErrorKind::InvalidInput, "this video is empty")
            .with_path(&media.path)
            .with_advice("give a video that plays"));
    }
    Ok(media)
}

/// Notices another file under the plan's path.
fn same_source(run: &Run, rank: usize, plan: &ClipPlan, media: &Media) {
    if media.id != plan.source.id {
        let path = plan.source.path.display();
        run.speaking_for(Stage::Source, Some(rank))
            .warn(format!("{path} is not the file this plan was made from: crop and captions may not fit"));
    }
}

/// Why there is no clip, in the words of whoever asked for some.
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
