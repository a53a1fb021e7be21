//! Analysis of a span's frames in one pass over small copies: cuts, camera motion, and motion in
//! the scene.
//!
//! Frames that no other frame refers to are skipped, except where a cut may be. There, all frames
//! are decoded, so that cuts are exact to the frame.

use super::Tracking;
use super::camera::{self, CameraPath, LumaImage, Shift};
use super::cut_candidates::{CutCandidate, CutCandidates};
use super::screen::ScreenFinder;
use super::shot::{self, CutFinder, MIN_DIFFERENCE};
use super::subject::{self, Activity};
use crate::av::{Effort, Picture, RgbImage, SpanReader, Thumbnailer};
use crate::context::Context;
use crate::error::Result;
use crate::model::{FaceTrack, Rect, Shot, ShotContent, Span, SubjectTrack, Timestamp, VideoStream};

/// The longer side of the small pictures, in pixels.
const SIDE: u32 = 80;
/// The time between two small pictures that are compared for motion, in seconds.
const STEP: f64 = 0.1;
/// A face higher than this share of the picture is not a webcam inset on a shared screen.
const MAX_INSET_HEIGHT: f64 = 0.3;

/// The frames of a span. Frames that no other frame refers to are skipped unless all are requested.
pub(super) struct SpanFrames(SpanReader);

impl SpanFrames {
    pub(super) fn open(cx: &Context, tracking: &Tracking) -> Result<Self> {
        Ok(SpanFrames(SpanReader::open(cx, &tracking.media, tracking.span, Effort::Sparse, cx.threads())?))
    }

    /// Continues with all frames of another span.
    fn read_all_of(&mut self, span: Span) -> Result<()> {
        self.0.read_every_frame();
        self.0.go_to(span)
    }

    /// The next frame and the time at which it is first shown in the span.
    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, Picture)>> {
        self.0.next()
    }
}

/// Analyses the frames of a span, given in order of time.
pub(super) struct FrameAnalysis {
    scaler: Thumbnailer,
    /// The picture's width divided by its height.
    aspect_ratio: f64,
    /// The duration of a frame, in seconds.
    frame: f64,
    cuts: CutFinder,
    candidates: CutCandidates,
    camera: CameraPath,
    activity: Vec<Activity>,
    screens: ScreenFinder,
    /// The picture that was compared last, its time, and the scene's shift in it.
    last: Option<(Timestamp, LumaImage, Shift)>,
    /// The last frame's size in pixels and its place in the stream's picture, and the times at
    /// which they changed: a shot starts there whatever the pictures show.
    shape: Option<((u32, u32), Rect)>,
    resized: Vec<Timestamp>,
}

/// The result of analysing a span.
pub(super) struct AnalysedSpan {
    pub(super) shots: Vec<Shot>,
    /// For each shot, the time of its first frame that was compared with others.
    compared_from: Vec<Timestamp>,
    pub(super) camera: CameraPath,
    activity: Vec<Activity>,
    aspect_ratio: f64,
}

impl FrameAnalysis {
    pub(super) fn new(video: &VideoStream) -> Self {
        let (width, height) = video.display_size();
        FrameAnalysis {
            scaler: Thumbnailer::new(video, SIDE),
            aspect_ratio: f64::from(width.max(1)) / f64::from(height.max(1)),
            frame: 1.0 / video.frame_rate.fps().max(1.0),
            cuts: CutFinder::default(),
            candidates: CutCandidates::default(),
            camera: CameraPath::default(),
            activity: Vec::new(),
            screens: ScreenFinder::default(),
            last: None,
            shape: None,
            resized: Vec::new(),
        }
    }

    /// Adds the next frame. Returns whether a shot may start with it; later frames decide.
    pub(super) fn push(&mut self, at: Timestamp, picture: &Picture) -> Result<bool> {
        let image = self.scaler.image(picture)?;
        let shape = ((picture.width(), picture.height()), self.scaler.place(picture));
        let is_resized = self.shape.replace(shape).is_some_and(|before| before != shape);
        if is_resized {
            self.resized.push(at);
        }
        Ok(self.analyse(at, image, is_resized))
    }

    fn analyse(&mut self, at: Timestamp, image: RgbImage, is_resized: bool) -> bool {
        let difference = self.cuts.push(at, image);
        self.candidates.push(at, difference);
        let may_start_a_shot = is_resized || difference >= MIN_DIFFERENCE;
        let Some(image) = self.cuts.latest() else { return may_start_a_shot };
        self.screens.push(at, image, may_start_a_shot);
        // Motion before a cut predicts nothing after it, so both sides of a possible cut are
        // compared.
        let due = self.last.as_ref().is_none_or(|(last, ..)| at.since(*last).secs() >= 0.9 * STEP);
        if !due && !may_start_a_shot {
            return false;
        }
        let luma = LumaImage::of(image);
        let moved = match &self.last {
            Some((_, before, expected)) if !may_start_a_shot => camera::estimate_shift(before, &luma, *expected),
            _ => Shift::default(),
        };
        self.camera.push(at, moved, (luma.columns, luma.rows));
        if let Some((_, before, _)) = &self.last {
            self.activity.push(Activity::between(at, before, &luma, moved));
        }
        self.last = Some((at, luma, moved));
        may_start_a_shot
    }

    /// Finishes after the last frame. Calls `on_shot_start` for each frame that may start a shot
    /// and that was skipped before.
    pub(super) fn finish(
        mut self,
        mut frames: SpanFrames,
        on_shot_start: &mut dyn FnMut(Timestamp, &Picture) -> Result<()>,
    ) -> Result<AnalysedSpan> {
        let span = frames.0.span();
        let mut found = std::mem::take(&mut self.cuts).cuts();
        if frames.0.is_sparse() {
            found = self.candidates.confirmed(self.frame, &found);
            for CutCandidate { range, decode } in self.candidates.candidates(span, self.frame, &found) {
                frames.read_all_of(decode)?;
                let mut finder = CutFinder::default();
                while let Some((at, picture)) = frames.next()? {
                    let may_start_a_shot = finder.push(at, self.scaler.image(&picture)?) >= MIN_DIFFERENCE;
                    if may_start_a_shot && range.start() < at && self.candidates.first_decoded_at(at) != at {
                        on_shot_start(at, &picture)?;
                    }
                }
                found.extend(finder.cuts().into_iter().filter(|cut| range.start() < *cut && *cut <= range.end()));
            }
            found.sort_unstable();
        }
        let resized = std::mem::take(&mut self.resized);
        found.retain(|cut| resized.iter().all(|at| at.since(*cut).secs().abs() >= shot::MIN_SHOT));
        found.extend(resized);
        found.sort_unstable();
        let mut cuts = Vec::new();
        found.into_iter().for_each(|cut| shot::add(&mut cuts, cut));
        let mut shots = shot::shots(span, &cuts);
        let compared_from: Vec<Timestamp> =
            shots.iter().map(|shot| self.candidates.first_decoded_at(shot.span.start()).min(shot.span.end())).collect();
        for (shot, from) in shots.iter_mut().zip(&compared_from) {
            shot.content = self.screens.content(Span::between(*from, shot.span.end()));
        }
        Ok(AnalysedSpan { shots, compared_from, camera: self.camera, activity: self.activity, aspect_ratio: self.aspect_ratio })
    }
}

impl AnalysedSpan {
    /// The subjects of the shots without faces. Also sets a shot's content to camera if it has a
    /// face too large for a webcam inset.
    pub(super) fn subjects(&mut self, faces: &[FaceTrack]) -> Vec<SubjectTrack> {
        let mut subjects = Vec::new();
        for (shot, from) in self.shots.iter_mut().zip(&self.compared_from) {
            let samples = || faces.iter().flat_map(|face| &face.samples).filter(|sample| shot.span.contains(sample.at));
            if samples().any(|sample| sample.rect.height > MAX_INSET_HEIGHT) {
                shot.content = ShotContent::Camera;
            }
            if shot.content == ShotContent::Camera && samples().next().is_none() {
                subjects.extend(subject::in_shot(&self.activity, Span::between(*from, shot.span.end()), self.aspect_ratio));
            }
        }
        subjects
    }
}
