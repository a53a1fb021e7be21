//! Operations on punch-ins.

use super::{EditSources, invalid, words};
use crate::error::Result;
use crate::model::{ClipPlan, Span, Zoom};
use crate::plan::{Heard, PunchIn, punch_ins};

/// The planned punch-ins of a plan.
pub(super) fn planned(plan: &ClipPlan, sources: &EditSources<'_>, at: Option<PunchIn>) -> Vec<Zoom> {
    let Some(at) = at else { return Vec::new() };
    let said = sources.transcript.map_or_else(|| words::of_clip(plan, sources), |transcript| words::of_transcript(plan, transcript));
    let words: Vec<(String, Span)> = said.into_iter().map(|word| (word.text, word.span)).collect();
    let events = sources.transcript.map_or(&[][..], |transcript| &transcript.events);
    let timeline = plan.timeline();
    let laughter: Vec<Span> = events
        .iter()
        .filter(|event| event.is_laughter())
        .flat_map(|event| timeline.pieces().iter().filter_map(|piece| Some((piece, piece.source.intersection(event.span)?))))
        .map(|(piece, heard)| Span::between(piece.clip_time(heard.start()), piece.clip_time(heard.end())))
        .collect();
    let transcript = sources.transcript.map_or(&[][..], |transcript| &transcript.words);
    punch_ins(plan, at, &Heard { words: &words, laughter: &laughter, transcript })
}

/// Adds a punch-in in order of time.
pub(super) fn add(plan: &mut ClipPlan, zoom: Zoom) -> Result<()> {
    if let Some(other) = plan.zooms.iter().find(|other| other.span.intersection(zoom.span).is_some()) {
        return Err(invalid(format!("a punch-in {} overlaps that {}", zoom.span, other.span)).with_advice("remove that one first"));
    }
    plan.zooms.push(zoom);
    plan.zooms.sort_by_key(|zoom| zoom.span.start());
    Ok(())
}
