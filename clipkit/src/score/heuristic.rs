use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::genre::Weights;
use super::judge::{Judged, Limits, candidates};
use super::segment::Talk;
use super::select::select;
use super::sentence_features::SentenceFeatures;
use super::{Scorer, Scoring, describe, topic};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Candidate, Span, Timestamp};

/// Chooses clips by rules, from the transcript alone: no model, no network, the same answer every time.
///
/// Spans of whole sentences (of phrases between pauses, where the transcript has no punctuation) are scored by how strongly the first
/// sentence catches, how well the span stands alone, how much it says in its time and how much feeling is in it; `total` weighs these by
/// [`Genre`](super::Genre), less a little for silence, housekeeping of the show and unusual length. English is known best; Spanish, French,
/// German, Portuguese and Italian somewhat; of Japanese and Chinese how sentences begin and a few telling words; in other languages
/// punctuation, pauses and the change of subject decide.
///
/// Where the options name subjects, clips name one of them, in whatever form ("pricing": "priced"), and none that is to be avoided. Where
/// nothing names a subject asked for, a warning says so and the best of the rest stands.
///
/// Where no span is worth a clip the answer is empty, and a warning says why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Heuristic {}

/// The rules' version: other rules are another scorer.
pub(super) const RULES: &str = "heuristic 2";
/// Silences a clip may contain, in seconds: the first for which there are clips is taken.
const SILENCES: [f64; 2] = [2.5, 6.0];

#[async_trait]
impl Scorer for Heuristic {
    fn fingerprint(&self) -> Option<String> {
        Some(RULES.to_owned())
    }

    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        let scoring = scoring.clone();
        cx.blocking(move |cx| {
            let chosen = choose(cx, &scoring, scoring.options.max_clips, Subjects::Alone, |choice| {
                choice.spans.iter().map(|span| choice.candidate(span)).collect()
            })?;
            Ok(chosen.unwrap_or_default())
        })
        .await
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

/// What becomes of spans that name no subject asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subjects {
    /// They give way to those that do.
    Alone,
    /// They stay, lower: something cleverer than stems has the last word.
    First,
}

/// A talk and the spans chosen from it, best first and apart.
pub(super) struct Choice<'a> {
    pub(super) talk: &'a Talk<'a>,
    pub(super) limits: &'a Limits,
    pub(super) spans: &'a [Judged],
    traces: &'a SentenceFeatures,
}

impl Choice<'_> {
    pub(super) fn candidate(&self, span: &Judged) -> Result<Candidate> {
        let title = describe::title(self.talk, self.traces, span);
        let reason = describe::reason(self.talk, self.traces, span);
        let at = Span::new(Timestamp::from_secs(span.start), Timestamp::from_secs(span.end))?;
        Ok(Candidate::new(at, span.score, title, reason))
    }
}

/// Chooses at most `most` spans and hands them on; none, with a warning that says why, where nothing is worth a clip.
pub(super) fn choose<T>(
    cx: &Context,
    scoring: &Scoring,
    most: usize,
    subjects: Subjects,
    found: impl FnOnce(&Choice<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let (transcript, options) = (&scoring.transcript, &scoring.options);
    let (shortest, longest) = (options.min.as_secs_f64(), options.max.as_secs_f64());
    if longest < shortest || longest <= 0.0 {
        let message = format!("the longest clip ({longest} s) is shorter than the shortest ({shortest} s)");
        return Err(cx.label(Error::new(ErrorKind::Config, message).with_advice("give max more than min")));
    }
    let words = &transcript.words;
    let last = words.last().map_or(0.0, |word| word.end.secs());
    let media_end = scoring.media.as_ref().map(|media| media.duration.secs()).filter(|end| *end > 0.0).unwrap_or(last);
    let language = transcript.language.as_deref();
    let weights = Weights::of(options.genre);
    let topical = !options.about.is_empty();
    // Long sentences are cut where a clip could not hold them; should nothing fit then, phrases.
    for sentence in [(longest * 0.6).min(20.0), 3.0] {
        let mut talk = Talk::read(words, language, sentence);
        topic::mark(&mut talk, &options.about, &options.avoid);
        let traces = SentenceFeatures::of(&talk);
        for silence in SILENCES {
            cx.check()?;
            let limits = Limits { shortest, longest, silence, media_end, weights, topical };
            let mut all = candidates(&talk, &traces, &limits);
            if topical && subjects == Subjects::Alone && most > 0 && !all.is_empty() {
                if all.iter().any(|span| span.on_topic) {
                    all.retain(|span| span.on_topic);
                } else {
                    cx.warn(format!("nothing in this talk names {}; the best of the rest stands", options.about.join(", ")));
                }
            }
            let spans = select(all, most);
            if !spans.is_empty() {
                return found(&Choice { talk: &talk, limits: &limits, spans: &spans, traces: &traces }).map(Some);
            }
        }
    }
    if most > 0 {
        let about = if options.avoid.is_empty() { String::new() } else { format!(" and keep clear of {}", options.avoid.join(", ")) };
        cx.warn(format!("no clip was chosen: {}{about}", describe::nothing(words, language, shortest, longest)));
    }
    Ok(None)
}
