//! Where a cut may be, when only some of the frames were seen: there all of them are looked at.

use crate::model::{Span, Timestamp};

use super::shot::{AROUND, LEAST, STANDS_OUT};

/// Two frames that were seen one after the other, and how much they differ.
struct Pair {
    before: Timestamp,
    at: Timestamp,
    difference: f32,
}

/// Collects how much the frames that were seen differ.
#[derive(Default)]
pub(super) struct CutCandidates {
    pairs: Vec<Pair>,
    last: Option<Timestamp>,
}

/// A stretch in which a cut may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CutCandidate {
    /// Where the cut would be: after the start, and at the end at the latest.
    pub(super) place: Span,
    /// What has to be looked at to tell.
    pub(super) around: Span,
}

impl CutCandidates {
    /// Takes the next frame that was seen, and how much it differs from the one before.
    pub(super) fn push(&mut self, at: Timestamp, difference: f32) {
        if let Some(before) = self.last.replace(at) {
            self.pairs.push(Pair { before, at, difference });
        }
    }

    /// Where cuts may be, in order, given how long a frame lasts. What would be a cut between two frames differs as much between any two that
    /// lie around them; but what moves between them has moved further, so it stands out less. Those that are `sure` are not suspected.
    pub(super) fn stretches(&self, span: Span, frame: f64, sure: &[Timestamp]) -> Vec<CutCandidate> {
        // Half as much again as the judgement needs: frames need not be even.
        let margin = 1.5 * (AROUND + 1) as f64 * frame;
        let mut suspects: Vec<CutCandidate> = Vec::new();
        for (n, pair) in self.pairs.iter().enumerate() {
            let frames = (pair.at.since(pair.before).secs() / frame).max(1.0) as f32;
            let usual = |near: &[Pair]| {
                let mut values: Vec<f32> = near.iter().map(|pair| pair.difference).collect();
                values.sort_by(f32::total_cmp);
                values.get(values.len() / 2).copied().unwrap_or(0.0)
            };
            let before = usual(self.pairs.get(n.saturating_sub(AROUND)..n).unwrap_or_default());
            let after = usual(self.pairs.get(n + 1..(n + 1 + AROUND).min(self.pairs.len())).unwrap_or_default());
            if pair.difference < LEAST || sure.contains(&pair.at) || pair.difference < STANDS_OUT / frames * before.max(after) {
                continue;
            }
            let start = pair.before.plus(-margin).max(span.start());
            let around = Span::between(start, pair.at.plus(margin).min(span.end()));
            match suspects.last_mut() {
                Some(last) if around.start() <= last.around.end() => {
                    last.place = Span::between(last.place.start(), pair.at);
                    last.around = Span::between(last.around.start(), around.end());
                }
                _ => suspects.push(CutCandidate { place: Span::between(pair.before, pair.at), around }),
            }
        }
        suspects
    }

    /// Of the cuts that were found among the frames seen, those between two frames that have no other between them: encoders begin a new group
    /// of pictures at a cut, and there both are seen. Such a cut is sure, for it stands out from changes over more than one frame's time.
    pub(super) fn sure(&self, frame: f64, found: &[Timestamp]) -> Vec<Timestamp> {
        let next = |pair: &&Pair| pair.at.since(pair.before).secs() < 1.5 * frame;
        self.pairs.iter().filter(next).map(|pair| pair.at).filter(|at| found.contains(at)).collect()
    }

    /// The first frame that was seen at or after a moment.
    pub(super) fn seen_from(&self, moment: Timestamp) -> Timestamp {
        let next = self.pairs.partition_point(|pair| pair.at < moment);
        self.pairs.get(next).map_or(moment, |pair| pair.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: f64 = 0.04;

    fn at(frame: usize) -> Timestamp {
        Timestamp::from_secs(frame as f64 * FRAME)
    }

    /// Every second frame of 100 was seen; at frames of `jumps` it differed that much, else by `usual`.
    fn suspects(usual: f32, jumps: &[(usize, f32)]) -> CutCandidates {
        let mut suspects = CutCandidates::default();
        for frame in (0..100).step_by(2) {
            suspects.push(at(frame), jumps.iter().find(|jump| jump.0 == frame).map_or(usual, |jump| jump.1));
        }
        suspects
    }

    #[test]
    fn what_stands_out_is_looked_at_and_what_surrounds_it() {
        let span = Span::between(at(0), at(100));
        let found = suspects(1.0, &[(40, 30.0)]).stretches(span, FRAME, &[]);
        assert_eq!(found, [CutCandidate { place: Span::between(at(38), at(40)), around: Span::between(at(29), at(49)) }]);
        assert_eq!(suspects(1.0, &[(40, 5.0)]).stretches(span, FRAME, &[]), []);
        let found = suspects(1.0, &[(2, 30.0), (98, 30.0)]).stretches(span, FRAME, &[]);
        assert_eq!(
            found.iter().map(|suspect| suspect.around).collect::<Vec<_>>(),
            [Span::between(at(0), at(11)), Span::between(at(87), at(100))]
        );
    }

    #[test]
    fn motion_must_be_outdone_by_less_than_between_neighbours() {
        let span = Span::between(at(0), at(100));
        assert_eq!(suspects(20.0, &[]).stretches(span, FRAME, &[]), []);
        assert_eq!(suspects(20.0, &[(40, 24.0)]).stretches(span, FRAME, &[]), []);
        assert_eq!(suspects(20.0, &[(40, 26.0)]).stretches(span, FRAME, &[]).len(), 1);
    }

    #[test]
    fn a_cut_between_neighbours_is_sure() {
        let span = Span::between(at(0), at(100));
        let mut suspects = suspects(1.0, &[(40, 30.0)]);
        assert_eq!(suspects.sure(FRAME, &[at(40)]), []);
        suspects.push(at(99), 30.0);
        assert_eq!(suspects.sure(FRAME, &[]), []);
        assert_eq!(suspects.sure(FRAME, &[at(40), at(99)]), [at(99)]);
        assert_eq!(suspects.stretches(span, FRAME, &[at(99)]).len(), 1);
    }

    #[test]
    fn stretches_that_touch_are_one() {
        let span = Span::between(at(0), at(100));
        let found = suspects(1.0, &[(40, 30.0), (50, 30.0)]).stretches(span, FRAME, &[]);
        assert_eq!(found, [CutCandidate { place: Span::between(at(38), at(50)), around: Span::between(at(29), at(59)) }]);
    }

    #[test]
    fn a_shot_is_first_seen_in_the_next_frame() {
        let suspects = suspects(1.0, &[]);
        assert_eq!((suspects.seen_from(at(39)), suspects.seen_from(at(40))), (at(40), at(40)));
        assert_eq!(suspects.seen_from(at(120)), at(120));
    }
}
