use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::genre::{Genre, Weights};
use super::ranker::Moments;
use super::replays::Replays;
use super::segment::AnalyzedTranscript;
use super::sentence_features::SentenceFeatures;
use super::span_score::{Limits, candidates};
use super::talk::Talk;
use super::{Scorer, Scoring, describe, topic};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Candidate;

/// Chooses clips by rules and a small learned model, from the transcript alone and without network.
/// Equal inputs give equal answers.
///
/// A span consists of whole sentences, or of phrases between pauses if the transcript has no
/// punctuation. Rules keep it clean: where it may start and end, how fast is spoken, how much
/// silence it has.
///
/// Which of the clean spans are chosen depends on the language and the genre:
/// - English, no genre or [`Genre::Podcast`](super::Genre::Podcast): a linear model over sentences,
///   learned from the moments that the editors of four podcasts put into their openings. `total` is
///   80 % [`moment`](crate::model::Score::moment), 20 %
///   [`completeness`](crate::model::Score::completeness). The best span that is left is taken, at
///   most 3 of 10 from a fifth of the talk. [`factors`](crate::model::Candidate::factors) says what
///   counted. Negative feeling, negation, superlatives and the central words of the talk count for
///   a span; rare words, fast speech, talk about the show and a late place in the talk against it.
///   In shows left out of the training the ten clips find about twice as many moments as clips at
///   random or even places; the table by show is in `benches/README.md`. It is made for
///   conversations: do not expect it to choose from comedy, games or films better than chance.
/// - Else, rules by hand: `total` is hook, completeness, density and emotion, weighted by
///   [`Genre`](super::Genre). They make clips clean, but of what editors choose they find no more
///   than random places do.
///
/// `total` is reduced for silence, housekeeping of a show and unusual length. The word lists of the
/// rules are most complete for English, shorter for Spanish, French, German, Portuguese and
/// Italian, and contain sentence openings and some keywords for Japanese and Chinese. Other
/// languages rely on punctuation, pauses and topic shifts.
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
pub(super) const RULES: &str = "heuristic 5";
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
            let most = scoring.options.max_clips;
            let Some(talk) = read(cx, &scoring, most, TopicPolicy::Require)? else { return Ok(Vec::new()) };
            talk.best(most, |_| true).iter().map(|span| talk.candidate(span)).collect()
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

/// Analyses a talk and finds its clean spans. Returns `None`, with a warning that gives the reason,
/// if there are none. `wanted` is the number of clips; 0 finds none and warns of nothing.
pub(super) fn read(cx: &Context, scoring: &Scoring, wanted: usize, subjects: TopicPolicy) -> Result<Option<Talk>> {
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
    if wanted == 0 {
        return Ok(None);
    }
    let replays = scoring.media.as_ref().and_then(|media| Replays::of(&media.about));
    let mut moments = None;
    // First pass: long sentences are split to fit into a clip. Second pass: phrases of a few
    // seconds.
    for sentence in [(longest * 0.6).min(20.0), 3.0] {
        let mut transcript = AnalyzedTranscript::read(words.clone(), language, sentence);
        topic::mark(&mut transcript, &options.about, &options.avoid);
        let features = SentenceFeatures::of(&transcript);
        if moments.is_none() && Genre::is_conversation(options.genre) && transcript.language == "en" {
            moments = Some(Moments::of(words)?);
        }
        for silence in MAX_SILENCES {
            cx.check()?;
            let limits = Limits { shortest, longest, silence, media_end, weights, topical };
            let mut spans = candidates(&transcript, &features, moments.as_ref(), &limits);
            if spans.is_empty() {
                continue;
            }
            if let Some(replays) = &replays {
                spans.iter_mut().for_each(|span| span.score.total = replays.weighed(span.score.total, span.start, span.end));
            }
            if topical && subjects == TopicPolicy::Require {
                if spans.iter().any(|span| span.on_topic) {
                    spans.retain(|span| span.on_topic);
                } else {
                    cx.warn(format!("no span mentions {}; the best other spans are used", options.about.join(", ")));
                }
            }
            return Ok(Some(Talk { transcript, features, moments, replays, limits, spans }));
        }
    }
    let about = if options.avoid.is_empty() { String::new() } else { format!(" and mentions none of {}", options.avoid.join(", ")) };
    cx.warn(format!("no clip was chosen: {}{about}", describe::no_clip_reason(words, language, shortest, longest)));
    Ok(None)
}
