//! Captions in XML: TTML and DFXP with their times of every kind, YouTube's `<text start dur>` and
//! `<p t d>`, and SAMI.

use std::collections::HashMap;

use super::clock::{bounded, clock, duration};
use super::count::{Losses, Reason};
use super::xml::{Part, attribute, parts};
use super::{RawCue, RawCues, webvtt_time};
use crate::model::Timestamp;
use crate::transcribe::markup::Markup;
use crate::transcribe::words::count_text;

/// The units of a document's times.
struct Units {
    frames: f64,
    ticks: f64,
    /// YouTube's `t` and `d`, and SAMI's `start`, are milliseconds.
    is_sami: bool,
}

impl Units {
    /// A time of TTML: a clock, perhaps with frames, or a number with a unit.
    fn time(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        if let Some((whole, frames)) =
            text.rsplit_once(':').filter(|(whole, frames)| whole.matches(':').count() == 2 && !frames.contains('.'))
        {
            let frames: f64 = frames.parse().ok()?;
            return Some(clock(whole)?.plus(frames / self.frames));
        }
        let counted = |unit: char, rate: f64| {
            text.strip_suffix(unit).and_then(|number| number.parse::<f64>().ok()).and_then(|number| bounded(number / rate))
        };
        clock(text).or_else(|| duration(text)).or_else(|| counted('f', self.frames)).or_else(|| counted('t', self.ticks))
    }

    /// YouTube's `start` and `dur`: seconds without a unit.
    fn seconds(&self, text: &str) -> Option<Timestamp> {
        text.trim().parse::<f64>().ok().and_then(bounded).or_else(|| self.time(text))
    }
}

/// An open element with its times on the document's timeline.
struct Element {
    name: String,
    /// The start of what its children's times count from.
    origin: Timestamp,
    is_cue: bool,
}

/// Reads a document.
pub(super) fn read(text: &str, losses: &mut Losses) -> RawCues {
    let parts = parts(text);
    let mut reader = Reader {
        units: units(&parts),
        cues: Vec::new(),
        open: Vec::new(),
        hidden: 0,
        language: None,
        agents: HashMap::new(),
        agent: None,
        line: 1,
        counted: 0,
    };
    for part in &parts {
        reader.part(text, part, losses);
    }
    reader.cues.retain(|cue| !cue.text.trim().is_empty());
    super::sort(&mut reader.cues);
    // Word times are written as WebVTT's.
    RawCues { format: "TTML", markup: Markup::WebVtt, cues: reader.cues, language: reader.language }
}

fn units(parts: &[Part<'_>]) -> Units {
    let mut units = Units { frames: 30.0, ticks: 1.0, is_sami: false };
    for part in parts.iter().take(50) {
        let Part::Open { name, attributes, .. } = part else { continue };
        units.is_sami |= name == "sami" || name == "sync";
        let number = |name: &str| {
            attribute(attributes, name).and_then(|value| value.trim().parse::<f64>().ok()).filter(|rate| *rate > 0.0 && rate.is_finite())
        };
        if let Some(rate) = number("frameRate") {
            let multiplier = attribute(attributes, "frameRateMultiplier").and_then(|value| {
                let (above, below) = value.trim().split_once(' ')?;
                Some(above.parse::<f64>().ok()? / below.trim().parse::<f64>().ok()?)
            });
            units.frames = rate * multiplier.filter(|factor| factor.is_finite() && *factor > 0.0).unwrap_or(1.0);
        }
        units.ticks = number("tickRate").unwrap_or(units.ticks);
    }
    units
}

struct Reader {
    units: Units,
    cues: Vec<RawCue>,
    open: Vec<Element>,
    /// How many open elements hold no captions: head, metadata, style.
    hidden: usize,
    language: Option<String>,
    /// Names of speakers by their ids.
    agents: HashMap<String, String>,
    agent: Option<String>,
    /// The line that was counted up to, and its place in the text.
    line: usize,
    counted: usize,
}

/// How deep elements are nested at most. Deeper ones are not nested further.
const MAX_DEPTH: usize = 200;

impl Reader {
    fn part(&mut self, text: &str, part: &Part<'_>, losses: &mut Losses) {
        match part {
            Part::Open { name, attributes, is_empty, at } => {
                let line = self.line_of(text, *at);
                self.open(name, attributes, *is_empty, line);
            }
            Part::Close(name) => self.close(name),
            Part::Text(content, at) if self.hidden == 0 => {
                let line = self.line_of(text, *at);
                self.text(content, line, losses);
            }
            // The name of an agent stands in the head.
            Part::Text(content, _) => {
                if let Some(agent) = self.agent.clone().filter(|_| !content.trim().is_empty()) {
                    self.agents.insert(agent, content.trim().to_owned());
                }
            }
        }
    }

    /// The line of a place; places come in order.
    fn line_of(&mut self, text: &str, at: usize) -> usize {
        self.line += text.as_bytes()[self.counted..at.max(self.counted)].iter().filter(|byte| **byte == b'\n').count();
        self.counted = at.max(self.counted);
        self.line
    }

    fn open(&mut self, name: &str, attributes: &str, is_empty: bool, line: usize) {
        if name == "br" {
            self.append("\n");
            return;
        }
        if matches!(name, "head" | "metadata" | "style" | "title" | "styling" | "layout") {
            self.hidden += usize::from(!is_empty);
        }
        if name == "agent" {
            self.agent = attribute(attributes, "id");
        }
        if name == "tt" || name == "transcript" || name == "p" {
            self.language = self.language.take().or_else(|| attribute(attributes, "lang")).filter(|tag| !tag.is_empty());
        }
        let parent = self.open.last().map_or(Timestamp::ZERO, |element| element.origin);
        let (start, end, stated) = self.times(name, attributes, parent);
        let is_cue = matches!(name, "p" | "text" | "sync")
            && (stated || !self.units.is_sami)
            && self.hidden == 0
            && (name != "p" || !self.units.is_sami);
        let in_cue = self.open.iter().any(|element| element.is_cue) && !self.units.is_sami;
        if is_cue && !in_cue {
            let speaker = attribute(attributes, "agent").map(|id| self.agents.get(&id).cloned().unwrap_or(id));
            self.cues.push(RawCue { line, start, end, text: String::new(), speaker });
        } else if let Some(at) = start.filter(|_| stated && in_cue && name != "text") {
            self.word(at, end);
        }
        if !is_empty && self.open.len() < MAX_DEPTH {
            self.open.push(Element { name: name.to_owned(), origin: start.unwrap_or(parent), is_cue: is_cue || in_cue });
        }
    }

    /// The start and end that an element states, and whether it states any.
    fn times(&self, name: &str, attributes: &str, parent: Timestamp) -> (Option<Timestamp>, Option<Timestamp>, bool) {
        let millis = |text: String| text.trim().parse::<f64>().ok().and_then(|millis| bounded(millis / 1000.0));
        if let Some(start) = attribute(attributes, "t").filter(|_| matches!(name, "p" | "s")) {
            let start = millis(start).map(|start| start.offset(if name == "s" { parent } else { Timestamp::ZERO }));
            let length = attribute(attributes, "d").and_then(millis);
            return (start, start.zip(length).map(|(start, length)| start.offset(length)), true);
        }
        if name == "sync" {
            return (attribute(attributes, "start").and_then(millis), None, true);
        }
        if name == "text" {
            let start = attribute(attributes, "start").and_then(|text| self.units.seconds(&text));
            let length = attribute(attributes, "dur").and_then(|text| self.units.seconds(&text));
            return (start, start.zip(length).map(|(start, length)| start.offset(length)), true);
        }
        let (begin, end, length) = (attribute(attributes, "begin"), attribute(attributes, "end"), attribute(attributes, "dur"));
        let stated = begin.is_some() || end.is_some();
        let time = |text: Option<String>| text.and_then(|text| self.units.time(&text));
        let start = match begin {
            Some(_) => time(begin).map(|start| start.offset(parent)),
            None => stated.then_some(parent),
        };
        let end = time(end).map(|end| end.offset(parent)).or_else(|| Some(start?.offset(time(length)?)));
        (start, end, stated)
    }

    /// A word or a part of a cue with times of its own.
    fn word(&mut self, at: Timestamp, end: Option<Timestamp>) {
        self.append(&format!("<{}>", webvtt_time(at)));
        if let Some(cue) = self.cues.last_mut() {
            // A paragraph without times has those of its parts.
            cue.start.get_or_insert(at);
            cue.end = cue.end.max(end);
        }
    }

    fn close(&mut self, name: &str) {
        if matches!(name, "head" | "metadata" | "style" | "title" | "styling" | "layout") {
            self.hidden = self.hidden.saturating_sub(1);
        }
        if name == "agent" {
            self.agent = None;
        }
        if let Some(place) = self.open.iter().rposition(|element| element.name == name) {
            self.open.truncate(place);
        }
    }

    fn text(&mut self, content: &str, line: usize, losses: &mut Losses) {
        let in_cue = self.open.iter().any(|element| element.is_cue) || self.units.is_sami && !self.cues.is_empty();
        let blank = content.trim().is_empty();
        if in_cue {
            // White space between lines of the markup is one blank.
            let spaced: String = content.split(char::is_whitespace).collect::<Vec<_>>().join(" ");
            self.append(&spaced.replace('<', "&lt;"));
        } else if !blank {
            match self.cues.last_mut() {
                // A tag of the cue is damaged.
                Some(cue) => {
                    cue.text.push(' ');
                    cue.text.push_str(&content.replace('&', "&amp;").replace('<', "&lt;"));
                }
                None => losses.lose(Reason::BeforeFirstCue, line, count_text(content, Markup::Plain)),
            }
        }
    }

    fn append(&mut self, text: &str) {
        if let Some(cue) = self.cues.last_mut() {
            cue.text.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let cues = read(text, &mut Losses::default()).cues;
        let time = |time: Option<Timestamp>| time.map_or("?".into(), |time| time.secs().to_string());
        cues.iter()
            .map(|cue| {
                let words: Vec<&str> = cue.text.split_whitespace().collect();
                format!(
                    "{}-{} {}{}",
                    time(cue.start),
                    time(cue.end),
                    cue.speaker.as_ref().map_or(String::new(), |who| format!("{who}: ")),
                    words.join(" ")
                )
            })
            .collect()
    }

    #[test]
    fn times_of_every_kind_are_read() {
        let document = |attributes: &str| {
            shown(&format!(
                "<tt ttp:frameRate=\"25\" ttp:tickRate=\"10000000\"><body><div><p {attributes}>Hi <br/>there</p></div></body></tt>"
            ))
        };
        for attributes in [
            "begin=\"00:00:01.500\" end=\"00:00:02.5\"",
            "begin=\"1.5s\" end=\"2500ms\"",
            "begin='1.5s' dur='1s'",
            "begin=\"15000000t\" end=\"25000000t\"",
            "begin=\"37.5f\" end=\"62.5f\"",
        ] {
            assert_eq!(document(attributes), ["1.5-2.5 Hi there"], "{attributes}");
        }
        assert_eq!(document("begin=\"00:00:01:05\" end=\"00:00:02:10\""), ["1.2-2.4 Hi there"]);
        assert_eq!(document("begin=\"soon\" end=\"00:00:02.5\""), ["?-2.5 Hi there"]);
    }

    #[test]
    fn nested_times_count_from_the_parent_and_agents_are_speakers() {
        let text = "<tt xml:lang=\"en\"><head><metadata><ttm:agent xml:id=\"v1\"><ttm:name>Ann</ttm:name></ttm:agent></metadata></head><body begin=\"10s\">\n\
                    <p begin=\"1s\" end=\"3s\" ttm:agent=\"v1\">\n <span begin=\"0s\">So &amp; so</span> <span begin=\"1s\">go</span></p></body></tt>";
        assert_eq!(shown(text), ["11-13 Ann: <00:00:11.000>So & so <00:00:12.000>go"]);
    }

    #[test]
    fn the_xml_of_youtube_and_sami_is_read() {
        let one = "<?xml version=\"1.0\"?><transcript><text start=\"0.5\" dur=\"2.5\">Why &amp;#39;do</text><text start=\"4\">most</text></transcript>";
        assert_eq!(shown(one), ["0.5-3 Why 'do", "4-? most"]);
        let three = "<timedtext format=\"3\"><head><pen id=\"1\"/></head><body><p t=\"500\" d=\"2500\"><s>Why</s><s t=\"212\"> do</s></p><p t=\"3000\" d=\"1000\" a=\"1\">\n</p></body></timedtext>";
        assert_eq!(shown(three), ["0.5-3 Why<00:00:00.712> do"]);
        let sami = "<SAMI><HEAD><STYLE>p {x}</STYLE></HEAD><BODY><SYNC Start=500><P Class=ENCC>Why do<SYNC Start=3000><P Class=ENCC>&nbsp;<SYNC Start=4000><P>most</BODY></SAMI>";
        assert_eq!(shown(sami), ["0.5-? Why do", "4-? most"]);
    }
}
