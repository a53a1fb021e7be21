use std::collections::VecDeque;

use ff::codec::discard::Discard;
use ff::ffi;
use ffmpeg_next as ff;

use super::input::Input;
use super::picture::Picture;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Timestamp};

/// The number of consecutive broken packets after which the file counts as damaged.
const MAX_BROKEN: usize = 300;

/// How exactly frames are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// All frames, exact.
    Exact,
    /// All frames, faster and slightly blurred, because the loop filter is skipped. For analysis.
    Analysis,
    /// As [`Effort::Analysis`], but non-reference frames are skipped, often every second frame.
    /// Falls back to [`Effort::Analysis`] if the remaining frames are more than 0.125 s apart or
    /// have no timestamps.
    Sparse,
}

/// The greatest distance between frames of a sparse reading, in seconds.
const MAX_SPARSE_GAP: f64 = 0.125;
/// The number of packets and bytes that are read ahead at most after a seek, to find the frames
/// before the target.
const MAX_LOOKAHEAD_PACKETS: usize = 1500;
const MAX_LOOKAHEAD_BYTES: usize = 16 << 20;
/// A seek pays off if it skips at least this much video, in seconds. It empties the decoder, so
/// that frames in flight are decoded again.
const MIN_SKIPPED: f64 = 0.5;
/// A container's index has the times of decoding. A keyframe is shown up to about this much later,
/// in seconds.
const MAX_REORDER: f64 = 0.25;
/// For containers without an index: the gap from which a seek is assumed to skip anything, in
/// seconds. Most encoders write a keyframe at least this often.
const LONGEST_GOP: f64 = 10.0;

/// Decodes the video stream frame by frame, in display order.
pub(crate) struct VideoReader {
    input: Input,
    stream: usize,
    base: ff::Rational,
    decoder: ff::decoder::Video,
    effort: Effort,
    threads: usize,
    /// The duration of a frame in seconds, for frames without a timestamp.
    step: f64,
    /// The size of the frames whose pixel aspect the container states, which counts more than that
    /// of the frames.
    container_aspect: Option<(u32, u32)>,
    last: Option<Timestamp>,
    pending: Option<Picture>,
    /// Packets that were read ahead.
    lookahead: VecDeque<ff::Packet>,
    /// Before this timestamp, in the stream's time base, only reference frames are decoded.
    decode_all_from: i64,
    draining: bool,
    broken: usize,
    /// The number of packets decoded and frames returned since the last seek.
    count: (usize, usize),
}

impl VideoReader {
    /// Opens the video stream of `media` at its start. `threads` is the number of decoder threads;
    /// 0 lets FFmpeg choose.
    pub(crate) fn open(cx: &Context, media: &Media, effort: Effort, threads: usize) -> Result<Self> {
        let video = media.require_video()?;
        let mut input = Input::open(cx, &media.path)?;
        let stream = video.index;
        input.keep_only(stream);
        let (base, decoder) = open_decoder(&input, stream, effort, threads)?;
        let step = 1.0 / video.frame_rate.fps().max(0.1);
        // SAFETY: the stream belongs to the open demuxer.
        let stated = input.demuxer.stream(stream).is_some_and(|stream| unsafe { (*stream.as_ptr()).sample_aspect_ratio.num > 0 });
        Ok(VideoReader {
            input,
            stream,
            base,
            decoder,
            effort,
            threads,
            step,
            container_aspect: stated.then_some((video.width, video.height)),
            last: None,
            pending: None,
            lookahead: VecDeque::new(),
            decode_all_from: i64::MIN,
            draining: false,
            broken: 0,
            count: (0, 0),
        })
    }

    /// The last keyframe at or before a time, by the container's index. `None` if it has none.
    pub(crate) fn keyframe_before(&self, at: Timestamp) -> Option<Timestamp> {
        self.input.keyframe_before(self.stream, at)
    }

    /// Seeks so that the next frame is the one shown at `to`, or an earlier one.
    pub(crate) fn seek(&mut self, to: Timestamp) -> Result<()> {
        // The indexes of some containers point past the requested frame: seek further back until
        // the first frame is early enough. The picture may have ended long before: its last
        // keyframe is then the place.
        let last_keyframe = self.input.keyframe_before(self.stream, to).unwrap_or(Timestamp::ZERO);
        for target in [to, to.plus(-4.0), to.plus(-20.0), last_keyframe] {
            let target = target.max(Timestamp::ZERO);
            if target == Timestamp::ZERO || !self.input.seek(target) {
                break;
            }
            self.restart();
            self.read_ahead(to)?;
            match self.next()? {
                Some(first) if first.at() <= to => {
                    self.pending = Some(first);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.rewind()
    }

    /// Continues so that the next frame is the one shown at `to`, or an earlier one. Reads on if
    /// `to` is ahead and no keyframe between would save decoding, else seeks. Returns whether it
    /// sought, in which case the next frame does not continue the frames before.
    pub(crate) fn go_to(&mut self, to: Timestamp) -> Result<bool> {
        match self.last {
            Some(last) if last <= to && !self.pays_to_seek(last, to) => {
                self.read_ahead(to)?;
                Ok(false)
            }
            _ => {
                self.seek(to)?;
                Ok(true)
            }
        }
    }

    /// Returns whether a seek to `to` would decode less than reading on from `last`.
    fn pays_to_seek(&self, last: Timestamp, to: Timestamp) -> bool {
        if to.since(last).secs() < MIN_SKIPPED {
            return false;
        }
        match self.input.keyframe_before(self.stream, to.plus(-MAX_REORDER)) {
            Some(keyframe) => keyframe.since(last).secs() >= MIN_SKIPPED,
            None => to.since(last).secs() >= LONGEST_GOP,
        }
    }

    /// Returns the next frame, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Picture>> {
        if let Some(picture) = self.pending.take() {
            return Ok(Some(picture));
        }
        let mut packet = ff::Packet::empty();
        loop {
            self.input.context().check()?;
            let mut frame = ff::frame::Video::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => {
                    self.broken = 0;
                    return Ok(Some(self.picture_of(frame)));
                }
                Err(ff::Error::Eof) => return Ok(None),
                Err(ff::Error::Other { errno: ff::error::EAGAIN }) => {}
                Err(code) => self.tolerate(code)?,
            }
            if self.draining {
                continue;
            }
            if self.read(&mut packet)? {
                if packet.stream() == self.stream {
                    self.count.0 += 1;
                    self.set_skip_frame(&packet);
                    if let Err(code) = self.decoder.send_packet(&packet) {
                        self.tolerate(code)?;
                    }
                }
            } else {
                self.draining = true;
                if let Err(code) = self.decoder.send_eof() {
                    self.tolerate(code)?;
                }
            }
        }
    }

    /// Returns whether non-reference frames may have been skipped since the last seek.
    pub(crate) fn is_sparse(&self) -> bool {
        // The most packets that a decoder holds: its reorder buffer and one per thread.
        let inside = 16 + self.threads.max(16);
        self.count.0 > self.count.1 + inside || (self.effort == Effort::Sparse && self.count.0 <= inside)
    }

    /// Decodes all frames from now on.
    pub(crate) fn read_every_frame(&mut self) {
        if self.effort == Effort::Sparse {
            self.effort = Effort::Analysis;
        }
    }

    fn read(&mut self, packet: &mut ff::Packet) -> Result<bool> {
        match self.lookahead.pop_front() {
            Some(waiting) => {
                *packet = waiting;
                Ok(true)
            }
            None => self.input.read(packet),
        }
    }

    /// Reads the packets before `to` to find out which frames before it are not needed.
    fn read_ahead(&mut self, to: Timestamp) -> Result<()> {
        let (mut times, mut bytes) = (Vec::new(), 0);
        for packet in &self.lookahead {
            let (Some(pts), Some(dts)) = (packet.pts(), packet.dts()) else { return Ok(()) };
            bytes += packet.size();
            if self.input.timestamp(pts, self.base) <= to {
                times.push(pts);
            }
            if self.input.timestamp(dts, self.base) > to {
                self.decode_all_from = decode_all_from(times);
                return Ok(());
            }
        }
        while self.lookahead.len() < MAX_LOOKAHEAD_PACKETS && bytes < MAX_LOOKAHEAD_BYTES {
            let mut packet = ff::Packet::empty();
            if !self.input.read(&mut packet)? {
                break;
            }
            if packet.stream() != self.stream {
                continue;
            }
            let (pts, dts) = (packet.pts(), packet.dts());
            bytes += packet.size();
            self.lookahead.push_back(packet);
            let (Some(pts), Some(dts)) = (pts, dts) else { return Ok(()) };
            if self.input.timestamp(pts, self.base) <= to {
                times.push(pts);
            }
            // A frame is never shown before its packet is decoded.
            if self.input.timestamp(dts, self.base) > to {
                self.decode_all_from = decode_all_from(times);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Lets the decoder skip the packet's frame if it is not needed.
    fn set_skip_frame(&mut self, packet: &ff::Packet) {
        let leads_up = packet.pts().is_some_and(|pts| pts < self.decode_all_from);
        let skip =
            if leads_up || self.effort == Effort::Sparse { ffi::AVDiscard::AVDISCARD_NONREF } else { ffi::AVDiscard::AVDISCARD_DEFAULT };
        // SAFETY: sets a field of a context we own, which decoders read for each packet.
        unsafe { (*self.decoder.as_mut_ptr()).skip_frame = skip };
    }

    fn picture_of(&mut self, mut frame: ff::frame::Video) -> Picture {
        self.count.1 += 1;
        if self.container_aspect == Some((frame.width(), frame.height())) {
            // SAFETY: sets a field of a frame we own.
            unsafe { (*frame.as_mut_ptr()).sample_aspect_ratio = ffi::AVRational { num: 0, den: 1 } };
        }
        let at = match (frame.timestamp(), self.last) {
            (Some(ticks), _) => self.input.timestamp(ticks, self.base),
            (None, Some(last)) => last.plus(self.step),
            (None, None) => Timestamp::ZERO,
        };
        let gap = self.last.map_or(0.0, |last| at.since(last).secs());
        if self.effort == Effort::Sparse && (gap > MAX_SPARSE_GAP || frame.timestamp().is_none()) {
            self.effort = Effort::Analysis;
        }
        self.last = Some(at);
        Picture::new(at, frame)
    }

    fn tolerate(&mut self, code: ff::Error) -> Result<()> {
        self.broken += 1;
        if self.broken <= MAX_BROKEN {
            return Ok(());
        }
        let error = super::ff_error(ErrorKind::Decode, "decode the video", code).with_path(self.input.path());
        Err(match self.last {
            Some(last) => error.with_time(last),
            None => error,
        })
    }

    fn restart(&mut self) {
        self.decoder.flush();
        (self.last, self.pending, self.draining, self.broken) = (None, None, false, 0);
        self.lookahead.clear();
        (self.decode_all_from, self.count) = (i64::MIN, (0, 0));
    }

    /// Reopens the file, which works for files that cannot seek.
    fn rewind(&mut self) -> Result<()> {
        let context = self.input.context().clone();
        let mut input = Input::open(&context, self.input.path())?;
        input.keep_only(self.stream);
        let (_, decoder) = open_decoder(&input, self.stream, self.effort, self.threads)?;
        (self.input, self.decoder) = (input, decoder);
        self.restart();
        Ok(())
    }
}

/// The timestamp from which all frames are needed, by the timestamps up to the frame sought: that
/// frame's and the one before it, which the deinterlacer needs.
fn decode_all_from(mut times: Vec<i64>) -> i64 {
    times.sort_unstable();
    times.iter().rev().nth(1).copied().unwrap_or(i64::MIN)
}

fn open_decoder(input: &Input, index: usize, effort: Effort, threads: usize) -> Result<(ff::Rational, ff::decoder::Video)> {
    let missing = || Error::new(ErrorKind::InvalidInput, "the file changed while it was used").with_path(input.path());
    let stream = input.demuxer.stream(index).ok_or_else(missing)?;
    let unusable = |code| super::ff_error(ErrorKind::InvalidInput, "decode the video", code).with_path(input.path());
    let mut context = ff::codec::Context::from_parameters(stream.parameters()).map_err(unusable)?;
    super::quiet_codec(&mut context);
    super::limit_picture(&mut context, input.context().limits());
    context.set_threading(ff::threading::Config { count: threads, ..ff::threading::Config::kind(ff::threading::Type::Frame) });
    let mut decoder = context.decoder();
    decoder.set_packet_time_base(stream.time_base());
    if effort != Effort::Exact {
        decoder.skip_loop_filter(Discard::All);
    }
    Ok((stream.time_base(), decoder.video().map_err(unusable)?))
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::av;
    use crate::model::ContentId;
    use crate::testing::make_media;

    const FRAME: f64 = 0.04;

    /// Six seconds at 25 frames per second: about every second frame is a non-reference frame, and
    /// every 100th a keyframe.
    fn reader(folder: &tempfile::TempDir, effort: Effort) -> VideoReader {
        let file = folder.path().join("talk.mp4");
        if !file.exists() {
            make_media(&file, "-f lavfi -i testsrc2=s=160x90:r=25 -t 6 -c:v libx264 -bf 3 -b_strategy 0 -g 100");
        }
        let cx = Context::new();
        let media = av::probe(&cx, &file, ContentId::new("test", "")).unwrap();
        VideoReader::open(&cx, &media, effort, 1).unwrap()
    }

    fn frames(reader: &mut VideoReader, until: f64) -> Vec<usize> {
        let mut frames = Vec::new();
        while let Some(picture) = reader.next().unwrap() {
            frames.push((picture.at().secs() / FRAME).round() as usize);
            if picture.at().secs() > until {
                break;
            }
        }
        frames
    }

    #[test]
    fn non_reference_frames_before_a_seek_target_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let mut reader = reader(&folder, Effort::Exact);
        for sought in (51..140).step_by(7) {
            reader.seek(Timestamp::from_secs((sought as f64 + 0.5) * FRAME)).unwrap();
            let found = frames(&mut reader, (sought + 10) as f64 * FRAME);
            let at = found.iter().position(|&frame| frame == sought).unwrap_or_else(|| panic!("{sought} is not in {found:?}"));
            assert!(found[at.saturating_sub(1)..].windows(2).all(|pair| pair[1] == pair[0] + 1), "{sought}: {found:?}");
            assert!(at < sought % 100 * 3 / 4 + 3, "{sought}: {found:?}");
        }
        reader.seek(Timestamp::ZERO).unwrap();
        assert_eq!(frames(&mut reader, 9.0).len(), 150);
        assert!(!reader.is_sparse());
    }

    #[test]
    fn a_reader_reads_on_to_a_near_frame_and_seeks_to_a_far_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut reader = reader(&folder, Effort::Exact);
        let at = |frame: usize| Timestamp::from_secs((frame as f64 + 0.5) * FRAME);
        reader.seek(at(3)).unwrap();
        // Keyframes are 0 and 100. Each step: the frame sought, and whether a seek is due.
        for (sought, seeks) in [(10, false), (60, false), (66, false), (99, false), (130, false), (40, true), (120, true), (119, true)] {
            assert_eq!(reader.go_to(at(sought)).unwrap(), seeks, "{sought}");
            let found = frames(&mut reader, (sought + 3) as f64 * FRAME);
            let here = found.iter().position(|&frame| frame == sought).unwrap_or_else(|| panic!("{sought} is not in {found:?}"));
            assert!(found[here..].windows(2).all(|pair| pair[1] == pair[0] + 1), "{sought}: {found:?}");
            if sought == 60 {
                // About every second frame before it is skipped.
                assert!(found.len() < 40, "{found:?}");
            }
        }
        assert!(reader.go_to(at(149)).is_ok());
        assert_eq!(frames(&mut reader, 9.0).last(), Some(&149));
        // After the end, only a seek gets back.
        assert!(reader.go_to(at(20)).unwrap());
        assert!(frames(&mut reader, 21.0 * FRAME).contains(&20));
    }

    #[test]
    fn a_sparse_reading_skips_frames_until_told_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let mut reader = reader(&folder, Effort::Sparse);
        let found = frames(&mut reader, 9.0);
        assert!(reader.is_sparse() && found.len() < 100, "{found:?}");
        assert!(found.windows(2).all(|pair| pair[0] < pair[1] && pair[1] <= pair[0] + 3), "{found:?}");
        reader.read_every_frame();
        reader.seek(Timestamp::from_secs(4.5)).unwrap();
        let found = frames(&mut reader, 9.0);
        assert_eq!(found.last(), Some(&149));
        assert!(found.iter().rev().take(36).rev().copied().eq(114..150), "{found:?}");
    }

    #[test]
    fn a_sparse_reading_with_large_gaps_reads_every_frame() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("talk.mp4");
        // Seven non-reference frames in a row.
        let b_frames = "-bf 7 -b_strategy 0 -x264-params b-pyramid=none";
        make_media(&file, &format!("-f lavfi -i testsrc2=s=160x90:r=25 -t 6 -c:v libx264 {b_frames}"));
        let found = frames(&mut reader(&folder, Effort::Sparse), 9.0);
        assert!(found.len() > 120 && found[20..].windows(2).all(|pair| pair[1] == pair[0] + 1), "{found:?}");
    }
}
