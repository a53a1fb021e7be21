//! The bytes of a container.

use std::path::PathBuf;
use std::time::Duration;

use futures::{Stream, stream};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::api::asked;
use super::publication::Publication;
use super::session::Session;
use super::status::{self, Standing};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::refusal::Server;
use crate::publish::request::is_passing;

/// The wait before a broken upload goes on; it doubles with each attempt without progress.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_IDLE_ATTEMPTS: u32 = 4;
/// The bytes that are read at once.
const PIECE: usize = 256 << 10;
/// The slowest upload that is waited for: 0.25 Mbit/s, in bytes per second.
const SLOWEST: u64 = 31_250;
/// How much of the progress the upload is.
const SHARE: f64 = 0.9;

impl Publication<'_> {
    /// Asks where a container stands.
    pub(super) async fn standing(&self, session: &Session) -> Result<Standing> {
        let answer = asked(&self.api, &session.container, &[("fields", "status_code,status,video_status")]).await?;
        // 100/33: there is no such node, or not for this login.
        if answer.status == 404 || matches!(answer.reason().as_str(), "100/33" | "24/2207006") {
            return Ok(Standing::Unknown);
        }
        status::standing(&answer.accepted()?, session.file.bytes)
    }

    /// Sends the file from a byte on. What breaks off goes on where Instagram has it.
    pub(super) async fn send(&self, mut session: Session, from: u64) -> Result<Session> {
        let (path, total) = (self.post.files.video.clone(), session.file.bytes);
        let (mut next, mut idle) = (from, 0);
        while next < total {
            let length = total - next;
            let sent = self.api.send_as("OAuth", |client| {
                let body = reqwest::Body::wrap_stream(pieces(self.cx(), path.clone(), next, total));
                let request = client.post(&session.uri).timeout(Duration::from_secs(60 + length / SLOWEST));
                let request = request.header("offset", next).header("file_size", total).header(CONTENT_LENGTH, length);
                request.header(CONTENT_TYPE, "application/octet-stream").body(body)
            });
            let error = match sent.await {
                Ok(answer) if answer.is_success() && answer.json["success"] == true => break,
                Ok(answer) if answer.is_success() => Server::Instagram.invalid("it does not say that it has the file"),
                Ok(answer) => match answer.refusal() {
                    error if is_passing(&error) || answer.json["debug_info"]["retriable"] == true => error,
                    error => return Err(error),
                },
                Err(error) if is_passing(&error) => error,
                Err(error) => return Err(error),
            };
            idle += 1;
            if idle >= MAX_IDLE_ATTEMPTS {
                return Err(error.with_advice("what has arrived is kept: publish again to continue"));
            }
            let pause = FIRST_PAUSE * 2_u32.pow(idle);
            self.cx().waiting(pause, format!("{error}; the upload goes on"));
            self.cx().sleep(pause).await?;
            match self.standing(&session).await {
                Ok(Standing::Uploading(Some(at))) => {
                    idle = if at > next { 0 } else { idle };
                    next = at;
                }
                Ok(Standing::Uploading(None)) => next = 0,
                // What became of it is read from another answer.
                Ok(_) => break,
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        session.uploaded = true;
        self.note(&session).await?;
        Ok(session)
    }
}

/// The bytes of a file from `from` to `total`, with progress.
fn pieces(cx: &Context, path: PathBuf, from: u64, total: u64) -> impl Stream<Item = Result<Vec<u8>>> + Send + use<> {
    let cx = cx.clone();
    stream::try_unfold((None, from), move |(file, at)| {
        let (cx, path) = (cx.clone(), path.clone());
        async move {
            if at >= total {
                return Ok(None);
            }
            let unreadable = |error| Error::io(&path, "read the file", error);
            let mut file = match file {
                Some(file) => file,
                None => {
                    let mut file = tokio::fs::File::open(&path).await.map_err(unreadable)?;
                    file.seek(std::io::SeekFrom::Start(at)).await.map_err(unreadable)?;
                    file
                }
            };
            let mut piece = vec![0; PIECE.min(usize::try_from(total - at).unwrap_or(PIECE))];
            let read = file.read(&mut piece).await.map_err(unreadable)?;
            if read == 0 {
                return Err(Error::new(ErrorKind::Io, "the file became shorter while it was sent").with_path(&path));
            }
            piece.truncate(read);
            let at = at + read as u64;
            cx.progress(at as f64 / total as f64 * SHARE);
            Ok(Some((piece, (Some(file), at))))
        }
    })
}
