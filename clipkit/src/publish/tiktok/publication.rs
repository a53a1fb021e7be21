//! One publication on TikTok: an upload in chunks that survives crashes.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use url::Url;

use super::api::{ask, may_take_videos, open as open_api};
use super::creator::{Creator, is_public};
use super::session::{Chunks, Session};
use super::status::{Standing, is_publish_id};
use super::upload::{Sent, invalid};
use super::{Account, TikTok};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{Post, PublishStatus, Receipt, WarningKind, moment};
use crate::publish::Publisher;
use crate::publish::api::Api;
use crate::publish::identity::Identity;
use crate::publish::journal::{Entry, Journal};
use crate::publish::limits::{ClipFacts, TIKTOK};
use crate::publish::opening::{self, Opened, Opening};
use crate::publish::refusal::{Refusal, Server, judge};
use crate::publish::schedule::wait_for_time;

/// The waits between two questions about the processing: the first, and the longest. TikTok accepts
/// 30 questions a minute.
const POLL: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// How long an attempt waits for the processing.
const PATIENCE: Duration = Duration::from_secs(180);
/// The wait before the next attempt asks again.
const COME_BACK: Duration = Duration::from_secs(60);
/// How long TikTok may work on a clip before a person has to look.
const LONGEST_PROCESSING: Duration = Duration::from_secs(24 * 3600);
/// How often a post for everybody is asked for its id after it is complete.
const ID_QUESTIONS: u32 = 3;
/// How many attempts ask about the last chunk before an upload begins anew that TikTok closed.
const LOOKUPS: u32 = 2;
/// How many uploads one attempt may begin.
const STARTS: u32 = 2;

pub(super) async fn publish(cx: &Context, to: &TikTok, account: Account, post: &Post) -> Result<Receipt> {
    let opening = match opening::open(cx, &to.target(), post, TIKTOK).await? {
        Opened::Done(receipt) => return Ok(*receipt),
        Opened::Open(opening) => *opening,
    };
    let Opening { key, journal, known, file, facts } = opening;
    let session = match known {
        Some(Entry::Unknown { session: Some(session), .. } | Entry::Begun { session: Some(session), .. }) => Some(session),
        Some(Entry::Unknown { reason, .. }) => return Err(unknown(&reason, post)),
        _ => None,
    };
    if session.is_none() {
        wait_for_time(cx, to.schedule.as_ref(), &to.target(), post, &key).await?;
    }
    let publication = Publication { api: open_api(cx, to, account)?, to, post, journal, file, facts };
    let receipt = match session {
        Some(session) => publication.resumed(session).await?,
        None => publication.fresh(1).await?,
    };
    Ok(publication.journal.finish(cx, receipt).await)
}

pub(super) struct Publication<'a> {
    pub(super) api: Api<'a>,
    to: &'a TikTok,
    pub(super) post: &'a Post,
    journal: Journal,
    file: Identity,
    facts: ClipFacts,
}

impl Publication<'_> {
    pub(super) fn cx(&self) -> &Context {
        self.api.cx
    }

    pub(super) async fn note(&self, session: &Session) -> Result<()> {
        self.journal.write(&Entry::begun(serde_json::to_value(session).ok())).await
    }

    /// Starts an upload and sends all.
    async fn fresh(&self, start: u32) -> Result<Receipt> {
        let session = self.started().await?;
        match self.send(session, 0).await? {
            Sent::All(session) => self.settled(session).await,
            Sent::Closed(session, error) => self.closed(session, error, start).await,
        }
    }

    /// Asks what the account offers, and starts an upload. It is noted before the first byte.
    async fn started(&self) -> Result<Session> {
        let chunks = Chunks::new(self.file.bytes, self.to.chunk_size);
        let source = json!({
            "source": "FILE_UPLOAD", "video_size": chunks.total, "chunk_size": chunks.size, "total_chunk_count": chunks.count(),
        });
        let (path, body, user) = if self.to.inbox {
            ("/v2/post/publish/inbox/video/init/", json!({"source_info": source}), None)
        } else {
            let creator = Creator::of(&ask(&self.api, "/v2/post/publish/creator_info/query/", &json!({})).await?)?;
            let (info, warnings) = creator.post_info(self.to, self.post, &self.facts)?;
            for warning in warnings {
                self.cx().warn_of(WarningKind::Publish, warning);
            }
            ("/v2/post/publish/video/init/", json!({"post_info": info, "source_info": source}), creator.user)
        };
        self.journal.write(&Entry::begun(None)).await?;
        let data = ask(&self.api, path, &body).await?;
        let publish_id = data["publish_id"].as_str().filter(|id| is_publish_id(id));
        let upload_url = data["upload_url"].as_str().and_then(|url| Url::parse(url).ok()).filter(|url| may_take_videos(&self.api, url));
        let (Some(publish_id), Some(upload_url)) = (publish_id, upload_url) else {
            return Err(invalid("it names no upload of its own"));
        };
        let session = Session {
            publish_id: publish_id.to_owned(),
            upload_url: upload_url.into(),
            file: self.file.clone(),
            chunks,
            user,
            finishing: None,
            lookups: 0,
        };
        self.note(&session).await?;
        Ok(session)
    }

    /// Goes on with an upload of an earlier attempt.
    async fn resumed(&self, noted: Value) -> Result<Receipt> {
        let Ok(session) = serde_json::from_value::<Session>(noted) else {
            return self.parked(None, "what was noted about the upload cannot be read").await;
        };
        match self.standing(&session).await? {
            Standing::Uploading(bytes) if session.file == self.file => {
                let from = session.chunks.next(bytes.unwrap_or(0));
                match self.send(session, from).await? {
                    Sent::All(session) => self.settled(session).await,
                    Sent::Closed(session, error) => self.closed(session, error, 1).await,
                }
            }
            // Other bytes cannot follow. An upload that is not whole is never posted.
            Standing::Uploading(_) if session.finishing.is_none() => self.fresh(1).await,
            Standing::Uploading(_) => self.closed(session, invalid("it has not all of the earlier file"), 1).await,
            Standing::Unknown if session.finishing.is_none() => self.fresh(1).await,
            Standing::Failed(_) if session.file != self.file => self.fresh(1).await,
            _ => self.settled(session).await,
        }
    }

    /// What follows when TikTok takes no more of an upload.
    async fn closed(&self, mut session: Session, error: Error, start: u32) -> Result<Receipt> {
        let may_start = start < STARTS;
        if session.finishing.is_none() {
            return if may_start { Box::pin(self.fresh(start + 1)).await } else { Err(error) };
        }
        match self.standing(&session).await? {
            // Its answer may lag behind, so the next attempt asks once more.
            Standing::Uploading(Some(bytes)) if bytes < session.chunks.total && may_start => {
                session.lookups += 1;
                if session.lookups >= LOOKUPS {
                    return Box::pin(self.fresh(start + 1)).await;
                }
                self.note(&session).await?;
                Err(later("TikTok does not say yet whether it has the whole clip"))
            }
            _ => self.settled(session).await,
        }
    }

    /// Waits until TikTok has processed an upload that it has, or may have.
    async fn settled(&self, session: Session) -> Result<Receipt> {
        let (begun, mut pause, mut questions) = (std::time::Instant::now(), POLL.0, 0);
        loop {
            match self.standing(&session).await? {
                Standing::Posted(id) => {
                    let is_public = !self.to.inbox && is_public(self.to, self.post);
                    questions += 1;
                    if id.is_some() || !is_public || questions > ID_QUESTIONS {
                        return Ok(self.receipt(&session, id, is_public));
                    }
                }
                Standing::Draft => {
                    let mut receipt = self.receipt(&session, None, false);
                    receipt.status = PublishStatus::Draft;
                    return Ok(receipt);
                }
                Standing::Failed(reason) => {
                    self.journal.write(&Entry::begun(None)).await?;
                    return Err(judge(Server::TikTok, &Refusal { status: 400, reason: &reason, after: None }, SystemTime::now()));
                }
                Standing::Unknown => return self.parked(Some(&session), "TikTok does not know the upload any more").await,
                Standing::Uploading(_) | Standing::Processing => {}
            }
            let since = session.finishing.and_then(|at| at.elapsed().ok()).unwrap_or_default();
            if since > LONGEST_PROCESSING {
                return self.parked(Some(&session), "TikTok has worked on the clip for more than a day").await;
            }
            if begun.elapsed() > PATIENCE {
                return Err(later("TikTok still works on the clip"));
            }
            self.cx().progress(0.95);
            self.cx().sleep(pause).await?;
            pause = (pause * 2).min(POLL.1);
        }
    }

    fn receipt(&self, session: &Session, post: Option<String>, is_public: bool) -> Receipt {
        let mut receipt = Receipt::new("tiktok", post.as_ref().unwrap_or(&session.publish_id));
        receipt.account = Some(self.to.account.clone());
        // What everybody can see is reviewed first.
        receipt.status = if is_public && post.is_none() { PublishStatus::Processing } else { PublishStatus::Published };
        receipt.url = session.user.as_ref().zip(post).map(|(user, post)| format!("https://www.tiktok.com/@{user}/video/{post}"));
        receipt.published_at = Some(moment::now());
        receipt
    }

    /// Ends the publication with an outcome that nobody knows. Later attempts ask, and do not
    /// upload.
    async fn parked(&self, session: Option<&Session>, reason: &str) -> Result<Receipt> {
        let session = session.and_then(|session| serde_json::to_value(session).ok());
        self.journal.write(&Entry::unknown(reason, session)).await?;
        Err(unknown(reason, self.post))
    }
}

fn unknown(reason: &str, post: &Post) -> Error {
    Error::new(ErrorKind::Contract, format!("it is unknown whether the clip is on TikTok: {reason}"))
        .with_advice(format!("check by hand: look for {:?} in the account's posts", post.title))
}

fn later(what: &str) -> Error {
    Error::new(ErrorKind::Network, what)
        .with_recovery(Recovery::Retry { after: Some(COME_BACK) })
        .with_advice("publish again to ask: it is not uploaded again")
}
