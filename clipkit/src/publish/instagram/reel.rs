//! The Reel as Instagram's API describes it. Pure.

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Post, Privacy, PublishStatus, Receipt, moment};
use crate::publish::post_text::{INSTAGRAM_TEXT, post_text};

use super::Instagram;

/// The caption, and warnings about what was changed.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if the clip is not for everybody.
pub(super) fn caption(post: &Post) -> Result<(String, Vec<String>)> {
    if post.privacy != Privacy::Public {
        return Err(Error::new(ErrorKind::InvalidInput, "Instagram's posts are as public as the account, and this clip is not public")
            .with_advice("publish it elsewhere, or make it public"));
    }
    let (text, mut warnings) = post_text(post, &INSTAGRAM_TEXT);
    if post.synthetic {
        warnings.push("Instagram's API takes no declaration of synthetic media: label the post in the app".to_owned());
    }
    Ok((text, warnings))
}

/// The receipt of a post. Without an id of its own, it has the container's.
pub(super) fn receipt(to: &Instagram, id: &str, url: Option<String>) -> Receipt {
    let mut receipt = Receipt::new("instagram", id);
    receipt.account = Some(to.account.clone());
    receipt.url = url;
    receipt.status = PublishStatus::Published;
    receipt.published_at = Some(moment::now());
    receipt
}
