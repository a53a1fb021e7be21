//! `clipkit edit` and `clipkit plan upgrade`: commands that change plans.

use std::path::Path;

use clipkit::model::{SpeechMap, Transcript};
use clipkit::plan::edit::{EditOp, EditSources, edit};
use clipkit::{Error, ErrorKind, Result};

use super::args::{EditArgs, PlanArgs, PlanCommand};
use super::output::{note, write_json};
use super::{Done, limits, plans, step, usage};

pub(crate) fn run(args: &EditArgs) -> Done {
    let plan = plans::read(&args.plan)?;
    let ops = operations(args)?;
    let transcript: Option<Transcript> = args.transcript.as_deref().map(|path| step::read(path, "a transcript")).transpose()?;
    let speech: Option<SpeechMap> = args.speech.as_deref().map(|path| step::read(path, "a speech map")).transpose()?;
    let mut sources = EditSources::new();
    (sources.transcript, sources.speech) = (transcript.as_ref(), speech.as_ref());
    let edited = edit(&plan, &ops, &sources).map_err(|error| error.with_path(&args.plan))?;
    if args.dry_run {
        return write_json(args.output.as_deref(), &edited.changes);
    }
    let (before, after) = (edited.changes.before, edited.changes.after);
    note(&format!(
        "{} -> {}, {} -> {} words, {} -> {} joins",
        before.duration, after.duration, before.words, after.words, before.joins, after.joins
    ));
    write_json(args.output.as_deref(), &edited.plan)
}

/// The operations of the script, then those of the options, then the brand.
fn operations(args: &EditArgs) -> Result<Vec<EditOp>> {
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
