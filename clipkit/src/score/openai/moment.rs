//! Makes clips of proposals: around the quote, at clean borders, each moment once. Pure.

use std::ops::Range;

use super::proposal::Proposal;
use super::quote::Words;
use crate::score::ScoreOptions;
use crate::score::talk::Talk;

/// The part of a proposed clip that may follow its strongest sentence and is cut off, if the rest
/// is long enough: more of it is likely to be needed.
const AFTERTHOUGHT: f64 = 1.0 / 3.0;
/// What was proposed and is cut off at the start weighs more than what is added before it.
const CUT_OFF: f64 = 2.0;
/// A first sentence that depends on what comes before counts as much as so many seconds away from
/// the proposed start.
const DEPENDENCE_SECONDS: f64 = 15.0;
/// Clips that share more than this part of the shorter one are the same moment.
const SAME: f64 = 0.5;

/// A moment that a model proposes, as a clip. Sentences are indexes into the talk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) sentences: Range<usize>,
    /// The sentences of the quote, inside of those of the clip.
    pub(super) quote: Range<usize>,
    pub(super) why: String,
    pub(super) hook_line: Option<String>,
    /// The place among the proposals for its stretch, 0 for the best.
    pub(super) rank: usize,
    /// The learned score, 0 to 100.
    pub(super) learned: f64,
}

/// Why a proposal is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Its quote is not said in its stretch.
    Quote,
    /// No clip of an allowed length with clean borders has the quote in it.
    Length,
}

/// Makes a clip of a proposal for a stretch. `said` are the words of the stretch.
pub(super) fn placed(
    talk: &Talk,
    options: &ScoreOptions,
    stretch: &Range<usize>,
    said: &Words,
    (rank, proposal): (usize, Proposal),
) -> Result<Moment, Unfit> {
    let Proposal { sentences, quote, why, hook_line } = proposal;
    let asked = stretch.start + sentences.start..stretch.start + sentences.end;
    // A quote may be said more than once: the place inside of the clip counts, or the nearest.
    let distance = |place: &Range<usize>| asked.start.saturating_sub(place.start) + place.end.saturating_sub(asked.end);
    let quote = said.places(&quote).into_iter().min_by_key(distance).ok_or(Unfit::Quote)?;
    let sentences = around(talk, options, stretch, &asked, &quote).ok_or(Unfit::Length)?;
    let learned = talk.scored(sentences.clone()).score.total;
    Ok(Moment { sentences, quote, why, hook_line, rank, learned })
}

/// The clip with the quote in it that is closest to what is asked for.
fn around(talk: &Talk, options: &ScoreOptions, stretch: &Range<usize>, asked: &Range<usize>, quote: &Range<usize>) -> Option<Range<usize>> {
    let longest = options.max.as_secs_f64();
    let (start, end) = (|n: usize| talk.times(n).0, |n: usize| talk.times(n - 1).1);
    let (from, to, landing) = (start(asked.start), end(asked.end), end(quote.end));
    let is_inside = asked.start <= quote.start && quote.end <= asked.end;
    let (first, last) = if is_inside {
        (from, if to - landing <= AFTERTHOUGHT * (to - from) { landing } else { to })
    } else if to.max(landing) - from.min(start(quote.start)) <= longest {
        (from.min(start(quote.start)), to.max(landing))
    } else {
        // The quote is elsewhere: a clip as long as what was proposed, which it ends.
        (landing - (to - from).min(longest), landing)
    };
    let mut best: Option<(f64, Range<usize>)> = None;
    for n in (stretch.start..=quote.start).rev() {
        // Padding is cut where a clip would be too long.
        let reach = start(n) + longest;
        if talk.transcript.sentences[quote.end - 1].end > reach {
            break;
        }
        let ends = (quote.end..=stretch.end).take_while(|end| talk.transcript.sentences[end - 1].end <= reach);
        for stop in ends {
            let moved = (start(n) - first).max(0.0) * CUT_OFF + (first - start(n)).max(0.0);
            let cost = moved + (end(stop) - last).abs() + DEPENDENCE_SECONDS * talk.dependence(n);
            if best.as_ref().is_none_or(|(least, _)| cost < *least) && talk.span(n..stop, options).is_some() {
                best = Some((cost, n..stop));
            }
        }
    }
    best.map(|(_, sentences)| sentences)
}

/// Each moment once, the best first: the model's order inside of a stretch, then the learned score.
/// Overlapping stretches have the same moments, and so do clips around the same sentence.
pub(super) fn distinct(mut moments: Vec<Moment>, talk: &Talk) -> Vec<Moment> {
    moments.sort_by(|a, b| a.rank.cmp(&b.rank).then(b.learned.total_cmp(&a.learned)).then(a.sentences.start.cmp(&b.sentences.start)));
    let mut kept: Vec<Moment> = Vec::new();
    for moment in moments {
        let is_known = |other: &Moment| meet(&other.quote, &moment.quote) || is_same(talk, &other.sentences, &moment.sentences);
        if !kept.iter().any(is_known) {
            kept.push(moment);
        }
    }
    kept
}

/// Whether clips of these sentences are the same moment.
pub(super) fn is_same(talk: &Talk, a: &Range<usize>, b: &Range<usize>) -> bool {
    let length = |sentences: &Range<usize>| sentences.clone().map(|n| talk.words(n)).sum::<f64>();
    let both = a.start.max(b.start)..a.end.min(b.end);
    !both.is_empty() && length(&both) > SAME * length(a).min(length(b))
}

fn meet(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}
