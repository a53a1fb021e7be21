//! Exports of plans whose sources are on this machine.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::bumper::{Bumpers, OpenBumper};
use crate::av::{default_audio_track, probe};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Media};
use crate::plan::caption::delayed;
use crate::plan::export::{ExportFormat, ExportOptions, PlanOfMedia, captions, timeline};
use crate::store::write_file;

/// Plans in a format for players or editors, as text. Several plans follow each other: they are
/// one timeline, or one file of captions.
///
/// This is [`plan::export`](crate::plan::export) with what it needs from this machine: for a
/// timeline, the source files, whose packets are read for their exact frame rate, for `ass`, the
/// fonts, and in any case the files of intro and outro, for their lengths. What a format cannot say
/// is a warning of the context.
///
/// # Errors
///
/// Those of [`captions`] and [`timeline`], and:
///
/// - [`InvalidInput`](ErrorKind::InvalidInput): captions are asked for, and no plan has any.
/// - [`Config`](ErrorKind::Config): several plans are asked for in one `ass` file, whose styles
///   suit one picture.
/// - [`NotFound`](ErrorKind::NotFound): the source of a timeline, an intro or an outro is not on
///   this machine.
/// - [`InvalidInput`](ErrorKind::InvalidInput): an intro or an outro cannot be used.
pub async fn export(cx: &Context, plans: &[ClipPlan], format: ExportFormat, options: &ExportOptions) -> Result<String> {
    for plan in plans {
        plan.validate()?;
        plan.check_limits(cx.limits())?;
    }
    let (plans, options) = (plans.to_vec(), options.clone());
    cx.blocking(move |cx| write(cx, &plans, format, &options)).await
}

/// [`export`] to a file, which is replaced atomically. Parent folders must exist.
pub async fn export_file(cx: &Context, plans: &[ClipPlan], format: ExportFormat, options: &ExportOptions, to: &Path) -> Result<()> {
    let text = export(cx, plans, format, options).await?;
    let to = to.to_owned();
    cx.blocking(move |_| write_file(&to, |file| file.write_all(text.as_bytes()))).await
}

fn write(cx: &Context, plans: &[ClipPlan], format: ExportFormat, options: &ExportOptions) -> Result<String> {
    let bumpers = plans.iter().map(|plan| Bumpers::open(cx, plan)).collect::<Result<Vec<_>>>()?;
    bumpers.iter().try_for_each(|bumpers| bumpers.verify(cx))?;
    let plans: Vec<ClipPlan> = plans.iter().zip(&bumpers).map(|(plan, bumpers)| bumpers.measured(plan)).collect();
    if !format.is_timeline() {
        let all: Vec<&ClipPlan> = plans.iter().collect();
        let text = match (format, &all[..]) {
            (ExportFormat::Ass, [plan]) => {
                let start = plan.parts()?.clip_start();
                plan.to_ass().map(|text| delayed(&text, start))
            }
            (ExportFormat::Ass, [_, ..]) => {
                return Err(
                    Error::new(ErrorKind::Config, "one ass file has the captions of one plan").with_advice("write a file for each plan")
                );
            }
            _ => captions(&all, format)?,
        };
        return text.ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "there are no captions to export")
                .with_advice("make the plan with captions, from a transcript")
        });
    }
    let media = plans.iter().map(|plan| source(cx, plan)).collect::<Result<Vec<_>>>()?;
    let bumpers = bumpers.into_iter().map(|bumpers| Ok([named(bumpers.intro)?, named(bumpers.outro)?])).collect::<Result<Vec<_>>>()?;
    let clips = plans.iter().zip(&media).zip(&bumpers).map(|((plan, media), [intro, outro])| {
        let (intro, outro) = (intro.as_ref(), outro.as_ref());
        PlanOfMedia { intro, outro, ..PlanOfMedia::new(plan, media) }
    });
    let clips: Vec<PlanOfMedia<'_>> = clips.collect();
    let mut options = options.clone();
    options.relative_to = options.relative_to.as_deref().map(absolute).transpose()?;
    let exported = timeline(&clips, format, &options)?;
    for warning in exported.warnings {
        cx.warn_of(warning.kind, warning.message);
    }
    Ok(exported.text)
}

/// The source of a plan on this machine, with an absolute path.
fn source(cx: &Context, plan: &ClipPlan) -> Result<Media> {
    cx.check()?;
    let path = cx.locate(&plan.source.media)?;
    let mut media = probe(cx, &path, plan.source.media.id.clone())?;
    media.audio_track = plan.source.audio_track;
    if media.audio_track.is_none() && media.audio.len() > 1 {
        media.audio_track = default_audio_track(cx, &media)?;
    }
    media.path = absolute(&path)?;
    Ok(media)
}

/// The medium of a bumper, with an absolute path.
fn named(bumper: Option<OpenBumper>) -> Result<Option<Media>> {
    let Some(OpenBumper { mut media, .. }) = bumper else { return Ok(None) };
    media.path = absolute(&media.path)?;
    Ok(Some(media))
}

/// The path from the root. An empty one is the working folder.
fn absolute(path: &Path) -> Result<PathBuf> {
    let given = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    std::path::absolute(given).map_err(|error| Error::io(path, "find the folder", error))
}
