//! Intro and outro: files that play before and after the clip, in the same encode.
//!
//! A bumper is rendered as a clip of its own: a plan with one scene and nothing on it, in the
//! clip's size and frame rate. So it is decoded, converted, scaled, heard and verified by the same
//! code as the clip. An image has one picture and no sound.

mod file;

use std::path::PathBuf;

use crate::av::{VideoFrame, flat_picture};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Bumper, ClipPlan, ContentId, Media, Output, Timestamp, VideoStream};
use crate::render::frame::BLACK;

/// The bumpers of a plan, whose files are on this machine and can be used.
#[derive(Default)]
pub(super) struct Bumpers {
    pub(super) intro: Option<OpenBumper>,
    pub(super) outro: Option<OpenBumper>,
}

/// A bumper whose file is on this machine and can be used.
pub(super) struct OpenBumper {
    /// Its name in the plan.
    pub(super) name: &'static str,
    /// The bumper with its measured length.
    pub(super) bumper: Bumper,
    /// The bumper as a clip of its own.
    pub(super) plan: ClipPlan,
    /// Its file. That of an image has a stream of video of the image's size, which is never read.
    pub(super) media: Media,
}

impl Bumpers {
    /// Finds and checks the files of a plan's intro and outro.
    ///
    /// # Errors
    ///
    /// Of the kind `NotFound` if there is no such file, `TooLarge` if it exceeds a limit, else
    /// `InvalidInput` if it has no picture, is too long or ends before its span does. They name the
    /// file and the bumper.
    pub(super) fn open(cx: &Context, plan: &ClipPlan) -> Result<Self> {
        let open = |name, bumper: &Option<Bumper>| bumper.as_ref().map(|bumper| file::open(cx, name, bumper, &plan.output)).transpose();
        Ok(Bumpers { intro: open("intro", &plan.intro)?, outro: open("outro", &plan.outro)? })
    }

    /// Warns of each file that is not the one that the plan was made with.
    pub(super) fn verify(&self, cx: &Context) -> Result<()> {
        self.iter().try_for_each(|bumper| file::verify(cx, bumper))
    }

    /// The plan with the measured lengths of its bumpers.
    pub(super) fn measured(&self, plan: &ClipPlan) -> ClipPlan {
        let mut plan = plan.clone();
        for (bumper, open) in [(&mut plan.intro, &self.intro), (&mut plan.outro, &self.outro)] {
            if let (Some(bumper), Some(open)) = (bumper, open) {
                bumper.length = open.bumper.length;
            }
        }
        plan
    }

    /// The bumpers in the order in which they play.
    pub(super) fn iter(&self) -> impl Iterator<Item = &OpenBumper> {
        self.intro.iter().chain(&self.outro)
    }
}

/// The plan with the measured lengths of its intro and outro, for what is made of a plan beside its
/// file.
///
/// Fails as rendering does if a file cannot be used.
pub(crate) async fn with_lengths(cx: &Context, plan: &ClipPlan) -> Result<ClipPlan> {
    if plan.intro.is_none() && plan.outro.is_none() {
        return Ok(plan.clone());
    }
    let plan = plan.clone();
    cx.blocking(move |cx| measured(cx, &plan)).await
}

/// The plan with the measured lengths of its intro and outro.
fn measured(cx: &Context, plan: &ClipPlan) -> Result<ClipPlan> {
    if plan.intro.is_none() && plan.outro.is_none() {
        return Ok(plan.clone());
    }
    let plan = Bumpers::open(cx, plan)?.measured(plan);
    plan.check_limits(cx.limits())?;
    Ok(plan)
}

impl OpenBumper {
    /// The number of its frames in the output.
    pub(super) fn frames(&self) -> u64 {
        self.plan.frames()
    }

    /// Its duration in the output, in seconds.
    pub(super) fn secs(&self) -> f64 {
        self.frames() as f64 / self.plan.output.frame_rate.fps()
    }

    /// Whether it may have sound.
    pub(super) fn is_heard(&self) -> bool {
        !self.bumper.is_image() && !self.media.audio.is_empty()
    }

    /// The picture of an image, over the background. `None` for a video.
    pub(super) fn still(&self, cx: &Context) -> Result<Option<VideoFrame>> {
        if !self.bumper.is_image() {
            return Ok(None);
        }
        let picture = file::image(cx, self.name, &self.media.path)?;
        flat_picture(picture.dimensions(), picture.as_raw(), self.bumper.background.unwrap_or(BLACK)).map(Some)
    }
}

/// The medium that stands for an image of this size which is shown for a time.
fn medium_of_image(path: PathBuf, id: ContentId, (width, height): (u32, u32), duration: Timestamp, output: &Output) -> Media {
    let mut video = VideoStream::new(0, "image", width, height, output.frame_rate);
    // What `flat_picture` makes.
    (video.color.matrix, video.color.range) = ("bt709".into(), "tv".into());
    let mut media = Media::new(path, id);
    (media.video, media.duration) = (Some(video), duration);
    media
}
