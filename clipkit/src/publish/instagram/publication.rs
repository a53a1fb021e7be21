//! One publication on Instagram: a container that is filled, then published, and survives crashes.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::api::{asked, id, is_id, open as open_api, told, upload_address};
use super::reel;
use super::session::Session;
use super::status::{self, Standing, permalink, post_of};
use super::{Account, Instagram};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{Post, Receipt, WarningKind, moment};
use crate::publish::Publisher;
use crate::publish::api::{Answer, Api};
use crate::publish::identity::Identity;
use crate::publish::journal::{Entry, Journal};
use crate::publish::limits::REELS;
use crate::publish::opening::{self, Opened, Opening};
use crate::publish::refusal::{Refusal, Server, judge};
use crate::publish::schedule::wait_for_time;

/// The waits between two questions about the processing: the first, and the longest.
const POLL: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));
/// How long an attempt waits for the processing. Meta advises five minutes.
const PATIENCE: Duration = Duration::from_secs(300);
/// The wait before the next attempt asks again.
const COME_BACK: Duration = Duration::from_secs(60);
/// The wait when the account may publish no more: posts of 24 hours count, so room comes by and by.
const QUOTA_WAIT: Duration = Duration::from_secs(3600);
/// How often a post that may exist is looked for.
const LOOKUPS: u32 = 4;
/// How many containers one attempt may make.
const STARTS: u32 = 2;

pub(super) async fn publish(cx: &Context, to: &Instagram, account: Account, post: &Post) -> Result<Receipt> {
    let opening = match opening::open(cx, &to.target(), post, REELS).await? {
        Opened::Done(receipt) => return Ok(*receipt),
        Opened::Open(opening) => *opening,
    };
    let Opening { key, journal, known, file, .. } = opening;
    let session = match known {
        Some(Entry::Unknown { session: Some(session), .. } | Entry::Begun { session: Some(session), .. }) => Some(session),
        Some(Entry::Unknown { reason, .. }) => return Err(unknown(&reason)),
        _ => None,
    };
    if session.is_none() {
        wait_for_time(cx, to.schedule.as_ref(), &to.target(), post, &key).await?;
    }
    let publication = Publication { api: open_api(cx, to, account)?, to, post, journal, file };
    let receipt = match session {
        Some(session) => publication.resumed(session).await?,
        None => publication.fresh(1).await?,
    };
    Ok(publication.journal.finish(cx, receipt).await)
}

pub(super) struct Publication<'a> {
    pub(super) api: Api<'a>,
    to: &'a Instagram,
    pub(super) post: &'a Post,
    journal: Journal,
    file: Identity,
}

impl Publication<'_> {
    pub(super) fn cx(&self) -> &Context {
        self.api.cx
    }

    pub(super) async fn note(&self, session: &Session) -> Result<()> {
        self.journal.write(&Entry::begun(serde_json::to_value(session).ok())).await
    }

    /// Makes a container, fills and publishes it.
    async fn fresh(&self, start: u32) -> Result<Receipt> {
        let session = self.send(self.started().await?, 0).await?;
        self.settled(session, start).await
    }

    /// Makes a container. It is noted before the first byte.
    async fn started(&self) -> Result<Session> {
        let (caption, warnings) = reel::caption(self.post)?;
        for warning in warnings {
            self.cx().warn_of(WarningKind::Publish, warning);
        }
        let user = self.user().await?;
        self.check_quota(&user).await?;
        self.journal.write(&Entry::begun(None)).await?;
        let feed = if self.to.share_to_feed { "true" } else { "false" };
        let form = [("media_type", "REELS"), ("upload_type", "resumable"), ("caption", &*caption), ("share_to_feed", feed)];
        let made = told(&self.api, &format!("{user}/media"), &form).await?.accepted()?;
        let container = id(&made["id"]).ok_or_else(|| Server::Instagram.invalid("the container has no id"))?;
        let uri = upload_address(&self.api, made["uri"].as_str(), &container)
            .ok_or_else(|| Server::Instagram.invalid("it names no address of its own for the file"))?;
        let file = self.file.clone();
        let (uri, uploaded, publishing, lookups, media) = (uri.into(), false, None, 0, None);
        let session = Session { user, container, uri, file, caption, uploaded, publishing, lookups, media };
        self.note(&session).await?;
        Ok(session)
    }

    /// Instagram's id of the account.
    async fn user(&self) -> Result<String> {
        let user = self.api.tokens().await?.user.filter(|user| is_id(user));
        user.ok_or_else(|| {
            Error::new(ErrorKind::Denied, "the credentials do not say which account of Instagram they are for").with_advice(format!(
                "log in: clipkit login instagram --account {}, or set the variable CLIPKIT_INSTAGRAM_<ACCOUNT>_USER to the account's id",
                self.to.account
            ))
        })
    }

    /// Refuses a post that Instagram would not publish today.
    async fn check_quota(&self, user: &str) -> Result<()> {
        let answer = asked(&self.api, &format!("{user}/content_publishing_limit"), &[("fields", "config,quota_usage")]).await?;
        match status::quota(&answer.accepted()?) {
            Some((used, total)) if used >= total => {
                let refusal = Refusal { status: 403, reason: "9/2207042", after: Some(QUOTA_WAIT) };
                Err(judge(Server::Instagram, &refusal, SystemTime::now()))
            }
            _ => Ok(()),
        }
    }

    /// Goes on with a container of an earlier attempt.
    async fn resumed(&self, noted: Value) -> Result<Receipt> {
        let Ok(session) = serde_json::from_value::<Session>(noted) else {
            return self.parked(None, "what was noted about the upload cannot be read").await;
        };
        if session.media.is_some() {
            return self.linked(&session).await;
        }
        let is_same = session.file == self.file;
        match self.standing(&session).await? {
            // Other bytes cannot follow. A container that is not published ends by itself.
            Standing::Uploading(_) | Standing::Processing | Standing::Ready | Standing::Failed(_)
                if !is_same && session.publishing.is_none() =>
            {
                self.fresh(1).await
            }
            Standing::Uploading(bytes) if !session.uploaded => {
                let session = self.send(session, bytes.unwrap_or(0)).await?;
                self.settled(session, 1).await
            }
            Standing::Unknown if session.publishing.is_none() => self.fresh(1).await,
            _ => self.settled(session, 1).await,
        }
    }

    /// Waits until a container can be published, and publishes it.
    async fn settled(&self, mut session: Session, start: u32) -> Result<Receipt> {
        let (begun, mut pause) = (std::time::Instant::now(), POLL.0);
        loop {
            match self.standing(&session).await? {
                Standing::Uploading(_) | Standing::Processing => {}
                Standing::Ready => {
                    session.publishing.get_or_insert_with(moment::now);
                    self.note(&session).await?;
                    if let Some(receipt) = self.published(&mut session).await? {
                        return Ok(receipt);
                    }
                }
                Standing::Published => return self.found(session).await,
                Standing::Failed(reason) => {
                    self.journal.write(&Entry::begun(None)).await?;
                    return Err(judge(Server::Instagram, &Refusal { status: 400, reason: &reason, after: None }, SystemTime::now()));
                }
                // It was never published.
                Standing::Expired if start < STARTS => return Box::pin(self.fresh(start + 1)).await,
                Standing::Expired => {
                    self.journal.write(&Entry::begun(None)).await?;
                    return Err(judge(Server::Instagram, &Refusal { status: 400, reason: "-2/2207020", after: None }, SystemTime::now()));
                }
                Standing::Unknown if session.publishing.is_some() => return self.found(session).await,
                Standing::Unknown if start < STARTS => return Box::pin(self.fresh(start + 1)).await,
                Standing::Unknown => return Err(Server::Instagram.invalid("it does not know its own container")),
            }
            if begun.elapsed() > PATIENCE {
                return Err(later("Instagram still works on the clip"));
            }
            self.cx().progress(0.95);
            self.cx().sleep(pause).await?;
            pause = (pause * 2).min(POLL.1);
        }
    }

    /// Publishes a container. `None` means that it is not known whether that worked, or that it is
    /// to be tried again: the container tells, since it can be published once.
    async fn published(&self, session: &mut Session) -> Result<Option<Receipt>> {
        let answer = told(&self.api, &format!("{}/media_publish", session.user), &[("creation_id", &session.container)]).await;
        let refusal = match answer {
            Ok(answer) if answer.is_success() => {
                let Some(media) = id(&answer.json["id"]) else { return Ok(None) };
                session.media = Some(media);
                self.note(session).await?;
                return self.linked(session).await.map(Some);
            }
            Ok(answer) => answer.refusal(),
            Err(error) => error,
        };
        if refusal.is_cancelled() {
            return Err(refusal);
        }
        if *refusal.recovery() == (Recovery::Retry { after: None }) {
            return Ok(None);
        }
        match self.standing(session).await {
            Ok(Standing::Published) => Ok(None),
            _ => Err(refusal),
        }
    }

    /// The receipt of a post whose id is known.
    async fn linked(&self, session: &Session) -> Result<Receipt> {
        let media = session.media.as_deref().unwrap_or(&session.container);
        let link = match asked(&self.api, media, &[("fields", "permalink")]).await.and_then(Answer::accepted) {
            Ok(answer) => permalink(&answer),
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => {
                self.cx().warn_of(WarningKind::Publish, format!("the clip is on Instagram, and its address is not known: {error}"));
                None
            }
        };
        Ok(reel::receipt(self.to, media, link))
    }

    /// The receipt of a post whose id is not known, since the answer was lost. It is looked for
    /// among the account's latest.
    async fn found(&self, mut session: Session) -> Result<Receipt> {
        let is_published = matches!(self.standing(&session).await?, Standing::Published);
        let query = [("fields", "id,caption,timestamp,permalink"), ("limit", "25")];
        let latest = asked(&self.api, &format!("{}/media", session.user), &query).await?.accepted()?;
        if let Some((id, link)) = post_of(&latest, &session) {
            return Ok(reel::receipt(self.to, &id, link));
        }
        if is_published {
            let message = "the clip is on Instagram, and it is not known which of the account's posts it is";
            self.cx().warn_of(WarningKind::Publish, message);
            return Ok(reel::receipt(self.to, &session.container, None));
        }
        session.lookups += 1;
        if session.lookups >= LOOKUPS {
            return self.parked(Some(&session), "Instagram does not know the upload any more, and lists no such post").await;
        }
        self.note(&session).await?;
        Err(later("Instagram does not say whether the clip was published, and does not list it yet"))
    }

    /// Ends the publication with an outcome that nobody knows. Later attempts ask, and do not
    /// upload.
    async fn parked(&self, session: Option<&Session>, reason: &str) -> Result<Receipt> {
        let session = session.and_then(|session| serde_json::to_value(session).ok());
        self.journal.write(&Entry::unknown(reason, session)).await?;
        Err(unknown(reason))
    }
}

fn unknown(reason: &str) -> Error {
    Error::new(ErrorKind::Contract, format!("it is unknown whether the clip is on Instagram: {reason}"))
        .with_advice("check by hand: look at the account's latest posts")
}

fn later(what: &str) -> Error {
    Error::new(ErrorKind::Network, what)
        .with_recovery(Recovery::Retry { after: Some(COME_BACK) })
        .with_advice("publish again to ask: it is not uploaded again")
}
