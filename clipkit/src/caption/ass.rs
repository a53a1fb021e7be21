//! Cues to a document for libass.

use std::fmt::Write;

use super::layout::{Frame, Layout, PLATE, layout};
use crate::model::script::is_spaced;
use crate::model::{Animation, CaptionStyle, CaptionTrack, Cue, Rgb, Timestamp};

/// How long a word takes to grow, in milliseconds.
const POP_MS: i64 = 90;
/// How far a word grows, in percent.
const POP_SCALE: u32 = 112;
/// A gap between words up to this long, in seconds, keeps the word before lit.
const LIT: f64 = 0.35;

/// The track as a complete ASS document for a picture of this size. Braces, backslashes and line ends are shown or dropped.
pub(super) fn ass(track: &CaptionTrack, width: u32, height: u32) -> String {
    let style = &track.style;
    let frame = Frame::of(style, track.safe_area, width, height);
    let mut out = String::new();
    // Writing into a string does not fail.
    let _ = write!(
        out,
        "[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {height}\nWrapStyle: 0\nScaledBorderAndShadow: yes\n\
         YCbCr Matrix: None\n\n\
         [V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
         StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
    );
    let size = style.size * f64::from(height);
    let look = Look { size, frame: &frame };
    match style.animation {
        // The sweep goes from the second colour to the first.
        Animation::Karaoke => look.write(&mut out, "Words", style, style.highlight, style.color),
        _ => look.write(&mut out, "Words", style, style.color, style.color),
    }
    if style.animation == Animation::Box {
        look.write_plate(&mut out, style);
    }
    out.push_str("\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n");
    for cue in &track.cues {
        let words: Vec<String> = cue.words.iter().map(|word| shown(&word.text, style)).collect();
        let layout = layout(&words, style, &frame, height);
        let text = Text { cue, words: words.iter().map(|word| escaped(word)).collect(), layout, full_size: size };
        match style.animation {
            Animation::Karaoke => event(&mut out, 1, cue.span.start(), cue.span.end(), "Words", &text.karaoke()),
            Animation::Pop => event(&mut out, 1, cue.span.start(), cue.span.end(), "Words", &text.pop(style)),
            Animation::Box => {
                for active in 0..text.words.len() {
                    let (start, end) = text.lit(active);
                    event(&mut out, 0, start, end, "Plate", &text.plate(active));
                }
                event(&mut out, 1, cue.span.start(), cue.span.end(), "Words", &text.plain());
            }
            Animation::None => event(&mut out, 1, cue.span.start(), cue.span.end(), "Words", &text.plain()),
        }
    }
    out
}

/// What the lines of `[V4+ Styles]` share.
struct Look<'a> {
    size: f64,
    frame: &'a Frame,
}

impl Look<'_> {
    fn write(&self, out: &mut String, name: &str, style: &CaptionStyle, first: Rgb, second: Rgb) {
        let (outline, shadow) = (style.outline_width * self.size, style.shadow * self.size);
        self.line(out, name, style, [colour(first), colour(second), colour(style.outline), "&H80000000".into()], 1, outline, shadow);
    }

    /// The plate is an opaque box around one word, whose letters stay invisible.
    fn write_plate(&self, out: &mut String, style: &CaptionStyle) {
        let plate = colour(style.highlight);
        self.line(out, "Plate", style, [plate.clone(), plate.clone(), plate, "&HFF000000".into()], 3, PLATE * self.size, 0.0);
    }

    #[allow(clippy::too_many_arguments)] // One line of the format, in its order.
    fn line(&self, out: &mut String, name: &str, style: &CaptionStyle, colours: [String; 4], border: u8, outline: f64, shadow: f64) {
        let font: String = style.font.chars().filter(|letter| !letter.is_control() && *letter != ',').collect();
        let (bold, side, bottom) = (if style.bold { -1 } else { 0 }, self.frame.margin_side.round(), self.frame.margin_bottom.round());
        let _ = writeln!(
            out,
            // Encoding -1: each line's direction follows from its letters.
            "Style: {name},{font},{:.1},{},{bold},0,0,0,100,100,0,0,{border},{outline:.1},{shadow:.1},2,{side},{side},{bottom},-1",
            self.size,
            colours.join(",")
        );
    }
}

/// A cue's words, ready to be written.
struct Text<'a> {
    cue: &'a Cue,
    words: Vec<String>,
    layout: Layout,
    full_size: f64,
}

impl Text<'_> {
    /// The words with `tags` before each, spaced and broken into lines.
    fn with(&self, mut tags: impl FnMut(usize) -> (String, String)) -> String {
        let mut line = String::new();
        if self.layout.font_size < self.full_size - 0.05 {
            let _ = write!(line, "{{\\fs{:.1}}}", self.layout.font_size);
        }
        for (n, word) in self.words.iter().enumerate() {
            let (before, after) = tags(n);
            line.push_str(&before);
            line.push_str(word);
            line.push_str(&after);
            match (self.layout.breaks.get(n), self.words.get(n + 1)) {
                (Some(true), _) => line.push_str("\\N"),
                (_, Some(next)) if is_spaced(word, next) => line.push(' '),
                _ => {}
            }
        }
        line
    }

    fn plain(&self) -> String {
        self.with(|_| (String::new(), String::new()))
    }

    /// Each word swept while it is said. Lengths are differences of rounded moments, so that roundings do not add up.
    fn karaoke(&self) -> String {
        let origin = centis(self.cue.span.start());
        let mut at = 0;
        self.with(|n| {
            let word = self.cue.words[n].span;
            let start = (centis(word.start()) - origin).max(at);
            let end = (centis(word.end()) - origin).max(start);
            let wait = if start > at { format!("{{\\k{}}}", start - at) } else { String::new() };
            let tag = format!("{wait}{{\\kf{}}}", end - start);
            at = end;
            (tag, String::new())
        })
    }

    /// Each word larger and coloured while it is said.
    fn pop(&self, style: &CaptionStyle) -> String {
        let (on, off) = (colour_tag(style.highlight), colour_tag(style.color));
        let origin = self.cue.span.start();
        self.with(|n| {
            let (start, end) = self.lit(n);
            let (start, end) = (start.since(origin).micros() / 1000, end.since(origin).micros() / 1000);
            let grown = (start + POP_MS).min(end.max(start + 1));
            let last = n + 1 == self.words.len() && end >= self.cue.span.end().since(origin).micros() / 1000;
            // The colour changes at once, the size in a moment.
            let mut tags = format!("{{\\r\\t({start},{},\\1c{on})\\t({start},{grown},\\fscx{POP_SCALE}\\fscy{POP_SCALE})", start + 1);
            if !last {
                let _ = write!(tags, "\\t({end},{},\\1c{off})\\t({end},{},\\fscx100\\fscy100)", end + 1, end + POP_MS);
            }
            tags.push('}');
            if self.layout.font_size < self.full_size - 0.05 {
                let _ = write!(tags, "{{\\fs{:.1}}}", self.layout.font_size);
            }
            (tags, "{\\r}".to_owned())
        })
    }

    /// The whole line unseen but for the plate behind one word.
    fn plate(&self, active: usize) -> String {
        self.with(|n| match (n == active, n == 0 || n == active + 1) {
            (true, _) => ("{\\alpha&H00&}".to_owned(), "{\\alpha&HFF&}".to_owned()),
            (false, true) => ("{\\alpha&HFF&}".to_owned(), String::new()),
            (false, false) => (String::new(), String::new()),
        })
    }

    /// When a word is lit: from its start until the next is said, if that is soon.
    fn lit(&self, n: usize) -> (Timestamp, Timestamp) {
        let word = self.cue.words[n].span;
        let next = self.cue.words.get(n + 1).map_or(self.cue.span.end(), |next| next.span.start());
        let end = if next.since(word.end()).secs() <= LIT { next } else { word.end() };
        (word.start(), end)
    }
}

fn event(out: &mut String, layer: u8, start: Timestamp, end: Timestamp, style: &str, text: &str) {
    if centis(end) > centis(start) {
        let _ = writeln!(out, "Dialogue: {layer},{},{},{style},,0,0,0,,{text}", clock(start), clock(end));
    }
}

/// A word as it is shown: one line, in capitals where the style wants them.
fn shown(word: &str, style: &CaptionStyle) -> String {
    let flat: String = word.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()).collect();
    if style.uppercase { flat.trim().to_uppercase() } else { flat.trim().to_owned() }
}

/// Text that libass shows as it stands: it knows `\{` and `\}`, but no escape for a backslash, so a word joiner keeps the letter that
/// follows from making a tag with it.
fn escaped(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for letter in word.chars() {
        match letter {
            '\\' => out.push_str("\\\u{2060}"),
            '{' => out.push_str("\\{"),
            '}' => out.push_str("\\}"),
            letter => out.push(letter),
        }
    }
    out
}

/// `&H00BBGGRR`, as styles want it.
fn colour(Rgb(red, green, blue): Rgb) -> String {
    format!("&H00{blue:02X}{green:02X}{red:02X}")
}

/// `&HBBGGRR&`, as tags want it.
fn colour_tag(Rgb(red, green, blue): Rgb) -> String {
    format!("&H{blue:02X}{green:02X}{red:02X}&")
}

fn centis(at: Timestamp) -> i64 {
    (at.micros().max(0) + 5_000) / 10_000
}

/// `0:00:01.50`
fn clock(at: Timestamp) -> String {
    let centis = centis(at);
    format!("{}:{:02}:{:02}.{:02}", centis / 360_000, centis / 6000 % 60, centis / 100 % 60, centis % 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::cues;
    use super::*;
    use crate::model::{Aspect, Platform, Span, Word};

    fn track(style: CaptionStyle, words: &[Word], secs: f64) -> CaptionTrack {
        let cues = cues(words, &style, Span::secs(0.0, secs).unwrap());
        CaptionTrack { style, safe_area: Platform::Generic.safe_area(Aspect::Vertical), cues }
    }

    fn talk() -> Vec<Word> {
        [
            ("Every", 0.1, 0.4),
            ("clock", 0.4, 0.9),
            ("you", 1.0, 1.2),
            ("own", 1.2, 1.6),
            ("is", 1.6, 1.75),
            ("wrong.", 1.75, 2.3),
            ("{\\b1}", 3.5, 4.0),
            ("C:\\Now\n}", 4.0, 4.6),
            ("Nobody", 6.0, 6.4),
            ("understands", 6.4, 7.1),
            ("extraordinary", 7.1, 7.9),
            ("measurements,", 7.9, 8.7),
            ("still", 8.7, 9.1),
        ]
        .map(|(text, start, end)| Word::new(text, start, end))
        .to_vec()
    }

    #[test]
    fn documents_are_as_they_were() {
        for name in CaptionStyle::NAMES {
            let document = ass(&track(CaptionStyle::named(name).unwrap(), &talk(), 10.0), 1080, 1920);
            insta::assert_snapshot!(format!("ass_{name}"), document);
        }
    }

    #[test]
    fn sums_of_karaoke_lengths_do_not_drift() {
        let words: Vec<Word> = (0..5).map(|n| Word::new("word", f64::from(n) * 0.3333, f64::from(n) * 0.3333 + 0.3333)).collect();
        let document = ass(&track(CaptionStyle::karaoke(), &words, 3.0), 1080, 1920);
        let sum: i64 = document.split("\\kf").skip(1).filter_map(|part| part.split('}').next()?.parse::<i64>().ok()).sum();
        assert_eq!(sum, 167);
    }

    #[test]
    fn captions_stay_inside_the_safe_area() {
        for (aspect, position) in [(Aspect::Vertical, 0.99), (Aspect::Vertical, 0.0), (Aspect::Wide, 0.99), (Aspect::Square, 0.1)] {
            let (width, height) = aspect.size();
            let safe = Platform::Generic.safe_area(aspect);
            let style = CaptionStyle { position, ..CaptionStyle::karaoke() };
            let frame = Frame::of(&style, safe, width, height);
            let bottom = 1.0 - frame.margin_bottom / f64::from(height);
            assert!(bottom <= safe.y + safe.height + 1e-9 && bottom >= safe.y + style.size);
            let side = frame.margin_side / f64::from(width);
            assert!(side >= safe.x - 1e-9 && 1.0 - side <= safe.x + safe.width + 1e-9);
        }
    }

    #[test]
    fn a_long_word_shrinks() {
        let words = [Word::new("Donaudampfschifffahrtsgesellschaftskapitän", 0.0, 1.0)];
        let document = ass(&track(CaptionStyle::pop(), &words, 2.0), 1080, 1920);
        let size: f64 = document.split("\\fs").nth(1).and_then(|rest| rest.split('}').next()).unwrap().parse().unwrap();
        assert!(size < 50.0, "{size}");
    }

    proptest! {
        #[test]
        fn nothing_in_a_word_becomes_a_tag_or_an_event(texts in prop::collection::vec("[\\\\{}Nnh,a-z\n\r\u{0}:&;今 ]{0,12}", 1..12), style in 0..4usize) {
            let style = CaptionStyle::named(CaptionStyle::NAMES[style]).unwrap();
            let words: Vec<Word> = texts.iter().enumerate().map(|(n, text)| Word::new(text.as_str(), n as f64, n as f64 + 0.9)).collect();
            let document = ass(&track(style, &words, 12.0), 1080, 1920);
            for line in document.lines().skip_while(|line| *line != "[Events]").skip(2) {
                prop_assert!(line.starts_with("Dialogue: "), "{}", line);
                // Every tag block is one of ours: without escaped braces, blocks open and close in turn.
                let bare = line.replace("\\{", "").replace("\\}", "");
                let mut open = false;
                for letter in bare.chars() {
                    match letter {
                        '{' => { prop_assert!(!open); open = true; }
                        '}' => { prop_assert!(open); open = false; }
                        _ => {}
                    }
                }
                prop_assert!(!open);
            }
        }
    }
}
