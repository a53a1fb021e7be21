//! Turns a rendered clip into a post for the publishers, and into its manifest entry.

use std::path::Path;

use super::run::Run;
use super::{Pipeline, steps};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{ClipPlan, ManifestClip, Post, PostFiles, RenderedClip, Stage, Unpublished, WarningKind};
use crate::plan::export::{ExportFormat, captions};

/// Makes the post of a rendered clip. Its plan and captions are written to scratch space.
pub(super) fn post(cx: &Context, rank: usize, plan: &ClipPlan, clip: &RenderedClip) -> Result<Post> {
    let (scratch, id) = (cx.scratch()?, plan.id());
    let mut files = PostFiles::new(&clip.video);
    files.cover = Some(clip.cover.clone());
    files.plan = Some(write(&scratch.join(format!("{rank}-{id}.plan.json")), &plan.to_json()?)?);
    if let Some(captions) = captions(&[plan], ExportFormat::Srt)? {
        files.captions = Some(write(&scratch.join(format!("{rank}-{id}.srt")), &captions)?);
    }
    Ok(Post::new(rank, plan, files))
}

fn write(path: &Path, text: &str) -> Result<std::path::PathBuf> {
    std::fs::write(path, text).map_err(|error| Error::io(path, "write", error))?;
    Ok(path.to_owned())
}

impl Pipeline {
    /// Publishes a clip to every target, concurrently. Returns an error if no target accepts it.
    pub(super) async fn publish_clip(&self, run: &Run, plan: &ClipPlan, post: &Post) -> Result<ManifestClip> {
        let rank = post.rank;
        let sent = self.stages.publishers.iter().map(|publisher| async move {
            let sent = run.step(Stage::Publish, Some(rank), |cx| async move { steps::send(&cx, publisher.clone(), post).await });
            (publisher.target(), sent.await)
        });
        let (mut receipts, mut unpublished, mut first) = (Vec::new(), Vec::new(), None);
        for (target, answer) in futures::future::join_all(sent).await {
            match answer {
                Ok(receipt) => receipts.push(receipt),
                Err(error) => {
                    unpublished.push(Unpublished::new(target.to_string(), error.report()));
                    first.get_or_insert((target, error));
                }
            }
        }
        match first {
            Some((_, error)) if receipts.is_empty() || error.is_cancelled() => return Err(error),
            Some((target, error)) => run
                .speaking_for(Stage::Publish, Some(rank))
                .warn_of(WarningKind::Publish, format!("{target} did not take the clip: {error}")),
            None => {}
        }
        let mut clip = ManifestClip::published(rank, plan, &post.title, receipts);
        clip.unpublished = unpublished;
        Ok(clip)
    }
}
