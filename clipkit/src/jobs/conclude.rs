//! The end of a job: its manifest.

use std::collections::BTreeMap;

use super::steps::StepRun;
use super::workspace::{of_job, of_receipt};
use super::{JobEnd, JobEvent, JobMilestone, JobState, NewEvent, Step, Task, TaskFilter, TaskState};
use crate::error::{ErrorReport, Result};
use crate::model::{Candidate, FailedClip, Manifest, ManifestClip, Media, Receipt, Stage, Unpublished, Usage, Warning};
use crate::plan;

impl StepRun<'_> {
    /// Makes the manifest of what is stored, gives it to the publishers, and ends the job.
    pub(super) async fn conclude(&self) -> Result<()> {
        let shared = &self.jobs.shared;
        let artifacts = &shared.workspace.artifacts;
        let id = &self.record.id;
        let tasks = shared.engine.list(&TaskFilter::of_job(id)).await?;
        let events = shared.records.events(id, 0, usize::MAX).await?;
        let Some(media) = artifacts.get::<Media>(&of_job::<Media>(id)).await? else {
            return self.end(JobState::Failed, first_error(&tasks), None).await;
        };
        let candidates = artifacts.get::<Vec<Candidate>>(&of_job::<Vec<Candidate>>(id)).await?.unwrap_or_default();
        let warnings = warnings(&events);
        let mut manifest = Manifest::new(plan::source_of(&media)?);
        for (rank, candidate) in (1..).zip(&candidates) {
            match self.clip(rank, &tasks, &warnings).await? {
                Ok(clip) => manifest.clips.push(clip),
                Err(report) => manifest.failed.push(FailedClip::new(rank, candidate.span, candidate.title.clone(), report)),
            }
        }
        manifest.warnings = warnings.into_iter().filter(|warning| warning.clip.is_none()).collect();
        manifest.usage = usage(&events);
        manifest.timings.stages = timings(&tasks);
        let began = tasks.iter().filter_map(|task| task.started).min();
        manifest.timings.total = began.and_then(|at| at.elapsed().ok()).map_or(0.0, |time| rounded(time.as_secs_f64()));
        if manifest.clips.is_empty() {
            return self.end(JobState::Failed, first_error(&tasks), Some(manifest)).await;
        }
        self.pipeline.deliver(self.cx, &manifest).await?;
        self.end(JobState::Done, None, Some(manifest)).await
    }

    async fn end(&self, state: JobState, error: Option<ErrorReport>, manifest: Option<Manifest>) -> Result<()> {
        let records = &self.jobs.shared.records;
        let clips = manifest.as_ref().map_or(0, |manifest| manifest.clips.len());
        if records.end(&self.record.id, Some(&JobEnd::new(state, error, manifest))).await? {
            // The end is the last event.
            let mut events = self.signs.take();
            events.push(NewEvent::Job(JobMilestone::Ended { state, clips }));
            records.append(&self.record.id, &events).await?;
        }
        Ok(())
    }

    /// The manifest's entry of a clip, or the error of the clip.
    async fn clip(&self, rank: usize, tasks: &[Task], warnings: &[Warning]) -> Result<Result<ManifestClip, ErrorReport>> {
        let (mut receipts, mut unpublished, mut first) = (Vec::new(), Vec::new(), None);
        for (target, name) in self.pipeline.targets().into_iter().enumerate() {
            let key = of_receipt(&self.record.id, rank, target);
            if let Some(receipt) = self.jobs.shared.workspace.artifacts.get::<Receipt>(&key).await? {
                receipts.push(receipt);
            } else if let Some(report) = error_of(tasks, |step| step == Step::Publish(rank, target)) {
                unpublished.push(Unpublished::new(name.to_string(), report.clone()));
                first.get_or_insert(report);
            }
        }
        let Some((plan, rendered)) = self.known_clip(rank).await?.filter(|_| !receipts.is_empty()) else {
            let earlier = error_of(tasks, |step| step.rank() == Some(rank));
            let unknown = || ErrorReport::new(crate::error::ErrorKind::Cancelled, "this clip was not made");
            return Ok(Err(first.or(earlier).unwrap_or_else(unknown)));
        };
        let plan = rendered.unwrap_or(plan);
        let mut clip = ManifestClip::published(rank, &plan, &plan.title, receipts);
        clip.unpublished = unpublished;
        clip.warnings = warnings.iter().filter(|warning| warning.clip == Some(rank)).cloned().collect();
        clip.folder = self.pipeline.staging().map(Into::into);
        Ok(Ok(clip))
    }
}

/// The error of the first dead task.
pub(super) fn first_error(tasks: &[Task]) -> Option<ErrorReport> {
    error_of(tasks, |_| true)
}

fn error_of(tasks: &[Task], of: impl Fn(Step) -> bool) -> Option<ErrorReport> {
    let dead = tasks.iter().find(|task| task.state == TaskState::Dead && of(task.id.step()));
    dead.and_then(|task| task.error.clone())
}

/// The warnings of all attempts, each once.
fn warnings(events: &[JobEvent]) -> Vec<Warning> {
    let mut found: Vec<Warning> = Vec::new();
    for event in events.iter().filter(|event| event.event["event"] == "warning") {
        if let Ok(warning) = serde_json::from_value::<Warning>(event.event.clone())
            && !found.contains(&warning)
        {
            found.push(warning);
        }
    }
    found
}

/// The use of paid services in all attempts, one entry for each stage and model.
pub(super) fn usage(events: &[JobEvent]) -> Vec<Usage> {
    let mut found: Vec<Usage> = Vec::new();
    for event in events.iter().filter(|event| event.event["event"] == "usage") {
        let Ok(usage) = serde_json::from_value::<Usage>(event.event["usage"].clone()) else { continue };
        match found.iter_mut().find(|known| known.stage == usage.stage && known.model == usage.model) {
            Some(known) => known.add(&usage),
            None => found.push(usage),
        }
    }
    found
}

/// The time of the last attempt of each task, by stage, in seconds.
fn timings(tasks: &[Task]) -> BTreeMap<Stage, f64> {
    let mut spent = BTreeMap::new();
    for task in tasks {
        let stage = match task.id.step() {
            Step::Fetch => Stage::Source,
            Step::Transcribe => Stage::Transcribe,
            Step::Score => Stage::Score,
            Step::Track(_) => Stage::Track,
            Step::Render(_) => Stage::Render,
            Step::Publish(..) | Step::Conclude => Stage::Publish,
        };
        let time = task.started.zip(task.ended).and_then(|(started, ended)| ended.duration_since(started).ok());
        *spent.entry(stage).or_insert(0.0) += time.map_or(0.0, |time| time.as_secs_f64());
    }
    spent.into_iter().map(|(stage, seconds)| (stage, rounded(seconds))).collect()
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
