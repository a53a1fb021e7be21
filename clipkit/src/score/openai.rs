use std::collections::HashMap;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Heuristic, ScoreOptions, Scorer, Scoring};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Candidate, Score, Span, Timestamp, Transcript};
use crate::openai::{Client, OpenAiServer};

const DOING: &str = "have spans judged";
const PROMPT: &str = include_str!("prompts/judge.v1.md");
/// Spans in one request: enough to compare, few enough to be read with care.
const BATCH: usize = 8;
/// How many spans are judged for each clip wanted.
const POOL: usize = 3;
/// How much of what was said before a span is shown with it, in seconds.
const CONTEXT_SECS: f64 = 8.0;
const LONGEST_TITLE: usize = 80;
const LONGEST_REASON: usize = 300;

/// Lets a language model judge the spans that the [`Heuristic`] finds: OpenAI's, or any server that speaks its chat API.
///
/// The heuristic finds three whole-thought spans for each clip wanted; the model scores them in batches, titles them and gives its reason, held
/// to a JSON schema. An answer that breaks it (unknown or missing spans, numbers out of range, no title) is asked for once more; then the
/// heuristic's scores stand for that batch, with a warning. A server that fails is this scorer's error: `.or(Heuristic::default())`.
///
/// The transcript goes to the server. It is sent as data, and a model that follows an instruction in it can change no more than scores and titles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiScorer {
    /// The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
    pub server: OpenAiServer,
    /// The model. Default `gpt-4o-mini`.
    pub model: String,
    /// How many requests run at once. Default 3.
    pub requests: usize,
}

impl Default for OpenAiScorer {
    fn default() -> Self {
        OpenAiScorer { server: OpenAiServer::default(), model: "gpt-4o-mini".into(), requests: 3 }
    }
}

#[async_trait]
impl Scorer for OpenAiScorer {
    fn fingerprint(&self) -> Option<String> {
        Some(format!("openai {} {self:?}", self.server.url()))
    }

    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        // Before any work, since there may be no key; and one for all requests, which share its connections.
        let client = &self.server.client()?;
        let wanted = scoring.options.max_clips;
        let options = ScoreOptions { max_clips: wanted.saturating_mul(POOL), ..scoring.options.clone() };
        let pool = Heuristic::default().score(cx, &Scoring { options, ..scoring.clone() }).await?;
        let batches: Vec<Vec<Candidate>> = pool.chunks(BATCH).map(<[Candidate]>::to_vec).collect();
        let judged: Vec<Vec<Candidate>> = futures::stream::iter(batches)
            .map(|batch| self.judge(cx, client, &scoring.transcript, batch))
            .buffered(self.requests.max(1))
            .try_collect()
            .await?;
        let mut judged = judged.concat();
        judged.sort_by(|a, b| b.score.total.total_cmp(&a.score.total));
        judged.truncate(wanted);
        Ok(judged)
    }
}

impl OpenAiScorer {
    /// Has one batch judged. A useless answer leaves the batch as it is; a server that fails is an error.
    async fn judge(&self, cx: &Context, client: &Client, transcript: &Transcript, batch: Vec<Candidate>) -> Result<Vec<Candidate>> {
        let request = self.request(transcript, &batch);
        let mut useless = String::new();
        for _ in 0..2 {
            match read(&self.ask(cx, client, &request).await?, batch.len()) {
                Ok(verdicts) => return Ok(batch.into_iter().zip(verdicts).map(|(span, verdict)| verdict.applied_to(span)).collect()),
                Err(what) => useless = what,
            }
        }
        cx.warn(format!("{} gave no usable verdict on {} spans ({useless}); the heuristic's scores stand", self.model, batch.len()));
        Ok(batch)
    }

    async fn ask(&self, cx: &Context, client: &Client, request: &Value) -> Result<Value> {
        let chat = client.chat();
        tokio::select! {
            answer = chat.create_byot::<&Value, Value>(request) => answer.map_err(|error| self.server.failed(DOING, error)),
            () = cx.cancelled() => Err(Error::cancelled()),
        }
    }

    fn request(&self, transcript: &Transcript, batch: &[Candidate]) -> Value {
        let spans: Vec<Value> = (batch.iter().enumerate())
            .map(|(id, candidate)| {
                let span = candidate.span;
                let before = Span::between(span.start().plus(-CONTEXT_SECS).max(Timestamp::ZERO), span.start());
                json!({
                    "id": id,
                    "seconds": span.duration().as_secs_f64().round(),
                    "before": said(transcript, before),
                    "text": said(transcript, span),
                })
            })
            .collect();
        json!({
            "model": self.model,
            "temperature": 0,
            "messages": [
                {"role": "system", "content": PROMPT},
                {"role": "user", "content": json!({ "spans": spans }).to_string()},
            ],
            "response_format": {"type": "json_schema", "json_schema": {"name": "verdicts", "strict": true, "schema": schema()}},
        })
    }
}

fn said(transcript: &Transcript, span: Span) -> String {
    transcript.words_in(span).iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn schema() -> Value {
    let number = json!({"type": "number"});
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["spans"],
        "properties": {"spans": {"type": "array", "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["id", "hook", "completeness", "density", "emotion", "title", "reason"],
            "properties": {
                "id": {"type": "integer"}, "hook": number, "completeness": number, "density": number, "emotion": number,
                "title": text, "reason": text
            }
        }}}
    })
}

/// What the model says of one span.
#[derive(Deserialize)]
struct Verdict {
    id: usize,
    hook: f64,
    completeness: f64,
    density: f64,
    emotion: f64,
    title: String,
    reason: String,
}

impl Verdict {
    fn applied_to(self, candidate: Candidate) -> Candidate {
        let Verdict { hook, completeness, density, emotion, .. } = self;
        // The heuristic's weights, so that a batch that kept its scores stands among the others.
        let total = 3.0 * hook + 3.4 * completeness + 2.0 * density + 1.6 * emotion;
        let score = Score { total: (total * 10.0).round() / 10.0, hook, completeness, density, emotion };
        Candidate {
            span: candidate.span,
            score,
            title: one_line(&self.title, LONGEST_TITLE),
            reason: one_line(&self.reason, LONGEST_REASON),
        }
    }
}

/// The verdicts in order of the batch; what is wrong with the answer otherwise.
fn read(answer: &Value, expected: usize) -> Result<Vec<Verdict>, String> {
    #[derive(Deserialize)]
    struct Verdicts {
        spans: Vec<Verdict>,
    }
    let message = &answer["choices"][0]["message"];
    if let Some(refusal) = message["refusal"].as_str() {
        return Err(format!("it refused: {}", one_line(refusal, 100)));
    }
    let text = message["content"].as_str().ok_or("it is empty")?;
    let verdicts: Verdicts = serde_json::from_str(text).map_err(|error| format!("it is not as asked: {error}"))?;
    let mut by_id: HashMap<usize, Verdict> = HashMap::new();
    for verdict in verdicts.spans {
        let Verdict { id, hook, completeness, density, emotion, .. } = verdict;
        if id >= expected {
            return Err(format!("it judges a span {id} that was not sent"));
        }
        if [hook, completeness, density, emotion].iter().any(|number| !(0.0..=10.0).contains(number)) {
            return Err(format!("a score of span {id} is not from 0 to 10"));
        }
        if verdict.title.trim().is_empty() {
            return Err(format!("span {id} has no title"));
        }
        if by_id.insert(id, verdict).is_some() {
            return Err(format!("it judges span {id} twice"));
        }
    }
    (0..expected).map(|id| by_id.remove(&id).ok_or(format!("it leaves span {id} out"))).collect()
}

/// Untrusted text as one line of at most `longest` characters.
fn one_line(text: &str, longest: usize) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(longest).collect()
}
