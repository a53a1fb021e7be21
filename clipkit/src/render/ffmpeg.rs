use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verify::{self, Verdict};
use super::{Renderer, cover, part, pass};
use crate::av;
use crate::context::Context;
use crate::error::Result;
use crate::model::{ClipPlan, RenderedClip};

/// Renders with the FFmpeg libraries in this process: one decode, one encode, no `ffmpeg` command.
///
/// Each frame is deinterlaced if need be, cropped as the plan's paths say, turned upright, tone-mapped if it is HDR, scaled, arranged as the
/// scene's layout says, captioned and encoded (x264, AAC) in one pass. The sound is settled beside it, until what a player will decode has the
/// plan's loudness and no peak above its limit. The finished file is opened again: each packet must be what the encoder
/// gave, and what is decoded of it is compared with what was encoded. What fails that is rendered once more, and is an error if it fails
/// again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FfmpegRenderer {
    /// Columns and rows of the clips; none leaves it to the aspect that the pipeline asks for. Plans are made for it; rendering obeys the plan.
    pub size: Option<(u32, u32)>,
    /// Threads for decoding and for encoding one clip. 0, the default, shares the machine's cores among the clips rendered at once.
    pub threads: usize,
}

impl FfmpegRenderer {
    /// A renderer that leaves the size to the pipeline's aspect.
    pub fn new() -> Self {
        FfmpegRenderer::default()
    }

    /// A renderer for vertical clips of `width` columns and `height` rows.
    pub fn vertical(width: u32, height: u32) -> Self {
        FfmpegRenderer { size: Some((width, height)), threads: 0 }
    }
}

#[async_trait]
impl Renderer for FfmpegRenderer {
    async fn render(&self, cx: &Context, plan: &ClipPlan) -> Result<RenderedClip> {
        plan.validate()?;
        let plan = plan.clone();
        let threads = if self.threads > 0 { self.threads } else { cx.threads() };
        cx.blocking(move |cx| render(cx, &plan, threads)).await
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.size
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

fn render(cx: &Context, plan: &ClipPlan, threads: usize) -> Result<RenderedClip> {
    let media = av::probe_header(cx, &cx.locate(&plan.source.media)?, plan.source.media.id.clone())?;
    let files = Files::below(cx)?;
    let mut again = false;
    loop {
        let (still, witness) = pass::run(cx, plan, &media, &files, threads)?;
        let parts = &cx.child();
        let (covered, verdict) = std::thread::scope(|scope| {
            let cover = part::spawn(scope, "clipkit-cover", parts, || cover::write(&still, &files.cover))?;
            let verdict = verify::judge(parts, plan, &files, &witness, threads);
            Ok((part::join(cover), verdict))
        })?;
        // Where it failed, it stopped the gate.
        covered?;
        match verdict? {
            Verdict::Passed(clip) => return Ok(clip),
            Verdict::Refused(why) if again => return Err(verify::refusal(&why)),
            Verdict::Refused(why) => {
                cx.warn(format!("the rendered clip was not as planned: {why}; it was rendered again"));
                again = true;
            }
        }
    }
}

/// Where one rendering writes, under names that no other rendering of the process has.
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
}
