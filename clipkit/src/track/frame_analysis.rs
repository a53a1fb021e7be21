//! One look at the frames of a span, made small once: where it is cut, how the camera moves, and what moves in front of it.
//!
//! Frames that no other is built on are passed over, but where a cut may be: there every frame is looked at, so that it is found to the frame.

use super::Tracking;
use super::camera::{self, CameraPath, Grey, Shift};
use super::cut_candidates::{CutCandidate, CutCandidates};
use super::screen::ScreenFinder;
use super::shot::{self, CutFinder, LEAST};
use super::subject::{self, Activity};
use crate::av::{Effort, Picture, RgbImage, SpanReader, Thumbnailer};
use crate::context::Context;
use crate::error::Result;
use crate::model::{FaceTrack, Shot, ShotContent, Span, SubjectTrack, Timestamp, VideoStream};

/// The longer side of the small pictures in pixels.
const SIDE: u32 = 80;
/// The time between two small pictures that are compared for what moves, in seconds.
const STEP: f64 = 0.1;
/// A face higher than this part of the picture is more than a speaker in a screen's corner.
const LARGEST_ON_SCREEN: f64 = 0.3;

/// The frames shown during a span, without those that no other is built on until they are asked for.
pub(super) struct Frames(SpanReader);

impl Frames {
    pub(super) fn open(cx: &Context, tracking: &Tracking) -> Result<Self> {
        Ok(Frames(SpanReader::open(cx, &tracking.media, tracking.span, Effort::Sparse, cx.threads())?))
    }

    /// Goes on with every frame of another span.
    fn every_one_of(&mut self, span: Span) -> Result<()> {
        self.0.read_every_frame();
        self.0.go_to(span)
    }

    /// The next frame and when it is first seen in the span.
    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, Picture)>> {
        self.0.next()
    }
}

/// Watches the frames of a span, given in order.
pub(super) struct FrameAnalysis {
    small: Thumbnailer,
    /// The picture's width divided by its height.
    shape: f64,
    /// How long a frame lasts, in seconds.
    frame: f64,
    cuts: CutFinder,
    suspects: CutCandidates,
    camera: CameraPath,
    activity: Vec<Activity>,
    screens: ScreenFinder,
    /// The picture compared last, when it showed and how far the scene had moved in it.
    last: Option<(Timestamp, Grey, Shift)>,
}

/// What a span's pictures told.
pub(super) struct Watched {
    pub(super) shots: Vec<Shot>,
    /// For each shot, the first of its frames that was compared with others.
    seen_from: Vec<Timestamp>,
    pub(super) camera: CameraPath,
    activity: Vec<Activity>,
    shape: f64,
}

impl FrameAnalysis {
    pub(super) fn new(video: &VideoStream) -> Self {
        let (width, height) = video.display_size();
        FrameAnalysis {
            small: Thumbnailer::new(video, SIDE),
            shape: f64::from(width.max(1)) / f64::from(height.max(1)),
            frame: 1.0 / video.frame_rate.fps().max(1.0),
            cuts: CutFinder::default(),
            suspects: CutCandidates::default(),
            camera: CameraPath::default(),
            activity: Vec::new(),
            screens: ScreenFinder::default(),
            last: None,
        }
    }

    /// Takes the next frame. True where a shot may start with it; frames to come decide.
    pub(super) fn push(&mut self, at: Timestamp, picture: &Picture) -> Result<bool> {
        let image = self.small.image(picture)?;
        Ok(self.look(at, image))
    }

    fn look(&mut self, at: Timestamp, image: RgbImage) -> bool {
        let difference = self.cuts.push(at, image);
        self.suspects.push(at, difference);
        let may_start_a_shot = difference >= LEAST;
        let Some(image) = self.cuts.latest() else { return may_start_a_shot };
        self.screens.push(at, image, may_start_a_shot);
        // What the scene does before a cut says nothing of what it does after, so each side gets its own pictures.
        let due = self.last.as_ref().is_none_or(|(last, ..)| at.since(*last).secs() >= 0.9 * STEP);
        if !due && !may_start_a_shot {
            return false;
        }
        let grey = Grey::of(image);
        let moved = match &self.last {
            Some((_, before, expected)) if !may_start_a_shot => camera::shift(before, &grey, *expected),
            _ => Shift::default(),
        };
        self.camera.push(at, moved, (grey.columns, grey.rows));
        if let Some((_, before, _)) = &self.last {
            self.activity.push(Activity::between(at, before, &grey, moved));
        }
        self.last = Some((at, grey, moved));
        may_start_a_shot
    }

    /// After the last of the frames. Hands on each frame that a shot may start with and that was not looked at before.
    pub(super) fn finish(mut self, mut frames: Frames, first: &mut dyn FnMut(Timestamp, &Picture) -> Result<()>) -> Result<Watched> {
        let span = frames.0.span();
        let mut found = std::mem::take(&mut self.cuts).cuts();
        if frames.0.is_sparse() {
            found = self.suspects.sure(self.frame, &found);
            for CutCandidate { place, around } in self.suspects.stretches(span, self.frame, &found) {
                frames.every_one_of(around)?;
                let mut finder = CutFinder::default();
                while let Some((at, picture)) = frames.next()? {
                    let may_start_a_shot = finder.push(at, self.small.image(&picture)?) >= LEAST;
                    if may_start_a_shot && place.start() < at && self.suspects.seen_from(at) != at {
                        first(at, &picture)?;
                    }
                }
                found.extend(finder.cuts().into_iter().filter(|cut| place.start() < *cut && *cut <= place.end()));
            }
            found.sort_unstable();
        }
        let mut cuts = Vec::new();
        found.into_iter().for_each(|cut| shot::add(&mut cuts, cut));
        let mut shots = shot::shots(span, &cuts);
        let seen_from: Vec<Timestamp> = shots.iter().map(|shot| self.suspects.seen_from(shot.span.start()).min(shot.span.end())).collect();
        for (shot, from) in shots.iter_mut().zip(&seen_from) {
            shot.content = self.screens.content(Span::between(*from, shot.span.end()));
        }
        Ok(Watched { shots, seen_from, camera: self.camera, activity: self.activity, shape: self.shape })
    }
}

impl Watched {
    /// What draws the eye where no face is seen, shot by shot. A shot with a face too large for a screen's corner is no screen.
    pub(super) fn besides(&mut self, faces: &[FaceTrack]) -> Vec<SubjectTrack> {
        let mut subjects = Vec::new();
        for (shot, from) in self.shots.iter_mut().zip(&self.seen_from) {
            let seen = || faces.iter().flat_map(|face| &face.samples).filter(|sample| shot.span.contains(sample.at));
            if seen().any(|sample| sample.rect.height > LARGEST_ON_SCREEN) {
                shot.content = ShotContent::Camera;
            }
            if shot.content == ShotContent::Camera && seen().next().is_none() {
                subjects.extend(subject::in_shot(&self.activity, Span::between(*from, shot.span.end()), self.shape));
            }
        }
        subjects
    }
}
