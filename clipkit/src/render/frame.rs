use super::chain;
use super::compose::Composer;
use super::ffmpeg::Files;
use super::frame_rate::Shown;
use super::overlay::Overlays;
use super::text;
use crate::av::{self, Filter, Picture, PictureFormat, VideoFrame, VideoGraph, displayed_rect, frame_time_base, placed, stored_rect};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{CaptionStyle, ClipPlan, Crop, Layout, Media, Rect, Rgb, Scene, VideoStream, Zoom};

/// The margin in source pixels around the visible part of a scene, so that colour conversion at its
/// edges uses the pixels beyond.
const MARGIN: f64 = 8.0;
/// What is behind the transparent parts of a bumper's picture if the plan names no colour.
pub(super) const BLACK: Rgb = Rgb(0, 0, 0);

/// Renders source frames as the plan says: crop, rotate, tone map, scale, arrange, cover by
/// overlays, caption.
///
/// A frame whose shape is not the stream's is scaled by its own size: the plan's windows are moved
/// into it ([`Composer::compose`]).
///
/// The [`Composer`] reads windows from decoded frames with subpixel positions. Frames that are not
/// upright or not in the output's colours are converted first, restricted to the part that the
/// scene shows.
pub(super) struct FrameRenderer {
    scenes: Vec<Scene>,
    zooms: Vec<Zoom>,
    video: VideoStream,
    /// Whether the source is upright and in the output's colours.
    plain: bool,
    upright: FilterChain,
    /// Filters for frames with transparency, and the colour behind them. `None` shows them as if
    /// they had none.
    transparent: Option<(FilterChain, Rgb)>,
    composer: Composer,
    overlays: Overlays,
    captions: Option<FilterChain>,
}

impl FrameRenderer {
    pub(super) fn new(cx: &Context, plan: &ClipPlan, media: &Media, files: &Files, threads: usize) -> Result<Self> {
        let video = media.require_video()?;
        let base = frame_time_base(plan.output.frame_rate)?;
        let chain = |filters| FilterChain { filters, base, threads, graph: None };
        let accent = plan.captions.as_ref().map_or(CaptionStyle::karaoke().highlight, |track| track.style.highlight);
        let captions = match text::document(cx, plan)? {
            Some(text) => {
                std::fs::write(&files.captions, text).map_err(|error| Error::io(&files.captions, "write the captions", error))?;
                let fonts = text::folder_of_fonts(plan, &files.captions)?;
                Some(chain(chain::captions(&files.captions, fonts.as_deref())))
            }
            None => None,
        };
        Ok(FrameRenderer {
            scenes: plan.scenes.clone(),
            zooms: plan.zooms.clone(),
            video: video.clone(),
            plain: chain::is_plain(video),
            upright: chain(chain::upright(cx, video)),
            transparent: None,
            composer: Composer::new((plan.output.width, plan.output.height), accent),
            overlays: Overlays::new(cx, plan)?,
            captions,
        })
    }

    /// The same for a bumper: with a colour around windows that do not fill the output, `None`
    /// being a blurred copy, and behind what is transparent, `None` being black.
    pub(super) fn over(mut self, cx: &Context, background: Option<Rgb>) -> Self {
        let FilterChain { base, threads, .. } = self.upright;
        let filters = chain::upright_with_alpha(cx, &self.video);
        self.transparent = Some((FilterChain { filters, base, threads, graph: None }, background.unwrap_or(BLACK)));
        self.composer = self.composer.with_background(background);
        self
    }

    /// Renders the clip's frame `n` from a source frame.
    pub(super) fn apply(&mut self, shown: &Shown<'_>, n: u64) -> Result<VideoFrame> {
        // Crop paths follow the source frame's own time, not the clip's clock, so that a window
        // changes together with its frame.
        let &Shown { picture: source, at } = shown;
        let scene = self.scenes.partition_point(|scene| scene.span.start() <= at).saturating_sub(1);
        let whole = Layout::Fill { crop: Crop::still(Rect::FULL) };
        let planned = self.scenes.get(scene).map_or(&whole, |scene| &scene.layout);
        let punched_in = Zoom::punched_in(&self.zooms, planned, at);
        let layout = punched_in.as_ref().unwrap_or(planned);
        let (orientation, whole) = (self.video.orientation, placed(&self.video, source));
        let mut frame = if self.plain && source.is_planar() {
            self.composer.compose(source, whole, layout, at)?
        } else {
            let (stored, part) = if whole == Rect::FULL {
                crop_with_margin(source, stored_rect(extent(planned), orientation))?
            } else {
                // The windows of a frame of another shape depend on its own size.
                (source.window(0, 0, source.width(), source.height())?, whole)
            };
            let upright = match &mut self.transparent {
                Some((upright, behind)) if stored.has_alpha() => av::flatten(&upright.apply(stored, n)?, *behind)?,
                _ => self.upright.apply(stored, n)?,
            };
            let upright = Picture::new(source.at(), upright);
            self.composer.compose(&upright, displayed_rect(part, orientation), layout, at)?
        };
        self.overlays.draw(&mut frame, n);
        frame.set_pts(Some(n as i64));
        match &mut self.captions {
            Some(captions) => captions.apply(Picture::new(source.at(), frame), n).map_err(captions_failure),
            None => Ok(frame),
        }
    }

    /// Whether an image lies over the clip's frame `n`.
    pub(super) fn is_covered(&self, n: u64) -> bool {
        self.overlays.have_image(n)
    }

    /// Returns a frame to the composer, so that its memory is reused.
    pub(super) fn recycle(&mut self, frame: VideoFrame) {
        self.composer.recycle(frame);
    }
}

/// Converts an error of the captions' filter graph, which holds nothing but the text library. A
/// cancelled call and a full disk are not about captions and stay as they are.
fn captions_failure(error: Error) -> Error {
    if matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Io) {
        return error;
    }
    let failure = Error::new(ErrorKind::Captions, format!("the caption filter failed: {}", error.message()));
    failure
        .with_advice(error.advice().unwrap_or("install a build of FFmpeg with libass, or make the clip without captions"))
        .with_source(error)
}

/// A filter graph that is built for the first picture, and rebuilt when the picture format changes.
struct FilterChain {
    filters: Vec<Filter>,
    base: (i32, i32),
    threads: usize,
    graph: Option<(PictureFormat, VideoGraph)>,
}

impl FilterChain {
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

/// The bounding box of all windows of a layout over its whole duration, in normalised coordinates
/// of the displayed picture.
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

/// Returns the part of a stored picture that contains `rect` and a margin, and its rectangle in
/// normalised coordinates.
fn crop_with_margin(picture: &Picture, rect: Rect) -> Result<(Picture, Rect)> {
    let (grid_x, grid_y) = picture.grid();
    let (x, width) = align_with_margin(rect.x, rect.width, picture.width(), grid_x);
    let (y, height) = align_with_margin(rect.y, rect.height, picture.height(), grid_y);
    let share = |pixels: u32, of: u32| f64::from(pixels) / f64::from(of);
    let (wide, high) = (picture.width(), picture.height());
    let part = Rect::new(share(x, wide), share(y, high), share(width, wide), share(height, high));
    Ok((picture.window(x, y, width, height)?, part))
}

/// The start and length in pixels, aligned to a grid, of an interval in fractions of `whole`
/// pixels, plus a margin.
fn align_with_margin(start: f64, length: f64, whole: u32, grid: u32) -> (u32, u32) {
    let (grid, size) = (grid.max(1), f64::from(whole));
    let from = ((start * size - MARGIN).max(0.0) / f64::from(grid)).floor() as u32 * grid;
    let to = ((((start + length) * size + MARGIN) / f64::from(grid)).ceil() as u32).saturating_mul(grid).min(whole);
    let from = from.min(whole.saturating_sub(1) / grid * grid);
    (from, to.max(from + 1) - from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::av::Canvas;
    use crate::model::{Rgb, Timestamp};

    #[test]
    fn an_interval_with_margin_is_aligned_to_the_grid() {
        assert_eq!(align_with_margin(0.0, 1.0, 1081, 2), (0, 1081));
        assert_eq!(align_with_margin(0.25, 0.5, 1000, 2), (242, 516));
        assert_eq!(align_with_margin(0.251, 0.4999, 1000, 4), (240, 520));
        assert_eq!(align_with_margin(0.9, 0.1, 100, 2), (82, 18));
        assert_eq!(align_with_margin(0.0, 1.0, 1, 2), (0, 1));
    }

    #[test]
    fn the_extent_contains_every_window() {
        let key = |at, x, y| crate::model::CropKey { at: Timestamp::from_secs(at), x, y };
        let moving = Crop { width: 0.25, height: 0.5, path: vec![key(0.0, 0.25, 0.0), key(1.0, 0.5, 0.25)] };
        let still = Crop { width: 0.125, height: 0.125, path: vec![key(0.0, 0.125, 0.75)] };
        assert_eq!(
            extent(&Layout::Split { top: moving.clone(), bottom: still.clone(), speaking: Vec::new() }),
            Rect::new(0.125, 0.0, 0.625, 0.875)
        );
    }

    #[test]
    fn captions_that_the_text_library_refuses_are_an_error_of_their_own_kind() {
        let folder = tempfile::tempdir().unwrap();
        let mut canvas = Canvas::new((64, 64));
        canvas.fill(canvas.area(), Rgb(0, 0, 0)).unwrap();
        let frame = Picture::new(Timestamp::ZERO, canvas.take());
        let unreadable = chain::captions(&folder.path().join("none.ass"), None);
        let missing = vec![Filter::new("no_such_text_library")];
        for (filters, reason) in [(unreadable, "set up the filter ass"), (missing, "no_such_text_library")] {
            let mut chain = FilterChain { filters, base: (1, 30), threads: 1, graph: None };
            let picture = frame.window(0, 0, 64, 64).unwrap();
            let Err(error) = chain.apply(picture, 0).map_err(captions_failure) else { panic!("{reason}: captions are drawn") };
            assert_eq!(error.kind(), ErrorKind::Captions, "{error}");
            assert!(error.to_string().contains(reason) && error.advice().is_some(), "{error}");
        }
        assert!(captions_failure(Error::cancelled()).is_cancelled());
    }
}
