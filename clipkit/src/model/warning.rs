use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Stage;

/// A problem that did not stop a run, and how the run continued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Warning {
    /// The kind of the warning, for a program to branch on.
    #[serde(default)]
    pub kind: WarningKind,
    /// The stage that had the problem.
    pub stage: Stage,
    /// The rank of the clip concerned, from 1. `None` means that the warning concerns the whole
    /// run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<usize>,
    /// One line for a person: the problem, how the run continued, and how to avoid the problem.
    pub message: String,
}

impl Warning {
    /// Makes a warning that concerns the whole run.
    pub fn new(kind: WarningKind, stage: Stage, message: impl Into<String>) -> Self {
        Warning { kind, stage, clip: None, message: message.into() }
    }
}

/// The kind of a [`Warning`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningKind {
    /// A stage failed and a stand-in did its work.
    StandIn,
    /// A part of an input is missing or could not be read.
    InputLost,
    /// A stage's result violated its contract. The result was repaired, or a part of it was
    /// dropped.
    Repaired,
    /// The source is not the file that a plan was made from.
    SourceChanged,
    /// A requested layout could not be used.
    Layout,
    /// A clip has no captions, or some of them are missing.
    Captions,
    /// The title of a clip could not be laid out, so it has none.
    Hook,
    /// A clip lacks an overlay, because its image is missing or cannot be read.
    Overlay,
    /// Pauses were to be cut out of a clip, and nothing says where they are.
    Tighten,
    /// Another track than the default one was used, or several tracks or files would do.
    Track,
    /// A font or one of its glyphs is missing.
    Font,
    /// A rendered clip differed from its plan and was rendered again, or its audio was changed.
    Rendering,
    /// A model or library is not on this machine.
    Unavailable,
    /// A budget was too small.
    Budget,
    /// A cache or store could not be used.
    Store,
    /// A clip or a manifest could not be published to one of several targets, or files of an
    /// earlier run stay beside the new ones.
    Publish,
    /// A format for editors cannot say something of a plan, or says it less exactly.
    Export,
    /// Any other warning, for example one of a stage that the user wrote.
    #[default]
    Other,
}
