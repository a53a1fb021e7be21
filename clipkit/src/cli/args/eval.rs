//! `clipkit eval`: arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(subcommand)]
    pub(crate) command: EvalCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvalCommand {
    /// Count the moments that people chose in the spans that `clipkit score` chose, and in spans of
    /// the same lengths at random, even and the loudest places
    Choice(ChoiceArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ChoiceArgs {
    /// A folder with the candidates of each video, as `clipkit score` writes them: ID.json
    #[arg(value_name = "PREDICTIONS")]
    pub(crate) predictions: PathBuf,
    /// Files with the moments of a show, SHOW.jsonl, one video a line: {"id": "a1", "duration":
    /// 3600, "moments": [{"start": 612.5, "end": 640}]}; "loudness" may have a number for each
    /// second
    #[arg(required = true, value_name = "LABELS.jsonl")]
    pub(crate) labels: Vec<PathBuf>,
    /// Where the choice begins, in seconds: what is before counts nowhere
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    pub(crate) after: f64,
    /// Leave out moments with fewer words, where a moment says how many it has ("words": 9)
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) min_words: usize,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
