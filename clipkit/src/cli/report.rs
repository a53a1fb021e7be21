//! Reports the results of a run as text or JSON.

use std::path::Path;

use clipkit::model::{Candidate, FailedClip, Manifest, Score, Span, Timestamp, Usage, Warning};
use clipkit::{Context, Error, ErrorReport, Planned};
use serde::Serialize;

use super::args::Reporting;
use super::output::{complain, say, say_json, warn_all};

/// A line of `--json` output in addition to the pipeline's events.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Input {
        input: &'a Path,
        out: Option<&'a Path>,
    },
    Manifest(&'a Manifest),
    Plans {
        input: &'a Path,
        plans: Vec<PlanLine<'a>>,
        warnings: &'a [Warning],
        #[serde(skip_serializing_if = "<[Usage]>::is_empty")]
        usage: &'a [Usage],
    },
    File {
        input: &'a Path,
        file: &'a Path,
        duration: Timestamp,
        warnings: &'a [Warning],
        #[serde(skip_serializing_if = "<[Usage]>::is_empty")]
        usage: &'a [Usage],
    },
    Error {
        #[serde(skip_serializing_if = "Option::is_none")]
        input: Option<&'a Path>,
        #[serde(flatten)]
        report: ErrorReport,
        /// The message as it is printed on stderr.
        text: String,
    },
}

#[derive(Serialize)]
struct PlanLine<'a> {
    plan: &'a str,
    span: Span,
    score: Score,
    title: &'a str,
    reason: &'a str,
}

/// Prints the input that the following events belong to.
pub(crate) fn begin(reporting: Reporting, input: &Path, out: Option<&Path>) {
    if reporting.json && !reporting.quiet {
        say_json(&Line::Input { input, out });
    }
}

/// Prints the result of a run: a table, the warnings, and the folder of the clips.
pub(crate) fn made(reporting: Reporting, manifest: &Manifest, out: Option<&Path>) {
    let of_clips = manifest.clips.iter().flat_map(|clip| &clip.warnings);
    if !reporting.quiet && !reporting.json {
        let rows = manifest.clips.iter().map(|clip| (clip.file.as_str(), clip.span, clip.score.total, clip.title.as_str()));
        table(rows.collect());
    }
    warn_all(manifest.warnings.iter().chain(of_clips));
    not_made(&manifest.failed);
    if reporting.json {
        say_json(&Line::Manifest(manifest));
    } else if !reporting.quiet {
        spent(&manifest.usage).iter().for_each(|line| say(line));
        let place = out.map(|out| format!(" in {}", out.display())).unwrap_or_default();
        say(&format!("{}{place}", count(manifest.clips.len(), "clip")));
    }
}

/// Prints the result of planning. `files` has the order of the plans.
pub(crate) fn planned(reporting: Reporting, input: &Path, planned: &Planned, files: &[String], out: &Path) {
    let plans = || files.iter().zip(&planned.plans).map(|(file, ranked)| (file.as_str(), &ranked.plan));
    if !reporting.quiet && !reporting.json {
        table(plans().map(|(file, plan)| (file, plan.span, plan.score.total, plan.title.as_str())).collect());
    }
    warn_all(&planned.warnings);
    not_made(&planned.failed);
    if reporting.json {
        let plans = plans()
            .map(|(file, plan)| PlanLine { plan: file, span: plan.span, score: plan.score, title: &plan.title, reason: &plan.reason })
            .collect();
        say_json(&Line::Plans { input, plans, warnings: &planned.warnings, usage: &planned.usage });
    } else if !reporting.quiet {
        spent(&planned.usage).iter().for_each(|line| say(line));
        say(&format!(
            "{} in {out}; render them with: clipkit render {out}/*.plan.json --out {out}",
            count(files.len(), "plan"),
            out = out.display()
        ));
    }
}

/// Prints the result of work on a whole video: the file and its duration.
pub(crate) fn written(reporting: Reporting, input: &Path, file: &Path, duration: Timestamp, cx: &Context) {
    let (warnings, usage) = (cx.warnings(), cx.usage());
    warn_all(&warnings);
    if reporting.json {
        say_json(&Line::File { input, file, duration, warnings: &warnings, usage: &usage });
    } else if !reporting.quiet {
        spent(&usage).iter().for_each(|line| say(line));
        say(&format!("{} ({duration})", file.display()));
    }
}

/// Prints the clips that were not made, with the reasons.
fn not_made(failed: &[FailedClip]) {
    for clip in failed {
        let why = clip.error.clone().into_error();
        complain("error", &format!("clip {} at {} was not made: {why}", clip.rank, clip.span));
    }
}

/// Prints the warnings of a failed input and, with `--json`, its last line.
pub(crate) fn failed(reporting: Reporting, input: Option<&Path>, error: &Error, warnings: &[Warning]) {
    warn_all(warnings);
    if reporting.json {
        say_json(&Line::Error { input, report: error.report(), text: error.to_string() });
    }
}

/// Prints file, span, score and title in aligned columns.
fn table(rows: Vec<(&str, Span, f64, &str)>) {
    let rows: Vec<[String; 4]> = rows
        .into_iter()
        .map(|(file, span, score, title)| [file.to_owned(), span.to_string(), format!("{score:.0}"), title.to_owned()])
        .collect();
    let head = ["file", "span", "score", "title"].map(str::to_owned);
    let width = |column: usize| rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (file_width, span_width) = (width(0), width(1));
    for [file, span, score, title] in [&head].into_iter().chain(&rows) {
        say(&format!("{file:file_width$}  {span:span_width$}  {score:>5}  {title}"));
    }
}

/// States the source of the prices, which are no offer of the providers.
const PRICES: &str = " (by the prices given, else as quoted by third parties in June 2026)";

/// The usage and cost of paid models: `gpt-4o-mini: 13 requests, 24310 tokens, about $0.0061`.
pub(crate) fn spent(usage: &[Usage]) -> Option<String> {
    let lines: Vec<String> = usage
        .iter()
        .map(|usage| {
            let mut parts = vec![count(usage.requests as usize, "request")];
            let tokens = usage.prompt_tokens + usage.completion_tokens;
            if tokens > 0 {
                parts.push(format!("{}{tokens} tokens", if usage.estimated { "about " } else { "" }));
            }
            if usage.audio_seconds > 0.0 {
                parts.push(format!("{:.1} minutes of sound", usage.audio_seconds / 60.0));
            }
            parts.push(usage.cost_usd.map_or_else(|| "price not known".to_owned(), |usd| format!("about ${usd:.4}")));
            format!("{}: {}", usage.model, parts.join(", "))
        })
        .collect();
    let quoted = if usage.iter().any(|usage| usage.cost_usd.is_some_and(|usd| usd > 0.0)) { PRICES } else { "" };
    (!lines.is_empty()).then(|| lines.join("; ") + quoted)
}

/// What counted for and against each candidate, as lines.
pub(crate) fn explained(candidates: &[Candidate]) -> Vec<String> {
    let mut lines = Vec::new();
    for (n, candidate) in candidates.iter().enumerate() {
        let score = &candidate.score;
        let moment = score.moment.map_or_else(String::new, |moment| format!("moment {moment:.1}, "));
        lines.push(format!("{}. {}  {:.0}  {}", n + 1, candidate.span, score.total, candidate.title));
        lines.push(format!(
            "   {moment}completeness {:.1}, hook {:.1}, density {:.1}, emotion {:.1} of 10",
            score.completeness, score.hook, score.density, score.emotion
        ));
        for (what, sign) in [("for", 1.0), ("against", -1.0)] {
            let factors: Vec<String> = candidate
                .factors
                .iter()
                .filter(|factor| factor.effect * sign > 0.0)
                .map(|factor| {
                    let words = if factor.words.is_empty() { String::new() } else { format!(" ({})", factor.words.join(", ")) };
                    format!("{}{words} {:+.2}", factor.name, factor.effect)
                })
                .collect();
            if !factors.is_empty() {
                lines.push(format!("   {what} it: {}", factors.join("; ")));
            }
        }
        lines.push(format!("   {}", candidate.reason));
    }
    lines
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
