//! Where the clip's own sound is heard, and how loud it is. Pure arithmetic on levels.
//!
//! Ducking follows the sound itself, not the words: a plan without captions has no words, and a
//! transcript misses what it did not understand. The sound is always there, at the clip's own
//! times, also after cuts and at other speeds.

use std::ops::Range;

use super::shape::Stretches;
use crate::av::{AudioFrame, SAMPLE_RATE};

/// The length of the blocks whose levels are measured, in samples: 20 ms.
const BLOCK: usize = SAMPLE_RATE as usize / 50;
/// Quieter sound is no voice: -55 dB, the noise of a quiet room.
const FLOOR: f64 = 0.001_78;
/// The share of the audible blocks that are quieter than the clip's loud passages.
const LOUD_SHARE: f64 = 0.95;
/// The share of all blocks that are as quiet as the noise between words.
const NOISE_SHARE: f64 = 0.1;
/// A voice is at most 20 dB quieter than the loud passages, at least 6 dB louder than the noise,
/// but no more is asked of it than 6 dB below the loud passages. So a voice in much noise is
/// taken for voice all along, and the music stays low.
const BELOW_LOUD: f64 = 0.1;
const STEP: f64 = 2.0;
/// Shorter sounds are knocks, in blocks: 60 ms.
const SHORTEST: usize = 3;
/// Shorter pauses are part of the voice, in blocks: 0.8 s.
const PAUSE: usize = 40;
/// How long the music sinks before a voice, stays low after it, and rises, in samples: 0.15 s,
/// 0.2 s, 0.6 s.
const SINK: u64 = SAMPLE_RATE as u64 * 15 / 100;
const HOLD: u64 = SAMPLE_RATE as u64 / 5;
const RISE: u64 = SAMPLE_RATE as u64 * 6 / 10;

/// Measures the clip's own sound.
#[derive(Default)]
pub(super) struct Levels {
    /// The root mean square of each complete block.
    blocks: Vec<f32>,
    power: f64,
    count: usize,
}

impl Levels {
    /// Adds 48 kHz stereo.
    pub(super) fn push(&mut self, frame: &AudioFrame) {
        for (left, right) in frame.plane::<f32>(0).iter().zip(frame.plane::<f32>(1)) {
            let power = (f64::from(*left).powi(2) + f64::from(*right).powi(2)) / 2.0;
            self.power += if power.is_finite() { power } else { 0.0 };
            self.count += 1;
            if self.count == BLOCK {
                self.blocks.push((self.power / BLOCK as f64).sqrt() as f32);
                (self.power, self.count) = (0.0, 0);
            }
        }
    }

    /// What was measured.
    pub(super) fn voice(&self) -> Voice {
        let mut sorted: Vec<f64> = self.blocks.iter().map(|level| f64::from(*level)).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let audible = &sorted[sorted.partition_point(|level| *level < FLOOR)..];
        let level_of = |levels: &[f64], share: f64| levels.get((levels.len() as f64 * share) as usize).copied();
        let (Some(loud), Some(noise)) = (level_of(audible, LOUD_SHARE), level_of(&sorted, NOISE_SHARE)) else { return Voice::default() };
        let least = (loud * BELOW_LOUD).max((noise * STEP).min(loud / STEP)).max(FLOOR);
        let heard = self.blocks.iter().map(|level| f64::from(*level) >= least);
        let block = |n: usize| n as u64 * BLOCK as u64;
        let spans = joined(heard).into_iter().map(|span| block(span.start)..block(span.end)).collect();
        Voice { spans: Stretches::new(spans, SINK, HOLD, RISE), loud: Some(loud) }
    }
}

/// The clip's own sound.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Voice {
    /// Where it is heard.
    pub(super) spans: Stretches,
    /// The root mean square of its loud passages; `None` if there is none.
    pub(super) loud: Option<f64>,
}

/// The runs of blocks that are heard, in order: short runs are left out, short pauses are closed.
fn joined(heard: impl Iterator<Item = bool>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (n, heard) in heard.enumerate() {
        match runs.last_mut() {
            Some(last) if heard && last.end == n => last.end = n + 1,
            _ if heard => runs.push(n..n + 1),
            _ => {}
        }
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    for run in runs.into_iter().filter(|run| run.len() >= SHORTEST) {
        match found.last_mut() {
            Some(last) if run.start - last.end < PAUSE => last.end = run.end,
            _ => found.push(run),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Levels of blocks, as if they were measured.
    fn voice(levels: &[f32]) -> Vec<(usize, usize)> {
        let voice = Levels { blocks: levels.to_vec(), ..Levels::default() }.voice();
        let inside: Vec<bool> = (0..levels.len()).map(|n| voice.spans.depth((n * BLOCK + BLOCK / 2) as u64) == 1.0).collect();
        let mut found = joined_plainly(&inside);
        // The hold after a voice is 10 blocks.
        found.iter_mut().for_each(|(_, end)| *end = end.saturating_sub(if *end < levels.len() { 10 } else { 0 }));
        found
    }

    fn joined_plainly(inside: &[bool]) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (n, _) in inside.iter().enumerate().filter(|(_, inside)| **inside) {
            match found.last_mut() {
                Some((_, end)) if *end == n => *end = n + 1,
                _ => found.push((n, n + 1)),
            }
        }
        found
    }

    fn levels(parts: &[(usize, f32)]) -> Vec<f32> {
        parts.iter().flat_map(|&(count, level)| std::iter::repeat_n(level, count)).collect()
    }

    #[test]
    fn a_voice_is_found_at_any_level_and_in_noise() {
        for by in [1.0, 0.2, 0.02] {
            let levels: Vec<f32> =
                levels(&[(100, 0.0005), (150, 0.3), (20, 0.0004), (90, 0.1), (100, 0.0005)]).iter().map(|it| it * by).collect();
            assert_eq!(voice(&levels), [(100, 360)], "{by}");
        }
        // Noise 10 dB below the voice.
        assert_eq!(voice(&levels(&[(100, 0.06), (150, 0.2), (100, 0.06), (90, 0.19), (100, 0.06)])), [(100, 250), (350, 440)]);
        // A knock is no voice, and a sound without pauses is one.
        assert_eq!(voice(&levels(&[(100, 0.001), (2, 0.5), (100, 0.001), (60, 0.5), (60, 0.001)])), [(202, 262)]);
        assert_eq!(voice(&levels(&[(200, 0.1)])), [(0, 200)]);
        assert_eq!(voice(&levels(&[(200, 0.0009)])), []);
        assert_eq!(voice(&[]), []);
    }

    proptest! {
        #[test]
        fn the_gain_of_a_recording_decides_nothing(
            parts in prop::collection::vec((1..60usize, prop::sample::select(vec![0.02f32, 0.06, 0.3, 0.5])), 1..12),
            by in 1.0..2.0f32,
        ) {
            let plain = levels(&parts);
            let louder: Vec<f32> = plain.iter().map(|level| level * by).collect();
            prop_assert_eq!(voice(&plain), voice(&louder));
        }
    }
}
