use crate::av::VideoFrame;
use crate::model::{ClipPlan, FrameRate, Timestamp};

use super::at;
use crate::render::luma_signature::LumaSignature;

/// A cell may differ by so many levels of brightness from what was encoded, at a rate factor up to [`FINE_CRF`].
const LIKE: f32 = 5.0;
/// A rate factor that loses nothing of a cell's mean; each 6 above it the encoder's steps are twice as coarse.
const FINE_CRF: u8 = 20;
/// A picture in which no cell changes by more than this, in levels, stands still ...
const STILL: f32 = 0.2;
/// ... and if what was encoded moved by this much meanwhile, it froze.
const MOVED: f32 = 2.0;
/// How long a picture has to stand still to be frozen, in seconds.
const FROZEN_SECS: f64 = 0.4;
/// A key frame comes at least every so many seconds, and at least those are decoded.
const GROUP_SECS: f64 = 2.0;
/// At a group's ends, frames that no other is built on are left out too.
const LEFT_OUT: u64 = 16;
/// By how many frames a picture is looked for before and after its place.
const SHIFTS: i64 = 3;
/// A shifted picture fits less than half as well where it should be as where it is, and this badly, in levels.
const MISPLACED: f64 = 0.3;

/// Compares the pictures of the finished file with those that were encoded.
pub(super) struct VideoCheck<'a> {
    encoded: &'a [LumaSignature],
    rate: FrameRate,
    size: (u32, u32),
    /// How much coarser than fine the encode is.
    coarse: f32,
    /// The frame seen last.
    last: Option<u64>,
    seen: u64,
    /// Where the picture began to stand still, and what it looked like.
    still: Option<(u64, LumaSignature)>,
    /// How well the pictures fit, moved by so many frames.
    shifted: [f64; 2 * SHIFTS as usize + 1],
    fault: Option<String>,
}

impl<'a> VideoCheck<'a> {
    pub(super) fn new(plan: &ClipPlan, encoded: &'a [LumaSignature]) -> Self {
        VideoCheck {
            encoded,
            rate: plan.output.frame_rate,
            size: (plan.output.width, plan.output.height),
            coarse: 2f32.powf(f32::from(plan.output.crf.saturating_sub(FINE_CRF)) / 6.0),
            last: None,
            seen: 0,
            still: None,
            shifted: [0.0; 2 * SHIFTS as usize + 1],
            fault: None,
        }
    }

    /// Looks at a decoded frame.
    pub(super) fn see(&mut self, moment: Timestamp, frame: &VideoFrame) {
        if (frame.width(), frame.height()) != self.size {
            self.fault.get_or_insert(format!("its picture has {}x{} pixels {}", frame.width(), frame.height(), at(moment)));
            return;
        }
        let n = (moment.secs() * self.rate.fps()).round();
        if (moment.secs() - n / self.rate.fps()).abs() > 0.001 || n < 0.0 {
            self.fault.get_or_insert(format!("a frame is shown between two frames' times, {}", at(moment)));
            return;
        }
        self.compare(n as u64, LumaSignature::of(frame));
    }

    fn compare(&mut self, n: u64, decoded: LumaSignature) {
        let moment = self.rate.frame_start(n);
        let skipped = self.last.map_or(n, |last| n.saturating_sub(last + 1));
        if skipped > self.most_skipped() {
            self.fault.get_or_insert(format!("{skipped} frames before {moment} cannot be decoded"));
        }
        self.last = Some(n);
        self.seen += 1;
        let Some(encoded) = self.frame(n, 0) else {
            self.fault.get_or_insert(format!("it shows a frame that was not encoded, {}", at(moment)));
            return;
        };
        let far = decoded.farthest(encoded);
        if far > LIKE * self.coarse {
            let what = if decoded.is_black() { "is black" } else { "is not what was encoded" };
            self.fault.get_or_insert(format!("its picture {what} {}", at(moment)));
        }
        for (sum, shift) in self.shifted.iter_mut().zip(-SHIFTS..) {
            // At the ends the last frame stands for those beyond it.
            let there = n.saturating_add_signed(shift).min(self.encoded.len().saturating_sub(1) as u64);
            *sum += self.encoded.get(there as usize).map_or(0.0, |encoded| f64::from(decoded.apart(encoded)));
        }
        match &self.still {
            Some((since, first)) if decoded.farthest(first) < STILL => {
                let stood = moment.since(self.rate.frame_start(*since)).secs();
                let moved = self.frame(*since, 0).map_or(0.0, |then| encoded.farthest(then));
                if stood >= FROZEN_SECS && moved > MOVED * self.coarse {
                    let from = self.rate.frame_start(*since);
                    self.fault.get_or_insert(format!("its picture stands still from {from} to {moment} and should not"));
                }
            }
            _ => self.still = Some((n, decoded)),
        }
    }

    fn most_skipped(&self) -> u64 {
        (self.rate.fps() * GROUP_SECS).round() as u64 + LEFT_OUT
    }

    fn frame(&self, n: u64, shift: i64) -> Option<&'a LumaSignature> {
        self.encoded.get(usize::try_from(n.checked_add_signed(shift)?).ok()?)
    }

    /// What is wrong, if something is.
    pub(super) fn verdict(&mut self) -> Option<String> {
        if let Some(fault) = self.fault.take() {
            return Some(fault);
        }
        let frames = self.encoded.len() as u64;
        let unseen = frames.saturating_sub(self.last.map_or(0, |last| last + 1));
        if self.seen == 0 || unseen > self.most_skipped() {
            return Some(format!("its last {unseen} frames cannot be decoded"));
        }
        let in_place = self.shifted[SHIFTS as usize];
        let best = self.shifted.iter().zip(-SHIFTS..).min_by(|a, b| a.0.total_cmp(b.0));
        match best {
            Some((&fit, shift)) if shift != 0 && fit < in_place / 2.0 && in_place > MISPLACED * self.seen as f64 => {
                Some(format!("its picture is {} frames off", -shift))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright bar that walks through the cells, over `dim`.
    fn walk(n: u64, dim: f32) -> LumaSignature {
        LumaSignature::drawn(|cell| if (cell as u64 + n / 3).is_multiple_of(6) { dim + 30.0 } else { dim + (n % 3) as f32 })
    }

    fn verdict(encoded: &[LumaSignature], decoded: impl Fn(u64) -> LumaSignature) -> Option<String> {
        let mut sight = VideoCheck {
            encoded,
            rate: FrameRate::new(30, 1),
            size: (8, 8),
            coarse: 1.0,
            last: None,
            seen: 0,
            still: None,
            shifted: [0.0; 2 * SHIFTS as usize + 1],
            fault: None,
        };
        (0..encoded.len() as u64).step_by(2).for_each(|n| sight.compare(n, decoded(n)));
        sight.verdict()
    }

    fn talk() -> Vec<LumaSignature> {
        (0..90).map(|n| walk(n, 100.0)).collect()
    }

    #[test]
    fn what_was_encoded_passes_with_a_little_noise() {
        assert_eq!(verdict(&talk(), |n| walk(n, 100.3)), None);
        let black: Vec<LumaSignature> = (0..90).map(|_| LumaSignature::drawn(|_| 16.0)).collect();
        assert_eq!(verdict(&black, |_| LumaSignature::drawn(|_| 16.1)), None);
    }

    #[test]
    fn black_frozen_shifted_and_other_pictures_are_told_apart() {
        let told = |decoded: fn(u64) -> LumaSignature| verdict(&talk(), decoded).unwrap();
        assert!(told(|n| if n == 44 { LumaSignature::drawn(|_| 16.0) } else { walk(n, 100.0) }).contains("is black at 0:01.467"));
        assert!(told(|n| walk(n, 120.0)).contains("not what was encoded"));
        let faint: Vec<LumaSignature> = (0..90).map(|n| LumaSignature::drawn(|_| 100.0 + 4.0 * (n as f32 / 10.0).sin())).collect();
        let told = |decoded: fn(u64) -> LumaSignature| verdict(&faint, decoded).unwrap();
        assert!(told(|_| LumaSignature::drawn(|_| 100.0)).contains("stands still from 0:00.000 to 0:00.4"));
        assert!(told(|n| LumaSignature::drawn(|_| 100.0 + 4.0 * ((n as f32 - 2.0) / 10.0).sin())).contains("2 frames off"));
    }

    #[test]
    fn a_file_that_ends_early_or_has_holes_is_refused() {
        let encoded: Vec<LumaSignature> = (0..300).map(|n| walk(n, 100.0)).collect();
        let mut sight = VideoCheck::new(&crate::render::verify::tests::plan(), &encoded);
        assert!(sight.verdict().is_some());
        (0..40).for_each(|n| sight.compare(n, walk(n, 100.0)));
        assert!(sight.verdict().unwrap().contains("last 260 frames"));
        sight.compare(290, walk(290, 100.0));
        assert!(sight.verdict().unwrap().contains("250 frames before"));
    }
}
