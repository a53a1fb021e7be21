//! The files of intro and outro. They are as hostile as any other input.

use std::path::{Path, PathBuf};

use image::RgbaImage;

use super::{OpenBumper, medium_of_image};
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Bumper, ContentId, Media, MediaRef, Output, Timestamp, WarningKind, local_path};
use crate::plan::bumper::as_clip;
use crate::render::overlay::image_file;
use crate::store::verify_content;

/// A span may pass the end of its file by so many seconds: the durations that containers state are
/// rounded, and sound often ends a moment before the picture.
const ROUNDING_SECS: f64 = 0.1;
/// The precision of measured lengths, in microseconds.
const TICK_MICROS: i64 = 100;
/// The endings of the names of FFmpeg's readers of single images, and one that has none.
const IMAGE_CONTAINERS: (&str, &str) = ("_pipe", "image2");

/// Finds and checks the file of a bumper. `name` is the bumper's name in the plan.
pub(super) fn open(cx: &Context, name: &'static str, bumper: &Bumper, output: &Output) -> Result<OpenBumper> {
    cx.check()?;
    let path = located(cx, name, bumper)?;
    let id = bumper.id.clone().unwrap_or_else(|| ContentId::new("none", ""));
    let found = || {
        if let Some(duration) = bumper.duration {
            let size = image_file::displayed_size(cx, &text(&path)?)?;
            return Ok(medium_of_image(path.clone(), id.clone(), size, duration, output));
        }
        let media = av::probe_header(cx, &path, id.clone())?;
        media.require_video()?;
        if media.container.ends_with(IMAGE_CONTAINERS.0) || media.container == IMAGE_CONTAINERS.1 {
            return refuse("this is an image, and how long it is shown is not said", format!("give {name}.duration in seconds"));
        }
        let Some(span) = bumper.span else {
            check_length(name, media.duration)?;
            return av::probe(cx, &path, id.clone());
        };
        // A container can state no duration.
        if media.duration > Timestamp::ZERO && span.end().secs() > media.duration.secs() + ROUNDING_SECS {
            let what = format!("its span, {span}, passes the end of the file, which lasts {}", media.duration);
            return refuse(what, format!("give {name}.span inside the file"));
        }
        Ok(media)
    };
    let named = |error| about(name, &path, error);
    let mut media = found().map_err(named)?;
    if media.audio.len() > 1 {
        media.audio_track = av::default_audio_track(cx, &media).map_err(named)?;
    }
    let mut bumper = bumper.clone();
    bumper.length = None;
    if bumper.playing_time().is_none() {
        bumper.length = Some(length(&media));
        check_length(name, length(&media)).map_err(named)?;
        bumper.check(name).map_err(named)?;
    }
    let plan = as_clip(name, &bumper, &media, output).map_err(named)?;
    Ok(OpenBumper { name, bumper, plan, media })
}

/// Warns if the file is not the one that the plan was made with.
pub(super) fn verify(cx: &Context, open: &OpenBumper) -> Result<()> {
    let (name, path) = (open.name, &open.media.path);
    if let Some(id) = &open.bumper.id
        && !verify_content(cx, path, id, None).map_err(|error| about(name, path, error))?
    {
        cx.warn_of(WarningKind::SourceChanged, format!("the {name}: {} is not the file that the plan was made with", open.bumper.file));
    }
    Ok(())
}

/// Reads an image.
pub(super) fn image(cx: &Context, name: &str, path: &Path) -> Result<RgbaImage> {
    text(path).and_then(|file| image_file::picture(cx, &file)).map_err(|error| about(name, path, error))
}

/// The bumper's file on this machine, which is a file.
fn located(cx: &Context, name: &str, bumper: &Bumper) -> Result<PathBuf> {
    let path = match &bumper.id {
        Some(id) => cx.locate(&MediaRef::new(bumper.file.as_str(), id.clone())),
        None => Ok(local_path(&bumper.file).to_owned()),
    };
    let path = path.map_err(|error| about(name, Path::new(&bumper.file), error))?;
    let metadata = std::fs::metadata(&path).map_err(|error| about(name, &path, Error::io(&path, "read the file", error)))?;
    // Opening a pipe would wait for its writer.
    if !metadata.is_file() {
        return Err(about(name, &path, Error::new(ErrorKind::InvalidInput, "this is not a file")));
    }
    Ok(path)
}

/// How long a whole file plays: as long as its picture, or its sound if that is longer by more than
/// the end of its last packet. Rounded to [`TICK_MICROS`], since the end of the last frame is a sum
/// of times that were rounded down, and half a frame decides how many frames there are.
fn length(media: &Media) -> Timestamp {
    let picture = media.video.as_ref().and_then(|video| video.end).unwrap_or(media.duration);
    let length = if media.duration.since(picture).secs() > ROUNDING_SECS { media.duration } else { picture };
    Timestamp::from_micros((length.micros() + TICK_MICROS / 2) / TICK_MICROS * TICK_MICROS)
}

fn check_length(name: &str, length: Timestamp) -> Result<()> {
    if length.secs() > Bumper::MAX_SECS {
        let most = Timestamp::from_secs(Bumper::MAX_SECS);
        return refuse(format!("the file lasts {length}; an {name} lasts at most {most}"), format!("give {name}.span"));
    }
    Ok(())
}

fn refuse<T>(what: impl Into<String>, advice: String) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidInput, what).with_advice(advice))
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path is not Unicode"))
}

/// The error with the bumper that it is about.
fn about(name: &str, path: &Path, error: Error) -> Error {
    if error.is_cancelled() {
        return error;
    }
    // An image that cannot be decoded is an invalid file here: the clip is not made without it.
    let kind = if error.kind() == ErrorKind::Overlay { ErrorKind::InvalidInput } else { error.kind() };
    let message = if kind == ErrorKind::NotFound { "its file does not exist" } else { error.message() };
    let usual = format!("give a video or an image that is on this machine, or remove the {name} (edit: {name})");
    let advice = error.advice().filter(|_| kind != ErrorKind::NotFound).map_or(usual, str::to_owned);
    let path = error.path().unwrap_or(path);
    Error::new(kind, format!("the {name}: {message}")).with_path(path).with_advice(advice)
}
