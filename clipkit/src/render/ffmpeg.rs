use super::Renderer;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Clip, ClipPlan};
use async_trait::async_trait;

/// FFmpeg.
#[derive(Clone, Debug, Default)]
pub struct FfmpegRenderer;

#[async_trait]
impl Renderer for FfmpegRenderer {
    async fn render(&self, _cx: &Context, _plan: &ClipPlan) -> Result<Clip> {
        Err(Error::new(ErrorKind::Unavailable, "x"))
    }
}
