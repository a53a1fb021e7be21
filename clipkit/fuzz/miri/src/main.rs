//! The resampler on small planes: each kernel, odd sizes, windows beyond the edges. Rows end where
//! their memory ends, so that a read behind them is found.

#![allow(dead_code)]

#[cfg(target_arch = "x86_64")]
#[path = "../../../src/av/avx2.rs"]
mod avx2;
#[path = "../../../src/av/resample.rs"]
mod resample;

use resample::{Interval, Kernel, Plane, PlaneMut, Resampler};

fn main() {
    #[cfg(target_arch = "x86_64")]
    println!("AVX2: {}", std::arch::is_x86_feature_detected!("avx2"));
    let mut count = 0;
    for kernel in [Kernel::Bicubic, Kernel::BSpline, Kernel::Triangle] {
        for (width, height) in [(1, 1), (15, 3), (16, 4), (33, 7), (64, 5)] {
            for (to_width, to_height) in [(1, 1), (8, 2), (31, 4), (32, 5), (65, 9)] {
                for (start, part) in [(0.0, 1.0), (0.3, 0.5), (-4.5, 2.0), (0.9, 3.0)] {
                    check(kernel, (width, height), (to_width, to_height), start, part);
                    count += 1;
                }
            }
        }
    }
    println!("{count} windows are read and written inside their planes");
}

/// A plane of one value stays one, whatever the window.
fn check(kernel: Kernel, (width, height): (usize, usize), (to_width, to_height): (usize, usize), start: f64, part: f64) {
    let samples = vec![77; width * height];
    let mut made = vec![0; to_width * to_height];
    let mut to = PlaneMut { samples: &mut made, stride: to_width, width: to_width, height: to_height };
    let interval = |size: usize| Interval { start: start * size as f64, length: part * size as f64 };
    let from = Plane { samples: &samples, stride: width, width, height };
    Resampler::default().resample(from, (interval(width), interval(height)), &mut to, kernel);
    assert!(made.iter().all(|sample| *sample == 77), "{kernel:?} {width}x{height} to {to_width}x{to_height} at {start} by {part}: {made:?}");
}
