//! Which module may use which, checked for every `crate::` path in the code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each top-level module, and the others that it may use.
const RULES: &[(&str, &[&str])] = &[
    ("model", &["error"]),
    ("error", &["model"]),
    // A run shares the media store through its context.
    ("context", &["model", "error", "store"]),
    ("features", &["error"]),
    ("http", &["error", "context"]),
    ("av", &["model", "error", "context"]),
    ("onnx", &["error", "context"]),
    ("weights", &["error", "context", "features", "http"]),
    ("voice", &["model", "error", "context", "features", "weights", "onnx"]),
    ("store", &["model", "error", "context"]),
    ("plan", &["model", "error"]),
    ("source", &["model", "error", "context", "features", "http", "av", "store"]),
    ("speech", &["model", "error", "context", "av", "store", "voice"]),
    ("transcribe", &["model", "error", "context", "features", "av", "onnx", "openai", "speech", "weights"]),
    ("score", &["model", "error", "context", "openai"]),
    ("evaluate", &["model"]),
    ("track", &["model", "error", "context", "features", "av", "onnx", "voice", "weights"]),
    // Captions use the fonts that the renderer finds.
    ("render", &["model", "error", "context", "av", "store", "plan"]),
    // Servers of strangers are reached as sources reach them.
    ("publish", &["model", "error", "context", "features", "store", "http"]),
    // Requests to a server have layers, as stages have.
    ("openai", &["model", "error", "context", "features", "layer", "http"]),
    ("layer", &["model", "error", "context", "store", "source", "transcribe", "score", "track", "render", "publish"]),
    ("pipeline", EVERYTHING),
    ("config", EVERYTHING),
    // Looks at everything, and changes nothing.
    ("doctor", EVERYTHING),
    // Drives the steps of a pipeline.
    ("jobs", &["model", "error", "context", "store", "plan", "publish", "pipeline", "config"]),
    // Bodies of fuzz targets, not compiled into the library.
    ("fuzzing", EVERYTHING),
    // What unit tests share.
    ("testing", &[]),
    // A face over jobs: it reads plans, media and sources' rules, and decides nothing.
    ("serve", &["model", "error", "context", "http", "store", "source", "render", "publish", "plan", "pipeline", "config", "jobs"]),
    // Lists of names.
    ("stage", EVERYTHING),
    ("prelude", EVERYTHING),
    // The command uses the crate's public names only, like any program.
    ("cli", &[]),
];
const EVERYTHING: &[&str] = &[
    "model",
    "error",
    "context",
    "features",
    "av",
    "onnx",
    "weights",
    "voice",
    "speech",
    "store",
    "plan",
    "source",
    "transcribe",
    "score",
    "track",
    "render",
    "publish",
    "openai",
    "layer",
    "pipeline",
    "config",
    "doctor",
    "stage",
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

/// The top-level modules that the code names after `crate::`, also in groups. Comments are removed.
fn named(code: &str) -> BTreeSet<String> {
    let code: String = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let name = |text: &str| text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // Skips names that end in `crate::`, such as `clipkit_crate::`.
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let part = &code[at + "crate::".len()..];
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
fn modules_use_only_what_they_may() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for path in all {
        let place = path.strip_prefix(&source).unwrap();
        let text = place.to_str().unwrap();
        // The program is a separate crate, and tests may use every module.
        if text.starts_with("bin") || text.contains("tests") || text == "lib.rs" {
            continue;
        }
        let module = text.split(['/', '\\', '.']).next().unwrap();
        seen.insert(module.to_owned());
        let code = std::fs::read_to_string(&path).unwrap();
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let Some((_, allowed)) = RULES.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{text}: there is no rule for the module {module}"));
            continue;
        };
        for other in named(code) {
            if other != module && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{text} uses crate::{other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unused: Vec<_> = RULES.iter().filter(|(name, _)| !seen.contains(*name)).map(|(name, _)| *name).collect();
    assert!(unused.is_empty(), "rules for modules that do not exist: {unused:?}");
}

#[test]
fn paths_are_read_from_imports_groups_and_expressions() {
    let code = "use crate::error::Error;\nuse crate::{av, model::{Span, Media}, context::Context};\n\
                fn f() { crate::plan::go(); } // crate::nothing";
    assert_eq!(named(code).into_iter().collect::<Vec<_>>(), ["av", "context", "error", "model", "plan"]);
}
