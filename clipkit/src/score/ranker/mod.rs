//! How much the parts of a talk resemble the moments that editors of podcasts put into their
//! openings, by a linear model over sentences. `benches/ranker/train.py` trains it; `model.json`
//! holds its coefficients, their source, and what it finds in shows left out of training.

mod explain;
mod features;
mod lexicon;
mod model;
mod talk;
#[cfg(test)]
mod tests;
mod units;

use std::ops::Range;

use features::{COUNT, Row};
use lexicon::Vocabulary;
use model::Model;

use crate::error::Result;
use crate::model::Word;

/// The units of a talk with their scores.
pub(super) struct Moments {
    vocabulary: Vocabulary,
    units: Vec<Range<usize>>,
    /// The start and end of each unit in seconds; a start is never before the end of the unit
    /// before.
    times: Vec<(f64, f64)>,
    /// What each feature adds to the score of each unit, itself and by the units around it.
    added: Vec<Row>,
    /// What the place and the words of each unit add.
    place: Vec<f64>,
    words: Vec<f64>,
    /// The integral of the score up to the start of each unit, and up to the last one's end.
    sums: Vec<f64>,
}

impl Moments {
    /// Scores a transcript.
    pub(super) fn of(words: &[Word]) -> Result<Self> {
        let model = Model::built_in()?;
        let vocabulary = Vocabulary::of(words, model);
        let units = units::units(words);
        let rows = features::rows(words, &units, &vocabulary, model);
        let added = contributions(rows, model);
        let starts: Vec<f64> = units.iter().map(|unit| words[unit.start].start.secs()).collect();
        let (first, last) = (starts.first().copied().unwrap_or_default(), starts.last().copied().unwrap_or_default());
        let place: Vec<f64> = starts
            .iter()
            .map(|start| model::places(*start, first, last).iter().zip(&model.places).map(|(place, coefficient)| place * coefficient).sum())
            .collect();
        let said: Vec<f64> = units.iter().map(|unit| word_score(unit.clone(), &vocabulary)).collect();
        let (mut times, mut sums, mut sum, mut reached) = (Vec::with_capacity(units.len()), vec![0.0], 0.0, f64::NEG_INFINITY);
        for (n, unit) in units.iter().enumerate() {
            let score = model.bias + added[n].iter().sum::<f64>() + place[n] + said[n];
            let (start, end) = (starts[n], words[unit.end - 1].end.secs());
            let start = start.max(reached);
            reached = end.max(start);
            sum += (reached - start) / (1.0 + (-score).exp());
            sums.push(sum);
            times.push((start, reached));
        }
        Ok(Moments { vocabulary, units, times, added, place, words: said, sums })
    }

    /// The mean score of a span, 0 to 1; silence counts as 0. Times are in seconds.
    pub(super) fn value(&self, start: f64, end: f64) -> f64 {
        (self.sum(end) - self.sum(start)) / (end - start).max(1.0)
    }

    /// The integral of the score up to a time.
    fn sum(&self, at: f64) -> f64 {
        let n = self.times.partition_point(|(start, _)| *start <= at);
        let Some((start, end)) = n.checked_sub(1).and_then(|n| self.times.get(n)) else { return 0.0 };
        let (before, after) = (self.sums[n - 1], self.sums[n]);
        if at >= *end { after } else { before + (after - before) * (at - start) / (end - start) }
    }
}

/// What each feature adds: coefficients times values relative to the talk, of the unit and of up to
/// three units on either side.
fn contributions(mut rows: Vec<Row>, model: &Model) -> Vec<Row> {
    const AROUND: usize = 3;
    const MOST: f64 = 4.0;
    const LEAST_DEVIATION: f64 = 1e-3;
    let count = rows.len();
    let mut sums = vec![0.0; count + 1];
    for column in 0..COUNT {
        let mean = rows.iter().map(|row| row[column]).sum::<f64>() / count as f64;
        let variance = rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / count as f64;
        let deviation = variance.sqrt().max(LEAST_DEVIATION);
        for (n, row) in rows.iter_mut().enumerate() {
            row[column] = ((row[column] - mean) / deviation).clamp(-MOST, MOST);
            sums[n + 1] = sums[n] + row[column];
        }
        for (n, row) in rows.iter_mut().enumerate() {
            let (low, high) = (n.saturating_sub(AROUND), count.min(n + AROUND + 1));
            let around = (sums[high] - sums[low] - row[column]) / (high - low - 1).max(1) as f64;
            row[column] = model.unit[column] * row[column] + model.around[column] * around;
        }
    }
    rows
}

/// What the different words of a unit add together.
fn word_score(unit: Range<usize>, vocabulary: &Vocabulary) -> f64 {
    let own: Vec<u32> = vocabulary.numbers[unit].iter().flatten().copied().collect();
    let weights: Vec<f64> = talk::distinct(&own).iter().filter_map(|word| vocabulary.entries[*word as usize].weight).collect();
    weights.iter().sum::<f64>() / (weights.len().max(1) as f64).sqrt()
}
