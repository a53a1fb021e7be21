//! Who may import whom, read from the `use crate::` lines.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each module and what it may import besides itself. `scratch` is only the run's temporary files, `models` and `onnx` only finding things.
const RULES: [(&str, &[&str]); 28] = [
    ("model", &["error"]),
    ("error", &["model"]),
    ("scratch", &["error"]),
    ("ledger", &["model"]),
    ("context", &["model", "error", "scratch", "ledger"]),
    ("av", &["model", "error", "context"]),
    ("source", STAGE),
    // One kind of server answers both, so how to ask it stands apart.
    ("transcribe", &["model", "error", "context", "av", "onnx", "openai", "voice"]),
    ("score", &["model", "error", "context", "av", "ledger", "openai"]),
    // The detector needs the inference runtime.
    ("track", &["model", "error", "context", "av", "memory", "onnx", "voice"]),
    // Captions are set in the fonts that the renderer finds.
    ("render", &["model", "error", "context", "av", "caption", "memory"]),
    ("publish", STAGE),
    ("reframe", &["model"]),
    ("caption", &["model"]),
    // One of its networks is a file, found and run as the detectors are.
    ("voice", &["model", "error", "context", "models", "onnx"]),
    ("net", &[]),
    ("memory", &[]),
    ("models", &["error", "context", "net"]),
    ("onnx", &["error"]),
    // What goes around a stage goes around a request, too.
    ("openai", &["model", "error", "context", "ledger", "layer", "net"]),
    ("layer", &["model", "error", "context", "source", "transcribe", "score", "track", "render", "publish"]),
    (
        "pipeline",
        &["av", "model", "error", "context", "source", "transcribe", "score", "track", "render", "publish", "reframe", "caption", "voice"],
    ),
    ("inspect", STAGE),
    ("frames", STAGE),
    ("config", ALL),
    // It lists the documents of all.
    ("schema", &["config", "context", "error", "frames", "model", "pipeline", "score", "track"]),
    ("clip", &["config", "context", "error", "model", "pipeline", "publish", "render", "score", "source", "track", "transcribe"]),
    // It uses the crate by its public names, as a program would.
    ("cli", &[]),
];
const STAGE: &[&str] = &["model", "error", "context", "av"];
/// A document can name any built-in piece.
const ALL: &[&str] = &[
    "model",
    "error",
    "context",
    "source",
    "transcribe",
    "score",
    "track",
    "render",
    "publish",
    "pipeline",
    "models",
    "onnx",
    "openai",
    "layer",
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The first names after `use crate::`, also in a group.
fn imports(text: &str) -> BTreeSet<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for part in text.split("use crate::").skip(1) {
        match part.strip_prefix('{') {
            None => {
                found.insert(name(part));
            }
            Some(group) => {
                let (mut depth, mut starts) = (0, true);
                for (at, letter) in group.char_indices() {
                    if starts && depth == 0 && letter.is_alphanumeric() {
                        found.insert(name(&group[at..]));
                        starts = false;
                    }
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' => starts = true,
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

#[test]
fn modules_import_only_what_they_may() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut wrong = Vec::new();
    for path in all {
        let place = path.strip_prefix(&source).unwrap();
        let text = place.to_str().unwrap();
        // The program is a crate of its own, and tests may look at anything.
        if text.starts_with("bin") || text.contains("tests") || text == "lib.rs" {
            continue;
        }
        let module = text.split(['/', '\\', '.']).next().unwrap();
        let code = std::fs::read_to_string(&path).unwrap();
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let Some((_, allowed)) = RULES.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{text}: there is no rule for the module {module}"));
            continue;
        };
        for import in imports(code) {
            if import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{text} imports crate::{import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn groups_of_imports_are_read() {
    let text = "use crate::error::Error;\nuse crate::{av, model::{Span, Media}, context::Context};\n";
    assert_eq!(imports(text).into_iter().collect::<Vec<_>>(), ["av", "context", "error", "model"]);
}
