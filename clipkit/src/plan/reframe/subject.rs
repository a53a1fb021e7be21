//! The position of a shot's subject other than a face.

use crate::model::{Rect, Span, SubjectSample, SubjectTrack, Timestamp};

/// A subject counts as present this long before its first and after its last sample (`HOLD`) and
/// across gaps up to `MAX_GAP`, in seconds. In longer gaps the window is static.
const HOLD: f64 = 0.6;
const MAX_GAP: f64 = 1.5;

/// The subject's box at each of `times`; `None` if it is unknown. Consecutive subject tracks count
/// as one.
pub(super) fn in_shot(subjects: &[SubjectTrack], shot: Span, times: &[Timestamp]) -> Vec<Option<Rect>> {
    let all = subjects.iter().flat_map(|subject| &subject.samples).filter(|sample| shot.contains(sample.at));
    let mut samples: Vec<SubjectSample> = all.copied().collect();
    samples.sort_by_key(|sample| sample.at);
    times.iter().map(|&at| place(&samples, at)).collect()
}

fn place(samples: &[SubjectSample], at: Timestamp) -> Option<Rect> {
    let next = samples.partition_point(|sample| sample.at <= at);
    let before = next.checked_sub(1).and_then(|n| samples.get(n));
    match (before, samples.get(next)) {
        (Some(a), Some(b)) if b.at.since(a.at).secs() <= MAX_GAP => {
            let part = at.since(a.at).secs() / b.at.since(a.at).secs().max(1e-6);
            let mix = |from: f64, to: f64| from + (to - from) * part;
            let (from, to) = (a.rect, b.rect);
            Some(Rect::new(mix(from.x, to.x), mix(from.y, to.y), mix(from.width, to.width), mix(from.height, to.height)))
        }
        (before, after) => {
            let away = |sample: &&SubjectSample| sample.at.since(at).secs().abs();
            before.into_iter().chain(after).filter(|sample| away(sample) <= HOLD).min_by(|a, b| away(a).total_cmp(&away(b))).map(|s| s.rect)
        }
    }
}
