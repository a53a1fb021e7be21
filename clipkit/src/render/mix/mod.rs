//! Music, effects and censored words: what a plan adds to the clip's own sound.
//!
//! Sounds are mixed with the clip's own sound to the sample, before its loudness is measured. So
//! the mix, not the voice alone, has the plan's loudness and stays below its limit of peaks, with
//! the one gain and the one limiter that there are. Mixed afterwards, music would add to a
//! finished loudness, and a second limiter would have to undo that. The price: music that is as
//! loud as the voice makes the voice quieter. That is what `gain` and `duck` are for.

mod file;
mod seams;
mod shape;
#[cfg(test)]
mod tests;
mod voice;

use file::SoundFile;
use shape::{Shape, Stretches, factor, sample, samples, smooth};
use voice::{Levels, Voice};

use crate::av::{AudioFrame, SAMPLE_RATE, stereo_frame};
use crate::context::Context;
use crate::error::Result;
use crate::model::{CensorSound, ClipPlan};

/// The sound before a censored stretch sinks, and that after it rises, within so many samples: 5
/// ms, outside of the stretch.
const CENSOR_FADE: u64 = SAMPLE_RATE as u64 / 200;
/// The samples of a period of the beep: 1 kHz.
const BEEP_PERIOD: u64 = SAMPLE_RATE as u64 / 1000;
/// The beep's root mean square below the loud passages of the clip, in dB, and that of a clip
/// without any, which is -20 dB.
const BEEP_BELOW: f64 = -6.0;
const BEEP_ALONE: f64 = 0.1;
/// Ducking is computed anew after so many samples, a millisecond, and is linear between.
const DUCK_STEP: u64 = SAMPLE_RATE as u64 / 1000;
/// The samples of a frame of a clip without a sound of its own.
const FRAME: u64 = 8192;

/// Adds a plan's sounds to the clip's own sound, and censors that.
pub(super) struct Mixer {
    sounds: Vec<Playing>,
    muted: Stretches,
    beeps: Stretches,
    /// The clip's own sound; `None` before it is measured.
    voice: Option<Voice>,
}

/// A sound that plays.
struct Playing {
    file: SoundFile,
    shape: Shape,
    duck: f64,
}

impl Mixer {
    /// Opens the sounds of a plan. `None` if it adds nothing to the clip's own sound.
    ///
    /// A file that is missing or has no sound is an error that names it.
    pub(super) fn open(cx: &Context, plan: &ClipPlan) -> Result<Option<Self>> {
        if plan.sound.is_empty() && plan.censored.is_empty() {
            return Ok(None);
        }
        let clip = sample(plan.timeline().end());
        let mut sounds = Vec::with_capacity(plan.sound.len());
        for (n, sound) in plan.sound.iter().enumerate() {
            let file = SoundFile::open(cx, &format!("sound[{n}]"), sound)?;
            let shape = Shape::of(sound, clip, file.available());
            sounds.push(Playing { file, shape, duck: sound.duck });
        }
        let stretches = |with: CensorSound| {
            let spans = plan.censored.iter().filter(|stretch| stretch.with == with).map(|stretch| samples(stretch.span));
            Stretches::new(spans.collect(), CENSOR_FADE, 0, CENSOR_FADE)
        };
        let mut mixer = Mixer { sounds, muted: stretches(CensorSound::Mute), beeps: stretches(CensorSound::Beep), voice: None };
        let has_beeps = plan.censored.iter().any(|stretch| stretch.with == CensorSound::Beep);
        if !has_beeps && mixer.sounds.iter().all(|sound| sound.duck == 0.0) {
            // Nothing depends on the voice.
            mixer.voice = Some(Voice::default());
        }
        Ok(Some(mixer))
    }

    /// Whether the clip's own sound must be measured first: see [`Mixer::measure`].
    pub(super) fn needs_measure(&self) -> bool {
        self.voice.is_none()
    }

    /// Measures the clip's own sound, which `next` returns frame by frame.
    pub(super) fn measure(&mut self, next: &mut dyn FnMut() -> Result<Option<AudioFrame>>) -> Result<()> {
        let mut levels = Levels::default();
        while let Some(frame) = next()? {
            levels.push(&frame);
        }
        self.voice = Some(levels.voice());
        Ok(())
    }

    /// Returns to the clip's start.
    pub(super) fn rewind(&mut self) -> Result<()> {
        self.sounds.iter_mut().try_for_each(|sound| sound.file.rewind())
    }

    /// The problems found since the last rewind.
    pub(super) fn faults(&self) -> impl Iterator<Item = String> + '_ {
        self.sounds.iter().filter_map(|sound| sound.file.fault())
    }

    /// A frame of silence that starts at a sample of a clip of `end` samples. `None` at its end.
    /// Before the clip, samples are negative, and the frame ends where the clip starts.
    pub(super) fn silence(from: i64, end: u64) -> Result<Option<AudioFrame>> {
        let silent = [0.0; FRAME as usize];
        let end = if from < 0 { 0 } else { i64::try_from(end).unwrap_or(i64::MAX) };
        let count = usize::try_from(end - from).unwrap_or(0).min(silent.len());
        if count == 0 {
            return Ok(None);
        }
        stereo_frame(&silent[..count], &silent[..count], from).map(Some)
    }

    /// Changes a frame of the clip's own sound: 48 kHz stereo, whose time is its first sample's
    /// number. Frames come in order. Those before the clip stay as they are.
    pub(super) fn apply(&mut self, frame: &mut AudioFrame) -> Result<()> {
        let Ok(from) = u64::try_from(frame.pts().unwrap_or(0)) else { return Ok(()) };
        let none = Voice::default();
        let voice = self.voice.as_ref().unwrap_or(&none);
        let beep = voice.loud.map_or(BEEP_ALONE, |loud| loud * factor(BEEP_BELOW)) * std::f64::consts::SQRT_2;
        censor(frame, from, &self.muted, |_| 0.0);
        censor(frame, from, &self.beeps, |n| {
            let phase = (n % BEEP_PERIOD) as f64 / BEEP_PERIOD as f64;
            beep * (2.0 * std::f64::consts::PI * phase).sin()
        });
        self.sounds.iter_mut().try_for_each(|sound| sound.add(frame, from, &voice.spans))
    }
}

impl Playing {
    /// Adds this sound to a frame that starts at a sample of the clip.
    fn add(&mut self, frame: &mut AudioFrame, from: u64, voice: &Stretches) -> Result<()> {
        let end = from + frame.samples() as u64;
        let (start, stop) = (self.shape.plays.start.max(from), self.shape.plays.end.min(end));
        if start >= stop {
            return Ok(());
        }
        let Playing { file, shape, duck } = self;
        let lowered = |n: u64| factor(-*duck * voice.depth(n));
        file.read((stop - start) as usize, &mut |heard| {
            let mut step = (lowered(start), 0.0);
            let is_still = *duck == 0.0 || voice.miss(&(start..stop));
            let gains: Vec<f32> = (0..heard[0].len() as u64)
                .map(|n| {
                    if !is_still && n % DUCK_STEP == 0 {
                        let now = lowered(start + n);
                        step = (now, (lowered(start + n + DUCK_STEP) - now) / DUCK_STEP as f64);
                    }
                    let duck = if is_still { 1.0 } else { step.0 + step.1 * (n % DUCK_STEP) as f64 };
                    (shape.at(start + n) * duck) as f32
                })
                .collect();
            for (channel, heard) in heard.into_iter().enumerate() {
                let own = frame.plane_mut::<f32>(channel).iter_mut().skip((start - from) as usize);
                for ((own, heard), gain) in own.zip(heard).zip(&gains) {
                    // A broken file may decode to what is no number.
                    *own += if heard.is_finite() { heard * gain } else { 0.0 };
                }
            }
        })
    }
}

/// Replaces the sound of a frame in stretches of the clip.
fn censor(frame: &mut AudioFrame, from: u64, stretches: &Stretches, instead: impl Fn(u64) -> f64) {
    if stretches.miss(&(from..from + frame.samples() as u64)) {
        return;
    }
    for channel in 0..2 {
        for (n, sample) in (from..).zip(frame.plane_mut::<f32>(channel).iter_mut()) {
            let depth = smooth(stretches.depth(n));
            if depth > 0.0 {
                *sample = (f64::from(*sample) * (1.0 - depth) + instead(n) * depth) as f32;
            }
        }
    }
}
