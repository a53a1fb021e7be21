//! What a job needs next, and what is missing in the queue.

use std::collections::{BTreeMap, BTreeSet};

use super::conclude::first_error;
use super::steps::{clips_in_use, successors};
use super::worker::Crew;
use super::{JobEnd, JobFilter, JobId, JobMilestone, JobRecord, JobState, NewEvent, Step, Task, TaskFilter, TaskId, TaskState};
use crate::error::{ErrorKind, ErrorReport, Result};
use crate::model::Stage;
use crate::pipeline::Degrade;

impl Crew {
    /// Adds what a job needs next: the tasks that follow from those that are done, and its end once
    /// all are over. It can be called at any time, also by several workers at once.
    pub(super) async fn advance(&self, record: &JobRecord) -> Result<()> {
        let shared = &self.jobs.shared;
        let id = &record.id;
        let tasks = shared.engine.list(&TaskFilter::of_job(id)).await?;
        if let Some((state, error)) = early_end(&tasks) {
            return self.end(id, state, error).await;
        }
        let mut needed = Vec::new();
        if tasks.is_empty() {
            needed.push(self.jobs.task(record, Step::Fetch, String::new()));
        }
        // Without its custom stages, this worker does not know what the job needs.
        let pipeline = match self.pipeline(&self.cx, record, Degrade::NEVER).await {
            Ok(pipeline) => Some(pipeline),
            Err(error) => {
                tracing::debug!(job = %id, "the job's pipeline cannot be built here: {error}");
                None
            }
        };
        if let Some(pipeline) = &pipeline {
            for task in tasks.iter().filter(|task| task.state == TaskState::Done) {
                needed.extend(successors(&self.jobs, record, pipeline, task.id.step()).await?);
            }
        }
        let known: BTreeSet<&TaskId> = tasks.iter().map(|task| &task.id).collect();
        needed.retain(|task| !known.contains(&task.id));
        if !needed.is_empty() {
            return shared.engine.add(&needed).await.map(drop);
        }
        if pipeline.is_none() || tasks.iter().any(|task| !task.state.is_over()) {
            return Ok(());
        }
        let conclude = self.jobs.task(record, Step::Conclude, String::new());
        match tasks.iter().find(|task| task.id.step() == Step::Conclude) {
            Some(task) if task.state == TaskState::Dead => self.end(id, JobState::Failed, task.error.clone()).await,
            Some(task) => {
                // The job was opened again after its end, or its record did not survive.
                shared.engine.remove(&task.id).await?;
                shared.engine.add(&[conclude]).await.map(drop)
            }
            None => shared.engine.add(&[conclude]).await.map(drop),
        }
    }

    async fn end(&self, id: &JobId, state: JobState, error: Option<ErrorReport>) -> Result<()> {
        let records = &self.jobs.shared.records;
        if records.end(id, Some(&JobEnd::new(state, error, None))).await? {
            records.append(id, &[NewEvent::Job(JobMilestone::Ended { state, clips: 0 })]).await?;
        }
        Ok(())
    }

    /// Adds what is missing in the queue, cancels what is left of jobs that ended, and removes what
    /// is too old: jobs, rendered clips, scratch space.
    pub(super) async fn reconcile(&self) -> Result<()> {
        let shared = &self.jobs.shared;
        shared.records.recover().await?;
        let open = shared.records.list(&JobFilter { open: Some(true), ..JobFilter::default() }).await?;
        let mut states: BTreeMap<JobId, Vec<Task>> = BTreeMap::new();
        for task in shared.engine.list(&TaskFilter::default()).await? {
            states.entry(task.id.job().clone()).or_default().push(task);
        }
        let is_live = |task: &Task| !task.state.is_over();
        let mut unused = shared.workspace.old_clips();
        for record in &open {
            let tasks = states.get(&record.id).map(Vec::as_slice).unwrap_or_default();
            if !tasks.iter().any(is_live) {
                self.advance(record).await?;
            }
            if !unused.is_empty() {
                let ranks: BTreeSet<usize> = tasks.iter().filter_map(|task| task.id.step().rank()).collect();
                let pipeline = self.pipeline(&self.cx, record, Degrade::NEVER).await.ok();
                let renderer = pipeline.and_then(|pipeline| pipeline.fingerprint(Stage::Render, self.cx.environment()));
                let used = clips_in_use(&self.jobs, record, &ranks, renderer.as_deref()).await?;
                unused.retain(|clip| !used.contains(clip));
            }
        }
        let open: BTreeSet<&JobId> = open.iter().map(|record| &record.id).collect();
        for (id, tasks) in &states {
            // Looked at again, since the job may be newer than the list of open ones.
            if tasks.iter().any(is_live) && !open.contains(id) && shared.records.get(id).await?.is_none_or(|record| record.end.is_some()) {
                shared.engine.cancel(id).await?;
            }
        }
        self.forget_old().await?;
        shared.workspace.reap(unused).await
    }

    /// Removes jobs that ended, except the latest.
    async fn forget_old(&self) -> Result<()> {
        let options = &self.jobs.shared.options;
        let (mut done, mut failed) = (0, 0);
        for record in self.jobs.shared.records.list(&JobFilter { open: Some(false), ..JobFilter::default() }).await? {
            let is_failed = record.end.as_ref().is_some_and(|end| end.state == JobState::Failed);
            let (count, most) = if is_failed { (&mut failed, options.keep_failed) } else { (&mut done, options.keep_done) };
            *count += 1;
            if *count > most
                && let Err(error) = self.jobs.remove(&record.id).await
            {
                tracing::debug!(job = %record.id, "an old job stays: {error}");
            }
        }
        Ok(())
    }
}

/// The end of a job that has no clips: a step of the whole video failed, or found nothing.
fn early_end(tasks: &[Task]) -> Option<(JobState, Option<ErrorReport>)> {
    let whole = |task: &&Task| matches!(task.id.step(), Step::Fetch | Step::Transcribe | Step::Score);
    for task in tasks.iter().filter(whole) {
        match (task.state, &task.error) {
            (TaskState::Dead, _) => return Some((JobState::Failed, first_error(tasks))),
            (TaskState::Done, Some(error)) if error.kind == ErrorKind::NothingFound => return Some((JobState::Done, Some(error.clone()))),
            _ => {}
        }
    }
    None
}
