//! Publishing to TikTok.

#[cfg(feature = "publish")]
mod api;
#[cfg(feature = "publish")]
mod creator;
#[cfg(feature = "publish")]
mod publication;
#[cfg(not(feature = "publish"))]
#[path = "publication_unavailable.rs"]
mod publication;
#[cfg(feature = "publish")]
mod session;
#[cfg(feature = "publish")]
mod status;
#[cfg(feature = "publish")]
mod upload;

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
use crate::publish::limits::TIKTOK;

/// The sizes that TikTok accepts for a chunk: 5 to 64 MB. Whether its MB has 10^6 or 2^20 bytes is
/// not said, so these are right for both.
const CHUNKS: (u64, u64) = (5 << 20, 64_000_000);

/// Publishes to an account on TikTok, through the Content Posting API.
///
/// - TikTok is asked first what the account offers: who can see a post, and how long it may be.
///   What it does not offer is refused before anything is sent.
/// - The clip is uploaded in chunks. The upload's session is kept in the artifact store
///   (`CLIPKIT_CACHE`) before the first byte, so an upload that breaks off continues, in the same
///   run or a later one.
/// - A clip is published once: TikTok is asked what became of an upload before another begins. If
///   it cannot tell, the publication ends with an error that says to look by hand, and the clip is
///   not uploaded again. Two machines must not publish the same clip at the same time, unless they
///   are workers of one queue.
/// - The receipt comes when TikTok has processed the clip; what it does not accept then is an
///   error. A post for everybody has no address before TikTok has reviewed it.
/// - TikTok does not schedule: before the time of a clip ([`Post::publish_at`], else the
///   [`schedule`](TikTok::schedule)'s) the error says to wait until then, which a queue follows.
/// - Title, description and tags become one text of at most 2200 characters. The cover, the
///   captions and [`Post::made_for_kids`] have no place in this API. [`Post::synthetic`] is
///   declared.
///
/// The login needs the scope `video.publish`, or `video.upload` for [`inbox`](TikTok::inbox).
/// `clipkit login tiktok` asks for both. Apps that TikTok has not audited post to private accounts
/// only, with [`TikTokPrivacy::OnlyMe`], or into the inbox.
///
/// Needs the Cargo feature `publish`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TikTok {
    /// The account's name, by which its credentials are found. Default: `default`.
    pub account: String,
    /// Where the credentials are. Default: the environment, else a file. TikTok changes refresh
    /// tokens at each use, so the environment is good for an access token only.
    pub credentials: CredentialsConfig,
    /// Whether the clip goes to the account's inbox as a draft, which somebody finishes and posts
    /// in the app. A draft has no texts. Apps without audit can do this. Default: `false`.
    pub inbox: bool,
    /// Who can see the posts. Clips that are private ([`Post::privacy`]) are for the account itself
    /// in any case. Default: everybody; TikTok has no unlisted posts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<TikTokPrivacy>,
    /// Whether others can comment, if the account allows it. Default: `true`.
    pub comments: bool,
    /// Whether others can make duets, if the account allows it. Default: `true`.
    pub duets: bool,
    /// Whether others can make stitches, if the account allows it. Default: `true`.
    pub stitches: bool,
    /// Whether the clip promotes the account's own business, a declaration. Default: `false`.
    pub own_brand: bool,
    /// Whether the clip is a paid partnership, a declaration. Default: `false`.
    pub paid_partnership: bool,
    /// When clips are published that have no time of their own ([`Post::publish_at`]). Default: at
    /// once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The size of a chunk in bytes, 5 MiB to 64 MB. What is left over goes with the last chunk. A
    /// chunk that breaks off is sent again. Default: 10 MB.
    pub chunk_size: u64,
    /// Another address of the API, for tests. Its path `/token` gives access tokens. Default:
    /// TikTok's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
}

/// Who can see a post on TikTok.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TikTokPrivacy {
    /// Everybody: `PUBLIC_TO_EVERYONE`.
    Everyone,
    /// Followers, on a private account: `FOLLOWER_OF_CREATOR`.
    Followers,
    /// Followers whom the account follows: `MUTUAL_FOLLOW_FRIENDS`.
    Friends,
    /// The account itself: `SELF_ONLY`.
    OnlyMe,
}

impl Default for TikTok {
    fn default() -> Self {
        TikTok {
            account: "default".to_owned(),
            credentials: CredentialsConfig::default(),
            inbox: false,
            privacy: None,
            comments: true,
            duets: true,
            stitches: true,
            own_brand: false,
            paid_partnership: false,
            schedule: None,
            chunk_size: 10_000_000,
            api_url: None,
        }
    }
}

impl TikTok {
    /// Publishes to an account.
    pub fn new(account: impl Into<String>) -> Self {
        TikTok { account: account.into(), ..TikTok::default() }
    }

    /// Refuses settings that cannot be followed. Nothing is sent.
    pub(crate) fn check(&self) -> Result<Account> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        let (least, most) = CHUNKS;
        if !(least..=most).contains(&self.chunk_size) {
            return refuse(format!("chunk_size is {}: TikTok accepts {least} to {most} bytes", self.chunk_size));
        }
        if self.paid_partnership && self.privacy == Some(TikTokPrivacy::OnlyMe) {
            return refuse("TikTok accepts no paid partnership that only the account itself can see".to_owned());
        }
        self.schedule.as_ref().map_or(Ok(()), Schedule::check)?;
        Account::new("tiktok", &self.account)
    }
}

#[async_trait]
impl Publisher for TikTok {
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        let account = self.check()?;
        publication::publish(cx, self, account, post).await
    }

    #[cfg(feature = "publish")]
    fn strict_output(&self, output: &Output) -> Option<Output> {
        TIKTOK.strict(output)
    }

    fn target(&self) -> Target {
        Target::new("tiktok").with_account(&self.account)
    }
}
