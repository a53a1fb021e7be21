//! Comments and documentation are at most 100 columns wide. Code may be wider: rustfmt decides.

use std::path::{Path, PathBuf};

const WIDTH: usize = 100;

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The numbers, from 1, of the lines that hold a comment and nothing else and are too wide. Code in
/// documentation, rows of tables, and a line that is one word after the slashes (an address) are
/// left out, because they cannot be wrapped.
fn too_wide(text: &str) -> Vec<usize> {
    let mut in_code = false;
    let mut wide = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("//") else {
            in_code = false;
            continue;
        };
        let comment = comment.trim_start_matches(['/', '!']).trim();
        if comment.starts_with("```") {
            in_code = !in_code;
            continue;
        }
        let can_wrap = !in_code && !comment.starts_with('|') && comment.contains(' ');
        if can_wrap && line.chars().count() > WIDTH {
            wide.push(number + 1);
        }
    }
    wide
}

#[test]
fn comments_fit_their_width() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        rust_files(&root.join(folder), &mut files);
    }
    files.sort();
    let mut wide = Vec::new();
    for path in files {
        let place = path.strip_prefix(root).unwrap().display().to_string();
        let lines = too_wide(&std::fs::read_to_string(&path).unwrap());
        wide.extend(lines.into_iter().map(|line| format!("clipkit/{place}:{line}")));
    }
    assert!(wide.is_empty(), "comments wider than {WIDTH} columns ({}):\n{}", wide.len(), wide.join("\n"));
}

#[test]
fn only_comments_that_can_be_wrapped_count() {
    let words = "word ".repeat(30);
    let text = format!(
        "/// {words}\n/// ```\n/// let code = \"{words}\";\n/// ```\n//! | {words}|\n// https://{}\nlet x = \"{words}\"; // {words}\n    // {words}\n",
        "a".repeat(120)
    );
    assert_eq!(too_wide(&text), [1, 8]);
}
