//! Spans that may contain a cut, found from a subset of the frames. All frames of these spans are
//! then decoded to find the cut.

use crate::model::{Span, Timestamp};

use super::shot::{CONTEXT, MIN_DIFFERENCE, PROMINENCE};

/// Two consecutive decoded frames and their difference.
struct Pair {
    before: Timestamp,
    at: Timestamp,
    difference: f32,
}

/// Collects the differences between consecutive decoded frames.
#[derive(Default)]
pub(super) struct CutCandidates {
    pairs: Vec<Pair>,
    last: Option<Timestamp>,
}

/// A span that may contain a cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CutCandidate {
    /// The cut's possible times: after the start, up to and including the end.
    pub(super) range: Span,
    /// The span to decode in full to decide.
    pub(super) decode: Span,
}

impl CutCandidates {
    /// Adds the next decoded frame and its difference from the one before.
    pub(super) fn push(&mut self, at: Timestamp, difference: f32) {
        if let Some(before) = self.last.replace(at) {
            self.pairs.push(Pair { before, at, difference });
        }
    }

    /// The spans that may contain cuts, in order. `frame` is the duration of a frame in seconds. A
    /// cut between two frames also shows between decoded frames on either side of it. Motion over
    /// skipped frames is larger than between neighbours, so the required prominence is lower. The
    /// `confirmed` cuts are left out.
    pub(super) fn candidates(&self, span: Span, frame: f64, confirmed: &[Timestamp]) -> Vec<CutCandidate> {
        // 1.5 times the frames that the decision needs, because frame intervals may vary.
        let margin = 1.5 * (CONTEXT + 1) as f64 * frame;
        let mut candidates: Vec<CutCandidate> = Vec::new();
        for (n, pair) in self.pairs.iter().enumerate() {
            let frames = (pair.at.since(pair.before).secs() / frame).max(1.0) as f32;
            let usual = |near: &[Pair]| {
                let mut values: Vec<f32> = near.iter().map(|pair| pair.difference).collect();
                values.sort_by(f32::total_cmp);
                values.get(values.len() / 2).copied().unwrap_or(0.0)
            };
            let before = usual(self.pairs.get(n.saturating_sub(CONTEXT)..n).unwrap_or_default());
            let after = usual(self.pairs.get(n + 1..(n + 1 + CONTEXT).min(self.pairs.len())).unwrap_or_default());
            if pair.difference < MIN_DIFFERENCE || confirmed.contains(&pair.at) || pair.difference < PROMINENCE / frames * before.max(after)
            {
                continue;
            }
            let start = pair.before.plus(-margin).max(span.start());
            let decode = Span::between(start, pair.at.plus(margin).min(span.end()));
            match candidates.last_mut() {
                Some(last) if decode.start() <= last.decode.end() => {
                    last.range = Span::between(last.range.start(), pair.at);
                    last.decode = Span::between(last.decode.start(), decode.end());
                }
                _ => candidates.push(CutCandidate { range: Span::between(pair.before, pair.at), decode }),
            }
        }
        candidates
    }

    /// Those of the `found` cuts that lie between two neighbouring frames, so that no skipped frame
    /// can hold the cut. Encoders start a new group of pictures at a cut, and both frames are
    /// decoded there. Such a cut is prominent even compared with differences over several frames.
    pub(super) fn confirmed(&self, frame: f64, found: &[Timestamp]) -> Vec<Timestamp> {
        let next = |pair: &&Pair| pair.at.since(pair.before).secs() < 1.5 * frame;
        self.pairs.iter().filter(next).map(|pair| pair.at).filter(|at| found.contains(at)).collect()
    }

    /// The time of the first decoded frame at or after `time`.
    pub(super) fn first_decoded_at(&self, time: Timestamp) -> Timestamp {
        let next = self.pairs.partition_point(|pair| pair.at < time);
        self.pairs.get(next).map_or(time, |pair| pair.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: f64 = 0.04;

    fn at(frame: usize) -> Timestamp {
        Timestamp::from_secs(frame as f64 * FRAME)
    }

    /// Every second one of 100 frames is decoded. The differences at the frames of `jumps` are
    /// given, all others are `usual`.
    fn candidates(usual: f32, jumps: &[(usize, f32)]) -> CutCandidates {
        let mut candidates = CutCandidates::default();
        for frame in (0..100).step_by(2) {
            candidates.push(at(frame), jumps.iter().find(|jump| jump.0 == frame).map_or(usual, |jump| jump.1));
        }
        candidates
    }

    #[test]
    fn a_prominent_difference_is_a_candidate_with_its_context() {
        let span = Span::between(at(0), at(100));
        let found = candidates(1.0, &[(40, 30.0)]).candidates(span, FRAME, &[]);
        assert_eq!(found, [CutCandidate { range: Span::between(at(38), at(40)), decode: Span::between(at(29), at(49)) }]);
        assert_eq!(candidates(1.0, &[(40, 5.0)]).candidates(span, FRAME, &[]), []);
        let found = candidates(1.0, &[(2, 30.0), (98, 30.0)]).candidates(span, FRAME, &[]);
        assert_eq!(
            found.iter().map(|candidate| candidate.decode).collect::<Vec<_>>(),
            [Span::between(at(0), at(11)), Span::between(at(87), at(100))]
        );
    }

    #[test]
    fn the_required_prominence_is_lower_over_skipped_frames() {
        let span = Span::between(at(0), at(100));
        assert_eq!(candidates(20.0, &[]).candidates(span, FRAME, &[]), []);
        assert_eq!(candidates(20.0, &[(40, 24.0)]).candidates(span, FRAME, &[]), []);
        assert_eq!(candidates(20.0, &[(40, 26.0)]).candidates(span, FRAME, &[]).len(), 1);
    }

    #[test]
    fn a_cut_between_neighbouring_frames_is_confirmed() {
        let span = Span::between(at(0), at(100));
        let mut candidates = candidates(1.0, &[(40, 30.0)]);
        assert_eq!(candidates.confirmed(FRAME, &[at(40)]), []);
        candidates.push(at(99), 30.0);
        assert_eq!(candidates.confirmed(FRAME, &[]), []);
        assert_eq!(candidates.confirmed(FRAME, &[at(40), at(99)]), [at(99)]);
        assert_eq!(candidates.candidates(span, FRAME, &[at(99)]).len(), 1);
    }

    #[test]
    fn candidates_that_touch_are_merged() {
        let span = Span::between(at(0), at(100));
        let found = candidates(1.0, &[(40, 30.0), (50, 30.0)]).candidates(span, FRAME, &[]);
        assert_eq!(found, [CutCandidate { range: Span::between(at(38), at(50)), decode: Span::between(at(29), at(59)) }]);
    }

    #[test]
    fn a_time_maps_to_the_next_decoded_frame() {
        let candidates = candidates(1.0, &[]);
        assert_eq!((candidates.first_decoded_at(at(39)), candidates.first_decoded_at(at(40))), (at(40), at(40)));
        assert_eq!(candidates.first_decoded_at(at(120)), at(120));
    }
}
