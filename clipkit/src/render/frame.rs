use super::chain;
use super::compose::Composer;
use super::ffmpeg::Files;
use super::text;
use crate::av::{Filter, Picture, PictureFormat, VideoFrame, VideoGraph, displayed_rect, stored_rect};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{CaptionStyle, ClipPlan, Crop, Layout, Media, Orientation, Rect, Scene, Timestamp};

/// Pixels of the source that are kept around what a scene shows, so that colours at its edges are converted with what lies beyond.
const MARGIN: f64 = 8.0;

/// Frames the source's pictures as the plan says: crop, turn, tone-map, scale, arrange, caption.
///
/// Windows are read from decoded frames where they lie, and put together by the [`Composer`], to a fraction of a pixel; pictures that are not
/// upright or not in the output's colours are made so before, as far as the scene shows them.
pub(super) struct Framer {
    scenes: Vec<Scene>,
    start: Timestamp,
    orientation: Orientation,
    /// Whether the source is upright and in the output's colours.
    plain: bool,
    upright: Chain,
    composer: Composer,
    captions: Option<Chain>,
}

impl Framer {
    pub(super) fn new(cx: &Context, plan: &ClipPlan, media: &Media, files: &Files, threads: usize) -> Result<Self> {
        let video = media.require_video()?;
        let rate = plan.output.frame_rate;
        let chain = |filters| Chain { filters, base: (rate.den as i32, rate.num as i32), threads, graph: None };
        let accent = plan.captions.as_ref().map_or(CaptionStyle::karaoke().highlight, |track| track.style.highlight);
        let captions = match text::document(cx, plan) {
            Some(text) => {
                std::fs::write(&files.captions, text).map_err(|error| Error::io(&files.captions, "write the captions", error))?;
                Some(chain(chain::captions(&files.captions)))
            }
            None => None,
        };
        Ok(Framer {
            scenes: plan.scenes.clone(),
            start: plan.span.start(),
            orientation: video.orientation,
            plain: chain::is_plain(video),
            upright: chain(chain::upright(cx, video)),
            composer: Composer::new((plan.output.width, plan.output.height), accent),
            captions,
        })
    }

    /// The clip's frame `n`, made from `source`.
    pub(super) fn apply(&mut self, source: &Picture, n: u64) -> Result<VideoFrame> {
        // The source frame's own time, not the clip's clock: a window jumps with the frame that it belongs to.
        let at = source.at().since(self.start).max(Timestamp::ZERO);
        let scene = self.scenes.partition_point(|scene| scene.span.start() <= at).saturating_sub(1);
        let whole = Layout::Fill { crop: Crop::still(Rect::FULL) };
        let layout = self.scenes.get(scene).map_or(&whole, |scene| &scene.layout);
        let mut frame = if self.plain && source.is_planar() {
            self.composer.compose(source, Rect::FULL, layout, at)?
        } else {
            let (stored, part) = surroundings(source, stored_rect(extent(layout), self.orientation))?;
            let upright = Picture::new(source.at(), self.upright.apply(stored, n)?);
            self.composer.compose(&upright, displayed_rect(part, self.orientation), layout, at)?
        };
        frame.set_pts(Some(n as i64));
        match &mut self.captions {
            Some(captions) => captions.apply(Picture::new(source.at(), frame), n),
            None => Ok(frame),
        }
    }

    /// Takes back a frame that is done with, for its memory.
    pub(super) fn give_back(&mut self, frame: VideoFrame) {
        self.composer.give_back(frame);
    }
}

/// Filters, built for the pictures that come, and again where these change.
struct Chain {
    filters: Vec<Filter>,
    base: (i32, i32),
    threads: usize,
    graph: Option<(PictureFormat, VideoGraph)>,
}

impl Chain {
    fn apply(&mut self, picture: Picture, n: u64) -> Result<VideoFrame> {
        let format = PictureFormat { width: picture.width(), height: picture.height(), format: picture.format() };
        let graph = match &mut self.graph {
            Some((built_for, graph)) if *built_for == format => graph,
            slot => {
                let built = VideoGraph::new(format, self.base, &self.filters, self.threads)?;
                &mut slot.insert((format, built)).1
            }
        };
        graph.apply(picture.into_frame(), n as i64)
    }
}

/// What a layout shows of the displayed picture from its first moment to its last.
fn extent(layout: &Layout) -> Rect {
    let windows =
        layout.panes().into_iter().flat_map(|(crop, _)| crop.path.iter().map(|key| Rect::new(key.x, key.y, crop.width, crop.height)));
    windows
        .reduce(|a, b| {
            let (x, y) = (a.x.min(b.x), a.y.min(b.y));
            let (right, bottom) = ((a.x + a.width).max(b.x + b.width), (a.y + a.height).max(b.y + b.height));
            Rect::new(x, y, right - x, bottom - y)
        })
        .unwrap_or(Rect::FULL)
}

/// The part of a stored picture that holds `rect` and a margin, and which part of it that is.
fn surroundings(picture: &Picture, rect: Rect) -> Result<(Picture, Rect)> {
    let (grid_x, grid_y) = picture.grid();
    let (x, width) = surround(rect.x, rect.width, picture.width(), grid_x);
    let (y, height) = surround(rect.y, rect.height, picture.height(), grid_y);
    let share = |pixels: u32, of: u32| f64::from(pixels) / f64::from(of);
    let (wide, high) = (picture.width(), picture.height());
    let part = Rect::new(share(x, wide), share(y, high), share(width, wide), share(height, high));
    Ok((picture.window(x, y, width, height)?, part))
}

/// Start and length, in pixels on a grid, that hold a stretch given as fractions of `whole` pixels, and a margin.
fn surround(start: f64, length: f64, whole: u32, grid: u32) -> (u32, u32) {
    let (grid, size) = (grid.max(1), f64::from(whole));
    let from = ((start * size - MARGIN).max(0.0) / f64::from(grid)).floor() as u32 * grid;
    let to = ((((start + length) * size + MARGIN) / f64::from(grid)).ceil() as u32).saturating_mul(grid).min(whole);
    let from = from.min(whole.saturating_sub(1) / grid * grid);
    (from, to.max(from + 1) - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_a_stretch_holds_it_on_the_grid() {
        assert_eq!(surround(0.0, 1.0, 1081, 2), (0, 1081));
        assert_eq!(surround(0.25, 0.5, 1000, 2), (242, 516));
        assert_eq!(surround(0.251, 0.4999, 1000, 4), (240, 520));
        assert_eq!(surround(0.9, 0.1, 100, 2), (82, 18));
        assert_eq!(surround(0.0, 1.0, 1, 2), (0, 1));
    }

    #[test]
    fn the_extent_is_all_that_the_windows_pass() {
        let key = |at, x, y| crate::model::CropKey { at: Timestamp::from_secs(at), x, y };
        let moving = Crop { width: 0.25, height: 0.5, path: vec![key(0.0, 0.25, 0.0), key(1.0, 0.5, 0.25)] };
        let still = Crop { width: 0.125, height: 0.125, path: vec![key(0.0, 0.125, 0.75)] };
        assert_eq!(
            extent(&Layout::Split { top: moving.clone(), bottom: still.clone(), speaking: Vec::new() }),
            Rect::new(0.125, 0.0, 0.625, 0.875)
        );
    }
}
