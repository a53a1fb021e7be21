use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Span;

/// Where somebody speaks in a medium, and how loud it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SpeechMap {
    /// The spans with speech on the medium's timeline: sorted and not overlapping.
    pub spans: Vec<Span>,
    /// The root mean square level of each interval of 50 ms from 0, in half decibels below full
    /// scale. 255 also stands for everything quieter.
    pub levels: Vec<u8>,
}

impl SpeechMap {
    /// A map of spans and levels.
    pub fn new(spans: Vec<Span>, levels: Vec<u8>) -> Self {
        SpeechMap { spans, levels }
    }

    /// The level of samples of -1 to 1, as in [`SpeechMap::levels`].
    pub(crate) fn level_of(samples: &[f32]) -> u8 {
        let power = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
        // 10 log10 of a power is 20 log10 of an amplitude. The cast saturates, and NaN becomes 0.
        (-20.0 * power.log10()).round() as u8
    }

    /// The levels as root mean squares, in shares of full scale.
    pub(crate) fn amplitudes(&self) -> impl Iterator<Item = f32> + '_ {
        self.levels.iter().map(|level| match *level {
            u8::MAX => 0.0,
            level => 10f32.powf(-f32::from(level) / 40.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_half_decibels() {
        let levels = [1.0, 0.5, 0.001, 0.0].map(|sample| SpeechMap::level_of(&[sample, -sample]));
        assert_eq!(levels, [0, 12, 120, 255]);
        assert_eq!(SpeechMap::level_of(&[]), 255);
        let map = SpeechMap::new(Vec::new(), levels.to_vec());
        let amplitudes: Vec<f32> = map.amplitudes().collect();
        for (found, exact) in amplitudes.iter().zip([1.0, 0.5, 0.001, 0.0]) {
            assert!((found - exact).abs() < 0.01, "{amplitudes:?}");
        }
    }
}
