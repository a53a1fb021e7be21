use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClipPlan, Timestamp, moment};

/// A clip's identity: a hash of its source's id and of what decides its picture and sound.
///
/// Title, reason, score and rank do not count, so a renamed clip stays the same clip; a changed
/// caption or crop makes another one. Made by [`ClipPlan::id`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ClipId(String);

impl ClipId {
    /// From the hexadecimal digits of a hash.
    pub(crate) fn new(hex: impl Into<String>) -> Self {
        ClipId(hex.into())
    }

    /// The id as 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClipId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A rendered clip: files below [`Context::scratch`](crate::Context::scratch), or wherever the
/// step that rendered it was told to put them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RenderedClip {
    /// The MP4 file.
    pub video: PathBuf,
    /// The cover picture: a JPEG of the output's size.
    pub cover: PathBuf,
    /// How long it plays.
    pub duration: Timestamp,
    /// Number of frames.
    pub frames: u64,
}

impl RenderedClip {
    /// A clip's files, its duration and its number of frames.
    pub fn new(video: impl Into<PathBuf>, cover: impl Into<PathBuf>, duration: Timestamp, frames: u64) -> Self {
        RenderedClip { video: video.into(), cover: cover.into(), duration, frames }
    }
}

/// A clip to publish, for a [`Publisher`](crate::stage::Publisher).
///
/// A publisher reads the files and never moves or changes them: several publishers may get the
/// same post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Post {
    /// Which clip it is.
    pub clip: ClipId,
    /// Its place in the ranking, from 1. It numbers file names and decides nothing else.
    #[serde(default = "first")]
    pub rank: usize,
    /// The title.
    pub title: String,
    /// The text below the clip. Empty for none.
    #[serde(default)]
    pub description: String,
    /// Tags, without `#`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The language that is spoken, as a BCP 47 tag. `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Who can see it. Default: everybody.
    #[serde(default)]
    pub privacy: Privacy,
    /// When it becomes visible, in RFC 3339. `None` publishes at once.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::option")]
    #[schemars(with = "Option<String>")]
    pub publish_at: Option<SystemTime>,
    /// Whether the clip is made for children, as platforms ask. Default `false`.
    #[serde(default)]
    pub made_for_kids: bool,
    /// Whether the clip shows realistic synthetic media, as platforms ask. Default `false`.
    #[serde(default)]
    pub synthetic: bool,
    /// The files.
    pub files: PostFiles,
}

fn first() -> usize {
    1
}

impl Post {
    /// A post of a rendered clip with its plan's title; everything else has its default.
    pub fn new(rank: usize, plan: &ClipPlan, files: PostFiles) -> Self {
        Post {
            clip: plan.id(),
            rank,
            title: plan.title.clone(),
            description: String::new(),
            tags: Vec::new(),
            language: None,
            privacy: Privacy::default(),
            publish_at: None,
            made_for_kids: false,
            synthetic: false,
            files,
        }
    }
}

/// The files of a [`Post`], on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PostFiles {
    /// The MP4 file.
    pub video: PathBuf,
    /// The cover picture, a JPEG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<PathBuf>,
    /// The captions on the clip's timeline, as SRT. `None` for a clip without captions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captions: Option<PathBuf>,
    /// The clip plan, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PathBuf>,
}

impl PostFiles {
    /// The video alone.
    pub fn new(video: impl Into<PathBuf>) -> Self {
        PostFiles { video: video.into(), cover: None, captions: None, plan: None }
    }
}

/// Who can see a published clip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Privacy {
    /// Everybody.
    #[default]
    Public,
    /// Whoever has the address.
    Unlisted,
    /// The account's owner.
    Private,
}

/// Where a publisher put a clip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Receipt {
    /// The publishing target: `folder`, `s3`, `youtube` ...
    pub target: String,
    /// The account at the target. `None` where the target has no accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The clip's id at the target: a platform's video id, an object's key, a file name.
    pub id: String,
    /// Where the clip can be watched. `None` where that is not known (yet), or is a local file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How far the publication is.
    #[serde(default)]
    pub status: PublishStatus,
    /// When the clip became visible, or will, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::option")]
    #[schemars(with = "Option<String>")]
    pub published_at: Option<SystemTime>,
    /// The files at the target, by their names there. `None` where the target has no files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<PublishedFiles>,
    /// What the publisher needs to ask for the publication again: an upload's session, for
    /// example. Only the publisher that wrote it reads it. It holds no secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<serde_json::Value>,
}

impl Receipt {
    /// A clip that is published under `id` at `target`.
    pub fn new(target: impl Into<String>, id: impl Into<String>) -> Self {
        Receipt {
            target: target.into(),
            account: None,
            id: id.into(),
            url: None,
            status: PublishStatus::Published,
            published_at: None,
            files: None,
            resume: None,
        }
    }
}

/// How far a publication is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PublishStatus {
    /// It is visible.
    #[default]
    Published,
    /// The target has the clip and still works on it.
    Processing,
    /// The target shows it at [`Receipt::published_at`].
    Scheduled,
}

/// The names of a clip's files at a target: paths relative to its folder, or object keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PublishedFiles {
    /// The clip.
    pub video: String,
    /// Its plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Its cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<String>,
}

impl PublishedFiles {
    /// The clip alone.
    pub fn new(video: impl Into<String>) -> Self {
        PublishedFiles { video: video.into(), plan: None, cover: None }
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [Some(&self.video), self.plan.as_ref(), self.cover.as_ref()].into_iter().flatten().map(String::as_str)
    }
}
