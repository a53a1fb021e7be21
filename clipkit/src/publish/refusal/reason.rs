//! A platform's own code for a refusal, as its answers give it.

use serde_json::Value;

use super::table::Server;

/// The longest code. Answers are hostile, and codes are shown.
const LONGEST: usize = 80;

impl Server {
    /// The code of an answer. Empty if the answer is no refusal, or gives no code.
    pub(in crate::publish) fn reason(self, answer: &Value) -> String {
        let error = &answer["error"];
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        plain(&match self {
            Server::Webhook => String::new(),
            Server::YouTube => first(text(&error["errors"][0]["reason"]), text(&error["status"])),
            // `error` is a text in the answers of the server of tokens.
            Server::TikTok => match first(text(error), text(&error["code"])) {
                code if code == "ok" => String::new(),
                code => code,
            },
            // The server of uploads has another form.
            Server::Instagram => match (text(&error["code"]), text(&error["error_subcode"])) {
                (code, _) if code.is_empty() => text(&answer["debug_info"]["type"]),
                (code, subcode) if subcode.is_empty() => code,
                (code, subcode) => format!("{code}/{subcode}"),
            },
        })
    }
}

/// A code without characters that no code has.
pub(in crate::publish) fn plain(code: &str) -> String {
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '/' | '.');
    code.chars().filter(is_plain).take(LONGEST).collect()
}

/// The first text, unless it is empty.
fn first(one: String, other: String) -> String {
    if one.is_empty() { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_platforms_answers_give_their_code() {
        for (server, answer, expected) in [
            (Server::YouTube, json!({"error": {"errors": [{"reason": "quotaExceeded"}]}}), "quotaExceeded"),
            (Server::YouTube, json!({"error": {"status": "INTERNAL"}}), "INTERNAL"),
            (Server::YouTube, json!({"id": "x"}), ""),
            (Server::TikTok, json!({"data": {}, "error": {"code": "ok", "message": ""}}), ""),
            (Server::TikTok, json!({"error": {"code": "rate_limit_exceeded"}}), "rate_limit_exceeded"),
            (Server::TikTok, json!({"error": "invalid_grant", "log_id": "1"}), "invalid_grant"),
            (Server::Instagram, json!({"error": {"code": 190, "error_subcode": 463}}), "190/463"),
            (Server::Instagram, json!({"error": {"code": 4}}), "4"),
            (Server::Instagram, json!({"debug_info": {"type": "ProcessingFailedError"}}), "ProcessingFailedError"),
            (Server::Instagram, json!({"id": "1"}), ""),
            (Server::Webhook, json!({"error": "no"}), ""),
            (Server::TikTok, json!({"error": {"code": "a\u{1b}[31m b"}}), "a31mb"),
            (Server::TikTok, Value::Null, ""),
        ] {
            assert_eq!(server.reason(&answer), expected, "{answer}");
        }
        assert_eq!(plain(&"a".repeat(500)).len(), LONGEST);
    }
}
