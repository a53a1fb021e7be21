//! The camera's motion: the shift between two small pictures, and from it coordinates in the scene.

use super::pixels::luma;
use crate::av::RgbImage;
use crate::model::{Rect, Timestamp};

/// The search radius around the expected shift, in pixels of the small picture: a tenth of the
/// width of a picture that is 80 pixels wide.
const SEARCH_RADIUS: isize = 8;
/// Differences of a pixel are limited to this, in levels of 255. Larger ones come from moving
/// people.
const OUTLIER: f32 = 24.0;
/// The camera is static if the mean difference of the pictures is below this, in levels.
const STATIC: f32 = 0.25;
/// The picture is divided into so many columns and rows of blocks.
const BLOCKS: (usize, usize) = (8, 5);
/// A block has enough structure to show a shift if neighbouring pixels differ by this much on
/// average, in levels.
const STRUCTURE: f32 = 1.0;
/// The shift explains a block if at most this share of the block's difference remains after it.
const MAX_REMAINDER: f32 = 0.7;
/// The camera moved if the shift explains at least this share of the blocks with structure ...
const MIN_EXPLAINED: f32 = 0.6;
/// ... and these blocks are in at least this many columns and in half of the rows. A person who
/// moves in front of a plain wall fails this.
const MIN_COLUMNS: usize = 5;
/// Shorter shifts are noise, in pixels.
const MIN_SHIFT: f32 = 0.05;

/// The luma plane of a small picture, 0 to 255.
pub(super) struct LumaImage {
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) values: Vec<f32>,
}

impl LumaImage {
    pub(super) fn of(image: &RgbImage) -> Self {
        let values = image.pixels.chunks_exact(3).map(|pixel| luma([pixel[0], pixel[1], pixel[2]])).collect();
        LumaImage { columns: image.columns(), rows: image.rows(), values }
    }

    pub(super) fn same_size(&self, other: &LumaImage) -> bool {
        (self.columns, self.rows) == (other.columns, other.rows) && self.values.len() == other.values.len()
    }

    /// The value of a pixel. Outside of the picture, the nearest pixel inside.
    pub(super) fn at(&self, x: isize, y: isize) -> f32 {
        let inside = |value: isize, length: usize| value.clamp(0, length as isize - 1) as usize;
        self.values.get(inside(y, self.rows) * self.columns + inside(x, self.columns)).copied().unwrap_or(0.0)
    }

    /// Bilinear interpolation at a position between pixels.
    pub(super) fn interpolated(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = (x - left, y - top);
        let (left, top) = (left as isize, top as isize);
        let upper = self.at(left, top) * (1.0 - across) + self.at(left + 1, top) * across;
        let lower = self.at(left, top + 1) * (1.0 - across) + self.at(left + 1, top + 1) * across;
        upper * (1.0 - down) + lower * down
    }

    pub(super) fn mean(&self) -> f32 {
        self.values.iter().sum::<f32>() / self.values.len().max(1) as f32
    }
}

/// A translation in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shift {
    pub(super) x: f32,
    pub(super) y: f32,
}

/// Estimates how far the scene moved in the picture from `before` to `after`. No shift if the
/// blocks do not agree on one. The search starts at `expected`, the previous shift.
pub(super) fn estimate_shift(before: &LumaImage, after: &LumaImage, expected: Shift) -> Shift {
    if !before.same_size(after) || after.columns < 2 * BLOCKS.0 || after.rows < 2 * BLOCKS.1 {
        return Shift::default();
    }
    // Removes a change of brightness.
    let light = after.mean() - before.mean();
    if mean_difference(before, after, (0, 0), light, f32::INFINITY) < STATIC {
        return Shift::default();
    }
    let mut best = (f32::INFINITY, (0, 0));
    let (start_x, start_y) = (expected.x.round() as isize, expected.y.round() as isize);
    // At least a third of the picture must overlap, or the match means nothing.
    let (most_x, most_y) = (2 * after.columns as isize / 3, 2 * after.rows as isize / 3);
    for dy in (start_y - SEARCH_RADIUS).max(-most_y)..=(start_y + SEARCH_RADIUS).min(most_y) {
        for dx in (start_x - SEARCH_RADIUS).max(-most_x)..=(start_x + SEARCH_RADIUS).min(most_x) {
            let found = mean_difference(before, after, (dx, dy), light, best.0);
            if found < best.0 {
                best = (found, (dx, dy));
            }
        }
    }
    let (dx, dy) = best.1;
    let refined = refine(before, after, Shift { x: dx as f32, y: dy as f32 }, light);
    if refined.x.hypot(refined.y) >= MIN_SHIFT && explains_picture(before, after, refined, light) { refined } else { Shift::default() }
}

/// The mean difference over the overlap of both pictures if `before` is moved by whole pixels. It
/// stops early, with an inexact result, once it exceeds `enough`.
fn mean_difference(before: &LumaImage, after: &LumaImage, (dx, dy): (isize, isize), light: f32, limit: f32) -> f32 {
    let range = |length: usize, by: isize| (by.max(0) as usize)..((length as isize + by.min(0)).max(0) as usize);
    let (columns, rows) = (range(after.columns, dx), range(after.rows, dy));
    let count = (columns.len() * rows.len()).max(1) as f32;
    let mut sum = 0.0;
    for y in rows {
        let (to, from) = (y * after.columns, (y as isize - dy) as usize * after.columns);
        let (Some(to), Some(from)) = (
            after.values.get(to + columns.start..to + columns.end),
            before.values.get((from as isize + columns.start as isize - dx) as usize..(from as isize + columns.end as isize - dx) as usize),
        ) else {
            return f32::INFINITY;
        };
        sum += to.iter().zip(from).map(|(to, from)| (to - from - light).abs().min(OUTLIER)).sum::<f32>();
        if sum > limit * count {
            break;
        }
    }
    sum / count
}

/// Refines a shift to fractions of a pixel, by least squares over the pixels whose difference a
/// small shift can explain (Lucas and Kanade 1981).
fn refine(before: &LumaImage, after: &LumaImage, start: Shift, light: f32) -> Shift {
    let mut shift = start;
    for _ in 0..3 {
        let (mut xx, mut xy, mut yy, mut xr, mut yr) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for y in 1..after.rows as isize - 1 {
            for x in 1..after.columns as isize - 1 {
                let (from_x, from_y) = (x as f32 - shift.x, y as f32 - shift.y);
                let inside = from_x >= 0.0 && from_y >= 0.0 && from_x <= before.columns as f32 - 1.0 && from_y <= before.rows as f32 - 1.0;
                let rest = after.at(x, y) - before.interpolated(from_x, from_y) - light;
                if !inside || rest.abs() > OUTLIER {
                    continue;
                }
                let across = (after.at(x + 1, y) - after.at(x - 1, y)) / 2.0;
                let down = (after.at(x, y + 1) - after.at(x, y - 1)) / 2.0;
                xx += across * across;
                xy += across * down;
                yy += down * down;
                xr += across * rest;
                yr += down * rest;
            }
        }
        let area = xx * yy - xy * xy;
        if area <= 1e-3 * (xx * yy).max(1.0) {
            break;
        }
        let (x, y) = ((yy * xr - xy * yr) / area, (xx * yr - xy * xr) / area);
        // The scene moves against the brightness gradient.
        shift = Shift { x: shift.x - x.clamp(-0.5, 0.5), y: shift.y - y.clamp(-0.5, 0.5) };
    }
    // The refinement diverged if it left the pixel where the search ended.
    let near = (shift.x - start.x).abs() <= 1.0 && (shift.y - start.y).abs() <= 1.0;
    if near { shift } else { start }
}

/// Whether the shift explains the whole picture, and not only an object in it.
fn explains_picture(before: &LumaImage, after: &LumaImage, shift: Shift, light: f32) -> bool {
    let (mut structured, mut explained) = (0, 0);
    let (mut columns, mut rows) = ([false; BLOCKS.0], [false; BLOCKS.1]);
    for (block_y, row) in rows.iter_mut().enumerate() {
        for (block_x, column) in columns.iter_mut().enumerate() {
            let range = |block: usize, of: usize, length: usize| (block * length / of) as isize..((block + 1) * length / of) as isize;
            let (mut still, mut moved, mut slope, mut count) = (0.0, 0.0, 0.0, 0);
            for y in range(block_y, BLOCKS.1, after.rows) {
                for x in range(block_x, BLOCKS.0, after.columns) {
                    let (from_x, from_y) = (x as f32 - shift.x, y as f32 - shift.y);
                    if from_x < 0.0 || from_y < 0.0 || from_x > before.columns as f32 - 1.0 || from_y > before.rows as f32 - 1.0 {
                        continue;
                    }
                    let value = after.at(x, y);
                    still += (value - before.at(x, y) - light).abs();
                    moved += (value - before.interpolated(from_x, from_y) - light).abs();
                    slope += (after.at(x + 1, y) - value).abs() + (after.at(x, y + 1) - value).abs();
                    count += 1;
                }
            }
            if slope >= 2.0 * STRUCTURE * count as f32 && count > 0 {
                structured += 1;
                if moved <= MAX_REMAINDER * still {
                    explained += 1;
                    (*row, *column) = (true, true);
                }
            }
        }
    }
    let seen = |lines: &[bool]| lines.iter().filter(|&&seen| seen).count();
    explained as f32 >= MIN_EXPLAINED * structured as f32 && seen(&columns) >= MIN_COLUMNS && 2 * seen(&rows) >= BLOCKS.1
}

/// The position of the scene in the picture over time, in fractions of the picture's width and
/// height. Positions are comparable only within one shot.
#[derive(Debug, Default)]
pub(super) struct CameraPath {
    /// In order of time.
    points: Vec<(Timestamp, f64, f64)>,
}

impl CameraPath {
    /// Adds the scene's shift until `at`, in pixels of a picture of `columns` x `rows`.
    pub(super) fn push(&mut self, at: Timestamp, shift: Shift, (columns, rows): (usize, usize)) {
        let (x, y) = self.points.last().map_or((0.0, 0.0), |&(_, x, y)| (x, y));
        self.points.push((at, x + f64::from(shift.x) / columns.max(1) as f64, y + f64::from(shift.y) / rows.max(1) as f64));
    }

    /// The total shift of the scene until `at`, in fractions of the picture.
    pub(super) fn offset(&self, at: Timestamp) -> (f64, f64) {
        let next = self.points.partition_point(|point| point.0 <= at);
        let before = next.checked_sub(1).and_then(|n| self.points.get(n));
        match (before, self.points.get(next)) {
            (Some(&(from, x, y)), Some(&(to, to_x, to_y))) => {
                let share = at.since(from).secs() / to.since(from).secs().max(1e-6);
                (x + (to_x - x) * share, y + (to_y - y) * share)
            }
            (Some(&(_, x, y)), None) | (None, Some(&(_, x, y))) => (x, y),
            (None, None) => (0.0, 0.0),
        }
    }

    /// Converts a box of the picture at `at` to scene coordinates.
    pub(super) fn to_scene(&self, rect: Rect, at: Timestamp) -> Rect {
        let (x, y) = self.offset(at);
        Rect { x: rect.x - x, y: rect.y - y, ..rect }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A picture with smooth structure everywhere, moved by `(x, y)` pixels, and 30 levels brighter
    /// per unit of `light`.
    pub(super) fn scene(x: f32, y: f32, light: f32) -> LumaImage {
        let value = |px: usize, py: usize| {
            let (px, py) = (px as f32 - x, py as f32 - y);
            100.0 + 30.0 * light + 40.0 * (px * 0.31).sin() * (py * 0.27 + 1.0).cos() + 25.0 * (px * 0.13 + py * 0.17).sin()
        };
        LumaImage { columns: 80, rows: 45, values: (0..45).flat_map(|py| (0..80).map(move |px| value(px, py))).collect() }
    }

    #[test]
    fn a_person_in_front_of_a_plain_wall_is_not_camera_motion() {
        let at = |left: usize| {
            let value = |x: usize, y: usize| {
                let inside = (left..left + 20).contains(&x) && y > 15;
                if inside { scene(left as f32, 0.0, 0.0).values[y * 80 + x] } else { 60.0 }
            };
            LumaImage { columns: 80, rows: 45, values: (0..45).flat_map(|y| (0..80).map(move |x| value(x, y))).collect() }
        };
        assert_eq!(estimate_shift(&at(20), &at(23), Shift::default()), Shift::default());
    }

    #[test]
    fn camera_motion_is_found_behind_a_person() {
        let with_person = |mut picture: LumaImage, left: usize| {
            for y in 15..45 {
                picture.values[y * 80 + left..y * 80 + left + 18].fill(200.0);
            }
            picture
        };
        let found = estimate_shift(&with_person(scene(0.0, 0.0, 0.0), 30), &with_person(scene(4.0, 0.0, 0.0), 30), Shift::default());
        assert!((found.x - 4.0).abs() < 0.4 && found.y.abs() < 0.4, "{found:?}");
    }

    #[test]
    fn a_path_is_interpolated() {
        let mut path = CameraPath::default();
        path.push(Timestamp::ZERO, Shift::default(), (80, 45));
        path.push(Timestamp::from_secs(1.0), Shift { x: 8.0, y: -9.0 }, (80, 45));
        let (x, y) = path.offset(Timestamp::from_secs(0.5));
        assert!((x - 0.05).abs() < 1e-9 && (y + 0.1).abs() < 1e-9);
        assert_eq!(CameraPath::default().offset(Timestamp::ZERO), (0.0, 0.0));
    }

    proptest! {
        #[test]
        fn a_shift_is_found_to_a_fraction_of_a_pixel(x in -7.5..7.5_f32, y in -5.0..5.0_f32, light in -0.5..0.5_f32) {
            let found = estimate_shift(&scene(0.0, 0.0, 0.0), &scene(x, y, light), Shift::default());
            // A shift below this may count as static.
            prop_assume!(x.hypot(y) > 0.3);
            prop_assert!((found.x - x).abs() < 0.25 && (found.y - y).abs() < 0.25, "{found:?} is not {x}, {y}");
        }

        #[test]
        fn any_picture_is_accepted(columns in 0..40_usize, rows in 0..40_usize, x in -90.0..90.0_f32, seed in 0..255_u8) {
            let picture = |seed: u8| LumaImage {
                columns,
                rows,
                values: (0..columns * rows).map(|n| f32::from((n as u8).wrapping_mul(seed))).collect(),
            };
            let found = estimate_shift(&picture(seed), &picture(seed.wrapping_add(7)), Shift { x, y: x });
            prop_assert!(found.x.is_finite() && found.y.is_finite());
        }
    }
}
