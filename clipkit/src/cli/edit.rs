//! `clipkit edit` and `clipkit plan upgrade`: commands that change plans.

use std::path::Path;

use clipkit::model::{SpeechMap, Transcript};
use clipkit::plan::edit::{Changes, EditOp, EditSources, edit};
use clipkit::{Error, ErrorKind, Result};

use super::args::{EditArgs, Operations, PlanArgs, PlanCommand};
use super::output::{note, write_json};
use super::{Done, limits, plans, step, usage};

pub(crate) fn run(args: &EditArgs) -> Done {
    let plan = plans::read(&args.plan)?;
    let ops = operations(&args.ops)?;
    let transcript: Option<Transcript> = args.transcript.as_deref().map(|path| step::read(path, "a transcript")).transpose()?;
    let speech: Option<SpeechMap> = args.speech.as_deref().map(|path| step::read(path, "a speech map")).transpose()?;
    let mut sources = EditSources::new();
    (sources.transcript, sources.speech) = (transcript.as_ref(), speech.as_ref());
    let edited = edit(&plan, &ops, &sources).map_err(|error| error.with_path(&args.plan))?;
    if args.dry_run {
        return write_json(args.output.as_deref(), &edited.changes);
    }
    note(&difference(&edited.changes));
    write_json(args.output.as_deref(), &edited.plan)
}

/// The changes as a line for a person.
pub(super) fn difference(Changes { before, after, .. }: &Changes) -> String {
    format!(
        "{} -> {}, {} -> {} words, {} -> {} joins",
        before.duration, after.duration, before.words, after.words, before.joins, after.joins
    )
}

/// The operations of the script, then those of the options, then the brand.
pub(super) fn operations(args: &Operations) -> Result<Vec<EditOp>> {
    let mut ops: Vec<EditOp> = match &args.script {
        Some(path) => script(path)?,
        None => Vec::new(),
    };
    for text in &args.op {
        let op = serde_json::from_str(text).map_err(|error| {
            usage(format!("--op {text}: this is not an operation: {error}"))
                .with_advice(r#"an example: {"op": "delete_words", "words": {"quote": "you know"}}"#)
        })?;
        ops.push(op);
    }
    ops.extend(args.brand.clone().map(|brand| EditOp::Brand { brand }));
    if ops.is_empty() {
        return Err(usage("there is no operation").with_advice("give one with --op, a file of them with --script, or a brand with --brand"));
    }
    Ok(ops)
}

fn script(path: &Path) -> Result<Vec<EditOp>> {
    let bytes = limits::read(path)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, format!("this is not a list of operations: {error}"))
            .with_path(path)
            .with_advice("give a JSON array of operations, each an object with the field op")
    })
}

pub(crate) fn plan(args: &PlanArgs) -> Done {
    match &args.command {
        PlanCommand::Upgrade { plan, output } => write_json(output.as_deref(), &plans::read(plan)?),
    }
}
