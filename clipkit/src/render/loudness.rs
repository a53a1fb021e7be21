//! How loud a clip is, and what is done about it. Settled before the render by listening to the clip's sound alone, so that one gain holds
//! from its start to its end and nothing pumps.

use ebur128::{EbuR128, Mode};

use super::sound::Sound;
use crate::av::{AudioFrame, SAMPLE_RATE};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Loudness};

/// The most that a clip is raised, in dB: beyond it a recording is mostly noise.
const MOST_GAIN: f64 = 20.0;
/// In a quieter clip nothing is meant to be heard, in LUFS: room noise is about here.
const NOTHING_HEARD: f64 = -50.0;
/// How far below the limit peaks stay before the encode, in dB: AAC changes the wave's shape, and with it the peaks.
const CODEC_MARGIN: f64 = 1.0;
/// A limiter takes loudness away with the peaks; the gain is set again until no more than this is missing, in LU ...
const CLOSE: f64 = 0.2;
/// ... at most so many times ...
const CORRECTIONS: usize = 5;
/// ... and by what is missing, divided by how much of the last correction was left (until that is known, by `LEFT`; never less than `LEAST_LEFT`):
/// some of it goes to the limiter again.
const LEFT: f64 = 0.67;
const LEAST_LEFT: f64 = 0.2;
/// A clip that misses its loudness by more than this says so, in LU.
const AUDIBLE: f64 = 0.5;

/// Where holding the peaks this many dB lower does not help, the limiter is not the way.
const STUBBORN: f64 = 3.0;
/// How far a voice's peaks are above its highest sample, in dB, about.
const BETWEEN_SAMPLES: f64 = 0.3;
/// How far peaks may pass the plan's limit, in dB: less than meters agree on.
const PEAK: f64 = 0.1;
/// What more than the overshoot is taken off where peaks passed the limit, in dB: the next encode is another.
const TO_BE_SURE: f64 = 0.3;

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
    /// In dBTP; an estimate where a quick meter measured it.
    pub(super) true_peak: f64,
}

/// Measures sound: 48 kHz, stereo, a plane for each channel.
pub(super) struct Meter {
    ebur: EbuR128,
    exact: bool,
}

impl Meter {
    /// For loudness and true peaks.
    pub(super) fn new() -> Result<Self> {
        Meter::with(true)
    }

    /// In half the time, for loudness and about how high the peaks are.
    pub(super) fn quick() -> Result<Self> {
        Meter::with(false)
    }

    fn with(exact: bool) -> Result<Self> {
        let peaks = if exact { Mode::TRUE_PEAK } else { Mode::SAMPLE_PEAK };
        let ebur = EbuR128::new(2, SAMPLE_RATE, Mode::I | Mode::HISTOGRAM | peaks).map_err(refuse)?;
        Ok(Meter { ebur, exact })
    }

    pub(super) fn push(&mut self, frame: &AudioFrame) -> Result<()> {
        self.ebur.add_frames_planar_f32(&[frame.plane::<f32>(0), frame.plane::<f32>(1)]).map_err(refuse)
    }

    pub(super) fn read(&self) -> Result<Measured> {
        let peak = |channel| if self.exact { self.ebur.true_peak(channel) } else { self.ebur.sample_peak(channel) };
        let peak = 20.0 * f64::max(peak(0).map_err(refuse)?, peak(1).map_err(refuse)?).log10();
        let integrated = self.ebur.loudness_global().map_err(refuse)?;
        Ok(Measured { integrated, true_peak: if self.exact { peak } else { peak + BETWEEN_SAMPLES } })
    }
}

fn refuse(error: ebur128::Error) -> Error {
    Error::new(ErrorKind::Encode, format!("cannot measure the loudness: {error}"))
}

/// How loud the sound is in the source; none where it is left alone: nobody asks for a loudness, there is no sound, or it is too quiet or too
/// short for a number to go by. The sound is left somewhere in its course.
pub(super) fn of_source(sound: &mut Sound, plan: &ClipPlan) -> Result<Option<Measured>> {
    if plan.output.loudness.is_none() || !sound.is_there() {
        return Ok(None);
    }
    let mut meter = Meter::quick()?;
    sound.listen(Treatment::default(), &mut |frame| meter.push(frame))?;
    let source = meter.read()?;
    Ok((source.integrated >= NOTHING_HEARD).then_some(source))
}

/// Corrects what is done to the sound until it is as loud as it should be, with its peaks held `lower` dB further below the limit than usual.
/// The sound is left somewhere in its course.
pub(super) fn settle(sound: &mut Sound, source: Measured, before: Option<Treatment>, target: Loudness, lower: f64) -> Result<Treatment> {
    // Peaks that stay too high however they are held (AAC gives squeezed noise its peaks back) come down with all of the sound.
    let target = Loudness { integrated: target.integrated - (lower - STUBBORN).max(0.0), ..target };
    let ceiling = target.true_peak - CODEC_MARGIN - lower.min(STUBBORN);
    let mut treatment = treat(source, target, ceiling);
    if treatment.ceiling.is_none() {
        return Ok(treatment);
    }
    if let Some(before) = before {
        treatment.gain = treatment.gain.max(before.gain);
    }
    let mut last: Option<(f64, f64)> = None;
    for _ in 0..CORRECTIONS {
        let mut meter = Meter::quick()?;
        sound.sketch(treatment, &mut |frame| meter.push(frame))?;
        let made = meter.read()?.integrated;
        let missing = target.integrated - made;
        // What is still missing at the most gain stays missing.
        if !missing.is_finite() || missing.abs() < CLOSE || (missing > 0.0 && treatment.gain >= MOST_GAIN) {
            break;
        }
        let left = last.map_or(LEFT, |(gain, integrated)| (made - integrated) / (treatment.gain - gain));
        last = Some((treatment.gain, made));
        // Also where the gain did not change, and there is no number.
        let left = if left >= LEAST_LEFT { left.min(1.0) } else { LEAST_LEFT };
        treatment.gain = (treatment.gain + missing / left).min(MOST_GAIN);
    }
    Ok(treatment)
}

/// What to tell of a clip that stayed too quiet, if it did.
pub(super) fn shortfall(treatment: Treatment, made: Measured, target: Loudness) -> Option<String> {
    (target.integrated - made.integrated > AUDIBLE).then(|| {
        format!(
            "the sound is very quiet or uneven: raised by {:.0} dB it has {:.1} LUFS, not {:.1}",
            treatment.gain, made.integrated, target.integrated
        )
    })
}

/// By how many dB peaks have to be lower that reach `true_peak` in the file; 0 where they may stay.
pub(super) fn overshoot(true_peak: f64, target: Loudness) -> f64 {
    let over = true_peak - target.true_peak;
    if over > PEAK { over + TO_BE_SURE } else { 0.0 }
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
