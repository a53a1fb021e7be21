use std::io::Read;
use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Source;
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ContentId, FileStamp, Media};

/// Takes a file on this machine, given by its path.
///
/// The whole file is read once: its hash is its identity, and its packets' times are its true duration and frame rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FileSource {
    /// Whether a copy of the file is put into the media store, so that later steps find it there
    /// when the file is gone. Default `false`: the file is used where it is.
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
        let path = std::path::PathBuf::from(uri);
        cx.blocking(move |cx| {
            let id = identify(cx, &path)?;
            let mut media = av::probe(cx, &path, id)?;
            media.stamp = std::fs::metadata(&path).ok().map(|metadata| FileStamp::of(&metadata));
            // FFmpeg takes some text files for subtitles.
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

/// Whether an id is a hash of a file's bytes, as [`identify`] makes it.
pub(crate) fn is_hash(id: &ContentId) -> bool {
    id.as_str().starts_with("blake3:")
}

/// The BLAKE3 hash of the file's bytes.
pub(crate) fn identify(cx: &Context, path: &Path) -> Result<ContentId> {
    let unreadable = |error| Error::io(path, "read the file", error);
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::InvalidInput, "this is a folder").with_path(path).with_advice("give a video file"));
    }
    if !metadata.is_file() {
        // A pipe can be read only once, and may never end.
        return Err(Error::new(ErrorKind::InvalidInput, "this is not a regular file").with_path(path).with_advice("save it to disk first"));
    }
    if metadata.len() == 0 {
        return Err(Error::new(ErrorKind::InvalidInput, "the file is empty").with_path(path).with_advice("get it again"));
    }
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0u64;
    loop {
        cx.check()?;
        let count = file.read(&mut buffer).map_err(unreadable)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        done += count as u64;
        cx.progress(done as f64 / metadata.len() as f64);
    }
    Ok(ContentId::new("blake3", &hasher.finalize().to_hex()))
}
