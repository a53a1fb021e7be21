//! The pictures of one part of the output: of the clip, of its intro or of its outro.

use super::bumper::OpenBumper;
use super::compose::Composer;
use super::ffmpeg::Files;
use super::frame::FrameRenderer;
use super::frame_rate::FrameRateConverter;
use super::record::{RenderRecord, THUMBNAIL};
use crate::av::{self, Effort, Picture, Thumbnailer, VideoFrame};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Bumper, CaptionStyle, ClipPlan, Media, Rect, Timestamp, WarningKind};

/// A video stream that ends this many seconds before its part gets a warning.
const SHORT_VIDEO_SECS: f64 = 1.0;

/// Draws the frames of one part of the output, in order.
pub(super) struct Pictures {
    kind: Kind,
    /// The bumper whose picture fades, its duration in seconds, and the frames of a second.
    fades: Option<(Bumper, f64, f64)>,
}

enum Kind {
    Moving(Box<Moving>),
    /// The one frame of an image.
    Still(VideoFrame),
}

struct Moving {
    converter: FrameRateConverter,
    renderer: FrameRenderer,
    thumbnailer: Thumbnailer,
}

impl Moving {
    fn open(cx: &Context, plan: &ClipPlan, media: &Media, files: &Files, (threads, effort): (usize, Effort), first: u64) -> Result<Self> {
        let converter = FrameRateConverter::open(cx, plan, media, (threads, effort), first)?;
        let renderer = FrameRenderer::new(cx, plan, media, files, threads)?;
        Ok(Moving { converter, renderer, thumbnailer: Thumbnailer::new(media.require_video()?, THUMBNAIL) })
    }
}

impl Pictures {
    /// Opens those of the clip from its frame `first` on.
    pub(super) fn of_clip(cx: &Context, plan: &ClipPlan, media: &Media, files: &Files, how: (usize, Effort), first: u64) -> Result<Self> {
        Ok(Pictures { kind: Kind::Moving(Box::new(Moving::open(cx, plan, media, files, how, first)?)), fades: None })
    }

    /// Opens those of an intro or an outro from its frame `first` on.
    pub(super) fn of_bumper(cx: &Context, bumper: &OpenBumper, files: &Files, how: (usize, Effort), first: u64) -> Result<Self> {
        let OpenBumper { plan, media, bumper: asked, .. } = bumper;
        let kind = match bumper.still(cx)? {
            Some(picture) => {
                let size = (plan.output.width, plan.output.height);
                let mut composer = Composer::new(size, CaptionStyle::karaoke().highlight).with_background(asked.background);
                let scene = plan.scenes.first().ok_or_else(|| Error::new(ErrorKind::InvalidPlan, "the plan has no scene"))?;
                let picture = Picture::new(Timestamp::ZERO, picture);
                Kind::Still(composer.compose(&picture, Rect::FULL, &scene.layout, Timestamp::ZERO)?)
            }
            None => {
                let mut moving = Moving::open(cx, plan, media, files, how, first)?;
                moving.renderer = moving.renderer.over(cx, asked.background);
                Kind::Moving(Box::new(moving))
            }
        };
        let fades = (asked.fade_in > 0.0 || asked.fade_out > 0.0).then(|| (asked.clone(), bumper.secs(), plan.output.frame_rate.fps()));
        Ok(Pictures { kind, fades })
    }

    /// Draws the frame `n` of the part and records it.
    pub(super) fn draw(&mut self, n: u64, record: &mut RenderRecord) -> Result<VideoFrame> {
        // The middle of the frame, so that both fades leave the same.
        let level = self.fades.as_ref().map_or(1.0, |(bumper, secs, fps)| bumper.level_at((n as f64 + 0.5) / fps, *secs));
        match &mut self.kind {
            Kind::Moving(moving) => {
                let shown = moving.converter.at(n)?;
                let mut frame = moving.renderer.apply(&shown, n)?;
                av::dim(&mut frame, level);
                let is_covered = level < 1.0 || moving.renderer.is_covered(n);
                record.add_frame(&frame, shown.picture, &mut moving.thumbnailer, is_covered)?;
                Ok(frame)
            }
            Kind::Still(picture) => {
                let mut frame = picture.clone();
                av::dim(&mut frame, level);
                record.add_drawn_frame(&frame);
                Ok(frame)
            }
        }
    }

    /// Returns a frame of any part, so that its memory is reused.
    pub(super) fn recycle(&mut self, frame: VideoFrame) {
        if let Kind::Moving(moving) = &mut self.kind {
            moving.renderer.recycle(frame);
        }
    }

    /// Warns if the picture ended long before the part. `whose` names the part's file.
    pub(super) fn report(&self, cx: &Context, whose: &str, part: &str) {
        let Kind::Moving(moving) = &self.kind else { return };
        let missing = moving.converter.missing_secs;
        if missing > SHORT_VIDEO_SECS {
            let message = format!("{whose} video ends {missing:.1} s before the {part}; the last frame is repeated");
            cx.warn_of(WarningKind::InputLost, message);
        }
    }
}
