//! LRC: a line of text after its time, `[01:02.50]text`; also with several times, and with the
//! times of words, `<01:02.80>`.

use super::clock::clock;
use super::count::{Losses, Reason};
use super::{RawCue, RawCues};
use crate::model::Timestamp;
use crate::transcribe::markup::Markup;
use crate::transcribe::words::{count_text, count_words};

/// Whether a line begins with a time in brackets.
pub(super) fn is_timed(line: &str) -> bool {
    let inside = line.trim().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inside.is_some_and(|(tag, _)| clock(tag).is_some())
}

/// Reads lines.
pub(super) fn read(text: &str, losses: &mut Losses) -> RawCues {
    let mut offset = 0.0;
    let mut language = None;
    let mut cues: Vec<RawCue> = Vec::new();
    for (n, line) in text.replace("\r\n", "\n").replace('\r', "\n").split('\n').enumerate() {
        let mut rest = line.trim_start_matches('\u{feff}').trim();
        if rest.is_empty() || rest.starts_with("```") {
            continue;
        }
        let mut starts: Vec<Option<Timestamp>> = Vec::new();
        while let Some((tag, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let digits = tag.bytes().filter(u8::is_ascii_digit).count();
            if let Some(time) = clock(tag) {
                starts.push(Some(time));
            } else if let Some((key, value)) = tag.split_once(':').filter(|(key, _)| is_metadata(key)) {
                match key.to_ascii_lowercase().as_str() {
                    // A positive offset makes the text appear earlier.
                    "offset" => {
                        offset =
                            value.trim().parse::<f64>().ok().filter(|millis| millis.abs() < 1e9).map_or(offset, |millis| -millis / 1000.0)
                    }
                    "la" => language = Some(value.trim().to_owned()),
                    _ => {}
                }
                rest = after;
                continue;
            } else if digits >= 2 && digits * 2 >= tag.chars().count() {
                starts.push(None);
            } else {
                break;
            }
            rest = after;
        }
        // A tag whose beginning is lost.
        if let Some((tag, after)) = rest.split_once(']').filter(|(tag, _)| starts.is_empty() && is_fragment(tag)) {
            starts.push(clock(tag));
            rest = after;
        }
        if starts.is_empty() && rest.contains(':') && is_fragment(rest.trim_start_matches('[')) {
            losses.lose(Reason::BrokenTime, n + 1, count_words(rest));
            continue;
        }
        match (starts.is_empty(), cues.last_mut()) {
            (false, _) => {
                cues.extend(starts.into_iter().map(|start| RawCue { line: n + 1, start, text: rest.to_owned(), ..RawCue::default() }))
            }
            (true, _) if rest.trim().is_empty() => {}
            (true, Some(cue)) => {
                cue.text.push('\n');
                cue.text.push_str(rest);
            }
            (true, None) => losses.lose(Reason::BeforeFirstCue, n + 1, count_text(rest, Markup::WebVtt)),
        }
    }
    for cue in &mut cues {
        cue.start = cue.start.map(|start| start.plus(offset));
    }
    super::sort(&mut cues);
    // The times of words are WebVTT's markup.
    RawCues { format: "LRC", markup: Markup::WebVtt, cues, language }
}

/// Whether this is a piece of a time.
fn is_fragment(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | ',' | ' '))
}

/// The keys of metadata: `ti`, `ar`, `al`, `by`, `length`, `offset` ...
fn is_metadata(key: &str) -> bool {
    (1..=10).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let cues = read(text, &mut Losses::default()).cues;
        cues.iter().map(|cue| format!("{} {}", cue.start.map_or("?".into(), |at| at.secs().to_string()), cue.text)).collect()
    }

    #[test]
    fn lines_have_one_time_or_several() {
        let text = "[ti:Talk]\n[offset:+500]\n[00:01.50]One\n[00:10.00][00:05.00]Two\nmore\n[01:02:03.5] [Music]\n";
        assert_eq!(shown(text), ["1 One", "4.5 Two\nmore", "9.5 Two", "3723  [Music]"]);
        assert_eq!(shown("[00:0x.50]One\n[00:02]Two"), ["? One", "2 Two"]);
    }
}
