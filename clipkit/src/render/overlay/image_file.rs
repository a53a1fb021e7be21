//! Image files of overlays, of intros and of outros. They are as hostile as any other input.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbaImage};

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

/// The largest number of bytes that a decoder needs for a pixel: four channels of 16 bits.
const PIXEL_BYTES: u64 = 8;
/// What a decoder may need besides the pixels, in bytes.
const DECODER_BYTES: u64 = 16 << 20;

/// The width and height in pixels of an image as it is displayed.
pub(super) fn size(cx: &Context, file: &str) -> Result<(u32, u32)> {
    named(file, displayed_size(cx, file))
}

/// The width and height in pixels of an image that is no overlay. Errors do not name it.
pub(in crate::render) fn displayed_size(cx: &Context, file: &str) -> Result<(u32, u32)> {
    bytes(cx, file).and_then(|bytes| decoder(cx, &bytes).map(|(_, size)| size))
}

/// Reads a PNG, WebP or JPEG file of an overlay: sRGB, straight alpha, upright.
pub(super) fn read(cx: &Context, file: &str) -> Result<RgbaImage> {
    named(file, picture(cx, file))
}

/// Reads a PNG, WebP or JPEG file: sRGB, straight alpha, upright. Errors do not name it.
pub(in crate::render) fn picture(cx: &Context, file: &str) -> Result<RgbaImage> {
    decoded(cx, &bytes(cx, file)?)
}

/// Decodes a PNG, WebP or JPEG file: sRGB, straight alpha, upright. Errors name no file.
pub(super) fn decoded(cx: &Context, bytes: &[u8]) -> Result<RgbaImage> {
    let (mut decoder, _) = decoder(cx, bytes)?;
    let orientation = decoder.orientation().map_err(|error| unreadable(&error))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| unreadable(&error))?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgba8())
}

fn bytes(cx: &Context, file: &str) -> Result<Vec<u8>> {
    let metadata = std::fs::metadata(file).map_err(|error| Error::io(file, "read the image", error))?;
    // Opening a pipe would wait for its writer.
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::Overlay, "the image is not a file").with_advice("give a PNG, WebP or JPEG file"));
    }
    cx.read_document(file)
}

/// A decoder whose picture is within the limits, and the displayed size of the picture.
fn decoder<'a>(cx: &Context, bytes: &'a [u8]) -> Result<(impl ImageDecoder + 'a, (u32, u32))> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| Error::io("", "read the image", error))?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::WebP | ImageFormat::Jpeg)) {
        return Err(Error::new(ErrorKind::Overlay, "the image is no PNG, WebP or JPEG file").with_advice("convert it to PNG"));
    }
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(cx.limits().picture_pixels.saturating_mul(PIXEL_BYTES).saturating_add(DECODER_BYTES));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| unreadable(&error))?;
    let (width, height) = decoder.dimensions();
    cx.limits().check_picture(width, height)?;
    if width == 0 || height == 0 {
        return Err(Error::new(ErrorKind::Overlay, "the image has no pixels").with_advice("give another image"));
    }
    use image::metadata::Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    let swaps = matches!(decoder.orientation(), Ok(Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH));
    Ok((decoder, if swaps { (height, width) } else { (width, height) }))
}

fn unreadable(error: &image::ImageError) -> Error {
    Error::new(ErrorKind::Overlay, format!("the image cannot be decoded: {error}"))
        .with_advice("save it again as PNG, or give another image")
}

/// The error of an image as one of the overlay, with the file's path.
pub(super) fn named<T>(file: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| {
        if error.is_cancelled() {
            return error;
        }
        let advice = match error.kind() {
            ErrorKind::NotFound => "give the path of an image on this machine, or remove the overlay",
            _ => error.advice().unwrap_or("give another image, or remove the overlay"),
        };
        Error::new(ErrorKind::Overlay, error.message()).with_path(Path::new(file)).with_advice(advice).with_source(error.clone())
    })
}

#[cfg(test)]
mod tests {
    use image::{ImageEncoder, Rgba};

    use super::*;
    use crate::model::Limits;

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let picture = RgbaImage::from_fn(8, 4, |x, _| if x < 4 { Rgba([255, 0, 0, 128]) } else { Rgba([0, 0, 255, 0]) });
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::ImageRgba8(picture);
        let picture = if format == ImageFormat::Jpeg { DynamicImage::ImageRgb8(picture.into_rgb8()) } else { picture };
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn png_webp_and_jpeg_are_read_by_their_content() {
        let folder = tempfile::tempdir().unwrap();
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Jpeg] {
            let file = folder.path().join("image.bin");
            std::fs::write(&file, encoded(format)).unwrap();
            let file = file.to_str().unwrap();
            assert_eq!(size(&Context::new(), file).unwrap(), (8, 4));
            let picture = read(&Context::new(), file).unwrap();
            assert_eq!(picture.dimensions(), (8, 4));
            let expected = if format == ImageFormat::Jpeg { 255 } else { 128 };
            assert_eq!(picture.get_pixel(1, 1)[3], expected, "{format:?}");
            assert!(picture.get_pixel(1, 1)[0] > 240, "{format:?}");
        }
    }

    #[test]
    fn a_turned_picture_is_read_upright() {
        // An Exif block in big-endian order whose only entry is the orientation 6: turn clockwise.
        let exif = [b"MM\0*\0\0\0\x08\0\x01".as_slice(), b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0", b"\0\0\0\0"].concat();
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        let picture = RgbaImage::from_fn(8, 4, |_, y| if y < 2 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 0, 255, 255]) });
        encoder.write_image(&picture, 8, 4, image::ExtendedColorType::Rgba8).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("turned.png");
        std::fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap();
        assert_eq!(size(&Context::new(), file).unwrap(), (4, 8));
        let upright = read(&Context::new(), file).unwrap();
        assert_eq!((upright.dimensions(), upright.get_pixel(3, 4)[0], upright.get_pixel(0, 4)[2]), ((4, 8), 255, 255));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_of_the_overlay_with_path_and_advice() {
        let folder = tempfile::tempdir().unwrap();
        let png = encoded(ImageFormat::Png);
        let named = |name: &str, bytes: &[u8]| {
            let file = folder.path().join(name);
            std::fs::write(&file, bytes).unwrap();
            file
        };
        let huge = {
            // The header states 60,000 x 60,000 pixels. Its checksum is that of the changed header.
            let mut bytes = png.clone();
            bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
            let checksum = crc(&bytes[12..29]).to_be_bytes();
            bytes[29..33].copy_from_slice(&checksum);
            bytes
        };
        for (file, part) in [
            (folder.path().join("none.png"), "cannot read the image"),
            (folder.path().to_owned(), "the image is not a file"),
            (named("text.png", b"hello"), "no PNG, WebP or JPEG"),
            (named("empty.png", b""), "no PNG, WebP or JPEG"),
            (named("cut.png", &png[..png.len() / 2]), "cannot be decoded"),
            (named("huge.png", &huge), "picture_width is 16384"),
        ] {
            let error = read(&Context::new(), file.to_str().unwrap()).unwrap_err();
            assert_eq!((error.kind(), error.path()), (ErrorKind::Overlay, Some(file.as_path())), "{error}");
            assert!(error.message().contains(part) && error.advice().is_some(), "{part}: {error}");
        }
        let cx = Context::builder().limits(serde_json::from_str::<Limits>(r#"{"picture_pixels": 31}"#).unwrap()).build();
        let error = read(&cx, named("small.png", &png).to_str().unwrap()).unwrap_err();
        assert!(error.kind() == ErrorKind::Overlay && error.message().contains("picture_pixels is 31"), "{error}");
    }

    /// The checksum of PNG chunks (ISO 3309).
    fn crc(bytes: &[u8]) -> u32 {
        let step =
            |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()));
        !bytes.iter().fold(u32::MAX, step)
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(64))]
        #[test]
        fn a_damaged_image_is_read_or_refused(kind in 0..3_usize, at in 0.0..1.0f64, byte in 0..=255_u8, cut in 0.0..1.0f64) {
            let mut bytes = encoded([ImageFormat::Png, ImageFormat::WebP, ImageFormat::Jpeg][kind]);
            let last = bytes.len() - 1;
            bytes[(at * last as f64) as usize] = byte;
            bytes.truncate((cut * 2.0 * last as f64) as usize);
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &bytes).unwrap();
            if let Err(error) = read(&Context::new(), file.path().to_str().unwrap()) {
                proptest::prop_assert_eq!(error.kind(), ErrorKind::Overlay);
            }
        }
    }
}
