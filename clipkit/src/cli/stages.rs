//! `clipkit transcribe`, `score` and `track`: run one stage and write its result as JSON.

use std::path::Path;

use clipkit::model::{Media, Timestamp, Transcript};
use clipkit::stage::{FileSource, ScoreOptions, Scoring, Source, Tracking};
use clipkit::{Context, Error, ErrorKind, Result};

use super::args::{ScoreArgs, TrackArgs, TranscribeArgs};
use super::interrupt::Interrupt;
use super::output::{note, warn_all, write_json};
use super::{Done, clip, limits, report, uri, usage};

pub(crate) async fn transcribe(args: TranscribeArgs, interrupt: &Interrupt) -> Done {
    let transcriber = clip::transcriber(&args.transcriber).build(args.cache.layers())?;
    let work = async |cx: &Context| {
        let media = fetch(cx, &args.input).await?;
        transcriber.transcribe(&cx.for_stage(clipkit::model::Stage::Transcribe), &media).await
    };
    let transcript = with_warnings(interrupt, args.budget.max_cost, work).await?;
    write_json(args.output.as_deref(), &transcript)
}

pub(crate) async fn score(args: ScoreArgs, interrupt: &Interrupt) -> Done {
    args.lengths.check()?;
    let options = ScoreOptions { max_clips: args.lengths.clips, min: args.lengths.min, max: args.lengths.max, ..args.content.options() };
    let transcript = read(&args.transcript)?;
    let scorer = clip::scorer(&args.scorer).build(args.cache.layers())?;
    let work = async |cx: &Context| {
        let media = match &args.media {
            Some(path) => Some(fetch(cx, path).await?),
            None => None,
        };
        scorer.score(&cx.for_stage(clipkit::model::Stage::Score), &Scoring { media, transcript, options }).await
    };
    let candidates = with_warnings(interrupt, args.budget.max_cost, work).await?;
    if candidates.is_empty() {
        return Err(Error::new(ErrorKind::NothingFound, "nothing worth a clip was found")
            .with_path(&args.transcript)
            .with_advice("ask for shorter clips (--min)"));
    }
    if args.explain {
        report::explained(&candidates).iter().for_each(|line| note(line));
    }
    write_json(args.output.as_deref(), &candidates)
}

pub(crate) async fn track(args: TrackArgs, interrupt: &Interrupt) -> Done {
    let config = clip::tracker(&args.tracker);
    let work = async |cx: &Context| {
        let tracker = config.build(cx, args.cache.layers()).await?;
        let media = fetch(cx, &args.input).await?;
        media.require_video()?;
        let Some(span) = args.span.intersection(clipkit::model::Span::between(Timestamp::ZERO, media.duration)) else {
            return Err(usage(format!("--span lies after the end of the video, {}", media.duration)).with_path(&args.input));
        };
        tracker.track(&cx.for_stage(clipkit::model::Stage::Track), &Tracking { media, span }).await
    };
    let tracks = with_warnings(interrupt, None, work).await?;
    write_json(args.output.as_deref(), &tracks)
}

/// Runs `work` under a new context, then prints its warnings and cost.
async fn with_warnings<T>(interrupt: &Interrupt, max_cost: Option<f64>, work: impl AsyncFnOnce(&Context) -> Result<T>) -> Result<T> {
    let mut builder = limits::builder();
    if let Some(usd) = max_cost {
        builder = builder.max_cost(usd);
    }
    let cx = builder.build();
    let result = interrupt.guard(&cx, work(&cx)).await;
    warn_all(&cx.warnings());
    if let Some(line) = report::spent(&cx.usage()) {
        note(&line);
    }
    result
}

async fn fetch(cx: &Context, path: &Path) -> Result<Media> {
    FileSource::new().fetch(&cx.for_stage(clipkit::model::Stage::Source), uri(path)?).await
}

fn read(path: &Path) -> Result<Transcript> {
    let bytes = limits::read(path)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, format!("this is not a transcript: {error}"))
            .with_path(path)
            .with_advice("make one with clipkit transcribe")
    })
}
