//! Transcripts in the answers of servers, read as those in files are.

use serde_json::Value;

use super::text::{self, ReadOptions, ReadTranscript, read_transcript};
use crate::openai::answer::{Content, Recording, Times};

/// Reads an answer. `None` if it has neither words with times nor, in JSON, a text.
pub(crate) fn read(content: Content<'_>) -> Option<Recording> {
    match content {
        // Speech without times may look like a line of a format.
        Content::Text(text) => read_transcript(text.as_bytes(), &ReadOptions::default())
            .ok()
            .filter(|read| read.counts.words_kept > 0)
            .map(|read| recording(read, Times::Segments)),
        Content::Json(value) => of_documents(vec![text::unwrapped(value).clone()]),
        // What a stream says besides is no transcript.
        Content::Lines(values) => of_documents(values.iter().filter(|value| value.is_object()).map(text::unwrapped).cloned().collect()),
    }
}

fn of_documents(documents: Vec<Value>) -> Option<Recording> {
    if let Some((read, has_word_times)) = text::read_documents(&documents) {
        return Some(recording(read, if has_word_times { Times::Words } else { Times::Segments }));
    }
    let texts: Vec<String> = documents.iter().filter_map(text::text_without_times).collect();
    let language = documents.iter().find_map(text::language_of);
    let joined = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ");
    (!texts.is_empty()).then(|| Recording { text: joined, language, ..Recording::default() })
}

fn recording(read: ReadTranscript, times: Times) -> Recording {
    let ReadTranscript { transcript, warnings, .. } = read;
    Recording { text: String::new(), words: transcript.words, times, language: transcript.language, warnings }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::openai::answer::transcription;

    /// The words with their times, the language, and the text where there are no times.
    fn of(text: &str) -> String {
        let found = transcription(text.as_bytes(), &read).unwrap_or_else(|complaint| panic!("{text}: {complaint:?}"));
        let words = found.words.iter().map(|word| format!("{} {}-{}", word.text, word.start.secs(), word.end.secs()));
        let language = found.language.map(|language| format!(" {language}")).unwrap_or_default();
        format!(
            "{:?}{language}: {}",
            found.times,
            words.chain([found.text.replace('\n', "|")]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
        )
    }

    #[test]
    fn answers_of_many_forms_are_read() {
        let words = json!({"text": "Hi, all.", "language": "en", "words": [{"word": "Hi", "start": 0.5, "end": 1.0}, {"word": "all", "start": null, "end": null}]});
        let strings = r#"{"text": "Hi, all.", "language": "en", "words": [{"word": "Hi", "start": "0.5", "end": "1.0s"}, null, {"word": "all"}], "segments": null}"#;
        let wrapped = json!({"result": words, "task": "x"}).to_string();
        for text in [words.to_string().as_str(), wrapped.as_str(), strings] {
            assert_eq!(of(text), "Words en: Hi, 0.5-1, all. 1-1.4", "{text}");
        }
        for text in [
            r#"[{"start": 0, "end": 1.5, "text": " Hi all"}]"#,
            r#"{"chunks": [{"timestamp": [0.0, 1.5], "text": " Hi all"}]}"#,
            r#"{"transcription": [{"offsets": {"from": 0, "to": 1500}, "text": " Hi all"}]}"#,
            r#"{"segments": [{"start": 0.0, "end": 1.5, "text": " Hi all", "avg_logprob": -Infinity, "words": null}], "words": []}"#,
            "data: {\"start\": 0, \"end\": 1.5, \"text\": \" Hi all\"}\n\n",
        ] {
            assert_eq!(of(text), "Segments: Hi 0-0.6, all 0.6-1.5", "{text}");
        }
        assert_eq!(of(r#"{"text": "", "words": [["Hi", 0.5, 1]]}"#), "Words: Hi 0.5-1");
    }

    #[test]
    fn a_text_without_times_is_a_text() {
        for text in [
            "Hi\nall",
            "\"Hi\\nall\"",
            r#"{"text": "Hi\nall", "words": null}"#,
            r#"{"data": {"transcript": "Hi\nall"}}"#,
            r#"[{"text": "Hi\nall"}]"#,
        ] {
            assert_eq!(of(text), "None: Hi|all", "{text}");
        }
        // Words without any time are text: none stands at the start.
        assert_eq!(of(r#"{"words": [{"word": "Hi"}, {"word": "all", "start": "soon"}]}"#), "None: Hi all");
        assert_eq!(of("data: {\"text\": \"Hi \"}\n\ndata: {\"text\": \"all\"}\n\n"), "None: Hi all");
        assert_eq!(of(r#"{"text": "", "words": []}"#), "None: ");
        for text in ["{}", "null", r#"{"text": 5}"#, "[]", r#"{"task": "transcribe"}"#] {
            assert!(transcription(text.as_bytes(), &read).is_err_and(|failed| failed.words.starts_with("it has no text")), "{text}");
        }
    }

    #[test]
    fn captions_are_never_spoken() {
        for text in [
            "1\n00:00:01,000 --> 00:00:02,500\nHi\nall\n\n2\n00:01:02,000 --> 01:00:00,000\nBye\n",
            "WEBVTT\n\n00:01.000 --> 00:02.500 align:left\nHi all\n\n01:02.000 --> 1:00:00.000\nBye",
            "[00:00:01.000 --> 00:00:02.500]   Hi all\n[00:01:02.000 --> 01:00:00.000]   Bye\n",
        ] {
            assert_eq!(of(text), "Segments: Hi 1-1.6, all 1.6-2.5, Bye 62-62.8", "{text}");
        }
        // Speech that only looks like a format.
        assert_eq!(of("Dialogue: is what we want."), "None: Dialogue: is what we want.");
    }
}
