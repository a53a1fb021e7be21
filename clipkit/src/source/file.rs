use std::io::Read;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Source;
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ContentId, Media};
use crate::store;

/// A source of local files, which are given by their paths.
///
/// The file is read completely: its BLAKE3 hash is its identity, and its packet timestamps give its
/// exact duration and frame rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FileSource {
    /// Whether the file is copied into the media store
    /// ([`Context::media_store`](crate::Context::media_store)), so that later steps find it after
    /// the original is removed. Default: `false`, which reads the file in place.
    pub store: bool,
}

impl FileSource {
    /// A source of local files.
    pub fn new() -> Self {
        FileSource::default()
    }
}

#[async_trait]
impl Source for FileSource {
    async fn fetch(&self, cx: &Context, uri: &str) -> Result<Media> {
        let (path, uri, copies) = (PathBuf::from(uri), uri.to_owned(), self.store);
        cx.blocking(move |cx| {
            let mut media = if copies {
                let (id, stored) = copy(cx, &path, &uri)?;
                av::probe(cx, &stored, id)?
            } else {
                let (id, stamp) = store::identify(cx, &path)?;
                let mut media = av::probe(cx, &path, id)?;
                media.stamp = Some(stamp);
                media
            };
            media.uri = uri;
            // FFmpeg reads some text files as subtitles.
            if media.video.is_none() && media.audio.is_empty() {
                return Err(Error::new(ErrorKind::InvalidInput, "there is neither picture nor sound in this file")
                    .with_path(&path)
                    .with_advice("give a video file"));
            }
            Ok(media)
        })
        .await
    }
}

/// Copies a file into the media store. Returns its identity and its path there.
fn copy(cx: &Context, path: &Path, uri: &str) -> Result<(ContentId, PathBuf)> {
    let unreadable = |error| Error::io(path, "read the file", error);
    let size = store::stamp(path)?.size;
    let media = cx.media_store()?;
    let mut writer = media.reserve(size)?;
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        cx.check()?;
        let count = file.read(&mut buffer).map_err(unreadable)?;
        if count == 0 {
            break;
        }
        writer.append(&buffer[..count])?;
        cx.progress(writer.written() as f64 / size.max(1) as f64);
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    let (id, lease) = writer.commit(&extension)?;
    media.bind(uri, &id)?;
    Ok((id, cx.keep(lease)))
}

/// Whether an id is a hash of a file's content, as [`store::identify`] computes it.
pub(crate) fn is_hash(id: &ContentId) -> bool {
    id.as_str().starts_with("blake3:")
}
