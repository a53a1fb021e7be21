//! What every upload to a platform begins with.

use super::identity::Identity;
use super::journal::{Entry, Journal};
use super::limits::{ClipFacts, ClipLimits};
use super::{Target, publication_key};
use crate::context::Context;
use crate::error::Result;
use crate::model::{Post, Receipt};

/// A publication that nobody else on this machine works on.
pub(super) struct Opening {
    /// The idempotency key.
    pub(super) key: String,
    pub(super) journal: Journal,
    /// What earlier attempts noted.
    pub(super) known: Option<Entry>,
    pub(super) file: Identity,
    pub(super) facts: ClipFacts,
}

pub(super) enum Opened {
    /// The clip was published before.
    Done(Box<Receipt>),
    Open(Box<Opening>),
}

/// Opens a publication. Refuses a clip that breaks a rule of the platform. Nothing is sent.
pub(super) async fn open(cx: &Context, target: &Target, post: &Post, limits: ClipLimits) -> Result<Opened> {
    let key = publication_key(cx, target, post);
    let journal = Journal::open(cx, &key).await?;
    let known = journal.read().await?;
    if let Some(Entry::Done { receipt }) = known {
        return Ok(Opened::Done(receipt));
    }
    cx.check()?;
    let (video, plan) = (post.files.video.clone(), post.files.plan.clone());
    let checked = cx.blocking(move |_| {
        let facts = ClipFacts::of(&video, plan.as_deref())?;
        limits.check(&facts).map(|()| facts)
    });
    let facts = checked.await?;
    let file = Identity::of(cx, &post.files.video).await?;
    Ok(Opened::Open(Box::new(Opening { key, journal, known, file, facts })))
}
