//! What a model is given and how its answers are read: prompts, spans as JSON, ids. Pure.

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::{Value, json};

use super::chat::Question;
use super::verdict::{self, Asked, Verdict};
use crate::model::script;
use crate::score::Scoring;
use crate::score::plain::plain;
use crate::score::shortlist::Shortlist;

/// The prompts, by their versions: another text is another version.
pub(super) const JUDGE: &str = "judge.v2";
pub(super) const RANK: &str = "rank.v1";
const JUDGE_PROMPT: &str = include_str!("../prompts/judge.v2.md");
const RANK_PROMPT: &str = include_str!("../prompts/rank.v1.md");
/// Letters of one sentence and of one clip that are sent: speech is far below, a broken transcript may not be.
const LONGEST_SENTENCE: usize = 1000;
const LONGEST_CLIP: usize = 4000;
/// Longest answers, in tokens: to a batch, for each span; room for a model that thinks first.
const TOKENS_A_SPAN: u64 = 400;
const TOKENS_OF_THOUGHT: u64 = 1000;

/// The spans to judge, under names for the model.
///
/// A span's id is drawn from a hash of everything that is sent, so that nobody can write it into what is said.
pub(super) struct Material<'a> {
    pub(super) list: &'a Shortlist,
    pub(super) scoring: &'a Scoring,
    pub(super) seed: String,
    ids: Vec<String>,
}

impl<'a> Material<'a> {
    pub(super) fn new(model: &str, list: &'a Shortlist, scoring: &'a Scoring) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{JUDGE} {RANK} {model}").as_bytes());
        for word in &scoring.transcript.words {
            hasher.update(word.text.as_bytes()).update(&word.start.micros().to_le_bytes());
        }
        let seed = hasher.finalize().to_string();
        let id = |n: usize| blake3::hash(format!("{seed} {n}").as_bytes()).to_string().chars().take(10).collect();
        Material { list, scoring, ids: (0..list.spans.len()).map(id).collect(), seed }
    }

    /// The question to judge spans of the shortlist.
    pub(super) fn judge(&self, places: &[usize], complaint: Option<String>) -> Question {
        let spans: Vec<Value> = (places.iter())
            .map(|&place| {
                let listed = &self.list.spans[place];
                let sentences: Vec<Value> =
                    (listed.shown.clone().enumerate()).map(|(n, sentence)| json!({"n": n + 1, "text": self.sentence(sentence)})).collect();
                json!({
                    "id": self.ids[place],
                    "seconds": listed.candidate.span.duration().as_secs_f64().round(),
                    "from": listed.own.start - listed.shown.start + 1,
                    "to": listed.own.end - listed.shown.start,
                    "sentences": sentences,
                })
            })
            .collect();
        Question {
            task: JUDGE_PROMPT.to_owned(),
            material: json!({"asked": self.wishes(), "spans": spans}),
            complaint,
            schema: ("verdicts", verdict::schema(&self.asked(places), self.with_fit())),
            longest: TOKENS_OF_THOUGHT + TOKENS_A_SPAN * places.len() as u64,
        }
    }

    /// The verdicts that hold, by the place in `places`, and what is wrong otherwise.
    pub(super) fn read_verdicts(&self, places: &[usize], text: &str) -> (HashMap<usize, Verdict>, Vec<String>) {
        verdict::read(text, &self.asked(places), self.with_fit())
    }

    /// The question to put clips in order: places in the shortlist, and what is said.
    pub(super) fn rank(&self, clips: &[(usize, String)], complaint: Option<String>) -> Question {
        let ids: Vec<&str> = clips.iter().map(|(place, _)| self.ids[*place].as_str()).collect();
        let shown: Vec<Value> = clips.iter().zip(&ids).map(|((_, text), id)| json!({"id": id, "text": text})).collect();
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["order"],
            "properties": {"order": {"type": "array", "items": {"type": "string", "enum": ids}}}
        });
        Question {
            task: RANK_PROMPT.to_owned(),
            material: json!({"asked": self.wishes(), "clips": shown}),
            complaint,
            schema: ("order", schema),
            longest: TOKENS_OF_THOUGHT,
        }
    }

    /// The places in `clips`, best first.
    pub(super) fn read_order(&self, clips: &[(usize, String)], text: &str) -> Result<Vec<usize>, String> {
        #[derive(Deserialize)]
        struct Answer {
            order: Vec<String>,
        }
        let answer: Answer =
            serde_json::from_str(text).map_err(|error| format!("it is not as asked: {}", plain(&error.to_string(), 120)))?;
        let mut order = Vec::new();
        for id in answer.order {
            let Some(place) = clips.iter().position(|(place, _)| self.ids[*place] == id) else {
                return Err(format!("it names a clip {} that was not sent", plain(&id, 20)));
            };
            if order.contains(&place) {
                return Err(format!("it names the clip {id} twice"));
            }
            order.push(place);
        }
        if order.len() < clips.len() { Err("it leaves clips out".into()) } else { Ok(order) }
    }

    /// What is said in these sentences.
    pub(super) fn text(&self, sentences: Range<usize>) -> String {
        script::join(sentences.map(|n| self.list.text(n))).chars().take(LONGEST_CLIP).collect()
    }

    fn sentence(&self, n: usize) -> String {
        self.list.text(n).chars().take(LONGEST_SENTENCE).collect()
    }

    fn asked(&self, places: &[usize]) -> Vec<Asked<'_>> {
        places.iter().map(|&place| Asked { id: &self.ids[place], sentences: self.list.spans[place].shown.len() }).collect()
    }

    /// Whether subjects are asked for.
    fn with_fit(&self) -> bool {
        !self.scoring.options.about.is_empty() || !self.scoring.options.avoid.is_empty()
    }

    fn wishes(&self) -> Value {
        let options = &self.scoring.options;
        let mut wishes = json!({});
        if let Some(genre) = options.genre {
            wishes["genre"] = json!(genre.name());
        }
        for (name, subjects) in [("about", &options.about), ("avoid", &options.avoid)] {
            if !subjects.is_empty() {
                wishes[name] = json!(subjects);
            }
        }
        wishes
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Answers are cached under the version, so a text that changes without it would be answered by what another text was.
    #[test]
    fn a_prompt_of_another_text_has_another_version() {
        for (version, prompt, hash) in [(JUDGE, JUDGE_PROMPT, "0ef3d30d4aa5935a"), (RANK, RANK_PROMPT, "05618261dbd77b63")] {
            let found: String = Sha256::digest(prompt).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, hash, "give the changed {version} the next version, and its hash here");
        }
    }
}
