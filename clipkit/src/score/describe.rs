//! Titles and reasons, from a span's own words.

use super::judge::{Judged, Traces};
use super::lexicon::{Lexicon, Traits};
use super::segment::{End, Talk};
use crate::model::script;

const TITLE_WORDS: usize = 8;
const TITLE_LETTERS: usize = 60;

/// A short title: the sentence that hooks, without what leads into it, cut where it can be cut.
pub(super) fn title(talk: &Talk<'_>, traces: &Traces, span: &Judged) -> String {
    let opening = span.sentences.start..span.sentences.end.min(span.sentences.start + 2);
    // The first sentence, unless it is too short to say anything.
    let best = opening
        .clone()
        .find(|&n| talk.sentences[n].words.len() >= 4)
        .or_else(|| opening.clone().max_by(|&a, &b| traces.hook[a].total_cmp(&traces.hook[b])));
    let Some(best) = best else { return String::new() };
    let mut words = talk.sentences[best].words.clone();
    let lead = |n: usize| {
        let traits = talk.traits[n];
        traits.has(Traits::FILLER)
            || (traits.has(Traits::LINK) && !traits.has(Traits::BACK))
            || traits.has(Traits::ANSWER)
            || talk.keys[n] == "now"
    };
    while words.len() > 4 && lead(words.start) {
        words.start += 1;
    }
    let mut end = words.end;
    let text = |end: usize| script::join(talk.words[words.start..end].iter().map(|word| word.text.as_str()));
    let fits = |end: usize| end - words.start <= TITLE_WORDS && text(end).chars().count() <= TITLE_LETTERS;
    if !fits(end) {
        end = (words.start + 1..words.end).take(TITLE_WORDS).take_while(|&end| fits(end)).last().unwrap_or(words.start + 1);
        // A comma is a good place to stop; "of the" is not.
        let comma = (words.start + 3..end).rev().find(|&n| talk.words[n].text.ends_with([',', ';', ':', '\u{2014}', '\u{3001}']));
        if let Some(comma) = comma {
            end = comma + 1;
        } else {
            while end > words.start + 3 && (talk.traits[end - 1].has(Traits::STOP) || talk.traits[end - 1].has(Traits::LINK)) {
                end -= 1;
            }
        }
    }
    capitalised(&shortened(&text(end)))
}

fn shortened(text: &str) -> String {
    let short: String = text.chars().take(TITLE_LETTERS).collect();
    short.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '%' | '$' | '\u{20ac}' | '+' | '#')).to_owned()
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// One sentence on what speaks for the span. It states only what is so.
pub(super) fn reason(talk: &Talk<'_>, traces: &Traces, span: &Judged) -> String {
    let (first, last) = (span.sentences.start, span.sentences.end - 1);
    let words = talk.sentences[first].words.start..talk.sentences[last].words.end;
    let count = |wanted: Traits| talk.traits[words.clone()].iter().filter(|traits| traits.has(wanted)).count();
    let opening = &talk.traits[talk.sentences[first].words.clone()];
    let opens_with = |wanted: Traits| opening.iter().any(|traits| traits.has(wanted));
    let mut parts: Vec<String> = Vec::new();
    let mut say = |part: &str| parts.push(part.to_owned());
    if talk.sentences[first].ends == End::Question {
        say("opens with a question");
    } else if opens_with(Traits::YOU) && opens_with(Traits::HOOK) {
        say("opens with a strong line to the listener");
    } else if opens_with(Traits::FIGURE) {
        say("opens with a figure");
    } else if span.score.hook >= 5.5 {
        say("opens with a strong line");
    }
    if traces.dangling[first] < 0.2 {
        say("stands on its own");
    }
    if traces.finished[last] >= 0.8 {
        say("ends on a finished thought");
    }
    if traces.shift.get(last + 1).is_some_and(|&shift| shift > 0.8) {
        say("the subject changes after it");
    }
    let figures = count(Traits::FIGURE);
    if figures >= 2 {
        say(&format!("{figures} figures"));
    }
    let mut feelings: Vec<&str> = Vec::new();
    for n in words.clone().filter(|&n| talk.traits[n].has(Traits::FEELING)) {
        let key = talk.keys[n].as_str();
        if !feelings.contains(&key) && feelings.len() < 3 {
            feelings.push(key);
        }
    }
    if !feelings.is_empty() {
        say(&format!("words of feeling ({})", feelings.join(", ")));
    }
    let rate = words.len() as f64 / (span.end - span.start).max(0.001);
    say(&format!("{rate:.1} words a second"));
    capitalised(&parts.join(", "))
}

/// Why a talk gave no clip, for a person.
pub(super) fn nothing(words: &[crate::model::Word], language: Option<&str>, shortest: f64, longest: f64) -> String {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return "nothing is said in this video".to_owned() };
    let spoken = last.end.secs() - first.start.secs();
    if spoken < shortest {
        return format!("speech lasts {spoken:.0} s from its first word to its last, and a clip takes {shortest:.0} s or more");
    }
    let sounding: f64 = words.iter().map(|word| word.end.secs() - word.start.secs()).sum();
    let rate = words.len() as f64 / spoken;
    if rate < *super::judge::WORDS_PER_SECOND.start() {
        return format!("there are {} words in {spoken:.0} s, {sounding:.0} s of which are speech: too little for a clip", words.len());
    }
    if rate > *super::judge::WORDS_PER_SECOND.end() {
        return format!("{rate:.1} words a second are faster than anyone speaks: the transcript's times are wrong");
    }
    let keys: Vec<String> = words.iter().map(|word| super::lexicon::key(&word.text)).collect();
    let known = if Lexicon::of(language, &keys).knows { "" } else { ", in a language this scorer has no words of" };
    format!("no {shortest:.0} to {longest:.0} s of this talk start and end with a thought and are worth a clip{known}")
}
