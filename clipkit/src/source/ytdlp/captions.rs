//! Which captions of a platform are the transcript, and how they are cut to a section. Pure.

use serde_json::Value;

use super::info::{is_tag, spoken};
use crate::model::Span;

/// Captions of a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Track {
    /// The platform's name for them: a language, or `en-orig`.
    pub(super) key: String,
    pub(super) language: String,
    /// Whether a machine wrote them.
    pub(super) automatic: bool,
    /// The format: `json3`, `vtt`, `srt` or `ass`.
    pub(super) format: &'static str,
}

/// Formats that the transcriber `Captions` reads, those with word times first.
const FORMATS: [&str; 4] = ["json3", "vtt", "srt", "ass"];

/// Chooses the captions in the spoken language: the automatic ones, which have word times and are
/// no translation, else those that people wrote. If the spoken language is not known, the only
/// captions that people wrote; of several, none, since each may be a translation.
pub(super) fn choose(json: &Value) -> Option<Track> {
    let language = spoken(json);
    let tracks = |name: &str, automatic: bool| -> Vec<Track> {
        let Some(tracks) = json.get(name).and_then(Value::as_object) else { return Vec::new() };
        let track = |(key, forms): (&String, &Value)| {
            let forms: Vec<&str> = forms.as_array()?.iter().filter_map(|form| form.get("ext")?.as_str()).collect();
            let format = FORMATS.into_iter().find(|format| forms.contains(format))?;
            let language = key.strip_suffix("-orig").unwrap_or(key);
            is_tag(language).then(|| Track { key: key.clone(), language: language.to_owned(), automatic, format })
        };
        tracks.iter().filter_map(track).collect()
    };
    let written = tracks("subtitles", false);
    let Some(language) = language else {
        return match <[Track; 1]>::try_from(written) {
            Ok([only]) => Some(only),
            Err(_) => None,
        };
    };
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let rank = |track: &Track| match () {
        () if track.key.ends_with("-orig") && primary(&track.language) == primary(&language) => Some(0),
        () if track.language.eq_ignore_ascii_case(&language) => Some(1),
        () if primary(&track.language) == primary(&language) => Some(2),
        () => None,
    };
    let best = |tracks: Vec<Track>, formats: &[&str]| {
        let fitting = tracks.into_iter().filter(|track| formats.contains(&track.format));
        fitting.filter_map(|track| Some((rank(&track)?, track))).min_by_key(|(rank, _)| *rank).map(|(_, track)| track)
    };
    best(tracks("automatic_captions", true), &FORMATS[..2]).or_else(|| best(written, &FORMATS))
}

/// The captions of a section, on its timeline. `None` if the format cannot be cut.
pub(super) fn cut(text: &str, format: &str, section: Span) -> Option<String> {
    match format {
        "json3" => cut_json3(text, section),
        "vtt" => Some(cut_vtt(text, section)),
        _ => None,
    }
}

/// Events of YouTube's json3 have a start and a length in milliseconds; words, offsets from it.
fn cut_json3(text: &str, section: Span) -> Option<String> {
    let mut json: Value = serde_json::from_str(text).ok()?;
    let (from, to) = (section.start().secs() * 1000.0, section.end().secs() * 1000.0);
    let events = json.get_mut("events")?.as_array_mut()?;
    events.retain_mut(|event| {
        let Some(start) = event.get("tStartMs").and_then(Value::as_f64) else { return false };
        if !(from..to).contains(&start) {
            return false;
        }
        if let Some(fields) = event.as_object_mut() {
            fields.insert("tStartMs".into(), Value::from((start - from).round()));
        }
        true
    });
    serde_json::to_string(&json).ok()
}

/// Drops the cues that start outside the section, and moves all times of the others.
fn cut_vtt(text: &str, section: Span) -> String {
    let (from, to) = (section.start().secs(), section.end().secs());
    let text = text.replace("\r\n", "\n");
    let mut blocks = Vec::new();
    for block in text.split("\n\n") {
        let timing = block.lines().find_map(|line| line.split_once("-->"));
        let Some(start) = timing.and_then(|(start, _)| seconds(start.trim())) else {
            blocks.push(block.to_owned());
            continue;
        };
        if (from..to).contains(&start) {
            blocks.push(shifted(block, from));
        }
    }
    blocks.join("\n\n")
}

/// The block with every time earlier by `by` seconds.
fn shifted(block: &str, by: f64) -> String {
    let mut result = String::with_capacity(block.len());
    for line in block.split_inclusive('\n') {
        if let Some((start, rest)) = line.split_once("-->") {
            let (end, settings) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            let time = |text: &str| seconds(text.trim()).map_or_else(|| text.trim().to_owned(), |at| timestamp(at - by));
            let newline = if line.ends_with('\n') { "\n" } else { "" };
            result.push_str(format!("{} --> {} {settings}", time(start), time(end)).trim_end());
            result.push_str(newline);
            continue;
        }
        // Times of words: `<00:00:01.200>`.
        let mut rest = line;
        while let Some(open) = rest.find('<') {
            let (before, tag) = rest.split_at(open + 1);
            result.push_str(before);
            let Some((inner, after)) = tag.split_once('>') else {
                rest = tag;
                break;
            };
            result.push_str(&seconds(inner).map_or_else(|| inner.to_owned(), |at| timestamp(at - by)));
            result.push('>');
            rest = after;
        }
        result.push_str(rest);
    }
    result
}

/// The seconds of `00:01:02.345` or `01:02.345`.
fn seconds(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    if !(2..=3).contains(&parts.len()) || !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')) {
        return None;
    }
    parts.iter().try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))
}

fn timestamp(seconds: f64) -> String {
    let millis = (seconds.max(0.0) * 1000.0).round() as u64;
    format!("{:02}:{:02}:{:02}.{:03}", millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60, millis % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ytdlp::info::youtube;
    use serde_json::json;

    fn chosen(json: Value) -> Option<(String, bool, &'static str)> {
        choose(&json).map(|track| (track.key, track.automatic, track.format))
    }

    #[test]
    fn the_spoken_language_is_chosen_and_no_translation() {
        assert_eq!(chosen(youtube()), Some(("en-orig".into(), true, "json3")));
        let vtt = json!([{"ext": "srv1"}, {"ext": "vtt"}]);
        let srt = json!([{"ext": "srt"}]);
        // Translations by a machine stand under their language, written ones too.
        let german = json!({"automatic_captions": {"aa": vtt, "de-orig": vtt, "en": vtt}, "subtitles": {"en": srt}});
        assert_eq!(chosen(german), Some(("de-orig".into(), true, "vtt")));
        let written = json!({"language": "de-AT", "automatic_captions": {"en": vtt}, "subtitles": {"aa": srt, "de": srt, "en": vtt}});
        assert_eq!(chosen(written), Some(("de".into(), false, "srt")));
        let exact = json!({"language": "pt-BR", "subtitles": {"pt": srt, "pt-BR": srt, "pt-PT": srt}});
        assert_eq!(chosen(exact), Some(("pt-BR".into(), false, "srt")));
    }

    #[test]
    fn captions_in_an_unknown_language_are_taken_only_if_there_is_one() {
        let srt = json!([{"ext": "srt"}]);
        assert_eq!(chosen(json!({"subtitles": {"fr": srt, "live_chat": [{"ext": "json"}]}})), Some(("fr".into(), false, "srt")));
        assert_eq!(chosen(json!({"subtitles": {"fr": srt, "en": srt}})), None);
        assert_eq!(chosen(json!({"automatic_captions": {"en": srt}})), None);
        assert_eq!(chosen(json!({"language": "en", "subtitles": {"en": [{"ext": "ttml"}]}})), None);
        assert_eq!(chosen(json!({"subtitles": {"--exec=x": srt}})), None);
        assert_eq!(chosen(json!({"subtitles": 3, "automatic_captions": null})), None);
    }

    #[test]
    fn a_section_has_its_own_times() {
        let section = Span::secs(600.0, 2400.0).unwrap();
        let vtt = "WEBVTT\nKind: captions\nLanguage: en\n\n00:09:58.000 --> 00:10:01.000\nbefore\n\n00:10:01.500 --> 00:10:03.000 align:start\n\
                   so<00:10:01.900><c> here</c> <b>we\n\n40:00.000 --> 40:01.000\nafter\n";
        assert_eq!(
            cut(vtt, "vtt", section).unwrap(),
            "WEBVTT\nKind: captions\nLanguage: en\n\n00:00:01.500 --> 00:00:03.000 align:start\nso<00:00:01.900><c> here</c> <b>we"
        );
        let json3 = r#"{"events":[{"id":1},{"tStartMs":599999,"segs":[]},{"tStartMs":601500,"dDurationMs":9,"segs":[{"utf8":"a","tOffsetMs":5}]},{"tStartMs":2400000}]}"#;
        let cut3: Value = serde_json::from_str(&cut(json3, "json3", section).unwrap()).unwrap();
        assert_eq!(cut3, json!({"events": [{"tStartMs": 1500.0, "dDurationMs": 9, "segs": [{"utf8": "a", "tOffsetMs": 5}]}]}));
        assert_eq!(cut("x", "srt", section), None);
        assert_eq!(cut("{", "json3", section), None);
    }
}
