//! Fetches a video from anywhere and says what is known of it:
//!
//! ```text
//! cargo run --bin sources -- ADDRESS
//! ```
//!
//! The address is a path, the URL of a media file, an object (`s3://bucket/talk.mp4`, with the
//! Cargo feature `s3`) or a page that yt-dlp knows.

use clipkit::prelude::*;

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "talk.mp4".to_owned());
    for check in clipkit::doctor(&Environment::from_process()).checks {
        if let Some(cost) = check.cost {
            eprintln!("{}: {cost}", check.name);
        }
    }
    // The defaults, in full: `AutoSource::new()` alone does the same.
    let mut source = AutoSource::new();
    source.ytdlp.height = 1080;
    // A layer continues a download that breaks off, as often as it says.
    let source = source.layer(Retry::times(3));
    let cx = Context::builder()
        .on_event(|event| {
            if let Event::Progress { fraction, .. } = event {
                eprint!("\r{:3.0} %", fraction * 100.0);
            }
        })
        .build()
        .for_stage(Stage::Source);
    let media = source.fetch(&cx, &address).await?;
    eprintln!();
    println!("{} is {} ({})", media.uri, media.id, media.path.display());
    println!("title: {:?}, by {:?}, in {:?}", media.about.title, media.about.uploader, media.about.language);
    for chapter in &media.about.chapters {
        println!("{} {}", chapter.span, chapter.title);
    }
    // The platform's own captions, where it has some in the spoken language.
    match Captions::auto().transcribe(&cx, &media).await {
        Ok(transcript) => println!("{} words from {}", transcript.words.len(), transcript.origin),
        Err(error) => println!("{error}"),
    }
    Ok(())
}
