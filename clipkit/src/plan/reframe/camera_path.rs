//! The camera's hand: the calmest way through bounds, and how it speeds up and slows down.
//!
//! The shortest way through bounds over time, a taut string, stands as long as it can and moves evenly where it must, and no way is slower
//! where it is fastest. Averaging it over [`EASE`] seconds turns each of its corners into a piece of even acceleration, as in the
//! piecewise constant, linear and parabolic camera paths of Grundmann, Kwatra and Essa, "Auto-directed video stabilization with robust L1
//! optimal camera paths" (2011); averaging again over [`SOFTEN`] seconds lets the acceleration itself come and go evenly. The mean of a way
//! no faster than v over T seconds accelerates by at most 2 v / T, and its mean over S seconds changes that by at most 4 v / (T S) a second:
//! the bounds hold for every input.

/// Pieces that a step is cut into for the eased way: 0.02 s, a frame at 50 a second.
pub(super) const FINE: usize = 5;
/// Over how many fine steps a change of speed is spread (odd, so that it is spread to both sides alike): 1.02 s.
const EASE: usize = 51;
/// Over how many fine steps a change of acceleration is spread: 0.5 s.
const SOFTEN: usize = 25;

/// The greatest acceleration, in units a second squared, of an eased way that was nowhere faster than `speed` units a second.
#[cfg(test)]
pub(super) fn greatest_acceleration(speed: f64) -> f64 {
    2.0 * speed / (EASE as f64 * super::STEP / FINE as f64)
}

/// The shortest way through a tube of bounds, with free ends (a taut string): it stands as long as it can and goes straight where it
/// must move, with the fewest turns and the least speed of all ways through.
pub(super) fn taut(tube: &[(f64, f64)]) -> Vec<f64> {
    let Some(&(mut least, mut most)) = tube.first() else { return Vec::new() };
    // The first stretch stands as long as one place fits all of it, at the side from which the way goes on.
    let mut start = None;
    for &(lower, upper) in tube {
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
    let Some(start) = start else { return vec![(least + most) / 2.0; tube.len()] };

    let mut way = vec![start];
    while way.len() < tube.len() {
        let from = way.len() - 1;
        let (next, value) = furthest(tube, from, way[from]);
        let slope = (value - way[from]) / (next - from) as f64;
        let base = way[from];
        way.extend((1..=next - from).map(|n| base + slope * n as f64));
    }
    way
}

/// The end of the straight piece of the shortest way that begins at `from` in `value`: the next point where the way touches the tube.
fn furthest(tube: &[(f64, f64)], from: usize, value: f64) -> (usize, f64) {
    // The slopes that stay inside narrow with each step; the way bends at the point that set the limit which is passed.
    let (mut low, mut high) = ((f64::NEG_INFINITY, from + 1), (f64::INFINITY, from + 1));
    for (n, &(lower, upper)) in tube.iter().enumerate().skip(from + 1) {
        let slope = |bound: f64| (bound - value) / (n - from) as f64;
        if slope(lower) > high.0 {
            return (high.1, tube[high.1].1);
        }
        if slope(upper) < low.0 {
            return (low.1, tube[low.1].0);
        }
        // At equal slopes the later point, so that pieces are long.
        if slope(lower) >= low.0 {
            low = (slope(lower), n);
        }
        if slope(upper) <= high.0 {
            high = (slope(upper), n);
        }
    }
    // To the end, as level as the limits allow: standing is best, and the end is free.
    let last = tube.len() - 1;
    let slope = 0.0_f64.clamp(low.0, high.0);
    if slope == 0.0 {
        return (last, value);
    }
    // It moves on to the limit's point and stands from there.
    let at = if slope > 0.0 { low.1 } else { high.1 };
    (at, value + slope * (at - from) as f64)
}

/// A way of points [`STEP`] apart, eased, at points a fine step apart. Beyond its ends it is taken to go on as it came, so that even motion
/// stays even.
pub(super) fn eased(way: &[f64]) -> Vec<f64> {
    let fine: Vec<f64> = match way {
        [] | [_] => way.to_vec(),
        [.., last] => {
            let pieces = way.windows(2).flat_map(|pair| {
                let (from, to) = (pair[0], pair[1]);
                (0..FINE).map(move |n| from + (to - from) * n as f64 / FINE as f64)
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
    let reach = (EASE / 2 + SOFTEN / 2) as isize;
    let longer: Vec<f64> = (-reach..=last + reach).map(value).collect();
    averaged(&averaged(&longer, EASE), SOFTEN)
}

/// The means of each `count` neighbours; `count - 1` fewer than the values. What is even stays exactly as it is.
fn averaged(values: &[f64], count: usize) -> Vec<f64> {
    let mean = |part: &[f64]| {
        // From the first value, so that equal ones have themselves as their mean whatever the rounding.
        let first = part.first().copied().unwrap_or(0.0);
        first + part.iter().map(|value| value - first).sum::<f64>() / count as f64
    };
    values.windows(count).map(mean).collect()
}
