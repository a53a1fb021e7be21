//! What is heard while a clip is seen: whether anybody speaks and, where the transcript names its speakers, which of the people it is.

use std::ops::Range;

use super::people::{self, Person};
use super::{Framing, STEP, grid};
use crate::model::{Rect, Span, Timestamp, Word};

/// Lips part before a voice and close after it, and mouths are seen a few times a second: so much around a voice counts as voice, in seconds.
const LIPS: f64 = 0.25;
/// Words of one speaker that are closer than this are said in one go, in seconds.
const PAUSE: f64 = 0.7;
/// A name that is heard for less than this with the same people in the picture is not matched with any of them, in seconds.
const KNOWN: f64 = 1.5;
/// How much a mouth's share in all that moves spreads from second to second while the same person speaks. Measured on pairs of someone who
/// speaks and someone who does not: 0.06 to 0.09; doubled, since not all pictures are so good.
const SPREAD: f64 = 0.15;
/// A name is a person's if the mouth's share while it is heard exceeds its share else by this many standard errors, and by this at least.
const ERRORS: f64 = 2.0;
const LEAST: f64 = 0.1;
/// Two shots are of the same people in the same places if every face is at most this many face sizes away from one of the other shot's, and
/// at most this much larger or smaller.
const SEAT_DISTANCE: f64 = 0.5;
const SEAT_RATIO: f64 = 1.25;

/// What is heard at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// Whether anybody speaks; true where nobody listened.
    pub(super) voice: bool,
    /// Which of the shot's people speaks, as far as the transcript tells.
    pub(super) speaker: Option<usize>,
}

impl Heard {
    /// Where nobody listened and nothing is written.
    pub(super) const UNKNOWN: Heard = Heard { voice: true, speaker: None };
}

/// What is heard in a clip.
pub(super) struct Talk<'a> {
    voice: &'a [Span],
    /// Who says what: stretches, and the numbers of the names.
    names: Vec<(Span, usize)>,
    /// Each shot and, for each name, whose it is.
    shots: Vec<(Span, Vec<Option<usize>>)>,
}

impl<'a> Talk<'a> {
    /// Matches the names of the transcript with the people in `shots`. Names go with mouths that move while they are heard; all shots of the
    /// same people in the same places are judged together. `shape` is the picture's width divided by its height.
    pub(super) fn of(framing: &Framing<'a>, shots: impl Iterator<Item = Span>, shape: f64) -> Self {
        let (names, count) = names(framing.words);
        let mut talk = Talk { voice: framing.voice, names, shots: Vec::new() };
        // One name tells nothing about turns.
        if count < 2 {
            talk.names.clear();
            return talk;
        }
        let mut setups: Vec<Setup> = Vec::new();
        let mut seen = Vec::new();
        for shot in shots {
            let times = grid(shot);
            let people = people::in_shot(&framing.tracks.faces, shot, &times, shape);
            if people.len() < 2 {
                continue;
            }
            let row = people::row(&people);
            let seats: Vec<Rect> = row.iter().filter_map(|&p| people.get(p)?.usual_place()).collect();
            if seats.len() < people.len() {
                continue;
            }
            let setup = setups.iter().position(|setup| setup.is(&seats, shape)).unwrap_or_else(|| {
                setups.push(Setup::new(seats, count));
                setups.len() - 1
            });
            if let Some(evidence) = setups.get_mut(setup) {
                evidence.add(&people, &row, &talk.heard(shot, &times), &talk.named(&times));
            }
            seen.push((shot, setup, row));
        }
        let owners: Vec<Vec<Option<usize>>> = setups.iter().map(Setup::owners).collect();
        let in_shot = |(shot, setup, row): (Span, usize, Vec<usize>)| {
            let people = owners.get(setup).into_iter().flatten().map(|seat| seat.and_then(|seat| row.get(seat).copied()));
            (shot, people.collect())
        };
        talk.shots = seen.into_iter().map(in_shot).collect();
        talk
    }

    /// What is heard at the moments of a shot.
    pub(super) fn heard(&self, shot: Span, times: &[Timestamp]) -> Vec<Heard> {
        let mut heard = vec![Heard { voice: self.voice.is_empty(), speaker: None }; times.len()];
        for span in self.voice {
            let around = Span::between(span.start().plus(-LIPS), span.end().plus(LIPS));
            for moment in heard.get_mut(moments(times, around)).into_iter().flatten() {
                moment.voice = true;
            }
        }
        if let Some((_, owners)) = self.shots.iter().find(|(known, _)| *known == shot) {
            for (moment, name) in heard.iter_mut().zip(self.named(times)) {
                moment.speaker = name.and_then(|name| *owners.get(name)?);
            }
        }
        heard
    }

    /// Whose words are said at each moment; none where two speak at once.
    fn named(&self, times: &[Timestamp]) -> Vec<Option<usize>> {
        let mut named = vec![None; times.len()];
        let mut disputed = vec![false; times.len()];
        for &(span, name) in &self.names {
            for n in moments(times, span) {
                disputed[n] |= named[n].is_some_and(|other| other != name);
                named[n] = Some(name);
            }
        }
        named.into_iter().zip(disputed).map(|(name, disputed)| name.filter(|_| !disputed)).collect()
    }
}

/// The moments inside a span.
fn moments(times: &[Timestamp], span: Span) -> Range<usize> {
    times.partition_point(|&at| at < span.start())..times.partition_point(|&at| at < span.end())
}

/// Who says what, and how many there are.
fn names(words: &[Word]) -> (Vec<(Span, usize)>, usize) {
    let mut known: Vec<&str> = Vec::new();
    let mut said: Vec<(Span, usize)> = Vec::new();
    for word in words {
        let Some(speaker) = word.speaker.as_deref().map(str::trim).filter(|name| !name.is_empty()) else { continue };
        let name = known.iter().position(|name| *name == speaker).unwrap_or_else(|| {
            known.push(speaker);
            known.len() - 1
        });
        let span = Span::between(word.start, word.end);
        match said.last_mut() {
            Some((last, same)) if *same == name && span.start() >= last.start() && span.start().since(last.end()).secs() < PAUSE => {
                *last = Span::between(last.start(), span.end().max(last.end()));
            }
            _ => said.push((span, name)),
        }
    }
    (said, known.len())
}

/// People who sit in the same places in one or more shots, and whose mouths moved while which name was heard.
struct Setup {
    /// From the left to the right.
    seats: Vec<Rect>,
    /// For each name, how long it was heard, in seconds, and each seat's share in all that moved meanwhile, in seconds.
    heard: Vec<(f64, Vec<f64>)>,
}

impl Setup {
    fn new(seats: Vec<Rect>, names: usize) -> Self {
        let heard = vec![(0.0, vec![0.0; seats.len()]); names];
        Setup { seats, heard }
    }

    fn is(&self, seats: &[Rect], shape: f64) -> bool {
        let same = |(a, b): (&Rect, &Rect)| {
            a.distance(*b, shape) <= SEAT_DISTANCE && (a.size(shape) / b.size(shape)).ln().abs() <= SEAT_RATIO.ln()
        };
        self.seats.len() == seats.len() && self.seats.iter().zip(seats).all(same)
    }

    fn add(&mut self, people: &[Person], row: &[usize], heard: &[Heard], named: &[Option<usize>]) {
        for (n, (moment, name)) in heard.iter().zip(named).enumerate() {
            let Some((time, shares)) = name.and_then(|name| self.heard.get_mut(name)).filter(|_| moment.voice) else { continue };
            *time += STEP;
            for (share, &person) in shares.iter_mut().zip(row) {
                *share += STEP * people::share(people, person, n, Heard::UNKNOWN);
            }
        }
    }

    /// For each name, the seat whose mouth moves more while it is heard than while others are; none where that is not sure.
    fn owners(&self) -> Vec<Option<usize>> {
        (0..self.heard.len()).map(|name| self.owner(name)).collect()
    }

    fn owner(&self, name: usize) -> Option<usize> {
        let (time, shares) = self.heard.get(name).filter(|(time, _)| *time >= KNOWN)?;
        let others = || self.heard.iter().enumerate().filter(|(other, _)| *other != name).map(|(_, heard)| heard);
        let rest: f64 = others().map(|(time, _)| time).sum();
        let gain = |seat: usize| {
            let share = shares.get(seat).map_or(0.0, |share| share / time);
            // Where nobody else is heard, the seats are compared with each other.
            let usual = if rest >= KNOWN {
                others().filter_map(|(_, shares)| shares.get(seat)).sum::<f64>() / rest
            } else {
                shares.iter().enumerate().filter(|(other, _)| *other != seat).map(|(_, share)| share / time).fold(0.0, f64::max)
            };
            share - usual
        };
        let (best, gain) = (0..self.seats.len()).map(|seat| (seat, gain(seat))).max_by(|a, b| a.1.total_cmp(&b.1))?;
        let heard = if rest >= KNOWN { time.min(rest) } else { *time };
        (gain >= LEAST.max(ERRORS * SPREAD / heard.sqrt())).then_some(best)
    }
}

#[cfg(test)]
#[path = "talk_tests.rs"]
mod tests;
