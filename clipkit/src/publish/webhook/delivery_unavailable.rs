//! A build without the feature `publish` posts nothing.

use super::Webhook;
use crate::context::Context;
use crate::error::Result;
use crate::features;
use crate::model::{Manifest, Post, Receipt};

pub(super) async fn clip(_cx: &Context, to: &Webhook, _post: &Post) -> Result<Receipt> {
    Err(features::missing("webhooks", "publish").with_url(&to.url))
}

pub(super) async fn manifest(_cx: &Context, to: &Webhook, _manifest: &Manifest) -> Result<()> {
    Err(features::missing("webhooks", "publish").with_url(&to.url))
}
