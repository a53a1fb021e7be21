use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use super::lr_asd::{self, Origin};
use super::{Conversion, VARIABLE, Weights, WeightsFile};
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
        let received = self.receive(file, target.parent().unwrap_or(Path::new("."))).await?;
        received.persist(target).map_err(|error| unwritable(target, error.error))?;
        Ok(())
    }

    /// Writes the files that are made of `file` to `folder`: all of them or none. `file` is read
    /// from `found`, where the user has put it, or downloaded.
    pub(super) async fn converted(
        &mut self,
        file: &WeightsFile,
        found: Option<PathBuf>,
        conversion: Conversion,
        folder: &Path,
    ) -> Result<()> {
        let (file, folder, cx) = (*file, folder.to_owned(), self.progress.cx);
        let original = match found {
            Some(path) => Original::Found(path),
            // Beside the model's folder, so that a failed download leaves no folder behind.
            None => Original::Received(self.receive(&file, folder.parent().unwrap_or(Path::new("."))).await?),
        };
        cx.blocking(move |cx| {
            let bytes = original.read(&file)?;
            let origin = Origin { url: file.url, sha256: file.sha256 };
            let files = match conversion {
                Conversion::LrAsd => lr_asd::convert(cx, &bytes, &origin),
            };
            let files = files.map_err(|error| error.with_path(original.path(&file)).with_url(file.url))?;
            store_all(cx, &folder, files)
        })
        .await
    }

    /// Downloads to a temporary file in `folder`, and verifies its length and hash.
    async fn receive(&mut self, file: &WeightsFile, folder: &Path) -> Result<NamedTempFile> {
        let id = self.id;
        let advice = || format!("connect to the network, or put {} into a folder and set {VARIABLE} to it", file.file);
        let failed = |what: String| {
            Error::new(ErrorKind::Network, format!("the model {id} could not be downloaded: {what}"))
                .with_url(file.url)
                .with_advice(advice())
        };
        let again = |after: Option<Duration>| Recovery::Retry { after };
        let broken = |error: reqwest::Error| failed(innermost_cause(&error)).with_recovery(again(None)).with_source(error.without_url());

        tracing::info!(model = id, url = file.url, "downloading");
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

        let unwritable = |error| unwritable(&folder.join(file.file), error);
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
        Ok(temporary)
    }
}

/// The file of which a model is made.
enum Original {
    /// Of the user, not verified yet.
    Found(PathBuf),
    /// Downloaded and verified.
    Received(NamedTempFile),
}

impl Original {
    /// The path that errors name.
    fn path<'p>(&'p self, file: &'p WeightsFile) -> &'p Path {
        match self {
            Original::Found(path) => path,
            Original::Received(_) => Path::new(file.file),
        }
    }

    /// The bytes, if they are the expected ones.
    fn read(&self, file: &WeightsFile) -> Result<Vec<u8>> {
        let path = match self {
            Original::Found(path) => path,
            Original::Received(received) => received.path(),
        };
        let unreadable = |error| Error::io(path, "read the model", error);
        let refuse = |what: String| {
            let advice = format!("remove it, or replace it by the file at {}", file.url);
            Error::new(ErrorKind::InvalidInput, what).with_path(path).with_advice(advice)
        };
        let mut bytes = Vec::new();
        let limit = file.bytes.saturating_add(1);
        std::fs::File::open(path).and_then(|opened| opened.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
        match bytes.len() as u64 {
            length if length < file.bytes => Err(refuse(format!("the model's file is cut short: it has {length} of {} bytes", file.bytes))),
            length if length > file.bytes => Err(refuse(format!("the model's file is longer than the expected {} bytes", file.bytes))),
            _ if hex(&Sha256::digest(&bytes)) != file.sha256 => {
                Err(refuse("the SHA-256 of the model's file is not the expected one".to_owned()))
            }
            _ => Ok(bytes),
        }
    }
}

fn unwritable(target: &Path, error: std::io::Error) -> Error {
    Error::io(target, "write the model", error)
}

/// Writes all files before it gives the first its name, so that a full disk leaves none of them.
fn store_all(cx: &Context, folder: &Path, files: Vec<(&'static str, Vec<u8>)>) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, "make the folder", error))?;
    let write = |(name, bytes): (&str, Vec<u8>)| {
        let target = folder.join(name);
        match scratch::beside(folder).and_then(|mut file| file.write_all(&bytes).map(|()| file)) {
            Ok(file) => Ok((file, target)),
            Err(error) => Err(unwritable(&target, error)),
        }
    };
    let name_all = || {
        let written = files.into_iter().map(write).collect::<Result<Vec<_>>>()?;
        cx.check()?;
        written.into_iter().try_for_each(|(file, target)| match file.persist(&target) {
            Ok(_) => Ok(()),
            Err(error) => Err(unwritable(&target, error.error)),
        })
    };
    let named = name_all();
    if named.is_err() {
        // This fails for a folder that is not empty, as intended.
        let _ = std::fs::remove_dir(folder);
    }
    named
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
