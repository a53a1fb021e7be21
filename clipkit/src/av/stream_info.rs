//! What the first packets of a file tell of its streams, kept for the next time it is opened:
//! FFmpeg decodes frames to find it (20 ms for a video of 1080p), and a rendering opens its source
//! six times.

use std::collections::VecDeque;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ff::codec::Parameters;
use ff::ffi;
use ffmpeg_next as ff;

use crate::model::FileStamp;

/// How many files are remembered; a file's information is a few kilobytes.
const FILES: usize = 16;
/// A file that changed more recently may change again without another time of change.
const SETTLED: Duration = Duration::from_secs(2);
/// The names of the demuxers whose files state the rest in their header. Others find the streams
/// themselves, or the times of their packets, in the packets.
const DEMUXER: &[u8] = b"mov,";

static KNOWN: Mutex<VecDeque<(FileVersion, StreamInfo)>> = Mutex::new(VecDeque::new());

/// One content of a file.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct FileVersion {
    path: PathBuf,
    stamp: FileStamp,
    /// On Unix the file's number and the time of its last change of any kind.
    number: (u64, i64, i64),
}

impl FileVersion {
    /// `None` if the file changed just now, or its system does not tell when.
    pub(super) fn of(path: &Path, metadata: &Metadata) -> Option<Self> {
        let is_settled = metadata.modified().ok()?.elapsed().ok()? >= SETTLED;
        is_settled.then(|| FileVersion { path: path.to_owned(), stamp: FileStamp::of(metadata), number: number(metadata) })
    }
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn number(_metadata: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

/// What was found of a file.
struct StreamInfo {
    start: i64,
    duration: i64,
    bit_rate: i64,
    streams: Vec<Stream>,
}

struct Stream {
    parameters: Parameters,
    average_rate: ffi::AVRational,
    rate: ffi::AVRational,
    pixel_aspect: ffi::AVRational,
    start: i64,
    duration: i64,
    frames: i64,
}

/// Finds what the header of an opened file does not tell of its streams, or recalls it.
///
/// # Safety
///
/// `context` is what `avformat_open_input` opened.
pub(super) unsafe fn find(context: *mut ffi::AVFormatContext, file: Option<&FileVersion>) -> Result<(), ff::Error> {
    // SAFETY: the caller's promise.
    unsafe {
        let file = file.filter(|_| has_header(context));
        if file.is_some_and(|file| recall(context, file)) {
            return Ok(());
        }
        super::check(ffi::avformat_find_stream_info(context, std::ptr::null_mut()))?;
        if let Some(file) = file {
            remember(context, file);
        }
    }
    Ok(())
}

/// # Safety
///
/// As [`find`].
unsafe fn has_header(context: *const ffi::AVFormatContext) -> bool {
    // SAFETY: an opened file has a demuxer, whose name is a string that is never freed.
    unsafe { std::ffi::CStr::from_ptr((*(*context).iformat).name).to_bytes().starts_with(DEMUXER) }
}

/// # Safety
///
/// As [`find`]; the streams are used by nothing else meanwhile.
unsafe fn streams<'a>(context: *mut ffi::AVFormatContext) -> &'a [*mut ffi::AVStream] {
    // SAFETY: the array has `nb_streams` pointers to streams of the open file; it is null if there
    // are none.
    unsafe {
        match (*context).streams {
            streams if streams.is_null() => &[],
            streams => slice::from_raw_parts(streams, (*context).nb_streams as usize),
        }
    }
}

/// Sets what is known of the file. Returns `false` if nothing is, or other streams were found now.
///
/// # Safety
///
/// As [`find`].
unsafe fn recall(context: *mut ffi::AVFormatContext, file: &FileVersion) -> bool {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((_, info)) = known.iter().find(|(version, _)| version == file) else { return false };
    // SAFETY: the streams are those of the open file. The parameters are copied, with what they
    // own, by the function made for that.
    unsafe {
        let streams = streams(context);
        let is_same = |(stream, known): (&*mut ffi::AVStream, &Stream)| {
            let (now, then) = (&*(**stream).codecpar, &*known.parameters.as_ptr());
            (now.codec_type, now.codec_id) == (then.codec_type, then.codec_id)
        };
        if streams.len() != info.streams.len() || !streams.iter().zip(&info.streams).all(is_same) {
            return false;
        }
        for (&stream, known) in streams.iter().zip(&info.streams) {
            if ffi::avcodec_parameters_copy((*stream).codecpar, known.parameters.as_ptr()) < 0 {
                return false;
            }
            (*stream).avg_frame_rate = known.average_rate;
            (*stream).r_frame_rate = known.rate;
            (*stream).sample_aspect_ratio = known.pixel_aspect;
            (*stream).start_time = known.start;
            (*stream).duration = known.duration;
            (*stream).nb_frames = known.frames;
        }
        (*context).start_time = info.start;
        (*context).duration = info.duration;
        (*context).bit_rate = info.bit_rate;
    }
    true
}

/// # Safety
///
/// As [`find`].
unsafe fn remember(context: *mut ffi::AVFormatContext, file: &FileVersion) {
    // SAFETY: as in `recall`.
    let found = unsafe {
        let of = |&stream: &*mut ffi::AVStream| {
            let mut parameters = Parameters::new();
            let copied = !parameters.as_ptr().is_null() && ffi::avcodec_parameters_copy(parameters.as_mut_ptr(), (*stream).codecpar) >= 0;
            copied.then_some(Stream {
                parameters,
                average_rate: (*stream).avg_frame_rate,
                rate: (*stream).r_frame_rate,
                pixel_aspect: (*stream).sample_aspect_ratio,
                start: (*stream).start_time,
                duration: (*stream).duration,
                frames: (*stream).nb_frames,
            })
        };
        let streams: Option<Vec<Stream>> = streams(context).iter().map(of).collect();
        streams.map(|streams| StreamInfo {
            start: (*context).start_time,
            duration: (*context).duration,
            bit_rate: (*context).bit_rate,
            streams,
        })
    };
    let Some(info) = found else { return };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|(version, _)| version.path != file.path);
    known.push_back((file.clone(), info));
    let surplus = known.len().saturating_sub(FILES);
    known.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::SystemTime;

    use super::*;
    use crate::av::{self, Effort, SpanReader};
    use crate::context::Context;
    use crate::model::{ContentId, Span, Timestamp};
    use crate::testing::make_media;

    fn age(file: &Path, secs: u64) {
        File::options().write(true).open(file).unwrap().set_modified(SystemTime::now() - Duration::from_secs(secs)).unwrap();
    }

    fn is_known(file: &Path) -> bool {
        let version = FileVersion::of(file, &fs::metadata(file).unwrap());
        KNOWN.lock().unwrap().iter().any(|(known, _)| Some(known) == version.as_ref())
    }

    /// The description of a file, and the times and pictures of a span.
    fn read(file: &Path) -> (String, Vec<(Timestamp, Vec<u8>)>) {
        let cx = Context::new();
        let media = av::probe_header(&cx, file, ContentId::new("test", "")).unwrap();
        let mut reader = SpanReader::open(&cx, &media, Span::secs(0.3, 1.5).unwrap(), Effort::Exact, 1).unwrap();
        let mut scaler = av::Thumbnailer::new(media.require_video().unwrap(), 64);
        let mut frames = Vec::new();
        while let Some((at, picture)) = reader.next().unwrap() {
            frames.push((at, scaler.image(&picture).unwrap().pixels));
        }
        (format!("{media:?}"), frames)
    }

    #[test]
    fn a_file_that_is_opened_again_has_the_same_description_and_frames() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("talk.mp4");
        let sources = "-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=2 -f lavfi -i sine=d=2:r=44100";
        make_media(&file, &format!("{sources} -c:v libx264 -bf 3 -g 20 -pix_fmt yuv420p -vf setsar=4/3 -c:a aac -ac 2"));
        let fresh = read(&file);
        assert!(!is_known(&file), "it was just written");
        age(&file, 60);
        assert_eq!(read(&file), fresh);
        assert!(is_known(&file));
        assert_eq!(read(&file), fresh, "by what is known");
        assert!(fresh.1.len() > 30);
    }

    #[test]
    fn a_file_that_was_replaced_is_analysed_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("talk.mp4");
        make_media(&file, "-f lavfi -i testsrc2=s=320x180:d=2 -c:v libx264");
        age(&file, 60);
        read(&file);
        assert!(is_known(&file));
        make_media(&file, "-f lavfi -i testsrc2=s=160x90:r=10:d=2 -c:v mpeg4");
        age(&file, 60);
        assert!(!is_known(&file));
        let (media, frames) = read(&file);
        assert!(media.contains("mpeg4") && frames.len() == 12, "{media}");
        assert!(is_known(&file));
    }

    #[test]
    fn files_whose_header_does_not_tell_all_are_analysed_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("talk.ts");
        make_media(&file, "-f lavfi -i testsrc2=s=160x90:d=2 -c:v libx264");
        age(&file, 60);
        assert_eq!(read(&file), read(&file));
        assert!(!is_known(&file));
    }
}
