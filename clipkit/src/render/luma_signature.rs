use crate::av::VideoFrame;

/// Columns and rows of a [`LumaSignature`].
const COLUMNS: usize = 6;
const ROWS: usize = 8;
/// About this many rows of each cell are read, enough for a mean.
const ROWS_READ: usize = 24;
/// Luma levels are stored in units of 1/256.
const UNIT: f32 = 256.0;
/// The highest luma level that counts as black; limited range black is 16.
const BLACK: f32 = 18.0;

/// The mean luma of a frame in 6 x 8 cells, for comparing two versions of a frame. A minute at 30
/// frames per second takes 170 kB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LumaSignature([u16; COLUMNS * ROWS]);

impl LumaSignature {
    /// Computes the signature of a frame whose first plane is 8-bit luma.
    pub(super) fn of(frame: &VideoFrame) -> Self {
        LumaSignature::of_plane(frame.data(0), frame.stride(0), frame.width() as usize, frame.height() as usize)
    }

    fn of_plane(plane: &[u8], stride: usize, width: usize, height: usize) -> Self {
        let mut cells = [0; COLUMNS * ROWS];
        for (n, cell) in cells.iter_mut().enumerate() {
            let (column, row) = (n % COLUMNS, n / COLUMNS);
            let (left, right) = (column * width / COLUMNS, (column + 1) * width / COLUMNS);
            let (top, bottom) = (row * height / ROWS, (row + 1) * height / ROWS);
            let (mut sum, mut count) = (0u64, 0u64);
            for y in (top..bottom).step_by(((bottom - top) / ROWS_READ).max(1)) {
                let line = plane.get(y * stride + left..y * stride + right).unwrap_or_default();
                sum += u64::from(line.iter().map(|&value| u32::from(value)).sum::<u32>());
                count += line.len() as u64;
            }
            *cell = (sum * UNIT as u64 / count.max(1)) as u16;
        }
        LumaSignature(cells)
    }

    /// The greatest difference of any cell, in luma levels.
    pub(super) fn max_difference(&self, other: &LumaSignature) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a.abs_diff(*b)).max().map_or(0.0, f32::from) / UNIT
    }

    /// The mean absolute difference of all cells, in luma levels.
    pub(super) fn mean_difference(&self, other: &LumaSignature) -> f32 {
        let sum: u32 = self.0.iter().zip(&other.0).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        sum as f32 / UNIT / self.0.len() as f32
    }

    /// Returns whether all cells are black.
    pub(super) fn is_black(&self) -> bool {
        self.0.iter().all(|&cell| f32::from(cell) / UNIT <= BLACK)
    }
}

#[cfg(test)]
impl LumaSignature {
    /// Builds a signature from one luma level per cell.
    pub(super) fn from_cells(cell: impl Fn(usize) -> f32) -> Self {
        LumaSignature(std::array::from_fn(|n| (cell(n) * UNIT) as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_the_mean_of_its_part() {
        // A horizontal ramp in a padded plane.
        let (width, height, stride) = (120, 64, 128);
        let plane: Vec<u8> = (0..stride * height).map(|n| if n % stride < width { (n % stride) as u8 } else { 255 }).collect();
        let seen = LumaSignature::of_plane(&plane, stride, width, height);
        assert_eq!(seen, LumaSignature::from_cells(|n| (n % COLUMNS) as f32 * 20.0 + 9.5));
        assert!(!seen.is_black() && LumaSignature::from_cells(|_| 16.0).is_black());
        let brighter = LumaSignature::from_cells(|n| (n % COLUMNS) as f32 * 20.0 + if n == 7 { 12.5 } else { 9.5 });
        assert_eq!(seen.max_difference(&brighter), 3.0);
        assert!((seen.mean_difference(&brighter) - 3.0 / 48.0).abs() < 1e-3);
    }

    #[test]
    fn a_plane_that_is_too_short_is_black_not_a_panic() {
        assert!(LumaSignature::of_plane(&[200; 10], 128, 120, 64).is_black());
        assert!(LumaSignature::of_plane(&[], 0, 0, 0).is_black());
    }
}
