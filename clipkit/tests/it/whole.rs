//! Whole videos: captioned, reframed, tightened.

use std::process::Command;

use clipkit::model::{Candidate, ClipPlan, Score, Span, Timestamp, Tracks};
use clipkit::{Context, Pipeline, PipelineConfig};

use crate::cli::{Desk, run};
use crate::support::{ffmpeg, probe_json};

/// The width, height and duration of a file.
fn shape(path: &str) -> (u64, u64, f64) {
    let probe = probe_json(path.as_ref());
    let video = probe["streams"].as_array().unwrap().iter().find(|stream| stream["codec_type"] == "video").unwrap();
    let seconds = probe["format"]["duration"].as_str().unwrap().parse().unwrap();
    (video["width"].as_u64().unwrap(), video["height"].as_u64().unwrap(), seconds)
}

#[test]
fn a_whole_video_is_captioned_in_its_own_picture_or_as_a_file() {
    let desk = Desk::with_talk(36);
    let (talk, video, captions) = (desk.path("talk.mp4"), desk.path("made.mp4"), desk.path("talk.srt"));
    let (code, stdout, stderr) = run(&["caption", &talk, "-o", &video, "--preset", "ultrafast"]);
    assert!(code == 0 && stdout.contains("made.mp4"), "{stdout}{stderr}");
    let (width, height, seconds) = shape(&video);
    assert!((width, height) == (320, 180) && (seconds - 36.0).abs() < 0.1, "{width} x {height}, {seconds} s");

    assert_eq!(run(&["caption", &talk, "-o", &captions]).0, 0);
    let text = std::fs::read_to_string(&captions).unwrap();
    assert!(text.contains("-->") && text.contains("armour") && text.contains("cannot see."), "{text}");
    // The captions that were written are the transcript of the next call, and the video is the
    // same.
    let plan = desk.path("a.plan.json");
    assert_eq!(run(&["caption", &talk, "--transcript", &captions, "--captions", "pop", "-o", &plan]).0, 0);
    let plan = ClipPlan::from_json(&std::fs::read_to_string(&plan).unwrap()).unwrap();
    assert_eq!((plan.output.width, plan.span.end().secs(), plan.captions.unwrap().style.name.as_str()), (320, 36.0, "pop"));
}

#[test]
fn a_whole_video_is_reframed() {
    let desk = Desk::with_talk(4);
    let (code, stdout, stderr) =
        run(&["reframe", &desk.path("talk.mp4"), "--aspect", "1:1", "--tracker", "motion", "--json", "-o", &desk.path("made.mp4")]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!((last["event"].as_str(), last["duration"].as_f64()), (Some("file"), Some(4.0)), "{last}");
    let (width, height, _) = shape(&desk.path("made.mp4"));
    assert_eq!((width, height), (1080, 1080));
}

#[test]
fn what_these_commands_cannot_write_is_refused() {
    let desk = Desk::with_talk(2);
    let talk = desk.path("talk.mp4");
    for arguments in [
        &["caption", &talk, "-o", &talk][..],
        &["caption", &talk, "-o", &desk.path("a.mkv")],
        &["caption", &talk, "--captions", "none"],
        &["tighten", &talk, "--level", "off"],
        &["reframe", &talk, "-o", &desk.path("a.srt")],
    ] {
        let (code, _, stderr) = run(arguments);
        assert!(code == 2 && !stderr.is_empty(), "{arguments:?}: {code} {stderr}");
    }
    let (code, _, stderr) = run(&["caption", &desk.path("none.mp4"), "-o", &desk.path("a.mp4")]);
    assert!(code == 3 && stderr.contains("none.mp4"), "{stderr}");
    assert_eq!(desk.files(""), ["talk.mp4", "talk.words.json"]);
}

/// Speaks a text into a WAV file and returns its duration in seconds.
fn spoken(path: &str, text: &str) -> f64 {
    assert!(Command::new("espeak-ng").args(["-v", "en-us", "-w", path, text]).status().expect("espeak-ng speaks").success());
    probe_json(path.as_ref())["format"]["duration"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_pause_is_cut_out_of_a_whole_video_and_out_of_clips() {
    let desk = Desk::new();
    let said = ["Most bridges fail in their first winter.", "Concrete drinks water like a sponge."];
    let lengths = [spoken(&desk.path("a.wav"), said[0]), spoken(&desk.path("b.wav"), said[1])];
    let (pause, second) = (3.0, lengths[0] + 3.0);
    ffmpeg(&format!(
        "-i {} -i {} -f lavfi -i testsrc2=s=320x180:r=25 -filter_complex [0]apad=pad_dur={pause}[a];[a][1]concat=n=2:v=0:a=1[s] -map 2 -map [s] \
         -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -shortest {}",
        desk.path("a.wav"),
        desk.path("b.wav"),
        desk.path("talk.mp4")
    ));
    let timed = |text: &str, from: f64, length: f64| {
        let words: Vec<&str> = text.split(' ').collect();
        let each = length / words.len() as f64;
        words
            .into_iter()
            .enumerate()
            .map(|(n, word)| (word.to_owned(), from + n as f64 * each, from + (n + 1) as f64 * each))
            .collect::<Vec<_>>()
    };
    let words: Vec<(String, f64, f64)> = [timed(said[0], 0.0, lengths[0]), timed(said[1], second, lengths[1])].concat();
    std::fs::write(desk.path("talk.words.json"), serde_json::to_string(&words).unwrap()).unwrap();

    let (talk, made) = (desk.path("talk.mp4"), desk.path("made.mp4"));
    let (_, _, whole) = shape(&talk);
    let (code, stdout, stderr) = run(&["tighten", &talk, "--level", "tight", "-o", &made, "--preset", "ultrafast"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let (width, _, left) = shape(&made);
    assert!(width == 320 && (2.3..3.0).contains(&(whole - left)), "{whole} s, then {left} s");

    let text = r#"{"transcriber": {"kind": "captions"}, "tracker": {"kind": "center"}, "publishers": [{"kind": "folder", "path": "none"}],
        "options": {"tighten": "tight"}}"#;
    let cx = Context::new();
    let pipeline = Pipeline::from_config(&cx, &PipelineConfig::from_json(text).unwrap()).await.unwrap();
    let media = pipeline.fetch(&cx, &talk).await.unwrap();
    let transcript = pipeline.transcribe(&cx, &media).await.unwrap();
    let candidate = Candidate::new(Span::between(Timestamp::ZERO, media.duration), Score::of(50.0), "Bridges", "");
    let plan = pipeline.plan(&cx, &media, &transcript, &candidate, &Tracks::default()).await.unwrap();
    assert!(plan.pieces.len() == 2 && plan.timeline().end().secs() < media.duration.secs() - 2.3, "{:?}", plan.pieces);
    let cues = plan.captions.unwrap().cues;
    assert_eq!(cues.iter().map(|cue| cue.words.len()).sum::<usize>(), words.len());
}
