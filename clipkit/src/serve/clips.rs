//! The routes of a job's clips: what is known of them, their files, and edits.

use std::path::PathBuf;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::admit::admit_edits;
use super::files::{file, text};
use super::jobs::hide_error;
use super::openapi::{ClipLinkBody, ClipListBody, ClipPlanBody, ClipViewBody, EditRequestBody, EditedBody, ProblemBody};
use super::problem::{Answer, Problem};
use super::request::{Ask, Doc, Names, job_id, rank};
use super::state::App;
use crate::error::{Error, ErrorKind};
use crate::jobs::{ClipLink, JobClip, Task};
use crate::model::{ClipPlan, Receipt, Score, Span};
use crate::plan::edit::{EditOp, Edited};
use crate::plan::export::{self, ExportFormat};
use crate::render::{contact_sheet, with_lengths};

const OPERATIONS: usize = 200;

/// The clips of a job.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ClipList {
    clips: Vec<ClipView>,
}

/// How far a clip has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClipState {
    /// It waits for a worker, or one works on it.
    Working,
    /// It is rendered and published.
    Ready,
    /// A step failed, or was cancelled.
    Failed,
}

/// A clip of a job.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ClipView {
    /// The rank, from 1.
    rank: usize,
    state: ClipState,
    /// The title.
    title: String,
    /// Why the span was chosen.
    reason: String,
    /// A line for the first seconds or for the text of a post.
    #[serde(skip_serializing_if = "Option::is_none")]
    hook_line: Option<String>,
    /// The quality of the span.
    score: Score,
    /// The span on the source's timeline, in seconds.
    span: Span,
    /// The clip's duration, in seconds, without intro and outro.
    duration: f64,
    /// The time in the clip's file at which the clip itself starts, in seconds: the duration of its
    /// intro, as far as that is known. Times of captions are counted from there.
    clip_start: f64,
    /// The width and height in pixels, once the clip is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<(u32, u32)>,
    /// The captions, once the clip is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    captions: Option<Vec<CaptionCue>>,
    /// The publications.
    receipts: Vec<Receipt>,
    /// The tasks of the clip.
    tasks: Vec<Task>,
    /// The addresses of the clip's files.
    links: Links,
}

/// A caption and its time on the clip's timeline, in seconds.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CaptionCue {
    start: f64,
    end: f64,
    /// The number of its first word in the clip, from 0, for
    /// [`EditOp::CorrectCaption`].
    first_word: usize,
    words: Vec<String>,
}

/// The addresses of a clip's files. `null` means that there is no such file yet.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Links {
    video: Option<String>,
    cover: Option<String>,
    captions: Option<String>,
    plan: Option<String>,
    sheet: Option<String>,
}

impl ClipView {
    fn of(job: &str, clip: JobClip) -> Self {
        let state = if clip.tasks.iter().any(|task| matches!(task.state, crate::jobs::TaskState::Dead | crate::jobs::TaskState::Cancelled))
        {
            ClipState::Failed
        } else if clip.is_over() && !clip.receipts.is_empty() {
            ClipState::Ready
        } else {
            ClipState::Working
        };
        let JobClip { rank, candidate, plan, receipts, mut tasks, video, cover } = clip;
        for task in &mut tasks {
            hide_error(&mut task.error);
        }
        let link = |there: bool, name: &str| there.then(|| format!("/v1/jobs/{job}/clips/{rank}/{name}"));
        let has_captions = plan.as_ref().is_some_and(|plan| plan.captions.is_some());
        let links = Links {
            video: link(video.is_some(), "video"),
            cover: link(cover.is_some(), "cover"),
            captions: link(has_captions, "captions"),
            plan: link(plan.is_some(), "plan"),
            sheet: link(plan.is_some(), "sheet"),
        };
        let captions = plan.as_ref().and_then(|plan| plan.captions.as_ref()).map(|track| {
            let mut first = 0;
            let cue = |cue: &crate::model::Cue| {
                let words: Vec<String> = cue.words.iter().map(|word| word.text.clone()).collect();
                let made = CaptionCue { start: cue.span.start().secs(), end: cue.span.end().secs(), first_word: first, words };
                first += cue.words.len();
                made
            };
            track.cues.iter().map(cue).collect()
        });
        let duration = plan.as_ref().map_or(candidate.span.duration().as_secs_f64(), |plan| plan.timeline().end().secs());
        let clip_start = plan.as_ref().and_then(|plan| plan.parts().ok()).map_or(0.0, |parts| parts.clip_start().secs());
        let (title, reason, hook_line) = match &plan {
            Some(plan) => (plan.title.clone(), plan.reason.clone(), plan.hook_line.clone()),
            None => (candidate.title.clone(), candidate.reason.clone(), candidate.hook_line.clone()),
        };
        let (span, score) = plan.as_ref().map_or((candidate.span, candidate.score), |plan| (plan.span, plan.score));
        let size = plan.as_ref().map(|plan| (plan.output.width, plan.output.height));
        ClipView { rank, state, title, reason, hook_line, score, span, duration, clip_start, size, captions, receipts, tasks, links }
    }
}

/// Lists the clips of a job, the best first. Empty before the spans are chosen.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/clips", tag = "clips", params(("id" = String, Path, description = "The job's id.")),
    responses(
        (status = 200, description = "The clips.", body = inline(ClipListBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn list(State(app): State<App>, Names(id): Names<String>) -> Answer<Json<ClipList>> {
    let id = job_id(&id)?;
    let clips = app.jobs.clips(&id).await?;
    Ok(Json(ClipList { clips: clips.into_iter().map(|clip| ClipView::of(id.as_str(), clip)).collect() }))
}

/// Shows a clip.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/clips/{clip}", tag = "clips",
    params(("id" = String, Path, description = "The job's id."), ("clip" = usize, Path, description = "The clip's rank, from 1.")),
    responses(
        (status = 200, description = "The clip.", body = inline(ClipViewBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn show(State(app): State<App>, Names((id, clip)): Names<(String, String)>) -> Answer<Json<ClipView>> {
    let id = job_id(&id)?;
    let clip = app.jobs.clip(&id, rank(&clip)?).await?;
    Ok(Json(ClipView::of(id.as_str(), clip)))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FileQuery {
    /// Whether a browser saves the file instead of showing it.
    download: bool,
    /// Not looked at: another value gets past a cache.
    v: Option<String>,
}

/// The clip's video: MP4, with byte ranges.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/clips/{clip}/video", tag = "clips",
    params(("id" = String, Path, description = "The job's id."), ("clip" = usize, Path, description = "The clip's rank, from 1."), FileQuery),
    responses(
        (status = 200, description = "The file.", content_type = "video/mp4"),
        (status = 206, description = "A part of the file.", content_type = "video/mp4"),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn video(
    State(app): State<App>,
    Names((id, clip)): Names<(String, String)>,
    Ask(query): Ask<FileQuery>,
    request: Request,
) -> Answer<Response> {
    let (path, name) = published(&app, &id, &clip, |clip| clip.video.clone()).await?;
    file(request, &path, "video/mp4", &name, query.download).await
}

/// The clip's cover: JPEG.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/clips/{clip}/cover", tag = "clips",
    params(("id" = String, Path, description = "The job's id."), ("clip" = usize, Path, description = "The clip's rank, from 1."), FileQuery),
    responses(
        (status = 200, description = "The file.", content_type = "image/jpeg"),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn cover(
    State(app): State<App>,
    Names((id, clip)): Names<(String, String)>,
    Ask(query): Ask<FileQuery>,
    request: Request,
) -> Answer<Response> {
    let (path, name) = published(&app, &id, &clip, |clip| clip.cover.clone()).await?;
    file(request, &path, "image/jpeg", &name, query.download).await
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LinkQuery {
    /// How long the link works, in seconds, at most as long as the job's publisher says (`link`).
    valid: Option<u32>,
}

/// Signs a link to the clip in the object store that the job publishes to, so that the file passes
/// through no API server. The publisher must have `link`.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/clips/{clip}/link", tag = "clips",
    params(("id" = String, Path, description = "The job's id."), ("clip" = usize, Path, description = "The clip's rank, from 1."), LinkQuery),
    responses(
        (status = 200, description = "The link.", body = inline(ClipLinkBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn link(
    State(app): State<App>,
    Names((id, clip)): Names<(String, String)>,
    Ask(query): Ask<LinkQuery>,
) -> Answer<Json<ClipLink>> {
    let valid = query.valid.map(|secs| Duration::from_secs(u64::from(secs)));
    Ok(Json(app.jobs.link(&app.options.cx, &job_id(&id)?, rank(&clip)?, valid).await?))
}

/// The path of a published file, and its name.
async fn published(app: &App, id: &str, clip: &str, of: impl Fn(&JobClip) -> Option<PathBuf>) -> Answer<(PathBuf, String)> {
    let clip = app.jobs.clip(&job_id(id)?, rank(clip)?).await?;
    let path = of(&clip).ok_or_else(|| Problem::not_found("this file is not published").with_advice("wait until the clip is ready"))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((path, name))
}

/// The clip's captions: SRT.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/clips/{clip}/captions", tag = "clips",
    params(("id" = String, Path, description = "The job's id."), ("clip" = usize, Path, description = "The clip's rank, from 1."), FileQuery),
    responses(
        (status = 200, description = "The captions.", content_type = "application/x-subrip"),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn captions(
    State(app): State<App>,
    Names((id, clip)): Names<(String, String)>,
    Ask(query): Ask<FileQuery>,
) -> Answer<Response> {
    let clip = app.jobs.clip(&job_id(&id)?, rank(&clip)?).await?;
    let captions = match &clip.plan {
        Some(plan) if plan.captions.is_some() => {
            let plan = with_lengths(&app.uploads.context(), plan).await?;
            export::captions(&[&plan], ExportFormat::Srt)?
        }
        _ => None,
    };
    let captions = captions.ok_or_else(|| Problem::not_found("this clip has no captions"))?;
    Ok(text(captions, "application/x-subrip; charset=utf-8", &format!("{id}-{}.srt", clip.rank), query.download))
}

/// The clip's plan: everything that the renderer needs. Its format is that of `ClipPlan`.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/clips/{clip}/plan", tag = "clips",
    params(("id" = String, Path, description = "The job's id."), ("clip" = usize, Path, description = "The clip's rank, from 1."), FileQuery),
    responses(
        (status = 200, description = "The plan.", content_type = "application/json", body = inline(ClipPlanBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn plan(
    State(app): State<App>,
    Names((id, clip)): Names<(String, String)>,
    Ask(query): Ask<FileQuery>,
) -> Answer<Response> {
    let clip = app.jobs.clip(&job_id(&id)?, rank(&clip)?).await?;
    let mut plan = clip.plan.ok_or_else(|| Problem::not_found("this clip is not planned yet"))?;
    hide_paths(&mut plan);
    Ok(text(plan.to_json()?, "application/json", &format!("{id}-{}.plan.json", clip.rank), query.download))
}

/// Leaves only the names of files in a plan.
fn hide_paths(plan: &mut ClipPlan) {
    plan.source.media.uri = super::jobs::shown(&plan.source.media.uri);
    for file in plan.files_mut() {
        *file = super::jobs::shown(file);
    }
}

/// The contact sheet of the clip's framing: source frames with crop windows and faces, as JPEG. The
/// source must be on the machine of the service.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/clips/{clip}/sheet", tag = "clips",
    params(("id" = String, Path, description = "The job's id."), ("clip" = usize, Path, description = "The clip's rank, from 1."), FileQuery),
    responses(
        (status = 200, description = "The picture.", content_type = "image/jpeg"),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn sheet(
    State(app): State<App>,
    Names((id, clip)): Names<(String, String)>,
    Ask(query): Ask<FileQuery>,
    request: Request,
) -> Answer<Response> {
    let id = job_id(&id)?;
    let clip = app.jobs.clip(&id, rank(&clip)?).await?;
    let plan = clip.plan.ok_or_else(|| Problem::not_found("this clip is not planned yet"))?;
    let folder = app.jobs.sheets();
    let path = folder.join(format!("{}.jpg", plan.id()));
    if !path.is_file() {
        let _turn = app.sheets.acquire().await.map_err(|_| Error::cancelled())?;
        if !path.is_file() {
            std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, "make the folder", error))?;
            contact_sheet(&app.uploads.context(), &plan, &path).await?;
        }
    }
    file(request, &path, "image/jpeg", &format!("{id}-{}.jpg", clip.rank), query.download).await
}

/// Changes of a clip's plan.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditRequest {
    /// The operations, in order: those of `clipkit edit`.
    ops: Vec<EditOp>,
    /// Whether only to answer what would change.
    #[serde(default)]
    dry_run: bool,
}

/// Changes a clip's plan and renders the clip again.
///
/// The clip is rendered and published again by the job, which must have ended. The answer is the
/// changed plan, and what changed.
#[utoipa::path(
    patch, path = "/v1/jobs/{id}/clips/{clip}/plan", tag = "clips",
    params(("id" = String, Path, description = "The job's id."), ("clip" = usize, Path, description = "The clip's rank, from 1.")),
    request_body(content = inline(EditRequestBody), content_type = "application/json"),
    responses(
        (status = 200, description = "What would change (`dry_run`).", body = inline(EditedBody)),
        (status = 202, description = "What changed; the clip is rendered again.", body = inline(EditedBody)),
        (status = 409, description = "The job has not ended.", content_type = "application/problem+json", body = inline(ProblemBody)),
        (status = "default", description = "A problem.", content_type = "application/problem+json", body = inline(ProblemBody)),
    )
)]
pub(super) async fn edit(
    State(app): State<App>,
    Names((id, clip)): Names<(String, String)>,
    Doc(EditRequest { mut ops, dry_run }): Doc<EditRequest>,
) -> Answer<Response> {
    let (id, rank) = (job_id(&id)?, rank(&clip)?);
    if ops.is_empty() || ops.len() > OPERATIONS {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::InvalidInput,
            format!("there are {} operations: give 1 to {OPERATIONS}", ops.len()),
        ));
    }
    admit_edits(&app.options, &mut ops)?;
    let (status, mut edited): (StatusCode, Edited) = if dry_run {
        (StatusCode::OK, app.jobs.preview_edit(&id, rank, &ops).await?)
    } else {
        (StatusCode::ACCEPTED, app.jobs.edit_clip(&id, rank, &ops).await.map_err(Problem::conflict)?)
    };
    hide_paths(&mut edited.plan);
    Ok((status, Json(edited)).into_response())
}
