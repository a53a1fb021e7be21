//! A cue's text with the ASS tags that highlight the current word.

use std::fmt::Write;

use super::layout::Layout;
use super::typeset::{TypesetWord, is_spaced_after};
use crate::model::{CaptionStyle, Cue, Rgb, Timestamp};

/// The duration of a word's growth, in milliseconds.
const POP_MS: i64 = 90;
/// The scale of the current word.
pub(super) const POP_SCALE: f64 = 1.12;
/// If the gap to the next word is at most this long, in seconds, the word stays highlighted.
const MAX_HIGHLIGHT_GAP: f64 = 0.35;
/// Direction marks for lines whose first letter has the opposite direction.
const LEFT_TO_RIGHT: char = '\u{200e}';
const RIGHT_TO_LEFT: char = '\u{200f}';

/// The words of a cue with everything needed to write them.
pub(super) struct CueText<'a> {
    pub(super) cue: &'a Cue,
    pub(super) style: &'a CaptionStyle,
    pub(super) words: &'a [TypesetWord],
    pub(super) layout: &'a Layout,
    /// The font size in pixels, and whether it is the style's.
    pub(super) size: f64,
    pub(super) is_full: bool,
    /// Whether the base direction is right to left.
    pub(super) is_rtl: bool,
}

impl CueText<'_> {
    /// The words with `tags` before and after each, with spaces and line breaks.
    fn tagged(&self, mut tags: impl FnMut(usize) -> (String, String)) -> String {
        let mut line = self.size_tag();
        let mut starts = true;
        for (n, word) in self.words.iter().enumerate() {
            if std::mem::take(&mut starts) {
                line.extend(self.direction(n));
            }
            let (before, after) = tags(n);
            line.push_str(&before);
            line.push_str(&word.markup(self.size));
            line.push_str(&after);
            if self.layout.breaks.get(n) == Some(&true) {
                line.push_str("\\N");
                starts = true;
            } else if is_spaced_after(self.words, n) {
                line.push(' ');
            }
        }
        line
    }

    fn size_tag(&self) -> String {
        if self.is_full { String::new() } else { format!("{{\\fs{:.1}}}", self.size) }
    }

    /// The direction mark of a line whose first word has the opposite direction.
    fn direction(&self, first: usize) -> Option<char> {
        let is_rtl = self.words.get(first).is_some_and(|word| word.is_rtl);
        (is_rtl != self.is_rtl).then_some(if self.is_rtl { RIGHT_TO_LEFT } else { LEFT_TO_RIGHT })
    }

    /// The colour and scale in percent of a word, if it is an emphasised keyword.
    fn emphasis(&self, n: usize) -> Option<(Rgb, u32)> {
        let emphasized = self.cue.words.get(n).is_some_and(|word| word.emphasized);
        let emphasis = self.style.emphasis.as_ref().filter(|_| emphasized)?;
        Some((emphasis.color, percent(emphasis.scale)))
    }

    /// The tags before and after a keyword.
    fn emphasis_tags(&self, n: usize, colored: bool) -> (String, String) {
        let Some((color, scale)) = self.emphasis(n) else { return Default::default() };
        let (mut before, mut after) = (String::from("{"), String::from("{"));
        if colored {
            let _ = write!(before, "\\1c{}", colour_tag(color));
            after.push_str("\\1c");
        }
        if scale != 100 {
            let _ = write!(before, "\\fscx{scale}\\fscy{scale}");
            after.push_str("\\fscx100\\fscy100");
        }
        if before.len() == 1 { Default::default() } else { (before + "}", after + "}") }
    }

    pub(super) fn plain(&self) -> String {
        self.tagged(|n| self.emphasis_tags(n, true))
    }

    /// Text in which each word is swept with colour while it is spoken. Durations are differences
    /// of rounded times, so that rounding errors do not accumulate. The sweep always moves from
    /// left to right, so right-to-left words change colour at once.
    pub(super) fn karaoke(&self) -> String {
        let origin = centiseconds(self.cue.span.start());
        let mut at = 0;
        self.tagged(|n| {
            let word = self.cue.words[n].span;
            let start = (centiseconds(word.start()) - origin).max(at);
            let end = (centiseconds(word.end()) - origin).max(start);
            let wait = if start > at { format!("{{\\k{}}}", start - at) } else { String::new() };
            let sweep = if self.words[n].is_rtl { "k" } else { "kf" };
            at = end;
            let (before, after) = self.emphasis_tags(n, true);
            (format!("{wait}{{\\{sweep}{}}}{before}", end - start), after)
        })
    }

    /// Text in which each word is larger and coloured while it is spoken.
    pub(super) fn pop(&self) -> String {
        let origin = self.cue.span.start();
        self.tagged(|n| {
            let (start, end) = self.highlighted(n);
            let (start, end) = (start.since(origin).micros() / 1000, end.since(origin).micros() / 1000);
            let grown = (start + POP_MS).min(end.max(start + 1));
            let last = n + 1 == self.words.len() && end >= self.cue.span.end().since(origin).micros() / 1000;
            let (color, scale) = self.emphasis(n).unwrap_or((self.style.color, 100));
            let (on, off) = (colour_tag(self.style.highlight), colour_tag(color));
            let large = percent(f64::from(scale) / 100.0 * POP_SCALE);
            let (stress, _) = self.emphasis_tags(n, true);
            // The colour changes immediately, the size gradually.
            let mut tags = format!("{{\\r}}{}{stress}", self.size_tag());
            let _ = write!(tags, "{{\\t({start},{},\\1c{on})\\t({start},{grown},\\fscx{large}\\fscy{large})", start + 1);
            if !last {
                let _ = write!(tags, "\\t({end},{},\\1c{off})\\t({end},{},\\fscx{scale}\\fscy{scale})", end + 1, end + POP_MS);
            }
            tags.push('}');
            (tags, format!("{{\\r}}{}", self.size_tag()))
        })
    }

    /// Transparent text with a box behind one word.
    pub(super) fn plate(&self, active: usize) -> String {
        // This keeps the first line's direction mark from getting a box of its own.
        let unseen = String::from("{\\alpha&HFF&}");
        unseen
            + &self.tagged(|n| {
                let (before, after) = self.emphasis_tags(n, false);
                if n == active { (format!("{{\\alpha&H00&}}{before}"), format!("{after}{{\\alpha&HFF&}}")) } else { (before, after) }
            })
    }

    /// The span in which a word is highlighted: until the next word if the gap is short.
    pub(super) fn highlighted(&self, n: usize) -> (Timestamp, Timestamp) {
        let word = self.cue.words[n].span;
        let next = self.cue.words.get(n + 1).map_or(self.cue.span.end(), |next| next.span.start());
        let end = if next.since(word.end()).secs() <= MAX_HIGHLIGHT_GAP { next } else { word.end() };
        (word.start(), end)
    }
}

fn percent(scale: f64) -> u32 {
    (scale * 100.0).round() as u32
}

/// A colour in the syntax of tags: `&HBBGGRR&`.
fn colour_tag(Rgb(red, green, blue): Rgb) -> String {
    format!("&H{blue:02X}{green:02X}{red:02X}&")
}

/// A time in hundredths of a second, rounded to the nearest.
pub(super) fn centiseconds(at: Timestamp) -> i64 {
    (at.micros().max(0) + 5_000) / 10_000
}
