//! Mel-frequency cepstral coefficients as the package `python_speech_features` 0.6 computes them
//! with its defaults, on which LR-ASD was trained.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// The sample rate of the input, in Hz.
pub(super) const RATE: usize = 16_000;
/// Coefficients per frame.
pub(super) const COEFFICIENTS: usize = 13;
/// Samples between the starts of two frames: 10 ms.
pub(super) const HOP: usize = 160;
/// Samples of a frame: 25 ms, with a rectangular window.
pub(super) const WINDOW: usize = 400;
const FFT: usize = 512;
const BINS: usize = FFT / 2 + 1;
const FILTERS: usize = 26;
const PRE_EMPHASIS: f64 = 0.97;
const LIFTER: f64 = 22.0;

/// Computes coefficients.
pub(super) struct Mfcc {
    fft: Arc<dyn RealToComplex<f64>>,
    /// The mel filters: triangles over the bins of the spectrum.
    filters: Vec<[f64; BINS]>,
    /// The orthonormal DCT-II with the lifter, one row per coefficient.
    transform: [[f64; FILTERS]; COEFFICIENTS],
}

impl Mfcc {
    pub(super) fn new() -> Self {
        let transform = std::array::from_fn(|k| {
            let scale = if k == 0 { (1.0 / FILTERS as f64).sqrt() } else { (2.0 / FILTERS as f64).sqrt() };
            let lift = 1.0 + LIFTER / 2.0 * (PI * k as f64 / LIFTER).sin();
            std::array::from_fn(|n| lift * scale * (PI * k as f64 * (2 * n + 1) as f64 / (2 * FILTERS) as f64).cos())
        });
        Mfcc { fft: RealFftPlanner::new().plan_fft_forward(FFT), filters: filters(), transform }
    }

    /// The coefficients of `frames` frames, frame after frame, of samples at [`RATE`] in the range
    /// of 16-bit integers (-32768 to 32767). Samples that are missing at the end are 0.
    pub(super) fn frames(&self, samples: &[f64], frames: usize) -> Vec<f32> {
        let (mut window, mut spectrum, mut scratch) = (self.fft.make_input_vec(), self.fft.make_output_vec(), self.fft.make_scratch_vec());
        let mut features = Vec::with_capacity(frames * COEFFICIENTS);
        for start in (0..frames).map(|frame| frame * HOP) {
            window.fill(0.0);
            for (n, value) in window.iter_mut().take(WINDOW).enumerate() {
                let at = |n: usize| samples.get(n).copied().unwrap_or(0.0);
                // The last sample is not repeated into the padding, as in the original.
                let before = (start + n).checked_sub(1).filter(|_| start + n < samples.len()).map_or(0.0, at);
                *value = at(start + n) - PRE_EMPHASIS * before;
            }
            // The lengths are those of the plan, so this cannot fail.
            let _ = self.fft.process_with_scratch(&mut window, &mut spectrum, &mut scratch);
            features.extend(self.coefficients(&spectrum));
        }
        features
    }

    fn coefficients(&self, spectrum: &[Complex<f64>]) -> [f32; COEFFICIENTS] {
        let log = |value: f64| if value == 0.0 { f64::EPSILON.ln() } else { value.ln() };
        let power: Vec<f64> = spectrum.iter().map(|bin| bin.norm_sqr() / FFT as f64).collect();
        let mut bands = [0.0; FILTERS];
        for (band, filter) in bands.iter_mut().zip(&self.filters) {
            *band = log(filter.iter().zip(&power).map(|(weight, power)| weight * power).sum());
        }
        let mut coefficients = self.transform.map(|row| row.iter().zip(&bands).map(|(weight, band)| weight * band).sum::<f64>() as f32);
        coefficients[0] = log(power.iter().sum()) as f32;
        coefficients
    }
}

/// Triangles with edges at even distances on the mel scale from 0 Hz to half the sample rate.
fn filters() -> Vec<[f64; BINS]> {
    let mel = |hertz: f64| 2595.0 * (1.0 + hertz / 700.0).log10();
    let hertz = |mel: f64| 700.0 * (10_f64.powf(mel / 2595.0) - 1.0);
    let highest = mel(RATE as f64 / 2.0);
    let edge = |n: usize| ((FFT + 1) as f64 * hertz(highest * n as f64 / (FILTERS + 1) as f64) / RATE as f64).floor() as usize;
    let triangle = |n: usize| {
        let (low, middle, high) = (edge(n), edge(n + 1), edge(n + 2));
        let mut filter = [0.0; BINS];
        for (bin, weight) in filter.iter_mut().enumerate() {
            if (low..middle).contains(&bin) {
                *weight = (bin - low) as f64 / (middle - low) as f64;
            } else if (middle..high).contains(&bin) {
                *weight = (high - bin) as f64 / (high - middle) as f64;
            }
        }
        filter
    };
    (0..FILTERS).map(triangle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `python_speech_features.mfcc(x, 16000)` gives for frames 0, 50 and 98 of [`signal`].
    const EXPECTED: [(usize, [f64; COEFFICIENTS]); 3] = [
        (
            0,
            [
                19.128644, -8.328503, -3.942635, 36.140691, 14.364486, -37.709998, 5.85596, 4.176518, -49.538804, -24.822131, 4.338072,
                -34.176677, -27.920536,
            ],
        ),
        (
            50,
            [
                19.619236, -4.19099, -27.538981, -8.396172, -13.671265, -11.636276, 49.584382, 19.965095, -57.374589, -26.02105, 28.163145,
                -0.221246, 1.655616,
            ],
        ),
        (
            98,
            [
                19.616268, -3.32987, -28.368364, -7.33626, 36.04413, -4.737558, -30.032822, 0.498283, 27.652836, -3.31833, -24.615214,
                1.214503, 17.781396,
            ],
        ),
    ];

    /// A second of two tones, one of them rising and one at intervals, with noise.
    fn signal() -> Vec<f64> {
        let mut state = 12_345_u64;
        (0..RATE)
            .map(|n| {
                state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
                let t = n as f64 / 16_000.0;
                let second = if (n / 4_000) % 2 == 0 { 1_500.0 * (2.0 * PI * 2_500.0 * t).sin() } else { 0.0 };
                (3_000.0 * (2.0 * PI * (200.0 + 800.0 * t) * t).sin() + second + (state as f64 / 2_147_483_648.0 - 0.5) * 200.0).floor()
            })
            .collect()
    }

    #[test]
    fn coefficients_equal_those_of_the_reference() {
        let found = Mfcc::new().frames(&signal(), 99);
        for (frame, expected) in EXPECTED {
            for (found, expected) in found[frame * COEFFICIENTS..].iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-4, "frame {frame}: {found} {expected}");
            }
        }
    }

    #[test]
    fn silence_is_finite() {
        let found = Mfcc::new().frames(&[0.0; 2_000], 2);
        assert!(
            (f64::from(found[0]) - -36.043653).abs() < 1e-4 && found.iter().skip(1).take(12).all(|value| value.abs() < 1e-4),
            "{found:?}"
        );
        assert_eq!(Mfcc::new().frames(&[], 3).len(), 3 * COEFFICIENTS);
    }
}
