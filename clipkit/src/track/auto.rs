use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::{FaceTracker, OnnxTracker, OnnxTrackerOptions, Tracking};
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::model::{Tracks, WarningKind};
use crate::weights::{Weights, WeightsStore};

/// A face detection model for an [`OnnxTracker`], with its options.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FaceModel {
    /// A model's name, or the path of its file. `None` is the default face detector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The tracker's options.
    pub options: OnnxTrackerOptions,
}

impl FaceModel {
    /// Selects a model by its name or the path of its file, with default options.
    pub fn named(model: impl Into<String>) -> Self {
        FaceModel { model: Some(model.into()), options: OnnxTrackerOptions::default() }
    }

    /// Opens the model. It is downloaded if it is missing.
    ///
    /// # Errors
    ///
    /// Those of the download and of [`OnnxTracker::with_options`].
    pub async fn load(&self, cx: &Context) -> Result<OnnxTracker> {
        let model = self.model.as_deref().unwrap_or(Weights::DEFAULT_FACE_DETECTOR);
        let store = WeightsStore::from_environment(cx.environment());
        let path = store.resolve(cx, model).await?;
        let options = self.options.clone();
        let found = store.find_active_speaker().filter(|_| options.speaker_model.is_none());
        cx.blocking(move |cx| {
            if let Some(found) = found {
                let mut with_speaker = options.clone();
                with_speaker.speaker_model = Some(found);
                match OnnxTracker::with_options(&path, with_speaker) {
                    Err(error) if error.kind() == ErrorKind::InvalidInput => {
                        cx.warn_once_of(WarningKind::StandIn, format!("the active speaker model is not used: {error}"));
                    }
                    opened => return opened,
                }
            }
            OnnxTracker::with_options(path, options)
        })
        .await
    }
}

/// Adds the configured layers to a tracker.
pub(crate) type Wrap = Arc<dyn Fn(Arc<dyn FaceTracker>) -> Result<Arc<dyn FaceTracker>> + Send + Sync>;

/// An [`OnnxTracker`] whose model is resolved and opened when the first span is tracked, so that a
/// run that ends before needs no model. It is tried once: a failure is the error of every call.
pub(crate) struct AutoTracker {
    model: FaceModel,
    wrap: Wrap,
    loaded: OnceCell<Result<Arc<dyn FaceTracker>>>,
}

impl AutoTracker {
    pub(crate) fn new(model: FaceModel, wrap: Wrap) -> Self {
        AutoTracker { model, wrap, loaded: OnceCell::new() }
    }
}

#[async_trait]
impl FaceTracker for AutoTracker {
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let load = || async {
            match self.model.load(cx).await {
                Err(error) if error.is_cancelled() => Err(error),
                Err(error) => Ok(Err(error)),
                Ok(tracker) => Ok((self.wrap)(Arc::new(tracker))),
            }
        };
        match self.loaded.get_or_try_init(load).await? {
            Ok(tracker) => tracker.track(cx, tracking).await,
            Err(error) => Err(error.clone()),
        }
    }

    fn is_builtin(&self) -> bool {
        true
    }
}

impl fmt::Debug for AutoTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AutoTracker").field("model", &self.model).finish_non_exhaustive()
    }
}
