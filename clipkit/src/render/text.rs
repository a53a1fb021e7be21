//! The text of a plan (captions, title, text overlays), checked against the fonts of this machine
//! before it is drawn.

use std::path::{Path, PathBuf};

use super::font::{FontFallback, FontSet};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{CaptionTrack, ClipPlan, WarningKind};
use crate::plan::caption::{self, Document, PlacedText};

/// Captions fail if more than this fraction of their words cannot be shown.
const MAX_LOST: f64 = 0.5;
/// The most characters that a warning lists.
const MAX_LISTED: usize = 12;

impl CaptionTrack {
    /// The captions as an ASS document for a picture of `width` x `height` pixels. The renderer
    /// draws this document; it also suits other tools.
    ///
    /// Text is data: braces and backslashes in it are shown, never interpreted. Lines are measured
    /// with the fonts of this machine. Characters that the style's font lacks are set in a fallback
    /// font. Characters that no font has are left out, and a word that consists of them is shown as
    /// `…`.
    pub fn to_ass(&self, width: u32, height: u32) -> String {
        let fonts = FontFallback::of(FontSet::installed(), words(self));
        caption::document(Some(self), None, &[], (width, height), &fonts).text
    }
}

impl ClipPlan {
    /// Captions, title and text overlays as an ASS document for the output's picture, as
    /// [`CaptionTrack::to_ass`]. `None` if the plan has none of them.
    pub fn to_ass(&self) -> Option<String> {
        with_fonts(self, |fonts, _| lay_out(self, fonts)).map(|drawn| drawn.text)
    }
}

fn words(track: &CaptionTrack) -> impl Iterator<Item = &str> {
    track.cues.iter().flat_map(|cue| &cue.words).map(|word| word.text.as_str())
}

/// The document that the renderer draws; `None` if there is nothing to draw. Warns about missing
/// fonts and characters.
///
/// Fails with [`ErrorKind::Captions`] if there is text to draw and no font is installed, or none
/// that has the characters of most words.
pub(super) fn document(cx: &Context, plan: &ClipPlan) -> Result<Option<String>> {
    with_fonts(plan, |fonts, unusable| {
        for (file, reason) in unusable {
            let message = format!("the font file {file} cannot be used ({reason}), so its text is set in another font");
            cx.warn_once_of(WarningKind::Font, message);
        }
        document_with(cx, plan, fonts)
    })
}

/// Calls `work` with the fonts of this machine and of the plan's files, and the files without one.
fn with_fonts<T>(plan: &ClipPlan, work: impl FnOnce(&FontSet, &[(String, String)]) -> T) -> T {
    if plan.fonts.is_empty() {
        return work(FontSet::installed(), &[]);
    }
    let (fonts, unusable) = FontSet::with_files(&plan.fonts);
    work(&fonts, &unusable)
}

/// Copies the plan's font files into a folder beside the document, for libass. `None` if it has
/// none. A file that cannot be copied is left out: [`document`] has warned about it.
pub(super) fn folder_of_fonts(plan: &ClipPlan, document: &Path) -> Result<Option<PathBuf>> {
    if plan.fonts.is_empty() {
        return Ok(None);
    }
    let folder = document.with_extension("fonts");
    std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, "make the folder for fonts", error))?;
    for (n, file) in plan.fonts.iter().enumerate() {
        // Names of users do not reach the file system.
        let _ = std::fs::copy(file, folder.join(format!("{n}.ttf")));
    }
    Ok(Some(folder))
}

fn document_with(cx: &Context, plan: &ClipPlan, fonts: &FontSet) -> Result<Option<String>> {
    if has_text(plan) && fonts.is_empty() {
        return Err(Error::new(ErrorKind::Captions, "no font is installed to draw the text in")
            .with_advice("install one (Lato: the package fonts-lato, or font-lato in Homebrew)"));
    }
    overlay(cx, plan, fonts)
}

fn has_text(plan: &ClipPlan) -> bool {
    plan.hook.is_some() || plan.captions.as_ref().is_some_and(|track| !track.cues.is_empty()) || !texts(plan).is_empty()
}

/// The text overlays that are shown.
fn texts(plan: &ClipPlan) -> Vec<PlacedText<'_>> {
    let (size, end) = ((plan.output.width, plan.output.height), plan.timeline().end());
    plan.overlays.iter().filter_map(|overlay| PlacedText::of(overlay, size, end)).collect()
}

fn lay_out(plan: &ClipPlan, font_set: &FontSet) -> Option<Document> {
    let track = plan.captions.as_ref().filter(|track| !track.cues.is_empty());
    let hook = plan.hook.as_ref();
    let texts = texts(plan);
    let all = track.into_iter().flat_map(words).chain(hook.map(|hook| hook.text.as_str())).chain(texts.iter().map(|text| text.text));
    let fonts = FontFallback::of(font_set, all);
    has_text(plan).then(|| caption::document(track, hook, &texts, (plan.output.width, plan.output.height), &fonts))
}

fn overlay(cx: &Context, plan: &ClipPlan, font_set: &FontSet) -> Result<Option<String>> {
    let Some(drawn) = lay_out(plan, font_set) else { return Ok(None) };
    let captions = plan.captions.as_ref().filter(|track| !track.cues.is_empty());
    let texts = texts(plan);
    let named = [captions.map(|track| &track.style.font), plan.hook.as_ref().map(|hook| &hook.style.font)];
    for font in named.into_iter().flatten().chain(texts.iter().map(|text| &text.style.font)) {
        if !font_set.has(font) {
            cx.warn_once_of(WarningKind::Font, format!(
                "the font {font} is not installed, so text is set in another; install it (Lato: the package fonts-lato, or font-lato in Homebrew)"
            ));
        }
    }
    if drawn.lost > MAX_LOST {
        let (letters, packages) = missing(&drawn);
        let message = format!("no installed font has{letters}, so most words of the captions cannot be shown");
        return Err(Error::new(ErrorKind::Captions, message).with_advice(format!("install {packages}")));
    }
    if !drawn.missing.is_empty() {
        let (letters, packages) = missing(&drawn);
        let effect = if drawn.lost > 0.0 { "words with them are shown as \u{2026}" } else { "they are left out" };
        cx.warn_of(WarningKind::Font, format!("no installed font has{letters}: {effect}; install {packages}"));
    }
    Ok(Some(drawn.text))
}

/// The characters that no font has, and the packages that have them.
fn missing(drawn: &Document) -> (String, String) {
    let mut letters: String =
        drawn.missing.iter().take(MAX_LISTED).map(|letter| format!(" {letter} (U+{:04X})", u32::from(*letter))).collect();
    if drawn.missing.len() > MAX_LISTED {
        letters.push_str(&format!(" and {} more", drawn.missing.len() - MAX_LISTED));
    }
    let mut packages: Vec<&str> = drawn.missing.iter().map(|letter| package(*letter)).collect();
    packages.sort_unstable();
    packages.dedup();
    (letters, packages.join(", "))
}

/// The font package that covers a character. Colour emoji fonts do not help, because libass draws
/// outlines only.
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
            source: PlanSource::new(MediaRef::new("", ContentId::new("none", "")), width, height, Timestamp::from_secs(4.0)),
            span,
            pieces: Vec::new(),
            sound: Vec::new(),
            censored: Vec::new(),
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
            overlays: Vec::new(),
            zooms: Vec::new(),
            fonts: Vec::new(),
            intro: None,
            outro: None,
            post: crate::model::PostTexts::default(),
            output: Output::h264(width, height, FrameRate::new(30, 1)),
        }
    }

    fn drawn(plan: &ClipPlan) -> (Option<String>, Vec<String>) {
        let cx = Context::new();
        let text = overlay(&cx, plan, &only("Lato")).unwrap();
        (text, cx.warnings().into_iter().map(|warning| warning.message).collect())
    }

    #[test]
    fn covered_text_is_drawn_without_warnings() {
        let (text, warnings) = drawn(&plan("Größe, naïveté & co.", "Lato"));
        assert!(text.unwrap().contains("Größe, naïveté & co.") && warnings.is_empty(), "{warnings:?}");
    }

    #[test]
    fn uncovered_signs_are_left_out_and_words_become_dots_with_a_warning() {
        let (text, warnings) = drawn(&plan("nice 👍 job", "Lato"));
        assert!(text.unwrap().contains(",nice job"));
        assert!(warnings.len() == 1 && warnings[0].contains("👍 (U+1F44D): they are left out; install fonts-symbola"), "{warnings:?}");
        let (text, warnings) = drawn(&plan("this is 今日 ok", "Lato"));
        assert!(text.unwrap().contains(",this is … ok"));
        assert!(warnings[0].contains("今 (U+4ECA) 日 (U+65E5)") && warnings[0].contains("install fonts-noto-cjk"), "{warnings:?}");
    }

    #[test]
    fn captions_whose_words_cannot_be_shown_are_an_error_but_a_title_alone_is_not() {
        let mut plan = plan("مرحبا بكم ok", "Lato");
        let area = Rect::new(0.1, 0.2, 0.8, 0.1);
        plan.hook = Some(Hook { text: "Hello".into(), span: plan.span, area, style: HookStyle::default() });
        let error = overlay(&Context::new(), &plan, &only("Lato")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Captions);
        assert!(format!("{error}").contains("most words of the captions cannot be shown"), "{error}");
        assert!(error.advice().is_some_and(|advice| advice.contains("fonts-noto-core")), "{error:?}");
        plan.captions = None;
        let text = drawn(&plan).0.unwrap();
        assert!(text.contains("Hello") && !text.contains("Words"), "{text}");
    }

    #[test]
    fn a_font_that_is_missing_is_replaced_by_name() {
        let (text, warnings) = drawn(&plan("hello there", "No Such Font"));
        assert!(warnings.len() == 1 && warnings[0].contains("No Such Font is not installed"), "{warnings:?}");
        assert!(text.unwrap().contains("{\\fnLato\\b1\\fs65.3}hello"));
    }

    #[test]
    fn without_any_font_captions_and_title_are_an_error_of_their_own_kind() {
        let none = FontSet::of(fontdb::Database::new());
        let mut plan = plan("hello", "Lato");
        let error = document_with(&Context::new(), &plan, &none).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Captions, "{error}");
        assert!(error.to_string().contains("no font is installed"), "{error}");
        plan.captions = None;
        assert_eq!(document_with(&Context::new(), &plan, &none).unwrap(), None);
        let area = Rect::new(0.1, 0.2, 0.8, 0.1);
        plan.hook = Some(Hook { text: "Hello".into(), span: plan.span, area, style: HookStyle::default() });
        assert_eq!(document_with(&Context::new(), &plan, &none).unwrap_err().kind(), ErrorKind::Captions);
    }
}
