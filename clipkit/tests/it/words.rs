//! Transcripts from captions and the clips chosen from them, with real captions and malformed ones.

#![allow(clippy::unwrap_used)] // Helpers of tests fail as tests do.

use std::fs;
use std::path::{Path, PathBuf};

use clipkit::model::{Candidate, ContentId, Media, SubtitleStream, Timestamp, Transcript};
use clipkit::stage::{Captions, Heuristic, ScoreOptions, Scorer, Scoring, Transcriber};
use clipkit::{Context, ErrorKind};

use crate::support::{testdata, with};

fn media(path: impl Into<PathBuf>, secs: f64) -> Media {
    with(Media::new(path, ContentId::new("test", "0")), |it| {
        it.container = "mov,mp4,m4a,3gp,3g2,mj2".into();
        it.duration = Timestamp::from_secs(secs);
    })
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

/// Lower-case letters and digits only, which two transcripts of one talk share.
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

/// The fraction of words that occur at the same position in both, within a window of a few words.
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
        // The word times of the other talk continue after the cut of its captions.
        assert!(talk != "holograms" || agreement(&b, &reference) > 0.985, "{}", agreement(&b, &reference));
        if talk != "holograms" {
            continue;
        }
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
    let stream = |codec: &str| with(SubtitleStream::new(2, codec), |it| it.language = Some("eng".into()));
    let cases = [
        ("androidx/mkv_sample_with_srt.mkv", "subrip", 1.234, "This is the first subtitle."),
        ("androidx/mkv_sample_with_ass_subtitles.mkv", "ass", 1.139, "This is the first subtitle."),
        ("autoeditor/webvtt.mkv", "webvtt", 2.023, "oop boop"),
        ("autoeditor/mov_text.mp4", "mov_text", 2.0, "oop boop"),
    ];
    for (path, codec, secs, expected) in cases {
        let media = with(media(shared.join(path), secs), |it| {
            it.subtitles = vec![stream("hdmv_pgs_subtitle"), stream(codec)];
        });
        let transcript = wait(Captions::auto().transcribe(&Context::new(), &media)).unwrap();
        assert_contract(&transcript);
        assert_eq!(texts(&transcript).join(" "), expected, "{path}");
        assert_eq!(transcript.language.as_deref(), Some("en"));
        assert!(transcript.words.iter().all(|word| word.end.secs() <= secs), "{path}");
        if codec == "webvtt" {
            assert_eq!(transcript.words[0].start, Timestamp::from_secs(0.546));
        }
    }
    let pictures = with(media(shared.join("androidx/mkv_sample_with_pgs_subtitles.mkv"), 1.24), |it| {
        it.subtitles = vec![stream("hdmv_pgs_subtitle")];
    });
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
        ("a.srt", b"hello", "plain text without times"),
        ("a.vtt", b"WEBVTT\n\n", "WebVTT"),
        ("a.ass", b"[Script Info]\n", "ASS"),
        ("a.json", b"{\"x\": [1, 2", "ends early"),
        ("a.json3", b"\x00\xff\xfe", "SRT"),
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
    let words = vec![
        clipkit::model::Word::new("One,", 0.5, 0.9),
        with(clipkit::model::Word::new("two.", 1.0, 6.5), |it| it.speaker = Some("Ann".into())),
    ];
    let saved = with(Transcript::new(words), |it| {
        it.language = Some("en".into());
        it.origin = "talk.transcript.json".into();
    });
    fs::write(&path, serde_json::to_vec(&saved).unwrap()).unwrap();
    assert_eq!(read(&path), saved);
}

fn choose(transcript: &Transcript, options: ScoreOptions) -> Vec<Candidate> {
    let scoring = with(Scoring::new(transcript.clone()), |it| it.options = options);
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
        assert!(score.moment.is_none_or(|moment| (0.0..=10.0).contains(&moment)) && clip.factors.len() <= 6);
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
            let options = with(ScoreOptions::default(), |it| {
                it.min = std::time::Duration::from_secs(min);
                it.max = std::time::Duration::from_secs(max);
            });
            let clips = choose(&transcript, options.clone());
            assert_scored(&clips, &options);
            assert!(clips.len() >= 8, "{talk}: {} clips", clips.len());
            let (mut dangling, mut unmarked) = (0, 0);
            println!("\n== {talk} {min}-{max} s");
            for clip in &clips {
                let from = transcript.words.partition_point(|word| word.start < clip.span.start());
                let to = transcript.words.partition_point(|word| word.end <= clip.span.end());
                let words: Vec<&str> = transcript.words[from..to].iter().map(|word| word.text.as_str()).collect();
                let ends = |word: &str| word.trim_end_matches(['"', '\u{201d}', '\'', ')']).ends_with(['.', '?', '!']);
                // Some transcripts have long parts without punctuation.
                let marks = |at: usize| {
                    transcript.words[at.saturating_sub(100)..transcript.words.len().min(at + 100)]
                        .iter()
                        .filter(|word| ends(&word.text))
                        .count()
                };
                assert!(
                    marks(from) < 6 || from == 0 || ends(&transcript.words[from - 1].text),
                    "{talk} {}: starts in a sentence",
                    clip.span
                );
                assert!(marks(to) < 6 || words.last().is_some_and(|word| ends(word)), "{talk} {}: ends in a sentence", clip.span);
                unmarked += usize::from(marks(from) < 6 || marks(to) < 6);
                let opening = words[0].to_lowercase();
                let opening = opening.trim_matches(|c: char| !c.is_alphanumeric());
                dangling += usize::from(
                    ["and", "but", "because", "he", "she", "they", "it", "that's", "which", "or", "yeah", "that"].contains(&opening),
                );
                println!("{} {:?}\n  T: {}\n  R: {}\n  {}\n", clip.span, clip.score, clip.title, clip.reason, words.join(" "));
            }
            println!("{talk} {min}-{max} s: {} clips, {dangling} dangling openings, {unmarked} where punctuation is missing", clips.len());
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

/// A generated talk: `text` repeated at `rate` words per second, with a pause after each sentence.
pub(crate) fn made_talk(text: &str, rate: f64, secs: f64) -> Transcript {
    let mut words = Vec::new();
    let mut at = 0.5;
    while at < secs {
        for word in text.split_whitespace() {
            words.push(clipkit::model::Word::new(word, at, at + 0.8 / rate));
            at += 1.0 / rate + if word.ends_with(['.', '?', '!']) { 0.4 } else { 0.0 };
        }
    }
    with(Transcript::new(words), |it| it.origin = "made".into())
}

pub(crate) const CLOCKS: &str = "Why does every clock in your house lie to you? I spent nine years repairing clocks in a small town. The truth is that no two of \
    them ever agreed. My father loved that. He said time is a promise, and promises are kept by people. One winter the church clock stopped. \
    Nobody noticed for three days! Imagine how free those people were. A machine had died, and the town went on living. That taught me the \
    most important rule of my trade. Never repair what nobody misses.";

fn score_made(transcript: Transcript, media: Option<Media>, options: ScoreOptions) -> (Vec<Candidate>, Vec<String>) {
    let cx = Context::new();
    let clips = wait(Heuristic::default().score(
        &cx,
        &with(Scoring::new(transcript), |it| {
            it.media = media;
            it.options = options;
        }),
    ))
    .unwrap();
    (clips, cx.warnings().into_iter().map(|warning| warning.message).collect())
}

#[test]
fn a_made_talk_gives_ranked_clips_that_say_why() {
    let options = ScoreOptions::default();
    let transcript = made_talk(CLOCKS, 2.7, 600.0);
    let (clips, warnings) = score_made(transcript.clone(), None, options.clone());
    assert_scored(&clips, &options);
    assert!(clips.len() >= 8 && warnings.is_empty(), "{} clips, {warnings:?}", clips.len());
    let best = &clips[0];
    let first = transcript.words.iter().find(|word| word.start >= best.span.start()).unwrap();
    assert_eq!(first.text, "Why");
    // A short lead before the first word, without the word before it.
    assert!(first.start.since(best.span.start()).secs() > 0.1);
    assert!(best.reason.starts_with("Opens with a question"), "{}", best.reason);
    // Equal input gives equal output.
    assert_eq!(score_made(transcript, None, options.clone()).0, clips);
}

#[test]
fn silence_and_gabble_are_not_clips_and_the_reason_is_given() {
    let options = ScoreOptions::default;
    let cases = [
        (Transcript::default(), "contains no words"),
        (made_talk(CLOCKS, 0.4, 300.0), "only 176 words in 448 s"),
        (made_talk(CLOCKS, 9.0, 300.0), "faster than anyone speaks"),
        (made_talk("Hello there.", 2.0, 2.0), "speech lasts"),
    ];
    for (transcript, expected) in cases {
        let (clips, warnings) = score_made(transcript, None, options());
        assert!(clips.is_empty());
        assert!(warnings.len() == 1 && warnings[0].contains(expected), "{warnings:?}");
    }
    let backwards = with(ScoreOptions::default(), |it| {
        it.min = std::time::Duration::from_secs(60);
        it.max = std::time::Duration::from_secs(15);
    });
    let error = wait(Heuristic::default().score(&Context::new(), &with(Scoring::new(Transcript::default()), |it| it.options = backwards)));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn a_short_video_is_not_its_own_clip() {
    let (clips, warnings) = score_made(
        made_talk(CLOCKS, 2.7, 20.0),
        Some(media("talk.mp4", 43.0)),
        with(ScoreOptions::default(), |it| it.min = std::time::Duration::from_secs(40)),
    );
    assert!(clips.is_empty() && warnings.len() == 1, "{clips:?}");
}

#[test]
fn a_clip_avoids_a_long_silence() {
    let mut transcript = made_talk(CLOCKS, 2.7, 300.0);
    let (middle, pause) = (transcript.words.len() / 2, 20.0);
    for word in &mut transcript.words[middle..] {
        (word.start, word.end) = (word.start.plus(pause), word.end.plus(pause));
    }
    let (from, to) = (transcript.words[middle - 1].end, transcript.words[middle].start);
    let (clips, _) = score_made(transcript, None, ScoreOptions::default());
    let silence = clipkit::model::Span::new(from.plus(0.4), to.plus(-0.4)).unwrap();
    assert!(clips.iter().all(|clip| clip.span.intersection(silence).is_none()));
}

#[test]
fn languages_without_lists_and_without_spaces_give_clips_too() {
    let turkish = "Evinizdeki her saat neden yalan söylüyor? Küçük bir kasabada dokuz yıl saat tamir ettim. Hiçbiri birbirini tutmadı. Babam bunu \
        severdi. Zaman bir sözdür derdi, sözü insanlar tutar. Bir kış kilisenin saati durdu. Üç gün kimse fark etmedi!";
    let japanese = "家の 時計は なぜ 嘘を つくの でしょうか。 小さな 町で 九年間、 時計を 直して きました。 同じ 時刻を 指す 時計は 一つも ありません でした。 \
        父は それが 好き でした。 時間は 約束だと 言って いました。";
    for (text, tag) in [(turkish, "tr"), (japanese, "ja")] {
        let transcript = with(made_talk(&text.replace('。', "。 ").replace("  ", " "), 2.2, 400.0), |it| it.language = Some(tag.into()));
        let options = ScoreOptions::default();
        let (clips, warnings) = score_made(transcript, None, options.clone());
        assert!(clips.len() >= 5, "{tag}: {} {warnings:?}", clips.len());
        assert_scored(&clips, &options);
        assert!(tag != "ja" || clips.iter().all(|clip| !clip.title.contains(' ')), "{}", clips[0].title);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_transcript_is_scored_within_the_contract(
        raw in proptest::collection::vec((0.0..0.9f64, 0.0..0.6f64, "([A-Z]?[a-z']{1,9}[.?!,]?|[今日話]{1,3}。?|\\.|[{}\\\\]|[0-9]{1,3})"), 0..700),
        min in 1u64..40,
        longer in 0u64..60,
        max_clips in 0usize..14,
    ) {
        let mut at = 0.0;
        let words = raw.iter().map(|(gap, length, text)| {
            at += gap;
            let word = clipkit::model::Word::new(text.as_str(), at, at + length);
            at += length;
            word
        }).collect();
        let options = with(ScoreOptions::default(), |it| { it.max_clips = max_clips; it.min = std::time::Duration::from_secs(min); it.max = std::time::Duration::from_secs(min + longer); });
        let transcript = Transcript::new(words);
        let last = transcript.words.last().map_or(0.0, |word| word.end.secs());
        let (clips, _) = score_made(transcript, Some(media("talk.mp4", last)), options.clone());
        proptest::prop_assert!(clips.len() <= max_clips);
        for (n, clip) in clips.iter().enumerate() {
            proptest::prop_assert!((options.min..=options.max).contains(&clip.span.duration()));
            proptest::prop_assert!(clip.span.start() >= Timestamp::ZERO && clip.span.end().secs() <= last + 1e-6);
            proptest::prop_assert!(clips[n + 1..].iter().all(|other| clip.span.intersection(other.span).is_none()));
            proptest::prop_assert!(clip.title.chars().count() <= 60);
        }
    }

    #[test]
    fn any_bytes_are_captions_or_an_error(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300), kind in 0..5usize, head in 0..6usize) {
        let heads = ["", "WEBVTT\n\n00:01.000 --> 00:09.000\n", "1\n00:00:01,000 --> 00:00:02,000\n", "[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,",
            "[[\"a\", 1, 2], [\"", "{\"events\":[{\"tStartMs\":1,\"segs\":[{\"utf8\":\""];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(["a.vtt", "a.srt", "a.ass", "a.json", "a.json3"][kind]);
        fs::write(&path, [heads[head].as_bytes(), &bytes].concat()).unwrap();
        match wait(Captions::file(&path).transcribe(&Context::new(), &media("talk.mp4", 10.0))) {
            Ok(transcript) => {
                assert_contract(&transcript);
                proptest::prop_assert!(transcript.words.iter().all(|word| word.end.secs() <= 10.0));
            }
            Err(error) => proptest::prop_assert_eq!(error.kind(), ErrorKind::InvalidInput, "{}", error),
        }
    }
}
