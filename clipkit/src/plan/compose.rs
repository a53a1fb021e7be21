use crate::error::Result;
use crate::model::{
    Aspect, Candidate, CaptionTrack, ClipPlan, FaceSample, FaceTrack, FrameRate, Media, PlanSource, Shot, SoundEvent, Span, Stage,
    SubjectSample, SubjectTrack, Timestamp, Tracks, Transcript, Warning, WarningKind,
};

use super::caption::{self, HookContext};
use super::censor::{Matcher, censor};
use super::post_texts::post_texts;
use super::reframe::{self, Framing, FramingInput};
use super::{Brand, PlanOptions};

/// The standard frame rates of players and platforms, in ascending order.
const RATES: [FrameRate; 8] = [
    FrameRate::new(24_000, 1001),
    FrameRate::new(24, 1),
    FrameRate::new(25, 1),
    FrameRate::new(30_000, 1001),
    FrameRate::new(30, 1),
    FrameRate::new(50, 1),
    FrameRate::new(60_000, 1001),
    FrameRate::new(60, 1),
];
/// The words that a span may cut are at most this long, in seconds.
const LONGEST_WORD: f64 = 3.0;
/// The relative difference up to which an average frame rate counts as a standard rate.
const SAME_RATE: f64 = 0.01;

/// The documents that one clip is planned from. All times are on the source's timeline.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PlanInput<'a> {
    /// The probed source file. It must have a video stream.
    pub media: &'a Media,
    /// The transcript of the whole source.
    pub transcript: &'a Transcript,
    /// The shots, faces and subjects of the clip's span. Empty tracks give a centred crop.
    pub tracks: &'a Tracks,
    /// The stretches of the clip's span in which voice activity was detected, in ascending order
    /// and without overlaps. Empty if the audio was not analysed.
    pub voice: &'a [Span],
    /// The clip's span, title, hook line, reason and score.
    pub candidate: &'a Candidate,
}

impl<'a> PlanInput<'a> {
    /// An input without voice activity.
    pub fn new(media: &'a Media, transcript: &'a Transcript, tracks: &'a Tracks, candidate: &'a Candidate) -> Self {
        PlanInput { media, transcript, tracks, voice: &[], candidate }
    }

    /// The same input with the stretches in which voice activity was detected.
    #[must_use]
    pub fn with_voice(self, voice: &'a [Span]) -> Self {
        PlanInput { voice, ..self }
    }
}

/// Makes the plan of one clip, with warnings for requested parts that the plan lacks.
///
/// The function is pure: equal inputs give equal plans. It uses the candidate's span unchanged;
/// call [`snap`](super::snap::snap) first to move the ends into pauses. Caption widths are
/// estimated here and measured with the real fonts when the clip is rendered.
///
/// # Errors
///
/// - [`InvalidInput`](crate::ErrorKind::InvalidInput): the media has no video stream.
/// - [`InvalidPlan`](crate::ErrorKind::InvalidPlan): the options are out of range (for example an
///   odd output size), or the candidate or the tracks give a plan that
///   [`ClipPlan::validate`] rejects.
pub fn plan(input: &PlanInput<'_>, options: &PlanOptions) -> Result<(ClipPlan, Vec<Warning>)> {
    let &PlanInput { media, transcript, tracks, voice, candidate } = input;
    let mut warnings = Vec::new();
    let mut warn = |kind, message: String| warnings.push(Warning::new(kind, Stage::Plan, message));
    let video = media.require_video()?;
    let span = candidate.span;
    let words = transcript.words_in(span);
    let laughs = |event: &&SoundEvent| options.reactions && event.is_laughter();
    let laughter: Vec<Span> = transcript.events.iter().filter(laughs).map(|event| event.span).collect();
    let framing = FramingInput {
        tracks,
        words,
        voice,
        span,
        picture: video.display_size(),
        output: options.size,
        layout: options.layout,
        laughter: &laughter,
    };
    let Framing { scenes, layout_warning } = reframe::frame(&framing);
    if let Some(message) = layout_warning {
        warn(WarningKind::Layout, message);
    }
    let usual = Brand::default();
    let brand = options.brand.as_ref().unwrap_or(&usual);
    let mut plan = ClipPlan {
        version: ClipPlan::VERSION,
        source: source_of(media)?,
        span,
        pieces: Vec::new(),
        sound: Vec::new(),
        censored: Vec::new(),
        title: candidate.title.clone(),
        reason: candidate.reason.clone(),
        hook_line: candidate.hook_line.clone(),
        score: candidate.score,
        shots: tracks.shots.iter().map(|shot| Shot { span: shot.span.since(span.start()), ..*shot }).collect(),
        faces: tracks.faces.iter().map(|face| face_on_clip_timeline(face, span)).collect(),
        subjects: tracks.subjects.iter().map(|subject| subject_on_clip_timeline(subject, span)).collect(),
        scenes,
        captions: None,
        hook: None,
        overlays: Vec::new(),
        zooms: Vec::new(),
        fonts: Vec::new(),
        intro: brand.intro.clone(),
        outro: brand.outro.clone(),
        post: crate::model::PostTexts::default(),
        output: options.output(output_rate(video.frame_rate)),
    };
    plan.validate()?;
    let safe_area = options.platform.safe_area(Aspect::of(options.size));
    plan.overlays = brand.overlays_in(safe_area);
    plan.sound = brand.sounds_until(plan.timeline().end());
    plan.fonts.clone_from(&brand.font_files);
    plan.validate()?;
    if let Some(style) = &options.captions.as_ref().map(|style| brand.caption_style(style)) {
        let cues = caption::cues(words, &transcript.words, style, span);
        if cues.is_empty() {
            warn(WarningKind::Captions, "no words are said in this clip, so it has no captions".into());
        } else {
            let mut track = CaptionTrack { style: style.clone(), safe_area, cues };
            caption::place(&mut track, &plan.scenes, &plan.faces);
            plan.captions = Some(track);
        }
        if let Err(error) = plan.validate() {
            let message = format!("captions could not be laid out: {error}; the clip is made without them");
            warn(WarningKind::Captions, message);
            plan.captions = None;
        }
    }
    if let Some(style) = &options.hook.as_ref().map(|style| brand.hook_style(style)) {
        let ClipPlan { scenes, faces, captions, overlays, .. } = &plan;
        let context = HookContext { size: options.size, safe_area, clip: span, scenes, faces, captions: captions.as_ref(), overlays };
        plan.hook = caption::hook(candidate.hook_line.as_deref().unwrap_or(&candidate.title), style, &context);
        if let Err(error) = plan.validate() {
            let message = format!("the title could not be laid out: {error}; the clip is made without it");
            warn(WarningKind::Hook, message);
            plan.hook = None;
        }
    }
    let (post, lost) = post_texts(candidate, &media.about, transcript, words);
    plan.post = post;
    if let Some(lost) = lost {
        warn(WarningKind::Repaired, format!("the texts for posts are too long: {lost}"));
    }
    if let Some(list) = &options.censor {
        let heard = heard_words(transcript, span);
        censor(&mut plan, &heard, &Matcher::of(list, transcript.language.as_deref()), list.with);
        plan.validate()?;
    }
    Ok((plan, warnings))
}

/// The words of which something is heard in a span, with their times in it.
fn heard_words(transcript: &Transcript, span: Span) -> Vec<(&str, Span)> {
    // A word belongs to the span of its middle, and a part of it can be heard beyond that.
    let around = Span::between(span.start().plus(-LONGEST_WORD), span.end().plus(LONGEST_WORD));
    let words = transcript.words_in(around).iter().map(|word| (word.text.as_str(), Span::between(word.start, word.end)));
    words.filter(|(_, word)| word.intersection(span).is_some()).map(|(text, word)| (text, word.since(span.start()))).collect()
}

/// The reference to the source file in a plan.
pub(crate) fn source_of(media: &Media) -> Result<PlanSource> {
    let (width, height) = media.require_video()?.display_size();
    Ok(PlanSource { media: media.reference(), width, height, duration: media.duration, audio_track: media.audio_track })
}

fn face_on_clip_timeline(face: &FaceTrack, span: Span) -> FaceTrack {
    let moved = |sample: &FaceSample| FaceSample { at: sample.at.since(span.start()).max(Timestamp::ZERO), ..*sample };
    FaceTrack { id: face.id, samples: face.samples.iter().map(moved).collect() }
}

fn subject_on_clip_timeline(subject: &SubjectTrack, span: Span) -> SubjectTrack {
    let moved = |sample: &SubjectSample| SubjectSample { at: sample.at.since(span.start()).max(Timestamp::ZERO), ..*sample };
    SubjectTrack { samples: subject.samples.iter().map(moved).collect() }
}

/// The standard output rate for a source's average frame rate.
///
/// A standard rate stays. Rates above 60 are halved until they are at most 60. Rates below 24 are
/// doubled if that gives a standard rate, else they become 30. Other rates become the nearest
/// standard rate; invalid rates become 30.
fn output_rate(average: FrameRate) -> FrameRate {
    let (slowest, fastest) = (RATES[0], RATES[RATES.len() - 1]);
    let mut fps = average.fps();
    while fps > fastest.fps() * (1.0 + SAME_RATE) && fps.is_finite() {
        fps /= 2.0;
    }
    if fps < slowest.fps() * (1.0 - SAME_RATE) {
        // Showing each frame twice adds no judder; for other rates, 30 adds the least.
        let doubled = RATES.into_iter().find(|rate| (fps * 2.0 / rate.fps() - 1.0).abs() < SAME_RATE / 10.0);
        return doubled.unwrap_or(FrameRate::new(30, 1));
    }
    let distance = |rate: &FrameRate| (rate.fps() / fps - 1.0).abs();
    RATES.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).filter(|_| fps.is_finite()).unwrap_or(FrameRate::new(30, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_rates_are_standard() {
        for ((num, den), expected) in [
            ((24_000, 1001), (24_000, 1001)),
            ((24, 1), (24, 1)),
            ((2997, 100), (30_000, 1001)),
            ((30, 1), (30, 1)),
            ((5994, 100), (60_000, 1001)),
            ((120, 1), (60, 1)),
            ((100, 1), (50, 1)),
            ((240, 1), (60, 1)),
            ((29_571, 1000), (30_000, 1001)),
            ((221, 10), (30, 1)),
            ((15, 1), (30, 1)),
            ((25, 2), (25, 1)),
            ((10, 1), (30, 1)),
            ((0, 1), (30, 1)),
            ((5, 0), (30, 1)),
            ((u32::MAX, 1), (60, 1)),
        ] {
            let rate = output_rate(FrameRate::new(num, den));
            assert!((23.9..=60.0).contains(&rate.fps()), "{num}/{den} -> {rate}");
            if num != u32::MAX {
                assert_eq!(rate, FrameRate::new(expected.0, expected.1), "{num}/{den}");
            }
        }
    }

    #[test]
    fn only_vertical_outputs_have_an_interface_overlay() {
        assert_eq!(Aspect::of((1080, 1920)), Aspect::Vertical);
        assert_eq!(Aspect::of((720, 1280)), Aspect::Vertical);
        assert_eq!(Aspect::of((1080, 1350)), Aspect::Square);
        assert_eq!(Aspect::of((1920, 1080)), Aspect::Square);
    }
}
