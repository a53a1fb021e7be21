//! The order of calls of yt-dlp: metadata, captions, media.

use std::ffi::OsString;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use url::Url;

use super::captions::{self, Track};
use super::failure::{Exit, Failure, classify};
use super::info::{self, Found, Info, State};
use super::process::{self, Invocation};
use super::{YtDlp, program};
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::address::{self, Allowed};
use crate::model::{About, ContentId, Limit, Media, Span, Timestamp, WarningKind};
use crate::source::Announcement;
use crate::source::arrival::{about_address, arrived, extension_of, or_cancelled, take_partial};
use crate::store::{Lease, Partial};

/// The longest that metadata may take.
const METADATA_LIMIT: Duration = Duration::from_secs(180);
/// The longest that captions may take. They are worth less than a wait.
const CAPTIONS_LIMIT: Duration = Duration::from_secs(60);
/// A download that neither writes nor says anything for so long is stopped.
const IDLE_LIMIT: Duration = Duration::from_secs(300);
/// How often the size of a download is looked at.
const SIZE_POLL: Duration = Duration::from_millis(500);
/// No video is longer, in seconds.
const LONGEST_VIDEO: f64 = 1e7;
/// The longest URL.
const LONGEST_URL: usize = 4000;
/// The start of a line about progress.
const PROGRESS: &str = "[clipkit]";
/// The name of the small file with [`About`] beside the media.
const ABOUT: &str = "about.json";

/// What is fetched, and how.
struct Call<'a> {
    options: &'a YtDlp,
    program: PathBuf,
    url: Url,
    section: Option<Span>,
    cx: &'a Context,
}

/// Who asks the platform: with cookies or without, and whether the media go through the proxy, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Way {
    cookies: bool,
    all_through_proxy: bool,
}

/// Why a call brought nothing.
enum Stopped {
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

pub(super) async fn fetch(cx: &Context, options: &YtDlp, uri: &str) -> Result<Media> {
    let (url, section) = address(uri, options.section)?;
    let allowed = Allowed::parse(&options.allow_private)?;
    allowed.check_url(&url)?;
    or_cancelled(cx, resolved(cx, options, &url, allowed)).await?;
    let (options, uri) = (options.clone(), uri.to_owned());
    let task = cx.clone();
    let prepared = cx
        .blocking(move |cx| {
            let program = program::find(options.program.as_deref(), cx.environment())?;
            let call = Call { options: &options, program, url, section, cx };
            let (json, info, way) = call.metadata().map_err(|error| error.with_url(&uri))?;
            if let Some(media) = call.stored(&info)? {
                return Ok(Err(media));
            }
            Ok(Ok((options.clone(), call.program.clone(), call.url.clone(), json, info, way)))
        })
        .await?;
    let (options, program, url, json, info, way) = match prepared {
        Ok(prepared) => prepared,
        Err(media) => return Ok(*media),
    };
    let partial = take_partial(&task, &format!("ytdlp {}", key(&info, &url, section, options.height))).await?;
    cx.blocking(move |cx| {
        let call = Call { options: &options, program, url, section, cx };
        // Another process may have fetched it meanwhile.
        if let Some(media) = call.stored(&info)? {
            return Ok(*media);
        }
        call.media(&partial, json, info, way).map_err(|error| error.with_url(call.url.as_str()))
    })
    .await
}

/// The URL without its fragment, and the section, which the fragment may name: `#t=600,2400`.
fn address(uri: &str, section: Option<Span>) -> Result<(Url, Option<Span>)> {
    let refused = |what: &str| Error::new(ErrorKind::InvalidInput, what.to_owned()).with_url(uri);
    if uri.len() > LONGEST_URL || uri.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return Err(refused("this is not an address"));
    }
    let mut url = Url::parse(uri).map_err(|error| refused(&format!("this is not an address: {error}")))?;
    let named = url.fragment().and_then(|fragment| {
        let (start, end) = fragment.strip_prefix("t=")?.split_once(',')?;
        let (start, end) = (start.parse::<f64>().ok()?, end.parse::<f64>().ok()?);
        (0.0 <= start && start < end && end < LONGEST_VIDEO).then(|| Span::secs(start, end).ok())?
    });
    if named.is_some() {
        url.set_fragment(None);
    }
    Ok((url, named.or(section)))
}

/// Reads an address.
#[cfg(any(test, fuzzing))]
pub(in crate::source) fn sort(uri: &str) {
    let _ = address(uri, None);
}

/// Refuses a name that leads to a private address. yt-dlp resolves it again; see [`YtDlp`].
async fn resolved(cx: &Context, options: &YtDlp, url: &Url, allowed: Allowed) -> Result<()> {
    let environment = cx.environment();
    let is_proxied = options.proxy_metadata.is_some() || environment.https_proxy.is_some() || environment.http_proxy.is_some();
    if is_proxied {
        return Ok(());
    }
    let (Some(host), Some(port)) = (url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned()), url.port_or_known_default())
    else {
        return Ok(());
    };
    let url = url.clone();
    cx.blocking(move |_| {
        // A name that cannot be resolved is yt-dlp's error.
        let mut addresses = (host.as_str(), port).to_socket_addrs().into_iter().flatten();
        if addresses.any(|address| !allowed.permits(address.ip())) { Err(address::refused(&url)) } else { Ok(()) }
    })
    .await
}

/// The key of a download in the media store.
fn key(info: &Info, url: &Url, section: Option<Span>, height: u32) -> String {
    let what = info.identity.as_ref().map_or_else(|| url.as_str().to_owned(), |id| id.as_str().to_owned());
    format!("{what} {} {height}", fragment(section))
}

/// A section as a media fragment.
fn fragment(section: Option<Span>) -> String {
    section.map_or(String::new(), |section| format!("t={},{}", section.start().secs(), section.end().secs()))
}

impl Call<'_> {
    /// The metadata: without cookies first, then with them if that may help.
    fn metadata(&self) -> Result<(Value, Info, Way)> {
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

    fn metadata_by(&self, way: Way) -> Result<(Value, Info), Stopped> {
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

    /// The media, if the store has it.
    fn stored(&self, info: &Info) -> Result<Option<Box<Media>>> {
        let store = self.cx.media_store()?;
        let key = key(info, &self.url, self.section, self.options.height);
        // A page on no platform may have changed.
        let Some(id) = info.identity.as_ref().map(|_| store.lookup(&key)).transpose()?.flatten() else { return Ok(None) };
        let Some(lease) = store.find(&id)? else { return Ok(None) };
        let about = store.attached(&lease, ABOUT).and_then(|text| serde_json::from_slice::<About>(&text).ok());
        let media = av::probe(self.cx, &self.cx.keep(lease), id)?;
        Ok(Some(Box::new(self.described(media, info, about.unwrap_or_else(|| self.about(info))))))
    }

    /// Fetches captions and media, and puts both into the store.
    fn media(&self, partial: &Partial, mut json: Value, mut info: Info, mut way: Way) -> Result<Media> {
        let mut track = captions::choose(&json);
        let mut text = track.as_ref().and_then(|track| self.captions(&json, track, way));
        self.announce(&json, &info, track.as_ref().zip(text.as_deref()))?;
        loop {
            match self.download(partial, &json, way) {
                Ok(()) => break,
                Err(Stopped::Failed(Failure::Forbidden, _)) if self.options.proxy_metadata.is_some() && !way.all_through_proxy => {
                    self.cx.warn_of(
                        WarningKind::Other,
                        "the platform ties the media to the address that asked for them; all of it goes through the proxy",
                    );
                    way.all_through_proxy = true;
                }
                Err(Stopped::Failed(failure, _)) if failure.wants_login() && self.options.cookies.is_some() && !way.cookies => {
                    way.cookies = true;
                }
                Err(stopped) => return Err(self.error(stopped)),
            }
            // Links of one way do not hold for another.
            (json, info) = self.metadata_by(way).map_err(|stopped| self.error(stopped))?;
            if text.is_none() {
                track = captions::choose(&json);
                text = track.as_ref().and_then(|track| self.captions(&json, track, way));
            }
        }
        let file = result(partial).map_err(|error| match self.section {
            Some(_) => error.with_advice("the server may not send parts of a file: leave out the section"),
            None => error,
        })?;
        let extension = extension_of(&file.to_string_lossy());
        let (media, lease) = match arrived(self.cx, partial, &file, &extension) {
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::TooLarge) => {
                partial.clear()?;
                return Err(about_address(&error, self.url.as_str()));
            }
            arrived => arrived?,
        };
        let about = self.about(&info);
        self.attach(&lease, &about, track.as_ref().zip(text))?;
        let store = self.cx.media_store()?;
        store.bind(&key(&info, &self.url, self.section, self.options.height), lease.id())?;
        let media = self.described(media, &info, about);
        store.bind(media.id.as_str(), lease.id())?;
        self.cx.keep(lease);
        Ok(media)
    }

    /// Tells the run what is known before the media are here. The identity is the key of what it
    /// finds out, so there must be one.
    fn announce(&self, json: &Value, info: &Info, captions: Option<(&Track, &str)>) -> Result<()> {
        let whole = json.get("duration").and_then(Value::as_f64).filter(|secs| (0.0..LONGEST_VIDEO).contains(secs));
        let duration = match self.section {
            Some(section) => {
                whole.and_then(|secs| section.intersection(Span::secs(0.0, secs).ok()?)).map(|part| part.duration().as_secs_f64())
            }
            None => whole,
        };
        let (Some((track, text)), Some(duration), Some(id)) = (captions, duration, &info.identity) else { return Ok(()) };
        let ending = format!("{}.{}", track.language.to_ascii_lowercase(), track.format);
        Announcement::tell(self.cx, (&ending, text), |path| {
            let mut media = Media::new(path, id.clone());
            media.duration = Timestamp::from_secs(duration);
            self.described(media, info, self.about(info))
        })
    }

    /// Writes captions and description beside the media.
    fn attach(&self, lease: &Lease, about: &About, captions: Option<(&Track, String)>) -> Result<()> {
        let store = self.cx.media_store()?;
        if let Some((track, text)) = captions {
            store.attach(lease, &format!("{}.{}", track.language.to_ascii_lowercase(), track.format), text.as_bytes())?;
        }
        let text =
            serde_json::to_vec(about).map_err(|error| Error::new(ErrorKind::Io, format!("the description cannot be written: {error}")))?;
        store.attach(lease, ABOUT, &text)?;
        Ok(())
    }

    fn about(&self, info: &Info) -> About {
        match self.section {
            Some(section) => info.about.clone().cut(section),
            None => info.about.clone(),
        }
    }

    /// The media with the platform's identity and description. The file's own tags fill gaps.
    fn described(&self, mut media: Media, info: &Info, about: About) -> Media {
        let section = fragment(self.section);
        media.uri = if section.is_empty() { info.url.clone() } else { format!("{}#{section}", info.url) };
        if let Some(id) = &info.identity {
            media.id = if section.is_empty() { id.clone() } else { ContentId::new(id.as_str(), &section) };
        }
        media.stamp = None;
        let own = std::mem::replace(&mut media.about, about);
        media.about.title = media.about.title.or(own.title);
        media.about.uploader = media.about.uploader.or(own.uploader);
        media.about.language = media.about.language.or(own.language);
        if media.about.chapters.is_empty() {
            media.about.chapters = own.chapters;
        }
        media
    }

    /// The text of the captions, cut to the section. A failure is a warning: there are other ways
    /// to a transcript.
    fn captions(&self, json: &Value, track: &Track, way: Way) -> Option<String> {
        let lost = |why: String| {
            let message = format!("the platform's captions ({}) could not be fetched: {why}; there are none of the platform", track.key);
            self.cx.warn_of(WarningKind::InputLost, message);
            None
        };
        match self.captions_by(json, track, way) {
            Ok(text) => match self.section {
                None => Some(text),
                Some(section) => captions::cut(&text, track.format, section)
                    .or_else(|| lost(format!("captions in the format {} cannot be cut to a section", track.format))),
            },
            Err(Stopped::Error(error)) if error.is_cancelled() => None,
            Err(stopped) => lost(self.error(stopped).to_string()),
        }
    }

    fn captions_by(&self, json: &Value, track: &Track, way: Way) -> Result<String, Stopped> {
        let folder = self.scratch()?;
        let info = written(folder.path(), json)?;
        let option = |name: &str, value: &str| OsString::from(format!("--{name}={value}"));
        let mut arguments = vec![
            OsString::from("--skip-download"),
            OsString::from(if track.automatic { "--write-auto-subs" } else { "--write-subs" }),
            option("sub-langs", &track.key),
            option("sub-format", track.format),
        ];
        arguments.push(joined("--load-info-json=", &info));
        arguments.push(joined("--output=", &folder.path().join("captions.%(ext)s")));
        let (exit, _) = self.run(arguments, way, false, CAPTIONS_LIMIT, |_| {}, || Ok(()))?;
        if exit.code != Some(0) {
            return Err(Stopped::Failed(classify(&exit), exit));
        }
        let missing = || Error::new(ErrorKind::NotFound, "yt-dlp wrote no captions");
        let ending = format!(".{}", track.format);
        let entries = std::fs::read_dir(folder.path()).map_err(|error| Error::io(folder.path(), "read the folder", error))?;
        let is_captions = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with("captions.") && name.ends_with(&ending)
        };
        let file = entries.flatten().map(|entry| entry.path()).find(is_captions).ok_or_else(missing)?;
        let bytes = self.cx.read_within(&file, "read the captions", self.cx.limits().transcript_bytes, Limit::TranscriptBytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn download(&self, partial: &Partial, json: &Value, way: Way) -> Result<(), Stopped> {
        let folder = self.scratch()?;
        let info = written(folder.path(), json)?;
        let environment = self.cx.environment();
        let merges = program::in_path("ffmpeg", environment).is_some();
        let option = |name: &str, value: &str| OsString::from(format!("--{name}={value}"));
        let mut arguments = vec![
            // Picture and sound apart are better; together need no ffmpeg.
            option("format", if merges { "bv*+ba/b" } else { "b/bv*+ba" }),
            option("format-sort", &format!("res:{},vcodec:h264,acodec:aac,ext:mp4:m4a", self.options.height)),
            option("merge-output-format", "mp4/mkv"),
            OsString::from("--continue"),
            OsString::from("--no-mtime"),
            OsString::from("--restrict-filenames"),
            option("trim-filenames", "80"),
            OsString::from("--newline"),
            OsString::from("--progress"),
            option(
                "progress-template",
                &format!("download:{PROGRESS} %(progress.downloaded_bytes)s %(progress.total_bytes)s %(progress.total_bytes_estimate)s"),
            ),
        ];
        if let Some(section) = self.section {
            arguments.push(option("download-sections", &format!("*{}-{}", section.start().secs(), section.end().secs())));
        }
        arguments.push(joined("--load-info-json=", &info));
        // The format is part of the name, so that no other is continued with it.
        arguments.push(joined("--output=", &partial.folder().join("%(format_id).40s.%(ext)s")));
        let mut progress = Progress::default();
        let heard = std::cell::Cell::new(Instant::now());
        let line = |line: &str| {
            heard.set(Instant::now());
            if let Some(fraction) = progress.read(line) {
                self.cx.progress(fraction * 0.95);
            }
        };
        let mut size = (Instant::now(), 0);
        let watch = || {
            if size.0.elapsed() < SIZE_POLL {
                return Ok(());
            }
            let bytes = partial.bytes()?;
            if bytes > size.1 {
                heard.set(Instant::now());
            }
            size = (Instant::now(), bytes);
            self.check_size(partial, bytes, heard.get())
        };
        let (exit, _) = self.run(arguments, way, false, self.options.timeout, line, watch)?;
        match exit.code {
            Some(0) => Ok(()),
            _ => Err(Stopped::Failed(classify(&exit), exit)),
        }
    }

    fn check_size(&self, partial: &Partial, bytes: u64, heard: Instant) -> Result<()> {
        if let Err(error) = self.cx.limits().check(Limit::DownloadBytes, bytes) {
            partial.clear()?;
            return Err(error);
        }
        if heard.elapsed() > IDLE_LIMIT {
            return Err(Error::new(ErrorKind::TimedOut, format!("nothing arrived for {} s", IDLE_LIMIT.as_secs()))
                .with_recovery(Recovery::Retry { after: None }));
        }
        partial.make_room(0)
    }

    fn run(
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
    fn scratch(&self) -> Result<tempfile::TempDir> {
        let parent = self.cx.scratch()?;
        tempfile::tempdir_in(parent).map_err(|error| Error::io(parent, "make a temporary folder here", error))
    }

    fn error(&self, stopped: Stopped) -> Error {
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
fn joined(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}

/// Writes the metadata for a later call. They hold links that are bound to this machine.
fn written(folder: &Path, json: &Value) -> Result<PathBuf> {
    let path = folder.join("info.json");
    let unwritable = |error| Error::io(&path, "write the metadata", error);
    let text = serde_json::to_vec(json).map_err(|error| unwritable(error.into()))?;
    std::fs::write(&path, text).map_err(unwritable)?;
    Ok(path)
}

/// The file that yt-dlp made: the largest that is not incomplete. A merged file is larger than its
/// parts.
fn result(partial: &Partial) -> Result<PathBuf> {
    let entries = std::fs::read_dir(partial.folder()).map_err(|error| Error::io(partial.folder(), "read the folder", error))?;
    let files = entries.flatten().filter_map(|entry| {
        // Links are not followed.
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_incomplete = name.contains(".part") || name.contains(".temp.") || [".ytdl", ".json"].iter().any(|end| name.ends_with(end));
        (!is_incomplete && metadata.len() > 0).then(|| (metadata.len(), entry.path()))
    });
    let largest = files.max().map(|(_, path)| path);
    largest.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "yt-dlp made no file").with_advice("update yt-dlp"))
}

/// The progress of a download that may consist of several files, one after the other.
#[derive(Default)]
struct Progress {
    /// The number of files that are complete.
    files: i32,
    /// The bytes of the current file.
    bytes: f64,
}

impl Progress {
    /// Reads `[clipkit] 1000 2000 NA`. The first file counts 90 %, each other 90 % of the rest.
    fn read(&mut self, line: &str) -> Option<f64> {
        let numbers: Vec<Option<f64>> = line.strip_prefix(PROGRESS)?.split_whitespace().map(|text| text.parse().ok()).collect();
        let bytes = numbers.first().copied().flatten()?;
        let total = numbers.get(1).copied().flatten().or(numbers.get(2).copied().flatten()).filter(|total| *total > 0.0)?;
        if bytes < self.bytes {
            self.files += 1;
        }
        self.bytes = bytes;
        let left = 0.1_f64.powi(self.files.clamp(0, 9));
        Some((1.0 - left + left * 0.9 * (bytes / total).clamp(0.0, 1.0)).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_names_the_section() {
        let option = Span::secs(1.0, 2.0).unwrap();
        let (url, section) = address("https://host/v?x=1#t=600,2400.5", Some(option)).unwrap();
        assert_eq!((url.as_str(), section), ("https://host/v?x=1", Span::secs(600.0, 2400.5).ok()));
        assert_eq!(fragment(section), "t=600,2400.5");
        for other in ["https://host/v#t=600", "https://host/v#t=9,1", "https://host/v#t=nan,inf", "https://host/v#x"] {
            let (url, section) = address(other, Some(option)).unwrap();
            assert_eq!((url.as_str(), section), (other, Some(option)), "{other}");
        }
        for invalid in ["talk.mp4", "--exec=x", "https://host/a b", "https://host/\n--exec", &format!("https://h/{}", "x".repeat(5000))] {
            assert_eq!(address(invalid, None).unwrap_err().kind(), ErrorKind::InvalidInput, "{invalid}");
        }
    }

    #[test]
    fn progress_counts_several_files_and_never_goes_back() {
        let mut progress = Progress::default();
        let lines =
            ["[clipkit] 0 100 NA", "[clipkit] 100 100 NA", "[download] x", "[clipkit] 1 NA 20", "[clipkit] 20 NA 20", "[clipkit] NA NA NA"];
        let shown: Vec<f64> = lines.iter().filter_map(|line| progress.read(line)).collect();
        assert!(shown.is_sorted() && shown.len() == 4 && shown[1] == 0.9 && shown[3] < 1.0, "{shown:?}");
    }
}
