//! The clips of a job: what is known of each, its files, and changes of its plan.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::workspace::{of_clip, of_job, of_receipt};
use super::{JobId, JobRecord, Jobs, Step, Task, TaskFilter, TaskId, TaskState};
use crate::config::PublisherConfig;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Candidate, ClipPlan, Receipt, Transcript, moment};
use crate::plan::edit::{EditOp, EditSources, Edited, edit};
use crate::publish::Publisher;

/// A clip of a job, as far as the job has come.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct JobClip {
    /// The clip's rank, from 1.
    pub rank: usize,
    /// What the scorer chose.
    pub candidate: Candidate,
    /// The plan. `None` before the clip is planned.
    pub plan: Option<ClipPlan>,
    /// The receipts of the targets that have the clip.
    pub receipts: Vec<Receipt>,
    /// The clip's tasks.
    pub tasks: Vec<Task>,
    /// The published video, if the job publishes into a folder.
    pub video: Option<PathBuf>,
    /// The published cover, if the job publishes into a folder.
    pub cover: Option<PathBuf>,
}

/// A link with which everybody can get a clip from the object store that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ClipLink {
    /// The address, with its signature.
    pub url: String,
    /// When it stops working, in RFC 3339.
    #[serde(default, with = "moment::option")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<SystemTime>,
}

impl Jobs {
    /// The clips of a job in order of rank. Empty before the scorer has chosen.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such job.
    pub async fn clips(&self, id: &JobId) -> Result<Vec<JobClip>> {
        let record = self.known(id).await?;
        let tasks = self.engine().list(&TaskFilter::of_job(id)).await?;
        let mut clips = Vec::new();
        for (rank, candidate) in (1..).zip(self.candidates(id).await?) {
            clips.push(self.job_clip(&record, &tasks, rank, candidate).await?);
        }
        Ok(clips)
    }

    /// One clip of a job, by its rank, which counts from 1.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such job or clip.
    pub async fn clip(&self, id: &JobId, rank: usize) -> Result<JobClip> {
        let record = self.known(id).await?;
        let tasks = self.engine().list(&TaskFilter::of_job(id)).await?;
        let mut candidates = self.candidates(id).await?;
        match rank.checked_sub(1).filter(|index| *index < candidates.len()) {
            Some(index) => self.job_clip(&record, &tasks, rank, candidates.swap_remove(index)).await,
            None => Err(Error::new(ErrorKind::NotFound, format!("the job {id} has no clip {rank}")).with_advice("list its clips")),
        }
    }

    /// Signs a link to a clip in the object store that the job publishes to, so that the file
    /// passes through no server of yours. It works for `valid`, at most as long as the publisher's
    /// `link` says, which is the default. The environment of `cx` has the store's credentials.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such job or clip, if it is not published yet, or if
    /// no publisher of the job has `link`; those of
    /// [`ObjectStorePublisher::sign`](crate::stage::ObjectStorePublisher::sign).
    pub async fn link(&self, cx: &Context, id: &JobId, rank: usize, valid: Option<Duration>) -> Result<ClipLink> {
        let job = self.known(id).await?.job;
        let publishers = if job.publish.is_empty() { &job.config.publishers } else { &job.publish };
        let stores = publishers.iter().filter_map(|publisher| match publisher {
            PublisherConfig::ObjectStore(store) => store.link.map(|longest| (store, longest)),
            _ => None,
        });
        let receipts = self.clip(id, rank).await?.receipts;
        let published = stores.into_iter().find_map(|(store, longest)| {
            let target = store.target();
            let receipt = receipts.iter().find(|receipt| target.wrote(receipt))?;
            Some((store, longest, receipt))
        });
        let (store, longest, receipt) = published.ok_or_else(|| {
            let message = format!("clip {rank} of the job {id} is in no object store whose publisher has link");
            Error::new(ErrorKind::NotFound, message).with_advice("publish to one, or wait until the clip is there")
        })?;
        let valid = valid.map_or(longest, |valid| valid.min(longest));
        let url = store.sign(cx, receipt, valid).await?;
        Ok(ClipLink { url, expires: Some(moment::now() + valid) })
    }

    /// What operations would change in a clip's plan. Nothing is stored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such job, or the clip is not planned; else those of
    /// [`edit`](crate::plan::edit::edit).
    pub async fn preview_edit(&self, id: &JobId, rank: usize, ops: &[EditOp]) -> Result<Edited> {
        let plan = self.clip(id, rank).await?.plan;
        let plan = plan.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("clip {rank} of the job {id} is not planned")))?;
        let transcript = self.shared.workspace.artifacts.get::<Transcript>(&of_job::<Transcript>(id)).await?;
        let sources = transcript.as_ref().map_or(EditSources::new(), |transcript| EditSources::new().with_transcript(transcript));
        edit(&plan, ops, &sources)
    }

    /// Changes a clip's plan by operations. A worker then renders and publishes the clip again, and
    /// the job ends again. Operations that need the speech map
    /// ([`EditOp::Tighten`]) are refused, since a job does not keep it.
    ///
    /// # Errors
    ///
    /// Those of [`preview_edit`](Jobs::preview_edit), and [`ErrorKind::Config`] if the job has not
    /// ended.
    pub async fn edit_clip(&self, id: &JobId, rank: usize, ops: &[EditOp]) -> Result<Edited> {
        let record = self.known(id).await?;
        let tasks = self.engine().list(&TaskFilter::of_job(id)).await?;
        if record.end.is_none() || tasks.iter().any(|task| !task.state.is_over()) {
            return Err(
                Error::new(ErrorKind::Config, format!("the job {id} has not ended")).with_advice("wait until it ends, or cancel it")
            );
        }
        let edited = self.preview_edit(id, rank, ops).await?;
        let workspace = &self.shared.workspace;
        workspace.artifacts.put(&of_clip::<ClipPlan>(id, rank), &edited.plan).await?;
        // The files of a renderer that is not known by a fingerprint are found by rank alone.
        let own = workspace.clip(&of_clip::<ClipPlan>(id, rank).text("files", "rendered"));
        match std::fs::remove_dir_all(&own) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&own, "remove the old clip", error)),
            _ => {}
        }
        for target in 0..publishers(&record).len().max(targets(&tasks)) {
            workspace.artifacts.remove(&of_receipt(id, rank, target)).await?;
        }
        let again = |step: Step| matches!(step, Step::Render(of) | Step::Publish(of, _) if of == rank);
        for task in tasks.iter().filter(|task| again(task.id.step())) {
            self.engine().remove(&task.id).await?;
        }
        // If the process ends here, the reconciler adds the task that is missing.
        self.reopen(id).await?;
        self.engine().add(&[self.task(&record, Step::Render(rank), String::new())]).await?;
        Ok(edited)
    }

    /// The folder for contact sheets, which are made on demand and removed when they are old.
    pub(crate) fn sheets(&self) -> PathBuf {
        self.shared.workspace.folder().join("sheets")
    }

    async fn candidates(&self, id: &JobId) -> Result<Vec<Candidate>> {
        let found = self.shared.workspace.artifacts.get::<Vec<Candidate>>(&of_job::<Vec<Candidate>>(id)).await?;
        Ok(found.unwrap_or_default())
    }

    async fn job_clip(&self, record: &JobRecord, tasks: &[Task], rank: usize, candidate: Candidate) -> Result<JobClip> {
        let artifacts = &self.shared.workspace.artifacts;
        let (id, publishers) = (&record.id, publishers(record));
        let plan = artifacts.get::<ClipPlan>(&of_clip::<ClipPlan>(id, rank)).await?;
        let tasks: Vec<Task> = tasks.iter().filter(|task| task.id.step().rank() == Some(rank)).cloned().collect();
        let (mut receipts, mut video, mut cover) = (Vec::new(), None, None);
        for target in 0..publishers.len().max(targets(&tasks)) {
            let Some(receipt) = artifacts.get::<Receipt>(&of_receipt(id, rank, target)).await? else { continue };
            if let (Some(folder), Some(files), None) = (publishers.get(target).and_then(folder_of), &receipt.files, &video) {
                video = Some(folder.join(&files.video));
                cover = files.cover.as_ref().map(|name| folder.join(name));
            }
            receipts.push(receipt);
        }
        Ok(JobClip { rank, candidate, plan, receipts, tasks, video, cover })
    }
}

/// The publishers of a job's document, in the order of its targets.
fn publishers(record: &JobRecord) -> &[PublisherConfig] {
    if record.job.publish.is_empty() { &record.job.config.publishers } else { &record.job.publish }
}

/// The number of targets that tasks name.
fn targets(tasks: &[Task]) -> usize {
    let target = |task: &Task| if let Step::Publish(_, target) = task.id.step() { target + 1 } else { 0 };
    tasks.iter().map(target).max().unwrap_or(0)
}

fn folder_of(publisher: &PublisherConfig) -> Option<PathBuf> {
    match publisher {
        PublisherConfig::Folder(folder) => Some(folder.path.clone()),
        #[allow(unreachable_patterns)] // Other kinds of publishers.
        _ => None,
    }
}

impl JobClip {
    /// Whether a worker still has to work on the clip.
    pub fn is_over(&self) -> bool {
        self.tasks.iter().all(|task| task.state.is_over())
    }

    /// The clip's tasks that failed on all their attempts.
    pub fn dead(&self) -> impl Iterator<Item = &TaskId> {
        self.tasks.iter().filter(|task| task.state == TaskState::Dead).map(|task| &task.id)
    }
}
