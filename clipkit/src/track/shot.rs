//! Finding camera cuts, to the frame.
//!
//! Consecutive frames, made small, are compared block by block; each block may have moved a little, so that pans, shakes and talking
//! heads differ little and a cut differs much. A cut then is a difference that stands out from the frames around it, which fades and
//! fast pans do not, that lasts, which a flash does not, and that more than the light makes, unlike a change of exposure.

use std::collections::VecDeque;

use crate::av::RgbImage;
use crate::model::{Shot, Span, Timestamp};

const BLOCK: usize = 5;
/// How far a block may have moved between two frames, in pixels: 4 % of the picture's width.
const REACH: isize = 3;
/// The least difference of a cut, in mean levels of 255 over all pixels. Measured: cuts 11 to 67; a head that jumps within its shot up
/// to 5, fast motion up to 5.
pub(super) const LEAST: f32 = 7.0;
/// A cut differs this many times more than the usual frame shortly before or after it. Measured: cuts above 5; fades 1.
pub(super) const STANDS_OUT: f32 = 2.5;
/// Frames looked at on either side.
pub(super) const AROUND: usize = 5;
/// So many frames in a row that differ about as much are one fast movement: a camera is whipped round in 3 frames at least.
const MOVEMENT: usize = 3;
/// Where a later frame is again this much like the one before the cut, relative to the cut's difference, it was a flash.
const RETURNS: f32 = 0.4;
/// Where the frame before, given the light of the one after, differs from it by less than this part of how much that one varies, only the
/// light changed. Measured: steps of exposure up to 0.14; cuts above 0.5.
const RELIT: f32 = 0.25;
/// Two cuts closer than this are one (a blended or stray frame between two shots); a shorter shot is not worth a reframing.
const SHORTEST: f64 = 0.2;

/// A frame with its difference from the one before.
struct Seen {
    at: Timestamp,
    image: RgbImage,
    difference: f32,
}

/// Collects the cuts of a span, given its frames in order.
#[derive(Default)]
pub(super) struct CutFinder {
    /// At most `AROUND` + 1 frames before the one in question, itself, and `AROUND` after it.
    frames: VecDeque<Seen>,
    /// The index in `frames` of the frame in question.
    next: usize,
    cuts: Vec<Timestamp>,
}

impl CutFinder {
    /// Takes the next frame, made small, and answers how much it differs from the one before. Where that is [`LEAST`], a shot may start with
    /// it; frames to come decide.
    pub(super) fn push(&mut self, at: Timestamp, image: RgbImage) -> f32 {
        let difference = self.frames.back().map_or(0.0, |last| difference(&last.image, &image));
        self.frames.push_back(Seen { at, image, difference });
        if self.frames.len() > self.next + AROUND {
            self.decide();
        }
        difference
    }

    /// The frame taken last.
    pub(super) fn latest(&self) -> Option<&RgbImage> {
        self.frames.back().map(|seen| &seen.image)
    }

    /// The cuts, after the last frame.
    pub(super) fn cuts(mut self) -> Vec<Timestamp> {
        while self.next < self.frames.len() {
            self.decide();
        }
        self.cuts
    }

    /// Decides on the frame in question and goes on to the next.
    fn decide(&mut self) {
        if let Some(at) = self.cut_at(self.next) {
            add(&mut self.cuts, at);
        }
        self.next += 1;
        if self.next > AROUND + 1 {
            self.frames.pop_front();
            self.next -= 1;
        }
    }

    fn cut_at(&self, index: usize) -> Option<Timestamp> {
        let before = self.frames.get(index.checked_sub(1)?)?;
        let frame = self.frames.get(index)?;
        if frame.difference < LEAST {
            return None;
        }
        // The first frame of all has nothing before it, so its difference says nothing.
        let earlier = (1..=AROUND).filter_map(|back| index.checked_sub(back)).filter(|&n| n > 0 || self.next > AROUND);
        let later = index + 1..self.frames.len();
        let usual = |frames: &mut dyn Iterator<Item = usize>| median(frames.map(|n| self.frames[n].difference));
        if frame.difference < STANDS_OUT * usual(&mut earlier.clone()).max(usual(&mut later.clone())) {
            return None;
        }
        let moves = |n: &usize| self.frames.get(*n).is_some_and(|near| near.difference * STANDS_OUT >= frame.difference);
        let run = 1 + earlier.clone().take_while(moves).count() + later.clone().take_while(moves).count();
        if run >= MOVEMENT {
            return None;
        }
        // A flash goes away again, or just went away.
        let alike = |a: &RgbImage, b: &RgbImage| difference(a, b) < RETURNS * frame.difference;
        let comes = later.into_iter().any(|n| alike(&before.image, &self.frames[n].image));
        let goes = (2..=AROUND).filter_map(|back| index.checked_sub(back)).any(|n| alike(&self.frames[n].image, &frame.image));
        (!comes && !goes && !relit(&before.image, &frame.image)).then_some(frame.at)
    }
}

/// Adds a cut, unless it is one with the last.
pub(super) fn add(cuts: &mut Vec<Timestamp>, at: Timestamp) {
    if cuts.last().is_none_or(|last| at.since(*last).secs() >= SHORTEST) {
        cuts.push(at);
    }
}

/// The shots of `span` that is cut there.
pub(super) fn shots(span: Span, cuts: &[Timestamp]) -> Vec<Shot> {
    let inside = cuts.iter().copied().filter(|&cut| span.start() < cut && cut < span.end());
    let mut starts: Vec<Timestamp> = std::iter::once(span.start()).chain(inside).collect();
    starts.push(span.end());
    starts.windows(2).map(|pair| Shot::new(Span::between(pair[0], pair[1]))).collect()
}

/// Whether the second picture is the first in another light: brighter or darker by any curve, in each colour.
fn relit(before: &RgbImage, after: &RgbImage) -> bool {
    if before.pixels.len() != after.pixels.len() {
        return false;
    }
    let mut matched = RgbImage { width: before.width, height: before.height, pixels: before.pixels.clone() };
    for color in 0..3 {
        let curve = curve(before.pixels.iter().skip(color).step_by(3), after.pixels.iter().skip(color).step_by(3));
        for level in matched.pixels.iter_mut().skip(color).step_by(3) {
            *level = curve[usize::from(*level)];
        }
    }
    difference(&matched, after) < RELIT * variation(after)
}

/// The levels that give one picture the other's histogram (histogram specification: Gonzalez and Woods, Digital Image Processing, 3.3).
fn curve<'a>(from: impl Iterator<Item = &'a u8>, to: impl Iterator<Item = &'a u8>) -> [u8; 256] {
    let (mut have, mut want) = ([0_u32; 256], [0_u32; 256]);
    from.for_each(|&level| have[usize::from(level)] += 1);
    to.for_each(|&level| want[usize::from(level)] += 1);
    let (mut curve, mut level) = ([0; 256], 0_u8);
    let (mut below, mut reached) = (0, want[0]);
    for (place, &count) in curve.iter_mut().zip(&have) {
        // The middle of those that have a level decides for them.
        while reached < below + count.div_ceil(2) && level < u8::MAX {
            level += 1;
            reached += want[usize::from(level)];
        }
        *place = level;
        below += count;
    }
    curve
}

/// How much a picture varies: the mean distance of its levels from their mean, in levels.
fn variation(image: &RgbImage) -> f32 {
    let count = image.pixels.len().max(1) as f32;
    let mean = image.pixels.iter().map(|&level| f32::from(level)).sum::<f32>() / count;
    image.pixels.iter().map(|&level| (f32::from(level) - mean).abs()).sum::<f32>() / count
}

/// The middle value; 0 of none.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The mean difference of two small pictures in levels of 255, each block of the second compared with the best place near it in the first.
fn difference(a: &RgbImage, b: &RgbImage) -> f32 {
    if (a.width, a.height) != (b.width, b.height) {
        return 255.0;
    }
    let still = a.pixels.iter().zip(&b.pixels).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
    let still = still as f32 / b.pixels.len().max(1) as f32;
    // Motion only ever explains a part of it.
    if still < LEAST {
        return still;
    }
    let (mut sum, mut count) = (0, 0);
    for top in (0..b.rows()).step_by(BLOCK) {
        for left in (0..b.columns()).step_by(BLOCK) {
            let (bottom, right) = ((top + BLOCK).min(b.rows()), (left + BLOCK).min(b.columns()));
            let mut best = u32::MAX;
            for dy in -REACH..=REACH {
                for dx in -REACH..=REACH {
                    best = best.min(block_difference(a, b, (left..right, top..bottom), (dx, dy), best));
                }
            }
            sum += best;
            count += 3 * (bottom - top) * (right - left);
        }
    }
    sum as f32 / count.max(1) as f32
}

/// The sum of differences of a block of `b` and its place in `a`, moved by `(dx, dy)`; no longer exact once it exceeds `enough`.
fn block_difference(
    a: &RgbImage,
    b: &RgbImage,
    (columns, rows): (std::ops::Range<usize>, std::ops::Range<usize>),
    (dx, dy): (isize, isize),
    enough: u32,
) -> u32 {
    let mut sum = 0;
    for y in rows {
        for x in columns.clone() {
            let from = a.pixel(x.saturating_add_signed(dx), y.saturating_add_signed(dy));
            let to = b.pixel(x, y);
            sum += from.iter().zip(to).map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>();
        }
        if sum > enough {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::pixels::image;
    use super::*;

    /// A picture with structure that depends on `seed` and moves right by `shift` pixels, `light` times as bright.
    fn scene(seed: usize, shift: usize, light: f32) -> RgbImage {
        let value = |x: usize, y: usize| {
            let (x, y) = ((x + 400 - shift) / 8, y / 8);
            let mixed = (x * 7919 + y * 104_729 + seed * 1_299_709).wrapping_mul(2_654_435_761) >> 7;
            ((mixed % 200) as f32 * light) as u8
        };
        image(80, 45, (0..45).flat_map(|y| (0..80).flat_map(move |x| [value(x, y); 3])).collect())
    }

    fn cuts(frames: impl IntoIterator<Item = RgbImage>) -> Vec<i64> {
        let mut finder = CutFinder::default();
        let mut count = 0;
        for (n, frame) in frames.into_iter().enumerate() {
            finder.push(Timestamp::from_micros(n as i64 * 40_000), frame);
            count = n as i64 + 1;
        }
        let span = Span::between(Timestamp::ZERO, Timestamp::from_micros(count * 40_000));
        shots(span, &finder.cuts()).into_iter().skip(1).map(|shot| shot.span.start().micros() / 40_000).collect()
    }

    #[test]
    fn a_cut_is_found_to_the_frame() {
        assert_eq!(cuts((0..40).map(|n| scene(n / 20, 0, 1.0))), [20]);
        assert_eq!(cuts((0..60).map(|n| scene(n / 20, n, 1.0))), [20, 40]);
    }

    #[test]
    fn a_cut_close_to_either_end_is_found() {
        assert_eq!(cuts((0..40).map(|n| scene(usize::from(n >= 2), 0, 1.0))), [2]);
        assert_eq!(cuts((0..40).map(|n| scene(usize::from(n >= 38), 0, 1.0))), [38]);
    }

    #[test]
    fn pans_fades_and_flashes_are_no_cuts() {
        assert_eq!(cuts((0..40).map(|n| scene(1, 3 * n, 1.0))), [0; 0], "pan");
        assert_eq!(cuts((0..40).map(|n| scene(1, 0, (n as f32 / 12.0).min(1.0)))), [0; 0], "fade in");
        assert_eq!(cuts((0..40).map(|n| scene(1, 0, if n == 20 || n == 21 { 0.1 } else { 1.0 }))), [0; 0], "flash");
    }

    #[test]
    fn a_stray_frame_between_two_shots_is_no_shot() {
        assert_eq!(
            cuts((0..40).map(|n| scene(
                match n {
                    0..20 => 1,
                    20 => 2,
                    _ => 3,
                },
                0,
                1.0
            ))),
            [20]
        );
    }

    #[test]
    fn a_step_of_exposure_is_no_cut() {
        let gamma = |light: f32| {
            let mut image = scene(1, 0, 1.0);
            for level in &mut image.pixels {
                *level = (255.0 * (f32::from(*level) / 255.0).powf(light)).round() as u8;
            }
            image
        };
        assert_eq!(cuts((0..40).map(|n| scene(1, n / 4, if n < 20 { 1.0 } else { 0.6 }))), [0; 0], "darker, in motion");
        assert_eq!(cuts((0..40).map(|n| gamma(if n < 20 { 1.0 } else { 0.5 }))), [0; 0], "another gamma");
        assert_eq!(cuts((0..40).map(|n| scene(n / 20, 0, if n < 20 { 1.0 } else { 0.6 }))), [20], "a cut to a darker shot");
    }

    #[test]
    fn a_camera_whipped_round_is_no_cut() {
        let place = |n: usize, frames: usize| 30 * n.saturating_sub(20).min(frames);
        for frames in [3, 4, 6, 10] {
            assert_eq!(cuts((0..50).map(|n| scene(1, place(n, frames), 1.0))), [0; 0], "in {frames} frames");
        }
    }

    #[test]
    fn a_flash_while_the_camera_moves_is_no_cut() {
        for frames in 1..=3 {
            let white = |n: usize| image(80, 45, vec![if n.is_multiple_of(2) { 250 } else { 255 }; 3 * 80 * 45]);
            let pan = (0..50).map(|n| if (20..20 + frames).contains(&n) { white(n) } else { scene(1, 3 * n, 1.0) });
            assert_eq!(cuts(pan), [0; 0], "{frames} frames");
        }
    }
}
