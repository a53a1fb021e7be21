//! One look at every frame of a span, made small once: where it is cut, how the camera moves, and what moves in front of it.

use super::Tracking;
use super::camera::{self, CameraPath, Grey, Shift};
use super::screen::ScreenFinder;
use super::shot::CutFinder;
use super::subject::{self, Activity};
use crate::av::{Effort, Picture, RgbImage, Thumbnailer, VideoReader};
use crate::context::Context;
use crate::error::Result;
use crate::model::{FaceTrack, Shot, ShotContent, Span, SubjectTrack, Timestamp, VideoStream};

/// The longer side of the small pictures in pixels.
const SIDE: u32 = 80;
/// The time between two small pictures that are compared for what moves, in seconds.
const STEP: f64 = 0.1;
/// A face higher than this part of the picture is more than a speaker in a screen's corner.
const LARGEST_ON_SCREEN: f64 = 0.3;

/// The frames shown during a span. The first is the one on screen as the span starts, even if it came up earlier.
pub(super) struct Frames<'a> {
    reader: VideoReader,
    tracking: &'a Tracking,
    /// Read, but not answered yet.
    waiting: Option<Picture>,
    started: bool,
}

impl<'a> Frames<'a> {
    pub(super) fn open(cx: &Context, tracking: &'a Tracking) -> Result<Self> {
        let mut reader = VideoReader::open(cx, &tracking.media, Effort::Analysis, 0)?;
        reader.seek(tracking.span.start())?;
        Ok(Frames { reader, tracking, waiting: None, started: false })
    }

    /// The next frame and when it is first seen in the span.
    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, Picture)>> {
        let span = self.tracking.span;
        if !self.started {
            self.started = true;
            let mut on_screen = None;
            while let Some(picture) = self.reader.next()? {
                if picture.at() > span.start() {
                    self.waiting = Some(picture);
                    break;
                }
                on_screen = Some(picture);
            }
            if let Some(picture) = on_screen {
                return Ok(Some((span.start(), picture)));
            }
        }
        let picture = match self.waiting.take() {
            Some(picture) => Some(picture),
            None => self.reader.next()?,
        };
        Ok(picture.filter(|picture| picture.at() < span.end()).map(|picture| (picture.at(), picture)))
    }
}

/// Watches the frames of a span, given in order.
pub(super) struct Watch {
    small: Thumbnailer,
    /// The picture's width divided by its height.
    shape: f64,
    cuts: CutFinder,
    camera: CameraPath,
    activity: Vec<Activity>,
    screens: ScreenFinder,
    /// The picture compared last, when it showed and how far the scene had moved in it.
    last: Option<(Timestamp, Grey, Shift)>,
}

/// What a span's pictures told.
pub(super) struct Watched {
    pub(super) shots: Vec<Shot>,
    pub(super) camera: CameraPath,
    activity: Vec<Activity>,
    shape: f64,
}

impl Watch {
    pub(super) fn new(video: &VideoStream) -> Self {
        let (width, height) = video.display_size();
        Watch {
            small: Thumbnailer::new(video, SIDE),
            shape: f64::from(width.max(1)) / f64::from(height.max(1)),
            cuts: CutFinder::default(),
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
        let may_start_a_shot = self.cuts.push(at, image);
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

    /// After the last frame of `span`.
    pub(super) fn finish(self, span: Span) -> Watched {
        let mut shots = self.cuts.shots(span);
        for shot in &mut shots {
            shot.content = self.screens.content(shot.span);
        }
        Watched { shots, camera: self.camera, activity: self.activity, shape: self.shape }
    }
}

impl Watched {
    /// What draws the eye where no face is seen, shot by shot. A shot with a face too large for a screen's corner is no screen.
    pub(super) fn besides(&mut self, faces: &[FaceTrack]) -> Vec<SubjectTrack> {
        let mut subjects = Vec::new();
        for shot in &mut self.shots {
            let seen = || faces.iter().flat_map(|face| &face.samples).filter(|sample| shot.span.contains(sample.at));
            if seen().any(|sample| sample.rect.height > LARGEST_ON_SCREEN) {
                shot.content = ShotContent::Camera;
            }
            if shot.content == ShotContent::Camera && seen().next().is_none() {
                subjects.extend(subject::in_shot(&self.activity, shot.span, self.shape));
            }
        }
        subjects
    }
}
