use super::Transcriber;
use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Transcript};
use async_trait::async_trait;

/// Captions.
#[derive(Clone, Debug, Default)]
pub struct Captions;

#[async_trait]
impl Transcriber for Captions {
    async fn transcribe(&self, _cx: &Context, _media: &Media) -> Result<Transcript> {
        Ok(Transcript::default())
    }
}
