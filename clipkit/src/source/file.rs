use super::Source;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Media;
use async_trait::async_trait;

/// File.
#[derive(Clone, Debug, Default)]
pub struct FileSource;

#[async_trait]
impl Source for FileSource {
    async fn fetch(&self, _cx: &Context, uri: &str) -> Result<Media> {
        Err(Error::new(ErrorKind::NotFound, uri))
    }
}
