//! Renders a preview: segments of the output are drawn and encoded concurrently, each by one
//! thread.
//!
//! Most of the work on a draft is decoding, and frames that refer to each other are decoded one
//! after the other: two threads of one decoder take three quarters of the time of one (0.50 and
//! 0.68 s for 16 s of 1080p). Decoders of their own do not wait for each other.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

use super::draw::{Drawing, Drawn, FrameSink};
use super::ffmpeg::Files;
use super::frame_rate::source_of;
use super::pass::{AudioThread, Input, encoder};
use super::record::RenderRecord;
use super::soundtrack::Soundtrack;
use super::thread::{cause, join, spawn};
use crate::av::{Effort, Mp4Writer, Packet, VideoEncoder, VideoFrame, VideoReader};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

/// Segments are at least this long, in seconds of the output: each opens the source and the fonts.
const MIN_SECS: f64 = 2.0;
/// The packets of segments that end early are kept in memory, so long outputs have more segments.
const MAX_SECS: f64 = 60.0;
/// A segment starts with a keyframe of the source if there is one this near, as a share of a
/// segment's length. Otherwise the frames since that keyframe are decoded once more.
const NEAR: f64 = 0.15;

/// A segment that was rendered.
struct Segment {
    encoder: VideoEncoder,
    packets: Vec<Packet>,
    drawn: Drawn,
}

/// Renders the output. Returns the cover frame and the record that the file is verified against.
pub(super) fn run(cx: &Context, input: &Input<'_>, files: &Files, threads: usize) -> Result<(VideoFrame, RenderRecord)> {
    let threads = if threads > 0 { threads } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let segments = &split(cx, input, threads)?;
    // Cancelled if a part fails, so that the others stop.
    let cx = &cx.child();
    let (next, drawn) = (&AtomicUsize::new(0), &AtomicU64::new(0));
    std::thread::scope(|scope| {
        let (done, finished) = channel();
        let audio = spawn(scope, "clipkit-audio", cx, move || Soundtrack::make(cx, input))?;
        let worker = |_| {
            let done = done.clone();
            let work = move || {
                while let Some((n, frames)) = take(segments, next) {
                    // Receiving ends early only if writing has failed.
                    let _ = done.send((n, render(cx, input, &files.of_segment(n), frames, drawn)?));
                }
                Ok(())
            };
            spawn(scope, "clipkit-draw", cx, work)
        };
        let workers: Vec<_> = (0..threads.min(segments.len())).map(worker).collect::<Result<_>>()?;
        drop(done);
        let written = write(cx, input, files, segments.len(), &finished, audio);
        if written.is_err() {
            cx.cancel();
        }
        let mut rendered = Ok(());
        for worker in workers {
            rendered = cause(rendered, join(worker)).map(|((), ())| ());
        }
        cause(rendered, written).map(|((), written)| written)
    })
}

/// The next segment that nobody has taken.
fn take<'a>(segments: &'a [Range<u64>], next: &AtomicUsize) -> Option<(usize, &'a Range<u64>)> {
    let n = next.fetch_add(1, Ordering::Relaxed);
    segments.get(n).map(|frames| (n, frames))
}

/// Encodes each frame when it is drawn.
struct Encoding {
    encoder: VideoEncoder,
    packets: Vec<Packet>,
    spare: Option<VideoFrame>,
}

impl FrameSink for Encoding {
    fn put(&mut self, mut frame: VideoFrame) -> Result<()> {
        self.encoder.encode(&mut frame, &mut self.packets)?;
        self.spare = Some(frame);
        Ok(())
    }

    fn take_back(&mut self) -> Option<VideoFrame> {
        self.spare.take()
    }
}

fn render(cx: &Context, input: &Input<'_>, files: &Files, frames: &Range<u64>, drawn: &AtomicU64) -> Result<Segment> {
    let mut encoding = Encoding { encoder: encoder(input.plan, 1)?, packets: Vec::new(), spare: None };
    let drawing = Drawing { cx, input, files, threads: 1, effort: input.quality.effort(), drawn };
    let drawn = drawing.draw(frames, &mut encoding)?;
    let Encoding { mut encoder, mut packets, .. } = encoding;
    encoder.finish(&mut packets)?;
    Ok(Segment { encoder, packets, drawn })
}

/// Writes the segments in their order, with the audio.
fn write(
    cx: &Context,
    input: &Input<'_>,
    files: &Files,
    count: usize,
    finished: &Receiver<(usize, Segment)>,
    audio: AudioThread<'_>,
) -> Result<(VideoFrame, RenderRecord)> {
    let audio = join(audio)?;
    let mut record = RenderRecord { audio: audio.envelope, loudness: audio.loudness, ..RenderRecord::default() };
    let (mut encoded, mut file, mut cover) = (Some(audio.encoded), None, None);
    let (mut waiting, mut next) = (BTreeMap::new(), 0);
    for (n, segment) in finished {
        waiting.insert(n, segment);
        while let Some(Segment { encoder, packets, drawn }) = waiting.remove(&next) {
            if let Some(audio) = encoded.take() {
                file = Some(Mp4Writer::create(&files.video, &input.plan.title, &encoder, audio)?);
            }
            if let Some(file) = &mut file {
                packets.into_iter().try_for_each(|packet| file.write(packet))?;
            }
            record.frames.extend(drawn.record.frames);
            record.black_frames += drawn.record.black_frames;
            cover = cover.or(drawn.cover);
            next += 1;
        }
    }
    cx.check()?;
    // A segment is missing if its thread has failed; that thread's error is the cause.
    let file = file.filter(|_| next == count).ok_or_else(Error::cancelled)?;
    let cover = cover.ok_or_else(|| Error::new(ErrorKind::Encode, "the clip has no frame for its cover"))?;
    record.digests = file.finish()?;
    cx.progress(1.0);
    Ok((cover, record))
}

/// The segments of the output, as ranges of its frames.
fn split(cx: &Context, input: &Input<'_>, threads: usize) -> Result<Vec<Range<u64>>> {
    let parts = input.plan.parts()?;
    let secs = parts.frames() as f64 / input.plan.output.frame_rate.fps();
    let most = (secs / MIN_SECS) as usize;
    let count = threads.max((secs / MAX_SECS).ceil() as usize).min(most).max(1);
    if count == 1 {
        return Ok(std::iter::once(0..parts.frames()).collect());
    }
    let reader = VideoReader::open(cx, input.media, Effort::Sparse, 1)?;
    let (timeline, rate) = (input.plan.timeline(), input.plan.output.frame_rate);
    let clip_start = parts.intro_frames();
    // The frame that shows the keyframe at or before that of frame `n`, if it is in the same piece.
    let keyframe_before = |n: u64| {
        let n = n.checked_sub(clip_start).filter(|n| *n < parts.clip_frames())?;
        let (piece, at) = source_of(&timeline, rate, n).ok()?;
        let piece = timeline.pieces().get(piece)?;
        let keyframe = reader.keyframe_before(at).filter(|at| *at >= piece.source.start())?;
        Some(clip_start + (piece.clip_time(keyframe).secs() * rate.fps()).ceil() as u64)
    };
    Ok(segments(parts.frames(), count, keyframe_before))
}

/// Divides `total` frames into `count` segments of about the same length.
fn segments(total: u64, count: usize, keyframe_before: impl Fn(u64) -> Option<u64>) -> Vec<Range<u64>> {
    let length = total as f64 / count as f64;
    let near = (NEAR * length) as u64;
    let begin = |n: usize| {
        let exact = (length * n as f64) as u64;
        keyframe_before(exact + near).filter(|keyframe| keyframe.abs_diff(exact) <= near).unwrap_or(exact)
    };
    let begins: Vec<u64> = (0..=count)
        .map(|n| match n {
            0 => 0,
            _ if n == count => total,
            _ => begin(n),
        })
        .collect();
    begins.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::av;
    use crate::model::{
        Bumper, ClipPlan, ContentId, Crop, FrameRate, Layout, MediaRef, Output, Piece, PlanSource, Rect, Scene, Score, Span, Timestamp,
        WarningKind,
    };
    use crate::render::bumper::Bumpers;
    use crate::render::ffmpeg;
    use crate::render::pass::{self, Quality};
    use crate::testing::make_media;

    /// A clip of three pieces with an intro. The picture of its source ends after 10 s, before the
    /// last piece.
    fn plan(folder: &Path) -> ClipPlan {
        let (source, intro) = (folder.join("source.mp4"), folder.join("intro.mp4"));
        make_media(&source, "-f lavfi -i testsrc2=s=320x180:r=25:d=10 -f lavfi -i sine=d=14 -c:v libx264 -g 40 -bf 2 -c:a aac");
        make_media(&intro, "-f lavfi -i testsrc=s=160x90:r=25:d=3 -c:v libx264 -g 20");
        let media = MediaRef::new(source.to_string_lossy(), ContentId::new("test", ""));
        let secs = |start, end| Span::secs(start, end).unwrap();
        let layout = Layout::Fill { crop: Crop::still(Rect::new(0.3, 0.0, 0.3, 1.0)) };
        let mut plan = ClipPlan::new(
            PlanSource::new(media, 320, 180, Timestamp::from_secs(14.0)),
            secs(1.0, 13.0),
            "segments",
            Score::of(1.0),
            vec![Scene::new(secs(0.0, 9.5), layout)],
            Output::h264(90, 160, FrameRate::new(25, 1)),
        );
        plan.pieces = vec![Piece::new(secs(1.0, 5.0)), Piece { speed: 1.25, ..Piece::new(secs(6.0, 11.0)) }, Piece::new(secs(11.5, 13.0))];
        plan.intro = Some(Bumper::new(intro.to_string_lossy()));
        plan
    }

    #[test]
    fn segments_have_the_frames_of_one_rendering() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path());
        let rendered = [1, 4].map(|threads| {
            let cx = Context::new();
            let bumpers = Bumpers::open(&cx, &plan).unwrap();
            let plan = bumpers.measured(&plan);
            let media = av::probe(&cx, Path::new(&plan.source.media.uri), plan.source.media.id.clone()).unwrap();
            let input = Input { plan: &plan, media: &media, bumpers: &bumpers, quality: Quality::Sheet };
            assert_eq!(split(&cx, &input, threads).unwrap().len(), threads);
            let at = |ending: &str| folder.path().join(format!("{threads}.{ending}"));
            let files = Files { video: at("mp4"), cover: at("jpg"), captions: at("ass") };
            let (_, record) = pass::run(&cx, &input, &files, threads).unwrap();
            assert_eq!(record.frames.len(), 313);
            let warnings: Vec<_> = cx.warnings().into_iter().map(|warning| (warning.kind, warning.message)).collect();
            assert!(matches!(&warnings[..], [(WarningKind::InputLost, message)] if message.contains("ends")), "{warnings:?}");
            (record.frames, warnings)
        });
        assert_eq!(rendered[0], rendered[1]);
    }

    #[test]
    fn a_draft_in_segments_passes_verification() {
        let folder = tempfile::tempdir().unwrap();
        let cx = Context::new();
        let clip = ffmpeg::render(&cx, &plan(folder.path()), 3, Quality::Draft).unwrap();
        assert_eq!(clip.frames, 313);
        assert!(cx.warnings().iter().all(|warning| warning.kind == WarningKind::InputLost), "{:?}", cx.warnings());
    }

    #[test]
    fn a_cancelled_draft_leaves_no_thread_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let cx = Context::new();
        cx.cancel();
        let error = ffmpeg::render(&cx, &plan(folder.path()), 3, Quality::Draft).unwrap_err();
        assert!(error.is_cancelled(), "{error}");
    }

    #[test]
    fn segments_start_with_keyframes_that_are_near() {
        assert_eq!(segments(100, 2, |_| None), [0..50, 50..100]);
        assert_eq!(segments(100, 2, |n| Some(n / 12 * 12)), [0..48, 48..100]);
        assert_eq!(segments(100, 2, |n| Some(n / 40 * 40)), [0..50, 50..100], "too far");
        assert_eq!(segments(100, 3, |n| Some(n / 10 * 10)), [0..30, 30..70, 70..100]);
    }

    proptest::proptest! {
        #[test]
        fn segments_cover_every_frame_once(total in 1_u64..100_000, count in 1_usize..50, keyframes in 1_u64..1000) {
            let count = count.min(total as usize);
            let segments = segments(total, count, |n| Some(n / keyframes * keyframes));
            proptest::prop_assert_eq!(segments.len(), count);
            proptest::prop_assert!(segments.iter().all(|frames| frames.start < frames.end), "{:?}", segments);
            proptest::prop_assert!(segments.windows(2).all(|pair| pair[0].end == pair[1].start));
            proptest::prop_assert_eq!((segments[0].start, segments[count - 1].end), (0, total));
        }
    }
}
