//! What a server supports, and what to do about a request that it rejects. Pure.

use crate::openai::RequestFailure;

/// What a server supports. Everything is tried first; what the server rejects is left out
/// afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Capabilities {
    pub(super) format: ResponseFormat,
    /// Whether it accepts a temperature. Reasoning models do not.
    pub(super) temperature: bool,
    pub(super) limit: LimitField,
    /// Whether it accepts a system message. Some chat templates do not.
    pub(super) system: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Capabilities { format: ResponseFormat::Schema, temperature: true, limit: LimitField::Completion, system: true }
    }
}

/// How the response's format is requested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ResponseFormat {
    /// `json_schema`, with the schema in the request.
    Schema,
    /// `json_object`, with the schema in the prompt.
    Json,
    /// Not at all; the schema is in the prompt.
    Text,
}

/// The field that limits the length of the response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum LimitField {
    /// `max_completion_tokens`
    Completion,
    /// `max_tokens`
    Tokens,
    None,
}

/// What to do about a rejected request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Remedy {
    /// Ask for less at a time.
    Smaller,
    /// Ask once more, and then with these capabilities.
    Again(Capabilities),
    /// Ask with these capabilities.
    Without(Capabilities),
}

/// The remedy for a failure of a request that used the capabilities `tried`. `None` if the server
/// does not say what it rejects, or if that cannot be left out.
pub(super) fn remedy(tried: Capabilities, failure: &RequestFailure) -> Option<Remedy> {
    const SYSTEM: [&str; 12] = [
        "system role",
        "role system",
        "role 'system'",
        "role \"system\"",
        "role: system",
        "role `system`",
        "system message",
        "system prompt",
        "only user and assistant",
        "roles must alternate",
        "'user' or 'assistant'",
        "developer instruction is not",
    ];
    const GENERATION: [&str; 8] = [
        "json_validate_failed",
        "failed to generate json",
        "failed to validate json",
        "generated json",
        "grammar",
        "guided decoding",
        "guided_json",
        "failed to parse json",
    ];
    const FORMAT: [&str; 5] = ["response_format", "json_schema", "json_object", "schema", "structured"];
    if failure.is_too_large() {
        return Some(Remedy::Smaller);
    }
    let without = |reduced| Some(Remedy::Without(reduced));
    if tried.temperature && failure.rejects(&["temperature"]) {
        without(Capabilities { temperature: false, ..tried })
    } else if tried.limit == LimitField::Completion && failure.rejects(&["max_completion_tokens"]) {
        without(Capabilities { limit: LimitField::Tokens, ..tried })
    } else if tried.limit == LimitField::Tokens && failure.rejects(&["max_tokens"]) {
        without(Capabilities { limit: LimitField::None, ..tried })
    } else if tried.system && failure.rejects(&SYSTEM) {
        without(Capabilities { system: false, ..tried })
    } else if tried.format != ResponseFormat::Text && failure.rejects(&GENERATION) {
        Some(Remedy::Again(Capabilities { format: ResponseFormat::Text, ..tried }))
    } else if tried.format != ResponseFormat::Text && failure.rejects(&FORMAT) {
        let format = if tried.format == ResponseFormat::Schema { ResponseFormat::Json } else { ResponseFormat::Text };
        without(Capabilities { format, ..tried })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};

    fn of(tried: Capabilities, status: u16, message: &str) -> Option<Remedy> {
        let error = Error::new(ErrorKind::Config, "x");
        remedy(tried, &RequestFailure { error, status: Some(status), message: message.into(), may_be_charged: false })
    }

    #[test]
    fn what_a_server_rejects_is_left_out() {
        let all = Capabilities::default();
        let without = Remedy::Without;
        let text = Capabilities { format: ResponseFormat::Text, ..all };
        for (status, message, expected) in [
            (400, "'temperature' does not support 0", without(Capabilities { temperature: false, ..all })),
            (400, "unknown field max_completion_tokens", without(Capabilities { limit: LimitField::Tokens, ..all })),
            (500, "System role not supported", without(Capabilities { system: false, ..all })),
            (400, "Conversation roles must alternate user/assistant/user/assistant/...", without(Capabilities { system: false, ..all })),
            (422, "response_format: extra field", without(Capabilities { format: ResponseFormat::Json, ..all })),
            (400, "json_validate_failed Failed to generate JSON", Remedy::Again(text)),
            (500, "Failed to parse grammar", Remedy::Again(text)),
            (413, "", Remedy::Smaller),
            (400, "max_completion_tokens is too large: the maximum context length is 4096 tokens", Remedy::Smaller),
        ] {
            assert_eq!(of(all, status, message), Some(expected), "{status} {message}");
        }
        for (status, message) in [(401, "temperature"), (429, "grammar"), (400, "content policy"), (404, "no such model")] {
            assert_eq!(of(all, status, message), None, "{status} {message}");
        }
        // What was left out already is not the reason.
        assert_eq!(of(Capabilities { system: false, ..text }, 400, "roles must alternate; grammar; schema"), None);
    }
}
