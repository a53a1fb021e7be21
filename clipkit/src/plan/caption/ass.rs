//! Captions and title as a document for libass.

use std::fmt::Write;

use super::effect::{POP_SCALE, Text, centis};
use super::fonts::Fonts;
use super::layout::{Layout, layout};
use super::text::{is_rtl_text, pieces, shown};
use super::typeset::{Typeset, name};
use crate::model::{Animation, CaptionStyle, CaptionTrack, Cue, CuePlace, Hook, Rect, Rgb, Timestamp};

/// How far a plate reaches beyond its word, in font sizes.
const PLATE: f64 = 0.14;
/// The same for the plate of a title, and the outline of one without.
const HOOK_PLATE: f64 = 0.22;
const HOOK_OUTLINE: f64 = 0.08;
/// What is left free of a line's room: kerning and the renderer's rounding make a line no wider than that.
const SLACK: f64 = 0.98;

/// A document, and what it could not say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    /// The ASS script.
    pub(crate) text: String,
    /// The characters that no font has, each once, in the order they would have been shown.
    pub(crate) missing: Vec<char>,
    /// Which part of the caption's words were left out or stand as `…`, 0 to 1.
    pub(crate) lost: f64,
}

/// Captions and title as a complete ASS document for a picture of this size, in pixels. Text is data: nothing in it becomes a tag.
pub(crate) fn document(track: Option<&CaptionTrack>, hook: Option<&Hook>, (width, height): (u32, u32), fonts: &dyn Fonts) -> Document {
    let mut page = Page { width: f64::from(width), height: f64::from(height), styles: String::new(), events: String::new(), fonts };
    let (mut missing, mut lost) = (Vec::new(), 0.0);
    if let Some(track) = track {
        lost = page.captions(track, &mut missing);
    }
    if let Some(hook) = hook {
        page.hook(hook, &mut missing);
    }
    let mut seen = std::collections::HashSet::new();
    missing.retain(|letter| seen.insert(*letter));
    let text = format!(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {height}\nWrapStyle: 0\nScaledBorderAndShadow: yes\n\
         YCbCr Matrix: None\n\n\
         [V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
         StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n{}\n\
         [Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n{}",
        page.styles, page.events
    );
    Document { text, missing, lost }
}

/// The pixels that captions may take: the same room to the left and to the right, so that they stand in the middle of the picture.
#[derive(Clone, Copy, Debug)]
struct Frame {
    side: f64,
    top: f64,
    bottom: f64,
    room: f64,
}

impl Frame {
    fn of(style: &CaptionStyle, safe: Rect, width: f64, height: f64) -> Self {
        let side = safe.x.max(1.0 - safe.x - safe.width).clamp(0.0, 0.45);
        // The outline, or the plate, reaches beyond the letters.
        let beyond = reach(style) * style.size;
        let (top, bottom) = (safe.y + beyond, safe.y + safe.height - beyond);
        let room = (1.0 - 2.0 * side) * width * SLACK - 2.0 * beyond * height;
        Frame { side: side * width, top: top * height, bottom: bottom.max(top) * height, room: room.max(1.0) }
    }

    /// The pixels below a text of this height whose last line shall end, or whose middle shall be, at `place`.
    fn below(&self, place: CuePlace, text: f64, height: f64) -> f64 {
        let bottom = match place {
            CuePlace::Bottom(at) => at * height,
            CuePlace::Middle(at) => at * height + text / 2.0,
        };
        // Where the text is taller than the room for it, its last line stays inside.
        height - bottom.max(self.top + text).min(self.bottom)
    }
}

/// How far captions reach beyond their letters, in font sizes.
fn reach(style: &CaptionStyle) -> f64 {
    if style.animation == Animation::Box { PLATE.max(style.outline_width) } else { style.outline_width }
}

/// A document as it grows.
struct Page<'a> {
    width: f64,
    height: f64,
    styles: String,
    events: String,
    fonts: &'a dyn Fonts,
}

impl Page<'_> {
    /// Answers which part of the words could not be shown.
    fn captions(&mut self, track: &CaptionTrack, missing: &mut Vec<char>) -> f64 {
        let style = &track.style;
        let frame = Frame::of(style, track.safe_area, self.width, self.height);
        let size = style.size * self.height;
        let margin = frame.below(CuePlace::Bottom(style.position), size, self.height).round();
        let look = Look { font: &style.font, bold: style.bold, size, side: frame.side, bottom: margin, alignment: 2 };
        let (outline, shadow) = (style.outline_width * size, style.shadow * size);
        // The sweep goes from the second colour to the first.
        let first = if style.animation == Animation::Karaoke { style.highlight } else { style.color };
        look.write(&mut self.styles, "Words", [first, style.color, style.outline], "&H80000000", 1, (outline, shadow));
        if style.animation == Animation::Box {
            // An opaque box around one word, whose letters stay invisible.
            look.write(&mut self.styles, "Plate", [style.highlight; 3], "&HFF000000", 3, (PLATE * size, 0.0));
        }
        let is_rtl = is_rtl_text(track.cues.iter().flat_map(|cue| &cue.words).map(|word| word.text.as_str()));
        let (mut all, mut lost) = (0_usize, 0_usize);
        for cue in &track.cues {
            let words = self.set(cue, style);
            all += words.len();
            lost += words.iter().filter(|word| word.missing.iter().any(|letter| letter.is_alphanumeric())).count();
            missing.extend(words.iter().flat_map(|word| &word.missing));
            let layout = self.lay_out(&words, style, &frame);
            let high = words.iter().map(Typeset::height).fold(1.0, f64::max);
            let tall = layout.lines() as f64 * size * layout.fit * high;
            let below = frame.below(cue.place.unwrap_or(CuePlace::Bottom(style.position)), tall, self.height).round();
            let text = Text {
                cue,
                style,
                words: &words,
                layout: &layout,
                size: size * layout.fit,
                is_full: layout.fit > 0.999,
                is_rtl: words.iter().any(|word| word.is_rtl) && (is_rtl || is_rtl_text(words.iter().map(|word| word.text.as_str()))),
            };
            self.cue(&text, if below == margin { 0.0 } else { below.max(1.0) });
        }
        lost as f64 / all.max(1) as f64
    }

    fn set(&self, cue: &Cue, style: &CaptionStyle) -> Vec<Typeset> {
        let keyword = style.emphasis.as_ref().map_or(1.0, |emphasis| emphasis.scale);
        let set = cue.words.iter().map(|word| {
            let scale = if word.emphasized { keyword } else { 1.0 };
            Typeset::new(&shown(&word.text, style.uppercase), &style.font, style.bold, scale, self.fonts)
        });
        set.collect()
    }

    fn lay_out(&self, words: &[Typeset], style: &CaptionStyle, frame: &Frame) -> Layout {
        let size = style.size * self.height;
        let space = Typeset::new(" ", &style.font, style.bold, 1.0, self.fonts).width;
        let widest = words.iter().map(|word| word.width).fold(0.0, f64::max);
        // The word being said needs room to grow.
        let growth = if style.animation == Animation::Pop { POP_SCALE - 1.0 } else { 0.0 };
        let room = frame.room / size;
        layout(words, space, room - growth * widest.min(room), (frame.bottom - frame.top) / size)
    }

    fn cue(&mut self, text: &Text<'_>, below: f64) {
        let cue = text.cue.span;
        match text.style.animation {
            Animation::Karaoke => self.event(1, cue.start(), cue.end(), "Words", below, &text.karaoke()),
            Animation::Pop => self.event(1, cue.start(), cue.end(), "Words", below, &text.pop()),
            Animation::Box => {
                for active in (0..text.words.len()).filter(|n| !text.words[*n].text.is_empty()) {
                    let (start, end) = text.lit(active);
                    self.event(0, start, end, "Plate", below, &text.plate(active));
                }
                self.event(1, cue.start(), cue.end(), "Words", below, &text.plain());
            }
            Animation::None => self.event(1, cue.start(), cue.end(), "Words", below, &text.plain()),
        }
    }

    fn event(&mut self, layer: u8, start: Timestamp, end: Timestamp, style: &str, below: f64, text: &str) {
        if centis(end) > centis(start) {
            let _ = writeln!(self.events, "Dialogue: {layer},{},{},{style},,0,0,{below},,{text}", clock(start), clock(end));
        }
    }

    /// The title, in the middle of its area.
    fn hook(&mut self, hook: &Hook, missing: &mut Vec<char>) {
        let (style, area) = (&hook.style, hook.area);
        let pieces = pieces(&hook.text);
        let words: Vec<Typeset> =
            pieces.iter().map(|word| Typeset::new(&shown(word, false), &style.font, style.bold, 1.0, self.fonts)).collect();
        missing.extend(words.iter().flat_map(|word| &word.missing));
        if words.iter().all(|word| word.text.is_empty()) {
            return;
        }
        let size = style.size * self.height;
        let space = Typeset::new(" ", &style.font, style.bold, 1.0, self.fonts).width;
        let beyond = if style.plate.is_some() { HOOK_PLATE } else { HOOK_OUTLINE };
        let room = area.width * self.width * SLACK / size - 2.0 * beyond;
        let high = words.iter().map(Typeset::height).fold(1.0, f64::max);
        let tallest = area.height * self.height / (size * high) - 2.0 * beyond;
        let layout = layout(&words, space, room.max(0.1), tallest.max(0.1));
        let size = size * layout.fit;
        let look = Look { font: &style.font, bold: style.bold, size, side: 0.0, bottom: 0.0, alignment: 5 };
        let (around, back, border, edges) = match style.plate {
            // One box around all lines: border 4 is libass's own, its colour the shadow's, its reach the shadow's distance.
            Some(plate) => (plate, colour(plate), 4, (0.0, HOOK_PLATE * size)),
            None => (Rgb(0, 0, 0), "&H80000000".to_owned(), 1, (HOOK_OUTLINE * size, 0.03 * size)),
        };
        look.write(&mut self.styles, "Hook", [style.color, style.color, around], &back, border, edges);
        let is_rtl = is_rtl_text(pieces.iter().copied());
        let plain = CaptionStyle { emphasis: None, ..CaptionStyle::block() };
        let cue = Cue::new(hook.span, Vec::new());
        let lines = Text { cue: &cue, style: &plain, words: &words, layout: &layout, size, is_full: true, is_rtl };
        let (x, y) = ((area.x + area.width / 2.0) * self.width, (area.y + area.height / 2.0) * self.height);
        let placed = format!("{{\\pos({x:.1},{y:.1})}}{}", lines.plain());
        self.event(2, hook.span.start(), hook.span.end(), "Hook", 0.0, &placed);
    }
}

/// What the lines of `[V4+ Styles]` share.
struct Look<'a> {
    font: &'a str,
    bold: bool,
    size: f64,
    side: f64,
    bottom: f64,
    alignment: u8,
}

impl Look<'_> {
    /// Colours: of the letters, of letters that a sweep has not reached, of the outline or box. `border` 1 is an outline, 3 and 4 a box; it and the
    /// shadow come in pixels.
    fn write(&self, out: &mut String, name_: &str, colours: [Rgb; 3], back: &str, border: u8, (outline, shadow): (f64, f64)) {
        let [first, second, around] = colours.map(colour);
        let (bold, side) = (if self.bold { -1 } else { 0 }, self.side.round());
        let _ = writeln!(
            out,
            // Encoding -1: each line's direction follows from its letters, across all tags.
            "Style: {name_},{},{:.1},{first},{second},{around},{back},{bold},0,0,0,100,100,0,0,{border},{outline:.1},{shadow:.1},{},{side},{side},{},-1",
            name(self.font),
            self.size,
            self.alignment,
            self.bottom
        );
    }
}

/// `&H00BBGGRR`, as styles want it.
fn colour(Rgb(red, green, blue): Rgb) -> String {
    format!("&H00{blue:02X}{green:02X}{red:02X}")
}

/// `0:00:01.50`
fn clock(at: Timestamp) -> String {
    let centis = centis(at);
    format!("{}:{:02}:{:02}.{:02}", centis / 360_000, centis / 6000 % 60, centis / 100 % 60, centis % 100)
}

#[cfg(test)]
mod tests;
