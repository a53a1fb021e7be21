use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::judge::{Judged, Limits, candidates};
use super::segment::Talk;
use super::select::select;
use super::traces::Traces;
use super::{Scorer, Scoring, describe};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Candidate, Span, Timestamp};

/// Chooses clips by rules, from the transcript alone: no model, no network, the same answer every time.
///
/// Spans of whole sentences (of phrases between pauses, where the transcript has no punctuation) are scored by how strongly the first
/// sentence catches, how well the span stands alone, how much it says in its time and how much feeling is in it; `total` weighs these
/// 30, 34, 20 and 16 parts in a hundred, less a little for silence, housekeeping of the show and unusual length. English is known best;
/// Spanish, French and German somewhat; in other languages punctuation, pauses and the change of subject decide.
///
/// Where no span is worth a clip the answer is empty, and a warning says why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Heuristic {}

/// Silences a clip may contain, in seconds: the first for which there are clips is taken.
const SILENCES: [f64; 2] = [2.5, 6.0];

#[async_trait]
impl Scorer for Heuristic {
    fn fingerprint(&self) -> Option<String> {
        Some("heuristic".to_owned())
    }

    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        let scoring = scoring.clone();
        cx.blocking(move |cx| choose(cx, &scoring)).await
    }
}

fn choose(cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
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
    // Long sentences are cut where a clip could not hold them; should nothing fit then, phrases.
    for sentence in [(longest * 0.6).min(20.0), 3.0] {
        let talk = Talk::read(words, language, sentence);
        let traces = Traces::of(&talk);
        for silence in SILENCES {
            cx.check()?;
            let limits = Limits { shortest, longest, silence, media_end };
            let chosen = select(candidates(&talk, &traces, &limits), options.max_clips);
            if !chosen.is_empty() {
                return chosen.iter().map(|span| candidate(&talk, &traces, span)).collect();
            }
        }
    }
    if options.max_clips > 0 {
        cx.warn(format!("no clip was chosen: {}", describe::nothing(words, language, shortest, longest)));
    }
    Ok(Vec::new())
}

fn candidate(talk: &Talk<'_>, traces: &Traces, span: &Judged) -> Result<Candidate> {
    Ok(Candidate {
        span: Span::new(Timestamp::from_secs(span.start), Timestamp::from_secs(span.end))?,
        score: span.score,
        title: describe::title(talk, traces, span),
        reason: describe::reason(talk, traces, span),
    })
}
