//! A cue's text with the tags that show which word is being said.

use std::fmt::Write;

use super::layout::Layout;
use super::typeset::{Typeset, is_spaced_after};
use crate::model::{CaptionStyle, Cue, Rgb, Timestamp};

/// How long a word takes to grow, in milliseconds.
const POP_MS: i64 = 90;
/// How far a word grows.
pub(super) const POP_SCALE: f64 = 1.12;
/// A gap between words up to this long, in seconds, keeps the word before lit.
const LIT: f64 = 0.35;
/// Sets the direction of a line that would not follow from its first letter.
const LEFT_TO_RIGHT: char = '\u{200e}';
const RIGHT_TO_LEFT: char = '\u{200f}';

/// A cue's words, ready to be written.
pub(super) struct Text<'a> {
    pub(super) cue: &'a Cue,
    pub(super) style: &'a CaptionStyle,
    pub(super) words: &'a [Typeset],
    pub(super) layout: &'a Layout,
    /// The letters' size, in pixels, and whether it is the style's.
    pub(super) size: f64,
    pub(super) is_full: bool,
    /// Whether lines run from right to left.
    pub(super) is_rtl: bool,
}

impl Text<'_> {
    /// The words with `tags` before and after each, spaced and broken into lines.
    fn with(&self, mut tags: impl FnMut(usize) -> (String, String)) -> String {
        let mut line = self.sized();
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

    fn sized(&self) -> String {
        if self.is_full { String::new() } else { format!("{{\\fs{:.1}}}", self.size) }
    }

    /// The mark that a line needs whose first word runs against it.
    fn direction(&self, first: usize) -> Option<char> {
        let is_rtl = self.words.get(first).is_some_and(|word| word.is_rtl);
        (is_rtl != self.is_rtl).then_some(if self.is_rtl { RIGHT_TO_LEFT } else { LEFT_TO_RIGHT })
    }

    /// The colour and the scale of a keyword, where this word is one and has them.
    fn emphasis(&self, n: usize) -> Option<(Rgb, u32)> {
        let emphasized = self.cue.words.get(n).is_some_and(|word| word.emphasized);
        let emphasis = self.style.emphasis.as_ref().filter(|_| emphasized)?;
        Some((emphasis.color, percent(emphasis.scale)))
    }

    /// Tags before and after a keyword.
    fn stressed(&self, n: usize, colored: bool) -> (String, String) {
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
        self.with(|n| self.stressed(n, true))
    }

    /// Each word swept while it is said. Lengths are differences of rounded moments, so that roundings do not add up. The sweep goes from left
    /// to right whatever the script, so a word that does not run that way changes at once.
    pub(super) fn karaoke(&self) -> String {
        let origin = centis(self.cue.span.start());
        let mut at = 0;
        self.with(|n| {
            let word = self.cue.words[n].span;
            let start = (centis(word.start()) - origin).max(at);
            let end = (centis(word.end()) - origin).max(start);
            let wait = if start > at { format!("{{\\k{}}}", start - at) } else { String::new() };
            let sweep = if self.words[n].is_rtl { "k" } else { "kf" };
            at = end;
            let (before, after) = self.stressed(n, true);
            (format!("{wait}{{\\{sweep}{}}}{before}", end - start), after)
        })
    }

    /// Each word larger and coloured while it is said.
    pub(super) fn pop(&self) -> String {
        let origin = self.cue.span.start();
        self.with(|n| {
            let (start, end) = self.lit(n);
            let (start, end) = (start.since(origin).micros() / 1000, end.since(origin).micros() / 1000);
            let grown = (start + POP_MS).min(end.max(start + 1));
            let last = n + 1 == self.words.len() && end >= self.cue.span.end().since(origin).micros() / 1000;
            let (color, scale) = self.emphasis(n).unwrap_or((self.style.color, 100));
            let (on, off) = (colour_tag(self.style.highlight), colour_tag(color));
            let large = percent(f64::from(scale) / 100.0 * POP_SCALE);
            let (stress, _) = self.stressed(n, true);
            // The colour changes at once, the size in a moment.
            let mut tags = format!("{{\\r}}{}{stress}", self.sized());
            let _ = write!(tags, "{{\\t({start},{},\\1c{on})\\t({start},{grown},\\fscx{large}\\fscy{large})", start + 1);
            if !last {
                let _ = write!(tags, "\\t({end},{},\\1c{off})\\t({end},{},\\fscx{scale}\\fscy{scale})", end + 1, end + POP_MS);
            }
            tags.push('}');
            (tags, format!("{{\\r}}{}", self.sized()))
        })
    }

    /// The whole text unseen but for the plate behind one word.
    pub(super) fn plate(&self, active: usize) -> String {
        // The first line's mark of direction would have a plate of its own.
        let unseen = String::from("{\\alpha&HFF&}");
        unseen
            + &self.with(|n| {
                let (before, after) = self.stressed(n, false);
                if n == active { (format!("{{\\alpha&H00&}}{before}"), format!("{after}{{\\alpha&HFF&}}")) } else { (before, after) }
            })
    }

    /// When a word is lit: from its start until the next is said, if that is soon.
    pub(super) fn lit(&self, n: usize) -> (Timestamp, Timestamp) {
        let word = self.cue.words[n].span;
        let next = self.cue.words.get(n + 1).map_or(self.cue.span.end(), |next| next.span.start());
        let end = if next.since(word.end()).secs() <= LIT { next } else { word.end() };
        (word.start(), end)
    }
}

fn percent(scale: f64) -> u32 {
    (scale * 100.0).round() as u32
}

/// `&HBBGGRR&`, as tags want it.
fn colour_tag(Rgb(red, green, blue): Rgb) -> String {
    format!("&H{blue:02X}{green:02X}{red:02X}&")
}

/// A moment in hundredths of a second, to the nearest.
pub(super) fn centis(at: Timestamp) -> i64 {
    (at.micros().max(0) + 5_000) / 10_000
}
