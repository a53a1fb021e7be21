//! The table of capabilities that runs in every language. `tests/cases/README.md` describes its
//! format.

use crate::support::with;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use clipkit::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::ffmpeg;

#[derive(Deserialize)]
struct Table {
    fixtures: Fixtures,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Fixtures {
    videos: std::collections::BTreeMap<String, String>,
    texts: std::collections::BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    call: String,
    config: Value,
    #[serde(default)]
    input: String,
    span: Option<Span>,
    transcript: Option<Transcript>,
    #[serde(default)]
    frames: FrameOptions,
    edit: Option<Value>,
    #[serde(default)]
    picture: WholePicture,
    #[serde(default)]
    fails: usize,
    expect: Option<Value>,
    error: Option<Value>,
    #[serde(default)]
    events: Vec<String>,
}

/// A scorer whose first calls fail.
struct Given {
    fails: usize,
    calls: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl Scorer for Given {
    async fn score(&self, _: &Context, _: &Scoring) -> Result<Vec<Candidate>> {
        if self.calls.fetch_add(1, Ordering::SeqCst) < self.fails {
            return Err(Error::new(ErrorKind::Network, "busy").with_recovery(Recovery::Retry { after: None }));
        }
        Ok(vec![Candidate::new(Span::between(Timestamp::ZERO, Timestamp::from_secs(16.0)), Score::of(50.0), "Given", "")])
    }
}

/// The table with the path of the test folder filled in.
fn table(desk: &Path) -> Table {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/cases.json")).unwrap();
    serde_json::from_str(&text.replace("{desk}", desk.to_str().unwrap())).unwrap()
}

fn lay(desk: &Path, fixtures: &Fixtures) {
    for (name, arguments) in &fixtures.videos {
        ffmpeg(&arguments.replace("{out}", desk.join(name).to_str().unwrap()));
    }
    for (name, content) in &fixtures.texts {
        std::fs::write(desk.join(name), content.to_string()).unwrap();
    }
}

fn written(answer: impl Serialize) -> Result<Value> {
    Ok(serde_json::to_value(answer).unwrap())
}

async fn answer(case: &Case, cx: &Context, desk: &Path) -> Result<Value> {
    let config = PipelineConfig::from_json(&case.config.to_string())?;
    let fetch = async || {
        let source = config.source.build(None)?;
        let cx = cx.for_stage(Stage::Source);
        source.fetch(&cx, &case.input).await.map_err(|error| error.with_stage(Stage::Source))
    };
    match case.call.as_str() {
        "probe" => written(fetch().await?),
        "transcribe" => {
            let media = fetch().await?;
            let answer = config.transcriber.build(None)?.transcribe(&cx.for_stage(Stage::Transcribe), &media).await;
            written(answer.map_err(|error| error.with_stage(Stage::Transcribe))?)
        }
        "score" => {
            let ClipOptions { clips, min, max, .. } = config.options;
            let options = with(ScoreOptions::default(), |it| {
                it.max_clips = clips;
                it.min = min;
                it.max = max;
            });
            let scoring = with(Scoring::new(case.transcript.clone().unwrap()), |it| it.options = options);
            written(config.scorer.build(None)?.score(&cx.for_stage(Stage::Score), &scoring).await?)
        }
        "track" => {
            let tracking = Tracking::new(fetch().await?, case.span.unwrap());
            written(config.tracker.build(cx, None).await?.track(&cx.for_stage(Stage::Track), &tracking).await?)
        }
        "frames" => {
            let frames = Frames::open(cx, &fetch().await?, case.span.unwrap(), case.frames)?;
            let shown = |frame: Frame| {
                assert_eq!(frame.pixels.len() as u32, 3 * frame.width * frame.height);
                json!({"at": frame.at, "width": frame.width, "height": frame.height})
            };
            written(frames.map(|frame| frame.map(shown)).collect::<Result<Vec<_>>>()?)
        }
        "plan" => written(Pipeline::from_config(cx, &config).await?.plan_all_with(cx, &case.input).await?),
        "whole" => written(Pipeline::from_config(cx, &config).await?.plan_whole(cx, &case.input, case.picture).await?),
        "run" => written(Pipeline::from_config(cx, &config).await?.run_with(cx, &case.input).await?),
        "render" => {
            let pipeline = Pipeline::from_config(cx, &config).await?;
            let planned = pipeline.plan_all_with(cx, &case.input).await?;
            let edited = |ranked: &RankedPlan| {
                let mut plan = serde_json::to_value(&ranked.plan).unwrap();
                merge(&mut plan, case.edit.as_ref().unwrap());
                Ok(RankedPlan::new(ranked.rank, ClipPlan::from_json(&plan.to_string())?))
            };
            let plans = planned.plans.iter().map(edited).collect::<Result<Vec<_>>>()?;
            written(pipeline.render_all_with(cx, &plans).await?)
        }
        "steps" => {
            let pipeline = Pipeline::from_config(cx, &config).await?;
            let media = pipeline.fetch(cx, &case.input).await?;
            let transcript = pipeline.transcribe(cx, &media).await?;
            let candidates = pipeline.choose(cx, &media, &transcript).await?;
            let tracks = pipeline.track(cx, &media, candidates[0].span).await?;
            let plan = pipeline.plan(cx, &media, &transcript, &candidates[0], &tracks).await?;
            let rendered = pipeline.render(cx, &plan).await?;
            let post = pipeline.render_post(cx, 1, &plan).await?;
            let receipt = pipeline.publish(cx, &post).await?;
            let targets = pipeline.targets();
            let again = pipeline.publish_to(cx, &targets[0], &post).await?;
            written(json!({
                "media": media, "transcript": transcript, "candidates": candidates, "tracks": tracks, "plan": plan,
                "rendered": rendered, "post": post, "targets": targets, "receipt": receipt, "again": again,
            }))
        }
        "given" => {
            let calls = Arc::<AtomicUsize>::default();
            let scorer = Given { fails: case.fails, calls: calls.clone() };
            let planned = Pipeline::builder().scorer(scorer).complete(cx, &config).await?.plan_all_with(cx, &case.input).await?;
            written(json!({"calls": calls.load(Ordering::SeqCst), "planned": planned}))
        }
        "preview" => {
            let planned = Pipeline::from_config(cx, &config).await?.plan_all_with(cx, &case.input).await?;
            let draft = desk.join("draft.mp4");
            preview(cx, &planned.plans[0].plan, &draft).await?;
            written(FileSource::new().fetch(&cx.for_stage(Stage::Source), draft.to_str().unwrap()).await?)
        }
        "sheet" => {
            let planned = Pipeline::from_config(cx, &config).await?.plan_all_with(cx, &case.input).await?;
            let sheet = desk.join("sheet.png");
            contact_sheet(cx, &planned.plans[0].plan, &sheet).await?;
            written(json!({"bytes": std::fs::metadata(sheet).unwrap().len()}))
        }
        other => panic!("there is no call {other}"),
    }
}

/// Merges objects; other values are replaced.
fn merge(value: &mut Value, change: &Value) {
    match (value, change) {
        (Value::Object(value), Value::Object(change)) => {
            change.iter().for_each(|(name, change)| merge(value.entry(name).or_insert(Value::Null), change));
        }
        (value, change) => *value = change.clone(),
    }
}

/// Lists the differences from the expectation, with their paths.
fn unmet(expected: &Value, found: &Value, at: &str, wrong: &mut Vec<String>) {
    let short = |value: &Value| value.to_string().chars().take(200).collect::<String>();
    let mut complain = || wrong.push(format!("{at}: expected {expected}, found {}", short(found)));
    match (expected, found) {
        (Value::Object(tests), _) if tests.keys().any(|name| name.starts_with('$')) => {
            for (test, wanted) in tests {
                let holds = match test.as_str() {
                    "$contains" => found.as_str().is_some_and(|text| text.contains(wanted.as_str().unwrap())),
                    "$type" => match wanted.as_str().unwrap() {
                        "string" => found.is_string(),
                        "number" => found.is_number(),
                        "array" => found.is_array(),
                        other => panic!("there is no type {other}"),
                    },
                    "$length" => found.as_array().map(Vec::len) == wanted.as_u64().map(|length| length as usize),
                    "$first" => {
                        unmet(wanted, found.get(0).unwrap_or(&Value::Null), &format!("{at}[0]"), wrong);
                        true
                    }
                    other => panic!("there is no test {other}"),
                };
                if !holds {
                    wrong.push(format!("{at}: expected {expected}, found {}", short(found)));
                }
            }
        }
        (Value::Object(fields), Value::Object(_)) => {
            for (name, wanted) in fields {
                unmet(wanted, found.get(name).unwrap_or(&Value::Null), &format!("{at}.{name}"), wrong);
            }
        }
        (Value::Array(wanted), Value::Array(items)) if wanted.len() == items.len() => {
            wanted.iter().zip(items).enumerate().for_each(|(n, (wanted, item))| unmet(wanted, item, &format!("{at}[{n}]"), wrong));
        }
        (Value::Number(wanted), Value::Number(number)) => {
            if !wanted.as_f64().zip(number.as_f64()).is_some_and(|(wanted, number)| (wanted - number).abs() <= 1e-6) {
                complain();
            }
        }
        (wanted, found) if wanted == found => {}
        _ => complain(),
    }
}

fn name(event: &Event) -> String {
    let event = serde_json::to_value(event).unwrap();
    let part = |name: &str| event.get(name).and_then(Value::as_str);
    [part("event"), part("stage")].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

async fn run(case: &Case, desk: &Path) -> Vec<String> {
    let _ = std::fs::remove_dir_all(desk.join("out"));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = heard.clone();
    let cx = Context::builder()
        .on_event(move |event| {
            let (name, mut heard) = (name(event), listener.lock().unwrap());
            if !heard.contains(&name) {
                heard.push(name);
            }
        })
        .build();
    let mut wrong = Vec::new();
    match (answer(case, &cx, desk).await, &case.error) {
        (Ok(found), None) => unmet(case.expect.as_ref().unwrap(), &found, "answer", &mut wrong),
        (Ok(found), Some(_)) => {
            wrong.push(format!("an error is expected, found {}", found.to_string().chars().take(200).collect::<String>()))
        }
        (Err(error), None) => wrong.push(format!("failed: {error}")),
        (Err(error), Some(expected)) => {
            let found = json!({"kind": error.kind(), "stage": error.stage(), "recovery": error.recovery(), "message": error.to_string()});
            unmet(expected, &found, "error", &mut wrong);
        }
    }
    let heard = heard.lock().unwrap();
    let mut at = heard.iter();
    for event in &case.events {
        if !at.any(|name| name == event) {
            wrong.push(format!("{event} is not among the events, or not in its place: {heard:?}"));
        }
    }
    wrong.into_iter().map(|what| format!("{}: {what}", case.name)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_capabilities_holds() {
    let folder = tempfile::tempdir().unwrap();
    let desk: PathBuf = folder.path().canonicalize().unwrap();
    let table = table(&desk);
    lay(&desk, &table.fixtures);
    let mut wrong = Vec::new();
    for case in &table.cases {
        wrong.extend(run(case, &desk).await);
    }
    assert!(table.cases.len() > 20 && wrong.is_empty(), "{}", wrong.join("\n"));
}
