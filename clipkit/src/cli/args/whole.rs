//! `clipkit caption`, `reframe` and `tighten`: whole videos.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clipkit::model::{Aspect, LayoutChoice};
use clipkit::plan::edit::TightenLevel;

use super::groups::{Audio, Budget, CacheArgs, Encoding, Fallbacks, Reporting, SourceArgs, TrackerArgs, TranscriberArgs};
use super::values::{Captions, caption_style};

/// What each of these commands takes.
#[derive(Debug, Args)]
pub(crate) struct WholeArgs {
    /// The video: a file, a URL of a media file, an s3://, gs:// or az:// address, or a page that
    /// yt-dlp knows
    #[arg(value_name = "VIDEO")]
    pub(crate) input: PathBuf,
    /// The file to write: FILE.mp4 [default: the video's name with a suffix, in this folder].
    /// FILE.plan.json writes the plan, for `clipkit edit` and `clipkit render`. Caption files:
    /// FILE.srt, FILE.vtt, FILE.ass, FILE.txt
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) audio: Audio,
    #[command(flatten)]
    pub(crate) encoding: Encoding,
    #[command(flatten)]
    pub(crate) fallbacks: Fallbacks,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

#[derive(Debug, Args)]
pub(crate) struct CaptionArgs {
    #[command(flatten)]
    pub(crate) whole: WholeArgs,
    /// The caption style: karaoke, pop, box, block, or a JSON file with a custom style (see
    /// `clipkit styles`)
    #[arg(long, value_name = "STYLE", default_value = "karaoke", value_parser = caption_style)]
    pub(crate) captions: Captions,
    #[command(flatten)]
    pub(crate) transcriber: TranscriberArgs,
    #[command(flatten)]
    pub(crate) budget: Budget,
}

#[derive(Debug, Args)]
pub(crate) struct ReframeArgs {
    #[command(flatten)]
    pub(crate) whole: WholeArgs,
    /// The aspect ratio: 9:16, 1:1, 4:5 or 16:9
    #[arg(long, default_value_t = Aspect::Vertical)]
    pub(crate) aspect: Aspect,
    /// The layout: fill, split, fit, pip, or auto, which chooses per shot
    #[arg(long, value_name = "LAYOUT", default_value_t = LayoutChoice::Auto)]
    pub(crate) layout: LayoutChoice,
    #[command(flatten)]
    pub(crate) tracker: TrackerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TightenArgs {
    #[command(flatten)]
    pub(crate) whole: WholeArgs,
    /// How much is cut. gentle: pauses are shortened to 0.7 s. normal: to 0.4 s, and fillers and
    /// repeated words are cut. tight: to 0.2 s, and these
    #[arg(long, value_enum, default_value_t = TightenName::Normal)]
    pub(crate) level: TightenName,
    #[command(flatten)]
    pub(crate) transcriber: TranscriberArgs,
    #[command(flatten)]
    pub(crate) budget: Budget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TightenName {
    Off,
    Gentle,
    Normal,
    Tight,
}

impl TightenName {
    pub(crate) fn level(self) -> Option<TightenLevel> {
        match self {
            TightenName::Off => None,
            TightenName::Gentle => Some(TightenLevel::Gentle),
            TightenName::Normal => Some(TightenLevel::Normal),
            TightenName::Tight => Some(TightenLevel::Tight),
        }
    }
}
