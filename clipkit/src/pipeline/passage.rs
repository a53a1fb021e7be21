//! What of sound and picture is missing under a passage: such a passage is worse than its words
//! say.

use std::ops::Range;

use crate::context::Context;
use crate::model::{Candidate, Media, Span, SpeechMap, Stage, Timestamp, Transcript, WarningKind, Word};

/// The length of an interval of [`SpeechMap::levels`], in seconds.
const LEVEL_SECS: f64 = 0.05;
/// An interval is silent at this level or below, in half dB below full scale: -60 dB. Quiet speech
/// is above -50 dB.
const SILENT: u8 = 120;
/// Silence of this length, in seconds, is missing sound if words are said in it for [`SAID`]
/// seconds. Shorter pauses of a voice with a noise gate are silent, too.
const MISSING: f64 = 1.5;
const SAID: f64 = 0.75;
/// Silence of this length is missing sound whatever the words are.
const LONG: f64 = 6.0;
/// A picture that is missing for less than this, in seconds, is not noticed: the last one stays.
const PICTURE: f64 = 1.0;
/// The share of its score that a passage loses if sound or picture are missing all the time.
const WEIGHT: f64 = 0.8;

/// Something that is missing under a passage.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Missing {
    Sound(Span),
    Picture(Span),
}

impl Missing {
    fn span(self) -> Span {
        match self {
            Missing::Sound(span) | Missing::Picture(span) => span,
        }
    }

    fn message(self) -> String {
        let shown = |span: Span| format!("from {} to {}", span.start(), span.end());
        match self {
            Missing::Sound(span) => format!("the source is silent {} under this passage", shown(span)),
            Missing::Picture(span) => {
                format!("the source has no picture {} under this passage; its nearest one is shown", shown(span))
            }
        }
    }
}

/// Lowers the scores of passages whose sound or picture is missing in part, sorts the passages
/// again, and warns of each.
pub(super) fn weigh(cx: &Context, candidates: Vec<Candidate>, media: &Media, transcript: &Transcript, map: &SpeechMap) -> Vec<Candidate> {
    let silences = silences(media, transcript, map);
    let mut weighed: Vec<(Candidate, Vec<Missing>)> = candidates
        .into_iter()
        .map(|mut candidate| {
            let missing = missing(candidate.span, media, &silences);
            candidate.score.total *= 1.0 - WEIGHT * share(&missing, candidate.span);
            (candidate, missing)
        })
        .collect();
    // Passages of one score keep their order.
    weighed.sort_by(|(a, _), (b, _)| b.score.total.total_cmp(&a.score.total));
    for (rank, (_, missing)) in (1..).zip(&weighed) {
        let cx = cx.for_clip(rank).for_stage(Stage::Score);
        missing.iter().for_each(|missing| cx.warn_of(WarningKind::InputLost, missing.message()));
    }
    weighed.into_iter().map(|(candidate, _)| candidate).collect()
}

/// The share of a passage in which something is missing, 0 to 1. Times in which both are missing
/// count once.
fn share(missing: &[Missing], passage: Span) -> f64 {
    let mut spans: Vec<Span> = missing.iter().map(|missing| missing.span()).collect();
    spans.sort_by_key(|span| span.start());
    let (mut secs, mut until) = (0.0, passage.start());
    for span in spans {
        let from = span.start().max(until);
        secs += span.end().since(from).secs().max(0.0);
        until = until.max(span.end());
    }
    (secs / passage.duration().as_secs_f64().max(1e-6)).min(1.0)
}

fn missing(passage: Span, media: &Media, silences: &[Span]) -> Vec<Missing> {
    // A pause at the edge of a passage is cut, or is heard as a pause.
    let sounds =
        silences.iter().filter_map(|silence| silence.intersection(passage)).filter(|span| span.duration().as_secs_f64() >= MISSING);
    let pictures = media.video.iter().flat_map(|video| {
        let before = Span::between(passage.start(), video.start.max(passage.start()).min(passage.end()));
        let after = video.end.map(|end| Span::between(end.clamp(passage.start(), passage.end()), passage.end()));
        [Some(before), after]
    });
    let pictures = pictures.flatten().filter(|span| span.duration().as_secs_f64() > PICTURE);
    sounds.map(Missing::Sound).chain(pictures.map(Missing::Picture)).collect()
}

/// The stretches of the medium without sound where sound is due. None if the medium has no sound at
/// all, or if it could not be heard.
fn silences(media: &Media, transcript: &Transcript, map: &SpeechMap) -> Vec<Span> {
    if map.levels.iter().all(|level| *level >= SILENT) {
        return Vec::new();
    }
    let all = (media.duration.secs() / LEVEL_SECS).floor().max(0.0) as usize;
    let at = |n: usize| Timestamp::from_secs(n as f64 * LEVEL_SECS);
    // Sound that ends before the picture is missing from there on.
    let is_silent = |n: usize| map.levels.get(n).is_none_or(|level| *level >= SILENT);
    runs(all.max(map.levels.len()), is_silent)
        .map(|run| Span::between(at(run.start), at(run.end)))
        .filter(|silence| {
            let secs = silence.duration().as_secs_f64();
            secs >= LONG || (secs >= MISSING && said(&transcript.words, *silence) >= SAID)
        })
        .collect()
}

/// For how many seconds of a span words are said.
fn said(words: &[Word], span: Span) -> f64 {
    let from = words.partition_point(|word| word.end <= span.start());
    let inside = words.iter().skip(from).take_while(|word| word.start < span.end());
    inside.map(|word| word.end.min(span.end()).since(word.start.max(span.start())).secs().max(0.0)).sum()
}

/// The runs of indices below `count` for which `is_one` holds.
fn runs(count: usize, is_one: impl Fn(usize) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = (next..count).find(|n| is_one(*n))?;
        next = (start..count).find(|n| !is_one(*n)).unwrap_or(count);
        Some(start..next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AudioStream, ContentId, FrameRate, Score, VideoStream};

    fn media(picture: (f64, f64)) -> Media {
        let mut media = Media::new("talk.mp4", ContentId::new("test", ""));
        media.duration = Timestamp::from_secs(100.0);
        media.audio = vec![AudioStream::new(1, "aac", 48_000, 2)];
        let mut video = VideoStream::new(0, "h264", 640, 360, FrameRate::new(25, 1));
        (video.start, video.end) = (Timestamp::from_secs(picture.0), Some(Timestamp::from_secs(picture.1)));
        media.video = Some(video);
        media
    }

    fn transcript() -> Transcript {
        let mut transcript = Transcript::default();
        transcript.words = (0..200).map(|n| Word::new("word", f64::from(n) / 2.0, f64::from(n) / 2.0 + 0.4)).collect();
        transcript
    }

    /// A map of a sound that is silent in these spans.
    fn map(silent: &[(f64, f64)], secs: f64) -> SpeechMap {
        let levels = (0..(secs / LEVEL_SECS) as usize).map(|n| n as f64 * LEVEL_SECS);
        let is_silent = |at: f64| silent.iter().any(|(from, to)| *from <= at && at < *to);
        SpeechMap::new(Vec::new(), levels.map(|at| if is_silent(at) { 255 } else { 50 }).collect())
    }

    fn candidate(start: f64, end: f64, total: f64) -> Candidate {
        Candidate::new(Span::secs(start, end).unwrap(), Score::of(total), "", "")
    }

    fn weighed(picture: (f64, f64), map: &SpeechMap, transcript: &Transcript) -> (Vec<(f64, f64)>, Vec<String>) {
        let cx = Context::new();
        let candidates = vec![candidate(10.0, 30.0, 80.0), candidate(40.0, 60.0, 70.0), candidate(80.0, 100.0, 60.0)];
        let weighed = weigh(&cx, candidates, &media(picture), transcript, map);
        let shown = |warning: crate::model::Warning| format!("{} {}", warning.clip.unwrap_or_default(), warning.message);
        let scores = weighed.iter().map(|candidate| (candidate.span.start().secs(), candidate.score.total.round())).collect();
        (scores, cx.warnings().into_iter().map(shown).collect())
    }

    #[test]
    fn whole_passages_keep_their_places() {
        let (scores, warnings) = weighed((0.0, 100.0), &map(&[(12.0, 13.2), (30.5, 39.0)], 100.0), &transcript());
        assert_eq!((scores, warnings.len()), (vec![(10.0, 80.0), (40.0, 70.0), (80.0, 60.0)], 0));
        // All is silent: a video without sound.
        assert_eq!(weighed((0.0, 100.0), &map(&[(0.0, 100.0)], 100.0), &transcript()).1.len(), 0);
        assert_eq!(weighed((0.0, 100.0), &SpeechMap::default(), &transcript()).1.len(), 0);
    }

    #[test]
    fn silence_under_words_makes_a_passage_worse() {
        let (scores, warnings) = weighed((0.0, 100.0), &map(&[(14.0, 24.0)], 100.0), &transcript());
        assert_eq!(scores, [(40.0, 70.0), (80.0, 60.0), (10.0, 48.0)]);
        assert_eq!(warnings, ["3 the source is silent from 0:14.000 to 0:24.000 under this passage"]);
        // A pause of four seconds, in which nothing is said.
        let mut pause = transcript();
        pause.words.retain(|word| word.end.secs() <= 14.0 || word.start.secs() >= 18.0);
        assert_eq!(weighed((0.0, 100.0), &map(&[(14.0, 18.0)], 100.0), &pause).1.len(), 0);
    }

    #[test]
    fn sound_that_ends_early_is_missing() {
        let (scores, warnings) = weighed((0.0, 100.0), &map(&[], 90.0), &transcript());
        assert_eq!(scores, [(10.0, 80.0), (40.0, 70.0), (80.0, 36.0)]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }

    #[test]
    fn a_picture_that_ends_or_begins_inside_is_missing() {
        let (scores, warnings) = weighed((20.0, 55.0), &map(&[], 100.0), &transcript());
        assert_eq!(scores, [(40.0, 56.0), (10.0, 48.0), (80.0, 12.0)]);
        assert!(warnings[2].starts_with("3 the source has no picture from 1:20.000 to 1:40.000"), "{warnings:?}");
        // Half a second more or less.
        assert_eq!(weighed((0.5, 99.5), &map(&[], 100.0), &transcript()).1.len(), 0);
    }
}
