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
}

impl Composer {
    /// Creates a composer for frames of `size` (columns, rows) pixels. `accent` is the colour of
    /// the active speaker's border.
    pub(super) fn new(size: (u32, u32), accent: Rgb) -> Self {
        Composer { canvas: Canvas::new(size), shorter_side: f64::from(size.0.min(size.1)), accent }
    }

    /// Composes the frame at `at`, on the clip's timeline. `picture` is upright and in the output's
    /// colours, and shows the rectangle `part` of the displayed picture (normalised coordinates).
    pub(super) fn compose(&mut self, picture: &Picture, part: Rect, layout: &Layout, at: Timestamp) -> Result<VideoFrame> {
        let whole = self.canvas.area();
        let window = |crop: &Crop| {
            let (shown, width, height) = (crop.at(at), f64::from(picture.width()), f64::from(picture.height()));
            let across = |length: f64| length / part.width * width;
            let down = |length: f64| length / part.height * height;
            Rect::new(across(shown.x - part.x), down(shown.y - part.y), across(shown.width), down(shown.height))
        };
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
            Layout::Fit { pane } => self.over_backdrop(picture, window(&pane.crop), place(pane.place))?,
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
        let free = self.canvas.area().around(shown);
        self.canvas.backdrop(picture, window, shown, free)?;
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

/// The half whose speaker is active at a moment.
fn active_half(speaking: &[Speaking], at: Timestamp) -> Option<Half> {
    let next = speaking.partition_point(|entry| entry.from <= at);
    next.checked_sub(1).and_then(|last| speaking.get(last)).and_then(|entry| entry.half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_active_half_is_that_of_the_last_entry() {
        let at = Timestamp::from_secs;
        let entry = |from, half| Speaking { from: at(from), half };
        let speaking = [entry(1.0, Some(Half::Top)), entry(2.0, None), entry(3.0, Some(Half::Bottom))];
        let found: Vec<_> = [0.0, 1.0, 1.9, 2.5, 3.0, 9.0].iter().map(|secs| active_half(&speaking, at(*secs))).collect();
        assert_eq!(found, [None, Some(Half::Top), Some(Half::Top), None, Some(Half::Bottom), Some(Half::Bottom)]);
    }
}
