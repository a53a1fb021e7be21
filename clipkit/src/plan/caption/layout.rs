//! Line breaking and font scaling for caption text, so that animated words stay on their lines.

use super::typeset::{TypesetWord, is_spaced_after};

/// The maximum number of lines, unless the font would have to be much too small.
const PREFERRED_LINES: usize = 2;
/// A smaller scale than this calls for another line.
const MIN_FIT: f64 = 0.62;
const MAX_LINES: usize = 4;
/// The cost of a short word alone on a line, relative to an empty line.
const ORPHAN_COST: f64 = 0.6;
/// The cost of a line that starts with closing punctuation or ends with opening punctuation.
const WRONG_BREAK_COST: f64 = 4.0;
/// The maximum letters of a short word.
const SHORT_WORD: usize = 3;

/// Line breaks and font scale.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// For each word but the last, whether a line break follows.
    pub(super) breaks: Vec<bool>,
    /// The font scale, at most 1.
    pub(super) fit: f64,
}

impl Layout {
    pub(super) fn lines(&self) -> usize {
        1 + self.breaks.iter().filter(|ends| **ends).count()
    }

    /// The width of the widest line of these words, in font sizes before scaling.
    pub(super) fn widest(&self, words: &[TypesetWord], space: f64) -> f64 {
        let line = Line::of(words, space);
        let ends = (1..words.len()).filter(|n| self.breaks.get(n - 1) == Some(&true)).chain([words.len()]);
        let widths = ends.scan(0, |from, to| Some(line.width(std::mem::replace(from, to), to)));
        widths.fold(0.0, f64::max)
    }
}

/// Breaks words into as few, evenly filled lines as fit into the width `room`. The font shrinks if
/// a word is too wide or two lines are too few, and to keep the height of all lines below
/// `tallest`. Both are in font sizes.
pub(super) fn layout(words: &[TypesetWord], space: f64, room: f64, tallest: f64) -> Layout {
    let line = Line::of(words, space);
    let mut best: Option<Layout> = None;
    for lines in 1..=MAX_LINES {
        let narrowest = line.narrowest(lines);
        let fit = (room / narrowest.max(1e-6)).min(tallest / lines as f64).clamp(0.01, 1.0);
        if best.as_ref().is_some_and(|best| fit <= best.fit + 0.01) {
            continue;
        }
        let enough = fit >= 1.0 || (lines >= PREFERRED_LINES && fit >= MIN_FIT);
        best = Some(Layout { breaks: line.breaks(lines, (room / fit).max(narrowest)), fit });
        if enough {
            break;
        }
    }
    best.unwrap_or(Layout { breaks: vec![false; words.len().saturating_sub(1)], fit: 1.0 })
}

/// Words on a single line of unlimited width.
struct Line {
    /// The start and end of each word, in font sizes.
    ends: Vec<(f64, f64)>,
    /// Whether each word is short.
    short: Vec<bool>,
    /// Whether a line break is allowed after each word.
    breakable: Vec<bool>,
}

impl Line {
    fn of(words: &[TypesetWord], space: f64) -> Self {
        let mut at = 0.0;
        let ends = words.iter().enumerate().map(|(n, word)| {
            let start = at;
            let end = start + word.width;
            at = end + if is_spaced_after(words, n) { space } else { 0.0 };
            (start, end)
        });
        Line {
            ends: ends.collect(),
            short: words.iter().map(|word| word.text.chars().count() <= SHORT_WORD).collect(),
            breakable: words.windows(2).map(|pair| !forbids_break_after(&pair[0].text) && !forbids_break_before(&pair[1].text)).collect(),
        }
    }

    fn width(&self, from: usize, to: usize) -> f64 {
        match (self.ends.get(from), to.checked_sub(1).and_then(|last| self.ends.get(last))) {
            (Some((start, _)), Some((_, end))) => end - start,
            _ => 0.0,
        }
    }

    /// The smallest width in which the words fit into the given number of lines.
    fn narrowest(&self, lines: usize) -> f64 {
        let widest = self.ends.iter().map(|(start, end)| end - start).fold(0.0, f64::max);
        let (mut low, mut high) = (widest, self.width(0, self.ends.len()).max(widest));
        if self.count(low) <= lines {
            return low;
        }
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            if self.count(middle) <= lines { high = middle } else { low = middle }
        }
        high
    }

    /// The number of lines at a width, with greedy breaking.
    fn count(&self, width: f64) -> usize {
        let (mut lines, mut from) = (1, 0);
        for to in 1..=self.ends.len() {
            if self.width(from, to) > width + 1e-9 {
                lines += 1;
                from = to - 1;
            }
        }
        lines
    }

    /// The line breaks with the minimum cost, without lines wider than `width`.
    fn breaks(&self, lines: usize, width: f64) -> Vec<bool> {
        let words = self.ends.len();
        let even = self.width(0, words) / lines as f64;
        // best[l][n]: the minimum cost of the first n words in l lines, and the start of the last
        // line.
        let mut best = vec![vec![(f64::INFINITY, 0); words + 1]; lines + 1];
        best[0][0].0 = 0.0;
        for l in 1..=lines {
            for to in 1..=words {
                for from in (0..to).rev() {
                    if from + 1 < to && self.width(from, to) > width + 1e-9 {
                        break;
                    }
                    let cost = best[l - 1][from].0 + self.cost(from, to, even);
                    if cost < best[l][to].0 {
                        best[l][to] = (cost, from);
                    }
                }
            }
        }
        let mut ends = vec![false; words.saturating_sub(1)];
        let mut at = words;
        for l in (1..=lines).rev() {
            at = best[l][at].1;
            if let Some(end) = at.checked_sub(1).and_then(|n| ends.get_mut(n)) {
                *end = true;
            }
        }
        ends
    }

    fn cost(&self, from: usize, to: usize, even: f64) -> f64 {
        let uneven = (self.width(from, to) - even) / even.max(1e-6);
        let alone = to - from == 1 && self.ends.len() > 2 && self.short[from];
        let wrong = to < self.ends.len() && !self.breakable[to - 1];
        uneven * uneven + if alone { ORPHAN_COST } else { 0.0 } + if wrong { WRONG_BREAK_COST } else { 0.0 }
    }
}

/// Whether a line must not end with this word, because it ends with opening punctuation.
pub(super) fn forbids_break_after(word: &str) -> bool {
    word.ends_with(['(', '[', '{', '\u{00bf}', '\u{00a1}', '\u{201c}', '\u{300c}', '\u{300e}', '\u{3010}', '\u{ff08}', '\u{300a}'])
}

/// Whether a line must not start with this word: closing punctuation, small kana or a prolonged
/// sound mark.
pub(super) fn forbids_break_before(word: &str) -> bool {
    word.starts_with([
        '.', ',', '!', '?', ':', ';', ')', ']', '}', '%', '\u{2026}', '\u{201d}', '\u{3001}', '\u{3002}', '\u{300d}', '\u{300f}',
        '\u{3011}', '\u{300b}', '\u{ff01}', '\u{ff09}', '\u{ff0c}', '\u{ff0e}', '\u{ff1a}', '\u{ff1b}', '\u{ff1f}', '\u{30fb}', '\u{30fc}',
        '\u{3041}', '\u{3043}', '\u{3045}', '\u{3047}', '\u{3049}', '\u{3063}', '\u{3083}', '\u{3085}', '\u{3087}', '\u{30a1}', '\u{30a3}',
        '\u{30a5}', '\u{30a7}', '\u{30a9}', '\u{30c3}', '\u{30e3}', '\u{30e5}', '\u{30e7}', '\u{060c}', '\u{061b}', '\u{061f}',
    ]) && word.chars().count() <= SHORT_WORD
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fonts::Estimate;
    use super::*;

    fn set(text: &str) -> Vec<TypesetWord> {
        text.split(' ').map(|word| TypesetWord::new(word, "Lato", false, 1.0, &Estimate)).collect()
    }

    fn broken(text: &str, room: f64) -> (Vec<String>, f64) {
        let words = set(text);
        let layout = layout(&words, 0.2, room, 100.0);
        let mut lines = vec![String::new()];
        for (n, word) in words.iter().enumerate() {
            let line = lines.last_mut().unwrap();
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word.text);
            if layout.breaks.get(n) == Some(&true) {
                lines.push(String::new());
            }
        }
        (lines, layout.fit)
    }

    #[test]
    fn lines_are_few_and_even_without_single_short_words() {
        assert_eq!(broken("one short line", 10.0).0, ["one short line"]);
        assert_eq!(broken("this text takes two lines of it", 8.0).0, ["this text takes", "two lines of it"]);
        // Greedy breaking would leave "a" alone.
        assert_eq!(broken("measurements understood a", 10.9).0, ["measurements", "understood a"]);
        assert_eq!(broken("きのう ここで みた 。", 4.5).0, ["きのう ここで", "みた 。"]);
    }

    #[test]
    fn the_font_shrinks_for_wide_words_and_low_areas() {
        let (lines, fit) = broken("extraordinarily", 3.0);
        assert!(lines.len() == 1 && (0.3..0.6).contains(&fit), "{fit}");
        let words = set("some words of a title");
        assert_eq!(layout(&words, 0.2, 100.0, 0.5).fit, 0.5);
        assert!(layout(&[], 0.2, 5.0, 1.0).breaks.is_empty());
    }

    proptest! {
        #[test]
        fn no_line_exceeds_its_width(text in "[a-zA-Z.,今 ]{1,80}", room in 0.5..20.0f64) {
            let words = set(&text);
            let layout = layout(&words, 0.2, room, 50.0);
            prop_assert_eq!(layout.breaks.len() + 1, words.len());
            let line = Line::of(&words, 0.2);
            let mut from = 0;
            for to in 1..=words.len() {
                if to == words.len() || layout.breaks[to - 1] {
                    prop_assert!(line.width(from, to) * layout.fit <= room * 1.0001 || layout.fit <= 0.01);
                    from = to;
                }
            }
        }
    }
}
