//! Where one voice gives way to another, by the sound alone: the Bayesian information criterion
//! compares one normal distribution of the cepstral coefficients with one on each side (Chen and
//! Gopalakrishnan, "Speaker, environment and channel change detection and clustering via the
//! Bayesian information criterion", 1998).
//!
//! Several changes too many do little harm, since a change of voice only allows a change of
//! speaker (`assignment`); a missed one hides a turn.

use super::mfcc::{self, COEFFICIENTS, HOP};

/// What is compared: all coefficients but the energy.
const DIMENSIONS: usize = COEFFICIENTS - 1;
/// The entries of a symmetric matrix.
const PAIRS: usize = DIMENSIONS * (DIMENSIONS + 1) / 2;
/// Sound frames per second.
const RATE: f64 = mfcc::RATE as f64 / HOP as f64;
/// Frames with less energy than the loudest are pauses: the difference of the logarithms, 22 dB.
/// The 95th percentile is taken for the loudest. Without the pre-emphasis of the coefficients,
/// since that lifts breath and noise.
const VOICE_RANGE: f64 = 5.0;
const LOUD: f64 = 0.95;
/// Changes are looked for after every so many voiced frames.
const STEP: usize = 5;
/// So many voiced frames at most are compared on each side of a possible change, and at least.
const WINDOW: usize = 300;
const MIN_LENGTH: usize = 50;
/// Of possible changes closer than this, in voiced frames, the likeliest is kept.
const APART: usize = 50;
/// The smallest gain of a change. Measured: between two people's voices 280 to 630 in made talks
/// (4 s each), 290 to 430 in a telephone call (turns of 2 s and more), 220 to 300 in a meeting;
/// within one voice seldom more than 250 in recordings of a room, none from 100 on in made talks.
const MIN_GAIN: f64 = 150.0;
/// A change is placed exactly within this many voiced frames, by distributions that leave out so
/// many frames around it, and hold at least so many.
const PLACE_RANGE: usize = 60;
const LEFT_OUT: usize = 30;
const MIN_FITTED: usize = 20;
/// How much one frame says about its place, at most, as a logarithm.
const MAX_EVIDENCE: f64 = 10.0;
/// A voice that starts after a pause starts this much earlier, in frames: as a breath does.
const LEAD: usize = 30;
/// Added to variances, so that constant sound has an inverse.
const RIDGE: f64 = 1e-3;

/// A change of voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct VoiceChange {
    /// In seconds after the start of the sound.
    pub(super) at: f64,
    /// By how much the criterion prefers two voices.
    pub(super) gain: f64,
}

/// The sound frames in which there is a voice, or another sound of its level, of those that
/// [`super::mfcc::Mfcc::frames`] makes of the same samples.
pub(super) fn voiced(samples: &[f64], frames: usize) -> Vec<bool> {
    let energy = |frame: usize| {
        let start = (frame * HOP).min(samples.len());
        let samples = &samples[start..(start + mfcc::WINDOW).min(samples.len())];
        (samples.iter().map(|sample| sample * sample).sum::<f64>() / mfcc::WINDOW as f64 + 1.0).ln()
    };
    let energies: Vec<f64> = (0..frames).map(energy).collect();
    let mut sorted = energies.clone();
    sorted.sort_by(f64::total_cmp);
    let loud = sorted.get((sorted.len() as f64 * LOUD) as usize).copied().unwrap_or(0.0);
    energies.into_iter().map(|energy| energy > loud - VOICE_RANGE).collect()
}

/// The changes of voice, in order.
pub(super) fn changes(features: &[f32], voiced: &[bool]) -> Vec<VoiceChange> {
    let spoken: Vec<usize> = (0..voiced.len()).filter(|&n| voiced[n]).collect();
    let frames: Vec<Frame> = spoken.iter().filter_map(|&n| frame(features, n)).collect();
    let sums = Sums::of(&frames);
    let mut cuts = candidates(&sums, frames.len());
    let gain_at = |cuts: &[usize], n: usize| {
        let (start, cut, end) = piece(cuts, n, frames.len());
        sums.gain(start, cut, end)
    };
    let mut gains: Vec<f64> = (0..cuts.len()).map(|n| gain_at(&cuts, n)).collect();
    // The least of them goes, and the pieces beside it become one.
    while let Some((least, _)) = gains.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).filter(|least| *least.1 < MIN_GAIN) {
        cuts.remove(least);
        gains.remove(least);
        for near in [least.checked_sub(1), Some(least)].into_iter().flatten().filter(|&near| near < cuts.len()) {
            gains[near] = gain_at(&cuts, near);
        }
    }
    let change = |n: usize| {
        let cut = placed(&frames, piece(&cuts, n, frames.len()));
        let (end, start) = (spoken[cut - 1] + 1, spoken[cut]);
        VoiceChange { at: end.max(start.saturating_sub(LEAD)) as f64 / RATE, gain: gains[n] }
    };
    (0..cuts.len()).map(change).collect()
}

type Frame = [f64; DIMENSIONS];

fn frame(features: &[f32], n: usize) -> Option<Frame> {
    let coefficients = features.get(n * COEFFICIENTS + 1..(n + 1) * COEFFICIENTS)?;
    Some(std::array::from_fn(|k| f64::from(coefficients[k])))
}

/// The places with the highest gain near them, in voiced frames.
fn candidates(sums: &Sums, frames: usize) -> Vec<usize> {
    let places: Vec<usize> = (MIN_LENGTH..(frames + 1).saturating_sub(MIN_LENGTH)).step_by(STEP).collect();
    let gain = |&place: &usize| sums.gain(place.saturating_sub(WINDOW), place, (place + WINDOW).min(frames));
    let gains: Vec<f64> = places.iter().map(gain).collect();
    let near = APART / STEP;
    let is_highest = |n: &usize| {
        let around = gains.get(n.saturating_sub(near)..(n + near + 1).min(gains.len())).unwrap_or_default();
        around.iter().all(|other| *other <= gains[*n])
    };
    (0..places.len()).filter(is_highest).map(|n| places[n]).collect()
}

/// The start, the change and the end of the two pieces beside change `n`.
fn piece(cuts: &[usize], n: usize, frames: usize) -> (usize, usize, usize) {
    let start = n.checked_sub(1).map_or(0, |before| cuts[before]);
    (start, cuts[n], cuts.get(n + 1).copied().unwrap_or(frames))
}

/// Where the frames change from what is usual in the first piece to what is usual in the second.
fn placed(frames: &[Frame], (start, cut, end): (usize, usize, usize)) -> usize {
    let before = cut.saturating_sub(LEFT_OUT).max(start + MIN_FITTED).min(cut);
    let after = (cut + LEFT_OUT).min(end.saturating_sub(MIN_FITTED)).max(cut);
    let normal = |frames: &[Frame]| Normal::of(&Moments::of(frames));
    let (Some(first), Some(second)) = (normal(&frames[start..before]), normal(&frames[after..end])) else { return cut };
    let range = cut.saturating_sub(PLACE_RANGE).max(start + MIN_FITTED)..(cut + PLACE_RANGE).min(end.saturating_sub(MIN_FITTED));
    let (mut best, mut most, mut sum) = (cut, f64::NEG_INFINITY, 0.0);
    for n in range {
        sum += (first.log_density(&frames[n]) - second.log_density(&frames[n])).clamp(-MAX_EVIDENCE, MAX_EVIDENCE);
        if sum > most {
            (best, most) = (n + 1, sum);
        }
    }
    best
}

/// The sums over some frames from which their mean and covariance follow.
#[derive(Clone)]
struct Moments {
    count: f64,
    sum: Frame,
    products: [f64; PAIRS],
}

impl Moments {
    const NONE: Moments = Moments { count: 0.0, sum: [0.0; DIMENSIONS], products: [0.0; PAIRS] };

    fn of(frames: &[Frame]) -> Self {
        let mut moments = Moments::NONE;
        frames.iter().for_each(|frame| moments.add(frame));
        moments
    }

    fn add(&mut self, frame: &Frame) {
        self.count += 1.0;
        self.sum.iter_mut().zip(frame).for_each(|(sum, value)| *sum += value);
        let mut products = self.products.iter_mut();
        for (row, a) in frame.iter().enumerate() {
            products.by_ref().zip(&frame[..=row]).for_each(|(sum, b)| *sum += a * b);
        }
    }

    fn since(&self, earlier: &Moments) -> Moments {
        Moments {
            count: self.count - earlier.count,
            sum: std::array::from_fn(|n| self.sum[n] - earlier.sum[n]),
            products: std::array::from_fn(|n| self.products[n] - earlier.products[n]),
        }
    }
}

/// A normal distribution: the mean and the Cholesky factor of the covariance.
struct Normal {
    mean: Frame,
    factor: [Frame; DIMENSIONS],
}

impl Normal {
    /// `None` without frames.
    fn of(moments: &Moments) -> Option<Self> {
        if moments.count < 1.0 {
            return None;
        }
        let mean = moments.sum.map(|sum| sum / moments.count);
        let mut factor = [[0.0; DIMENSIONS]; DIMENSIONS];
        for row in 0..DIMENSIONS {
            for column in 0..=row {
                let product = moments.products[row * (row + 1) / 2 + column] / moments.count;
                let known: f64 = (0..column).map(|n| factor[row][n] * factor[column][n]).sum();
                let rest = product - mean[row] * mean[column] - known;
                factor[row][column] = if row == column { (rest.max(0.0) + RIDGE).sqrt() } else { rest / factor[column][column] };
            }
        }
        Some(Normal { mean, factor })
    }

    /// The logarithm of the covariance's determinant.
    fn log_determinant(&self) -> f64 {
        (0..DIMENSIONS).map(|n| 2.0 * self.factor[n][n].ln()).sum()
    }

    /// But for the constant that all distributions share.
    fn log_density(&self, frame: &Frame) -> f64 {
        let mut solved = [0.0; DIMENSIONS];
        for row in 0..DIMENSIONS {
            let known: f64 = (0..row).map(|n| self.factor[row][n] * solved[n]).sum();
            solved[row] = (frame[row] - self.mean[row] - known) / self.factor[row][row];
        }
        -0.5 * (solved.iter().map(|value| value * value).sum::<f64>() + self.log_determinant())
    }
}

/// The sums before every [`STEP`]th frame, so that those of any piece are one subtraction.
struct Sums {
    before: Vec<Moments>,
    all: Moments,
}

impl Sums {
    fn of(frames: &[Frame]) -> Self {
        let mut sums = Sums { before: Vec::with_capacity(frames.len() / STEP + 1), all: Moments::NONE };
        for part in frames.chunks(STEP) {
            sums.before.push(sums.all.clone());
            part.iter().for_each(|frame| sums.all.add(frame));
        }
        sums
    }

    /// `n` is a multiple of [`STEP`], or the end.
    fn before(&self, n: usize) -> &Moments {
        if n.is_multiple_of(STEP) { self.before.get(n / STEP).unwrap_or(&self.all) } else { &self.all }
    }

    /// By how much the criterion prefers two distributions, with a change at `cut`, to one.
    fn gain(&self, start: usize, cut: usize, end: usize) -> f64 {
        let [first, second] = [(start, cut), (cut, end)].map(|(from, to)| self.before(to).since(self.before(from)));
        let size = |moments: &Moments| Some(moments.count * Normal::of(moments)?.log_determinant());
        let whole = self.before(end).since(self.before(start));
        let (Some(one), Some(a), Some(b)) = (size(&whole), size(&first), size(&second)) else { return f64::NEG_INFINITY };
        0.5 * (one - a - b) - 0.5 * (DIMENSIONS + PAIRS) as f64 * whole.count.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coefficients that scatter around a voice's own, the same each time; voice 0 is a pause.
    fn found(voices: &[(usize, f32)]) -> Vec<f64> {
        let mut state = 7_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from((state >> 16) as u16) / 65_536.0 - 0.5
        };
        let frames: Vec<f32> = voices.iter().flat_map(|&(count, voice)| std::iter::repeat_n(voice, count)).collect();
        let features: Vec<f32> = frames
            .iter()
            .flat_map(|voice| std::array::from_fn::<f32, COEFFICIENTS, _>(|n| 4.0 * noise() + voice * (n as f32).sin()))
            .collect();
        let voiced: Vec<bool> = frames.iter().map(|voice| *voice != 0.0).collect();
        changes(&features, &voiced).iter().map(|change| change.at).collect()
    }

    #[test]
    fn a_change_of_voice_is_found_where_it_is() {
        assert_eq!(found(&[(400, 1.0)]), [0.0; 0]);
        let near = |found: Vec<f64>, expected: &[f64]| {
            assert_eq!(found.len(), expected.len(), "{found:?}");
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.05), "{found:?}");
        };
        near(found(&[(403, 1.0), (398, -1.0)]), &[4.03]);
        near(found(&[(200, 1.0), (300, -1.0), (250, 2.0)]), &[2.0, 5.0]);
    }

    #[test]
    fn a_voice_after_a_pause_starts_shortly_before_it_is_heard() {
        assert_eq!(found(&[(300, 1.0), (100, 0.0), (300, -1.0)]), [3.7]);
        assert_eq!(found(&[(300, 1.0), (20, 0.0), (300, -1.0)]), [3.0]);
    }

    #[test]
    fn little_or_constant_sound_has_no_changes() {
        assert_eq!(found(&[]), [0.0; 0]);
        assert_eq!(found(&[(60, 1.0)]), [0.0; 0]);
        assert!(changes(&vec![1.0; 500 * COEFFICIENTS], &vec![true; 500]).is_empty());
    }

    #[test]
    fn quiet_frames_have_no_voice() {
        let samples: Vec<f64> = (0..32_000).map(|n| if n < 16_000 { 3000.0 } else { 100.0 } * f64::from(n).sin()).collect();
        let voiced = voiced(&samples, 200);
        assert!(voiced[..95].iter().all(|voiced| *voiced) && voiced[105..].iter().all(|voiced| !*voiced));
        assert!(super::voiced(&[], 3).len() == 3);
    }
}
