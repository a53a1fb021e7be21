use crate::av::VideoFrame;
use crate::model::{ClipPlan, FrameRate, Timestamp};

use super::at;
use crate::render::luma_signature::LumaSignature;

/// The tolerated luma difference of a cell, in levels, for rate factors up to [`FINE_CRF`].
const TOLERANCE: f32 = 5.0;
/// Up to this rate factor the encoder keeps the mean of a cell. Each 6 above it double the
/// quantiser step.
const FINE_CRF: u8 = 20;
/// A picture in which no cell changes by more than this, in luma levels, is static.
const STATIC: f32 = 0.2;
/// A static picture is frozen if the encoded one changed by at least this, in luma levels.
const MOVEMENT: f32 = 2.0;
/// The duration from which a static picture counts as frozen, in seconds.
const FROZEN_SECS: f64 = 0.4;
/// The longest distance between keyframes in seconds; at least these are decoded.
const GOP_SECS: f64 = 2.0;
/// Skipped non-reference frames at the ends of a GOP.
const SKIPPED_FRAMES: u64 = 16;
/// The greatest offset in frames that is searched for.
const MAX_SHIFT: i64 = 3;
/// An offset is accepted if the mean difference without it exceeds this, in luma levels, and is
/// more than twice that with the offset.
const MIN_MISMATCH: f64 = 0.3;

/// Compares the video of the finished file with the frames that were encoded.
pub(super) struct VideoCheck<'a> {
    encoded: &'a [LumaSignature],
    rate: FrameRate,
    size: (u32, u32),
    /// The factor of the quantiser step relative to [`FINE_CRF`].
    quantiser_scale: f32,
    /// The index of the last frame compared.
    last: Option<u64>,
    compared: u64,
    /// The first frame of the current static stretch, and its signature.
    static_since: Option<(u64, LumaSignature)>,
    /// For each offset, the sum of the mean differences.
    shifted: [f64; 2 * MAX_SHIFT as usize + 1],
    fault: Option<String>,
}

impl<'a> VideoCheck<'a> {
    pub(super) fn new(plan: &ClipPlan, encoded: &'a [LumaSignature]) -> Self {
        VideoCheck {
            encoded,
            rate: plan.output.frame_rate,
            size: (plan.output.width, plan.output.height),
            quantiser_scale: 2f32.powf(f32::from(plan.output.crf.saturating_sub(FINE_CRF)) / 6.0),
            last: None,
            compared: 0,
            static_since: None,
            shifted: [0.0; 2 * MAX_SHIFT as usize + 1],
            fault: None,
        }
    }

    /// Compares a decoded frame.
    pub(super) fn push(&mut self, moment: Timestamp, frame: &VideoFrame) {
        if (frame.width(), frame.height()) != self.size {
            self.fault.get_or_insert(format!("its video has {}x{} pixels {}", frame.width(), frame.height(), at(moment)));
            return;
        }
        let n = (moment.secs() * self.rate.fps()).round();
        if (moment.secs() - n / self.rate.fps()).abs() > 0.001 || n < 0.0 {
            self.fault.get_or_insert(format!("a frame's time is not that of any frame of the clip, {}", at(moment)));
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
        self.compared += 1;
        let Some(encoded) = self.frame(n, 0) else {
            self.fault.get_or_insert(format!("it shows a frame that was not encoded, {}", at(moment)));
            return;
        };
        let far = decoded.max_difference(encoded);
        if far > TOLERANCE * self.quantiser_scale {
            let what = if decoded.is_black() { "is black" } else { "differs from the encoded frame" };
            self.fault.get_or_insert(format!("its video {what} {}", at(moment)));
        }
        for (sum, shift) in self.shifted.iter_mut().zip(-MAX_SHIFT..) {
            // Beyond the ends the first or last frame repeats.
            let there = n.saturating_add_signed(shift).min(self.encoded.len().saturating_sub(1) as u64);
            *sum += self.encoded.get(there as usize).map_or(0.0, |encoded| f64::from(decoded.mean_difference(encoded)));
        }
        match &self.static_since {
            Some((since, first)) if decoded.max_difference(first) < STATIC => {
                let duration = moment.since(self.rate.frame_start(*since)).secs();
                let movement = self.frame(*since, 0).map_or(0.0, |then| encoded.max_difference(then));
                if duration >= FROZEN_SECS && movement > MOVEMENT * self.quantiser_scale {
                    let from = self.rate.frame_start(*since);
                    self.fault.get_or_insert(format!("its video is frozen from {from} to {moment}"));
                }
            }
            _ => self.static_since = Some((n, decoded)),
        }
    }

    fn most_skipped(&self) -> u64 {
        (self.rate.fps() * GOP_SECS).round() as u64 + SKIPPED_FRAMES
    }

    fn frame(&self, n: u64, shift: i64) -> Option<&'a LumaSignature> {
        self.encoded.get(usize::try_from(n.checked_add_signed(shift)?).ok()?)
    }

    /// Returns the first fault, if there is one.
    pub(super) fn fault(&mut self) -> Option<String> {
        if let Some(fault) = self.fault.take() {
            return Some(fault);
        }
        let frames = self.encoded.len() as u64;
        let unseen = frames.saturating_sub(self.last.map_or(0, |last| last + 1));
        if self.compared == 0 || unseen > self.most_skipped() {
            return Some(format!("its last {unseen} frames cannot be decoded"));
        }
        let in_place = self.shifted[MAX_SHIFT as usize];
        let best = self.shifted.iter().zip(-MAX_SHIFT..).min_by(|a, b| a.0.total_cmp(b.0));
        match best {
            Some((&fit, shift)) if shift != 0 && fit < in_place / 2.0 && in_place > MIN_MISMATCH * self.compared as f64 => {
                Some(format!("its video is {} frames off", -shift))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright bar that moves through the cells, above the level `dim`.
    fn walk(n: u64, dim: f32) -> LumaSignature {
        LumaSignature::from_cells(|cell| if (cell as u64 + n / 3).is_multiple_of(6) { dim + 30.0 } else { dim + (n % 3) as f32 })
    }

    fn verdict(encoded: &[LumaSignature], decoded: impl Fn(u64) -> LumaSignature) -> Option<String> {
        let mut check = VideoCheck {
            encoded,
            rate: FrameRate::new(30, 1),
            size: (8, 8),
            quantiser_scale: 1.0,
            last: None,
            compared: 0,
            static_since: None,
            shifted: [0.0; 2 * MAX_SHIFT as usize + 1],
            fault: None,
        };
        (0..encoded.len() as u64).step_by(2).for_each(|n| check.compare(n, decoded(n)));
        check.fault()
    }

    fn talk() -> Vec<LumaSignature> {
        (0..90).map(|n| walk(n, 100.0)).collect()
    }

    #[test]
    fn the_encoded_frames_pass_with_a_little_noise() {
        assert_eq!(verdict(&talk(), |n| walk(n, 100.3)), None);
        let black: Vec<LumaSignature> = (0..90).map(|_| LumaSignature::from_cells(|_| 16.0)).collect();
        assert_eq!(verdict(&black, |_| LumaSignature::from_cells(|_| 16.1)), None);
    }

    #[test]
    fn black_frozen_shifted_and_other_frames_are_detected() {
        let message = |decoded: fn(u64) -> LumaSignature| verdict(&talk(), decoded).unwrap();
        assert!(message(|n| if n == 44 { LumaSignature::from_cells(|_| 16.0) } else { walk(n, 100.0) }).contains("is black at 0:01.467"));
        assert!(message(|n| walk(n, 120.0)).contains("differs from"));
        let faint: Vec<LumaSignature> = (0..90).map(|n| LumaSignature::from_cells(|_| 100.0 + 4.0 * (n as f32 / 10.0).sin())).collect();
        let message = |decoded: fn(u64) -> LumaSignature| verdict(&faint, decoded).unwrap();
        assert!(message(|_| LumaSignature::from_cells(|_| 100.0)).contains("is frozen from 0:00.000 to 0:00.4"));
        assert!(message(|n| LumaSignature::from_cells(|_| 100.0 + 4.0 * ((n as f32 - 2.0) / 10.0).sin())).contains("2 frames off"));
    }

    #[test]
    fn a_file_that_ends_early_or_has_holes_fails() {
        let encoded: Vec<LumaSignature> = (0..300).map(|n| walk(n, 100.0)).collect();
        let mut check = VideoCheck::new(&crate::render::verify::tests::plan(), &encoded);
        assert!(check.fault().is_some());
        (0..40).for_each(|n| check.compare(n, walk(n, 100.0)));
        assert!(check.fault().unwrap().contains("last 260 frames"));
        check.compare(290, walk(290, 100.0));
        assert!(check.fault().unwrap().contains("250 frames before"));
    }
}
