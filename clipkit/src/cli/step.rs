//! `clipkit step`: runs one step of a run, with JSON documents as input and output.

use std::path::{Path, PathBuf};

use clipkit::config::{PipelineConfig, TrackerConfig};
use clipkit::model::{Candidate, Media, Post, PostFiles, Tracks, Transcript};
use clipkit::{ClipOptions, Context, Error, ErrorKind, Pipeline, Result};
use serde::de::DeserializeOwned;

use super::args::{StepArgs, StepCommand};
use super::interrupt::Interrupt;
use super::output::{note, warn_all, write_json};
use super::{Done, clip, limits, plans, report, usage};

pub(crate) async fn run(args: StepArgs, interrupt: &Interrupt) -> Done {
    match args.command {
        StepCommand::Fetch(args) => {
            let mut config = PipelineConfig { source: args.source.config(), ..bare() };
            config.options.audio_track = args.audio.audio_track;
            let media = step(interrupt, config, async |cx, pipeline| pipeline.fetch(cx, &args.uri).await).await?;
            write_json(args.output.output.as_deref(), &media)
        }
        StepCommand::Transcribe(args) => {
            let media: Media = read(&args.media, "media")?;
            let mut config = PipelineConfig {
                transcriber: clip::transcriber(&args.transcriber),
                layers: args.cache.by_stage(),
                speech_cache: args.cache.cache(),
                ..bare()
            };
            config.options.degrade = args.fallbacks.policy();
            config.options.max_cost = args.budget.max_cost;
            let work = async |cx: &Context, pipeline: &Pipeline| pipeline.transcribe(cx, &media).await;
            write_json(args.output.output.as_deref(), &step(interrupt, config, work).await?)
        }
        StepCommand::Listen(args) => {
            let media: Media = read(&args.media, "media")?;
            let config = PipelineConfig { speech_cache: args.cache.cache(), ..bare() };
            let work = async |cx: &Context, pipeline: &Pipeline| pipeline.listen(cx, &media).await;
            write_json(args.output.output.as_deref(), &*step(interrupt, config, work).await?)
        }
        StepCommand::Choose(args) => {
            args.lengths.check()?;
            let (media, transcript): (Media, Transcript) = (read(&args.media, "media")?, read(&args.transcript, "a transcript")?);
            let mut config = PipelineConfig {
                scorer: clip::scorer(&args.scorer),
                layers: args.cache.by_stage(),
                speech_cache: args.cache.cache(),
                ..bare()
            };
            config.options = ClipOptions {
                clips: args.lengths.clips,
                min: args.lengths.min,
                max: args.lengths.max,
                about: args.content.about.clone(),
                avoid: args.content.avoid.clone(),
                genre: args.content.genre,
                max_cost: args.budget.max_cost,
                degrade: args.fallbacks.policy(),
                ..config.options
            };
            let work = async |cx: &Context, pipeline: &Pipeline| pipeline.choose(cx, &media, &transcript).await;
            write_json(args.output.output.as_deref(), &step(interrupt, config, work).await?)
        }
        StepCommand::Track(args) => {
            let media: Media = read(&args.media, "media")?;
            let mut config = PipelineConfig {
                tracker: clip::tracker(&args.tracker),
                layers: args.cache.by_stage(),
                speech_cache: args.cache.cache(),
                ..bare()
            };
            config.options.degrade = args.fallbacks.policy();
            let work = async |cx: &Context, pipeline: &Pipeline| pipeline.track(cx, &media, args.span).await;
            write_json(args.output.output.as_deref(), &step(interrupt, config, work).await?)
        }
        StepCommand::Plan(args) => {
            let media: Media = read(&args.media, "media")?;
            let transcript: Transcript = read(&args.transcript, "a transcript")?;
            let candidates: Vec<Candidate> = read(&args.candidates, "a list of candidates")?;
            let tracks: Option<Tracks> = args.tracks.as_deref().map(|path| read(path, "tracks")).transpose()?;
            let Some(candidate) = candidates.get(args.rank.get() - 1) else {
                return Err(
                    usage(format!("--rank is {}, and there are {} candidates", args.rank, candidates.len())).with_path(&args.candidates)
                );
            };
            let mut config = PipelineConfig {
                tracker: clip::tracker(&args.tracker),
                layers: args.cache.by_stage(),
                speech_cache: args.cache.cache(),
                ..bare()
            };
            clip::frame(&mut config.options, &args.framing, &args.encoding);
            config.options.degrade = args.fallbacks.policy();
            let work = async |cx: &Context, pipeline: &Pipeline| {
                let cx = &cx.for_clip(args.rank.get());
                let tracks = match tracks {
                    Some(tracks) => tracks,
                    None => pipeline.track(cx, &media, candidate.span).await?,
                };
                pipeline.plan(cx, &media, &transcript, candidate, &tracks).await
            };
            write_json(args.output.output.as_deref(), &step(interrupt, config, work).await?)
        }
        StepCommand::Render(args) => {
            let plan = plans::read(&args.plan)?;
            let folder = args.files.clone().unwrap_or_else(|| folder_of(args.output.output.as_deref()));
            clip::out_is_usable(&folder)?;
            let mut config = bare();
            config.options.degrade = args.fallbacks.policy();
            let rank = args.rank.get();
            let work = async |cx: &Context, pipeline: &Pipeline| {
                let post = pipeline.render_post(&cx.for_clip(rank), rank, &plan).await?;
                kept(&folder, post)
            };
            write_json(args.output.output.as_deref(), &step(interrupt, config, work).await?)
        }
        StepCommand::Publish(args) => {
            let post: Post = read(&args.post, "a post")?;
            if args.publishing.publish.is_empty() {
                return Err(usage("there is no target").with_advice("give one: --publish folder:clips"));
            }
            let config = PipelineConfig { publishers: args.publishing.publishers(&[]), ..bare() };
            let work = async |cx: &Context, pipeline: &Pipeline| {
                let mut receipts = Vec::new();
                for target in pipeline.targets() {
                    receipts.push(pipeline.publish_to(&cx.for_clip(post.rank), &target, &post).await?);
                }
                Ok(receipts)
            };
            write_json(args.output.output.as_deref(), &step(interrupt, config, work).await?)
        }
    }
}

/// A configuration that needs no model; each step sets the stages that it uses.
fn bare() -> PipelineConfig {
    PipelineConfig { tracker: TrackerConfig::Center, ..PipelineConfig::default() }
}

/// Runs a step under a new context, then prints its warnings and cost.
async fn step<T>(interrupt: &Interrupt, config: PipelineConfig, work: impl AsyncFnOnce(&Context, &Pipeline) -> Result<T>) -> Result<T> {
    let mut builder = limits::builder();
    if let Some(usd) = config.options.max_cost {
        builder = builder.max_cost(usd);
    }
    let cx = builder.build();
    let taken = async {
        let pipeline = Pipeline::from_config(&cx, &config).await?;
        work(&cx, &pipeline).await
    };
    let result = interrupt.guard(&cx, taken).await;
    warn_all(&cx.warnings());
    if let Some(line) = report::spent(&cx.usage()) {
        note(&line);
    }
    result
}

pub(crate) fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    let bytes = limits::read(path)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, format!("this is not {what}: {error}"))
            .with_path(path)
            .with_advice("give the document that the step before wrote")
    })
}

fn folder_of(output: Option<&Path>) -> PathBuf {
    let folder = output.filter(|output| *output != Path::new("-")).and_then(Path::parent);
    folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Moves the post's files into a permanent folder, where the clip's id is their name.
fn kept(folder: &Path, mut post: Post) -> Result<Post> {
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, "make the folder", error))?;
    let keep = |file: &Path, ending: &str| -> Result<PathBuf> {
        let to = folder.join(format!("{}.{ending}", post.clip));
        clipkit::store::move_file(file, &to)?;
        Ok(to)
    };
    let PostFiles { video, cover, captions, plan, .. } = &post.files;
    let mut files = PostFiles::new(keep(video, "mp4")?);
    files.cover = cover.as_deref().map(|file| keep(file, "jpg")).transpose()?;
    files.captions = captions.as_deref().map(|file| keep(file, "srt")).transpose()?;
    files.plan = plan.as_deref().map(|file| keep(file, "plan.json")).transpose()?;
    post.files = files;
    Ok(post)
}
