use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::{VARIABLE, Weights, WeightsFile};
use crate::context::{Context, scratch};
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::{self, Timeouts, innermost_cause, retry_after};

/// A download fails if the server sends nothing for this long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A download of the files of one model.
pub(super) struct Download<'a> {
    client: reqwest::Client,
    id: &'static str,
    progress: DownloadProgress<'a>,
}

impl<'a> Download<'a> {
    pub(super) fn open(cx: &'a Context, weights: &Weights) -> Result<Self> {
        let client = http::client(cx.environment(), Timeouts { total: None, idle: Some(IDLE_TIMEOUT) })?;
        Ok(Download { client, id: weights.id, progress: DownloadProgress { cx, bytes: 0, total: weights.size(), percent: 0 } })
    }

    /// Downloads to a temporary file beside `target` and renames it after its length and hash are
    /// verified. Dropping the future removes the temporary file.
    pub(super) async fn file(&mut self, file: &WeightsFile, target: &Path) -> Result<()> {
        let id = self.id;
        let advice = || format!("connect to the network, or put {} into a folder and set {VARIABLE} to it", file.file);
        let failed = |what: String| {
            Error::new(ErrorKind::Network, format!("the model {id} could not be downloaded: {what}"))
                .with_url(file.url)
                .with_advice(advice())
        };
        let again = |after: Option<Duration>| Recovery::Retry { after };
        let broken = |error: reqwest::Error| failed(innermost_cause(&error)).with_recovery(again(None)).with_source(error.without_url());

        let mut response = self.client.get(file.url).send().await.map_err(broken)?;
        let status = response.status();
        if !status.is_success() {
            let transient = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
            let after = retry_after(response.headers());
            return Err(failed(format!("the server answered {status}")).with_recovery(if transient {
                again(after)
            } else {
                Recovery::GiveUp
            }));
        }

        let unwritable = |error: std::io::Error| Error::io(target, "write the model", error);
        let folder = target.parent().unwrap_or(Path::new("."));
        tokio::fs::create_dir_all(folder).await.map_err(|error| Error::io(folder, "make the folder", error))?;
        let temporary = scratch::beside(folder).map_err(unwritable)?;
        let mut output = tokio::fs::File::from_std(temporary.reopen().map_err(unwritable)?);
        let (mut hash, mut length) = (Sha256::new(), 0_u64);
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            length += chunk.len() as u64;
            if length > file.bytes {
                return Err(failed(format!("the file is longer than the expected {} bytes", file.bytes)));
            }
            self.progress.add(chunk.len());
            hash.update(&chunk);
            output.write_all(&chunk).await.map_err(unwritable)?;
        }
        output.flush().await.map_err(unwritable)?;
        if length < file.bytes {
            return Err(failed(format!("{length} of {} bytes were received", file.bytes)).with_recovery(again(None)));
        }
        if hex(&hash.finalize()) != file.sha256 {
            return Err(failed("its SHA-256 is not the expected one".to_owned()));
        }
        drop(output);
        temporary.persist(target).map_err(|error| unwritable(error.error))?;
        Ok(())
    }
}

/// The progress of a download of all files of a model.
struct DownloadProgress<'a> {
    cx: &'a Context,
    bytes: u64,
    total: u64,
    /// The last reported percentage.
    percent: u64,
}

impl DownloadProgress<'_> {
    fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let percent = self.bytes * 100 / self.total.max(1);
        if percent > self.percent {
            self.percent = percent;
            self.cx.progress(percent as f64 / 100.0);
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
