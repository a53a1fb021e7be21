//! Clips of one video: `cargo run --release -p clipkit-examples -- talk.mp4 clips`.

use clipkit::stage::{Captions, CenterTracker, FfmpegRenderer, FileSource, Folder, Heuristic, MotionTracker};
use clipkit::stage::{OnnxTracker, StageExt};
use clipkit::weights::{Weights, WeightsStore};
use clipkit::{ClipOptions, Context, Event};
use clipkit::{Pipeline, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let input = arguments.next().unwrap_or_else(|| "talk.mp4".to_owned());
    let output = arguments.next().unwrap_or_else(|| "clips".to_owned());

    let model = WeightsStore::new().resolve(&Context::new(), Weights::DEFAULT_FACE_DETECTOR).await?;
    let mut options = ClipOptions::default();
    options.clips = 4;
    let pipeline = Pipeline::builder()
        .source(FileSource::new())
        .transcriber(Captions::auto())
        .scorer(Heuristic::default())
        .tracker(OnnxTracker::load(model)?.or(MotionTracker::default()).or(CenterTracker))
        .renderer(FfmpegRenderer::vertical(1080, 1920))
        .publisher(Folder::new(output))
        .options(options)
        .build()?;

    let cx = Context::builder()
        .on_event(|event| match event {
            Event::Clip(clip) => println!("{}: {} ({:.0})", clip.file, clip.title, clip.score.total),
            Event::Warning(warning) => eprintln!("{}: {}", warning.stage, warning.message),
            _ => {}
        })
        .build();
    let manifest = pipeline.run_with(&cx, &input).await?;
    println!("{} clips in {:.0} s", manifest.clips.len(), manifest.timings.total);
    Ok(())
}
