//! Text overlays: title cards, name cards, calls to action.

use super::super::effect::CueText;
use super::super::layout::{Layout, layout};
use super::super::text::{is_rtl_text, segments, visible_text};
use super::super::typeset::TypesetWord;
use super::{DocumentBuilder, HOOK_OUTLINE, HOOK_PADDING, StyleLine, TextArea, WIDTH_FACTOR, colour};
use crate::model::{Anchor, CaptionStyle, Cue, Overlay, OverlayContent, OverlayTextStyle, Rect, Rgb, Span, Timestamp};

/// The layer of the events: in front of captions and title.
const LAYER: u8 = 3;

/// A text overlay, where and when it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PlacedText<'a> {
    pub(crate) text: &'a str,
    pub(crate) style: &'a OverlayTextStyle,
    /// In fractions of the output.
    rect: Rect,
    anchor: Anchor,
    span: Span,
    opacity: f64,
    /// The durations of the fades in seconds.
    fades: (f64, f64),
}

impl<'a> PlacedText<'a> {
    /// The text of an overlay in an output of `size` pixels, in a clip that ends at `end`. `None`
    /// if the overlay is no text, or is never shown.
    pub(crate) fn of(overlay: &'a Overlay, size: (u32, u32), end: Timestamp) -> Option<Self> {
        let OverlayContent::Text { text, style } = &overlay.content else { return None };
        let span = overlay.shown(end)?;
        let (rect, anchor, fades) = (overlay.rect(size, None), overlay.place.anchor, overlay.fades(span));
        Some(PlacedText { text, style, rect, anchor, span, opacity: overlay.opacity, fades })
    }
}

/// Where and when a text is drawn, in pixels, with its plate or outline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    span: Span,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// The bottom of a cue `height` pixels high and from `left` to `right`, which wants to be at
/// `bottom`, so that no text covers it: the nearest free place in the captions' area. The wanted
/// bottom if there is none.
pub(super) fn clear(blocks: &[Block], span: Span, (left, right): (f64, f64), bottom: f64, height: f64, area: &TextArea) -> f64 {
    let beside = |block: &&Block| block.span.intersection(span).is_some() && block.left < right && block.right > left;
    let blocks: Vec<&Block> = blocks.iter().filter(beside).collect();
    // Descenders and outlines reach beyond the lines.
    let margin = area.padding.max(1.0);
    let free = |bottom: f64| blocks.iter().all(|block| bottom + margin <= block.top || bottom - height - margin >= block.bottom);
    let places = blocks.iter().flat_map(|block| [block.top - margin, block.bottom + margin + height]);
    let inside = |bottom: &f64| (area.top + height..=area.bottom).contains(bottom);
    std::iter::once(bottom)
        .chain(places.filter(inside))
        .filter(|bottom| free(*bottom))
        .min_by(|a, b| (a - bottom).abs().total_cmp(&(b - bottom).abs()))
        .unwrap_or(bottom)
}

/// ASS's alignment: the keys of a numeric keypad, 1 at the bottom left.
fn alignment(anchor: Anchor) -> u8 {
    let (across, down) = anchor.fractions();
    let column = 1 + (across * 2.0) as u8;
    column + 3 * (2 - (down * 2.0) as u8)
}

/// The opacity and its changes. The tag `fad` would leave the plate as it is.
fn opacity_tags(opacity: f64, (fade_in, fade_out): (f64, f64), span: Span) -> String {
    let alpha = |opacity: f64| format!("\\alpha&H{:02X}&", (255.0 * (1.0 - opacity)).round() as u8);
    let millis = |secs: f64| (secs * 1000.0).round() as u32;
    let last = span.duration().as_secs_f64();
    let mut tags = match fade_in > 0.0 {
        true => format!("{}\\t(0,{},{})", alpha(0.0), millis(fade_in), alpha(opacity)),
        false => alpha(opacity),
    };
    if fade_out > 0.0 {
        tags.push_str(&format!("\\t({},{},{})", millis(last - fade_out), millis(last), alpha(0.0)));
    }
    tags
}

/// Lines of words as one layout, with a break at the end of each line, and all in the size of the
/// smallest.
fn joined(lines: Vec<(Vec<TypesetWord>, Layout)>) -> (Vec<TypesetWord>, Layout) {
    let mut all = Vec::new();
    let mut joined = Layout { breaks: Vec::new(), fit: 1.0 };
    for (words, layout) in lines {
        if !all.is_empty() {
            joined.breaks.push(true);
        }
        joined.breaks.extend(layout.breaks);
        joined.fit = joined.fit.min(layout.fit);
        all.extend(words);
    }
    (all, joined)
}

impl DocumentBuilder<'_> {
    /// Adds a text at its anchor, in a style with the number `n`. Returns where it is, unless
    /// nothing of it can be seen.
    pub(super) fn text_overlay(&mut self, n: usize, placed: &PlacedText<'_>, missing: &mut Vec<char>) -> Option<Block> {
        let &PlacedText { text, style, rect, anchor, span, opacity, fades } = placed;
        let set = |word: &str| TypesetWord::new(word, &style.font, style.bold, 1.0, self.fonts);
        let size = style.size * self.height;
        let padding = if style.plate.is_some() { HOOK_PADDING } else { HOOK_OUTLINE };
        let room = (rect.width * self.width * WIDTH_FACTOR / size - 2.0 * padding).max(0.1);
        let space = set(" ").width;
        let lines = text.lines().filter_map(|line| {
            let words: Vec<TypesetWord> = segments(line).into_iter().map(|word| set(&visible_text(word, false))).collect();
            missing.extend(words.iter().flat_map(|word| &word.missing));
            let layout = layout(&words, space, room, f64::INFINITY);
            words.iter().any(|word| !word.text.is_empty()).then_some((words, layout))
        });
        let (words, mut layout) = joined(lines.collect());
        if words.is_empty() {
            return None;
        }
        let line_height = words.iter().map(TypesetWord::height).fold(1.0, f64::max);
        // The padding shrinks with the text.
        let tall = layout.lines() as f64 * line_height + 2.0 * padding;
        layout.fit = layout.fit.min(rect.height * self.height / size / tall);
        let size = size * layout.fit;
        let name = format!("Text{n}");
        let style_line = StyleLine { font: &style.font, bold: style.bold, size, side: 0.0, bottom: 0.0, alignment: alignment(anchor) };
        let (around, back, border, edges) = match style.plate {
            Some(plate) => (plate, colour(plate), 4, (0.0, HOOK_PADDING * size)),
            None => (Rgb(0, 0, 0), "&H00000000".to_owned(), 1, (HOOK_OUTLINE * size, 0.03 * size)),
        };
        style_line.write(&mut self.styles, &name, [style.color, style.color, around], &back, border, edges);
        let is_rtl = is_rtl_text(words.iter().map(|word| word.text.as_str()));
        let plain = CaptionStyle { emphasis: None, ..CaptionStyle::block() };
        let cue = Cue::new(span, Vec::new());
        let lines = CueText { cue: &cue, style: &plain, words: &words, layout: &layout, size, is_full: true, is_rtl };
        let (across, down) = anchor.fractions();
        // The position is that of the glyphs, and the plate or outline reaches beyond them.
        let reach = padding * size;
        let place = |from: f64, length: f64, at: f64| from + reach + (length - 2.0 * reach) * at;
        let x = place(rect.x * self.width, rect.width * self.width, across);
        let y = place(rect.y * self.height, rect.height * self.height, down);
        let tags = format!("\\pos({x:.1},{y:.1}){}", opacity_tags(opacity, fades, span));
        self.event(LAYER, span.start(), span.end(), &name, 0.0, &format!("{{{tags}}}{}", lines.plain()));
        let (wide, tall) = ((layout.widest(&words, space) + 2.0 * padding) * size, tall * size);
        let start = |from: f64, room: f64, length: f64, at: f64| from + (room - length).max(0.0) * at;
        let left = start(rect.x * self.width, rect.width * self.width, wide, across);
        let top = start(rect.y * self.height, rect.height * self.height, tall, down);
        Some(Block { span, left, right: left + wide, top, bottom: top + tall })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fonts::Estimate;
    use super::super::document;
    use super::*;
    use crate::model::OverlayPlace;

    fn text(text: &str, place: OverlayPlace) -> Overlay {
        Overlay::text(text, place)
    }

    fn drawn(overlays: &[Overlay]) -> String {
        let (size, end) = ((1080, 1920), Timestamp::from_secs(10.0));
        let texts: Vec<PlacedText<'_>> = overlays.iter().filter_map(|overlay| PlacedText::of(overlay, size, end)).collect();
        document(None, None, &texts, size, &Estimate).text
    }

    fn events(document: &str) -> Vec<&str> {
        document.lines().filter(|line| line.starts_with("Dialogue")).collect()
    }

    #[test]
    fn texts_are_anchored_and_aligned_and_never_markup() {
        let mut card = text("Ada {\\b1}Lovelace\n\nCountess", OverlayPlace::new(Anchor::BottomLeft)).during(Span::secs(1.0, 4.0).unwrap());
        (card.opacity, card.fade_in, card.fade_out) = (0.5, 0.25, 0.5);
        let document =
            drawn(&[card, Overlay::image("logo.png", OverlayPlace::new(Anchor::Top)), text("Follow", OverlayPlace::new(Anchor::Top))]);
        let [first, second] = events(&document)[..] else { panic!("{document}") };
        assert!(first.starts_with("Dialogue: 3,0:00:01.00,0:00:04.00,Text0,,0,0,0,,{\\pos("), "{first}");
        assert!(
            first.contains("\\alpha&HFF&\\t(0,250,\\alpha&H80&)\\t(2500,3000,\\alpha&HFF&)}Ada \\{\\\u{2060}b1\\}Lovelace\\NCountess"),
            "{first}"
        );
        assert!(second.contains("0:00:00.00,0:00:10.00,Text1,") && second.ends_with(")\\alpha&H00&}Follow"), "{second}");
        assert!(document.contains("Style: Text0,Lato Black,49.9") && !document.contains("logo"), "{document}");
        let keys: Vec<u8> = [Anchor::TopLeft, Anchor::Top, Anchor::TopRight, Anchor::Left, Anchor::Center, Anchor::Right]
            .into_iter()
            .chain([Anchor::BottomLeft, Anchor::Bottom, Anchor::BottomRight])
            .map(alignment)
            .collect();
        assert_eq!(keys, [7, 8, 9, 4, 5, 6, 1, 2, 3]);
    }

    #[test]
    fn a_cue_stands_clear_of_texts() {
        let block = |from: f64, to: f64, top: f64, bottom: f64| Block {
            span: Span::secs(from, to).unwrap(),
            left: 100.0,
            right: 400.0,
            top,
            bottom,
        };
        let area = TextArea { padding: 4.0, side: 50.0, top: 200.0, bottom: 1300.0, room: 900.0 };
        let blocks = [block(0.0, 5.0, 1150.0, 1250.0), block(4.0, 6.0, 1000.0, 1100.0)];
        let at = |from: f64, to: f64, left: f64, bottom: f64| {
            clear(&blocks, Span::secs(from, to).unwrap(), (left, left + 300.0), bottom, 100.0, &area)
        };
        // Above a text; above both; beside them; at another time; where it is free.
        assert_eq!(at(1.0, 2.0, 300.0, 1240.0), 1146.0);
        assert_eq!(at(4.5, 4.9, 300.0, 1180.0), 996.0);
        assert_eq!(at(4.5, 4.9, 401.0, 1180.0), 1180.0);
        assert_eq!(at(6.0, 7.0, 300.0, 1180.0), 1180.0);
        assert_eq!(at(1.0, 2.0, 300.0, 900.0), 900.0);
        // Below it, if that is nearer; as wanted, if there is no room at all.
        let high = [block(0.0, 5.0, 200.0, 400.0)];
        let low = |bottom: f64, blocks: &[Block]| clear(blocks, Span::secs(1.0, 2.0).unwrap(), (300.0, 600.0), bottom, 100.0, &area);
        assert_eq!(low(450.0, &high), 504.0);
        assert_eq!(low(450.0, &[block(0.0, 5.0, 0.0, 1920.0)]), 450.0);
    }

    #[test]
    fn a_text_shrinks_until_it_fits_and_an_unseen_one_is_not_drawn() {
        let size = |overlay: Overlay| {
            let document = drawn(&[overlay]);
            let style = document.lines().find(|line| line.starts_with("Style: Text0")).unwrap_or_default().to_owned();
            style.split(',').nth(2).and_then(|size| size.parse::<f64>().ok())
        };
        let place = OverlayPlace::new(Anchor::Center).with_width(0.3);
        let (one, many) = (size(text("Ada", place)).unwrap(), size(text(&"Ada Lovelace ".repeat(30), place)).unwrap());
        assert!((one - 49.9).abs() < 0.1 && many < one / 2.0, "{one} {many}");
        // Twenty lines of it, with their plate, in a box of 0.12 output heights.
        let lines = size(text(&"Ada\n".repeat(20), place)).unwrap();
        assert!((20.44 * lines - 0.12 * 1920.0).abs() < 1.0, "{lines}");
        assert_eq!(size(text("\u{200b}", place)), None);
        assert_eq!(size(text("Ada", place).during(Span::secs(10.0, 12.0).unwrap())), None);
    }
}
