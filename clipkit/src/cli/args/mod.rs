//! The command line's subcommands and options.

mod eval;
mod groups;
mod jobs;
mod serve;
mod step;
mod values;
mod whole;

pub(crate) use eval::{ChoiceArgs, EvalArgs, EvalCommand};
pub(crate) use groups::{
    Audio, Budget, CacheArgs, CensorName, ContentArgs, Encoding, Fallbacks, Framing, Lengths, Publishing, Reporting, ScorerArgs,
    ScorerName, SourceArgs, TrackerArgs, TrackerName, TranscriberArgs, TranscriberName,
};
pub(crate) use jobs::{
    ClipsArgs, Database, DeadArgs, EditClipArgs, JobsArgs, JobsCommand, LinkArgs, RedisArgs, SubmitArgs, WatchArgs, WorkerArgs,
};
pub(crate) use serve::{KeyCommand, ServeArgs, ServeCommand};
pub(crate) use step::{StepArgs, StepCommand};
pub(crate) use whole::{CaptionArgs, ReframeArgs, TightenArgs, WholeArgs};

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clipkit::model::{Limits, Span};
use clipkit::plan::Brand;
use clipkit::plan::export::{ExportFormat, Timecode};

use values::{limits, span};

const EXIT_CODES: &str = "\
Exit codes: 0 clips were made, 2 wrong usage, 3 an input cannot be used, 4 nothing worth a clip was found, 130 interrupted, \
1 anything else. Of several inputs, the worst one's.";

/// Turn long videos into ranked, vertical, captioned short clips.
#[derive(Debug, Parser)]
#[command(name = "clipkit", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Log to stderr; repeat for more detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How large inputs may be: `strict`, `default`, or a JSON file such as {"like": "strict",
    /// "media_secs": 7200}
    #[arg(long, global = true, value_name = "NAME|FILE.json", value_parser = limits)]
    pub(crate) limits: Option<Limits>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make clips of videos
    #[command(after_help = EXIT_CODES)]
    Clip(Box<ClipArgs>),
    /// Caption a whole video, burned in or as a file, without choosing clips
    Caption(Box<CaptionArgs>),
    /// Show a whole video in another shape, framed as clips are
    Reframe(Box<ReframeArgs>),
    /// Cut long pauses, fillers and repeated words out of a whole video
    Tighten(Box<TightenArgs>),
    /// Render plans, edited or not
    Render(RenderArgs),
    /// Change a plan: cut words, order pieces, correct captions and crops
    Edit(EditArgs),
    /// Write plans for players and editors: captions as files, cuts as timelines
    Export(ExportArgs),
    /// Convert plans
    Plan(PlanArgs),
    /// Print the properties of a video
    Probe(ProbeArgs),
    /// Preview a plan in a fraction of the time of rendering it: a small draft of the clip, or a
    /// sheet of frames as they are drawn
    Preview(PreviewArgs),
    /// Draw a plan: source frames with face boxes and the crop window
    Inspect(InspectArgs),
    /// Print caption styles as a base for custom ones: `clipkit styles pop > mine.json`, then `clip
    /// --captions mine.json`
    Styles(StylesArgs),
    /// List, download and find models
    Models(ModelsArgs),
    /// List what clipkit can use, whether it is on this machine, and what each lack costs
    Doctor(DoctorArgs),
    /// Run the first stage alone: write a video's words with their times as JSON
    Transcribe(TranscribeArgs),
    /// Run the second stage alone: write the spans of a transcript that are worth a clip as JSON
    Score(ScoreArgs),
    /// Run the third stage alone: write the shots and faces in a span of a video as JSON
    Track(TrackArgs),
    /// Compare what was chosen with what people chose
    Eval(EvalArgs),
    /// Run one step of a run, with documents as input and output, for the workers of a queue
    Step(StepArgs),
    /// Log an account of a platform in, so that clips can be published there
    Login(LoginArgs),
    /// Submit, show and change jobs, which survive crashes; `clipkit worker` does them
    Jobs(JobsArgs),
    /// Do the steps of jobs
    Worker(WorkerArgs),
    /// Serve jobs over HTTP: the API, a worker and the dashboard in one process
    Serve(Box<ServeArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct ClipArgs {
    /// The videos: files, URLs of media files, s3://, gs:// and az:// addresses, and pages that
    /// yt-dlp knows
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    /// The folder for the clips. Each of several inputs gets a subfolder, named after the input
    #[arg(short, long, value_name = "DIR", required_unless_present = "publish")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) audio: Audio,
    #[command(flatten)]
    pub(crate) lengths: Lengths,
    #[command(flatten)]
    pub(crate) transcriber: TranscriberArgs,
    #[command(flatten)]
    pub(crate) scorer: ScorerArgs,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    pub(crate) budget: Budget,
    #[command(flatten)]
    pub(crate) tracker: TrackerArgs,
    #[command(flatten)]
    pub(crate) framing: Framing,
    #[command(flatten)]
    pub(crate) encoding: Encoding,
    #[command(flatten)]
    pub(crate) publishing: Publishing,
    #[command(flatten)]
    pub(crate) fallbacks: Fallbacks,
    /// Write only the plans (NN-title.plan.json, no clips.json), for `clipkit render`
    #[arg(long)]
    pub(crate) plan_only: bool,
    /// How many clips run concurrently [default: half the number of processor cores]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// The plans. If a plan's file name starts with a number, its clip keeps that number
    #[arg(required = true, value_name = "PLAN.json")]
    pub(crate) plans: Vec<PathBuf>,
    /// The folder for the clips. An existing clips.json of the same video keeps its other clips
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How many clips run concurrently [default: half the number of processor cores]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The plan
    #[arg(value_name = "PLAN.json")]
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) ops: Operations,
    /// The transcript of the source, for ends at sentences and new captions
    #[arg(long, value_name = "TRANSCRIPT.json")]
    pub(crate) transcript: Option<PathBuf>,
    /// The speech map of the source, for tightening, as `clipkit step listen` writes it
    #[arg(long, value_name = "SPEECH.json")]
    pub(crate) speech: Option<PathBuf>,
    /// Write what would change (length, words, joins) instead of the plan
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The file to write [default, or -: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Operations on a plan.
#[derive(Debug, Args)]
pub(crate) struct Operations {
    /// An operation as JSON: '{"op": "delete_words", "words": {"quote": "you know"}}'. Can be given
    /// several times
    #[arg(long, value_name = "JSON")]
    pub(crate) op: Vec<String>,
    /// A JSON file with a brand, whose look the plan gets after all operations
    #[arg(long, value_name = "BRAND.json", value_parser = values::brand)]
    pub(crate) brand: Option<Box<Brand>>,
    /// A JSON file with a list of operations, which come first
    #[arg(long, value_name = "OPS.json")]
    pub(crate) script: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The plans
    #[arg(required = true, value_name = "PLAN.json")]
    pub(crate) plans: Vec<PathBuf>,
    /// Captions: srt, vtt, ass, txt, json; timelines: otio, fcpxml, xmeml (Premiere Pro), edl
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) format: ExportFormat,
    /// The one file to write, in which several plans follow each other [default, or -: stdout]
    #[arg(short, long, value_name = "FILE", conflicts_with = "out")]
    pub(crate) output: Option<PathBuf>,
    /// The folder for a file of each plan, named after the plan
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The name of the timeline [default: the title of the first plan]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The time code of the first frame; 01:00:00;00 counts in drop frame
    #[arg(long, value_name = "HH:MM:SS:FF", default_value_t)]
    pub(crate) start: Timecode,
    /// Name the source by a path relative to the file that is written [default: absolute]
    #[arg(long)]
    pub(crate) relative: bool,
    /// Leave the captions out of timelines
    #[arg(long)]
    pub(crate) no_captions: bool,
    /// Leave the markers for hooks and scenes out of timelines
    #[arg(long)]
    pub(crate) no_markers: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(subcommand)]
    pub(crate) command: PlanCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Convert a plan of an earlier version to the current one
    Upgrade {
        /// The plan
        #[arg(value_name = "PLAN.json")]
        plan: PathBuf,
        /// The file to write; it can be the plan itself [default, or -: stdout]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
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
pub(crate) struct PreviewArgs {
    /// The plan
    #[arg(value_name = "PLAN.json")]
    pub(crate) plan: PathBuf,
    /// The file to write: FILE.mp4 is a draft whose shorter side has 360 pixels; FILE.png or
    /// FILE.jpg shows frames of the source with the crop windows, each beside the frame as it is
    /// drawn
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The plan
    #[arg(value_name = "PLAN.json")]
    pub(crate) plan: PathBuf,
    /// The image file to write, .png or .jpg
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StylesArgs {
    /// The style to print as JSON [default: list the names]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the known models and where they are on this machine
    List,
    /// Download missing models [default: the default face detector]
    Fetch {
        /// The models' names
        names: Vec<String>,
    },
    /// Print the path of a model on this machine
    Path {
        /// The model's name [default: the default face detector]
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TranscribeArgs {
    /// The video
    pub(crate) input: PathBuf,
    /// The file to write [default, or -: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) transcriber: TranscriberArgs,
    #[command(flatten)]
    pub(crate) budget: Budget,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    /// The transcript, as `clipkit transcribe` writes it
    #[arg(value_name = "TRANSCRIPT.json")]
    pub(crate) transcript: PathBuf,
    /// The video of the transcript
    #[arg(long, value_name = "IN")]
    pub(crate) media: Option<PathBuf>,
    /// Print on stderr what counted for and against each candidate, in words
    #[arg(long)]
    pub(crate) explain: bool,
    /// The file to write [default, or -: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) lengths: Lengths,
    #[command(flatten)]
    pub(crate) scorer: ScorerArgs,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    pub(crate) budget: Budget,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TrackArgs {
    /// The video
    pub(crate) input: PathBuf,
    /// The span, in seconds: 12.5..48
    #[arg(long, value_parser = span)]
    pub(crate) span: Span,
    /// The file to write [default, or -: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tracker: TrackerArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
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

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The platform
    #[arg(value_parser = ["youtube", "tiktok", "instagram"])]
    pub(crate) platform: String,
    /// A name for the account: --publish youtube:NAME
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) account: String,
    /// The file of the app: Google's, or {"client_id": "...", "client_secret": "..."} [default:
    /// CLIPKIT_YOUTUBE_CLIENT_ID and CLIPKIT_YOUTUBE_CLIENT_SECRET, in the same way for others]
    #[arg(long, value_name = "FILE")]
    pub(crate) client: Option<PathBuf>,
    /// What the user is asked to allow, such as video.upload. Can be repeated [default: what the
    /// publisher needs]
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// Log in with a code that is entered on another machine, for machines without a browser.
    /// YouTube only; the app's type is limited input devices
    #[arg(long)]
    pub(crate) device: bool,
    /// The port on loopback that the browser comes back to [default: any that is free]
    #[arg(long, value_name = "PORT", conflicts_with = "device")]
    pub(crate) port: Option<u16>,
    /// The account's name on Instagram, where a login is for several
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
}
