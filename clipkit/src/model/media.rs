use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// A file's identity: a hash of its bytes, so that a copy or a new name stays the same media.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ContentId(String);

impl ContentId {
    /// From a hash in hexadecimal digits and the name of the function that made it.
    pub fn new(function: &str, hex: &str) -> Self {
        ContentId(format!("{function}:{hex}"))
    }

    /// `blake3:9f86d0...`
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A media file by address and content: what plans and manifests name, so that they outlive a
/// download and mean the same on another machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MediaRef {
    /// What the source was given: a path, or a URL. A relative path is looked up from the working
    /// folder.
    pub uri: String,
    /// What the file contains.
    pub id: ContentId,
    /// The file's size and time of change when it was identified. Where they still hold, the file
    /// is not read to identify it again. `None` for media in a media store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<FileStamp>,
}

impl MediaRef {
    /// A reference without a stamp.
    pub fn new(uri: impl Into<String>, id: ContentId) -> Self {
        MediaRef { uri: uri.into(), id, stamp: None }
    }
}

/// A file's size and time of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileStamp {
    /// Bytes.
    pub size: u64,
    /// When the content changed last, in microseconds since 1970.
    pub modified: i64,
}

impl FileStamp {
    /// The stamp of a file's metadata. The time is 0 where the file system does not know it.
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        let since = metadata.modified().ok().and_then(|at| at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok());
        let modified = since.and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or(0);
        FileStamp { size: metadata.len(), modified }
    }
}

/// A media file on this machine and what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Media {
    /// What the source was given: a path, or a URL.
    pub uri: String,
    /// Where the file is on this machine. Another process looks it up anew.
    pub path: PathBuf,
    /// What the file contains.
    pub id: ContentId,
    /// The file's size and time of change. `None` for media in a media store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<FileStamp>,
    /// The container's short name, as FFmpeg gives it (`mov,mp4,m4a,3gp,3g2,mj2`).
    pub container: String,
    /// How long the longest of sound and picture plays, measured where the container does not say or cannot be believed.
    pub duration: Timestamp,
    /// The picture that a player would show; none in a sound file.
    pub video: Option<VideoStream>,
    /// Sound streams, in file order.
    pub audio: Vec<AudioStream>,
    /// Subtitle streams, in file order.
    pub subtitles: Vec<SubtitleStream>,
}

impl Media {
    /// A file of which nothing is known yet: no streams, no duration. The URI is the path.
    pub fn new(path: impl Into<PathBuf>, id: ContentId) -> Self {
        let path = path.into();
        Media {
            uri: path.to_string_lossy().into_owned(),
            path,
            id,
            stamp: None,
            container: String::new(),
            duration: Timestamp::ZERO,
            video: None,
            audio: Vec::new(),
            subtitles: Vec::new(),
        }
    }

    /// The reference that plans and manifests keep.
    pub fn reference(&self) -> MediaRef {
        MediaRef { uri: self.uri.clone(), id: self.id.clone(), stamp: self.stamp }
    }

    /// The picture, or the error that says there is none.
    pub fn require_video(&self) -> Result<&VideoStream> {
        self.video.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "there is no picture in this file")
                .with_path(&self.path)
                .with_advice("give a file with a video stream")
        })
    }
}

/// A picture stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VideoStream {
    /// The stream's number in the file.
    pub index: usize,
    /// The codec's short name (`h264`).
    pub codec: String,
    /// Stored columns, before orientation and pixel shape.
    pub width: u32,
    /// Stored rows, before orientation and pixel shape.
    pub height: u32,
    /// How the stored picture is to be turned for display.
    pub orientation: Orientation,
    /// Width of a pixel divided by its height, in the stored picture.
    pub pixel_aspect: f64,
    /// Frames per second: the average over the file.
    pub frame_rate: FrameRate,
    /// Whether frames last differently long.
    pub variable_rate: bool,
    /// FFmpeg's name of the pixel format (`yuv420p10le`).
    pub pixel_format: String,
    /// Bits of one component.
    pub bit_depth: u8,
    /// How numbers mean colours.
    pub color: Color,
    /// When the first frame shows, on the source's timeline.
    pub start: Timestamp,
}

impl VideoStream {
    /// Columns and rows as a viewer sees them: square pixels, turned upright. The height is kept, so a wide pixel widens.
    pub fn display_size(&self) -> (u32, u32) {
        let width = (f64::from(self.width) * self.pixel_aspect).round().clamp(1.0, 65_536.0) as u32;
        if self.orientation.swaps_sides() { (self.height, width) } else { (width, self.height) }
    }
}

/// How a stored picture is turned for display: mirrored left to right first if `mirrored`, then turned clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Orientation {
    /// Clockwise degrees: 0, 90, 180 or 270.
    pub clockwise: u16,
    /// Whether left and right change places before the turn.
    pub mirrored: bool,
}

impl Orientation {
    /// Whether width and height change places.
    pub fn swaps_sides(self) -> bool {
        self.clockwise % 180 == 90
    }
}

/// Frames per second as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameRate {
    /// Frames ...
    pub num: u32,
    /// ... in this many seconds.
    pub den: u32,
}

impl FrameRate {
    /// `num` frames in `den` seconds.
    pub const fn new(num: u32, den: u32) -> Self {
        FrameRate { num, den }
    }

    /// Frames per second.
    pub fn fps(self) -> f64 {
        f64::from(self.num) / f64::from(self.den.max(1))
    }

    /// When frame `n`, counted from 0, starts.
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

/// How numbers mean colours, in FFmpeg's names (`bt709`, `smpte2084`); `unknown` where the file does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Color {
    /// Which red, green and blue.
    pub primaries: String,
    /// From code value to light.
    pub transfer: String,
    /// From RGB to luma and chroma.
    pub matrix: String,
    /// `tv` (16 to 235) or `pc` (0 to 255).
    pub range: String,
    /// Set for high dynamic range.
    pub hdr: Option<Hdr>,
}

/// The two transfer functions of high dynamic range video (ITU-R BT.2100).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hdr {
    /// Perceptual quantiser (SMPTE ST 2084): HDR10, Dolby Vision.
    Pq,
    /// Hybrid log-gamma (ARIB STD-B67).
    Hlg,
}

/// A sound stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AudioStream {
    /// The stream's number in the file.
    pub index: usize,
    /// The codec's short name (`aac`).
    pub codec: String,
    /// Samples per second.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u16,
    /// The language the file names, if it does.
    pub language: Option<String>,
}

/// A subtitle stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubtitleStream {
    /// The stream's number in the file.
    pub index: usize,
    /// The codec's short name (`subrip`, `webvtt`, `ass`, `mov_text`, `hdmv_pgs_subtitle`).
    pub codec: String,
    /// The language the file names, if it does.
    pub language: Option<String>,
}
