use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::ScopedJoinHandle;

use super::bumper::{Bumpers, OpenBumper};
use super::ffmpeg::Files;
use super::pictures::Pictures;
use super::record::RenderRecord;
use super::soundtrack::Soundtrack;
use super::thread::{join, spawn};
use crate::av::{AacCoder, Effort, Mp4Writer, VideoEncoder, VideoFrame, VideoSettings};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Media};

/// The position of the cover frame as a fraction of the clip; the first frame is often a blink or a
/// blur.
const COVER_AT: f64 = 0.25;
/// The most frames that wait for the encoder; each is 3 MB at 1080x1920.
const FRAME_QUEUE: usize = 1;
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
    fn effort(self) -> Effort {
        match self {
            Quality::Final => Effort::Exact,
            Quality::Sheet => Effort::Analysis,
            Quality::Draft => Effort::Sparse,
        }
    }

    /// How many of a rendering's threads decode, concurrently with the encoder: decoding and
    /// scaling are a third of the work on a clip, and most of it on a draft.
    fn decoding_threads(self, threads: usize) -> usize {
        if self == Quality::Final { threads.div_ceil(2) } else { threads }
    }

    pub(super) fn aac_coder(self) -> AacCoder {
        if self == Quality::Final { AacCoder::TwoLoop } else { AacCoder::Fast }
    }
}

/// Renders the clip with intro and outro in one pass over its pieces. Returns the cover frame, and
/// the record that the file is verified against.
///
/// Three threads share the work: this one renders the frames, one encodes and writes them, and one
/// makes the audio. An error of one of them stops the others.
pub(super) fn run(cx: &Context, input: &Input<'_>, files: &Files, threads: usize) -> Result<(VideoFrame, RenderRecord)> {
    // Cancelled if a part fails, so that the others stop.
    let cx = &cx.child();
    std::thread::scope(|scope| {
        let (frames, to_encode) = sync_channel(FRAME_QUEUE);
        let (recycle, returned) = channel();
        let audio = spawn(scope, "clipkit-audio", cx, move || Soundtrack::make(cx, input))?;
        let encoding = spawn(scope, "clipkit-encode", cx, move || write(cx, input.plan, files, threads, &to_encode, &recycle, audio))?;
        let rendered = frame(cx, input, files, input.quality.decoding_threads(threads), &frames, &returned);
        if rendered.is_err() {
            cx.cancel();
        }
        drop(frames);
        match (rendered, join(encoding)) {
            (Ok((cover, recorded)), Ok(written)) => {
                Ok((cover, RenderRecord { frames: recorded.frames, black_frames: recorded.black_frames, ..written }))
            }
            // A cancelled part is a consequence; the other part's error is the cause.
            (Err(stopped), Err(error)) if stopped.is_cancelled() => Err(error),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    })
}

/// Renders the frames of intro, clip and outro. Returns the cover frame, which is one of the clip,
/// and the record of all frames.
fn frame(
    cx: &Context,
    input: &Input<'_>,
    files: &Files,
    threads: usize,
    frames: &SyncSender<VideoFrame>,
    returned: &Receiver<VideoFrame>,
) -> Result<(VideoFrame, RenderRecord)> {
    let &Input { plan, media, bumpers, quality } = input;
    let how = (threads, quality.effort());
    let total = plan.parts()?.frames();
    let mut out = Drawing { cx, frames, returned, record: RenderRecord::default(), drawn: 0, total };
    // First, so that what is wrong with the clip is known before its intro is rendered.
    let mut clip = Pictures::of_clip(cx, plan, media, files, how)?;
    let bumper = |out: &mut Drawing<'_>, bumper: &OpenBumper| {
        let mut pictures = Pictures::of_bumper(cx, bumper, files, how)?;
        out.draw(&mut pictures, bumper.frames(), None)?;
        pictures.report(cx, &format!("the {}'s", bumper.name), bumper.name);
        Ok::<(), Error>(())
    };
    bumpers.intro.iter().try_for_each(|intro| bumper(&mut out, intro))?;
    let cover_at = (plan.frames() as f64 * COVER_AT) as u64;
    let cover = out.draw(&mut clip, plan.frames(), Some(cover_at))?;
    clip.report(cx, "the source's", "clip");
    drop(clip);
    bumpers.outro.iter().try_for_each(|outro| bumper(&mut out, outro))?;
    cx.progress(1.0);
    let cover = cover.ok_or_else(|| Error::new(ErrorKind::Encode, "the clip has no frame for its cover"))?;
    Ok((cover, out.record))
}

/// The frames on their way to the encoder.
struct Drawing<'a> {
    cx: &'a Context,
    frames: &'a SyncSender<VideoFrame>,
    returned: &'a Receiver<VideoFrame>,
    record: RenderRecord,
    /// The number of frames so far, and of the output.
    drawn: u64,
    total: u64,
}

impl Drawing<'_> {
    /// Draws the frames of a part. Returns a copy of its frame `kept`.
    fn draw(&mut self, pictures: &mut Pictures, count: u64, kept: Option<u64>) -> Result<Option<VideoFrame>> {
        let mut copy = None;
        for n in 0..count {
            self.cx.check()?;
            self.returned.try_iter().for_each(|frame| pictures.recycle(frame));
            let mut frame = pictures.draw(n, &mut self.record)?;
            frame.set_pts(Some(self.drawn as i64));
            if Some(n) == kept {
                copy = Some(frame.clone());
            }
            // Sending fails only if the encoder's thread has failed.
            self.frames.send(frame).map_err(|_| Error::cancelled())?;
            if self.drawn.is_multiple_of(8) {
                self.cx.progress(self.drawn as f64 / self.total as f64);
            }
            self.drawn += 1;
        }
        Ok(copy)
    }
}

type AudioThread<'scope> = ScopedJoinHandle<'scope, Result<Soundtrack>>;

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
    let mut encoder = VideoEncoder::open(&VideoSettings {
        width: plan.output.width,
        height: plan.output.height,
        frame_rate: plan.output.frame_rate,
        preset: plan.output.preset.name(),
        crf: plan.output.crf,
        threads,
    })?;
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
