//! The video as YouTube's API describes it. Pure.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::YouTube;
use crate::model::{Post, Privacy, PublishStatus, Receipt, moment};
use crate::publish::limits::{Unit, YOUTUBE_TEXTS, fitted};

/// The tag by which a publication is found again.
pub(super) fn marker(key: &str) -> String {
    format!("clipkit-{}", &key[..key.len().min(16)])
}

/// When YouTube is to publish the clip. `None` means now.
pub(super) fn scheduled(post: &Post, now: SystemTime) -> Option<SystemTime> {
    post.publish_at.filter(|at| *at > now && post.privacy == Privacy::Public)
}

/// The body of `videos.insert`, and warnings about what was changed.
pub(super) fn video(to: &YouTube, post: &Post, marker: &str, now: SystemTime) -> (Value, Vec<String>) {
    let limits = YOUTUBE_TEXTS;
    let mut warnings = Vec::new();
    let (mut title, cut) = fitted(&post.title.replace('\n', " "), limits.title, Unit::Characters, limits.refused);
    if title.is_empty() {
        title = "Clip".to_owned();
    }
    if cut {
        warnings.push(format!("YouTube accepts titles of {} characters without < and >: it is {title:?}", limits.title));
    }
    let (description, cut) = fitted(&post.description, limits.description, Unit::Bytes, limits.refused);
    if cut {
        warnings.push(format!("YouTube accepts descriptions of {} bytes without < and >: it was changed", limits.description));
    }
    let (tags, left_out) = tags(post, marker, limits.tags);
    if left_out > 0 {
        warnings.push(format!(
            "YouTube accepts tags of {} characters in total: {left_out} of {} were left out",
            limits.tags,
            post.tags.len()
        ));
    }
    let at = scheduled(post, now);
    if post.privacy != Privacy::Public && post.publish_at.is_some_and(|at| at > now) {
        warnings.push("YouTube schedules public clips only: the time to publish has no effect".to_owned());
    }
    let privacy = match post.privacy {
        _ if at.is_some() => "private",
        Privacy::Unlisted => "unlisted",
        Privacy::Private => "private",
        Privacy::Public => "public",
    };
    let mut snippet = json!({"title": title, "description": description, "tags": tags, "categoryId": to.category});
    if let Some(language) = &post.language {
        snippet["defaultLanguage"] = language.as_str().into();
        snippet["defaultAudioLanguage"] = language.as_str().into();
    }
    let mut status = json!({
        "privacyStatus": privacy, "selfDeclaredMadeForKids": post.made_for_kids, "containsSyntheticMedia": post.synthetic,
    });
    if let Some(at) = at.and_then(|at| jiff::Timestamp::try_from(at).ok()) {
        status["publishAt"] = format!("{at:.0}").into();
    }
    (json!({"snippet": snippet, "status": status}), warnings)
}

/// The tags that fit, the marker first. YouTube counts the commas between them, and quotation marks
/// around those with spaces.
fn tags(post: &Post, marker: &str, longest: usize) -> (Vec<String>, usize) {
    let mut used = marker.len();
    let (mut kept, mut left_out) = (vec![marker.to_owned()], 0);
    for tag in &post.tags {
        let (tag, _) = fitted(&tag.replace([',', '#', '\n'], " "), longest, Unit::Characters, YOUTUBE_TEXTS.refused);
        let cost = tag.chars().count() + 1 + if tag.contains(' ') { 2 } else { 0 };
        if tag.is_empty() || used + cost > longest {
            left_out += 1;
            continue;
        }
        used += cost;
        kept.push(tag);
    }
    (kept, left_out)
}

/// The receipt of an uploaded video. YouTube processes it before it can be seen.
pub(super) fn receipt(to: &YouTube, post: &Post, id: &str, now: SystemTime) -> Receipt {
    let mut receipt = Receipt::new("youtube", id);
    receipt.account = Some(to.account.clone());
    receipt.url =
        Some(if to.shorts { format!("https://www.youtube.com/shorts/{id}") } else { format!("https://www.youtube.com/watch?v={id}") });
    let at = scheduled(post, now);
    receipt.status = if at.is_some() { PublishStatus::Scheduled } else { PublishStatus::Processing };
    receipt.published_at = Some(at.unwrap_or_else(moment::now));
    receipt
}

/// Whether a text can be a video's id.
pub(super) fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The position after the last byte that YouTube has, of `Range: bytes=0-N`.
pub(super) fn next_byte(range: Option<&str>) -> Option<u64> {
    let Some(range) = range else { return Some(0) };
    let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
    if first.trim() != "0" {
        return None;
    }
    last.trim().parse::<u64>().ok()?.checked_add(1)
}

#[cfg(test)]
mod tests;
