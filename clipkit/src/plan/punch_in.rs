//! Plans punch-ins: on emphasis, and at joins, where they hide a jump cut.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::caption::Vocabulary;
use crate::error::{Error, ErrorKind};
use crate::model::{ClipPlan, Crop, Layout, Rect, Scene, Span, Timestamp, Word, Zoom};

/// How many times larger the picture is after a join, and on emphasis.
const JOIN_SCALE: f64 = 1.15;
const EMPHASIS_SCALE: f64 = 1.12;
/// A smaller enlargement is not worth a movement.
const MIN_SCALE: f64 = 1.04;
/// The least time from the start of a punch-in on emphasis to the next, in seconds.
const MIN_GAP: f64 = 4.0;
/// A punch-in on emphasis starts so long before the word, in seconds, and lasts until so long after
/// it.
const LEAD: f64 = 0.2;
const HOLD: f64 = 1.2;
/// The shortest punch-in on emphasis, in seconds.
const MIN_SECS: f64 = 0.9;
/// The free space around a face, as a fraction of its size.
const FACE_MARGIN: f64 = 0.12;
/// Faces are looked up so far beyond a punch-in, in seconds: detections are apart.
const FACE_REACH: f64 = 0.5;
/// The weights of what is emphasized.
const LAUGHTER: f64 = 4.0;
const HIGHLIGHT: f64 = 2.5;

/// Where punch-ins are planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PunchIn {
    /// On numbers, laughter and highlighted words: eased, at most one in 4 seconds.
    Emphasis,
    /// At joins inside a shot, alternating, so that the jump looks like another camera.
    Joins,
    /// Both.
    Both,
}

impl FromStr for PunchIn {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "emphasis" => Ok(PunchIn::Emphasis),
            "joins" => Ok(PunchIn::Joins),
            "both" => Ok(PunchIn::Both),
            _ => Err(Error::new(ErrorKind::Config, format!("there are no punch-ins {name:?}")).with_advice("give emphasis, joins or both")),
        }
    }
}

/// What is heard in a clip, on its timeline.
pub(crate) struct Heard<'a> {
    pub(crate) words: &'a [(String, Span)],
    pub(crate) laughter: &'a [Span],
    /// The words of the whole source, which say what is rare.
    pub(crate) transcript: &'a [Word],
}

/// The punch-ins of a plan, in order, without overlaps. Each is in one scene with the layout `fill`
/// that shows a face, and as large as the face allows.
pub(crate) fn punch_ins(plan: &ClipPlan, at: PunchIn, heard: &Heard<'_>) -> Vec<Zoom> {
    let mut found = if at == PunchIn::Emphasis { Vec::new() } else { at_joins(plan) };
    if at != PunchIn::Joins {
        on_emphasis(plan, heard, &mut found);
    }
    found.sort_by_key(|zoom| zoom.span.start());
    found
}

/// Every second stretch between joins inside a shot is larger.
fn at_joins(plan: &ClipPlan) -> Vec<Zoom> {
    let timeline = plan.timeline();
    let ends: Vec<Timestamp> = timeline.joins().chain([timeline.end()]).collect();
    let (mut found, mut is_large) = (Vec::new(), false);
    for stretch in ends.windows(2) {
        let span = Span::between(stretch[0], stretch[1]);
        is_large = !is_large && is_jump(plan, span.start());
        if !is_large {
            continue;
        }
        // A cut of the source inside the stretch shows something else.
        let Some(scene) = scene_at(plan, span.start()) else { continue };
        let last = plan.scenes.iter().skip_while(|other| other.span.start() < scene.span.start());
        let last = last.take_while(|other| other.span.start() < span.end() && other.layout == scene.layout).last();
        let Some(span) = span.intersection(Span::between(span.start(), last.map_or(scene.span.end(), |scene| scene.span.end()))) else {
            continue;
        };
        if let Some(zoom) = around_faces(plan, span, JOIN_SCALE) {
            found.push(Zoom { ease: 0.0, ..zoom });
        }
    }
    found
}

/// Whether a join is inside a shot: the same face is before and after it, since a face's track ends
/// with its shot.
fn is_jump(plan: &ClipPlan, join: Timestamp) -> bool {
    plan.faces.iter().any(|face| {
        let near = |from: f64, to: f64| {
            let span = Span::between(join.plus(from), join.plus(to));
            face.samples.iter().any(|sample| span.contains(sample.at))
        };
        near(-2.0 * FACE_REACH, 0.0) && near(0.0, 2.0 * FACE_REACH)
    })
}

/// Adds the strongest punch-ins that keep their distance from each other and from those found.
fn on_emphasis(plan: &ClipPlan, heard: &Heard<'_>, found: &mut Vec<Zoom>) {
    let mut wanted = emphasized(plan, heard);
    wanted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.start().cmp(&b.0.start())));
    let mut taken: Vec<Timestamp> = Vec::new();
    for (word, _) in wanted {
        let start = word.start().plus(-LEAD).max(Timestamp::ZERO);
        let Some(scene) = scene_at(plan, word.start()) else { continue };
        let Some(span) = Span::between(start, word.end().plus(HOLD)).intersection(scene.span) else { continue };
        let is_near = taken.iter().any(|other| other.since(span.start()).secs().abs() < MIN_GAP);
        let overlaps = found.iter().any(|zoom| zoom.span.intersection(span).is_some());
        if span.duration().as_secs_f64() < MIN_SECS || is_near || overlaps {
            continue;
        }
        if let Some(zoom) = around_faces(plan, span, EMPHASIS_SCALE) {
            taken.push(span.start());
            found.push(zoom);
        }
    }
}

/// What is emphasized, with its weight: numbers, laughter, and highlighted words of the captions.
fn emphasized(plan: &ClipPlan, heard: &Heard<'_>) -> Vec<(Span, f64)> {
    let vocabulary = Vocabulary::of(heard.transcript);
    let numbers = heard.words.iter().map(|(text, span)| (*span, vocabulary.number(text)));
    let cues = plan.captions.iter().flat_map(|track| &track.cues).flat_map(|cue| &cue.words);
    let highlights = cues.filter(|word| word.emphasized).map(|word| (word.span, HIGHLIGHT));
    let laughter = heard.laughter.iter().map(|span| (*span, LAUGHTER));
    numbers.chain(highlights).chain(laughter).filter(|(_, weight)| *weight > 0.0).collect()
}

fn scene_at(plan: &ClipPlan, at: Timestamp) -> Option<&Scene> {
    plan.scenes.iter().find(|scene| scene.span.contains(at))
}

/// The largest punch-in up to `wanted` that keeps every face whole. The middle of the largest face
/// stays in its place. `None` if no face is shown, or one is at the window's edge.
fn around_faces(plan: &ClipPlan, span: Span, wanted: f64) -> Option<Zoom> {
    let Layout::Fill { crop } = &scene_at(plan, span.start())?.layout else { return None };
    let around = Span::between(span.start().plus(-FACE_REACH), span.end().plus(FACE_REACH));
    let tracks = plan.faces.iter().map(|face| face.samples.iter().filter(|sample| around.contains(sample.at)));
    let shown = |samples: &mut dyn Iterator<Item = (Timestamp, Rect)>| -> Vec<Rect> {
        samples.map(|(at, rect)| in_window(crop, at, rect)).filter(is_shown).collect()
    };
    let faces: Vec<Vec<Rect>> = tracks.map(|samples| shown(&mut samples.map(|sample| (sample.at, sample.rect)))).collect();
    let size = |face: &[Rect]| face.iter().map(|rect| rect.width * rect.height).fold(0.0, f64::max);
    let largest = faces.iter().filter(|face| !face.is_empty()).max_by(|a, b| size(a).total_cmp(&size(b)))?;
    let mean = |of: fn(&Rect) -> f64| largest.iter().map(of).sum::<f64>() / largest.len() as f64;
    let (x, y) = (mean(|rect| rect.x + rect.width / 2.0).clamp(0.0, 1.0), mean(|rect| rect.y + rect.height / 2.0).clamp(0.0, 1.0));
    // The part of the window that must be left so that `from` to `to` is in it.
    let needed = |focus: f64, from: f64, to: f64| {
        let low = if focus > 0.0 { 1.0 - from / focus } else { 0.0 };
        let high = if focus < 1.0 { (to - focus) / (1.0 - focus) } else { 0.0 };
        low.max(high)
    };
    let left = faces.iter().flatten().map(|rect| {
        let (across, down) = (rect.width * FACE_MARGIN, rect.height * FACE_MARGIN);
        needed(x, rect.x - across, rect.x + rect.width + across).max(needed(y, rect.y - down, rect.y + rect.height + down))
    });
    let scale = (1.0 / left.fold(1.0 / wanted, f64::max)).min(wanted);
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    (scale >= MIN_SCALE).then(|| {
        let mut zoom = Zoom::new(span, (scale * 1000.0).floor() / 1000.0);
        (zoom.x, zoom.y) = (rounded(x), rounded(y));
        zoom
    })
}

/// A rectangle of the picture in fractions of the window.
fn in_window(crop: &Crop, at: Timestamp, rect: Rect) -> Rect {
    let window = crop.at(at);
    let (across, down) = (|length: f64| length / window.width.max(1e-9), |length: f64| length / window.height.max(1e-9));
    Rect::new(across(rect.x - window.x), down(rect.y - window.y), across(rect.width), down(rect.height))
}

/// Whether the middle of a rectangle is in the window.
fn is_shown(rect: &Rect) -> bool {
    let (x, y) = rect.center();
    (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentId, CropKey, FaceSample, FaceTrack, FrameRate, MediaRef, Output, Piece, PlanSource, Score, Shot};
    use proptest::prelude::*;

    fn span(from: f64, to: f64) -> Span {
        Span::secs(from, to).unwrap()
    }

    /// A clip of 20 s with a face in a window, and a cut at 12 s.
    fn plan(face: Rect) -> ClipPlan {
        let source = PlanSource::new(MediaRef::new("talk.mp4", ContentId::new("test", "0")), 1920, 1080, Timestamp::from_secs(60.0));
        let scenes = [(0.0, 12.0, 0.3), (12.0, 20.0, 0.31)]
            .map(|(from, to, x)| Scene::new(span(from, to), Layout::Fill { crop: Crop::still(Rect::new(x, 0.0, 0.32, 1.0)) }));
        let output = Output::h264(1080, 1920, FrameRate::new(30, 1));
        let mut plan = ClipPlan::new(source, span(0.0, 20.0), "A title", Score::of(80.0), scenes.to_vec(), output);
        plan.shots = vec![Shot::new(span(0.0, 12.0)), Shot::new(span(12.0, 20.0))];
        let track = |id: u32, from: u32, to: u32| {
            let samples = (from..to).map(|n| FaceSample::new(Timestamp::from_secs(f64::from(n) * 0.5), face, 0.9));
            FaceTrack::new(id, samples.collect())
        };
        plan.faces = vec![track(1, 0, 24), track(2, 24, 40)];
        plan
    }

    fn of(plan: &ClipPlan, at: PunchIn, words: &[(&str, f64)], laughter: &[Span]) -> Vec<Zoom> {
        let words: Vec<(String, Span)> = words.iter().map(|(text, from)| ((*text).to_owned(), span(*from, from + 0.3))).collect();
        let found = punch_ins(plan, at, &Heard { words: &words, laughter, transcript: &[] });
        let mut with = plan.clone();
        with.zooms.clone_from(&found);
        with.validate().unwrap();
        found
    }

    const FACE: Rect = Rect { x: 0.42, y: 0.2, width: 0.1, height: 0.2 };

    #[test]
    fn numbers_and_laughter_are_larger_and_at_most_one_in_four_seconds() {
        let words = [("so", 1.0), ("40%", 2.0), ("90%", 4.0), ("no", 7.0), ("2026", 11.7)];
        let found = of(&plan(FACE), PunchIn::Emphasis, &words, &[span(6.5, 7.5)]);
        let starts: Vec<f64> = found.iter().map(|zoom| zoom.span.start().secs()).collect();
        // Those on 90% and 2026 are too near to others, and to the cut.
        assert_eq!(starts, [1.8, 6.3]);
        assert!(found.iter().all(|zoom| zoom.scale > 1.1 && zoom.scale <= EMPHASIS_SCALE), "{found:?}");
        // The face's middle stays in its place.
        assert!((found[0].x - (0.47 - 0.3) / 0.32).abs() < 1e-3 && (found[0].y - 0.3).abs() < 1e-3);
        assert!(of(&plan(FACE), PunchIn::Joins, &words, &[]).is_empty());
    }

    #[test]
    fn without_a_whole_face_or_a_window_that_fills_nothing_moves() {
        let words = [("40%", 2.0)];
        let mut nobody = plan(FACE);
        nobody.faces.clear();
        assert!(of(&nobody, PunchIn::Both, &words, &[]).is_empty());
        // A face at the window's edge, and one that fills it.
        for face in [Rect::new(0.29, 0.2, 0.1, 0.2), Rect::new(0.3, 0.02, 0.32, 0.97)] {
            assert!(of(&plan(face), PunchIn::Both, &words, &[]).is_empty(), "{face:?}");
        }
        let mut fitted = plan(FACE);
        let pane = crate::model::Pane { crop: Crop::still(Rect::FULL), place: Rect::new(0.0, 0.3, 1.0, 0.3) };
        fitted.scenes[0].layout = Layout::Fit { pane };
        assert!(of(&fitted, PunchIn::Both, &words, &[]).is_empty());
    }

    #[test]
    fn every_second_stretch_between_joins_in_a_shot_is_larger() {
        let mut joined = plan(FACE);
        // Joins at 3, 6, 9 and 14 s; the source's cut is at 12 s.
        let pieces = [(0.0, 3.0), (4.0, 7.0), (8.0, 11.0), (12.0, 17.0), (18.0, 24.0)];
        joined.pieces = pieces.map(|(from, to)| Piece::new(span(from, to))).to_vec();
        joined.span = span(0.0, 24.0);
        let found = of(&joined, PunchIn::Joins, &[], &[]);
        let spans: Vec<(f64, f64)> = found.iter().map(|zoom| (zoom.span.start().secs(), zoom.span.end().secs())).collect();
        assert_eq!(spans, [(3.0, 6.0), (9.0, 12.0)]);
        assert!(found.iter().all(|zoom| zoom.ease == 0.0 && zoom.scale > 1.1 && zoom.scale <= 1.15));
        // Words in a stretch that is larger move nothing.
        let both = of(&joined, PunchIn::Both, &[("40%", 4.0), ("50%", 7.0)], &[]);
        assert_eq!(both.len(), 3);
    }

    proptest! {
        #[test]
        fn no_face_is_cut(x in 0.25..0.6f64, y in 0.0..0.9f64, size in 0.02..0.3f64, to in 0.0..0.6f64, second in 0.3..0.6f64) {
            let mut plan = plan(Rect::new(x, y, size, size * 1.6));
            let path = vec![CropKey { at: Timestamp::ZERO, x: 0.3, y: 0.0 }, CropKey { at: Timestamp::from_secs(8.0), x: to, y: 0.0 }];
            plan.scenes[0].layout = Layout::Fill { crop: Crop::new(0.32, 1.0, path) };
            let other = (0..24).map(|n| FaceSample::new(Timestamp::from_secs(f64::from(n) * 0.5), Rect::new(second, 0.1, 0.08, 0.15), 0.9));
            plan.faces.push(FaceTrack::new(9, other.collect()));
            let found = of(&plan, PunchIn::Emphasis, &[("40%", 1.0), ("50%", 6.0), ("60%", 13.0)], &[]);
            for zoom in found {
                let scene = scene_at(&plan, zoom.span.start()).unwrap();
                let Layout::Fill { crop } = &scene.layout else { panic!() };
                for sample in plan.faces.iter().flat_map(|face| &face.samples).filter(|sample| zoom.span.contains(sample.at)) {
                    let before = in_window(crop, sample.at, sample.rect);
                    if !is_shown(&before) {
                        continue;
                    }
                    let after = zoom.window(crop.at(sample.at), sample.at);
                    let rect = sample.rect;
                    prop_assert!(after.x <= rect.x + 1e-6 && rect.x + rect.width <= after.x + after.width + 1e-6, "{zoom:?} {rect:?} {after:?}");
                    prop_assert!(after.y <= rect.y + 1e-6 && rect.y + rect.height <= after.y + after.height + 1e-6, "{zoom:?} {rect:?} {after:?}");
                }
            }
        }
    }
}
