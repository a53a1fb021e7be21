use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::or_a_cache;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{LayerConfig, StageExt, WithLayers};
use crate::model::Tracks;
use crate::track::{CenterTracker, FaceTracker, MotionTracker, OnnxTracker, Tracking};
use crate::weights::{Weights, WeightsStore};

/// How faces and shots are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TrackerConfig {
    /// A model as for `onnx`; where it or the library it needs cannot be had, a warning and what `motion` does.
    Auto {
        /// A model's name or the path of its file; none is the default face detector.
        #[serde(default)]
        model: Option<String>,
    },
    /// A model, downloaded if it is missing: [`OnnxTracker`]. That it cannot be had is an error.
    Onnx {
        /// A model's name or the path of its file; none is the default face detector.
        #[serde(default)]
        model: Option<String>,
    },
    /// What moves is followed, without any model: [`MotionTracker`], and the crop in the middle where it fails.
    Motion,
    /// No looking, and the crop in the middle: [`CenterTracker`].
    Center,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        TrackerConfig::Auto { model: None }
    }
}

impl TrackerConfig {
    /// The tracker inside these layers; none stands for a cache around a model. For `onnx` after a download, if the model is missing.
    pub async fn build(&self, cx: &Context, layers: Option<&[LayerConfig]>) -> Result<Arc<dyn FaceTracker>> {
        match self {
            TrackerConfig::Auto { model } => {
                let layers = or_a_cache(layers);
                layers.iter().try_for_each(LayerConfig::check)?;
                Ok(Arc::new(AutoTracker { model: named(model), layers, loaded: OnceCell::new() }))
            }
            TrackerConfig::Onnx { model } => load(cx, &named(model)).await?.with_layers(&or_a_cache(layers)),
            TrackerConfig::Motion => {
                let tracker: Arc<dyn FaceTracker> = Arc::new(MotionTracker::default().or(CenterTracker));
                tracker.with_layers(layers.unwrap_or_default())
            }
            TrackerConfig::Center => {
                let tracker: Arc<dyn FaceTracker> = Arc::new(CenterTracker);
                tracker.with_layers(layers.unwrap_or_default())
            }
        }
    }
}

fn named(model: &Option<String>) -> String {
    model.clone().unwrap_or_else(|| Weights::DEFAULT_FACE_DETECTOR.to_owned())
}

async fn load(cx: &Context, model: &str) -> Result<Arc<dyn FaceTracker>> {
    let path = WeightsStore::new().resolve(cx, model).await?;
    cx.blocking(move |_| Ok(Arc::new(OnnxTracker::load(path)?) as Arc<dyn FaceTracker>)).await
}

/// Looks for faces where a model can be had, and says once a run where it cannot. The model is looked for when the first span is tracked,
/// so that a run that ends before needs none.
struct AutoTracker {
    model: String,
    layers: Vec<LayerConfig>,
    loaded: OnceCell<Result<Arc<dyn FaceTracker>, String>>,
}

#[async_trait]
impl FaceTracker for AutoTracker {
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let attempt = || async {
            match load(cx, &self.model).await {
                Ok(tracker) => {
                    let tracker = tracker.with_layers(&self.layers)?.or(MotionTracker::default()).or(CenterTracker);
                    Ok(Ok(Arc::new(tracker) as Arc<dyn FaceTracker>))
                }
                Err(error) if error.is_cancelled() => Err(error),
                Err(error) => Ok(Err(error.to_string())),
            }
        };
        match self.loaded.get_or_try_init(attempt).await? {
            Ok(tracker) => tracker.track(cx, tracking).await,
            Err(reason) => {
                cx.warn_once(format!("no faces are looked for: {reason}; the crop follows what moves"));
                MotionTracker::default().or(CenterTracker).track(cx, tracking).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[tokio::test]
    async fn where_no_model_can_be_had_auto_warns_once_and_onnx_fails() {
        let nowhere = Some("no/such/model.onnx".to_owned());
        let cx = Context::new();
        let error = TrackerConfig::Onnx { model: nowhere.clone() }.build(&cx, None).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let auto = TrackerConfig::Auto { model: nowhere }.build(&cx, None).await.unwrap();
        let media = crate::model::Media {
            path: "talk.mp4".into(),
            id: crate::model::ContentId::new("none", ""),
            container: String::new(),
            duration: crate::model::Timestamp::ZERO,
            video: None,
            audio: Vec::new(),
            subtitles: Vec::new(),
        };
        let tracking = Tracking { media, span: crate::model::Span::secs(0.0, 1.0).unwrap() };
        for rank in 1..=3 {
            assert_eq!(auto.track(&cx.for_clip(rank), &tracking).await.unwrap(), Tracks::default());
        }
        // Nor can what moves be followed: there is no picture.
        let (run, clips): (Vec<_>, Vec<_>) = cx.warnings().into_iter().partition(|warning| warning.clip.is_none());
        let [warning] = &run[..] else { panic!("{run:?}") };
        assert!(warning.message.contains("no/such/model.onnx"), "{}", warning.message);
        assert_eq!(clips.len(), 3);
        assert!(clips.iter().all(|warning| warning.message.ends_with("going on with CenterTracker")), "{clips:?}");
    }
}
