//! Pure: words to cues, cues to places, all of it to ASS. Fonts are asked through [`Fonts`].

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

pub(crate) use ass::{Document, document};
pub(crate) use cue::cues;
pub(crate) use fonts::{Face, Fonts, Part};
pub(crate) use place::{Around, hook, place};
