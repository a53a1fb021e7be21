//! Loudness normalisation. The gain is determined before the render by measuring the clip's audio,
//! so that one gain holds for the whole clip and nothing pumps.

use ebur128::{EbuR128, Mode};

use super::clip_audio::ClipAudio;
use crate::av::{AudioFrame, SAMPLE_RATE};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Loudness;

/// The greatest gain, in dB. Recordings that need more are mostly noise.
const MAX_GAIN: f64 = 20.0;
/// Clips quieter than this, in LUFS, contain no intended sound; room noise is about here.
const SILENCE: f64 = -50.0;
/// The distance of the limiter's ceiling from the true peak limit, in dB, because AAC changes the
/// waveform and its peaks.
const CODEC_MARGIN: f64 = 1.0;
/// The limiter also reduces the loudness. The gain is corrected until the remaining difference is
/// at most this, in LU.
const TOLERANCE: f64 = 0.2;
/// The most corrections of the gain.
const MAX_CORRECTIONS: usize = 5;
/// A correction is the remaining difference divided by the fraction of the previous correction that
/// survived the limiter: at least `MIN_YIELD`, and `FIRST_YIELD` for the first correction.
const FIRST_YIELD: f64 = 0.67;
const MIN_YIELD: f64 = 0.2;
/// A clip that misses its loudness by more than this gets a warning, in LU.
const WARN_DIFFERENCE: f64 = 0.5;

/// If a ceiling this many dB lower does not help, lower the loudness instead.
const MAX_CEILING_DROP: f64 = 3.0;
/// The typical difference between true peak and sample peak of voices, in dB.
const INTERSAMPLE_PEAK: f64 = 0.3;
/// The tolerance of the true peak limit, in dB: less than the difference between meters.
const PEAK_TOLERANCE: f64 = 0.1;
/// The safety margin in dB that is added to an overshoot, because the next encode has other peaks.
const OVERSHOOT_MARGIN: f64 = 0.3;

/// The processing of a clip's audio.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Dynamics {
    /// The gain in dB.
    pub(super) gain: f64,
    /// The limiter's ceiling in dBTP; `None` if no peak would pass it.
    pub(super) ceiling: Option<f64>,
}

/// The measured loudness of audio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    /// Integrated loudness in LUFS (ITU-R BS.1770); minus infinity for silence and audio shorter
    /// than 0.4 s.
    pub(super) integrated: f64,
    /// True peak in dBTP; estimated from the sample peak by a quick meter.
    pub(super) true_peak: f64,
}

/// Measures planar float audio at 48 kHz stereo (ITU-R BS.1770, EBU R128).
pub(super) struct Meter {
    ebur: EbuR128,
    exact: bool,
}

impl Meter {
    /// A meter for loudness and true peak.
    pub(super) fn new() -> Result<Self> {
        Meter::with(true)
    }

    /// A meter for loudness and estimated true peak that takes half the time.
    pub(super) fn quick() -> Result<Self> {
        Meter::with(false)
    }

    fn with(exact: bool) -> Result<Self> {
        let peaks = if exact { Mode::TRUE_PEAK } else { Mode::SAMPLE_PEAK };
        let ebur = EbuR128::new(2, SAMPLE_RATE, Mode::I | Mode::HISTOGRAM | peaks).map_err(failure)?;
        Ok(Meter { ebur, exact })
    }

    pub(super) fn push(&mut self, frame: &AudioFrame) -> Result<()> {
        self.ebur.add_frames_planar_f32(&[frame.plane::<f32>(0), frame.plane::<f32>(1)]).map_err(failure)
    }

    pub(super) fn read(&self) -> Result<Measured> {
        let peak = |channel| if self.exact { self.ebur.true_peak(channel) } else { self.ebur.sample_peak(channel) };
        let peak = 20.0 * f64::max(peak(0).map_err(failure)?, peak(1).map_err(failure)?).log10();
        let integrated = self.ebur.loudness_global().map_err(failure)?;
        Ok(Measured { integrated, true_peak: if self.exact { peak } else { peak + INTERSAMPLE_PEAK } })
    }
}

fn failure(error: ebur128::Error) -> Error {
    Error::new(ErrorKind::Encode, format!("cannot measure the loudness: {error}"))
}

/// Measures the source's audio. Returns `None` if the audio stays as it is: no loudness is asked
/// for, there is no audio, or it is too quiet or too short for a measurement. The reader's
/// position is undefined afterwards.
pub(super) fn of_source(audio: &mut ClipAudio, target: Option<Loudness>) -> Result<Option<Measured>> {
    if target.is_none() || !audio.exists() {
        return Ok(None);
    }
    let mut meter = Meter::quick()?;
    audio.process(Dynamics::default(), &mut |frame| meter.push(frame))?;
    let source = meter.read()?;
    Ok((source.integrated >= SILENCE).then_some(source))
}

/// The processing of audio whose loudness is left as it is but for a gain in dB. Where that or a
/// mix can make it louder than its parts, or other parts of the output have a `limit` in dBTP, its
/// peaks are held below that or below full scale.
pub(super) fn unclipped(audio: &mut ClipAudio, gain: f64, limit: Option<f64>) -> Result<Dynamics> {
    let as_it_is = Dynamics { gain, ceiling: None };
    let is_safe = !audio.is_mixed() && gain <= 0.0 && limit.is_none();
    if is_safe || !audio.exists() {
        return Ok(as_it_is);
    }
    let mut meter = Meter::quick()?;
    audio.process_fast(as_it_is, &mut |frame| meter.push(frame))?;
    let limit = limit.unwrap_or(0.0);
    let is_clipped = meter.read()?.true_peak > limit;
    Ok(Dynamics { gain, ceiling: is_clipped.then_some(limit - CODEC_MARGIN) })
}

/// Determines gain and ceiling so that the audio has the target loudness. The ceiling is `lower` dB
/// further below the limit than usual. The reader's position is undefined afterwards.
pub(super) fn solve(audio: &mut ClipAudio, source: Measured, before: Option<Dynamics>, target: Loudness, lower: f64) -> Result<Dynamics> {
    // If peaks stay too high despite the lower ceiling (AAC restores the peaks of limited noise),
    // reduce the loudness as well.
    let target = Loudness { integrated: target.integrated - (lower - MAX_CEILING_DROP).max(0.0), ..target };
    let ceiling = target.true_peak - CODEC_MARGIN - lower.min(MAX_CEILING_DROP);
    let mut dynamics = initial(source, target, ceiling);
    if dynamics.ceiling.is_none() {
        return Ok(dynamics);
    }
    if let Some(before) = before {
        dynamics.gain = dynamics.gain.max(before.gain);
    }
    let mut last: Option<(f64, f64)> = None;
    for _ in 0..MAX_CORRECTIONS {
        let mut meter = Meter::quick()?;
        audio.process_fast(dynamics, &mut |frame| meter.push(frame))?;
        let made = meter.read()?.integrated;
        let missing = target.integrated - made;
        // At the greatest gain nothing more can be added.
        if !missing.is_finite() || missing.abs() < TOLERANCE || (missing > 0.0 && dynamics.gain >= MAX_GAIN) {
            break;
        }
        let gain_yield = last.map_or(FIRST_YIELD, |(gain, integrated)| (made - integrated) / (dynamics.gain - gain));
        last = Some((dynamics.gain, made));
        // The quotient is not a number if the gain did not change.
        let gain_yield = if gain_yield >= MIN_YIELD { gain_yield.min(1.0) } else { MIN_YIELD };
        dynamics.gain = (dynamics.gain + missing / gain_yield).min(MAX_GAIN);
    }
    Ok(dynamics)
}

/// The warning for a clip that stayed too quiet.
pub(super) fn shortfall(dynamics: Dynamics, made: Measured, target: Loudness) -> Option<String> {
    (target.integrated - made.integrated > WARN_DIFFERENCE).then(|| {
        format!(
            "the audio is very quiet or uneven: with {:.0} dB of gain it has {:.1} LUFS instead of {:.1}",
            dynamics.gain, made.integrated, target.integrated
        )
    })
}

/// The number of dB by which to lower the ceiling for a file whose true peak is `true_peak`; 0 if
/// the peak is within the limit.
pub(super) fn overshoot(true_peak: f64, target: Loudness) -> f64 {
    let over = true_peak - target.true_peak;
    if over > PEAK_TOLERANCE { over + OVERSHOOT_MARGIN } else { 0.0 }
}

/// The processing for audio of the given loudness.
fn initial(source: Measured, target: Loudness, ceiling: f64) -> Dynamics {
    // Also covers a loudness that is not a number.
    if source.integrated.is_nan() || source.integrated < SILENCE {
        return Dynamics::default();
    }
    let gain = (target.integrated - source.integrated).min(MAX_GAIN);
    Dynamics { gain, ceiling: (source.true_peak + gain > ceiling).then_some(ceiling) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(integrated: f64, true_peak: f64) -> Dynamics {
        initial(Measured { integrated, true_peak }, Loudness::ONLINE, -2.0)
    }

    #[test]
    fn speech_gets_the_target_loudness_and_only_high_peaks_are_limited() {
        assert_eq!(of(-24.0, -14.0), Dynamics { gain: 10.0, ceiling: None });
        assert_eq!(of(-24.0, -6.0), Dynamics { gain: 10.0, ceiling: Some(-2.0) });
        assert_eq!(of(-6.0, 1.0), Dynamics { gain: -8.0, ceiling: None });
    }

    #[test]
    fn noise_and_silence_stay_and_whispers_get_limited_gain() {
        for quiet in [f64::NEG_INFINITY, f64::NAN, -65.0] {
            assert_eq!(of(quiet, -40.0), Dynamics::default());
        }
        assert_eq!(of(-45.0, -30.0), Dynamics { gain: 20.0, ceiling: None });
    }

    proptest! {
        #[test]
        fn no_peak_passes_the_limit(integrated in -100.0..10.0_f64, crest in 0.0..30.0_f64) {
            let peak = integrated + crest;
            let Dynamics { gain, ceiling } = of(integrated, peak);
            prop_assert!(gain <= MAX_GAIN && (ceiling.is_some() || peak + gain <= -2.0 || gain == 0.0));
        }
    }
}
