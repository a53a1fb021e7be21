//! What is chosen and why (`clipkit score --explain`), and how it is compared with what people
//! chose (`clipkit eval choice`).

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::TALK;

fn clipkit(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clipkit"));
    command.args(arguments).stdin(Stdio::null()).env_remove("OPENAI_API_KEY").env_remove("OPENAI_BASE_URL");
    let output = command.output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// What nobody would choose.
const DULL: &str = "Welcome back to the podcast, everybody. Thanks for listening to the episode. Please subscribe to the channel on \
YouTube. Today we look at aircraft instrumentation, documentation and nomenclature. Then there is Hendricks, Oberlin and Tak.";

/// A talk of almost two minutes: something to choose between greetings and asides.
fn transcript(folder: &TempDir, language: &str) -> String {
    let text = [DULL, DULL, TALK, DULL, DULL].join(" ");
    let words: Vec<Value> = text
        .split_whitespace()
        .enumerate()
        .map(|(n, word)| json!({"text": word, "start": n as f64 * 0.4, "end": n as f64 * 0.4 + 0.35}))
        .collect();
    let path = folder.path().join(format!("talk.{language}.json"));
    fs::write(&path, json!({"language": language, "words": words}).to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_score_says_in_words_what_counted() {
    let folder = tempfile::tempdir().unwrap();
    let talk = transcript(&folder, "en");
    let (code, stdout, stderr) = clipkit(&["score", &talk, "--scorer", "heuristic", "--explain"]);
    assert_eq!(code, 0, "{stderr}");
    let candidates: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    let best = &candidates[0];
    assert!(best["score"]["moment"].as_f64().is_some_and(|moment| (0.0..=10.0).contains(&moment)), "{best}");
    let factors = best["factors"].as_array().unwrap();
    assert!(!factors.is_empty() && factors.len() <= 6, "{best}");
    for factor in factors {
        let name = factor["name"].as_str().unwrap();
        assert!(factor["effect"].as_f64().unwrap().abs() >= 0.05 && stderr.contains(name), "{name}: {stderr}");
    }
    assert!(stderr.starts_with("1. ") && stderr.contains("for it: ") && stderr.contains("completeness"), "{stderr}");
    // The words of the show are not chosen.
    let start = best["span"]["start"].as_f64().unwrap();
    let seconds = |text: &str| text.split_whitespace().count() as f64 * 0.4;
    let (from, to) = (2.0 * seconds(DULL), 2.0 * seconds(DULL) + seconds(TALK));
    assert!((from - 1.0..to).contains(&start), "starts at {start}, not between {from} and {to}");

    // The model is for English; other languages are chosen by rules.
    let (_, stdout, stderr) = clipkit(&["score", &transcript(&folder, "nl"), "--scorer", "heuristic", "--explain"]);
    assert!(!stdout.contains("moment") && !stderr.contains("for it"), "{stdout}{stderr}");
}

#[test]
fn chosen_spans_are_compared_with_what_people_chose() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let labels = [
        json!({"id": "a", "duration": 2000.0, "moments": [{"start": 500.0, "end": 520.0, "words": 30}, {"start": 50.0, "end": 60.0}]}),
        json!({"id": "b", "duration": 2000.0, "moments": [{"start": 900.0, "end": 920.0}, {"start": 700.0, "end": 702.0, "words": 3}]}),
        json!({"id": "c", "duration": 2000.0, "moments": [{"start": 900.0, "end": 920.0}]}),
    ];
    fs::write(at("show.jsonl"), labels.map(|line| line.to_string()).join("\n")).unwrap();
    fs::write(at("a.json"), json!([{"start": 495.0, "end": 525.0, "score": 90}]).to_string()).unwrap();
    fs::write(at("b.json"), json!([{"start": 300.0, "end": 330.0, "score": 90}]).to_string()).unwrap();
    let eval = |more: &[&str]| {
        let (folder, labels) = (at(""), at("show.jsonl"));
        let arguments = [&["eval", "choice", folder.as_str(), labels.as_str(), "--after", "200", "--min-words", "12"], more].concat();
        clipkit(&arguments)
    };
    let (code, stdout, stderr) = eval(&["--json"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("1 videos have no candidates"), "{stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&report["shows"][0]["videos"], &report["shows"][0]["found"]), (&json!(2), &json!(0.5)));
    let (_, table, _) = eval(&[]);
    assert!(table.contains("show ") && table.contains("0.500") && table.contains("lift over the better"), "{table}");

    let refused = |line: Value, says: &str| {
        fs::write(at("show.jsonl"), line.to_string()).unwrap();
        let (code, _, stderr) = eval(&[]);
        assert!(code == 3 && stderr.contains(says) && stderr.contains("line 1"), "{code} {stderr}");
    };
    refused(json!({"id": "../../a", "duration": 2000.0, "moments": [{"start": 500.0, "end": 520.0}]}), "no file name");
    refused(json!({"id": "a", "duration": 100.0, "moments": [{"start": 500.0, "end": 520.0}]}), "line 1");
    refused(json!({"id": "a"}), "duration");
    assert_eq!(clipkit(&["eval", "choice", &at(""), &at("none.jsonl")]).0, 3);
}
