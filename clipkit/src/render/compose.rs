use crate::av::{Area, Canvas, Picture, VideoFrame};
use crate::error::Result;
use crate::model::{Crop, Half, Layout, Rect, Rgb, Speaking, Timestamp};

/// The frame around the half that speaks is this part of the output's shorter side wide.
const MARK: f64 = 1.0 / 150.0;
/// The rim of an inset, and the radius of its corners.
const RIM: f64 = 1.0 / 270.0;
const CORNER: f64 = 1.0 / 36.0;
const RIM_COLOR: Rgb = Rgb(245, 245, 245);

/// Puts a layout's windows together to a frame of the output.
pub(super) struct Composer {
    canvas: Canvas,
    /// The output's shorter side.
    side: f64,
    accent: Rgb,
}

impl Composer {
    /// Frames of `size`, in which `accent` marks who speaks.
    pub(super) fn new(size: (u32, u32), accent: Rgb) -> Self {
        Composer { canvas: Canvas::new(size), side: f64::from(size.0.min(size.1)), accent }
    }

    /// The frame of one moment. `picture` is the displayed one, upright and in the output's colours, or its `part` in fractions.
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
                let marked = match speaks(speaking, at) {
                    Some(Half::Top) => halves.first(),
                    Some(Half::Bottom) => halves.last(),
                    None => None,
                };
                if let Some((_, half)) = marked {
                    self.mark(place(*half))?;
                }
            }
            Layout::Fit { pane } => self.before_backdrop(picture, window(&pane.crop), place(pane.place))?,
            Layout::Pip { screen, inset } => {
                self.before_backdrop(picture, window(&screen.crop), place(screen.place))?;
                self.inset(picture, window(&inset.crop), place(inset.place))?;
            }
        }
        Ok(self.canvas.take())
    }

    /// Takes back a frame that is done with, for its memory.
    pub(super) fn give_back(&mut self, frame: VideoFrame) {
        self.canvas.give_back(frame);
    }

    fn before_backdrop(&mut self, picture: &Picture, window: Rect, shown: Area) -> Result<()> {
        let free = self.canvas.area().around(shown);
        self.canvas.backdrop(picture, window, shown, free)?;
        self.canvas.draw(picture, window, shown)
    }

    fn inset(&mut self, picture: &Picture, window: Rect, area: Area) -> Result<()> {
        let (rim, corner) = (self.pixels(RIM), self.pixels(CORNER));
        self.canvas.rounded(area, corner, |canvas| canvas.fill(area, RIM_COLOR))?;
        let inner = area.inside(rim);
        // The window shrinks as its area does, so that nothing is squeezed.
        let kept = |inner: u32, outer: u32| f64::from(inner) / f64::from(outer);
        let (across, down) = (kept(inner.width, area.width), kept(inner.height, area.height));
        let window = Rect::new(
            window.x + window.width * (1.0 - across) / 2.0,
            window.y + window.height * (1.0 - down) / 2.0,
            window.width * across,
            window.height * down,
        );
        self.canvas.rounded(inner, corner.saturating_sub(rim), |canvas| canvas.draw(picture, window, inner))
    }

    /// A thin frame inside an area.
    fn mark(&mut self, area: Area) -> Result<()> {
        let inner = area.inside(self.pixels(MARK));
        for side in area.around(inner) {
            self.canvas.fill(side, self.accent)?;
        }
        Ok(())
    }

    /// A part of the output's shorter side: an even number, at least 2.
    fn pixels(&self, part: f64) -> u32 {
        ((self.side * part / 2.0).round() as u32).max(1) * 2
    }
}

/// Which half speaks.
fn speaks(speaking: &[Speaking], at: Timestamp) -> Option<Half> {
    let next = speaking.partition_point(|entry| entry.from <= at);
    next.checked_sub(1).and_then(|last| speaking.get(last)).and_then(|entry| entry.half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_is_the_last_one_named() {
        let at = Timestamp::from_secs;
        let entry = |from, half| Speaking { from: at(from), half };
        let speaking = [entry(1.0, Some(Half::Top)), entry(2.0, None), entry(3.0, Some(Half::Bottom))];
        let said: Vec<_> = [0.0, 1.0, 1.9, 2.5, 3.0, 9.0].iter().map(|secs| speaks(&speaking, at(*secs))).collect();
        assert_eq!(said, [None, Some(Half::Top), Some(Half::Top), None, Some(Half::Bottom), Some(Half::Bottom)]);
    }
}
