//! `clipkit eval`: compares what was chosen with what people chose.

use std::path::{Component, Path};

use clipkit::evaluate::{ChoiceCase, ChoiceReport, choice};
use clipkit::model::{Candidate, Span};
use clipkit::{Error, ErrorKind, Result};
use serde::Deserialize;

use super::args::{ChoiceArgs, EvalArgs, EvalCommand};
use super::output::{complain, say, say_json};
use super::{Done, usage};

pub(crate) fn run(args: &EvalArgs) -> Done {
    let EvalCommand::Choice(args) = &args.command;
    if !args.after.is_finite() || args.after < 0.0 {
        return Err(usage(format!("--after is {}, no number of seconds", args.after)));
    }
    let mut shows = Vec::new();
    for path in &args.labels {
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        shows.push((name, cases(args, path)?));
    }
    if shows.iter().all(|(_, cases)| cases.is_empty()) {
        return Err(Error::new(ErrorKind::NothingFound, "no video has both moments and candidates")
            .with_path(&args.predictions)
            .with_advice("name the files of the candidates after the videos: ID.json"));
    }
    let report = choice(&shows);
    if args.json {
        say_json(&report);
    } else {
        table(&report).iter().for_each(|line| say(line));
    }
    Ok(())
}

/// A line of the labels.
#[derive(Deserialize)]
struct Labels {
    id: String,
    duration: f64,
    moments: Vec<Moment>,
    #[serde(default)]
    loudness: Vec<f64>,
}

#[derive(Deserialize)]
struct Moment {
    start: f64,
    end: f64,
    words: Option<usize>,
}

/// The videos of a show that have moments and candidates.
fn cases(args: &ChoiceArgs, path: &Path) -> Result<Vec<ChoiceCase>> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, "read the moments", error))?;
    let (mut cases, mut absent) = (Vec::new(), 0_usize);
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |why: String| {
            Error::new(ErrorKind::InvalidInput, format!("line {}: {why}", n + 1))
                .with_path(path)
                .with_advice("give one JSON object a line, with id, duration and moments")
        };
        let labels: Labels = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let bounds = Span::secs(args.after, labels.duration).map_err(|error| wrong(error.to_string()))?;
        let moments: Result<Vec<Span>> = labels
            .moments
            .iter()
            .filter(|moment| moment.start >= args.after && moment.words.is_none_or(|words| words >= args.min_words))
            .map(|moment| Span::secs(moment.start, moment.end).map_err(|error| wrong(error.to_string())))
            .collect();
        let moments = moments?;
        if moments.is_empty() {
            continue;
        }
        let mut parts = Path::new(&labels.id).components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(wrong(format!("the id {:?} is no file name", labels.id)));
        }
        let Some(chosen) = candidates(&args.predictions.join(format!("{}.json", labels.id)))? else {
            absent += 1;
            continue;
        };
        let mut case = ChoiceCase::new(chosen.into_iter().map(|candidate| candidate.span).collect(), moments, bounds);
        case.loudness = labels.loudness;
        cases.push(case);
    }
    if absent > 0 {
        complain("warning", &format!("{}: {absent} videos have no candidates and are left out", path.display()));
    }
    Ok(cases)
}

/// The candidates in a file; `None` if there is no such file.
fn candidates(path: &Path) -> Result<Option<Vec<Candidate>>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(path, "read the candidates", error)),
    };
    let read = serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, format!("this is not a list of candidates: {error}"))
            .with_path(path)
            .with_advice("make one with clipkit score")
    });
    read.map(Some)
}

fn table(report: &ChoiceReport) -> Vec<String> {
    let width = report.shows.iter().map(|show| show.show.chars().count()).max().unwrap_or(0).max(4);
    let mut lines = vec![format!("{:width$}  videos  found  random   even  loudest  lift", "show")];
    for show in &report.shows {
        let loudest = show.loudest.map_or_else(|| "-".to_owned(), |share| format!("{share:.3}"));
        lines.push(format!(
            "{:width$}  {:6}  {:.3}   {:.3}  {:.3}  {loudest:>7}  {:4.2}",
            show.show, show.videos, show.found, show.random, show.even, show.lift
        ));
    }
    lines
        .push(format!("lift over the better of random and even places: {:.2} (95 % {:.2} to {:.2})", report.lift, report.low, report.high));
    lines
}
