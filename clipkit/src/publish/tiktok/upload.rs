//! The chunks of an upload.

use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::api::asked;
use super::publication::Publication;
use super::session::Session;
use super::status::{self, Standing};
use crate::error::{Error, Result};
use crate::model::moment;
use crate::publish::refusal::Server;
use crate::publish::request::is_passing;

/// The wait before a broken upload goes on; it doubles with each attempt without progress.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_IDLE_ATTEMPTS: u32 = 4;
/// How much of the progress the upload is.
const SHARE: f64 = 0.9;

/// How an upload ended.
#[derive(Debug)]
pub(super) enum Sent {
    /// TikTok has, or may have, all of it.
    All(Session),
    /// TikTok takes no more of it: the address is not valid any more, or it wants other bytes.
    Closed(Session, Error),
}

impl Publication<'_> {
    /// Asks where an upload stands.
    pub(super) async fn standing(&self, session: &Session) -> Result<Standing> {
        let answer = asked(&self.api, "/v2/post/publish/status/fetch/", &json!({"publish_id": session.publish_id})).await?;
        if answer.reason() == "invalid_publish_id" {
            return Ok(Standing::Unknown);
        }
        status::standing(&answer.accepted()?["data"], session.chunks.total)
    }

    /// Sends the file from the start of a chunk on.
    pub(super) async fn send(&self, mut session: Session, from: u64) -> Result<Sent> {
        let path = &self.post.files.video;
        let unreadable = |error| Error::io(path, "read the file", error);
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let (chunks, total) = (session.chunks, session.chunks.total);
        let (mut next, mut idle) = (from, 0);
        while next < total {
            let end = chunks.end(next);
            let mut chunk = vec![0; usize::try_from(end - next).unwrap_or(usize::MAX)];
            file.seek(std::io::SeekFrom::Start(next)).await.map_err(unreadable)?;
            file.read_exact(&mut chunk).await.map_err(unreadable)?;
            if end == total && session.finishing.is_none() {
                // From now on, the post may exist even if no answer arrives.
                session.finishing = Some(moment::now());
                self.note(&session).await?;
            }
            let range = format!("bytes {next}-{}/{total}", end - 1);
            // The address holds the permission, so the access token stays here.
            let sent = self.api.send_plain(|client| {
                let request = client.put(&session.upload_url).header(CONTENT_LENGTH, chunk.len()).header(CONTENT_RANGE, &range);
                request.header(CONTENT_TYPE, "video/mp4").body(chunk)
            });
            let error = match sent.await {
                Ok(answer) if matches!(answer.status, 200 | 201 | 206) => {
                    (next, idle) = (end, 0);
                    self.cx().progress(next as f64 / total as f64 * SHARE);
                    continue;
                }
                Ok(answer) if matches!(answer.status, 403 | 404 | 410) => return Ok(Sent::Closed(session, answer.refusal())),
                // It has other chunks than we think.
                Ok(answer) if answer.status == 416 => answer.refusal(),
                Ok(answer) => match answer.refusal() {
                    error if is_passing(&error) => error,
                    error => return Err(error),
                },
                Err(error) if is_passing(&error) => error,
                Err(error) => return Err(error),
            };
            idle += 1;
            if idle >= MAX_IDLE_ATTEMPTS {
                if is_passing(&error) {
                    return Err(error.with_advice("what has arrived is kept: publish again to continue"));
                }
                return Ok(Sent::Closed(session, error));
            }
            let pause = FIRST_PAUSE * 2_u32.pow(idle);
            self.cx().waiting(pause, format!("{error}; the upload goes on"));
            self.cx().sleep(pause).await?;
            match self.standing(&session).await {
                Ok(Standing::Uploading(Some(bytes))) => {
                    let at = chunks.next(bytes);
                    idle = if at > next { 0 } else { idle };
                    next = at;
                }
                Ok(Standing::Uploading(None)) => {}
                // What became of it is read from another answer.
                Ok(_) => return Ok(Sent::All(session)),
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Sent::All(session))
    }
}

pub(super) fn invalid(what: &str) -> Error {
    Server::TikTok.invalid(what)
}
