use super::*;
use proptest::prelude::*;

/// Resamples a window of a plane whose samples `paint` computes.
fn resampled(
    (width, height): (usize, usize),
    paint: impl Fn(usize, usize) -> u8,
    window: (f64, f64, f64, f64),
    (to_width, to_height): (usize, usize),
    kernel: Kernel,
) -> Vec<u8> {
    let stride = width + 3;
    let samples: Vec<u8> = (0..stride * height).map(|at| if at % stride < width { paint(at % stride, at / stride) } else { 255 }).collect();
    let mut made = vec![0; to_width * to_height];
    let mut to = PlaneMut { samples: &mut made, stride: to_width, width: to_width, height: to_height };
    let intervals = (Interval { start: window.0, length: window.2 }, Interval { start: window.1, length: window.3 });
    Resampler::default().resample(Plane { samples: &samples, stride, width, height }, intervals, &mut to, kernel);
    made
}

#[test]
fn every_kernel_keeps_an_even_plane_even() {
    for kernel in [Kernel::Bicubic, Kernel::BSpline, Kernel::Triangle] {
        for to in [(40, 30), (7, 5), (1, 1)] {
            let made = resampled((20, 15), |_, _| 77, (1.3, 0.2, 17.0, 14.5), to, kernel);
            assert!(made.iter().all(|sample| *sample == 77), "{kernel:?} {to:?}");
        }
    }
}

#[test]
fn a_window_of_the_same_size_copies_the_plane() {
    let paint = |x: usize, y: usize| (x * 37 + y * 91) as u8;
    let made = resampled((19, 23), paint, (0.0, 0.0, 19.0, 23.0), (19, 23), Kernel::Bicubic);
    assert!(made.iter().enumerate().all(|(at, sample)| *sample == paint(at % 19, at / 19)));
}

/// The resampled plane by the formula, in floating point.
fn exact(plane: Plane<'_>, (vertical, down): (Interval, Interval), (width, height): (usize, usize), kernel: Kernel) -> Vec<f64> {
    let weights = |size: usize, from: Interval, to: usize, n: usize| {
        let step = from.length / to as f64;
        let (center, wide) = (from.start + (n as f64 + 0.5) * step - 0.5, step.max(1.0));
        let all: Vec<(usize, f64)> = (-200..400)
            .map(|at: i64| {
                (
                    at.clamp(from.start as i64, (from.start + from.length).ceil().min(size as f64) as i64 - 1) as usize,
                    kernel.weight((at as f64 - center) / wide),
                )
            })
            .filter(|(_, weight)| *weight != 0.0)
            .collect();
        let sum: f64 = all.iter().map(|(_, weight)| weight).sum();
        all.into_iter().map(move |(at, weight)| (at, weight / sum)).collect::<Vec<_>>()
    };
    let indices = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let value = |(x, y)| {
        let columns = weights(plane.width, vertical, width, x);
        let sample = |x: &usize, y: usize| f64::from(plane.samples[y * plane.stride + x]);
        // Intermediate rows are limited to white.
        let row = |y: usize| columns.iter().map(|(x, weight)| sample(x, y) * weight).sum::<f64>().min(255.99);
        weights(plane.height, down, height, y).into_iter().map(|(y, weight)| row(y) * weight).sum::<f64>().clamp(0.0, 255.0)
    };
    indices.map(value).collect()
}

#[test]
fn all_code_paths_give_the_result_of_the_formula() {
    let samples: Vec<u8> = (0..64 * 48).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let from = Plane { samples: &samples, stride: 64, width: 64, height: 48 };
    let window = (Interval { start: 3.7, length: 57.9 }, Interval { start: 0.2, length: 47.0 });
    for kernel in [Kernel::Bicubic, Kernel::BSpline, Kernel::Triangle] {
        // Upscaling, slight downscaling and strong downscaling.
        for size in [(101, 77), (53, 41), (35, 28), (30, 25), (17, 12), (13, 9), (8, 1), (3, 2)] {
            let wanted = exact(from, window, size, kernel);
            let fits = |made: &[u8], what: &str| {
                let off = made.iter().zip(&wanted).map(|(made, wanted)| (f64::from(*made) - wanted).abs()).fold(0.0, f64::max);
                assert!(off < 1.0, "{kernel:?} {size:?}, {what}: {off} beside it");
            };
            let mut made = vec![0; size.0 * size.1];
            let mut to = PlaneMut { samples: &mut made, stride: size.0, width: size.0, height: size.1 };
            Resampler::default().resample(from, window, &mut to, kernel);
            fits(&made, "this processor");
            let columns = Taps::new(Request { size: 64, from: window.0, to: size.0, kernel, bits: HORIZONTAL_BITS });
            let rows = Taps::new(Request { size: 48, from: window.1, to: size.1, kernel, bits: VERTICAL_BITS });
            let best = made.clone();
            let mut to = PlaneMut { samples: &mut made, stride: size.0, width: size.0, height: size.1 };
            Resampler::default().filter(&rows, &mut to, |y, sums| horizontal(from.line(y), &columns, sums), vertical);
            fits(&made, "any processor");
            assert_eq!(best, made, "{kernel:?} {size:?}");
        }
    }
}

#[test]
fn weights_of_a_static_window_are_cached() {
    let mut resampler = Resampler::default();
    let request =
        |start: f64| Request { size: 9, from: Interval { start, length: 5.0 }, to: 7, kernel: Kernel::Bicubic, bits: HORIZONTAL_BITS };
    let first = resampler.taps(request(0.0));
    for start in 1..CACHED_TAPS {
        resampler.taps(request(start as f64));
    }
    assert!(Rc::ptr_eq(&first, &resampler.taps(request(0.0))));
    for start in 1..=2 * CACHED_TAPS {
        resampler.taps(request(start as f64));
    }
    assert!(!Rc::ptr_eq(&first, &resampler.taps(request(0.0))) && resampler.taps.len() == CACHED_TAPS);
}

proptest! {
    /// A ramp stays a ramp, and moves by exactly as much as the window.
    #[test]
    fn a_ramp_is_read_where_the_window_lies(start in 10.0..20.0_f64, length in 20.0..60.0_f64, to in 10..200_usize) {
        let made = resampled((100, 4), |x, _| (2 * x + 20) as u8, (start, 0.0, length, 4.0), (to, 4), Kernel::Bicubic);
        for (n, sample) in made[..to].iter().enumerate() {
            let expected = 2.0 * (start + (n as f64 + 0.5) * length / to as f64 - 0.5) + 20.0;
            prop_assert!((f64::from(*sample) - expected).abs() <= 1.0, "{} is not {}", sample, expected);
        }
    }

    #[test]
    fn any_window_is_accepted(start in -50.0..150.0_f64, length in 1e-9..400.0_f64, width in 1..30_usize, to in 1..40_usize) {
        resampled((width, 3), |x, _| x as u8, (start, -start, length, length / 7.0), (to, 5), Kernel::Bicubic);
    }
}

#[test]
fn an_invalid_window_changes_nothing() {
    for window in [(f64::NAN, 0.0, 5.0, 5.0), (0.0, 0.0, 0.0, 5.0), (0.0, 0.0, 5.0, -1.0), (0.0, f64::INFINITY, 5.0, 5.0)] {
        assert_eq!(resampled((10, 10), |_, _| 9, window, (4, 4), Kernel::Bicubic), [0; 16]);
    }
}
