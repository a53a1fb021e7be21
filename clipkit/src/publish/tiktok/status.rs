//! What TikTok says about an upload. Pure.

use serde_json::Value;

use crate::error::Result;
use crate::publish::refusal::{Server, plain};

/// Where an upload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// TikTok has so many bytes of it. `None` means that it does not say how many.
    Uploading(Option<u64>),
    /// TikTok has all of it, and works on it.
    Processing,
    /// It is posted. The post has an id when everybody can see it.
    Posted(Option<String>),
    /// It is a draft in the inbox.
    Draft,
    /// TikTok did not accept it.
    Failed(String),
    /// TikTok does not know it.
    Unknown,
}

/// Reads the `data` of an answer about an upload of `total` bytes.
pub(super) fn standing(data: &Value, total: u64) -> Result<Standing> {
    let bytes = data["uploaded_bytes"].as_u64();
    Ok(match data["status"].as_str().unwrap_or_default() {
        "PROCESSING_UPLOAD" | "PROCESSING_DOWNLOAD" => match bytes {
            Some(bytes) if bytes > total => return Err(Server::TikTok.invalid("it has more of the file than was sent")),
            Some(bytes) if bytes == total => Standing::Processing,
            bytes => Standing::Uploading(bytes),
        },
        "PUBLISH_COMPLETE" => Standing::Posted(post_id(data)),
        "SEND_TO_USER_INBOX" => Standing::Draft,
        "FAILED" => Standing::Failed(plain(data["fail_reason"].as_str().unwrap_or_default())),
        _ => return Err(Server::TikTok.invalid("it says no status")),
    })
}

/// The id of the post. The field's name is spelt so.
fn post_id(data: &Value) -> Option<String> {
    let id = match &data["publicaly_available_post_id"][0] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(id).filter(|id| (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a text can be the id of an upload: `v_pub_file~v2-1.123456789`.
pub(super) fn is_publish_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'))
}

/// Whether a text can be a name on TikTok.
pub(super) fn is_user(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn each_status_is_read() {
        for (data, expected) in [
            (json!({"status": "PROCESSING_UPLOAD", "uploaded_bytes": 5}), Standing::Uploading(Some(5))),
            (json!({"status": "PROCESSING_UPLOAD"}), Standing::Uploading(None)),
            (json!({"status": "PROCESSING_UPLOAD", "uploaded_bytes": 10}), Standing::Processing),
            (json!({"status": "SEND_TO_USER_INBOX"}), Standing::Draft),
            (json!({"status": "PUBLISH_COMPLETE"}), Standing::Posted(None)),
            (
                json!({"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": [7_300_000_000_000_000_001_u64]}),
                Standing::Posted(Some("7300000000000000001".into())),
            ),
            (json!({"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": ["73"]}), Standing::Posted(Some("73".into()))),
            (json!({"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": ["../x"]}), Standing::Posted(None)),
            (json!({"status": "FAILED", "fail_reason": "frame_rate_check_failed"}), Standing::Failed("frame_rate_check_failed".into())),
        ] {
            assert_eq!(standing(&data, 10).unwrap(), expected, "{data}");
        }
        for wrong in [json!({"status": "PROCESSING_UPLOAD", "uploaded_bytes": 11}), json!({"status": "?"}), Value::Null] {
            assert_eq!(standing(&wrong, 10).unwrap_err().kind(), ErrorKind::Contract, "{wrong}");
        }
        assert!(is_publish_id("v_pub_file~v2-1.123456789") && !is_publish_id("") && !is_publish_id("a b"));
        assert!(is_user("clock.smith_1") && !is_user("a/b"));
    }
}
