//! Resampling of a window of a plane, with subpixel positions.
//!
//! swscale starts windows on whole samples only (every second pixel where chroma is subsampled), so
//! a slow pan would judder. The crate `fast_image_resize` supports fractional windows but is many
//! times slower for single planes of bytes (8.5 ms against 0.6 ms for 608x1080 to 1080x1920, 4:2:0,
//! on one core).
//!
//! For windows on whole samples, 99.98 % of the samples equal swscale's and the others differ by
//! one.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

#[cfg(target_arch = "x86_64")]
use super::avx2::Shuffles;

/// 0.6 in swscale's fixed-point form. At common scale factors weights lie halfway between two
/// integers, and this exact value decides the rounding.
const BICUBIC_C: f64 = 10_066_329.0 / 16_777_216.0;

/// Resampling filters. All are symmetric, and are widened by the scale factor when downscaling, to
/// prevent aliasing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// swscale's bicubic (B = 0, C = 0.6 in Mitchell and Netravali's family): sharp.
    Bicubic,
    /// The cubic B-spline (B = 1, C = 0): twice continuously differentiable, for enlarging blurred
    /// backdrops.
    BSpline,
    /// The triangle filter, for strong downscaling.
    Triangle,
}

impl Kernel {
    /// The radius of support, in samples.
    fn reach(self) -> f64 {
        if self == Kernel::Triangle { 1.0 } else { 2.0 }
    }

    /// The weight at distance `away`: Mitchell and Netravali, "Reconstruction filters in computer
    /// graphics" (1988), equation 8.
    fn weight(self, away: f64) -> f64 {
        let x = away.abs();
        let (b, c) = match self {
            Kernel::Bicubic => (0.0, BICUBIC_C),
            Kernel::BSpline => (1.0, 0.0),
            Kernel::Triangle => return (1.0 - x).max(0.0),
        };
        if x < 1.0 {
            ((12.0 - 9.0 * b - 6.0 * c) * x.powi(3) + (-18.0 + 12.0 * b + 6.0 * c) * x.powi(2) + 6.0 - 2.0 * b) / 6.0
        } else if x < 2.0 {
            ((-b - 6.0 * c) * x.powi(3) + (6.0 * b + 30.0 * c) * x.powi(2) + (-12.0 * b - 48.0 * c) * x + 8.0 * b + 24.0 * c) / 6.0
        } else {
            0.0
        }
    }
}

/// An interval of a row or column: start and length in samples from the plane's edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) start: f64,
    pub(crate) length: f64,
}

/// A plane of bytes to read: `height` rows of `width` samples, `stride` bytes apart.
#[derive(Clone, Copy)]
pub(crate) struct Plane<'a> {
    pub(crate) samples: &'a [u8],
    pub(crate) stride: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl<'a> Plane<'a> {
    /// The samples of row `y`.
    #[inline(always)]
    pub(crate) fn line(&self, y: usize) -> &'a [u8] {
        &self.samples[y * self.stride..][..self.width]
    }
}

/// A part of a plane to write: `height` rows of `width` samples, `stride` bytes apart.
pub(crate) struct PlaneMut<'a> {
    pub(crate) samples: &'a mut [u8],
    pub(crate) stride: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// The number of rows to prefetch ahead of the current row.
#[cfg(target_arch = "x86_64")]
const PREFETCH_ROWS: usize = 3;
/// Fractional bits of the horizontal weights, of the vertical weights and of the intermediate sums.
/// All fixed-point arithmetic equals swscale's for 8-bit samples on x86-64, so that windows on
/// whole samples give the same picture as an `ffmpeg` command.
const HORIZONTAL_BITS: u32 = 14;
const VERTICAL_BITS: u32 = 12;
const SUM_BITS: u32 = 7;
/// Bits shifted off a horizontal sum; and off a sum of four vertical products, beyond the 16 bits
/// that each product already lost.
pub(super) const HORIZONTAL_SHIFT: i32 = (HORIZONTAL_BITS - SUM_BITS) as i32;
pub(super) const VERTICAL_SHIFT: i32 = (SUM_BITS + VERTICAL_BITS) as i32 - 16;
/// Bits shifted off a vertical sum that is not truncated.
pub(super) const VERTICAL_LOST: i32 = (SUM_BITS + VERTICAL_BITS) as i32;
/// The distance between output samples is rounded to 1/65536 of an input sample. The last sample is
/// off by at most a hundredth.
const STEPS: f64 = 65536.0;
/// A sample that the window overlaps by less than this does not count as inside.
const MIN_OVERLAP: f64 = 1e-3;

/// For each output sample, the first input sample (or row) and the weights of it and those after
/// it.
struct Taps {
    request: Request,
    /// Weights per output sample.
    count: usize,
    /// In ascending order. At least `count` input samples follow each start.
    starts: Vec<usize>,
    /// `count` weights per output sample. Their sum is one.
    weights: Vec<i16>,
    #[cfg(target_arch = "x86_64")]
    shuffles: Option<Shuffles>,
}

/// The parameters of [`Taps`]: `size` input samples, of which the interval `from` becomes `to`
/// output samples. Weights have `bits` fractional bits.
#[derive(Clone, Copy, PartialEq)]
struct Request {
    size: usize,
    from: Interval,
    to: usize,
    kernel: Kernel,
    bits: u32,
}

impl Taps {
    /// Samples outside the plane or the window take the value of the nearest sample inside.
    fn new(request: Request) -> Self {
        let Request { size, from, to, kernel, bits } = request;
        let step = (from.length / to as f64 * STEPS).round().max(1.0) / STEPS;
        let scale = step.max(1.0);
        let reach = kernel.reach() * scale;
        let last = size.saturating_sub(1) as i64;
        let low = ((from.start + MIN_OVERLAP).floor() as i64).clamp(0, last);
        let high = ((from.start + from.length - MIN_OVERLAP).ceil() as i64 - 1).clamp(low, last);
        let count = ((2.0 * reach).ceil() as usize).clamp(1, (high - low + 1) as usize);
        let (mut starts, mut weights) = (Vec::with_capacity(to), Vec::with_capacity(to * count));
        let mut row = vec![0.0; count];
        for n in 0..to {
            let center = from.start + (n as f64 + 0.5) * step - 0.5;
            let first = (center - reach).floor() as i64 + 1;
            let start = first.clamp(low, high + 1 - count as i64);
            row.fill(0.0);
            for at in first..first + (2.0 * reach).ceil() as i64 {
                if let Some(held) = row.get_mut((at.clamp(low, high) - start).clamp(0, count as i64 - 1) as usize) {
                    *held += kernel.weight((at as f64 - center) / scale);
                }
            }
            starts.push(start as usize);
            weights.extend(quantized(&row, bits));
        }
        Taps {
            request,
            #[cfg(target_arch = "x86_64")]
            shuffles: (bits == HORIZONTAL_BITS).then(|| Shuffles::new(size, &starts, &weights, count)).flatten(),
            count,
            starts,
            weights,
        }
    }

    /// The range of input samples that are read.
    fn range(&self) -> Range<usize> {
        match (self.starts.first(), self.starts.last()) {
            (Some(first), Some(last)) => *first..*last + self.count,
            _ => 0..0,
        }
    }
}

/// Rounds weights to integers whose sum is exactly one. Each weight absorbs the rounding error of
/// those before it.
fn quantized(weights: &[f64], bits: u32) -> impl Iterator<Item = i16> {
    let unit = f64::from(1 << bits) / weights.iter().sum::<f64>();
    let (mut exact, mut given) = (0.0, 0.0);
    weights.iter().map(move |weight| {
        exact += weight * unit;
        let rounded = (exact - given).round();
        given += rounded;
        rounded as i16
    })
}

/// The cache holds the taps of two windows, and of the small picture and four areas of a backdrop:
/// each horizontal and vertical, for luma and chroma.
const CACHED_TAPS: usize = 4 * 7;

/// Resamples planes. It reuses its buffers and caches the weights of static windows.
#[derive(Default)]
pub(crate) struct Resampler {
    taps: VecDeque<Rc<Taps>>,
    /// A ring of the last rows after horizontal resampling, the input of vertical resampling.
    ring: Vec<i16>,
    sums: Vec<i32>,
}

impl Resampler {
    /// Fills `to` with the window of `from`, whose horizontal and vertical intervals may be
    /// fractional. Outside the plane, and outside the window, the edge samples repeat.
    ///
    /// Does nothing if a window is empty or not finite, or a plane's slice is too short.
    pub(crate) fn resample(&mut self, from: Plane<'_>, window: (Interval, Interval), to: &mut PlaneMut<'_>, kernel: Kernel) {
        let holds = |samples: usize, stride: usize, width: usize, height: usize| {
            width > 0 && height > 0 && width <= stride && samples >= stride * (height - 1) + width
        };
        let valid = |interval: Interval| interval.start.is_finite() && interval.length.is_finite() && interval.length > 0.0;
        let readable = holds(from.samples.len(), from.stride, from.width, from.height);
        let writable = holds(to.samples.len(), to.stride, to.width, to.height);
        if !(readable && writable && valid(window.0) && valid(window.1)) {
            return;
        }
        let columns = self.taps(Request { size: from.width, from: window.0, to: to.width, kernel, bits: HORIZONTAL_BITS });
        let rows = self.taps(Request { size: from.height, from: window.1, to: to.height, kernel, bits: VERTICAL_BITS });
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor supports the target feature, as just checked.
            unsafe { self.filter_avx2(from, &columns, &rows, to) };
            return;
        }
        self.filter(&rows, to, |y, sums| horizontal(from.line(y), &columns, sums), vertical);
    }

    fn taps(&mut self, request: Request) -> Rc<Taps> {
        let kept = self.taps.iter().position(|taps| taps.request == request).and_then(|at| self.taps.remove(at));
        let taps = kept.unwrap_or_else(|| Rc::new(Taps::new(request)));
        self.taps.truncate(CACHED_TAPS - 1);
        self.taps.push_front(taps.clone());
        taps
    }

    /// [`Resampler::filter`], compiled for AVX2 (processors from 2013 on).
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn filter_avx2(&mut self, from: Plane<'_>, columns: &Taps, rows: &Taps, to: &mut PlaneMut<'_>) {
        use super::avx2;
        let seen = columns.range();
        let last = rows.range().end - 1;
        let horizontal = |y: usize, sums: &mut [i16]| {
            avx2::prefetch(&from.line((y + PREFETCH_ROWS).min(last))[seen.clone()]);
            match &columns.shuffles {
                Some(shuffles) => shuffles.filter(from.line(y), sums),
                None => horizontal(from.line(y), columns, sums),
            }
        };
        let vertical = |lines: &Ring<'_>, weights: &[i16], sums: &mut [i32], target: &mut [u8]| {
            let made = match *weights {
                [a, b, c, d] => avx2::vertical_four(std::array::from_fn(|n| lines.line(n)), [a, b, c, d], target),
                _ => avx2::vertical_many(|n| lines.line(n), weights, target),
            };
            vertical(&Ring { from: made, ..*lines }, weights, &mut sums[made..], &mut target[made..]);
        };
        self.filter(rows, to, horizontal, vertical);
    }

    /// Resamples each row horizontally, then the rows vertically.
    ///
    /// Both planes must be non-empty and hold their rows, and the taps must be made for them.
    #[inline(always)]
    fn filter(
        &mut self,
        rows: &Taps,
        to: &mut PlaneMut<'_>,
        horizontal: impl Fn(usize, &mut [i16]),
        vertical: impl Fn(&Ring<'_>, &[i16], &mut [i32], &mut [u8]),
    ) {
        let (kept, width) = (rows.count.next_power_of_two(), to.width);
        self.ring.resize(kept * width, 0);
        self.sums.resize(width, 0);
        let mut targets = to.samples.chunks_mut(to.stride).zip(rows.starts.iter().zip(rows.weights.chunks_exact(rows.count))).peekable();
        for y in rows.range() {
            horizontal(y, &mut self.ring[y % kept * width..][..width]);
            while let Some((target, (start, weights))) = targets.next_if(|(_, (start, _))| **start + rows.count <= y + 1) {
                let lines = Ring { sums: &self.ring, kept, width, start: *start, from: 0 };
                vertical(&lines, weights, &mut self.sums, &mut target[..width]);
            }
        }
    }
}

/// The horizontally resampled rows that one output row is computed from.
#[derive(Clone, Copy)]
struct Ring<'a> {
    sums: &'a [i16],
    kept: usize,
    width: usize,
    start: usize,
    /// The first column to compute.
    from: usize,
}

impl<'a> Ring<'a> {
    #[inline(always)]
    fn line(&self, n: usize) -> &'a [i16] {
        &self.sums[(self.start + n) % self.kept * self.width..][self.from..self.width]
    }
}

/// Resamples one row. Each sum has [`SUM_BITS`] fractional bits.
#[inline(always)]
fn horizontal(line: &[u8], taps: &Taps, sums: &mut [i16]) {
    #[inline(always)]
    fn filter(samples: &[u8], weights: &[i16]) -> i16 {
        let sum: i32 = samples.iter().zip(weights).map(|(sample, weight)| i32::from(*sample) * i32::from(*weight)).sum();
        (sum >> HORIZONTAL_SHIFT).clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }
    let all = sums.iter_mut().zip(&taps.starts);
    // Four weights are the common case and are unrolled.
    if taps.count == 4 {
        for ((sum, start), weights) in all.zip(taps.weights.as_chunks::<4>().0) {
            if let Some(samples) = line[*start..].first_chunk::<4>() {
                *sum = filter(samples, weights);
            }
        }
    } else {
        for ((sum, start), weights) in all.zip(taps.weights.chunks_exact(taps.count)) {
            *sum = filter(&line[*start..], weights);
        }
    }
}

/// The rounding term of a sum of four truncated products: half of what the truncation lost, plus
/// half of the unit of the three remaining bits.
pub(super) const VERTICAL_ROUNDING: i16 = 5;

#[inline(always)]
fn vertical(lines: &Ring<'_>, weights: &[i16], sums: &mut [i32], target: &mut [u8]) {
    if let [a, b, c, d] = *weights {
        let high = |sample: i16, weight: i16| ((i32::from(sample) * i32::from(weight)) >> 16) as i16;
        let lines = lines.line(0).iter().zip(lines.line(1)).zip(lines.line(2)).zip(lines.line(3));
        for (target, (((p, q), r), s)) in target.iter_mut().zip(lines) {
            let (upper, lower) = (high(*p, a).wrapping_add(high(*q, b)), high(*r, c).wrapping_add(high(*s, d)));
            *target = (upper.wrapping_add(lower).wrapping_add(VERTICAL_ROUNDING) >> VERTICAL_SHIFT).clamp(0, 255) as u8;
        }
        return;
    }
    sums.fill(1 << (VERTICAL_LOST - 1));
    for (n, weight) in weights.iter().enumerate() {
        for (sum, sample) in sums.iter_mut().zip(lines.line(n)) {
            *sum += i32::from(*sample) * i32::from(*weight);
        }
    }
    for (target, sum) in target.iter_mut().zip(sums) {
        *target = (*sum >> VERTICAL_LOST).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
#[path = "resample_tests.rs"]
mod tests;
