use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::ScopedJoinHandle;

use super::ffmpeg::Files;
use super::frame::FrameRenderer;
use super::frame_rate::FrameRateConverter;
use super::record::{RenderRecord, THUMBNAIL};
use super::soundtrack::Soundtrack;
use super::thread::{join, spawn};
use crate::av::{Effort, Mp4Writer, Thumbnailer, VideoEncoder, VideoFrame, VideoSettings};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Media, WarningKind};

/// The position of the cover frame as a fraction of the clip; the first frame is often a blink or a
/// blur.
const COVER_AT: f64 = 0.25;
/// A video stream that ends this many seconds before its clip gets a warning.
const SHORT_VIDEO_SECS: f64 = 1.0;
/// The most frames that wait for the encoder; each is 3 MB at 1080x1920.
const FRAME_QUEUE: usize = 1;
/// The most video packets that wait for the audio, which is finished in a tenth of the video's
/// time.
const MAX_PENDING_PACKETS: usize = 256;

/// Renders the clip in one pass over its pieces. Returns the cover frame, and the record that the
/// file is verified against.
///
/// Three threads share the work: this one renders the frames, one encodes and writes them, and one
/// makes the audio. An error of one of them stops the others.
pub(super) fn run(
    cx: &Context,
    plan: &ClipPlan,
    media: &Media,
    files: &Files,
    (threads, effort): (usize, Effort),
) -> Result<(VideoFrame, RenderRecord)> {
    // Cancelled if a part fails, so that the others stop.
    let cx = &cx.child();
    std::thread::scope(|scope| {
        let (frames, to_encode) = sync_channel(FRAME_QUEUE);
        let (recycle, returned) = channel();
        let audio = spawn(scope, "clipkit-audio", cx, move || Soundtrack::make(cx, plan, media))?;
        let encoding = spawn(scope, "clipkit-encode", cx, move || write(cx, plan, files, threads, &to_encode, &recycle, audio))?;
        // Decoding and scaling take a third of the work, concurrently with the encoder.
        let rendered = frame(cx, plan, media, files, (threads.div_ceil(2), effort), &frames, &returned);
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

/// Renders the clip's frames. Returns the cover frame and the record of all frames.
fn frame(
    cx: &Context,
    plan: &ClipPlan,
    media: &Media,
    files: &Files,
    (threads, effort): (usize, Effort),
    frames: &SyncSender<VideoFrame>,
    returned: &Receiver<VideoFrame>,
) -> Result<(VideoFrame, RenderRecord)> {
    let mut converter = FrameRateConverter::open(cx, plan, media, threads, effort)?;
    let mut renderer = FrameRenderer::new(cx, plan, media, files, threads)?;
    let mut thumbnailer = Thumbnailer::new(media.require_video()?, THUMBNAIL);
    let mut record = RenderRecord::default();
    let count = plan.frames();
    let cover_at = (count as f64 * COVER_AT) as u64;
    let mut cover = None;
    for n in 0..count {
        cx.check()?;
        returned.try_iter().for_each(|frame| renderer.recycle(frame));
        let shown = converter.at(n)?;
        let frame = renderer.apply(&shown, n)?;
        record.add_frame(&frame, shown.picture, &mut thumbnailer, renderer.is_covered(n))?;
        if n == cover_at {
            cover = Some(frame.clone());
        }
        // Sending fails only if the encoder's thread has failed.
        frames.send(frame).map_err(|_| Error::cancelled())?;
        if n % 8 == 0 {
            cx.progress(n as f64 / count as f64);
        }
    }
    if converter.missing_secs > SHORT_VIDEO_SECS {
        cx.warn_of(
            WarningKind::InputLost,
            format!("the source's video ends {:.1} s before the clip; the last frame is repeated", converter.missing_secs),
        );
    }
    cx.progress(1.0);
    let cover = cover.ok_or_else(|| Error::new(ErrorKind::Encode, "the clip has no frame for its cover"))?;
    Ok((cover, record))
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
