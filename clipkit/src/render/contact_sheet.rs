//! A contact sheet of a plan: source frames with crop windows and faces.

use std::io::{Cursor, Write};
use std::path::Path;

use image::ImageFormat;

use crate::av::{Effort, Picture, RgbImage, Thumbnailer, VideoReader, probe_header};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, FaceSample, FaceTrack, Layout, Rect, Timestamp, Zoom};
use crate::store::write_file;

/// Tiles per row.
const COLUMNS: usize = 4;
/// The most tiles of a sheet. Scenes beyond it are dropped evenly.
const MAX_TILES: usize = 40;
/// The number of tiles for a plan with few scenes.
const DEFAULT_TILES: usize = 12;
/// The longer side of a tile, in pixels.
const TILE: u32 = 480;
const GAP: u32 = 8;
/// Evenly spaced moments nearer than this to a scene's start are dropped.
const MIN_GAP_SECS: f64 = 0.25;
/// The longest distance from a moment to a face sample that is drawn there.
const MAX_FACE_SECS: f64 = 0.3;

pub(super) const BACKGROUND: [u8; 3] = [24, 24, 27];
const WINDOW: [u8; 3] = [255, 214, 10];
/// Colours of face boxes; adjacent tracks differ.
const FACES: [[u8; 3]; 5] = [[64, 224, 120], [80, 180, 255], [255, 120, 120], [220, 130, 255], [255, 170, 60]];

/// Draws source frames of a plan with the windows that the plan shows (yellow; the rest is
/// darkened) and the detected faces (one colour per track).
///
/// The frames are the first of each scene, and evenly spaced ones in between. Each carries its time
/// on the clip's timeline, and the layout's name unless the layout is one window. Several windows
/// are numbered in the plan's order. Intro and outro are not drawn. `to` must end in `.png` or
/// `.jpg`; it is replaced atomically.
///
/// Fails with [`ErrorKind::Config`] for another file name, with [`ErrorKind::InvalidPlan`] if the
/// plan is invalid or its span lies after the end of the video, and with the errors of reading the
/// source and writing the file.
pub async fn contact_sheet(cx: &Context, plan: &ClipPlan, to: &Path) -> Result<()> {
    let format = format_of(to)?;
    plan.validate()?;
    plan.check_limits(cx.limits())?;
    let (plan, to) = (plan.clone(), to.to_owned());
    cx.blocking(move |cx| {
        let tiles: Vec<RgbImage> = annotated(cx, &plan)?.into_iter().map(|(_, tile)| tile).collect();
        write(&sheet(&tiles), format, &to)
    })
    .await
}

/// The picture format that a file's name asks for.
pub(super) fn format_of(to: &Path) -> Result<ImageFormat> {
    ImageFormat::from_path(to).ok().filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg)).ok_or_else(|| {
        Error::new(ErrorKind::Config, "the contact sheet's file name has no supported picture format")
            .with_path(to)
            .with_advice("use a name that ends in .png or .jpg")
    })
}

/// Source frames with the plan's windows and faces, and their times on the clip's timeline. There
/// is at least one.
pub(super) fn annotated(cx: &Context, plan: &ClipPlan) -> Result<Vec<(Timestamp, RgbImage)>> {
    let media = probe_header(cx, &cx.locate(&plan.source.media)?, plan.source.media.id.clone())?;
    let mut reader = VideoReader::open(cx, &media, Effort::Analysis, 0)?;
    let mut thumbnails = Thumbnailer::new(media.require_video()?, TILE);
    let mut tiles = Vec::new();
    let timeline = plan.timeline();
    for at in moments(plan) {
        cx.check()?;
        if let Some(picture) = frame_at(&mut reader, timeline.source_time(at))? {
            let mut tile = thumbnails.image(&picture)?;
            annotate(&mut tile, plan, at);
            tiles.push((at, tile));
        }
    }
    if tiles.is_empty() {
        return Err(Error::new(ErrorKind::InvalidPlan, "the plan's span lies after the end of the video").with_path(&media.path));
    }
    Ok(tiles)
}

/// The moments to show, on the clip's timeline.
fn moments(plan: &ClipPlan) -> Vec<Timestamp> {
    let length = plan.timeline().end().secs();
    let scenes: Vec<Timestamp> = plan.scenes.iter().map(|scene| scene.span.start()).collect();
    let evenly = DEFAULT_TILES.max(scenes.len().min(MAX_TILES));
    let mut all: Vec<Timestamp> = (0..evenly).map(|n| Timestamp::from_secs(length * n as f64 / evenly as f64)).collect();
    // The first frame of a scene replaces evenly spaced frames near it.
    all.retain(|at| scenes.iter().all(|start| at.since(*start).secs().abs() >= MIN_GAP_SECS));
    all.extend(scenes);
    all.sort();
    all.dedup();
    let every = all.len().div_ceil(MAX_TILES).max(1);
    all.into_iter().step_by(every).collect()
}

/// Returns the frame on screen at a moment of the source, the first frame if the picture starts
/// later, or `None` after the end.
pub(super) fn frame_at(reader: &mut VideoReader, at: Timestamp) -> Result<Option<Picture>> {
    reader.seek(at)?;
    let mut shown = None;
    while let Some(picture) = reader.next()? {
        if picture.at() > at {
            return Ok(shown.or(Some(picture)));
        }
        shown = Some(picture);
    }
    Ok(shown)
}

fn annotate(tile: &mut RgbImage, plan: &ClipPlan, at: Timestamp) {
    let scene = plan.scenes.iter().rev().find(|scene| scene.span.start() <= at).or(plan.scenes.first());
    let windows: Vec<Rect> = scene.map_or_else(Vec::new, |scene| {
        let punched_in = Zoom::punched_in(&plan.zooms, &scene.layout, at);
        punched_in.as_ref().unwrap_or(&scene.layout).panes().into_iter().map(|(crop, _)| crop.at(at)).collect()
    });
    darken_outside(tile, &windows);
    for (n, window) in windows.iter().enumerate() {
        draw_box(tile, *window, WINDOW, 3);
        if windows.len() > 1 {
            // In the plan's order: top and bottom, screen and inset.
            let (left, _, _, bottom) = to_pixels(tile, *window);
            draw_label(tile, (left + 3, bottom.saturating_sub(3 + LABEL_ROWS)), &(n + 1).to_string());
        }
    }
    let shot = |at: Timestamp| plan.shots.iter().rposition(|shot| shot.span.start() <= at);
    for (n, face) in plan.faces.iter().enumerate() {
        // A track ends with its shot, so samples of another shot do not belong to this frame.
        if let Some(sample) = sample_at(face, at).filter(|sample| shot(sample.at) == shot(at)) {
            draw_box(tile, sample.rect, FACES[n % FACES.len()], 2);
        }
    }
    let layout = match scene.map(|scene| &scene.layout) {
        Some(Layout::Split { .. }) => " SPLIT",
        Some(Layout::Fit { .. }) => " FIT",
        Some(Layout::Pip { .. }) => " PIP",
        Some(Layout::Fill { .. }) | None => "",
    };
    draw_label(tile, (0, 0), &format!("{at}{layout}"));
}

/// The track's sample nearest to a moment, if one is near enough.
fn sample_at(face: &FaceTrack, at: Timestamp) -> Option<&FaceSample> {
    let away = |sample: &FaceSample| sample.at.since(at).secs().abs();
    face.samples.iter().min_by(|a, b| away(a).total_cmp(&away(b))).filter(|sample| away(sample) <= MAX_FACE_SECS)
}

/// Converts a box to pixels: left, top, right, bottom, the latter two exclusive.
fn to_pixels(tile: &RgbImage, rect: Rect) -> (usize, usize, usize, usize) {
    let place = |part: f64, of: u32| (part * f64::from(of)).round().clamp(0.0, f64::from(of)) as usize;
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
    (place(rect.x, tile.width), place(rect.y, tile.height), place(right, tile.width), place(bottom, tile.height))
}

fn set_pixel(tile: &mut RgbImage, x: usize, y: usize, color: [u8; 3]) {
    let at = 3 * (y * tile.columns() + x);
    if x < tile.columns()
        && let Some(pixel) = tile.pixels.get_mut(at..at + 3)
    {
        pixel.copy_from_slice(&color);
    }
}

fn darken_outside(tile: &mut RgbImage, windows: &[Rect]) {
    let windows: Vec<_> = windows.iter().map(|window| to_pixels(tile, *window)).collect();
    for y in 0..tile.rows() {
        for x in 0..tile.columns() {
            if windows.iter().all(|(left, top, right, bottom)| !(*left..*right).contains(&x) || !(*top..*bottom).contains(&y)) {
                let dark = tile.pixel(x, y).map(|value| value / 5 * 2);
                set_pixel(tile, x, y, dark);
            }
        }
    }
}

fn draw_box(tile: &mut RgbImage, rect: Rect, color: [u8; 3], thick: usize) {
    let (left, top, right, bottom) = to_pixels(tile, rect);
    for y in top..bottom {
        for x in left..right {
            if x < left + thick || x + thick >= right || y < top + thick || y + thick >= bottom {
                set_pixel(tile, x, y, color);
            }
        }
    }
}

/// A 3x5 bitmap for each character of times and names of layouts and parts, so that no font is
/// needed.
fn glyph(letter: char) -> [u8; 5] {
    match letter {
        '0' => [0b111, 0b101, 0b101, 0b101, 0b111],
        '1' => [0b010, 0b110, 0b010, 0b010, 0b111],
        '2' => [0b111, 0b001, 0b111, 0b100, 0b111],
        '3' => [0b111, 0b001, 0b111, 0b001, 0b111],
        '4' => [0b101, 0b101, 0b111, 0b001, 0b001],
        '5' | 'S' => [0b111, 0b100, 0b111, 0b001, 0b111],
        '6' => [0b111, 0b100, 0b111, 0b101, 0b111],
        '7' => [0b111, 0b001, 0b001, 0b010, 0b010],
        '8' => [0b111, 0b101, 0b111, 0b101, 0b111],
        '9' => [0b111, 0b101, 0b111, 0b001, 0b111],
        ':' => [0b000, 0b010, 0b000, 0b010, 0b000],
        '.' => [0b000, 0b000, 0b000, 0b000, 0b010],
        'F' => [0b111, 0b100, 0b110, 0b100, 0b100],
        'I' => [0b111, 0b010, 0b010, 0b010, 0b111],
        'N' => [0b111, 0b101, 0b101, 0b101, 0b101],
        'O' => [0b111, 0b101, 0b101, 0b101, 0b111],
        'R' => [0b111, 0b101, 0b110, 0b101, 0b101],
        'U' => [0b101, 0b101, 0b101, 0b101, 0b111],
        'L' => [0b100, 0b100, 0b100, 0b100, 0b111],
        'P' => [0b111, 0b101, 0b111, 0b100, 0b100],
        'T' => [0b111, 0b010, 0b010, 0b010, 0b010],
        _ => [0; 5],
    }
}
/// The side of a glyph's dot in pixels.
const DOT: usize = 3;
/// The height of a label in pixels.
const LABEL_ROWS: usize = 7 * DOT;

pub(super) fn draw_label(tile: &mut RgbImage, (left, top): (usize, usize), text: &str) {
    let wide = DOT * (4 * text.len() + 1);
    for y in top..(top + LABEL_ROWS).min(tile.rows()) {
        for x in left..left + wide {
            set_pixel(tile, x, y, [0; 3]);
        }
    }
    for (n, letter) in text.chars().enumerate() {
        for (row, bits) in glyph(letter).into_iter().enumerate() {
            for column in 0..3 {
                if bits & (0b100 >> column) != 0 {
                    let (x, y) = (left + DOT * (4 * n + 1 + column), top + DOT * (row + 1));
                    (0..DOT * DOT).for_each(|dot| set_pixel(tile, x + dot % DOT, y + dot / DOT, [255; 3]));
                }
            }
        }
    }
}

pub(super) fn sheet(tiles: &[RgbImage]) -> RgbImage {
    // A stream may change its size midway, so tiles may differ in size.
    let (wide, high) = tiles.iter().fold((0, 0), |(wide, high), tile| (wide.max(tile.width), high.max(tile.height)));
    let columns = COLUMNS.min(tiles.len()).max(1);
    let rows = tiles.len().div_ceil(columns);
    let side = |count: usize, of: u32| GAP + count as u32 * (of + GAP);
    let (width, height) = (side(columns, wide), side(rows, high));
    let mut sheet = RgbImage { width, height, pixels: BACKGROUND.repeat(width as usize * height as usize) };
    for (n, tile) in tiles.iter().enumerate() {
        paste(&mut sheet, tile, (side(n % columns, wide) as usize, side(n / columns, high) as usize));
    }
    sheet
}

/// Copies a picture into a larger one.
pub(super) fn paste(into: &mut RgbImage, picture: &RgbImage, (left, top): (usize, usize)) {
    for (row, line) in picture.pixels.chunks_exact(3 * picture.columns().max(1)).enumerate() {
        let at = 3 * ((top + row) * into.columns() + left);
        if let Some(target) = into.pixels.get_mut(at..at + line.len()) {
            target.copy_from_slice(line);
        }
    }
}

pub(super) fn write(sheet: &RgbImage, format: ImageFormat, to: &Path) -> Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut bytes, &sheet.pixels, sheet.width, sheet.height, image::ExtendedColorType::Rgb8, format)
        .map_err(|error| Error::new(ErrorKind::Encode, format!("the contact sheet cannot be encoded: {error}")).with_path(to))?;
    write_file(to, |file| file.write_all(bytes.get_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentId, Crop, FrameRate, MediaRef, Output, PlanSource, Scene, Score, Span};

    #[test]
    fn a_tile_shows_window_faces_and_time() {
        let mut tile = RgbImage { width: 160, height: 90, pixels: vec![200; 160 * 90 * 3] };
        darken_outside(&mut tile, &[Rect::new(0.25, 0.0, 0.5, 1.0)]);
        draw_box(&mut tile, Rect::new(0.25, 0.0, 0.5, 1.0), WINDOW, 3);
        draw_box(&mut tile, Rect::new(0.9, 0.9, 0.5, 0.5), FACES[0], 2);
        draw_label(&mut tile, (0, 0), "1:02.500");
        assert_eq!(tile.pixel(150, 40), [80; 3]);
        assert_eq!(tile.pixel(80, 45), [200; 3]);
        assert_eq!(tile.pixel(40, 45), WINDOW);
        assert_eq!(tile.pixel(159, 89), FACES[0]);
        assert_eq!((tile.pixel(6, 3), tile.pixel(0, 0)), ([255; 3], [0; 3]));
    }

    #[test]
    fn the_windows_of_a_layout_are_framed_and_numbered() {
        let crop = |x| Crop::still(Rect::new(x, 0.1, 0.3, 0.8));
        let span = Span::secs(0.0, 2.0).unwrap();
        let plan = ClipPlan {
            hook: None,
            overlays: Vec::new(),
            zooms: Vec::new(),
            fonts: Vec::new(),
            intro: None,
            outro: None,
            post: crate::model::PostTexts::default(),
            version: ClipPlan::VERSION,
            source: PlanSource::new(MediaRef::new("talk.mp4", ContentId::new("blake3", "00")), 320, 180, span.end()),
            span,
            pieces: Vec::new(),
            sound: Vec::new(),
            censored: Vec::new(),
            title: String::new(),
            reason: String::new(),
            hook_line: None,
            score: Score::of(1.0),
            shots: Vec::new(),
            faces: Vec::new(),
            subjects: Vec::new(),
            scenes: vec![Scene { span, layout: Layout::Split { top: crop(0.1), bottom: crop(0.6), speaking: Vec::new() } }],
            captions: None,
            output: Output::h264(180, 320, FrameRate::new(30, 1)),
        };
        let mut tile = RgbImage { width: 320, height: 180, pixels: vec![200; 320 * 180 * 3] };
        annotate(&mut tile, &plan, Timestamp::from_secs(0.5));
        // The edges of the left window, at 0.1 and 0.4 of the width, and of the right one, at 0.6
        // and 0.9.
        assert_eq!([tile.pixel(33, 90), tile.pixel(126, 90), tile.pixel(193, 90), tile.pixel(286, 90)], [WINDOW; 4]);
        assert_eq!([tile.pixel(80, 90), tile.pixel(160, 90), tile.pixel(240, 90)], [[200; 3], [80; 3], [200; 3]]);
        assert_eq!([tile.pixel(36, 156), tile.pixel(196, 156)], [[0; 3]; 2]);
    }

    #[test]
    fn tiles_are_arranged_in_rows() {
        let tile = |value| RgbImage { width: 10, height: 5, pixels: vec![value; 150] };
        let sheet = sheet(&[tile(1), tile(2), tile(3), tile(4), tile(5)]);
        assert_eq!((sheet.width, sheet.height), (8 + 4 * 18, 8 + 2 * 13));
        assert_eq!((sheet.pixel(0, 0), sheet.pixel(8, 8), sheet.pixel(26, 8), sheet.pixel(8, 21)), (BACKGROUND, [1; 3], [2; 3], [5; 3]));
    }
}
