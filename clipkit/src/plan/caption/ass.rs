//! Writes captions and title as an ASS document for libass.

mod overlay;

use std::fmt::Write;

use overlay::Block;
pub(crate) use overlay::PlacedText;

use super::effect::{CueText, POP_SCALE, centiseconds};
use super::fonts::Fonts;
use super::layout::{Layout, layout};
use super::text::{is_rtl_text, segments, visible_text};
use super::typeset::{TypesetWord, font_name};
use crate::model::{Animation, CaptionStyle, CaptionTrack, Cue, CuePlace, Hook, Rect, Rgb, Timestamp};

/// The padding of the box behind a word, in font sizes.
const BOX_PADDING: f64 = 0.14;
/// The padding of a title's plate, and the outline of a title without one, in font sizes.
const HOOK_PADDING: f64 = 0.22;
const HOOK_OUTLINE: f64 = 0.08;
/// The usable part of a line's width: kerning and the renderer's rounding may widen a line by the
/// rest.
const WIDTH_FACTOR: f64 = 0.98;

/// An ASS document and the text that it cannot show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    /// The ASS script.
    pub(crate) text: String,
    /// The characters that no font contains, each once, in order of appearance.
    pub(crate) missing: Vec<char>,
    /// The part of the caption words that are omitted or replaced by `…`, 0 to 1.
    pub(crate) lost: f64,
}

/// Captions, title and texts as a complete ASS document for an output of `(width, height)` pixels.
/// A cue that a text would cover stands above or below that text.
/// All text is escaped, so words cannot contain tags.
pub(crate) fn document(
    track: Option<&CaptionTrack>,
    hook: Option<&Hook>,
    texts: &[PlacedText<'_>],
    (width, height): (u32, u32),
    fonts: &dyn Fonts,
) -> Document {
    let mut builder =
        DocumentBuilder { width: f64::from(width), height: f64::from(height), styles: String::new(), events: String::new(), fonts };
    let (mut missing, mut lost) = (Vec::new(), 0.0);
    let blocks: Vec<Block> = texts.iter().enumerate().filter_map(|(n, text)| builder.text_overlay(n, text, &mut missing)).collect();
    if let Some(track) = track {
        lost = builder.captions(track, &blocks, &mut missing);
    }
    if let Some(hook) = hook {
        builder.hook(hook, &mut missing);
    }
    let mut seen = std::collections::HashSet::new();
    missing.retain(|letter| seen.insert(*letter));
    let text = format!(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {height}\nWrapStyle: 0\nScaledBorderAndShadow: yes\n\
         YCbCr Matrix: None\n\n\
         [V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
         StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n{}\n\
         [Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n{}",
        builder.styles, builder.events
    );
    Document { text, missing, lost }
}

/// The area of the captions in pixels. Its left and right margins are equal, so the captions are
/// centred in the picture.
#[derive(Clone, Copy, Debug)]
struct TextArea {
    /// How far the outline or box extends beyond the glyphs.
    padding: f64,
    side: f64,
    top: f64,
    bottom: f64,
    room: f64,
}

impl TextArea {
    fn of(style: &CaptionStyle, safe: Rect, width: f64, height: f64) -> Self {
        let side = safe.x.max(1.0 - safe.x - safe.width).clamp(0.0, 0.45);
        // The outline or box extends padding the glyphs.
        let padding = reach(style) * style.size;
        let (top, bottom) = (safe.y + padding, safe.y + safe.height - padding);
        let room = (1.0 - 2.0 * side) * width * WIDTH_FACTOR - 2.0 * padding * height;
        TextArea { padding: padding * height, side: side * width, top: top * height, bottom: bottom.max(top) * height, room: room.max(1.0) }
    }

    /// The bottom margin in pixels of a text of the given height whose last line ends, or whose
    /// centre is, at `place`.
    fn below(&self, place: CuePlace, text: f64, height: f64) -> f64 {
        let bottom = match place {
            CuePlace::Bottom(at) => at * height,
            CuePlace::Middle(at) => at * height + text / 2.0,
        };
        // If the text is higher than the area, its last line stays inside.
        height - bottom.max(self.top + text).min(self.bottom)
    }
}

/// How far captions extend padding their glyphs, in font sizes.
fn reach(style: &CaptionStyle) -> f64 {
    if style.animation == Animation::Box { BOX_PADDING.max(style.outline_width) } else { style.outline_width }
}

/// A document under construction.
struct DocumentBuilder<'a> {
    width: f64,
    height: f64,
    styles: String,
    events: String,
    fonts: &'a dyn Fonts,
}

impl DocumentBuilder<'_> {
    /// Adds the captions. Returns the part of the words that cannot be shown, 0 to 1.
    fn captions(&mut self, track: &CaptionTrack, blocks: &[Block], missing: &mut Vec<char>) -> f64 {
        let style = &track.style;
        let frame = TextArea::of(style, track.safe_area, self.width, self.height);
        let size = style.size * self.height;
        let margin = frame.below(CuePlace::Bottom(style.position), size, self.height).round();
        let style_line = StyleLine { font: &style.font, bold: style.bold, size, side: frame.side, bottom: margin, alignment: 2 };
        let (outline, shadow) = (style.outline_width * size, style.shadow * size);
        // The karaoke sweep changes from the secondary to the primary colour.
        let first = if style.animation == Animation::Karaoke { style.highlight } else { style.color };
        style_line.write(&mut self.styles, "Words", [first, style.color, style.outline], "&H80000000", 1, (outline, shadow));
        if style.animation == Animation::Box {
            // An opaque box around one word whose glyphs are transparent.
            style_line.write(&mut self.styles, "Plate", [style.highlight; 3], "&HFF000000", 3, (BOX_PADDING * size, 0.0));
        }
        let is_rtl = is_rtl_text(track.cues.iter().flat_map(|cue| &cue.words).map(|word| word.text.as_str()));
        let (mut all, mut lost) = (0_usize, 0_usize);
        for cue in &track.cues {
            let words = self.set(cue, style);
            all += words.len();
            lost += words.iter().filter(|word| word.missing.iter().any(|letter| letter.is_alphanumeric())).count();
            missing.extend(words.iter().flat_map(|word| &word.missing));
            let layout = self.lay_out(&words, style, &frame);
            let line_height = words.iter().map(TypesetWord::height).fold(1.0, f64::max);
            let text_height = layout.lines() as f64 * size * layout.fit * line_height;
            let below = frame.below(cue.place.unwrap_or(CuePlace::Bottom(style.position)), text_height, self.height);
            let bottom = self.height - below;
            let clear = overlay::clear(blocks, cue.span, self.extent(&words, &layout, style), bottom, text_height, &frame);
            let below = (below + bottom - clear).round();
            let text = CueText {
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

    fn set(&self, cue: &Cue, style: &CaptionStyle) -> Vec<TypesetWord> {
        let keyword = style.emphasis.as_ref().map_or(1.0, |emphasis| emphasis.scale);
        let set = cue.words.iter().map(|word| {
            let scale = if word.emphasized { keyword } else { 1.0 };
            TypesetWord::new(&visible_text(&word.text, style.uppercase), &style.font, style.bold, scale, self.fonts)
        });
        set.collect()
    }

    fn lay_out(&self, words: &[TypesetWord], style: &CaptionStyle, frame: &TextArea) -> Layout {
        let size = style.size * self.height;
        let space = TypesetWord::new(" ", &style.font, style.bold, 1.0, self.fonts).width;
        let widest = words.iter().map(|word| word.width).fold(0.0, f64::max);
        // The highlighted word needs space to grow.
        let growth = if style.animation == Animation::Pop { POP_SCALE - 1.0 } else { 0.0 };
        let room = frame.room / size;
        layout(words, space, room - growth * widest.min(room), (frame.bottom - frame.top) / size)
    }

    /// The left and right end of centred lines, in pixels.
    fn extent(&self, words: &[TypesetWord], layout: &Layout, style: &CaptionStyle) -> (f64, f64) {
        let space = TypesetWord::new(" ", &style.font, style.bold, 1.0, self.fonts).width;
        let widest = layout.widest(words, space) * layout.fit + 2.0 * reach(style);
        let half = (widest * style.size * self.height).min(self.width) / 2.0;
        (self.width / 2.0 - half, self.width / 2.0 + half)
    }

    fn cue(&mut self, text: &CueText<'_>, below: f64) {
        let cue = text.cue.span;
        match text.style.animation {
            Animation::Karaoke => self.event(1, cue.start(), cue.end(), "Words", below, &text.karaoke()),
            Animation::Pop => self.event(1, cue.start(), cue.end(), "Words", below, &text.pop()),
            Animation::Box => {
                for active in (0..text.words.len()).filter(|n| !text.words[*n].text.is_empty()) {
                    let (start, end) = text.highlighted(active);
                    self.event(0, start, end, "Plate", below, &text.plate(active));
                }
                self.event(1, cue.start(), cue.end(), "Words", below, &text.plain());
            }
            Animation::None => self.event(1, cue.start(), cue.end(), "Words", below, &text.plain()),
        }
    }

    fn event(&mut self, layer: u8, start: Timestamp, end: Timestamp, style: &str, below: f64, text: &str) {
        if centiseconds(end) > centiseconds(start) {
            let _ = writeln!(self.events, "Dialogue: {layer},{},{},{style},,0,0,{below},,{text}", clock(start), clock(end));
        }
    }

    /// Adds the title, centred in its area.
    fn hook(&mut self, hook: &Hook, missing: &mut Vec<char>) {
        let (style, area) = (&hook.style, hook.area);
        let segments = segments(&hook.text);
        let words: Vec<TypesetWord> =
            segments.iter().map(|word| TypesetWord::new(&visible_text(word, false), &style.font, style.bold, 1.0, self.fonts)).collect();
        missing.extend(words.iter().flat_map(|word| &word.missing));
        if words.iter().all(|word| word.text.is_empty()) {
            return;
        }
        let size = style.size * self.height;
        let space = TypesetWord::new(" ", &style.font, style.bold, 1.0, self.fonts).width;
        let padding = if style.plate.is_some() { HOOK_PADDING } else { HOOK_OUTLINE };
        let room = area.width * self.width * WIDTH_FACTOR / size - 2.0 * padding;
        let line_height = words.iter().map(TypesetWord::height).fold(1.0, f64::max);
        let tallest = area.height * self.height / (size * line_height) - 2.0 * padding;
        let layout = layout(&words, space, room.max(0.1), tallest.max(0.1));
        let size = size * layout.fit;
        let style_line = StyleLine { font: &style.font, bold: style.bold, size, side: 0.0, bottom: 0.0, alignment: 5 };
        let (around, back, border, edges) = match style.plate {
            // One box around all lines: border style 4 is a libass extension whose colour is the
            // shadow colour and whose padding is the shadow distance.
            Some(plate) => (plate, colour(plate), 4, (0.0, HOOK_PADDING * size)),
            None => (Rgb(0, 0, 0), "&H80000000".to_owned(), 1, (HOOK_OUTLINE * size, 0.03 * size)),
        };
        style_line.write(&mut self.styles, "Hook", [style.color, style.color, around], &back, border, edges);
        let is_rtl = is_rtl_text(segments.iter().copied());
        let plain = CaptionStyle { emphasis: None, ..CaptionStyle::block() };
        let cue = Cue::new(hook.span, Vec::new());
        let lines = CueText { cue: &cue, style: &plain, words: &words, layout: &layout, size, is_full: true, is_rtl };
        let (x, y) = ((area.x + area.width / 2.0) * self.width, (area.y + area.height / 2.0) * self.height);
        let placed = format!("{{\\pos({x:.1},{y:.1})}}{}", lines.plain());
        self.event(2, hook.span.start(), hook.span.end(), "Hook", 0.0, &placed);
    }
}

/// The common fields of a line in `[V4+ Styles]`.
struct StyleLine<'a> {
    font: &'a str,
    bold: bool,
    size: f64,
    side: f64,
    bottom: f64,
    alignment: u8,
}

impl StyleLine<'_> {
    /// Writes a style line. `colours`: primary, secondary (before the karaoke sweep), outline or
    /// box. `border` is the ASS border style: 1 is an outline, 3 and 4 are boxes. The outline width
    /// and shadow distance are in pixels.
    fn write(&self, out: &mut String, name: &str, colours: [Rgb; 3], back: &str, border: u8, (outline, shadow): (f64, f64)) {
        let [first, second, around] = colours.map(colour);
        let (bold, side) = (if self.bold { -1 } else { 0 }, self.side.round());
        let _ = writeln!(
            out,
            // Encoding -1: libass detects each line's base direction from its text, across all
            // tags.
            "Style: {name},{},{:.1},{first},{second},{around},{back},{bold},0,0,0,100,100,0,0,{border},{outline:.1},{shadow:.1},{},{side},{side},{},-1",
            font_name(self.font),
            self.size,
            self.alignment,
            self.bottom
        );
    }
}

/// A colour in the syntax of style lines: `&H00BBGGRR`.
fn colour(Rgb(red, green, blue): Rgb) -> String {
    format!("&H00{blue:02X}{green:02X}{red:02X}")
}

/// A time in the syntax of event lines: `0:00:01.50`.
fn clock(at: Timestamp) -> String {
    let centis = centiseconds(at);
    format!("{}:{:02}:{:02}.{:02}", centis / 360_000, centis / 6000 % 60, centis / 100 % 60, centis % 100)
}

/// A document of this module whose events come later, behind an intro.
pub(crate) fn delayed(text: &str, by: Timestamp) -> String {
    let moved = |clock_text: &str| {
        let mut parts = clock_text.split([':', '.']).map(|part| part.parse::<i64>().ok());
        let (hours, minutes, seconds, centis) = (parts.next()??, parts.next()??, parts.next()??, parts.next()??);
        let micros = (((hours * 60 + minutes) * 60 + seconds) * 100 + centis) * 10_000;
        Some(clock(Timestamp::from_micros(micros).offset(by)))
    };
    let line = |line: &str| {
        let mut fields: Vec<String> = line.splitn(4, ',').map(str::to_owned).collect();
        for field in fields.iter_mut().skip(1).take(2).filter(|_| line.starts_with("Dialogue: ")) {
            if let Some(later) = moved(field) {
                *field = later;
            }
        }
        fields.join(",")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
