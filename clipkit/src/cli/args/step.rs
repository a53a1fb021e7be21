//! `clipkit step`: arguments of the single steps.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clipkit::model::Span;

use super::values::span;
use super::{
    Audio, Budget, CacheArgs, ContentArgs, Encoding, Fallbacks, Framing, Lengths, Publishing, ScorerArgs, SourceArgs, TrackerArgs,
    TranscriberArgs,
};

#[derive(Debug, Args)]
pub(crate) struct StepArgs {
    #[command(subcommand)]
    pub(crate) command: StepCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StepCommand {
    /// Fetch a video to this machine; write the media
    Fetch(FetchStep),
    /// Transcribe the video; write the transcript
    Transcribe(TranscribeStep),
    /// Find where somebody speaks; write the speech map
    Listen(ListenStep),
    /// Choose the spans that are worth a clip; write the candidates, best first
    Choose(ChooseStep),
    /// Find shots and faces in a span; write the tracks
    Track(TrackStep),
    /// Plan the framing and captions of one candidate; write the plan
    Plan(PlanStep),
    /// Render a plan; write the post, which names the clip's files
    Render(RenderStep),
    /// Publish a post; write the receipts, one for each target
    Publish(PublishStep),
}

/// The output option of a step.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// The file to write [default, or -: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct FetchStep {
    /// The video: a file, the URL of a media file, an s3://, gs:// or az:// address, or a page that
    /// yt-dlp knows
    pub(crate) uri: String,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) audio: Audio,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct TranscribeStep {
    /// The media, as `step fetch` writes it
    #[arg(value_name = "MEDIA.json")]
    pub(crate) media: PathBuf,
    #[command(flatten)]
    pub(crate) transcriber: TranscriberArgs,
    #[command(flatten)]
    pub(crate) budget: Budget,
    #[command(flatten)]
    pub(crate) fallbacks: Fallbacks,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct ListenStep {
    /// The media, as `step fetch` writes it
    #[arg(value_name = "MEDIA.json")]
    pub(crate) media: PathBuf,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct ChooseStep {
    /// The media, as `step fetch` writes it
    #[arg(value_name = "MEDIA.json")]
    pub(crate) media: PathBuf,
    /// The transcript, as `step transcribe` writes it
    #[arg(value_name = "TRANSCRIPT.json")]
    pub(crate) transcript: PathBuf,
    #[command(flatten)]
    pub(crate) lengths: Lengths,
    #[command(flatten)]
    pub(crate) scorer: ScorerArgs,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    pub(crate) budget: Budget,
    #[command(flatten)]
    pub(crate) fallbacks: Fallbacks,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct TrackStep {
    /// The media, as `step fetch` writes it
    #[arg(value_name = "MEDIA.json")]
    pub(crate) media: PathBuf,
    /// The span, in seconds: 12.5..48
    #[arg(long, value_parser = span)]
    pub(crate) span: Span,
    #[command(flatten)]
    pub(crate) tracker: TrackerArgs,
    #[command(flatten)]
    pub(crate) fallbacks: Fallbacks,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct PlanStep {
    /// The media, as `step fetch` writes it
    #[arg(value_name = "MEDIA.json")]
    pub(crate) media: PathBuf,
    /// The transcript, as `step transcribe` writes it
    #[arg(value_name = "TRANSCRIPT.json")]
    pub(crate) transcript: PathBuf,
    /// The candidates, as `step choose` writes them
    #[arg(value_name = "CANDIDATES.json")]
    pub(crate) candidates: PathBuf,
    /// The rank of the candidate, from 1
    #[arg(long, value_name = "N")]
    pub(crate) rank: std::num::NonZero<usize>,
    /// The tracks of its span, as `step track` writes them [default: the span is tracked]
    #[arg(long, value_name = "TRACKS.json")]
    pub(crate) tracks: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tracker: TrackerArgs,
    #[command(flatten)]
    pub(crate) framing: Framing,
    #[command(flatten)]
    pub(crate) encoding: Encoding,
    #[command(flatten)]
    pub(crate) fallbacks: Fallbacks,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct RenderStep {
    /// The plan, as `step plan` writes it, edited or not
    #[arg(value_name = "PLAN.json")]
    pub(crate) plan: PathBuf,
    /// The clip's rank, from 1, which is part of file names
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) rank: std::num::NonZero<usize>,
    /// The folder for the clip's files, which the post names [default: the folder of the output
    /// file]
    #[arg(long, value_name = "DIR")]
    pub(crate) files: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) fallbacks: Fallbacks,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct PublishStep {
    /// The post, as `step render` writes it, edited or not
    #[arg(value_name = "POST.json")]
    pub(crate) post: PathBuf,
    #[command(flatten)]
    pub(crate) publishing: Publishing,
    #[command(flatten)]
    pub(crate) output: Output,
}
