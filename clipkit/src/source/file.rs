use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Source;
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ContentId, Media};
use crate::store::identify;

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
            let (id, stamp) = identify(cx, &path)?;
            let mut media = av::probe(cx, &path, id)?;
            media.stamp = Some(stamp);
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
