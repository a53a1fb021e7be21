use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::active_speaker::{self, ActiveSpeaker};
use super::associate::{self, FrameDetections};
use super::detect::{Detection, Detector};
use super::detection_schedule::DetectionSchedule;
use super::frame_analysis::{FrameAnalysis, SpanFrames};
use super::{FaceTracker, OnnxTrackerOptions, Tracking};
use crate::av::{RgbImage, Thumbnailer};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Tracks, WarningKind};
use crate::onnx::{self, RuntimeOptions};

/// The longer side of the pictures in which faces are detected, in pixels: the input size of the
/// larger models.
const DETECTION_SIDE: u32 = 640;

const NO_SPEAKER_MODEL: &str = "several faces move, and there is no model that tells who of them speaks: the movement of their mouths decides. Get \
    one: clipkit models fetch lr-asd, or name its folder in speaker_model";

/// Finds faces with a neural network, and cuts by comparing frames.
///
/// It runs UltraFace and YuNet models on the CPU and recognises which one it is given. Every frame
/// around a cut is decoded, so that shots start at exact frames. Faces are detected at a fixed rate
/// and in the first frame of each shot. Between two detections with the same faces, up to two
/// others are interpolated without running the network.
#[derive(Clone)]
pub struct OnnxTracker {
    detector: Arc<Mutex<Detector>>,
    confidence: f64,
    interval: f64,
    /// A hash of the model.
    model: Arc<str>,
    speaker: Option<ActiveSpeaker>,
}

impl OnnxTracker {
    /// Opens a face detection model with default options.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Unavailable` if there is no ONNX Runtime library, `NotFound` if there is no such
    /// file, `InvalidInput` if it is not a supported model.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        OnnxTracker::with_options(path, OnnxTrackerOptions::default())
    }

    /// Opens a face detection model.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load), and `ErrorKind::Config` if an option is out of range.
    pub fn with_options(path: impl AsRef<Path>, options: OnnxTrackerOptions) -> Result<Self> {
        let OnnxTrackerOptions { samples_per_second, confidence, threads, speaker_model, library } = options;
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        if !(1.0..=30.0).contains(&samples_per_second) {
            return refuse(format!("samples_per_second is {samples_per_second}; it must be 1 to 30"));
        }
        if let Some(value) = confidence.filter(|value| !(0.0..=1.0).contains(value)) {
            return refuse(format!("confidence is {value}; it must be 0 to 1"));
        }
        let runtime = RuntimeOptions { library, threads };
        let detector = Detector::open(path.as_ref(), &runtime)?;
        let speaker = speaker_model.map(|folder| ActiveSpeaker::open(&folder, &runtime)).transpose()?;
        let confidence = confidence.unwrap_or(detector.default_confidence());
        let model = onnx::fingerprint(&[&path])?.into();
        Ok(OnnxTracker { detector: Arc::new(Mutex::new(detector)), confidence, interval: 1.0 / samples_per_second, model, speaker })
    }

    fn detect(&self, image: &RgbImage) -> Result<Vec<Detection>> {
        self.detector.lock().unwrap_or_else(PoisonError::into_inner).detect(image, self.confidence)
    }

    fn analyse(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let Tracking { media, span } = tracking;
        let video = media.require_video()?;
        let mut frames = SpanFrames::open(cx, tracking)?;
        let (mut analysis, mut scaler) = (FrameAnalysis::new(video), Thumbnailer::new(video, DETECTION_SIDE));
        let (mut schedule, mut due) = (DetectionSchedule::default(), span.start());
        let length = span.duration().as_secs_f64().max(1e-6);
        // A frame that comes less than half a frame early is nearer than the next one.
        let tolerance = 0.5 / video.frame_rate.fps().max(1.0);
        while let Some((at, picture)) = frames.next()? {
            let may_start_a_shot = analysis.push(at, &picture)?;
            if may_start_a_shot || at.plus(tolerance) >= due {
                schedule.push(at, scaler.image(&picture)?, may_start_a_shot, |image| self.detect(image))?;
                // The schedule restarts at a cut. A late frame does not delay those after it.
                due = if may_start_a_shot { at } else { due.max(at.plus(-self.interval)) }.plus(self.interval);
                cx.progress(at.since(span.start()).secs() / length);
            }
        }
        let mut detections = schedule.finish(|image| self.detect(image))?;
        let mut analysed = analysis.finish(frames, &mut |at, picture| {
            let image = scaler.image(picture)?;
            detections.push(FrameDetections::new(at, &image, &self.detect(&image)?));
            Ok(())
        })?;
        detections.sort_by_key(|frame| frame.at);
        let (width, height) = video.display_size();
        let aspect_ratio = f64::from(width) / f64::from(height.max(1));
        let mut faces = associate::tracks(&analysed.shots, &analysed.camera, &detections, aspect_ratio, peak_confidence(self.confidence));
        let contests = active_speaker::contests(&analysed.shots, &faces);
        match &self.speaker {
            Some(speaker) => match speaker.mark(cx, tracking, &contests, &mut faces) {
                Err(error) if !error.is_cancelled() => {
                    cx.warn_once_of(WarningKind::StandIn, format!("the movement of mouths decides who speaks: {error}"));
                }
                marked => marked?,
            },
            None if contests.is_empty() => {}
            None => cx.warn_once_of(WarningKind::Unavailable, NO_SPEAKER_MODEL.to_owned()),
        }
        let subjects = analysed.subjects(&faces);
        cx.progress(1.0);
        Ok(Tracks { shots: analysed.shots, faces, subjects })
    }
}

/// The confidence that each track must reach once, for a detection threshold of `confidence`: two
/// thirds of the way to 1. Measured with UltraFace at 0.7: faces reach 0.95 and more, a neck from
/// behind 0.88 within 15 s.
fn peak_confidence(confidence: f64) -> f64 {
    1.0 - (1.0 - confidence) / 3.0
}

#[async_trait]
impl FaceTracker for OnnxTracker {
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let (tracker, tracking) = (self.clone(), tracking.clone());
        cx.blocking(move |cx| tracker.analyse(cx, &tracking)).await
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        let speaker = self.speaker.as_ref().map_or("", ActiveSpeaker::fingerprint);
        Some(format!("onnx 5 {} {} {} {speaker}", self.model, self.confidence, self.interval))
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
