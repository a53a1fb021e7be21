//! Publishing clips.

mod folder;
mod folder_lock;
mod target;

pub use folder::Folder;
pub use target::Target;

use std::path::Path;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::{Manifest, Post, Receipt};

/// Publishes rendered clips to one target.
///
/// For implementers:
/// - Read the post's files; never move or change them. Another publisher may read them, too.
/// - A clip appears complete or not at all.
/// - The same post twice is one publication, also across processes and after a crash:
///   [`Context::idempotency_key`] names it. Answer the receipt of the publication that exists.
/// - Say with the error's recovery whether to try again, when, or with new credentials.
/// - No secret stands in a receipt.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Publishes one clip.
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt>;

    /// Where it publishes: the platform, or the kind of place, and the account there. Two
    /// publishers of one pipeline have different targets. Default: `custom`, without an account.
    fn target(&self) -> Target {
        Target::new("custom")
    }

    /// Receives the manifest after the run's last clip. An error is a warning in the run: no
    /// receipt is lost by it.
    async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
        let _ = (cx, manifest);
        Ok(())
    }

    /// The folder on whose file system clips are best rendered. `None` leaves it to the context.
    fn staging(&self) -> Option<&Path> {
        None
    }
}
