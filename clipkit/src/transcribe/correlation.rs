//! Cross-correlation of two long signals by the fast Fourier transform.

use std::f64::consts::TAU;

/// The cross-correlation of two signals: at index `b.len() - 1 + lag` the sum of
/// `a[t + lag] * b[t]` over all `t`, for each lag from `1 - b.len()` to `a.len() - 1`. Empty if a
/// signal is empty.
///
/// The product of two real spectra comes from one transform: the square of `F(a + i b)` has twice
/// the convolution of `a` and `b` as its imaginary part.
pub(super) fn cross_correlation(a: &[f64], b: &[f64]) -> Vec<f64> {
    if a.is_empty() || b.is_empty() {
        return Vec::new();
    }
    let length = a.len() + b.len() - 1;
    let size = length.next_power_of_two();
    let (mut re, mut im) = (vec![0.0; size], vec![0.0; size]);
    re[..a.len()].copy_from_slice(a);
    // Convolution with the reversed signal is correlation.
    im.iter_mut().zip(b.iter().rev()).for_each(|(place, sample)| *place = *sample);
    transform(&mut re, &mut im);
    for (re, im) in re.iter_mut().zip(&mut im) {
        (*re, *im) = (*re * *re - *im * *im, 2.0 * *re * *im);
    }
    // The inverse transform is the forward one with real and imaginary parts exchanged.
    transform(&mut im, &mut re);
    im.truncate(length);
    im.iter_mut().for_each(|value| *value /= 2.0 * size as f64);
    im
}

/// The discrete Fourier transform in place, by Cooley and Tukey with radix 2. The length is a power
/// of two.
fn transform(re: &mut [f64], im: &mut [f64]) {
    let size = re.len();
    if size < 2 {
        return;
    }
    let unused = usize::BITS - size.trailing_zeros();
    for n in 0..size {
        let other = n.reverse_bits() >> unused;
        if n < other {
            re.swap(n, other);
            im.swap(n, other);
        }
    }
    let turns: Vec<(f64, f64)> = (0..size / 2).map(|n| (-TAU * n as f64 / size as f64).sin_cos()).collect();
    let mut half = 1;
    while half < size {
        let stride = size / (2 * half);
        for start in (0..size).step_by(2 * half) {
            for n in 0..half {
                let (sin, cos) = turns[n * stride];
                let (low, high) = (start + n, start + n + half);
                let (x, y) = (re[high] * cos - im[high] * sin, re[high] * sin + im[high] * cos);
                (re[high], im[high]) = (re[low] - x, im[low] - y);
                (re[low], im[low]) = (re[low] + x, im[low] + y);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_definition(a: &[f64], b: &[f64]) -> Vec<f64> {
        let lags = (1 - b.len() as i64)..a.len() as i64;
        let at = |index: i64| usize::try_from(index).ok().and_then(|index| a.get(index)).copied().unwrap_or(0.0);
        lags.map(|lag| b.iter().zip(0..).map(|(sample, t)| at(t + lag) * sample).sum()).collect()
    }

    proptest! {
        #[test]
        fn the_fast_way_gives_what_the_definition_gives(
            a in prop::collection::vec(-1.0..1.0f64, 0..70),
            b in prop::collection::vec(-1.0..1.0f64, 0..70),
        ) {
            let found = cross_correlation(&a, &b);
            if a.is_empty() || b.is_empty() {
                prop_assert!(found.is_empty());
            } else {
                let exact = by_definition(&a, &b);
                prop_assert_eq!(found.len(), exact.len());
                prop_assert!(found.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-9), "{:?} {:?}", found, exact);
            }
        }
    }
}
