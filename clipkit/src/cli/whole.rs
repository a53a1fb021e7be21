//! `clipkit caption`, `reframe` and `tighten`: the engine's parts on whole videos.

use std::path::{Path, PathBuf};

use clipkit::config::TrackerConfig;
use clipkit::model::{Timestamp, shown_uri};
use clipkit::plan::export::{ExportFormat, ExportOptions};
use clipkit::{ClipOptions, Context, Pipeline, PipelineConfig, Result, WholePicture, stage, store};

use super::args::{CaptionArgs, ReframeArgs, TightenArgs, TranscriberArgs, WholeArgs};
use super::exit::{self, Code};
use super::interrupt::Interrupt;
use super::output::{write_bytes, write_json};
use super::{clip, progress, report, uri, usage};

pub(crate) async fn caption(args: CaptionArgs, interrupt: &Interrupt) -> Code {
    let mut config = with_words(&args.whole, &args.transcriber, args.budget.max_cost);
    config.options.captions = args.captions.0.map(|style| *style);
    if config.options.captions.is_none() {
        return exit::failed(&usage("a video is captioned, and --captions is none").with_advice("name a style"));
    }
    run(&args.whole, "captioned", config, WholePicture::Keep, interrupt).await
}

pub(crate) async fn reframe(args: ReframeArgs, interrupt: &Interrupt) -> Code {
    let mut config = config(&args.whole);
    config.tracker = clip::tracker(&args.tracker);
    (config.options.aspect, config.options.layout) = (args.aspect, args.layout);
    let suffix = format!("{}", args.aspect).replace(':', "x");
    run(&args.whole, &suffix, config, WholePicture::Reframe, interrupt).await
}

pub(crate) async fn tighten(args: TightenArgs, interrupt: &Interrupt) -> Code {
    let mut config = with_words(&args.whole, &args.transcriber, args.budget.max_cost);
    config.options.tighten = args.level.level();
    if config.options.tighten.is_none() {
        return exit::failed(&usage("a video is tightened, and --level is off").with_advice("name a level"));
    }
    run(&args.whole, "tightened", config, WholePicture::Keep, interrupt).await
}

/// A configuration without captions and tracker.
fn config(args: &WholeArgs) -> PipelineConfig {
    let mut config = PipelineConfig {
        source: args.source.config(),
        tracker: TrackerConfig::Center,
        layers: args.cache.by_stage(),
        speech_cache: args.cache.cache(),
        options: ClipOptions {
            captions: None,
            audio_track: args.audio.audio_track,
            degrade: args.fallbacks.policy(),
            ..ClipOptions::default()
        },
        ..PipelineConfig::default()
    };
    clip::encode(&mut config.options, &args.encoding);
    config
}

fn with_words(args: &WholeArgs, transcriber: &TranscriberArgs, max_cost: Option<f64>) -> PipelineConfig {
    let mut config = PipelineConfig { transcriber: clip::transcriber(transcriber), ..config(args) };
    config.options.max_cost = max_cost;
    config
}

/// What is written.
#[derive(Debug, PartialEq)]
enum Kind {
    Video,
    Plan,
    Captions(ExportFormat),
}

impl Kind {
    fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if name.ends_with(".plan.json") {
            return Ok(Kind::Plan);
        }
        let ending = name.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
        match ending.parse::<ExportFormat>() {
            _ if ending == "mp4" => Ok(Kind::Video),
            Ok(format) if !format.is_timeline() && format != ExportFormat::Json => Ok(Kind::Captions(format)),
            _ => Err(usage(format!("files with the ending {ending:?} are not written"))
                .with_path(path)
                .with_advice("name a .mp4, a .plan.json, a .srt, .vtt, .ass or .txt file")),
        }
    }
}

async fn run(args: &WholeArgs, suffix: &str, config: PipelineConfig, picture: WholePicture, interrupt: &Interrupt) -> Code {
    let cx = progress::context(args.reporting);
    let shown = PathBuf::from(shown_uri(&args.input.to_string_lossy()));
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.{suffix}.mp4", clip::name_of(&args.input))));
    report::begin(args.reporting, &shown, None);
    let result = interrupt.guard(&cx, make(&cx, args, config, picture, &output)).await;
    match &result {
        Ok(made) => report::written(args.reporting, &shown, &output, *made, &cx),
        Err(error) => report::failed(args.reporting, Some(&shown), error, &cx.warnings()),
    }
    exit::of(&result)
}

async fn make(cx: &Context, args: &WholeArgs, config: PipelineConfig, picture: WholePicture, output: &Path) -> Result<Timestamp> {
    let kind = Kind::of(output)?;
    if matches!(kind, Kind::Captions(_)) && config.options.captions.is_none() {
        return Err(usage("this command writes no captions").with_path(output).with_advice("make them with clipkit caption"));
    }
    if same_file(&args.input, output) {
        return Err(usage("this is the video itself").with_path(output).with_advice("name another file with -o"));
    }
    let pipeline = Pipeline::from_config(cx, &config).await?;
    let plan = pipeline.plan_whole(cx, uri(&args.input)?, picture).await?;
    let mut duration = plan.timeline().end();
    match kind {
        Kind::Plan => write_json(Some(output), &plan)?,
        Kind::Captions(format) => {
            let text = stage::export(cx, std::slice::from_ref(&plan), format, &ExportOptions::default()).await?;
            write_bytes(Some(output), text.as_bytes())?;
        }
        Kind::Video => {
            let clip = pipeline.render(cx, &plan).await?;
            store::move_file(&clip.video, output)?;
            duration = plan.parts().map_or(clip.duration, |parts| parts.end());
        }
    }
    Ok(duration)
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_what_is_written() {
        for (name, expected) in [
            ("a/talk.mp4", Kind::Video),
            ("TALK.MP4", Kind::Video),
            ("talk.plan.json", Kind::Plan),
            ("talk.srt", Kind::Captions(ExportFormat::Srt)),
            ("talk.de.vtt", Kind::Captions(ExportFormat::Vtt)),
        ] {
            assert_eq!(Kind::of(Path::new(name)).unwrap(), expected, "{name}");
        }
        for name in ["talk.mkv", "talk", "talk.json", "talk.otio", ".."] {
            assert!(Kind::of(Path::new(name)).is_err(), "{name}");
        }
    }
}
