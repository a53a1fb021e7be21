use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ff::ffi;
use ff::format::context::Input as Demuxer;
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
        super::init();
        let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, "read the file", error))?;
        if metadata.is_dir() {
            return Err(Error::new(ErrorKind::InvalidInput, "this is a folder").with_path(path).with_advice("give a video file"));
        }
        // Fails with the system's own reason, which FFmpeg would flatten to a number.
        drop(std::fs::File::open(path).map_err(|error| Error::io(path, "read the file", error))?);
        if path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(Error::new(ErrorKind::InvalidInput, "a file's name cannot hold a zero byte"));
        }
        // With the protocol spelled out, `http:...` or `concat:...` is only ever a file's name.
        let mut url = OsString::from("file:");
        url.push(path);
        let mut options = ff::Dictionary::new();
        options.set("protocol_whitelist", "file");
        let token = cx.clone();
        let demuxer =
            ff::format::input_with_interrupt_and_dictionary(Path::new(&url), move || token.is_cancelled(), options).map_err(|code| {
                match code {
                    ff::Error::Exit => Error::cancelled(),
                    ff::Error::Other { .. } => super::fail(ErrorKind::InvalidInput, "open the file", code),
                    _ => Error::new(ErrorKind::InvalidInput, format!("this is not a media file that FFmpeg can read ({code})"))
                        .with_advice("check that it plays; an interrupted download or a renamed file does not"),
                }
                .with_path(path)
            })?;
        // SAFETY: the pointer is that of the open demuxer.
        let start = unsafe { (*demuxer.as_ptr()).start_time };
        let origin = if start == ffi::AV_NOPTS_VALUE { 0 } else { start };
        Ok(Input { demuxer, path: path.to_owned(), origin, context: cx.clone() })
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
