//! Finding faces in one picture: what the two known models want to see and what they answer.

use std::path::Path;

use ort::session::{Session, SessionInputValue};
use ort::value::{Tensor, ValueType};

use super::pixels::resample;
use crate::av::RgbImage;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Rect;
use crate::onnx::{self, RuntimeOptions};

/// Two boxes that share more than this part of their union are one face (both models' authors use it).
const SAME_FACE: f64 = 0.3;
/// YuNet looks at grids of cells of these sizes in pixels.
const STRIDES: [usize; 3] = [8, 16, 32];
/// The side of a dynamic YuNet's input; the fixed ones have 320 or 640.
const DYNAMIC_SIDE: usize = 640;

/// A face in one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detection {
    /// Where, as fractions of the picture; inside it.
    pub(super) rect: Rect,
    /// 0 to 1.
    pub(super) confidence: f64,
    /// Where its parts are, if the model tells.
    pub(super) marks: Option<Marks>,
}

/// The person's right eye, left eye, tip of the nose, right and left corner of the mouth: fractions of the picture, from the top left.
pub(super) type Marks = [(f64, f64); 5];

/// The kinds of models, told apart by their outputs' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// UltraFace: `scores` and `boxes`.
    UltraFace,
    /// YuNet: `cls_8`, `obj_8`, `bbox_8`, `kps_8` and so on for three strides.
    YuNet,
}

/// An open face detection model.
pub(super) struct Detector {
    session: Session,
    kind: Kind,
    /// Columns and rows of the model's input.
    size: (usize, usize),
}

impl Detector {
    /// Opens a model file and recognises which model it is.
    pub(super) fn open(path: &Path, runtime: &RuntimeOptions) -> Result<Self> {
        let session = onnx::open(path, runtime)?;
        let has = |name: &str| session.outputs().iter().any(|output| output.name() == name);
        let kind = if has("scores") && has("boxes") {
            Some(Kind::UltraFace)
        } else if STRIDES.iter().all(|stride| ["cls", "obj", "bbox", "kps"].iter().all(|part| has(&format!("{part}_{stride}")))) {
            Some(Kind::YuNet)
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
            return Err(Error::new(ErrorKind::InvalidInput, "this model is no face detector that clipkit knows")
                .with_path(path)
                .with_advice("use UltraFace (version-RFB-320.onnx) or YuNet (yunet_s_640_640.onnx)"));
        };
        Ok(Detector { session, kind, size })
    }

    /// The confidence above which the model's authors take a face for one.
    pub(super) fn usual_confidence(&self) -> f64 {
        match self.kind {
            Kind::UltraFace => 0.7,
            Kind::YuNet => 0.6,
        }
    }

    /// The faces in a picture, surest first.
    pub(super) fn detect(&mut self, picture: &RgbImage, confidence: f64) -> Result<Vec<Detection>> {
        let (width, height) = self.size;
        let (input, scale) = match self.kind {
            Kind::UltraFace => (ultraface_input(picture, width, height), (1.0, 1.0)),
            Kind::YuNet => yunet_input(picture, width, height),
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
            Kind::UltraFace => ultraface_faces(output("scores".into())?, output("boxes".into())?, confidence, &mut found),
            Kind::YuNet => {
                for stride in STRIDES {
                    let part = |name: &str| output(format!("{name}_{stride}"));
                    let scores = (part("cls")?, part("obj")?);
                    yunet_faces((width, height), stride, scores, part("bbox")?, part("kps")?, confidence, &mut found);
                }
            }
        }
        // From the model's input to the picture, and into the picture: both models may answer boxes that lean out of it.
        let inside = found.into_iter().filter_map(|Detection { rect, confidence, marks }| {
            let rect = clipped(Rect::new(rect.x * scale.0, rect.y * scale.1, rect.width * scale.0, rect.height * scale.1));
            let marks = marks.map(|marks| marks.map(|(x, y)| (x * scale.0, y * scale.1)));
            (rect.area() > 0.0).then_some(Detection { rect, confidence, marks })
        });
        Ok(without_doubles(inside.collect()))
    }
}

/// UltraFace's input: the whole picture squeezed into the input's shape; planes of red, green, blue; (value - 127) / 128.
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

/// UltraFace's answer: per box a pair of scores (no face, face) and its corners (x1, y1, x2, y2) as fractions.
fn ultraface_faces(scores: &[f32], boxes: &[f32], confidence: f64, found: &mut Vec<Detection>) {
    for (score, corners) in scores.chunks_exact(2).zip(boxes.chunks_exact(4)) {
        if f64::from(score[1]) > confidence {
            let [x1, y1, x2, y2] = [corners[0], corners[1], corners[2], corners[3]].map(f64::from);
            let rect = Rect::new(x1, y1, x2 - x1, y2 - y1);
            found.push(Detection { rect, confidence: f64::from(score[1]), marks: None });
        }
    }
}

/// YuNet's input: the picture at its own shape in the top left corner, black elsewhere; planes of blue, green, red; 0 to 255. The
/// second value takes fractions of the input to fractions of the picture.
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

/// YuNet's answer for one stride: per cell, row by row, a class and an object score, the box as offset of its centre from the cell's corner
/// and logarithm of its size, and the five marks as offsets from that corner, all in cells.
fn yunet_faces(
    (width, height): (usize, usize),
    stride: usize,
    (class, object): (&[f32], &[f32]),
    boxes: &[f32],
    marks: &[f32],
    confidence: f64,
    found: &mut Vec<Detection>,
) {
    let columns = width / stride;
    let (across, down) = (stride as f64 / width as f64, stride as f64 / height as f64);
    let places = boxes.chunks_exact(4).zip(marks.chunks_exact(10));
    for (n, ((class, object), (place, marks))) in class.iter().zip(object).zip(places).enumerate() {
        let score = f64::from(class.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
        if score > confidence {
            let [dx, dy, log_width, log_height] = [place[0], place[1], place[2], place[3]].map(f64::from);
            let (column, row) = ((n % columns) as f64, (n / columns) as f64);
            let (x, y) = (column + dx, row + dy);
            let (w, h) = (log_width.exp(), log_height.exp());
            let rect = Rect::new((x - w / 2.0) * across, (y - h / 2.0) * down, w * across, h * down);
            let mark = |m: usize| ((column + f64::from(marks[2 * m])) * across, (row + f64::from(marks[2 * m + 1])) * down);
            found.push(Detection { rect, confidence: score, marks: Some(std::array::from_fn(mark)) });
        }
    }
}

/// The part of a box inside the picture.
fn clipped(rect: Rect) -> Rect {
    let (left, top) = (rect.x.clamp(0.0, 1.0), rect.y.clamp(0.0, 1.0));
    let (right, bottom) = ((rect.x + rect.width).clamp(0.0, 1.0), (rect.y + rect.height).clamp(0.0, 1.0));
    Rect::new(left, top, (right - left).max(0.0), (bottom - top).max(0.0))
}

/// The surest box of each face (greedy non-maximum suppression).
fn without_doubles(mut found: Vec<Detection>) -> Vec<Detection> {
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut kept: Vec<Detection> = Vec::new();
    for face in found {
        if kept.iter().all(|other| other.rect.iou(face.rect) <= SAME_FACE) {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
