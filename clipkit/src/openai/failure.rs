//! The errors that a server's complaints are, and the advice in them. Pure.

use std::time::Duration;

use super::OpenAiServer;
use super::answer::{Complaint, Form};
use super::request::{Endpoint, RequestFailure};
use crate::error::{Error, ErrorKind, Recovery};

/// The longest part of a server's message that errors show, in characters.
const MAX_MESSAGE_CHARS: usize = 300;
/// The beginnings of keys that servers repeat: OpenAI's, Groq's, Hugging Face's, xAI's, Google's,
/// and JSON web tokens.
const KEY_STARTS: [&str; 7] = ["sk-", "gsk_", "hf_", "xai-", "AIza", "eyJ", "nvapi-"];

/// A request as far as its failure is concerned.
pub(super) struct Failing<'a> {
    pub(super) server: &'a OpenAiServer,
    pub(super) operation: &'static str,
    pub(super) endpoint: Endpoint,
    /// The status of the response.
    pub(super) answered: u16,
    /// The wait that the server asks for.
    pub(super) after: Option<Duration>,
    /// The models that the server offers, if it does not know the one asked for.
    pub(super) models: Vec<String>,
}

/// Whether the server does not have the model.
pub(super) fn is_about_model(complaint: &Complaint) -> bool {
    const WORDS: [&str; 12] = [
        "not found",
        "not exist",
        "not a valid model",
        "invalid model",
        "unknown model",
        "no such model",
        "no models loaded",
        "model not loaded",
        "not been downloaded",
        "not installed",
        "unsupported model",
        "model_not_found",
    ];
    let words = format!("{} {}", complaint.code, complaint.words).to_lowercase();
    matches!(complaint.status, None | Some(400 | 403 | 404 | 422))
        && complaint.is_message()
        && words.contains("model")
        && WORDS.iter().any(|part| words.contains(part))
}

/// The failure that a complaint is.
pub(super) fn failure(failing: &Failing<'_>, complaint: &Complaint) -> RequestFailure {
    let words = shown(failing.server, &complaint.words);
    let is_refused = !(200..300).contains(&failing.answered);
    let Failing { operation, answered, after, .. } = failing;
    let said = match (complaint.form, *answered) {
        (Form::Error, 200..300) => format!("the server answers {answered} with an error: {words}"),
        (form, 200..300) => {
            format!("the server answers {answered} with {}{}{words}", form.describe(), if words.is_empty() { "" } else { ": " })
        }
        _ => format!("the server answers {answered}: {words}"),
    };
    let text = format!("cannot {operation}: {said}");
    let retry = |kind, text: String| Error::new(kind, text).with_recovery(Recovery::Retry { after: *after });
    let no_credit = "the account has no credit left";
    let error = if is_about_model(complaint) {
        model(failing, text)
    } else {
        match complaint.status {
            Some(402) => Error::new(ErrorKind::Denied, text).with_advice(no_credit),
            Some(429) if complaint.code == "insufficient_quota" => Error::new(ErrorKind::Denied, text).with_advice(no_credit),
            Some(401 | 403) => {
                Error::new(ErrorKind::Denied, text).with_recovery(Recovery::RefreshCredentials).with_advice("check OPENAI_API_KEY")
            }
            Some(429) => retry(ErrorKind::RateLimited, text),
            Some(408 | 409 | 500..) => retry(ErrorKind::Network, text),
            Some(413) if failing.endpoint == Endpoint::Transcription => {
                Error::new(ErrorKind::Config, text).with_advice("the server accepts smaller uploads than OpenAI's 25 MB: raise its limit")
            }
            Some(404 | 405) => Error::new(ErrorKind::Config, text).with_advice(address_advice(failing)),
            Some(_) => Error::new(ErrorKind::Config, text),
            // A page of a website, or a sign-in page.
            None if complaint.form == Form::Page => Error::new(ErrorKind::Config, text).with_advice(address_advice(failing)),
            None => retry(ErrorKind::Contract, text),
        }
    };
    RequestFailure {
        error: error.with_url(&failing.server.url()),
        status: complaint.status,
        // Words that are no message do not decide about the next request.
        message: if is_refused || complaint.is_message() { format!("{} {}", complaint.code, complaint.words) } else { String::new() },
        may_be_charged: !is_refused && complaint.status.is_none(),
    }
}

fn model(failing: &Failing<'_>, text: String) -> Error {
    let setting = failing.endpoint.model_setting();
    match failing.models.is_empty() {
        true => Error::new(ErrorKind::Config, text).with_advice(format!("name a model that the server has ({setting})")),
        false => Error::new(ErrorKind::Config, format!("{text}; it offers {}", failing.models.join(", ")))
            .with_advice(format!("name one of these ({setting})")),
    }
}

/// What to do if nothing answers below the address.
fn address_advice(failing: &Failing<'_>) -> String {
    const SETTING: &str = "OPENAI_BASE_URL, or `base_url` of the server";
    let url = failing.server.url();
    let path = failing.endpoint.path();
    if let Some(bare) =
        ["/chat/completions", "/audio/transcriptions", "/completions", "/models"].iter().find_map(|end| url.strip_suffix(end))
    {
        return format!("give the address without the path behind /v1, such as {} ({SETTING})", without_user(bare));
    }
    let has_version =
        url.split('/').skip(3).any(|part| part.starts_with('v') && part[1..].starts_with(|digit: char| digit.is_ascii_digit()));
    match failing.endpoint {
        _ if !has_version => format!("the address has no /v1: try {}/v1 ({SETTING})", without_user(&url)),
        Endpoint::Transcription => {
            format!("check the address ({SETTING}): it has no {path}; whisper.cpp's server needs --inference-path /v1{path}")
        }
        Endpoint::Chat => format!("check the address ({SETTING}): it has no {path}"),
    }
}

/// An address without user and password.
fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{scheme}://{}{path}", host.rsplit('@').next().unwrap_or_default())
        }
        None => url.to_owned(),
    }
}

/// A server's words as errors show them: without keys, and cut.
pub(super) fn shown(server: &OpenAiServer, words: &str) -> String {
    // The key is removed before the message is cut, so that no part of it remains.
    let words = server.without_key(words);
    let is_end =
        |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | ',' | ';' | '(' | ')' | '<' | '>' | '=' | '`' | '[' | ']');
    let mut after_bearer = false;
    let mut out = String::new();
    for piece in words.split_inclusive(is_end) {
        let bare = piece.trim_end_matches(is_end);
        let is_key = KEY_STARTS.iter().any(|start| bare.starts_with(start)) && bare.len() >= 10 || after_bearer && bare.len() >= 6;
        out.push_str(if is_key { "[key]" } else { bare });
        out.push_str(&piece[bare.len()..]);
        after_bearer = bare.eq_ignore_ascii_case("bearer") || after_bearer && bare.is_empty();
    }
    out.chars().take(MAX_MESSAGE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::answer::refused;

    fn at(url: &str) -> OpenAiServer {
        OpenAiServer { base_url: Some(url.into()), api_key: Some("secret-1".into()), ..OpenAiServer::default() }
    }

    fn error(url: &str, endpoint: Endpoint, answered: u16, body: &str, models: &[&str]) -> Error {
        let models = models.iter().map(|model| (*model).to_owned()).collect();
        let server = &at(url);
        failure(&Failing { server, operation: "score spans", endpoint, answered, after: None, models }, &refused(answered, body.as_bytes()))
            .error
    }

    #[test]
    fn errors_name_the_setting() {
        for (url, endpoint, status, body, models, expected) in [
            ("http://host:1234", Endpoint::Chat, 404, "404 page not found", &[][..], "try http://host:1234/v1 (OPENAI_BASE_URL"),
            ("http://me:pw@host", Endpoint::Chat, 405, "", &[], "try http://host/v1 (OPENAI_BASE_URL"),
            ("http://host/v1/chat/completions", Endpoint::Chat, 404, "", &[], "such as http://host/v1 (OPENAI_BASE_URL"),
            ("http://host/v1", Endpoint::Transcription, 404, "File Not Found", &[], "--inference-path /v1/audio/transcriptions"),
            (
                "http://host/v1",
                Endpoint::Chat,
                404,
                r#"{"error": {"message": "model \"x\" not found"}}"#,
                &["a", "b"],
                "it offers a, b (name one of these (--scorer-model",
            ),
            ("http://host/v1", Endpoint::Transcription, 400, "Invalid model name x", &[], "--transcriber-model"),
            ("http://host/v1", Endpoint::Chat, 401, "", &[], "OPENAI_API_KEY"),
        ] {
            let error = error(url, endpoint, status, body, models).to_string();
            assert!(error.contains(expected) && !error.contains("pw@"), "{error}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let words = "Bad key secret-1 or 'sk-proj-abcdef123' with Authorization: Bearer abc.def-ghi, eyJhbGciOi.x";
        assert_eq!(shown(&at("http://host/v1"), words), "Bad key [key] or '[key]' with Authorization: Bearer [key], [key]");
        assert_eq!(shown(&at("http://host/v1"), &"x".repeat(999)).len(), MAX_MESSAGE_CHARS);
    }
}
