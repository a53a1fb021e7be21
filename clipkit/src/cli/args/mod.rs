//! What can be asked for, and how.

mod groups;
mod step;
mod values;

pub(crate) use groups::{
    Anew, Budget, Encoding, Faces, Failing, Framing, Judge, Lengths, Publishing, Reporting, ScorerName, TrackerName, TranscriberName,
    Wishes, Words,
};
pub(crate) use step::{StepArgs, StepCommand};

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clipkit::model::Span;

use values::span;

const EXIT_CODES: &str = "\
Exit codes: 0 clips were made, 2 wrong usage, 3 an input cannot be used, 4 nothing worth a clip was found, 130 interrupted, \
1 anything else. Of several inputs, the worst one's.";

/// Turn long videos into ranked, vertical, captioned short clips.
#[derive(Debug, Parser)]
#[command(name = "clipkit", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Log to stderr; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make clips of videos
    #[command(after_help = EXIT_CODES)]
    Clip(ClipArgs),
    /// Render plans, edited or not, again
    Render(RenderArgs),
    /// Say what is in a video
    Probe(ProbeArgs),
    /// Draw what a plan sees: source frames with face boxes and the crop window
    Inspect(InspectArgs),
    /// Print caption styles, to start one of your own from: `clipkit styles pop > mine.json`, then `clip --captions mine.json`
    Styles(StylesArgs),
    /// List, download and find models
    Models(ModelsArgs),
    /// First stage alone: a video's words with their times, as JSON
    Transcribe(TranscribeArgs),
    /// Second stage alone: the spans of a transcript that are worth a clip, as JSON
    Score(ScoreArgs),
    /// Third stage alone: shots and faces in a span of a video, as JSON
    Track(TrackArgs),
    /// One step of a run, document in and document out: what a queue's workers call
    Step(StepArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ClipArgs {
    /// The videos
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    /// The folder that clips go to. Several inputs get a folder each inside it, named after the input
    #[arg(short, long, value_name = "DIR", required_unless_present = "publish")]
    pub(crate) out: Option<PathBuf>,
    /// Copy local files into the media store, so that plans can be rendered when the files are gone
    #[arg(long)]
    pub(crate) store: bool,
    #[command(flatten)]
    pub(crate) lengths: Lengths,
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) judge: Judge,
    #[command(flatten)]
    pub(crate) wishes: Wishes,
    #[command(flatten)]
    pub(crate) budget: Budget,
    #[command(flatten)]
    pub(crate) faces: Faces,
    #[command(flatten)]
    pub(crate) framing: Framing,
    #[command(flatten)]
    pub(crate) encoding: Encoding,
    #[command(flatten)]
    pub(crate) publishing: Publishing,
    #[command(flatten)]
    pub(crate) failing: Failing,
    /// Write only the plans (NN-title.plan.json, no clips.json), for `clipkit render`
    #[arg(long)]
    pub(crate) plan_only: bool,
    /// How many clips to work on side by side [default: half the processor cores]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,
    #[command(flatten)]
    pub(crate) anew: Anew,
    #[command(flatten)]
    pub(crate) how: Reporting,
}

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// The plans. A clip keeps the number its plan's file name starts with
    #[arg(required = true, value_name = "PLAN.json")]
    pub(crate) plans: Vec<PathBuf>,
    /// Where clips go. An existing clips.json of the same video keeps its other clips
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How many clips to work on side by side [default: half the processor cores]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,
    #[command(flatten)]
    pub(crate) how: Reporting,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The video
    pub(crate) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The plan
    #[arg(value_name = "PLAN.json")]
    pub(crate) plan: PathBuf,
    /// The picture to write, .png or .jpg
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StylesArgs {
    /// The style to print, as JSON [default: the names of all]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Say which models there are and which are on this machine
    List,
    /// Download models that are missing [default: the face detector that clips are made with]
    Fetch {
        /// The models' names
        names: Vec<String>,
    },
    /// Print where a model is on this machine
    Path {
        /// The model's name [default: the face detector that clips are made with]
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TranscribeArgs {
    /// The video
    pub(crate) input: PathBuf,
    /// The file to write; - or none is stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) budget: Budget,
    #[command(flatten)]
    pub(crate) anew: Anew,
}

#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    /// The transcript, as `clipkit transcribe` writes it
    #[arg(value_name = "TRANSCRIPT.json")]
    pub(crate) transcript: PathBuf,
    /// The video it belongs to
    #[arg(long, value_name = "IN")]
    pub(crate) media: Option<PathBuf>,
    /// The file to write; - or none is stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) lengths: Lengths,
    #[command(flatten)]
    pub(crate) judge: Judge,
    #[command(flatten)]
    pub(crate) wishes: Wishes,
    #[command(flatten)]
    pub(crate) budget: Budget,
    #[command(flatten)]
    pub(crate) anew: Anew,
}

#[derive(Debug, Args)]
pub(crate) struct TrackArgs {
    /// The video
    pub(crate) input: PathBuf,
    /// The span, in seconds: 12.5..48
    #[arg(long, value_parser = span)]
    pub(crate) span: Span,
    /// The file to write; - or none is stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) faces: Faces,
    #[command(flatten)]
    pub(crate) anew: Anew,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
