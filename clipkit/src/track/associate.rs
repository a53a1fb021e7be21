//! From faces in single frames to one track a person and shot.

use super::detect::Detection;
use super::speaker::FaceImage;
use crate::model::{FaceSample, FaceTrack, Rect, Shot, Timestamp};

/// A face may go unseen this long (a hand, a turn of the head) and still be the same track, in seconds.
const UNSEEN: f64 = 1.0;
/// What is seen for less than this, in seconds, is no face; in a shorter shot, less than `SHORT_SHOT` of the shot.
const FLEETING: f64 = 0.5;
const SHORT_SHOT: f64 = 0.4;
/// How far a face may be from where it was expected, in face sizes: faces of two people side by side are about one apart. It grows with
/// the seconds since the face was seen.
const GATE: f64 = 0.6;
const GATE_GROWTH: f64 = 0.3;
/// How much larger or smaller a face may have become.
const SIZE_RATIO: f64 = 1.7;
/// A velocity is believed for this long after the face was last seen, in seconds; people stop.
const COASTING: f64 = 0.4;
/// Mouths are compared over no longer time than this, in seconds.
const MOUTH_GAP: f64 = 0.6;

/// The faces of one frame.
pub(super) struct Look {
    pub(super) at: Timestamp,
    pub(super) faces: Vec<(Detection, FaceImage)>,
}

/// A track that may go on.
struct Open {
    samples: Vec<FaceSample>,
    image: FaceImage,
    /// Of the centre, in picture sizes a second.
    velocity: (f64, f64),
}

/// Links the faces of `looks` (in order of time) within each shot. `shape` is the picture's width divided by its height. A track of
/// which the detector was never at least `sure` is dropped: what looks a little like a face for long (a neck, a pattern) is none.
pub(super) fn tracks(shots: &[Shot], looks: &[Look], shape: f64, sure: f64) -> Vec<FaceTrack> {
    let mut tracks = Vec::new();
    for shot in shots {
        let inside = looks.iter().filter(|look| shot.span.contains(look.at));
        let needed = FLEETING.min(SHORT_SHOT * shot.span.duration().as_secs_f64());
        let is_face = |samples: &Vec<FaceSample>| length(samples) >= needed && samples.iter().any(|sample| sample.confidence >= sure);
        tracks.extend(in_shot(inside, shape).into_iter().filter(is_face));
    }
    tracks.into_iter().zip(0..).map(|(samples, id)| FaceTrack { id, samples }).collect()
}

fn length(samples: &[FaceSample]) -> f64 {
    match samples {
        [first, .., last] => last.at.since(first.at).secs(),
        _ => 0.0,
    }
}

/// The tracks of one shot, in order of their first samples.
fn in_shot<'a>(looks: impl Iterator<Item = &'a Look>, shape: f64) -> Vec<Vec<FaceSample>> {
    let mut open: Vec<Open> = Vec::new();
    for look in looks {
        // All pairs of a track and a face that could be it, the best first. The surest pairs go first, so a face that fits two tracks
        // goes to the better one, and no track is left to take another's.
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (t, track) in open.iter().enumerate() {
            for (f, (face, _)) in look.faces.iter().enumerate() {
                if let Some(cost) = track.cost(look.at, face.rect, shape) {
                    pairs.push((cost, t, f));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut track_taken, mut face_taken) = (vec![false; open.len()], vec![false; look.faces.len()]);
        for (_, t, f) in pairs {
            if !track_taken[t] && !face_taken[f] {
                (track_taken[t], face_taken[f]) = (true, true);
                open[t].extend(look.at, &look.faces[f]);
            }
        }
        for ((face, image), taken) in look.faces.iter().zip(face_taken) {
            if !taken {
                let sample = FaceSample { at: look.at, rect: face.rect, confidence: face.confidence, mouth: 0.0 };
                open.push(Open { samples: vec![sample], image: image.clone(), velocity: (0.0, 0.0) });
            }
        }
    }
    open.into_iter().map(|track| track.samples).collect()
}

impl Open {
    /// How unlikely it is that a face seen at `at` in `rect` is this one; none where it cannot be.
    fn cost(&self, at: Timestamp, rect: Rect, shape: f64) -> Option<f64> {
        let last = self.samples.last()?;
        let gap = at.since(last.at).secs();
        if gap > UNSEEN || gap <= 0.0 {
            return None;
        }
        let time = gap.min(COASTING);
        let expected = Rect { x: last.rect.x + self.velocity.0 * time, y: last.rect.y + self.velocity.1 * time, ..last.rect };
        let ratio = (rect.size(shape) / last.rect.size(shape)).ln().abs();
        // Where it is expected, it is as large as it was.
        let distance = expected.distance(rect, shape);
        if ratio > SIZE_RATIO.ln() || distance > GATE + GATE_GROWTH * gap {
            return None;
        }
        Some(distance + ratio - 0.3 * expected.iou(rect))
    }

    fn extend(&mut self, at: Timestamp, (face, image): &(Detection, FaceImage)) {
        let Some(last) = self.samples.last() else { return };
        let gap = at.since(last.at).secs();
        let ((x, y), (to_x, to_y)) = (last.rect.center(), face.rect.center());
        // Half the news, half what was known: a detector's jitter is not taken for motion.
        let blend = |known: f64, from: f64, to: f64| (known + (to - from) / gap.max(1e-3)) / 2.0;
        self.velocity = (blend(self.velocity.0, x, to_x), blend(self.velocity.1, y, to_y));
        let mouth = if gap <= MOUTH_GAP { image.mouth_change(&self.image) } else { 0.0 };
        self.samples.push(FaceSample { at, rect: face.rect, confidence: face.confidence, mouth });
        self.image = image.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::super::pixels::image;
    use super::*;
    use crate::model::Span;
    use proptest::prelude::*;

    const SHAPE: f64 = 16.0 / 9.0;

    fn face(x: f64, width: f64) -> (Detection, FaceImage) {
        let rect = Rect::new(x - width / 2.0, 0.3, width, width * SHAPE);
        (Detection { rect, confidence: 0.9, marks: None }, FaceImage::new(&image(2, 2, vec![90; 12]), rect))
    }

    /// A look every 0.2 s at the faces that `at` names for a time in seconds.
    fn looks(count: usize, at: impl Fn(f64) -> Vec<(Detection, FaceImage)>) -> Vec<Look> {
        (0..count).map(|n| n as f64 * 0.2).map(|time| Look { at: Timestamp::from_secs(time), faces: at(time) }).collect()
    }

    fn shots(bounds: &[f64]) -> Vec<Shot> {
        bounds.windows(2).map(|pair| Shot::new(Span::secs(pair[0], pair[1]).unwrap())).collect()
    }

    #[test]
    fn a_face_that_is_missed_for_a_while_stays_one_track() {
        let seen = looks(30, |t| if (2.0..2.7).contains(&t) { vec![] } else { vec![face(0.2 + 0.05 * t, 0.1)] });
        let found = tracks(&shots(&[0.0, 6.0]), &seen, SHAPE, 0.9);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].samples.len(), 26);
    }

    #[test]
    fn a_fleeting_face_is_dropped_but_not_in_a_short_shot() {
        let fleeting = |t: f64| if (2.0..2.3).contains(&t) { vec![face(0.5, 0.1)] } else { vec![] };
        assert_eq!(tracks(&shots(&[0.0, 6.0]), &looks(30, fleeting), SHAPE, 0.9), []);
        assert_eq!(tracks(&shots(&[0.0, 1.9, 2.4, 6.0]), &looks(30, fleeting), SHAPE, 0.9).len(), 1);
    }

    #[test]
    fn what_is_never_surely_a_face_is_dropped() {
        assert_eq!(tracks(&shots(&[0.0, 6.0]), &looks(30, |_| vec![face(0.5, 0.1)]), SHAPE, 0.91), []);
    }

    #[test]
    fn a_track_ends_at_a_cut() {
        let found = tracks(&shots(&[0.0, 3.0, 6.0]), &looks(30, |_| vec![face(0.5, 0.1)]), SHAPE, 0.9);
        assert_eq!(found.iter().map(|track| track.samples.len()).collect::<Vec<_>>(), [15, 15]);
        assert_eq!(found.iter().map(|track| track.id).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn one_persons_track_does_not_go_over_to_the_neighbour() {
        // The left person is unseen from 2 s on, the right one sits a face away.
        let found = tracks(
            &shots(&[0.0, 6.0]),
            &looks(30, |t| if t < 2.0 { vec![face(0.4, 0.1), face(0.51, 0.1)] } else { vec![face(0.51, 0.1)] }),
            SHAPE,
            0.9,
        );
        let mut lengths: Vec<_> = found.iter().map(|track| (track.samples.len(), track.samples[0].rect.x)).collect();
        lengths.sort_by(|a, b| a.1.total_cmp(&b.1));
        assert_eq!(lengths.iter().map(|&(count, _)| count).collect::<Vec<_>>(), [10, 30]);
    }

    #[test]
    fn two_people_who_pass_each_other_keep_their_tracks() {
        // Different sizes tell them apart while they cross.
        let found = tracks(&shots(&[0.0, 6.0]), &looks(30, |t| vec![face(0.2 + 0.1 * t, 0.08), face(0.8 - 0.1 * t, 0.16)]), SHAPE, 0.9);
        assert_eq!(found.len(), 2);
        for track in found {
            let widths: Vec<f64> = track.samples.iter().map(|sample| sample.rect.width).collect();
            assert!(widths.iter().all(|width| (width - widths[0]).abs() < 0.01), "{widths:?}");
        }
    }

    proptest! {
        #[test]
        fn every_track_is_in_order_inside_one_shot_and_never_jumps(
            faces in prop::collection::vec(prop::collection::vec((0.0..1.0_f64, 0.03..0.3_f64), 0..4), 1..40),
            cut in 0.5..6.0_f64,
        ) {
            let shots = shots(&[0.0, cut, 8.0]);
            let seen = looks(faces.len(), |t| faces[(t / 0.2).round() as usize].iter().map(|&(x, width)| face(x, width)).collect());
            let total: usize = seen.iter().map(|look| look.faces.len()).sum();
            let found = tracks(&shots, &seen, SHAPE, 0.9);
            prop_assert!(found.iter().map(|track| track.samples.len()).sum::<usize>() <= total);
            for track in found {
                prop_assert!(shots.iter().any(|shot| track.samples.iter().all(|sample| shot.span.contains(sample.at))));
                for pair in track.samples.windows(2) {
                    let gap = pair[1].at.since(pair[0].at).secs();
                    prop_assert!(gap > 0.0 && gap <= UNSEEN + 1e-6);
                    let ratio = pair[1].rect.width / pair[0].rect.width;
                    prop_assert!((1.0 / SIZE_RATIO - 1e-6..=SIZE_RATIO + 1e-6).contains(&ratio));
                }
            }
        }
    }
}
