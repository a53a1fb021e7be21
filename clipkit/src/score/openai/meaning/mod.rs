//! What a model's answer means: proposals, verdicts on spans, an order of clips. Pure functions
//! from texts.
//!
//! Models write the right thing in another form, and asking again costs money. What has one clear
//! meaning is taken, and counted in [`Repairs`], which become one warning:
//!
//! - The list under another name, inside of another object, bare, keyed by the ids, as one object,
//!   as objects one after the other, or as JSON inside of a string.
//! - Text around the JSON. The first value in the answer that fits is taken, wherever the answer
//!   is ([`answer`](crate::openai::answer)). Of a list that is cut off, the whole items count.
//! - What is nearly JSON ([`lenient`](crate::openai::lenient)).
//! - Fields under a few other names, or inside of `scores`.
//! - Numbers as text (`"7"`, `"7,5"`, `"7/10"`, `"70%"`), whole numbers as floats.
//! - Scores from 0 to 100 or from 0 to 1, if all scores of the answer together show it.
//! - Missing `reason`, `why` and `hook_line`; missing `first` and `last` of a verdict: the span as
//!   it was proposed.
//!
//! Nothing else is guessed. Ids are compared exactly, a span that is scored twice has no verdict,
//! and sentences and scores stay in their ranges.

mod field;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod number;
mod order;
mod proposals;
mod repairs;
mod shape;
mod verdicts;

#[cfg(any(test, fuzzing))]
pub(crate) use fuzzing::read_answer;
pub(super) use order::order;
pub(super) use proposals::proposals;
pub(super) use repairs::{Repair, Repairs};
pub(super) use verdicts::verdicts;
