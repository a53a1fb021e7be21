use std::path::Path;

use ff::ffi;
use ff::media::Type;
use ffmpeg_next as ff;

use super::input::Input;
use super::orient;
use crate::context::Context;
use crate::error::Result;
use crate::model::{
    About, AudioStream, Chapter, Color, ContentId, FrameRate, Hdr, Limit, Media, Orientation, Span, SubtitleStream, Timestamp, VideoStream,
};

/// The most chapters that are kept of a file.
const MAX_CHAPTERS: usize = 1000;

/// Describes a media file. Reads the timestamps of all packets without decoding them, so duration
/// and frame rate are measured, not taken from the header.
pub(crate) fn probe(cx: &Context, path: &Path, id: ContentId) -> Result<Media> {
    let mut input = Input::open(cx, path)?;
    let video = main_video(&input);
    let measured = measure(&mut input, video)?;
    checked(&input, describe(&input, video, &measured, id))
}

/// Describes a media file by its header alone. This is fast, but duration and frame rate are what
/// the header states.
pub(crate) fn probe_header(cx: &Context, path: &Path, id: ContentId) -> Result<Media> {
    let input = Input::open(cx, path)?;
    let claimed = Measured { end: Timestamp::from_micros(input.demuxer.duration().max(0)), ..Measured::default() };
    checked(&input, describe(&input, main_video(&input), &claimed, id))
}

/// The description of a file that exceeds no limit.
fn checked(input: &Input, media: Media) -> Result<Media> {
    let limits = input.context().limits();
    let secs = media.duration.secs().max(0.0).ceil() as u64;
    let picture = media.video.as_ref().map_or(Ok(()), |video| limits.check_picture(video.width, video.height));
    picture.and_then(|()| limits.check(Limit::MediaSecs, secs)).map_err(|error| error.with_path(input.path()))?;
    Ok(media)
}

/// The video stream that a player would show.
fn main_video(input: &Input) -> Option<usize> {
    input.demuxer.streams().best(Type::Video).filter(|stream| !is_cover(stream)).map(|stream| stream.index())
}

fn describe(input: &Input, video: Option<usize>, measured: &Measured, id: ContentId) -> Media {
    let mut audio = Vec::new();
    let mut subtitles = Vec::new();
    for stream in input.demuxer.streams() {
        let language = stream.metadata().get("language").filter(|tag| *tag != "und").map(str::to_owned);
        let (index, codec) = (stream.index(), codec_name(&stream));
        // SAFETY: `parameters` belong to a stream of the open demuxer.
        let parameters = unsafe { &*stream.parameters().as_ptr() };
        match stream.parameters().medium() {
            Type::Audio => audio.push(AudioStream {
                index,
                codec,
                sample_rate: u32::try_from(parameters.sample_rate).unwrap_or(0),
                channels: channels(parameters),
                language,
            }),
            Type::Subtitle => subtitles.push(subtitle_stream(&stream, language)),
            _ => {}
        }
    }
    let container = input.demuxer.format().name().to_owned();
    let video = video.and_then(|index| {
        let stream = input.demuxer.stream(index)?;
        // A file has one time code: on the stream in QuickTime files, on the file in MXF.
        let timecode = stream.metadata().get("timecode").or(input.demuxer.metadata().get("timecode")).and_then(text);
        Some(VideoStream { timecode, ..video_stream(&stream, measured) })
    });
    let about = about(input, &audio, measured.end);
    Media { about, container, duration: measured.end, video, audio, subtitles, ..Media::new(input.path(), id) }
}

fn subtitle_stream(stream: &ff::Stream<'_>, language: Option<String>) -> SubtitleStream {
    let marks = disposition(stream);
    SubtitleStream {
        language,
        title: stream.metadata().get("title").and_then(text),
        default: marks & ffi::AV_DISPOSITION_DEFAULT != 0,
        forced: marks & ffi::AV_DISPOSITION_FORCED != 0,
        ..SubtitleStream::new(stream.index(), codec_name(stream))
    }
}

/// Title, author, language and chapters, as the file's tags state them.
fn about(input: &Input, audio: &[AudioStream], end: Timestamp) -> About {
    let metadata = input.demuxer.metadata();
    let tag = |names: &[&str]| names.iter().find_map(|name| metadata.get(name).and_then(text));
    let mut about = About::new();
    about.title = tag(&["title"]);
    about.uploader = tag(&["artist", "author", "album_artist"]);
    about.language = audio.first().and_then(|stream| stream.language.clone());
    for chapter in input.demuxer.chapters().take(MAX_CHAPTERS) {
        let base = chapter.time_base();
        let at = |ticks: i64| input.timestamp(ticks, base).max(Timestamp::ZERO).min(end);
        let (start, end) = (at(chapter.start()), at(chapter.end()));
        if start < end {
            about
                .chapters
                .push(Chapter::new(Span::between(start, end), chapter.metadata().get("title").and_then(text).unwrap_or_default()));
        }
    }
    about
}

/// A tag as one line of at most 500 characters. `None` if nothing is left of it.
fn text(tag: &str) -> Option<String> {
    let line = tag.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    let line: String = line.collect::<Vec<_>>().join(" ").chars().take(500).collect();
    (!line.is_empty()).then_some(line)
}

/// Results of reading every packet.
#[derive(Default)]
struct Measured {
    /// The latest end of any audio or video packet.
    end: Timestamp,
    /// The time of the first frame, and that at which the last one ends.
    start: Option<Timestamp>,
    picture_end: Option<Timestamp>,
    /// The average frame rate from the first to the last frame; `None` for a single frame.
    rate: Option<f64>,
    variable: bool,
}

fn measure(input: &mut Input, video: Option<usize>) -> Result<Measured> {
    let timed: Vec<bool> = (input.demuxer.streams()).map(|s| matches!(s.parameters().medium(), Type::Audio | Type::Video)).collect();
    let bases: Vec<ff::Rational> = input.demuxer.streams().map(|stream| stream.time_base()).collect();
    let mut measured = Measured::default();
    let mut frames: Vec<Timestamp> = Vec::new();
    let mut last_duration = 0.0;
    let mut packet = ff::Packet::empty();
    while input.read(&mut packet)? {
        let index = packet.stream();
        let (Some(&base), Some(true)) = (bases.get(index), timed.get(index)) else { continue };
        let Some(ticks) = packet.pts().or(packet.dts()) else { continue };
        let at = input.timestamp(ticks, base);
        let duration = packet.duration().max(0) as f64 * f64::from(base);
        measured.end = measured.end.max(at.plus(duration));
        if Some(index) == video {
            frames.push(at);
            last_duration = duration;
        }
    }
    frames.sort_unstable();
    frames.dedup();
    measured.start = frames.first().copied();
    measured.picture_end = frames.last().map(|last| last.plus(last_duration));
    let gaps: Vec<f64> = frames.windows(2).map(|pair| pair[1].since(pair[0]).secs()).collect();
    if let (Some(first), Some(last)) = (frames.first(), frames.last())
        && !gaps.is_empty()
    {
        let average = last.since(*first).secs() / gaps.len() as f64;
        measured.rate = Some(1.0 / average);
        // Containers round timestamps (Matroska to 1 ms). Only deviations of a quarter of a frame
        // count, and only if they affect more than one frame in 50.
        let irregular = gaps.iter().filter(|gap| (*gap - average).abs() > (average * 0.25).max(0.002)).count();
        measured.variable = irregular * 50 > gaps.len();
        if last_duration == 0.0 {
            measured.picture_end = Some(last.plus(average));
            measured.end = measured.end.max(last.plus(average));
        }
    }
    Ok(measured)
}

/// Returns whether a stream is a cover picture or a thumbnail track.
fn is_cover(stream: &ff::Stream<'_>) -> bool {
    disposition(stream) & (ffi::AV_DISPOSITION_ATTACHED_PIC | ffi::AV_DISPOSITION_TIMED_THUMBNAILS) != 0
}

/// The marks of a stream, `AV_DISPOSITION_...`.
fn disposition(stream: &ff::Stream<'_>) -> i32 {
    // SAFETY: the stream belongs to the open demuxer.
    unsafe { (*stream.as_ptr()).disposition }
}

fn video_stream(stream: &ff::Stream<'_>, measured: &Measured) -> VideoStream {
    // SAFETY: `parameters` belong to a stream of the open demuxer.
    let parameters = unsafe { &*stream.parameters().as_ptr() };
    let (pixel_format, bit_depth) = pixel_format(parameters.format);
    VideoStream {
        index: stream.index(),
        codec: codec_name(stream),
        width: u32::try_from(parameters.width).unwrap_or(0),
        height: u32::try_from(parameters.height).unwrap_or(0),
        orientation: orientation(stream),
        pixel_aspect: pixel_aspect(stream, parameters),
        frame_rate: frame_rate(stream, measured.rate),
        variable_rate: measured.variable,
        pixel_format,
        bit_depth,
        color: color(parameters),
        start: measured.start.unwrap_or(Timestamp::ZERO),
        end: measured.picture_end,
        timecode: None,
    }
}

fn codec_name(stream: &ff::Stream<'_>) -> String {
    stream.parameters().id().name().to_owned()
}

fn channels(parameters: &ffi::AVCodecParameters) -> u16 {
    u16::try_from(parameters.ch_layout.nb_channels).unwrap_or(0)
}

fn pixel_format(format: i32) -> (String, u8) {
    // SAFETY: the descriptor is an entry of a static table.
    unsafe {
        let Some(descriptor) = descriptor(format) else { return ("unknown".into(), 8) };
        let name = std::ffi::CStr::from_ptr((*descriptor).name).to_string_lossy().into_owned();
        (name, u8::try_from((*descriptor).comp[0].depth).unwrap_or(8))
    }
}

/// FFmpeg's descriptor of a pixel format; `None` for a number that is not one.
pub(super) fn descriptor(format: i32) -> Option<*const ffi::AVPixFmtDescriptor> {
    let known = format >= 0 && format < ffi::AVPixelFormat::AV_PIX_FMT_NB as i32;
    if !known {
        return None;
    }
    // SAFETY: every number from 0 up to AV_PIX_FMT_NB is a value of the enum.
    let descriptor = unsafe { ffi::av_pix_fmt_desc_get(std::mem::transmute::<i32, ffi::AVPixelFormat>(format)) };
    (!descriptor.is_null()).then_some(descriptor)
}

fn orientation(stream: &ff::Stream<'_>) -> Orientation {
    for data in stream.side_data() {
        // SAFETY: reads the type of side data that the stream owns.
        let is_matrix = unsafe { (*data.as_ptr()).type_ } == ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
        let bytes = data.data();
        if is_matrix && bytes.len() >= 36 {
            let mut matrix = [0; 9];
            for (number, bytes) in matrix.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *number = i32::from_ne_bytes(*bytes);
            }
            return orient::from_display_matrix(matrix);
        }
    }
    Orientation::default()
}

/// The sample aspect ratio of the container, else of the codec, as players do it.
fn pixel_aspect(stream: &ff::Stream<'_>, parameters: &ffi::AVCodecParameters) -> f64 {
    // SAFETY: the stream belongs to the open demuxer.
    let container = unsafe { (*stream.as_ptr()).sample_aspect_ratio };
    let ratio = |aspect: ffi::AVRational| (aspect.num > 0 && aspect.den > 0).then(|| f64::from(aspect.num) / f64::from(aspect.den));
    let aspect = ratio(container).or(ratio(parameters.sample_aspect_ratio)).unwrap_or(1.0);
    // Ratios beyond 8:1 are errors in the file.
    if (0.125..=8.0).contains(&aspect) { aspect } else { 1.0 }
}

/// The container's exact fraction if the measured rate agrees with it within 1 %, else the measured
/// rate. 25 if neither is known.
fn frame_rate(stream: &ff::Stream<'_>, measured: Option<f64>) -> FrameRate {
    let claimed = stream.avg_frame_rate();
    let claim = (u32::try_from(claimed.numerator()), u32::try_from(claimed.denominator()));
    let exact = match claim {
        (Ok(num), Ok(den)) if num > 0 && den > 0 => Some(FrameRate::new(num, den)),
        _ => None,
    };
    match (exact, measured) {
        (Some(exact), Some(measured)) if (exact.fps() - measured).abs() < measured * 0.01 => exact,
        (_, Some(measured)) => {
            // SAFETY: a pure function on numbers.
            let ratio = unsafe { ffi::av_d2q(measured.clamp(0.001, 1000.0), 60_000) };
            FrameRate::new(ratio.num.max(1) as u32, ratio.den.max(1) as u32)
        }
        (Some(exact), None) => exact,
        (None, None) => FrameRate::new(25, 1),
    }
}

fn color(parameters: &ffi::AVCodecParameters) -> Color {
    use ffi::AVColorTransferCharacteristic::{AVCOL_TRC_ARIB_STD_B67, AVCOL_TRC_SMPTE2084};
    // SAFETY: the functions return null for unknown numbers.
    unsafe {
        Color {
            primaries: name(ffi::av_color_primaries_name(parameters.color_primaries)),
            transfer: name(ffi::av_color_transfer_name(parameters.color_trc)),
            matrix: name(ffi::av_color_space_name(parameters.color_space)),
            range: name(ffi::av_color_range_name(parameters.color_range)),
            hdr: match parameters.color_trc {
                AVCOL_TRC_SMPTE2084 => Some(Hdr::Pq),
                AVCOL_TRC_ARIB_STD_B67 => Some(Hdr::Hlg),
                _ => None,
            },
        }
    }
}

/// # Safety
///
/// `text` must be null or a static C string.
unsafe fn name(text: *const std::ffi::c_char) -> String {
    if text.is_null() {
        return "unknown".into();
    }
    // SAFETY: not null, and the caller guarantees a static C string.
    unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
