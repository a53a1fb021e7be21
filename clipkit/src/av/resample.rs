//! Making a window of a plane of samples larger or smaller, to a fraction of a sample.
//!
//! swscale starts a window on whole samples only (every second one where colour is stored for pairs), so a slow pan would judder. The crate
//! `fast_image_resize` takes fractional windows, but needs many times as long for single planes of bytes (8.5 ms against 0.6 ms for 608x1080
//! to 1080x1920, 4:2:0, on one core).
//!
//! Where a window lies on whole samples, 99.98 of a hundred samples are as swscale makes them and the others are one off.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

#[cfg(target_arch = "x86_64")]
use super::shuffle::Shuffles;

/// 0.6, as swscale has it: weights for the usual enlargements lie halfway between two whole numbers, and this decides which.
const SHARP: f64 = 10_066_329.0 / 16_777_216.0;

/// What weighs the samples around a place. Symmetric; stretched where the result is smaller than the window, so that nothing flickers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// The cubic that swscale calls bicubic (B = 0, C = 0.6 in Mitchell and Netravali's family): sharp.
    Sharp,
    /// The cubic B-spline (B = 1, C = 0): smooth to the second derivative, for enlarging what is meant to be blurred.
    Smooth,
    /// A triangle: for making much smaller.
    Mean,
}

impl Kernel {
    /// How far it reaches, in samples.
    fn reach(self) -> f64 {
        if self == Kernel::Mean { 1.0 } else { 2.0 }
    }

    /// Mitchell and Netravali, "Reconstruction filters in computer graphics" (1988), equation 8.
    fn weight(self, away: f64) -> f64 {
        let x = away.abs();
        let (b, c) = match self {
            Kernel::Sharp => (0.0, SHARP),
            Kernel::Smooth => (1.0, 0.0),
            Kernel::Mean => return (1.0 - x).max(0.0),
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

/// A stretch of a row or column: where it starts and how long it is, in samples from the plane's edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) start: f64,
    pub(crate) length: f64,
}

/// A plane of bytes to read: rows of `width`, `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Plane<'a> {
    pub(crate) samples: &'a [u8],
    pub(crate) stride: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl<'a> Plane<'a> {
    /// One of its rows.
    #[inline(always)]
    fn line(&self, y: usize) -> &'a [u8] {
        &self.samples[y * self.stride..][..self.width]
    }
}

/// A part of a plane to write: rows of `width`, `stride` apart.
pub(crate) struct PlaneMut<'a> {
    pub(crate) samples: &'a mut [u8],
    pub(crate) stride: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// A row is asked for while the one so many before it is weighed.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 3;
/// Bits of a weight behind the point, along rows and across them; and of a sample in between. All arithmetic is as swscale does it for bytes
/// on x86-64, so that a window on whole samples gets the picture that an `ffmpeg` command gives.
const ALONG_BITS: u32 = 14;
const ACROSS_BITS: u32 = 12;
const FINE_BITS: u32 = 7;
/// Bits that are cut off a sum along a row; and, beyond the sixteen that each product loses, off one of four rows.
pub(super) const ALONG_LOST: i32 = (ALONG_BITS - FINE_BITS) as i32;
pub(super) const FOUR_LOST: i32 = (FINE_BITS + ACROSS_BITS) as i32 - 16;
/// From one sample of the result to the next, a whole number of these parts of a sample are passed. The last one is off by a hundredth.
const STEPS: f64 = 65536.0;
/// A window that overlaps a sample by less does not touch it.
const TOUCH: f64 = 1e-3;

/// Which samples of a row, or rows of a plane, make each sample of the result, and their weights.
struct Taps {
    made_for: Request,
    /// Weights a sample of the result.
    count: usize,
    /// In ascending order; each is followed by `count` samples at least.
    starts: Vec<usize>,
    /// Those of each sample of the result are one together.
    weights: Vec<i16>,
    #[cfg(target_arch = "x86_64")]
    shuffles: Option<Shuffles>,
}

/// What decides the taps: `size` samples are there, of which a stretch becomes `to`. Weights have `bits` behind the point.
#[derive(Clone, Copy, PartialEq)]
struct Request {
    size: usize,
    from: Stretch,
    to: usize,
    kernel: Kernel,
    bits: u32,
}

impl Taps {
    /// Samples beyond the edge of the plane, or that the window does not touch, are taken to be like the next one that it does.
    fn new(request: Request) -> Self {
        let Request { size, from, to, kernel, bits } = request;
        let step = (from.length / to as f64 * STEPS).round().max(1.0) / STEPS;
        let stretched = step.max(1.0);
        let reach = kernel.reach() * stretched;
        let last = size.saturating_sub(1) as i64;
        let low = ((from.start + TOUCH).floor() as i64).clamp(0, last);
        let high = ((from.start + from.length - TOUCH).ceil() as i64 - 1).clamp(low, last);
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
                    *held += kernel.weight((at as f64 - center) / stretched);
                }
            }
            starts.push(start as usize);
            weights.extend(whole(&row, bits));
        }
        Taps {
            made_for: request,
            #[cfg(target_arch = "x86_64")]
            shuffles: (bits == ALONG_BITS).then(|| Shuffles::new(size, &starts, &weights, count)).flatten(),
            count,
            starts,
            weights,
        }
    }

    /// The samples that are read at all.
    fn range(&self) -> Range<usize> {
        match (self.starts.first(), self.starts.last()) {
            (Some(first), Some(last)) => *first..*last + self.count,
            _ => 0..0,
        }
    }
}

/// Weights as whole numbers that are one together: each takes what rounding those before it left.
fn whole(weights: &[f64], bits: u32) -> impl Iterator<Item = i16> {
    let unit = f64::from(1 << bits) / weights.iter().sum::<f64>();
    let (mut exact, mut given) = (0.0, 0.0);
    weights.iter().map(move |weight| {
        exact += weight * unit;
        let rounded = (exact - given).round();
        given += rounded;
        rounded as i16
    })
}

/// Taps are kept for two windows, and for the small picture and the four areas of a backdrop: each along and across, in brightness and colour.
const KEPT: usize = 4 * 7;

/// Resamples planes. It keeps its memory from one to the next, and the weights of windows that stand.
#[derive(Default)]
pub(crate) struct Resampler {
    taps: VecDeque<Rc<Taps>>,
    /// The last rows that were weighed along, for weighing across.
    ring: Vec<i16>,
    sums: Vec<i32>,
}

impl Resampler {
    /// Fills `to` with the window of `from` that starts and ends at fractions of samples. A window that leaves the plane sees its
    /// edge go on, and nothing beyond its own is seen.
    pub(crate) fn resample(&mut self, from: Plane<'_>, window: (Stretch, Stretch), to: &mut PlaneMut<'_>, kernel: Kernel) {
        let holds = |samples: usize, stride: usize, width: usize, height: usize| {
            width > 0 && height > 0 && width <= stride && samples >= stride * (height - 1) + width
        };
        let sound = |stretch: Stretch| stretch.start.is_finite() && stretch.length.is_finite() && stretch.length > 0.0;
        let readable = holds(from.samples.len(), from.stride, from.width, from.height);
        let writable = holds(to.samples.len(), to.stride, to.width, to.height);
        if !(readable && writable && sound(window.0) && sound(window.1)) {
            return;
        }
        let columns = self.taps(Request { size: from.width, from: window.0, to: to.width, kernel, bits: ALONG_BITS });
        let rows = self.taps(Request { size: from.height, from: window.1, to: to.height, kernel, bits: ACROSS_BITS });
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function is compiled for.
            unsafe { self.weigh_avx2(from, &columns, &rows, to) };
            return;
        }
        self.weigh(&rows, to, |y, sums| along(from.line(y), &columns, sums), across);
    }

    fn taps(&mut self, request: Request) -> Rc<Taps> {
        let kept = self.taps.iter().position(|taps| taps.made_for == request).and_then(|at| self.taps.remove(at));
        let taps = kept.unwrap_or_else(|| Rc::new(Taps::new(request)));
        self.taps.truncate(KEPT - 1);
        self.taps.push_front(taps.clone());
        taps
    }

    /// [`Resampler::weigh`], compiled for processors of 2013 and later.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn weigh_avx2(&mut self, from: Plane<'_>, columns: &Taps, rows: &Taps, to: &mut PlaneMut<'_>) {
        use super::shuffle;
        let seen = columns.range();
        let last = rows.range().end - 1;
        let along = |y: usize, sums: &mut [i16]| {
            shuffle::fetch(&from.line((y + AHEAD).min(last))[seen.clone()]);
            match &columns.shuffles {
                Some(shuffles) => shuffles.weigh(from.line(y), sums),
                None => along(from.line(y), columns, sums),
            }
        };
        let across = |lines: &Ring<'_>, weights: &[i16], sums: &mut [i32], target: &mut [u8]| {
            let made = match *weights {
                [a, b, c, d] => shuffle::across_four(std::array::from_fn(|n| lines.line(n)), [a, b, c, d], target),
                _ => 0,
            };
            across(&Ring { from: made, ..*lines }, weights, &mut sums[made..], &mut target[made..]);
        };
        self.weigh(rows, to, along, across);
    }

    /// Along the rows first, one by one, then across them.
    ///
    /// Both planes are not empty and hold their rows; the taps were made for them.
    #[inline(always)]
    fn weigh(
        &mut self,
        rows: &Taps,
        to: &mut PlaneMut<'_>,
        along: impl Fn(usize, &mut [i16]),
        across: impl Fn(&Ring<'_>, &[i16], &mut [i32], &mut [u8]),
    ) {
        let (kept, width) = (rows.count.next_power_of_two(), to.width);
        self.ring.resize(kept * width, 0);
        self.sums.resize(width, 0);
        let mut targets = to.samples.chunks_mut(to.stride).zip(rows.starts.iter().zip(rows.weights.chunks_exact(rows.count))).peekable();
        for y in rows.range() {
            along(y, &mut self.ring[y % kept * width..][..width]);
            while let Some((target, (start, weights))) = targets.next_if(|(_, (start, _))| **start + rows.count <= y + 1) {
                let lines = Ring { sums: &self.ring, kept, width, start: *start, from: 0 };
                across(&lines, weights, &mut self.sums, &mut target[..width]);
            }
        }
    }
}

/// The rows that make one of the result.
#[derive(Clone, Copy)]
struct Ring<'a> {
    sums: &'a [i16],
    kept: usize,
    width: usize,
    start: usize,
    /// The first column that is of interest.
    from: usize,
}

impl<'a> Ring<'a> {
    #[inline(always)]
    fn line(&self, n: usize) -> &'a [i16] {
        &self.sums[(self.start + n) % self.kept * self.width..][self.from..self.width]
    }
}

/// One row: each sum has [`FINE_BITS`].
#[inline(always)]
fn along(line: &[u8], taps: &Taps, sums: &mut [i16]) {
    #[inline(always)]
    fn weigh(samples: &[u8], weights: &[i16]) -> i16 {
        let sum: i32 = samples.iter().zip(weights).map(|(sample, weight)| i32::from(*sample) * i32::from(*weight)).sum();
        (sum >> ALONG_LOST).clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }
    let all = sums.iter_mut().zip(&taps.starts);
    // Four weights, the usual number, are unrolled.
    if taps.count == 4 {
        for ((sum, start), weights) in all.zip(taps.weights.as_chunks::<4>().0) {
            if let Some(samples) = line[*start..].first_chunk::<4>() {
                *sum = weigh(samples, weights);
            }
        }
    } else {
        for ((sum, start), weights) in all.zip(taps.weights.chunks_exact(taps.count)) {
            *sum = weigh(&line[*start..], weights);
        }
    }
}

/// What is added to a sum of four products that each lost the bits below the sixteenth: half of what that took, and half of the unit that
/// three bits more make.
pub(super) const FOUR_ROUNDED: i16 = 5;

#[inline(always)]
fn across(lines: &Ring<'_>, weights: &[i16], sums: &mut [i32], target: &mut [u8]) {
    if let [a, b, c, d] = *weights {
        let high = |sample: i16, weight: i16| ((i32::from(sample) * i32::from(weight)) >> 16) as i16;
        let lines = lines.line(0).iter().zip(lines.line(1)).zip(lines.line(2)).zip(lines.line(3));
        for (target, (((p, q), r), s)) in target.iter_mut().zip(lines) {
            let (upper, lower) = (high(*p, a).wrapping_add(high(*q, b)), high(*r, c).wrapping_add(high(*s, d)));
            *target = (upper.wrapping_add(lower).wrapping_add(FOUR_ROUNDED) >> FOUR_LOST).clamp(0, 255) as u8;
        }
        return;
    }
    let lost = FINE_BITS + ACROSS_BITS;
    sums.fill(1 << (lost - 1));
    for (n, weight) in weights.iter().enumerate() {
        for (sum, sample) in sums.iter_mut().zip(lines.line(n)) {
            *sum += i32::from(*sample) * i32::from(*weight);
        }
    }
    for (target, sum) in target.iter_mut().zip(sums) {
        *target = (*sum >> lost).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
#[path = "resample_tests.rs"]
mod tests;
