//! What all sources do with a file that arrives in the media store.

use std::path::Path;
use std::time::Duration;

use super::file::identify_and_probe;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Media;
use crate::store::{Lease, Partial};

/// The wait before a download that another process works on is looked at again.
const POLL: Duration = Duration::from_millis(250);

/// The download with this key, in the media store. Waits while another task or process has it.
pub(super) async fn take_partial(cx: &Context, key: &str) -> Result<Partial> {
    let mut said = false;
    loop {
        let asked = key.to_owned();
        if let Some(partial) = cx.blocking(move |cx| cx.media_store()?.partial(&asked)).await? {
            return Ok(partial);
        }
        if !said {
            cx.waiting(POLL, "the same file is being fetched already");
            said = true;
        }
        cx.sleep(POLL).await?;
    }
}

/// The result of `work`, or the error of a cancelled context at once.
pub(super) async fn or_cancelled<T>(cx: &Context, work: impl Future<Output = Result<T>>) -> Result<T> {
    cx.or_cancelled(work).await
}

/// Identifies and probes the complete file of a download and moves it into the store.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if it is not media.
pub(super) fn arrived(cx: &Context, partial: &Partial, file: &Path, extension: &str) -> Result<(Media, Lease)> {
    let mut media = identify_and_probe(cx, file)?;
    require_streams(&media)?;
    let lease = partial.commit(file, &media.id, extension)?;
    media.path = lease.path().to_owned();
    media.stamp = None;
    Ok((media, lease))
}

/// FFmpeg reads some text files as subtitles; those are no media.
pub(super) fn require_streams(media: &Media) -> Result<()> {
    if media.video.is_none() && media.audio.is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, "there is neither picture nor sound in this file")
            .with_path(&media.path)
            .with_advice("give a video file"));
    }
    Ok(())
}

/// The same error about an address in place of a file in the store.
pub(super) fn about_address(error: &Error, uri: &str) -> Error {
    let mut report = error.report();
    if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::TooLarge) {
        report.path = None;
    }
    report.into_error().with_url(uri)
}

/// The extension of the last part of a path, in lower case. Empty if there is none.
pub(super) fn extension_of(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_one = (1..=8).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_one { extension.to_ascii_lowercase() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_come_from_the_last_part() {
        for (path, extension) in
            [("/a/talk.MP4", "mp4"), ("/a.b/talk", ""), ("", ""), ("/x.tar.gz", "gz"), ("/a.%2e", ""), ("/.mp4", "mp4")]
        {
            assert_eq!(extension_of(path), extension, "{path}");
        }
    }
}
