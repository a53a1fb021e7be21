//! Plans as files for players and editors: captions, and timelines that name the source.
//!
//! [`captions`] writes the captions of plans, on the timeline of the rendered file: SubRip, WebVTT,
//! plain text and JSON. [`timeline`] writes the cut, as OpenTimelineIO, FCPXML, FCP 7 XML or a CMX
//! 3600 EDL: each piece of the plan is a clip with its in and out points in the source, in whole
//! frames. Both are pure; `stage::export` also reads what is in the source file.
//!
//! # Frames
//!
//! A timeline has the source's exact frame rate (`30000/1001`, not 29.97), so a frame of the
//! timeline is a frame of the source. A join falls on the first frame at or after its time, and a
//! clip starts with the source frame that is on screen then. These are the rules of the renderer:
//! where the plan's output has the source's rate, the timeline shows the frames of the rendered
//! clip. Clips follow each other without gaps, and their durations add up to that of the plan. Its
//! intro and outro are clips of their own files, before and after it.
//!
//! A source with a variable rate has no such rate, and xmeml and EDL do not have every rate. The
//! nearest standard rate takes its place, with a [`WarningKind::Export`] warning; times are then
//! kept to half a frame.
//!
//! A source's first frame has the label of its embedded time code, if the file states one that the
//! rate has, else `00:00:00:00`. Drop frame is that of the source there, and that of the start time
//! code on the timeline.
//!
//! # What each format can say
//!
//! | | OTIO | FCPXML | xmeml | EDL |
//! |---|---|---|---|---|
//! | pieces, in and out points | yes | yes | yes | yes |
//! | time code of the source | yes | yes | yes | yes |
//! | speed | `LinearTimeWarp` | `timeMap` | Time Remap | `M2` |
//! | audio tracks of the source | a track each | channel sources | a track for each channel | the first two channels of the rendered track |
//! | crop | as metadata | transform and trim, keyframes | Basic Motion and Crop, keyframes | no |
//! | captions | markers | captions (iTT) | text generators | no |
//! | hook and scenes | markers | markers | markers | `LOC` comments |
//!
//! The rendered audio track is on; the others are there, and off. Blurred backgrounds, the look of
//! captions, overlays, loudness, and gain and fades of intro and outro are in no timeline: the
//! rendered clip has them.
//!
//! # Sources of the formats
//!
//! - SubRip as VLC and FFmpeg read it; [WebVTT](https://www.w3.org/TR/webvtt1/); JSON in the shape
//!   of Whisper's answers, which transcript readers know.
//! - [OpenTimelineIO](https://opentimelineio.readthedocs.io), file format as of version 0.15.
//! - FCPXML 1.10, after Apple's document type definition.
//! - xmeml version 5, Apple's *Final Cut Pro XML Interchange Format*.
//! - CMX 3600 edit decision lists, with the comments that editors share.

mod captions;
mod cut;
mod edl;
mod fcpxml;
mod framing;
mod otio;
mod rate;
mod reference;
mod source_file;
#[cfg(test)]
mod tests;
mod timecode;
mod xmeml;
mod xml;

pub use captions::captions;
pub use timecode::Timecode;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Media, Warning, WarningKind};

/// A format to write plans in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportFormat {
    /// Captions as SubRip.
    Srt,
    /// Captions as WebVTT.
    Vtt,
    /// Captions and title as Advanced SubStation Alpha, as they are drawn.
    Ass,
    /// What is said as plain text, a sentence a line.
    Txt,
    /// Captions as JSON with the times of words.
    Json,
    /// A timeline as OpenTimelineIO.
    Otio,
    /// A timeline for Final Cut Pro and DaVinci Resolve.
    Fcpxml,
    /// A timeline as FCP 7 XML, for Premiere Pro, DaVinci Resolve and others.
    Xmeml,
    /// A timeline as a CMX 3600 edit decision list.
    Edl,
}

impl ExportFormat {
    /// All formats.
    pub const ALL: [ExportFormat; 9] = [
        ExportFormat::Srt,
        ExportFormat::Vtt,
        ExportFormat::Ass,
        ExportFormat::Txt,
        ExportFormat::Json,
        ExportFormat::Otio,
        ExportFormat::Fcpxml,
        ExportFormat::Xmeml,
        ExportFormat::Edl,
    ];

    /// The format's name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ExportFormat::Srt => "srt",
            ExportFormat::Vtt => "vtt",
            ExportFormat::Ass => "ass",
            ExportFormat::Txt => "txt",
            ExportFormat::Json => "json",
            ExportFormat::Otio => "otio",
            ExportFormat::Fcpxml => "fcpxml",
            ExportFormat::Xmeml => "xmeml",
            ExportFormat::Edl => "edl",
        }
    }

    /// The ending of file names, without a dot: the name, but `xml` for xmeml.
    pub fn extension(self) -> &'static str {
        if self == ExportFormat::Xmeml { "xml" } else { self.name() }
    }

    /// Whether this is a timeline, which names the source; otherwise captions.
    pub fn is_timeline(self) -> bool {
        matches!(self, ExportFormat::Otio | ExportFormat::Fcpxml | ExportFormat::Xmeml | ExportFormat::Edl)
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ExportFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        ExportFormat::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let names: Vec<&str> = ExportFormat::ALL.iter().map(|format| format.name()).collect();
            Error::new(ErrorKind::Config, format!("there is no format {text:?}")).with_advice(format!("use one of {}", names.join(", ")))
        })
    }
}

/// Options of an export. Captions have none.
///
/// ```
/// use clipkit::plan::export::ExportOptions;
///
/// let mut options = ExportOptions::default();
/// options.start = "00:00:00:00".parse()?;
/// # Ok::<(), clipkit::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ExportOptions {
    /// The timeline's name. Default: the plan's title, and of several plans that of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The time code of the timeline's first frame. A semicolon before the frames means drop frame.
    /// Default: `01:00:00:00`.
    pub start: Timecode,
    /// The folder that the timeline's file is written to, for a path to the source that is relative
    /// to it. Default: an absolute path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_to: Option<PathBuf>,
    /// Whether a timeline has the captions. Default: `true`.
    pub captions: bool,
    /// Whether a timeline has markers for hooks and scenes. Default: `true`.
    pub markers: bool,
}

impl Default for ExportOptions {
    fn default() -> Self {
        ExportOptions { name: None, start: Timecode::default(), relative_to: None, captions: true, markers: true }
    }
}

/// A timeline as text, and what the format could not say.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exported {
    /// The file's content.
    pub text: String,
    /// What the format could not say, or says less exactly.
    pub warnings: Vec<Warning>,
}

/// A plan, and the medium that it is made from, for [`timeline`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PlanOfMedia<'a> {
    /// The plan.
    pub plan: &'a ClipPlan,
    /// The source file: its path, frame rate and audio streams.
    pub media: &'a Media,
    /// The file of the plan's intro, if it has one.
    pub intro: Option<&'a Media>,
    /// The file of the plan's outro, if it has one.
    pub outro: Option<&'a Media>,
}

impl<'a> PlanOfMedia<'a> {
    /// A plan with its medium.
    pub const fn new(plan: &'a ClipPlan, media: &'a Media) -> Self {
        PlanOfMedia { plan, media, intro: None, outro: None }
    }

    /// The same with the file of the plan's intro.
    #[must_use]
    pub const fn with_intro(self, intro: &'a Media) -> Self {
        PlanOfMedia { intro: Some(intro), ..self }
    }

    /// The same with the file of the plan's outro.
    #[must_use]
    pub const fn with_outro(self, outro: &'a Media) -> Self {
        PlanOfMedia { outro: Some(outro), ..self }
    }
}

/// The cut of plans as a timeline. Several plans are one timeline, one after the other.
///
/// ```
/// use clipkit::model::{ClipPlan, Media};
/// use clipkit::plan::export::{ExportFormat, ExportOptions, PlanOfMedia, timeline};
///
/// # fn example(plan: &ClipPlan, media: &Media) -> clipkit::Result<()> {
/// let clips = [PlanOfMedia::new(plan, media)];
/// let edl = timeline(&clips, ExportFormat::Edl, &ExportOptions::default())?;
/// assert!(edl.text.starts_with("TITLE: "));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// - [`Config`](ErrorKind::Config): the format is none of a timeline, or the frame rate does not
///   have the start time code.
/// - [`InvalidInput`](ErrorKind::InvalidInput): there is no plan, a medium has no picture, that of
///   an intro or an outro is not given, the sources of several plans have different frame rates or
///   their clips different sizes, or the timeline passes 24 hours.
/// - [`InvalidPlan`](ErrorKind::InvalidPlan): a plan is invalid, or its intro or outro is a whole
///   video of unknown length.
pub fn timeline(clips: &[PlanOfMedia<'_>], format: ExportFormat, options: &ExportOptions) -> Result<Exported> {
    let (cut, mut warnings) = cut::Cut::of(clips, format, options)?;
    let text = match format {
        ExportFormat::Otio => otio::write(&cut)?,
        ExportFormat::Fcpxml => fcpxml::write(&cut, &mut warnings)?,
        ExportFormat::Xmeml => xmeml::write(&cut)?,
        ExportFormat::Edl => edl::write(&cut, &mut warnings),
        format => {
            return Err(Error::new(ErrorKind::Config, format!("{format} is not a timeline")).with_advice("use otio, fcpxml, xmeml or edl"));
        }
    };
    Ok(Exported { text, warnings })
}

/// A warning that a format cannot say something.
fn warning(message: impl Into<String>) -> Warning {
    Warning::new(WarningKind::Export, crate::model::Stage::Plan, message)
}
