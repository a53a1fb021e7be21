use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::genre::Weights;
use super::segment::AnalyzedTranscript;
use super::select::select;
use super::sentence_features::SentenceFeatures;
use super::span_score::{Limits, ScoredSpan, candidates};
use super::{Scorer, Scoring, describe, topic};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Candidate, Span, Timestamp};

/// Chooses clips by rules from the transcript alone, without models or network. Equal inputs give
/// equal answers.
///
/// A span consists of whole sentences, or of phrases between pauses if the transcript has no
/// punctuation. Its score has four components: the strength of the first sentence (hook),
/// independence of the context (completeness), information per time (density) and emotion. `total`
/// is their sum weighted by [`Genre`](super::Genre), reduced for silence, housekeeping of a show
/// and unusual length. The word lists are most complete for English, shorter for Spanish, French,
/// German, Portuguese and Italian, and contain sentence openings and some keywords for Japanese and
/// Chinese. Other languages rely on punctuation, pauses and topic shifts.
///
/// If the options name topics in `about`, every clip mentions at least one of them in any
/// inflection ("pricing" matches "priced"). If no span mentions any, the best other spans are
/// returned with a warning. No clip mentions a topic in `avoid`.
///
/// If no span reaches the minimum score, the answer is empty and a warning gives the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Heuristic {}

/// The version of the rules in the fingerprint. Changed rules need a new version.
pub(super) const RULES: &str = "heuristic 2";
/// The maximum silences inside a clip, in seconds: the second is tried if the first gives no clip.
const MAX_SILENCES: [f64; 2] = [2.5, 6.0];

#[async_trait]
impl Scorer for Heuristic {
    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        Some(RULES.to_owned())
    }

    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        let scoring = scoring.clone();
        cx.blocking(move |cx| {
            let chosen = choose(cx, &scoring, scoring.options.max_clips, TopicPolicy::Require, |selection| {
                selection.spans.iter().map(|span| selection.candidate(span)).collect()
            })?;
            Ok(chosen.unwrap_or_default())
        })
        .await
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

/// The treatment of spans that mention no requested topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TopicPolicy {
    /// They are dropped if any span mentions one.
    Require,
    /// They stay with a lower score, because a language model decides later.
    Prefer,
}

/// A transcript with the chosen spans, which do not overlap, in descending order of score.
pub(super) struct Selection<'a> {
    pub(super) transcript: &'a AnalyzedTranscript<'a>,
    pub(super) limits: &'a Limits,
    pub(super) spans: &'a [ScoredSpan],
    features: &'a SentenceFeatures,
}

impl Selection<'_> {
    pub(super) fn candidate(&self, span: &ScoredSpan) -> Result<Candidate> {
        let title = describe::title(self.transcript, self.features, span);
        let reason = describe::reason(self.transcript, self.features, span);
        let at = Span::new(Timestamp::from_secs(span.start), Timestamp::from_secs(span.end))?;
        Ok(Candidate::new(at, span.score, title, reason))
    }
}

/// Chooses at most `most` spans and passes them to `found`. Returns `None`, with a warning that
/// gives the reason, if no span is good enough.
pub(super) fn choose<T>(
    cx: &Context,
    scoring: &Scoring,
    most: usize,
    subjects: TopicPolicy,
    found: impl FnOnce(&Selection<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let options = &scoring.options;
    let (shortest, longest) = (options.min.as_secs_f64(), options.max.as_secs_f64());
    if longest < shortest || longest <= 0.0 {
        let message = format!("the maximum length ({longest} s) is below the minimum length ({shortest} s)");
        return Err(cx.label(Error::new(ErrorKind::Config, message).with_advice("set max to at least min")));
    }
    let words = &scoring.transcript.words;
    let last = words.last().map_or(0.0, |word| word.end.secs());
    let media_end = scoring.media.as_ref().map(|media| media.duration.secs()).filter(|end| *end > 0.0).unwrap_or(last);
    let language = scoring.transcript.language.as_deref();
    let weights = Weights::of(options.genre);
    let topical = !options.about.is_empty();
    // First pass: long sentences are split to fit into a clip. Second pass: phrases of a few
    // seconds.
    for sentence in [(longest * 0.6).min(20.0), 3.0] {
        let mut analyzed = AnalyzedTranscript::read(words, language, sentence);
        topic::mark(&mut analyzed, &options.about, &options.avoid);
        let features = SentenceFeatures::of(&analyzed);
        for silence in MAX_SILENCES {
            cx.check()?;
            let limits = Limits { shortest, longest, silence, media_end, weights, topical };
            let mut all = candidates(&analyzed, &features, &limits);
            if topical && subjects == TopicPolicy::Require && most > 0 && !all.is_empty() {
                if all.iter().any(|span| span.on_topic) {
                    all.retain(|span| span.on_topic);
                } else {
                    cx.warn(format!("no span mentions {}; the best other spans are used", options.about.join(", ")));
                }
            }
            let spans = select(all, most);
            if !spans.is_empty() {
                return found(&Selection { transcript: &analyzed, limits: &limits, spans: &spans, features: &features }).map(Some);
            }
        }
    }
    if most > 0 {
        let about = if options.avoid.is_empty() { String::new() } else { format!(" and mentions none of {}", options.avoid.join(", ")) };
        cx.warn(format!("no clip was chosen: {}{about}", describe::no_clip_reason(words, language, shortest, longest)));
    }
    Ok(None)
}
