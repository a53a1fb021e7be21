//! Prompts: instructions, and spans as JSON with ids. Pure.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Value, json};

use super::chat::Question;
use super::meaning::{self, Repairs};
use super::verdict::{self, Asked, Verdict};
use crate::model::script;
use crate::score::Scoring;
use crate::score::replays::Replays;
use crate::score::shortlist::Shortlist;

/// The versions of the prompts. A change of a prompt's text needs a new version.
pub(super) const JUDGE: &str = "judge.v4";
pub(super) const RANK: &str = "rank.v1";
const JUDGE_PROMPT: &str = include_str!("../prompts/judge.v4.md");
const RANK_PROMPT: &str = include_str!("../prompts/rank.v1.md");
/// The most characters of a sentence and of a clip that are sent. Speech has far fewer; a broken
/// transcript may have more.
const MAX_SENTENCE_CHARS: usize = 1000;
const MAX_CLIP_CHARS: usize = 4000;
/// The most sounds of a sentence that are sent, and the most characters of each.
const MAX_SOUNDS: usize = 4;
const MAX_SOUND_CHARS: usize = 40;
/// The longest responses, in tokens: this many for each span, plus room for reasoning.
const TOKENS_PER_SPAN: u64 = 500;
const REASONING_TOKENS: u64 = 1000;

/// The spans to score, with their ids for the model.
///
/// Ids derive from a hash of the whole transcript, so that a speaker cannot name one in it.
pub(super) struct Prompts<'a> {
    pub(super) list: &'a Shortlist,
    pub(super) scoring: &'a Scoring,
    pub(super) seed: String,
    replays: Option<Replays>,
    ids: Vec<String>,
}

impl<'a> Prompts<'a> {
    pub(super) fn new(model: &str, list: &'a Shortlist, scoring: &'a Scoring) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{JUDGE} {RANK} {model}").as_bytes());
        for word in &scoring.transcript.words {
            hasher.update(word.text.as_bytes()).update(&word.start.micros().to_le_bytes());
        }
        let seed = hasher.finalize().to_string();
        let id = |n: usize| blake3::hash(format!("{seed} {n}").as_bytes()).to_string().chars().take(10).collect();
        let replays = scoring.media.as_ref().and_then(|media| Replays::of(&media.about));
        Prompts { list, scoring, ids: (0..list.spans.len()).map(id).collect(), seed, replays }
    }

    /// The request to score spans, given by their indexes in the shortlist.
    pub(super) fn judge(&self, places: &[usize], correction: Option<String>) -> Question {
        let spans: Vec<Value> = (places.iter())
            .map(|&place| {
                let listed = &self.list.spans[place];
                let span = listed.candidate.span;
                let replayed = self.replays.as_ref().and_then(|replays| replays.value(span.start().secs(), span.end().secs()));
                let sentences: Vec<Value> =
                    listed.shown.clone().enumerate().map(|(n, sentence)| self.shown_sentence(n + 1, sentence)).collect();
                let mut shown = json!({
                    "id": self.ids[place],
                    "seconds": span.duration().as_secs_f64().round(),
                    "from": listed.own.start - listed.shown.start + 1,
                    "to": listed.own.end - listed.shown.start,
                    "sentences": sentences,
                });
                if let Some(replayed) = replayed {
                    shown["replayed"] = json!((replayed * 100.0).round() / 100.0);
                }
                shown
            })
            .collect();
        Question {
            instructions: JUDGE_PROMPT.to_owned(),
            input: json!({"asked": self.preferences(), "spans": spans}),
            correction,
            schema: ("verdicts", verdict::schema(&self.asked(places), self.with_fit())),
            max_tokens: REASONING_TOKENS + TOKENS_PER_SPAN * places.len() as u64,
        }
    }

    /// The valid verdicts of an answer, by index in `places`, what is wrong with the others, and
    /// what was read by its meaning.
    pub(super) fn read_verdicts(&self, places: &[usize], texts: &[String]) -> (HashMap<usize, Verdict>, Vec<String>, Repairs) {
        meaning::verdicts(texts, &self.asked(places), self.with_fit())
    }

    /// The request to order clips, given by their indexes in the shortlist and their texts.
    pub(super) fn rank(&self, clips: &[(usize, String)], correction: Option<String>) -> Question {
        let ids: Vec<&str> = clips.iter().map(|(place, _)| self.ids[*place].as_str()).collect();
        let shown: Vec<Value> = clips.iter().zip(&ids).map(|((_, text), id)| json!({"id": id, "text": text})).collect();
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["order"],
            "properties": {"order": {"type": "array", "items": {"type": "string", "enum": ids}}}
        });
        Question {
            instructions: RANK_PROMPT.to_owned(),
            input: json!({"asked": self.preferences(), "clips": shown}),
            correction,
            schema: ("order", schema),
            max_tokens: REASONING_TOKENS,
        }
    }

    /// The order in an answer: indexes into `clips`, best first. The error says what is wrong.
    pub(super) fn read_order(&self, clips: &[(usize, String)], texts: &[String]) -> Result<(Vec<usize>, Repairs), String> {
        let ids: Vec<&str> = clips.iter().map(|(place, _)| self.ids[*place].as_str()).collect();
        meaning::order(texts, &ids)
    }

    /// The text of these sentences.
    pub(super) fn text(&self, sentences: Range<usize>) -> String {
        script::join(sentences.map(|n| self.list.text(n))).chars().take(MAX_CLIP_CHARS).collect()
    }

    /// A sentence, and what is heard from its start to that of the next.
    fn shown_sentence(&self, number: usize, sentence: usize) -> Value {
        let mut shown = json!({"n": number, "text": self.sentence(sentence)});
        let events = &self.scoring.transcript.events;
        let sounds: Vec<String> = (events.iter())
            .filter(|event| self.list.is_during(sentence, event.span.start()))
            .take(MAX_SOUNDS)
            .map(|event| event.text.chars().take(MAX_SOUND_CHARS).collect())
            .collect();
        if !sounds.is_empty() {
            shown["sounds"] = sounds.into();
        }
        shown
    }

    fn sentence(&self, n: usize) -> String {
        self.list.text(n).chars().take(MAX_SENTENCE_CHARS).collect()
    }

    fn asked(&self, places: &[usize]) -> Vec<Asked<'_>> {
        let asked = |place: &usize| {
            let listed = &self.list.spans[*place];
            let from = listed.shown.start;
            Asked { id: &self.ids[*place], sentences: listed.shown.len(), proposed: (listed.own.start - from + 1, listed.own.end - from) }
        };
        places.iter().map(asked).collect()
    }

    /// Whether topics are wanted or to be avoided, so that spans get a score for topic fit.
    fn with_fit(&self) -> bool {
        !self.scoring.options.about.is_empty() || !self.scoring.options.avoid.is_empty()
    }

    fn preferences(&self) -> Value {
        let options = &self.scoring.options;
        let mut preferences = json!({});
        if let Some(genre) = options.genre {
            preferences["genre"] = json!(genre.name());
        }
        for (name, subjects) in [("about", &options.about), ("avoid", &options.avoid)] {
            if !subjects.is_empty() {
                preferences[name] = json!(subjects);
            }
        }
        preferences
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Results are cached under the version: without a new one, a changed prompt would get old
    /// results.
    #[test]
    fn a_changed_prompt_has_a_new_version() {
        for (version, prompt, hash) in [(JUDGE, JUDGE_PROMPT, "d83d2fe7d22571b1"), (RANK, RANK_PROMPT, "05618261dbd77b63")] {
            let found: String = Sha256::digest(prompt).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, hash, "{version} changed: give it the next version, and its hash here");
        }
    }
}
