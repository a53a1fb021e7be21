//! Frames whose shape is not that of their stream: a phone that is turned while it records, streams
//! that are joined, broadcasts that change between 4:3 and 16:9.

use super::picture::Picture;
use crate::model::{Rect, VideoStream};

/// Aspects that differ by less than this share are the same: coded sizes are rounded up.
const SAME: f64 = 0.02;

/// The part of the stream's stored picture that a frame is shown in, in normalised coordinates: all
/// of it for frames of the stream's aspect, else as large as fits, in the middle.
pub(crate) fn placed(video: &VideoStream, picture: &Picture) -> Rect {
    let is_same_size = (picture.width(), picture.height()) == (video.width, video.height);
    let pixel = picture.pixel_aspect().unwrap_or(if is_same_size { video.pixel_aspect } else { 1.0 });
    let aspect = |width: u32, height: u32, pixel: f64| f64::from(width.max(1)) * pixel / f64::from(height.max(1));
    let own = aspect(picture.width(), picture.height(), pixel);
    in_the_middle(own / aspect(video.width, video.height, video.pixel_aspect))
}

/// Where a picture lies whose aspect is this many times that of the picture around it.
fn in_the_middle(ratio: f64) -> Rect {
    if !ratio.is_finite() || (ratio - 1.0).abs() < SAME {
        Rect::FULL
    } else if ratio > 1.0 {
        Rect::new(0.0, (1.0 - 1.0 / ratio) / 2.0, 1.0, 1.0 / ratio)
    } else {
        Rect::new((1.0 - ratio) / 2.0, 0.0, ratio, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_another_shape_lies_in_the_middle() {
        assert_eq!(in_the_middle(1.0), Rect::FULL);
        assert_eq!(in_the_middle(1080.0 / 1088.0), Rect::FULL);
        assert_eq!(in_the_middle(2.0), Rect::new(0.0, 0.25, 1.0, 0.5));
        assert_eq!(in_the_middle(0.5), Rect::new(0.25, 0.0, 0.5, 1.0));
        assert_eq!(in_the_middle(f64::INFINITY), Rect::FULL);
    }
}
