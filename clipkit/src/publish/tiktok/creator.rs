//! What the account offers, and the post that follows from it. Pure.

use serde_json::{Value, json};

use super::status::is_user;
use super::{TikTok, TikTokPrivacy};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Post, Privacy};
use crate::publish::limits::ClipFacts;
use crate::publish::post_text::{TIKTOK_TEXT, post_text};
use crate::publish::refusal::Server;

/// What TikTok says about the account.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Creator {
    pub(super) user: Option<String>,
    privacies: Vec<String>,
    /// Seconds.
    longest: Option<f64>,
    no_comments: bool,
    no_duets: bool,
    no_stitches: bool,
}

impl Creator {
    /// Reads the `data` of the answer.
    pub(super) fn of(data: &Value) -> Result<Self> {
        let listed = data["privacy_level_options"].as_array();
        let privacies: Vec<String> = listed.into_iter().flatten().filter_map(|level| level.as_str().map(str::to_owned)).collect();
        if privacies.is_empty() {
            return Err(Server::TikTok.invalid("it does not say who can see the account's posts"));
        }
        let flag = |name: &str| data[name].as_bool().unwrap_or(false);
        Ok(Creator {
            user: data["creator_username"].as_str().filter(|name| is_user(name)).map(str::to_owned),
            privacies,
            longest: data["max_video_post_duration_sec"].as_f64().filter(|seconds| *seconds > 0.0),
            no_comments: flag("comment_disabled"),
            no_duets: flag("duet_disabled"),
            no_stitches: flag("stitch_disabled"),
        })
    }

    /// The `post_info` of a post, and warnings about what was changed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the account does not offer what the post needs.
    pub(super) fn post_info(&self, to: &TikTok, post: &Post, facts: &ClipFacts) -> Result<(Value, Vec<String>)> {
        if let (Some(longest), Some((seconds, ..))) = (self.longest, facts.planned)
            && seconds > longest
        {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("TikTok does not accept this clip: it lasts {seconds:.1} s, and the account may post {longest} s"),
            )
            .with_advice("make a shorter clip"));
        }
        let level = level(to, post)?;
        if !self.privacies.iter().any(|offered| offered == level) {
            let message = format!("the account does not offer {level}: it offers {}", self.privacies.join(", "));
            return Err(Error::new(ErrorKind::InvalidInput, message).with_advice("set `privacy` to one that it offers"));
        }
        if to.paid_partnership && level == "SELF_ONLY" {
            return Err(Error::new(ErrorKind::InvalidInput, "TikTok accepts no paid partnership that only the account itself can see"));
        }
        let (text, warnings) = post_text(post, &TIKTOK_TEXT);
        let info = json!({
            "title": text, "privacy_level": level, "disable_comment": self.no_comments || !to.comments,
            "disable_duet": self.no_duets || !to.duets, "disable_stitch": self.no_stitches || !to.stitches,
            "brand_organic_toggle": to.own_brand, "brand_content_toggle": to.paid_partnership, "is_aigc": post.synthetic,
        });
        Ok((info, warnings))
    }
}

/// TikTok's name of who can see the post.
fn level(to: &TikTok, post: &Post) -> Result<&'static str> {
    let privacy = match (to.privacy, post.privacy) {
        // A clip that is private stays so.
        (_, Privacy::Private) => TikTokPrivacy::OnlyMe,
        (Some(privacy), _) => privacy,
        (None, Privacy::Public) => TikTokPrivacy::Everyone,
        (None, Privacy::Unlisted) => {
            return Err(Error::new(ErrorKind::InvalidInput, "TikTok has no unlisted posts")
                .with_advice("set `privacy` to everyone, followers, friends or only_me"));
        }
    };
    Ok(match privacy {
        TikTokPrivacy::Everyone => "PUBLIC_TO_EVERYONE",
        TikTokPrivacy::Followers => "FOLLOWER_OF_CREATOR",
        TikTokPrivacy::Friends => "MUTUAL_FOLLOW_FRIENDS",
        TikTokPrivacy::OnlyMe => "SELF_ONLY",
    })
}

/// Whether everybody can see the post, so that TikTok reviews it and gives it an id.
pub(super) fn is_public(to: &TikTok, post: &Post) -> bool {
    level(to, post).is_ok_and(|level| level == "PUBLIC_TO_EVERYONE")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post() -> Post {
        let json = json!({"clip": "0123456789abcdef0123456789abcdef", "title": "Why clocks lie", "files": {"video": "a.mp4"}});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_post_keeps_to_what_the_account_offers() {
        let data = json!({
            "creator_username": "clock.smith", "privacy_level_options": ["PUBLIC_TO_EVERYONE", "SELF_ONLY"],
            "comment_disabled": false, "duet_disabled": true, "stitch_disabled": false, "max_video_post_duration_sec": 60,
        });
        let creator = Creator::of(&data).unwrap();
        assert_eq!(creator.user.as_deref(), Some("clock.smith"));
        let facts = |seconds| ClipFacts { bytes: 1, planned: Some((seconds, 1080, 1920, 30.0)) };
        let mut to = TikTok::new("main");
        let (info, warnings) = creator.post_info(&to, &post(), &facts(60.0)).unwrap();
        assert!(warnings.is_empty());
        assert_eq!(
            info,
            json!({
                "title": "Why clocks lie", "privacy_level": "PUBLIC_TO_EVERYONE", "disable_comment": false, "disable_duet": true,
                "disable_stitch": false, "brand_organic_toggle": false, "brand_content_toggle": false, "is_aigc": false,
            })
        );
        assert!(is_public(&to, &post()));
        let refused = |to: &TikTok, post: &Post, seconds| creator.post_info(to, post, &facts(seconds)).unwrap_err().to_string();
        assert!(refused(&to, &post(), 60.5).contains("may post 60 s"));
        let mut hidden = post();
        hidden.privacy = Privacy::Unlisted;
        assert!(refused(&to, &hidden, 10.0).contains("no unlisted posts"));
        hidden.privacy = Privacy::Private;
        (hidden.synthetic, to.comments, to.own_brand) = (true, false, true);
        let (info, _) = creator.post_info(&to, &hidden, &ClipFacts::default()).unwrap();
        assert_eq!((&info["privacy_level"], &info["is_aigc"], &info["disable_comment"]), (&json!("SELF_ONLY"), &json!(true), &json!(true)));
        to.paid_partnership = true;
        assert!(refused(&to, &hidden, 10.0).contains("paid partnership"));
        to.privacy = Some(TikTokPrivacy::Friends);
        assert!(refused(&to, &hidden, 10.0).contains("paid partnership"), "a private clip stays private");
        let error = refused(&to, &post(), 10.0);
        assert!(error.contains("MUTUAL_FOLLOW_FRIENDS") && error.contains("it offers PUBLIC_TO_EVERYONE, SELF_ONLY"), "{error}");
        assert!(Creator::of(&json!({"privacy_level_options": []})).is_err());
    }
}
