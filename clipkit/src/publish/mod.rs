//! Handing clips over.

mod folder;

pub use folder::Folder;

use std::path::Path;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::{Manifest, Post, Receipt};

/// Hands a rendered clip over.
///
/// For implementers:
/// - The post's files lie in scratch space: move or copy what is to stay.
/// - A clip appears complete or not at all, and the same post published twice appears once.
/// - Say with the error's recovery whether to try again, when, or with new credentials.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Publishes one clip.
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt>;

    /// Is told what the run made, after its last clip.
    async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
        let _ = (cx, manifest);
        Ok(())
    }

    /// The folder on whose file system clips are best rendered.
    fn staging(&self) -> Option<&Path> {
        None
    }
}
