//! `clipkit clip`: makes clips of videos.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clipkit::config::{PublisherConfig, ScorerConfig, TrackerConfig, TranscriberConfig};
use clipkit::model::{CensorSound, HookStyle, shown_uri};
use clipkit::stage::{
    AutoTranscriberOptions, Captions, FaceModel, Folder, Heuristic, MotionTracker, OpenAiScorer, OpenAiTranscriber, SpeechModel,
};
use clipkit::weights::Weights;
use clipkit::{ClipOptions, Context, Pipeline, PipelineConfig, Result};

use super::args::{
    CensorName, ClipArgs, Encoding, Framing, Reporting, ScorerArgs, ScorerName, TrackerArgs, TrackerName, TranscriberArgs, TranscriberName,
};
use super::exit::{self, Code};
use super::interrupt::Interrupt;
use super::{progress, report, uri, usage};

/// Processes the inputs one after the other; the clips of each input run concurrently.
pub(crate) async fn run(args: ClipArgs, interrupt: &Interrupt) -> Code {
    let reporting = args.reporting;
    if let Err(error) = check(&args) {
        report::failed(reporting, None, &error, &[]);
        return exit::failed(&error);
    }
    let mut worst = Code::Success;
    for (input, out) in folders(&args.input, args.out.as_deref()) {
        if interrupt.is_asked() {
            return Code::Interrupted;
        }
        let cx = progress::context(reporting);
        // A URL may hold secrets.
        let shown = PathBuf::from(shown_uri(&input.to_string_lossy()));
        report::begin(reporting, &shown, out.as_deref());
        let config = config(&args, out.as_deref());
        let work = interrupt.guard(&cx, one(&cx, config, &input, out.as_deref(), args.plan_only, reporting));
        let result = work.await;
        if let Err(error) = &result {
            report::failed(reporting, Some(&shown), error, &cx.warnings());
        }
        worst = worst.max(exit::of(&result));
    }
    worst
}

pub(crate) fn check(args: &ClipArgs) -> Result<()> {
    args.lengths.check()?;
    if args.transcriber.transcript.is_some() && args.input.len() > 1 {
        return Err(usage("--transcript is for one video, and several are given").with_advice("put each video's transcript beside it"));
    }
    if args.plan_only && args.out.is_none() {
        return Err(usage("--plan-only writes plans into a folder").with_advice("give one with --out"));
    }
    args.out.as_deref().map_or(Ok(()), out_is_usable)
}

/// Rejects an output path that is a file, before any work starts.
pub(crate) fn out_is_usable(out: &Path) -> Result<()> {
    if out.exists() && !out.is_dir() {
        return Err(usage("this is not a folder").with_path(out).with_advice("give --out a folder, new or not"));
    }
    Ok(())
}

async fn one(cx: &Context, config: PipelineConfig, input: &Path, out: Option<&Path>, plan_only: bool, reporting: Reporting) -> Result<()> {
    let pipeline = Pipeline::from_config(cx, &config).await?;
    let uri = uri(input)?;
    let folder = out.filter(|_| plan_only);
    let Some(out) = folder else {
        let manifest = pipeline.run_with(cx, uri).await?;
        report::made(reporting, &manifest, out);
        return Ok(());
    };
    let planned = pipeline.plan_all_with(cx, uri).await?;
    let folder = Folder::new(out);
    let files = planned.plans.iter().map(|ranked| folder.write_plan(ranked.rank, &ranked.plan)).collect::<Result<Vec<_>>>()?;
    report::planned(reporting, Path::new(&shown_uri(uri)), &planned, &files, out);
    Ok(())
}

pub(crate) fn config(args: &ClipArgs, out: Option<&Path>) -> PipelineConfig {
    let mut config = PipelineConfig {
        source: args.source.config(),
        transcriber: transcriber(&args.transcriber),
        scorer: scorer(&args.scorer),
        tracker: tracker(&args.tracker),
        publishers: out.map(|out| PublisherConfig::Folder(Folder::new(out))).into_iter().collect(),
        layers: args.cache.by_stage(),
        speech_cache: args.cache.cache(),
        options: ClipOptions {
            clips: args.lengths.clips,
            min: args.lengths.min,
            max: args.lengths.max,
            jobs: args.jobs,
            about: args.content.about.clone(),
            avoid: args.content.avoid.clone(),
            genre: args.content.genre,
            audio_track: args.audio.audio_track,
            max_cost: args.budget.max_cost,
            degrade: args.fallbacks.policy(),
            ..ClipOptions::default()
        },
        ..PipelineConfig::default()
    };
    config.publishers.extend(args.publishing.publishers(&args.source.allow_private));
    frame(&mut config.options, &args.framing, &args.encoding);
    config
}

/// Sets the options for framing, captions and encoding.
pub(crate) fn frame(options: &mut ClipOptions, framing: &Framing, encoding: &Encoding) {
    options.aspect = framing.aspect;
    options.layout = framing.layout;
    options.reactions = framing.reactions;
    options.tighten = framing.tighten.level();
    options.punch_in = framing.punch_in;
    options.platform = framing.platform;
    options.captions = framing.captions.0.as_deref().cloned();
    options.hook = framing.hook_title.then(HookStyle::default);
    options.brand = framing.brand.as_deref().cloned();
    options.censor = framing.censor.clone();
    if let Some(censor) = &mut options.censor {
        censor.with = match framing.censor_with {
            CensorName::Beep => CensorSound::Beep,
            CensorName::Mute => CensorSound::Mute,
        };
    }
    encode(options, encoding);
}

/// Sets the options for encoding.
pub(crate) fn encode(options: &mut ClipOptions, encoding: &Encoding) {
    options.preset = encoding.preset;
    options.crf = encoding.crf;
    options.loudness = encoding.loudness.0;
}

/// A given transcript takes precedence over all other options.
pub(crate) fn transcriber(args: &TranscriberArgs) -> TranscriberConfig {
    let encoded = |mut captions: Captions| {
        if let Some(encoding) = &args.text_encoding {
            captions = captions.encoding(encoding);
        }
        if let Some(offset) = args.offset {
            captions = captions.offset(offset);
        }
        match &args.language {
            Some(language) => captions.language(language),
            None => captions,
        }
    };
    if let Some(file) = &args.transcript {
        return TranscriberConfig::Captions(encoded(Captions::file(file)));
    }
    let TranscriberArgs { transcriber_model: model, language, vocabulary, .. } = args;
    let default = OpenAiTranscriber::default();
    let openai = OpenAiTranscriber {
        model: model.clone().unwrap_or(default.model),
        language: language.clone(),
        prompt: vocabulary.clone(),
        ..default
    };
    let local = || TranscriberConfig::Local(SpeechModel::new(model.as_ref().map(Into::into), language.clone()));
    // A model name also selects the transcriber.
    let is_local = |model: &String| Path::new(model).is_dir() || Weights::by_id(model).is_ok();
    match (args.transcriber, model) {
        (TranscriberName::Auto, None) => {
            let mut auto = AutoTranscriberOptions::default();
            auto.captions = encoded(Captions::auto());
            auto.openai = openai;
            TranscriberConfig::Auto(auto)
        }
        (TranscriberName::Auto, Some(model)) if is_local(model) => local(),
        (TranscriberName::Auto | TranscriberName::Openai, _) => TranscriberConfig::Openai(openai),
        (TranscriberName::Local, _) => local(),
        (TranscriberName::Captions, _) => TranscriberConfig::Captions(encoded(Captions::auto())),
    }
}

pub(crate) fn scorer(args: &ScorerArgs) -> ScorerConfig {
    let ScorerArgs { scorer, scorer_model: model, scorer_price: price } = args;
    match scorer {
        ScorerName::Auto if model.is_none() && price.is_none() => ScorerConfig::Auto,
        ScorerName::Heuristic => ScorerConfig::Heuristic(Heuristic::default()),
        ScorerName::Openai | ScorerName::Auto => {
            let default = OpenAiScorer::default();
            ScorerConfig::Openai(OpenAiScorer { model: model.clone().unwrap_or(default.model), price: *price, ..default })
        }
    }
}

pub(crate) fn tracker(args: &TrackerArgs) -> TrackerConfig {
    let mut model = FaceModel::default();
    model.model = args.model.clone();
    match args.tracker {
        TrackerName::Auto => TrackerConfig::Auto(model),
        TrackerName::Onnx => TrackerConfig::Onnx(model),
        TrackerName::Motion => TrackerConfig::Motion(MotionTracker::default()),
        TrackerName::Center => TrackerConfig::Center,
    }
}

/// The output folder of each input: the given folder for a single input, a subfolder for each of
/// several. Duplicate names get a number.
pub(crate) fn folders(inputs: &[PathBuf], out: Option<&Path>) -> Vec<(PathBuf, Option<PathBuf>)> {
    let Some(out) = out else { return inputs.iter().map(|input| (input.clone(), None)).collect() };
    if let [input] = inputs {
        return vec![(input.clone(), Some(out.to_owned()))];
    }
    let mut taken = HashSet::new();
    let mut folder_of = |input: &Path| {
        let stem = name_of(input);
        let mut names = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}")));
        // File systems may ignore case, so names that differ only in case are duplicates.
        let name = names.find(|name| taken.insert(name.to_lowercase())).unwrap_or(stem);
        out.join(name)
    };
    inputs.iter().map(|input| (input.clone(), Some(folder_of(input)))).collect()
}

/// The name for an input's folder: a file's name without its ending, also at the end of a URL's
/// path. A video on YouTube has its id.
pub(crate) fn name_of(input: &Path) -> String {
    let shown = shown_uri(&input.to_string_lossy());
    if let Some((_, id)) = shown.split_once("watch?v=") {
        return id.to_owned();
    }
    let stem = Path::new(&shown).file_stem().map_or_else(|| "video".into(), |stem| stem.to_string_lossy().into_owned());
    stem.replace([':', '*', '?', '"', '<', '>', '|'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_inputs_get_a_folder_each() {
        let names = |inputs: &[&str]| -> Vec<String> {
            let inputs: Vec<PathBuf> = inputs.iter().map(PathBuf::from).collect();
            folders(&inputs, Some(Path::new("out"))).into_iter().map(|(_, out)| out.unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(&["a/talk.mp4"]), ["out"]);
        let urls = ["https://host/talk.mp4?sig=hunter2.x", "https://www.youtube.com/watch?v=aBc-_&t=3", "s3://bucket/"];
        assert_eq!(names(&urls), ["out/talk", "out/aBc-_", "out/bucket"]);
        assert_eq!(names(&["a/talk.mp4", "b/Talk.mkv", "c/talk-2.mp4", ".."]), ["out/talk", "out/Talk-2", "out/talk-2-2", "out/video"]);
    }
}
