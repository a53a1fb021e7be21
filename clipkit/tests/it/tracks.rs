//! Subtitle streams inside a video: which one is read, and what of it.

#![allow(clippy::unwrap_used)] // Helpers of tests fail as tests do.

use std::fs;
use std::path::{Path, PathBuf};

use clipkit::model::{SubtitleStream, Timestamp, Transcript, Warning, WarningKind};
use clipkit::stage::{CaptionOffset, Captions, Transcriber};
use clipkit::{Context, Error, ErrorKind};

use crate::render::fetch;
use crate::support::{ffmpeg, testdata, with};

const SOURCE: &str = "-f lavfi -i testsrc2=s=64x64:r=10:d=6 -f lavfi -i sine=d=6";

/// A caption file with one cue.
fn captions(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, format!("1\n00:00:01,000 --> 00:00:03,000\n{text}\n")).unwrap();
    path.display().to_string()
}

/// A video with these texts as subtitle streams, and more arguments of the muxer.
fn video(folder: &tempfile::TempDir, name: &str, texts: &[&str], arguments: &str) -> PathBuf {
    let path = folder.path().join(name);
    let files: Vec<String> = (1..).zip(texts).map(|(n, text)| captions(folder, &format!("{n}.srt"), text)).collect();
    let inputs: String = files.iter().map(|file| format!(" -i {file}")).collect();
    let maps: String = (0..texts.len()).map(|n| format!(" -map {}", n + 2)).collect();
    ffmpeg(&format!(
        "{SOURCE}{inputs} -map 0 -map 1{maps} -c:v libx264 -preset ultrafast -c:a aac -metadata:s:a:0 language=eng {arguments} {}",
        path.display()
    ));
    path
}

async fn read(captions: Captions, path: &Path) -> (Result<Transcript, Error>, Vec<Warning>) {
    let (cx, media) = (Context::new(), fetch(path).await);
    (captions.transcribe(&cx, &media).await, cx.warnings())
}

fn said(transcript: &Transcript) -> String {
    transcript.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_default_stream_is_read_and_forced_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["Forced sign", "Guten Tag", "Good day", "Whole English"];
    let marks = "-c:s srt -metadata:s:s:0 language=eng -metadata:s:s:1 language=ger -metadata:s:s:2 language=eng -metadata:s:s:3 language=eng \
                 -metadata:s:s:3 title=SDH -disposition:s:0 forced -disposition:s:1 0 -disposition:s:2 0 -disposition:s:3 default";
    let path = video(&folder, "talk.mkv", &texts, marks);
    let media = fetch(&path).await;
    let marked: Vec<(bool, bool)> = media.subtitles.iter().map(|stream| (stream.default, stream.forced)).collect();
    assert_eq!(marked, [(false, true), (false, false), (false, false), (true, false)]);
    assert_eq!(media.subtitles[3].title.as_deref(), Some("SDH"));

    let (transcript, warnings) = read(Captions::auto(), &path).await;
    let transcript = transcript.unwrap();
    assert_eq!((said(&transcript).as_str(), transcript.language.as_deref()), ("Whole English", Some("en")));
    assert_eq!(warnings.iter().map(|warning| warning.kind).collect::<Vec<_>>(), [WarningKind::Track], "{warnings:?}");
    let message = &warnings[0].message;
    assert!(message.starts_with("stream 5 (subrip, en, \"SDH\", default) is used; there are also stream 4 (subrip, en), "), "{message}");
    assert!(message.contains("stream 3 (subrip, de)") && !message.contains("stream 2") && message.contains("--language"), "{message}");

    let (german, _) = read(Captions::auto().language("de"), &path).await;
    assert_eq!(said(&german.unwrap()), "Guten Tag");
}

#[tokio::test]
async fn without_marks_the_language_of_the_sound_decides() {
    let folder = tempfile::tempdir().unwrap();
    let marks = "-c:s srt -metadata:s:s:0 language=ger -metadata:s:s:1 language=eng -disposition:s 0";
    let path = video(&folder, "talk.mkv", &["Guten Tag", "Good day"], marks);
    let (transcript, warnings) = read(Captions::auto(), &path).await;
    assert_eq!(said(&transcript.unwrap()), "Good day");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    // One stream needs no warning, whatever its language is.
    let path = video(&folder, "alone.mkv", &["Guten Tag"], "-c:s srt -metadata:s:s:0 language=ger");
    let (transcript, warnings) = read(Captions::auto(), &path).await;
    assert_eq!((said(&transcript.unwrap()).as_str(), warnings.len()), ("Guten Tag", 0));
}

#[tokio::test]
async fn a_video_with_forced_subtitles_only_has_no_transcript_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = video(&folder, "talk.mkv", &["TOWN HALL"], "-c:s srt -disposition:s:0 forced");
    let (answer, warnings) = read(Captions::auto(), &path).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NoTranscript);
    assert!(warnings.len() == 1 && warnings[0].message.contains("forced"), "{warnings:?}");
    assert_eq!(warnings[0].kind, WarningKind::InputLost);
}

#[tokio::test]
async fn each_container_and_codec_gives_its_words() {
    let folder = tempfile::tempdir().unwrap();
    for (name, codec) in
        [("talk.mkv", "srt"), ("ass.mkv", "ass"), ("vtt.mkv", "webvtt"), ("talk.mp4", "mov_text"), ("talk.mov", "mov_text")]
    {
        let path = video(&folder, name, &["<i>One</i>, two & three."], &format!("-c:s {codec}"));
        let (transcript, warnings) = read(Captions::auto(), &path).await;
        let transcript = transcript.unwrap();
        assert_eq!(said(&transcript), "One, two & three.", "{name}");
        let (first, last) = (&transcript.words[0], transcript.words.last().unwrap());
        assert!((first.start.secs() - 1.0).abs() < 0.05 && (last.end.secs() - 3.0).abs() < 0.3, "{name}: {first:?} {last:?}");
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
    }
}

#[tokio::test]
async fn a_stream_in_another_encoding_is_decoded_and_moved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.mkv");
    // "Почему мосты ломаются в первую зиму?" in windows-1251.
    let text = [
        &b"1\n00:00:01,000 --> 00:00:03,000\n"[..],
        b"\xcf\xee\xf7\xe5\xec\xf3 \xec\xee\xf1\xf2\xfb \xeb\xee\xec\xe0\xfe\xf2\xf1\xff \xe2 \xef\xe5\xf0\xe2\xf3\xfe \xe7\xe8\xec\xf3?\n",
    ];
    let file = folder.path().join("file.srt");
    fs::write(&file, text.concat()).unwrap();
    ffmpeg(&format!(
        "{SOURCE} -i {} -map 0 -map 1 -map 2 -c:v libx264 -preset ultrafast -c:a aac -c:s copy {}",
        file.display(),
        path.display()
    ));
    let (transcript, warnings) = read(Captions::auto().offset(CaptionOffset::Fixed(Timestamp::from_secs(1.0))), &path).await;
    let transcript = transcript.unwrap();
    assert_eq!(
        said(&transcript),
        "\u{41f}\u{43e}\u{447}\u{435}\u{43c}\u{443} \u{43c}\u{43e}\u{441}\u{442}\u{44b} \u{43b}\u{43e}\u{43c}\u{430}\u{44e}\u{442}\u{441}\u{44f} \u{432} \u{43f}\u{435}\u{440}\u{432}\u{443}\u{44e} \u{437}\u{438}\u{43c}\u{443}?"
    );
    // The container's own start is a little before 0.
    assert!((transcript.words[0].start.secs() - 2.0).abs() < 0.05, "{:?}", transcript.words[0]);
    assert!(warnings.len() == 1 && warnings[0].message.contains("windows-1251"), "{warnings:?}");
}

#[tokio::test]
async fn streams_of_pictures_are_skipped_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = video(&folder, "talk.mkv", &["Good day"], "-c:s srt");
    let mut media = fetch(&path).await;
    media.subtitles.push(with(SubtitleStream::new(9, "hdmv_pgs_subtitle"), |it| it.default = true));
    let cx = Context::new();
    let transcript = Captions::auto().transcribe(&cx, &media).await.unwrap();
    assert_eq!(said(&transcript), "Good day");
    let warnings = cx.warnings();
    assert!(warnings.len() == 1 && warnings[0].message.contains("stream 9 (hdmv_pgs_subtitle, default)"), "{warnings:?}");
    assert!(warnings[0].message.contains("pictures") && warnings[0].message.contains("skipped"), "{warnings:?}");
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn a_real_stream_of_pictures_is_named() {
    let path = testdata().join("media/androidx/mkv_sample_with_pgs_subtitles.mkv");
    let (answer, warnings) = read(Captions::auto(), &path).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NoTranscript);
    assert!(warnings.iter().any(|warning| warning.message.contains("hdmv_pgs_subtitle")), "{warnings:?}");
}
