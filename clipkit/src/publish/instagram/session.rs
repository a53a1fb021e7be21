use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::model::moment;
use crate::publish::identity::Identity;

/// A container, as it is noted before each step that matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    /// Instagram's id of the account.
    pub(super) user: String,
    /// Instagram's id of the container.
    pub(super) container: String,
    /// Where the bytes go.
    pub(super) uri: String,
    /// The file that is uploaded.
    pub(super) file: Identity,
    /// The caption, by which the post is found again.
    pub(super) caption: String,
    /// Whether all of the file arrived.
    #[serde(default)]
    pub(super) uploaded: bool,
    /// When the container was about to be published. From then on, the post may exist.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::option")]
    pub(super) publishing: Option<SystemTime>,
    /// How often the post was looked for without success.
    #[serde(default)]
    pub(super) lookups: u32,
    /// The post's id, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) media: Option<String>,
}
