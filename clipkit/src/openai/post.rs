//! One JSON request and its answer.
//!
//! It stands beside the client crate, which writes answers that it cannot read to the log, in full, and reads a refusal that is not in
//! OpenAI's words as a broken promise.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::OpenAiServer;
use crate::error::{Error, Recovery};

/// How often a request is tried where the server is busy or out of reach.
const TRIES: u32 = 3;
/// The wait after the first try, where the server does not say; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Whoever asks to wait longer is left.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// No answer to a prompt is as long.
const LARGEST_ANSWER: usize = 8 << 20;
const LONGEST_MESSAGE: usize = 300;

/// A request that got no answer.
pub(crate) struct Refused {
    pub(crate) error: Error,
    /// The server's status, where it refused.
    pub(crate) status: Option<u16>,
    /// What it said, for a look at its reasons; it may echo the request.
    pub(crate) said: String,
    /// Whether work may have been done, and charged, all the same.
    pub(crate) ran: bool,
}

impl OpenAiServer {
    /// Sends a request to the path below the server's address, up to three times, and answers the JSON that comes back.
    pub(crate) async fn post(&self, http: &reqwest::Client, path: &str, body: &Value, doing: &str) -> Result<Value, Refused> {
        let mut wait = FIRST_WAIT;
        let mut tries = 1;
        loop {
            let refused = match self.post_once(http, path, body, doing).await {
                Ok(answer) => return Ok(answer),
                Err(refused) => refused,
            };
            let again = !refused.ran && matches!(refused.error.recovery(), Recovery::Retry { .. });
            let asked = match refused.error.recovery() {
                Recovery::Retry { after } => *after,
                _ => None,
            };
            if !again || tries >= TRIES || asked.is_some_and(|asked| asked > LONGEST_WAIT) {
                return Err(refused);
            }
            tracing::debug!(tries, "trying again: {}", refused.error);
            tokio::time::sleep(asked.unwrap_or(wait)).await;
            wait *= 2;
            tries += 1;
        }
    }

    async fn post_once(&self, http: &reqwest::Client, path: &str, body: &Value, doing: &str) -> Result<Value, Refused> {
        let broken = |cause: reqwest::Error| {
            let ran = !cause.is_connect() && !cause.is_builder();
            Refused { error: self.broken(doing, cause), status: None, said: String::new(), ran }
        };
        let mut request = http.post(format!("{}{path}", self.url())).header(CONTENT_TYPE, "application/json").body(body.to_string());
        if let Some(key) = self.key() {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        let organization = self.org();
        if !organization.is_empty() {
            request = request.header("OpenAI-Organization", organization);
        }
        let mut response = request.send().await.map_err(broken)?;
        let (status, after) = (response.status(), retry_after(response.headers()));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LARGEST_ANSWER {
                let error = self.broken_promise(doing, "it has no end");
                return Err(Refused { error, status: None, said: String::new(), ran: true });
            }
        }
        if !status.is_success() {
            let (code, said) = complaint(&bytes);
            // Before it is cut, so that no half of a key is left.
            let said: String = self.without_key(&said).chars().take(LONGEST_MESSAGE).collect();
            let error = self.refused(doing, status.as_u16(), &code, &said, after);
            return Err(Refused { error, status: Some(status.as_u16()), said, ran: false });
        }
        serde_json::from_slice(&bytes).map_err(|cause| {
            let error = self.broken_promise(doing, &cause.to_string());
            Refused { error, status: None, said: String::new(), ran: true }
        })
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The code and the words of a refusal, as the servers write it: `{"error": {"message": ..}}`, `{"error": ".."}`, `{"message": ..}`, `{"detail": ..}`.
fn complaint(bytes: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(bytes);
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let error = &value["error"];
    let code = error["code"].as_str().or(error["type"].as_str()).unwrap_or_default().to_owned();
    let said = [&error["message"], error, &value["message"], &value["detail"]].into_iter().find_map(Value::as_str).unwrap_or(&text);
    let line = said.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|part| !part.is_empty());
    (code, line.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_as_servers_write_them() {
        for (body, expected) in [
            (r#"{"error": {"message": "no\nsuch model", "code": "model_not_found"}}"#, ("model_not_found", "no such model")),
            (r#"{"error": "model is loading"}"#, ("", "model is loading")),
            (r#"{"object": "error", "message": "bad"}"#, ("", "bad")),
            (r#"{"detail": "nope"}"#, ("", "nope")),
            ("<html>Bad  Gateway</html>", ("", "<html>Bad Gateway</html>")),
            ("", ("", "")),
        ] {
            assert_eq!(complaint(body.as_bytes()), (expected.0.to_owned(), expected.1.to_owned()), "{body}");
        }
    }
}
