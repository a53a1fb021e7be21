use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClipId, ClipPlan, PlanSource, Receipt, Score, Span, Stage, Usage, Warning};
use crate::error::ErrorReport;

/// What a run made: the content of `clips.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Manifest {
    /// The version of this document: [`Manifest::VERSION`].
    pub version: u32,
    /// The input.
    pub source: PlanSource,
    /// The clips, best first.
    pub clips: Vec<ManifestClip>,
    /// The clips that were not made, best first, with the error of each.
    #[serde(default)]
    pub failed: Vec<FailedClip>,
    /// Warnings that concern the run as a whole.
    pub warnings: Vec<Warning>,
    /// Where the time went.
    pub timings: Timing,
    /// What was asked of paid models, and what it cost: one entry for each stage and model. Empty
    /// where no paid model was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<Usage>,
}

impl Manifest {
    /// The version this crate writes. Version 1 had neither clip ids nor receipts.
    pub const VERSION: u32 = 2;

    /// A manifest without clips.
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
    /// Which clip it is.
    pub id: ClipId,
    /// Its place in the ranking, from 1.
    pub rank: usize,
    /// The clip: a name relative to the output folder, or an address.
    pub file: String,
    /// Its plan, likewise.
    pub plan: Option<String>,
    /// Its cover, likewise.
    pub cover: Option<String>,
    /// Where it comes from, in seconds of the source.
    pub span: Span,
    /// How good it is.
    pub score: Score,
    /// Its title.
    pub title: String,
    /// Why it was chosen.
    pub reason: String,
    /// A line that makes people stay, for the text of a post. `None` where no scorer wrote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_line: Option<String>,
    /// Where it was published, one entry for each target.
    #[serde(default)]
    pub receipts: Vec<Receipt>,
    /// The targets that refused it, where other targets took it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpublished: Vec<Unpublished>,
    /// Warnings that concern this clip.
    pub warnings: Vec<Warning>,
    /// The folder that the names are relative to, in the process that made the clip. It is not
    /// written.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
}

impl ManifestClip {
    /// A clip that was published: its names are those of the first receipt.
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

    /// The clip's file, or its address where it is not on this machine.
    pub fn path(&self) -> PathBuf {
        match &self.folder {
            Some(folder) if !self.file.contains("://") => folder.join(&self.file),
            _ => PathBuf::from(&self.file),
        }
    }
}

/// A clip that was chosen and not made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FailedClip {
    /// Its place in the ranking, from 1.
    pub rank: usize,
    /// Where it would come from, in seconds of the source.
    pub span: Span,
    /// Its title.
    pub title: String,
    /// Why it was not made.
    pub error: ErrorReport,
}

impl FailedClip {
    /// A clip and why it was not made.
    pub fn new(rank: usize, span: Span, title: impl Into<String>, error: ErrorReport) -> Self {
        FailedClip { rank, span, title: title.into(), error }
    }
}

/// A target that refused a clip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Unpublished {
    /// The publishing target.
    pub target: String,
    /// Why the clip is not there.
    pub error: ErrorReport,
}

impl Unpublished {
    /// A target and its error.
    pub fn new(target: impl Into<String>, error: ErrorReport) -> Self {
        Unpublished { target: target.into(), error }
    }
}

/// Where a run's time went, in seconds. A stage's time is the sum over its calls; calls run
/// concurrently, so the sum can exceed the total.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    /// Each stage's time.
    #[serde(flatten)]
    pub stages: BTreeMap<Stage, f64>,
    /// From start to end.
    pub total: f64,
}
