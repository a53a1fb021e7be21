//! Transcripts from captions, and the clips chosen from them, on real captions and on broken ones.

use std::fs;
use std::path::{Path, PathBuf};

use clipkit::{
    Candidate, Captions, ContentId, Context, ErrorKind, Heuristic, Media, ScoreOptions, Scorer, Scoring, SubtitleStream, Timestamp,
    Transcriber, Transcript,
};

use crate::support::testdata;

fn media(path: impl Into<PathBuf>, secs: f64) -> Media {
    Media {
        path: path.into(),
        id: ContentId::new("test", "0"),
        container: "mov,mp4,m4a,3gp,3g2,mj2".into(),
        duration: Timestamp::from_secs(secs),
        video: None,
        audio: Vec::new(),
        subtitles: Vec::new(),
    }
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn read(path: &Path) -> Transcript {
    wait(Captions::file(path).transcribe(&Context::new(), &media("talk.mp4", 0.0))).unwrap()
}

fn texts(transcript: &Transcript) -> Vec<&str> {
    transcript.words.iter().map(|word| word.text.as_str()).collect()
}

/// Letters and digits alone, in lower case: what two makers of a transcript agree on.
fn bare(text: &str) -> Vec<String> {
    let mut spoken = String::new();
    let mut depth = 0;
    for letter in text.replace("&gt;", ">").chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = 0.max(depth - 1),
            _ if depth == 0 => spoken.push(letter),
            _ => {}
        }
    }
    spoken
        .split_whitespace()
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect()
}

fn assert_contract(transcript: &Transcript) {
    let words = &transcript.words;
    assert!(words.iter().all(|word| word.start >= Timestamp::ZERO && word.start <= word.end));
    assert!(words.is_sorted_by(|a, b| a.end <= b.start));
}

/// The part of words that stand at the same place in both, over a window of a few words.
fn agreement(a: &[String], b: &[String]) -> f64 {
    let mut from = 0;
    let mut found = 0;
    for word in a {
        let window = &b[from..b.len().min(from + 12)];
        if let Some(at) = window.iter().position(|other| other == word) {
            from += at + 1;
            found += 1;
        }
    }
    found as f64 / a.len().max(b.len()).max(1) as f64
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn rolling_captions_of_a_real_video_say_each_word_once() {
    let folder = testdata().join("transcripts/youtube_auto");
    let rolling = read(&folder.join("ai_agent_economy.en.vtt"));
    let clean = read(&folder.join("ai_agent_economy.en.clean.vtt"));
    let reference = bare(&fs::read_to_string(folder.join("ai_agent_economy.en.txt")).unwrap());
    assert_contract(&rolling);
    assert_contract(&clean);
    assert_eq!(rolling.language.as_deref(), Some("en"));
    for transcript in [&rolling, &clean] {
        let words = bare(&texts(transcript).join(" "));
        let same = agreement(&words, &reference);
        println!("{}: {} words, reference {}, agreement {same:.4}", transcript.origin, words.len(), reference.len());
        assert!(words.len().abs_diff(reference.len()) * 200 <= reference.len(), "{} and {}", words.len(), reference.len());
        assert!(same > 0.99, "{same}");
    }
    // The times of the markup, not of the cues.
    assert_eq!(rolling.words[1].start, Timestamp::from_secs(0.8));
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn cue_times_come_close_to_word_times() {
    let folder = testdata().join("transcripts/3b1b");
    for talk in ["holograms", "ldm-complex-numbers"] {
        let cues = read(&folder.join(format!("{talk}.captions.srt")));
        let exact = read(&folder.join(format!("{talk}.word_timings.json")));
        let reference = bare(&fs::read_to_string(folder.join(format!("{talk}.transcript.txt"))).unwrap());
        assert_contract(&cues);
        assert_contract(&exact);
        let (a, b) = (bare(&texts(&cues).join(" ")), bare(&texts(&exact).join(" ")));
        println!("{talk}: srt {} words, word times {}, text {}", a.len(), b.len(), reference.len());
        assert!(agreement(&a, &reference) > 0.985);
        // The word times of the other talk go on past the cut that its captions are of.
        assert!(talk != "holograms" || agreement(&b, &reference) > 0.985, "{}", agreement(&b, &reference));
        let mut from = 0;
        let mut errors: Vec<f64> = Vec::new();
        for word in cues.words.iter().take_while(|word| word.start.secs() < 1600.0) {
            let window = &exact.words[from..exact.words.len().min(from + 8)];
            if let Some(at) = window.iter().position(|other| other.text == word.text) {
                errors.push((window[at].start.secs() - word.start.secs()).abs());
                from += at + 1;
            }
        }
        errors.sort_by(f64::total_cmp);
        let (median, late) = (errors[errors.len() / 2], errors[errors.len() * 95 / 100]);
        println!("{talk}: {} words compared, median error {median:.3} s, 95 % within {late:.3} s", errors.len());
        assert!(median < 0.25 && late < 1.0, "{median} {late}");
    }
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn whisper_captions_keep_every_word() {
    for episode in ["episode_006_large.vtt", "episode_020_large.vtt"] {
        let path = testdata().join("transcripts/lexicap").join(episode);
        let transcript = read(&path);
        assert_contract(&transcript);
        let text: String =
            fs::read_to_string(&path).unwrap().lines().skip(1).filter(|line| !line.contains("-->")).collect::<Vec<_>>().join(" ");
        let (words, reference) = (bare(&texts(&transcript).join(" ")), bare(&text));
        println!("{episode}: {} words, file {}", words.len(), reference.len());
        assert!(agreement(&words, &reference) > 0.999);
    }
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn subtitles_inside_videos_are_read() {
    let shared = testdata().join("media");
    let stream = |codec: &str| SubtitleStream { index: 2, codec: codec.into(), language: Some("eng".into()) };
    let cases = [
        ("androidx/mkv_sample_with_srt.mkv", "subrip", 1.234, "This is the first subtitle."),
        ("androidx/mkv_sample_with_ass_subtitles.mkv", "ass", 1.139, "This is the first subtitle."),
        ("autoeditor/webvtt.mkv", "webvtt", 2.023, "oop boop"),
        ("autoeditor/mov_text.mp4", "mov_text", 2.0, "oop boop"),
    ];
    for (path, codec, secs, expected) in cases {
        let media = Media { subtitles: vec![stream("hdmv_pgs_subtitle"), stream(codec)], ..media(shared.join(path), secs) };
        let transcript = wait(Captions::auto().transcribe(&Context::new(), &media)).unwrap();
        assert_contract(&transcript);
        assert_eq!(texts(&transcript).join(" "), expected, "{path}");
        assert_eq!(transcript.language.as_deref(), Some("en"));
        assert!(transcript.words.iter().all(|word| word.end.secs() <= secs), "{path}");
        if codec == "webvtt" {
            assert_eq!(transcript.words[0].start, Timestamp::from_secs(0.546));
        }
    }
    let pictures =
        Media { subtitles: vec![stream("hdmv_pgs_subtitle")], ..media(shared.join("androidx/mkv_sample_with_pgs_subtitles.mkv"), 1.24) };
    let error = wait(Captions::auto().transcribe(&Context::new(), &pictures)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoTranscript);
}

#[test]
fn captions_beside_a_video_are_found_and_broken_ones_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("talk.mp4");
    let nothing = wait(Captions::auto().transcribe(&Context::new(), &media(&video, 10.0))).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::NoTranscript);
    assert!(nothing.to_string().contains("talk.mp4") && nothing.to_string().contains("--transcript FILE"), "{nothing}");

    fs::write(folder.path().join("talk.json"), r#"{"title": "not captions"}"#).unwrap();
    fs::write(folder.path().join("talk.vtt"), "not a caption file at all\n").unwrap();
    fs::write(
        folder.path().join("talk.pt-BR.srt"),
        "1\n00:00:01,000 --> 00:00:02,000\nBom dia.\n\n2\n00:00:11,000 --> 00:00:12,000\nTarde.\n",
    )
    .unwrap();
    let cx = Context::new();
    let transcript = wait(Captions::auto().transcribe(&cx, &media(&video, 10.0))).unwrap();
    assert_eq!((texts(&transcript), transcript.language.as_deref()), (vec!["Bom", "dia."], Some("pt-br")));
    let warnings = cx.warnings();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].message.contains("talk.vtt") && warnings[1].message.contains("talk.json"), "{warnings:?}");
    assert!(warnings[2].message.contains("another cut"), "{warnings:?}");
}

#[test]
fn a_file_that_is_no_captions_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8], &str); 7] = [
        ("a.srt", b"hello", "SubRip"),
        ("a.vtt", b"WEBVTT\n\n", "WebVTT"),
        ("a.ass", b"[Script Info]\n", "ASS"),
        ("a.json", b"{\"x\": [1, 2", "[word, start, end]"),
        ("a.json3", b"\x00\xff\xfe", "json3"),
        ("a.txt", b"Just a text.", "SRT"),
        ("a.bin", &[0; 5000], "SRT"),
    ];
    for (name, bytes, expected) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = wait(Captions::file(&path).transcribe(&Context::new(), &media("talk.mp4", 10.0))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}: {error}");
        assert!(error.to_string().contains(name) && error.to_string().contains(expected), "{error}");
    }
    let error = wait(Captions::file(folder.path().join("none.srt")).transcribe(&Context::new(), &media("talk.mp4", 10.0))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = wait(Captions::file(folder.path()).transcribe(&Context::new(), &media("talk.mp4", 10.0))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_transcript_saved_as_json_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.transcript.json");
    let words =
        vec![clipkit::Word::new("One,", 0.5, 0.9), clipkit::Word { speaker: Some("Ann".into()), ..clipkit::Word::new("two.", 1.0, 6.5) }];
    let saved = Transcript { language: Some("en".into()), origin: "talk.transcript.json".into(), words };
    fs::write(&path, serde_json::to_vec(&saved).unwrap()).unwrap();
    assert_eq!(read(&path), saved);
}

fn choose(transcript: &Transcript, options: ScoreOptions) -> Vec<Candidate> {
    let scoring = Scoring { media: None, transcript: transcript.clone(), options };
    wait(Heuristic::default().score(&Context::new(), &scoring)).unwrap()
}

fn assert_scored(clips: &[Candidate], options: &ScoreOptions) {
    assert!(clips.len() <= options.max_clips);
    assert!(clips.is_sorted_by(|a, b| a.score.total >= b.score.total));
    for (n, clip) in clips.iter().enumerate() {
        assert!((options.min..=options.max).contains(&clip.span.duration()), "{}", clip.span);
        assert!(clips[n + 1..].iter().all(|other| clip.span.intersection(other.span).is_none()));
        let score = clip.score;
        assert!((0.0..=100.0).contains(&score.total));
        assert!([score.hook, score.completeness, score.density, score.emotion].iter().all(|part| (0.0..=10.0).contains(part)));
        assert!(!clip.title.is_empty() && clip.title.chars().count() <= 60 && clip.title.split_whitespace().count() <= 8, "{}", clip.title);
        assert!(!clip.reason.is_empty());
    }
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn clips_of_real_talks_are_whole_thoughts() {
    let folder = testdata().join("transcripts");
    let talks = [
        "lexicap/episode_006_large.vtt",
        "lexicap/episode_020_large.vtt",
        "3b1b/holograms.word_timings.json",
        "3b1b/ldm-complex-numbers.word_timings.json",
        "youtube_auto/ai_agent_economy.en.vtt",
    ];
    for talk in talks {
        let transcript = read(&folder.join(talk));
        for (min, max) in [(15, 60), (30, 90)] {
            let options =
                ScoreOptions { max_clips: 10, min: std::time::Duration::from_secs(min), max: std::time::Duration::from_secs(max) };
            let clips = choose(&transcript, options.clone());
            assert_scored(&clips, &options);
            assert!(clips.len() >= 8, "{talk}: {} clips", clips.len());
            let mut dangling = 0;
            println!("\n== {talk} {min}-{max} s");
            for clip in &clips {
                let from = transcript.words.partition_point(|word| word.start < clip.span.start());
                let to = transcript.words.partition_point(|word| word.end <= clip.span.end());
                let words: Vec<&str> = transcript.words[from..to].iter().map(|word| word.text.as_str()).collect();
                let ends = |word: &str| word.trim_end_matches(['"', '\u{201d}', '\'', ')']).ends_with(['.', '?', '!']);
                assert!(from == 0 || ends(&transcript.words[from - 1].text), "{talk} {}: starts in a sentence", clip.span);
                assert!(words.last().is_some_and(|word| ends(word)), "{talk} {}: ends in a sentence", clip.span);
                let opening = words[0].to_lowercase();
                let opening = opening.trim_matches(|c: char| !c.is_alphanumeric());
                dangling += usize::from(
                    ["and", "but", "because", "he", "she", "they", "it", "that's", "which", "or", "yeah", "that"].contains(&opening),
                );
                println!("{} {:?}\n  T: {}\n  R: {}\n  {}\n", clip.span, clip.score, clip.title, clip.reason, words.join(" "));
            }
            println!("{talk} {min}-{max} s: {} clips, {dangling} dangling openings", clips.len());
            assert!(dangling <= 1, "{talk}: {dangling} dangling openings");
        }
    }
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn a_transcript_without_punctuation_still_gives_clips() {
    let mut transcript = read(&testdata().join("transcripts/youtube_auto/ai_agent_economy.en.vtt"));
    for word in &mut transcript.words {
        word.text = word.text.chars().filter(|c| c.is_alphanumeric() || *c == '\'').flat_map(char::to_lowercase).collect();
    }
    transcript.words.retain(|word| !word.text.is_empty());
    let options = ScoreOptions::default();
    let clips = choose(&transcript, options.clone());
    assert_scored(&clips, &options);
    assert!(clips.len() >= 8);
}
