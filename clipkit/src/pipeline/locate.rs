//! Finds the local file of a medium that a document names.

use std::path::{Path, PathBuf};

use super::Pipeline;
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::model::{FileStamp, Media, MediaRef, Stage, WarningKind, local_path};
use crate::source;
use crate::store::verify_content;

impl Pipeline {
    /// Finds the local file of a medium and binds it in the context for the stages
    /// ([`Context::locate`]).
    ///
    /// The order is: the file that a step of this run found, the media store, the path in the URI,
    /// and at last a new fetch by the source. A local file is identified by its size and
    /// modification time. If those differ from the reference, its content is hashed, and other
    /// content leaves a warning.
    pub(super) async fn locate(&self, cx: &Context, media: &MediaRef) -> Result<PathBuf> {
        if let Some(path) = cx.bound(&media.id) {
            return Ok(path);
        }
        let (id, is_stored) = (media.id.clone(), media.stamp.is_none());
        let stored = cx.blocking(move |cx| if is_stored { cx.stored(&id) } else { Ok(None) }).await?;
        let path = match stored {
            Some(path) => path,
            None => self.outside_the_store(cx, media).await?,
        };
        cx.bind(&media.id, &path);
        Ok(path)
    }

    async fn outside_the_store(&self, cx: &Context, media: &MediaRef) -> Result<PathBuf> {
        let path = local_path(&media.uri).to_owned();
        if source::is_hash(&media.id) && stamp(&path).is_some() {
            let (known, file) = (media.clone(), path.clone());
            let same = cx.blocking(move |cx| verify_content(cx, &file, &known.id, known.stamp.as_ref())).await?;
            if !same {
                changed(cx, media);
            }
            return Ok(path);
        }
        let fetched = self.fetch(cx, &media.uri).await?;
        if fetched.id != media.id {
            changed(cx, media);
        }
        Ok(fetched.path)
    }

    /// The medium with a path that is valid in this process. Its document may come from another
    /// one.
    pub(super) async fn local(&self, cx: &Context, media: &Media) -> Result<Media> {
        if cx.bound(&media.id).as_ref() == Some(&media.path) {
            return Ok(media.clone());
        }
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
            // A custom source may name media that are not files; the stages know how to read them.
            Err(error) if error.kind() == ErrorKind::NotFound && media.stamp.is_none() => Ok(media.clone()),
            Err(error) => Err(error),
        }
    }
}

/// The stamp of a regular file. `None` if there is no such file.
fn stamp(path: &Path) -> Option<FileStamp> {
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|metadata| FileStamp::of(&metadata))
}

fn changed(cx: &Context, media: &MediaRef) {
    cx.for_stage(Stage::Source).warn_of(
        WarningKind::SourceChanged,
        format!("{} is not the file that this was made from: crop and captions may not fit", media.uri),
    );
}
