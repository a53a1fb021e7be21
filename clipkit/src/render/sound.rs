use std::collections::VecDeque;

use super::loudness::Treatment;
use crate::av::{AAC_FRAME, AudioFrame, AudioGraph, AudioReader, Filter, SAMPLE_RATE};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Span, Timestamp};

/// How long the sound takes to come and to go at the clip's ends, in samples: 10 ms, so that a cut inside a wave does not click.
const FADE: u64 = SAMPLE_RATE as u64 / 100;
/// The limiter works at this multiple of the sample rate, where it sees most of the peaks between samples: at 5 kHz, where voices have theirs,
/// 0.1 dB is missing at most. BS.1770 measures them at four times, and that is how the encoded sound is judged.
const OVERSAMPLED: u32 = 2 * SAMPLE_RATE;
/// The limiter looks this far ahead and lets go this slowly, in milliseconds: syllables keep their shape.
const ATTACK_MS: &str = "5";
const RELEASE_MS: &str = "80";

/// Whoever hears sound.
type Take<'a> = &'a mut dyn FnMut(&AudioFrame) -> Result<()>;

/// The clip's sound: 48 kHz stereo, exactly as long as the span, silent where the source is.
pub(super) struct Sound {
    context: Context,
    reader: Option<AudioReader>,
    graph: Option<AudioGraph>,
    end: Timestamp,
    samples: u64,
    filters: Vec<Filter>,
    ready: VecDeque<AudioFrame>,
    ended: bool,
    faults: Vec<String>,
}

impl Sound {
    /// As it is in the source.
    pub(super) fn open(cx: &Context, media: &Media, span: Span) -> Result<Self> {
        let samples = (span.duration().as_secs_f64() * f64::from(SAMPLE_RATE)).round() as u64;
        Ok(Sound {
            context: cx.clone(),
            reader: AudioReader::open(cx, media, span.start())?,
            graph: None,
            end: span.end(),
            samples,
            filters: Vec::new(),
            ready: VecDeque::new(),
            ended: false,
            faults: Vec::new(),
        })
    }

    fn rewind(&mut self) -> Result<()> {
        if let Some(reader) = &mut self.reader {
            reader.rewind()?;
        }
        (self.graph, self.ended) = (None, false);
        self.ready.clear();
        self.faults.clear();
        Ok(())
    }

    /// Hands on all of it, with this done to it.
    pub(super) fn listen(&mut self, treatment: Treatment, take: Take<'_>) -> Result<()> {
        self.play(treatment, OVERSAMPLED, take)
    }

    /// The same, for its loudness: in half the time, without the peaks between samples.
    pub(super) fn sketch(&mut self, treatment: Treatment, take: Take<'_>) -> Result<()> {
        self.play(treatment, SAMPLE_RATE, take)
    }

    fn play(&mut self, treatment: Treatment, limited_at: u32, take: Take<'_>) -> Result<()> {
        self.rewind()?;
        self.filters = filters(self.samples, treatment, limited_at);
        while let Some(frame) = self.next()? {
            self.context.check()?;
            take(&frame)?;
        }
        Ok(())
    }

    /// Whether the source has sound at all.
    pub(super) fn is_there(&self) -> bool {
        self.reader.is_some()
    }

    /// What was wrong with what was heard last.
    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }

    /// The next stretch; none at the clip's end.
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

    /// Gives the filters the next stretch of sound, or its end.
    fn feed(&mut self) -> Result<()> {
        let stretch = match &mut self.reader {
            Some(reader) => reader.next()?,
            None => None,
        };
        match stretch {
            Some((at, mut frame)) if at < self.end => {
                let graph = match &mut self.graph {
                    Some(graph) => graph,
                    slot => slot.insert(AudioGraph::new(Some(&frame), &self.filters)?),
                };
                if let Err(error) = graph.push(&mut frame) {
                    self.faults.push(format!(
                        "the sound changes its format at {at} in a way that cannot be mixed ({error}); it is silent from there"
                    ));
                    self.end_graph()?;
                }
                Ok(())
            }
            _ => self.end_graph(),
        }
    }

    fn end_graph(&mut self) -> Result<()> {
        let graph = match &mut self.graph {
            Some(graph) => graph,
            slot => slot.insert(AudioGraph::new(None, &self.filters)?),
        };
        graph.end()?;
        self.ended = true;
        if let Some(broken) = self.reader.as_ref().map(AudioReader::broken).filter(|broken| *broken > 0) {
            self.faults.push(format!("{broken} stretches of the sound are damaged and silent in the clip"));
        }
        Ok(())
    }
}

/// Sample times start at 0 with the span: earlier sound is cut, gaps are filled; then it is made as loud as it should be, the end is padded
/// or cut to length, and both ends are faded. Peaks are held at `limited_at` samples a second.
fn filters(samples: u64, treatment: Treatment, limited_at: u32) -> Vec<Filter> {
    let rate = SAMPLE_RATE.to_string();
    let stereo = || Filter::new("aformat").with("sample_fmts", "fltp").with("channel_layouts", "stereo").with("sample_rates", rate.clone());
    let mut chain = vec![Filter::new("aresample").with("sample_rate", rate.clone()).with("async", "1").with("first_pts", "0"), stereo()];
    if treatment.gain != 0.0 {
        chain.push(Filter::new("volume").with("volume", format!("{}dB", treatment.gain)).with("precision", "float"));
    }
    if let Some(ceiling) = treatment.ceiling {
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
    let fade = FADE.min(samples / 2).max(1);
    let faded = |way: &str, from: u64| {
        Filter::new("afade").with("type", way).with("start_sample", from.to_string()).with("nb_samples", fade.to_string())
    };
    chain.extend([
        Filter::new("apad").with("whole_len", samples.to_string()),
        Filter::new("atrim").with("end_sample", samples.to_string()),
        faded("in", 0),
        faded("out", samples.saturating_sub(fade)),
        Filter::new("asetnsamples").with("nb_out_samples", AAC_FRAME.to_string()).with("pad", "0"),
        Filter::new("asetpts").with("expr", "N/SR/TB"),
    ]);
    chain
}
