use super::envelope::Envelope;
use super::loudness::{self, Measured, Meter, Treatment};
use super::sound::Sound;
use crate::av::{EncodedSound, SAMPLE_RATE, SoundEncoder};
use crate::context::Context;
use crate::error::Result;
use crate::model::{ClipPlan, Media};

/// So often sound is encoded while its peaks come out too high.
const MOST_ENCODINGS: usize = 4;

/// A clip's sound, done.
pub(super) struct Soundtrack {
    pub(super) encoded: EncodedSound,
    /// What was encoded.
    pub(super) course: Envelope,
    /// How loud it is; none where it was left as it was.
    pub(super) loudness: Option<Measured>,
}

impl Soundtrack {
    /// Makes the sound as loud as the plan asks, encodes it, and listens to what a player will decode: AAC changes the wave's shape, and
    /// lifts some peaks over the limit. These are held lower until they stay below it.
    pub(super) fn make(cx: &Context, plan: &ClipPlan, media: &Media) -> Result<Self> {
        let mut sound = Sound::open(cx, media, plan.span)?;
        let source = loudness::of_source(&mut sound, plan)?;
        let Some((source, target)) = source.zip(plan.output.loudness) else {
            let made = Soundtrack::encode(&mut sound, plan, Treatment::default())?;
            say(cx, &sound);
            return Ok(Soundtrack { loudness: None, ..made });
        };
        let mut lower = 0.0;
        let mut encodings = 0;
        let mut before = None;
        loop {
            let treatment = loudness::settle(&mut sound, source, before, target, lower)?;
            let made = Soundtrack::encode(&mut sound, plan, treatment)?;
            encodings += 1;
            let mut meter = Meter::new()?;
            made.encoded.decode(&mut |frame| meter.push(frame))?;
            // What comes down by as much as it was over is another sound, and another encode: noise takes a few steps.
            let over = loudness::overshoot(meter.read()?.true_peak, target);
            if over == 0.0 || encodings == MOST_ENCODINGS {
                say(cx, &sound);
                if let Some(shortfall) = made.loudness.and_then(|made| loudness::shortfall(treatment, made, target)) {
                    cx.warn(shortfall);
                }
                return Ok(made);
            }
            lower += over;
            before = Some(treatment);
        }
    }

    /// Encodes all of it, with this done to it.
    fn encode(sound: &mut Sound, plan: &ClipPlan, treatment: Treatment) -> Result<Self> {
        let mut encoder = SoundEncoder::open(SAMPLE_RATE, 2, plan.output.audio_bitrate)?;
        let mut course = Envelope::default();
        let mut meter = Meter::quick()?;
        sound.listen(treatment, &mut |frame| {
            course.push(frame);
            meter.push(frame)?;
            encoder.encode(frame)
        })?;
        Ok(Soundtrack { encoded: encoder.finish()?, course, loudness: Some(meter.read()?) })
    }
}

fn say(cx: &Context, sound: &Sound) {
    sound.faults().iter().for_each(|fault| cx.warn(fault.clone()));
}
