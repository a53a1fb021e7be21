//! Whether the clip is silent where its source is heard. The check reads the source itself, so it
//! also finds what went wrong before the sound was encoded.

use crate::av;
use crate::context::Context;
use crate::error::Result;
use crate::model::{ClipPlan, Media, OutputParts, PlacedPiece, Timestamp};
use crate::render::bumper::OpenBumper;
use crate::render::envelope::READINGS_PER_SEC;
use crate::render::pass::Input;

use super::at;

/// A block of the source is heard from this level on, the root mean square without a constant
/// offset: -45 dB. Quiet speech is above -50 dB, and above -45 dB in its vowels.
const HEARD: f32 = 0.005_6;
/// The clip is silent if its mean level is below this, -80 dB, and below this share of the
/// source's level. A gain that lowers a loud source leaves more.
const SILENT: f32 = 0.000_1;
const SILENT_SHARE: f32 = 0.003;
/// How far, in seconds, a sound may be from its place: filters for another speed and containers
/// without an index move it a little.
const MOVED: f64 = 0.1;
/// So many blocks in a row of [`av::LEVEL_SECS`] that are heard in the source only are a fault:
/// half a second, a word.
const BLOCKS: usize = 10;

/// Where fades leave less than this share of a bumper, it may be silent.
const FADED: f64 = 0.1;
/// A bumper that the plan makes quieter than this, in dB, may be silent.
const QUIET_GAIN: f64 = -30.0;

/// One part of the output, and the medium that it is made from.
struct Part<'a> {
    plan: &'a ClipPlan,
    media: &'a Media,
    /// What the part's medium is called.
    source: String,
    /// The time in the output at which the part starts.
    start: Timestamp,
    /// The bumper, whose fades may make it silent.
    bumper: Option<&'a OpenBumper>,
}

/// What is heard in the source of one piece of a part.
pub(super) struct Heard {
    /// What the part's medium is called.
    source: String,
    /// For each block of [`av::LEVEL_SECS`], its time in the output, and its level: 0 where the
    /// plan lets the output be silent.
    blocks: Vec<(Timestamp, f32)>,
}

impl Heard {
    /// Where the output, whose envelope is given, is silent although the source is not.
    pub(super) fn silence(&self, output: &[f32]) -> Option<String> {
        let mut run = Run::default();
        let moment = self.blocks.iter().find_map(|&(there, level)| {
            let left = loudest(output, there);
            run.add(there, level >= HEARD && left < SILENT && left < level * SILENT_SHARE)
        });
        moment.map(|moment| format!("it is silent {} although {} is not", at(moment), self.source))
    }
}

/// What is heard in the sources of the output. A source that cannot be read is left out from the
/// piece on that fails: the render has warned of it.
pub(super) fn heard(cx: &Context, input: &Input<'_>, parts: &OutputParts) -> Result<Vec<Heard>> {
    let &Input { plan, media, bumpers, .. } = input;
    let clip = Part { plan, media, source: "its source".into(), start: parts.clip_start(), bumper: None };
    let starts = |bumper: &OpenBumper| if bumper.name == "intro" { Timestamp::ZERO } else { parts.outro_start() };
    let bumpers = bumpers.iter().filter(|bumper| bumper.is_heard() && bumper.bumper.gain > QUIET_GAIN).map(|bumper| {
        let OpenBumper { plan, media, name, .. } = bumper;
        Part { plan, media, source: format!("its {name}"), start: starts(bumper), bumper: Some(bumper) }
    });
    let mut heard = Vec::new();
    for part in std::iter::once(clip).chain(bumpers) {
        for piece in part.plan.timeline().pieces() {
            match part.blocks(cx, piece) {
                Ok(blocks) => heard.push(Heard { source: part.source.clone(), blocks }),
                Err(error) if error.is_cancelled() => return Err(error),
                Err(_) => break,
            }
        }
    }
    Ok(heard)
}

impl Part<'_> {
    /// The blocks of a piece: times in the output, and levels.
    fn blocks(&self, cx: &Context, piece: &PlacedPiece) -> Result<Vec<(Timestamp, f32)>> {
        let mut blocks = Vec::new();
        av::listen(cx, self.media, piece.source, &mut |samples| {
            let moment = piece.clip_time(piece.source.start().plus(blocks.len() as f64 * av::LEVEL_SECS));
            let level = if self.may_be_silent(moment) { 0.0 } else { level(samples) };
            blocks.push((moment.offset(self.start), level));
        })?;
        Ok(blocks)
    }

    /// Whether the plan says that nothing is heard at a moment of the part.
    fn may_be_silent(&self, moment: Timestamp) -> bool {
        let is_censored = self
            .plan
            .censored
            .iter()
            .any(|stretch| stretch.span.start() <= moment.plus(MOVED) && moment.plus(-MOVED) <= stretch.span.end());
        let is_faded = |bumper: &OpenBumper| {
            let level = |by: f64| bumper.bumper.level_at(moment.secs() + by, bumper.secs());
            level(-MOVED).min(level(MOVED + av::LEVEL_SECS)) < FADED
        };
        is_censored || self.bumper.is_some_and(is_faded)
    }
}

/// Consecutive silent blocks.
#[derive(Default)]
struct Run {
    start: Timestamp,
    blocks: usize,
}

impl Run {
    /// Adds a block. Returns the start of the run if it is long enough to be a fault.
    fn add(&mut self, moment: Timestamp, is_silent: bool) -> Option<Timestamp> {
        if !is_silent {
            self.blocks = 0;
            return None;
        }
        if self.blocks == 0 {
            self.start = moment;
        }
        self.blocks += 1;
        (self.blocks >= BLOCKS).then_some(self.start)
    }
}

/// The root mean square without a constant offset.
fn level(samples: &[f32]) -> f32 {
    let count = samples.len().max(1) as f32;
    let mean = samples.iter().sum::<f32>() / count;
    (samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f32>() / count).sqrt()
}

/// The loudest mean over a block's length of the clip's envelope near a time.
fn loudest(clip: &[f32], moment: Timestamp) -> f32 {
    let length = (av::LEVEL_SECS * READINGS_PER_SEC as f64) as usize;
    let reading = |secs: f64| (secs.max(0.0) * READINGS_PER_SEC as f64) as usize;
    let (from, to) = (reading(moment.secs() - MOVED), reading(moment.secs() + av::LEVEL_SECS + MOVED));
    let near = clip.get(from.min(clip.len())..to.min(clip.len())).unwrap_or_default();
    near.chunks(length).map(|part| part.iter().sum::<f32>() / part.len() as f32).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_offset_is_not_heard() {
        assert!(level(&[0.5; 800]) < 1e-6);
        assert!((level(&[0.5, -0.5].repeat(400)) - 0.5).abs() < 1e-6);
        assert_eq!(level(&[]), 0.0);
    }

    #[test]
    fn the_loudest_part_near_a_block_counts() {
        let mut clip = vec![0.0; 2000];
        clip[1000..1100].fill(0.2);
        let at = |secs: f64| loudest(&clip, Timestamp::from_secs(secs));
        assert!(at(1.0) > 0.19 && at(0.9) > 0.05 && at(1.15) > 0.05);
        assert_eq!((at(0.5), at(1.5), at(5.0)), (0.0, 0.0, 0.0));
    }

    #[test]
    fn half_a_second_in_a_row_is_a_fault() {
        let mut run = Run::default();
        let at = |n: usize| Timestamp::from_secs(n as f64 * av::LEVEL_SECS);
        assert!((0..9).all(|n| run.add(at(n), true).is_none()));
        assert_eq!(run.add(at(9), true), Some(Timestamp::ZERO));
        assert_eq!(run.add(at(10), false), None);
        assert!((11..20).all(|n| run.add(at(n), true).is_none()));
        assert_eq!(run.add(at(20), true), Some(at(11)));
    }
}
