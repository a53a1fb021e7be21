//! What draws the eye where no face is seen: what moves, for a while, in one place.
//!
//! Two pictures a tenth of a second apart differ where something moves, once the camera's own motion is taken off. A shot's subject is the
//! way through its moments along which most of that lies, where going far costs. Something that happens once (a slide that changes) is
//! worth little, as each place counts for no more than the time that it moves.

use super::camera::{Grey, Shift};
use crate::model::{Rect, Span, SubjectSample, SubjectTrack, Timestamp};

/// Pixels of the small picture to a side of a cell.
const CELL: usize = 2;
/// A pixel that changes by less, in levels, is noise; one that changes by `CLEAR` more surely moves.
const NOISE: f32 = 1.5;
const CLEAR: f32 = 8.0;
/// Moments before and after over which motion is gathered: half a second each.
const AROUND: usize = 5;
/// A moment in which this many times more moves than usual counts as the usual this many times: the light or the slide changed.
const BURST: f32 = 3.0;
/// How far what belongs to the subject may be from its middle, in picture heights: what a vertical window holds.
const HALF_WIDTH: f64 = 0.28;
/// What a step of one cell costs, and any step at most, where a moment's best place is worth 1: a walk is followed, and someone else
/// who moves for a second or two is not gone to.
const STEP_COST: f32 = 0.25;
const JUMP_COST: f32 = 8.0;
/// A longer step, in cells, is a jump to another subject.
const JUMP: usize = 5;
/// Less motion than this, in cells that surely move, is none.
const LEAST: f32 = 0.4;
/// Less motion than this part of what a shot's best places usually have counts as less.
const STIRRING: f32 = 0.1;
/// The place must hold this many times the motion that it would if all moved alike.
const STANDS_OUT: f32 = 1.3;
/// The time between two samples, in moments.
const EVERY: usize = 2;
/// A subject's box is no smaller than this part of the picture's height.
const SMALLEST: f64 = 0.15;

/// How much each cell of the picture moved before a moment.
pub(super) struct Activity {
    at: Timestamp,
    columns: usize,
    /// Row by row, 0 (still) to 255 (all of it moves).
    cells: Vec<u8>,
}

impl Activity {
    /// From one small picture to the next, the scene having moved by `camera` between them.
    pub(super) fn between(at: Timestamp, before: &Grey, after: &Grey, camera: Shift) -> Self {
        let (columns, rows) = (after.columns.div_ceil(CELL), after.rows.div_ceil(CELL));
        if !before.is_like(after) {
            return Activity { at, columns, cells: vec![0; columns * rows] };
        }
        let light = after.mean() - before.mean();
        let moving = camera != Shift::default();
        let mut sums = vec![0.0_f32; columns * rows];
        for y in 0..after.rows {
            for x in 0..after.columns {
                let value = after.at(x as isize, y as isize);
                let change = if moving {
                    change_beside_camera(before, value - light, x as f32 - camera.x, y as f32 - camera.y)
                } else {
                    let change = value - before.at(x as isize, y as isize);
                    // A change of light that the mean hides nothing of: the smaller one counts.
                    change.abs().min((change - light).abs())
                };
                if let Some(sum) = sums.get_mut(y / CELL * columns + x / CELL) {
                    *sum += ((change - NOISE) / CLEAR).clamp(0.0, 1.0);
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

/// How far `value` is outside of what the earlier picture shows within a pixel of `(x, y)`: a shift that is a little off moves nothing.
fn change_beside_camera(before: &Grey, value: f32, x: f32, y: f32) -> f32 {
    if x < 0.0 || y < 0.0 || x > before.columns as f32 - 1.0 || y > before.rows as f32 - 1.0 {
        return 0.0;
    }
    let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
    for dy in [-0.7, 0.0, 0.7] {
        for dx in [-0.7, 0.0, 0.7] {
            let there = before.between(x + dx, y + dy);
            (least, most) = (least.min(there), most.max(there));
        }
    }
    (least - value).max(value - most).max(0.0)
}

/// What draws the eye in a shot: at most one subject at a time; none where nothing moves, or everything. `shape` is the picture's width
/// divided by its height.
pub(super) fn in_shot(activity: &[Activity], shot: Span, shape: f64) -> Vec<SubjectTrack> {
    // What is at the shot's first moment tells of the change from the shot before.
    let inside: Vec<&Activity> = activity.iter().filter(|moment| shot.start() < moment.at && moment.at < shot.end()).collect();
    let Some(columns) = inside.first().map(|first| first.columns).filter(|&columns| columns > 0) else { return Vec::new() };
    let inside: Vec<&Activity> = inside.into_iter().filter(|moment| moment.columns == columns).collect();
    let motion = gathered(&inside);
    let half = (HALF_WIDTH / shape * columns as f64).max(1.0);
    let worth: Vec<Vec<f32>> = motion.iter().map(|cells| by_place(&sums_of_columns(cells, columns), half)).collect();
    let peak = |values: &Vec<f32>| values.iter().copied().fold(0.0, f32::max);
    let usual = median(worth.iter().map(peak));
    if usual < LEAST || !stands_out(&motion, &worth, columns, half) {
        return Vec::new();
    }
    let way = way(&worth, usual);
    let boxes: Vec<Rect> = way.iter().zip(&motion).map(|(&place, cells)| around(cells, columns, place, half, shape)).collect();
    tracks(&inside, &way, &boxes)
}

/// The cells of each moment, with those shortly before and after it.
fn gathered(moments: &[&Activity]) -> Vec<Vec<f32>> {
    let totals: Vec<f32> = moments.iter().map(|moment| moment.total()).collect();
    let most = BURST * median(totals.iter().copied());
    let weights: Vec<f32> = totals.iter().map(|&total| if total > most { most / total } else { 1.0 }).collect();
    (0..moments.len())
        .map(|n| {
            let near = n.saturating_sub(AROUND)..(n + AROUND + 1).min(moments.len());
            let count = near.len() as f32;
            let mut cells = vec![0.0; moments.first().map_or(0, |moment| moment.cells.len())];
            for (moment, weight) in near.filter_map(|n| Some((moments.get(n)?, weights.get(n)?))) {
                for (sum, &cell) in cells.iter_mut().zip(&moment.cells) {
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

/// What each place is worth: the motion around it, the nearer the more.
fn by_place(sums: &[f32], half: f64) -> Vec<f32> {
    let near = |place: usize| {
        let worth = sums.iter().enumerate().map(|(n, sum)| sum * (1.0 - (place.abs_diff(n) as f64 / half).min(1.0)) as f32);
        worth.sum::<f32>()
    };
    (0..sums.len()).map(near).collect()
}

/// Whether the best places hold more of the motion than any place of a picture that moves everywhere would.
fn stands_out(motion: &[Vec<f32>], worth: &[Vec<f32>], columns: usize, half: f64) -> bool {
    let all: f32 = motion.iter().flatten().sum();
    let best: f32 = worth.iter().map(|values| values.iter().copied().fold(0.0, f32::max)).sum();
    let even = (half / columns as f64).min(1.0) as f32 * all;
    best >= STANDS_OUT * even
}

/// The place of each moment: the way through all of them that is worth most, where each step costs (Viterbi).
fn way(worth: &[Vec<f32>], usual: f32) -> Vec<usize> {
    let places = worth.first().map_or(0, Vec::len);
    let mut totals = vec![0.0_f32; places];
    let mut before: Vec<Vec<usize>> = Vec::with_capacity(worth.len());
    for values in worth {
        let mut reached = vec![(f32::NEG_INFINITY, 0); places];
        for (to, best) in reached.iter_mut().enumerate() {
            for (from, total) in totals.iter().enumerate() {
                let value = total - (STEP_COST * to.abs_diff(from) as f32).min(JUMP_COST);
                if value > best.0 {
                    *best = (value, from);
                }
            }
        }
        // A quiet speaker's moment decides as much as a lively one's, but next to no motion decides nothing.
        let most = values.iter().copied().fold(LEAST.max(STIRRING * usual), f32::max);
        totals = reached.iter().zip(values).map(|((total, _), value)| total + value / most).collect();
        before.push(reached.into_iter().map(|(_, from)| from).collect());
    }
    let last = (0..places).max_by(|&a, &b| totals[a].total_cmp(&totals[b])).unwrap_or(0);
    let mut way = vec![last; worth.len()];
    for n in (1..worth.len()).rev() {
        way[n - 1] = before[n].get(way[n]).copied().unwrap_or(last);
    }
    way
}

/// The box around what moves near a place.
fn around(cells: &[f32], columns: usize, place: usize, half: f64, shape: f64) -> Rect {
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
    // Nine tenths of a bell curve's weight.
    let side = |squares: f64, middle: f64| 3.3 * (squares / sum - middle * middle).max(0.0).sqrt();
    let width = (side(xx, x) / columns as f64).clamp(SMALLEST / shape, 2.0 * HALF_WIDTH / shape).min(1.0);
    let height = (side(yy, y) / rows as f64).clamp(SMALLEST, 1.0);
    let (x, y) = (x / columns as f64, y / rows as f64);
    Rect::new((x - width / 2.0).clamp(0.0, 1.0 - width), (y - height / 2.0).clamp(0.0, 1.0 - height), width, height)
}

/// The boxes over time, steadied; a jump begins another track.
fn tracks(moments: &[&Activity], way: &[usize], boxes: &[Rect]) -> Vec<SubjectTrack> {
    let jumps = (1..way.len()).filter(|&n| way[n].abs_diff(way[n - 1]) > JUMP);
    let bounds: Vec<usize> = std::iter::once(0).chain(jumps).chain([way.len()]).collect();
    let mut tracks = Vec::new();
    for pair in bounds.windows(2) {
        let part = pair[0]..pair[1];
        let sample = |n: usize| {
            let near = boxes.get(n.saturating_sub(AROUND).max(part.start)..(n + AROUND + 1).min(part.end))?;
            let mean = |side: fn(&Rect) -> f64| near.iter().map(side).sum::<f64>() / near.len().max(1) as f64;
            let rect = Rect::new(mean(|rect| rect.x), mean(|rect| rect.y), mean(|rect| rect.width), mean(|rect| rect.height));
            Some(SubjectSample { at: moments.get(n)?.at, rect })
        };
        let samples: Vec<SubjectSample> = part.clone().step_by(EVERY).filter_map(sample).collect();
        if !samples.is_empty() {
            tracks.push(SubjectTrack { samples });
        }
    }
    tracks
}

/// The middle value; 0 of none.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
#[path = "subject_tests.rs"]
mod tests;
