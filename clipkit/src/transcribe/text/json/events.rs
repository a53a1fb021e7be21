//! YouTube's json3: events with a start, and parts with offsets, in milliseconds.

use serde_json::Value;

use super::super::{RawCue, RawCues, webvtt_time};
use crate::model::Timestamp;
use crate::transcribe::markup::Markup;

/// Reads events. `None` if they are not YouTube's.
pub(super) fn read(events: &[Value]) -> Option<RawCues> {
    if !events.iter().any(|event| event.get("tStartMs").is_some()) {
        return None;
    }
    let millis = |value: Option<&Value>| value.and_then(Value::as_f64).filter(|ms| ms.is_finite() && ms.abs() < 1e12);
    let mut cues = Vec::new();
    for (n, event) in events.iter().enumerate() {
        let Some(parts) = event.get("segs").and_then(Value::as_array) else { continue };
        let start = millis(event.get("tStartMs"));
        // The text is joined first, since brackets may extend over several parts.
        let mut text = String::new();
        for part in parts {
            if let Some((start, offset)) = start.zip(millis(part.get("tOffsetMs"))) {
                text.push_str(&format!("<{}>", webvtt_time(Timestamp::from_secs((start + offset) / 1000.0))));
            }
            let part = part.get("utf8").and_then(Value::as_str).unwrap_or_default();
            text.push_str(&part.replace('&', "&amp;").replace('<', "&lt;"));
        }
        let time = |ms: f64| Timestamp::from_secs(ms / 1000.0);
        let end = start.zip(millis(event.get("dDurationMs"))).map(|(start, length)| time(start + length.max(0.0)));
        cues.push(RawCue { line: n + 1, start: start.map(time), end, text, speaker: None });
    }
    Some(RawCues { format: "YouTube's json3", markup: Markup::WebVtt, cues, language: None })
}
