use super::clip_audio::ClipAudio;
use super::envelope::Envelope;
use super::loudness::{self, Dynamics, Measured, Meter};
use super::mix::Mixer;
use crate::av::{AudioEncoder, EncodedAudio, SAMPLE_RATE};
use crate::context::Context;
use crate::error::Result;
use crate::model::{ClipPlan, Media, WarningKind};

/// The most encodes of the audio while its true peak is above the limit.
const MAX_ENCODES: usize = 4;

/// The finished audio of a clip.
pub(super) struct Soundtrack {
    pub(super) encoded: EncodedAudio,
    /// The envelope of the encoded audio.
    pub(super) envelope: Envelope,
    /// The loudness before the encode; `None` if the audio was left as it was.
    pub(super) loudness: Option<Measured>,
}

impl Soundtrack {
    /// Processes the audio to the plan's loudness, encodes it, and measures the decoded result. AAC
    /// changes the waveform and raises some peaks above the limit; the ceiling is lowered until
    /// they stay below it.
    pub(super) fn make(cx: &Context, plan: &ClipPlan, media: &Media) -> Result<Self> {
        let mut audio = ClipAudio::open(cx, media, &plan.timeline(), Mixer::open(cx, plan)?)?;
        let source = loudness::of_source(&mut audio, plan)?;
        let Some((source, target)) = source.zip(plan.output.loudness) else {
            let dynamics = loudness::unclipped(&mut audio)?;
            let made = Soundtrack::encode(&mut audio, plan, dynamics)?;
            report(cx, &audio);
            return Ok(Soundtrack { loudness: None, ..made });
        };
        let mut lower = 0.0;
        let mut encodes = 0;
        let mut before = None;
        loop {
            let dynamics = loudness::solve(&mut audio, source, before, target, lower)?;
            let made = Soundtrack::encode(&mut audio, plan, dynamics)?;
            encodes += 1;
            let mut meter = Meter::new()?;
            made.encoded.decode(&mut |frame| meter.push(frame))?;
            // Lowering the ceiling by the overshoot gives different audio and a different encode,
            // so noise takes several iterations.
            let over = loudness::overshoot(meter.read()?.true_peak, target);
            if over == 0.0 || encodes == MAX_ENCODES {
                report(cx, &audio);
                if let Some(shortfall) = made.loudness.and_then(|made| loudness::shortfall(dynamics, made, target)) {
                    cx.warn_of(WarningKind::Rendering, shortfall);
                }
                return Ok(made);
            }
            lower += over;
            before = Some(dynamics);
        }
    }

    /// Processes and encodes all audio.
    fn encode(audio: &mut ClipAudio, plan: &ClipPlan, dynamics: Dynamics) -> Result<Self> {
        let mut encoder = AudioEncoder::open(SAMPLE_RATE, 2, plan.output.audio_bitrate)?;
        let mut envelope = Envelope::default();
        let mut meter = Meter::quick()?;
        audio.process(dynamics, &mut |frame| {
            envelope.push(frame);
            meter.push(frame)?;
            encoder.encode(frame)
        })?;
        Ok(Soundtrack { encoded: encoder.finish()?, envelope, loudness: Some(meter.read()?) })
    }
}

fn report(cx: &Context, audio: &ClipAudio) {
    audio.faults().iter().for_each(|fault| cx.warn_of(WarningKind::InputLost, fault.clone()));
}
