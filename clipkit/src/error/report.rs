use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Error, ErrorKind, Recovery};
use crate::model::{Stage, Timestamp};

/// An [`Error`] as a document: what manifests, queues, services and other languages hand on.
///
/// It is read back with [`ErrorReport::into_error`]; the cause
/// ([`source`](std::error::Error::source)) is not part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ErrorReport {
    /// What went wrong, as a class.
    pub kind: ErrorKind,
    /// The stage that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// What happened, without the file's name, the moment and the advice.
    pub message: String,
    /// What the user can do, as an imperative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What the program can do.
    #[serde(default)]
    pub recovery: Recovery,
    /// The file concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The moment in the file concerned, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The address concerned, without user, password and query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl ErrorReport {
    /// A report with a kind and a message; the other fields are empty.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error::new(kind, message).report()
    }
}

impl Error {
    /// The error as a document.
    pub fn report(&self) -> ErrorReport {
        ErrorReport {
            kind: self.kind(),
            stage: self.stage(),
            message: self.message().to_owned(),
            advice: self.advice().map(str::to_owned),
            recovery: self.recovery().clone(),
            path: self.path().map(PathBuf::from),
            at: self.at(),
            url: self.url().map(str::to_owned),
        }
    }
}

impl ErrorReport {
    /// The error that the document describes.
    pub fn into_error(self) -> Error {
        let ErrorReport { kind, stage, message, advice, recovery, path, at, url } = self;
        let mut error = Error::new(kind, message).with_recovery(recovery);
        if let Some(stage) = stage {
            error = error.with_stage(stage);
        }
        if let Some(advice) = advice {
            error = error.with_advice(advice);
        }
        if let Some(path) = path {
            error = error.with_path(path);
        }
        if let Some(at) = at {
            error = error.with_time(at);
        }
        match url {
            Some(url) => error.with_url(&url),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_error_survives_as_a_document() {
        let error = Error::new(ErrorKind::RateLimited, "too many requests")
            .with_stage(Stage::Publish)
            .with_advice("wait")
            .with_recovery(Recovery::Retry { after: Some(Duration::from_secs(7)) })
            .with_path("clip.mp4")
            .with_time(Timestamp::from_secs(1.5))
            .with_url("https://me:pw@host/upload?key=secret");
        let text = serde_json::to_string(&error.report()).unwrap();
        assert!(!text.contains("secret") && !text.contains("pw"), "{text}");
        let back = serde_json::from_str::<ErrorReport>(&text).unwrap().into_error();
        assert_eq!((back.to_string(), back.report()), (error.to_string(), error.report()));
        let short: ErrorReport = serde_json::from_str(r#"{"kind": "network", "message": "gone"}"#).unwrap();
        assert_eq!(short.recovery, Recovery::GiveUp);
    }
}
