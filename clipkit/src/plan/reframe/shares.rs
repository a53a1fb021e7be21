//! Who speaks in a shot: whose mouth moves, or whom a model hears.

use super::people::{Person, STILL};
use super::speech::SpeechState;
use crate::model::seems_to_speak;

/// A constant added to the sum of all mouth changes, in units of face contrast, so that noise alone
/// gives nobody a high share.
const MOUTH_NOISE: f64 = 0.02;
/// How a model's answers for several people are compared: logits times `SHARPNESS`, with
/// `BIAS_PART` of what a mouth's mean differs from that of all. Measured on made talks of two real
/// faces, of which one moves its mouth to the other's voice: the speaker is chosen 84 % of the
/// time; without the bias 78 %, with a sharpness of 1 68 %.
const SHARPNESS: f64 = 2.0;
const BIAS_PART: f64 = 0.5;
/// A person whose logit is lower than the highest one by more than this clearly is not the speaker.
const CLEAR_GAP: f64 = 1.0;
/// The weight of mouth movement without voice activity. It is enough to follow a speaker for
/// seconds in footage without audio or with music, and too little to show somebody who chews for
/// three seconds.
const NO_VOICE_WEIGHT: f64 = 0.35;

/// Sets the biases of people whose mouths all seem to speak, as those of people who talk in turns
/// do, or of a mouth that moves to another's voice: of each mean logit, what it differs from the
/// mean of all counts for [`BIAS_PART`]. A listener's mean shows no speech ([`seems_to_speak`]),
/// and none has a bias then.
pub(super) fn set_biases(people: &mut [Person]) {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let means: Vec<f64> = people.iter().map(|person| mean(&person.logit.iter().flatten().copied().collect::<Vec<_>>())).collect();
    let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
    let part = BIAS_PART * seems_to_speak(lowest);
    let all = mean(&means);
    people.iter_mut().zip(means).for_each(|(person, own)| person.bias = part * (own - all));
}

/// How much of the speech at a step is a person's, 0 to 1: where there is a voice, as a model
/// judged it, else their share of all mouth movement. Mouths differ in how much they move, so that
/// share is relative. It is low if all mouths are still, and reduced without voice activity and
/// where the model finds that nobody speaks.
pub(super) fn speech_share(people: &[Person], person: usize, n: usize, state: SpeechState) -> f64 {
    // In a pause, too, the mouths of those who clearly are not the speaker count less. Where
    // nobody seems to speak, the differences between the logits say nothing about the next speaker.
    let logits = judged_logits(people, n);
    let highest = logits.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let certainty = seems_to_speak(highest);
    let mouth = |p: usize| {
        let behind = logits.get(p).copied().flatten().map_or(0.0, |logit| certainty * (highest - logit - CLEAR_GAP).max(0.0));
        people.get(p).and_then(|person| person.mouth.get(n)).map_or(0.0, |mouth| (-SHARPNESS * behind).exp() * mouth)
    };
    let of_movement = mouth(person) / (MOUTH_NOISE + (0..people.len()).map(mouth).sum::<f64>());
    if !state.voice {
        return NO_VOICE_WEIGHT * of_movement;
    }
    // Answers near 0 for everybody differ only by rounding, and the voice may not be a voice: it is
    // presumed where the audio was not analysed. There, mouths count as they do without a voice.
    match share_of(people, &logits, person, n) {
        Some((share, nobody)) => share + nobody * NO_VOICE_WEIGHT * of_movement,
        None => of_movement,
    }
}

/// The logits of the people that a model judged, without their bias. Nobody's if one of those whose
/// mouths move was not judged.
fn judged_logits(people: &[Person], n: usize) -> Vec<Option<f64>> {
    let of = |person: &Person| person.logit.get(n).copied().flatten();
    let unjudged =
        |person: &Person| person.is_present(n) && of(person).is_none() && person.mouth.get(n).is_some_and(|mouth| *mouth > STILL);
    if people.iter().any(unjudged) {
        return vec![None; people.len()];
    }
    people.iter().map(|person| of(person).map(|logit| logit - person.bias)).collect()
}

/// The probability that a person speaks, times their part of the sharpened odds of all (of two who
/// may both speak, the likelier one has most), and the probability that nobody speaks. `None` if
/// one of those whose mouths move was not judged.
pub(super) fn judged_share(people: &[Person], person: usize, n: usize) -> Option<(f64, f64)> {
    share_of(people, &judged_logits(people, n), person, n)
}

/// The same, by the answer of [`judged_logits`].
fn share_of(people: &[Person], logits: &[Option<f64>], person: usize, n: usize) -> Option<(f64, f64)> {
    let odds = |logit: &Option<f64>| logit.map_or(0.0, |logit| (SHARPNESS * logit).exp());
    let probability = |person: &Person| {
        let logit = person.logit.get(n).copied().flatten();
        1.0 / (1.0 + (-logit.unwrap_or(f64::NEG_INFINITY)).exp())
    };
    let all: f64 = logits.iter().map(odds).sum();
    let nobody = people.iter().map(|person| 1.0 - probability(person)).product();
    let (person, logit) = (people.get(person)?, logits.get(person)?);
    (all > 0.0).then(|| (probability(person) * odds(logit) / all, nobody))
}
