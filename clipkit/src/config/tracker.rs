use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::or_a_cache;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{LayerConfig, WithLayers};
use crate::track::{AutoTracker, CenterTracker, FaceModel, FaceTracker, MotionTracker};

/// The kinds of trackers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TrackerConfig {
    /// A face detector that is loaded when the first span is tracked. A missing model is
    /// downloaded.
    Auto(FaceModel),
    /// A face detector that is loaded when the pipeline is built. A model that cannot be loaded
    /// fails the build.
    Onnx(FaceModel),
    /// Follows motion, without a model: [`MotionTracker`].
    Motion(MotionTracker),
    /// Keeps the crop in the middle: [`CenterTracker`].
    Center,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        TrackerConfig::Auto(FaceModel::default())
    }
}

impl TrackerConfig {
    /// Builds the tracker inside these layers. `None` means a cache around a model, and no layers
    /// around the others. A missing model is downloaded: for `onnx` now, for `auto` at the first
    /// span.
    pub async fn build(&self, cx: &Context, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn FaceTracker>> {
        match self {
            TrackerConfig::Auto(model) => {
                let layers = or_a_cache(layers);
                layers.iter().try_for_each(LayerConfig::check)?;
                let wrap = move |tracker: Arc<dyn FaceTracker>| tracker.with_layers(&layers);
                Ok(Arc::new(AutoTracker::new(model.clone(), Arc::new(wrap))))
            }
            TrackerConfig::Onnx(model) => {
                let tracker: Arc<dyn FaceTracker> = Arc::new(model.load(cx).await?);
                tracker.with_layers(&or_a_cache(layers))
            }
            TrackerConfig::Motion(motion) => {
                let tracker: Arc<dyn FaceTracker> = Arc::new(*motion);
                tracker.with_layers(layers.unwrap_or_default())
            }
            TrackerConfig::Center => {
                let tracker: Arc<dyn FaceTracker> = Arc::new(CenterTracker);
                tracker.with_layers(layers.unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::model::{ContentId, Media, Span};
    use crate::track::Tracking;

    #[tokio::test]
    async fn a_model_that_cannot_be_had_fails_onnx_at_once_and_auto_at_the_first_span() {
        let nowhere = FaceModel::named("no/such/model.onnx");
        let cx = Context::new();
        let error = TrackerConfig::Onnx(nowhere.clone()).build(&cx, None).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let auto = TrackerConfig::Auto(nowhere).build(&cx, None).await.unwrap();
        let media = Media::new("talk.mp4", ContentId::new("none", ""));
        let tracking = Tracking { media, span: Span::secs(0.0, 1.0).unwrap() };
        for _ in 0..2 {
            assert_eq!(auto.track(&cx, &tracking).await.unwrap_err().kind(), ErrorKind::NotFound);
        }
        assert!(auto.is_builtin());
    }
}
