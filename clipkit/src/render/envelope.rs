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
    sum: f32,
    count: usize,
    /// For each channel, the state of two low-pass filters in series.
    state: [[f32; 2]; 2],
}

impl Envelope {
    /// Appends audio with one or two float planes.
    pub(super) fn push(&mut self, frame: &AudioFrame) {
        let left = frame.plane::<f32>(0);
        self.push_samples(left, if frame.planes() > 1 { frame.plane::<f32>(1) } else { left });
    }

    fn push_samples(&mut self, left: &[f32], right: &[f32]) {
        for (&left, &right) in left.iter().zip(right) {
            for (sample, [first, second]) in [left, right].into_iter().zip(&mut self.state) {
                // A NaN or an infinity would stay in the filter forever.
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

    /// The readings, one per millisecond.
    pub(super) fn readings(&self) -> &[f32] {
        &self.readings
    }
}
