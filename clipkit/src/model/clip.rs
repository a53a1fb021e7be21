use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClipPlan, PlanSource, Score, Span, Stage, Timestamp, Usage, Warning};

/// A rendered clip, still in scratch space: a publisher takes it from there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Clip {
    /// The MP4 file.
    pub video: PathBuf,
    /// The cover picture, a JPEG of the output's size.
    pub cover: PathBuf,
    /// How long it plays.
    pub duration: Timestamp,
    /// Number of frames.
    pub frames: u64,
}

/// A clip and what goes with it, for a [`Publisher`](crate::stage::Publisher).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Post {
    /// Its place in the ranking, from 1.
    pub rank: usize,
    /// The files.
    pub clip: Clip,
    /// What was rendered; title, reason and score stand here.
    pub plan: ClipPlan,
}

/// Where a publisher put a clip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The clip's place: a path relative to the publisher's folder, or an address.
    pub file: String,
    /// The plan's place, where it was published too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The cover's place, where it was published too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<String>,
}

/// What a run made: the content of `clips.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The version of this document: [`Manifest::VERSION`].
    pub version: u32,
    /// The input.
    pub source: PlanSource,
    /// The clips, best first.
    pub clips: Vec<ManifestClip>,
    /// What went less well than asked in the run as a whole, and clips that failed.
    pub warnings: Vec<Warning>,
    /// Where the time went.
    pub timings: Timing,
    /// What was asked of paid models, and what it cost: one entry for each stage and model. Empty where nothing was asked of any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<Usage>,
}

impl Manifest {
    /// The version this crate writes.
    pub const VERSION: u32 = 1;
}

/// One clip of a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestClip {
    /// The clip, relative to the output folder, or its address.
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
    /// A line that makes people stay, for whoever posts the clip; none where nobody wrote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_line: Option<String>,
    /// What went less well than asked.
    pub warnings: Vec<Warning>,
    /// The folder that the names are relative to, in the program that made the clip; it is not written.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
}

impl ManifestClip {
    /// The clip's file; its address, where it is not on this machine.
    pub fn path(&self) -> PathBuf {
        match &self.folder {
            Some(folder) if !self.file.contains("://") => folder.join(&self.file),
            _ => PathBuf::from(&self.file),
        }
    }
}

/// Where a run's time went, in seconds. A stage's time is the sum over clips, so with clips side by side it can exceed the total.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    /// Each stage's time.
    #[serde(flatten)]
    pub stages: BTreeMap<Stage, f64>,
    /// From start to end.
    pub total: f64,
}
