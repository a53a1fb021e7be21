//! What a source knows of a video before its media are here.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot::{Receiver, Sender, channel};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::Media;

/// Tells a run of a video that is still being fetched, so that its words are read and judged
/// meanwhile.
pub(crate) struct Announcement(Mutex<Option<Sender<Media>>>);

impl Announcement {
    /// An announcement, and what it announces: media without streams, at whose path is no file yet.
    /// Beside the path are captions.
    pub(crate) fn channel() -> (Arc<Self>, Receiver<Media>) {
        let (sender, receiver) = channel();
        (Arc::new(Announcement(Mutex::new(Some(sender)))), receiver)
    }

    /// Announces media with captions (an ending and a text), if the run listens. `media` gets the
    /// path at which the file would be.
    pub(super) fn tell(cx: &Context, captions: (&str, &str), media: impl FnOnce(&Path) -> Media) -> Result<()> {
        let Some(sender) = cx.shared_value::<Announcement>().and_then(|announcement| announcement.take()) else { return Ok(()) };
        let parent = cx.scratch()?;
        let folder = tempfile::tempdir_in(parent).map_err(|error| Error::io(parent, "make a temporary folder here", error))?.keep();
        let (ending, text) = captions;
        let path = folder.join(format!("video.{ending}"));
        std::fs::write(&path, text).map_err(|error| Error::io(&path, "write the captions", error))?;
        // A run that has ended does not listen any more.
        let _ = sender.send(media(&folder.join("video.mp4")));
        Ok(())
    }

    /// Nothing will be announced any more.
    pub(crate) fn close(&self) {
        drop(self.take());
    }

    fn take(&self) -> Option<Sender<Media>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
