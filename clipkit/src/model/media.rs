use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Timestamp};
use crate::error::{Error, ErrorKind, Result, redact_url};

/// A file's identity: a hash of its bytes, which a copied or renamed file keeps. For a platform's
/// video it is the platform's name and the video's id (`youtube:dQw4w9WgXcQ`), so that it stays
/// when the video is fetched again in another format.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ContentId(String);

impl ContentId {
    /// Makes an id from the name of the hash function and the hash in hexadecimal digits.
    pub fn new(function: &str, hex: &str) -> Self {
        ContentId(format!("{function}:{hex}"))
    }

    /// The id as text: `blake3:9f86d0...`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reference to a media file by address and content. Plans and manifests keep it, so that they
/// stay valid after the local copy is removed, and on other machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MediaRef {
    /// The path or URL that the source was given. A relative path is resolved against the working
    /// folder.
    pub uri: String,
    /// The hash of the file's content.
    pub id: ContentId,
    /// The file's size and modification time when it was identified. If they are unchanged, the
    /// file is not hashed again. `None` for media in a media store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<FileStamp>,
}

/// The local path that a URI stands for: a path, or a `file:` URL without escapes. The path of any
/// other URL names no file.
pub(crate) fn local_path(uri: &str) -> &Path {
    Path::new(uri.strip_prefix("file://").unwrap_or(uri))
}

/// A URI as logs and documents may show it: a URL without user information, query and fragment,
/// which can hold secrets. The id of a YouTube video is kept. A path is returned as it is.
///
/// ```
/// use clipkit::model::shown_uri;
///
/// assert_eq!(shown_uri("https://host/talk.mp4?signature=x"), "https://host/talk.mp4");
/// assert_eq!(shown_uri("talks/why?.mp4"), "talks/why?.mp4");
/// ```
pub fn shown_uri(uri: &str) -> String {
    if !uri.contains("://") {
        return uri.to_owned();
    }
    let shown = redact_url(uri);
    let id = || {
        let url = url::Url::parse(uri).ok()?;
        let is_youtube = url.host_str().is_some_and(|host| host == "youtube.com" || host.ends_with(".youtube.com"));
        let (_, id) = url.query_pairs().find(|(name, _)| name == "v").filter(|_| is_youtube && url.path() == "/watch")?;
        let is_id = (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        is_id.then(|| id.into_owned())
    };
    match id() {
        Some(id) => format!("{shown}?v={id}"),
        None => shown,
    }
}

impl MediaRef {
    /// Makes a reference without a stamp.
    pub fn new(uri: impl Into<String>, id: ContentId) -> Self {
        MediaRef { uri: uri.into(), id, stamp: None }
    }
}

/// A file's size and modification time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileStamp {
    /// The size in bytes.
    pub size: u64,
    /// The modification time in microseconds since 1970-01-01 UTC.
    pub modified: i64,
}

impl FileStamp {
    /// Makes the stamp of a file's metadata. The time is 0 if the file system does not report it.
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        let since = metadata.modified().ok().and_then(|at| at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok());
        let modified = since.and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or(0);
        FileStamp { size: metadata.len(), modified }
    }
}

/// A media file on this machine and its streams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Media {
    /// The path or URL that the source was given, without the user information, the query and the
    /// fragment of a URL, which can hold secrets. A video of a platform has its canonical URL.
    pub uri: String,
    /// The file's path on this machine. Another process locates the file again.
    pub path: PathBuf,
    /// The hash of the file's content, or a platform's name and the video's id there.
    pub id: ContentId,
    /// The file's size and modification time. `None` for media in a media store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<FileStamp>,
    /// What the platform or the file says about the video: title, chapters, language.
    #[serde(default, skip_serializing_if = "About::is_empty")]
    pub about: About,
    /// The container's short name in FFmpeg (`mov,mp4,m4a,3gp,3g2,mj2`).
    pub container: String,
    /// The duration of the longest audio or video stream. It is measured if the container's value
    /// is missing or implausible.
    pub duration: Timestamp,
    /// The video stream that a player shows. `None` means that the file has no video.
    pub video: Option<VideoStream>,
    /// The audio streams, in file order.
    pub audio: Vec<AudioStream>,
    /// The position in `audio` of the track that is heard and rendered, from 0. `None` means the
    /// file's default track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_track: Option<usize>,
    /// The subtitle streams, in file order.
    pub subtitles: Vec<SubtitleStream>,
}

impl Media {
    /// Makes media without streams and with a duration of 0. The URI is the path.
    pub fn new(path: impl Into<PathBuf>, id: ContentId) -> Self {
        let path = path.into();
        Media {
            uri: path.to_string_lossy().into_owned(),
            path,
            id,
            stamp: None,
            about: About::default(),
            container: String::new(),
            duration: Timestamp::ZERO,
            video: None,
            audio: Vec::new(),
            audio_track: None,
            subtitles: Vec::new(),
        }
    }

    /// The reference for plans and manifests.
    pub fn reference(&self) -> MediaRef {
        MediaRef { uri: self.uri.clone(), id: self.id.clone(), stamp: self.stamp }
    }

    /// The video stream.
    ///
    /// The error is [`ErrorKind::InvalidInput`] if the file has no video stream.
    pub fn require_video(&self) -> Result<&VideoStream> {
        self.video.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "there is no picture in this file")
                .with_path(&self.path)
                .with_advice("give a file with a video stream")
        })
    }
}

/// A video stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct VideoStream {
    /// The stream's index in the file.
    pub index: usize,
    /// The codec's short name in FFmpeg (`h264`).
    pub codec: String,
    /// The stored width in pixels, before rotation and pixel aspect ratio are applied. Frames of
    /// another size may follow: positions in a plan and in tracks are those in a picture of this
    /// size, in whose middle they are shown as large as fits.
    pub width: u32,
    /// The stored height in pixels, before rotation and pixel aspect ratio are applied.
    pub height: u32,
    /// How the stored picture is oriented for display.
    pub orientation: Orientation,
    /// The pixel aspect ratio of the stored picture: a pixel's width divided by its height.
    pub pixel_aspect: f64,
    /// The average frame rate of the file.
    pub frame_rate: FrameRate,
    /// Whether the frame rate is variable.
    pub variable_rate: bool,
    /// The pixel format's name in FFmpeg (`yuv420p10le`).
    pub pixel_format: String,
    /// The number of bits for each component.
    pub bit_depth: u8,
    /// The color space of the stored picture.
    pub color: Color,
    /// The time of the first frame, on the source's timeline.
    pub start: Timestamp,
    /// The time at which the last frame ends, on the source's timeline. `None` means that it was
    /// not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// The time code of the first frame, as the file states it: `01:00:00:00`, with a semicolon
    /// before the frames for drop frame. `None` if the file states none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timecode: Option<String>,
}

impl VideoStream {
    /// Makes an upright 8-bit `yuv420p` stream with square pixels, a constant frame rate and
    /// unknown colors.
    pub fn new(index: usize, codec: impl Into<String>, width: u32, height: u32, frame_rate: FrameRate) -> Self {
        VideoStream {
            index,
            codec: codec.into(),
            width,
            height,
            orientation: Orientation::default(),
            pixel_aspect: 1.0,
            frame_rate,
            variable_rate: false,
            pixel_format: "yuv420p".into(),
            bit_depth: 8,
            color: Color::default(),
            start: Timestamp::ZERO,
            end: None,
            timecode: None,
        }
    }

    /// The width and height of the displayed picture (upright, square pixels), in pixels. The pixel
    /// aspect ratio scales the stored width, not the stored height.
    pub fn display_size(&self) -> (u32, u32) {
        let width = (f64::from(self.width) * self.pixel_aspect).round().clamp(1.0, 65_536.0) as u32;
        if self.orientation.swaps_sides() { (self.height, width) } else { (width, self.height) }
    }
}

/// How a stored picture is oriented for display. If `mirrored`, it is first mirrored left to right.
/// Then it is rotated clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Orientation {
    /// The clockwise rotation in degrees: 0, 90, 180 or 270.
    pub clockwise: u16,
    /// Whether the picture is mirrored left to right before the rotation.
    pub mirrored: bool,
}

impl Orientation {
    /// Whether the rotation exchanges width and height.
    pub fn swaps_sides(self) -> bool {
        self.clockwise % 180 == 90
    }
}

/// A frame rate as a fraction: `num / den` frames per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameRate {
    /// The number of frames in `den` seconds.
    pub num: u32,
    /// The number of seconds for `num` frames.
    pub den: u32,
}

impl FrameRate {
    /// Makes the rate of `num` frames in `den` seconds.
    pub const fn new(num: u32, den: u32) -> Self {
        FrameRate { num, den }
    }

    /// Frames per second.
    pub fn fps(self) -> f64 {
        f64::from(self.num) / f64::from(self.den.max(1))
    }

    /// The time at which frame `n` starts. Frames are counted from 0, and frame 0 starts at time 0.
    pub fn frame_start(self, n: u64) -> Timestamp {
        let micros = u128::from(n) * u128::from(self.den) * 1_000_000 / u128::from(self.num.max(1));
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.fps())
    }
}

/// The color space of a video stream in FFmpeg's names (`bt709`, `smpte2084`). A value is `unknown`
/// if the file does not state it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Color {
    /// The color primaries.
    pub primaries: String,
    /// The transfer function between code values and light.
    pub transfer: String,
    /// The matrix coefficients between RGB and luma and chroma.
    pub matrix: String,
    /// The range of 8-bit luma values: `tv` (16 to 235) or `pc` (0 to 255).
    pub range: String,
    /// The transfer function for high dynamic range. `None` means standard dynamic range.
    pub hdr: Option<Hdr>,
}

impl Default for Color {
    /// A color space of which nothing is known, in standard dynamic range.
    fn default() -> Self {
        let unknown = || "unknown".to_owned();
        Color { primaries: unknown(), transfer: unknown(), matrix: unknown(), range: unknown(), hdr: None }
    }
}

/// The two transfer functions for high dynamic range video (ITU-R BT.2100).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hdr {
    /// Perceptual quantizer (SMPTE ST 2084), as in HDR10 and Dolby Vision.
    Pq,
    /// Hybrid log-gamma (ARIB STD-B67).
    Hlg,
}

/// An audio stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AudioStream {
    /// The stream's index in the file.
    pub index: usize,
    /// The codec's short name in FFmpeg (`aac`).
    pub codec: String,
    /// The sample rate in hertz.
    pub sample_rate: u32,
    /// The number of channels.
    pub channels: u16,
    /// The language tag in the file. `None` means that the file does not state it.
    pub language: Option<String>,
}

impl AudioStream {
    /// Makes a stream without a language.
    pub fn new(index: usize, codec: impl Into<String>, sample_rate: u32, channels: u16) -> Self {
        AudioStream { index, codec: codec.into(), sample_rate, channels, language: None }
    }
}

/// A subtitle stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SubtitleStream {
    /// The stream's index in the file.
    pub index: usize,
    /// The codec's short name in FFmpeg (`subrip`, `webvtt`, `ass`, `mov_text`,
    /// `hdmv_pgs_subtitle`).
    pub codec: String,
    /// The language tag in the file. `None` means that the file does not state it.
    pub language: Option<String>,
    /// The stream's title in the file: `English (SDH)`. `None` means that the file does not state
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether the file marks the stream as the one to show.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// Whether the file marks the stream as one that is always shown: signs and foreign speech,
    /// not all that is said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
}

impl SubtitleStream {
    /// Makes a stream without a language, a title and marks.
    pub fn new(index: usize, codec: impl Into<String>) -> Self {
        SubtitleStream { index, codec: codec.into(), language: None, title: None, default: false, forced: false }
    }
}
