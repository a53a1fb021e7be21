//! How the camera moves: the shift between two small pictures, and with that a place in the scene.

use super::pixels::luma;
use crate::av::RgbImage;
use crate::model::{Rect, Timestamp};

/// How far a picture may have moved beyond what was expected, in its pixels: with pictures 80 wide, a tenth of the width.
const REACH: isize = 8;
/// A pixel that differs by more than this, in levels, tells no more than one that differs by this: somebody moves there.
const OUTLIER: f32 = 24.0;
/// Where pictures differ by less on the mean, in levels, the camera stands.
const STANDING: f32 = 0.25;
/// Columns and rows of the blocks that a picture is judged by.
const BLOCKS: (usize, usize) = (8, 5);
/// A block shows something by which a shift can be told if neighbouring pixels differ by this much on the mean, in levels.
const STRUCTURE: f32 = 1.0;
/// The shift explains a block if it leaves at most this part of the difference.
const EXPLAINED: f32 = 0.7;
/// The camera moved only if the shift explains this part of the blocks with structure ...
const AGREE: f32 = 0.6;
/// ... and they lie over at least this part of the picture's width and half its height: what moves alone in front of a plain wall is no camera.
const SPREAD: usize = 5;
/// Shorter shifts are noise, in pixels.
const LEAST: f32 = 0.05;

/// The luma of a small picture, 0 to 255.
pub(super) struct Grey {
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) values: Vec<f32>,
}

impl Grey {
    pub(super) fn of(image: &RgbImage) -> Self {
        let values = image.pixels.chunks_exact(3).map(|pixel| luma([pixel[0], pixel[1], pixel[2]])).collect();
        Grey { columns: image.columns(), rows: image.rows(), values }
    }

    pub(super) fn is_like(&self, other: &Grey) -> bool {
        (self.columns, self.rows) == (other.columns, other.rows) && self.values.len() == other.values.len()
    }

    /// One outside is the nearest inside.
    pub(super) fn at(&self, x: isize, y: isize) -> f32 {
        let inside = |value: isize, length: usize| value.clamp(0, length as isize - 1) as usize;
        self.values.get(inside(y, self.rows) * self.columns + inside(x, self.columns)).copied().unwrap_or(0.0)
    }

    /// Between pixels.
    pub(super) fn between(&self, x: f32, y: f32) -> f32 {
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

/// How far what is seen moved, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shift {
    pub(super) x: f32,
    pub(super) y: f32,
}

/// How far the scene moved in the picture from `before` to `after`; nothing where they do not agree on one shift. The search begins at
/// `expected`, the shift before this one.
pub(super) fn shift(before: &Grey, after: &Grey, expected: Shift) -> Shift {
    if !before.is_like(after) || after.columns < 2 * BLOCKS.0 || after.rows < 2 * BLOCKS.1 {
        return Shift::default();
    }
    // The light may have changed.
    let light = after.mean() - before.mean();
    if mismatch(before, after, (0, 0), light, f32::INFINITY) < STANDING {
        return Shift::default();
    }
    let mut best = (f32::INFINITY, (0, 0));
    let (start_x, start_y) = (expected.x.round() as isize, expected.y.round() as isize);
    // No more than two thirds of the picture can have left it: less tells nothing.
    let (most_x, most_y) = (2 * after.columns as isize / 3, 2 * after.rows as isize / 3);
    for dy in (start_y - REACH).max(-most_y)..=(start_y + REACH).min(most_y) {
        for dx in (start_x - REACH).max(-most_x)..=(start_x + REACH).min(most_x) {
            let found = mismatch(before, after, (dx, dy), light, best.0);
            if found < best.0 {
                best = (found, (dx, dy));
            }
        }
    }
    let (dx, dy) = best.1;
    let refined = refined(before, after, Shift { x: dx as f32, y: dy as f32 }, light);
    if refined.x.hypot(refined.y) >= LEAST && agreed(before, after, refined, light) { refined } else { Shift::default() }
}

/// The mean difference of the part that both pictures show if `before` moved by whole pixels; no longer exact once it exceeds `enough`.
fn mismatch(before: &Grey, after: &Grey, (dx, dy): (isize, isize), light: f32, enough: f32) -> f32 {
    let part = |length: usize, by: isize| (by.max(0) as usize)..((length as isize + by.min(0)).max(0) as usize);
    let (columns, rows) = (part(after.columns, dx), part(after.rows, dy));
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
        if sum > enough * count {
            break;
        }
    }
    sum / count
}

/// The shift to a fraction of a pixel: least squares over the pixels whose difference a small shift can explain (Lucas and Kanade 1981).
fn refined(before: &Grey, after: &Grey, start: Shift, light: f32) -> Shift {
    let mut shift = start;
    for _ in 0..3 {
        let (mut xx, mut xy, mut yy, mut xr, mut yr) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for y in 1..after.rows as isize - 1 {
            for x in 1..after.columns as isize - 1 {
                let (from_x, from_y) = (x as f32 - shift.x, y as f32 - shift.y);
                let inside = from_x >= 0.0 && from_y >= 0.0 && from_x <= before.columns as f32 - 1.0 && from_y <= before.rows as f32 - 1.0;
                let rest = after.at(x, y) - before.between(from_x, from_y) - light;
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
        // What is seen moved against the brightness's slope.
        shift = Shift { x: shift.x - x.clamp(-0.5, 0.5), y: shift.y - y.clamp(-0.5, 0.5) };
    }
    // Within a pixel of where the search ended, or it has run away.
    let near = (shift.x - start.x).abs() <= 1.0 && (shift.y - start.y).abs() <= 1.0;
    if near { shift } else { start }
}

/// Whether the shift explains the picture, and not only something in it.
fn agreed(before: &Grey, after: &Grey, shift: Shift, light: f32) -> bool {
    let (mut structured, mut explained) = (0, 0);
    let (mut columns, mut rows) = ([false; BLOCKS.0], [false; BLOCKS.1]);
    for (block_y, row) in rows.iter_mut().enumerate() {
        for (block_x, column) in columns.iter_mut().enumerate() {
            let part = |block: usize, of: usize, length: usize| (block * length / of) as isize..((block + 1) * length / of) as isize;
            let (mut still, mut moved, mut slope, mut count) = (0.0, 0.0, 0.0, 0);
            for y in part(block_y, BLOCKS.1, after.rows) {
                for x in part(block_x, BLOCKS.0, after.columns) {
                    let (from_x, from_y) = (x as f32 - shift.x, y as f32 - shift.y);
                    if from_x < 0.0 || from_y < 0.0 || from_x > before.columns as f32 - 1.0 || from_y > before.rows as f32 - 1.0 {
                        continue;
                    }
                    let value = after.at(x, y);
                    still += (value - before.at(x, y) - light).abs();
                    moved += (value - before.between(from_x, from_y) - light).abs();
                    slope += (after.at(x + 1, y) - value).abs() + (after.at(x, y + 1) - value).abs();
                    count += 1;
                }
            }
            if slope >= 2.0 * STRUCTURE * count as f32 && count > 0 {
                structured += 1;
                if moved <= EXPLAINED * still {
                    explained += 1;
                    (*row, *column) = (true, true);
                }
            }
        }
    }
    let seen = |lines: &[bool]| lines.iter().filter(|&&seen| seen).count();
    explained as f32 >= AGREE * structured as f32 && seen(&columns) >= SPREAD && 2 * seen(&rows) >= BLOCKS.1
}

/// Where the scene was in the picture, over time, in fractions of the picture. It means something only between two moments of one shot.
#[derive(Debug, Default)]
pub(super) struct CameraPath {
    /// In order of time.
    points: Vec<(Timestamp, f64, f64)>,
}

impl CameraPath {
    /// Takes how far the scene moved until `at`, in pixels of a picture of `columns` and `rows`.
    pub(super) fn push(&mut self, at: Timestamp, shift: Shift, (columns, rows): (usize, usize)) {
        let (x, y) = self.points.last().map_or((0.0, 0.0), |&(_, x, y)| (x, y));
        self.points.push((at, x + f64::from(shift.x) / columns.max(1) as f64, y + f64::from(shift.y) / rows.max(1) as f64));
    }

    /// How far the scene has moved until `at`, in fractions of the picture.
    pub(super) fn offset(&self, at: Timestamp) -> (f64, f64) {
        let next = self.points.partition_point(|point| point.0 <= at);
        let before = next.checked_sub(1).and_then(|n| self.points.get(n));
        match (before, self.points.get(next)) {
            (Some(&(from, x, y)), Some(&(to, to_x, to_y))) => {
                let part = at.since(from).secs() / to.since(from).secs().max(1e-6);
                (x + (to_x - x) * part, y + (to_y - y) * part)
            }
            (Some(&(_, x, y)), None) | (None, Some(&(_, x, y))) => (x, y),
            (None, None) => (0.0, 0.0),
        }
    }

    /// A box of the picture at `at`, in the scene.
    pub(super) fn in_scene(&self, rect: Rect, at: Timestamp) -> Rect {
        let (x, y) = self.offset(at);
        Rect { x: rect.x - x, y: rect.y - y, ..rect }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Soft structure everywhere, moved by `(x, y)` pixels, and 30 levels lighter with each `light`.
    pub(super) fn scene(x: f32, y: f32, light: f32) -> Grey {
        let value = |px: usize, py: usize| {
            let (px, py) = (px as f32 - x, py as f32 - y);
            100.0 + 30.0 * light + 40.0 * (px * 0.31).sin() * (py * 0.27 + 1.0).cos() + 25.0 * (px * 0.13 + py * 0.17).sin()
        };
        Grey { columns: 80, rows: 45, values: (0..45).flat_map(|py| (0..80).map(move |px| value(px, py))).collect() }
    }

    #[test]
    fn a_person_before_a_plain_wall_is_no_camera() {
        let at = |left: usize| {
            let value = |x: usize, y: usize| {
                let inside = (left..left + 20).contains(&x) && y > 15;
                if inside { scene(left as f32, 0.0, 0.0).values[y * 80 + x] } else { 60.0 }
            };
            Grey { columns: 80, rows: 45, values: (0..45).flat_map(|y| (0..80).map(move |x| value(x, y))).collect() }
        };
        assert_eq!(shift(&at(20), &at(23), Shift::default()), Shift::default());
    }

    #[test]
    fn a_person_in_front_does_not_hide_the_cameras_motion() {
        let with_person = |mut grey: Grey, left: usize| {
            for y in 15..45 {
                grey.values[y * 80 + left..y * 80 + left + 18].fill(200.0);
            }
            grey
        };
        let found = shift(&with_person(scene(0.0, 0.0, 0.0), 30), &with_person(scene(4.0, 0.0, 0.0), 30), Shift::default());
        assert!((found.x - 4.0).abs() < 0.4 && found.y.abs() < 0.4, "{found:?}");
    }

    #[test]
    fn a_path_is_read_between_its_points() {
        let mut path = CameraPath::default();
        path.push(Timestamp::ZERO, Shift::default(), (80, 45));
        path.push(Timestamp::from_secs(1.0), Shift { x: 8.0, y: -9.0 }, (80, 45));
        let (x, y) = path.offset(Timestamp::from_secs(0.5));
        assert!((x - 0.05).abs() < 1e-9 && (y + 0.1).abs() < 1e-9);
        assert_eq!(CameraPath::default().offset(Timestamp::ZERO), (0.0, 0.0));
    }

    proptest! {
        #[test]
        fn a_shift_is_found_to_a_part_of_a_pixel(x in -7.5..7.5_f32, y in -5.0..5.0_f32, light in -0.5..0.5_f32) {
            let found = shift(&scene(0.0, 0.0, 0.0), &scene(x, y, light), Shift::default());
            // What hardly moved may count as standing.
            prop_assume!(x.hypot(y) > 0.3);
            prop_assert!((found.x - x).abs() < 0.25 && (found.y - y).abs() < 0.25, "{found:?} is not {x}, {y}");
        }

        #[test]
        fn any_picture_is_taken(columns in 0..40_usize, rows in 0..40_usize, x in -90.0..90.0_f32, seed in 0..255_u8) {
            let grey = |seed: u8| Grey {
                columns,
                rows,
                values: (0..columns * rows).map(|n| f32::from((n as u8).wrapping_mul(seed))).collect(),
            };
            let found = shift(&grey(seed), &grey(seed.wrapping_add(7)), Shift { x, y: x });
            prop_assert!(found.x.is_finite() && found.y.is_finite());
        }
    }
}
