//! Pictures of a face as LR-ASD takes them.

use super::super::pixels::luma;
use crate::av::{Luma, Picture, Thumbnailer};
use crate::error::Result;
use crate::model::{FaceSample, Orientation, Rect, Timestamp, VideoStream};

/// The side of a picture, in pixels.
pub(super) const SIDE: usize = 112;
/// Half the side of the square around a face, in units of half the longer side of its box.
const MARGIN: f64 = 1.2;
/// The level outside of the video's picture.
const OUTSIDE: f32 = 110.0;
/// Boxes are medians over this many samples before and after, so that the square does not shake.
const SMOOTHING: usize = 1;

/// The box of a face at a time: linear between samples, whose centres and sizes are smoothed.
/// `None` without samples.
pub(super) fn face_at(samples: &[FaceSample], at: Timestamp) -> Option<Rect> {
    let next = samples.partition_point(|sample| sample.at <= at);
    match (next.checked_sub(1), (next < samples.len()).then_some(next)) {
        (Some(a), Some(b)) => {
            let (from, to) = (samples.get(a)?.at, samples.get(b)?.at);
            let share = at.since(from).secs() / to.since(from).secs().max(f64::MIN_POSITIVE);
            let (a, b) = (smoothed(samples, a), smoothed(samples, b));
            let mix = |a: f64, b: f64| a + (b - a) * share;
            Some(Rect::new(mix(a.x, b.x), mix(a.y, b.y), mix(a.width, b.width), mix(a.height, b.height)))
        }
        (Some(n), None) | (None, Some(n)) => Some(smoothed(samples, n)),
        (None, None) => None,
    }
}

fn smoothed(samples: &[FaceSample], n: usize) -> Rect {
    let near = &samples[n.saturating_sub(SMOOTHING)..(n + SMOOTHING + 1).min(samples.len())];
    let middle = |value: fn(&Rect) -> f64| {
        let mut values: Vec<f64> = near.iter().map(|sample| value(&sample.rect)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (x, y) = (middle(|rect| rect.center().0), middle(|rect| rect.center().1));
    let (width, height) = (middle(|rect| rect.width), middle(|rect| rect.height));
    Rect::new(x - width / 2.0, y - height / 2.0, width, height)
}

/// A video's frame, of which faces are cut out.
pub(super) enum Seen {
    /// As it was decoded. Most formats are read without a copy.
    Frame(Picture),
    /// Scaled, converted and upright: its columns, rows and luma.
    Scaled(usize, usize, Vec<u8>),
}

impl Seen {
    pub(super) fn new(picture: Picture, video: &VideoStream, scaler: &mut Thumbnailer) -> Result<Self> {
        let is_upright = video.orientation == Orientation::default() && scaler.place(&picture) == Rect::FULL;
        if is_upright && picture.is_planar() {
            return Ok(Seen::Frame(picture));
        }
        let image = scaler.image(&picture)?;
        let levels = image.pixels.as_chunks().0.iter().map(|pixel| luma(*pixel).round() as u8).collect();
        Ok(Seen::Scaled(image.columns(), image.rows(), levels))
    }

    /// Appends the luma of the square around a face, 0 to 255, as `SIDE` x `SIDE` samples in
    /// row-major order. `aspect` is the width of the video's picture divided by its height.
    pub(super) fn push_face(&self, face: Rect, aspect: f64, to: &mut Vec<f32>) {
        match self {
            Seen::Frame(picture) => picture.luma().into_iter().for_each(|luma| push(luma, face, aspect, to)),
            Seen::Scaled(columns, rows, levels) => push(Luma::full_range(levels, (*columns, *rows)), face, aspect, to),
        }
    }
}

/// Samples are linear between pixels, and [`OUTSIDE`] beyond the picture.
fn push(luma: Luma<'_>, face: Rect, aspect: f64, to: &mut Vec<f32>) {
    let (width, height) = (luma.plane.width as f64, luma.plane.height as f64);
    // Half of the square's side, in heights of the picture.
    let half = MARGIN * (face.width * aspect).max(face.height) / 2.0;
    let (x, y) = face.center();
    let columns = Axis::new(x * width, half / aspect * width, luma.plane.width);
    let rows = Axis::new(y * height, half * height, luma.plane.height);
    let mut lines = Lines { luma, columns, kept: [(usize::MAX, [0.0; SIDE]); 2] };
    for taps in rows.taps.chunks_exact(rows.points) {
        let mut sums = [0.0; SIDE];
        for tap in taps {
            match *tap {
                Some((top, down)) => {
                    let [upper, lower] = lines.pair(top);
                    for ((sum, upper), lower) in sums.iter_mut().zip(upper).zip(lower) {
                        *sum += upper + (lower - upper) * down;
                    }
                }
                None => sums.iter_mut().for_each(|sum| *sum += OUTSIDE),
            }
        }
        to.extend(sums.map(|sum| sum / rows.points as f32));
    }
}

/// Where [`SIDE`] samples lie on a row or a column of pixels.
struct Axis {
    /// Each sample is the mean of so many points: where a step is longer than two pixels, one for
    /// every two.
    points: usize,
    /// For each point, the pixel before it and the weight of the next one. `None` beyond the
    /// picture. Pixel centres are at half integers.
    taps: Vec<Option<(usize, f32)>>,
}

impl Axis {
    /// Samples from `middle - half` to `middle + half` on a line of `length` pixels.
    fn new(middle: f64, half: f64, length: usize) -> Self {
        let step = 2.0 * half / SIDE as f64;
        let points = ((step / 2.0).ceil() as usize).clamp(1, 8);
        let tap = |n: usize| {
            let at = middle - half + (n as f64 + 0.5) / points as f64 * step - 0.5;
            let inside = at >= -0.5 && at <= length as f64 - 0.5;
            let at = at.max(0.0);
            inside.then_some((at as usize, at.fract() as f32))
        };
        Axis { points, taps: (0..SIDE * points).map(tap).collect() }
    }
}

/// The lines of a picture, sampled along the line.
struct Lines<'a> {
    luma: Luma<'a>,
    columns: Axis,
    /// The last two that were read, with their numbers.
    kept: [(usize, [f32; SIDE]); 2],
}

impl Lines<'_> {
    /// The line `top` and the one below.
    fn pair(&mut self, top: usize) -> [&[f32; SIDE]; 2] {
        if self.kept[1].0 == top {
            self.kept.swap(0, 1);
        }
        for (kept, line) in [top, top + 1].into_iter().enumerate() {
            if self.kept[kept].0 != line {
                self.kept[kept] = (line, self.read(line));
            }
        }
        let [(_, upper), (_, lower)] = &self.kept;
        [upper, lower]
    }

    /// Beyond the last line, it is repeated, as is the last pixel of a line.
    fn read(&self, line: usize) -> [f32; SIDE] {
        let plane = self.luma.plane;
        let line = plane.line(line.min(plane.height.saturating_sub(1)));
        let last = line.last().copied().unwrap_or_default();
        let level = |tap: &Option<(usize, f32)>| match *tap {
            Some((left, across)) => {
                let [a, b] = [left, left + 1].map(|n| f32::from(line.get(n).copied().unwrap_or(last)));
                self.luma.level(a + (b - a) * across)
            }
            None => OUTSIDE,
        };
        let mut samples = [0.0; SIDE];
        for (sample, taps) in samples.iter_mut().zip(self.columns.taps.chunks_exact(self.columns.points)) {
            *sample = taps.iter().map(level).sum::<f32>() / self.columns.points as f32;
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::av::{Area, Canvas};
    use crate::model::Rgb;

    fn samples(boxes: &[(f64, f64)]) -> Vec<FaceSample> {
        boxes.iter().map(|&(at, x)| FaceSample::new(Timestamp::from_secs(at), Rect::new(x, 0.25, 0.25, 0.25), 0.9)).collect()
    }

    #[test]
    fn boxes_are_linear_between_samples_and_stay_beyond_them() {
        let track = samples(&[(1.0, 0.25), (2.0, 0.25), (3.0, 0.5), (4.0, 0.5)]);
        let left = |at| face_at(&track, Timestamp::from_secs(at)).unwrap().x;
        assert_eq!((left(0.0), left(1.5), left(2.5), left(9.0)), (0.25, 0.25, 0.375, 0.5));
        assert_eq!(face_at(&[], Timestamp::ZERO), None);
    }

    #[test]
    fn one_wrong_box_is_smoothed_away() {
        let track = samples(&[(1.0, 0.25), (2.0, 0.75), (3.0, 0.25)]);
        assert_eq!(face_at(&track, Timestamp::from_secs(2.0)).unwrap().x, 0.25);
    }

    fn crop(levels: &[u8], (width, height): (usize, usize), face: Rect, aspect: f64) -> Vec<f32> {
        let mut crop = Vec::new();
        push(Luma::full_range(levels, (width, height)), face, aspect, &mut crop);
        assert_eq!(crop.len(), SIDE * SIDE);
        crop
    }

    /// The same, each point of each sample by itself.
    fn by_formula(levels: &[u8], (width, height): (usize, usize), face: Rect, aspect: f64) -> Vec<f32> {
        let half = MARGIN * (face.width * aspect).max(face.height) / 2.0;
        let (half_width, half_height) = (half / aspect * width as f64, half * height as f64);
        let (left, top) = (face.center().0 * width as f64 - half_width, face.center().1 * height as f64 - half_height);
        let points = |half: f64| ((half / SIDE as f64).ceil() as usize).clamp(1, 8);
        let (across, down) = (points(half_width), points(half_height));
        let place = |from: f64, half: f64, n: usize, point: usize, points: usize| {
            from + (n as f64 + (point as f64 + 0.5) / points as f64) * 2.0 * half / SIDE as f64 - 0.5
        };
        let level = |x: f64, y: f64| {
            if x < -0.5 || y < -0.5 || x > width as f64 - 0.5 || y > height as f64 - 0.5 {
                return f64::from(OUTSIDE);
            }
            let (x, y) = (x.max(0.0), y.max(0.0));
            let pixel = |x: usize, y: usize| f64::from(levels[y.min(height - 1) * width + x.min(width - 1)]);
            let row = |y: usize| pixel(x as usize, y) * (1.0 - x.fract()) + pixel(x as usize + 1, y) * x.fract();
            row(y as usize) * (1.0 - y.fract()) + row(y as usize + 1) * y.fract()
        };
        let sample = |n: usize| {
            let points = (0..across * down).map(|point| (point % across, point / across));
            let levels =
                points.map(|(u, v)| level(place(left, half_width, n % SIDE, u, across), place(top, half_height, n / SIDE, v, down)));
            (levels.sum::<f64>() / (across * down) as f64) as f32
        };
        (0..SIDE * SIDE).map(sample).collect()
    }

    #[test]
    fn a_crop_equals_its_formula() {
        let size = (1000, 600);
        let noise: Vec<u8> = (0..600_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for (x, y, width, height) in
            [(0.3, 0.3, 0.05, 0.1), (-0.1, -0.2, 0.5, 0.6), (0.1, 0.1, 0.9, 1.1), (0.8, 0.9, 0.4, 0.4), (0.5, 0.5, 0.002, 0.002)]
        {
            let face = Rect::new(x, y, width, height);
            for aspect in [1000.0 / 600.0, 1000.0 / 900.0] {
                let (crop, wanted) = (crop(&noise, size, face, aspect), by_formula(&noise, size, face, aspect));
                let worst = crop.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 2e-2, "{face:?}: {worst}");
            }
        }
    }

    #[test]
    fn the_square_is_filled_outside_of_the_picture() {
        let crop = crop(&[255; 100 * 100], (100, 100), Rect::new(-0.25, 0.25, 0.5, 0.5), 1.0);
        let row = &crop[SIDE * SIDE / 2..][..SIDE];
        assert_eq!((row[2], row[SIDE - 2]), (OUTSIDE, 255.0));
    }

    #[test]
    fn a_small_face_is_enlarged_and_a_large_one_averaged() {
        let ramp: Vec<u8> = (0..256 * 256).map(|n| (n % 256) as u8).collect();
        for side in [0.1, 0.8] {
            let crop = crop(&ramp, (256, 256), Rect::new(0.5 - side / 2.0, 0.5 - side / 2.0, side, side), 1.0);
            let row = &crop[SIDE * SIDE / 2..][..SIDE];
            let middle = (row[SIDE / 2 - 1] + row[SIDE / 2]) / 2.0;
            assert!((middle - 127.5).abs() < 1.0 && row[30..80].is_sorted(), "{row:?}");
        }
    }

    /// A video of limited range, shown turned or with oblong pixels, and its frame: grey, with a
    /// white left half.
    fn video(clockwise: u16, pixel_aspect: f64) -> (VideoStream, Picture) {
        let mut video = VideoStream::new(0, "rawvideo", 320, 180, crate::model::FrameRate::new(25, 1));
        (video.orientation.clockwise, video.pixel_aspect) = (clockwise, pixel_aspect);
        let mut canvas = Canvas::new((320, 180));
        canvas.fill(canvas.area(), Rgb(128, 128, 128)).unwrap();
        canvas.fill(Area { left: 0, top: 0, width: 160, height: 180 }, Rgb(255, 255, 255)).unwrap();
        (video, Picture::new(Timestamp::ZERO, canvas.take()))
    }

    #[test]
    fn faces_are_cut_from_the_displayed_picture() {
        // In the displayed picture, white lies in the left half, or in the upper half if turned.
        for (clockwise, pixel_aspect, is_white) in [
            (0, 1.0, (|n| n % SIDE < SIDE / 2) as fn(usize) -> bool),
            (0, 1.5, |n| n % SIDE < SIDE / 2),
            (90, 1.0, |n| n / SIDE < SIDE / 2),
        ] {
            let (video, picture) = video(clockwise, pixel_aspect);
            let (width, height) = video.display_size();
            let mut crop = Vec::new();
            let seen = Seen::new(picture, &video, &mut Thumbnailer::new(&video, 320)).unwrap();
            assert_eq!(matches!(seen, Seen::Frame(_)), clockwise == 0);
            seen.push_face(Rect::new(0.4, 0.4, 0.2, 0.2), f64::from(width) / f64::from(height), &mut crop);
            for (n, level) in
                crop.iter().enumerate().filter(|(n, _)| (n % SIDE).abs_diff(SIDE / 2) > 4 && (n / SIDE).abs_diff(SIDE / 2) > 4)
            {
                let wanted = if is_white(n) { 255.0 } else { 128.0 };
                assert!((level - wanted).abs() < 2.5, "{clockwise} {pixel_aspect} {n}: {level}");
            }
        }
    }
}
