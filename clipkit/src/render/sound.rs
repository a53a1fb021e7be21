use std::collections::VecDeque;

use crate::av::{AAC_FRAME, AudioFrame, AudioGraph, AudioReader, Filter, Mp4Writer, SAMPLE_RATE};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Span, Timestamp};

/// The clip's sound: 48 kHz stereo, exactly as long as the span, silent where the source is.
pub(super) struct Sound {
    context: Context,
    reader: Option<AudioReader>,
    graph: Option<AudioGraph>,
    end: Timestamp,
    samples: u64,
    ready: VecDeque<AudioFrame>,
    ended: bool,
    /// Samples handed to the writer.
    written: u64,
}

impl Sound {
    pub(super) fn open(cx: &Context, media: &Media, span: Span) -> Result<Self> {
        let samples = (span.duration().as_secs_f64() * f64::from(SAMPLE_RATE)).round() as u64;
        Ok(Sound {
            context: cx.clone(),
            reader: AudioReader::open(cx, media, span.start())?,
            graph: None,
            end: span.end(),
            samples,
            ready: VecDeque::new(),
            ended: false,
            written: 0,
        })
    }

    /// Writes sound up to `until` on the clip's timeline, so that sound and picture lie side by side in the file.
    pub(super) fn write_until(&mut self, until: Timestamp, writer: &mut Mp4Writer) -> Result<()> {
        let wanted = (until.secs() * f64::from(SAMPLE_RATE)) as u64;
        while self.written < wanted.min(self.samples) {
            let Some(frame) = self.next()? else { break };
            writer.write_audio(&frame)?;
            self.written += frame.samples() as u64;
        }
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn write_rest(&mut self, writer: &mut Mp4Writer) -> Result<()> {
        while let Some(frame) = self.next()? {
            writer.write_audio(&frame)?;
        }
        Ok(())
    }

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
                    slot => slot.insert(AudioGraph::new(Some(&frame), &filters(self.samples))?),
                };
                if let Err(error) = graph.push(&mut frame) {
                    self.context.warn(format!(
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
            slot => slot.insert(AudioGraph::new(None, &filters(self.samples))?),
        };
        graph.end()?;
        self.ended = true;
        if let Some(broken) = self.reader.as_ref().map(AudioReader::broken).filter(|broken| *broken > 0) {
            self.context.warn(format!("{broken} stretches of the sound are damaged and silent in the clip"));
        }
        Ok(())
    }
}

/// Sample times start at 0 with the span: earlier sound is cut, gaps are filled, the end is padded or cut to length.
fn filters(samples: u64) -> Vec<Filter> {
    let samples = samples.to_string();
    vec![
        Filter::new("aresample").with("sample_rate", SAMPLE_RATE.to_string()).with("async", "1").with("first_pts", "0"),
        Filter::new("aformat").with("sample_fmts", "fltp").with("channel_layouts", "stereo").with("sample_rates", SAMPLE_RATE.to_string()),
        Filter::new("apad").with("whole_len", samples.clone()),
        Filter::new("atrim").with("end_sample", samples),
        Filter::new("asetnsamples").with("nb_out_samples", AAC_FRAME.to_string()).with("pad", "0"),
        Filter::new("asetpts").with("expr", "N/SR/TB"),
    ]
}
