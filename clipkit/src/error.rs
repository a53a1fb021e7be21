mod report;

pub use report::ErrorReport;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize};

use crate::model::{Stage, Timestamp};

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a class a program can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file, model or address that was named does not exist.
    NotFound,
    /// An input exists but cannot be used: not media, broken, without a picture, of no length.
    InvalidInput,
    /// There is no transcript and no way to make one.
    NoTranscript,
    /// The input is fine, but holds nothing worth a clip.
    NothingFound,
    /// A plan that cannot be rendered: another version, unknown fields, values out of range.
    InvalidPlan,
    /// A setting contradicts another or is out of range.
    Config,
    /// The caller cancelled the work.
    Cancelled,
    /// The file system refused: permissions, names, a full disk.
    Io,
    /// A packet or frame of the input could not be decoded.
    Decode,
    /// The encoder or muxer failed.
    Encode,
    /// The captions of a plan could not be drawn: the text library or its fonts are missing or
    /// refused them.
    Captions,
    /// A library or model needed for this step is not on this machine.
    Unavailable,
    /// A request over the network failed.
    Network,
    /// A server asks for fewer requests.
    RateLimited,
    /// A server refuses the credentials, or asks for some.
    Denied,
    /// A stage took longer than it was given.
    TimedOut,
    /// A stage answered something outside its contract.
    Contract,
}

/// What to do next about an [`Error`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Try the same call again, not before `after` has passed if it is given.
    Retry {
        /// How long the other side asked to wait.
        after: Option<Duration>,
    },
    /// Get new credentials, then try again.
    RefreshCredentials,
    /// Render the clip again with other settings, then try again.
    Reencode,
    /// Nothing will work before this moment (a daily quota, say).
    WaitUntil(SystemTime),
    /// The same call will fail again: change the input or the set-up.
    #[default]
    GiveUp,
}

impl Recovery {
    /// What to do, as one word: `retry`, `refresh_credentials`, `reencode`, `wait_until`, `give_up`.
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

/// `{"action": "retry", "after": 5.0}` in seconds, `{"action": "wait_until", "until": 1793836800.0}` in seconds since 1970, else the
/// action alone.
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
    /// With `retry`: how long the other side asked to wait, in seconds.
    after: Option<f64>,
    /// With `wait_until`: the moment, in seconds since 1970.
    until: Option<f64>,
}

/// An action that this version does not know is read as [`Recovery::GiveUp`].
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

/// The one error type of this crate.
///
/// It carries a [`kind`](Error::kind) to branch on, the [`stage`](Error::stage) that failed, the file, moment or address
/// concerned, and what to do next ([`recovery`](Error::recovery)). Its `Display` is one line for a person. Several callers of one piece of work
/// get a clone each.
/// The cause, where there is one, is its [`source`](std::error::Error::source): what a stage of yours gave to [`with_source`](Error::with_source)
/// comes back there and can be downcast.
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
    /// How often the work was tried.
    attempts: u32,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `message` says what happened, without the file's name and without advice.
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

    /// The error of cancelled work.
    pub fn cancelled() -> Self {
        Error::new(ErrorKind::Cancelled, "cancelled")
    }

    /// A file system error on `path`, classed by what the system said.
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

    /// Names the file concerned. The first name given stays.
    #[must_use]
    pub fn with_path(mut self, path: impl AsRef<Path>) -> Self {
        self.0.path.get_or_insert_with(|| path.as_ref().to_owned());
        self
    }

    /// Names the moment in the file concerned.
    #[must_use]
    pub fn with_time(mut self, at: Timestamp) -> Self {
        self.0.at.get_or_insert(at);
        self
    }

    /// Names the address concerned, without its user, password and query, which may hold secrets.
    #[must_use]
    pub fn with_url(mut self, url: &str) -> Self {
        self.0.url.get_or_insert_with(|| redact_url(url));
        self
    }

    /// Names the stage that failed. The first name given, nearest to the fact, stays.
    #[must_use]
    pub fn with_stage(mut self, stage: Stage) -> Self {
        self.0.stage.get_or_insert(stage);
        self
    }

    /// Says what the user can do, as an imperative.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// Says what the program can do.
    #[must_use]
    pub fn with_recovery(mut self, recovery: Recovery) -> Self {
        self.0.recovery = recovery;
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Says how often the work was tried before this was given up.
    #[must_use]
    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// How often the work was tried, from 1.
    pub(crate) fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What went wrong, as a class.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stage that failed, where one did.
    pub fn stage(&self) -> Option<Stage> {
        self.0.stage
    }

    /// What to do next.
    pub fn recovery(&self) -> &Recovery {
        &self.0.recovery
    }

    /// What happened, without the file's name, the moment and the advice, all of which `Display` adds.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the user can do, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// The file concerned.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The moment in the file concerned.
    pub fn at(&self) -> Option<Timestamp> {
        self.0.at
    }

    /// The address concerned, without its secrets.
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Whether the caller cancelled.
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

/// `https://user:key@host/path?token=x` -> `https://host/path`.
fn redact_url(url: &str) -> String {
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
    fn an_error_is_one_line_with_file_moment_and_advice() {
        let error = Error::new(ErrorKind::Decode, "the picture is damaged")
            .with_path("talk.mp4")
            .with_time(Timestamp::from_secs(83.5))
            .with_advice("cut that part out");
        assert_eq!(error.to_string(), "talk.mp4: the picture is damaged at 1:23.500 (cut that part out)");
        assert_eq!(error.recovery(), &Recovery::GiveUp);
    }

    #[test]
    fn the_cause_comes_back_as_what_it_was() {
        let error = Error::io("talk.mp4", "open the file", std::io::Error::other("a cable")).clone();
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>());
        assert_eq!(source.map(ToString::to_string).as_deref(), Some("a cable"));
        assert!(std::error::Error::source(&Error::cancelled()).is_none());
    }

    #[test]
    fn what_to_do_is_said_in_json() {
        let json = |recovery: Recovery| serde_json::to_string(&recovery).unwrap_or_default();
        assert_eq!(json(Recovery::Retry { after: Some(Duration::from_millis(2500)) }), r#"{"action":"retry","after":2.5}"#);
        assert_eq!(json(Recovery::Retry { after: None }), r#"{"action":"retry"}"#);
        assert_eq!(json(Recovery::WaitUntil(SystemTime::UNIX_EPOCH + Duration::from_secs(60))), r#"{"action":"wait_until","until":60.0}"#);
        assert_eq!(json(Recovery::GiveUp), r#"{"action":"give_up"}"#);
    }

    #[test]
    fn an_address_loses_its_secrets() {
        let error = Error::new(ErrorKind::Network, "refused").with_url("https://me:pw@host/a/b?key=secret#x");
        assert_eq!(error.to_string(), "https://host/a/b: refused");
        assert!(!format!("{error:?}").contains("secret"));
    }
}
