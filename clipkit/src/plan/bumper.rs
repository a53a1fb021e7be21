//! An intro or an outro as a clip of its own.

use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Bumper, BumperFit, ClipPlan, Crop, Layout, Media, MediaRef, Output, Pane, PlanSource, Rect, Scene, Score, Span, Timestamp,
};

/// Aspect ratios that differ by less than this share are the same: no bars of a pixel.
const SAME_ASPECT: f64 = 0.01;

/// A bumper as a clip of its own: a plan with one scene and nothing on it, for an output like that
/// of the clip. It lasts a whole number of the output's frames.
///
/// Fails with [`ErrorKind::InvalidPlan`] if its playing time is not known, and with
/// [`ErrorKind::InvalidInput`] if the medium has no picture.
pub(crate) fn as_clip(name: &str, bumper: &Bumper, media: &Media, output: &Output) -> Result<ClipPlan> {
    let (width, height) = media.require_video()?.display_size();
    let frames = bumper.frames(output.frame_rate).ok_or_else(|| {
        Error::new(ErrorKind::InvalidPlan, format!("how long the {name} plays is not known"))
            .with_path(&media.path)
            .with_advice(format!("give {name}.span"))
    })?;
    let source = PlanSource::new(MediaRef::new(bumper.file.as_str(), media.id.clone()), width, height, media.duration);
    let from = bumper.span.map_or(Timestamp::ZERO, Span::start);
    let lasts = Timestamp::from_micros(output.frame_rate.frame_start(frames).micros().max(1));
    let span = Span::between(from, from.offset(lasts));
    let layout = layout(bumper.fit, (width, height), (output.width, output.height));
    let mut plan = ClipPlan::new(source, span, name, Score::default(), vec![Scene::new(span.since(from), layout)], output.clone());
    plan.source.audio_track = media.audio_track;
    Ok(plan)
}

/// How a picture is fitted into the output. Both sizes are in pixels.
fn layout(fit: BumperFit, picture: (u32, u32), output: (u32, u32)) -> Layout {
    // The picture's aspect ratio, in terms of the output's.
    let aspect = |(width, height): (u32, u32)| f64::from(width.max(1)) / f64::from(height.max(1));
    let ratio = aspect(picture) / aspect(output);
    if (ratio - 1.0).abs() < SAME_ASPECT {
        return Layout::Fill { crop: Crop::still(Rect::FULL) };
    }
    let (width, height) = if ratio > 1.0 { (1.0, 1.0 / ratio) } else { (ratio, 1.0) };
    let middle = |width: f64, height: f64| Rect::new((1.0 - width) / 2.0, (1.0 - height) / 2.0, width, height);
    match fit {
        BumperFit::Contain => Layout::Fit { pane: Pane { crop: Crop::still(Rect::FULL), place: middle(width, height) } },
        // What is left of the longer side.
        BumperFit::Cover => Layout::Fill { crop: Crop::still(middle(height, width)) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentId, FrameRate, VideoStream};

    fn window(fit: BumperFit, picture: (u32, u32)) -> (Rect, Rect) {
        let layout = layout(fit, picture, (1080, 1920));
        let (crop, place) = layout.panes()[0];
        (crop.at(Timestamp::ZERO), place)
    }

    #[test]
    fn a_picture_is_shown_whole_or_fills_the_output() {
        let third = 81.0 / 256.0;
        let (wide, high) = ((1920, 1080), (1080, 1920));
        assert_eq!(window(BumperFit::Contain, wide), (Rect::FULL, Rect::new(0.0, (1.0 - third) / 2.0, 1.0, third)));
        assert_eq!(window(BumperFit::Cover, wide), (Rect::new((1.0 - third) / 2.0, 0.0, third, 1.0), Rect::FULL));
        for fit in [BumperFit::Contain, BumperFit::Cover] {
            assert_eq!(window(fit, high), (Rect::FULL, Rect::FULL));
            assert_eq!(window(fit, (1080, 1912)), (Rect::FULL, Rect::FULL));
        }
        // Higher than the output.
        assert_eq!(window(BumperFit::Contain, (540, 1920)).1, Rect::new(0.25, 0.0, 0.5, 1.0));
        assert_eq!(window(BumperFit::Cover, (540, 1920)).0, Rect::new(0.0, 0.25, 1.0, 0.5));
    }

    #[test]
    fn a_bumper_lasts_whole_frames_and_is_a_valid_plan() {
        let output = Output::h264(1080, 1920, FrameRate::new(30_000, 1001));
        let mut media = Media::new("intro.mp4", ContentId::new("none", ""));
        assert_eq!(as_clip("intro", &Bumper::new("intro.mp4"), &media, &output).unwrap_err().kind(), ErrorKind::InvalidInput);
        media.video = Some(VideoStream::new(0, "h264", 1920, 1080, FrameRate::new(25, 1)));
        assert_eq!(as_clip("intro", &Bumper::new("intro.mp4"), &media, &output).unwrap_err().kind(), ErrorKind::InvalidPlan);
        for (secs, frames) in [(0.041, 1), (1.0, 30), (1.49, 45), (299.99, 8991)] {
            let bumper = Bumper::new("intro.mp4").during(Span::secs(2.0, 2.0 + secs).unwrap());
            let plan = as_clip("intro", &bumper, &media, &output).unwrap();
            plan.validate().unwrap();
            assert_eq!((plan.frames(), plan.span.start()), (frames, Timestamp::from_secs(2.0)), "{secs}");
        }
    }

    proptest::proptest! {
        #[test]
        fn windows_stay_inside_and_keep_the_aspect_ratio(wide in 1..9000_u32, high in 1..9000_u32, cover: bool) {
            let (crop, place) = window(if cover { BumperFit::Cover } else { BumperFit::Contain }, (wide, high));
            for rect in [crop, place] {
                let ends = [rect.x + rect.width, rect.y + rect.height];
                proptest::prop_assert!(rect.x >= -1e-9 && rect.y >= -1e-9 && ends.iter().all(|end| *end <= 1.0 + 1e-9), "{:?}", rect);
            }
            let shown = crop.width * f64::from(wide) / (crop.height * f64::from(high));
            let there = place.width * 1080.0 / (place.height * 1920.0);
            proptest::prop_assert!((shown / there - 1.0).abs() <= 0.0102, "{} {}", shown, there);
        }
    }
}
