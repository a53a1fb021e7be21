use crate::av::{AudioFrame, SAMPLE_RATE};

/// Readings of an [`Envelope`] per second.
pub(super) const READINGS_PER_SEC: usize = 1000;
/// Samples per reading and channel.
const SAMPLES: usize = SAMPLE_RATE as usize / READINGS_PER_SEC;
/// The coefficient of the first-order low-pass filters. The cutoff is about 3 kHz: speech lies
/// below it, and AAC discards higher frequencies first.
const LOW_PASS: f32 = 0.325;

/// The amplitude envelope of audio at 1 ms resolution, for comparing two versions of it. Each
/// reading is the mean absolute value after the low-pass filters, over both channels, from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Envelope {
    readings: Vec<f32>,
    /// The sums of the absolute values of `state` since the last reading.
    sums: [f32; 4],
    count: usize,
    /// Two low-pass filters in series: the first ones of left and right, then the second ones.
    state: [f32; 4],
}

impl Envelope {
    /// Appends audio with one or two float planes.
    pub(super) fn push(&mut self, frame: &AudioFrame) {
        let left = frame.plane::<f32>(0);
        self.push_samples(left, if frame.planes() > 1 { frame.plane::<f32>(1) } else { left });
    }

    /// Takes samples of equal number. The four filters are computed together: the second ones take
    /// what the first ones had at the sample before.
    fn push_samples(&mut self, mut left: &[f32], mut right: &[f32]) {
        // A NaN or an infinity would stay in the filter forever.
        let finite = |sample: f32| if sample.is_finite() { sample } else { 0.0 };
        while !left.is_empty() && !right.is_empty() {
            let count = (SAMPLES - self.count).min(left.len()).min(right.len());
            let ((lefts, left_rest), (rights, right_rest)) = (left.split_at(count), right.split_at(count));
            for (&left, &right) in lefts.iter().zip(rights) {
                let input = [finite(left), finite(right), self.state[0], self.state[1]];
                for ((state, input), sum) in self.state.iter_mut().zip(input).zip(&mut self.sums) {
                    *state += LOW_PASS * (input - *state);
                    *sum += state.abs();
                }
            }
            (left, right) = (left_rest, right_rest);
            self.count += count;
            if self.count == SAMPLES {
                self.readings.push((self.sums[2] + self.sums[3]) / (2 * SAMPLES) as f32);
                (self.sums, self.count) = ([0.0; 4], 0);
            }
        }
    }

    /// The readings, one per millisecond.
    pub(super) fn readings(&self) -> &[f32] {
        &self.readings
    }
}
