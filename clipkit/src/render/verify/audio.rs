use crate::av::{AudioFrame, SAMPLE_RATE};
use crate::error::Result;
use crate::model::{ClipPlan, Loudness, Timestamp};
use crate::render::envelope::{Envelope, READINGS};
use crate::render::loudness::{self, Measured, Meter};
use crate::render::record::RenderRecord;

use super::{TOGETHER_SECS, at};

/// How far a clip's loudness may be from what it was before the encode, in LU: AAC takes nothing of speech away, but everything
/// above 16 kHz, which is 1.7 LU of white noise ...
const LOUDNESS: f64 = 2.5;
/// ... and more where it has few bits a second.
const STARVED_LOUDNESS: f64 = 4.0;
const STARVED_BITRATE: u32 = 96_000;
/// Sound is compared in stretches of this many readings: 50 ms.
const STRETCH: usize = READINGS / 20;
/// Below this level (-45 dB of the mean) sound is not missed ...
const AUDIBLE: f32 = 0.005_6;
/// ... and above it, what is left of it has to be more than a tenth.
const LEFT: f32 = 0.1;
/// So many silent stretches in a row are a hole.
const HOLE: usize = 2;
/// An offset is looked for in blocks of this many readings: long enough for a word or two.
const BLOCK: usize = 4 * READINGS;
/// At most so many blocks, spread over the clip: sound that drifts is off at its end.
const BLOCKS: usize = 8;
/// How far an offset is looked for, in readings.
const REACH: usize = READINGS / 5;
/// An offset is believed where the sound fits this well there, and so much better than where it should be.
const FITS: f64 = 0.5;
const BETTER: f64 = 0.1;

/// Compares the sound of the finished file with what was encoded.
pub(super) struct AudioCheck<'a> {
    encoded: &'a Envelope,
    expected: Option<Measured>,
    /// How far the loudness may be off, in LU.
    loudness_leeway: f64,
    target: Option<Loudness>,
    decoded: Envelope,
    meter: Meter,
    fault: Option<String>,
}

impl<'a> AudioCheck<'a> {
    pub(super) fn new(plan: &ClipPlan, witness: &'a RenderRecord) -> Result<Self> {
        Ok(AudioCheck {
            encoded: &witness.sound,
            expected: witness.loudness,
            loudness_leeway: if plan.output.audio_bitrate < STARVED_BITRATE { STARVED_LOUDNESS } else { LOUDNESS },
            target: plan.output.loudness,
            decoded: Envelope::default(),
            meter: Meter::new()?,
            fault: None,
        })
    }

    /// Listens to a decoded stretch.
    pub(super) fn hear(&mut self, moment: Timestamp, frame: &AudioFrame) -> Result<()> {
        let stereo = frame.rate() == SAMPLE_RATE && frame.planes() == 2 && frame.is_planar();
        if !stereo {
            let (rate, planes) = (frame.rate(), frame.planes());
            self.fault.get_or_insert(format!("its sound has {rate} samples a second in {planes} planes {}", at(moment)));
            return Ok(());
        }
        self.decoded.push(frame);
        if self.expected.is_some() { self.meter.push(frame) } else { Ok(()) }
    }

    /// What is wrong, if something is.
    pub(super) fn verdict(&mut self) -> Result<Option<String>> {
        if let Some(fault) = self.fault.take() {
            return Ok(Some(fault));
        }
        let (encoded, decoded) = (self.encoded.readings(), self.decoded.readings());
        if let Some(off) = offset(encoded, decoded) {
            return Ok(Some(format!("its sound is {off:+.3} s off")));
        }
        if let Some(moment) = hole(encoded, decoded) {
            return Ok(Some(format!("its sound is missing {}", at(moment))));
        }
        let Some(expected) = self.expected else { return Ok(None) };
        let measured = self.meter.read()?;
        let (wanted, got) = (expected.integrated, measured.integrated);
        if wanted.is_finite() && (got.is_nan() || (got - wanted).abs() > self.loudness_leeway) {
            return Ok(Some(format!("its sound has {got:.1} LUFS, not {wanted:.1}")));
        }
        let over = self.target.map_or(0.0, |target| loudness::overshoot(measured.true_peak, target));
        Ok((over > 0.0).then(|| format!("its peaks reach {:.1} dBTP", measured.true_peak)))
    }
}

/// Where sound that was encoded is gone.
fn hole(encoded: &[f32], decoded: &[f32]) -> Option<Timestamp> {
    let mut missing = 0;
    for (n, stretch) in encoded.chunks_exact(STRETCH).enumerate() {
        let left = decoded.get(n * STRETCH..(n + 1) * STRETCH).unwrap_or_default();
        let (was, is) = (mean(stretch), mean(left));
        missing = if was > AUDIBLE && is < was * LEFT { missing + 1 } else { 0 };
        if missing == HOLE {
            let from = (n + 1 - HOLE) * STRETCH;
            return Some(Timestamp::from_secs(from as f64 / READINGS as f64));
        }
    }
    None
}

fn mean(readings: &[f32]) -> f32 {
    readings.iter().sum::<f32>() / readings.len().max(1) as f32
}

/// By how many seconds the decoded sound is late, where it is by more than anybody would accept. Sound that is the same all the time (a tone,
/// noise, silence) is nowhere late.
fn offset(encoded: &[f32], decoded: &[f32]) -> Option<f64> {
    let blocks = (encoded.len() / BLOCK).max(1);
    let step = blocks.div_ceil(BLOCKS);
    (0..blocks).step_by(step).find_map(|block| {
        let from = block * BLOCK;
        let piece = encoded.get(from..(from + BLOCK).min(encoded.len()))?;
        let fit = |shift: i64| likeness(piece, decoded, from as i64 + shift);
        let (best, shift) = (-(REACH as i64)..=REACH as i64).map(|shift| (fit(shift), shift)).max_by(|a, b| a.0.total_cmp(&b.0))?;
        let off = shift as f64 / READINGS as f64;
        (off.abs() > TOGETHER_SECS && best > FITS && best > fit(0) + BETTER).then_some(off)
    })
}

/// How alike a piece and the part of another course that starts at `from` are: their correlation, -1 to 1. What is beyond the ends is silent.
fn likeness(piece: &[f32], course: &[f32], from: i64) -> f64 {
    let there = |n: usize| usize::try_from(from + n as i64).ok().and_then(|at| course.get(at)).copied().unwrap_or(0.0);
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

    /// Something like speech: bursts of uneven length and strength.
    fn speech(n: usize) -> f32 {
        let syllable = n / 130;
        let strength = (syllable * 7919 % 13) as f32 / 13.0;
        if (syllable * 31).is_multiple_of(5) { 0.001 } else { 0.02 + 0.2 * strength * ((n % 130) as f32 / 41.0).sin().abs() }
    }

    #[test]
    fn late_early_and_drifting_sound_is_noticed() {
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
    fn a_hole_is_noticed_and_a_pause_is_not() {
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
        fn sound_without_features_is_never_late(level in 0.0..1.0_f32, shift in 0..200usize) {
            let even = vec![level; 5000];
            prop_assert_eq!(offset(&even, &even[shift..]), None);
            prop_assert_eq!(offset(&[], &even), None);
        }
    }
}
