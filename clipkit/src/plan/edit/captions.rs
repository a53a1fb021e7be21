//! Operations on captions and title.

use super::op::WordSelection;
use super::words;
use super::{EditSources, invalid};
use crate::error::Result;
use crate::model::{Aspect, CaptionStyle, CaptionTrack, ClipPlan, Cue, CueWord, HookStyle, Platform, Span, Timestamp, Transcript};
use crate::plan::caption::{self, HookContext};

/// Adds the captions of a stretch of the source that the clip plays now.
pub(super) fn add(plan: &mut ClipPlan, transcript: &Transcript, source: Span) {
    let timeline = plan.timeline();
    let plays = |piece: &&crate::model::PlacedPiece| piece.source.start() <= source.start() && source.end() <= piece.source.end();
    let (Some(piece), Some(track)) = (timeline.pieces().iter().find(plays), &mut plan.captions) else { return };
    let placed = |span: Span| {
        let at = |at: Timestamp| piece.clip_time(at.offset(source.start()));
        Span::between(at(span.start()), at(span.end()))
    };
    let added = caption::cues(transcript.words_in(source), &transcript.words, &track.style, source);
    for cue in added {
        let words = cue.words.into_iter().map(|word| CueWord { span: placed(word.span), ..word }).collect();
        let span = placed(cue.span);
        let at = track.cues.partition_point(|other| other.span.start() < span.start());
        let place = track.cues.get(at).or_else(|| track.cues.last()).and_then(|cue| cue.place);
        track.cues.insert(at, Cue { span, words, place });
    }
    end_at_next(&mut track.cues);
}

/// Ends each cue at the start of the next one at the latest.
pub(super) fn end_at_next(cues: &mut Vec<Cue>) {
    let starts: Vec<Timestamp> = cues.iter().skip(1).map(|cue| cue.span.start()).collect();
    for (cue, next) in cues.iter_mut().zip(starts) {
        if cue.span.end() > next {
            cue.span = Span::between(cue.span.start().min(next), next);
        }
    }
    cues.retain(|cue| !cue.span.duration().is_zero());
}

/// Corrects the text of words.
pub(super) fn correct(plan: &mut ClipPlan, sources: &EditSources<'_>, selection: &WordSelection, text: &str) -> Result<()> {
    if plan.captions.is_none() {
        return Err(invalid("the plan has no captions to correct"));
    }
    let ranges = words::selected(&words::required(plan, sources)?, selection)?;
    let right: Vec<&str> = text.split_whitespace().collect();
    if right.is_empty() {
        return Err(invalid("the corrected text is empty").with_advice("remove words with `delete_words`"));
    }
    let Some(track) = &mut plan.captions else { return Ok(()) };
    // From the last place to the first, so that the numbers of earlier words stay right.
    for &(from, to) in ranges.iter().rev() {
        let mut first = 0;
        let mut done = false;
        for cue in &mut track.cues {
            let inside = first..first + cue.words.len();
            first = inside.end;
            if right.len() == to - from {
                for n in inside.start.max(from)..inside.end.min(to) {
                    if let (Some(word), Some(right)) = (cue.words.get_mut(n - inside.start), right.get(n - from)) {
                        (*right).clone_into(&mut word.text);
                    }
                }
                done |= to <= inside.end;
            } else if inside.start <= from && to <= inside.end {
                replace(&mut cue.words, from - inside.start, to - inside.start, &right);
                done = true;
            }
            if done {
                break;
            }
        }
        if !done {
            return Err(invalid(format!(
                "words {from} to {to} are shown in several captions, and the correction has another number of words"
            ))
            .with_advice("correct the words of each caption by themselves"));
        }
    }
    Ok(())
}

/// Replaces words by others that share their time by their lengths in letters.
fn replace(words: &mut Vec<CueWord>, from: usize, to: usize, right: &[&str]) {
    let (Some(first), Some(last)) = (words.get(from), to.checked_sub(1).and_then(|last| words.get(last))) else { return };
    let (start, end) = (first.span.start(), last.span.end().max(first.span.start()));
    let emphasized = words[from..to].iter().any(|word| word.emphasized);
    let letters = |word: &str| word.chars().count().max(1) as f64;
    let all: f64 = right.iter().map(|word| letters(word)).sum();
    let (mut said, mut at) = (0.0, start);
    let mut placed = Vec::with_capacity(right.len());
    for word in right {
        said += letters(word);
        let until = start.plus(end.since(start).secs() * said / all).min(end);
        let mut word = CueWord::new(*word, Span::between(at, until));
        word.emphasized = emphasized;
        placed.push(word);
        at = until;
    }
    words.splice(from..to, placed);
}

/// Makes the captions anew from the transcript, which must be in this language.
pub(super) fn language(plan: &mut ClipPlan, sources: &EditSources<'_>, language: &str) -> Result<()> {
    let advice = "give the transcript in that language beside the plan";
    let Some(transcript) = sources.transcript else {
        return Err(invalid(format!("there is no transcript in {language}")).with_advice(advice));
    };
    let given = transcript.language.as_deref().unwrap_or("an unknown language");
    let primary = |language: &str| language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    if primary(given) != primary(language) {
        return Err(invalid(format!("the transcript is in {given}, not in {language}")).with_advice(advice));
    }
    let style = plan.captions.as_ref().map_or_else(CaptionStyle::karaoke, |track| track.style.clone());
    let spoken = words::of_transcript(plan, transcript);
    if spoken.is_empty() {
        return Err(invalid(format!("the transcript in {given} has no words in this clip")).with_advice(advice));
    }
    set(plan, &spoken, sources, &style);
    Ok(())
}

/// Sets the style, and groups and places the words anew.
pub(super) fn restyle(plan: &mut ClipPlan, sources: &EditSources<'_>, style: Option<&CaptionStyle>) -> Result<()> {
    let Some(style) = style else {
        plan.captions = None;
        return Ok(());
    };
    let spoken = words::required(plan, sources)?;
    set(plan, &spoken, sources, style);
    Ok(())
}

/// Groups words into captions and places them.
fn set(plan: &mut ClipPlan, spoken: &[words::ClipWord], sources: &EditSources<'_>, style: &CaptionStyle) {
    let spoken = words::as_words(spoken);
    let transcript = sources.transcript.map_or(&spoken[..], |transcript| &transcript.words);
    let cues = caption::cues(&spoken, transcript, style, Span::between(Timestamp::ZERO, plan.timeline().end()));
    let safe_area = match &plan.captions {
        Some(track) => track.safe_area,
        None => Platform::default().safe_area(Aspect::of((plan.output.width, plan.output.height))),
    };
    let mut track = CaptionTrack::new(style.clone(), safe_area, cues);
    caption::place(&mut track, &plan.scenes, &plan.faces);
    plan.captions = Some(track);
}

/// Places the title anew, in the style that `change` makes of its own. The hook line stays.
pub(super) fn replace_title(plan: &mut ClipPlan, change: impl FnOnce(&HookStyle) -> HookStyle) -> Result<()> {
    let Some(hook) = &plan.hook else { return Ok(()) };
    let (text, style) = (hook.text.clone(), change(&hook.style));
    let line = plan.hook_line.take();
    hook_line(plan, Some(&text), Some(&style))?;
    plan.hook_line = line;
    Ok(())
}

/// Sets the hook line and the title over the first seconds.
pub(super) fn hook_line(plan: &mut ClipPlan, line: Option<&str>, style: Option<&HookStyle>) -> Result<()> {
    plan.hook_line = line.map(str::to_owned);
    let Some(line) = line else {
        plan.hook = None;
        return Ok(());
    };
    let Some(style) = style else {
        if let Some(hook) = &mut plan.hook {
            line.clone_into(&mut hook.text);
        }
        return Ok(());
    };
    let size = (plan.output.width, plan.output.height);
    let safe_area = plan.captions.as_ref().map_or_else(|| Platform::default().safe_area(Aspect::of(size)), |track| track.safe_area);
    let clip = Span::between(Timestamp::ZERO, plan.timeline().end());
    let ClipPlan { scenes, faces, captions, overlays, .. } = &*plan;
    let context = HookContext { size, safe_area, clip, scenes, faces, captions: captions.as_ref(), overlays };
    let hook = caption::hook(line, style, &context);
    plan.hook = Some(hook.ok_or_else(|| invalid(format!("the hook line {line:?} has no visible characters")))?);
    Ok(())
}
