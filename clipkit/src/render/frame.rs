use super::chain;
use super::ffmpeg::Files;
use super::text;
use crate::av::{Filter, Picture, PictureFormat, VideoGraph, stored_rect};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{ClipPlan, Layout, Media, Orientation, Rect, Scene, Timestamp};

/// Frames the source's pictures as the plan says: crop, turn, tone-map, scale, caption.
///
/// The crop moves the pointers into a decoded frame, so a moving window costs nothing; the rest is one chain of filters, built again only
/// where the window's size or the source's format changes.
pub(super) struct Framer {
    scenes: Vec<Scene>,
    start: Timestamp,
    orientation: Orientation,
    filters: Vec<Filter>,
    base: (i32, i32),
    graph: Option<(PictureFormat, VideoGraph)>,
    threads: usize,
}

impl Framer {
    pub(super) fn new(cx: &Context, plan: &ClipPlan, media: &Media, files: &Files, threads: usize) -> Result<Self> {
        let video = media.require_video()?;
        let captions = match text::document(cx, plan) {
            Some(text) => {
                std::fs::write(&files.captions, text).map_err(|error| Error::io(&files.captions, "write the captions", error))?;
                Some(files.captions.as_path())
            }
            None => None,
        };
        let rate = plan.output.frame_rate;
        Ok(Framer {
            scenes: plan.scenes.clone(),
            start: plan.span.start(),
            orientation: video.orientation,
            filters: chain::filters(cx, video, &plan.output, captions),
            base: (rate.den as i32, rate.num as i32),
            graph: None,
            threads,
        })
    }

    /// The clip's frame `n`, made from `source`.
    pub(super) fn apply(&mut self, source: &Picture, n: u64) -> Result<crate::av::VideoFrame> {
        // The source frame's own time, not the clip's clock: a window jumps with the frame that it belongs to.
        let at = source.at().since(self.start).max(Timestamp::ZERO);
        let scene = self.scenes.partition_point(|scene| scene.span.start() <= at).saturating_sub(1);
        let window = match self.scenes.get(scene).map(|scene| &scene.layout) {
            Some(Layout::Fill { crop }) => crop.at(at),
            Some(_) => return Err(Error::new(crate::error::ErrorKind::Unavailable, "this layout cannot be rendered")),
            None => Rect::FULL,
        };
        let cropped = crop(source, stored_rect(window, self.orientation))?;
        let format = PictureFormat { width: cropped.width(), height: cropped.height(), format: cropped.format() };
        let graph = match &mut self.graph {
            Some((built_for, graph)) if *built_for == format => graph,
            slot => {
                let built = VideoGraph::new(format, self.base, &self.filters, self.threads)?;
                &mut slot.insert((format, built)).1
            }
        };
        graph.apply(cropped.frame(), n as i64)
    }
}

/// The window of a stored picture that `rect` names, in whole pixels: its size depends on the rectangle's size alone, so that it stays the
/// same while the window moves.
fn crop(picture: &Picture, rect: Rect) -> Result<Picture> {
    let (grid_x, grid_y) = picture.grid();
    let (width, x) = place(rect.width, rect.x, picture.width(), grid_x);
    let (height, y) = place(rect.height, rect.y, picture.height(), grid_y);
    picture.window(x, y, width, height)
}

/// Length and start, in pixels on a grid, of a stretch given as fractions of `whole` pixels.
fn place(length: f64, start: f64, whole: u32, grid: u32) -> (u32, u32) {
    let grid = grid.min(whole).max(1);
    let snap = |value: f64| (value / f64::from(grid)).round().max(0.0) as u32 * grid;
    let exact = length * f64::from(whole);
    // A stretch that is all of it but for rounding is all of it, odd sizes included.
    let pixels = if exact > f64::from(whole) - 0.5 { whole } else { snap(exact).clamp(grid, whole) };
    let last = (whole - pixels) / grid * grid;
    (pixels, snap(start * f64::from(whole)).min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lies_on_the_grid_and_inside_the_picture() {
        assert_eq!(place(1.0, 0.0, 1081, 2), (1081, 0));
        assert_eq!(place(0.316_406, 0.25, 1920, 2), (608, 480));
        assert_eq!(place(0.316_406, 0.9, 1920, 2), (608, 1312));
        assert_eq!(place(0.3, 0.7, 10, 4), (4, 4));
        assert_eq!(place(0.5, 0.5, 1, 2), (1, 0));
    }

    #[test]
    fn a_window_keeps_its_size_wherever_it_is() {
        for step in 0..=1000 {
            let (pixels, start) = place(0.3164, f64::from(step) * 0.000_683_6, 1920, 2);
            assert_eq!((pixels, start % 2), (608, 0));
            assert!(start + pixels <= 1920);
        }
    }
}
