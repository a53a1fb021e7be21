//! The routes of jobs: submit, list, show, cancel, retry, remove.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::admit::{JobRequest, admit};
use super::guard::Caller;
use super::openapi::{JobListBody, JobRequestBody, JobStatusBody, JobViewBody, ProblemBody};
use super::problem::{Answer, Problem};
use super::request::{Ask, Doc, Names, job_id};
use super::state::App;
use crate::error::{ErrorKind, ErrorReport};
use crate::jobs::{JobFilter, JobId, JobState, JobStatus, Task, TaskFilter, TaskState};
use crate::model::{Usage, shown_uri};

/// The most jobs of one page.
const MOST: usize = 200;

/// Submits a job.
///
/// The answer comes before any work is done. The same idempotency key again returns the same job.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "As `idempotency_key` of the body.")),
    request_body(content = inline(JobRequestBody), content_type = "application/json"),
    responses(
        (status = 202, description = "The job; `Location` has its address.", body = inline(JobStatusBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn submit(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Doc(mut request): Doc<JobRequest>,
) -> Answer<Response> {
    if request.idempotency_key.is_none()
        && let Some(key) = headers.get("idempotency-key")
    {
        let key =
            key.to_str().map_err(|_| Problem::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidInput, "the idempotency key is not ASCII"))?;
        request.idempotency_key = Some(key.to_owned());
    }
    let known = request.idempotency_key.as_deref().map(|key| JobId::of_key(&caller.user, key));
    // It looks at files.
    let (options, user) = (app.options.clone(), caller.user);
    let admitted = tokio::task::spawn_blocking(move || admit(&options, &user, request)).await;
    let job =
        admitted.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::Contract, "the request broke the service"))??;
    let lease = app.uploads.lease(&job.uri).await?;
    let id = match app.jobs.submit(job).await {
        Ok(id) => id,
        Err(error) => {
            // A key that belongs to another job.
            let taken = match &known {
                Some(id) => app.jobs.get(id).await?.is_some(),
                None => false,
            };
            return Err(if taken { Problem::conflict(error) } else { error.into() });
        }
    };
    if let Some(lease) = lease {
        app.uploads.keep_for(&id, lease);
    }
    let mut status = app.jobs.get(&id).await?.ok_or_else(|| Problem::not_found("the job was removed"))?;
    hide(&mut status);
    Ok((StatusCode::ACCEPTED, [(LOCATION, format!("/v1/jobs/{id}"))], Json(status)).into_response())
}

/// What a list asks for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only jobs in this state: `delayed`, `waiting`, `active`, `done`, `failed`, `cancelled`.
    #[param(value_type = Option<String>)]
    state: Option<JobState>,
    /// Only jobs of this user.
    user: Option<String>,
    /// The most jobs, at most 200. Default: 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// The id at the end of the page before.
    before: Option<String>,
}

/// A page of jobs, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct JobList {
    jobs: Vec<JobSummary>,
    /// What `before` is for the next page. `null` on the last page.
    next: Option<JobId>,
}

/// A job in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct JobSummary {
    #[serde(flatten)]
    status: JobStatus,
    /// How much of the job's work is done, 0 to 1.
    progress: f64,
    /// The number of published clips. `null` before the job has ended.
    clips: Option<usize>,
    /// The queues that have a task of the job now.
    stages: Vec<String>,
}

/// Lists jobs, the newest first.
#[utoipa::path(
    get, path = "/v1/jobs", tag = "jobs", params(ListQuery),
    responses(
        (status = 200, description = "A page of jobs.", body = inline(JobListBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn list(State(app): State<App>, Ask(query): Ask<ListQuery>) -> Answer<Json<JobList>> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidInput, format!("limit is {limit}: give 1 to {MOST}")));
    }
    let mut filter = JobFilter::default();
    (filter.state, filter.user) = (query.state, query.user);
    filter.before = query.before.as_deref().map(job_id).transpose()?;
    filter.most = Some(limit + 1);
    let mut found = app.jobs.list(&filter).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|job| job.id.clone());
    let mut jobs = Vec::new();
    for mut status in found {
        let tasks = if status.state.is_over() { Vec::new() } else { app.jobs.engine().list(&TaskFilter::of_job(&status.id)).await? };
        let clips = status.manifest.take().map(|manifest| manifest.clips.len());
        let clips = clips.or_else(|| status.state.is_over().then_some(0));
        hide(&mut status);
        jobs.push(JobSummary { progress: progress(status.state, &tasks), clips, stages: at_work(&tasks), status });
    }
    Ok(Json(JobList { jobs, next }))
}

/// A job in full.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct JobView {
    #[serde(flatten)]
    status: JobStatus,
    /// How much of the job's work is done, 0 to 1.
    progress: f64,
    /// Its tasks, by queue and state: `{"render": {"done": 2, "active": 1}}`.
    stages: BTreeMap<String, BTreeMap<TaskState, usize>>,
    /// The use of paid models so far.
    usage: Vec<Usage>,
}

/// Shows a job.
#[utoipa::path(
    get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "The job's id.")),
    responses(
        (status = 200, description = "The job.", body = inline(JobViewBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn show(State(app): State<App>, Names(id): Names<String>) -> Answer<Json<JobView>> {
    let id = job_id(&id)?;
    let mut status = app.jobs.get(&id).await?.ok_or_else(|| Problem::not_found("there is no such job").with_advice("list the jobs"))?;
    let tasks = app.jobs.engine().list(&TaskFilter::of_job(&id)).await?;
    let mut stages: BTreeMap<String, BTreeMap<TaskState, usize>> = BTreeMap::new();
    for task in &tasks {
        *stages.entry(task.queue.clone()).or_default().entry(task.state).or_insert(0) += 1;
    }
    hide(&mut status);
    let usage = status.manifest.as_ref().map(|manifest| manifest.usage.clone()).unwrap_or_default();
    Ok(Json(JobView { progress: progress(status.state, &tasks), stages, usage, status }))
}

/// Cancels a job, or removes one that has ended.
///
/// A job that has not ended is cancelled: its running tasks stop within a second. A job that has
/// ended is removed with its events if `remove` is set, else nothing changes. Published clips stay.
#[utoipa::path(
    delete, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "The job's id."), RemoveQuery),
    responses(
        (status = 200, description = "The job after it was cancelled.", body = inline(JobStatusBody)),
        (status = 204, description = "The job was removed."),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn cancel(State(app): State<App>, Names(id): Names<String>, Ask(query): Ask<RemoveQuery>) -> Answer<Response> {
    let id = job_id(&id)?;
    if query.remove {
        let removed = app.jobs.remove(&id).await.map_err(Problem::conflict)?;
        return if removed { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Problem::not_found("there is no such job")) };
    }
    app.jobs.cancel(&id).await?;
    current(&app, &id).await
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RemoveQuery {
    /// Whether a job that has ended is removed.
    remove: bool,
}

/// Runs the failed and cancelled tasks of a job again. What is stored is not made again.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path, description = "The job's id.")),
    responses(
        (status = 200, description = "The job.", body = inline(JobStatusBody)),
        (status = 409, description = "Nothing failed.", content_type = "application/problem+json", body = inline(ProblemBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn retry(State(app): State<App>, Names(id): Names<String>) -> Answer<Response> {
    let id = job_id(&id)?;
    if !app.jobs.retry(&id).await? {
        return Err(Problem::new(StatusCode::CONFLICT, ErrorKind::Config, "the job has no task that failed or was cancelled"));
    }
    current(&app, &id).await
}

async fn current(app: &App, id: &JobId) -> Answer<Response> {
    let mut status = app.jobs.get(id).await?.ok_or_else(|| Problem::not_found("there is no such job"))?;
    hide(&mut status);
    Ok(Json(status).into_response())
}

/// Leaves out what clients need not see: secrets in addresses, paths of this machine.
fn hide(status: &mut JobStatus) {
    status.uri = shown(&status.uri);
    hide_error(&mut status.error);
    if let Some(manifest) = &mut status.manifest {
        manifest.source.media.uri = shown(&manifest.source.media.uri);
        for clip in &mut manifest.failed {
            clip.error.path = None;
        }
    }
}

pub(super) fn hide_error(error: &mut Option<ErrorReport>) {
    if let Some(error) = error {
        error.path = None;
    }
}

/// An address without secrets, or the name of a file.
pub(super) fn shown(uri: &str) -> String {
    if uri.contains("://") {
        return shown_uri(uri);
    }
    uri.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// The queues that have an active task, in the order of a job.
fn at_work(tasks: &[Task]) -> Vec<String> {
    let is_active = |queue: &&str| tasks.iter().any(|task| task.queue == **queue && task.state == TaskState::Active);
    crate::jobs::Step::QUEUES.iter().filter(|queue| is_active(queue)).map(|queue| (*queue).to_owned()).collect()
}

/// How much of a job is done: the steps of the whole video count as one third, those of the clips
/// as the rest.
fn progress(state: JobState, tasks: &[Task]) -> f64 {
    if state == JobState::Done {
        return 1.0;
    }
    let over = |queues: &[&str]| tasks.iter().filter(|task| task.state.is_over() && queues.contains(&task.queue.as_str())).count();
    let whole = over(&["fetch", "transcribe", "score"]) as f64 / 3.0;
    let clips = tasks.iter().filter(|task| task.queue == "track").count();
    // Each clip is tracked, rendered, and published at least once.
    let targets = tasks.iter().filter(|task| task.queue == "publish").filter_map(|task| task.id.step().rank()).fold(
        BTreeMap::new(),
        |mut seen, rank| {
            *seen.entry(rank).or_insert(0usize) += 1;
            seen
        },
    );
    let each = 2 + targets.values().max().copied().unwrap_or(1);
    let parts = if clips == 0 { 0.0 } else { (over(&["track", "render", "publish"]) as f64 / (clips * each) as f64).min(1.0) };
    let done = whole / 3.0 + parts * 2.0 / 3.0;
    (done * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, state: &str) -> Task {
        let queue = id.split(':').nth(1).unwrap();
        let value = serde_json::json!({"id": id, "queue": queue, "user": "", "state": state, "attempts": 1, "starts": 1});
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn progress_grows_from_0_to_1() {
        let mut tasks = vec![task("a:fetch", "active")];
        let mut seen = vec![progress(JobState::Active, &tasks)];
        for step in
            ["a:fetch", "a:transcribe", "a:score", "a:track:1", "a:track:2", "a:render:1", "a:publish:1:0", "a:render:2", "a:publish:2:0"]
        {
            tasks.retain(|known| known.id.to_string() != step);
            if step == "a:track:1" {
                tasks.push(task("a:track:2", "waiting"));
            }
            tasks.push(task(step, "done"));
            seen.push(progress(JobState::Active, &tasks));
        }
        assert!(seen.is_sorted() && seen[0] == 0.0 && seen.last() == Some(&1.0), "{seen:?}");
        assert_eq!(at_work(&[task("a:render:1", "active"), task("a:fetch", "done")]), ["render"]);
    }

    #[test]
    fn paths_and_secrets_are_not_shown() {
        assert_eq!(shown("/home/ann/talk.mp4"), "talk.mp4");
        assert_eq!(shown("https://me:pw@host/talk.mp4?sig=x"), "https://host/talk.mp4");
        assert_eq!(shown("upload://0123/talk.mp4"), "upload://0123/talk.mp4");
    }
}
