//! The ends of a sound's file: it stops without a click, or starts again without one.

use super::shape::smooth;
use crate::av::SAMPLE_RATE;
use crate::render::joined_audio::Stereo;

/// The length of a crossfade or of a fall at the file's end, in samples: 10 ms.
pub(super) const FADE: usize = SAMPLE_RATE as usize / 100;

/// Puts passes of one file together.
///
/// The last [`FADE`] samples of a pass are held back. If the sound starts again, they are mixed
/// with the first samples of the next pass, with gains that add up to 1; so `n` samples repeat
/// after `n - FADE`. Else their level falls to 0.
#[derive(Default)]
pub(super) struct Seams {
    /// The end of the pass before.
    before: Stereo,
    /// The end of the current pass so far.
    held: Stereo,
    /// The number of samples of the current pass that went out.
    at: usize,
}

impl Seams {
    /// Adds samples of the current pass.
    pub(super) fn push(&mut self, samples: [&[f32]; 2], out: &mut Stereo) {
        for (held, samples) in self.held.0.iter_mut().zip(samples) {
            held.extend_from_slice(samples);
        }
        let ready = self.held.len().saturating_sub(FADE);
        let from = self.at;
        for ((held, before), out) in self.held.0.iter_mut().zip(&self.before.0).zip(&mut out.0) {
            for ((n, sample), before) in held.iter_mut().take(ready).enumerate().zip(before.iter().skip(from)) {
                let gain = smooth(((from + n) as f64 + 0.5) / FADE as f64);
                *sample = (f64::from(*before) * (1.0 - gain) + f64::from(*sample) * gain) as f32;
            }
            out.extend(held.drain(..ready));
        }
        self.at += ready;
    }

    /// Ends a pass that another one follows. It must have at least twice [`FADE`] samples.
    pub(super) fn again(&mut self) {
        self.before = std::mem::take(&mut self.held);
        self.at = 0;
    }

    /// Ends the last pass.
    pub(super) fn end(&mut self, out: &mut Stereo) {
        let length = self.held.len();
        for (held, out) in self.held.0.iter_mut().zip(&mut out.0) {
            let fallen = held.iter().enumerate().map(|(n, sample)| sample * smooth((length - n) as f64 / (length + 1) as f64) as f32);
            out.extend(fallen);
            held.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wave(n: usize) -> f32 {
        (n as f32 * 0.031).sin() * 0.5 + 0.1
    }

    /// Passes of a file of `length` samples, given in parts.
    fn played(length: usize, passes: usize, parts: &[usize]) -> Vec<f32> {
        let file: Vec<f32> = (0..length).map(wave).collect();
        let (mut seams, mut out, mut sizes) = (Seams::default(), Stereo::default(), parts.iter().cycle());
        for pass in 0..passes {
            let mut from = 0;
            while from < length {
                let to = (from + sizes.next().unwrap()).min(length);
                seams.push([&file[from..to], &file[from..to]], &mut out);
                from = to;
            }
            if pass + 1 == passes { seams.end(&mut out) } else { seams.again() }
        }
        assert_eq!(out.0[0], out.0[1]);
        std::mem::take(&mut out.0[0])
    }

    proptest! {
        #[test]
        fn a_loop_repeats_the_file_but_for_its_seams(
            length in 2 * FADE..6 * FADE, passes in 1..4usize, parts in prop::collection::vec(1..2000usize, 1..5),
        ) {
            let heard = played(length, passes, &parts);
            let period = length - FADE;
            prop_assert_eq!(heard.len(), period * passes + FADE);
            for (n, sample) in heard.iter().enumerate().take(period * passes) {
                let (pass, at) = (n / period, n % period);
                if pass == 0 || at >= FADE {
                    prop_assert_eq!(*sample, wave(at), "{}", n);
                } else {
                    let (low, high) = (wave(at).min(wave(period + at)), wave(at).max(wave(period + at)));
                    prop_assert!((low - 1e-6..=high + 1e-6).contains(sample));
                }
            }
            let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
            prop_assert!(step < 0.5 * 0.031 + 1.2 * std::f32::consts::FRAC_PI_2 / FADE as f32 + 1e-4, "a step of {}", step);
            prop_assert!(heard.last().unwrap().abs() < 1e-4);
        }
    }
}
