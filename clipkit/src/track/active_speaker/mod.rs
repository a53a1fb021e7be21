//! Who speaks, told by sound and picture together: LR-ASD (Liao et al., "LR-ASD: Lightweight and
//! Robust Network for Active Speaker Detection", IJCV 2025), with the weights trained on AVA.
//!
//! Mouth movement alone does not tell a speaker from a listener who smiles or grimaces. The network
//! does, at 110 ms of one core per second and face (with decoding), so it runs only where several
//! faces move. Measured on 6 people who speak and 7 who listen and move: the speaker's score is the
//! higher one in 99.6 % of seconds (mouth movement with voice activity: 92.7 %); of two mouths that
//! speak while one voice is heard, 78 % (53 %). It does not check lip movement against words. What
//! the sound alone tells, where the voice changes, is used for those (`voices`, `assignment`).

mod assignment;
mod face_crop;
mod mfcc;
mod model;
mod voices;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::Tracking;
use crate::av::{self, Effort, SpanReader, Thumbnailer};
use crate::context::Context;
use crate::error::Result;
use crate::model::{FaceSample, FaceTrack, Shot, Span, Timestamp};
use crate::onnx::{self, RuntimeOptions};
use assignment::Answers;
use face_crop::Seen;
use mfcc::Mfcc;
use model::{FaceStream, Model, SOUND_FRAMES};

/// The pictures per second on which the network was trained.
const RATE: f64 = 25.0;
/// Faces narrower than this, in pixels of a picture that is scaled first, give more false answers.
const MIN_FACE: f64 = 48.0;
/// The limits of the longer side of a picture that is scaled first, in pixels.
const SIDES: (f64, f64) = (480.0, 1280.0);
/// A mouth moves if its change exceeds this, in units of face contrast. Faces in a still picture
/// have less.
const MOVES: f64 = 0.02;
/// Mouths that move together decide for this long before and after, in seconds.
const AROUND: f64 = 1.0;
/// What the networks see and hear before and after, in seconds: as far as they look.
const CONTEXT: f64 = 0.4;
/// Scores are averaged over this many pictures before and after: 5 in all, as the authors do.
const SMOOTHING: usize = 2;
/// A face is in the picture this long before and after one of its samples, in seconds.
const PRESENT: f64 = 0.6;

/// The opened model.
#[derive(Clone)]
pub(super) struct ActiveSpeaker {
    model: Arc<Mutex<Model>>,
    fingerprint: Arc<str>,
}

/// A stretch of a shot in which several faces move their mouths.
#[derive(Debug, PartialEq)]
pub(super) struct Contest {
    /// The samples in it get an answer.
    judged: Span,
    /// What is read: the same with [`CONTEXT`].
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
            let frames = contest.pictures() * SOUND_FRAMES;
            let features = Mfcc::new().frames(&sound, frames);
            let voiced = voices::voiced(&sound, frames);
            let changes = voices::changes(&features, &voiced);
            let heard = model.hear(features)?;
            let mut answers = Vec::with_capacity(seen.len());
            for (track, seen) in contest.tracks.iter().zip(seen) {
                let samples = faces.get(*track).map_or(&[][..], |face| &face.samples);
                answers.push(Answers { logits: smoothed(&model.judge(&heard, &seen)?), present: presence(samples, contest) });
            }
            let voiced: Vec<bool> = voiced.chunks(SOUND_FRAMES).map(|frames| frames.contains(&true)).collect();
            assignment::assign(&mut answers, &changes, &voiced, RATE);
            for (track, answers) in contest.tracks.iter().zip(answers) {
                if let Some(face) = faces.get_mut(*track) {
                    set(&mut face.samples, contest, &answers.logits);
                }
            }
        }
        Ok(())
    }
}

/// The stretches in which mouths of several faces move at the same time. Where only one moves, it
/// is the speaker's: in turns without interruption, beside a listener who keeps still.
pub(super) fn contests(shots: &[Shot], faces: &[FaceTrack]) -> Vec<Contest> {
    shots.iter().flat_map(|shot| in_shot(shot.span, faces)).collect()
}

fn in_shot(shot: Span, faces: &[FaceTrack]) -> Vec<Contest> {
    // Faces are detected in the same frames, so the times of their samples are equal.
    let moving = faces.iter().flat_map(|face| &face.samples).filter(|sample| shot.contains(sample.at) && sample.mouth > MOVES);
    let mut times: Vec<Timestamp> = moving.map(|sample| sample.at).collect();
    times.sort_unstable();
    let together: Vec<Timestamp> = times.chunk_by(|a, b| a == b).filter(|faces| faces.len() > 1).map(|faces| faces[0]).collect();
    let near = |a: Timestamp, b: Timestamp| a != b && a.since(b).secs().abs() <= AROUND;
    let mut spans: Vec<Span> = Vec::new();
    for (n, &at) in together.iter().enumerate() {
        // A single time may be the one at which one mouth stops and another starts.
        let neighbours = [n.checked_sub(1), Some(n + 1)].into_iter().flatten().filter_map(|n| together.get(n));
        if !neighbours.into_iter().any(|other| near(*other, at)) {
            continue;
        }
        let (start, end) = (at.plus(-AROUND).max(shot.start()), at.plus(AROUND).min(shot.end()));
        match spans.last_mut().filter(|last| start.since(last.end()).secs() <= AROUND) {
            Some(last) => *last = Span::between(last.start(), end),
            None => spans.push(Span::between(start, end)),
        }
    }
    let contest = |judged: Span| {
        let inside = |face: &FaceTrack| face.samples.iter().any(|sample| judged.contains(sample.at));
        let tracks = (0..faces.len()).filter(|&n| faces.get(n).is_some_and(inside)).collect();
        let span = Span::between(judged.start().plus(-CONTEXT).max(shot.start()), judged.end().plus(CONTEXT).min(shot.end()));
        Contest { judged, span, tracks }
    };
    spans.into_iter().map(contest).collect()
}

/// What the network sees of each face of the contest, in [`RATE`] pictures per second.
fn see_faces(cx: &Context, tracking: &Tracking, contest: &Contest, faces: &[FaceTrack], model: &mut Model) -> Result<Vec<Vec<f32>>> {
    let video = tracking.media.require_video()?;
    let count = contest.pictures();
    let tracks: Vec<&[FaceSample]> = contest.tracks.iter().filter_map(|&n| faces.get(n)).map(|face| &face.samples[..]).collect();
    let (width, height) = video.display_size();
    let narrowest = tracks.iter().flat_map(|track| track.iter()).map(|sample| sample.rect.width).fold(1.0, f64::min);
    let side = MIN_FACE / narrowest.max(1e-3) * f64::from(width.max(height)) / f64::from(width.max(1));
    let mut scaler = Thumbnailer::new(video, side.clamp(SIDES.0, SIDES.1) as u32);
    let mut streams: Vec<FaceStream> = tracks.iter().map(|_| FaceStream::default()).collect();
    let mut next = 0;
    let aspect = f64::from(width.max(1)) / f64::from(height.max(1));
    let mut push = |seen: &Seen, at: Timestamp| {
        tracks.iter().zip(&mut streams).try_for_each(|(track, stream)| match face_crop::face_at(track, at) {
            Some(face) => stream.push(model, |pictures| seen.push_face(face, aspect, pictures)),
            None => Ok(()),
        })
    };
    // A frame that comes less than half a frame early is nearer than the one before.
    let tolerance = 0.5 / video.frame_rate.fps().max(1.0);
    let due = |n: usize| contest.span.start().plus(n as f64 / RATE);
    let mut frames = SpanReader::open(cx, &tracking.media, contest.span, Effort::Sparse, cx.threads())?;
    let mut last = None;
    while let Some((at, picture)) = frames.next()? {
        cx.check()?;
        if next < count && at.plus(tolerance) >= due(next) {
            let seen = Seen::new(picture, video, &mut scaler)?;
            while next < count && at.plus(tolerance) >= due(next) {
                push(&seen, due(next))?;
                next += 1;
            }
            last = Some(seen);
        }
    }
    // The last frame stays on screen.
    if let Some(seen) = last {
        (next..count).try_for_each(|n| push(&seen, due(n)))?;
    }
    streams.into_iter().map(|stream| stream.finish(model)).collect()
}

/// Whether the face is in the picture, for each picture of the contest.
fn presence(samples: &[FaceSample], contest: &Contest) -> Vec<bool> {
    let is_present = |n: usize| {
        let at = contest.span.start().plus(n as f64 / RATE);
        let next = samples.partition_point(|sample| sample.at < at);
        let near = next.checked_sub(1).into_iter().chain([next]).filter_map(|n| samples.get(n));
        near.into_iter().any(|sample| sample.at.since(at).secs().abs() <= PRESENT)
    };
    (0..contest.pictures()).map(is_present).collect()
}

fn smoothed(scores: &[f32]) -> Vec<f64> {
    let mean = |n: usize| {
        let near = &scores[n.saturating_sub(SMOOTHING)..(n + SMOOTHING + 1).min(scores.len())];
        near.iter().copied().map(f64::from).sum::<f64>() / near.len() as f64
    };
    (0..scores.len()).map(mean).collect()
}

/// Gives each judged sample the probability at its time.
fn set(samples: &mut [FaceSample], contest: &Contest, scores: &[f64]) {
    for sample in samples.iter_mut().filter(|sample| contest.judged.contains(sample.at)) {
        let n = (sample.at.since(contest.span.start()).secs() * RATE).round() as usize;
        let logit = scores.get(n.min(scores.len().saturating_sub(1)));
        sample.speaking = logit.map(|logit| 1.0 / (1.0 + (-logit).exp()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rect;

    /// A face that is sampled five times per second for 20 s; its mouth moves at times for which
    /// `speaks` holds.
    fn face(id: u32, speaks: impl Fn(f64) -> bool) -> FaceTrack {
        let sample = |n: u32| {
            let at = f64::from(n) / 5.0;
            let mut sample = FaceSample::new(Timestamp::from_secs(at), Rect::new(0.2, 0.2, 0.1, 0.2), 0.9);
            sample.mouth = if speaks(at) { 0.1 } else { 0.005 };
            sample
        };
        FaceTrack::new(id, (0..100).map(sample).collect())
    }

    fn judged(faces: &[FaceTrack]) -> Vec<(f64, f64)> {
        let shots = [Shot::new(Span::secs(0.0, 20.0).unwrap())];
        contests(&shots, faces).iter().map(|contest| (contest.judged.start().secs(), contest.judged.end().secs())).collect()
    }

    #[test]
    fn a_mouth_that_moves_alone_is_not_contested() {
        assert!(judged(&[face(0, |_| true), face(1, |_| false)]).is_empty());
        assert!(judged(&[face(0, |_| true)]).is_empty());
        assert!(judged(&[face(0, |t| t < 10.0), face(1, |t| t >= 10.0)]).is_empty(), "turns");
        assert!(judged(&[face(0, |t| t < 10.1), face(1, |t| t >= 10.0)]).is_empty(), "turns that meet in one sample");
    }

    #[test]
    fn mouths_that_move_together_are_contested_then() {
        let contested = judged(&[face(0, |_| true), face(1, |t| (8.0..10.0).contains(&t)), face(2, |_| false)]);
        assert_eq!(contested.len(), 1);
        assert!((contested[0].0 - 7.0).abs() < 1e-6 && (contested[0].1 - 10.8).abs() < 1e-6, "{contested:?}");
        assert_eq!(judged(&[face(0, |_| true), face(1, |_| true)]), [(0.0, 20.0)]);
        let shots = [Shot::new(Span::secs(0.0, 20.0).unwrap())];
        let contest = &contests(&shots, &[face(0, |_| true), face(1, |_| false), face(2, |_| true)])[0];
        assert_eq!(contest.tracks, [0, 1, 2], "each is judged, so that they compare");
    }
}
