//! The camera path: the shortest path within bounds, smoothed to limit its acceleration and jerk.
//!
//! The shortest path within time-varying bounds is static as long as possible and else moves at
//! constant speed; no other path has a lower maximum speed. A moving average over [`SPEED_WINDOW`]
//! turns each corner into a piece of constant acceleration, as in the piecewise constant, linear
//! and parabolic camera paths of Grundmann, Kwatra and Essa, "Auto-directed video stabilization
//! with robust L1 optimal camera paths" (CVPR 2011). A second moving average over
//! [`ACCELERATION_WINDOW`] limits the jerk.
//!
//! The average over T seconds of a path with a speed of at most v has an acceleration of at most 2
//! v / T. The average of that over S seconds has a jerk of at most 4 v / (T S). These bounds hold
//! for every input.

/// Substeps per step of the smoothed path. A substep lasts 0.02 s, one frame at 50 frames per
/// second.
pub(super) const SUBSTEPS: usize = 5;
/// The window of the first average in substeps: 1.02 s. It is odd, so that it is symmetric.
const SPEED_WINDOW: usize = 51;
/// The window of the second average in substeps: 0.5 s.
const ACCELERATION_WINDOW: usize = 25;

/// The maximum acceleration of a smoothed path, in units per second squared, if the path before
/// smoothing has a speed of at most `speed` units per second.
#[cfg(test)]
pub(super) fn max_acceleration(speed: f64) -> f64 {
    2.0 * speed / (SPEED_WINDOW as f64 * super::STEP / SUBSTEPS as f64)
}

/// The shortest path within bounds (lower, upper) per step, with free ends. It has the fewest
/// direction changes and the lowest maximum speed of all paths within the bounds.
pub(super) fn shortest_path(bounds: &[(f64, f64)]) -> Vec<f64> {
    let Some(&(mut least, mut most)) = bounds.first() else { return Vec::new() };
    // The path starts static while one position satisfies all bounds. It starts at the bound that
    // it leaves later.
    let mut start = None;
    for &(lower, upper) in bounds {
        if lower > most {
            start = Some(most);
            break;
        }
        if upper < least {
            start = Some(least);
            break;
        }
        (least, most) = (least.max(lower), most.min(upper));
    }
    let Some(start) = start else { return vec![(least + most) / 2.0; bounds.len()] };

    let mut path = vec![start];
    while path.len() < bounds.len() {
        let from = path.len() - 1;
        let (next, value) = next_segment(bounds, from, path[from]);
        let slope = (value - path[from]) / (next - from) as f64;
        let base = path[from];
        path.extend((1..=next - from).map(|n| base + slope * n as f64));
    }
    path
}

/// The end (step, value) of the straight segment that starts at step `from` with `value`: the next
/// step where the shortest path touches a bound.
fn next_segment(bounds: &[(f64, f64)], from: usize, value: f64) -> (usize, f64) {
    // The range of feasible slopes shrinks with each step. When a new bound lies outside the range,
    // the path turns at the step that set the exceeded limit.
    let (mut low, mut high) = ((f64::NEG_INFINITY, from + 1), (f64::INFINITY, from + 1));
    for (n, &(lower, upper)) in bounds.iter().enumerate().skip(from + 1) {
        let slope = |bound: f64| (bound - value) / (n - from) as f64;
        if slope(lower) > high.0 {
            return (high.1, bounds[high.1].1);
        }
        if slope(upper) < low.0 {
            return (low.1, bounds[low.1].0);
        }
        // For equal slopes, the later step gives longer segments.
        if slope(lower) >= low.0 {
            low = (slope(lower), n);
        }
        if slope(upper) <= high.0 {
            high = (slope(upper), n);
        }
    }
    // The segment reaches the end. The end is free, so the flattest feasible slope is the best.
    let last = bounds.len() - 1;
    let slope = 0.0_f64.clamp(low.0, high.0);
    if slope == 0.0 {
        return (last, value);
    }
    // The path moves to the step that set the limit and is static after it.
    let at = if slope > 0.0 { low.1 } else { high.1 };
    (at, value + slope * (at - from) as f64)
}

/// Smooths a path with one value per [`STEP`]. The result has one value per substep. The path is
/// extended beyond its ends by point reflection, so that constant speed stays constant.
pub(super) fn smoothed(path: &[f64]) -> Vec<f64> {
    let fine: Vec<f64> = match path {
        [] | [_] => path.to_vec(),
        [.., last] => {
            let pieces = path.windows(2).flat_map(|pair| {
                let (from, to) = (pair[0], pair[1]);
                (0..SUBSTEPS).map(move |n| from + (to - from) * n as f64 / SUBSTEPS as f64)
            });
            pieces.chain([*last]).collect()
        }
    };
    let Some(last) = fine.len().checked_sub(1).map(|last| last as isize) else { return fine };
    let value = |n: isize| -> f64 {
        let at = |n: isize| fine[n.clamp(0, last) as usize];
        if n < 0 {
            2.0 * at(0) - at(-n)
        } else if n > last {
            2.0 * at(last) - at(2 * last - n)
        } else {
            at(n)
        }
    };
    let reach = (SPEED_WINDOW / 2 + ACCELERATION_WINDOW / 2) as isize;
    let longer: Vec<f64> = (-reach..=last + reach).map(value).collect();
    moving_average(&moving_average(&longer, SPEED_WINDOW), ACCELERATION_WINDOW)
}

/// The moving average over `count` values, `count - 1` values shorter than the input. Constant
/// input stays exactly constant.
fn moving_average(values: &[f64], count: usize) -> Vec<f64> {
    let mean = |part: &[f64]| {
        // Averaging differences from the first value avoids rounding errors for equal values.
        let first = part.first().copied().unwrap_or(0.0);
        first + part.iter().map(|value| value - first).sum::<f64>() / count as f64
    };
    values.windows(count).map(mean).collect()
}
