//! Detection of camera cuts, exact to the frame.
//!
//! Consecutive frames are scaled down and compared block by block. Each block may have moved a
//! little, so that pans, shakes and talking heads give small differences and cuts large ones. A cut
//! is a difference that is large compared with the frames around it (fades and fast pans are not),
//! that persists (a flash does not), and that a change of brightness cannot explain (a step of
//! exposure is one).

use std::collections::VecDeque;

use crate::av::RgbImage;
use crate::model::{Shot, Span, Timestamp};

/// The side of a block, in pixels.
const BLOCK: usize = 5;
/// The search radius of a block between two frames, in pixels: 4 % of the picture's width.
const SEARCH_RADIUS: isize = 3;
/// The smallest difference of a cut: the mean over all pixels, in levels of 255. Measured: cuts
/// have 11 to 67, a head that jumps within its shot and fast motion at most 5.
pub(super) const MIN_DIFFERENCE: f32 = 7.0;
/// A cut's difference is at least this many times the median of the frames before it and after it.
/// Measured: cuts above 5, fades 1.
pub(super) const PROMINENCE: f32 = 2.5;
/// The number of frames on each side that a decision uses.
pub(super) const CONTEXT: usize = 5;
/// This many frames in a row with a similar difference are one fast movement. A whip pan takes at
/// least 3 frames.
const MOVEMENT_FRAMES: usize = 3;
/// A flash: a later frame differs from the one before the cut by less than this share of the cut's
/// difference.
const FLASH_RETURN: f32 = 0.4;
/// An exposure change: after matching the brightness, the frames differ by less than this share of
/// the picture's variation. Measured: steps of exposure up to 0.14, cuts above 0.5.
const EXPOSURE_REMAINDER: f32 = 0.25;
/// Two cuts closer than this, in seconds, count as one (a blended or stray frame between two
/// shots). A shorter shot is not worth a new crop.
pub(super) const MIN_SHOT: f64 = 0.2;

/// A frame with its difference from the one before.
struct ComparedFrame {
    at: Timestamp,
    image: RgbImage,
    difference: f32,
}

/// Finds the cuts of a span, given its frames in order.
#[derive(Default)]
pub(super) struct CutFinder {
    /// At most `CONTEXT` + 1 frames before the one under decision, that frame, and `CONTEXT` after
    /// it.
    frames: VecDeque<ComparedFrame>,
    /// The index in `frames` of the frame under decision.
    next: usize,
    cuts: Vec<Timestamp>,
}

impl CutFinder {
    /// Adds the next frame, scaled down, and returns its difference from the one before. A shot may
    /// start with it if the difference is at least [`MIN_DIFFERENCE`]; later frames decide.
    pub(super) fn push(&mut self, at: Timestamp, image: RgbImage) -> f32 {
        let difference = self.frames.back().map_or(0.0, |last| difference(&last.image, &image));
        self.frames.push_back(ComparedFrame { at, image, difference });
        if self.frames.len() > self.next + CONTEXT {
            self.decide();
        }
        difference
    }

    /// The frame that was added last.
    pub(super) fn latest(&self) -> Option<&RgbImage> {
        self.frames.back().map(|frame| &frame.image)
    }

    /// The cuts, after the last frame.
    pub(super) fn cuts(mut self) -> Vec<Timestamp> {
        while self.next < self.frames.len() {
            self.decide();
        }
        self.cuts
    }

    /// Decides whether the frame starts a shot, and goes on to the next.
    fn decide(&mut self) {
        if let Some(at) = self.cut_at(self.next) {
            add(&mut self.cuts, at);
        }
        self.next += 1;
        if self.next > CONTEXT + 1 {
            self.frames.pop_front();
            self.next -= 1;
        }
    }

    fn cut_at(&self, index: usize) -> Option<Timestamp> {
        let before = self.frames.get(index.checked_sub(1)?)?;
        let frame = self.frames.get(index)?;
        if frame.difference < MIN_DIFFERENCE {
            return None;
        }
        // The first frame of the span has no predecessor, so its difference means nothing.
        let earlier = (1..=CONTEXT).filter_map(|back| index.checked_sub(back)).filter(|&n| n > 0 || self.next > CONTEXT);
        let later = index + 1..self.frames.len();
        let usual = |frames: &mut dyn Iterator<Item = usize>| median(frames.map(|n| self.frames[n].difference));
        if frame.difference < PROMINENCE * usual(&mut earlier.clone()).max(usual(&mut later.clone())) {
            return None;
        }
        let moves = |n: &usize| self.frames.get(*n).is_some_and(|near| near.difference * PROMINENCE >= frame.difference);
        let run = 1 + earlier.clone().take_while(moves).count() + later.clone().take_while(moves).count();
        if run >= MOVEMENT_FRAMES {
            return None;
        }
        // A flash ends soon after it, or has just ended.
        let alike = |a: &RgbImage, b: &RgbImage| difference(a, b) < FLASH_RETURN * frame.difference;
        let ends_soon = later.into_iter().any(|n| alike(&before.image, &self.frames[n].image));
        let just_ended = (2..=CONTEXT).filter_map(|back| index.checked_sub(back)).any(|n| alike(&self.frames[n].image, &frame.image));
        (!ends_soon && !just_ended && !is_exposure_change(&before.image, &frame.image)).then_some(frame.at)
    }
}

/// Adds a cut unless it is too close to the last one.
pub(super) fn add(cuts: &mut Vec<Timestamp>, at: Timestamp) {
    if cuts.last().is_none_or(|last| at.since(*last).secs() >= MIN_SHOT) {
        cuts.push(at);
    }
}

/// The shots of `span`, divided at `cuts`.
pub(super) fn shots(span: Span, cuts: &[Timestamp]) -> Vec<Shot> {
    let inside = cuts.iter().copied().filter(|&cut| span.start() < cut && cut < span.end());
    let mut starts: Vec<Timestamp> = std::iter::once(span.start()).chain(inside).collect();
    starts.push(span.end());
    starts.windows(2).map(|pair| Shot::new(Span::between(pair[0], pair[1]))).collect()
}

/// Whether the second picture is the first one at another exposure: brighter or darker by any
/// monotonic curve, per colour.
fn is_exposure_change(before: &RgbImage, after: &RgbImage) -> bool {
    if before.pixels.len() != after.pixels.len() {
        return false;
    }
    let mut matched = RgbImage { width: before.width, height: before.height, pixels: before.pixels.clone() };
    for color in 0..3 {
        let curve = histogram_match(before.pixels.iter().skip(color).step_by(3), after.pixels.iter().skip(color).step_by(3));
        for level in matched.pixels.iter_mut().skip(color).step_by(3) {
            *level = curve[usize::from(*level)];
        }
    }
    difference(&matched, after) < EXPOSURE_REMAINDER * variation(after)
}

/// The curve that gives one picture the histogram of the other (histogram specification: Gonzalez
/// and Woods, Digital Image Processing, 3.3).
fn histogram_match<'a>(from: impl Iterator<Item = &'a u8>, to: impl Iterator<Item = &'a u8>) -> [u8; 256] {
    let (mut have, mut want) = ([0_u32; 256], [0_u32; 256]);
    from.for_each(|&level| have[usize::from(level)] += 1);
    to.for_each(|&level| want[usize::from(level)] += 1);
    let (mut curve, mut level) = ([0; 256], 0_u8);
    let (mut below, mut reached) = (0, want[0]);
    for (place, &count) in curve.iter_mut().zip(&have) {
        // The median of the pixels with a level decides for that level.
        while reached < below + count.div_ceil(2) && level < u8::MAX {
            level += 1;
            reached += want[usize::from(level)];
        }
        *place = level;
        below += count;
    }
    curve
}

/// The mean absolute deviation of a picture's levels.
fn variation(image: &RgbImage) -> f32 {
    let count = image.pixels.len().max(1) as f32;
    let mean = image.pixels.iter().map(|&level| f32::from(level)).sum::<f32>() / count;
    image.pixels.iter().map(|&level| (f32::from(level) - mean).abs()).sum::<f32>() / count
}

/// The median; 0 if there are no values.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The mean difference of two small pictures in levels of 255. Each block of the second is compared
/// with the best match near it in the first.
fn difference(a: &RgbImage, b: &RgbImage) -> f32 {
    if (a.width, a.height) != (b.width, b.height) {
        return 255.0;
    }
    let unmoved = a.pixels.iter().zip(&b.pixels).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
    let unmoved = unmoved as f32 / b.pixels.len().max(1) as f32;
    // Block matching can only lower the difference.
    if unmoved < MIN_DIFFERENCE {
        return unmoved;
    }
    let (mut sum, mut count) = (0, 0);
    for top in (0..b.rows()).step_by(BLOCK) {
        for left in (0..b.columns()).step_by(BLOCK) {
            let (bottom, right) = ((top + BLOCK).min(b.rows()), (left + BLOCK).min(b.columns()));
            let mut best = u32::MAX;
            for dy in -SEARCH_RADIUS..=SEARCH_RADIUS {
                for dx in -SEARCH_RADIUS..=SEARCH_RADIUS {
                    best = best.min(block_difference(a, b, (left..right, top..bottom), (dx, dy), best));
                }
            }
            sum += best;
            count += 3 * (bottom - top) * (right - left);
        }
    }
    sum as f32 / count.max(1) as f32
}

/// The sum of differences between a block of `b` and the same block of `a` moved by `(dx, dy)`. It
/// stops early, with an inexact result, once it exceeds `enough`.
fn block_difference(
    a: &RgbImage,
    b: &RgbImage,
    (columns, rows): (std::ops::Range<usize>, std::ops::Range<usize>),
    (dx, dy): (isize, isize),
    limit: u32,
) -> u32 {
    let mut sum = 0;
    for y in rows {
        for x in columns.clone() {
            let from = a.pixel(x.saturating_add_signed(dx), y.saturating_add_signed(dy));
            let to = b.pixel(x, y);
            sum += from.iter().zip(to).map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>();
        }
        if sum > limit {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::pixels::image;
    use super::*;

    /// A picture with structure that depends on `seed`, moved right by `shift` pixels, its levels
    /// multiplied by `light`.
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
    fn pans_fades_and_flashes_are_not_cuts() {
        assert_eq!(cuts((0..40).map(|n| scene(1, 3 * n, 1.0))), [0; 0], "pan");
        assert_eq!(cuts((0..40).map(|n| scene(1, 0, (n as f32 / 12.0).min(1.0)))), [0; 0], "fade in");
        assert_eq!(cuts((0..40).map(|n| scene(1, 0, if n == 20 || n == 21 { 0.1 } else { 1.0 }))), [0; 0], "flash");
    }

    #[test]
    fn a_stray_frame_between_two_shots_is_not_a_shot() {
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
    fn a_step_of_exposure_is_not_a_cut() {
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
    fn a_whip_pan_is_not_a_cut() {
        let place = |n: usize, frames: usize| 30 * n.saturating_sub(20).min(frames);
        for frames in [3, 4, 6, 10] {
            assert_eq!(cuts((0..50).map(|n| scene(1, place(n, frames), 1.0))), [0; 0], "in {frames} frames");
        }
    }

    #[test]
    fn a_flash_during_a_pan_is_not_a_cut() {
        for frames in 1..=3 {
            let white = |n: usize| image(80, 45, vec![if n.is_multiple_of(2) { 250 } else { 255 }; 3 * 80 * 45]);
            let pan = (0..50).map(|n| if (20..20 + frames).contains(&n) { white(n) } else { scene(1, 3 * n, 1.0) });
            assert_eq!(cuts(pan), [0; 0], "{frames} frames");
        }
    }
}
