use async_trait::async_trait;

use super::{FaceTracker, Tracking};
use crate::context::Context;
use crate::error::Result;
use crate::model::Tracks;

/// Sees nothing, so the crop stays in the middle: what is left where no model is at hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct CenterTracker;

#[async_trait]
impl FaceTracker for CenterTracker {
    async fn track(&self, _cx: &Context, _tracking: &Tracking) -> Result<Tracks> {
        Ok(Tracks::default())
    }

    fn fingerprint(&self) -> Option<String> {
        Some("center".to_owned())
    }

    fn is_builtin(&self) -> bool {
        true
    }
}
