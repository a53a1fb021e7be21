//! ASS and SSA: the events of a script that are speech. The `Format:` line is honoured; comments,
//! drawings and signs are left out.

use super::clock::clock;
use super::count::{Losses, Reason};
use super::{RawCue, RawCues};
use crate::transcribe::markup::Markup;
use crate::transcribe::words::count_text;

/// The columns of an event.
struct Columns {
    start: usize,
    end: usize,
    style: Option<usize>,
    name: Option<usize>,
    effect: Option<usize>,
    text: usize,
    count: usize,
}

impl Columns {
    /// The columns of version 4 and 4+, which scripts without a `Format:` line have.
    fn usual() -> Self {
        Columns { start: 1, end: 2, style: Some(3), name: Some(4), effect: Some(8), text: 9, count: 10 }
    }

    /// The columns of a `Format:` line. `None` if times or text are not among them.
    fn of(format: &str) -> Option<Self> {
        let names: Vec<String> = format.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        Some(Columns {
            start: place(&["start"])?,
            end: place(&["end"])?,
            style: place(&["style"]),
            name: place(&["name", "actor"]),
            effect: place(&["effect"]),
            text: place(&["text"])?,
            count: names.len(),
        })
    }

    /// The fields of an event. The text may contain commas, wherever it stands.
    fn split<'a>(&self, event: &'a str) -> Option<Vec<&'a str>> {
        let mut fields: Vec<&str> = event.splitn(self.text + 1, ',').collect();
        if fields.len() <= self.text {
            return None;
        }
        let after = self.count - self.text - 1;
        let mut behind: Vec<&str> = fields.pop()?.rsplitn(after + 1, ',').collect();
        fields.extend(std::iter::from_fn(|| behind.pop()));
        (fields.len() == self.count).then_some(fields)
    }
}

/// An event, before it is decided whether it is speech.
struct Event {
    cue: RawCue,
    is_sign: bool,
    /// Whether it is placed on the picture.
    is_positioned: bool,
}

/// Reads the events of a script.
pub(super) fn read(text: &str, losses: &mut Losses) -> RawCues {
    let mut columns = Columns::usual();
    let (mut events, mut inside, mut seen_section, mut is_data) = (Vec::<Event>::new(), false, false, false);
    for (n, line) in text.replace("\r\n", "\n").replace('\r', "\n").split('\n').enumerate() {
        let trimmed = line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if trimmed.is_empty() || trimmed.starts_with("```") {
            continue;
        }
        if trimmed.starts_with('[') && trimmed.ends_with(']') {
            inside = trimmed.eq_ignore_ascii_case("[Events]");
            // Fonts and pictures stand in the script as text.
            is_data = matches!(trimmed.to_ascii_lowercase().as_str(), "[fonts]" | "[graphics]");
            seen_section |= inside;
            continue;
        }
        let (key, value) = trimmed.split_once(':').unwrap_or(("", trimmed));
        match key.trim().to_ascii_lowercase().as_str() {
            "dialogue" => {
                // The section's own line may be damaged.
                inside = true;
                dialogue(&columns, value, n + 1, &mut events, losses);
            }
            // The styles have a format, too.
            "format" if inside || !seen_section => columns = Columns::of(value).unwrap_or(columns),
            "comment" | "format" | "style" | "picture" | "sound" | "movie" | "command" => {}
            _ if trimmed.starts_with(';') || trimmed.starts_with("!:") => {}
            _ if inside || value.contains(",,") => other_line(&columns, trimmed, n + 1, &mut events, losses),
            // All other lines of a script are a key and a value.
            "" if !is_data => losses.lose(Reason::BrokenEvent, n + 1, count_text(last_field(trimmed), Markup::Ass)),
            _ => {}
        }
    }
    RawCues { format: "ASS", markup: Markup::Ass, cues: speech(events, losses), language: None }
}

/// The events of a stream in Matroska, whose packets are `ReadOrder, Layer, Style, Name, MarginL,
/// MarginR, MarginV, Effect, Text`. The times of `cues` are the packets'.
pub(super) fn of_packets(cues: Vec<RawCue>, losses: &mut Losses) -> RawCues {
    let columns = Columns { start: 0, end: 0, style: Some(2), name: Some(3), effect: Some(7), text: 8, count: 9 };
    let mut events = Vec::with_capacity(cues.len());
    for cue in cues {
        match columns.split(&cue.text) {
            Some(fields) => {
                push(&columns, &fields, cue.line, &mut events);
                if let Some(event) = events.last_mut() {
                    (event.cue.start, event.cue.end) = (cue.start, cue.end);
                }
            }
            None => losses.lose(Reason::BrokenEvent, cue.line, count_text(last_field(&cue.text), Markup::Ass)),
        }
    }
    RawCues { format: "ASS", markup: Markup::Ass, cues: speech(events, losses), language: None }
}

fn dialogue(columns: &Columns, event: &str, line: usize, events: &mut Vec<Event>, losses: &mut Losses) {
    let event = event.trim_start();
    let Some(fields) = columns.split(event) else {
        losses.lose(Reason::BrokenEvent, line, count_text(last_field(event), Markup::Ass));
        return;
    };
    push(columns, &fields, line, events);
}

fn push(columns: &Columns, fields: &[&str], line: usize, events: &mut Vec<Event>) {
    let field = |place: Option<usize>| place.and_then(|place| fields.get(place)).map_or("", |field| field.trim());
    let text = fields[columns.text];
    let effect = field(columns.effect).to_ascii_lowercase();
    let is_positioned = text.contains("\\pos(") || text.contains("\\move(");
    let cue = RawCue {
        line,
        start: clock(field(Some(columns.start))),
        end: clock(field(Some(columns.end))),
        text: text.to_owned(),
        speaker: Some(field(columns.name)).filter(|name| !name.is_empty()).map(str::to_owned),
    };
    let is_effect = effect == "fx" || effect.starts_with("template") || effect.starts_with("code");
    events.push(Event { cue, is_sign: is_effect || is_sign_style(field(columns.style)), is_positioned });
}

/// Whether a style is for text on the picture, by its name.
fn is_sign_style(style: &str) -> bool {
    const NAMES: [&str; 10] = ["sign", "typeset", "screen", "credit", "watermark", "logo", "title", "staff", "on-top", "tn"];
    let lower = style.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.any(|word| NAMES.contains(&word) || NAMES.contains(&word.trim_end_matches('s')))
}

/// A line of the events whose key is none: an event with a damaged key, or the rest of the event
/// before it.
fn other_line(columns: &Columns, line: &str, number: usize, events: &mut Vec<Event>, losses: &mut Losses) {
    if let Some(fields) = columns.split(line)
        && clock(fields[columns.start]).is_some()
        && clock(fields[columns.end]).is_some()
    {
        push(columns, &fields, number, events);
        return;
    }
    // Columns are not spoken.
    let is_event = line.contains(",,") || line.split(',').any(|field| clock(field).is_some());
    match events.last_mut() {
        Some(event) if !is_event => {
            event.cue.text.push_str("\\N");
            event.cue.text.push_str(line);
        }
        _ => losses.lose(Reason::BrokenEvent, number, count_text(last_field(line), Markup::Ass)),
    }
}

/// The text of an event whose columns are not all there, as far as it can be told.
fn last_field(event: &str) -> &str {
    match event.rsplit_once(",,") {
        Some((_, text)) => text,
        // Columns only.
        None if event.split(',').any(|field| clock(field).is_some()) => {
            event.rsplit_once(',').map_or("", |(_, last)| if clock(last).is_some() { "" } else { last })
        }
        None => event,
    }
}

/// The events that are speech. Events at a position are signs where most are not, and those with a
/// style for signs.
fn speech(events: Vec<Event>, losses: &mut Losses) -> Vec<RawCue> {
    let positioned = events.iter().filter(|event| event.is_positioned && !event.is_sign).count();
    let signs = events.iter().filter(|event| event.is_sign).count();
    let positions_are_signs = positioned * 3 <= events.len() - signs;
    // A script that has nothing else speaks in its signs.
    let all = events.iter().all(|event| event.is_sign);
    let mut cues = Vec::with_capacity(events.len());
    for event in events {
        if !all && (event.is_sign || event.is_positioned && positions_are_signs) {
            losses.lose(Reason::Sign, event.cue.line, count_text(&event.cue.text, Markup::Ass));
        } else {
            cues.push(event.cue);
        }
    }
    super::sort(&mut cues);
    cues
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn shown(text: &str) -> (Vec<String>, usize) {
        let mut losses = Losses::default();
        let time = |time: Option<Timestamp>| time.map_or("?".into(), |time| time.secs().to_string());
        let cues = read(text, &mut losses).cues;
        let shown = |cue: &RawCue| format!("{}-{} {}", time(cue.start), time(cue.end), cue.text);
        (cues.iter().map(shown).collect(), losses.words())
    }

    #[test]
    fn the_format_line_is_honoured() {
        let events =
            |format: &str, line: &str| shown(&format!("[Script Info]\n[V4+ Styles]\nFormat: Name, Start\n[Events]\n{format}\n{line}\n")).0;
        assert_eq!(events("Format: Start, End, Text", "Dialogue: 0:00:01.00,0:00:02.00,Yes, it is"), ["1-2 Yes, it is"]);
        assert_eq!(events("Format: Layer, Text, Start, End", "Dialogue: 0,Yes, it is,0:00:01.00,0:00:02.00"), ["1-2 Yes, it is"]);
        assert_eq!(events("", "Dialogue: Marked=0,0:00:01.00,0:00:02.00,Default,Ann,0,0,0,,Yes, it is"), ["1-2 Yes, it is"]);
        assert_eq!(events("format: start,end,actor,text", "dialogue: 0:00:01.00,0:00:02.00,Ann,Yes"), ["1-2 Yes"]);
    }

    #[test]
    fn signs_comments_and_effects_are_left_out() {
        let line =
            |kind: &str, style: &str, effect: &str, text: &str| format!("{kind}: 0,0:00:01.00,0:00:02.00,{style},,0,0,0,{effect},{text}\n");
        let script = [
            "[Events]\n".to_owned(),
            line("Dialogue", "Default", "", "one"),
            line("Comment", "Default", "", "a remark"),
            line("Dialogue", "Signs", "", "TOWN HALL"),
            line("Dialogue", "Default", "", "two"),
            line("Dialogue", "Default", "", "{\\an8}three"),
            line("Dialogue", "Default", "", "{\\pos(1,2)}EXIT"),
            line("Dialogue", "Default", "fx", "{\\pos(1,2)}syl"),
        ];
        assert_eq!(shown(&script.concat()), (vec!["1-2 one".into(), "1-2 two".into(), "1-2 {\\an8}three".into()], 4));
        // A converter that gives every line a position.
        let all: String = (0..3).map(|_| line("Dialogue", "Default", "", "{\\pos(1,2)}x")).collect();
        assert_eq!(shown(&all).0.len(), 3);
    }

    #[test]
    fn damaged_events_are_kept_or_counted() {
        let script = "[Events]\nDialogue: 0,0:00:01.00,0:00:0\n2.00,Default,,0,0,0,,lost two\nDialoge: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,kept\nand more\n\
                      Dialogue: 0,0:0x:05.00,0:00:06.00,Default,,0,0,0,,unclear";
        let (cues, lost) = shown(script);
        assert_eq!((cues, lost), (vec!["3-4 kept\\Nand more".into(), "?-6 unclear".into()], 2));
    }
}
