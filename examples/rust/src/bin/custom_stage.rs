//! A stage of one's own: clips around the places where a word is said.
//! `cargo run --release -p clipkit-examples --bin custom_stage -- talk.mp4 word`.

use async_trait::async_trait;
use clipkit::model::{Candidate, Score};
use clipkit::model::{Span, Timestamp};
use clipkit::stage::Scoring;
use clipkit::stage::{Captions, CenterTracker, FfmpegRenderer, FileSource, Folder, Scorer};
use clipkit::{Context, Pipeline, Result};

/// Chooses spans by a word that is said in them.
struct Mentions {
    word: String,
}

#[async_trait]
impl Scorer for Mentions {
    async fn score(&self, _cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        let words = &scoring.transcript.words;
        let half = (scoring.options.min + scoring.options.max).as_secs_f64() / 4.0;
        let mut found: Vec<Candidate> = Vec::new();
        for word in words.iter().filter(|word| word.text.to_lowercase().contains(&self.word)) {
            let span = Span::between(word.start.plus(-half).max(Timestamp::ZERO), word.start.plus(half));
            // Spans must not overlap: a mention soon after another is in its clip already.
            if found.len() < scoring.options.max_clips && found.iter().all(|other| other.span.intersection(span).is_none()) {
                let title = format!("About {}", self.word);
                let reason = format!("{:?} is said at {}", self.word, word.start);
                found.push(Candidate::new(span, Score::of(50.0), title, reason));
            }
        }
        Ok(found)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let input = arguments.next().unwrap_or_else(|| "talk.mp4".to_owned());
    let word = arguments.next().unwrap_or_else(|| "because".to_owned()).to_lowercase();
    let manifest = Pipeline::builder()
        .source(FileSource::new())
        .transcriber(Captions::auto())
        .scorer(Mentions { word })
        .tracker(CenterTracker)
        .renderer(FfmpegRenderer::vertical(1080, 1920))
        .publisher(Folder::new("clips"))
        .build()?
        .run(&input)
        .await?;
    for clip in manifest.clips {
        println!("{}: {}", clip.file, clip.reason);
    }
    Ok(())
}
