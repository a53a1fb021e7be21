//! A plan's captions as subtitle files.

use std::fmt::Write;

use crate::model::{ClipPlan, Timestamp};

/// The plan's captions as SRT, on the clip's timeline. `None` for a plan without captions.
///
/// Line breaks and other control characters in a word are replaced by spaces, so that no word ends
/// its cue.
pub fn srt(plan: &ClipPlan) -> Option<String> {
    let track = plan.captions.as_ref()?;
    let mut text = String::new();
    for (n, cue) in track.cues.iter().enumerate() {
        let words: Vec<String> = cue.words.iter().map(|word| word.text.replace(char::is_control, " ").trim().to_owned()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        // Writing to a string cannot fail.
        let _ = write!(text, "{}\n{} --> {}\n{}\n\n", n + 1, stamp(cue.span.start()), stamp(cue.span.end()), words.join(" "));
    }
    Some(text)
}

/// `01:02:03,500`
fn stamp(at: Timestamp) -> String {
    let millis = at.micros().max(0).saturating_add(500) / 1000;
    let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02},{:03}", millis % 1000)
}
