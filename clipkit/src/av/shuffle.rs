//! Weighing samples on x86-64 with AVX2. Along a row eight results at once, from sixteen bytes that are shuffled to where they are needed;
//! across rows thirty-two at once. The compiler finds neither by itself.

use std::arch::x86_64::{
    __m128i, __m256i, _MM_HINT_T0, _mm_loadu_si128, _mm_prefetch, _mm_storeu_si128, _mm256_add_epi16, _mm256_add_epi32,
    _mm256_broadcastsi128_si256, _mm256_castsi256_si128, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_mulhi_epi16, _mm256_packs_epi32,
    _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srai_epi16,
    _mm256_srai_epi32, _mm256_storeu_si256,
};

use super::resample::{ALONG_LOST, FOUR_LOST, FOUR_ROUNDED};

/// Results that are made at once, and bytes that they are made from.
const MADE: usize = 8;
const READ: usize = 16;
/// Weights of a result are taken in pairs, and no more than these.
const MOST_PAIRS: usize = 4;
/// A byte that is shuffled in from nowhere: zero.
const NONE: u8 = 0x80;

/// Two neighbouring samples for each of eight results, and their weights.
struct Pair {
    /// Which of the sixteen bytes become the samples, as numbers of 16 bits.
    places: [u8; 32],
    weights: [i16; 16],
}

/// What makes each eight of a row's results.
pub(super) struct Shuffles {
    /// The first of the eight, and the first of the sixteen bytes.
    groups: Vec<(usize, usize)>,
    /// So many for each group.
    pairs_a_group: usize,
    pairs: Vec<Pair>,
    /// How many samples a row has to have, and how many results it gives.
    size: (usize, usize),
}

impl Shuffles {
    /// From where `count` samples start for each result, in ascending order, and their weights, of which 14 bits are behind the point. None
    /// where eight results need more than sixteen samples, or one needs more than eight, or there are fewer.
    pub(super) fn new(size: usize, starts: &[usize], weights: &[i16], count: usize) -> Option<Self> {
        let last_group = starts.len().checked_sub(MADE)?;
        let last_read = size.checked_sub(READ)?;
        if count > 2 * MOST_PAIRS {
            return None;
        }
        let (mut groups, mut pairs) = (Vec::new(), Vec::new());
        for first in (0..last_group).step_by(MADE).chain([last_group]) {
            let starts = starts.get(first..first + MADE)?;
            let from = starts.first()?.min(&last_read);
            if starts.last()? + count > from + READ {
                return None;
            }
            groups.push((first, *from));
            for tap in (0..count).step_by(2) {
                let mut pair = Pair { places: [NONE; 32], weights: [0; 16] };
                for (n, start) in starts.iter().enumerate() {
                    for side in 0..2.min(count - tap) {
                        pair.places[4 * n + 2 * side] = (start + tap + side - from) as u8;
                        pair.weights[2 * n + side] = *weights.get((first + n) * count + tap + side)?;
                    }
                }
                pairs.push(pair);
            }
        }
        Some(Shuffles { groups, pairs_a_group: count.div_ceil(2), pairs, size: (size, starts.len()) })
    }

    /// Weighs a row's samples; sums have 7 bits behind the point.
    #[target_feature(enable = "avx2")]
    pub(super) fn weigh(&self, line: &[u8], sums: &mut [i16]) {
        debug_assert_eq!((line.len(), sums.len()), self.size);
        // Unrolled; four weights are the usual number.
        match self.pairs_a_group {
            1 => self.weigh_pairs::<1>(line, sums),
            2 => self.weigh_pairs::<2>(line, sums),
            3 => self.weigh_pairs::<3>(line, sums),
            _ => self.weigh_pairs::<MOST_PAIRS>(line, sums),
        }
    }

    #[target_feature(enable = "avx2")]
    fn weigh_pairs<const PAIRS: usize>(&self, line: &[u8], sums: &mut [i16]) {
        for ((first, from), pairs) in self.groups.iter().zip(self.pairs.as_chunks::<PAIRS>().0) {
            let bytes = line.get(*from..).and_then(|line| line.first_chunk::<READ>());
            let (Some(bytes), Some(made)) = (bytes, sums.get_mut(*first..).and_then(|sums| sums.first_chunk_mut::<MADE>())) else { return };
            let bytes = _mm256_broadcastsi128_si256(load(bytes));
            let mut sum = _mm256_setzero_si256();
            for pair in pairs {
                let samples = _mm256_shuffle_epi8(bytes, load_wide(&pair.places));
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(samples, load_numbers(&pair.weights)));
            }
            let sum = _mm256_srai_epi32::<ALONG_LOST>(sum);
            // Packing works on halves: the first and the third quarter are wanted.
            let packed = _mm256_permute4x64_epi64::<0b10_00>(_mm256_packs_epi32(sum, sum));
            store(made, _mm256_castsi256_si128(packed));
        }
    }
}

/// Weighs four rows of sums, and makes bytes of them; how many were made, a multiple of what fits at once.
#[target_feature(enable = "avx2")]
pub(super) fn across_four(lines: [&[i16]; 4], weights: [i16; 4], target: &mut [u8]) -> usize {
    let weights = weights.map(|weight| _mm256_set1_epi16(weight));
    let rounded = _mm256_set1_epi16(FOUR_ROUNDED);
    let [a, b, c, d] = lines.map(|line| line.as_chunks::<16>().0.as_chunks::<2>().0);
    let (targets, _) = target.as_chunks_mut::<32>();
    let mut made = 0;
    for ((((target, a), b), c), d) in targets.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        let half = |n: usize| {
            let [p, q, r, s] = [(a, 0), (b, 1), (c, 2), (d, 3)].map(|(line, at)| _mm256_mulhi_epi16(load_numbers(&line[n]), weights[at]));
            _mm256_srai_epi16::<FOUR_LOST>(_mm256_add_epi16(_mm256_add_epi16(_mm256_add_epi16(p, q), _mm256_add_epi16(r, s)), rounded))
        };
        // Packing works on halves: the second and third quarter change places.
        store_wide(target, _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(half(0), half(1))));
        made += 32;
    }
    made
}

/// Asks for a row that will be read soon: rows of a window lie too far apart for the processor to guess.
#[target_feature(enable = "avx2")]
pub(super) fn fetch(line: &[u8]) {
    for part in line.chunks(64) {
        // SAFETY: the address is one of the slice's; nothing is read. Later compilers know.
        #[allow(unused_unsafe)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(part.as_ptr().cast())
        };
    }
}

#[target_feature(enable = "avx2")]
fn store_wide(to: &mut [u8; 32], bytes: __m256i) {
    // SAFETY: there is room for thirty-two bytes.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), bytes) };
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; READ]) -> __m128i {
    // SAFETY: sixteen bytes are there.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn load_wide(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: thirty-two bytes are there.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn load_numbers(numbers: &[i16; 16]) -> __m256i {
    // SAFETY: thirty-two bytes are there.
    unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(to: &mut [i16; MADE], numbers: __m128i) {
    // SAFETY: there is room for sixteen bytes.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), numbers) };
}
