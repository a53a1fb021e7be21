//! Evaluates choices of spans against the moments that people chose.

mod choice;
mod places;

pub use choice::{ChoiceCase, ChoiceReport, ShowReport, choice};
