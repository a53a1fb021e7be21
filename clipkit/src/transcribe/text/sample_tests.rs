//! A small sample of each format and of each maker's JSON, and what people make of them.

use super::*;
use crate::model::WarningKind;

/// The samples of all formats: a name, the text, and the words with their speakers and times.
pub(super) const SAMPLES: &[(&str, &str, &str)] = &[
    ("SRT", "1\n00:00:01,000 --> 00:00:02,000\nOne two.\n\n2\n00:00:03,000 --> 00:00:04,000\nThree.\n", "One two. Three."),
    (
        "SRT",
        "1\r\n00:00:01,000 --> 00:00:02,000 X1:1 X2:2 Y1:3 Y2:4\r\n<i>One</i>\r\ntwo.\r\n\r\n\r\n2\r\n00:00:03.000 -> 00:00:04.000\r\nThree.",
        "One two. Three.",
    ),
    ("SRT", "1\r00:01 --> 00:02\rOne two.\r\r2\r00:03 --> 00:04\rThree.\r", "One two. Three."),
    (
        "SRT",
        "Sure, here it is:\n\n```srt\n1\n00:00:01,000 --> 00:00:02,000\nOne two.\n\n2\n00:00:03,000 --> 00:00:04,000\nThree.\n```\n",
        "One two. Three.",
    ),
    ("SRT", "[00:00:01.000 --> 00:00:02.000]   One two.\n[00:00:03.000 --> 00:00:04.000]   Three.\n", "One two. Three."),
    ("SRT", "00:00:01,000 --> 00:00:02,000\nOne two.\n00:00:03,000 --> 00:00:04,000\nThree.\n", "One two. Three."),
    (
        "WebVTT",
        "WEBVTT\n\n00:01.000 --> 00:02.000 align:start position:0%\nOne &amp; <c.x>two.</c>\n\nNOTE x\n\n00:03.000 --> 00:04.000\nThree.\n",
        "One & two. Three.",
    ),
    (
        "WebVTT",
        "WEBVTT\nKind: captions\nLanguage: en\n\n00:01.000 --> 00:02.000\n<v Ann>One two.\n\nSTYLE\n::cue { color: red }\n\n00:03.000 --> 00:04.000\nThree.\n",
        "Ann/One Ann/two. Three.",
    ),
    ("SBV", "0:00:01.000,0:00:02.000\nOne two.\n\n0:00:03.000,0:00:04.000\nThree.\n", "One two. Three."),
    ("LRC", "[ti:Talk]\n[00:01.00]One two.\n[00:03.00]Three.\n", "One two. Three."),
    (
        "ASS",
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8}One two.\nDialogue: 0,0:00:03.00,0:00:04.00,Default,Ann,0,0,0,,Three.\n",
        "One two. Ann/Three.",
    ),
    (
        "ASS",
        "[Script Info]\nScriptType: v4.00\n[Events]\nFormat: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: Marked=0,0:00:01.00,0:00:02.00,Default,,0,0,0,,One\\Ntwo.\nDialogue: Marked=0,0:00:03.00,0:00:04.00,Default,,0,0,0,,Three.\n",
        "One two. Three.",
    ),
    (
        "TTML",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<tt xmlns=\"http://www.w3.org/ns/ttml\" xml:lang=\"en\"><body><div>\n<p begin=\"00:00:01.000\" end=\"00:00:02.000\">One<br/>two.</p>\n<p begin=\"3s\" dur=\"1s\">Three.</p>\n</div></body></tt>\n",
        "One two. Three.",
    ),
    (
        "TTML",
        "<transcript><text start=\"1\" dur=\"1\">One two.</text><text start=\"3\" dur=\"1\">Three.</text></transcript>",
        "One two. Three.",
    ),
    ("TSV", "start\tend\ttext\n1000\t2000\tOne two.\n3000\t4000\tThree.\n", "One two. Three."),
    ("TSV", "1.000000\t2.000000\tOne two.\n3.000000\t4.000000\tThree.\n", "One two. Three."),
    (
        "CSV",
        "Speaker,Start Time,End Time,Text\nAnn,00:00:01,00:00:02,\"One, two.\"\nBob,00:00:03,00:00:04,Three.\n",
        "Ann/One, Ann/two. Bob/Three.",
    ),
    (
        "JSON",
        r#"{"language":"en","origin":"x","words":[{"text":"One","start":1.0,"end":1.4},{"text":"two.","start":1.5,"end":2.0,"speaker":"Ann"},{"text":"Three.","start":3.0,"end":4.0}]}"#,
        "One Ann/two. Three.",
    ),
    ("JSON", r#"[["One", 1, 1.4], ["two.", 1.5, 2], ["Three.", 3, 4]]"#, "One two. Three."),
    ("JSON", r#"[[1, 2, "One two."], [3, 4, "Three."]]"#, "One two. Three."),
    ("JSON", r#"[{"start": 1, "end": 2, "text": "One two."}, {"start": 3, "end": 4, "text": "Three."},]"#, "One two. Three."),
    (
        "JSON",
        "[{'start': 1.0, 'end': 2.0, 'speaker': None, 'text': 'One two.'}, {'start': 3.0, 'end': 4.0, 'text': 'Three.'}]",
        "One two. Three.",
    ),
    ("text with times", "0:01\nOne two.\n0:03\nThree.\n", "One two. Three."),
    ("text with times", "Ann  0:01\nOne two.\n\nBob  0:03\nThree.\n", "Ann/One Ann/two. Bob/Three."),
    (
        "Whisper's JSON",
        r#"{"text":" One two. Three.","segments":[{"id":0,"start":1.0,"end":2.0,"text":" One two.","avg_logprob":NaN,"words":[{"word":" One","start":1.0,"end":1.4},{"word":" two.","start":1.5,"end":2.0}]},{"id":1,"start":3.0,"end":4.0,"text":" Three."}],"language":"english"}"#,
        "One two. Three.",
    ),
    (
        "JSON",
        r#"{"task":"transcribe","text":"One two. Three.","words":[{"word":"One","start":1.0,"end":1.4},{"word":"two","start":1.5,"end":2.0},{"word":"Three","start":3.0,"end":4.0}]}"#,
        "One two. Three.",
    ),
    (
        "whisper.cpp's JSON",
        r#"{"result":{"language":"en"},"transcription":[{"timestamps":{"from":"00:00:01,000","to":"00:00:02,000"},"offsets":{"from":1000,"to":2000},"text":" One two.","tokens":[{"text":"[_BEG_]","offsets":{"from":1000,"to":1000}},{"text":" One","offsets":{"from":1000,"to":1400}},{"text":" tw","offsets":{"from":1500,"to":1700}},{"text":"o","offsets":{"from":1700,"to":1900}},{"text":".","offsets":{"from":1900,"to":2000}}]},{"offsets":{"from":3000,"to":4000},"text":" Three."}]}"#,
        "One two. Three.",
    ),
    (
        "JSON of Hugging Face",
        r#"{"text":" One two. Three.","chunks":[{"timestamp":[1.0,2.0],"text":" One two."},{"timestamp":[3.0,null],"text":" Three."}]}"#,
        "One two. Three.",
    ),
    (
        "Whisper's JSON",
        r#"{"segments":[{"start":1.0,"end":2.0,"text":"One two.","speaker":"SPEAKER_00","words":[{"word":"One"},{"word":"two.","start":1.5,"end":2.0}]},{"start":3.0,"end":4.0,"text":"Three.","words":[{"word":"Three.","start":3.0,"end":4.0,"speaker":"SPEAKER_01"}]}]}"#,
        "SPEAKER_00/One SPEAKER_00/two. SPEAKER_01/Three.",
    ),
    ("JSON", r#"[{"text":"One two.","start":1.0,"duration":2.5},{"text":"Three.","start":3.0,"duration":1.0}]"#, "One two. Three."),
    (
        "youtube-transcript-api's JSON",
        r#"{"video_id":"x","snippets":[{"text":"One two.","start":1.0,"duration":2.5},{"text":"Three.","start":3.0,"duration":1.0}]}"#,
        "One two. Three.",
    ),
    (
        "Deepgram's JSON",
        r#"{"metadata":{},"results":{"channels":[{"alternatives":[{"transcript":"one two three","words":[{"word":"one","start":1.0,"end":1.4,"speaker":0,"punctuated_word":"One"},{"word":"two","start":1.5,"end":2.0,"speaker":0,"punctuated_word":"two."},{"word":"three","start":3.0,"end":4.0,"speaker":1,"punctuated_word":"Three."}]}]}]}}"#,
        "speaker 0/One speaker 0/two. speaker 1/Three.",
    ),
    (
        "AssemblyAI's JSON",
        r#"{"id":"x","status":"completed","audio_duration":4,"text":"One two. Three.","words":[{"text":"One","start":1000,"end":1400,"speaker":"A"},{"text":"two.","start":1500,"end":2000,"speaker":"A"},{"text":"Three.","start":3000,"end":4000,"speaker":"B"}]}"#,
        "A/One A/two. B/Three.",
    ),
    (
        "JSON",
        r#"{"utterances":[{"speaker":"A","start":1000,"end":2000,"text":"One two."},{"speaker":"B","start":3000,"end":4000,"text":"Three."}]}"#,
        "A/One A/two. B/Three.",
    ),
    (
        "AWS Transcribe's JSON",
        r#"{"jobName":"x","results":{"transcripts":[{"transcript":"One two. Three."}],"speaker_labels":{"segments":[{"items":[{"start_time":"1.0","speaker_label":"spk_0"}]}]},"items":[{"type":"pronunciation","alternatives":[{"confidence":"1","content":"One"}],"start_time":"1.0","end_time":"1.4"},{"type":"pronunciation","alternatives":[{"content":"two"}],"start_time":"1.5","end_time":"2.0"},{"type":"punctuation","alternatives":[{"content":"."}]},{"type":"pronunciation","alternatives":[{"content":"Three"}],"start_time":"3.0","end_time":"4.0"},{"type":"punctuation","alternatives":[{"content":"."}]}]}}"#,
        "spk_0/One two. Three.",
    ),
    (
        "Google's JSON",
        r#"{"results":[{"alternatives":[{"transcript":"One two.","words":[{"startTime":"1s","endTime":"1.400s","word":"One"},{"startTime":"1.500s","endTime":"2s","word":"two."}]}]},{"alternatives":[{"words":[{"startTime":{"seconds":"3"},"endTime":{"seconds":"4"},"word":"Three."}]}]}]}"#,
        "One two. Three.",
    ),
    (
        "Google's JSON",
        r#"{"results":[{"alternatives":[{"words":[{"startOffset":"1s","endOffset":"1.400s","word":"One"},{"startOffset":"1.500s","endOffset":"2s","word":"two."},{"startOffset":"3s","endOffset":"4s","word":"Three."}]}],"languageCode":"en-us"}]}"#,
        "One two. Three.",
    ),
    (
        "Azure's JSON",
        r#"{"recognizedPhrases":[{"speaker":1,"offset":"PT1S","duration":"PT1S","offsetInTicks":10000000.0,"durationInTicks":10000000.0,"nBest":[{"display":"One two.","words":[{"word":"one","offsetInTicks":10000000.0,"durationInTicks":4000000.0},{"word":"two","offsetInTicks":15000000.0,"durationInTicks":5000000.0}]}]},{"speaker":2,"offsetInTicks":30000000,"durationInTicks":10000000,"nBest":[{"display":"Three."}]}]}"#,
        "speaker 1/One speaker 1/two. speaker 2/Three.",
    ),
    (
        "Azure's JSON",
        r#"{"durationMilliseconds":4000,"phrases":[{"offsetMilliseconds":1000,"durationMilliseconds":1000,"text":"One two.","words":[{"text":"One","offsetMilliseconds":1000,"durationMilliseconds":400},{"text":"two.","offsetMilliseconds":1500,"durationMilliseconds":500}]},{"offsetMilliseconds":3000,"durationMilliseconds":1000,"text":"Three."}]}"#,
        "One two. Three.",
    ),
    (
        "Vosk's JSON",
        "{\"result\":[{\"conf\":1,\"word\":\"One\",\"start\":1.0,\"end\":1.4},{\"word\":\"two.\",\"start\":1.5,\"end\":2.0}],\"text\":\"One two.\"}\n{\"text\":\"\"}\n{\"result\":[{\"word\":\"Three.\",\"start\":3.0,\"end\":4.0}],\"text\":\"Three.\"}\n",
        "One two. Three.",
    ),
    (
        "Vosk's JSON",
        r#"{"result":[{"conf":1,"word":"One","start":1.0,"end":1.4},{"word":"two.","start":1.5,"end":2.0},{"word":"Three.","start":3.0,"end":4.0}],"text":"One two. Three."}"#,
        "One two. Three.",
    ),
    (
        "Rev's JSON",
        r#"{"monologues":[{"speaker":0,"elements":[{"type":"text","value":"One","ts":1.0,"end_ts":1.4},{"type":"punct","value":" "},{"type":"text","value":"two","ts":1.5,"end_ts":2.0},{"type":"punct","value":". "}]},{"speaker":1,"elements":[{"type":"text","value":"Three","ts":3.0,"end_ts":4.0},{"type":"punct","value":"."}]}]}"#,
        "speaker 0/One speaker 0/two. speaker 1/Three.",
    ),
    (
        "ElevenLabs' JSON",
        r#"{"language_code":"eng","language_probability":1,"text":"One two. Three.","words":[{"text":"One","start":1.0,"end":1.4,"type":"word","speaker_id":"speaker_0"},{"text":" ","start":1.4,"end":1.5,"type":"spacing"},{"text":"two.","start":1.5,"end":2.0,"type":"word"},{"text":"(laughs)","start":2.1,"end":2.5,"type":"audio_event"},{"text":"Three.","start":3.0,"end":4.0,"type":"word"}]}"#,
        "speaker_0/One two. Three.",
    ),
    (
        "Speechmatics' JSON",
        r#"{"format":"2.9","results":[{"type":"word","start_time":1.0,"end_time":1.4,"alternatives":[{"content":"One","speaker":"S1"}]},{"type":"word","start_time":1.5,"end_time":2.0,"alternatives":[{"content":"two","speaker":"S1"}]},{"type":"punctuation","start_time":2.0,"end_time":2.0,"attaches_to":"previous","alternatives":[{"content":"."}]},{"type":"word","start_time":3.0,"end_time":4.0,"alternatives":[{"content":"Three."}]}]}"#,
        "S1/One S1/two. Three.",
    ),
    (
        "Premiere's JSON",
        r#"{"language":"en-us","speakers":[{"id":"u-1","name":"Ann"}],"segments":[{"start":1.0,"duration":1.0,"speaker":"u-1","language":"en-us","words":[{"start":1.0,"duration":0.4,"eos":false,"text":"One","type":"word","tags":[]},{"start":1.5,"duration":0.5,"eos":true,"text":"two.","type":"word"}]},{"start":3.0,"duration":1.0,"speaker":"u-1","words":[{"start":3.0,"duration":1.0,"text":"Three.","type":"word"}]}]}"#,
        "Ann/One Ann/two. Ann/Three.",
    ),
    (
        "Descript's JSON",
        r#"{"transcript":{"segments":[{"start":"00:00:01.000","end":"00:00:02.000","speaker":{"name":"Ann"},"text":"One two."},{"start":"00:00:03.000","end":"00:00:04.000","text":"Three."}]}}"#,
        "Ann/One Ann/two. Three.",
    ),
    (
        "IBM Watson's JSON",
        r#"{"results":[{"alternatives":[{"timestamps":[["One",1.0,1.4],["two.",1.5,2.0]],"transcript":"One two. "}]},{"alternatives":[{"timestamps":[["Three.",3.0,4.0]]}]}]}"#,
        "One two. Three.",
    ),
    (
        "Soniox's JSON",
        r#"{"tokens":[{"text":"One","start_ms":1000,"end_ms":1400},{"text":" tw","start_ms":1500,"end_ms":1700},{"text":"o.","start_ms":1700,"end_ms":2000},{"text":" Three.","start_ms":3000,"end_ms":4000}]}"#,
        "One two. Three.",
    ),
    (
        "YouTube's json3",
        r#"{"wireMagic":"pb3","events":[{"tStartMs":1000,"dDurationMs":1000,"segs":[{"utf8":"One"},{"utf8":" two.","tOffsetMs":500}]},{"tStartMs":3000,"dDurationMs":1000,"segs":[{"utf8":"Three."}]}]}"#,
        "One two. Three.",
    ),
    (
        "JSON",
        "{\"start\": 1.0, \"end\": 2.0, \"text\": \"One two.\"}\n{\"start\": 3.0, \"end\": 4.0, \"text\": \"Three.\"}\n",
        "One two. Three.",
    ),
    ("JSON", r#"{"body":[{"from":1.0,"to":2.0,"content":"One two."},{"from":3.0,"to":4.0,"content":"Three."}]}"#, "One two. Three."),
];

pub(super) fn read(text: &str) -> Result<ReadTranscript> {
    read_transcript(text.as_bytes(), &ReadOptions::default())
}

fn words(read: &ReadTranscript) -> String {
    let shown = |word: &crate::model::Word| word.speaker.as_ref().map_or_else(|| word.text.clone(), |who| format!("{who}/{}", word.text));
    read.transcript.words.iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[test]
fn samples_of_all_formats_are_read() {
    for (format, text, expected) in SAMPLES {
        let read = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((words(&read).as_str(), read.format), (*expected, *format), "{text}\n{:?}", read.warnings);
        let words = &read.transcript.words;
        let (first, last) = (&words[0], &words[words.len() - 1]);
        assert_eq!((first.start.secs(), last.start.secs()), (1.0, 3.0), "{text}");
        assert!(last.end.secs() > 3.0 && last.end.secs() <= 4.2, "{text}: {last:?}");
        // The prose before a fence is lost, with a warning.
        let prose = if text.starts_with("Sure") { 4 } else { 0 };
        // What is only nearly JSON is noted.
        let noted = usize::from(text.ends_with(",]") || text.contains("None"));
        assert_eq!((read.counts.words_lost, read.warnings.len()), (prose, prose / 4 + noted), "{text}: {:?}", read.warnings);
    }
}

#[test]
fn words_keep_the_times_of_their_makers() {
    for (format, text, _) in SAMPLES.iter().filter(|(_, text, _)| text.contains("1.5") || text.contains("1500") || text.contains("PT1S")) {
        let read = read(text).unwrap();
        let second = &read.transcript.words[1];
        assert!(second.start.secs() == 1.5 && second.end.secs() <= 2.0, "{format}: {second:?}");
    }
}

#[test]
fn an_entry_whose_time_is_not_understood_refuses_the_file() {
    for (text, expected) in [
        (r#"[{"text":"One","start":"1.0","end":"2.0"},{"text":"Two","start":"soon","end":"3.0"}]"#, "\"soon\" of entry 2 ([1], \"Two\")"),
        (r#"{"segments":[{"text":"One","start":1,"end":2,"words":[{"word":"One","start":true,"end":2}]}]}"#, "segments[0].words[0]"),
        (r#"{"words":[{"word":"One"},{"word":"two"}]}"#, "no words with times"),
        (r#"{"text":"One two three."}"#, "a text (3 words) and no times"),
        (r#"{"words":[{"word":"One","start":1"#, "ends early"),
        (r#"{"words":[{"word":"One" "start":1}]}"#, "damaged"),
        (r#"{"title":"x","id":4}"#, "it has"),
        ("start\tend\ttext\n1000\t2000\tOne\nsoon\t3000\tTwo", ""),
    ] {
        match read(text) {
            Err(error) => assert!(
                error.kind() == ErrorKind::InvalidInput && error.to_string().contains(expected) && !expected.is_empty(),
                "{text}: {error}"
            ),
            // A broken line of a table belongs to the line before.
            Ok(read) => assert_eq!((expected, read.counts.words_kept), ("", 4), "{text}: {read:?}"),
        }
    }
}

#[test]
fn a_word_without_times_takes_the_gap() {
    let text = r#"{"words":[{"word":"In","start":1.0,"end":1.2},{"word":"1999"},{"word":"we","start":2.0,"end":2.2},{"word":"won","start":null,"end":null}]}"#;
    let shown: Vec<String> = read(text)
        .unwrap()
        .transcript
        .words
        .iter()
        .map(|word| format!("{} {:.1}-{:.1}", word.text, word.start.secs(), word.end.secs()))
        .collect();
    assert_eq!(shown, ["In 1.0-1.2", "1999 1.2-2.0", "we 2.0-2.2", "won 2.2-2.6"]);
    let first =
        r#"{"segments":[{"start":5.0,"end":6.0,"text":"One two.","words":[{"word":"One"},{"word":"two.","start":5.5,"end":6.0}]}]}"#;
    assert_eq!(read(first).unwrap().transcript.words[0].start.secs(), 5.0);
}

#[test]
fn an_offset_moves_all_times() {
    let mut options = ReadOptions::default();
    options.offset = Some(Timestamp::from_secs(10.0));
    for (format, text, expected) in SAMPLES {
        let read = read_transcript(text.as_bytes(), &options).unwrap();
        let words = &read.transcript.words;
        assert_eq!(
            (self::words(&read).as_str(), words[0].start.secs(), words[words.len() - 1].start.secs()),
            (*expected, 11.0, 13.0),
            "{format}"
        );
    }
    // Times in the text move, too.
    let timed = "WEBVTT\n\n00:01.000 --> 00:02.000\nOne<00:00:01.500><c> two</c>\n";
    assert_eq!(read_transcript(timed.as_bytes(), &options).unwrap().transcript.words[1].start.secs(), 11.5);
}

#[test]
fn sounds_are_events_and_not_words() {
    let srt = "1\n00:00:01,000 --> 00:00:02,000\n[Music]\n\n2\n00:00:03,000 --> 00:00:04,000\nSo (laughs) yes\n\n3\n00:00:05,000 --> 00:00:06,000\n\u{266a} la la \u{266a}\n";
    let read = super::sample_tests::read(srt).unwrap();
    let events: Vec<String> = read.transcript.events.iter().map(|event| format!("{} {}", event.text, event.span.start().secs())).collect();
    assert_eq!((words(&read).as_str(), events), ("So yes", vec!["Music 1".into(), "laughs 3".into(), "\u{266a} la la \u{266a} 5".into()]));
    assert_eq!((read.counts.words_seen, read.counts.words_unspoken, read.counts.words_lost), (6, 4, 0));
    let json = r#"{"words":[{"text":"So","start":1,"end":2},{"text":"[audience","start":2,"end":3},{"text":"laughing]","start":3,"end":4},{"text":"yes","start":5,"end":5.5}]}"#;
    let read = super::sample_tests::read(json).unwrap();
    assert_eq!((words(&read).as_str(), read.transcript.events.len()), ("So yes", 1));
    assert_eq!(read.transcript.events[0].text, "audience laughing");
}

#[test]
fn each_loss_is_a_warning_with_its_number_line_and_reason() {
    let text = "Made by me\n\n1\n00:00:01,000 --> 00:00:02,000\nOne\n\n2\n00:00:0x,000 --> 00:00:03,000\ntwo three\n\n3\n00:00:02,000 --> 00:00:04,000\nfour\n\n\
                4\n00:00:50,000 --> 00:00:51,000\nlate words here\n";
    let mut options = ReadOptions::default();
    options.duration = Some(Timestamp::from_secs(10.0));
    let read = read_transcript(text.as_bytes(), &options).unwrap();
    let messages: Vec<&str> = read.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(read.warnings.iter().all(|warning| warning.kind == WarningKind::InputLost), "{messages:?}");
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert!(messages[0].contains("3 words in 1 place were lost, first at line 1: they stand before"), "{messages:?}");
    assert!(messages[1].contains("2 words") && messages[1].contains("line 8") && messages[1].contains("no room"), "{messages:?}");
    assert!(messages[2].contains("3 words") && messages[2].contains("line 16") && messages[2].contains("after the end"), "{messages:?}");
    assert_eq!((read.counts.words_seen, read.counts.words_kept, read.counts.words_lost), (10, 2, 8));
}

#[test]
fn repeated_captions_are_said_once() {
    let growing = "00:01 --> 00:02\nWhy\n\n00:02 --> 00:03\nWhy do\n\n00:03 --> 00:04\nWhy do most\n\n00:04 --> 00:05\nWhy do most fail\n\n00:05 --> 00:06\nSo\n";
    assert_eq!(words(&read(growing).unwrap()), "Why do most fail So");
    let highlighted = "00:01 --> 00:02\n<font color=\"#f00\">Why</font> do\n\n00:02 --> 00:03\nWhy <font color=\"#f00\">do</font>\n\n00:03 --> 00:04\nwe\n";
    let read = super::sample_tests::read(highlighted).unwrap();
    assert_eq!(words(&read), "Why do we");
    assert_eq!((read.transcript.words[1].start.secs(), read.counts.words_repeated), (2.0, 2));
    // Real repetition stays.
    assert_eq!(
        words(&super::sample_tests::read("00:01 --> 00:02\nNo.\n\n00:02 --> 00:03\nNo.\n\n00:04 --> 00:05\nNo.\n").unwrap()),
        "No. No. No."
    );
}
