//! Prompts: instructions, and what is said as JSON with numbers and ids. Pure.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Value, json};

use super::chat::Question;
use super::listing::Listed;
use super::meaning::{self, Repairs};
use super::proposal::{self, Proposal};
use super::verdict::{self, Asked, Verdict};
use crate::model::script;
use crate::score::Scoring;
use crate::score::talk::Talk;

/// The versions of the prompts. A change of a prompt's text needs a new version.
pub(super) const READ: &str = "read.v1";
pub(super) const JUDGE: &str = "judge.v5";
pub(super) const RANK: &str = "rank.v2";
const READ_PROMPT: &str = concat!(include_str!("../prompts/read.v1.md"), include_str!("../prompts/rubric.v1.md"));
const JUDGE_PROMPT: &str = concat!(include_str!("../prompts/judge.v5.md"), include_str!("../prompts/rubric.v1.md"));
const RANK_PROMPT: &str = concat!(include_str!("../prompts/rank.v2.md"), include_str!("../prompts/rubric.v1.md"));
/// The most characters of a sentence and of a clip that are sent. Speech has far fewer; a broken
/// transcript may have more.
const MAX_SENTENCE_CHARS: usize = 1000;
const MAX_CLIP_CHARS: usize = 4000;
/// The most sounds of a sentence that are sent, and the most characters of each.
const MAX_SOUNDS: usize = 4;
const MAX_SOUND_CHARS: usize = 40;
/// The longest responses, in tokens: this many for each span and each proposal, plus room for
/// reasoning.
const TOKENS_PER_SPAN: u64 = 500;
const TOKENS_PER_PROPOSAL: u64 = 250;
const REASONING_TOKENS: u64 = 1000;

/// The talk to read and the spans to score, with their ids for the model.
///
/// Ids derive from a hash of the whole transcript, so that a speaker cannot name one in it.
pub(super) struct Prompts<'a> {
    pub(super) talk: &'a Talk,
    pub(super) scoring: &'a Scoring,
    pub(super) seed: String,
    /// The spans to score. Empty until the talk is read.
    pub(super) list: Vec<Listed>,
    ids: Vec<String>,
}

impl<'a> Prompts<'a> {
    pub(super) fn new(model: &str, talk: &'a Talk, scoring: &'a Scoring) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{READ} {JUDGE} {RANK} {model}").as_bytes());
        for word in &scoring.transcript.words {
            hasher.update(word.text.as_bytes()).update(&word.start.micros().to_le_bytes());
        }
        Prompts { talk, scoring, seed: hasher.finalize().to_string(), list: Vec::new(), ids: Vec::new() }
    }

    /// With the spans to score.
    pub(super) fn with_list(mut self, list: Vec<Listed>) -> Self {
        let id = |n: usize| blake3::hash(format!("{} {n}", self.seed).as_bytes()).to_string().chars().take(10).collect();
        self.ids = (0..list.len()).map(id).collect();
        self.list = list;
        self
    }

    /// The request to read a stretch and to propose at most `most` moments. `keep` US dollars of
    /// the budget stay for other requests.
    pub(super) fn read(&self, stretch: &Range<usize>, most: usize, keep: f64, correction: Option<String>) -> Question {
        let sentences: Vec<Value> = stretch.clone().enumerate().map(|(n, sentence)| self.shown_sentence(n + 1, sentence)).collect();
        let mut asked = self.preferences();
        asked["most"] = json!(most);
        asked["words"] = json!(self.words_of_a_clip(stretch));
        Question {
            instructions: READ_PROMPT.to_owned(),
            input: json!({"asked": asked, "sentences": sentences}),
            correction,
            schema: ("proposals", proposal::schema()),
            max_tokens: REASONING_TOKENS + TOKENS_PER_PROPOSAL * most as u64,
            keep,
        }
    }

    /// The valid proposals of an answer, and what is wrong with the others. The error says why
    /// there are none at all.
    pub(super) fn read_proposals(&self, stretch: &Range<usize>, texts: &[String]) -> Result<(Vec<Proposal>, Vec<String>, Repairs), String> {
        meaning::proposals(texts, stretch.len())
    }

    /// The words of the shortest and the longest clip, at the rate of a stretch: models count words
    /// better than they know times.
    fn words_of_a_clip(&self, stretch: &Range<usize>) -> [u64; 2] {
        let words: f64 = stretch.clone().map(|n| self.talk.words(n)).sum();
        let seconds: f64 = stretch.clone().map(|n| self.talk.times(n)).map(|(start, end)| end - start).sum();
        let options = &self.scoring.options;
        [options.min, options.max].map(|length| (length.as_secs_f64() * words / seconds.max(1.0)).round() as u64)
    }

    /// The request to score spans, given by their indexes in the list.
    pub(super) fn judge(&self, places: &[usize], correction: Option<String>) -> Question {
        let spans: Vec<Value> = (places.iter())
            .map(|&place| {
                let listed = &self.list[place];
                let span = listed.candidate.span;
                let replays = self.talk.replays.as_ref();
                let replayed = replays.and_then(|replays| replays.value(span.start().secs(), span.end().secs()));
                let number = |sentence: usize| sentence - listed.shown.start + 1;
                let sentences: Vec<Value> = listed.shown.clone().map(|sentence| self.shown_sentence(number(sentence), sentence)).collect();
                let mut shown = json!({
                    "id": self.ids[place],
                    "seconds": span.duration().as_secs_f64().round(),
                    "from": number(listed.own.start),
                    "to": number(listed.own.end - 1),
                    "sentences": sentences,
                });
                if let Some(quote) = &listed.quote {
                    shown["strongest"] = json!(number(quote.start));
                }
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
            keep: 0.0,
        }
    }

    /// The valid verdicts of an answer, by index in `places`, what is wrong with the others, and
    /// what was read by its meaning.
    pub(super) fn read_verdicts(&self, places: &[usize], texts: &[String]) -> (HashMap<usize, Verdict>, Vec<String>, Repairs) {
        meaning::verdicts(texts, &self.asked(places), self.with_fit())
    }

    /// The request to order clips, given by their indexes in the list and their texts.
    pub(super) fn rank(&self, clips: &[(usize, String)], correction: Option<String>) -> Question {
        let ids: Vec<&str> = clips.iter().map(|(place, _)| self.ids[*place].as_str()).collect();
        let short = |text: &str| text.chars().take(MAX_CLIP_CHARS).collect::<String>();
        let shown: Vec<Value> = clips.iter().zip(&ids).map(|((_, text), id)| json!({"id": id, "text": short(text)})).collect();
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
            keep: 0.0,
        }
    }

    /// The order in an answer: indexes into `clips`, best first. The error says what is wrong.
    pub(super) fn read_order(&self, clips: &[(usize, String)], texts: &[String]) -> Result<(Vec<usize>, Repairs), String> {
        let ids: Vec<&str> = clips.iter().map(|(place, _)| self.ids[*place].as_str()).collect();
        meaning::order(texts, &ids)
    }

    /// The text of these sentences.
    pub(super) fn text(&self, sentences: Range<usize>) -> String {
        let texts: Vec<String> = sentences.map(|n| self.talk.text(n)).collect();
        script::join(texts.iter().map(String::as_str))
    }

    /// A sentence, and what is heard from its start to that of the next.
    fn shown_sentence(&self, number: usize, sentence: usize) -> Value {
        let text: String = self.talk.text(sentence).chars().take(MAX_SENTENCE_CHARS).collect();
        let mut shown = json!({"n": number, "text": text});
        let events = &self.scoring.transcript.events;
        let sounds: Vec<String> = (events.iter())
            .filter(|event| self.talk.is_during(sentence, event.span.start()))
            .take(MAX_SOUNDS)
            .map(|event| event.text.chars().take(MAX_SOUND_CHARS).collect())
            .collect();
        if !sounds.is_empty() {
            shown["sounds"] = sounds.into();
        }
        shown
    }

    fn asked(&self, places: &[usize]) -> Vec<Asked<'_>> {
        let asked = |place: &usize| {
            let listed = &self.list[*place];
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
        let prompts =
            [(READ, READ_PROMPT, "f4795cc164ebe362"), (JUDGE, JUDGE_PROMPT, "c3834b89e1fdc4dc"), (RANK, RANK_PROMPT, "cb185c8d00116316")];
        for (version, prompt, hash) in prompts {
            let found: String = Sha256::digest(prompt).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, hash, "{version} changed: give it the next version, and its hash here");
        }
    }
}
