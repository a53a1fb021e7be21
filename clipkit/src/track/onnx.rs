use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::associate::{self, Look};
use super::detect::{Detection, Detector};
use super::detection_schedule::DetectionSchedule;
use super::frame_analysis::{FrameAnalysis, Frames};
use super::{FaceTracker, Tracking};
use crate::av::{RgbImage, Thumbnailer};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Tracks;
use crate::onnx::{self, RuntimeOptions};

/// The longer side of the pictures that faces are looked for in: what the larger of the models takes in.
const LONGEST: u32 = 640;

/// Options of an [`OnnxTracker`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OnnxTrackerOptions {
    /// How often a second faces are looked at, 1 to 30; default 5. More follows fast movement better, and costs one inference each, or
    /// a third of one where faces stay or move evenly. Cuts are found to the frame in any case.
    pub samples_per_second: f64,
    /// How sure the detector must be of a face, 0 to 1; by default what the model's authors use (UltraFace 0.7, YuNet 0.6).
    /// Less finds more faces, and more that are none. Once, it must be surer of each: a third of the doubt that this leaves.
    pub confidence: Option<f64>,
    /// Threads for one inference; default 1, which takes the least of the processor for models as small as these. 0 takes one a core.
    pub threads: usize,
    /// The ONNX Runtime library to load. By default the one that `ORT_DYLIB_PATH` names, else that of an installed Python package
    /// `onnxruntime`, else the system's. A process loads one, the first asked for.
    pub library: Option<PathBuf>,
}

impl Default for OnnxTrackerOptions {
    fn default() -> Self {
        OnnxTrackerOptions { samples_per_second: 5.0, confidence: None, threads: 1, library: None }
    }
}

/// Finds faces with a neural network, and cuts by comparing frames.
///
/// It runs UltraFace and YuNet models, which it tells apart by itself, on the CPU. Every frame around a cut is decoded, so that shots
/// start at exact frames; faces are looked at in a few frames a second and in the first of each shot. Between two looks that found the same
/// faces, up to two others take them from both and do without the network.
#[derive(Clone)]
pub struct OnnxTracker {
    detector: Arc<Mutex<Detector>>,
    confidence: f64,
    interval: f64,
    /// A hash of the model.
    model: Arc<str>,
}

impl OnnxTracker {
    /// Opens a face detection model.
    ///
    /// `ErrorKind::Unavailable` where there is no ONNX Runtime on this machine, `NotFound` where there is no such file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        OnnxTracker::with_options(path, OnnxTrackerOptions::default())
    }

    /// The same with options.
    pub fn with_options(path: impl AsRef<Path>, options: OnnxTrackerOptions) -> Result<Self> {
        let OnnxTrackerOptions { samples_per_second, confidence, threads, library } = options;
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        if !(1.0..=30.0).contains(&samples_per_second) {
            return refuse(format!("samples_per_second is {samples_per_second}; give 1 to 30"));
        }
        if let Some(value) = confidence.filter(|value| !(0.0..=1.0).contains(value)) {
            return refuse(format!("confidence is {value}; give 0 to 1"));
        }
        let detector = Detector::open(path.as_ref(), &RuntimeOptions { library, threads })?;
        let confidence = confidence.unwrap_or(detector.usual_confidence());
        let model = onnx::fingerprint(&[&path])?.into();
        Ok(OnnxTracker { detector: Arc::new(Mutex::new(detector)), confidence, interval: 1.0 / samples_per_second, model })
    }

    fn search(&self, image: &RgbImage) -> Result<Vec<Detection>> {
        self.detector.lock().unwrap_or_else(PoisonError::into_inner).detect(image, self.confidence)
    }

    fn look_at(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let Tracking { media, span } = tracking;
        let video = media.require_video()?;
        let mut frames = Frames::open(cx, tracking)?;
        let (mut watch, mut large) = (FrameAnalysis::new(video), Thumbnailer::new(video, LONGEST));
        let (mut gaze, mut due) = (DetectionSchedule::default(), span.start());
        let length = span.duration().as_secs_f64().max(1e-6);
        // A frame that comes a little before it is due is nearer than the next one.
        let early = 0.5 / video.frame_rate.fps().max(1.0);
        while let Some((at, picture)) = frames.next()? {
            let may_start_a_shot = watch.push(at, &picture)?;
            if may_start_a_shot || at.plus(early) >= due {
                gaze.push(at, large.image(&picture)?, may_start_a_shot, |image| self.search(image))?;
                // The rhythm goes on from a cut, but is not delayed by a frame that came late.
                due = if may_start_a_shot { at } else { due.max(at.plus(-self.interval)) }.plus(self.interval);
                cx.progress(at.since(span.start()).secs() / length);
            }
        }
        let mut looks = gaze.finish(|image| self.search(image))?;
        let mut watched = watch.finish(frames, &mut |at, picture| {
            let image = large.image(picture)?;
            looks.push(Look::new(at, &image, &self.search(&image)?));
            Ok(())
        })?;
        looks.sort_by_key(|look| look.at);
        let (width, height) = video.display_size();
        let shape = f64::from(width) / f64::from(height.max(1));
        let faces = associate::tracks(&watched.shots, &watched.camera, &looks, shape, sure(self.confidence));
        let subjects = watched.besides(&faces);
        cx.progress(1.0);
        Ok(Tracks { shots: watched.shots, faces, subjects })
    }
}

/// How sure the detector must once be of each face, given the confidence it needs each time: a third of the doubt. Measured with
/// UltraFace at 0.7: faces reach 0.95 and more, a neck from behind 0.88 over 15 s.
fn sure(confidence: f64) -> f64 {
    1.0 - (1.0 - confidence) / 3.0
}

#[async_trait]
impl FaceTracker for OnnxTracker {
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let (tracker, tracking) = (self.clone(), tracking.clone());
        cx.blocking(move |cx| tracker.look_at(cx, &tracking)).await
    }

    fn fingerprint(&self) -> Option<String> {
        Some(format!("onnx {} {} {}", self.model, self.confidence, self.interval))
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

impl fmt::Debug for OnnxTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("OnnxTracker");
        out.field("confidence", &self.confidence).field("interval", &self.interval).finish_non_exhaustive()
    }
}
