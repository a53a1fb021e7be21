//! Which face each voice belongs to, where a shot has several voices.
//!
//! Within one voice the speaker stays the same, so the network's answers are taken together there;
//! from one voice to the next the speaker probably changes. Of two mouths that both move as if they
//! spoke, the answers of single seconds hardly differ, and one mouth is favoured all along: what
//! tells them apart is that the answers of a face rise when its voice sets in.

use std::ops::Range;

use super::voices::VoiceChange;
use crate::model::seems_to_speak;

/// The evidence of a second of speech, as a logarithm of odds per unit of the logits' difference.
/// It grows with the square root of the time, for so many seconds at most: answers of neighbouring
/// pictures depend on each other.
const EVIDENCE: f64 = 1.5;
const MAX_SECONDS: f64 = 4.0;
/// The gain of a change of voice from which on the speaker rather changes than not, and how much
/// more makes it e times as likely.
const EVEN_GAIN: f64 = 250.0;
const GAIN_SCALE: f64 = 60.0;
/// The limits of the probability that the speaker changes.
const CHANGE: (f64, f64) = (0.3, 0.95);
/// A deviation of an answer from the mean of its voice counts beyond this: a turn that the sound
/// did not show is seen where the answers are clear, and the others scatter less.
const SCATTER: f64 = 0.75;
/// The largest logarithm of the odds of one face over the mean of all.
const MAX_ODDS: f64 = 3.0;
/// The logarithm of the odds of one face over the next up to which it is not certain which of them
/// speaks. Measured on 72 shots of made talks in which both mouths talk: of 10 below it 4 are
/// wrong, of 62 above it 1.
const CERTAIN: f64 = 1.0;
/// What such odds become, at 0 and at `CERTAIN`: enough for a turn, and too little to show one face
/// alone where both can be shown.
const UNCERTAIN: (f64, f64) = (0.2, 0.35);
/// The evidence against a face that is out of the picture.
const ABSENT: f64 = -10.0;

/// The answers for one face, one per picture.
pub(super) struct Answers {
    /// The logits that it speaks.
    pub(super) logits: Vec<f64>,
    /// Whether it is in the picture.
    pub(super) present: Vec<bool>,
}

/// Replaces the answers where the voice changes. `rate` is the number of pictures per second;
/// `voiced` says per picture whether there is a voice.
pub(super) fn assign(faces: &mut [Answers], changes: &[VoiceChange], voiced: &[bool], rate: f64) {
    let count = faces.iter().map(|face| face.logits.len()).min().unwrap_or(0);
    let changes: Vec<(usize, f64)> = changes.iter().map(|change| ((change.at * rate).round() as usize, change.gain)).collect();
    let mut changes: Vec<(usize, f64)> = changes.into_iter().filter(|(at, _)| (1..count).contains(at)).collect();
    changes.sort_by_key(|(at, _)| *at);
    changes.dedup_by_key(|(at, _)| *at);
    if faces.len() < 2 || changes.is_empty() {
        return;
    }
    let mut edges = vec![0];
    edges.extend(changes.iter().map(|(at, _)| *at));
    edges.push(count);
    let voices: Vec<Range<usize>> = edges.windows(2).map(|pair| pair[0]..pair[1]).collect();
    let heard = |n: &usize| voiced.get(*n).copied().unwrap_or(false);
    let seconds: Vec<f64> = voices.iter().map(|voice| voice.clone().filter(heard).count() as f64 / rate).collect();
    let evidence = evidence(faces, &voices, &seconds, heard);
    let odds = posterior(&evidence, &changes.iter().map(|(_, gain)| *gain).collect::<Vec<f64>>());
    for (voice, odds) in voices.iter().zip(&odds) {
        let means: Vec<f64> = faces.iter().map(|face| mean(voice.clone().map(|n| face.logits[n])).unwrap_or(0.0)).collect();
        let middle = mean(means.iter().copied()).unwrap_or(0.0);
        for n in voice.clone() {
            let level = mean(faces.iter().map(|face| face.logits[n])).unwrap_or(0.0);
            for (p, face) in faces.iter_mut().enumerate() {
                let deviation = face.logits[n] - level - (means[p] - middle);
                face.logits[n] = level + odds[p] + (deviation - deviation.clamp(-SCATTER, SCATTER));
            }
        }
    }
}

/// The logarithm of the odds that each face speaks, per voice, by its answers during it.
fn evidence(faces: &[Answers], voices: &[Range<usize>], seconds: &[f64], heard: impl Fn(&usize) -> bool + Copy) -> Vec<Vec<f64>> {
    let present = |face: &Answers, n: usize| face.present.get(n).copied().unwrap_or(true);
    let answer =
        |face: &Answers, voice: &Range<usize>| mean(voice.clone().filter(heard).filter(|n| present(face, *n)).map(|n| face.logits[n]));
    let answers: Vec<Vec<Option<f64>>> = voices.iter().map(|voice| faces.iter().map(|face| answer(face, voice)).collect()).collect();
    // The mean of each face over all voices.
    let usual = |p: usize| {
        let known = || answers.iter().zip(seconds).filter_map(|(answers, seconds)| Some((answers[p]?, *seconds)));
        known().map(|(answer, seconds)| answer * seconds).sum::<f64>() / known().map(|(_, seconds)| seconds).sum::<f64>().max(1e-6)
    };
    let usual: Vec<f64> = (0..faces.len()).map(usual).collect();
    // Where two mouths seem to speak, what one has more than the other is its own and says nothing
    // of the voice.
    let own = seems_to_speak(second_largest(&usual));
    let of_voice = |(answers, seconds): (&Vec<Option<f64>>, &f64)| {
        let differences: Vec<Option<f64>> =
            answers.iter().zip(&usual).map(|(answer, usual)| Some(answer.as_ref()? - own * usual)).collect();
        let middle = mean(differences.iter().flatten().copied()).unwrap_or(0.0);
        let weight = EVIDENCE * seconds.min(MAX_SECONDS).sqrt();
        differences.into_iter().map(|difference| difference.map_or(ABSENT, |value| weight * (value - middle))).collect()
    };
    answers.iter().zip(seconds).map(of_voice).collect()
}

/// The logarithm of the odds of each face over the mean of all, per voice: the sum over all ways to
/// assign the voices, by the forward-backward algorithm. `gains` are those of the changes between
/// the voices.
fn posterior(evidence: &[Vec<f64>], gains: &[f64]) -> Vec<Vec<f64>> {
    let faces = evidence.first().map_or(0, Vec::len);
    let step = |values: &[f64], gain: f64| -> Vec<f64> {
        let change = (1.0 / (1.0 + (-(gain - EVEN_GAIN) / GAIN_SCALE).exp())).clamp(CHANGE.0, CHANGE.1);
        let to = |p: usize| {
            let from = values.iter().enumerate();
            log_sum(from.map(|(q, value)| value + if p == q { (1.0 - change).ln() } else { (change / (faces - 1) as f64).ln() }))
        };
        (0..faces).map(to).collect()
    };
    let plus = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a + b).collect() };
    let mut forward: Vec<Vec<f64>> = evidence.first().cloned().into_iter().collect();
    for (values, gain) in evidence.iter().skip(1).zip(gains) {
        forward.push(plus(values, &step(forward.last().map_or(&[], Vec::as_slice), *gain)));
    }
    let mut backward = vec![0.0; faces];
    let mut odds: Vec<Vec<f64>> = Vec::with_capacity(evidence.len());
    for n in (0..evidence.len()).rev() {
        let all = plus(&forward[n], &backward);
        let middle = mean(all.iter().copied()).unwrap_or(0.0);
        odds.push(softened(all.iter().map(|value| (value - middle).clamp(-MAX_ODDS, MAX_ODDS)).collect()));
        if let Some(gain) = n.checked_sub(1).and_then(|before| gains.get(before)) {
            backward = step(&plus(&evidence[n], &backward), *gain);
        }
    }
    odds.reverse();
    odds
}

/// The odds with less weight where it is not certain which face has most.
fn softened(odds: Vec<f64>) -> Vec<f64> {
    let gap = odds.iter().copied().fold(f64::NEG_INFINITY, f64::max) - second_largest(&odds);
    if gap <= 0.0 {
        return odds;
    }
    let (least, most) = UNCERTAIN;
    let weight = (least + (most - least) * (gap / CERTAIN).min(1.0) + (gap - CERTAIN).max(0.0)) / gap;
    odds.into_iter().map(|odds| odds * weight).collect()
}

fn second_largest(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.get(1).copied().unwrap_or(f64::NEG_INFINITY)
}

fn log_sum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    most + values.map(|value| (value - most).exp()).sum::<f64>().ln()
}

/// `None` without values.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 25.0;

    fn face(parts: &[(usize, f64)]) -> Answers {
        let logits: Vec<f64> = parts.iter().flat_map(|&(count, logit)| std::iter::repeat_n(logit, count)).collect();
        Answers { present: vec![true; logits.len()], logits }
    }

    fn after(mut faces: Vec<Answers>, changes: &[(f64, f64)]) -> Vec<Answers> {
        let voiced = vec![true; faces[0].logits.len()];
        let changes: Vec<VoiceChange> = changes.iter().map(|&(at, gain)| VoiceChange { at, gain }).collect();
        assign(&mut faces, &changes, &voiced, RATE);
        faces
    }

    /// Whether the first face is above the second at a picture.
    fn first_speaks(faces: &[Answers], n: usize) -> bool {
        faces[0].logits[n] > faces[1].logits[n]
    }

    #[test]
    fn a_mouth_that_is_favoured_all_along_gives_way_when_the_voice_changes() {
        let faces = || vec![face(&[(100, 2.4), (100, 2.0)]), face(&[(100, 1.2), (100, 1.6)])];
        let told = after(faces(), &[(4.0, 400.0)]);
        assert!(first_speaks(&told, 50) && !first_speaks(&told, 150));
        assert!(first_speaks(&told, 99) && !first_speaks(&told, 100), "exactly there");
        let same = after(faces(), &[]);
        assert_eq!(same[0].logits, faces()[0].logits, "without a change the answers stay");
    }

    #[test]
    fn a_listener_does_not_become_the_speaker_by_a_change_in_the_sound() {
        let told = after(vec![face(&[(200, 2.5)]), face(&[(200, -2.0)])], &[(3.0, 500.0)]);
        assert!((0..200).all(|n| first_speaks(&told, n)));
    }

    #[test]
    fn a_turn_that_the_sound_does_not_show_is_seen_where_the_answers_are_clear() {
        let told = after(vec![face(&[(50, 3.0), (50, -3.0), (100, 3.0)]), face(&[(50, -3.0), (50, 3.0), (100, -3.0)])], &[(4.0, 150.0)]);
        assert!(first_speaks(&told, 20) && !first_speaks(&told, 75) && first_speaks(&told, 150));
    }

    #[test]
    fn a_face_that_is_out_of_the_picture_does_not_speak() {
        let mut faces = vec![face(&[(200, 2.0)]), face(&[(200, 1.0)])];
        faces[0].present[100..].fill(false);
        let told = after(faces, &[(4.0, 400.0)]);
        assert!(first_speaks(&told, 50) && !first_speaks(&told, 150));
    }

    #[test]
    fn three_faces_and_three_voices() {
        let mut parts = [[1.0; 3]; 3];
        (0..3).for_each(|n| parts[n][n] = 2.0);
        let faces = parts.map(|levels| face(&levels.map(|level| (75, level)))).into();
        let told = after(faces, &[(3.0, 400.0), (6.0, 400.0)]);
        for (n, at) in [(0, 30), (1, 110), (2, 190)] {
            assert!((0..3).all(|p| p == n || told[n].logits[at] > told[p].logits[at]), "voice {n}");
        }
    }
}
