use std::io::Read;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Source;
use super::arrival::require_streams;
use crate::av;
use crate::context::Context;
use crate::error::{Error, Result};
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
                identify_and_probe(cx, &path)?
            };
            media.uri = uri;
            require_streams(&media).map_err(|error| error.with_path(&path))?;
            Ok(media)
        })
        .await
    }
}

/// Hashes a file and reads its packets. Both happen at the same time, so that a large file comes
/// from the disk once and from memory the other time.
pub(super) fn identify_and_probe(cx: &Context, path: &Path) -> Result<Media> {
    // `identify` refuses these; a pipe must not be opened twice.
    if !path.is_file() {
        let (id, _) = store::identify(cx, path)?;
        return av::probe(cx, path, id);
    }
    let (identity, media) = std::thread::scope(|threads| {
        let probe = threads.spawn(|| av::probe(cx, path, ContentId::new("blake3", "")));
        let identity = store::identify(cx, path);
        (identity, probe.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (id, stamp) = identity?;
    let mut media = media?;
    (media.id, media.stamp) = (id, Some(stamp));
    Ok(media)
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
