use std::collections::VecDeque;

use super::joined_audio::{HALF_FADE, JoinedAudio};
use super::loudness::Dynamics;
use super::mix::Mixer;
use crate::av::{AAC_FRAME, AudioFrame, AudioGraph, AudioReader, Filter, SAMPLE_RATE};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Timeline, Timestamp};

/// The length of the fades at the clip's ends, in samples: 10 ms, so that cuts do not click.
const FADE: u64 = SAMPLE_RATE as u64 / 100;
/// The limiter's sample rate. Oversampling makes most peaks between samples visible to it: at 5
/// kHz, where voices have their peaks, it underestimates by at most 0.1 dB. ITU-R BS.1770 measures
/// at four times the sample rate, and the encoded audio is checked that way.
const LIMITER_RATE: u32 = 2 * SAMPLE_RATE;
/// Attack and release of the limiter in milliseconds; slow enough to keep the shape of syllables.
const ATTACK_MS: &str = "5";
const RELEASE_MS: &str = "80";

/// A consumer of audio frames.
type Take<'a> = &'a mut dyn FnMut(&AudioFrame) -> Result<()>;

/// Where the audio comes from.
enum Sound {
    /// The source has no audio.
    None,
    /// One piece at the source's speed, up to a time. Its filters are those of the clip, so the
    /// audio passes one graph only.
    Piece(Box<AudioReader>, Timestamp),
    Joined(Box<JoinedAudio>),
}

/// A part of the output's sound: how long it lasts, and what is beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartOfSound {
    /// The number of samples that it lasts.
    pub(super) samples: u64,
    /// Whether another part comes before it, and after it. It then has half a crossfade more there.
    pub(super) before: bool,
    pub(super) after: bool,
    /// The lengths of the fades at its start and end, in samples.
    pub(super) fades: (u64, u64),
}

impl PartOfSound {
    /// All of the output's sound.
    pub(super) fn whole(samples: u64) -> Self {
        PartOfSound { samples, before: false, after: false, fades: (0, 0) }
    }

    /// The number of samples before it that are mixed with the part before.
    fn head(&self) -> u64 {
        if self.before { HALF_FADE } else { 0 }
    }

    /// The number of its samples, with those that are mixed with other parts.
    pub(super) fn total(&self) -> u64 {
        self.head() + self.samples + if self.after { HALF_FADE } else { 0 }
    }
}

/// The audio of the clip, of its intro or of its outro: 48 kHz stereo, exactly as long as it should
/// be, silent where the source is.
pub(super) struct ClipAudio {
    context: Context,
    sound: Sound,
    /// What the plan adds to the source's sound.
    mixer: Option<Mixer>,
    /// The position of the next samples to mix, if the source has no audio.
    mixed: i64,
    graph: Option<AudioGraph>,
    part: PartOfSound,
    filters: Vec<Filter>,
    ready: VecDeque<AudioFrame>,
    ended: bool,
    faults: Vec<String>,
}

impl ClipAudio {
    /// Opens the source's audio for a timeline, and what the plan adds to it. Without a medium, the
    /// part is silent.
    pub(super) fn open(cx: &Context, media: Option<&Media>, timeline: &Timeline, mixer: Option<Mixer>, part: PartOfSound) -> Result<Self> {
        let start = timeline.source_time(Timestamp::ZERO);
        let reader = media.map(|media| AudioReader::open(cx, media, start)).transpose()?.flatten();
        let is_alone = mixer.is_none() && !part.before && !part.after;
        let sound = match (reader, timeline.pieces()) {
            (None, _) => Sound::None,
            (Some(reader), [only]) if only.speed == 1.0 && is_alone => Sound::Piece(Box::new(reader), only.source.end()),
            (Some(reader), _) => Sound::Joined(Box::new(JoinedAudio::new(reader, timeline, &part))),
        };
        Ok(ClipAudio {
            context: cx.clone(),
            sound,
            mixer,
            mixed: 0,
            graph: None,
            part,
            filters: Vec::new(),
            ready: VecDeque::new(),
            ended: false,
            faults: Vec::new(),
        })
    }

    fn rewind(&mut self) -> Result<()> {
        match &mut self.sound {
            Sound::None => {}
            Sound::Piece(reader, _) => reader.rewind()?,
            Sound::Joined(joined) => joined.rewind()?,
        }
        if let Some(mixer) = &mut self.mixer {
            mixer.rewind()?;
        }
        (self.graph, self.ended, self.mixed) = (None, false, -(self.part.head() as i64));
        self.ready.clear();
        self.faults.clear();
        Ok(())
    }

    /// Passes all processed audio to `take`, at full quality.
    pub(super) fn process(&mut self, dynamics: Dynamics, take: Take<'_>) -> Result<()> {
        self.run(dynamics, LIMITER_RATE, take)
    }

    /// Passes all processed audio to `take`, for measuring its loudness: takes half the time,
    /// because the limiter does not oversample.
    pub(super) fn process_fast(&mut self, dynamics: Dynamics, take: Take<'_>) -> Result<()> {
        self.run(dynamics, SAMPLE_RATE, take)
    }

    fn run(&mut self, dynamics: Dynamics, limited_at: u32, take: Take<'_>) -> Result<()> {
        self.measure()?;
        self.rewind()?;
        self.filters = if let Sound::Piece(..) = self.sound { to_stereo(Some(0)) } else { Vec::new() };
        self.filters.extend(finish(&self.part, dynamics, limited_at));
        while let Some(frame) = self.next()? {
            self.context.check()?;
            take(&frame)?;
        }
        Ok(())
    }

    /// Measures the source's sound, if the mix depends on it and it was not measured before.
    fn measure(&mut self) -> Result<()> {
        let Some(mixer) = self.mixer.as_mut().filter(|mixer| mixer.needs_measure()) else { return Ok(()) };
        let context = &self.context;
        match &mut self.sound {
            Sound::Joined(joined) => {
                joined.rewind()?;
                mixer.measure(&mut || loop {
                    context.check()?;
                    match joined.next()? {
                        // What comes before the clip is no part of it.
                        Some(frame) if frame.pts().is_some_and(|at| at < 0) => {}
                        frame => return Ok(frame),
                    }
                })
            }
            Sound::None | Sound::Piece(..) => mixer.measure(&mut || Ok(None)),
        }
    }

    /// Returns whether the source has audio or the plan adds some.
    pub(super) fn exists(&self) -> bool {
        self.is_mixed() || !matches!(self.sound, Sound::None)
    }

    /// Returns whether the plan changes the source's audio.
    pub(super) fn is_mixed(&self) -> bool {
        self.mixer.is_some()
    }

    /// The problems found during the last pass.
    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Returns the next frame, or `None` at the clip's end.
    fn next(&mut self) -> Result<Option<AudioFrame>> {
        while self.ready.is_empty() && !self.ended {
            self.feed()?;
            if let Some(graph) = &mut self.graph {
                while let Some(frame) = graph.pull()? {
                    self.ready.push_back(frame);
                }
            }
        }
        Ok(self.ready.pop_front())
    }

    /// Sends the next frame, or the end of the stream, to the filters.
    fn feed(&mut self) -> Result<()> {
        let mut frame = match &mut self.sound {
            Sound::None if self.mixer.is_some() => Mixer::silence(self.mixed, self.part.samples)?.map(|frame| (Timestamp::ZERO, frame)),
            Sound::None => None,
            Sound::Piece(reader, end) => reader.next()?.filter(|(at, _)| at < end),
            Sound::Joined(joined) => joined.next()?.map(|frame| (Timestamp::ZERO, frame)),
        };
        if let (Some((_, frame)), Some(mixer)) = (&mut frame, &mut self.mixer) {
            mixer.apply(frame)?;
            self.mixed += frame.samples() as i64;
        }
        match frame {
            Some((at, mut frame)) => {
                let graph = match &mut self.graph {
                    Some(graph) => graph,
                    slot => slot.insert(AudioGraph::new(Some(&frame), &self.filters)?),
                };
                if let Err(error) = graph.push(&mut frame) {
                    self.faults.push(format!(
                        "the audio changes its format at {at} and cannot be converted ({error}); the clip is silent from there"
                    ));
                    self.end_graph()?;
                }
                Ok(())
            }
            None => self.end_graph(),
        }
    }

    fn end_graph(&mut self) -> Result<()> {
        let graph = match &mut self.graph {
            Some(graph) => graph,
            slot => slot.insert(AudioGraph::new(None, &self.filters)?),
        };
        graph.end()?;
        self.ended = true;
        let broken = match &self.sound {
            Sound::None => 0,
            Sound::Piece(reader, _) => reader.broken(),
            Sound::Joined(joined) => {
                self.faults.extend(joined.faults().cloned());
                joined.broken()
            }
        };
        self.faults.extend(self.mixer.iter().flat_map(Mixer::faults));
        if broken > 0 {
            self.faults.push(format!("{broken} packets of the audio are damaged; the clip is silent there"));
        }
        Ok(())
    }
}

/// Filters that convert the source's audio to 48 kHz stereo and fill gaps. If the first timestamp
/// is given, audio before it is cut and a gap after it is filled, except for a millisecond.
pub(super) fn to_stereo(first: Option<i64>) -> Vec<Filter> {
    let resample = Filter::new("aresample").with("sample_rate", SAMPLE_RATE.to_string()).with("async", "1");
    let resample = match first {
        Some(first) => resample.with("first_pts", first.to_string()),
        None => resample,
    };
    vec![resample, stereo()]
}

/// The filter that sets the format of a clip's audio.
pub(super) fn stereo() -> Filter {
    let rate = SAMPLE_RATE.to_string();
    Filter::new("aformat").with("sample_fmts", "fltp").with("channel_layouts", "stereo").with("sample_rates", rate)
}

/// Filters for a whole part: gain and limiter are applied, the end is padded or trimmed, and both
/// ends are faded where no other part is beside them. The limiter runs at `limited_at` samples per
/// second.
fn finish(part: &PartOfSound, dynamics: Dynamics, limited_at: u32) -> Vec<Filter> {
    let rate = SAMPLE_RATE.to_string();
    let mut chain = Vec::new();
    if dynamics.gain != 0.0 {
        chain.push(Filter::new("volume").with("volume", format!("{}dB", dynamics.gain)).with("precision", "float"));
    }
    if let Some(ceiling) = dynamics.ceiling {
        chain.extend([
            Filter::new("aresample").with("sample_rate", limited_at.to_string()),
            Filter::new("alimiter")
                .with("limit", 10f64.powf(ceiling / 20.0).to_string())
                .with("attack", ATTACK_MS)
                .with("release", RELEASE_MS)
                .with("level", "0")
                .with("latency", "1"),
            Filter::new("aresample").with("sample_rate", rate.clone()),
            stereo(),
        ]);
    }
    let (head, samples, total) = (part.head(), part.samples, part.total());
    let cut = FADE.min(samples / 2).max(1);
    let faded = |way: &str, from: u64, length: u64| {
        Filter::new("afade").with("type", way).with("start_sample", from.to_string()).with("nb_samples", length.to_string())
    };
    chain.extend([Filter::new("apad").with("whole_len", total.to_string()), Filter::new("atrim").with("end_sample", total.to_string())]);
    let (fade_in, fade_out) = (part.fades.0.max(if part.before { 0 } else { cut }), part.fades.1.max(if part.after { 0 } else { cut }));
    if fade_in > 0 {
        chain.push(faded("in", head, fade_in));
    }
    if fade_out > 0 {
        chain.push(faded("out", (head + samples).saturating_sub(fade_out), fade_out));
    }
    chain.extend([
        Filter::new("asetnsamples").with("nb_out_samples", AAC_FRAME.to_string()).with("pad", "0"),
        Filter::new("asetpts").with("expr", "N/SR/TB"),
    ]);
    chain
}
