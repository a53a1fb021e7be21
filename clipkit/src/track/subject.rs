//! The subject of a shot without faces: what moves, for a while, in one place.
//!
//! Two pictures a tenth of a second apart differ where something moves, once the camera's own
//! motion is removed. The subject is the path through the shot along which most of the motion lies,
//! where long steps have a cost. A single event (a slide that changes) has little weight, because a
//! place scores only while it moves.

use super::camera::{LumaImage, Shift};
use crate::model::{Rect, Span, SubjectSample, SubjectTrack, Timestamp};

/// The side of a cell, in pixels of the small picture.
const CELL: usize = 2;
/// A change of a pixel below `NOISE`, in levels, is noise. A change `CLEAR_MOTION` above that is
/// certain motion.
const NOISE: f32 = 1.5;
const CLEAR_MOTION: f32 = 8.0;
/// Motion is averaged over this many pictures before and after: half a second each.
const SMOOTHING: usize = 5;
/// The motion of a picture is limited to this many times the median: the light or the slide
/// changed.
const BURST: f32 = 3.0;
/// How far motion that belongs to the subject may be from its centre, in picture heights: half the
/// width of a vertical crop.
const HALF_WIDTH: f64 = 0.28;
/// The cost of a step of one cell, and the largest cost of any step, where the best place of a
/// picture scores 1. A walking person is followed; another person who moves for a second or two is
/// not.
const STEP_COST: f32 = 0.25;
const MAX_STEP_COST: f32 = 8.0;
/// A longer step, in cells, starts a new track.
const MIN_JUMP: usize = 5;
/// Less motion than this, in cells of certain motion, is none.
const MIN_MOTION: f32 = 0.4;
/// Scores are relative to the best place of the picture, or to this share of the shot's median best
/// if that is more.
const MIN_SHARE: f32 = 0.1;
/// The path must hold this many times the motion that it would hold if everything moved alike.
const PROMINENCE: f32 = 1.3;
/// The number of pictures per sample of a track.
const SAMPLE_STEP: usize = 2;
/// The smallest side of a subject's box, in picture heights.
const MIN_SIDE: f64 = 0.15;

/// The motion of each cell of the picture, between a picture and the one before.
pub(super) struct Activity {
    at: Timestamp,
    columns: usize,
    /// Row-major, 0 (still) to 255 (all of the cell moves).
    cells: Vec<u8>,
}

impl Activity {
    /// Compares two small pictures between which the camera moved the scene by `camera`.
    pub(super) fn between(at: Timestamp, before: &LumaImage, after: &LumaImage, camera: Shift) -> Self {
        let (columns, rows) = (after.columns.div_ceil(CELL), after.rows.div_ceil(CELL));
        if !before.same_size(after) {
            return Activity { at, columns, cells: vec![0; columns * rows] };
        }
        let light = after.mean() - before.mean();
        let moving = camera != Shift::default();
        let mut sums = vec![0.0_f32; columns * rows];
        for y in 0..after.rows {
            for x in 0..after.columns {
                let value = after.at(x as isize, y as isize);
                let change = if moving {
                    change_without_camera(before, value - light, x as f32 - camera.x, y as f32 - camera.y)
                } else {
                    let change = value - before.at(x as isize, y as isize);
                    // Removes a change of light unless that makes the difference larger.
                    change.abs().min((change - light).abs())
                };
                if let Some(sum) = sums.get_mut(y / CELL * columns + x / CELL) {
                    *sum += ((change - NOISE) / CLEAR_MOTION).clamp(0.0, 1.0);
                }
            }
        }
        let cells = sums.into_iter().map(|sum| (sum / (CELL * CELL) as f32 * 255.0) as u8).collect();
        Activity { at, columns, cells }
    }

    fn total(&self) -> f32 {
        self.cells.iter().map(|&cell| f32::from(cell)).sum::<f32>() / 255.0
    }
}

/// How far `value` is outside of the range that the earlier picture has within a pixel of `(x, y)`,
/// so that an inexact shift causes no motion.
fn change_without_camera(before: &LumaImage, value: f32, x: f32, y: f32) -> f32 {
    if x < 0.0 || y < 0.0 || x > before.columns as f32 - 1.0 || y > before.rows as f32 - 1.0 {
        return 0.0;
    }
    let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
    for dy in [-0.7, 0.0, 0.7] {
        for dx in [-0.7, 0.0, 0.7] {
            let there = before.interpolated(x + dx, y + dy);
            (least, most) = (least.min(there), most.max(there));
        }
    }
    (least - value).max(value - most).max(0.0)
}

/// The subjects of a shot: at most one at a time, and none if nothing or everything moves.
/// `aspect_ratio` is the picture's width divided by its height.
pub(super) fn in_shot(activity: &[Activity], shot: Span, aspect_ratio: f64) -> Vec<SubjectTrack> {
    // A comparison at the shot's first frame shows the change from the shot before.
    let inside: Vec<&Activity> = activity.iter().filter(|picture| shot.start() < picture.at && picture.at < shot.end()).collect();
    let Some(columns) = inside.first().map(|first| first.columns).filter(|&columns| columns > 0) else { return Vec::new() };
    let inside: Vec<&Activity> = inside.into_iter().filter(|picture| picture.columns == columns).collect();
    let motion = smoothed(&inside);
    let half = (HALF_WIDTH / aspect_ratio * columns as f64).max(1.0);
    let scores: Vec<Vec<f32>> = motion.iter().map(|cells| scores_by_place(&sums_of_columns(cells, columns), half)).collect();
    let peak = |values: &Vec<f32>| values.iter().copied().fold(0.0, f32::max);
    let typical = median(scores.iter().map(peak));
    if typical < MIN_MOTION || !is_prominent(&motion, &scores, columns, half) {
        return Vec::new();
    }
    let path = best_path(&scores, typical);
    let boxes: Vec<Rect> =
        path.iter().zip(&motion).map(|(&place, cells)| bounding_box(cells, columns, place, half, aspect_ratio)).collect();
    tracks(&inside, &path, &boxes)
}

/// The cells of each picture, averaged with those shortly before and after it.
fn smoothed(pictures: &[&Activity]) -> Vec<Vec<f32>> {
    let totals: Vec<f32> = pictures.iter().map(|picture| picture.total()).collect();
    let most = BURST * median(totals.iter().copied());
    let weights: Vec<f32> = totals.iter().map(|&total| if total > most { most / total } else { 1.0 }).collect();
    (0..pictures.len())
        .map(|n| {
            let near = n.saturating_sub(SMOOTHING)..(n + SMOOTHING + 1).min(pictures.len());
            let count = near.len() as f32;
            let mut cells = vec![0.0; pictures.first().map_or(0, |picture| picture.cells.len())];
            for (picture, weight) in near.filter_map(|n| Some((pictures.get(n)?, weights.get(n)?))) {
                for (sum, &cell) in cells.iter_mut().zip(&picture.cells) {
                    *sum += f32::from(cell) / 255.0 * weight / count;
                }
            }
            cells
        })
        .collect()
}

fn sums_of_columns(cells: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in cells.chunks(columns) {
        for (sum, cell) in sums.iter_mut().zip(row) {
            *sum += cell;
        }
    }
    sums
}

/// The score of each place: the motion around it, weighted by nearness.
fn scores_by_place(sums: &[f32], half: f64) -> Vec<f32> {
    let near = |place: usize| {
        let score = sums.iter().enumerate().map(|(n, sum)| sum * (1.0 - (place.abs_diff(n) as f64 / half).min(1.0)) as f32);
        score.sum::<f32>()
    };
    (0..sums.len()).map(near).collect()
}

/// Whether the best places hold more motion than any place would if everything moved alike.
fn is_prominent(motion: &[Vec<f32>], scores: &[Vec<f32>], columns: usize, half: f64) -> bool {
    let all: f32 = motion.iter().flatten().sum();
    let best: f32 = scores.iter().map(|values| values.iter().copied().fold(0.0, f32::max)).sum();
    let even = (half / columns as f64).min(1.0) as f32 * all;
    best >= PROMINENCE * even
}

/// The place at each picture: the path with the highest total score less the cost of its steps
/// (Viterbi algorithm).
fn best_path(scores: &[Vec<f32>], typical: f32) -> Vec<usize> {
    let places = scores.first().map_or(0, Vec::len);
    let mut totals = vec![0.0_f32; places];
    let mut before: Vec<Vec<usize>> = Vec::with_capacity(scores.len());
    for values in scores {
        let mut reached = vec![(f32::NEG_INFINITY, 0); places];
        for (to, best) in reached.iter_mut().enumerate() {
            for (from, total) in totals.iter().enumerate() {
                let value = total - (STEP_COST * to.abs_diff(from) as f32).min(MAX_STEP_COST);
                if value > best.0 {
                    *best = (value, from);
                }
            }
        }
        // A quiet speaker's picture counts as much as a lively one's, but one with next to no
        // motion counts little.
        let most = values.iter().copied().fold(MIN_MOTION.max(MIN_SHARE * typical), f32::max);
        totals = reached.iter().zip(values).map(|((total, _), value)| total + value / most).collect();
        before.push(reached.into_iter().map(|(_, from)| from).collect());
    }
    let last = (0..places).max_by(|&a, &b| totals[a].total_cmp(&totals[b])).unwrap_or(0);
    let mut path = vec![last; scores.len()];
    for n in (1..scores.len()).rev() {
        path[n - 1] = before[n].get(path[n]).copied().unwrap_or(last);
    }
    path
}

/// The box around the motion near a place.
fn bounding_box(cells: &[f32], columns: usize, place: usize, half: f64, aspect_ratio: f64) -> Rect {
    let rows = (cells.len() / columns).max(1);
    let (mut sum, mut x, mut y, mut xx, mut yy) = (1e-6, 0.0, 0.0, 0.0, 0.0);
    for (n, &cell) in cells.iter().enumerate() {
        let (column, row) = ((n % columns) as f64 + 0.5, (n / columns) as f64 + 0.5);
        let weight = f64::from(cell) * (1.0 - ((column - place as f64 - 0.5).abs() / half).min(1.0));
        sum += weight;
        x += weight * column;
        y += weight * row;
        xx += weight * column * column;
        yy += weight * row * row;
    }
    if sum < 1e-3 {
        (x, y, xx, yy, sum) = (place as f64 + 0.5, rows as f64 / 2.0, 0.0, 0.0, 1.0);
    }
    let (x, y) = (x / sum, y / sum);
    // 1.65 standard deviations on each side: 90 % of a normal distribution.
    let side = |squares: f64, middle: f64| 3.3 * (squares / sum - middle * middle).max(0.0).sqrt();
    let width = (side(xx, x) / columns as f64).clamp(MIN_SIDE / aspect_ratio, 2.0 * HALF_WIDTH / aspect_ratio).min(1.0);
    let height = (side(yy, y) / rows as f64).clamp(MIN_SIDE, 1.0);
    let (x, y) = (x / columns as f64, y / rows as f64);
    Rect::new((x - width / 2.0).clamp(0.0, 1.0 - width), (y - height / 2.0).clamp(0.0, 1.0 - height), width, height)
}

/// The boxes over time, smoothed. A jump starts a new track.
fn tracks(pictures: &[&Activity], path: &[usize], boxes: &[Rect]) -> Vec<SubjectTrack> {
    let jumps = (1..path.len()).filter(|&n| path[n].abs_diff(path[n - 1]) > MIN_JUMP);
    let bounds: Vec<usize> = std::iter::once(0).chain(jumps).chain([path.len()]).collect();
    let mut tracks = Vec::new();
    for pair in bounds.windows(2) {
        let part = pair[0]..pair[1];
        let sample = |n: usize| {
            let near = boxes.get(n.saturating_sub(SMOOTHING).max(part.start)..(n + SMOOTHING + 1).min(part.end))?;
            let mean = |side: fn(&Rect) -> f64| near.iter().map(side).sum::<f64>() / near.len().max(1) as f64;
            let rect = Rect::new(mean(|rect| rect.x), mean(|rect| rect.y), mean(|rect| rect.width), mean(|rect| rect.height));
            Some(SubjectSample { at: pictures.get(n)?.at, rect })
        };
        let samples: Vec<SubjectSample> = part.clone().step_by(SAMPLE_STEP).filter_map(sample).collect();
        if !samples.is_empty() {
            tracks.push(SubjectTrack { samples });
        }
    }
    tracks
}

/// The median; 0 if there are no values.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
#[path = "subject_tests.rs"]
mod tests;
