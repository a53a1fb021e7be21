use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::ScopedJoinHandle;

use super::ffmpeg::Files;
use super::frame::Framer;
use super::frame_rate::FrameRateConverter;
use super::part::{join, spawn};
use super::record::{LOOK, RenderRecord};
use super::soundtrack::Soundtrack;
use crate::av::{Mp4Writer, Thumbnailer, VideoEncoder, VideoFrame, VideoSettings};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Media};

/// The cover is taken this far into the clip: the first frame is often a blink or a blur.
const COVER_AT: f64 = 0.25;
/// A picture that ends this long before its clip is worth a warning.
const HELD_SECS: f64 = 1.0;
/// So many frames wait for the encoder at most: each is 3 MB at 1080x1920.
const WAITING: usize = 1;
/// So many encoded frames wait for the sound at most, which is done in a tenth of the picture's time.
const EARLY: usize = 256;

/// Makes the clip in one pass over its span and answers the frame for its cover, and what the file has to hold.
///
/// Three threads share the work: this one frames the pictures, one encodes and writes them, one makes the sound. What ends one of them
/// ends the others.
pub(super) fn run(cx: &Context, plan: &ClipPlan, media: &Media, files: &Files, threads: usize) -> Result<(VideoFrame, RenderRecord)> {
    // Cancelled where a part fails, so that the others stop.
    let cx = &cx.child();
    std::thread::scope(|scope| {
        let (frames, to_encode) = sync_channel(WAITING);
        let (done, spare) = channel();
        let sound = spawn(scope, "clipkit-sound", cx, move || Soundtrack::make(cx, plan, media))?;
        let writing = spawn(scope, "clipkit-encode", cx, move || write(cx, plan, files, threads, &to_encode, &done, sound))?;
        // Decoding and scaling are a third of the work, beside the encoder.
        let framed = frame(cx, plan, media, files, threads.div_ceil(2), &frames, &spare);
        if framed.is_err() {
            cx.cancel();
        }
        drop(frames);
        match (framed, join(writing)) {
            (Ok((cover, seen)), Ok(written)) => {
                Ok((cover, RenderRecord { pictures: seen.pictures, blacked_out: seen.blacked_out, ..written }))
            }
            // What was stopped is not what went wrong.
            (Err(stopped), Err(error)) if stopped.is_cancelled() => Err(error),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    })
}

/// Frames the clip's pictures, and answers the one for its cover and what was seen of them.
fn frame(
    cx: &Context,
    plan: &ClipPlan,
    media: &Media,
    files: &Files,
    threads: usize,
    frames: &SyncSender<VideoFrame>,
    spare: &Receiver<VideoFrame>,
) -> Result<(VideoFrame, RenderRecord)> {
    let mut shutter = FrameRateConverter::open(cx, plan, media, threads)?;
    let mut framer = Framer::new(cx, plan, media, files, threads)?;
    let mut look = Thumbnailer::new(media.require_video()?, LOOK);
    let mut witness = RenderRecord::default();
    let count = plan.frames();
    let cover_at = (count as f64 * COVER_AT) as u64;
    let mut cover = None;
    for n in 0..count {
        cx.check()?;
        spare.try_iter().for_each(|frame| framer.give_back(frame));
        let source = shutter.at(n)?;
        let frame = framer.apply(source, n)?;
        witness.see(&frame, source, &mut look)?;
        if n == cover_at {
            cover = Some(frame.clone());
        }
        // Nobody takes it where the encoder has failed.
        frames.send(frame).map_err(|_| Error::cancelled())?;
        if n % 8 == 0 {
            cx.progress(n as f64 / count as f64);
        }
    }
    if shutter.held > HELD_SECS {
        cx.warn(format!("the source's picture ends {:.1} s before the clip does; its last frame stands", shutter.held));
    }
    cx.progress(1.0);
    let cover = cover.ok_or_else(|| Error::new(ErrorKind::Encode, "the clip has no frame for its cover"))?;
    Ok((cover, witness))
}

type Making<'scope> = ScopedJoinHandle<'scope, Result<Soundtrack>>;

/// Encodes the frames that come, and writes them beside the sound. Answers what was heard and written. Frames go back through `done`.
fn write(
    cx: &Context,
    plan: &ClipPlan,
    files: &Files,
    threads: usize,
    frames: &Receiver<VideoFrame>,
    done: &Sender<VideoFrame>,
    sound: Making<'_>,
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
    // Whether a frame came; after the last one nobody takes it back.
    let next = |encoder: &mut VideoEncoder, packets: &mut Vec<_>| -> Result<bool> {
        let Ok(mut frame) = frames.recv() else { return Ok(false) };
        encoder.encode(&mut frame, packets)?;
        let _ = done.send(frame);
        Ok(true)
    };
    while !sound.is_finished() && packets.len() < EARLY && next(&mut encoder, &mut packets)? {}
    let sound = join(sound)?;
    let mut file = Mp4Writer::create(&files.video, &plan.title, &encoder, sound.encoded)?;
    loop {
        packets.drain(..).try_for_each(|packet| file.write(packet))?;
        if !next(&mut encoder, &mut packets)? {
            break;
        }
    }
    // Without it the frames may have ended early.
    cx.check()?;
    encoder.finish(&mut packets)?;
    packets.drain(..).try_for_each(|packet| file.write(packet))?;
    Ok(RenderRecord { sound: sound.course, loudness: sound.loudness, seals: file.finish()?, ..RenderRecord::default() })
}
