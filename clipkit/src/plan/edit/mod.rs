//! Operations on a plan: what a person or a program changes in a clip.
//!
//! [`edit`] applies operations to a plan and returns the changed plan. It is pure: no I/O, no
//! clock. Captions, scenes, shots, faces and overlays follow the
//! cuts. The result renders like any other
//! plan.
//!
//! ```
//! use clipkit::model::ClipPlan;
//! use clipkit::plan::edit::{EditOp, EditSources, WordSelection, edit};
//!
//! # fn example(plan: &ClipPlan) -> clipkit::Result<()> {
//! let ops = [
//!     EditOp::DeleteWords { words: WordSelection::quote("you know") },
//!     EditOp::Title { title: "Why clocks lie".into() },
//! ];
//! let edited = edit(plan, &ops, &EditSources::default())?;
//! println!("{} s, {} joins", edited.changes.after.duration.secs(), edited.changes.after.joins);
//! # Ok(())
//! # }
//! // The same as JSON.
//! let ops: Vec<EditOp> = serde_json::from_str(
//!     r#"[{"op": "delete_words", "words": {"quote": "you know"}}, {"op": "title", "title": "Why clocks lie"}]"#,
//! )
//! .unwrap();
//! assert_eq!(ops[0].name(), "delete_words");
//! ```

mod arrange;
mod aspect;
mod captions;
mod framing;
mod op;
mod overlays;
mod retime;
mod sound;
#[cfg(test)]
mod tests;
mod tighten;
mod words;
mod zooms;

pub use op::{CropChange, EditOp, SentenceDistance, SentencePlace, TightenLevel, WordQuote, WordRange, WordSelection};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, SpeechMap, Timestamp, Transcript};
use crate::plan::censor::star_censored;

/// Documents of the source that some operations need.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct EditSources<'a> {
    /// The transcript of the whole source: for ends at sentences, for captions of what the clip did
    /// not play before, and for words of a plan without captions.
    pub transcript: Option<&'a Transcript>,
    /// Where somebody speaks in the source: for [`EditOp::Tighten`].
    pub speech: Option<&'a SpeechMap>,
}

impl<'a> EditSources<'a> {
    /// No documents.
    pub const fn new() -> Self {
        EditSources { transcript: None, speech: None }
    }

    /// The same with the transcript.
    #[must_use]
    pub const fn with_transcript(self, transcript: &'a Transcript) -> Self {
        EditSources { transcript: Some(transcript), ..self }
    }

    /// The same with the speech map.
    #[must_use]
    pub const fn with_speech(self, speech: &'a SpeechMap) -> Self {
        EditSources { speech: Some(speech), ..self }
    }
}

/// An edited plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Edited {
    /// The plan after the operations.
    pub plan: ClipPlan,
    /// What the operations changed.
    pub changes: Changes,
}

/// What operations changed: the measures of a clip before and after them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[schemars(rename = "EditChanges")]
pub struct Changes {
    /// The clip before the first operation.
    pub before: Measure,
    /// The clip after the last operation.
    pub after: Measure,
    /// Each operation, in order.
    pub steps: Vec<Step>,
}

/// One operation and the clip after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[schemars(rename = "EditStep")]
pub struct Step {
    /// The operation's name: [`EditOp::name`].
    pub op: String,
    /// The clip after it.
    pub after: Measure,
}

/// The measures of a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[schemars(rename = "ClipMeasure")]
pub struct Measure {
    /// The clip's duration, in seconds, without intro and outro.
    pub duration: Timestamp,
    /// The number of words.
    pub words: usize,
    /// The number of joins between pieces.
    pub joins: usize,
    /// The number of scenes.
    pub scenes: usize,
    /// The number of overlays.
    #[serde(default, skip_serializing_if = "is_none")]
    pub overlays: usize,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Measure {
    fn of(plan: &ClipPlan, sources: &EditSources<'_>) -> Self {
        let timeline = plan.timeline();
        Measure {
            duration: timeline.end(),
            words: words::of_clip(plan, sources).len(),
            joins: timeline.joins().count(),
            scenes: plan.scenes.len(),
            overlays: plan.overlays.len(),
        }
    }
}

/// Applies operations to a plan, one after the other.
///
/// The function is pure: equal inputs give equal plans. A dry run is a call whose
/// [`changes`](Edited::changes) are read and whose plan is dropped.
///
/// # Errors
///
/// - [`InvalidInput`](ErrorKind::InvalidInput): an operation names something that the clip does not
///   have (a word, a sentence, a piece, a scene, a face, an overlay), would leave nothing, or needs
///   a document that is not given. The message names the operation by its number, from 0.
/// - [`InvalidPlan`](ErrorKind::InvalidPlan): the plan is invalid before or after the operations.
pub fn edit(plan: &ClipPlan, ops: &[EditOp], sources: &EditSources<'_>) -> Result<Edited> {
    plan.validate()?;
    let before = Measure::of(plan, sources);
    let mut plan = plan.clone();
    let mut steps = Vec::with_capacity(ops.len());
    for (n, op) in ops.iter().enumerate() {
        plan = apply(plan, op, sources).and_then(checked).map_err(|error| of_operation(n, op, &error))?;
        steps.push(Step { op: op.name().to_owned(), after: Measure::of(&plan, sources) });
    }
    let after = steps.last().map_or(before, |step| step.after);
    Ok(Edited { plan, changes: Changes { before, after, steps } })
}

fn apply(mut plan: ClipPlan, op: &EditOp, sources: &EditSources<'_>) -> Result<ClipPlan> {
    match op {
        EditOp::DeleteWords { words } => arrange::delete_words(&plan, sources, words),
        EditOp::KeepWords { words } => arrange::keep_words(&plan, sources, words),
        EditOp::MoveStart { to } => arrange::move_start(&plan, sources, to),
        EditOp::MoveEnd { to } => arrange::move_end(&plan, sources, to),
        EditOp::OrderPieces { order } => arrange::order_pieces(&plan, order),
        EditOp::HookFirst { words, repeat } => arrange::hook_first(&plan, sources, words, *repeat),
        EditOp::Tighten { level } => tighten::tighten(&plan, sources, *level),
        EditOp::Title { title } => {
            title.clone_into(&mut plan.title);
            Ok(plan)
        }
        EditOp::HookLine { line, style } => captions::hook_line(&mut plan, line.as_deref(), style.as_ref()).map(|()| plan),
        EditOp::CorrectCaption { words, text } => captions::correct(&mut plan, sources, words, text).map(|()| plan),
        EditOp::CaptionStyle { style } => captions::restyle(&mut plan, sources, style.as_ref()).map(|()| plan),
        EditOp::Censor { words, with } => sound::censor(&mut plan, sources, words, *with).map(|()| plan),
        EditOp::AddSound { sound } => {
            plan.sound.push(sound.clone());
            Ok(plan)
        }
        EditOp::RemoveSound { sound } => remove(&mut plan.sound, *sound, "sound").map(|()| plan),
        EditOp::Layout { scene, layout } => framing::layout(&mut plan, *scene, *layout).map(|()| plan),
        EditOp::Crop { scene, window, change } => framing::crop(&mut plan, *scene, *window, *change).map(|()| plan),
        EditOp::Post { description, tags } => {
            let post = &mut plan.post;
            description.iter().for_each(|text| post.description.clone_from(text));
            tags.iter().for_each(|tags| post.tags.clone_from(tags));
            Ok(plan)
        }
        EditOp::Aspect { aspect } => aspect::aspect(&mut plan, sources, *aspect).map(|()| plan),
        EditOp::Language { language } => captions::language(&mut plan, sources, language).map(|()| plan),
        EditOp::PunchIn { at } => {
            plan.zooms = zooms::planned(&plan, sources, *at);
            Ok(plan)
        }
        EditOp::AddZoom { zoom } => zooms::add(&mut plan, *zoom).map(|()| plan),
        EditOp::RemoveZoom { zoom } => remove(&mut plan.zooms, *zoom, "punch-in").map(|()| plan),
        EditOp::AddOverlay { overlay } => {
            overlays::add(&mut plan, overlay);
            Ok(plan)
        }
        EditOp::Brand { brand } => overlays::brand(&mut plan, sources, brand).map(|()| plan),
        EditOp::RemoveOverlay { overlay } => remove(&mut plan.overlays, *overlay, "overlay").map(|()| plan),
        EditOp::Intro { bumper } => {
            plan.intro.clone_from(bumper);
            Ok(plan)
        }
        EditOp::Outro { bumper } => {
            plan.outro.clone_from(bumper);
            Ok(plan)
        }
    }
}

/// A valid plan. Captions that an operation made anew or changed show no word that is censored.
fn checked(mut plan: ClipPlan) -> Result<ClipPlan> {
    star_censored(&mut plan);
    plan.validate()?;
    Ok(plan)
}

/// The error with the operation that it is about.
fn of_operation(n: usize, op: &EditOp, error: &Error) -> Error {
    let named = Error::new(error.kind(), format!("operation {n} ({}): {}", op.name(), error.message()));
    match error.advice() {
        Some(advice) => named.with_advice(advice),
        None => named,
    }
}

/// Removes an entry of a plan's list. `what` names such an entry.
fn remove<T>(list: &mut Vec<T>, number: usize, what: &str) -> Result<()> {
    if number >= list.len() {
        return Err(invalid(format!("there is no {what} {number}: the plan has {}", list.len())).with_advice("numbers start at 0"));
    }
    list.remove(number);
    Ok(())
}

/// An operation that cannot be done.
fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}
