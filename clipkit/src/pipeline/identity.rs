//! What identifies a pipeline's stages, and the end of a run as a step, for the jobs.

use super::Pipeline;
use super::call::call;
use crate::context::{Context, Environment};
use crate::error::Result;
use crate::model::{Manifest, Stage, WarningKind};

impl Pipeline {
    /// What the answers of a stage depend on besides their inputs. `None` means that it is not
    /// known, so that an answer belongs to the job that asked. May read files of a model.
    pub(crate) fn fingerprint(&self, stage: Stage, environment: &Environment) -> Option<String> {
        let stages = &self.stages;
        match stage {
            Stage::Transcribe => stages.transcriber.fingerprint(environment),
            Stage::Score => stages.scorer.fingerprint(environment),
            Stage::Track => stages.tracker.fingerprint(environment),
            Stage::Render => stages.renderer.is_builtin().then(|| concat!("builtin ", env!("CARGO_PKG_VERSION")).to_owned()),
            _ => None,
        }
    }

    /// The renderer's size in pixels, if it has one.
    pub(crate) fn render_size(&self) -> Option<(u32, u32)> {
        self.stages.renderer.size()
    }

    /// Gives the manifest to every publisher. An error becomes a warning, unless it is a
    /// cancellation, since the clips are published.
    pub(crate) async fn deliver(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
        for publisher in &self.stages.publishers {
            let (told, publisher) = (manifest.clone(), publisher.clone());
            match call(cx, Stage::Publish, |cx| async move { publisher.conclude(&cx, &told).await }).await {
                Err(error) if error.is_cancelled() => return Err(error),
                Err(error) => {
                    cx.for_stage(Stage::Publish).warn_of(WarningKind::Publish, format!("the manifest could not be published: {error}"))
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }
}
