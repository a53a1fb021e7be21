//! The steps of a job. Each looks for what is stored before it works.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::serve_task::Signs;
use super::workspace::{of_clip, of_job, of_receipt};
use super::{Held, JobId, JobRecord, Jobs, NewTask, Standing, Step};
use crate::context::{Context, Event};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Candidate, ClipPlan, ManifestClip, Media, Post, Receipt, Stage, Transcript, WarningKind};
use crate::pipeline::Pipeline;
use crate::store::{ArtifactKey, Document};

/// A claimed task at work. A document is stored under the job's own key, where later steps find it,
/// and, if the stages are known by a fingerprint, under a key of its inputs, where other jobs do.
pub(super) struct StepRun<'a> {
    pub(super) jobs: &'a Jobs,
    pub(super) record: &'a JobRecord,
    pub(super) held: &'a Held,
    pub(super) lease: Duration,
    pub(super) pipeline: &'a Pipeline,
    pub(super) cx: &'a Context,
    pub(super) signs: &'a Signs,
}

impl StepRun<'_> {
    /// Does a step, unless its result is stored.
    pub(super) async fn work(&self, step: Step) -> Result<()> {
        match step {
            Step::Fetch => self.media().await.map(drop),
            Step::Transcribe => self.transcript().await.map(drop),
            Step::Score => self.candidates().await.map(drop),
            Step::Track(rank) => self.plan(rank).await.map(drop),
            Step::Render(rank) => self.post(rank).await.map(drop),
            Step::Publish(rank, target) => self.receipt(rank, target).await.map(drop),
            Step::Conclude => self.conclude().await,
        }
    }

    fn id(&self) -> &JobId {
        &self.record.id
    }

    fn fingerprint(&self, stage: Stage) -> Option<String> {
        self.pipeline.fingerprint(stage, self.cx.environment())
    }

    async fn media(&self) -> Result<Media> {
        self.stored(
            Stage::Source,
            of_job::<Media>(self.id()),
            || Ok(None),
            async || {
                self.jobs.has_space()?;
                self.pipeline.fetch(self.cx, &self.record.job.uri).await
            },
        )
        .await
    }

    async fn transcript(&self) -> Result<Transcript> {
        let media = self.media().await?;
        let shared = || {
            let transcriber = self.fingerprint(Stage::Transcribe);
            Ok(transcriber.map(|known| ArtifactKey::of::<Transcript>().media(&media).text("job step", &known)))
        };
        let make = async || self.pipeline.transcribe(self.cx, &media).await;
        self.stored(Stage::Transcribe, of_job::<Transcript>(self.id()), shared, make).await
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let (media, transcript) = (self.media().await?, self.transcript().await?);
        let shared = || {
            let Some(scorer) = self.fingerprint(Stage::Score) else { return Ok(None) };
            let key = ArtifactKey::of::<Vec<Candidate>>().media(&media).transcript("words", &transcript);
            key.text("job step", &scorer).json("options", &self.record.job.config.options).map(Some)
        };
        let make = async || self.pipeline.choose(self.cx, &media, &transcript).await;
        self.stored(Stage::Score, of_job::<Vec<Candidate>>(self.id()), shared, make).await
    }

    /// The plan of a clip. Tracking and planning are one step, since a plan takes no time.
    async fn plan(&self, rank: usize) -> Result<ClipPlan> {
        let (media, transcript, candidates) = (self.media().await?, self.transcript().await?, self.candidates().await?);
        let candidate = rank.checked_sub(1).and_then(|index| candidates.get(index));
        let candidate = candidate.ok_or_else(|| Error::new(ErrorKind::Contract, format!("there is no clip {rank} in this job")))?;
        let shared = || {
            let Some(tracker) = self.fingerprint(Stage::Track) else { return Ok(None) };
            let key = ArtifactKey::of::<ClipPlan>().media(&media).text("uri", &media.uri);
            let key = key.transcript("words", &transcript).text("job step", &tracker).json("candidate", candidate)?;
            key.json("size", &self.pipeline.render_size())?.json("options", &self.record.job.config.options).map(Some)
        };
        let make = async || {
            let tracks = self.pipeline.track(self.cx, &media, candidate.span).await?;
            self.pipeline.plan(self.cx, &media, &transcript, candidate, &tracks).await
        };
        self.stored(Stage::Track, of_clip::<ClipPlan>(self.id(), rank), shared, make).await
    }

    /// The folders in which a clip may be kept: the job's own, and the one that jobs share.
    fn clip_folders(&self, rank: usize, plan: &ClipPlan) -> Result<(PathBuf, Option<PathBuf>)> {
        let workspace = &self.jobs.shared.workspace;
        let shared = self.fingerprint(Stage::Render).map(|renderer| shared_clip(&renderer, plan)).transpose()?;
        let own = of_clip::<ClipPlan>(self.id(), rank).text("files", "rendered");
        Ok((workspace.clip(&own), shared.map(|key| workspace.clip(&key))))
    }

    /// The rendered clip, and the plan that it was rendered from.
    async fn post(&self, rank: usize) -> Result<(Post, ClipPlan)> {
        let plan = self.plan(rank).await?;
        let (own, shared) = self.clip_folders(rank, &plan)?;
        let workspace = &self.jobs.shared.workspace;
        for folder in [Some(&own), shared.as_ref()].into_iter().flatten() {
            if let Some(kept) = workspace.kept_clip(folder, rank)? {
                return Ok(kept);
            }
        }
        self.jobs.has_space()?;
        let post = self.pipeline.render_post(self.cx, rank, &plan).await?;
        self.is_held().await?;
        let rendered = match &post.files.plan {
            Some(file) => {
                let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, "read the plan", error))?;
                ClipPlan::from_json(&text)?
            }
            None => plan,
        };
        let folder = shared.filter(|_| !self.is_stand_in()).unwrap_or(own);
        let (kept, put) = (workspace.clone(), folder.clone());
        self.cx.blocking(move |_| kept.keep_clip(&put, &post, &rendered)).await?;
        let kept = workspace.kept_clip(&folder, rank)?;
        kept.ok_or_else(|| Error::new(ErrorKind::Io, "the rendered clip is gone").with_path(&folder))
    }

    async fn receipt(&self, rank: usize, target: usize) -> Result<Receipt> {
        let targets = self.pipeline.targets();
        let to = targets.get(target).ok_or_else(|| Error::new(ErrorKind::Config, format!("this job has no target {target}")))?;
        self.stored(
            Stage::Publish,
            of_receipt(self.id(), rank, target),
            || Ok(None),
            async || {
                let (post, plan) = self.post(rank).await?;
                let receipt = self.pipeline.publish_to(self.cx, to, &post).await?;
                let mut clip = ManifestClip::published(rank, &plan, &post.title, vec![receipt.clone()]);
                clip.folder = self.pipeline.staging().map(Into::into);
                self.cx.emit(&Event::Clip(Box::new(clip)));
                Ok(receipt)
            },
        )
        .await
    }

    /// The document under the job's own key, else the one under the shared key, else a new one.
    async fn stored<D: Document + Clone>(
        &self,
        stage: Stage,
        own: ArtifactKey,
        shared: impl FnOnce() -> Result<Option<ArtifactKey>>,
        make: impl AsyncFnOnce() -> Result<D>,
    ) -> Result<D> {
        let artifacts = &self.jobs.shared.workspace.artifacts;
        if let Some(known) = artifacts.get(&own).await? {
            return Ok(known);
        }
        let shared = shared()?;
        if let Some(key) = &shared
            && let Some(known) = artifacts.get(key).await?
        {
            artifacts.put_new(&own, &known).await?;
            return Ok(known);
        }
        self.cx.check()?;
        let made = make().await?;
        self.is_held().await?;
        // What a stand-in made belongs to this job alone.
        if let Some(key) = shared.filter(|_| !self.is_stand_in()) {
            artifacts.put_new(&key, &made).await?;
        }
        if artifacts.put_new(&own, &made).await? {
            tracing::debug!(job = %self.id(), %stage, "stored");
            return Ok(made);
        }
        match artifacts.get(&own).await? {
            Some(first) => Ok(first),
            // What is there is too old or damaged.
            None => artifacts.put(&own, &made).await.map(|()| made),
        }
    }

    /// Whether a stand-in made a part of this step's result.
    fn is_stand_in(&self) -> bool {
        self.cx.stepped_down() || self.cx.warnings().iter().any(|warning| warning.kind == WarningKind::StandIn)
    }

    /// Refuses to store the result of a task that another worker has.
    async fn is_held(&self) -> Result<()> {
        let standing = self.jobs.shared.engine.heartbeat(std::slice::from_ref(self.held), self.lease).await?;
        match standing.first() {
            Some(Standing::Held) => Ok(()),
            _ => Err(Error::cancelled()),
        }
    }

    /// The documents of a clip that are stored. Nothing is made.
    pub(super) async fn known_clip(&self, rank: usize) -> Result<Option<(ClipPlan, Option<ClipPlan>)>> {
        let workspace = &self.jobs.shared.workspace;
        let Some(plan) = workspace.artifacts.get::<ClipPlan>(&of_clip::<ClipPlan>(self.id(), rank)).await? else { return Ok(None) };
        let (own, shared) = self.clip_folders(rank, &plan)?;
        for folder in [Some(own), shared].into_iter().flatten() {
            if let Some((_, rendered)) = workspace.kept_clip(&folder, rank)? {
                return Ok(Some((plan, Some(rendered))));
            }
        }
        Ok(Some((plan, None)))
    }
}

fn shared_clip(renderer: &str, plan: &ClipPlan) -> Result<ArtifactKey> {
    ArtifactKey::of::<ClipPlan>().text("files", "rendered").text("job step", renderer).json("plan", plan)
}

/// The tasks that follow from a step that is done.
pub(super) async fn successors(jobs: &Jobs, record: &JobRecord, pipeline: &Pipeline, step: Step) -> Result<Vec<NewTask>> {
    let next = |step| jobs.task(record, step, String::new());
    Ok(match step {
        Step::Fetch => vec![next(Step::Transcribe)],
        Step::Transcribe => vec![next(Step::Score)],
        Step::Score => {
            let key = of_job::<Vec<Candidate>>(&record.id);
            let candidates = jobs.shared.workspace.artifacts.get::<Vec<Candidate>>(&key).await?;
            (1..=candidates.unwrap_or_default().len()).map(|rank| next(Step::Track(rank))).collect()
        }
        Step::Track(rank) => vec![next(Step::Render(rank))],
        Step::Render(rank) => {
            let targets = pipeline.targets().into_iter().enumerate();
            targets.map(|(target, name)| jobs.task(record, Step::Publish(rank, target), name.to_string())).collect()
        }
        Step::Publish(..) | Step::Conclude => Vec::new(),
    })
}

/// The folders of rendered clips that a job may still need.
pub(super) async fn clips_in_use(jobs: &Jobs, record: &JobRecord, ranks: &BTreeSet<usize>, renderer: Option<&str>) -> Result<Vec<PathBuf>> {
    let workspace = &jobs.shared.workspace;
    let mut used = Vec::new();
    for rank in ranks {
        let key = of_clip::<ClipPlan>(&record.id, *rank);
        used.push(workspace.clip(&key.clone().text("files", "rendered")));
        if let (Some(renderer), Some(plan)) = (renderer, workspace.artifacts.get::<ClipPlan>(&key).await?) {
            used.push(workspace.clip(&shared_clip(renderer, &plan)?));
        }
    }
    Ok(used)
}
