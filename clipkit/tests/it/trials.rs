//! Transcripts of the kinds that people report as unreadable: each gives all its words, or says why
//! not.

#![allow(clippy::unwrap_used)] // Helpers of tests fail as tests do.

use clipkit::ErrorKind;
use clipkit::model::Timestamp;
use clipkit::stage::{ReadOptions, ReadTranscript, read_transcript};

use crate::support::{testdata, with};

fn read(name: &str, seconds: Option<f64>) -> clipkit::Result<ReadTranscript> {
    let bytes = std::fs::read(testdata().join("trials/captions").join(name)).unwrap();
    read_transcript(&bytes, &with(ReadOptions::default(), |it| it.duration = seconds.map(Timestamp::from_secs)))
}

/// The words of the talk, and of each its cue's span.
fn truth() -> Vec<(String, f64, f64)> {
    let text = std::fs::read_to_string(testdata().join("trials/cues.json")).unwrap();
    let cues: Vec<(f64, f64, String)> = serde_json::from_str(&text).unwrap();
    cues.iter().flat_map(|(start, end, text)| text.split(' ').map(move |word| (word.to_owned(), *start, *end))).collect()
}

fn letters(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How a file differs from the talk.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// The words at their times.
    Talk,
    /// The words without some punctuation.
    Bare,
    /// "and" is written "&".
    Ampersands,
    /// A number is said, too.
    Number,
    /// Cues last longer than the speech, or one is timed by its neighbours.
    Repaired,
    /// All is an hour later.
    Hour,
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn every_kind_of_transcript_gives_all_words() {
    let cases: [(&str, Kind, usize); 35] = [
        ("assembly.json", Kind::Talk, 0),
        ("back.json", Kind::Repaired, 1),
        ("bom.srt", Kind::Talk, 0),
        ("doubled.srt", Kind::Talk, 0),
        ("eleven.json", Kind::Talk, 0),
        ("ent2.vtt", Kind::Ampersands, 0),
        ("hf_chunks.json", Kind::Talk, 0),
        ("hf_chunks_list.json", Kind::Talk, 0),
        ("hl.srt", Kind::Talk, 0),
        ("hour1.srt", Kind::Hour, 0),
        ("kara.ass", Kind::Talk, 0),
        ("lastlong.srt", Kind::Repaired, 0),
        ("layers.ass", Kind::Talk, 0),
        ("minfmt.ass", Kind::Talk, 0),
        ("ml1.srt", Kind::Talk, 0),
        ("ml1_sub.srt", Kind::Talk, 0),
        ("mlx_mixed.json", Kind::Talk, 0),
        ("mmss.srt", Kind::Talk, 0),
        ("nan.json", Kind::Talk, 0),
        ("nospacevtt.vtt", Kind::Talk, 0),
        ("numline.srt", Kind::Number, 0),
        ("pipe_speaker.srt", Kind::Talk, 0),
        ("s_midbad.srt", Kind::Repaired, 1),
        // The sign on the picture is left out, with a warning.
        ("signs.ass", Kind::Talk, 1),
        ("srtasvtt.vtt", Kind::Talk, 0),
        ("v_blankinside.vtt", Kind::Talk, 0),
        ("v_midstyle.vtt", Kind::Talk, 0),
        ("v_note.vtt", Kind::Talk, 0),
        ("v_style.vtt", Kind::Talk, 0),
        ("whispercpp.json", Kind::Talk, 0),
        ("wx_speaker.srt", Kind::Talk, 0),
        ("wx_speaker_np.srt", Kind::Bare, 0),
        ("wx_untimed.json", Kind::Talk, 0),
        ("yta.json", Kind::Repaired, 0),
        ("../talk.vtt", Kind::Talk, 0),
    ];
    let truth = truth();
    let mut wrong = Vec::new();
    for (name, kind, warnings) in cases {
        let seconds = if kind == Kind::Hour { None } else { Some(90.0) };
        let read = match read(name, seconds) {
            Ok(read) => read,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let words: Vec<&clipkit::model::Word> =
            read.transcript.words.iter().filter(|word| kind != Kind::Number || word.text != "42").collect();
        if words.len() != 244 || read.counts.words_kept != read.transcript.words.len() || read.warnings.len() != warnings {
            wrong.push(format!("{name}: {} words, {:?}, {:?}", words.len(), read.counts, read.warnings));
        }
        let unlike = words.iter().zip(&truth).find(|(word, (text, start, end))| {
            let late = if kind == Kind::Hour { 3600.0 } else { 0.0 };
            let same = match kind {
                Kind::Bare => letters(&word.text) == letters(text),
                Kind::Ampersands => letters(&word.text.replace('&', "and")) == letters(text),
                _ => word.text == *text,
            };
            let (before, after) = if kind == Kind::Repaired { (0.6, 3.0) } else { (0.12, 0.12) };
            let near = word.start.secs() >= start + late - before && word.end.secs() <= end + late + after;
            !same || !near
        });
        if let Some((word, expected)) = unlike {
            wrong.push(format!("{name}: {word:?}, expected {expected:?}"));
        }
        let unnamed = read
            .transcript
            .words
            .iter()
            .find(|word| name.contains("speaker") && word.speaker.as_deref().is_none_or(|who| !who.starts_with("SPEAKER_0")));
        wrong.extend(unnamed.map(|word| format!("{name}: {word:?}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn other_encodings_and_long_segments_give_their_text() {
    let talk: Vec<String> = std::fs::read_to_string(testdata().join("trials/talk.srt")).unwrap().lines().map(str::to_owned).collect();
    for (name, encoding, start) in
        [("cp1251.srt", Some("windows-1251"), "Почему мосты"), ("u16.srt", None, "Почему мосты"), ("gbk.srt", Some("GBK"), "为什")]
    {
        let read = read(name, Some(90.0)).unwrap();
        let text: Vec<&str> = read.transcript.words.iter().map(|word| word.text.as_str()).collect();
        assert!(text.join(" ").starts_with(start) || text.concat().starts_with(start), "{name}: {text:?}");
        let guessed: Vec<bool> = read.warnings.iter().map(|warning| encoding.is_some_and(|name| warning.message.contains(name))).collect();
        assert_eq!(guessed, vec![true; usize::from(encoding.is_some())], "{name}: {:?}", read.warnings);
        let cues = talk.iter().filter(|line| line.contains("-->")).count();
        assert_eq!((read.counts.cues_kept, read.counts.words_lost), (cues, 0), "{name}");
    }
    let long = read("bigseg.json", Some(3500.0)).unwrap();
    assert_eq!((long.transcript.words.len(), long.counts.words_lost), (6000, 0));
    assert_eq!(long.transcript.words[5999].text, "here.");
    assert!(long.transcript.words[5999].end.secs() <= 3500.0);
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn what_cannot_be_used_is_refused_with_its_reason() {
    let error = read("t.txt", Some(90.0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("plain text without times (244 words)"), "{error}");
    let error = read("hour1.srt", Some(90.0)).unwrap_err();
    assert!(error.to_string().contains("244 words") && error.to_string().contains("after the end of the video"), "{error}");
    let bytes = std::fs::read(testdata().join("trials/captions/hour1.srt")).unwrap();
    let options = with(ReadOptions::default(), |it| {
        it.offset = Some(Timestamp::from_secs(-3600.0));
        it.duration = Some(Timestamp::from_secs(90.0));
    });
    let moved = read_transcript(&bytes, &options).unwrap();
    assert_eq!((moved.transcript.words.len(), moved.transcript.words[0].start.secs()), (244, 0.5));
    // The last cue runs past the end: it is cut, and its words are kept.
    let cut = read("lastlong.srt", Some(88.0)).unwrap();
    assert_eq!((cut.transcript.words.len(), cut.warnings.len()), (244, 0));
    assert!(cut.transcript.words[243].end.secs() <= 88.0);
}
