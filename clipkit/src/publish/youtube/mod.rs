//! Publishing to YouTube.

#[cfg(feature = "publish")]
mod api;
#[cfg(feature = "publish")]
mod extras;
#[cfg(feature = "publish")]
mod lookup;
#[cfg(feature = "publish")]
mod publication;
#[cfg(not(feature = "publish"))]
#[path = "publication_unavailable.rs"]
mod publication;
#[cfg(feature = "publish")]
mod resource;
#[cfg(feature = "publish")]
mod session;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Account, CredentialsConfig, Publisher, Schedule, Target};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
#[cfg(feature = "publish")]
use crate::model::Output;
use crate::model::{Post, Receipt};
#[cfg(feature = "publish")]
use crate::publish::limits::{SHORTS, YOUTUBE};

const KIB: u64 = 1 << 10;
/// YouTube accepts chunks of multiples of this.
const CHUNK_UNIT: u64 = 256 * KIB;

/// Publishes to a channel on YouTube, through the YouTube Data API.
///
/// - The clip is uploaded in chunks. What is needed to go on is kept in the artifact store
///   (`CLIPKIT_CACHE`) before the first byte, so an upload that breaks off continues, in the same
///   run or a later one.
/// - A clip is published once. Each video carries the tag `clipkit-` and a part of the idempotency
///   key. If it is not known whether an upload was completed, the channel's latest videos are
///   searched for that tag. If YouTube cannot tell, the publication ends with an error that says to
///   look by hand, and the clip is not uploaded again. Two machines must not publish the same clip
///   at the same time, unless they are workers of one queue.
/// - [`Post::publish_at`] in the future makes YouTube publish the clip at that time; a time in the
///   past means now. [`Post::made_for_kids`] and [`Post::synthetic`] are declared.
/// - Texts that are too long are cut at a word, with a warning. A clip that YouTube would not
///   accept is refused before it is sent, with the rule.
/// - The cover becomes the thumbnail and the captions a caption track. If YouTube refuses them, a
///   warning says so.
///
/// The login needs the scope `youtube.upload`; to search the channel `youtube.readonly`; for
/// captions `youtube.force-ssl`. `clipkit login youtube` asks for them. Videos that a project
/// uploads which Google has not audited stay private; a warning says so. A project may start 100
/// uploads a day.
///
/// Needs the Cargo feature `publish`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct YouTube {
    /// The account's name, by which its credentials are found. Default: `default`.
    pub account: String,
    /// Where the credentials are. Default: the environment, else a file.
    pub credentials: CredentialsConfig,
    /// Whether clips are meant as Shorts: at most 3 minutes, not wider than high. Default: `true`.
    pub shorts: bool,
    /// The id of the category. Default: `22`, people and blogs.
    pub category: String,
    /// Whether subscribers are told. Default: `true`.
    pub notify: bool,
    /// Whether the cover becomes the thumbnail. Default: `true`.
    pub thumbnail: bool,
    /// Whether the captions become a caption track. Default: `true`.
    pub captions: bool,
    /// When clips are published that have no time of their own ([`Post::publish_at`]). YouTube
    /// keeps them private until then. Default: at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The size of a chunk in bytes, a multiple of 256 KiB. A chunk that breaks off is sent again
    /// from where YouTube has it. Default: 8 MiB.
    pub chunk_size: u64,
    /// Another address of the API, for tests. Its path `/token` gives access tokens. Default:
    /// Google's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
}

impl Default for YouTube {
    fn default() -> Self {
        YouTube {
            account: "default".to_owned(),
            credentials: CredentialsConfig::default(),
            shorts: true,
            category: "22".to_owned(),
            notify: true,
            thumbnail: true,
            captions: true,
            schedule: None,
            chunk_size: 32 * CHUNK_UNIT,
            api_url: None,
        }
    }
}

impl YouTube {
    /// Publishes to the channel of an account.
    pub fn new(account: impl Into<String>) -> Self {
        YouTube { account: account.into(), ..YouTube::default() }
    }

    /// Refuses settings that cannot be followed. Nothing is sent.
    pub(crate) fn check(&self) -> Result<Account> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        if self.chunk_size == 0 || !self.chunk_size.is_multiple_of(CHUNK_UNIT) || self.chunk_size > 1 << 30 {
            return refuse(format!("chunk_size is {}: YouTube accepts multiples of {CHUNK_UNIT} bytes", self.chunk_size));
        }
        if self.category.is_empty() || !self.category.bytes().all(|byte| byte.is_ascii_digit()) {
            return refuse(format!("{:?} is no category: give its number", self.category));
        }
        self.schedule.as_ref().map_or(Ok(()), Schedule::check)?;
        Account::new("youtube", &self.account)
    }
}

#[async_trait]
impl Publisher for YouTube {
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        let account = self.check()?;
        publication::publish(cx, self, account, post).await
    }

    #[cfg(feature = "publish")]
    fn strict_output(&self, output: &Output) -> Option<Output> {
        (if self.shorts { SHORTS } else { YOUTUBE }).strict(output)
    }

    fn target(&self) -> Target {
        Target::new("youtube").with_account(&self.account)
    }
}
