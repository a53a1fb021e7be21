//! Moves everything that stands on a clip's timeline to a new arrangement of its pieces.

use super::captions::end_at_next;
use crate::model::{
    CaptionTrack, Censored, ClipPlan, Crop, CropKey, Cue, CueWord, FaceTrack, Layout, Overlay, Pane, Piece, Scene, Shot, Sound, Span,
    Speaking, SubjectTrack, Timeline, Timestamp, Zoom,
};
use crate::plan::censor::tidy;

/// A stretch of an edited clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kept {
    /// A stretch of the clip before the edit. It lies in one piece.
    Old(Span),
    /// A stretch of the source that the clip did not play. What stood at `near`, a time of the clip
    /// before the edit, is held during it.
    New { piece: Piece, near: Timestamp },
}

/// A stretch of the clip before and after the edit. A stretch that did not play before has an empty
/// span there.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    old: Span,
    new: Span,
}

impl Segment {
    /// Converts a time before the edit, clamped to the segment, to the time after it.
    fn map(&self, at: Timestamp) -> Timestamp {
        let (was, is) = (self.old.duration(), self.new.duration());
        let into = at.clamp(self.old.start(), self.old.end()).since(self.old.start());
        if was == is {
            return into.offset(self.new.start());
        }
        let part = is.as_secs_f64() / was.as_secs_f64().max(1e-6);
        into_scaled(into, part).offset(self.new.start()).min(self.new.end())
    }

    fn map_span(&self, span: Span) -> Span {
        Span::between(self.map(span.start()), self.map(span.end()))
    }

    /// The part of a span before the edit that this segment plays; all of a segment that did not
    /// play before belongs to the span around it.
    fn part_of(&self, span: Span) -> Option<Span> {
        if self.old.duration().is_zero() {
            return span.contains(self.old.start()).then_some(self.old);
        }
        self.old.intersection(span)
    }
}

fn into_scaled(time: Timestamp, by: f64) -> Timestamp {
    Timestamp::from_micros((time.micros() as f64 * by).round() as i64)
}

/// The plan with another arrangement: pieces, span, and everything on the clip's timeline. The
/// result is not validated.
pub(super) fn rearranged(plan: &ClipPlan, kept: &[Kept]) -> ClipPlan {
    let before = plan.timeline();
    let sources: Vec<(Span, Piece)> = kept.iter().map(|part| source_of(&before, *part)).collect();
    let pieces: Vec<Piece> = sources.iter().map(|(_, piece)| *piece).collect();
    let timeline = Timeline::of(&pieces);
    let segments = segments(&sources, &timeline);
    let pieces: Vec<Piece> = timeline.pieces().iter().map(|piece| Piece::new(piece.source).at_speed(piece.speed)).collect();
    let mut edited = plan.clone();
    edited.span = timeline.extent();
    edited.pieces = if pieces == [Piece::new(edited.span)] { Vec::new() } else { pieces };
    edited.scenes = scenes(&plan.scenes, &segments);
    edited.shots = shots(&plan.shots, &segments);
    edited.faces = plan.faces.iter().filter_map(|face| face_track(face, &segments)).collect();
    edited.subjects = plan.subjects.iter().flat_map(|subject| subject_tracks(subject, &segments)).collect();
    edited.sound = plan.sound.iter().filter_map(|sound| moved_sound(sound, &segments, timeline.end())).collect();
    edited.censored = censored(&plan.censored, &segments);
    edited.captions = plan.captions.as_ref().map(|track| CaptionTrack { cues: cues(&track.cues, &segments), ..track.clone() });
    if let Some(hook) = &mut edited.hook {
        // The title belongs to the clip's first seconds, whatever plays in them.
        let clamped = |at: Timestamp| at.min(timeline.end());
        hook.span = Span::between(clamped(hook.span.start()), clamped(hook.span.end()));
    }
    edited.overlays = overlays(&plan.overlays, &segments);
    edited.zooms = zooms(&plan.zooms, &segments);
    edited
}

/// The stretch on the clip's timeline before the edit, and the stretch of the source.
fn source_of(before: &Timeline, kept: Kept) -> (Span, Piece) {
    match kept {
        Kept::Old(span) => {
            let piece = before.pieces().get(before.index_at(span.start()));
            let source = piece.map_or(span, |piece| Span::between(piece.source_time(span.start()), piece.source_time(span.end())));
            (span, Piece::new(source).at_speed(piece.map_or(Piece::NORMAL_SPEED, |piece| piece.speed)))
        }
        Kept::New { piece, near } => (Span::between(near, near), piece),
    }
}

/// The segments on both timelines. Those that continue each other on both are one.
fn segments(sources: &[(Span, Piece)], timeline: &Timeline) -> Vec<Segment> {
    let mut found: Vec<Segment> = Vec::with_capacity(sources.len());
    let mut index = 0;
    for (n, (old, piece)) in sources.iter().enumerate() {
        let before = n.checked_sub(1).and_then(|n| sources.get(n));
        let continues = before.is_some_and(|(_, before)| before.span.end() == piece.span.start() && before.speed == piece.speed);
        index += usize::from(n > 0 && !continues);
        let Some(placed) = timeline.pieces().get(index) else { continue };
        let new = Span::between(placed.clip_time(piece.span.start()), placed.clip_time(piece.span.end()));
        match found.last_mut() {
            Some(last) if continues && last.old.end() == old.start() && !last.old.duration().is_zero() && !old.duration().is_zero() => {
                *last = Segment { old: Span::between(last.old.start(), old.end()), new: Span::between(last.new.start(), new.end()) };
            }
            _ => found.push(Segment { old: *old, new }),
        }
    }
    found
}

fn scenes(scenes: &[Scene], segments: &[Segment]) -> Vec<Scene> {
    let mut found: Vec<Scene> = Vec::new();
    for segment in segments {
        let last = scenes.len().saturating_sub(1);
        for (n, scene) in scenes.iter().enumerate() {
            // A time at the clip's very end belongs to the last scene.
            let span = if n == last { Span::between(scene.span.start(), scene.span.end().plus(1.0)) } else { scene.span };
            let Some(part) = segment.part_of(span) else { continue };
            let new = if part.duration().is_zero() { segment.new } else { segment.map_span(part) };
            if new.duration().is_zero() {
                continue;
            }
            let layout = retimed(&scene.layout, part, segment, new);
            match found.last_mut() {
                // A still window that goes on is one scene.
                Some(before) if is_still(&before.layout) && same_windows(&before.layout, &layout) => {
                    before.span = Span::between(before.span.start(), new.end());
                }
                _ => found
                    .push(Scene::new(Span::between(found.last().map_or(Timestamp::ZERO, |before| before.span.end()), new.end()), layout)),
            }
        }
    }
    found
}

/// A layout during a part of its scene. `part` is on the timeline before the edit, `new` on the one
/// after it.
fn retimed(layout: &Layout, part: Span, segment: &Segment, new: Span) -> Layout {
    let crop = |crop: &Crop| retimed_crop(crop, part, segment, new);
    let pane = |pane: &Pane| Pane { crop: crop(&pane.crop), place: pane.place };
    match layout {
        Layout::Fill { crop: window } => Layout::Fill { crop: crop(window) },
        Layout::Split { top, bottom, speaking } => {
            Layout::Split { top: crop(top), bottom: crop(bottom), speaking: retimed_speaking(speaking, part, segment, new) }
        }
        Layout::Fit { pane: window } => Layout::Fit { pane: pane(window) },
        Layout::Pip { screen, inset } => Layout::Pip { screen: pane(screen), inset: pane(inset) },
    }
}

fn retimed_crop(crop: &Crop, part: Span, segment: &Segment, new: Span) -> Crop {
    let key = |at: Timestamp, from: Timestamp| {
        let window = crop.at(from);
        CropKey { at, x: window.x, y: window.y }
    };
    let mut path = vec![key(new.start(), part.start())];
    for inside in crop.path.iter().filter(|inside| part.start() < inside.at && inside.at < part.end()) {
        path.push(CropKey { at: segment.map(inside.at), ..*inside });
    }
    if part.duration() > std::time::Duration::ZERO {
        path.push(key(new.end(), part.end()));
    }
    path.dedup_by(|later, before| later.at <= before.at);
    if path.iter().all(|key| (key.x, key.y) == (path[0].x, path[0].y)) {
        path.truncate(1);
    }
    Crop { path, ..crop.clone() }
}

fn retimed_speaking(speaking: &[Speaking], part: Span, segment: &Segment, new: Span) -> Vec<Speaking> {
    let current = speaking.iter().rev().find(|entry| entry.from <= part.start()).map(|entry| Speaking { from: new.start(), ..*entry });
    let later = speaking.iter().filter(|entry| part.contains(entry.from) && entry.from > part.start());
    let mut found: Vec<Speaking> =
        current.into_iter().chain(later.map(|entry| Speaking { from: segment.map(entry.from), ..*entry })).collect();
    found.dedup_by(|later, before| later.from <= before.from);
    found
}

/// Whether no window of a layout moves and no mark changes.
fn is_still(layout: &Layout) -> bool {
    let marks = if let Layout::Split { speaking, .. } = layout { speaking.len() } else { 0 };
    marks == 0 && layout.panes().iter().all(|(crop, _)| crop.path.len() == 1)
}

/// Whether two still layouts show the same windows.
fn same_windows(a: &Layout, b: &Layout) -> bool {
    let windows = |layout: &Layout| layout.panes().iter().map(|(crop, place)| (crop.at(Timestamp::ZERO), *place)).collect::<Vec<_>>();
    std::mem::discriminant(a) == std::mem::discriminant(b) && is_still(b) && windows(a) == windows(b)
}

fn shots(shots: &[Shot], segments: &[Segment]) -> Vec<Shot> {
    let parts = segments.iter().flat_map(|segment| {
        shots.iter().filter_map(move |shot| {
            let part = segment.part_of(shot.span)?;
            let span = if part.duration().is_zero() { segment.new } else { segment.map_span(part) };
            Some(Shot { span, ..*shot }).filter(|shot| !shot.span.duration().is_zero())
        })
    });
    parts.collect()
}

/// The overlays whose span still plays. Parts of a span that follow each other are one overlay.
fn overlays(overlays: &[Overlay], segments: &[Segment]) -> Vec<Overlay> {
    let mut found = Vec::new();
    for overlay in overlays {
        let Some(span) = overlay.span else {
            found.push(overlay.clone());
            continue;
        };
        found.extend(parts(span, segments).into_iter().map(|part| overlay.clone().during(part)));
    }
    found
}

/// The punch-ins that still play, in order of time.
fn zooms(zooms: &[Zoom], segments: &[Segment]) -> Vec<Zoom> {
    let mut found: Vec<Zoom> =
        zooms.iter().flat_map(|zoom| parts(zoom.span, segments).into_iter().map(|span| Zoom { span, ..*zoom })).collect();
    found.sort_by_key(|zoom| zoom.span.start());
    found
}

/// Where a span plays after the edit. Parts that follow each other are one.
fn parts(span: Span, segments: &[Segment]) -> Vec<Span> {
    let mut parts: Vec<Span> = Vec::new();
    for segment in segments {
        let Some(part) = segment.part_of(span) else { continue };
        let new = if part.duration().is_zero() { segment.new } else { segment.map_span(part) };
        match parts.last_mut() {
            Some(last) if last.end() == new.start() => *last = Span::between(last.start(), new.end()),
            _ if new.duration().is_zero() => {}
            _ => parts.push(new),
        }
    }
    parts
}

/// One track with all samples that still play, in order of time. `None` if none does.
fn face_track(face: &FaceTrack, segments: &[Segment]) -> Option<FaceTrack> {
    let mut samples = Vec::new();
    for segment in segments {
        let inside = face.samples.iter().filter(|sample| segment.old.contains(sample.at));
        samples.extend(inside.map(|sample| {
            let mut moved = *sample;
            moved.at = segment.map(sample.at);
            moved
        }));
    }
    samples.dedup_by(|later, before| later.at == before.at);
    (!samples.is_empty()).then(|| FaceTrack::new(face.id, samples))
}

fn subject_tracks(subject: &SubjectTrack, segments: &[Segment]) -> Vec<SubjectTrack> {
    let parts = segments.iter().map(|segment| {
        let inside = subject.samples.iter().filter(|sample| segment.old.contains(sample.at));
        let moved = inside.map(|sample| {
            let mut moved = *sample;
            moved.at = segment.map(sample.at);
            moved
        });
        SubjectTrack::new(moved.collect())
    });
    parts.filter(|track| !track.samples.is_empty()).collect()
}

/// A sound that follows what it stands over: it starts where the first moment of that plays, and is
/// shorter by what was cut. One for the whole clip stays so. `None` if nothing of it plays.
fn moved_sound(sound: &Sound, segments: &[Segment], end: Timestamp) -> Option<Sound> {
    let Some(span) = sound.span else { return Some(sound.clone()) };
    let parts = || segments.iter().filter_map(move |segment| Some((segment.old.intersection(span)?, segment)));
    let (first, segment) = parts().min_by_key(|(part, _)| part.start())?;
    let start = segment.map(first.start());
    let length: f64 = parts().map(|(part, segment)| segment.map_span(part).duration().as_secs_f64()).sum();
    let span = Span::between(start, start.plus(length).min(end).max(start));
    (!span.duration().is_zero()).then(|| Sound { span: Some(span), ..sound.clone() })
}

/// The censored stretches that still play.
fn censored(stretches: &[Censored], segments: &[Segment]) -> Vec<Censored> {
    let parts = segments.iter().flat_map(|segment| {
        stretches
            .iter()
            .filter_map(move |stretch| Some(Censored::new(segment.map_span(segment.old.intersection(stretch.span)?), stretch.with)))
    });
    let mut found = parts.collect();
    tidy(&mut found);
    found
}

/// The cues of the words that still play. A word plays if its middle does. Neighbouring parts of
/// one cue stay one cue.
fn cues(cues: &[Cue], segments: &[Segment]) -> Vec<Cue> {
    let mut found: Vec<Cue> = Vec::new();
    let mut last: Option<usize> = None;
    for segment in segments.iter().filter(|segment| !segment.old.duration().is_zero()) {
        for (n, cue) in cues.iter().enumerate() {
            let words: Vec<CueWord> = cue
                .words
                .iter()
                .filter(|word| segment.old.contains(middle(word.span)))
                .map(|word| CueWord { span: segment.map_span(word.span), ..word.clone() })
                .collect();
            let (Some(first), Some(end)) = (words.first(), words.last()) else { continue };
            // Text is shown a little longer than its words, as before, but not into another piece.
            let is_whole = cue.words.last().is_some_and(|word| segment.old.contains(middle(word.span)));
            let until = if is_whole { segment.map(cue.span.end()).max(end.span.end()) } else { end.span.end() };
            let start = found.last().map_or(first.span.start(), |before| first.span.start().max(before.span.start()));
            let span = Span::between(start, until.max(start));
            match found.last_mut() {
                Some(before) if last == Some(n) && before.words.len() + words.len() <= cue.words.len() => {
                    before.span = Span::between(before.span.start(), span.end());
                    before.words.extend(words);
                }
                _ => found.push(Cue { span, words, place: cue.place }),
            }
            last = Some(n);
        }
    }
    end_at_next(&mut found);
    found
}

pub(super) fn middle(span: Span) -> Timestamp {
    Timestamp::from_micros(span.start().micros() / 2 + span.end().micros() / 2)
}
