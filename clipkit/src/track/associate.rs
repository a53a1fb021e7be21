//! Linking the face detections of single frames to tracks: one track per person and shot.
//!
//! Each track predicts the position of its face in scene coordinates, from which the camera's
//! motion is removed. The detections of a frame are assigned to the tracks all at once, so that the
//! total cost is minimal (Hungarian algorithm). A detection that matches no track starts a new one.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use super::camera::CameraPath;
use super::detect::Detection;
use super::kalman::Motion;
use super::speaker::FaceImage;
use crate::av::RgbImage;
use crate::model::{FaceSample, FaceTrack, Rect, Shot, Timestamp};

/// A track ends when its face was not detected for this long, in seconds. It covers a second of
/// occlusion (a hand, a passer-by) and the time until the next detection.
const MAX_GAP: f64 = 1.5;
/// A track shorter than this, in seconds, is a false detection. In a short shot the limit is
/// `MIN_SHARE` of the shot's length.
const MIN_DURATION: f64 = 0.5;
const MIN_SHARE: f64 = 0.4;
/// How far a detection may be from the predicted position, in face sizes: `GATE` plus
/// `GATE_DEVIATIONS` standard deviations of the prediction, at most `MAX_GATE`. The limit stays
/// below 1 because the faces of two people side by side are about one face size apart.
const GATE: f64 = 0.35;
const GATE_DEVIATIONS: f64 = 2.5;
const MAX_GATE: f64 = 0.9;
/// The largest ratio between the sizes of consecutive detections of one track.
const MAX_SIZE_RATIO: f64 = 1.7;
/// The cost of leaving a track and a detection unmatched. The cost of a match is at most about 1.4.
const UNMATCHED_COST: f64 = 1.5;
/// Costs are multiplied by this and rounded to integers.
const COST_SCALE: f64 = 1e6;
/// The longest time between two face images whose mouths are compared, in seconds.
const MAX_MOUTH_GAP: f64 = 0.6;

/// The faces detected in one frame.
pub(super) struct FrameDetections {
    pub(super) at: Timestamp,
    pub(super) faces: Vec<(Detection, FaceImage)>,
}

impl FrameDetections {
    /// Stores an image of each face beside its detection.
    pub(super) fn new(at: Timestamp, picture: &RgbImage, faces: &[Detection]) -> Self {
        FrameDetections { at, faces: faces.iter().map(|face| (*face, FaceImage::from_detection(picture, face))).collect() }
    }
}

/// A track that may continue.
struct OpenTrack {
    samples: Vec<FaceSample>,
    image: FaceImage,
    motion: Motion,
}

/// Links the detections of `frames` (in order of time) within each shot. `aspect_ratio` is the
/// picture's width divided by its height. Tracks whose confidence never reaches `peak_confidence`
/// are dropped: what looks a little like a face for long (a neck, a pattern) never does.
pub(super) fn tracks(
    shots: &[Shot],
    camera: &CameraPath,
    frames: &[FrameDetections],
    aspect_ratio: f64,
    peak_confidence: f64,
) -> Vec<FaceTrack> {
    let mut tracks = Vec::new();
    for shot in shots {
        let inside = frames.iter().filter(|frame| shot.span.contains(frame.at));
        let needed = MIN_DURATION.min(MIN_SHARE * shot.span.duration().as_secs_f64());
        let is_face =
            |samples: &Vec<FaceSample>| length(samples) >= needed && samples.iter().any(|sample| sample.confidence >= peak_confidence);
        tracks.extend(in_shot(inside, camera, aspect_ratio).into_iter().filter(is_face));
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
fn in_shot<'a>(frames: impl Iterator<Item = &'a FrameDetections>, camera: &CameraPath, aspect_ratio: f64) -> Vec<Vec<FaceSample>> {
    let (mut open, mut ended): (Vec<OpenTrack>, Vec<OpenTrack>) = (Vec::new(), Vec::new());
    for frame in frames {
        ended.extend(open.extract_if(.., |track| track.gap_until(frame.at) > MAX_GAP));
        let costs: Vec<Vec<Option<f64>>> = open
            .iter()
            .map(|track| frame.faces.iter().map(|(face, _)| track.cost(frame.at, face.rect, camera, aspect_ratio)).collect())
            .collect();
        let assigned = assign(&costs);
        for (track, face) in open.iter_mut().zip(&assigned) {
            if let Some((face, image)) = face.and_then(|face| frame.faces.get(face)) {
                track.extend(frame.at, face, image, camera);
            }
        }
        for (n, (face, image)) in frame.faces.iter().enumerate() {
            if !assigned.contains(&Some(n)) {
                let sample = FaceSample { at: frame.at, rect: face.rect, confidence: face.confidence, mouth: 0.0, speaking: None };
                let motion = Motion::new(camera.to_scene(face.rect, frame.at), aspect_ratio);
                open.push(OpenTrack { samples: vec![sample], image: image.clone(), motion });
            }
        }
    }
    ended.extend(open);
    ended.sort_by_key(|track| track.samples.first().map(|sample| sample.at));
    ended.into_iter().map(|track| track.samples).collect()
}

/// Assigns to each track (row) the detection that continues it, so that the total cost is minimal.
/// `None` as a cost forbids the match.
fn assign(costs: &[Vec<Option<f64>>]) -> Vec<Option<usize>> {
    let faces = costs.first().map_or(0, Vec::len);
    if faces == 0 {
        return vec![None; costs.len()];
    }
    // One more column per track, which leaves it unmatched.
    let gain = |cost: Option<f64>| cost.map_or(-1, |cost| ((UNMATCHED_COST - cost) * COST_SCALE) as i64);
    let rows = costs.iter().map(|row| row.iter().map(|&cost| gain(cost)).chain(costs.iter().map(|_| 0)).collect::<Vec<i64>>());
    let Ok(matrix) = Matrix::from_rows(rows) else { return vec![None; costs.len()] };
    let (_, columns) = kuhn_munkres(&matrix);
    columns.into_iter().zip(costs).map(|(column, row)| row.get(column).copied().flatten().map(|_| column)).collect()
}

impl OpenTrack {
    fn gap_until(&self, at: Timestamp) -> f64 {
        self.samples.last().map_or(f64::INFINITY, |last| at.since(last.at).secs())
    }

    /// The cost of continuing the track with a detection at `rect`, or `None` if they cannot match.
    fn cost(&self, at: Timestamp, rect: Rect, camera: &CameraPath, aspect_ratio: f64) -> Option<f64> {
        let last = self.samples.last()?;
        let gap = at.since(last.at).secs();
        if gap <= 0.0 {
            return None;
        }
        let motion = self.motion.predict(gap);
        let (scene_rect, expected) = (camera.to_scene(rect, at), motion.expected_box(last.rect));
        let ratio = (rect.size(aspect_ratio) / last.rect.size(aspect_ratio)).ln().abs();
        // The prediction has the size of the last detection.
        let distance = expected.distance(scene_rect, aspect_ratio);
        let gate = (GATE + GATE_DEVIATIONS * motion.deviation() / last.rect.size(aspect_ratio)).min(MAX_GATE);
        if ratio > MAX_SIZE_RATIO.ln() || distance > gate {
            return None;
        }
        Some(distance + ratio - 0.3 * expected.iou(scene_rect))
    }

    fn extend(&mut self, at: Timestamp, face: &Detection, image: &FaceImage, camera: &CameraPath) {
        let gap = self.gap_until(at);
        self.motion = self.motion.predict(gap).update(camera.to_scene(face.rect, at));
        let mouth = if gap <= MAX_MOUTH_GAP { image.mouth_change(&self.image) } else { 0.0 };
        self.samples.push(FaceSample { at, rect: face.rect, confidence: face.confidence, mouth, speaking: None });
        self.image = image.clone();
    }
}

/// Detections of frames in order, for benchmarks: a gray image of each face, and a static camera.
#[doc(hidden)]
pub struct SeenFaces(Vec<FrameDetections>);

impl SeenFaces {
    /// Creates the detections from boxes at times.
    pub fn new(moments: impl IntoIterator<Item = (Timestamp, Vec<Rect>)>) -> Self {
        let picture = RgbImage { width: 640, height: 360, pixels: (0..640 * 360 * 3).map(|n| (n % 251) as u8).collect() };
        let face = |rect| (Detection { rect, confidence: 0.95, landmarks: None }, FaceImage::new(&picture, rect));
        SeenFaces(moments.into_iter().map(|(at, rects)| FrameDetections { at, faces: rects.into_iter().map(face).collect() }).collect())
    }

    /// Links them within each shot, in a picture of 16:9.
    pub fn associate(&self, shots: &[Shot]) -> Vec<FaceTrack> {
        tracks(shots, &CameraPath::default(), &self.0, 16.0 / 9.0, 0.9)
    }
}

#[cfg(test)]
#[path = "associate_tests.rs"]
mod tests;
