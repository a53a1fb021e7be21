//! One publication on YouTube: a resumable upload that survives crashes.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use url::Url;

use super::api::{may_hold_sessions, open as open_api};
use super::resource::{self, is_id, next_byte};
use super::session::Session;
use super::{YouTube, extras, lookup};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{Post, Receipt, WarningKind};
use crate::publish::api::{Answer, Api};
use crate::publish::identity::Identity;
use crate::publish::journal::{Entry, Journal};
use crate::publish::limits::{SHORTS, YOUTUBE};
use crate::publish::opening::{self, Opened, Opening};
use crate::publish::refusal::{Refusal, Server, judge};
use crate::publish::request::is_passing;
use crate::publish::schedule::reserve;
use crate::publish::{Account, Publisher};

/// The wait before a broken upload goes on; it doubles with each attempt without progress.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_IDLE_ATTEMPTS: u32 = 4;
/// How often a video that may exist is looked for, and the wait between: YouTube lists new videos
/// late.
const LOOKUPS: u32 = 4;
const LOOKUP_WAIT: Duration = Duration::from_secs(600);

pub(super) async fn publish(cx: &Context, to: &YouTube, account: Account, post: &Post) -> Result<Receipt> {
    let limits = if to.shorts { SHORTS } else { YOUTUBE };
    let opening = match opening::open(cx, &to.target(), post, limits).await? {
        Opened::Done(receipt) => return Ok(*receipt),
        Opened::Open(opening) => *opening,
    };
    let Opening { key, journal, known, file, .. } = opening;
    let post = &scheduled(cx, to, post, &key).await?;
    let upload = Upload { api: open_api(cx, to, account)?, to, post, journal, file, marker: resource::marker(&key) };
    let session = match known {
        Some(Entry::Unknown { reason, .. }) => upload.looked_up(&reason).await?,
        Some(Entry::Begun { session: Some(session), .. }) => upload.resumed(session).await?,
        _ => upload.fresh().await?,
    };
    let Some(id) = session.video else { return Err(Error::new(ErrorKind::Contract, "the upload ended without a video")) };
    extras::add(&upload.api, to, post, &id).await?;
    let receipt = resource::receipt(to, post, &id, SystemTime::now());
    Ok(upload.journal.finish(cx, receipt).await)
}

/// The post with the time that the schedule gives it, if it has none.
async fn scheduled(cx: &Context, to: &YouTube, post: &Post, key: &str) -> Result<Post> {
    let mut post = post.clone();
    if let (None, Some(schedule)) = (post.publish_at, &to.schedule) {
        post.publish_at = Some(reserve(cx, schedule, &to.target(), key).await?);
    }
    Ok(post)
}

struct Upload<'a> {
    api: Api<'a>,
    to: &'a YouTube,
    post: &'a Post,
    journal: Journal,
    file: Identity,
    marker: String,
}

/// Where a session stands.
enum Standing {
    /// YouTube has the bytes before this one.
    At(u64),
    Complete(Value),
    /// YouTube does not know the session any more.
    Gone,
}

impl Upload<'_> {
    fn cx(&self) -> &Context {
        self.api.cx
    }

    async fn note(&self, session: &Session) -> Result<()> {
        self.journal.write(&Entry::begun(serde_json::to_value(session).ok())).await
    }

    /// Starts a session and uploads all.
    async fn fresh(&self) -> Result<Session> {
        let (body, warnings) = resource::video(self.to, self.post, &self.marker, SystemTime::now());
        for warning in warnings {
            self.cx().warn_of(WarningKind::Publish, warning);
        }
        let notify = if self.to.notify { "true" } else { "false" };
        let query = [("uploadType", "resumable"), ("part", "snippet,status"), ("notifySubscribers", notify)];
        let url = self.api.url("/upload/youtube/v3/videos", &query);
        let text = body.to_string();
        let started = self.api.send(|client| {
            let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json; charset=UTF-8").body(text.clone());
            request.header("X-Upload-Content-Length", self.file.bytes).header("X-Upload-Content-Type", "video/mp4")
        });
        let answer = started.await?;
        if !answer.is_success() {
            return Err(answer.refusal());
        }
        let uri = answer.header("location").and_then(|uri| Url::parse(uri).ok()).filter(|uri| may_hold_sessions(&self.api, uri));
        let uri = uri.ok_or_else(|| invalid("it names no session of its own"))?;
        let session = Session { uri: uri.into(), file: self.file.clone(), finishing: false, lookups: 0, video: None };
        self.note(&session).await?;
        self.send(session, 0).await
    }

    /// Goes on with a session of an earlier attempt.
    async fn resumed(&self, noted: Value) -> Result<Session> {
        let Ok(session) = serde_json::from_value::<Session>(noted) else {
            return self.looked_up("what was noted about the upload cannot be read").await;
        };
        if session.video.is_some() {
            return Ok(session);
        }
        match self.standing(&session).await? {
            Standing::Complete(video) => self.completed(session, &video).await,
            Standing::At(next) if session.file == self.file => self.send(session, next).await,
            // Other bytes cannot follow. The session is not complete, so there is no video.
            Standing::At(_) => {
                let _ = self.api.send(|client| client.delete(&session.uri).header(CONTENT_LENGTH, 0)).await;
                self.fresh().await
            }
            Standing::Gone => self.gone(session).await,
        }
    }

    /// Asks where a session stands.
    async fn standing(&self, session: &Session) -> Result<Standing> {
        let range = format!("bytes */{}", session.file.bytes);
        let asked = self.api.send(|client| client.put(&session.uri).header(CONTENT_LENGTH, 0).header(CONTENT_RANGE, &range));
        read_standing(asked.await?, session.file.bytes)
    }

    /// Sends the file from a byte on.
    async fn send(&self, mut session: Session, from: u64) -> Result<Session> {
        let path = &self.post.files.video;
        let unreadable = |error| Error::io(path, "read the file", error);
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let total = self.file.bytes;
        let (mut next, mut idle) = (from, 0);
        loop {
            let end = total.min(next + self.to.chunk_size);
            let mut chunk = vec![0; usize::try_from(end - next).unwrap_or(usize::MAX)];
            file.seek(std::io::SeekFrom::Start(next)).await.map_err(unreadable)?;
            file.read_exact(&mut chunk).await.map_err(unreadable)?;
            if end == total && !session.finishing {
                // From now on, the video may exist even if no answer arrives.
                session.finishing = true;
                self.note(&session).await?;
            }
            let range = format!("bytes {next}-{}/{total}", end - 1);
            let sent = self.api.send(|client| {
                let request = client.put(&session.uri).header(CONTENT_LENGTH, chunk.len()).header(CONTENT_RANGE, &range);
                request.header(CONTENT_TYPE, "video/mp4").body(chunk.clone())
            });
            let standing = match sent.await.and_then(|answer| read_standing(answer, total)) {
                Err(error) if is_passing(&error) => {
                    idle += 1;
                    if idle >= MAX_IDLE_ATTEMPTS {
                        return Err(error.with_advice("what has arrived is kept: publish again to continue"));
                    }
                    let pause = FIRST_PAUSE * 2_u32.pow(idle);
                    self.cx().waiting(pause, format!("{error}; the upload goes on"));
                    self.cx().sleep(pause).await?;
                    match self.standing(&session).await {
                        Err(error) if is_passing(&error) => continue,
                        standing => standing?,
                    }
                }
                standing => standing?,
            };
            match standing {
                Standing::Complete(video) => return self.completed(session, &video).await,
                Standing::Gone => return self.gone(session).await,
                Standing::At(at) if at > end || at >= total => return Err(invalid("it has more of the file than was sent")),
                Standing::At(at) => {
                    idle = if at > next { 0 } else { idle + 1 };
                    if idle >= MAX_IDLE_ATTEMPTS {
                        return Err(invalid("it takes no more of the file"));
                    }
                    next = at;
                    self.cx().progress(next as f64 / total as f64 * 0.98);
                }
            }
        }
    }

    /// The session of a complete upload, with the video's id, which is noted.
    async fn completed(&self, mut session: Session, video: &Value) -> Result<Session> {
        let status = &video["status"];
        if let Some("failed" | "rejected") = status["uploadStatus"].as_str() {
            let reason = status["failureReason"].as_str().or(status["rejectionReason"].as_str()).unwrap_or("invalidFile");
            self.journal.write(&Entry::begun(None)).await?;
            return Err(judge(Server::YouTube, &Refusal { status: 400, reason, after: None }, SystemTime::now()));
        }
        let id = video["id"].as_str().filter(|id| is_id(id)).ok_or_else(|| invalid("the video has no id"))?;
        session.video = Some(id.to_owned());
        self.note(&session).await?;
        let asked_public =
            self.post.privacy == crate::model::Privacy::Public && resource::scheduled(self.post, SystemTime::now()).is_none();
        if asked_public && status["privacyStatus"] == "private" {
            let message = "YouTube keeps the clip private: it does so for projects that Google has not audited";
            self.cx().warn_of(WarningKind::Publish, message);
        }
        Ok(session)
    }

    /// What follows when YouTube does not know the session any more.
    async fn gone(&self, mut session: Session) -> Result<Session> {
        if !session.finishing {
            return Box::pin(self.fresh()).await;
        }
        match lookup::by_tag(&self.api, &self.marker).await {
            Ok(Some(id)) => {
                session.video = Some(id);
                self.note(&session).await?;
                Ok(session)
            }
            Ok(None) => {
                session.lookups += 1;
                if session.lookups >= LOOKUPS {
                    return self.parked("YouTube does not know the upload any more, and the video is not among the channel's latest").await;
                }
                self.note(&session).await?;
                Err(Error::new(
                    ErrorKind::Network,
                    "YouTube does not say whether the upload was completed, and does not list the video yet",
                )
                .with_recovery(Recovery::Retry { after: Some(LOOKUP_WAIT) }))
            }
            Err(error) if *error.recovery() == Recovery::GiveUp && !error.is_cancelled() => self.parked(&error.to_string()).await,
            Err(error) => Err(error),
        }
    }

    /// Looks once more for a video of which nobody knows whether it exists.
    async fn looked_up(&self, reason: &str) -> Result<Session> {
        match lookup::by_tag(&self.api, &self.marker).await {
            Ok(Some(id)) => {
                let session = Session { uri: String::new(), file: self.file.clone(), finishing: true, lookups: 0, video: Some(id) };
                self.note(&session).await?;
                Ok(session)
            }
            Err(error) if *error.recovery() != Recovery::GiveUp || error.is_cancelled() => Err(error),
            _ => self.parked(reason).await,
        }
    }

    /// Ends the publication with an outcome that nobody knows. It is not tried again.
    async fn parked<T>(&self, reason: &str) -> Result<T> {
        self.journal.write(&Entry::unknown(reason, None)).await?;
        Err(Error::new(ErrorKind::Contract, format!("it is unknown whether the clip is on YouTube: {reason}"))
            .with_advice(format!("check by hand: look for a video with the tag {} in YouTube Studio", self.marker)))
    }
}

/// What an answer to a chunk or a question says.
fn read_standing(answer: Answer, total: u64) -> Result<Standing> {
    match answer.status {
        200 | 201 => Ok(Standing::Complete(answer.json)),
        308 => match next_byte(answer.header("range")) {
            Some(next) if next <= total => Ok(Standing::At(next)),
            _ => Err(invalid("it does not say which bytes it has")),
        },
        404 | 410 => Ok(Standing::Gone),
        _ => Err(answer.refusal()),
    }
}

fn invalid(what: &str) -> Error {
    Server::YouTube.invalid(what)
}
