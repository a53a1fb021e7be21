//! The speech during a clip: voice activity and, if the transcript names speakers, which person in
//! the picture each name belongs to.

use std::ops::Range;

use super::people::{self, Person};
use super::shares;
use super::{FramingInput, STEP, grid};
use crate::model::{Rect, Span, Timestamp, Word};

/// Lips move before and after the voice, and mouths are sampled a few times per second, so voice
/// activity is extended by this much on both sides, in seconds.
const VOICE_MARGIN: f64 = 0.25;
/// Words of one speaker with smaller gaps form one stretch, in seconds.
const MAX_PAUSE: f64 = 0.7;
/// The minimum speaking time of a name in one camera setup for a match, in seconds.
const MIN_EVIDENCE: f64 = 1.5;
/// The standard deviation, from second to second, of a mouth's share of all movement while the same
/// person speaks. Measured on pairs of one speaker and one listener: 0.06 to 0.09; doubled to allow
/// for footage of lower quality.
const SHARE_DEVIATION: f64 = 0.15;
/// A name belongs to a person if the mouth's share during the name's speech exceeds its share
/// during other speech by this many standard errors, and by at least `MIN_GAIN`.
const MIN_STANDARD_ERRORS: f64 = 2.0;
const MIN_GAIN: f64 = 0.1;
/// Two shots have the same camera setup if each face is at most this many face sizes away from the
/// corresponding face, with a size ratio of at most `SEAT_RATIO`.
const SEAT_DISTANCE: f64 = 0.5;
const SEAT_RATIO: f64 = 1.25;

/// The speech state at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpeechState {
    /// Whether voice activity was detected; true if the audio was not analysed.
    pub(super) voice: bool,
    /// The index of the person who speaks according to the transcript.
    pub(super) speaker: Option<usize>,
}

impl SpeechState {
    /// The state without audio analysis and speaker names.
    pub(super) const UNKNOWN: SpeechState = SpeechState { voice: true, speaker: None };
}

/// The speech during a clip.
pub(super) struct SpeechTimeline<'a> {
    voice: &'a [Span],
    /// Speaking stretches with the index of the speaker's name.
    names: Vec<(Span, usize)>,
    /// Each shot with the person that each name belongs to.
    shots: Vec<(Span, Vec<Option<usize>>)>,
}

impl<'a> SpeechTimeline<'a> {
    /// Matches the transcript's speaker names with the people in `shots`. A name belongs to the
    /// mouth that moves while the name speaks; all shots with the same camera setup are evaluated
    /// together. `shape` is the picture's width divided by its height.
    pub(super) fn of(framing: &FramingInput<'a>, shots: impl Iterator<Item = Span>, shape: f64) -> Self {
        let (names, count) = names(framing.words);
        let mut speech = SpeechTimeline { voice: framing.voice, names, shots: Vec::new() };
        // A single name does not distinguish turns.
        if count < 2 {
            speech.names.clear();
            return speech;
        }
        let mut setups: Vec<CameraSetup> = Vec::new();
        let mut seen = Vec::new();
        for shot in shots {
            let times = grid(shot);
            let people = people::in_shot(&framing.tracks.faces, shot, &times, shape);
            if people.len() < 2 {
                continue;
            }
            let row = people::left_to_right(&people);
            let seats: Vec<Rect> = row.iter().filter_map(|&p| people.get(p)?.mean_box()).collect();
            if seats.len() < people.len() {
                continue;
            }
            let setup = setups.iter().position(|setup| setup.is(&seats, shape)).unwrap_or_else(|| {
                setups.push(CameraSetup::new(seats, count));
                setups.len() - 1
            });
            if let Some(evidence) = setups.get_mut(setup) {
                evidence.add(&people, &row, &speech.states(shot, &times), &speech.names_at(&times));
            }
            seen.push((shot, setup, row));
        }
        let seats_of_names: Vec<Vec<Option<usize>>> = setups.iter().map(CameraSetup::seats_of_names).collect();
        let in_shot = |(shot, setup, row): (Span, usize, Vec<usize>)| {
            let people = seats_of_names.get(setup).into_iter().flatten().map(|seat| seat.and_then(|seat| row.get(seat).copied()));
            (shot, people.collect())
        };
        speech.shots = seen.into_iter().map(in_shot).collect();
        speech
    }

    /// The speech state at each step of a shot.
    pub(super) fn states(&self, shot: Span, times: &[Timestamp]) -> Vec<SpeechState> {
        let mut states = vec![SpeechState { voice: self.voice.is_empty(), speaker: None }; times.len()];
        for span in self.voice {
            let around = Span::between(span.start().plus(-VOICE_MARGIN), span.end().plus(VOICE_MARGIN));
            for moment in states.get_mut(steps_in(times, around)).into_iter().flatten() {
                moment.voice = true;
            }
        }
        if let Some((_, seats_of_names)) = self.shots.iter().find(|(known, _)| *known == shot) {
            for (moment, name) in states.iter_mut().zip(self.names_at(times)) {
                moment.speaker = name.and_then(|name| *seats_of_names.get(name)?);
            }
        }
        states
    }

    /// The name that speaks at each step; `None` if several names speak at once.
    fn names_at(&self, times: &[Timestamp]) -> Vec<Option<usize>> {
        let mut named = vec![None; times.len()];
        let mut disputed = vec![false; times.len()];
        for &(span, name) in &self.names {
            for n in steps_in(times, span) {
                disputed[n] |= named[n].is_some_and(|other| other != name);
                named[n] = Some(name);
            }
        }
        named.into_iter().zip(disputed).map(|(name, disputed)| name.filter(|_| !disputed)).collect()
    }
}

/// The steps inside a span.
fn steps_in(times: &[Timestamp], span: Span) -> Range<usize> {
    times.partition_point(|&at| at < span.start())..times.partition_point(|&at| at < span.end())
}

/// The speaking stretches with the indices of their names, and the number of names.
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
            Some((last, same)) if *same == name && span.start() >= last.start() && span.start().since(last.end()).secs() < MAX_PAUSE => {
                *last = Span::between(last.start(), span.end().max(last.end()));
            }
            _ => said.push((span, name)),
        }
    }
    (said, known.len())
}

/// A camera setup: people with the same positions in one or more shots, with the mouth movement
/// during each name's speech.
struct CameraSetup {
    /// The faces' mean boxes, from left to right.
    seats: Vec<Rect>,
    /// For each name: its speaking time in seconds, and for each seat the mouth share integrated
    /// over that time.
    evidence: Vec<(f64, Vec<f64>)>,
}

impl CameraSetup {
    fn new(seats: Vec<Rect>, names: usize) -> Self {
        let evidence = vec![(0.0, vec![0.0; seats.len()]); names];
        CameraSetup { seats, evidence }
    }

    fn is(&self, seats: &[Rect], shape: f64) -> bool {
        let same = |(a, b): (&Rect, &Rect)| {
            a.distance(*b, shape) <= SEAT_DISTANCE && (a.size(shape) / b.size(shape)).ln().abs() <= SEAT_RATIO.ln()
        };
        self.seats.len() == seats.len() && self.seats.iter().zip(seats).all(same)
    }

    fn add(&mut self, people: &[Person], row: &[usize], states: &[SpeechState], named: &[Option<usize>]) {
        for (n, (moment, name)) in states.iter().zip(named).enumerate() {
            let Some((time, shares)) = name.and_then(|name| self.evidence.get_mut(name)).filter(|_| moment.voice) else { continue };
            *time += STEP;
            for (share, &person) in shares.iter_mut().zip(row) {
                *share += STEP * shares::speech_share(people, person, n, SpeechState::UNKNOWN);
            }
        }
    }

    /// For each name, the seat whose mouth moves more during this name's speech than during
    /// others'; `None` if the evidence is insufficient.
    fn seats_of_names(&self) -> Vec<Option<usize>> {
        (0..self.evidence.len()).map(|name| self.seat_of_name(name)).collect()
    }

    fn seat_of_name(&self, name: usize) -> Option<usize> {
        let (time, shares) = self.evidence.get(name).filter(|(time, _)| *time >= MIN_EVIDENCE)?;
        let others = || self.evidence.iter().enumerate().filter(|(other, _)| *other != name).map(|(_, heard)| heard);
        let rest: f64 = others().map(|(time, _)| time).sum();
        let gain = |seat: usize| {
            let share = shares.get(seat).map_or(0.0, |share| share / time);
            // If no other name speaks, the seats are compared with each other.
            let usual = if rest >= MIN_EVIDENCE {
                others().filter_map(|(_, shares)| shares.get(seat)).sum::<f64>() / rest
            } else {
                shares.iter().enumerate().filter(|(other, _)| *other != seat).map(|(_, share)| share / time).fold(0.0, f64::max)
            };
            share - usual
        };
        let (best, gain) = (0..self.seats.len()).map(|seat| (seat, gain(seat))).max_by(|a, b| a.1.total_cmp(&b.1))?;
        let heard = if rest >= MIN_EVIDENCE { time.min(rest) } else { *time };
        (gain >= MIN_GAIN.max(MIN_STANDARD_ERRORS * SHARE_DEVIATION / heard.sqrt())).then_some(best)
    }
}

#[cfg(test)]
#[path = "speech_tests.rs"]
mod tests;
