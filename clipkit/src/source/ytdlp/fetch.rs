//! The order of calls of yt-dlp: metadata, captions, media.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::address::{self, LONGEST_VIDEO, fragment};
use super::call::{Call, Stopped, Way, joined, written};
use super::captions::{self, Track};
use super::download;
use super::failure::{Failure, classify};
use super::info::Info;
use super::{YtDlp, program};
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::http::address::Allowed;
use crate::model::{About, ContentId, Limit, Media, Span, Timestamp, WarningKind};
use crate::source::Announcement;
use crate::source::arrival::{about_address, arrived, extension_of, or_cancelled, take_partial};
use crate::store::{Lease, Partial};

/// The longest that captions may take. They are worth less than a wait.
const CAPTIONS_LIMIT: Duration = Duration::from_secs(60);
/// The name of the small file with [`About`] beside the media.
const ABOUT: &str = "about.json";

pub(super) async fn fetch(cx: &Context, options: &YtDlp, uri: &str) -> Result<Media> {
    let (url, section) = address::parse(uri, options.section)?;
    let allowed = Allowed::parse(&options.allow_private)?;
    allowed.check_url(&url)?;
    or_cancelled(cx, address::check_host(cx, options, &url, allowed)).await?;
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

/// The key of a download in the media store.
fn key(info: &Info, url: &Url, section: Option<Span>, height: u32) -> String {
    let what = info.identity.as_ref().map_or_else(|| url.as_str().to_owned(), |id| id.as_str().to_owned());
    format!("{what} {} {height}", fragment(section))
}

impl Call<'_> {
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
        let file = download::result(partial).map_err(|error| match self.section {
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
}
