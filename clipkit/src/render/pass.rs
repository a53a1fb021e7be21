use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::ScopedJoinHandle;

use super::bumper::Bumpers;
use super::draw::{Drawing, Drawn, FrameSink};
use super::ffmpeg::Files;
use super::record::RenderRecord;
use super::segments;
use super::soundtrack::Soundtrack;
use super::thread::{cause, join, spawn};
use crate::av::{AacCoder, Effort, Mp4Writer, VideoEncoder, VideoFrame, VideoSettings};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Media};

/// The most video packets that wait for the audio, which is finished in a tenth of the video's
/// time.
const MAX_PENDING_PACKETS: usize = 256;

/// What is rendered.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    /// The plan, with the measured lengths of its bumpers.
    pub(super) plan: &'a ClipPlan,
    /// The source.
    pub(super) media: &'a Media,
    pub(super) bumpers: &'a Bumpers,
    pub(super) quality: Quality,
}

/// What the rendering is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quality {
    /// A clip to publish.
    Final,
    /// Frames to look at: the source is decoded without the loop filter.
    Sheet,
    /// A draft to watch: mostly without frames that no other frame refers to, with a fast search in
    /// the AAC encoder.
    Draft,
}

impl Quality {
    pub(super) fn effort(self) -> Effort {
        match self {
            Quality::Final => Effort::Exact,
            Quality::Sheet => Effort::Analysis,
            Quality::Draft => Effort::Sparse,
        }
    }

    pub(super) fn aac_coder(self) -> AacCoder {
        if self == Quality::Final { AacCoder::TwoLoop } else { AacCoder::Fast }
    }
}

/// Renders the clip with intro and outro in one pass over its pieces. Returns the cover frame, and
/// the record that the file is verified against.
///
/// Three threads share the work on a clip to publish: this one renders the frames, one encodes and
/// writes them, and one makes the audio. An error of one of them stops the others. Previews are
/// rendered in [`segments`].
pub(super) fn run(cx: &Context, input: &Input<'_>, files: &Files, threads: usize) -> Result<(VideoFrame, RenderRecord)> {
    if input.quality != Quality::Final {
        return segments::run(cx, input, files, threads);
    }
    // Cancelled if a part fails, so that the others stop.
    let cx = &cx.child();
    let total = input.plan.parts()?.frames();
    std::thread::scope(|scope| {
        // No queue: a frame takes 3 MB at 1080x1920, and the encoder queues frames itself.
        let (frames, to_encode) = sync_channel(0);
        let (recycle, returned) = channel();
        let audio = spawn(scope, "clipkit-audio", cx, move || Soundtrack::make(cx, input))?;
        let encoding = spawn(scope, "clipkit-encode", cx, move || write(cx, input.plan, files, threads, &to_encode, &recycle, audio))?;
        // Decoding and scaling are a third of the work on a clip.
        let drawing = Drawing { cx, input, files, threads: threads.div_ceil(2), effort: input.quality.effort(), drawn: &AtomicU64::new(0) };
        let drawn = drawing.draw(&(0..total), &mut ToEncoder { frames, returned });
        match &drawn {
            Ok(_) => cx.progress(1.0),
            Err(_) => cx.cancel(),
        }
        let (Drawn { cover, record }, written) = cause(drawn, join(encoding))?;
        let cover = cover.ok_or_else(|| Error::new(ErrorKind::Encode, "the clip has no frame for its cover"))?;
        Ok((cover, RenderRecord { frames: record.frames, black_frames: record.black_frames, ..written }))
    })
}

/// Sends frames to the encoder's thread.
struct ToEncoder {
    frames: SyncSender<VideoFrame>,
    returned: Receiver<VideoFrame>,
}

impl FrameSink for ToEncoder {
    fn put(&mut self, frame: VideoFrame) -> Result<()> {
        // Sending fails only if the encoder's thread has failed.
        self.frames.send(frame).map_err(|_| Error::cancelled())
    }

    fn take_back(&mut self) -> Option<VideoFrame> {
        self.returned.try_recv().ok()
    }
}

/// The thread that makes the audio.
pub(super) type AudioThread<'scope> = ScopedJoinHandle<'scope, Result<Soundtrack>>;

/// Encodes the frames received and writes them with the audio. Returns the record of the audio and
/// of all packets. Frames are returned through `recycle`.
fn write(
    cx: &Context,
    plan: &ClipPlan,
    files: &Files,
    threads: usize,
    frames: &Receiver<VideoFrame>,
    recycle: &Sender<VideoFrame>,
    audio: AudioThread<'_>,
) -> Result<RenderRecord> {
    let mut encoder = encoder(plan, threads)?;
    let mut packets = Vec::new();
    // Returns whether a frame was received. After the last frame nobody receives returned ones.
    let next = |encoder: &mut VideoEncoder, packets: &mut Vec<_>| -> Result<bool> {
        let Ok(mut frame) = frames.recv() else { return Ok(false) };
        encoder.encode(&mut frame, packets)?;
        let _ = recycle.send(frame);
        Ok(true)
    };
    while !audio.is_finished() && packets.len() < MAX_PENDING_PACKETS && next(&mut encoder, &mut packets)? {}
    let audio = join(audio)?;
    let mut file = Mp4Writer::create(&files.video, &plan.title, &encoder, audio.encoded)?;
    loop {
        packets.drain(..).try_for_each(|packet| file.write(packet))?;
        if !next(&mut encoder, &mut packets)? {
            break;
        }
    }
    // If the work was cancelled, the frames may have ended early.
    cx.check()?;
    encoder.finish(&mut packets)?;
    packets.drain(..).try_for_each(|packet| file.write(packet))?;
    Ok(RenderRecord { audio: audio.envelope, loudness: audio.loudness, digests: file.finish()?, ..RenderRecord::default() })
}

/// Opens the encoder for the plan's output.
pub(super) fn encoder(plan: &ClipPlan, threads: usize) -> Result<VideoEncoder> {
    VideoEncoder::open(&VideoSettings {
        width: plan.output.width,
        height: plan.output.height,
        frame_rate: plan.output.frame_rate,
        preset: plan.output.preset.name(),
        crf: plan.output.crf,
        threads,
    })
}
