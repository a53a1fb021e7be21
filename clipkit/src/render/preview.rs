//! Previews of a plan: a small draft of the clip, and a sheet of drawn frames.

use std::path::Path;

use super::bumper::Bumpers;
use super::contact_sheet::{self, BACKGROUND};
use super::ffmpeg;
use super::pass::Quality;
use crate::av::{Effort, RgbImage, Thumbnailer, VideoReader, probe_header};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, ContentId, Output, RenderedClip, Timestamp, X264Preset};
use crate::store::move_file;

/// The shorter side of a draft, in pixels.
const DRAFT_SIDE: u32 = 360;
/// The quality of a draft: x264's constant rate factor, and the bits per second of the sound.
const DRAFT_CRF: u8 = 28;
const DRAFT_AUDIO: u32 = 96_000;
/// The height of the tiles of a sheet, in pixels.
const TILE_ROWS: u32 = 270;
/// The frame rate above which a draft has every second frame.
const MAX_DRAFT_FPS: f64 = 20.0;
/// Containers round times to a millisecond.
const ROUNDING_SECS: f64 = 0.001;
/// The space between a source frame and the drawn one, in pixels.
const INNER_GAP: u32 = 4;

/// Shows what a plan renders to, in a fraction of the time: for editors and reviews.
///
/// The ending of `to` decides what is written; the file is replaced atomically.
///
/// - `.mp4`: a draft of the clip whose shorter side has 360 pixels, with its layout, captions,
///   sound, intro and outro, at half the frame rate if that is above 20 frames a second. It is
///   decoded without the loop filter and mostly without frames that no other frame refers to, so a
///   picture can be up to 0.125 s old. It is encoded fast, and its loudness is the source's.
/// - `.png`, `.jpg`: a sheet. Each tile has the source frame with the plan's windows and faces, as
///   in [`contact_sheet`](super::contact_sheet), and beside it the frame as it is drawn, with
///   captions. Intro and outro have a tile each, with the frame in their middle.
///
/// # Errors
///
/// [`ErrorKind::Config`] for another ending, and those of rendering.
pub async fn preview(cx: &Context, plan: &ClipPlan, to: &Path) -> Result<()> {
    let ending = to.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let is_video = ending == "mp4";
    let format = (!is_video).then(|| contact_sheet::format_of(to)).transpose().map_err(|_| {
        Error::new(ErrorKind::Config, "the preview's file name has no supported ending")
            .with_path(to)
            .with_advice("use a name that ends in .mp4, .png or .jpg")
    })?;
    plan.validate()?;
    plan.check_limits(cx.limits())?;
    let (mut plan, to) = (draft_of(plan), to.to_owned());
    let quality = if is_video { Quality::Draft } else { Quality::Sheet };
    if is_video && plan.output.frame_rate.fps() > MAX_DRAFT_FPS {
        plan.output.frame_rate.den = plan.output.frame_rate.den.saturating_mul(2);
    }
    cx.blocking(move |cx| {
        let plan = Bumpers::open(cx, &plan)?.measured(&plan);
        let clip = ffmpeg::render(cx, &plan, cx.threads(), quality)?;
        match format {
            None => move_file(&clip.video, &to),
            Some(format) => contact_sheet::write(&contact_sheet::sheet(&tiles(cx, &plan, &clip)?), format, &to),
        }
    })
    .await
}

/// The plan with a small output that is encoded fast.
fn draft_of(plan: &ClipPlan) -> ClipPlan {
    let Output { width, height, .. } = plan.output;
    let scale = (f64::from(DRAFT_SIDE) / f64::from(width.min(height)).max(1.0)).min(1.0);
    let even = |side: u32| ((f64::from(side) * scale / 2.0).round() as u32 * 2).max(2);
    let mut plan = plan.clone();
    plan.output = Output {
        width: even(width),
        height: even(height),
        preset: X264Preset::Ultrafast,
        crf: DRAFT_CRF.max(plan.output.crf),
        audio_bitrate: DRAFT_AUDIO.min(plan.output.audio_bitrate),
        loudness: None,
        ..plan.output
    };
    plan
}

/// The tiles of a sheet: the source frame with the plan's windows, and the drawn frame.
fn tiles(cx: &Context, plan: &ClipPlan, clip: &RenderedClip) -> Result<Vec<RgbImage>> {
    let drawn = probe_header(cx, &clip.video, ContentId::new("none", ""))?;
    let mut frames = VideoReader::open(cx, &drawn, Effort::Exact, 0)?;
    let mut small = Thumbnailer::new(drawn.require_video()?, longest(plan.output.width, plan.output.height));
    let of_source = contact_sheet::annotated(cx, plan)?;
    let parts = plan.parts()?;
    let middle = |from: Timestamp, to: Timestamp| from.plus(to.since(from).secs() / 2.0);
    let mut drawn_at = |at: Timestamp| -> Result<Option<RgbImage>> {
        contact_sheet::frame_at(&mut frames, at)?.map(|frame| small.image(&frame)).transpose()
    };
    let mut tiles = Vec::with_capacity(of_source.len() + 2);
    let labelled = |drawn: Option<RgbImage>, name: &str| {
        drawn.map(|mut tile| {
            contact_sheet::draw_label(&mut tile, (0, 0), name);
            tile
        })
    };
    if parts.intro_frames() > 0 {
        tiles.extend(labelled(drawn_at(middle(Timestamp::ZERO, parts.clip_start()))?, "INTRO"));
    }
    for (at, source) in of_source {
        cx.check()?;
        // A scene appears with the first frame that starts in it.
        let at = at.offset(parts.clip_start()).plus(1.0 / plan.output.frame_rate.fps() - ROUNDING_SECS);
        let last = if parts.outro_frames() > 0 { parts.outro_start() } else { clip.duration };
        let at = at.min(last.plus(-ROUNDING_SECS)).max(Timestamp::ZERO);
        let Some(drawn) = drawn_at(at)? else { continue };
        tiles.push(beside(&source, &drawn));
    }
    if parts.outro_frames() > 0 {
        tiles.extend(labelled(drawn_at(middle(parts.outro_start(), parts.end()))?, "OUTRO"));
    }
    Ok(tiles)
}

/// The longer side of a picture that has the height of a tile.
fn longest(width: u32, height: u32) -> u32 {
    if height >= width { TILE_ROWS } else { (f64::from(TILE_ROWS) * f64::from(width) / f64::from(height.max(1))).round() as u32 }
}

/// Two pictures beside each other, at the top.
fn beside(left: &RgbImage, right: &RgbImage) -> RgbImage {
    let (width, height) = (left.width + INNER_GAP + right.width, left.height.max(right.height));
    let mut both = RgbImage { width, height, pixels: BACKGROUND.repeat(width as usize * height as usize) };
    contact_sheet::paste(&mut both, left, (0, 0));
    contact_sheet::paste(&mut both, right, ((left.width + INNER_GAP) as usize, 0));
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_beside_each_other() {
        let picture = |width: u32, height: u32, value| RgbImage { width, height, pixels: vec![value; (width * height * 3) as usize] };
        let both = beside(&picture(10, 5, 1), &picture(3, 6, 2));
        assert_eq!((both.width, both.height), (17, 6));
        assert_eq!((both.pixel(9, 4), both.pixel(11, 0), both.pixel(14, 5), both.pixel(0, 5)), ([1; 3], BACKGROUND, [2; 3], BACKGROUND));
        assert_eq!((longest(360, 640), longest(640, 360)), (270, 480));
    }
}
