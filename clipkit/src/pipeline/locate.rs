//! Finding the local file of a medium that a document names.

use std::path::{Path, PathBuf};

use super::Pipeline;
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::model::{FileStamp, Media, MediaRef, WarningKind};
use crate::source;
use crate::store::identify;

impl Pipeline {
    /// Finds the local file of a medium and remembers it for the stages ([`Context::locate`]).
    ///
    /// A local file is used where it lies. Its size and time of change identify it; where those
    /// differ from the reference's, its content is hashed, and a file with other content leaves a
    /// warning. What is not a local file is fetched again by the source.
    pub(super) async fn locate(&self, cx: &Context, media: &MediaRef) -> Result<PathBuf> {
        let path = PathBuf::from(media.uri.strip_prefix("file://").unwrap_or(&media.uri));
        let path = match stamp(&path) {
            Some(found) if source::is_hash(&media.id) => {
                if media.stamp != Some(found) {
                    let hashed = path.clone();
                    let (id, _) = cx.blocking(move |cx| identify(cx, &hashed)).await?;
                    if id != media.id {
                        changed(cx, media);
                    }
                }
                path
            }
            _ => {
                let fetched = self.fetch(cx, &media.uri).await?;
                if fetched.id != media.id {
                    changed(cx, media);
                }
                fetched.path
            }
        };
        cx.bind(&media.id, &path);
        Ok(path)
    }

    /// A medium whose path is valid in this process: a document may come from another one.
    pub(super) async fn local(&self, cx: &Context, media: &Media) -> Result<Media> {
        if stamp(&media.path).is_some_and(|found| media.stamp.is_none_or(|known| known == found)) {
            cx.bind(&media.id, &media.path);
            return Ok(media.clone());
        }
        match self.locate(cx, &media.reference()).await {
            Ok(path) => {
                let mut local = media.clone();
                local.path = path;
                Ok(local)
            }
            // A source of the user's own may name media that are no files; its stages know them.
            Err(error) if error.kind() == ErrorKind::NotFound && media.stamp.is_none() => Ok(media.clone()),
            Err(error) => Err(error),
        }
    }
}

/// The stamp of a regular file. `None` where there is no such file.
fn stamp(path: &Path) -> Option<FileStamp> {
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|metadata| FileStamp::of(&metadata))
}

fn changed(cx: &Context, media: &MediaRef) {
    cx.warn_of(WarningKind::SourceChanged, format!("{} is not the file that this was made from: crop and captions may not fit", media.uri));
}
