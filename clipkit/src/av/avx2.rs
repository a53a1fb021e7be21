//! Horizontal and vertical filter passes with AVX2 on x86-64. The horizontal pass computes eight
//! results at once, four from each of two runs of sixteen input bytes, shuffled into place; the
//! vertical pass computes thirty-two or sixteen at once. The compiler does not vectorize either by
//! itself.

use std::arch::x86_64::{
    __m128i, __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi16, _mm256_add_epi32, _mm256_castsi256_si128, _mm256_madd_epi16,
    _mm256_mulhi_epi16, _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set_m128i, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srai_epi16, _mm256_srai_epi32, _mm256_unpackhi_epi16,
    _mm256_unpacklo_epi16,
};
use std::mem::transmute;

use super::resample::{HORIZONTAL_SHIFT, VERTICAL_LOST, VERTICAL_ROUNDING, VERTICAL_SHIFT};

/// Results per group. Each half of them is computed from one run of input bytes.
const GROUP: usize = 8;
const HALF: usize = GROUP / 2;
const INPUT_BYTES: usize = 16;
/// Weights are processed in pairs; this is the most pairs per result.
const MAX_PAIRS: usize = 4;
/// The most rows that a row of output is computed from.
const MAX_ROWS: usize = 16;
/// The shuffle index that gives zero.
const ZERO: u8 = 0x80;

/// Two neighbouring samples for each of eight results, and their weights.
struct Pair {
    /// Shuffle indices that expand input bytes to 16-bit samples.
    indices: [u8; 32],
    weights: [i16; 16],
}

/// The shuffles for all groups of eight results of a row.
pub(super) struct Shuffles {
    /// For each group, the first result and the first input byte of each half.
    groups: Vec<(usize, [usize; 2])>,
    /// The number of pairs per group.
    pairs_per_group: usize,
    pairs: Vec<Pair>,
    /// The length of an input row and of an output row, in samples.
    size: (usize, usize),
}

impl Shuffles {
    /// Builds the shuffles from the first input sample of each result (ascending) and `count`
    /// weights per result, with 14 fractional bits. Returns `None` if four results span more than
    /// sixteen input samples, if a result needs more than eight, or if the row is too short.
    pub(super) fn new(size: usize, starts: &[usize], weights: &[i16], count: usize) -> Option<Self> {
        let last_group = starts.len().checked_sub(GROUP)?;
        let last_read = size.checked_sub(INPUT_BYTES)?;
        if count > 2 * MAX_PAIRS {
            return None;
        }
        let (mut groups, mut pairs) = (Vec::new(), Vec::new());
        for first in (0..last_group).step_by(GROUP).chain([last_group]) {
            let starts = starts.get(first..first + GROUP)?;
            let mut from = [0; 2];
            for (from, starts) in from.iter_mut().zip(starts.chunks_exact(HALF)) {
                *from = *starts.first()?.min(&last_read);
                if starts.last()? + count > *from + INPUT_BYTES {
                    return None;
                }
            }
            groups.push((first, from));
            for tap in (0..count).step_by(2) {
                let mut pair = Pair { indices: [ZERO; 32], weights: [0; 16] };
                for (n, start) in starts.iter().enumerate() {
                    for side in 0..2.min(count - tap) {
                        pair.indices[4 * n + 2 * side] = (start + tap + side - from[n / HALF]) as u8;
                        pair.weights[2 * n + side] = *weights.get((first + n) * count + tap + side)?;
                    }
                }
                pairs.push(pair);
            }
        }
        Some(Shuffles { groups, pairs_per_group: count.div_ceil(2), pairs, size: (size, starts.len()) })
    }

    /// Filters a row. The sums have 7 fractional bits.
    #[target_feature(enable = "avx2")]
    pub(super) fn filter(&self, line: &[u8], sums: &mut [i16]) {
        debug_assert_eq!((line.len(), sums.len()), self.size);
        // Unrolled; two pairs (four weights) are the common case.
        match self.pairs_per_group {
            1 => self.filter_pairs::<1>(line, sums),
            2 => self.filter_pairs::<2>(line, sums),
            3 => self.filter_pairs::<3>(line, sums),
            _ => self.filter_pairs::<MAX_PAIRS>(line, sums),
        }
    }

    #[target_feature(enable = "avx2")]
    fn filter_pairs<const PAIRS: usize>(&self, line: &[u8], sums: &mut [i16]) {
        for ((first, from), pairs) in self.groups.iter().zip(self.pairs.as_chunks::<PAIRS>().0) {
            let [low, high] = from.map(|from| line.get(from..).and_then(|line| line.first_chunk::<INPUT_BYTES>()));
            let made = sums.get_mut(*first..).and_then(|sums| sums.first_chunk_mut::<GROUP>());
            let (Some(low), Some(high), Some(made)) = (low, high, made) else { return };
            let bytes = _mm256_set_m128i(load(high), load(low));
            let mut sum = _mm256_setzero_si256();
            for pair in pairs {
                let samples = _mm256_shuffle_epi8(bytes, load_wide(&pair.indices));
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(samples, load_numbers(&pair.weights)));
            }
            let sum = _mm256_srai_epi32::<HORIZONTAL_SHIFT>(sum);
            // Packing works per 128-bit lane: keep the first and the third quarter.
            let packed = _mm256_permute4x64_epi64::<0b10_00>(_mm256_packs_epi32(sum, sum));
            *made = numbers_of(_mm256_castsi256_si128(packed));
        }
    }
}

/// Filters four rows of sums to bytes. Returns the number of bytes written, a multiple of 32.
#[target_feature(enable = "avx2")]
pub(super) fn vertical_four(lines: [&[i16]; 4], [a, b, c, d]: [i16; 4], target: &mut [u8]) -> usize {
    let weights = [_mm256_set1_epi16(a), _mm256_set1_epi16(b), _mm256_set1_epi16(c), _mm256_set1_epi16(d)];
    let [a, b, c, d] = lines.map(|line| line.as_chunks::<16>().0.as_chunks::<2>().0);
    let (targets, _) = target.as_chunks_mut::<32>();
    let mut made = 0;
    for ((((target, a), b), c), d) in targets.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        let (low, high) = (weighted_sum([&a[0], &b[0], &c[0], &d[0]], weights), weighted_sum([&a[1], &b[1], &c[1], &d[1]], weights));
        // Packing works per 128-bit lane: swap the second and the third quarter.
        *target = bytes_of(_mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(low, high)));
        made += 32;
    }
    made
}

/// The weighted sums of four rows, for sixteen columns. It has no closures or array methods: the
/// profile of the tests does not inline them, which took a third of the CPU of rendering there.
#[target_feature(enable = "avx2")]
fn weighted_sum([a, b, c, d]: [&[i16; 16]; 4], weights: [__m256i; 4]) -> __m256i {
    let (a, b) = (_mm256_mulhi_epi16(load_numbers(a), weights[0]), _mm256_mulhi_epi16(load_numbers(b), weights[1]));
    let (c, d) = (_mm256_mulhi_epi16(load_numbers(c), weights[2]), _mm256_mulhi_epi16(load_numbers(d), weights[3]));
    let sum = _mm256_add_epi16(_mm256_add_epi16(a, b), _mm256_add_epi16(c, d));
    _mm256_srai_epi16::<VERTICAL_SHIFT>(_mm256_add_epi16(sum, _mm256_set1_epi16(VERTICAL_ROUNDING)))
}

/// Filters up to [`MAX_ROWS`] rows of sums to bytes, with the arithmetic of the pass without AVX2.
/// `line` gives the row of a weight. Returns the number of bytes written, a multiple of 16; none if
/// there are more rows.
#[target_feature(enable = "avx2")]
pub(super) fn vertical_many<'a>(line: impl Fn(usize) -> &'a [i16], weights: &[i16], target: &mut [u8]) -> usize {
    const NO_ROW: &[[i16; 16]] = &[];
    let mut rows = [NO_ROW; MAX_ROWS];
    if weights.len() > MAX_ROWS {
        return 0;
    }
    for (n, row) in rows.iter_mut().enumerate().take(weights.len()) {
        *row = line(n).as_chunks::<16>().0;
    }
    let rounding = _mm256_set1_epi32(1 << (VERTICAL_LOST - 1));
    let (targets, _) = target.as_chunks_mut::<16>();
    let mut made = 0;
    for (n, target) in targets.iter_mut().enumerate() {
        let (mut low, mut high) = (rounding, rounding);
        for (rows, weights) in rows.chunks_exact(2).zip(weights.chunks(2)) {
            let row = |row: &[[i16; 16]]| row.get(n).map_or(_mm256_setzero_si256(), |row| load_numbers(row));
            let (first, second) = (row(rows[0]), row(rows[1]));
            let next = weights.get(1).copied().unwrap_or(0);
            let weights = _mm256_set1_epi32(i32::from(next) << 16 | i32::from(weights[0] as u16));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(first, second), weights));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(first, second), weights));
        }
        // Interleaving and packing both work per 128-bit lane, so the order is that of the row.
        let sums = _mm256_packs_epi32(_mm256_srai_epi32::<VERTICAL_LOST>(low), _mm256_srai_epi32::<VERTICAL_LOST>(high));
        // Packing to bytes works per lane, too: keep the first and the third quarter.
        let bytes = _mm256_permute4x64_epi64::<0b10_00>(_mm256_packus_epi16(sums, sums));
        *target = half_bytes_of(_mm256_castsi256_si128(bytes));
        made += 16;
    }
    made
}

/// Prefetches a row. The rows of a window are too far apart for hardware prefetching.
#[target_feature(enable = "avx2")]
pub(super) fn prefetch(line: &[u8]) {
    for part in line.chunks(64) {
        // SAFETY: the address lies in the slice, and a prefetch reads nothing. Later compilers
        // treat it as safe.
        #[allow(unused_unsafe)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(part.as_ptr().cast())
        };
    }
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; INPUT_BYTES]) -> __m128i {
    // SAFETY: both are sixteen bytes, and all bits are valid.
    unsafe { transmute::<[u8; INPUT_BYTES], __m128i>(*bytes) }
}

#[target_feature(enable = "avx2")]
fn load_wide(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: both are thirty-two bytes, and all bits are valid.
    unsafe { transmute::<[u8; 32], __m256i>(*bytes) }
}

#[target_feature(enable = "avx2")]
fn load_numbers(numbers: &[i16; 16]) -> __m256i {
    // SAFETY: both are thirty-two bytes, and all bits are valid.
    unsafe { transmute::<[i16; 16], __m256i>(*numbers) }
}

#[target_feature(enable = "avx2")]
fn bytes_of(vector: __m256i) -> [u8; 32] {
    // SAFETY: both are thirty-two bytes, and all bits are valid.
    unsafe { transmute::<__m256i, [u8; 32]>(vector) }
}

#[target_feature(enable = "avx2")]
fn half_bytes_of(vector: __m128i) -> [u8; 16] {
    // SAFETY: both are sixteen bytes, and all bits are valid.
    unsafe { transmute::<__m128i, [u8; 16]>(vector) }
}

#[target_feature(enable = "avx2")]
fn numbers_of(vector: __m128i) -> [i16; GROUP] {
    // SAFETY: both are sixteen bytes, and all bits are valid.
    unsafe { transmute::<__m128i, [i16; GROUP]>(vector) }
}
