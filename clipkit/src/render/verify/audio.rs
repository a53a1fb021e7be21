use crate::av::{AudioFrame, SAMPLE_RATE};
use crate::error::Result;
use crate::model::{ClipPlan, Loudness, Timestamp};
use crate::render::envelope::{Envelope, READINGS_PER_SEC};
use crate::render::loudness::{self, Measured, Meter};
use crate::render::record::RenderRecord;

use super::{SYNC_TOLERANCE_SECS, at};

/// The tolerated loudness difference between the encoded and the decoded audio, in LU. AAC keeps
/// speech, but removes everything above 16 kHz, which is 1.7 LU of white noise.
const LOUDNESS_TOLERANCE: f64 = 2.5;
/// The tolerance for bit rates below [`LOW_BITRATE`] (bits per second), in LU.
const LOW_BITRATE_TOLERANCE: f64 = 4.0;
const LOW_BITRATE: u32 = 96_000;
/// The length of the windows in which audio is searched for holes, in readings: 50 ms.
const WINDOW: usize = READINGS_PER_SEC / 20;
/// The mean level below which audio counts as silent: -45 dB.
const SILENCE: f32 = 0.005_6;
/// A window of audible audio is missing if less than this fraction of its level is left.
const MIN_LEFT: f32 = 0.1;
/// The number of consecutive missing windows that is a hole.
const HOLE_WINDOWS: usize = 2;
/// The length of the blocks in which an offset is measured, in readings: a word or two.
const BLOCK: usize = 4 * READINGS_PER_SEC;
/// The most blocks, spread over the clip, because drifting audio is only off at its end.
const MAX_BLOCKS: usize = 8;
/// The greatest offset that is searched for, in readings.
const MAX_OFFSET: usize = READINGS_PER_SEC / 5;
/// An offset is accepted if the correlation there is greater than this, and by [`MIN_IMPROVEMENT`]
/// greater than without an offset.
const MIN_CORRELATION: f64 = 0.5;
const MIN_IMPROVEMENT: f64 = 0.1;

/// Compares the audio of the finished file with the audio that was encoded.
pub(super) struct AudioCheck<'a> {
    encoded: &'a Envelope,
    expected: Option<Measured>,
    /// The tolerated loudness difference, in LU.
    loudness_tolerance: f64,
    target: Option<Loudness>,
    decoded: Envelope,
    meter: Meter,
    fault: Option<String>,
}

impl<'a> AudioCheck<'a> {
    pub(super) fn new(plan: &ClipPlan, record: &'a RenderRecord) -> Result<Self> {
        Ok(AudioCheck {
            encoded: &record.audio,
            expected: record.loudness,
            loudness_tolerance: if plan.output.audio_bitrate < LOW_BITRATE { LOW_BITRATE_TOLERANCE } else { LOUDNESS_TOLERANCE },
            target: plan.output.loudness,
            decoded: Envelope::default(),
            meter: Meter::new()?,
            fault: None,
        })
    }

    /// Adds a decoded frame.
    pub(super) fn push(&mut self, moment: Timestamp, frame: &AudioFrame) -> Result<()> {
        let stereo = frame.rate() == SAMPLE_RATE && frame.planes() == 2 && frame.is_planar();
        if !stereo {
            let (rate, planes) = (frame.rate(), frame.planes());
            self.fault.get_or_insert(format!("its audio has {rate} samples per second in {planes} planes {}", at(moment)));
            return Ok(());
        }
        self.decoded.push(frame);
        if self.expected.is_some() { self.meter.push(frame) } else { Ok(()) }
    }

    /// The envelope of what was decoded.
    pub(super) fn envelope(&self) -> &[f32] {
        self.decoded.readings()
    }

    /// Returns the first fault, if there is one.
    pub(super) fn fault(&mut self) -> Result<Option<String>> {
        if let Some(fault) = self.fault.take() {
            return Ok(Some(fault));
        }
        let (encoded, decoded) = (self.encoded.readings(), self.decoded.readings());
        if let Some(off) = offset(encoded, decoded) {
            return Ok(Some(format!("its audio is {off:+.3} s off")));
        }
        if let Some(moment) = hole(encoded, decoded) {
            return Ok(Some(format!("its audio is missing {}", at(moment))));
        }
        let Some(expected) = self.expected else { return Ok(None) };
        let measured = self.meter.read()?;
        let (wanted, got) = (expected.integrated, measured.integrated);
        if wanted.is_finite() && (got.is_nan() || (got - wanted).abs() > self.loudness_tolerance) {
            return Ok(Some(format!("its audio has {got:.1} LUFS, not {wanted:.1}")));
        }
        let over = self.target.map_or(0.0, |target| loudness::overshoot(measured.true_peak, target));
        Ok((over > 0.0).then(|| format!("its peaks reach {:.1} dBTP", measured.true_peak)))
    }
}

/// The start of the first hole: audio that was encoded and is missing from the file.
fn hole(encoded: &[f32], decoded: &[f32]) -> Option<Timestamp> {
    let mut missing = 0;
    for (n, window) in encoded.chunks_exact(WINDOW).enumerate() {
        let left = decoded.get(n * WINDOW..(n + 1) * WINDOW).unwrap_or_default();
        let (was, is) = (mean(window), mean(left));
        missing = if was > SILENCE && is < was * MIN_LEFT { missing + 1 } else { 0 };
        if missing == HOLE_WINDOWS {
            let from = (n + 1 - HOLE_WINDOWS) * WINDOW;
            return Some(Timestamp::from_secs(from as f64 / READINGS_PER_SEC as f64));
        }
    }
    None
}

fn mean(readings: &[f32]) -> f32 {
    readings.iter().sum::<f32>() / readings.len().max(1) as f32
}

/// The offset of the decoded audio in seconds (positive if late), if it exceeds the tolerance.
/// Uniform audio (a tone, noise, silence) has no measurable offset.
fn offset(encoded: &[f32], decoded: &[f32]) -> Option<f64> {
    let blocks = (encoded.len() / BLOCK).max(1);
    let step = blocks.div_ceil(MAX_BLOCKS);
    (0..blocks).step_by(step).find_map(|block| {
        let from = block * BLOCK;
        let piece = encoded.get(from..(from + BLOCK).min(encoded.len()))?;
        let fit = |shift: i64| correlation(piece, decoded, from as i64 + shift);
        let (best, shift) =
            (-(MAX_OFFSET as i64)..=MAX_OFFSET as i64).map(|shift| (fit(shift), shift)).max_by(|a, b| a.0.total_cmp(&b.0))?;
        let off = shift as f64 / READINGS_PER_SEC as f64;
        (off.abs() > SYNC_TOLERANCE_SECS && best > MIN_CORRELATION && best > fit(0) + MIN_IMPROVEMENT).then_some(off)
    })
}

/// The correlation, -1 to 1, of a block and the part of another envelope that starts at `from`.
/// Beyond its ends the other envelope is silent.
fn correlation(piece: &[f32], envelope: &[f32], from: i64) -> f64 {
    let there = |n: usize| usize::try_from(from + n as i64).ok().and_then(|at| envelope.get(at)).copied().unwrap_or(0.0);
    let (mut a, mut b, mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (n, &reading) in piece.iter().enumerate() {
        let (x, y) = (f64::from(reading), f64::from(there(n)));
        a += x;
        b += y;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    let count = piece.len().max(1) as f64;
    let (spread_a, spread_b) = (aa - a * a / count, bb - b * b / count);
    let spread = (spread_a * spread_b).sqrt();
    if spread > 1e-9 { (ab - a * b / count) / spread } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An approximation of speech: bursts of uneven length and level.
    fn speech(n: usize) -> f32 {
        let syllable = n / 130;
        let strength = (syllable * 7919 % 13) as f32 / 13.0;
        if (syllable * 31).is_multiple_of(5) { 0.001 } else { 0.02 + 0.2 * strength * ((n % 130) as f32 / 41.0).sin().abs() }
    }

    #[test]
    fn late_early_and_drifting_audio_is_detected() {
        let encoded: Vec<f32> = (0..12_000).map(speech).collect();
        assert_eq!(offset(&encoded, &encoded), None);
        let late = |by: usize| (0..12_000).map(|n| if n < by { 0.0 } else { speech(n - by) }).collect::<Vec<_>>();
        assert_eq!(offset(&encoded, &late(12)), None);
        assert_eq!(offset(&encoded, &late(40)), Some(0.04));
        assert_eq!(offset(&encoded, &encoded[30..]), Some(-0.03));
        let drifting: Vec<f32> = (0..12_000).map(|n| speech(n - n / 150)).collect();
        assert!(offset(&encoded, &drifting).is_some_and(|off| off > 0.02));
    }

    #[test]
    fn a_hole_is_detected_and_a_pause_is_not() {
        let encoded: Vec<f32> = (0..6000).map(|n| if (2000..4000).contains(&n) { 0.000_1 } else { speech(n) + 0.01 }).collect();
        assert_eq!(hole(&encoded, &encoded), None);
        let muted = |from: usize, to: usize| {
            let decoded: Vec<f32> = encoded.iter().enumerate().map(|(n, &x)| if (from..to).contains(&n) { 0.0 } else { x }).collect();
            hole(&encoded, &decoded)
        };
        assert_eq!(muted(2000, 4000), None);
        assert_eq!(muted(4500, 4700), Some(Timestamp::from_secs(4.5)));
        assert_eq!(hole(&encoded, &encoded[..5000]), Some(Timestamp::from_secs(5.0)));
        assert_eq!(hole(&encoded, &[]), Some(Timestamp::ZERO));
    }

    proptest! {
        #[test]
        fn uniform_audio_has_no_offset(level in 0.0..1.0_f32, shift in 0..200usize) {
            let even = vec![level; 5000];
            prop_assert_eq!(offset(&even, &even[shift..]), None);
            prop_assert_eq!(offset(&[], &even), None);
        }
    }
}
