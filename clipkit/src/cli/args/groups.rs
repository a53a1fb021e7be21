//! Options that several commands share.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use clipkit::Degrade;
use clipkit::config::{PublisherConfig, SourceConfig};
use clipkit::layer::{Cache, LayerConfig};
use clipkit::model::{Aspect, LayoutChoice, Platform, Span, Stage, X264Preset};
use clipkit::plan::{Brand, Censor, PunchIn};
use clipkit::publishing::Schedule;
use clipkit::stage::{AutoSource, CaptionOffset, Genre, Price, ScoreOptions};

use super::values::{
    Captions, Volume, When, at_least_one, brand, caption_style, censor, dollars, duration, loudness, preset, price, publisher, section,
    when,
};
use super::whole::TightenName;

/// Options for the source.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// Copy local files into the media store, so that later steps find them after the files are
    /// removed
    #[arg(long)]
    pub(crate) store: bool,
    /// The part of a platform's video to fetch and clip: 10:00-40:00
    #[arg(long, value_name = "FROM-TO", value_parser = section)]
    pub(crate) section: Option<Span>,
    /// The largest resolution to fetch from a platform, by the shorter side in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 1080)]
    pub(crate) fetch_height: u32,
    /// A file with cookies in Netscape's format, used if a platform wants a login
    #[arg(long, value_name = "FILE")]
    pub(crate) cookies: Option<PathBuf>,
    /// A proxy for the metadata of platforms; the media come without it, unless the platform
    /// refuses that
    #[arg(long, value_name = "URL")]
    pub(crate) proxy_metadata: Option<String>,
    /// The program yt-dlp [default: CLIPKIT_YTDLP, else yt-dlp in PATH]
    #[arg(long, value_name = "FILE")]
    pub(crate) yt_dlp: Option<PathBuf>,
    /// A private address or network that URLs, also of webhooks, may lead to: 192.168.1.0/24. Can
    /// be repeated
    #[arg(long, value_name = "NETWORK")]
    pub(crate) allow_private: Vec<String>,
}

impl SourceArgs {
    pub(crate) fn config(&self) -> SourceConfig {
        let mut source = AutoSource::new();
        source.file.store = self.store;
        source.section = self.section;
        source.allow_private = self.allow_private.clone();
        source.ytdlp.height = self.fetch_height;
        source.ytdlp.cookies = self.cookies.clone();
        source.ytdlp.proxy_metadata = self.proxy_metadata.clone();
        source.ytdlp.program = self.yt_dlp.clone();
        SourceConfig::Auto(Box::new(source))
    }
}

/// Options for transcription.
#[derive(Debug, Args)]
pub(crate) struct TranscriberArgs {
    /// The transcript file, instead of captions next to the video or inside it
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: Option<PathBuf>,
    /// The text encoding of caption files: windows-1251, gbk, shift_jis [default: detected]
    #[arg(long = "encoding", value_name = "NAME")]
    pub(crate) text_encoding: Option<String>,
    /// Seconds to add to every time of captions: -3600 where all is an hour late. auto: what the
    /// voice shows
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(crate) offset: Option<CaptionOffset>,
    /// The transcriber. auto: captions if there are any, else openai if OPENAI_API_KEY or
    /// OPENAI_BASE_URL is set, else local if a model is found. local: a speech model on this
    /// machine, downloaded (670 MB) if it is missing
    #[arg(long, value_enum, default_value_t = TranscriberName::Auto)]
    pub(crate) transcriber: TranscriberName,
    /// The speech model. For openai: a model name [default: whisper-1]. For local: a folder, or a
    /// name from `clipkit models list` [default: speech in CLIPKIT_MODELS, else
    /// parakeet-tdt-0.6b-v3]
    #[arg(long, value_name = "MODEL")]
    pub(crate) transcriber_model: Option<String>,
    /// The spoken language as ISO 639-1: en, de [default: detected]
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
    /// Names and terms with the spelling that openai should use: "Kubernetes, Łukasz"
    #[arg(long, value_name = "TERMS")]
    pub(crate) vocabulary: Option<String>,
}

/// Options for scoring.
#[derive(Debug, Args)]
pub(crate) struct ScorerArgs {
    /// The scorer. auto: openai if OPENAI_API_KEY or OPENAI_BASE_URL is set, else heuristic
    #[arg(long, value_enum, default_value_t = ScorerName::Auto)]
    pub(crate) scorer: ScorerName,
    /// The language model for the scorer openai [default: gpt-4o-mini]
    #[arg(long, value_name = "MODEL")]
    pub(crate) scorer_model: Option<String>,
    /// The price of that model in US dollars per million input and output tokens: 0.15,0.6
    /// [default: for OpenAI's models, as quoted by third parties in June 2026]
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    pub(crate) scorer_price: Option<Price>,
}

/// Options for face tracking.
#[derive(Debug, Args)]
pub(crate) struct TrackerArgs {
    /// The tracker. auto: a face detector if its model is available, else a warning and motion,
    /// which follows motion
    #[arg(long, value_enum, default_value_t = TrackerName::Auto)]
    pub(crate) tracker: TrackerName,
    /// The face detector's model: a name from `clipkit models list`, or a file
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
}

/// Options for framing and captions.
#[derive(Debug, Args)]
pub(crate) struct Framing {
    /// The aspect ratio of the clips: 9:16, 1:1, 4:5 or 16:9
    #[arg(long, default_value_t = Aspect::Vertical)]
    pub(crate) aspect: Aspect,
    /// The layout. fill: one window that shows the largest faces and cuts between speakers; split:
    /// two people, one above the other; fit: the whole picture over a blurred copy; pip: the whole
    /// picture with an enlarged face over it, for screencasts; auto: chosen per shot
    #[arg(long, value_name = "LAYOUT", default_value_t = LayoutChoice::Auto)]
    pub(crate) layout: LayoutChoice,
    /// Show a listener who laughs for a moment, where the transcript says [Laughter]
    #[arg(long)]
    pub(crate) reactions: bool,
    /// The target platform, whose interface captions avoid: shorts, tiktok, reels or generic
    #[arg(long, default_value = "generic")]
    pub(crate) platform: Platform,
    /// The caption style: karaoke, pop, box, block, none, or a JSON file with a custom style (see
    /// `clipkit styles`)
    #[arg(long, value_name = "STYLE", default_value = "karaoke", value_parser = caption_style)]
    pub(crate) captions: Captions,
    /// Cut pauses out of the clips. gentle: pauses are shortened to 0.7 s. normal: to 0.4 s, and
    /// fillers and repeated words are cut. tight: to 0.2 s, and these
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = TightenName::Off)]
    pub(crate) tighten: TightenName,
    /// Make the picture larger for a while: emphasis, on numbers, laughter and highlighted words;
    /// joins, after every second cut of --tighten; both
    #[arg(long, value_name = "WHERE")]
    pub(crate) punch_in: Option<PunchIn>,
    /// Show each clip's title over its first seconds
    #[arg(long)]
    pub(crate) hook_title: bool,
    /// A JSON file with a brand: fonts, colors, caption style, overlays such as a logo, and music
    #[arg(long, value_name = "BRAND.json", value_parser = brand)]
    pub(crate) brand: Option<Box<Brand>>,
    /// A file with words that are not to be heard or read, one a line; `damn*` means all that start
    /// so, and `[de]` before words limits them to a language
    #[arg(long, value_name = "FILE", value_parser = censor)]
    pub(crate) censor: Option<Censor>,
    /// What is heard instead of censored words
    #[arg(long, value_enum, default_value_t = CensorName::Beep, requires = "censor")]
    pub(crate) censor_with: CensorName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CensorName {
    Beep,
    Mute,
}

/// Options for encoding.
#[derive(Debug, Args)]
pub(crate) struct Encoding {
    /// x264's speed preset
    #[arg(long, default_value = "veryfast", value_parser = preset)]
    pub(crate) preset: X264Preset,
    /// x264's constant rate factor: lower values give better quality and larger files
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(0..=51))]
    pub(crate) crf: u8,
    /// The loudness of the clips in LUFS, with peaks up to -1 dBTP; off leaves the loudness
    /// unchanged
    #[arg(long, value_name = "LUFS", default_value = "-14", allow_hyphen_values = true, value_parser = loudness)]
    pub(crate) loudness: Volume,
}

/// Options for publishing.
#[derive(Debug, Args)]
pub(crate) struct Publishing {
    /// The target that clips are published to: folder:DIR, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX,
    /// az://CONTAINER/PREFIX, file:///DIR, webhook:URL, youtube:ACCOUNT, tiktok:ACCOUNT,
    /// instagram:ACCOUNT, or a JSON file with a publisher's configuration. Can be repeated; each
    /// clip goes to every target
    #[arg(long, value_name = "TARGET", value_parser = publisher)]
    pub(crate) publish: Vec<PublisherConfig>,
    /// How long the links to clips in object stores are valid: 24h, at most 7d [default: no links]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) link: Option<Duration>,
    /// When clips appear on platforms: peak for their peak times, or a time from which they follow
    /// an hour apart, such as 2026-12-01T17:00 [default: at once]
    #[arg(long, value_name = "peak|TIME", value_parser = when)]
    pub(crate) schedule: Option<When>,
    /// The time zone of --schedule, such as Europe/Berlin [default: the system's]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
}

impl Publishing {
    /// The publishers. Webhooks may lead to these private networks.
    pub(crate) fn publishers(&self, allow_private: &[String]) -> Vec<PublisherConfig> {
        let system = || jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC").to_owned();
        let zone = self.zone.clone().unwrap_or_else(system);
        let mut publishers = self.publish.clone();
        for publisher in &mut publishers {
            match publisher {
                PublisherConfig::ObjectStore(store) => store.link = self.link.or(store.link),
                PublisherConfig::Webhook(webhook) => webhook.allow_private.extend_from_slice(allow_private),
                PublisherConfig::YouTube(youtube) => {
                    if let Some(when) = &self.schedule {
                        youtube.schedule = Some(when.schedule(&zone, Schedule::shorts));
                    }
                }
                PublisherConfig::TikTok(tiktok) => {
                    if let Some(when) = &self.schedule {
                        tiktok.schedule = Some(when.schedule(&zone, Schedule::tiktok));
                    }
                }
                PublisherConfig::Instagram(instagram) => {
                    if let Some(when) = &self.schedule {
                        instagram.schedule = Some(when.schedule(&zone, Schedule::reels));
                    }
                }
                _ => {}
            }
        }
        publishers
    }
}

/// Options for stages that fail.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Fallbacks {
    /// The fallbacks for stages that fail. builtin: the heuristic for a language model, motion for
    /// a face detector, and no captions or overlays if those cannot be drawn. never: no fallbacks.
    /// A single step has fallbacks only if this is given
    #[arg(long, value_enum)]
    pub(crate) degrade: Option<DegradeName>,
}

impl Fallbacks {
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
    /// The maximum number of clips
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = at_least_one)]
    pub(crate) clips: usize,
    /// The minimum length of a clip: 15s, 1m30s or 15
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration)]
    pub(crate) min: Duration,
    /// The maximum length of a clip
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(crate) max: Duration,
}

/// Options for the content of clips.
#[derive(Debug, Args)]
pub(crate) struct ContentArgs {
    /// A topic that clips should be about: a word or a phrase, in any inflection. Can be repeated
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) about: Vec<String>,
    /// A topic that clips should not be about. Can be repeated
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) avoid: Vec<String>,
    /// The genre of the video, which sets the weights of the score: podcast, lecture, gaming or
    /// news
    #[arg(long)]
    pub(crate) genre: Option<Genre>,
}

impl ContentArgs {
    pub(crate) fn options(&self) -> ScoreOptions {
        ScoreOptions { about: self.about.clone(), avoid: self.avoid.clone(), genre: self.genre, ..ScoreOptions::default() }
    }
}

impl Lengths {
    /// Rejects an empty range of lengths.
    pub(crate) fn check(&self) -> Result<(), clipkit::Error> {
        if self.min > self.max {
            return Err(super::super::usage("--min is longer than --max").with_advice("ask for a range such as --min 15s --max 60s"));
        }
        Ok(())
    }
}

/// Options for the sound.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Audio {
    /// The audio track to hear and render, counted from 1 as `clipkit probe` lists them [default:
    /// the file's default track, or one with speech if that is silent]
    #[arg(long, value_name = "N")]
    pub(crate) audio_track: Option<NonZero<usize>>,
}

/// Options for the budget.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Budget {
    /// The maximum cost of paid models per video, in US dollars; after that, free fallbacks are
    /// used, with a warning. OpenAI's prices are as quoted by third parties in June 2026
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct CacheArgs {
    /// Use no cached transcripts, scores and tracks of earlier runs (kept for 7 days), and cache
    /// none
    #[arg(long)]
    no_cache: bool,
}

impl CacheArgs {
    /// The layers around a stage: the default ones, or none.
    pub(crate) fn layers(self) -> Option<&'static [LayerConfig]> {
        self.no_cache.then_some(&[])
    }

    /// The cache for speech maps.
    pub(crate) fn cache(self) -> Option<Cache> {
        (!self.no_cache).then(Cache::of_the_user)
    }

    /// The layers by stage.
    pub(crate) fn by_stage(self) -> BTreeMap<Stage, Vec<LayerConfig>> {
        let cached = [Stage::Transcribe, Stage::Score, Stage::Track].into_iter();
        cached.filter_map(|stage| Some((stage, self.layers()?.to_vec()))).collect()
    }
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Reporting {
    /// Print events to stdout, one JSON object per line. The first line of an input is
    /// {"event":"input",...}; the last one is its result: {"event":"manifest",...} (the content of
    /// clips.json), {"event":"plans",...}, {"event":"file",...} or {"event":"error",...}
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only errors and warnings; with --json, also the last line of each input
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
