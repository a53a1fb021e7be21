use std::collections::BTreeMap;
use std::num::NonZero;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Aspect, CaptionStyle, CaptionTrack, ClipPlan, ContentId, Crop, FrameRate, HookStyle, Layout, LayoutChoice, Limit, Limits, Loudness,
    MediaRef, PlanSource, Platform, Rect, Scene, Score, Span, Stage, Timestamp, X264Preset,
};
use crate::plan::edit::TightenLevel;
use crate::plan::{Brand, Censor, PlanOptions, PunchIn, caption_style};
use crate::score::{Genre, ScoreOptions};

use super::Degrade;

/// The stages that process single clips.
const PER_CLIP: [Stage; 4] = [Stage::Track, Stage::Plan, Stage::Render, Stage::Publish];

/// Which clips a [`Pipeline`](crate::Pipeline) makes, and how many.
///
/// ```
/// use clipkit::ClipOptions;
/// use clipkit::model::{CaptionStyle, Platform};
///
/// let mut options = ClipOptions::default();
/// options.clips = 4;
/// options.platform = Platform::Shorts;
/// options.captions = Some(CaptionStyle::pop());
/// # assert_eq!(options.jobs, None);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClipOptions {
    /// The maximum number of clips. Default: 10.
    pub clips: usize,
    /// The minimum length of a clip; in JSON, seconds. Default: 15 s.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub min: Duration,
    /// The maximum length of a clip; in JSON, seconds. Default: 60 s.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub max: Duration,
    /// The aspect ratio of the clips, unless the renderer has a size. Default: 9:16.
    pub aspect: Aspect,
    /// The layout: one window, two windows, or the whole picture. Default: `auto`, which chooses
    /// per shot. Any other value applies to every shot; a shot that cannot have it (such as `split`
    /// with one person) leaves a warning.
    pub layout: LayoutChoice,
    /// Whether a listener who laughs is shown for a moment: while the transcript has laughter
    /// (`[Laughter]`) and this person's mouth moves, for at most 2 s, and not more often than every
    /// 8 s. It needs the layout `fill`. Default: false.
    pub reactions: bool,
    /// The target platform, which defines the safe area for captions. Default: the area that is
    /// free on every platform.
    pub platform: Platform,
    /// The caption style. `None` means no captions. In JSON: the name of a preset, a style as
    /// [`CaptionStyle::from_json`] reads it, or null. Default: karaoke.
    #[serde(with = "caption_style")]
    #[schemars(with = "Option<caption_style::StyleOrName>")]
    pub captions: Option<CaptionStyle>,
    /// The style of the clip's title over its first seconds. `None`, the default, means no title.
    /// In JSON, `{}` is the default style.
    pub hook: Option<HookStyle>,
    /// The brand: the look of captions, title and texts, overlays such as a logo, and music.
    /// Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// The words that are not to be heard in the clips or read in captions and titles. `None`, the
    /// default, leaves all words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub censor: Option<Censor>,
    /// x264's speed preset. Default: `veryfast`. `medium` takes three times as long and gives files
    /// of about the same size with slightly better quality.
    pub preset: X264Preset,
    /// x264's constant rate factor, 0 to 51. Lower values give better quality and larger files: 6
    /// less doubles the size. Default: 20.
    pub crf: u8,
    /// The loudness of the clips. `None` leaves the sound unchanged. Default: -14 LUFS, peaks up to
    /// -1 dBTP.
    pub loudness: Option<Loudness>,
    /// Whether span ends are moved by up to 0.4 s so that no word is cut. Default: true. With
    /// false, clips are cut at the scorer's times.
    pub snap: bool,
    /// Whether pauses, and from `normal` on fillers and repeated words, are cut out of the clips.
    /// The lengths `min` and `max` hold before that. `None`, the default, cuts nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tighten: Option<TightenLevel>,
    /// Where the picture becomes larger for a while. `None`, the default, is nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub punch_in: Option<PunchIn>,
    /// How many clips run concurrently. Default: half the number of processor cores, since decoder,
    /// filters and encoder of one clip use about two cores. More clips are not faster, and each
    /// takes about 300 MB for a 1080p source.
    pub jobs: Option<NonZero<usize>>,
    /// Topics that clips should be about: words or short phrases. Empty means any topic.
    pub about: Vec<String>,
    /// Topics that clips should not be about.
    pub avoid: Vec<String>,
    /// The genre of the video, which weights the criteria of the scorer. Default: a general
    /// weighting.
    pub genre: Option<Genre>,
    /// The audio track to hear and render, counted from 1 in file order. `None`, the default, is
    /// the file's default track, or another one with speech if the default track is silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_track: Option<NonZero<usize>>,
    /// The budget of a run in US dollars, at known or configured prices. Stages that use paid
    /// models stop before they exceed it. Default: no limit.
    pub max_cost: Option<f64>,
    /// The maximum number of clips in one stage at a time, for the stages that process single clips
    /// (`track`, `plan`, `render`, `publish`), if lower than `jobs`: with `{"publish": 1}`, clips
    /// are published one after the other. Default: `jobs`.
    pub at_once: BTreeMap<Stage, NonZero<usize>>,
    /// Which failing stages are replaced by a fallback. `None`, the default: a run uses
    /// [`Degrade::default`], and a step that is called on its own has no fallbacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degrade: Option<Degrade>,
}

impl Default for ClipOptions {
    fn default() -> Self {
        ClipOptions {
            clips: 10,
            min: Duration::from_secs(15),
            max: Duration::from_secs(60),
            aspect: Aspect::default(),
            layout: LayoutChoice::default(),
            reactions: false,
            platform: Platform::default(),
            captions: Some(CaptionStyle::karaoke()),
            hook: None,
            brand: None,
            censor: None,
            preset: X264Preset::Veryfast,
            crf: 20,
            loudness: Some(Loudness::ONLINE),
            snap: true,
            tighten: None,
            punch_in: None,
            jobs: None,
            about: Vec::new(),
            avoid: Vec::new(),
            genre: None,
            audio_track: None,
            max_cost: None,
            at_once: BTreeMap::new(),
            degrade: None,
        }
    }
}

impl ClipOptions {
    /// How many clips are rendered concurrently.
    pub(super) fn concurrent(&self) -> usize {
        let half = || std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        self.jobs.map_or_else(half, NonZero::get)
    }

    /// The options of the scorer.
    pub(super) fn scoring(&self) -> ScoreOptions {
        ScoreOptions {
            max_clips: self.clips,
            min: self.min,
            max: self.max,
            about: self.about.clone(),
            avoid: self.avoid.clone(),
            genre: self.genre,
        }
    }

    /// The options of [`plan`](crate::plan::plan) that follow from these options. `size` is the
    /// output's width and height in pixels: the renderer's, or [`Aspect::size`] of
    /// [`ClipOptions::aspect`].
    pub fn plan_options(&self, size: (u32, u32)) -> PlanOptions {
        PlanOptions {
            size,
            layout: self.layout,
            reactions: self.reactions,
            platform: self.platform,
            captions: self.captions.clone(),
            hook: self.hook.clone(),
            brand: self.brand.clone(),
            censor: self.censor.clone(),
            preset: self.preset,
            crf: self.crf,
            loudness: self.loudness,
        }
    }

    /// Rejects settings that no clip can be made with, before any work starts. `size` is the
    /// renderer's width and height in pixels, if it has one.
    pub(crate) fn check(&self, size: Option<(u32, u32)>) -> Result<()> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what));
        if self.clips == 0 {
            return refuse("0 clips are asked for: ask for at least 1".into());
        }
        if self.min.is_zero() || self.min > self.max {
            return refuse(format!("clips of {:?} to {:?} are asked for: min must be above 0 and at most max", self.min, self.max));
        }
        if let Some(stage) = self.at_once.keys().find(|stage| !PER_CLIP.contains(stage)) {
            return Err(Error::new(ErrorKind::Config, format!("at_once cannot limit {stage}: it works on the whole video"))
                .with_advice("limit track, plan, render or publish, or give the stage a concurrency layer"));
        }
        if let Some(censor) = &self.censor {
            censor.check()?;
        }
        if let Some(hook) = &self.hook {
            hook.check("hook").map_err(|error| Error::new(ErrorKind::Config, error.to_string()))?;
        }
        self.brand.as_ref().map_or(Ok(()), Brand::check)?;
        if let Some(usd) = self.max_cost.filter(|usd| !(0.0..).contains(usd)) {
            return refuse(format!("max_cost is {usd}: give US dollars, 0 or more"));
        }
        let probe = self.probe(size.unwrap_or(self.aspect.size()))?;
        probe.validate().map_err(|error| Error::new(ErrorKind::Config, error.to_string()))
    }

    /// Rejects more or longer clips than the limits allow.
    pub(crate) fn check_limits(&self, limits: &Limits) -> Result<()> {
        limits.check(Limit::Clips, self.clips as u64)?;
        limits.check(Limit::PlanOverlays, self.brand.as_ref().map_or(0, |brand| brand.overlays.len()) as u64)?;
        limits.check(Limit::PlanSounds, self.brand.as_ref().map_or(0, |brand| brand.sound.len()) as u64)?;
        limits.check(Limit::PlanSecs, self.max.as_secs())
    }

    /// A plan of the longest clip with these settings. Its validation fails exactly if that of
    /// every clip would.
    fn probe(&self, size: (u32, u32)) -> Result<ClipPlan> {
        let end = Timestamp::from_secs(self.max.as_secs_f64());
        let span = Span::new(Timestamp::ZERO, end)?;
        let brand = self.brand.clone().unwrap_or_default();
        let captions = self.captions.as_ref().map(|style| brand.caption_style(style)).map(|style| CaptionTrack {
            style,
            safe_area: Rect::FULL,
            cues: Vec::new(),
        });
        Ok(ClipPlan {
            version: ClipPlan::VERSION,
            source: PlanSource::new(MediaRef::new("", ContentId::new("none", "")), 1, 1, end),
            span,
            pieces: Vec::new(),
            sound: Vec::new(),
            censored: Vec::new(),
            title: String::new(),
            reason: String::new(),
            hook_line: None,
            score: Score::default(),
            shots: Vec::new(),
            faces: Vec::new(),
            subjects: Vec::new(),
            scenes: vec![Scene { span, layout: Layout::Fill { crop: Crop::still(Rect::FULL) } }],
            captions,
            hook: None,
            overlays: Vec::new(),
            zooms: Vec::new(),
            fonts: Vec::new(),
            intro: None,
            outro: None,
            post: crate::model::PostTexts::default(),
            output: self.plan_options(size).output(FrameRate::new(30, 1)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_read_from_json_with_defaults() {
        let options: ClipOptions =
            serde_json::from_str(r#"{"clips": 3, "min": 12.5, "captions": "pop", "aspect": "1:1", "layout": "split"}"#).unwrap();
        assert_eq!((options.clips, options.min), (3, Duration::from_millis(12_500)));
        assert_eq!(options.captions, Some(CaptionStyle::pop()));
        assert_eq!((options.layout, ClipOptions::default().layout), (LayoutChoice::Split, LayoutChoice::Auto));
        assert_eq!(options.max, ClipOptions::default().max);
        let text = r##"{"captions": {"like": "box", "highlight": "#ff0000"}, "hook": {"secs": 2}}"##;
        let styled: ClipOptions = serde_json::from_str(text).unwrap();
        assert_eq!(styled.captions, Some(CaptionStyle { highlight: crate::model::Rgb(255, 0, 0), ..CaptionStyle::plate() }));
        assert_eq!(styled.hook, Some(HookStyle { secs: 2.0, ..HookStyle::default() }));
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<ClipOptions>(&text).unwrap(), options);
        assert_eq!(serde_json::from_str::<ClipOptions>(r#"{"captions": null}"#).unwrap().captions, None);
        assert!(serde_json::from_str::<ClipOptions>(r#"{"clip": 3}"#).is_err());
    }

    #[test]
    fn impossible_options_are_refused_in_words() {
        let with = |change: fn(&mut ClipOptions)| {
            let mut options = ClipOptions::default();
            change(&mut options);
            options.check(None).unwrap_err()
        };
        assert_eq!(with(|o| o.clips = 0).kind(), ErrorKind::Config);
        assert!(with(|o| o.max = Duration::from_secs(10)).to_string().contains("min must be"));
        assert!(with(|o| o.loudness = Some(Loudness { integrated: f64::NAN, ..Loudness::ONLINE })).to_string().contains("output.loudness"));
        assert!(with(|o| o.max_cost = Some(f64::NAN)).to_string().contains("max_cost"));
        assert!(with(|o| o.crf = 60).to_string().contains("crf is 60"));
        let huge = |o: &mut ClipOptions| o.captions = Some(CaptionStyle { size: 3.0, ..CaptionStyle::pop() });
        assert!(with(huge).to_string().contains("captions.style.size is 3"));
        let endless = |o: &mut ClipOptions| o.hook = Some(HookStyle { secs: f64::INFINITY, ..HookStyle::default() });
        assert!(with(endless).to_string().contains("hook.secs is inf"));
        let faint = |o: &mut ClipOptions| {
            let text = r#"{"overlays": [{"content": {"kind": "text", "text": "a"}, "place": {"anchor": "top"}, "opacity": 7}]}"#;
            o.brand = Some(serde_json::from_str(text).unwrap());
        };
        assert!(with(faint).to_string().contains("brand.overlays[0].opacity is 7"));
        let styled = |o: &mut ClipOptions| o.brand = Some(serde_json::from_str(r#"{"captions": {"size": 3}}"#).unwrap());
        assert!(with(styled).to_string().contains("captions.style.size is 3"));
        assert!(ClipOptions::default().check(Some((641, 480))).is_err());
        ClipOptions::default().check(None).unwrap();
    }
}
