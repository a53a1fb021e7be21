//! The text that a plan lays over the picture, checked against the fonts of this machine before anything is drawn.

use super::font::{Setting, Shelf};
use crate::context::Context;
use crate::model::{CaptionTrack, ClipPlan};
use crate::plan::caption::{self, Document};

/// Captions of which more than this part of the words cannot be shown are left out.
const TOO_MUCH: f64 = 0.5;
/// The most letters that a warning lists.
const LISTED: usize = 12;

impl CaptionTrack {
    /// The captions as an ASS document for a picture of this size, in pixels: what the renderer draws, for use with other tools.
    ///
    /// Text is data: braces and backslashes in it are shown, never interpreted. Lines are measured with the fonts of this machine, and
    /// letters that the style's font lacks come in one that has them; what none has is left out, a word of them shown as `…`.
    pub fn to_ass(&self, width: u32, height: u32) -> String {
        let fonts = Setting::of(Shelf::installed(), words(self));
        caption::document(Some(self), None, (width, height), &fonts).text
    }
}

impl ClipPlan {
    /// Captions and title as an ASS document for the output's picture, as [`CaptionTrack::to_ass`]; none where the plan has neither.
    pub fn to_ass(&self) -> Option<String> {
        overlay(&Context::new(), self, Shelf::installed())
    }
}

fn words(track: &CaptionTrack) -> impl Iterator<Item = &str> {
    track.cues.iter().flat_map(|cue| &cue.words).map(|word| word.text.as_str())
}

/// The document that the renderer draws, if there is anything to draw. Warns of fonts and letters that are missing.
pub(super) fn document(cx: &Context, plan: &ClipPlan) -> Option<String> {
    overlay(cx, plan, Shelf::installed())
}

fn overlay(cx: &Context, plan: &ClipPlan, shelf: &Shelf) -> Option<String> {
    let track = plan.captions.as_ref().filter(|track| !track.cues.is_empty());
    let hook = plan.hook.as_ref();
    if track.is_none() && hook.is_none() {
        return None;
    }
    for font in [track.map(|track| &track.style.font), hook.map(|hook| &hook.style.font)].into_iter().flatten() {
        if !shelf.has(font) {
            cx.warn_once(format!(
                "the font {font} is not installed, so text is set in another; install it (Lato: the package fonts-lato, or font-lato in Homebrew)"
            ));
        }
    }
    let size = (plan.output.width, plan.output.height);
    let all = track.into_iter().flat_map(words).chain(hook.map(|hook| hook.text.as_str()));
    let fonts = Setting::of(shelf, all);
    let drawn = caption::document(track, hook, size, &fonts);
    if !drawn.missing.is_empty() {
        cx.warn(complaint(&drawn));
    }
    if drawn.lost <= TOO_MUCH {
        return Some(drawn.text);
    }
    hook.map(|hook| caption::document(None, Some(hook), size, &fonts).text)
}

/// What is missing, for people: the letters, what that does to the clip, and what to install.
fn complaint(drawn: &Document) -> String {
    let mut letters: String = drawn.missing.iter().take(LISTED).map(|letter| format!(" {letter} (U+{:04X})", u32::from(*letter))).collect();
    if drawn.missing.len() > LISTED {
        letters.push_str(&format!(" and {} more", drawn.missing.len() - LISTED));
    }
    let mut packages: Vec<&str> = drawn.missing.iter().map(|letter| package(*letter)).collect();
    packages.sort_unstable();
    packages.dedup();
    let effect = match drawn.lost {
        lost if lost > TOO_MUCH => "the clip has no captions, since most of their words cannot be shown",
        lost if lost > 0.0 => "words with them are shown as \u{2026}",
        _ => "they are left out",
    };
    format!("no installed font has{letters}: {effect}; install {}", packages.join(", "))
}

/// What to install for a letter. Fonts of coloured emoji do not help: the text library draws outlines only.
fn package(letter: char) -> &'static str {
    match u32::from(letter) {
        0x0000..=0x024f => "fonts-lato (font-lato in Homebrew)",
        0x1100..=0x11ff
        | 0x2e80..=0xa4cf
        | 0xa960..=0xa97f
        | 0xac00..=0xd7ff
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff00..=0xffef
        | 0x2_0000..=0x3_ffff => "fonts-noto-cjk (font-noto-sans-cjk in Homebrew)",
        0x2190..=0x2bff | 0x1_f000..=0x1_faff => "fonts-symbola (font-noto-emoji in Homebrew)",
        _ => "fonts-noto-core (font-noto-sans and its kin in Homebrew)",
    }
}

#[cfg(test)]
mod tests {
    use super::super::font::tests::only;
    use super::*;
    use crate::model::{
        Aspect, CaptionStyle, ContentId, Cue, CueWord, FrameRate, Hook, HookStyle, MediaRef, Output, PlanSource, Platform, Rect, Score,
        Span, Timestamp,
    };

    fn plan(text: &str, font: &str) -> ClipPlan {
        let span = Span::secs(0.0, 4.0).unwrap();
        let words = text.split(' ').map(|word| CueWord::new(word, span)).collect();
        let (width, height) = Aspect::Vertical.size();
        ClipPlan {
            version: ClipPlan::VERSION,
            source: PlanSource { media: MediaRef::new("", ContentId::new("none", "")), width, height, duration: Timestamp::from_secs(4.0) },
            span,
            title: String::new(),
            reason: String::new(),
            hook_line: None,
            score: Score::default(),
            shots: Vec::new(),
            faces: Vec::new(),
            subjects: Vec::new(),
            scenes: Vec::new(),
            captions: Some(CaptionTrack {
                style: CaptionStyle { font: font.into(), ..CaptionStyle::block() },
                safe_area: Platform::Generic.safe_area(Aspect::Vertical),
                cues: vec![Cue::new(span, words)],
            }),
            hook: None,
            output: Output::h264(width, height, FrameRate::new(30, 1)),
        }
    }

    fn drawn(plan: &ClipPlan) -> (Option<String>, Vec<String>) {
        let cx = Context::new();
        let text = overlay(&cx, plan, &only("Lato"));
        (text, cx.warnings().into_iter().map(|warning| warning.message).collect())
    }

    #[test]
    fn what_fonts_have_is_drawn_without_a_word() {
        let (text, warnings) = drawn(&plan("Größe, naïveté & co.", "Lato"));
        assert!(text.unwrap().contains("Größe, naïveté & co.") && warnings.is_empty(), "{warnings:?}");
    }

    #[test]
    fn signs_without_a_font_are_left_out_and_words_stand_as_dots_with_a_warning() {
        let (text, warnings) = drawn(&plan("nice 👍 job", "Lato"));
        assert!(text.unwrap().contains(",nice job"));
        assert!(warnings.len() == 1 && warnings[0].contains("👍 (U+1F44D): they are left out; install fonts-symbola"), "{warnings:?}");
        let (text, warnings) = drawn(&plan("this is 今日 ok", "Lato"));
        assert!(text.unwrap().contains(",this is … ok"));
        assert!(warnings[0].contains("今 (U+4ECA) 日 (U+65E5)") && warnings[0].contains("install fonts-noto-cjk"), "{warnings:?}");
    }

    #[test]
    fn captions_that_could_not_be_read_are_left_out_but_not_the_title() {
        let mut plan = plan("مرحبا بكم ok", "Lato");
        let (text, warnings) = drawn(&plan);
        assert!(text.is_none() && warnings[0].contains("has no captions") && warnings[0].contains("fonts-noto-core"), "{warnings:?}");
        let area = Rect::new(0.1, 0.2, 0.8, 0.1);
        plan.hook = Some(Hook { text: "Hello".into(), span: plan.span, area, style: HookStyle::default() });
        let text = drawn(&plan).0.unwrap();
        assert!(text.contains("Hello") && !text.contains("Words"), "{text}");
    }

    #[test]
    fn a_font_that_is_missing_is_replaced_by_name() {
        let (text, warnings) = drawn(&plan("hello there", "No Such Font"));
        assert!(warnings.len() == 1 && warnings[0].contains("No Such Font is not installed"), "{warnings:?}");
        assert!(text.unwrap().contains("{\\fnLato\\b1\\fs65.3}hello"));
    }
}
