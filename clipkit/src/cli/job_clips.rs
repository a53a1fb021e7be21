//! `clipkit jobs clips`, `edit` and `link`: the clips of a job.

use clipkit::jobs::{JobClip, Jobs};
use clipkit::{Context, Result};

use super::args::{ClipsArgs, EditClipArgs, LinkArgs};
use super::edit::{difference, operations};
use super::interrupt::Interrupt;
use super::output::{say, say_json};

pub(super) async fn clips(jobs: &Jobs, args: ClipsArgs) -> Result<()> {
    for clip in jobs.clips(&args.id).await? {
        if args.json {
            say_json(&clip);
        } else {
            say(&line(&clip));
        }
    }
    Ok(())
}

fn line(JobClip { rank, candidate, plan, video, receipts, .. }: &JobClip) -> String {
    let title = plan.as_ref().map_or(candidate.title.as_str(), |plan| plan.title.as_str());
    let file = video.as_ref().map(|path| path.display().to_string());
    let place = file.or_else(|| receipts.iter().find_map(|receipt| receipt.url.clone())).unwrap_or_else(|| "-".into());
    format!("{rank:>3}  {:>3.0}  {}  {title}  {place}", candidate.score.total, candidate.span)
}

pub(super) async fn edit(jobs: &Jobs, args: EditClipArgs) -> Result<()> {
    let ops = operations(&args.ops)?;
    if args.dry_run {
        say_json(&jobs.preview_edit(&args.id, args.rank, &ops).await?.changes);
    } else {
        say(&difference(&jobs.edit_clip(&args.id, args.rank, &ops).await?.changes));
    }
    Ok(())
}

pub(super) async fn link(jobs: &Jobs, args: LinkArgs, interrupt: &Interrupt) -> Result<()> {
    let cx = Context::new();
    let link = interrupt.guard(&cx, jobs.link(&cx, &args.id, args.rank, args.valid)).await?;
    if args.json {
        say_json(&link);
    } else {
        say(&link.url);
    }
    Ok(())
}
