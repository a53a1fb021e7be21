//! Telling slides and a computer's screen from what a camera sees.
//!
//! A screen repeats itself exactly, but for a pointer, a line that is typed, or a speaker's picture in a corner; most of it has one or two
//! colours; and its edges run across and down. All of that together, for a while, makes a screen: a talk that is taken for one would be
//! shown small, so doubt speaks for a camera.

use super::pixels::luma;
use crate::av::RgbImage;
use crate::model::{ShotContent, Span, Timestamp};

/// The time between two pictures that are compared, in seconds: long enough for somebody who sits still to have moved.
const STEP: f64 = 0.5;
/// Compared pictures that a shot must have to be judged.
const FEWEST: usize = 5;
/// A pixel that differs by more than this in any colour has changed: encoders leave less behind in what stands still.
const CHANGED: u8 = 4;
/// The picture is divided into so many columns and rows of cells.
const GRID: (usize, usize) = (16, 9);
/// Columns and rows of a corner in which a speaker may be seen.
const CORNER: (usize, usize) = (5, 4);
/// A cell is restless if it changes in more than this part of the pictures, and more than twice; a screen has no more than `MOST_RESTLESS` outside of a corner.
const RESTLESS: f64 = 0.12;
const MOST_RESTLESS: usize = 2;
/// Two colours fill at least this part of a screen; levels that far from a colour are still it.
const FLAT: f32 = 0.5;
const SAME_COLOR: u8 = 5;
/// Neighbouring pixels that differ by this many levels are an edge; a screen's are at least this part of all pixels, and run across or
/// down (four times as steep as aslant) in at least this part.
const EDGE: f32 = 8.0;
const FEWEST_EDGES: f32 = 0.005;
const STRAIGHT: f32 = 0.65;
/// A picture whose most frequent colour is darker, in levels, may be a stage: there, nobody in a corner is overlooked.
const DARK: f32 = 40.0;

/// One picture, compared with the one before.
struct Glance {
    at: Timestamp,
    /// Row by row, a bit a column: which cells changed.
    changed: [u16; GRID.1],
    look: Look,
}

/// What a single picture looks like.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// The part of it that has one of its two most frequent colours.
    flat: f32,
    /// The luma of the most frequent one.
    ground: f32,
    edges: f32,
    straight: f32,
}

/// Collects what tells screens from cameras, given a span's small pictures in order.
#[derive(Default)]
pub(super) struct ScreenFinder {
    last: Option<(Timestamp, Vec<u8>)>,
    glances: Vec<Glance>,
}

impl ScreenFinder {
    /// Takes a picture; `starts` where a shot may start with it.
    pub(super) fn push(&mut self, at: Timestamp, image: &RgbImage, starts: bool) {
        let due = self.last.as_ref().is_none_or(|(last, _)| at.since(*last).secs() >= 0.95 * STEP);
        if !due && !starts {
            return;
        }
        if let Some((_, before)) = self.last.as_ref().filter(|(_, before)| before.len() == image.pixels.len()) {
            self.glances.push(Glance { at, changed: changed_cells(before, image), look: Look::at(image) });
        }
        self.last = Some((at, image.pixels.clone()));
    }

    /// What a shot shows.
    pub(super) fn content(&self, shot: Span) -> ShotContent {
        // What is at the shot's first moment tells of the change from the shot before.
        let inside: Vec<&Glance> = self.glances.iter().filter(|glance| shot.start() < glance.at && glance.at < shot.end()).collect();
        if inside.len() < FEWEST {
            return ShotContent::Camera;
        }
        let median = |value: fn(&Look) -> f32| {
            let mut values: Vec<f32> = inside.iter().map(|glance| value(&glance.look)).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(0.0)
        };
        let drawn =
            median(|look| look.flat) >= FLAT && median(|look| look.edges) >= FEWEST_EDGES && median(|look| look.straight) >= STRAIGHT;
        let may_have_speaker = median(|look| look.ground) >= DARK;
        if drawn && rests(&inside, may_have_speaker) { ShotContent::Screen } else { ShotContent::Camera }
    }
}

/// Whether the picture stands still, but for one corner if `may_have_speaker`.
fn rests(glances: &[&Glance], may_have_speaker: bool) -> bool {
    let mut restless = [[false; GRID.0]; GRID.1];
    for (y, row) in restless.iter_mut().enumerate() {
        for (x, cell) in row.iter_mut().enumerate() {
            let count = glances.iter().filter(|glance| glance.changed.get(y).is_some_and(|row| row >> x & 1 == 1)).count();
            *cell = count as f64 > (RESTLESS * glances.len() as f64).max(2.0);
        }
    }
    let outside = |corner: Option<(bool, bool)>| {
        let in_corner = |x: usize, y: usize| {
            corner.is_some_and(|(right, bottom)| {
                let (across, down) = (if right { GRID.0 - 1 - x } else { x }, if bottom { GRID.1 - 1 - y } else { y });
                across < CORNER.0 && down < CORNER.1
            })
        };
        let cells = restless.iter().enumerate().flat_map(|(y, row)| row.iter().enumerate().map(move |(x, &cell)| (x, y, cell)));
        cells.filter(|&(x, y, cell)| cell && !in_corner(x, y)).count()
    };
    let corners = [(false, false), (true, false), (false, true), (true, true)];
    outside(None) <= MOST_RESTLESS || may_have_speaker && corners.into_iter().any(|corner| outside(Some(corner)) <= MOST_RESTLESS)
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

impl Look {
    fn at(image: &RgbImage) -> Self {
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
        Look {
            flat: 1.0 - others.len() as f32 / count,
            ground: luma(first),
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
    // A colour at a bin's edge lies in two bins: the middle of the fuller one's pixels is close to it.
    let members: Vec<&[u8; 3]> = pixels.iter().filter(|pixel| bin(pixel) == fullest).collect();
    let color = [0, 1, 2].map(|n| {
        let mut levels: Vec<u8> = members.iter().map(|pixel| pixel[n]).collect();
        levels.sort_unstable();
        levels[levels.len() / 2]
    });
    let differs = |pixel: &&[u8; 3]| pixel.iter().zip(color).any(|(&level, of)| level.abs_diff(of) > SAME_COLOR);
    (color, pixels.iter().filter(differs).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::super::pixels::image;
    use super::*;

    /// A picture 80 x 45 of rectangles (left, top, right, bottom, level) on a ground.
    fn drawn(ground: u8, boxes: &[(usize, usize, usize, usize, u8)]) -> RgbImage {
        let level = |x: usize, y: usize| {
            let inside = |b: &&(usize, usize, usize, usize, u8)| (b.0..b.2).contains(&x) && (b.1..b.3).contains(&y);
            boxes.iter().rev().find(inside).map_or(ground, |b| b.4)
        };
        image(80, 45, (0..45).flat_map(|y| (0..80).flat_map(move |x| [level(x, y); 3])).collect())
    }

    const TITLE: (usize, usize, usize, usize, u8) = (0, 0, 80, 6, 60);
    const LINE: (usize, usize, usize, usize, u8) = (8, 12, 50, 14, 90);

    /// What 6 s of pictures, 10 a second, show.
    fn content(picture: impl Fn(usize) -> RgbImage) -> ShotContent {
        let mut finder = ScreenFinder::default();
        for n in 0..60 {
            finder.push(Timestamp::from_secs(n as f64 / 10.0), &picture(n), n == 0);
        }
        finder.content(Span::between(Timestamp::ZERO, Timestamp::from_secs(6.0)))
    }

    #[test]
    fn a_slide_that_fills_up_is_a_screen() {
        let lines = [LINE, (8, 18, 60, 20, 90), (8, 24, 40, 26, 90)];
        let slide = |n: usize| drawn(240, &[&[TITLE], &lines[..1 + n / 25]].concat());
        assert_eq!(content(slide), ShotContent::Screen);
    }

    #[test]
    fn a_speaker_in_the_corner_of_a_slide_leaves_it_a_screen() {
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
        // In the middle it is what the picture is about.
        assert_eq!(content(with_speaker(33, 20)), ShotContent::Camera);
    }

    #[test]
    fn somebody_on_a_dark_stage_is_no_screen() {
        let stage = |n: usize| drawn(10, &[(20, 5, 60, 20, 120), (66 + n / 5 % 5, 34, 72 + n / 5 % 5, 45, 150)]);
        assert_eq!(content(stage), ShotContent::Camera);
    }

    #[test]
    fn an_empty_picture_and_one_of_many_shades_are_no_screens() {
        assert_eq!(content(|_| drawn(0, &[])), ShotContent::Camera);
        let shades = || image(80, 45, (0..45 * 80).flat_map(|n| [(n % 80 * 3) as u8, (n / 80 * 5) as u8, 100]).collect());
        assert_eq!(content(|_| shades()), ShotContent::Camera);
    }

    #[test]
    fn too_short_a_look_decides_nothing() {
        let mut finder = ScreenFinder::default();
        for n in 0..10 {
            finder.push(Timestamp::from_secs(n as f64 / 10.0), &drawn(240, &[TITLE, LINE]), n == 0);
        }
        assert_eq!(finder.content(Span::between(Timestamp::ZERO, Timestamp::from_secs(1.0))), ShotContent::Camera);
    }
}
