//! What can be asked for, and how.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clipkit::{Aspect, CaptionStyle, Genre, LayerConfig, LayoutChoice, Loudness, Platform, Price, ScoreOptions, Span, Stage, X264Preset};

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
}

#[derive(Debug, Args)]
pub(crate) struct ClipArgs {
    /// The videos
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    /// Where clips go. Several inputs get a folder each inside it, named after the input
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) lengths: Lengths,
    /// The transcript, instead of one beside the video or inside it
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: Option<PathBuf>,
    /// How spans are chosen. auto: openai where OPENAI_API_KEY or OPENAI_BASE_URL is set, else heuristic
    #[arg(long, value_enum, default_value_t = ScorerName::Auto)]
    pub(crate) scorer: ScorerName,
    /// The language model of the scorer openai [default: gpt-4o-mini]
    #[arg(long, value_name = "MODEL")]
    pub(crate) scorer_model: Option<String>,
    /// What that model costs, in US dollars for a million tokens read and written: 0.15,0.6 [default: what is known of OpenAI's own]
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    pub(crate) scorer_price: Option<Price>,
    #[command(flatten)]
    pub(crate) wishes: Wishes,
    /// How faces are found. auto: a model where one can be had, else a warning and motion, which follows what moves
    #[arg(long, value_enum, default_value_t = TrackerName::Auto)]
    pub(crate) tracker: TrackerName,
    /// The tracker's model: a name that `clipkit models list` knows, or a file
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// How words are found. auto: captions where there are some, else openai where OPENAI_API_KEY or OPENAI_BASE_URL is set, else
    /// local where a model is found
    #[arg(long, value_enum, default_value_t = TranscriberName::Auto)]
    pub(crate) transcriber: TranscriberName,
    /// The speech model: a name for openai [default: whisper-1], a folder for local [default: speech in CLIPKIT_MODELS]
    #[arg(long, value_name = "MODEL")]
    pub(crate) transcriber_model: Option<String>,
    /// The shape of the clips: 9:16, 1:1, 4:5 or 16:9
    #[arg(long, default_value_t = Aspect::Vertical)]
    pub(crate) aspect: Aspect,
    /// How the picture is arranged. fill: one window, with the largest faces, that cuts between speakers; split: two people, one above the
    /// other; fit: all of the picture, small, over a blurred copy; pip: all of it and a larger face over it, for screencasts; auto: what
    /// suits each shot
    #[arg(long, value_name = "LAYOUT", default_value_t = LayoutChoice::Auto)]
    pub(crate) layout: LayoutChoice,
    /// Where the clips go; captions keep clear of its interface: shorts, tiktok, reels or generic
    #[arg(long, default_value = "generic")]
    pub(crate) platform: Platform,
    /// How captions look: karaoke, pop, box, block, none, or a file with a style of yours (see `clipkit styles`)
    #[arg(long, value_name = "STYLE", default_value = "karaoke", value_parser = caption_style)]
    pub(crate) captions: Captions,
    /// Show each clip's title over its first seconds
    #[arg(long)]
    pub(crate) hook_title: bool,
    /// x264's speed preset
    #[arg(long, default_value = "veryfast", value_parser = preset)]
    pub(crate) preset: X264Preset,
    /// x264's constant rate factor: lower is better and larger
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(0..=51))]
    pub(crate) crf: u8,
    /// How loud the clips are, in LUFS with peaks up to -1 dBTP; off leaves the sound as loud as it is
    #[arg(long, value_name = "LUFS", default_value = "-14", allow_hyphen_values = true, value_parser = loudness)]
    pub(crate) loudness: Volume,
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
pub(crate) struct Lengths {
    /// The most clips
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = at_least_one)]
    pub(crate) clips: usize,
    /// The shortest clip: 15s, 1m30s or 15
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration)]
    pub(crate) min: Duration,
    /// The longest clip
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(crate) max: Duration,
}

/// What clips should be, besides their lengths.
#[derive(Debug, Args)]
pub(crate) struct Wishes {
    /// What clips should be about: a word or a phrase, in any of its forms. May be given several times
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) about: Vec<String>,
    /// What clips should not be about. May be given several times
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) avoid: Vec<String>,
    /// What kind of video it is, which decides what counts in a clip: podcast, lecture, gaming or news
    #[arg(long)]
    pub(crate) genre: Option<Genre>,
    /// The most to spend on paid models for one video, in US dollars; then what is free stands in, with a warning
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
}

impl Wishes {
    pub(crate) fn options(&self) -> ScoreOptions {
        ScoreOptions { about: self.about.clone(), avoid: self.avoid.clone(), genre: self.genre, ..ScoreOptions::default() }
    }
}

impl Lengths {
    /// Refuses lengths that no clip can have.
    pub(crate) fn check(&self) -> Result<(), clipkit::Error> {
        if self.min > self.max {
            return Err(super::usage("--min is longer than --max").with_advice("ask for a range such as --min 15s --max 60s"));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Anew {
    /// Do all work anew: use no transcripts, scores and tracks of earlier runs (kept for 7 days), and keep none
    #[arg(long)]
    no_cache: bool,
}

impl Anew {
    /// What goes around a stage: what its kind has by default, or nothing.
    pub(crate) fn layers(self) -> Option<&'static [LayerConfig]> {
        self.no_cache.then_some(&[])
    }

    /// The same, by stage.
    pub(crate) fn of_all(self) -> BTreeMap<Stage, Vec<LayerConfig>> {
        let cached = [Stage::Transcribe, Stage::Score, Stage::Track].into_iter();
        cached.filter_map(|stage| Some((stage, self.layers()?.to_vec()))).collect()
    }
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Reporting {
    /// Print events, one JSON object a line, on stdout. An input's first line is {"event":"input",...}, its last its result:
    /// {"event":"manifest",...} (the content of clips.json), {"event":"plans",...} or {"event":"error",...}
    #[arg(long)]
    pub(crate) json: bool,
    /// Print errors and warnings only; with --json, an input's last line too
    #[arg(short, long)]
    pub(crate) quiet: bool,
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
    /// The transcript, instead of one beside the video or inside it
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: Option<PathBuf>,
    /// How words are found. auto: captions where there are some, else openai where OPENAI_API_KEY or OPENAI_BASE_URL is set, else
    /// local where a model is found
    #[arg(long, value_enum, default_value_t = TranscriberName::Auto)]
    pub(crate) transcriber: TranscriberName,
    /// The speech model: a name for openai [default: whisper-1], a folder for local [default: speech in CLIPKIT_MODELS]
    #[arg(long, value_name = "MODEL")]
    pub(crate) transcriber_model: Option<String>,
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
    /// How spans are chosen. auto: openai where OPENAI_API_KEY or OPENAI_BASE_URL is set, else heuristic
    #[arg(long, value_enum, default_value_t = ScorerName::Auto)]
    pub(crate) scorer: ScorerName,
    /// The language model of the scorer openai [default: gpt-4o-mini]
    #[arg(long, value_name = "MODEL")]
    pub(crate) scorer_model: Option<String>,
    /// What that model costs, in US dollars for a million tokens read and written: 0.15,0.6 [default: what is known of OpenAI's own]
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    pub(crate) scorer_price: Option<Price>,
    #[command(flatten)]
    pub(crate) wishes: Wishes,
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
    /// How faces are found
    #[arg(long, value_enum, default_value_t = TrackerName::Auto)]
    pub(crate) tracker: TrackerName,
    /// The tracker's model: a name that `clipkit models list` knows, or a file
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) anew: Anew,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScorerName {
    Auto,
    Heuristic,
    Openai,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrackerName {
    Auto,
    Onnx,
    Motion,
    Center,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TranscriberName {
    Auto,
    Captions,
    Openai,
    Local,
}

/// A caption style, or none.
#[derive(Clone, Debug)]
pub(crate) struct Captions(pub(crate) Option<Box<CaptionStyle>>);

fn caption_style(text: &str) -> Result<Captions, clipkit::Error> {
    let path = std::path::Path::new(text);
    if text == "none" {
        Ok(Captions(None))
    } else if path.extension().is_some_and(|ending| ending == "json") {
        let json = std::fs::read_to_string(path).map_err(|error| clipkit::Error::io(path, "read the caption style", error))?;
        CaptionStyle::from_json(&json).map(|style| Captions(Some(Box::new(style)))).map_err(|error| error.with_path(path))
    } else {
        CaptionStyle::named(text).map(|style| Captions(Some(Box::new(style))))
    }
}

/// A loudness, or that of the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Volume(pub(crate) Option<Loudness>);

fn loudness(text: &str) -> Result<Volume, clipkit::Error> {
    if text == "off" { Ok(Volume(None)) } else { text.parse().map(|loudness| Volume(Some(loudness))) }
}

fn preset(text: &str) -> Result<X264Preset, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "give a number from 1".to_owned())
}

fn dollars(text: &str) -> Result<f64, String> {
    let parsed = text.trim_start_matches('$').parse::<f64>().ok();
    parsed.filter(|usd| usd.is_finite() && *usd >= 0.0).ok_or_else(|| "give US dollars, such as 0.50".to_owned())
}

/// `0.15,0.6`.
fn price(text: &str) -> Result<Price, String> {
    let parsed =
        text.split_once(',').and_then(|(input, output)| Some(Price { input: dollars(input).ok()?, output: dollars(output).ok()? }));
    parsed.ok_or_else(|| "give two prices in US dollars, such as 0.15,0.6".to_owned())
}

/// `15s`, `1m30s`, `15`, `1.5`.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    parsed.filter(|duration| !duration.is_zero()).ok_or_else(|| "give a time such as 15s, 1m30s or 15".to_owned())
}

/// `12.5..48`.
fn span(text: &str) -> Result<Span, String> {
    let parsed = text.split_once("..").and_then(|(start, end)| {
        let (start, end) = (start.parse::<f64>().ok()?, end.parse::<f64>().ok()?);
        (0.0 <= start && start < end && end.is_finite()).then(|| Span::secs(start, end).ok())?
    });
    parsed.ok_or_else(|| "give two times in seconds, such as 12.5..48".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_loudness_is_a_number_or_off() {
        assert_eq!(loudness("-16").unwrap(), Volume(Some(Loudness { integrated: -16.0, true_peak: -1.0 })));
        assert_eq!(loudness("off").unwrap(), Volume(None));
        for wrong in ["", "nan", "14", "-100", "loud"] {
            assert!(loudness(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_and_spans_are_read() {
        assert_eq!(duration("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        for wrong in ["", "-3", "nan", "inf", "0", "abc", "15 apples", "1e300"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(price("0.15,$0.6"), Ok(Price { input: 0.15, output: 0.6 }));
        for wrong in ["", "1", "1,", "-1,2", "nan,1", "1,2,3"] {
            assert!(price(wrong).is_err(), "{wrong}");
        }
        assert_eq!(span("12.5..48"), Ok(Span::secs(12.5, 48.0).unwrap()));
        for wrong in ["12.5", "48..12", "a..b", "-1..3", "1..inf", "1..1"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
