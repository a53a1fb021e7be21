//! Telling slides and screen recordings from camera pictures.
//!
//! A screen repeats exactly from frame to frame, except for a pointer, typed text, or a webcam
//! inset in a corner. Most of it has one or two colours, and its edges are horizontal or vertical.
//! A shot is a screen only if all of this holds for a while. A talk that is mistaken for a screen
//! would be shown small, so in doubt a shot is a camera picture.

use super::pixels::luma;
use crate::av::RgbImage;
use crate::model::{ShotContent, Span, Timestamp};

/// The time between two compared pictures, in seconds. It is long enough for a person who sits
/// still to have moved.
const STEP: f64 = 0.5;
/// The smallest number of comparisons on which a shot is judged.
const MIN_COMPARISONS: usize = 5;
/// A pixel has changed if any colour differs by more than this, in levels. Encoders leave smaller
/// differences in static areas.
const CHANGED: u8 = 4;
/// Columns and rows of the cells that the picture is divided into.
const GRID: (usize, usize) = (16, 9);
/// Columns and rows of a corner that may hold a webcam inset.
const CORNER: (usize, usize) = (5, 4);
/// A cell is changing if it changes in more than this share of the comparisons, and in more than
/// two. A screen has at most `MAX_CHANGING_CELLS` outside of one corner.
const CHANGING: f64 = 0.12;
const MAX_CHANGING_CELLS: usize = 2;
/// Two colours cover at least this share of a screen. Levels within `COLOR_TOLERANCE` count as the
/// same colour.
const MIN_FLAT: f32 = 0.5;
const COLOR_TOLERANCE: u8 = 5;
/// Neighbouring pixels that differ by `EDGE` levels are an edge. On a screen, at least `MIN_EDGES`
/// of all pixels are edges, and at least `MIN_STRAIGHT` of the edges are horizontal or vertical:
/// the gradient along one axis is at least four times the other.
const EDGE: f32 = 8.0;
const MIN_EDGES: f32 = 0.005;
const MIN_STRAIGHT: f32 = 0.65;
/// If the luma of the most frequent colour is below this, in levels, the picture may show a stage,
/// and no corner is exempt as a webcam inset.
const DARK: f32 = 40.0;

/// The comparison of a picture with the one before.
struct Comparison {
    at: Timestamp,
    /// Which cells changed: one value per row, one bit per column.
    changed: [u16; GRID.1],
    appearance: Appearance,
}

/// Statistics of a single picture.
#[derive(Clone, Copy, Debug)]
struct Appearance {
    /// The share of pixels with one of the two most frequent colours.
    flat: f32,
    /// The luma of the most frequent colour.
    background: f32,
    edges: f32,
    straight: f32,
}

/// Collects the comparisons, given a span's small pictures in order.
#[derive(Default)]
pub(super) struct ScreenFinder {
    last: Option<(Timestamp, Vec<u8>)>,
    comparisons: Vec<Comparison>,
}

impl ScreenFinder {
    /// Adds a picture. `starts` says that a shot may start with it.
    pub(super) fn push(&mut self, at: Timestamp, image: &RgbImage, starts: bool) {
        let due = self.last.as_ref().is_none_or(|(last, _)| at.since(*last).secs() >= 0.95 * STEP);
        if !due && !starts {
            return;
        }
        if let Some((_, before)) = self.last.as_ref().filter(|(_, before)| before.len() == image.pixels.len()) {
            self.comparisons.push(Comparison { at, changed: changed_cells(before, image), appearance: Appearance::of(image) });
        }
        self.last = Some((at, image.pixels.clone()));
    }

    /// Whether a shot shows a screen or a camera picture.
    pub(super) fn content(&self, shot: Span) -> ShotContent {
        // A comparison at the shot's first frame shows the change from the shot before.
        let inside: Vec<&Comparison> =
            self.comparisons.iter().filter(|comparison| shot.start() < comparison.at && comparison.at < shot.end()).collect();
        if inside.len() < MIN_COMPARISONS {
            return ShotContent::Camera;
        }
        let median = |value: fn(&Appearance) -> f32| {
            let mut values: Vec<f32> = inside.iter().map(|comparison| value(&comparison.appearance)).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(0.0)
        };
        let looks_like_screen = median(|appearance| appearance.flat) >= MIN_FLAT
            && median(|appearance| appearance.edges) >= MIN_EDGES
            && median(|appearance| appearance.straight) >= MIN_STRAIGHT;
        let may_have_inset = median(|appearance| appearance.background) >= DARK;
        if looks_like_screen && is_static(&inside, may_have_inset) { ShotContent::Screen } else { ShotContent::Camera }
    }
}

/// Whether the picture is static, except for one corner if `may_have_inset`.
fn is_static(comparisons: &[&Comparison], may_have_inset: bool) -> bool {
    let mut changing = [[false; GRID.0]; GRID.1];
    for (y, row) in changing.iter_mut().enumerate() {
        for (x, cell) in row.iter_mut().enumerate() {
            let count = comparisons.iter().filter(|comparison| comparison.changed.get(y).is_some_and(|row| row >> x & 1 == 1)).count();
            *cell = count as f64 > (CHANGING * comparisons.len() as f64).max(2.0);
        }
    }
    let outside = |corner: Option<(bool, bool)>| {
        let in_corner = |x: usize, y: usize| {
            corner.is_some_and(|(right, bottom)| {
                let (across, down) = (if right { GRID.0 - 1 - x } else { x }, if bottom { GRID.1 - 1 - y } else { y });
                across < CORNER.0 && down < CORNER.1
            })
        };
        let cells = changing.iter().enumerate().flat_map(|(y, row)| row.iter().enumerate().map(move |(x, &cell)| (x, y, cell)));
        cells.filter(|&(x, y, cell)| cell && !in_corner(x, y)).count()
    };
    let corners = [(false, false), (true, false), (false, true), (true, true)];
    outside(None) <= MAX_CHANGING_CELLS || may_have_inset && corners.into_iter().any(|corner| outside(Some(corner)) <= MAX_CHANGING_CELLS)
}

fn changed_cells(before: &[u8], image: &RgbImage) -> [u16; GRID.1] {
    let mut cells = [0; GRID.1];
    let (columns, rows) = (image.columns().max(1), image.rows().max(1));
    let pixels = before.chunks_exact(3).zip(image.pixels.chunks_exact(3));
    for (n, (was, is)) in pixels.enumerate() {
        if was.iter().zip(is).any(|(was, is)| was.abs_diff(*is) > CHANGED)
            && let Some(row) = cells.get_mut(n / columns * GRID.1 / rows)
        {
            *row |= 1 << (n % columns * GRID.0 / columns);
        }
    }
    cells
}

impl Appearance {
    fn of(image: &RgbImage) -> Self {
        let pixels: Vec<[u8; 3]> = image.pixels.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let count = pixels.len().max(1) as f32;
        let (first, rest) = without_most_frequent(&pixels);
        let (_, others) = without_most_frequent(&rest);
        let (mut edges, mut straight) = (0, 0);
        for y in 1..image.rows().saturating_sub(1) {
            for x in 1..image.columns().saturating_sub(1) {
                let at = |x: usize, y: usize| luma(image.pixel(x, y));
                let across = (at(x + 1, y) - at(x - 1, y)).abs() / 2.0;
                let down = (at(x, y + 1) - at(x, y - 1)).abs() / 2.0;
                if across.max(down) >= EDGE {
                    edges += 1;
                    straight += usize::from(across.max(down) >= 4.0 * across.min(down));
                }
            }
        }
        Appearance {
            flat: 1.0 - others.len() as f32 / count,
            background: luma(first),
            edges: edges as f32 / count,
            straight: straight as f32 / edges.max(1) as f32,
        }
    }
}

/// The most frequent colour, and the pixels that do not have it.
fn without_most_frequent(pixels: &[[u8; 3]]) -> ([u8; 3], Vec<[u8; 3]>) {
    let bin = |pixel: &[u8; 3]| pixel.iter().fold(0_usize, |bin, &level| bin << 4 | usize::from(level >> 4));
    let mut counts = vec![0_u32; 1 << 12];
    for pixel in pixels {
        counts[bin(pixel)] += 1;
    }
    let Some(fullest) = (0..counts.len()).max_by_key(|&n| counts[n]).filter(|&n| counts[n] > 0) else { return ([0; 3], Vec::new()) };
    // A colour at the edge of a bin is spread over two bins. The median of the fuller bin's pixels
    // is close to it.
    let members: Vec<&[u8; 3]> = pixels.iter().filter(|pixel| bin(pixel) == fullest).collect();
    let color = [0, 1, 2].map(|n| {
        let mut levels: Vec<u8> = members.iter().map(|pixel| pixel[n]).collect();
        levels.sort_unstable();
        levels[levels.len() / 2]
    });
    let differs = |pixel: &&[u8; 3]| pixel.iter().zip(color).any(|(&level, of)| level.abs_diff(of) > COLOR_TOLERANCE);
    (color, pixels.iter().filter(differs).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::super::pixels::image;
    use super::*;

    /// A picture of 80 x 45 pixels with rectangles (left, top, right, bottom, level) on a
    /// background.
    fn drawn(background: u8, boxes: &[(usize, usize, usize, usize, u8)]) -> RgbImage {
        let level = |x: usize, y: usize| {
            let inside = |b: &&(usize, usize, usize, usize, u8)| (b.0..b.2).contains(&x) && (b.1..b.3).contains(&y);
            boxes.iter().rev().find(inside).map_or(background, |b| b.4)
        };
        image(80, 45, (0..45).flat_map(|y| (0..80).flat_map(move |x| [level(x, y); 3])).collect())
    }

    const TITLE: (usize, usize, usize, usize, u8) = (0, 0, 80, 6, 60);
    const LINE: (usize, usize, usize, usize, u8) = (8, 12, 50, 14, 90);

    /// The content of a shot of 6 s, given at 10 pictures per second.
    fn content(picture: impl Fn(usize) -> RgbImage) -> ShotContent {
        let mut finder = ScreenFinder::default();
        for n in 0..60 {
            finder.push(Timestamp::from_secs(n as f64 / 10.0), &picture(n), n == 0);
        }
        finder.content(Span::between(Timestamp::ZERO, Timestamp::from_secs(6.0)))
    }

    #[test]
    fn a_slide_that_is_built_up_is_a_screen() {
        let lines = [LINE, (8, 18, 60, 20, 90), (8, 24, 40, 26, 90)];
        let slide = |n: usize| drawn(240, &[&[TITLE], &lines[..1 + n / 25]].concat());
        assert_eq!(content(slide), ShotContent::Screen);
    }

    #[test]
    fn a_slide_with_a_webcam_inset_is_a_screen() {
        let with_speaker = |left: usize, top: usize| {
            move |n: usize| {
                drawn(
                    240,
                    &[
                        TITLE,
                        LINE,
                        (left, top, left + 14, top + 12, 100),
                        (left + 3 + n / 5 % 4, top + 3, left + 9 + n / 5 % 4, top + 9, 180),
                    ],
                )
            }
        };
        assert_eq!(content(with_speaker(65, 32)), ShotContent::Screen);
        // In the middle, the person is the picture's content.
        assert_eq!(content(with_speaker(33, 20)), ShotContent::Camera);
    }

    #[test]
    fn a_person_on_a_dark_stage_is_not_a_screen() {
        let stage = |n: usize| drawn(10, &[(20, 5, 60, 20, 120), (66 + n / 5 % 5, 34, 72 + n / 5 % 5, 45, 150)]);
        assert_eq!(content(stage), ShotContent::Camera);
    }

    #[test]
    fn an_empty_picture_and_one_of_many_shades_are_not_screens() {
        assert_eq!(content(|_| drawn(0, &[])), ShotContent::Camera);
        let shades = || image(80, 45, (0..45 * 80).flat_map(|n| [(n % 80 * 3) as u8, (n / 80 * 5) as u8, 100]).collect());
        assert_eq!(content(|_| shades()), ShotContent::Camera);
    }

    #[test]
    fn a_shot_that_is_too_short_is_not_a_screen() {
        let mut finder = ScreenFinder::default();
        for n in 0..10 {
            finder.push(Timestamp::from_secs(n as f64 / 10.0), &drawn(240, &[TITLE, LINE]), n == 0);
        }
        assert_eq!(finder.content(Span::between(Timestamp::ZERO, Timestamp::from_secs(1.0))), ShotContent::Camera);
    }
}
