//! Captions: groups words into cues, places them, and writes ASS documents. Pure; the renderer
//! provides its fonts through [`Fonts`].

mod ass;
mod cue;
mod effect;
mod fonts;
mod keyword;
mod layout;
mod place;
mod text;
mod typeset;
mod word_timing;

#[cfg(feature = "ffmpeg")]
pub(crate) use ass::delayed;
pub(crate) use ass::{Document, PlacedText, document};
pub(crate) use cue::cues;
#[cfg(any(test, fuzzing))]
pub(crate) use fonts::Estimate;
pub(crate) use fonts::{Face, Fonts, Part};
pub(crate) use keyword::{Vocabulary, normalized};
pub(crate) use place::{HookContext, hook, place};
