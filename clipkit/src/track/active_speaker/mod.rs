//! Who speaks, told by sound and picture together: LR-ASD (Liao et al., "LR-ASD: Lightweight and
//! Robust Network for Active Speaker Detection", IJCV 2025), with the weights trained on AVA.
//!
//! Mouth movement alone does not tell a speaker from a listener who smiles or grimaces. The network
//! does, at 110 ms of one core per second and face, so it runs only where several faces move.
//! Measured on 6 people who speak and 7 who listen and move: the speaker's score is the higher one
//! in 99.6 % of seconds (mouth movement with voice activity: 92.7 %); of two mouths that speak while
//! one voice is heard, 78 % (53 %). It does not check lip movement against words.

mod face_crop;
mod mfcc;
mod model;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::Tracking;
use crate::av::{self, Effort, RgbImage, SpanReader, Thumbnailer};
use crate::context::Context;
use crate::error::Result;
use crate::model::{FaceSample, FaceTrack, Shot, Span, Timestamp};
use crate::onnx::{self, RuntimeOptions};
use mfcc::Mfcc;
use model::{FaceStream, Model, SOUND_FRAMES};

/// The pictures per second on which the network was trained.
const RATE: f64 = 25.0;
/// Faces narrower than this, in pixels of the pictures that are read, give more false answers.
const MIN_FACE: f64 = 48.0;
/// The limits of the longer side of the pictures that are read, in pixels.
const SIDES: (f64, f64) = (480.0, 1280.0);
/// A face moves its mouth if the change exceeds [`MOVES`], in units of face contrast, in at least
/// this part of its samples. Pictures that stand still have less; listeners have more.
const MOVES: f64 = 0.02;
const MOVES_PART: f64 = 0.1;
/// Scores are averaged over this many pictures before and after: 5 in all, as the authors do.
const SMOOTHING: usize = 2;
/// A shorter stretch is not worth an answer, in seconds.
const MIN_STRETCH: f64 = 0.5;

/// The opened model.
#[derive(Clone)]
pub(super) struct ActiveSpeaker {
    model: Arc<Mutex<Model>>,
    fingerprint: Arc<str>,
}

/// A stretch of a shot in which several faces move their mouths.
#[derive(Debug, PartialEq)]
pub(super) struct Contest {
    span: Span,
    /// Indices of the tracks.
    tracks: Vec<usize>,
}

impl Contest {
    /// How many pictures of each face are judged.
    fn pictures(&self) -> usize {
        (self.span.duration().as_secs_f64() * RATE).floor().max(1.0) as usize
    }
}

impl ActiveSpeaker {
    /// Opens the model files in a folder.
    pub(super) fn open(folder: &Path, runtime: &RuntimeOptions) -> Result<Self> {
        let model = Model::open(folder, runtime)?;
        let fingerprint = onnx::fingerprint(&model::FILES.map(|file| folder.join(file)))?.into();
        Ok(ActiveSpeaker { model: Arc::new(Mutex::new(model)), fingerprint })
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Sets [`FaceSample::speaking`] in the contests. Reads their frames and sound once more.
    pub(super) fn mark(&self, cx: &Context, tracking: &Tracking, contests: &[Contest], faces: &mut [FaceTrack]) -> Result<()> {
        for contest in contests {
            let sound = av::speech_samples(cx, &tracking.media, contest.span)?;
            if sound.is_empty() {
                continue;
            }
            let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
            let seen = see_faces(cx, tracking, contest, faces, &mut model)?;
            let sound: Vec<f64> = sound.iter().map(|sample| f64::from(*sample) * 32_768.0).collect();
            let heard = model.hear(Mfcc::new().frames(&sound, contest.pictures() * SOUND_FRAMES))?;
            for (track, seen) in contest.tracks.iter().zip(seen) {
                let scores = smoothed(&model.judge(&heard, &seen)?);
                if let Some(face) = faces.get_mut(*track) {
                    set(&mut face.samples, contest.span, &scores);
                }
            }
        }
        Ok(())
    }
}

/// The stretches in which more than one face of a shot moves its mouth at a time: where a mouth is
/// still, the other one is the speaker's.
pub(super) fn contests(shots: &[Shot], faces: &[FaceTrack]) -> Vec<Contest> {
    let of_shot = |shot: &Shot| {
        let moving: Vec<usize> = (0..faces.len()).filter(|&n| faces.get(n).is_some_and(|face| moves(face, shot.span))).collect();
        let mut starts: Vec<Timestamp> = moving.iter().map(|&n| faces[n].span().start().max(shot.span.start())).collect();
        let mut ends: Vec<Timestamp> = moving.iter().map(|&n| faces[n].span().end().min(shot.span.end())).collect();
        starts.sort_unstable();
        ends.sort_unstable();
        // Before the second face comes and after the last but one goes, there is one at most.
        let (start, end) = (*starts.get(1)?, *ends.get(ends.len().checked_sub(2)?)?);
        let inside = |&n: &usize| faces[n].span().start() < end && start < faces[n].span().end();
        let tracks: Vec<usize> = moving.into_iter().filter(inside).collect();
        (end.since(start).secs() >= MIN_STRETCH && tracks.len() > 1).then(|| Contest { span: Span::between(start, end), tracks })
    };
    shots.iter().filter_map(of_shot).collect()
}

fn moves(face: &FaceTrack, shot: Span) -> bool {
    let inside = || face.samples.iter().filter(|sample| shot.contains(sample.at));
    let moved = inside().filter(|sample| sample.mouth > MOVES).count();
    moved > 0 && moved as f64 >= MOVES_PART * inside().count() as f64
}

/// What the network sees of each face of the contest, in [`RATE`] pictures per second.
fn see_faces(cx: &Context, tracking: &Tracking, contest: &Contest, faces: &[FaceTrack], model: &mut Model) -> Result<Vec<Vec<f32>>> {
    let video = tracking.media.require_video()?;
    let count = contest.pictures();
    let tracks: Vec<&[FaceSample]> = contest.tracks.iter().filter_map(|&n| faces.get(n)).map(|face| &face.samples[..]).collect();
    let narrowest = tracks.iter().flat_map(|track| track.iter()).map(|sample| sample.rect.width).fold(1.0, f64::min);
    let (width, height) = video.display_size();
    let side = MIN_FACE / narrowest.max(1e-3) * f64::from(width.max(height)) / f64::from(width.max(1));
    let mut scaler = Thumbnailer::new(video, side.clamp(SIDES.0, SIDES.1) as u32);
    let mut streams: Vec<FaceStream> = tracks.iter().map(|_| FaceStream::default()).collect();
    let mut next = 0;
    let mut push = |image: &RgbImage, at: Timestamp| {
        tracks.iter().zip(&mut streams).try_for_each(|(track, stream)| match face_crop::face_at(track, at) {
            Some(face) => stream.push(model, |pictures| face_crop::push(image, face, pictures)),
            None => Ok(()),
        })
    };
    // A frame that comes less than half a frame early is nearer than the one before.
    let tolerance = 0.5 / video.frame_rate.fps().max(1.0);
    let due = |n: usize| contest.span.start().plus(n as f64 / RATE);
    let mut frames = SpanReader::open(cx, &tracking.media, contest.span, Effort::Analysis, cx.threads())?;
    let mut last = None;
    while let Some((at, picture)) = frames.next()? {
        cx.check()?;
        if next < count && at.plus(tolerance) >= due(next) {
            let image = scaler.image(&picture)?;
            while next < count && at.plus(tolerance) >= due(next) {
                push(&image, due(next))?;
                next += 1;
            }
            last = Some(image);
        }
    }
    // The last frame stays on screen.
    if let Some(image) = last {
        (next..count).try_for_each(|n| push(&image, due(n)))?;
    }
    streams.into_iter().map(|stream| stream.finish(model)).collect()
}

fn smoothed(scores: &[f32]) -> Vec<f64> {
    let mean = |n: usize| {
        let near = &scores[n.saturating_sub(SMOOTHING)..(n + SMOOTHING + 1).min(scores.len())];
        near.iter().copied().map(f64::from).sum::<f64>() / near.len() as f64
    };
    (0..scores.len()).map(mean).collect()
}

/// Gives each sample in the span the probability at its time.
fn set(samples: &mut [FaceSample], span: Span, scores: &[f64]) {
    for sample in samples.iter_mut().filter(|sample| span.start() <= sample.at && sample.at <= span.end()) {
        let n = (sample.at.since(span.start()).secs() * RATE).round() as usize;
        let logit = scores.get(n.min(scores.len().saturating_sub(1)));
        sample.speaking = logit.map(|logit| 1.0 / (1.0 + (-logit).exp()));
    }
}
