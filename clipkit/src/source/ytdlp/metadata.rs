//! The metadata of a video, and whether it can be fetched.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use url::Url;

use super::call::{Call, Stopped, Way};
use super::failure::{Exit, Failure, classify};
use super::info::{self, Found, Info, State};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::address::Allowed;

/// The longest that metadata may take.
const METADATA_LIMIT: Duration = Duration::from_secs(180);

impl Call<'_> {
    /// The metadata: without cookies first, then with them if that may help.
    pub(super) fn metadata(&self) -> Result<(Value, Info, Way)> {
        let way = Way::default();
        match self.metadata_by(way) {
            Err(Stopped::Failed(failure, _)) if failure.wants_login() && self.options.cookies.is_some() => {
                let way = Way { cookies: true, ..way };
                self.metadata_by(way).map(|(json, info)| (json, info, way))
            }
            found => found.map(|(json, info)| (json, info, way)),
        }
        .map_err(|stopped| self.error(stopped))
    }

    pub(super) fn metadata_by(&self, way: Way) -> Result<(Value, Info), Stopped> {
        let json = self.json(&self.url, way)?;
        let unreadable = || Error::new(ErrorKind::InvalidInput, "yt-dlp describes no video").with_advice("update yt-dlp");
        match info::read(&json, &self.url).ok_or_else(unreadable)? {
            Found::Video(info) => self.ready(*info).map(|info| (json, info)),
            Found::List(entries) => {
                let only = <[String; 1]>::try_from(entries).map_err(|entries| {
                    let message = format!("this is a list of {} videos", entries.len());
                    Error::new(ErrorKind::InvalidInput, message).with_advice("give the address of one video")
                })?;
                let [only] = only;
                let url = Url::parse(&only).map_err(|_| unreadable())?;
                Allowed::parse(&self.options.allow_private)?.check_url(&url)?;
                let json = self.json(&url, way)?;
                match info::read(&json, &url).ok_or_else(unreadable)? {
                    Found::Video(info) => self.ready(*info).map(|info| (json, info)),
                    Found::List(_) => Err(unreadable().into()),
                }
            }
        }
    }

    fn json(&self, url: &Url, way: Way) -> Result<Value, Stopped> {
        let mut arguments = vec!["--dump-single-json".into(), "--flat-playlist".into(), "--".into()];
        // The URL has a scheme and no spaces, so it is no option; `--` makes that sure.
        arguments.push(url.as_str().into());
        let (exit, output) = self.run(arguments, way, true, METADATA_LIMIT, |_| {}, || Ok(()))?;
        if exit.code != Some(0) {
            return Err(Stopped::Failed(classify(&exit), exit));
        }
        serde_json::from_slice(&output)
            .map_err(|_| Error::new(ErrorKind::InvalidInput, "yt-dlp writes no JSON").with_advice("update yt-dlp").into())
    }

    /// Refuses a video that cannot be fetched yet.
    fn ready(&self, info: Info) -> Result<Info, Stopped> {
        let exit = Exit { code: Some(0), ..Exit::default() };
        match info.state {
            State::Ready => Ok(info),
            State::Live => Err(Stopped::Failed(Failure::Live, exit)),
            State::Upcoming(begins) => {
                let error = Failure::Upcoming.error(&exit, None);
                let future = begins.filter(|at| *at > SystemTime::now());
                Err(future.map_or(error.clone(), |at| error.with_recovery(Recovery::WaitUntil(at))).into())
            }
        }
    }
}
