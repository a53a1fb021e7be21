//! Checks the output of stages, built-in or not. Invalid output is repaired or dropped with a
//! warning, so that it cannot break a run.

use std::collections::HashSet;
use std::time::Duration;

use crate::context::Context;
use crate::model::{
    Candidate, FaceSample, FaceTrack, Rect, Score, Shot, ShotContent, Span, SubjectSample, SubjectTrack, Timestamp, Tracks, Transcript,
    WarningKind,
};
use crate::score::ScoreOptions;

/// Tolerance for span lengths: scorers pad spans slightly.
pub(super) const LENGTH_LEEWAY: Duration = Duration::from_millis(500);
/// Tolerance for frame times at a span's ends, in seconds.
const TIME_LEEWAY_SECS: f64 = 0.1;

/// Returns the transcript with its words sorted by time and inside the media.
pub(super) fn transcript(cx: &Context, mut transcript: Transcript, duration: Timestamp) -> Transcript {
    let total = transcript.words.len();
    transcript.words.retain(|word| word.start <= word.end && word.end > Timestamp::ZERO && !word.text.trim().is_empty());
    let malformed = total - transcript.words.len();
    if malformed > 0 {
        cx.warn_of(WarningKind::InputLost, format!("{malformed} words without text or with impossible times were left out"));
    }
    let valid = transcript.words.len();
    transcript.words.retain(|word| word.start < duration);
    let after = valid - transcript.words.len();
    if after > 0 {
        cx.warn_of(WarningKind::InputLost, format!(
            "{after} of {valid} words lie after the end of the video ({duration}) and were left out: check that the transcript is this video's"
        ));
    }
    if !transcript.words.is_sorted_by_key(|word| word.start) {
        cx.warn_of(WarningKind::Repaired, "the transcript's words were not in order of time and were sorted");
        transcript.words.sort_by_key(|word| word.start);
    }
    transcript
}

/// Returns the candidates as [`Scorer`](crate::stage::Scorer) requires them: inside the video,
/// within the length limits, sorted by score, without overlaps, and at most
/// [`ScoreOptions::max_clips`].
pub(super) fn candidates(cx: &Context, answer: Vec<Candidate>, options: &ScoreOptions, duration: Timestamp) -> Vec<Candidate> {
    let video = Span::between(Timestamp::ZERO, duration);
    let mut kept: Vec<Candidate> = Vec::new();
    let mut broken_scores = 0;
    for mut candidate in answer {
        let asked = candidate.span;
        let Some(span) = asked.intersection(video) else {
            cx.warn_of(
                WarningKind::Repaired,
                format!("the scorer's span {asked} lies outside the video, which ends at {duration}: left out"),
            );
            continue;
        };
        let lost = asked.duration().saturating_sub(span.duration());
        let length = span.duration();
        if length + LENGTH_LEEWAY < options.min || length > options.max + LENGTH_LEEWAY {
            cx.warn_of(
                WarningKind::Repaired,
                format!(
                    "the scorer's span {asked} lasts {:.1} s inside the video, not {} to {} s: left out",
                    length.as_secs_f64(),
                    options.min.as_secs_f64(),
                    options.max.as_secs_f64()
                ),
            );
            continue;
        }
        if lost > LENGTH_LEEWAY {
            cx.warn_of(WarningKind::Repaired, format!("the scorer's span {asked} leaves the video and was cut to {span}"));
        }
        candidate.span = span;
        broken_scores += usize::from(repair_score(&mut candidate.score));
        kept.push(candidate);
    }
    if broken_scores > 0 {
        cx.warn_of(WarningKind::Repaired, format!("{broken_scores} scores were no numbers or out of range and were set right"));
    }
    let ranked = |a: &Candidate, b: &Candidate| b.score.total.total_cmp(&a.score.total);
    if !kept.is_sorted_by(|a, b| ranked(a, b).is_le()) {
        cx.warn_of(WarningKind::Repaired, "the scorer's answer was not ranked and was sorted by score");
        kept.sort_by(ranked);
    }
    let mut disjoint: Vec<Candidate> = Vec::new();
    for candidate in kept {
        match disjoint.iter().find(|better| better.span.intersection(candidate.span).is_some()) {
            Some(better) => {
                cx.warn_of(WarningKind::Repaired, format!("the span {} overlaps the better one {}: left out", candidate.span, better.span));
            }
            None => disjoint.push(candidate),
        }
    }
    if disjoint.len() > options.max_clips {
        cx.warn_of(
            WarningKind::Repaired,
            format!("the scorer answered {} spans, {} were asked for: the best were kept", disjoint.len(), options.max_clips),
        );
        disjoint.truncate(options.max_clips);
    }
    disjoint
}

/// Replaces NaN by 0 and clamps values to their range. Returns whether anything changed.
fn repair_score(score: &mut Score) -> bool {
    let before = *score;
    let clamp = |value: f64, most: f64| if value.is_nan() { 0.0 } else { value.clamp(0.0, most) };
    *score = Score {
        total: clamp(before.total, 100.0),
        hook: clamp(before.hook, 10.0),
        completeness: clamp(before.completeness, 10.0),
        density: clamp(before.density, 10.0),
        emotion: clamp(before.emotion, 10.0),
        moment: before.moment.map(|moment| clamp(moment, 10.0)),
    };
    *score != before
}

/// Returns the tracks with shots that cover the span without gaps, and faces inside span and
/// picture.
pub(super) fn tracks(cx: &Context, answer: Tracks, span: Span) -> Tracks {
    let shots = cover(&answer.shots, span);
    if !answer.shots.is_empty() && !nearly_equal(&shots, &answer.shots) {
        cx.warn_of(WarningKind::Repaired, "the tracker's shots had gaps, overlaps or left the span, and were set right");
    }
    let seen: usize = answer.faces.iter().map(|face| face.samples.len()).sum();
    let mut used_ids = HashSet::new();
    let mut faces = Vec::new();
    let mut next_id = answer.faces.iter().map(|face| face.id).max().unwrap_or(0);
    for face in answer.faces {
        let mut samples: Vec<FaceSample> = face.samples.into_iter().filter_map(|sample| usable(sample, span)).collect();
        samples.sort_by_key(|sample| sample.at);
        samples.dedup_by_key(|sample| sample.at);
        if samples.is_empty() {
            continue;
        }
        let mut id = face.id;
        while !used_ids.insert(id) {
            next_id = next_id.wrapping_add(1);
            id = next_id;
        }
        faces.push(FaceTrack { id, samples });
    }
    let left: usize = faces.iter().map(|face| face.samples.len()).sum();
    if left < seen {
        cx.warn_of(
            WarningKind::Repaired,
            format!("{} of {seen} face boxes of the tracker were outside the span or the picture and were left out", seen - left),
        );
    }
    let subjects = answer.subjects.into_iter().filter_map(|subject| {
        let mut samples: Vec<SubjectSample> = subject
            .samples
            .into_iter()
            .filter_map(|sample| Some(SubjectSample { rect: visible(sample.at, sample.rect, span)?, ..sample }))
            .collect();
        samples.sort_by_key(|sample| sample.at);
        samples.dedup_by_key(|sample| sample.at);
        (!samples.is_empty()).then_some(SubjectTrack { samples })
    });
    Tracks { shots, faces, subjects: subjects.collect() }
}

/// Sorts, extends and cuts the shots so that they cover the span. An empty list stays empty.
fn cover(shots: &[Shot], span: Span) -> Vec<Shot> {
    let inside = |shot: &Shot| shot.span.intersection(span).map(|span| (span.start(), shot.content));
    let mut starts: Vec<(Timestamp, ShotContent)> = shots.iter().filter_map(inside).collect();
    starts.sort_by_key(|(start, _)| *start);
    starts.dedup_by_key(|(start, _)| *start);
    if let Some((first, _)) = starts.first_mut() {
        *first = span.start();
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([span.end()]);
    starts.iter().zip(ends).map(|((start, content), end)| Shot { span: Span::between(*start, end), content: *content }).collect()
}

/// Whether two lists of shots differ only by rounding.
fn nearly_equal(a: &[Shot], b: &[Shot]) -> bool {
    let near = |a: Timestamp, b: Timestamp| a.since(b).secs().abs() <= TIME_LEEWAY_SECS;
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a.span.start(), b.span.start()) && near(a.span.end(), b.span.end()))
}

/// The box cut to the picture. `None` if nothing of it is left, or if its time is outside the span.
fn visible(at: Timestamp, Rect { x, y, width, height }: Rect, span: Span) -> Option<Rect> {
    let padded = Span::between(span.start().plus(-TIME_LEEWAY_SECS), span.end().plus(TIME_LEEWAY_SECS));
    let finite = [x, y, width, height].iter().all(|value| value.is_finite());
    let (left, top) = (x.max(0.0), y.max(0.0));
    let rect = Rect::new(left, top, (x + width).min(1.0) - left, (y + height).min(1.0) - top);
    (finite && padded.contains(at) && rect.width > 0.0 && rect.height > 0.0).then_some(rect)
}

fn usable(sample: FaceSample, span: Span) -> Option<FaceSample> {
    let rect = visible(sample.at, sample.rect, span)?;
    let number = |value: f64| if value.is_nan() { 0.0 } else { value.max(0.0) };
    let speaking = sample.speaking.filter(|value| !value.is_nan()).map(|value| value.clamp(0.0, 1.0));
    Some(FaceSample { rect, confidence: number(sample.confidence).min(1.0), mouth: number(sample.mouth).min(f64::MAX), speaking, ..sample })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Word;
    use proptest::prelude::*;

    fn span(start: f64, end: f64) -> Span {
        Span::secs(start, end).unwrap()
    }

    fn candidate(start: f64, end: f64, total: f64) -> Candidate {
        Candidate::new(span(start, end), Score::of(total), "t", "r")
    }

    #[test]
    fn words_of_another_video_are_left_out_with_a_warning() {
        let cx = Context::new();
        let words = vec![Word::new("b", 5.0, 6.0), Word::new("a", 1.0, 2.0), Word::new("late", 90.0, 91.0), Word::new(" ", 3.0, 4.0)];
        let kept = transcript(&cx, Transcript { words, ..Transcript::default() }, Timestamp::from_secs(60.0));
        assert_eq!(kept.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(cx.warnings().len(), 3);
    }

    #[test]
    fn spans_outside_too_long_or_overlapping_are_left_out() {
        let cx = Context::new();
        let answer = vec![
            candidate(0.0, 100.0, 99.0),
            candidate(10.0, 30.0, 90.0),
            candidate(20.0, 45.0, 80.0),
            candidate(85.0, 130.0, 70.0),
            candidate(200.0, 230.0, 60.0),
        ];
        let kept = candidates(&cx, answer, &ScoreOptions::default(), Timestamp::from_secs(101.0));
        let spans: Vec<Span> = kept.iter().map(|candidate| candidate.span).collect();
        assert_eq!(spans, [span(10.0, 30.0), span(85.0, 101.0)]);
        assert_eq!(cx.warnings().len(), 4);
    }

    #[test]
    fn a_score_that_is_no_number_goes_last() {
        let cx = Context::new();
        let answer = vec![candidate(0.0, 20.0, f64::NAN), candidate(30.0, 50.0, 40.0), candidate(60.0, 80.0, f64::INFINITY)];
        let kept = candidates(&cx, answer, &ScoreOptions::default(), Timestamp::from_secs(100.0));
        assert_eq!(kept.iter().map(|candidate| candidate.score.total).collect::<Vec<_>>(), [100.0, 40.0, 0.0]);
    }

    #[test]
    fn shots_are_stretched_over_the_span() {
        let cx = Context::new();
        let shots = vec![Shot::new(span(0.0, 12.0)), Shot::new(span(14.0, 18.0))];
        let fixed = tracks(&cx, Tracks { shots, faces: Vec::new(), ..Tracks::default() }, span(10.0, 20.0));
        assert_eq!(fixed.shots, [Shot::new(span(10.0, 14.0)), Shot::new(span(14.0, 20.0))]);
        assert_eq!(cx.warnings().len(), 1);
    }

    proptest! {
        /// No input, however invalid, passes the checks unrepaired.
        #[test]
        fn what_is_kept_keeps_the_contract(
            answers in prop::collection::vec((-50.0..400.0f64, 0.0..200.0f64, prop::num::f64::ANY), 0..20),
            boxes in prop::collection::vec((0.0..40.0f64, prop::num::f64::ANY, -1.0..2.0f64, prop::num::f64::ANY), 0..20),
        ) {
            let cx = Context::new();
            let options = ScoreOptions::default();
            let duration = Timestamp::from_secs(300.0);
            let answer = answers.into_iter().map(|(start, length, total)| candidate(start, start + length, total)).collect();
            let kept = candidates(&cx, answer, &options, duration);
            prop_assert!(kept.len() <= options.max_clips);
            prop_assert!(kept.is_sorted_by(|a, b| a.score.total >= b.score.total));
            for (n, one) in kept.iter().enumerate() {
                prop_assert!(one.span.start() >= Timestamp::ZERO && one.span.end() <= duration);
                prop_assert!((0.0..=100.0).contains(&one.score.total));
                prop_assert!(kept[..n].iter().all(|other| other.span.intersection(one.span).is_none()));
            }
            let samples = boxes.into_iter().map(|(at, x, y, width)| FaceSample {
                at: Timestamp::from_secs(at), rect: Rect::new(x, y, width, 0.3), confidence: x, mouth: width, speaking: Some(x),
            }).collect();
            let faces = vec![FaceTrack { id: 1, samples }];
            for face in tracks(&cx, Tracks { shots: Vec::new(), faces, ..Tracks::default() }, span(10.0, 30.0)).faces {
                prop_assert!(!face.samples.is_empty() && face.samples.is_sorted_by_key(|sample| sample.at));
                for sample in face.samples {
                    let rect = sample.rect;
                    prop_assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.x + rect.width <= 1.0 + 1e-9 && rect.y + rect.height <= 1.0 + 1e-9);
                    prop_assert!((0.0..=1.0).contains(&sample.confidence) && sample.mouth.is_finite());
                }
            }
        }
    }
}
