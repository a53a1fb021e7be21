use async_trait::async_trait;

use super::{FaceTracker, Tracking};
use crate::context::{Context, Environment};
use crate::error::Result;
use crate::model::Tracks;

/// Finds nothing, so that the crop stays in the middle of the picture. It never fails, so it is the
/// last fallback.
#[derive(Clone, Copy, Debug, Default)]
pub struct CenterTracker;

#[async_trait]
impl FaceTracker for CenterTracker {
    async fn track(&self, _cx: &Context, _tracking: &Tracking) -> Result<Tracks> {
        Ok(Tracks::default())
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        Some("center".to_owned())
    }

    fn is_builtin(&self) -> bool {
        true
    }
}
