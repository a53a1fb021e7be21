use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::ptr;

use ff::ffi;
use ff::format::context::Input as Demuxer;
use ff::media::Type;
use ff::packet::Mut;
use ffmpeg_next as ff;

use super::stream_info::{self, FileVersion};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Limit, Timestamp};

/// The number of consecutive broken packets after which the rest of a file counts as unreadable.
const MAX_BROKEN_PACKETS: usize = 1000;

/// An open media file that is read packet by packet.
pub(super) struct Input {
    pub(super) demuxer: Demuxer,
    path: PathBuf,
    /// The container's timestamp of the source's time zero, in microseconds.
    origin: i64,
    context: Context,
}

impl Input {
    /// Opens a local file. Its content cannot make FFmpeg open another file or a network address.
    pub(super) fn open(cx: &Context, path: &Path) -> Result<Self> {
        super::init();
        let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, "read the file", error))?;
        if metadata.is_dir() {
            return Err(Error::new(ErrorKind::InvalidInput, "this is a folder").with_path(path).with_advice("give a file"));
        }
        // Reports the operating system's error, which FFmpeg would reduce to a number.
        drop(std::fs::File::open(path).map_err(|error| Error::io(path, "read the file", error))?);
        let version = FileVersion::of(path, &metadata);
        let demuxer = open_demuxer(cx, path, version.as_ref()).map_err(|code| failure(path, code))?;
        // SAFETY: the pointer belongs to the open demuxer.
        let start = unsafe { (*demuxer.as_ptr()).start_time };
        let origin = if start == ffi::AV_NOPTS_VALUE { 0 } else { start };
        let streams = demuxer.nb_streams();
        cx.limits().check(Limit::MediaStreams, u64::from(streams)).map_err(|error| error.with_path(path))?;
        Ok(Input { demuxer, path: path.to_owned(), origin, context: cx.clone() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Reads the next packet of any stream that is not discarded. Returns `false` at the end.
    /// Broken packets are skipped.
    pub(super) fn read(&mut self, packet: &mut ff::Packet) -> Result<bool> {
        for _ in 0..MAX_BROKEN_PACKETS {
            self.context.check()?;
            // `read` overwrites the packet without freeing what it held.
            // SAFETY: the packet is initialised and ours.
            unsafe { ffi::av_packet_unref(packet.as_mut_ptr()) };
            match packet.read(&mut self.demuxer) {
                Ok(()) => return Ok(true),
                Err(ff::Error::Eof) => return Ok(false),
                Err(ff::Error::InvalidData) => {}
                Err(ff::Error::Exit) => return Err(Error::cancelled()),
                // A file that ends inside a packet: everything readable was read.
                Err(ff::Error::Other { errno: ff::error::EIO }) => return Ok(false),
                Err(code) => return Err(super::ff_error(ErrorKind::Decode, "read the file", code).with_path(&self.path)),
            }
        }
        Ok(false)
    }

    /// Discards the packets of all streams but one.
    pub(super) fn keep_only(&mut self, index: usize) {
        for mut stream in self.demuxer.streams_mut() {
            let discard = if stream.index() == index { ffi::AVDiscard::AVDISCARD_DEFAULT } else { ffi::AVDiscard::AVDISCARD_ALL };
            // SAFETY: the stream belongs to the open demuxer.
            unsafe { (*stream.as_mut_ptr()).discard = discard };
        }
    }

    /// The index of an audio stream: that of a track, counted from 0 among the audio streams, else
    /// the default one. `None` if there is no such stream.
    pub(super) fn audio_stream(&self, track: Option<usize>) -> Option<usize> {
        let mut streams = self.demuxer.streams().filter(|stream| stream.parameters().medium() == Type::Audio);
        let stream = match track {
            Some(track) => streams.nth(track),
            None => self.demuxer.streams().best(Type::Audio),
        };
        stream.map(|stream| stream.index())
    }

    /// Seeks to the last keyframe at or before `to`. Returns `false` if the container cannot seek
    /// there.
    pub(super) fn seek(&mut self, to: Timestamp) -> bool {
        let target = to.micros().saturating_add(self.origin);
        self.demuxer.seek(target, ..target.saturating_add(1)).is_ok()
    }

    /// The last keyframe of a stream at or before a time, by the container's index. It is the time
    /// of decoding, which can be a few frames before that of display. `None` if the container has
    /// no index there.
    pub(super) fn keyframe_before(&self, stream: usize, at: Timestamp) -> Option<Timestamp> {
        let stream = self.demuxer.stream(stream)?;
        let base = stream.time_base();
        let micros = i128::from(at.micros()) + i128::from(self.origin);
        let ticks = micros * i128::from(base.denominator()) / (i128::from(base.numerator().max(1)) * 1_000_000);
        let ticks = i64::try_from(ticks).ok()?;
        // SAFETY: the stream belongs to the open demuxer, and the call only searches its index. The
        // entry is null or lives as long as the index, which nothing changes before it is read.
        let found = unsafe {
            let entry = ffi::avformat_index_get_entry_from_timestamp(stream.as_ptr().cast_mut(), ticks, ffi::AVSEEK_FLAG_BACKWARD);
            entry.as_ref().map(|entry| entry.timestamp)
        };
        found.map(|ticks| self.timestamp(ticks, base))
    }

    /// Converts a timestamp in a stream's time base to the source's timeline.
    pub(super) fn timestamp(&self, ticks: i64, base: ff::Rational) -> Timestamp {
        let micros = i128::from(ticks) * 1_000_000 * i128::from(base.numerator()) / i128::from(base.denominator().max(1));
        Timestamp::from_micros(i64::try_from(micros - i128::from(self.origin)).unwrap_or(i64::MAX))
    }
}

fn open_demuxer(cx: &Context, path: &Path, version: Option<&FileVersion>) -> Result<Demuxer, ff::Error> {
    // With an explicit protocol, `http:...` and `concat:...` are plain file names.
    let mut url = b"file:".to_vec();
    // On Windows FFmpeg expects UTF-8, which this encoding is for every valid Unicode name.
    url.extend_from_slice(path.as_os_str().as_encoded_bytes());
    let url = CString::new(url).map_err(|_| ff::Error::from(ffi::AVERROR(ff::error::EINVAL)))?;
    let mut options = ff::Dictionary::new();
    options.set("protocol_whitelist", "file");
    let token = cx.clone();
    let stop = ff::util::interrupt::new(Box::new(move || token.is_cancelled()));
    // SAFETY: every pointer is valid for its call. If `avformat_open_input` fails, it frees the
    // context and nulls the pointer. If it succeeds, the wrapper takes ownership of the context
    // together with the guard of the callback, and drops the context first.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(ff::Error::from(ffi::AVERROR(ff::error::ENOMEM)));
        }
        (*context).interrupt_callback = stop.interrupt;
        let mut raw = options.disown();
        let opened = ffi::avformat_open_input(&mut context, url.as_ptr(), ptr::null(), &mut raw);
        drop(ff::Dictionary::own(raw));
        super::check(opened)?;
        let demuxer = Demuxer::wrap_with_interrupt(context, stop.guard);
        stream_info::find(context, version)?;
        Ok(demuxer)
    }
}

fn failure(path: &Path, code: ff::Error) -> Error {
    match code {
        ff::Error::Exit | ff::Error::Other { .. } => super::ff_error(ErrorKind::InvalidInput, "open the file", code),
        _ => Error::new(ErrorKind::InvalidInput, format!("this is not a media file that FFmpeg can read ({code})"))
            .with_advice("check that it plays; an interrupted download or a renamed file does not"),
    }
    .with_path(path)
}

#[cfg(test)]
mod tests {

    use ff::packet::Ref;

    use super::*;
    use crate::testing::make_media;

    #[test]
    fn an_overwritten_packet_is_freed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tone.wav");
        make_media(&file, "-f lavfi -i sine -t 1");
        let mut input = Input::open(&Context::new(), &file).unwrap();
        let mut packet = ff::Packet::empty();
        let mut read = 0;
        while input.read(&mut packet).unwrap() {
            read += 1;
            // SAFETY: the packet is live and owns its buffer; the reference taken here is released
            // below.
            let mut held = unsafe { ffi::av_buffer_ref((*packet.as_ptr()).buf) };
            assert!(!held.is_null());
            let more = input.read(&mut packet).unwrap();
            // SAFETY: reads and then releases the reference taken above.
            unsafe {
                assert_eq!(ffi::av_buffer_get_ref_count(held), 1, "packet {read} is still held");
                ffi::av_buffer_unref(&mut held);
            }
            if !more {
                break;
            }
        }
        assert!(read > 3);
    }
}
