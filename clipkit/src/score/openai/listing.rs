//! The clips that are judged: what the model proposes, and where it read nothing, what the
//! heuristic finds. Pure.

use std::ops::Range;

use super::moment::is_same;
use super::reading::Reading;
use crate::error::Result;
use crate::model::Candidate;
use crate::score::talk::Talk;

/// The number of sentences shown before and after a span.
const CONTEXT_SENTENCES: usize = 2;

/// A span with the sentences that it may consist of. Sentences are indexes into the talk.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// With the scores of the heuristic, and where the model proposes it, its reason and hook line.
    pub(super) candidate: Candidate,
    /// The span's own sentences and a few neighbours.
    pub(super) shown: Range<usize>,
    pub(super) own: Range<usize>,
    /// The sentences that have to stay inside.
    pub(super) quote: Option<Range<usize>>,
}

/// At most `most` spans: the moments, the best first, and the heuristic's best, as many as the
/// share of the talk that was not read.
pub(super) fn listed(talk: &Talk, reading: Reading, most: usize) -> Result<Vec<Listed>> {
    let Reading { mut moments, is_read } = reading;
    let words = |is_wanted: bool| (0..talk.len()).filter(|n| is_read.get(*n) == Some(&is_wanted)).map(|n| talk.words(n)).sum::<f64>();
    let (unread, read) = (words(false), words(true));
    let share = if unread > 0.0 { unread / (unread + read) } else { 0.0 };
    let mut others = talk.best((most as f64 * share).ceil() as usize, |span| is_read[span.sentences.clone()].contains(&false));
    others.retain(|span| !moments.iter().any(|moment| is_same(talk, &moment.sentences, &span.sentences)));
    moments.truncate(most.saturating_sub(others.len()));
    let mut list = Vec::new();
    let shown = |own: &Range<usize>| own.start.saturating_sub(CONTEXT_SENTENCES)..(own.end + CONTEXT_SENTENCES).min(talk.len());
    for moment in moments {
        let mut candidate = talk.candidate(&talk.scored(moment.sentences.clone()))?;
        if !moment.why.is_empty() {
            candidate.reason = moment.why;
        }
        candidate.hook_line = moment.hook_line;
        list.push(Listed { candidate, shown: shown(&moment.sentences), own: moment.sentences, quote: Some(moment.quote) });
    }
    for span in others {
        list.push(Listed { candidate: talk.candidate(&span)?, shown: shown(&span.sentences), own: span.sentences, quote: None });
    }
    Ok(list)
}
