use super::bumper::OpenBumper;
use super::clip_audio::{ClipAudio, PartOfSound};
use super::envelope::Envelope;
use super::joined_audio::FADE;
use super::loudness::{self, Dynamics, Measured, Meter};
use super::mix::Mixer;
use super::part_joiner::PartJoiner;
use super::pass::Input;
use crate::av::{AudioEncoder, EncodedAudio, SAMPLE_RATE};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Loudness, WarningKind};

/// The most encodes of the audio while its true peak is above the limit.
const MAX_ENCODES: usize = 4;

/// The finished audio of a clip with its intro and outro.
pub(super) struct Soundtrack {
    pub(super) encoded: EncodedAudio,
    /// The envelope of the encoded audio.
    pub(super) envelope: Envelope,
    /// The loudness before the encode; `None` if the audio was left as it was.
    pub(super) loudness: Option<Measured>,
}

/// The audio of the clip, of its intro or of its outro, each of which has a gain of its own: one
/// gain for all would make the voice as much quieter as an intro is louder.
struct Part {
    /// The bumper's name; `None` for the clip.
    name: Option<&'static str>,
    audio: ClipAudio,
    sound: PartOfSound,
    /// The gain in dB that the plan asks for.
    gain: f64,
    /// The loudness that it is brought to; `None` leaves it.
    target: Option<Loudness>,
    /// Its own loudness, if it is brought to another one.
    measured: Option<Measured>,
    dynamics: Option<Dynamics>,
    /// Its loudness after the processing.
    made: Option<Measured>,
}

impl Soundtrack {
    /// Processes the audio of each part to the plan's loudness, encodes it, and measures the
    /// decoded result. AAC changes the waveform and raises some peaks above the limit; the ceiling
    /// is lowered until they stay below it.
    pub(super) fn make(cx: &Context, input: &Input<'_>) -> Result<Self> {
        let plan = input.plan;
        let mut parts = parts(cx, input)?;
        for part in &mut parts {
            part.measured = loudness::of_source(&mut part.audio, part.target)?;
        }
        let target = plan.output.loudness.filter(|_| parts.iter().any(|part| part.measured.is_some()));
        let Some(target) = target else {
            for part in &mut parts {
                part.dynamics = Some(loudness::unclipped(&mut part.audio, part.gain, None)?);
            }
            let made = Soundtrack::encode(&mut parts, input, false)?;
            parts.iter().for_each(|part| part.report(cx));
            return Ok(made);
        };
        let mut lower = 0.0;
        let mut encodes = 0;
        loop {
            for part in &mut parts {
                part.solve(lower, target)?;
            }
            let made = Soundtrack::encode(&mut parts, input, true)?;
            encodes += 1;
            let mut meter = Meter::new()?;
            made.encoded.decode(&mut |frame| meter.push(frame))?;
            // Lowering the ceiling by the overshoot gives different audio and a different encode,
            // so noise takes several iterations.
            let over = loudness::overshoot(meter.read()?.true_peak, target);
            if over == 0.0 || encodes == MAX_ENCODES {
                parts.iter().for_each(|part| part.report(cx));
                return Ok(made);
            }
            lower += over;
        }
    }

    /// Processes and encodes all audio, and measures its loudness if that is wanted.
    fn encode(parts: &mut [Part], input: &Input<'_>, is_measured: bool) -> Result<Self> {
        let mut encoder = AudioEncoder::open(SAMPLE_RATE, 2, input.plan.output.audio_bitrate, input.quality.aac_coder())?;
        let mut envelope = Envelope::default();
        let quick_meter = || is_measured.then(Meter::quick).transpose();
        let mut meter = quick_meter()?;
        let mut take = |frame: &crate::av::AudioFrame| {
            envelope.push(frame);
            meter.iter_mut().try_for_each(|meter| meter.push(frame))?;
            encoder.encode(frame)
        };
        let mut joiner = PartJoiner::new(&mut take);
        for part in parts {
            let mut own = quick_meter()?;
            joiner.begin(&part.sound);
            part.audio.process(part.dynamics.unwrap_or_default(), &mut |frame| {
                own.iter_mut().try_for_each(|own| own.push(frame))?;
                joiner.push(frame)
            })?;
            part.made = own.map(|own| own.read()).transpose()?;
        }
        joiner.finish()?;
        Ok(Soundtrack { encoded: encoder.finish()?, envelope, loudness: meter.map(|meter| meter.read()).transpose()? })
    }
}

/// The parts of the output's audio, in order.
fn parts(cx: &Context, input: &Input<'_>) -> Result<Vec<Part>> {
    let &Input { plan, media, bumpers, .. } = input;
    let [clip, outro, end] = plan.parts()?.samples();
    // A clip that is shorter than one crossfade has none: its two would overlap.
    let is_mixed = outro - clip >= FADE as u64;
    let (before, after) = (bumpers.intro.is_some() && is_mixed, bumpers.outro.is_some() && is_mixed);
    let mut parts = Vec::with_capacity(3);
    if let Some(bumper) = &bumpers.intro {
        parts.push(Part::of_bumper(cx, bumper, PartOfSound { after: before, ..PartOfSound::whole(clip) })?);
    }
    let sound = PartOfSound { before, after, ..PartOfSound::whole(outro - clip) };
    let audio = ClipAudio::open(cx, Some(media), &plan.timeline(), Mixer::open(cx, plan)?, sound)?;
    parts.push(Part::new(None, audio, sound, 0.0, plan.output.loudness));
    if let Some(bumper) = &bumpers.outro {
        parts.push(Part::of_bumper(cx, bumper, PartOfSound { before: after, ..PartOfSound::whole(end - outro) })?);
    }
    Ok(parts)
}

impl Part {
    fn new(name: Option<&'static str>, audio: ClipAudio, sound: PartOfSound, gain: f64, target: Option<Loudness>) -> Self {
        Part { name, audio, sound, gain, target, measured: None, dynamics: None, made: None }
    }

    fn of_bumper(cx: &Context, bumper: &OpenBumper, mut sound: PartOfSound) -> Result<Self> {
        let (fade_in, fade_out) = bumper.bumper.fades(bumper.secs());
        let samples = |secs: f64| (secs * f64::from(SAMPLE_RATE)).round() as u64;
        sound.fades = (samples(fade_in), samples(fade_out));
        let gain = bumper.bumper.gain;
        let target = bumper.plan.output.loudness.map(|loudness| Loudness { integrated: loudness.integrated + gain, ..loudness });
        let media = bumper.is_heard().then_some(&bumper.media);
        let audio = ClipAudio::open(cx, media, &bumper.plan.timeline(), None, sound)?;
        Ok(Part::new(Some(bumper.name), audio, sound, gain, target))
    }

    /// Determines how the part is processed if its ceiling is `lower` dB lower than usual. `whole`
    /// is the loudness of the output.
    fn solve(&mut self, lower: f64, whole: Loudness) -> Result<()> {
        self.dynamics = Some(match (self.measured, self.target) {
            (Some(measured), Some(target)) => loudness::solve(&mut self.audio, measured, self.dynamics, target, lower)?,
            // A part that stays as it is may have peaks, beside parts with a limit.
            _ => loudness::unclipped(&mut self.audio, self.gain, Some(whole.true_peak - lower))?,
        });
        Ok(())
    }

    /// Warns of what went wrong with the part's audio.
    fn report(&self, cx: &Context) {
        let named = |what: String| self.name.map_or(what.clone(), |name| format!("the {name}: {what}"));
        self.audio.faults().iter().for_each(|fault| cx.warn_of(WarningKind::InputLost, named(fault.clone())));
        let shortfall = || loudness::shortfall(self.dynamics?, self.made?, self.target.filter(|_| self.measured.is_some())?);
        if let Some(shortfall) = shortfall() {
            cx.warn_of(WarningKind::Rendering, named(shortfall));
        }
    }
}
