//! Publishing to Instagram.

#[cfg(feature = "publish")]
mod api;
#[cfg(feature = "publish")]
mod publication;
#[cfg(not(feature = "publish"))]
#[path = "publication_unavailable.rs"]
mod publication;
#[cfg(feature = "publish")]
mod reel;
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
use crate::error::Result;
#[cfg(feature = "publish")]
use crate::model::Output;
use crate::model::{Post, Receipt};
#[cfg(feature = "publish")]
use crate::publish::limits::REELS;

/// Publishes Reels to a professional account on Instagram, through the Instagram API with Facebook
/// Login.
///
/// - Instagram is asked first how many posts the account may still publish today.
/// - The clip is uploaded into a container, which is then published. The container is kept in the
///   artifact store (`CLIPKIT_CACHE`) before the first byte, so an upload that breaks off continues
///   where it was, in the same run or a later one.
/// - A clip is published once: a container can be published once, and Instagram says whether it
///   was. If Instagram cannot tell, the publication ends with an error that says to look by hand,
///   and the clip is not uploaded again. Two machines must not publish the same clip at the same
///   time, unless they are workers of one queue.
/// - Instagram does not schedule: before the time of a clip ([`Post::publish_at`], else the
///   [`schedule`](Instagram::schedule)'s) the error says to wait until then, which a queue follows.
/// - Title, description and tags become the caption: at most 2200 characters, 30 hashtags and 20
///   mentions. Posts are as public as the account, so a clip that is not public is refused. The
///   cover, the captions and [`Post::made_for_kids`] have no place in this API.
///
/// The login needs the permissions `instagram_basic`, `instagram_content_publish`,
/// `pages_show_list` and `pages_read_engagement`; `clipkit login instagram` asks for them. An app
/// that Meta has not reviewed posts for people with a role in the app only. A login ends after 60
/// days; clips that are published in its last week prolong it.
///
/// Needs the Cargo feature `publish`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Instagram {
    /// The account's name, by which its credentials are found. Default: `default`.
    pub account: String,
    /// Where the credentials are. Default: the environment, else a file.
    pub credentials: CredentialsConfig,
    /// Whether the Reel is also shown in the feed. Default: `true`.
    pub share_to_feed: bool,
    /// When clips are published that have no time of their own ([`Post::publish_at`]). Default: at
    /// once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Another address of the API with its version, for tests. Its path `/token` gives access
    /// tokens. Default: Meta's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
}

impl Default for Instagram {
    fn default() -> Self {
        Instagram {
            account: "default".to_owned(),
            credentials: CredentialsConfig::default(),
            share_to_feed: true,
            schedule: None,
            api_url: None,
        }
    }
}

impl Instagram {
    /// Publishes to an account.
    pub fn new(account: impl Into<String>) -> Self {
        Instagram { account: account.into(), ..Instagram::default() }
    }

    /// Refuses settings that cannot be followed. Nothing is sent.
    pub(crate) fn check(&self) -> Result<Account> {
        self.schedule.as_ref().map_or(Ok(()), Schedule::check)?;
        Account::new("instagram", &self.account)
    }
}

#[async_trait]
impl Publisher for Instagram {
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        let account = self.check()?;
        publication::publish(cx, self, account, post).await
    }

    #[cfg(feature = "publish")]
    fn strict_output(&self, output: &Output) -> Option<Output> {
        REELS.strict(output)
    }

    fn target(&self) -> Target {
        Target::new("instagram").with_account(&self.account)
    }
}
