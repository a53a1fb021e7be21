use std::path::Path;

use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;

use crate::av::{RgbImage, VideoFrame};
use crate::error::{Error, ErrorKind, Result};

const QUALITY: u8 = 88;

/// Writes a frame of the clip as the cover, a JPEG.
pub(super) fn write(frame: &VideoFrame, path: &Path) -> Result<()> {
    let image = RgbImage::of_output(frame)?;
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .write_image(&image.pixels, image.width, image.height, image::ExtendedColorType::Rgb8)
        .map_err(|error| Error::new(ErrorKind::Encode, format!("cannot make the cover: {error}")))?;
    std::fs::write(path, bytes).map_err(|error| Error::io(path, "write the cover", error))
}
