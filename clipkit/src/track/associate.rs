//! From faces in single frames to one track a person and shot.
//!
//! Each track expects where its face is next, in a scene that stands still while the camera moves; the faces of a frame go to the tracks
//! that expect them, all at once, so that the whole fits best. A face that no track can mean begins one of its own.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use super::camera::CameraPath;
use super::detect::Detection;
use super::kalman::Motion;
use super::speaker::FaceImage;
use crate::av::RgbImage;
use crate::model::{FaceSample, FaceTrack, Rect, Shot, Timestamp};

/// A face may go unseen this long (a hand, someone who passes) and still be the same track, in seconds: a second, and until the next look.
const UNSEEN: f64 = 1.5;
/// What is seen for less than this, in seconds, is no face; in a shorter shot, less than `SHORT_SHOT` of the shot.
const FLEETING: f64 = 0.5;
const SHORT_SHOT: f64 = 0.4;
/// How far a face may be from where it is expected, in face sizes: a little and a few times the doubt, and never as far as the next
/// person, for the faces of two people side by side are about one apart.
const GATE: f64 = 0.35;
const DOUBTS: f64 = 2.5;
const WIDEST_GATE: f64 = 0.9;
/// How much larger or smaller a face may have become.
const SIZE_RATIO: f64 = 1.7;
/// What leaving a face and a track without each other costs, beside what they cost together (at most about 1.4).
const ALONE: f64 = 1.5;
/// Costs are counted in these parts.
const PARTS: f64 = 1e6;
/// Mouths are compared over no longer time than this, in seconds.
const MOUTH_GAP: f64 = 0.6;

/// The faces of one frame.
pub(super) struct Look {
    pub(super) at: Timestamp,
    pub(super) faces: Vec<(Detection, FaceImage)>,
}

impl Look {
    /// Keeps each face's own picture.
    pub(super) fn new(at: Timestamp, picture: &RgbImage, faces: &[Detection]) -> Self {
        Look { at, faces: faces.iter().map(|face| (*face, FaceImage::of(picture, face))).collect() }
    }
}

/// A track that may go on.
struct Open {
    samples: Vec<FaceSample>,
    image: FaceImage,
    motion: Motion,
}

/// Links the faces of `looks` (in order of time) within each shot. `shape` is the picture's width divided by its height. A track of
/// which the detector was never at least `sure` is dropped: what looks a little like a face for long (a neck, a pattern) is none.
pub(super) fn tracks(shots: &[Shot], camera: &CameraPath, looks: &[Look], shape: f64, sure: f64) -> Vec<FaceTrack> {
    let mut tracks = Vec::new();
    for shot in shots {
        let inside = looks.iter().filter(|look| shot.span.contains(look.at));
        let needed = FLEETING.min(SHORT_SHOT * shot.span.duration().as_secs_f64());
        let is_face = |samples: &Vec<FaceSample>| length(samples) >= needed && samples.iter().any(|sample| sample.confidence >= sure);
        tracks.extend(in_shot(inside, camera, shape).into_iter().filter(is_face));
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
fn in_shot<'a>(looks: impl Iterator<Item = &'a Look>, camera: &CameraPath, shape: f64) -> Vec<Vec<FaceSample>> {
    let (mut open, mut ended): (Vec<Open>, Vec<Open>) = (Vec::new(), Vec::new());
    for look in looks {
        ended.extend(open.extract_if(.., |track| track.unseen(look.at) > UNSEEN));
        let costs: Vec<Vec<Option<f64>>> =
            open.iter().map(|track| look.faces.iter().map(|(face, _)| track.cost(look.at, face.rect, camera, shape)).collect()).collect();
        let taken = assigned(&costs);
        for (track, face) in open.iter_mut().zip(&taken) {
            if let Some((face, image)) = face.and_then(|face| look.faces.get(face)) {
                track.extend(look.at, face, image, camera);
            }
        }
        for (n, (face, image)) in look.faces.iter().enumerate() {
            if !taken.contains(&Some(n)) {
                let sample = FaceSample { at: look.at, rect: face.rect, confidence: face.confidence, mouth: 0.0 };
                let motion = Motion::new(camera.in_scene(face.rect, look.at), shape);
                open.push(Open { samples: vec![sample], image: image.clone(), motion });
            }
        }
    }
    ended.extend(open);
    ended.sort_by_key(|track| track.samples.first().map(|sample| sample.at));
    ended.into_iter().map(|track| track.samples).collect()
}

/// For each track (a row) the face that it goes on with, so that all costs together are least. A pair without a cost cannot be.
fn assigned(costs: &[Vec<Option<f64>>]) -> Vec<Option<usize>> {
    let faces = costs.first().map_or(0, Vec::len);
    if faces == 0 {
        return vec![None; costs.len()];
    }
    // A column more for each track, in which it stays alone.
    let worth = |cost: Option<f64>| cost.map_or(-1, |cost| ((ALONE - cost) * PARTS) as i64);
    let rows = costs.iter().map(|row| row.iter().map(|&cost| worth(cost)).chain(costs.iter().map(|_| 0)).collect::<Vec<i64>>());
    let Ok(matrix) = Matrix::from_rows(rows) else { return vec![None; costs.len()] };
    let (_, columns) = kuhn_munkres(&matrix);
    columns.into_iter().zip(costs).map(|(column, row)| row.get(column).copied().flatten().map(|_| column)).collect()
}

impl Open {
    fn unseen(&self, at: Timestamp) -> f64 {
        self.samples.last().map_or(f64::INFINITY, |last| at.since(last.at).secs())
    }

    /// How unlikely it is that a face seen at `at` in `rect` is this one; none where it cannot be.
    fn cost(&self, at: Timestamp, rect: Rect, camera: &CameraPath, shape: f64) -> Option<f64> {
        let last = self.samples.last()?;
        let gap = at.since(last.at).secs();
        if gap <= 0.0 {
            return None;
        }
        let motion = self.motion.after(gap);
        let (seen, expected) = (camera.in_scene(rect, at), motion.expected(last.rect));
        let ratio = (rect.size(shape) / last.rect.size(shape)).ln().abs();
        // Where it is expected, it is as large as it was.
        let distance = expected.distance(seen, shape);
        let gate = (GATE + DOUBTS * motion.doubt() / last.rect.size(shape)).min(WIDEST_GATE);
        if ratio > SIZE_RATIO.ln() || distance > gate {
            return None;
        }
        Some(distance + ratio - 0.3 * expected.iou(seen))
    }

    fn extend(&mut self, at: Timestamp, face: &Detection, image: &FaceImage, camera: &CameraPath) {
        let gap = self.unseen(at);
        self.motion = self.motion.after(gap).seen(camera.in_scene(face.rect, at));
        let mouth = if gap <= MOUTH_GAP { image.mouth_change(&self.image) } else { 0.0 };
        self.samples.push(FaceSample { at, rect: face.rect, confidence: face.confidence, mouth });
        self.image = image.clone();
    }
}

/// Faces of frames in order, for benches: a grey picture of each, and a camera that stands.
#[doc(hidden)]
pub struct SeenFaces(Vec<Look>);

impl SeenFaces {
    /// From boxes at moments.
    pub fn new(moments: impl IntoIterator<Item = (Timestamp, Vec<Rect>)>) -> Self {
        let picture = RgbImage { width: 640, height: 360, pixels: (0..640 * 360 * 3).map(|n| (n % 251) as u8).collect() };
        let face = |rect| (Detection { rect, confidence: 0.95, marks: None }, FaceImage::new(&picture, rect));
        SeenFaces(moments.into_iter().map(|(at, rects)| Look { at, faces: rects.into_iter().map(face).collect() }).collect())
    }

    /// Links them within each shot, in a picture of 16 to 9.
    pub fn associate(&self, shots: &[Shot]) -> Vec<FaceTrack> {
        tracks(shots, &CameraPath::default(), &self.0, 16.0 / 9.0, 0.9)
    }
}

#[cfg(test)]
#[path = "associate_tests.rs"]
mod tests;
