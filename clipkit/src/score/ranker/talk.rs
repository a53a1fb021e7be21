//! What a unit is among the others of its talk: central, new, rare. Everything is linear in the
//! number of words.

/// A unit among the others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Among {
    /// The mean inverse document frequency of its different words.
    pub(super) mean_idf: f64,
    /// The number of its words that no other unit has.
    pub(super) hapaxes: f64,
    /// Its similarity to all units together.
    pub(super) central: f64,
    /// Its TextRank (Mihalcea and Tarau, 2004), 1 on average.
    pub(super) rank: f64,
    /// The mean similarity to the units before it.
    pub(super) before: f64,
    /// The mean similarity to the units after it.
    pub(super) after: f64,
}

/// The number of units before and after a unit that it is compared with.
const NEIGHBOURS: usize = 12;
const ROUNDS: usize = 12;
const DAMPING: f64 = 0.85;

/// The different words of a unit, sorted.
pub(super) fn distinct(words: &[u32]) -> Vec<u32> {
    let mut words = words.to_vec();
    words.sort_unstable();
    words.dedup();
    words
}

/// Compares the units by their different words without stop words, as numbers below `count`.
pub(super) fn among(contents: &[Vec<u32>], count: usize) -> Vec<Among> {
    let mut spread = vec![0.0_f64; count];
    for word in contents.iter().flatten() {
        spread[*word as usize] += 1.0;
    }
    let idf: Vec<f64> = spread.iter().map(|seen| ((contents.len() as f64 + 1.0) / seen.max(1.0)).ln()).collect();
    let vectors: Vec<Vector> = contents.iter().map(|content| Vector::of(content, &spread, &idf)).collect();
    let mut found: Vec<Among> = contents
        .iter()
        .map(|content| Among {
            mean_idf: content.iter().map(|word| idf[*word as usize]).sum::<f64>() / content.len().max(1) as f64,
            hapaxes: content.iter().filter(|word| spread[**word as usize] == 1.0).count() as f64,
            ..Among::default()
        })
        .collect();
    let mut centre = vec![0.0; count];
    for vector in &vectors {
        vector.add_to(&mut centre, 1.0);
    }
    let length = centre.iter().map(|value| value * value).sum::<f64>().sqrt();
    let length = if length > 0.0 { length } else { 1.0 };
    let ranks = ranks(&vectors, &centre);
    for (n, unit) in found.iter_mut().enumerate() {
        unit.central = vectors[n].times(&centre) / length;
        unit.rank = ranks[n] * vectors.len() as f64;
        let near = |other: usize| vectors.get(other).map_or(0.0, |other| vectors[n].times_vector(other));
        unit.before = (n.saturating_sub(NEIGHBOURS)..n).map(near).sum::<f64>() / NEIGHBOURS as f64;
        unit.after = (n + 1..=n + NEIGHBOURS).map(near).sum::<f64>() / NEIGHBOURS as f64;
    }
    found
}

/// TextRank by power iteration. The matrix of similarities is the product of the vectors, without
/// its diagonal, so it is never built.
fn ranks(vectors: &[Vector], centre: &[f64]) -> Vec<f64> {
    let count = vectors.len().max(1) as f64;
    let own: Vec<f64> = vectors.iter().map(Vector::square).collect();
    let weights: Vec<f64> = vectors.iter().zip(&own).map(|(vector, own)| (vector.times(centre) - own).max(1e-6)).collect();
    let mut ranks = vec![1.0 / count; vectors.len()];
    let mut passed = vec![0.0; centre.len()];
    for _ in 0..ROUNDS {
        passed.fill(0.0);
        let out: Vec<f64> = ranks.iter().zip(&weights).map(|(rank, weight)| DAMPING * rank / weight).collect();
        for (vector, out) in vectors.iter().zip(&out) {
            vector.add_to(&mut passed, *out);
        }
        for (n, rank) in ranks.iter_mut().enumerate() {
            *rank = (1.0 - DAMPING) / count + vectors[n].times(&passed) - own[n] * out[n];
        }
    }
    ranks
}

/// The words of a unit that other units have too, weighted by inverse document frequency, of
/// length 1. Sorted by word.
struct Vector(Vec<(u32, f64)>);

impl Vector {
    fn of(content: &[u32], spread: &[f64], idf: &[f64]) -> Self {
        let repeated = || content.iter().filter(|word| spread[**word as usize] >= 2.0);
        let length = repeated().map(|word| idf[*word as usize].powi(2)).sum::<f64>().sqrt();
        let length = if length > 0.0 { length } else { 1.0 };
        Vector(repeated().map(|word| (*word, idf[*word as usize] / length)).collect())
    }

    fn times(&self, dense: &[f64]) -> f64 {
        self.0.iter().map(|(word, value)| value * dense[*word as usize]).sum()
    }

    fn times_vector(&self, other: &Vector) -> f64 {
        let (mut sum, mut others) = (0.0, other.0.iter().peekable());
        for (word, value) in &self.0 {
            while others.next_if(|(other, _)| other < word).is_some() {}
            if let Some((_, other)) = others.next_if(|(other, _)| other == word) {
                sum += value * other;
            }
        }
        sum
    }

    fn square(&self) -> f64 {
        self.0.iter().map(|(_, value)| value * value).sum()
    }

    fn add_to(&self, dense: &mut [f64], factor: f64) {
        for (word, value) in &self.0 {
            dense[*word as usize] += factor * value;
        }
    }
}
