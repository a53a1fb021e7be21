use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Stage;

/// Something that went less well than asked, and what was done instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Warning {
    /// What kind of warning it is, for a program to branch on.
    #[serde(default)]
    pub kind: WarningKind,
    /// The stage that degraded.
    pub stage: Stage,
    /// The clip concerned, from 1 in order of rank. `None` where the run as a whole is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<usize>,
    /// One line for a person: what happened, what was done instead, how to avoid it.
    pub message: String,
}

impl Warning {
    /// A warning about the run as a whole.
    pub fn new(kind: WarningKind, stage: Stage, message: impl Into<String>) -> Self {
        Warning { kind, stage, clip: None, message: message.into() }
    }
}

/// What kind of warning a [`Warning`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningKind {
    /// A stage failed, and another one did its work.
    StandIn,
    /// A part of an input was lost or could not be read.
    InputLost,
    /// A stage's answer broke its contract and was repaired, or a part of it was left out.
    Repaired,
    /// The source is not the file that a plan was made from.
    SourceChanged,
    /// A layout that was asked for could not be had.
    Layout,
    /// A clip has no captions, or a part of them is missing.
    Captions,
    /// A font or its glyphs are missing.
    Font,
    /// A rendered clip was not as planned and was rendered again, or its sound was changed.
    Rendering,
    /// A model or library is not on this machine.
    Unavailable,
    /// A budget did not suffice.
    Budget,
    /// A cache or store cannot be used.
    Store,
    /// A clip or a manifest could not be published to one of several targets.
    Publish,
    /// Anything else: a stage of the user's own says so.
    #[default]
    Other,
}
