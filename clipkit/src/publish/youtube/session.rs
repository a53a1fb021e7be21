use serde::{Deserialize, Serialize};

use crate::publish::identity::Identity;

/// An upload, as it is noted before each step that matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The session's address. Who has it can go on with the upload, so it is only in the journal.
    pub(super) uri: String,
    /// The file that is uploaded.
    pub(super) file: Identity,
    /// Whether the last chunk was sent, so that the video may exist.
    #[serde(default)]
    pub(super) finishing: bool,
    /// How often the video was looked for without success.
    #[serde(default)]
    pub(super) lookups: u32,
    /// The video's id, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) video: Option<String>,
}
