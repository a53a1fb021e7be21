use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClipPlan, Timestamp, moment};

/// A clip's identity: a hash of the source's id and of the parts of the plan that determine the
/// clip's picture and sound. [`ClipPlan::id`] computes it.
///
/// Title, reason, score and rank are not part of the hash, so a renamed clip keeps its id. A
/// changed caption or crop gives another id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ClipId(String);

impl ClipId {
    /// Makes an id from the hexadecimal digits of a hash.
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

/// The files of a rendered clip. They lie in [`Context::scratch`](crate::Context::scratch) or in
/// the folder that was passed to the rendering step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RenderedClip {
    /// The MP4 file.
    pub video: PathBuf,
    /// The cover picture: a JPEG file with the output's size in pixels.
    pub cover: PathBuf,
    /// The clip's duration.
    pub duration: Timestamp,
    /// The number of video frames.
    pub frames: u64,
}

impl RenderedClip {
    /// Makes a rendered clip from its files, its duration and its number of video frames.
    pub fn new(video: impl Into<PathBuf>, cover: impl Into<PathBuf>, duration: Timestamp, frames: u64) -> Self {
        RenderedClip { video: video.into(), cover: cover.into(), duration, frames }
    }
}

/// A clip to publish, for a [`Publisher`](crate::stage::Publisher).
///
/// A publisher reads the files and must not move or change them, since several publishers can get
/// the same post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Post {
    /// The clip's id.
    pub clip: ClipId,
    /// The clip's position in the ranking, from 1. It only numbers file names.
    #[serde(default = "first")]
    pub rank: usize,
    /// The title.
    pub title: String,
    /// The description that the platform shows with the clip. It can be empty.
    #[serde(default)]
    pub description: String,
    /// The tags, without `#`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The spoken language as a BCP 47 tag. `None` means that the language is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Who can see the clip. Default: everybody.
    #[serde(default)]
    pub privacy: Privacy,
    /// When the clip becomes visible, in RFC 3339. `None` means at once.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::option")]
    #[schemars(with = "Option<String>")]
    pub publish_at: Option<SystemTime>,
    /// Whether the clip is made for children, a declaration that platforms require. Default
    /// `false`.
    #[serde(default)]
    pub made_for_kids: bool,
    /// Whether the clip shows realistic synthetic media, a declaration that platforms require.
    /// Default `false`.
    #[serde(default)]
    pub synthetic: bool,
    /// The clip's files.
    pub files: PostFiles,
}

fn first() -> usize {
    1
}

impl Post {
    /// Makes a post of a rendered clip with its plan's title and texts. Every other field has its
    /// default.
    pub fn new(rank: usize, plan: &ClipPlan, files: PostFiles) -> Self {
        Post {
            clip: plan.id(),
            rank,
            title: plan.title.clone(),
            description: plan.post.description.clone(),
            tags: plan.post.tags.clone(),
            language: plan.post.language.clone(),
            privacy: Privacy::default(),
            publish_at: None,
            made_for_kids: false,
            synthetic: false,
            files,
        }
    }
}

/// The files of a [`Post`] on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PostFiles {
    /// The MP4 file.
    pub video: PathBuf,
    /// The cover picture, a JPEG file. `None` means that there is no cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<PathBuf>,
    /// The captions on the clip's timeline, as an SRT file. `None` means that the clip has no
    /// captions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captions: Option<PathBuf>,
    /// The clip plan, as a JSON file. `None` means that the plan is not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PathBuf>,
}

impl PostFiles {
    /// Makes the files of a post with only a video.
    pub fn new(video: impl Into<PathBuf>) -> Self {
        PostFiles { video: video.into(), cover: None, captions: None, plan: None }
    }
}

/// Who can see a published clip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Privacy {
    /// Everybody can see the clip.
    #[default]
    Public,
    /// Everybody who has the URL can see the clip.
    Unlisted,
    /// Only the account's owner can see the clip.
    Private,
}

/// The result of a publication: where the clip is and what its status is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Receipt {
    /// The publishing target: `folder`, `s3`, `youtube` ...
    pub target: String,
    /// The account at the target. `None` means that the target has no accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The clip's id at the target: a platform's video id, an object's key or a file name.
    pub id: String,
    /// The URL where the clip can be watched. `None` means that the URL is not known yet or that
    /// the clip is a local file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The status of the publication.
    #[serde(default)]
    pub status: PublishStatus,
    /// When the clip became or becomes visible, in RFC 3339. `None` means that the time is not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::option")]
    #[schemars(with = "Option<String>")]
    pub published_at: Option<SystemTime>,
    /// The names of the files at the target. `None` means that the target has no files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<PublishedFiles>,
    /// What the publisher needs to resume or query the publication, for example an upload's
    /// session. Only the publisher that wrote it reads it. It holds no secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<serde_json::Value>,
}

impl Receipt {
    /// Makes the receipt of a clip that is published under `id` at `target`.
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

/// The status of a publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PublishStatus {
    /// The clip is visible.
    #[default]
    Published,
    /// The target has the clip and still processes it.
    Processing,
    /// The clip becomes visible at [`Receipt::published_at`].
    Scheduled,
    /// The clip is a draft at the target, which somebody there has to publish.
    Draft,
}

/// The names of a clip's files at a target: paths relative to the target's folder, or object keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PublishedFiles {
    /// The name of the clip's MP4 file.
    pub video: String,
    /// The name of the plan. `None` means that the plan was not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The name of the cover. `None` means that the cover was not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<String>,
}

impl PublishedFiles {
    /// Makes the names of a clip without a plan and a cover.
    pub fn new(video: impl Into<String>) -> Self {
        PublishedFiles { video: video.into(), plan: None, cover: None }
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [Some(&self.video), self.plan.as_ref(), self.cover.as_ref()].into_iter().flatten().map(String::as_str)
    }
}
