//! Publishers send clips to their targets.

#[cfg(feature = "publish")]
mod api;
mod credentials;
mod folder;
mod folder_lock;
#[cfg(feature = "publish")]
mod identity;
mod instagram;
#[cfg(feature = "publish")]
mod journal;
#[cfg(feature = "publish")]
mod limits;
#[cfg(feature = "publish")]
mod login;
#[cfg(feature = "publish")]
mod named_lock;
mod naming;
mod object;
#[cfg(feature = "publish")]
mod opening;
#[cfg(feature = "publish")]
mod post_text;
#[cfg(feature = "publish")]
mod refusal;
#[cfg(feature = "publish")]
mod request;
mod schedule;
mod secret;
mod target;
mod tiktok;
mod webhook;
mod youtube;

pub use credentials::{
    Account, Credentials, CredentialsConfig, EnvironmentCredentials, FileCredentials, GivenCredentials, KeyringCredentials, Tokens,
    credentials_of_the_user,
};
pub use folder::Folder;
pub use instagram::Instagram;
#[cfg(feature = "publish")]
pub use login::{DeviceCode, Login};
#[cfg(any(test, fuzzing))]
pub(crate) use naming::stem;
pub use object::ObjectStorePublisher;
pub use schedule::{Day, Schedule, SlotWindow, next_slot};
pub use secret::Secret;
pub use target::Target;
pub use tiktok::{TikTok, TikTokPrivacy};
pub use webhook::Webhook;
pub use youtube::YouTube;

use std::path::Path;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::{Manifest, Output, Post, Receipt};

/// Publishes rendered clips to one target.
///
/// For implementers:
/// - Only read the post's files, do not move or change them: other publishers may read them, too.
/// - A clip appears completely or not at all.
/// - Publishing the same post twice makes one publication, also across processes and after a crash.
///   [`Context::idempotency_key`] identifies it. If it exists, return its receipt.
/// - Set the error's recovery: whether to retry, when, or with new credentials.
/// - Receipts contain no secrets.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Publishes one clip.
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt>;

    /// The target: the name of a platform or kind of place, and the account there. The publishers
    /// of a pipeline must have different targets. Default: `custom`, without an account.
    fn target(&self) -> Target {
        Target::new("custom")
    }

    /// Receives the manifest after the run's last clip. An error becomes a warning of the run, so
    /// that no receipt is lost.
    async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
        let _ = (cx, manifest);
        Ok(())
    }

    /// The output that the target surely takes, for a clip whose file it refused with
    /// [`Recovery::Reencode`](crate::Recovery::Reencode): a pipeline encodes the clip with it and
    /// publishes once more. `None`, the default: no other output would help.
    fn strict_output(&self, output: &Output) -> Option<Output> {
        let _ = output;
        None
    }

    /// The folder on whose file system clips should be rendered. `None` leaves the choice to the
    /// context.
    fn staging(&self) -> Option<&Path> {
        None
    }
}

/// The idempotency key of a publication: the context's, else that of clip and target.
fn publication_key(cx: &Context, target: &Target, post: &Post) -> String {
    cx.idempotency_key().map_or_else(|| target.idempotency_key(&post.clip), str::to_owned)
}
