//! The audio of several pieces of the source as one stream.

use std::collections::VecDeque;
use std::f64::consts::PI;

use super::clip_audio::{PartOfSound, stereo, to_stereo};
use crate::av::{AudioFrame, AudioGraph, AudioReader, Filter, SAMPLE_RATE, stereo_frame};
use crate::error::Result;
use crate::model::{PlacedPiece, Timeline, Timestamp};

/// Half the length of a crossfade, in samples: 5 ms, so that joins do not click. A piece has this
/// much sound from beyond its cut, at falling level. The other half lies inside the piece.
pub(super) const HALF_FADE: u64 = SAMPLE_RATE as u64 / 200;
/// The length of a crossfade in samples.
pub(super) const FADE: usize = 2 * HALF_FADE as usize;
/// `atempo` returns a little more or less than the duration divided by the speed, in seconds of its
/// input. So much more is read.
const TEMPO_SLACK: f64 = 0.15;
/// `atempo` plays sounds early by about this much on average, in seconds of its output: measured
/// with clicks at speeds from 0.5 to 2, single ones were 1 to 29 ms early. So the source is read
/// from earlier on.
const TEMPO_LEAD: f64 = 0.012;

/// The most samples of silence that are made at once.
const SILENCE: usize = SAMPLE_RATE as usize;

/// Two channels of samples.
#[derive(Default)]
pub(super) struct Stereo(pub(super) [Vec<f32>; 2]);

impl Stereo {
    pub(super) fn len(&self) -> usize {
        self.0[0].len()
    }

    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(Vec::clear);
    }

    /// Appends a part of a planar frame, or silence if there is no frame.
    pub(super) fn extend(&mut self, frame: Option<&AudioFrame>, from: usize, count: usize) {
        for (n, channel) in self.0.iter_mut().enumerate() {
            let samples = frame.and_then(|frame| frame.plane::<f32>(n.min(frame.planes().saturating_sub(1))).get(from..from + count));
            match samples {
                Some(samples) => channel.extend_from_slice(samples),
                None => channel.resize(channel.len() + count, 0.0),
            }
        }
    }
}

/// Where one piece comes from and what of it is needed.
struct Part {
    /// The time from which the source is read, with half a crossfade.
    from: Timestamp,
    /// The time up to which it is read.
    until: Timestamp,
    speed: f64,
    /// The number of samples at 48 kHz, with half a crossfade at each join.
    samples: usize,
    /// The number of samples at the start that are mixed with the piece before.
    fade_in: usize,
    /// The number of samples at the end that are mixed with the piece after.
    fade_out: usize,
}

impl Part {
    /// The piece `index` of a timeline, whose sound lasts as `whole` says.
    fn of(timeline: &Timeline, index: usize, piece: &PlacedPiece, whole: &PartOfSound) -> Self {
        // The bounds of all pieces are rounded to samples of the clip, so errors do not add up.
        let sample = |at: Timestamp| (at.secs() * f64::from(SAMPLE_RATE)).round() as u64;
        let (is_first, is_last) = (index == 0, index + 1 == timeline.pieces().len());
        // Beside other parts of the output, the ends have half a crossfade, too.
        let half = |none: bool| if none { 0 } else { HALF_FADE };
        let (before, after) = (half(is_first && !whole.before), half(is_last && !whole.after));
        let secs = |samples: u64| samples as f64 / f64::from(SAMPLE_RATE) * piece.speed;
        let (slack, lead) = if piece.speed == 1.0 { (0.0, 0.0) } else { (TEMPO_SLACK, TEMPO_LEAD * piece.speed) };
        // A start between two samples would be rounded differently for different containers.
        let start = Timestamp::from_secs(sample(piece.source.start()) as f64 / f64::from(SAMPLE_RATE));
        let end = sample(piece.clip.end());
        // The sound may last a part of a frame longer than the timeline.
        let more = if is_last { whole.samples.saturating_sub(end) } else { 0 };
        let own = if is_last { whole.samples } else { end }.saturating_sub(sample(piece.clip.start()));
        Part {
            from: start.plus(-secs(before) - lead),
            until: piece.source.end().plus(secs(after + more) + slack),
            speed: piece.speed,
            samples: (own + before + after) as usize,
            fade_in: if is_first { 0 } else { FADE },
            fade_out: if is_last { 0 } else { FADE },
        }
    }

    /// Filters that make 48 kHz stereo of the source's audio, at the piece's speed.
    fn filters(&self) -> Vec<Filter> {
        let mut chain = to_stereo(None);
        if self.speed != 1.0 {
            chain.push(Filter::new("atempo").with("tempo", self.speed.to_string()));
            chain.push(stereo());
        }
        chain
    }
}

/// Reads the pieces one after the other: 48 kHz stereo, exactly as long as the clip, with a
/// crossfade at each join. Beside other parts of the output, half a crossfade more comes before and
/// after, in frames of their own.
///
/// A crossfade has its middle at the join. Its gains add up to 1, so it is never louder than the
/// louder side.
pub(super) struct JoinedAudio {
    reader: AudioReader,
    parts: Vec<Part>,
    index: usize,
    /// The filters of the current piece; `None` before its first frame.
    graph: Option<AudioGraph>,
    /// Whether the source has no more audio for the current piece.
    ended: bool,
    /// The number of samples of silence before the source's audio starts.
    gap: usize,
    /// The number of filtered samples to drop, which lie before the current piece.
    skipped: usize,
    /// The number of samples of the current piece that were received.
    received: usize,
    /// The end of the piece before, which is mixed with the start of the current one.
    before: Stereo,
    /// The end of the current piece so far.
    held: Stereo,
    ready: VecDeque<AudioFrame>,
    /// The position of the next frame in samples. What comes before the clip is before 0.
    position: i64,
    /// The position of the first frame, and the number of samples of the clip.
    first: i64,
    end: i64,
    /// The broken packets of earlier passes.
    known_broken: u64,
    faults: Vec<String>,
}

impl JoinedAudio {
    /// Reads with a reader of the source what lasts as `whole` says.
    pub(super) fn new(reader: AudioReader, timeline: &Timeline, whole: &PartOfSound) -> Self {
        let parts = timeline.pieces().iter().enumerate().map(|(n, piece)| Part::of(timeline, n, piece, whole)).collect();
        let first = if whole.before { -(HALF_FADE as i64) } else { 0 };
        JoinedAudio {
            reader,
            parts,
            index: 0,
            graph: None,
            ended: false,
            gap: 0,
            skipped: 0,
            received: 0,
            before: Stereo::default(),
            held: Stereo::default(),
            ready: VecDeque::new(),
            position: first,
            first,
            end: i64::try_from(whole.samples).unwrap_or(i64::MAX),
            known_broken: 0,
            faults: Vec::new(),
        }
    }

    /// Returns to the start.
    pub(super) fn rewind(&mut self) -> Result<()> {
        (self.index, self.position, self.known_broken) = (0, self.first, self.reader.broken());
        self.ready.clear();
        self.faults.clear();
        self.begin()
    }

    /// The problems found since the last rewind.
    pub(super) fn faults(&self) -> impl Iterator<Item = &String> {
        self.faults.iter()
    }

    /// The number of packets that could not be decoded since the last rewind.
    pub(super) fn broken(&self) -> u64 {
        self.reader.broken() - self.known_broken
    }

    /// Returns the next frame, or `None` at the clip's end.
    pub(super) fn next(&mut self) -> Result<Option<AudioFrame>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(Some(frame));
            }
            let Some(part) = self.parts.get(self.index) else { return Ok(None) };
            let missing = part.samples - self.received;
            if missing == 0 {
                self.index += 1;
                self.begin()?;
            } else if self.gap > 0 {
                let part = self.gap.min(SILENCE);
                self.gap -= part;
                self.receive(None, 0, part)?;
                self.drain()?;
            } else if self.ended {
                self.receive(None, 0, missing.min(SILENCE))?;
            } else {
                self.feed()?;
            }
        }
    }

    /// Prepares the current piece.
    fn begin(&mut self) -> Result<()> {
        (self.graph, self.ended) = (None, false);
        (self.gap, self.skipped, self.received) = (0, 0, 0);
        std::mem::swap(&mut self.before, &mut self.held);
        self.held.clear();
        match self.parts.get(self.index) {
            Some(part) => self.reader.go_to(part.from),
            None => Ok(()),
        }
    }

    /// Filters the next frame of the source.
    fn feed(&mut self) -> Result<()> {
        let Some(part) = self.parts.get(self.index) else { return Ok(()) };
        let until = part.until;
        match self.reader.next()? {
            Some((at, mut frame)) if at < until => {
                if self.graph.is_none() {
                    self.graph = Some(AudioGraph::new(Some(&frame), &part.filters())?);
                    // `aresample` ignores a difference of less than a millisecond.
                    let starts = frame.pts().unwrap_or(0) as f64 / f64::from(frame.rate().max(1));
                    let starts = (starts / part.speed * f64::from(SAMPLE_RATE)).round();
                    self.skipped = (-starts).max(0.0) as usize;
                    self.gap = starts.max(0.0) as usize;
                }
                let pushed = self.graph.as_mut().map_or(Ok(()), |graph| graph.push(&mut frame));
                if let Err(error) = pushed {
                    self.faults.push(format!(
                        "the audio changes its format at {at} and cannot be converted ({error}); the clip is silent from there to the next cut"
                    ));
                    self.end()?;
                }
            }
            Some((at, frame)) => {
                self.reader.unread(at, frame);
                self.end()?;
            }
            None => self.end()?,
        }
        self.drain()
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        match &mut self.graph {
            Some(graph) => graph.end(),
            None => Ok(()),
        }
    }

    /// Takes what is filtered, once the silence before it is made.
    fn drain(&mut self) -> Result<()> {
        if self.gap > 0 {
            return Ok(());
        }
        let mut pulled = Vec::new();
        if let Some(graph) = &mut self.graph {
            while let Some(frame) = graph.pull()? {
                pulled.push(frame);
            }
        }
        for frame in &pulled {
            let skipped = self.skipped.min(frame.samples());
            self.skipped -= skipped;
            self.receive(Some(frame), skipped, frame.samples() - skipped)?;
        }
        Ok(())
    }

    /// Takes samples of the current piece; those beyond its end are dropped. Without a frame they
    /// are silent.
    fn receive(&mut self, frame: Option<&AudioFrame>, from: usize, count: usize) -> Result<()> {
        let Some(part) = self.parts.get(self.index) else { return Ok(()) };
        let count = count.min(part.samples - self.received);
        let mut samples = std::mem::take(&mut self.held);
        let first = self.received - samples.len();
        samples.extend(frame, from, count);
        self.received += count;
        // What may belong to the next crossfade is held back.
        let ready = samples.len().min(part.samples.saturating_sub(part.fade_out + first));
        for (channel, before) in samples.0.iter_mut().zip(&self.before.0) {
            for (n, sample) in channel.iter_mut().enumerate().take(ready) {
                let at = first + n;
                if at < part.fade_in {
                    *sample = mix(before.get(at).copied().unwrap_or(0.0), *sample, at);
                }
            }
        }
        if ready > 0 {
            let [left, right] = &samples.0;
            let mut passed = 0;
            while passed < ready {
                // No frame lies on both sides of the clip's start or end.
                let bound = if self.position < 0 { 0 } else { self.end };
                let most = usize::try_from(bound - self.position).ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
                let to = passed + (ready - passed).min(most);
                self.ready.push_back(stereo_frame(&left[passed..to], &right[passed..to], self.position)?);
                self.position += (to - passed) as i64;
                passed = to;
            }
            samples.0.iter_mut().for_each(|channel| drop(channel.drain(..ready)));
        }
        self.held = samples;
        Ok(())
    }
}

/// The mean of two samples of a crossfade, weighted by a raised cosine.
pub(super) fn mix(before: f32, after: f32, at: usize) -> f32 {
    let gain = 0.5 - 0.5 * (PI * (at as f64 + 0.5) / FADE as f64).cos();
    (f64::from(before) * (1.0 - gain) + f64::from(after) * gain) as f32
}

#[cfg(test)]
mod tests;
