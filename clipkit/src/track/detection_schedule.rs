//! Which pictures faces are searched for in: where nobody comes, goes or leaps, every third one is enough, and those between take the
//! faces from both sides. Their mouths are looked at in each.

use super::associate::Look;
use super::detect::Detection;
use crate::av::RgbImage;
use crate::error::Result;
use crate::model::{Rect, Timestamp};

/// Two boxes that share more than this part of their union are one face that stays, but for a detector's jitter. One that leaps half as far
/// is taken to be a little beside its place in between, and its mouth then seems to move by as much.
const STAYS: f64 = 0.9;
/// The same for a face that is alone, whose mouth is compared with no other's: one that moves evenly.
const MOVES: f64 = 0.6;

/// So many pictures wait for the next that is searched.
const BETWEEN: usize = 2;

/// Collects looks at pictures that are given in order of time.
#[derive(Default)]
pub(super) struct DetectionSchedule {
    looks: Vec<Look>,
    /// The faces found last, which those of the pictures that wait may be like.
    known: Option<(Timestamp, Vec<Detection>)>,
    waiting: Vec<(Timestamp, RgbImage)>,
}

impl DetectionSchedule {
    /// Looks at the next picture. What was found before a picture that may start a shot says nothing of it. `search` finds the faces in one.
    pub(super) fn push(
        &mut self,
        at: Timestamp,
        picture: RgbImage,
        may_start_a_shot: bool,
        mut search: impl FnMut(&RgbImage) -> Result<Vec<Detection>>,
    ) -> Result<()> {
        if may_start_a_shot {
            self.settle(&mut search)?;
            self.known = None;
        }
        if self.known.is_some() && self.waiting.len() < BETWEEN {
            self.waiting.push((at, picture));
            return Ok(());
        }
        let faces = search(&picture)?;
        for (moment, between) in std::mem::take(&mut self.waiting) {
            let both = self.known.as_ref().and_then(|(before, known)| {
                let share = moment.since(*before).secs() / at.since(*before).secs().max(f64::MIN_POSITIVE);
                midway(known, &faces, share)
            });
            let found = match both {
                Some(faces) => faces,
                None => search(&between)?,
            };
            self.add(moment, &between, &found);
        }
        self.add(at, &picture, &faces);
        self.known = Some((at, faces));
        Ok(())
    }

    /// The looks, in order, when there is no more picture.
    pub(super) fn finish(mut self, mut search: impl FnMut(&RgbImage) -> Result<Vec<Detection>>) -> Result<Vec<Look>> {
        self.settle(&mut search)?;
        Ok(self.looks)
    }

    /// Nothing that comes tells of the pictures that wait.
    fn settle(&mut self, search: &mut dyn FnMut(&RgbImage) -> Result<Vec<Detection>>) -> Result<()> {
        for (at, picture) in std::mem::take(&mut self.waiting) {
            let faces = search(&picture)?;
            self.add(at, &picture, &faces);
        }
        Ok(())
    }

    fn add(&mut self, at: Timestamp, picture: &RgbImage, faces: &[Detection]) {
        self.looks.push(Look::new(at, picture, faces));
    }
}

/// The faces between two pictures with the same ones, `share` of the time after the first.
fn midway(before: &[Detection], after: &[Detection], share: f64) -> Option<Vec<Detection>> {
    if before.len() != after.len() {
        return None;
    }
    let least = if before.len() == 1 { MOVES } else { STAYS };
    let like = |face: &Detection| after.iter().find(|other| face.rect.iou(other.rect) > least);
    before.iter().map(|face| like(face).map(|other| between(face, other, share))).collect()
}

fn between(a: &Detection, b: &Detection, share: f64) -> Detection {
    let mix = |a: f64, b: f64| a + (b - a) * share;
    let (from, to) = (a.rect, b.rect);
    let rect = Rect::new(mix(from.x, to.x), mix(from.y, to.y), mix(from.width, to.width), mix(from.height, to.height));
    let marks = a.marks.zip(b.marks).map(|(a, b)| std::array::from_fn(|n| (mix(a[n].0, b[n].0), mix(a[n].1, b[n].1))));
    Detection { rect, confidence: a.confidence.min(b.confidence), marks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};

    fn face(x: f64) -> Detection {
        Detection { rect: Rect::new(x, 0.25, 0.125, 0.25), confidence: 0.75 + x / 8.0, marks: Some([(x, 0.5); 5]) }
    }

    /// Looks five times a second at pictures with these faces, and which of them were searched. Those marked may start a shot.
    fn gaze(pictures: &[(&[f64], bool)]) -> (Vec<Vec<f64>>, Vec<usize>) {
        let (mut gaze, mut searched) = (DetectionSchedule::default(), Vec::new());
        // A picture's only pixel tells which it is.
        let mut search = |image: &RgbImage| {
            let n = usize::from(image.pixel(0, 0)[0]);
            searched.push(n);
            Ok(pictures[n].0.iter().copied().map(face).collect())
        };
        for (n, (_, starts)) in pictures.iter().enumerate() {
            let picture = RgbImage { width: 1, height: 1, pixels: vec![n as u8; 3] };
            gaze.push(Timestamp::from_secs(n as f64 / 5.0), picture, *starts, &mut search).unwrap();
        }
        let looks = gaze.finish(&mut search).unwrap();
        assert!(looks.iter().map(|look| look.at).eq((0..pictures.len()).map(|n| Timestamp::from_secs(n as f64 / 5.0))));
        let rounded = |(face, _): &(Detection, _)| (face.rect.x * 1e6).round() / 1e6;
        (looks.iter().map(|look| look.faces.iter().map(rounded).collect()).collect(), searched)
    }

    #[test]
    fn between_two_pictures_with_the_same_faces_none_is_searched() {
        let empty = (&[][..], false);
        let (before, after) = (&[0.25, 0.5][..], &[0.5, 0.253][..]);
        let (faces, searched) = gaze(&[(before, true), empty, empty, (after, false), empty, empty, (before, false)]);
        assert_eq!(searched, [0, 3, 6]);
        assert_eq!(faces[1..6], [vec![0.251, 0.5], vec![0.252, 0.5], vec![0.5, 0.253], vec![0.5, 0.252], vec![0.5, 0.251]]);
        let mixed = between(&face(0.25), &face(0.28125), 0.5);
        assert_eq!((mixed.confidence, mixed.marks), (face(0.25).confidence, Some([(0.265625, 0.5); 5])));
    }

    #[test]
    fn a_face_alone_may_move() {
        let (alone, both) = ([&[0.25][..], &[0.265]], [&[0.25, 0.5][..], &[0.265, 0.5]]);
        let (faces, searched) = gaze(&[(alone[0], true), (&[], false), (&[], false), (alone[1], false)]);
        assert_eq!((searched, &faces[1..3]), (vec![0, 3], &[vec![0.255], vec![0.26]][..]));
        let (_, searched) = gaze(&[(both[0], true), (both[0], false), (both[0], false), (both[1], false)]);
        assert_eq!(searched, [0, 3, 1, 2]);
    }

    #[test]
    fn where_a_face_comes_goes_or_leaps_every_picture_is_searched() {
        for after in [&[0.25, 0.5][..], &[], &[0.3125]] {
            let (faces, searched) = gaze(&[(&[0.25], true), (&[0.265], false), (after, false), (after, false)]);
            assert_eq!(searched, [0, 3, 1, 2]);
            assert_eq!(faces, [vec![0.25], vec![0.265], after.to_vec(), after.to_vec()]);
        }
    }

    #[test]
    fn nothing_is_carried_over_a_cut_or_the_end() {
        let (faces, searched) = gaze(&[(&[0.25], true), (&[], false), (&[0.25], true), (&[0.375], false), (&[], false)]);
        assert_eq!(searched, [0, 1, 2, 3, 4]);
        assert_eq!(faces, [vec![0.25], vec![], vec![0.25], vec![0.375], vec![]]);
    }

    #[test]
    fn empty_pictures_are_between_empty_ones() {
        assert_eq!(gaze(&[(&[], true), (&[0.5], false), (&[0.5], false), (&[], false)]).1, [0, 3]);
    }

    #[test]
    fn a_search_that_fails_is_the_answer() {
        let picture = || RgbImage { width: 1, height: 1, pixels: vec![0; 3] };
        let broken = |_: &RgbImage| Err(Error::new(ErrorKind::Contract, "the face detector failed"));
        let mut gaze = DetectionSchedule::default();
        assert!(gaze.push(Timestamp::ZERO, picture(), true, broken).is_err());
        gaze.push(Timestamp::ZERO, picture(), true, |_| Ok(Vec::new())).unwrap();
        gaze.push(Timestamp::ZERO, picture(), false, broken).unwrap();
        assert!(gaze.finish(broken).is_err());
    }
}
