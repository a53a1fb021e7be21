//! `clipkit render` and `clipkit inspect`: commands for plans.

use std::collections::BTreeSet;
use std::path::Path;

use clipkit::config::{PublisherConfig, TrackerConfig};
use clipkit::model::ClipPlan;
use clipkit::stage::Folder;
use clipkit::{ClipOptions, Context, Pipeline, PipelineConfig, RankedPlan, Result};

use super::args::{InspectArgs, PreviewArgs, RenderArgs};
use super::interrupt::Interrupt;
use super::output::{say, warn_all};
use super::{Done, clip, limits, progress, report};

pub(crate) async fn render(args: RenderArgs, interrupt: &Interrupt) -> Done {
    let cx = progress::context(args.reporting);
    let result = interrupt.guard(&cx, make(&cx, &args)).await;
    match &result {
        Ok(manifest) => report::made(args.reporting, manifest, Some(&args.out)),
        Err(error) => report::failed(args.reporting, None, error, &cx.warnings()),
    }
    result.map(|_| ())
}

async fn make(cx: &Context, args: &RenderArgs) -> Result<clipkit::model::Manifest> {
    clip::out_is_usable(&args.out)?;
    let plans = ranked(&args.plans.iter().map(|path| Ok((path.as_path(), read(path)?))).collect::<Result<Vec<_>>>()?);
    let config = PipelineConfig {
        // A plan contains its framing, so nothing is tracked.
        tracker: TrackerConfig::Center,
        publishers: vec![PublisherConfig::Folder(Folder::new(&args.out).keep_others())],
        options: ClipOptions { jobs: args.jobs, ..ClipOptions::default() },
        ..PipelineConfig::default()
    };
    Pipeline::from_config(cx, &config).await?.render_all_with(cx, &plans).await
}

pub(crate) async fn inspect(args: InspectArgs, interrupt: &Interrupt) -> Done {
    let plan = read(&args.plan)?;
    let cx = limits::builder().build();
    interrupt.guard(&cx, clipkit::stage::contact_sheet(&cx, &plan, &args.output)).await?;
    say(&format!("{}", args.output.display()));
    Ok(())
}

pub(crate) async fn preview(args: PreviewArgs, interrupt: &Interrupt) -> Done {
    let plan = read(&args.plan)?;
    let cx = limits::builder().build();
    let result = interrupt.guard(&cx, clipkit::stage::preview(&cx, &plan, &args.output)).await;
    warn_all(&cx.warnings());
    result?;
    say(&format!("{}", args.output.display()));
    Ok(())
}

pub(crate) fn read(path: &Path) -> Result<ClipPlan> {
    let bytes = limits::read(path)?;
    // Invalid UTF-8 is not valid JSON, so the parser reports it.
    ClipPlan::from_json_within(&String::from_utf8_lossy(&bytes), &limits::limits()).map_err(|error| error.with_path(path))
}

/// `03-why.plan.json` keeps rank 3, so that its clip replaces the old one. Other names get the free
/// ranks in order.
fn ranked(plans: &[(&Path, ClipPlan)]) -> Vec<RankedPlan> {
    let mut taken = BTreeSet::new();
    let kept: Vec<Option<usize>> = plans.iter().map(|(path, _)| number(path).filter(|rank| taken.insert(*rank))).collect();
    let mut free = (1..).filter(|rank| !taken.contains(rank));
    let mut all: Vec<RankedPlan> = kept
        .into_iter()
        .zip(plans)
        .filter_map(|(kept, (_, plan))| Some(RankedPlan { rank: kept.or_else(|| free.next())?, plan: plan.clone() }))
        .collect();
    all.sort_by_key(|ranked| ranked.rank);
    all
}

fn number(path: &Path) -> Option<usize> {
    let name = path.file_name()?.to_str()?;
    let (digits, _) = name.split_once('-')?;
    digits.parse().ok().filter(|rank| *rank > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plans_number_is_read_from_its_name() {
        assert_eq!(number(Path::new("clips/03-why.plan.json")), Some(3));
        for other in ["why.plan.json", "00-why.plan.json", "x3-why.plan.json", ".."] {
            assert_eq!(number(Path::new(other)), None, "{other}");
        }
    }
}
