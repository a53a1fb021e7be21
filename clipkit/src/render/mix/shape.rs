//! How loud a sound is at each sample of the clip: gain, fades, ducking. Pure arithmetic.

use std::f64::consts::PI;
use std::ops::Range;

use crate::av::SAMPLE_RATE;
use crate::model::{Sound, Span, Timestamp};

/// Where a sound is cut, its level rises or falls within so many samples: 10 ms, so that cuts do
/// not click.
const CUT_FADE: u64 = SAMPLE_RATE as u64 / 100;

/// The sample that a time of the clip is nearest to.
pub(super) fn sample(at: Timestamp) -> u64 {
    (at.secs() * f64::from(SAMPLE_RATE)).round().max(0.0) as u64
}

/// The samples of a span.
pub(super) fn samples(span: Span) -> Range<u64> {
    sample(span.start())..sample(span.end())
}

/// A factor of amplitude for a gain in dB.
pub(super) fn factor(gain: f64) -> f64 {
    10f64.powf(gain / 20.0)
}

/// A raised cosine from 0 to 1: it has no corners, which would click.
pub(super) fn smooth(part: f64) -> f64 {
    0.5 - 0.5 * (PI * part.clamp(0.0, 1.0)).cos()
}

/// Where a sound plays, in samples of the clip, and its level without ducking.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) plays: Range<u64>,
    gain: f64,
    fade_in: u64,
    fade_out: u64,
}

impl Shape {
    /// The shape of a sound in a clip of `clip` samples. Its file lasts `available` after the
    /// sound's offset; `None` if it starts again and so has no end.
    pub(super) fn of(sound: &Sound, clip: u64, available: Option<Timestamp>) -> Self {
        let span = sound.span.map_or(0..clip, samples);
        let (start, cut) = (span.start.min(clip), span.end.min(clip));
        let end = available.map_or(cut, |available| cut.min(start.saturating_add(sample(available))));
        let fade = |secs: f64, is_cut: bool| {
            let wanted = sample(Timestamp::from_secs(secs));
            if is_cut { wanted.max(CUT_FADE) } else { wanted }
        };
        // Without a fade, what the file has beyond its stated duration plays, too.
        let plays = start..if sound.fade_out > 0.0 { end } else { cut };
        let (is_late, is_short) = (sound.offset > Timestamp::ZERO, end < cut);
        Shape { plays, gain: factor(sound.gain), fade_in: fade(sound.fade_in, is_late), fade_out: fade(sound.fade_out, !is_short) }
    }

    /// The factor of amplitude at a sample of the clip; 0 where the sound does not play.
    pub(super) fn at(&self, n: u64) -> f64 {
        if !self.plays.contains(&n) {
            return 0.0;
        }
        let rising = ramp(n - self.plays.start, self.fade_in);
        let falling = ramp(self.plays.end - 1 - n, self.fade_out);
        self.gain * rising * falling
    }
}

/// The level `n` samples from the outer end of a fade.
fn ramp(n: u64, length: u64) -> f64 {
    if n >= length { 1.0 } else { smooth((n as f64 + 0.5) / length as f64) }
}

/// Stretches of the clip, in samples, with a rise before and a fall after each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stretches {
    /// In order, without overlaps.
    spans: Vec<Range<u64>>,
    before: u64,
    hold: u64,
    after: u64,
}

impl Stretches {
    /// Stretches of which each is preceded by a rise of `before` samples, lasts `hold` samples
    /// longer, and is followed by a fall of `after` samples.
    pub(super) fn new(spans: Vec<Range<u64>>, before: u64, hold: u64, after: u64) -> Self {
        Stretches { spans, before, hold, after }
    }

    /// How far inside a stretch a sample is: 1 inside, 0 away from all, and linear between.
    pub(super) fn depth(&self, n: u64) -> f64 {
        let next = self.spans.partition_point(|span| span.end <= n);
        let rise = self.spans.get(next).map_or(0.0, |span| {
            let away = span.start.saturating_sub(n);
            if away == 0 { 1.0 } else { 1.0 - away as f64 / (self.before + 1) as f64 }
        });
        let fall = next.checked_sub(1).and_then(|last| self.spans.get(last)).map_or(0.0, |span| {
            let away = (n + 1).saturating_sub(span.end).saturating_sub(self.hold);
            1.0 - away as f64 / (self.after + 1) as f64
        });
        rise.max(fall).clamp(0.0, 1.0)
    }

    /// Whether a stretch of the clip is away from all of these.
    pub(super) fn miss(&self, part: &Range<u64>) -> bool {
        let near = |span: &Range<u64>| {
            span.start.saturating_sub(self.before) < part.end && part.start < span.end.saturating_add(self.hold).saturating_add(self.after)
        };
        let first = self.spans.partition_point(|span| span.end.saturating_add(self.hold).saturating_add(self.after) <= part.start);
        !self.spans.get(first).is_some_and(near)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLIP: u64 = 480_000;

    fn sound(change: impl FnOnce(&mut Sound)) -> Sound {
        let mut sound = Sound::new("a.wav");
        change(&mut sound);
        sound
    }

    #[test]
    fn gain_and_fades_are_those_of_the_sound() {
        let plain = Shape::of(&Sound::new("a.wav"), CLIP, None);
        assert_eq!((plain.at(0), plain.at(CLIP / 2), plain.at(CLIP)), (1.0, 1.0, 0.0));
        // The end of the clip cuts it.
        assert!(plain.at(CLIP - 1) < 1e-4);
        let music = sound(|it| {
            it.span = Span::secs(2.0, 8.0).ok();
            (it.gain, it.fade_in, it.fade_out) = (-20.0, 1.0, 2.0);
        });
        let shape = Shape::of(&music, CLIP, None);
        let at = |secs: f64| shape.at((secs * 48_000.0) as u64);
        assert_eq!((at(1.99), at(8.0)), (0.0, 0.0));
        assert!((at(2.5) - 0.05).abs() < 1e-4 && (at(4.0) - 0.1).abs() < 1e-9 && (at(7.0) - 0.05).abs() < 1e-4);
        // The file ends at 5 s of the clip.
        let short = Shape::of(&music, CLIP, Some(Timestamp::from_secs(3.0)));
        assert!((short.at(4 * 48_000) - 0.05).abs() < 1e-4 && short.at(5 * 48_000) == 0.0);
        let hit = Shape::of(&sound(|it| it.span = Span::secs(1.0, 9.0).ok()), CLIP, Some(Timestamp::from_secs(0.5)));
        assert_eq!((hit.at(48_000), hit.at(71_999)), (1.0, 1.0), "an effect keeps its attack and its end");
        let cut = Shape::of(&sound(|it| it.offset = Timestamp::from_secs(1.0)), CLIP, None);
        assert!(cut.at(0) < 1e-4 && cut.at(480) == 1.0);
    }

    #[test]
    fn a_stretch_rises_before_it_and_falls_after_it() {
        let stretches = Stretches::new(vec![1000..2000, 5000..6000], 100, 50, 200);
        for (n, depth) in [(0, 0.0), (899, 0.0), (1000, 1.0), (1999, 1.0), (2049, 1.0), (2250, 0.0), (3000, 0.0), (5000, 1.0), (9000, 0.0)]
        {
            assert!((stretches.depth(n) - depth).abs() < 1e-9, "{n}: {}", stretches.depth(n));
        }
        assert!((stretches.depth(950) - 0.5).abs() < 0.02 && (stretches.depth(2150) - 0.5).abs() < 0.02);
        assert!(stretches.miss(&(0..900)) && stretches.miss(&(2250..4900)) && stretches.miss(&(7000..9000)));
        assert!(!stretches.miss(&(0..901)) && !stretches.miss(&(2249..2260)) && !stretches.miss(&(1500..1501)));
        assert_eq!(Stretches::default().depth(5), 0.0);
    }

    proptest! {
        #[test]
        fn a_level_has_no_step_and_no_overshoot(
            start in 0..400_000u64,
            length in 2_000..200_000u64,
            gain in -60.0..20.0f64,
            fade_in in 0.0..4.0f64,
            fade_out in 0.0..4.0f64,
        ) {
            let span = Span::secs(start as f64 / 48_000.0, (start + length) as f64 / 48_000.0).unwrap();
            let shape = Shape::of(&sound(|it| {
                it.span = Some(span);
                (it.gain, it.fade_in, it.fade_out, it.offset) = (gain, fade_in, fade_out, Timestamp::from_secs(1.0));
            }), CLIP, None);
            let most = factor(gain);
            let levels: Vec<f64> = (start.saturating_sub(2)..(start + length).min(CLIP) + 2).map(|n| shape.at(n)).collect();
            prop_assert!(levels.iter().all(|level| (0.0..=most).contains(level)));
            // Within 10 ms, a raised cosine rises by at most pi / 2 / 480 a sample, of each fade.
            prop_assert!(levels.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= most * PI / 480.0 + 1e-12));
        }

        #[test]
        fn depths_are_continuous(
            gaps in prop::collection::vec((1..3000u64, 1..3000u64), 0..6),
            before in 1..500u64, hold in 0..300u64, after in 1..900u64,
        ) {
            let mut at = 0;
            let spans = gaps.iter().map(|(gap, length)| {
                let start = at + gap;
                at = start + length;
                start..at
            }).collect::<Vec<_>>();
            let stretches = Stretches::new(spans.clone(), before, hold, after);
            let depths: Vec<f64> = (0..at + 2000).map(|n| stretches.depth(n)).collect();
            let most = 1.0 / (before.min(after) + 1) as f64 + 1e-9;
            prop_assert!(depths.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= most));
            for (n, depth) in depths.iter().enumerate() {
                let n = n as u64;
                prop_assert_eq!(stretches.miss(&(n..n + 1)), *depth == 0.0, "{} {}", n, depth);
                if spans.iter().any(|span| span.contains(&n)) {
                    prop_assert_eq!(*depth, 1.0);
                }
            }
        }
    }
}
