use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FrameRate, Loudness, Rect};
use crate::error::{Error, ErrorKind};

/// The parameters of the file to make: H.264 video and AAC audio in an MP4 container. They are
/// sufficient to repeat the encode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Output {
    /// The video codec: `h264` (x264, High profile, yuv420p, BT.709).
    pub codec: String,
    /// x264's speed preset.
    pub preset: X264Preset,
    /// x264's constant rate factor, 0 to 51. A lower value gives a better picture and a larger
    /// file.
    pub crf: u8,
    /// The width in pixels, an even number.
    pub width: u32,
    /// The height in pixels, an even number.
    pub height: u32,
    /// The constant frame rate.
    pub frame_rate: FrameRate,
    /// The audio bit rate in bits per second (AAC, 48 kHz, stereo).
    pub audio_bitrate: u32,
    /// The loudness to normalize the audio to. `None` leaves the source's loudness unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
}

impl Output {
    /// The value of [`Output::codec`] for H.264.
    pub const H264: &'static str = "h264";

    /// Makes parameters with x264's preset `veryfast` (the best compromise between speed and file
    /// size), a CRF of 20, 128 kbit/s audio and [`Loudness::ONLINE`]. `width` and `height` are in
    /// pixels.
    pub fn h264(width: u32, height: u32, frame_rate: FrameRate) -> Self {
        Output {
            codec: Output::H264.into(),
            preset: X264Preset::Veryfast,
            crf: 20,
            width,
            height,
            frame_rate,
            audio_bitrate: 128_000,
            loudness: Some(Loudness::ONLINE),
        }
    }
}

/// x264's speed presets, the fastest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names are x264's own.
pub enum X264Preset {
    Ultrafast,
    Superfast,
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
}

impl X264Preset {
    /// The preset's name in x264.
    pub fn name(self) -> &'static str {
        match self {
            X264Preset::Ultrafast => "ultrafast",
            X264Preset::Superfast => "superfast",
            X264Preset::Veryfast => "veryfast",
            X264Preset::Faster => "faster",
            X264Preset::Fast => "fast",
            X264Preset::Medium => "medium",
            X264Preset::Slow => "slow",
            X264Preset::Slower => "slower",
            X264Preset::Veryslow => "veryslow",
        }
    }
}

/// The aspect ratio of the output, as width to height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Aspect {
    /// 9:16, for phones.
    #[default]
    #[serde(rename = "9:16")]
    Vertical,
    /// 1:1.
    #[serde(rename = "1:1")]
    Square,
    /// 4:5, for feeds.
    #[serde(rename = "4:5")]
    Portrait,
    /// 16:9.
    #[serde(rename = "16:9")]
    Wide,
}

impl Aspect {
    /// The usual (width, height) in pixels. The shorter side has 1080 pixels.
    pub fn size(self) -> (u32, u32) {
        match self {
            Aspect::Vertical => (1080, 1920),
            Aspect::Square => (1080, 1080),
            Aspect::Portrait => (1080, 1350),
            Aspect::Wide => (1920, 1080),
        }
    }

    /// The aspect whose safe area applies to an output size. Platforms overlay their interface on
    /// vertical video only, so outputs with a ratio of at least 2:3 count as vertical.
    pub(crate) fn of((width, height): (u32, u32)) -> Aspect {
        if u64::from(height) * 2 >= u64::from(width) * 3 { Aspect::Vertical } else { Aspect::Square }
    }
}

impl FromStr for Aspect {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "9:16" => Ok(Aspect::Vertical),
            "1:1" => Ok(Aspect::Square),
            "4:5" => Ok(Aspect::Portrait),
            "16:9" => Ok(Aspect::Wide),
            _ => Err(Error::new(ErrorKind::Config, format!("there is no aspect {text:?}")).with_advice("use 9:16, 1:1, 4:5 or 16:9")),
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Aspect::Vertical => "9:16",
            Aspect::Square => "1:1",
            Aspect::Portrait => "4:5",
            Aspect::Wide => "16:9",
        })
    }
}

/// The platform that clips are made for. It determines the safe area, which the platform's
/// interface does not cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// YouTube Shorts.
    Shorts,
    /// TikTok.
    Tiktok,
    /// Instagram Reels.
    Reels,
    /// Any platform. The safe area is the intersection of the other platforms' safe areas.
    #[default]
    Generic,
}

impl Platform {
    /// The part of the output that the platform's interface does not cover, in fractions of the
    /// output's width and height.
    ///
    /// In a vertical frame of 1080x1920 pixels, the safe area of `Generic` is x 65 to 928 and y 269
    /// to 1248. Reels covers the top 14 % and the bottom 35 %, Shorts covers the bottom 25 %. Other
    /// aspect ratios are shown in feeds without an overlay, so their safe area only excludes 5 % on
    /// each side.
    pub fn safe_area(self, aspect: Aspect) -> Rect {
        if aspect != Aspect::Vertical {
            return Rect::new(0.05, 0.05, 0.9, 0.9);
        }
        let (top, bottom) = match self {
            Platform::Reels | Platform::Generic => (269.0, 1248.0),
            Platform::Shorts => (269.0, 1440.0),
            Platform::Tiktok => (269.0, 1344.0),
        };
        Rect::new(65.0 / 1080.0, top / 1920.0, (928.0 - 65.0) / 1080.0, (bottom - top) / 1920.0)
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "shorts" => Ok(Platform::Shorts),
            "tiktok" => Ok(Platform::Tiktok),
            "reels" => Ok(Platform::Reels),
            "generic" => Ok(Platform::Generic),
            _ => {
                Err(Error::new(ErrorKind::Config, format!("there is no platform {text:?}"))
                    .with_advice("use shorts, tiktok, reels or generic"))
            }
        }
    }
}
