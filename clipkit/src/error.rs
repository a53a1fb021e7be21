mod report;
mod scrub;

pub use report::ErrorReport;
pub(crate) use scrub::scrub;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize};

use crate::model::{Stage, Timestamp};

/// The result of a fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The class of an [`Error`], for a program to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file, model or URL does not exist.
    NotFound,
    /// An input exists but cannot be used: it is not media, is damaged, has no video stream or has
    /// zero duration.
    InvalidInput,
    /// An input, a download or an answer exceeds one of the [`Limits`](crate::model::Limits).
    TooLarge,
    /// There is no transcript and no means to make one.
    NoTranscript,
    /// The input is valid, but the scorer found no span that is worth a clip.
    NothingFound,
    /// A plan cannot be rendered: its version is not supported, it has unknown fields, or a value
    /// is out of range.
    InvalidPlan,
    /// A setting contradicts another setting or is out of range.
    Config,
    /// The caller cancelled the work.
    Cancelled,
    /// A file system operation failed, for example because of permissions, an invalid file name or
    /// a full disk.
    Io,
    /// A packet or frame of the input could not be decoded.
    Decode,
    /// The encoder or muxer failed.
    Encode,
    /// The captions of a plan could not be drawn: the text library or a font is missing, or it
    /// rejected the captions.
    Captions,
    /// An overlay of a plan could not be drawn: its image file is missing, too large, or not a
    /// picture that can be read.
    Overlay,
    /// A library or model that this step needs is not on this machine.
    Unavailable,
    /// A network request failed.
    Network,
    /// A server rejected a request because of its rate limit.
    RateLimited,
    /// A server rejected the credentials or requires some.
    Denied,
    /// A stage exceeded its time limit.
    TimedOut,
    /// A stage returned a value that violates its contract.
    Contract,
}

/// The action that can follow an [`Error`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// The same call can be tried again, but not before `after` has passed. `None` means at any
    /// time.
    Retry {
        /// The delay that the server asked for.
        after: Option<Duration>,
    },
    /// The call can be tried again with new credentials.
    RefreshCredentials,
    /// The clip must be rendered again with other settings before the call is tried again.
    Reencode,
    /// No call succeeds before this time, for example because a daily quota is used up.
    WaitUntil(SystemTime),
    /// The same call fails again. Change the input or the configuration.
    #[default]
    GiveUp,
}

impl Recovery {
    /// The action's name: `retry`, `refresh_credentials`, `reencode`, `wait_until` or `give_up`.
    pub fn action(&self) -> &'static str {
        match self {
            Recovery::Retry { .. } => "retry",
            Recovery::RefreshCredentials => "refresh_credentials",
            Recovery::Reencode => "reencode",
            Recovery::WaitUntil(_) => "wait_until",
            Recovery::GiveUp => "give_up",
        }
    }
}

/// An object with the field `action`. `retry` can have `after` in seconds: `{"action": "retry",
/// "after": 5.0}`. `wait_until` has `until` in seconds since 1970-01-01 UTC: `{"action":
/// "wait_until", "until": 1793836800.0}`.
impl Serialize for Recovery {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("action", self.action())?;
        match self {
            Recovery::Retry { after: Some(after) } => fields.serialize_entry("after", &after.as_secs_f64())?,
            Recovery::WaitUntil(at) => {
                let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                fields.serialize_entry("until", &since.as_secs_f64())?;
            }
            _ => {}
        }
        fields.end()
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename = "Recovery")]
struct RecoveryDocument {
    /// `retry`, `refresh_credentials`, `reencode`, `wait_until` or `give_up`.
    action: String,
    /// For `retry`: the delay that the server asked for, in seconds.
    after: Option<f64>,
    /// For `wait_until`: the time, in seconds since 1970-01-01 UTC.
    until: Option<f64>,
}

/// An action that this version does not know becomes [`Recovery::GiveUp`].
impl<'de> Deserialize<'de> for Recovery {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let RecoveryDocument { action, after, until } = RecoveryDocument::deserialize(deserializer)?;
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
        Ok(match action.as_str() {
            "retry" => Recovery::Retry { after: after.and_then(seconds) },
            "refresh_credentials" => Recovery::RefreshCredentials,
            "reencode" => Recovery::Reencode,
            "wait_until" => until
                .and_then(seconds)
                .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
                .map_or(Recovery::GiveUp, Recovery::WaitUntil),
            _ => Recovery::GiveUp,
        })
    }
}

impl JsonSchema for Recovery {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        RecoveryDocument::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        RecoveryDocument::json_schema(generator)
    }
}

/// The error type of this crate.
///
/// An error has a [`kind`](Error::kind) to branch on, the [`stage`](Error::stage) that failed, the
/// file, media time or URL concerned, and the action that can follow
/// ([`recovery`](Error::recovery)). `Display` writes one line for a person. Concurrent callers
/// that wait for the same work each receive a clone.
///
/// The [`source`](std::error::Error::source) is the cause, if there is one. It is the value that
/// was passed to [`with_source`](Error::with_source) and can be downcast.
#[derive(Clone, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    stage: Option<Stage>,
    message: String,
    advice: Option<String>,
    path: Option<PathBuf>,
    at: Option<Timestamp>,
    url: Option<String>,
    recovery: Recovery,
    /// The number of attempts that were made.
    attempts: u32,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error of `kind`. `message` states what happened, without the file's name and
    /// without advice.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            stage: None,
            message: message.into(),
            advice: None,
            path: None,
            at: None,
            url: None,
            recovery: Recovery::GiveUp,
            attempts: 1,
            source: None,
        }))
    }

    /// Makes the error that cancelled work returns.
    pub fn cancelled() -> Self {
        Error::new(ErrorKind::Cancelled, "cancelled")
    }

    /// Makes an error for a failed file system operation on `path`. `doing` is the operation as a
    /// verb phrase (`open the file`). The kind is [`ErrorKind::NotFound`] if `source` says so, else
    /// [`ErrorKind::Io`].
    pub fn io(path: impl AsRef<Path>, doing: &str, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let (kind, advice) = match source.kind() {
            Io::NotFound => (ErrorKind::NotFound, None),
            Io::StorageFull | Io::QuotaExceeded => (ErrorKind::Io, Some("free some space and run again")),
            Io::PermissionDenied => (ErrorKind::Io, Some("check the permissions")),
            _ => (ErrorKind::Io, None),
        };
        let mut error = Error::new(kind, format!("cannot {doing}: {source}")).with_path(path).with_source(source);
        error.0.advice = advice.map(str::to_owned);
        error
    }

    /// Sets the file concerned, if none is set yet.
    #[must_use]
    pub fn with_path(mut self, path: impl AsRef<Path>) -> Self {
        self.0.path.get_or_insert_with(|| path.as_ref().to_owned());
        self
    }

    /// Sets the media time concerned, if none is set yet.
    #[must_use]
    pub fn with_time(mut self, at: Timestamp) -> Self {
        self.0.at.get_or_insert(at);
        self
    }

    /// Sets the URL concerned, if none is set yet. User information, query and fragment are
    /// removed, since they can hold secrets.
    #[must_use]
    pub fn with_url(mut self, url: &str) -> Self {
        self.0.url.get_or_insert_with(|| redact_url(url));
        self
    }

    /// Sets the stage that failed, if none is set yet, so the innermost stage is kept.
    #[must_use]
    pub fn with_stage(mut self, stage: Stage) -> Self {
        self.0.stage.get_or_insert(stage);
        self
    }

    /// Sets what the user can do, as an imperative.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// Sets the action that can follow.
    #[must_use]
    pub fn with_recovery(mut self, recovery: Recovery) -> Self {
        self.0.recovery = recovery;
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets the number of attempts that were made.
    #[must_use]
    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// The number of attempts that were made, at least 1.
    pub(crate) fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stage that failed. `None` means that the error did not occur in a stage.
    pub fn stage(&self) -> Option<Stage> {
        self.0.stage
    }

    /// The action that can follow.
    pub fn recovery(&self) -> &Recovery {
        &self.0.recovery
    }

    /// What happened, without the file, the URL, the media time and the advice, which `Display`
    /// adds.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the user can do. `None` means that there is no advice.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// The file concerned. `None` means that the error concerns no file.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The media time concerned. `None` means that the error concerns no particular time.
    pub fn at(&self) -> Option<Timestamp> {
        self.0.at
    }

    /// The URL concerned, without user information, query and fragment. `None` means that the error
    /// concerns no URL.
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Whether the kind is [`ErrorKind::Cancelled`].
    pub fn is_cancelled(&self) -> bool {
        self.kind() == ErrorKind::Cancelled
    }
}

impl std::error::Error for Inner {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(url) = &self.url {
            write!(f, "{url}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(at) = self.at {
            write!(f, " at {at}")?;
        }
        if let Some(advice) = &self.advice {
            write!(f, " ({advice})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.0.kind).field("message", &self.0.to_string());
        if let Some(stage) = self.0.stage {
            out.field("stage", &stage);
        }
        out.field("recovery", &self.0.recovery);
        if let Some(source) = &self.0.source {
            out.field("source", source);
        }
        out.finish()
    }
}

/// Removes user information, query and fragment: `https://user:key@host/path?token=x` becomes
/// `https://host/path`.
pub(crate) fn redact_url(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    match bare.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
            let host = host.rsplit('@').next().unwrap_or_default();
            match path {
                Some(path) => format!("{scheme}://{host}/{path}"),
                None => format!("{scheme}://{host}"),
            }
        }
        None => bare.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_with_file_time_and_advice() {
        let error = Error::new(ErrorKind::Decode, "the picture is damaged")
            .with_path("talk.mp4")
            .with_time(Timestamp::from_secs(83.5))
            .with_advice("cut that part out");
        assert_eq!(error.to_string(), "talk.mp4: the picture is damaged at 1:23.500 (cut that part out)");
        assert_eq!(error.recovery(), &Recovery::GiveUp);
    }

    #[test]
    fn the_source_can_be_downcast() {
        let error = Error::io("talk.mp4", "open the file", std::io::Error::other("a cable")).clone();
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>());
        assert_eq!(source.map(ToString::to_string).as_deref(), Some("a cable"));
        assert!(std::error::Error::source(&Error::cancelled()).is_none());
    }

    #[test]
    fn recovery_serializes_to_json() {
        let json = |recovery: Recovery| serde_json::to_string(&recovery).unwrap_or_default();
        assert_eq!(json(Recovery::Retry { after: Some(Duration::from_millis(2500)) }), r#"{"action":"retry","after":2.5}"#);
        assert_eq!(json(Recovery::Retry { after: None }), r#"{"action":"retry"}"#);
        assert_eq!(json(Recovery::WaitUntil(SystemTime::UNIX_EPOCH + Duration::from_secs(60))), r#"{"action":"wait_until","until":60.0}"#);
        assert_eq!(json(Recovery::GiveUp), r#"{"action":"give_up"}"#);
    }

    #[test]
    fn a_url_loses_its_secrets() {
        let error = Error::new(ErrorKind::Network, "refused").with_url("https://me:pw@host/a/b?key=secret#x");
        assert_eq!(error.to_string(), "https://host/a/b: refused");
        assert!(!format!("{error:?}").contains("secret"));
    }
}
