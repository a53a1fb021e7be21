//! Face detection in one picture: preprocessing and output decoding of the two supported models.

use std::path::Path;

use ort::session::{Session, SessionInputValue};
use ort::value::{Tensor, ValueType};

use super::pixels::resample;
use crate::av::RgbImage;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Rect;
use crate::onnx::{self, RuntimeOptions};

/// The largest intersection over union of two boxes of different faces in non-maximum suppression.
/// Both models' authors use this value.
const NMS_IOU: f64 = 0.3;
/// The sizes in pixels of the cells in YuNet's three output grids.
const STRIDES: [usize; 3] = [8, 16, 32];
/// The input side of a YuNet model with dynamic shape. The other YuNet models have 320 or 640.
const DYNAMIC_SIDE: usize = 640;

/// A face detected in one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detection {
    /// The face's box in fractions of the picture, clipped to it.
    pub(super) rect: Rect,
    /// 0 to 1.
    pub(super) confidence: f64,
    /// Landmarks, if the model has them.
    pub(super) landmarks: Option<Landmarks>,
}

/// The person's right eye, left eye, tip of the nose, right and left corner of the mouth, as (x, y)
/// in fractions of the picture from the top left.
pub(super) type Landmarks = [(f64, f64); 5];

/// The supported models, told apart by the names of their outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ModelKind {
    /// UltraFace: `scores` and `boxes`.
    UltraFace,
    /// YuNet: `cls_8`, `obj_8`, `bbox_8`, `kps_8`, and the same for strides 16 and 32.
    YuNet,
}

/// An open face detection model.
pub(super) struct Detector {
    session: Session,
    kind: ModelKind,
    /// Width and height of the model's input.
    size: (usize, usize),
}

impl Detector {
    /// Opens a model file and recognises the model.
    pub(super) fn open(path: &Path, runtime: &RuntimeOptions) -> Result<Self> {
        let session = onnx::open_without_arena(path, runtime)?;
        let has = |name: &str| session.outputs().iter().any(|output| output.name() == name);
        let kind = if has("scores") && has("boxes") {
            Some(ModelKind::UltraFace)
        } else if STRIDES.iter().all(|stride| ["cls", "obj", "bbox", "kps"].iter().all(|part| has(&format!("{part}_{stride}")))) {
            Some(ModelKind::YuNet)
        } else {
            None
        };
        let known = kind.and_then(|kind| {
            let [input] = session.inputs() else { return None };
            let ValueType::Tensor { shape, .. } = input.dtype() else { return None };
            let &[_, 3, height, width] = &shape[..] else { return None };
            let side = |length: i64| usize::try_from(length).ok().filter(|&length| length > 0).unwrap_or(DYNAMIC_SIDE);
            Some((kind, (side(width), side(height))))
        });
        let Some((kind, size)) = known else {
            return Err(Error::new(ErrorKind::InvalidInput, "this model is not a supported face detector")
                .with_path(path)
                .with_advice("use UltraFace (version-RFB-320.onnx) or YuNet (yunet_s_640_640.onnx)"));
        };
        Ok(Detector { session, kind, size })
    }

    /// The confidence threshold that the model's authors use.
    pub(super) fn default_confidence(&self) -> f64 {
        match self.kind {
            ModelKind::UltraFace => 0.7,
            ModelKind::YuNet => 0.6,
        }
    }

    /// Detects the faces in a picture, in order of falling confidence.
    pub(super) fn detect(&mut self, picture: &RgbImage, confidence: f64) -> Result<Vec<Detection>> {
        let (width, height) = self.size;
        let (input, scale) = match self.kind {
            ModelKind::UltraFace => (ultraface_input(picture, width, height), (1.0, 1.0)),
            ModelKind::YuNet => yunet_input(picture, width, height),
        };
        let failed = |error: ort::Error| Error::new(ErrorKind::Contract, format!("the face detector failed: {error}"));
        let tensor = Tensor::from_array(([1, 3, height, width], input)).map_err(failed)?;
        let values: SessionInputValue<'_> = tensor.into();
        let outputs = self.session.run([values]).map_err(failed)?;
        let output = |name: String| -> Result<&[f32]> {
            let value =
                outputs.get(&name).ok_or_else(|| Error::new(ErrorKind::Contract, format!("the face detector has no output {name}")))?;
            Ok(value.try_extract_tensor::<f32>().map_err(failed)?.1)
        };
        let mut found = Vec::new();
        match self.kind {
            ModelKind::UltraFace => ultraface_faces(output("scores".into())?, output("boxes".into())?, confidence, &mut found),
            ModelKind::YuNet => {
                for stride in STRIDES {
                    let part = |name: &str| output(format!("{name}_{stride}"));
                    let scores = (part("cls")?, part("obj")?);
                    yunet_faces((width, height), stride, scores, part("bbox")?, part("kps")?, confidence, &mut found);
                }
            }
        }
        // Converts from the model's input to the picture and clips to it: both models return boxes
        // that extend beyond it.
        let inside = found.into_iter().filter_map(|Detection { rect, confidence, landmarks }| {
            let rect = clipped(Rect::new(rect.x * scale.0, rect.y * scale.1, rect.width * scale.0, rect.height * scale.1));
            let landmarks = landmarks.map(|landmarks| landmarks.map(|(x, y)| (x * scale.0, y * scale.1)));
            (rect.area() > 0.0).then_some(Detection { rect, confidence, landmarks })
        });
        Ok(non_maximum_suppression(inside.collect()))
    }
}

/// UltraFace's input: the whole picture stretched to the input's size, as planes of red, green and
/// blue, each value (v - 127) / 128.
fn ultraface_input(picture: &RgbImage, width: usize, height: usize) -> Vec<f32> {
    let plane = width * height;
    let mut input = vec![0.0; 3 * plane];
    resample(picture, width, height, |x, y, color| {
        for (n, value) in color.into_iter().enumerate() {
            input[n * plane + y * width + x] = (value - 127.0) / 128.0;
        }
    });
    input
}

/// UltraFace's output: per box a pair of scores (background, face) and the corners (x1, y1, x2, y2)
/// in fractions.
fn ultraface_faces(scores: &[f32], boxes: &[f32], confidence: f64, found: &mut Vec<Detection>) {
    for (score, corners) in scores.chunks_exact(2).zip(boxes.chunks_exact(4)) {
        if f64::from(score[1]) > confidence {
            let [x1, y1, x2, y2] = [corners[0], corners[1], corners[2], corners[3]].map(f64::from);
            let rect = Rect::new(x1, y1, x2 - x1, y2 - y1);
            found.push(Detection { rect, confidence: f64::from(score[1]), landmarks: None });
        }
    }
}

/// YuNet's input: the picture scaled with its aspect ratio kept into the top left corner, black
/// elsewhere, as planes of blue, green and red, 0 to 255. The second value converts fractions of
/// the input to fractions of the picture.
fn yunet_input(picture: &RgbImage, width: usize, height: usize) -> (Vec<f32>, (f64, f64)) {
    let scale = (width as f64 / picture.columns().max(1) as f64).min(height as f64 / picture.rows().max(1) as f64);
    let side = |length: usize, most: usize| ((length as f64 * scale).round() as usize).clamp(1, most);
    let (columns, rows) = (side(picture.columns(), width), side(picture.rows(), height));
    let plane = width * height;
    let mut input = vec![0.0; 3 * plane];
    resample(picture, columns, rows, |x, y, [red, green, blue]| {
        for (n, value) in [blue, green, red].into_iter().enumerate() {
            input[n * plane + y * width + x] = value;
        }
    });
    (input, (width as f64 / columns as f64, height as f64 / rows as f64))
}

/// YuNet's output for one stride, per cell in row-major order: a class and an object score; the box
/// as the offset of its centre from the cell's corner and the logarithm of its size; five landmarks
/// as offsets from that corner. All lengths are in cells.
fn yunet_faces(
    (width, height): (usize, usize),
    stride: usize,
    (class, object): (&[f32], &[f32]),
    boxes: &[f32],
    landmarks: &[f32],
    confidence: f64,
    found: &mut Vec<Detection>,
) {
    let columns = width / stride;
    let (across, down) = (stride as f64 / width as f64, stride as f64 / height as f64);
    let cells = boxes.chunks_exact(4).zip(landmarks.chunks_exact(10));
    for (n, ((class, object), (bbox, landmarks))) in class.iter().zip(object).zip(cells).enumerate() {
        let score = f64::from(class.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
        if score > confidence {
            let [dx, dy, log_width, log_height] = [bbox[0], bbox[1], bbox[2], bbox[3]].map(f64::from);
            let (column, row) = ((n % columns) as f64, (n / columns) as f64);
            let (x, y) = (column + dx, row + dy);
            let (w, h) = (log_width.exp(), log_height.exp());
            let rect = Rect::new((x - w / 2.0) * across, (y - h / 2.0) * down, w * across, h * down);
            let landmark = |m: usize| ((column + f64::from(landmarks[2 * m])) * across, (row + f64::from(landmarks[2 * m + 1])) * down);
            found.push(Detection { rect, confidence: score, landmarks: Some(std::array::from_fn(landmark)) });
        }
    }
}

/// The part of a box inside the picture.
fn clipped(rect: Rect) -> Rect {
    let (left, top) = (rect.x.clamp(0.0, 1.0), rect.y.clamp(0.0, 1.0));
    let (right, bottom) = ((rect.x + rect.width).clamp(0.0, 1.0), (rect.y + rect.height).clamp(0.0, 1.0));
    Rect::new(left, top, (right - left).max(0.0), (bottom - top).max(0.0))
}

/// Keeps the most confident box of each face (greedy non-maximum suppression).
fn non_maximum_suppression(mut found: Vec<Detection>) -> Vec<Detection> {
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut kept: Vec<Detection> = Vec::new();
    for face in found {
        if kept.iter().all(|other| other.rect.iou(face.rect) <= NMS_IOU) {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
