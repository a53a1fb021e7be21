//! Which layout a shot gets: the one that was asked for, or the one that suits what is seen.

use std::ops::Range;

use super::people::{self, Person, Turn};
use super::{Footage, STEP};
use crate::model::{LayoutChoice, Rect, ShotContent};

/// A turn shorter than this is brief, in seconds: cutting there and back leaves too little time to look.
const BRIEF: f64 = 3.0;
/// This many brief turns in a row flicker.
const FLICKER: usize = 4;
/// The part of the time for which people have to be seen to get a place of their own.
const STAYS: f64 = 0.9;
/// A window that shows this part of the picture, across and down, shows as good as all of it.
const AS_GOOD_AS_ALL: f64 = 0.9;
/// A camera's picture laid over a screen shows a face no higher than this part of the picture, ...
const WEBCAM_FACE: f64 = 0.3;
/// ... with its middle in the outer part of the picture, across and down.
const WEBCAM_ACROSS: f64 = 0.33;
const WEBCAM_DOWN: f64 = 0.4;
/// Asked for, an inset shows any face that is no higher than this.
const INSET_FACE: f64 = 0.4;
/// A mouth that changes by more than this speaks, in face contrasts, if it does so for at least this part of the time.
const SPOKEN: f64 = 0.05;
const SPOKEN_PART: f64 = 0.05;

/// How a stretch of a shot is arranged.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Arrangement {
    /// One window; it cuts between people at their turns.
    Fill,
    /// Two people, the upper and the lower.
    Split([usize; 2]),
    /// All of the picture, or the part of it in which these people are.
    Fit(Vec<usize>),
    /// All of the picture, and someone's face.
    Pip(usize),
}

/// The arrangements of a shot with the moments from and to which they hold, and whether they are what was asked for.
pub(super) fn arranged(choice: LayoutChoice, footage: &Footage<'_>) -> (Vec<(Range<usize>, Arrangement)>, bool) {
    let all = 0..footage.last();
    let asked = match choice {
        LayoutChoice::Auto => return (suited(footage), true),
        LayoutChoice::Fill => Some(Arrangement::Fill),
        LayoutChoice::Fit => Some(Arrangement::Fit(Vec::new())),
        LayoutChoice::Split => two_to_split(footage).map(Arrangement::Split),
        LayoutChoice::Pip => one_to_inset(footage).map(Arrangement::Pip),
    };
    let met = asked.is_some();
    let plain = if is_screen(footage) { Arrangement::Fit(Vec::new()) } else { Arrangement::Fill };
    (vec![(all, asked.unwrap_or(plain))], met)
}

fn suited(footage: &Footage<'_>) -> Vec<(Range<usize>, Arrangement)> {
    let all = 0..footage.last();
    let window = footage.window.rect();
    if window.width.min(window.height) >= AS_GOOD_AS_ALL {
        return vec![(all, Arrangement::Fill)];
    }
    if is_screen(footage) {
        let webcam = webcam(footage).filter(|_| footage.has_room_for_an_inset());
        return vec![(all, webcam.map_or(Arrangement::Fit(Vec::new()), Arrangement::Pip))];
    }
    if footage.people.len() > 2 && nobody_speaks(footage) && !people::fit_together(&footage.people, &everyone(footage), window) {
        return vec![(all, Arrangement::Fit(everyone(footage)))];
    }
    without_flicker(footage)
}

/// Whether this is a screen to be read. A large face is what a shot is about, whatever is around it.
fn is_screen(footage: &Footage<'_>) -> bool {
    let large = |p| footage.usual_face(p, 0..footage.last()).is_some_and(|face| face.height > INSET_FACE);
    footage.shot.content == ShotContent::Screen && !everyone(footage).into_iter().any(large)
}

fn everyone(footage: &Footage<'_>) -> Vec<usize> {
    (0..footage.people.len()).collect()
}

/// Cuts at turns, but for stretches in which they would flicker: those show everyone who takes part at once, where that is possible.
fn without_flicker(footage: &Footage<'_>) -> Vec<(Range<usize>, Arrangement)> {
    let turns = &footage.turns;
    let range = |n: usize| turns.get(n).map_or(0, |turn| turn.from)..turns.get(n + 1).map_or(footage.last(), |turn| turn.from);
    let is_brief = |n: usize| (range(n).len() as f64) * STEP < BRIEF;
    let mut stretches: Vec<(Range<usize>, Arrangement)> = Vec::new();
    let mut n = 0;
    while n < turns.len() {
        let brief = (n..turns.len()).take_while(|&n| is_brief(n)).count();
        let together =
            (brief >= FLICKER).then(|| together(footage, &turns[n..n + brief], range(n).start..range(n + brief - 1).end)).flatten();
        let (end, arrangement) = match together {
            Some(arrangement) => (n + brief, arrangement),
            None => (n + brief.max(1), Arrangement::Fill),
        };
        let stretch = range(n).start..range(end - 1).end;
        match stretches.last_mut() {
            Some((before, Arrangement::Fill)) if arrangement == Arrangement::Fill => before.end = stretch.end,
            _ => stretches.push((stretch, arrangement)),
        }
        n = end;
    }
    if stretches.is_empty() { vec![(0..footage.last(), Arrangement::Fill)] } else { stretches }
}

/// All who speak in `turns`, at once.
fn together(footage: &Footage<'_>, turns: &[Turn], range: Range<usize>) -> Option<Arrangement> {
    let mut people: Vec<usize> = turns.iter().flat_map(|turn| turn.people.iter().copied()).collect();
    people.sort_unstable();
    people.dedup();
    let stays = |&p: &usize| {
        let seen = range.clone().filter(|&n| footage.people.get(p).is_some_and(|person| person.at(n).is_some())).count();
        seen as f64 >= STAYS * range.len() as f64
    };
    if !people.iter().all(stays) {
        return None;
    }
    match people[..] {
        // Halves of a wide picture would be strips.
        [a, b] => (footage.output.0 <= footage.output.1).then(|| Arrangement::Split(left_first(footage, [a, b]))),
        [] | [_] => None,
        _ => Some(Arrangement::Fit(people)),
    }
}

fn left_first(footage: &Footage<'_>, [a, b]: [usize; 2]) -> [usize; 2] {
    let left = |p: usize| footage.usual_face(p, 0..footage.last()).map_or(0.0, |face| face.center().0);
    if left(b) < left(a) { [b, a] } else { [a, b] }
}

/// People by how long they are framed, then by how large they are.
fn by_weight(footage: &Footage<'_>) -> Vec<usize> {
    let ends = footage.turns.iter().skip(1).map(|turn| turn.from).chain([footage.last()]).collect::<Vec<_>>();
    let framed = |p: usize| -> usize {
        let with = footage.turns.iter().zip(&ends).filter(|(turn, _)| turn.people.contains(&p));
        with.map(|(turn, end)| end.saturating_sub(turn.from)).sum()
    };
    let size = |p: usize| footage.usual_face(p, 0..footage.last()).map_or(0.0, Rect::area);
    let mut people = everyone(footage);
    people.sort_by(|&a, &b| framed(b).cmp(&framed(a)).then(size(b).total_cmp(&size(a))));
    people
}

fn two_to_split(footage: &Footage<'_>) -> Option<[usize; 2]> {
    match by_weight(footage)[..] {
        [a, b, ..] => Some(left_first(footage, [a, b])),
        _ => None,
    }
}

fn one_to_inset(footage: &Footage<'_>) -> Option<usize> {
    let small = |&p: &usize| footage.usual_face(p, 0..footage.last()).is_some_and(|face| face.height <= INSET_FACE);
    webcam(footage).or_else(|| by_weight(footage).into_iter().find(small))
}

/// The one person whose face is small and near a corner.
fn webcam(footage: &Footage<'_>) -> Option<usize> {
    let all = 0..footage.last();
    let in_a_corner = |&p: &usize| {
        footage.usual_face(p, all.clone()).is_some_and(|face| {
            let (x, y) = face.center();
            face.height <= WEBCAM_FACE && x.min(1.0 - x) <= WEBCAM_ACROSS && y.min(1.0 - y) <= WEBCAM_DOWN
        })
    };
    let mut found = everyone(footage).into_iter().filter(in_a_corner);
    found.next().filter(|_| found.next().is_none())
}

fn nobody_speaks(footage: &Footage<'_>) -> bool {
    let speaks = |mouths: Vec<f64>| {
        let moved = mouths.iter().filter(|&&mouth| mouth > SPOKEN).count();
        moved as f64 >= SPOKEN_PART * mouths.len() as f64 && moved > 0
    };
    let seen = |face: &crate::model::FaceTrack| -> Vec<f64> {
        face.samples.iter().filter(|sample| footage.shot.span.contains(sample.at)).map(|sample| sample.mouth).collect()
    };
    !footage.faces.iter().map(seen).any(speaks)
}

/// Somebody's usual place among their places.
pub(super) fn usual(person: &Person, range: Range<usize>) -> Option<Rect> {
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
