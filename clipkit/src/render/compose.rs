use crate::av::{Area, Canvas, Picture, VideoFrame};
use crate::error::Result;
use crate::model::{Crop, Half, Layout, Rect, Rgb, Speaking, Timestamp};

/// The width of the border around the active speaker's half, as a fraction of the output's shorter
/// side.
const SPEAKER_BORDER: f64 = 1.0 / 150.0;
/// The width of an inset's border and the radius of its corners, as fractions of the output's
/// shorter side.
const INSET_BORDER: f64 = 1.0 / 270.0;
const INSET_RADIUS: f64 = 1.0 / 36.0;
const INSET_BORDER_COLOR: Rgb = Rgb(245, 245, 245);

/// Composes output frames from the windows of a layout.
pub(super) struct Composer {
    canvas: Canvas,
    /// The output's shorter side in pixels.
    shorter_side: f64,
    accent: Rgb,
    /// What is around a window that does not fill the output; `None` is a blurred copy of it.
    background: Option<Rgb>,
}

impl Composer {
    /// Creates a composer for frames of `size` (columns, rows) pixels. `accent` is the colour of
    /// the active speaker's border.
    pub(super) fn new(size: (u32, u32), accent: Rgb) -> Self {
        Composer { canvas: Canvas::new(size), shorter_side: f64::from(size.0.min(size.1)), accent, background: None }
    }

    /// The same with a colour instead of blurred copies.
    pub(super) fn with_background(self, background: Option<Rgb>) -> Self {
        Composer { background, ..self }
    }

    /// Composes the frame at `at`, on the clip's timeline. `picture` is upright and in the output's
    /// colours, and shows the rectangle `part` of the displayed picture (normalised coordinates).
    /// A window that leaves the picture, which is of another shape than the plan was made for, is
    /// moved and shrunk until it lies inside; a fitted picture is shown whole.
    pub(super) fn compose(&mut self, picture: &Picture, part: Rect, layout: &Layout, at: Timestamp) -> Result<VideoFrame> {
        let whole = self.canvas.area();
        let size = (f64::from(picture.width()), f64::from(picture.height()));
        let planned = |crop: &Crop| {
            let shown = crop.at(at);
            let across = |length: f64| length / part.width * size.0;
            let down = |length: f64| length / part.height * size.1;
            Rect::new(across(shown.x - part.x), down(shown.y - part.y), across(shown.width), down(shown.height))
        };
        let window = |crop: &Crop| moved_inside(planned(crop), size);
        let place = |rect: Rect| Area::of(rect, (whole.width, whole.height));
        match layout {
            Layout::Fill { crop } => self.canvas.draw(picture, window(crop), whole)?,
            Layout::Split { speaking, .. } => {
                let halves = layout.panes();
                for (crop, half) in &halves {
                    self.canvas.draw(picture, window(crop), place(*half))?;
                }
                let marked = match active_half(speaking, at) {
                    Some(Half::Top) => halves.first(),
                    Some(Half::Bottom) => halves.last(),
                    None => None,
                };
                if let Some((_, half)) = marked {
                    self.draw_border(place(*half))?;
                }
            }
            Layout::Fit { pane } => match planned(&pane.crop) {
                asked if leaves(asked, size) => {
                    let canvas = (f64::from(whole.width), f64::from(whole.height));
                    self.over_backdrop(picture, Rect::new(0.0, 0.0, size.0, size.1), place(fitted(size, canvas)))?;
                }
                asked => self.over_backdrop(picture, asked, place(pane.place))?,
            },
            Layout::Pip { screen, inset } => {
                self.over_backdrop(picture, window(&screen.crop), place(screen.place))?;
                self.inset(picture, window(&inset.crop), place(inset.place))?;
            }
        }
        Ok(self.canvas.take())
    }

    /// Returns a frame to the canvas, so that its memory is reused.
    pub(super) fn recycle(&mut self, frame: VideoFrame) {
        self.canvas.recycle(frame);
    }

    fn over_backdrop(&mut self, picture: &Picture, window: Rect, shown: Area) -> Result<()> {
        let mut free = self.canvas.area().around(shown);
        match self.background {
            Some(color) => free.try_for_each(|area| self.canvas.fill(area, color))?,
            None => self.canvas.backdrop(picture, window, shown, free)?,
        }
        self.canvas.draw(picture, window, shown)
    }

    fn inset(&mut self, picture: &Picture, window: Rect, area: Area) -> Result<()> {
        let (border, radius) = (self.pixels(INSET_BORDER), self.pixels(INSET_RADIUS));
        self.canvas.rounded(area, radius, |canvas| canvas.fill(area, INSET_BORDER_COLOR))?;
        let inner = area.inset(border);
        // The window shrinks with its area, so that the aspect stays the same.
        let kept = |inner: u32, outer: u32| f64::from(inner) / f64::from(outer);
        let (across, down) = (kept(inner.width, area.width), kept(inner.height, area.height));
        let window = Rect::new(
            window.x + window.width * (1.0 - across) / 2.0,
            window.y + window.height * (1.0 - down) / 2.0,
            window.width * across,
            window.height * down,
        );
        self.canvas.rounded(inner, radius.saturating_sub(border), |canvas| canvas.draw(picture, window, inner))
    }

    /// Draws a thin border inside an area.
    fn draw_border(&mut self, area: Area) -> Result<()> {
        let inner = area.inset(self.pixels(SPEAKER_BORDER));
        for side in area.around(inner) {
            self.canvas.fill(side, self.accent)?;
        }
        Ok(())
    }

    /// Converts a fraction of the output's shorter side to an even number of pixels, at least 2.
    fn pixels(&self, part: f64) -> u32 {
        ((self.shorter_side * part / 2.0).round() as u32).max(1) * 2
    }
}

/// Whether a window, in pixels, lies outside a picture of this size by more than rounding.
fn leaves(window: Rect, size: (f64, f64)) -> bool {
    const ROUNDING: f64 = 1.0;
    let outside = |start: f64, length: f64, whole: f64| start < -ROUNDING || start + length > whole + ROUNDING;
    outside(window.x, window.width, size.0) || outside(window.y, window.height, size.1)
}

/// The window itself if it lies inside the picture, else the nearest one of the same aspect that
/// does. All numbers are in pixels.
fn moved_inside(window: Rect, size: (f64, f64)) -> Rect {
    if !leaves(window, size) {
        return window;
    }
    let scale = (size.0 / window.width).min(size.1 / window.height).min(1.0);
    let (width, height) = (window.width * scale, window.height * scale);
    let (x, y) = window.center();
    let start = |center: f64, length: f64, whole: f64| (center - length / 2.0).clamp(0.0, (whole - length).max(0.0));
    Rect::new(start(x, width, size.0), start(y, height, size.1), width, height)
}

/// The largest place for a picture of this size in the middle of a canvas, in fractions of it.
fn fitted(size: (f64, f64), canvas: (f64, f64)) -> Rect {
    let scale = (canvas.0 / size.0).min(canvas.1 / size.1);
    let (width, height) = (size.0 * scale / canvas.0, size.1 * scale / canvas.1);
    Rect::new((1.0 - width) / 2.0, (1.0 - height) / 2.0, width, height)
}

/// The half whose speaker is active at a moment.
fn active_half(speaking: &[Speaking], at: Timestamp) -> Option<Half> {
    let next = speaking.partition_point(|entry| entry.from <= at);
    next.checked_sub(1).and_then(|last| speaking.get(last)).and_then(|entry| entry.half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_leave_a_picture_of_another_shape_are_moved_into_it() {
        let inside = Rect::new(10.0, 20.0, 90.0, 160.0);
        assert_eq!(moved_inside(inside, (200.0, 300.0)), inside);
        // A window of a wide picture on a high one in its middle, and one that is larger than it.
        assert_eq!(moved_inside(Rect::new(-300.0, 0.0, 90.0, 160.0), (200.0, 300.0)), Rect::new(0.0, 0.0, 90.0, 160.0));
        let large = moved_inside(Rect::new(0.0, -600.0, 900.0, 1600.0), (900.0, 400.0));
        assert_eq!(large, Rect::new(337.5, 0.0, 225.0, 400.0));
        assert_eq!(fitted((90.0, 160.0), (1080.0, 1920.0)), Rect::FULL);
        assert_eq!(fitted((160.0, 90.0), (90.0, 160.0)), Rect::new(0.0, (1.0 - 0.316_406_25) / 2.0, 1.0, 0.316_406_25));
    }

    proptest::proptest! {
        #[test]
        fn a_moved_window_is_inside_and_keeps_its_aspect(
            x in -5000.0..5000.0f64, y in -5000.0..5000.0f64, width in 1.0..5000.0f64, height in 1.0..5000.0f64,
            columns in 2.0..5000.0f64, rows in 2.0..5000.0f64,
        ) {
            let moved = moved_inside(Rect::new(x, y, width, height), (columns, rows));
            proptest::prop_assert!(!leaves(moved, (columns, rows)), "{:?}", moved);
            proptest::prop_assert!((moved.width / moved.height / (width / height) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_active_half_is_that_of_the_last_entry() {
        let at = Timestamp::from_secs;
        let entry = |from, half| Speaking { from: at(from), half };
        let speaking = [entry(1.0, Some(Half::Top)), entry(2.0, None), entry(3.0, Some(Half::Bottom))];
        let found: Vec<_> = [0.0, 1.0, 1.9, 2.5, 3.0, 9.0].iter().map(|secs| active_half(&speaking, at(*secs))).collect();
        assert_eq!(found, [None, Some(Half::Top), Some(Half::Top), None, Some(Half::Bottom), Some(Half::Bottom)]);
    }
}
