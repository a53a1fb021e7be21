//! How often viewers replay a part of a video: YouTube's most-replayed curve.

use crate::model::{About, Factor, HeatmapBin};

/// The odds of a span change by this factor at most. What the curve says about clips is not
/// measured here, so it decides between spans that the words leave close.
const MOST: f64 = 2.0;
/// A smaller effect, as a difference of log odds, is not named.
const LEAST: f64 = 0.1;

/// The curve of a video. The first bin is high for every video, since everybody starts there; it
/// counts as the second does, as in Rhapsody (COLM 2025).
pub(super) struct Replays {
    bins: Vec<HeatmapBin>,
    mean: f64,
}

impl Replays {
    /// `None` if there is no curve.
    pub(super) fn of(about: &About) -> Option<Self> {
        let mut bins = about.heatmap.clone();
        if let [first, second, ..] = &mut bins[..] {
            first.value = second.value;
        }
        bins.retain(|bin| bin.value.is_finite() && !bin.span.duration().is_zero());
        let whole: f64 = bins.iter().map(|bin| bin.span.duration().as_secs_f64()).sum();
        let mean = bins.iter().map(|bin| bin.value.clamp(0.0, 1.0) * bin.span.duration().as_secs_f64()).sum::<f64>() / whole.max(1e-9);
        (bins.len() > 1 && mean > 0.0).then_some(Replays { bins, mean })
    }

    /// How often a part is replayed, 0 to 1. `None` if the curve does not say.
    pub(super) fn value(&self, start: f64, end: f64) -> Option<f64> {
        let (mut sum, mut known) = (0.0, 0.0);
        for bin in &self.bins {
            let part = (end.min(bin.span.end().secs()) - start.max(bin.span.start().secs())).max(0.0);
            sum += part * bin.value.clamp(0.0, 1.0);
            known += part;
        }
        (known > 0.0).then(|| sum / known)
    }

    /// The difference of the log odds of a part: 0 for one that is replayed as often as the whole.
    fn effect(&self, start: f64, end: f64) -> f64 {
        let ratio = self.value(start, end).map_or(1.0, |value| value / self.mean);
        ratio.clamp(1.0 / MOST, MOST).ln()
    }

    /// A total from 0 to 100 with what the curve says.
    pub(super) fn weighed(&self, total: f64, start: f64, end: f64) -> f64 {
        let part = (total / 100.0).clamp(0.0, 1.0);
        let odds = part * self.effect(start, end).exp();
        let weighed = 100.0 * odds / (odds + 1.0 - part).max(1e-9);
        (weighed * 10.0).round() / 10.0
    }

    /// What counted, if it is worth naming.
    pub(super) fn factor(&self, start: f64, end: f64) -> Option<Factor> {
        let effect = self.effect(start, end);
        let name = if effect > 0.0 { "replays" } else { "fewer replays" };
        (effect.abs() >= LEAST).then(|| Factor::new(name, (effect * 100.0).round() / 100.0, Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    fn replays(values: &[f64]) -> Option<Replays> {
        let mut about = About::new();
        let bin = |(n, value): (usize, &f64)| HeatmapBin::new(Span::secs(n as f64 * 10.0, (n + 1) as f64 * 10.0).unwrap(), *value);
        about.heatmap = values.iter().enumerate().map(bin).collect();
        Replays::of(&about)
    }

    #[test]
    fn what_is_replayed_often_gains_and_the_first_bin_says_nothing() {
        let curve = replays(&[1.0, 0.2, 0.2, 0.8, 0.2, 0.2]).unwrap();
        assert!((curve.mean - 0.3).abs() < 1e-9);
        assert_eq!(curve.value(0.0, 20.0), Some(0.2));
        assert!((curve.value(25.0, 35.0).unwrap() - 0.5).abs() < 1e-9);
        // At most twice or half the odds.
        assert_eq!(curve.weighed(50.0, 30.0, 40.0), 66.7);
        assert_eq!(curve.weighed(50.0, 0.0, 20.0), 40.0);
        assert_eq!([0.0, 100.0].map(|total| curve.weighed(total, 30.0, 40.0)), [0.0, 100.0]);
        assert_eq!(curve.weighed(50.0, 70.0, 80.0), 50.0, "beyond the curve");
        assert_eq!(curve.factor(30.0, 40.0).map(|factor| (factor.name, factor.effect)), Some(("replays".into(), 0.69)));
        assert_eq!(curve.factor(0.0, 10.0).map(|factor| factor.name).as_deref(), Some("fewer replays"));
        assert!(curve.factor(26.0, 31.0).is_none());
    }

    #[test]
    fn odd_curves_say_nothing() {
        assert!(replays(&[]).is_none() && replays(&[1.0]).is_none() && replays(&[1.0, 0.0, 0.0]).is_none());
        assert!(replays(&[f64::NAN, f64::NAN, 0.5]).is_none());
        let flat = replays(&[0.4, 0.4, 0.4]).unwrap();
        assert_eq!((flat.weighed(63.2, 3.0, 9.0), flat.factor(3.0, 9.0).is_none()), (63.2, true));
    }
}
