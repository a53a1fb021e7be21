//! Where a cue's lines break, and how large its letters are: estimated, so that an animated word never moves to another line.

use crate::model::script::is_spaced;
use crate::model::{Animation, CaptionStyle, Rect};

/// How far a plate reaches beyond its word, in font sizes.
pub(super) const PLATE: f64 = 0.14;

/// A cue's lines, and its font's size in pixels.
pub(super) struct Layout {
    /// For each word but the last, whether the line ends after it.
    pub(super) breaks: Vec<bool>,
    pub(super) font_size: f64,
}

/// The pixels that captions may take: the same room to the left and to the right, so that they stand in the middle of the picture.
pub(super) struct Frame {
    pub(super) margin_side: f64,
    pub(super) margin_bottom: f64,
    pub(super) room: f64,
}

impl Frame {
    pub(super) fn of(style: &CaptionStyle, safe: Rect, width: u32, height: u32) -> Self {
        let (width, height) = (f64::from(width), f64::from(height));
        let side = safe.x.max(1.0 - safe.x - safe.width).clamp(0.0, 0.45);
        // The outline, or the plate, reaches below the letters.
        let below = if style.animation == Animation::Box { PLATE } else { style.outline_width } * style.size;
        let lowest = (safe.y + safe.height - below).clamp(0.0, 1.0);
        // Two lines above the bottom edge stay inside too.
        let highest = (safe.y + 2.5 * style.size).min(lowest);
        let bottom = style.position.clamp(highest, lowest);
        Frame { margin_side: side * width, margin_bottom: (1.0 - bottom) * height, room: (1.0 - 2.0 * side) * width }
    }
}

/// Breaks words into as few lines as fit, evenly filled; letters shrink where one word or too many lines do not fit.
pub(super) fn layout(words: &[String], style: &CaptionStyle, frame: &Frame, height: u32) -> Layout {
    const MOST_LINES: usize = 3;
    let font_size = style.size * f64::from(height);
    // Outline, and the growth of the word being said.
    let room = frame.room * 0.94 - 2.0 * style.outline_width * font_size;
    let widths: Vec<f64> = words.iter().map(|word| width(word) * font_size).collect();
    let gaps: Vec<f64> = words.windows(2).map(|pair| if is_spaced(&pair[0], &pair[1]) { 0.20 * font_size } else { 0.0 }).collect();
    let widest = widths.iter().copied().fold(0.0, f64::max);
    let total = widths.iter().sum::<f64>() + gaps.iter().sum::<f64>();
    let fit = (room / widest.max(1.0)).min(room * MOST_LINES as f64 * 0.8 / total.max(1.0)).min(1.0);
    let room = room / fit.max(0.01);
    let lines = (total / room).ceil().max(1.0);
    // The narrowest measure that keeps the number of lines.
    let mut measure = total / lines;
    let mut breaks = fill(&widths, &gaps, measure);
    while breaks.iter().filter(|ends| **ends).count() as f64 + 1.0 > lines && measure < room {
        measure = (measure * 1.06).min(room);
        breaks = fill(&widths, &gaps, measure);
    }
    Layout { breaks, font_size: font_size * fit }
}

/// Fills lines up to `measure`.
fn fill(widths: &[f64], gaps: &[f64], measure: f64) -> Vec<bool> {
    let mut used = widths.first().copied().unwrap_or_default();
    widths
        .iter()
        .skip(1)
        .zip(gaps)
        .map(|(width, gap)| {
            let ends = used + gap + width > measure + 0.5;
            used = if ends { *width } else { used + gap + width };
            ends
        })
        .collect()
}

/// A word's width in a heavy sans face, in font sizes.
fn width(word: &str) -> f64 {
    word.chars()
        .map(|letter| match letter {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '!' | '|' | '\u{2019}' => 0.25,
            'f' | 't' | 'r' | 's' | '(' | ')' | '[' | ']' | '-' | '"' => 0.38,
            'm' | 'w' | 'M' | 'W' | '@' | '%' | '\u{2014}' => 0.78,
            'A'..='Z' => 0.58,
            ' '..='~' => 0.49,
            // Han, kana and emoji fill a square; other letters are like Latin ones.
            '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffff}' | '\u{1f000}'.. => 0.95,
            letter if letter.is_uppercase() => 0.62,
            _ => 0.52,
        })
        .sum()
}
