use crate::av::{AudioFrame, SAMPLE_RATE};

/// Readings a second of a [`Envelope`].
pub(super) const READINGS: usize = 1000;
/// Samples of one reading.
const SAMPLES: usize = SAMPLE_RATE as usize / READINGS;
/// How much of each sample a low pass lets through at once: 3 kHz, where speech is. Higher parts are what AAC drops first.
const LOW_PASS: f32 = 0.325;

/// How loud sound is, millisecond by millisecond: what two versions of it are compared by. The mean of the absolute samples below about
/// 3 kHz, over both channels, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Envelope {
    readings: Vec<f32>,
    sum: f32,
    count: usize,
    /// Two low passes in a row for each channel.
    state: [[f32; 2]; 2],
}

impl Envelope {
    /// Takes sound of one or two planes of floats.
    pub(super) fn push(&mut self, frame: &AudioFrame) {
        let left = frame.plane::<f32>(0);
        self.push_samples(left, if frame.planes() > 1 { frame.plane::<f32>(1) } else { left });
    }

    fn push_samples(&mut self, left: &[f32], right: &[f32]) {
        for (&left, &right) in left.iter().zip(right) {
            for (sample, [first, second]) in [left, right].into_iter().zip(&mut self.state) {
                // What is no number would stay in the filter for ever.
                *first += LOW_PASS * (if sample.is_finite() { sample } else { 0.0 } - *first);
                *second += LOW_PASS * (*first - *second);
                self.sum += second.abs() / 2.0;
            }
            self.count += 1;
            if self.count == SAMPLES {
                self.readings.push(self.sum / SAMPLES as f32);
                (self.sum, self.count) = (0.0, 0);
            }
        }
    }

    /// The readings, one a millisecond.
    pub(super) fn readings(&self) -> &[f32] {
        &self.readings
    }
}
