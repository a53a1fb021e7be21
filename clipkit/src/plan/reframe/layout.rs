//! Chooses the layout of a shot: the requested one, or the one that suits the content.

use std::ops::Range;

use super::people::{self, Person};
use super::turns::Turn;
use super::{STEP, ShotAnalysis};
use crate::model::{LayoutChoice, Rect, ShotContent};

/// A turn shorter than this is brief, in seconds: cutting there and back leaves too little time to
/// look.
const BRIEF_TURN: f64 = 3.0;
/// This many consecutive brief turns get one layout that shows all their speakers.
const MAX_BRIEF_TURNS: usize = 4;
/// The minimum part of the time in which a person must be visible to get a window of their own.
const MIN_PRESENCE: f64 = 0.9;
/// A window that covers this part of the picture's width and height counts as the whole picture.
const FULL_PICTURE_PART: f64 = 0.9;
/// The maximum height of a webcam's face, as a fraction of the picture's height.
const WEBCAM_MAX_FACE: f64 = 0.3;
/// The maximum distances of a webcam face's centre from the nearest vertical and horizontal picture
/// edge, as fractions of the picture's width and height.
const WEBCAM_ACROSS: f64 = 0.33;
const WEBCAM_DOWN: f64 = 0.4;
/// The maximum height of a face in a requested inset, as a fraction of the picture's height.
const INSET_MAX_FACE: f64 = 0.4;
/// A mouth speaks if its change exceeds the threshold, in units of face contrast, in at least this
/// part of the samples.
const MOUTH_MOVING: f64 = 0.05;
const MOUTH_MOVING_PART: f64 = 0.05;

/// The layout of a range of steps. People are indices into [`ShotAnalysis::people`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ShotLayout {
    /// One window that fills the output and jumps at speaker turns.
    Fill,
    /// Two people: top and bottom.
    Split([usize; 2]),
    /// The whole picture, or the part of it with these people if there are any.
    Fit(Vec<usize>),
    /// The whole picture and an inset with one person's face.
    Pip(usize),
}

/// The layouts of a shot with the ranges of steps that they apply to, and whether the requested
/// layout is available.
pub(super) fn choose_layouts(choice: LayoutChoice, shot: &ShotAnalysis<'_>) -> (Vec<(Range<usize>, ShotLayout)>, bool) {
    let all = 0..shot.last();
    let asked = match choice {
        LayoutChoice::Auto => return (automatic_layouts(shot), true),
        LayoutChoice::Fill => Some(ShotLayout::Fill),
        LayoutChoice::Fit => Some(ShotLayout::Fit(Vec::new())),
        LayoutChoice::Split => split_people(shot).map(ShotLayout::Split),
        LayoutChoice::Pip => inset_person(shot).map(ShotLayout::Pip),
    };
    let met = asked.is_some();
    let plain = if is_screen(shot) { ShotLayout::Fit(Vec::new()) } else { ShotLayout::Fill };
    (vec![(all, asked.unwrap_or(plain))], met)
}

fn automatic_layouts(shot: &ShotAnalysis<'_>) -> Vec<(Range<usize>, ShotLayout)> {
    let all = 0..shot.last();
    let window = shot.window.rect();
    if window.width.min(window.height) >= FULL_PICTURE_PART {
        return vec![(all, ShotLayout::Fill)];
    }
    if is_screen(shot) {
        let webcam = webcam(shot).filter(|_| shot.has_room_for_inset());
        return vec![(all, webcam.map_or(ShotLayout::Fit(Vec::new()), ShotLayout::Pip))];
    }
    if shot.people.len() > 2 && nobody_speaks(shot) && !people::fit_together(&shot.people, &everyone(shot), window) {
        return vec![(all, ShotLayout::Fit(everyone(shot)))];
    }
    with_uncertain(shot, without_rapid_cuts(shot))
}

/// Whether the shot shows a screen to be read. A shot of a screen with a large face is about the
/// face.
fn is_screen(shot: &ShotAnalysis<'_>) -> bool {
    let large = |p| shot.median_face(p, 0..shot.last()).is_some_and(|face| face.height > INSET_MAX_FACE);
    shot.shot.content == ShotContent::Screen && !everyone(shot).into_iter().any(large)
}

fn everyone(shot: &ShotAnalysis<'_>) -> Vec<usize> {
    (0..shot.people.len()).collect()
}

/// Cuts at turns, except for sequences of at least [`MAX_BRIEF_TURNS`] brief turns: these get a
/// layout that shows all their speakers, if one is available.
fn without_rapid_cuts(shot: &ShotAnalysis<'_>) -> Vec<(Range<usize>, ShotLayout)> {
    let turns = &shot.turns;
    let range = |n: usize| turns.get(n).map_or(0, |turn| turn.from)..turns.get(n + 1).map_or(shot.last(), |turn| turn.from);
    let is_brief = |n: usize| (range(n).len() as f64) * STEP < BRIEF_TURN;
    let mut stretches: Vec<(Range<usize>, ShotLayout)> = Vec::new();
    let mut n = 0;
    while n < turns.len() {
        let brief = (n..turns.len()).take_while(|&n| is_brief(n)).count();
        let together = (brief >= MAX_BRIEF_TURNS)
            .then(|| together(shot, speakers(&turns[n..n + brief]), range(n).start..range(n + brief - 1).end))
            .flatten();
        let (end, layout) = match together {
            Some(layout) => (n + brief, layout),
            None => (n + brief.max(1), ShotLayout::Fill),
        };
        let stretch = range(n).start..range(end - 1).end;
        match stretches.last_mut() {
            Some((before, ShotLayout::Fill)) if layout == ShotLayout::Fill => before.end = stretch.end,
            _ => stretches.push((stretch, layout)),
        }
        n = end;
    }
    if stretches.is_empty() { vec![(0..shot.last(), ShotLayout::Fill)] } else { stretches }
}

/// The layouts with one that shows everybody where it is not certain who speaks, if one is
/// available.
fn with_uncertain(shot: &ShotAnalysis<'_>, mut layouts: Vec<(Range<usize>, ShotLayout)>) -> Vec<(Range<usize>, ShotLayout)> {
    for uncertain in &shot.uncertain {
        let Some(layout) = together(shot, everyone(shot), uncertain.clone()) else { continue };
        let outside = |(range, layout): (Range<usize>, ShotLayout)| {
            let before = range.start..range.end.min(uncertain.start);
            let after = range.start.max(uncertain.end)..range.end;
            [(before, layout.clone()), (after, layout)]
        };
        layouts =
            layouts.into_iter().flat_map(outside).chain([(uncertain.clone(), layout)]).filter(|(range, _)| !range.is_empty()).collect();
    }
    layouts.sort_by_key(|(range, _)| range.start);
    layouts
}

/// The people of `turns`.
fn speakers(turns: &[Turn]) -> Vec<usize> {
    let mut people: Vec<usize> = turns.iter().flat_map(|turn| turn.people.iter().copied()).collect();
    people.sort_unstable();
    people.dedup();
    people
}

/// One layout for several people.
fn together(shot: &ShotAnalysis<'_>, people: Vec<usize>, range: Range<usize>) -> Option<ShotLayout> {
    let stays = |&p: &usize| {
        let seen = range.clone().filter(|&n| shot.people.get(p).is_some_and(|person| person.at(n).is_some())).count();
        seen as f64 >= MIN_PRESENCE * range.len() as f64
    };
    if !people.iter().all(stays) {
        return None;
    }
    match people[..] {
        // The halves of a landscape output would be too flat for a face.
        [a, b] => (shot.output.0 <= shot.output.1).then(|| ShotLayout::Split(left_person_first(shot, [a, b]))),
        [] | [_] => None,
        _ => Some(ShotLayout::Fit(people)),
    }
}

fn left_person_first(shot: &ShotAnalysis<'_>, [a, b]: [usize; 2]) -> [usize; 2] {
    let left = |p: usize| shot.median_face(p, 0..shot.last()).map_or(0.0, |face| face.center().0);
    if left(b) < left(a) { [b, a] } else { [a, b] }
}

/// All people, sorted by screen time, then by face size, in descending order.
fn by_screen_time(shot: &ShotAnalysis<'_>) -> Vec<usize> {
    let ends = shot.turns.iter().skip(1).map(|turn| turn.from).chain([shot.last()]).collect::<Vec<_>>();
    let framed = |p: usize| -> usize {
        let with = shot.turns.iter().zip(&ends).filter(|(turn, _)| turn.people.contains(&p));
        with.map(|(turn, end)| end.saturating_sub(turn.from)).sum()
    };
    let size = |p: usize| shot.median_face(p, 0..shot.last()).map_or(0.0, Rect::area);
    let mut people = everyone(shot);
    people.sort_by(|&a, &b| framed(b).cmp(&framed(a)).then(size(b).total_cmp(&size(a))));
    people
}

fn split_people(shot: &ShotAnalysis<'_>) -> Option<[usize; 2]> {
    match by_screen_time(shot)[..] {
        [a, b, ..] => Some(left_person_first(shot, [a, b])),
        _ => None,
    }
}

fn inset_person(shot: &ShotAnalysis<'_>) -> Option<usize> {
    let small = |&p: &usize| shot.median_face(p, 0..shot.last()).is_some_and(|face| face.height <= INSET_MAX_FACE);
    webcam(shot).or_else(|| by_screen_time(shot).into_iter().find(small))
}

/// The only person whose face is small and near a corner, if there is exactly one.
fn webcam(shot: &ShotAnalysis<'_>) -> Option<usize> {
    let all = 0..shot.last();
    let in_a_corner = |&p: &usize| {
        shot.median_face(p, all.clone()).is_some_and(|face| {
            let (x, y) = face.center();
            face.height <= WEBCAM_MAX_FACE && x.min(1.0 - x) <= WEBCAM_ACROSS && y.min(1.0 - y) <= WEBCAM_DOWN
        })
    };
    let mut found = everyone(shot).into_iter().filter(in_a_corner);
    found.next().filter(|_| found.next().is_none())
}

fn nobody_speaks(shot: &ShotAnalysis<'_>) -> bool {
    let speaks = |mouths: Vec<f64>| {
        let moved = mouths.iter().filter(|&&mouth| mouth > MOUTH_MOVING).count();
        moved as f64 >= MOUTH_MOVING_PART * mouths.len() as f64 && moved > 0
    };
    let seen = |face: &crate::model::FaceTrack| -> Vec<f64> {
        face.samples.iter().filter(|sample| shot.shot.span.contains(sample.at)).map(|sample| sample.mouth).collect()
    };
    !shot.faces.iter().map(seen).any(speaks)
}

/// The median of a person's boxes in a range of steps, by centre and size.
pub(super) fn median_box(person: &Person, range: Range<usize>) -> Option<Rect> {
    let places: Vec<Rect> = range.filter_map(|n| person.at(n)).collect();
    let middle = |value: fn(&Rect) -> f64| {
        let mut values: Vec<f64> = places.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let (x, y) = (middle(|place| place.center().0)?, middle(|place| place.center().1)?);
    let (width, height) = (middle(|place| place.width)?, middle(|place| place.height)?);
    Some(Rect::new(x - width / 2.0, y - height / 2.0, width, height))
}
