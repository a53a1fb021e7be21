//! What identifies a pipeline's stages, and the end of a run as a step, for the jobs.

use super::Pipeline;
use super::call::call;
use crate::context::Context;
use crate::error::Result;
use crate::model::{Manifest, Stage, WarningKind};

/// What the answers of a pipeline's stages depend on besides their inputs. `None` means that it is
/// not known, so that an answer belongs to the job that asked.
pub(crate) struct Fingerprints {
    pub(crate) transcriber: Option<String>,
    pub(crate) scorer: Option<String>,
    pub(crate) tracker: Option<String>,
    pub(crate) renderer: Option<String>,
    /// The renderer's size in pixels.
    pub(crate) size: Option<(u32, u32)>,
}

impl Pipeline {
    /// The fingerprints of the stages. May read files of models.
    pub(crate) fn fingerprints(&self) -> Fingerprints {
        let stages = &self.stages;
        Fingerprints {
            transcriber: stages.transcriber.fingerprint(),
            scorer: stages.scorer.fingerprint(),
            tracker: stages.tracker.fingerprint(),
            renderer: stages.renderer.is_builtin().then(|| concat!("builtin ", env!("CARGO_PKG_VERSION")).to_owned()),
            size: stages.renderer.size(),
        }
    }

    /// Gives the manifest to every publisher. An error becomes a warning, unless it is a
    /// cancellation, since the clips are published.
    pub(crate) async fn deliver(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
        for publisher in &self.stages.publishers {
            let (told, publisher) = (manifest.clone(), publisher.clone());
            match call(cx, Stage::Publish, |cx| async move { publisher.conclude(&cx, &told).await }).await {
                Err(error) if error.is_cancelled() => return Err(error),
                Err(error) => cx
                    .for_stage(Stage::Publish)
                    .warn_of(WarningKind::Publish, format!("the manifest could not be published: {error}")),
                Ok(()) => {}
            }
        }
        Ok(())
    }
}
