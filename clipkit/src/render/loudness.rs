//! How loud a clip is, and what is done about it. Settled before the render by listening to the clip's sound alone, so that one gain holds
//! from its start to its end and nothing pumps.

use ebur128::{EbuR128, Mode};

use super::sound::Sound;
use crate::av::{AudioFrame, SAMPLE_RATE};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Loudness};

/// The most that a clip is raised, in dB: beyond it a recording is mostly noise.
const MOST_GAIN: f64 = 20.0;
/// In a quieter clip nothing is meant to be heard, in LUFS: room noise is about here.
const NOTHING_HEARD: f64 = -50.0;
/// How far below the limit peaks stay before the encode, in dB: AAC changes the wave's shape, and with it the peaks.
const CODEC_MARGIN: f64 = 1.0;
/// A limiter takes loudness away with the peaks; the gain is set again until no more than this is missing, in LU ...
const CLOSE: f64 = 0.1;
/// ... at most so many times ...
const CORRECTIONS: usize = 5;
/// ... and by what is missing, divided by how much of the last correction was left (until that is known, by `LEFT`; never less than `LEAST_LEFT`):
/// some of it goes to the limiter again.
const LEFT: f64 = 0.67;
const LEAST_LEFT: f64 = 0.2;
/// A clip that misses its loudness by more than this says so, in LU.
const AUDIBLE: f64 = 0.5;

/// What is done to the sound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Treatment {
    /// By how much it is raised, in dB.
    pub(super) gain: f64,
    /// Where peaks are held down, in dBTP; none where none would pass the limit.
    pub(super) ceiling: Option<f64>,
}

/// How loud a stretch of sound is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    /// In LUFS; minus infinity where it is silent or shorter than 0.4 s.
    pub(super) integrated: f64,
    /// In dBTP.
    pub(super) true_peak: f64,
}

/// Measures sound: 48 kHz, stereo, a plane for each channel.
pub(super) struct Meter(EbuR128);

impl Meter {
    /// For loudness and peaks.
    pub(super) fn new() -> Result<Self> {
        EbuR128::new(2, SAMPLE_RATE, Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM).map(Meter).map_err(refuse)
    }

    /// For loudness alone, which takes half the time.
    fn without_peaks() -> Result<Self> {
        EbuR128::new(2, SAMPLE_RATE, Mode::I | Mode::HISTOGRAM).map(Meter).map_err(refuse)
    }

    pub(super) fn push(&mut self, frame: &AudioFrame) -> Result<()> {
        self.0.add_frames_planar_f32(&[frame.plane::<f32>(0), frame.plane::<f32>(1)]).map_err(refuse)
    }

    pub(super) fn read(&self) -> Result<Measured> {
        let peak = f64::max(self.0.true_peak(0).map_err(refuse)?, self.0.true_peak(1).map_err(refuse)?);
        Ok(Measured { integrated: self.loudness()?, true_peak: 20.0 * peak.log10() })
    }

    fn loudness(&self) -> Result<f64> {
        self.0.loudness_global().map_err(refuse)
    }
}

fn refuse(error: ebur128::Error) -> Error {
    Error::new(ErrorKind::Encode, format!("cannot measure the loudness: {error}"))
}

/// Where holding the peaks this many dB lower does not help, the limiter is not the way.
const STUBBORN: f64 = 3.0;

/// What to do with a clip's sound, and how loud it is then; no loudness where none is asked for, or the sound is left alone.
///
/// `lower` is by how many dB more than usual the peaks are held below the plan's limit. The sound is left somewhere in its course.
pub(super) fn settle(cx: &Context, sound: &mut Sound, plan: &ClipPlan, lower: f64) -> Result<(Treatment, Option<Measured>)> {
    let untouched = Treatment::default();
    let Some(target) = plan.output.loudness.filter(|_| sound.is_there()) else { return Ok((untouched, None)) };
    // Peaks that stay too high however they are held (AAC gives squeezed noise its peaks back) come down with all of the sound.
    let target = Loudness { integrated: target.integrated - (lower - STUBBORN).max(0.0), ..target };
    let mut meter = Meter::new()?;
    sound.listen(untouched, &mut |frame| meter.push(frame))?;
    let source = meter.read()?;
    // Too quiet, or too short for a number to go by: it is left as it is, and nothing is asked of it.
    if source.integrated.is_nan() || source.integrated < NOTHING_HEARD {
        return Ok((untouched, None));
    }
    let ceiling = target.true_peak - CODEC_MARGIN - lower.min(STUBBORN);
    let mut treatment = treat(source, target, ceiling);
    let mut made = Measured { integrated: source.integrated + treatment.gain, true_peak: source.true_peak + treatment.gain };
    if treatment.ceiling.is_some() {
        let mut before: Option<(f64, f64)> = None;
        for _ in 0..CORRECTIONS {
            let mut meter = Meter::without_peaks()?;
            sound.listen(treatment, &mut |frame| meter.push(frame))?;
            made.integrated = meter.loudness()?;
            let missing = target.integrated - made.integrated;
            // What is still missing at the most gain stays missing.
            if !missing.is_finite() || missing.abs() < CLOSE || (missing > 0.0 && treatment.gain >= MOST_GAIN) {
                break;
            }
            let left = before.map_or(LEFT, |(gain, integrated)| (made.integrated - integrated) / (treatment.gain - gain));
            before = Some((treatment.gain, made.integrated));
            // Also where the gain did not change, and there is no number.
            let left = if left >= LEAST_LEFT { left.min(1.0) } else { LEAST_LEFT };
            treatment.gain = (treatment.gain + missing / left).min(MOST_GAIN);
        }
    }
    if treatment != untouched && target.integrated - made.integrated > AUDIBLE {
        cx.warn(format!(
            "the sound is very quiet or uneven: raised by {:.0} dB it has {:.1} LUFS, not {:.1}",
            treatment.gain, made.integrated, target.integrated
        ));
    }
    Ok((treatment, Some(made)))
}

/// From how loud the source is to what is done to it.
fn treat(source: Measured, target: Loudness, ceiling: f64) -> Treatment {
    // Also where there is no number to go by.
    if source.integrated.is_nan() || source.integrated < NOTHING_HEARD {
        return Treatment::default();
    }
    let gain = (target.integrated - source.integrated).min(MOST_GAIN);
    Treatment { gain, ceiling: (source.true_peak + gain > ceiling).then_some(ceiling) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(integrated: f64, true_peak: f64) -> Treatment {
        treat(Measured { integrated, true_peak }, Loudness::ONLINE, -2.0)
    }

    #[test]
    fn speech_is_brought_to_the_target_and_only_high_peaks_are_held() {
        assert_eq!(of(-24.0, -14.0), Treatment { gain: 10.0, ceiling: None });
        assert_eq!(of(-24.0, -6.0), Treatment { gain: 10.0, ceiling: Some(-2.0) });
        assert_eq!(of(-6.0, 1.0), Treatment { gain: -8.0, ceiling: None });
    }

    #[test]
    fn noise_and_silence_are_left_alone_and_whispers_are_raised_within_reason() {
        for quiet in [f64::NEG_INFINITY, f64::NAN, -65.0] {
            assert_eq!(of(quiet, -40.0), Treatment::default());
        }
        assert_eq!(of(-45.0, -30.0), Treatment { gain: 20.0, ceiling: None });
    }

    proptest! {
        #[test]
        fn no_peak_passes_unheld(integrated in -100.0..10.0_f64, crest in 0.0..30.0_f64) {
            let peak = integrated + crest;
            let Treatment { gain, ceiling } = of(integrated, peak);
            prop_assert!(gain <= MOST_GAIN && (ceiling.is_some() || peak + gain <= -2.0 || gain == 0.0));
        }
    }
}
