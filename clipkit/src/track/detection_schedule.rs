//! The detection schedule: in which pictures faces are detected. While the faces stay the same,
//! every third picture is enough, and the detections in the two pictures between are interpolated.
//! Mouth movement is still measured in every picture.

use super::associate::FrameDetections;
use super::detect::Detection;
use crate::av::RgbImage;
use crate::error::Result;
use crate::model::{Rect, Timestamp};

/// Boxes of one face in two detected pictures must have more than this intersection over union for
/// the detections between them to be interpolated. The limit allows for detector jitter only. A
/// larger movement would make the interpolated boxes inexact, which shows as false mouth movement.
const SAME_PLACE_IOU: f64 = 0.9;
/// The same limit for a single face. It may move evenly, because its mouth is not compared with
/// another person's.
const SINGLE_FACE_IOU: f64 = 0.6;

/// The largest number of pictures between two that are searched.
const MAX_SKIPPED: usize = 2;

/// Collects detections in pictures that are given in order of time.
#[derive(Default)]
pub(super) struct DetectionSchedule {
    frames: Vec<FrameDetections>,
    /// The faces of the last detected picture, from which skipped pictures may be interpolated.
    last_detected: Option<(Timestamp, Vec<Detection>)>,
    skipped: Vec<(Timestamp, RgbImage)>,
}

impl DetectionSchedule {
    /// Adds the next picture. `detect` finds the faces in one. If the picture may start a shot,
    /// nothing is interpolated across it.
    pub(super) fn push(
        &mut self,
        at: Timestamp,
        picture: RgbImage,
        may_start_a_shot: bool,
        mut detect: impl FnMut(&RgbImage) -> Result<Vec<Detection>>,
    ) -> Result<()> {
        if may_start_a_shot {
            self.detect_skipped(&mut detect)?;
            self.last_detected = None;
        }
        if self.last_detected.is_some() && self.skipped.len() < MAX_SKIPPED {
            self.skipped.push((at, picture));
            return Ok(());
        }
        let faces = detect(&picture)?;
        for (time, skipped) in std::mem::take(&mut self.skipped) {
            let interpolated = self.last_detected.as_ref().and_then(|(before, last_detected)| {
                let share = time.since(*before).secs() / at.since(*before).secs().max(f64::MIN_POSITIVE);
                interpolate_all(last_detected, &faces, share)
            });
            let found = match interpolated {
                Some(faces) => faces,
                None => detect(&skipped)?,
            };
            self.add(time, &skipped, &found);
        }
        self.add(at, &picture, &faces);
        self.last_detected = Some((at, faces));
        Ok(())
    }

    /// The detections of all pictures, in order, after the last picture.
    pub(super) fn finish(mut self, mut detect: impl FnMut(&RgbImage) -> Result<Vec<Detection>>) -> Result<Vec<FrameDetections>> {
        self.detect_skipped(&mut detect)?;
        Ok(self.frames)
    }

    /// Detects faces in the skipped pictures, because no later picture shows the same faces.
    fn detect_skipped(&mut self, detect: &mut dyn FnMut(&RgbImage) -> Result<Vec<Detection>>) -> Result<()> {
        for (at, picture) in std::mem::take(&mut self.skipped) {
            let faces = detect(&picture)?;
            self.add(at, &picture, &faces);
        }
        Ok(())
    }

    fn add(&mut self, at: Timestamp, picture: &RgbImage, faces: &[Detection]) {
        self.frames.push(FrameDetections::new(at, picture, faces));
    }
}

/// The faces between two pictures with the same faces, at `share` (0 to 1) of the time between
/// them. `None` if the faces differ.
fn interpolate_all(before: &[Detection], after: &[Detection], share: f64) -> Option<Vec<Detection>> {
    if before.len() != after.len() {
        return None;
    }
    let least = if before.len() == 1 { SINGLE_FACE_IOU } else { SAME_PLACE_IOU };
    let like = |face: &Detection| after.iter().find(|other| face.rect.iou(other.rect) > least);
    before.iter().map(|face| like(face).map(|other| interpolate(face, other, share))).collect()
}

fn interpolate(a: &Detection, b: &Detection, share: f64) -> Detection {
    let mix = |a: f64, b: f64| a + (b - a) * share;
    let (from, to) = (a.rect, b.rect);
    let rect = Rect::new(mix(from.x, to.x), mix(from.y, to.y), mix(from.width, to.width), mix(from.height, to.height));
    let landmarks = a.landmarks.zip(b.landmarks).map(|(a, b)| std::array::from_fn(|n| (mix(a[n].0, b[n].0), mix(a[n].1, b[n].1))));
    Detection { rect, confidence: a.confidence.min(b.confidence), landmarks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};

    fn face(x: f64) -> Detection {
        Detection { rect: Rect::new(x, 0.25, 0.125, 0.25), confidence: 0.75 + x / 8.0, landmarks: Some([(x, 0.5); 5]) }
    }

    /// Adds pictures with these faces, five per second. The flag says whether a picture may start a
    /// shot. Returns the left edges of the faces, per picture, and the pictures in which faces were
    /// detected.
    fn schedule(pictures: &[(&[f64], bool)]) -> (Vec<Vec<f64>>, Vec<usize>) {
        let (mut schedule, mut detected) = (DetectionSchedule::default(), Vec::new());
        // The picture's only pixel holds its index.
        let mut detect = |image: &RgbImage| {
            let n = usize::from(image.pixel(0, 0)[0]);
            detected.push(n);
            Ok(pictures[n].0.iter().copied().map(face).collect())
        };
        for (n, (_, starts)) in pictures.iter().enumerate() {
            let picture = RgbImage { width: 1, height: 1, pixels: vec![n as u8; 3] };
            schedule.push(Timestamp::from_secs(n as f64 / 5.0), picture, *starts, &mut detect).unwrap();
        }
        let frames = schedule.finish(&mut detect).unwrap();
        assert!(frames.iter().map(|frame| frame.at).eq((0..pictures.len()).map(|n| Timestamp::from_secs(n as f64 / 5.0))));
        let rounded = |(face, _): &(Detection, _)| (face.rect.x * 1e6).round() / 1e6;
        (frames.iter().map(|frame| frame.faces.iter().map(rounded).collect()).collect(), detected)
    }

    #[test]
    fn between_two_pictures_with_the_same_faces_none_is_detected() {
        let empty = (&[][..], false);
        let (before, after) = (&[0.25, 0.5][..], &[0.5, 0.253][..]);
        let (faces, detected) = schedule(&[(before, true), empty, empty, (after, false), empty, empty, (before, false)]);
        assert_eq!(detected, [0, 3, 6]);
        assert_eq!(faces[1..6], [vec![0.251, 0.5], vec![0.252, 0.5], vec![0.5, 0.253], vec![0.5, 0.252], vec![0.5, 0.251]]);
        let mixed = interpolate(&face(0.25), &face(0.28125), 0.5);
        assert_eq!((mixed.confidence, mixed.landmarks), (face(0.25).confidence, Some([(0.265625, 0.5); 5])));
    }

    #[test]
    fn a_single_face_may_move() {
        let (alone, two) = ([&[0.25][..], &[0.265]], [&[0.25, 0.5][..], &[0.265, 0.5]]);
        let (faces, detected) = schedule(&[(alone[0], true), (&[], false), (&[], false), (alone[1], false)]);
        assert_eq!((detected, &faces[1..3]), (vec![0, 3], &[vec![0.255], vec![0.26]][..]));
        let (_, detected) = schedule(&[(two[0], true), (two[0], false), (two[0], false), (two[1], false)]);
        assert_eq!(detected, [0, 3, 1, 2]);
    }

    #[test]
    fn faces_are_detected_in_every_picture_where_one_appears_vanishes_or_jumps() {
        for after in [&[0.25, 0.5][..], &[], &[0.3125]] {
            let (faces, detected) = schedule(&[(&[0.25], true), (&[0.265], false), (after, false), (after, false)]);
            assert_eq!(detected, [0, 3, 1, 2]);
            assert_eq!(faces, [vec![0.25], vec![0.265], after.to_vec(), after.to_vec()]);
        }
    }

    #[test]
    fn nothing_is_interpolated_across_a_cut_or_the_end() {
        let (faces, detected) = schedule(&[(&[0.25], true), (&[], false), (&[0.25], true), (&[0.375], false), (&[], false)]);
        assert_eq!(detected, [0, 1, 2, 3, 4]);
        assert_eq!(faces, [vec![0.25], vec![], vec![0.25], vec![0.375], vec![]]);
    }

    #[test]
    fn pictures_between_empty_ones_are_empty() {
        assert_eq!(schedule(&[(&[], true), (&[0.5], false), (&[0.5], false), (&[], false)]).1, [0, 3]);
    }

    #[test]
    fn a_failed_detection_is_returned() {
        let picture = || RgbImage { width: 1, height: 1, pixels: vec![0; 3] };
        let broken = |_: &RgbImage| Err(Error::new(ErrorKind::Contract, "the face detector failed"));
        let mut schedule = DetectionSchedule::default();
        assert!(schedule.push(Timestamp::ZERO, picture(), true, broken).is_err());
        schedule.push(Timestamp::ZERO, picture(), true, |_| Ok(Vec::new())).unwrap();
        schedule.push(Timestamp::ZERO, picture(), false, broken).unwrap();
        assert!(schedule.finish(broken).is_err());
    }
}
