use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::ptr;

use ff::ffi;
use ff::format::context::Input as Demuxer;
use ff::packet::Mut;
use ffmpeg_next as ff;

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;

/// A damaged file may hold broken packets; past this many in a row nothing good follows.
const BROKEN_PACKETS: usize = 1000;

/// An open media file, read packet by packet.
pub(super) struct Input {
    pub(super) demuxer: Demuxer,
    path: PathBuf,
    /// The container's own clock at the source's zero, in microseconds.
    origin: i64,
    context: Context,
}

impl Input {
    /// Opens a local file. Nothing in it can make FFmpeg open another file or an address.
    pub(super) fn open(cx: &Context, path: &Path) -> Result<Self> {
        Input::open_as(cx, path, None)
    }

    /// The same, read by a demuxer of this name whatever the content looks like.
    pub(super) fn open_as(cx: &Context, path: &Path, demuxer: Option<&CStr>) -> Result<Self> {
        super::init();
        let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, "read the file", error))?;
        if metadata.is_dir() {
            return Err(Error::new(ErrorKind::InvalidInput, "this is a folder").with_path(path).with_advice("give a file"));
        }
        // Fails with the system's own reason, which FFmpeg would flatten to a number.
        drop(std::fs::File::open(path).map_err(|error| Error::io(path, "read the file", error))?);
        let demuxer = open_demuxer(cx, path, demuxer).map_err(|code| refuse(path, code))?;
        // SAFETY: the pointer is that of the open demuxer.
        let start = unsafe { (*demuxer.as_ptr()).start_time };
        let origin = if start == ffi::AV_NOPTS_VALUE { 0 } else { start };
        Ok(Input { demuxer, path: path.to_owned(), origin, context: cx.clone() })
    }

    /// The same file, whose own clock shows the source's time: a file of subtitles starts with its first one, not at zero.
    #[must_use]
    pub(super) fn on_its_own_clock(self) -> Self {
        Input { origin: 0, ..self }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// The next packet of any stream that is not discarded; none at the end. Broken packets are passed over.
    pub(super) fn read(&mut self, packet: &mut ff::Packet) -> Result<bool> {
        for _ in 0..BROKEN_PACKETS {
            self.context.check()?;
            // `read` puts the new packet over the old one, and what that held would never be freed.
            // SAFETY: the packet is ours.
            unsafe { ffi::av_packet_unref(packet.as_mut_ptr()) };
            match packet.read(&mut self.demuxer) {
                Ok(()) => return Ok(true),
                Err(ff::Error::Eof) => return Ok(false),
                Err(ff::Error::InvalidData) => {}
                Err(ff::Error::Exit) => return Err(Error::cancelled()),
                // A file that stops in the middle of a packet: what was read so far is all there is.
                Err(ff::Error::Other { errno: ff::error::EIO }) => return Ok(false),
                Err(code) => return Err(super::fail(ErrorKind::Decode, "read the file", code).with_path(&self.path)),
            }
        }
        Ok(false)
    }

    /// Leaves only one stream's packets to be read.
    pub(super) fn keep_only(&mut self, index: usize) {
        for mut stream in self.demuxer.streams_mut() {
            let discard = if stream.index() == index { ffi::AVDiscard::AVDISCARD_DEFAULT } else { ffi::AVDiscard::AVDISCARD_ALL };
            // SAFETY: the stream belongs to the open demuxer.
            unsafe { (*stream.as_mut_ptr()).discard = discard };
        }
    }

    /// Goes to the last key frame at or before `to`; false where the container cannot.
    pub(super) fn seek(&mut self, to: Timestamp) -> bool {
        let target = to.micros().saturating_add(self.origin);
        self.demuxer.seek(target, ..target.saturating_add(1)).is_ok()
    }

    /// A time of a stream's own clock, on the source's timeline.
    pub(super) fn timestamp(&self, ticks: i64, base: ff::Rational) -> Timestamp {
        let micros = i128::from(ticks) * 1_000_000 * i128::from(base.numerator()) / i128::from(base.denominator().max(1));
        Timestamp::from_micros(i64::try_from(micros - i128::from(self.origin)).unwrap_or(i64::MAX))
    }
}

fn open_demuxer(cx: &Context, path: &Path, demuxer: Option<&CStr>) -> Result<Demuxer, ff::Error> {
    // With the protocol spelled out, `http:...` or `concat:...` is only ever a file's name.
    let mut url = b"file:".to_vec();
    // On Windows, FFmpeg takes UTF-8, which this encoding is for every name that has one.
    url.extend_from_slice(path.as_os_str().as_encoded_bytes());
    let url = CString::new(url).map_err(|_| ff::Error::from(ffi::AVERROR(ff::error::EINVAL)))?;
    let format = match demuxer {
        // SAFETY: the name is a terminated string; the answer is null or static.
        Some(name) => unsafe { ffi::av_find_input_format(name.as_ptr()) },
        None => ptr::null(),
    };
    if demuxer.is_some() && format.is_null() {
        return Err(ff::Error::DemuxerNotFound);
    }
    let mut options = ff::Dictionary::new();
    options.set("protocol_whitelist", "file");
    let token = cx.clone();
    let stop = ff::util::interrupt::new(Box::new(move || token.is_cancelled()));
    // SAFETY: every pointer given is valid for its call. `avformat_open_input` frees the context and nulls the pointer where it
    // fails; where it succeeds the wrapper takes the context over, together with the callback's guard, which it outlives.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(ff::Error::from(ffi::AVERROR(ff::error::ENOMEM)));
        }
        (*context).interrupt_callback = stop.interrupt;
        let mut raw = options.disown();
        let opened = ffi::avformat_open_input(&mut context, url.as_ptr(), format, &mut raw);
        drop(ff::Dictionary::own(raw));
        super::check(opened)?;
        let demuxer = Demuxer::wrap_with_interrupt(context, stop.guard);
        super::check(ffi::avformat_find_stream_info(context, ptr::null_mut()))?;
        Ok(demuxer)
    }
}

fn refuse(path: &Path, code: ff::Error) -> Error {
    match code {
        ff::Error::Exit | ff::Error::Other { .. } => super::fail(ErrorKind::InvalidInput, "open the file", code),
        _ => Error::new(ErrorKind::InvalidInput, format!("this is not a media file that FFmpeg can read ({code})"))
            .with_advice("check that it plays; an interrupted download or a renamed file does not"),
    }
    .with_path(path)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use ff::packet::Ref;

    use super::*;

    #[test]
    fn a_packet_that_was_read_over_is_freed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tone.wav");
        let status = Command::new("ffmpeg").args(["-v", "error", "-f", "lavfi", "-i", "sine", "-t", "1"]).arg(&file).status().unwrap();
        assert!(status.success());
        let mut input = Input::open(&Context::new(), &file).unwrap();
        let mut packet = ff::Packet::empty();
        let mut read = 0;
        while input.read(&mut packet).unwrap() {
            read += 1;
            // SAFETY: the packet is live and has memory of its own; what is counted is freed below.
            let mut held = unsafe { ffi::av_buffer_ref((*packet.as_ptr()).buf) };
            assert!(!held.is_null());
            let more = input.read(&mut packet).unwrap();
            // SAFETY: asking about, and then freeing, the reference taken above.
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
