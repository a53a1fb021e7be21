use std::ffi::OsString;
use std::path::Path;

use ff::{Packet, Rational, format};
use ffmpeg_next as ff;

use super::aac::{AAC_FRAME, AacCoder, AudioEncoder};
use super::audio::AudioReader;
use super::graph::{AudioGraph, Filter};
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::model::{Media, Span};

/// The sample rate that speech models expect, in samples per second.
pub(crate) const RATE: u32 = 16_000;
const BITRATE: u32 = 48_000;
/// The length of the blocks that [`listen`] passes on, in seconds.
pub(crate) const LEVEL_SECS: f64 = 0.05;
const LEVEL_SAMPLES: usize = (RATE as f64 * LEVEL_SECS) as usize;

/// The audio of a span as mono samples at 16 kHz, from -1 to 1. Empty if there is no audio.
pub(crate) fn samples(cx: &Context, media: &Media, span: Span) -> Result<Vec<f32>> {
    let mut samples = Vec::new();
    listen(cx, media, span, &mut |piece| samples.extend_from_slice(piece))?;
    Ok(samples)
}

/// Passes the audio of a span to `take` in blocks of [`LEVEL_SECS`]: mono samples at 16 kHz, from
/// -1 to 1. `take` is not called if there is no audio.
pub(crate) fn listen(cx: &Context, media: &Media, span: Span, take: &mut dyn FnMut(&[f32])) -> Result<()> {
    read(cx, media, span, &filters(samples_in(span), LEVEL_SAMPLES), &mut |frame| {
        take(frame.plane::<f32>(0));
        Ok(())
    })
}

/// Writes the audio of a span to a mono M4A file for a speech API, about 6 kB per second.
pub(crate) fn extract(cx: &Context, media: &Media, span: Span, path: &Path) -> Result<()> {
    let failure = |code| super::ff_error(ErrorKind::Encode, "write the audio", code).with_path(path);
    let mut url = OsString::from("file:");
    url.push(path);
    let mut output = format::output_as(Path::new(&url), "ipod").map_err(failure)?;
    let mut encoder = AudioEncoder::open(RATE, 1, BITRATE, AacCoder::TwoLoop)?;
    output.add_stream(None::<ff::Codec>).map_err(failure)?.set_parameters(encoder.parameters());
    output.write_header().map_err(failure)?;
    let base = Rational(1, RATE as i32);
    let target = output.stream(0).map_or(base, |stream| stream.time_base());
    let mut write = |packets: Vec<Packet>| {
        packets.into_iter().try_for_each(|mut packet| {
            packet.set_stream(0);
            packet.rescale_ts(base, target);
            packet.write_interleaved(&mut output).map_err(failure)
        })
    };
    read(cx, media, span, &filters(samples_in(span), AAC_FRAME), &mut |frame| {
        encoder.encode(frame)?;
        write(encoder.take())
    })?;
    write(encoder.finish()?.packets)?;
    output.write_trailer().map_err(failure)
}

fn samples_in(span: Span) -> u64 {
    (span.duration().as_secs_f64() * f64::from(RATE)).round() as u64
}

/// Filters that convert to mono, from the span's start, with exactly `samples` samples in frames of
/// `frame` samples.
fn filters(samples: u64, frame: usize) -> Vec<Filter> {
    let rate = RATE.to_string();
    vec![
        Filter::new("aresample").with("sample_rate", rate.clone()).with("async", "1").with("first_pts", "0"),
        Filter::new("aformat").with("sample_fmts", "fltp").with("channel_layouts", "mono").with("sample_rates", rate),
        Filter::new("atrim").with("end_sample", samples.to_string()),
        Filter::new("asetnsamples").with("nb_out_samples", frame.to_string()).with("pad", "0"),
        Filter::new("asetpts").with("expr", "N/SR/TB"),
    ]
}

/// Decodes the audio of a span and passes the filtered frames to `take`.
fn read(cx: &Context, media: &Media, span: Span, filters: &[Filter], take: &mut dyn FnMut(&ff::frame::Audio) -> Result<()>) -> Result<()> {
    let Some(mut reader) = AudioReader::open(cx, media, span.start())? else { return Ok(()) };
    let mut graph: Option<AudioGraph> = None;
    while let Some((at, mut frame)) = reader.next()? {
        if at >= span.end() {
            break;
        }
        let graph = match &mut graph {
            Some(graph) => graph,
            slot => slot.insert(AudioGraph::new(Some(&frame), filters)?),
        };
        graph.push(&mut frame)?;
        while let Some(frame) = graph.pull()? {
            take(&frame)?;
        }
    }
    if let Some(mut graph) = graph {
        graph.end()?;
        while let Some(frame) = graph.pull()? {
            take(&frame)?;
        }
    }
    Ok(())
}
