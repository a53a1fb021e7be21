use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClipId, ClipPlan, PlanSource, Receipt, Score, Span, Stage, Usage, Warning};
use crate::error::ErrorReport;

/// The result of a run: the content of `clips.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Manifest {
    /// The version of this document: [`Manifest::VERSION`].
    pub version: u32,
    /// The input.
    pub source: PlanSource,
    /// The clips in order of rank, the best first.
    pub clips: Vec<ManifestClip>,
    /// The clips that could not be made, in order of rank, with their errors.
    #[serde(default)]
    pub failed: Vec<FailedClip>,
    /// The warnings that concern the run as a whole.
    pub warnings: Vec<Warning>,
    /// The time that each stage took.
    pub timings: Timing,
    /// The use and the cost of paid models, one entry for each stage and model. The list is empty
    /// if no paid model was used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<Usage>,
}

impl Manifest {
    /// The version that this crate writes. Version 1 has neither clip ids nor receipts.
    pub const VERSION: u32 = 2;

    /// Makes a manifest without clips.
    pub fn new(source: PlanSource) -> Self {
        Manifest {
            version: Manifest::VERSION,
            source,
            clips: Vec::new(),
            failed: Vec::new(),
            warnings: Vec::new(),
            timings: Timing::default(),
            usage: Vec::new(),
        }
    }
}

/// One clip of a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ManifestClip {
    /// The clip's id.
    pub id: ClipId,
    /// The clip's position in the ranking, from 1.
    pub rank: usize,
    /// The clip's file: a name relative to the output folder, or a URL.
    pub file: String,
    /// The name of the plan, relative to the output folder. `None` means that the plan was not
    /// published as a file.
    pub plan: Option<String>,
    /// The name of the cover, relative to the output folder. `None` means that the cover was not
    /// published as a file.
    pub cover: Option<String>,
    /// The clip's span on the source's timeline, in seconds.
    pub span: Span,
    /// The clip's quality.
    pub score: Score,
    /// The clip's title.
    pub title: String,
    /// Why the scorer chose the span.
    pub reason: String,
    /// A line of text for the clip's first seconds or for the text of a post. `None` means that the
    /// scorer wrote no line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_line: Option<String>,
    /// The receipts of the publications, one for each target.
    #[serde(default)]
    pub receipts: Vec<Receipt>,
    /// The targets that the clip could not be published to, if another target has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpublished: Vec<Unpublished>,
    /// The warnings that concern this clip.
    pub warnings: Vec<Warning>,
    /// The output folder in the process that made the clip. It is not serialized. `None` means that
    /// the names are not relative to a local folder.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
}

impl ManifestClip {
    /// Makes the entry of a published clip. Its file names are those of the first receipt.
    pub fn published(rank: usize, plan: &ClipPlan, title: &str, receipts: Vec<Receipt>) -> Self {
        let first = receipts.first();
        let files = first.and_then(|receipt| receipt.files.as_ref());
        let address = || first.map(|receipt| receipt.url.clone().unwrap_or_else(|| receipt.id.clone()));
        ManifestClip {
            id: plan.id(),
            rank,
            file: files.map(|files| files.video.clone()).or_else(address).unwrap_or_default(),
            plan: files.and_then(|files| files.plan.clone()),
            cover: files.and_then(|files| files.cover.clone()),
            span: plan.span,
            score: plan.score,
            title: title.to_owned(),
            reason: plan.reason.clone(),
            hook_line: plan.hook_line.clone(),
            receipts,
            unpublished: Vec::new(),
            warnings: Vec::new(),
            folder: None,
        }
    }

    /// The path of the clip's file if its folder is known, else the name or the URL.
    pub fn path(&self) -> PathBuf {
        match &self.folder {
            Some(folder) if !self.file.contains("://") => folder.join(&self.file),
            _ => PathBuf::from(&self.file),
        }
    }
}

/// A chosen clip that could not be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FailedClip {
    /// The clip's position in the ranking, from 1.
    pub rank: usize,
    /// The clip's span on the source's timeline, in seconds.
    pub span: Span,
    /// The clip's title.
    pub title: String,
    /// The error of the stage that failed.
    pub error: ErrorReport,
}

impl FailedClip {
    /// Makes the entry of a clip that could not be made.
    pub fn new(rank: usize, span: Span, title: impl Into<String>, error: ErrorReport) -> Self {
        FailedClip { rank, span, title: title.into(), error }
    }
}

/// A target that a clip could not be published to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Unpublished {
    /// The publishing target.
    pub target: String,
    /// The publisher's error.
    pub error: ErrorReport,
}

impl Unpublished {
    /// Makes an entry from a target and its error.
    pub fn new(target: impl Into<String>, error: ErrorReport) -> Self {
        Unpublished { target: target.into(), error }
    }
}

/// The time that the stages of a run took, in seconds. A stage's time is the sum over its calls.
/// Calls run concurrently, so the sum can exceed the total.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Timing {
    /// The time of each stage, in seconds.
    #[serde(flatten)]
    pub stages: BTreeMap<Stage, f64>,
    /// The time from the start to the end of the run, in seconds.
    pub total: f64,
}
