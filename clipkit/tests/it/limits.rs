//! Each limit is enforced where its input is read, and the error names the limit, the value found
//! and the setting.

use clipkit::prelude::*;
use clipkit::stage::{ReadOptions, contact_sheet, read_transcript};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::fakes::{self, Fake};
use crate::openai::sound;
use crate::render::{centred, fetch, made};
use crate::scorer::{scorer, serving, talk};
use crate::support::{ffmpeg, with};

fn within(change: impl FnOnce(&mut Limits)) -> Context {
    Context::builder().limits(with(Limits::default(), change)).build()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, limit: &str, found: &str) {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{text}");
    assert!(text.contains(&format!("the limit {limit} is")) && text.contains(found) && text.contains("--limits"), "{limit}: {text}");
}

#[test]
fn transcripts_are_limited_in_bytes_cues_and_words() {
    let srt = "1\n00:00:01,000 --> 00:00:02,000\nOne two.\n\n2\n00:00:03,000 --> 00:00:04,000\nThree.\n";
    let json = r#"{"words": [{"text": "One", "start": 1, "end": 2}, {"text": "two", "start": 2, "end": 3}]}"#;
    let read = |text: &str, change: fn(&mut Limits)| {
        let mut options = ReadOptions::default();
        change(&mut options.limits);
        read_transcript(text.as_bytes(), &options)
    };
    refused(read(srt, |it| it.transcript_bytes = 50), "transcript_bytes", &format!("{} bytes", srt.len()));
    refused(read(srt, |it| it.transcript_cues = 1), "transcript_cues", "2 cues");
    refused(read(srt, |it| it.transcript_words = 2), "transcript_words", "3 words");
    refused(read(json, |it| it.transcript_words = 1), "transcript_words", "2 words");
    // Words with times of their own are no cues.
    assert!(read(json, |it| it.transcript_cues = 1).is_ok());
    assert!(read(srt, |it| (it.transcript_cues, it.transcript_words) = (2, 3)).is_ok());
}

#[tokio::test]
async fn captions_beside_a_video_and_inside_it_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let srt = folder.path().join("talk.srt");
    std::fs::write(&srt, "1\n00:00:00,100 --> 00:00:00,500\nOne two.\n\n2\n00:00:00,600 --> 00:00:00,900\nThree.\n").unwrap();
    let video = folder.path().join("inside.mkv");
    ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=64x64:r=10:d=1 -i {} -c:v libx264 -preset ultrafast -c:s srt {}",
        srt.display(),
        video.display()
    ));
    let media = fetch(&video).await;
    let file = Captions::file(&srt);
    refused(file.transcribe(&within(|it| it.transcript_bytes = 20), &media).await, "transcript_bytes", "bytes");
    refused(file.transcribe(&within(|it| it.transcript_cues = 1), &media).await, "transcript_cues", "2 cues");
    // A stream that is skipped is said.
    let cx = within(|it| it.transcript_cues = 1);
    assert_eq!(Captions::auto().transcribe(&cx, &media).await.unwrap_err().kind(), ErrorKind::NoTranscript);
    assert!(cx.warnings()[0].message.contains("the limit transcript_cues is 1"), "{:?}", cx.warnings());
}

#[test]
fn documents_are_limited_in_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.plan.json");
    let plan = centred(&fakes::media(), Span::secs(10.0, 20.0).unwrap(), (64, 64)).to_json().unwrap();
    std::fs::write(&path, &plan).unwrap();
    assert_eq!(Context::new().read_document(&path).unwrap(), plan.as_bytes());
    let cx = within(|it| it.document_bytes = 100);
    refused(cx.read_document(&path), "document_bytes", &format!("{} bytes", plan.len()));
    refused(ClipPlan::from_json_within(&plan, cx.limits()), "document_bytes", "bytes");
    assert!(ClipPlan::from_json(&plan).is_ok());
}

#[tokio::test]
async fn plans_are_limited_in_pieces_and_length_wherever_they_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let source = made(&folder, "bars.mp4", "-f lavfi -i testsrc2=s=128x72:r=25:d=4 -c:v libx264 -preset ultrafast");
    let media = fetch(&source).await;
    let plan = centred(&media, Span::secs(0.0, 3.0).unwrap(), (64, 64));
    let piece = |start: f64, end: f64| Piece::new(Span::secs(start, end).unwrap());
    let pieces = with(plan.clone(), |it| it.pieces = vec![piece(0.0, 1.0), piece(1.0, 3.0)]);
    let text = pieces.to_json().unwrap();
    for (change, limit, found) in
        [((|it| it.plan_pieces = 1) as fn(&mut Limits), "plan_pieces", "2 entries"), (|it| it.plan_secs = 2, "plan_secs", "lasts 3 s")]
    {
        let cx = within(change);
        refused(ClipPlan::from_json_within(&text, cx.limits()), limit, found);
        refused(FfmpegRenderer::new().render(&cx, &pieces).await, limit, found);
        refused(contact_sheet(&cx, &pieces, &folder.path().join("sheet.png")).await, limit, found);
        refused(Fake::new().pipeline().render(&cx, &pieces).await, limit, found);
    }
    assert!(FfmpegRenderer::new().render(&Context::new(), &plan).await.is_ok());
}

#[tokio::test]
async fn a_run_is_limited_in_clips_before_it_begins() {
    let fake = Fake::new();
    let cx = within(|it| it.clips = 2);
    refused(fake.pipeline().run_with(&cx, "talk.mp4").await, "clips", "clips");
    assert!(fake.calls.lock().unwrap().is_empty());
    let plan = centred(&fakes::media(), Span::secs(10.0, 20.0).unwrap(), (64, 64));
    let plans: Vec<RankedPlan> = (1..=3).map(|rank| RankedPlan::new(rank, plan.clone())).collect();
    refused(fake.pipeline().render_all_with(&cx, &plans).await, "clips", "3 clips");
    let long = fake.builder().options(with(ClipOptions::default(), |it| it.max = std::time::Duration::from_secs(100))).build().unwrap();
    refused(long.run_with(&within(|it| it.plan_secs = 99), "talk.mp4").await, "plan_secs", "lasts 100 s");
    let two = fake.builder().options(with(ClipOptions::default(), |it| it.clips = 2)).build().unwrap();
    assert!(two.run_with(&cx, "talk.mp4").await.is_ok());
}

#[tokio::test]
async fn answers_of_servers_are_limited_in_bytes() {
    let long = |_: &wiremock::Request| ResponseTemplate::new(200).set_body_json(json!({"text": "x".repeat(5000)}));
    let server = serving(long).await;
    refused(scorer(&server).score(&within(|it| it.answer_bytes = 4000), &talk()).await, "answer_bytes", "bytes");
    let folder = tempfile::tempdir().unwrap();
    let media = sound(&folder, 8).await;
    let server = wiremock::MockServer::start().await;
    wiremock::Mock::given(wiremock::matchers::method("POST")).respond_with(long).mount(&server).await;
    let transcriber = with(OpenAiTranscriber::default(), |it| it.server = crate::api::at(&server.uri()));
    refused(transcriber.transcribe(&within(|it| it.answer_bytes = 4000), &media).await, "answer_bytes", "bytes");
}

#[tokio::test]
async fn media_are_limited_in_length_streams_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        "-f lavfi -i testsrc2=s=128x72:r=25:d=2 -f lavfi -i sine=d=2 -map 0 -map 1 -map 1 -c:v libx264 -preset ultrafast -c:a aac";
    let path = made(&folder, "bars.mp4", arguments);
    let uri = path.to_str().unwrap();
    for (change, limit, found) in [
        ((|it| it.media_secs = 1) as fn(&mut Limits), "media_secs", "s;"),
        (|it| it.media_streams = 2, "media_streams", "3 streams"),
        (|it| it.picture_width = 127, "picture_width", "128 pixels"),
        (|it| it.picture_height = 71, "picture_height", "72 pixels"),
        (|it| it.picture_pixels = 9215, "picture_pixels", "9216 pixels"),
    ] {
        refused(FileSource::new().fetch(&within(change), uri).await, limit, found);
    }
    let exact = within(|it| (it.media_streams, it.picture_width, it.picture_height, it.picture_pixels) = (3, 128, 72, 9216));
    assert!(FileSource::new().fetch(&exact, uri).await.is_ok());
}

#[tokio::test]
async fn a_picture_that_grows_in_the_stream_is_not_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let part = |name: &str, size: &str, at: u32| {
        let input = format!("-f lavfi -i testsrc2=s={size}:r=25:d=1 -c:v libx264 -preset ultrafast");
        let path = made(&folder, name, &format!("{input} -output_ts_offset {at} -f mpegts"));
        std::fs::read(path).unwrap()
    };
    let path = folder.path().join("grows.ts");
    std::fs::write(&path, [part("small.ts", "128x72", 0), part("large.ts", "640x360", 1)].concat()).unwrap();
    let media = fetch(&path).await;
    let span = Span::secs(0.0, media.duration.secs()).unwrap();
    let plan = centred(&media, span, (64, 64));
    let cx = within(|it| it.picture_pixels = 640 * 360 - 1);
    let error = FfmpegRenderer::new().render(&cx, &plan).await.map(drop);
    // The large pictures count as damaged ones: the clip fails, or is made with a warning.
    assert!(error.is_err() || !cx.warnings().is_empty(), "{error:?}");
}

#[cfg(feature = "cli")]
#[test]
fn the_command_takes_limits_by_name_and_in_a_file() {
    let desk = crate::cli::Desk::with_talk(3);
    let video = desk.path("talk.mp4");
    let file = desk.path("mine.json");
    std::fs::write(&file, r#"{"like": "strict", "media_secs": 2}"#).unwrap();
    let probe = |limits: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_clipkit"));
        let output = command.args(["probe", &video]).args(limits).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(probe(&["--limits", "strict"]).0, Some(0));
    let (code, said) = probe(&["--limits", &file]);
    assert!(code == Some(3) && said.contains("talk.mp4: the media last") && said.contains("the limit media_secs is 2"), "{said}");
    let (code, said) = probe(&["--limits", "loose"]);
    assert!(code == Some(2) && said.contains("there are no limits"), "{said}");
}
