//! Where a text's lines break, and how large its letters are, so that an animated word never moves to another line.

use super::typeset::{Typeset, is_spaced_after};

/// The most lines, but for texts that would be set much too small in them.
const LINES: usize = 2;
/// Letters smaller than this part of their size call for another line.
const SMALL: f64 = 0.62;
const MOST_LINES: usize = 4;
/// What a line costs that a single short word has to itself, next to one that is all empty.
const ORPHAN_COST: f64 = 0.6;
/// What it costs that a line starts with what closes, or ends with what opens: in no script is that done.
const WRONG_BREAK_COST: f64 = 4.0;
/// Letters of a word that is short.
const SHORT: usize = 3;

/// Where lines break and how large letters are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// For each word but the last, whether the line ends after it.
    pub(super) breaks: Vec<bool>,
    /// The letters' size, next to the one asked for: 1 or less.
    pub(super) fit: f64,
}

impl Layout {
    pub(super) fn lines(&self) -> usize {
        1 + self.breaks.iter().filter(|ends| **ends).count()
    }
}

/// Breaks words into as few lines as fit into `room` (in font sizes), evenly filled. Letters shrink where one word is too wide, or where
/// two lines are too few. `tallest` (in font sizes, for all lines together) shrinks them too.
pub(super) fn layout(words: &[Typeset], space: f64, room: f64, tallest: f64) -> Layout {
    let line = Line::of(words, space);
    let mut best: Option<Layout> = None;
    for lines in 1..=MOST_LINES {
        let narrowest = line.narrowest(lines);
        let fit = (room / narrowest.max(1e-6)).min(tallest / lines as f64).clamp(0.01, 1.0);
        if best.as_ref().is_some_and(|best| fit <= best.fit + 0.01) {
            continue;
        }
        let enough = fit >= 1.0 || (lines >= LINES && fit >= SMALL);
        best = Some(Layout { breaks: line.breaks(lines, (room / fit).max(narrowest)), fit });
        if enough {
            break;
        }
    }
    best.unwrap_or(Layout { breaks: vec![false; words.len().saturating_sub(1)], fit: 1.0 })
}

/// Words on one endless line.
struct Line {
    /// Where each word starts and ends.
    ends: Vec<(f64, f64)>,
    /// Whether a word is short.
    short: Vec<bool>,
    /// Whether a line may well end after a word.
    breakable: Vec<bool>,
}

impl Line {
    fn of(words: &[Typeset], space: f64) -> Self {
        let mut at = 0.0;
        let ends = words.iter().enumerate().map(|(n, word)| {
            let start = at;
            let end = start + word.width;
            at = end + if is_spaced_after(words, n) { space } else { 0.0 };
            (start, end)
        });
        Line {
            ends: ends.collect(),
            short: words.iter().map(|word| word.text.chars().count() <= SHORT).collect(),
            breakable: words.windows(2).map(|pair| !opens(&pair[0].text) && !closes(&pair[1].text)).collect(),
        }
    }

    fn width(&self, from: usize, to: usize) -> f64 {
        match (self.ends.get(from), to.checked_sub(1).and_then(|last| self.ends.get(last))) {
            (Some((start, _)), Some((_, end))) => end - start,
            _ => 0.0,
        }
    }

    /// The width of the narrowest column that holds the words in so many lines.
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

    /// How many lines are filled at a width.
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

    /// The breaks that cost least, of those that leave no line wider than `width`.
    fn breaks(&self, lines: usize, width: f64) -> Vec<bool> {
        let words = self.ends.len();
        let even = self.width(0, words) / lines as f64;
        // best[l][n]: the least cost of the first n words in l lines, and where the last of them starts.
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

/// Whether a line may not end with this word.
pub(super) fn opens(word: &str) -> bool {
    word.ends_with(['(', '[', '{', '\u{00bf}', '\u{00a1}', '\u{201c}', '\u{300c}', '\u{300e}', '\u{3010}', '\u{ff08}', '\u{300a}'])
}

/// Whether a line may not start with this word: what closes, small kana, the sign that lengthens.
pub(super) fn closes(word: &str) -> bool {
    word.starts_with([
        '.', ',', '!', '?', ':', ';', ')', ']', '}', '%', '\u{2026}', '\u{201d}', '\u{3001}', '\u{3002}', '\u{300d}', '\u{300f}',
        '\u{3011}', '\u{300b}', '\u{ff01}', '\u{ff09}', '\u{ff0c}', '\u{ff0e}', '\u{ff1a}', '\u{ff1b}', '\u{ff1f}', '\u{30fb}', '\u{30fc}',
        '\u{3041}', '\u{3043}', '\u{3045}', '\u{3047}', '\u{3049}', '\u{3063}', '\u{3083}', '\u{3085}', '\u{3087}', '\u{30a1}', '\u{30a3}',
        '\u{30a5}', '\u{30a7}', '\u{30a9}', '\u{30c3}', '\u{30e3}', '\u{30e5}', '\u{30e7}', '\u{060c}', '\u{061b}', '\u{061f}',
    ]) && word.chars().count() <= SHORT
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fonts::Estimate;
    use super::*;

    fn set(text: &str) -> Vec<Typeset> {
        text.split(' ').map(|word| Typeset::new(word, "Lato", false, 1.0, &Estimate)).collect()
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
    fn lines_are_few_and_even_and_no_short_word_stands_alone() {
        assert_eq!(broken("one short line", 10.0).0, ["one short line"]);
        assert_eq!(broken("this text takes two lines of it", 8.0).0, ["this text takes", "two lines of it"]);
        // Filled greedily, "a" would stand alone.
        assert_eq!(broken("measurements understood a", 10.9).0, ["measurements", "understood a"]);
        assert_eq!(broken("きのう ここで みた 。", 4.5).0, ["きのう ここで", "みた 。"]);
    }

    #[test]
    fn letters_shrink_for_a_wide_word_and_for_too_little_height() {
        let (lines, fit) = broken("extraordinarily", 3.0);
        assert!(lines.len() == 1 && (0.3..0.6).contains(&fit), "{fit}");
        let words = set("some words of a title");
        assert_eq!(layout(&words, 0.2, 100.0, 0.5).fit, 0.5);
        assert!(layout(&[], 0.2, 5.0, 1.0).breaks.is_empty());
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_its_room(text in "[a-zA-Z.,今 ]{1,80}", room in 0.5..20.0f64) {
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
