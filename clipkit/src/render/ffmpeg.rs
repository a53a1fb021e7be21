use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bumper::Bumpers;
use super::pass::{Input, Quality};
use super::verify::{self, Verdict};
use super::{Renderer, cover, pass, thread};
use crate::av;
use crate::context::Context;
use crate::error::Result;
use crate::model::{ClipPlan, RenderedClip, WarningKind};

/// Renders with the FFmpeg libraries in this process: one decode, one encode, no `ffmpeg` command.
///
/// Each frame is deinterlaced if needed, cropped along the plan's paths, rotated upright, tone
/// mapped if it is HDR, scaled, arranged in the scene's layout, covered by overlays, captioned and
/// encoded (x264, AAC) in one pass, and so are the frames of the plan's intro and outro. The audio
/// is processed concurrently until its decoded form has the plan's loudness and true peak limit.
/// The finished file is then verified: each packet must equal the encoder's, and the decoded part
/// is compared with what was encoded and with the sound of the source, so that no clip is silent
/// where its source is heard. A clip that fails verification is rendered once more. If it fails
/// again, the result is an error of kind [`Encode`](crate::ErrorKind::Encode) with
/// [`Recovery::Reencode`](crate::Recovery::Reencode).
///
/// Captions that cannot be drawn are an error of kind [`Captions`](crate::ErrorKind::Captions),
/// images of overlays that cannot be read one of kind [`Overlay`](crate::ErrorKind::Overlay). An
/// intro or an outro that cannot be used is an error that names its file: of kind
/// [`NotFound`](crate::ErrorKind::NotFound) or [`InvalidInput`](crate::ErrorKind::InvalidInput).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FfmpegRenderer {
    /// Columns and rows of the clips in pixels. Plans are made for this size. Default: `None`,
    /// which leaves the size to the pipeline's aspect. Rendering always uses the size in the plan.
    pub size: Option<(u32, u32)>,
    /// Threads for decoding and for encoding one clip. Default: 0, which divides the machine's
    /// cores among the clips rendered concurrently.
    pub threads: usize,
}

impl FfmpegRenderer {
    /// Creates a renderer that leaves the size to the pipeline's aspect.
    pub fn new() -> Self {
        FfmpegRenderer::default()
    }

    /// Creates a renderer for vertical clips of `width` columns and `height` rows.
    pub fn vertical(width: u32, height: u32) -> Self {
        FfmpegRenderer { size: Some((width, height)), threads: 0 }
    }
}

#[async_trait]
impl Renderer for FfmpegRenderer {
    async fn render(&self, cx: &Context, plan: &ClipPlan) -> Result<RenderedClip> {
        plan.validate()?;
        plan.check_limits(cx.limits())?;
        let plan = plan.clone();
        let threads = if self.threads > 0 { self.threads } else { cx.threads() };
        cx.blocking(move |cx| render(cx, &plan, threads, Quality::Final)).await
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.size
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

/// Renders a plan and verifies the file.
pub(super) fn render(cx: &Context, plan: &ClipPlan, threads: usize, quality: Quality) -> Result<RenderedClip> {
    let mut media = av::probe_header(cx, &cx.locate(&plan.source.media)?, plan.source.media.id.clone())?;
    media.audio_track = plan.source.audio_track;
    let files = Files::below(cx)?;
    let bumpers = Bumpers::open(cx, plan)?;
    bumpers.verify(cx)?;
    let plan = &bumpers.measured(plan);
    plan.check_limits(cx.limits())?;
    let input = &Input { plan, media: &media, bumpers: &bumpers, quality };
    let mut again = false;
    loop {
        let (still, record) = pass::run(cx, input, &files, threads)?;
        let parts = &cx.child();
        let (cover_written, verdict) = std::thread::scope(|scope| {
            let cover = thread::spawn(scope, "clipkit-cover", parts, || cover::write(&still, &files.cover))?;
            let verdict = verify::run(parts, input, &files, &record, threads);
            Ok((thread::join(cover), verdict))
        })?;
        // A failed cover cancels the verification, so its error comes first.
        cover_written?;
        match verdict? {
            Verdict::Passed(clip) => return Ok(clip),
            Verdict::Failed(why) if again => return Err(verify::error(&why)),
            Verdict::Failed(why) => {
                cx.warn_of(WarningKind::Rendering, format!("the rendered clip failed verification: {why}; it is rendered again"));
                again = true;
            }
        }
    }
}

/// The files of one rendering, with names that are unique in the process.
#[derive(Clone)]
pub(super) struct Files {
    pub(super) video: PathBuf,
    pub(super) cover: PathBuf,
    pub(super) captions: PathBuf,
}

impl Files {
    fn below(cx: &Context) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let scratch = cx.scratch()?;
        let named = |ending: &str| scratch.join(format!("render-{number}.{ending}"));
        Ok(Files { video: named("mp4"), cover: named("jpg"), captions: named("ass") })
    }

    /// The same, with captions of its own for a segment.
    pub(super) fn of_segment(&self, n: usize) -> Self {
        Files { captions: self.captions.with_extension(format!("{n}.ass")), ..self.clone() }
    }
}
