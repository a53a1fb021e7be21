//! Options that several commands have.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use clipkit::Degrade;
use clipkit::config::PublisherConfig;
use clipkit::layer::{Cache, LayerConfig};
use clipkit::model::{Aspect, LayoutChoice, Platform, Stage, X264Preset};
use clipkit::stage::{Genre, Price, ScoreOptions};

use super::values::{Captions, Volume, at_least_one, caption_style, dollars, duration, loudness, preset, price, publisher};

/// How words are found.
#[derive(Debug, Args)]
pub(crate) struct Words {
    /// The transcript, instead of one beside the video or inside it
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: Option<PathBuf>,
    /// How words are found. auto: captions where there are some, else openai where OPENAI_API_KEY or OPENAI_BASE_URL is set, else
    /// local where a model is found. local downloads one (670 MB) where none is
    #[arg(long, value_enum, default_value_t = TranscriberName::Auto)]
    pub(crate) transcriber: TranscriberName,
    /// The speech model: a name for openai [default: whisper-1]; for local a folder, or a name that `clipkit models list` knows
    /// [default: speech in CLIPKIT_MODELS, else parakeet-tdt-0.6b-v3]
    #[arg(long, value_name = "MODEL")]
    pub(crate) transcriber_model: Option<String>,
    /// The language that is spoken, as ISO 639-1: en, de [default: found out]
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// Names and terms that openai should spell as given here: "Kubernetes, Łukasz"
    #[arg(long, value_name = "TERMS")]
    pub(crate) vocabulary: Option<String>,
}

/// How spans are chosen.
#[derive(Debug, Args)]
pub(crate) struct Judge {
    /// How spans are chosen. auto: openai where OPENAI_API_KEY or OPENAI_BASE_URL is set, else heuristic
    #[arg(long, value_enum, default_value_t = ScorerName::Auto)]
    pub(crate) scorer: ScorerName,
    /// The language model of the scorer openai [default: gpt-4o-mini]
    #[arg(long, value_name = "MODEL")]
    pub(crate) scorer_model: Option<String>,
    /// What that model costs, in US dollars for a million tokens read and written: 0.15,0.6 [default: for OpenAI's own, as quoted by third parties in June 2026]
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    pub(crate) scorer_price: Option<Price>,
}

/// How faces are found.
#[derive(Debug, Args)]
pub(crate) struct Faces {
    /// How faces are found. auto: a model where one can be had, else a warning and motion, which follows what moves
    #[arg(long, value_enum, default_value_t = TrackerName::Auto)]
    pub(crate) tracker: TrackerName,
    /// The tracker's model: a name that `clipkit models list` knows, or a file
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
}

/// How clips are framed and captioned.
#[derive(Debug, Args)]
pub(crate) struct Framing {
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
}

/// How clips are encoded.
#[derive(Debug, Args)]
pub(crate) struct Encoding {
    /// x264's speed preset
    #[arg(long, default_value = "veryfast", value_parser = preset)]
    pub(crate) preset: X264Preset,
    /// x264's constant rate factor: lower is better and larger
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(0..=51))]
    pub(crate) crf: u8,
    /// How loud the clips are, in LUFS with peaks up to -1 dBTP; off leaves the sound as loud as it is
    #[arg(long, value_name = "LUFS", default_value = "-14", allow_hyphen_values = true, value_parser = loudness)]
    pub(crate) loudness: Volume,
}

/// Where clips are published.
#[derive(Debug, Args)]
pub(crate) struct Publishing {
    /// Where clips are published: folder:DIR. May be given several times; each clip goes to every target
    #[arg(long, value_name = "TARGET", value_parser = publisher)]
    pub(crate) publish: Vec<PublisherConfig>,
}

/// What happens where a stage fails.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Failing {
    /// What stands in for a stage that fails: builtin (the heuristic for a language model, motion for a face detector, no captions for
    /// captions that cannot be drawn), or never. A step by itself degrades only where this is given
    #[arg(long, value_enum)]
    pub(crate) degrade: Option<DegradeName>,
}

impl Failing {
    pub(crate) fn policy(self) -> Option<Degrade> {
        self.degrade.map(|name| match name {
            DegradeName::Builtin => Degrade::default(),
            DegradeName::Never => Degrade::NEVER,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DegradeName {
    Builtin,
    Never,
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
            return Err(super::super::usage("--min is longer than --max").with_advice("ask for a range such as --min 15s --max 60s"));
        }
        Ok(())
    }
}

/// What may be spent.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Budget {
    /// The most to spend on paid models for one video, in US dollars; then what is free stands in, with a warning. OpenAI's prices are known
    /// as third parties quoted them in June 2026
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
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

    /// Where speech maps are kept.
    pub(crate) fn cache(self) -> Option<Cache> {
        (!self.no_cache).then(Cache::of_the_user)
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
