//! Runs every real file through the pipeline. The result is a valid clip, or an error that names
//! the file and leaves no partial output.

use crate::support::with;
use std::sync::Arc;
use std::time::Duration;

use clipkit::prelude::*;
use futures::StreamExt;

use crate::fakes::{Fake, candidate};
use crate::support::{probe_json, testdata, videos};

/// A pipeline with fixed words and spans, and real files.
fn pipeline(out: &std::path::Path) -> Pipeline {
    let mut fake = Fake::new();
    fake.candidates = Arc::new(|_, scoring| {
        let end = scoring.media.as_ref().map_or(0.0, |media| media.duration.secs());
        Ok(vec![candidate(0.0, end.min(1.5), 50.0)])
    });
    let fake = Arc::new(fake);
    let options = with(ClipOptions::default(), |it| {
        it.min = Duration::from_millis(10);
        it.max = Duration::from_secs(2);
        it.preset = X264Preset::Ultrafast;
    });
    Pipeline::builder()
        .source(FileSource::new())
        .transcriber(fake.clone())
        .scorer(fake)
        .tracker(CenterTracker)
        .renderer(FfmpegRenderer::vertical(180, 320))
        .publisher(Folder::new(out))
        .options(options)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn every_file_gives_a_clip_or_an_error_that_names_it() {
    let root = tempfile::tempdir().unwrap();
    let files = videos(&testdata().join("media"));
    assert!(files.len() > 50, "{} files", files.len());
    let runs = files.into_iter().enumerate().map(|(n, file)| {
        let out = root.path().join(n.to_string());
        async move {
            let uri = file.to_str().unwrap();
            let result = tokio::time::timeout(Duration::from_secs(60), pipeline(&out).run(uri)).await;
            let result = result.unwrap_or_else(|_| panic!("{uri} hangs"));
            match result {
                Ok(manifest) => {
                    let clip = &manifest.clips[0];
                    let probe = probe_json(&out.join(&clip.file));
                    let length: f64 = probe["streams"][0]["duration"].as_str().unwrap().parse().unwrap();
                    let plan = std::fs::read_to_string(out.join(clip.plan.as_ref().unwrap())).unwrap();
                    let rate = ClipPlan::from_json(&plan).unwrap().output.frame_rate.fps();
                    let planned = clip.span.duration().as_secs_f64();
                    assert!((length - planned).abs() <= 1.0 / rate + 0.001, "{uri}: {length} s, not {planned} s");
                    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 4, "{uri}");
                    None
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.starts_with(uri) && !text.contains('\n'), "{uri}: {text}");
                    assert!(matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Decode), "{uri}: {error:?}");
                    assert!(!out.exists(), "{uri} left something");
                    Some(text)
                }
            }
        }
    });
    let all = runs.len();
    let refused: Vec<String> = futures::stream::iter(runs).buffer_unordered(2).filter_map(|refusal| async { refusal }).collect().await;
    println!("refused:\n{}", refused.join("\n"));
    // Only files without video may be rejected.
    let fits = |text: &String| text.contains("there is no picture") || text.contains("this is not a media file");
    assert!(refused.iter().all(fits) && refused.len() * 3 < all, "{} of {all} are refused:\n{}", refused.len(), refused.join("\n"));
}
