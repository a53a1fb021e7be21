//! The steps of a run as separate calls that take documents and return a document.

use std::path::Path;
use std::sync::Arc;

use super::call::call;
use super::{Pipeline, StandIn, check, nothing_found, passage, posts};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Candidate, ClipPlan, Media, Overlay, Post, Receipt, RenderedClip, Span, SpeechMap, Stage, Timestamp, Tracks, Transcript, WarningKind,
};
use crate::plan::edit::{EditOp, EditSources, edit};
use crate::plan::snap::{self, SnapInput};
use crate::plan::{self, PlanInput};
use crate::publish::Target;
use crate::render;
use crate::score::{Heuristic, Scorer, Scoring};
use crate::speech::track;
use crate::track::{CenterTracker, FaceTracker, MotionTracker, Tracking};

/// The steps. Each takes documents and returns one, so that each can be a job of its own: in
/// another process, on another machine, or after a crash.
///
/// A step that fails returns its error, unless
/// [`ClipOptions::degrade`](crate::ClipOptions::degrade) allows a fallback.
impl Pipeline {
    /// Fetches the video at `uri` to this machine and probes it. If it has several audio tracks and
    /// [`ClipOptions::audio_track`](crate::ClipOptions::audio_track) does not name one, a silent
    /// default track is replaced by one with speech.
    pub async fn fetch(&self, cx: &Context, uri: &str) -> Result<Media> {
        let (source, asked) = (self.stages.source.clone(), uri.to_owned());
        let media = call(cx, Stage::Source, |cx| async move { usable(source.fetch(&cx, &asked).await?) }).await?;
        cx.bind(&media.id, &media.path);
        track::choose(&cx.for_stage(Stage::Source), media, self.options.audio_track).await
    }

    /// Transcribes the video. The words are sorted by time and lie inside the video.
    pub async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        let media = self.local(cx, media).await?;
        self.transcribed(cx, media).await
    }

    /// [`transcribe`](Pipeline::transcribe) of media whose file is where they say, or still comes
    /// in.
    pub(super) async fn transcribed(&self, cx: &Context, media: Media) -> Result<Transcript> {
        let stand_in = self.degrade.transcriber != StandIn::Never;
        let cx = &cx.for_stage(Stage::Transcribe).with_stand_in(stand_in).sharing(self.stages.speech.clone());
        let transcriber = self.stages.transcriber.clone();
        let duration = media.duration;
        let answer = call(cx, Stage::Transcribe, |cx| async move { transcriber.transcribe(&cx, &media).await }).await?;
        Ok(check::transcript(cx, answer, duration))
    }

    /// Chooses the spans that are worth a clip, best first. They lie inside the video, are within
    /// the length limits and do not overlap. If [`ClipOptions::snap`](crate::ClipOptions::snap) is
    /// set, their ends are moved into pauses. A span in which the source's sound or picture is
    /// missing for a while gets a lower score and a warning.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NothingFound`] if there is no such span.
    pub async fn choose(&self, cx: &Context, media: &Media, transcript: &Transcript) -> Result<Vec<Candidate>> {
        let media = &self.local(cx, media).await?;
        let candidates = self.candidates(cx, media, transcript).await?;
        let candidates = self.snapped(cx, media, transcript, candidates).await?;
        self.weighed(cx, media, transcript, candidates).await
    }

    /// Ranks passages lower under which the sound or the picture is missing.
    pub(super) async fn weighed(
        &self,
        cx: &Context,
        media: &Media,
        transcript: &Transcript,
        candidates: Vec<Candidate>,
    ) -> Result<Vec<Candidate>> {
        let map = self.speech(cx, media).await?;
        Ok(passage::weigh(cx, candidates, media, transcript, &map))
    }

    /// The checked candidates of the scorer.
    pub(super) async fn candidates(&self, cx: &Context, media: &Media, transcript: &Transcript) -> Result<Vec<Candidate>> {
        self.options.check_limits(cx.limits())?;
        let cx = &cx.for_stage(Stage::Score);
        let options = self.options.scoring();
        let scorer = self.stages.scorer.clone();
        let scoring = Scoring { media: Some(media.clone()), transcript: transcript.clone(), options: options.clone() };
        let asked = scoring.clone();
        let answer = match call(cx, Stage::Score, |cx| async move { scorer.score(&cx, &asked).await }).await {
            Err(error) if self.degrade.scorer.allows(&error, self.stages.scorer.is_builtin()) => {
                cx.warn_of(WarningKind::StandIn, format!("the scorer failed: {error}; the heuristic chooses the spans"));
                call(cx, Stage::Score, |cx| async move { Heuristic::default().score(&cx, &scoring).await }).await?
            }
            answer => answer?,
        };
        let answered = answer.len();
        let candidates = check::candidates(cx, answer, &options, media.duration);
        if candidates.is_empty() {
            return Err(nothing_found(media, transcript, &options, answered));
        }
        Ok(candidates)
    }

    /// Moves the ends of the candidates into pauses.
    pub(super) async fn snapped(
        &self,
        cx: &Context,
        media: &Media,
        transcript: &Transcript,
        mut candidates: Vec<Candidate>,
    ) -> Result<Vec<Candidate>> {
        if !self.options.snap {
            return Ok(candidates);
        }
        let voice = self.speech(cx, media).await?;
        let spans: Vec<Span> = candidates.iter().map(|candidate| candidate.span).collect();
        let video = Span::between(Timestamp::ZERO, media.duration);
        let (min, max) = (self.options.min, self.options.max + check::LENGTH_LEEWAY);
        for (n, candidate) in candidates.iter_mut().enumerate() {
            let others: Vec<Span> = spans.iter().enumerate().filter(|(other, _)| *other != n).map(|(_, span)| *span).collect();
            let near = Span::between(candidate.span.start().plus(-snap::CONTEXT_SECS), candidate.span.end().plus(snap::CONTEXT_SECS));
            let voice: Vec<Span> = voice.spans.iter().filter_map(|heard| heard.intersection(near)).collect();
            let input = SnapInput { voice: &voice, others: &others, min, max, ..SnapInput::new(&transcript.words, video) };
            candidate.span = snap::snap(candidate.span, &input);
        }
        Ok(candidates)
    }

    /// Finds the shots and faces in a span. The result is checked.
    pub async fn track(&self, cx: &Context, media: &Media, span: Span) -> Result<Tracks> {
        let tracking = Tracking { media: self.local(cx, media).await?, span };
        let cx = &cx.for_stage(Stage::Track);
        let (tracker, is_builtin) = (self.stages.tracker.clone(), self.stages.tracker.is_builtin());
        let stand_ins: [Arc<dyn FaceTracker>; 2] = [Arc::new(MotionTracker::default()), Arc::new(CenterTracker)];
        let outcomes = ["the crop follows what moves", "the crop stays in the middle"];
        let mut answer = track(cx, tracker, &tracking).await;
        for (stand_in, outcome) in stand_ins.into_iter().zip(outcomes) {
            match answer {
                Err(error) if self.degrade.tracker.allows(&error, is_builtin) => {
                    let message = format!("face detection is off: {error}; {outcome}");
                    // A missing model concerns every clip of the run.
                    if error.kind() == ErrorKind::Unavailable || error.kind() == ErrorKind::NotFound {
                        cx.warn_once_of(WarningKind::StandIn, message);
                    } else {
                        cx.warn_of(WarningKind::StandIn, message);
                    }
                    answer = track(cx, stand_in, &tracking).await;
                }
                _ => break,
            }
        }
        Ok(check::tracks(cx, answer?, span))
    }

    /// Plans the framing and captions of one clip, tightens it if
    /// [`ClipOptions::tighten`](crate::ClipOptions::tighten) is set, and adds punch-ins if
    /// [`ClipOptions::punch_in`](crate::ClipOptions::punch_in) is. No stage is called, and equal
    /// inputs give equal plans. The lengths of intro and outro are measured if their files are
    /// here.
    pub async fn plan(
        &self,
        cx: &Context,
        media: &Media,
        transcript: &Transcript,
        candidate: &Candidate,
        tracks: &Tracks,
    ) -> Result<ClipPlan> {
        self.plan_in(cx, media, transcript, candidate, tracks, None).await
    }

    /// As [`plan`](Pipeline::plan), in a picture of this width and height in pixels instead of the
    /// renderer's and the options'.
    pub(super) async fn plan_in(
        &self,
        cx: &Context,
        media: &Media,
        transcript: &Transcript,
        candidate: &Candidate,
        tracks: &Tracks,
        size: Option<(u32, u32)>,
    ) -> Result<ClipPlan> {
        let media = self.local(cx, media).await?;
        let heard = self.speech(cx, &media).await?;
        let voice: Vec<Span> = heard.spans.iter().filter_map(|heard| heard.intersection(candidate.span)).collect();
        let (transcript, candidate, tracks) = (transcript.clone(), candidate.clone(), tracks.clone());
        let size = size.or_else(|| self.stages.renderer.size()).unwrap_or(self.options.aspect.size());
        let (options, tighten, punch_in) = (self.options.plan_options(size), self.options.tighten, self.options.punch_in);
        let plan = call(cx, Stage::Plan, |cx| async move {
            cx.blocking(move |cx| {
                let input = PlanInput::new(&media, &transcript, &tracks, &candidate).with_voice(&voice);
                let (plan, warnings) = plan::plan(&input, &options)?;
                for warning in warnings {
                    cx.warn_of(warning.kind, warning.message);
                }
                let mut ops = Vec::new();
                match tighten {
                    // Without words nothing says where a pause is.
                    Some(_) if transcript.words_in(candidate.span).is_empty() => {
                        cx.warn_of(WarningKind::Tighten, "no words are known in this clip, so no pauses are cut out");
                    }
                    Some(_) if heard.levels.is_empty() => {
                        cx.warn_of(WarningKind::Tighten, "there is no sound that could be analysed, so no pauses are cut out of this clip");
                    }
                    Some(level) => ops.push(EditOp::Tighten { level }),
                    None => {}
                }
                // Joins come before what hides them.
                ops.extend(punch_in.map(|at| EditOp::PunchIn { at: Some(at) }));
                let sources = EditSources::new().with_transcript(&transcript).with_speech(&heard);
                if ops.is_empty() { Ok(plan) } else { edit(&plan, &ops, &sources).map(|edited| edited.plan) }
            })
            .await
        })
        .await?;
        match render::with_lengths(&cx.for_stage(Stage::Plan), &plan).await {
            // The machine that renders may have files that this one lacks. Rendering says so.
            Err(error) if !error.is_cancelled() => Ok(plan),
            measured => measured,
        }
    }

    /// Renders a plan. The files are in the scratch space of `cx` and are removed with it.
    pub async fn render(&self, cx: &Context, plan: &ClipPlan) -> Result<RenderedClip> {
        self.rendered(cx, plan).await.map(|(clip, _)| clip)
    }

    /// Renders a plan and makes its post, which can be edited before it is published. The files are
    /// in the scratch space of `cx` and are removed with it.
    pub async fn render_post(&self, cx: &Context, rank: usize, plan: &ClipPlan) -> Result<Post> {
        let (clip, plan) = self.rendered(cx, plan).await?;
        posts::post(cx, rank, &plan, &clip)
    }

    /// Renders a clip. The returned plan is the rendered one: with the measured lengths of intro
    /// and outro, without captions, title and overlays that could not be drawn.
    pub(super) async fn rendered(&self, cx: &Context, plan: &ClipPlan) -> Result<(RenderedClip, ClipPlan)> {
        plan.validate()?;
        plan.check_limits(cx.limits())?;
        self.locate(cx, &plan.source.media).await?;
        let mut plan = render::with_lengths(&cx.for_stage(Stage::Render), plan).await?;
        let error = match self.draw_present(cx, &mut plan).await {
            Err(error) if self.may_omit_text(&plan, &error) => error,
            clip => return Ok((clip?, plan)),
        };
        // The title may have characters that a font has, if the captions have others.
        let title_only = ClipPlan { captions: None, ..plan.clone() };
        let mut plain = ClipPlan { hook: None, ..title_only.clone() };
        plain.overlays.retain(|overlay| !overlay.is_text());
        let attempts = if plan.captions.is_some() && title_only != plain { vec![title_only, plain] } else { vec![plain] };
        for mut plan in attempts {
            match self.draw_present(cx, &mut plan).await {
                Err(error) if self.may_omit_text(&plan, &error) => {}
                clip => {
                    let clip = clip?;
                    let message = format!("captions could not be drawn: {error}; the clip is made without them");
                    cx.for_stage(Stage::Render).warn_of(WarningKind::StandIn, message);
                    return Ok((clip, plan));
                }
            }
        }
        Err(error)
    }

    /// Whether the clip may be made without the text that could not be drawn.
    fn may_omit_text(&self, plan: &ClipPlan, error: &Error) -> bool {
        error.kind() == ErrorKind::Captions
            && (plan.captions.is_some() || plan.hook.is_some() || plan.overlays.iter().any(Overlay::is_text))
            && self.degrade.captions.allows(error, self.stages.renderer.is_builtin())
    }

    /// Draws a plan, without the overlays whose images cannot be read if the clip may lack them.
    /// They are removed from the plan.
    async fn draw_present(&self, cx: &Context, plan: &mut ClipPlan) -> Result<RenderedClip> {
        loop {
            let error = match self.draw(cx, plan).await {
                Err(error) if self.may_omit_overlay(plan, &error) => error,
                clip => return clip,
            };
            let is_broken = |overlay: &Overlay| overlay.file().is_some_and(|file| error.path() == Some(Path::new(file)));
            if plan.overlays.iter().any(is_broken) {
                plan.overlays.retain(|overlay| !is_broken(overlay));
            } else {
                // No file is named: an emoji from an installed font, or a renderer that does not
                // say which image it is.
                plan.overlays.retain(|overlay| !overlay.is_picture());
            }
            let message = format!("an overlay could not be drawn: {error}; the clip is made without it");
            cx.for_stage(Stage::Render).warn_of(WarningKind::Overlay, message);
        }
    }

    /// Whether the clip may be made without an image that could not be read.
    fn may_omit_overlay(&self, plan: &ClipPlan, error: &Error) -> bool {
        error.kind() == ErrorKind::Overlay
            && plan.overlays.iter().any(Overlay::is_picture)
            && self.degrade.overlays.allows(error, self.stages.renderer.is_builtin())
    }

    async fn draw(&self, cx: &Context, plan: &ClipPlan) -> Result<RenderedClip> {
        let (renderer, plan) = (self.stages.renderer.clone(), plan.clone());
        call(cx, Stage::Render, |cx| async move { renderer.render(&cx, &plan).await }).await
    }

    /// Publishes a post. If the pipeline has several publishers, call
    /// [`publish_to`](Pipeline::publish_to) instead.
    pub async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        match &self.stages.publishers[..] {
            [publisher] => self.send(cx, publisher, post).await,
            _ => {
                Err(Error::new(ErrorKind::Config, "this pipeline publishes to several targets")
                    .with_advice("say to which one (publish_to)"))
            }
        }
    }

    /// Publishes a post to one of the pipeline's targets.
    pub async fn publish_to(&self, cx: &Context, target: &Target, post: &Post) -> Result<Receipt> {
        let publisher = self.stages.publishers.iter().find(|publisher| publisher.target() == *target);
        let publisher = publisher.ok_or_else(|| Error::new(ErrorKind::Config, format!("no publisher has the target {target}")))?;
        self.send(cx, publisher, post).await
    }

    /// The targets of the pipeline's publishers.
    pub fn targets(&self) -> Vec<Target> {
        self.stages.publishers.iter().map(|publisher| publisher.target()).collect()
    }

    /// Finds where somebody speaks in a medium, and how loud it is, for
    /// [`EditOp::Tighten`](crate::plan::edit::EditOp::Tighten). A map that is cached is not made
    /// again.
    ///
    /// Sound that cannot be decoded leaves a warning and gives an empty map.
    pub async fn listen(&self, cx: &Context, media: &Media) -> Result<Arc<SpeechMap>> {
        self.speech(cx, media).await
    }

    /// The speech map of the medium. Sound that cannot be decoded leaves a warning and gives an
    /// empty map.
    pub(super) async fn speech(&self, cx: &Context, media: &Media) -> Result<Arc<SpeechMap>> {
        let cx = cx.for_stage(Stage::Plan);
        match self.stages.speech.of(&cx, media).await {
            Err(error) if !error.is_cancelled() => {
                cx.warn_once_of(
                    WarningKind::InputLost,
                    format!("the sound could not be searched for voices: {error}; clips may start or end inside a word"),
                );
                Ok(Arc::default())
            }
            found => found,
        }
    }
}

async fn track(cx: &Context, tracker: Arc<dyn FaceTracker>, tracking: &Tracking) -> Result<Tracks> {
    let tracking = tracking.clone();
    call(cx, Stage::Track, |cx| async move { tracker.track(&cx, &tracking).await }).await
}

/// Rejects media that no clip can be cut from.
fn usable(media: Media) -> Result<Media> {
    let (width, height) = media.require_video()?.display_size();
    if media.duration <= Timestamp::ZERO || width == 0 || height == 0 {
        return Err(Error::new(ErrorKind::InvalidInput, "this video is empty")
            .with_path(&media.path)
            .with_advice("give a video that plays"));
    }
    Ok(media)
}
