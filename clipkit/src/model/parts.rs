//! Where intro, clip and outro play in the rendered file.

use super::{Bumper, ClipPlan, FrameRate, Timestamp};
use crate::error::Result;

/// The samples of a second of every clip's sound.
const SAMPLE_RATE: u64 = 48_000;

/// The parts of a rendered file: the intro, the clip and the outro, one after the other.
///
/// Each starts with a frame of the output, and its sound starts at the sample that is nearest to
/// that frame. A time of the clip's timeline plays at `clip_start() + time` of the file.
/// [`ClipPlan::parts`] makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputParts {
    rate: FrameRate,
    intro: u64,
    clip: u64,
    outro: u64,
    /// The end of the clip's timeline.
    clip_end: Timestamp,
}

impl OutputParts {
    /// The number of the intro's frames, 0 without one.
    pub fn intro_frames(&self) -> u64 {
        self.intro
    }

    /// The number of the clip's own frames, which is [`ClipPlan::frames`].
    pub fn clip_frames(&self) -> u64 {
        self.clip
    }

    /// The number of the outro's frames, 0 without one.
    pub fn outro_frames(&self) -> u64 {
        self.outro
    }

    /// The number of frames of the file.
    pub fn frames(&self) -> u64 {
        self.intro + self.clip + self.outro
    }

    /// The time in the file at which the clip starts: the intro's duration.
    pub fn clip_start(&self) -> Timestamp {
        self.rate.frame_start(self.intro)
    }

    /// The time in the file at which the outro starts, or would start. With an outro, the clip
    /// lasts a whole number of frames.
    pub fn outro_start(&self) -> Timestamp {
        self.rate.frame_start(self.intro + self.clip)
    }

    /// The duration of the file.
    pub fn end(&self) -> Timestamp {
        match self.outro {
            0 => self.clip_end.offset(self.clip_start()),
            _ => self.rate.frame_start(self.frames()),
        }
    }

    /// The first samples of the clip and of the outro, and the number of samples of the file.
    pub(crate) fn samples(&self) -> [u64; 3] {
        let start = self.sample(self.intro);
        let outro = match self.outro {
            0 => start + (self.clip_end.secs() * SAMPLE_RATE as f64).round() as u64,
            _ => self.sample(self.intro + self.clip),
        };
        [start, outro, if self.outro == 0 { outro } else { self.sample(self.frames()) }]
    }

    /// The sample that is nearest to the start of a frame.
    fn sample(&self, frame: u64) -> u64 {
        let (num, den) = (u128::from(self.rate.num.max(1)), u128::from(self.rate.den));
        let nearest = (2 * u128::from(frame) * den * u128::from(SAMPLE_RATE) + num) / (2 * num);
        u64::try_from(nearest).unwrap_or(u64::MAX)
    }
}

impl ClipPlan {
    /// Where intro, clip and outro play in the rendered file.
    ///
    /// Without intro and outro, the file is the clip. An intro or an outro that is a whole video is
    /// an error of the kind [`InvalidPlan`](crate::ErrorKind::InvalidPlan) as long as its
    /// [`length`](Bumper::length) is not known. The plan that is written beside a clip has it.
    pub fn parts(&self) -> Result<OutputParts> {
        let rate = self.output.frame_rate;
        let frames = |bumper: &Option<Bumper>, name: &str| match bumper {
            Some(bumper) => bumper.frames(rate).ok_or_else(|| bumper.unmeasured(name)),
            None => Ok(0),
        };
        let (intro, outro) = (frames(&self.intro, "intro")?, frames(&self.outro, "outro")?);
        Ok(OutputParts { rate, intro, clip: self.frames(), outro, clip_end: self.timeline().end() })
    }

    /// The intro and the outro, each with its name in the document.
    pub(crate) fn bumpers(&self) -> impl Iterator<Item = (&'static str, &Bumper)> {
        [("intro", &self.intro), ("outro", &self.outro)].into_iter().filter_map(|(name, bumper)| Some((name, bumper.as_ref()?)))
    }

    /// The paths of the images, sounds, fonts and bumpers of the plan. That of the source is not
    /// among them.
    pub(crate) fn files_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let bumpers = self.intro.iter_mut().chain(&mut self.outro).map(|bumper| &mut bumper.file);
        let images = self.overlays.iter_mut().filter_map(super::Overlay::file_mut);
        images.chain(self.sound.iter_mut().map(|sound| &mut sound.file)).chain(&mut self.fonts).chain(bumpers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(rate: FrameRate, intro: u64, clip_end: Timestamp, outro: u64) -> OutputParts {
        let clip = ((clip_end.secs() * rate.fps()).round() as u64).max(1);
        OutputParts { rate, intro, clip, outro, clip_end }
    }

    #[test]
    fn a_part_starts_with_a_frame_and_its_nearest_sample() {
        let ntsc = FrameRate::new(30_000, 1001);
        let found = parts(ntsc, 45, Timestamp::from_secs(10.0), 30);
        assert_eq!((found.frames(), found.clip_frames()), (375, 300));
        assert_eq!(found.clip_start(), Timestamp::from_micros(1_501_500));
        assert_eq!(found.outro_start(), Timestamp::from_micros(11_511_500));
        assert_eq!((found.samples(), found.end()), ([72_072, 552_552, 600_600], Timestamp::from_micros(12_512_500)));
        // Without an outro the clip ends where it did.
        let alone = parts(ntsc, 0, Timestamp::from_secs(10.0), 0);
        assert_eq!((alone.samples(), alone.end()), ([0, 480_000, 480_000], Timestamp::from_secs(10.0)));
    }

    proptest! {
        #[test]
        fn picture_and_sound_of_each_part_start_together(
            num in 1..120_000_u32, den in prop::sample::select(vec![1_u32, 1000, 1001]), intro in 0..9000_u64, outro in 0..9000_u64,
            micros in 100_000..600_000_000_i64,
        ) {
            let rate = FrameRate::new(num, den);
            prop_assume!((1.0..=120.0).contains(&rate.fps()));
            let found = parts(rate, intro, Timestamp::from_micros(micros), outro);
            let [clip, after, end] = found.samples();
            let frame = |n: u64| n as f64 * f64::from(den) / f64::from(num);
            let apart = |sample: u64, n: u64| (sample as f64 / 48_000.0 - frame(n)).abs();
            // Half a sample at the starts of parts, half a frame at the end of a clip without
            // outro.
            prop_assert!(apart(clip, intro) <= 0.5001 / 48_000.0);
            let leeway = if outro == 0 { 0.51 / rate.fps() } else { 0.5001 / 48_000.0 };
            prop_assert!(apart(after, intro + found.clip_frames()) <= leeway || found.clip_frames() == 1);
            prop_assert!(apart(end, found.frames()) <= leeway || found.clip_frames() == 1);
            prop_assert!(clip <= after && after <= end);
            prop_assert!((found.end().secs() - end as f64 / 48_000.0).abs() <= 2.0 / 48_000.0);
            prop_assert!((found.clip_start().secs() - frame(intro)).abs() <= 1e-6);
        }
    }
}
