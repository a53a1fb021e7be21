//! What Instagram says about a container and its posts. Pure.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::api::id;
use super::session::Session;
use crate::error::Result;
use crate::publish::refusal::Server;

/// How much clocks may differ when a post is looked for.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// Where a container stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Instagram has so many bytes of the file. `None` means that it does not say how many.
    Uploading(Option<u64>),
    /// Instagram has all of the file, and works on it.
    Processing,
    /// It can be published.
    Ready,
    Published,
    /// Instagram could not use the file: a code for the table of refusals.
    Failed(String),
    /// It was not published within 24 hours, and cannot be any more.
    Expired,
    /// Instagram does not know it.
    Unknown,
}

/// Reads the fields of a container for a file of `total` bytes.
pub(super) fn standing(container: &Value, total: u64) -> Result<Standing> {
    Ok(match container["status_code"].as_str().unwrap_or_default() {
        "IN_PROGRESS" => uploading(&container["video_status"]["uploading_phase"], total)?,
        "FINISHED" => Standing::Ready,
        "PUBLISHED" => Standing::Published,
        "EXPIRED" => Standing::Expired,
        "ERROR" => Standing::Failed(failure(&container["status"])),
        _ => return Err(Server::Instagram.invalid("it says no status")),
    })
}

fn uploading(phase: &Value, total: u64) -> Result<Standing> {
    // The documentation spells it in both ways.
    let bytes = phase["bytes_transferred"].as_u64().or(phase["bytes_transfered"].as_u64());
    match bytes {
        _ if phase["status"] == "complete" => Ok(Standing::Processing),
        Some(bytes) if bytes > total => Err(Server::Instagram.invalid("it has more of the file than was sent")),
        Some(bytes) if bytes == total => Ok(Standing::Processing),
        bytes => Ok(Standing::Uploading(bytes)),
    }
}

/// `Error: Media upload has failed with error code 2207026` -> `/2207026`
fn failure(status: &Value) -> String {
    let text = match status {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let code = text.split(|letter: char| !letter.is_ascii_digit()).find(|digits| digits.len() == 7 && digits.starts_with("2207"));
    code.map_or_else(|| "media_error".to_owned(), |code| format!("/{code}"))
}

/// Id and address of the post that a container became: the only one of the account's latest with
/// its caption since then.
pub(super) fn post_of(latest: &Value, session: &Session) -> Option<(String, Option<String>)> {
    let since = session.publishing?.checked_sub(CLOCK_SKEW)?;
    let is_it = |item: &&Value| {
        let caption = item["caption"].as_str().unwrap_or_default();
        caption.trim() == session.caption.trim() && moment(&item["timestamp"]).is_some_and(|at| at >= since)
    };
    let mut found = latest["data"].as_array().into_iter().flatten().filter(is_it);
    let item = found.next().filter(|_| found.next().is_none())?;
    Some((id(&item["id"])?, permalink(item)))
}

/// `2026-11-28T12:00:00+0000`
fn moment(text: &Value) -> Option<SystemTime> {
    let at = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%z", text.as_str()?).ok()?.to_timestamp().ok()?;
    SystemTime::try_from(at).ok()
}

/// The address of a post.
pub(super) fn permalink(media: &Value) -> Option<String> {
    let url = url::Url::parse(media["permalink"].as_str().filter(|text| text.len() <= 2048)?).ok()?;
    let is_of_instagram = url.host_str().is_some_and(|host| host == "instagram.com" || host.ends_with(".instagram.com"));
    (url.scheme() == "https" && is_of_instagram).then(|| url.into())
}

/// Whether the account may publish no more: `(used, total)`.
pub(super) fn quota(answer: &Value) -> Option<(u64, u64)> {
    let limit = &answer["data"][0];
    Some((limit["quota_usage"].as_u64()?, limit["config"]["quota_total"].as_u64()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::publish::identity::Identity;

    #[test]
    fn each_status_is_read() {
        let phase = |phase: Value| json!({"status_code": "IN_PROGRESS", "video_status": {"uploading_phase": phase}});
        for (container, expected) in [
            (json!({"status_code": "IN_PROGRESS"}), Standing::Uploading(None)),
            (phase(json!({"status": "in_progress", "bytes_transferred": 5})), Standing::Uploading(Some(5))),
            (phase(json!({"status": "in_progress", "bytes_transfered": 6})), Standing::Uploading(Some(6))),
            (phase(json!({"status": "in_progress", "bytes_transferred": 10})), Standing::Processing),
            (phase(json!({"status": "complete"})), Standing::Processing),
            (json!({"status_code": "FINISHED"}), Standing::Ready),
            (json!({"status_code": "PUBLISHED"}), Standing::Published),
            (json!({"status_code": "EXPIRED"}), Standing::Expired),
            (json!({"status_code": "ERROR", "status": "Error: failed with error code 2207026"}), Standing::Failed("/2207026".into())),
            (json!({"status_code": "ERROR", "status": 2_207_026}), Standing::Failed("/2207026".into())),
            (json!({"status_code": "ERROR"}), Standing::Failed("media_error".into())),
        ] {
            assert_eq!(standing(&container, 10).unwrap(), expected, "{container}");
        }
        assert!(standing(&phase(json!({"bytes_transferred": 11})), 10).is_err() && standing(&Value::Null, 10).is_err());
        assert_eq!(quota(&json!({"data": [{"config": {"quota_total": 50}, "quota_usage": 3}]})), Some((3, 50)));
        assert_eq!(quota(&json!({"data": []})), None);
        assert_eq!(
            permalink(&json!({"permalink": "https://www.instagram.com/reel/x/"})).as_deref(),
            Some("https://www.instagram.com/reel/x/")
        );
        assert_eq!(permalink(&json!({"permalink": "https://evil.test/reel/x/"})), None);
    }

    #[test]
    fn a_post_is_found_by_caption_and_time_if_there_is_one() {
        let at = SystemTime::try_from("2026-11-28T12:00:00Z".parse::<jiff::Timestamp>().unwrap()).unwrap();
        let session = Session {
            user: "1".into(),
            container: "2".into(),
            uri: String::new(),
            file: Identity { bytes: 1, hash: String::new() },
            caption: "Why".into(),
            uploaded: true,
            publishing: Some(at),
            lookups: 0,
            media: None,
        };
        let item = |id: &str, caption: &str, at: &str| json!({"id": id, "caption": caption, "timestamp": at, "permalink": "https://www.instagram.com/reel/x/"});
        let old = item("3", "Why", "2026-11-28T11:00:00+0000");
        let new = item("4", "Why", "2026-11-28T13:00:01+0100");
        let other = item("5", "Because", "2026-11-28T12:00:01+0000");
        let found = post_of(&json!({"data": [other, new, old]}), &session);
        assert_eq!(found, Some(("4".into(), Some("https://www.instagram.com/reel/x/".into()))));
        assert_eq!(post_of(&json!({"data": [old]}), &session), None);
        assert_eq!(post_of(&json!({"data": [new, new]}), &session), None, "two could be it");
    }
}
