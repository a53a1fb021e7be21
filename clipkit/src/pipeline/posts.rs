//! Turns a rendered clip into a post for the publishers, and into its manifest entry.

use std::path::Path;
use std::sync::Arc;

use super::Pipeline;
use super::call::call;
use super::run::Run;
use crate::context::Context;
use crate::error::{Error, Recovery, Result};
use crate::model::{ClipPlan, ManifestClip, Post, PostFiles, Receipt, RenderedClip, Stage, Unpublished, WarningKind};
use crate::plan::export::{ExportFormat, captions};
use crate::publish::Publisher;

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

/// Publishes a post with its idempotency key in the context.
async fn send(cx: &Context, publisher: Arc<dyn Publisher>, post: &Post) -> Result<Receipt> {
    let cx = cx.with_idempotency_key(&publisher.target().idempotency_key(&post.clip));
    let post = post.clone();
    call(&cx, Stage::Publish, |cx| async move { publisher.publish(&cx, &post).await }).await
}

impl Pipeline {
    /// Publishes a post. If the target refuses the file and another encode can help, the clip is
    /// encoded as the target wants it and published once more.
    pub(super) async fn send(&self, cx: &Context, publisher: &Arc<dyn Publisher>, post: &Post) -> Result<Receipt> {
        match send(cx, publisher.clone(), post).await {
            Err(error) if *error.recovery() == Recovery::Reencode => match self.encoded_for(cx, &**publisher, post, &error).await? {
                Some(post) => send(cx, publisher.clone(), &post).await,
                None => Err(error),
            },
            answer => answer,
        }
    }

    /// The post with a file that the publisher surely takes. `None` if no other file would help, or
    /// if none can be made.
    async fn encoded_for(&self, cx: &Context, publisher: &dyn Publisher, post: &Post, refusal: &Error) -> Result<Option<Post>> {
        let Some(path) = &post.files.plan else { return Ok(None) };
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, "read the plan", error))?;
        let mut plan = ClipPlan::from_json_within(&text, cx.limits()).map_err(|error| error.with_path(path))?;
        let Some(output) = publisher.strict_output(&plan.output) else { return Ok(None) };
        plan.output = output;
        let (width, height, rate, crf) = (plan.output.width, plan.output.height, plan.output.frame_rate.fps(), plan.output.crf);
        let (target, speaking) = (publisher.target(), cx.for_stage(Stage::Publish));
        match self.rendered(cx, &plan).await {
            Ok((clip, _)) => {
                let how = format!("{width}x{height}, {rate:.2} frames per second, CRF {crf}");
                speaking.warn_of(WarningKind::Publish, format!("{target} refused the file: {refusal}; it is encoded again ({how})"));
                let mut post = post.clone();
                post.files.video = clip.video;
                post.files.cover = post.files.cover.and(Some(clip.cover));
                // The plan beside the file says how that file was made.
                let name = format!("{}-{}.{}.plan.json", post.rank, post.clip, plan.id());
                post.files.plan = Some(write(&cx.scratch()?.join(name), &plan.to_json()?)?);
                Ok(Some(post))
            }
            Err(error) if error.is_cancelled() => Err(error),
            Err(error) => {
                let message = format!("{target} refused the file, and it could not be encoded again: {error}");
                speaking.warn_of(WarningKind::Publish, message);
                Ok(None)
            }
        }
    }

    /// Publishes a clip to every target, concurrently. Returns an error if no target accepts it.
    pub(super) async fn publish_clip(&self, run: &Run, plan: &ClipPlan, post: &Post) -> Result<ManifestClip> {
        let rank = post.rank;
        let sent = self.stages.publishers.iter().map(|publisher| async move {
            let sent = run.step(Stage::Publish, Some(rank), |cx| async move { self.send(&cx, publisher, post).await });
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
