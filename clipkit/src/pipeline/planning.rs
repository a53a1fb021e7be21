use crate::context::Context;
use crate::error::Result;
use crate::model::{
    Aspect, Candidate, CaptionTrack, ClipPlan, FaceSample, FaceTrack, FrameRate, Media, PlanSource, Shot, Span, SubjectSample,
    SubjectTrack, Timestamp, Tracks, Transcript,
};
use crate::plan::caption::{self, Around};
use crate::plan::reframe::{self, Framed, Framing};

use super::ClipOptions;

/// The rates that players and platforms know, slowest first.
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
/// How far an average may be from a rate and still be meant as it.
const SAME_RATE: f64 = 0.01;

/// What is known of a clip's stretch of the video.
pub(super) struct Known<'a> {
    pub(super) media: &'a Media,
    pub(super) transcript: &'a Transcript,
    pub(super) tracks: &'a Tracks,
    /// Where a voice is heard.
    pub(super) voice: &'a [Span],
}

/// From tracks and words to a plan. What captions cannot be made is left out with a warning; no other part may fail.
pub(super) fn plan(cx: &Context, known: &Known<'_>, candidate: &Candidate, options: &ClipOptions, size: (u32, u32)) -> Result<ClipPlan> {
    let &Known { media, transcript, tracks, voice } = known;
    let video = media.require_video()?;
    let span = candidate.span;
    let picture = video.display_size();
    let words = transcript.words_in(span);
    let Framed { scenes, unmet } = reframe::framed(&Framing { tracks, words, voice, span, picture, output: size, layout: options.layout });
    if let Some(unmet) = unmet {
        cx.warn(unmet);
    }
    let mut plan = ClipPlan {
        version: ClipPlan::VERSION,
        source: source_of(media)?,
        span,
        title: candidate.title.clone(),
        reason: candidate.reason.clone(),
        hook_line: candidate.hook_line.clone(),
        score: candidate.score,
        shots: tracks.shots.iter().map(|shot| Shot { span: shot.span.since(span.start()), ..*shot }).collect(),
        faces: tracks.faces.iter().map(|face| on_the_clips_timeline(face, span)).collect(),
        subjects: tracks.subjects.iter().map(|subject| subject_on_the_clips_timeline(subject, span)).collect(),
        scenes,
        captions: None,
        hook: None,
        output: options.output(size, output_rate(video.frame_rate)),
    };
    plan.validate()?;
    let safe_area = options.platform.safe_area(aspect_of(size));
    if let Some(style) = &options.captions {
        let cues = caption::cues(words, &transcript.words, style, span);
        if cues.is_empty() {
            cx.warn("no words are said in this clip, so it has no captions");
        } else {
            let mut track = CaptionTrack { style: style.clone(), safe_area, cues };
            caption::place(&mut track, &plan.scenes, &plan.faces);
            plan.captions = Some(track);
        }
        if let Err(error) = plan.validate() {
            cx.warn(format!("captions could not be laid out: {error}; the clip is made without them"));
            plan.captions = None;
        }
    }
    if let Some(style) = &options.hook {
        let ClipPlan { scenes, faces, captions, .. } = &plan;
        let around = Around { size, safe_area, clip: span, scenes, faces, captions: captions.as_ref() };
        plan.hook = caption::hook(candidate.hook_line.as_deref().unwrap_or(&candidate.title), style, &around);
        if let Err(error) = plan.validate() {
            cx.warn(format!("the title could not be laid out: {error}; the clip is made without it"));
            plan.hook = None;
        }
    }
    Ok(plan)
}

pub(super) fn source_of(media: &Media) -> Result<PlanSource> {
    let (width, height) = media.require_video()?.display_size();
    Ok(PlanSource { media: media.reference(), width, height, duration: media.duration })
}

fn on_the_clips_timeline(face: &FaceTrack, span: Span) -> FaceTrack {
    let moved = |sample: &FaceSample| FaceSample { at: sample.at.since(span.start()).max(Timestamp::ZERO), ..*sample };
    FaceTrack { id: face.id, samples: face.samples.iter().map(moved).collect() }
}

fn subject_on_the_clips_timeline(subject: &SubjectTrack, span: Span) -> SubjectTrack {
    let moved = |sample: &SubjectSample| SubjectSample { at: sample.at.since(span.start()).max(Timestamp::ZERO), ..*sample };
    SubjectTrack { samples: subject.samples.iter().map(moved).collect() }
}

/// Interfaces lie over tall pictures only.
fn aspect_of((width, height): (u32, u32)) -> Aspect {
    if u64::from(height) * 2 >= u64::from(width) * 3 { Aspect::Vertical } else { Aspect::Square }
}

/// The standard rate that suits a source's average: itself where it is one, its half or quarter above 60, 30 where it is slow.
pub(super) fn output_rate(average: FrameRate) -> FrameRate {
    let (slowest, fastest) = (RATES[0], RATES[RATES.len() - 1]);
    let mut fps = average.fps();
    while fps > fastest.fps() * (1.0 + SAME_RATE) && fps.is_finite() {
        fps /= 2.0;
    }
    if fps < slowest.fps() * (1.0 - SAME_RATE) {
        // Each frame shown twice is as smooth as the source; anything else stutters the least at 30.
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
    fn rates_are_standard_and_playable() {
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
    fn only_tall_pictures_carry_an_interface() {
        assert_eq!(aspect_of((1080, 1920)), Aspect::Vertical);
        assert_eq!(aspect_of((720, 1280)), Aspect::Vertical);
        assert_eq!(aspect_of((1080, 1350)), Aspect::Square);
        assert_eq!(aspect_of((1920, 1080)), Aspect::Square);
    }
}
