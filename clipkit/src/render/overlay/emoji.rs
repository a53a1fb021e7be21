//! Emoji in color: from fonts with color bitmaps, and from folders with an image for each emoji.

use std::path::Path;

use harfrust::font::glyph::bitmap::{Bgra, Pixels};
use harfrust::{Buffer, Font, GlyphId, ShapeOptions, ShaperFont};
use image::{Rgba, RgbaImage};

use super::image_file::{self, named};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::render::font::FontSet;

/// The families of installed fonts with color bitmaps.
const FAMILIES: [&str; 2] = ["Noto Color Emoji", "Apple Color Emoji"];
/// It asks for the picture form of the character before it. Fonts and folders mostly leave it out.
const VARIATION_SELECTOR: char = '\u{fe0f}';
const ADVICE: &str = "give a font with color bitmaps such as Noto Color Emoji, or a folder of images named as Twemoji's are (1f525.png)";

/// The picture of an emoji: sRGB, straight alpha. `from` is the path of a font or of a folder of
/// images; `None` means an installed font.
///
/// Errors are of the kind `Overlay` and name `from`.
pub(super) fn picture(cx: &Context, emoji: &str, from: Option<&str>) -> Result<RgbaImage> {
    let Some(from) = from else {
        let installed = FAMILIES.iter().find_map(|family| FontSet::installed().font_file(family));
        let (bytes, index) = installed.ok_or_else(|| {
            Error::new(ErrorKind::Overlay, format!("no font with color emoji is installed ({})", FAMILIES.join(", "))).with_advice(ADVICE)
        })?;
        return of_font(cx, emoji, bytes, index);
    };
    let path = Path::new(from);
    let found =
        if path.is_dir() { of_folder(cx, emoji, path) } else { cx.read_document(path).and_then(|bytes| of_font(cx, emoji, bytes, 0)) };
    named(from, found)
}

/// The image of an emoji in a folder. The names are its code points, with and without variation
/// selectors, as Twemoji and Noto write them.
fn of_folder(cx: &Context, emoji: &str, folder: &Path) -> Result<RgbaImage> {
    let points = |all: bool, between: &str| {
        let parts = emoji.chars().filter(|part| all || *part != VARIATION_SELECTOR).map(|part| format!("{:x}", u32::from(part)));
        parts.collect::<Vec<_>>().join(between)
    };
    let names = [points(true, "-"), points(false, "-"), format!("emoji_u{}", points(false, "_"))];
    let files = names.iter().flat_map(|name| ["png", "webp"].map(|ending| folder.join(format!("{name}.{ending}"))));
    let file = files.into_iter().find(|file| file.is_file()).ok_or_else(|| {
        Error::new(ErrorKind::Overlay, format!("the folder has no image of {emoji}: {}.png or {}.png", names[1], names[2]))
            .with_advice("give a folder that has it")
    })?;
    image_file::picture(cx, &file.to_string_lossy())
}

/// The bitmap of an emoji in a font. A sequence such as a family is one glyph.
fn of_font(cx: &Context, emoji: &str, bytes: Vec<u8>, index: u32) -> Result<RgbaImage> {
    let refuse = |what: String| Error::new(ErrorKind::Overlay, what).with_advice(ADVICE);
    let font = Font::new(bytes, index).ok_or_else(|| refuse("this is no font".into()))?;
    let glyph = glyph(&font, emoji).ok_or_else(|| refuse(format!("the font has no single glyph for {emoji}")))?;
    let strikes = font.bitmap_strikes();
    let bitmap = strikes.select_bitmap(glyph, None).ok_or_else(|| refuse(format!("the font has no color bitmap of {emoji}")))?;
    match bitmap.pixels() {
        Pixels::Png(bytes) => image_file::decoded(cx, bytes),
        Pixels::Bgra(pixels) => {
            cx.limits().check_picture(pixels.width(), pixels.height())?;
            straight(pixels).ok_or_else(|| refuse(format!("the font's bitmap of {emoji} is empty")))
        }
        Pixels::Mask(_) => Err(refuse(format!("the font's bitmap of {emoji} has no colors"))),
    }
}

/// The glyph of an emoji, if it has exactly one.
fn glyph(font: &Font, emoji: &str) -> Option<GlyphId> {
    let mut buffer = Buffer::new();
    buffer.push_str(emoji);
    buffer.guess_segment_properties();
    harfrust::shape(&ShaperFont::new(font), &mut buffer, ShapeOptions::new()).ok()?;
    match buffer.glyph_infos() {
        [only] if only.glyph_id != 0 => Some(GlyphId::new(only.glyph_id)),
        _ => None,
    }
}

/// A bitmap whose colors are multiplied by alpha, with straight alpha. `None` without pixels.
fn straight(pixels: Bgra<'_>) -> Option<RgbaImage> {
    if pixels.width() == 0 || pixels.height() == 0 {
        return None;
    }
    let channel = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha).max(1));
        u8::try_from((value * 255 + alpha / 2) / alpha).unwrap_or(u8::MAX)
    };
    let pixel = |x: u32, y: u32| {
        let [b, g, r, a] = pixels.pixel(x, y).unwrap_or_default();
        Rgba([channel(r, a), channel(g, a), channel(b, a), a])
    };
    Some(RgbaImage::from_fn(pixels.width(), pixels.height(), pixel))
}

#[cfg(test)]
#[path = "emoji_tests.rs"]
mod tests;
