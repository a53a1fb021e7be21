//! Progress bars.

use super::sprite::{blend_row, of_plane, premultiplied};
use crate::av::VideoFrame;
use crate::model::Rgb;

/// A bar that grows from left to right.
pub(super) struct Bar {
    /// The Y, Cb and Cr of the part that has played, and of the rest if it is drawn.
    color: [f64; 3],
    back: Option<[f64; 3]>,
    /// Columns and rows in pixels, both even.
    size: (u32, u32),
    /// A row of samples times alpha, and of alphas.
    colors: Vec<u16>,
    alphas: Vec<u8>,
}

impl Bar {
    pub(super) fn new(color: Rgb, back: Option<Rgb>, size: (u32, u32)) -> Self {
        let stored = |Rgb(red, green, blue): Rgb| {
            let [luma, cb, cr, _] = premultiplied([red, green, blue, 255]);
            [luma, cb, cr]
        };
        Bar { color: stored(color), back: back.map(stored), size, colors: Vec::new(), alphas: Vec::new() }
    }

    /// Draws the bar with its top left corner at an even pixel. `played` is the part of the clip
    /// that has played, 0 to 1. A column in which the part ends is covered in part.
    pub(super) fn blend(&mut self, frame: &mut VideoFrame, corner: (u32, u32), gain: u32, played: f64) {
        for plane in 0..3 {
            let (columns, rows) = of_plane(plane, self.size);
            let (left, top) = of_plane(plane, corner);
            self.fill_row(plane, columns, played * columns as f64);
            let stride = frame.stride(plane);
            let data = frame.data_mut(plane);
            for y in top..top + rows {
                let start = y * stride + left;
                if let Some(row) = data.get_mut(start..start + columns) {
                    blend_row(row, &self.colors, &self.alphas, gain);
                }
            }
        }
    }

    /// Makes a row of a plane in which the part that has played ends at `edge`, in samples.
    fn fill_row(&mut self, plane: usize, columns: usize, edge: f64) {
        let (color, back) = (self.color[plane], self.back.map(|back| back[plane]));
        self.colors.clear();
        self.alphas.clear();
        for x in 0..columns {
            let covered = (edge - x as f64).clamp(0.0, 1.0);
            let alpha = covered + if back.is_some() { 1.0 - covered } else { 0.0 };
            let mixed = color * covered + back.unwrap_or(0.0) * (1.0 - covered);
            let alpha = (255.0 * alpha).round();
            self.alphas.push(alpha as u8);
            self.colors.push((255.0 * mixed).round().min(255.0 * alpha) as u16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sprite::FULL_GAIN;
    use super::*;
    use crate::av::Canvas;

    fn lumas(played: f64, back: Option<Rgb>) -> Vec<u8> {
        let mut canvas = Canvas::new((24, 8));
        canvas.fill(canvas.area(), Rgb(0, 0, 0)).unwrap();
        let mut frame = canvas.take();
        Bar::new(Rgb(255, 255, 255), back, (20, 4)).blend(&mut frame, (2, 2), FULL_GAIN, played);
        assert!(frame.data(0)[..24].iter().all(|luma| *luma == 16), "above the bar");
        frame.data(0)[3 * frame.stride(0)..][..24].to_vec()
    }

    #[test]
    fn a_bar_is_as_long_as_what_has_played() {
        let at = |played| lumas(played, None).into_iter().map(|luma| f64::from(luma - 16) / 219.0).sum::<f64>();
        for played in [0.0, 0.013, 0.25, 0.5, 0.77, 1.0] {
            assert!((at(played) - 20.0 * played).abs() < 0.01, "{played}: {}", at(played));
        }
        assert_eq!(&lumas(0.25, None)[..9], [16, 16, 235, 235, 235, 235, 235, 16, 16]);
        // Half a pixel is half covered.
        let half = lumas(0.125, None)[4];
        assert!((125..=126).contains(&half), "{half}");
    }

    #[test]
    fn the_rest_has_its_own_colour() {
        let found = lumas(0.125, Some(Rgb(128, 128, 128)));
        assert_eq!((found[2], found[5], found[21], found[22], found[1]), (235, 126, 126, 16, 16));
        assert_eq!(found[4], 180);
    }
}
