//! One call of yt-dlp, and what it may fail with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use url::Url;

use super::failure::{Exit, Failure};
use super::process::{self, Invocation};
use super::{YtDlp, program};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Span;

/// What is fetched, and how.
pub(super) struct Call<'a> {
    pub(super) options: &'a YtDlp,
    pub(super) program: PathBuf,
    pub(super) url: Url,
    pub(super) section: Option<Span>,
    pub(super) cx: &'a Context,
}

/// Who asks the platform: with cookies or without, and whether the media go through the proxy, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) cookies: bool,
    pub(super) all_through_proxy: bool,
}

/// Why a call brought nothing.
pub(super) enum Stopped {
    /// yt-dlp failed.
    Failed(Failure, Exit),
    /// Anything else, such as a cancellation.
    Error(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Stopped::Error(error)
    }
}

impl Call<'_> {
    pub(super) fn run(
        &self,
        specific: Vec<OsString>,
        way: Way,
        is_metadata: bool,
        limit: Duration,
        line: impl FnMut(&str),
        watch: impl FnMut() -> Result<()>,
    ) -> Result<(Exit, Vec<u8>), Stopped> {
        let is_media = specific.iter().any(|argument| argument == "--continue");
        let proxy = self.options.proxy_metadata.as_deref().filter(|_| !is_media || way.all_through_proxy);
        let mut arguments = program::arguments(self.cx.environment());
        // A copy, since yt-dlp writes cookies back.
        let jar = match self.options.cookies.as_deref().filter(|_| way.cookies) {
            Some(cookies) => Some(self.jar(cookies)?),
            None => None,
        };
        if let Some((_, jar)) = &jar {
            arguments.push(joined("--cookies=", jar));
        }
        arguments.extend(specific);
        let environment = program::environment(self.cx.environment(), proxy);
        let invocation = Invocation { program: &self.program, arguments, environment, limit, keep_output: is_metadata };
        Ok(process::run(self.cx, invocation, line, watch)?)
    }

    fn jar(&self, cookies: &Path) -> Result<(tempfile::TempDir, PathBuf)> {
        // The path of the file is not shown.
        let unreadable = |error: std::io::Error| {
            Error::new(ErrorKind::Config, format!("the file with cookies cannot be read: {error}")).with_advice("check the option cookies")
        };
        let bytes = std::fs::read(cookies).map_err(unreadable)?;
        let folder = self.scratch()?;
        let jar = folder.path().join("cookies.txt");
        std::fs::write(&jar, bytes).map_err(unreadable)?;
        Ok((folder, jar))
    }

    /// A folder that only this user can read. It is removed when it is dropped.
    pub(super) fn scratch(&self) -> Result<tempfile::TempDir> {
        let parent = self.cx.scratch()?;
        tempfile::tempdir_in(parent).map_err(|error| Error::io(parent, "make a temporary folder here", error))
    }

    pub(super) fn error(&self, stopped: Stopped) -> Error {
        match stopped {
            Stopped::Error(error) => error,
            Stopped::Failed(failure, mut exit) => {
                // yt-dlp repeats parts of the address, such as its last part with the query.
                if let Some(query) = self.url.query().filter(|query| !query.is_empty()) {
                    exit.stderr = exit.stderr.replace(&format!("?{query}"), "").replace(query, "...");
                }
                let version = if failure.depends_on_version() { program::version(self.cx, &self.program) } else { None };
                let version = version.map(|version| match program::age_in_days(&version, SystemTime::now()) {
                    Some(days) => format!("{version}, {days} days old"),
                    None => version,
                });
                failure.error(&exit, version.as_deref())
            }
        }
    }
}

/// An option with a path as its value, in one argument.
pub(super) fn joined(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}

/// Writes the metadata for a later call. They hold links that are bound to this machine.
pub(super) fn written(folder: &Path, json: &Value) -> Result<PathBuf> {
    let path = folder.join("info.json");
    let unwritable = |error| Error::io(&path, "write the metadata", error);
    let text = serde_json::to_vec(json).map_err(|error| unwritable(error.into()))?;
    std::fs::write(&path, text).map_err(unwritable)?;
    Ok(path)
}
